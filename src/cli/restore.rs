//! `restore`: what `backup` has written, into an empty database, whole or not at all.

use std::io::{BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use clap::Args;
use field_service::config::{Database, environment};
use field_service::files;
use field_service::logging::cause::of_file;
use field_service::store::{migrate, restore};
use tokio::task::block_in_place;

use super::{Result, private, programs, say};

/// What the files of pg_restore begin with.
const MAGIC: &[u8] = b"PGDMP";

#[derive(Args)]
pub struct Restore {
    /// What `backup` has written
    file: PathBuf,
}

impl Restore {
    /// Sees that there is something to bring back, all of it, before a database is made for it.
    pub fn check(&self, database: &Database) -> Result {
        let refused = |why: String| format!("{}: {why}; nothing was changed", self.file.display());
        let mut dump = Dump::open(&self.file, database)?;
        let checked = block_in_place(|| restore::check(&mut dump.sql));
        // What the program itself says comes first: it knows why there is no more.
        dump.end().map_err(|error| refused(error.to_string()))?;
        Ok(checked.map_err(|error| refused(error.to_string()))?)
    }
}

/// A dump, as SQL.
struct Dump {
    sql: Box<dyn BufRead>,
    /// What makes SQL of it, if it is not.
    pg_restore: Option<Child>,
}

impl Dump {
    fn open(path: &Path, database: &Database) -> Result<Self> {
        let named = of_file("reading", path);
        let mut file = files::open_regular(path)?;
        let mut begins = Vec::new();
        file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut begins).map_err(&named)?;
        if begins != MAGIC {
            file.rewind().map_err(&named)?;
            return Ok(Self { sql: Box::new(BufReader::new(file)), pg_restore: None });
        }
        let mut command = programs::command("pg_restore", database)?;
        command
            .args(["--no-owner", "--no-privileges", "--file=-"])
            .arg(path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let spawned = command.spawn();
        let mut pg_restore = spawned.map_err(of_file("running", Path::new(command.get_program())))?;
        let sql = pg_restore.stdout.take().ok_or("no pipe")?;
        Ok(Self { sql: Box::new(BufReader::new(sql)), pg_restore: Some(pg_restore) })
    }

    /// Waits for the program, which writes to nobody from now on.
    fn end(self) -> Result {
        drop(self.sql);
        let Some(mut pg_restore) = self.pg_restore else { return Ok(()) };
        let done = block_in_place(|| pg_restore.wait())?;
        if done.success() { Ok(()) } else { Err(format!("pg_restore cannot read it ({done})").into()) }
    }
}

pub async fn run(restore: Restore) -> Result {
    let database = Database::from_env(&environment)?;
    let tables = migrate::look(&database).await?.tables;
    if tables > 0 {
        return Err(in_use(tables, &database).into());
    }
    if private::folder_of(&database).is_none() {
        restore.check(&database)?;
    }
    let file = restore.file;
    let mut dump = Dump::open(&file, &database)?;
    let restored = restore::run(&database, &mut dump.sql).await;
    let ended = dump.end();
    match restored {
        Ok(()) => ended?,
        // Somebody else may have filled it meanwhile.
        Err(restore::Error::InUse(tables)) => return Err(in_use(tables, &database).into()),
        Err(error @ restore::Error::Busy) => {
            return Err(format!("{error}; this one has changed nothing: see what is there when that has ended").into());
        }
        Err(error @ restore::Error::Unknown(_)) => {
            return Err(format!("{error}; see by `field-service doctor` whether it is there").into());
        }
        Err(error) => {
            return Err(format!("{}: {error}; the database is as empty as before", file.display()).into());
        }
    }
    // The dump has what was in the database, and not the database's own settings; and this release may be a newer one.
    let report = migrate::run(&database).await?;
    if let Some(statements) = report.for_the_owner {
        eprintln!("warning: this role does not own the database; its owner must run:\n{statements}");
    }
    say(&format!("{} is restored. `field-service verify` finds whether its history is whole.", file.display()))
}

/// Nothing that is there is written over, and what to do instead.
fn in_use(tables: i64, database: &Database) -> String {
    let first = format!("there are {tables} tables in the database, which stay as they are: nothing was changed");
    match private::folder_of(database) {
        Some(folder) => format!(
            "{first}. Stop whatever runs, move the old database away, such as by `mv {0} {0}.old`, and do this again: a new one is \
             made there",
            folder.display()
        ),
        None => format!("{first}. Make an empty one (createdb), let DATABASE_URL lead there, and do this again"),
    }
}
