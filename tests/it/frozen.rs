//! One process of the Lambda function over thousands of invocations, frozen and thawed between them: it holds no more memory and
//! no more connections than at first, and a connection that died meanwhile costs nobody an answer.

use field_service::sim::proxy::Proxy;

use crate::harness::function::{Function, function_url};
use crate::harness::{ANNA, Dispatch, MASTER_SECRET, cluster_folder, database_name};

/// So many invocations, unless `INVOCATIONS` says how many.
const INVOCATIONS: usize = 2_000;
/// How much more may be held at the end than after a quarter: the allocator's noise, in KiB. A leak of 300 bytes an invocation is
/// more over 20,000.
const NOISE: u64 = 4 * 1024;

async fn look_at_the_list(t: &Dispatch, function: &mut Function) {
    let update = t.chat(ANNA).tap_update("m:new").to_string();
    let answer = function.invoke(function_url(MASTER_SECRET, &update, false)).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_invocations_of_one_process_hold_no_more_memory_and_one_connection() {
    let t = Dispatch::start().await;
    let database_url = format!("application_name=the_function {}", t.database_url);
    let mut function = Function::start_on(&t, &database_url);
    let count =
        std::env::var("INVOCATIONS").map_or(INVOCATIONS, |count| count.parse().expect("a number of invocations"));
    let mut early = 0;
    for number in 0..count {
        look_at_the_list(&t, &mut function).await;
        if number == count / 4 {
            early = function.resident();
        }
    }
    let late = function.resident();
    assert!(late <= early + NOISE, "{early} KiB after {} invocations, {late} after {count}", count / 4);
    let held = t.one::<i64>("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'the_function'", &[]).await;
    assert_eq!(held, 1, "connections of one environment");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_connection_died_while_it_was_frozen_serves_the_next_tap() {
    let t = Dispatch::start().await;
    let proxy = Proxy::start(cluster_folder()).await.expect("a proxy");
    let mut function = Function::start_on(&t, &proxy.database_url(database_name(&t.database_url)));
    for _ in 0..5 {
        look_at_the_list(&t, &mut function).await;
        function.signal("-STOP");
        // What a restart of the database, a failover or a firewall leaves of it.
        proxy.hang_up();
        function.signal("-CONT");
        look_at_the_list(&t, &mut function).await;
    }
}
