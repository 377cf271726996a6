//! Messages that nobody has asked for.

use super::words::{REASON_LIMIT, body, deadline, duration, typed};
use super::{DECLINED, EXPIRED, TAKEN, WITHDRAWN, YOURS, active_card, own_order};
use crate::model::facts::Standing;
use crate::model::notification::Notification;

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
        | Notification::Call(_)
        | Notification::Together(_)
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
    }
}

pub(in crate::bots::render) fn because(reason: Option<&str>) -> String {
    let said = reason.map(str::trim).filter(|reason| !reason.is_empty());
    said.map(|reason| format!("\nПричина: {}", typed(reason, REASON_LIMIT))).unwrap_or_default()
}
