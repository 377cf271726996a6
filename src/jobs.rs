//! What happens without a tap, again and again: sweeps, rounds, delivery of the outbox, measuring.
//!
//! Each job runs, fails, backs off and is measured alone: one that fails or panics begins anew and stops no other. Everything
//! that is due is in the database and found by its time, so a process that dies loses nothing, two at once do no harm,
//! and how often a job runs only decides how soon.

mod delivery;
mod measure;
mod sweeping;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{Shared, join, join_all};
use tokio::select;
use tokio::sync::Notify;

use crate::bots::Bots;
use crate::dispatch::begin_rounds::{Dispatched, begin_rounds};
use crate::dispatch::close_day::close_day;
use crate::liveness::Liveness;
use crate::store;
use crate::store::sweeps::{
    CALL, CALL_CHANGES, CARDS, ESCALATE, EXPIRE, FORGET_CHATS, FORGET_DRAFTS, FORGET_LOST_TAPS, FORGET_MESSAGES,
    FORGET_ONBOARDINGS, FORGET_SEARCHES, FORGET_SESSIONS, FORGET_SHOWN, FORGET_UPDATES, LATE, NEWCOMERS, OVERTAKEN,
    PURGE, RECALL, RESCHEDULE, RETURNED, SEAL, Sweep, UNREACHABLE, WAKE,
};
use sweeping::SetAside;

/// Offers expire and rounds begin: an order is offered within a second of being made.
const AT_ONCE: Duration = Duration::from_millis(400);
/// What may take some seconds.
const SOON: Duration = Duration::from_secs(15);
/// What nobody waits for.
const SOME_TIME: Duration = Duration::from_mins(1);

/// The pause after a pass that failed doubles from the first to the second: the database is probably away.
const BACKOFF: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// The jobs of a process.
pub struct Jobs {
    bots: Bots,
    liveness: Arc<Liveness>,
    set_aside: SetAside,
}

/// A job that finds what is due, and does it.
#[derive(Clone, Copy)]
enum Job {
    Sweep(&'static Sweep, Duration),
    BeginRounds,
    CloseDay,
    Measure,
}

/// Every job, in the order of [`Jobs::pass`].
const JOBS: [Job; 27] = [
    Job::Sweep(&EXPIRE, AT_ONCE),
    Job::Sweep(&WAKE, SOON),
    Job::BeginRounds,
    Job::Sweep(&ESCALATE, SOON),
    Job::Sweep(&CALL, SOON),
    Job::Sweep(&CARDS, SOON),
    Job::Sweep(&RECALL, SOON),
    Job::Sweep(&LATE, SOON),
    Job::Sweep(&RETURNED, SOON),
    Job::Sweep(&UNREACHABLE, SOON),
    Job::Sweep(&NEWCOMERS, SOON),
    Job::Sweep(&CALL_CHANGES, SOON),
    Job::Sweep(&OVERTAKEN, SOON),
    Job::Sweep(&RESCHEDULE, SOME_TIME),
    Job::Sweep(&FORGET_MESSAGES, SOME_TIME),
    Job::Sweep(&FORGET_UPDATES, SOME_TIME),
    Job::Sweep(&FORGET_SHOWN, SOME_TIME),
    Job::Sweep(&FORGET_CHATS, SOME_TIME),
    Job::Sweep(&FORGET_DRAFTS, SOME_TIME),
    Job::Sweep(&FORGET_ONBOARDINGS, SOME_TIME),
    Job::Sweep(&FORGET_SEARCHES, SOME_TIME),
    Job::Sweep(&FORGET_SESSIONS, SOME_TIME),
    Job::Sweep(&FORGET_LOST_TAPS, SOME_TIME),
    Job::Sweep(&PURGE, SOME_TIME),
    Job::Sweep(&SEAL, SOON),
    Job::CloseDay,
    Job::Measure,
];

impl Job {
    fn name(self) -> &'static str {
        match self {
            Self::Sweep(sweep, _) => sweep.name,
            Self::BeginRounds => "begin_rounds",
            Self::CloseDay => "close_day",
            Self::Measure => "measure",
        }
    }

    fn every(self) -> Duration {
        match self {
            Self::Sweep(_, every) => every,
            Self::BeginRounds => AT_ONCE,
            Self::CloseDay | Self::Measure => SOME_TIME,
        }
    }
}

/// What becomes of a pass that is under way when the process is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtStop {
    /// It is dropped, and rolled back.
    DropPass,
    /// It is waited for.
    FinishPass,
}

/// What one pass of every sweep and of the rounds did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Offers that expired.
    pub expired: usize,
    /// Deferred orders that woke.
    pub woken: usize,
    /// Rounds.
    pub dispatched: Dispatched,
    /// Searches that have taken too long.
    pub overdue: usize,
    /// Calls for a dispatcher that were enqueued.
    pub called: usize,
    /// Cards of ended offers whose update was enqueued.
    pub cards: usize,
}

impl Passed {
    /// Where it is said what a sweep did, if it is.
    fn count_of(&mut self, sweep: &'static Sweep) -> Option<&mut usize> {
        let counts = [
            (&EXPIRE, &mut self.expired),
            (&WAKE, &mut self.woken),
            (&ESCALATE, &mut self.overdue),
            (&CALL, &mut self.called),
            (&CARDS, &mut self.cards),
        ];
        counts.into_iter().find(|(counted, _)| std::ptr::eq(*counted, sweep)).map(|(_, count)| count)
    }
}

/// What a job did; nothing, if it failed, and the first failure is noted.
fn or_note<T: Default>(result: Result<T, store::Error>, failure: &mut Option<store::Error>) -> T {
    result.unwrap_or_else(|error| {
        failure.get_or_insert(error);
        T::default()
    })
}

impl Jobs {
    pub(crate) fn new(bots: Bots, liveness: Arc<Liveness>) -> Self {
        Self { bots, liveness, set_aside: SetAside::default() }
    }

    /// Runs every job until `stop` is ready; what is due then is still due. A pass that is under way at the end is rolled
    /// back; messages that are under way are waited for. The jobs whose last pass failed.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Vec<&'static str> {
        let stop = stop.shared();
        let each = join_all(JOBS.map(|job| self.repeat(job, stop.clone())));
        let (failed, delivered) = join(each, delivery::run(self, stop.clone())).await;
        failed.into_iter().chain([delivered]).flatten().collect()
    }

    /// One pass of every job but delivery and measuring, one after another: what `run` does all the time.
    ///
    /// # Errors
    /// When one of them failed: the first of them, after all have had their turn. What was done stays, and the rest is still due.
    pub async fn pass(&self) -> Result<Passed, store::Error> {
        let (mut passed, mut failure) = (Passed::default(), None);
        for job in JOBS {
            match job {
                Job::Sweep(sweep, _) => {
                    let changed = or_note(self.sweep(sweep).await, &mut failure);
                    if let Some(count) = passed.count_of(sweep) {
                        *count = changed;
                    }
                }
                Job::BeginRounds => passed.dispatched = or_note(self.begin_rounds().await, &mut failure),
                Job::CloseDay => or_note(self.close_day().await, &mut failure),
                Job::Measure => {}
            }
        }
        failure.map_or(Ok(passed), Err)
    }

    async fn repeat(&self, job: Job, stop: Shared<impl Future<Output = ()>>) -> Option<&'static str> {
        let pass = || self.pass_of(job);
        self.supervise(job.name(), job.every(), None, stop, AtStop::DropPass, pass).await
    }

    /// One pass of a job; how long to pause.
    async fn pass_of(&self, job: Job) -> Result<Duration, store::Error> {
        match job {
            Job::Sweep(sweep, _) => drop(self.sweep(sweep).await?),
            Job::BeginRounds => {
                let Dispatched { escalated, .. } = self.begin_rounds().await?;
                if escalated > 0 {
                    self.sweep(&CALL).await?;
                }
            }
            Job::CloseDay => self.close_day().await?,
            Job::Measure => measure::pass(&self.bots).await?,
        }
        Ok(job.every())
    }

    async fn close_day(&self) -> Result<(), store::Error> {
        if close_day(&self.bots.store).await? > 0 {
            self.bots.enqueued.notify_one();
        }
        Ok(())
    }

    async fn begin_rounds(&self) -> Result<Dispatched, store::Error> {
        let dispatched = begin_rounds(&self.bots.store).await?;
        let Dispatched { orders, offers, escalated, set_aside } = dispatched;
        if dispatched != Dispatched::default() {
            tracing::info!("begin_rounds: orders={orders} offers={offers} escalated={escalated} set_aside={set_aside}");
        }
        if offers > 0 {
            self.bots.enqueued.notify_one();
        }
        Ok(dispatched)
    }

    /// Passes again and again until `stop` is ready, whatever becomes of a single pass: one that fails or panics is logged
    /// and counted, and the next one begins after a backoff. `pass` says how long to pause. `wake`: what ends a pause early.
    /// The name, if the last pass failed.
    async fn supervise<F>(
        &self,
        name: &'static str,
        every: Duration,
        wake: Option<&Notify>,
        stop: Shared<impl Future<Output = ()>>,
        at_stop: AtStop,
        pass: impl Fn() -> F,
    ) -> Option<&'static str>
    where
        F: Future<Output = Result<Duration, store::Error>>,
    {
        self.liveness.beat(name, every, Instant::now());
        let (mut backoff, mut failure) = (BACKOFF[0], None);
        loop {
            let begun = Instant::now();
            let passed = {
                let mut passing = pin!(AssertUnwindSafe(pass()).catch_unwind());
                select! {
                    passed = &mut passing => passed,
                    () = stop.clone(), if at_stop == AtStop::DropPass => return failure,
                }
            };
            let pause;
            (pause, failure) = match passed {
                Ok(Ok(pause)) => {
                    let now = Instant::now();
                    self.liveness.beat(name, every, now);
                    self.bots.metrics.measure_job(name, now.duration_since(begun));
                    (pause, None)
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, job = name, "job {name}: a pass failed; the next one tries again");
                    self.bots.metrics.count_job(name, "FAILED");
                    (backoff, Some(name))
                }
                Err(_) => {
                    // The panic hook has said where. What is due waits for the next pass, not for ever.
                    tracing::error!(job = name, "job {name}: a panic in a pass; the next one tries again");
                    self.bots.metrics.count_job(name, "PANIC");
                    (backoff, Some(name))
                }
            };
            backoff = if failure.is_some() { (backoff * 2).min(BACKOFF[1]) } else { BACKOFF[0] };
            let woken = async {
                match wake {
                    Some(wake) if failure.is_none() => wake.notified().await,
                    _ => std::future::pending().await,
                }
            };
            select! {
                () = tokio::time::sleep(pause) => {}
                () = woken => {}
                () = stop.clone() => return failure,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::app::App;
    use crate::store::{Clock, Error};

    /// On a clock that is put forward whenever everybody sleeps.
    #[tokio::test(start_paused = true)]
    async fn a_job_that_panics_or_fails_begins_anew() {
        let lookup = |name: &str| match name {
            "DATABASE_URL" => Some("postgresql://nobody@127.0.0.1:1/none".to_owned()),
            "MASTER_BOT_TOKEN" => Some("1:token".to_owned()),
            "ADMIN_BOT_TOKEN" => Some("2:token".to_owned()),
            _ => None,
        };
        let app = App::without_webhook(&lookup, 1, Clock::default()).expect("an app");
        let jobs = app.jobs();
        let passes = AtomicU32::new(0);
        let pass = || {
            let number = passes.fetch_add(1, Ordering::Relaxed);
            async move {
                match number {
                    0 => panic!("the first pass panics"),
                    1 => Err(Error::Stalled(Duration::ZERO)),
                    _ => Ok(Duration::from_secs(1)),
                }
            }
        };
        let stop = tokio::time::sleep(Duration::from_secs(20)).shared();
        let failed = jobs.supervise("odd", Duration::from_secs(1), None, stop, AtStop::DropPass, pass).await;
        assert_eq!(failed, None, "the last pass succeeded");
        // A second and two of backoff, then one pass a second.
        assert!(passes.load(Ordering::Relaxed) > 15, "{passes:?}");
        assert_eq!((app.metrics.get("odd", "PANIC"), app.metrics.get("odd", "FAILED")), (1, 1));
        assert!(app.liveness.pulses(Instant::now())["odd"].alive);
    }
}
