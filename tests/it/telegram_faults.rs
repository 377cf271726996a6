//! Telegram refuses, stalls or is away: what was committed stays committed, and the webhook answers 200.

use std::time::Duration;

use field_service::sim::telegram::Fault;

use crate::harness::{ANNA, BORIS, Dispatch};

const OLGA: i64 = 500;

#[tokio::test]
async fn a_failing_edit_does_not_stop_the_answer_nor_the_other_way_round() {
    let t = Dispatch::start().await;
    let faults = [Fault::TooManyRequests(300), Fault::ServerError, Fault::BadGateway, Fault::Forbidden, Fault::Hang];
    for fault in faults {
        let first = t.order().offered_to([ANNA]).await;
        t.telegram.fail_next("editMessageText", 1, fault);
        let chat = t.chat(ANNA);
        chat.say("/start").await;
        let tap = t.tap_accept(ANNA, first).await;
        assert_eq!(tap.delivery.status, Some(200), "{fault:?}");
        assert!(tap.notice().contains("принята"), "{fault:?}");
        assert!(tap.delivery.took < Duration::from_secs(10), "{fault:?} was not waited out");

        let second = t.order().offered_to([ANNA]).await;
        t.telegram.fail_next("answerCallbackQuery", 1, fault);
        let tap = t.tap_accept(ANNA, second).await;
        assert_eq!((tap.delivery.status, tap.answers.len()), (Some(200), 0), "{fault:?}");
        assert!(chat.screen().contains(&format!("Ваша заявка №{second}")), "{fault:?}: {}", chat.screen());
        t.execute("UPDATE orders SET status = 'CLOSED' WHERE status = 'ASSIGNED'", &[]).await;
    }
}

#[tokio::test]
async fn the_two_calls_go_out_together() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.chat(ANNA).say("/start").await;
    t.telegram.fail_next("answerCallbackQuery", 1, Fault::Hang);
    t.tap_accept(ANNA, order).await;

    let calls = t.telegram.calls();
    let at = |method: &str| calls.iter().find(|call| call.method == method).expect("a call").at;
    let apart =
        at("editMessageText").max(at("answerCallbackQuery")) - at("editMessageText").min(at("answerCallbackQuery"));
    assert!(apart < Duration::from_secs(3), "the edit waited {apart:?} for an answer that hung");
}

#[tokio::test]
async fn after_a_crash_between_commit_and_answer_the_redelivery_shows_the_client() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    for method in ["answerCallbackQuery", "editMessageText"] {
        t.telegram.fail_next(method, 1, Fault::BadGateway);
    }
    let tap = t.tap_accept(ANNA, order).await;
    assert!(!chat.screen().contains("+79990001122"));

    let again = chat.deliver(tap.update).await;

    assert!(again.notice().contains("уже ваша"), "{}", again.notice());
    assert!(chat.screen().contains("+79990001122"), "{}", chat.screen());
}

#[tokio::test]
async fn a_callback_that_is_too_old_to_answer_still_shows_its_screen() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    let update = chat.tap_update(&format!("m:new:acc:{order}"));
    t.telegram.let_pass(Duration::from_secs(15));

    assert_eq!(chat.deliver(update).await.delivery.status, Some(200));

    assert!(chat.screen().contains("+79990001122"));
    assert_eq!(t.app.metrics.get("telegram", "STALE"), 1);
}

/// The alert is all that says so: the list without the order does not.
#[tokio::test]
async fn what_a_late_alert_would_have_said_stands_above_the_screen() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let (anna, olga) = (t.chat(ANNA), t.add_staff(OLGA).await);
    for chat in [&anna, &t.chat(BORIS), &olga] {
        chat.say("/start").await;
    }
    t.tap_accept(BORIS, order).await;
    let taken = anna.tap_update(&format!("m:new:acc:{order}"));
    let sought = olga.tap_update(&format!("adm:q:as:auto:{order}"));
    t.telegram.let_pass(Duration::from_secs(15));

    let taken = anna.deliver(taken).await;
    assert_eq!((taken.delivery.status, taken.answers.len()), (Some(200), 0));
    assert!(
        anna.screen().starts_with("Уже занято: другой мастер") && anna.screen().contains("Новые заявки"),
        "{}",
        anna.screen()
    );
    assert_eq!(olga.deliver(sought).await.delivery.status, Some(200));
    assert!(
        olga.screen().starts_with("Сейчас так нельзя") && olga.screen().contains(&format!("№{order}")),
        "{}",
        olga.screen()
    );
}

#[tokio::test]
async fn a_master_who_blocked_the_bot_keeps_the_order() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    chat.block_bot(true);

    assert_eq!(t.tap_accept(ANNA, order).await.delivery.status, Some(200));
    assert_eq!(t.owner(order).await, Some(ANNA));
}

#[tokio::test]
async fn no_error_shows_the_token_or_what_was_sent() {
    let t = Dispatch::start().await;
    t.telegram.fail_next("sendMessage", 1, Fault::BadGateway);
    t.telegram.fail_next("editMessageText", 1, Fault::Hang);
    let screen = field_service::bots::render::plain("секрет +79990001122".to_owned());
    let bot = &t.app.telegram.master;
    for error in [
        bot.send(ANNA, &screen.text, &screen.keyboard).await.expect_err("a bad gateway"),
        bot.edit(ANNA, 1, &screen.text, &screen.keyboard).await.expect_err("a hang"),
        bot.send(ANNA, &screen.text, &screen.keyboard).await.expect_err("a chat that is not open"),
    ] {
        let said = format!("{error} {error:?}");
        assert!(!said.contains("master-token") && !said.contains("+7999") && !said.contains("html"), "{said}");
    }
    assert!(!format!("{bot:?}").contains("token"));
}
