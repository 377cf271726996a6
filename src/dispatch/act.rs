//! Staff act on an order: give it, search for it anew, cancel it, close it for its master, open it again, change what it says,
//! see to it.
//!
//! Lock, decide, act, as in [`super::transaction`]; the order's lock is waited for, the master's is not. Three things keep two
//! dispatchers, and a dispatcher and a master, to one truth: the version that whoever acts has seen, compared under the lock;
//! the right, asked for by the statement that acts; and the update's key, by which a redelivery is recognised, and also a change of
//! which the database has not been able to say that it is committed.

mod command;
mod decision;

use jiff::Timestamp;
use tokio::join;

pub use command::{ActOutcome, StaffCommand};
use decision::{Effect, decide};
pub use decision::{has_done, is_as_seen, situation};

use super::begin_rounds;
use super::transaction::{Decision, RETRY_BACKOFF};
use crate::model::order::{OrderStatus, Stage};
use crate::model::staff_dialog::{StaffDialog, StaffQuestion};
use crate::model::staff_order::StaffOrder;
use crate::model::{Actor, Door, OrderId, Origin, StaffId, StaffRef, Version};
use crate::store::orders::{self, Assignment, Change};
use crate::store::staff_orders;
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Severity, Store, staff_dialogs};

/// Who asks, about which order, and where.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who.
    pub staff: StaffRef,
    /// About which order.
    pub order: OrderId,
    /// What that person saw of it; `None`: nothing that would matter.
    pub seen: Option<Version>,
    /// The tap, the message, or the request.
    pub origin: Option<&'a Origin>,
    /// The question that the message answers, which is closed then.
    pub answers: Option<StaffQuestion>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Acted {
    /// The answer.
    pub outcome: ActOutcome,
    /// The order, read after the transaction; `None` if there is none, or it could not be read.
    pub fresh: Option<StaffOrder>,
    /// Whether there may be messages to others.
    pub enqueued: bool,
    /// How many masters were asked right after it; `None`: nobody was to be.
    pub offers: Option<usize>,
}

/// An order, as somebody of the staff sees it. `None`: there is no such order in the cities of that person.
///
/// # Errors
/// When the database failed.
pub async fn look(store: &Store, order: OrderId, staff: StaffRef) -> Result<Option<StaffOrder>, store::Error> {
    staff_orders::of(store, order, staff).await
}

/// Does something with an order, once for each update.
///
/// # Errors
/// When the database failed.
pub async fn act(store: &Store, asked: Asked<'_>, command: &StaffCommand) -> Result<Acted, store::Error> {
    let mut acted = settle(store, asked, command).await?;
    let done = acted.outcome == ActOutcome::Done;
    let still_open = acted.fresh.as_ref().is_some_and(|order| order.status().stage() == Stage::Open);
    if done && still_open && command.begins_a_search() {
        // What fails here is done by the next tick.
        match begin_rounds::begin_round_of(store, asked.order).await {
            Ok(dispatched) => {
                acted.offers = Some(dispatched.offers);
                acted.fresh = staff_orders::of(store, asked.order, asked.staff).await.unwrap_or(acted.fresh);
                acted.enqueued |= dispatched.offers > 0;
            }
            Err(error) => tracing::warn!(%error, "order={} is left to the next tick", asked.order),
        }
    }
    let (verb, word, order) = (command.name(), acted.outcome.name(), asked.order);
    let staff = acted.fresh.as_ref().map(|order| order.staff).or(asked.staff.id().map(StaffId));
    let by = staff.map_or_else(String::new, |staff| format!(" staff={staff}"));
    tracing::info!(
        order = order.0,
        staff = staff.map(|staff| staff.0),
        outcome = word,
        "{verb} {word}: order={order}{by}"
    );
    Ok(acted)
}

/// Attempts until there is an outcome.
async fn settle(store: &Store, asked: Asked<'_>, command: &StaffCommand) -> Result<Acted, store::Error> {
    let mut waits = RETRY_BACKOFF.into_iter();
    loop {
        match store.run(|connection| attempt(store, connection, asked, command)).await {
            Ok(Some(acted)) => return Ok(acted),
            // The master was held, or the right was lost in this moment: the next look shows it.
            Ok(None) => {}
            Err(error) if error.is_refused_by_a_guard() => tracing::info!(%error, "a change was refused"),
            Err(error) if error.severity() == Severity::TimedOut => {
                tracing::warn!(%error, "a lock or a statement took too long");
                break;
            }
            Err(error) => return Err(error),
        }
        store.metrics().count("look_again", command.recorded_as().as_str());
        match waits.next() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => break,
        }
    }
    // Who is told to try again does so with an update of its own; a program with the same request.
    let origin = asked.origin.filter(|origin| origin.update.door != Door::Api);
    let answer = Answer {
        action: command.recorded_as(),
        order: Some(asked.order),
        outcome: ActOutcome::Busy.name(),
        durable: false,
    };
    updates::record_alone(store, origin, None, answer).await?;
    let fresh = staff_orders::of(store, asked.order, asked.staff).await?;
    Ok(Acted { outcome: ActOutcome::Busy, fresh, enqueued: false, offers: None })
}

/// One look at the order; `None`: look again.
async fn attempt(
    store: &Store,
    connection: Connection,
    asked: Asked<'_>,
    command: &StaffCommand,
) -> Result<Option<Acted>, store::Error> {
    let Asked { staff, order, seen, origin, answers } = asked;
    let now = store.now();
    let [wait_for, read, lock_master, master, record, end] = connection
        .ready([
            &orders::WAIT_FOR,
            &staff_orders::READ,
            &staff_orders::LOCK_MASTER,
            &staff_orders::MASTER,
            &updates::RECORD,
            &staff_dialogs::END,
        ])
        .await?;
    let update = origin.map(|origin| &origin.update);
    let receiver = command.receiver();
    let (begun, locked, receiver, before) = join!(
        connection.begin(),
        orders::wait_for(&connection, &wait_for, order),
        staff_orders::receiver(&connection, [&lock_master, &master], order, receiver),
        staff_orders::read(&connection, &read, order, staff, update, now),
    );
    begun?;
    locked?;
    let (receiver, before) = (receiver?, before?);
    let decision = match &before {
        Some(before) => decide(command, before, seen, receiver.as_ref()),
        None => Decision::Answer(ActOutcome::NotFound),
    };
    // That leaves the order's version as it was: the same request may well be another one.
    let hastens = matches!(decision, Decision::Change(Effect::Hastens, _));
    let origin = origin.filter(|origin| !hastens || origin.update.door != Door::Api);
    let (outcome, changed) = match (decision, &before) {
        (Decision::Change(effect, outcome), Some(before)) => {
            if !make(&connection, asked, command, before, effect, now).await? {
                connection.rollback().await?;
                return Ok(None);
            }
            (outcome, true)
        }
        (Decision::Answer(outcome), _) => (outcome, false),
        (Decision::Retry | Decision::Change(..), _) => {
            connection.rollback().await?;
            return Ok(None);
        }
    };
    let answer =
        Answer { action: command.recorded_as(), order: Some(order), outcome: outcome.name(), durable: changed };
    let fresh = staff_orders::read(&connection, &read, order, staff, None, now);
    let ended = async {
        // A redelivery closes no question that was asked since.
        match answers.filter(|_| before.as_ref().is_none_or(|before| before.processed.is_none())) {
            Some(question) => {
                let dialog = StaffDialog::about_order(question, order, None);
                staff_dialogs::end_within(&connection, &end, staff, &dialog).await
            }
            None => Ok(()),
        }
    };
    let (recorded, ended, (committed, fresh)) =
        join!(updates::record(&connection, &record, origin, None, answer, now), ended, connection.commit_then(fresh),);
    recorded?;
    ended?;
    committed?;
    let fresh = super::transaction::if_read(fresh);
    Ok(Some(Acted { outcome, fresh, enqueued: changed, offers: None }))
}

/// Makes the change; whether it is made: the person may not, or not any more.
async fn make(
    connection: &Connection,
    asked: Asked<'_>,
    command: &StaffCommand,
    before: &StaffOrder,
    effect: Effect,
    now: Option<Timestamp>,
) -> Result<bool, store::Error> {
    let Asked { staff, order, .. } = asked;
    let (version, from) = (before.version.version, before.status());
    let [change, assign, edit, claim, hasten] = connection
        .ready([
            &orders::RECORD_CHANGE,
            &orders::RECORD_ASSIGNMENT,
            &staff_orders::EDIT,
            &staff_orders::CLAIM,
            &staff_orders::HASTEN,
        ])
        .await?;
    let changed = |status, reason: Option<String>, amount| Change {
        order,
        version,
        from,
        to: status,
        actor: Actor::Admin(before.staff),
        reason,
        amount,
    };
    Ok(match effect {
        Effect::Claims(claims) => staff_orders::claim(connection, &claim, order, staff, claims, now).await?,
        Effect::Hastens => staff_orders::hasten(connection, &hasten, order, version, staff, now).await?,
        Effect::Says(said) => {
            let mut done = true;
            for said in said {
                done = done && staff_orders::edit(connection, &edit, order, version, staff, &said, now).await?;
            }
            done
        }
        Effect::Becomes { status, reason, amount } => {
            orders::record_change(connection, &change, &changed(status, reason, amount), now).await?;
            true
        }
        Effect::Gives { to, from_another } => {
            let mut assignment = Assignment {
                order,
                version,
                from_status: from,
                master: to,
                offer: None,
                actor: Actor::Admin(before.staff),
                // The message that was tapped is none of the master's.
                origin: asked.origin.map(|origin| Origin { message: None, ..origin.clone() }),
                action: command.recorded_as(),
            };
            if from_another {
                // First it is nobody's: two changes, each with its row.
                let back = changed(OrderStatus::Searching, None, None);
                assignment.from_status = orders::record_return(connection, &change, &back, now).await?;
                assignment.version += 1;
            }
            orders::record_assignment(connection, &assign, &assignment, now).await?;
            true
        }
    })
}
