//! More updates than can be handled: whoever is served is served soon, the others are told at once to come again.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::harness::{Dispatch, MASTER_SECRET, Settings};

/// What became of a delivery.
struct Delivered {
    status: u16,
    retry_after: bool,
    took: Duration,
}

async fn deliver(client: &reqwest::Client, t: &Dispatch, user: i64) -> Delivered {
    let update = t.chat(user).tap_update("m:new").to_string();
    let begun = Instant::now();
    let answer = client
        .post(format!("{}/telegram/master", t.url))
        .header("X-Telegram-Bot-Api-Secret-Token", MASTER_SECRET)
        .body(update)
        .send()
        .await
        .expect("an answer");
    Delivered {
        status: answer.status().as_u16(),
        retry_after: answer.headers().contains_key("retry-after"),
        took: begun.elapsed(),
    }
}

/// Two connections, and every update keeps one busy for 50 ms: 40 updates a second.
async fn slow_system() -> Dispatch {
    let t = Dispatch::start_with(Settings { connections: 2, ..Settings::default() }).await;
    t.sql
        .batch_execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
             CREATE TRIGGER slow BEFORE INSERT ON processed_updates FOR EACH ROW EXECUTE FUNCTION slow();",
        )
        .await
        .expect("a trigger");
    for user in 1000..1400 {
        t.add_master(user, "Мастер").await;
    }
    t
}

#[tokio::test(flavor = "multi_thread")]
async fn at_four_times_the_capacity_whoever_is_served_waits_less_than_three_seconds() {
    let t = slow_system().await;
    let client = field_service::telegram::http_client(&t.url);
    let seconds = 8;
    let deliveries = join_all((0..160 * seconds).map(|number: u64| {
        let (client, t) = (&client, &t);
        async move {
            tokio::time::sleep(Duration::from_millis(number * 1000 / 160)).await;
            deliver(client, t, 1000 + i64::try_from(number % 400).expect("a number")).await
        }
    }));
    let health = async {
        let mut answers = Vec::new();
        for _ in 0..seconds {
            let begun = Instant::now();
            let answer = client.get(format!("{}/health", t.url)).send().await.expect("an answer");
            answers.push((answer.status().as_u16(), begun.elapsed()));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        answers
    };
    let (deliveries, health) = tokio::join!(deliveries, health);

    for (status, took) in health {
        assert!(status == 200 && took < Duration::from_secs(3), "health: {status} after {took:?}");
    }
    // How fast the server is must be learned first: some of the first are told late.
    let late = deliveries.iter().skip(160 * 3).filter(|delivery| delivery.status != 200);
    let slowest = late.map(|delivery| delivery.took).max().expect("some are refused");
    assert!(slowest < Duration::from_secs(3), "told at once, not after {slowest:?}");
    let (served, refused): (Vec<_>, Vec<_>) = deliveries.into_iter().partition(|delivery| delivery.status == 200);
    let slowest = served.iter().map(|delivery| delivery.took).max().expect("some are served");
    // Less than three on a machine that does nothing else: `http::load` is tested on a clock of its own.
    assert!(slowest < Duration::from_secs(6), "{slowest:?}");
    // Nothing of the capacity is wasted.
    assert!(served.len() > 180, "{} served, {} refused", served.len(), refused.len());
    assert!(refused.len() > 500, "{} served, {} refused", served.len(), refused.len());
    for delivery in &refused {
        assert_eq!((delivery.status, delivery.retry_after), (503, true), "after {:?}", delivery.took);
        assert!(delivery.took < Duration::from_secs(8), "after {:?}", delivery.took);
    }
    assert_eq!(t.app.metrics.get("webhook", "OVERLOADED"), refused.len() as u64);
    // And afterwards everything is as before.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(deliver(&client, &t, 1000).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_simultaneous_taps_on_a_slow_database_are_all_served() {
    let t = slow_system().await;
    let client = field_service::telegram::http_client(&t.url);
    for _ in 0..2 {
        let burst = join_all((1000..1060).map(|user| deliver(&client, &t, user))).await;
        assert!(burst.iter().all(|delivery| delivery.status == 200));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_turn_when_the_server_stops_is_told_to_come_again() {
    let t = slow_system().await;
    let client = field_service::telegram::http_client(&t.url);
    let recorded = async || t.one::<i64>("SELECT count(*) FROM processed_updates", &[]).await;
    let stop = async {
        // Half a second: by then all have come.
        while recorded().await < 20 {}
        t.stop_serving();
    };
    let burst = join_all((1000..1200).map(|user| deliver(&client, &t, user)));

    let (burst, ()) = tokio::join!(burst, stop);

    // Whoever had begun was served to the end; nothing is there of the others.
    let served = burst.iter().filter(|delivery| delivery.status == 200).count();
    assert!((20..150).contains(&served), "{served} of two hundred, which take five seconds");
    assert!(burst.iter().all(|delivery| delivery.status == 200 || delivery.retry_after));
    assert_eq!(recorded().await, i64::try_from(served).expect("a count"));
}
