//! Brings a database to this release's schema, with refinery.
//!
//! Safe to run twice and from several processes at once: an advisory lock of the session, which ends with the
//! process whatever happens to it, makes the second one wait. A file that was changed after it had been applied is
//! refused by name.
//!
//! Safe to run while people work: whoever wants a table that an `ALTER TABLE` waits for queues behind it, so it waits for
//! half a second at most, leaves nothing behind, says who is in the way and tries again after a growing pause.

mod in_the_way;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use refinery::error::Kind;
use refinery::{Migration, Runner, Target};
use tokio::time::{Instant, sleep};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::error::explain;
use super::tls;
use crate::config;
use crate::model::doctor::schema;
use in_the_way::Watch;

/// The files of `migrations/`, in order.
const MIGRATIONS: [(&str, &str); 65] = [
    ("V1__schema.sql", include_str!("../../migrations/V1__schema.sql")),
    ("V2__rounds.sql", include_str!("../../migrations/V2__rounds.sql")),
    ("V3__outbox.sql", include_str!("../../migrations/V3__outbox.sql")),
    ("V4__processed_updates.sql", include_str!("../../migrations/V4__processed_updates.sql")),
    ("V5__bounded_cost.sql", include_str!("../../migrations/V5__bounded_cost.sql")),
    ("V6__checks.sql", include_str!("../../migrations/V6__checks.sql")),
    ("V7__validate_checks.sql", include_str!("../../migrations/V7__validate_checks.sql")),
    ("V8__answers.sql", include_str!("../../migrations/V8__answers.sql")),
    ("V9__shown_updates.sql", include_str!("../../migrations/V9__shown_updates.sql")),
    ("V10__delivery.sql", include_str!("../../migrations/V10__delivery.sql")),
    ("V11__delivery_indexes.sql", include_str!("../../migrations/V11__delivery_indexes.sql")),
    ("V12__changed_orders.sql", include_str!("../../migrations/V12__changed_orders.sql")),
    ("V13__policies_hold_nobody_up.sql", include_str!("../../migrations/V13__policies_hold_nobody_up.sql")),
    ("V14__places_hold_nobody_up.sql", include_str!("../../migrations/V14__places_hold_nobody_up.sql")),
    ("V15__sane_values.sql", include_str!("../../migrations/V15__sane_values.sql")),
    ("V16__repair_and_validate.sql", include_str!("../../migrations/V16__repair_and_validate.sql")),
    ("V17__staff_rights.sql", include_str!("../../migrations/V17__staff_rights.sql")),
    ("V18__order_revisions.sql", include_str!("../../migrations/V18__order_revisions.sql")),
    ("V20__staff_screens.sql", include_str!("../../migrations/V20__staff_screens.sql")),
    ("V21__changed_offers.sql", include_str!("../../migrations/V21__changed_offers.sql")),
    ("V23__order_drafts.sql", include_str!("../../migrations/V23__order_drafts.sql")),
    ("V24__repeat_clients.sql", include_str!("../../migrations/V24__repeat_clients.sql")),
    ("V25__queue.sql", include_str!("../../migrations/V25__queue.sql")),
    ("V26__search.sql", include_str!("../../migrations/V26__search.sql")),
    ("V27__people.sql", include_str!("../../migrations/V27__people.sql")),
    ("V28__master_changes.sql", include_str!("../../migrations/V28__master_changes.sql")),
    ("V29__calls.sql", include_str!("../../migrations/V29__calls.sql")),
    ("V30__first_masters.sql", include_str!("../../migrations/V30__first_masters.sql")),
    ("V31__validate_staff.sql", include_str!("../../migrations/V31__validate_staff.sql")),
    ("V32__lost_taps.sql", include_str!("../../migrations/V32__lost_taps.sql")),
    ("V33__escalated_orders.sql", include_str!("../../migrations/V33__escalated_orders.sql")),
    ("V34__figure_indexes.sql", include_str!("../../migrations/V34__figure_indexes.sql")),
    ("V35__changed_calls.sql", include_str!("../../migrations/V35__changed_calls.sql")),
    ("V36__urgent_orders.sql", include_str!("../../migrations/V36__urgent_orders.sql")),
    ("V37__staff_questions.sql", include_str!("../../migrations/V37__staff_questions.sql")),
    ("V38__call_changes.sql", include_str!("../../migrations/V38__call_changes.sql")),
    ("V39__programs.sql", include_str!("../../migrations/V39__programs.sql")),
    ("V40__answered_programs.sql", include_str!("../../migrations/V40__answered_programs.sql")),
    ("V41__validate_programs.sql", include_str!("../../migrations/V41__validate_programs.sql")),
    ("V42__masters_finished_orders.sql", include_str!("../../migrations/V42__masters_finished_orders.sql")),
    ("V43__written_reasons.sql", include_str!("../../migrations/V43__written_reasons.sql")),
    ("V44__cities_finished_orders.sql", include_str!("../../migrations/V44__cities_finished_orders.sql")),
    ("V45__asked_days.sql", include_str!("../../migrations/V45__asked_days.sql")),
    ("V46__widening.sql", include_str!("../../migrations/V46__widening.sql")),
    ("V47__left_shifts.sql", include_str!("../../migrations/V47__left_shifts.sql")),
    ("V48__sealed_history.sql", include_str!("../../migrations/V48__sealed_history.sql")),
    ("V49__asked_masters.sql", include_str!("../../migrations/V49__asked_masters.sql")),
    ("V50__history_roots.sql", include_str!("../../migrations/V50__history_roots.sql")),
    ("V51__root_messages.sql", include_str!("../../migrations/V51__root_messages.sql")),
    ("V52__validate_history.sql", include_str!("../../migrations/V52__validate_history.sql")),
    ("V53__policy_authors.sql", include_str!("../../migrations/V53__policy_authors.sql")),
    ("V54__on_shift_since.sql", include_str!("../../migrations/V54__on_shift_since.sql")),
    ("V55__waves_explained.sql", include_str!("../../migrations/V55__waves_explained.sql")),
    ("V56__validate_widening.sql", include_str!("../../migrations/V56__validate_widening.sql")),
    ("V57__told_roots.sql", include_str!("../../migrations/V57__told_roots.sql")),
    ("V58__purged_history.sql", include_str!("../../migrations/V58__purged_history.sql")),
    ("V62__replaced_offers.sql", include_str!("../../migrations/V62__replaced_offers.sql")),
    ("V63__known_shifts.sql", include_str!("../../migrations/V63__known_shifts.sql")),
    ("V64__waiting_anew.sql", include_str!("../../migrations/V64__waiting_anew.sql")),
    ("V65__roots_begin_anew.sql", include_str!("../../migrations/V65__roots_begin_anew.sql")),
    ("V66__empty_since.sql", include_str!("../../migrations/V66__empty_since.sql")),
    ("V67__kept_places.sql", include_str!("../../migrations/V67__kept_places.sql")),
    ("V68__validated_places.sql", include_str!("../../migrations/V68__validated_places.sql")),
    ("V69__never_let_in.sql", include_str!("../../migrations/V69__never_let_in.sql")),
    ("V70__told_newcomers.sql", include_str!("../../migrations/V70__told_newcomers.sql")),
];

/// The oldest PostgreSQL whose statements these are, as `server_version_num` has it.
const OLDEST: i32 = 140_000;

/// How characters are to be kept: the schema counts them, compares them without case, and knows more than one alphabet.
pub const ENCODING: &str = "UTF8";

/// Any number will do, as long as it is always the same.
pub(super) const LOCK: i64 = 0x6669_656c_6473_7663;

/// How long a statement waits for a table, and others behind it: less than the second after which they give up, see
/// [`SETTINGS`].
const LOCK_TIMEOUT: &str = "500ms";
/// The same when an autovacuum is in the way, if [`SEND_VACUUM_AWAY`] is not allowed: PostgreSQL sends it away after a second.
const LOCK_TIMEOUT_BEHIND_VACUUM: &str = "1100ms";
/// How soon PostgreSQL looks for deadlocks, and sends an autovacuum away that is in the way. For superusers.
const SEND_VACUUM_AWAY: &str = "SET deadlock_timeout = '250ms'";
/// The pauses between tries grow from the first to the second: in them everybody else gets the table.
const PAUSE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

/// How long to go on trying, unless somebody says otherwise.
pub const WAIT: Duration = Duration::from_mins(5);

/// The schema could not be brought up to date. Each file is a transaction: those before it stay applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The database could not be reached, or refused a statement.
    #[error("{doing}: {cause}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// PostgreSQL's or the driver's message.
        cause: String,
    },
    /// No schema can be made there.
    #[error("the database that DATABASE_URL names cannot be used: {0}; nothing was changed")]
    Unfit(String),
    /// A migration failed, or differs from the one that was applied under its name.
    #[error("migrating: {0}")]
    Migration(String),
    /// Somebody was in the way for too long.
    #[error(
        "{what} is still in the way after {waited:?}: {who}; nothing is left half-done, so run it again later{after}"
    )]
    InTheWay {
        /// What is in the way.
        what: &'static str,
        /// For how long that was tried.
        waited: Duration,
        /// Whose it is.
        who: String,
        /// What was applied before.
        after: String,
    },
}

impl Error {
    fn database(doing: &'static str) -> impl Fn(tokio_postgres::Error) -> Self {
        move |error| Self::Database { doing, cause: explain(&error) }
    }

    fn of_refinery(error: &refinery::Error) -> Self {
        Self::Migration(match error.kind() {
            Kind::DivergentVersion(_, ours) => {
                format!("{ours} was applied and then changed: an applied file stays as it is, a change is a new file")
            }
            Kind::MissingVersion(ours) if known().iter().any(|file| file.version == ours.version()) => format!(
                "{ours} has a lower number than what the database is at, and was not applied: this build's files are out of order"
            ),
            Kind::MissingVersion(applied) => format!(
                "the database is at version {} already, which this release does not know: run a newer one",
                applied.version()
            ),
            Kind::Connection(doing, cause) => format!("{doing}: {}", explain(cause.as_ref())),
            _ => error.to_string(),
        })
    }
}

/// What [`run`] did.
#[derive(Debug, Default)]
pub struct Report {
    /// The files applied now.
    pub applied: Vec<String>,
    /// What the database's owner has yet to run, because this role is not the owner.
    pub for_the_owner: Option<String>,
}

/// Connects and applies what is missing, and goes on trying for [`WAIT`]. Needs a connection to the server itself: a pooler
/// in transaction mode knows no session's lock.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: &config::Database) -> Result<Report, Error> {
    run_to(config, None, WAIT).await
}

/// The same, up to a version, and going on trying for `wait`.
///
/// # Errors
/// See [`Error`].
pub async fn run_to(config: &config::Database, version: Option<i32>, wait: Duration) -> Result<Report, Error> {
    let migrations =
        MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect::<Result<Vec<_>, _>>();
    let migrations = migrations.map_err(|error| Error::of_refinery(&error))?;
    let target = version.map_or(Target::Latest, Target::Version);
    let runner = Runner::new(&migrations).set_target(target);
    let prospect = look(config).await?;
    if let Some(why) = prospect.unfit().filter(|_| !prospect.is_ours || prospect.behind > 0) {
        return Err(Error::Unfit(why));
    }
    let mut client = connect(config).await?;
    let tries = Tries::begin(wait);
    client
        .batch_execute(&format!("SET lock_timeout = '{LOCK_TIMEOUT}'; SET statement_timeout = 0"))
        .await
        .map_err(Error::database("setting the session's timeouts"))?;
    let sends_vacuum_away = client.batch_execute(SEND_VACUUM_AWAY).await.is_ok();
    let watch = Watch::begin(config, &client).await?;
    wait_for_turn(&client, &watch, tries).await?;
    let applied = apply(&mut client, &runner, &watch, tries, sends_vacuum_away).await?;
    let for_the_owner = set_settings(&client).await.map_err(Error::database("setting the database's own settings"))?;
    // The session ends with this, and its lock.
    Ok(Report { applied, for_the_owner })
}

/// The migrations of this release, as the database names them once they are applied.
///
/// # Panics
/// When a file is not named as files are, which every test of a migration would have found.
#[must_use]
pub fn known() -> Vec<schema::Migration> {
    let migration = |(name, sql): &(&str, &str)| {
        let file = Migration::unapplied(name, sql).expect("a file that is named as files are");
        let name = file.name().to_owned();
        schema::Migration { version: file.version(), name, checksum: file.checksum().to_string() }
    };
    MIGRATIONS.iter().map(migration).collect()
}

/// The tables that they make.
#[must_use]
pub fn tables() -> BTreeSet<&'static str> {
    let made = MIGRATIONS.iter().flat_map(|(_, sql)| sql.lines()).filter_map(|line| line.strip_prefix("CREATE TABLE "));
    made.filter_map(|rest| rest.split_whitespace().next()).collect()
}

/// A connection of its own, outside any pool. It closes when the client is dropped.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn connect(config: &config::Database) -> Result<Client, Error> {
    let connection = super::with_timeouts(&config.connection);
    let (client, driver) =
        connection.connect(tls::connector(config)?).await.map_err(Error::database("connecting to PostgreSQL"))?;
    // What becomes of the connection shows in the client's calls.
    tokio::spawn(driver);
    Ok(client)
}

/// What is known of a database before anything is done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// PostgreSQL's version, as the server says it.
    pub version: String,
    /// How it keeps characters, such as `UTF8`.
    pub encoding: String,
    /// Whether it takes no writes.
    pub read_only: bool,
    /// The same as `server_version_num`.
    pub version_number: i32,
    /// Whether this role may make tables and extensions there.
    pub may_create: bool,
    /// Whether migrations were applied there.
    pub is_ours: bool,
    /// How many of this release's it lacks, if it is ours.
    pub behind: usize,
    /// How many tables there are.
    pub tables: i64,
}

impl Prospect {
    /// Why no schema can be made there, or brought up to date, whoever tries.
    #[must_use]
    pub fn unfit(&self) -> Option<String> {
        if self.read_only {
            return Some(
                "it takes no writes: a standby, failing over, or default_transaction_read_only is on".to_owned(),
            );
        }
        if self.is_ours {
            return None;
        }
        if self.version_number < OLDEST {
            Some(format!("that is PostgreSQL {}: expected {} or newer", self.version, OLDEST / 10_000))
        } else if self.tables > 0 {
            let tables = if self.tables == 1 { "is 1 table" } else { &format!("are {} tables", self.tables) };
            Some(format!("there {tables} of something else in it: expected an empty database"))
        } else if self.encoding != ENCODING {
            Some(format!(
                "its encoding is {}: expected {ENCODING}, as made by CREATE DATABASE … ENCODING '{ENCODING}' TEMPLATE template0",
                self.encoding
            ))
        } else {
            None
        }
    }
}

/// Connects and looks, and changes nothing.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn look(config: &config::Database) -> Result<Prospect, Error> {
    let client = connect(config).await?;
    let row = client
        .query_one(
            "SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
                    pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only,
                    current_setting('server_version_num')::integer AS version_number,
                    has_database_privilege(current_database(), 'CREATE') AND has_schema_privilege('public', 'CREATE') AS may_create,
                    to_regclass('public.refinery_schema_history') IS NOT NULL AS is_ours,
                    (SELECT count(*) FROM pg_tables WHERE schemaname = 'public') AS tables",
            &[],
        )
        .await
        .map_err(Error::database("looking at the database"))?;
    let is_ours = row.get("is_ours");
    let mut behind = 0;
    if is_ours {
        let applied = client
            .query("SELECT version FROM refinery_schema_history", &[])
            .await
            .map_err(Error::database("looking at the migrations"))?;
        let applied: BTreeSet<i32> = applied.iter().map(|row| row.get(0)).collect();
        behind = known().iter().filter(|migration| !applied.contains(&migration.version)).count();
    }
    Ok(Prospect {
        version: row.get("version"),
        encoding: row.get("encoding"),
        read_only: row.get("read_only"),
        version_number: row.get("version_number"),
        may_create: row.get("may_create"),
        is_ours,
        behind,
        tables: row.get("tables"),
    })
}

/// Tries until a deadline, with growing pauses.
#[derive(Clone, Copy)]
struct Tries {
    begun: Instant,
    wait: Duration,
    pause: Duration,
}

impl Tries {
    fn begin(wait: Duration) -> Self {
        Self { begun: Instant::now(), wait, pause: PAUSE[0] }
    }

    /// Pauses before another try; an error, if the time is over.
    async fn again(&mut self, what: &'static str, who: impl fmt::Display, applied: &[String]) -> Result<(), Error> {
        let left = self.wait.saturating_sub(self.begun.elapsed());
        if left.is_zero() {
            let after = if applied.is_empty() {
                String::new()
            } else {
                format!("; applied before that: {}", applied.join(", "))
            };
            return Err(Error::InTheWay { what, waited: self.wait, who: who.to_string(), after });
        }
        let (pause, left) = (self.pause.min(left), left.as_secs());
        tracing::warn!("{what} is in the way: {who}; trying again in {pause:.0?}, for {left} s more");
        sleep(pause).await;
        self.pause = (self.pause * 3 / 2).min(PAUSE[1]);
        Ok(())
    }
}

async fn wait_for_turn(client: &Client, watch: &Watch, mut tries: Tries) -> Result<(), Error> {
    let try_lock = format!("SELECT pg_try_advisory_lock({LOCK})");
    loop {
        let answer =
            client.simple_query(&try_lock).await.map_err(Error::database("asking for the migrations' lock"))?;
        let granted = answer.iter().any(|row| matches!(row, SimpleQueryMessage::Row(row) if row.get(0) == Some("t")));
        if granted {
            return Ok(());
        }
        tries.again("another migration", watch.holder(LOCK).await, &[]).await?;
    }
}

/// Applies what is missing, file by file; those that were applied.
async fn apply(
    client: &mut Client,
    runner: &Runner,
    watch: &Watch,
    mut tries: Tries,
    sends_vacuum_away: bool,
) -> Result<Vec<String>, Error> {
    let mut applied: Vec<String> = Vec::new();
    loop {
        let (result, seen) = watch.during(runner.run_async(client)).await;
        let error = match result {
            Ok(report) => {
                applied.extend(report.applied_migrations().iter().map(ToString::to_string));
                return Ok(applied);
            }
            Err(error) => error,
        };
        // A file before the one that failed stays applied, and is not tried again.
        let before = error.report().map_or(&[][..], |report| report.applied_migrations());
        applied.extend(before.iter().map(ToString::to_string));
        if !is_in_the_way(&error) {
            return Err(Error::of_refinery(&error));
        }
        let behind_vacuum = seen.only_vacuum && !sends_vacuum_away;
        tries.again("a lock", seen, &applied).await?;
        let timeout = if behind_vacuum { LOCK_TIMEOUT_BEHIND_VACUUM } else { LOCK_TIMEOUT };
        client
            .batch_execute(&format!("SET lock_timeout = '{timeout}'"))
            .await
            .map_err(Error::database("setting the session's timeouts"))?;
    }
}

/// Whether a migration failed because somebody else was at work, and may succeed by itself.
fn is_in_the_way(error: &refinery::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
            return error.code().is_some_and(|state| {
                [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE]
                    .contains(state)
            });
        }
        next = error.source();
    }
    false
}

/// The database's own settings. They belong to the database and not to sessions: `SET` pins a connection of RDS Proxy,
/// and poolers reject `options`. A master's tap waits for no row's lock; the timeouts are for what does, such as a dispatcher's tap or a migration. A
/// statement ends before we would give its connection up. Ours are short, and none is worth compiling: while nothing is known
/// yet of how full the tables are, PostgreSQL takes some for long ones, and compiles for two seconds what runs for one
/// millisecond.
const SETTINGS: &str = "\
ALTER DATABASE %I SET lock_timeout = '1s';
ALTER DATABASE %I SET statement_timeout = '5s';
ALTER DATABASE %I SET idle_in_transaction_session_timeout = '15s';
ALTER DATABASE %I SET jit = off;";

/// The settings, each with its value, as the server shows them.
pub(super) fn settings() -> Vec<(&'static str, &'static str)> {
    let setting = |line: &'static str| {
        let (name, value) = line.split_once(" SET ")?.1.split_once(" = ")?;
        Some((name, value.trim_matches(['\'', ';'])))
    };
    SETTINGS.lines().filter_map(setting).collect()
}

/// Sets the database's own timeouts, and that nothing is compiled, for sessions begun after that. They are not part of a copy
/// made with `CREATE DATABASE … TEMPLATE`, nor of a dump. If the role does not own the database, the statements that its owner
/// must run.
///
/// # Errors
/// When PostgreSQL refuses for another reason.
pub async fn set_settings(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let name: String = client.query_one("SELECT quote_ident(current_database())", &[]).await?.get(0);
    let statements = SETTINGS.replace("%I", &name);
    match client.batch_execute(&statements).await {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(Some(statements)),
        result => result.map(|()| None),
    }
}

#[cfg(test)]
mod tests {
    use super::Prospect;

    #[test]
    fn what_cannot_be_used_is_refused_in_words() {
        let fit = Prospect {
            version: "15.3".to_owned(),
            version_number: 150_003,
            encoding: "UTF8".to_owned(),
            read_only: false,
            may_create: true,
            is_ours: false,
            behind: 0,
            tables: 0,
        };
        assert_eq!(fit.unfit(), None);
        assert_eq!(Prospect { is_ours: true, tables: 40, ..fit.clone() }.unfit(), None);
        for (unfit, word) in [
            (Prospect { version: "9.6".to_owned(), version_number: 90_600, ..fit.clone() }, "9.6"),
            (Prospect { tables: 3, ..fit.clone() }, "3 tables"),
            (Prospect { tables: 1, ..fit.clone() }, "is 1 table of"),
            (Prospect { encoding: "LATIN1".to_owned(), ..fit.clone() }, "encoding is LATIN1: expected UTF8"),
            (Prospect { read_only: true, is_ours: true, ..fit }, "no writes"),
        ] {
            assert!(unfit.unfit().is_some_and(|why| why.contains(word)), "{unfit:?}");
        }
    }
}
