//! What dispatchers read when they do something with an order.

use super::super::BUSY;
use super::super::words::{
    ADDRESS_LIMIT, COMMENT_LIMIT, DESCRIPTION_LIMIT, LINE_LIMIT, NAME_LIMIT, REASON_LIMIT, body, clock, counted, day,
    moment, rubles, slot, status, typed,
};
use super::{new_order, telephone};
use crate::bots::callback::staff::{CancelReason, Field, ReturnReason};
use crate::dispatch::act::{ActOutcome, Acted, StaffCommand};
use crate::model::candidates::{CandidateLine, Candidates};
use crate::model::order::{OrderStatus, Stage};
use crate::model::selection::Exclusion;
use crate::model::slot::NoTime;
use crate::model::staff_order::{Changed, ChangedBy, Detail, Edit, LastChange, StaffOrder};
use crate::model::text::cut;
use crate::model::{Amount, NoPhone, OfferState, OrderId, StaffQuestion};

pub(in crate::bots::render) const BUTTON_BACK: &str = "◀ К заявке";
pub(in crate::bots::render) const BUTTON_BACK_TO_CANDIDATES: &str = "◀ К списку";
pub(in crate::bots::render) const BUTTON_NO: &str = "◀ Нет";
pub(in crate::bots::render) const BUTTON_ANYWAY: &str = "Всё равно отдать";
pub(in crate::bots::render) const BUTTON_HAND_OVER: &str = "Да, передать";
pub(in crate::bots::render) const BUTTON_REFRESH: &str = "🔄 Обновить";
pub(in crate::bots::render) const BUTTON_CANCEL_YES: &str = "❌ Да, отменить";
pub(in crate::bots::render) const BUTTON_RETURN_YES: &str = "🔎 Да, искать";
pub(in crate::bots::render) const BUTTON_REOPEN_YES: &str = "Да, открыть";
pub(in crate::bots::render) const BUTTON_CLOSE_YES: &str = "✅ Да, закрыть";
pub(in crate::bots::render) const BUTTON_ANOTHER_AMOUNT: &str = "✏️ Другая сумма";
pub(in crate::bots::render) const BUTTON_NO_COMMENT: &str = "Убрать комментарий";
pub(in crate::bots::render) const BUTTON_AS_SOON_AS_POSSIBLE: &str = "Как можно скорее";
pub(in crate::bots::render) const BUTTON_ANOTHER_DAY: &str = "◀ Другой день";

/// A reason that has a button, as the history and the master get it.
#[must_use]
pub fn cancel_reason(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::ChangedMind => "Клиент передумал",
        CancelReason::NoAnswer => "Клиент не отвечает",
        CancelReason::Duplicate => "Заявка заведена дважды",
    }
}

/// The same for a new search.
#[must_use]
pub fn return_reason(reason: ReturnReason) -> &'static str {
    match reason {
        ReturnReason::TooLate => "Мастер не успевает",
        ReturnReason::Unreachable => "Мастер не отвечает",
        ReturnReason::ClientAsks => "Клиент просит другого мастера",
        ReturnReason::Anew => "Поиск начат заново",
    }
}

/// What can be asked for.
pub(in crate::bots::render) fn button_field(field: Field) -> &'static str {
    match field {
        Field::Address => "📍 Адрес",
        Field::Name => "👤 Имя клиента",
        Field::Phone => "📞 Телефон",
        Field::Description => "📝 Что сделать",
        Field::Slot => "🕒 Время",
        Field::Comment => "💬 Комментарий мастеру",
        Field::Amount => "🧾 Сумма",
    }
}

fn line(order: &StaffOrder) -> String {
    let card = &order.order.card;
    format!("{} · {}", typed(&card.address, LINE_LIMIT), slot(&card.slot))
}

/// What there is to say about what was done, or not done, in a line over the chat.
#[must_use]
pub fn acted(command: &StaffCommand, acted: &Acted) -> String {
    match &acted.outcome {
        ActOutcome::Done => done(command, acted),
        ActOutcome::AlreadyDone => ALREADY_DONE.to_owned(),
        ActOutcome::Repeated => REPEATED.to_owned(),
        ActOutcome::Stale(change) => stale(change.as_ref(), acted.fresh.as_ref()),
        ActOutcome::NotNow => not_now(acted.fresh.as_ref()),
        ActOutcome::TooLate => "Прошло больше суток: эту заявку уже не открыть. Заведите новую.".to_owned(),
        ActOutcome::ClaimedBy(name) => {
            let name = cut(name, NAME_LIMIT);
            format!("Этой заявкой уже занимается {name}. Если договорились, нажмите «Беру на себя» ещё раз.")
        }
        ActOutcome::AlreadyOffered => {
            "Мастеров уже спросили, ждём ответа. Чтобы начать сначала, нажмите «Искать заново».".to_owned()
        }
        ActOutcome::PastSlot => "Это время уже прошло. Выберите другое.".to_owned(),
        ActOutcome::Blocked(blocked) => self::blocked(blocked.reason.as_deref()),
        ActOutcome::NotLetIn => "Мастер ещё не одобрен. Сначала одобрите анкету: «👷 Мастера».".to_owned(),
        ActOutcome::AtLimit => {
            "У мастера уже столько заявок, сколько можно. Выберите его ещё раз, если нужен именно он.".to_owned()
        }
        ActOutcome::NoSuchMaster => "Такого мастера в этом городе нет.".to_owned(),
        ActOutcome::ReadOnly => READ_ONLY.to_owned(),
        ActOutcome::NotFound => NOT_FOUND.to_owned(),
        ActOutcome::Busy => BUSY.to_owned(),
    }
}

/// To whoever wants what is so already, or taps twice.
pub const ALREADY_DONE: &str = "Так уже и есть, менять нечего.";
/// To an update that was handled before.
pub const REPEATED: &str = "Это уже обработано. Вот как сейчас.";
/// To whoever may only look.
pub const READ_ONLY: &str = "У вас только просмотр. Менять заявки может диспетчер.";
/// Of an order that is not there, or is somebody else's.
pub const NOT_FOUND: &str = "Такой заявки в ваших городах нет.";

fn done(command: &StaffCommand, acted: &Acted) -> String {
    match command {
        StaffCommand::Claim(_) => "Заявка за вами. Коллеги это видят.".to_owned(),
        StaffCommand::Unclaim => "Вы сняли с себя заявку.".to_owned(),
        StaffCommand::AssignNow => asked(acted.offers),
        StaffCommand::Assign(_) | StaffCommand::AssignWithinLimit(_) => {
            match acted.fresh.as_ref().and_then(StaffOrder::owner) {
                Some((_, name)) => format!("Заявка отдана: {}.", cut(name, NAME_LIMIT)),
                None => "Заявка отдана.".to_owned(),
            }
        }
        StaffCommand::SearchAgain(_) => format!("Ищем заново. {}", asked(acted.offers)),
        StaffCommand::Cancel(_) => "Заявка отменена.".to_owned(),
        StaffCommand::Close(amount) => format!("Заявка закрыта: {}.", rubles(*amount)),
        StaffCommand::Reopen => match acted.offers {
            Some(_) => format!("Заявка снова открыта. {}", asked(acted.offers)),
            None => "Заявка снова открыта.".to_owned(),
        },
        StaffCommand::Edit(Edit::Address(_)) => "Адрес изменён.".to_owned(),
        StaffCommand::Edit(Edit::Name(_)) => "Имя изменено.".to_owned(),
        StaffCommand::Edit(Edit::Phone(_)) => "Телефон изменён.".to_owned(),
        StaffCommand::Edit(Edit::Description(_)) => "Описание изменено.".to_owned(),
        StaffCommand::Edit(Edit::Slot(_)) => "Время изменено.".to_owned(),
        StaffCommand::Edit(Edit::Comment(Some(_))) => "Комментарий записан, мастер его увидит.".to_owned(),
        StaffCommand::Edit(Edit::Comment(None)) => "Комментарий убран.".to_owned(),
        StaffCommand::EditAll(_) => "Заявка изменена.".to_owned(),
    }
}

fn asked(offers: Option<usize>) -> String {
    match offers {
        None => "Мастеров спросим сейчас.".to_owned(),
        Some(0) => "Спросить сейчас некого. Ждём свободных, а можно выбрать мастера вручную.".to_owned(),
        Some(count) => {
            format!("Спросили {}, ждём ответа.", counted(count, ["мастера", "мастеров", "мастеров"]))
        }
    }
}

/// That the order is not so far, or too far.
#[must_use]
pub fn not_now(order: Option<&StaffOrder>) -> String {
    match order {
        Some(order) => format!("Сейчас так нельзя. Заявка {}.", status(order.status())),
        None => "Сейчас так нельзя.".to_owned(),
    }
}

/// That something was changed meanwhile: what, by whom and when.
#[must_use]
pub fn stale(change: Option<&LastChange>, order: Option<&StaffOrder>) -> String {
    const NOTHING: &str = "Ничего не сделано: заявка успела измениться.";
    let Some(LastChange { what, by, at }) = change else { return NOTHING.to_owned() };
    let what = match what {
        Changed::Status(changed) => format!("«{}»", status(*changed)),
        Changed::Detail(Some(detail)) => self::detail(*detail).to_owned(),
        Changed::Detail(None) => "то, что в ней написано".to_owned(),
    };
    let by = match by {
        ChangedBy::You => "вы".to_owned(),
        ChangedBy::Staff(name) => cut(name, SHORT_NAME),
        ChangedBy::Master(name) => format!("мастер {}", cut(name, SHORT_NAME)),
        ChangedBy::System => "без участия людей".to_owned(),
    };
    let at = order.map_or_else(|| clock(at.time()), |order| moment(*at, order.order.card.slot.now));
    format!("{NOTHING} Последнее изменение: {what} — {by}, {at}.")
}

/// A name within an alert of 200 characters.
const SHORT_NAME: usize = 40;

pub(in crate::bots::render::texts) fn detail(detail: Detail) -> &'static str {
    match detail {
        Detail::Address => "адрес",
        Detail::Name => "имя клиента",
        Detail::Phone => "телефон",
        Detail::Description => "описание",
        Detail::Slot => "время",
        Detail::Comment => "комментарий",
    }
}

/// That staff have blocked a master.
#[must_use]
pub fn blocked(reason: Option<&str>) -> String {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(" ({})", cut(reason, 80))).unwrap_or_default();
    format!("Мастер заблокирован{reason}. Сначала разблокируйте его.")
}

/// Whom an order can be given to.
pub(in crate::bots::render) fn candidates(list: &Candidates) -> String {
    let order = &list.order;
    let head = format!("👷 <b>Кому отдать заявку №{}?</b>\n{}", order.id(), line(order));
    let now = match order.owner() {
        Some((_, name)) => format!("\nСейчас мастер: {} (заявка {}).", typed(name, NAME_LIMIT), status(order.status())),
        None => String::new(),
    };
    if list.lines.is_empty() {
        return format!("{head}{now}\n\nДругих мастеров в этом городе нет.");
    }
    let fit = match list.fit {
        0 => "Свободных мастеров, которые подходят, нет. Кого бы вы ни выбрали, переспросим.".to_owned(),
        count => {
            format!("Подходят и свободны: {count}. Первым стоит тот, кого спросили бы следующим; с ⚠️ — переспросим.")
        }
    };
    let page = if list.pages() > 1 {
        format!("\nСтраница {} из {}", list.page, list.pages())
    } else {
        String::new()
    };
    format!("{head}{now}\n\n{fit}{page}")
}

/// A master in that list.
pub(in crate::bots::render) fn button_candidate(line: &CandidateLine) -> String {
    let name = cut(&line.name, 30);
    match line.why_not {
        None => format!("{name} · {} из {}", line.load, line.limit),
        // First why, as the end may be cut off.
        Some(_) => format!("⚠️ {} · {name}", why_not(line)),
    }
}

/// Why the rounds do not ask a master.
fn why_not(line: &CandidateLine) -> String {
    match line.why_not {
        None => "свободен".to_owned(),
        Some(Exclusion::Category) => "другой профиль".to_owned(),
        Some(Exclusion::District) => "другой район".to_owned(),
        Some(Exclusion::Asked) => match line.offer {
            Some(OfferState::Sent | OfferState::Viewed) => "ещё думает".to_owned(),
            Some(OfferState::Declined) => "отказался".to_owned(),
            Some(OfferState::Expired) => "не ответил".to_owned(),
            Some(OfferState::Canceled) => "предложение снимали".to_owned(),
            Some(OfferState::Accepted) | None => "уже назначали".to_owned(),
        },
        Some(Exclusion::Blocked) => "заблокирован".to_owned(),
        Some(Exclusion::Waiting) => "ещё не одобрен".to_owned(),
        Some(Exclusion::Unreachable) => "нет связи".to_owned(),
        Some(Exclusion::OffShift) => "не на смене".to_owned(),
        Some(Exclusion::Limit) => format!("загружен, {} из {}", line.load, line.limit),
        Some(Exclusion::Held | Exclusion::Failed | Exclusion::Rank) => "занят".to_owned(),
    }
}

/// Whether an order is to be given to a master all the same, or to be taken from another.
pub(in crate::bots::render) fn confirm_pick(order: &StaffOrder, line: &CandidateLine) -> String {
    let name = typed(&line.name, NAME_LIMIT);
    let against = if line.why_not.is_some() { format!(" ({})", why_not(line)) } else { String::new() };
    let owner = match order.owner() {
        Some((_, owner)) => format!(
            "\n\nСейчас её ведёт мастер {} (заявка {}). Прежнему мастеру сообщим, что заявку передали.",
            typed(owner, NAME_LIMIT),
            status(order.status())
        ),
        None => String::new(),
    };
    format!("Отдать заявку <b>№{}</b>?\n👷 <b>{name}</b>{against}{owner}", order.id())
}

/// The question for the reason of a cancellation.
pub(in crate::bots::render) fn ask_cancel(order: &StaffOrder) -> String {
    format!(
        "❌ <b>Почему отменяем заявку №{}?</b>\n{}\n\nНажмите причину или напишите её одним сообщением. Перед \
         отменой переспросим.{}",
        order.id(),
        line(order),
        tells_the_master(order)
    )
}

fn tells_the_master(order: &StaffOrder) -> String {
    order.owner().map(|(_, name)| format!(" Причину увидит мастер: {}.", typed(name, NAME_LIMIT))).unwrap_or_default()
}

/// The question before it.
pub(in crate::bots::render) fn confirm_cancel(order: &StaffOrder, reason: &str) -> String {
    format!("Отменить заявку <b>№{}</b>?\n{}\nПричина: «{}»", order.id(), line(order), typed(reason, REASON_LIMIT))
}

/// The question for the reason of a new search.
pub(in crate::bots::render) fn ask_return(order: &StaffOrder) -> String {
    format!(
        "🔎 <b>Почему ищем другого мастера для заявки №{}?</b>\n{}\n\nНажмите причину или напишите её одним сообщением. \
         Перед поиском переспросим.{}",
        order.id(),
        line(order),
        tells_the_master(order)
    )
}

/// The question before it.
pub(in crate::bots::render) fn confirm_return(order: &StaffOrder, reason: &str) -> String {
    match order.owner() {
        Some((_, name)) => format!(
            "Забрать заявку <b>№{}</b> и искать другого мастера?\nСейчас мастер: <b>{}</b> (заявка {})\nПричина: «{}»",
            order.id(),
            typed(name, NAME_LIMIT),
            status(order.status()),
            typed(reason, REASON_LIMIT)
        ),
        None => format!(
            "Начать поиск мастера для заявки <b>№{}</b> заново?\n{}\n\nТекущие предложения снимем. Тех, кто отказался или не \
             ответил, можно будет спросить ещё раз.",
            order.id(),
            line(order)
        ),
    }
}

/// To a button whose reason is none any more: another one was written since, or the question was left.
pub const REASON_GONE: &str = "Эта причина уже не та: её заменили или вопрос закрыли. Выберите или напишите заново.";

/// The question before an order is opened again.
pub(in crate::bots::render) fn confirm_reopen(order: &StaffOrder) -> String {
    let then = match (&order.master, order.status()) {
        (Some((_, name)), OrderStatus::Closed) => {
            format!("Мастер тот же: {}. Сумму нужно будет указать снова.", typed(name, NAME_LIMIT))
        }
        _ => "Снова начнём искать мастера.".to_owned(),
    };
    format!("Открыть заявку <b>№{}</b> снова?\n{}\n\n{then}", order.id(), line(order))
}

/// What is to be changed?
pub(in crate::bots::render) fn edit(order: &StaffOrder) -> String {
    let master = match order.status().stage() {
        Stage::Active => "Мастеру сразу придёт сообщение.",
        _ if order.live_offers > 0 => "Мастера, которых спросили, увидят новое в своих карточках.",
        _ => "",
    };
    format!(
        "✏️ <b>Что меняем в заявке №{}?</b>\n👤 {}\n📞 {}\n{}{}\n\n{master}",
        order.id(),
        typed(&order.order.client.name, NAME_LIMIT),
        telephone(&order.order.client.phone, NAME_LIMIT),
        body(&order.order.card, false),
        comment(order).map(|text| format!("\n💬 {}", typed(text, COMMENT_LIMIT))).unwrap_or_default(),
    )
    .trim_end()
    .to_owned()
}

/// What its master is told by now.
fn comment(order: &StaffOrder) -> Option<&str> {
    order.order.comment.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// A question about an order, with what stands there now.
pub(in crate::bots::render) fn ask(field: Field, order: &StaffOrder) -> String {
    let number = order.id();
    let said = &order.order;
    let now = |text: &str| if text.is_empty() { String::new() } else { format!("\nСейчас: {text}") };
    match field {
        Field::Address => format!(
            "📍 <b>Новый адрес заявки №{number}?</b>{}\n\nНапишите его одним сообщением.",
            now(&typed(&said.card.address, ADDRESS_LIMIT))
        ),
        Field::Name => format!(
            "👤 <b>Как зовут клиента по заявке №{number}?</b>{}\n\nНапишите имя одним сообщением.",
            now(&typed(&said.client.name, NAME_LIMIT))
        ),
        Field::Phone => format!(
            "📞 <b>Новый телефон клиента по заявке №{number}?</b>{}\n\nНапишите номер с кодом, например 8 912 345-67-89.",
            now(&telephone(&said.client.phone, NAME_LIMIT))
        ),
        Field::Description => format!(
            "📝 <b>Что сделать по заявке №{number}?</b>{}\n\nНапишите одним сообщением: новый текст заменит прежний.",
            now(&typed(said.card.description.as_deref().unwrap_or_default().trim(), DESCRIPTION_LIMIT))
        ),
        Field::Slot => {
            format!(
                "🕒 <b>Когда приехать по заявке №{number}?</b>{}\n\nВыберите день или напишите, например «завтра с 14 до 16».",
                now(&slot(&said.card.slot))
            )
        }
        Field::Comment => format!(
            "💬 <b>Что передать мастеру по заявке №{number}?</b>{}\n\nНапишите одним сообщением. Мастер увидит это в своей \
             карточке, клиент — нет.",
            now(&typed(comment(order).unwrap_or_default(), COMMENT_LIMIT))
        ),
        Field::Amount => format!(
            "🧾 <b>Сколько заплатил клиент по заявке №{number}?</b>\n\nНапишите сумму в рублях, например 2500 или 1499,50. \
             Если денег не брали — 0. Перед закрытием переспросим."
        ),
    }
}

/// At which hour of that day?
pub(in crate::bots::render) fn ask_hour(order: &StaffOrder, date: jiff::civil::Date) -> String {
    let today = order.order.card.slot.now.date();
    format!(
        "🕒 <b>Заявка №{}, {}: во сколько?</b>\nНажмите кнопку или напишите, например «с 14 до 16».",
        order.id(),
        day(date, today)
    )
}

/// The question before an order is closed on its master's behalf.
pub(in crate::bots::render) fn confirm_close(order: &StaffOrder, amount: Amount) -> String {
    let master = order.owner().map(|(_, name)| format!("\n👷 {}", typed(name, NAME_LIMIT))).unwrap_or_default();
    format!("🧾 Закрыть заявку <b>№{}</b> за <b>{}</b>?{master}", order.id(), rubles(amount))
}

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misunderstood {
    /// There are no words in it.
    NoWords,
    /// It has more than so many characters.
    TooLong(usize),
    /// It is no telephone number.
    NoPhone(NoPhone),
    /// It is a phone, where other words are wanted.
    APhone,
    /// It is no time to come.
    NoTime(NoTime),
    /// It is no sum of money.
    NoAmount,
    /// It is more money than anybody pays.
    TooMuch,
    /// It is a whole new order.
    AnOrder,
}

/// That an answer is none, and what would be.
#[must_use]
pub fn misunderstood(why: Misunderstood) -> String {
    match why {
        Misunderstood::NoWords => "Здесь нет слов. Напишите обычным текстом.".to_owned(),
        Misunderstood::TooLong(limit) => format!("Слишком длинно: поместится {limit} знаков. Напишите короче."),
        Misunderstood::NoPhone(why) => new_order::no_phone(why),
        Misunderstood::APhone => "Это телефон. Его меняют кнопкой «📞 Телефон», а здесь нужно другое.".to_owned(),
        Misunderstood::NoTime(why) => new_order::no_time(why).to_owned(),
        Misunderstood::AnOrder => {
            "Похоже на новую заявку, а не на ответ. Если это она, нажмите «◀ К заявке» и пришлите её ещё раз."
                .to_owned()
        }
        Misunderstood::TooMuch => {
            format!("Слишком большая сумма: можно не больше {}. Проверьте, нет ли лишних цифр.", rubles(Amount::MAX))
        }
        Misunderstood::NoAmount => {
            format!("Это не сумма. Нужно одно число от 0 до {}, например 2500.", rubles(Amount::MAX))
        }
    }
}

/// How long the answer to a question may be, in characters as Telegram counts them.
#[must_use]
pub fn limit(question: StaffQuestion) -> usize {
    match question {
        StaffQuestion::Address => ADDRESS_LIMIT,
        StaffQuestion::ClientName => NAME_LIMIT,
        StaffQuestion::Description => DESCRIPTION_LIMIT,
        StaffQuestion::Comment => COMMENT_LIMIT,
        _ => REASON_LIMIT,
    }
}

/// That an order cannot be shown any more, above what is shown instead.
#[must_use]
pub fn gone(order: OrderId) -> String {
    format!("Заявка №{order}: {NOT_FOUND}")
}
