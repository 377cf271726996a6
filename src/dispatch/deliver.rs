//! Messages that are owed: claimed under a lease, sent by whoever can, and finished.
//!
//! What a row says is read when it is sent. Whoever sends it (a bot, a job) knows Telegram; what a failure means for the row
//! is decided here.

use crate::model::notification::Notification;
use crate::model::{BotName, OrderId};
use crate::store::outbox::{self, Attempted, Lease};
pub use crate::store::outbox::{Because, Claimed, Finish, Recorded, RefusesEverybody, SendSlot, Unreadable};
use crate::store::{self, Store};

/// How long a message may be put off at once, in seconds, whatever Telegram asks for.
const LONGEST_WAIT: u64 = 24 * 3600;
/// What has waited for a day is tried so often, and then no more.
const ATTEMPTS: i32 = 10;
/// After so many seconds a row is looked at again that a later release may be able to read.
const UNKNOWN_ROW_WAIT: f64 = 30.0;

/// Why a message could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Telegram asks the bot to wait so many seconds.
    RetryAfter(u64),
    /// The bot cannot write to the person.
    Unreachable,
    /// Telegram refused this message, and would again.
    Refused,
    /// Anything that an operator or time mends.
    Passing,
}

/// What a failed attempt means for the row.
#[must_use]
pub fn after(failure: Failure, row: &Claimed) -> Finish {
    match failure {
        Failure::Unreachable => Finish::Dropped(Because::Unreachable),
        Failure::Refused => Finish::Dropped(Because::Refused),
        _ if row.stale && row.attempt >= ATTEMPTS => Finish::Dropped(Because::Abandoned),
        Failure::RetryAfter(seconds) => Finish::Later { seconds: seconds.min(LONGEST_WAIT), whole_bot: true },
        Failure::Passing => Finish::Later { seconds: backoff(row.attempt), whole_bot: false },
    }
}

/// 1, 2, 4… up to 32 seconds after the attempt of that number.
fn backoff(attempt: i32) -> u64 {
    1 << (attempt - 1).clamp(0, 5)
}

/// Claims what can be sent now; or about one order.
///
/// # Errors
/// When the database failed. What had been claimed by then is given back, or claimed again when its lease ends.
pub async fn claim(store: &Store, order: Option<OrderId>) -> Result<Vec<Claimed>, store::Error> {
    let leases = match order {
        Some(order) => outbox::claim_order(store, order).await?,
        None => outbox::claim(store).await?,
    };
    if leases.is_empty() {
        return Ok(Vec::new());
    }
    let rows = match outbox::read(store, &leases).await {
        Ok(rows) => rows,
        Err(error) => {
            for lease in &leases {
                release(store, lease).await;
            }
            return Err(error);
        }
    };
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        match row {
            Ok(row) => claimed.push(row),
            Err(unreadable) => set_aside(store, unreadable).await,
        }
    }
    Ok(claimed)
}

/// What a later release has written is that one's to send, for ten minutes, and holds up no other message; anything else is set aside with its error.
async fn set_aside(store: &Store, Unreadable { lease, error, may_be_newer }: Unreadable) {
    if may_be_newer {
        return put_off(store, &lease, &error).await;
    }
    tracing::error!(%error, row = lease.row, "row {} of the outbox cannot be read", lease.row);
    let dropped = Finish::Dropped(Because::Unreadable(error.to_string()));
    if let Err(error) = outbox::finish(store, &lease, &dropped, Attempted::default()).await {
        tracing::error!(%error, row = lease.row, "row {} of the outbox could not be set aside", lease.row);
    }
}

/// Gives a row back that cannot be read by this release, for a while: trying again at once does not mend it, and would hold up what
/// comes after it.
pub async fn put_off(store: &Store, lease: &Lease, error: &store::Error) {
    tracing::error!(%error, row = lease.row, "row {} of the outbox cannot be read", lease.row);
    if let Err(error) = outbox::release(store, lease, UNKNOWN_ROW_WAIT).await {
        tracing::error!(%error, row = lease.row, "row {} of the outbox could not be put off", lease.row);
    }
}

/// Gives a row back that was claimed and will not be tried; should that fail, its lease ends by itself.
pub async fn release(store: &Store, lease: &Lease) {
    if let Err(error) = outbox::release(store, lease, 0.0).await {
        tracing::warn!(%error, row = lease.row, "row {} of the outbox stays leased until its lease ends", lease.row);
    }
}

/// Records the result of an attempt.
///
/// # Errors
/// When the database failed; it can be recorded later, and the row is tried again when the lease has ended and somebody else
/// takes it over.
pub async fn finish(store: &Store, row: &Claimed, how: &Finish) -> Result<Recorded, store::Error> {
    let attempted = Attempted {
        message: row.message,
        card_of: match &row.notification {
            Some(Notification::OfferCard { offer, .. }) => Some(offer.id),
            _ => None,
        },
        more: row.more,
        overtaken: &row.overtaken,
        stale: row.stale,
        calls: &row.calls,
    };
    outbox::finish(store, &row.lease, how, attempted).await
}

/// Whether a row is still to be shown in that message: no tap there has overtaken it.
///
/// # Errors
/// When the database failed.
pub async fn may_show(store: &Store, row: &Claimed, message: i32) -> Result<bool, store::Error> {
    outbox::may_show(store, &row.lease, message).await
}

/// A new slot for a message that missed its own.
///
/// # Errors
/// When the database failed.
pub async fn take_slot(store: &Store, bot: BotName) -> Result<SendSlot, store::Error> {
    outbox::take_slot(store, bot).await
}

/// In how many seconds something can be claimed, 0 if now; `None` if nothing waits.
///
/// # Errors
/// When the database failed.
pub async fn seconds_until_due(store: &Store) -> Result<Option<f64>, store::Error> {
    outbox::seconds_until_due(store).await
}
