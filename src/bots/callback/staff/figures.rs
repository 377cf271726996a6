//! `adm:fig…`: figures for people.

use std::fmt;

use super::{Parts, number};
use crate::model::CityId;
use crate::model::figures::{Period, Scope};

/// Every city of the reader's.
const ALL: &str = "0";

/// What a button of the figures asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiguresTap {
    /// `adm:fig`, `adm:fig:<days>[:<city>]`: orders.
    Orders(Scope),
    /// `adm:fig:m:<days>:<city>[:<page>]`: masters.
    Masters {
        /// What is counted.
        scope: Scope,
        /// Which page, from 1.
        page: i64,
    },
    /// `adm:fig:c:<days>`, `adm:fig:cm:<days>`: choose a city, for orders or for masters.
    Cities {
        /// How far back.
        period: Period,
        /// For masters.
        masters: bool,
    },
}

impl FiguresTap {
    /// Parses what follows `adm:fig`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        let Some(first) = parts.next() else { return Some(Self::Orders(Scope::default())) };
        Some(match first {
            "m" => {
                let scope = Scope { period: period(parts.next()?)?, city: city(parts.next()?)? };
                Self::Masters { scope, page: parts.page()? }
            }
            "c" | "cm" => Self::Cities { period: period(parts.next()?)?, masters: first == "cm" },
            days => Self::Orders(Scope { period: period(days)?, city: city(parts.next().unwrap_or(ALL))? }),
        })
    }
}

fn period(days: &str) -> Option<Period> {
    Period::of_days(number(days)?)
}

#[expect(clippy::option_option, reason = "no city is one of the things that can be said")]
fn city(id: &str) -> Option<Option<CityId>> {
    if id == ALL { Some(None) } else { number(id).map(|id| Some(CityId(id))) }
}

impl fmt::Display for FiguresTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |city: Option<CityId>| city.map_or(0, |city| city.0);
        match *self {
            Self::Orders(Scope { period, city: None }) => write!(f, "adm:fig:{}", period.days()),
            Self::Orders(Scope { period, city }) => write!(f, "adm:fig:{}:{}", period.days(), number(city)),
            Self::Masters { scope: Scope { period, city }, page } => {
                write!(f, "adm:fig:m:{}:{}:{page}", period.days(), number(city))
            }
            Self::Cities { period, masters } => {
                write!(f, "adm:fig:{}:{}", if masters { "cm" } else { "c" }, period.days())
            }
        }
    }
}
