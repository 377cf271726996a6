//! What staff look at: the queue, what it is narrowed to, the search, an order's card.
//!
//! Whatever is read is what the reader has a right to at that moment; `None` says that it is nobody of the staff who asks.

use super::actions::{Claimed, Situation};
use super::candidates;
use crate::model::order::Stage;
use crate::model::queue::{Choices, Found, Narrow, Narrowed, QUEUE_PAGE, Queue, Sought};
use crate::model::selection::Exclusion;
use crate::model::staff_card::{NotFirst, StaffCard};
use crate::model::update::Action;
use crate::model::{MasterId, OrderId, Origin, StaffRef};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Store, queue, staff_card};

/// Reads a page of the queue as the reader has narrowed it.
///
/// # Errors
/// When the database failed.
pub async fn queue(store: &Store, staff: StaffRef, page: i64) -> Result<Option<Queue>, store::Error> {
    read(store, staff, page, None).await
}

/// Reads the first page of the queue whatever it is narrowed to: what there is in all.
///
/// # Errors
/// When the database failed.
pub async fn whole_queue(store: &Store, staff: StaffRef) -> Result<Option<Queue>, store::Error> {
    read(store, staff, 1, Some(&Narrowed::default())).await
}

async fn read(
    store: &Store,
    staff: StaffRef,
    page: i64,
    narrowed: Option<&Narrowed>,
) -> Result<Option<Queue>, store::Error> {
    let page = (page, QUEUE_PAGE);
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&queue::PAGE]).await?;
            connection.alone(queue::read_page(&connection, &statement, staff, page, narrowed, store.now())).await
        })
        .await
}

/// Narrows the reader's queue, once for each update, and reads its first page.
///
/// # Errors
/// When the database failed.
pub async fn narrow(
    store: &Store,
    staff: StaffRef,
    narrow: Narrow,
    origin: &Origin,
) -> Result<Option<Queue>, store::Error> {
    let now = store.now();
    store
        .run(async |connection: Connection| {
            let [record, change] = connection.ready([&updates::RECORD, &queue::NARROW]).await?;
            connection.begin().await?;
            if is_new(&connection, &record, origin, "NARROWED", store).await? {
                queue::narrow(&connection, &change, staff, narrow, now).await?;
            }
            connection.commit().await
        })
        .await?;
    queue(store, staff, 1).await
}

/// The outcome of words that were searched for.
pub const SOUGHT: &str = "SOUGHT";

/// Keeps what the reader searches for, once for each update, so that the pages of what is found can be turned.
///
/// # Errors
/// When the database failed.
pub async fn keep_sought(store: &Store, staff: StaffRef, words: &str, origin: &Origin) -> Result<(), store::Error> {
    let now = store.now();
    store
        .run(async |connection: Connection| {
            let [record, keep] = connection.ready([&updates::RECORD, &queue::KEEP_SOUGHT]).await?;
            connection.begin().await?;
            if is_new(&connection, &record, origin, SOUGHT, store).await? {
                queue::keep_sought(&connection, &keep, staff, words, now).await?;
            }
            connection.commit().await
        })
        .await
}

/// Records an update that changes only what its sender looks at; whether it was not handled before.
async fn is_new(
    connection: &Connection,
    statement: &store::Ready,
    origin: &Origin,
    outcome: &str,
    store: &Store,
) -> Result<bool, store::Error> {
    let answer = Answer { action: Action::Show, order: None, outcome, durable: false };
    updates::record(connection, statement, Some(origin), None, answer, store.now()).await
}

/// What the reader has searched for last.
///
/// # Errors
/// When the database failed.
pub async fn sought(store: &Store, staff: StaffRef) -> Result<Option<String>, store::Error> {
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&queue::SOUGHT]).await?;
            connection.alone(queue::read_sought(&connection, &statement, staff)).await
        })
        .await
}

/// Reads a page of the orders that these words ask for.
///
/// # Errors
/// When the database failed.
pub async fn found(store: &Store, staff: StaffRef, sought: &Sought, page: i64) -> Result<Option<Found>, store::Error> {
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&queue::SEARCH]).await?;
            let page = (page, QUEUE_PAGE);
            connection.alone(queue::read_found(&connection, &statement, staff, sought, page, store.now())).await
        })
        .await
}

/// Reads a page of the cities that the queue can be narrowed to.
///
/// # Errors
/// When the database failed.
pub async fn cities(store: &Store, staff: StaffRef, page: i64) -> Result<Option<Choices>, store::Error> {
    choices(store, &queue::CITIES, staff, page).await
}

/// Reads a page of the masters to whose orders the queue can be narrowed.
///
/// # Errors
/// When the database failed.
pub async fn masters(store: &Store, staff: StaffRef, page: i64) -> Result<Option<Choices>, store::Error> {
    choices(store, &queue::MASTERS, staff, page).await
}

async fn choices(
    store: &Store,
    statement: &'static store::Statement,
    staff: StaffRef,
    page: i64,
) -> Result<Option<Choices>, store::Error> {
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([statement]).await?;
            connection.alone(queue::read_choices(&connection, &statement, staff, page)).await
        })
        .await
}

/// Reads an order's card. `None`: there is none of that number in the reader's cities.
///
/// # Errors
/// When the database failed.
pub async fn card(store: &Store, staff: StaffRef, order: OrderId) -> Result<Option<StaffCard>, store::Error> {
    let mut card = store
        .run(async |connection: Connection| {
            let [card, offers, changes, rounds, history] = connection
                .ready([
                    &staff_card::ORDER,
                    &staff_card::OFFERS,
                    &staff_card::CHANGES,
                    &staff_card::ROUNDS,
                    &staff_card::HISTORY,
                ])
                .await?;
            let statements = [&card, &offers, &changes, &rounds, &history];
            connection.alone(Box::pin(staff_card::read(&connection, statements, staff, order, store.now()))).await
        })
        .await?;
    if let Some(StaffCard { status, preferred: Some(preferred), .. }) = &mut card
        && status.stage() == Stage::Open
    {
        preferred.not_asked = not_first(store, staff, order, preferred.id).await?;
    }
    Ok(card)
}

/// Why the master who is to be asked first would not be asked, by the rules of the waves.
async fn not_first(
    store: &Store,
    staff: StaffRef,
    order: OrderId,
    master: MasterId,
) -> Result<Option<NotFirst>, store::Error> {
    let Some((_, line)) = candidates::candidate(store, order, staff, master).await? else {
        return Ok(Some(NotFirst::Elsewhere));
    };
    Ok(line.why_not.map(|why_not| match (why_not, line.offer) {
        (Exclusion::Asked, Some(_)) => NotFirst::Asked,
        (Exclusion::Asked, None) => NotFirst::Had,
        (other, _) => NotFirst::Kept(other),
    }))
}

/// What decides about the actions that a card offers its reader.
#[must_use]
pub fn situation(card: &StaffCard) -> Situation {
    let claimed = match &card.claimed {
        None => Claimed::ByNobody,
        Some(claim) if claim.yours => Claimed::ByYou,
        Some(_) => Claimed::ByAnother,
    };
    Situation {
        acts: card.acts,
        status: card.status,
        is_offered: card.is_offered,
        was_offered: card.was_offered,
        claimed,
        ended_lately: card.ended_lately,
    }
}
