//! A dispatch system of its own for each test: a database, a local Telegram, the webhook between them, and verbs.

pub mod browser;
pub mod function;
pub mod keyboard;
pub mod page;
pub mod postgres;
pub mod program;
pub mod serve;
pub mod twins;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use field_service::app::App;
use field_service::bots::delivery;
use field_service::config;
use field_service::dispatch::act::{self, Asked, StaffCommand};
use field_service::dispatch::verify;
use field_service::http::server;
use field_service::jobs::Passed;
use field_service::model::history::Wrong;
use field_service::model::{BotName, MasterRef, OrderId, Origin, StaffId, StaffRef, TelegramUserId, UpdateKey};
use field_service::sim::invariants;
use field_service::sim::page::{Page, World};
use field_service::sim::proxy::Proxy;
use field_service::sim::telegram::{self, Chat, Telegram, Webhook, bot_id};
use field_service::store::{Clock, Store};
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

pub const MASTER_TOKEN: &str = "1001:master-token";
pub const ADMIN_TOKEN: &str = "1002:admin-token";
pub const MASTER_SECRET: &str = "master-secret";
pub const ADMIN_SECRET: &str = "admin-secret";
pub const METRICS_TOKEN: &str = "metrics-token";

/// Telegram ids of masters that every test's database has.
pub const ANNA: i64 = 101;
pub const BORIS: i64 = 102;
pub const VERA: i64 = 103;
/// A Telegram id that is no master's.
pub const STRANGER: i64 = 999;

/// A folder without a file `.env`, where the program is started as a process: it would read one that somebody has in the
/// sources' folder.
pub const BARE_FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// Seals all of the history anew, as somebody can who may write it.
pub const RESEAL: &str = "
    DO $$
    DECLARE
        change order_status_history;
        of_order bigint;
        previous bytea;
    BEGIN
        FOR change IN SELECT * FROM order_status_history ORDER BY order_id, id LOOP
            IF change.order_id IS DISTINCT FROM of_order THEN
                previous := '';
            END IF;
            of_order := change.order_id;
            previous := sha256(previous || convert_to(jsonb_build_array(
                1, change.id, change.order_id, change.from_status, change.to_status, change.actor_type,
                change.changed_by_master_id, change.changed_by_staff_id, change.reason, change.context,
                extract(epoch FROM change.created_at))::text, 'UTF8'));
            UPDATE order_status_history SET seal = previous WHERE id = change.id;
        END LOOP;
    END
    $$";

/// The running system.
pub struct Dispatch {
    pub telegram: Telegram,
    pub sql: Client,
    pub app: Arc<App>,
    pub clock: Clock,
    pub url: String,
    pub database_url: String,
    stop: watch::Sender<bool>,
}

/// A database and a proxy before its server, to count round trips and cut connections.
pub async fn proxied_database() -> (String, Proxy) {
    let database_url = postgres::fresh_database().await;
    (database_url, Proxy::start(postgres::cluster().folder()).await.expect("a proxy"))
}

/// Where the tests' PostgreSQL has its socket.
pub fn cluster_folder() -> &'static Path {
    postgres::cluster().folder()
}

/// The database's name in one of our connection strings.
pub fn database_name(url: &str) -> &str {
    url.rsplit_once("dbname=").expect("a connection string with a name").1
}

/// A tap for calls that go past Telegram, each a new one.
pub fn a_tap() -> Origin {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let id = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
    Origin { update: UpdateKey::callback(BotName::Master, &id), message: None, written: None }
}

/// A master, by Telegram id.
pub fn master(user: i64) -> MasterRef {
    MasterRef::Telegram(TelegramUserId(user))
}

/// Waits until something has happened.
pub async fn eventually(mut happened: impl FnMut() -> bool) {
    let wait = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it happens within 20 seconds");
}

/// What differs from the default from test to test.
#[derive(Clone)]
pub struct Settings {
    pub connections: usize,
    pub clock: Clock,
    pub unnamed_statements: bool,
    /// Whether people are led to the dispatchers' page.
    pub leads_to_page: bool,
    /// Instead of the test's own database, e.g. through a proxy.
    pub database_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 8,
            clock: Clock::default(),
            unnamed_statements: false,
            leads_to_page: false,
            database_url: None,
        }
    }
}

impl Dispatch {
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub async fn start_with(settings: Settings) -> Self {
        Self::start_on(postgres::fresh_database().await, settings).await
    }

    pub async fn start_on(database_url: String, settings: Settings) -> Self {
        let telegram = Telegram::start().await.expect("a local Telegram");
        let dispatch = Self::start_beside(telegram, database_url, settings).await;
        for (user, name) in [(ANNA, "Анна"), (BORIS, "Борис"), (VERA, "Вера")] {
            dispatch.add_master(user, name).await;
        }
        dispatch
    }

    /// Tells the server to stop, as a signal does.
    pub fn stop_serving(&self) {
        self.stop.send_replace(true);
    }

    /// The program, started anew: nothing in memory, the same database and the same Telegram.
    pub async fn restarted(&self) -> Self {
        let settings = Settings { clock: self.clock.clone(), ..Settings::default() };
        Self::start_beside(self.telegram.clone(), self.database_url.clone(), settings).await
    }

    async fn start_beside(telegram: Telegram, database_url: String, settings: Settings) -> Self {
        let listener = server::listen("127.0.0.1:0".parse().expect("an address")).expect("a listener");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut variables = environment(settings.database_url.as_ref().unwrap_or(&database_url), &telegram, &settings);
        variables.extend(settings.leads_to_page.then(|| ("PUBLIC_URL", url.clone())));
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        let app = App::from_env(&lookup, settings.connections, settings.clock.clone()).expect("a configured app");
        let app = Arc::new(app);

        let (stop, mut stopped) = watch::channel(false);
        let stopped = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
        tokio::spawn(server::serve(listener, app.http(), stopped));
        for (token, path, secret) in [(MASTER_TOKEN, "master", MASTER_SECRET), (ADMIN_TOKEN, "admin", ADMIN_SECRET)] {
            let webhook = Webhook { url: format!("{url}/telegram/{path}"), secret: Some(secret.to_owned()) };
            if telegram.token(bot_id(token)).is_some() {
                telegram.set_webhook(token, webhook);
            } else {
                telegram.add_bot(token, "Заявки", Some(webhook));
            }
        }
        telegram.date_by(settings.clock.clone());
        let sql = postgres::connect(&database_url).await;
        Self { telegram, sql, app, clock: settings.clock, url, database_url, stop }
    }

    /// The page, with the three masters' phones.
    pub async fn page(&self) -> Page {
        self.page_with(None).await
    }

    /// The page, with the proxy through which the handler reaches its database.
    pub async fn page_with(&self, proxy: Option<Proxy>) -> Page {
        self.page_on(TcpListener::bind("127.0.0.1:0").await.expect("a port"), proxy)
    }

    pub fn page_on(&self, listener: TcpListener, proxy: Option<Proxy>) -> Page {
        for (user, name) in [(ANNA, "Анна"), (BORIS, "Борис"), (VERA, "Вера")] {
            drop(self.telegram.chat(MASTER_TOKEN, user, name));
        }
        let config = config::Database::from_url(&self.database_url).expect("a URL");
        let world = World {
            telegram: self.telegram.clone(),
            master_bot: bot_id(MASTER_TOKEN),
            handler: self.url.clone(),
            database: Some(Store::new(&config, 2, Clock::default()).expect("a pool")),
            proxy,
        };
        Page::start(listener, world).expect("a page")
    }

    /// A system whose clock stands, a little ahead of the database's, with a number of masters beside the usual three.
    pub async fn with_standing_clock(more_masters: i64) -> Self {
        let clock = Clock::standing_at(Timestamp::now() + SignedDuration::from_mins(1));
        let t = Self::start_with(Settings { clock, ..Settings::default() }).await;
        for number in 0..more_masters {
            t.add_master(200 + number, "Мастер").await;
        }
        t
    }

    /// A dispatcher of all cities, who has opened the admin bot.
    pub async fn add_staff(&self, user: i64) -> Chat {
        self.add_staff_as(user, "DISPATCHER", &[]).await
    }

    /// Somebody of the staff with a role, of some cities or of all, who has opened the admin bot.
    pub async fn add_staff_as(&self, user: i64, role: &str, cities: &[i64]) -> Chat {
        self.execute(
            "WITH added AS (
                 INSERT INTO staff (telegram_user_id, full_name, role) VALUES ($1, 'Диспетчер', $2) RETURNING id
             )
             INSERT INTO staff_cities (staff_id, city_id) SELECT id, unnest($3::bigint[]) FROM added",
            &[&user, &role, &cities],
        )
        .await;
        let chat = self.telegram.chat(ADMIN_TOKEN, user, "Диспетчер");
        chat.open();
        chat
    }

    /// A master's (or anybody's) chat with the masters' bot.
    pub fn chat(&self, user: i64) -> Chat {
        self.telegram.chat(MASTER_TOKEN, user, "Мастер")
    }

    pub async fn add_master(&self, user: i64, name: &str) {
        self.execute(
            "WITH added AS (
                 INSERT INTO masters (telegram_user_id, full_name, city_id)
                 VALUES ($1, $2, (SELECT min(id) FROM cities)) RETURNING id
             )
             INSERT INTO master_categories (master_id, category)
             SELECT id, unnest(ARRAY['PLUMBING', 'ELECTRICS', 'WINDOWS']) FROM added",
            &[&user, &name],
        )
        .await;
    }

    /// Another connection to the same database, for somebody who works beside the system.
    pub async fn colleague(&self) -> Client {
        postgres::connect(&self.database_url).await
    }

    pub fn order(&self) -> NewOrder<'_> {
        NewOrder { dispatch: self, status: "SEARCHING", master: None, preferred: None }
    }

    pub async fn tap_accept(&self, user: i64, order: OrderId) -> telegram::Tap {
        self.chat(user).tap(&format!("m:new:acc:{order}")).await
    }

    pub async fn execute(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) {
        self.sql.execute(sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub async fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> T {
        self.sql.query_one(sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }

    /// Who has the order, by Telegram id.
    pub async fn owner(&self, order: OrderId) -> Option<i64> {
        self.one(
            "SELECT telegram_user_id FROM orders LEFT JOIN masters ON masters.id = assigned_master_id
             WHERE orders.id = $1",
            &[&order.0],
        )
        .await
    }

    pub async fn status(&self, order: OrderId) -> String {
        self.one("SELECT status FROM orders WHERE id = $1", &[&order.0]).await
    }

    /// The state of a master's last offer of the order.
    pub async fn offer_state(&self, order: OrderId, user: i64) -> String {
        self.one(
            "SELECT state FROM offers JOIN masters ON masters.id = master_id
             WHERE order_id = $1 AND telegram_user_id = $2 ORDER BY offers.id DESC LIMIT 1",
            &[&order.0, &user],
        )
        .await
    }

    /// All that the database holds, for "nothing was changed".
    pub async fn everything(&self) -> String {
        self.contents("true").await
    }

    /// All that the database holds about one order.
    pub async fn everything_about(&self, order: OrderId) -> String {
        self.contents(&format!("order_id = {order}")).await
    }

    async fn contents(&self, filter: &str) -> String {
        self.one(
            &format!(
                "SELECT concat_ws(E'\n',
                     (SELECT string_agg(t::text, E'\n' ORDER BY id)
                      FROM (SELECT *, id AS order_id FROM orders) AS t WHERE {filter}),
                     (SELECT string_agg(t::text, E'\n' ORDER BY id) FROM offers AS t WHERE {filter}),
                     (SELECT string_agg(t::text, E'\n' ORDER BY id) FROM order_status_history AS t WHERE {filter}),
                     (SELECT string_agg(t::text, E'\n' ORDER BY id) FROM distribution_metrics AS t WHERE {filter}),
                     (SELECT string_agg(concat_ws(' ', id, kind, chat_id, order_id, offer_id), E'\n' ORDER BY id)
                      FROM outbox WHERE {filter}),
                     (SELECT string_agg(concat_ws(' ', master_id, kind, order_id, answered_by), E'\n' ORDER BY master_id)
                      FROM dialogs WHERE {filter}),
                     (SELECT string_agg(concat_ws(' ', id, on_shift), E'\n' ORDER BY id) FROM masters))"
            ),
            &[],
        )
        .await
    }

    /// Lets the pause pass that a person makes between two steps. The history is sealed anew: what was sealed wrongly before has
    /// to be seen first.
    pub async fn pause(&self) {
        self.is_sealed().await;
        self.execute("UPDATE order_status_history SET created_at = created_at - interval '2 seconds'", &[]).await;
        self.sql.batch_execute(RESEAL).await.expect("new seals");
    }

    /// That every row has the seal that it has to have, whatever tests have written into the history.
    async fn is_sealed(&self) {
        let report = verify::verify(&self.app.store, |_| ()).await.expect("a database");
        let is_of_seals = |wrong: &Wrong| matches!(wrong, Wrong::Changed | Wrong::MissingBefore | Wrong::NotSealed);
        let wrong = report.findings.into_iter().find(|finding| is_of_seals(&finding.wrong));
        assert_eq!(wrong, None, "the database has sealed a row wrongly");
    }

    /// Steps of a master's, with pauses.
    pub async fn steps(&self, chat: &Chat, order: OrderId, steps: &[&str]) {
        for step in steps {
            self.pause().await;
            chat.tap(&format!("m:act:{step}:{order}")).await;
        }
    }

    /// Answers a question, and confirms it.
    pub async fn answer(&self, chat: &Chat, text: &str) -> telegram::Tap {
        chat.say(text).await;
        chat.press("Да, ").await
    }

    /// What a dispatcher does when a master cannot do the job after all.
    pub async fn return_to_search(&self, order: OrderId) {
        self.execute("UPDATE offers SET state = 'CANCELED' WHERE order_id = $1 AND state = 'ACCEPTED'", &[&order.0])
            .await;
        self.execute(
            "WITH changed AS (
                 UPDATE orders SET status = 'SEARCHING', assigned_master_id = NULL, version = version + 1
                 WHERE id = $1 RETURNING id
             )
             INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
             SELECT id, 'ASSIGNED', 'SEARCHING', 'SYSTEM' FROM changed",
            &[&order.0],
        )
        .await;
    }

    /// The first of the staff cancels an order.
    pub async fn cancel(&self, order: OrderId, reason: &str) -> &'static str {
        self.first_of_staff_does(order, &StaffCommand::Cancel(reason.to_owned()), None).await
    }

    /// The first of the staff takes an order away from its master.
    pub async fn take_back(&self, order: OrderId, reason: &str) -> &'static str {
        self.first_of_staff_does(order, &StaffCommand::SearchAgain(reason.to_owned()), None).await
    }

    /// What comes of what the first of the staff does.
    pub async fn first_of_staff_does(
        &self,
        order: OrderId,
        command: &StaffCommand,
        origin: Option<&Origin>,
    ) -> &'static str {
        let asked = Asked { staff: StaffRef::Id(StaffId(1)), order, seen: None, origin, answers: None };
        act::act(&self.app.store, asked, command).await.expect("a database").outcome.name()
    }

    /// The invariants, by query.
    pub async fn check(&self) {
        let violations = invariants::violations(&self.sql).await.expect("the invariants' queries");
        assert!(violations.is_empty(), "{violations:#?}");
    }
}

fn environment(database_url: &str, telegram: &Telegram, settings: &Settings) -> Vec<(&'static str, String)> {
    let statements = if settings.unnamed_statements { "unnamed" } else { "prepared" };
    vec![
        ("DATABASE_URL", database_url.to_owned()),
        ("DATABASE_STATEMENTS", statements.to_owned()),
        ("MASTER_BOT_TOKEN", MASTER_TOKEN.to_owned()),
        ("ADMIN_BOT_TOKEN", ADMIN_TOKEN.to_owned()),
        ("MASTER_WEBHOOK_SECRET", MASTER_SECRET.to_owned()),
        ("ADMIN_WEBHOOK_SECRET", ADMIN_SECRET.to_owned()),
        ("METRICS_TOKEN", METRICS_TOKEN.to_owned()),
        ("TELEGRAM_API_URL", telegram.api_url().to_owned()),
    ]
}

/// An order about to be made.
pub struct NewOrder<'a> {
    dispatch: &'a Dispatch,
    status: &'static str,
    master: Option<i64>,
    preferred: Option<i64>,
}

impl NewOrder<'_> {
    pub fn in_status(mut self, status: &'static str) -> Self {
        self.status = status;
        self
    }

    pub fn of_master(mut self, user: i64) -> Self {
        self.master = Some(user);
        self
    }

    /// Of a client who asks for that master.
    pub fn preferring(mut self, user: i64) -> Self {
        self.preferred = Some(user);
        self
    }

    /// Makes the order without an offer.
    pub async fn create(self) -> OrderId {
        OrderId(
            self.dispatch
                .one(
                    "INSERT INTO orders (city_id, category, status, address, client_name, client_phone,
                                         assigned_master_id, preferred_master_id)
                     SELECT min(id), 'PLUMBING', $1, 'ул. Ленина, 5', 'Мария Клиентова', '+79990001122',
                            (SELECT id FROM masters WHERE telegram_user_id = $2),
                            (SELECT id FROM masters WHERE telegram_user_id = $3)
                     FROM cities
                     RETURNING id",
                    &[&self.status, &self.master, &self.preferred],
                )
                .await,
        )
    }

    /// Makes the order and offers it, for ten minutes.
    pub async fn offered_to(self, masters: impl IntoIterator<Item = i64>) -> OrderId {
        let dispatch = self.dispatch;
        let order = self.create().await;
        for master in masters {
            dispatch.offer(order, master, "SENT").await;
        }
        order
    }
}

impl Dispatch {
    /// What happens by itself.
    pub async fn tick(&self) -> Passed {
        self.app.jobs().pass().await.expect("a pass")
    }

    /// Lets searches that begin from now on go in rounds: the next begins when every offer of the one before has ended.
    pub async fn search_in_rounds(&self) {
        self.execute("INSERT INTO dispatch_policies (widen_every_seconds) VALUES (0)", &[]).await;
    }

    /// Puts the standing clock forward.
    pub fn let_pass(&self, seconds: i64) {
        let now = self.clock.now().expect("a standing clock");
        self.clock.set(now + SignedDuration::from_secs(seconds));
    }

    /// Sends what the outbox holds until nothing is left that is due within seconds; how many rows were told. The
    /// standing clock goes on meanwhile, as messages of one chat are a second apart.
    pub async fn tell(&self) -> usize {
        let mut told = 0;
        loop {
            let now = delivery::pass(&self.app.bots(), None).await.expect("a database");
            told += now;
            let due: i64 = self
                .one(
                    "SELECT count(*) FROM outbox WHERE finished_at IS NULL AND due_at <= $1",
                    &[&self.clock.now().expect("a standing clock")],
                )
                .await;
            if now == 0 && due == 0 {
                return told;
            }
            self.let_pass(1);
        }
    }

    /// The Telegram ids of those who have a live offer of the order, in the order in which they were chosen.
    pub async fn asked(&self, order: OrderId) -> Vec<i64> {
        self.one(
            "SELECT coalesce(array_agg(telegram_user_id ORDER BY offers.id), '{}')
             FROM offers JOIN masters ON masters.id = master_id
             WHERE order_id = $1 AND state IN ('SENT', 'VIEWED')",
            &[&order.0],
        )
        .await
    }

    /// Offers an order in some state, for ten minutes.
    pub async fn offer(&self, order: OrderId, user: i64, state: &str) {
        self.execute(
            "INSERT INTO offers (order_id, master_id, state, round_number, expires_at)
             SELECT $1, id, $3, 1, coalesce($4, now()) + interval '10 minutes' FROM masters WHERE telegram_user_id = $2",
            &[&order.0, &user, &state, &self.clock.now()],
        )
        .await;
    }

    /// Lets the master's offer of the order run out.
    pub async fn let_expire(&self, order: OrderId, user: i64) {
        self.execute(
            "UPDATE offers SET expires_at = now() FROM masters
             WHERE order_id = $1 AND masters.id = master_id AND telegram_user_id = $2",
            &[&order.0, &user],
        )
        .await;
    }
}
