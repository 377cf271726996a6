//! The board: the queue with all that is recorded of its orders, for a page that looks again every few seconds.
//!
//! Mostly nothing has changed, and that is found out in one trip, together with whose the token is.

use std::time::Duration;

use super::authorize::{AuthorizeOutcome, authorize_and_read};
use crate::model::StaffRef;
use crate::model::access::{Token, TokenScope};
use crate::model::order_record::{OrderFilter, OrderRecord};
use crate::model::queue::{Narrowed, Queue, QueueLine};
use crate::store::{self, Connection, Ready, Store, order_records, queue};

/// What only time brings about is seen after so long at the latest.
const STAMP_PERIOD: Duration = Duration::from_secs(30);

/// A page of the queue.
#[derive(Clone, Debug)]
pub struct Board {
    /// The queue, without its lines.
    pub queue: Queue,
    /// Its lines, each with its order.
    pub lines: Vec<(QueueLine, OrderRecord)>,
}

/// Lets whoever presents `token` look at the queue, and says as what of it: the stamp is another one as soon as anything has changed
/// that this token sees, and every half a minute.
///
/// # Errors
/// When the database failed.
pub async fn watch(store: &Store, token: &str) -> Result<(AuthorizeOutcome, String), store::Error> {
    let stamp = async |connection: &Connection, [stamp]: &[Ready; 1], token: &Token| {
        queue::read_stamp(connection, stamp, token).await
    };
    let (outcome, stamp) = authorize_and_read(store, token, (TokenScope::Read, false), [&queue::STAMP], stamp).await?;
    let now = store.now().unwrap_or_else(jiff::Timestamp::now).as_second();
    let time = now.div_euclid(i64::try_from(STAMP_PERIOD.as_secs()).unwrap_or(i64::MAX));
    Ok(match stamp.flatten() {
        Some(stamp) => (outcome, format!("{stamp}.{time}")),
        None => (AuthorizeOutcome::Unknown, String::new()),
    })
}

/// Reads the page of that number, from 1, of the queue as it is narrowed; `size`: how many orders it has. `None`: it is nobody of the
/// staff who asks.
///
/// # Errors
/// When the database failed.
pub async fn read(
    store: &Store,
    staff: StaffRef,
    narrowed: &Narrowed,
    (page, size): (i64, i64),
) -> Result<Option<Board>, store::Error> {
    let read = store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&queue::PAGE]).await?;
            let (page, narrowed) = ((page, size), Some(narrowed));
            connection.alone(queue::read_page(&connection, &statement, staff, page, narrowed, store.now())).await
        })
        .await?;
    let Some(mut queue) = read else { return Ok(None) };
    let among = queue.lines.iter().map(|line| line.card.id).collect();
    let filter = OrderFilter { among: Some(among), ..OrderFilter::default() };
    let mut records = order_records::list(store, staff, &filter, size).await?.unwrap_or_default();
    let with_record = |line: QueueLine| {
        let at = records.iter().position(|record| record.id == line.card.id)?;
        Some((line, records.swap_remove(at)))
    };
    let lines = std::mem::take(&mut queue.lines).into_iter().filter_map(with_record).collect();
    Ok(Some(Board { queue, lines }))
}
