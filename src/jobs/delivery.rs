//! Delivery of the outbox: claims what can be sent, and sends each row in a task of its own.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::{AtStop, Jobs};
use crate::bots::delivery;
use crate::dispatch::deliver;
use crate::store;

/// The pause after a claim.
const BUSY: Duration = Duration::from_millis(200);
/// How soon what another process has left is found. What this one enqueues ends the pause.
const IDLE: Duration = Duration::from_secs(2);
/// How long a claim and messages that are under way at the end are waited for, in all: as long as calls to Telegram take.
const DRAIN: Duration = Duration::from_secs(9);
/// How soon a result that could not be recorded is recorded again.
const RECORD: Duration = Duration::from_secs(1);
/// While so many results wait to be recorded, nothing is claimed.
const UNRECORDED: usize = 500;

/// Goes on sending until `stop` is ready, and finishes what is under way then.
pub(super) async fn run(jobs: &Jobs, stop: Shared<impl Future<Output = ()>>) -> Option<&'static str> {
    let under_way = Mutex::new(JoinSet::new());
    let pass = || pass(jobs, &under_way);
    // A claim is not dropped half-way: its rows would stay leased.
    let passes = jobs.supervise("deliver", IDLE, Some(&jobs.bots.enqueued), stop.clone(), AtStop::FinishPass, pass);
    let deadline = stop.then(async |()| Instant::now() + DRAIN);
    let deadline = deadline.shared();
    let deliver = async {
        let failed = tokio::select! {
            failed = passes => failed,
            () = async { sleep_until(deadline.clone().await).await } => Some("deliver"),
        };
        let mut rest = std::mem::take(&mut *lock(&under_way));
        let rest = async {
            while rest.join_next().await.is_some() {}
            while jobs.bots.delivery.unrecorded() > 0 {
                sleep(RECORD).await;
            }
        };
        if timeout_at(deadline.clone().await, rest).await.is_err() {
            tracing::warn!("stopped with messages under way or not recorded; they are sent again");
        }
        failed
    };
    jobs.bots.delivery.is_to_be_recorded_by_a_job(true);
    let failed = tokio::select! {
        failed = deliver => failed,
        never = record_again(jobs) => match never {},
    };
    jobs.bots.delivery.is_to_be_recorded_by_a_job(false);
    failed
}

/// Records again and again what could not be recorded, however long the database is away.
async fn record_again(jobs: &Jobs) -> Infallible {
    loop {
        sleep(RECORD).await;
        if jobs.bots.delivery.unrecorded() > 0
            && let Err(error) = delivery::record_kept(&jobs.bots).await
        {
            tracing::debug!(%error, "results of messages are still kept");
        }
    }
}

/// Claims once if anything is due; how long to pause.
async fn pass(jobs: &Jobs, under_way: &Mutex<JoinSet<()>>) -> Result<Duration, store::Error> {
    // One that panicked has said so; its row is sent again when its lease ends.
    while lock(under_way).try_join_next().is_some() {}
    if jobs.bots.delivery.unrecorded() >= UNRECORDED {
        return Ok(BUSY);
    }
    let store = &jobs.bots.store;
    match deliver::seconds_until_due(store).await? {
        None => Ok(IDLE),
        Some(seconds) if seconds > 0.0 => Ok(Duration::from_secs_f64(seconds.min(IDLE.as_secs_f64()))),
        Some(_) => {
            for row in deliver::claim(store, None).await? {
                let bots = jobs.bots.clone();
                lock(under_way).spawn(async move { delivery::attempt(&bots, row).await });
            }
            Ok(BUSY)
        }
    }
}

fn lock(under_way: &Mutex<JoinSet<()>>) -> MutexGuard<'_, JoinSet<()>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
