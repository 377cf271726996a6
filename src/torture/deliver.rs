//! Delivers updates as Telegram does at its worst: each one to four times, at the same time, to any process, in any order,
//! again and again until a delivery was answered with 200; and some of them once more when all is over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::marks::{MASTER_TOKEN, SECRET};
use super::plan::Chance;
use super::record::{Ms, Tap, now};
use crate::model::BotName;
use crate::sim::telegram::{Chat, Telegram, bot_id};

/// How long an answer is waited for: longer than a server takes to give up.
const ANSWER: Duration = Duration::from_secs(40);
/// When an update is given up. A callback is, after 150 seconds.
const LIFE: Duration = Duration::from_secs(150);
/// The longest wait between two tries; the first is shorter, and each doubles it. The real ones are longer.
const WAIT: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// What is delivered, and what came of it.
pub(super) struct Post {
    client: reqwest::Client,
    /// The servers that take updates.
    servers: Vec<String>,
    telegram: Telegram,
    taps: Mutex<Vec<Tap>>,
    begun: AtomicU64,
    statuses: Mutex<BTreeMap<&'static str, u64>>,
    odd: Mutex<Vec<String>>,
    /// Deliveries that come long after.
    late: Mutex<JoinSet<()>>,
    over: AtomicBool,
}

/// Whose update it is.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) bot: BotName,
    pub(super) id: i64,
    pub(super) chat: Chat,
}

pub(super) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Post {
    pub(super) fn new(servers: Vec<String>, telegram: Telegram) -> Self {
        Self {
            client: crate::telegram::http_client("http://127.0.0.1"),
            servers,
            telegram,
            taps: Mutex::default(),
            begun: AtomicU64::default(),
            statuses: Mutex::default(),
            odd: Mutex::default(),
            late: Mutex::default(),
            over: AtomicBool::default(),
        }
    }

    /// How many taps and messages there were so far.
    pub(super) fn count(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    /// Any of the servers.
    pub(super) fn server(&self, chance: &mut Chance) -> &str {
        chance.pick(&self.servers).map(String::as_str).unwrap_or_default()
    }

    /// The client that they are reached by.
    pub(super) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Notes a status that nobody expects.
    pub(super) fn note_odd(&self, what: String) {
        let mut odd = lock(&self.odd);
        if odd.len() < 1000 {
            odd.push(what);
        }
    }

    /// Notes that a request was answered so.
    pub(super) fn tally(&self, status: Option<u16>) {
        let name = match status {
            Some(200..=299) => "200",
            Some(409) => "409",
            Some(429) => "429",
            Some(503) => "503",
            Some(_) => "other",
            None => "none",
        };
        *lock(&self.statuses).entry(name).or_default() += 1;
    }

    /// Delivers an update until it is served or too old.
    pub(super) async fn deliver(self: &Arc<Self>, person: &Person, update: Value, chance: &mut Chance) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let data = update["callback_query"]["data"].as_str().unwrap_or_default().to_owned();
        let tap = Tap { bot: Some(person.bot), person: person.id, data, made: now(), ..Tap::default() };
        let number = {
            let mut taps = lock(&self.taps);
            taps.push(tap);
            taps.len() - 1
        };
        let update = Arc::new(update);
        let (born, mut wait) = (Instant::now(), WAIT[0]);
        loop {
            let copies = match chance.below(100) {
                0..65 => 1,
                65..86 => 2,
                86..95 => 3,
                _ => 4,
            };
            let tries = (0..copies).map(|copy| {
                let pause = if copy == 0 { 0 } else { chance.below_u64(120) };
                let server = self.server(chance).to_owned();
                self.attempt(number, person.bot, server, Arc::clone(&update), Duration::from_millis(pause))
            });
            // Made before the first is awaited, so that the seed decides.
            let tries: Vec<_> = tries.collect();
            let served = join_all(tries).await.contains(&true);
            self.read_answers(number, person, &update);
            if served || born.elapsed() > LIFE {
                break;
            }
            sleep(wait).await;
            wait = (wait * 2).min(WAIT[1]);
        }
        if chance.percent(3) {
            self.deliver_once_more(number, person.clone(), update, chance);
        }
    }

    /// One delivery; whether it was served.
    async fn attempt(&self, tap: usize, bot: BotName, server: String, update: Arc<Value>, pause: Duration) -> bool {
        sleep(pause).await;
        let from = now();
        let sent = self
            .client
            .post(format!("{server}/telegram/{}", bot.as_str()))
            .timeout(ANSWER)
            .header("X-Telegram-Bot-Api-Secret-Token", SECRET)
            .header("Content-Type", "application/json")
            .body(update.to_string())
            .send()
            .await;
        let status = sent.ok().map(|answer| answer.status().as_u16());
        let until = now();
        self.tally(status);
        if !matches!(status, None | Some(200 | 503)) {
            self.note_odd(format!("{status:?} for update {} of the {} bot", update["update_id"], bot.as_str()));
        }
        let mut taps = lock(&self.taps);
        taps[tap].attempts.push((from, until));
        if status == Some(200) && taps[tap].served.is_none() {
            taps[tap].served = Some(until);
        }
        status == Some(200)
    }

    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    fn read_answers(&self, tap: usize, person: &Person, update: &Value) {
        let id = update["update_id"].as_i64().unwrap_or_default();
        if let Some(record) = self.telegram.update(bot_id(person.chat.token()), id) {
            let answers = record.answers.into_iter();
            lock(&self.taps)[tap].answers =
                answers.map(|answer| (answer.at as Ms, answer.text.unwrap_or_default())).collect();
        }
    }

    /// Delivers an update again, some time after it was served.
    fn deliver_once_more(self: &Arc<Self>, tap: usize, person: Person, update: Arc<Value>, chance: &mut Chance) {
        let (post, server) = (Arc::clone(self), self.server(chance).to_owned());
        let pause = Duration::from_millis(1000 + chance.below_u64(15_000));
        let mut late = lock(&self.late);
        while late.try_join_next().is_some() {}
        late.spawn(async move {
            sleep(pause).await;
            if !post.over.load(Ordering::SeqCst) {
                post.attempt(tap, person.bot, server, Arc::clone(&update), Duration::ZERO).await;
                post.read_answers(tap, &person, &update);
            }
        });
    }

    /// Lets the deliveries end that are under way; no late one begins any more.
    pub(super) async fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
        let late = std::mem::take(&mut *lock(&self.late));
        late.join_all().await;
    }

    /// Every tap, what deliveries were answered with, and how often, and what nobody expects.
    pub(super) fn results(&self) -> (Vec<Tap>, BTreeMap<&'static str, u64>, Vec<String>) {
        (std::mem::take(&mut *lock(&self.taps)), lock(&self.statuses).clone(), lock(&self.odd).clone())
    }

    /// A person in one of the bots.
    pub(super) fn person(&self, token: &str, id: i64) -> Person {
        let chat = self.telegram.chat(token, id, "Somebody");
        Person { bot: if token == MASTER_TOKEN { BotName::Master } else { BotName::Admin }, id, chat }
    }
}
