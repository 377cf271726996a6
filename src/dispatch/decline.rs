//! A master declines an offer: the same lock and facts as accepting, and a smaller change.

use tokio::join;

use super::locked::{self, Answered, Attempt};
use crate::model::facts::{Facts, Standing};
use crate::model::order::OwnOrder;
use crate::model::{OfferId, OrderId, Tap};
use crate::store::{self, Connection, Store};

/// Every answer to «Да, отклонить».
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclineOutcome {
    /// No offer of this order to this master, and not this master's order.
    NotFound,
    /// The order is this master's by now, and declining does not undo that.
    AlreadyYours(OwnOrder),
    /// The order was canceled or closed, or the offer recalled.
    Withdrawn,
    /// Another master has it.
    Taken,
    /// Declined before, by an earlier tap or a redelivery of it.
    AlreadyDeclined,
    /// The offer's deadline has passed.
    Expired,
    /// Committed: declined.
    Declined,
    /// Somebody held the order or the master for longer than a tap waits; nothing was changed.
    Busy,
}

impl DeclineOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyYours(_) => "ALREADY_YOURS",
            Self::Withdrawn => "WITHDRAWN",
            Self::Taken => "TAKEN",
            Self::AlreadyDeclined => "ALREADY_DECLINED",
            Self::Expired => "EXPIRED",
            Self::Declined => "SUCCESS",
            Self::Busy => "BUSY",
        }
    }
}

/// Declines the live offer of `order` to the master who tapped. `None`: no master did.
///
/// # Errors
/// When the database failed.
pub async fn decline(
    store: &Store,
    order: OrderId,
    by: &Tap,
    page: i64,
) -> Result<Option<Answered<DeclineOutcome>>, store::Error> {
    let look = async || locked::offers(store, by, page).await;
    let attempt = |connection| attempt(store, connection, order, by, page);
    let answered = locked::settle(store, DeclineOutcome::Busy, look, attempt).await?;
    match &answered {
        None => tracing::warn!("offer_decline STRANGER: order={order} telegram_user={}", by.user),
        Some(Answered { outcome, master, .. }) => {
            tracing::info!("offer_decline {}: order={order} master={master}", outcome.name());
        }
    }
    Ok(answered)
}

async fn attempt(
    store: &Store,
    connection: Connection,
    order: OrderId,
    by: &Tap,
    page: i64,
) -> Result<Option<Attempt<DeclineOutcome>>, store::Error> {
    let now = store.now();
    let [lock, facts, decline, list] = connection
        .ready([&store::orders::LOCK, &store::facts::READ, &store::offers::DECLINE, &store::offers::PAGE])
        .await?;

    let Some((locked, facts)) = locked::look(&connection, &lock, &facts, order, by, now).await? else {
        return Ok(None);
    };

    let fresh_list = store::offers::read_page(&connection, &list, by, page, now);
    let (outcome, fresh, told) = match decide(locked, &facts) {
        Decision::Decline(offer) => {
            let (declined, committed, fresh) =
                join!(store::offers::decline(&connection, &decline, offer, by, now), connection.commit(), fresh_list);
            // Not live: somebody changed it without the order's lock, so look again.
            let declined = declined?;
            committed?;
            (declined.map(|_| DeclineOutcome::Declined), locked::if_read(fresh), declined == Some(true))
        }
        Decision::Answer(outcome) => (Some(outcome), locked::leave(&connection, fresh_list).await?, false),
        Decision::LookAgain => (None, locked::leave(&connection, fresh_list).await?, false),
    };
    Ok(Some(Attempt { master: facts.master.id, outcome, fresh, told }))
}

enum Decision {
    Answer(DeclineOutcome),
    Decline(OfferId),
    LookAgain,
}

/// As in accepting: without the lock nothing is allowed.
fn decide(locked: bool, facts: &Facts) -> Decision {
    let Some(order) = &facts.order else { return Decision::Answer(DeclineOutcome::NotFound) };
    Decision::Answer(match facts.standing() {
        Standing::Offered(offer) if locked => return Decision::Decline(offer.id),
        Standing::Offered(_) => return Decision::LookAgain,
        Standing::Unknown => DeclineOutcome::NotFound,
        Standing::Yours => DeclineOutcome::AlreadyYours(order.order.clone()),
        Standing::Withdrawn => DeclineOutcome::Withdrawn,
        Standing::Taken => DeclineOutcome::Taken,
        Standing::Declined => DeclineOutcome::AlreadyDeclined,
        Standing::Expired => DeclineOutcome::Expired,
    })
}
