//! A server of one's own that has died alone, killed or out of memory, is started again for as long as somebody serves. One that
//! was told to stop, as by `pg_ctl stop`, is left alone: whoever did that may be copying its folder.
//!
//! Whoever starts it does so as at first, with a new keeper: under the lock that lets one start it at a time, also among several
//! processes. The old keeper goes when the new one is there, so that the server always has one that stops it in the end.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
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

/// How it has ended that somebody kept a server alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was time to stop.
    Stopped,
    /// The folder is not where it was, or another one is there: the server that this process works with is not the one that others
    /// find by the folder's name.
    Moved,
}

/// A server that its owner shares with whoever starts it again; nothing, once it is to stop.
pub type SharedServer = Arc<Mutex<Option<Kept>>>;

/// Starts the server again whenever it has died, until `stop` is ready; from then on it stays as it is. Ends also when the data are
/// moved away.
pub async fn keep_alive(shared: SharedServer, stop: impl Future<Output = ()>) -> End {
    let folder = with(&shared, |kept| kept.as_ref().map(|kept| kept.folder().to_owned()));
    let Some(folder) = folder else { return End::Stopped };
    let place = Place::of(&folder);
    let mut pauses = Pauses::default();
    let mut stop = pin!(stop);
    let mut has_failed = false;
    loop {
        tokio::select! {
            biased;
            () = &mut stop => return End::Stopped,
            () = until_moved(&place) => {
                tracing::error!(
                    "{} was moved away while it was in use: this process stops, and so does the server in the folder that was moved",
                    folder.display()
                );
                return End::Moved;
            }
            () = until_it_is_to_be_started(&folder, &mut pauses, has_failed) => {}
        }
        // One that has begun goes on to its end, also when it is time to stop: whoever drops the server waits for it.
        let (again, ours) = (folder.clone(), Arc::clone(&shared));
        let started = spawn_blocking(move || Kept::start(&again).map(|kept| replace(&ours, kept))).await;
        has_failed = !matches!(started, Ok(Ok(_)));
        match started {
            Ok(Ok(Replaced::Started)) => tracing::info!("the database in {} is started again", folder.display()),
            Ok(Ok(Replaced::RanAlready)) => tracing::info!("the database in {} runs again", folder.display()),
            Ok(Ok(Replaced::Stopping)) => return End::Stopped,
            Ok(Err(error)) => {
                tracing::error!(%error, "the database in {} could not be started again", folder.display());
            }
            Err(error) => tracing::error!(panic = error.is_panic(), "starting the database again did not end"),
        }
    }
}

/// Where the data are, and which folder that is: device and number.
struct Place {
    path: PathBuf,
    id: Option<(u64, u64)>,
}

impl Place {
    fn of(folder: &Path) -> Self {
        let path = folder.join("data");
        let id = id_of(&path).unwrap_or_default();
        Self { path, id }
    }

    /// Whether something else is there now, or nothing. What cannot be found out does not count.
    fn is_another(&self) -> bool {
        self.id.is_some() && id_of(&self.path).is_ok_and(|id| id != self.id)
    }
}

fn id_of(path: &Path) -> io::Result<Option<(u64, u64)>> {
    match fs::metadata(path) {
        Ok(there) => Ok(Some((there.dev(), there.ino()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn until_moved(place: &Place) {
    while !place.is_another() {
        sleep(LOOK).await;
    }
}

/// Waits until the server has died, and then for the next pause. `has_failed`: it did die, and could not be started: then it is tried
/// again in any case, as a server that fails to start removes the sign by which a killed one is known.
async fn until_it_is_to_be_started(folder: &Path, pauses: &mut Pauses, mut has_failed: bool) {
    let mut is_left_alone = false;
    loop {
        match look(folder).await {
            State::There => {
                if is_left_alone {
                    tracing::info!("the database in {} runs again", folder.display());
                }
                (has_failed, is_left_alone) = (false, false);
            }
            State::ToldToStop if !has_failed => {
                if !is_left_alone {
                    tracing::warn!(
                        "the database in {0} has stopped in good order, as by pg_ctl: it is left alone until it is started by pg_ctl, or \
                         this process anew; {0}/log says more",
                        folder.display()
                    );
                }
                is_left_alone = true;
            }
            State::ToldToStop | State::Died => {
                let pause = pauses.next(Instant::now());
                tracing::warn!("the database in {} has stopped: starting it again in {pause:?}", folder.display());
                sleep(pause).await;
                // In the meantime somebody may have started and stopped it.
                if has_failed || !matches!(look(folder).await, State::ToldToStop) {
                    return;
                }
            }
        }
        sleep(LOOK).await;
    }
}

/// What is seen of a server from outside.
enum State {
    /// Somebody listens at its socket.
    There,
    /// It has ended in good order, or is about to.
    ToldToStop,
    /// It is gone, and nobody told it to go.
    Died,
}

/// A server that ends removes its socket and then `postmaster.pid`, in which it has noted that it is stopping; so do all three ways
/// of `pg_ctl stop`, the immediate one too. One that is killed leaves both. One that cannot recover, as on a full disk, removes them
/// by itself.
async fn look(folder: &Path) -> State {
    if is_there(folder).await {
        return State::There;
    }
    match fs::read_to_string(super::kept::pid_file(folder)) {
        Ok(text) if text.lines().any(|line| line.starts_with("stopping")) => State::ToldToStop,
        Err(error) if error.kind() == ErrorKind::NotFound && !was_recovering(folder) => State::ToldToStop,
        _ => State::Died,
    }
}

/// Whether the server's last word is that it recovers from a crash: as in `pg_controldata`, whose file says so in the first field
/// after two versions and the system's number, in all releases.
fn was_recovering(folder: &Path) -> bool {
    const IN_CRASH_RECOVERY: u32 = 4;
    let control = fs::read(folder.join("data/global/pg_control")).unwrap_or_default();
    control.get(16..20).and_then(|state| state.try_into().ok()).map(u32::from_ne_bytes) == Some(IN_CRASH_RECOVERY)
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
fn replace(shared: &SharedServer, mut kept: Kept) -> Replaced {
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

fn with<T>(shared: &SharedServer, act: impl FnOnce(&mut Option<Kept>) -> T) -> T {
    act(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether somebody listens at the server's socket. One that is too busy to let anybody in is there; one that was killed leaves a
/// socket behind that nobody listens at.
async fn is_there(folder: &Path) -> bool {
    timeout(PATIENCE, UnixStream::connect(super::kept::socket(folder))).await.map_or(
        true,
        |connected| match connected {
            Ok(_) => true,
            Err(error) => !matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound),
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
    async fn a_server_that_ends_in_a_recovery_was_not_told_to_stop() {
        let folder = std::env::temp_dir().join(format!("fs-state-{}", std::process::id()));
        fs::create_dir_all(folder.join("data/global")).expect("a folder");
        let control = |state: u32| {
            let bytes = [&[0; 16][..], &state.to_ne_bytes(), &[0; 100]].concat();
            fs::write(folder.join("data/global/pg_control"), bytes).expect("a file");
        };
        // Shut down; in production, as the immediate way of stopping leaves it.
        for state in [1, 6] {
            control(state);
            assert!(matches!(look(&folder).await, State::ToldToStop), "{state}");
        }
        control(4);
        assert!(matches!(look(&folder).await, State::Died), "as on a full disk");
        control(6);
        fs::write(super::super::kept::pid_file(&folder), "1\n/x\n2\n5432\n/y\n\nready   \n").expect("a file");
        assert!(matches!(look(&folder).await, State::Died), "killed");
        fs::write(super::super::kept::pid_file(&folder), "1\n/x\n2\n5432\n/y\n\nstopping\n").expect("a file");
        assert!(matches!(look(&folder).await, State::ToldToStop), "it is about to end");
        fs::remove_dir_all(&folder).expect("no folder");
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
