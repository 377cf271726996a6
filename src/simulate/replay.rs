//! A day that was, played again under the policy of then and under others.
//!
//! The clients come as they came, and shifts begin and end as they did. A master who was asked for an order answers it as he did,
//! however much later or earlier he is asked; where he was not, or was not waited for, his answer is drawn from his own past
//! answers, or from his city's where there are too few of them. How many that were belongs to the result.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::batch::Compared;
use super::chance::{Draws, Purpose};
use super::day::{Answer, Arrival, Change, Day, Ending, Millis, Reaction, Reactions, What};
use super::event_loop;
use super::figures::{End, Figures, Outcome, Played, figures};
use super::rule::Rule;
use super::statistics::milliseconds;
use crate::model::master_past::Changed;
use crate::model::past::{Answered, Ended, Past, PastAnswer, PastChange, PastOrder, PastPolicy};
use crate::model::selection::Search;
use crate::model::{MasterId, OrderId};

/// With so many answers of a master's own nobody else's are asked.
pub const ENOUGH_ANSWERS: usize = 20;
/// How long an order is searched for of which nobody knows when its client would have gone.
const GIVEN_UP_AFTER: Millis = 3_600_000;

/// Where the answers of masters were taken from, in offers of all days that were played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// As the master had answered this very order.
    pub measured: u64,
    /// The master had not been waited for: from the answers of his own that came later than that.
    pub continued: u64,
    /// From other answers of his own.
    pub own: u64,
    /// From answers of his city's masters.
    pub of_city: u64,
    /// There are none: the offer was let pass.
    pub unknown: u64,
}

impl Drawn {
    /// How many were drawn, and not measured.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.continued + self.own + self.of_city + self.unknown
    }

    fn plus(self, other: Self) -> Self {
        Self {
            measured: self.measured + other.measured,
            continued: self.continued + other.continued,
            own: self.own + other.own,
            of_city: self.of_city + other.of_city,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// What came of a day under a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The policy, and the figures for each seed.
    pub compared: Compared,
    /// Where answers were taken from, for all seeds together.
    pub drawn: Drawn,
}

/// What a day was, and what it would have been.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// How many orders there were.
    pub orders: usize,
    /// What really happened; lost taps are those that were really made.
    pub recorded: Figures,
    /// The same day played under the policy in force: how far that is from what happened is how far the rest may be off. Of the waits
    /// only those of orders that were taken can be compared so.
    pub in_force: Replayed,
    /// Under the proposed policies, in their order.
    pub proposed: Vec<Replayed>,
}

/// The policy that was in force when most of the orders came.
#[must_use]
pub fn in_force(past: &Past) -> Rule {
    let (PastPolicy { policy, escalate_after_seconds, .. }, _) = past.policy();
    Rule { name: "in force".to_owned(), policy, escalate_after_seconds }
}

/// Plays a day again under the policy that was in force and under the proposed ones, once for each seed: what is drawn differs
/// from seed to seed, what was measured does not.
#[must_use]
pub fn compare(past: &Past, rules: &[Rule], seeds: Range<u64>) -> Replay {
    let player = Player::of(past);
    Replay {
        orders: past.orders.len(),
        recorded: figures(&recorded(past, &player.day)),
        in_force: player.under(&in_force(past), seeds.clone()),
        proposed: rules.iter().map(|rule| player.under(rule, seeds.clone())).collect(),
    }
}

/// A day, ready to be played under one policy after another.
pub struct Player {
    day: Day,
    known: Known,
}

impl Player {
    /// What is known of that day.
    #[must_use]
    pub fn of(past: &Past) -> Self {
        let day = day(past);
        Self { known: Known::of(past, &day), day }
    }

    /// Plays it once for each seed. Who has to stop halfway lets the seeds end.
    pub fn under(&self, rule: &Rule, seeds: impl Iterator<Item = u64>) -> Replayed {
        let mut drawn = Drawn::default();
        let play = |seed| {
            let people = Measured { seed, known: &self.known, day: &self.day, drawn: Cell::default() };
            let figures = figures(&event_loop::play(&self.day, rule, &people));
            drawn = drawn.plus(people.drawn.get());
            figures
        };
        let seeds = seeds.map(play).collect();
        Replayed { compared: Compared { rule: rule.clone(), seeds }, drawn }
    }
}

/// What happens by itself on that day.
#[must_use]
pub fn day(past: &Past) -> Day {
    let mut day = Day { begins: past.from, masters: past.masters.clone(), ..Day::default() };
    let by_id: HashMap<MasterId, usize> = places(past);
    let work = usual_work(past);
    let usual_limit = past.policy().0.max_active_orders;
    day.orders = past.orders.iter().map(|order| arrival(past, &day, order, work)).collect();
    let change = |change: &PastChange| {
        let what = match change.what {
            Changed::Added => What::Blocked(false),
            Changed::Shift(on) => What::Shift(on),
            Changed::Blocked([_, blocked]) => What::Blocked(blocked),
            Changed::Unreachable(unreachable) => What::Unreachable(unreachable),
            Changed::UnreachableWithdrawn => What::UnreachableWithdrawn,
            Changed::Limit([_, limit]) => What::Limit(limit.unwrap_or(usual_limit)),
            // To be let in is to be unblocked, which is a change of its own; the others are as at the beginning, for the whole day.
            Changed::Approved | Changed::Trade(..) | Changed::District(..) | Changed::City(_) => return None,
        };
        Some(Change { at: day.at(change.at), master: *by_id.get(&change.master)?, what })
    };
    let finished = |(master, at): &(MasterId, Timestamp)| {
        Some(Change { at: day.at(*at), master: *by_id.get(master)?, what: What::Finished })
    };
    let mut changes: Vec<Change> =
        past.changes.iter().filter_map(change).chain(past.finished.iter().filter_map(finished)).collect();
    changes.sort_by_key(|change| change.at);
    day.changes = changes;
    day
}

fn places(past: &Past) -> HashMap<MasterId, usize> {
    past.masters.iter().enumerate().map(|(place, master)| (master.id, place)).collect()
}

/// Half of the orders were on their master's hands for no longer.
fn usual_work(past: &Past) -> Millis {
    let mut work: Vec<Millis> = past.orders.iter().filter_map(|order| order.work).map(millis).collect();
    work.sort_unstable();
    work.get(work.len() / 2).copied().unwrap_or(GIVEN_UP_AFTER)
}

fn millis(duration: SignedDuration) -> Millis {
    milliseconds(duration.as_secs_f64())
}

fn arrival(past: &Past, day: &Day, order: &PastOrder, work: Millis) -> Arrival {
    let at = day.at(order.began_at);
    let search = Search {
        order: order.id,
        city: order.city,
        district: order.district,
        category: order.category,
        preferred: order.preferred,
        preferred_first: true,
        asked: HashSet::new(),
    };
    let given_up = at + GIVEN_UP_AFTER;
    let ending = match order.ended.map(|ended| (day.at(ended.at), ended.how)) {
        Some((at, Ended::Given(master))) => Ending { at, given_to: Some(master) },
        Some((at, Ended::Otherwise)) => Ending { at, given_to: None },
        Some((at, Ended::Accepted(_))) => Ending { at: at.max(given_up), given_to: None },
        None => Ending { at: day.at(past.until).max(given_up), given_to: None },
    };
    Arrival { at, search, work: order.work.map_or(work, millis), ending }
}

/// What really happened, in the form in which it is counted.
#[must_use]
pub fn recorded(past: &Past, day: &Day) -> Played {
    let by_id = places(past);
    let mut offers: HashMap<OrderId, Vec<Answered>> = HashMap::new();
    for offer in &past.offers {
        offers.entry(offer.order).or_default().push(offer.answer.answered);
    }
    let mut played = Played { work: vec![0; past.masters.len()], ..Played::default() };
    for order in &past.orders {
        let ended = order.ended.map_or(past.until, |ended| ended.at);
        let answers = offers.get(&order.id).map(Vec::as_slice).unwrap_or_default();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let unanswered = answers.iter().filter(|answer| matches!(answer, Answered::Passed | Answered::Cut)).count();
        let (end, master) = match order.ended.map(|ended| ended.how) {
            Some(Ended::Accepted(master)) => {
                (by_id.get(&master).map_or(End::Otherwise, |place| End::Accepted(*place)), Some(master))
            }
            Some(Ended::Given(master)) => (End::Otherwise, Some(master)),
            Some(Ended::Otherwise) => (End::Otherwise, None),
            None => (End::Searching, None),
        };
        if let Some(place) = master.and_then(|master| by_id.get(&master)) {
            played.work[*place] += 1;
        }
        played.outcomes.push(Outcome {
            wait: day.at(ended) - day.at(order.began_at),
            end,
            offers: count(answers.len()),
            messages: count(answers.len() + unanswered),
            lost: order.lost_taps,
            called: order.escalated,
        });
    }
    played.work = event_loop::of_those_who_were_there(day, &played.work);
    played
}

/// Answers, by time.
type Answers = Vec<(Millis, Answered)>;

/// All that is known of how masters answer.
struct Known {
    /// Of this order, by places in the day.
    measured: HashMap<(usize, usize), (Millis, Answered)>,
    /// Each master's own.
    own: Vec<Answers>,
    /// Of all masters of a city.
    of_city: HashMap<i64, Answers>,
}

impl Known {
    fn of(past: &Past, day: &Day) -> Self {
        let by_id = places(past);
        let orders: HashMap<OrderId, usize> =
            past.orders.iter().enumerate().map(|(place, order)| (order.id, place)).collect();
        let mut known =
            Self { measured: HashMap::new(), own: vec![Answers::new(); past.masters.len()], of_city: HashMap::new() };
        for offer in &past.offers {
            let PastAnswer { master, after, answered } = offer.answer;
            if let (Some(order), Some(master)) = (orders.get(&offer.order), by_id.get(&master)) {
                known.measured.insert((*order, *master), (millis(after), answered));
            }
        }
        for PastAnswer { master, after, answered } in &past.answers {
            let Some(&place) = by_id.get(master) else { continue };
            known.own[place].push((millis(*after), *answered));
            known.of_city.entry(day.masters[place].city).or_default().push((millis(*after), *answered));
        }
        for answers in known.own.iter_mut().chain(known.of_city.values_mut()) {
            answers.sort_by_key(|(after, answered)| (*after, *answered as u8));
        }
        known
    }
}

/// People who answer as they did.
struct Measured<'a> {
    seed: u64,
    known: &'a Known,
    day: &'a Day,
    drawn: Cell<Drawn>,
}

impl Reactions for Measured<'_> {
    fn of(&self, order: usize, master: usize) -> Reaction {
        let mut counts = self.drawn.get();
        let measured = self.known.measured.get(&(order, master));
        let beyond = match measured {
            Some((after, Answered::Cut)) => Some(*after),
            Some((after, answered)) => {
                counts.measured += 1;
                self.drawn.set(counts);
                return Reaction { after: *after, answer: answer(*answered) };
            }
            None => None,
        };
        let own = &self.known.own[master];
        let enough = own.len() >= ENOUGH_ANSWERS;
        let answers = if enough { Some(own) } else { self.known.of_city.get(&self.day.masters[master].city) };
        let answers = answers.map(Vec::as_slice).unwrap_or_default();
        match (answers.is_empty(), beyond, enough) {
            (true, ..) => counts.unknown += 1,
            (_, Some(_), _) => counts.continued += 1,
            (_, None, true) => counts.own += 1,
            (_, None, false) => counts.of_city += 1,
        }
        self.drawn.set(counts);
        let order = self.day.orders[order].search.order.0;
        let mut draws = Draws::of(self.seed, Purpose::Answer, order, self.day.masters[master].id.0);
        draw(answers, beyond, &mut draws)
    }
}

fn answer(answered: Answered) -> Answer {
    match answered {
        Answered::Took => Answer::Take,
        Answered::Declined => Answer::Decline,
        Answered::Passed | Answered::Cut => Answer::Nothing,
    }
}

/// One of these answers, later than `beyond` if it is known that there was none until then. One that was cut short says only that it
/// would have been later: then one of the later ones is drawn instead (Efron's redistribution to the right, which gives the
/// Kaplan–Meier estimate).
fn draw(answers: &[(Millis, Answered)], beyond: Option<Millis>, draws: &mut Draws) -> Reaction {
    let later_than = |limit: Millis| answers.partition_point(|(after, _)| *after <= limit);
    let mut from = beyond.map_or(0, later_than);
    while from < answers.len() {
        let (after, answered) = answers[from + draws.index(answers.len() - from)];
        if answered != Answered::Cut {
            return Reaction { after, answer: answer(answered) };
        }
        from = later_than(after);
    }
    Reaction { after: beyond.unwrap_or_default(), answer: Answer::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn_from(answers: &[(Millis, Answered)], beyond: Option<Millis>) -> Vec<(Millis, Answer)> {
        let one = |seed| {
            let Reaction { after, answer } = draw(answers, beyond, &mut Draws::of(seed, Purpose::Answer, 1, 1));
            (after, answer)
        };
        (0..4000).map(one).collect()
    }

    #[test]
    fn what_was_cut_short_is_drawn_from_what_came_later() {
        use Answered::{Cut, Declined, Passed, Took};
        let answers = [(10, Took), (20, Cut), (30, Took), (40, Declined)];
        let drawn = drawn_from(&answers, None);
        let count = |wanted: (Millis, Answer)| drawn.iter().filter(|one| **one == wanted).count();
        // A quarter each, and half of the cut one's quarter for both that came later.
        assert!((900..1100).contains(&count((10, Answer::Take))), "{}", count((10, Answer::Take)));
        assert!(
            (1400..1600).contains(&count((30, Answer::Take))) && (1400..1600).contains(&count((40, Answer::Decline)))
        );

        let later = drawn_from(&answers, Some(10));
        assert!(later.iter().all(|(after, _)| *after >= 30), "nothing had happened until then");
        assert_eq!(drawn_from(&answers, Some(40))[0], (40, Answer::Nothing), "nobody ever answered later");
        assert_eq!(drawn_from(&[(5, Cut)], None)[0], (0, Answer::Nothing));
        assert_eq!(drawn_from(&[(120, Passed)], None)[0], (120, Answer::Nothing));
        assert_eq!(drawn_from(&[], None)[0], (0, Answer::Nothing));
    }
}
