//! A master changes an own order: lock, decide, act, as in accepting; see [`super::transaction`].

use tokio::join;

use super::transaction::{self, Answered, Attempt, Decision, Request};
use crate::model::dialog::{DialogChange, Question};
use crate::model::facts::Facts;
use crate::model::update::Action;
use crate::model::{Actor, Amount, MasterRef, OrderId, OrderStatus, Origin};
use crate::store::orders::Change;
use crate::store::{self, Connection, Store};

/// What becomes of the order, and of its master's question about it.
pub(super) struct Target {
    pub order: OrderChange,
    pub dialog: Option<DialogChange>,
}

/// What becomes of the order.
pub(super) enum OrderChange {
    /// It gets another status.
    Status { status: OrderStatus, reason: Option<String>, amount: Option<Amount> },
    /// What the client paid is corrected.
    Amount(Amount),
}

/// What a master asks for, common to the verbs.
#[derive(Clone, Copy)]
pub(super) struct Command<'a> {
    pub action: Action,
    /// The question that the update answers, which needs no answer any more whatever comes of it.
    pub answers: Option<Question>,
    pub order: OrderId,
    pub master: MasterRef,
    pub origin: Option<&'a Origin>,
}

/// Changes an own order. `decide` gets the facts, and whether they were read under the locks of the order and the master;
/// `word` is the outcome's. `None`: there is no such master.
pub(super) async fn change<O: Copy>(
    store: &Store,
    asked: Command<'_>,
    busy: O,
    word: fn(O) -> &'static str,
    decide: impl Fn(bool, &Facts) -> Decision<Target, O>,
) -> Result<Option<Answered<O, Facts>>, store::Error> {
    let Command { action, answers, order, master, origin } = asked;
    let look = async || transaction::facts(store, order, master).await;
    let request = Request { action, order, master, origin };
    transaction::settle(store, request, busy, look, |connection| {
        attempt(store, connection, request, answers, word, &decide)
    })
    .await
}

async fn attempt<O: Copy>(
    store: &Store,
    connection: Connection,
    request: Request<'_>,
    answers: Option<Question>,
    word: fn(O) -> &'static str,
    decide: &impl Fn(bool, &Facts) -> Decision<Target, O>,
) -> Result<Option<Attempt<O, Facts>>, store::Error> {
    let (order, now) = (request.order, store.now());
    let [lock, facts, change, correct, record, ask, end] = connection
        .ready([
            &store::orders::LOCK,
            &store::facts::READ,
            &store::orders::RECORD_CHANGE,
            &store::edits::CORRECT_AMOUNT,
            &store::updates::RECORD,
            &store::dialogs::ASK,
            &store::dialogs::END,
        ])
        .await?;
    let Some((locked, before)) = request.look(&connection, &lock, &facts, now).await? else { return Ok(None) };
    let (master, processed) = (before.master.id, before.processed.is_some());
    let fresh = store::facts::read(&connection, &facts, order, MasterRef::Id(master), None, now);
    let (outcome, fresh, enqueued) = match (decide(locked, &before), &before.order) {
        (Decision::Change(to, outcome), Some(found)) => {
            let acted = async {
                match to.order {
                    OrderChange::Status { status, reason, amount } => {
                        let changed = Change {
                            order,
                            version: found.version,
                            from: found.status,
                            to: status,
                            actor: Actor::Master(master),
                            reason,
                            amount,
                        };
                        store::orders::record_change(&connection, &change, &changed, now).await
                    }
                    OrderChange::Amount(amount) => {
                        let corrected = store::edits::correct_amount(&connection, &correct, order, master, amount, now);
                        corrected.await.map(|()| 0)
                    }
                }
            };
            // The update first: with it the question that is left, and then the one that is asked.
            let (recorded, enqueued, asked, (committed, fresh)) = join!(
                request.record(&connection, &record, Some(master), word(outcome), true, now),
                acted,
                store::dialogs::change(&connection, [&ask, &end], master, order, to.dialog, request.message(), now),
                connection.commit_then(fresh),
            );
            recorded?;
            let enqueued = enqueued? > 0;
            asked?;
            committed?;
            (Some(outcome), transaction::if_read(fresh), enqueued)
        }
        (Decision::Answer(outcome), _) => {
            // A redelivery answers no question that was asked since.
            let ended = answers.filter(|_| !processed).map(DialogChange::End);
            let (changed, fresh) = join!(
                store::dialogs::change(&connection, [&ask, &end], master, order, ended, None, now),
                request.leave(&connection, &record, Some(master), (!processed).then_some(word(outcome)), now, fresh),
            );
            changed?;
            (Some(outcome), fresh?, false)
        }
        (Decision::Retry | Decision::Change(..), _) => {
            (None, request.leave(&connection, &record, Some(master), None, now, fresh).await?, false)
        }
    };
    Ok(Some(Attempt { master, outcome, fresh, enqueued }))
}
