//! PostgreSQL's own programs, led to the database of `DATABASE_URL`.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use field_service::cluster::{program, variables};
use field_service::config::Database;
use tokio_postgres::config::{Host, SslMode};

use super::{Result, private};

/// One of libpq's programs, of the version of the private server if that is whose database it is. Nothing of our environment leads
/// it elsewhere, and nothing secret is on its command line, which everybody on the machine can see.
pub fn command(name: &str, database: &Database) -> Result<Command> {
    let major = private::folder_of(database).and_then(|folder| fs::read_to_string(folder.join("data/PG_VERSION")).ok());
    let program = program(name, major.as_deref().map(str::trim)).ok_or_else(|| {
        format!(
            "{name} was not found on PATH or in the usual folders: it comes with PostgreSQL's client programs (Debian, Ubuntu: \
             apt install postgresql-client)"
        )
    })?;
    let mut command = Command::new(program);
    for name in variables() {
        command.env_remove(name);
    }
    command.envs(of_connection(database)?);
    Ok(command)
}

/// What to say when one has failed to connect, if it may be for that.
pub fn hint(database: &Database) -> &'static str {
    if database.verify_certificate && database.root_certificates.is_none() {
        " (sslmode=verify-full without PGSSLROOTCERT takes the system's certificates, which PostgreSQL's programs know from 16 on; \
         PGSSLROOTCERT names a file of them for older ones)"
    } else {
        ""
    }
}

/// Where the database is, as libpq is told.
fn of_connection(database: &Database) -> Result<Vec<(&'static str, OsString)>> {
    let connection = &database.connection;
    let port = connection.get_ports().first().copied().unwrap_or(5432);
    let mut variables = vec![("PGPORT", port.to_string().into())];
    match connection.get_hosts().first() {
        Some(Host::Tcp(host)) => variables.push(("PGHOST", host.into())),
        Some(Host::Unix(folder)) => variables.push(("PGHOST", folder.into())),
        None => {}
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
    match &database.root_certificates {
        Some(roots) => variables.push(("PGSSLROOTCERT", roots.into())),
        // As we do: the public ones, rather than a file in somebody's home folder.
        None if database.verify_certificate => variables.push(("PGSSLROOTCERT", "system".into())),
        None => {}
    }
    Ok(variables)
}
