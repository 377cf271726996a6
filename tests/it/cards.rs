//! Which message shows which offer is known, whatever way it came to be shown: when the offer ends, no card of it is left.

use field_service::bots::delivery;
use field_service::bots::update::Update;
use field_service::dispatch::deliver::{self, Finish};
use field_service::model::{BotName, OrderId};
use field_service::sim::telegram::{Chat, Fault};

use crate::harness::{ANNA, BORIS, Dispatch};

fn open_cards(chat: &Chat) -> usize {
    let takes = |button: &field_service::sim::telegram::Button| button.data.starts_with("m:new:acc:");
    chat.messages().iter().filter(|message| message.buttons.concat().iter().any(takes)).count()
}

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
    anna.deliver(tap(&format!("m:new:card:{order}:1"))).await;
    assert_eq!(open_cards(&anna), 1, "by the webhook");
    t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
    anna.deliver(tap(&format!("m:new:card:{order}:2"))).await;
    t.let_pass(5);
    t.tell().await;
    assert_eq!(open_cards(&anna), 2, "by the outbox");

    t.boris_takes(order).await;
    assert_eq!(open_cards(&anna), 0, "{:?}", anna.messages());
}

/// The first tap's answer is on its way for long: it comes after the second's.
#[tokio::test]
async fn a_card_that_comes_late_does_not_stay_where_something_else_was_opened() {
    let t = Dispatch::with_standing_clock(0).await;
    let (order, anna) = t.offered_to_both().await;
    let other = t.order().offered_to([ANNA]).await;
    for (late, next) in [("card", "m:menu".to_owned()), ("dec", format!("m:new:card:{other}:1"))] {
        let update = anna.tap_update(&format!("m:new:{late}:{order}:1"));
        let update: Update = serde_json::from_value(update).expect("an update");
        let bots = t.app.bots();
        let handled = bots.handle(BotName::Master, update).await.unwrap_or_else(|failed| panic!("{}", failed.error));
        anna.tap(&next).await;
        let (answered, delivered) = handled.send(&bots);
        delivered.await;
        answered.await.expect("an answer");
        assert_eq!(open_cards(&anna), 0, "{}", anna.screen());
        assert!(anna.screen().contains("Новые заявки"), "{}", anna.screen());
        assert_eq!(t.one::<i64>("SELECT count(*) FROM cards", &[]).await, 0, "a list is nobody's card");
    }
}

/// The outbox has looked whether it may, and then somebody taps.
#[tokio::test]
async fn a_tap_as_a_card_is_shown_later_is_noticed() {
    let t = Dispatch::with_standing_clock(0).await;
    let (order, anna) = t.offered_to_both().await;
    t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
    anna.tap(&format!("m:new:card:{order}:1")).await;
    t.let_pass(5);
    let row = deliver::claim(&t.app.store, None).await.expect("a database").remove(0);
    let sent = Finish::Sent { card: row.message };
    assert!(!deliver::finish(&t.app.store, &row, &sent).await.expect("a database").taken_over, "nobody tapped");

    t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
    anna.tap(&format!("m:new:card:{order}:1")).await;
    t.let_pass(5);
    let row = deliver::claim(&t.app.store, None).await.expect("a database").remove(0);
    anna.tap("m:menu").await;
    assert!(deliver::finish(&t.app.store, &row, &sent).await.expect("a database").taken_over);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM cards", &[]).await, 0);
    delivery::attempt(&t.app.bots(), row).await;
    assert_eq!(open_cards(&anna), 0, "{}", anna.screen());
}
