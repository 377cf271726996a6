//! `adm:q:as:…`, `adm:q:ret:…`, `adm:q:cnl:…`, `adm:o:…`: what is done about an order.
//!
//! Nothing that people typed is in a button: reasons are named by a word or by the message that says them, and a slot by its
//! first hour.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};

use super::{Parts, Seen, number};
use crate::model::{Amount, MasterId, OrderId, StaffId, Version};

/// What a button about an order asks for. `seen`: what the order looked like when the button was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderTap {
    /// `adm:q:as:auto:<order>[:<seen>]`: find a master now.
    AssignAutomatically(OrderId, Option<Version>),
    /// `adm:q:as:man:<order>[:<page>]`: the masters who may be given it.
    Candidates {
        /// Which order.
        order: OrderId,
        /// Which page of masters.
        page: i64,
    },
    /// `adm:q:as:pick:<order>:<master>[:<seen>]`: give it to that master; asks first if something speaks against that.
    Pick {
        /// Which order.
        order: OrderId,
        /// To whom.
        master: MasterId,
        /// What was seen of the order.
        seen: Option<Version>,
    },
    /// `adm:q:as:any:<order>:<master>[:<seen>]`: give it to that master all the same.
    PickAnyway {
        /// Which order.
        order: OrderId,
        /// To whom.
        master: MasterId,
        /// What was seen of the order.
        seen: Option<Version>,
    },
    /// `adm:q:ret:<order>[:<seen>]`: ask why it is to be searched for anew.
    AskReturn(OrderId, Option<Version>),
    /// `adm:q:cnl:<order>[:<seen>]`: ask why it is canceled.
    AskCancel(OrderId, Option<Version>),
    /// `adm:o:ret:<reason>:<order>[:<seen>]`: ask whether it is really to be searched for anew, for that reason.
    ConfirmReturn(ReturnReason, OrderId, Option<Version>),
    /// `adm:o:ret_yes:<reason>:<order>[:<seen>]`: search for another master, for that reason.
    Return(ReturnReason, OrderId, Option<Version>),
    /// `adm:o:cnl:<reason>:<order>[:<seen>]`: ask whether it is really to be canceled, for that reason.
    ConfirmCancel(CancelReason, OrderId, Option<Version>),
    /// `adm:o:cnl_yes:<reason>:<order>[:<seen>]`: cancel it, for that reason.
    Cancel(CancelReason, OrderId, Option<Version>),
    /// `adm:o:ret_own:<order>:<message>[:<seen>]`: search for another master, for the reason in that message of the person.
    ReturnWritten(OrderId, i32, Option<Version>),
    /// `adm:o:cnl_own:<order>:<message>[:<seen>]`: cancel it, for the reason in that message of the person.
    CancelWritten(OrderId, i32, Option<Version>),
    /// `adm:o:clm:<order>[:<staff>]`: see to it; instead of whom, if somebody else is shown to do so.
    Claim(OrderId, Option<StaffId>),
    /// `adm:o:unc:<order>`: leave it to the others.
    Unclaim(OrderId),
    /// `adm:o:edit:<order>[:<seen>]`: what is to be changed of it?
    Edit(OrderId, Option<Version>),
    /// `adm:o:<field>:<order>[:<seen>]`: ask for that.
    Ask(Field, OrderId, Option<Version>),
    /// `adm:o:day:<order>:<yyyymmdd>[:<seen>]`: at which hour of that day?
    Day {
        /// Which order.
        order: OrderId,
        /// The day, on the clocks of the order's city.
        day: Date,
        /// What was seen of the order.
        seen: Option<Version>,
    },
    /// `adm:o:win:<order>:<yyyymmddhh[mm]>[:<seen>]`: the two hours from then on.
    Window {
        /// Which order.
        order: OrderId,
        /// Their beginning, on the clocks of the order's city.
        from: DateTime,
        /// What was seen of the order.
        seen: Option<Version>,
    },
    /// `adm:o:asap:<order>[:<seen>]`: as soon as possible.
    AsSoonAsPossible(OrderId, Option<Version>),
    /// `adm:o:nocom:<order>[:<seen>]`: take the comment back.
    NoComment(OrderId, Option<Version>),
    /// `adm:o:cls:<order>:<kopecks>[:<seen>]`: close it with this sum on its master's behalf.
    Close {
        /// Which order.
        order: OrderId,
        /// What the client paid.
        amount: Amount,
        /// What was seen of the order.
        seen: Option<Version>,
    },
    /// `adm:o:why:<order>[:<page>]`: whom its waves asked and why; and a page of the masters who can be asked about.
    Why {
        /// Which order.
        order: OrderId,
        /// Which page of masters.
        page: i64,
    },
    /// `adm:o:whym:<order>:<master>[:<page>]`: what its waves were to that master.
    WhyMaster {
        /// Which order.
        order: OrderId,
        /// Which master.
        master: MasterId,
        /// The page to return to.
        page: i64,
    },
    /// `adm:o:rop:<order>[:<seen>]`: ask whether to open it again.
    AskReopen(OrderId, Option<Version>),
    /// `adm:o:rop_yes:<order>[:<seen>]`: open it again.
    Reopen(OrderId, Option<Version>),
}

/// What is asked for in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `addr`
    Address,
    /// `name`: the client's name.
    Name,
    /// `tel`: the client's phone.
    Phone,
    /// `desc`: what is to be done.
    Description,
    /// `slot`: when.
    Slot,
    /// `com`: what the master is to know.
    Comment,
    /// `sum`: what the client paid.
    Amount,
}

impl Field {
    /// Everything that is asked for.
    pub const ALL: [Self; 7] =
        [Self::Address, Self::Name, Self::Phone, Self::Description, Self::Slot, Self::Comment, Self::Amount];

    fn as_str(self) -> &'static str {
        match self {
            Self::Address => "addr",
            Self::Name => "name",
            Self::Phone => "tel",
            Self::Description => "desc",
            Self::Slot => "slot",
            Self::Comment => "com",
            Self::Amount => "sum",
        }
    }
}

/// Why orders are canceled, most often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// `mind`: the client has thought better of it.
    ChangedMind,
    /// `call`: nobody answers the phone.
    NoAnswer,
    /// `dup`: it is there twice.
    Duplicate,
}

impl CancelReason {
    /// Every reason that has a button.
    pub const ALL: [Self; 3] = [Self::ChangedMind, Self::NoAnswer, Self::Duplicate];

    fn as_str(self) -> &'static str {
        match self {
            Self::ChangedMind => "mind",
            Self::NoAnswer => "call",
            Self::Duplicate => "dup",
        }
    }
}

/// Why orders are searched for anew, most often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnReason {
    /// `late`: the master cannot come in time.
    TooLate,
    /// `lost`: the master does not answer.
    Unreachable,
    /// `other`: the client wants somebody else.
    ClientAsks,
    /// `anew`: nobody has it, and the search is to begin anew.
    Anew,
}

impl ReturnReason {
    /// Every reason that has a button.
    pub const ALL: [Self; 4] = [Self::TooLate, Self::Unreachable, Self::ClientAsks, Self::Anew];

    fn as_str(self) -> &'static str {
        match self {
            Self::TooLate => "late",
            Self::Unreachable => "lost",
            Self::ClientAsks => "other",
            Self::Anew => "anew",
        }
    }
}

fn cancel_reason(parts: &mut Parts<'_>) -> Option<CancelReason> {
    let word = parts.next()?;
    CancelReason::ALL.into_iter().find(|reason| reason.as_str() == word)
}

fn return_reason(parts: &mut Parts<'_>) -> Option<ReturnReason> {
    let word = parts.next()?;
    ReturnReason::ALL.into_iter().find(|reason| reason.as_str() == word)
}

/// Kopecks; nothing is a sum, too.
fn amount(parts: &mut Parts<'_>) -> Option<Amount> {
    let text = parts.next()?;
    Amount::from_kopecks(if text == "0" { 0 } else { number(text)? })
}

/// `20261129`, in this century.
fn date(number: i64) -> Option<Date> {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let this_century = (2000..2100).contains(&year);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
        .ok()
        .filter(|_| this_century)
}

impl OrderTap {
    /// Parses what follows `adm:q`.
    pub(super) fn parse_in_queue(parts: &mut Parts<'_>) -> Option<Self> {
        Some(match parts.next()? {
            "as" => match parts.next()? {
                "auto" => Self::AssignAutomatically(parts.order()?, parts.seen()),
                "man" => Self::Candidates { order: parts.order()?, page: parts.page()? },
                "pick" => Self::Pick { order: parts.order()?, master: parts.master()?, seen: parts.seen() },
                "any" => Self::PickAnyway { order: parts.order()?, master: parts.master()?, seen: parts.seen() },
                _ => return None,
            },
            "ret" => Self::AskReturn(parts.order()?, parts.seen()),
            "cnl" => Self::AskCancel(parts.order()?, parts.seen()),
            _ => return None,
        })
    }

    /// Parses what follows `adm:o`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        Some(match parts.next()? {
            "ret" => Self::ConfirmReturn(return_reason(parts)?, parts.order()?, parts.seen()),
            "ret_yes" => Self::Return(return_reason(parts)?, parts.order()?, parts.seen()),
            "cnl" => Self::ConfirmCancel(cancel_reason(parts)?, parts.order()?, parts.seen()),
            "cnl_yes" => Self::Cancel(cancel_reason(parts)?, parts.order()?, parts.seen()),
            "ret_own" => Self::ReturnWritten(parts.order()?, parts.message()?, parts.seen()),
            "cnl_own" => Self::CancelWritten(parts.order()?, parts.message()?, parts.seen()),
            "clm" => {
                let order = parts.order()?;
                let from = match parts.next() {
                    Some(text) => Some(StaffId(number(text)?)),
                    None => None,
                };
                Self::Claim(order, from)
            }
            "unc" => Self::Unclaim(parts.order()?),
            "edit" => Self::Edit(parts.order()?, parts.seen()),
            "day" => Self::Day { order: parts.order()?, day: date(parts.number()?)?, seen: parts.seen() },
            "win" => {
                let (order, number) = (parts.order()?, parts.number()?);
                // Of a whole hour the minutes are left out.
                let (hours, minute) = if number > 9_999_999_999 { (number / 100, number % 100) } else { (number, 0) };
                let time = Time::new((hours % 100).try_into().ok()?, minute.try_into().ok()?, 0, 0).ok()?;
                Self::Window { order, from: date(hours / 100)?.to_datetime(time), seen: parts.seen() }
            }
            "asap" => Self::AsSoonAsPossible(parts.order()?, parts.seen()),
            "nocom" => Self::NoComment(parts.order()?, parts.seen()),
            "cls" => Self::Close { order: parts.order()?, amount: amount(parts)?, seen: parts.seen() },
            "why" => Self::Why { order: parts.order()?, page: parts.page()? },
            "whym" => Self::WhyMaster { order: parts.order()?, master: parts.master()?, page: parts.page()? },
            "rop" => Self::AskReopen(parts.order()?, parts.seen()),
            "rop_yes" => Self::Reopen(parts.order()?, parts.seen()),
            word => {
                let field = Field::ALL.into_iter().find(|field| field.as_str() == word)?;
                Self::Ask(field, parts.order()?, parts.seen())
            }
        })
    }
}

impl fmt::Display for OrderTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AssignAutomatically(order, seen) => write!(f, "adm:q:as:auto:{order}{}", Seen(*seen)),
            Self::Candidates { order, page } => write!(f, "adm:q:as:man:{order}:{page}"),
            Self::Pick { order, master, seen } => write!(f, "adm:q:as:pick:{order}:{master}{}", Seen(*seen)),
            Self::PickAnyway { order, master, seen } => write!(f, "adm:q:as:any:{order}:{master}{}", Seen(*seen)),
            Self::AskReturn(order, seen) => write!(f, "adm:q:ret:{order}{}", Seen(*seen)),
            Self::AskCancel(order, seen) => write!(f, "adm:q:cnl:{order}{}", Seen(*seen)),
            Self::ConfirmReturn(reason, order, seen) => {
                write!(f, "adm:o:ret:{}:{order}{}", reason.as_str(), Seen(*seen))
            }
            Self::Return(reason, order, seen) => write!(f, "adm:o:ret_yes:{}:{order}{}", reason.as_str(), Seen(*seen)),
            Self::ConfirmCancel(reason, order, seen) => {
                write!(f, "adm:o:cnl:{}:{order}{}", reason.as_str(), Seen(*seen))
            }
            Self::Cancel(reason, order, seen) => write!(f, "adm:o:cnl_yes:{}:{order}{}", reason.as_str(), Seen(*seen)),
            Self::ReturnWritten(order, message, seen) => write!(f, "adm:o:ret_own:{order}:{message}{}", Seen(*seen)),
            Self::CancelWritten(order, message, seen) => write!(f, "adm:o:cnl_own:{order}:{message}{}", Seen(*seen)),
            Self::Claim(order, None) => write!(f, "adm:o:clm:{order}"),
            Self::Claim(order, Some(from)) => write!(f, "adm:o:clm:{order}:{from}"),
            Self::Unclaim(order) => write!(f, "adm:o:unc:{order}"),
            Self::Edit(order, seen) => write!(f, "adm:o:edit:{order}{}", Seen(*seen)),
            Self::Ask(field, order, seen) => write!(f, "adm:o:{}:{order}{}", field.as_str(), Seen(*seen)),
            Self::Day { order, day, seen } => {
                write!(f, "adm:o:day:{order}:{}{:02}{:02}{}", day.year(), day.month(), day.day(), Seen(*seen))
            }
            Self::Window { order, from, seen } => {
                let format = if from.minute() == 0 { "%Y%m%d%H" } else { "%Y%m%d%H%M" };
                write!(f, "adm:o:win:{order}:{}{}", from.strftime(format), Seen(*seen))
            }
            Self::AsSoonAsPossible(order, seen) => write!(f, "adm:o:asap:{order}{}", Seen(*seen)),
            Self::NoComment(order, seen) => write!(f, "adm:o:nocom:{order}{}", Seen(*seen)),
            Self::Close { order, amount, seen } => write!(f, "adm:o:cls:{order}:{}{}", amount.kopecks(), Seen(*seen)),
            Self::Why { order, page } => write!(f, "adm:o:why:{order}:{page}"),
            Self::WhyMaster { order, master, page } => write!(f, "adm:o:whym:{order}:{master}:{page}"),
            Self::AskReopen(order, seen) => write!(f, "adm:o:rop:{order}{}", Seen(*seen)),
            Self::Reopen(order, seen) => write!(f, "adm:o:rop_yes:{order}{}", Seen(*seen)),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::bots::callback::LIMIT;
    use crate::bots::callback::staff::StaffCallback;

    fn every(order: OrderId, master: MasterId, seen: Option<Version>) -> Vec<OrderTap> {
        let amount = Amount::MAX;
        let from = date(2026, 11, 29).at(8, 0, 0, 0);
        let mut taps = vec![
            OrderTap::AssignAutomatically(order, seen),
            OrderTap::Candidates { order, page: 1_000 },
            OrderTap::Pick { order, master, seen },
            OrderTap::PickAnyway { order, master, seen },
            OrderTap::AskReturn(order, seen),
            OrderTap::AskCancel(order, seen),
            OrderTap::ReturnWritten(order, i32::MAX, seen),
            OrderTap::CancelWritten(order, i32::MAX, seen),
            OrderTap::Claim(order, None),
            OrderTap::Claim(order, Some(StaffId(i64::MAX))),
            OrderTap::Unclaim(order),
            OrderTap::Edit(order, seen),
            OrderTap::Day { order, day: from.date(), seen },
            OrderTap::Window { order, from, seen },
            OrderTap::AsSoonAsPossible(order, seen),
            OrderTap::NoComment(order, seen),
            OrderTap::Close { order, amount, seen },
            OrderTap::Close { order, amount: Amount::default(), seen },
            OrderTap::AskReopen(order, seen),
            OrderTap::Reopen(order, seen),
            OrderTap::Why { order, page: 1_000 },
            OrderTap::WhyMaster { order, master, page: 1_000 },
        ];
        taps.extend(Field::ALL.map(|field| OrderTap::Ask(field, order, seen)));
        for reason in CancelReason::ALL {
            taps.extend([OrderTap::ConfirmCancel(reason, order, seen), OrderTap::Cancel(reason, order, seen)]);
        }
        for reason in ReturnReason::ALL {
            taps.extend([OrderTap::ConfirmReturn(reason, order, seen), OrderTap::Return(reason, order, seen)]);
        }
        taps
    }

    #[test]
    fn every_button_says_what_it_means_in_telegram_s_64_bytes() {
        let longest = Version { version: i32::MAX, revision: i32::MAX };
        let (order, master) = (OrderId(1_000_000_000_000), MasterId(1_000_000_000_000));
        for tap in [every(order, master, Some(longest)), every(OrderId(1), MasterId(2), None)].concat() {
            let data = tap.to_string();
            assert!(data.len() <= LIMIT, "{data}");
            assert_eq!(StaffCallback::parse(&data), Some(StaffCallback::Order(tap)), "{data}");
        }
    }

    #[test]
    fn what_is_not_in_the_grammar_is_nothing() {
        for data in [
            "adm:o",
            "adm:o:clm",
            "adm:o:clm:0",
            "adm:o:clm:01",
            "adm:o:clm:1:1.1",
            "adm:o:addr:1:1",
            "adm:o:why",
            "adm:o:why:1:0",
            "adm:o:whym:1",
            "adm:o:whym:1:2:3:4",
            "adm:o:cls:1",
            "adm:o:cls:1:-5",
            "adm:o:cls:1:100000000001",
            "adm:o:win:1:2026112924",
            "adm:o:win:1:2026133108",
            "adm:o:day:1:20260230",
            "adm:o:day:1:18991231",
            "adm:o:cnl:why:1",
            "adm:q:as:pick:1",
            "adm:q:as:any:1:2:3.4:5",
        ] {
            assert_eq!(StaffCallback::parse(data), None, "{data}");
        }
    }
}
