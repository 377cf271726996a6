//! An order's card as staff see it.

use jiff::civil::DateTime;

use super::super::words::{NAME_LIMIT, body, deadline, rubles, typed};
use super::queue::{exactly, named_status, since, trouble, when};
use super::telephone;
use crate::dispatch::actions::OrderAction;
use crate::model::moment::Moment;
use crate::model::order::Stage;
use crate::model::queue::Trouble;
use crate::model::selection::Exclusion;
use crate::model::staff_card::{
    CardMaster, CardOffer, CardPreferred, CardRound, Change, Delivery, NotFirst, StaffCard, What, Who,
};
use crate::model::text::cut;
use crate::model::why::{Assignment, AssignmentEnd};
use crate::model::{Amount, OfferState, OrderCard, OrderStatus};

/// Copies the client's phone.
pub(in crate::bots::render) const BUTTON_COPY_PHONE: &str = "📞 Клиент";
/// Copies the address.
pub(in crate::bots::render) const BUTTON_COPY_ADDRESS: &str = "📍 Адрес";
/// Copies the master's phone.
pub(in crate::bots::render) const BUTTON_COPY_MASTER: &str = "📞 Мастер";

/// What staff can do, on buttons.
pub(in crate::bots::render) fn button_action(action: OrderAction) -> &'static str {
    match action {
        OrderAction::Claim => "🙋 Беру на себя",
        OrderAction::Unclaim => "🤝 Снять с себя",
        OrderAction::AssignNow => "⚡ Найти мастера сейчас",
        OrderAction::AssignByHand => "👷 Назначить мастера",
        OrderAction::SearchAgain => "🔁 Искать заново",
        OrderAction::Close => "🧾 Закрыть с суммой",
        OrderAction::Edit => "✏️ Изменить",
        OrderAction::Comment => "💬 Мастеру",
        OrderAction::Reopen => "♻️ Открыть снова",
        OrderAction::Cancel => "🚫 Отменить",
    }
}

/// A name in a line.
const SHORT: usize = 40;
/// A description on a card, which has much else.
const DESCRIBED: usize = 700;
/// What staff wrote for the master.
const COMMENTED: usize = 400;
/// A reason in the history.
const SAID: usize = 70;

/// All of an order.
pub(in crate::bots::render) fn card(card: &StaffCard) -> String {
    let now = card.order.slot.now;
    let mut parts = vec![head(card), order(card), client(card)];
    parts.extend(progress(card));
    parts.extend(offers(card, now));
    let mut text = parts.join("\n\n");
    // What is folded gets what room there is, the newest of each. Waves are read as they went out, as wherever they are told.
    let why: Vec<String> = card.why.iter().map(|round| self::round(round, now)).collect();
    let mut history: Vec<String> = card.changes.iter().map(|change| self::change(change, now)).collect();
    history.extend(card.earlier_changes.then(|| "…и раньше".to_owned()));
    let half = (LIMIT.saturating_sub(length(&text)) / 2).max(1);
    let mut why = fitting(WHY, &why, half);
    why.reverse();
    text.extend(folded(WHY, &why));
    let rest = LIMIT.saturating_sub(length(&text));
    text.extend(folded(HISTORY, &fitting(HISTORY, &history, rest)));
    text
}

/// What a message of Telegram's has room for, with a line above the card. <https://core.telegram.org/bots/api#sendmessage>
const LIMIT: usize = 4096 - 250;
/// The title of what is folded.
const WHY: &str = "❓ <b>Почему эти мастера</b>";
/// See [`WHY`].
const HISTORY: &str = "📜 <b>Что было</b>";

/// As many rows below a title as there is room for, the newest first.
fn fitting<'a>(title: &str, rows: &'a [String], room: usize) -> Vec<&'a str> {
    let mut taken = length(title) + 2;
    let fits = rows.iter().take_while(|row| {
        taken += length(row) + 1;
        taken <= room
    });
    fits.map(String::as_str).collect()
}

/// Nothing, if there are no rows.
fn folded(title: &str, rows: &[&str]) -> Option<String> {
    (!rows.is_empty()).then(|| format!("\n\n<blockquote expandable>{title}\n{}</blockquote>", rows.join("\n")))
}

/// How long a text of ours is for Telegram: without tags, each escaped character one, in UTF-16 units.
pub(in crate::bots::render) fn length(html: &str) -> usize {
    let (mut length, mut in_tag, mut escaped) = (0, false, false);
    for character in html.chars() {
        match character {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if in_tag => {}
            '&' => {
                escaped = true;
                length += 1;
            }
            ';' if escaped => escaped = false,
            _ if escaped => {}
            other => length += other.len_utf16(),
        }
    }
    length
}

fn head(card: &StaffCard) -> String {
    let mut rows = vec![format!("<b>Заявка №{}</b> · {}", card.order.id, named_status(card.status))];
    let now = card.order.slot.now;
    if card.status.stage() == Stage::Open
        && let Some((why, since)) = card.escalated
    {
        rows.push(trouble(Trouble::Escalated { why, since }, now));
    }
    let claimed = card.claimed.as_ref().filter(|_| card.status.stage() != Stage::Final);
    rows.extend(claimed.map(|claim| {
        let who = if claim.yours {
            "Ведёте вы".to_owned()
        } else {
            format!("Ведёт {}", typed(&claim.by, SHORT))
        };
        format!("🙋 {who} {}", since(claim.since, now))
    }));
    rows.join("\n")
}

fn order(card: &StaffCard) -> String {
    let description = card.order.description.as_deref().map(|text| cut(text, DESCRIBED));
    let body = body(&OrderCard { description, ..card.order.clone() }, true);
    let repeats = card.guarantee_of.map(|order| format!("\n🛡 По гарантии на заявку №{order}"));
    format!("{body}{}", repeats.unwrap_or_default())
}

fn client(card: &StaffCard) -> String {
    let name = typed(&card.client.name, NAME_LIMIT);
    let mut rows = vec![format!("👤 {name}"), format!("📞 {}", telephone(&card.client.phone, NAME_LIMIT))];
    let comment = card.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty());
    rows.extend(comment.map(|comment| format!("💬 Мастеру: {}", typed(comment, COMMENTED))));
    rows.extend(card.amount.map(|amount| format!("💰 {}", rubles(amount))));
    rows.join("\n")
}

/// Who has it, who is to be asked first, and how its search goes.
fn progress(card: &StaffCard) -> Option<String> {
    let now = card.order.slot.now;
    let mut rows = Vec::new();
    rows.extend(card.master.as_ref().filter(|_| card.status.stage() != Stage::Open).map(master));
    if card.status.stage() == Stage::Open {
        rows.extend(card.preferred.as_ref().map(|preferred| self::preferred(preferred, card.status)));
        rows.extend(card.deferred_until.map(|until| format!("💤 Отложена до {}", when(until, now))));
        rows.extend(card.search_started.map(|started| match card.rounds {
            0 => format!("🔎 Ищем мастера {}", since(started, now)),
            rounds => format!("🔎 Ищем мастера {}, волна {rounds}", since(started, now)),
        }));
    }
    let by = card.created_by.as_deref().map(|name| format!(", {}", typed(name, SHORT)));
    rows.push(format!("🗓 Принята {}{}", when(card.created, now), by.unwrap_or_default()));
    (!rows.is_empty()).then(|| rows.join("\n"))
}

/// Who is asked first, or why that master is not.
fn preferred(preferred: &CardPreferred, status: OrderStatus) -> String {
    let name = typed(&preferred.name, SHORT);
    let deferred = status == OrderStatus::Deferred;
    let first = if deferred { "⭐ Сначала спросим" } else { "⭐ Сначала спрашиваем" };
    let others = if deferred { "" } else { ", спрашиваем других" };
    match preferred.not_asked {
        Some(NotFirst::Asked) => format!("⭐ Сначала спросили: {name}"),
        Some(NotFirst::Had) => format!("⭐ {name}: заявка у мастера уже была, больше не спрашиваем"),
        Some(NotFirst::Elsewhere) => format!("{first}: {name} (⚠️ теперь в другом городе{others})"),
        Some(NotFirst::Kept(why)) => match kept_away(why) {
            Some(why) => format!("{first}: {name} (⚠️ сейчас {why}{others})"),
            None => format!("{first}: {name}"),
        },
        None => format!("{first}: {name}"),
    }
}

/// What keeps a master away who is named in an order, as long as it lasts; `None`: nothing that lasts.
pub(super) fn kept_away(reason: Exclusion) -> Option<&'static str> {
    match reason {
        Exclusion::Blocked => Some("блокировка"),
        Exclusion::Waiting => Some("анкета не одобрена"),
        Exclusion::Unreachable => Some("не получает сообщений бота"),
        Exclusion::OffShift => Some("не на смене"),
        Exclusion::Limit => Some("лимит заявок"),
        Exclusion::Category
        | Exclusion::District
        | Exclusion::Asked
        | Exclusion::Held
        | Exclusion::Failed
        | Exclusion::Rank => None,
    }
}

fn master(master: &CardMaster) -> String {
    let phone = master.phone.as_deref().map(|phone| format!(", {}", telephone(phone, NAME_LIMIT))).unwrap_or_default();
    let unreachable = if master.unreachable {
        "\n🔕 Сообщения бота мастеру не доходят: звоните"
    } else {
        ""
    };
    format!("👷 {}{phone}{unreachable}", typed(&master.name, NAME_LIMIT))
}

fn offers(card: &StaffCard, now: DateTime) -> Option<String> {
    if card.offers.is_empty() {
        return None;
    }
    let mut rows = vec!["📨 <b>Предложения</b>".to_owned()];
    rows.extend(card.offers.iter().map(|offer| self::offer(offer, &card.order, now)));
    rows.extend((card.earlier_offers > 0).then(|| format!("…и раньше ещё {}", card.earlier_offers)));
    Some(rows.join("\n"))
}

/// «Анна: доставлено · открыл 14:02 · отклонил 14:03».
fn offer(offer: &CardOffer, order: &OrderCard, now: DateTime) -> String {
    let is_live = matches!(offer.state, OfferState::Sent | OfferState::Viewed);
    let delivery = match offer.delivery {
        Delivery::Delivered => Some("доставлено".to_owned()),
        // Whoever opens it in the list needs no message; and what is over is not delivered any more.
        Delivery::Waiting if is_live && offer.viewed.is_none() => Some("ещё не доставлено".to_owned()),
        Delivery::Failed if offer.viewed.is_none() => Some("не доставлено".to_owned()),
        Delivery::Waiting | Delivery::Failed | Delivery::Unknown => None,
    };
    let viewed = offer.viewed.map(|at| format!("открыл {}", when(at, now)));
    let ended = |what: &str| offer.responded.map_or(what.to_owned(), |at| format!("{what} {}", when(at, now)));
    let state = match offer.state {
        OfferState::Sent | OfferState::Viewed if offer.overdue => "время вышло".to_owned(),
        OfferState::Sent if offer.viewed.is_none() && offer.delivery == Delivery::Delivered => {
            format!("не открыл, срок {}", deadline(offer.expires, &order.slot))
        }
        OfferState::Sent | OfferState::Viewed => format!("срок {}", deadline(offer.expires, &order.slot)),
        OfferState::Accepted => ended("взял"),
        OfferState::Declined => ended("отклонил"),
        OfferState::Expired => format!("не ответил до {}", when_expired(offer, now)),
        OfferState::Canceled => offer.had.map_or_else(|| ended("снято"), |had| self::had(had, now)),
    };
    let said: Vec<String> = delivery.into_iter().chain(viewed).chain([state]).collect();
    format!("{} {}: {}", mark(offer), typed(&offer.master, SHORT), said.join(" · "))
}

/// «взял 21:50, передана другому 21:59»: of whoever has the order no more.
fn had(had: Assignment, now: DateTime) -> String {
    let got = if had.took { "взял" } else { "назначена" };
    let since = had.since.map(|at| format!(" {}", when(at, now))).unwrap_or_default();
    let Some((left, at)) = had.left else { return format!("{got}{since}") };
    let left = match left {
        AssignmentEnd::Returned => "вернул",
        AssignmentEnd::TakenAway => "снята",
        AssignmentEnd::PassedOn => "передана другому",
        AssignmentEnd::Canceled => "заявка отменена",
    };
    format!("{got}{since}, {left} {}", when(at, now))
}

fn when_expired(offer: &CardOffer, now: DateTime) -> String {
    match offer.responded {
        Some(at) => when(at, now),
        None => when(Moment { at: offer.expires.at, local: offer.expires.local }, now),
    }
}

fn mark(offer: &CardOffer) -> &'static str {
    match offer.state {
        OfferState::Sent | OfferState::Viewed if offer.overdue => "⌛",
        OfferState::Sent => "✉️",
        OfferState::Viewed => "👀",
        OfferState::Accepted => "✅",
        OfferState::Declined => "❌",
        OfferState::Expired => "⌛",
        OfferState::Canceled => "➖",
    }
}

/// Who was asked in a round and why, and who was not.
pub(in crate::bots::render) fn round(round: &CardRound, now: DateTime) -> String {
    let head = format!("Волна {}, {}", round.number, wave_time(round.at, !round.chosen.is_empty(), now));
    let asked = if round.chosen.is_empty() {
        "спросить было некого".to_owned()
    } else {
        // The preferred one goes first, whoever has waited longer.
        let why = match (&round.chosen[..], round.preferred_first) {
            ([_], true) => "спрашиваем первым",
            // Not longer than others: of those who have waited as long rating and chance decide.
            ([_, _], true) => "первый указан в заявке, второй по очереди: ожидание не меньше, чем у других",
            (_, true) => "первый указан в заявке, остальные по очереди: ожидание не меньше, чем у других",
            (_, false) => "по очереди: ожидание не меньше, чем у других",
        };
        format!("спросили: {} ({why})", mentioned(&round.chosen))
    };
    let left: Vec<String> = round
        .excluded
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| excluded(*reason, *count))
        .collect();
    let left = if left.is_empty() { String::new() } else { format!(" Не спросили ({}).", left.join("; ")) };
    format!("{head} — {asked}.{left}")
}

/// When a wave went out, «14:05:30»: they may be seconds apart. Of one for which there was nobody since when, «с 14:05:30».
pub(in crate::bots::render) fn wave_time(at: Moment, asked: bool, now: DateTime) -> String {
    if asked { exactly(at, now) } else { format!("{}:{:02}", since(at, now), at.local.second()) }
}

/// «Анна, Борис и ещё 3».
pub(in crate::bots::render) fn mentioned(names: &[String]) -> String {
    let more = names.len().saturating_sub(MENTIONED);
    let more = if more > 0 { format!(" и ещё {more}") } else { String::new() };
    let names: Vec<String> = names.iter().take(MENTIONED).map(|name| typed(name, SHORT)).collect();
    format!("{}{more}", names.join(", "))
}

/// How many masters a round names.
const MENTIONED: usize = 5;

fn excluded(reason: Exclusion, count: i64) -> String {
    let why = match reason {
        Exclusion::Category => "не их работа",
        Exclusion::District => "другой район",
        Exclusion::Asked => "уже спрошены",
        Exclusion::Blocked => "заблокированы",
        Exclusion::Waiting => "ещё не одобрены",
        Exclusion::Unreachable => "не получают сообщений",
        Exclusion::OffShift => "не на смене",
        Exclusion::Limit => "лимит заявок",
        Exclusion::Held => "заняты другой заявкой в ту же секунду",
        Exclusion::Failed => "не удалось записать предложение",
        Exclusion::Rank => "очередь не дошла",
    };
    format!("{why}: {count}")
}

fn change(change: &Change, now: DateTime) -> String {
    let what = match &change.what {
        What::Status { from: Some(from), to } if from == to => format!("снова {}", named_status(*to)),
        What::Status { to, .. } => named_status(*to).to_owned(),
        What::Emptied(field) if field == "comment" => "комментарий мастеру убран".to_owned(),
        What::Field(field) | What::Emptied(field) => {
            let was = change.was.as_deref().and_then(|was| was_before(field, was));
            let was = was.map(|was| format!(", было «{was}»")).unwrap_or_default();
            format!("{}{was}", field_changed(field))
        }
    };
    let given = change.given_to.as_deref().map(|name| format!(", мастер {}", typed(name, SHORT))).unwrap_or_default();
    let paid = change.amount.map(|amount| format!(", {}", rubles(amount))).unwrap_or_default();
    let who = match &change.who {
        Who::System => String::new(),
        Who::Master(name) | Who::Staff(name) => format!(" — {}", typed(name, SHORT)),
    };
    let said = change.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let said = said.map(|reason| format!(" («{}»)", typed(reason, SAID))).unwrap_or_default();
    format!("{} {what}{given}{paid}{who}{said}", when(change.at, now))
}

/// What a column held before it was changed, if that is short and read as people do.
fn was_before(field: &str, was: &str) -> Option<String> {
    match field {
        "final_amount" => Amount::parse(was).map(rubles),
        "client_phone" => Some(telephone(was, SHORT)),
        "address" | "client_name" | "description" | "comment" => {
            let was = was.trim();
            (!was.is_empty() && was.chars().count() <= SHORT).then(|| typed(was, SHORT))
        }
        // As the database writes them.
        _ => None,
    }
}

/// Which column of an order was changed.
fn field_changed(field: &str) -> &'static str {
    match field {
        "address" => "изменён адрес",
        "client_phone" => "изменён телефон",
        "client_name" => "изменено имя клиента",
        "description" => "изменено описание",
        "timeslot" | "timeslot_start" | "timeslot_end" => "изменено время визита",
        "comment" => "написано мастеру",
        "final_amount" => "исправлена сумма",
        "district_id" => "изменён район",
        "category" => "изменён вид работ",
        "return_reason" | "reason" => "исправлена причина возврата",
        _ => "изменена заявка",
    }
}

#[cfg(test)]
mod tests {
    use super::{excluded, field_changed, length};
    use crate::model::selection::Exclusion;

    #[test]
    fn every_reason_has_its_words() {
        let mut said: Vec<String> = Exclusion::ALL.into_iter().map(|reason| excluded(reason, 2)).collect();
        said.sort();
        said.dedup();
        assert_eq!(said.len(), Exclusion::ALL.len());
        assert_eq!(field_changed("address"), "изменён адрес");
    }

    #[test]
    fn a_text_is_as_long_as_telegram_takes_it_to_be() {
        for (html, expected) in [("", 0), ("<b>заявка</b>", 6), ("a &lt; b &amp; c", 9), ("🔥", 2), ("a; b", 4)]
        {
            assert_eq!(length(html), expected, "{html}");
        }
    }
}
