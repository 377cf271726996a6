//! `staff`: dispatchers and admins.

use super::{Connection, Error, Statement, Store, column, statement};
use crate::model::TelegramUserId;

/// Notes that the bot can write to somebody, if that is staff and was unreachable; whether it is staff.
///
/// # Errors
/// When the database failed.
pub async fn mark_reachable(store: &Store, user: TelegramUserId) -> Result<bool, Error> {
    const MARK: Statement = statement!(
        "staff.mark_reachable",
        [INT8],
        "WITH marked AS (
             UPDATE staff SET unreachable_since = NULL
             WHERE id = (
                 SELECT id FROM staff WHERE telegram_user_id = $1 /* user */ AND unreachable_since IS NOT NULL
                 FOR NO KEY UPDATE SKIP LOCKED)
         )
         SELECT EXISTS (SELECT FROM staff WHERE telegram_user_id = $1 AND is_active) AS is_staff"
    );
    store.run(async |connection: Connection| column(&connection.fetch(&MARK, &[&user.0]).await?[0], "is_staff")).await
}
