//! Telegram's limits, measured where the calls arrive; and results that the database could not take.

use std::time::{Duration, Instant};

use field_service::app::App;
use field_service::bots::delivery;
use field_service::dispatch::deliver;
use field_service::jobs::Jobs;
use field_service::sim::telegram::Fault;
use field_service::store::Clock;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::harness::{ADMIN_TOKEN, Dispatch, MASTER_TOKEN, Settings, database_name, proxied_database};

impl Dispatch {
    /// That many messages, in turns to that many chats, which are open.
    async fn broadcast(&self, messages: i64, chats: i64) {
        for chat in 0..chats {
            self.chat(5000 + chat).open();
        }
        self.execute(
            "INSERT INTO masters (telegram_user_id, full_name, city_id) SELECT 5000 + n, 'Мастер', 1 FROM generate_series(0, $1::bigint - 1) AS n",
            &[&chats],
        )
        .await;
        self.execute(
            "INSERT INTO orders (city_id, category, status, address, client_name, client_phone)
             SELECT 1, 'PLUMBING', 'CANCELED', 'x', 'x', '+7' FROM generate_series(1, $1::bigint)",
            &[&messages],
        )
        .await;
        self.execute(
            "INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at)
             SELECT 'MASTER', 5000 + id % $1, 'CANCELED', id, coalesce($2, now()), coalesce($2, now()) FROM orders ORDER BY id",
            &[&chats, &self.clock.now()],
        )
        .await;
    }

    async fn unfinished(&self) -> i64 {
        self.one("SELECT count(*) FROM outbox WHERE finished_at IS NULL", &[]).await
    }
}

/// Runs the jobs of so many processes until `done`.
async fn run_until(processes: &[Jobs], done: impl AsyncFn() -> bool) {
    let (stop, stopped) = watch::channel(false);
    let running = join_all(processes.iter().map(|jobs| {
        let mut stopped = stopped.clone();
        jobs.run(async move { drop(stopped.wait_for(|stopped| *stopped).await) })
    }));
    let watching = async {
        let begun = Instant::now();
        while !done().await {
            assert!(begun.elapsed() < Duration::from_mins(1), "it takes too long");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.send_replace(true);
    };
    tokio::join!(running, watching);
}

/// Five processes at once: what arrives is never above thirty a second, nor above one a second in a chat. Over two seconds, since
/// calls that a busy machine has held up for a moment arrive together.
#[tokio::test(flavor = "multi_thread")]
async fn five_processes_keep_to_the_pace_that_telegram_takes() {
    let t = Dispatch::start().await;
    t.broadcast(160, 100).await;
    let mut processes = vec![t];
    for _ in 0..4 {
        processes.push(processes[0].restarted().await);
    }
    let jobs: Vec<Jobs> = processes.iter().map(|process| process.app.jobs()).collect();
    run_until(&jobs, async || processes[0].unfinished().await == 0).await;

    let calls: Vec<_> = processes[0].telegram.calls().into_iter().filter(|call| call.method == "sendMessage").collect();
    assert_eq!(calls.len(), 160, "each once");
    for (first, call) in calls.iter().enumerate() {
        let within =
            |seconds| calls[first..].iter().take_while(move |other| other.at - call.at < Duration::from_secs(seconds));
        assert!(within(2).count() <= 60, "{} within two seconds", within(2).count());
        let in_chat = within(1).filter(|other| other.params["chat_id"] == call.params["chat_id"]).count();
        assert_eq!(in_chat, 1, "one a second in a chat");
    }
    let took = calls[calls.len() - 1].at - calls[0].at;
    assert!(took < Duration::from_secs(12), "{took:?}: not much slower than promised");
}

/// The whole bot has to wait, again and again: each time one call says so, and not thirty.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_limit_is_learned_by_few_calls() {
    let t = Dispatch::start().await;
    t.broadcast(60, 60).await;
    t.telegram.fail_next("sendMessage", 6, Fault::TooManyRequests(1));
    let begun = Instant::now();
    run_until(&[t.app.jobs()], async || t.unfinished().await == 0).await;
    let calls = t.telegram.calls();
    let refused = calls.iter().filter(|call| call.status == 429).count();
    assert_eq!(refused, 6);
    assert!(begun.elapsed() > Duration::from_secs(5), "each of them was waited for: {:?}", begun.elapsed());
    assert_eq!(calls.iter().filter(|call| call.status == 200 && call.method == "sendMessage").count(), 60);
}

/// A process of its own, as far as memory goes, on a clock that stands.
async fn behind_a_proxy() -> (Dispatch, field_service::sim::proxy::Proxy, String) {
    let (database_url, proxy) = proxied_database().await;
    let through_proxy = proxy.database_url(database_name(&database_url));
    let clock = Clock::standing_at(Timestamp::now() + SignedDuration::from_mins(1));
    let settings = Settings { connections: 4, database_url: Some(through_proxy.clone()), clock, ..Settings::default() };
    (Dispatch::start_on(database_url, settings).await, proxy, through_proxy)
}

/// The database is gone for longer than the leases last, while thirty messages are under way: none is sent twice.
#[tokio::test]
async fn what_was_sent_while_the_database_was_gone_is_not_sent_again() {
    let (t, proxy, url) = behind_a_proxy().await;
    t.broadcast(24, 24).await;
    let rows = deliver::claim(&t.app.store, None).await.expect("a database");
    assert_eq!(rows.len(), 24);
    let beside = another_process(&t, &url);
    beside.store.ping().await.expect("a database");

    proxy.cut();
    let bots = t.app.bots();
    join_all(rows.into_iter().map(|row| delivery::attempt(&bots, row))).await;
    assert_eq!(bots.delivery.unrecorded(), 24);
    // Another process finds out that the database is gone, too.
    deliver::claim(&beside.store, None).await.expect_err("no database");
    t.let_pass(60);
    delivery::record_kept(&bots).await.expect_err("no database");
    assert_eq!(bots.delivery.unrecorded(), 24);

    proxy.restore();
    assert_eq!(delivery::pass(&beside.bots(), None).await.expect("a database"), 0, "their sender may live");
    assert_eq!(t.unfinished().await, 24);
    assert_eq!(delivery::pass(&bots, None).await.expect("a database"), 0);
    assert_eq!((t.unfinished().await, bots.delivery.unrecorded()), (0, 0));
    let sent = t.telegram.calls().iter().filter(|call| call.method == "sendMessage").count();
    assert_eq!(sent, 24, "each once");
}

/// A process that has lost nothing takes over at once what a dead one has left.
#[tokio::test]
async fn what_a_dead_sender_has_left_is_taken_over_when_its_lease_ends() {
    let (t, _proxy, url) = behind_a_proxy().await;
    t.broadcast(3, 3).await;
    drop(deliver::claim(&t.app.store, None).await.expect("a database"));
    t.let_pass(30);
    let beside = another_process(&t, &url);
    assert_eq!(delivery::pass(&beside.bots(), None).await.expect("a database"), 3);
    assert_eq!(t.unfinished().await, 0);
}

/// What was claimed before Telegram asked the bot to wait is given back, as if it had not been tried.
#[tokio::test]
async fn what_was_claimed_before_telegram_asked_to_wait_is_given_back() {
    let t = Dispatch::with_standing_clock(0).await;
    t.broadcast(10, 10).await;
    let mut rows = deliver::claim(&t.app.store, None).await.expect("a database");
    assert_eq!(rows.len(), 10);
    t.telegram.fail_next("sendMessage", 1, Fault::TooManyRequests(5));
    let bots = t.app.bots();
    delivery::attempt(&bots, rows.remove(0)).await;
    join_all(rows.into_iter().map(|row| delivery::attempt(&bots, row))).await;
    assert_eq!(t.telegram.calls().len(), 1);
    let (tries, leased): (i64, i64) = (
        t.one("SELECT sum(attempts)::bigint FROM outbox", &[]).await,
        t.one("SELECT count(*) FROM outbox WHERE lease IS NOT NULL", &[]).await,
    );
    assert_eq!((tries, leased), (0, 0));
    t.let_pass(5);
    assert_eq!(delivery::pass(&bots, None).await.expect("a database"), 1, "a probe");
    t.tell().await;
    assert_eq!(t.unfinished().await, 0);
}

/// Another process: nothing of the first one's memory, the same database and the same Telegram.
fn another_process(t: &Dispatch, database_url: &str) -> App {
    let lookup = |name: &str| match name {
        "DATABASE_URL" => Some(database_url.to_owned()),
        "MASTER_BOT_TOKEN" => Some(MASTER_TOKEN.to_owned()),
        "ADMIN_BOT_TOKEN" => Some(ADMIN_TOKEN.to_owned()),
        "TELEGRAM_API_URL" => Some(t.telegram.api_url().to_owned()),
        _ => None,
    };
    App::without_webhook(&lookup, 2, t.clock.clone()).expect("a configured app")
}
