//! A PostgreSQL in a folder of the user's: for trying, and for one small office. What it has stays between runs.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

use super::keeper::Keeper;
use super::{Error, programs};

/// The database that is made in it.
const DATABASE: &str = "field_service";

/// The longest path of a folder, in bytes: the socket in it has about 100 on all systems.
const LONGEST: usize = 80;

/// A server in a folder that stays. Dropping it stops the server, if this process has started it.
#[derive(Debug)]
pub struct Kept {
    /// `None`: it ran already, and somebody else stops it.
    keeper: Option<Keeper>,
    folder: PathBuf,
    programs: PathBuf,
}

/// `$1` the programs' folder, `$2` ours, `$3` the database. Says "ready" when it has started the server, "running" when it runs
/// already, or why not and exits. A cluster that was not finished is made anew: nobody has worked in it yet.
const KEEPER: &str = r#"
# Whatever ends the process that "ready" is for, it must not end us before the server.
trap '' PIPE HUP INT TERM
umask 077
cd "$2" 2>&1 || exit 1
fail() { tail -n 20 "$2/log"; exit 1; }
runs() { "$1/pg_ctl" status --pgdata="$2/data" </dev/null >/dev/null 2>&1; }
if [ ! -d data ]; then
    rm -rf data.new
    made=
    # Cyrillic letters are letters where the system knows that.
    for locale in C.UTF-8 C; do
        "$1/initdb" --pgdata=data.new --username=postgres --auth=trust --encoding=UTF8 --locale=$locale </dev/null >log 2>&1 &&
            made=yes && break
        rm -rf data.new
    done
    [ -n "$made" ] || fail "$@"
    printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$2'" >>data.new/postgresql.conf
    echo "CREATE DATABASE $3" | "$1/postgres" --single -D "$2/data.new" postgres >>log 2>&1 || fail "$@"
    mv data.new data || exit 1
fi
if runs "$@"; then echo "running"; exit 0; fi
if ! "$1/pg_ctl" start --pgdata="$2/data" --wait --timeout=60 --log="$2/log" -o "-k '$2'" </dev/null >/dev/null 2>&1; then
    # Somebody else was a little faster.
    if runs "$@"; then echo "running"; exit 0; fi
    fail "$@"
fi
echo "ready"
while read -r _; do :; done
"$1/pg_ctl" stop --pgdata="$2/data" --mode=fast --wait </dev/null >/dev/null 2>&1
"#;

impl Kept {
    /// Starts the server in that folder, after making both unless they are there.
    ///
    /// # Errors
    /// When there are no programs of the version that the folder is of, the folder's path does not do, or the server does not
    /// start; its own words are in the error.
    pub fn start(folder: &Path) -> Result<Self, Error> {
        let folder = std::path::absolute(folder)?;
        check(&folder)?;
        make(&folder)?;
        let major = std::fs::read_to_string(folder.join("data/PG_VERSION")).ok();
        let major = major.as_deref().map(str::trim);
        let programs = programs::find(major).ok_or_else(|| match major {
            Some(major) => Error::Failed(format!(
                "{} is of PostgreSQL {major}, whose programs are not installed any more",
                folder.display()
            )),
            None => Error::NotFound,
        })?;
        let (keeper, word, _) =
            Keeper::start(KEEPER, &programs, &[folder.as_os_str(), DATABASE.as_ref()], &["ready", "running"])?;
        Ok(Self { keeper: (word == "ready").then_some(keeper), folder, programs })
    }

    /// Whether this process has started it and stops it.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.keeper.is_some()
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
        format!("host={} user=postgres dbname={DATABASE}", self.folder.display())
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

/// For the user who runs the server, and nobody else.
fn make(folder: &Path) -> Result<(), Error> {
    let named = |error: io::Error| Error::Failed(format!("{}: {error}", folder.display()));
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(named(error)),
        _ => {}
    }
    let is_new = !folder.join("data").exists();
    if is_new {
        // Not into somebody's home folder.
        let foreign = std::fs::read_dir(folder)
            .map_err(named)?
            .flatten()
            .any(|entry| !["data.new", "log"].iter().any(|own| entry.file_name() == *own));
        if foreign {
            return Err(Error::Failed(format!("{} is not empty, and no database of ours", folder.display())));
        }
    }
    if programs::is_root() {
        let (user, group) = programs::unprivileged_user()?;
        if std::fs::metadata(folder).map_err(named)?.uid() != user {
            chown(folder, Some(user), Some(group)).map_err(named)?;
        }
    }
    Ok(())
}
