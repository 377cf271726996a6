//! A master comes on shift, or leaves: off shift stops new offers, not those that are there.

use tokio::join;

use crate::model::dialog::Profile;
use crate::model::update::Action;
use crate::model::{MasterId, MasterRef, Origin};
use crate::store::masters::{PROFILE, SET_SHIFT, read_profile, set_shift};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Store};

/// Sets whether a master is on shift, unless this very update has done so; what the master's menu shows then, if that could
/// be read. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn set(
    store: &Store,
    master: MasterRef,
    origin: Option<&Origin>,
    on_shift: bool,
) -> Result<Option<Profile>, store::Error> {
    let profile = store
        .run(async |connection: Connection| {
            let [set, record, profile] = connection.ready([&SET_SHIFT, &updates::RECORD, &PROFILE]).await?;
            let answer = Answer { action: Action::Shift, order: None, outcome: word(on_shift), durable: true };
            let (begun, new) = join!(
                connection.begin(),
                updates::record(&connection, &record, origin, Some(master), answer, store.now()),
            );
            begun?;
            if new? {
                set_shift(&connection, &set, master, on_shift, store.now()).await?;
            }
            // Read before the commit, so that nothing that fails after it hides that it is done.
            let (profile, committed) = join!(read_profile(&connection, &profile, master), connection.commit());
            let profile = profile?;
            committed?;
            Ok(profile)
        })
        .await?;
    if let Some(Profile { id, .. }) = &profile {
        tracing::info!(master = id.0, outcome = word(on_shift), "shift {}: master={id}", word(on_shift));
    }
    Ok(profile)
}

fn word(on_shift: bool) -> &'static str {
    if on_shift { "ON" } else { "OFF" }
}

/// Lets orders that found nobody to ask look again at once, since this master can be asked by now. They will anyway, half a
/// minute later: what has been committed stands if this fails.
pub async fn recheck_orders_for(store: &Store, master: MasterId) {
    if let Err(error) = store::orders::recheck_orders_for(store, master).await {
        tracing::warn!(%error, "orders without anybody to ask look again later");
    }
}
