//! How the Lambda function starts: from exec to its first poll of the runtime, and what it holds in memory then.
//!
//! With paths of other builds of the function after `--bench start --`, those are started in turns with this one, so that the ratios
//! are of one run.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Instant;

const STARTS: usize = 31;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let own = env!("CARGO_BIN_EXE_webhook").to_owned();
    let others = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let builds: Vec<String> = std::iter::once(own).chain(others).collect();
    let mut measured = vec![(Vec::new(), Vec::new()); builds.len()];
    let runtime = TcpListener::bind("127.0.0.1:0").expect("a port for the runtime's interface");
    for _ in 0..STARTS {
        for (build, (milliseconds, kibibytes)) in builds.iter().zip(&mut measured) {
            let (took, holds) = start(build, &runtime);
            milliseconds.push(took);
            kibibytes.push(holds);
        }
    }
    let mut own = None;
    for (build, (milliseconds, kibibytes)) in builds.iter().zip(&mut measured) {
        milliseconds.sort_by(f64::total_cmp);
        kibibytes.sort_unstable();
        let (median, slowest) = (milliseconds[STARTS / 2], milliseconds[STARTS - 1]);
        println!(
            "{build}, {STARTS} starts: exec to first poll {median:.2} ms (median), {slowest:.1} ms (slowest); resident {:.1} MB; \
             the first to this one {:.2}",
            f64::from(kibibytes[STARTS / 2]) / 1024.0,
            *own.get_or_insert(median) / median,
        );
    }
}

/// Starts a function; in how many milliseconds it polls, and how many KiB it holds then.
fn start(build: &str, runtime: &TcpListener) -> (f64, u32) {
    let address = runtime.local_addr().expect("an address").to_string();
    let begun = Instant::now();
    let mut function = Command::new(build)
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "webhook"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "x"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "x"),
            ("DATABASE_URL", "postgresql://user:password@db.example.org/name?sslmode=verify-full"),
            ("MASTER_BOT_TOKEN", "1:token"),
            ("ADMIN_BOT_TOKEN", "2:token"),
            ("MASTER_WEBHOOK_SECRET", "secret"),
            ("ADMIN_WEBHOOK_SECRET", "secret"),
        ])
        .stdout(Stdio::null())
        .spawn()
        .expect("the webhook function");
    let (mut poll, _) = runtime.accept().expect("a poll");
    let mut request = [0; 512];
    let length = poll.read(&mut request).expect("a poll");
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    assert!(request[..length].starts_with(b"GET /2018-06-01/runtime/invocation/next"), "the first poll");
    let holds = resident(function.id());
    function.kill().expect("an end");
    function.wait().expect("an end");
    (took, holds)
}

/// `VmRSS`, where the system tells.
fn resident(process: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}
