//! To masters at work: own orders, from the way there to the money.

use super::buttons::{BUTTON_DONE, BUTTON_FREE, BUTTON_NEW};
use super::words::{LINE_LIMIT, NAME_LIMIT, because, category, place, rubles, slot, status, typed, without_currency};
use super::{BUSY, own_order};
use crate::dispatch::close::CloseOutcome;
use crate::dispatch::correct::CorrectOutcome;
use crate::dispatch::give_back::GiveBackOutcome;
use crate::dispatch::progress::{ProgressOutcome, Step};
use crate::model::Amount;
use crate::model::OrderId;
use crate::model::facts::SumOf;
use crate::model::order::{ActiveLine, ActiveList, OrderStatus, OwnOrder};

pub(in crate::bots::render) const ACTIVE_TITLE: &str = "📦 <b>Мои заявки</b>";
/// To a question about an order of somebody else.
pub const NOT_YOURS: &str = "Эта заявка не ваша: её закрыли, отменили, передали другому мастеру, или вы её не брали.";
/// To a step that is not the next one.
pub const OUT_OF_TURN: &str = "Сейчас этот шаг не подходит. Вот что с заявкой.";
/// To a sum that is corrected too late.
pub const TOO_LATE_TO_CORRECT: &str =
    "Сумму можно исправить в течение 15 минут после закрытия. Теперь — только через диспетчера.";
/// To a confirmation of what is not asked any more.
pub const NOT_ASKED: &str = "Этот вопрос уже закрыт, ничего не изменилось. Вот что с заявкой.";
/// To somebody else's words.
pub(in crate::bots::render) const FORWARDED: &str = "Пересланное сообщение за ответ не считается: напишите сами.";
/// To giving back what is done.
pub const TOO_LATE_TO_RETURN: &str = "Работа уже закончена: эту заявку вернуть нельзя.";

/// The answer to a change of shift.
#[must_use]
pub fn shift(on: bool) -> &'static str {
    if on {
        "Вы на смене."
    } else {
        "Вы ушли со смены. Взятые заявки остаются за вами."
    }
}

/// The list's title, total and page, and a paragraph for each order.
pub(in crate::bots::render) fn active_list(list: &ActiveList) -> String {
    if list.lines.is_empty() {
        return format!(
            "{ACTIVE_TITLE}\n\nСейчас у вас нет заявок в работе. Новые — под кнопкой «{BUTTON_NEW}» в меню."
        );
    }
    let head = format!("{ACTIVE_TITLE}\nВсего: {} · страница {} из {}", list.total, list.page, list.pages());
    std::iter::once(head).chain(list.lines.iter().map(active_line)).collect::<Vec<_>>().join("\n\n")
}

pub(in crate::bots::render) fn active_line(line: &ActiveLine) -> String {
    let card = &line.card;
    format!(
        "<b>№{}</b> · {} · {}\n📍 {}\n🕒 {}",
        card.id,
        category(card.category),
        status(line.status),
        typed(&place(card), LINE_LIMIT),
        slot(&card.slot),
    )
}

/// An own order's card: how far it is, and the rest.
pub(in crate::bots::render) fn active_card(own: &OwnOrder, at: OrderStatus) -> String {
    format!("{}\n\nСтатус: <b>{}</b>", own_order(own), status(at))
}

/// The question before the work is reported as done.
pub(in crate::bots::render) fn confirm_done(order: OrderId) -> String {
    format!("Работа по заявке <b>№{order}</b> закончена?\n\nДальше спросим, сколько заплатил клиент.")
}

/// The question for the money.
pub(in crate::bots::render) fn ask_sum(order: OrderId, sum: SumOf) -> String {
    match sum {
        SumOf::Visit => ask_amount(order),
        SumOf::FreeVisit => ask_free(order),
        SumOf::Correction => ask_correction(order),
    }
}

/// The same of a free visit.
fn ask_free(order: OrderId) -> String {
    format!(
        "🛡 <b>Заявка №{order} бесплатная: это гарантийный выезд.</b>\n\nЕсли клиент ничего не платил, нажмите \
         «{BUTTON_FREE}». Если всё-таки заплатил, напишите сумму в рублях одним сообщением, перед закрытием переспросим."
    )
}

fn ask_amount(order: OrderId) -> String {
    format!(
        "🧾 <b>Заявка №{order}: сколько заплатил клиент?</b>\n\nНапишите сумму в рублях одним сообщением, например 2500 \
         или 1499,50. Если денег не брали — 0. Перед закрытием переспросим."
    )
}

/// The question for the right sum of a closed order.
fn ask_correction(order: OrderId) -> String {
    format!("✏️ <b>Заявка №{order}: какая сумма правильная?</b>\n\nНапишите её в рублях одним сообщением.")
}

/// The question before closing.
pub(in crate::bots::render) fn confirm_amount(order: OrderId, amount: Amount, sum: SumOf) -> String {
    if sum == SumOf::FreeVisit && amount.kopecks() > 0 {
        return format!(
            "🛡 Заявка <b>№{order}</b> бесплатная: это гарантийный выезд.\n\nВсё равно закрыть её за <b>{}</b>?",
            rubles(amount)
        );
    }
    format!("🧾 Закрыть заявку <b>№{order}</b> за <b>{}</b>?", rubles(amount))
}

/// The question before correcting.
pub(in crate::bots::render) fn confirm_correction(order: OrderId, amount: Amount, was: Option<Amount>) -> String {
    let was = was.map(|was| format!(" Сейчас записано {}.", rubles(was))).unwrap_or_default();
    format!("✏️ Исправить сумму по заявке <b>№{order}</b> на <b>{}</b>?{was}", rubles(amount))
}

/// That it is not understood, and what would be.
pub(in crate::bots::render) fn not_an_amount(order: OrderId, written: &str) -> String {
    let what = match written.trim() {
        "" => "Это не похоже на сумму.".to_owned(),
        written if Amount::is_too_much(without_currency(written)) => {
            format!("«{}» — слишком большая сумма.", typed(written, NAME_LIMIT))
        }
        written => format!("«{}» — не похоже на сумму.", typed(written, NAME_LIMIT)),
    };
    format!(
        "{what} По заявке №{order} нужна сумма одним числом, от 0 до {}, например 2500 или 1499,50.",
        rubles(Amount::MAX)
    )
}

/// What came of a sum of money. `correctable`: for a while.
pub(in crate::bots::render) fn closed(order: OrderId, outcome: CloseOutcome, correctable: bool) -> String {
    let until = if correctable {
        "\n\nОшиблись? Сумму можно исправить в течение 15 минут."
    } else {
        ""
    };
    match outcome {
        CloseOutcome::Closed(amount) => {
            format!("🧾 <b>Заявка №{order} закрыта.</b>\nСумма: {}. Спасибо!{until}", rubles(amount))
        }
        CloseOutcome::AlreadyClosed(amount) => {
            let amount = amount.map(|amount| format!(" Сумма: {}.", rubles(amount))).unwrap_or_default();
            format!("Заявка №{order} уже закрыта.{amount}{until}")
        }
        CloseOutcome::NotDone => {
            format!("Заявка №{order} снова в работе. Когда закончите, нажмите «{BUTTON_DONE}» на её карточке.")
        }
        CloseOutcome::NotYours => not_yours(order),
        CloseOutcome::Busy => busy(order),
    }
}

/// That staff have closed an own order.
pub(in crate::bots::render) fn closed_by_staff(order: OrderId, amount: Option<Amount>, correctable: bool) -> String {
    let amount = amount.map(|amount| format!("\nСумма: {}.", rubles(amount))).unwrap_or_default();
    let until = if correctable {
        "\n\nСумма не та? Её можно исправить в течение 15 минут."
    } else {
        ""
    };
    format!("🧾 <b>Диспетчер закрыл вашу заявку №{order}.</b>{amount}{until}")
}

fn busy(order: OrderId) -> String {
    format!("С заявкой №{order} сейчас работает кто-то ещё. Попробуйте ещё раз через пару секунд.")
}

/// What came of correcting a sum.
pub(in crate::bots::render) fn corrected(order: OrderId, outcome: CorrectOutcome) -> String {
    match outcome {
        CorrectOutcome::Corrected { amount, was } => {
            let was = was.map(|was| format!(" (было {})", rubles(was))).unwrap_or_default();
            format!("✏️ <b>Сумма по заявке №{order} исправлена:</b> {}{was}.", rubles(amount))
        }
        CorrectOutcome::Same(amount) => format!("По заявке №{order} записано {}.", rubles(amount)),
        CorrectOutcome::TooLate(amount) => {
            let amount = amount.map(|amount| format!(" Записано {}.", rubles(amount))).unwrap_or_default();
            format!("Заявка №{order}. {TOO_LATE_TO_CORRECT}{amount}")
        }
        CorrectOutcome::NotClosed => format!("Заявка №{order} ещё не закрыта."),
        CorrectOutcome::NotYours => not_yours(order),
        CorrectOutcome::Busy => busy(order),
    }
}

/// That the reason has been corrected.
pub(in crate::bots::render) fn reason_corrected(order: OrderId) -> String {
    format!("✏️ Причина возврата заявки №{order} исправлена, диспетчер её увидит.")
}

pub(in crate::bots::render) fn not_yours(order: OrderId) -> String {
    format!("Заявка №{order} больше не за вами: её вернули, закрыли, отменили или передали другому мастеру.")
}

/// The question before an order is given back.
pub(in crate::bots::render) fn ask_return_reason(order: OrderId) -> String {
    format!(
        "↩️ <b>Почему возвращаете заявку №{order}?</b>\n\nНапишите причину одним сообщением. Заявку предложат другим \
         мастерам, вам её больше не предложат. Перед этим переспросим."
    )
}

/// The question before giving an order back, for a reason.
pub(in crate::bots::render) fn confirm_return(order: OrderId, reason: &str) -> String {
    format!("↩️ Вернуть заявку <b>№{order}</b>?{}", because(Some(reason)))
}

/// What came of giving an order back.
pub(in crate::bots::render) fn given_back(order: OrderId, outcome: GiveBackOutcome) -> String {
    match outcome {
        GiveBackOutcome::GivenBack | GiveBackOutcome::AlreadyGivenBack => {
            format!("↩️ <b>Заявка №{order} возвращена.</b> Ищем другого мастера.")
        }
        GiveBackOutcome::NotAsked => format!("Заявка №{order} осталась за вами."),
        GiveBackOutcome::TooLate => format!("Работа по заявке №{order} уже закончена: вернуть её нельзя."),
        GiveBackOutcome::NotYours => not_yours(order),
        GiveBackOutcome::Busy => busy(order),
    }
}

/// The answer to a step.
#[must_use]
pub fn progress(outcome: ProgressOutcome) -> &'static str {
    match outcome {
        ProgressOutcome::Recorded(Step::EnRoute) => "Отмечено: в пути.",
        ProgressOutcome::Recorded(Step::OnSite) => "Отмечено: на месте.",
        ProgressOutcome::Recorded(Step::Done) => "Отмечено: работа закончена.",
        ProgressOutcome::Recorded(Step::NotDone) => "Отмечено: работа продолжается.",
        ProgressOutcome::AlreadyThere => "Это уже отмечено.",
        ProgressOutcome::OutOfTurn => OUT_OF_TURN,
        ProgressOutcome::TooSoon => "Слишком быстро: подождите секунду и нажмите ещё раз.",
        ProgressOutcome::NotYours => NOT_YOURS,
        ProgressOutcome::Busy => BUSY,
    }
}
