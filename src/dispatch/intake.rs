//! A program makes orders: once for each of its keys, however often it asks.
//!
//! The key's lock keeps two requests by one key apart, and the key's row is written in the orders' transaction. Once that is
//! committed, the first round of a single order begins in the same request; of many, and should that fail, the next tick begins
//! them.
//!
//! Many are made by several statements of one transaction: all or none, and no statement takes so long that the server ends it.

use std::collections::BTreeSet;

use tokio::join;

use super::begin_rounds;
use crate::model::new_order::{Checked, NewOrder, Obstacle, Search};
use crate::model::slot::DAYS_AHEAD;
use crate::model::{OrderId, StaffRef};
pub use crate::store::answers::Key;
use crate::store::answers::{self, Answered};
use crate::store::{self, Connection, LARGE_WORK, Store, WORK, new_orders};

/// So many orders are made by one statement. As long as a sheet's rows may be, a thousand take a second or two: the search's index
/// takes in every three letters of addresses and names.
const AT_ONCE: usize = 1_000;

/// Every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntakeOutcome {
    /// Committed.
    Made(Made),
    /// It was done by this key before; what was answered then.
    Repeated(String),
    /// The key was used for another request.
    KeyOfAnother,
    /// A request by this key is under way.
    UnderWay,
    /// Something stands against an order, and none was made.
    Refused(Vec<(usize, Obstacle)>),
    /// Whoever asks may not make orders.
    NotAllowed,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The orders, in the order in which they were said; `None`: something stood against it.
    pub orders: Vec<Option<OrderId>>,
    /// What stood against the others.
    pub refused: Vec<(usize, Obstacle)>,
    /// What is answered, and is kept.
    pub answer: String,
    /// How many masters are asked already.
    pub asked: usize,
}

impl IntakeOutcome {
    /// Every outcome's word.
    pub const NAMES: [&'static str; 6] =
        ["SUCCESS", "REPEATED", "KEY_OF_ANOTHER", "UNDER_WAY", "REFUSED", "NOT_ALLOWED"];

    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Made(_) => "SUCCESS",
            Self::Repeated(_) => "REPEATED",
            Self::KeyOfAnother => "KEY_OF_ANOTHER",
            Self::UnderWay => "UNDER_WAY",
            Self::Refused(_) => "REFUSED",
            Self::NotAllowed => "NOT_ALLOWED",
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Intake<'a> {
    /// By whom.
    pub staff: StaffRef,
    /// What makes a repetition recognisable.
    pub key: &'a Key,
    /// The orders.
    pub orders: &'a [NewOrder],
    /// Whether the others are made if something stands against some.
    pub partial: bool,
    /// What a client is called who gave no name.
    pub nameless: &'a str,
}

/// Makes the orders. `answer`: what is answered then, and whenever it is asked for again.
///
/// # Errors
/// When the database failed; nothing was made then, unless the connection was lost during `COMMIT`: a repetition tells.
pub async fn take_in(
    store: &Store,
    asked: Intake<'_>,
    answer: impl Fn(&[Option<OrderId>], &[(usize, Obstacle)]) -> String,
) -> Result<IntakeOutcome, store::Error> {
    let time = if asked.orders.len() > AT_ONCE { LARGE_WORK } else { WORK };
    let in_one = async |connection| attempt(store, connection, asked, &answer).await;
    let mut outcome = store.run_within(time, in_one).await?;
    let word = outcome.name();
    let IntakeOutcome::Made(made) = &mut outcome else {
        tracing::info!(outcome = word, "order_intake {word}");
        return Ok(outcome);
    };
    let count = made.orders.iter().flatten().count();
    tracing::info!(outcome = word, count, "order_intake {word}: orders={count}");
    if let ([Some(order)], [NewOrder { search: Search::Now, .. }]) = (&made.orders[..], asked.orders) {
        let begun = begin_rounds::begin_round_of(store, *order).await.inspect_err(|error| {
            tracing::warn!(%error, "the first round of order={order} is left to the next tick");
        });
        made.asked = begun.map_or(0, |begun| begun.offers);
    }
    Ok(outcome)
}

async fn attempt(
    store: &Store,
    connection: Connection,
    Intake { staff, key, orders, partial, nameless }: Intake<'_>,
    answer: impl Fn(&[Option<OrderId>], &[(usize, Obstacle)]) -> String,
) -> Result<IntakeOutcome, store::Error> {
    let now = store.now();
    let [lock, find, check, make, record] = connection
        .ready([&answers::LOCK, &answers::FIND, &new_orders::CHECK, &new_orders::MAKE, &answers::RECORD])
        .await?;
    let (begun, locked, before, checked) = join!(
        connection.begin(),
        answers::lock(&connection, &lock, key),
        answers::find(&connection, &find, key),
        new_orders::check(&connection, &check, staff, orders, DAYS_AHEAD, now),
    );
    begun?;
    let (locked, before, checked) = (locked?, before?, checked?);
    let refused = checked.as_deref().map(by_line).unwrap_or_default();
    let outcome = match before {
        Some(Answered::Before(answer)) => IntakeOutcome::Repeated(answer),
        Some(Answered::Another) => IntakeOutcome::KeyOfAnother,
        None if !locked => IntakeOutcome::UnderWay,
        None if checked.is_none() => IntakeOutcome::NotAllowed,
        None => {
            if refused.is_empty() || partial && refused_lines(&refused) < orders.len() {
                let is_refused = |line: usize| refused.iter().any(|(other, _)| *other == line);
                let lines: Vec<usize> = (0..orders.len()).filter(|line| !is_refused(*line)).collect();
                let accepted: Vec<NewOrder> = lines.iter().map(|line| orders[*line].clone()).collect();
                let mut ids = Vec::new();
                for orders in accepted.chunks(AT_ONCE) {
                    ids.extend(new_orders::make(&connection, &make, staff, orders, nameless, None, now).await?);
                }
                if ids.len() == accepted.len() {
                    let mut orders = vec![None; orders.len()];
                    for (line, id) in lines.into_iter().zip(ids) {
                        orders[line] = Some(id);
                    }
                    let answer = answer(&orders, &refused);
                    answers::record(&connection, &record, key, &answer, now).await?;
                    connection.commit().await?;
                    return Ok(IntakeOutcome::Made(Made { orders, refused, answer, asked: 0 }));
                }
                // The right, or a city, was taken away in this very moment.
                IntakeOutcome::NotAllowed
            } else {
                IntakeOutcome::Refused(refused)
            }
        }
    };
    connection.rollback().await?;
    Ok(outcome)
}

/// What stands against each of the orders, by its place among them.
fn by_line(checked: &[Checked]) -> Vec<(usize, Obstacle)> {
    let of = |(line, checked): (usize, &Checked)| {
        checked.obstacles().into_iter().map(move |obstacle| (line, obstacle)).collect::<Vec<_>>()
    };
    checked.iter().enumerate().flat_map(of).collect()
}

fn refused_lines(refused: &[(usize, Obstacle)]) -> usize {
    refused.iter().map(|(line, _)| line).collect::<BTreeSet<_>>().len()
}

/// What became of a request by this key before; `None`: nothing yet.
///
/// # Errors
/// When the database failed.
pub async fn before(store: &Store, key: &Key) -> Result<Option<IntakeOutcome>, store::Error> {
    let found = store
        .run(async |connection: Connection| {
            let [find] = connection.ready([&answers::FIND]).await?;
            connection.alone(answers::find(&connection, &find, key)).await
        })
        .await?;
    Ok(found.map(|found| match found {
        Answered::Before(answer) => IntakeOutcome::Repeated(answer),
        Answered::Another => IntakeOutcome::KeyOfAnother,
    }))
}

/// What would stand against orders, if they were to be made. `None`: whoever asks may not make orders.
///
/// # Errors
/// When the database failed.
pub async fn obstacles(
    store: &Store,
    staff: StaffRef,
    orders: &[NewOrder],
) -> Result<Option<Vec<(usize, Obstacle)>>, store::Error> {
    let checked = store
        .run(async |connection: Connection| {
            let [check] = connection.ready([&new_orders::CHECK]).await?;
            connection.alone(new_orders::check(&connection, &check, staff, orders, DAYS_AHEAD, store.now())).await
        })
        .await?;
    Ok(checked.as_deref().map(by_line))
}
