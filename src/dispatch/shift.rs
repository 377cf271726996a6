//! A master comes on shift, or leaves: off shift stops new offers, not those that are there.

use super::locked;
use crate::model::Tap;
use crate::store::{self, Store};

/// Sets whether the master who tapped is on shift; orders that found nobody to ask look again at once. A tap that is
/// delivered again changes nothing. False: no master tapped.
///
/// # Errors
/// When the database failed.
pub async fn set(store: &Store, by: &Tap, on_shift: bool) -> Result<bool, store::Error> {
    let found = store::masters::set_shift(store, by, on_shift).await?;
    if found && on_shift {
        locked::look_again_for(store, by.user).await;
    }
    if found {
        tracing::info!("shift {}: telegram_user={}", if on_shift { "ON" } else { "OFF" }, by.user);
    }
    Ok(found)
}
