//! A dispatcher writes or taps, and so can be written to.

use crate::model::TelegramUserId;
use crate::store::{self, Store};

/// Marks the person as reachable: calls for a dispatcher that have not reached this person are made again. Whether it is
/// staff.
///
/// # Errors
/// When the database failed.
pub async fn mark_reachable(store: &Store, user: TelegramUserId) -> Result<bool, store::Error> {
    store::staff::mark_reachable(store, user).await
}
