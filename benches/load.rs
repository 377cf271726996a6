//! The full webhook: a load generator, the real `field-service serve` in a process of its own, and a Telegram that
//! costs next to nothing.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use field_service::cluster::Cluster;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::Barrier;

use crate::data::{Data, order_id};
use crate::per_second;

pub struct Webhook {
    pub per_second: f64,
    pub failed: usize,
}

pub struct Contended {
    pub winners: Vec<Duration>,
    pub losers: Vec<Duration>,
}

/// Every order taken once, with this many taps in flight on as many kept-alive connections.
pub async fn through_the_webhook(data: &Data, in_flight: usize) -> Webhook {
    let server = Server::start(&data.url).await;
    let data = Arc::new(data.clone());
    let first = in_flight * 4;
    for order in 0..first {
        assert_eq!(Caller::connect(server.port).await.tap(order, data.taker(order)).await, 200);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = (0..in_flight)
        .map(|task| {
            let (data, port) = (Arc::clone(&data), server.port);
            tokio::spawn(async move {
                let mut caller = Caller::connect(port).await;
                let mut failed = 0;
                for order in (first + task..data.orders).step_by(in_flight) {
                    failed += usize::from(caller.tap(order, data.taker(order)).await != 200);
                }
                failed
            })
        })
        .collect();
    let mut failed = 0;
    for task in tasks {
        failed += task.await.expect("a load generator");
    }
    let per_second = per_second(data.orders - first, begun.elapsed());
    let taken = data.count("SELECT count(*) FROM orders WHERE status = 'ASSIGNED'").await;
    assert_eq!(taken, i64::try_from(data.orders).expect("a small number"), "every order was taken");
    Webhook { per_second, failed }
}

/// Fifty masters tap the same order in the same instant, for forty orders one after another.
pub async fn fifty_on_one(cluster: &Cluster) -> Contended {
    const MASTERS: usize = 50;
    const ORDERS: usize = 40;
    let data = Arc::new(Data::filled(cluster, ORDERS, MASTERS, MASTERS).await);
    let server = Server::start(&data.url).await;
    let barrier = Arc::new(Barrier::new(MASTERS));
    let tasks: Vec<_> = (0..MASTERS)
        .map(|master| {
            let (data, barrier, port) = (Arc::clone(&data), Arc::clone(&barrier), server.port);
            tokio::spawn(async move {
                let mut caller = Caller::connect(port).await;
                let mut times = Vec::new();
                for order in 0..ORDERS {
                    barrier.wait().await;
                    let begun = Instant::now();
                    assert_eq!(caller.tap(order, data.taker(master)).await, 200);
                    times.push(begun.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.push(task.await.expect("a load generator"));
    }
    let winners = data.winners().await;
    assert_eq!(winners.len(), ORDERS, "every order has one winner");
    let mut contended = Contended { winners: Vec::new(), losers: Vec::new() };
    for (master, times) in times.into_iter().enumerate() {
        for (order, time) in times.into_iter().enumerate() {
            let won = winners[order] == data.taker(master);
            if won { &mut contended.winners } else { &mut contended.losers }.push(time);
        }
    }
    contended
}

/// `field-service serve` and its Telegram; both end when this is dropped.
struct Server {
    port: u16,
    _process: Child,
}

impl Server {
    async fn start(database_url: &str) -> Self {
        let telegram = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let api_url = format!("http://{}", telegram.local_addr().expect("an address"));
        tokio::spawn(cheap_telegram(telegram));
        let mut process = Command::new(env!("CARGO_BIN_EXE_field-service"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            // Without a file of settings.
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .env_clear()
            .envs([
                ("DATABASE_URL", database_url),
                ("MASTER_BOT_TOKEN", "1:token"),
                ("ADMIN_BOT_TOKEN", "2:token"),
                ("MASTER_WEBHOOK_SECRET", "secret"),
                ("ADMIN_WEBHOOK_SECRET", "secret"),
                ("TELEGRAM_API_URL", &api_url),
            ])
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("field-service serve");
        let mut lines = BufReader::new(process.stderr.take().expect("stderr is piped")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("stderr").expect("serve says where it listens");
            if let Some((_, address)) = line.rsplit_once("http://127.0.0.1:") {
                break address.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("a port");
            }
        };
        // A full pipe would stop the server.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { port, _process: process }
    }
}

/// One kept-alive connection to the webhook.
struct Caller {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Caller {
    async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the webhook listens");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Self { stream, buffer: vec![0; 4096] }
    }

    /// Taps «✅ Взять заявку» and waits for the webhook's status.
    async fn tap(&mut self, order: usize, user: i64) -> u16 {
        let order = order_id(order);
        let body = format!(
            r#"{{"update_id":{order},"callback_query":{{"id":"{order}{user}","from":{{"id":{user},"is_bot":false,"first_name":"М","language_code":"ru"}},"message":{{"message_id":7,"from":{{"id":1,"is_bot":true,"first_name":"Заявки","username":"orders_bot"}},"chat":{{"id":{user},"first_name":"М","type":"private"}},"date":1770000000,"text":"Заявка","reply_markup":{{"inline_keyboard":[[{{"text":"✅ Взять заявку","callback_data":"m:new:acc:{order}:1"}}]]}}}},"chat_instance":"1","data":"m:new:acc:{order}:1"}}}}"#
        );
        let request = format!(
            "POST /telegram/master HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             x-telegram-bot-api-secret-token: secret\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.expect("the webhook reads");
        let mut length = 0;
        // The answer has no body.
        while !self.buffer[..length].ends_with(b"\r\n\r\n") {
            let read = self.stream.read(&mut self.buffer[length..]).await.expect("the webhook answers");
            assert!(read > 0, "the webhook hung up");
            length += read;
        }
        let status = std::str::from_utf8(&self.buffer[9..12]).expect("a status line");
        status.parse().expect("a status")
    }
}

/// Answers every request with the same success.
async fn cheap_telegram(listener: TcpListener) {
    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 25\r\n\r\n{\"ok\":true,\"result\":true}";
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            drop(stream.set_nodelay(true));
            let mut buffer = Vec::with_capacity(16384);
            loop {
                while let Some(length) = request_length(&buffer) {
                    buffer.drain(..length);
                    stream.write_all(ANSWER).await?;
                }
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok::<_, std::io::Error>(());
                }
            }
        });
    }
}

/// The length of the request at the start of `buffer`, if it is all there.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?;
    let body = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())?;
    (buffer.len() >= head + body).then_some(head + body)
}
