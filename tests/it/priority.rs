//! Which message goes first, and what one that fails does to the others. The clock is the test's.

use field_service::bots::delivery;
use field_service::dispatch::deliver::{self, Finish};
use field_service::model::TelegramUserId;
use field_service::model::notification::Kind;
use field_service::sim::telegram::Fault;
use field_service::store;
use futures_util::future::join_all;

use crate::harness::{ANNA, BORIS, Dispatch, VERA};

const STAFF: i64 = 500;

impl Dispatch {
    /// Rows of a kind, one in each of so many chats, in the order of the chats.
    async fn flood(&self, kind: &str, rows: i64, chats: i64) {
        self.execute(
            "INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
             SELECT 'MASTER', 10000 + n % $3, $1, n, n, $4, $4 FROM generate_series(1, $2::bigint) AS n",
            &[&kind, &rows, &chats, &self.clock.now()],
        )
        .await;
    }

    /// The kinds of what is claimed now; it counts as sent.
    async fn claimed_kinds(&self) -> Vec<String> {
        let rows = deliver::claim(&self.app.store, None).await.expect("a database");
        let ids: Vec<i64> = rows.iter().map(|row| row.lease.row).collect();
        join_all(rows.iter().map(|row| deliver::finish(&self.app.store, row, &Finish::Sent { card: None }))).await;
        self.one("SELECT coalesce(array_agg(kind ORDER BY id), '{}') FROM outbox WHERE id = ANY ($1)", &[&ids]).await
    }

    async fn waiting(&self) -> i64 {
        self.one("SELECT count(*) FROM outbox WHERE finished_at IS NULL", &[]).await
    }
}

fn count(kinds: &[String], kind: &str) -> usize {
    kinds.iter().filter(|other| *other == kind).count()
}

#[tokio::test]
async fn a_new_offer_does_not_wait_behind_a_flood_of_corrections() {
    let t = Dispatch::with_standing_clock(0).await;
    t.chat(ANNA).open();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    // Some have been scheduled, others not yet.
    for chats in [3_000_i64, 2_000] {
        t.flood("LIST", 30_000, chats).await;
    }
    t.execute(
        "INSERT INTO outbox_chats (bot, chat_id, ready_at, class)
         SELECT 'MASTER', 10000 + n, $1::timestamptz, 3 FROM generate_series(0, 2999) AS n",
        &[&t.clock.now()],
    )
    .await;
    t.execute("UPDATE outbox SET scheduled = true WHERE id <= 10000", &[]).await;
    t.execute("ANALYZE", &[]).await;
    let order = t.order().create().await;
    t.tick().await;
    let begun = std::time::Instant::now();
    let kinds = t.claimed_kinds().await;
    let took = begun.elapsed();
    assert_eq!(count(&kinds, "OFFER"), 1, "{kinds:?}");
    assert_eq!(kinds.len(), 24, "the rest of the second is the corrections'");
    assert!(took < std::time::Duration::from_secs(2), "{took:?} for {order}");
}

#[tokio::test]
async fn no_flood_starves_what_is_not_part_of_it() {
    let t = Dispatch::with_standing_clock(0).await;
    t.flood("CANCELED", 500, 500).await;
    t.execute("UPDATE outbox SET chat_id = chat_id + 10000", &[]).await;
    t.flood("OFFER", 500, 500).await;
    t.execute("UPDATE outbox SET chat_id = chat_id + 10000", &[]).await;
    t.flood("LIST", 500, 500).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.extend(t.claimed_kinds().await);
        t.let_pass(1);
    }
    let [now, offers, corrections] = ["CANCELED", "OFFER", "LIST"].map(|kind| count(&all, kind));
    assert_eq!((now, offers, corrections), (72, 24, 24));
}

/// Whatever a later release sends is waited for, unless it says otherwise.
#[tokio::test]
async fn a_kind_that_is_not_known_is_needed_now() {
    let t = Dispatch::with_standing_clock(0).await;
    let classes: Vec<i16> = t
        .one("SELECT array_agg(outbox_class(kind) ORDER BY n) FROM unnest(ARRAY['ASSIGNED', 'OFFER', 'OFFER_ENDED', 'LIST', 'NEW_ONE']) WITH ORDINALITY AS kinds (kind, n)", &[])
        .await;
    assert_eq!(classes, [1, 2, 3, 3, 1]);
}

/// One failing edit made a master deaf for a day.
#[tokio::test]
async fn an_edit_that_always_fails_holds_up_nothing_behind_it() {
    let t = Dispatch::with_standing_clock(0).await;
    let anna = t.chat(ANNA);
    anna.say("/start").await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    let message = anna.messages().last().expect("the menu").id;
    let user = TelegramUserId(ANNA);
    let own = t.order().of_master(ANNA).in_status("ASSIGNED").create().await;
    // What is needed now, and a correction: neither can be shown.
    store::outbox::enqueue_screen(&t.app.store, user, Kind::OwnOrder, Some(own), Some(message), 0)
        .await
        .expect("a database");
    store::outbox::enqueue_screen(&t.app.store, user, Kind::List, None, Some(message - 1), 0)
        .await
        .expect("a database");
    t.telegram.fail_next("editMessageText", 100_000, Fault::ServerError);
    t.let_pass(2);
    let order = t.order().create().await;
    t.tick().await;
    for _ in 0..10 {
        delivery::pass(&t.app.bots(), None).await.expect("a database");
        t.let_pass(1);
    }
    assert!(anna.screen().contains(&format!("Новая заявка №{order}")), "{}", anna.screen());
    // Another correction, of another message, which Telegram takes.
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at) VALUES ('MASTER', $1, 'LIST', NULL, $2, $2)",
        &[&ANNA, &t.clock.now()],
    )
    .await;
    for _ in 0..10 {
        delivery::pass(&t.app.bots(), None).await.expect("a database");
        t.let_pass(1);
    }
    assert!(anna.screen().contains("Новые заявки"), "{}", anna.screen());
    assert_eq!(t.waiting().await, 2, "they are still tried");
}

#[tokio::test]
async fn corrections_of_the_same_message_that_wait_are_one() {
    let t = Dispatch::with_standing_clock(0).await;
    let anna = t.chat(ANNA);
    anna.say("/start").await;
    let message = anna.messages().last().expect("the menu").id;
    let user = TelegramUserId(ANNA);
    let orders = join_all((0..3).map(|_| t.order().of_master(ANNA).in_status("ASSIGNED").create())).await;
    for order in &orders {
        store::outbox::enqueue_screen(&t.app.store, user, Kind::OwnOrder, Some(*order), Some(message), 0)
            .await
            .expect("a database");
    }
    store::outbox::enqueue_screen(&t.app.store, user, Kind::List, None, Some(message), 0).await.expect("a database");
    assert_eq!(t.waiting().await, 1, "the next state of the message takes the place of the one before");
    // Written by others: a later release, somebody's hand.
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, message_id, created_at, due_at)
         SELECT 'MASTER', $1, 'OWN_ORDER', id, $2, $3, $3 FROM orders ORDER BY id DESC LIMIT 1",
        &[&ANNA, &message, &t.clock.now()],
    )
    .await;
    t.let_pass(2);
    t.tell().await;
    assert!(anna.screen().contains(&format!("Ваша заявка №{}", orders[2])), "{}", anna.screen());
    assert_eq!(anna.messages().last().map(|message| message.edits), Some(1));

    // Of one offer's card likewise.
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&BORIS]).await;
    t.chat(BORIS).open();
    t.order().create().await;
    t.tick().await;
    t.tell().await;
    t.execute("UPDATE offers SET state = 'DECLINED'", &[]).await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
         SELECT 'MASTER', $1, 'OFFER_ENDED', order_id, id, $2, $2 FROM offers, generate_series(1, 5)",
        &[&BORIS, &t.clock.now()],
    )
    .await;
    let before = t.telegram.calls().len();
    t.tell().await;
    assert_eq!(t.telegram.calls().len(), before + 1);
}

/// An offer's card is sent before it is corrected, and an assignment overtakes what corrects other messages.
#[tokio::test]
async fn an_assignment_overtakes_corrections() {
    let t = Dispatch::with_standing_clock(0).await;
    let [anna, boris] = [ANNA, BORIS].map(|user| {
        let chat = t.chat(user);
        chat.open();
        chat
    });
    t.execute("UPDATE masters SET on_shift = telegram_user_id IN ($1, $2)", &[&ANNA, &BORIS]).await;
    let lost = join_all((0..3).map(|_| t.order().create())).await;
    t.tick().await;
    t.tell().await;
    for order in &lost {
        t.execute(
            "UPDATE outbox_bots SET not_before = $1",
            &[&t.clock.now().map(|now| now + jiff::SignedDuration::from_secs(2))],
        )
        .await;
        t.tap_accept(ANNA, *order).await;
    }
    let given = t.order().of_master(BORIS).in_status("ASSIGNED").create().await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at) VALUES ('MASTER', $1, 'ASSIGNED', $2, $3, $3)",
        &[&BORIS, &given.0, &t.clock.now()],
    )
    .await;
    t.let_pass(2);
    delivery::pass(&t.app.bots(), None).await.expect("a database");
    assert!(boris.screen().contains("Вам назначена заявка"), "{}", boris.screen());
    t.tell().await;
    let lost = boris.messages().iter().filter(|message| message.text.contains("Уже занято")).count();
    assert_eq!(lost, 3);
    assert!(!anna.messages().is_empty());
}

#[tokio::test]
async fn what_waits_for_one_dispatcher_comes_in_one_message() {
    let t = Dispatch::with_standing_clock(0).await;
    let staff = t.add_staff(STAFF).await;
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    let orders = join_all((0..13).map(|_| t.order().create())).await;
    // One is canceled before it is told of.
    t.tick().await;
    assert_eq!(t.waiting().await, 13);
    t.execute("UPDATE orders SET status = 'CANCELED', version = 2 WHERE id = $1", &[&orders[0].0]).await;
    let told = delivery::pass(&t.app.bots(), None).await.expect("a database");
    assert_eq!((told, staff.messages().len(), t.waiting().await), (1, 1, 0));
    let screen = staff.screen();
    assert!(screen.contains("12 заявок ждут диспетчера") && screen.contains("…и ещё 2"), "{screen}");
    let named = |order: &field_service::model::OrderId| {
        let number = format!("№{order}");
        screen
            .match_indices(&number)
            .any(|(at, _)| !screen[at + number.len()..].starts_with(|c: char| c.is_ascii_digit()))
    };
    assert_eq!(orders.iter().map(named).collect::<Vec<_>>(), [&[false][..], &[true; 12]].concat(), "{screen}");
    let ended: Vec<String> = t
        .one("SELECT array_agg(DISTINCT coalesce(dropped_because, 'SENT')) FROM outbox WHERE kind = 'ESCALATED'", &[])
        .await;
    assert_eq!(ended, ["OVERTAKEN", "SENT"]);

    // Several that fail together wait together, and masters who cannot be reached are named in one message.
    t.execute("UPDATE masters SET unreachable_since = $1", &[&t.clock.now()]).await;
    t.tick().await;
    assert_eq!(t.waiting().await, 3);
    t.let_pass(1);
    t.telegram.fail_next("sendMessage", 1, Fault::ServerError);
    delivery::pass(&t.app.bots(), None).await.expect("a database");
    assert_eq!(t.waiting().await, 3);
    t.let_pass(2);
    delivery::pass(&t.app.bots(), None).await.expect("a database");
    let screen = staff.screen();
    assert!(["Анна", "Борис", "Вера"].iter().all(|name| screen.contains(name)), "{screen}");
    assert_eq!((staff.messages().len(), t.waiting().await), (2, 0));
    assert_eq!([ANNA, BORIS, VERA].len(), 3);
}

/// However many wait: each is named, in as many messages as that takes.
#[tokio::test]
async fn of_many_that_wait_for_one_dispatcher_each_is_named() {
    let t = Dispatch::with_standing_clock(0).await;
    let staff = t.add_staff(STAFF).await;
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    let orders = join_all((0..65).map(|_| t.order().create())).await;
    let long = "ы".repeat(400);
    t.execute("UPDATE orders SET address = $1, description = $1", &[&long]).await;
    t.tick().await;
    t.tell().await;
    let said: String = staff.messages().iter().map(|message| message.text.clone() + "\n").collect();
    let numbers: std::collections::BTreeSet<&str> = said
        .split('№')
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default())
        .collect();
    assert_eq!((staff.messages().len(), numbers.len()), (3, orders.len()));
}

/// A chat's new offer fails, and is tried again later: what waits behind it is no more patient than a new offer is.
#[tokio::test]
async fn what_waits_behind_a_message_that_fails_keeps_that_one_s_place() {
    let t = Dispatch::with_standing_clock(0).await;
    t.chat(ANNA).open();
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.order().create().await;
    t.tick().await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, created_at, due_at) VALUES ('MASTER', $1, 'LIST', $2, $2)",
        &[&ANNA, &t.clock.now()],
    )
    .await;
    t.telegram.fail_next("sendMessage", 3, Fault::ServerError);
    for wait in [1, 2, 4] {
        delivery::pass(&t.app.bots(), None).await.expect("a database");
        let class: i16 = t.one("SELECT class FROM outbox_chats WHERE chat_id = $1", &[&ANNA]).await;
        assert_eq!(class, 2);
        if wait < 4 {
            t.let_pass(wait);
        }
    }
}

/// What a later release has written waits for that one, and holds up nothing behind it.
#[tokio::test]
async fn a_row_of_a_later_release_holds_up_nothing_behind_it() {
    let t = Dispatch::with_standing_clock(0).await;
    let anna = t.chat(ANNA);
    anna.open();
    t.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check", &[]).await;
    for kind in ["NEWER", "LIST"] {
        t.execute(
            "INSERT INTO outbox (bot, chat_id, kind, created_at, due_at) VALUES ('MASTER', $1, $2, $3, $3)",
            &[&ANNA, &kind, &t.clock.now()],
        )
        .await;
    }
    for _ in 0..3 {
        delivery::pass(&t.app.bots(), None).await.expect("a database");
        t.let_pass(1);
    }
    assert!(anna.screen().contains("Новые заявки"), "{}", anna.screen());
    assert_eq!(t.waiting().await, 1);
}
