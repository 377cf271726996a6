//! The whole system on this machine, and a race that anyone can watch: masters tap the same orders at the same
//! moment, through real HTTP, real Update JSON and a real PostgreSQL, and a transcript says what each of them saw.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio_postgres::Client;

use super::city::{City, Pace};
use super::invariants;
use super::page::{Page, World};
use super::proxy::Proxy;
use super::telegram::{Chat, Tap, Telegram, Webhook, bot_id};
use crate::app::{self, App};
use crate::cluster::{self, Cluster, Durability};
use crate::config;
use crate::dispatch::session;
use crate::http::server;
use crate::model::{StaffId, StaffRef};
use crate::store::{Clock, Store, migrate};

/// For how long the link to the dispatcher's page is good.
const LINK: Duration = Duration::from_hours(12);
const TOKEN: &str = "1001:local";
const ADMIN_TOKEN: &str = "1002:local";
const SECRET: &str = "local";

/// The demonstration cannot go on; nothing was left behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No private PostgreSQL.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The given connection string is malformed.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The schema could not be made.
    #[error(transparent)]
    Migration(#[from] migrate::Error),
    /// The handler could not be set up.
    #[error(transparent)]
    App(#[from] app::Error),
    /// The given database is in use. Nothing was changed in it.
    #[error("the database is in use ({0}); the demonstration works in an empty one only, and has changed nothing")]
    InUse(String),
    /// A statement of the demonstration itself failed.
    #[error("the demonstration's data: {0:?}")]
    Database(#[from] tokio_postgres::Error),
    /// A job's pass failed.
    #[error(transparent)]
    Tick(#[from] crate::store::Error),
    /// No port, or standard output is gone.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// An invariant does not hold.
    #[error("invariants broken:\n{}", .0.join("\n"))]
    Broken(Vec<String>),
}

/// The running system. Dropping it stops everything it started and removes the private PostgreSQL; what it wrote to a
/// database that was given stays there.
pub struct Demo {
    url: String,
    database_url: String,
    telegram: Telegram,
    app: Arc<App>,
    sql: Client,
    /// The handler's way to the private PostgreSQL, until the page has it.
    proxy: Option<Proxy>,
    stop: Option<oneshot::Sender<()>>,
    /// What goes on by itself once there is a page: the jobs, and the city.
    living: Vec<AbortHandle>,
    pace: Pace,
    /// Last, so that the server outlives its clients.
    _cluster: Option<Cluster>,
}

impl Demo {
    /// Starts a private PostgreSQL, or uses the empty database at `database_url`; then the schema, the data, a local
    /// Telegram and the handler.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(database_url: Option<String>) -> Result<Self, Error> {
        let cluster = match database_url {
            None => Some(tokio::task::block_in_place(|| Cluster::start(Durability::None))?),
            Some(_) => None,
        };
        let database_url = database_url
            .or_else(|| cluster.as_ref().map(|cluster| cluster.database_url("postgres")))
            .unwrap_or_default();
        let config = config::Database::from_url(&database_url)?;
        let sql = migrate::connect(&config).await?;
        refuse_what_is_in_use(&sql).await?;
        migrate::run(&config).await?;
        sql.batch_execute(&format!("BEGIN;\n{}\n;COMMIT; ANALYZE", include_str!("seed.sql"))).await?;

        let telegram = Telegram::start().await?;
        let proxy = match &cluster {
            Some(cluster) => Some(Proxy::start(cluster.folder()).await?),
            None => None,
        };
        let proxied = proxy.as_ref().map(|proxy| proxy.database_url("postgres"));
        let (url, app, stop) = serve(proxied.as_ref().unwrap_or(&database_url), &telegram)?;
        let masters = sql.query("SELECT telegram_user_id, full_name FROM masters", &[]).await?;
        for master in &masters {
            drop(telegram.chat(TOKEN, master.get(0), master.get(1)));
        }
        for dispatcher in &sql.query("SELECT telegram_user_id, full_name FROM staff", &[]).await? {
            drop(telegram.chat(ADMIN_TOKEN, dispatcher.get(0), dispatcher.get(1)));
        }
        Ok(Self {
            url,
            database_url,
            telegram,
            app,
            sql,
            proxy,
            stop: Some(stop),
            living: Vec::new(),
            pace: Pace::HUMAN,
            _cluster: cluster,
        })
    }

    /// Lets the people whom nobody plays do without long pauses.
    pub fn hurry(&mut self) {
        self.pace = Pace::HURRIED;
    }

    /// Shows the running system as a page. From now on orders come and find their masters by themselves, and the masters
    /// whom nobody plays do them.
    ///
    /// # Errors
    /// When the listener or the database's settings cannot be used.
    pub async fn page(&mut self, listener: TcpListener) -> Result<Page, Error> {
        let people = "SELECT $1, telegram_user_id FROM masters UNION ALL SELECT $2, telegram_user_id FROM staff";
        for person in self.sql.query(people, &[&TOKEN, &ADMIN_TOKEN]).await? {
            if let Some(chat) = self.telegram.known_chat(person.get(0), person.get(1))
                && chat.messages().is_empty()
            {
                chat.enqueue_simulated(chat.text_update("/start")).await;
            }
        }
        let jobs = self.app.jobs();
        let ticking = tokio::spawn(async move { jobs.run(std::future::pending()).await });
        let config = config::Database::from_url(&self.database_url)?;
        let outside = Store::new(&config, 2, Clock::default()).map_err(app::Error::from)?;
        let city = City {
            telegram: self.telegram.clone(),
            token: TOKEN,
            admin_token: ADMIN_TOKEN,
            outside,
            inside: self.app.store.clone(),
            pace: self.pace,
        };
        self.living = vec![ticking.abort_handle(), tokio::spawn(city.run()).abort_handle()];
        let world = World {
            telegram: self.telegram.clone(),
            master_bot: bot_id(TOKEN),
            handler: self.url.clone(),
            database: Some(Store::new(&config, 2, Clock::default()).map_err(app::Error::from)?),
            proxy: self.proxy.take(),
        };
        Ok(Page::start(listener, world)?)
    }

    /// How to look at the database with psql.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// A link by which its dispatcher opens the page of the orders, once.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn dispatcher_page(&self) -> Result<String, Error> {
        let link = session::link(&self.app.store, StaffRef::Id(StaffId(1)), LINK).await?;
        let link = link.map(|link| format!("#link={}", link.text())).unwrap_or_default();
        Ok(format!("{}/app{link}", self.url))
    }

    /// Where the handler listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The masters race for every order, or for the first few, one order after another; a transcript.
    ///
    /// # Errors
    /// When an invariant does not hold, or the database fails.
    pub async fn race(&self, at_most: Option<u8>) -> Result<Transcript, Error> {
        let mut transcript = Transcript::default();
        let orders = "SELECT id, address FROM orders ORDER BY id LIMIT $1";
        let orders = self.sql.query(orders, &[&at_most.map(i64::from)]).await?;
        for (number, row) in orders.iter().enumerate() {
            let (order, address): (i64, String) = (row.get(0), row.get(1));
            self.sql.execute("UPDATE orders SET deferred_until = now() WHERE id = $1", &[&order]).await?;
            self.app.jobs().pass().await?;
            let asked = "SELECT coalesce(array_agg(telegram_user_id ORDER BY masters.id), '{}'),
                                coalesce(array_agg(full_name ORDER BY masters.id), '{}')
                         FROM offers JOIN masters ON masters.id = master_id WHERE order_id = $1";
            let asked = self.sql.query_one(asked, &[&order]).await?;
            let (users, names): (Vec<i64>, Vec<String>) = (asked.get(0), asked.get(1));
            let racers: Vec<Racer> = users.iter().zip(names).map(|(user, name)| self.racer(*user, name)).collect();
            join_all(racers.iter().map(|racer| racer.open_card(order, number))).await;
            let take = format!("m:new:acc:{order}:1");
            let taps = join_all(racers.iter().map(|racer| racer.chat.tap(&take))).await;
            transcript.times.extend(taps.iter().map(|tap| tap.delivery.took));
            self.check_what_was_said(order, &users, &taps).await?;
            if number < SHOWN.into() {
                transcript.race(order, &address, &racers, &taps);
                self.tell_winner_and_loser(&mut transcript, number, &racers, &taps).await;
            }
        }
        let violations = invariants::violations(&self.sql).await?;
        if !violations.is_empty() {
            return Err(Error::Broken(violations));
        }
        let taken: i64 = self.sql.query_one("SELECT count(*) FROM orders WHERE status = 'ASSIGNED'", &[]).await?.get(0);
        transcript.end(orders.len(), taken);
        Ok(transcript)
    }

    /// One was told of having won and has the order, or all were told that they have reached their limit.
    async fn check_what_was_said(&self, order: i64, users: &[i64], taps: &[Tap]) -> Result<(), Error> {
        let owner = "SELECT telegram_user_id FROM orders LEFT JOIN masters ON masters.id = assigned_master_id
                     WHERE orders.id = $1";
        let owner: Option<i64> = self.sql.query_one(owner, &[&order]).await?.get(0);
        let told = |word: &str| -> Vec<i64> {
            let said = users.iter().zip(taps).filter(|(_, tap)| tap.notice().contains(word));
            said.map(|(user, _)| *user).collect()
        };
        let winners = told("принята");
        if winners == Vec::from_iter(owner) && (owner.is_some() || told("лимит").len() == users.len()) {
            return Ok(());
        }
        let said: Vec<_> = taps.iter().map(|tap| format!("«{}» ({:?})", tap.notice(), tap.delivery.status)).collect();
        Err(Error::Broken(vec![format!("order {order} belongs to {owner:?}, and was told: {}", said.join(", "))]))
    }

    /// What the winner sees, and a redelivery of that tap; the first time their screens too.
    async fn tell_winner_and_loser(&self, transcript: &mut Transcript, race: usize, racers: &[Racer], taps: &[Tap]) {
        let Some(winner) = taps.iter().position(|tap| tap.notice().contains("принята")) else { return };
        let loser = &racers[usize::from(winner == 0)];
        if race == 0 {
            transcript.screen(&racers[winner], "won", &racers[winner].chat.screen());
            transcript.screen(loser, "lost, and the order has left the list", &loser.chat.screen());
        }
        let again = racers[winner].chat.deliver(taps[winner].update.clone()).await;
        let notice = again.answers.last().and_then(|answer| answer.text.clone()).unwrap_or_default();
        transcript.say(format!("   Telegram delivers {}'s tap a second time: «{notice}»", racers[winner].name));
    }

    fn racer(&self, user: i64, name: String) -> Racer {
        Racer { chat: self.telegram.chat(TOKEN, user, &name), name }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.stop.take());
        for living in self.living.drain(..) {
            living.abort();
        }
    }
}

/// How many races are told in full; the others are counted and timed.
pub const SHOWN: u8 = 3;

struct Racer {
    name: String,
    chat: Chat,
}

impl Racer {
    /// The way to an order's card: the first time through the menu and the list.
    async fn open_card(&self, order: i64, race: usize) {
        if race < SHOWN.into() && self.chat.messages().is_empty() {
            self.chat.say("/start").await;
            self.chat.press("Новые заявки").await;
        }
        self.chat.tap(&format!("m:new:card:{order}:1")).await;
    }
}

/// Anything in the database that was not made by this program, or that was and has rows.
async fn refuse_what_is_in_use(sql: &Client) -> Result<(), Error> {
    let tables = "SELECT coalesce(string_agg(tablename, ', '), ''), to_regclass('refinery_schema_history') IS NOT NULL
                  FROM pg_tables WHERE schemaname = 'public'";
    let row = sql.query_one(tables, &[]).await?;
    let (tables, migrated): (String, bool) = (row.get(0), row.get(1));
    let rows = if migrated {
        let rows =
            "SELECT (SELECT count(*) FROM cities) + (SELECT count(*) FROM masters) + (SELECT count(*) FROM orders)";
        sql.query_one(rows, &[]).await?.get(0)
    } else {
        0_i64
    };
    match (tables.is_empty(), migrated) {
        (false, false) => Err(Error::InUse(format!("tables {tables}"))),
        (_, true) if rows > 0 => Err(Error::InUse(format!("{rows} cities, masters and orders"))),
        _ => Ok(()),
    }
}

fn serve(database_url: &str, telegram: &Telegram) -> Result<(String, Arc<App>, oneshot::Sender<()>), Error> {
    let listener = server::listen(([127, 0, 0, 1], 0).into())?;
    let url = format!("http://{}", listener.local_addr()?);
    let lookup = |name: &str| {
        let value = match name {
            "PUBLIC_URL" => &url,
            "DATABASE_URL" => database_url,
            "MASTER_BOT_TOKEN" => TOKEN,
            "ADMIN_BOT_TOKEN" => ADMIN_TOKEN,
            "MASTER_WEBHOOK_SECRET" | "ADMIN_WEBHOOK_SECRET" => SECRET,
            "TELEGRAM_API_URL" => telegram.api_url(),
            _ => return None,
        };
        Some(value.to_owned())
    };
    let app = Arc::new(App::from_env(&lookup, 8, Clock::default())?);
    for (token, name, path) in [(TOKEN, "Заявки", "master"), (ADMIN_TOKEN, "Диспетчерская", "admin")]
    {
        let webhook = Webhook { url: format!("{url}/telegram/{path}"), secret: Some(SECRET.to_owned()) };
        telegram.add_bot(token, name, Some(webhook));
    }
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(server::serve(listener, app.http(), async move { drop(stopped.await) }));
    Ok((url, app, stop))
}

/// What happened, to be read from top to bottom.
#[derive(Debug, Default)]
pub struct Transcript {
    lines: Vec<String>,
    times: Vec<Duration>,
}

impl Transcript {
    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn race(&mut self, order: i64, address: &str, racers: &[Racer], taps: &[Tap]) {
        self.say(format!("\n── Order {order}, {address}: {} masters tap «✅ Взять заявку» at once", racers.len()));
        for (racer, tap) in racers.iter().zip(taps) {
            let took = tap.delivery.took.as_secs_f64() * 1000.0;
            self.say(format!("   {:<18} {took:>6.1} ms   «{}»", racer.name, tap.notice()));
        }
    }

    fn screen(&mut self, racer: &Racer, why: &str, screen: &str) {
        self.say(format!("   {} ({why}) sees:", racer.name));
        for line in screen.lines() {
            self.say(format!("   │ {line}"));
        }
    }

    fn end(&mut self, races: usize, taken: i64) {
        self.times.sort();
        let at = |percent: usize| {
            let index = (self.times.len().max(1) - 1) * percent / 100;
            self.times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        let (median, slowest) = (at(50), at(100));
        self.say(format!(
            "\n{} taps in {races} races: {taken} orders taken, median {median:.1} ms from tap to HTTP answer, slowest \
             {slowest:.1} ms.",
            self.times.len()
        ));
        self.say(format!(
            "Checked by query: all {} invariants hold (one owner per order, limits, history, versions, live offers, \
             metrics, messages, no open transaction).",
            invariants::COUNT
        ));
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}
