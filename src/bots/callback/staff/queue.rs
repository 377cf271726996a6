//! `adm:q…`: the queue and the cards in it, what it is narrowed to, and the search.

use std::fmt;

use jiff::civil::Date;

use super::Parts;
use crate::model::queue::{Narrow, QueueState};
use crate::model::{Category, MasterId, OrderId};

/// What a button of the queue asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueTap {
    /// `adm:q`, `adm:q:<page>`
    Page(i64),
    /// `adm:q:card:<order>[:<page>]`: an order's card.
    Card {
        /// Which order.
        order: OrderId,
        /// The page to return to.
        page: i64,
    },
    /// `adm:q:f`: what the queue is narrowed to.
    Filters,
    /// `adm:q:f:c[:<page>]`: the cities it can be narrowed to.
    Cities(i64),
    /// `adm:q:f:t`: the trades.
    Trades,
    /// `adm:q:f:m[:<page>]`: the masters.
    Masters(i64),
    /// `adm:q:f:d`: the days.
    Days,
    /// `adm:q:f:s:…`, `adm:q:f:cs:…`, `adm:q:f:ts:…`, `adm:q:f:ms:…`, `adm:q:f:ds:…`, `adm:q:f:x`: narrow it, each to a word or
    /// to `all`.
    Narrow(Narrow),
    /// `adm:q:s`: ask what to look for.
    AskSearch,
    /// `adm:q:s:<page>`: what was found.
    Found(i64),
    /// `adm:q:sc:<order>[:<page>]`: the card of an order that was found.
    FoundCard {
        /// Which order.
        order: OrderId,
        /// The page to return to.
        page: i64,
    },
}

impl QueueTap {
    /// Parses what follows `adm:q`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        Some(match parts.next() {
            None => Self::Page(1),
            Some("card") => Self::Card { order: parts.order()?, page: parts.page()? },
            Some("f") => match parts.next() {
                None => Self::Filters,
                Some("c") => Self::Cities(parts.page()?),
                Some("t") => Self::Trades,
                Some("m") => Self::Masters(parts.page()?),
                Some("d") => Self::Days,
                Some(which) => Self::Narrow(narrow(which, parts)?),
            },
            Some("s") => match parts.next() {
                None => Self::AskSearch,
                Some(page) => Self::Found(super::number(page)?),
            },
            Some("sc") => Self::FoundCard { order: parts.order()?, page: parts.page()? },
            Some(page) => Self::Page(super::number(page)?),
        })
    }
}

fn narrow(which: &str, parts: &mut Parts<'_>) -> Option<Narrow> {
    if which == "x" {
        return Some(Narrow::Nothing);
    }
    let word = parts.next()?;
    // What is not understood is not taken for "all".
    let all = word == ALL;
    Some(match which {
        "s" => Narrow::State(if all { None } else { Some(state(word)?) }),
        "cs" => Narrow::City(if all { None } else { Some(super::number(word)?) }),
        "ts" => Narrow::Category(if all { None } else { Some(trade(word)?) }),
        "ms" => Narrow::Master(if all { None } else { Some(MasterId(super::number(word)?)) }),
        "ds" => Narrow::Day(if all { None } else { Some(day(word)?) }),
        _ => return None,
    })
}

fn state(word: &str) -> Option<QueueState> {
    QueueState::ALL.into_iter().find(|state| state.as_str().to_lowercase() == word)
}

fn trade(word: &str) -> Option<Category> {
    Category::ALL.into_iter().find(|category| category.as_str().to_lowercase() == word)
}

/// A day as `2026-11-27`, of these centuries: one way to write each.
fn day(word: &str) -> Option<Date> {
    let day: Date = word.parse().ok()?;
    ((2000..3000).contains(&day.year()) && day.to_string() == word).then_some(day)
}

/// Lifts a filter.
const ALL: &str = "all";

impl fmt::Display for QueueTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(page) => write!(f, "adm:q:{page}"),
            Self::Card { order, page } => write!(f, "adm:q:card:{order}:{page}"),
            Self::Filters => write!(f, "adm:q:f"),
            Self::Cities(page) => write!(f, "adm:q:f:c:{page}"),
            Self::Trades => write!(f, "adm:q:f:t"),
            Self::Masters(page) => write!(f, "adm:q:f:m:{page}"),
            Self::Days => write!(f, "adm:q:f:d"),
            Self::Narrow(narrow) => write_narrow(f, *narrow),
            Self::AskSearch => write!(f, "adm:q:s"),
            Self::Found(page) => write!(f, "adm:q:s:{page}"),
            Self::FoundCard { order, page } => write!(f, "adm:q:sc:{order}:{page}"),
        }
    }
}

fn write_narrow(f: &mut fmt::Formatter<'_>, narrow: Narrow) -> fmt::Result {
    let all = || ALL.to_owned();
    match narrow {
        Narrow::State(to) => write!(f, "adm:q:f:s:{}", to.map_or_else(all, |state| state.as_str().to_lowercase())),
        Narrow::City(to) => write!(f, "adm:q:f:cs:{}", to.map_or_else(all, |city| city.to_string())),
        Narrow::Category(to) => write!(f, "adm:q:f:ts:{}", to.map_or_else(all, |trade| trade.as_str().to_lowercase())),
        Narrow::Master(to) => write!(f, "adm:q:f:ms:{}", to.map_or_else(all, |master| master.to_string())),
        Narrow::Day(to) => write!(f, "adm:q:f:ds:{}", to.map_or_else(all, |day| day.to_string())),
        Narrow::Nothing => write!(f, "adm:q:f:x"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::bots::callback::LIMIT;
    use crate::bots::callback::staff::StaffCallback;

    #[test]
    fn every_button_says_what_it_means_in_telegram_s_64_bytes() {
        let far = 1_000_000_000_000;
        let mut taps = vec![
            QueueTap::Page(far),
            QueueTap::Card { order: OrderId(far), page: far },
            QueueTap::FoundCard { order: OrderId(far), page: far },
            QueueTap::Filters,
            QueueTap::Cities(far),
            QueueTap::Trades,
            QueueTap::Masters(far),
            QueueTap::Days,
            QueueTap::AskSearch,
            QueueTap::Found(far),
        ];
        let mut narrow = vec![Narrow::Nothing, Narrow::State(None), Narrow::City(None), Narrow::Category(None)];
        narrow.extend([
            Narrow::Master(None),
            Narrow::Day(None),
            Narrow::City(Some(far)),
            Narrow::Master(Some(MasterId(far))),
        ]);
        narrow.push(Narrow::Day(Some(date(2026, 11, 29))));
        narrow.extend(QueueState::ALL.map(|state| Narrow::State(Some(state))));
        narrow.extend(Category::ALL.map(|category| Narrow::Category(Some(category))));
        taps.extend(narrow.into_iter().map(QueueTap::Narrow));
        for tap in taps {
            let data = tap.to_string();
            assert!(data.len() <= LIMIT, "{data}");
            assert_eq!(StaffCallback::parse(&data), Some(StaffCallback::Queue(tap)), "{data}");
        }
    }
}
