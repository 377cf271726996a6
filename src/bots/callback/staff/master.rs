//! `adm:m…`: the masters, and invitations.
//!
//! What was last changed of a master when the button was made stands at the end: the number of that change.

use std::fmt;

use super::Parts;
use crate::bots::callback::{on, on_or_off};
use crate::model::managed::MasterFilter;
use crate::model::{Category, CityId, MasterId, Role};

/// What a button of this area asks for. Pages count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterTap {
    /// `adm:m`: its first screen.
    Start,
    /// `adm:m:l:<which>:<page>`: a page of the masters.
    List {
        /// Which of them.
        filter: MasterFilter,
        /// Which page.
        page: i64,
    },
    /// `adm:m:c:<master>`: a master's card.
    Card(MasterId),
    /// `adm:m:sh:<master>:on|off:<seen>`: on shift, or not.
    Shift(MasterId, bool, i64),
    /// `adm:m:bl:<master>`: ask why the master is blocked.
    AskBlock(MasterId),
    /// `adm:m:bl_yes:<master>:<message>:<seen>`: block the master, for the reason in that message of the person.
    Block(MasterId, i32, i64),
    /// `adm:m:ub:<master>:<seen>`: not blocked any more.
    Unblock(MasterId, i64),
    /// `adm:m:ap:<master>:<seen>`: let in who has waited.
    Approve(MasterId, i64),
    /// `adm:m:lim:<master>`: which limit.
    Limits(MasterId),
    /// `adm:m:li:<master>:<n>|def:<seen>`: this limit, or the policy's.
    Limit(MasterId, Option<i32>, i64),
    /// `adm:m:ask:<master>`: ask for a limit that has no button.
    AskLimit(MasterId),
    /// `adm:m:ts:<master>`: which trades.
    Trades(MasterId),
    /// `adm:m:t:<master>:<trade>:on|off:<seen>`: this trade, or not.
    Trade(MasterId, Category, bool, i64),
    /// `adm:m:ds:<master>:<page>`: which districts.
    Districts(MasterId, i64),
    /// `adm:m:d:<master>:<district>:on|off:<page>:<seen>`: this district, or not.
    District {
        /// Of whom.
        master: MasterId,
        /// Which.
        district: i64,
        /// What it is to be.
        on: bool,
        /// The page that it is on.
        page: i64,
        /// What was seen.
        seen: i64,
    },
    /// `adm:m:inv`: the invitations.
    Invitations,
    /// `adm:m:im`: invite a master.
    AskMaster,
    /// `adm:m:im:<city>:ask|free`: a link for a master of that city, to be approved or not.
    InviteMaster {
        /// Where.
        city: CityId,
        /// Whether staff have to agree.
        needs_approval: bool,
    },
    /// `adm:m:is`: invite somebody to the staff.
    AskStaff,
    /// `adm:m:is:<role>:<city>|all`: a link for somebody of the staff.
    InviteStaff {
        /// Who may do what.
        role: Role,
        /// Where; `None`: everywhere.
        city: Option<CityId>,
    },
    /// `adm:m:rv:<invitation>`: revoke it.
    Revoke(i64),
}

impl MasterTap {
    /// Parses what follows `adm:m`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        Some(match parts.next() {
            None => Self::Start,
            Some("l") => {
                let filter = parts.next().and_then(MasterFilter::parse)?;
                Self::List { filter, page: parts.page()? }
            }
            Some("c") => Self::Card(parts.master()?),
            Some("sh") => Self::Shift(parts.master()?, parts.next().and_then(on)?, seen(parts)?),
            Some("bl") => Self::AskBlock(parts.master()?),
            Some("bl_yes") => Self::Block(parts.master()?, parts.message()?, seen(parts)?),
            Some("ub") => Self::Unblock(parts.master()?, seen(parts)?),
            Some("ap") => Self::Approve(parts.master()?, seen(parts)?),
            Some("lim") => Self::Limits(parts.master()?),
            Some("li") => {
                let master = parts.master()?;
                let limit = match parts.next()? {
                    "def" => None,
                    number => Some(super::number(number)?.try_into().ok()?),
                };
                Self::Limit(master, limit, seen(parts)?)
            }
            Some("ask") => Self::AskLimit(parts.master()?),
            Some("ts") => Self::Trades(parts.master()?),
            Some("t") => {
                let (master, category) = (parts.master()?, parts.next().and_then(Category::parse)?);
                Self::Trade(master, category, parts.next().and_then(on)?, seen(parts)?)
            }
            Some("ds") => Self::Districts(parts.master()?, parts.page()?),
            Some("d") => Self::District {
                master: parts.master()?,
                district: parts.number()?,
                on: parts.next().and_then(on)?,
                page: parts.number()?,
                seen: seen(parts)?,
            },
            Some("inv") => Self::Invitations,
            Some("im") => match parts.next() {
                None => Self::AskMaster,
                Some(city) => {
                    let city = CityId(super::number(city)?);
                    let needs_approval = match parts.next()? {
                        "ask" => true,
                        "free" => false,
                        _ => return None,
                    };
                    Self::InviteMaster { city, needs_approval }
                }
            },
            Some("is") => match parts.next() {
                None => Self::AskStaff,
                Some(role) => {
                    let role = Role::parse(role)?;
                    let city = match parts.next()? {
                        "all" => None,
                        city => Some(CityId(super::number(city)?)),
                    };
                    Self::InviteStaff { role, city }
                }
            },
            Some("rv") => Self::Revoke(parts.number()?),
            Some(_) => return None,
        })
    }
}

/// The number of a change; 0: nothing was changed so far.
fn seen(parts: &mut Parts<'_>) -> Option<i64> {
    match parts.next()? {
        "0" => Some(0),
        number => super::number(number),
    }
}

impl fmt::Display for MasterTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => write!(f, "adm:m"),
            Self::List { filter, page } => write!(f, "adm:m:l:{}:{page}", filter.as_str()),
            Self::Card(master) => write!(f, "adm:m:c:{master}"),
            Self::Shift(master, on, seen) => write!(f, "adm:m:sh:{master}:{}:{seen}", on_or_off(*on)),
            Self::AskBlock(master) => write!(f, "adm:m:bl:{master}"),
            Self::Block(master, message, seen) => write!(f, "adm:m:bl_yes:{master}:{message}:{seen}"),
            Self::Unblock(master, seen) => write!(f, "adm:m:ub:{master}:{seen}"),
            Self::Approve(master, seen) => write!(f, "adm:m:ap:{master}:{seen}"),
            Self::Limits(master) => write!(f, "adm:m:lim:{master}"),
            Self::Limit(master, Some(limit), seen) => write!(f, "adm:m:li:{master}:{limit}:{seen}"),
            Self::Limit(master, None, seen) => write!(f, "adm:m:li:{master}:def:{seen}"),
            Self::AskLimit(master) => write!(f, "adm:m:ask:{master}"),
            Self::Trades(master) => write!(f, "adm:m:ts:{master}"),
            Self::Trade(master, category, on, seen) => {
                write!(f, "adm:m:t:{master}:{}:{}:{seen}", category.as_str(), on_or_off(*on))
            }
            Self::Districts(master, page) => write!(f, "adm:m:ds:{master}:{page}"),
            Self::District { master, district, on, page, seen } => {
                write!(f, "adm:m:d:{master}:{district}:{}:{page}:{seen}", on_or_off(*on))
            }
            Self::Invitations => write!(f, "adm:m:inv"),
            Self::AskMaster => write!(f, "adm:m:im"),
            Self::InviteMaster { city, needs_approval } => {
                write!(f, "adm:m:im:{city}:{}", if *needs_approval { "ask" } else { "free" })
            }
            Self::AskStaff => write!(f, "adm:m:is"),
            Self::InviteStaff { role, city: Some(city) } => write!(f, "adm:m:is:{}:{city}", role.as_str()),
            Self::InviteStaff { role, city: None } => write!(f, "adm:m:is:{}:all", role.as_str()),
            Self::Revoke(invitation) => write!(f, "adm:m:rv:{invitation}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bots::callback::staff::StaffCallback;

    #[test]
    fn every_button_is_read_as_it_was_written_and_fits() {
        const MOST: i64 = 1_000_000_000_000;
        let master = MasterId(MOST);
        let mut taps = vec![
            MasterTap::Start,
            MasterTap::Card(master),
            MasterTap::AskBlock(master),
            MasterTap::Block(master, i32::MAX, MOST),
            MasterTap::Unblock(master, MOST),
            MasterTap::Approve(master, 0),
            MasterTap::Limits(master),
            MasterTap::Limit(master, Some(99), MOST),
            MasterTap::Limit(master, None, 0),
            MasterTap::AskLimit(master),
            MasterTap::Trades(master),
            MasterTap::Districts(master, 99),
            MasterTap::District { master, district: MOST, on: false, page: 99, seen: MOST },
            MasterTap::Invitations,
            MasterTap::AskMaster,
            MasterTap::AskStaff,
            MasterTap::Revoke(MOST),
        ];
        taps.extend(MasterFilter::ALL.map(|filter| MasterTap::List { filter, page: 99 }));
        taps.extend([true, false].map(|on| MasterTap::Shift(master, on, MOST)));
        taps.extend(Category::ALL.map(|category| MasterTap::Trade(master, category, false, MOST)));
        taps.extend([true, false].map(|needs_approval| MasterTap::InviteMaster { city: CityId(MOST), needs_approval }));
        for city in [None, Some(CityId(MOST))] {
            taps.extend(Role::ALL.map(|role| MasterTap::InviteStaff { role, city }));
        }
        for tap in taps {
            let data = tap.to_string();
            assert!(data.len() <= 64, "{data}");
            assert_eq!(StaffCallback::parse(&data), Some(StaffCallback::Master(tap)), "{data}");
        }
        for bad in [
            "adm:m:",
            "adm:m:x",
            "adm:m:c:0",
            "adm:m:sh:1:on",
            "adm:m:sh:1:maybe:1",
            "adm:m:li:1:0:1",
            "adm:m:t:1:MAGIC:on:1",
            "adm:m:im:1:x",
            "adm:m:c:1:2",
        ] {
            assert_eq!(StaffCallback::parse(bad), None, "{bad}");
        }
    }
}
