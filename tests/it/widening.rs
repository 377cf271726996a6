//! A search widens: what is out stays out, and more masters are asked beside it. The clock is the test's.

use field_service::jobs::Passed;
use field_service::model::OrderId;
use futures_util::future::join_all;

use crate::harness::{ANNA, BORIS, Dispatch, VERA};

const OLGA: i64 = 500;

impl Dispatch {
    /// How many live offers an order has.
    async fn live(&self, order: OrderId) -> i64 {
        self.one(
            "SELECT count(*) FROM offers WHERE order_id = $1 AND state IN ('SENT', 'VIEWED') AND expires_at > $2",
            &[&order.0, &self.clock.now()],
        )
        .await
    }

    async fn offers_of_wave(&self, order: OrderId, wave: i32) -> i64 {
        self.one("SELECT count(*) FROM offers WHERE order_id = $1 AND round_number = $2", &[&order.0, &wave]).await
    }

    async fn decline(&self, master: i64, order: OrderId) {
        self.chat(master).tap(&format!("m:new:dec_yes:{order}")).await;
    }

    /// As if each message had reached its master: an offer that did not is offered again.
    async fn deliver_all(&self) {
        self.execute("UPDATE outbox SET finished_at = $1 WHERE finished_at IS NULL", &[&self.clock.now()]).await;
    }
}

/// A city with so many masters beside the usual three, an order whose search has begun, and who has its offers.
async fn searching(masters: i64) -> (Dispatch, OrderId, Vec<i64>) {
    let t = Dispatch::with_standing_clock(masters).await;
    let order = t.order().create().await;
    t.tick().await;
    t.deliver_all().await;
    let asked = t.asked(order).await;
    (t, order, asked)
}

/// The same of an order that the second master is asked about first, and alone.
async fn searching_for_boris() -> (Dispatch, OrderId) {
    let t = Dispatch::with_standing_clock(5).await;
    let order = t.order().in_status("GUARANTEE").preferring(BORIS).create().await;
    t.tick().await;
    t.deliver_all().await;
    assert_eq!(t.asked(order).await, [BORIS]);
    (t, order)
}

#[tokio::test]
async fn three_are_asked_and_one_more_every_thirty_seconds_while_their_offers_stay_out() {
    let t = Dispatch::with_standing_clock(10).await;
    let order = t.order().in_status("CREATED").create().await;
    for (second, offers, live) in [(0, 3, 3), (30, 1, 4), (60, 1, 5), (90, 1, 6)] {
        assert_eq!(t.tick().await.dispatched.offers, offers, "after {second} s");
        t.deliver_all().await;
        assert_eq!(t.live(order).await, live, "after {second} s");
        t.let_pass(29);
        assert_eq!(t.tick().await, Passed::default(), "nobody before {second} + 30 s");
        t.let_pass(1);
    }
    // Those of the first wave have let their two minutes pass, and are not replaced; the search goes on widening.
    let passed = t.tick().await;
    assert_eq!((passed.expired, passed.dispatched.offers, t.live(order).await), (3, 1, 4));
    assert_eq!(t.one::<i32>("SELECT last_round FROM orders WHERE id = $1", &[&order.0]).await, 5, "waves are counted");
    t.check().await;
    let last = t.asked(order).await[0];
    assert!(t.tap_accept(last, order).await.notice().contains("принята"));
    assert_eq!(t.live(order).await, 0);
    t.let_pass(600);
    assert_eq!(t.tick().await.dispatched.offers, 0, "an assigned order is nobody's business");
    t.check().await;
}

#[tokio::test]
async fn no_more_offers_live_at_once_than_the_policy_allows() {
    let t = Dispatch::with_standing_clock(10).await;
    t.execute(
        "INSERT INTO dispatch_policies (first_masters, widen_every_seconds, widen_by, max_live_offers, offer_ttl_seconds)
         VALUES (2, 10, 2, 5, 3600)",
        &[],
    )
    .await;
    let order = t.order().create().await;
    for live in [2, 4, 5, 5, 5] {
        t.tick().await;
        assert_eq!(t.live(order).await, live);
        t.let_pass(10);
    }
    let asked = t.asked(order).await;
    t.decline(asked[0], order).await;
    t.tick().await;
    assert_eq!(t.live(order).await, 5, "there is room for one again");
    t.check().await;
}

#[tokio::test]
async fn a_decline_is_replaced_at_once_and_the_search_widens_when_it_would_have() {
    let (t, order, asked) = searching(10).await;
    t.let_pass(7);
    t.decline(asked[0], order).await;
    assert_eq!(t.tick().await.dispatched.offers, 1);
    assert_eq!((t.live(order).await, t.offers_of_wave(order, 2).await), (3, 1));
    // Two of them in one moment are two.
    t.deliver_all().await;
    t.decline(asked[1], order).await;
    t.decline(asked[2], order).await;
    assert_eq!(t.tick().await.dispatched.offers, 2);
    assert_eq!(t.tick().await, Passed::default(), "each is replaced once");
    t.let_pass(22);
    assert_eq!(t.tick().await, Passed::default());
    t.let_pass(1);
    assert_eq!(t.tick().await.dispatched.offers, 1, "thirty seconds after the first three");
    t.check().await;
}

#[tokio::test]
async fn who_leaves_the_shift_or_cannot_be_written_to_or_is_blocked_is_replaced_at_once() {
    for (leaves, is_back) in [
        ("on_shift = false", "on_shift = true"),
        ("unreachable_since = now()", "unreachable_since = NULL"),
        ("is_blocked = true, blocked_reason = 'x'", "is_blocked = false"),
    ] {
        let (t, _, asked) = searching(10).await;
        t.let_pass(7);
        let set = |what| format!("UPDATE masters SET {what} WHERE telegram_user_id = $1");
        t.execute(&set(leaves), &[&asked[0]]).await;
        assert_eq!(t.tick().await.dispatched.offers, 1, "{leaves}");
        assert_eq!(t.tick().await.dispatched.offers, 0, "{leaves}: once");
        // Whoever is back may still take it, and nobody loses an offer by that.
        t.execute(&set(is_back), &[&asked[0]]).await;
        t.let_pass(1);
        assert_eq!(t.tick().await.dispatched.offers, 0, "{is_back}");
        t.check().await;
    }
}

/// Or whoever blocks the bot for the night, and stays on shift, would be asked first in the morning.
#[tokio::test]
async fn who_could_not_be_asked_has_not_waited() {
    for (why, asked) in
        [("nothing", ANNA), ("the bot", BORIS), ("staff", BORIS), ("somebody who writes into the database", BORIS)]
    {
        let t = Dispatch::with_standing_clock(0).await;
        t.execute("INSERT INTO dispatch_policies (first_masters) VALUES (1)", &[]).await;
        t.execute("UPDATE masters SET on_shift = telegram_user_id <> $1", &[&VERA]).await;
        let set = async |what: &str| {
            t.execute(&format!("UPDATE masters SET {what} WHERE telegram_user_id = $1"), &[&ANNA]).await;
        };
        // Anna came first, and Boris an hour later.
        t.let_pass(3600);
        t.execute("UPDATE masters SET on_shift_since = $1 WHERE telegram_user_id = $2", &[&t.clock.now(), &BORIS])
            .await;
        t.let_pass(3600);
        match why {
            "the bot" => {
                set("unreachable_since = now()").await;
                t.chat(ANNA).say("/start").await;
            }
            "staff" => {
                set("is_blocked = true, blocked_reason = 'долг'").await;
                let olga = t.add_staff(OLGA).await;
                olga.tap("adm:m").await;
                olga.press("Анна").await;
                olga.press("Разблокировать").await;
            }
            "somebody who writes into the database" => {
                set("is_blocked = true, blocked_reason = 'долг'").await;
                set("on_shift_since = now() - interval '1 hour'").await;
                set("is_blocked = false").await;
                let since: f64 = t
                    .one(
                        "SELECT extract(epoch FROM now() - on_shift_since)::float8 FROM masters WHERE telegram_user_id = $1",
                        &[&ANNA],
                    )
                    .await;
                assert!(since < 600.0, "by the database's clock: {since} s ago");
                continue;
            }
            _ => {}
        }
        let order = t.order().create().await;
        t.tick().await;
        assert_eq!(t.asked(order).await, [asked], "{why} kept Anna from being asked");
        t.check().await;
    }
}

/// While somebody holds the order, whoever leaves the shift does not wait for it: the search widens later by itself.
#[tokio::test]
async fn leaving_the_shift_waits_for_nobody() {
    let (t, order, asked) = searching(10).await;
    let colleague = t.colleague().await;
    colleague.batch_execute(&format!("BEGIN; SELECT FROM orders WHERE id = {order} FOR UPDATE")).await.expect("a lock");
    t.execute("SET statement_timeout = '2s'", &[]).await;
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = $1", &[&asked[0]]).await;
    colleague.batch_execute("COMMIT").await.expect("an end");
    t.let_pass(30);
    assert_eq!(t.tick().await.dispatched.offers, 2, "one more, and the one who left is replaced");
    t.check().await;
}

#[tokio::test]
async fn the_preferred_master_has_his_time_alone_and_then_the_search_widens() {
    let (t, _) = searching_for_boris().await;
    t.let_pass(59);
    assert_eq!(t.tick().await.dispatched.offers, 0, "nobody beside him");
    t.let_pass(1);
    assert_eq!(t.tick().await.dispatched.offers, 3, "his time is over");
    t.let_pass(30);
    assert_eq!(t.tick().await.dispatched.offers, 1);
    t.check().await;
}

#[tokio::test]
async fn a_preferred_master_who_declines_gives_his_time_to_the_others() {
    let (t, order) = searching_for_boris().await;
    t.let_pass(5);
    t.decline(BORIS, order).await;
    assert_eq!(t.tick().await.dispatched.offers, 3);
    t.check().await;
}

#[tokio::test]
async fn a_preferred_master_who_is_gone_keeps_nobody_waiting() {
    for goes in ["on_shift = false", "unreachable_since = now()"] {
        let (t, order) = searching_for_boris().await;
        t.let_pass(5);
        t.execute(&format!("UPDATE masters SET {goes} WHERE telegram_user_id = $1"), &[&BORIS]).await;
        assert_eq!(t.tick().await.dispatched.offers, 3, "{goes}");
        assert_eq!(t.live(order).await, 4, "{goes}: his own is still out");
        t.let_pass(30);
        assert_eq!(t.tick().await.dispatched.offers, 1, "{goes}: and the search widens from then on");
        t.check().await;
    }
}

/// That somebody had left the shift is forgotten with the offer; that another was asked instead concerns nobody else's place.
#[tokio::test]
async fn a_decline_is_replaced_whoever_was_replaced_before() {
    let (t, order, first) = searching(14).await;
    t.let_pass(40);
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = $1", &[&first[0]]).await;
    assert_eq!(t.tick().await.dispatched.offers, 2, "one in his place, one more as it is time");
    t.deliver_all().await;
    // The offer of who has left ends beside the wave that is due in the same moment.
    t.let_pass(80);
    t.tick().await;
    t.deliver_all().await;
    t.tick().await;
    t.deliver_all().await;
    t.let_pass(5);
    let declines = t.asked(order).await[0];
    t.decline(declines, order).await;
    assert_eq!(t.tick().await.dispatched.offers, 1, "at once");
    t.check().await;
}

#[tokio::test]
async fn an_order_goes_on_in_rounds_if_its_search_began_so() {
    let t = Dispatch::with_standing_clock(10).await;
    t.execute("INSERT INTO dispatch_policies (widen_every_seconds) VALUES (0)", &[]).await;
    let before = t.order().create().await;
    t.tick().await;
    t.execute("INSERT INTO dispatch_policies DEFAULT VALUES", &[]).await;
    let after = t.order().create().await;
    t.tick().await;
    t.let_pass(30);
    t.tick().await;
    assert_eq!((t.live(before).await, t.live(after).await), (3, 4));
    t.decline(t.asked(before).await[0], before).await;
    t.tick().await;
    assert_eq!(t.live(before).await, 2, "a round waits for the others");
    t.check().await;
}

#[tokio::test]
async fn staff_are_told_when_as_many_were_asked_as_the_rounds_would_have() {
    let t = Dispatch::with_standing_clock(15).await;
    t.execute("INSERT INTO dispatch_policies (masters_per_round, max_rounds) VALUES (2, 2)", &[]).await;
    let order = t.order().create().await;
    for escalated in [0, 0, 1, 0] {
        assert_eq!(t.tick().await.dispatched.escalated, escalated, "{}", t.live(order).await);
        t.deliver_all().await;
        t.let_pass(30);
    }
    let reason: Option<String> = t.one("SELECT escalation_reason FROM orders", &[]).await;
    assert_eq!(reason.as_deref(), Some("ROUNDS"));
}

/// With offers out, somebody may still take it: staff are told that nobody is left when nobody is.
#[tokio::test]
async fn nobody_is_left_only_when_the_last_offer_has_ended() {
    let (t, order, _) = searching(0).await;
    t.let_pass(30);
    let passed = t.tick().await.dispatched;
    assert_eq!((passed.offers, passed.escalated), (0, 0));
    for master in [ANNA, BORIS, VERA] {
        t.decline(master, order).await;
    }
    assert_eq!(t.tick().await.dispatched.escalated, 1);
    t.check().await;
}

/// Masters come and go, decline and accept while several processes widen: the limit holds and nobody is asked twice.
#[tokio::test]
async fn under_declines_shifts_and_several_ticks_at_once_no_limit_is_passed_and_nobody_is_asked_twice() {
    let t = Dispatch::with_standing_clock(17).await;
    t.execute("UPDATE masters SET max_active_orders = 3", &[]).await;
    let mut orders = Vec::new();
    for _ in 0..12 {
        orders.push(t.order().in_status("CREATED").create().await);
    }
    let shift = t.colleague().await;
    for turn in 0..12_usize {
        let people = async {
            for order in &orders {
                for master in t.asked(*order).await.into_iter().take(2) {
                    if turn % 4 == 3 {
                        t.tap_accept(master, *order).await;
                    } else {
                        t.decline(master, *order).await;
                    }
                }
            }
        };
        let shifts = async {
            for on_shift in [false, true] {
                let id = i64::try_from(turn).expect("a number") + 1;
                shift
                    .execute("UPDATE masters SET on_shift = $1 WHERE id = $2", &[&on_shift, &id])
                    .await
                    .expect("a shift");
            }
        };
        tokio::join!(people, shifts, join_all((0..3).map(|_| t.tick())));
        t.deliver_all().await;
        let over: i64 = t
            .one(
                "SELECT count(*) FROM masters WHERE 3 < (
                     SELECT count(*) FROM orders WHERE assigned_master_id = masters.id AND status = 'ASSIGNED')
                     + (SELECT count(*) FROM offers WHERE master_id = masters.id AND state IN ('SENT', 'VIEWED'))",
                &[],
            )
            .await;
        assert_eq!(over, 0, "turn {turn}");
        let twice: i64 = t
            .one(
                "SELECT count(*) FROM (
                     SELECT FROM offers JOIN orders ON orders.id = order_id WHERE sent_at >= search_started_at
                     GROUP BY order_id, master_id HAVING count(*) > 1) AS twice",
                &[],
            )
            .await;
        assert_eq!(twice, 0, "turn {turn}");
        t.check().await;
        t.let_pass(11);
    }
    let assigned: i64 = t.one("SELECT count(*) FROM orders WHERE status = 'ASSIGNED'", &[]).await;
    assert!(assigned > 3, "{assigned}");
}
