//! Dispatchers who can be reached.

use crate::model::TelegramUserId;
use crate::store::{self, Store};

/// Whoever taps or writes can be written to: calls for a dispatcher that have not reached this person are made again.
///
/// # Errors
/// When the database failed.
pub async fn reached(store: &Store, user: TelegramUserId) -> Result<(), store::Error> {
    store::staff::reached(store, user).await
}
