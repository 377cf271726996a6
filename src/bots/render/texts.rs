//! Every Russian word that people read: here what they read about offers, below it the rest.
//!
//! What people typed goes through `typed`; an alert is plain text, so nothing is escaped there.

mod buttons;
pub mod console;
mod notifications;
pub mod onboarding;
pub mod sheet;
pub mod staff;
mod vocabulary;
pub mod why;
mod words;
mod work;

pub(super) use buttons::*;
pub(super) use notifications::notification;
pub use vocabulary::VOCABULARY;
use words::{
    COMMENT_LIMIT, DESCRIPTION_LIMIT, LINE_LIMIT, NAME_LIMIT, body, category, deadline, duration, place, slot,
    telephone, typed, went,
};
pub use words::{REASON_LIMIT, without_currency};
pub(super) use words::{address_to_copy, telephone_to_copy};
pub(super) use work::{
    FORWARDED, active_card, active_list, ask_return_reason, ask_sum, closed, closed_by_staff, confirm_amount,
    confirm_correction, confirm_done, confirm_return, corrected, given_back, not_an_amount, not_yours,
    reason_corrected,
};
pub use work::{NOT_ASKED, NOT_YOURS, OUT_OF_TURN, TOO_LATE_TO_CORRECT, TOO_LATE_TO_RETURN, progress, shift};

use std::time::Duration;

use crate::dispatch::accept::AcceptOutcome;
use crate::dispatch::decline::DeclineOutcome;
use crate::dispatch::view::ViewOutcome;

use crate::model::dialog::{Barred, Profile};
use crate::model::facts::Blocked;
use crate::model::notification::StaffDid;
use crate::model::order::{OrderCard, OwnOrder};
use crate::model::race::LostRace;
use crate::model::{Deadline, Hindrance, OfferLine, OfferList, OrderId, TelegramUserId};

const TITLE: &str = "📋 <b>Новые заявки</b>";
/// To the tap that took an order.
pub const ACCEPTED: &str = "✅ Заявка принята. Удачи в работе!";
const TAKEN: &str = "Уже занято";
const WITHDRAWN: &str = "Заявка снята: её отменили, закрыли или больше вам не предлагают.";
const EXPIRED: &str = "Время истекло: на эту заявку уже нельзя ответить.";
const DECLINED: &str = "Вы отклонили эту заявку.";
const NOT_FOUND: &str = "Заявка не найдена среди предложенных вам.";
/// To a tap on what one has.
pub const YOURS: &str = "Эта заявка уже ваша.";
/// To a tap that met somebody else's work.
pub const BUSY: &str = "С заявкой сейчас работает кто-то ещё. Нажмите ещё раз через пару секунд.";

/// To words that answer nothing.
pub(super) const NOT_UNDERSTOOD: &str = "Не понял вас. Всё делается кнопками: новые заявки, ваши заявки и смена — ниже. Чтобы \
     указать сумму или вернуть заявку, откройте её карточку в «📦 Мои заявки».";

/// The menu.
pub(super) fn menu(profile: &Profile) -> String {
    let state = if let Some(barred) = &profile.barred {
        match barred {
            Barred::Waits => onboarding::MENU_WAITS.to_owned(),
            Barred::Refused(blocked) => refused(blocked),
            Barred::Blocked(blocked) => {
                format!(
                    "⛔ {}\n\nНовые заявки не придут. То, что у вас в работе, остаётся за вами.",
                    typed(&self::blocked(blocked), DESCRIPTION_LIMIT)
                )
            }
        }
    } else if profile.on_shift {
        format!("🟢 Вы на смене. Кто первым нажмёт «{BUTTON_ACCEPT}», тот заявку и получит.")
    } else {
        "⚪ Вы не на смене: новые заявки вам не приходят.".to_owned()
    };
    format!("Здравствуйте, <b>{}</b>!\n\n{state}", typed(&profile.full_name, NAME_LIMIT))
}

/// What staff have done with the master, above the menu that shows it.
pub(super) fn staff_did(did: Option<StaffDid>, menu: String) -> String {
    let did = match did {
        None => return menu,
        Some(StaffDid::OnShift) => "🟢 <b>Диспетчер поставил вас на смену.</b>",
        Some(StaffDid::OffShift) => "⚪ <b>Диспетчер снял вас со смены.</b>",
        Some(StaffDid::Unblocked) => "✅ <b>Диспетчер вас разблокировал.</b>",
        Some(StaffDid::Approved) => "✅ <b>Вашу анкету одобрили.</b>",
    };
    format!("{did}\n\n{menu}")
}

/// The list's title, total and page, and a paragraph for each offer.
pub(super) fn offer_list(list: &OfferList) -> String {
    if list.lines.is_empty() {
        return format!("{TITLE}\n\n{}", nothing_new(list.hindrance.as_ref()));
    }
    let head = format!("{TITLE}\nВсего: {} · страница {} из {}", list.total, list.page, list.pages());
    std::iter::once(head).chain(list.lines.iter().map(offer_line)).collect::<Vec<_>>().join("\n\n")
}

/// Why the list is empty, and what to do about it.
fn nothing_new(hindrance: Option<&Hindrance>) -> String {
    match hindrance {
        Some(Hindrance::Barred(Barred::Blocked(blocked))) => typed(&self::blocked(blocked), DESCRIPTION_LIMIT),
        Some(Hindrance::Barred(Barred::Waits)) => onboarding::MENU_WAITS.to_owned(),
        Some(Hindrance::Barred(Barred::Refused(blocked))) => refused(blocked),
        Some(Hindrance::OffShift) => {
            format!("Сейчас новых заявок нет: вы не на смене. Нажмите «{BUTTON_COME_ON_SHIFT}» в меню.")
        }
        Some(Hindrance::Limit { limit: ..=0, .. }) => {
            "Сейчас новых заявок нет: вам пока не дают новых. Обратитесь к диспетчеру.".to_owned()
        }
        Some(Hindrance::Limit { active, limit }) => {
            let finish = finish_first(*active, *limit);
            format!("Сейчас новых заявок нет: у вас в работе {active} из {limit}. {finish} — и новые появятся.")
        }
        None => format!(
            "Сейчас новых заявок нет: поблизости никто не ждёт мастера. Новая придёт сюда сама; проверить — «{BUTTON_REFRESH}»."
        ),
    }
}

fn offer_line(line: &OfferLine) -> String {
    let card = &line.card;
    format!(
        "<b>№{}</b> · {}\n📍 {}\n🕒 {}\n⏳ срок ответа: {}",
        card.id,
        category(card.category),
        typed(&place(card), LINE_LIMIT),
        slot(&card.slot),
        deadline(line.expires, &card.slot),
    )
}

/// The card of an offered order: no client.
pub(super) fn offer_card(card: &OrderCard, expires: Deadline) -> String {
    format!("<b>Заявка №{}</b>\n{}\n\n⏳ Срок ответа: {}", card.id, body(card, false), deadline(expires, &card.slot))
}

/// The master's own order: with the client.
pub(super) fn own_order(own: &OwnOrder) -> String {
    let comment = own.comment.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let comment = comment.map(|text| format!("\n💬 Диспетчер: {}", typed(text, COMMENT_LIMIT))).unwrap_or_default();
    format!(
        "✅ <b>Ваша заявка №{}</b>\n👤 {}\n📞 {}\n{}{comment}",
        own.card.id,
        typed(&own.client.name, NAME_LIMIT),
        telephone(&own.client.phone),
        body(&own.card, true)
    )
}

/// The question before declining.
pub(super) fn confirm_decline(order: OrderId) -> String {
    format!("Отклонить заявку <b>№{order}</b>?\n\nВзять её после этого уже не получится.")
}

/// The answer to «✅ Взять заявку».
#[must_use]
pub fn accept(outcome: &AcceptOutcome) -> String {
    match outcome {
        AcceptOutcome::Assigned(_) => ACCEPTED.to_owned(),
        AcceptOutcome::NotFound => NOT_FOUND.to_owned(),
        AcceptOutcome::AlreadyYours(_) => YOURS.to_owned(),
        AcceptOutcome::Blocked(blocked) => self::blocked(blocked),
        AcceptOutcome::Withdrawn => WITHDRAWN.to_owned(),
        AcceptOutcome::Taken(race) => taken(race.as_ref()),
        AcceptOutcome::Declined => DECLINED.to_owned(),
        AcceptOutcome::Expired => EXPIRED.to_owned(),
        AcceptOutcome::LimitReached { limit: ..=0, .. } => {
            "Вам пока не дают новых заявок. Обратитесь к диспетчеру.".to_owned()
        }
        AcceptOutcome::LimitReached { active, limit } => {
            format!("Достигнут лимит активных заявок ({limit}). {} и попробуйте снова.", finish_first(*active, *limit))
        }
        AcceptOutcome::Busy => BUSY.to_owned(),
    }
}

/// What to do about a limit: staff may have given more than that, or lowered it since.
fn finish_first(active: i64, limit: i64) -> String {
    match active.saturating_sub(limit).saturating_add(1) {
        ..=1 if active <= 1 => "Завершите её".to_owned(),
        ..=1 => "Завершите одну из них".to_owned(),
        number if number == active => "Завершите их все".to_owned(),
        number => format!("Завершите {number} из них"),
    }
}

/// That somebody else has it, and by how much that one was quicker.
fn taken(race: Option<&LostRace>) -> String {
    let Some(LostRace { winner, taken_after, tapped_after }) = race else { return TAKEN.to_owned() };
    let seconds = |after: &Duration| i64::try_from(after.as_secs()).unwrap_or(i64::MAX);
    let (taken, tapped) = (seconds(taken_after), seconds(tapped_after));
    // Of a minute and more no seconds may be said.
    let tap = if taken == tapped {
        "вы нажали на долю секунды позже".to_owned()
    } else if duration(taken) == duration(tapped) {
        "вы нажали чуть позже".to_owned()
    } else {
        format!("вы нажали через {}", duration(tapped))
    };
    let joined = if taken == 0 { ";" } else { "," };
    format!("{TAKEN}: {}{joined} {tap}", went(*winner, taken))
}

/// To who was not let in.
fn refused(blocked: &Blocked) -> String {
    let because = words::because(blocked.reason.as_deref());
    format!("К сожалению, вашу анкету не одобрили.{because}\n\nЕсли это ошибка, свяжитесь с диспетчером.")
}

fn blocked(blocked: &Blocked) -> String {
    match blocked.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("Вы заблокированы: {reason}"),
        None => "Вы заблокированы. Обратитесь к диспетчеру.".to_owned(),
    }
}

/// The answer to «❌ Да, отклонить».
#[must_use]
pub fn decline(outcome: &DeclineOutcome) -> &'static str {
    match outcome {
        DeclineOutcome::Declined => "Заявка отклонена.",
        DeclineOutcome::NotFound => NOT_FOUND,
        DeclineOutcome::AlreadyYours(_) => YOURS,
        DeclineOutcome::Withdrawn => WITHDRAWN,
        DeclineOutcome::Taken => TAKEN,
        DeclineOutcome::AlreadyDeclined => DECLINED,
        DeclineOutcome::Expired => EXPIRED,
        DeclineOutcome::Busy => BUSY,
    }
}

/// Why a card is not shown; `None` when it is.
#[must_use]
pub fn view(outcome: &ViewOutcome) -> Option<String> {
    let why = match outcome {
        ViewOutcome::Blocked(blocked) => return Some(self::blocked(blocked)),
        ViewOutcome::Offered { .. } | ViewOutcome::Yours(_) => None,
        ViewOutcome::NotFound => Some(NOT_FOUND),
        ViewOutcome::Withdrawn => Some(WITHDRAWN),
        ViewOutcome::Taken => Some(TAKEN),
        ViewOutcome::Declined => Some(DECLINED),
        ViewOutcome::Expired => Some(EXPIRED),
    };
    why.map(ToOwned::to_owned)
}

/// The orders that words of ours are about.
#[must_use]
pub fn orders_in(text: &str) -> Vec<OrderId> {
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    text.split('№').skip(1).filter_map(number).map(OrderId).collect()
}

/// To somebody who is not a master.
#[must_use]
pub fn stranger(user: TelegramUserId) -> String {
    format!(
        "Вас пока нет в списке мастеров. Попросите диспетчера прислать ссылку-приглашение. Ваш Telegram ID: {user}."
    )
}

/// Words of ours with what people typed in them, for a message.
pub(super) fn escaped(text: &str) -> String {
    typed(text, DESCRIPTION_LIMIT)
}

/// To a button that this release does not know.
pub const UNKNOWN_BUTTON: &str = "Эта кнопка устарела. Показываю свежий список.";
/// When something broke that trying again will not mend.
pub const BROKEN: &str = "Не получилось: у нас ошибка, мы уже о ней знаем. Обратитесь к диспетчеру.";
