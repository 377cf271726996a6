//! `outbox`: what is still to be told to whom, leased to whoever tells it.
//!
//! A row is claimed, told, and finished, each a step of its own. Whoever dies in between leaves a lease that ends, and
//! the row is told again: at least once, and twice only then or when Telegram's answer is lost.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::{Connection, Error, Statement, Store, facts, offers, statement};
use crate::model::BotName;
use crate::model::notification::{Kind, Known, KnownOrder, Notification, Subject};
use crate::model::policy::Escalation;
use crate::model::{OfferList, OrderId, Tap, TelegramUserId};

/// How long a claimed row is left to whoever claimed it: longer than telling it can take.
pub const LEASE_SECONDS: f64 = 30.0;

/// Telegram takes about this many messages a second from a bot, edits included; and one a second in a chat.
/// <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>
pub const PER_SECOND: i32 = 30;

/// A row that was claimed.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// `outbox.id`.
    pub id: i64,
    lease: String,
    /// Which bot tells it.
    pub bot: BotName,
    /// Whom.
    pub user: TelegramUserId,
    /// What; `None` if it has been overtaken by what happened since.
    pub notification: Option<Notification>,
    /// The message to show it in.
    pub message: Option<i32>,
    /// Whether there are further messages to show it in.
    pub more: bool,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// Whether it has waited for a day, and need not be tried for ever.
    pub stale: bool,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish<'a> {
    /// Told.
    Sent {
        /// The new message, if it shows an offer.
        card: Option<i32>,
    },
    /// To be tried again.
    Later {
        /// Not before so many seconds have passed.
        seconds: u64,
    },
    /// It will never be told.
    Dropped {
        /// Why.
        because: &'a str,
        /// Whether that is because the person cannot be reached at all.
        unreachable: bool,
    },
}

impl Finish<'_> {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "SENT",
            Self::Later { .. } => "LATER",
            Self::Dropped { .. } => "DROPPED",
        }
    }
}

/// Claims what can be told now, of one order or of all: of every chat the first row, unless something was told there
/// within the last second, and of each bot no more than [`PER_SECOND`]. Nothing while somebody else claims.
///
/// # Errors
/// When the database failed.
pub async fn claim(store: &Store, order: Option<OrderId>) -> Result<Vec<Claimed>, Error> {
    const CLAIM: Statement =
        statement!("outbox.claim", [TIMESTAMPTZ, INT8, FLOAT8, INT4], include_str!("outbox_claim.sql"));
    store
        .run(async |connection: Connection| {
            let order = order.map(|order| order.0);
            let rows = connection.fetch(&CLAIM, &[&store.now(), &order, &LEASE_SECONDS, &PER_SECOND]).await?;
            let mut claimed = Vec::with_capacity(rows.len());
            for row in &rows {
                let list = match row.get("kind") {
                    "LIST" => list(&connection, TelegramUserId(row.get("chat_id")), store.now()).await?,
                    _ => None,
                };
                claimed.extend(readable(row, list));
            }
            Ok(claimed)
        })
        .await
}

async fn list(
    connection: &Connection,
    user: TelegramUserId,
    now: Option<Timestamp>,
) -> Result<Option<OfferList>, Error> {
    let [page] = connection.ready([&offers::PAGE]).await?;
    offers::read_page(connection, &page, &Tap { user, query: None, message: None }, 1, now).await
}

/// What a later release has written is that one's to tell, and stays leased; for a day, lest it hold its chat up for ever.
fn readable(row: &Row, list: Option<OfferList>) -> Option<Claimed> {
    match known(row, list) {
        Ok(known) => Some(claimed(row, known.kind == Kind::OfferEnded, known.notification())),
        Err(error) => {
            tracing::error!(%error, "row {} of the outbox is left alone", row.get::<_, i64>("outbox_id"));
            row.get::<_, bool>("stale").then(|| claimed(row, false, None))
        }
    }
}

fn claimed(row: &Row, in_place: bool, notification: Option<Notification>) -> Claimed {
    Claimed {
        id: row.get("outbox_id"),
        lease: row.get("lease"),
        bot: if row.get::<_, &str>("bot") == "ADMIN" { BotName::Admin } else { BotName::Master },
        user: TelegramUserId(row.get("chat_id")),
        message: row.get(if in_place { "card_message" } else { "message_id" }),
        more: in_place && notification.is_some() && row.get("more_cards"),
        notification,
        attempt: row.get("attempts"),
        stale: row.get("stale"),
    }
}

fn known(row: &Row, list: Option<OfferList>) -> Result<Known, Error> {
    let kind = row.get("kind");
    let subject: Option<String> = row.get("subject_name");
    Ok(Known {
        kind: Kind::parse(kind).ok_or_else(|| Error::Unknown { what: "kind of message", value: String::from(kind) })?,
        concerned: row.get("concerned"),
        list,
        order: row.get::<_, Option<i64>>("id").map(|_| order(row)).transpose()?,
        offer: facts::offer(row)?,
        after_seconds: row.get("recalled_after_seconds"),
        subject: subject.map(|name| Subject {
            name,
            phone: row.get("subject_phone"),
            unreachable: row.get("subject_is_unreachable"),
        }),
        for_good: row.get("for_good"),
        reason: row.get("reason"),
    })
}

fn order(row: &Row) -> Result<KnownOrder, Error> {
    Ok(KnownOrder {
        card: facts::card(row)?,
        client: facts::client(row),
        status: facts::status(row)?,
        own: row.get("own"),
        escalation: row.get::<_, Option<&str>>("escalation_reason").and_then(Escalation::parse),
    })
}

/// Notes what became of an attempt, unless its lease has ended and somebody else tries. Whether a card that was edited had
/// been taken over by a tap meanwhile, whose answer the edit may have covered.
///
/// # Errors
/// When the database failed; the row is then tried again when the lease ends.
pub async fn finish(store: &Store, row: &Claimed, how: Finish<'_>) -> Result<bool, Error> {
    const FINISH: Statement = statement!(
        "outbox.finish",
        [INT8, TEXT, TIMESTAMPTZ, BOOL, FLOAT8, TEXT, INT4, INT4, BOOL],
        include_str!("outbox_finish.sql")
    );
    let (tried, seconds, because, card, unreachable) = match how {
        Finish::Sent { card } => (true, 0, None, card, false),
        Finish::Later { seconds } => (false, seconds, None, None, false),
        Finish::Dropped { because, unreachable } => (true, 0, Some(because), None, unreachable),
    };
    // Of several cards one after another is edited.
    let done = tried && !row.more;
    let because = because.filter(|_| done);
    let gone = row.message.filter(|_| tried);
    #[expect(clippy::cast_precision_loss, reason = "a wait of that many seconds never ends")]
    let seconds = seconds as f64;
    store
        .run(async |connection: Connection| {
            let rows = connection
                .fetch(
                    &FINISH,
                    &[&row.id, &row.lease, &store.now(), &done, &seconds, &because, &card, &gone, &unreachable],
                )
                .await?;
            Ok(rows[0].get("taken_over"))
        })
        .await
}

/// Notes that what a tap came to could not be shown, in `message` or in a new one: the own order, or else the list of
/// offers. Not tried again within so many seconds.
///
/// # Errors
/// When the database failed.
pub async fn note_screen(
    store: &Store,
    user: TelegramUserId,
    own: Option<OrderId>,
    message: Option<i32>,
    seconds: u64,
) -> Result<(), Error> {
    const NOTE: Statement = statement!(
        "outbox.note_screen",
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
                .fetch(&NOTE, &[&user.0, &kind.as_str(), &order, &message, &store.now(), &seconds])
                .await
                .map(drop)
        })
        .await
}

/// For how many seconds the row that waits longest has waited; 0 if none does.
///
/// # Errors
/// When the database failed.
pub async fn oldest_seconds(store: &Store) -> Result<f64, Error> {
    const OLDEST: Statement = statement!(
        "outbox.oldest",
        [TIMESTAMPTZ],
        "SELECT greatest(0, extract(epoch FROM coalesce($1, now()) /* now */ - min(created_at)))::float8 AS seconds
         FROM outbox WHERE finished_at IS NULL"
    );
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&OLDEST, &[&store.now()]).await?;
            Ok(rows[0].get::<_, Option<f64>>("seconds").unwrap_or_default())
        })
        .await
}
