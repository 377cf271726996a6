//! What dispatchers read about masters and invitations.

use jiff::civil::DateTime;

use super::super::words::{BUTTON_LIMIT, LINE_LIMIT, NAME_LIMIT, REASON_LIMIT, category, status, typed};
use super::telephone;
use crate::dispatch::manage::ManageOutcome;
use crate::model::Role;
use crate::model::invitation::{Invitation, Invited};
use crate::model::managed::{HIGHEST_LIMIT, Manage, MasterCard, MasterFilter, MasterLine, MasterList, MasterState};
use crate::model::master_change::{ChangedBy, MasterChange, What};
use crate::model::order::Category;
use crate::model::text::cut;

pub(in crate::bots::render) const BUTTON_TO_MASTERS: &str = "◀ Мастера";
pub(in crate::bots::render) const BUTTON_TO_CARD: &str = "◀ К мастеру";
pub(in crate::bots::render) const BUTTON_REFRESH: &str = "🔄 Обновить";
pub(in crate::bots::render) const BUTTON_ON_SHIFT: &str = "🟢 Поставить на смену";
pub(in crate::bots::render) const BUTTON_OFF_SHIFT: &str = "⚪ Снять со смены";
pub(in crate::bots::render) const BUTTON_LIMIT_OF: &str = "🔢 Лимит";
pub(in crate::bots::render) const BUTTON_TRADES: &str = "🛠 Умения";
pub(in crate::bots::render) const BUTTON_DISTRICTS: &str = "📍 Районы";
pub(in crate::bots::render) const BUTTON_BLOCK: &str = "⛔ Заблокировать";
pub(in crate::bots::render) const BUTTON_UNBLOCK: &str = "✅ Разблокировать";
pub(in crate::bots::render) const BUTTON_APPROVE: &str = "✅ Одобрить";
pub(in crate::bots::render) const BUTTON_REJECT: &str = "⛔ Отказать";
pub(in crate::bots::render) const BUTTON_NO: &str = "◀ Нет";
pub(in crate::bots::render) const BUTTON_COPY_PHONE: &str = "📞 Скопировать телефон";
pub(in crate::bots::render) const BUTTON_ANOTHER_LIMIT: &str = "✏️ Другое число";
pub(in crate::bots::render) const BUTTON_INVITATIONS: &str = "✉️ Приглашения";
pub(in crate::bots::render) const BUTTON_INVITE_MASTER: &str = "👷 Пригласить мастера";
pub(in crate::bots::render) const BUTTON_INVITE_STAFF: &str = "🎧 Пригласить в диспетчеры";
pub(in crate::bots::render) const BUTTON_TO_INVITATIONS: &str = "◀ Приглашения";
pub(in crate::bots::render) const BUTTON_COPY_LINK: &str = "🔗 Скопировать ссылку";

/// To whoever may only look.
pub const READ_ONLY: &str = "Вам можно только смотреть: менять мастеров может диспетчер.";
/// Somebody is at work on the master.
const MASTER_BUSY: &str = "С мастером сейчас работает кто-то ещё. Нажмите ещё раз через пару секунд.";
/// Of a master who is not there, or of another city.
pub const NOT_FOUND: &str = "Такого мастера в ваших городах нет.";
/// The bot could not be asked for its name.
pub const NO_LINK: &str = "Telegram не ответил, ссылка не сделана. Попробуйте ещё раз.";
/// To somebody who may not invite.
pub const MAY_NOT_INVITE: &str = "Приглашать сюда вам нельзя: попросите администратора.";
/// An update that made a link came again.
pub const LINK_WAS_SHOWN: &str =
    "Приглашение уже создано, а его ссылку второй раз не увидеть. Если она потерялась, отзовите его и сделайте новое.";
/// Somebody who has waited was refused.
pub const REFUSED: &str = "⛔ Отказано: человек получит причину и мастером не станет.";
/// An invitation lets nobody in any more.
pub const REVOKED: &str = "Приглашение отозвано.";
/// There was nothing to revoke.
pub const NOTHING_TO_REVOKE: &str = "Этого приглашения уже нет: по нему вошли, его отозвали, или срок истёк.";

/// Of words that are a whole new order.
pub const AN_ORDER: &str =
    "Похоже на новую заявку, а не на причину. Если это она, нажмите «◀ К мастеру» и пришлите её ещё раз.";

/// Why words are no reason.
#[must_use]
pub fn odd_reason() -> String {
    format!("Нужна причина словами, не длиннее {REASON_LIMIT} знаков: мастер её увидит.")
}

/// Why words are no limit.
#[must_use]
pub fn odd_limit() -> String {
    format!("Нужно число от 1 до {HIGHEST_LIMIT}.")
}

fn sign(state: MasterState) -> &'static str {
    match state {
        MasterState::Waiting => "⏳",
        MasterState::Blocked => "⛔",
        MasterState::Unreachable => "📵",
        MasterState::OffShift => "⚪",
        MasterState::OnShift => "🟢",
    }
}

/// The list's head; the masters are its buttons.
pub(in crate::bots::render) fn list(list: &MasterList, invites: bool) -> String {
    let [all, on_shift, waiting, blocked] = list.counts;
    let mut lines = vec!["👷 <b>Мастера</b>".to_owned()];
    lines.push(format!("Всего {all} · на смене {on_shift} · заблокировано {blocked}"));
    if waiting > 0 {
        lines.push(format!("⏳ Ждут вашего решения: <b>{waiting}</b>"));
    }
    if list.lines.is_empty() {
        lines.push(String::new());
        lines.push(
            match list.filter {
                MasterFilter::All if invites => "Мастеров пока нет. Пригласите первого: «✉️ Приглашения».",
                MasterFilter::All => "Мастеров пока нет.",
                MasterFilter::OnShift => "На смене никого.",
                MasterFilter::Waiting => "Никто не ждёт.",
                MasterFilter::Blocked => "Никто не заблокирован.",
            }
            .to_owned(),
        );
    } else if list.pages() > 1 {
        lines.push(format!("Страница {} из {}", list.page, list.pages()));
    }
    lines.join("\n")
}

/// A filter's button, with how many it lets through.
pub(in crate::bots::render) fn button_filter(filter: MasterFilter, count: i64, chosen: bool) -> String {
    let name = match filter {
        MasterFilter::All => "Все",
        MasterFilter::OnShift => "🟢",
        MasterFilter::Waiting => "⏳",
        MasterFilter::Blocked => "⛔",
    };
    if chosen { format!("• {name} {count}") } else { format!("{name} {count}") }
}

/// A master's button in the list.
pub(in crate::bots::render) fn button_master(line: &MasterLine, with_city: bool) -> String {
    let city = if with_city { format!(" · {}", line.city) } else { String::new() };
    let load = format!(" · {}/{}", line.active_orders, line.limit);
    let name = cut(&line.full_name, BUTTON_LIMIT / 2);
    cut(&format!("{} {name}{load}{city}", sign(line.state)), BUTTON_LIMIT)
}

/// All of a master.
pub(in crate::bots::render) fn card(card: &MasterCard) -> String {
    let mut lines = vec![format!("<b>{}</b> · мастер №{}", typed(&card.full_name, NAME_LIMIT), card.id)];
    lines.push(match card.state {
        MasterState::Waiting => "⏳ <b>Ждёт вашего решения</b>".to_owned(),
        MasterState::Blocked => {
            let reason = card.blocked.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
            let reason = reason.map_or_else(|| "без причины".to_owned(), |reason| typed(reason, REASON_LIMIT));
            format!("⛔ Заблокирован: {reason}")
        }
        _ if card.on_shift => "🟢 На смене".to_owned(),
        _ => "⚪ Не на смене".to_owned(),
    });
    if card.unreachable {
        lines.push("📵 Бот не может ему написать: позвоните, пусть откроет бота и нажмёт /start".to_owned());
    }
    lines.push(match &card.phone {
        Some(phone) => format!("📞 {}", telephone(phone, NAME_LIMIT)),
        None => "📞 телефона нет".to_owned(),
    });
    lines.push(place(card));
    lines.push(match card.categories.as_slice() {
        [] => "🛠 умений нет: заявок не будет".to_owned(),
        some => format!("🛠 {}", some.iter().map(|trade| category(*trade)).collect::<Vec<_>>().join(", ")),
    });
    lines.push(work(card));
    let changes: Vec<_> = card.changes.iter().map(|change| changed(change, LINE_LIMIT)).collect();
    if !changes.is_empty() {
        lines.push(format!("\n<blockquote expandable>{}</blockquote>", changes.join("\n")));
    }
    lines.join("\n")
}

fn place(card: &MasterCard) -> String {
    let own: Vec<_> = card.districts.iter().filter(|(_, _, own)| *own).map(|(_, name, _)| name.as_str()).collect();
    let city = typed(&card.city_name, NAME_LIMIT);
    if card.districts.is_empty() {
        format!("📍 {city}")
    } else if own.is_empty() {
        format!("📍 {city}: районов нет, заявок почти не будет")
    } else if own.len() == card.districts.len() {
        format!("📍 {city}, все районы")
    } else {
        format!("📍 {city}: {}", typed(&own.join(", "), 3 * LINE_LIMIT))
    }
}

fn work(card: &MasterCard) -> String {
    let mut text = format!("📦 В работе {} из {}", card.orders.len(), card.limit);
    let orders: Vec<_> =
        card.orders.iter().take(8).map(|(order, state)| format!("№{order} {}", status(*state))).collect();
    if !orders.is_empty() {
        text = format!("{text}: {}", orders.join(", "));
    }
    if card.live_offers > 0 {
        text = format!("{text}\n📨 Предложений без ответа: {}", card.live_offers);
    }
    text
}

/// A change, in a line: «29.11 14:02 лимит 5 → 2 (Ольга)».
fn changed(change: &MasterChange, limit: usize) -> String {
    format!("{} {} ({})", moment(change.at), what(change, limit), who(&change.by))
}

fn moment(at: DateTime) -> String {
    format!("{:02}.{:02} {:02}:{:02}", at.day(), at.month(), at.hour(), at.minute())
}

fn what(change: &MasterChange, limit: usize) -> String {
    let said = |value: &Option<String>| typed(value.as_deref().unwrap_or_default(), limit);
    let trade = |value: &Option<String>| {
        let known = value.as_deref().and_then(Category::parse);
        known.map_or_else(|| said(value), |known| category(known).to_owned())
    };
    match (change.what, &change.from, &change.to) {
        (What::Added, ..) => "добавлен".to_owned(),
        (What::Approved, ..) => "одобрен".to_owned(),
        (What::Shift, _, Some(to)) if to == "on" => "на смене".to_owned(),
        (What::Shift, ..) => "не на смене".to_owned(),
        (What::Blocked, _, Some(reason)) if reason.is_empty() => "заблокирован".to_owned(),
        (What::Blocked, _, Some(_)) => format!("заблокирован: {}", said(&change.to)),
        (What::Blocked, ..) => "разблокирован".to_owned(),
        (What::Limit, from, to) => {
            let limit = |value: &Option<String>| value.clone().unwrap_or_else(|| "обычный".to_owned());
            format!("лимит {} → {}", limit(from), limit(to))
        }
        (What::Trade, _, Some(_)) => format!("+ {}", trade(&change.to)),
        (What::Trade, ..) => format!("− {}", trade(&change.from)),
        (What::District, _, Some(_)) => format!("+ район {}", said(&change.to)),
        (What::District, ..) => format!("− район {}", said(&change.from)),
        (What::Reachable, _, Some(to)) if to == "yes" => "бот снова может писать".to_owned(),
        (What::Reachable, _, Some(to)) if to == "withdrawn" => "бот может писать: сбой был не у мастера".to_owned(),
        (What::Reachable, ..) => "бот не может написать".to_owned(),
        (What::City, ..) => "другой город".to_owned(),
        (What::Account, ..) => "другой Telegram".to_owned(),
    }
}

fn who(by: &ChangedBy) -> String {
    match by {
        ChangedBy::Staff(_, name) => typed(name, NAME_LIMIT),
        ChangedBy::Master => "сам".to_owned(),
        ChangedBy::Operator => "с сервера".to_owned(),
        ChangedBy::System => "система".to_owned(),
    }
}

/// What came of a change; plain text for an alert.
#[must_use]
pub fn managed(to: &Manage, outcome: &ManageOutcome) -> String {
    // An alert shows what people typed as it is.
    let plain = |change: &MasterChange| {
        let text = format!("{}, {}", who(&change.by), moment(change.at));
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    match outcome {
        ManageOutcome::Done => done(to).to_owned(),
        ManageOutcome::AlreadySo(Some(change)) => format!("Так уже и есть ({}).", plain(change)),
        ManageOutcome::AlreadySo(None) => "Так уже и есть.".to_owned(),
        ManageOutcome::Stale(change) => {
            let now = what(change, NAME_LIMIT).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            format!("Не сделано: пока вы смотрели, это изменили — {now} ({}). Посмотрите ещё раз.", plain(change))
        }
        ManageOutcome::Changed => "Мастера успели изменить. Посмотрите, как теперь.".to_owned(),
        ManageOutcome::NotAllowed => READ_ONLY.to_owned(),
        ManageOutcome::NotFound => NOT_FOUND.to_owned(),
        ManageOutcome::Busy => MASTER_BUSY.to_owned(),
    }
}

fn done(to: &Manage) -> &'static str {
    match to {
        Manage::Shift(true) => "Мастер на смене.",
        Manage::Shift(false) => "Мастер снят со смены.",
        Manage::Block(_) => "⛔ Готово: новых заявок не будет, причина отправлена. То, что уже в работе, осталось.",
        Manage::Unblock => "Мастер разблокирован.",
        Manage::Approve => "✅ Мастер одобрен и может выходить на смену.",
        Manage::Limit(_) => "Лимит изменён.",
        Manage::Trade(..) => "Умения изменены.",
        Manage::District(..) => "Районы изменены.",
    }
}

/// Before a block, or a refusal.
pub(in crate::bots::render) fn ask_block(card: &MasterCard) -> String {
    let name = typed(&card.full_name, NAME_LIMIT);
    match card.state {
        MasterState::Waiting => {
            format!(
                "⛔ <b>{name}</b>\nПочему отказываете? Напишите причину, она придёт этому человеку. Перед отказом переспросим."
            )
        }
        _ if card.orders.is_empty() => {
            format!(
                "⛔ <b>{name}</b>\nЗа что блокируете? Напишите причину, мастер её увидит. Перед блокировкой переспросим."
            )
        }
        _ => format!(
            "⛔ <b>{name}</b>\nЗа что блокируете? Напишите причину, мастер её увидит. Перед блокировкой переспросим. Заявки в работе ({}) останутся: если нужно, заберите их на карточках.",
            card.orders.len()
        ),
    }
}

/// The question before a block, or a refusal.
pub(in crate::bots::render) fn confirm_block(card: &MasterCard, reason: &str) -> String {
    let what = if card.state == MasterState::Waiting { "Отказать" } else { "Заблокировать" };
    let name = typed(&card.full_name, NAME_LIMIT);
    format!("⛔ {what}: <b>{name}</b>?\nПричина: «{}»", typed(reason, REASON_LIMIT))
}

/// Blocks, or refuses.
pub(in crate::bots::render) fn button_block_yes(card: &MasterCard) -> &'static str {
    if card.state == MasterState::Waiting {
        "⛔ Да, отказать"
    } else {
        "⛔ Да, заблокировать"
    }
}

pub(in crate::bots::render) fn limits(card: &MasterCard) -> String {
    let now = match card.own_limit {
        Some(limit) => format!("Сейчас {limit}."),
        None => format!("Сейчас как у всех: {}.", card.limit),
    };
    format!(
        "Сколько заявок одновременно может вести <b>{}</b>? {now} То, что уже в работе, не отнимается.",
        typed(&card.full_name, NAME_LIMIT)
    )
}

pub(in crate::bots::render) fn ask_limit(card: &MasterCard) -> String {
    format!("Сколько заявок одновременно может вести <b>{}</b>? Напишите число.", typed(&card.full_name, NAME_LIMIT))
}

pub(in crate::bots::render) fn button_limit(limit: Option<i32>, chosen: bool) -> String {
    let text = limit.map_or_else(|| "Обычный".to_owned(), |limit| limit.to_string());
    if chosen { format!("✅ {text}") } else { text }
}

pub(in crate::bots::render) fn trades(card: &MasterCard) -> String {
    format!("Что умеет <b>{}</b>? Заявки приходят только по отмеченному.", typed(&card.full_name, NAME_LIMIT))
}

pub(in crate::bots::render) fn districts(card: &MasterCard) -> String {
    if card.districts.is_empty() {
        return format!("В городе {} районов нет.", typed(&card.city_name, NAME_LIMIT));
    }
    format!("Где работает <b>{}</b>? Заявки приходят только из отмеченных районов.", typed(&card.full_name, NAME_LIMIT))
}

pub(in crate::bots::render) fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "администратор",
        Role::Dispatcher => "диспетчер",
        Role::Viewer => "наблюдатель",
    }
}

/// The invitations that can let somebody in.
pub(in crate::bots::render) fn invitations(open: &[Invitation]) -> String {
    let head = "✉️ <b>Приглашения</b>\nСсылка впускает одного человека и показывается один раз.";
    let lines = open.iter().map(|invitation| {
        let by = invitation.by_name.as_deref().map_or_else(|| "с сервера".to_owned(), |name| typed(name, NAME_LIMIT));
        let state = if invitation.on_the_way {
            "по ней входят".to_owned()
        } else {
            let until = invitation.expires_at;
            format!(
                "истекает <tg-time unix=\"{}\" format=\"r\">{} UTC</tg-time>",
                until.as_second(),
                until.strftime("%d.%m %H:%M")
            )
        };
        format!(
            "№{} · {} · {state} · {by}",
            invitation.id,
            whom(&invitation.invited, invitation.cities.as_deref().unwrap_or_default())
        )
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        format!("{head}\n\nСейчас никто не приглашён.")
    } else {
        format!("{head}\n\n{}", lines.join("\n"))
    }
}

/// Who is invited to which cities, by their names; nobody's names are all cities.
fn whom(invited: &Invited, cities: &str) -> String {
    let cities = if cities.is_empty() { "все города".to_owned() } else { typed(cities, NAME_LIMIT) };
    match invited {
        Invited::Master { needs_approval, .. } => {
            format!("мастер, {cities}{}", if *needs_approval { "" } else { ", без одобрения" })
        }
        Invited::Staff { role, full_name, .. } => {
            let name = full_name.as_deref().map(|name| format!(" {}", typed(name, NAME_LIMIT))).unwrap_or_default();
            format!("{}{name}, {cities}", self::role(*role))
        }
    }
}

pub(in crate::bots::render) fn button_revoke(invitation: i64) -> String {
    format!("🗑 Отозвать №{invitation}")
}

pub(in crate::bots::render) const ASK_MASTER: &str = "Где будет работать мастер? «С одобрением»: мастер заполнит анкету, а вы решите, брать ли его. «Сразу»: заявки пойдут, как только он заполнит анкету.";

pub(in crate::bots::render) fn button_city(name: &str, needs_approval: bool) -> String {
    let how = if needs_approval { "с одобрением" } else { "сразу" };
    cut(&format!("{}, {how}", cut(name, BUTTON_LIMIT / 2)), BUTTON_LIMIT)
}

pub(in crate::bots::render) const ASK_STAFF: &str = "Кого приглашаете? Диспетчер ведёт заявки и мастеров своих городов, наблюдатель только смотрит, администратору можно всё.";

pub(in crate::bots::render) fn button_role(role: Role, city: Option<&str>) -> String {
    let role = match role {
        Role::Admin => "Администратор",
        Role::Dispatcher => "Диспетчер",
        Role::Viewer => "Наблюдатель",
    };
    match city {
        Some(city) => cut(&format!("{role}, {}", cut(city, BUTTON_LIMIT / 2)), BUTTON_LIMIT),
        None => format!("{role}, все города"),
    }
}

/// A link that was made.
pub(in crate::bots::render) fn invitation_made(number: i64, link: &str, invited: &Invited, cities: &str) -> String {
    format!(
        "✉️ Приглашение №{number}: {}.\n\nПерешлите человеку эту ссылку. Она на одного человека и действует три дня. Второй раз её не показать:\n{}",
        whom(invited, cities),
        typed(link, 200)
    )
}

/// The bot's commands in the chat of somebody who may act, or may only look.
#[must_use]
pub fn commands(acts: bool) -> Vec<(&'static str, &'static str)> {
    let new = acts.then_some(("new", "Новая заявка"));
    let rest = [("queue", "Очередь"), ("masters", "Мастера"), ("figures", "Цифры"), ("start", "Меню")];
    new.into_iter().chain(rest).collect()
}
