//! One bot's updates: asked for one time after another, handled many at once.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{self, sleep, timeout, timeout_at};

use super::backlog::{Answer, Backlog, Fetched, Lane, Taken};
use super::{Handler, words};
use crate::liveness::Liveness;
use crate::metrics::Metrics;
use crate::model::BotName;
use crate::telegram::{self, Bot};

/// How long Telegram waits for something to tell.
const WAIT: Duration = Duration::from_secs(25);
/// While the first unanswered update stays the same, Telegram is asked no more often than this: within half a second it would
/// tell that one alone.
const STUCK: Duration = Duration::from_millis(700);
/// The pause after Telegram has not answered doubles from the first to the second.
const BACKOFF: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];
/// The longest that Telegram is obeyed when it asks to wait.
const OBEDIENCE: u64 = 300;
/// The pause before an update is tried again doubles from the first to the second. Telegram's own deliveries are slower: nobody
/// else's updates wait here.
const RETRY: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(10)];
/// For how long an update is tried for which everybody else waits.
const PATIENCE: Duration = Duration::from_mins(10);
/// So many updates of a bot are handled at once: with both bots no more than the handler takes in before it refuses.
const AT_ONCE: usize = 32;
/// What telling Telegram at the end which updates were taken may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// A bot whose updates are asked for.
pub(super) struct Poller {
    bot: BotName,
    telegram: Bot,
    work: Arc<Work>,
    workers: Mutex<JoinSet<()>>,
    /// The offset that Telegram was asked with last.
    asked_with: Mutex<Option<i64>>,
    liveness: Arc<Liveness>,
}

/// What those share who handle a bot's updates.
struct Work {
    bot: BotName,
    handler: Handler,
    metrics: Arc<Metrics>,
    backlog: Mutex<Backlog>,
    /// An update was answered.
    answered: Notify,
    places: Semaphore,
    stopping: watch::Receiver<bool>,
}

/// The job, as `/health` names it.
fn job(bot: BotName) -> &'static str {
    match bot {
        BotName::Master => "poll_master",
        BotName::Admin => "poll_admin",
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Poller {
    pub(super) fn new(
        bot: BotName,
        telegram: Bot,
        handler: Handler,
        (liveness, metrics): (Arc<Liveness>, Arc<Metrics>),
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let work = Work {
            bot,
            handler,
            metrics,
            backlog: Mutex::default(),
            answered: Notify::new(),
            places: Semaphore::new(AT_ONCE),
            stopping,
        };
        let poller = Self {
            bot,
            telegram,
            work: Arc::new(work),
            workers: Mutex::default(),
            asked_with: Mutex::default(),
            liveness,
        };
        poller.beat();
        poller
    }

    fn beat(&self) {
        self.liveness.beat(job(self.bot), WAIT, Instant::now());
    }

    fn count(&self, outcome: &'static str) {
        self.work.metrics.count_job(job(self.bot), outcome);
    }

    /// Asks again and again, whatever becomes of one time, and lets what is told be handled. Nothing is lost when this is dropped
    /// half-way: it may be called again.
    pub(super) async fn ask_for_ever(&self) -> Infallible {
        let mut backoff = BACKOFF[0];
        loop {
            let offset = lock(&self.work.backlog).offset();
            *lock(&self.asked_with) = offset;
            match self.telegram.updates(offset, WAIT).await {
                Ok(told) => {
                    backoff = BACKOFF[0];
                    self.beat();
                    let read: Vec<_> = told.iter().filter_map(|update| self.read(update.get())).collect();
                    let unread = told.len() - read.len();
                    self.take(Answer { told: read, unread });
                    if unread > 0 {
                        // It is told again at once.
                        sleep(STUCK).await;
                    }
                    self.pause_while_stuck().await;
                }
                Err(error) => {
                    self.count("FAILED");
                    // Telegram may not have heard it.
                    *lock(&self.asked_with) = None;
                    let pause = match error {
                        telegram::Error::RetryAfter(seconds) => Duration::from_secs(seconds.clamp(1, OBEDIENCE)),
                        _ => backoff,
                    };
                    words::complain(self.bot, "getUpdates", &error, pause);
                    backoff = (backoff * 2).min(BACKOFF[1]);
                    sleep(pause).await;
                }
            }
        }
    }

    fn read(&self, json: &str) -> Option<Fetched> {
        let update = Fetched::read(json);
        if update.is_none() {
            // It can neither be asked for again nor be left behind: the next one that is answered does that.
            tracing::error!(bot = self.bot.as_str(), "Telegram delivers an update without an update_id");
            self.count("NOT_UNDERSTOOD");
        }
        update
    }

    fn take(&self, answer: Answer) {
        let Taken { begin, given_up } = lock(&self.work.backlog).take(answer, time::Instant::now());
        if given_up > 0 {
            tracing::warn!(
                bot = self.bot.as_str(),
                given_up,
                "Telegram has dropped {given_up} updates that were not handled yet"
            );
            self.count("GIVEN_UP");
        }
        let mut workers = lock(&self.workers);
        while workers.try_join_next().is_some() {}
        for lane in begin {
            workers.spawn(Arc::clone(&self.work).empty(lane));
        }
    }

    /// Waits until the offset moves, for a short time at most: those are told nothing new who ask with the same offset at once.
    async fn pause_while_stuck(&self) {
        let mut time_is_over = pin!(sleep(STUCK));
        while lock(&self.work.backlog).is_stuck() {
            tokio::select! {
                () = self.work.answered.notified() => {}
                () = &mut time_is_over => return,
            }
        }
    }

    /// Waits for what is under way when all are told to stop, and tells Telegram what was taken, unless the lock was lost: another
    /// process may be asking.
    pub(super) async fn finish(&self, deadline: time::Instant, holds_lock: bool) {
        let mut workers = std::mem::take(&mut *lock(&self.workers));
        let all = async { while workers.join_next().await.is_some() {} };
        if timeout_at(deadline, all).await.is_err() {
            tracing::warn!(bot = self.bot.as_str(), "stopped with updates under way; Telegram will deliver them again");
        }
        let offset = lock(&self.work.backlog).offset();
        let asked_with = *lock(&self.asked_with);
        if offset == asked_with || !holds_lock {
            return;
        }
        // What is told now is not taken: the next process is told the same.
        let told = timeout(FAREWELL, self.telegram.updates(offset, Duration::ZERO)).await;
        if !matches!(told, Ok(Ok(_))) {
            tracing::info!(
                bot = self.bot.as_str(),
                "the last getUpdates did not get through: Telegram delivers the last updates again, which changes nothing"
            );
        }
    }
}

impl Work {
    /// Handles the updates of a queue until there are none.
    async fn empty(self: Arc<Self>, lane: Lane) {
        loop {
            // Not in the condition of the loop: the lock would be held all the time.
            let first = lock(&self.backlog).first(lane);
            let Some(update) = first else { return };
            if !self.handle_until_answered(&update).await {
                return;
            }
            lock(&self.backlog).answered(&update);
            self.answered.notify_one();
        }
    }

    /// Tries an update until it is answered, or Telegram has given it up; false: all are told to stop before that.
    async fn handle_until_answered(&self, update: &Fetched) -> bool {
        let mut stopping = self.stopping.clone();
        let (begun, mut backoff) = (time::Instant::now(), RETRY[0]);
        let answers = lock(&self.backlog).answers();
        loop {
            let asked = {
                let Ok(_place) = self.places.acquire().await else { return false };
                // Nothing new is begun.
                if *stopping.borrow() {
                    return false;
                }
                if !lock(&self.backlog).is_open(update.id) {
                    return true;
                }
                match (self.handler)(self.bot, update.body.clone()).await {
                    Ok(()) => return true,
                    Err(asked) => asked,
                }
            };
            if begun.elapsed() > PATIENCE && lock(&self.backlog).holds_everybody_up(update, answers) {
                let (bot, update_id) = (self.bot.as_str(), update.id);
                tracing::error!(
                    bot,
                    update_id,
                    "an update is skipped: handling it fails, and all updates after it wait"
                );
                self.metrics.count_job(job(self.bot), "LEFT_BEHIND");
                return true;
            }
            tokio::select! {
                () = sleep(asked.max(backoff)) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return false,
            }
            backoff = (backoff * 2).min(RETRY[1]);
        }
    }
}
