//! What happens without anybody's tap: offers expire, orders wake, rounds begin, staff are called. Whom that concerns is
//! noted in the outbox.
//!
//! Everything is in the database and found by its time, so a tick that dies loses nothing, two at once do no harm, and
//! how often it happens only decides how soon.

use super::begin_rounds::{Dispatched, begin_rounds};
use crate::store::{self, Store};

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Offers that expired.
    pub expired: usize,
    /// Deferred orders that woke.
    pub woken: usize,
    /// Rounds.
    pub dispatched: Dispatched,
    /// Orders of which staff are to be told because of the time.
    pub overdue: usize,
    /// Cards of ended offers that were about to be left as they are.
    pub cards: usize,
}

/// One pass over everything that is due.
///
/// # Errors
/// When the database failed; what was done before stays, and the rest is still due.
pub async fn pass(store: &Store) -> Result<Passed, store::Error> {
    let passed = Passed {
        expired: store::sweep::expire(store).await?,
        woken: store::sweep::wake(store).await?,
        dispatched: begin_rounds(store).await?,
        overdue: store::sweep::escalate(store).await?,
        cards: store::sweep::cards(store).await?,
    };
    store::sweep::overtaken(store).await?;
    store::sweep::forget(store).await?;
    if passed.dispatched.escalated + passed.overdue > 0 && !store::sweep::anybody_to_call(store).await? {
        tracing::error!("orders need a dispatcher, and there is none: add one to the table staff");
    }
    let Passed { expired, woken, dispatched: Dispatched { orders, offers, escalated }, overdue, cards } = passed;
    if passed != Passed::default() {
        let escalated = escalated + overdue;
        tracing::info!(
            "tick: expired={expired} woken={woken} orders={orders} offers={offers} escalated={escalated} cards={cards}"
        );
    }
    Ok(passed)
}
