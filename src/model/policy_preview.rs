//! What yesterday's orders would have been like under a [draft](super::policy_draft), beside the policy in force.

/// With so many of a hundred orders taken, in whole percent as they are shown, the wait of nine in ten says something of nearly all.
const NEARLY_ALL: f64 = 90.0;

/// What yesterday's orders would have been like: the policy in force and the draft, each by the same replay. Yesterday is that of the
/// first city's clocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preview {
    /// Both were replayed.
    Compared(Compared),
    /// Masters accepted so few orders yesterday that nothing can be said.
    TooFew {
        /// How many they accepted.
        orders: usize,
    },
    /// What is changed is nothing that a replay goes by: the usual limit of orders, the working day.
    NotReplayed,
    /// It could not be computed.
    NotComputed,
}

/// Two replays of the same orders: the policy in force, and the draft.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// How many orders were replayed.
    pub orders: usize,
    /// In how many seconds masters took half of the orders that they took, now and then.
    pub median_seconds: [f64; 2],
    /// Nine of ten of them.
    pub ninety_seconds: [f64; 2],
    /// How many of a hundred orders masters took, now and then.
    pub accepted_percent: [f64; 2],
    /// How many messages an order took, now and then.
    pub messages: [f64; 2],
    /// Of how many of a hundred answers under the draft it is not known what they would have been, as the master was not asked, or not waited
    /// for: they were drawn from other answers, his own or his city's.
    pub drawn_percent: f64,
}

/// How long orders waited that masters took: what both policies are compared by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// So many of a hundred of them waited no longer.
    pub percent: u8,
    /// How many seconds, now and then.
    pub seconds: [f64; 2],
}

impl Compared {
    /// How many of a hundred orders masters took, now and then, as people are told: whatever is said beside goes by this number.
    #[must_use]
    pub fn accepted_shown(&self) -> [f64; 2] {
        self.accepted_percent.map(f64::round)
    }

    /// The wait to compare by: that of nine in ten. Where masters took fewer than nine in ten under either policy, the slowest of those
    /// that were taken say little of all, and it is that of a half. `None`: under one of them masters took none.
    #[must_use]
    pub fn wait(&self) -> Option<Wait> {
        let [now, then] = self.accepted_shown();
        let fewer = now.min(then);
        if fewer <= 0.0 {
            None
        } else if fewer < NEARLY_ALL {
            Some(Wait { percent: 50, seconds: self.median_seconds })
        } else {
            Some(Wait { percent: 90, seconds: self.ninety_seconds })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_of_nine_in_ten_is_said_where_so_many_were_taken() {
        let of = |accepted_percent| {
            let compared = Compared {
                orders: 100,
                median_seconds: [30.0, 20.0],
                ninety_seconds: [300.0, 200.0],
                accepted_percent,
                messages: [6.0, 7.0],
                drawn_percent: 10.0,
            };
            compared.wait().map(|wait| (wait.percent, wait.seconds.map(f64::to_bits)))
        };
        let (half, nine) = ([30.0, 20.0].map(f64::to_bits), [300.0, 200.0].map(f64::to_bits));
        for as_many in [[90.0, 97.5], [89.6, 97.5], [97.5, 89.5]] {
            assert_eq!(of(as_many), Some((90, nine)), "{as_many:?}: it is shown as 90");
        }
        for fewer in [[89.4, 97.5], [97.5, 89.4], [0.5, 50.0]] {
            assert_eq!(of(fewer), Some((50, half)), "{fewer:?}");
        }
        for none in [[0.0, 97.5], [97.5, 0.0], [97.5, 0.4]] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }
}
