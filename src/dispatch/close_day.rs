//! The root of a day over the history of all orders: made once the day is over, and sent to the admins, whose chats keep it where
//! nobody can change it.

use crate::model::history::hex;
use crate::store::{self, Store, history};

/// Makes what roots are due; how many. Two processes at once do no harm.
///
/// # Errors
/// When the database failed; what is due stays due.
pub async fn close_day(store: &Store) -> Result<usize, store::Error> {
    history::open_day(store).await?;
    let Some(closed) = history::close_day(store).await? else { return Ok(0) };
    let (day, changes, root, told) = (closed.day, closed.changes, hex(&closed.root), closed.enqueued);
    tracing::info!(changes, told, "history root of {day}: {root} changes={changes} told={told}");
    store.metrics().count("history", "ROOT");
    Ok(1)
}
