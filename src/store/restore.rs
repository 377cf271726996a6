//! Brings back what `pg_dump` has written: its SQL, statement by statement, into an empty database, whole or not at all.
//!
//! Nothing but the server reads the SQL. psql would take a backslash for a command of its own, such as one that runs a program as
//! whoever started it.

use std::io::{self, BufRead};
use std::pin::pin;

use futures_util::SinkExt;
use tokio_postgres::Client;

use super::doctor::INDEXES;
use super::error::explain;
use super::migrate::{self, LOCK};
use crate::config;
use crate::model::doctor::finding::{Finding, Level};
use crate::model::doctor::schema::{self, Index, Migration, Schema};

/// The last thing that `pg_dump` writes, and `pg_restore` where it writes SQL.
const COMPLETE: &[u8] = b"-- PostgreSQL database dump complete";
/// Without this table it is no database of ours.
const TABLE: &[u8] = b"CREATE TABLE public.refinery_schema_history (";
/// What is sent at once of a table's rows, in bytes.
const CHUNK: usize = 1 << 16;

/// The database was not brought back. But for [`Error::Unknown`], it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database was not reached.
    #[error(transparent)]
    Unreached(#[from] migrate::Error),
    /// The dump could not be read.
    #[error("reading the dump: {0}")]
    Unread(#[from] io::Error),
    /// The dump is not whole.
    #[error("it ends before pg_dump's last line, «-- PostgreSQL database dump complete»: it was cut short")]
    CutShort,
    /// The dump is of something else.
    #[error("it has no table refinery_schema_history: it is no backup of ours")]
    NotOurs,
    /// There is something in the database already.
    #[error("there are {0} tables in the database")]
    InUse(i64),
    /// Another process is at it, or migrates.
    #[error("another `restore`, or a migration, is at work in this database just now")]
    Busy,
    /// The server has refused a statement.
    #[error("{doing}: {cause}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// PostgreSQL's or the driver's message.
        cause: String,
    },
    /// What would have been there is not what a server needs.
    #[error("what it holds is not whole: {0}")]
    NotWhole(String),
    /// The connection was lost as the end of the transaction was to be confirmed.
    #[error("whether it was committed is not known: {0}")]
    Unknown(String),
}

impl Error {
    fn refused(doing: &'static str) -> impl Fn(tokio_postgres::Error) -> Self {
        move |error| Self::Refused { doing, cause: explain(&error) }
    }
}

/// Reads a dump to its end.
///
/// # Errors
/// When it is not whole, or not of ours.
pub fn check(dump: &mut dyn BufRead) -> Result<(), Error> {
    let (mut line, mut is_ours, mut seen) = (Vec::new(), false, Seen::default());
    let mut in_rows = false;
    while next_line(dump, &mut line)? {
        if in_rows {
            in_rows = !ends_rows(&line);
        } else {
            is_ours |= trimmed(&line) == TABLE;
            in_rows = begins_rows(&line);
            seen.note(&line);
        }
    }
    match () {
        () if in_rows || !seen.complete => Err(Error::CutShort),
        () if !is_ours => Err(Error::NotOurs),
        () => Ok(()),
    }
}

/// How often, and after which pauses, the database is asked for again that somebody else is at work in.
const TRIES: u32 = 20;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Brings a dump back, in one transaction, into a database that has no table yet.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: &config::Database, dump: &mut dyn BufRead) -> Result<(), Error> {
    let client = migrate::connect(config).await?;
    // What takes long here takes long for nobody else.
    let begin = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 0; BEGIN";
    client.batch_execute(begin).await.map_err(Error::refused("beginning"))?;
    // The lock of migrations, so that nobody migrates an empty database meanwhile.
    let mut tries = 0;
    let tables = loop {
        let lock = client
            .query_one(
                "SELECT pg_try_advisory_xact_lock($1) AS held,
                        (SELECT count(*) FROM pg_tables WHERE schemaname = 'public') AS tables",
                &[&LOCK],
            )
            .await
            .map_err(Error::refused("looking at the database"))?;
        if lock.get("held") {
            break lock.get("tables");
        }
        // The server may see a moment later that whoever held it has ended.
        if tries == TRIES {
            return Err(Error::Busy);
        }
        tries += 1;
        tokio::time::sleep(PAUSE).await;
    };
    if tables > 0 {
        return Err(Error::InUse(tables));
    }
    load(&client, dump).await?;
    see_that_it_is_whole(&client).await?;
    // Whatever returned before this has left the transaction to be rolled back.
    client.batch_execute("COMMIT").await.map_err(|error| match error.as_db_error() {
        Some(_) => Error::refused("ending")(error),
        None => Error::Unknown(explain(&error)),
    })
}

async fn load(client: &Client, dump: &mut dyn BufRead) -> Result<(), Error> {
    let (mut line, mut sql, mut seen) = (Vec::new(), Vec::new(), Seen::default());
    while next_line(dump, &mut line)? {
        if is_for_psql(&line) || is_of_an_owner(&line) {
            continue;
        }
        seen.note(&line);
        if begins_rows(&line) {
            execute(client, &mut sql).await?;
            copy(client, &text(&line)?, dump).await?;
        } else {
            sql.extend_from_slice(&line);
        }
    }
    execute(client, &mut sql).await?;
    if seen.complete { Ok(()) } else { Err(Error::CutShort) }
}

async fn execute(client: &Client, sql: &mut Vec<u8>) -> Result<(), Error> {
    let statements = text(sql)?;
    sql.clear();
    client.batch_execute(&statements).await.map_err(Error::refused("a statement of the dump"))
}

/// Sends the rows that follow, up to their end.
async fn copy(client: &Client, statement: &str, dump: &mut dyn BufRead) -> Result<(), Error> {
    let refused = Error::refused("the rows of a table");
    let mut rows = pin!(client.copy_in::<_, io::Cursor<Vec<u8>>>(statement).await.map_err(&refused)?);
    let (mut line, mut chunk) = (Vec::new(), Vec::with_capacity(CHUNK));
    loop {
        if !next_line(dump, &mut line)? {
            return Err(Error::CutShort);
        }
        let is_end = ends_rows(&line);
        if !is_end {
            chunk.extend_from_slice(&line);
        }
        if is_end || chunk.len() >= CHUNK {
            rows.send(io::Cursor::new(std::mem::take(&mut chunk))).await.map_err(&refused)?;
        }
        if is_end {
            return rows.finish().await.map(drop).map_err(&refused);
        }
    }
}

/// Sees that what is to be committed has the migrations, the indexes and the constraints on which the promises rest.
async fn see_that_it_is_whole(client: &Client) -> Result<(), Error> {
    let refused = Error::refused("looking at what was brought back");
    let applied = client.query("SELECT version, name, checksum FROM public.refinery_schema_history", &[]).await;
    let applied = applied.map_err(&refused)?;
    let applied = applied.iter().map(|row| {
        let [name, checksum] = ["name", "checksum"].map(|column| row.get(column));
        Migration { version: row.get("version"), name, checksum }
    });
    let applied = Schema { ours: migrate::known(), applied: Some(applied.collect()) };
    let indexes = client.query(INDEXES.text, &[]).await.map_err(&refused)?;
    let indexes = indexes.iter().map(|row| Index {
        name: row.get("name"),
        of_offers: row.get("of_offers"),
        valid: row.get("valid"),
        unique: row.get("is_unique"),
    });
    let missing = client
        .query(
            "SELECT name FROM unnest(ARRAY['offers_pkey', 'offers_order_id_fkey', 'offers_master_id_fkey']) AS needed (name)
             WHERE name NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = to_regclass('public.offers'))",
            &[],
        )
        .await
        .map_err(&refused)?;
    let missing = missing.iter().map(|row| format!("constraint {} is not there", row.get::<_, String>("name")));
    // What this release has more is for `migrate` to make.
    let is_wrong = |finding: &Finding| finding.level == Level::Wrong && finding.code != schema::MIGRATIONS_MISSING;
    let found = schema::judge(&applied).into_iter().chain(schema::judge_indexes(&indexes.collect::<Vec<_>>()));
    let wrong: Vec<_> = found.filter(is_wrong).map(|finding| finding.what).chain(missing).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::NotWhole(wrong.join("; "))) }
}

/// Whether the dump's last line was there, and nothing behind it.
#[derive(Default)]
struct Seen {
    complete: bool,
}

impl Seen {
    fn note(&mut self, line: &[u8]) {
        let line = trimmed(line);
        if line == COMPLETE {
            self.complete = true;
        } else if !line.is_empty() && line != b"--" && !is_for_psql(line) {
            self.complete = false;
        }
    }
}

fn next_line(dump: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    Ok(dump.read_until(b'\n', line)? > 0)
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

/// Whether rows follow, as `pg_dump` writes them.
fn begins_rows(line: &[u8]) -> bool {
    line.starts_with(b"COPY ") && trimmed(line).ends_with(b" FROM stdin;")
}

fn ends_rows(line: &[u8]) -> bool {
    trimmed(line) == b"\\."
}

/// What newer ones write for psql, that it obeys no backslash in between. To the server it would be an error, as any other is.
fn is_for_psql(line: &[u8]) -> bool {
    let key = line.strip_prefix(b"\\restrict ").or_else(|| line.strip_prefix(b"\\unrestrict "));
    key.is_some_and(|key| !trimmed(key).is_empty() && trimmed(key).iter().all(u8::is_ascii_alphanumeric))
}

/// Whether only the owner of an extension may say it, who may be another one than the database's.
fn is_of_an_owner(line: &[u8]) -> bool {
    line.starts_with(b"COMMENT ON EXTENSION ")
}

fn text(bytes: &[u8]) -> Result<String, Error> {
    let not_text = |error| Error::Unread(io::Error::new(io::ErrorKind::InvalidData, error));
    std::str::from_utf8(bytes).map(ToOwned::to_owned).map_err(not_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "--\n\\restrict k1\nCREATE TABLE public.refinery_schema_history (\n);\nCOPY public.a (b) FROM stdin;\n\
                         1\n\\.\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict k1\n\n";

    #[test]
    fn a_dump_is_whole_up_to_its_last_line() {
        check(&mut WHOLE.as_bytes()).expect("a whole dump");
        let last = WHOLE.find("complete").expect("the last line") + "complete".len();
        for length in 0..last {
            assert!(matches!(check(&mut &WHOLE.as_bytes()[..length]), Err(Error::CutShort)), "{length}");
        }
        assert!(matches!(check(&mut &[WHOLE, "SELECT 1;\n"].concat().as_bytes()[..]), Err(Error::CutShort)));
        let in_rows = WHOLE.replace("\\.\n", "");
        assert!(matches!(check(&mut in_rows.as_bytes()), Err(Error::CutShort)), "a row that looks like the last line");
        let other = WHOLE.replace("refinery_schema_history", "accounts");
        assert!(matches!(check(&mut other.as_bytes()), Err(Error::NotOurs)));
    }

    #[test]
    fn only_what_newer_ones_write_for_psql_is_passed_over() {
        assert!(is_for_psql(b"\\restrict aB1\n") && is_for_psql(b"\\unrestrict aB1\n"));
        assert!(
            ![&b"\\! id\n"[..], b"\\restrict \n", b"\\restrict a \\! id\n", b"restrict a\n"]
                .map(is_for_psql)
                .contains(&true)
        );
    }
}
