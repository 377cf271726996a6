//! `cities`: their clocks.

use super::{Connection, Error, Statement, column, statement};

/// Shows cities whose time zone the server does not know (any more) in UTC, and those whose zone it knows again in theirs;
/// the lost ones, each as `city=1 (Mars/Olympus)`: their names are what somebody wrote.
pub(super) async fn show_lost_in_utc(connection: Connection) -> Result<String, Error> {
    const CHECK: Statement = statement!(
        "cities.check_timezones",
        [],
        "WITH checked AS (
             UPDATE cities
             SET shown_timezone = known_timezone(timezone),
                 timezone_lost_at = CASE WHEN known_timezone(timezone) <> timezone THEN coalesce(timezone_lost_at, now()) END
             WHERE id IN (
                 SELECT id FROM cities WHERE shown_timezone <> known_timezone(timezone) FOR NO KEY UPDATE SKIP LOCKED)
         )
         SELECT coalesce(string_agg(
                    concat('city=', id, CASE WHEN timezone ~ '^[A-Za-z0-9_+/-]{1,64}$' THEN concat(' (', timezone, ')') END),
                    ', ' ORDER BY id), '') AS lost
         FROM cities WHERE known_timezone(timezone) <> timezone"
    );
    column(&connection.fetch(&CHECK, &[]).await?[0], "lost")
}

/// Checks every city's time zone, since the server's zone data may have changed; those that it does not know, and
/// that are shown in UTC, as `city=1 (Mars/Olympus)`.
///
/// # Errors
/// When the database failed.
pub async fn check_timezones(store: &super::Store) -> Result<String, Error> {
    store.run(show_lost_in_utc).await
}
