//! The page without a browser: what it is told, and what it asks for.

use std::time::Duration;

use field_service::telegram::http_client;
use serde_json::Value;

/// What a page at `url` is told first: all topics, those of the database unless it takes its time.
pub async fn told(url: &str) -> Value {
    let mut answer = http_client(url).get(format!("{url}/events")).send().await.expect("an answer");
    let mut event = Vec::new();
    while !event.ends_with(b"\n\n") {
        event.extend_from_slice(&answer.chunk().await.expect("a chunk").expect("more"));
    }
    let event = String::from_utf8(event).expect("text");
    serde_json::from_str(event.strip_prefix("data: ").expect("an event")).expect("JSON")
}

/// Waits until what a page at `url` is told is as expected.
pub async fn told_eventually(url: &str, expected: impl Fn(&Value) -> bool) -> Value {
    let wait = async {
        loop {
            let topics = told(url).await;
            if expected(&topics) {
                return topics;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it is told within 20 seconds")
}

/// A request as the page makes it.
pub fn action(url: &str, name: &str, body: &Value) -> reqwest::RequestBuilder {
    let request = http_client(url).post(format!("{url}/do/{name}")).timeout(Duration::from_secs(30));
    request.header("content-type", "application/json").body(body.to_string())
}

/// Does what the page can do.
pub async fn act(url: &str, name: &str, body: &Value) {
    let answer = action(url, name, body).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{name} {body}: {}", answer.text().await.unwrap_or_default());
}
