//! What happens without anybody's tap: offers expire, orders wake, rounds begin, staff are called.
//!
//! Everything is in the database and found by its time, so a tick that dies loses nothing, two at once do no harm, and
//! how often it happens only decides how soon.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::auto_assign::{Dispatched, auto_assign};
use crate::db::{self, Db};
use crate::metrics::Metrics;

/// The pause between two passes in a program that goes on.
pub const EVERY: Duration = Duration::from_secs(1);

/// The pause after a pass that failed: the database is probably away.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

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
}

/// One pass over everything that is due.
///
/// # Errors
/// When the database failed; what was done before stays, and the rest is still due.
pub async fn pass(db: &Db) -> Result<Passed, db::Error> {
    let passed = Passed {
        expired: db::sweep::expire(db).await?,
        woken: db::sweep::wake(db).await?,
        dispatched: auto_assign(db).await?,
        overdue: db::sweep::escalate(db).await?,
    };
    let Passed { expired, woken, dispatched: Dispatched { orders, offers, escalated }, overdue } = passed;
    if passed != Passed::default() {
        let escalated = escalated + overdue;
        tracing::info!("tick: expired={expired} woken={woken} orders={orders} offers={offers} escalated={escalated}");
    }
    Ok(passed)
}

/// Passes again and again, with a pause of `every` in between, until `stop` is ready. A pass that fails is logged and
/// counted, and the next one tries again; a pass that is under way then is rolled back, and is due again.
///
/// # Errors
/// What the last pass failed with, if it did.
pub async fn run(db: &Db, metrics: &Metrics, every: Duration, stop: impl Future<Output = ()>) -> Result<(), db::Error> {
    let mut last = Ok(());
    let passes = async {
        loop {
            let failure = match AssertUnwindSafe(pass(db)).catch_unwind().await {
                Ok(Ok(_)) => {
                    last = Ok(());
                    None
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "a tick failed; the next one tries again");
                    last = Err(error);
                    Some("FAILED")
                }
                Err(_) => {
                    // The panic hook has said where. What is due waits for the next pass, not for ever.
                    tracing::error!("a panic in a tick; the next one tries again");
                    Some("PANIC")
                }
            };
            let pause = failure.map_or(every, |failure| {
                metrics.count("tick", failure);
                every.max(AFTER_FAILURE)
            });
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = passes => {}
        () = stop => {}
    }
    last
}
