//! A master declines an offer: the same lock and facts as accepting, and a smaller change.

use tokio::join;

use super::transaction::{self, Answered, Attempt, Decision, Request};
use crate::model::facts::{Facts, Standing};
use crate::model::order::OwnOrder;
use crate::model::update::Action;
use crate::model::{MasterRef, OfferId, OfferList, OrderId, Origin};
use crate::store::{self, Connection, Store};

/// Every answer to «Да, отклонить».
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one is made per tap, and moved a few times")]
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

/// Declines the live offer of `order` to `master`, with that page of the master's list. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn decline(
    store: &Store,
    order: OrderId,
    master: MasterRef,
    origin: Option<&Origin>,
    page: i64,
) -> Result<Option<Answered<DeclineOutcome>>, store::Error> {
    let request = Request { action: Action::Decline, order, master, origin };
    let look = async || {
        let list = super::view::offers_in(store, master, request.message(), page).await?;
        Ok(list.map(|list| (list.master, list)))
    };
    let attempt = |connection| attempt(store, connection, request, page);
    let answered = transaction::settle(store, request, DeclineOutcome::Busy, look, attempt).await?;
    let user = master.telegram_user().unwrap_or_default();
    match &answered {
        None => tracing::warn!(
            order = order.0,
            outcome = "STRANGER",
            "offer_decline STRANGER: order={order} telegram_user={user}"
        ),
        Some(Answered { outcome, master, .. }) => {
            let word = outcome.name();
            tracing::info!(
                order = order.0,
                master = master.0,
                outcome = word,
                "offer_decline {word}: order={order} master={master}"
            );
        }
    }
    Ok(answered)
}

async fn attempt(
    store: &Store,
    connection: Connection,
    request: Request<'_>,
    page: i64,
) -> Result<Option<Attempt<DeclineOutcome, OfferList>>, store::Error> {
    let now = store.now();
    let [lock, facts, decline, record, list] = connection
        .ready([
            &store::orders::LOCK,
            &store::facts::READ,
            &store::offers::DECLINE,
            &store::updates::RECORD,
            &store::offers::PAGE,
        ])
        .await?;

    let Some((locked, facts)) = request.look(&connection, &lock, &facts, now).await? else { return Ok(None) };
    let (master, processed) = (facts.master.id, facts.processed.is_some());

    let fresh_list = store::offers::read_page(&connection, &list, MasterRef::Id(master), page, request.message(), now);
    let (outcome, fresh, enqueued) = match decide(locked, &facts) {
        Decision::Change(offer, outcome) => {
            match store::offers::decline(&connection, &decline, offer, request.message(), now).await? {
                Some(enqueued) => {
                    let (recorded, (committed, fresh)) = join!(
                        request.record(&connection, &record, Some(master), outcome.name(), true, now),
                        connection.commit_then(fresh_list),
                    );
                    recorded?;
                    committed?;
                    (Some(outcome), transaction::if_read(fresh), enqueued > 0)
                }
                // Not live: somebody changed it without the order's lock, so look again.
                None => (None, request.leave(&connection, &record, Some(master), None, now, fresh_list).await?, false),
            }
        }
        Decision::Answer(outcome) => {
            let fresh = request
                .leave(&connection, &record, Some(master), (!processed).then_some(outcome.name()), now, fresh_list)
                .await?;
            (Some(outcome), fresh, false)
        }
        Decision::Retry => {
            (None, request.leave(&connection, &record, Some(master), None, now, fresh_list).await?, false)
        }
    };
    let fresh = fresh.map(|list| list.of_load(facts.master.active_orders, facts.master.max_active_orders));
    Ok(Some(Attempt { master, outcome, fresh, enqueued }))
}

/// As in accepting: without the lock nothing is allowed.
fn decide(locked: bool, facts: &Facts) -> Decision<OfferId, DeclineOutcome> {
    let Some(order) = &facts.order else { return Decision::Answer(DeclineOutcome::NotFound) };
    Decision::Answer(match facts.standing() {
        Standing::Offered(_) if facts.processed.is_some() => repeated(facts.processed.as_deref()),
        Standing::Offered(offer) if locked => return Decision::Change(offer.id, DeclineOutcome::Declined),
        Standing::Offered(_) => return Decision::Retry,
        Standing::Unknown => DeclineOutcome::NotFound,
        Standing::Yours => DeclineOutcome::AlreadyYours(order.order.clone()),
        Standing::Withdrawn => DeclineOutcome::Withdrawn,
        Standing::Taken => DeclineOutcome::Taken,
        Standing::Declined => DeclineOutcome::AlreadyDeclined,
        Standing::Expired => DeclineOutcome::Expired,
    })
}

/// What a redelivered tap is answered that would decline an offer made since: what the tap itself came to.
fn repeated(word: Option<&str>) -> DeclineOutcome {
    match word {
        Some(transaction::BUSY) => DeclineOutcome::Busy,
        Some("SUCCESS" | "ALREADY_DECLINED") => DeclineOutcome::AlreadyDeclined,
        Some("EXPIRED") => DeclineOutcome::Expired,
        _ => DeclineOutcome::Withdrawn,
    }
}
