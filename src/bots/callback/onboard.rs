//! `m:in…`: what somebody taps who is to become a master.

use std::fmt;

use super::number;
use crate::model::Category;

/// What a button of the way in asks for. Pages count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnboardTap {
    /// `m:in`, `m:in:<page>`: what is asked now.
    Show {
        /// Which page of districts.
        page: i64,
    },
    /// `m:in:t:<trade>:on|off`: this trade, or not.
    Trade {
        /// Which.
        category: Category,
        /// What it is to be.
        on: bool,
    },
    /// `m:in:d:<district>:on|off:<page>`: this district, or not.
    District {
        /// Which.
        district: i64,
        /// What it is to be.
        on: bool,
        /// The page that it is on.
        page: i64,
    },
    /// `m:in:all:on|off`: all districts, or none.
    AllDistricts {
        /// What they are to be.
        on: bool,
    },
    /// `m:in:next`
    Next,
    /// `m:in:back`
    Back,
}

impl OnboardTap {
    /// Parses what follows `m:in`; `first` is the part that was read already.
    pub(super) fn parse<'a>(first: Option<&str>, parts: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        Some(match first {
            None => Self::Show { page: 1 },
            Some("t") => {
                Self::Trade { category: parts.next().and_then(Category::parse)?, on: parts.next().and_then(on)? }
            }
            Some("d") => Self::District {
                district: number(parts.next()?)?,
                on: parts.next().and_then(on)?,
                page: number(parts.next()?)?,
            },
            Some("all") => Self::AllDistricts { on: parts.next().and_then(on)? },
            Some("next") => Self::Next,
            Some("back") => Self::Back,
            Some(page) => Self::Show { page: number(page)? },
        })
    }
}

/// Reads `on` and `off`.
pub(super) fn on(word: &str) -> Option<bool> {
    match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// Writes `on` and `off`.
pub(super) fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

impl fmt::Display for OnboardTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Show { page } => write!(f, "m:in:{page}"),
            Self::Trade { category, on } => write!(f, "m:in:t:{}:{}", category.as_str(), on_or_off(*on)),
            Self::District { district, on, page } => write!(f, "m:in:d:{district}:{}:{page}", on_or_off(*on)),
            Self::AllDistricts { on } => write!(f, "m:in:all:{}", on_or_off(*on)),
            Self::Next => write!(f, "m:in:next"),
            Self::Back => write!(f, "m:in:back"),
        }
    }
}
