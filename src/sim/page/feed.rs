//! What the page is told: a set of topics, each a JSON value, and only those that have changed since it was last told.
//!
//! Whoever connects is told all of them first, so that a page that lost its connection is right again when it is back.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::truth::{self, Topics};
use super::{Answer, Shown};

/// Changes come in swarms; this long after the first they are told together.
const TOGETHER: Duration = Duration::from_millis(25);
/// How long the first event waits for the database.
const FIRST: Duration = Duration::from_millis(500);
/// Something is said this often, so that whatever is in between does not take the silence for an end.
const SILENCE: Duration = Duration::from_secs(15);
/// Messages of a chat.
const MESSAGES: usize = 40;
/// Updates of people whom somebody plays, and of those who are simulated.
const UPDATES: [(usize, bool); 2] = [(80, false), (40, true)];

/// Server-sent events for as long as the page listens.
pub(super) fn stream(shown: &Arc<Shown>) -> Answer {
    let start = Listener {
        telegram: shown.world.telegram.changes(),
        truth: shown.truth.subscribe(),
        own: shown.changed.subscribe(),
        stopped: shown.stopped.clone(),
        told: Topics::new(),
        shown: Arc::clone(shown),
    };
    let events = stream::unfold(start, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(event))), listener))
    });
    let mut answer = Response::new(StreamBody::new(events).boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

struct Listener {
    shown: Arc<Shown>,
    telegram: tokio::sync::watch::Receiver<()>,
    truth: tokio::sync::watch::Receiver<Topics>,
    own: tokio::sync::watch::Receiver<()>,
    stopped: tokio::sync::watch::Receiver<()>,
    told: Topics,
}

impl Listener {
    /// The next event; after a long silence a comment; nothing more when the page is gone.
    async fn next(&mut self) -> Option<String> {
        loop {
            if self.told.is_empty() {
                // All in one event, unless the database takes its time.
                drop(tokio::time::timeout(FIRST, truth::refresh(&self.shown)).await);
            } else {
                tokio::select! {
                    _ = self.telegram.changed() => {}
                    _ = self.truth.changed() => {}
                    _ = self.own.changed() => {}
                    _ = self.stopped.changed() => return None,
                    () = tokio::time::sleep(SILENCE) => return Some(":\n\n".to_owned()),
                }
                tokio::time::sleep(TOGETHER).await;
            }
            self.telegram.mark_unchanged();
            self.own.mark_unchanged();
            let truth = self.truth.borrow_and_update().clone();
            let now = topics(&self.shown, truth);
            let mut news: Topics =
                now.iter().filter(|(name, value)| self.told.get(*name) != Some(*value)).map(own).collect();
            news.extend(
                self.told.keys().filter(|name| !now.contains_key(*name)).map(|name| (name.clone(), Value::Null)),
            );
            self.told = now;
            if !news.is_empty() {
                return Some(format!("data: {}\n\n", json!(news)));
            }
        }
    }
}

fn own((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

fn topics(shown: &Shown, truth: Topics) -> Topics {
    let Shown { world, races, cut_until, .. } = shown;
    let mut topics = truth;
    let mut add = |name: String, value: Value| topics.insert(name, value);
    add(
        "world".to_owned(),
        json!({
            "run": shown.run,
            "handler": world.handler,
            "master_bot": world.master_bot,
            "bots": world.telegram.bots(),
            "has_database": world.database.is_some(),
            "can_cut": world.proxy.is_some(),
            "cut_until": *cut_until.lock().unwrap_or_else(PoisonError::into_inner),
        }),
    );
    add("faults".to_owned(), json!(world.telegram.faults()));
    for phone in world.telegram.phones(MESSAGES) {
        add(format!("phone/{}/{}", phone.bot, phone.person), json!(phone));
    }
    let mut updates: Vec<_> =
        UPDATES.iter().flat_map(|(count, simulated)| world.telegram.latest(*count, *simulated)).collect();
    for race in races.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        updates.extend(race.updates.iter().filter_map(|update| world.telegram.update(race.bot, *update)));
        add(format!("race/{}", race.number), json!(race));
    }
    for update in updates {
        add(format!("update/{}/{}", update.bot, update.update_id), json!(update));
    }
    topics
}
