//! The history of orders cannot be changed unseen: rows are sealed whoever inserts them, `verify` names what does not fit, and
//! each day's root is in the admins' chats.

use std::process::Output;
use std::time::Duration;

use field_service::dispatch::verify::{self, Report};
use field_service::model::history::{Covered, Root, RootWrong, Wrong, hex};
use field_service::model::{MasterId, OrderId};
use field_service::sim::telegram::Chat;
use field_service::store::history::{self, Opened};
use field_service::store::sweeps::{PURGE, Swept};
use futures_util::future::join_all;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use tokio::process::Command;

use crate::harness::{ANNA, BARE_FOLDER, BORIS, Dispatch, RESEAL};

async fn verified(t: &Dispatch) -> Report {
    verify::verify(&t.app.store, |_| ()).await.expect("a database")
}

async fn fits(t: &Dispatch) {
    let report = verified(t).await;
    assert!(report.fits(), "{report:#?}");
}

/// What is wrong first, and at which row of the order's, from 1.
async fn wrong(t: &Dispatch, order: OrderId, rows: &[i64]) -> Vec<(usize, Wrong)> {
    let found = verified(t).await.findings;
    assert!(found.iter().all(|finding| finding.order == order), "{found:?}");
    let place =
        |row: Option<i64>| row.and_then(|row| rows.iter().position(|known| *known == row)).map_or(0, |at| at + 1);
    found.into_iter().map(|finding| (place(finding.row), finding.wrong)).collect()
}

async fn rows(t: &Dispatch, order: OrderId) -> Vec<i64> {
    t.one("SELECT array_agg(id ORDER BY id) FROM order_status_history WHERE order_id = $1", &[&order.0]).await
}

/// An order that was taken and is being worked on: three changes.
async fn at_work(t: &Dispatch) -> OrderId {
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.tap_accept(ANNA, order).await;
    for step in ["enr", "wrk"] {
        t.let_pass(5);
        t.chat(ANNA).tap(&format!("m:act:{step}:{order}")).await;
    }
    assert_eq!(t.status(order).await, "WORKING");
    order
}

/// The standing clock at some minutes past the next midnight, by UTC.
fn next_day(t: &Dispatch, minutes: i64) {
    let now = t.clock.now().expect("a standing clock").to_zoned(TimeZone::UTC);
    let midnight = now.date().tomorrow().expect("a day").to_zoned(TimeZone::UTC).expect("a time");
    t.clock.set(midnight.checked_add(minutes.minutes()).expect("a time").timestamp());
}

/// A day ends, and its root is made.
async fn day_ends(t: &Dispatch) {
    next_day(t, 6);
    t.tick().await;
    t.let_pass(61);
    others_are_done(t).await;
    t.tick().await;
}

/// Waits until every transaction has ended that had begun when a root was opened, also in the databases of other tests.
async fn others_are_done(t: &Dispatch) {
    let done =
        "SELECT coalesce(bool_and(root IS NOT NULL OR settled_by <= pg_snapshot_xmin(pg_current_snapshot())), true)
                FROM history_roots";
    let wait = async {
        while !t.one::<bool>(done, &[]).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("they end");
}

fn seals_in(chat: &Chat) -> Vec<String> {
    let messages = chat.messages();
    messages.iter().map(|message| message.text.clone()).filter(|text| text.contains("опечатана")).collect()
}

#[tokio::test]
async fn whoever_tampers_with_a_row_is_found_out_and_the_row_is_named() {
    let t = Dispatch::with_standing_clock(0).await;
    let (sound, order) = (at_work(&t).await, at_work(&t).await);
    fits(&t).await;
    let ids = rows(&t, order).await;
    let [first, second, third] = ids[..] else { panic!("{ids:?}") };
    let other = |status: &str, last: &str| Wrong::OtherStatus { status: status.to_owned(), last: last.to_owned() };
    let follows = |previous: &str| Wrong::DoesNotFollow { previous: previous.to_owned() };
    let cases = [
        (format!("UPDATE order_status_history SET reason = 'x' WHERE id = {second}"), (2, Wrong::Changed)),
        (format!("UPDATE order_status_history SET reason = '' WHERE id = {first}"), (1, Wrong::Changed)),
        (format!("UPDATE order_status_history SET context = '{{}}' WHERE id = {first}"), (1, Wrong::Changed)),
        (format!("UPDATE order_status_history SET changed_by_master_id = 2 WHERE id = {third}"), (3, Wrong::Changed)),
        (
            format!(
                "UPDATE order_status_history SET created_at = created_at + interval '1 microsecond' WHERE id = {third}"
            ),
            (3, Wrong::Changed),
        ),
        (format!("UPDATE order_status_history SET seal = sha256('x') WHERE id = {second}"), (2, Wrong::Changed)),
        (format!("UPDATE order_status_history SET seal = NULL WHERE id = {second}"), (2, Wrong::NotSealed)),
        (format!("DELETE FROM order_status_history WHERE id = {first}"), (2, Wrong::MissingBefore)),
        (format!("DELETE FROM order_status_history WHERE id = {second}"), (3, Wrong::MissingBefore)),
        (format!("DELETE FROM order_status_history WHERE id = {third}"), (2, other("WORKING", "EN_ROUTE"))),
        (
            format!("DELETE FROM order_status_history WHERE order_id = {order}"),
            (0, Wrong::Counted { changes: 3, rows: 0 }),
        ),
        (format!("UPDATE orders SET status = 'EN_ROUTE' WHERE id = {order}"), (3, other("EN_ROUTE", "WORKING"))),
        // Sealed by the database, as every row is; but it tells of nothing that has happened.
        (
            format!(
                "INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
                 VALUES ({order}, 'PAYMENT', 'WORKING', 'SYSTEM')"
            ),
            (0, follows("WORKING")),
        ),
        (
            format!(
                "INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
                 VALUES ({order}, 'WORKING', 'WORKING', 'SYSTEM')"
            ),
            (0, Wrong::Counted { changes: 3, rows: 4 }),
        ),
    ];
    for (tampering, named) in cases {
        let before = "CREATE TABLE kept AS SELECT * FROM order_status_history; CREATE TABLE was AS SELECT id, status FROM orders";
        t.sql.batch_execute(before).await.expect("a copy");
        t.execute(&tampering, &[]).await;
        assert_eq!(wrong(&t, order, &ids).await, [named], "{tampering}");
        // With their seals, as a dump is restored.
        let after =
            "DELETE FROM order_status_history; INSERT INTO order_status_history SELECT * FROM kept ORDER BY random();
                     UPDATE orders SET status = was.status FROM was WHERE was.id = orders.id; DROP TABLE kept, was";
        t.sql.batch_execute(after).await.expect("the copy");
        fits(&t).await;
    }
    assert_eq!(rows(&t, sound).await.len(), 3);
}

/// Beside the rows themselves: whose the order is, and what its client paid.
#[tokio::test]
async fn a_master_or_a_sum_that_was_changed_by_hand_is_found_out() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = at_work(&t).await;
    let ids = rows(&t, order).await;
    t.execute("UPDATE orders SET assigned_master_id = 2 WHERE id = $1", &[&order.0]).await;
    let other = Wrong::OtherMaster { master: Some(MasterId(2)), last: Some(MasterId(1)) };
    assert_eq!(wrong(&t, order, &ids).await, [(3, other)]);
    let said = program(&t, &[]).await.1;
    assert!(said.contains("by the history the order is with master 1, but it is with master 2"), "{said}");
    t.execute("UPDATE orders SET assigned_master_id = 1 WHERE id = $1", &[&order.0]).await;

    let chat = t.chat(ANNA);
    t.let_pass(5);
    chat.tap(&format!("m:act:cls_yes:{order}")).await;
    t.answer(&chat, "2500").await;
    assert_eq!(t.status(order).await, "CLOSED");
    fits(&t).await;
    let ids = rows(&t, order).await;
    t.execute("UPDATE orders SET final_amount = 25 WHERE id = $1", &[&order.0]).await;
    let other = Wrong::OtherAmount { amount: Some("25.00".to_owned()), last: "2500.00".to_owned() };
    assert_eq!(wrong(&t, order, &ids).await, [(ids.len(), other)]);
    let said = program(&t, &[]).await.1;
    assert!(said.contains("closes the order for 2500.00, but its sum is 25.00"), "{said}");
    t.execute("UPDATE orders SET final_amount = 2500 WHERE id = $1", &[&order.0]).await;

    chat.press("Исправить сумму").await;
    chat.say("3000").await;
    chat.press("Да, исправить").await;
    let report = verified(&t).await;
    assert!(report.fits() && report.corrected == 1, "as its master may: {report:#?}");
    t.execute("UPDATE orders SET final_amount = 2500 WHERE id = $1", &[&order.0]).await;
    fits(&t).await;
}

/// What a chain does not show: its end is cut off and the order with it, or all of it is sealed anew.
#[tokio::test]
async fn what_fits_itself_does_not_fit_the_day_s_root() {
    let t = Dispatch::with_standing_clock(0).await;
    let (order, gone) = (at_work(&t).await, at_work(&t).await);
    day_ends(&t).await;
    let report = verified(&t).await;
    assert_eq!(report.roots.len(), 2, "one of before, and the day's: {report:#?}");
    assert!(report.fits() && report.roots[1].0.changes == 6, "{report:#?}");
    let ids = rows(&t, order).await;
    let judged = async || verified(&t).await.roots.pop().expect("a root").1;

    let cut = format!(
        "BEGIN; DELETE FROM order_status_history WHERE id = {}; UPDATE orders SET status = 'EN_ROUTE', version = 3 WHERE id = {order}",
        ids[2]
    );
    for (tampering, named) in [
        (cut, RootWrong::Missing(1)),
        (
            format!(
                "BEGIN; DELETE FROM order_status_history WHERE order_id = {gone}; UPDATE orders SET status = 'SEARCHING', version = 1
                 WHERE id = {gone}"
            ),
            RootWrong::Missing(3),
        ),
        (
            format!(
                "BEGIN; UPDATE order_status_history SET reason = 'x' WHERE order_id = {order};
                 {RESEAL}"
            ),
            RootWrong::Changed,
        ),
        (
            "BEGIN; UPDATE history_roots SET changes = changes - 1 WHERE day = (SELECT max(day) FROM history_roots)".to_owned(),
            RootWrong::NotChained,
        ),
        (
            "BEGIN; DELETE FROM history_roots WHERE day = (SELECT min(day) FROM history_roots)".to_owned(),
            RootWrong::NotChained,
        ),
    ] {
        let backup = "CREATE TABLE kept AS SELECT * FROM order_status_history; CREATE TABLE was AS SELECT * FROM orders;
                      CREATE TABLE made AS SELECT * FROM history_roots";
        t.sql.batch_execute(backup).await.expect("a copy");
        t.sql.batch_execute(&format!("{tampering}; COMMIT")).await.expect("tampering");
        let report = verified(&t).await;
        assert_eq!(report.wrong, 0, "every chain fits itself: {report:#?}");
        assert_eq!(judged().await, Err(named), "{tampering}");
        let restored = "DELETE FROM order_status_history; INSERT INTO order_status_history SELECT * FROM kept;
                        UPDATE orders SET status = was.status, version = was.version FROM was WHERE was.id = orders.id;
                        DELETE FROM history_roots; INSERT INTO history_roots SELECT * FROM made; DROP TABLE kept, was, made";
        t.sql.batch_execute(restored).await.expect("the copy");
        fits(&t).await;
    }
}

/// Orders that are over are deleted in the end, if a policy says so. Their seals stay: nobody else's row goes with them unseen.
#[tokio::test]
async fn what_retention_deletes_leaves_the_rest_of_its_day_sealed() {
    let t = Dispatch::with_standing_clock(0).await;
    let (kept, gone) = (at_work(&t).await, at_work(&t).await);
    t.add_staff(500).await;
    t.cancel(gone, "передумал").await;
    assert_eq!(t.status(gone).await, "CANCELED");
    day_ends(&t).await;
    let judged = async || verified(&t).await.roots.pop().expect("a root").1;
    t.execute("UPDATE orders SET updated_at = $1", &[&t.clock.now()]).await;
    t.let_pass(60 * 24 * 3600);
    t.execute("INSERT INTO dispatch_policies (keep_finished_days) VALUES (30)", &[]).await;
    PURGE.run(&t.app.store, &[], &mut Swept::default()).await.expect("a database");
    let (left, purged): (Vec<i64>, i64) =
        (t.one("SELECT array_agg(id) FROM orders", &[]).await, t.one("SELECT count(*) FROM history_purged", &[]).await);
    assert_eq!((left, purged), (vec![kept.0], 4));
    // The program has no clock of ours.
    t.execute("UPDATE history_roots SET closed_at = closed_at - interval '100 days'", &[]).await;
    assert_eq!(judged().await, Ok(Covered::Purged(4)));
    let (output, said) = program(&t, &[]).await;
    assert!(output.status.success() && said.contains("of 4 the seal alone is left"), "{said}");

    // What somebody else changes or deletes of that day, or of what was kept of it.
    let seals = "UPDATE history_purged SET seal = sha256('x') WHERE id = (SELECT min(id) FROM history_purged)";
    let anew = format!("UPDATE order_status_history SET reason = 'x'; {RESEAL}");
    let whole = "DELETE FROM order_status_history; UPDATE orders SET version = 1, status = 'SEARCHING'";
    for (tampering, named) in [
        (seals, RootWrong::Changed),
        (anew.as_str(), RootWrong::Changed),
        (whole, RootWrong::Missing(3)),
        ("DELETE FROM history_purged", RootWrong::Missing(4)),
    ] {
        t.sql.batch_execute("CREATE TABLE was AS SELECT * FROM order_status_history; CREATE TABLE lost AS SELECT * FROM history_purged").await.expect("a copy");
        t.sql.batch_execute(tampering).await.expect("tampering");
        assert_eq!(judged().await, Err(named), "{tampering}");
        let restored = "DELETE FROM order_status_history; INSERT INTO order_status_history SELECT * FROM was;
                        DELETE FROM history_purged; INSERT INTO history_purged SELECT * FROM lost; DROP TABLE was, lost";
        t.sql.batch_execute(restored).await.expect("the copy");
    }
    // Of roots from before seals were kept nobody can say it, and that is said.
    t.execute("UPDATE history_roots SET purges_are_kept = false", &[]).await;
    t.execute("DELETE FROM history_purged", &[]).await;
    assert_eq!(judged().await, Ok(Covered::Unknown(4)));
    let (_, said) = program(&t, &["--days", "0"]).await;
    assert!(said.contains("CANNOT BE VERIFIED: 4 are deleted"), "{said}");
    // And nothing so young is old enough.
    t.execute("UPDATE history_roots SET closed_at = $1", &[&t.clock.now()]).await;
    assert_eq!(judged().await, Err(RootWrong::Missing(4)));
}

/// The database seals what is inserted in whatever session, also by a release that knows of no seals.
#[tokio::test]
async fn every_row_is_sealed_whoever_inserts_it() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = t.order().create().await;
    let by_hand = t.colleague().await;
    by_hand
        .batch_execute(&format!(
            "SET timezone = 'Asia/Kamchatka'; SET datestyle = 'German'; SET extra_float_digits = -15; SET bytea_output = 'escape'; SET search_path = pg_catalog;
             INSERT INTO public.order_status_history (order_id, from_status, to_status, actor_type, reason, context)
             VALUES ({order}, 'SEARCHING', 'CANCELED', 'ADMIN', 'кавычка \", обратная \\ и перенос
', '{{\"a\": 1.50, \"б\": [null, \"\\u0001\"]}}'), ({order}, 'CANCELED', 'SEARCHING', 'SYSTEM', NULL, '{{}}');
             RESET search_path; UPDATE orders SET version = 3 WHERE id = {order}"
        ))
        .await
        .expect("two changes");
    let sealed: i64 = t.one("SELECT count(DISTINCT seal) FROM order_status_history", &[]).await;
    assert_eq!(sealed, 2);
    fits(&t).await;
}

/// Rows from before there were seals: the jobs seal them, what is added meanwhile waits, and the first root covers them all.
#[tokio::test]
async fn what_was_there_before_is_sealed_by_the_jobs() {
    let t = Dispatch::with_standing_clock(0).await;
    let admin = t.add_staff_as(600, "ADMIN", &[]).await;
    t.execute("ALTER TABLE order_status_history DISABLE TRIGGER seal_history", &[]).await;
    let (order, other) = (at_work(&t).await, at_work(&t).await);
    t.execute("ALTER TABLE order_status_history ENABLE TRIGGER seal_history", &[]).await;
    t.execute(
        "UPDATE history_roots SET up_to = (SELECT max(id) FROM order_status_history), settled_by = pg_snapshot_xmax(pg_current_snapshot()),
                opened_at = $1, changes = NULL, digest = NULL, root = NULL, closed_at = NULL",
        &[&t.clock.now()],
    )
    .await;
    let new = at_work(&t).await;
    t.let_pass(5);
    t.chat(ANNA).tap(&format!("m:act:cls_yes:{order}")).await;
    let unsealed = async || -> Vec<i64> {
        t.one("SELECT coalesce(array_agg(DISTINCT order_id ORDER BY order_id), '{}') FROM order_status_history WHERE seal IS NULL", &[])
            .await
    };
    assert_eq!(unsealed().await, [order.0, other.0], "not the new one");
    let report = verified(&t).await;
    assert!(report.fits() && report.roots.is_empty(), "{report:#?}");
    assert_eq!((report.unsealed, report.changes), (7, 10));
    t.tick().await;
    assert_eq!(unsealed().await, [0; 0]);
    t.let_pass(61);
    others_are_done(&t).await;
    t.tick().await;
    let report = verified(&t).await;
    assert!(report.fits() && report.unsealed == 0, "{report:#?}");
    assert_eq!(report.roots.len(), 1);
    assert_eq!(report.roots[0].0.changes, 6, "what is newer is the next one's: {report:#?}");
    t.tell().await;
    assert_eq!(seals_in(&admin).len(), 1, "{:?}", seals_in(&admin));
    // Nobody seals what somebody else unseals.
    t.execute("UPDATE order_status_history SET seal = NULL WHERE order_id = $1", &[&new.0]).await;
    t.tick().await;
    assert_eq!(unsealed().await, [new.0]);
    assert_eq!(verified(&t).await.findings.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_the_same_moment_leave_an_unbroken_chain() {
    let t = Dispatch::start().await;
    let masters: Vec<i64> = (2000..2006).collect();
    for master in &masters {
        t.add_master(*master, "Мастер").await;
    }
    t.execute("UPDATE masters SET max_active_orders = 100", &[]).await;
    t.add_staff(500).await;
    for _ in 0..6 {
        let orders = join_all((0..4).map(|_| t.order().offered_to(masters.clone()))).await;
        let taps = orders.iter().flat_map(|order| masters.iter().map(|master| t.tap_accept(*master, *order)));
        let canceled = join_all(orders.iter().map(|order| t.cancel(*order, "передумал")));
        let taken = join_all(orders.iter().map(|order| t.take_back(*order, "не едет")));
        tokio::join!(join_all(taps), taken, canceled);
    }
    t.check().await;
    let report = verified(&t).await;
    assert!(report.fits() && report.changes >= 24, "{report:#?}");
}

/// Who gave an order back may correct the reason for a quarter of an hour; what was said first is sealed, and stays known.
#[tokio::test]
async fn a_corrected_reason_is_no_tampering_and_a_changed_one_is() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = at_work(&t).await;
    let chat = t.chat(ANNA);
    t.let_pass(5);
    chat.tap(&format!("m:act:ret:{order}")).await;
    let reason = chat.text_update("Заболела");
    let id = reason["message"]["message_id"].as_i64().and_then(|id| id.try_into().ok()).expect("an id");
    chat.deliver(reason).await;
    chat.press("Да, вернуть").await;
    for corrected in ["Заболела я", "Заболел ребёнок"] {
        t.let_pass(1);
        chat.deliver(chat.edit_update(id, corrected)).await;
    }
    let now: String = t.one("SELECT reason FROM order_status_history ORDER BY id DESC LIMIT 1", &[]).await;
    assert_eq!(now, "Заболел ребёнок");
    let report = verified(&t).await;
    assert!(report.fits() && report.corrected == 1, "{report:#?}");
    let row = rows(&t, order).await.pop().expect("a row");
    let named = format!("order {order}, row {row}: its reason or sum was corrected");
    let (_, said) = program(&t, &[]).await;
    assert!(said.contains("1 reason or sum was corrected") && !said.contains(&named), "{said}");
    let (output, said) = program(&t, &["--corrected"]).await;
    assert!(output.status.success() && said.contains(&named), "{said}");

    t.execute("UPDATE order_status_history SET reason = 'Украла инструмент' WHERE reason IS NOT NULL", &[]).await;
    let found = verified(&t).await.findings;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].wrong, Wrong::Changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_day_s_root_goes_to_the_admins_once() {
    let t = Dispatch::with_standing_clock(0).await;
    let admin = t.add_staff_as(600, "ADMIN", &[]).await;
    let (dispatcher, viewer) = (t.add_staff(500).await, t.add_staff_as(501, "VIEWER", &[]).await);
    let gone = t.add_staff_as(601, "ADMIN", &[]).await;
    t.execute("UPDATE staff SET is_active = false WHERE telegram_user_id = 601", &[]).await;
    at_work(&t).await;
    next_day(&t, 2);
    t.tick().await;
    let roots = async || -> i64 { t.one("SELECT count(*) FROM history_roots WHERE root IS NOT NULL", &[]).await };
    assert_eq!(roots().await, 1, "the day has hardly ended");
    let other = t.restarted().await;
    for _ in 0..2 {
        t.let_pass(5 * 60);
        let (one, two) = (t.app.jobs(), other.app.jobs());
        let (one, two) = tokio::join!(one.pass(), two.pass());
        assert!(one.is_ok() && two.is_ok());
    }
    assert_eq!(roots().await, 2);
    t.tell().await;
    let said = seals_in(&admin);
    assert_eq!(said.len(), 1, "{said:?}");
    let report = verified(&t).await;
    let Root { day, root, .. } = &report.roots[1].0;
    let told = format!("--root {day}={}", hex(root));
    assert!(said[0].contains(&told) && said[0].contains(&day.strftime("%d.%m.%Y").to_string()), "{said:?}");
    for chat in [dispatcher, viewer, gone] {
        assert!(seals_in(&chat).is_empty(), "{:?}", seals_in(&chat));
    }
    // A day on which nothing happened has a root too; and of days on which nothing ran there is one.
    day_ends(&t).await;
    t.let_pass(5 * 24 * 3600);
    day_ends(&t).await;
    t.tell().await;
    assert_eq!(seals_in(&admin).len(), 3);
    fits(&t).await;
}

/// Nobody may be there when a day ends, or nobody who can be reached: then it is told to the first one who is.
#[tokio::test]
async fn a_root_that_has_reached_nobody_is_sent_when_an_admin_is_there() {
    let t = Dispatch::with_standing_clock(0).await;
    at_work(&t).await;
    day_ends(&t).await;
    day_ends(&t).await;
    let sent = async || -> i64 { t.one("SELECT count(*) FROM outbox WHERE kind = 'HISTORY_ROOT'", &[]).await };
    assert_eq!(sent().await, 0, "there is no admin");

    let first = t.add_staff_as(600, "ADMIN", &[]).await;
    first.block_bot(true);
    t.tick().await;
    t.tell().await;
    assert_eq!(sent().await, 1);
    t.let_pass(2 * 3600);
    t.tick().await;
    assert_eq!(sent().await, 1, "who cannot be reached is left alone");

    let second = t.add_staff_as(601, "ADMIN", &[]).await;
    for _ in 0..2 {
        t.tick().await;
        t.tell().await;
    }
    let said = seals_in(&second);
    let root: String = t.one("SELECT encode(root, 'hex') FROM history_roots ORDER BY day DESC LIMIT 1", &[]).await;
    assert!(said.len() == 1 && said[0].contains(&root), "the newest, which covers the others: {said:?}");
    first.block_bot(false);
    first.say("/start").await;
    t.let_pass(2 * 3600);
    t.tick().await;
    t.tell().await;
    assert_eq!((sent().await, seals_in(&second).len()), (2, 1), "somebody has been told");
}

/// Every database begins with a root that is to be made: without any, somebody has taken them away.
#[tokio::test]
async fn roots_that_are_gone_are_named_and_begin_anew() {
    let t = Dispatch::with_standing_clock(0).await;
    let admin = t.add_staff_as(600, "ADMIN", &[]).await;
    at_work(&t).await;
    day_ends(&t).await;
    t.execute("DELETE FROM history_roots", &[]).await;
    let (output, said) = program(&t, &[]).await;
    assert!(!output.status.success() && said.contains("DOES NOT FIT: roots are gone"), "{said}");

    day_ends(&t).await;
    t.tell().await;
    assert_eq!(t.app.metrics.get("history", "ROOTS_GONE"), 1);
    let root: String = t.one("SELECT encode(root, 'hex') FROM history_roots", &[]).await;
    let said = seals_in(&admin);
    assert!(said.last().is_some_and(|said| said.contains(&root)), "admins are told of the new one: {said:?}");
    // It fits itself, and does not hide that there were others.
    let report = verified(&t).await;
    assert!(report.roots.iter().all(|(_, judged)| judged.is_ok()) && !report.fits(), "{report:#?}");
    let (output, said) = program(&t, &[]).await;
    assert!(!output.status.success() && said.contains("DOES NOT FIT: roots are gone"), "{said}");
}

/// A row of a transaction that was open when the day was closed is under that day's root, or the next one's, and never under
/// none.
#[tokio::test]
async fn a_change_that_is_committed_late_is_waited_for() {
    let t = Dispatch::with_standing_clock(0).await;
    let (late, order) = (t.order().create().await, t.order().create().await);
    let add = |order: OrderId| {
        format!(
            "UPDATE orders SET version = version + 1 WHERE id = {order};
             INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
             VALUES ({order}, 'SEARCHING', 'SEARCHING', 'SYSTEM')"
        )
    };
    let colleague = t.colleague().await;
    colleague.batch_execute(&format!("BEGIN; {}", add(late))).await.expect("an open transaction");
    t.sql.batch_execute(&add(order)).await.expect("a later row, committed before");
    next_day(&t, 6);
    assert_eq!(history::open_day(&t.app.store).await.expect("a database"), Opened::Next);
    assert_eq!(history::open_day(&t.app.store).await.expect("a database"), Opened::Nothing, "once");
    t.let_pass(61);
    let close = async || history::close_day(&t.app.store).await.expect("a database").closed;
    assert_eq!(close().await, None, "somebody is at work");
    colleague.batch_execute("COMMIT").await.expect("an end");
    others_are_done(&t).await;
    let closed = close().await.expect("a root");
    assert_eq!(closed.changes, 2);
    assert_eq!(close().await, None, "once");
    fits(&t).await;
}

/// A row of a number far ahead would leave nothing to later roots, once it is taken away again.
#[tokio::test]
async fn a_number_that_was_never_given_out_is_named_and_moves_no_root() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = at_work(&t).await;
    let given_out = rows(&t, order).await[2];
    for strange in ["9000000000000000000", "-5"] {
        t.execute(
            &format!(
                "INSERT INTO order_status_history (id, order_id, from_status, to_status, actor_type)
                 VALUES ({strange}, {order}, 'WORKING', 'WORKING', 'SYSTEM')"
            ),
            &[],
        )
        .await;
        let found = verified(&t).await.findings;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].row.map(|row| row.to_string()).as_deref(), Some(strange));
        assert_eq!(found[0].wrong, Wrong::NotGivenOut);
        day_ends(&t).await;
        t.execute(&format!("DELETE FROM order_status_history WHERE id = {strange}"), &[]).await;
        let up_to: i64 = t.one("SELECT up_to FROM history_roots ORDER BY day DESC LIMIT 1", &[]).await;
        assert_eq!(up_to, given_out);
        fits(&t).await;
    }
    // Such a root as an earlier release would have made.
    t.execute("SELECT setval('order_status_history_id_seq', $1)", &[&(given_out - 1)]).await;
    assert_eq!(verified(&t).await.roots.pop().map(|(_, judged)| judged), Some(Err(RootWrong::Beyond)));
}

/// A first root over millions of rows would take longer than a statement may: what has been digested is kept.
#[tokio::test]
async fn a_root_over_many_rows_is_made_in_steps() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = t.order().create().await;
    let spread = format!(
        "INSERT INTO order_status_history (id, order_id, from_status, to_status, actor_type)
         SELECT n * 65536 + 5, {order}, 'SEARCHING', 'SEARCHING', 'SYSTEM' FROM generate_series(1, 17) AS n;
         SELECT setval('order_status_history_id_seq', 17 * 65536 + 9);
         UPDATE orders SET version = 18 WHERE id = {order}"
    );
    t.sql.batch_execute(&spread).await.expect("rows far apart");
    next_day(&t, 6);
    assert_eq!(history::open_day(&t.app.store).await.expect("a database"), Opened::Next);
    t.let_pass(61);
    let close =
        async || history::close_day(&t.app.store).await.expect("a database").closed.map(|closed| closed.changes);
    let blocks = async || -> i64 { t.one("SELECT count(*) FROM history_blocks", &[]).await };
    others_are_done(&t).await;
    assert_eq!((close().await, blocks().await), (None, 16));
    assert_eq!((close().await, blocks().await), (Some(17), 0));
    fits(&t).await;
}

/// A test's pause seals everything anew, and must not hide what was sealed wrongly.
#[tokio::test]
#[should_panic = "the database has sealed a row wrongly"]
async fn a_pause_does_not_hide_a_wrong_seal() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;
    t.pause().await;
    t.execute("UPDATE order_status_history SET seal = sha256('x')", &[]).await;
    t.pause().await;
}

async fn program(t: &Dispatch, more: &[&str]) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command
        .arg("verify")
        .args(more)
        .current_dir(BARE_FOLDER)
        .env_clear()
        .env("DATABASE_URL", &t.database_url)
        .kill_on_drop(true);
    let output = command.output().await.expect("the program runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_it_found_and_fails_if_something_does_not_fit() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = at_work(&t).await;
    day_ends(&t).await;
    let root: String = t.one("SELECT encode(root, 'hex') FROM history_roots ORDER BY day DESC LIMIT 1", &[]).await;
    let (output, said) = program(&t, &[]).await;
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 orders with 3 changes: 0 do not fit") && said.contains(&root), "{said}");
    let (_, said) = program(&t, &["--days", "0"]).await;
    assert!(!said.contains(&root), "{said}");

    // As an admin was told.
    let day: String = t.one("SELECT max(day)::text FROM history_roots", &[]).await;
    let (told, other) = (format!("{day}={root}"), format!("{day}={}", "0".repeat(64)));
    let gone = format!("2020-02-02={root}");
    let (output, said) = program(&t, &["--root", &told]).await;
    assert!(output.status.success() && said.contains("is the one that was told"), "{said}");
    for (wrong, why) in
        [(&other, "is not the one that was told"), (&gone, "there is none: it was taken away, or told of another day")]
    {
        let (output, said) = program(&t, &["--root", &told, "--root", wrong]).await;
        assert!(!output.status.success() && said.contains(why), "{said}");
    }
    let (output, said) = program(&t, &["--root", "yesterday"]).await;
    assert!(!output.status.success() && said.contains("2026-11-29=5f0c…"), "{said}");

    let ids = rows(&t, order).await;
    t.execute("UPDATE order_status_history SET actor_type = 'ADMIN' WHERE id = $1", &[&ids[1]]).await;
    t.execute("UPDATE history_roots SET up_to = up_to + 1", &[]).await;
    let (output, said) = program(&t, &["--days", "0"]).await;
    assert!(!output.status.success(), "{said}");
    assert!(said.contains(&format!("order {order}, row {}: was changed", ids[1])), "{said}");
    assert!(said.contains("DOES NOT FIT") && said.contains("error: "), "{said}");
    assert!(!said.contains("Мария") && !said.contains("7999"), "nobody's data: {said}");
}

/// Constant memory, and a million orders in minutes: here so many that several batches are read.
#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_orders_are_verified_in_batches() {
    let t = Dispatch::start().await;
    t.execute(
        "WITH made AS (
             INSERT INTO orders (city_id, category, status, address, client_name, client_phone, version)
             SELECT 1, 'WINDOWS', 'CANCELED', 'адрес', 'клиент', '+7', 3 FROM generate_series(1, 5000) RETURNING id
         )
         INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
         SELECT id, (ARRAY['CREATED', 'SEARCHING'])[n], (ARRAY['SEARCHING', 'CANCELED'])[n], 'SYSTEM'
         FROM made, generate_series(1, 2) AS n ORDER BY n, id DESC",
        &[],
    )
    .await;
    let report = verified(&t).await;
    assert!(report.fits(), "{:?}", report.findings);
    assert_eq!((report.orders, report.changes), (5000, 10_000));
    t.execute("UPDATE order_status_history SET reason = 'x' WHERE order_id % 100 = 0", &[]).await;
    let report = verified(&t).await;
    assert_eq!((report.wrong, report.findings.len()), (50, verify::NAMED));
}
