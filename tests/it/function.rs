//! The Lambda function behind the webhook's URL, with an imitation of Lambda's runtime interface: whatever event comes, the
//! invocation ends with an answer and never with an error, which would be retried for ever.

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

use crate::harness::{ANNA, BORIS, Dispatch, MASTER_SECRET, MASTER_TOKEN};

/// The function, and what Lambda hands it and gets from it.
struct Function {
    events: mpsc::UnboundedSender<String>,
    answers: mpsc::UnboundedReceiver<(String, Value)>,
    process: Child,
}

impl Function {
    fn start(t: &Dispatch) -> Self {
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
                ("DATABASE_URL", t.database_url.as_str()),
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
    async fn invoke(&mut self, event: impl ToString) -> Value {
        self.events.send(event.to_string()).expect("the runtime's interface");
        let answer = tokio::time::timeout(Duration::from_secs(20), self.answers.recv());
        let (end, answer) = answer.await.expect("an end of the invocation").expect("the runtime's interface");
        assert_eq!(end, "response", "{answer}");
        answer
    }

    /// What it logged until it was ended.
    async fn log(mut self) -> String {
        self.process.kill().await.expect("an end");
        let output = self.process.wait_with_output().await.expect("its output");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
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

/// Of a named stage: the path says so.
fn http_api(body: &str) -> Value {
    let mut event = function_url(MASTER_SECRET, &base64(body.as_bytes()), true);
    event["rawPath"] = json!("/prod/telegram/master");
    event["rawQueryString"] = json!("a=b%20c");
    event["requestContext"]["stage"] = json!("prod");
    event
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn function_url(secret: &str, body: &str, is_base64: bool) -> Value {
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

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>
fn load_balancer(multi_value: bool, method: &str, path: &str, body: &str) -> Value {
    let mut event = json!({
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/x/y"}},
        "httpMethod": method, "path": path, "body": body, "isBase64Encoded": false,
    });
    if multi_value {
        event["multiValueQueryStringParameters"] = json!({});
        event["multiValueHeaders"] = json!({
            "host": ["лбh st"], "X-Telegram-Bot-Api-Secret-Token": [MASTER_SECRET], "x-forwarded-for": ["1.1.1.1"]
        });
    } else {
        event["queryStringParameters"] = json!({});
        event["headers"] = json!({"host": "lb", "x-telegram-bot-api-secret-token": MASTER_SECRET});
    }
    event
}

/// An API Gateway REST API's event, of a named stage.
fn rest_api(body: &str) -> Value {
    json!({
        "resource": "/{proxy+}", "path": "/telegram/master", "httpMethod": "POST",
        "headers": {"X-Telegram-Bot-Api-Secret-Token": MASTER_SECRET, "Host": "x"},
        "multiValueHeaders": {"X-Telegram-Bot-Api-Secret-Token": [MASTER_SECRET], "Host": ["x"]},
        "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "pathParameters": {"proxy": "telegram/master"}, "stageVariables": null,
        "requestContext": {"accountId": "1", "apiId": "x", "httpMethod": "POST", "path": "/prod/telegram/master",
            "stage": "prod", "requestId": "1", "resourceId": "x", "resourcePath": "/{proxy+}", "protocol": "HTTP/1.1",
            "identity": {"sourceIp": "127.0.0.1"}},
        "body": body, "isBase64Encoded": false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_takes_an_order() {
    let t = Dispatch::start().await;
    let mut function = Function::start(&t);
    let tap = |order| t.chat(ANNA).tap_update(&format!("m:new:acc:{order}")).to_string();
    for event in [
        |body: &str| function_url(MASTER_SECRET, body, false),
        |body: &str| load_balancer(false, "POST", "/telegram/master", body),
        |body: &str| load_balancer(true, "POST", "/prod/telegram/master", body),
        http_api,
        rest_api,
    ] {
        let order = t.order().offered_to([ANNA, BORIS]).await;
        let answer = function.invoke(event(&tap(order))).await;
        assert_eq!(answer["statusCode"], 200, "{answer}");
        assert_eq!(t.owner(order).await, Some(ANNA));
    }
    // A load balancer shows the headers of the kind that it sent.
    let health = function.invoke(load_balancer(true, "GET", "/health", "")).await;
    assert_eq!((health["statusCode"].as_u64(), &health["isBase64Encoded"]), (Some(200), &json!(false)), "{health}");
    assert_eq!(health["multiValueHeaders"]["content-type"], json!(["application/json"]), "{health}");
    assert!(health["body"].as_str().is_some_and(|body| body.contains("\"database\":true")), "{health}");
    let health = function.invoke(load_balancer(false, "GET", "/health", "")).await;
    assert_eq!(health["headers"]["content-type"], "application/json", "{health}");
    assert_eq!(function.invoke(function_url("wrong", "{}", false)).await["statusCode"], 401);
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_not_understood_is_answered_and_not_retried() {
    let t = Dispatch::start().await;
    let mut function = Function::start(&t);
    // Authentic, but not base64: sent again it would be the same.
    assert_eq!(
        function.invoke(function_url(MASTER_SECRET, "!!79991234567-not-base64!!", true)).await["statusCode"],
        200
    );
    assert_eq!(function.invoke(function_url("wrong", "!!79991234567-not-base64!!", true)).await["statusCode"], 401);
    let nested = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let mut strange = vec![
        json!({}).to_string(),
        json!(null).to_string(),
        json!([]).to_string(),
        json!("79991234567").to_string(),
        nested.clone(),
        format!("{{\"deep\": {nested}}}"),
        json!({"source": "aws.events", "detail-type": "Scheduled Event"}).to_string(),
        json!({"Records": [{"Sns": {"Message": "79991234567"}}]}).to_string(),
    ];
    for (field, value) in [
        ("rawPath", json!(7)),
        ("rawPath", json!("no slash 79991234567")),
        ("rawPath", json!("/a b\u{0}\u{ff}")),
        ("headers", json!([79_991_234_567_i64])),
        ("headers", json!({"bad name 79991234567": "x"})),
        ("headers", json!({"x": "line\nbreak 79991234567"})),
        ("headers", json!(null)),
        ("requestContext", json!(null)),
        ("requestContext", json!({"http": {"method": "P O S T"}})),
        ("body", json!({"79991234567": 1})),
        ("body", json!(null)),
        ("isBase64Encoded", json!("79991234567")),
    ] {
        let mut event = function_url(MASTER_SECRET, "{}", false);
        event[field] = value;
        strange.push(event.to_string());
    }
    for event in strange {
        let answer = function.invoke(&event).await;
        let status = answer["statusCode"].as_u64().expect("a status");
        assert!([200, 400, 401, 404].contains(&status), "{event}: {answer}");
    }
    // And it works on.
    let order = t.order().offered_to([ANNA]).await;
    let tap = t.chat(ANNA).tap_update(&format!("m:new:acc:{order}")).to_string();
    assert_eq!(function.invoke(function_url(MASTER_SECRET, &tap, false)).await["statusCode"], 200);
    assert_eq!(t.owner(order).await, Some(ANNA));
    let log = function.log().await;
    assert!(!log.contains("79991234567") && !log.contains("panicked"), "{log}");
    assert!(log.contains("an event that is not a request"), "{log}");
}
