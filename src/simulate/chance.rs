//! Draws that depend on what they are for, and on nothing that was drawn before.

/// What is drawn, so that two draws for the same order or master have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// When orders come.
    Arrivals,
    /// What an order is: trade, district, work.
    Order,
    /// What a master is: trades, districts, shift, habits.
    Master,
    /// How a master answers an order.
    Answer,
}

/// A stream of random numbers (SplitMix64), the same for the same seed, purpose and things.
#[derive(Clone, Debug)]
pub struct Draws(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut bits: u64) -> u64 {
    for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
        bits = (bits ^ (bits >> 30)).wrapping_mul(factor);
    }
    bits ^ (bits >> 31)
}

impl Draws {
    /// Draws for one thing or, with two numbers, for a pair.
    #[must_use]
    pub fn of(seed: u64, purpose: Purpose, one: i64, other: i64) -> Self {
        let mut bits = mix(seed.wrapping_add(STEP)) ^ (purpose as u64).wrapping_mul(STEP);
        for part in [one, other] {
            bits = mix(bits.wrapping_add(STEP) ^ part.cast_unsigned());
        }
        Self(bits)
    }

    fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(STEP);
        u32::try_from(mix(self.0) >> 32).unwrap_or_default()
    }

    /// Between 0 and 1, neither of them.
    pub fn share(&mut self) -> f64 {
        (f64::from(self.bits()) + 0.5) / 4_294_967_296.0
    }

    /// Anywhere between two numbers.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// Whether something of that probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A time from now until something that happens `rate` times per unit of time.
    pub fn exponential(&mut self, rate: f64) -> f64 {
        -self.share().ln() / rate
    }

    /// Log-normal: half of all draws are below the median, and `spread` is the standard deviation of the logarithm.
    pub fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        // Box and Muller's.
        let normal = (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos();
        median * (spread * normal).exp()
    }

    /// One of so many, each as likely; 0 if there is none.
    pub fn index(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        usize::try_from((u64::from(self.bits()) * count) >> 32).unwrap_or_default()
    }

    /// One of these, by their weights.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut rest = self.share() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (index, weight) in weights.enumerate() {
            if weight > 0.0 {
                last = index;
                if rest < weight {
                    break;
                }
            }
            rest -= weight;
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(one: i64) -> Draws {
        Draws::of(1, Purpose::Order, one, 0)
    }

    #[test]
    fn the_same_thing_draws_the_same_and_another_something_else() {
        let of = |seed, purpose, one, other| Draws::of(seed, purpose, one, other).share().to_bits();
        let first = of(1, Purpose::Answer, 2, 3);
        assert_eq!(first, of(1, Purpose::Answer, 2, 3));
        for other in [
            of(2, Purpose::Answer, 2, 3),
            of(1, Purpose::Order, 2, 3),
            of(1, Purpose::Answer, 3, 2),
            of(1, Purpose::Answer, 2, 4),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn draws_are_spread_as_they_should_be() {
        let mean = (0..20_000).map(|one| draws(one).share()).sum::<f64>() / 20_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let below = (0..20_000).filter(|one| draws(*one).log_normal(25.0, 1.2) < 25.0).count();
        assert!((9_700..10_300).contains(&below), "{below}");
        let wait = (0..20_000).map(|one| draws(one).exponential(0.5)).sum::<f64>() / 20_000.0;
        assert!((wait - 2.0).abs() < 0.05, "{wait}");
        let mut counts = [0; 4];
        for one in 0..20_000 {
            counts[draws(one).weighted([1.0, 0.0, 3.0].into_iter())] += 1;
            counts[3] += usize::from(draws(one).index(5) == 4);
        }
        assert!(counts[1] == 0 && (4_700..5_300).contains(&counts[0]), "{counts:?}");
        assert!((3_700..4_300).contains(&counts[3]), "{counts:?}");
    }
}
