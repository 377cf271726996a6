//! Which message shows which offer is known, whatever way it came to be shown: when the offer ends, no card of it is left.

use field_service::bots::update::Update;
use field_service::dispatch::deliver::{self, Because, Finish};
use field_service::model::{BotName, OrderId};
use field_service::sim::telegram::{Chat, Fault};

use crate::harness::{ANNA, BORIS, Dispatch};
use crate::outbox::open_cards;

impl Dispatch {
    /// An order that is offered to both, and Anna's chat with the menu.
    async fn offered_to_both(&self) -> (OrderId, Chat) {
        let anna = self.chat(ANNA);
        anna.say("/start").await;
        (self.order().offered_to([ANNA, BORIS]).await, anna)
    }

    /// Boris takes the order, and everybody is told.
    async fn boris_takes(&self, order: OrderId) {
        self.let_pass(5);
        assert!(self.tap_accept(BORIS, order).await.notice().contains("принята"));
        self.tell().await;
        self.let_pass(5);
        self.tick().await;
        self.tell().await;
    }
}

#[tokio::test]
async fn a_card_that_the_outbox_shows_ends_with_its_offer() {
    let t = Dispatch::with_standing_clock(0).await;
    let (order, anna) = t.offered_to_both().await;
    t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
    anna.tap(&format!("m:new:card:{order}:1")).await;
    assert_eq!(open_cards(&anna), 0);
    t.let_pass(5);
    t.tell().await;
    assert_eq!(open_cards(&anna), 1, "{}", anna.screen());

    t.boris_takes(order).await;
    assert_eq!(open_cards(&anna), 0);
    assert!(anna.screen().contains("Уже занято"), "{}", anna.screen());
}

#[tokio::test]
async fn a_card_that_is_shown_in_a_new_message_ends_with_its_offer() {
    let t = Dispatch::with_standing_clock(0).await;
    let (order, anna) = t.offered_to_both().await;
    let menu = anna.messages().last().expect("a menu").id;
    t.app.telegram.master.delete(ANNA, menu).await.expect("Telegram");
    let tap = |data: &str| {
        let mut update = anna.tap_update(data);
        update["callback_query"]["message"] = serde_json::json!({
            "message_id": menu, "date": 1, "chat": {"id": ANNA, "type": "private"},
        });
        update
    };
    let before = anna.messages().len();
    anna.deliver(tap(&format!("m:new:card:{order}:1"))).await;
    assert_eq!(open_cards(&anna), 1, "by the webhook");
    t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
    anna.deliver(tap(&format!("m:new:card:{order}:2"))).await;
    t.let_pass(5);
    t.tell().await;
    assert_eq!(open_cards(&anna), 2, "by the outbox");

    t.boris_takes(order).await;
    assert_eq!(open_cards(&anna), 0, "{:?}", anna.messages());
    assert_eq!(anna.messages().len(), before + 2, "{:?}", anna.messages());
}

/// The first tap's answer is on its way for long: it comes after the second's.
#[tokio::test]
async fn a_card_that_comes_late_gives_way_to_what_was_opened_since() {
    let t = Dispatch::with_standing_clock(0).await;
    let (order, anna) = t.offered_to_both().await;
    let other = t.order().offered_to([ANNA]).await;
    let opened = [
        ("card", "m:menu".to_owned(), "Новые заявки".to_owned()),
        ("dec", format!("m:new:card:{other}:1"), format!("№{other}")),
        ("card", format!("m:new:acc:{order}:1"), "+79990001122".to_owned()),
    ];
    for (late, next, shown) in opened {
        let update = anna.tap_update(&format!("m:new:{late}:{order}:1"));
        let update: Update = serde_json::from_value(update).expect("an update");
        let bots = t.app.bots();
        let handled = bots.handle(BotName::Master, update).await.unwrap_or_else(|failed| panic!("{}", failed.error));
        anna.tap(&next).await;
        let (answered, delivered) = handled.send(&bots);
        delivered.await;
        answered.await.expect("an answer");
        t.let_pass(5);
        t.tell().await;
        assert!(anna.screen().contains(&shown), "{next}: {}", anna.screen());
        let noted = t.one::<i64>("SELECT count(*) FROM cards", &[]).await;
        assert_eq!(noted, i64::try_from(open_cards(&anna)).expect("a few"), "{next}");
    }
}

/// The offer ends while its card is on its way, and that it has ended is told before the card comes.
#[tokio::test]
async fn a_card_that_comes_after_its_offer_has_ended_does_not_stay() {
    let t = Dispatch::with_standing_clock(0).await;
    let (order, anna) = t.offered_to_both().await;
    let update = anna.tap_update(&format!("m:new:card:{order}:1"));
    let update: Update = serde_json::from_value(update).expect("an update");
    let bots = t.app.bots();
    let handled = bots.handle(BotName::Master, update).await.unwrap_or_else(|failed| panic!("{}", failed.error));
    t.let_pass(5);
    t.tap_accept(BORIS, order).await;
    let (answered, delivered) = handled.send(&bots);
    delivered.await;
    answered.await.expect("an answer");
    t.let_pass(5);
    t.tell().await;
    assert_eq!(open_cards(&anna), 0, "{}", anna.screen());
}

/// The outbox has looked whether it may, and then somebody taps.
#[tokio::test]
async fn a_tap_as_a_card_is_shown_later_is_noticed() {
    let t = Dispatch::with_standing_clock(0).await;
    let (order, anna) = t.offered_to_both().await;
    let leased = async || {
        t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
        anna.tap(&format!("m:new:card:{order}:1")).await;
        t.let_pass(5);
        deliver::claim(&t.app.store, None).await.expect("a database").remove(0)
    };
    let noted = async || t.one::<i64>("SELECT count(*) FROM cards", &[]).await;
    for again in [false, true] {
        let row = leased().await;
        for _ in 0..=usize::from(again) {
            let sent = Finish::Sent { card: row.message };
            deliver::finish(&t.app.store, &row, &sent).await.expect("a database");
            assert_eq!(noted().await, 1, "nobody tapped");
        }
    }
    let row = leased().await;
    anna.tap("m:menu").await;
    deliver::finish(&t.app.store, &row, &Finish::Sent { card: row.message }).await.expect("a database");
    assert_eq!(noted().await, 0);
    // What could not be sent says nothing about what is there.
    let row = leased().await;
    deliver::finish(&t.app.store, &row, &Finish::Dropped(Because::Refused)).await.expect("a database");
    assert_eq!(noted().await, 1);
}

/// Staff change an order that is being offered, and it is taken before everybody has been shown.
#[tokio::test]
async fn a_card_that_was_to_be_shown_anew_ends_with_its_offer() {
    let t = Dispatch::with_standing_clock(0).await;
    let (order, anna) = t.offered_to_both().await;
    anna.tap(&format!("m:new:card:{order}:1")).await;
    t.let_pass(5);
    t.execute("UPDATE orders SET description = 'Ring twice', revision = revision + 1 WHERE id = $1", &[&order.0]).await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox WHERE kind = 'OFFER' AND finished_at IS NULL", &[]).await, 1);
    t.boris_takes(order).await;
    assert_eq!(open_cards(&anna), 0, "{}", anna.screen());
}
