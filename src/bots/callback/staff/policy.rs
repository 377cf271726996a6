//! `adm:pol…`: how masters are searched for.
//!
//! What is wanted travels with each button, all of it, beside the policy that was seen: nothing is kept between two taps, so that a tap
//! that comes twice, or two at once, end where one does. What was touched is where both differ.
//!
//! Values are written one after the other in the order of [`PolicyField::ALL`], in base 36 and each as wide as its greatest.

use std::fmt;

use super::Parts;
use crate::model::policy_draft::{PolicyField, PolicyValues};

/// What a button of this area asks for. Seen is the number of the policy in force as it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyTap {
    /// `adm:pol`: the policy in force.
    Show,
    /// `adm:pol:log`: the last ones.
    Log,
    /// `adm:pol:v:<policy>:<values>`: look at other values.
    Edit(i64, PolicyValues),
    /// `adm:pol:try:<policy>:<values>`: what yesterday would have been like by them; asks whether to save.
    Try(i64, PolicyValues),
    /// `adm:pol:set:<policy>:<values>`: save them.
    Set(i64, PolicyValues),
    /// `adm:pol:least|most:<rule>`: a step beyond a bound, which there is not; up, if it is the upper one. A rule is the field's place, from 1.
    Bound(PolicyField, bool),
}

impl PolicyTap {
    /// Parses what follows `adm:pol`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        let Some(what) = parts.next() else { return Some(Self::Show) };
        match what {
            "log" => return Some(Self::Log),
            "least" | "most" => return Some(Self::Bound(field(parts.number()?)?, what == "most")),
            _ => {}
        }
        let (seen, values) = (parts.number()?, read(parts.next()?)?);
        match what {
            "v" => Some(Self::Edit(seen, values)),
            "try" => Some(Self::Try(seen, values)),
            "set" => Some(Self::Set(seen, values)),
            _ => None,
        }
    }
}

fn field(place: i64) -> Option<PolicyField> {
    PolicyField::ALL.get(usize::try_from(place).ok()?.checked_sub(1)?).copied()
}

/// How many digits a field has.
fn width(field: PolicyField) -> usize {
    let (mut width, mut rest) = (1, field.range().end() / BASE);
    while rest > 0 {
        (width, rest) = (width + 1, rest / BASE);
    }
    width
}

const BASE: i32 = 36;
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The values as a button carries them; within their bounds, as all that buttons offer is.
fn written(values: PolicyValues) -> String {
    let values = values.clamped();
    let mut text = String::with_capacity(32);
    for field in PolicyField::ALL {
        let mut digits = vec![b'0'; width(field)];
        let mut rest = values.get(field);
        for digit in digits.iter_mut().rev() {
            *digit = usize::try_from(rest % BASE).map_or(b'0', |place| DIGITS[place]);
            rest /= BASE;
        }
        text.extend(digits.into_iter().map(char::from));
    }
    text
}

fn read(text: &str) -> Option<PolicyValues> {
    let mut values = PolicyValues([0; 12]);
    let mut rest = text;
    for field in PolicyField::ALL {
        let (digits, after) = rest.split_at_checked(width(field))?;
        let mut value = 0;
        for digit in digits.bytes() {
            let place = DIGITS.iter().position(|known| *known == digit)?;
            value = value * BASE + i32::try_from(place).ok()?;
        }
        (values, rest) = (values.with(field, value), after);
    }
    // Nothing that is outside was ever on a button.
    (rest.is_empty() && values.clamped() == values).then_some(values)
}

impl fmt::Display for PolicyTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Show => write!(f, "adm:pol"),
            Self::Log => write!(f, "adm:pol:log"),
            Self::Edit(seen, values) => write!(f, "adm:pol:v:{seen}:{}", written(*values)),
            Self::Try(seen, values) => write!(f, "adm:pol:try:{seen}:{}", written(*values)),
            Self::Set(seen, values) => write!(f, "adm:pol:set:{seen}:{}", written(*values)),
            Self::Bound(field, up) => {
                let place = PolicyField::ALL.iter().position(|known| known == field).unwrap_or_default() + 1;
                write!(f, "adm:pol:{}:{place}", if *up { "most" } else { "least" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bots::callback::LIMIT;
    use crate::bots::callback::staff::StaffCallback;

    const USUAL: PolicyValues = PolicyValues([120, 60, 3, 30, 1, 6, 3, 3, 600, 5, 600, 1200]);

    #[test]
    fn every_button_is_read_as_it_was_written_and_fits() {
        let of_all = |bound: fn(PolicyField) -> i32| PolicyValues(PolicyField::ALL.map(bound));
        let (least, most) = (of_all(|field| *field.range().start()), of_all(|field| *field.range().end()));
        let mut taps = vec![PolicyTap::Show, PolicyTap::Log];
        for values in [USUAL, least, most] {
            taps.extend([PolicyTap::Edit, PolicyTap::Try, PolicyTap::Set].map(|tap| tap(1_000_000_000_000, values)));
        }
        for up in [true, false] {
            taps.extend(PolicyField::ALL.map(|field| PolicyTap::Bound(field, up)));
        }
        for tap in taps {
            let data = tap.to_string();
            assert!(data.len() <= LIMIT, "{data}");
            assert_eq!(StaffCallback::parse(&data), Some(StaffCallback::Policy(tap)), "{data}");
        }
        assert_eq!(PolicyTap::Set(7, USUAL).to_string(), "adm:pol:set:7:03c01o0300u10603300go050go0xc");
    }

    #[test]
    fn what_was_never_on_a_button_is_not_understood() {
        let sound = PolicyTap::Set(7, USUAL).to_string();
        assert!(StaffCallback::parse(&sound).is_some());
        let outside = sound.replacen("03c", "zzz", 1);
        let shorter = &sound[..sound.len() - 1];
        for bad in [
            outside.as_str(),
            shorter,
            &format!("{sound}0"),
            &format!("{sound}:0"),
            &sound.replacen("03c", "03C", 1),
            &sound.replacen("03c", "0ж", 1),
            &sound.replacen(":7:", ":0:", 1),
            &sound.replacen(":set:", ":put:", 1),
            "adm:pol:",
            "adm:pol:log:1",
            "adm:pol:set",
            "adm:pol:set:7",
            "adm:pol:least",
            "adm:pol:least:0",
            "adm:pol:most:13",
            "adm:pol:most:1:1",
        ] {
            assert_eq!(StaffCallback::parse(bad), None, "{bad}");
        }
    }
}
