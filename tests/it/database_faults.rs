//! The database stalls, hangs up or comes back: nothing is lost, nothing is done twice, and the status tells Telegram
//! the right thing.

use std::time::Duration;

use field_service::sim::proxy::Proxy;

use crate::harness::{ANNA, BORIS, Dispatch, METRICS_TOKEN, Settings, a_tap, database_name, master, proxied_database};

async fn behind_a_proxy(connections: usize) -> (Dispatch, Proxy) {
    let (database_url, proxy) = proxied_database().await;
    let through_proxy = proxy.database_url(database_name(&database_url));
    let settings = Settings { connections, database_url: Some(through_proxy), ..Settings::default() };
    (Dispatch::start_on(database_url, settings).await, proxy)
}

#[tokio::test]
async fn an_accept_with_its_fresh_list_is_two_round_trips() {
    let (t, proxy) = behind_a_proxy(1).await;
    let first = t.order().offered_to([ANNA]).await;
    let second = t.order().offered_to([ANNA, BORIS]).await;
    t.tap_accept(ANNA, first).await;

    // Reading what is counted takes some too, always as many.
    let (one, other) = (counted_round_trips(&t).await, counted_round_trips(&t).await);
    let reading = other - one;
    for (user, order) in [(ANNA, second), (ANNA, second), (BORIS, second)] {
        let counted = counted_round_trips(&t).await + reading;
        let before = proxy.round_trips();
        t.tap_accept(user, order).await;
        assert_eq!(proxy.round_trips() - before, 2, "for the winner, again, and for the loser");
        assert_eq!(counted_round_trips(&t).await - counted, 2, "Prometheus is told the same");
    }
}

/// The round trips that Prometheus is told of.
async fn counted_round_trips(t: &Dispatch) -> u64 {
    let metrics = t.holding(METRICS_TOKEN).get("/metrics").await.text;
    let trips = metrics.lines().filter_map(|line| line.strip_prefix("field_service_round_trips_total{"));
    trips.map(|line| line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok()).expect("a count")).sum()
}

#[tokio::test]
async fn while_the_database_is_away_telegram_is_told_to_come_again_and_the_first_tap_after_it_succeeds() {
    let (t, proxy) = behind_a_proxy(4).await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.chat(BORIS).tap("m:new").await;

    proxy.cut();
    let tap = t.tap_accept(ANNA, order).await;
    assert_eq!((tap.delivery.status, tap.answers.len()), (Some(503), 0));
    assert_eq!(t.chat(ANNA).say("/start").await.status, Some(503));

    proxy.restore();
    assert!(t.chat(ANNA).deliver(tap.update).await.notice().contains("принята"));
    assert_eq!(t.owner(order).await, Some(ANNA));
    t.check().await;
}

#[tokio::test]
async fn connections_that_died_unnoticed_cost_nobody_a_tap() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    for _ in 0..3 {
        t.chat(ANNA).tap("m:new").await;
    }
    t.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'field-service'",
        &[],
    )
    .await;

    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
}

/// Whatever moment the connection dies in: the redelivery ends in one owner, told so.
#[tokio::test]
async fn a_connection_cut_at_any_moment_of_an_accept_loses_nothing() {
    let (t, proxy) = behind_a_proxy(1).await;
    for moment in 0..12_u32 {
        let order = t.order().offered_to([ANNA, BORIS]).await;
        t.chat(ANNA).tap("m:new").await;
        let chat = t.chat(ANNA);
        let update = chat.tap_update(&format!("m:new:acc:{order}"));
        let (first, ()) = tokio::join!(chat.deliver(update.clone()), async {
            proxy.next_request().await;
            for _ in 0..moment * 3 {
                tokio::task::yield_now().await;
            }
            proxy.cut();
        });
        proxy.restore();
        let last = if first.delivery.status == Some(200) { first } else { chat.deliver(update).await };

        assert_eq!(last.delivery.status, Some(200));
        let said = last.notice();
        assert!(said.contains("принята") || said.contains("уже ваша"), "{said}");
        assert_eq!(t.owner(order).await, Some(ANNA));
        t.check().await;
        t.execute("UPDATE orders SET status = 'CLOSED', version = version + 1 WHERE id = $1", &[&order.0]).await;
        t.execute(
            "INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
             VALUES ($1, 'ASSIGNED', 'CLOSED', 'SYSTEM')",
            &[&order.0],
        )
        .await;
    }
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_not_waited_for_for_ever() {
    let (t, proxy) = behind_a_proxy(1).await;
    let order = t.order().offered_to([ANNA]).await;
    t.chat(ANNA).tap("m:new").await;

    proxy.silence();
    let tap = t.tap_accept(ANNA, order).await;
    assert_eq!(tap.delivery.status, Some(503));
    assert!(tap.delivery.took < Duration::from_secs(30), "inside Telegram's minute: {:?}", tap.delivery.took);

    proxy.restore();
    t.chat(ANNA).deliver(tap.update).await;
    assert_eq!(t.owner(order).await, Some(ANNA));
    assert!(t.chat(ANNA).screen().contains("+79990001122"), "{}", t.chat(ANNA).screen());
    t.check().await;
}

#[tokio::test]
async fn a_deadlock_is_tried_once_more() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.execute("CREATE SEQUENCE attempts", &[]).await;
    t.sql
        .batch_execute(
            "CREATE FUNCTION deadlock_once() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF nextval('attempts') = 1 THEN
                     RAISE EXCEPTION 'chosen as the victim' USING ERRCODE = '40P01';
                 END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER deadlock_once BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION deadlock_once();",
        )
        .await
        .expect("a trigger");

    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
    t.check().await;
}

/// Somebody at the database's prompt holds no order's lock.
#[tokio::test]
async fn a_change_without_the_orders_lock_is_looked_at_again() {
    let t = Dispatch::start().await;
    t.sql
        .batch_execute(
            "CREATE SEQUENCE changes;
             CREATE FUNCTION is_changed_once() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RETURN CASE WHEN nextval('changes') > 1 THEN NEW END; END $$;
             CREATE TRIGGER is_changed_once BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION is_changed_once()",
        )
        .await
        .expect("a trigger");
    let order = t.order().offered_to([ANNA]).await;
    t.chat(ANNA).say("/start").await;
    let tap = t.tap_accept(ANNA, order).await;
    assert!(tap.notice().contains("принята"), "{}", tap.notice());
    assert_eq!((t.owner(order).await, t.app.metrics.get("look_again", "ACCEPT")), (Some(ANNA), 1));
    // And when it never works.
    let never =
        "CREATE OR REPLACE FUNCTION is_changed_once() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'";
    t.sql.batch_execute(never).await.expect("a trigger");
    let other = t.order().offered_to([ANNA]).await;
    let tap = t.tap_accept(ANNA, other).await;
    assert!(tap.notice().contains("работает кто-то ещё"), "{}", tap.notice());
    assert_eq!(t.owner(other).await, None);
}

/// SQLSTATE and what becomes of the update: Telegram sends it again only where that can help.
#[tokio::test]
async fn each_class_of_failure_has_its_status() {
    let t = Dispatch::start().await;
    t.execute("CREATE TABLE fault (state text)", &[]).await;
    t.sql
        .batch_execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
             DECLARE code text;
             BEGIN
                 SELECT state INTO code FROM fault;
                 IF code IS NOT NULL THEN RAISE EXCEPTION 'told to fail' USING ERRCODE = code; END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER fail BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION fail();",
        )
        .await
        .expect("a trigger");
    for (state, status) in [
        ("57P03", 503),
        ("57P01", 503),
        ("55000", 503),
        ("53300", 503),
        ("40001", 503),
        ("25006", 503),
        ("08006", 503),
        ("23514", 200),
        ("22021", 200),
        ("42P01", 503),
        ("P0001", 200),
    ] {
        let order = t.order().offered_to([ANNA]).await;
        t.execute("DELETE FROM fault", &[]).await;
        t.execute("INSERT INTO fault VALUES ($1)", &[&state]).await;
        assert_eq!(t.tap_accept(ANNA, order).await.delivery.status, Some(status), "{state}");
        assert_eq!(t.status(order).await, "SEARCHING");
    }
    for state in ["55P03", "57014"] {
        let order = t.order().offered_to([ANNA]).await;
        t.execute("UPDATE fault SET state = $1", &[&state]).await;
        assert!(t.tap_accept(ANNA, order).await.notice().contains("ещё раз"), "{state}");
    }
    t.check().await;
}

#[tokio::test]
async fn an_error_does_not_quote_the_row() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.execute("ALTER TABLE orders ADD CONSTRAINT never CHECK (status <> 'ASSIGNED') NOT VALID", &[]).await;

    let error = field_service::dispatch::accept::accept(&t.app.store, order, master(ANNA), Some(&a_tap()), 1)
        .await
        .expect_err("a refusal");

    assert!(error.to_string().contains("never") && error.to_string().contains("23514"), "{error}");
    assert!(!error.to_string().contains("+7999"), "{error}");
}

/// The list is a statement of its own, after the commit: whatever becomes of it, the outcome stands and is told.
#[tokio::test]
async fn a_list_that_cannot_be_read_takes_nothing_from_a_committed_accept() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    // Another order is in a city whose time zone PostgreSQL no longer knows.
    let other = t.order().offered_to([ANNA]).await;
    t.sql
        .batch_execute(
            "ALTER TABLE cities DROP CONSTRAINT cities_timezone_exists;
             ALTER TABLE cities DISABLE TRIGGER show_city_timezone;
             INSERT INTO cities (name, timezone, shown_timezone) VALUES ('Олимп', 'Mars/Olympus', 'Mars/Olympus')",
        )
        .await
        .expect("a city");
    t.execute("UPDATE orders SET city_id = (SELECT max(id) FROM cities) WHERE id = $1", &[&other.0]).await;
    t.chat(ANNA).say("/start").await;

    let tap = t.tap_accept(ANNA, order).await;

    assert_eq!(tap.delivery.status, Some(200));
    assert!(tap.notice().contains("принята"), "{}", tap.notice());
    assert!(t.chat(ANNA).screen().contains("+79990001122"), "{}", t.chat(ANNA).screen());
    assert_eq!(t.app.metrics.get("offer_accept", "SUCCESS"), 1);
}

#[tokio::test]
async fn a_connection_that_cannot_be_had_says_why() {
    for (url, why) in [
        ("host=127.0.0.1 port=1 user=x dbname=y", "refused"),
        ("host=/nowhere user=x dbname=y", "No such file"),
        ("host=no-such-host.invalid user=x dbname=y", "lookup"),
    ] {
        let config = field_service::config::Database::from_url(url).expect("a URL");
        let error = field_service::store::migrate::run(&config).await.expect_err("no server").to_string();
        assert!(error.starts_with("connecting to PostgreSQL: ") && error.contains(why), "{error}");
        let store =
            field_service::store::Store::new(&config, 1, field_service::store::Clock::default()).expect("a pool");
        let error = store.ping().await.expect_err("no server").to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn without_a_deadline_an_offer_is_shown_and_taken_like_any_other() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.execute("UPDATE offers SET expires_at = 'infinity'", &[]).await;
    let chat = t.chat(ANNA);

    chat.tap("m:new").await;
    chat.press(&format!("№{order}")).await;
    assert!(chat.press("Взять заявку").await.notice().contains("принята"));
}

#[tokio::test]
async fn looking_at_a_card_waits_for_nobody() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let sweep = t.colleague().await;
    sweep.batch_execute("BEGIN; SELECT FROM offers FOR UPDATE").await.expect("a lock");

    let tap = t.chat(ANNA).tap(&format!("m:new:card:{order}")).await;

    assert_eq!(tap.delivery.status, Some(200));
    assert!(t.chat(ANNA).screen().contains("ул. Ленина, 5"), "{}", t.chat(ANNA).screen());
    assert_eq!(t.offer_state(order, ANNA).await, "SENT", "left to the next look");
}

/// A session that was begun on a standby, or before a column changed its type, is of no more use; the next one is.
#[tokio::test]
async fn a_session_of_no_more_use_costs_nobody_a_tap() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let warm = || {
        futures_util::future::join_all(
            (0..10).map(|_| async { t.chat(ANNA).tap(&format!("m:new:card:{order}")).await }),
        )
    };
    t.sql
        .batch_execute(&format!(
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            database_name(&t.database_url)
        ))
        .await
        .expect("a standby");
    warm().await;
    t.sql
        .batch_execute(&format!(
            "ALTER DATABASE {} RESET default_transaction_read_only",
            database_name(&t.database_url)
        ))
        .await
        .expect("a primary");
    t.execute("UPDATE offers SET state = 'SENT'", &[]).await;

    assert_eq!(t.chat(ANNA).tap(&format!("m:new:card:{order}")).await.delivery.status, Some(200));
    assert_eq!(t.offer_state(order, ANNA).await, "VIEWED");

    warm().await;
    t.execute("ALTER TABLE cities ALTER name TYPE varchar(1000)", &[]).await;
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
}

/// Somebody holds a whole table, say a migration: a tap is told so, and is over.
#[tokio::test]
async fn a_tap_that_meets_a_locked_table_is_told_to_try_again() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let own = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    let colleague = t.colleague().await;
    for table in ["orders", "offers", "masters"] {
        colleague.batch_execute(&format!("BEGIN; LOCK TABLE {table}")).await.expect("a lock");
        let taps = [
            "m:new".to_owned(),
            format!("m:new:card:{order}"),
            format!("m:new:acc:{order}"),
            format!("m:new:dec_yes:{order}"),
            format!("m:act:enr:{own}"),
            format!("m:act:ret:{own}"),
            "m:act".to_owned(),
            "m:sh:off".to_owned(),
        ];
        let taps = futures_util::future::join_all(taps.iter().map(|data| chat.tap(data))).await;
        colleague.batch_execute("ROLLBACK").await.expect("no lock");
        for tap in taps {
            assert_eq!(tap.delivery.status, Some(200), "{table}: {}", tap.update);
            // What needs nothing of the table has been done.
            assert!(!tap.answers.is_empty(), "{table}: {}", tap.update);
        }
    }
    assert_eq!(t.status(order).await, "SEARCHING");
    t.check().await;
}

/// The database's own default for transactions may be stricter: ours say what they are, single statements too.
#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_default_isolation_makes_no_conflicts() {
    let t = Dispatch::start().await;
    t.sql
        .batch_execute(&format!(
            "ALTER DATABASE {} SET default_transaction_isolation = 'serializable'",
            database_name(&t.database_url)
        ))
        .await
        .expect("a setting");
    let t = Dispatch::restarted(&t).await;
    t.add_staff(500).await;
    let orders = futures_util::future::join_all((0..20).map(|_| t.order().in_status("CREATED").create())).await;
    let work = async {
        for _ in 0..10 {
            t.app.jobs().pass().await.expect("no conflict");
            field_service::bots::delivery::pass(&t.app.bots(), None).await.expect("no conflict");
        }
    };
    let taps = orders.iter().flat_map(|order| [ANNA, BORIS].map(|user| (user, *order)));
    let t = &t;
    let taps = taps.map(|(user, order)| async move {
        let chat = t.chat(user);
        for data in [format!("m:new:card:{order}"), format!("m:new:acc:{order}"), "m:menu".to_owned()] {
            assert_eq!(chat.tap(&data).await.delivery.status, Some(200));
        }
        assert_eq!(chat.say("Добрый день").await.status, Some(200));
    });
    tokio::join!(work, futures_util::future::join_all(taps));
    t.check().await;
}
