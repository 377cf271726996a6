//! What staff can do with an order as it is: the one table that the card's buttons are drawn from.
//!
//! Pure. It only says what is worth offering: each verb decides again, from what it finds under the order's lock.

use crate::model::order::{OrderStatus, Stage};

/// Something that staff does with an order, in the order in which a card offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderAction {
    /// «Беру на себя»: the others see who sees to it.
    Claim,
    /// Leave it to the others again.
    Unclaim,
    /// Ask masters now: the first round, or the next one at once.
    AssignNow,
    /// Choose its master, or another one.
    AssignByHand,
    /// A new search: away from the master who has it, offers recalled, and earlier masters may be asked again.
    SearchAgain,
    /// Close it with a sum on its master's behalf.
    Close,
    /// Change address, phone, description or slot.
    Edit,
    /// Write something for its master.
    Comment,
    /// Open it again after it was closed or canceled.
    Reopen,
    /// Cancel it, with a reason.
    Cancel,
}

impl OrderAction {
    /// Every action.
    pub const ALL: [Self; 10] = [
        Self::Claim,
        Self::Unclaim,
        Self::AssignNow,
        Self::AssignByHand,
        Self::SearchAgain,
        Self::Close,
        Self::Edit,
        Self::Comment,
        Self::Reopen,
        Self::Cancel,
    ];
}

/// Who sees to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claimed {
    /// Nobody has said so.
    ByNobody,
    /// Who looks at the card.
    ByYou,
    /// Somebody else.
    ByAnother,
}

/// What decides about an order's actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any of them may hold with any other")]
pub struct Situation {
    /// Whether who looks at it may change anything.
    pub acts: bool,
    /// The order's status.
    pub status: OrderStatus,
    /// Whether an offer of it is live.
    pub is_offered: bool,
    /// Whether anybody was asked in the search that goes on.
    pub was_offered: bool,
    /// Who sees to it.
    pub claimed: Claimed,
    /// Whether it was closed or canceled less than a day ago.
    pub ended_lately: bool,
}

/// What the order's card offers, in this order.
#[must_use]
pub fn allowed(situation: &Situation) -> Vec<OrderAction> {
    OrderAction::ALL.into_iter().filter(|action| is_allowed(*action, situation)).collect()
}

/// Whether the card offers this.
#[must_use]
pub fn is_allowed(action: OrderAction, situation: &Situation) -> bool {
    let Situation { acts, status, is_offered, was_offered, claimed, ended_lately } = *situation;
    let stage = status.stage();
    acts && match action {
        OrderAction::Claim => stage != Stage::Final && claimed != Claimed::ByYou,
        OrderAction::Unclaim => stage != Stage::Final && claimed == Claimed::ByYou,
        OrderAction::AssignNow => stage == Stage::Open && !is_offered,
        OrderAction::SearchAgain => stage == Stage::Active || stage == Stage::Open && (is_offered || was_offered),
        OrderAction::AssignByHand | OrderAction::Edit | OrderAction::Comment | OrderAction::Cancel => {
            stage != Stage::Final
        }
        OrderAction::Close => status == OrderStatus::Payment,
        OrderAction::Reopen => stage == Stage::Final && ended_lately,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(situation: Situation) -> String {
        let letter = |action: &OrderAction| match action {
            OrderAction::Claim => 'c',
            OrderAction::Unclaim => 'u',
            OrderAction::AssignNow => 'n',
            OrderAction::AssignByHand => 'h',
            OrderAction::SearchAgain => 's',
            OrderAction::Close => 'C',
            OrderAction::Edit => 'e',
            OrderAction::Comment => 'm',
            OrderAction::Reopen => 'r',
            OrderAction::Cancel => 'x',
        };
        allowed(&situation).iter().map(letter).collect()
    }

    const FRESH: Situation = Situation {
        acts: true,
        status: OrderStatus::Searching,
        is_offered: false,
        was_offered: false,
        claimed: Claimed::ByNobody,
        ended_lately: false,
    };

    #[test]
    fn each_status_has_its_actions() {
        let table = [
            (OrderStatus::Created, "cnhemx"),
            (OrderStatus::Searching, "cnhemx"),
            (OrderStatus::Guarantee, "cnhemx"),
            (OrderStatus::Deferred, "cnhemx"),
            (OrderStatus::Assigned, "chsemx"),
            (OrderStatus::EnRoute, "chsemx"),
            (OrderStatus::Working, "chsemx"),
            (OrderStatus::Payment, "chsCemx"),
            (OrderStatus::Closed, ""),
            (OrderStatus::Canceled, ""),
        ];
        assert_eq!(table.map(|(status, _)| status), OrderStatus::ALL);
        for (status, offered) in table {
            assert_eq!(letters(Situation { status, ..FRESH }), offered, "{status:?}");
        }
    }

    #[test]
    fn who_only_reads_is_offered_nothing() {
        for status in OrderStatus::ALL {
            for claimed in [Claimed::ByNobody, Claimed::ByYou, Claimed::ByAnother] {
                let situation =
                    Situation { acts: false, status, claimed, was_offered: true, ended_lately: true, ..FRESH };
                assert_eq!(letters(situation), "", "{status:?}");
            }
        }
    }

    #[test]
    fn what_is_offered_already_is_not_offered_anew_but_can_be_searched_for_again() {
        assert_eq!(letters(Situation { is_offered: true, ..FRESH }), "chsemx");
        assert_eq!(letters(Situation { was_offered: true, ..FRESH }), "cnhsemx");
    }

    #[test]
    fn a_claim_can_be_taken_over_and_given_up_only_by_who_has_it() {
        assert_eq!(letters(Situation { claimed: Claimed::ByYou, ..FRESH }), "unhemx");
        assert_eq!(letters(Situation { claimed: Claimed::ByAnother, ..FRESH }), "cnhemx");
    }

    #[test]
    fn what_ended_lately_can_be_opened_again() {
        for status in [OrderStatus::Closed, OrderStatus::Canceled] {
            assert_eq!(letters(Situation { status, ended_lately: true, ..FRESH }), "r");
        }
        assert_eq!(letters(Situation { ended_lately: true, ..FRESH }), "cnhemx", "an open order has not ended");
    }
}
