//! What came of a day: the figures by which policies are compared.

use super::day::Millis;
use super::statistics::{gini, number, quantile, quantile_of_watched, seconds};

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

impl Outcome {
    /// Whether a master accepted the order.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self.end, End::Accepted(_))
    }
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
    /// Of how many of a hundred a master accepted them.
    pub accepted: f64,
    /// Seconds from the beginning of the search within which a master accepted half of the orders. Of one that staff gave to somebody, or
    /// whose client went, it is known only that nobody had accepted it by then.
    pub median: f64,
    /// Nine of ten; no less than that if masters accepted fewer.
    pub ninety: f64,
    /// Ninety-nine of a hundred.
    pub ninety_nine: f64,
    /// Seconds within which masters accepted half of the orders that they accepted; 0 if they accepted none. However the others ended, and
    /// however long it was looked at them, it is the same figure: what was recorded and what is played can be compared by it.
    pub taken_median: f64,
    /// Nine of ten of those.
    pub taken_ninety: f64,
    /// Ninety-nine of a hundred of those.
    pub taken_ninety_nine: f64,
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
    let mut waits: Vec<(f64, bool)> =
        outcomes.iter().map(|outcome| (seconds(outcome.wait), outcome.is_accepted())).collect();
    waits.sort_by(|(wait, known), (other, other_known)| wait.total_cmp(other).then(other_known.cmp(known)));
    let taken: Vec<f64> = waits.iter().filter(|(_, is_taken)| *is_taken).map(|(wait, _)| *wait).collect();
    let orders = number(outcomes.len());
    let per_order = |what: fn(&Outcome) -> u32| {
        outcomes.iter().map(|outcome| f64::from(what(outcome))).sum::<f64>() / orders.max(1.0)
    };
    let work: Vec<f64> = played.work.iter().copied().map(f64::from).collect();
    Figures {
        orders,
        accepted: 100.0 * per_order(|outcome| u32::from(outcome.is_accepted())),
        median: quantile_of_watched(&waits, 0.5),
        ninety: quantile_of_watched(&waits, 0.9),
        ninety_nine: quantile_of_watched(&waits, 0.99),
        taken_median: quantile(&taken, 0.5),
        taken_ninety: quantile(&taken, 0.9),
        taken_ninety_nine: quantile(&taken, 0.99),
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
    use super::super::statistics::whole;
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
            accepted: 100.0,
            median: 30.0,
            ninety: 700.0,
            ninety_nine: 700.0,
            taken_median: 30.0,
            taken_ninety: 700.0,
            taken_ninety_nine: 700.0,
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

    #[test]
    fn an_order_that_nobody_accepted_was_not_found_a_master_when_it_ended() {
        let of = |seconds: i64, end| Outcome { wait: seconds * 1000, end, ..Outcome::default() };
        let accepted = || [40, 50, 60, 70].map(|seconds| of(seconds, End::Accepted(0)));
        let others = [of(10, End::Otherwise), of(20, End::Otherwise), of(30, End::Searching), of(30, End::Otherwise)];
        let of_day = |outcomes: Vec<Outcome>| figures(&Played { outcomes, ..Played::default() });
        let (some, all) = (of_day([accepted(), others].concat()), of_day(accepted().to_vec()));
        let waits = |figures: &Figures| [figures.median, figures.ninety].map(whole);
        assert_eq!((waits(&some), waits(&all)), ([50, 70], [50, 70]));
        assert_eq!([some.accepted, all.accepted].map(whole), [50, 100]);
        // How long it was looked at the others changes nothing of those that were taken.
        let later = others.map(|other| Outcome { wait: 3_600_000, ..other });
        let [later, none] = [of_day([&accepted()[..], &later].concat()), of_day(others.to_vec())];
        let taken =
            |figures: &Figures| [figures.taken_median, figures.taken_ninety, figures.taken_ninety_nine].map(whole);
        assert_eq!([&some, &later, &all].map(taken), [[50, 70, 70]; 3]);
        assert_eq!(whole(later.ninety), 3600, "which is not so of all");
        assert_eq!(taken(&none), [0; 3]);
    }
}
