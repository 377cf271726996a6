//! The few statistics that a comparison of policies needs.

/// A count as a number to calculate with.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of orders and messages are far below 2^52")]
pub fn number(count: usize) -> f64 {
    count as f64
}

/// Milliseconds as seconds.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "2^52 milliseconds are more than a hundred thousand years")]
pub fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// Seconds as milliseconds, the nearest ones.
#[must_use]
pub fn milliseconds(seconds: f64) -> i64 {
    whole(seconds * 1000.0)
}

/// The nearest whole number.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "such a conversion saturates, and nothing here is that large")]
pub fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// That part of sorted values is not above the result: one of them (the nearest rank), or 0 if there are none.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and the number of values")]
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let rank = (part * number(sorted.len())).ceil() as usize;
    sorted.get(rank.saturating_sub(1).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// The same of values some of which (`false`) are only known to be larger than is said, as nobody watched any longer; sorted, and of
/// equal ones those that are known first. It is where the Kaplan–Meier estimate gets to that part. Where it does not, the largest value:
/// the true one is no smaller.
#[must_use]
pub fn quantile_of_watched(sorted: &[(f64, bool)], part: f64) -> f64 {
    // What is lost by multiplying fractions.
    const ROUNDING: f64 = 1e-9;
    let mut larger = 1.0;
    for (index, (value, is_known)) in sorted.iter().enumerate() {
        if *is_known {
            larger *= 1.0 - 1.0 / number(sorted.len() - index);
            if 1.0 - larger >= part - ROUNDING {
                return *value;
            }
        }
    }
    sorted.last().map_or(0.0, |(value, _)| *value)
}

/// How unevenly something is shared: 0, everybody has the same; towards 1, one has all.
#[must_use]
pub fn gini(shares: &[f64]) -> f64 {
    let mut sorted = shares.to_vec();
    sorted.sort_by(f64::total_cmp);
    let total: f64 = sorted.iter().sum();
    if total <= 0.0 {
        return 0.0;
    }
    let ranked: f64 = sorted.iter().enumerate().map(|(index, share)| number(index + 1) * share).sum();
    let count = number(sorted.len());
    2.0 * ranked / (count * total) - (count + 1.0) / count
}

/// A mean, and how far the true one may be from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval that holds the true mean in 95 of 100 cases; infinite with fewer than two values.
    pub margin: f64,
}

/// Two-sided 95 % of Student's distribution, for 1 to 30 degrees of freedom.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

impl Estimate {
    /// Of independent values.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let count = number(values.len());
        if values.is_empty() {
            return Self { mean: 0.0, margin: f64::INFINITY };
        }
        let mean = values.iter().sum::<f64>() / count;
        if values.len() < 2 {
            return Self { mean, margin: f64::INFINITY };
        }
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let factor = STUDENT.get(values.len() - 2).copied().unwrap_or(1.96);
        Self { mean, margin: factor * (variance / count).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let of = |part| whole(quantile(&values, part));
        assert_eq!([0.0, 0.1, 0.5, 0.51, 0.9, 0.99, 1.0].map(of), [1, 1, 5, 6, 9, 10, 10]);
        assert_eq!(quantile(&[], 0.5).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn what_nobody_watched_to_its_end_is_no_short_value() {
        let of = |values: &[(f64, bool)], part| whole(quantile_of_watched(values, part));
        let known: Vec<(f64, bool)> = (1..=10).map(|value| (f64::from(value), true)).collect();
        let parts = [0.1, 0.5, 0.51, 0.9, 0.99, 1.0];
        assert_eq!(parts.map(|part| of(&known, part)), [1, 5, 6, 9, 10, 10], "of known ones it is the nearest rank");
        // Three of four were not watched for longer than 20: the half of all is where a half of the others are.
        let watched = [(10.0, false), (10.0, false), (20.0, false), (60.0, true), (80.0, true)];
        assert_eq!([0.5, 0.9].map(|part| of(&watched, part)), [60, 80]);
        // A quarter by 10; two thirds of the rest by 30, a third of it and of what was cut.
        let mixed = [(10.0, true), (20.0, false), (30.0, true), (40.0, false)];
        assert_eq!([0.25, 0.6, 0.63, 0.9].map(|part| of(&mixed, part)), [10, 30, 40, 40], "no less than the longest");
        assert_eq!((of(&[(5.0, false)], 0.5), of(&[], 0.5)), (5, 0));
    }

    #[test]
    fn gini_is_nought_for_equal_shares_and_grows() {
        assert!(gini(&[2.0; 5]).abs() < 1e-9);
        assert!((gini(&[0.0, 0.0, 0.0, 8.0]) - 0.75).abs() < 1e-9);
        assert!((gini(&[1.0, 3.0]) - 0.25).abs() < 1e-9, "half the relative mean difference");
        assert!(gini(&[]).abs() < 1e-9 && gini(&[0.0]).abs() < 1e-9);
    }

    #[test]
    fn the_margin_is_student_s() {
        // The mean 5, the standard deviation 2, four values: 3.182 · 2 / √4.
        let root = 3.0_f64.sqrt();
        let estimate = Estimate::of(&[5.0 - root, 5.0 - root, 5.0 + root, 5.0 + root]);
        assert!((estimate.mean - 5.0).abs() < 1e-9 && (estimate.margin - 3.182).abs() < 1e-9, "{estimate:?}");
        assert!(Estimate::of(&[1.0]).margin.is_infinite() && Estimate::of(&[]).margin.is_infinite());
        let many: Vec<f64> = (0..1000).map(|index| f64::from(index % 2)).collect();
        assert!((Estimate::of(&many).margin - 0.031).abs() < 0.001);
    }

    #[test]
    fn times_are_converted_both_ways() {
        assert_eq!(milliseconds(1.2344), 1234);
        assert!((seconds(1234) - 1.234).abs() < 1e-9);
    }
}
