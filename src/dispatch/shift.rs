//! A master comes on shift, or leaves: off shift stops new offers, not those that are there.

use super::TelegramUserId;
use crate::db::{self, Db};

/// Sets whether the master behind `user` is on shift; orders that found nobody to ask look again at once. False: no
/// master is behind `user`.
///
/// # Errors
/// When the database failed.
pub async fn set(db: &Db, user: TelegramUserId, on_shift: bool) -> Result<bool, db::Error> {
    let found = db::masters::set_shift(db, user, on_shift).await?;
    if found && on_shift {
        db::orders::look_again_for(db, user).await?;
    }
    if found {
        tracing::info!("shift {}: telegram_user={user}", if on_shift { "ON" } else { "OFF" });
    }
    Ok(found)
}
