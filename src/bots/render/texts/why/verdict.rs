//! What a wave, or an offer, was to a master, in words: to himself, or to staff about him.

use jiff::civil::DateTime;

use super::super::staff::queue::{at, at_exactly};
use super::super::words::{category, duration, typed, went};
use crate::model::moment::Moment;
use crate::model::selection::Exclusion;
use crate::model::why::{Answered, Assignment, AssignmentEnd, OfferOutcome, RecallReason, Verdict, WhyOrder};
use crate::model::{MasterId, OrderId};

/// A name in a line.
pub(super) const NAME: usize = 40;
/// How many orders, or how many others, are named.
const NAMED: usize = 8;
const PREFERRED_FIRST: &str = "первым спросили мастера, которого просил клиент";
const UNKNOWN: &str = "точно уже не узнать";

/// To whom it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// The master himself.
    Himself,
    /// Staff, who ask about him.
    Staff,
}

impl To {
    fn or<'a>(self, you: &'a str, him: &'a str) -> &'a str {
        match self {
            Self::Himself => you,
            Self::Staff => him,
        }
    }
}

/// What words are about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) order: &'a WhyOrder,
    pub(super) names: &'a [(MasterId, String)],
    pub(super) to: To,
}

/// That something may be missing.
pub(super) fn doubt() -> String {
    format!(" Но записано не всё: {UNKNOWN}.")
}

/// What a wave was, without a stop at the end. `known`: what became of the offer has been said.
pub(super) fn wave(verdict: &Verdict, about: About<'_>, known: bool) -> String {
    let now = about.order.local_now;
    let to = about.to;
    let became = |answered: &Answered| if known { String::new() } else { format!("; {}", outcome(answered, about)) };
    match verdict {
        Verdict::Asked(answered) => {
            let became = answered.as_ref().map(became);
            format!("{}{}", to.or("Вам предложили", "Предложили"), became.unwrap_or_default())
        }
        Verdict::AskedBefore(Some(answered)) => {
            let asked = to.or("Вам уже предлагали её", "Уже предлагали");
            format!("{asked} {}{}", at(answered.sent, now), became(answered))
        }
        Verdict::AskedBefore(None) => {
            format!("{} или назначали эту заявку раньше", to.or("Вам уже предлагали", "Уже предлагали"))
        }
        Verdict::AssignedBefore(had) => format!("Раньше {}", self::assignment(had, to, now)),
        Verdict::ClientsChoice => "Работа подходила, но сначала спросили мастера, которого просил клиент".to_owned(),
        Verdict::Waited { own, others, tied, preferred_asked } => {
            let first = if *preferred_asked { format!("{PREFERRED_FIRST}; ") } else { String::new() };
            format!("Работа подходила, но {first}{}", waited(*own, others, *tied, about))
        }
        Verdict::WaitedOrHeld { preferred_asked } => {
            let first = if *preferred_asked { format!(", но {PREFERRED_FIRST}") } else { String::new() };
            format!(
                "Работа подходила{first}; либо другие ждали дольше, либо в ту же секунду решалась другая заявка: {UNKNOWN}"
            )
        }
        Verdict::Full { limit, orders, offers, elsewhere } => full(*limit, orders, offers, *elsewhere),
        Verdict::Excluded(reason) => excluded(*reason, about.order, to),
        Verdict::Elsewhere => {
            to.or("Вы были тогда не в этом городе", "Тогда мастер работал не в этом городе").to_owned()
        }
        Verdict::OrderElsewhere => format!("Заявка тогда была в другом городе, {UNKNOWN}"),
        Verdict::Unknown => format!("Прошло больше недели, {UNKNOWN}"),
    }
}

/// «Вам предложили её в 14:35:02; другой мастер взял её через 12 с», without a stop at the end.
pub(super) fn direct(verdict: &Verdict, sent: Moment, about: About<'_>) -> String {
    let became = verdict.answered().map(|answered| format!("; {}", outcome(answered, about)));
    let sent = at_exactly(sent, about.order.local_now);
    format!("{} её {sent}{}", about.to.or("Вам предложили", "Предложили"), became.unwrap_or_default())
}

/// What became of an offer.
fn outcome(answered: &Answered, about: About<'_>) -> String {
    let now = about.order.local_now;
    let ended = |what: &str, moment: Option<Moment>| {
        moment.map_or_else(|| what.to_owned(), |moment| format!("{what} {}", at(moment, now)))
    };
    match answered.outcome {
        OfferOutcome::Live => "ответа ещё ждём".to_owned(),
        OfferOutcome::Declined(moment) => ended(about.to.or("вы отказались", "отказ"), moment),
        OfferOutcome::Expired(moment) => ended("ответа не было, срок вышел", moment),
        OfferOutcome::Assigned(had) => self::assignment(&had, about.to, now),
        OfferOutcome::Recalled { at: moment, because } => match because {
            RecallReason::Taken { master, .. } => match because.taken() {
                Some(taken) => {
                    let name = master.and_then(|master| about.names.iter().find(|(id, _)| *id == master));
                    let name = name.map(|(_, name)| format!(" ({})", typed(name, NAME)));
                    format!("{}{}", went(taken.winner, taken.after_seconds), name.unwrap_or_default())
                }
                None => ended("её отдали другому мастеру", moment),
            },
            RecallReason::Canceled => ended("заявку отменили", moment),
            RecallReason::Closed => ended("заявку закрыли", moment),
            RecallReason::SearchedAnew => {
                format!("{}: мастера стали искать заново", ended("предложение снято", moment))
            }
            RecallReason::Unknown => ended("предложение снято", moment),
        },
    }
}

/// «вы взяли её в 14:30 и вернули в 14:31».
pub(super) fn assignment(had: &Assignment, to: To, now: DateTime) -> String {
    let since = had.since.map(|moment| format!(" {}", at(moment, now)));
    let got = if had.took {
        to.or("вы взяли её", "взял её")
    } else {
        to.or("её назначили вам", "её назначили ему")
    };
    let got = format!("{got}{}", since.unwrap_or_default());
    let Some((left, moment)) = had.left else { return got };
    let lost = match left {
        AssignmentEnd::Returned if had.took => to.or(" и вернули", " и вернул"),
        AssignmentEnd::Returned => to.or(", вы вернули её", ", он вернул её"),
        AssignmentEnd::TakenAway => to.or(", у вас её забрали", ", у него её забрали"),
        AssignmentEnd::PassedOn => ", её передали другому мастеру",
        AssignmentEnd::Canceled => ", заявку отменили",
    };
    format!("{got}{lost} {}", at(moment, now))
}

/// «другие ждали дольше (50 мин, 48 мин), а вы — 12 мин».
fn waited(own: Option<i64>, others: &[(MasterId, Option<i64>)], tied: bool, about: About<'_>) -> String {
    let said = |seconds: Option<i64>| seconds.map_or_else(|| "ещё ни разу не спрашивали".to_owned(), duration);
    let own = said(own);
    let of = |(master, seconds): &(MasterId, Option<i64>)| {
        let name = about.names.iter().find(|(id, _)| id == master).map(|(_, name)| format!("{} ", typed(name, NAME)));
        format!("{}{}", name.unwrap_or_default(), said(*seconds))
    };
    let more = others.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" и ещё {more}") } else { String::new() };
    let list = format!("{}{more}", others.iter().take(NAMED).map(of).collect::<Vec<_>>().join(", "));
    let looks_equal = others.iter().filter(|(_, seconds)| said(*seconds) == own).count();
    let waited = if others.len() == 1 { "другой ждал" } else { "другие ждали" };
    match (looks_equal, looks_equal == others.len()) {
        _ if others.is_empty() => "очередь дошла до других".to_owned(),
        (_, true) if tied => format!("{waited} столько же ({list}): решили рейтинг и жребий"),
        // Less than what is said of such a time.
        (_, true) => format!("{waited} чуть дольше ({list})"),
        (0, _) => format!("{waited} дольше ({list}), а {} — {own}", about.to.or("вы", "он")),
        _ => {
            let tie = if tied {
                "; при равном ожидании решили рейтинг и жребий"
            } else {
                ""
            };
            let or = if tied { "столько же" } else { "чуть дольше" };
            format!("{waited} дольше или {or} ({list}), а {} — {own}{tie}", about.to.or("вы", "он"))
        }
    }
}

/// «Лимит 5 был занят: заявки №1, №2, предложение №3, в других городах — 1».
fn full(limit: i64, orders: &[OrderId], offers: &[OrderId], elsewhere: usize) -> String {
    if limit <= 0 {
        return "Новых заявок не давали: лимит 0".to_owned();
    }
    let list = |[one, several]: [&str; 2], all: &[OrderId]| {
        let numbers: Vec<String> = all.iter().take(NAMED).map(|order| format!("№{order}")).collect();
        let more = all.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" и ещё {more}") } else { String::new() };
        let what = if all.len() == 1 { one } else { several };
        (!all.is_empty()).then(|| format!("{what} {}{more}", numbers.join(", ")))
    };
    let elsewhere = (elsewhere > 0).then(|| format!("в других городах — {elsewhere}"));
    let parts = [list(["заявка", "заявки"], orders), list(["предложение", "предложения"], offers), elsewhere];
    format!("Лимит {limit} был занят: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn excluded(reason: Exclusion, order: &WhyOrder, to: To) -> String {
    match reason {
        Exclusion::Category => {
            format!("Этой работы («{}») у {} не было", category(order.category), to.or("вас", "него"))
        }
        Exclusion::District => {
            let name = order.district.as_ref().map(|(_, name)| format!(" («{}»)", typed(name, NAME)));
            format!("Это не {} район{}, и в нём есть свои мастера", to.or("ваш", "его"), name.unwrap_or_default())
        }
        Exclusion::Asked => to.or("Вам уже предлагали её", "Уже предлагали").to_owned(),
        Exclusion::Blocked => to.or("Вы были заблокированы", "Действовала блокировка").to_owned(),
        Exclusion::Waiting => {
            to.or("Диспетчер ещё не одобрил вашу анкету", "Анкету мастера тогда ещё не одобрили").to_owned()
        }
        Exclusion::Unreachable => to
            .or(
                "Бот не мог вам написать: вы его заблокировали или не открыли",
                "Бот не мог написать: он был заблокирован или не открыт",
            )
            .to_owned(),
        Exclusion::OffShift => to.or("Вы были не на смене", "Не на смене").to_owned(),
        Exclusion::Limit => "Лимит был занят".to_owned(),
        Exclusion::Held | Exclusion::Failed => format!("В ту же секунду решалась другая заявка: {UNKNOWN}"),
        Exclusion::Rank => to.or("До вас не дошла очередь", "До него не дошла очередь").to_owned(),
    }
}
