//! The order that is asked about, and its waves as they were recorded.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use crate::model::moment::Moment;
use crate::model::selection::Exclusion;
use crate::model::{Category, MasterId, OrderId, OrderStatus};

/// How many waves are explained, the last ones.
pub const WAVES: i64 = 8;

/// For how long after a wave masters are made out as they were. Later, messages that were not delivered are forgotten, and to
/// undo what has changed since takes longer than people wait.
pub const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The order that is asked about; nothing of its client.
#[derive(Clone, Debug)]
pub struct WhyOrder {
    /// Which order.
    pub id: OrderId,
    /// What it is now.
    pub status: OrderStatus,
    /// Its trade.
    pub category: Category,
    /// Its city.
    pub city: i64,
    /// Its district, with the name.
    pub district: Option<(i64, String)>,
    /// Whom the client asked for.
    pub preferred: Option<MasterId>,
    /// Whose it is.
    pub owner: Option<MasterId>,
    /// The moment of the question.
    pub now: Timestamp,
    /// The same on the clocks of the city.
    pub local_now: DateTime,
}

impl WhyOrder {
    /// Whether the preferred master is among these.
    pub(super) fn has_preferred(&self, masters: &[MasterId]) -> bool {
        self.preferred.is_some_and(|preferred| masters.contains(&preferred))
    }
}

/// A wave as it was recorded, and what it took the order's own offers to be.
#[derive(Clone, Debug)]
pub struct Wave {
    /// Which wave of its search.
    pub number: i32,
    /// When its search began.
    pub search_started: Timestamp,
    /// When it went out. Of one that has asked nobody: since when that was for these reasons, which is the moment that is judged.
    pub at: Moment,
    /// Since when nobody could be asked, for whatever reasons; `None`: somebody was, or it is not written down.
    pub empty_since: Option<Moment>,
    /// Its place among the waves that were decided at the same moment.
    pub turn: Option<i32>,
    /// The order's city then; `None`: nobody has written it down.
    pub city: Option<i64>,
    /// How many orders at once the policy of that time allowed.
    pub limit: i64,
    /// Whom it asked, best first.
    pub chosen: Vec<MasterId>,
    /// How many it did not ask, by reason.
    pub excluded: BTreeMap<Exclusion, i64>,
    /// Who had been asked before.
    pub asked: HashSet<MasterId>,
}

impl Wave {
    /// Whether something came before the wave: at an earlier moment, or at the same one by a wave before it.
    pub(super) fn comes_after(&self, at: Timestamp, turn: Option<i32>) -> bool {
        at < self.at.at || at == self.at.at && turn.zip(self.turn).is_some_and(|(turn, own)| turn < own)
    }

    /// When it went out; of one that has asked nobody, since when nobody could be.
    #[must_use]
    pub fn since(&self) -> Moment {
        self.empty_since.unwrap_or(self.at)
    }

    /// Whether masters can still be made out as they were then.
    #[must_use]
    pub fn is_known_at(&self, now: Timestamp) -> bool {
        now.duration_since(self.at.at) <= KNOWN_FOR
    }

    /// Whether the order was of another city then: whom the wave chose among is not known any more.
    #[must_use]
    pub fn was_elsewhere(&self, order: &WhyOrder) -> bool {
        self.city.is_some_and(|city| city != order.city)
    }

    /// Whether it can be judged again.
    #[must_use]
    pub fn can_be_judged(&self, order: &WhyOrder) -> bool {
        self.is_known_at(order.now) && !self.was_elsewhere(order)
    }

    /// Whether it is written down what it was to the master, so that nobody has to be made out: it asked him, or knew that he had
    /// been asked. The second is said though something else may have come to it since, for that is what he remembers.
    #[must_use]
    pub fn has_asked(&self, master: MasterId) -> bool {
        self.chosen.contains(&master) || self.asked.contains(&master)
    }

    pub(super) fn counted(&self, reason: Exclusion) -> i64 {
        self.excluded.get(&reason).copied().unwrap_or(0)
    }
}
