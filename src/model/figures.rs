//! Figures for people: how orders came and found their masters in a period, and what each master did.

use jiff::civil::Date;

use super::order::Stage;
use super::{CityId, OrderStatus};

/// How far back figures look: whole days on the city's own clock, of which today is the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    /// Since midnight.
    #[default]
    Today,
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
}

impl Period {
    /// Every period, the shortest first.
    pub const ALL: [Self; 3] = [Self::Today, Self::Week, Self::Month];

    /// How many days it has.
    #[must_use]
    pub fn days(self) -> i32 {
        match self {
            Self::Today => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// The period of so many days.
    #[must_use]
    pub fn of_days(days: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|period| i64::from(period.days()) == days)
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// How far back.
    pub period: Period,
    /// Where; `None`: everywhere that the reader may look.
    pub city: Option<CityId>,
}

/// Where and when it was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What was asked for.
    pub scope: Scope,
    /// The city's name, if it is of one: also of a reader who has one only.
    pub name: Option<String>,
    /// The cities that the reader may look at.
    pub cities: i64,
    /// The first day and the last, on the city's clock; on the first city's, if they are several.
    pub days: (Date, Date),
}

/// What happened in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Where and when.
    pub place: Place,
    /// The orders that came.
    pub came: Came,
    /// How they found a master.
    pub found: Found,
    /// What was finished, whenever it came.
    pub closed: Closed,
    /// Taps on «Взять» that another master's had overtaken.
    pub lost: LostTaps,
    /// Who has waited longest for an order, at this moment.
    pub longest: Option<Waiting>,
    /// How long anybody waited at most, for each city and whole week that the period touches, if a wave of it did not ask all that
    /// it could; the last week first.
    pub bounds: Vec<Bound>,
}

/// Orders that came in the period, as they are now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// How many are in each status; a status without an order may be missing.
    pub by_status: Vec<(OrderStatus, i64)>,
    /// How many have ever needed staff.
    pub escalated: i64,
}

impl Came {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.by_status.iter().map(|(_, count)| count).sum()
    }

    /// Those at a stage.
    #[must_use]
    pub fn at(&self, stage: Stage) -> i64 {
        self.counted(|status| status.stage() == stage)
    }

    /// Those in a status.
    #[must_use]
    pub fn of(&self, status: OrderStatus) -> i64 {
        self.counted(|other| other == status)
    }

    fn counted(&self, which: impl Fn(OrderStatus) -> bool) -> i64 {
        self.by_status.iter().filter(|(status, _)| which(*status)).map(|(_, count)| count).sum()
    }
}

/// How the orders that came found their first master.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In the first round, the second, and later.
    pub rounds: [i64; 3],
    /// Given by staff.
    pub by_hand: i64,
    /// Seconds from the order's creation that half of them did not take longer than, and nine of ten; `None`: there is none.
    pub seconds: Option<(i64, i64)>,
}

impl Found {
    /// All that found one.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.rounds.iter().sum::<i64>() + self.by_hand
    }
}

/// Bounds of how long an order took to find its first master, in seconds, each of which is the first that it took no less than.
pub const WAITS: [i64; 6] = [15, 30, 60, 120, 300, 600];

/// What charts show beside the figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charts {
    /// How many orders came in each hour of the day, on the clocks of their cities, from midnight on.
    pub hours: Vec<i64>,
    /// How many found their first master in less than each of [`WAITS`], and how many later.
    pub waits: Vec<i64>,
}

/// Orders that were finished, and what clients paid for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// How many.
    pub orders: i64,
    /// In whole rubles, all together.
    pub rubles: i64,
}

/// Taps that came too late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LostTaps {
    /// How many.
    pub taps: i64,
    /// By how many milliseconds, half of them no more; and the closest. `None`: there is none.
    pub behind: Option<(i64, i64)>,
}

/// A master who waits for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The name.
    pub name: String,
    /// For how many seconds nothing was offered or given.
    pub seconds: i64,
}

impl Figures {
    /// The longest that anybody waited; `None`: nobody did while others were asked.
    #[must_use]
    pub fn bound(&self) -> Option<&Bound> {
        self.bounds.iter().max_by_key(|bound| bound.seconds)
    }
}

/// What a city promises its masters of a week: nobody waited longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The city's name.
    pub city: String,
    /// The Monday that the week begins with, on the city's calendar.
    pub week: Date,
    /// The longest wait, in seconds, of a master who could have been asked when others were: since the last offer or order, or since
    /// coming on shift, whichever was later, and also over the time in which the master could not have been asked.
    pub seconds: i64,
    /// Whose it was; `None`: a master who is not there any more.
    pub name: Option<String>,
}

/// What each master of a city did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterFigures {
    /// Where and when.
    pub place: Place,
    /// Which page, from 1.
    pub page: i64,
    /// How many masters there are.
    pub total: i64,
    /// Those of the page: who took most first.
    pub lines: Vec<MasterLine>,
}

impl MasterFigures {
    /// How many masters stand on a page.
    pub const PAGE: i64 = 6;

    /// How many pages there are; one, if there is nobody.
    #[must_use]
    pub fn pages(&self) -> i64 {
        ((self.total + Self::PAGE - 1) / Self::PAGE).max(1)
    }
}

/// What a master did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterLine {
    /// The name.
    pub name: String,
    /// How many offers there were.
    pub asked: i64,
    /// How many of them were accepted.
    pub took: i64,
    /// How many were declined.
    pub declined: i64,
    /// How many were left until they expired.
    pub let_pass: i64,
    /// Seconds until an answer, half of them no more; `None`: none was answered.
    pub answer_seconds: Option<i64>,
    /// For how many seconds the master was on shift.
    pub on_shift_seconds: i64,
    /// The longest wait, in seconds, with which the master was the first of those whom a wave of the period could have asked and did
    /// not; `None`: that never was, though the master may have been the second of them. Counted as in [`Bound`].
    pub passed_over_seconds: Option<i64>,
    /// What was finished.
    pub closed: Closed,
}

/// The cities to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityChoice {
    /// What is counted so far.
    pub scope: Scope,
    /// Whether masters are to be shown then.
    pub masters: bool,
    /// By name.
    pub cities: Vec<(CityId, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_known_by_its_days() {
        for period in Period::ALL {
            assert_eq!(Period::of_days(period.days().into()), Some(period));
        }
        assert_eq!((Period::of_days(0), Period::of_days(365)), (None, None));
    }

    #[test]
    fn orders_are_counted_by_stage() {
        let came = Came {
            by_status: vec![
                (OrderStatus::Created, 1),
                (OrderStatus::Searching, 2),
                (OrderStatus::Working, 4),
                (OrderStatus::Closed, 8),
                (OrderStatus::Canceled, 16),
            ],
            escalated: 0,
        };
        assert_eq!((came.total(), came.at(Stage::Open), came.at(Stage::Active)), (31, 3, 4));
        assert_eq!((came.of(OrderStatus::Closed), came.of(OrderStatus::EnRoute)), (8, 0));
    }
}
