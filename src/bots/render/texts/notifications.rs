//! Messages that nobody has asked for.

use super::words::{COMMENT_LIMIT, because, body, deadline, grouped, typed, went};
use super::{DECLINED, EXPIRED, TAKEN, WITHDRAWN, YOURS, active_card, own_order, staff};
use crate::model::facts::Standing;
use crate::model::history::hex;
use crate::model::notification::{DayRoot, Notification};
use crate::model::order::{OrderStatus, OwnOrder};
use crate::model::race::Taken;
use crate::model::staff_order::Detail;

/// A message that nobody has asked for.
pub(in crate::bots::render) fn notification(notification: &Notification) -> String {
    match notification {
        Notification::Offer { card, offer } => format!(
            "🔔 <b>Новая заявка №{}</b>\n{}\n\n⏳ Срок ответа: {}",
            card.id,
            body(card, false),
            deadline(offer.expires, &card.slot)
        ),
        Notification::OfferEnded { order, standing, taken } => {
            let what = match standing {
                Standing::Taken => match taken {
                    None => format!("{TAKEN}."),
                    Some(Taken { winner, after_seconds }) => format!("{TAKEN}: {}.", went(*winner, *after_seconds)),
                },
                Standing::Expired => EXPIRED.to_owned(),
                Standing::Declined => DECLINED.to_owned(),
                Standing::Yours => format!("✅ {YOURS}"),
                Standing::Withdrawn | Standing::Unknown | Standing::Offered(_) => WITHDRAWN.to_owned(),
            };
            format!("<b>Заявка №{order}</b>\n{what}")
        }
        Notification::Assigned(own) => format!("📌 <b>Вам назначена заявка</b>\n\n{}", own_order(own)),
        Notification::Changed { order, status, reopened, edited } => changed(order, *status, *reopened, edited),
        Notification::HistoryRoot(root) => history_root(root),
        // Screens of their own.
        Notification::List(_)
        | Notification::OwnOrder(_)
        | Notification::Menu(..)
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

/// The day's root, with the command that compares it.
fn history_root(DayRoot { day, changes, root }: &DayRoot) -> String {
    format!(
        "🔏 <b>История заявок за {:02}.{:02}.{} опечатана</b>\nИзменений: {}. День — по UTC.\n\nНе удаляйте это сообщение: \
         подменят ли историю потом, покажет команда\n<code>field-service verify --root {day}={}</code>",
        day.day(),
        day.month(),
        day.year(),
        grouped(*changes),
        hex(root)
    )
}

/// What staff have changed of an own order, above its card.
fn changed(order: &OwnOrder, status: OrderStatus, reopened: bool, edited: &[Detail]) -> String {
    let comment = order.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty());
    let (what, card) = match (edited, comment) {
        _ if reopened => {
            let sum = if status == OrderStatus::Payment { " Укажите сумму ещё раз." } else { "" };
            (format!("♻️ <b>Диспетчер снова открыл заявку.</b>{sum}"), order.clone())
        }
        // Said once, above the card.
        ([Detail::Comment], Some(comment)) => (
            format!("💬 <b>Диспетчер:</b> {}", typed(comment, COMMENT_LIMIT)),
            OwnOrder { comment: None, ..order.clone() },
        ),
        ([Detail::Comment], None) => ("💬 <b>Диспетчер убрал комментарий</b>".to_owned(), order.clone()),
        ([], _) => ("✏️ <b>Заявку изменили: проверьте, что в ней теперь</b>".to_owned(), order.clone()),
        (edited, _) => {
            let edited: Vec<&str> = edited.iter().map(|detail| staff::order::detail(*detail)).collect();
            (format!("✏️ <b>Диспетчер изменил: {}</b>", edited.join(", ")), order.clone())
        }
    };
    format!("{what}\n\n{}", active_card(&card, status))
}
