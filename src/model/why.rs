//! Why a wave of offers asked these masters and not others, found out later: every master of the city as at that moment, made of
//! what the master is today and what has changed since, and judged by the rule of the waves themselves.
//!
//! What nothing was written down of cannot be known any more, and is said to be unknown: the counts by reason that the wave has
//! kept show whether what was made out is what it saw.

mod judged;
mod outcome;
mod past;
mod story;
mod wave;

pub use judged::{Judged, judge};
pub use outcome::{Answer, Assignment, AssignmentEnd, OfferOutcome, OrderChange, RecallReason, Unasked, of_offer};
pub use past::{MasterHistory, Offered, Spell};
pub use story::{Answered, Story, Told, Verdict};
pub use wave::{KNOWN_FOR, WAVES, Wave, WhyOrder};

#[cfg(test)]
mod tests;
