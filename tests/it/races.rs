//! Many at once: the invariants hold, and everybody is told the truth.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use field_service::dispatch::accept;
use field_service::dispatch::act::StaffCommand;
use field_service::model::{MasterId, OrderId};
use field_service::sim::telegram::Tap;
use futures_util::future::join_all;

use crate::harness::{ANNA, BORIS, Dispatch, Settings, a_tap, database_name, eventually, master, proxied_database};

fn tally(outcomes: impl IntoIterator<Item = String>) -> HashMap<String, usize> {
    let mut tally = HashMap::new();
    for outcome in outcomes {
        *tally.entry(outcome).or_default() += 1;
    }
    tally
}

async fn outcome(t: &Dispatch, order: OrderId, user: i64) -> String {
    let answered = accept::accept(&t.app.store, order, master(user), Some(&a_tap()), 1).await;
    answered.expect("a database").expect("a master").outcome.name().to_owned()
}

/// What a person hears in the end who taps again when told to: where the machine is busy with something else, a tap may wait for
/// the same person's other ones for longer than it can.
async fn settled(t: &Dispatch, order: OrderId, user: i64) -> String {
    for _ in 0..100 {
        let said = outcome(t, order, user).await;
        if said != "BUSY" {
            return said;
        }
    }
    panic!("order={order} is held for ever");
}

async fn masters(t: &Dispatch, count: i64) -> Vec<i64> {
    let users: Vec<i64> = (2000..2000 + count).collect();
    for user in &users {
        t.add_master(*user, "Мастер").await;
    }
    users
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_masters_one_gets_the_order() {
    let t = Dispatch::start().await;
    let users = masters(&t, 20).await;
    for _ in 0..5 {
        let order = t.order().offered_to(users.clone()).await;
        let taps = join_all(users.iter().map(|user| t.tap_accept(*user, order))).await;

        // Each has a time of their own.
        let beginning = |said: &str| said.split(':').next().unwrap_or_default().to_owned();
        let said = tally(taps.iter().map(|tap| beginning(tap.notice())));
        assert_eq!(said.get("✅ Заявка принята. Удачи в работе!"), Some(&1), "{said:?}");
        assert_eq!(said.get("Уже занято"), Some(&19), "{said:?}");
        let winner = t.owner(order).await.expect("an owner");
        let told = taps.iter().position(|tap| tap.notice().contains("принята")).expect("a winner");
        assert_eq!(users[told], winner, "what was said is what was committed");
        t.check().await;
    }
}

/// Who comes too late reads by how much, from when the order was offered; and the same again when the tap is delivered again.
#[tokio::test]
async fn who_loses_the_race_reads_by_how_much() {
    let t = Dispatch::with_standing_clock(0).await;
    let offered = async |masters: &[i64]| {
        let order = t.order().offered_to(masters.to_vec()).await;
        t.execute("UPDATE offers SET sent_at = $1 WHERE order_id = $2", &[&t.clock.now(), &order.0]).await;
        order
    };
    let order = offered(&[ANNA, BORIS]).await;
    t.let_pass(14);
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
    t.let_pass(2);
    let boris = t.chat(BORIS);
    boris.say("/start").await;
    let update = boris.tap_update(&format!("m:new:acc:{order}"));
    let said = |tap: &Tap| tap.answers.iter().map(|answer| answer.text.clone().unwrap_or_default()).collect::<Vec<_>>();
    let expected = "Уже занято: другой мастер взял её через 14 с после предложения, вы нажали через 16 с";
    assert_eq!(said(&boris.deliver(update.clone()).await), [expected]);
    t.let_pass(60);
    assert_eq!(said(&boris.deliver(update).await), [expected, expected], "it is the same tap");
    let again = t.tap_accept(BORIS, order).await;
    assert_eq!(
        again.notice(),
        "Уже занято: другой мастер взял её через 14 с после предложения, вы нажали через 1 мин 16 с"
    );

    t.add_staff(500).await;
    let given = offered(&[BORIS]).await;
    t.let_pass(75);
    assert_eq!(t.first_of_staff_does(given, &StaffCommand::Assign(MasterId(1)), None).await, "SUCCESS");
    t.let_pass(5);
    let expected =
        "Уже занято: диспетчер отдал её другому мастеру через 1 мин 15 с после предложения, вы нажали через 1 мин 20 с";
    assert_eq!(t.tap_accept(BORIS, given).await.notice(), expected);
    // Of a time that cannot be counted with nothing is said.
    t.execute(
        "UPDATE offers SET sent_at = $1::timestamptz + interval '1 hour' WHERE order_id = $2",
        &[&t.clock.now(), &given.0],
    )
    .await;
    assert_eq!(t.tap_accept(BORIS, given).await.notice(), "Уже занято");
    t.check().await;
}

/// Failure 5 of the older system.
#[tokio::test(flavor = "multi_thread")]
async fn one_master_on_twenty_orders_stops_at_the_limit() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET max_active_orders = 3", &[]).await;
    for _ in 0..5 {
        let mut orders = Vec::new();
        for _ in 0..20 {
            orders.push(t.order().offered_to([ANNA, BORIS]).await);
        }
        let said = tally(join_all(orders.iter().map(|order| settled(&t, *order, ANNA))).await);

        assert_eq!(said, HashMap::from([("SUCCESS".to_owned(), 3), ("LIMIT_REACHED".to_owned(), 17)]));
        t.check().await;
        t.execute("UPDATE orders SET status = 'CLOSED', version = version + 1 WHERE status = 'ASSIGNED'", &[]).await;
        t.execute(
            "INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
             SELECT id, 'ASSIGNED', 'CLOSED', 'SYSTEM' FROM orders
             WHERE status = 'CLOSED' AND NOT EXISTS (SELECT FROM order_status_history WHERE order_id = orders.id
                                                     AND to_status = 'CLOSED')",
            &[],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_tap_is_one_success_and_one_already_yours() {
    let t = Dispatch::start().await;
    for _ in 0..20 {
        let order = t.order().offered_to([ANNA, BORIS]).await;
        let (first, second) = tokio::join!(settled(&t, order, ANNA), settled(&t, order, ANNA));
        let mut said = [first, second];
        said.sort();
        assert_eq!(said, ["ALREADY_YOURS", "SUCCESS"]);
        t.execute("UPDATE orders SET status = 'CLOSED', version = 1 WHERE id = $1", &[&order.0]).await;
        t.execute("DELETE FROM order_status_history", &[]).await;
        t.execute("DELETE FROM distribution_metrics", &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivery_while_the_first_run_is_going_changes_nothing_more() {
    let t = Dispatch::start().await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    for _ in 0..5 {
        let order = t.order().offered_to([ANNA, BORIS]).await;
        let update = chat.tap_update(&format!("m:new:acc:{order}"));
        let deliveries = join_all((0..4).map(|_| chat.deliver(update.clone()))).await;

        assert!(deliveries.iter().all(|tap| tap.delivery.status == Some(200)));
        let answers = &chat.deliver(update).await.answers;
        assert_eq!(answers.len(), 5);
        let said = tally(answers.iter().map(|answer| answer.text.clone().unwrap_or_default()));
        assert_eq!(said.get("✅ Заявка принята. Удачи в работе!"), Some(&1), "{said:?}");
        assert_eq!(said.get("Эта заявка уже ваша."), Some(&4), "{said:?}");
        t.check().await;
    }
}

/// Failure 6 of the older system: a dispatcher's lock is not another master.
#[tokio::test(flavor = "multi_thread")]
async fn while_a_dispatcher_holds_the_order_a_tap_is_busy_and_not_taken() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let dispatcher = t.colleague().await;
    dispatcher
        .batch_execute(&format!("BEGIN; SELECT FROM orders WHERE id = {order} FOR UPDATE"))
        .await
        .expect("a lock");

    let tap = t.tap_accept(ANNA, order).await;
    assert!(tap.notice().contains("ещё раз"), "{}", tap.notice());
    assert!(t.chat(ANNA).screen().contains(&format!("№{order}")), "the offer is still in the list");
    assert!(t.chat(ANNA).tap(&format!("m:new:dec_yes:{order}")).await.notice().contains("ещё раз"));

    dispatcher.batch_execute("ROLLBACK").await.expect("an end");
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_that_meets_a_short_change_waits_for_it() {
    let (database_url, proxy) = proxied_database().await;
    let through_proxy = proxy.database_url(database_name(&database_url));
    let settings = Settings { database_url: Some(through_proxy), ..Settings::default() };
    let t = Dispatch::start_on(database_url, settings).await;
    let order = t.order().offered_to([ANNA]).await;
    assert_eq!(outcome(&t, order, BORIS).await, "NOT_FOUND", "the statements are prepared");
    let dispatcher = t.colleague().await;
    dispatcher
        .batch_execute(&format!("BEGIN; UPDATE orders SET version = version WHERE id = {order}"))
        .await
        .expect("a lock");
    let before = proxy.round_trips();

    let (outcome, ()) = tokio::join!(outcome(&t, order, ANNA), async {
        eventually(|| proxy.round_trips() >= before + 2).await;
        dispatcher.batch_execute("COMMIT").await.expect("an end");
    });

    assert_eq!(outcome, "SUCCESS", "the first look found the order locked, a later one did not");
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_somebody_holds_the_master_a_tap_is_busy() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let dispatcher = t.colleague().await;
    dispatcher
        .batch_execute(&format!("BEGIN; SELECT FROM masters WHERE telegram_user_id = {ANNA} FOR UPDATE"))
        .await
        .expect("a lock");

    assert_eq!(outcome(&t, order, ANNA).await, "BUSY");

    dispatcher.batch_execute("ROLLBACK").await.expect("an end");
    assert_eq!(outcome(&t, order, ANNA).await, "SUCCESS");
    t.check().await;
}

/// Failure 7 of the older system: no tap holds one connection and waits for another.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_and_twenty_taps_share_two_connections() {
    let t = Dispatch::start_with(Settings { connections: 2, ..Settings::default() }).await;
    let users = masters(&t, 120).await;
    let order = t.order().offered_to(users.clone()).await;

    let taps = join_all(users.iter().map(|user| t.tap_accept(*user, order))).await;

    assert!(taps.iter().all(|tap| tap.delivery.status == Some(200)));
    let said = tally(taps.iter().map(|tap| tap.notice().to_owned()));
    assert_eq!(said.get("✅ Заявка принята. Удачи в работе!"), Some(&1), "{said:?}");
    assert_eq!(said.values().sum::<usize>(), 120);
    t.check().await;
}

/// Where a first design left places taken for nothing and live offers on assigned orders: accepts against others who
/// bump the version, add offers, and decline, all under the rule that the order's lock guards the order's offers.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_against_writers_leave_nothing_behind() {
    const ORDERS: i64 = 1200;
    let t = Arc::new(Dispatch::start_with(Settings { connections: 6, ..Settings::default() }).await);
    let users = masters(&t, 12).await;
    t.execute("UPDATE masters SET max_active_orders = 120", &[]).await;
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone)
         SELECT 1, 'WINDOWS', 'SEARCHING', 'адрес', 'клиент', '+7' FROM generate_series(1, $1::bigint)",
        &[&ORDERS],
    )
    .await;
    t.execute(
        "INSERT INTO offers (order_id, master_id, state, expires_at)
         SELECT orders.id, masters.id, 'SENT', now() + interval '1 hour' FROM orders, masters
         WHERE telegram_user_id >= 2000 AND (orders.id + masters.id) % 3 = 0",
        &[],
    )
    .await;

    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        [BUMP, OFFER, DECLINE].map(|sql| tokio::spawn(write(Arc::clone(&t), sql, Arc::clone(&done)))).into();
    let mut said = HashMap::new();
    for batch in (1..=ORDERS).collect::<Vec<_>>().chunks(8) {
        let taps = batch.iter().flat_map(|order| users.iter().map(move |user| (OrderId(*order), *user)));
        for word in join_all(taps.map(|(order, user)| outcome(&t, order, user))).await {
            *said.entry(word).or_insert(0usize) += 1;
        }
    }
    done.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.expect("a writer");
    }

    let taken: i64 = t.one("SELECT count(*) FROM orders WHERE status = 'ASSIGNED'", &[]).await;
    assert_eq!(said.get("SUCCESS").copied(), usize::try_from(taken).ok(), "{said:?}");
    assert!(taken > ORDERS / 2 && written > 200, "{said:?}, {written} changes by others");
    t.check().await;
    for user in users {
        assert_eq!(t.one::<i64>(PLACES_LEAKED, &[&user]).await, 0, "a place is taken by an order or free");
    }
}

const BUMP: &str = "
    WITH changed AS (
        UPDATE orders SET status = CASE status WHEN 'SEARCHING' THEN 'GUARANTEE' ELSE 'SEARCHING' END,
               version = version + 1
        WHERE id = $1 AND status IN ('SEARCHING', 'GUARANTEE') RETURNING id, status
    )
    INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
    SELECT id, CASE status WHEN 'SEARCHING' THEN 'GUARANTEE' ELSE 'SEARCHING' END, status, 'SYSTEM' FROM changed";
const OFFER: &str = "
    INSERT INTO offers (order_id, master_id, state, expires_at)
    SELECT orders.id, masters.id, 'SENT', now() + interval '1 hour' FROM orders, masters
    WHERE orders.id = $1 AND status IN ('SEARCHING', 'GUARANTEE') AND telegram_user_id >= 2000
      AND masters.id % 12 = orders.id % 12
    ON CONFLICT DO NOTHING";
const DECLINE: &str = "
    UPDATE offers SET state = 'DECLINED'
    WHERE order_id = $1 AND state = 'SENT' AND master_id % 5 = order_id % 5";
const PLACES_LEAKED: &str = "
    SELECT count(*) - count(*) FILTER (WHERE offers.state = 'ACCEPTED')
    FROM masters
    JOIN orders ON assigned_master_id = masters.id
    LEFT JOIN offers ON offers.order_id = orders.id AND offers.master_id = masters.id AND offers.state = 'ACCEPTED'
    WHERE telegram_user_id = $1";

/// Somebody else who follows the rule: lock the order, then look and change.
async fn write(t: Arc<Dispatch>, sql: &str, done: Arc<AtomicBool>) -> u64 {
    let client = t.colleague().await;
    let mut written = 0;
    let mut order = 0_i64;
    while !done.load(Ordering::Relaxed) {
        order = (order + 37) % 1200 + 1;
        client.batch_execute("BEGIN").await.expect("a transaction");
        client.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", &[&order]).await.expect("a lock");
        written += client.execute(sql, &[&order]).await.expect("a change");
        client.batch_execute("COMMIT").await.expect("an end");
    }
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_accept_leaves_no_lock_behind() {
    let t = Dispatch::start_with(Settings { connections: 1, ..Settings::default() }).await;
    for polls in 1..40 {
        let order = t.order().offered_to([ANNA, BORIS]).await;
        {
            let by = a_tap();
            let mut accept = Box::pin(accept::accept(&t.app.store, order, master(ANNA), Some(&by), 1));
            for _ in 0..polls {
                if futures_util::poll!(&mut accept).is_ready() {
                    break;
                }
                tokio::time::timeout(Duration::from_micros(50), std::future::pending::<()>())
                    .await
                    .expect_err("a pause");
            }
        }
        let second = outcome(&t, order, BORIS).await;
        assert!(matches!(second.as_str(), "SUCCESS" | "TAKEN" | "LIMIT_REACHED" | "BUSY"), "{second}");
        t.check().await;
        t.execute("UPDATE orders SET status = 'CLOSED'", &[]).await;
        t.execute("DELETE FROM order_status_history", &[]).await;
        t.execute("DELETE FROM distribution_metrics", &[]).await;
        t.execute("UPDATE orders SET version = 1", &[]).await;
        t.execute("UPDATE offers SET state = 'CANCELED'", &[]).await;
    }
}
