//! Why an order's waves asked whom they asked: to a master about himself, to staff about any master.
//!
//! The same words for both, and for whoever it is: what happened, and not who did it.

mod verdict;

use jiff::Timestamp;

use super::staff::card;
use super::staff::queue::{at_exactly, exactly};
use super::words::{BUTTON_LIMIT, category, counted, typed};
use crate::dispatch::why::{WhyMaster, WhyOutcome, WhyWaves};
use crate::model::selection::Exclusion;
use crate::model::staff_card::CardRound;
use crate::model::text::cut;
use crate::model::why::{Told, Unasked, Verdict, WhyOrder};
use crate::model::{MasterId, OrderId, OrderStatus};
use verdict::{About, NAME, To};

/// Why these masters, on an order's card of the staff's.
pub(in crate::bots::render) const BUTTON_WHY_THESE: &str = "❓ Почему эти мастера";
/// Back from a master to the waves.
pub(in crate::bots::render) const BUTTON_TO_WAVES: &str = "◀ К волнам";
/// To staff who ask about a master who is not there.
pub const NO_SUCH_MASTER: &str = "Такого мастера в городе этой заявки нет.";
/// To the command without a number.
pub(in crate::bots::render) const ASK_NUMBER: &str =
    "Напишите номер заявки после команды, например: <code>/why 123</code>. Отвечу, почему её предложили другим.";

/// The same to staff.
pub(in crate::bots::render) const ASK_NUMBER_OF_STAFF: &str =
    "Напишите номер заявки после команды, например: <code>/why 123</code>. Покажу, кого спрашивали и почему.";
/// The masters' commands.
pub const COMMANDS: [(&str, &str); 2] = [("start", "Меню"), ("why", "Почему заявка не моя: номер после команды")];

/// What a message of Telegram's has room for, but for the head and a line below.
const LIMIT: usize = 4096 - 400;
const EARLIER: &str = "…и раньше";

/// On a button below an order that a master did not get.
pub(in crate::bots::render) fn button_why(order: OrderId) -> String {
    format!("❓ Почему не мне №{order}")
}

/// On a button below an order that is being offered.
pub(in crate::bots::render) fn button_offered(order: OrderId) -> String {
    format!("👀 Заявка №{order}")
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
        WhyOutcome::Yours(order, OrderStatus::Closed) => format!("<b>Заявка №{order}</b> была вашей: она закрыта."),
        WhyOutcome::Yours(order, OrderStatus::Canceled) => format!("<b>Заявка №{order}</b> была вашей: её отменили."),
        WhyOutcome::Yours(order, _) => format!("<b>Заявка №{order}</b> ваша: она в «Мои заявки»."),
        WhyOutcome::Offered(order) => format!("<b>Заявку №{order}</b> вам сейчас предлагают."),
        WhyOutcome::Busy(order) => {
            format!("Сейчас спрашивают и другие. Про <b>заявку №{order}</b> спросите ещё раз через минуту.")
        }
        WhyOutcome::NotSearched { order, assignment: Some(had), .. } => {
            format!("<b>Заявка №{}</b>: {}.", order.id, verdict::assignment(had, To::Himself, order.local_now))
        }
        WhyOutcome::NotSearched { order, unasked, assignment: None } => nobody(order.id, *unasked),
        WhyOutcome::Told(why) => {
            let order = why.order.id;
            let head = if was_asked(why) {
                format!("Заявка №{order}: как её предлагали")
            } else {
                format!("Почему не вам: заявка №{order}")
            };
            let waited = |told: &Told| matches!(told.verdict, Verdict::Waited { .. } | Verdict::WaitedOrHeld { .. });
            let foot = if why.told.iter().any(waited) { FOOT } else { "" };
            format!("❓ <b>{head}</b>\n{}{foot}", told(why, To::Himself))
        }
    }
}

/// By what masters are chosen.
const FOOT: &str = "\n\nПервыми спрашивают тех, кто дольше всех ждёт предложения и может его получить; при равенстве решают рейтинг и жребий.";

/// To a master, of an order that was offered to nobody by a wave, nor to him.
fn nobody(order: OrderId, unasked: Unasked) -> String {
    let why = match unasked {
        Unasked::NotYet => return format!("<b>Заявка №{order}</b> ещё никому не предлагалась."),
        Unasked::Deferred => return format!("<b>Заявка №{order}</b> отложена: её ещё никому не предлагали."),
        Unasked::Directly => {
            return format!("<b>Заявку №{order}</b> предлагали без волн, отмеченным мастерам: вас среди них не было.");
        }
        Unasked::GivenByStaff => "диспетчер сразу отдал её другому мастеру",
        Unasked::Given => "её сразу отдали другому мастеру",
        Unasked::Canceled => "её отменили",
        Unasked::Closed => "она закрыта",
    };
    format!("<b>Заявку №{order}</b> никому не предлагали: {why}.")
}

/// To staff, of an order that was offered to nobody by a wave, nor to the master who is asked about.
fn nobody_yet(unasked: Unasked) -> &'static str {
    match unasked {
        Unasked::NotYet => "Ещё никого не спрашивали.",
        Unasked::Deferred => "Заявка отложена: ещё никого не спрашивали.",
        Unasked::Directly => "Предлагали без волн, отмеченным мастерам: этого среди них не было.",
        Unasked::GivenByStaff => "Никого не спрашивали: диспетчер сразу отдал заявку мастеру.",
        Unasked::Given => "Никого не спрашивали: заявку сразу отдали мастеру.",
        Unasked::Canceled => "Никого не спрашивали: заявку отменили.",
        Unasked::Closed => "Никого не спрашивали: заявка закрыта.",
    }
}

fn was_asked(why: &WhyMaster) -> bool {
    why.told.iter().any(|told| told.verdict.is_asked())
}

/// What staff are told of a master.
pub(in crate::bots::render) fn why_not_him(why: &WhyMaster) -> String {
    let (order, name) = (why.order.id, typed(&name_of(&why.names, why.master), NAME));
    let head = if was_asked(why) {
        format!("Заявка №{order} · {name}")
    } else {
        format!("Заявка №{order}: почему не «{name}»")
    };
    format!("❓ <b>{head}</b>\n{}", told(why, To::Staff))
}

/// The waves, for staff.
pub(in crate::bots::render) fn waves(waves: &WhyWaves) -> String {
    let head = format!("❓ <b>Заявка №{}: кого спрашивали и почему</b>\n{}", waves.order.id, work(&waves.order));
    let now = waves.order.local_now;
    let each = waves.waves.iter().map(|wave| {
        let round = CardRound {
            number: wave.number,
            at: wave.since(),
            preferred_first: wave.chosen.first().is_some_and(|first| waves.order.preferred == Some(*first)),
            chosen: wave.chosen.iter().map(|master| name_of(&waves.names, *master)).collect(),
            excluded: wave.excluded.iter().map(|(reason, count)| (*reason, *count)).collect(),
        };
        (wave.since().at, card::round(&round, now))
    });
    let direct = waves.direct.iter().map(|(at, masters)| {
        let names: Vec<String> = masters.iter().map(|master| name_of(&waves.names, *master)).collect();
        (at.at, format!("Без волны, {} — предложили: {}.", exactly(*at, now), card::mentioned(&names)))
    });
    let mut lines: Vec<(Timestamp, String)> = each.chain(direct).collect();
    lines.sort_by_key(|(at, _)| *at);
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    let said = if lines.is_empty() { nobody_yet(waves.unasked).to_owned() } else { fitting(&lines, waves.earlier) };
    let foot = if waves.masters.is_empty() { "" } else { "\n\nПро кого рассказать?" };
    let page =
        if waves.pages > 1 { format!(" Страница {} из {}.", waves.page, waves.pages) } else { String::new() };
    format!("{head}\n\n{said}{foot}{page}")
}

/// Each wave, the first one first.
fn told(why: &WhyMaster, to: To) -> String {
    let lines: Vec<String> = (0..why.told.len()).map(|index| line(why, index, to)).collect();
    let said = if lines.is_empty() { nobody_yet(why.unasked).to_owned() } else { fitting(&lines, why.earlier) };
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

/// «Волна 2, 14:05:30 · спросили 3 мастеров», and below it what it was to that master.
fn line(why: &WhyMaster, index: usize, to: To) -> String {
    let (told, now) = (&why.told[index], why.order.local_now);
    let about = About { order: &why.order, names: &why.names, to };
    let doubt = if told.certain { String::new() } else { verdict::doubt() };
    let Some(number) = told.number else {
        return format!("{}.{doubt}", verdict::direct(&told.verdict, told.at, about));
    };
    let begins = if told.begins_search { "🔁 Новый поиск\n" } else { "" };
    let when = card::wave_time(told.at, told.chosen > 0, now);
    let asked = match told.chosen {
        0 => match told.as_of {
            Some(as_of) => format!("спросить было некого; как было {}", at_exactly(as_of, now)),
            None => "спросить было некого".to_owned(),
        },
        number => format!("спросили {}", counted(number, ["мастера", "мастеров", "мастеров"])),
    };
    // What became of an offer is said once.
    let sent = |told: &Told| told.verdict.answered().map(|answered| answered.sent.at);
    let known = sent(told).is_some() && why.told[..index].iter().any(|before| sent(before) == sent(told));
    let verdict = verdict::wave(&told.verdict, about, known);
    format!("{begins}<b>Волна {number}</b>, {when} · {asked}\n{verdict}.{doubt}")
}

fn short(reason: Exclusion) -> &'static str {
    match reason {
        Exclusion::Category => "другая работа",
        Exclusion::District => "другой район",
        Exclusion::Asked => "уже спрашивали",
        Exclusion::Blocked => "блокировка",
        Exclusion::Waiting => "ещё не одобрен",
        Exclusion::Unreachable => "нет связи",
        Exclusion::OffShift => "не на смене",
        Exclusion::Limit => "лимит",
        Exclusion::Held | Exclusion::Failed => "решалась другая заявка",
        // Behind those who had waited longer, or behind the preferred master.
        Exclusion::Rank => "очередь не дошла",
    }
}

fn name_of(names: &[(MasterId, String)], master: MasterId) -> String {
    let known = names.iter().find(|(id, _)| *id == master).map(|(_, name)| name.clone());
    known.unwrap_or_else(|| format!("мастер №{master}"))
}
