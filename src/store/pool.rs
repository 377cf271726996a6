//! The pool: connections that are opened when they are needed, and lent to one piece of work at a time.
//!
//! It learns how many the server allows. A connection that cannot be opened while others exist is nobody's failure: whoever
//! wanted it waits for one of those, and the pool wants fewer for a while. Only when there is none at all is the failure
//! told, and then at once.
//!
//! Invariant: nobody opens or holds a pooled connection without a place, and there are as many places as connections are
//! believed to be allowed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool as Connections, PoolError, RecyclingMethod, Runtime,
    TimeoutType,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{timeout, timeout_at};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Error, tls};
use crate::config;

/// Waits for a connection at most this long. A burst of taps queues before that; see `http::admission`.
const WAIT: Duration = Duration::from_secs(12);
/// Opening a connection, TLS included, takes at most this long.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is asked whether it lives before it is used: a frozen Lambda cannot notice
/// that the server hung up. Asking every time would cost a round trip per tap.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// How long that question may take.
const PROBE: Duration = Duration::from_secs(2);

/// How long after the server has said that it has no more connections for us one more is tried.
const FULL: Duration = Duration::from_secs(30);
/// The same after any other failure, such as a network that hiccups.
const FAILED: Duration = Duration::from_secs(2);

/// The connections of a process. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pool {
    connections: Connections,
    /// A permit for each connection that may be opened or lent.
    places: Arc<Semaphore>,
    size: Arc<Mutex<Size>>,
    /// For connections beside the pool.
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
}

/// A place in the pool, given back when it is dropped: after the connection.
pub(super) type Place = OwnedSemaphorePermit;

impl Pool {
    /// Prepares a pool of at most `wanted` connections; nothing is connected yet.
    pub(super) fn new(config: &config::Database, wanted: usize) -> Result<Self, tls::Error> {
        let tls = tls::connector(config)?;
        let connection = super::with_timeouts(&config.connection);
        let manager = Manager::from_config(
            connection.clone(),
            tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let connections = Connections::builder(manager)
            .max_size(wanted)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(PROBE))
            .pre_recycle(probe_idle_connections())
            .build()
            .map_err(|error| tls::Error::new("building the pool", error))?;
        let size = Size { wanted, allowed: wanted, none_at_all: 0, one_more_at: Instant::now() };
        Ok(Self {
            connections,
            places: Arc::new(Semaphore::new(wanted)),
            size: Arc::new(Mutex::new(size)),
            config: connection,
            tls,
        })
    }

    /// How many connections there may be if the server allows them.
    pub(super) fn wanted(&self) -> usize {
        self.size().wanted
    }

    /// Lends a connection: one that is idle, else a new one, else the next one that is given back. The place is to outlive
    /// the connection.
    ///
    /// # Errors
    /// When there is no connection at all and none can be opened, or all stayed in use.
    pub(super) async fn lend(&self) -> Result<(Object, Place), Error> {
        let deadline = tokio::time::Instant::now() + WAIT;
        let mut refused: Option<(Error, u64)> = None;
        loop {
            self.try_one_more();
            let place = match timeout_at(deadline, Arc::clone(&self.places).acquire_owned()).await {
                Ok(Ok(place)) => place,
                Ok(Err(_)) => return Err(PoolError::Closed.into()),
                Err(_) => return Err(refused.map_or(PoolError::Timeout(TimeoutType::Wait).into(), |(error, _)| error)),
            };
            match refused {
                // Those who had or were opening a connection have failed too.
                Some((error, none_at_all)) if none_at_all != self.size().none_at_all => return Err(error),
                _ => {}
            }
            match self.connections.get().await {
                Ok(object) => return Ok((object, place)),
                Err(error @ (PoolError::Backend(_) | PoolError::Timeout(TimeoutType::Create))) => {
                    let error = Error::from(error);
                    let Some(none_at_all) = self.make_do(&error, Instant::now()) else { return Err(error) };
                    place.forget();
                    refused = Some((error, none_at_all));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Lends a connection if nobody has to be waited for: one that is idle, or a new one.
    pub(super) async fn lend_at_once(&self) -> Option<(Object, Place)> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some((self.connections.get().await.ok()?, place))
    }

    /// Opens a connection beside the pool. It closes when it is dropped.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub(super) async fn open(&self) -> Result<Client, Error> {
        match timeout(CONNECT, self.config.connect(self.tls.clone())).await {
            Ok(Ok((client, driver))) => {
                // What becomes of the connection shows in the client's calls.
                tokio::spawn(driver);
                Ok(client)
            }
            Ok(Err(error)) => Err(PoolError::Backend(error).into()),
            Err(_) => Err(PoolError::Timeout(TimeoutType::Create).into()),
        }
    }

    /// Closes the connections that are idle.
    pub(super) fn close_idle(&self) {
        self.connections.retain(|_, _| false);
    }

    /// Closes every connection; later calls fail.
    pub(super) fn close(&self) {
        self.connections.close();
        self.places.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.connections.is_closed()
    }

    fn size(&self) -> MutexGuard<'_, Size> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a connection could not be opened: whether there are others to wait for, and then one place fewer, which is the
    /// caller's to forget. What is counted then tells whether all the others have failed meanwhile.
    fn make_do(&self, error: &Error, now: Instant) -> Option<u64> {
        let mut size = self.size();
        // Those that are being opened count: a connection is known here a little later than at the server.
        let others_at_it = size.allowed.saturating_sub(self.places.available_permits() + 1);
        if self.connections.status().size == 0 && others_at_it == 0 {
            let forgotten = size.begin_anew();
            self.places.add_permits(forgotten);
            return None;
        }
        let pause = if is_full(error) { FULL } else { FAILED };
        if !size.shrink(now + pause) {
            return None;
        }
        tracing::warn!(%error, "no further connection to the database: {} are made do with for now", size.allowed);
        Some(size.none_at_all)
    }

    /// From time to time tries whether the server allows one more connection, for which nobody waits.
    fn try_one_more(&self) {
        if !self.size().tries_one_more(Instant::now()) {
            return;
        }
        let pool = self.clone();
        tokio::spawn(async move {
            match pool.open().await {
                Ok(_) => {
                    if pool.size().grow() {
                        pool.places.add_permits(1);
                    }
                }
                Err(error) => {
                    let pause = if is_full(&error) { FULL } else { FAILED };
                    pool.size().one_more_at = Instant::now() + pause;
                }
            }
        });
    }
}

/// Whether the server was reached, and has no connection left for us.
pub(super) fn is_full(error: &Error) -> bool {
    // 53: insufficient resources, 53300 among them: too many connections, of all or for this role.
    matches!(error, Error::Connect(PoolError::Backend(error))
        if error.code().is_some_and(|state: &SqlState| state.code().starts_with("53")))
}

/// How many connections there may be.
#[derive(Debug)]
struct Size {
    wanted: usize,
    /// As far as is known: at least one, at most those that are wanted. There are as many places.
    allowed: usize,
    /// Before that moment no more than those are tried.
    one_more_at: Instant,
    /// How often there was no connection at all, and none could be opened.
    none_at_all: u64,
}

impl Size {
    /// One fewer, until then. Never none: somebody has to try.
    fn shrink(&mut self, until: Instant) -> bool {
        self.one_more_at = until;
        let may = self.allowed > 1;
        self.allowed -= usize::from(may);
        may
    }

    /// Whether it is time to try one more; nobody else does for as long as that may take.
    fn tries_one_more(&mut self, now: Instant) -> bool {
        let due = self.allowed < self.wanted && now >= self.one_more_at;
        if due {
            self.one_more_at = now + FULL;
        }
        due
    }

    /// One more than was thought.
    fn grow(&mut self) -> bool {
        let may = self.allowed < self.wanted;
        self.allowed += usize::from(may);
        may
    }

    /// Nothing is known any more: the server is away, and how many it will allow is found out anew. How many more there may
    /// be.
    fn begin_anew(&mut self) -> usize {
        self.none_at_all += 1;
        self.wanted - std::mem::replace(&mut self.allowed, self.wanted)
    }
}

/// Asks a connection that was idle for long whether it lives. When one does not answer, those that were idle at that
/// moment are not asked one after another: they go at once.
fn probe_idle_connections() -> Hook {
    let last_silence: Arc<Mutex<Option<Instant>>> = Arc::default();
    Hook::async_fn(move |client, metrics| {
        let idle = metrics.last_used();
        let last_silence = Arc::clone(&last_silence);
        Box::pin(async move {
            if idle < TRUSTED_IDLE {
                return Ok(());
            }
            let silence = *last_silence.lock().unwrap_or_else(PoisonError::into_inner);
            if silence.is_some_and(|silence| silence.elapsed() < idle) {
                return Err(HookError::message("was idle when another one did not answer"));
            }
            match timeout(PROBE, client.simple_query("")).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(HookError::Backend(error)),
                Err(_) => {
                    *last_silence.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    Err(HookError::message("an idle connection did not answer"))
                }
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_was_learned_is_tried_again_one_by_one() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut size = Size { wanted: 4, allowed: 4, one_more_at: begun, none_at_all: 0 };
        assert!(!size.tries_one_more(after(100)), "all that are wanted");
        assert!(size.shrink(after(30)) && size.shrink(after(31)) && size.shrink(after(32)));
        assert!(!size.shrink(after(33)), "never none");
        assert_eq!(size.allowed, 1);
        assert!(!size.tries_one_more(after(32)));
        assert!(size.tries_one_more(after(33)) && !size.tries_one_more(after(34)), "one at a time");
        assert!(size.grow() && size.allowed == 2);
        assert!(!size.tries_one_more(after(62)) && size.tries_one_more(after(63)));
        assert!(size.grow() && size.grow() && !size.grow(), "no more than are wanted");
        assert!(size.shrink(after(100)) && size.begin_anew() == 1 && size.allowed == 4);
    }
}
