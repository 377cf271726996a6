//! A question that a master answers in words. It is kept in the database, so a restart forgets nothing.

use tokio::join;

use crate::model::dialog::{DialogChange, Incoming, Question, Written};
use crate::model::facts::Facts;
use crate::model::update::{Action, Processed};
use crate::model::{MasterId, MasterRef, OrderId, Origin, TelegramUserId, UpdateKey};
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
    let (now, message) = (store.now(), origin.and_then(|origin| origin.message));
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
                dialogs::change(&connection, [&ask, &end], id, order, change, message, now),
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

/// Keeps a master's answer, which is to be confirmed before it counts; the order as the master stands to it. The question ends
/// if it makes no sense any more. An update that is delivered again keeps nothing again. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn answer(
    store: &Store,
    question: Question,
    order: OrderId,
    written: &Written,
    master: MasterRef,
    origin: &Origin,
) -> Result<Option<Facts>, store::Error> {
    let now = store.now();
    store
        .run(async |connection: Connection| {
            let [facts, record, keep, end, ask] = connection
                .ready([&store::facts::READ, &updates::RECORD, &dialogs::KEEP, &dialogs::END, &dialogs::ASK])
                .await?;
            let answer = Answer { action: action(question), order: Some(order), outcome: UNDERSTOOD, durable: true };
            let (begun, new, facts) = join!(
                connection.begin(),
                updates::record(&connection, &record, Some(origin), Some(master), answer, now),
                store::facts::read(&connection, &facts, order, master, None, now),
            );
            begun?;
            let new = new?;
            let Some(facts) = facts? else {
                connection.rollback().await?;
                return Ok(None);
            };
            let id = facts.master.id;
            if new && question.makes_sense(&facts) {
                dialogs::keep(&connection, &keep, id, question, order, written).await?;
            } else if new {
                let ended = Some(DialogChange::End(question));
                dialogs::change(&connection, [&ask, &end], id, order, ended, None, now).await?;
            }
            connection.commit().await?;
            Ok(Some(facts))
        })
        .await
}

/// What a master wrote in that message and has yet to confirm; `None`: the question was left, or answered otherwise since.
///
/// # Errors
/// When the database failed.
pub async fn kept(
    store: &Store,
    question: Question,
    order: OrderId,
    master: MasterRef,
    message: i32,
) -> Result<Option<String>, store::Error> {
    dialogs::kept(store, question, order, master, message).await
}

/// Whether that message is the last answer that a master gave to a question about the order, confirmed or not.
///
/// # Errors
/// When the database failed.
pub async fn is_last_answer(
    store: &Store,
    question: Question,
    order: OrderId,
    master: MasterRef,
    message: i32,
) -> Result<bool, store::Error> {
    dialogs::is_last_answer(store, question, order, master, message).await
}

/// Notes which message asks a question now; that it could not be noted costs no more than old buttons.
pub async fn note_message(store: &Store, user: TelegramUserId, order: OrderId, message: i32) {
    if let Err(error) = dialogs::note_message(store, user, order, message).await {
        tracing::warn!(%error, "which message asks a question could not be noted");
    }
}

/// What that update came to before.
///
/// # Errors
/// When the database failed.
pub async fn processed(store: &Store, update: &UpdateKey) -> Result<Option<Processed>, store::Error> {
    updates::find_alone(store, update).await
}

/// Whether a message is the first of its album, whose messages are answered once.
///
/// # Errors
/// When the database failed.
pub async fn is_first_of_album(store: &Store, album: &UpdateKey, message: i32) -> Result<bool, store::Error> {
    updates::is_first_of_album(store, album, message).await
}

/// What is asked for by an answer to a question.
fn action(question: Question) -> Action {
    match question {
        Question::Amount => Action::Close,
        Question::ReturnReason => Action::GiveBack,
    }
}

/// Reads what a message may be an answer to; see [`dialogs::incoming`]. `None`: no master sent it.
///
/// # Errors
/// When the database failed.
pub async fn incoming(store: &Store, master: MasterRef, origin: &Origin) -> Result<Option<Incoming>, store::Error> {
    dialogs::incoming(store, master, origin).await
}

/// Records a message that did not answer its question; the order as the master stands to it. `None`, and the question ends: it
/// no longer makes sense.
///
/// # Errors
/// When the database failed.
pub async fn still_asked(
    store: &Store,
    question: Question,
    order: OrderId,
    master: MasterId,
    origin: &Origin,
) -> Result<Option<Facts>, store::Error> {
    let facts = store::facts::of(store, order, MasterRef::Id(master)).await?;
    let Some(facts) = facts.filter(|facts| question.makes_sense(facts)) else {
        dialogs::end(store, master, question, order).await?;
        return Ok(None);
    };
    let answer = Answer { action: action(question), order: Some(order), outcome: NOT_UNDERSTOOD, durable: false };
    updates::record_alone(store, Some(origin), Some(MasterRef::Id(master)), answer).await?;
    Ok(Some(facts))
}

/// The outcome of a message that answered its question, and is to be confirmed.
pub const UNDERSTOOD: &str = "UNDERSTOOD";
/// The outcome of a message that did not answer its question.
pub const NOT_UNDERSTOOD: &str = "NOT_UNDERSTOOD";
