//! A day under a policy: discrete-event simulation. Who is asked and when is the product's own decision ([`Due::step`],
//! [`plan`]); what this file adds is what the database and people do between two decisions.
//!
//! As in the product, a new order is looked at when it is made, and everything else with the next tick. Ties are broken by
//! what happened and by numbers, never by chance, so that a day under a policy has one outcome.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::day::{Answer, Change, Day, Millis, Reaction, Reactions, What};
use super::figures::{End, Outcome, Played};
use super::rule::Rule;
use crate::model::due::{Due, Step, later};
use crate::model::plan::{Planned, plan};
use crate::model::policy::Policy;
use crate::model::selection::{Candidate, Place, Pool, Search};
use crate::model::{MasterId, OfferId, OrderStatus};

/// How often the product looks what is due.
pub const TICK: Millis = 400;

/// What happens; of what happens at the same moment, the first named is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Something of a master changes: a place in the day's changes.
    Changes(usize),
    /// A master is done with an order.
    Finishes { master: usize },
    /// A master answers an offer.
    Answers { order: usize, offer: usize },
    /// An offer's time is over.
    Expires { order: usize, offer: usize },
    /// The search is over, unless somebody has the order by then.
    Ends { order: usize },
    /// An order is due, unless it has become due at another time since.
    Wave { order: usize, number: u32 },
    /// An order comes.
    Arrives { order: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live,
    /// Declined.
    Vacated,
    /// Accepted, past its time, or ended with the search.
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Offer {
    master: usize,
    sent: Millis,
    deadline: Millis,
    state: State,
    /// Whether its place became free before its time, and was filled.
    replaced: bool,
    reaction: Reaction,
}

#[derive(Debug, Default)]
struct Order {
    /// The search, while it goes on.
    due: Option<Due>,
    offers: Vec<Offer>,
    /// How often it was said when it is due: only the last time holds.
    scheduled: u32,
    outcome: Outcome,
}

struct Loop<'a, R> {
    day: &'a Day,
    rule: &'a Rule,
    people: &'a R,
    pool: Pool,
    /// What room each master has, as in the pool.
    places: Vec<Place>,
    by_id: HashMap<MasterId, usize>,
    orders: Vec<Order>,
    events: BinaryHeap<Reverse<(Millis, Event)>>,
    played: Played,
}

/// Plays a day under a policy.
#[must_use]
pub fn play<R: Reactions>(day: &Day, rule: &Rule, people: &R) -> Played {
    let mut events = Loop::new(day, rule, people);
    while let Some(Reverse((now, event))) = events.events.pop() {
        events.happens(now, event);
    }
    events.result()
}

impl<'a, R: Reactions> Loop<'a, R> {
    fn new(day: &'a Day, rule: &'a Rule, people: &'a R) -> Self {
        let changes = day.changes.iter().enumerate().map(|(index, change)| (change.at, Event::Changes(index)));
        let arrivals = day.orders.iter().enumerate().map(|(order, arrival)| (arrival.at, Event::Arrives { order }));
        let place = |master: &Candidate| Place {
            master: master.id,
            on_shift: master.on_shift,
            blocked: master.blocked,
            unreachable: master.unreachable,
            load: master.load,
            limit: master.limit,
            on_shift_since: master.on_shift_since,
        };
        Self {
            day,
            rule,
            people,
            pool: Pool::new(day.masters.clone()),
            places: day.masters.iter().map(place).collect(),
            by_id: day.masters.iter().enumerate().map(|(index, master)| (master.id, index)).collect(),
            orders: day.orders.iter().map(|_| Order::default()).collect(),
            events: changes.chain(arrivals).map(Reverse).collect(),
            played: Played { work: vec![0; day.masters.len()], ..Played::default() },
        }
    }

    fn happens(&mut self, now: Millis, event: Event) {
        match event {
            Event::Changes(index) => self.changes(now, self.day.changes[index]),
            Event::Finishes { master } => self.load(master, -1),
            Event::Answers { order, offer } => self.answers(now, order, offer),
            Event::Expires { order, offer } => self.expires(now, order, offer),
            Event::Ends { order } => self.ends(now, order),
            Event::Arrives { order } => self.arrives(now, order),
            Event::Wave { order, number } if self.orders[order].scheduled == number => self.wave(now, order),
            Event::Wave { .. } => {}
        }
    }

    fn at(&mut self, at: Millis, event: Event) {
        self.events.push(Reverse((at, event)));
    }

    /// An order is due from then on: with the next tick.
    fn schedule(&mut self, order: usize, from: Millis) {
        self.orders[order].scheduled += 1;
        let number = self.orders[order].scheduled;
        self.at(with_tick(from), Event::Wave { order, number });
    }

    fn load(&mut self, master: usize, by: i64) {
        self.places[master].load += by;
        self.pool.enter(&self.places[master]);
    }

    fn changes(&mut self, now: Millis, Change { master, what, .. }: Change) {
        let moment = self.day.moment(now);
        let place = &mut self.places[master];
        let was_there = can_be_asked(place);
        match what {
            What::Shift(on) => place.on_shift = on,
            What::Blocked(blocked) => place.blocked = blocked,
            What::Unreachable(unreachable) => place.unreachable = unreachable,
            What::UnreachableWithdrawn => place.unreachable = false,
            What::Limit(limit) => place.limit = limit,
            What::Finished => place.load -= 1,
        }
        // As the database keeps it.
        if matches!(what, What::Shift(_) | What::Blocked(false) | What::Unreachable(false)) {
            place.on_shift_since = place.on_shift.then_some(moment);
        }
        self.pool.enter(&self.places[master]);
        if was_there && !can_be_asked(&self.places[master]) {
            self.replace(now, master);
        }
    }

    /// Searches that widen replace a master who has gone.
    fn replace(&mut self, now: Millis, master: usize) {
        let is_out = |offer: &Offer| offer.master == master && offer.state == State::Live;
        let waiting: Vec<usize> = (0..self.orders.len())
            .filter(|order| {
                let Order { due, offers, .. } = &self.orders[*order];
                due.as_ref().is_some_and(|due| due.widens_at.is_some()) && offers.iter().any(is_out)
            })
            .collect();
        for order in waiting {
            self.schedule(order, now);
        }
    }

    fn arrives(&mut self, now: Millis, order: usize) {
        let arrival = &self.day.orders[order];
        self.orders[order].due = Some(new_search(arrival.search.clone(), self.rule.policy, self.day.moment(now)));
        let ends = arrival.ending.at.max(now);
        self.at(ends, Event::Ends { order });
        self.wave(now, order);
    }

    fn wave(&mut self, now: Millis, order: usize) {
        let Some(mut due) = self.orders[order].due.take() else { return };
        due.now = self.day.moment(now);
        self.count(now, order, &mut due);
        match due.step() {
            Step::Wait(until) => {
                self.orders[order].due = Some(due);
                self.schedule(order, self.day.at(until));
            }
            Step::Ask(count) => {
                self.played.waves += 1;
                let planned = plan(due, count, &mut self.pool);
                self.ask(now, order, planned);
            }
        }
    }

    /// What the statements read of an order's offers.
    fn count(&self, now: Millis, order: usize, due: &mut Due) {
        (due.live_until, due.live) = (None, 0);
        due.vacated.clear();
        for (number, offer) in self.orders[order].offers.iter().enumerate() {
            let is_there = can_be_asked(&self.places[offer.master]);
            if offer.state == State::Live && offer.deadline > now {
                due.live_until = due.live_until.max(Some(self.day.moment(offer.deadline)));
                due.live += i32::from(is_there);
            }
            let is_free = offer.state == State::Vacated || offer.state == State::Live && !is_there;
            if is_free && !offer.replaced {
                due.vacated.push(OfferId(i64::try_from(number).unwrap_or(i64::MAX)));
            }
        }
        let began = self.day.moment(self.day.orders[order].at);
        let alone = SignedDuration::from_secs(due.policy.preferred_ttl_seconds.into());
        due.search.preferred_first = !due.goes_on || due.now < later(began, alone);
    }

    fn ask(&mut self, now: Millis, order: usize, planned: Planned) {
        let Planned { mut due, round, deadline, next_round, widens_at, replaced, escalation } = planned;
        let deadline = self.day.at(deadline);
        for filled in replaced.into_iter().filter_map(|offer| usize::try_from(offer.0).ok()) {
            self.orders[order].offers[filled].replaced = true;
        }
        for id in &round.chosen {
            let Some(&master) = self.by_id.get(id) else { continue };
            self.places[master].load += 1;
            due.search.asked.insert(*id);
            let reaction = self.people.of(order, master);
            let offer = self.orders[order].offers.len();
            self.orders[order].offers.push(Offer {
                master,
                sent: now,
                deadline,
                state: State::Live,
                replaced: false,
                reaction,
            });
            if reaction.answer != Answer::Nothing && now + reaction.after < deadline {
                self.at(now + reaction.after, Event::Answers { order, offer });
            }
            self.at(with_tick(deadline), Event::Expires { order, offer });
        }
        let outcome = &mut self.orders[order].outcome;
        let asked = u32::try_from(round.chosen.len()).unwrap_or(u32::MAX);
        outcome.offers += asked;
        outcome.messages += asked;
        outcome.called |= escalation.is_some();
        due.goes_on = true;
        due.round += i32::from(asked > 0);
        due.escalated |= escalation.is_some();
        due.widens_at = widens_at;
        self.orders[order].due = Some(due);
        self.schedule(order, self.day.at(next_round));
    }

    fn answers(&mut self, now: Millis, order: usize, offer: usize) {
        let Offer { master, state, reaction, .. } = self.orders[order].offers[offer];
        if state != State::Live {
            return;
        }
        if reaction.answer == Answer::Take {
            // The place is kept by the order from now on.
            self.orders[order].offers[offer].state = State::Over;
            self.played.work[master] += 1;
            self.at(now + self.day.orders[order].work, Event::Finishes { master });
            return self.over(now, order, End::Accepted(master));
        }
        self.orders[order].offers[offer].state = State::Vacated;
        self.load(master, -1);
        let Order { due, offers, .. } = &self.orders[order];
        let widens = due.as_ref().is_some_and(|due| due.widens_at.is_some());
        if widens || !is_out(offers, now) {
            self.schedule(order, now);
        }
    }

    fn expires(&mut self, now: Millis, order: usize, offer: usize) {
        let Offer { master, state, .. } = self.orders[order].offers[offer];
        if state != State::Live {
            return;
        }
        self.orders[order].offers[offer].state = State::Over;
        self.orders[order].outcome.messages += 1;
        self.load(master, -1);
        if !is_out(&self.orders[order].offers, now) {
            self.schedule(order, now);
        }
    }

    fn ends(&mut self, now: Millis, order: usize) {
        if self.orders[order].due.is_none() {
            return;
        }
        let given_to = self.day.orders[order].ending.given_to.and_then(|id| self.by_id.get(&id).copied());
        self.over(now, order, End::Otherwise);
        if let Some(master) = given_to {
            self.pool.note_asked([self.places[master].master], self.day.moment(now));
            self.load(master, 1);
            self.played.work[master] += 1;
            self.at(now + self.day.orders[order].work, Event::Finishes { master });
        }
    }

    /// The search is over, and so is every offer that is still out.
    fn over(&mut self, now: Millis, order: usize, end: End) {
        let arrived = self.day.orders[order].at;
        let Order { due, offers, outcome, .. } = &mut self.orders[order];
        *due = None;
        outcome.wait = now - arrived;
        outcome.end = end;
        outcome.called |= outcome.wait >= 1000 * Millis::from(self.rule.escalate_after_seconds);
        let mut freed = Vec::new();
        for offer in offers.iter_mut().filter(|offer| offer.state == State::Live) {
            offer.state = State::Over;
            outcome.messages += 1;
            outcome.lost += u32::from(offer.reaction.answer == Answer::Take && is_in_time(offer, now));
            freed.push(offer.master);
        }
        for master in freed {
            self.load(master, -1);
        }
    }

    fn result(self) -> Played {
        let outcomes = self.orders.into_iter().map(|order| order.outcome).collect();
        Played { outcomes, work: of_those_who_were_there(self.day, &self.played.work), waves: self.played.waves }
    }
}

/// Of a number for each master, those of masters who were on shift at any time of the day.
#[must_use]
pub fn of_those_who_were_there(day: &Day, work: &[u32]) -> Vec<u32> {
    let mut was_there: Vec<bool> = day.masters.iter().map(|master| master.on_shift).collect();
    for change in &day.changes {
        was_there[change.master] |= change.what == What::Shift(true);
    }
    work.iter().zip(was_there).filter_map(|(work, there)| there.then_some(*work)).collect()
}

fn new_search(search: Search, policy: Policy, now: Timestamp) -> Due {
    Due {
        search,
        status: OrderStatus::Created,
        version: 1,
        goes_on: false,
        round: 0,
        escalated: false,
        live_until: None,
        live: 0,
        vacated: Vec::new(),
        widens_at: None,
        policy,
        now,
    }
}

fn can_be_asked(place: &Place) -> bool {
    place.on_shift && !place.blocked && !place.unreachable
}

/// Whether an offer lives.
fn is_out(offers: &[Offer], now: Millis) -> bool {
    offers.iter().any(|offer| offer.state == State::Live && offer.deadline > now)
}

/// Whether the master would have answered before the deadline: the answer is still to come, as the offer lived until now.
fn is_in_time(offer: &Offer, now: Millis) -> bool {
    offer.deadline > now && offer.sent + offer.reaction.after < offer.deadline
}

/// The first tick that is not earlier.
fn with_tick(at: Millis) -> Millis {
    at.div_euclid(TICK) * TICK + if at.rem_euclid(TICK) == 0 { 0 } else { TICK }
}

#[cfg(test)]
mod tests;
