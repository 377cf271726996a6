//! How the Lambda function starts: from exec to its first poll of the runtime, and what it holds in memory then.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Instant;

const STARTS: usize = 31;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = TcpListener::bind("127.0.0.1:0").expect("a port for the runtime's interface");
    let address = runtime.local_addr().expect("an address").to_string();
    let mut milliseconds = Vec::new();
    let mut kibibytes = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let mut function = Command::new(env!("CARGO_BIN_EXE_webhook"))
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
        milliseconds.push(begun.elapsed().as_secs_f64() * 1000.0);
        assert!(request[..length].starts_with(b"GET /2018-06-01/runtime/invocation/next"), "the first poll");
        kibibytes.push(resident(function.id()));
        function.kill().expect("an end");
        function.wait().expect("an end");
    }
    milliseconds.sort_by(f64::total_cmp);
    kibibytes.sort_unstable();
    println!(
        "webhook, {STARTS} starts: exec to first poll {:.1} ms (median), {:.1} ms (slowest); resident {:.1} MB",
        milliseconds[STARTS / 2],
        milliseconds[STARTS - 1],
        f64::from(kibibytes[STARTS / 2]) / 1024.0,
    );
}

/// `VmRSS`, where the system tells.
fn resident(process: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}
