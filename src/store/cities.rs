//! `cities`: their clocks.

use super::{Connection, Error, Statement, column, statement};

/// Shows cities whose time zone the server does not know (any more) in UTC, and those whose zone it knows again in theirs;
/// the names of the lost ones.
pub(super) async fn show_lost_in_utc(connection: Connection) -> Result<String, Error> {
    const CHECK: Statement = statement!(
        "cities.check_timezones",
        [],
        "WITH checked AS (
             UPDATE cities
             SET shown_timezone = known_timezone(timezone),
                 timezone_lost_at = CASE WHEN known_timezone(timezone) <> timezone THEN coalesce(timezone_lost_at, now()) END
             WHERE shown_timezone <> known_timezone(timezone)
         )
         SELECT coalesce(string_agg(format('%s (%s)', name, timezone), ', '), '') AS lost
         FROM cities WHERE known_timezone(timezone) <> timezone"
    );
    column(&connection.fetch(&CHECK, &[]).await?[0], "lost")
}

/// Checks every city's time zone, since the server's zone data may have changed; the names of those that it does not know,
/// which are shown in UTC.
///
/// # Errors
/// When the database failed.
pub async fn check_timezones(store: &super::Store) -> Result<String, Error> {
    store.run(show_lost_in_utc).await
}
