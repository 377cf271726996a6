//! What a command comes to: from what was read under the order's lock. Pure.

use super::command::{ActOutcome, StaffCommand};
use crate::dispatch::actions::{Claimed, OrderAction, Situation, is_allowed};
use crate::dispatch::transaction::{BUSY, Decision};
use crate::model::order::{OrderStatus, Stage};
use crate::model::staff_order::{Changed, ChangedBy, Edit, StaffOrder};
use crate::model::{Amount, MasterId, Version};
use crate::store::staff_orders::Receiver;

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Claims(bool),
    Hastens,
    Gives { to: MasterId, from_another: bool },
    Becomes { status: OrderStatus, reason: Option<String>, amount: Option<Amount> },
    Says(Vec<Edit>),
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

/// Decides from what was read under the order's lock.
pub(super) fn decide(
    command: &StaffCommand,
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
    if is_so_already(command, order) {
        return Decision::Answer(ActOutcome::AlreadyDone);
    }
    // Who sees to it changes nothing that anybody could have overlooked.
    let matters = !matches!(command, StaffCommand::Claim(_) | StaffCommand::Unclaim);
    if matters && seen.is_some_and(|seen| !is_as_seen(command.action(), order, seen)) {
        let was_done = has_done(command.action(), order);
        return Decision::Answer(if was_done {
            ActOutcome::AlreadyDone
        } else {
            ActOutcome::Stale(order.last_change.clone())
        });
    }
    if let Some(refusal) = refusal(command, order) {
        return Decision::Answer(refusal);
    }
    let becomes = |status, reason, amount| Effect::Becomes { status, reason, amount };
    let effect = match command {
        StaffCommand::Claim(_) => Effect::Claims(true),
        StaffCommand::Unclaim => Effect::Claims(false),
        // It waits for its time, which is now.
        StaffCommand::AssignNow if order.status() == OrderStatus::Deferred => {
            becomes(OrderStatus::Searching, None, None)
        }
        StaffCommand::AssignNow => Effect::Hastens,
        StaffCommand::Assign(master) | StaffCommand::AssignWithinLimit(master) => match receiver {
            None => return Decision::Answer(ActOutcome::NoSuchMaster),
            Some(Receiver { blocked: Some(_), waiting: true, .. }) => return Decision::Answer(ActOutcome::NotLetIn),
            Some(Receiver { blocked: Some(blocked), .. }) => {
                return Decision::Answer(ActOutcome::Blocked(blocked.clone()));
            }
            Some(Receiver { locked: false, .. }) => return Decision::Retry,
            Some(Receiver { at_limit: true, .. }) if matches!(command, StaffCommand::AssignWithinLimit(_)) => {
                return Decision::Answer(ActOutcome::AtLimit);
            }
            Some(_) => Effect::Gives { to: *master, from_another: order.owner().is_some() },
        },
        StaffCommand::SearchAgain(reason) => becomes(OrderStatus::Searching, Some(reason.clone()), None),
        StaffCommand::Cancel(reason) => becomes(OrderStatus::Canceled, Some(reason.clone()), None),
        StaffCommand::Close(amount) => becomes(OrderStatus::Closed, None, Some(*amount)),
        // Whoever did it waits for the money again; from there it can go anywhere.
        StaffCommand::Reopen if order.status() == OrderStatus::Closed && order.master.is_some() => {
            becomes(OrderStatus::Payment, None, None)
        }
        StaffCommand::Reopen => becomes(OrderStatus::Searching, None, None),
        StaffCommand::Edit(_) | StaffCommand::EditAll(_) => {
            Effect::Says(command.edits().iter().filter(|edit| !is_said(edit, order)).cloned().collect())
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
fn is_so_already(command: &StaffCommand, order: &StaffOrder) -> bool {
    match command {
        StaffCommand::Claim(_) => situation(order).claimed == Claimed::ByYou,
        StaffCommand::Unclaim => situation(order).claimed == Claimed::ByNobody,
        StaffCommand::Assign(master) | StaffCommand::AssignWithinLimit(master) => {
            order.owner().is_some_and(|(owner, _)| owner == *master)
        }
        StaffCommand::Cancel(_) => order.status() == OrderStatus::Canceled,
        StaffCommand::Close(amount) => order.status() == OrderStatus::Closed && order.amount == Some(*amount),
        StaffCommand::Edit(_) | StaffCommand::EditAll(_) => command.edits().iter().all(|edit| is_said(edit, order)),
        StaffCommand::AssignNow | StaffCommand::SearchAgain(_) | StaffCommand::Reopen => false,
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
fn refusal(command: &StaffCommand, order: &StaffOrder) -> Option<ActOutcome> {
    let situation = situation(order);
    let stage = order.status().stage();
    match (command, &order.claimed) {
        (StaffCommand::Claim(from), Some((by, name))) if stage != Stage::Final && *from != Some(*by) => {
            return Some(ActOutcome::ClaimedBy(name.clone()));
        }
        _ => {}
    }
    match command {
        StaffCommand::AssignNow if stage == Stage::Open && situation.is_offered => Some(ActOutcome::AlreadyOffered),
        StaffCommand::Reopen if stage == Stage::Final && !order.ended_lately => Some(ActOutcome::TooLate),
        _ if command.edits().iter().any(|edit| is_past(edit, order)) => Some(ActOutcome::PastSlot),
        _ => (!is_allowed(command.action(), &situation)).then_some(ActOutcome::NotNow),
    }
}

fn is_past(edit: &Edit, order: &StaffOrder) -> bool {
    matches!(edit, Edit::Slot(Some((_, end))) if *end <= order.order.card.slot.now)
}
