//! A question that a master answers in words. It is kept in the database, so a restart forgets nothing.

use crate::model::dialog::Question;
use crate::model::facts::Facts;
use crate::model::{OrderId, Tap};
use crate::store::{self, Store};

/// Asks the master who tapped a question about an own order, if it makes sense; the one asked before is forgotten. A tap
/// that is delivered again asks nothing again. Whether the question is open then.
///
/// # Errors
/// When the database failed.
pub async fn ask(
    store: &Store,
    facts: &Facts,
    question: Question,
    order: OrderId,
    by: &Tap,
) -> Result<bool, store::Error> {
    Ok(question.makes_sense(facts) && store::dialogs::ask(store, facts.master.id, question, order, by).await?)
}
