//! Orders find their masters by themselves: rounds, expiry, escalation, waking. The clock is the test's.

use field_service::jobs::Passed;
use field_service::model::OrderId;
use field_service::model::due::BATCH;
use field_service::sim::telegram::Fault;
use futures_util::future::join_all;
use jiff::civil::date;
use jiff::{SignedDuration, tz};

use crate::harness::{ANNA, BORIS, Dispatch, VERA};

impl Dispatch {
    async fn escalation(&self, order: OrderId) -> Option<String> {
        self.one("SELECT escalation_reason FROM orders WHERE id = $1", &[&order.0]).await
    }

    /// As if every message had reached its master in this very moment.
    async fn all_were_told(&self) {
        self.execute("UPDATE outbox SET finished_at = $1 WHERE finished_at IS NULL", &[&self.clock.now()]).await;
    }

    async fn policy(&self, set: &str) {
        self.execute(&format!("INSERT INTO dispatch_policies {set}"), &[]).await;
    }

    async fn in_rounds(others: i64) -> Self {
        let t = Self::with_standing_clock(others).await;
        t.search_in_rounds().await;
        t
    }
}

#[tokio::test]
async fn a_new_order_is_offered_to_three_masters_and_taken_by_one() {
    let t = Dispatch::in_rounds(5).await;
    let order = t.order().in_status("CREATED").create().await;

    let passed = t.tick().await;

    assert_eq!((passed.dispatched.orders, passed.dispatched.offers), (1, 3));
    assert_eq!(t.status(order).await, "SEARCHING");
    let actor: String = t.one("SELECT actor_type FROM order_status_history WHERE order_id = $1", &[&order.0]).await;
    assert_eq!(actor, "AUTO_DISTRIBUTION");
    let seconds: f64 = t
        .one(
            "SELECT extract(epoch FROM max(expires_at) - max(sent_at))::float8 FROM offers WHERE order_id = $1",
            &[&order.0],
        )
        .await;
    assert!((seconds - 120.0).abs() < 0.001, "{seconds}");
    t.check().await;

    assert_eq!(t.tick().await, Passed::default(), "nothing more to do while the offers live");
    let asked = t.asked(order).await;
    assert_eq!(asked.len(), 3);
    assert!(t.tap_accept(asked[1], order).await.notice().contains("принята"));
    t.let_pass(1000);
    assert_eq!(t.tick().await, Passed::default(), "an assigned order is nobody's business");
    let round: i32 = t.one("SELECT round_number FROM distribution_metrics WHERE order_id = $1", &[&order.0]).await;
    assert_eq!(round, 1);
    t.check().await;
}

#[tokio::test]
async fn a_round_that_nobody_accepted_is_followed_by_the_next_and_staff_are_told_once() {
    let t = Dispatch::in_rounds(8).await;
    let order = t.order().create().await;
    let mut all = Vec::new();
    for (round, count) in [(1, 3), (2, 3), (3, 3), (4, 2)] {
        let passed = t.tick().await;
        t.all_were_told().await;
        let asked = t.asked(order).await;
        assert_eq!((passed.dispatched.offers, asked.len()), (count, count), "round {round}");
        assert_eq!(passed.expired, if round == 1 { 0 } else { 3 }, "round {round}");
        all.extend(asked);
        // Three rounds are over before staff are told, and it goes on while there is somebody to ask.
        assert_eq!(t.escalation(order).await.as_deref(), (round > 3).then_some("ROUNDS"), "round {round}");
        assert_eq!(passed.dispatched.escalated, usize::from(round == 4), "round {round}");
        t.let_pass(119);
        assert_eq!(t.tick().await, Passed::default(), "round {round} is not over");
        t.let_pass(1);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 11, "nobody was asked twice");
    for _ in 0..5 {
        let passed = t.tick().await;
        assert_eq!((passed.dispatched.escalated, passed.overdue, passed.dispatched.offers), (0, 0, 0));
        t.let_pass(30);
    }
    t.check().await;
}

#[tokio::test]
async fn when_all_have_declined_the_next_round_does_not_wait() {
    let t = Dispatch::in_rounds(1).await;
    let order = t.order().create().await;
    t.tick().await;
    let asked = t.asked(order).await;
    for (number, master) in asked.iter().enumerate() {
        assert_eq!(t.tick().await, Passed::default(), "{number} have declined");
        t.chat(*master).tap(&format!("m:new:dec_yes:{order}")).await;
    }
    assert_eq!(t.tick().await.dispatched.offers, 1);
    assert!(!asked.contains(&t.asked(order).await[0]));
    t.check().await;
}

#[tokio::test]
async fn with_nobody_to_ask_staff_are_told_at_once_and_whoever_comes_on_shift_is_asked() {
    let t = Dispatch::in_rounds(0).await;
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    let order = t.order().create().await;
    assert_eq!(t.tick().await.dispatched.escalated, 1);
    assert_eq!(t.escalation(order).await.as_deref(), Some("NOBODY_LEFT"));
    t.let_pass(700);
    let passed = t.tick().await;
    assert_eq!((passed.dispatched.escalated, passed.overdue), (0, 0), "once is enough");

    t.execute("UPDATE masters SET on_shift = true WHERE telegram_user_id = $1", &[&VERA]).await;
    t.let_pass(30);
    t.tick().await;
    assert_eq!(t.asked(order).await, [VERA]);
    assert_eq!(t.one::<i32>("SELECT last_round FROM orders WHERE id = $1", &[&order.0]).await, 1);
    t.tap_accept(VERA, order).await;
    let escalated: bool = t.one("SELECT was_escalated_to_admin FROM distribution_metrics", &[]).await;
    assert!(escalated);
    t.check().await;
}

#[tokio::test]
async fn after_ten_minutes_staff_are_told_whatever_round_it_is() {
    let t = Dispatch::in_rounds(0).await;
    t.policy("(widen_every_seconds, offer_ttl_seconds) VALUES (0, 3600)").await;
    let order = t.order().create().await;
    t.tick().await;
    t.let_pass(599);
    assert_eq!(t.tick().await, Passed::default());
    t.let_pass(1);
    assert_eq!(t.tick().await.overdue, 1);
    assert_eq!(t.escalation(order).await.as_deref(), Some("TIME"));
    assert_eq!(t.tick().await, Passed::default());
    assert_eq!(t.asked(order).await.len(), 3, "the offers go on");
}

#[tokio::test]
async fn the_preferred_master_is_asked_first_and_alone() {
    let t = Dispatch::in_rounds(0).await;
    let order = t.order().in_status("GUARANTEE").preferring(BORIS).create().await;
    t.tick().await;
    t.all_were_told().await;
    assert_eq!(t.asked(order).await, [BORIS]);
    t.let_pass(60);
    t.tick().await;
    assert_eq!(t.asked(order).await.len(), 2);
    assert_eq!(t.status(order).await, "GUARANTEE");
    t.tap_accept(ANNA, order).await;
    assert_eq!(t.owner(order).await, Some(ANNA));
    t.check().await;
}

#[tokio::test]
async fn a_deferred_order_wakes_when_the_working_day_begins_in_its_city() {
    let t = Dispatch::in_rounds(0).await;
    let olga = t.add_staff(501).await;
    // The clocks of Yekaterinburg are five hours ahead of UTC.
    let at = |day: i8, hour: i8, minute: i8| {
        tz::offset(5).to_timestamp(date(2027, 3, day).at(hour, minute, 0, 0)).expect("a time")
    };
    for (created, until, wakes) in [
        (at(1, 21, 30), None, at(2, 10, 0)),
        (at(1, 20, 0), None, at(2, 10, 0)),
        (at(1, 8, 15), None, at(1, 10, 0)),
        (at(1, 12, 0), None, at(1, 12, 0)),
        (at(1, 12, 0), Some(at(4, 18, 30)), at(4, 18, 30)),
    ] {
        let order = t.order().in_status("DEFERRED").create().await;
        t.execute(
            "UPDATE orders SET created_at = $2, deferred_until = $3 WHERE id = $1",
            &[&order.0, &created, &until],
        )
        .await;
        t.clock.set(wakes - SignedDuration::from_secs(1));
        olga.tap(&format!("adm:q:card:{order}:1")).await;
        let until = tz::offset(5).to_datetime(wakes).strftime("%H:%M").to_string();
        let line = olga.screen().lines().find(|line| line.contains("💤 Отложена до")).map(ToOwned::to_owned);
        assert!(line.as_ref().is_some_and(|line| line.ends_with(&until)), "{until}: {line:?}");
        t.tick().await;
        assert_eq!(t.status(order).await, "DEFERRED", "{created} {until:?}");
        t.clock.set(wakes);
        let passed = t.tick().await;
        assert_eq!((passed.woken, t.status(order).await.as_str()), (1, "SEARCHING"), "{created} {until:?}");
        assert!(!t.asked(order).await.is_empty(), "its first round begins in the same pass");
        t.check().await;
        t.execute("UPDATE masters SET max_active_orders = 1000", &[]).await;
    }
}

#[tokio::test]
async fn an_order_keeps_its_policy_and_the_limit_is_always_the_newest() {
    let t = Dispatch::in_rounds(5).await;
    let old = t.order().create().await;
    t.tick().await;
    t.policy("(widen_every_seconds, offer_ttl_seconds, masters_per_round, max_active_orders) VALUES (0, 30, 1, 0)")
        .await;
    assert!(t.tap_accept(t.asked(old).await[0], old).await.notice().contains("пока не дают новых заявок"));
    t.policy("(widen_every_seconds, offer_ttl_seconds, masters_per_round) VALUES (0, 30, 1)").await;
    let new = t.order().create().await;
    t.tick().await;
    assert_eq!(t.asked(new).await.len(), 1);
    t.let_pass(120);
    t.tick().await;
    assert_eq!(t.asked(old).await.len(), 3, "by the policy of its search");

    for change in ["UPDATE dispatch_policies SET max_rounds = 9", "DELETE FROM dispatch_policies"] {
        let refused = t.sql.execute(change, &[]).await.expect_err("policies are only added to");
        assert!(refused.as_db_error().is_some_and(|error| error.message().contains("only added to")), "{refused}");
    }
}

#[tokio::test]
async fn why_not_me_can_be_answered_later() {
    let t = Dispatch::in_rounds(3).await;
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = $1", &[&ANNA]).await;
    t.execute("UPDATE masters SET is_blocked = true WHERE telegram_user_id = $1", &[&BORIS]).await;
    let order = t.order().create().await;
    t.tick().await;
    let (chosen, excluded): (String, String) = {
        let row =
            t.sql.query_one("SELECT chosen::text, excluded::text FROM dispatch_rounds", &[]).await.expect("a round");
        (row.get(0), row.get(1))
    };
    assert_eq!(chosen.split(',').count(), 3, "{chosen}");
    assert_eq!(excluded, r#"{"RANK": 1, "BLOCKED": 1, "OFF_SHIFT": 1}"#);
    assert_eq!(t.asked(order).await.len(), 3);
}

#[tokio::test]
async fn an_order_that_goes_back_is_searched_for_anew() {
    let t = Dispatch::in_rounds(0).await;
    let order = t.order().create().await;
    t.tick().await;
    t.tap_accept(ANNA, order).await;
    t.let_pass(10);
    t.return_to_search(order).await;
    let passed = t.tick().await;
    assert_eq!(passed.dispatched.offers, 3, "those who were asked before are asked again, the last master too");
    let round: i32 = t.one("SELECT last_round FROM orders WHERE id = $1", &[&order.0]).await;
    assert_eq!(round, 1);
    assert!(t.tap_accept(BORIS, order).await.notice().contains("принята"));
    t.check().await;
}

#[tokio::test]
async fn whom_no_offer_reached_was_not_asked() {
    let t = Dispatch::in_rounds(0).await;
    for user in [ANNA, BORIS, VERA] {
        t.chat(user).open();
    }
    let order = t.order().create().await;
    t.tick().await;
    t.telegram.fail_every(1, vec![Fault::BadGateway]);
    t.tell().await;
    t.let_pass(120);
    // One has seen it in the list.
    t.execute(
        "UPDATE offers SET viewed_at = now() FROM masters WHERE masters.id = master_id AND telegram_user_id = $1",
        &[&ANNA],
    )
    .await;
    let passed = t.tick().await;
    assert_eq!((passed.dispatched.escalated, passed.dispatched.offers), (0, 2), "and dispatchers are not bothered");
    let mut asked = t.asked(order).await;
    asked.sort_unstable();
    assert_eq!(asked, [BORIS, VERA]);
}

#[tokio::test]
async fn an_order_put_back_by_hand_with_its_accepted_offer_can_be_taken() {
    let t = Dispatch::in_rounds(0).await;
    let order = t.order().create().await;
    t.tick().await;
    t.tap_accept(ANNA, order).await;
    t.let_pass(10);
    t.execute(
        "WITH changed AS (
             UPDATE orders SET status = 'SEARCHING', assigned_master_id = NULL, version = version + 1 RETURNING id
         )
         INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
         SELECT id, 'ASSIGNED', 'SEARCHING', 'SYSTEM' FROM changed",
        &[],
    )
    .await;
    t.tick().await;
    assert!(t.tap_accept(BORIS, order).await.notice().contains("принята"));
    assert_eq!(t.offer_state(order, ANNA).await, "CANCELED");
    t.check().await;
}

#[tokio::test]
async fn rounds_wait_for_offers_that_staff_have_made() {
    let t = Dispatch::in_rounds(5).await;
    let order = t.order().offered_to([ANNA]).await;
    t.tick().await;
    assert_eq!(t.asked(order).await, [ANNA]);
    t.let_pass(601);
    t.tick().await;
    assert_eq!(t.asked(order).await.len(), 3);
}

#[tokio::test]
async fn what_is_odd_about_one_order_stops_no_other() {
    let t = Dispatch::in_rounds(0).await;
    let endless = t.order().offered_to([ANNA]).await;
    t.execute("UPDATE offers SET expires_at = 'infinity'", &[]).await;
    // Put back by somebody who left the old offer as it was.
    let kept = t.order().create().await;
    t.offer(kept, BORIS, "ACCEPTED").await;
    // A trade of a later release.
    t.execute("ALTER TABLE orders DROP CONSTRAINT orders_category_check", &[]).await;
    let unknown = t.order().create().await;
    t.execute("UPDATE orders SET category = 'GARDENS' WHERE id = $1", &[&unknown.0]).await;
    let ordinary = t.order().create().await;

    assert_eq!(t.tick().await.dispatched.orders, 4);
    assert_eq!(t.asked(endless).await, [ANNA]);
    let mut asked = t.asked(kept).await;
    asked.sort_unstable();
    assert_eq!(asked, [ANNA, VERA]);
    assert_eq!(t.asked(ordinary).await.len(), 3);
    assert_eq!(t.tick().await, Passed::default(), "none of them is due again at once");
}

#[tokio::test]
async fn what_somebody_holds_is_passed_over_and_seen_to_later() {
    let t = Dispatch::in_rounds(0).await;
    let (held, free) = (t.order().create().await, t.order().create().await);
    let dispatcher = t.colleague().await;
    dispatcher.batch_execute(&format!("BEGIN; SELECT FROM orders WHERE id = {held} FOR UPDATE")).await.expect("a lock");
    t.tick().await;
    assert_eq!((t.asked(held).await.len(), t.asked(free).await.len()), (0, 3));
    dispatcher.batch_execute("COMMIT").await.expect("an end");
    t.tick().await;
    assert_eq!(t.asked(held).await.len(), 3);
}

/// Whoever holds a master's row, or asks that master at this moment, does not stop the others' rounds.
#[tokio::test]
async fn a_master_who_is_held_is_left_out_and_asked_when_let_go() {
    let t = Dispatch::in_rounds(0).await;
    for hold in [
        "SELECT FROM masters WHERE telegram_user_id = 101 FOR UPDATE",
        "UPDATE masters SET telegram_user_id = 777 WHERE telegram_user_id = 101",
        "SELECT FROM master_activity JOIN masters ON id = master_id WHERE telegram_user_id = 101 FOR UPDATE",
    ] {
        // Whoever was asked at the same moment has waited equally long.
        t.let_pass(1);
        let colleague = t.colleague().await;
        colleague.batch_execute(&format!("BEGIN; {hold}")).await.expect("a lock");
        let orders = [t.order().create().await, t.order().create().await];
        assert_eq!(t.tick().await.dispatched.offers, 4, "{hold}");
        for order in orders {
            let mut asked = t.asked(order).await;
            asked.sort_unstable();
            assert_eq!(asked, [BORIS, VERA], "{hold}");
            let excluded = "SELECT excluded::text FROM dispatch_rounds WHERE order_id = $1";
            assert_eq!(t.one::<String>(excluded, &[&order.0]).await, r#"{"HELD": 1}"#);
        }
        colleague.batch_execute("ROLLBACK").await.expect("an end");
        let next = t.order().create().await;
        t.tick().await;
        assert_eq!(t.asked(next).await.first(), Some(&ANNA), "{hold}");
        t.check().await;
        t.execute("UPDATE offers SET state = 'CANCELED' WHERE state = 'SENT'", &[]).await;
        t.execute("UPDATE orders SET next_round_at = 'tomorrow'", &[]).await;
    }
}

#[tokio::test]
async fn if_all_are_held_the_order_waits_for_them_and_staff_are_told_in_time() {
    let t = Dispatch::in_rounds(0).await;
    let colleague = t.colleague().await;
    colleague.batch_execute("BEGIN; SELECT FROM masters FOR UPDATE").await.expect("locks");
    let order = t.order().in_status("CREATED").create().await;
    for second in 0..3 {
        let passed = t.tick().await.dispatched;
        assert_eq!((passed.orders, passed.offers, passed.escalated), (1, 0, 0), "{second}");
        t.let_pass(1);
    }
    assert_eq!(t.status(order).await, "SEARCHING");
    t.let_pass(600);
    assert_eq!(t.tick().await.overdue, 1);
    assert_eq!(t.escalation(order).await.as_deref(), Some("TIME"));
    t.let_pass(1);
    colleague.batch_execute("COMMIT").await.expect("an end");
    t.tick().await;
    assert_eq!(t.asked(order).await.len(), 3, "no round was wasted, and nobody counts as asked");
    assert_eq!(t.one::<i32>("SELECT last_round FROM orders WHERE id = $1", &[&order.0]).await, 1);
    t.check().await;
}

#[tokio::test]
async fn a_preferred_master_who_is_held_is_waited_for_while_the_time_alone_lasts() {
    let t = Dispatch::in_rounds(0).await;
    let orders = [
        t.order().in_status("GUARANTEE").preferring(BORIS).create().await,
        t.order().in_status("GUARANTEE").preferring(BORIS).create().await,
    ];
    let colleague = t.colleague().await;
    colleague
        .batch_execute("BEGIN; SELECT FROM masters WHERE telegram_user_id = 102 FOR UPDATE")
        .await
        .expect("a lock");
    t.tick().await;
    t.let_pass(30);
    assert_eq!(t.tick().await.dispatched.offers, 0);
    colleague.batch_execute("COMMIT; BEGIN; SELECT FROM orders WHERE id = 2 FOR UPDATE").await.expect("another lock");
    t.let_pass(1);
    t.tick().await;
    assert_eq!(t.asked(orders[0]).await, [BORIS]);
    colleague
        .batch_execute("COMMIT; BEGIN; SELECT FROM masters WHERE telegram_user_id = 102 FOR UPDATE")
        .await
        .expect("a lock");
    t.let_pass(30);
    t.tick().await;
    assert_eq!(t.asked(orders[1]).await.len(), 2, "the others, now");
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_at_once_and_taps_between_them_keep_every_invariant() {
    let t = Dispatch::in_rounds(20).await;
    let orders = join_all((0..450).map(|_| t.order().in_status("CREATED").create())).await;
    for round in 1..=3_i64 {
        let ticks = join_all((0..4).map(|_| t.tick()));
        let taps = async {
            let offered = t
                .sql
                .query(
                    "SELECT order_id, telegram_user_id FROM offers JOIN masters ON masters.id = master_id
                     WHERE state = 'SENT' AND (order_id + master_id) % 5 = $1",
                    &[&round],
                )
                .await
                .expect("offers");
            join_all(offered.iter().map(|row| t.tap_accept(row.get(1), OrderId(row.get(0))))).await
        };
        let (passed, _) = tokio::join!(ticks, taps);
        if round == 1 {
            assert_eq!(passed.iter().map(|passed| passed.dispatched.orders).sum::<usize>(), orders.len());
            assert!(orders.len() > 2 * BATCH.unsigned_abs() as usize, "several batches");
        }
        t.check().await;
        t.all_were_told().await;
        t.let_pass(121);
    }
    let twice: i64 = t
        .one("SELECT count(*) FROM (SELECT FROM offers GROUP BY order_id, master_id HAVING count(*) > 1) AS twice", &[])
        .await;
    assert_eq!(twice, 0, "nobody is asked twice in a search");
    let most: i64 = t
        .one("SELECT max(n) FROM (SELECT count(*) AS n FROM offers GROUP BY order_id, round_number) AS rounds", &[])
        .await;
    assert!(most <= 3, "{most} in one round");
}

/// As if as many processes dispatched: each with its own connections and what it has read.
async fn five_processes(t: &Dispatch) -> Vec<Dispatch> {
    join_all((0..5).map(|_| t.restarted())).await
}

/// Masters who have more live offers and active orders than they may have.
const ABOVE_THE_LIMIT: &str = "
    SELECT coalesce(array_agg(format('master %s has %s', id, load)), '{}')
    FROM (SELECT masters.id, max_active_orders,
                 (SELECT count(*) FROM orders
                  WHERE assigned_master_id = masters.id AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT'))
                 + (SELECT count(*) FROM offers WHERE master_id = masters.id AND state IN ('SENT', 'VIEWED')) AS load
          FROM masters) AS loads
    WHERE load > max_active_orders";

/// More than one batch of orders for each process, which all fall due at once.
async fn a_thousand_orders(t: &Dispatch) {
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone)
         SELECT min(id), 'PLUMBING', 'CREATED', 'x', 'x', '+7' FROM cities, generate_series(1, 1100) GROUP BY generate_series",
        &[],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_at_once_give_nobody_more_than_the_limit() {
    let t = Dispatch::in_rounds(7).await;
    t.execute("UPDATE masters SET max_active_orders = 3", &[]).await;
    let processes = five_processes(&t).await;
    for round in 0..4 {
        a_thousand_orders(&t).await;
        let passed = join_all(processes.iter().map(Dispatch::tick)).await;
        assert_eq!(t.one::<Vec<String>>(ABOVE_THE_LIMIT, &[]).await, Vec::<String>::new(), "round {round}");
        let offers: usize = passed.iter().map(|passed| passed.dispatched.offers).sum();
        assert_eq!(offers, 30, "ten masters have room for three each, and each room is used");
        t.check().await;
        t.execute("UPDATE offers SET state = 'CANCELED' WHERE state IN ('SENT', 'VIEWED')", &[]).await;
        t.execute("UPDATE orders SET next_round_at = 'tomorrow'", &[]).await;
        t.let_pass(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_at_once_and_acceptances_give_nobody_more_than_the_limit() {
    let t = Dispatch::in_rounds(7).await;
    t.execute("UPDATE masters SET max_active_orders = 3", &[]).await;
    let processes = five_processes(&t).await;
    a_thousand_orders(&t).await;
    for round in 0..8 {
        let live = t
            .sql
            .query(
                "SELECT order_id, telegram_user_id FROM offers JOIN masters ON masters.id = master_id
                 WHERE state = 'SENT'",
                &[],
            )
            .await
            .expect("offers");
        let taps = join_all(live.iter().map(|row| t.tap_accept(row.get(1), OrderId(row.get(0)))));
        let (_, taps) = tokio::join!(join_all(processes.iter().map(Dispatch::tick)), taps);
        assert_eq!(t.one::<Vec<String>>(ABOVE_THE_LIMIT, &[]).await, Vec::<String>::new(), "round {round}");
        // A round does not hold what an acceptance needs.
        let busy = taps.iter().filter(|tap| tap.notice().contains("ещё раз")).count();
        assert_eq!(busy, 0, "of {} taps in round {round}", taps.len());
        t.check().await;
        // The work is done, and there is room again.
        t.execute(
            "WITH done AS (
                 UPDATE orders SET status = 'CLOSED', version = version + 1 WHERE status = 'ASSIGNED' RETURNING id
             )
             INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
             SELECT id, 'ASSIGNED', 'CLOSED', 'SYSTEM' FROM done",
            &[],
        )
        .await;
        t.execute("UPDATE orders SET next_round_at = now() WHERE status = 'SEARCHING' AND next_round_at > now()", &[])
            .await;
        t.let_pass(31);
    }
}
