//! Every migration runs over what the releases before it may have written, also by hand.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use field_service::config::Database;
use field_service::dispatch::verify;
use field_service::model::history::Wrong;
use field_service::store::{Clock, migrate};
use tokio::process::Command;
use tokio_postgres::Client;

use crate::harness::{BARE_FOLDER, Dispatch, Settings, postgres};

/// A database at the newest number refuses a file with a lower one that comes later: each new file takes the next number.
#[test]
fn each_file_has_the_number_after_the_one_before() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let names = std::fs::read_dir(root).expect("the migrations").map(|entry| entry.expect("a file").file_name());
    let names: Vec<String> = names.map(|name| name.into_string().expect("a name")).collect();
    let number = |name: &String| name.strip_prefix('V')?.split_once("__")?.0.parse::<u32>().ok();
    let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    // These were skipped, and can never be given to a file any more.
    let skipped = [19, 22, 59, 60, 61];
    let last = *numbers.last().expect("a migration");
    let expected: Vec<u32> = (1..=last).filter(|number| !skipped.contains(number)).collect();
    assert_eq!(numbers, expected);
}

/// What a database may hold before the files of that number and above are applied.
const BEFORE: [(&str, &str); 5] = [(
    "V4__",
    "INSERT INTO cities (name, timezone) VALUES ('Екатеринбург', 'Asia/Yekaterinburg');
     INSERT INTO masters (telegram_user_id, full_name, city_id) VALUES (901, 'Анна', 1), (902, 'Борис', 1);
     INSERT INTO staff (telegram_user_id, full_name) VALUES (500, 'Ольга');
     INSERT INTO orders (city_id, category, status, address, client_name, client_phone, assigned_master_id, final_amount,
                         next_round_at, created_at)
     VALUES (1, 'PLUMBING', 'SEARCHING', 'x', 'x', '+7', NULL, NULL, 'infinity', '-infinity'),
            (1, 'PLUMBING', 'CLOSED', 'x', 'x', '+7', 1, 100, now(), now()),
            (1, 'PLUMBING', 'CANCELED', 'x', 'x', '+7', 1, 100, now(), now());
     INSERT INTO offers (order_id, master_id, state, expires_at, sent_at, responded_tap, responded_at)
     VALUES (1, 1, 'SENT', now() + interval '1 hour', 'infinity', NULL, now()),
            (1, 2, 'DECLINED', now(), now(), '77', now()),
            (2, 1, 'ACCEPTED', now(), now(), '78', now()),
            (3, 1, 'EXPIRED', now(), now(), NULL, NULL);
     INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, changed_by_master_id, context)
     VALUES (2, 'ASSIGNED', 'EN_ROUTE', 'MASTER', 1, '{\"tap\": \"79\"}'),
            (2, 'PAYMENT', 'CLOSED', 'MASTER', 1, '{\"tap\": \"message 101 5\"}'),
            (2, 'CLOSED', 'CLOSED', 'SYSTEM', NULL, '{\"tap\": null}'),
            (2, 'CLOSED', 'CLOSED', 'SYSTEM', NULL, '[\"tap\"]');
     INSERT INTO distribution_metrics (order_id, master_id, assigned_at, candidates_count, time_to_assign_seconds)
     VALUES (2, 1, 'infinity', 1, 1);
     INSERT INTO taps (id) VALUES ('80'), ('elsewhere 81');
     INSERT INTO outbox (bot, chat_id, kind, lease, finished_at)
     VALUES ('MASTER', 101, 'LIST', gen_random_uuid(), now()), ('MASTER', 101, 'LIST', NULL, NULL);
     INSERT INTO dialogs (master_id, kind, order_id, answered_by) VALUES (1, 'AMOUNT', 2, 5)",
), (
    // Whatever the checks let in that were there by then.
    "V10__",
    "INSERT INTO orders (city_id, category, status, address, client_name, client_phone, assigned_master_id, created_at,
                         updated_at, next_round_at, search_started_at, escalated_at, escalation_reason, deferred_until,
                         final_amount, version, last_round, policy_id)
     VALUES (1, 'PLUMBING', 'CLOSED', 'x', 'x', '+7', 1, '4713-01-01 BC', '12000-01-01', '294276-12-31', '12000-01-01',
             '4713-01-01 BC', 'TIME', '-infinity', 'NaN', 2147483647, 2147483647, 1),
            (1, 'PLUMBING', 'DEFERRED', 'x', 'x', '+7', NULL, now(), now(), now(), NULL, NULL, NULL, '12000-01-01', NULL, 1, 0, NULL);
     INSERT INTO offers (order_id, master_id, state, sent_at, viewed_at, responded_at, expires_at)
     VALUES (4, 1, 'EXPIRED', '12000-01-01', '4713-01-01 BC', '294276-12-31', '-infinity'),
            (4, 2, 'ACCEPTED', now(), NULL, now(), '12000-01-01');
     INSERT INTO order_status_history (order_id, to_status, actor_type, context, created_at)
     SELECT 4, 'SEARCHING', 'SYSTEM', context::jsonb, '-infinity'
     FROM unnest(ARRAY['null', '[]', '1', '\"master_id\"', '[\"master_id\"]', '{\"master_id\": null}', '{\"master_id\": \"Анна\"}',
                       '{\"master_id\": [1]}', '{\"master_id\": 1e300}', '{\"master_id\": -1, \"offer_id\": 7}']) AS context;
     INSERT INTO distribution_metrics (order_id, master_id, assigned_at, candidates_count, time_to_assign_seconds)
     VALUES (4, 1, '12000-01-01', 1, 1);
     INSERT INTO dispatch_rounds (order_id, search_started_at, round_number, policy_id, created_at, chosen, excluded)
     VALUES (4, 'infinity', 1, 1, '-infinity', '[]', '{}'), (4, '12000-01-01', 1, 1, now(), '[]', '{}');
     INSERT INTO outbox (bot, chat_id, kind, created_at, due_at, attempted_at, finished_at, attempts)
     VALUES ('MASTER', 901, 'LIST', '4713-01-01 BC', '-infinity', 'infinity', NULL, 2147483647),
            ('MASTER', 901, 'LIST', '-infinity', '12000-01-01', '12000-01-01', 'infinity', -1);
     INSERT INTO outbox_chats (bot, chat_id, attempted_at, ready_at)
     VALUES ('MASTER', 901, '12000-01-01', '-infinity'), ('MASTER', 902, '4713-01-01 BC', NULL);
     INSERT INTO processed_updates (bot, update_key, action, outcome, processed_at)
     VALUES ('MASTER', 'odd', 'SHOW', 'SHOWN', '-infinity');
     INSERT INTO dispatch_policies (created_at) VALUES ('infinity');
     UPDATE outbox_bots SET recent = '{infinity,-infinity}', not_before = '-infinity';
     UPDATE master_activity SET last_asked_at = '12000-01-01' WHERE master_id = 1;
     UPDATE masters SET created_at = 'infinity', unreachable_since = '-infinity' WHERE id = 2;
     UPDATE staff SET created_at = '-infinity', unreachable_since = '12000-01-01';
     UPDATE dialogs SET asked_at = 'infinity';
     UPDATE cities SET timezone_lost_at = '-infinity'",
), (
    // Somebody whose Telegram id was mistyped; an update of this moment; a question to the staff.
    "V39__",
    "INSERT INTO staff (telegram_user_id, full_name, is_active) VALUES (-7, 'Никто', false);
     INSERT INTO staff_dialogs (staff_id, question) VALUES (1, 'CANCEL_REASON')",
), (
    // A policy that somebody has made for this company.
    "V46__",
    "INSERT INTO dispatch_policies (masters_per_round, keep_finished_days) VALUES (8, 3650)",
), (
    // Somebody who has left the shift and come back, and somebody who has left it.
    "V54__",
    "UPDATE masters SET on_shift = false;
     UPDATE masters SET on_shift = true WHERE id = 1;
     UPDATE master_changes SET created_at = '2026-01-01Z' WHERE master_id = 1 AND what = 'SHIFT' AND to_value = 'on'",
)];

#[tokio::test]
async fn what_earlier_releases_have_written_is_brought_up_to_date() {
    let url = postgres::empty_database("upgraded").await;
    let sql = postgres::connect(&url).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the migrations").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    // V10 comes after V9.
    files.sort_by_key(|file| {
        let name = file.file_name().expect("a name").to_string_lossy();
        name[1..name.find('_').expect("a number")].parse::<u32>().expect("a number")
    });
    assert!(files.len() >= 9);
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        if let Some((_, rows)) = BEFORE.iter().find(|(prefix, _)| name.starts_with(prefix)) {
            sql.batch_execute(rows).await.unwrap_or_else(|error| panic!("before {name}: {error:?}"));
        }
        let statements = std::fs::read_to_string(&file).expect("SQL");
        sql.batch_execute(&format!("BEGIN; {statements}; COMMIT"))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    let unchecked = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated";
    assert_eq!(sql.query_one(unchecked, &[]).await.expect("a query").get::<_, i64>(0), 0, "every row is in order");
    let policy = "SELECT concat_ws(' ', masters_per_round, first_masters, max_live_offers, widen_every_seconds, keep_finished_days)
                  FROM dispatch_policies ORDER BY id DESC LIMIT 1";
    let policy: String = sql.query_one(policy, &[]).await.expect("a query").get(0);
    assert_eq!(policy, "8 8 8 30 3650", "searches widen, and nothing else of the policy has changed");
    let unfound = "SELECT count(*) FROM orders WHERE NOT EXISTS (SELECT FROM order_search WHERE order_id = orders.id)";
    assert_eq!(
        sql.query_one(unfound, &[]).await.expect("a query").get::<_, i64>(0),
        0,
        "every order can be searched for"
    );
    let waits = "SELECT string_agg(concat_ws(' ', id, extract(epoch FROM on_shift_since)::bigint), ', ' ORDER BY id) FROM masters";
    let waits: String = sql.query_one(waits, &[]).await.expect("a query").get(0);
    assert_eq!(waits, "1 1767225600, 2", "who is on shift waits since coming back, and who is not does not");
    sql.batch_execute("UPDATE masters SET on_shift = true WHERE id = 2").await.expect("a change");
    sql.batch_execute(
        "UPDATE masters SET is_blocked = true WHERE id = 1; UPDATE masters SET is_blocked = false WHERE id = 1",
    )
    .await
    .expect("changes");
    let anew = "SELECT on_shift_since >= now() - interval '1 hour' FROM masters WHERE id = 1";
    assert!(sql.query_one(anew, &[]).await.expect("a query").get::<_, bool>(0), "who was blocked has not waited");
    sql.batch_execute("DELETE FROM processed_updates WHERE update_key = 'odd'").await.expect("a deletion");
    let keys = "SELECT string_agg(concat_ws(' ', update_key, action, outcome), ', ' ORDER BY update_key) FROM processed_updates";
    let known: String = sql.query_one(keys, &[]).await.expect("a query").get(0);
    assert_eq!(
        known,
        "callback 77 DECLINE SUCCESS, callback 78 ACCEPT SUCCESS, callback 79 PROGRESS SUCCESS, callback 80 SHOW SHOWN, \
         message 101 5 CLOSE SUCCESS"
    );
    // And the system runs on it.
    let t = Dispatch::start_on(url, Settings { clock: Clock::default(), ..Settings::default() }).await;
    t.tick().await;
    let unsealed: i64 = t.one("SELECT count(*) FROM order_status_history WHERE seal IS NULL", &[]).await;
    assert_eq!(unsealed, 0, "the jobs seal what was there");
    let report = verify::verify(&t.app.store, |_| ()).await.expect("a database");
    let broken = report.findings.iter().filter(|finding| matches!(finding.wrong, Wrong::Changed | Wrong::NotSealed));
    assert_eq!(broken.count(), 0, "whatever else it says: {report:#?}");
    let chat = t.chat(901);
    chat.tap("m:new").await;
    chat.press("№1").await;
    assert!(chat.press("Взять заявку").await.notice().contains("принята"));
}

/// A database at an earlier version, with one order in it; its connection string.
async fn at_version(name: &str, version: i32) -> String {
    let url = postgres::empty_database(name).await;
    let config = Database::from_url(&url).expect("a URL");
    migrate::run_to(&config, Some(version), Duration::ZERO).await.expect("migrations");
    let sql = postgres::connect(&url).await;
    sql.batch_execute(
        "INSERT INTO cities (name, timezone) VALUES ('Екатеринбург', 'Asia/Yekaterinburg');
         INSERT INTO orders (city_id, category, address, client_name, client_phone)
         VALUES (1, 'PLUMBING', 'x', 'x', '+79990001122')",
    )
    .await
    .expect("an order");
    url
}

async fn version(sql: &Client) -> i32 {
    sql.query_one("SELECT max(version) FROM refinery_schema_history", &[]).await.expect("a version").get(0)
}

fn program(url: &str, wait: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command
        .args(["migrate", "--wait", wait])
        .current_dir(BARE_FOLDER)
        .env_clear()
        .env("DATABASE_URL", url)
        .kill_on_drop(true);
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_waits_lets_everybody_through() {
    let url = at_version("waits_for_a_report", 5).await;
    let (report, reader) =
        (postgres::connect(&format!("{url} application_name=report")).await, postgres::connect(&url).await);
    let pid: i32 = report.query_one("SELECT pg_backend_pid()", &[]).await.expect("a number").get(0);
    report
        .batch_execute("BEGIN; SELECT count(*) FROM orders WHERE client_phone = '+79990001122'")
        .await
        .expect("a long report");
    let migrating = tokio::spawn(program(&url, "60").output());

    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    while begun.elapsed() < Duration::from_secs(6) {
        let asked = Instant::now();
        reader.query_one("SELECT count(*) FROM orders", &[]).await.expect("a reader");
        longest = longest.max(asked.elapsed());
    }
    assert!(longest > Duration::from_millis(200), "the migration has waited meanwhile: {longest:?}");
    assert!(longest < Duration::from_millis(950), "a reader waits for it no longer than it waits itself: {longest:?}");
    assert_eq!(version(&reader).await, 5, "a try that failed leaves nothing");

    report.batch_execute("COMMIT").await.expect("an end");
    let output = migrating.await.expect("a task").expect("the program runs");
    let said = said(&output);
    assert!(output.status.success() && said.contains("Applied V6__checks."), "{said}");
    assert!(said.contains(&format!("process {pid} (report")) && said.contains("idle in transaction"), "{said}");
    assert!(!said.contains("7999") && !said.contains("count("), "nobody's statement is shown: {said}");
    assert!(version(&reader).await > 5);
}

#[tokio::test]
async fn a_migration_that_cannot_have_its_tables_gives_up_in_time() {
    let url = at_version("gives_up", 5).await;
    let other = postgres::connect(&format!("{url} application_name=report")).await;
    other.batch_execute("BEGIN; LOCK TABLE orders IN ACCESS SHARE MODE").await.expect("a lock");
    let begun = Instant::now();
    let output = program(&url, "1").output().await.expect("the program runs");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let said = said(&output);
    assert!(!output.status.success() && said.contains("error: ") && said.contains("(report"), "{said}");
    assert!(said.contains("nothing is left half-done"), "{said}");
    other.batch_execute("ROLLBACK").await.expect("an end");
    assert_eq!(version(&other).await, 5);
    let constraints: i64 = other
        .query_one("SELECT count(*) FROM pg_constraint WHERE conname = 'offers_responded_when_ended'", &[])
        .await
        .expect("a count")
        .get(0);
    assert_eq!(constraints, 0, "nothing of the file is left");
}

#[tokio::test]
async fn another_migration_is_not_waited_for_for_ever() {
    let url = at_version("another_migration", 5).await;
    let other = postgres::connect(&format!("{url} application_name=colleague")).await;
    other.execute("SELECT pg_advisory_lock(7379540980639430243)", &[]).await.expect("the lock");
    let output = program(&url, "1").output().await.expect("the program runs");
    let said = said(&output);
    assert!(!output.status.success() && said.contains("another migration") && said.contains("(colleague"), "{said}");
    drop(other);
}

#[tokio::test]
async fn a_role_that_may_not_create_the_search_s_extension_is_told_what_to_do() {
    let url = postgres::empty_database("no_extension").await;
    let owner = postgres::connect(&url).await;
    owner
        .batch_execute(
            "DROP ROLE IF EXISTS modest; CREATE ROLE modest LOGIN;
             GRANT ALL ON SCHEMA public TO modest; REVOKE ALL ON DATABASE no_extension FROM PUBLIC;
             GRANT CONNECT ON DATABASE no_extension TO modest",
        )
        .await
        .expect("a role");
    let modest = url.replace("user=postgres", "user=modest");
    let output = program(&modest, "5").output().await.expect("the program runs");
    let said = said(&output);
    assert!(!output.status.success(), "{said}");
    for part in ["CREATE EXTENSION pg_trgm", "GRANT CREATE ON DATABASE no_extension TO modest", "migrate again"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!((20..25).contains(&version(&owner).await), "the files before it stay applied");
    // The owner does as told, even into a schema of its own.
    owner
        .batch_execute("CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions; GRANT USAGE ON SCHEMA extensions TO modest")
        .await
        .expect("an extension");
    let output = program(&modest, "5").output().await.expect("the program runs");
    assert!(output.status.success(), "{}", self::said(&output));
    owner.batch_execute("DROP OWNED BY modest; DROP ROLE modest").await.expect("it can go");
}
