//! `restore`: what `backup` has written, into an empty database, by PostgreSQL's own programs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use field_service::config::{Database, environment};
use field_service::logging::cause::of_file;
use field_service::store::migrate;
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
    /// Sees that there is something to bring back, before a database is made for it.
    pub fn check(&self) -> Result {
        beginning(&self.file).map(drop)
    }
}

fn beginning(file: &Path) -> Result<Vec<u8>> {
    let named = of_file("reading", file);
    let mut begins = Vec::new();
    File::open(file).map_err(&named)?.take(MAGIC.len() as u64).read_to_end(&mut begins).map_err(&named)?;
    Ok(begins)
}

pub async fn run(Restore { file }: Restore) -> Result {
    let database = Database::from_env(&environment)?;
    let begins = beginning(&file)?;
    let tables = migrate::look(&database).await?.tables;
    if tables > 0 {
        return Err(in_use(tables, &database).into());
    }
    let name = database.connection.get_dbname().unwrap_or_default();
    let (program, args) = if begins == MAGIC {
        ("pg_restore", &["--no-owner", "--no-privileges", "--single-transaction", "--dbname", name][..])
    } else {
        let args = &["--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1", "--single-transaction"];
        ("psql", &[&args[..], &["--file"]].concat()[..])
    };
    let mut command = programs::command(program, &database)?;
    command.args(args).arg(&file).stdin(Stdio::null());
    let done = block_in_place(|| command.status()).map_err(of_file("running", Path::new(command.get_program())))?;
    if !done.success() {
        let hint = programs::hint(&database);
        return Err(format!("{program} failed ({done}); the database is as empty as before{hint}").into());
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
