//! What people do on the page.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Typed, checked, read, written};
use super::truth::{self, NewOrder};
use super::{Race, Shown};
use crate::model::TelegramUserId;
use crate::model::order::Category;
use crate::sim::telegram::{Chat, wall_clock};
use crate::store::masters::enrol::{self, Added, NewMaster};
use crate::store::masters::place::{Districts, Refusal};
use crate::store::{Error, Store};

/// How many races are shown.
const REMEMBERED: usize = 5;
/// The longest that the database can be cut off.
const LONGEST_CUT: Duration = Duration::from_mins(2);

/// Does it and says what was made, if anything; or says in words for the person why not, and then nothing was done.
pub(super) async fn act(shown: &Arc<Shown>, action: &str, body: &[u8]) -> Result<Value, String> {
    let telegram = &shown.world.telegram;
    match action {
        "tap" => {
            let Tap { chat, message, data } = read(body)?;
            let (token, chat) = open(shown, chat)?;
            telegram.enqueue(&token, chat.tap_update_on(message, &data));
        }
        "say" => {
            let Say { chat, text } = read(body)?;
            let text = written(&text)?;
            let ChatId { person, .. } = chat;
            let (token, chat) = open(shown, chat)?;
            // Whoever has a link to a bot follows it, which opens that bot's chat.
            match telegram.follow(person, text) {
                Some((opened, update)) => telegram.enqueue(opened.token(), update),
                None => telegram.enqueue(&token, chat.text_update(text)),
            }
        }
        "contact" => {
            let (token, chat) = open(shown, read(body)?)?;
            telegram.enqueue(&token, chat.own_contact_update());
        }
        "edit" => {
            let Edit { chat, message, text } = read(body)?;
            let text = written(&text)?;
            let (token, chat) = open(shown, chat)?;
            let update = chat.edit(message, text).ok_or("Изменить можно только своё сообщение.")?;
            telegram.enqueue(&token, update);
        }
        // Whoever opens the chat has touched it.
        "touch" => drop(open(shown, read(body)?)?),
        "block" => {
            let Block { chat, blocked } = read(body)?;
            open(shown, chat)?.1.block_bot(blocked);
        }
        "phone" => {
            let NewPhone { bot, person, name } = read(body)?;
            let token = telegram.token(bot).ok_or("Такого бота нет.")?;
            let (person, name) = checked(person, &name)?;
            if let Some(known) = telegram.phones(0).into_iter().find(|phone| (phone.bot, phone.person) == (bot, person))
            {
                return Err(format!("Такой телефон уже есть: {}.", known.name));
            }
            drop(telegram.chat(&token, person, name));
        }
        "master" => add_master(shown, read(body)?).await?,
        "order" => return add_order(shown, &read(body)?).await,
        "race" => race(shown, read(body)?).await?,
        "faults" => set_faults(shown, read(body)?)?,
        "wait" => telegram.let_pass_until_next_attempt(),
        "cut" => cut(shown, &read(body)?)?,
        _ => return Err(format!("Действия «{action}» нет.")),
    }
    shown.changed.send_replace(());
    Ok(json!({}))
}

/// One of the chats on the page.
#[derive(Clone, Copy, Deserialize)]
struct ChatId {
    bot: i64,
    person: i64,
}

#[derive(Deserialize)]
struct Tap {
    #[serde(flatten)]
    chat: ChatId,
    message: i32,
    data: String,
}

#[derive(Deserialize)]
struct Say {
    #[serde(flatten)]
    chat: ChatId,
    text: String,
}

#[derive(Deserialize)]
struct Edit {
    #[serde(flatten)]
    chat: ChatId,
    message: i32,
    text: String,
}

#[derive(Deserialize)]
struct Block {
    #[serde(flatten)]
    chat: ChatId,
    blocked: bool,
}

#[derive(Deserialize)]
struct NewPhone {
    bot: i64,
    person: Typed,
    name: String,
}

/// The bot's token, and the chat, whose phone somebody is at.
fn open(shown: &Shown, ChatId { bot, person }: ChatId) -> Result<(String, Chat), String> {
    let telegram = &shown.world.telegram;
    let token = telegram.token(bot).ok_or("Такого бота нет.")?;
    let chat = telegram.known_chat(&token, person).ok_or("Такого телефона нет.")?;
    chat.touch();
    Ok((token, chat))
}

fn database(shown: &Shown) -> Result<&Store, String> {
    shown.world.database.as_ref().ok_or_else(|| "База неизвестна: задайте DATABASE_URL при запуске sim.".to_owned())
}

fn in_words(error: &Error) -> String {
    format!("База отказала: {error}")
}

/// A new master, with all trades.
#[derive(Deserialize)]
struct MasterForm {
    person: Typed,
    name: String,
    city: String,
    timezone: String,
}

async fn add_master(shown: &Shown, form: MasterForm) -> Result<(), String> {
    let MasterForm { person, name, city, timezone } = form;
    let (person, name) = checked(person, &name)?;
    let (city, timezone) = (city.trim(), timezone.trim());
    if city.is_empty() || city.chars().count() > 200 || city.chars().any(char::is_control) {
        return Err("Город — от 1 до 200 знаков в одну строку.".to_owned());
    }
    if timezone.chars().count() > 200 || timezone.chars().any(char::is_control) {
        return Err("Часового пояса с таким именем нет. Нужен такой, как Europe/Moscow.".to_owned());
    }
    let new = NewMaster {
        user: TelegramUserId(person),
        full_name: name.to_owned(),
        phone: None,
        city: city.to_owned(),
        timezone: Some(timezone.to_owned()).filter(|timezone| !timezone.is_empty()),
        districts: Districts { all: true, ..Districts::default() },
        categories: Category::ALL.to_vec(),
    };
    match enrol::add(database(shown)?, &new).await.map_err(|error| in_words(&error))? {
        Added::Added(_) => {}
        Added::AlreadyThere(id) => return Err(format!("Telegram ID {person} уже у мастера {id}.")),
        Added::Refused(refusals) => return Err(refused(&refusals, city, timezone)),
    }
    truth::refresh(shown).await;
    let telegram = &shown.world.telegram;
    let token = telegram.token(shown.world.master_bot).ok_or("Нет бота мастеров.")?;
    drop(telegram.chat(&token, person, name));
    Ok(())
}

fn refused(refusals: &[Refusal], city: &str, timezone: &str) -> String {
    match refusals.first() {
        Some(Refusal::UnknownTimezone) => {
            format!("Часового пояса «{timezone}» нет. Нужен такой, как Europe/Moscow.")
        }
        Some(Refusal::UnknownCity(_)) => {
            format!("Города «{city}» ещё нет: укажите и часовой пояс, например Europe/Moscow.")
        }
        Some(Refusal::OtherTimezone(known)) => format!("«{city}» уже есть, и часовой пояс там {known}."),
        _ => "Мастера с такими данными добавить нельзя.".to_owned(),
    }
}

async fn add_order(shown: &Shown, form: &NewOrder) -> Result<Value, String> {
    let lines = [&form.address, &form.client_name, &form.client_phone];
    if lines.iter().any(|text| text.trim().is_empty()) {
        return Err("Нужны адрес, имя и телефон клиента.".to_owned());
    }
    if lines.iter().any(|text| text.chars().count() > 200 || text.chars().any(char::is_control)) {
        return Err("Адрес, имя и телефон — не длиннее 200 знаков и в одну строку.".to_owned());
    }
    if form.description.chars().count() > 2000 || form.description.contains('\0') {
        return Err("Описание — не длиннее 2000 знаков.".to_owned());
    }
    if Category::parse(&form.category).is_none() {
        return Err("Такого вида работ нет.".to_owned());
    }
    let minutes = form.minutes.whole("Срок ответа в минутах", 1..=10_000)?;
    let made = truth::add_order(database(shown)?, form, i32::try_from(minutes).unwrap_or(i32::MAX))
        .await
        .map_err(|error| in_words(&error))?;
    let order = made.ok_or("Выберите город или мастеров одного города, которым предложить заявку.")?;
    truth::refresh(shown).await;
    Ok(json!({"order": order}))
}

#[derive(Deserialize)]
struct RaceForm {
    bot: i64,
    order: Typed,
    people: Vec<i64>,
}

/// A part of the faults; the rest stays.
fn set_faults(shown: &Shown, mut part: serde_json::Map<String, Value>) -> Result<(), String> {
    if let Some(late) = part.get_mut("late_seconds") {
        *late = json!(Typed::from(late.take()).whole("Опоздание в секундах", 0..=300)?);
    }
    let telegram = &shown.world.telegram;
    let mut faults = json!(telegram.faults());
    if let Value::Object(whole) = &mut faults {
        whole.extend(part);
    }
    telegram.set_faults(read(faults.to_string().as_bytes())?);
    Ok(())
}

/// How long a race waits for its cards.
const CARDS: Duration = Duration::from_secs(8);

/// Opens the order's card on each phone, as people do; then lets all of them tap in the same instant.
async fn race(shown: &Shown, RaceForm { bot, order, people }: RaceForm) -> Result<(), String> {
    let telegram = &shown.world.telegram;
    let order = order.whole("Номер заявки", 1..=(1 << 53) - 1)?;
    if people.len() < 2 {
        return Err("Для гонки нужны хотя бы два мастера.".to_owned());
    }
    let chats = people.iter().map(|person| open(shown, ChatId { bot, person: *person }));
    let chats = chats.collect::<Result<Vec<(String, Chat)>, String>>()?;
    // The faults that are switched on are for the race itself.
    let cards = join_all(chats.iter().zip(&people).map(|((_, chat), person)| async move {
        telegram.idle(bot, *person).await;
        if chat.messages().is_empty() {
            chat.say("/start").await;
        }
        chat.tap(&format!("m:new:card:{order}")).await.delivery.status
    }));
    let opened = tokio::time::timeout(CARDS, cards).await.map_err(|_| {
        format!(
            "За {} с карточки открылись не у всех: доставки ждут или обработчик думает. Гонка не началась.",
            CARDS.as_secs()
        )
    })?;
    if let Some(status) = opened.iter().find(|status| **status != Some(200)) {
        let answered = status.map_or("не ответил".to_owned(), |status| format!("ответил {status}"));
        return Err(format!("Карточки открылись не у всех: обработчик {answered}. Гонка не началась."));
    }

    let taps: Vec<_> = chats.iter().map(|(_, chat)| chat.tap_update(&take_button(chat, order))).collect();
    {
        let mut races = shown.races.lock().unwrap_or_else(PoisonError::into_inner);
        let updates = taps.iter().filter_map(|tap| tap["update_id"].as_i64()).collect();
        let number = races.last().map_or(1, |race| race.number + 1);
        races.push(Race { number, order, bot, updates });
        if races.len() > REMEMBERED {
            races.remove(0);
        }
    }
    for ((token, _), tap) in chats.iter().zip(taps) {
        telegram.enqueue(token, tap);
    }
    Ok(())
}

/// The card's own button, or what it would send if somebody made it up: the card may not be there any more.
fn take_button(chat: &Chat, order: i64) -> String {
    let made_up = format!("m:new:acc:{order}");
    let with_page = format!("{made_up}:");
    let on_card = chat.buttons().into_iter().find(|button| button.data.starts_with(&with_page));
    on_card.map_or(made_up, |button| button.data)
}

/// For how long; nothing puts an end to it.
#[derive(Deserialize)]
struct Cut {
    seconds: Typed,
}

fn cut(shown: &Arc<Shown>, cut: &Cut) -> Result<(), String> {
    let Some(proxy) = &shown.world.proxy else {
        return Err("Обработчик ходит в базу своей дорогой: отсюда её не перекрыть.".to_owned());
    };
    let longest = LONGEST_CUT.as_secs().try_into().unwrap_or(i64::MAX);
    let seconds = cut.seconds.whole("На сколько секунд отключить базу", 0..=longest)?;
    let length = Duration::from_secs(seconds.unsigned_abs());
    if length.is_zero() {
        proxy.restore();
        shown.set_cut_until(None);
        return Ok(());
    }
    let until = wall_clock() + length.as_secs_f64() * 1000.0;
    proxy.cut();
    shown.set_cut_until(Some(until));
    let shown = Arc::downgrade(shown);
    tokio::spawn(async move {
        tokio::time::sleep(length).await;
        let Some(shown) = shown.upgrade() else { return };
        // Unless it was cut again meanwhile.
        if *shown.cut_until.lock().unwrap_or_else(PoisonError::into_inner) == Some(until)
            && let Some(proxy) = &shown.world.proxy
        {
            proxy.restore();
            shown.set_cut_until(None);
        }
    });
    Ok(())
}
