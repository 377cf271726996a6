//! A day of a city, made up from a seed: who works there, which orders come, and how each master would answer each of them.

use std::collections::HashSet;

use jiff::Timestamp;

use super::chance::{Draws, Purpose};
use super::city::{City, Shift};
use super::day::{Answer, Arrival, Change, Day, Ending, Millis, Reaction, Reactions, What, hours};
use super::statistics::{milliseconds, number, seconds, whole};
use crate::model::order::Category;
use crate::model::selection::{Candidate, Search};
use crate::model::{MasterId, OrderId};

const DAY: Millis = 24 * 3_600_000;
/// Some Monday: what day it is changes nothing.
const BEGINS: i64 = 1_767_571_200;

/// How the masters of a city answer on that day.
#[derive(Clone, Debug)]
pub struct Habits {
    seed: u64,
    looks_after_seconds: f64,
    looks_spread: f64,
    declines: f64,
    /// How likely each takes what is offered.
    takes: Vec<f64>,
}

impl Reactions for Habits {
    fn of(&self, order: usize, master: usize) -> Reaction {
        let mut draws = Draws::of(self.seed, Purpose::Answer, id(order), id(master));
        let after = milliseconds(draws.log_normal(self.looks_after_seconds, self.looks_spread));
        let takes = self.takes.get(master).copied().unwrap_or_default();
        let answer = match draws.share() {
            share if share < takes => Answer::Take,
            share if share < takes + self.declines => Answer::Decline,
            _ => Answer::Nothing,
        };
        Reaction { after, answer }
    }
}

fn id(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

/// The day of that seed.
#[must_use]
pub fn of(city: &City, seed: u64) -> (Day, Habits) {
    let trades: Vec<(Category, f64, f64)> = city
        .trades
        .iter()
        .filter_map(|(name, share)| Some((Category::parse(name)?, share.orders, share.masters)))
        .collect();
    let mut day = Day { begins: Timestamp::from_second(BEGINS).unwrap_or_default(), ..Day::default() };
    let mut takes = Vec::with_capacity(city.masters);
    for index in 0..city.masters {
        let mut draws = Draws::of(seed, Purpose::Master, id(index), 0);
        takes.push(draws.between(city.people.takes[0], city.people.takes[1]));
        let shift = city.shifts[draws.weighted(city.shifts.iter().map(|shift| shift.share))];
        day.masters.push(master(city, &trades, index, is_on_shift(shift, 0.0), &mut draws));
        day.changes.extend(changes_of_shift(shift, index));
    }
    day.changes.sort_by_key(|change| (change.at, change.master));
    day.orders = orders(city, &trades, &day.masters, seed);
    let habits = Habits {
        seed,
        looks_after_seconds: city.people.looks_after_seconds,
        looks_spread: city.people.looks_spread,
        declines: city.people.declines,
        takes,
    };
    (day, habits)
}

fn is_on_shift(Shift { from, to, .. }: Shift, hour: f64) -> bool {
    if from < to { (from..to).contains(&hour) } else { hour >= from || hour < to }
}

/// When the shift begins and ends within the day.
fn changes_of_shift(shift: Shift, master: usize) -> Vec<Change> {
    let within = |hour: &f64| *hour > 0.0 && *hour < 24.0;
    let change = |hour: f64, on| Change { at: hours(hour), master, what: What::Shift(on) };
    // From noon to noon is round the clock.
    if hours(shift.from) == hours(shift.to) {
        return Vec::new();
    }
    let begins = Some(shift.from).filter(within).map(|hour| change(hour, true));
    let ends = Some(shift.to).filter(within).map(|hour| change(hour, false));
    begins.into_iter().chain(ends).collect()
}

fn master(city: &City, trades: &[(Category, f64, f64)], index: usize, on_shift: bool, draws: &mut Draws) -> Candidate {
    let mut categories: Vec<Category> =
        trades.iter().filter(|(.., does)| draws.happens(*does)).map(|(trade, ..)| *trade).collect();
    if categories.is_empty() {
        // Nobody is let in who does nothing.
        categories.push(trades[draws.weighted(trades.iter().map(|(.., does)| *does))].0);
    }
    let mut districts: Vec<i64> = city
        .districts
        .values()
        .enumerate()
        .filter(|(_, share)| draws.happens(share.masters))
        .map(|(at, _)| id(at))
        .collect();
    if districts.is_empty() && !city.districts.is_empty() {
        districts.push(id(draws.weighted(city.districts.values().map(|share| share.masters))));
    }
    let rating = draws.between(city.ratings[0], city.ratings[1]) * 100.0;
    Candidate {
        id: MasterId(id(index)),
        city: 1,
        districts,
        categories,
        on_shift,
        blocked: false,
        waiting: false,
        unreachable: false,
        rating: i32::try_from(whole(rating)).unwrap_or_default(),
        load: 0,
        limit: city.limits[draws.index(city.limits.len())],
        last_asked: None,
        on_shift_since: None,
        turns: 0,
        left_out: None,
    }
}

/// The orders, at random moments: as many per hour as the city says, on average.
fn orders(city: &City, trades: &[(Category, f64, f64)], masters: &[Candidate], seed: u64) -> Vec<Arrival> {
    let mut arrivals = Draws::of(seed, Purpose::Arrivals, 0, 0);
    let by_hour = &city.orders.by_hour;
    let busiest = by_hour.iter().copied().fold(0.0, f64::max);
    let per_weight = city.orders.per_hour * number(by_hour.len()) / by_hour.iter().sum::<f64>();
    let mut orders = Vec::new();
    let mut at = 0;
    loop {
        // At the pace of the busiest hour, and of other hours a part is left out.
        at += milliseconds(3600.0 * arrivals.exponential(busiest * per_weight));
        if at >= DAY || busiest * per_weight <= 0.0 {
            return orders;
        }
        let hour = usize::try_from(at / 3_600_000).unwrap_or_default();
        if arrivals.happens(by_hour[hour] / busiest) {
            orders.push(order(city, trades, masters, seed, (orders.len(), at)));
        }
    }
}

fn order(
    city: &City,
    trades: &[(Category, f64, f64)],
    masters: &[Candidate],
    seed: u64,
    (index, at): (usize, Millis),
) -> Arrival {
    let mut draws = Draws::of(seed, Purpose::Order, id(index), 0);
    let category = trades[draws.weighted(trades.iter().map(|(_, orders, _)| *orders))].0;
    let weights = city.districts.values().map(|share| share.orders);
    let district = (!city.districts.is_empty()).then(|| id(draws.weighted(weights)));
    let minutes = draws.log_normal(city.work.median_minutes, city.work.spread);
    let known = draws.happens(city.orders.preferred);
    let of_trade: Vec<MasterId> =
        masters.iter().filter(|master| master.categories.contains(&category)).map(|master| master.id).collect();
    let preferred = of_trade.get(draws.index(of_trade.len())).copied().filter(|_| known);
    let search = Search {
        order: OrderId(id(index)),
        city: 1,
        district,
        category,
        preferred,
        preferred_first: true,
        asked: HashSet::new(),
    };
    let given_up = at + milliseconds(60.0 * city.orders.given_up_after_minutes);
    Arrival { at, search, work: milliseconds(60.0 * minutes), ending: Ending { at: given_up, given_to: None } }
}

/// How many orders an hour there are on average.
#[must_use]
pub fn orders_per_hour(day: &Day) -> f64 {
    number(day.orders.len()) / (seconds(DAY) / 3600.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn city() -> City {
        City::parse(City::shipped("default").expect("the default city")).expect("a city")
    }

    #[test]
    fn a_seed_is_a_day() {
        let key = |seed| {
            let (day, habits) = of(&city(), seed);
            let answers: Vec<_> = (0..50).map(|order| habits.of(order, order % 7)).collect();
            format!("{:?} {:?} {answers:?}", day.orders, day.changes)
        };
        assert_eq!(key(7), key(7));
        assert_ne!(key(7), key(8));
    }

    #[test]
    fn as_many_orders_come_as_the_city_says_and_when_it_says() {
        let mut city = city();
        city.orders.by_hour = (0..24).map(|hour| if hour < 12 { 0.0 } else { 1.0 }).collect();
        let days: Vec<Day> = (0..100).map(|seed| of(&city, seed).0).collect();
        let mean = days.iter().map(orders_per_hour).sum::<f64>() / 100.0;
        assert!((mean - city.orders.per_hour).abs() < 0.5, "{mean}");
        let noon = hours(12.0);
        assert!(days.iter().flat_map(|day| &day.orders).all(|order| order.at >= noon && order.at < DAY));
        assert!(days[0].orders.is_sorted_by_key(|order| order.at));
    }

    #[test]
    fn a_shift_over_midnight_begins_on_shift() {
        let night = Shift { share: 1.0, from: 20.0, to: 8.0 };
        assert_eq!([0.0, 7.9, 8.0, 19.0, 20.0].map(|hour| is_on_shift(night, hour)), [true, true, false, false, true]);
        let changes: Vec<_> = changes_of_shift(night, 3).iter().map(|change| (change.at, change.what)).collect();
        assert_eq!(changes, [(hours(20.0), What::Shift(true)), (hours(8.0), What::Shift(false))]);
        let always = Shift { share: 1.0, from: 0.0, to: 24.0 };
        assert!(is_on_shift(always, 0.0) && changes_of_shift(always, 0).is_empty());
        let round_the_clock = Shift { share: 1.0, from: 12.0, to: 12.0 };
        assert!(is_on_shift(round_the_clock, 0.0) && changes_of_shift(round_the_clock, 0).is_empty());
    }

    #[test]
    fn masters_answer_as_the_city_says() {
        let (_, habits) = of(&city(), 3);
        let answers: Vec<Reaction> = (0..2000).flat_map(|order| [habits.of(order, 1), habits.of(order, 2)]).collect();
        let share = |answer| number(answers.iter().filter(|reaction| reaction.answer == answer).count()) / 4000.0;
        let takes = f64::midpoint(habits.takes[1], habits.takes[2]);
        assert!((share(Answer::Take) - takes).abs() < 0.03, "{takes}");
        assert!((share(Answer::Decline) - 0.25).abs() < 0.03);
        let mut after: Vec<i64> = answers.iter().map(|reaction| reaction.after).collect();
        after.sort_unstable();
        assert!((23_000..27_000).contains(&after[2000]), "{}", after[2000]);
    }
}
