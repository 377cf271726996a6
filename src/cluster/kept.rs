//! A PostgreSQL in a folder of the user's: for trying, and for one small office. What it has stays between runs.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Error;
use super::keeper::Keeper;
use super::programs::{self, User};
use crate::logging::cause::of_file;

/// The database that is made in it.
const DATABASE: &str = "field_service";

/// The longest path of a folder, in bytes: the socket in it has about 100 on all systems.
const LONGEST: usize = 80;

/// For how long a server that runs already may take to listen: somebody may have started it just now.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is in a folder of ours before there is a database in it.
const BEFORE: [&str; 4] = ["data.new", "log", "turn", "users"];

/// A server in a folder that stays. Dropping it stops the server, unless another process uses it.
#[derive(Debug)]
pub struct Kept {
    /// Ends with this, and holds the folder until then.
    _keeper: Keeper,
    has_started: bool,
    folder: PathBuf,
    programs: PathBuf,
}

/// `$1` the programs' folder, `$2` ours, `$3` the database. Says "ready" when it has started the server, "running" when it runs
/// already, or why not and exits. A cluster that was not finished is made anew: nobody has worked in it yet.
///
/// Each process that uses the folder has a keeper of its own, which holds the lock of `users` with the others. Whatever makes,
/// starts or stops the server does so alone, under the lock of `turn`; the last one stops it. A lock is gone with the process that
/// holds it, however that dies, so the server itself must not inherit them.
///
/// A server that was killed leaves its process's number in `postmaster.pid`, which may be another program's by now: pg_ctl takes that
/// for the server, and would stop it. Told to "leave", the script ends and stops nothing.
const KEEPER: &str = r#"
# Whatever ends the process that "ready" is for, it must not end us before the server.
trap '' PIPE HUP INT TERM
umask 077
cd "$2" 2>&1 || exit 1
fail() { tail -n 20 "$2/log" 2>&1; exit 1; }
runs() { "$1/pg_ctl" status --pgdata="$2/data" </dev/null >/dev/null 2>&1; }
# Whether that process is somebody else: a server works in its data folder. Only some systems tell.
other() {
    pid=$(head -n 1 data/postmaster.pid 2>/dev/null) && [ -e "/proc/$pid/cwd" ] && ! [ "/proc/$pid/cwd" -ef data ]
}
# By where we are rather than by its name: the folder may have been moved away, and another server be where it was. That one's socket
# would be removed by ours as it ends in good order; one that is killed removes nothing, and recovers when it is started again.
stop() {
    other && return
    if [ -e "$2/data" ] && ! [ "$2/data" -ef data ]; then
        kill -KILL "$(head -n 1 data/postmaster.pid)" 2>/dev/null
    else
        "$1/pg_ctl" stop --pgdata=data --mode=fast --wait </dev/null >/dev/null 2>&1 8>&- 9>&-
    fi
}
if command -v flock >/dev/null 2>&1; then
    alone() { flock -x 8; }
    together() { flock -s 9; }
    is_last() { flock -x -n 9; }
else
    # macOS has no flock, and perl.
    lock() { perl -MFcntl=:flock -e 'open my $f, "+<&=", shift or exit 1; exit !flock $f, eval shift' "$@" 2>/dev/null; }
    alone() { lock 8 LOCK_EX; }
    together() { lock 9 LOCK_SH; }
    is_last() { lock 9 'LOCK_EX|LOCK_NB'; }
fi
touch "$2/turn" "$2/users" 2>&1 || exit 1
exec 8<>turn 9<>users
alone && together || { echo "$2 cannot be locked: that takes flock, of util-linux, or perl"; exit 1; }
if [ ! -e data ]; then
    rm -rf data.new
    made=
    # Cyrillic letters are letters where the system knows that.
    for locale in C.UTF-8 C; do
        "$1/initdb" --pgdata=data.new --username=postgres --auth=trust --encoding=UTF8 --locale=$locale </dev/null >log 2>&1 &&
            made=yes && break
        rm -rf data.new
    done
    [ -n "$made" ] || fail "$@"
    printf '%s\n' "listen_addresses = ''" "port = 5432" "unix_socket_directories = '$2'" "unix_socket_permissions = 0700" \
        >>data.new/postgresql.conf
    echo "CREATE DATABASE $3" | "$1/postgres" --single -D "$2/data.new" postgres >>log 2>&1 || fail "$@"
    mv "$2/data.new" "$2/data" 2>&1 || exit 1
fi
if runs "$@" && other; then
    echo "$2/data/postmaster.pid is of a server that was killed, and process $pid, which it names, is another program's. If ps shows" \
        "no postgres of this folder any more, remove that file"
    exit 1
fi
# Somebody else has told it to stop: it is of no use until it has, and has been started again.
if runs "$@" && grep -q '^stopping' data/postmaster.pid 2>/dev/null; then stop "$@"; fi
if runs "$@"; then
    word=running
else
    # As we know it, whatever became of the folder's name and of the file of settings.
    "$1/pg_ctl" start --pgdata="$2/data" --wait --timeout=60 --log="$2/log" \
        -o "-k '$2' -p 5432 -c listen_addresses= -c unix_socket_permissions=0700" </dev/null >/dev/null 2>&1 8>&- 9>&- || fail "$@"
    word=ready
fi
exec 8>&-
echo "$word"
while read -r word; do [ "$word" != leave ] || exit 0; done
exec 8<>turn
alone && is_last && stop "$@"
"#;

impl Kept {
    /// Starts the server in that folder, unless it runs; a database has to be there.
    ///
    /// # Errors
    /// When there is none, or no programs of the version that it is of, the folder's path does not do, or the server does not
    /// start; its own words are in the error.
    pub fn start(folder: &Path) -> Result<Self, Error> {
        let folder = absolute(folder)?;
        if !has_database(&folder)? {
            return Err(Error::Failed(format!(
                "there is no database in {0}. If it is on a disk of its own, see that this is mounted; if it was moved, set \
                 DATABASE_FOLDER and DATABASE_URL; `field-service restore` brings a backup back; `field-service init` makes an empty one",
                folder.display()
            )));
        }
        Self::run(folder)
    }

    /// The same, after making the folder and the database unless they are there.
    ///
    /// # Errors
    /// See [`Kept::start`]; and when something else is in the folder.
    pub fn make(folder: &Path) -> Result<Self, Error> {
        Self::run(absolute(folder)?)
    }

    /// Whether a database is in that folder or can be made there, by whoever is to run the server; the folder, from the root on, and
    /// whether there is one. Changes nothing.
    ///
    /// # Errors
    /// When neither is so.
    pub fn look(folder: &Path) -> Result<(PathBuf, bool), Error> {
        let folder = absolute(folder)?;
        check(&folder)?;
        let user = runner(&folder)?;
        // A folder that is to be made is made by ourselves, and given to whoever runs the server.
        let (user, place) =
            if folder.exists() { (user, folder.as_path()) } else { (None, folder.parent().unwrap_or(&folder)) };
        if !programs::may_write(user, place) {
            return Err(Error::Failed(format!(
                "{} cannot be written: name another folder by --data-folder",
                place.display()
            )));
        }
        let is_there = has_database(&folder)?;
        Ok((folder, is_there))
    }

    /// A connection string for the database in a folder, which is from the root on.
    #[must_use]
    pub fn database_url_in(folder: &Path) -> String {
        format!("host={} user=postgres dbname={DATABASE}", folder.display())
    }

    fn run(folder: PathBuf) -> Result<Self, Error> {
        check(&folder)?;
        let user = prepare(&folder)?;
        let major = fs::read_to_string(folder.join("data/PG_VERSION")).ok();
        let major = major.as_deref().map(str::trim);
        let programs = programs::find(major).ok_or_else(|| match major {
            Some(major) => Error::Failed(format!(
                "{} is of PostgreSQL {major}, whose programs are not installed any more",
                folder.display()
            )),
            None => Error::NotFound,
        })?;
        let args = [folder.as_os_str(), DATABASE.as_ref()];
        let (keeper, word, _) = Keeper::start(KEEPER, user, &programs, &args, &["ready", "running"])?;
        if word == "running" && !listens(&folder) {
            // It must not stop what may be another program.
            keeper.ask("leave").map_err(|error| Error::Failed(format!("telling its keeper to leave: {error}")))?;
            return Err(Error::Failed(format!(
                "{} names a process that runs and does not listen at {}. If ps shows no postgres of this folder, remove that file: it is \
                 of a server that was killed; if it does, stop that one",
                pid_file(&folder).display(),
                socket(&folder).display()
            )));
        }
        Ok(Self { _keeper: keeper, has_started: word == "ready", folder, programs })
    }

    /// Whether it did not run before.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.has_started
    }

    /// The folder, from the root on.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder with PostgreSQL's programs.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// A connection string for the database in that folder.
    #[must_use]
    pub fn database_url(&self) -> String {
        Self::database_url_in(&self.folder)
    }
}

/// How long root's folder is waited for to be given to whoever runs the server.
const GIVEN_AWAY: Duration = Duration::from_secs(1);

/// Where the server in a folder listens: the port is ours, and so is this.
pub(super) fn socket(folder: &Path) -> PathBuf {
    folder.join(".s.PGSQL.5432")
}

/// Where the server in a folder notes its process, and whether it is stopping.
pub(super) fn pid_file(folder: &Path) -> PathBuf {
    folder.join("data/postmaster.pid")
}

/// Whether somebody listens at the server's socket, now or soon.
fn listens(folder: &Path) -> bool {
    let until = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(socket(folder)) {
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => {}
            _ => return true,
        }
        if Instant::now() >= until {
            return false;
        }
        sleep(Duration::from_millis(50));
    }
}

/// PostgreSQL's settings and connection strings give spaces, commas and quotes a meaning.
fn check(folder: &Path) -> Result<(), Error> {
    let plain = |path: &str| path.len() <= LONGEST && path.chars().all(|c| c.is_alphanumeric() || "/._-+".contains(c));
    if folder.to_str().is_some_and(plain) {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{} does not do for a database: expected a path of letters, digits and ._-+ with at most {LONGEST} bytes",
        folder.display()
    )))
}

fn named(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    let named = of_file(doing, path);
    move |error| Error::Failed(named(error).to_string())
}

fn absolute(folder: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(folder).map_err(named("finding the folder", folder))
}

fn has_database(folder: &Path) -> Result<bool, Error> {
    let file = folder.join("data/PG_VERSION");
    file.try_exists().map_err(named("looking for", &file))
}

/// Sees that nothing but a database of ours is in a folder, or is to be, and that its server may run there: who owns it.
fn is_ours(folder: &Path) -> Result<fs::Metadata, Error> {
    // Not into somebody's home folder. Another process may be making the database just now, so that is looked for last.
    let mut entries = fs::read_dir(folder).map_err(named("reading the folder", folder))?.flatten();
    if entries.any(|entry| BEFORE.iter().all(|own| entry.file_name() != *own)) && !has_database(folder)? {
        return Err(Error::Failed(format!("{} is not empty, and no database of ours", folder.display())));
    }
    let of_whom = if has_database(folder)? { folder.join("data") } else { folder.to_owned() };
    let look = || fs::metadata(&of_whom).map_err(named("looking at", &of_whom));
    let is_roots = |owner: &fs::Metadata| programs::is_root() && owner.uid() == 0;
    let (mut owner, until) = (look()?, Instant::now() + GIVEN_AWAY);
    // Another process may be making the folder just now.
    while is_roots(&owner) && Instant::now() < until {
        sleep(Duration::from_millis(20));
        owner = look()?;
    }
    if is_roots(&owner) {
        return Err(Error::Failed(format!(
            "{} belongs to root, as whom PostgreSQL does not run: name a folder that is not there yet, or give this one to \
             somebody else, such as by chown postgres",
            of_whom.display()
        )));
    }
    Ok(owner)
}

/// As whom the server in a folder runs, if not as ourselves: who owns the folder, or is to. Sees that he gets there.
fn runner(folder: &Path) -> Result<Option<User>, Error> {
    let is_there = folder.try_exists().map_err(named("looking at", folder))?;
    let owner = if is_there { Some(is_ours(folder)?) } else { None };
    let parent = folder.parent().unwrap_or(folder);
    fs::metadata(parent).map_err(named("making", folder))?;
    if !programs::is_root() {
        return Ok(None);
    }
    let user = match owner {
        Some(owner) => User { id: owner.uid(), group: owner.gid() },
        None => programs::unprivileged_user()?,
    };
    let place = if is_there { folder } else { parent };
    if programs::may_enter(user, place) {
        return Ok(Some(user));
    }
    Err(Error::Failed(format!(
        "PostgreSQL does not run as root but as {}, who may not enter {}: name another folder by --data-folder, such as \
         /var/lib/field-service",
        programs::name_of(user),
        place.display()
    )))
}

/// Makes the folder unless it is there, sees that nothing but a database of ours is in it, and closes it to everybody but the user
/// who runs the server: that user, if it is not ourselves.
fn prepare(folder: &Path) -> Result<Option<User>, Error> {
    let user = runner(folder)?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        // What was there before stays its owner's.
        Ok(()) => user
            .map_or(Ok(()), |user| chown(folder, Some(user.id), Some(user.group)))
            .map_err(named("giving away", folder))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(named("making the folder", folder)(error)),
    }
    let owner = is_ours(folder)?;
    let mode = fs::metadata(folder).map_err(named("looking at", folder))?.permissions().mode();
    if mode & 0o077 != 0 {
        // Whoever reaches the socket in it is the database's superuser.
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(named("closing to others", folder))?;
    }
    Ok(user.map(|_| User { id: owner.uid(), group: owner.gid() }))
}
