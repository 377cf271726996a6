//! Money.

use std::fmt;

/// A sum of money, in kopecks. Shown as rubles with two decimals, as the database takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount(i64);

impl Amount {
    /// The largest that can be said: ten million rubles is nobody's bill for a repair.
    pub const MAX: Self = Self(10_000_000 * 100);

    /// Understands a number as people write it: `1500`, `1 500`, `1500,50`. `None` if it is not a sum of money from nothing
    /// to [`MAX`](Self::MAX).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read(text).filter(|kopecks| *kopecks <= Self::MAX.0).map(Self)
    }

    /// Whether that is a number as people write it, and more than [`MAX`](Self::MAX).
    #[must_use]
    pub fn is_too_much(text: &str) -> bool {
        read(text).is_some_and(|kopecks| kopecks > Self::MAX.0)
    }

    /// A sum of so many kopecks; `None` if it is not one from nothing to [`MAX`](Self::MAX).
    #[must_use]
    pub fn from_kopecks(kopecks: i64) -> Option<Self> {
        (0..=Self::MAX.0).contains(&kopecks).then_some(Self(kopecks))
    }

    /// All of it in kopecks.
    #[must_use]
    pub fn kopecks(self) -> i64 {
        self.0
    }

    /// Whole rubles, and the kopecks beyond them.
    #[must_use]
    pub fn parts(self) -> (i64, i64) {
        (self.0 / 100, self.0 % 100)
    }
}

/// A number as people write it, in kopecks.
fn read(text: &str) -> Option<i64> {
    let number = text.trim();
    let (rubles, kopecks) = number.split_once([',', '.']).unwrap_or((number, "0"));
    let groups: Vec<&str> = rubles.split([' ', '\u{a0}', '\u{202f}']).collect();
    let grouped = groups.len() == 1 || (groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !grouped || !groups.iter().all(|group| digits(group)) || !digits(kopecks) || kopecks.len() > 2 {
        return None;
    }
    // More digits than a number has room for are too many in any case.
    let rubles: i64 = groups.concat().parse().unwrap_or(i64::MAX);
    let kopecks: i64 = format!("{kopecks:0<2}").parse().ok()?;
    Some(rubles.saturating_mul(100).saturating_add(kopecks))
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rubles, kopecks) = self.parts();
        write!(f, "{rubles}.{kopecks:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    #[test]
    fn a_sum_is_understood_as_people_write_it() {
        for (written, understood) in [
            ("0", "0.00"),
            ("1500", "1500.00"),
            (" 1 500 ", "1500.00"),
            ("1\u{a0}500\u{202f}000", "1500000.00"),
            ("1500,5", "1500.50"),
            ("1500.05", "1500.05"),
            ("10000000", "10000000.00"),
        ] {
            assert_eq!(
                Amount::parse(written).map(|amount| amount.to_string()).as_deref(),
                Some(understood),
                "{written}"
            );
        }
        for written in [
            "",
            "-5",
            "+5",
            "1,234,567",
            "1500,555",
            "1.",
            ",5",
            "тысяча",
            "1 50",
            "15 00",
            "10000000,01",
            "1e3",
            "99999999999999999999",
            "٣",
        ] {
            assert_eq!(Amount::parse(written), None, "{written}");
        }
    }
}
