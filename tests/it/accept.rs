//! A tap on «✅ Взять заявку»: every outcome.

use field_service::model::OrderId;

use crate::harness::{ANNA, BORIS, Dispatch, STRANGER, VERA};

const SUCCESS: &str = "✅ Заявка принята. Удачи в работе!";

#[tokio::test]
async fn the_first_tap_gets_the_order_and_the_client() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;

    let tap = t.tap_accept(ANNA, order).await;

    assert_eq!(tap.delivery.status, Some(200));
    assert_eq!(tap.notice(), SUCCESS);
    assert_eq!(t.owner(order).await, Some(ANNA));
    assert_eq!(t.offer_state(order, ANNA).await, "ACCEPTED");
    assert_eq!(t.offer_state(order, BORIS).await, "CANCELED");
    let screen = t.chat(ANNA).screen();
    assert!(screen.contains(&format!("Ваша заявка №{order}")), "{screen}");
    assert!(screen.contains("Мария Клиентова") && screen.contains("+79990001122"), "{screen}");
    assert!(screen.contains("ул. Ленина, 5"), "{screen}");
    t.check().await;
}

/// Failure 1 of the older system.
#[tokio::test]
async fn the_second_master_hears_that_it_is_taken() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.tap_accept(ANNA, order).await;

    let tap = t.tap_accept(BORIS, order).await;

    assert!(tap.notice().starts_with("Уже занято"), "{}", tap.notice());
    assert_eq!(t.owner(order).await, Some(ANNA));
    assert!(!t.chat(BORIS).screen().contains("+79990001122"));
    t.check().await;
}

/// Failure 2 of the older system.
#[tokio::test]
async fn a_taken_order_leaves_everybodys_list() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let other = t.order().offered_to([ANNA, BORIS]).await;
    t.tap_accept(ANNA, order).await;

    for master in [ANNA, BORIS] {
        let chat = t.chat(master);
        chat.tap("m:new").await;
        let buttons: Vec<_> = chat.buttons().into_iter().map(|button| button.data).collect();
        assert!(buttons.contains(&format!("m:new:card:{other}:1")), "{buttons:?}");
        assert!(!buttons.contains(&format!("m:new:card:{order}:1")), "{buttons:?}");
    }
}

/// Failure 3 of the older system.
#[tokio::test]
async fn a_second_tap_by_the_winner_says_already_yours_and_shows_the_client() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;

    let tap = t.tap_accept(ANNA, order).await;

    assert!(tap.notice().contains("уже ваша"), "{}", tap.notice());
    assert!(t.chat(ANNA).screen().contains("+79990001122"));
    t.check().await;
}

#[tokio::test]
async fn a_redelivered_tap_changes_nothing_more() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let tap = t.tap_accept(ANNA, order).await;
    let before = t.everything().await;

    for _ in 0..3 {
        let again = t.chat(ANNA).deliver(tap.update.clone()).await;
        assert_eq!(again.delivery.status, Some(200));
        assert!(again.answers.last().expect("an answer").text.as_deref().unwrap_or_default().contains("уже ваша"));
    }

    assert_eq!(t.everything().await, before);
}

#[tokio::test]
async fn an_order_that_staff_gave_is_already_yours() {
    let t = Dispatch::start().await;
    let order = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;

    let tap = t.tap_accept(ANNA, order).await;

    assert!(tap.notice().contains("уже ваша"), "{}", tap.notice());
    assert!(t.chat(ANNA).screen().contains("+79990001122"));
}

#[tokio::test]
async fn an_order_that_was_never_offered_is_not_found() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([BORIS]).await;

    assert!(t.tap_accept(ANNA, order).await.notice().contains("не найдена"));
    assert!(t.tap_accept(ANNA, OrderId(424_242)).await.notice().contains("не найдена"));
    assert_eq!(t.status(order).await, "SEARCHING");
}

#[tokio::test]
async fn a_blocked_master_hears_the_reason() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let reason = format!("долг за <материалы> & инструмент {}", "очень ".repeat(60));
    t.execute(
        "UPDATE masters SET is_blocked = true, blocked_reason = $1 WHERE telegram_user_id = $2",
        &[&reason, &ANNA],
    )
    .await;

    let tap = t.tap_accept(ANNA, order).await;

    assert!(tap.notice().starts_with("Вы заблокированы: долг за <материалы> & инструмент очень"), "{}", tap.notice());
    assert!(tap.notice().chars().count() <= 200);
    assert_eq!(t.status(order).await, "SEARCHING");
}

#[tokio::test]
async fn a_canceled_order_is_withdrawn() {
    let t = Dispatch::start().await;
    let order = t.order().in_status("CANCELED").offered_to([ANNA]).await;

    assert!(t.tap_accept(ANNA, order).await.notice().contains("снята"));
}

#[tokio::test]
async fn a_declined_offer_stays_declined() {
    let t = Dispatch::start().await;
    let order = t.order().create().await;
    t.offer(order, ANNA, "DECLINED").await;

    assert!(t.tap_accept(ANNA, order).await.notice().contains("отклонили"));
    assert_eq!(t.status(order).await, "SEARCHING");
}

/// Failure 10 of the older system: whatever its state says, a deadline that has passed has passed.
#[tokio::test]
async fn an_offer_past_its_deadline_can_be_neither_seen_nor_taken() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.let_expire(order, ANNA).await;
    let chat = t.chat(ANNA);

    chat.tap("m:new").await;
    assert!(chat.screen().contains("новых заявок нет"), "{}", chat.screen());
    assert!(chat.tap(&format!("m:new:card:{order}")).await.notice().contains("Время истекло"));
    assert!(t.tap_accept(ANNA, order).await.notice().contains("Время истекло"));
    assert_eq!(t.status(order).await, "SEARCHING");
}

#[tokio::test]
async fn the_deadline_itself_is_too_late() {
    let now = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 60);
    let clock = field_service::store::Clock::standing_at(now);
    let t = Dispatch::start_with(crate::harness::Settings { clock, ..Default::default() }).await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let deadline = now + jiff::SignedDuration::from_mins(10);

    t.clock.set(deadline);
    assert!(t.tap_accept(ANNA, order).await.notice().contains("Время истекло"));
    t.clock.set(deadline - jiff::SignedDuration::from_micros(1));
    assert_eq!(t.tap_accept(BORIS, order).await.notice(), SUCCESS);
    let at: jiff::Timestamp = t.one("SELECT assigned_at FROM distribution_metrics", &[]).await;
    assert_eq!(at, t.clock.now().expect("a standing clock"));
}

#[tokio::test]
async fn at_the_limit_nothing_is_taken() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET max_active_orders = 1 WHERE telegram_user_id = $1", &[&ANNA]).await;
    let first = t.order().offered_to([ANNA]).await;
    let second = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, first).await;

    let tap = t.tap_accept(ANNA, second).await;
    assert!(tap.notice().contains("лимит") && tap.notice().contains('1'), "{}", tap.notice());
    assert_eq!((t.status(second).await.as_str(), t.offer_state(second, ANNA).await.as_str()), ("SEARCHING", "SENT"));

    t.execute("UPDATE orders SET status = 'CLOSED', version = version + 1 WHERE id = $1", &[&first.0]).await;
    assert_eq!(t.tap_accept(ANNA, second).await.notice(), SUCCESS, "closing an order frees its place");
}

#[tokio::test]
async fn without_a_limit_of_ones_own_it_is_five() {
    let t = Dispatch::start().await;
    for taken in 0..6 {
        let order = t.order().offered_to([ANNA]).await;
        let notice = t.tap_accept(ANNA, order).await.notice().to_owned();
        assert_eq!(notice == SUCCESS, taken < 5, "{notice}");
    }
    t.check().await;
}

#[tokio::test]
async fn off_shift_stops_offers_and_not_acceptance() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = $1", &[&ANNA]).await;
    let order = t.order().offered_to([ANNA]).await;

    assert_eq!(t.tap_accept(ANNA, order).await.notice(), SUCCESS);
}

#[tokio::test]
async fn a_stranger_is_told_the_own_id_and_nothing_else() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(STRANGER);

    for data in [format!("m:new:acc:{order}"), format!("m:new:card:{order}"), "m:new".to_owned(), "x".to_owned()] {
        let tap = chat.tap(&data).await;
        assert!(tap.notice().contains("999") && tap.notice().contains("нет в списке мастеров"), "{}", tap.notice());
        assert_eq!(chat.screen(), "");
    }
    chat.say("/start").await;
    assert!(chat.screen().contains("999"), "{}", chat.screen());
    assert!(chat.buttons().is_empty());
}

/// Failure 8 of the older system: re-offering is not refused by what was before.
#[tokio::test]
async fn an_order_that_went_back_to_the_search_can_be_offered_and_taken_again() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.tap_accept(ANNA, order).await;
    t.return_to_search(order).await;

    assert!(t.tap_accept(ANNA, order).await.notice().contains("снята"));
    t.offer(order, ANNA, "SENT").await;
    assert_eq!(t.tap_accept(ANNA, order).await.notice(), SUCCESS);

    assert_eq!(t.one::<i64>("SELECT count(*) FROM distribution_metrics", &[]).await, 2);
    t.check().await;
}

/// A redelivery repeats what was asked then; it does not answer what was asked since.
#[tokio::test]
async fn a_redelivered_tap_does_not_take_a_later_offer_of_the_same_order() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let taken = t.tap_accept(ANNA, order).await;
    let declined = t.chat(BORIS).tap(&format!("m:new:dec_yes:{order}")).await;
    assert_eq!(declined.notice(), "Уже занято");
    t.return_to_search(order).await;
    t.offer(order, BORIS, "SENT").await;
    let declined = t.chat(BORIS).tap(&format!("m:new:dec_yes:{order}")).await;
    t.offer(order, ANNA, "SENT").await;
    t.offer(order, BORIS, "SENT").await;
    let before = t.everything().await;

    let again = t.chat(ANNA).deliver(taken.update).await;
    assert!(again.answers[1].text.as_deref().is_some_and(|text| text.contains("снята")), "{:?}", again.answers);
    let again = t.chat(BORIS).deliver(declined.update).await;
    assert!(again.answers[1].text.as_deref().is_some_and(|text| text.contains("отклонили")), "{:?}", again.answers);

    assert_eq!(t.everything().await, before);
    assert_eq!(t.tap_accept(ANNA, order).await.notice(), SUCCESS, "a tap of its own does");
    t.check().await;
}

/// Failure 16 of the older system: the metrics row is part of the transaction.
#[tokio::test]
async fn acceptance_writes_its_history_and_metrics() {
    let t = Dispatch::start().await;
    let order = t.order().create().await;
    t.execute(
        "UPDATE orders SET created_at = now() - interval '90 seconds', preferred_master_id = 1,
                district_id = (SELECT min(id) FROM districts)
         WHERE id = $1",
        &[&order.0],
    )
    .await;
    t.offer(order, VERA, "EXPIRED").await;
    t.offer(order, VERA, "SENT").await;
    t.offer(order, BORIS, "DECLINED").await;
    t.offer(order, ANNA, "VIEWED").await;
    t.execute("UPDATE offers SET round_number = 2 WHERE state = 'VIEWED'", &[]).await;

    t.tap_accept(ANNA, order).await;

    let row = t
        .sql
        .query_one(
            "SELECT round_number, candidates_count, time_to_assign_seconds, preferred_master_used,
                    was_escalated_to_admin, city_id, category, master_id
             FROM distribution_metrics WHERE order_id = $1",
            &[&order.0],
        )
        .await
        .expect("one metrics row");
    assert_eq!(row.get::<_, i32>(0), 2, "the accepted offer's round");
    assert_eq!(row.get::<_, i32>(1), 3, "distinct masters in any state");
    assert!((90..100).contains(&row.get::<_, i32>(2)), "seconds from creation");
    assert!(row.get::<_, bool>(3) && !row.get::<_, bool>(4));
    assert_eq!((row.get::<_, i64>(5), row.get::<_, String>(6), row.get::<_, i64>(7)), (1, "PLUMBING".to_owned(), 1));
    let row = t
        .sql
        .query_one("SELECT from_status, to_status, actor_type, changed_by_master_id FROM order_status_history", &[])
        .await
        .expect("one history row");
    assert_eq!(
        (row.get::<_, &str>(0), row.get::<_, &str>(1), row.get::<_, &str>(2), row.get::<_, i64>(3)),
        ("SEARCHING", "ASSIGNED", "MASTER", 1)
    );
    t.check().await;
}

#[tokio::test]
async fn when_the_metrics_cannot_be_written_nothing_is() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.execute("ALTER TABLE distribution_metrics ADD CHECK (order_id < 0) NOT VALID", &[]).await;
    let before = t.everything().await;

    let tap = t.tap_accept(ANNA, order).await;

    assert_eq!(tap.delivery.status, Some(200), "sending it again would not help");
    assert!(tap.notice().contains("Не получилось"), "{}", tap.notice());
    assert_eq!(t.everything().await, before);
    assert_eq!(t.app.metrics.get("webhook", "FAILED"), 1);
    t.execute("ALTER TABLE distribution_metrics DROP CONSTRAINT distribution_metrics_order_id_check", &[]).await;
    assert_eq!(t.tap_accept(ANNA, order).await.notice(), SUCCESS);
}
