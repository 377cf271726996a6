//! Somebody of the staff makes an order of a draft: once, whatever is tapped or delivered again.
//!
//! The draft's lock decides between two taps at once, and the draft remembers its order. Once it is committed, the first round
//! begins in the same request; should that fail, the next tick begins it.

use tokio::join;

use super::begin_rounds;
use crate::model::draft::{Draft, DraftId, Field};
use crate::model::new_order::{Checked, NewOrder, Obstacle, Search};
use crate::model::slot::DAYS_AHEAD;
use crate::model::update::Action;
use crate::model::{OrderId, Origin, StaffRef};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Store, drafts, new_orders};

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
    origin: Option<&Origin>,
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
    origin: Option<&Origin>,
) -> Result<CreateOutcome, store::Error> {
    let now = store.now();
    let [lock, check, make, record] =
        connection.ready([&drafts::LOCK, &new_orders::CHECK, &new_orders::MAKE, &updates::RECORD]).await?;
    let (begun, draft) = join!(connection.begin(), drafts::lock(&connection, &lock, staff, id, now));
    begun?;
    let outcome = match as_shown(draft?, revision, search) {
        Err(outcome) => outcome,
        Ok((draft, order)) => {
            let said = std::slice::from_ref(&order);
            let checked = new_orders::check(&connection, &check, staff, said, DAYS_AHEAD, now).await?;
            match checked.as_deref().and_then(<[_]>::first).map(|checked| refusal(*checked, draft)) {
                None => CreateOutcome::NoDraft,
                Some(Some(refused)) => refused,
                Some(None) => {
                    let of = Some((id.0, revision));
                    let orders = new_orders::make(&connection, &make, staff, said, nameless, of, now).await?;
                    let created = |order: &OrderId| CreateOutcome::Created { order: *order, asked: 0 };
                    orders.first().map_or(CreateOutcome::NoDraft, created)
                }
            }
        }
    };
    let durable = matches!(outcome, CreateOutcome::Created { .. });
    let answer = Answer { action: Action::Create, order: outcome.order(), outcome: outcome.name(), durable };
    updates::record(&connection, &record, origin, None, answer, now).await?;
    connection.commit().await?;
    Ok(outcome)
}

/// The draft and what it says, if it is still as it was shown and says enough.
fn as_shown(draft: Option<Draft>, revision: i32, search: Search) -> Result<(Draft, NewOrder), CreateOutcome> {
    match draft {
        None => Err(CreateOutcome::NoDraft),
        Some(Draft { order: Some(order), .. }) => Err(CreateOutcome::AlreadyCreated(order)),
        Some(draft) if draft.revision != revision => Err(CreateOutcome::Changed(Box::new(draft))),
        Some(draft) => match NewOrder::of_draft(&draft, search) {
            Err(field) => Err(CreateOutcome::Missing(field, Box::new(draft))),
            Ok(order) => Ok((draft, order)),
        },
    }
}

/// The first thing that stands against an order of this draft. A time that is far ahead was said and shown.
fn refusal(checked: Checked, draft: Draft) -> Option<CreateOutcome> {
    let guarantee_of = draft.guarantee_of;
    let draft = Box::new(draft);
    let first = checked.obstacles().into_iter().find(|obstacle| *obstacle != Obstacle::FarSlot)?;
    Some(match (first, guarantee_of) {
        (Obstacle::City, _) => CreateOutcome::PlaceGone(Field::City, draft),
        (Obstacle::District, _) => CreateOutcome::PlaceGone(Field::District, draft),
        (Obstacle::PastSlot | Obstacle::FarSlot, _) => CreateOutcome::SlotPast(draft),
        (Obstacle::Preferred, _) => CreateOutcome::MasterGone(draft),
        (Obstacle::Guarantee, Some(order)) => CreateOutcome::NotClosed(order),
        (Obstacle::Guarantee, None) => return None,
    })
}
