//! The dispatchers' bot: who is let in, questions, and screens that Telegram did not take.

use field_service::sim::telegram::Fault;

use crate::harness::{ADMIN_TOKEN, Dispatch, STRANGER};

const OLGA: i64 = 501;

#[tokio::test]
async fn staff_see_their_menu_and_a_stranger_is_told_what_to_ask_for() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    olga.say("/start").await;
    assert!(olga.screen().contains("Вы — диспетчер."), "{}", olga.screen());
    assert!(olga.tap("adm:menu").await.notice().is_empty());

    let stranger = t.telegram.chat(ADMIN_TOKEN, STRANGER, "Прохожий");
    stranger.say("/start").await;
    assert!(stranger.screen().contains(&STRANGER.to_string()));
    assert!(stranger.tap("adm:menu").await.notice().contains("вас в нём пока нет"));
}

#[tokio::test]
async fn who_was_deactivated_is_a_stranger_from_the_next_tap_on() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    olga.say("/start").await;
    t.execute("UPDATE staff SET is_active = false", &[]).await;
    assert!(olga.tap("adm:menu").await.notice().contains("вас в нём пока нет"));
}

#[tokio::test]
async fn a_button_that_nobody_knows_shows_the_menu() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    olga.say("/start").await;
    for data in ["", "adm", "adm:", "adm:q:0", "adm:q:card:1:2:3", "adm:q:as:pick:1:2:x", "m:menu", "adm:menu:1"] {
        assert!(olga.tap(data).await.notice().contains("устарела"), "{data}");
    }
    assert!(olga.screen().contains("Здравствуйте"));
}

#[tokio::test]
async fn a_screen_that_telegram_did_not_take_is_shown_later() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    t.telegram.fail_next("sendMessage", 1, Fault::ServerError);
    olga.say("/start").await;
    assert_eq!(olga.screen(), "");
    t.let_pass(2);
    t.tell().await;
    assert!(olga.screen().contains("Здравствуйте"));
}
