//! What the masters of the city were when a wave went out.

use jiff::Timestamp;

use super::wave::Wave;
use crate::model::master_past::MasterPast;
use crate::model::selection::Candidate;
use crate::model::{MasterId, OrderId};

/// A time in which a master had an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Which.
    pub order: OrderId,
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: still.
    pub until: Option<Timestamp>,
    /// Whether it was given by staff, which is as good as being asked.
    pub given: bool,
}

/// An offer that a master had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Of which order.
    pub order: OrderId,
    /// When it was made.
    pub sent: Timestamp,
    /// When it ended; `None`: it still lives.
    pub ended: Option<Timestamp>,
    /// The place of its wave, if there were several at that moment.
    pub turn: Option<i32>,
}

/// A master with what has changed since the first wave that is asked about.
#[derive(Clone, Debug)]
pub struct MasterHistory {
    /// As today, and what has changed since.
    pub master: MasterPast,
    /// The orders since.
    pub spells: Vec<Spell>,
    /// The offers since.
    pub offers: Vec<Offered>,
}

impl MasterHistory {
    /// Who.
    #[must_use]
    pub fn id(&self) -> MasterId {
        self.master.today.id
    }

    /// The master as the wave saw him; `None`: there was no such master yet.
    #[must_use]
    pub fn at(&self, wave: &Wave) -> Option<Candidate> {
        let (master, at) = (&self.master, wave.at.at);
        if master.known_since > at {
            return None;
        }
        let then = master.before(master.changes.iter().take_while(|change| change.at > at), wave.limit);
        let offers = || self.offers.iter().filter(|offer| wave.comes_after(offer.sent, offer.turn));
        let given = self.spells.iter().filter(|spell| spell.given && spell.from <= at).map(|spell| spell.from);
        let (orders, live) = self.load(wave);
        Some(Candidate {
            load: i64::try_from(orders.len() + live.len()).unwrap_or(i64::MAX),
            last_asked: offers().map(|offer| offer.sent).chain(given).chain(master.asked_before).max(),
            on_shift_since: then.on_shift.then(|| master.came(at)),
            turns: u32::try_from(offers().filter(|offer| offer.sent == at).count()).unwrap_or(u32::MAX),
            left_out: None,
            ..then
        })
    }

    /// The orders that the master had on his hands when the wave went out, and those of his live offers.
    #[must_use]
    pub fn load(&self, wave: &Wave) -> (Vec<OrderId>, Vec<OrderId>) {
        let at = wave.at.at;
        let goes_on = |until: Option<Timestamp>| until.is_none_or(|until| until > at);
        let orders = self.spells.iter().filter(|spell| spell.from <= at && goes_on(spell.until));
        let offers =
            self.offers.iter().filter(|offer| wave.comes_after(offer.sent, offer.turn) && goes_on(offer.ended));
        (orders.map(|spell| spell.order).collect(), offers.map(|offer| offer.order).collect())
    }
}
