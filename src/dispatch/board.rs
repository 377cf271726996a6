//! The board: the queue with all that is recorded of its orders, for a page that looks again every few seconds.
//!
//! Mostly nothing has changed, and that is found out in one trip, together with whose the token is.

use std::time::Duration;

use tokio::join;

use super::authorize::{self, AuthorizeOutcome};
use crate::model::StaffRef;
use crate::model::access::{Token, TokenScope};
use crate::model::order_record::{OrderFilter, OrderRecord};
use crate::model::queue::{Narrowed, Queue, QueueLine};
use crate::store::{self, Connection, Store, access, order_records, queue};

/// What only time brings about is seen after so long at the latest.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Every answer.
#[derive(Clone, Debug)]
pub enum BoardOutcome {
    /// It is as it was seen.
    Unchanged(String),
    /// As it is now.
    Board(Box<Board>),
    /// Who asks may not.
    Refused(AuthorizeOutcome),
}

/// A page of the queue.
#[derive(Clone, Debug)]
pub struct Board {
    /// Another one as soon as anything has changed.
    pub stamp: String,
    /// The queue, without its lines.
    pub queue: Queue,
    /// Its lines, each with its order.
    pub lines: Vec<(QueueLine, OrderRecord)>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// By whom.
    pub token: &'a str,
    /// What it is narrowed to.
    pub narrowed: &'a Narrowed,
    /// Which page, from 1.
    pub page: i64,
    /// How many orders it has.
    pub size: i64,
}

/// Reads a page of the queue, unless it is as it was seen: `is_seen` says so of its stamp.
///
/// # Errors
/// When the database failed.
pub async fn board(
    store: &Store,
    look: Look<'_>,
    is_seen: impl Fn(&str) -> bool,
) -> Result<BoardOutcome, store::Error> {
    let Some(token) = Token::parse(look.token) else { return Ok(BoardOutcome::Refused(AuthorizeOutcome::Unknown)) };
    let (known, stamp) = store
        .run(async |connection: Connection| {
            let [authorize, stamp] = connection.ready([&access::AUTHORIZE, &queue::STAMP]).await?;
            let both = async {
                let (known, stamp) = join!(
                    access::authorize(&connection, &authorize, &token, false, store.now()),
                    queue::read_stamp(&connection, &stamp, &token),
                );
                Ok((known?, stamp?))
            };
            connection.alone(both).await
        })
        .await?;
    let access = match (authorize::decide(known, TokenScope::Read), &stamp) {
        (AuthorizeOutcome::Welcome(access), Some(_)) => access,
        (AuthorizeOutcome::Welcome(_), None) => return Ok(BoardOutcome::Refused(AuthorizeOutcome::Unknown)),
        (refused, _) => return Ok(BoardOutcome::Refused(refused)),
    };
    let now = store.now().unwrap_or_else(jiff::Timestamp::now).as_second();
    let time = now.div_euclid(i64::try_from(LOOK_AGAIN.as_secs()).unwrap_or(i64::MAX));
    let stamp = format!("{}.{time}", stamp.unwrap_or_default());
    if is_seen(&stamp) {
        return Ok(BoardOutcome::Unchanged(stamp));
    }
    let staff = StaffRef::Id(access.staff);
    let read = store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&queue::PAGE]).await?;
            let (page, narrowed) = ((look.page, look.size), Some(look.narrowed));
            connection.alone(queue::read_page(&connection, &statement, staff, page, narrowed, store.now())).await
        })
        .await?;
    let Some(mut queue) = read else { return Ok(BoardOutcome::Refused(AuthorizeOutcome::Unknown)) };
    let among = queue.lines.iter().map(|line| line.card.id).collect();
    let filter = OrderFilter { among: Some(among), ..OrderFilter::default() };
    let mut records = order_records::list(store, staff, &filter, look.size).await?.unwrap_or_default();
    let with_record = |line: QueueLine| {
        let at = records.iter().position(|record| record.id == line.card.id)?;
        Some((line, records.swap_remove(at)))
    };
    let lines = std::mem::take(&mut queue.lines).into_iter().filter_map(with_record).collect();
    Ok(BoardOutcome::Board(Box::new(Board { stamp, queue, lines })))
}
