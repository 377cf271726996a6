//! How long a pass of the tick takes over orders that all look for a master, and how many round trips to the database
//! a batch of them costs, however many orders there are. On a private PostgreSQL that really writes to disk.

use std::time::Instant;

use field_service::app::App;
use field_service::cluster::{Cluster, Durability};
use field_service::config;
use field_service::model::due::BATCH;
use field_service::sim::proxy::Proxy;
use field_service::store::{Clock, migrate};
use tokio_postgres::NoTls;

const ORDERS: [i32; 4] = [100, 1_000, 3_000, 10_000];
const MASTERS: usize = 5_000;
/// The table shows the medians of this many.
const ROUNDS: usize = 3;

fn main() {
    // `cargo test --benches` calls this too, and measures nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let cluster = Cluster::start(Durability::Real).unwrap_or_else(|error| panic!("{error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    println!("one pass of the tick over orders without offers, {MASTERS} masters\n");
    println!("| orders | offers | seconds | ms per batch of {BATCH} | round trips per batch |");
    println!("|---|---|---|---|---|");
    for orders in ORDERS {
        let mut passes: Vec<Pass> = (0..ROUNDS)
            .map(|round| runtime.block_on(pass(&cluster, &format!("tick_{orders}_{round}"), orders)))
            .collect();
        passes.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let Pass { offers, seconds, round_trips } = passes[ROUNDS / 2];
        // The last one finds that there is nothing left.
        let batches = f64::from(orders / BATCH + 1);
        println!(
            "| {orders} | {offers} | {seconds:.2} | {:.0} | {:.1} |",
            seconds * 1000.0 / batches,
            f64::from(round_trips) / batches
        );
    }
}

#[derive(Clone, Copy)]
struct Pass {
    offers: usize,
    seconds: f64,
    round_trips: u32,
}

async fn pass(cluster: &Cluster, name: &str, orders: i32) -> Pass {
    execute(&cluster.database_url("postgres"), &format!("CREATE DATABASE {name}")).await;
    let url = cluster.database_url(name);
    migrate::run(&config::Database::from_url(&url).expect("a URL")).await.expect("migrations");
    // Ten cities of ten districts; a master works in about three of them, and in about two of the six trades.
    execute(
        &url,
        &format!(
            "INSERT INTO cities (name, timezone) SELECT 'Город ' || n, 'Asia/Yekaterinburg' FROM generate_series(1, 10) AS n;
             INSERT INTO districts (city_id, name)
             SELECT cities.id, 'Район ' || n FROM cities, generate_series(1, 10) AS n;
             INSERT INTO masters (telegram_user_id, full_name, city_id, rating)
             SELECT 1000 + n, 'Мастер ' || n, n % 10 + 1, 3 + n % 200 / 100.0 FROM generate_series(1, {MASTERS}) AS n;
             INSERT INTO master_districts (master_id, district_id)
             SELECT masters.id, districts.id FROM masters JOIN districts USING (city_id)
             WHERE hashint8(masters.id * 1000 + districts.id) % 10 IN (0, 3, -3);
             INSERT INTO master_categories (master_id, category)
             SELECT masters.id, category
             FROM masters, unnest(ARRAY['ELECTRICS', 'PLUMBING', 'APPLIANCES', 'WINDOWS', 'HANDYMAN', 'ROADSIDE'])
                 WITH ORDINALITY AS trade (category, number)
             WHERE hashint8(masters.id * 1000 + number) % 3 = 0;
             INSERT INTO orders (city_id, district_id, category, status, address, client_name, client_phone)
             SELECT city_id, id, (ARRAY['ELECTRICS', 'PLUMBING', 'APPLIANCES', 'WINDOWS', 'HANDYMAN', 'ROADSIDE'])[n / 100 % 6 + 1],
                    'SEARCHING', 'ул. Ленина, ' || n, 'Клиент ' || n, '+7999' || n
             FROM generate_series(1, {orders}) AS n JOIN districts ON districts.id = n % 100 + 1;
             VACUUM ANALYZE;
             CHECKPOINT;"
        ),
    )
    .await;
    let proxy = Proxy::start(cluster.folder()).await.expect("a proxy");
    let lookup = |variable: &str| match variable {
        "DATABASE_URL" => Some(proxy.database_url(name)),
        "MASTER_BOT_TOKEN" => Some("1:token".to_owned()),
        "ADMIN_BOT_TOKEN" => Some("2:token".to_owned()),
        _ => None,
    };
    let jobs = App::without_webhook(&lookup, 1, Clock::default()).expect("an app").jobs();
    // Every order has been through a search before, as far as the planner's statistics go.
    jobs.pass().await.expect("a pass");
    execute(
        &url,
        "TRUNCATE outbox;
         UPDATE offers SET state = 'EXPIRED', sent_at = sent_at - interval '1 day';
         UPDATE orders SET next_round_at = now(), search_started_at = NULL, last_round = 0, escalated_at = NULL,
                           escalation_reason = NULL;
         VACUUM ANALYZE; CHECKPOINT;",
    )
    .await;
    let (begun, before) = (Instant::now(), proxy.round_trips());
    let passed = jobs.pass().await.expect("a pass");
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(i32::try_from(passed.dispatched.orders), Ok(orders));
    let round_trips = u32::try_from(proxy.round_trips() - before).expect("not that many");
    Pass { offers: passed.dispatched.offers, seconds, round_trips }
}

async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    for statement in sql.split_inclusive(';').filter(|statement| !statement.trim().is_empty()) {
        client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}
