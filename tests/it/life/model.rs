//! What the model knows of an order, and how it changes.

use std::collections::BTreeMap;

use field_service::model::OrderId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Live { until: i64 },
    Accepted,
    Declined,
    Expired,
    Canceled,
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: OrderId,
    pub(super) status: &'static str,
    pub(super) owner: Option<usize>,
    pub(super) changes: i32,
    /// Each master's last offer.
    pub(super) offers: BTreeMap<usize, Offer>,
    /// Whether it is a free visit, for ever.
    pub(super) guarantee: bool,
}

impl Order {
    pub(super) fn open(&self) -> bool {
        ["CREATED", "SEARCHING", "GUARANTEE"].contains(&self.status)
    }

    pub(super) fn active(&self) -> bool {
        ["ASSIGNED", "EN_ROUTE", "WORKING", "PAYMENT"].contains(&self.status)
    }

    pub(super) fn set(&mut self, status: &'static str) {
        self.status = status;
        self.changes += 1;
    }

    pub(super) fn recall(&mut self, but: Option<usize>) {
        for (master, offer) in &mut self.offers {
            if Some(*master) != but && matches!(offer, Offer::Live { .. } | Offer::Accepted) {
                *offer = Offer::Canceled;
            }
        }
    }

    pub(super) fn assign(&mut self, master: usize) {
        self.set("ASSIGNED");
        self.owner = Some(master);
    }

    pub(super) fn search_again(&mut self) {
        self.set(if self.guarantee { "GUARANTEE" } else { "SEARCHING" });
        self.owner = None;
        self.recall(None);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Amount,
    Reason,
}
