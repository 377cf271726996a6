//! What happens without anybody's tap, again and again: [`sweep`] finds what is due, [`outbox`] tells people, and once a
//! minute it is measured what waits.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::{join, select};

use crate::app::App;
use crate::bots::delivery;
use crate::dispatch::sweep;
use crate::store;
use crate::telegram::{self, Bot};

/// The pause between two passes: an order is offered within a second of being made.
const EVERY: Duration = Duration::from_millis(400);
/// The pause after a pass that failed: the database is probably away.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// For how many seconds a message may wait without anybody hearing of it.
const LATE: f64 = 60.0;
/// How often it is measured what waits.
const MEASURE: Duration = Duration::from_mins(1);

/// Passes and sends until `stop` is ready; what is due then is still due. A pass that fails is logged and counted, and
/// the next one tries again; one that is under way at the end is rolled back. Messages under way are waited for.
///
/// # Errors
/// What the last pass failed with, if it did.
pub async fn run(app: &Arc<App>, stop: impl Future<Output = ()>) -> Result<(), store::Error> {
    let stop = stop.shared();
    let mut last = Ok(());
    let passes = async {
        loop {
            // On the heap: it is large, and its callers would be.
            let pause = Box::pin(pass(app, &mut last)).await;
            tokio::time::sleep(pause).await;
        }
    };
    let measures = async {
        loop {
            measure(app).await;
            tokio::time::sleep(MEASURE).await;
        }
    };
    let until_stop = async {
        select! {
            () = passes => {}
            () = measures => {}
            () = stop.clone() => {}
        }
    };
    join!(until_stop, delivery::run(app, stop.clone()));
    last
}

/// One pass; how long to wait for the next.
async fn pass(app: &App, last: &mut Result<(), store::Error>) -> Duration {
    let failure = match AssertUnwindSafe(sweep::pass(&app.store)).catch_unwind().await {
        Ok(Ok(_)) => {
            *last = Ok(());
            return EVERY;
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "a tick failed; the next one tries again");
            *last = Err(error);
            "FAILED"
        }
        Err(_) => {
            // The panic hook has said where. What is due waits for the next pass, not for ever.
            tracing::error!("a panic in a tick; the next one tries again");
            "PANIC"
        }
    };
    app.metrics.count("tick", failure);
    AFTER_FAILURE
}

/// Says how long the oldest message has waited, and how many updates wait at Telegram: what nobody sees who only looks
/// at what is done.
async fn measure(app: &App) {
    match store::outbox::oldest_seconds(&app.store).await {
        Ok(seconds) => {
            if seconds > LATE {
                tracing::warn!("outbox: a message has waited for {seconds:.0} s");
            }
            app.metrics.measure("outbox.oldest_seconds", seconds);
        }
        Err(error) => tracing::warn!(%error, "the outbox could not be measured"),
    }
    let waiting = async |bot: &Bot| Ok::<_, telegram::Error>(bot.webhook_info().await?.pending_update_count);
    match (waiting(&app.master_bot).await, waiting(&app.admin_bot).await) {
        (Ok(master), Ok(admin)) => {
            app.metrics.measure("telegram.waiting_updates", f64::from(master) + f64::from(admin));
        }
        (Err(error), _) | (_, Err(error)) => tracing::warn!(%error, "Telegram does not say how many updates wait"),
    }
}
