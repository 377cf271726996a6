//! Claims: which rows are sent now, and by whom.

use tokio::join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::super::{Connection, Error, Statement, Store, column, statement};
use crate::model::OrderId;

/// How long a claimed row is left to whoever claimed it: longer than sending it can take.
const LEASE_SECONDS: f64 = 30.0;

/// Telegram takes about this many messages a second from a bot, edits included; and one a second in a chat.
/// <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>
const PER_SECOND: i32 = 30;

/// New rows that a claim hands to their chats at once.
const SCHEDULED_AT_ONCE: i32 = 500;

/// The right to send a row, until it ends by itself.
#[derive(Clone, Debug)]
pub struct Lease {
    /// `outbox.id`.
    pub row: i64,
    pub(super) key: String,
}

/// Claims what can be sent now: of every chat the first row, unless something was sent there within the last second, and
/// of each bot no more than `PER_SECOND`. Nothing while somebody else claims, or Telegram has asked the bot to wait.
///
/// # Errors
/// When the database failed.
pub async fn claim(store: &Store) -> Result<Vec<Lease>, Error> {
    const SCHEDULE: Statement = statement!("outbox.schedule", [TIMESTAMPTZ, INT4], include_str!("schedule.sql"));
    const CLAIM: Statement = statement!("outbox.claim", [TIMESTAMPTZ, FLOAT8, INT4], include_str!("claim.sql"));
    store
        .run(async |connection: Connection| {
            let now = store.now();
            let [schedule, claim] = connection.ready([&SCHEDULE, &CLAIM]).await?;
            let new: [&(dyn ToSql + Sync); 2] = [&now, &SCHEDULED_AT_ONCE];
            let ready: [&(dyn ToSql + Sync); 3] = [&now, &LEASE_SECONDS, &PER_SECOND];
            let (begun, scheduled, claimed, committed) = join!(
                connection.begin(),
                connection.query(&schedule, &new),
                connection.query(&claim, &ready),
                connection.commit(),
            );
            begun?;
            scheduled?;
            let claimed = claimed?;
            committed?;
            claimed.iter().map(lease).collect()
        })
        .await
}

/// Claims what can be sent now about one order: its rows are found by its id, whatever else waits.
///
/// # Errors
/// When the database failed.
pub async fn claim_order(store: &Store, order: OrderId) -> Result<Vec<Lease>, Error> {
    const CLAIM: Statement =
        statement!("outbox.claim_order", [TIMESTAMPTZ, FLOAT8, INT4, INT8], include_str!("claim_order.sql"));
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&CLAIM, &[&store.now(), &LEASE_SECONDS, &PER_SECOND, &order.0]).await?;
            rows.iter().map(lease).collect()
        })
        .await
}

fn lease(row: &Row) -> Result<Lease, Error> {
    Ok(Lease { row: column(row, "id")?, key: column(row, "lease")? })
}

/// In how many seconds something can be claimed, 0 if now; `None` if nothing waits.
///
/// # Errors
/// When the database failed.
pub async fn seconds_until_due(store: &Store) -> Result<Option<f64>, Error> {
    const WAITING: Statement = statement!("outbox.waiting", [TIMESTAMPTZ], include_str!("waiting.sql"));
    store
        .run(async |connection: Connection| column(&connection.fetch(&WAITING, &[&store.now()]).await?[0], "seconds"))
        .await
}
