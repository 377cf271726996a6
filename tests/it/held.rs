//! Somebody holds a row: a person at the database's prompt, a report, a stuck transaction. What concerns that row waits for the
//! next pass; nothing else does.

use std::time::{Duration, Instant};

use field_service::bots::delivery;
use field_service::model::OrderId;

use crate::harness::twins::{SOUND, Twin};
use crate::harness::{ANNA, BORIS, Dispatch};

/// Every table that the jobs, an acceptance or a foreign key of theirs touch.
const TABLES: [&str; 18] = [
    "cities",
    "districts",
    "masters",
    "master_districts",
    "master_categories",
    "master_activity",
    "staff",
    "dispatch_policies",
    "orders",
    "offers",
    "order_status_history",
    "distribution_metrics",
    "dispatch_rounds",
    "cards",
    "dialogs",
    "outbox",
    "outbox_chats",
    "processed_updates",
];

#[tokio::test(flavor = "multi_thread")]
async fn one_twin_is_held_and_the_other_is_served() {
    let mut failures = Vec::new();
    for table in TABLES {
        let t = Dispatch::with_twins(1).await;
        let held = Twin::odd(0);
        // In the very city, and by the very policy, whose rows are held.
        t.execute(
            "UPDATE orders SET city_id = $1, district_id = $1, policy_id = $1 WHERE id = $2",
            &[&held.0, &(SOUND.0 + 8)],
        )
        .await;
        let colleague = t.colleague().await;
        colleague.batch_execute("BEGIN").await.expect("a transaction");
        let lock = format!("SELECT FROM {table} WHERE {} FOR UPDATE", held.rows(table));
        assert!(colleague.execute(&lock, &[]).await.expect("locks") > 0, "{table}");

        let begun = Instant::now();
        let passed = t.app.jobs().pass().await;
        let took = begun.elapsed();
        let order = OrderId(SOUND.0 + 8);
        let accepted = t.tap_accept(SOUND.0, order).await.notice().to_owned();
        if let Err(error) = &passed {
            failures.push(format!("{table}: the pass failed: {error}"));
        }
        if !accepted.contains("принята") {
            failures.push(format!("{table}: accepting was answered {accepted:?}"));
        }
        if took > Duration::from_secs(3) {
            failures.push(format!("{table}: the pass took {took:?}"));
        }
        let undone = t.undone().await;
        if !undone.is_empty() {
            failures.push(format!("{table}: {undone:?}"));
        }
        if let Err(error) = delivered(&t).await {
            failures.push(format!("{table}: {error}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Sends what can be sent within some seconds of the standing clock.
async fn delivered(t: &Dispatch) -> Result<(), String> {
    for _ in 0..8 {
        delivery::pass(&t.app.bots(), None).await.map_err(|error| format!("delivery failed: {error}"))?;
        t.let_pass(1);
    }
    let told = t.chat(SOUND.0).messages().iter().any(|message| message.text.contains(&format!("№{}", SOUND.0 + 1)));
    if told { Ok(()) } else { Err("a new offer was not sent".to_owned()) }
}

/// Telegram cannot reach somebody whose row is held: that is noted when the row is free, and nobody else's message waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_somebody_whose_row_is_held_keeps_nobody_waiting() {
    const STAFF: i64 = 500;
    for (table, refused, other) in [("masters", ANNA, BORIS), ("staff", STAFF, STAFF + 1)] {
        let t = Dispatch::with_standing_clock(0).await;
        let chats = if table == "staff" {
            t.execute("UPDATE masters SET on_shift = false", &[]).await;
            [t.add_staff(refused).await, t.add_staff(other).await]
        } else {
            t.execute("UPDATE masters SET on_shift = telegram_user_id IN ($1, $2)", &[&refused, &other]).await;
            [t.chat(refused), t.chat(other)]
        };
        let [blocked, served] = chats;
        blocked.open();
        served.open();
        blocked.block_bot(true);
        let orders = [t.order().create().await, t.order().create().await];
        t.tick().await;
        let colleague = t.colleague().await;
        let hold = format!("BEGIN; SELECT FROM {table} WHERE telegram_user_id = {refused} FOR UPDATE");
        colleague.batch_execute(&hold).await.expect("a lock");

        let bots = t.app.bots();
        for _ in 0..3 {
            delivery::pass(&bots, None).await.expect("a database");
            assert_eq!(bots.delivery.unrecorded(), 0, "{table}");
            t.let_pass(1);
        }
        let said: String = served.messages().iter().map(|message| message.text.clone()).collect();
        assert!(orders.iter().all(|order| said.contains(&format!("№{order}"))), "{table}: {said}");
        let find = format!("SELECT unreachable_since IS NOT NULL FROM {table} WHERE telegram_user_id = {refused}");
        assert!(!t.one::<bool>(&find, &[]).await, "{table}");

        colleague.batch_execute("COMMIT").await.expect("an end");
        t.let_pass(10);
        delivery::pass(&bots, None).await.expect("a database");
        assert!(t.one::<bool>(&find, &[]).await, "{table}");
    }
}
