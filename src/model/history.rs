//! The history of orders, and what shows that it was tampered with.
//!
//! Each row is sealed with a hash of the row before it and of what it says, so that one that is changed or taken away no longer
//! fits what follows. The end of a chain and a chain that was written anew as a whole fit themselves: those show in the roots of
//! days, which cover all seals and are in people's chats.
//!
//! What the product itself does later can be imitated by whoever may write to the database. Orders that retention deletes leave
//! their seals, which are counted by day: a policy that keeps orders for a few days only, and who made it, are among the policies. A
//! reason that its master corrects is named on request.

mod root;

use ring::digest::{Context, SHA256};

pub use root::{Covered, Digest, Root, RootWrong};

use super::order::Stage;
use super::{MasterId, OrderId, OrderStatus};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The seal of a row. `previous`: that of the order's row before it, if there is one; `says`: the row's canonical text.
#[must_use]
pub fn seal(previous: Option<&[u8]>, says: &str) -> Hash {
    hash(&[previous.unwrap_or_default(), says.as_bytes()])
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    finish(context)
}

fn finish(context: Context) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// A hash as people compare it.
#[must_use]
pub fn hex(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A row of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The row's number.
    pub row: i64,
    /// Whether it is one that the database has given out. A day's root covers no other.
    pub is_given_out: bool,
    /// The status before it.
    pub from: Option<String>,
    /// The status after it.
    pub to: String,
    /// To whom it gives the order, if it is such a change and says so.
    pub given_to: Option<MasterId>,
    /// What the client paid, in rubles, if it says so.
    pub amount: Option<String>,
    /// Its seal, if it has one.
    pub seal: Option<Vec<u8>>,
    /// Its canonical text.
    pub says: String,
    /// The same with the reason that was given first, if its master has corrected it in time.
    pub said_first: Option<String>,
}

/// An order with its whole history, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderHistory {
    /// Which order.
    pub order: OrderId,
    /// Its status.
    pub status: String,
    /// Its version, which begins at 1 and grows with each change.
    pub version: i64,
    /// Its master.
    pub master: Option<MasterId>,
    /// What its client paid, in rubles.
    pub amount: Option<String>,
    /// What its master has corrected that to last since it was closed, as it is written beside the history.
    pub amount_corrected: Option<String>,
    /// Its changes, in the order of their numbers.
    pub changes: Vec<Change>,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The row has been changed since it was sealed, or the row before it was.
    Changed,
    /// The row was sealed after one that is not there any more.
    MissingBefore,
    /// The row has no seal.
    NotSealed,
    /// The row has a number that the database has not given out, so that no root covers it.
    NotGivenOut,
    /// The row's status before it is not the one in which the row before it ends.
    DoesNotFollow {
        /// The status in which that one ends.
        previous: String,
    },
    /// The order has a status that is not its history's last one.
    OtherStatus {
        /// The order's.
        status: String,
        /// The history's last one.
        last: String,
    },
    /// The order has a master who is not the one that its history gives it to.
    OtherMaster {
        /// The order's.
        master: Option<MasterId>,
        /// The history's last one; `None`: nobody has it.
        last: Option<MasterId>,
    },
    /// The order has a sum that is not the one of its closing.
    OtherAmount {
        /// The order's.
        amount: Option<String>,
        /// The history's.
        last: String,
    },
    /// The order has changed so many times, and has other than so many rows.
    Counted {
        /// How many changes its version says there were.
        changes: i64,
        /// How many rows there are.
        rows: i64,
    },
}

/// Where something does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In which order.
    pub order: OrderId,
    /// At which row; the last one, if it is the end that does not fit. `None`: there is no row.
    pub row: Option<i64>,
    /// What it is.
    pub wrong: Wrong,
}

/// What was found of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The first thing that does not fit.
    pub finding: Option<Finding>,
    /// How many rows are yet to be sealed.
    pub unsealed: u64,
    /// The rows whose reason or sum its master has corrected, as it is written beside them. Whoever changes one can write that
    /// too: they are for people to look at.
    pub corrected: Vec<i64>,
}

impl OrderHistory {
    /// Judges the order. `sealing`: rows from before there were seals are still being sealed.
    #[must_use]
    pub fn judge(&self, sealing: bool) -> Judged {
        let mut judged = Judged::default();
        let rows = i64::try_from(self.changes.len()).unwrap_or(i64::MAX);
        let changes = self.version - 1;
        let found = |row: Option<i64>, wrong| Some(Finding { order: self.order, row, wrong });
        let mut previous: Option<&Change> = None;
        for change in &self.changes {
            let before = previous.and_then(|previous| previous.seal.as_deref());
            let unsealed_before = previous.is_some() && before.is_none();
            match change.seal.as_deref() {
                // Sealed rows come first: those after them are sealed by the database.
                None if sealing && before.is_none() => judged.unsealed += 1,
                None => judged.finding = found(Some(change.row), Wrong::NotSealed),
                Some(_) if unsealed_before => {
                    judged.finding = found(previous.map(|previous| previous.row), Wrong::NotSealed);
                }
                Some(own) if own == seal(before, &change.says) => {}
                Some(own) if change.said_first.as_ref().is_some_and(|said| own == seal(before, said)) => {
                    judged.corrected.push(change.row);
                }
                Some(_) => {
                    let wrong = if rows < changes { Wrong::MissingBefore } else { Wrong::Changed };
                    judged.finding = found(Some(change.row), wrong);
                }
            }
            if !change.is_given_out {
                judged.finding = found(Some(change.row), Wrong::NotGivenOut);
            }
            if judged.finding.is_none()
                && let Some(previous) = previous.filter(|previous| change.from.as_ref() != Some(&previous.to))
            {
                judged.finding = found(Some(change.row), Wrong::DoesNotFollow { previous: previous.to.clone() });
            }
            if judged.finding.is_some() {
                return judged;
            }
            previous = Some(change);
        }
        judged.finding = match previous {
            Some(last) if last.to != self.status => {
                let (status, last_status) = (self.status.clone(), last.to.clone());
                found(Some(last.row), Wrong::OtherStatus { status, last: last_status })
            }
            _ if rows != changes => found(previous.map(|previous| previous.row), Wrong::Counted { changes, rows }),
            _ => self.other_master().and_then(|wrong| found(previous.map(|previous| previous.row), wrong)),
        };
        if judged.finding.is_none()
            && let Some((last, closed_for)) = previous.and_then(|last| Some((last, last.amount.as_ref()?)))
            && self.amount.as_ref() != Some(closed_for)
        {
            if self.amount.is_some() && self.amount == self.amount_corrected {
                judged.corrected.push(last.row);
            } else {
                let wrong = Wrong::OtherAmount { amount: self.amount.clone(), last: closed_for.clone() };
                judged.finding = found(Some(last.row), wrong);
            }
        }
        judged
    }

    /// Whether the order has another master than its history says; of one that says nothing of it that is not known.
    fn other_master(&self) -> Option<Wrong> {
        let mut known = None;
        for change in &self.changes {
            match OrderStatus::parse(&change.to) {
                Some(OrderStatus::Assigned) => known = change.given_to.map(Some),
                Some(status) if status.stage() == Stage::Open => known = Some(None),
                _ => {}
            }
        }
        let last = known.filter(|last| *last != self.master)?;
        Some(Wrong::OtherMaster { master: self.master, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(row: i64, from: &str, to: &str, previous: Option<&Change>) -> Change {
        let says = format!("[1, {row}, \"{from}\", \"{to}\"]");
        let seal = seal(previous.and_then(|previous| previous.seal.as_deref()), &says);
        let from = Some(from.to_owned());
        let seal = Some(seal.to_vec());
        let given_to = (to == "ASSIGNED").then_some(MasterId(3));
        let amount = (to == "CLOSED").then(|| "1500.00".to_owned());
        Change { row, is_given_out: true, from, to: to.to_owned(), given_to, amount, seal, says, said_first: None }
    }

    fn order() -> OrderHistory {
        let first = change(10, "CREATED", "SEARCHING", None);
        let second = change(15, "SEARCHING", "ASSIGNED", Some(&first));
        let third = change(20, "ASSIGNED", "EN_ROUTE", Some(&second));
        let changes = vec![first, second, third];
        OrderHistory {
            order: OrderId(7),
            status: "EN_ROUTE".to_owned(),
            version: 4,
            master: Some(MasterId(3)),
            amount: None,
            amount_corrected: None,
            changes,
        }
    }

    fn wrong(change: impl Fn(&mut OrderHistory)) -> Option<(Option<i64>, Wrong)> {
        let mut order = order();
        change(&mut order);
        order.judge(false).finding.map(|found| (found.row, found.wrong))
    }

    #[test]
    fn an_order_that_nobody_has_touched_fits() {
        assert_eq!(wrong(|_| {}), None);
        assert_eq!(wrong(|order| (order.changes, order.version) = (Vec::new(), 1)), None, "nothing has happened yet");
    }

    #[test]
    fn each_kind_of_tampering_is_named_where_it_is() {
        assert_eq!(wrong(|order| order.changes[1].says.push(' ')), Some((Some(15), Wrong::Changed)));
        assert_eq!(wrong(|order| drop(order.changes.remove(0))), Some((Some(15), Wrong::MissingBefore)));
        assert_eq!(wrong(|order| drop(order.changes.remove(1))), Some((Some(20), Wrong::MissingBefore)));
        assert_eq!(wrong(|order| order.changes[1].seal = None), Some((Some(15), Wrong::NotSealed)));
        assert_eq!(wrong(|order| order.changes[2].is_given_out = false), Some((Some(20), Wrong::NotGivenOut)));
        let last = "ASSIGNED".to_owned();
        let other = Wrong::OtherStatus { status: "EN_ROUTE".to_owned(), last };
        assert_eq!(wrong(|order| drop(order.changes.pop())), Some((Some(15), other)));
        assert_eq!(wrong(|order| order.changes.clear()), Some((None, Wrong::Counted { changes: 3, rows: 0 })));
        let forged = |order: &mut OrderHistory| {
            let forged = change(30, "WORKING", "EN_ROUTE", order.changes.last());
            order.changes.push(forged);
        };
        let previous = "EN_ROUTE".to_owned();
        assert_eq!(wrong(forged), Some((Some(30), Wrong::DoesNotFollow { previous })));
    }

    #[test]
    fn an_order_whose_master_or_sum_was_changed_by_hand_is_named() {
        let other = |master: Option<i64>, last: Option<i64>| {
            Some((Some(20), Wrong::OtherMaster { master: master.map(MasterId), last: last.map(MasterId) }))
        };
        assert_eq!(wrong(|order| order.master = Some(MasterId(4))), other(Some(4), Some(3)));
        assert_eq!(wrong(|order| order.master = None), other(None, Some(3)));
        // What was written by hand or long ago may not say whose it became.
        let unknown = |order: &mut OrderHistory| {
            order.changes[1].given_to = None;
            order.master = Some(MasterId(4));
        };
        assert_eq!(wrong(unknown), None);
        let searched_again = |master: Option<i64>| {
            move |order: &mut OrderHistory| {
                let again = change(21, "EN_ROUTE", "SEARCHING", order.changes.last());
                order.changes.push(again);
                (order.status, order.version, order.master) = ("SEARCHING".to_owned(), 5, master.map(MasterId));
            }
        };
        assert_eq!(wrong(searched_again(None)), None);
        let kept = Wrong::OtherMaster { master: Some(MasterId(3)), last: None };
        assert_eq!(wrong(searched_again(Some(3))), Some((Some(21), kept)));

        let closed = |amount: Option<&str>, corrected: Option<&str>| {
            let mut order = order();
            let last = change(22, "EN_ROUTE", "CLOSED", order.changes.last());
            order.changes.push(last);
            (order.status, order.version) = ("CLOSED".to_owned(), 5);
            (order.amount, order.amount_corrected) = (amount.map(str::to_owned), corrected.map(str::to_owned));
            order.judge(false)
        };
        let other = |amount: Option<&str>| {
            let wrong = Wrong::OtherAmount { amount: amount.map(str::to_owned), last: "1500.00".to_owned() };
            Some(Finding { order: OrderId(7), row: Some(22), wrong })
        };
        assert_eq!(closed(Some("1500.00"), None), Judged::default());
        assert_eq!(closed(Some("15.00"), None).finding, other(Some("15.00")));
        assert_eq!(closed(Some("15.00"), Some("1600.00")).finding, other(Some("15.00")));
        assert_eq!(closed(None, None).finding, other(None));
        let corrected = Judged { corrected: vec![22], ..Judged::default() };
        assert_eq!(closed(Some("1600.00"), Some("1600.00")), corrected);
    }

    #[test]
    fn while_old_rows_are_being_sealed_those_at_the_end_may_be_without() {
        let mut order = order();
        order.changes[2].seal = None;
        assert_eq!(order.judge(true).finding.map(|found| found.row), Some(Some(20)), "only old ones may");
        order.changes.iter_mut().for_each(|change| change.seal = None);
        assert_eq!(order.judge(true), Judged { unsealed: 3, ..Judged::default() });
        assert_eq!(order.judge(false).finding.map(|found| found.wrong), Some(Wrong::NotSealed));
        order.changes[2].seal = Some(vec![0; 32]);
        assert_eq!(order.judge(true).finding.map(|found| found.row), Some(Some(15)));
    }

    #[test]
    fn what_was_said_first_is_sealed_when_a_reason_is_corrected() {
        let mut order = order();
        let said = std::mem::replace(&mut order.changes[1].says, "corrected".to_owned());
        order.changes[1].said_first = Some(said);
        assert_eq!(order.judge(false), Judged { corrected: vec![15], ..Judged::default() });
        order.changes[1].said_first = Some("something else".to_owned());
        assert_eq!(order.judge(false).finding.map(|found| found.wrong), Some(Wrong::Changed));
    }
}
