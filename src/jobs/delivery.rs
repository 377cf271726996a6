//! Delivery of the outbox: claims what can be sent, and sends each row in a task of its own.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Jobs;
use crate::bots::delivery;
use crate::dispatch::deliver;
use crate::store;

/// The pause after a claim.
const BUSY: Duration = Duration::from_millis(200);
/// How soon what another process has left is found. What this one enqueues ends the pause.
const IDLE: Duration = Duration::from_secs(2);
/// How long a claim and messages that are under way at the end are waited for, in all: as long as calls to Telegram take.
const DRAIN: Duration = Duration::from_secs(9);
/// Backoff for recording a delivery result: a database that restarts is back by then. If the lease ends first, the message is
/// sent twice.
const BACKOFF: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Goes on sending until `stop` is ready, and finishes what is under way then.
pub(super) async fn run(jobs: &Jobs, stop: Shared<impl Future<Output = ()>>) -> Option<&'static str> {
    let under_way = Mutex::new(JoinSet::new());
    let pass = || pass(jobs, &under_way);
    // A claim is not dropped half-way: its rows would stay leased.
    let passes = jobs.supervise("deliver", IDLE, Some(&jobs.bots.enqueued), stop.clone(), false, pass);
    let deadline = stop.then(async |()| Instant::now() + DRAIN);
    let deadline = deadline.shared();
    let failed = tokio::select! {
        failed = passes => failed,
        () = async { sleep_until(deadline.clone().await).await } => Some("deliver"),
    };
    let mut under_way = under_way.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rest = async { while under_way.join_next().await.is_some() {} };
    if timeout_at(deadline.await, rest).await.is_err() {
        tracing::warn!("stopped with messages under way; they are sent again");
    }
    failed
}

/// Claims once if anything is due; how long to pause.
async fn pass(jobs: &Jobs, under_way: &Mutex<JoinSet<()>>) -> Result<Duration, store::Error> {
    // One that panicked has said so; its row is sent again when its lease ends.
    while lock(under_way).try_join_next().is_some() {}
    let store = &jobs.bots.store;
    match deliver::seconds_until_due(store).await? {
        None => Ok(IDLE),
        Some(seconds) if seconds > 0.0 => Ok(Duration::from_secs_f64(seconds.min(IDLE.as_secs_f64()))),
        Some(_) => {
            for row in deliver::claim(store, None).await? {
                let bots = jobs.bots.clone();
                lock(under_way).spawn(async move { delivery::attempt(&bots, row, &BACKOFF).await });
            }
            Ok(BUSY)
        }
    }
}

fn lock(under_way: &Mutex<JoinSet<()>>) -> MutexGuard<'_, JoinSet<()>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
