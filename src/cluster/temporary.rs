//! A private PostgreSQL in a temporary folder, gone with the process that started it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::keeper::Keeper;
use super::{Error, programs};

/// Whether the server keeps its promises through a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// `fsync` and `synchronous_commit` on, as in production: for measurements.
    Real,
    /// Off: for tests and demonstrations. It remembers when each transaction was committed.
    None,
    /// What was committed outlives the server, though not the machine: for runs that [restart](Cluster::restart) it. It remembers
    /// when each transaction was committed, and takes few connections.
    Server,
}

/// How a server is stopped before it is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Sessions are ended and their transactions rolled back.
    Fast,
    /// As in a crash: it begins with a recovery.
    Immediate,
}

/// A running server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub struct Cluster {
    /// Stops the server when it is dropped.
    keeper: Keeper,
    folder: PathBuf,
    programs: PathBuf,
}

/// `$1` the programs' folder, `$2` where to make ours, `$3` its name, `$4` more settings. Says "ready" and the folder, or
/// why not and exits. Restarts the server for each line that names a mode of stopping it. The folder is made here and not by the
/// process that starts us, so that there is no moment in which that process can die and leave it behind.
const KEEPER: &str = r#"
# Whatever ends the process that "ready" is for, it must not end us before the server.
trap '' PIPE HUP INT TERM
umask 077
for parent in "$2" /tmp; do
    folder=$parent/$3
    mkdir "$folder" 2>/dev/null && break
    folder=
done
[ -n "$folder" ] || { echo "no folder can be made in $2 or /tmp by user $(id -un)"; exit 1; }
fail() { cat "$folder/log"; rm -rf "$folder"; exit 1; }
cd "$folder" || fail
"$1/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
    </dev/null >"$folder/log" 2>&1 || fail
printf '%s\n' "$4" "unix_socket_directories = '$folder'" >>"$folder/data/postgresql.conf"
"$1/pg_ctl" start --pgdata="$folder/data" --wait --timeout=60 --log="$folder/log" </dev/null >/dev/null 2>&1 || fail
echo "ready $folder"
while read -r mode; do
    "$1/pg_ctl" restart --pgdata="$folder/data" --mode="$mode" --wait --timeout=60 --log="$folder/log" </dev/null >/dev/null 2>&1 \
        && echo restarted || echo failed
done
"$1/pg_ctl" stop --pgdata="$folder/data" --mode=immediate --wait </dev/null >/dev/null 2>&1
cd / && rm -rf "$folder"
"#;

impl Cluster {
    /// Finds PostgreSQL, makes a cluster and waits until it answers: one or two seconds.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn start(durability: Durability) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let programs = programs::find(None).ok_or(Error::NotFound)?;
        let salt = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() % 1_000_000;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("field-service-{}-{salt}-{count}", std::process::id());
        let (parent, settings) = (temporary_folder(), settings(durability));
        let args: [&OsStr; 3] = [parent.as_os_str(), name.as_ref(), settings.as_ref()];
        let user = if programs::is_root() { Some(programs::unprivileged_user()?) } else { None };
        let (keeper, _, folder) = Keeper::start(KEEPER, user, &programs, &args, &["ready"])?;
        Ok(Self { folder: PathBuf::from(folder), keeper, programs })
    }

    /// A connection string for a database of this cluster, as its superuser.
    #[must_use]
    pub fn database_url(&self, database: &str) -> String {
        format!("host={} user=postgres dbname={database}", self.folder.display())
    }

    /// Stops the server and starts it again; blocks until it answers.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart(&self, stop: Stop) -> Result<(), Error> {
        let mode = match stop {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        let said = self.keeper.ask(mode).map_err(|error| Error::Failed(format!("asking its keeper: {error}")))?;
        match said.as_str() {
            "restarted" => Ok(()),
            _ => Err(Error::Failed("it did not come back after a restart".to_owned())),
        }
    }

    /// The folder with the server's socket, for `psql -h`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder with PostgreSQL's programs.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }
}

fn settings(durability: Durability) -> String {
    let connections = if durability == Durability::Server { 60 } else { 300 };
    let durability = match durability {
        Durability::Real => "fsync = on\nsynchronous_commit = on\nmax_wal_size = '4GB'",
        Durability::None => {
            "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\ntrack_commit_timestamp = on"
        }
        Durability::Server => "fsync = off\nsynchronous_commit = on\ntrack_commit_timestamp = on",
    };
    format!("listen_addresses = ''\nport = 5432\nmax_connections = {connections}\n{durability}")
}

/// The usual place for temporary files, unless the server cannot work there: a socket's path may have about 100 bytes,
/// and PostgreSQL's settings and connection strings give spaces, commas and quotes a meaning.
fn temporary_folder() -> PathBuf {
    let usual = std::env::temp_dir();
    let plain = |path: &str| path.len() <= 50 && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
    if usual.is_absolute() && usual.to_str().is_some_and(plain) { usual } else { PathBuf::from("/tmp") }
}
