//! How fast an order is taken, against what PostgreSQL can give: one run, one private cluster that really writes to
//! disk, one table. Figures from different runs or machines cannot be compared; ratios within a run can.

mod data;
mod load;
mod pgbench;

use std::sync::Arc;
use std::time::{Duration, Instant};

use field_service::cluster::{Cluster, Durability};
use field_service::config;
use field_service::dispatch::accept::{self, AcceptOutcome};
use field_service::model::{BotName, MasterRef, OrderId, Origin, TelegramUserId, UpdateKey};
use field_service::sim::proxy::Proxy;
use field_service::store::{Clock, Store, migrate};

use data::Data;

const IN_FLIGHT: [usize; 4] = [1, 8, 32, 128];
/// The table shows the medians of this many.
const ROUNDS: usize = 3;
/// What `serve` takes on two cores.
const CONNECTIONS: usize = 8;

fn main() {
    // `cargo test --benches` calls this too, and measures nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let cluster = Cluster::start(Durability::Real).unwrap_or_else(|error| panic!("{error}"));
    // PostgreSQL needs the cores more.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");

    println!("accepts per second, each with its fresh list\n");
    println!("| in flight | pgbench | accept function | ratio | full webhook | ratio | failed |");
    println!("|---|---|---|---|---|---|---|");
    for in_flight in IN_FLIGHT {
        let orders = if in_flight == 1 { 3_000 } else { 8_000 };
        let (mut ceiling, mut function, mut webhook, mut failed) = (Vec::new(), Vec::new(), Vec::new(), 0);
        // In turns, so that a noisy neighbour hits all three.
        for _ in 0..ROUNDS {
            let data = || runtime.block_on(Data::fresh(&cluster, orders));
            ceiling.push(pgbench::run(&cluster, &data(), in_flight.min(32)));
            function.push(runtime.block_on(through_the_pool(&data(), in_flight)));
            let served = runtime.block_on(load::through_the_webhook(&data(), in_flight));
            webhook.push(served.per_second);
            failed += served.failed;
        }
        let [ceiling, function, webhook] = [ceiling, function, webhook].map(median);
        println!(
            "| {in_flight} | {ceiling:.0} | {function:.0} | {:.2} | {webhook:.0} | {:.2} | {failed} |",
            function / ceiling,
            webhook / ceiling,
        );
    }
    println!(
        "\nMore than 32 clients of pgbench are more PostgreSQL processes than two cores can use: 128 is 32 there."
    );

    println!("\n50 masters tap one order at once, through the webhook, milliseconds\n");
    let contended = runtime.block_on(load::fifty_on_one(&cluster));
    println!("| | median | 99th percentile | taps |\n|---|---|---|---|");
    for (who, times) in [("winner", contended.winners), ("losers", contended.losers)] {
        println!("| {who} | {:.1} | {:.1} | {} |", percentile(&times, 50), percentile(&times, 99), times.len());
    }

    println!("\nDatabase round trips for an accept with its fresh list, counted by a proxy: {}", round_trips(&cluster));
}

/// The accept function, called by as many tasks as there are taps in flight.
async fn through_the_pool(data: &Data, in_flight: usize) -> f64 {
    let config = config::Database::from_url(&data.url).expect("a URL");
    let store = Store::new(&config, in_flight.min(CONNECTIONS), Clock::default()).expect("a pool");
    let data = Arc::new(data.clone());
    // Statements are prepared and connections opened before the clock runs.
    let warm: Vec<_> = (0..in_flight * 4).map(|order| take(&store, &data, order)).collect();
    futures_util::future::join_all(warm).await;
    let begun = Instant::now();
    let first = in_flight * 4;
    let tasks: Vec<_> = (0..in_flight)
        .map(|task| {
            let (store, data) = (store.clone(), Arc::clone(&data));
            tokio::spawn(async move {
                for order in (first + task..data.orders).step_by(in_flight) {
                    take(&store, &data, order).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("every order is taken");
    }
    per_second(data.orders - first, begun.elapsed())
}

async fn take(store: &Store, data: &Data, order: usize) {
    let master = MasterRef::Telegram(TelegramUserId(data.taker(order)));
    let origin =
        Origin { update: UpdateKey::callback(BotName::Master, &order.to_string()), message: None, written: None };
    let answered = accept::accept(store, OrderId(data::order_id(order)), master, Some(&origin), 1)
        .await
        .expect("a database")
        .expect("a master");
    assert!(matches!(answered.outcome, AcceptOutcome::Assigned(_)), "{}", answered.outcome.name());
}

/// On one thread, so that what is polled together is sent together, and on a warm connection.
fn round_trips(cluster: &Cluster) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let data = Data::fresh(cluster, 10).await;
        let proxy = Proxy::start(cluster.folder()).await.expect("a proxy");
        let config = config::Database::from_url(&proxy.database_url(&data.name)).expect("a URL");
        let store = Store::new(&config, 1, Clock::default()).expect("a pool");
        take(&store, &data, 0).await;
        let before = proxy.round_trips();
        take(&store, &data, 1).await;
        proxy.round_trips() - before
    })
}

fn per_second(count: usize, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of orders")]
    let count = count as f64;
    count / elapsed.as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1000.0
}
