//! The Lambda function behind the webhook's URL, with an imitation of Lambda's runtime interface: whatever event comes, the
//! invocation ends with an answer and never with an error, which would be retried for ever.

use serde_json::{Value, json};

use crate::harness::function::{Function, function_url};
use crate::harness::{ANNA, BORIS, Dispatch, MASTER_SECRET};

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
