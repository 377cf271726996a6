//! Which order a tap is about, and what staff want done with it.

use crate::bots::callback::Callback;
use crate::bots::callback::staff::{OrderTap, StaffCallback};
use crate::model::OrderId;

/// The order of whatever was tapped: that of an offer's button, or one that staff are to change.
pub(super) fn order_of(data: &str) -> Option<i64> {
    order_of_master(data).or_else(|| asked(data).map(|(_, order)| order))
}

/// The order that an offer's button is about.
pub(super) fn order_of_master(data: &str) -> Option<i64> {
    match Callback::parse(data)? {
        Callback::Card { order, .. }
        | Callback::Accept { order, .. }
        | Callback::AskDecline { order, .. }
        | Callback::Decline { order, .. } => Some(order.0),
        _ => None,
    }
}

/// What was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Did {
    Give(i64),
    Return,
    Cancel,
}

/// What a tap of staff is to do with which order.
pub(super) fn asked(data: &str) -> Option<(Did, i64)> {
    let StaffCallback::Order(tap) = StaffCallback::parse(data)? else { return None };
    let (did, OrderId(order)) = match tap {
        OrderTap::Pick { order, master, .. } | OrderTap::PickAnyway { order, master, .. } => {
            (Did::Give(master.0), order)
        }
        OrderTap::Return(_, order, _) | OrderTap::ReturnWritten(order, ..) => (Did::Return, order),
        OrderTap::Cancel(_, order, _) | OrderTap::CancelWritten(order, ..) => (Did::Cancel, order),
        _ => return None,
    };
    Some((did, order))
}
