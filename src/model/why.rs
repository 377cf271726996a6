//! Why a wave of offers asked these masters and not others, found out later: every master of the city as at that moment, made of
//! what the master is today and what has changed since, and judged by the rule of the waves themselves.
//!
//! What nothing was written down of cannot be known any more, and is said to be unknown: the counts by reason that the wave has
//! kept show whether what was made out is what it saw.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::moment::Moment;
use super::selection::{Candidate, Exclusion, Pool, Search};
use super::{Category, MasterId, OfferState, OrderId, OrderStatus};

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

/// A wave as it was recorded, and what it took the order's own offers to be.
#[derive(Clone, Debug)]
pub struct Wave {
    /// Which wave of its search.
    pub number: i32,
    /// When its search began.
    pub search_started: Timestamp,
    /// When it went out.
    pub at: Moment,
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
    fn comes_after(&self, at: Timestamp, turn: Option<i32>) -> bool {
        at < self.at.at || at == self.at.at && turn.zip(self.turn).is_some_and(|(turn, own)| turn < own)
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

    fn counted(&self, reason: Exclusion) -> i64 {
        self.excluded.get(&reason).copied().unwrap_or(0)
    }
}

/// What a change of a master put an end to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// On shift, or not.
    Shift(bool),
    /// Blocked, or not.
    Blocked(bool),
    /// A limit of the master's own, or none.
    Limit(Option<i64>),
    /// A trade that the master had, or had not.
    Trade(Category, bool),
    /// The same of a district.
    District(i64, bool),
    /// Whether the bot could write to the master.
    Reachable(bool),
    /// The city.
    City(i64),
}

/// A change of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// When.
    pub at: Timestamp,
    /// What had been until then.
    pub before: Before,
}

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

/// A master today, and what has changed since the first wave that is asked about.
#[derive(Clone, Debug)]
pub struct Past {
    /// As today, but for what is made out anew for each wave.
    pub today: Candidate,
    /// The full name.
    pub name: String,
    /// The limit of the master's own.
    pub own_limit: Option<i64>,
    /// Since when there is such a master.
    pub known_since: Timestamp,
    /// When the master was last asked before the first wave.
    pub asked_before: Option<Timestamp>,
    /// When the master last came on shift before the first wave.
    pub came_before: Timestamp,
    /// What was changed since, the last change first.
    pub changes: Vec<Undone>,
    /// The orders since.
    pub spells: Vec<Spell>,
    /// The offers since.
    pub offers: Vec<Offered>,
}

impl Past {
    /// The master as the wave saw him; `None`: there was no such master yet.
    #[must_use]
    pub fn at(&self, wave: &Wave) -> Option<Candidate> {
        if self.known_since > wave.at.at {
            return None;
        }
        let mut then = self.today.clone();
        let mut own_limit = self.own_limit;
        for change in self.changes.iter().take_while(|change| change.at > wave.at.at) {
            undo(&mut then, &mut own_limit, change.before);
        }
        let earlier = self.changes.iter().filter(|change| change.at <= wave.at.at);
        let came = earlier.filter(|change| change.before == Before::Shift(false)).map(|change| change.at).max();
        let offers = || self.offers.iter().filter(|offer| wave.comes_after(offer.sent, offer.turn));
        let given = self.spells.iter().filter(|spell| spell.given && spell.from <= wave.at.at).map(|spell| spell.from);
        let (orders, live) = self.load(wave);
        Some(Candidate {
            load: count(orders.len() + live.len()),
            limit: own_limit.unwrap_or(wave.limit),
            last_asked: offers().map(|offer| offer.sent).chain(given).chain(self.asked_before).max(),
            on_shift_since: then.on_shift.then(|| came.unwrap_or(self.came_before)),
            turns: u32::try_from(offers().filter(|offer| offer.sent == wave.at.at).count()).unwrap_or(u32::MAX),
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

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn undo(master: &mut Candidate, own_limit: &mut Option<i64>, before: Before) {
    fn keep<T: PartialEq>(all: &mut Vec<T>, one: T, had: bool) {
        all.retain(|other| *other != one);
        if had {
            all.push(one);
        }
    }
    match before {
        Before::Shift(on) => master.on_shift = on,
        Before::Blocked(blocked) => master.blocked = blocked,
        Before::Limit(limit) => *own_limit = limit,
        Before::Trade(category, had) => keep(&mut master.categories, category, had),
        Before::District(district, had) => keep(&mut master.districts, district, had),
        Before::Reachable(reachable) => master.unreachable = !reachable,
        Before::City(city) => master.city = city,
    }
}

/// A wave, judged again.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The masters of the city: first those who could be asked, in the order in which they would be, then the others, each with
    /// the first reason why not.
    pub ranked: Vec<(Candidate, Option<Exclusion>)>,
    /// Whether this is what the wave has counted: otherwise something was not written down, or two were at work at once.
    pub agrees: bool,
}

/// Judges a wave again, by the rule of the waves.
#[must_use]
pub fn judge(order: &WhyOrder, wave: &Wave, masters: &[Past]) -> Judged {
    let pool = Pool::new(masters.iter().filter_map(|master| master.at(wave)).collect());
    let search = Search {
        order: order.id,
        city: order.city,
        district: order.district.as_ref().map(|(district, _)| *district),
        category: order.category,
        preferred: order.preferred,
        preferred_first: true,
        asked: wave.asked.clone(),
    };
    let ranked: Vec<_> = pool.ranked(&search).into_iter().map(|(master, why_not)| (master.clone(), why_not)).collect();
    let mut counts: BTreeMap<Exclusion, i64> = BTreeMap::new();
    let mut eligible = HashSet::new();
    for (master, why_not) in &ranked {
        match why_not {
            Some(reason) => *counts.entry(*reason).or_default() += 1,
            None => drop(eligible.insert(master.id)),
        }
    }
    // Whom somebody held, or could not be offered anything, looks eligible now.
    let left_out = [Exclusion::Held, Exclusion::Failed, Exclusion::Rank];
    let known = Exclusion::ALL.into_iter().filter(|reason| !left_out.contains(reason));
    let agrees = known.into_iter().all(|reason| counts.get(&reason).copied().unwrap_or(0) == wave.counted(reason))
        && count(eligible.len())
            == count(wave.chosen.len()) + left_out.into_iter().map(|reason| wave.counted(reason)).sum::<i64>()
        && wave.chosen.iter().all(|master| eligible.contains(master));
    Judged { ranked, agrees }
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whose.
    pub master: MasterId,
    /// Its state.
    pub state: OfferState,
    /// When it was made.
    pub sent: Moment,
    /// When it ended.
    pub responded: Option<Moment>,
}

/// What a wave was to a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Asked, and what became of that.
    Asked(Option<Answer>),
    /// Asked by a wave before, and what became of that.
    AskedBefore(Option<Answer>),
    /// Could be asked; but the client wanted somebody else, who was asked first and alone.
    ClientsChoice,
    /// Could be asked; but others had waited longer.
    Waited {
        /// For how many seconds the master had; `None`: was never asked.
        own: Option<i64>,
        /// Whom the wave asked, and for how many seconds each of them had.
        others: Vec<(MasterId, Option<i64>)>,
    },
    /// Could be asked, and may have been held: others were being decided about in the same second.
    WaitedOrHeld,
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

/// A wave, as it is told to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which wave of its search.
    pub number: i32,
    /// Whether its search is another one than that of the wave told before it.
    pub begins_search: bool,
    /// When it went out.
    pub at: Moment,
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
    pub masters: Vec<Past>,
    /// What became of its offers, the first one first.
    pub answers: Vec<Answer>,
}

impl Story {
    /// What each wave was to a master, the first one first.
    #[must_use]
    pub fn tell(&self, master: MasterId) -> Vec<Told> {
        let mut before = None;
        let each = self.waves.iter().map(|wave| {
            let begins_search = before.replace(wave.search_started) != Some(wave.search_started);
            let (verdict, certain) = self.verdict(wave, master);
            Told { number: wave.number, begins_search, at: wave.at, chosen: wave.chosen.len(), verdict, certain }
        });
        each.collect()
    }

    /// Whether the master was in the city when any of the waves went out, or has been asked.
    #[must_use]
    pub fn concerns(&self, master: MasterId) -> bool {
        let was_asked = self.waves.iter().any(|wave| wave.has_asked(master))
            || self.answers.iter().any(|answer| answer.master == master);
        let past = self.masters.iter().find(|past| past.today.id == master);
        let was_there = |past: &Past| {
            let there = |wave: &Wave| past.at(wave).is_some_and(|then| then.city == self.order.city);
            self.waves.iter().any(there) || self.waves.is_empty() && past.today.city == self.order.city
        };
        was_asked || past.is_some_and(was_there)
    }

    /// The masters' names.
    #[must_use]
    pub fn names(&self) -> HashMap<MasterId, &str> {
        self.masters.iter().map(|past| (past.today.id, past.name.as_str())).collect()
    }

    fn verdict(&self, wave: &Wave, master: MasterId) -> (Verdict, bool) {
        let answer = |last: bool| {
            let mut own = self.answers.iter().filter(|answer| answer.master == master && answer.sent.at <= wave.at.at);
            // Of the wave itself, or of any before it.
            own.rfind(|answer| last || answer.sent.at == wave.at.at).copied()
        };
        if wave.chosen.contains(&master) {
            return (Verdict::Asked(answer(false)), true);
        }
        if wave.has_asked(master) {
            // Whom an offer had not reached is forgotten in time.
            return (Verdict::AskedBefore(answer(true)), wave.is_known_at(self.order.now));
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
                let past = self.masters.iter().find(|past| past.today.id == master);
                let (orders, offers) = past.map(|past| past.load(wave)).unwrap_or_default();
                Verdict::Full { limit: then.limit, orders, offers, elsewhere: 0 }
            }
            Some(reason) => Verdict::Excluded(*reason),
            None if wave.counted(Exclusion::Held) + wave.counted(Exclusion::Failed) > 0 => Verdict::WaitedOrHeld,
            None if matches!(wave.chosen[..], [one] if Some(one) == self.order.preferred) => Verdict::ClientsChoice,
            None => waited(wave, then, &judged),
        };
        (verdict, judged.agrees)
    }
}

/// That others had waited longer.
fn waited(wave: &Wave, own: &Candidate, judged: &Judged) -> Verdict {
    let waited =
        |master: &Candidate| master.waits_since().map(|since| wave.at.at.duration_since(since).as_secs().max(0));
    let of = |id: &MasterId| judged.ranked.iter().find(|(master, _)| master.id == *id).map(|(master, _)| master);
    let others = wave.chosen.iter().filter_map(|id| of(id).map(|master| (*id, waited(master)))).collect();
    Verdict::Waited { own: waited(own), others }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn moment(second: i64) -> Moment {
        Moment { at: at(second), local: DateTime::default() }
    }

    fn past(id: i64) -> Past {
        Past {
            today: Candidate {
                id: MasterId(id),
                city: 1,
                districts: Vec::new(),
                categories: vec![Category::Plumbing],
                on_shift: true,
                blocked: false,
                unreachable: false,
                rating: 500,
                load: 0,
                limit: 0,
                last_asked: None,
                on_shift_since: None,
                turns: 0,
                left_out: None,
            },
            name: format!("Master {id}"),
            own_limit: None,
            known_since: at(0),
            asked_before: None,
            came_before: at(10),
            changes: Vec::new(),
            spells: Vec::new(),
            offers: Vec::new(),
        }
    }

    fn wave(second: i64) -> Wave {
        Wave {
            number: 1,
            search_started: at(second),
            at: moment(second),
            turn: Some(1),
            city: Some(1),
            limit: 5,
            chosen: Vec::new(),
            excluded: BTreeMap::new(),
            asked: HashSet::new(),
        }
    }

    fn order() -> WhyOrder {
        WhyOrder {
            id: OrderId(1),
            status: OrderStatus::Searching,
            category: Category::Plumbing,
            city: 1,
            district: None,
            preferred: None,
            owner: None,
            now: at(1_000),
            local_now: DateTime::default(),
        }
    }

    #[test]
    fn what_has_changed_since_is_undone_and_what_was_before_stays() {
        let undone = |second, before| Undone { at: at(second), before };
        let changed = Past {
            own_limit: Some(9),
            changes: vec![
                undone(90, Before::Blocked(true)),
                undone(80, Before::Trade(Category::Plumbing, false)),
                undone(75, Before::District(7, true)),
                undone(70, Before::City(2)),
                undone(65, Before::Reachable(false)),
                undone(60, Before::Limit(Some(2))),
                undone(50, Before::Shift(true)),
                undone(40, Before::Shift(false)),
                undone(30, Before::Limit(None)),
            ],
            ..past(1)
        };
        let changed = Past { today: Candidate { on_shift: false, ..changed.today.clone() }, ..changed };
        let then = changed.at(&wave(45)).expect("a master");
        assert!(then.blocked && then.on_shift && then.unreachable);
        assert_eq!((then.city, then.limit, then.categories, then.districts), (2, 2, Vec::new(), vec![7]));
        assert_eq!(then.on_shift_since, Some(at(40)));
        let now = changed.at(&wave(95)).expect("a master");
        assert!(!now.blocked && !now.on_shift && !now.unreachable);
        assert_eq!((now.city, now.limit, now.on_shift_since), (1, 9, None));
        let early = changed.at(&wave(20)).expect("a master");
        assert_eq!((early.limit, early.on_shift), (5, false), "the policy's limit");
        assert!(Past { known_since: at(46), ..past(1) }.at(&wave(45)).is_none());
    }

    #[test]
    fn orders_and_offers_count_while_they_last() {
        let spell = |order, from, until: Option<i64>, given| Spell {
            order: OrderId(order),
            from: at(from),
            until: until.map(at),
            given,
        };
        let offer = |order, sent, ended: Option<i64>, turn| Offered {
            order: OrderId(order),
            sent: at(sent),
            ended: ended.map(at),
            turn,
        };
        let busy = Past {
            spells: vec![spell(1, 10, Some(50), false), spell(2, 20, None, true), spell(3, 60, None, true)],
            offers: vec![
                offer(4, 15, Some(50), None),
                offer(5, 30, None, None),
                offer(6, 50, None, Some(0)),
                offer(7, 50, None, Some(1)),
                offer(8, 51, None, None),
            ],
            ..past(1)
        };
        let (orders, offers) = busy.load(&wave(50));
        assert_eq!((orders, offers), (vec![OrderId(2)], vec![OrderId(5), OrderId(6)]));
        let then = busy.at(&wave(50)).expect("a master");
        assert_eq!((then.load, then.last_asked, then.turns), (3, Some(at(50)), 1));
        assert_eq!(busy.at(&wave(25)).expect("a master").last_asked, Some(at(20)), "given by staff");
    }

    #[test]
    fn what_the_wave_has_counted_shows_whether_all_was_written_down() {
        let masters = [past(1), past(2), Past { came_before: at(5), ..past(3) }];
        let told = |excluded: &[(Exclusion, i64)], chosen: &[i64]| {
            let wave = Wave {
                chosen: chosen.iter().copied().map(MasterId).collect(),
                excluded: excluded.iter().copied().collect(),
                ..wave(100)
            };
            let story = Story {
                order: order(),
                waves: vec![wave],
                earlier: false,
                masters: masters.to_vec(),
                answers: Vec::new(),
            };
            let told = story.tell(MasterId(1)).remove(0);
            (told.verdict, told.certain)
        };
        let others = vec![(MasterId(3), Some(95))];
        let waited = Verdict::Waited { own: Some(90), others };
        assert_eq!(told(&[(Exclusion::Rank, 2)], &[3]), (waited.clone(), true));
        assert_eq!(told(&[(Exclusion::Rank, 1), (Exclusion::OffShift, 1)], &[3]), (waited, false));
        assert_eq!(told(&[(Exclusion::Rank, 1), (Exclusion::Held, 1)], &[3]), (Verdict::WaitedOrHeld, true));
        assert_eq!(told(&[(Exclusion::Rank, 2)], &[1]), (Verdict::Asked(None), true));
    }

    #[test]
    fn of_orders_that_the_reader_may_not_see_there_is_a_count() {
        let all = |numbers: &[i64]| numbers.iter().copied().map(OrderId).collect::<Vec<_>>();
        let mut full = Verdict::Full { limit: 4, orders: all(&[1, 2]), offers: all(&[3, 4]), elsewhere: 0 };
        assert_eq!(full.named(), all(&[1, 2, 3, 4]));
        full.name_only(&HashSet::from([OrderId(2)]));
        assert_eq!(full, Verdict::Full { limit: 4, orders: all(&[2]), offers: Vec::new(), elsewhere: 3 });
        let mut other = Verdict::Excluded(Exclusion::OffShift);
        other.name_only(&HashSet::new());
        assert_eq!(other, Verdict::Excluded(Exclusion::OffShift));
    }

    #[test]
    fn of_an_order_that_was_moved_only_what_was_written_down_is_told() {
        let moved = Wave { city: Some(2), chosen: vec![MasterId(2)], asked: HashSet::from([MasterId(3)]), ..wave(100) };
        let masters = vec![past(1), past(2), past(3)];
        let story = Story { order: order(), waves: vec![moved], earlier: false, masters, answers: Vec::new() };
        let verdict = |master| story.tell(MasterId(master)).remove(0).verdict;
        assert_eq!(
            [verdict(1), verdict(2), verdict(3)],
            [Verdict::OrderElsewhere, Verdict::Asked(None), Verdict::AskedBefore(None)]
        );
    }

    #[test]
    fn after_a_week_only_what_was_written_down_is_told() {
        let old = Wave { chosen: vec![MasterId(2)], asked: HashSet::from([MasterId(3)]), ..wave(100) };
        let order = WhyOrder { now: at(100) + KNOWN_FOR + SignedDuration::from_secs(1), ..order() };
        let story = Story { order, waves: vec![old], earlier: false, masters: Vec::new(), answers: Vec::new() };
        let verdict = |master| story.tell(MasterId(master)).remove(0).verdict;
        assert_eq!(
            [verdict(1), verdict(2), verdict(3)],
            [Verdict::Unknown, Verdict::Asked(None), Verdict::AskedBefore(None)]
        );
        assert!(story.concerns(MasterId(2)) && story.concerns(MasterId(3)) && !story.concerns(MasterId(1)));
    }
}
