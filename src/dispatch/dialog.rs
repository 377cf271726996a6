//! A question that a master answers in words. It is kept in the database, so a restart forgets nothing.

use tokio::join;

use crate::model::dialog::{DialogChange, Incoming, Question};
use crate::model::facts::Facts;
use crate::model::update::Action;
use crate::model::{MasterId, MasterRef, OrderId, Origin};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Store, dialogs};

/// What came of asking.
#[derive(Clone, Debug)]
pub struct AskOutcome {
    /// Whether the question is open. False if it makes no sense now, or if this is a redelivery and the question has been
    /// left since.
    pub open: bool,
    /// The order as the master stands to it.
    pub facts: Facts,
}

/// Asks a master a question about an own order, if it makes sense; the one asked before is forgotten. An update that is
/// delivered again asks nothing again. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn ask(
    store: &Store,
    question: Question,
    order: OrderId,
    master: MasterRef,
    origin: Option<&Origin>,
) -> Result<Option<AskOutcome>, store::Error> {
    let now = store.now();
    store
        .run(async |connection: Connection| {
            let [facts, record, ask, end, is_open] = connection
                .ready([&store::facts::READ, &updates::RECORD, &dialogs::ASK, &dialogs::END, &dialogs::IS_OPEN])
                .await?;
            let answer = Answer { action: Action::Ask, order: Some(order), outcome: "ASKED", durable: true };
            let (begun, new, facts) = join!(
                connection.begin(),
                updates::record(&connection, &record, origin, Some(master), answer, now),
                store::facts::read(&connection, &facts, order, master, None, now),
            );
            begun?;
            let new = new?;
            let Some(facts) = facts? else {
                connection.rollback().await?;
                return Ok(None);
            };
            let id = facts.master.id;
            let makes_sense = question.makes_sense(&facts);
            let change = (new && makes_sense).then_some(DialogChange::Ask(question));
            let (changed, open, committed) = join!(
                dialogs::change(&connection, [&ask, &end], id, order, change, now),
                dialogs::is_open(&connection, &is_open, id, question, order),
                connection.commit(),
            );
            changed?;
            let open = open? && makes_sense;
            committed?;
            Ok(Some(AskOutcome { open, facts }))
        })
        .await
}

/// Reads what a message may be an answer to; see [`dialogs::incoming`]. `None`: no master sent it.
///
/// # Errors
/// When the database failed.
pub async fn incoming(store: &Store, master: MasterRef, origin: &Origin) -> Result<Option<Incoming>, store::Error> {
    dialogs::incoming(store, master, origin).await
}

/// Records a message that did not answer its question; false, and the question ends, if it no longer makes sense.
///
/// # Errors
/// When the database failed.
pub async fn still_asked(
    store: &Store,
    question: Question,
    order: OrderId,
    master: MasterId,
    origin: &Origin,
) -> Result<bool, store::Error> {
    let facts = store::facts::of(store, order, MasterRef::Id(master)).await?;
    if !facts.is_some_and(|facts| question.makes_sense(&facts)) {
        dialogs::end(store, master, question, order).await?;
        return Ok(false);
    }
    let action = match question {
        Question::Amount => Action::Close,
        Question::ReturnReason => Action::GiveBack,
    };
    let answer = Answer { action, order: Some(order), outcome: NOT_UNDERSTOOD, durable: false };
    updates::record_alone(store, Some(origin), Some(MasterRef::Id(master)), answer).await?;
    Ok(true)
}

/// The outcome of a message that did not answer its question.
pub const NOT_UNDERSTOOD: &str = "NOT_UNDERSTOOD";
