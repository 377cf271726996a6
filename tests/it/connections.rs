//! What strangers' connections may cost: heads are small and come soon, and whoever is idle makes room for others.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::harness::{BARE_FOLDER, Dispatch};

async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.strip_prefix("http://").expect("a URL")).await.expect("a connection")
}

/// Sends it, in pieces or at once; a server that has had enough hangs up meanwhile.
async fn send(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).await.is_ok()
}

/// The status of the next answer; `None`: the server hung up.
async fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.ok().filter(|length| *length > 0)?;
    let text = String::from_utf8_lossy(&answer[..length]).into_owned();
    text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok())
}

/// A request that is answered at once, and leaves the connection open.
const NOTHING_THERE: &[u8] = b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n";

/// Ready when the server has hung up, or says otherwise after the time.
async fn hung_up(stream: &mut TcpStream, within: Duration) -> bool {
    timeout(within, async { while status(stream).await.is_some() {} }).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_is_given_up_after_ten_seconds_and_an_idle_connection_is_not() {
    let t = Dispatch::start().await;
    let silent = async {
        let mut stream = connect(&t.url).await;
        hung_up(&mut stream, Duration::from_secs(13)).await
    };
    let trickling = async {
        let mut stream = connect(&t.url).await;
        send(&mut stream, b"POST /telegram/master HTTP/1.1\r\nhost: x\r\n").await;
        let begun = Instant::now();
        while send(&mut stream, b"x-more: y\r\n").await && begun.elapsed() < Duration::from_secs(13) {
            if hung_up(&mut stream, Duration::from_millis(300)).await {
                break;
            }
        }
        begun.elapsed() > Duration::from_secs(8) && begun.elapsed() < Duration::from_secs(13)
    };
    let second = async {
        let mut stream = connect(&t.url).await;
        send(&mut stream, NOTHING_THERE).await;
        assert_eq!(status(&mut stream).await, Some(404));
        tokio::time::sleep(Duration::from_secs(1)).await;
        send(&mut stream, b"POST /telegram/master HTTP/1.1\r\n").await;
        hung_up(&mut stream, Duration::from_secs(13)).await
    };
    let idle = async {
        let mut stream = connect(&t.url).await;
        let mut answers = Vec::new();
        for _ in 0..2 {
            send(&mut stream, NOTHING_THERE).await;
            answers.push(status(&mut stream).await);
            tokio::time::sleep(Duration::from_secs(14)).await;
        }
        answers
    };
    let (silent, trickling, second, idle) = tokio::join!(silent, trickling, second, idle);
    assert!(silent, "a connection without a head was kept");
    assert!(trickling, "a head that trickles was kept, or given up too soon");
    assert!(second, "the second head of a connection was waited for");
    assert_eq!(idle, [Some(404); 2]);
}

#[tokio::test]
async fn a_head_over_sixteen_kilobytes_is_refused() {
    let t = Dispatch::start().await;
    let head = |length: usize| {
        format!("GET /nothing HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "y".repeat(length)).into_bytes()
    };
    for (length, expected) in [(15_000, 404), (16_500, 431), (40_000, 431)] {
        let mut stream = connect(&t.url).await;
        send(&mut stream, &head(length)).await;
        assert_eq!(status(&mut stream).await, Some(expected), "{length}");
    }
    // One that never ends is not collected until it does.
    let mut stream = connect(&t.url).await;
    let (sent, ()) = tokio::join!(
        timeout(Duration::from_secs(5), async {
            let mut sent = 0;
            send(&mut stream, b"GET /nothing HTTP/1.1\r\nhost: x\r\nx-long: ").await;
            while sent < 40_000_000 && send(&mut stream, &[b'y'; 10_000]).await {
                sent += 10_000;
            }
            sent
        }),
        tokio::task::yield_now(),
    );
    assert!(sent.is_ok_and(|sent| sent < 40_000_000), "it went on being read");
}

/// `serve` with so many files.
async fn serve_with_files(t: &Dispatch, files: u32) -> (Child, String) {
    let limited = format!("ulimit -n {files} && exec \"$0\" serve --listen 127.0.0.1:0");
    let mut process = Command::new("sh")
        .args(["-c", &limited, env!("CARGO_BIN_EXE_field-service")])
        .current_dir(BARE_FOLDER)
        .env_clear()
        .envs(t.environment())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program runs");
    let mut lines = BufReader::new(process.stderr.take().expect("stderr")).lines();
    let url = loop {
        let line = lines.next_line().await.expect("a log").expect("it says where it listens");
        if let Some((_, address)) = line.split_once("http://") {
            break format!("http://{}", address.split_whitespace().next().expect("an address"));
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (process, url)
}

/// The status of `/health` for a new caller, and how long that took.
async fn new_caller(url: &str) -> (Option<u16>, Duration) {
    let begun = Instant::now();
    let answer = timeout(Duration::from_secs(20), async {
        let mut stream = connect(url).await;
        send(&mut stream, b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
        status(&mut stream).await
    });
    (answer.await.unwrap_or(None), begun.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_idle_connections_than_files_keep_no_new_caller_waiting() {
    rlimit::increase_nofile_limit(u64::MAX).expect("enough files");
    let t = Dispatch::start().await;
    let (_process, url) = serve_with_files(&t, 256).await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        let mut stream = connect(&url).await;
        send(&mut stream, NOTHING_THERE).await;
        assert_eq!(status(&mut stream).await, Some(404));
        idle.push(stream);
    }
    let (answer, took) = new_caller(&url).await;
    assert!(answer == Some(200) && took < Duration::from_secs(2), "{answer:?} after {took:?}");

    // Those that were idle for longest went, the others are kept.
    let last = idle.last_mut().expect("connections");
    send(last, NOTHING_THERE).await;
    assert_eq!(status(last).await, Some(404));
    assert!(hung_up(&mut idle[0], Duration::from_secs(1)).await, "the oldest idle one makes room");
    drop(idle);

    // Unfinished heads, too; and connections that say nothing.
    let begun = Instant::now();
    let slow = join_all((0..400).map(|number| {
        let url = &url;
        async move {
            let mut stream = connect(url).await;
            if number % 2 == 0 {
                send(&mut stream, b"GET /nothing HTTP/1.1\r\nhost").await;
            }
            stream
        }
    }))
    .await;
    let (answer, took) = new_caller(&url).await;
    assert!(answer == Some(200) && took < Duration::from_secs(3), "{answer:?} after {took:?}");
    assert!(begun.elapsed() < Duration::from_secs(9), "no deadline has passed yet: {:?}", begun.elapsed());
    drop(slow);
}
