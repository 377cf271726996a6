//! What a process remembers between two messages: results that could not be recorded, and when Telegram last asked a bot to
//! wait.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::dispatch::deliver::{Claimed, Finish};
use crate::model::facts::Standing;
use crate::model::notification::Notification;
use crate::model::{BotName, OfferId, OrderId};

/// How many results are kept. Claims stop long before that; taps are few while the database is away.
const KEPT: usize = 2_000;

/// A message that was attempted, and what became of it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) row: Claimed,
    pub(super) finish: Finish,
    /// What was edited, if a tap's answer may have been covered.
    pub(super) edited: Option<Edited>,
}

/// A message of a master that shows the card of an offer, or no longer does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edited {
    pub(super) message: i32,
    pub(super) order: OrderId,
    /// The offer whose card it shows now; `None`: its offer has ended.
    pub(super) offer: Option<OfferId>,
}

impl Edited {
    /// What an attempt has edited.
    pub(super) fn by(row: &Claimed, finish: &Finish) -> Option<Self> {
        let Finish::Sent { card } = finish else { return None };
        let message = row.message?;
        match row.notification.as_ref()? {
            // Not when the order is now theirs: they have its card.
            Notification::OfferEnded { order, standing, .. } if *standing != Standing::Yours => {
                Some(Self { message, order: *order, offer: None })
            }
            // Not what was sent anew, as the message is gone.
            Notification::Offer { card: order, offer } | Notification::OfferCard { card: order, offer }
                if *card == Some(message) =>
            {
                Some(Self { message, order: order.id, offer: Some(offer.id) })
            }
            _ => None,
        }
    }
}

/// Shared by everything that sends in this process.
#[derive(Debug, Default)]
pub struct State {
    unrecorded: Mutex<VecDeque<Arc<Attempt>>>,
    /// Held by whoever records what is kept.
    recording: tokio::sync::Mutex<()>,
    recorded_by_a_job: AtomicBool,
    /// By bot.
    asked_to_wait: Mutex<[Option<Instant>; 2]>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(bot: BotName) -> usize {
    match bot {
        BotName::Master => 0,
        BotName::Admin => 1,
    }
}

impl State {
    /// How many results wait to be recorded.
    #[must_use]
    pub fn unrecorded(&self) -> usize {
        lock(&self.unrecorded).len()
    }

    /// A job of this process records what is kept, again and again.
    pub fn is_to_be_recorded_by_a_job(&self, by_a_job: bool) {
        self.recorded_by_a_job.store(by_a_job, Ordering::Relaxed);
    }

    /// Whether one does.
    #[must_use]
    pub fn is_recorded_by_a_job(&self) -> bool {
        self.recorded_by_a_job.load(Ordering::Relaxed)
    }

    /// The right to record what is kept, until it is dropped; `None` while somebody else has it.
    pub(super) fn record(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        self.recording.try_lock().ok()
    }

    /// Keeps a result that could not be recorded. The result that has to go for it, if too many are kept.
    pub(super) fn keep(&self, attempt: Arc<Attempt>) -> Option<Arc<Attempt>> {
        let mut unrecorded = lock(&self.unrecorded);
        unrecorded.push_back(attempt);
        if unrecorded.len() > KEPT { unrecorded.pop_front() } else { None }
    }

    /// All that is kept. It stays kept until it is [forgotten](Self::forget), whatever becomes of whoever records it.
    pub(super) fn kept(&self) -> Vec<Arc<Attempt>> {
        lock(&self.unrecorded).iter().map(Arc::clone).collect()
    }

    /// Forgets a result that was recorded; whether nobody else had.
    pub(super) fn forget(&self, attempt: &Arc<Attempt>) -> bool {
        let mut unrecorded = lock(&self.unrecorded);
        let before = unrecorded.len();
        unrecorded.retain(|kept| !Arc::ptr_eq(kept, attempt));
        unrecorded.len() < before
    }

    /// Telegram has just asked the bot to wait.
    pub(super) fn wait(&self, bot: BotName) {
        lock(&self.asked_to_wait)[index(bot)] = Some(Instant::now());
    }

    /// Whether it has done so since.
    pub(super) fn has_waited_since(&self, bot: BotName, since: Instant) -> bool {
        lock(&self.asked_to_wait)[index(bot)].is_some_and(|at| at > since)
    }
}
