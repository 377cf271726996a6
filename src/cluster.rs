//! A private PostgreSQL in a temporary folder, gone with the process that started it.
//!
//! A small shell script keeps the server: it waits for its standard input to end, which happens when this process
//! does, however it dies, and then stops the server and removes the folder. The server listens on a socket in that
//! folder only, so there is no port to collide with and nobody else to keep out.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

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

/// The server could not be started; nothing was left behind.
#[derive(Debug)]
pub enum Error {
    /// No PostgreSQL server programs were found.
    NotFound,
    /// They were found but did not work.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str(
                "PostgreSQL's server programs (initdb, pg_ctl, postgres) were not found on PATH, by pg_config or in \
                 the usual folders. Install them:\n  \
                 Debian, Ubuntu:  apt install postgresql\n  \
                 Fedora, RHEL:    dnf install postgresql-server\n  \
                 Arch:            pacman -S postgresql\n  \
                 Alpine:          apk add postgresql\n  \
                 macOS:           brew install postgresql@17\n\
                 Nothing needs to be running or configured. Or use an existing empty database: \
                 field-service demo --database-url postgresql://…",
            ),
            Self::Failed(why) => write!(f, "a private PostgreSQL could not be started: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A running server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub struct Cluster {
    keeper: Child,
    /// What it is told by, and what it says; nothing once it is to end.
    talk: Option<Mutex<(ChildStdin, BufReader<ChildStdout>)>>,
    folder: PathBuf,
    programs: PathBuf,
}

/// `$1` the programs' folder, `$2` where to make ours, `$3` its name, `$4` more settings. Says "ready" and the folder, or
/// why not and exits. Restarts the server for each line that names a mode of stopping it. The folder is made here and not by the process that starts us, so that there is no moment in
/// which that process can die and leave it behind.
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
        let programs = find_programs().ok_or(Error::NotFound)?;
        let salt = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() % 1_000_000;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("field-service-{}-{salt}-{count}", std::process::id());
        // What the keeper itself needs is there, wherever PATH points.
        let path = format!("{}:/usr/bin:/bin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", KEEPER, "keeper"])
            .args([programs.as_os_str(), temporary_folder().as_os_str(), name.as_ref(), settings(durability).as_ref()])
            .current_dir("/")
            .env("LC_ALL", "C")
            .env("PATH", path)
            .env_remove("PGDATA")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Not in our group: Ctrl-C in the terminal is for us, and we stop the server.
            .process_group(0);
        if is_root() {
            let (user, group) = unprivileged_user()?;
            command.uid(user).gid(group);
        }
        let mut keeper = command.spawn()?;
        let no_pipe = || Error::Failed("no pipe".to_owned());
        let input = keeper.stdin.take().ok_or_else(no_pipe)?;
        let mut output = BufReader::new(keeper.stdout.take().ok_or_else(no_pipe)?);
        let mut said = String::new();
        output.read_line(&mut said)?;
        if let Some(folder) = said.strip_prefix("ready ") {
            let folder = PathBuf::from(folder.trim_end());
            return Ok(Self { keeper, talk: Some(Mutex::new((input, output))), folder, programs });
        }
        output.read_to_string(&mut said)?;
        keeper.wait()?;
        Err(Error::Failed(format!("the programs in {} said:\n{}", programs.display(), said.trim())))
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
        let mode: &[u8] = match stop {
            Stop::Fast => b"fast\n",
            Stop::Immediate => b"immediate\n",
        };
        let Some(talk) = &self.talk else { return Ok(()) };
        let mut talk = talk.lock().unwrap_or_else(PoisonError::into_inner);
        talk.0.write_all(mode)?;
        let mut said = String::new();
        talk.1.read_line(&mut said)?;
        match said.trim_end() {
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

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.talk.take());
        if let Err(error) = self.keeper.wait() {
            tracing::warn!(%error, "could not wait for the private PostgreSQL to stop");
        }
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
    format!("listen_addresses = ''\nmax_connections = {connections}\n{durability}")
}

/// The usual place for temporary files, unless the server cannot work there: a socket's path may have about 100 bytes,
/// and PostgreSQL's settings and connection strings give spaces, commas and quotes a meaning.
fn temporary_folder() -> PathBuf {
    let usual = std::env::temp_dir();
    let plain = |path: &str| path.len() <= 50 && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
    if usual.is_absolute() && usual.to_str().is_some_and(plain) { usual } else { PathBuf::from("/tmp") }
}

/// Where POSIX systems have it.
const ID: &str = "/usr/bin/id";

fn is_root() -> bool {
    ask(ID, &["-u"]).is_some_and(|id| id == "0")
}

/// PostgreSQL refuses to run as root.
fn unprivileged_user() -> Result<(u32, u32), Error> {
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| Some((ask(ID, &["-u", name])?.parse().ok()?, ask(ID, &["-g", name])?.parse().ok()?)))
        .ok_or_else(|| Error::Failed("as root it needs a user postgres or nobody to run as".to_owned()))
}

/// What a program says, if it succeeds.
fn ask(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}

/// The first folder in which the server's programs are and run.
fn find_programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    candidates.extend(ask("pg_config", &["--bindir"]).map(PathBuf::from));
    // Debian; PGDG on Fedora and RHEL; Homebrew on both kinds of Mac; Postgres.app; Alpine and Arch.
    for (parent, prefix, rest) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
        ("/usr/libexec", "postgresql", ""),
    ] {
        candidates.extend(newest_first(Path::new(parent), prefix).into_iter().map(|folder| folder.join(rest)));
    }
    candidates.extend(["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from));
    candidates.into_iter().find_map(|folder| {
        // Behind a link on PATH are the programs' real neighbours, pgbench among them.
        let folder = folder.join("postgres").canonicalize().ok()?.parent()?.to_owned();
        let complete = ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file());
        (complete && ask(folder.join("postgres"), &["--version"]).is_some()).then_some(folder)
    })
}

fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let digits = name.strip_prefix(prefix)?.trim_start_matches(['@', '-']);
            let version: String = digits.chars().take_while(char::is_ascii_digit).collect();
            Some((version.parse().unwrap_or(0), entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}
