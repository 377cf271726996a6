//! `doctor`: reads all that can be read of an installation, at once and each alone, and lets it be judged.
//!
//! One that fails or hangs stops no other, and nothing is changed anywhere. Whether something is well is [`judge`]'s to say.

mod server;
mod settings;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Shared, join_all};
use jiff::Timestamp;
use tokio::join;
use tokio::time::timeout;

use crate::config::{self, Lookup};
use crate::model::doctor::clocks::Reading;
use crate::model::doctor::finding::{Read, Report, Unread};
use crate::model::doctor::schema::Schema;
use crate::model::doctor::server::Statements;
use crate::model::doctor::staff::{Opened, Staff};
use crate::model::doctor::webhook;
use crate::model::doctor::{Facts, judge};
use crate::model::{BotName, TelegramUserId};
use crate::store::{self, Clock, Store};
use crate::telegram::{self, Bot};
use settings::Settings;

/// How long each is waited for.
pub const PATIENCE: Duration = Duration::from_secs(6);
/// How many connections there are at once for what is read in the pool: more than hang, and few enough to be spared by those who
/// work.
const CONNECTIONS: usize = 5;
/// How many of the staff Telegram is asked about.
const ASKED: usize = 30;
/// The variable without which nothing is known of the database.
const DATABASE_URL: &str = "DATABASE_URL";

/// What went wrong before anything could be examined, in words that show nobody's secrets.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Of the file of settings.
    pub file: Option<String>,
    /// That the file of settings can be read by others.
    pub is_open: bool,
    /// Of a setting that was read before.
    pub setting: Option<String>,
    /// Of the start of a database of one's own.
    pub database: Option<String>,
}

/// Examines the installation that the settings name.
pub async fn examine(lookup: Lookup<'_>, clock: Clock, before: Before) -> Report {
    judge(&Box::pin(read(lookup, clock, before)).await)
}

/// Reads everything.
async fn read(lookup: Lookup<'_>, clock: Clock, before: Before) -> Facts {
    let mut settings = Settings::read(lookup);
    settings.findings.extend(before.setting.map(settings::malformed));
    settings.findings.extend(before.file.map(settings::unread_file));
    settings.findings.extend(before.is_open.then(settings::open_file));
    let store = settings.database.as_ref().and_then(|database| match Store::new(database, CONNECTIONS, clock) {
        Ok(store) => Some(store),
        Err(error) => {
            settings.findings.push(settings::malformed(error.to_string()));
            None
        }
    });
    let store = store.as_ref();
    let [master, admin] = &settings.bots;
    let bots = async {
        join!(
            bot(BotName::Master, master.as_ref(), store, &settings),
            bot(BotName::Admin, admin.as_ref(), store, &settings)
        )
    };
    let statements = async {
        let prepared = settings.prepared;
        of(store, store::doctor::is_pooled).await.map(|pooled| Statements { prepared, pooled })
    };
    // What is in the schema is asked for once it is known that there is one.
    let schema = of(store, store::doctor::schema).boxed().shared();
    let schema = &schema;
    // On the heap, as it is large.
    let of_database = Box::pin(async {
        join!(
            of(store, store::doctor::server),
            in_schema(schema, store, store::doctor::rights),
            schema.clone(),
            in_schema(schema, store, store::doctor::indexes),
            statements,
            of(store, store::doctor::clock),
            in_schema(schema, store, store::doctor::undone),
            in_schema(schema, store, store::doctor::masters),
            in_schema(schema, store, store::doctor::messages),
            in_schema(schema, store, store::doctor::cities),
        )
    });
    let (of_database, (staff, opened), (master, admin), telegram_clock, health) = join!(
        of_database,
        staff(schema, store, admin.as_ref()),
        bots,
        telegram_clock(&settings.bots),
        server::health(&settings)
    );
    let (server, rights, schema, indexes, statements, database_clock, undone, masters, messages, cities) = of_database;
    Facts {
        settings: settings.findings,
        not_started: before.database.map(settings::not_started),
        now: Timestamp::now().as_second(),
        server,
        rights,
        schema,
        indexes,
        statements,
        database_clock,
        telegram_clock,
        bots: [master, admin],
        health,
        undone,
        staff,
        opened,
        masters,
        messages,
        cities,
    }
}

/// What the database says within the time.
async fn of<'a, T, F>(store: Option<&'a Store>, read: impl FnOnce(&'a Store) -> F) -> Read<T>
where
    F: Future<Output = Result<T, store::Error>>,
{
    let Some(store) = store else { return Err(Unread::NotConfigured(DATABASE_URL)) };
    in_time(async { read(store).await.map_err(|error| Unread::Failed(error.to_string())) }).await
}

/// What the database says within the time of what migrations have made, if there have been any.
async fn in_schema<'a, T, F>(
    schema: &Shared<impl Future<Output = Read<Schema>>>,
    store: Option<&'a Store>,
    read: impl FnOnce(&'a Store) -> F,
) -> Read<T>
where
    F: Future<Output = Result<T, store::Error>>,
{
    in_time(async {
        match schema.clone().await {
            Ok(schema) if !schema.is_there() => Err(Unread::NeverMigrated),
            // What else keeps the migrations from being read keeps nothing else from it.
            _ => of(store, read).await,
        }
    })
    .await
}

/// What comes within the time.
async fn in_time<T>(read: impl Future<Output = Read<T>>) -> Read<T> {
    timeout(PATIENCE, read).await.unwrap_or(Err(Unread::TimedOut(PATIENCE)))
}

/// What Telegram says within the time.
async fn of_telegram<'a, T, F>(bot: Result<&'a Bot, &'static str>, read: impl FnOnce(&'a Bot) -> F) -> Read<T>
where
    F: Future<Output = Result<T, telegram::Error>>,
{
    let bot = bot.map_err(Unread::NotConfigured)?;
    in_time(async { read(bot).await.map_err(Unread::from) }).await
}

async fn bot(
    name: BotName,
    bot: Result<&Bot, &&'static str>,
    store: Option<&Store>,
    settings: &Settings,
) -> webhook::Bot {
    let bot = bot.map_err(|variable| *variable);
    let (me, webhook) = join!(of_telegram(bot, Bot::me), of_telegram(bot, Bot::webhook));
    let expected_origin = settings.public_url.as_ref().ok().and_then(|url| url.as_ref().map(config::PublicUrl::origin));
    let fetched = match &me {
        Ok(me) => of(store, |store| store::pollers::is_held(store, me.id)).await,
        Err(unread) => Err(unread.clone()),
    };
    webhook::Bot { name, me, webhook, fetched, expected_origin, has_secret: settings.has_secret(name) }
}

/// Telegram's clock, by whichever bot there is.
async fn telegram_clock(bots: &[Result<Bot, &'static str>; 2]) -> Read<Reading> {
    let [master, admin] = bots;
    let bot = master.as_ref().or(admin.as_ref()).map_err(|variable| *variable);
    of_telegram(bot, Bot::clock).await
}

/// The staff, and who of them has opened the bot.
async fn staff(
    schema: &Shared<impl Future<Output = Read<Schema>>>,
    store: Option<&Store>,
    bot: Result<&Bot, &&'static str>,
) -> (Read<Staff>, Read<Opened>) {
    let (staff, users) = match in_schema(schema, store, store::doctor::staff).await {
        Ok(read) => read,
        Err(unread) => return (Err(unread.clone()), Err(unread)),
    };
    let ids: Vec<_> = staff.people.iter().map(|person| person.id).collect();
    let bot = bot.map_err(|variable| *variable);
    let opened = of_telegram(bot, |bot| opened(bot, &ids, &users)).await;
    (Ok(staff), opened)
}

/// Who of these people has opened the bot: of the first ones, all asked about at once.
async fn opened(bot: &Bot, ids: &[i64], users: &[TelegramUserId]) -> Result<Opened, telegram::Error> {
    let asked = users.iter().take(ASKED);
    let answers = join_all(asked.map(|user| bot.is_opened_by(*user))).await;
    let mut never = Vec::new();
    for (id, answer) in ids.iter().zip(answers) {
        if !answer? {
            never.push(*id);
        }
    }
    Ok(Opened { never, unasked: users.len().saturating_sub(ASKED) })
}
