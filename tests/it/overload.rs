//! More updates than can be handled: whoever is served is served soon, the others are told at once to come again.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, iter};

use crate::harness::function::resident;
use crate::harness::{ANNA, Dispatch, MASTER_SECRET, MASTER_TOKEN, Settings, database_name, proxied_database};

/// So many updates, unless `FLOOD` says how many: a minute of them are 12,000, at twice of what two connections can do that each update
/// keeps busy for 20 ms.
const FLOOD: usize = 1_500;
/// So many are sent at first; from then on two for each that is served.
const BEGINNING: usize = 40;
/// How much more may be held at the end than half-way: the allocator's noise, in KiB.
const NOISE: u64 = 4 * 1024;

/// What became of a delivery.
struct Delivered {
    status: u16,
    retry_after: bool,
    took: Duration,
}

async fn deliver(client: &reqwest::Client, t: &Dispatch, user: i64) -> Delivered {
    send(client, &t.url, t.chat(user).tap_update("m:new").to_string()).await
}

async fn send(client: &reqwest::Client, url: &str, update: String) -> Delivered {
    let begun = Instant::now();
    let answer = client
        .post(format!("{url}/telegram/master"))
        // How long they wait is judged by those who sent it.
        .timeout(Duration::from_mins(1))
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
    slow_down(&t, 0.05).await;
    t
}

/// Every update keeps a connection busy for so many seconds.
async fn slow_down(t: &Dispatch, seconds: f64) {
    t.sql
        .batch_execute(&format!(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
             CREATE TRIGGER slow BEFORE INSERT ON processed_updates FOR EACH ROW EXECUTE FUNCTION slow();"
        ))
        .await
        .expect("a trigger");
    for user in 1000..1400 {
        t.add_master(user, "Мастер").await;
    }
}

/// Not by the clock, which says nothing on a busy machine: whenever an update is served, two more are sent, so that twice as many are
/// offered as are done, however fast that is.
#[tokio::test(flavor = "multi_thread")]
async fn at_twice_the_capacity_memory_stays_flat_and_whoever_was_refused_is_served_afterwards() {
    let t = Dispatch::start().await;
    slow_down(&t, 0.02).await;
    let serve = t.serve(|command| _ = command.args(["--connections", "2"])).await;
    let (process, url) = (serve.process.id().expect("a process"), serve.url.clone());
    let client = field_service::telegram::http_client(&url);
    let count = std::env::var("FLOOD").map_or(FLOOD, |count| count.parse().expect("a number of updates"));
    let (mut sent, mut answered, mut served, mut half_way) = (0, 0, 0, 0);
    let (mut under_way, mut refused) = (FuturesUnordered::new(), Vec::new());
    while answered < count {
        let wanted = count.min(BEGINNING + 2 * served);
        while sent < wanted || (under_way.is_empty() && sent < count) {
            let user = 1000 + i64::try_from(sent % 400).expect("a number");
            let update = t.chat(user).tap_update("m:new").to_string();
            let (client, url) = (client.clone(), url.clone());
            under_way.push(tokio::spawn(async move { (send(&client, &url, update.clone()).await, update) }));
            sent += 1;
        }
        let (delivery, update) = under_way.next().await.expect("one that is under way").expect("no panic");
        match (delivery.status, delivery.retry_after) {
            (200, false) => served += 1,
            (503, true) => refused.push(update),
            other => panic!("answered with {other:?} after {:?}", delivery.took),
        }
        answered += 1;
        if answered == count / 2 {
            half_way = resident(process);
            assert_eq!(serve.health().await, Some(200), "whoever watches is not refused");
        }
    }
    let end = resident(process);
    assert!(end <= half_way + NOISE, "{half_way} KiB half-way, {end} at the end of {count}");
    assert!(served > count / 4 && refused.len() > count / 10, "{served} served, {} refused", refused.len());

    // As Telegram sends them again, a few at a time.
    let again = iter(refused).map(|update| send(&client, &url, update)).buffer_unordered(8);
    let again: Vec<_> = again.map(|delivery| delivery.status).collect().await;
    assert!(again.iter().all(|status| *status == 200), "{again:?}");
    let recorded = t.one::<i64>("SELECT count(*) FROM processed_updates", &[]).await;
    assert_eq!(recorded, i64::try_from(count).expect("a count"), "each is done once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_wrong_secrets_opens_no_connection_to_the_database() {
    let (database_url, proxy) = proxied_database().await;
    let flooded = format!("application_name=flooded {}", proxy.database_url(database_name(&database_url)));
    let t = Dispatch::start_on(database_url, Settings { database_url: Some(flooded), ..Settings::default() }).await;
    let client = field_service::telegram::http_client(&t.url);
    let held =
        async || t.one::<i64>("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'flooded'", &[]).await;
    let update = t.chat(ANNA).tap_update("m:new").to_string();
    let statuses = iter(0..2_000).map(|number| {
        let bot = ["master", "admin"][number % 2];
        let request = client.post(format!("{}/telegram/{bot}", t.url)).body(update.clone());
        let wrong = ["guess", "", MASTER_TOKEN][number % 3];
        let request = if number % 5 == 0 { request } else { request.header("X-Telegram-Bot-Api-Secret-Token", wrong) };
        async { request.send().await.expect("an answer").status().as_u16() }
    });
    let statuses: Vec<_> = statuses.buffer_unordered(64).collect().await;
    assert!(statuses.iter().all(|status| *status == 401));
    assert_eq!(held().await, 0);
    assert_eq!(t.app.metrics.get("webhook", "OVERLOADED"), 0, "nor do they stand in anybody's way");
    assert_eq!(send(&client, &t.url, update).await.status, 200);
    assert!(held().await > 0, "one who knows the secret needs a connection");
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
