//! A question that a master answers in words. It is kept in the database, so a restart forgets nothing.

use jiff::Timestamp;
use tokio::join;

use crate::model::dialog::{DialogChange, Heard, Question};
use crate::model::facts::Facts;
use crate::model::update::Action;
use crate::model::{MasterId, MasterRef, OrderId, Origin};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Store, dialogs};

/// What came of asking.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whether the question is open now. It is not if it makes no sense, or an update that is delivered again asks for what
    /// was left since.
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
) -> Result<Option<Asked>, store::Error> {
    let now = store.now();
    store
        .run(async |connection: Connection| {
            let [facts, record, ask, end, is_open] = connection
                .ready([&store::facts::READ, &updates::RECORD, &dialogs::ASK, &dialogs::END, &dialogs::IS_OPEN])
                .await?;
            let update = origin.map(|origin| &origin.update);
            let (begun, facts) =
                join!(connection.begin(), store::facts::read(&connection, &facts, order, master, update, now));
            begun?;
            let Some(facts) = facts? else {
                connection.rollback().await?;
                return Ok(None);
            };
            let id = facts.master.id;
            let asks = facts.processed.is_none() && question.makes_sense(&facts);
            let change = asks.then_some(DialogChange::Ask(question));
            let outcome = if asks { "ASKED" } else { "NOT_ASKED" };
            let answer = Answer { action: Action::Ask, order: Some(order), outcome, durable: asks };
            let (recorded, changed, open, committed) = join!(
                updates::record(&connection, &record, origin, Some(MasterRef::Id(id)), answer, now),
                dialogs::change(&connection, [&ask, &end], id, order, change, now),
                dialogs::is_open(&connection, &is_open, id, question, order),
                connection.commit(),
            );
            recorded?;
            changed?;
            let open = open? && question.makes_sense(&facts);
            committed?;
            Ok(Some(Asked { open, facts }))
        })
        .await
}

/// What a message may be an answer to; see [`dialogs::hear`]. `None`: no master wrote.
///
/// # Errors
/// When the database failed.
pub async fn hear(
    store: &Store,
    master: MasterRef,
    origin: &Origin,
    written: Option<Timestamp>,
) -> Result<Option<Heard>, store::Error> {
    dialogs::hear(store, master, origin, written).await
}

/// Whether an open question that a message did not answer still makes sense; it is left if not. The message is recorded, as
/// `action` that was not understood, so that its redelivery answers nothing else.
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
