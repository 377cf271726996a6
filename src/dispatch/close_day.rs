//! The root of a day over the history of all orders: made once the day is over, and sent to the admins, whose chats keep it where
//! nobody can change it.

use crate::model::history::hex;
use crate::store::history::{self, Closed, Opened, Roots};
use crate::store::{self, Store};

/// Makes what roots are due, and enqueues the newest one while no admin was told of it; how many messages were enqueued. Two
/// processes at once do no harm.
///
/// # Errors
/// When the database failed; what is due stays due.
pub async fn close_day(store: &Store) -> Result<usize, store::Error> {
    if history::open_day(store).await? == Opened::Anew {
        tracing::error!(
            "the history's roots are gone, and begin anew: compare `verify --root` with what the admins were told"
        );
        store.metrics().count("history", "ROOTS_GONE");
    }
    let Roots { closed, enqueued } = history::close_day(store).await?;
    if let Some(Closed { day, changes, root }) = closed {
        let root = hex(&root);
        tracing::info!(changes, told = enqueued, "history root of {day}: {root} changes={changes} told={enqueued}");
        store.metrics().count("history", "ROOT");
    }
    Ok(enqueued)
}
