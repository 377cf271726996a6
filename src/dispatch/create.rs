//! Somebody of the staff makes an order of a draft: once, whatever is tapped or delivered again.
//!
//! The draft's lock decides between two taps at once, and the draft remembers its order. Once it is committed, the first round
//! begins in the same request; should that fail, the next tick begins it.

use tokio::join;

use super::begin_rounds;
use super::transaction::Decision;
use crate::model::draft::{Draft, DraftId, Field};
use crate::model::update::Action;
use crate::model::{OrderId, OrderStatus, Origin, StaffRef};
use crate::store::drafts::{self, Checked};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Store};

/// Every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// Committed; messages to the masters of the first round are enqueued, if it began.
    Created {
        /// The order.
        order: OrderId,
        /// How many masters it is offered to already.
        asked: usize,
    },
    /// It was made of this draft before.
    AlreadyCreated(OrderId),
    /// The draft has changed since it was shown; this is what it says now.
    Changed(Box<Draft>),
    /// A field is missing that no order can be without.
    Missing(Field, Box<Draft>),
    /// The client's time has passed meanwhile.
    SlotPast(Box<Draft>),
    /// The city, or the district, is none of the person's any more.
    PlaceGone(Field, Box<Draft>),
    /// The preferred master is blocked, or works elsewhere by now.
    MasterGone(Box<Draft>),
    /// The order whose work it repeats is not closed any more.
    NotClosed(OrderId),
    /// There is no such draft any more, or the person may not make orders.
    NoDraft,
}

impl CreateOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "SUCCESS",
            Self::AlreadyCreated(_) => "ALREADY_CREATED",
            Self::Changed(_) => "CHANGED",
            Self::Missing(..) => "MISSING",
            Self::SlotPast(_) => "SLOT_PAST",
            Self::PlaceGone(..) => "PLACE_GONE",
            Self::MasterGone(_) => "MASTER_GONE",
            Self::NotClosed(_) => "NOT_CLOSED",
            Self::NoDraft => "NO_DRAFT",
        }
    }

    fn order(&self) -> Option<OrderId> {
        match self {
            Self::Created { order, .. } | Self::AlreadyCreated(order) => Some(*order),
            _ => None,
        }
    }
}

/// When the search for a master begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// At once.
    Now,
    /// When the next working day begins.
    InTheMorning,
}

/// Makes an order of a draft as it was shown. `nameless`: what a client is called who gave no name.
///
/// # Errors
/// When the database failed; nothing was made then, unless the connection was lost during `COMMIT`.
pub async fn create(
    store: &Store,
    staff: StaffRef,
    draft: DraftId,
    revision: i32,
    search: Search,
    nameless: &str,
    origin: &Origin,
) -> Result<CreateOutcome, store::Error> {
    let outcome = store
        .run(async |connection| attempt(store, connection, staff, (draft, revision), search, nameless, origin).await)
        .await?;
    log(draft, &outcome);
    match outcome {
        CreateOutcome::Created { order, .. } if search == Search::Now => {
            let begun = begin_rounds::begin_round_of(store, order).await.inspect_err(|error| {
                tracing::warn!(%error, "the first round of order={order} is left to the next tick");
            });
            Ok(CreateOutcome::Created { order, asked: begun.map_or(0, |begun| begun.offers) })
        }
        outcome => Ok(outcome),
    }
}

fn log(draft: DraftId, outcome: &CreateOutcome) {
    let word = outcome.name();
    if let Some(order) = outcome.order() {
        tracing::info!(
            order = order.0,
            draft = draft.0,
            outcome = word,
            "order_create {word}: order={order} draft={draft}"
        );
    } else {
        tracing::info!(draft = draft.0, outcome = word, "order_create {word}: draft={draft}");
    }
}

async fn attempt(
    store: &Store,
    connection: Connection,
    staff: StaffRef,
    (id, revision): (DraftId, i32),
    search: Search,
    nameless: &str,
    origin: &Origin,
) -> Result<CreateOutcome, store::Error> {
    let now = store.now();
    let [lock, check, make, record] =
        connection.ready([&drafts::LOCK, &drafts::CHECK, &drafts::MAKE, &updates::RECORD]).await?;
    let (begun, draft, checked) = join!(
        connection.begin(),
        drafts::lock(&connection, &lock, staff, id, now),
        // Begins after the lock is held.
        drafts::check(&connection, &check, staff, id, now),
    );
    begun?;
    let (draft, checked) = (draft?, checked?);
    let outcome = match decide(draft, checked, revision, search) {
        Decision::Change((draft, status), _) => {
            match drafts::make(&connection, &make, staff, &draft, (status.as_str(), nameless), now).await? {
                Some(order) => CreateOutcome::Created { order, asked: 0 },
                None => CreateOutcome::NoDraft,
            }
        }
        Decision::Answer(outcome) => outcome,
        Decision::LookAgain => CreateOutcome::NoDraft,
    };
    let durable = matches!(outcome, CreateOutcome::Created { .. });
    let answer = Answer { action: Action::Create, order: outcome.order(), outcome: outcome.name(), durable };
    updates::record(&connection, &record, Some(origin), None, answer, now).await?;
    connection.commit().await?;
    Ok(outcome)
}

/// Decides under the draft's lock.
fn decide(
    draft: Option<Draft>,
    checked: Option<Checked>,
    revision: i32,
    search: Search,
) -> Decision<(Draft, OrderStatus), CreateOutcome> {
    Decision::Answer(match (draft, checked) {
        (None, _) | (_, None) => CreateOutcome::NoDraft,
        (Some(Draft { order: Some(order), .. }), _) => CreateOutcome::AlreadyCreated(order),
        (Some(draft), _) if draft.revision != revision => CreateOutcome::Changed(Box::new(draft)),
        (Some(draft), Some(checked)) => {
            let missing = Field::ALL.into_iter().find(|field| !field.is_optional() && !draft.has(*field));
            match (missing, draft.guarantee_of) {
                (Some(field), _) => CreateOutcome::Missing(field, Box::new(draft)),
                _ if !checked.city_known => CreateOutcome::PlaceGone(Field::City, Box::new(draft)),
                _ if !checked.district_known => CreateOutcome::PlaceGone(Field::District, Box::new(draft)),
                _ if checked.slot_is_past => CreateOutcome::SlotPast(Box::new(draft)),
                _ if !checked.preferred_may => CreateOutcome::MasterGone(Box::new(draft)),
                (None, Some(order)) if !checked.guarantee_stands => CreateOutcome::NotClosed(order),
                (None, guarantee) => {
                    let status = match (search, guarantee) {
                        (Search::InTheMorning, _) => OrderStatus::Deferred,
                        (Search::Now, Some(_)) => OrderStatus::Guarantee,
                        (Search::Now, None) => OrderStatus::Created,
                    };
                    return Decision::Change((draft, status), CreateOutcome::NoDraft);
                }
            }
        }
    })
}
