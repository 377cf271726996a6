//! Why an order's waves asked whom they asked: to a master about himself, to staff about any master.
//!
//! The same words for both, and for whoever it is: what happened, and not who did it.

use jiff::civil::DateTime;

use super::staff::card;
use super::staff::queue::when;
use super::words::{BUTTON_LIMIT, category, counted, duration, typed};
use crate::dispatch::why::{WhyMaster, WhyOutcome, WhyWaves};
use crate::model::selection::Exclusion;
use crate::model::staff_card::CardRound;
use crate::model::text::cut;
use crate::model::why::{Answer, Told, Verdict, WhyOrder};
use crate::model::{MasterId, OfferState, OrderId};

/// Why these masters, on an order's card of the staff's.
pub(in crate::bots::render) const BUTTON_WHY_THESE: &str = "❓ Почему эти мастера";
/// Back from a master to the waves.
pub(in crate::bots::render) const BUTTON_TO_WAVES: &str = "◀ К волнам";
/// To staff who ask about a master who is not there.
pub const NO_SUCH_MASTER: &str = "Такого мастера в городе этой заявки нет.";
/// To the command without a number.
pub(in crate::bots::render) const ASK_NUMBER: &str =
    "Напишите номер заявки после команды, например: <code>/why 123</code>. Отвечу, почему её предложили другим.";

/// A name in a line.
const NAME: usize = 40;
/// How many orders, or how many others, are named.
const NAMED: usize = 8;
/// What a message of Telegram's has room for, but for the head and a line below.
const LIMIT: usize = 4096 - 400;
const UNKNOWN: &str = "точно уже не узнать";
const EARLIER: &str = "…и раньше";

/// On a button below an order that a master did not get.
pub(in crate::bots::render) fn button_why(order: OrderId) -> String {
    format!("❓ Почему не мне №{order}")
}

/// A master's button for staff, with what kept the master from the last wave.
pub(in crate::bots::render) fn button_master(name: &str, why_not: Option<Exclusion>) -> String {
    let name = cut(name, BUTTON_LIMIT / 2);
    why_not.map_or_else(|| name.clone(), |reason| format!("{name} · {}", short(reason)))
}

/// What a master is told.
pub(in crate::bots::render) fn why_not_me(outcome: &WhyOutcome) -> String {
    match outcome {
        WhyOutcome::NotFound => "Заявка не найдена среди тех, что искали мастера в вашем городе.".to_owned(),
        WhyOutcome::Yours(order) => format!("<b>Заявка №{order}</b> ваша: она в «Мои заявки»."),
        WhyOutcome::Busy(order) => {
            format!("Сейчас спрашивают и другие. Про <b>заявку №{order}</b> спросите ещё раз через минуту.")
        }
        WhyOutcome::NotSearched(order) => format!("<b>Заявка №{order}</b> ещё никому не предлагалась."),
        WhyOutcome::Told(why) => {
            let foot = "Первыми спрашивают тех, кто на смене дольше всех без предложений; при равенстве решают рейтинг и жребий.";
            format!("❓ <b>Почему не вам: заявка №{}</b>\n{}\n\n{foot}", why.order.id, told(why, "Вы"))
        }
    }
}

/// What staff are told of a master.
pub(in crate::bots::render) fn why_not_him(why: &WhyMaster) -> String {
    let name = named(&why.names, why.master);
    format!("❓ <b>Заявка №{}: почему не {name}</b>\n{}", why.order.id, told(why, &name))
}

/// The waves, for staff.
pub(in crate::bots::render) fn waves(waves: &WhyWaves) -> String {
    let head = format!("❓ <b>Заявка №{}: кого спрашивали и почему</b>\n{}", waves.order.id, work(&waves.order));
    let now = waves.order.local_now;
    let preferred = waves.order.preferred.map(|master| name_of(&waves.names, master));
    let lines = waves.waves.iter().map(|wave| {
        let round = CardRound {
            number: wave.number,
            at: wave.at,
            chosen: wave.chosen.iter().map(|master| name_of(&waves.names, *master)).collect(),
            excluded: wave.excluded.iter().map(|(reason, count)| (*reason, *count)).collect(),
        };
        card::round(&round, preferred.as_deref(), now)
    });
    let lines: Vec<String> = lines.collect();
    let said = if lines.is_empty() {
        "Ещё никого не спрашивали.".to_owned()
    } else {
        fitting(&lines, waves.earlier)
    };
    let foot = if waves.masters.is_empty() { "" } else { "\n\nПро кого рассказать?" };
    let page =
        if waves.pages > 1 { format!(" Страница {} из {}.", waves.page, waves.pages) } else { String::new() };
    format!("{head}\n\n{said}{foot}{page}")
}

/// Each wave, the first one first.
fn told(why: &WhyMaster, whom: &str) -> String {
    let lines: Vec<String> = why.told.iter().map(|told| line(told, why, whom)).collect();
    let said = if lines.is_empty() {
        "Ещё никого не спрашивали.".to_owned()
    } else {
        fitting(&lines, why.earlier)
    };
    format!("{}\n\n{said}", work(&why.order))
}

/// The last lines, as many as there is room for.
fn fitting(lines: &[String], earlier: bool) -> String {
    let mut taken = 0;
    let fits = lines.iter().rev().take_while(|line| {
        taken += card::length(line) + 2;
        taken <= LIMIT
    });
    let fits = fits.count();
    let cut = earlier || fits < lines.len();
    let shown = lines[lines.len() - fits..].iter().map(String::as_str);
    cut.then_some(EARLIER).into_iter().chain(shown).collect::<Vec<_>>().join("\n\n")
}

/// «Сантехника · Уралмаш».
fn work(order: &WhyOrder) -> String {
    let district = order.district.as_ref().map(|(_, name)| format!(" · {}", typed(name, NAME)));
    format!("{}{}", category(order.category), district.unwrap_or_default())
}

/// «Волна 2, 14:05 · спросили 3 мастеров», and below it what it was to that master.
fn line(told: &Told, why: &WhyMaster, whom: &str) -> String {
    let now = why.order.local_now;
    let begins = if told.begins_search && !is_first(told, why) { "🔁 Новый поиск\n" } else { "" };
    let asked = match told.chosen {
        0 => "спросить было некого".to_owned(),
        number => format!("спросили {}", counted(number, ["мастера", "мастеров", "мастеров"])),
    };
    let doubt = if told.certain { "" } else { &format!(" Но записано не всё: {UNKNOWN}.") };
    let verdict = verdict(&told.verdict, why, now);
    format!("{begins}<b>Волна {}</b>, {} · {asked}\n{whom}: {verdict}.{doubt}", told.number, when(told.at, now))
}

fn is_first(told: &Told, why: &WhyMaster) -> bool {
    why.told.first().is_some_and(|first| first.at == told.at)
}

fn verdict(verdict: &Verdict, why: &WhyMaster, now: DateTime) -> String {
    match verdict {
        Verdict::Asked(answer) => format!("предложили{}", answered(answer.as_ref(), now)),
        Verdict::AskedBefore(Some(answer)) => {
            format!("уже предлагали в {}{}", when(answer.sent, now), answered(Some(answer), now))
        }
        Verdict::AskedBefore(None) => "уже предлагали или назначали эту заявку раньше".to_owned(),
        Verdict::ClientsChoice => "работа подходила, но сначала спросили мастера, которого просил клиент".to_owned(),
        Verdict::Waited { own, others } => waited(*own, others, &why.names),
        Verdict::WaitedOrHeld => format!(
            "работа подходила; либо другие ждали дольше, либо в ту же секунду решалась другая заявка: {UNKNOWN}"
        ),
        Verdict::Full { limit, orders, offers, elsewhere } => full(*limit, orders, offers, *elsewhere),
        Verdict::Excluded(reason) => excluded(*reason, &why.order),
        Verdict::Elsewhere => "тогда не в этом городе".to_owned(),
        Verdict::OrderElsewhere => format!("заявка тогда была в другом городе, {UNKNOWN}"),
        Verdict::Unknown => format!("прошло больше недели, {UNKNOWN}"),
    }
}

fn answered(answer: Option<&Answer>, now: DateTime) -> String {
    let Some(answer) = answer else { return String::new() };
    let at = |what: &str| answer.responded.map_or_else(|| what.to_owned(), |at| format!("{what} в {}", when(at, now)));
    let became = match answer.state {
        OfferState::Sent | OfferState::Viewed => "ответа ещё ждём".to_owned(),
        OfferState::Accepted => at("заявка взята"),
        OfferState::Declined => at("отказ"),
        OfferState::Expired => at("ответа не было, срок вышел"),
        OfferState::Canceled => format!("{}: заявка досталась другому или отменена", at("предложение снято")),
    };
    format!("; {became}")
}

/// «работа подходила, но другие ждали дольше: 50 мин, 48 мин; здесь — 12 мин».
fn waited(own: Option<i64>, others: &[(MasterId, Option<i64>)], names: &[(MasterId, String)]) -> String {
    let said = |seconds: Option<i64>| seconds.map_or_else(|| "ещё ни разу не спрашивали".to_owned(), duration);
    let of = |(master, seconds): &(MasterId, Option<i64>)| {
        let name = names.iter().find(|(id, _)| id == master).map(|(_, name)| format!("{} ", typed(name, NAME)));
        format!("{}{}", name.unwrap_or_default(), said(*seconds))
    };
    let more = others.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" и ещё {more}") } else { String::new() };
    let others_said: Vec<String> = others.iter().take(NAMED).map(of).collect();
    let equal = own.is_some() && others.iter().any(|(_, seconds)| *seconds == own);
    let tie =
        if equal { "; при равном ожидании решили рейтинг и жребий" } else { "" };
    format!("работа подходила, но другие ждали дольше ({}{more}), а здесь — {}{tie}", others_said.join(", "), said(own))
}

/// «лимит 5: заявки №1, №2, предложения №3, в других городах — 1».
fn full(limit: i64, orders: &[OrderId], offers: &[OrderId], elsewhere: usize) -> String {
    if limit <= 0 {
        return "новых заявок не давали: лимит 0".to_owned();
    }
    let list = |what: &str, all: &[OrderId]| {
        let numbers: Vec<String> = all.iter().take(NAMED).map(|order| format!("№{order}")).collect();
        let more = all.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" и ещё {more}") } else { String::new() };
        (!all.is_empty()).then(|| format!("{what} {}{more}", numbers.join(", ")))
    };
    let elsewhere = (elsewhere > 0).then(|| format!("в других городах — {elsewhere}"));
    let parts = [list("заявки", orders), list("предложения", offers), elsewhere];
    format!("лимит {limit} был занят: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn excluded(reason: Exclusion, order: &WhyOrder) -> String {
    match reason {
        Exclusion::Category => format!("«{}» не было среди своих работ", category(order.category)),
        Exclusion::District => {
            let name = order.district.as_ref().map(|(_, name)| format!(" «{}»", typed(name, NAME)));
            format!("район{} не был своим, а свои мастера там есть", name.unwrap_or_default())
        }
        Exclusion::Asked => "уже предлагали".to_owned(),
        Exclusion::Blocked => "была блокировка".to_owned(),
        Exclusion::Unreachable => "бот не мог написать: он был заблокирован или не открыт".to_owned(),
        Exclusion::OffShift => "не на смене".to_owned(),
        Exclusion::Limit => "лимит был занят".to_owned(),
        Exclusion::Held | Exclusion::Failed => format!("в ту же секунду решалась другая заявка: {UNKNOWN}"),
        Exclusion::Rank => "другие ждали дольше".to_owned(),
    }
}

fn short(reason: Exclusion) -> &'static str {
    match reason {
        Exclusion::Category => "другая работа",
        Exclusion::District => "другой район",
        Exclusion::Asked => "уже спрашивали",
        Exclusion::Blocked => "блокировка",
        Exclusion::Unreachable => "нет связи",
        Exclusion::OffShift => "не на смене",
        Exclusion::Limit => "лимит",
        Exclusion::Held | Exclusion::Failed => "решалась другая заявка",
        Exclusion::Rank => "другие ждали дольше",
    }
}

/// A name, to be shown.
fn named(names: &[(MasterId, String)], master: MasterId) -> String {
    typed(&name_of(names, master), NAME)
}

fn name_of(names: &[(MasterId, String)], master: MasterId) -> String {
    let known = names.iter().find(|(id, _)| *id == master).map(|(_, name)| name.clone());
    known.unwrap_or_else(|| format!("мастер №{master}"))
}
