//! Failures stay where they happen: a row that cannot be changed or read stops no other row, and a job that fails stops no
//! other job.

use field_service::dispatch::act::StaffCommand;
use field_service::jobs::Passed;
use field_service::model::{MasterId, OrderId};
use field_service::sim::telegram::Fault;
use field_service::telegram::http_client;
use tokio::sync::oneshot;

use crate::harness::{ANNA, BORIS, Dispatch, VERA};

const STAFF: i64 = 500;

impl Dispatch {
    /// From now on nobody can insert, update or delete that row: a stand-in for whatever may be wrong with a single row.
    async fn poison(&self, table: &str, condition: &str) {
        let sql = format!(
            "CREATE OR REPLACE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'this row is poisoned'; END $$;
             CREATE TRIGGER poison_changes BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW
             WHEN (NEW.{condition}) EXECUTE FUNCTION poison();
             CREATE TRIGGER poison_deletes BEFORE DELETE ON {table} FOR EACH ROW
             WHEN (OLD.{condition}) EXECUTE FUNCTION poison();"
        );
        self.sql.batch_execute(&sql).await.expect("a trigger");
    }

    /// Three orders, each with a live offer to Anna that has been out for long.
    async fn three_offered(&self) -> [OrderId; 3] {
        let mut orders = Vec::new();
        for _ in 0..3 {
            orders.push(self.order().offered_to([ANNA]).await);
        }
        self.execute("UPDATE orders SET next_round_at = 'tomorrow'", &[]).await;
        orders.try_into().expect("three")
    }

    async fn ids(&self, sql: &str) -> Vec<i64> {
        self.one(&format!("SELECT coalesce(array_agg(id ORDER BY id), '{{}}') FROM ({sql}) AS found"), &[]).await
    }
}

#[tokio::test]
async fn an_offer_that_cannot_expire_lets_the_others_expire() {
    let t = Dispatch::with_standing_clock(0).await;
    let [first, second, third] = t.three_offered().await;
    t.poison("offers", &format!("order_id = {second}")).await;
    t.let_pass(601);
    assert_eq!(t.tick().await.expired, 2);
    let expired = t.ids("SELECT order_id AS id FROM offers WHERE state = 'EXPIRED'").await;
    assert_eq!(expired, [first.0, third.0]);
}

#[tokio::test]
async fn an_order_that_cannot_wake_lets_the_others_wake() {
    let t = Dispatch::with_standing_clock(0).await;
    for _ in 0..3 {
        t.order().in_status("DEFERRED").create().await;
    }
    t.execute("UPDATE orders SET deferred_until = '2020-01-01'", &[]).await;
    t.poison("order_status_history", "order_id = 2").await;
    assert_eq!(t.tick().await.woken, 2);
    assert_eq!(t.ids("SELECT id FROM orders WHERE status = 'DEFERRED'").await, [2]);
}

#[tokio::test]
async fn where_it_is_night_a_full_sheet_of_deferred_orders_keeps_no_other_city_waiting() {
    let t = Dispatch::with_standing_clock(0).await;
    t.clock.set("2026-12-01T22:00:00Z".parse().expect("a time"));
    let west: i64 = t
        .one("INSERT INTO cities (name, timezone) VALUES ('Калининград', 'Europe/Kaliningrad') RETURNING id", &[])
        .await;
    t.execute("UPDATE cities SET timezone = 'Asia/Vladivostok' WHERE id <> $1", &[&west]).await;
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone, created_at)
         SELECT $1, 'PLUMBING', 'DEFERRED', 'ул. Мира', 'Клиент', '+79123456789', '2026-12-01 20:00Z' FROM generate_series(1, 10001)",
        &[&west],
    )
    .await;
    let east = t.order().in_status("DEFERRED").create().await;
    t.execute("UPDATE orders SET created_at = '2026-12-01 10:00Z' WHERE id = $1", &[&east.0]).await;
    assert_eq!(t.tick().await.woken, 0, "it is eight in the morning");
    t.let_pass(2 * 3600 + 1);
    assert_eq!(t.tick().await.woken, 1);
    assert_eq!(t.status(east).await, "SEARCHING");
}

/// A time at the very end of the calendar, that the beginning of a working day cannot be counted from.
#[tokio::test]
async fn an_order_of_an_odd_time_lets_the_others_wake() {
    let t = Dispatch::with_standing_clock(0).await;
    for _ in 0..3 {
        t.order().in_status("DEFERRED").create().await;
    }
    t.execute("UPDATE orders SET created_at = '2020-01-01 05:00+00'", &[]).await;
    t.execute("ALTER TABLE orders DROP CONSTRAINT orders_times_are_finite", &[]).await;
    t.execute("UPDATE orders SET created_at = '294276-12-31 23:00+00' WHERE id = 2", &[]).await;
    assert_eq!(t.tick().await.woken, 2);
}

#[tokio::test]
async fn an_order_that_cannot_be_escalated_or_called_for_lets_the_others_be() {
    let t = Dispatch::with_standing_clock(0).await;
    t.add_staff(STAFF).await;
    t.execute("INSERT INTO dispatch_policies (offer_ttl_seconds) VALUES (3600)", &[]).await;
    for _ in 0..4 {
        t.order().create().await;
    }
    assert_eq!(t.tick().await.dispatched.orders, 4);
    t.poison("orders", "id = 2").await;
    t.poison("outbox", "order_id = 3").await;
    t.let_pass(601);
    let passed = t.tick().await;
    assert_eq!((passed.overdue, passed.called), (3, 2));
    assert_eq!(t.ids("SELECT order_id AS id FROM outbox WHERE kind = 'ESCALATED'").await, [1, 4]);
}

#[tokio::test]
async fn a_card_that_cannot_be_cleared_away_lets_the_others_be() {
    let t = Dispatch::with_standing_clock(0).await;
    t.chat(ANNA).open();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    for _ in 0..3 {
        t.order().create().await;
    }
    t.tick().await;
    assert_eq!(t.tell().await, 3);
    t.execute("UPDATE offers SET state = 'CANCELED'", &[]).await;
    t.execute("UPDATE orders SET status = 'CANCELED', version = version + 1", &[]).await;
    t.poison("outbox", "order_id = 2").await;
    t.let_pass(5);
    assert_eq!(t.tick().await.cards, 2);
}

#[tokio::test]
async fn messages_updates_and_chats_that_cannot_be_forgotten_or_dropped_let_the_others_be() {
    let t = Dispatch::with_standing_clock(0).await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, created_at, finished_at)
         SELECT 'MASTER', 7000 + n, 'LIST', '2020-01-01', '2020-01-01' FROM generate_series(1, 3) AS n",
        &[],
    )
    .await;
    t.execute(
        "INSERT INTO outbox_chats (bot, chat_id, attempted_at)
         SELECT 'MASTER', 7000 + n, '2020-01-01' FROM generate_series(1, 3) AS n",
        &[],
    )
    .await;
    t.execute(
        "INSERT INTO processed_updates (bot, update_key, action, outcome, processed_at)
         SELECT 'MASTER', n, 'SHOW', 'SHOWN', timestamptz '2020-01-01' + n * interval '1 hour'
         FROM generate_series(1, 3) AS n",
        &[],
    )
    .await;
    t.poison("outbox", "chat_id = 7002").await;
    t.poison("outbox_chats", "chat_id = 7002").await;
    t.poison("processed_updates", "update_key = '2'").await;
    // What was overtaken: an offer that has ended.
    let [_, second, _] = t.three_offered().await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id) SELECT 'MASTER', 7010 + id, 'OFFER', order_id, id FROM offers",
        &[],
    )
    .await;
    t.execute("UPDATE offers SET state = 'CANCELED'", &[]).await;
    t.sql
        .batch_execute(&format!(
            "CREATE TRIGGER poison_overtaken BEFORE UPDATE ON outbox FOR EACH ROW WHEN (NEW.order_id = {second})
             EXECUTE FUNCTION poison()"
        ))
        .await
        .expect("a trigger");

    t.tick().await;

    assert_eq!(t.ids("SELECT chat_id AS id FROM outbox WHERE finished_at < '2021-01-01'").await, [7002]);
    assert_eq!(t.ids("SELECT chat_id AS id FROM outbox_chats").await, [7002]);
    assert_eq!(t.ids("SELECT update_key::bigint AS id FROM processed_updates").await, [2]);
    assert_eq!(t.ids("SELECT order_id AS id FROM outbox WHERE finished_at IS NULL").await, [second.0]);
}

#[tokio::test]
async fn finished_orders_are_deleted_only_if_a_policy_says_so_and_one_that_cannot_be_lets_the_others_be() {
    let t = Dispatch::with_standing_clock(0).await;
    for _ in 0..3 {
        let order = t.order().offered_to([ANNA, BORIS]).await;
        t.tap_accept(ANNA, order).await;
        t.execute("UPDATE orders SET status = 'CLOSED', version = version + 1 WHERE id = $1", &[&order.0]).await;
    }
    let open = t.order().offered_to([VERA]).await;
    t.execute("UPDATE orders SET updated_at = '2020-01-01'", &[]).await;
    t.tick().await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 4, "everything is kept");

    t.execute("INSERT INTO dispatch_policies (keep_finished_days) VALUES (30)", &[]).await;
    t.poison("distribution_metrics", "order_id = 2").await;
    t.tick().await;
    assert_eq!(t.ids("SELECT id FROM orders").await, [2, open.0]);
    for table in ["offers", "order_status_history", "distribution_metrics"] {
        let left = t.ids(&format!("SELECT DISTINCT order_id AS id FROM {table}")).await;
        assert!(left.iter().all(|order| [2, open.0].contains(order)), "{table}: {left:?}");
    }
}

/// The whole kind: whatever is wrong with one order, the rounds of the others begin.
#[tokio::test]
async fn an_order_that_cannot_be_dispatched_is_set_aside_and_the_others_are_dispatched() {
    let t = Dispatch::with_standing_clock(6).await;
    for _ in 0..5 {
        t.order().create().await;
    }
    // A word for a master, in the history, as it may be there already; and a row that nobody can change.
    t.execute("ALTER TABLE order_status_history DROP CONSTRAINT order_status_history_context_is_sane", &[]).await;
    t.execute(
        "INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, context)
         VALUES (1, 'ASSIGNED', 'SEARCHING', 'SYSTEM', '{\"master_id\": \"Анна\"}')",
        &[],
    )
    .await;
    t.poison("offers", "order_id = 2").await;
    let passed = t.tick().await.dispatched;
    assert_eq!((passed.orders, passed.set_aside), (4, 1));
    assert_eq!(t.ids("SELECT DISTINCT order_id AS id FROM offers").await, [1, 3, 4, 5]);
    assert_eq!(t.tick().await, Passed::default(), "it is not looked at again at once");
}

/// He is the first to be asked, since he never was: and nobody else is asked with him.
#[tokio::test]
async fn a_master_who_cannot_be_offered_anything_is_left_out_and_the_others_are_asked() {
    let t = Dispatch::with_standing_clock(0).await;
    for _ in 0..4 {
        t.order().create().await;
    }
    t.poison("offers", "master_id = 1").await;
    for _ in 0..2 {
        let passed = t.tick().await.dispatched;
        assert_eq!((passed.orders, passed.offers, passed.escalated, passed.set_aside), (4, 8, 0, 0));
        t.check().await;
        t.execute("UPDATE offers SET state = 'CANCELED'", &[]).await;
        t.execute("UPDATE orders SET next_round_at = now(), search_started_at = NULL", &[]).await;
    }
    // With nobody else there, dispatchers are told.
    t.execute("UPDATE masters SET on_shift = id = 1", &[]).await;
    assert_eq!(t.tick().await.dispatched.escalated, 4);
    t.check().await;
}

#[tokio::test]
async fn odd_times_of_what_is_over_stop_no_round() {
    let t = Dispatch::with_standing_clock(0).await;
    t.sql
        .batch_execute(
            "ALTER TABLE offers DROP CONSTRAINT offers_times_are_finite;
             ALTER TABLE distribution_metrics DROP CONSTRAINT distribution_metrics_time_is_finite;
             ALTER TABLE master_activity DROP CONSTRAINT master_activity_last_asked_at_check",
        )
        .await
        .expect("no more checks");
    let order = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;
    t.execute("UPDATE offers SET sent_at = 'infinity'", &[]).await;
    t.execute("UPDATE distribution_metrics SET assigned_at = 'infinity'", &[]).await;
    t.execute("UPDATE master_activity SET last_asked_at = 'infinity' WHERE master_id = 1", &[]).await;
    let next = t.order().create().await;
    t.tick().await;
    assert_eq!(t.asked(next).await.len(), 3);
}

/// A zone that the server has stopped knowing is that city's trouble alone.
#[tokio::test]
async fn an_unknown_time_zone_stops_neither_messages_nor_orders() {
    let t = Dispatch::with_standing_clock(0).await;
    for chat in [ANNA, BORIS, VERA] {
        t.chat(chat).open();
    }
    let elsewhere: i64 =
        t.one("INSERT INTO cities (name, timezone) VALUES ('Марс', 'Europe/Moscow') RETURNING id", &[]).await;
    t.execute("UPDATE masters SET city_id = $1 WHERE telegram_user_id = $2", &[&elsewhere, &VERA]).await;
    let [here, there] = [t.order().create().await, t.order().create().await];
    t.execute("UPDATE orders SET city_id = $1 WHERE id = $2", &[&elsewhere, &there.0]).await;
    let deferred = t.order().in_status("DEFERRED").create().await;
    t.execute(
        "UPDATE orders SET city_id = $1, deferred_until = '2020-01-01' WHERE id = $2",
        &[&elsewhere, &deferred.0],
    )
    .await;
    // As after an update of the zone data: nothing was written, and what was known is not any more.
    t.sql
        .batch_execute(
            "ALTER TABLE cities DISABLE TRIGGER show_city_timezone;
             ALTER TABLE cities DROP CONSTRAINT cities_timezone_exists;
             UPDATE cities SET timezone = 'Mars/Olympus', shown_timezone = 'Mars/Olympus' WHERE name = 'Марс'",
        )
        .await
        .expect("a lost zone");

    let passed = t.tick().await;
    assert_eq!((passed.woken, passed.dispatched.orders), (1, 3));
    t.tell().await;
    assert!(t.chat(ANNA).screen().contains(&format!("№{here}")), "{}", t.chat(ANNA).screen());
    assert!(t.chat(VERA).screen().contains("Марс"), "{}", t.chat(VERA).screen());
    assert!(t.tap_accept(VERA, there).await.notice().contains("принята"));
    assert_eq!(t.one::<String>("SELECT shown_timezone FROM cities WHERE name = 'Марс'", &[]).await, "UTC");
    t.check().await;
}

/// What a row says is read for all that were claimed; one that cannot be read is set aside, and keeps its error.
#[tokio::test]
async fn a_message_that_cannot_be_read_is_set_aside_and_the_others_are_sent() {
    let t = Dispatch::with_standing_clock(0).await;
    let chats = [ANNA, BORIS, VERA].map(|user| {
        let chat = t.chat(user);
        chat.open();
        chat
    });
    t.order().create().await;
    t.tick().await;
    // Boris' row speaks of an order whose time cannot be read; and a row of a chat behind it waits for it.
    t.sql.batch_execute("ALTER TABLE orders DROP CONSTRAINT orders_timeslot_on_a_calendar").await.expect("no check");
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone, timeslot_start)
         VALUES (1, 'PLUMBING', 'CANCELED', 'x', 'x', 'x', '-infinity')",
        &[],
    )
    .await;
    t.execute("UPDATE outbox SET order_id = 2, kind = 'CANCELED', offer_id = NULL WHERE chat_id = $1", &[&BORIS]).await;
    let order = t.order().create().await;
    t.tick().await;
    t.tell().await;
    assert_eq!(chats.each_ref().map(|chat| chat.messages().len()), [2, 1, 2]);
    assert!(chats[1].screen().contains(&format!("№{order}")), "{}", chats[1].screen());
    let error: String = t.one("SELECT error FROM outbox WHERE dropped_because = 'UNREADABLE'", &[]).await;
    assert!(error.contains("slot_start"), "{error}");
}

#[tokio::test]
async fn a_flood_limit_slows_the_whole_bot_and_the_other_bot_goes_on() {
    let t = Dispatch::with_standing_clock(0).await;
    // Nobody is asked instead of who has left the shift.
    t.search_in_rounds().await;
    let staff = t.add_staff(STAFF).await;
    for user in [ANNA, BORIS, VERA] {
        t.chat(user).open();
    }
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.order().create().await;
    t.tick().await;
    t.telegram.fail_next("sendMessage", 1, Fault::TooManyRequests(40));
    assert_eq!(t.told_now().await, 1);
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&BORIS]).await;
    t.order().create().await;
    t.tick().await;
    t.let_pass(39);
    let calls = t.telegram.calls().len();
    assert_eq!((t.told_now().await, t.telegram.calls().len()), (0, calls), "nobody is called while the bot waits");
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    t.order().create().await;
    t.tick().await;
    assert_eq!(t.told_now().await, 1);
    assert!(staff.screen().contains("ждёт диспетчера"), "{}", staff.screen());
    // One message at a time, until one is delivered.
    t.let_pass(1);
    t.telegram.fail_next("sendMessage", 1, Fault::ServerError);
    assert_eq!(t.told_now().await, 1);
    t.let_pass(1);
    assert_eq!(t.told_now().await, 1);
    t.let_pass(1);
    assert_eq!(t.told_now().await, 1);
}

impl Dispatch {
    /// Sends what can be sent in this very second; how many rows that were.
    async fn told_now(&self) -> usize {
        field_service::bots::delivery::pass(&self.app.bots(), None).await.expect("a database")
    }
}

/// Invariant 7, for those who are not there yet: a call for a dispatcher is a fact of the order.
#[tokio::test]
async fn a_call_that_reached_nobody_is_made_again_when_somebody_can_be_reached() {
    let t = Dispatch::with_standing_clock(0).await;
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    let order = t.order().create().await;
    assert_eq!(t.tick().await.dispatched.escalated, 1);
    t.tell().await;
    let unanswered =
        async || field_service::store::outbox::backlog(&t.app.store).await.expect("a database").unanswered_calls;
    assert_eq!(unanswered().await, 1, "there is no staff");

    // A dispatcher who has not opened the bot.
    t.execute("INSERT INTO staff (telegram_user_id, full_name) VALUES ($1, 'Ольга')", &[&STAFF]).await;
    for _ in 0..3 {
        t.tick().await;
        t.tell().await;
    }
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox WHERE kind = 'ESCALATED'", &[]).await, 1, "tried once");
    assert_eq!(unanswered().await, 1, "nobody has been reached");

    let staff = t.telegram.chat(crate::harness::ADMIN_TOKEN, STAFF, "Ольга");
    staff.say("/start").await;
    for _ in 0..3 {
        t.tick().await;
        t.tell().await;
    }
    let calls = staff.messages().iter().filter(|message| message.text.contains(&format!("№{order} ждёт"))).count();
    assert_eq!((calls, unanswered().await), (1, 0));

    // Who comes on duty later is told too, once; nobody twice.
    let late = t.add_staff(STAFF + 1).await;
    for _ in 0..3 {
        t.tick().await;
        t.tell().await;
    }
    assert!(late.screen().contains(&format!("№{order} ждёт")), "{}", late.screen());
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox WHERE kind = 'ESCALATED'", &[]).await, 3);
    t.check().await;
}

/// A dispatcher who was active when the order needed one, went off duty before the call was sent, and comes back.
#[tokio::test]
async fn who_comes_back_on_duty_is_told_of_the_calls_that_are_open() {
    let t = Dispatch::with_standing_clock(0).await;
    let [staff, idle] = [t.add_staff(STAFF).await, t.add_staff(STAFF + 1).await];
    t.execute("UPDATE staff SET is_active = false WHERE telegram_user_id = $1", &[&(STAFF + 1)]).await;
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    let order = t.order().create().await;
    t.tick().await;
    t.execute("UPDATE staff SET is_active = false", &[]).await;
    t.tell().await;
    assert!(staff.messages().is_empty());
    t.execute("UPDATE staff SET is_active = true", &[]).await;
    for _ in 0..3 {
        t.tick().await;
        t.tell().await;
    }
    for chat in [&staff, &idle] {
        assert!(chat.screen().contains(&format!("№{order} ждёт")), "{}", chat.screen());
        assert_eq!(chat.messages().len(), 1, "once");
    }
}

/// The siblings of a call: what happened while nobody was on duty is told to whoever comes, once.
#[tokio::test]
async fn what_was_given_back_or_not_received_while_nobody_was_on_duty_is_told_later() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = t.order().of_master(ANNA).in_status("ASSIGNED").create().await;
    t.execute(
        "INSERT INTO order_status_history (order_id, from_status, to_status, actor_type) VALUES ($1, 'SEARCHING', 'ASSIGNED', 'SYSTEM')",
        &[&order.0],
    )
    .await;
    let anna = t.chat(ANNA);
    anna.say("/start").await;
    anna.tap(&format!("m:act:ret:{order}")).await;
    anna.say("Не успеваю").await;
    if t.status(order).await == "ASSIGNED" {
        // The reason is confirmed.
        anna.press("Да").await;
    }
    assert_eq!(t.status(order).await, "SEARCHING");
    // Boris blocks the bot, and is given an order by somebody who is not there any more afterwards.
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    let given = t.order().create().await;
    t.add_staff(STAFF - 1).await;
    assert_eq!(t.first_of_staff_does(given, &StaffCommand::Assign(MasterId(2)), None).await, "SUCCESS");
    t.execute("UPDATE staff SET is_active = false", &[]).await;
    t.tell().await;
    for _ in 0..3 {
        t.tick().await;
        t.tell().await;
    }
    let staff = t.add_staff(STAFF).await;
    for _ in 0..3 {
        t.tick().await;
        t.tell().await;
    }
    let said: Vec<_> = staff.messages().into_iter().map(|message| message.text).collect();
    let with = |what: &str| said.iter().filter(|text| text.contains(what)).count();
    assert_eq!(with("вернули"), 1, "{said:#?}");
    assert_eq!(with(&format!("не знает, что заявка №{given}")), 1, "{said:#?}");
    // Who comes after that is not told again of what somebody knows.
    let late = t.add_staff(STAFF + 1).await;
    for _ in 0..3 {
        t.tick().await;
        t.tell().await;
    }
    assert!(late.messages().iter().all(|message| message.text.contains("ждёт диспетчера")), "{:?}", late.messages());
}

/// Every job at once, on the real clock: one whose tables are gone fails alone, says so in `/health`, and begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_stops_no_other_and_begins_anew() {
    let t = Dispatch::start().await;
    t.sql.batch_execute("ALTER TABLE processed_updates RENAME TO gone").await.expect("a broken table");
    let (stop, stopped) = oneshot::channel::<()>();
    let jobs = t.app.jobs();
    let running = tokio::spawn(async move { jobs.run(async { drop(stopped.await) }).await });
    crate::harness::eventually(|| t.app.metrics.get("forget_updates", "FAILED") > 1).await;
    // Deferred orders wake, and messages go out.
    let deferred = t.order().in_status("DEFERRED").create().await;
    t.execute("UPDATE orders SET deferred_until = '2020-01-01' WHERE id = $1", &[&deferred.0]).await;
    let staff = t.add_staff(STAFF).await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id) VALUES ('ADMIN', $1, 'RETURNED', $2)",
        &[&STAFF, &deferred.0],
    )
    .await;
    crate::harness::eventually(|| staff.messages().len() == 1).await;

    t.sql.batch_execute("ALTER TABLE gone RENAME TO processed_updates").await.expect("a mended table");
    let failures = t.app.metrics.get("forget_updates", "FAILED");
    let order = t.order().create().await;
    while t.asked(order).await.is_empty() {
        tokio::task::yield_now().await;
    }
    for job in ["forget_updates", "forget_shown"] {
        crate::harness::eventually(|| t.app.metrics.pass_seconds(job).is_some()).await;
    }
    assert!(t.app.metrics.get("forget_updates", "FAILED") <= failures + 1);
    let answer = http_client(&t.url).get(format!("{}/health", t.url)).send().await.expect("health");
    let health: serde_json::Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    assert_eq!(health["database"], true);
    for job in ["begin_rounds", "expire", "wake", "call", "deliver", "forget_updates", "measure"] {
        assert_eq!(health["jobs"][job]["alive"], true, "{job}: {health}");
    }
    stop.send(()).expect("the jobs run");
    assert!(running.await.expect("no panic").is_empty(), "the last passes succeeded");
}

/// Its last success is so long ago that it must be dead: 503, though the database answers.
#[tokio::test]
async fn health_says_which_job_is_dead() {
    let t = Dispatch::start().await;
    let health =
        async || http_client(&t.url).get(format!("{}/health", t.url)).send().await.expect("health").status().as_u16();
    let now = std::time::Instant::now();
    let second = std::time::Duration::from_secs(1);
    t.app.liveness.beat("expire", second, now);
    assert_eq!(health().await, 200);
    let Some(long_ago) = now.checked_sub(second * 62) else { return };
    t.app.liveness.beat("expire", second, long_ago);
    assert_eq!(health().await, 503);
}
