//! `backup`: all that the database has, in a file, by PostgreSQL's own `pg_dump`, while people work.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use field_service::cluster::program;
use field_service::config::{self, Database, environment};
use tokio::process::Command;
use tokio_postgres::config::{Host, SslMode};

use super::{Result, say};

#[derive(Args)]
pub struct Backup {
    /// Where to write it: for pg_restore, or as SQL for psql if the name ends with .sql
    file: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    overwrite: bool,
}

pub async fn run(Backup { file, overwrite }: Backup) -> Result {
    let database = Database::from_env(&environment)?;
    if !overwrite && file.exists() {
        return Err(format!("{} is there: another name, or --overwrite", file.display()).into());
    }
    let folder = config::database_folder(&environment).map(|folder| folder.join("data/PG_VERSION"));
    let major = folder.and_then(|file| fs::read_to_string(file).ok());
    let pg_dump = program("pg_dump", major.as_deref().map(str::trim)).ok_or(
        "pg_dump was not found on PATH or in the usual folders: it comes with PostgreSQL's client programs (Debian, Ubuntu: apt \
         install postgresql-client)",
    )?;
    let is_sql = file.extension().is_some_and(|extension| extension == "sql");
    let part = PathBuf::from(format!("{}.part", file.display()));
    let out = new_file(&part)?;
    let dumped = Command::new(pg_dump)
        .args(["--no-owner", "--no-privileges", if is_sql { "--format=plain" } else { "--format=custom" }])
        .envs(variables(&database)?)
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .kill_on_drop(true)
        .status()
        .await?;
    let written = if dumped.success() { out.sync_all() } else { Ok(()) };
    if !dumped.success() || written.is_err() {
        fs::remove_file(&part)?;
        written?;
        return Err(format!("pg_dump failed ({dumped}); {} was not written", file.display()).into());
    }
    fs::rename(&part, &file)?;
    say(&format!(
        "{} is written. To have it back, in an empty database and before anything else:\n  {}\n  field-service migrate",
        file.display(),
        restore(&file, is_sql)
    ))
}

fn restore(file: &Path, is_sql: bool) -> String {
    let file = file.display();
    if is_sql {
        format!("psql --set ON_ERROR_STOP=1 --single-transaction --file={file} \"$DATABASE_URL\"")
    } else {
        format!("pg_restore --no-owner --single-transaction --dbname=\"$DATABASE_URL\" {file}")
    }
}

/// For its owner alone: clients' addresses are in it.
fn new_file(part: &Path) -> io::Result<File> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)
}

/// Where the database is, as libpq's programs are told: not on the command line, which everybody on the machine can see.
fn variables(database: &Database) -> Result<Vec<(&'static str, OsString)>> {
    let connection = &database.connection;
    let mut variables = vec![];
    match connection.get_hosts().first() {
        Some(Host::Tcp(host)) => variables.push(("PGHOST", host.into())),
        Some(Host::Unix(folder)) => variables.push(("PGHOST", folder.into())),
        None => {}
    }
    if let Some(port) = connection.get_ports().first() {
        variables.push(("PGPORT", port.to_string().into()));
    }
    if let Some(user) = connection.get_user() {
        variables.push(("PGUSER", user.into()));
    }
    if let Some(password) = connection.get_password() {
        let password = String::from_utf8(password.to_vec()).map_err(|_| "the password is not UTF-8")?;
        variables.push(("PGPASSWORD", password.into()));
    }
    if let Some(name) = connection.get_dbname() {
        variables.push(("PGDATABASE", name.into()));
    }
    let mode = match connection.get_ssl_mode() {
        _ if database.verify_certificate => "verify-full",
        SslMode::Disable => "disable",
        SslMode::Require => "require",
        _ => "prefer",
    };
    variables.push(("PGSSLMODE", mode.into()));
    if let Some(roots) = &database.root_certificates {
        variables.push(("PGSSLROOTCERT", roots.into()));
    }
    Ok(variables)
}
