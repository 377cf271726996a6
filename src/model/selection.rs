//! Who is asked next: pure choices over what is known about orders and masters.
//!
//! A pass over many orders shares one [`Pool`]: whoever is chosen for one order has less room for the next, and has
//! just been asked, so that work spreads by itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::order::Category;
use super::{MasterId, OrderId};

/// A master, as far as asking goes.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which master.
    pub id: MasterId,
    /// `masters.city_id`.
    pub city: i64,
    /// Districts covered.
    pub districts: Vec<i64>,
    /// Trades.
    pub categories: Vec<Category>,
    /// Takes new offers.
    pub on_shift: bool,
    /// Blocked by staff.
    pub blocked: bool,
    /// Blocked only because staff have yet to let the master in.
    pub waiting: bool,
    /// The bot cannot write to the master.
    pub unreachable: bool,
    /// Hundredths of a star.
    pub rating: i32,
    /// Active orders and live offers together.
    pub load: i64,
    /// How many of those there may be.
    pub limit: i64,
    /// When the master was last offered or given an order.
    pub last_asked: Option<Timestamp>,
    /// When the master came on shift, or could be asked again: was unblocked, or could be written to.
    pub on_shift_since: Option<Timestamp>,
    /// How often the master was asked at the moment when that was last, as far as this pass knows.
    pub turns: u32,
    /// Why nobody can ask the master at this moment, whatever else holds.
    pub left_out: Option<Exclusion>,
}

impl Candidate {
    /// Since when the master waits to be asked: since the last time, or since he could be asked again, whichever was later; `None`:
    /// nobody knows since when, and for longer than all others.
    #[must_use]
    pub fn waits_since(&self) -> Option<Timestamp> {
        self.last_asked.max(self.on_shift_since)
    }

    /// Whose turn it is: the least comes first. Whoever has waited longest, and among those who have waited equally long, as they
    /// were asked together, who was asked least in this pass, then the best rated, then by chance.
    ///
    /// Nothing that masters do brings them forward. To leave the shift and to come back begins the wait anew, and so does to block
    /// the bot and to unblock it. To decline, or to let an offer pass, leaves the time when it was made as it is; how many orders
    /// and offers somebody has does not count, or whoever declines would go before who thinks. And the numbers that chance is made of are not theirs to choose: an order's
    /// number is the next one when it is made, and a master's stays as it is, so that whoever knows both may work out how a tie
    /// will end, and cannot change it.
    fn turn(&self, order: OrderId) -> (Option<Timestamp>, u32, i32, u64) {
        (self.waits_since(), self.turns, -self.rating, chance(order, self.id))
    }
}

/// What room a master has, read while nobody else can give it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub master: MasterId,
    /// As in [`Candidate`].
    pub on_shift: bool,
    /// As in [`Candidate`].
    pub blocked: bool,
    /// As in [`Candidate`].
    pub unreachable: bool,
    /// As in [`Candidate`].
    pub load: i64,
    /// As in [`Candidate`].
    pub limit: i64,
    /// As in [`Candidate`].
    pub on_shift_since: Option<Timestamp>,
}

/// An order that looks for its master.
#[derive(Clone, Debug)]
pub struct Search {
    /// Which order.
    pub order: OrderId,
    /// `orders.city_id`.
    pub city: i64,
    /// `orders.district_id`.
    pub district: Option<i64>,
    /// The trade.
    pub category: Category,
    /// Asked first, and alone. Somebody has named this master for this very order, as the client wants him, or as it is his own work
    /// that is to be put right: neither trades nor districts keep him from it.
    pub preferred: Option<MasterId>,
    /// Whether the time of the preferred one lasts: asked alone, and waited for while somebody else is at work on that master.
    pub preferred_first: bool,
    /// Asked in this search already.
    pub asked: HashSet<MasterId>,
}

/// Why a master of the order's city is not asked; the first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// Does other things.
    Category,
    /// Works elsewhere, and somebody works there.
    District,
    /// Was asked in this search.
    Asked,
    /// Blocked by staff.
    Blocked,
    /// Staff have yet to let the master in.
    Waiting,
    /// The bot cannot write to the master.
    Unreachable,
    /// Off shift.
    OffShift,
    /// Has as many orders and offers as allowed.
    Limit,
    /// Somebody else is asking the master at this moment, or has locked the row.
    Held,
    /// An offer to the master could not be written.
    Failed,
    /// Others were better, or the preferred master is asked first.
    Rank,
}

impl Exclusion {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::Category,
        Self::District,
        Self::Asked,
        Self::Blocked,
        Self::Waiting,
        Self::Unreachable,
        Self::OffShift,
        Self::Limit,
        Self::Held,
        Self::Failed,
        Self::Rank,
    ];

    /// The reason of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// The word in `dispatch_rounds.excluded`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Category => "CATEGORY",
            Self::District => "DISTRICT",
            Self::Asked => "ASKED",
            Self::Blocked => "BLOCKED",
            Self::Waiting => "WAITING",
            Self::Unreachable => "UNREACHABLE",
            Self::OffShift => "OFF_SHIFT",
            Self::Limit => "LIMIT",
            Self::Held => "HELD",
            Self::Failed => "FAILED",
            Self::Rank => "RANK",
        }
    }
}

/// One round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Who is asked, best first; nobody, if there is nobody to ask.
    pub chosen: Vec<MasterId>,
    /// Whether that is the preferred master alone.
    pub preferred: bool,
    /// Whether nobody is asked because those who could be are held by somebody else: not for long.
    pub awaits: bool,
    /// How many of the city's masters are not asked, by reason.
    pub excluded: BTreeMap<Exclusion, u32>,
    /// Who of those that could be asked and are not has waited longest; `None`: all who could be are.
    pub passed_over: Option<PassedOver>,
}

/// A master who could have been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Who.
    pub master: MasterId,
    /// For how many seconds the master has waited, see [`Candidate::waits_since`]; `None`: nobody knows.
    pub seconds: Option<i32>,
}

/// How many masters there are for an order, before it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// Who does such work there, blocked ones and those whom the bot cannot write to aside.
    pub suitable: u32,
    /// Who of them would be asked now.
    pub free: u32,
}

/// The masters, and who of them is in which city.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    masters: Vec<Candidate>,
    by_city: HashMap<i64, Vec<usize>>,
    by_id: HashMap<MasterId, usize>,
}

impl Pool {
    /// A pool of these masters.
    #[must_use]
    pub fn new(masters: Vec<Candidate>) -> Self {
        let mut pool = Self::default();
        pool.add(masters);
        pool
    }

    /// Adds masters who are not in it yet.
    pub fn add(&mut self, masters: Vec<Candidate>) {
        for master in masters {
            self.by_city.entry(master.city).or_default().push(self.masters.len());
            self.by_id.insert(master.id, self.masters.len());
            self.masters.push(master);
        }
    }

    fn master(&mut self, id: MasterId) -> Option<&mut Candidate> {
        self.by_id.get(&id).map(|index| &mut self.masters[*index])
    }

    /// Leaves masters out for that reason, or lets them in again.
    pub fn leave_out(&mut self, masters: impl IntoIterator<Item = MasterId>, why: Option<Exclusion>) {
        for id in masters {
            if let Some(master) = self.master(id) {
                master.left_out = why;
            }
        }
    }

    /// Leaves all out but those masters.
    pub fn leave_out_all_but(&mut self, masters: &HashSet<MasterId>, why: Exclusion) {
        for master in self.masters.iter_mut().filter(|master| !masters.contains(&master.id)) {
            master.left_out = master.left_out.or(Some(why));
        }
    }

    /// Lets masters in again who were left out for that reason.
    pub fn let_in(&mut self, why: Exclusion) {
        for master in self.masters.iter_mut().filter(|master| master.left_out == Some(why)) {
            master.left_out = None;
        }
    }

    /// Enters what room a master really has.
    pub fn enter(&mut self, place: &Place) {
        if let Some(master) = self.master(place.master) {
            let Place { master: _, on_shift, blocked, unreachable, load, limit, on_shift_since } = *place;
            *master = Candidate { on_shift, blocked, unreachable, load, limit, on_shift_since, ..master.clone() };
        }
    }

    /// Whether the masters can be asked so often, as far as is known by now.
    #[must_use]
    pub fn has_room(&self, asked: &HashMap<MasterId, i64>) -> bool {
        asked.iter().all(|(id, count)| {
            self.by_id.get(id).map(|index| &self.masters[*index]).is_some_and(|master| {
                availability(master).or(master.left_out).is_none() && master.load + count <= master.limit
            })
        })
    }

    /// Notes that masters are asked.
    pub fn note_asked(&mut self, masters: impl IntoIterator<Item = MasterId>, now: Timestamp) {
        for id in masters {
            if let Some(master) = self.master(id) {
                master.load += 1;
                master.turns = if master.last_asked == Some(now) { master.turns + 1 } else { 1 };
                master.last_asked = Some(now);
            }
        }
    }

    /// Chooses up to `count` masters for an order, and notes in the pool that they are asked `now`: the preferred one
    /// alone, else those who have waited longest, then the best rated, then by chance.
    #[must_use]
    pub fn choose(&mut self, search: &Search, count: usize, now: Timestamp) -> Round {
        let (city, covered) = self.of_city(search);
        let mut round = Round::default();
        let mut eligible = Vec::new();
        let mut preferred_is_held = false;
        for &index in city {
            let master = &self.masters[index];
            match exclusion(master, search, covered) {
                Some(reason) => {
                    *round.excluded.entry(reason).or_default() += 1;
                    preferred_is_held |= reason == Exclusion::Held && Some(master.id) == search.preferred;
                }
                None => eligible.push(index),
            }
        }
        let preferred = eligible.iter().copied().find(|index| Some(self.masters[*index].id) == search.preferred);
        round.preferred = preferred.is_some() && search.preferred_first;
        let asked = match preferred {
            Some(index) if search.preferred_first => vec![index],
            Some(index) => {
                let others: Vec<usize> = eligible.iter().copied().filter(|other| *other != index).collect();
                std::iter::once(index).chain(self.best(&others, count.saturating_sub(1), search.order)).collect()
            }
            None if preferred_is_held && search.preferred_first => Vec::new(),
            None => self.best(&eligible, count, search.order),
        };
        round.awaits = asked.is_empty() && round.excluded.contains_key(&Exclusion::Held);
        let others = eligible.len() - asked.len();
        if others > 0 {
            round.excluded.insert(Exclusion::Rank, u32::try_from(others).unwrap_or(u32::MAX));
        }
        round.passed_over = self.passed_over(&eligible, &asked, now);
        round.chosen = asked.iter().map(|index| self.masters[*index].id).collect();
        self.note_asked(round.chosen.iter().copied(), now);
        round
    }

    /// The masters of the order's city, and its district if anybody works there.
    fn of_city(&self, search: &Search) -> (&[usize], Option<i64>) {
        let city = self.by_city.get(&search.city).map(Vec::as_slice).unwrap_or_default();
        let does_it = |master: &Candidate| master.categories.contains(&search.category) && !master.blocked;
        let covered = search.district.filter(|district| {
            city.iter()
                .map(|index| &self.masters[*index])
                .any(|master| does_it(master) && master.districts.contains(district))
        });
        (city, covered)
    }

    /// All masters of the order's city: first those who can be asked, in the order in which they would be, then the others, the
    /// likelier ones first, each with the reason why not.
    #[must_use]
    pub fn ranked(&self, search: &Search) -> Vec<(&Candidate, Option<Exclusion>)> {
        let (city, covered) = self.of_city(search);
        let mut ranked: Vec<_> = city
            .iter()
            .map(|index| &self.masters[*index])
            .map(|master| (master, exclusion(master, search, covered)))
            .collect();
        ranked.sort_by_key(|(master, why_not)| {
            let preferred = Some(master.id) == search.preferred;
            (std::cmp::Reverse(why_not.map_or(u8::MAX, likelihood)), !preferred, master.turn(search.order))
        });
        ranked
    }

    /// How many masters there are for an order, by the rules of its rounds.
    #[must_use]
    pub fn supply(&self, search: &Search) -> Supply {
        let (city, covered) = self.of_city(search);
        let mut supply = Supply::default();
        for index in city {
            match exclusion(&self.masters[*index], search, covered) {
                None => {
                    supply.suitable += 1;
                    supply.free += 1;
                }
                Some(Exclusion::OffShift | Exclusion::Limit | Exclusion::Held) => supply.suitable += 1,
                Some(_) => {}
            }
        }
        supply
    }

    fn best(&self, eligible: &[usize], count: usize, order: OrderId) -> Vec<usize> {
        let rank = |index: &usize| self.masters[*index].turn(order);
        let mut ranked = eligible.to_vec();
        if ranked.len() > count {
            ranked.select_nth_unstable_by_key(count, rank);
            ranked.truncate(count);
        }
        ranked.sort_by_key(rank);
        ranked
    }

    /// Who of the eligible that are not asked has waited longest.
    fn passed_over(&self, eligible: &[usize], asked: &[usize], now: Timestamp) -> Option<PassedOver> {
        let mut longest: Option<&Candidate> = None;
        let key = |master: &Candidate| (master.waits_since(), master.id);
        for index in eligible {
            let master = &self.masters[*index];
            // Most are no longer than the longest: that is asked first, as those who are asked may be many.
            if longest.is_none_or(|longest| key(master) < key(longest)) && !asked.contains(index) {
                longest = Some(master);
            }
        }
        let longest = longest?;
        // A second that has begun counts: nobody waited longer than is written down.
        let whole = |waited: SignedDuration| waited.as_secs() + i64::from(waited.subsec_nanos() > 0);
        let seconds = longest.waits_since().map(|since| whole(now.duration_since(since)).max(0));
        let seconds = seconds.map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX));
        Some(PassedOver { master: longest.id, seconds })
    }
}

fn exclusion(master: &Candidate, search: &Search, covered: Option<i64>) -> Option<Exclusion> {
    let is_preferred = Some(master.id) == search.preferred;
    // Who is blocked cannot be given anything, whatever else.
    if let Some(barred) = barred(master) {
        Some(barred)
    } else if !is_preferred && !master.categories.contains(&search.category) {
        Some(Exclusion::Category)
    } else if !is_preferred && covered.is_some_and(|district| !master.districts.contains(&district)) {
        Some(Exclusion::District)
    } else if search.asked.contains(&master.id) {
        Some(Exclusion::Asked)
    } else if let Some(reason) = availability(master) {
        Some(reason)
    } else if master.load >= master.limit {
        Some(Exclusion::Limit)
    } else {
        master.left_out
    }
}

/// How likely somebody takes a master all the same whom the rounds do not ask.
fn likelihood(why_not: Exclusion) -> u8 {
    match why_not {
        Exclusion::Rank | Exclusion::Held | Exclusion::Failed => 7,
        Exclusion::Asked => 6,
        Exclusion::Limit => 5,
        Exclusion::District => 4,
        Exclusion::OffShift => 3,
        Exclusion::Category => 2,
        Exclusion::Unreachable => 1,
        Exclusion::Blocked | Exclusion::Waiting => 0,
    }
}

/// Why nothing can be given to a master at all.
fn barred(master: &Candidate) -> Option<Exclusion> {
    master.blocked.then_some(if master.waiting { Exclusion::Waiting } else { Exclusion::Blocked })
}

/// Why a master is asked by nobody.
fn availability(master: &Candidate) -> Option<Exclusion> {
    if let Some(barred) = barred(master) {
        Some(barred)
    } else if master.unreachable {
        Some(Exclusion::Unreachable)
    } else if !master.on_shift {
        Some(Exclusion::OffShift)
    } else {
        None
    }
}

/// The same for the same order and master, and otherwise anybody's guess (SplitMix64).
fn chance(order: OrderId, master: MasterId) -> u64 {
    let mut bits = order.0.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ master.0.cast_unsigned();
    for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
        bits = (bits ^ (bits >> 30)).wrapping_mul(factor);
    }
    bits ^ (bits >> 31)
}

/// A master of the first city who does plumbing, is on shift, and has never been asked.
#[cfg(test)]
pub(crate) fn plumber(id: i64) -> Candidate {
    Candidate {
        id: MasterId(id),
        city: 1,
        districts: Vec::new(),
        categories: vec![Category::Plumbing],
        on_shift: true,
        blocked: false,
        waiting: false,
        unreachable: false,
        rating: 500,
        load: 0,
        limit: 5,
        last_asked: None,
        on_shift_since: None,
        turns: 0,
        left_out: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::plumber as master;
    use super::*;

    fn search(order: i64) -> Search {
        Search {
            order: OrderId(order),
            city: 1,
            district: None,
            category: Category::Plumbing,
            preferred: None,
            preferred_first: true,
            asked: HashSet::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn ids(round: &Round) -> Vec<i64> {
        round.chosen.iter().map(|master| master.0).collect()
    }

    #[test]
    fn each_reason_excludes_and_is_counted() {
        let excluded = [
            Candidate { categories: vec![Category::Windows], ..master(1) },
            Candidate { districts: vec![8], ..master(2) },
            master(3),
            Candidate { blocked: true, districts: vec![7], ..master(4) },
            Candidate { on_shift: false, districts: vec![7], ..master(5) },
            Candidate { load: 5, districts: vec![7], ..master(6) },
            Candidate { city: 2, districts: vec![7], ..master(7) },
            Candidate { districts: vec![7], ..master(8) },
            Candidate { unreachable: true, districts: vec![7], ..master(9) },
        ];
        let mut pool = Pool::new(excluded.to_vec());
        let of_the_blocked = [Candidate { blocked: true, districts: vec![7], ..master(1) }, master(2)];
        let in_seven = Search { district: Some(7), ..search(1) };
        assert_eq!(ids(&Pool::new(of_the_blocked.to_vec()).choose(&in_seven, 3, at(1))), [2]);
        let asked = HashSet::from([MasterId(3)]);
        let in_district = Search { district: Some(7), asked: asked.clone(), ..search(1) };
        let round = pool.choose(&in_district, 3, at(1));
        assert_eq!(ids(&round), [8]);
        let counted = |reason| round.excluded.get(&reason).copied().unwrap_or(0);
        assert_eq!(
            [
                Exclusion::Category,
                Exclusion::District,
                Exclusion::Blocked,
                Exclusion::Unreachable,
                Exclusion::OffShift,
                Exclusion::Limit
            ]
            .map(counted),
            [1, 2, 1, 1, 1, 1]
        );
        // Nobody works in this district, or nobody who may, so the whole city is asked.
        let nowhere = Search { district: Some(9), asked, ..search(2) };
        let round = pool.choose(&nowhere, 3, at(2));
        assert_eq!(ids(&round), [2, 8]);
        assert_eq!(round.excluded[&Exclusion::Asked], 1);
    }

    #[test]
    fn a_dispatcher_sees_first_who_would_be_asked_next_and_then_why_the_others_are_not() {
        let masters = [
            Candidate { blocked: true, ..master(1) },
            Candidate { on_shift: false, ..master(2) },
            Candidate { last_asked: Some(at(20)), ..master(3) },
            Candidate { last_asked: Some(at(10)), ..master(4) },
            Candidate { load: 5, ..master(5) },
            Candidate { city: 2, ..master(6) },
            master(7),
            Candidate { last_asked: Some(at(30)), ..master(8) },
        ];
        let pool = Pool::new(masters.to_vec());
        let search = Search { asked: HashSet::from([MasterId(7)]), preferred: Some(MasterId(8)), ..search(1) };
        let seen: Vec<_> = pool.ranked(&search).iter().map(|(master, why_not)| (master.id.0, *why_not)).collect();
        assert_eq!(
            seen,
            [
                (8, None),
                (4, None),
                (3, None),
                (7, Some(Exclusion::Asked)),
                (5, Some(Exclusion::Limit)),
                (2, Some(Exclusion::OffShift)),
                (1, Some(Exclusion::Blocked)),
            ]
        );
        let alone = Search { preferred: None, ..search };
        let next: Vec<_> = pool.ranked(&alone).iter().take(3).map(|(master, _)| master.id.0).collect();
        assert_eq!(next, ids(&pool.clone().choose(&alone, 3, at(40))), "as the round does it");
    }

    #[test]
    fn neither_trade_nor_district_keeps_the_preferred_master_from_being_asked() {
        let others = Candidate { categories: vec![Category::Windows], districts: vec![8], ..master(2) };
        let mut pool = Pool::new(vec![Candidate { districts: vec![7], ..master(1) }, others.clone()]);
        let preferred = Search { preferred: Some(MasterId(2)), district: Some(7), ..search(1) };
        assert_eq!(pool.ranked(&preferred)[0].0.id, MasterId(2));
        let round = pool.choose(&preferred, 3, at(1));
        assert_eq!((ids(&round), round.preferred), (vec![2], true));
        let unnamed = Search { preferred: None, ..preferred.clone() };
        assert_eq!(ids(&pool.choose(&unnamed, 3, at(2))), [1], "whoever is not named does only the own work");
        // Everything else holds for the preferred one too.
        let kept = [
            (Candidate { blocked: true, ..others.clone() }, Exclusion::Blocked),
            (Candidate { blocked: true, waiting: true, ..others.clone() }, Exclusion::Waiting),
            (Candidate { unreachable: true, ..others.clone() }, Exclusion::Unreachable),
            (Candidate { on_shift: false, ..others.clone() }, Exclusion::OffShift),
            (Candidate { load: 5, ..others }, Exclusion::Limit),
        ];
        for (master, why_not) in kept {
            let pool = Pool::new(vec![master]);
            assert_eq!(pool.ranked(&preferred)[0].1, Some(why_not));
        }
    }

    #[test]
    fn the_preferred_master_is_asked_alone_and_only_once() {
        let mut pool = Pool::new(vec![master(1), master(2), master(3)]);
        let preferred = Search { preferred: Some(MasterId(2)), ..search(1) };
        let round = pool.choose(&preferred, 3, at(1));
        assert_eq!((ids(&round), round.preferred), (vec![2], true));
        let again = Search { asked: HashSet::from([MasterId(2)]), ..preferred };
        let round = pool.choose(&again, 3, at(2));
        assert_eq!((round.chosen.len(), round.preferred), (2, false));
    }

    #[test]
    fn who_is_held_is_left_out_and_waited_for_if_nobody_else_is_left_or_better() {
        let mut pool = Pool::new(vec![master(1), master(2)]);
        pool.leave_out([MasterId(1)], Some(Exclusion::Held));
        let round = pool.choose(&search(1), 3, at(1));
        assert_eq!((ids(&round), round.awaits, round.excluded[&Exclusion::Held]), (vec![2], false, 1));
        let preferred = Search { preferred: Some(MasterId(1)), ..search(2) };
        let round = pool.choose(&preferred, 3, at(2));
        assert_eq!((ids(&round), round.awaits), (vec![], true), "while the preferred one's time lasts");
        let round = pool.choose(&Search { preferred_first: false, ..preferred }, 3, at(3));
        assert_eq!((ids(&round), round.awaits), (vec![2], false));
        let round = pool.choose(&Search { asked: HashSet::from([MasterId(2)]), ..search(4) }, 3, at(4));
        assert_eq!((ids(&round), round.awaits), (vec![], true));
        pool.leave_out([MasterId(1)], Some(Exclusion::Failed));
        let round = pool.choose(&Search { asked: HashSet::from([MasterId(2)]), ..search(5) }, 3, at(5));
        assert_eq!((ids(&round), round.awaits), (vec![], false), "whom nobody can ask is not waited for");
        pool.let_in(Exclusion::Held);
        assert!(pool.choose(&search(6), 3, at(6)).chosen.len() == 1);
        pool.let_in(Exclusion::Failed);
        assert_eq!(pool.choose(&search(7), 3, at(7)).chosen.len(), 2);
    }

    #[test]
    fn what_a_place_says_counts() {
        let mut pool = Pool::new(vec![master(1), master(2)]);
        let twice = HashMap::from([(MasterId(1), 2)]);
        assert!(pool.has_room(&twice));
        let place = Place {
            master: MasterId(1),
            on_shift: true,
            blocked: false,
            unreachable: false,
            load: 4,
            limit: 5,
            on_shift_since: None,
        };
        pool.enter(&place);
        assert!(!pool.has_room(&twice) && pool.has_room(&HashMap::from([(MasterId(1), 1)])));
        pool.enter(&Place { on_shift: false, ..place });
        assert!(!pool.has_room(&HashMap::from([(MasterId(1), 1)])));
        assert!(!pool.has_room(&HashMap::from([(MasterId(3), 1)])), "nobody knows that master");
        pool.leave_out_all_but(&HashSet::from([MasterId(1)]), Exclusion::Held);
        assert!(pool.choose(&search(1), 3, at(1)).awaits);
    }

    #[test]
    fn who_waited_longest_is_first_then_the_best_rated() {
        let mut pool = Pool::new(vec![
            Candidate { last_asked: Some(at(20)), ..master(1) },
            Candidate { last_asked: Some(at(10)), rating: 300, ..master(2) },
            Candidate { last_asked: Some(at(10)), rating: 400, ..master(3) },
            master(4),
        ]);
        assert_eq!(ids(&pool.choose(&search(1), 3, at(30))), [4, 3, 2]);
        assert_eq!(ids(&pool.choose(&search(2), 3, at(30)))[0], 1, "the others have just been asked");
    }

    #[test]
    fn nothing_that_masters_do_brings_them_forward() {
        let asked_together = |load: [i64; 2]| {
            let of = |id: i64, load| Candidate { last_asked: Some(at(10)), load, ..master(id) };
            Pool::new(vec![of(1, load[0]), of(2, load[1])])
        };
        for order in 1..=40 {
            let first = |load| ids(&asked_together(load).choose(&search(order), 1, at(20)));
            assert_eq!(first([1, 0]), first([0, 1]), "whoever has declined goes before nobody who thinks");
        }
        let firsts: HashSet<_> =
            (1..=40).flat_map(|order| ids(&asked_together([0, 0]).choose(&search(order), 1, at(20)))).collect();
        assert_eq!(firsts.len(), 2, "chance does not always favour the same one");
        let on_shift = |id: i64, since| Candidate { on_shift_since: Some(at(since)), ..master(id) };
        let mut pool = Pool::new(vec![
            Candidate { last_asked: Some(at(5)), ..on_shift(1, 30) },
            Candidate { last_asked: Some(at(20)), ..on_shift(2, 0) },
            on_shift(3, 25),
        ]);
        assert_eq!(ids(&pool.choose(&search(1), 3, at(40))), [2, 3, 1], "to come back begins the wait anew");
    }

    #[test]
    fn the_longest_wait_of_those_who_are_passed_over_is_told() {
        let on_shift = |id: i64, since| Candidate { on_shift_since: Some(at(since)), ..master(id) };
        let all = vec![on_shift(1, 10), on_shift(2, 20), on_shift(3, 30), Candidate { on_shift: false, ..master(4) }];
        let mut pool = Pool::new(all.clone());
        let passed = |master, seconds| Some(PassedOver { master: MasterId(master), seconds: Some(seconds) });
        assert_eq!(pool.choose(&search(1), 1, at(100)).passed_over, passed(2, 80));
        assert_eq!(pool.choose(&search(2), 3, at(100)).passed_over, None, "all who could be asked are");
        let mut pool = Pool::new(all);
        let preferred = Search { preferred: Some(MasterId(3)), ..search(3) };
        assert_eq!(pool.choose(&preferred, 1, at(100)).passed_over, passed(1, 90));
        let unknown = PassedOver { master: MasterId(2), seconds: None };
        assert_eq!(Pool::new(vec![on_shift(1, 1), master(2)]).passed_over(&[0, 1], &[0], at(5)), Some(unknown));
    }

    #[test]
    fn in_one_pass_nobody_gets_more_than_twice_the_average() {
        let mut pool = Pool::new((1..=50).map(|id| Candidate { limit: 100, ..master(id) }).collect());
        let mut offers: HashMap<MasterId, u32> = HashMap::new();
        for order in 1..=100 {
            for master in pool.choose(&search(order), 3, at(1)).chosen {
                *offers.entry(master).or_default() += 1;
            }
        }
        assert_eq!(offers.values().sum::<u32>(), 300);
        assert!(offers.values().all(|count| *count <= 12), "{offers:?}");
        assert_eq!(offers.len(), 50);
    }

    #[test]
    fn nobody_is_buried_under_offers() {
        let mut pool = Pool::new(vec![master(1), master(2)]);
        let asked: usize = (1..=100).map(|order| pool.choose(&search(order), 3, at(1)).chosen.len()).sum();
        assert_eq!(asked, 10);
    }
}
