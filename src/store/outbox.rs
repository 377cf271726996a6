//! `outbox`: messages that are owed to people, leased to whoever delivers them.
//!
//! A row is claimed, sent, and finished, each a step of its own. Whoever dies in between leaves a lease that ends, and the
//! row is sent again: at least once, and twice only then or when Telegram's answer is lost.
//!
//! In a chat rows go out one after another, in the order of their ids. `outbox_chats` has a row for each chat, so that a
//! claim touches as many rows as it takes, however many wait.

mod claim;
mod read;

pub use claim::{Lease, claim, claim_order, seconds_until_due};
pub use read::{Claimed, Unreadable, read};

use jiff::Timestamp;

use super::{Connection, Error, Statement, Store, column, statement};
use crate::model::notification::Kind;
use crate::model::{OrderId, TelegramUserId};

/// The result of an attempt to deliver a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Sent.
    Sent {
        /// The new message, if it shows an offer.
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

/// Records the result of an attempt, unless its lease has ended and somebody else tries. `message`: the one that was edited,
/// `more`: there are further ones to edit. Whether that message had been taken over by a tap meanwhile, whose answer the
/// edit may have covered.
///
/// # Errors
/// When the database failed; the row is then tried again when the lease ends.
pub async fn finish(
    store: &Store,
    lease: &Lease,
    how: &Finish,
    message: Option<i32>,
    more: bool,
) -> Result<bool, Error> {
    const FINISH: Statement = statement!(
        "outbox.finish",
        [INT8, TEXT, TIMESTAMPTZ, BOOL, FLOAT8, TEXT, INT4, INT4, TEXT, BOOL],
        include_str!("outbox/finish.sql")
    );
    let (tried, wait, because, card, whole_bot) = match how {
        Finish::Sent { card } => (true, 0, None, *card, false),
        Finish::Later { seconds, whole_bot } => (false, *seconds, None, None, *whole_bot),
        Finish::Dropped(because) => (true, 0, Some(because), None, false),
    };
    // Of several cards one after another is edited.
    let done = tried && !more;
    let because = because.filter(|_| done);
    let error = because.and_then(|because| if let Because::Unreadable(error) = because { Some(error) } else { None });
    let gone = message.filter(|_| tried);
    #[expect(clippy::cast_precision_loss, reason = "a wait of that many seconds never ends")]
    let wait = wait as f64;
    store
        .run(async |connection: Connection| {
            let rows = connection
                .fetch(
                    &FINISH,
                    &[
                        &lease.row,
                        &lease.key,
                        &store.now(),
                        &done,
                        &wait,
                        &because.map(Because::as_str),
                        &card,
                        &gone,
                        &error,
                        &whole_bot,
                    ],
                )
                .await?;
            column(&rows[0], "taken_over")
        })
        .await
}

/// Gives a row back that was claimed and not tried: it can be claimed again at once, or after `seconds`.
///
/// # Errors
/// When the database failed; the row is then claimed again when the lease ends.
pub async fn release(store: &Store, lease: &Lease, seconds: f64) -> Result<(), Error> {
    const RELEASE: Statement = statement!(
        "outbox.release",
        [INT8, TEXT, TIMESTAMPTZ, FLOAT8],
        "WITH released AS (
             UPDATE outbox
             SET lease = NULL, attempts = attempts - 1,
                 due_at = coalesce($3, now()) /* now */ + make_interval(secs => $4 /* seconds */)
             WHERE id = $1 /* row */ AND lease = $2::text::uuid /* lease */ AND finished_at IS NULL
             RETURNING bot, chat_id, due_at
         )
         UPDATE outbox_chats SET ready_at = released.due_at, attempted_at = NULL
         FROM released
         WHERE outbox_chats.bot = released.bot AND outbox_chats.chat_id = released.chat_id"
    );
    store
        .run(async |connection: Connection| {
            connection.fetch(&RELEASE, &[&lease.row, &lease.key, &store.now(), &seconds]).await.map(drop)
        })
        .await
}

/// Enqueues what an update came to and could not be shown, in `message` or in a new one: the own order, or else the list of
/// offers. Not tried within so many seconds.
///
/// # Errors
/// When the database failed.
pub async fn enqueue_screen(
    store: &Store,
    user: TelegramUserId,
    own: Option<OrderId>,
    message: Option<i32>,
    seconds: u64,
) -> Result<(), Error> {
    const ENQUEUE: Statement = statement!(
        "outbox.enqueue_screen",
        [INT8, TEXT, INT8, INT4, TIMESTAMPTZ, FLOAT8],
        "INSERT INTO outbox (bot, chat_id, kind, order_id, message_id, created_at, due_at)
         SELECT 'MASTER', $1 /* user */, $2 /* kind */, $3 /* order */, $4 /* message */, now,
                now + make_interval(secs => $6 /* seconds */)
         FROM (SELECT coalesce($5, now()) AS now) AS moment
         WHERE NOT EXISTS (
             SELECT FROM outbox
             WHERE bot = 'MASTER' AND chat_id = $1 AND finished_at IS NULL AND kind = $2
               AND (order_id, message_id) IS NOT DISTINCT FROM ($3, $4))"
    );
    let kind = if own.is_some() { Kind::OwnOrder } else { Kind::List };
    let order = own.map(|order| order.0);
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

/// What waits, and what nobody has heard of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backlog {
    /// For how many seconds the row that waits longest has waited; 0 if none does.
    pub oldest_seconds: f64,
    /// How many orders need a dispatcher of whom none has been reached.
    pub unanswered_calls: i64,
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
                         AND finished_at IS NOT NULL)) AS unanswered_calls"
    );
    store
        .run(async |connection: Connection| {
            let now: Option<Timestamp> = store.now();
            let rows = connection.fetch(&BACKLOG, &[&now]).await?;
            Ok(Backlog {
                oldest_seconds: column(&rows[0], "oldest_seconds")?,
                unanswered_calls: column(&rows[0], "unanswered_calls")?,
            })
        })
        .await
}
