//! Messages that nobody has asked for.

use super::words::{
    LINE_LIMIT, NAME_LIMIT, REASON_LIMIT, body, category, counted, deadline, duration, place, telephone, typed,
};
use super::{DECLINED, EXPIRED, TAKEN, WITHDRAWN, YOURS, active_card, own_order};
use crate::model::facts::Standing;
use crate::model::notification::Notification;
use crate::model::order::OrderCard;
use crate::model::policy::Escalation;

/// A message that nobody has asked for.
pub(in crate::bots::render) fn notification(notification: &Notification) -> String {
    match notification {
        Notification::Offer { card, offer } => format!(
            "🔔 <b>Новая заявка №{}</b>\n{}\n\n⏳ Срок ответа: {}",
            card.id,
            body(card, false),
            deadline(offer.expires, &card.slot)
        ),
        Notification::OfferEnded { order, standing, after_seconds } => {
            let what = match standing {
                Standing::Taken => match after_seconds {
                    None => format!("{TAKEN}."),
                    Some(0) => format!("{TAKEN}: заявку взяли сразу."),
                    Some(seconds) => format!("{TAKEN}: заявку взяли через {}.", duration(*seconds)),
                },
                Standing::Expired => EXPIRED.to_owned(),
                Standing::Declined => DECLINED.to_owned(),
                Standing::Yours => format!("✅ {YOURS}"),
                Standing::Withdrawn | Standing::Unknown | Standing::Offered(_) => WITHDRAWN.to_owned(),
            };
            format!("<b>Заявка №{order}</b>\n{what}")
        }
        Notification::Assigned(own) => format!("📌 <b>Вам назначена заявка</b>\n\n{}", own_order(own)),
        Notification::Changed { order, status } => {
            format!("✏️ <b>Заявку изменили: проверьте, что в ней теперь</b>\n\n{}", active_card(order, *status))
        }
        // Screens of their own.
        Notification::List(_)
        | Notification::OwnOrder(_)
        | Notification::Menu(_)
        | Notification::Active(_)
        | Notification::Card { .. }
        | Notification::Closed { .. }
        | Notification::NotYours(_)
        | Notification::OfferCard { .. }
        | Notification::Question { .. }
        | Notification::Staff(_) => String::new(),
        Notification::Canceled { order, for_good, reason } => {
            let what = if *for_good {
                "отменена. Ехать не нужно."
            } else {
                "больше не ваша: её передают другому мастеру."
            };
            format!("🚫 <b>Заявка №{order} {what}</b>{}", because(reason.as_deref()))
        }
        Notification::Returned { card, master, reason } => format!(
            "↩️ <b>Заявку №{} вернули</b>\n👤 {}{}\n\n{}\n\nИщем другого мастера.",
            card.id,
            typed(master.as_deref().unwrap_or("мастер"), NAME_LIMIT),
            because(reason.as_deref()),
            body(card, false)
        ),
        Notification::Escalated { card, reason } => {
            format!("⚠️ <b>Заявка №{} ждёт диспетчера</b>\n{}\n\n{}", card.id, why(*reason), body(card, false))
        }
        Notification::Unreachable { master, phone, order } => format!(
            "🔕 <b>Мастеру не доходят сообщения</b>\n👤 {}{}{}\n\nБот заблокирован или не запущен. Новые заявки ему не \
             предлагаются, пока он не напишет боту.",
            typed(master, NAME_LIMIT),
            phone.as_deref().map(|phone| format!("\n📞 {}", telephone(phone))).unwrap_or_default(),
            order
                .map(|order| format!(
                    "\n\nОн не знает, что заявка №{order} назначена ему, изменена или снята: позвоните."
                ))
                .unwrap_or_default()
        ),
        Notification::Together(several) => together(several),
    }
}

fn why(reason: Escalation) -> &'static str {
    match reason {
        Escalation::NobodyLeft => "Предложить больше некому: подходящие мастера заняты, не на смене или уже спрошены.",
        Escalation::Rounds => "Её предлагали несколько раз, и никто не взял.",
        Escalation::Time => "Ищем мастера слишком долго.",
    }
}

/// How many of several messages are shown with a line each.
const LINES: usize = 10;
/// A master's name among those that have no line of their own.
const SHORT_NAME: usize = 30;

/// Several messages of one kind in one: how many, a line for each of the first, and what the others are about. No more are said
/// together than find room in a message of Telegram's.
fn together(several: &[Notification]) -> String {
    let count = several.len();
    let head = match several.first() {
        Some(Notification::Escalated { .. }) => {
            let orders = counted(count, ["заявка ждёт", "заявки ждут", "заявок ждут"]);
            format!("⚠️ <b>{orders} диспетчера</b>")
        }
        Some(Notification::Returned { .. }) => {
            format!("↩️ <b>Вернули {}</b>", counted(count, ["заявку", "заявки", "заявок"]))
        }
        _ => format!("🔕 <b>До мастеров не доходят сообщения</b> ({count})"),
    };
    let lines = several.iter().take(LINES).map(line);
    let others: Vec<String> = several.iter().skip(LINES).map(named).collect();
    let more = (count > LINES).then(|| format!("…и ещё {}: {}", others.len(), others.join(", ")));
    std::iter::once(head).chain(lines).chain(more).collect::<Vec<_>>().join("\n\n")
}

/// What one of several is about, in as few words as it can be acted on.
fn named(notification: &Notification) -> String {
    match notification {
        Notification::Escalated { card, .. } | Notification::Returned { card, .. } => format!("№{}", card.id),
        Notification::Unreachable { master, phone, order } => {
            let phone = phone.as_deref().map(|phone| format!(" {}", typed(&telephone(phone), SHORT_NAME)));
            let missed = order.map(|order| format!(" (не знает о заявке №{order})"));
            format!("{}{}{}", typed(master, SHORT_NAME), phone.unwrap_or_default(), missed.unwrap_or_default())
        }
        other => line(other),
    }
}

/// One of several.
fn line(notification: &Notification) -> String {
    let order = |card: &OrderCard| {
        format!("<b>№{}</b> · {}\n📍 {}", card.id, category(card.category), typed(&place(card), LINE_LIMIT))
    };
    match notification {
        Notification::Escalated { card, reason } => {
            let why = match reason {
                Escalation::NobodyLeft => "предложить больше некому",
                Escalation::Rounds => "никто не взял",
                Escalation::Time => "ищем слишком долго",
            };
            format!("{}\n❗ {why}", order(card))
        }
        Notification::Returned { card, master, reason } => {
            let master = typed(master.as_deref().unwrap_or("мастер"), NAME_LIMIT);
            let said = reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
            let said = said.map(|reason| format!(": {}", typed(reason, LINE_LIMIT))).unwrap_or_default();
            format!("{}\n👤 {master}{said}", order(card))
        }
        Notification::Unreachable { master, phone, order } => {
            let phone = phone.as_deref().map(|phone| format!(", {}", telephone(phone))).unwrap_or_default();
            let missed =
                order.map(|order| format!("\nНе знает, что заявка №{order} назначена ему или снята: позвоните."));
            format!("👤 {}{phone}{}", typed(master, NAME_LIMIT), missed.unwrap_or_default())
        }
        other => self::notification(other),
    }
}

pub(in crate::bots::render) fn because(reason: Option<&str>) -> String {
    let said = reason.map(str::trim).filter(|reason| !reason.is_empty());
    said.map(|reason| format!("\nПричина: {}", typed(reason, REASON_LIMIT))).unwrap_or_default()
}
