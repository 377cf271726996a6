//! A day, whatever its policy: who is there, which orders come, and how each master would answer each order.

use jiff::{SignedDuration, Timestamp, Unit};

use super::statistics::milliseconds;
use crate::model::MasterId;
use crate::model::due::later;
use crate::model::selection::{Candidate, Search};

/// A moment of the day, or a length of time: milliseconds, the former since the day began.
pub type Millis = i64;

/// All that happens by itself.
#[derive(Clone, Debug, Default)]
pub struct Day {
    /// When it begins.
    pub begins: Timestamp,
    /// The masters as they are then.
    pub masters: Vec<Candidate>,
    /// The orders, first come first.
    pub orders: Vec<Arrival>,
    /// What changes of the masters, in the order in which it does.
    pub changes: Vec<Change>,
}

/// An order.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When its search begins.
    pub at: Millis,
    /// What is looked for.
    pub search: Search,
    /// For how long it is on its master's hands.
    pub work: Millis,
    /// What ends the search if nobody has accepted by then.
    pub ending: Ending,
}

/// What ends the search of an order that nobody accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Millis,
    /// To whom staff give it; `None`: the client has gone.
    pub given_to: Option<MasterId>,
}

/// What changes of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Millis,
    /// Whose, as a place in [`Day::masters`].
    pub master: usize,
    /// What.
    pub what: What,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Whether the master is on shift.
    Shift(bool),
    /// Whether the master is blocked.
    Blocked(bool),
    /// Whether the bot cannot write to the master.
    Unreachable(bool),
    /// The bot could write to the master all the time, but for a fault of its own.
    UnreachableWithdrawn,
    /// How many orders at once.
    Limit(i64),
    /// An order of before that day is finished.
    Finished,
}

/// What a master does about an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// How long after it was sent.
    pub after: Millis,
    /// What.
    pub answer: Answer,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Takes the order, if it is still there.
    Take,
    /// Declines.
    Decline,
    /// Lets it pass.
    Nothing,
}

/// How people answer.
pub trait Reactions {
    /// How a master, a place in [`Day::masters`], answers an order, a place in [`Day::orders`]: always the same.
    fn of(&self, order: usize, master: usize) -> Reaction;
}

impl Day {
    /// That moment as a time.
    #[must_use]
    pub fn moment(&self, at: Millis) -> Timestamp {
        later(self.begins, SignedDuration::from_millis(at))
    }

    /// A time as a moment of this day, to the nearest millisecond.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Millis {
        let since = time.duration_since(self.begins).round(Unit::Millisecond);
        since.map_or(Millis::MAX, |since| i64::try_from(since.as_millis()).unwrap_or(Millis::MAX))
    }
}

/// Hours and seconds as milliseconds.
#[must_use]
pub fn hours(hours: f64) -> Millis {
    milliseconds(hours * 3600.0)
}
