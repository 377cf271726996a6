//! Cost does not grow with what is over: the tap, the list, a pass with one due order and a claim of the outbox, on databases
//! with no, a hundred thousand and a million finished orders, each with five offers. One run, one private cluster; the
//! databases are measured in turns, so that a noisy neighbour hits all of them.
//!
//! Figures grow with their month alone, and stay within what people wait for a screen.

use std::time::{Duration, Instant};

use field_service::config;
use field_service::dispatch::accept::{self, AcceptOutcome};
use field_service::dispatch::begin_rounds::begin_rounds;
use field_service::dispatch::deliver::{self, Finish};
use field_service::dispatch::{staff_view, view};
use field_service::model::queue::Sought;
use field_service::model::{BotName, MasterRef, OrderId, Origin, StaffId, StaffRef, TelegramUserId, UpdateKey};
use field_service::sim::cluster::{Cluster, Durability};
use field_service::store::outbox::PER_SECOND;
use field_service::store::{Clock, Connection, Statement, Store, figures, migrate};
use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

const FINISHED: [i32; 3] = [0, 100_000, 1_000_000];
const MASTERS: i64 = 5_000;
/// Messages that wait, for as many chats as there are masters.
const WAITING: i32 = 22_000;
/// The table shows the medians of this many of each.
const ROUNDS: usize = 60;
/// What a dispatcher of all cities looks at.
const LOOKS: [&str; 5] =
    ["the queue", "a search for a common word", "for two words", "for a part of a phone", "an order's card"];
/// The table shows the medians of this many of each.
const LOOKED: usize = 20;
/// How many milliseconds each of them may take.
const LOOK_MS: f64 = 200.0;
/// What one query of the figures may take, with thirty days.
const FIGURES_LIMIT: f64 = 200.0;
/// The medians of so many.
const FIGURES_ROUNDS: usize = 15;
/// The queries of the figures, each with whether it is of one city: masters are looked at city by city.
const FIGURES: [(&str, &Statement, bool); 7] = [
    ("where and when", &figures::PLACE, false),
    ("orders that came", &figures::CAME, false),
    ("how they found a master", &figures::FOUND, false),
    ("what was closed", &figures::CLOSED, false),
    ("taps that lost", &figures::LOST, false),
    ("who waits longest", &figures::LONGEST, false),
    ("what each master of a city did", &figures::MASTERS, true),
];
/// The largest ratio that is bounded cost; noise included.
const BOUND: f64 = 1.3;

fn main() {
    // `cargo test --benches` calls this too, and measures nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let cluster = Cluster::start(Durability::Real).unwrap_or_else(|error| panic!("{error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut histories = Vec::new();
        for finished in FINISHED {
            let begun = Instant::now();
            histories.push(History::load(&cluster, finished).await);
            eprintln!("{finished} finished orders loaded in {:.0} s", begun.elapsed().as_secs_f64());
        }
        let mut times = vec![[const { Vec::new() }; 4]; FINISHED.len()];
        for round in 0..=ROUNDS {
            for (history, times) in histories.iter_mut().zip(&mut times) {
                let took = history.measure().await;
                // The first one prepares statements and fills caches.
                if round > 0 {
                    times.iter_mut().zip(took).for_each(|(times, took)| times.push(took));
                }
            }
        }
        println!("milliseconds with so many finished orders, {MASTERS} masters, {WAITING} messages waiting\n");
        println!("| | {} | {} | {} | ratio of the last to the first |", FINISHED[0], FINISHED[1], FINISHED[2]);
        println!("|---|---|---|---|---|");
        let mut bounded = true;
        for (index, what) in
            ["tap", "list", "pass with one due order", "claim of a second's messages"].into_iter().enumerate()
        {
            let medians: Vec<f64> = times.iter_mut().map(|times| median(&mut times[index])).collect();
            let ratio = medians[2] / medians[0];
            bounded &= ratio <= BOUND;
            println!("| {what} | {:.2} | {:.2} | {:.2} | {ratio:.2} |", medians[0], medians[1], medians[2]);
        }
        println!("\n{}", if bounded { "every ratio is at most 1.3" } else { "NOT every ratio is at most 1.3" });
        let largest = histories.last_mut().expect("a history");
        println!("\nwhat dispatchers look at, with {} finished orders\n", FINISHED[2]);
        println!("| | median ms |\n|---|---|");
        let mut looks = [const { Vec::new() }; LOOKS.len()];
        for round in 0..=LOOKED {
            let took = largest.look().await;
            if round > 0 {
                looks.iter_mut().zip(took).for_each(|(times, took)| times.push(took));
            }
        }
        let medians = looks.map(|mut times| median(&mut times));
        LOOKS.iter().zip(medians).for_each(|(what, median)| println!("| {what} | {median:.1} |"));
        let fast = medians.iter().all(|median| *median <= LOOK_MS);
        println!("\n{} at most {LOOK_MS} ms", if fast { "each takes" } else { "NOT each takes" });
        print_figures(&histories).await;
    });
}

/// What the figures of a month take.
async fn print_figures(histories: &[History]) {
    println!("\nmilliseconds for the figures of thirty days, of ten cities but for the last\n");
    println!("| | {} | {} | {} |", FINISHED[0], FINISHED[1], FINISHED[2]);
    println!("|---|---|---|---|");
    let mut quick = true;
    for (what, statement, of_one_city) in FIGURES {
        let mut medians = Vec::new();
        for history in histories {
            let mut times = Vec::new();
            for round in 0..=FIGURES_ROUNDS {
                let took = history.figures(statement, of_one_city).await;
                if round > 0 {
                    times.push(took);
                }
            }
            medians.push(median(&mut times));
        }
        quick &= medians.iter().all(|took| *took <= FIGURES_LIMIT);
        println!("| {what} | {:.2} | {:.2} | {:.2} |", medians[0], medians[1], medians[2]);
    }
    println!("\n{}", if quick { "every one takes at most 200 ms" } else { "NOT every one takes at most 200 ms" });
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

/// A database with a past.
struct History {
    store: Store,
    sql: Client,
    clock: Clock,
    taps: i64,
    first_open: i64,
}

impl History {
    async fn load(cluster: &Cluster, finished: i32) -> Self {
        let name = format!("growth_{finished}");
        execute(&connect(&cluster.database_url("postgres")).await, &format!("CREATE DATABASE {name}")).await;
        let url = cluster.database_url(&name);
        let config = config::Database::from_url(&url).expect("a URL");
        migrate::run(&config).await.expect("migrations");
        let sql = connect(&url).await;
        // Loading is not what is measured.
        execute(&sql, "SET statement_timeout = 0; SET synchronous_commit = off").await;
        execute(&sql, &past(finished)).await;
        let clock = Clock::standing_at(Timestamp::now() + SignedDuration::from_mins(10));
        let store = Store::new(&config, 1, clock.clone()).expect("a pool");
        Self { store, sql, clock, taps: 0, first_open: i64::from(finished) + 1 }
    }

    /// One of each.
    async fn measure(&mut self) -> [Duration; 4] {
        [self.tap().await, self.list().await, self.pass().await, self.claim().await]
    }

    /// Each of [`LOOKS`].
    async fn look(&mut self) -> [Duration; LOOKS.len()] {
        let (store, staff) = (&self.store, StaffRef::Id(StaffId(1)));
        let words =
            |words: &[&str]| Sought { words: words.iter().map(ToString::to_string).collect(), ..Sought::default() };
        let begun = Instant::now();
        let queue = staff_view::queue(store, staff, 1).await.expect("a database").expect("staff");
        let of_queue = begun.elapsed();
        assert!(!queue.lines.is_empty());
        let search = async |sought: Sought| {
            let begun = Instant::now();
            let found = staff_view::found(store, staff, &sought, 1).await.expect("a database").expect("staff");
            assert!(!found.lines.is_empty(), "{sought:?}");
            begun.elapsed()
        };
        let common = search(words(&["ленина"])).await;
        let two = search(words(&["мира", "клиент", "777"])).await;
        let phone = search(Sought { phones: vec!["12345".to_owned()], ..Sought::default() }).await;
        let begun = Instant::now();
        let card = staff_view::card(store, staff, OrderId(self.first_open)).await.expect("a database");
        let of_card = begun.elapsed();
        assert!(card.is_some_and(|card| !card.offers.is_empty()));
        [of_queue, common, two, phone, of_card]
    }

    /// One query of the figures, for an admin.
    async fn figures(&self, statement: &'static Statement, of_one_city: bool) -> Duration {
        let (nobody, admin, city, days) = (None::<i64>, Some(1_i64), of_one_city.then_some(3_i64), 30_i32);
        let begun = Instant::now();
        let query = async |connection: Connection| {
            let (page, size) = (1_i64, 6_i64);
            let all: [&(dyn ToSql + Sync); 7] = [&nobody, &admin, &city, &days, &None::<Timestamp>, &page, &size];
            connection.fetch(statement, &all[..statement.types.len()]).await
        };
        self.store.run(query).await.expect("a database");
        begun.elapsed()
    }

    async fn tap(&mut self) -> Duration {
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

/// Everything that is over, then what goes on.
fn past(finished: i32) -> String {
    format!(
        "INSERT INTO staff (telegram_user_id, full_name) VALUES (1, 'Диспетчер');
         INSERT INTO cities (name, timezone) SELECT 'Город ' || n, 'Asia/Yekaterinburg' FROM generate_series(1, 10) AS n;
         INSERT INTO districts (city_id, name) SELECT cities.id, 'Район ' || n FROM cities, generate_series(1, 10) AS n;
         INSERT INTO masters (telegram_user_id, full_name, city_id, max_active_orders)
         SELECT 1000 + n, 'Мастер ' || n, n % 10 + 1, 1000 FROM generate_series(0, {MASTERS} - 1) AS n;
         INSERT INTO master_categories SELECT id, 'PLUMBING' FROM masters;
         INSERT INTO master_districts SELECT masters.id, districts.id FROM masters JOIN districts USING (city_id);
         INSERT INTO orders (city_id, district_id, category, status, version, assigned_master_id, address, client_name,
                             client_phone, final_amount, created_at, updated_at, search_started_at, policy_id)
         SELECT n % 10 + 1, n % 100 + 1, 'PLUMBING', 'CLOSED', 5, n % {MASTERS} + 1,
                (ARRAY['ул. Ленина, ', 'пр. Мира, ', 'ул. Победы, ', 'ул. Щорса, ', 'пер. Базовый, '])[n % 5 + 1] || n, 'Клиент ' || n,
                '+7999' || n, 1500, past, past, past, 1
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
         INSERT INTO dispatch_rounds (order_id, search_started_at, round_number, policy_id, chosen, excluded)
         SELECT id, created_at, 1, 1, '[1, 2, 3]', '{{}}' FROM orders;
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
