//! Calls: what needs somebody, how to reach whom it concerns, and who has acted.

use super::super::words::{
    BUTTON_LIMIT, LINE_LIMIT, NAME_LIMIT, because, body, category, clock, counted, moment, place, status, typed,
};
use super::telephone;
use crate::model::OrderId;
use crate::model::call::{Answer, Call, CalledOrder, Cause, Contact, Resolution};
use crate::model::policy::Escalation;
use crate::model::text::cut;

/// Says that one sees to it oneself.
pub const BUTTON_CLAIM: &str = "🙋 Беру на себя";
/// Asks masters again.
pub const BUTTON_SEARCH_AGAIN: &str = "🔁 Искать заново";
/// Chooses the master.
pub const BUTTON_ASSIGN: &str = "👷 Назначить";
/// Opens the order.
pub const BUTTON_OPEN_ORDER: &str = "📄 Открыть заявку";
/// Opens the master.
pub const BUTTON_OPEN_MASTER: &str = "👤 Открыть мастера";
/// Copies the client's phone.
pub const BUTTON_COPY_CLIENT: &str = "📞 Клиент";
/// Copies the master's phone.
pub const BUTTON_COPY_MASTER: &str = "📞 Мастер";

/// A message of Telegram's holds no more, counted with what is escaped.
const LONGEST: usize = 4096;
/// How many of several calls are said with a line each, if they find room.
const LINES: usize = 10;
/// An address or a reason in a line with others.
const CUT: usize = 80;
/// A name or a phone in a line with others.
const SHORT: usize = 30;
/// The same in a list of many.
const SHORTEST: usize = 18;

/// A call of its own.
pub(in crate::bots::render) fn call(call: &Call) -> String {
    let head = head(call);
    if call.is_over() {
        let order = call.order.as_ref().map(|order| format!("\n📍 {}", typed(&place(&order.card), LINE_LIMIT)));
        return format!("{head}{}{}", order.unwrap_or_default(), answered(call.answer.as_ref()));
    }
    let mut parts = vec![format!("{head}{}", why(call))];
    parts.extend(call.order.as_ref().map(|order| format!("{}\n{}", body(&order.card, false), client(order))));
    parts.extend(advice(call));
    parts.extend(call.answer.as_ref().map(resolution));
    parts.join("\n\n")
}

/// What it is about, in the present while somebody is needed.
fn head(call: &Call) -> String {
    let over = call.is_over();
    let icon = if over { "☑️" } else { icon(&call.cause) };
    let what = match (&call.cause, call.order.as_ref().map(|order| order.card.id)) {
        (Cause::Unreachable, _) if over => "Мастеру не доходили сообщения".to_owned(),
        (Cause::Unreachable, _) => "Мастеру не доходят сообщения".to_owned(),
        (_, None) => "Заявки больше нет".to_owned(),
        (Cause::Escalated(_), Some(order)) if over => format!("Заявка №{order} ждала диспетчера"),
        (Cause::Escalated(_), Some(order)) => format!("Заявка №{order} ждёт диспетчера"),
        (Cause::Returned(_), Some(order)) => format!("Заявку №{order} вернули"),
        (Cause::Late, Some(order)) if over => format!("Заявка №{order}: к клиенту опаздывали"),
        (Cause::Late, Some(order)) => format!("Заявка №{order}: время клиента прошло"),
    };
    format!("{icon} <b>{what}</b>")
}

fn icon(cause: &Cause) -> &'static str {
    match cause {
        Cause::Escalated(_) => "⚠️",
        Cause::Returned(_) => "↩️",
        Cause::Late => "⏰",
        Cause::Unreachable => "🔕",
    }
}

/// Why somebody is needed, and the master whom it concerns.
fn why(call: &Call) -> String {
    let master = call.master.as_ref().map(|master| format!("\n👷 {}", contact(master))).unwrap_or_default();
    match &call.cause {
        Cause::Escalated(reason) => format!("\n{}{master}", escalation(*reason)),
        Cause::Returned(reason) => {
            let master = if master.is_empty() { "\n👷 мастер".to_owned() } else { master };
            format!("{master}{}", because(reason.as_deref()))
        }
        Cause::Late => {
            let how = call.order.as_ref().map(|order| status(order.status)).unwrap_or_default();
            format!("\nОна {how}: позвоните клиенту и мастеру.{master}")
        }
        Cause::Unreachable => master,
    }
}

fn escalation(reason: Escalation) -> &'static str {
    match reason {
        Escalation::NobodyLeft => "Предложить некому: свободных мастеров, которые подходят, сейчас нет.",
        Escalation::Rounds => "Её предлагали несколько раз, и никто не взял.",
        Escalation::Time => "Ищем мастера слишком долго.",
    }
}

fn advice(call: &Call) -> Option<String> {
    match (&call.cause, &call.order) {
        (Cause::Returned(_), _) => Some("Ищем другого мастера.".to_owned()),
        (Cause::Unreachable, Some(order)) => Some(format!(
            "Бот заблокирован или не запущен. Мастер не знает, что заявка №{} назначена ему, изменена или снята: \
             позвоните.",
            order.card.id
        )),
        (Cause::Unreachable, None) => Some(
            "Бот заблокирован или не запущен. Новые заявки ему не предлагаются, пока он не напишет боту.".to_owned(),
        ),
        _ => None,
    }
}

fn client(order: &CalledOrder) -> String {
    format!("👤 {}, {}", typed(&order.client.name, NAME_LIMIT), telephone(&order.client.phone, NAME_LIMIT))
}

fn contact(contact: &Contact) -> String {
    let phone = contact.phone.as_deref().map(|phone| format!(", {}", telephone(phone, NAME_LIMIT))).unwrap_or_default();
    format!("{}{phone}", typed(&contact.name, NAME_LIMIT))
}

fn answered(answer: Option<&Answer>) -> String {
    answer.map(|answer| format!("\n{}", resolution(answer))).unwrap_or_default()
}

/// What was done, by whom and when.
fn resolution(answer: &Answer) -> String {
    let name = |name: &str| typed(name, SHORT);
    let mut about = Vec::new();
    let what = match &answer.resolution {
        Resolution::Claimed(by) => format!("🙋 Занимается {}", name(by)),
        Resolution::Given { by, master } => {
            about.push(name(by));
            let master = master.as_deref().map(|master| format!(" {}", name(master))).unwrap_or_default();
            format!("✅ Назначен мастер{master}")
        }
        Resolution::Taken(master) => {
            let master = master.as_deref().map(|master| format!(" {}", name(master))).unwrap_or_default();
            format!("✅ Взял мастер{master}")
        }
        Resolution::SearchedAnew(by) => {
            about.extend(by.as_deref().map(name));
            "🔁 Ищем снова".to_owned()
        }
        Resolution::Canceled(by) => {
            about.extend(by.as_deref().map(name));
            "🚫 Отменена".to_owned()
        }
        Resolution::WentOn(by) => {
            about.extend(by.as_deref().map(name));
            "✅ Уже не требуется".to_owned()
        }
        Resolution::Reachable => "✅ Мастер снова на связи".to_owned(),
    };
    about.extend(answer.at.map(|(at, now)| {
        let since = if matches!(answer.resolution, Resolution::Claimed(_)) { "с " } else { "" };
        let at = if at.date() == now.date() { clock(at.time()) } else { moment(at, now) };
        format!("{since}{at}")
    }));
    if about.is_empty() { what } else { format!("{what} ({})", about.join(", ")) }
}

/// Several calls in one message: how many are still open, a line for each of the first, and what the others are about. No more are
/// said together than find room in a message of Telegram's.
pub(in crate::bots::render) fn together(calls: &[Call]) -> String {
    let open = calls.iter().filter(|call| !call.is_over()).count();
    let head = match calls.first().map(|call| &call.cause) {
        _ if open == 0 => format!("☑️ <b>Всё разобрано</b> ({})", calls.len()),
        Some(Cause::Escalated(_)) => {
            let orders = counted(open, ["заявка ждёт", "заявки ждут", "заявок ждут"]);
            format!("⚠️ <b>{orders} диспетчера</b>")
        }
        Some(Cause::Returned(_)) => format!("↩️ <b>Вернули {}</b>", counted(open, ["заявку", "заявки", "заявок"])),
        Some(Cause::Late) => {
            let orders = counted(open, ["заявке прошло", "заявкам прошло", "заявкам прошло"]);
            format!("⏰ <b>Время клиента по {orders}</b>")
        }
        Some(Cause::Unreachable) | None => format!("🔕 <b>До мастеров не доходят сообщения</b> ({open})"),
    };
    let with = |lines: usize| {
        let others: Vec<String> = calls.iter().skip(lines).map(named).collect();
        let more = (!others.is_empty()).then(|| format!("…и ещё {}: {}", others.len(), others.join(", ")));
        let lines = calls.iter().take(lines).map(line);
        std::iter::once(head.clone()).chain(lines).chain(more).collect::<Vec<_>>().join("\n\n")
    };
    let fits = |text: &String| text.encode_utf16().count() <= LONGEST;
    (1..=LINES).rev().map(with).find(fits).unwrap_or(head)
}

/// One of several.
fn line(call: &Call) -> String {
    let head = match (&call.order, &call.master) {
        (Some(order), _) => format!("<b>№{}</b> · {}", order.card.id, category(order.card.category)),
        (None, Some(master)) => format!("👷 {}", short(master)),
        (None, None) => "—".to_owned(),
    };
    if call.is_over() {
        return format!("{head}{}", answered(call.answer.as_ref()));
    }
    let place = call.order.as_ref().map(|order| format!("\n📍 {}", typed(&place(&order.card), CUT)));
    let client = call
        .order
        .as_ref()
        .map(|order| format!("\n👤 {}, {}", typed(&order.client.name, SHORT), telephone(&order.client.phone, SHORT)));
    let master = call.order.as_ref().and(call.master.as_ref()).map(|master| format!("\n👷 {}", short(master)));
    let why = match &call.cause {
        Cause::Escalated(Escalation::NobodyLeft) => "\n❗ предложить больше некому".to_owned(),
        Cause::Escalated(Escalation::Rounds) => "\n❗ никто не взял".to_owned(),
        Cause::Escalated(Escalation::Time) => "\n❗ ищем слишком долго".to_owned(),
        Cause::Returned(reason) => {
            let said = reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
            said.map(|reason| format!("\n💬 {}", typed(reason, CUT))).unwrap_or_default()
        }
        Cause::Late => call.order.as_ref().map(|order| format!("\n❗ {}", status(order.status))).unwrap_or_default(),
        Cause::Unreachable if call.order.is_some() => "\n❗ мастер не знает о назначении или изменении".to_owned(),
        Cause::Unreachable => String::new(),
    };
    let parts = [Some(head), place, client, master, Some(why)];
    format!("{}{}", parts.into_iter().flatten().collect::<String>(), answered(call.answer.as_ref()))
}

/// What one of several is about, in as few words as it can be acted on.
fn named(call: &Call) -> String {
    let what = match (&call.cause, &call.order, &call.master) {
        (Cause::Unreachable, order, Some(master)) => {
            let missed = order.as_ref().map(|order| format!(" (№{})", order.card.id)).unwrap_or_default();
            format!("{}{missed}", shortest(master))
        }
        (_, Some(order), _) => format!("№{}", order.card.id),
        _ => "—".to_owned(),
    };
    if call.is_over() { format!("{what} ✅") } else { what }
}

fn short(contact: &Contact) -> String {
    let phone = contact.phone.as_deref().map(|phone| format!(", {}", telephone(phone, SHORT)));
    format!("{}{}", typed(&contact.name, SHORT), phone.unwrap_or_default())
}

/// The same in a list of many.
fn shortest(contact: &Contact) -> String {
    let phone = contact.phone.as_deref().map(|phone| format!(" {}", telephone(phone, SHORTEST)));
    format!("{}{}", typed(&contact.name, SHORTEST), phone.unwrap_or_default())
}

/// An order's button below several calls.
pub(in crate::bots::render) fn button_called(order: OrderId, address: &str) -> String {
    cut(&format!("№{order} · {address}"), BUTTON_LIMIT)
}
