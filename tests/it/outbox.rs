//! Messages to people who are not the ones tapping: each is told at least once, in order, and says what is true by then.
//! The clock is the test's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use field_service::bots::delivery;
use field_service::dispatch::act::StaffCommand;
use field_service::dispatch::deliver::{self, Because, Finish};
use field_service::model::MasterId;
use field_service::model::notification::Kind;
use field_service::sim::telegram::{Chat, Fault};
use field_service::store;
use futures_util::future::join_all;
use tokio::task::JoinSet;

use crate::harness::{ANNA, BORIS, Dispatch, VERA, eventually};

const STAFF: i64 = 500;

impl Dispatch {
    /// The three masters' chats, open.
    fn open_chats(&self) -> [Chat; 3] {
        [ANNA, BORIS, VERA].map(|user| {
            let chat = self.chat(user);
            chat.open();
            chat
        })
    }

    /// Sends what can be sent in this very second; how many rows that were.
    async fn told(&self) -> usize {
        delivery::pass(&self.app.bots(), None).await.expect("a database")
    }

    /// How the rows of a kind ended, or that they have not, in the order in which they were written.
    async fn outbox(&self, kind: &str) -> Vec<String> {
        self.one(
            "SELECT coalesce(array_agg(CASE WHEN finished_at IS NULL THEN 'WAITS'
                                            ELSE coalesce(dropped_because, 'SENT') END ORDER BY id), '{}')
             FROM outbox WHERE kind = $1",
            &[&kind],
        )
        .await
    }
}

fn shows(chat: &Chat, text: &str) -> bool {
    chat.messages().iter().any(|message| message.text.contains(text))
}

/// How many of the chat's messages can be taken an order from.
pub fn open_cards(chat: &Chat) -> usize {
    let takes = |button: &field_service::sim::telegram::Button| button.data.starts_with("m:new:acc:");
    chat.messages().iter().filter(|message| message.buttons.concat().iter().any(takes)).count()
}

/// Failure 12 of the older system: no push for a new offer.
#[tokio::test]
async fn a_new_offer_arrives_as_a_card_that_can_be_taken() {
    let t = Dispatch::with_standing_clock(0).await;
    let chats = t.open_chats();
    let order = t.order().in_status("CREATED").create().await;

    t.tick().await;
    assert_eq!(t.tell().await, 3);

    let deadline: String =
        t.one("SELECT to_char(expires_at AT TIME ZONE 'Asia/Yekaterinburg', 'HH24:MI') FROM offers LIMIT 1", &[]).await;
    for chat in &chats {
        let screen = chat.screen();
        assert!(screen.contains(&format!("Новая заявка №{order}")) && screen.contains(&deadline), "{screen}");
        assert!(!screen.contains("+7999"), "nothing of the client yet: {screen}");
    }
    assert!(chats[0].press("Взять заявку").await.notice().contains("принята"));
    assert_eq!(t.owner(order).await, Some(ANNA));
    t.check().await;
}

#[tokio::test]
async fn the_others_cards_say_that_it_is_taken_and_after_how_long() {
    let t = Dispatch::with_standing_clock(0).await;
    let chats = t.open_chats();
    let order = t.order().create().await;
    t.tick().await;
    t.tell().await;
    t.let_pass(75);

    chats[0].press("Взять заявку").await;

    // The webhook has told them before it returned.
    assert_eq!(t.outbox("OFFER_ENDED").await, ["SENT", "SENT"]);
    for chat in &chats[1..] {
        let screen = chat.screen();
        assert!(screen.contains(&format!("Заявка №{order}")) && screen.contains("Уже занято"), "{screen}");
        assert!(screen.contains("через 1 мин 1") || screen.contains("через 1 мин 2"), "{screen}");
        assert_eq!((open_cards(chat), chat.messages().len()), (0, 1), "edited in place");
    }
    assert!(chats[0].screen().contains("+79990001122"), "{}", chats[0].screen());
    assert_eq!(open_cards(&chats[0]), 0);
    t.check().await;
}

#[tokio::test]
async fn a_card_opened_in_the_list_is_edited_too_and_a_list_is_left_alone() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, vera] = t.open_chats();
    let order = t.order().offered_to([ANNA, BORIS, VERA]).await;
    for chat in [&anna, &boris, &vera] {
        chat.say("/start").await;
        chat.press("Новые заявки").await;
        chat.press(&format!("№{order}")).await;
    }
    vera.press("К списку").await;
    let list = vera.screen();
    t.let_pass(5);

    anna.press("Взять заявку").await;
    t.tell().await;

    assert!(boris.screen().contains("Уже занято"), "{}", boris.screen());
    assert_eq!(vera.screen(), list);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM cards", &[]).await, 0);
}

#[tokio::test]
async fn a_loser_s_own_tap_shows_the_list_and_nothing_is_written_over_it() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, _] = t.open_chats();
    let order = t.order().create().await;
    t.tick().await;
    assert_eq!(t.told().await, 3);
    // The webhook cannot tell Boris yet: his last message is less than a second old.
    anna.press("Взять заявку").await;
    assert!(t.outbox("OFFER_ENDED").await.contains(&"WAITS".to_owned()));

    assert!(boris.tap(&format!("m:new:acc:{order}")).await.notice().contains("Уже занято"));
    let list = boris.screen();
    t.tell().await;

    assert_eq!(boris.screen(), list);
    assert!(list.contains("Новые заявки"), "{list}");
}

#[tokio::test]
async fn an_edit_under_way_does_not_cover_the_answer_to_a_tap() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, _] = t.open_chats();
    let order = t.order().offered_to([ANNA, BORIS]).await;
    boris.say("/start").await;
    boris.tap(&format!("m:new:card:{order}:1")).await;
    anna.say("/start").await;
    // No webhook tells anybody while somebody else has the turn.
    let colleague = t.colleague().await;
    colleague.batch_execute("BEGIN; SELECT FROM outbox_bots FOR UPDATE").await.expect("the turn");
    t.tap_accept(ANNA, order).await;
    colleague.batch_execute("COMMIT").await.expect("an end");

    let row = deliver::claim(&t.app.store, None).await.expect("a database").remove(0);
    boris.press("Взять заявку").await;
    let list = boris.screen();
    delivery::attempt(&t.app.bots(), row).await;
    t.let_pass(1);
    t.told().await;

    assert!(list.contains("Новые заявки"), "{list}");
    assert_eq!(boris.screen(), list);
    assert_eq!(boris.messages().last().map(|message| message.edits), Some(4), "card, list, edit, list");
}

#[tokio::test]
async fn a_card_says_what_became_of_its_offer() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, vera] = t.open_chats();
    let expired = t.order().create().await;
    t.tick().await;
    t.tell().await;
    // Anna declines it in another message: the card she was sent does not go on offering it.
    anna.say("/start").await;
    anna.tap(&format!("m:new:dec_yes:{expired}")).await;
    t.let_pass(121);
    t.tick().await;
    t.tell().await;
    assert!(shows(&anna, "Вы отклонили эту заявку"));
    // What nobody answered is gone from the chat.
    assert!(boris.messages().is_empty() && vera.messages().is_empty());
    assert_eq!(open_cards(&anna), 0);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM cards", &[]).await, 0);
}

/// A card that can be deleted no more says what has become of it; one that the master has deleted is not replaced.
#[tokio::test]
async fn a_card_that_telegram_does_not_delete_says_what_became_of_it() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, vera] = t.open_chats();
    t.order().create().await;
    t.tick().await;
    t.tell().await;
    // Boris has deleted his; Vera's is old.
    t.execute("UPDATE cards SET message_id = 4242 WHERE chat_id = $1", &[&BORIS]).await;
    t.execute("UPDATE cards SET sent_at = sent_at - interval '2 days' WHERE chat_id = $1", &[&VERA]).await;
    t.telegram.fail_next("deleteMessage", 2, Fault::BadRequest);
    t.let_pass(121);
    t.tick().await;
    t.tell().await;
    let said = [&anna, &boris, &vera].map(|chat| chat.screen().contains("Время истекло"));
    assert_eq!(said, [true, false, true], "{} {} {}", anna.screen(), boris.screen(), vera.screen());
    assert_eq!([&anna, &boris, &vera].map(|chat| chat.messages().len()), [1, 1, 1], "nothing was sent in its place");
    assert_eq!(t.one::<i64>("SELECT count(*) FROM cards", &[]).await, 0);
}

/// In a message that was opened by a tap the master is at work: it is not taken away.
#[tokio::test]
async fn a_card_in_which_the_master_has_tapped_stays_in_the_chat() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, _] = t.open_chats();
    let order = t.order().create().await;
    t.tick().await;
    t.tell().await;
    anna.press("Отклонить").await;
    anna.tap(&format!("m:new:card:{order}:1")).await;
    t.let_pass(121);
    t.tick().await;
    t.tell().await;
    assert!(anna.screen().contains("Время истекло"), "{}", anna.screen());
    assert!(boris.messages().is_empty());
}

/// A tap that comes while its card is being deleted is answered with the list, in a new message.
#[tokio::test]
async fn a_tap_on_a_card_that_is_being_deleted_still_shows_the_list() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, ..] = t.open_chats();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.order().create().await;
    t.tick().await;
    t.tell().await;
    t.let_pass(121);
    t.tick().await;
    let row = deliver::claim(&t.app.store, None).await.expect("a database").remove(0);
    anna.press("Взять заявку").await;
    delivery::attempt(&t.app.bots(), row).await;
    assert!(anna.screen().contains("Новые заявки"), "{}", anna.screen());
}

#[tokio::test]
async fn a_card_that_cannot_be_edited_is_followed_by_a_message() {
    let t = Dispatch::with_standing_clock(0).await;
    let [_, boris, _] = t.open_chats();
    let order = t.order().create().await;
    t.tick().await;
    t.tell().await;
    t.execute("UPDATE cards SET message_id = 4242 WHERE chat_id = $1", &[&BORIS]).await;
    t.tap_accept(ANNA, order).await;
    t.tell().await;
    assert_eq!(boris.messages().len(), 2);
    assert!(boris.screen().contains("Уже занято"), "{}", boris.screen());
}

/// A row that somebody wrote oddly stops nobody else's messages.
#[tokio::test]
async fn odd_times_of_an_offer_stop_no_message() {
    let t = Dispatch::with_standing_clock(0).await;
    let [_, boris, _] = t.open_chats();
    let order = t.order().create().await;
    t.tick().await;
    t.tell().await;
    // The schema forbids it; what an earlier release has left stops nothing either.
    t.sql
        .batch_execute(
            "ALTER TABLE offers DROP CONSTRAINT offers_times_are_finite;
             ALTER TABLE orders DROP CONSTRAINT orders_times_are_finite",
        )
        .await
        .expect("no more checks");
    t.execute("UPDATE offers SET sent_at = '-infinity', viewed_at = 'infinity'", &[]).await;
    t.execute("UPDATE orders SET created_at = 'infinity'", &[]).await;
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
    t.tell().await;
    assert!(boris.screen().contains("Уже занято"), "{}", boris.screen());
}

/// Somebody at the database's prompt writes no outbox.
#[tokio::test]
async fn the_tick_finds_cards_of_offers_that_were_ended_by_hand() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, ..] = t.open_chats();
    t.order().create().await;
    t.tick().await;
    t.tell().await;
    t.execute("UPDATE offers SET state = 'CANCELED'", &[]).await;
    t.execute("UPDATE orders SET status = 'CANCELED', version = version + 1", &[]).await;
    assert_eq!(t.tick().await.cards, 3);
    t.tell().await;
    assert!(anna.messages().is_empty(), "{}", anna.screen());
    assert_eq!(t.tick().await.cards, 0);
}

#[tokio::test]
async fn what_has_been_overtaken_is_not_told() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, vera] = t.open_chats();
    let order = t.order().create().await;
    t.tick().await;
    anna.say("/start").await;
    t.tap_accept(ANNA, order).await;
    t.tell().await;
    assert_eq!(t.outbox("OFFER").await, ["OVERTAKEN"; 3]);
    assert!(boris.messages().is_empty() && vera.messages().is_empty());
    assert!(anna.screen().contains("Ваша заявка"), "{}", anna.screen());
    t.check().await;
}

/// Failure 13 of the older system: what was under way at a crash was lost, or sent by two.
#[tokio::test]
async fn killed_between_any_two_steps_it_is_still_told() {
    let t = Dispatch::with_standing_clock(0).await;
    // Nobody is asked instead of who has left the shift.
    t.search_in_rounds().await;
    let [anna, boris, vera] = t.open_chats();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;

    // Between claiming and sending.
    let first = t.order().create().await;
    t.tick().await;
    let claimed = deliver::claim(&t.app.store, None).await.expect("a database");
    assert_eq!(claimed.len(), 1);
    drop(claimed);
    t.let_pass(29);
    assert_eq!(t.tell().await, 0, "the lease is somebody's");
    t.let_pass(1);
    assert_eq!(t.tell().await, 1);
    assert!(anna.screen().contains(&format!("Новая заявка №{first}")));
    assert_eq!(anna.messages().len(), 1);

    // While Telegram is being called.
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&BORIS]).await;
    let second = t.order().create().await;
    t.tick().await;
    t.telegram.fail_next("sendMessage", 1, Fault::Hang);
    let app = Arc::clone(&t.app);
    let sender = tokio::spawn(async move { delivery::pass(&app.bots(), None).await });
    eventually(|| t.telegram.hanging() == 1).await;
    sender.abort();
    t.let_pass(30);
    t.tell().await;
    assert!(boris.screen().contains(&format!("Новая заявка №{second}")));
    assert_eq!(boris.messages().len(), 1);

    // Between sending and noting it: twice is better than never, and both cards are answered truthfully.
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&VERA]).await;
    let third = t.order().create().await;
    t.tick().await;
    let claimed = deliver::claim(&t.app.store, None).await.expect("a database").remove(0);
    let screen = field_service::bots::render::notification(&claimed.notification.clone().expect("an offer"));
    t.app.telegram.master.send(VERA, &screen.text, &screen.keyboard).await.expect("Telegram");
    drop(claimed);
    t.let_pass(30);
    t.tell().await;
    assert_eq!((vera.messages().len(), open_cards(&vera)), (2, 2));
    assert!(vera.press("Взять заявку").await.notice().contains("принята"));
    let orphan = vera.tap_update_on(vera.messages()[0].id, &format!("m:new:acc:{third}:1"));
    assert!(vera.deliver(orphan).await.notice().contains("уже ваша"));
    assert_eq!(open_cards(&vera), 0);
    t.check().await;
}

/// A lease that has ended is somebody else's: whoever lost it finishes nothing.
#[tokio::test]
async fn whoever_lost_the_lease_finishes_nothing() {
    let t = Dispatch::with_standing_clock(0).await;
    let chats = t.open_chats();
    t.order().create().await;
    t.tick().await;
    let late = deliver::claim(&t.app.store, None).await.expect("a database");
    t.let_pass(30);
    let now = deliver::claim(&t.app.store, None).await.expect("a database");
    assert_eq!((late.len(), now.len()), (3, 3));
    let dropped = Finish::Dropped(Because::Refused);
    for row in &late {
        deliver::finish(&t.app.store, row, &dropped).await.expect("a database");
    }
    assert_eq!(t.outbox("OFFER").await, ["WAITS"; 3]);
    let bots = t.app.bots();
    join_all(now.into_iter().map(|row| delivery::attempt(&bots, row))).await;
    assert_eq!(t.outbox("OFFER").await, ["SENT"; 3]);
    assert!(chats.iter().all(|chat| chat.messages().len() == 1));
}

#[tokio::test]
async fn what_telegram_puts_off_is_put_back_and_the_chat_s_order_is_kept() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, ..] = t.open_chats();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.execute("INSERT INTO dispatch_policies (offer_ttl_seconds) VALUES (3600)", &[]).await;
    let first = t.order().create().await;
    t.tick().await;
    let second = t.order().create().await;
    t.tick().await;
    t.telegram.fail_next("sendMessage", 1, Fault::TooManyRequests(300));
    assert_eq!(t.told().await, 1);
    t.let_pass(299);
    assert_eq!((t.told().await, anna.messages().len()), (0, 0), "the second does not overtake the first");
    t.let_pass(1);
    t.tell().await;
    let told: Vec<_> = anna.messages().into_iter().map(|message| message.text).collect();
    assert!(told.len() == 2 && told[0].contains(&format!("№{first}")) && told[1].contains(&format!("№{second}")));
}

#[tokio::test]
async fn failures_are_tried_again_later_and_later() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, ..] = t.open_chats();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.order().create().await;
    t.tick().await;
    t.telegram.fail_next("sendMessage", 3, Fault::ServerError);
    t.telegram.fail_next("sendMessage", 3, Fault::BadGateway);
    for wait in [1, 2, 4, 8, 16, 32] {
        assert_eq!(t.told().await, 1);
        t.let_pass(wait - 1);
        if wait > 1 {
            assert_eq!(t.told().await, 0, "{wait} s");
        }
        assert!(anna.messages().is_empty());
        t.let_pass(1);
    }
    t.tell().await;
    assert_eq!(anna.messages().len(), 1);
}

#[tokio::test]
async fn what_can_never_be_sent_is_dropped_with_its_reason() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, _] = t.open_chats();
    t.execute("UPDATE masters SET on_shift = telegram_user_id IN ($1, $2)", &[&ANNA, &BORIS]).await;
    t.order().create().await;
    t.tick().await;
    t.telegram.fail_next("sendMessage", 1, Fault::BadRequest);
    t.tell().await;
    assert_eq!(anna.messages().len() + boris.messages().len(), 1, "the other one is not held up");
    let mut ended = t.outbox("OFFER").await;
    ended.sort();
    assert_eq!(ended, ["REFUSED", "SENT"]);
    assert_eq!(t.app.metrics.get("outbox", "DROPPED"), 1);

    // For a day it is tried, whatever stands in the way, and ten times at least.
    let order = t.order().of_master(VERA).in_status("ASSIGNED").create().await;
    let vera = field_service::model::TelegramUserId(VERA);
    store::outbox::enqueue_screen(&t.app.store, vera, Kind::OwnOrder, Some(order), None, 0).await.expect("a database");
    t.let_pass(24 * 3600 + 1);
    t.telegram.fail_next("sendMessage", 10, Fault::ServerError);
    for attempt in 1..=10 {
        assert_eq!(t.outbox("OWN_ORDER").await, ["WAITS"], "attempt {attempt}");
        assert_eq!(t.told().await, 1);
        t.let_pass(33);
    }
    assert_eq!(t.outbox("OWN_ORDER").await, ["ABANDONED"]);
}

#[tokio::test]
async fn whoever_cannot_be_written_to_is_asked_no_more_until_they_write() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, _] = t.open_chats();
    let staff = t.add_staff(STAFF).await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id IN ($1, $2)", &[&ANNA, &BORIS]).await;
    t.execute("UPDATE masters SET phone = '8 912 000-00-01' WHERE telegram_user_id = $1", &[&ANNA]).await;
    anna.block_bot(true);
    let first = t.order().create().await;
    t.tick().await;
    t.tell().await;
    assert_eq!(t.offer_state(first, ANNA).await, "SENT", "the offer stays: she may look by herself");
    assert!(staff.screen().contains("Анна") && staff.screen().contains("8 (912) 000-00-01"), "{}", staff.screen());

    let second = t.order().create().await;
    t.tick().await;
    t.tell().await;
    assert_eq!(t.asked(second).await, [BORIS]);
    assert_eq!(staff.messages().len(), 1, "once is enough");

    anna.say("/start").await;
    let third = t.order().create().await;
    t.tick().await;
    t.tell().await;
    assert!(t.asked(third).await.contains(&ANNA));
    assert!(anna.screen().contains(&format!("Новая заявка №{third}")), "{}", anna.screen());
    assert_eq!(boris.messages().len(), 3);
    t.check().await;
}

/// Failure 11 of the older system: a notice at every tick.
#[tokio::test]
async fn staff_are_told_once_of_an_order_that_needs_them() {
    let t = Dispatch::with_standing_clock(0).await;
    let (staff, other) = (t.add_staff(STAFF).await, t.add_staff(STAFF + 1).await);
    t.execute("UPDATE staff SET is_active = false WHERE telegram_user_id = $1", &[&(STAFF + 1)]).await;
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    let nobody = t.order().create().await;
    for _ in 0..5 {
        t.tick().await;
        t.tell().await;
        t.let_pass(200);
    }
    let screen = staff.screen();
    assert!(screen.contains(&format!("Заявка №{nobody} ждёт диспетчера")), "{screen}");
    assert!(screen.contains("Предложить некому"), "{screen}");
    assert_eq!((staff.messages().len(), other.messages().len()), (1, 0));

    t.open_chats();
    t.execute("INSERT INTO dispatch_policies (offer_ttl_seconds) VALUES (3600)", &[]).await;
    t.execute("UPDATE masters SET on_shift = true", &[]).await;
    t.order().create().await;
    t.tick().await;
    t.let_pass(600);
    t.tick().await;
    t.tell().await;
    assert!(staff.screen().contains("слишком долго"), "{}", staff.screen());
    assert_eq!(staff.messages().len(), 2);
}

#[tokio::test]
async fn an_order_that_could_not_be_shown_to_its_winner_is_shown_later() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, ..] = t.open_chats();
    for fault in [Fault::TooManyRequests(60), Fault::BadGateway, Fault::ServerError] {
        let order = t.order().offered_to([ANNA]).await;
        anna.say("/start").await;
        t.telegram.fail_next("editMessageText", 1, fault);
        assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
        assert!(!anna.screen().contains(&format!("№{order}")), "{fault:?}");
        t.tell().await;
        t.let_pass(60);
        t.tell().await;
        assert!(anna.screen().contains(&format!("Ваша заявка №{order}")), "{fault:?}: {}", anna.screen());
        assert!(anna.screen().contains("+79990001122"));
    }
    assert_eq!(t.outbox("OWN_ORDER").await, ["SENT"; 3]);
}

#[tokio::test]
async fn a_list_that_could_not_be_shown_in_place_of_a_card_is_shown_later() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris, _] = t.open_chats();
    let order = t.order().create().await;
    t.tick().await;
    t.tell().await;
    t.tap_accept(ANNA, order).await;
    t.tell().await;
    let second = t.order().create().await;
    t.tick().await;
    t.tell().await;
    t.telegram.fail_next("editMessageText", 1, Fault::TooManyRequests(5));
    boris.press("Отклонить").await;
    assert!(boris.screen().contains("Новая заявка"), "{}", boris.screen());
    t.telegram.fail_next("editMessageText", 1, Fault::TooManyRequests(5));
    boris.tap(&format!("m:new:dec_yes:{second}:1")).await;
    assert_eq!(open_cards(&boris), 1, "Telegram did not take the edit");
    t.let_pass(5);
    t.tell().await;
    assert_eq!(open_cards(&boris), 0, "{}", boris.screen());
    assert!(anna.messages().len() > 1);
}

/// What waits to be shown in a message does not cover what the master has opened there since.
#[tokio::test]
async fn what_could_not_be_shown_is_overtaken_by_what_was_opened_since() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, ..] = t.open_chats();
    anna.say("/start").await;
    for opened in ["m:menu", "m:act"] {
        let order = t.order().offered_to([ANNA]).await;
        t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
        t.tap_accept(ANNA, order).await;
        anna.tap(opened).await;
        let screen = anna.screen();
        t.let_pass(5);
        t.tell().await;
        assert_eq!(anna.screen(), screen);
    }
    // A screen of work is shown by the next tap, and by nothing else.
    t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
    anna.tap("m:menu").await;
    assert_eq!(t.outbox("LIST").await, [""; 0]);
}

#[tokio::test]
async fn staff_hear_of_a_master_who_does_not_know_what_was_given_to_them() {
    let t = Dispatch::with_standing_clock(0).await;
    let staff = t.add_staff(STAFF).await;
    let order = t.order().create().await;
    t.execute("UPDATE masters SET on_shift = false, unreachable_since = now()", &[]).await;
    assert_eq!(t.first_of_staff_does(order, &StaffCommand::Assign(MasterId(1)), None).await, "SUCCESS");
    t.tell().await;
    assert!(staff.screen().contains(&format!("не знает, что заявка №{order}")), "{}", staff.screen());
}

/// A flood of offers that ends before its turn costs nobody a turn.
#[tokio::test]
async fn what_was_overtaken_is_cleared_away_at_once() {
    let t = Dispatch::with_standing_clock(0).await;
    t.execute("UPDATE masters SET max_active_orders = 1000", &[]).await;
    let orders = join_all((0..50).map(|_| t.order().create())).await;
    t.tick().await;
    let chats = t.open_chats();
    t.let_pass(121);
    let last = t.order().create().await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.tick().await;
    assert_eq!(t.told().await, 1);
    assert!(chats[0].screen().contains(&format!("Новая заявка №{last}")), "{}", chats[0].screen());
    assert_eq!(orders.len(), 50);
}

#[tokio::test]
async fn a_broadcast_keeps_below_thirty_a_second_and_to_one_a_second_in_a_chat() {
    let t = Dispatch::with_standing_clock(0).await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at)
         SELECT 'MASTER', 1000 + n % 40, 'CANCELED', n, '2000-01-01', '2000-01-01' FROM generate_series(1, 120) AS n",
        &[],
    )
    .await;
    let mut claimed_in = Vec::new();
    for _ in 0..6 {
        let rows = deliver::claim(&t.app.store, None).await.expect("a database");
        assert!(deliver::claim(&t.app.store, None).await.expect("a database").is_empty(), "no more in this second");
        let mut chats: Vec<i64> = rows.iter().map(|row| row.user.0).collect();
        chats.sort_unstable();
        chats.dedup();
        assert_eq!(chats.len(), rows.len(), "one in a chat");
        claimed_in.push(rows.len());
        let sent = Finish::Sent { card: None };
        join_all(rows.iter().map(|row| deliver::finish(&t.app.store, row, &sent))).await;
        t.let_pass(1);
    }
    assert_eq!(claimed_in, [24, 24, 24, 24, 24, 0]);
    // Two senders at once share the same second.
    t.execute("UPDATE outbox SET finished_at = NULL, scheduled = false, due_at = '2000-01-01'", &[]).await;
    let rows = join_all((0..8).map(|_| deliver::claim(&t.app.store, None))).await;
    assert!(rows.into_iter().map(|rows| rows.expect("a database").len()).sum::<usize>() <= 24);
}

/// What a sender meets on a bad day; nothing is lost, and nothing comes twice.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_survive_a_telegram_that_fails_every_tenth_call() {
    const ROWS: i64 = 10_000;
    const CHATS: i64 = 400;
    let t = Dispatch::with_standing_clock(0).await;
    let chats: Vec<Chat> = (0..CHATS).map(|chat| t.chat(1000 + chat)).collect();
    for chat in &chats {
        chat.open();
    }
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone)
         SELECT 1, 'PLUMBING', 'CANCELED', 'ул. Ленина, 5', 'Мария', '+79990001122' FROM generate_series(1, $1::bigint)",
        &[&ROWS],
    )
    .await;
    t.execute(
        "INSERT INTO masters (telegram_user_id, full_name, city_id)
         SELECT 1000 + n, 'Мастер', 1 FROM generate_series(0, $1::bigint - 1) AS n",
        &[&CHATS],
    )
    .await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at)
         SELECT 'MASTER', 1000 + id % $1, 'CANCELED', id, $2, $2 FROM orders ORDER BY id",
        &[&CHATS, &t.clock.now()],
    )
    .await;
    t.telegram.fail_every(10, vec![Fault::TooManyRequests(3), Fault::ServerError, Fault::Hang]);

    let mut under_way = JoinSet::new();
    loop {
        let rows = deliver::claim(&t.app.store, None).await.expect("a database");
        let nothing = rows.is_empty();
        for row in rows {
            let app = Arc::clone(&t.app);
            under_way.spawn(async move { delivery::attempt(&app.bots(), row).await });
        }
        // What hangs is not waited for; the clock stands while anything else is under way.
        while under_way.len() > t.telegram.hanging() {
            drop(tokio::time::timeout(Duration::from_millis(20), under_way.join_next()).await);
        }
        if nothing && t.one::<i64>("SELECT count(*) FROM outbox WHERE finished_at IS NULL", &[]).await == 0 {
            break;
        }
        t.let_pass(1);
    }
    while under_way.join_next().await.is_some() {}

    let mut told: HashMap<String, u32> = HashMap::new();
    for chat in &chats {
        let mut last = 0;
        for message in chat.messages() {
            let number: String =
                message.text.chars().skip_while(|c| *c != '№').skip(1).take_while(char::is_ascii_digit).collect();
            let order: i64 = number.parse().expect("an order's number");
            assert!(order > last, "in a chat in order: {order} after {last}");
            last = order;
            *told.entry(number).or_default() += 1;
        }
    }
    let ended = t.outbox("CANCELED").await;
    assert!(ended.iter().all(|ended| ended == "SENT"), "{:?}", ended.iter().find(|ended| *ended != "SENT"));
    assert_eq!(i64::try_from(told.len()), Ok(ROWS));
    assert!(told.values().all(|times| *times == 1), "none twice");
    let failed = t.app.metrics.get("outbox", "LATER");
    assert!(failed > 1000, "{failed} calls failed");
}

/// The statements that write messages, on a database without anybody to tell.
#[tokio::test]
async fn an_order_without_cards_writes_no_message_for_a_tap() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.tap_accept(ANNA, order).await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox", &[]).await, 0);
    assert_eq!(t.telegram.calls().iter().filter(|call| call.method != "answerCallbackQuery").count(), 1);
}

/// What is about to be shown in a message does not cover what the master opens there meanwhile; and the chat is free for what
/// comes next.
#[tokio::test]
async fn what_is_about_to_be_shown_is_overtaken_by_what_is_opened_meanwhile() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, ..] = t.open_chats();
    anna.say("/start").await;
    let order = t.order().offered_to([ANNA]).await;
    t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
    t.tap_accept(ANNA, order).await;
    t.let_pass(5);
    let row = deliver::claim(&t.app.store, None).await.expect("a database").remove(0);
    anna.tap("m:act").await;
    let screen = anna.screen();
    delivery::attempt(&t.app.bots(), row).await;
    assert_eq!(anna.screen(), screen);
    assert_eq!(t.outbox("OWN_ORDER").await, ["OVERTAKEN"]);

    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at) VALUES ('MASTER', $1, 'CHANGED', $2, $3, $3)",
        &[&ANNA, &order.0, &t.clock.now()],
    )
    .await;
    t.let_pass(1);
    assert_eq!(t.told().await, 1);
    assert!(shows(&anna, "Заявку изменили"), "{}", anna.screen());
}

/// That a card was sent is recorded late, or once more: the master has opened something else in its message since.
#[tokio::test]
async fn a_card_that_is_recorded_late_does_not_take_its_message_back() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, ..] = t.open_chats();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.order().create().await;
    t.tick().await;
    let row = deliver::claim(&t.app.store, None).await.expect("a database").remove(0);
    let screen = field_service::bots::render::notification(&row.notification.clone().expect("an offer"));
    let card = t.app.telegram.master.send(ANNA, &screen.text, &screen.keyboard).await.expect("Telegram");
    anna.tap("m:menu").await;
    let menu = anna.screen();
    for _ in 0..2 {
        deliver::finish(&t.app.store, &row, &Finish::Sent { card }).await.expect("a database");
    }
    assert_eq!(t.outbox("OFFER").await, ["SENT"]);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM cards", &[]).await, 0);
    t.let_pass(121);
    t.tick().await;
    t.tell().await;
    assert_eq!(anna.screen(), menu);
}

/// An offer has ended, and its card is about to be deleted, when the master opens another order in that message.
#[tokio::test]
async fn a_message_in_which_another_order_was_opened_is_not_deleted() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, ..] = t.open_chats();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.order().create().await;
    t.tick().await;
    t.tell().await;
    t.let_pass(121);
    t.tick().await;
    let other = t.order().offered_to([ANNA]).await;
    let row = deliver::claim(&t.app.store, None).await.expect("a database").remove(0);
    assert!(row.deletable);
    anna.tap(&format!("m:new:card:{other}:1")).await;
    let card = anna.screen();
    assert!(card.contains(&format!("№{other}")), "{card}");
    delivery::attempt(&t.app.bots(), row).await;
    t.let_pass(1);
    t.told().await;
    assert_eq!(anna.screen(), card);
    assert_eq!(t.outbox("OFFER_ENDED").await, ["OVERTAKEN"]);
}

#[tokio::test]
async fn a_card_is_known_although_its_master_wrote_while_it_was_being_sent() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, _, _] = t.open_chats();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.order().in_status("CREATED").create().await;
    t.tick().await;
    let row = deliver::claim(&t.app.store, None).await.expect("a database").remove(0);
    anna.say("1500").await;
    delivery::attempt(&t.app.bots(), row).await;
    assert_eq!(open_cards(&anna), 1);

    t.let_pass(121);
    t.tick().await;
    t.tell().await;
    assert_eq!(open_cards(&anna), 0, "the offer's time is over");
    t.check().await;
}
