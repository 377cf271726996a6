//! `outbox`: messages that are owed to people, leased to whoever delivers them.
//!
//! A row is claimed, sent, and finished, each a step of its own. Whoever dies in between leaves a lease that ends, and the
//! row is sent again: at least once, and twice only then or when Telegram's answer is lost.
//!
//! In a chat rows go out one after another: what a person needs now, then new offers, then corrections, and of each in the
//! order of their ids (`outbox_next`). A row that has failed some times holds up no other. `outbox_chats` has a row for each
//! chat, so that a claim touches as many rows as it takes, however many wait.

mod calls;
mod claim;
mod finish;
mod read;

pub use calls::Said;
pub use claim::{Lease, PER_SECOND, SendSlot, claim, claim_order, may_show, seconds_until_due, take_slot};
pub use finish::{Attempted, Recorded, RefusesEverybody, finish};
pub use read::{Claimed, Unreadable, read};

use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Statement, Store, column, statement};
use crate::model::notification::Kind;
use crate::model::staff::Place;
use crate::model::{OrderId, TelegramUserId};

/// The result of an attempt to deliver a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Sent.
    Sent {
        /// The new message, if it shows an offer or calls for somebody.
        card: Option<i32>,
    },
    /// To be tried again.
    Later {
        /// Not before so many seconds have passed.
        seconds: u64,
        /// Telegram has asked the whole bot to wait.
        whole_bot: bool,
    },
    /// It will never be sent.
    Dropped(Because),
}

/// Why a row is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// What happened since has left nothing to say.
    Overtaken,
    /// The bot cannot write to the person, which is noted with the master or the dispatcher.
    Unreachable,
    /// Telegram refused the message, and would again.
    Refused,
    /// A day and many attempts have passed.
    Abandoned,
    /// It could not be read: it is set aside with the error.
    Unreadable(String),
}

impl Because {
    /// The word in `outbox.dropped_because`, in log lines and counters.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Overtaken => "OVERTAKEN",
            Self::Unreachable => "UNREACHABLE",
            Self::Refused => "REFUSED",
            Self::Abandoned => "ABANDONED",
            Self::Unreadable(_) => "UNREADABLE",
        }
    }
}

/// Gives rows back that were claimed and not tried: they can be claimed again at once; or after `seconds`, and then they hold up
/// no other.
///
/// # Errors
/// When the database failed; the rows are then claimed again when the lease ends.
pub async fn release(store: &Store, lease: &Lease, seconds: f64) -> Result<(), Error> {
    const RELEASE: Statement = statement!(
        "outbox.release",
        [INT8_ARRAY, TEXT, TIMESTAMPTZ, FLOAT8],
        "WITH released AS (
             UPDATE outbox
             SET lease = NULL, attempts = attempts - 1, deferred = deferred OR $4 > 0,
                 due_at = coalesce($3, now()) /* now */ + make_interval(secs => $4 /* seconds */)
             WHERE id = ANY ($1) /* rows */ AND lease = $2::text::uuid /* lease */ AND finished_at IS NULL
             RETURNING bot, chat_id, due_at, CASE WHEN deferred THEN 3 ELSE outbox_class(kind) END AS class
         ), first AS (
             SELECT bot, chat_id, min(due_at) AS due_at, min(class) AS class FROM released GROUP BY bot, chat_id
         )
         UPDATE outbox_chats
         SET ready_at = least(first.due_at, greatest(next.due_at, coalesce($3, now()))), attempted_at = NULL,
             class = least(first.class, next.class)
         FROM first
         LEFT JOIN LATERAL outbox_next(first.bot, first.chat_id, coalesce($3, now()), $1) AS next ON true
         WHERE outbox_chats.bot = first.bot AND outbox_chats.chat_id = first.chat_id"
    );
    store
        .run(async |connection: Connection| {
            connection.fetch(&RELEASE, &[&lease.rows(), &lease.key, &store.now(), &seconds]).await.map(drop)
        })
        .await
}

/// Enqueues a screen that an update came to and that could not be shown, in `message` or in a new one. Not tried within so many
/// seconds. What waited to be shown in the same message is overtaken.
///
/// # Errors
/// When the database failed.
pub async fn enqueue_screen(
    store: &Store,
    user: TelegramUserId,
    kind: Kind,
    order: Option<OrderId>,
    message: Option<i32>,
    seconds: u64,
) -> Result<(), Error> {
    const ENQUEUE: Statement = statement!(
        "outbox.enqueue_screen",
        [INT8, TEXT, INT8, INT4, TIMESTAMPTZ, FLOAT8],
        "WITH moment AS (
             SELECT coalesce($5, now()) AS now
         ), covered AS (
             UPDATE outbox SET finished_at = now, dropped_because = 'OVERTAKEN'
             FROM moment
             WHERE bot = 'MASTER' AND chat_id = $1 AND finished_at IS NULL AND lease IS NULL AND message_id = $4
               AND (kind, order_id) IS DISTINCT FROM ($2, $3)
         )
         INSERT INTO outbox (bot, chat_id, kind, order_id, message_id, created_at, due_at)
         SELECT 'MASTER', $1 /* user */, $2 /* kind */, $3 /* order */, $4 /* message */, now,
                now + make_interval(secs => $6 /* seconds */)
         FROM moment
         WHERE NOT EXISTS (
             SELECT FROM outbox
             WHERE bot = 'MASTER' AND chat_id = $1 AND finished_at IS NULL AND lease IS NULL AND kind = $2
               AND (order_id, message_id) IS NOT DISTINCT FROM ($3, $4))"
    );
    let order = order.map(|order| order.0);
    #[expect(clippy::cast_precision_loss, reason = "a wait of that many seconds never ends")]
    let seconds = seconds as f64;
    store
        .run(async |connection: Connection| {
            connection
                .fetch(&ENQUEUE, &[&user.0, &kind.as_str(), &order, &message, &store.now(), &seconds])
                .await
                .map(drop)
        })
        .await
}

/// Enqueues a screen of the dispatchers' bot that could not be shown, in `message` or in a new one, instead of any that waits, but for
/// the card of a master who waits for a decision. Not tried within so many seconds.
///
/// # Errors
/// When the database failed.
pub async fn enqueue_staff_screen(
    store: &Store,
    user: TelegramUserId,
    place: Place,
    message: Option<i32>,
    seconds: u64,
) -> Result<(), Error> {
    const ENQUEUE: Statement = statement!(
        "outbox.enqueue_staff_screen",
        [INT8, TEXT, INT8, INT8, INT4, TIMESTAMPTZ, FLOAT8],
        "WITH moment AS (
             SELECT coalesce($6, now()) AS now
         ), covered AS (
             UPDATE outbox SET finished_at = now, dropped_because = 'OVERTAKEN'
             FROM moment
             WHERE bot = 'ADMIN' AND chat_id = $1 AND kind = 'STAFF_SCREEN' AND finished_at IS NULL AND lease IS NULL
               -- As in staff_arrive.sql: that a master waits for a decision is news until there is one.
               AND NOT EXISTS (
                   SELECT FROM masters WHERE masters.id = outbox.master_id AND masters.awaiting_approval_since IS NOT NULL)
         )
         INSERT INTO outbox (bot, chat_id, kind, place, order_id, master_id, message_id, created_at, due_at)
         SELECT 'ADMIN', $1 /* user */, 'STAFF_SCREEN', $2 /* place */, $3 /* order */, $4 /* master */, $5 /* message */,
                now, now + make_interval(secs => $7 /* seconds */)
         FROM moment"
    );
    let (order, master) = (place.order().map(|order| order.0), place.master().map(|master| master.0));
    #[expect(clippy::cast_precision_loss, reason = "a wait of that many seconds never ends")]
    let seconds = seconds as f64;
    store
        .run(async |connection: Connection| {
            let params = [
                &user.0 as &(dyn ToSql + Sync),
                &place.screen().as_str(),
                &order,
                &master,
                &message,
                &store.now(),
                &seconds,
            ];
            connection.fetch(&ENQUEUE, &params).await.map(drop)
        })
        .await
}

/// What waits, and what nobody has heard of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backlog {
    /// For how many seconds the row that waits longest has waited; 0 if none does.
    pub oldest_seconds: f64,
    /// How many orders need a dispatcher of whom none has been reached.
    pub unanswered_calls: i64,
    /// How many people Telegram has refused in a row, if that is an operator's fault; else 0.
    pub refused_people: i64,
}

/// Measures the backlog.
///
/// # Errors
/// When the database failed.
pub async fn backlog(store: &Store) -> Result<Backlog, Error> {
    const BACKLOG: Statement = statement!(
        "outbox.backlog",
        [TIMESTAMPTZ],
        "SELECT coalesce(greatest(0, extract(epoch FROM coalesce($1, now()) /* now */ - (
                    SELECT min(created_at) FROM outbox WHERE finished_at IS NULL AND isfinite(created_at)))), 0)::float8
                    AS oldest_seconds,
                (SELECT count(*) FROM orders
                 WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED') AND escalated_at IS NOT NULL
                   AND NOT EXISTS (
                       SELECT FROM outbox
                       WHERE kind = 'ESCALATED' AND outbox.order_id = orders.id
                         AND outbox.created_at >= orders.escalated_at AND dropped_because IS NULL
                         AND finished_at IS NOT NULL)) AS unanswered_calls,
                (SELECT coalesce(sum(cardinality(refused)), 0) FROM outbox_bots WHERE refusing_since IS NOT NULL)
                    AS refused_people"
    );
    store
        .run(async |connection: Connection| {
            let now: Option<Timestamp> = store.now();
            let rows = connection.fetch(&BACKLOG, &[&now]).await?;
            Ok(Backlog {
                oldest_seconds: column(&rows[0], "oldest_seconds")?,
                unanswered_calls: column(&rows[0], "unanswered_calls")?,
                refused_people: column(&rows[0], "refused_people")?,
            })
        })
        .await
}
