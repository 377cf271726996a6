//! «❌ Отклонить».

use field_service::model::OfferState;

use crate::harness::{ANNA, BORIS, Dispatch};

#[tokio::test]
async fn declining_asks_first() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    chat.press("Новые заявки").await;
    chat.press(&format!("№{order}")).await;

    chat.press("Отклонить").await;
    assert_eq!(t.offer_state(order, ANNA).await, "VIEWED", "only asked");
    chat.press("Нет").await;
    assert!(chat.buttons().iter().any(|button| button.text == "✅ Взять заявку"), "back on the card");

    chat.press("Отклонить").await;
    assert_eq!(chat.press("Да").await.notice(), "Заявка отклонена.");
    assert_eq!(t.offer_state(order, ANNA).await, "DECLINED");
    assert_eq!(t.offer_state(order, BORIS).await, "SENT");
    assert_eq!(t.status(order).await, "SEARCHING");
    assert!(chat.screen().contains("новых заявок нет"), "{}", chat.screen());
    t.check().await;
}

#[tokio::test]
async fn a_repeated_decline_answers_truthfully() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let tap = t.chat(ANNA).tap(&format!("m:new:dec_yes:{order}")).await;
    let before = t.everything().await;

    let again = t.chat(ANNA).deliver(tap.update).await;

    assert!(again.answers[1].text.as_deref().is_some_and(|text| text.contains("отклонили")), "{:?}", again.answers);
    assert_eq!(t.everything().await, before);
}

/// Failure 4 of the older system.
#[tokio::test]
async fn declining_never_touches_an_accepted_offer() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;
    let before = t.everything().await;

    for data in [format!("m:new:dec:{order}"), format!("m:new:dec_yes:{order}")] {
        let tap = t.chat(ANNA).tap(&data).await;
        assert!(t.chat(ANNA).screen().contains("+79990001122"), "{data}: {}", tap.notice());
    }

    assert_eq!(t.everything().await, before);
}

#[tokio::test]
async fn only_a_live_offer_of_ones_own_is_declined() {
    let t = Dispatch::start().await;
    for state in OfferState::ALL.map(OfferState::as_str) {
        let order = t.order().create().await;
        t.offer(order, ANNA, state).await;
        t.offer(order, BORIS, "SENT").await;
        t.chat(ANNA).tap(&format!("m:new:dec_yes:{order}")).await;

        let expected = if matches!(state, "SENT" | "VIEWED") { "DECLINED" } else { state };
        assert_eq!(t.offer_state(order, ANNA).await, expected);
        assert_eq!(t.offer_state(order, BORIS).await, "SENT");
    }
    let order = t.order().offered_to([BORIS]).await;
    let tap = t.chat(ANNA).tap(&format!("m:new:dec_yes:{order}")).await;
    assert!(tap.notice().contains("не найдена"));
    assert_eq!(t.offer_state(order, BORIS).await, "SENT");
}

#[tokio::test]
async fn an_overdue_offer_is_not_declined() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.let_expire(order, ANNA).await;

    assert!(t.chat(ANNA).tap(&format!("m:new:dec_yes:{order}")).await.notice().contains("Время истекло"));
    assert_eq!(t.offer_state(order, ANNA).await, "SENT");
}
