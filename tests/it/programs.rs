//! The programs as an operator meets them: settings, migrations, the first masters, `serve`.

use std::process::{Output, Stdio};
use std::time::Duration;

use field_service::config::{self, Database, SharedSecret, Token};
use field_service::sim::telegram::{Fault, Telegram, Webhook};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::harness::page::{act, told_eventually};
use crate::harness::{ANNA, BARE_FOLDER, BORIS, Dispatch, MASTER_SECRET, MASTER_TOKEN, eventually, postgres};

fn program(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command
        .args(args)
        .current_dir(BARE_FOLDER)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
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
        assert!(SharedSecret::parse("S", good).is_ok(), "{good}");
    }
    for bad in ["", &"a".repeat(257), "a b", "ж", "a\n"] {
        assert!(SharedSecret::parse("S", bad).is_err(), "{bad}");
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

/// Runs `master …` on a test's database; what it said, and whether it succeeded.
async fn master(t: &Dispatch, args: &[&str]) -> (bool, String) {
    let args: Vec<_> = ["master"].iter().chain(args).copied().collect();
    let output = run(&args, &[("DATABASE_URL", t.database_url.as_str())]).await;
    (output.status.success(), said(&output))
}

async fn refused(t: &Dispatch, args: &[&str], why: &str) {
    let before = t.everything().await;
    let (succeeded, said) = master(t, args).await;
    assert!(!succeeded && said.contains(why), "{args:?}: {said}");
    let errors = said.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "one sentence: {said}");
    assert_eq!(t.everything().await, before, "nothing is half-done");
}

async fn done(t: &Dispatch, args: &[&str]) -> String {
    let (succeeded, said) = master(t, args).await;
    assert!(succeeded, "{args:?}: {said}");
    said
}

#[tokio::test]
async fn the_first_masters_are_let_in_from_the_command_line() {
    let t = Dispatch::start().await;
    let add = |city: &'static str, more: &[&'static str]| {
        let args = ["add", "--telegram-id", "777", "--name", "Глеб Новый", "--city", city];
        [&args[..], more].concat()
    };

    refused(&t, &add("Омск", &[]), "--timezone").await;
    refused(&t, &add("Омск", &[]), "--category is needed").await;
    for wrong in [&["--timezone", "Asia/Omks"], &["--timezone", "UTC+6"], &["--timezone", ""]] {
        refused(&t, &add("Омск", wrong), "not a time zone").await;
    }
    for city in ["", " Омск", "Омск\n"] {
        refused(&t, &add(city, &[]), "--city").await;
    }
    refused(&t, &add("Екатеринбург", &["--timezone", "Asia/Omsk"]), "Asia/Yekaterinburg already").await;
    refused(&t, &add("Екатеринбург", &[]), "--category is needed, once for each of the master's trades: ELECTRICS")
        .await;
    let cities: i64 = t.one("SELECT count(*) FROM cities", &[]).await;
    assert_eq!(cities, 1, "a refusal leaves no city behind");
    done(&t, &add("Омск", &["--timezone", "Asia/Omsk", "--category", "plumbing", "--category", "WINDOWS"])).await;
    assert!(done(&t, &add("Омск", &[])).await.contains("already"));

    t.chat(777).say("/start").await;
    assert!(t.chat(777).screen().contains("Глеб Новый"));
    let trades: i64 = t
        .one("SELECT count(*) FROM master_categories JOIN masters ON id = master_id WHERE telegram_user_id = 777", &[])
        .await;
    assert_eq!(trades, 2);
    let (succeeded, said) = master(&t, &add("Омск", &["--category", "MAGIC"])).await;
    assert!(!succeeded && said.contains("PLUMBING"), "{said}");
    let (_, help) = master(&t, &["add", "--help"]).await;
    assert!(help.contains("ELECTRICS, PLUMBING, APPLIANCES, WINDOWS, HANDYMAN, ROADSIDE"), "{help}");
}

#[tokio::test]
async fn where_a_city_has_districts_a_master_works_in_some() {
    let t = Dispatch::start().await;
    t.execute("INSERT INTO districts (city_id, name) SELECT id, unnest(ARRAY['Уралмаш', 'Центр']) FROM cities", &[])
        .await;
    let add = |more: &[&'static str]| {
        let args =
            ["add", "--telegram-id", "777", "--name", "Глеб", "--city", "Екатеринбург", "--category", "PLUMBING"];
        [&args[..], more].concat()
    };
    refused(&t, &add(&[]), "--district is needed, once for each in which the master works (there are: Уралмаш, Центр)")
        .await;
    refused(&t, &add(&["--district", "Центр", "--district", "Сортировка"]), "no district «Сортировка»").await;
    refused(&t, &add(&["--district", ""]), "--district is empty").await;
    let said = done(&t, &add(&["--district", "Центр", "--new-district", "Сортировка"])).await;
    assert!(said.contains("(Сортировка, Центр)") && !said.contains("offered nothing"), "{said}");
    let order = t.order().in_status("CREATED").create().await;
    t.execute("UPDATE orders SET district_id = (SELECT id FROM districts WHERE name = 'Сортировка')", &[]).await;
    t.tick().await;
    assert_eq!(t.asked(order).await, [777]);
    assert!(done(&t, &["set", "--telegram-id", "777", "--all-districts"]).await.contains("Сортировка, Уралмаш, Центр"));
}

#[tokio::test]
async fn what_is_known_of_a_master_can_be_changed() {
    let t = Dispatch::start().await;
    let set = |more: &[&'static str]| [&["set", "--telegram-id", "101"][..], more].concat();
    let known = async || -> String {
        t.one(
            "SELECT concat_ws('|', telegram_user_id, full_name, phone, cities.name, on_shift, max_active_orders, is_blocked,
                              blocked_reason,
                              (SELECT string_agg(category, ',' ORDER BY category) FROM master_categories WHERE master_id = masters.id),
                              (SELECT string_agg(name, ',' ORDER BY name) FROM master_districts JOIN districts ON id = district_id
                               WHERE master_id = masters.id))
             FROM masters JOIN cities ON cities.id = city_id WHERE masters.id = 1",
            &[],
        )
        .await
    };
    refused(&t, &set(&[]), "nothing to change").await;
    refused(&t, &["set", "--telegram-id", "555", "--name", "Никто"], "no such master").await;
    for (wrong, why) in [
        (["--name", " "], "--name"),
        (["--phone", "позвоните"], "--phone"),
        (["--city", "Омск"], "--timezone"),
        (["--timezone", "Asia/Omsk"], "--city"),
        (["--district", "Центр"], "there are: none yet"),
        (["--block", ""], "--block"),
        (["--new-telegram-id", "102"], "master 2's"),
    ] {
        refused(&t, &set(&wrong), why).await;
    }
    // What was done before the refusal is undone with it.
    refused(&t, &set(&["--new-district", "Север", "--new-telegram-id", "102"]), "master 2's").await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM districts", &[]).await, 0);
    for wrong in [["--limit", "0"], ["--limit", "-1"], ["--limit", "many"], ["--shift", "maybe"], ["--category", ""]] {
        let (succeeded, said) = master(&t, &set(&wrong)).await;
        assert!(!succeeded, "{said}");
    }

    let all = ["--name", "Анна Новая", "--phone", "+7 912 000-00-01", "--category", "ROADSIDE", "--limit", "2"];
    done(&t, &set(&all)).await;
    assert_eq!(known().await, "101|Анна Новая|+79120000001|Екатеринбург|t|2|f|ROADSIDE");
    let said = done(&t, &set(&["--shift", "off", "--block", "Нет допуска", "--limit", "default", "--phone", ""])).await;
    assert!(said.contains("is offered nothing: blocked (Нет допуска)") && said.contains("--unblock"), "{said}");
    assert!(said.contains("is offered nothing: off shift"), "{said}");
    assert_eq!(known().await, "101|Анна Новая|Екатеринбург|f|t|Нет допуска|ROADSIDE");
    done(&t, &set(&["--unblock", "--shift", "on"])).await;

    done(&t, &set(&["--city", "Омск", "--timezone", "Asia/Omsk", "--new-district", "Центр"])).await;
    assert_eq!(known().await, "101|Анна Новая|Омск|t|f|ROADSIDE|Центр");
    done(&t, &set(&["--city", "Екатеринбург"])).await;
    assert_eq!(known().await, "101|Анна Новая|Екатеринбург|t|f|ROADSIDE", "districts are those of the city");
    refused(&t, &set(&["--city", "Омск"]), "--district is needed").await;
}

#[tokio::test]
async fn another_account_gets_what_waits_and_the_old_one_nothing_more() {
    let t = Dispatch::with_standing_clock(0).await;
    t.execute("UPDATE masters SET unreachable_since = now() WHERE id = 1", &[]).await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, message_id) VALUES ('MASTER', 101, 'LIST', NULL, 5)",
        &[],
    )
    .await;
    let order = t.order().of_master(ANNA).in_status("ASSIGNED").create().await;
    t.execute("INSERT INTO outbox (bot, chat_id, kind, order_id) VALUES ('MASTER', 101, 'ASSIGNED', $1)", &[&order.0])
        .await;
    done(&t, &["set", "--id", "1", "--new-telegram-id", "1101"]).await;
    let (old, new) = (t.chat(ANNA), t.chat(1101));
    new.open();
    let before = old.screen();
    t.tell().await;
    assert!(new.screen().contains("ул. Ленина, 5"), "{}", new.screen());
    assert_eq!(old.screen(), before);
    let unreachable: i64 = t.one("SELECT count(*) FROM masters WHERE unreachable_since IS NOT NULL", &[]).await;
    assert_eq!(unreachable, 0);
}

#[tokio::test]
async fn who_is_offered_nothing_is_listed_with_the_reason() {
    let t = Dispatch::start().await;
    t.execute("DELETE FROM master_categories WHERE master_id = 2", &[]).await;
    t.execute("UPDATE masters SET max_active_orders = 0, full_name = E'Вера\n1  Лжец\u{1b}[2J' WHERE id = 3", &[])
        .await;
    let list = done(&t, &["list"]).await;
    let lines: Vec<_> = list.lines().collect();
    assert!(
        lines[0].contains("Анна") && lines[0].contains("ELECTRICS, PLUMBING, WINDOWS  on shift  0 of 5 orders"),
        "{list}"
    );
    assert!(lines[2].contains("is offered nothing: no category; field-service master set --id 2 --category"), "{list}");
    assert!(lines[4].contains("a limit of 0 orders"), "{list}");
    assert!(lines.len() == 5 && !list.contains('\u{1b}'), "a name is no line of its own: {list:?}");
    assert!(done(&t, &["list", "--city", "Омск"]).await.contains("no masters"));
}

#[tokio::test]
async fn without_a_schema_it_is_said_what_to_run() {
    let url = postgres::empty_database("without_a_schema").await;
    let variables = [("DATABASE_URL", url.as_str())];
    let add: &[&str] = &["master", "add", "--telegram-id", "1", "--name", "x", "--city", "x", "--category", "PLUMBING"];
    for args in [add, &["master", "list"], &["master", "set", "--telegram-id", "1", "--name", "x"]] {
        let output = run(args, &variables).await;
        assert!(!output.status.success(), "{args:?}");
        assert!(said(&output).contains("run `field-service migrate` first"), "{args:?}: {}", said(&output));
    }
    let mut variables = SERVE.to_vec();
    variables[0].1 = &url;
    let mut serve =
        program(&["serve", "--listen", "127.0.0.1:0"], &variables).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(serve.stderr.take().expect("a log")).lines();
    let said = async {
        while let Ok(Some(line)) = lines.next_line().await {
            if line.contains("run `field-service migrate` first") {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), said).await.expect("in time"));
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
    assert_eq!(call.params["allowed_updates"], serde_json::json!(["message", "edited_message", "callback_query"]));
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
async fn health_tells_by_its_exit_code_whether_the_server_is_well() {
    let t = Dispatch::start().await;
    let server = serve(&t).await;
    let port = server.url.rsplit(':').next().expect("a port");
    for listen in [format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}")] {
        let output = run(&["health", "--listen", &listen], &[]).await;
        assert!(output.status.success() && said(&output).contains(r#""database":true"#), "{listen}: {}", said(&output));
    }
    let output = run(&["health", "--listen", "127.0.0.1:1"], &[]).await;
    assert!(!output.status.success() && said(&output).contains("nobody listens"), "{}", said(&output));
}

#[tokio::test]
async fn health_fails_where_the_server_is_not_well() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address").to_string();
    let unwell = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = vec![0; 1024];
        let length = stream.read(&mut request).await.expect("a request");
        assert!(request[..length].starts_with(b"GET /health HTTP/1.1\r\n"));
        let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 18\r\n\r\n{\"database\":false}";
        stream.write_all(answer.as_bytes()).await.expect("an answer");
    };
    let arguments = ["health", "--listen", &address];
    let ((), output) = tokio::join!(unwell, run(&arguments, &[]));
    let said = said(&output);
    assert!(!output.status.success() && said.contains(r#""database":false"#) && said.contains("503"), "{said}");
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
    // Simultaneous also where it takes seconds to make so many updates: the connections are there before.
    let address = server.url.strip_prefix("http://").expect("a URL");
    let mut taps = Vec::new();
    for user in users {
        let body = t.chat(user).tap_update(&format!("m:new:acc:{order}")).to_string();
        let length = body.len();
        let request = format!(
            "POST /telegram/master HTTP/1.1\r\nhost: x\r\nx-telegram-bot-api-secret-token: {MASTER_SECRET}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        taps.push((TcpStream::connect(address).await.expect("a connection"), request));
    }

    for (stream, request) in &mut taps {
        stream.write_all(request.as_bytes()).await.expect("a request");
    }
    let answers = taps.iter_mut().map(async |(stream, _)| {
        let mut answer = vec![0; 256];
        let length = stream.read(&mut answer).await.expect("an answer");
        answer[..length].starts_with(b"HTTP/1.1 200")
    });
    let answers = futures_util::future::join_all(answers).await;

    assert_eq!(answers.iter().filter(|served| !**served).count(), 0, "were refused");
    let calls = t.telegram.calls();
    let accepted = calls.iter().filter(|call| {
        call.method == "answerCallbackQuery"
            && call.params["text"].as_str().is_some_and(|text| text.contains("принята"))
    });
    assert_eq!(accepted.count(), 1);
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

/// A tap that Telegram never answers is under way in `serve`, which is told to stop, and then a second time; how it ended, and what
/// the tap's delivery was answered.
async fn told_to_stop_twice(first: &str, second: &str) -> (Option<i32>, Option<u16>) {
    let t = Dispatch::start().await;
    let mut server = serve(&t).await;
    let webhook = Webhook { url: format!("{}/telegram/master", server.url), secret: Some(MASTER_SECRET.to_owned()) };
    t.telegram.set_webhook(MASTER_TOKEN, webhook);
    let order = t.order().offered_to([ANNA]).await;
    t.telegram.fail_next("answerCallbackQuery", 1, Fault::Hang);
    let process = server.process.id().expect("a running process").to_string();
    let signal = async |name: &str| {
        assert!(Command::new("kill").args([name, &process]).status().await.expect("kill").success());
    };
    let chat = t.chat(ANNA);
    let tap = chat.tap_update(&format!("m:new:acc:{order}"));
    let (tap, code) = tokio::join!(chat.deliver(tap), async {
        eventually(|| t.telegram.hanging() == 1).await;
        signal(first).await;
        // Until the first one has been noticed nobody waits for a second.
        while !reqwest_refused(&server.url).await {}
        signal(second).await;
        server.process.wait().await.expect("an end").code()
    });
    assert_eq!(t.owner(order).await, Some(ANNA), "what was committed stands");
    (code, tap.delivery.status)
}

#[tokio::test]
async fn whoever_interrupts_a_server_that_is_stopping_ends_it_at_once() {
    for first in ["-INT", "-TERM"] {
        let (code, status) = told_to_stop_twice(first, "-INT").await;
        assert_eq!(code, Some(130), "{first}");
        assert_ne!(status, Some(200), "{first}: Telegram sends the update again");
    }
}

#[tokio::test]
async fn a_supervisor_that_asks_twice_cuts_nothing_short() {
    for first in ["-TERM", "-INT"] {
        let (code, status) = told_to_stop_twice(first, "-TERM").await;
        assert_eq!((code, status), (Some(0), Some(200)), "{first}: what was under way is answered");
    }
}

async fn reqwest_refused(url: &str) -> bool {
    field_service::telegram::http_client(url).get(url).send().await.is_err()
}
