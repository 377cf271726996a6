//! A hundred thousand bodies, half of them authentic updates of every kind with mutations that the schema allows, half
//! noise, and as many callback_data strings: no panic, no 5xx, no row changed that a valid tap would not change.

use std::fmt::Write;
use std::sync::Arc;

use field_service::app::App;
use field_service::bots::callback::{self, Callback};
use field_service::http::Http;
use field_service::model::BotName;
use field_service::model::OrderId;
use field_service::store::Clock;
use futures_util::StreamExt;
use http_body_util::Full;
use hyper::Request;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, MASTER_TOKEN, STRANGER};

const BODIES: usize = 100_000;
const STRINGS: usize = 100_000;

/// Every kind of update in the Bot API with a plausible content, from Anna; and one that there is not.
fn kinds() -> Vec<Value> {
    serde_json::from_str(include_str!("../updates/kinds.json")).expect("JSON")
}

/// A change that leaves the types as they are: another number, another string, one field more or less.
fn mutate(value: &mut Value, mutations: &[(usize, i64, String)]) {
    for (place, number, text) in mutations {
        let mut leaves = Vec::new();
        collect(value, &mut String::new(), &mut leaves);
        let pointer = &leaves[place % leaves.len()];
        // Whom the update comes from stays one of those whose rows the test knows.
        let Some(leaf) = value.pointer_mut(pointer) else { continue };
        match leaf {
            Value::Number(_) if pointer.ends_with("/from/id") => {
                *leaf = json!([ANNA, STRANGER, (number >> 12).abs()][place % 3]);
            }
            Value::Number(old) if old.as_i64().is_some_and(|old| i32::try_from(old).is_ok()) => {
                *leaf = json!(i32::try_from(*number >> 33).unwrap_or_default());
            }
            Value::Number(_) => *leaf = json!(number >> 12),
            Value::String(_) => *leaf = json!(text),
            Value::Bool(old) => *old = !*old,
            Value::Object(fields) => drop(fields.insert(text.clone(), json!({"new": number}))),
            _ => {}
        }
    }
}

fn collect(value: &Value, pointer: &mut String, leaves: &mut Vec<String>) {
    leaves.push(pointer.clone());
    let length = pointer.len();
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        write!(pointer, "/{key}").expect("a string");
        collect(child, pointer, leaves);
        pointer.truncate(length);
    }
}

fn authentic() -> impl Strategy<Value = Vec<u8>> {
    let mutation = (any::<usize>(), any::<i64>(), "\\PC{0,40}");
    let data = callback_data();
    (prop::sample::select(kinds()), prop::collection::vec(mutation, 0..4), prop::option::weighted(0.3, data)).prop_map(
        |(mut update, mutations, data)| {
            if let (Some(query), Some(data)) = (update.get_mut("callback_query"), data) {
                query["data"] = json!(data);
            }
            mutate(&mut update, &mutations);
            serde_json::to_vec(&update).expect("JSON")
        },
    )
}

/// Bytes, broken JSON, JSON of no sense.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[\\[\\]{}\":,0-9a-z \\\\u]{0,80}".prop_map(String::into_bytes),
        (authentic(), any::<prop::sample::Index>()).prop_map(|(mut body, index)| {
            body.truncate(index.index(body.len()));
            body
        }),
        (authentic(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut body, index, byte)| {
            let index = index.index(body.len());
            body[index] = byte;
            body
        }),
    ]
}

fn callback_data() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "m",
        "adm",
        "new",
        "acc",
        "card",
        "dec",
        "dec_yes",
        "menu",
        "act",
        "sh",
        "on",
        "off",
        "1",
        "2",
        "0",
        "-1",
        "01",
        "+1",
        "٣",
        "9223372036854775807",
        "9223372036854775808",
        "",
        " ",
        "\u{0}",
        "enr",
        "q",
    ]);
    prop_oneof![
        prop::collection::vec(word, 0..7).prop_map(|words| words.join(":")),
        "m:new(:(card|acc|dec|dec_yes))?:[0-9]{1,20}(:[0-9]{1,3})?",
        "\\PC{0,80}",
    ]
}

fn runner() -> TestRunner {
    let rng = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(Config::default(), rng)
}

#[test]
fn callback_data_parses_to_what_prints_the_same_or_not_at_all() {
    let (mut runner, strategy) = (runner(), callback_data());
    let mut parsed = 0;
    for _ in 0..STRINGS {
        let data = strategy.new_tree(&mut runner).expect("a string").current();
        if let Some(callback) = Callback::parse(&data) {
            parsed += 1;
            let printed = callback.to_string();
            assert!(printed.len() <= callback::LIMIT && data.len() <= callback::LIMIT);
            assert_eq!(Callback::parse(&printed), Some(callback), "{data:?}");
            assert!(data.starts_with("m:") && data.is_ascii(), "{data:?}");
        }
    }
    assert!(parsed > STRINGS / 20 && parsed < STRINGS * 9 / 10, "{parsed} of {STRINGS} were in the grammar");
}

/// Telegram refuses every connection here: what is shown is tested elsewhere, and a hundred thousand calls take long.
fn app_without_telegram(t: &Dispatch) -> Arc<App> {
    let lookup = |name: &str| {
        let value = match name {
            "DATABASE_URL" => t.database_url.as_str(),
            "MASTER_BOT_TOKEN" => MASTER_TOKEN,
            "ADMIN_BOT_TOKEN" => ADMIN_TOKEN,
            "MASTER_WEBHOOK_SECRET" | "ADMIN_WEBHOOK_SECRET" => "secret",
            "TELEGRAM_API_URL" => "http://127.0.0.1:1",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Arc::new(App::from_env(&lookup, 4, Clock::default()).expect("an app"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_bodies_break_nothing() {
    let t = Dispatch::start().await;
    for _ in 0..8 {
        t.order().offered_to([ANNA, BORIS]).await;
    }
    let untouchable = t.order().offered_to([BORIS]).await;
    let about_boris = t.everything_about(untouchable).await;
    let people =
        "SELECT string_agg(t::text, ',' ORDER BY id) FROM (SELECT id, full_name, is_blocked, rating FROM masters) AS t";
    let masters_before: String = t.one(people, &[]).await;

    let app = app_without_telegram(&t);
    let (mut runner, authentic, noise) = (runner(), authentic(), noise());
    let bodies = (0..BODIES).map(|number| {
        let tree = if number.is_multiple_of(2) {
            authentic.new_tree(&mut runner).map(|tree| tree.current())
        } else {
            noise.new_tree(&mut runner).map(|tree| tree.current())
        };
        tree.expect("a body")
    });
    let http = Http::new(app.http());
    let bot = |number: usize| if number.is_multiple_of(10) { BotName::Admin } else { BotName::Master };
    let mut answers = futures_util::stream::iter(bodies.enumerate())
        .map(|(number, body)| {
            let (http, bot) = (http.clone(), bot(number));
            tokio::spawn(async move {
                let request = Request::post(format!("/telegram/{}", bot.as_str()))
                    .header("x-telegram-bot-api-secret-token", "secret")
                    .body(Full::from(body.clone()))
                    .expect("a request");
                (http.answer(request).await.status(), bot, body)
            })
        })
        .buffer_unordered(16);
    while let Some(answer) = answers.next().await {
        let (status, bot, body) = answer.expect("no panic");
        // Whoever is not of the staff is owed an answer, which no Telegram takes here.
        let is_owed = status == 503 && bot == BotName::Admin;
        assert!(status == 200 || is_owed, "{status}: {}", String::from_utf8_lossy(&body));
    }

    assert_eq!(app.metrics.get("webhook", "PANIC"), 0);
    assert_eq!(app.metrics.get("webhook", "FAILED"), 0);
    assert!(app.metrics.get("webhook", "NOT_UNDERSTOOD") > 10_000);
    assert!(app.metrics.get("offer_accept", "SUCCESS") >= 1, "valid taps were among them");
    assert_eq!(t.everything_about(untouchable).await, about_boris);
    assert_eq!(t.one::<String>(people, &[]).await, masters_before);
    for order in 1..=8 {
        assert_ne!(t.owner(OrderId(order)).await, Some(BORIS), "who never tapped");
        assert_ne!(t.offer_state(OrderId(order), BORIS).await, "DECLINED");
    }
    t.check().await;
}
