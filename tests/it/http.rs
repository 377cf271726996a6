//! The HTTP policy: every row of it.

use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use serde_json::json;

use crate::harness::{ADMIN_SECRET, ANNA, Dispatch, MASTER_SECRET};

const SECRET: &str = "X-Telegram-Bot-Api-Secret-Token";

async fn post(t: &Dispatch, path: &str, secret: Option<&str>, body: impl Into<reqwest::Body>) -> u16 {
    let mut request = field_service::telegram::http_client(&t.url).post(format!("{}{path}", t.url)).body(body);
    if let Some(secret) = secret {
        request = request.header(SECRET, secret);
    }
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn without_the_secret_nothing_is_read_and_nothing_written() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let before = t.everything().await;
    let update = t.chat(ANNA).tap_update(&format!("m:new:acc:{order}")).to_string();

    for secret in [None, Some(""), Some("wrong"), Some(ADMIN_SECRET), Some("master-secre"), Some("master-secret2")] {
        assert_eq!(post(&t, "/telegram/master", secret, update.clone()).await, 401, "{secret:?}");
    }
    assert_eq!(post(&t, "/telegram/admin", Some(MASTER_SECRET), update.clone()).await, 401);

    assert_eq!(t.everything().await, before);
    assert!(t.telegram.calls().is_empty());
    assert_eq!(post(&t, "/telegram/master", Some(MASTER_SECRET), update).await, 200);
    assert_eq!(t.owner(order).await, Some(ANNA));
}

#[tokio::test]
async fn the_path_counts_from_its_end() {
    let t = Dispatch::start().await;
    for path in ["/telegram/master", "/prod/telegram/master", "/lambda-url/webhook/telegram/master"] {
        assert_eq!(post(&t, path, Some(MASTER_SECRET), json!({"update_id": 1}).to_string()).await, 200, "{path}");
    }
    for path in ["/", "/telegram", "/telegram/masters", "/telegram/master/x", "/xtelegram", "/telegram/other"] {
        assert_eq!(post(&t, path, Some(MASTER_SECRET), "{}").await, 404, "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let t = Dispatch::start().await;
    let client = field_service::telegram::http_client(&t.url);
    for (method, path, allowed) in [
        ("GET", "/telegram/master", "POST"),
        ("PUT", "/telegram/admin", "POST"),
        ("DELETE", "/telegram/master", "POST"),
        ("POST", "/health", "GET,HEAD"),
    ] {
        let method = method.parse().expect("a method");
        let answer = client.request(method, format!("{}{path}", t.url)).send().await.expect("an answer");
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()["allow"], allowed);
    }
}

#[tokio::test]
async fn health_says_whether_the_database_answers() {
    let t = Dispatch::start().await;
    let health = async || {
        field_service::telegram::http_client(&t.url)
            .get(format!("{}/health", t.url))
            .send()
            .await
            .expect("an answer")
            .status()
            .as_u16()
    };
    assert_eq!(health().await, 200);
    t.app.store.close();
    assert_eq!(health().await, 503);
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_too_large() {
    let t = Dispatch::start().await;
    let limit = 1024 * 1024;
    let padded = |length: usize| {
        let mut body = br#"{"update_id": 1}"#.to_vec();
        body.resize(length, b' ');
        body
    };
    assert_eq!(post(&t, "/telegram/master", Some(MASTER_SECRET), padded(limit)).await, 200);
    assert_eq!(post(&t, "/telegram/master", Some(MASTER_SECRET), padded(limit + 1)).await, 413);
    assert_eq!(post(&t, "/telegram/master", Some(MASTER_SECRET), padded(5 * limit)).await, 413);
    // Without a Content-Length, too.
    let chunks = (0..20).map(|_| Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![b' '; 65536]))));
    let body = reqwest::Body::wrap(StreamBody::new(futures_util::stream::iter(chunks)));
    assert_eq!(post(&t, "/telegram/master", Some(MASTER_SECRET), body).await, 413);
    assert_eq!(post(&t, "/telegram/master", Some("wrong"), padded(limit + 1)).await, 401, "the secret comes first");
}

#[tokio::test]
async fn what_is_not_understood_is_counted_and_not_sent_again() {
    let t = Dispatch::start().await;
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        br#"{"update_id": "five"}"#,
        br#"{"update_id": 5, "callback_query": {"id": 7}}"#,
        br#"{"update_id": 5, "message": {"chat": {"id": "x"}}}"#,
        br#"{"update_id": 5, "callback_query": {"id": "1", "from": {"id": 1e40}}}"#,
    ];
    for (count, body) in bodies.into_iter().enumerate() {
        assert_eq!(post(&t, "/telegram/master", Some(MASTER_SECRET), body).await, 200);
        assert_eq!(t.app.metrics.get("webhook", "NOT_UNDERSTOOD"), count as u64 + 1, "{body:?}");
    }
}

#[tokio::test]
async fn an_unknown_kind_of_update_is_ignored() {
    let t = Dispatch::start().await;
    let update = json!({"update_id": 9, "quantum_message": {"spin": 0.5}}).to_string();
    assert_eq!(post(&t, "/telegram/master", Some(MASTER_SECRET), update).await, 200);
    assert_eq!(t.app.metrics.get("update", "IGNORED"), 1);
}

#[tokio::test]
async fn an_unknown_field_in_the_buttons_message_does_not_lose_the_tap() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let mut update = t.chat(ANNA).tap_update(&format!("m:new:acc:{order}"));
    update["callback_query"]["message"] = json!({
        "message_id": 1, "date": 0, "chat": {"id": ANNA, "type": "hologram"}, "text": 7, "entities": [{"type": "smell"}],
    });
    t.chat(ANNA).deliver(update).await;
    assert_eq!(t.owner(order).await, Some(ANNA));
}

#[tokio::test]
async fn the_previous_secret_is_good_during_a_rotation() {
    use field_service::config::webhook_secret;
    use field_service::model::BotName;
    let lookup = |name: &str| match name {
        "MASTER_WEBHOOK_SECRET" => Some("new".to_owned()),
        "MASTER_WEBHOOK_SECRET_PREVIOUS" => Some("old".to_owned()),
        _ => None,
    };
    let secret = webhook_secret(&lookup, BotName::Master).expect("two secrets");
    assert!(secret.matches(b"new") && secret.matches(b"old"));
    assert!(!secret.matches(b"") && !secret.matches(b"ne") && !secret.matches(b"newold"));
    assert!(!format!("{secret:?}").contains("new"));
}

#[tokio::test]
async fn nothing_but_the_head_is_needed_to_refuse() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let t = Dispatch::start().await;
    let address = t.url.strip_prefix("http://").expect("a URL");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(b"POST /telegram/master HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
        .await
        .expect("a head");
    let mut answer = vec![0; 64];
    let length = stream.read(&mut answer).await.expect("an answer before the body");
    assert!(answer[..length].starts_with(b"HTTP/1.1 401"), "{:?}", String::from_utf8_lossy(&answer));
}
