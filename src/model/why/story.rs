//! What each wave of an order was to a master, and how certain that is.

use std::collections::{HashMap, HashSet};

use super::judged::{Judged, judge};
use super::outcome::{self, Answer, Assignment, OfferOutcome, OrderChange, Unasked};
use super::past::MasterHistory;
use super::wave::{Wave, WhyOrder};
use crate::model::moment::Moment;
use crate::model::selection::{Candidate, Exclusion};
use crate::model::{MasterId, OrderId};

/// An offer as it is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// When it was made.
    pub sent: Moment,
    /// What became of it.
    pub outcome: OfferOutcome,
}

/// What a wave was to a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Asked, and what became of that.
    Asked(Option<Answered>),
    /// Asked by a wave before, and what became of that.
    AskedBefore(Option<Answered>),
    /// Had the order before, without having been asked.
    AssignedBefore(Assignment),
    /// Could be asked; but the client wanted somebody else, who was asked first and alone.
    ClientsChoice,
    /// Could be asked; but others had waited longer.
    Waited {
        /// For how many seconds the master had; `None`: was never asked.
        own: Option<i64>,
        /// Whom the wave asked, and for how many seconds each of them had; without the preferred master.
        others: Vec<(MasterId, Option<i64>)>,
        /// Whether any of those had waited exactly as long.
        tied: bool,
        /// Whether the preferred master was asked besides, before all others, however long he had waited.
        preferred_asked: bool,
    },
    /// Could be asked, and may have been held: others were being decided about in the same second.
    WaitedOrHeld {
        /// As of [`Self::Waited`].
        preferred_asked: bool,
    },
    /// Had as many orders and offers as allowed.
    Full {
        /// How many that is.
        limit: i64,
        /// The orders.
        orders: Vec<OrderId>,
        /// The offers' orders.
        offers: Vec<OrderId>,
        /// How many more there are of either, which the reader may not be told the numbers of.
        elsewhere: usize,
    },
    /// Another reason, the first that held.
    Excluded(Exclusion),
    /// Was not in the city then.
    Elsewhere,
    /// The order was of another city then, so that cannot be known any more.
    OrderElsewhere,
    /// That cannot be known any more.
    Unknown,
}

impl Verdict {
    /// The other orders that it names.
    #[must_use]
    pub fn named(&self) -> Vec<OrderId> {
        match self {
            Self::Full { orders, offers, .. } => orders.iter().chain(offers).copied().collect(),
            _ => Vec::new(),
        }
    }

    /// The offer of the order that it is about.
    #[must_use]
    pub fn answered(&self) -> Option<&Answered> {
        match self {
            Self::Asked(answered) | Self::AskedBefore(answered) => answered.as_ref(),
            _ => None,
        }
    }

    /// Whether the order was offered or given to the master.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        matches!(self, Self::Asked(_) | Self::AskedBefore(_) | Self::AssignedBefore(_))
    }

    /// Names of the other orders only those that the reader may see, and counts the rest.
    pub fn name_only(&mut self, seen: &HashSet<OrderId>) {
        let named = self.named().len();
        if let Self::Full { orders, offers, elsewhere, .. } = self {
            orders.retain(|order| seen.contains(order));
            offers.retain(|order| seen.contains(order));
            *elsewhere += named - orders.len() - offers.len();
        }
    }
}

/// A wave, or an offer that was made without one, as it is told to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which wave of its search; `None`: the master was asked without one.
    pub number: Option<i32>,
    /// Whether its search is another one than that of the wave told before it.
    pub begins_search: bool,
    /// When it went out; of one that has asked nobody, since when nobody could be.
    pub at: Moment,
    /// Of what moment the rest is told, if that is a later one.
    pub as_of: Option<Moment>,
    /// How many it asked.
    pub chosen: usize,
    /// What it was to the master.
    pub verdict: Verdict,
    /// Whether that is certain.
    pub certain: bool,
}

/// All that is known of an order's waves.
#[derive(Clone, Debug)]
pub struct Story {
    /// The order.
    pub order: WhyOrder,
    /// Its waves, the first one first.
    pub waves: Vec<Wave>,
    /// Whether there were more before these.
    pub earlier: bool,
    /// The masters who are or were in its city.
    pub masters: Vec<MasterHistory>,
    /// Its offers, the first one first.
    pub answers: Vec<Answer>,
    /// Its changes, the first one first.
    pub changes: Vec<OrderChange>,
}

impl Story {
    /// What each wave was to a master, and what became of offers without one, the first one first.
    #[must_use]
    pub fn tell(&self, master: MasterId) -> Vec<Told> {
        let mut before = None;
        let each = self.waves.iter().map(|wave| {
            let begins_search = before.replace(wave.search_started).is_some_and(|before| before != wave.search_started);
            let (verdict, certain) = self.verdict(wave, master);
            let number = Some(wave.number);
            let at = wave.since();
            let as_of = (at != wave.at).then_some(wave.at);
            Told { number, begins_search, at, as_of, chosen: wave.chosen.len(), verdict, certain }
        });
        let mut told: Vec<Told> = each.collect();
        let own = self.direct().filter(|answer| answer.master == master);
        told.extend(own.map(|answer| Told {
            number: None,
            begins_search: false,
            at: answer.sent,
            as_of: None,
            chosen: 1,
            verdict: Verdict::Asked(Some(self.answered(answer))),
            certain: true,
        }));
        told.sort_by_key(|told| told.at.at);
        told
    }

    /// The offers that none of the waves has made: somebody has made them by hand.
    pub fn direct(&self) -> impl Iterator<Item = &Answer> {
        // Those of waves that are not told of any more aside.
        let since = self.waves.first().filter(|_| self.earlier).map(|wave| wave.at.at);
        self.answers.iter().filter(move |answer| {
            let made_it = |wave: &Wave| wave.at.at == answer.sent.at && wave.chosen.contains(&answer.master);
            since.is_none_or(|since| answer.sent.at >= since) && !self.waves.iter().any(made_it)
        })
    }

    /// Why nobody was asked, if there were no waves.
    #[must_use]
    pub fn unasked(&self) -> Unasked {
        outcome::unasked(self.order.status, &self.changes, !self.answers.is_empty())
    }

    /// How a master had the order last; `None`: he never did.
    #[must_use]
    pub fn last_assignment(&self, master: MasterId) -> Option<Assignment> {
        outcome::last_assignment(master, &self.changes, self.order.now)
    }

    fn answered(&self, answer: &Answer) -> Answered {
        Answered { sent: answer.sent, outcome: outcome::of_offer(answer, &self.changes) }
    }

    /// Whether the master was in the city when any of the waves went out, or has been asked.
    #[must_use]
    pub fn concerns(&self, master: MasterId) -> bool {
        let was_asked = self.waves.iter().any(|wave| wave.has_asked(master))
            || self.answers.iter().any(|answer| answer.master == master)
            || self.last_assignment(master).is_some();
        let past = self.masters.iter().find(|past| past.id() == master);
        let was_there = |past: &MasterHistory| {
            let there = |wave: &Wave| past.at(wave).is_some_and(|then| then.city == self.order.city);
            self.waves.iter().any(there) || self.waves.is_empty() && past.master.today.city == self.order.city
        };
        was_asked || past.is_some_and(was_there)
    }

    /// The masters' names.
    #[must_use]
    pub fn names(&self) -> HashMap<MasterId, &str> {
        self.masters.iter().map(|past| (past.id(), past.master.name.as_str())).collect()
    }

    fn verdict(&self, wave: &Wave, master: MasterId) -> (Verdict, bool) {
        let answer = |last: bool| {
            let mut own = self.answers.iter().filter(|answer| answer.master == master && answer.sent.at <= wave.at.at);
            // Of the wave itself, or of any before it.
            own.rfind(|answer| last || answer.sent.at == wave.at.at).map(|answer| self.answered(answer))
        };
        if wave.chosen.contains(&master) {
            return (Verdict::Asked(answer(false)), true);
        }
        if wave.has_asked(master) {
            // Whom an offer had not reached is forgotten in time.
            let verdict = match (answer(true), outcome::last_assignment(master, &self.changes, wave.at.at)) {
                (None, Some(had)) => Verdict::AssignedBefore(had),
                (answered, _) => Verdict::AskedBefore(answered),
            };
            return (verdict, wave.is_known_at(self.order.now));
        }
        if !wave.can_be_judged(&self.order) {
            let verdict = if wave.was_elsewhere(&self.order) { Verdict::OrderElsewhere } else { Verdict::Unknown };
            return (verdict, true);
        }
        let judged = judge(&self.order, wave, &self.masters);
        let Some((then, why_not)) = judged.ranked.iter().find(|(then, _)| then.id == master) else {
            return (Verdict::Elsewhere, true);
        };
        let verdict = match why_not {
            Some(Exclusion::Limit) => {
                let past = self.masters.iter().find(|past| past.id() == master);
                let (orders, offers) = past.map(|past| past.load(wave)).unwrap_or_default();
                Verdict::Full { limit: then.limit, orders, offers, elsewhere: 0 }
            }
            Some(reason) => Verdict::Excluded(*reason),
            None if matches!(wave.chosen[..], [one] if Some(one) == self.order.preferred) => Verdict::ClientsChoice,
            // Nobody went before him: he was held himself, or the preferred master was, who is waited for.
            None if wave.chosen.is_empty() => Verdict::Excluded(Exclusion::Held),
            None if wave.counted(Exclusion::Held) + wave.counted(Exclusion::Failed) > 0 => {
                Verdict::WaitedOrHeld { preferred_asked: self.order.has_preferred(&wave.chosen) }
            }
            None => waited(&self.order, wave, then, &judged),
        };
        (verdict, judged.agrees)
    }
}

/// That others had waited longer.
fn waited(order: &WhyOrder, wave: &Wave, own: &Candidate, judged: &Judged) -> Verdict {
    let waited =
        |master: &Candidate| master.waits_since().map(|since| wave.at.at.duration_since(since).as_secs().max(0));
    let of = |id: &MasterId| judged.ranked.iter().find(|(master, _)| master.id == *id).map(|(master, _)| master);
    // Who is preferred has not waited for it.
    let by_wait = wave.chosen.iter().filter(|master| Some(**master) != order.preferred);
    let asked: Vec<&Candidate> = by_wait.filter_map(of).collect();
    Verdict::Waited {
        own: waited(own),
        others: asked.iter().map(|master| (master.id, waited(master))).collect(),
        tied: asked.iter().any(|master| master.waits_since() == own.waits_since()),
        preferred_asked: order.has_preferred(&wave.chosen),
    }
}
