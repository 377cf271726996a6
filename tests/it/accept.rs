//! A tap on «✅ Взять заявку».

use crate::harness::{ANNA, BORIS, Dispatch};

#[tokio::test]
async fn the_first_tap_gets_the_order() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;

    let tap = t.tap_accept(ANNA, order).await;

    assert_eq!(tap.delivery.status, Some(200));
    assert_eq!(tap.notice(), "✅ Заявка принята. Удачи в работе!");
    assert_eq!(t.owner(order).await, Some(ANNA));
    assert_eq!(t.offer_state(order, ANNA).await, "ACCEPTED");
    assert_eq!(t.offer_state(order, BORIS).await, "CANCELED");
    let screen = t.chat(ANNA).screen();
    assert!(screen.contains("Мария Клиентова") && screen.contains("+79990001122"), "{screen}");
    t.check().await;
}
