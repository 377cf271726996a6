//! Staff act on an order: give it, search for it anew, cancel it, close it for its master, open it again, change what it says,
//! see to it.
//!
//! Lock, decide, act, as in [`super::transaction`]; the order's lock is waited for, the master's is not. Three things keep two
//! dispatchers, and a dispatcher and a master, to one truth: the version that whoever acts has seen, compared under the lock;
//! the right, asked for by the statement that acts; and the update's key, by which a redelivery is recognised, and also a change of
//! which the database has not been able to say that it is committed.

use jiff::Timestamp;
use tokio::join;

use super::actions::{Claimed, OrderAction, Situation, is_allowed};
use super::begin_rounds;
use super::transaction::{BUSY, Decision, RETRY_BACKOFF};
use crate::model::blocked::Blocked;
use crate::model::order::{OrderStatus, Stage};
use crate::model::staff_dialog::{StaffDialog, StaffQuestion};
use crate::model::staff_order::{Changed, ChangedBy, Edit, LastChange, StaffOrder};
use crate::model::update::Action;
use crate::model::{Actor, Amount, Door, MasterId, OrderId, Origin, StaffId, StaffRef, Version};
use crate::store::orders::{self, Assignment, Change};
use crate::store::staff_orders::{self, Receiver};
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

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// See to it. From whom, if somebody else was seen to do so.
    Claim(Option<StaffId>),
    /// Leave it to the others.
    Unclaim,
    /// Ask masters now.
    AssignNow,
    /// Give it to a master, and take it from the one who has it.
    Assign(MasterId),
    /// The same, unless the master has as many orders as allowed.
    AssignWithinLimit(MasterId),
    /// Search anew, for a reason: nobody's then, and masters who were asked before may be asked again.
    SearchAgain(String),
    /// Cancel it, for a reason.
    Cancel(String),
    /// Close it with the sum that the client paid.
    Close(Amount),
    /// Open it again.
    Reopen,
    /// Change what it says.
    Edit(Edit),
    /// Change several things that it says, all of them or nothing.
    EditAll(Vec<Edit>),
}

impl Deed {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Claim(_) => "order_claim",
            Self::Unclaim => "order_unclaim",
            Self::AssignNow => "order_hasten",
            Self::Assign(_) | Self::AssignWithinLimit(_) => "order_assign",
            Self::SearchAgain(_) => "order_take_back",
            Self::Cancel(_) => "order_cancel",
            Self::Close(_) => "order_close",
            Self::Reopen => "order_reopen",
            Self::Edit(_) | Self::EditAll(_) => "order_edit",
        }
    }

    fn recorded_as(&self) -> Action {
        match self {
            Self::Claim(_) | Self::Unclaim => Action::Claim,
            Self::AssignNow => Action::Hasten,
            Self::Assign(_) | Self::AssignWithinLimit(_) => Action::Assign,
            Self::SearchAgain(_) => Action::TakeBack,
            Self::Cancel(_) => Action::Cancel,
            Self::Close(_) => Action::CloseFor,
            Self::Reopen => Action::Reopen,
            Self::Edit(_) | Self::EditAll(_) => Action::Edit,
        }
    }

    /// What of a card's actions it is.
    #[must_use]
    pub fn action(&self) -> OrderAction {
        match self {
            Self::Claim(_) => OrderAction::Claim,
            Self::Unclaim => OrderAction::Unclaim,
            Self::AssignNow => OrderAction::AssignNow,
            Self::Assign(_) | Self::AssignWithinLimit(_) => OrderAction::AssignByHand,
            Self::SearchAgain(_) => OrderAction::SearchAgain,
            Self::Cancel(_) => OrderAction::Cancel,
            Self::Close(_) => OrderAction::Close,
            Self::Reopen => OrderAction::Reopen,
            Self::Edit(Edit::Comment(_)) => OrderAction::Comment,
            Self::Edit(_) | Self::EditAll(_) => OrderAction::Edit,
        }
    }

    /// Who is to get the order.
    fn receiver(&self) -> Option<MasterId> {
        match self {
            Self::Assign(master) | Self::AssignWithinLimit(master) => Some(*master),
            _ => None,
        }
    }

    /// What it changes of what the order says.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        match self {
            Self::Edit(edit) => std::slice::from_ref(edit),
            Self::EditAll(edits) => edits,
            _ => &[],
        }
    }

    /// Whether masters are to be asked right after it.
    fn begins_a_search(&self) -> bool {
        matches!(self, Self::AssignNow | Self::SearchAgain(_) | Self::Reopen)
    }
}

/// Every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActOutcome {
    /// Committed; messages to whom it concerns are enqueued.
    Done,
    /// It is so already.
    AlreadyDone,
    /// This very update was handled before: nothing more is done.
    Repeated,
    /// It has changed since it was seen, and nothing is done. What was changed last, if that is known.
    Stale(Option<LastChange>),
    /// It is not the time for that: the order is not so far, or too far.
    NotNow,
    /// It was closed or canceled more than a day ago.
    TooLate,
    /// Somebody else sees to it, who was not seen to do so.
    ClaimedBy(String),
    /// Masters have been asked, and have not answered yet.
    AlreadyOffered,
    /// That time has passed.
    PastSlot,
    /// The master is blocked.
    Blocked(Blocked),
    /// Staff have yet to let the master in.
    NotLetIn,
    /// The master has as many orders as allowed.
    AtLimit,
    /// There is no such master in the order's city.
    NoSuchMaster,
    /// Who asks may only look.
    ReadOnly,
    /// There is no such order in the cities of who asks.
    NotFound,
    /// Somebody held the order or the master for too long; nothing was changed.
    Busy,
}

impl ActOutcome {
    /// Every outcome's word.
    pub const NAMES: [&'static str; 16] = [
        "SUCCESS",
        "ALREADY_DONE",
        "REPEATED",
        "STALE",
        "NOT_NOW",
        "TOO_LATE",
        "CLAIMED",
        "ALREADY_OFFERED",
        "PAST_SLOT",
        "BLOCKED",
        "NOT_LET_IN",
        "AT_LIMIT",
        "NO_SUCH_MASTER",
        "READ_ONLY",
        "NOT_FOUND",
        "BUSY",
    ];

    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "SUCCESS",
            Self::AlreadyDone => "ALREADY_DONE",
            Self::Repeated => "REPEATED",
            Self::Stale(_) => "STALE",
            Self::NotNow => "NOT_NOW",
            Self::TooLate => "TOO_LATE",
            Self::ClaimedBy(_) => "CLAIMED",
            Self::AlreadyOffered => "ALREADY_OFFERED",
            Self::PastSlot => "PAST_SLOT",
            Self::Blocked(_) => "BLOCKED",
            Self::NotLetIn => "NOT_LET_IN",
            Self::AtLimit => "AT_LIMIT",
            Self::NoSuchMaster => "NO_SUCH_MASTER",
            Self::ReadOnly => "READ_ONLY",
            Self::NotFound => "NOT_FOUND",
            Self::Busy => "BUSY",
        }
    }
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

/// What an order's situation is to whoever looks at it.
#[must_use]
pub fn situation(order: &StaffOrder) -> Situation {
    Situation {
        acts: order.acts,
        status: order.status(),
        is_offered: order.live_offers > 0,
        was_offered: order.was_offered,
        claimed: match &order.claimed {
            None => Claimed::ByNobody,
            Some((staff, _)) if *staff == order.staff => Claimed::ByYou,
            Some(_) => Claimed::ByAnother,
        },
        ended_lately: order.ended_lately,
    }
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
pub async fn act(store: &Store, asked: Asked<'_>, deed: &Deed) -> Result<Acted, store::Error> {
    let mut acted = settle(store, asked, deed).await?;
    let done = acted.outcome == ActOutcome::Done;
    let still_open = acted.fresh.as_ref().is_some_and(|order| order.status().stage() == Stage::Open);
    if done && still_open && deed.begins_a_search() {
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
    let (verb, word, order) = (deed.name(), acted.outcome.name(), asked.order);
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
async fn settle(store: &Store, asked: Asked<'_>, deed: &Deed) -> Result<Acted, store::Error> {
    let mut waits = RETRY_BACKOFF.into_iter();
    loop {
        match store.run(|connection| attempt(store, connection, asked, deed)).await {
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
        store.metrics().count("look_again", deed.recorded_as().as_str());
        match waits.next() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => break,
        }
    }
    // Who is told to try again does so with an update of its own; a program with the same request.
    let origin = asked.origin.filter(|origin| origin.update.door != Door::Api);
    let answer = Answer {
        action: deed.recorded_as(),
        order: Some(asked.order),
        outcome: ActOutcome::Busy.name(),
        durable: false,
    };
    updates::record_alone(store, origin, None, answer).await?;
    let fresh = staff_orders::of(store, asked.order, asked.staff).await?;
    Ok(Acted { outcome: ActOutcome::Busy, fresh, enqueued: false, offers: None })
}

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    Claims(bool),
    Hastens,
    Gives { to: MasterId, from_another: bool },
    Becomes { status: OrderStatus, reason: Option<String>, amount: Option<Amount> },
    Says(Vec<Edit>),
}

/// One look at the order; `None`: look again.
async fn attempt(
    store: &Store,
    connection: Connection,
    asked: Asked<'_>,
    deed: &Deed,
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
    let receiver = deed.receiver();
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
        Some(before) => decide(deed, before, seen, receiver.as_ref()),
        None => Decision::Answer(ActOutcome::NotFound),
    };
    // That leaves the order's version as it was: the same request may well be another one.
    let hastens = matches!(decision, Decision::Change(Effect::Hastens, _));
    let origin = origin.filter(|origin| !hastens || origin.update.door != Door::Api);
    let (outcome, changed) = match (decision, &before) {
        (Decision::Change(effect, outcome), Some(before)) => {
            if !make(&connection, asked, deed, before, effect, now).await? {
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
    let answer = Answer { action: deed.recorded_as(), order: Some(order), outcome: outcome.name(), durable: changed };
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
    deed: &Deed,
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
                action: deed.recorded_as(),
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

/// Decides from what was read under the order's lock.
fn decide(
    deed: &Deed,
    order: &StaffOrder,
    seen: Option<Version>,
    receiver: Option<&Receiver>,
) -> Decision<Effect, ActOutcome> {
    if !order.acts {
        return Decision::Answer(ActOutcome::ReadOnly);
    }
    match order.processed.as_deref() {
        // Nothing was done, as was said.
        Some(BUSY) => return Decision::Answer(ActOutcome::Busy),
        Some(_) => return Decision::Answer(ActOutcome::Repeated),
        None => {}
    }
    if is_so_already(deed, order) {
        return Decision::Answer(ActOutcome::AlreadyDone);
    }
    // Who sees to it changes nothing that anybody could have overlooked.
    let matters = !matches!(deed, Deed::Claim(_) | Deed::Unclaim);
    if matters && seen.is_some_and(|seen| !is_as_seen(deed.action(), order, seen)) {
        let was_done = has_done(deed.action(), order);
        return Decision::Answer(if was_done {
            ActOutcome::AlreadyDone
        } else {
            ActOutcome::Stale(order.last_change.clone())
        });
    }
    if let Some(refusal) = refusal(deed, order) {
        return Decision::Answer(refusal);
    }
    let becomes = |status, reason, amount| Effect::Becomes { status, reason, amount };
    let effect = match deed {
        Deed::Claim(_) => Effect::Claims(true),
        Deed::Unclaim => Effect::Claims(false),
        // It waits for its time, which is now.
        Deed::AssignNow if order.status() == OrderStatus::Deferred => becomes(OrderStatus::Searching, None, None),
        Deed::AssignNow => Effect::Hastens,
        Deed::Assign(master) | Deed::AssignWithinLimit(master) => match receiver {
            None => return Decision::Answer(ActOutcome::NoSuchMaster),
            Some(Receiver { blocked: Some(_), waiting: true, .. }) => return Decision::Answer(ActOutcome::NotLetIn),
            Some(Receiver { blocked: Some(blocked), .. }) => {
                return Decision::Answer(ActOutcome::Blocked(blocked.clone()));
            }
            Some(Receiver { locked: false, .. }) => return Decision::Retry,
            Some(Receiver { at_limit: true, .. }) if matches!(deed, Deed::AssignWithinLimit(_)) => {
                return Decision::Answer(ActOutcome::AtLimit);
            }
            Some(_) => Effect::Gives { to: *master, from_another: order.owner().is_some() },
        },
        Deed::SearchAgain(reason) => becomes(OrderStatus::Searching, Some(reason.clone()), None),
        Deed::Cancel(reason) => becomes(OrderStatus::Canceled, Some(reason.clone()), None),
        Deed::Close(amount) => becomes(OrderStatus::Closed, None, Some(*amount)),
        // Whoever did it waits for the money again; from there it can go anywhere.
        Deed::Reopen if order.status() == OrderStatus::Closed && order.master.is_some() => {
            becomes(OrderStatus::Payment, None, None)
        }
        Deed::Reopen => becomes(OrderStatus::Searching, None, None),
        Deed::Edit(_) | Deed::EditAll(_) => {
            Effect::Says(deed.edits().iter().filter(|edit| !is_said(edit, order)).cloned().collect())
        }
    };
    Decision::Change(effect, ActOutcome::Done)
}

/// Whether an order is as somebody has seen it, as far as that matters to an action: a note to its master is one however far he is.
#[must_use]
pub fn is_as_seen(action: OrderAction, order: &StaffOrder, seen: Version) -> bool {
    seen == order.version || action == OrderAction::Comment && order.is_with_the_same_master(seen)
}

/// Whether there is nothing to do.
fn is_so_already(deed: &Deed, order: &StaffOrder) -> bool {
    match deed {
        Deed::Claim(_) => situation(order).claimed == Claimed::ByYou,
        Deed::Unclaim => situation(order).claimed == Claimed::ByNobody,
        Deed::Assign(master) | Deed::AssignWithinLimit(master) => {
            order.owner().is_some_and(|(owner, _)| owner == *master)
        }
        Deed::Cancel(_) => order.status() == OrderStatus::Canceled,
        Deed::Close(amount) => order.status() == OrderStatus::Closed && order.amount == Some(*amount),
        Deed::Edit(_) | Deed::EditAll(_) => deed.edits().iter().all(|edit| is_said(edit, order)),
        Deed::AssignNow | Deed::SearchAgain(_) | Deed::Reopen => false,
    }
}

/// Whether the last change of the order is that its reader has done this: an impatient second tap asks for it again.
#[must_use]
pub fn has_done(action: OrderAction, order: &StaffOrder) -> bool {
    let by_reader = order.last_change.as_ref().filter(|change| change.by == ChangedBy::You);
    by_reader.is_some_and(|change| match (action, change.what) {
        (OrderAction::AssignNow | OrderAction::SearchAgain, Changed::Status(now)) => {
            matches!(now, OrderStatus::Searching | OrderStatus::Guarantee)
        }
        (OrderAction::Reopen, Changed::Status(now)) => now.stage() != Stage::Final,
        (OrderAction::Cancel, Changed::Status(now)) => now == OrderStatus::Canceled,
        _ => false,
    })
}

/// Whether the order says so already.
fn is_said(edit: &Edit, order: &StaffOrder) -> bool {
    let said = &order.order;
    match edit {
        Edit::Address(address) => said.card.address == *address,
        Edit::Name(name) => said.client.name == *name,
        Edit::Phone(phone) => said.client.phone == *phone,
        Edit::Description(text) => said.card.description.as_ref() == Some(text),
        Edit::Slot(slot) => {
            (said.card.slot.start, said.card.slot.end) == (slot.map(|slot| slot.0), slot.map(|slot| slot.1))
                && said.card.slot.soon == slot.is_none()
        }
        Edit::Comment(comment) => said.comment == *comment,
    }
}

/// Why it cannot be done with the order as it is, if it cannot: the card offers nothing else.
fn refusal(deed: &Deed, order: &StaffOrder) -> Option<ActOutcome> {
    let situation = situation(order);
    let stage = order.status().stage();
    match (deed, &order.claimed) {
        (Deed::Claim(from), Some((by, name))) if stage != Stage::Final && *from != Some(*by) => {
            return Some(ActOutcome::ClaimedBy(name.clone()));
        }
        _ => {}
    }
    match deed {
        Deed::AssignNow if stage == Stage::Open && situation.is_offered => Some(ActOutcome::AlreadyOffered),
        Deed::Reopen if stage == Stage::Final && !order.ended_lately => Some(ActOutcome::TooLate),
        _ if deed.edits().iter().any(|edit| is_past(edit, order)) => Some(ActOutcome::PastSlot),
        _ => (!is_allowed(deed.action(), &situation)).then_some(ActOutcome::NotNow),
    }
}

fn is_past(edit: &Edit, order: &StaffOrder) -> bool {
    matches!(edit, Edit::Slot(Some((_, end))) if *end <= order.order.card.slot.now)
}
