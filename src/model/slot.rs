//! When a master is to come, and the windows that a client is offered. All on the clocks of the city.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};

/// When the master is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as possible.
    Soon,
    /// Between two moments on the clocks of the city.
    Slot {
        /// From.
        start: DateTime,
        /// Until.
        end: DateTime,
    },
}

/// Why words say no such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTime {
    /// They name none, or something else too.
    NotUnderstood,
    /// It has passed.
    Past,
    /// Nobody plans so far ahead.
    TooFar,
}

/// Why a city's clocks cannot stand for two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalTimeRefusal {
    /// Nobody plans so far ahead.
    TooFar,
    /// One of them is the earlier of two that the clocks show alike, as they go back; PostgreSQL takes the later one.
    Ambiguous,
}

/// The hours of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// From.
    pub start: Time,
    /// Until.
    pub end: Time,
}

/// The hours of work where nobody says any.
pub const WORKDAY: Hours = Hours { start: Time::constant(10, 0, 0, 0), end: Time::constant(20, 0, 0, 0) };
/// How long somebody waits for a master who is to come at an hour.
pub const WINDOW: i8 = 2;
/// How far ahead anybody plans.
pub const DAYS_AHEAD: i32 = 90;

impl When {
    /// Whether it can still be promised.
    ///
    /// # Errors
    /// When it has passed, or is too far away.
    pub fn check(self, now: DateTime) -> Result<Self, NoTime> {
        match self {
            Self::Slot { end, .. } if end <= now => Err(NoTime::Past),
            Self::Slot { start, .. } if now.checked_add(DAYS_AHEAD.days()).is_ok_and(|last| start > last) => {
                Err(NoTime::TooFar)
            }
            when => Ok(when),
        }
    }
}

/// The windows of two hours of that day's work, of which at least half is still to come.
#[must_use]
pub fn windows(day: Date, hours: Hours, now: DateTime) -> Vec<(DateTime, DateTime)> {
    let mut windows = Vec::new();
    let mut start = day.to_datetime(hours.start);
    let end_of_work = day.to_datetime(hours.end);
    while start < end_of_work {
        let Ok(end) = start.checked_add(i64::from(WINDOW).hours()) else { break };
        if start.checked_add(1.hour()).is_ok_and(|half| half > now) {
            windows.push((start, end.min(end_of_work)));
        }
        start = end;
    }
    windows
}

/// When the next working hours begin; `None`: these are some.
#[must_use]
pub fn next_workday(now: DateTime, hours: Hours) -> Option<DateTime> {
    if now.time() < hours.start {
        Some(now.date().to_datetime(hours.start))
    } else if now.time() < hours.end {
        None
    } else {
        now.date().tomorrow().ok().map(|day| day.to_datetime(hours.start))
    }
}
