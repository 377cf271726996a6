//! A tap on «✅ Взять заявку» in every starting state of order and offer.

use field_service::dispatch::accept::{self, AcceptOutcome};
use field_service::model::{OfferState, OrderStatus};

use crate::harness::{ANNA, BORIS, Dispatch, a_tap, master};

/// The whole table: each status of the order, whose it is, each state of this master's offer, live or overdue.
#[tokio::test]
async fn every_starting_state_has_its_outcome() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET max_active_orders = 1000000", &[]).await;
    for status in OrderStatus::ALL.map(OrderStatus::as_str) {
        for owner in [None, Some(ANNA), Some(BORIS)] {
            for offer in OfferState::ALL.map(OfferState::as_str).into_iter().map(Some).chain([None]) {
                for overdue in [false, true] {
                    if let Some(expected) = expected(status, owner, offer, overdue) {
                        one_state(&t, status, owner, offer, overdue, expected).await;
                    }
                }
            }
        }
    }
}

/// The specification, written down a second time; `None` for what cannot be in the database.
fn expected(status: &str, owner: Option<i64>, offer: Option<&str>, overdue: bool) -> Option<&'static str> {
    let open = matches!(status, "CREATED" | "SEARCHING" | "GUARANTEE" | "DEFERRED");
    let over = matches!(status, "CLOSED" | "CANCELED");
    if !open && !over && owner.is_none() {
        return None;
    }
    // An open order belongs to nobody, whoever had it before.
    let owner = if open && offer.is_some() { None } else { owner };
    Some(match (offer, owner) {
        (None, None | Some(BORIS)) => "NOT_FOUND",
        _ if over => "WITHDRAWN",
        (None, Some(ANNA)) if open => "WITHDRAWN",
        (_, Some(ANNA)) => "ALREADY_YOURS",
        (_, Some(_)) => "TAKEN",
        (Some("SENT" | "VIEWED"), None) if overdue => "EXPIRED",
        (Some("SENT" | "VIEWED"), None) => "SUCCESS",
        (Some("DECLINED"), None) => "DECLINED",
        (Some("EXPIRED"), None) => "EXPIRED",
        (Some(_), None) => "WITHDRAWN",
    })
}

async fn one_state(
    t: &Dispatch,
    status: &'static str,
    owner: Option<i64>,
    offer: Option<&str>,
    overdue: bool,
    expected: &str,
) {
    let mut order = t.order().in_status(status);
    if let Some(owner) = owner {
        order = order.of_master(owner);
    }
    let order = order.create().await;
    if let Some(state) = offer {
        t.offer(order, ANNA, state).await;
    }
    if overdue {
        t.let_expire(order, ANNA).await;
    }
    let before = t.everything_about(order).await;
    let answered = accept::accept(&t.app.store, order, master(ANNA), Some(&a_tap()), 1).await;
    let outcome = answered.expect("a database").expect("a master").outcome;
    let case = format!("{status}, of {owner:?}, offer {offer:?}, overdue {overdue}");
    assert_eq!(outcome.name(), expected, "{case}");
    if matches!(outcome, AcceptOutcome::Assigned(_)) {
        assert_eq!(t.owner(order).await, Some(ANNA), "{case}");
        let again = accept::accept(&t.app.store, order, master(ANNA), Some(&a_tap()), 1).await;
        assert_eq!(again.expect("a database").expect("a master").outcome.name(), "ALREADY_YOURS", "{case}");
    } else {
        assert_eq!(t.everything_about(order).await, before, "{case}");
    }
}
