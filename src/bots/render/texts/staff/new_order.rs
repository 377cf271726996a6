//! Taking a new order in: what is asked, what was said, and what is wrong with an answer.

use jiff::civil::{Date, DateTime};

use super::super::VOCABULARY;
use super::super::words::{
    ADDRESS_LIMIT, DESCRIPTION_LIMIT, NAME_LIMIT, at_moment, category, clock, counted, day, duration, moment, status,
    typed,
};
use super::card::kept_away;
use crate::model::city::City;
use crate::model::draft::{Around, Draft, Field, SAMPLES, Twin};
use crate::model::paste::{DESCRIPTION, when as said};
use crate::model::selection::Exclusion;
use crate::model::slot::{NoTime, When};
use crate::model::{NoPhone, OrderId};

/// Begins a free visit that repeats a closed order.
pub const BUTTON_REPEAT: &str = "🛡 Гарантийный выезд";
/// Begins the order anew.
pub const BUTTON_OVER: &str = "🆕 Начать заново";
/// Leaves the district out.
pub const BUTTON_ANY_DISTRICT: &str = "Район не важен";
/// Leaves the name out.
pub const BUTTON_NO_NAME: &str = "Имя не назвали";
/// Leaves the description out.
pub const BUTTON_NO_DESCRIPTION: &str = "Без описания";
/// As soon as possible.
pub const BUTTON_SOON: &str = "⚡ Как можно скорее";
/// Other days.
pub const BUTTON_OTHER_DAYS: &str = "◀ Другой день";
/// Everybody may be asked.
pub const BUTTON_ANY_MASTER: &str = "Любому мастеру";
/// Back to the whole.
pub const BUTTON_WHOLE: &str = "◀ К заявке целиком";
/// Makes the order.
pub const BUTTON_CREATE: &str = "✅ Создать и искать мастера";
/// Fills the open draft with a message that came beside it.
pub const BUTTON_ADD: &str = "➕ Дополнить эту заявку";
/// Begins another one of it.
pub const BUTTON_INSTEAD: &str = "🆕 Начать новую, эту удалить";
/// Asks whether to drop the draft.
pub const BUTTON_DROP: &str = "🗑 Удалить черновик";
/// Drops it.
pub const BUTTON_DROP_YES: &str = "🗑 Да, удалить";
/// Keeps it.
pub const BUTTON_DROP_NO: &str = "◀ Нет, оставить";

/// Who has not said the name, in the order.
pub const NAMELESS: &str = "Клиент";
/// To who may act where there is no city.
pub const NO_CITIES: &str = "Городов пока нет. Первый появится с первым мастером, его добавляют на сервере: field-service master add --city Тюмень --timezone Asia/Yekaterinburg …";
/// To who may only look.
pub const NOT_YOURS_TO_MAKE: &str = "Новые заявки создают диспетчеры и администраторы, у вас только просмотр.";
/// To a button of a draft that is none any more.
pub const NO_DRAFT: &str = "Этого черновика уже нет: его удалили, или он пролежал больше суток. Начните новую заявку.";
/// To a choice that is none any more.
pub const CHOICE_GONE: &str = "Этого варианта больше нет. Выберите из тех, что на экране.";
/// To a window that has passed.
pub const WINDOW_PAST: &str = "Это время уже прошло. Выберите другое.";
/// To a draft that changed since it was shown.
pub const DRAFT_CHANGED: &str = "Черновик с тех пор изменился, заявка не создана. Проверьте его ещё раз.";
/// To an order that is not closed.
pub const NOT_CLOSED: &str = "Гарантийный выезд создают только по закрытой заявке, а эта сейчас не закрыта.";
/// To a draft that was dropped.
pub const DROPPED: &str = "Черновик удалён.";
/// To a draft whose master may not be asked.
pub const MASTER_GONE: &str = "Этого мастера заблокировали, или он работает в другом городе. Заявка не создана: выберите, кому предложить сначала.";
/// To a draft whose time has passed.
pub const SLOT_PAST: &str = "Время клиента уже прошло. Заявка не создана: выберите другое время.";
/// To a draft of another city, or of a district that was removed.
pub const PLACE_GONE: &str = "Этот город или район у вас убрали. Заявка не создана: выберите другой.";

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A picture, a sticker, a voice.
    NotWords,
    /// A contact where no phone is asked for.
    Contact,
    /// Somebody else's message.
    Forwarded,
    /// Nothing in it is a word or a number.
    Empty,
    /// Longer than so many characters, of which so many are allowed.
    TooLong(usize, usize),
    /// No trade, and no order.
    NoTrade,
    /// None of the choices.
    NoChoice,
    /// No phone.
    NoPhone(NoPhone),
    /// A phone where an address is asked for.
    PhoneForAddress,
    /// A phone where a name is asked for.
    PhoneForName,
    /// No time.
    NoTime(NoTime),
    /// Nothing was asked.
    NothingAsked,
    /// There is a draft already.
    DraftFirst,
    /// The draft was too old.
    TooOld,
}

/// What is wrong, and what to do.
pub(in crate::bots::render) fn fault(fault: Fault) -> String {
    match fault {
        Fault::NotWords => "Фото, голос и файлы я не читаю. Напишите словами.".to_owned(),
        Fault::Contact => "Здесь нужен не контакт. Контакт клиента пришлите, когда спрошу телефон.".to_owned(),
        Fault::Forwarded => "Пересланное сообщение за ответ не считается. Напишите сами.".to_owned(),
        Fault::Empty => "Здесь нет ни слова, ни числа. Напишите словами.".to_owned(),
        Fault::TooLong(is, may) => {
            format!("Слишком длинно: {}, а помещается {may}. Сократите.", counted(is, ["знак", "знака", "знаков"]))
        }
        Fault::NoTrade => {
            "Не понял, что за работа. Выберите кнопкой или пришлите заявку целиком: адрес, телефон, что случилось."
                .to_owned()
        }
        Fault::NoChoice => "Такого варианта нет. Нажмите кнопку или напишите название так, как на ней.".to_owned(),
        Fault::NoPhone(why) => no_phone(why),
        Fault::PhoneForAddress => "Это телефон, а нужен адрес. Телефон спрошу следом.".to_owned(),
        Fault::PhoneForName => "Это телефон, а нужно имя клиента.".to_owned(),
        Fault::NoTime(why) => no_time(why).to_owned(),
        Fault::NothingAsked => "Чтобы исправить что-то в заявке, нажмите на это поле ниже.".to_owned(),
        Fault::DraftFirst => {
            "У вас есть незаконченная заявка, вот она. Создайте её или удалите, а потом пришлите новую ещё раз."
                .to_owned()
        }
        Fault::TooOld => NO_DRAFT.to_owned(),
    }
}

/// Why something is no phone, and what would be one.
pub(super) fn no_phone(why: NoPhone) -> String {
    let digits = |digits| counted(digits, ["цифра", "цифры", "цифр"]);
    match why {
        NoPhone::NotANumber => {
            "Это не похоже на телефон. Нужны только цифры с кодом, например 8 912 345-67-89.".to_owned()
        }
        NoPhone::TooShort(count) => format!(
            "В номере {}, а нужно 10 или 11: с кодом города или оператора. Проверьте, не пропущена ли цифра.",
            digits(count)
        ),
        NoPhone::TooLong(count) => {
            format!("В номере {}, это слишком много. Пришлите один номер.", digits(count))
        }
        NoPhone::Unknown => "Такого номера не бывает. Проверьте код и цифры.".to_owned(),
    }
}

/// Why something is no time to come, and what would be one.
pub(super) fn no_time(why: NoTime) -> &'static str {
    match why {
        NoTime::NotUnderstood => "Не понял, когда.",
        NoTime::Past => "Это время уже прошло. Назовите другое.",
        NoTime::TooFar => "Это слишком далеко: заявки принимаем не больше чем на три месяца вперёд.",
    }
}

/// The question for a field, above its buttons; of the hours of a day that was chosen.
pub(in crate::bots::render) fn ask(
    draft: &Draft,
    cities: &[City],
    resumed: bool,
    chosen: Option<Date>,
    wrong: Option<Fault>,
) -> String {
    let known = known(draft, cities);
    let title = match draft.guarantee_of {
        Some(order) => format!("🛡 <b>Гарантийный выезд по заявке №{order}</b>"),
        None => "➕ <b>Новая заявка</b>".to_owned(),
    };
    let resumed = resumed.then(|| "Продолжаем с того места, где остановились.".to_owned());
    let wrong = wrong.map(|wrong| format!("⚠️ {}", fault(wrong)));
    let field = draft.step.unwrap_or(Field::Category);
    let question = if field == Field::Category && draft.is_blank() {
        "<b>Что за работа?</b>\nНажмите кнопку — или пришлите всю заявку одним сообщением, как её продиктовал клиент."
    } else {
        question(field)
    };
    let city = draft.city_of(cities).or(cities.first());
    let hours = chosen.zip(city).filter(|_| field == Field::When).map(|(date, city)| {
        format!(
            "<b>Когда приехать: {}, во сколько?</b>\nНажмите кнопку или напишите, например «с 14 до 16».",
            day(date, city.now.date())
        )
    });
    let uncertain = draft.uncertain_time().filter(|_| field == Field::When && chosen.is_none());
    let uncertain = uncertain.map(|words| {
        let why = city.map(|city| said::read(words, None, city.now, city.workday, &VOCABULARY));
        let why = match why {
            Some(Err(NoTime::Past)) => "Это время уже прошло.",
            Some(Err(NoTime::TooFar)) => "Это слишком далеко: заявки принимаем не больше чем на три месяца вперёд.",
            _ => "Не понял, когда это.",
        };
        format!("В сообщении: <i>«{}»</i>. {why}", typed(words, NAME_LIMIT))
    });
    let head = [Some(title), resumed].into_iter().flatten().chain(known).collect::<Vec<_>>().join("\n");
    [Some(head), wrong, uncertain, Some(hours.unwrap_or_else(|| question.to_owned()))]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn question(field: Field) -> &'static str {
    match field {
        Field::Category => "<b>Что за работа?</b>",
        Field::City => "<b>В каком городе?</b>",
        Field::District => "<b>Какой район?</b>",
        Field::Address => "<b>Какой адрес?</b>\nУлица, дом, квартира, подъезд, код — одним сообщением.",
        Field::Phone => "<b>Какой телефон у клиента?</b>\nС кодом, например 8 912 345-67-89.",
        Field::Name => "<b>Как зовут клиента?</b>",
        Field::Description => "<b>Что случилось или что сделать?</b>\nЭто прочитает мастер, прежде чем взять заявку.",
        Field::When => "<b>Когда приехать?</b>\nНажмите кнопку или напишите, например «завтра с 14 до 16».",
        Field::Preferred => "<b>Кому предложить сначала?</b>\nОстальным — если он не возьмёт.",
    }
}

/// What is known so far, a line for each.
fn known(draft: &Draft, cities: &[City]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(trade) = draft.category {
        lines.push(format!("🛠 {}", category(trade)));
    }
    if let Some(place) = place(draft, cities) {
        lines.push(format!("📍 {place}"));
    }
    if let Some(phone) = &draft.phone {
        lines.push(format!("📞 {}", typed(&phone.shown(), NAME_LIMIT)));
    }
    if let Some(name) = &draft.name {
        lines.push(format!("👤 {}", typed(name, NAME_LIMIT)));
    }
    if let (Some(_), Some(city)) = (draft.when, draft.city_of(cities).or(cities.first())) {
        lines.push(format!("🕒 {}", when(draft.when, city.now)));
    }
    if let Some(description) = &draft.description {
        lines.push(format!("📝 {}", typed(description, ADDRESS_LIMIT)));
    }
    lines
}

/// City, district, address, as far as they are known; not the only city alone.
fn place(draft: &Draft, cities: &[City]) -> Option<String> {
    let city = draft.city_of(cities);
    let district = city.and_then(|city| city.districts.iter().find(|district| Some(district.id) == draft.district));
    let alone = cities.len() == 1 && district.is_none() && draft.address.is_none();
    let parts = [
        city.filter(|_| !alone).map(|city| typed(&city.name, NAME_LIMIT)),
        district.map(|district| typed(&district.name, NAME_LIMIT)),
        draft.address.as_ref().map(|address| typed(address, ADDRESS_LIMIT)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// When, in words.
pub(in crate::bots::render) fn when(when: Option<When>, now: DateTime) -> String {
    match when {
        Some(When::Soon) | None => "как можно скорее".to_owned(),
        Some(When::Slot { start, end }) if start.date() == end.date() => {
            format!("{}–{}", moment(start, now), clock(end.time()))
        }
        Some(When::Slot { start, end }) => format!("{} – {}", moment(start, now), moment(end, now)),
    }
}

/// The draft as a whole, to be looked through before the order is made. `deferred`: when its search can begin instead of now.
pub(in crate::bots::render) fn whole(
    draft: &Draft,
    cities: &[City],
    around: &Around,
    deferred: Option<DateTime>,
    wrong: Option<Fault>,
) -> String {
    let title = match draft.guarantee_of {
        Some(order) => format!("🛡 <b>Проверьте гарантийный выезд по №{order}</b>"),
        None => "➕ <b>Проверьте новую заявку</b>".to_owned(),
    };
    let now = draft.city_of(cities).or(cities.first()).map(|city| city.now);
    let took = |field: Field| {
        let took = draft.took.iter().find(|(took, _)| *took == field).map(|(_, took)| took);
        took.map(|took| format!(" <i>← «{}»</i>", typed(took, NAME_LIMIT))).unwrap_or_default()
    };
    let place_took: String = [Field::City, Field::District, Field::Address].into_iter().map(took).collect();
    let mut lines = vec![
        format!("🛠 {}{}", draft.category.map_or("—", category), took(Field::Category)),
        format!("📍 {}{place_took}", place(draft, cities).unwrap_or_else(|| "—".to_owned())),
        format!(
            "📞 {}{}",
            draft.phone.as_ref().map_or_else(|| "—".to_owned(), |phone| typed(&phone.shown(), NAME_LIMIT)),
            took(Field::Phone)
        ),
        format!(
            "👤 {}{}",
            draft.name.as_ref().map_or_else(|| "имя не назвали".to_owned(), |name| typed(name, NAME_LIMIT)),
            took(Field::Name)
        ),
        format!("🕒 {}{}", now.map_or_else(String::new, |now| when(draft.when, now)), took(Field::When)),
    ];
    if let Some(description) = &draft.description {
        lines.push(format!("📝 {}", typed(description, DESCRIPTION_LIMIT / 2)));
    }
    lines.extend(preferred(draft, around));

    let mut notes: Vec<String> = Vec::new();
    notes.extend(wrong.map(|wrong| format!("⚠️ {}", fault(wrong))));
    let is_cut = |description: &String| description.ends_with('…') && description.encode_utf16().count() >= DESCRIPTION;
    if draft.pasted.is_some() && draft.description.as_ref().is_some_and(is_cut) {
        notes.push(format!("✂️ Описание длиннее {DESCRIPTION} знаков, конец отрезан. Если там важное, исправьте его."));
    }
    notes.extend(twins(&around.twins));
    notes.extend(supply(around));
    if let (Some(at), Some(now)) = (deferred, now) {
        notes.push(format!(
            "🌙 В городе сейчас {}, рабочее время начнётся {}. Можно искать мастера сейчас или тогда.",
            clock(now.time()),
            at_moment(at, now)
        ));
    }
    let pasted = draft.pasted.as_ref().map(|pasted| {
        format!("<blockquote expandable>Как прислали:\n{}</blockquote>", typed(pasted, DESCRIPTION_LIMIT / 2))
    });
    let lines = format!("{title}\n{}", lines.join("\n"));
    std::iter::once(lines)
        .chain((!notes.is_empty()).then(|| notes.join("\n")))
        .chain(pasted)
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn preferred(draft: &Draft, around: &Around) -> Option<String> {
    draft.preferred?;
    Some(match &around.preferred {
        // No order is made for who is blocked.
        Some((name, Some(Exclusion::Blocked))) => {
            format!("👷 ⚠️ {}: мастер заблокирован. Выберите другого", typed(name, NAME_LIMIT))
        }
        Some((name, Some(Exclusion::Waiting))) => {
            format!("👷 ⚠️ {}: анкета ещё не одобрена. Одобрите её или выберите другого", typed(name, NAME_LIMIT))
        }
        Some((name, why)) => {
            let kept = why.and_then(kept_away).map(|why| format!(" (⚠️ сейчас {why}, пока это так, спросим других)"));
            format!("👷 Сначала предложить: {}{}", typed(name, NAME_LIMIT), kept.unwrap_or_default())
        }
        None => "👷 ⚠️ Выбранный мастер не работает в этом городе: выберите другого".to_owned(),
    })
}

fn twins(twins: &[Twin]) -> Option<String> {
    let named: Vec<String> = twins.iter().map(|twin| format!("№{} ({})", twin.order, status(twin.status))).collect();
    match named.as_slice() {
        [] => None,
        [one] => Some(format!("⚠️ По этому телефону открыта {one}. Не она ли это?")),
        several => Some(format!("⚠️ По этому телефону открыты: {}. Не одна ли из них?", several.join(", "))),
    }
}

fn supply(around: &Around) -> Option<String> {
    let supply = around.supply?;
    if supply.suitable == 0 {
        return Some("👷 Подходящих мастеров нет: заявку придётся назначить вручную.".to_owned());
    }
    let usually = around.usually.filter(|usually| usually.orders >= SAMPLES).map(|usually| {
        let orders = usize::try_from(usually.orders).unwrap_or(usize::MAX);
        format!(
            ", обычно берут за {} (по {})",
            duration(usually.seconds),
            counted(orders, ["заявке", "заявкам", "заявкам"])
        )
    });
    Some(format!("👷 Подходящих: {}, свободных: {}{}.", supply.suitable, supply.free, usually.unwrap_or_default()))
}

/// Creates it, and looks for a master in the morning.
pub(in crate::bots::render) fn button_defer(at: DateTime, now: DateTime) -> String {
    format!("🌙 Создать, искать {}", at_moment(at, now))
}

/// Opens an order of the same client.
pub(in crate::bots::render) fn button_twin(twin: &Twin) -> String {
    format!("📄 Открыть №{}", twin.order)
}

/// Says a field again.
pub(in crate::bots::render) fn button_edit(field: Field) -> &'static str {
    match field {
        Field::Category => "🛠 Работа",
        Field::City => "🏙 Город",
        Field::District => "🗺 Район",
        Field::Address => "📍 Адрес",
        Field::Phone => "📞 Телефон",
        Field::Name => "👤 Имя",
        Field::Description => "📝 Описание",
        Field::When => "🕒 Время",
        Field::Preferred => "👷 Мастер",
    }
}

/// A trade.
pub(in crate::bots::render) fn button_trade(trade: crate::model::Category) -> &'static str {
    category(trade)
}

/// What to do with a message that says an order, while another is not finished.
pub(in crate::bots::render) fn add_or_instead(draft: &Draft, cities: &[City], written: &str) -> String {
    let title = match draft.guarantee_of {
        Some(order) => format!("⚠️ <b>У вас есть незаконченный гарантийный выезд по заявке №{order}:</b>"),
        None => "⚠️ <b>У вас есть незаконченная заявка:</b>".to_owned(),
    };
    let known = std::iter::once(title).chain(known(draft, cities)).collect::<Vec<_>>().join("\n");
    format!(
        "{known}\n\n<b>Новое сообщение:</b>\n<i>«{}»</i>\n\nДополнить им эту заявку или начать новую?",
        typed(written, DESCRIPTION_LIMIT / 2)
    )
}

/// To a choice about a message that is kept no more.
pub const MESSAGE_GONE: &str = "Это сообщение уже в заявке, или его у меня больше нет. Вот что записано.";

/// The question before a draft is dropped.
pub(in crate::bots::render) fn confirm_drop() -> String {
    "Удалить черновик? Всё, что в нём записано, пропадёт.".to_owned()
}

/// How the search of a new order goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// So many masters were asked.
    Asked(usize),
    /// There is nobody to be asked.
    Nobody,
    /// It begins in a moment.
    Soon,
    /// It begins at this time, on the clocks of the city, where it is now this one.
    Deferred(DateTime, DateTime),
}

/// What came of a new order: over the chat, with the card below.
#[must_use]
pub fn created(order: OrderId, begun: Begun) -> String {
    let what = match begun {
        Begun::Asked(count) => format!("Предложена {}.", counted(count, ["мастеру", "мастерам", "мастерам"])),
        Begun::Nobody => {
            "Спросить сейчас некого: подходящих и свободных мастеров нет. Можно назначить вручную.".to_owned()
        }
        Begun::Soon => "Ищем мастера.".to_owned(),
        Begun::Deferred(at, now) => format!("Мастера начнём искать {}.", at_moment(at, now)),
    };
    format!("✅ Заявка №{order} создана. {what}")
}

/// That it was made before.
#[must_use]
pub fn already_created(order: OrderId) -> String {
    format!("По этому черновику уже создана заявка №{order}. Вот она.")
}
