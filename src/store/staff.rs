//! `staff`: dispatchers and admins.

use super::{Connection, Error, Statement, Store, statement};
use crate::model::TelegramUserId;

/// Notes that the bot can write to somebody, if that is staff and was unreachable.
///
/// # Errors
/// When the database failed.
pub async fn mark_reachable(store: &Store, user: TelegramUserId) -> Result<(), Error> {
    const MARK: Statement = statement!(
        "staff.mark_reachable",
        [INT8],
        "UPDATE staff SET unreachable_since = NULL WHERE telegram_user_id = $1 /* user */ AND unreachable_since IS NOT NULL"
    );
    store.run(async |connection: Connection| connection.fetch(&MARK, &[&user.0]).await.map(drop)).await
}
