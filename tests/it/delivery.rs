//! The local Telegram delivers as the real one does, and its faults are met by the real handler.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use field_service::http::server;
use field_service::sim::telegram::{Fault, Faults, Force, Record, State, Telegram, Webhook};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{ANNA, BORIS, Dispatch, MASTER_TOKEN, eventually};

/// Status, `Retry-After` and body for the next delivery of what somebody did; 200 when there is none.
type Line = (&'static str, u16, Option<u32>, Value);

/// A webhook that answers what it is told to.
struct Scripted {
    telegram: Telegram,
    script: Arc<Mutex<Vec<Line>>>,
    /// What was delivered to whom, in order.
    seen: Arc<Mutex<Vec<(i64, String)>>>,
}

impl Scripted {
    async fn start() -> Self {
        let telegram = Telegram::start().await.expect("a local Telegram");
        telegram.stop_clock();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (script, seen) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let webhook = Self { telegram, script: Arc::clone(&script), seen: Arc::clone(&seen) };
        tokio::spawn(server::run(listener, std::future::pending(), move |request: Request<Incoming>| {
            let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
            async move { answer(&script, &seen, request).await }
        }));
        webhook.telegram.add_bot(MASTER_TOKEN, "Заявки", Some(Webhook { url, secret: Some("secret".to_owned()) }));
        webhook
    }

    fn script(&self, what: &'static str, status: u16) {
        self.script.lock().expect("the script").push((what, status, None, Value::Null));
    }

    fn tap(&self, person: i64, data: &str) {
        let update = self.telegram.chat(MASTER_TOKEN, person, "Мастер").tap_update(data);
        self.telegram.enqueue(MASTER_TOKEN, update);
    }

    fn seen_of(&self, person: i64) -> Vec<String> {
        let seen = self.seen.lock().expect("what was seen");
        seen.iter().filter(|(who, _)| *who == person).map(|(_, what)| what.clone()).collect()
    }

    fn last(&self) -> Record {
        self.telegram.journal(1).pop().expect("an update")
    }
}

async fn answer(
    script: &Mutex<Vec<Line>>,
    seen: &Mutex<Vec<(i64, String)>>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let update: Value = serde_json::from_slice(&body).expect("JSON");
    let (query, message) = (&update["callback_query"], &update["message"]);
    let person = query["from"]["id"].as_i64().or(message["from"]["id"].as_i64()).expect("a person");
    let what = query["data"].as_str().or(message["text"].as_str()).expect("data or a text");
    seen.lock().expect("what was seen").push((person, what.to_owned()));
    let mut script = script.lock().expect("the script");
    let next = script.iter().position(|(scripted, ..)| *scripted == what).map(|next| script.remove(next));
    let (_, status, retry_after, body) = next.unwrap_or(("", 200, None, Value::Null));
    let mut response = Response::builder().status(status);
    if let Some(seconds) = retry_after {
        response = response.header("retry-after", seconds);
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    response.body(Full::from(body)).expect("a response")
}

#[tokio::test]
async fn a_failing_update_holds_back_its_person_and_nobody_else() {
    let webhook = Scripted::start().await;
    for _ in 0..3 {
        webhook.script("first", 503);
    }
    webhook.tap(ANNA, "first");
    webhook.tap(ANNA, "second");
    webhook.tap(BORIS, "other");
    // A person's messages and callbacks do not wait for each other either.
    let update = webhook.telegram.chat(MASTER_TOKEN, ANNA, "Анна").text_update("/start");
    webhook.telegram.enqueue(MASTER_TOKEN, update);

    eventually(|| webhook.seen_of(BORIS) == ["other"] && webhook.seen_of(ANNA).len() == 3).await;
    let mut seen = webhook.seen_of(ANNA);
    seen.sort();
    assert_eq!(seen, ["/start", "first", "first"], "again at once, and then it waits");
    assert_eq!(webhook.telegram.bots()[0].waiting, 2);

    let first = || webhook.telegram.journal(4).swap_remove(0);
    for attempts in [2, 3] {
        eventually(|| first().attempts.len() == attempts && first().state == State::Waiting).await;
        webhook.telegram.let_pass_until_next_attempt();
    }
    eventually(|| webhook.last().state == State::Delivered && webhook.telegram.bots()[0].waiting == 0).await;
    let callbacks: Vec<_> = webhook.seen_of(ANNA).into_iter().filter(|what| what != "/start").collect();
    assert_eq!(callbacks, ["first", "first", "first", "first", "second"]);
}

#[tokio::test]
async fn a_callback_is_dropped_after_150_seconds_and_a_message_is_kept() {
    let webhook = Scripted::start().await;
    for _ in 0..50 {
        webhook.script("tap", 500);
        webhook.script("/start", 500);
    }
    webhook.tap(ANNA, "tap");
    loop {
        eventually(|| matches!(webhook.last().state, State::Waiting | State::Dropped)).await;
        if webhook.last().state == State::Dropped {
            break;
        }
        let attempts = webhook.last().attempts.len();
        webhook.telegram.let_pass_until_next_attempt();
        eventually(|| webhook.last().attempts.len() > attempts || webhook.last().state == State::Dropped).await;
    }
    // At 0, 0, 2, 6, 14, 30, 62 and about 125 s.
    assert_eq!(webhook.seen_of(ANNA).len(), 8);

    let update = webhook.telegram.chat(MASTER_TOKEN, ANNA, "Анна").text_update("/start");
    webhook.telegram.enqueue(MASTER_TOKEN, update);
    for attempts in 2..20 {
        eventually(|| webhook.last().attempts.len() == attempts && webhook.last().state == State::Waiting).await;
        webhook.telegram.let_pass_until_next_attempt();
    }
    eventually(|| webhook.last().state == State::Waiting).await;
    webhook.telegram.let_pass(Duration::from_hours(24));
    eventually(|| webhook.last().state == State::Dropped).await;
}

#[tokio::test]
async fn retry_after_is_heeded() {
    let webhook = Scripted::start().await;
    webhook.script.lock().expect("the script").push(("tap", 503, Some(30), Value::Null));
    webhook.tap(ANNA, "tap");
    eventually(|| webhook.last().state == State::Waiting).await;
    assert_eq!(webhook.last().attempts.len(), 1, "not again at once");
    webhook.telegram.let_pass(Duration::from_secs(30));
    eventually(|| webhook.last().state == State::Delivered).await;
}

#[tokio::test]
async fn a_call_in_the_webhooks_answer_is_carried_out() {
    let webhook = Scripted::start().await;
    let call = json!({"method": "sendMessage", "chat_id": ANNA, "text": "ответ"});
    webhook.script.lock().expect("the script").push(("one", 200, None, call));
    // Not what asks for something, nor what would change the webhook.
    let call = json!({"method": "deleteWebhook"});
    webhook.script.lock().expect("the script").push(("two", 200, None, call));
    webhook.tap(ANNA, "one");
    webhook.tap(ANNA, "two");
    eventually(|| webhook.last().state == State::Delivered).await;
    assert_eq!(webhook.telegram.chat(MASTER_TOKEN, ANNA, "Анна").screen(), "ответ");
    assert!(webhook.telegram.webhook(MASTER_TOKEN).is_some());
}

/// Anna's tap on «Взять», delivered under these faults until it is done.
async fn take_under(t: &Dispatch, faults: Faults) -> Record {
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    t.telegram.set_faults(faults);
    t.telegram.enqueue(MASTER_TOKEN, chat.tap_update(&format!("m:new:acc:{order}")));
    let last = || t.telegram.journal(1).pop().expect("an update");
    let wait = async {
        while last().state != State::Delivered {
            t.telegram.let_pass_until_next_attempt();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("it is delivered");
    assert_eq!(t.owner(order).await, Some(ANNA));
    let used_up = Faults { late_seconds: faults.late_seconds, answer: faults.answer, ..Faults::default() };
    assert_eq!(t.telegram.faults(), used_up);
    t.check().await;
    last()
}

fn statuses(record: &Record) -> Vec<Option<u16>> {
    record.attempts.iter().map(|attempt| attempt.status).collect()
}

fn said(record: &Record) -> Vec<String> {
    record.answers.iter().filter_map(|answer| answer.text.clone()).collect()
}

#[tokio::test]
async fn each_fault_of_a_delivery_is_met_and_the_order_taken_once() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET max_active_orders = 100", &[]).await;
    let faults = Faults::default;

    let twice = take_under(&t, Faults { twice: Force::Next, ..faults() }).await;
    assert_eq!(statuses(&twice), [Some(200), Some(200)]);
    assert!(said(&twice)[0].contains("принята") && said(&twice)[1].contains("уже ваша"), "{twice:?}");

    let overlapping = take_under(&t, Faults { overlapping: Force::Next, ..faults() }).await;
    assert_eq!(statuses(&overlapping), [Some(200), Some(200)]);
    let mut answers = said(&overlapping);
    answers.sort();
    assert!(answers[0].contains("уже ваша") && answers[1].contains("принята"), "{overlapping:?}");

    let late = take_under(&t, Faults { late: Force::Next, late_seconds: 20, ..faults() }).await;
    assert_eq!((statuses(&late), late.answers.len()), (vec![Some(200)], 0), "too late to be answered");
    assert!(late.calls.iter().any(|call| call.refusal.as_deref().is_some_and(|why| why.contains("too old"))));

    let wrong = take_under(&t, Faults { wrong_secret: Force::Next, ..faults() }).await;
    assert_eq!(statuses(&wrong), [Some(401), Some(200)]);

    // Both deliveries at once, and their calls fail.
    let both = Faults { overlapping: Force::Next, calls: Force::Next, ..faults() };
    let failing = take_under(&t, both).await;
    assert_eq!((statuses(&failing), failing.answers.len()), (vec![Some(200); 2], 0), "{failing:?}");

    for (answer, status) in [
        (Fault::TooManyRequests(5), 429),
        (Fault::ServerError, 500),
        (Fault::BadGateway, 502),
        (Fault::Forbidden, 403),
        (Fault::Hang, 0),
    ] {
        let failing = take_under(&t, Faults { calls: Force::Next, answer, ..faults() }).await;
        assert_eq!((statuses(&failing), failing.answers.len()), (vec![Some(200)], 0), "{answer:?}");
        assert!(failing.calls.len() >= 2 && failing.calls.iter().all(|call| call.status == status), "{failing:?}");
    }
}

#[tokio::test]
async fn a_standing_fault_stands_until_it_is_switched_off() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    t.telegram.stop_clock();
    t.telegram.set_faults(Faults { wrong_secret: Force::Standing, ..Faults::default() });
    t.telegram.enqueue(MASTER_TOKEN, chat.tap_update(&format!("m:new:acc:{order}")));
    let last = || t.telegram.journal(1).pop().expect("an update");
    for attempts in 2..5 {
        eventually(|| last().attempts.len() == attempts && last().state == State::Waiting).await;
        assert!(statuses(&last()).iter().all(|status| *status == Some(401)));
        if attempts == 4 {
            t.telegram.set_faults(Faults::default());
        }
        t.telegram.let_pass_until_next_attempt();
    }
    eventually(|| last().state == State::Delivered).await;
    assert_eq!(t.owner(order).await, Some(ANNA));
}
