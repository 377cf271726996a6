//! The pool: it makes do with the connections that the server allows, and `/health` tells the truth about the server
//! whatever waits.

use std::time::{Duration, Instant};

use field_service::store::{Connection, Statement};
use futures_util::future::join_all;

use crate::harness::{ANNA, BORIS, Dispatch, Settings, cluster_folder, database_name, postgres};

/// A system whose role may have so many connections at once.
async fn limited_to(connections: usize, wanted: usize) -> Dispatch {
    let database_url = postgres::fresh_database().await;
    let name = database_name(&database_url).to_owned();
    let role = format!("limited_{name}");
    postgres::connect(&database_url)
        .await
        .batch_execute(&format!(
            "CREATE ROLE {role} LOGIN CONNECTION LIMIT {connections};
             GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
             GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"
        ))
        .await
        .expect("a role");
    let limited = format!("host={} user={role} dbname={name}", cluster_folder().display());
    Dispatch::start_on(
        database_url,
        Settings { connections: wanted, database_url: Some(limited), ..Settings::default() },
    )
    .await
}

/// The status of `/health`, and how long it took.
async fn health(t: &Dispatch) -> (u16, Duration) {
    let begun = Instant::now();
    let asked = field_service::telegram::http_client(&t.url).get(format!("{}/health", t.url)).send().await;
    (asked.expect("an answer").status().as_u16(), begun.elapsed())
}

static SLEEP: Statement =
    Statement { name: "test.sleep", text: "/* test.sleep */ SELECT pg_sleep(3.5)::text AS slept", types: &[] };

async fn sleep(t: &Dispatch) -> bool {
    t.app.store.run(async |connection: Connection| connection.fetch(&SLEEP, &[]).await.map(drop)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_fewer_connections_than_wanted_costs_nobody_a_tap() {
    let t = limited_to(4, 8).await;
    for user in 200..250 {
        t.add_master(user, "Мастер").await;
    }
    let jobs = t.app.jobs();
    let stop = tokio::time::sleep(Duration::from_secs(4));
    let taps = async {
        let mut statuses = Vec::new();
        for _ in 0..6 {
            let tap = async |user| t.chat(user).tap("m:new").await.delivery.status;
            statuses.extend(join_all((200..250).map(tap)).await);
        }
        statuses
    };

    let (failed, statuses) = tokio::join!(jobs.run(stop), taps);

    let refused = statuses.iter().filter(|status| **status != Some(200)).count();
    assert_eq!((refused, failed), (0, Vec::new()), "of {}", statuses.len());
    for job in ["begin_rounds", "deliver", "expire"] {
        assert_eq!(t.app.metrics.get(job, "FAILED"), 0, "{job}");
    }
}

#[tokio::test]
async fn without_any_connection_the_answer_comes_soon() {
    let t = limited_to(0, 8).await;
    let begun = Instant::now();
    let taps = join_all((0..20).map(|_| async { t.chat(ANNA).tap("m:new").await.delivery.status })).await;
    assert!(taps.iter().all(|status| *status == Some(503)), "{taps:?}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let (status, took) = health(&t).await;
    assert!(status == 503 && took < Duration::from_secs(2), "{status} after {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_within_two_seconds_while_every_connection_is_busy() {
    for allowed in [300, 2] {
        let t = limited_to(allowed, 2).await;
        t.chat(ANNA).tap("m:new").await;
        let asking = async {
            // Until the sleepers have both connections, and others queue behind them.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let mut answers = Vec::new();
            for _ in 0..4 {
                answers.push(health(&t).await);
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            answers
        };

        let (slept, answers) = tokio::join!(join_all((0..4).map(|_| sleep(&t))), asking);

        assert!(slept.iter().all(|slept| *slept), "{slept:?}");
        for (status, took) in answers {
            assert!(status == 200 && took < Duration::from_secs(2), "{status} after {took:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_within_two_seconds_when_the_database_is_silent() {
    let (database_url, proxy) = crate::harness::proxied_database().await;
    let through_proxy = proxy.database_url(database_name(&database_url));
    let settings = Settings { database_url: Some(through_proxy), ..Settings::default() };
    let t = Dispatch::start_on(database_url, settings).await;
    assert_eq!(health(&t).await.0, 200);
    proxy.silence();
    // The last answer is a second old.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let (status, took) = health(&t).await;
    assert!(status == 503 && took < Duration::from_secs(2), "{status} after {took:?}");
    proxy.restore();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(health(&t).await.0, 200);
}

/// How many sessions there have been in the test's database.
async fn sessions(t: &Dispatch) -> i64 {
    // A session that has ended is counted when it tells its statistics.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    t.one("SELECT sessions FROM pg_stat_database WHERE datname = current_database()", &[]).await
}

async fn set_read_only(t: &Dispatch, read_only: bool) {
    let name = database_name(&t.database_url);
    let how = if read_only { "SET default_transaction_read_only = on" } else { "RESET default_transaction_read_only" };
    t.sql.batch_execute(&format!("ALTER DATABASE {name} {how}")).await.expect("a setting");
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
async fn a_read_only_failover_opens_few_connections_and_is_told_by_health() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.chat(ANNA).tap("m:new").await;
    set_read_only(&t, true).await;
    // The sessions that are there are of the old primary, which takes writes no more.
    t.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'field-service'",
        &[],
    )
    .await;
    let before = sessions(&t).await;

    let begun = Instant::now();
    let taps = join_all((0..180).map(|number| {
        let t = &t;
        async move {
            tokio::time::sleep(Duration::from_millis(number * 1000 / 60)).await;
            t.tap_accept(ANNA, order).await.delivery.status
        }
    }));
    let (taps, health_meanwhile) = tokio::join!(taps, async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        health(&t).await.0
    });
    let took = begun.elapsed();

    assert!(taps.iter().all(|status| *status == Some(503)), "{taps:?}");
    assert_eq!(health_meanwhile, 503);
    let opened = sessions(&t).await - before;
    // All eight at once when nothing is known yet, and then as many as ask again or begin before the answer is known: forty in
    // three seconds.
    let most = 8.0 + 32.0 * took.as_secs_f64() / 3.0;
    assert!(opened <= most as i64, "{opened} connections were opened in {took:?}");

    set_read_only(&t, false).await;
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"), "the first tap after it succeeds");
    assert_eq!(health(&t).await.0, 200);
    t.check().await;
}

/// What one order's trigger says is not true of the server: others go on.
#[tokio::test]
async fn an_order_that_claims_to_be_read_only_stops_no_other() {
    let t = Dispatch::start().await;
    let odd = t.order().offered_to([ANNA, BORIS]).await;
    t.sql
        .batch_execute(&format!(
            "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF OLD.id = {odd} THEN RAISE EXCEPTION 'odd' USING ERRCODE = '25006'; END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER odd BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION odd();"
        ))
        .await
        .expect("a trigger");
    for _ in 0..3 {
        assert_eq!(t.tap_accept(ANNA, odd).await.delivery.status, Some(503));
        let other = t.order().offered_to([ANNA]).await;
        assert!(t.tap_accept(ANNA, other).await.notice().contains("принята"));
        assert_eq!(health(&t).await.0, 200);
    }
}
