//! A moment, with what clocks showed then.

use jiff::Timestamp;
use jiff::civil::DateTime;

/// A moment, as people of a city see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// The same on the clocks of the order's city.
    pub local: DateTime,
}
