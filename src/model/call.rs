//! Calls for staff: what needs somebody, and what has become of it.

use jiff::civil::DateTime;

use super::order::Stage;
use super::policy::Escalation;
use super::staff::Version;
use super::{Client, OrderCard, OrderStatus};

/// Something that staff are called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What for.
    pub cause: Cause,
    /// The order, if it is about one.
    pub order: Option<CalledOrder>,
    /// The master whom it concerns: who gave the order back, has it, or cannot be written to.
    pub master: Option<Contact>,
    /// What somebody has done about it, if somebody has.
    pub answer: Option<Answer>,
}

/// Why somebody is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The order does not find its master by itself.
    Escalated(Escalation),
    /// A master has given the order back, with a reason in the master's words.
    Returned(Option<String>),
    /// The client's time has passed, and nobody has come.
    Late,
    /// The bot cannot write to a master; about an order, if the master does not know of it.
    Unreachable,
}

/// An order that somebody is called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledOrder {
    /// What it says.
    pub card: OrderCard,
    /// Its client.
    pub client: Client,
    /// How far it is.
    pub status: OrderStatus,
    /// What the buttons carry of it.
    pub seen: Version,
}

/// Who can be telephoned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// `masters.id`.
    pub id: super::MasterId,
    /// The name.
    pub name: String,
    /// The phone.
    pub phone: Option<String>,
}

/// What has become of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was done.
    pub resolution: Resolution,
    /// When, on the city's clock, and what time it is there; `None`: that is not known.
    pub at: Option<(DateTime, DateTime)>,
}

/// What was done about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Somebody of the staff sees to it.
    Claimed(String),
    /// Somebody of the staff has given it to a master.
    Given {
        /// Who.
        by: String,
        /// To whom.
        master: Option<String>,
    },
    /// A master has taken it, or has it by the system.
    Taken(Option<String>),
    /// It is searched for anew: by whom of the staff, if it was staff.
    SearchedAnew(Option<String>),
    /// It was canceled: by whom of the staff, if it was staff.
    Canceled(Option<String>),
    /// It went on some other way: by whom of the staff or which master, if it was one.
    WentOn(Option<String>),
    /// The master can be written to again.
    Reachable,
}

impl Call {
    /// Whether nothing is left to be done: a call that somebody has only claimed goes on.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| !matches!(answer.resolution, Resolution::Claimed(_)))
    }
}

/// What decides about a call.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct CallFacts {
    /// How far the order is; `None`: it is about no order.
    pub status: Option<OrderStatus>,
    /// Whether the order's search still is the one that needed staff.
    pub is_escalated: bool,
    /// Whether the client's time has passed.
    pub is_late: bool,
    /// Whether the master cannot be written to, still.
    pub is_unreachable: bool,
    /// Who of the staff sees to it, and when that began.
    pub claimed: Option<(String, Option<(DateTime, DateTime)>)>,
    /// Whether that is another than the recipient, and lately enough that nobody else is called.
    pub is_in_hands: bool,
    /// What first happened to the order since the call.
    pub change: Option<Change>,
}

/// What happened to an order.
#[derive(Clone, Debug)]
pub struct Change {
    /// What it was changed to.
    pub status: OrderStatus,
    /// Who of the staff did it.
    pub staff: Option<String>,
    /// The master who has it since then, or did it.
    pub master: Option<String>,
    /// When, and what time it is.
    pub at: (DateTime, DateTime),
}

impl CallFacts {
    /// Whether there is still a reason to call the recipient.
    #[must_use]
    pub fn still_calls(&self, cause: &Cause) -> bool {
        self.stands(cause) && !self.is_in_hands
    }

    /// Whether what the call is for is still so.
    fn stands(&self, cause: &Cause) -> bool {
        let open = self.status.is_some_and(|status| status.stage() == Stage::Open);
        let nobody_there = open || matches!(self.status, Some(OrderStatus::Assigned | OrderStatus::EnRoute));
        match cause {
            Cause::Escalated(_) => open && self.is_escalated,
            Cause::Returned(_) => open && self.change.is_none(),
            Cause::Late => nobody_there && self.is_late,
            Cause::Unreachable => self.is_unreachable && self.change.is_none(),
        }
    }

    /// What has become of a call for this cause; `None`: it stands as it was made.
    #[must_use]
    pub fn answer(self, cause: &Cause) -> Option<Answer> {
        if self.stands(cause) {
            return self.claimed.map(|(by, at)| Answer { resolution: Resolution::Claimed(by), at });
        }
        if *cause == Cause::Unreachable && !self.is_unreachable {
            return Some(Answer { resolution: Resolution::Reachable, at: None });
        }
        let Some(Change { status, staff, master, at }) = self.change else {
            return Some(Answer { resolution: Resolution::WentOn(None), at: None });
        };
        let resolution = match (status, staff) {
            (OrderStatus::Assigned, Some(by)) => Resolution::Given { by, master },
            (OrderStatus::Assigned, None) => Resolution::Taken(master),
            (OrderStatus::Canceled, by) => Resolution::Canceled(by),
            (status, by) if status.stage() == Stage::Open => Resolution::SearchedAnew(by),
            (_, by) => Resolution::WentOn(by.or(master)),
        };
        Some(Answer { resolution, at: Some(at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(status: OrderStatus) -> CallFacts {
        CallFacts {
            status: Some(status),
            is_escalated: true,
            is_late: true,
            is_unreachable: true,
            claimed: None,
            is_in_hands: false,
            change: None,
        }
    }

    fn now() -> (DateTime, DateTime) {
        (jiff::civil::date(2026, 11, 29).at(14, 0, 0, 0), jiff::civil::date(2026, 11, 29).at(15, 0, 0, 0))
    }

    fn changed(status: OrderStatus, staff: Option<&str>) -> Change {
        Change { status, staff: staff.map(str::to_owned), master: Some("Анна".to_owned()), at: now() }
    }

    fn resolution(facts: CallFacts, cause: &Cause) -> Option<Resolution> {
        facts.answer(cause).map(|answer| answer.resolution)
    }

    const ESCALATED: Cause = Cause::Escalated(Escalation::Rounds);

    #[test]
    fn a_call_stands_for_as_long_as_what_it_is_for() {
        for (cause, standing) in [
            (ESCALATED, [true, true, true, true, false, false, false, false, false, false]),
            (Cause::Returned(None), [true, true, true, true, false, false, false, false, false, false]),
            (Cause::Late, [true, true, true, true, true, true, false, false, false, false]),
            (Cause::Unreachable, [true; 10]),
        ] {
            let stands = OrderStatus::ALL.map(|status| resolution(facts(status), &cause).is_none());
            assert_eq!(stands, standing, "{cause:?}");
        }
    }

    #[test]
    fn whoever_has_acted_is_named() {
        let after = |status, staff| {
            let change = Some(changed(status, staff));
            resolution(CallFacts { change, ..facts(status) }, &ESCALATED)
        };
        let given = Resolution::Given { by: "Ольга".to_owned(), master: Some("Анна".to_owned()) };
        assert_eq!(after(OrderStatus::Assigned, Some("Ольга")), Some(given));
        assert_eq!(after(OrderStatus::Assigned, None), Some(Resolution::Taken(Some("Анна".to_owned()))));
        assert_eq!(after(OrderStatus::Canceled, Some("Ольга")), Some(Resolution::Canceled(Some("Ольга".to_owned()))));
        let anew = CallFacts {
            is_escalated: false,
            change: Some(changed(OrderStatus::Searching, Some("Ольга"))),
            ..facts(OrderStatus::Searching)
        };
        assert_eq!(resolution(anew, &ESCALATED), Some(Resolution::SearchedAnew(Some("Ольга".to_owned()))));
        let moved = CallFacts { is_late: false, ..facts(OrderStatus::Assigned) };
        assert_eq!(resolution(moved, &Cause::Late), Some(Resolution::WentOn(None)));
    }

    #[test]
    fn who_sees_to_it_has_not_ended_it() {
        let claimed = CallFacts { claimed: Some(("Ольга".to_owned(), None)), ..facts(OrderStatus::Searching) };
        let answer = claimed.answer(&ESCALATED);
        let call = Call { cause: ESCALATED, order: None, master: None, answer };
        assert!(!call.is_over());
        assert_eq!(call.answer.map(|answer| answer.resolution), Some(Resolution::Claimed("Ольга".to_owned())));
    }

    #[test]
    fn a_master_who_writes_again_ends_that_call_alone() {
        let back = || CallFacts { is_unreachable: false, ..facts(OrderStatus::Searching) };
        assert_eq!(resolution(back(), &Cause::Unreachable), Some(Resolution::Reachable));
        assert_eq!(resolution(back(), &ESCALATED), None);
    }
}
