//! How masters are searched for, as an admin reads and changes it.

use jiff::{SignedDuration, Timestamp};

use super::super::words::{NAME_LIMIT, clock, counted, duration, typed};
use crate::dispatch::policy::SetPolicyOutcome;
use crate::model::policy_draft::{
    LEAST_WIDENING, PolicyFault, PolicyField, PolicyInForce, PolicyRecord, PolicyValues, clock as time_of,
};
use crate::model::policy_preview::{Compared, Preview, Wait};

/// Opens the rules, in the menu.
pub const BUTTON: &str = "⚙️ Как ищем мастера";
pub(in crate::bots::render) const BUTTON_LESS: &str = "➖";
pub(in crate::bots::render) const BUTTON_MORE: &str = "➕";
/// Where a step would be, at a bound.
pub(in crate::bots::render) const BUTTON_BOUND: &str = "·";
pub(in crate::bots::render) const BUTTON_TRY: &str = "➡️ Проверить и сохранить";
pub(in crate::bots::render) const BUTTON_SAVE: &str = "✅ Сохранить";
pub(in crate::bots::render) const BUTTON_BACK: &str = "◀ Менять дальше";
pub(in crate::bots::render) const BUTTON_CANCEL: &str = "✖️ Отмена";
pub(in crate::bots::render) const BUTTON_LOG: &str = "🕓 Кто и когда менял";
pub(in crate::bots::render) const BUTTON_TO_RULES: &str = "◀ К правилам";

/// To whoever is no admin.
pub const ADMINS_ONLY: &str = "Правила поиска меняет администратор.";
/// The values on a button are no policy: it was forged, or is an old one.
pub const NOT_SAVED_YET: &str = "Так сохранить нельзя: посмотрите, что отмечено ⚠️.";

/// How long the list of changes may be, tags and all: a message has room for 4096 characters.
const LOG_LIMIT: usize = 4000;

/// The button that changes the way of searching.
pub(in crate::bots::render) fn button_way(widens: bool) -> &'static str {
    if widens {
        "🔁 Искать кругами"
    } else {
        "🔁 Добавлять, пока никто не взял"
    }
}

fn masters(count: i32) -> String {
    counted(usize::try_from(count).unwrap_or_default(), ["мастер", "мастера", "мастеров"])
}

/// Whom a wave asks: «1 мастера», «3 мастеров».
fn asked(count: i32) -> String {
    counted(usize::try_from(count).unwrap_or_default(), ["мастера", "мастеров", "мастеров"])
}

fn sign(field: PolicyField) -> &'static str {
    match field {
        PolicyField::OfferTtl => "⏱",
        PolicyField::PreferredTtl => "⭐",
        PolicyField::FirstMasters | PolicyField::MastersPerRound => "👥",
        PolicyField::WidenEvery => "⏩",
        PolicyField::WidenBy => "👤",
        PolicyField::MaxLiveOffers => "📨",
        PolicyField::MaxRounds => "📣",
        PolicyField::EscalateAfter => "🆘",
        PolicyField::MaxActiveOrders => "📦",
        PolicyField::WorkdayStart => "🌅",
        PolicyField::WorkdayEnd => "🌇",
    }
}

/// What a field decides.
fn name(field: PolicyField, widens: bool) -> &'static str {
    match field {
        PolicyField::MaxRounds if widens => "Зовём диспетчера, когда спрошено",
        PolicyField::OfferTtl => "Время на ответ",
        PolicyField::PreferredTtl => "Сколько ждём мастера, которого просит клиент",
        PolicyField::FirstMasters => "Спрашиваем сначала",
        PolicyField::WidenEvery => "Никто не взял —",
        PolicyField::WidenBy => "Добавляем по",
        PolicyField::MaxLiveOffers => "Сколько мастеров спрашиваем одновременно, не больше",
        PolicyField::MastersPerRound => "Мастеров в круге",
        PolicyField::MaxRounds => "Зовём диспетчера после кругов",
        PolicyField::EscalateAfter => "Зовём диспетчера через",
        PolicyField::MaxActiveOrders => "Заявок у мастера не больше",
        PolicyField::WorkdayStart => "Рабочий день с",
        PolicyField::WorkdayEnd => "Рабочий день до",
    }
}

/// What a field decides, before what it says: some read on without a colon.
fn begun(field: PolicyField, widens: bool) -> String {
    let reads_on = matches!(
        field,
        PolicyField::WidenEvery | PolicyField::EscalateAfter | PolicyField::WorkdayStart | PolicyField::WorkdayEnd
    );
    format!("{} {}{}", sign(field), name(field, widens), if reads_on { "" } else { ":" })
}

/// A field of a policy, as it is said.
fn said(field: PolicyField, values: &PolicyValues) -> String {
    let value = values.get(field);
    match field {
        // A search that widens counts masters, as many as so many rounds would ask.
        PolicyField::MaxRounds if values.widens() => {
            masters(value.saturating_mul(values.get(PolicyField::MastersPerRound)))
        }
        PolicyField::WidenEvery if value == 0 => "не добавляем, ищем кругами".to_owned(),
        PolicyField::WidenEvery => format!("добавляем {}", each(value)),
        PolicyField::OfferTtl | PolicyField::PreferredTtl | PolicyField::EscalateAfter => duration(value.into()),
        PolicyField::WorkdayStart | PolicyField::WorkdayEnd => clock(time_of(value)),
        _ => value.to_string(),
    }
}

/// A field's button, between less and more: a third of a narrow screen, so that there is room for a number and a short word.
pub(in crate::bots::render) fn button_field(field: PolicyField, values: &PolicyValues) -> String {
    let value = values.get(field);
    let said = match field {
        PolicyField::MaxRounds if values.widens() => {
            value.saturating_mul(values.get(PolicyField::MastersPerRound)).to_string()
        }
        PolicyField::OfferTtl | PolicyField::PreferredTtl | PolicyField::WidenEvery | PolicyField::EscalateAfter => {
            briefly(value)
        }
        _ => said(field, values),
    };
    format!("{} {said}", sign(field))
}

/// How often: «каждые 30 с», «каждые 90 с», «каждые 5 мин». Of one of a unit there is no plural.
fn each(seconds: i32) -> String {
    if seconds >= 120 && seconds % 60 == 0 {
        format!("каждые {} мин", seconds / 60)
    } else {
        format!("каждые {seconds} с")
    }
}

/// A time in one unit: «45 с», «1,5 мин», «90 мин», «2 ч».
fn briefly(seconds: i32) -> String {
    match seconds {
        3600.. if seconds % 3600 == 0 => format!("{} ч", seconds / 3600),
        60.. if seconds % 60 == 0 => format!("{} мин", seconds / 60),
        60.. if seconds % 30 == 0 => format!("{},5 мин", seconds / 60),
        _ => format!("{seconds} с"),
    }
}

/// Why there is no step further.
#[must_use]
pub fn bound(field: PolicyField, up: bool) -> String {
    let value = if up { *field.range().end() } else { *field.range().start() };
    let value = if field == PolicyField::WidenEvery { value.max(LEAST_WIDENING) } else { value };
    let value = match field {
        // Of waves it is shown as a number of masters, by the other values.
        PolicyField::MaxRounds => None,
        PolicyField::OfferTtl | PolicyField::PreferredTtl | PolicyField::WidenEvery | PolicyField::EscalateAfter => {
            Some(duration(value.into()))
        }
        PolicyField::WorkdayStart | PolicyField::WorkdayEnd => Some(clock(time_of(value))),
        _ => Some(value.to_string()),
    };
    let further = match (field.is_clock(), up) {
        (true, true) => "Позже",
        (true, false) => "Раньше",
        (false, true) => "Больше",
        (false, false) => "Меньше",
    };
    let value = value.map(|value| format!("{value} — ")).unwrap_or_default();
    format!("{further} нельзя: {value}это предел.")
}

/// The way of searching, in a sentence.
fn way(values: &PolicyValues) -> String {
    let ttl = duration(values.get(PolicyField::OfferTtl).into());
    if values.widens() {
        format!(
            "Спрашиваем сразу {}. Пока никто не взял, {} добавляем ещё {}; одновременно спрашиваем не больше {}. \
             На ответ у каждого {ttl}, на место отказавшегося сразу зовём другого.",
            asked(values.get(PolicyField::FirstMasters)),
            each(values.get(PolicyField::WidenEvery)),
            values.get(PolicyField::WidenBy),
            values.get(PolicyField::MaxLiveOffers),
        )
    } else {
        let rounds = usize::try_from(values.get(PolicyField::MaxRounds)).unwrap_or_default();
        format!(
            "Ищем кругами: спрашиваем {}, на ответ {ttl}, потом следующих. После {} зовём диспетчера.",
            asked(values.get(PolicyField::MastersPerRound)),
            counted(rounds, ["круга", "кругов", "кругов"]),
        )
    }
}

/// The fields by which the search goes on and those that are changed, a line for each.
fn lines(values: &PolicyValues, now: Option<&PolicyValues>) -> String {
    let changed = |field: PolicyField| now.is_some_and(|now| now.get(field) != values.get(field));
    let shown = PolicyField::ALL.into_iter().filter(|field| field.counts(values.widens()) || changed(*field));
    let line = |field: PolicyField| match now.filter(|now| now.get(field) != values.get(field)) {
        Some(now) => change(field, now, values),
        None => format!("{} {}", begun(field, values.widens()), said(field, values)),
    };
    shown.map(line).collect::<Vec<_>>().join("\n")
}

/// What is changed, in a line.
fn change(field: PolicyField, from: &PolicyValues, to: &PolicyValues) -> String {
    // What is counted in another way is compared in the one that is to come.
    let widening = PolicyField::WidenEvery;
    let before = if field == widening { *from } else { from.with(widening, to.get(widening)) };
    format!("{} {} → <b>{}</b>", begun(field, to.widens()), said(field, &before), said(field, to))
}

/// Everything that is changed, a line for each.
fn changes(from: &PolicyValues, to: &PolicyValues) -> String {
    to.changed_from(*from).map(|field| change(field, from, to)).collect::<Vec<_>>().join("\n")
}

/// When something was made, which Telegram shows on the reader's own clock.
fn when(at: Timestamp) -> String {
    let utc = at.strftime("%d.%m.%Y %H:%M UTC");
    format!("<tg-time unix=\"{}\" format=\"r\">{utc}</tg-time>", at.as_second())
}

fn who(by: Option<&String>) -> String {
    by.map_or_else(|| "система".to_owned(), |name| typed(name, NAME_LIMIT))
}

fn made(record: &PolicyRecord) -> String {
    format!("№{}, {}, {}", record.id, when(record.created_at), who(record.by.as_ref()))
}

/// The policy in force.
pub(in crate::bots::render) fn in_force(policy: &PolicyInForce) -> String {
    let record = &policy.record;
    format!(
        "⚙️ <b>Как ищем мастера</b>\n{}\n\n{}\n\nДействуют правила {}.\nКнопки ничего не меняют, пока вы не сохраните.",
        way(&record.values),
        lines(&record.values, None),
        made(record),
    )
}

/// What is wrong, a line for each.
fn faults(found: &[PolicyFault], values: &PolicyValues) -> String {
    let line = |fault: &PolicyFault| match fault {
        PolicyFault::OutOfRange(PolicyField::WidenEvery) => {
            let most = duration((*PolicyField::WidenEvery.range().end()).into());
            format!("⚠️ Добавлять можно не чаще, чем раз в {LEAST_WIDENING} с, и не реже, чем раз в {most}")
        }
        PolicyFault::OutOfRange(field) => {
            let bound = |value: i32| said(*field, &values.with(*field, value));
            let (least, most) = field.range().into_inner();
            format!("⚠️ {}: от {} до {}", name(*field, values.widens()), bound(least), bound(most))
        }
        PolicyFault::WidensTooOften => format!("⚠️ Добавлять можно не чаще, чем раз в {LEAST_WIDENING} с"),
        PolicyFault::FewerAtOnceThanFirst => {
            "⚠️ Одновременно спрошенных должно быть не меньше, чем спрашиваем сначала".to_owned()
        }
        PolicyFault::EndsBeforeItBegins => "⚠️ Рабочий день должен кончаться позже, чем начинается".to_owned(),
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Other values, beside those in force, and what stands against them.
pub(in crate::bots::render) fn edit(now: &PolicyRecord, values: &PolicyValues, found: &[PolicyFault]) -> String {
    let mut parts = vec![format!("⚙️ <b>Новые правила</b> (ещё не сохранены)\n{}", way(values))];
    parts.push(lines(values, Some(&now.values)));
    if !found.is_empty() {
        parts.push(faults(found, values));
    }
    parts.join("\n\n")
}

/// Whether to save, with what yesterday would have been like.
pub(in crate::bots::render) fn confirm(now: &PolicyRecord, values: &PolicyValues, preview: &Preview) -> String {
    format!(
        "⚙️ <b>Сохранить новые правила?</b>\n{}\n\n{}\n\n{}\n\nЗаявки, которые уже ищут мастера, доищут по прежним правилам.",
        way(values),
        changes(&now.values, values),
        previewed(preview),
    )
}

/// «7,1»: a number with one digit behind the comma.
fn tenths(number: f64) -> String {
    format!("{number:.1}").replace('.', ",")
}

/// What yesterday would have been like.
pub(in crate::bots::render) fn previewed(preview: &Preview) -> String {
    match preview {
        Preview::Compared(compared) => played(compared),
        Preview::TooFew { orders } => {
            format!("📊 Что это дало бы вчера, не скажешь: мастера взяли слишком мало заявок ({orders}).")
        }
        Preview::NotReplayed => {
            "📊 Лимит заявок и рабочий день на вчерашних заявках не проверить: там они остаются как были.".to_owned()
        }
        Preview::NotComputed => "📊 Посчитать, что это дало бы вчера, пока не получилось: попробуйте ещё раз чуть позже. Сохранить можно и так.".to_owned(),
    }
}

/// Seconds of a replay, which have fractions, as a time.
fn lasting(seconds: f64) -> String {
    let whole = SignedDuration::try_from_secs_f64(seconds.round()).unwrap_or_default();
    duration(whole.as_secs())
}

/// What both policies came to, and what the numbers are.
fn played(compared: &Compared) -> String {
    let Compared { orders, messages, drawn_percent, .. } = compared;
    let ([took, take], [sent, sends]) = (compared.accepted_shown(), messages);
    let wait = compared.wait();
    let headline = wait.map_or_else(String::new, |Wait { seconds: [wait, waits], .. }| {
        format!("ожидание {} → {}, ", lasting(wait), lasting(waits))
    });
    let waited = match wait {
        Some(Wait { percent: 90, .. }) => "Столько ждали бы 9 из 10 взятых заявок. ",
        Some(_) => "Столько ждала бы половина взятых заявок: взято меньше 9 из 10. ",
        None => "",
    };
    format!(
        "📊 <b>Вчера это дало бы: {headline}взято {took:.0} → {take:.0} %, сообщений {} → {}</b>\n\
         {waited}Сообщения — на одну заявку. Сравнили {}. Не взяты те, что отменили, отдали вручную или никто не взял за час. {drawn_percent:.0} % ответов мастеров взяты из прошлых, их самих или города: вчера их об этом не спросили или не \
         дождались ответа.",
        tenths(*sent),
        tenths(*sends),
        counted(*orders, ["заявку", "заявки", "заявок"]),
    )
}

/// The last policies, the one in force first; each with what it changed, as far as a message has room.
pub(in crate::bots::render) fn log(latest: &[PolicyRecord]) -> String {
    let mut text = "🕓 <b>Правила поиска: кто и когда менял</b>".to_owned();
    for (index, record) in latest.iter().enumerate() {
        let changed = match latest.get(index + 1) {
            Some(before) => Some(changes(&before.values, &record.values)).filter(|changed| !changed.is_empty()),
            // What it changed is not known here, unless it is the first of all.
            None if record.id > 1 => break,
            None => Some("с самого начала".to_owned()),
        };
        let part = format!("\n\n{}\n{}", made(record), changed.as_deref().unwrap_or("поиск не изменился"));
        if text.chars().count() + part.chars().count() > LOG_LIMIT {
            text.push_str("\n\nБолее ранние изменения — на странице.");
            break;
        }
        text.push_str(&part);
    }
    text
}

/// Whoever was changing something is told that the policy is another one by now.
fn overtaken(now: &PolicyRecord) -> String {
    let name = now.by.as_deref().unwrap_or("система");
    let name = crate::model::text::cut(name, 60);
    format!(
        "правила тем временем изменили ({name}). То, что меняли вы, осталось; остальное — как теперь. Проверьте ещё раз."
    )
}

/// The same to who saves nothing yet.
#[must_use]
pub fn changed_meanwhile(now: &PolicyRecord) -> String {
    let said = overtaken(now);
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What came of saving, as a line over the chat.
#[must_use]
pub fn saved(outcome: &SetPolicyOutcome) -> String {
    match outcome {
        SetPolicyOutcome::Done(_) => "✅ Сохранено. Новые поиски идут по новым правилам.".to_owned(),
        SetPolicyOutcome::AlreadySo(_) => "Так уже и есть: эти правила действуют.".to_owned(),
        SetPolicyOutcome::Repeated(_) => "Это уже сохранено; показываю, что действует сейчас.".to_owned(),
        SetPolicyOutcome::Stale(record) => {
            format!("Не сохранено: {}", overtaken(record))
        }
        SetPolicyOutcome::NotAllowed => ADMINS_ONLY.to_owned(),
        SetPolicyOutcome::Busy => "Правила сейчас сохраняет кто-то ещё. Нажмите ещё раз через пару секунд.".to_owned(),
    }
}
