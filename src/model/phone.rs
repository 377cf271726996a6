//! Telephone numbers, as they are dialled from anywhere (E.164).
//!
//! The rules of all countries cost 15–23 ms to load. They are loaded when a dispatcher's first number is read, and by
//! nothing on the way of a master's tap: masters see numbers as they are stored.

use std::fmt;

// A lazy cell: the first number loads it.
use rlibphonenumber::PHONE_NUMBER_UTIL as RULES;
use rlibphonenumber::{PhoneNumberFormat, Region};

/// Where a number without a country's code is dialled.
const HOME: Region = Region::RU;

/// A number that exists, as far as its country's rules go. Its `Debug` shows nothing: phones are never logged.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

/// Why something is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPhone {
    /// There are no digits in it, or it is mostly something else.
    NotANumber,
    /// So many digits, and that is too few.
    TooShort(usize),
    /// So many digits, and that is too many.
    TooLong(usize),
    /// As long as a number, but no country's, or not with that code.
    Unknown,
}

impl Phone {
    /// Understands a number as people write it: `8 912 345-67-89`, `+7(912)3456789`, `9123456789`, `+375 29 123-45-67`.
    ///
    /// # Errors
    /// When it is no whole number: a local one without its city's code is none.
    pub fn parse(text: &str) -> Result<Self, NoPhone> {
        let text = text.trim();
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let dialled = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-–—‑().,/".contains(c);
        if digits == 0 || !text.chars().all(dialled) {
            return Err(NoPhone::NotANumber);
        }
        match digits {
            ..10 => return Err(NoPhone::TooShort(digits)),
            16.. => return Err(NoPhone::TooLong(digits)),
            _ => {}
        }
        match RULES.parse(text, Some(HOME)) {
            Ok(number) if RULES.is_valid_number(&number) => {
                Ok(Self(RULES.format(&number, PhoneNumberFormat::E164).into_owned()))
            }
            _ => Err(NoPhone::Unknown),
        }
    }

    /// A number that was parsed before, as it is stored.
    #[must_use]
    pub fn stored(e164: String) -> Self {
        Self(e164)
    }

    /// `+79123456789`.
    #[must_use]
    pub fn as_e164(&self) -> &str {
        &self.0
    }

    /// As people of its country write it: `8 (912) 345-67-89`; of another country, `+375 29 123-45-67`. As it is stored if
    /// it is no number.
    #[must_use]
    pub fn shown(&self) -> String {
        let parsed = RULES.parse(&self.0, Some(HOME)).ok().filter(|number| RULES.is_valid_number(number));
        let Some(number) = parsed else { return self.0.clone() };
        let home = RULES.get_region_for_number(&number) == Some(HOME);
        let format = if home { PhoneNumberFormat::National } else { PhoneNumberFormat::International };
        RULES.format(&number, format).into_owned()
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{NoPhone, Phone};

    #[test]
    fn a_number_is_understood_as_people_write_it() {
        for (written, e164, shown) in [
            ("8 912 345 67 89", "+79123456789", "8 (912) 345-67-89"),
            ("+7 (912) 345-67-89", "+79123456789", "8 (912) 345-67-89"),
            ("89123456789", "+79123456789", "8 (912) 345-67-89"),
            ("79123456789", "+79123456789", "8 (912) 345-67-89"),
            ("9123456789", "+79123456789", "8 (912) 345-67-89"),
            ("8-912-345-67-89", "+79123456789", "8 (912) 345-67-89"),
            ("8.912.345.67.89", "+79123456789", "8 (912) 345-67-89"),
            ("8 912 345–67–89", "+79123456789", "8 (912) 345-67-89"),
            ("8 (343) 345-67-89", "+73433456789", "8 (343) 345-67-89"),
            ("+375 29 123-45-67", "+375291234567", "+375 29 123-45-67"),
            ("  8\u{a0}912\u{a0}345\u{a0}67\u{a0}89 ", "+79123456789", "8 (912) 345-67-89"),
        ] {
            let phone = Phone::parse(written).unwrap_or_else(|why| panic!("{written}: {why:?}"));
            assert_eq!((phone.as_e164(), phone.shown().as_str()), (e164, shown), "{written}");
            assert_eq!(Phone::parse(&phone.shown()).expect("what is shown is understood"), phone);
        }
    }

    #[test]
    fn what_is_no_whole_number_says_why() {
        for (written, why) in [
            ("", NoPhone::NotANumber),
            ("Мария", NoPhone::NotANumber),
            ("8912345678九", NoPhone::NotANumber),
            ("<b>89123456789</b>", NoPhone::NotANumber),
            ("📞", NoPhone::NotANumber),
            ("912345678", NoPhone::TooShort(9)),
            ("345-67-89", NoPhone::TooShort(7)),
            ("891234567890123456", NoPhone::TooLong(18)),
            ("8 012 345 67 89", NoPhone::Unknown),
            ("1234567890", NoPhone::Unknown),
            ("0000000000", NoPhone::Unknown),
            ("891234567890", NoPhone::Unknown),
            ("+999 912 345 67 89", NoPhone::Unknown),
        ] {
            assert_eq!(Phone::parse(written).err(), Some(why), "{written}");
        }
        assert_eq!(format!("{:?}", Phone::parse("89123456789")), "Ok(Phone(…))");
    }
}
