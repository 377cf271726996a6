//! `doctor`: each finding, provoked on a real database and the local Telegram; and that a sound installation has none.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use field_service::doctor::{self, Before};
use field_service::model::doctor::finding::{Level, Report};
use field_service::sim::telegram::{Fault, Webhook};
use field_service::store::{Clock, migrate};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{
    ADMIN_SECRET, ADMIN_TOKEN, ANNA, BORIS, Dispatch, MASTER_SECRET, MASTER_TOKEN, METRICS_TOKEN, VERA, database_name,
    postgres, proxied_database,
};
use crate::statements::{Pooler, pgbouncer};

/// What none of its output may hold: tokens, secrets, people.
const SECRET: [&str; 9] =
    [MASTER_TOKEN, ADMIN_TOKEN, MASTER_SECRET, ADMIN_SECRET, METRICS_TOKEN, "+7999", "Мария", "Анна", "hush"];

impl Dispatch {
    /// A system of which nothing is to be said.
    async fn sound() -> Self {
        let t = Self::start().await;
        t.add_staff_as(500, "ADMIN", &[]).await;
        t
    }

    /// Its settings, but for those that are said; an empty one is not set.
    fn settings(&self, other: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let usual = [
            ("DATABASE_URL", self.database_url.as_str()),
            ("MASTER_BOT_TOKEN", MASTER_TOKEN),
            ("ADMIN_BOT_TOKEN", ADMIN_TOKEN),
            ("MASTER_WEBHOOK_SECRET", MASTER_SECRET),
            ("ADMIN_WEBHOOK_SECRET", ADMIN_SECRET),
            ("METRICS_TOKEN", METRICS_TOKEN),
            ("TELEGRAM_API_URL", self.telegram.api_url()),
            ("PUBLIC_URL", &self.url),
        ];
        let kept = usual.into_iter().filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
        kept.chain(other.iter().copied()).map(|(name, value)| (name, value.to_owned())).collect()
    }

    async fn report(&self, other: &[(&'static str, &str)], clock: Clock) -> Report {
        let settings = self.settings(other);
        let lookup = |name: &str| settings.iter().find(|(set, _)| *set == name).map(|(_, value)| value.clone());
        let report = doctor::examine(&lookup, clock, Before::default()).await;
        let said = format!("{report:?}");
        assert!(SECRET.iter().all(|secret| !said.contains(secret)), "{said}");
        report
    }

    /// What is found with those settings: the checks and their findings' codes, but for what is fine.
    async fn findings_with(&self, other: &[(&'static str, &str)]) -> Vec<(&'static str, &'static str)> {
        odd(&self.report(other, Clock::default()).await)
    }

    async fn findings(&self) -> Vec<(&'static str, &'static str)> {
        self.findings_with(&[]).await
    }

    /// The program itself: its exit code and what it printed.
    async fn doctor(&self, args: &[&str], other: &[(&'static str, &str)]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
        command.arg("doctor").args(args).env_clear().envs(self.settings(other)).stdin(Stdio::null());
        let output = command.output().await.expect("the program runs");
        let said = String::from_utf8(output.stdout).expect("UTF-8") + &String::from_utf8_lossy(&output.stderr);
        assert!(SECRET.iter().all(|secret| !said.contains(secret)), "{said}");
        (output.status.code(), said)
    }
}

/// The checks that are not fine, each with its findings' codes.
fn odd(report: &Report) -> Vec<(&'static str, &'static str)> {
    let each = report.checks.iter().flat_map(|check| check.findings.iter().map(|finding| (check.name, finding)));
    each.filter(|(_, finding)| finding.level != Level::Fine).map(|(check, finding)| (check, finding.code)).collect()
}

#[tokio::test]
async fn a_sound_installation_has_no_finding_and_stays_as_it_is() {
    let t = Dispatch::sound().await;
    t.order().offered_to([ANNA]).await;
    let before = t.everything().await;

    let (code, said) = t.doctor(&["--json", "--strict"], &[]).await;

    assert_eq!(code, Some(0), "{said}");
    let version: String = t.one("SELECT current_setting('server_version')", &[]).await;
    let newest = migrate::known().last().map(|migration| format!("V{}", migration.version)).expect("a migration");
    let said = said.replace(&version, "VERSION").replace(&t.url, "http://SERVER").replace(&newest, "NEWEST");
    insta::assert_snapshot!(said);
    assert_eq!(t.everything().await, before);
    let calls = t.telegram.calls();
    assert!(!calls.is_empty() && calls.iter().all(|call| call.method.starts_with("get")), "{calls:?}");
}

#[tokio::test]
async fn the_exit_code_says_fine_wrong_or_not_checked() {
    let t = Dispatch::sound().await;
    let (code, said) = t.doctor(&[], &[]).await;
    assert_eq!((code, said.lines().last()), (Some(0), Some("everything is fine")), "{said}");

    // A warning.
    t.execute("UPDATE masters SET is_blocked = true WHERE id = 1", &[]).await;
    let (code, said) = t.doctor(&[], &[]).await;
    assert_eq!(code, Some(0), "{said}");
    let line = said.lines().find(|line| line.starts_with("warning")).expect("a warning");
    assert!(line.contains("masters") && line.contains("master set --id ID --unblock"), "{line}");
    assert_eq!(t.doctor(&["--strict"], &[]).await.0, Some(1));

    // What cannot be found out.
    t.telegram.fail_next("getChat", 1, Fault::ServerError);
    let (code, said) = t.doctor(&["--json"], &[]).await;
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &said["verdict"]), (Some(2), &json!("unchecked")), "{said}");

    // What is wrong.
    t.execute("UPDATE staff SET is_active = false", &[]).await;
    let (code, said) = t.doctor(&["--json"], &[]).await;
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &said["verdict"]), (Some(1), &json!("wrong")), "{said}");
    let finding = said["findings"].as_array().expect("findings").iter().find(|finding| finding["code"] == "no_admin");
    assert_eq!(finding.expect("that there is no admin")["check"], "staff");
}

#[tokio::test]
async fn without_any_setting_each_is_named_and_nothing_crashes() {
    let t = Dispatch::sound().await;
    let none = t.settings(&[]).into_iter().map(|(name, _)| (name, "")).collect::<Vec<_>>();
    let (code, said) = t.doctor(&[], &none).await;
    assert_eq!(code, Some(1));
    for variable in
        ["DATABASE_URL", "MASTER_BOT_TOKEN", "ADMIN_BOT_TOKEN", "MASTER_WEBHOOK_SECRET", "ADMIN_WEBHOOK_SECRET"]
    {
        assert!(said.contains(&format!("{variable} is not set: expected")), "{variable}: {said}");
    }
    assert!(said.contains("PUBLIC_URL is not set"), "{said}");
    assert_eq!(t.findings_with(&[("PUBLIC_URL", "")]).await, [("public_url", "public_url_missing")]);
}

#[tokio::test]
async fn a_malformed_setting_is_a_finding_and_the_rest_is_examined() {
    let t = Dispatch::sound().await;
    for (variable, value) in [
        ("MASTER_BOT_TOKEN", "hush-hush"),
        ("ADMIN_WEBHOOK_SECRET", "hush hush"),
        ("MASTER_WEBHOOK_SECRET_PREVIOUS", "hush/hush"),
        ("DATABASE_STATEMENTS", "hush-hush"),
        ("METRICS_TOKEN", "hush hush"),
        ("PUBLIC_URL", "hush-hush"),
        ("TELEGRAM_API_URL", "hush-hush"),
        ("DATABASE_URL", "mysql://hush-hush"),
        ("RUST_LOG", "hush=hush=hush"),
    ] {
        let (code, said) = t.doctor(&["--json"], &[(variable, value)]).await;
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{variable}: {said}"));
        assert_eq!(code, Some(1), "{variable}");
        let findings = said["findings"].as_array().expect("findings");
        let setting = findings.iter().find(|finding| finding["code"] == "setting").expect("a finding");
        assert!(setting["what"].as_str().is_some_and(|what| what.contains(variable)), "{setting}");
        let fine = findings.iter().filter(|finding| finding["level"] == "ok").count();
        assert!(fine >= 3, "{variable}: {findings:?}");
    }
    let url = format!("{} sslmode=verify-full", t.database_url);
    let settings = [("DATABASE_URL", url.as_str()), ("PGSSLROOTCERT", "/does/not/exist.pem")];
    assert!(t.findings_with(&settings).await.contains(&("settings", "setting")));
}

#[tokio::test]
async fn what_both_bots_must_not_share_is_noticed() {
    let t = Dispatch::sound().await;
    assert!(t.findings_with(&[("ADMIN_BOT_TOKEN", MASTER_TOKEN)]).await.contains(&("settings", "same_token")));
    assert_eq!(t.findings_with(&[("ADMIN_WEBHOOK_SECRET", MASTER_SECRET)]).await, [("settings", "same_secret")]);
    let rotating = [("MASTER_WEBHOOK_SECRET_PREVIOUS", "before")];
    assert_eq!(t.findings_with(&rotating).await, [("settings", "secret_rotating")]);
    let missing = [("MASTER_WEBHOOK_SECRET", "")];
    assert_eq!(t.findings_with(&missing).await, [("settings", "secret_missing"), ("master_bot", "no_secret")]);
}

#[tokio::test]
async fn a_database_that_is_away_is_said_once() {
    let t = Dispatch::sound().await;
    let found = t.findings_with(&[("DATABASE_URL", "host=127.0.0.1 port=1 user=x dbname=x")]).await;
    assert_eq!(found.iter().filter(|(_, code)| *code == "database_unreached").count(), 1);
    assert!(found.iter().all(|(_, code)| ["database_unreached", "not_checked"].contains(code)), "{found:?}");
    let [bots, server] = [("master_bot", "not_checked"), ("public_url", "not_checked")];
    assert!(!found.contains(&bots) && !found.contains(&server), "{found:?}");
}

#[tokio::test]
async fn what_hangs_holds_nothing_else_up() {
    let (database_url, proxy) = proxied_database().await;
    let t = Dispatch::start_on(database_url, crate::harness::Settings::default()).await;
    t.add_staff_as(500, "ADMIN", &[]).await;
    proxy.silence();
    t.telegram.fail_next("getWebhookInfo", 1, Fault::Hang);
    let begun = Instant::now();
    let hanging = proxy.database_url(database_name(&t.database_url));
    let report = t.report(&[("DATABASE_URL", &hanging)], Clock::default()).await;
    assert!(begun.elapsed() < 2 * doctor::PATIENCE, "{:?}", begun.elapsed());
    let found = odd(&report);
    assert!(found.contains(&("database", "database_unreached")), "{found:?}");
    let bots: Vec<_> = found.iter().filter(|(check, _)| check.ends_with("_bot")).collect();
    assert_eq!(bots.len(), 1, "the other bot is examined: {found:?}");
    assert!(!found.iter().any(|(check, _)| *check == "public_url"), "{found:?}");
}

#[tokio::test]
async fn a_locked_table_is_not_waited_for() {
    let t = Dispatch::sound().await;
    let colleague = t.colleague().await;
    colleague.batch_execute("BEGIN; LOCK masters").await.expect("a lock");
    // Whoever needs masters is told that they are locked; the others do their work.
    let found = t.findings().await;
    assert_eq!(found, [("staff", "not_checked"), ("masters", "not_checked")]);
}

#[tokio::test]
async fn the_database_s_state_and_settings_are_examined() {
    let t = Dispatch::sound().await;
    let name = database_name(&t.database_url);
    t.execute(&format!("ALTER DATABASE {name} RESET lock_timeout"), &[]).await;
    t.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"), &[]).await;
    let report = t.report(&[], Clock::default()).await;
    let found = odd(&report);
    assert_eq!(found[..2], [("database", "database_read_only"), ("database", "database_settings")]);
    // The server may have noticed too.
    assert!(found[2..].iter().all(|(_, code)| *code == "server_without_database"), "{found:?}");
    let database = report.checks.iter().find(|check| check.name == "database").expect("a check");
    assert!(database.findings[1].what.ends_with("lock_timeout"), "{database:?}");
}

#[tokio::test]
async fn a_schema_that_is_not_this_release_s_is_named() {
    let t = Dispatch::sound().await;
    let last = migrate::known().pop().expect("a migration");
    for (change, code) in [
        ("DELETE FROM refinery_schema_history WHERE version = $1", "migrations_missing"),
        ("UPDATE refinery_schema_history SET checksum = '1' WHERE version = $1", "migrations_changed"),
        (
            "INSERT INTO refinery_schema_history SELECT $1 + 1, 'later', applied_on, checksum FROM refinery_schema_history LIMIT 1",
            "schema_newer",
        ),
        (
            "INSERT INTO refinery_schema_history SELECT 19 + 0 * $1, 'other', applied_on, checksum FROM refinery_schema_history LIMIT 1",
            "migrations_foreign",
        ),
    ] {
        t.execute("CREATE TABLE kept AS SELECT * FROM refinery_schema_history", &[]).await;
        t.execute(change, &[&last.version]).await;
        assert_eq!(t.findings().await, [("schema", code)]);
        t.execute("DELETE FROM refinery_schema_history", &[]).await;
        t.execute("INSERT INTO refinery_schema_history SELECT * FROM kept", &[]).await;
        t.execute("DROP TABLE kept", &[]).await;
    }
    assert_eq!(t.findings().await, []);
}

#[tokio::test]
async fn of_a_database_without_a_schema_it_is_said_once_what_to_run() {
    let t = Dispatch::sound().await;
    let empty = postgres::empty_database("doctor_of_nothing").await;
    let (code, said) = t.doctor(&[], &[("DATABASE_URL", &empty)]).await;
    assert_eq!(code, Some(1), "{said}");
    let of_schema = |line: &&str| line.contains("migrat") || line.contains("index") || line.contains("exist");
    let lines: Vec<_> = said.lines().filter(of_schema).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(
        lines[0].contains("no migrations were applied") && lines[0].contains("run `field-service migrate`"),
        "{said}"
    );
    assert!(!said.contains("unchecked "), "nothing is asked that depends on it: {said}");
    let found = t.findings_with(&[("DATABASE_URL", &empty)]).await;
    assert_eq!(found, [("schema", "never_migrated")]);
}

#[tokio::test]
async fn the_tables_that_rights_are_looked_at_for_are_those_there_are() {
    let t = Dispatch::start().await;
    let there: Vec<String> = t
        .one(
            "SELECT array_agg(tablename::text ORDER BY tablename) FROM pg_tables
             WHERE schemaname = 'public' AND tablename <> 'refinery_schema_history'",
            &[],
        )
        .await;
    let mut known: Vec<_> = migrate::tables().into_iter().map(ToOwned::to_owned).collect();
    known.sort();
    let mut there = there;
    there.sort();
    assert_eq!(known, there);
}

#[tokio::test]
async fn the_indexes_of_the_deployment_check_are_there_and_valid() {
    let t = Dispatch::sound().await;
    let set = "UPDATE pg_index SET indisvalid = $1 WHERE indexrelid = 'idx_offers_not_expired'::regclass";
    t.execute(set, &[&false]).await;
    assert_eq!(t.findings().await, [("indexes", "index_invalid")]);
    t.execute(set, &[&true]).await;
    t.execute("DROP INDEX idx_offers_active_state", &[]).await;
    assert_eq!(t.findings().await, [("indexes", "index_missing")]);
}

#[tokio::test]
async fn what_the_role_may_not_do_is_said_with_the_statement_that_lets_it() {
    let t = Dispatch::sound().await;
    t.sql
        .batch_execute(
            "DROP ROLE IF EXISTS doctors_role; CREATE ROLE doctors_role LOGIN;
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO doctors_role;
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO doctors_role",
        )
        .await
        .expect("a role");
    let url = t.database_url.replace("user=postgres", "user=doctors_role");
    assert_eq!(t.findings_with(&[("DATABASE_URL", &url)]).await, []);
    t.sql
        .batch_execute(
            "REVOKE DELETE ON outbox FROM doctors_role; REVOKE EXECUTE ON FUNCTION staff_right FROM public;
             REVOKE USAGE ON SEQUENCE staff_id_seq FROM doctors_role",
        )
        .await
        .expect("fewer rights");
    let report = t.report(&[("DATABASE_URL", &url)], Clock::default()).await;
    let missing = ["tables_refused", "sequences_refused", "functions_refused"];
    assert_eq!(odd(&report), missing.map(|code| ("rights", code)));
    let rights = report.checks.iter().find(|check| check.name == "rights").expect("a check");
    assert!(rights.findings[0].what.ends_with("outbox (DELETE)"), "{rights:?}");
    t.sql.batch_execute("DROP OWNED BY doctors_role; DROP ROLE doctors_role").await.expect("no role");
}

#[tokio::test]
async fn clocks_are_compared() {
    let t = Dispatch::sound().await;
    let standing = |ahead| Clock::standing_at(Timestamp::now() + SignedDuration::from_secs(ahead));
    assert_eq!(odd(&t.report(&[], standing(20)).await), [("clocks", "clocks_differ"), ("clocks", "clocks_differ")]);
    t.telegram.put_date_off(-100);
    assert_eq!(t.findings().await, [("clocks", "clocks_apart")]);
}

#[tokio::test]
async fn prepared_statements_behind_a_pooler_are_noticed() {
    let Some(program) = pgbouncer() else { return };
    let t = Dispatch::sound().await;
    let pooler = Pooler::start(program, database_name(&t.database_url), 6545).await;
    let url = pooler.database_url.as_str();
    assert_eq!(t.findings_with(&[("DATABASE_URL", url)]).await, [("statements", "pooler")]);
    assert_eq!(t.findings_with(&[("DATABASE_URL", url), ("DATABASE_STATEMENTS", "unnamed")]).await, []);
}

#[tokio::test]
async fn a_bot_is_known_to_telegram_and_delivers_here() {
    let t = Dispatch::sound().await;
    let found = t.findings_with(&[("MASTER_BOT_TOKEN", "77:hush-hush")]).await;
    assert_eq!(found, [("master_bot", "token_refused"), ("connections", "not_checked")]);
    let webhook = |url: String| Webhook { url, secret: Some(MASTER_SECRET.to_owned()) };
    for (url, code) in [
        (format!("{}/telegram/admin", t.url), "webhook_of_other_bot"),
        (format!("{}/bot{MASTER_TOKEN}", t.url), "webhook_of_others"),
        ("http://localhost:1/telegram/master".to_owned(), "webhook_elsewhere"),
        (String::new(), "no_webhook"),
    ] {
        t.telegram.set_webhook(MASTER_TOKEN, webhook(url));
        assert_eq!(t.findings().await, [("master_bot", code)]);
    }
}

#[tokio::test]
async fn whoever_fetches_updates_is_known_by_its_turn() {
    let t = Dispatch::sound().await;
    for token in [MASTER_TOKEN, ADMIN_TOKEN] {
        t.telegram.delete_webhook(token);
    }
    let bare = [("PUBLIC_URL", ""), ("MASTER_WEBHOOK_SECRET", ""), ("ADMIN_WEBHOOK_SECRET", "")];
    t.telegram.let_webhook_info_say(MASTER_TOKEN, json!({"pending_update_count": 500}));
    let nobody = [
        ("settings", "secret_missing"),
        ("settings", "secret_missing"),
        ("master_bot", "no_webhook"),
        ("master_bot", "updates_wait"),
        ("admin_bot", "no_webhook"),
        ("public_url", "public_url_missing"),
    ];
    assert_eq!(t.findings_with(&bare).await, nobody);
    assert_eq!(t.doctor(&[], &bare).await.0, Some(1), "what waits is not taken");
    t.telegram.let_webhook_info_say(MASTER_TOKEN, json!({}));
    let (code, said) = t.doctor(&[], &bare).await;
    assert_eq!(code, Some(1), "there are people, and nobody serves them: {said}");
    t.telegram.let_webhook_info_say(MASTER_TOKEN, json!({"pending_update_count": 500}));

    let _held = t.app.store.hold_bots(&[1001, 1002]).await.expect("a database").expect("nobody else");
    assert_eq!(t.findings_with(&bare).await, [("master_bot", "updates_wait")], "it is there and does not work");
    t.telegram.let_webhook_info_say(MASTER_TOKEN, json!({}));
    assert_eq!(t.findings_with(&bare).await, []);
    let (code, said) = t.doctor(&["--strict"], &bare).await;
    assert_eq!((code, said.lines().last()), (Some(0), Some("everything is fine")), "{said}");
    assert!(said.contains("`serve --poll` fetches the updates of @orders_1001_bot"), "{said}");
}

#[tokio::test]
async fn what_stops_other_commands_is_a_finding() {
    let t = Dispatch::sound().await;
    let folder = std::env::temp_dir().join(format!("doctor-{}", std::process::id()));
    let file = folder.join(".env");
    std::fs::create_dir_all(&folder).expect("a folder");
    let database = format!("host={} user=postgres dbname=x", folder.display());
    let own = [("DATABASE_FOLDER", folder.to_str().expect("a path")), ("DATABASE_URL", &database)];
    let examine = async |other: &[(&'static str, &str)], expected: (&str, &str)| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
        command.args(["doctor", "--json"]).current_dir(&folder).env_clear().envs(t.settings(other));
        let output = command.stdin(Stdio::null()).output().await.expect("the program runs");
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(SECRET.iter().all(|secret| !said.contains(secret)), "{said}");
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!((output.status.code(), &said["verdict"]), (Some(1), &json!("wrong")), "{said}");
        let findings = said["findings"].as_array().expect("findings");
        let found = findings.iter().any(|finding| finding["check"] == expected.0 && finding["code"] == expected.1);
        assert!(found, "{expected:?}: {said}");
        assert!(
            findings.iter().filter(|finding| finding["level"] == "ok").count() >= 3,
            "the rest is examined: {said}"
        );
    };
    std::fs::write(&file, "A='1'\nhush hush\n").expect("a file");
    examine(&[], ("settings", "env_file")).await;
    std::fs::remove_file(&file).expect("a file");
    std::fs::create_dir(&file).expect("a folder, as of a Python environment");
    examine(&[], ("settings", "env_file")).await;
    // A folder that no database can be in: it has something else.
    examine(&own, ("database", "database_not_started")).await;
    std::fs::remove_dir_all(&folder).expect("the folder");
}

#[tokio::test]
async fn a_file_of_settings_that_everybody_can_read_is_a_warning() {
    let t = Dispatch::sound().await;
    let folder = std::env::temp_dir().join(format!("doctor-open-{}", std::process::id()));
    let file = folder.join(".env");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(&file, "# Nothing.\n").expect("a file");
    for (mode, is_open) in [(0o644, true), (0o602, true), (0o640, false), (0o600, false)] {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("permissions");
        let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
        command.args(["doctor", "--strict"]).current_dir(&folder).env_clear().envs(t.settings(&[]));
        let output = command.stdin(Stdio::null()).output().await.expect("the program runs");
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(output.status.code(), Some(i32::from(is_open)), "{mode:o}: {said}");
        assert_eq!(said.contains("-> chmod 600 .env"), is_open, "{mode:o}: {said}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder");
}

#[tokio::test]
async fn how_deliveries_go_is_what_telegram_says() {
    let t = Dispatch::sound().await;
    let now = Timestamp::now().as_second();
    let failed = |ago: i64, waiting| {
        json!({"last_error_date": now - ago, "last_error_message": "Wrong response from the webhook: 401 Unauthorized",
               "pending_update_count": waiting})
    };
    for (said, code) in [
        (failed(10, 1), Some("delivery_fails")),
        (failed(10, 0), Some("delivery_failed")),
        (failed(7200, 0), None),
        (json!({"pending_update_count": 21}), Some("updates_wait")),
        (json!({"pending_update_count": 300}), Some("updates_wait")),
        (json!({"allowed_updates": ["message", "poll_of_tomorrow"]}), Some("kinds_missing")),
        (
            json!({"allowed_updates": ["message", "edited_message", "callback_query", "new"], "max_connections": 40}),
            None,
        ),
    ] {
        t.telegram.let_webhook_info_say(ADMIN_TOKEN, said.clone());
        assert_eq!(t.findings().await, code.map(|code| ("admin_bot", code)).into_iter().collect::<Vec<_>>(), "{said}");
    }
    t.telegram.let_webhook_info_say(ADMIN_TOKEN, json!({"max_connections": 100}));
    let report = t.report(&[], Clock::default()).await;
    let connections = report.checks.iter().find(|check| check.name == "connections").expect("a check");
    assert!(connections.findings[0].what.starts_with("deliveries at once: 140 at most"), "{connections:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_or_not_well_is_noticed() {
    let t = Dispatch::sound().await;
    let elsewhere = t.findings_with(&[("PUBLIC_URL", "http://127.0.0.1:1")]).await;
    assert_eq!(
        elsewhere,
        [("master_bot", "webhook_elsewhere"), ("admin_bot", "webhook_elsewhere"), ("public_url", "server_unreached")]
    );
    let strange = format!("{}/stage", t.telegram.api_url());
    assert!(t.findings_with(&[("PUBLIC_URL", &strange)]).await.contains(&("public_url", "server_strange")));

    let ago =
        |seconds| Instant::now().checked_sub(Duration::from_secs(seconds)).expect("a machine that has run for long");
    t.app.liveness.beat("expire", Duration::from_millis(400), ago(1));
    assert_eq!(t.findings().await, []);
    t.app.liveness.beat("measure", Duration::from_secs(15), ago(100));
    assert_eq!(t.findings().await, [("jobs", "job_dead")]);

    t.app.store.close();
    let found = t.findings().await;
    assert!(found.contains(&("public_url", "server_without_database")), "{found:?}");
}

#[tokio::test]
async fn work_that_nobody_does_shows_whichever_process_it_was_to_do() {
    let t = Dispatch::sound().await;
    let order = t.order().offered_to([ANNA]).await;
    let let_pass = |minutes: i32| {
        format!(
            "UPDATE offers SET expires_at = now() - interval '{minutes} minutes', sent_at = now() - interval '1 hour'"
        )
    };
    t.execute(&let_pass(1), &[]).await;
    assert_eq!(t.findings().await, []);
    t.execute(&let_pass(3), &[]).await;
    assert_eq!(t.findings().await, [("jobs", "work_undone")]);
    t.execute(&format!("UPDATE offers SET state = 'EXPIRED', responded_at = now() WHERE order_id = {order}"), &[])
        .await;
    assert_eq!(t.findings().await, []);
    t.execute("UPDATE orders SET next_round_at = now() - interval '3 minutes'", &[]).await;
    assert_eq!(t.findings().await, [("jobs", "work_undone")]);
}

#[tokio::test]
async fn staff_are_there_and_can_be_called() {
    let t = Dispatch::sound().await;
    t.execute("INSERT INTO staff (telegram_user_id, full_name) VALUES (501, 'Новенький')", &[]).await;
    assert_eq!(t.findings().await, [("staff", "staff_never_opened")]);
    let chat = t.telegram.chat(ADMIN_TOKEN, 501, "Новенький");
    chat.open();
    assert_eq!(t.findings().await, []);
    chat.block_bot(true);
    t.execute("UPDATE staff SET unreachable_since = now() WHERE telegram_user_id = 501", &[]).await;
    assert_eq!(t.findings().await, [("staff", "staff_unreachable")]);
    t.execute("UPDATE staff SET unreachable_since = now()", &[]).await;
    assert_eq!(t.findings().await, [("staff", "staff_unreachable"), ("staff", "nobody_on_call")]);
    t.execute("DELETE FROM staff", &[]).await;
    assert_eq!(t.findings().await, [("staff", "no_admin"), ("staff", "nobody_on_call")]);
}

#[tokio::test]
async fn masters_whom_no_search_can_ask_are_named() {
    let t = Dispatch::sound().await;
    t.execute("UPDATE masters SET on_shift = false WHERE id = 1", &[]).await;
    assert_eq!(t.findings().await, [], "a break");
    t.execute("UPDATE master_changes SET created_at = created_at - interval '7 days'", &[]).await;
    assert_eq!(t.findings().await, [("masters", "masters_off_shift")]);
    t.execute("UPDATE masters SET on_shift = true", &[]).await;
    for (odd, code) in [
        (format!("is_blocked = telegram_user_id = {ANNA}"), "masters_blocked"),
        (
            format!("is_blocked = true, awaiting_approval_since = now() WHERE telegram_user_id = {BORIS}"),
            "masters_waiting",
        ),
        (format!("unreachable_since = now() WHERE telegram_user_id = {VERA}"), "masters_unreachable"),
        (format!("max_active_orders = 0 WHERE telegram_user_id = {VERA}"), "masters_without_room"),
    ] {
        t.execute(&format!("UPDATE masters SET {odd}"), &[]).await;
        assert_eq!(t.findings().await, [("masters", code)]);
        t.execute(
            "UPDATE masters SET is_blocked = false, awaiting_approval_since = NULL, unreachable_since = NULL, max_active_orders = NULL",
            &[],
        )
        .await;
    }
    t.execute("DELETE FROM master_categories WHERE master_id = 2", &[]).await;
    t.execute("INSERT INTO districts (city_id, name) SELECT id, 'Центр' FROM cities", &[]).await;
    t.execute(
        "INSERT INTO master_districts SELECT masters.id, districts.id FROM masters, districts WHERE masters.id < 3",
        &[],
    )
    .await;
    let report = t.report(&[], Clock::default()).await;
    assert_eq!(odd(&report), [("masters", "masters_without_trade"), ("masters", "masters_without_district")]);
    let masters = report.checks.iter().find(|check| check.name == "masters").expect("a check");
    assert!(masters.findings[0].what.ends_with(": 2") && masters.findings[1].what.ends_with(": 3"), "{masters:?}");
}

#[tokio::test]
async fn messages_that_wait_and_people_who_are_not_reached_are_counted() {
    let t = Dispatch::sound().await;
    for (minutes, found) in
        [(0, vec![]), (2, vec![("messages", "messages_late")]), (20, vec![("messages", "messages_late")])]
    {
        t.execute("DELETE FROM outbox", &[]).await;
        t.execute(
            &format!(
                "INSERT INTO outbox (bot, chat_id, kind, message_id, created_at)
                 VALUES ('MASTER', {ANNA}, 'LIST', 5, now() - interval '{minutes} minutes')"
            ),
            &[],
        )
        .await;
        assert_eq!(t.findings().await, found);
    }
    t.execute("DELETE FROM outbox", &[]).await;
    t.order().create().await;
    t.execute(
        "UPDATE orders SET escalated_at = now(), escalation_reason = 'TIME', next_round_at = now() + interval '1 hour'",
        &[],
    )
    .await;
    assert_eq!(t.findings().await, [("messages", "calls_unanswered")]);
    t.execute("UPDATE orders SET status = 'CANCELED'", &[]).await;
    t.execute(
        "INSERT INTO outbox_bots (bot, refused, refused_since, refusing_since) VALUES ('MASTER', '{1,2,3}', now(), now())
         ON CONFLICT (bot) DO UPDATE SET refused = excluded.refused, refused_since = now(), refusing_since = now()",
        &[],
    )
    .await;
    assert_eq!(t.findings().await, [("messages", "people_refused")]);
}

#[tokio::test]
async fn a_city_whose_zone_is_not_known_is_named() {
    let t = Dispatch::sound().await;
    t.execute("ALTER TABLE cities DISABLE TRIGGER USER", &[]).await;
    t.execute("UPDATE cities SET timezone = 'Mars/Olympus', shown_timezone = 'UTC', timezone_lost_at = now()", &[])
        .await;
    let report = t.report(&[], Clock::default()).await;
    assert_eq!(odd(&report), [("cities", "zone_unknown")]);
    let cities = report.checks.last().expect("a check");
    assert!(cities.findings[0].what.contains("(Mars/Olympus)"), "{cities:?}");
    let nothing = Dispatch::sound().await;
    nothing
        .sql
        .batch_execute("DELETE FROM master_categories; DELETE FROM masters; DELETE FROM cities")
        .await
        .expect("nobody");
    assert_eq!(nothing.findings().await, [("masters", "no_masters"), ("cities", "no_cities")]);
}
