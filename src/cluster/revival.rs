//! A server of one's own that has died alone, killed or out of memory, is started again for as long as somebody serves.
//!
//! Whoever starts it does so as at first, with a new keeper: under the lock that lets one start it at a time, also among several
//! processes. The old keeper goes when the new one is there, so that the server always has one that stops it in the end.

use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use super::Kept;

/// How often it is looked whether the server is there.
const LOOK: Duration = Duration::from_secs(1);
/// For how long a server is waited for that is there and does not let anybody in.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first pause before the server is started again.
const SHORTEST: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST: Duration = Duration::from_mins(1);
/// A server that has run for so long was well: the next pause is the shortest again.
const WELL: Duration = Duration::from_mins(2);

/// A server that its owner shares with whoever starts it again; nothing, once it is to stop.
pub type Shared = Arc<Mutex<Option<Kept>>>;

/// Starts the server again whenever it is gone, until `stop` is ready; from then on it stays as it is.
pub async fn keep_alive(shared: Shared, stop: impl Future<Output = ()>) {
    let Some(folder) = with(&shared, |kept| kept.as_ref().map(|kept| kept.folder().to_owned())) else { return };
    let mut pauses = Pauses::default();
    let mut stop = pin!(stop);
    loop {
        let gone = async {
            while is_there(&folder).await {
                sleep(LOOK).await;
            }
            let pause = pauses.next(Instant::now());
            tracing::warn!("the database in {} has stopped: starting it again in {pause:?}", folder.display());
            sleep(pause).await;
        };
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = gone => {}
        }
        // One that has begun goes on to its end, also when it is time to stop: whoever drops the server waits for it.
        let (again, ours) = (folder.clone(), Arc::clone(&shared));
        match spawn_blocking(move || Kept::start(&again).map(|kept| replace(&ours, kept))).await {
            Ok(Ok(Replaced::Started)) => tracing::info!("the database in {} is started again", folder.display()),
            Ok(Ok(Replaced::RanAlready)) => tracing::info!("the database in {} runs again", folder.display()),
            Ok(Ok(Replaced::Stopping)) => return,
            Ok(Err(error)) => {
                tracing::error!(%error, "the database in {} could not be started again", folder.display());
            }
            Err(error) => tracing::error!(panic = error.is_panic(), "starting the database again did not end"),
        }
    }
}

/// What became of a server that was started again.
enum Replaced {
    Started,
    /// Somebody else has started it.
    RanAlready,
    /// Nobody needs it any more.
    Stopping,
}

/// Puts the new keeper in the old one's place.
fn replace(shared: &Shared, mut kept: Kept) -> Replaced {
    let started = kept.has_started();
    let needed = with(shared, |place| place.as_mut().map(|there| std::mem::swap(there, &mut kept)).is_some());
    // Here the old one goes; or the new one, which stops the server that nobody needs.
    drop(kept);
    match (needed, started) {
        (false, _) => Replaced::Stopping,
        (true, true) => Replaced::Started,
        (true, false) => Replaced::RanAlready,
    }
}

fn with<T>(shared: &Shared, act: impl FnOnce(&mut Option<Kept>) -> T) -> T {
    act(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether somebody listens at the server's socket. One that is too busy to let anybody in is there; one that was killed leaves a
/// socket behind that nobody listens at.
async fn is_there(folder: &Path) -> bool {
    timeout(PATIENCE, UnixStream::connect(super::kept::socket(folder))).await.map_or(
        true,
        |connected| match connected {
            Ok(_) => true,
            Err(error) => {
                use std::io::ErrorKind::{ConnectionRefused, NotFound};
                !matches!(error.kind(), ConnectionRefused | NotFound)
            }
        },
    )
}

/// The pauses before a server is started again: each twice the one before, unless it was well in between.
#[derive(Debug, Default)]
struct Pauses(Option<(Instant, Duration)>);

impl Pauses {
    /// The next one, of a server that is gone now.
    fn next(&mut self, now: Instant) -> Duration {
        let pause = match self.0 {
            Some((last, pause)) if now.saturating_duration_since(last) < WELL => LONGEST.min(2 * pause),
            _ => SHORTEST,
        };
        // Whoever pauses for a minute is not well for that.
        self.0 = Some((now + pause, pause));
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute_and_begin_anew_after_a_time_of_health() {
        let (mut pauses, mut now) = (Pauses::default(), Instant::now());
        let mut seen = Vec::new();
        for _ in 0..9 {
            let pause = pauses.next(now);
            seen.push(pause.as_millis());
            now += pause + Duration::from_secs(3);
        }
        assert_eq!(seen, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(pauses.next(now + WELL), SHORTEST);
    }

    #[tokio::test]
    async fn a_socket_that_nobody_listens_at_is_nobody() {
        let folder = std::env::temp_dir().join(format!("fs-socket-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder");
        assert!(!is_there(&folder).await, "there has never been one");
        let listener = tokio::net::UnixListener::bind(super::super::kept::socket(&folder)).expect("a socket");
        assert!(is_there(&folder).await);
        drop(listener);
        assert!(!is_there(&folder).await, "its file is left behind");
        std::fs::remove_dir_all(&folder).expect("no folder");
    }
}
