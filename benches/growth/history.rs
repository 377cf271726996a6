//! Databases with a past, and what masters and the jobs do there.

use std::time::{Duration, Instant};

use field_service::cluster::Cluster;
use field_service::config;
use field_service::dispatch::accept::{self, AcceptOutcome};
use field_service::dispatch::begin_rounds::begin_rounds;
use field_service::dispatch::deliver::{self, Finish};
use field_service::dispatch::view;
use field_service::model::{BotName, MasterRef, OrderId, Origin, TelegramUserId, UpdateKey};
use field_service::store::outbox::PER_SECOND;
use field_service::store::{Clock, Store, migrate};
use jiff::{SignedDuration, Timestamp};
use tokio_postgres::{Client, NoTls};

pub const MASTERS: i64 = 5_000;
/// Messages that wait, for as many chats as there are masters.
pub const WAITING: i32 = 22_000;
/// The number of the city that has one of twenty thousand orders.
pub const SMALL_CITY: i64 = 11;

/// A database with a past.
pub struct History {
    pub name: String,
    pub url: String,
    pub store: Store,
    pub clock: Clock,
    pub first_open: i64,
    sql: Client,
    taps: i64,
}

impl History {
    /// Makes and fills one.
    pub async fn load(cluster: &Cluster, finished: i32) -> Self {
        let name = format!("growth_{finished}");
        execute(&connect(&cluster.database_url("postgres")).await, &format!("CREATE DATABASE {name}")).await;
        let url = cluster.database_url(&name);
        let config = config::Database::from_url(&url).expect("a URL");
        migrate::run(&config).await.expect("migrations");
        let sql = connect(&url).await;
        // Loading is not what is measured.
        execute(&sql, "SET statement_timeout = 0; SET lock_timeout = 0; SET synchronous_commit = off").await;
        execute(&sql, &past(finished)).await;
        let clock = Clock::standing_at(Timestamp::now() + SignedDuration::from_mins(10));
        let store = Store::new(&config, 1, clock.clone()).expect("a pool");
        Self { name, url, store, clock, first_open: i64::from(finished) + 1, sql, taps: 0 }
    }

    /// A tap, a list, a pass with one due order, and a claim of a second's messages.
    pub async fn measure(&mut self) -> [Duration; 4] {
        [self.tap().await, self.list().await, self.pass().await, self.claim().await]
    }

    /// The next of the open orders is taken.
    pub async fn tap(&mut self) -> Duration {
        let order = OrderId(self.first_open + self.taps);
        let master = MasterRef::Telegram(TelegramUserId(1000 + self.taps % MASTERS));
        let update = UpdateKey::callback(BotName::Master, &self.taps.to_string());
        self.taps += 1;
        let begun = Instant::now();
        let origin = Origin { update, message: Some(1), written: None };
        let answered = accept::accept(&self.store, order, master, Some(&origin), 1).await.expect("a database");
        let took = begun.elapsed();
        let outcome = answered.expect("a master").outcome;
        assert!(matches!(outcome, AcceptOutcome::Assigned(_)), "{}", outcome.name());
        took
    }

    async fn list(&mut self) -> Duration {
        let begun = Instant::now();
        let master = MasterRef::Telegram(TelegramUserId(1000 + (self.taps + 100) % MASTERS));
        let list = view::offers(&self.store, master, None, 1).await.expect("a database").expect("a master");
        let took = begun.elapsed();
        assert!(list.total > 0);
        took
    }

    async fn pass(&mut self) -> Duration {
        execute(
            &self.sql,
            "INSERT INTO orders (city_id, district_id, category, status, address, client_name, client_phone, next_round_at)
             VALUES (1, 1, 'PLUMBING', 'SEARCHING', 'ул. Ленина', 'Клиент', '+7999', '2020-01-01')",
        )
        .await;
        let begun = Instant::now();
        let passed = begin_rounds(&self.store).await.expect("a database");
        let took = begun.elapsed();
        assert_eq!((passed.orders, passed.offers), (1, 3));
        // It would be due again when its search widens, half a minute of this clock later.
        execute(&self.sql, "UPDATE orders SET next_round_at = '2999-01-01' WHERE id = (SELECT max(id) FROM orders)")
            .await;
        took
    }

    async fn claim(&mut self) -> Duration {
        let now = self.clock.now().expect("a standing clock");
        self.clock.set(now + SignedDuration::from_secs(1));
        let begun = Instant::now();
        let rows = deliver::claim(&self.store, None).await.expect("a database");
        let took = begun.elapsed();
        // A slot may be left over from the second before.
        let claimed = i32::try_from(rows.len()).expect("few");
        assert!((PER_SECOND - 1..=PER_SECOND).contains(&claimed), "{claimed}");
        for row in rows {
            deliver::finish(&self.store, &row, &Finish::Sent { card: None }).await.expect("a database");
        }
        took
    }
}

/// Everything that is over, then what goes on. Of each twenty thousand orders one is of a small city, and was canceled.
fn past(finished: i32) -> String {
    format!(
        "INSERT INTO staff (telegram_user_id, full_name) VALUES (1, 'Диспетчер');
         INSERT INTO cities (name, timezone) SELECT 'Город ' || n, 'Asia/Yekaterinburg' FROM generate_series(1, 10) AS n;
         INSERT INTO cities (name, timezone) VALUES ('Малый город', 'Asia/Yekaterinburg');
         INSERT INTO districts (city_id, name) SELECT cities.id, 'Район ' || n FROM cities, generate_series(1, 10) AS n;
         INSERT INTO masters (telegram_user_id, full_name, city_id, max_active_orders)
         SELECT 1000 + n, 'Мастер ' || n, n % 10 + 1, 1000 FROM generate_series(0, {MASTERS} - 1) AS n;
         INSERT INTO master_categories SELECT id, 'PLUMBING' FROM masters;
         INSERT INTO master_districts SELECT masters.id, districts.id FROM masters JOIN districts USING (city_id);
         INSERT INTO orders (city_id, district_id, category, status, version, assigned_master_id, address, client_name,
                             client_phone, final_amount, created_at, updated_at, search_started_at, policy_id)
         SELECT CASE n % 20000 WHEN 7 THEN {SMALL_CITY} ELSE n % 10 + 1 END, n % 100 + 1, 'PLUMBING',
                CASE n % 20000 WHEN 7 THEN 'CANCELED' ELSE 'CLOSED' END, 5, n % {MASTERS} + 1,
                (ARRAY['ул. Ленина, ', 'пр. Мира, ', 'ул. Победы, ', 'ул. Щорса, ', 'пер. Базовый, '])[n % 5 + 1] || n, 'Клиент ' || n,
                '+7999' || n, CASE WHEN n % 20000 <> 7 THEN 1500 END, past, past, past, 1
         FROM (SELECT n, now() - ({finished} - n) * interval '20 seconds' AS past
               FROM generate_series(1, {finished}) AS n) AS orders;
         INSERT INTO offers (order_id, master_id, state, sent_at, responded_at, expires_at)
         SELECT id, (id + k * 7) % {MASTERS} + 1, CASE WHEN k = 0 THEN 'ACCEPTED' ELSE 'EXPIRED' END, created_at,
                created_at + id % 90 * interval '1 second', created_at
         FROM orders, generate_series(0, 4) AS k;
         INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, created_at, context)
         SELECT id, (ARRAY['SEARCHING', 'ASSIGNED', 'EN_ROUTE', 'WORKING'])[k], (ARRAY['ASSIGNED', 'EN_ROUTE', 'WORKING', 'CLOSED'])[k],
                'SYSTEM', created_at, jsonb_build_object('master_id', assigned_master_id)
         FROM orders, generate_series(1, 4) AS k;
         INSERT INTO distribution_metrics (order_id, master_id, assigned_at, candidates_count, time_to_assign_seconds, city_id,
                                           category, round_number)
         SELECT id, assigned_master_id, created_at + id % 600 * interval '1 second', 5, id % 600, city_id, category,
                nullif(1 + id % 4, 4)
         FROM orders;
         INSERT INTO lost_taps (order_id, city_id, tapped_at, behind_ms)
         SELECT id, city_id, created_at, id % 5000 FROM orders WHERE created_at > now() - interval '40 days';
         INSERT INTO dispatch_rounds (order_id, search_started_at, round_number, policy_id, chosen, excluded, created_at, turn, city_id,
                                      passed_over_master_id, passed_over_seconds)
         SELECT id, created_at, wave, 1, '[1, 2, 3]', '{{}}', created_at + wave * interval '30 seconds', 0, city_id,
                (id + wave) % {MASTERS} + 1, id % 7200
         FROM orders, generate_series(1, 2) AS wave;
         INSERT INTO processed_updates (bot, update_key, action, order_id, outcome)
         SELECT 'MASTER', 'callback old ' || id, 'ACCEPT', id, 'SUCCESS' FROM orders;
         INSERT INTO orders (city_id, district_id, category, status, address, client_name, client_phone, next_round_at)
         SELECT n % 10 + 1, n % 100 + 1, 'PLUMBING', 'SEARCHING', 'ул. Ленина, ' || n, 'Клиент', '+7999', now() + interval '1 day'
         FROM generate_series(0, 999) AS n;
         INSERT INTO offers (order_id, master_id, expires_at)
         SELECT {finished} + 1 + n, (n + k) % {MASTERS} + 1, now() + interval '1 day'
         FROM generate_series(0, 999) AS n, generate_series(0, 2) AS k;
         -- A backlog that has been scheduled, so that a claim is what is measured.
         INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at, scheduled)
         SELECT 'MASTER', 1000 + n % {MASTERS}, 'CANCELED', {finished} + 1 + n % 1000, now(), now(), true
         FROM generate_series(1, {WAITING}) AS n;
         INSERT INTO outbox_chats (bot, chat_id, ready_at, class)
         SELECT 'MASTER', 1000 + n, now(), 1 FROM generate_series(0, {MASTERS} - 1) AS n;
         -- The order that a pass has just begun is not due again while others are measured.
         INSERT INTO dispatch_policies (widen_every_seconds) VALUES (3600);
         VACUUM ANALYZE;
         CHECKPOINT"
    )
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the private cluster");
    tokio::spawn(connection);
    client
}

async fn execute(client: &Client, sql: &str) {
    // One at a time: VACUUM refuses to be part of a longer message.
    for statement in sql.split_inclusive(';').filter(|statement| !statement.trim().is_empty()) {
        client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}
