//! Which updates are taken in, and in what order: as many are decided at once as keep the database's connections busy, the
//! others wait in one queue, and who cannot be served soon is told so.
//!
//! The queue is here and not at the pool's door, so that jobs and `/health` do not stand behind thousands of taps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use super::load::{LATE, Load, Verdict};

/// So many updates for each connection are decided at the same time: they do not use it all the time.
const PER_CONNECTION: usize = 4;
/// Nobody waits in the queue for longer. With what deciding and sending may take that is inside the about 60 seconds that
/// Telegram waits for an answer, and time enough for a burst on a slow machine.
const QUEUE: Duration = Duration::from_secs(30);
/// How often one that has waited for long asks whether it is given up.
const ASK: Duration = Duration::from_millis(250);
/// The longest that Telegram is asked to wait before it sends an update again, in seconds: buttons want an answer soon.
const RETRY: f64 = 5.0;

/// The door.
#[derive(Debug)]
pub(super) struct Admission {
    load: Mutex<Load>,
    permits: Semaphore,
    said: Mutex<Said>,
}

/// Who was refused since the log was told.
#[derive(Debug)]
struct Said {
    refused: u64,
    at: Option<Instant>,
}

/// An update was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// After how many seconds it may be sent again.
    pub(super) retry_after: u64,
}

/// An update that is under way until this is dropped.
pub(super) struct UnderWay {
    admission: Arc<Admission>,
    /// It has left already.
    left: bool,
}

impl Admission {
    /// For a server with so many connections to its database.
    pub(super) fn new(connections: usize) -> Self {
        Self {
            load: Mutex::new(Load::new(connections, std::time::Instant::now())),
            permits: Semaphore::new(connections * PER_CONNECTION),
            said: Mutex::new(Said { refused: 0, at: None }),
        }
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an update in.
    ///
    /// # Errors
    /// When it would have to wait for too long.
    pub(super) fn come(self: &Arc<Self>) -> Result<UnderWay, Refused> {
        let verdict = self.load().come(std::time::Instant::now());
        match verdict {
            Verdict::Welcome => Ok(UnderWay { admission: Arc::clone(self), left: false }),
            Verdict::TooMany(seconds) => Err(self.refuse(seconds)),
        }
    }

    /// The server stops: who waits is told to come again, and will find the next one.
    pub(super) fn close(&self) {
        self.permits.close();
    }

    /// Says so once a second at most.
    fn refuse(&self, seconds: f64) -> Refused {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.refused += 1;
        let now = Instant::now();
        if said.at.is_none_or(|at| now - at >= Duration::from_secs(1)) {
            let refused = std::mem::take(&mut said.refused);
            said.at = Some(now);
            tracing::warn!(refused, "too many updates: {refused} were refused, Telegram will send them again");
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one to five")]
        Refused { retry_after: seconds.ceil().clamp(1.0, RETRY) as u64 }
    }
}

impl UnderWay {
    /// Waits for this update's permit to be handled.
    ///
    /// # Errors
    /// When that takes too long, or the server stops.
    pub(super) async fn acquire(&mut self) -> Result<SemaphorePermit<'_>, Refused> {
        let Self { admission, left } = self;
        let begun = Instant::now();
        let mut permit = std::pin::pin!(admission.permits.acquire());
        let mut ask_at = begun + LATE;
        loop {
            tokio::select! {
                biased;
                permit = &mut permit => return permit.map_err(|_| Refused { retry_after: 1 }),
                () = sleep_until(ask_at) => {
                    let waited = begun.elapsed();
                    *left = admission.load().give_up(std::time::Instant::now());
                    if *left || waited >= QUEUE {
                        return Err(admission.refuse(waited.as_secs_f64()));
                    }
                    ask_at += ASK;
                }
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.left {
            self.admission.load().leave(std::time::Instant::now());
        }
    }
}
