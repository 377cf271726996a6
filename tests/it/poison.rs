//! Odd values, in every column that somebody or an earlier release may have written oddly: what SQL can forbid is forbidden, and
//! what is there all the same hurts nobody but its own order, master or message.

use field_service::bots::delivery;
use field_service::store::{cities, outbox};

use crate::harness::twins::{SOUND, Twin};
use crate::harness::{ADMIN_TOKEN, Dispatch};

const TABLES: [&str; 16] = [
    "cities",
    "districts",
    "masters",
    "master_categories",
    "master_activity",
    "staff",
    "dispatch_policies",
    "orders",
    "offers",
    "order_status_history",
    "distribution_metrics",
    "dispatch_rounds",
    "dialogs",
    "outbox",
    "outbox_chats",
    "processed_updates",
];

/// By which rows are found, or what is no value but a reference.
const KEYS: [&str; 3] = ["id", "bot", "update_key"];

/// An odd row of it that a check would refuse now stops delivery to everybody, as it cannot be claimed: what claims still have to
/// learn. The migrations mend such rows before they validate the checks.
const NOT_YET_DELIVERED: &str = "outbox";

/// The odd values of a type.
fn odd_values(data_type: &str) -> &'static [&'static str] {
    match data_type {
        "timestamp with time zone" => &[
            "infinity",
            "-infinity",
            "4713-01-01 00:00+00 BC",
            "1815-01-01",
            "12000-01-01",
            "294276-12-31 23:59:59+00",
        ],
        "integer" => &["-2147483648", "-1", "0", "2147483647"],
        "numeric" => &["NaN", "-1", "0"],
        "text" => &["", "НЕВЕДОМО"],
        "jsonb" => &[
            "null",
            "[]",
            "1",
            "\"master_id\"",
            "[\"master_id\"]",
            "{\"master_id\": null}",
            "{\"master_id\": \"Анна\"}",
            "{\"master_id\": [1]}",
            "{\"master_id\": -1}",
            "{\"master_id\": 1.5}",
            "{\"master_id\": 1e300}",
            "{\"master_id\": 99999999999999999999}",
        ],
        _ => &[],
    }
}

/// Every odd value of a table's columns.
async fn odd(t: &Dispatch, table: &str) -> Vec<(String, &'static str)> {
    let columns = t
        .sql
        .query(
            "SELECT column_name, data_type FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position",
            &[&table],
        )
        .await
        .expect("the catalogue");
    let columns = columns.iter().map(|row| (row.get::<_, String>(0), row.get::<_, String>(1)));
    let columns = columns.filter(|(name, _)| !KEYS.contains(&name.as_str()) && !name.ends_with("_id"));
    columns
        .flat_map(|(name, data_type)| odd_values(&data_type).iter().map(move |value| (name.clone(), *value)))
        .collect()
}

/// Every check of a table, and what it says.
async fn checks(t: &Dispatch) -> Vec<(String, String, String)> {
    let sql = "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint
               WHERE contype = 'c' AND connamespace = 'public'::regnamespace";
    let rows = t.sql.query(sql, &[]).await.expect("the catalogue");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// What fails for the sound twin if these values are in a table, one for each odd twin. `checked`: odd rows are there, and no more
/// can be written.
async fn failures(table: &str, values: &[(String, &str)], checked: bool) -> Vec<String> {
    let t = Dispatch::with_twins(values.len()).await;
    if table != "staff" {
        // Or each of them is told of everything.
        t.execute("UPDATE staff SET is_active = id = $1", &[&SOUND.0]).await;
    }
    t.telegram.chat(ADMIN_TOKEN, SOUND.0 + 50, "Диспетчер").open();
    let checks = checks(&t).await;
    for (table, name, _) in &checks {
        t.execute(&format!("ALTER TABLE {table} DROP CONSTRAINT {name}"), &[]).await;
    }
    t.execute("SET session_replication_role = replica", &[]).await;
    for (number, (column, value)) in values.iter().enumerate() {
        let rows = Twin::odd(number).rows(table);
        t.execute(&format!("UPDATE {table} SET {column} = '{value}' WHERE {rows}"), &[]).await;
    }
    t.execute("SET session_replication_role = origin", &[]).await;
    if checked {
        for (table, name, check) in &checks {
            let not_valid = if check.ends_with("NOT VALID") { "" } else { "NOT VALID" };
            t.execute(&format!("ALTER TABLE {table} ADD CONSTRAINT {name} {check} {not_valid}"), &[]).await;
        }
    }

    let mut failures = Vec::new();
    let mut note = |what: &str, error: Option<String>| failures.extend(error.map(|error| format!("{what}: {error}")));
    note("pass", t.app.jobs().pass().await.err().map(|error| error.to_string()));
    note("backlog", outbox::backlog(&t.app.store).await.err().map(|error| error.to_string()));
    note("time zones", cities::check_timezones(&t.app.store).await.err().map(|error| error.to_string()));
    let undone = t.undone().await;
    note("undone", (!undone.is_empty()).then(|| format!("{undone:?}")));

    let chat = t.chat(SOUND.0);
    let (order, offered) = (SOUND.0 + 8, format!("№{}", SOUND.0 + 8));
    chat.say("/start").await;
    chat.tap("m:new").await;
    note("the list", (!chat.screen().contains("Новые заявки")).then(|| chat.screen()));
    chat.tap(&format!("m:new:card:{order}")).await;
    note("the card", (!chat.screen().contains(&offered)).then(|| chat.screen()));
    let accepted = chat.tap(&format!("m:new:acc:{order}")).await.notice().to_owned();
    note("accepting", (!accepted.contains("принята")).then_some(accepted));
    chat.tap("m:act").await;
    note("own orders", (!chat.screen().contains(&offered)).then(|| chat.screen()));

    let told = || chat.messages().iter().any(|message| message.text.contains(&format!("№{}", SOUND.0 + 1)));
    for second in 0..60 {
        // Some more, for whatever is behind it.
        if second > 12 && told() {
            break;
        }
        if let Err(error) = delivery::pass(&t.app.bots(), None).await {
            note("delivery", Some(error.to_string()));
            break;
        }
        t.let_pass(1);
    }
    note("delivery", (!told()).then(|| "a new offer was not sent".to_owned()));
    failures.retain(|failure| !(checked && table == NOT_YET_DELIVERED && failure.starts_with("delivery")));
    failures
}

/// All of a table at once; and each value by itself, if together they do harm.
async fn each_table(checked: bool) {
    let mut all = Vec::new();
    for table in TABLES {
        let values = odd(&Dispatch::start().await, table).await;
        assert!(!values.is_empty(), "{table}");
        let together = failures(table, &values, checked).await;
        if together.is_empty() {
            continue;
        }
        all.push(format!("{table}: {together:?}"));
        for value in values {
            for failure in failures(table, std::slice::from_ref(&value), checked).await {
                all.push(format!("{table}.{} = {:?}: {failure}", value.0, value.1));
            }
        }
    }
    assert!(all.is_empty(), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_values_of_one_twin_leave_the_other_alone() {
    each_table(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_values_that_are_there_already_leave_the_other_alone() {
    each_table(true).await;
}

/// Every column for a time is in a check, also one that a later file adds. That a check says what it should is seen above: what
/// it lets in does no harm.
#[tokio::test]
async fn every_time_is_checked() {
    let t = Dispatch::start().await;
    // Of an earlier release, and not used any more; and the migrations' own.
    let unchecked: Vec<String> = t
        .one(
            "SELECT coalesce(array_agg(format('%s.%s', attrelid::regclass, attname) ORDER BY attrelid, attnum), '{}')
             FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT attisdropped
               AND atttypid IN ('timestamptz'::regtype, 'timestamptz[]'::regtype)
               AND relname NOT IN ('taps', 'refinery_schema_history')
               AND NOT EXISTS (
                   SELECT FROM pg_constraint
                   WHERE contype = 'c' AND conrelid = attrelid AND attnum = ANY (conkey) AND convalidated)",
            &[],
        )
        .await;
    assert_eq!(unchecked, Vec::<String>::new());
    for (change, check) in [
        ("UPDATE masters SET created_at = 'infinity'", "masters_times_are_sane"),
        ("UPDATE masters SET on_shift_since = 'infinity'", "masters_on_shift_since_is_sane"),
        ("UPDATE cities SET timezone_lost_at = '12000-01-01'", "cities_times_are_sane"),
        ("UPDATE outbox_bots SET recent = '{infinity}'", "outbox_bots_recent_is_sane"),
        ("UPDATE outbox_bots SET not_before = '-infinity'", "outbox_bots_times_are_sane"),
        ("UPDATE master_activity SET last_asked_at = '4713-01-01 BC'", "master_activity_last_asked_at_check"),
        (
            "INSERT INTO outbox (bot, chat_id, kind, created_at) VALUES ('MASTER', 1, 'LIST', '4713-01-01 BC')",
            "outbox_times_are_sane",
        ),
    ] {
        let refused = t.sql.execute(change, &[]).await.expect_err(change);
        assert_eq!(refused.as_db_error().and_then(|error| error.constraint()), Some(check), "{change}");
    }
    // Where infinity means "never".
    t.execute("UPDATE outbox_bots SET not_before = 'infinity'", &[]).await;
    t.execute("UPDATE orders SET deferred_until = 'infinity'", &[]).await;
}
