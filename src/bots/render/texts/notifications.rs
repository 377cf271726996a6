//! Messages that nobody has asked for.

use super::words::{NAME_LIMIT, REASON_LIMIT, body, deadline, duration, telephone, typed};
use super::{DECLINED, EXPIRED, TAKEN, WITHDRAWN, YOURS, offer_list, own_order};
use crate::model::facts::Standing;
use crate::model::notification::Notification;
use crate::model::policy::Escalation;

/// A message that nobody has asked for.
pub(in crate::bots::render) fn notification(notification: &Notification) -> String {
    match notification {
        Notification::Offer { card, offer } => format!(
            "🔔 <b>Новая заявка №{}</b>\n{}\n\n⏳ Ответить до {}",
            card.id,
            body(card, false),
            deadline(offer.expires, card.slot.now)
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
        Notification::List(list) => offer_list(list),
        Notification::OwnOrder(own) => own_order(own),
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
            let why = match reason {
                Escalation::NobodyLeft => {
                    "Предложить больше некому: подходящие мастера заняты, не на смене или уже спрошены."
                }
                Escalation::Rounds => "Её предлагали несколько раз, и никто не взял.",
                Escalation::Time => "Ищем мастера слишком долго.",
            };
            format!("⚠️ <b>Заявка №{} ждёт диспетчера</b>\n{why}\n\n{}", card.id, body(card, false))
        }
        Notification::Unreachable { master, phone, order } => format!(
            "🔕 <b>Мастеру не доходят сообщения</b>\n👤 {}{}{}\n\nБот заблокирован или не запущен. Новые заявки ему не \
             предлагаются, пока он не напишет боту.",
            typed(master, NAME_LIMIT),
            phone.as_deref().map(|phone| format!("\n📞 {}", telephone(phone))).unwrap_or_default(),
            order
                .map(|order| format!("\n\nОн не знает, что заявка №{order} назначена ему или снята: позвоните."))
                .unwrap_or_default()
        ),
    }
}

pub(in crate::bots::render) fn because(reason: Option<&str>) -> String {
    let said = reason.map(str::trim).filter(|reason| !reason.is_empty());
    said.map(|reason| format!("\nПричина: {}", typed(reason, REASON_LIMIT))).unwrap_or_default()
}
