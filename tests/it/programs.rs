//! The programs as an operator meets them: settings, migrations, the first masters, `serve`.

use std::process::{Output, Stdio};
use std::time::Duration;

use field_service::config::{self, Database, Token, WebhookSecret};
use field_service::sim::telegram::{Fault, Telegram, Webhook};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::harness::page::{act, told_eventually};
use crate::harness::{ANNA, BORIS, Dispatch, MASTER_SECRET, MASTER_TOKEN, eventually, postgres};

fn program(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command.args(args).env_clear().envs(variables.iter().copied()).stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    program(args, variables).output().await.expect("the program runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const SERVE: [(&str, &str); 5] = [
    ("DATABASE_URL", "postgresql://user@localhost/db"),
    ("MASTER_BOT_TOKEN", "1:key"),
    ("ADMIN_BOT_TOKEN", "2:key"),
    ("MASTER_WEBHOOK_SECRET", "secret"),
    ("ADMIN_WEBHOOK_SECRET", "secret"),
];

#[tokio::test]
async fn a_missing_variable_is_named_before_anything_is_served() {
    for (missing, _) in SERVE {
        let rest: Vec<_> = SERVE.into_iter().filter(|(name, _)| *name != missing).collect();
        let output = run(&["serve", "--listen", "127.0.0.1:0"], &rest).await;
        assert!(!output.status.success());
        assert!(said(&output).contains(&format!("{missing} is not set: expected")), "{}", said(&output));
    }
    let output = run(&["migrate"], &[]).await;
    assert!(said(&output).contains("DATABASE_URL is not set"), "{}", said(&output));
    for function in [env!("CARGO_BIN_EXE_webhook"), env!("CARGO_BIN_EXE_tick")] {
        let output = Command::new(function).env_clear().output().await.expect("the function runs");
        assert!(
            !output.status.success() && said(&output).starts_with("error: DATABASE_URL is not set"),
            "{}",
            said(&output)
        );
    }
}

#[tokio::test]
async fn a_malformed_variable_is_named_and_not_shown() {
    for (name, value) in [
        ("MASTER_BOT_TOKEN", "hush-hush"),
        ("ADMIN_BOT_TOKEN", "12:"),
        ("MASTER_WEBHOOK_SECRET", "hush hush"),
        ("MASTER_WEBHOOK_SECRET_PREVIOUS", "hush/hush"),
        ("DATABASE_URL", "mysql://hush-hush"),
        ("DATABASE_URL", "postgresql://user:hush-hush@localhost/db?sslmode=allow"),
        ("DATABASE_STATEMENTS", "hush-hush"),
        ("TELEGRAM_API_URL", "hush-hush"),
        ("PGSSLROOTCERT", "/does/not/exist.pem"),
        ("RUST_LOG", "hush=hush=hush"),
    ] {
        let mut variables: Vec<_> = SERVE.into_iter().filter(|(set, _)| *set != name).collect();
        variables.push((name, value));
        if name == "PGSSLROOTCERT" {
            variables[0].1 = "postgresql://user@localhost/db?sslmode=verify-full";
        }
        let output = run(&["serve", "--listen", "127.0.0.1:0"], &variables).await;
        assert!(!output.status.success(), "{name}");
        assert!(said(&output).contains(name) && !said(&output).contains("hush-hush"), "{}", said(&output));
    }
}

#[test]
fn tokens_and_secrets_have_their_forms() {
    for good in ["1:x", "123456:AAF_x-y"] {
        assert!(Token::parse("T", good).is_ok(), "{good}");
    }
    for bad in ["", ":", "1:", ":x", "a:x", "1x", "1:a/b", "1:a b", "1:a?b"] {
        assert!(Token::parse("T", bad).is_err(), "{bad}");
    }
    for good in ["a", &"a".repeat(256), "A-z_09"] {
        assert!(WebhookSecret::parse("S", good).is_ok(), "{good}");
    }
    for bad in ["", &"a".repeat(257), "a b", "ж", "a\n"] {
        assert!(WebhookSecret::parse("S", bad).is_err(), "{bad}");
    }
}

#[test]
fn every_sslmode_of_the_contract_is_known() {
    for mode in ["disable", "prefer", "require", "verify-full"] {
        let url = format!("postgresql://user:p%40ss@db.example.org:6432/name?sslmode={mode}");
        let database = Database::from_url(&url).expect(mode);
        assert_eq!(database.verify_certificate, mode == "verify-full");
    }
    assert!(Database::from_url("host=/tmp dbname=x user=y").is_ok());
    for bad in ["postgresql://", "postgresql://host", "host=x", "postgresql://h/d?sslmode=verify-ca"] {
        assert!(Database::from_url(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_empty_variable_counts_as_missing() {
    let lookup = |name: &str| (name == "TELEGRAM_API_URL").then(String::new);
    assert_eq!(config::telegram_api_url(&lookup).as_deref(), Ok("https://api.telegram.org"));
    let lookup = |_: &str| Some("http://localhost:8081/".to_owned());
    assert_eq!(config::telegram_api_url(&lookup).as_deref(), Ok("http://localhost:8081"));
}

#[tokio::test]
async fn migrate_can_run_twice_and_from_two_processes_at_once() {
    let url = postgres::empty_database("migrate_twice").await;
    let variables = [("DATABASE_URL", url.as_str())];

    let (first, second) = tokio::join!(run(&["migrate"], &variables), run(&["migrate"], &variables));
    assert!(first.status.success() && second.status.success(), "{}{}", said(&first), said(&second));
    let both = said(&first) + &said(&second);
    assert!(
        ["Applied V1__schema.", "Applied V2__rounds.", "Applied V3__outbox.", "up to date"]
            .iter()
            .all(|line| both.contains(line)),
        "{both}"
    );
    assert!(said(&run(&["migrate"], &variables).await).contains("up to date"));

    let client = postgres::connect(&url).await;
    let names = client
        .query(
            "SELECT indexname FROM pg_indexes WHERE tablename='offers' AND indexname LIKE 'idx_offers_%' ORDER BY 1",
            &[],
        )
        .await
        .expect("the deployment check");
    let names: Vec<String> = names.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        names,
        [
            "idx_offers_active_state",
            "idx_offers_master_active",
            "idx_offers_not_expired",
            "idx_offers_order_master_active"
        ]
    );
    let timeout: String =
        postgres::connect(&url).await.query_one("SHOW lock_timeout", &[]).await.expect("a setting").get(0);
    assert_eq!(timeout, "1s");
}

#[tokio::test]
async fn migrate_keeps_what_is_there_and_refuses_a_changed_file_by_name() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let variables = [("DATABASE_URL", t.database_url.as_str())];
    assert!(run(&["migrate"], &variables).await.status.success());
    assert_eq!(t.status(order).await, "SEARCHING");

    t.execute("UPDATE refinery_schema_history SET checksum = '1'", &[]).await;
    let output = run(&["migrate"], &variables).await;
    assert!(!output.status.success());
    assert!(said(&output).contains("V1__schema"), "{}", said(&output));
}

#[tokio::test]
async fn what_sql_can_forbid_sql_forbids() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let offer = |master: i64, state: &str| {
        format!(
            "INSERT INTO offers (order_id, master_id, state, round_number, expires_at)
             VALUES ({order}, {master}, '{state}', 1, now())"
        )
    };
    t.execute(&offer(2, "ACCEPTED"), &[]).await;
    for (forbidden, why) in [
        (offer(3, "ACCEPTED"), "offers_one_accepted_per_order"),
        (offer(1, "VIEWED"), "idx_offers_order_master_active"),
        (offer(3, "MAYBE"), "offers_state_check"),
        (format!("UPDATE orders SET status = 'ASSIGNED' WHERE id = {order}"), "orders_active_has_master"),
        (format!("UPDATE orders SET timeslot_start = 'infinity' WHERE id = {order}"), "orders_timeslot_on_a_calendar"),
        (format!("UPDATE orders SET version = 0 WHERE id = {order}"), "orders_version_check"),
        (
            format!(
                "UPDATE orders SET timeslot_start = now(), timeslot_end = now() - interval '1 s' WHERE id = {order}"
            ),
            "orders_timeslot_in_order",
        ),
        ("INSERT INTO cities (name, timezone) VALUES ('Х', 'Mars/Olympus')".to_owned(), "Mars/Olympus"),
    ] {
        let error = t.sql.batch_execute(&forbidden).await.expect_err(&forbidden);
        assert!(format!("{error:?}").contains(why), "{forbidden}: {error:?}");
    }
}

#[tokio::test]
async fn the_first_masters_are_let_in_from_the_command_line() {
    let t = Dispatch::start().await;
    let variables = [("DATABASE_URL", t.database_url.as_str())];
    let add = |city: &'static str, more: &'static [&'static str]| {
        let mut args = vec!["master", "add", "--telegram-id", "777", "--name", "Глеб Новый", "--city", city];
        args.extend(more);
        async move { run(&args, &variables).await }
    };

    let output = add("Омск", &[]).await;
    assert!(!output.status.success() && said(&output).contains("--timezone"), "{}", said(&output));
    for wrong in [&["--timezone", "Asia/Omks"], &["--timezone", "UTC+6"], &["--timezone", ""]] {
        let output = add("Омск", wrong).await;
        assert!(!output.status.success() && said(&output).contains("not a time zone"), "{}", said(&output));
    }
    for (city, more) in [("", &[][..]), (" Омск", &[]), ("Омск\n", &[])] {
        let output = add(city, more).await;
        assert!(!output.status.success() && said(&output).contains("--city"), "{}", said(&output));
    }
    let output = add("Екатеринбург", &["--timezone", "Asia/Omsk"]).await;
    assert!(!output.status.success() && said(&output).contains("Asia/Yekaterinburg already"), "{}", said(&output));
    let output = add("Омск", &["--timezone", "Asia/Omsk", "--category", "plumbing", "--category", "WINDOWS"]).await;
    assert!(output.status.success(), "{}", said(&output));
    let output = add("Омск", &[]).await;
    assert!(output.status.success() && said(&output).contains("already"), "{}", said(&output));

    t.chat(777).say("/start").await;
    assert!(t.chat(777).screen().contains("Глеб Новый"));
    let trades: i64 = t
        .one("SELECT count(*) FROM master_categories JOIN masters ON id = master_id WHERE telegram_user_id = 777", &[])
        .await;
    assert_eq!(trades, 2);
    let output = add("Омск", &["--category", "MAGIC"]).await;
    assert!(!output.status.success() && said(&output).contains("PLUMBING"), "{}", said(&output));
}

#[tokio::test]
async fn the_webhook_is_registered_shown_and_removed() {
    let telegram = Telegram::start().await.expect("a local Telegram");
    telegram.stop_clock();
    telegram.add_bot(MASTER_TOKEN, "Заявки", None);
    let variables = [
        ("MASTER_BOT_TOKEN", MASTER_TOKEN),
        ("MASTER_WEBHOOK_SECRET", MASTER_SECRET),
        ("TELEGRAM_API_URL", telegram.api_url()),
    ];

    let output = run(&["webhook", "set", "https://bot.example.org/"], &variables).await;
    assert!(output.status.success(), "{}", said(&output));
    let webhook = telegram.webhook(MASTER_TOKEN).expect("a webhook");
    assert_eq!(webhook.url, "https://bot.example.org/telegram/master");
    assert_eq!(webhook.secret.as_deref(), Some(MASTER_SECRET));
    let call = &telegram.calls()[0];
    assert_eq!(call.params["allowed_updates"], serde_json::json!(["message", "callback_query"]));
    assert_eq!(call.params["max_connections"], 8);
    assert!(!said(&output).contains(MASTER_SECRET));

    let output = run(&["webhook", "info"], &variables).await;
    assert!(said(&output).contains("waiting updates: 0\nlast error: none"), "{}", said(&output));
    // Nobody is there.
    telegram.set_webhook(MASTER_TOKEN, Webhook { url: "http://127.0.0.1:1/telegram/master".to_owned(), ..webhook });
    let chat = telegram.chat(MASTER_TOKEN, 101, "Анна");
    for _ in 0..3 {
        telegram.enqueue(MASTER_TOKEN, chat.text_update("/start"));
    }
    eventually(|| telegram.journal(3)[0].attempts.len() == 2).await;
    let output = run(&["webhook", "info"], &variables).await;
    let info = said(&output);
    assert!(info.contains("http://127.0.0.1:1/telegram/master") && info.contains("waiting updates: 3"), "{info}");
    let today = jiff::Timestamp::now().strftime("%Y-%m-").to_string();
    assert!(info.contains("last error: Connection refused") && info.contains(&today), "{info}");

    assert!(run(&["webhook", "delete"], &variables).await.status.success());
    assert_eq!(telegram.webhook(MASTER_TOKEN), None);
    for wrong in [
        "bot.example.org",
        "ftp://bot.example.org",
        "https://bot.example.org/?a=b",
        "https://bot.example.org/#x",
        "https://bot.example.org/telegram/admin",
        "https://bot exa.org",
    ] {
        let output = run(&["webhook", "set", wrong], &variables).await;
        assert!(
            !output.status.success() && said(&output).contains("expected the handler's address"),
            "{}",
            said(&output)
        );
    }
    assert_eq!(telegram.webhook(MASTER_TOKEN), None);
    assert!(run(&["webhook", "set", "https://x.org/prod/telegram/master"], &variables).await.status.success());
    assert_eq!(telegram.webhook(MASTER_TOKEN).expect("a webhook").url, "https://x.org/prod/telegram/master");
}

/// A program that listens.
struct Server {
    process: Child,
    url: String,
}

/// Starts a program and waits until it says where it listens.
async fn start(args: &[&str], t: &Dispatch, api_url: &str) -> Server {
    let variables = [
        ("DATABASE_URL", t.database_url.as_str()),
        ("MASTER_BOT_TOKEN", MASTER_TOKEN),
        ("ADMIN_BOT_TOKEN", "1002:admin-token"),
        ("MASTER_WEBHOOK_SECRET", MASTER_SECRET),
        ("ADMIN_WEBHOOK_SECRET", "x"),
        ("TELEGRAM_API_URL", api_url),
    ];
    let mut command = program(args, &variables);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    // One says it to people, the other logs it.
    let (output, log) = (process.stdout.take().expect("stdout"), process.stderr.take().expect("stderr"));
    let url = tokio::select! {
        url = address_in(output) => url,
        url = address_in(log) => url,
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("it does not say where it listens"),
    };
    Server { process, url }
}

/// The first address in what a program writes; it goes on being read.
async fn address_in(output: impl AsyncRead + Unpin + Send + 'static) -> String {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some((_, address)) = line.split_once("http://") {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return format!("http://{}", address.split_whitespace().next().expect("an address"));
        }
    }
    std::future::pending().await
}

async fn serve(t: &Dispatch) -> Server {
    start(&["serve", "--listen", "127.0.0.1:0"], t, t.telegram.api_url()).await
}

#[tokio::test]
async fn sim_lets_people_play_with_a_handler_that_runs_elsewhere() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let nowhere = "http://127.0.0.1:1/lambda-url/webhook";
    let sim = start(&["sim", "--webhook-url", nowhere, "--listen", "127.0.0.1:0"], &t, "").await;
    let server = start(&["serve", "--listen", "127.0.0.1:0"], &t, &sim.url).await;
    let variables = [
        ("MASTER_BOT_TOKEN", MASTER_TOKEN),
        ("MASTER_WEBHOOK_SECRET", MASTER_SECRET),
        ("TELEGRAM_API_URL", sim.url.as_str()),
    ];
    assert!(run(&["webhook", "set", &server.url], &variables).await.status.success());

    act(&sim.url, "race", &json!({"bot": 1001, "order": order.0, "people": [ANNA, BORIS]})).await;
    let topics = told_eventually(&sim.url, |topics| topics[format!("order/{order}")]["status"] == "ASSIGNED").await;

    assert!(t.owner(order).await.is_some());
    let text = topics.to_string();
    assert!(text.contains("phone/1001/101") && text.contains("Борис"), "the phones are the masters': {text}");
    assert!(!text.contains(MASTER_SECRET) && !text.contains(MASTER_TOKEN), "{text}");
    t.check().await;
}

#[tokio::test]
async fn sim_says_what_it_cannot_use() {
    for wrong in ["localhost:9000", "ftp://localhost", "http://localhost/?a=b"] {
        let output = run(&["sim", "--webhook-url", wrong, "--listen", "127.0.0.1:0"], &SERVE).await;
        assert!(!output.status.success() && said(&output).contains("expected the handler's address"), "{output:?}");
    }
    let output = run(&["sim", "--webhook-url", "http://localhost", "--listen", "127.0.0.1:0"], &SERVE[..1]).await;
    assert!(!output.status.success() && said(&output).contains("MASTER_WEBHOOK_SECRET is not set"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_queues_a_burst_of_two_thousand_simultaneous_webhooks() {
    let t = Dispatch::start().await;
    let server = serve(&t).await;
    rlimit::increase_nofile_limit(u64::MAX).expect("enough files for two thousand connections");
    let users: Vec<i64> = (10_000..12_000).collect();
    t.execute(
        "INSERT INTO masters (telegram_user_id, full_name, city_id)
         SELECT n, 'Мастер', (SELECT min(id) FROM cities) FROM generate_series(10000, 11999) AS n",
        &[],
    )
    .await;
    let order = t.order().create().await;
    t.execute(
        "INSERT INTO offers (order_id, master_id, state, expires_at)
         SELECT $1, id, 'SENT', now() + interval '10 minutes' FROM masters",
        &[&order.0],
    )
    .await;
    let webhook = Webhook { url: format!("{}/telegram/master", server.url), secret: Some(MASTER_SECRET.to_owned()) };
    t.telegram.set_webhook(MASTER_TOKEN, webhook);

    let taps = futures_util::future::join_all(users.iter().map(|user| t.tap_accept(*user, order))).await;

    let refused = taps.iter().filter(|tap| tap.delivery.status != Some(200)).count();
    assert_eq!(refused, 0);
    assert_eq!(taps.iter().filter(|tap| tap.notice().contains("принята")).count(), 1);
    t.check().await;
}

#[tokio::test]
async fn serve_lets_orders_find_their_masters() {
    let t = Dispatch::start().await;
    let _server = serve(&t).await;
    let order = t.order().in_status("CREATED").create().await;
    let wait = async { while t.asked(order).await.len() < 3 {} };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("three masters are asked");
    assert_eq!(t.status(order).await, "SEARCHING");
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_finishes_what_has_begun_when_told_to_stop() {
    let t = Dispatch::start().await;
    let mut server = serve(&t).await;
    let webhook = Webhook { url: format!("{}/telegram/master", server.url), secret: Some(MASTER_SECRET.to_owned()) };
    t.telegram.set_webhook(MASTER_TOKEN, webhook);
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.chat(ANNA).say("/start").await;
    // The tap is under way while Telegram does not answer.
    t.telegram.fail_next("answerCallbackQuery", 1, Fault::Hang);
    let process = server.process.id().expect("a running process").to_string();
    let (tap, ()) = tokio::join!(t.tap_accept(ANNA, order), async {
        eventually(|| t.telegram.calls().iter().any(|call| call.method == "answerCallbackQuery")).await;
        assert!(Command::new("kill").args(["-TERM", &process]).status().await.expect("kill").success());
    });

    assert_eq!(tap.delivery.status, Some(200));
    assert!(server.process.wait().await.expect("an end").success());
    assert!(reqwest_refused(&server.url).await, "nobody listens any more");
}

#[tokio::test]
async fn a_second_signal_ends_serve_at_once() {
    let t = Dispatch::start().await;
    let mut server = serve(&t).await;
    let webhook = Webhook { url: format!("{}/telegram/master", server.url), secret: Some(MASTER_SECRET.to_owned()) };
    t.telegram.set_webhook(MASTER_TOKEN, webhook);
    let order = t.order().offered_to([ANNA]).await;
    t.telegram.fail_next("answerCallbackQuery", 1, Fault::Hang);
    let process = server.process.id().expect("a running process").to_string();
    let signal = async || Command::new("kill").args(["-TERM", &process]).status().await.expect("kill").success();
    let chat = t.chat(ANNA);
    let tap = chat.tap_update(&format!("m:new:acc:{order}"));
    let (_, ()) = tokio::join!(chat.deliver(tap), async {
        eventually(|| t.telegram.hanging() == 1).await;
        assert!(signal().await);
        // Until the first one has been noticed nobody waits for a second.
        while !reqwest_refused(&server.url).await {}
        assert!(signal().await);
        assert_eq!(server.process.wait().await.expect("an end").code(), Some(130));
    });
    assert_eq!(t.owner(order).await, Some(ANNA), "what was committed stands");
}

async fn reqwest_refused(url: &str) -> bool {
    field_service::telegram::http_client(url).get(url).send().await.is_err()
}
