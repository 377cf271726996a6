//! The Lambda function as a process of its own, and an imitation of Lambda's runtime interface that hands it events.

use std::convert::Infallible;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use field_service::http::server;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};

use super::{Dispatch, MASTER_SECRET, MASTER_TOKEN};

/// The function, and what Lambda hands it and gets from it.
pub struct Function {
    events: mpsc::UnboundedSender<String>,
    answers: mpsc::UnboundedReceiver<(String, Value)>,
    process: Child,
}

impl Function {
    pub fn start(t: &Dispatch) -> Self {
        Self::start_on(t, &t.database_url)
    }

    /// Starts it on a database, which it may reach in another way than the test.
    pub fn start_on(t: &Dispatch, database_url: &str) -> Self {
        let listener = server::listen("127.0.0.1:0".parse().expect("an address")).expect("a listener");
        let address = listener.local_addr().expect("an address").to_string();
        let (events, queue) = mpsc::unbounded_channel::<String>();
        let (answered, answers) = mpsc::unbounded_channel();
        let queue = Arc::new(Mutex::new(queue));
        tokio::spawn(server::run(listener, std::future::pending(), move |request| {
            runtime_interface(Arc::clone(&queue), answered.clone(), request)
        }));
        let process = Command::new(env!("CARGO_BIN_EXE_webhook"))
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "webhook"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "x"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "x"),
                ("DATABASE_URL", database_url),
                ("MASTER_BOT_TOKEN", MASTER_TOKEN),
                ("ADMIN_BOT_TOKEN", "1002:admin-token"),
                ("MASTER_WEBHOOK_SECRET", MASTER_SECRET),
                ("ADMIN_WEBHOOK_SECRET", "x"),
                ("TELEGRAM_API_URL", t.telegram.api_url()),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the function runs");
        Self { events, answers, process }
    }

    /// Invokes it; the function's answer.
    pub async fn invoke(&mut self, event: impl ToString) -> Value {
        self.events.send(event.to_string()).expect("the runtime's interface");
        let answer = tokio::time::timeout(Duration::from_secs(20), self.answers.recv());
        let (end, answer) = answer.await.expect("an end of the invocation").expect("the runtime's interface");
        assert_eq!(end, "response", "{answer}");
        answer
    }

    /// Stops the process as Lambda does between two invocations, or lets it go on.
    pub fn signal(&self, signal: &str) {
        let process = self.process.id().expect("a process").to_string();
        let sent = std::process::Command::new("kill").args([signal, &process]).status().expect("kill");
        assert!(sent.success());
    }

    /// How many KiB it holds in memory.
    pub fn resident(&self) -> u64 {
        resident(self.process.id().expect("a process"))
    }

    /// What it logged until it was ended.
    pub async fn log(mut self) -> String {
        self.process.kill().await.expect("an end");
        let output = self.process.wait_with_output().await.expect("its output");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

/// How many KiB a process holds in memory.
pub fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process's status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("what it holds");
    line.trim().split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
async fn runtime_interface(
    events: Arc<Mutex<mpsc::UnboundedReceiver<String>>>,
    answered: mpsc::UnboundedSender<(String, Value)>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    if path.ends_with("/invocation/next") {
        let event = events.lock().await.recv().await;
        let Some(event) = event else { return std::future::pending::<Result<_, Infallible>>().await.expect("never") };
        return Response::builder()
            .header("lambda-runtime-aws-request-id", "1")
            .header("lambda-runtime-deadline-ms", "4000000000000")
            .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:1:function:webhook")
            .body(Full::from(event))
            .expect("an event");
    }
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let end = path.rsplit('/').next().unwrap_or_default().to_owned();
    let answer = serde_json::from_slice(&body).unwrap_or(Value::Null);
    drop(answered.send((end, answer)));
    Response::builder().status(202).body(Full::default()).expect("an answer")
}

/// The event of a function URL, with an update for the masters' bot.
pub fn function_url(secret: &str, body: &str, is_base64: bool) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/telegram/master", "rawQueryString": "",
        "headers": {"content-type": "application/json", "x-telegram-bot-api-secret-token": secret, "host": "x"},
        "requestContext": {
            "accountId": "anonymous", "apiId": "x", "domainName": "x", "domainPrefix": "x", "requestId": "1",
            "routeKey": "$default", "stage": "$default", "time": "20/Nov/2026:09:00:00 +0000", "timeEpoch": 1,
            "http": {"method": "POST", "path": "/telegram/master", "protocol": "HTTP/1.1",
                     "sourceIp": "127.0.0.1", "userAgent": "x"},
        },
        "body": body, "isBase64Encoded": is_base64,
    })
}
