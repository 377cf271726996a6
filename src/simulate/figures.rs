//! What came of a day: the figures by which policies are compared.

use super::day::Millis;
use super::statistics::{gini, number, quantile, seconds};

/// What came of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How long it was searched for.
    pub wait: Millis,
    /// How the search ended.
    pub end: End,
    /// How often it was offered.
    pub offers: u32,
    /// What masters were sent or shown anew about it: offers, and ends of those that they had not answered.
    pub messages: u32,
    /// Masters who wanted it, and would have tapped after it was taken.
    pub lost: u32,
    /// Whether staff were called.
    pub called: bool,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// It has not.
    #[default]
    Searching,
    /// Accepted by that master.
    Accepted(usize),
    /// Staff gave it to somebody, or the client has gone.
    Otherwise,
}

/// What came of all orders of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// Of each order, in the order of the day.
    pub outcomes: Vec<Outcome>,
    /// How many waves were decided about.
    pub waves: usize,
    /// How many orders each master got, of those who were there at any time.
    pub work: Vec<u32>,
}

/// How a day was, in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// How many orders there were.
    pub orders: f64,
    /// Seconds from the beginning of the search that half of the orders did not wait longer than.
    pub median: f64,
    /// Nine of ten.
    pub ninety: f64,
    /// Ninety-nine of a hundred.
    pub ninety_nine: f64,
    /// Messages per order: offers, and ends of offers that had not been answered.
    pub messages: f64,
    /// Offers per order.
    pub offers: f64,
    /// Taps per order that came too late.
    pub lost: f64,
    /// How many orders waited for more than ten minutes.
    pub over_ten_minutes: f64,
    /// For how many of a hundred orders staff were called.
    pub called: f64,
    /// How unevenly the masters who were there got orders.
    pub gini: f64,
}

const TEN_MINUTES: Millis = 600_000;

/// The figures of a day.
#[must_use]
pub fn figures(played: &Played) -> Figures {
    let outcomes = &played.outcomes;
    let mut waits: Vec<f64> = outcomes.iter().map(|outcome| seconds(outcome.wait)).collect();
    waits.sort_by(f64::total_cmp);
    let orders = number(outcomes.len());
    let per_order = |what: fn(&Outcome) -> u32| {
        outcomes.iter().map(|outcome| f64::from(what(outcome))).sum::<f64>() / orders.max(1.0)
    };
    let work: Vec<f64> = played.work.iter().copied().map(f64::from).collect();
    Figures {
        orders,
        median: quantile(&waits, 0.5),
        ninety: quantile(&waits, 0.9),
        ninety_nine: quantile(&waits, 0.99),
        messages: per_order(|outcome| outcome.messages),
        offers: per_order(|outcome| outcome.offers),
        lost: per_order(|outcome| outcome.lost),
        over_ten_minutes: number(outcomes.iter().filter(|outcome| outcome.wait > TEN_MINUTES).count()),
        called: 100.0 * per_order(|outcome| u32::from(outcome.called)),
        gini: gini(&work),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_by_hand() {
        let taken = |seconds: i64, messages, lost| Outcome {
            wait: seconds * 1000,
            end: End::Accepted(0),
            offers: messages - lost,
            messages,
            lost,
            called: seconds > 600,
        };
        let outcomes = vec![taken(30, 3, 0), taken(700, 5, 2), taken(600, 4, 1), taken(10, 4, 0)];
        let figures = figures(&Played { outcomes, waves: 4, work: vec![1, 3] });
        let expected = Figures {
            orders: 4.0,
            median: 30.0,
            ninety: 700.0,
            ninety_nine: 700.0,
            messages: 4.0,
            offers: 3.25,
            lost: 0.75,
            over_ten_minutes: 1.0,
            called: 25.0,
            gini: 0.25,
        };
        assert_eq!(figures, expected);
        assert_eq!(super::figures(&Played::default()), Figures::default(), "a day without orders");
    }
}
