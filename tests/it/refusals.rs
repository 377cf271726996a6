//! Telegram cannot reach a person, or anybody: the first is the person's doing, the second an operator's fault, for which
//! nobody is marked. The clock is the test's.

use field_service::bots::delivery;
use field_service::sim::telegram::{Chat, Fault};
use field_service::store;

use crate::harness::{ANNA, BORIS, Dispatch, VERA};

const STAFF: i64 = 500;

impl Dispatch {
    async fn unreachable(&self) -> Vec<i64> {
        self.one(
            "SELECT coalesce(array_agg(telegram_user_id ORDER BY id), '{}') FROM masters WHERE unreachable_since IS NOT NULL",
            &[],
        )
        .await
    }

    /// One pass a second, as the jobs do.
    async fn seconds_of_delivery(&self, seconds: u32) {
        for _ in 0..seconds {
            delivery::pass(&self.app.bots(), None).await.expect("a database");
            self.let_pass(1);
        }
    }

    fn masters_chats(&self) -> [Chat; 3] {
        [ANNA, BORIS, VERA].map(|user| {
            let chat = self.chat(user);
            chat.open();
            chat
        })
    }
}

#[tokio::test]
async fn when_telegram_refuses_everybody_nobody_is_marked_and_messages_wait() {
    let t = Dispatch::with_standing_clock(5).await;
    let chats = t.masters_chats();
    let staff = t.add_staff(STAFF).await;
    t.execute(
        "INSERT INTO dispatch_policies (offer_ttl_seconds, masters_per_round, widen_every_seconds) VALUES (3600, 8, 0)",
        &[],
    )
    .await;
    for other in 200..205 {
        t.chat(other).open();
    }
    let waits = "SELECT string_agg(on_shift_since::text, ' ' ORDER BY id) FROM masters WHERE on_shift";
    let before: String = t.one(waits, &[]).await;
    // A token of another bot, to which nobody has written.
    t.telegram.fail_next("sendMessage", 8, Fault::Forbidden);
    let order = t.order().create().await;
    t.tick().await;
    t.seconds_of_delivery(10).await;
    assert_eq!(t.unreachable().await, [0; 0]);
    // Some were marked until it was known that nobody can be written to, and lose nothing by it.
    let withdrawn = "SELECT count(*) FROM master_changes WHERE what = 'REACHABLE' AND to_value = 'withdrawn'";
    assert!(t.one::<i64>(withdrawn, &[]).await > 0);
    assert_eq!(t.one::<String>(waits, &[]).await, before, "they wait on");
    let refused = store::outbox::backlog(&t.app.store).await.expect("a database").refused_people;
    assert!(refused >= 3, "{refused}");
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox WHERE dropped_because = 'UNREACHABLE'", &[]).await, 0);
    // It is mended: everybody is told, and asked again.
    t.seconds_of_delivery(70).await;
    for chat in &chats {
        assert!(chat.screen().contains(&format!("Новая заявка №{order}")), "{}", chat.screen());
    }
    assert_eq!(store::outbox::backlog(&t.app.store).await.expect("a database").refused_people, 0);
    t.tick().await;
    t.seconds_of_delivery(5).await;
    assert!(staff.messages().iter().all(|message| !message.text.contains("не доходят")), "{:?}", staff.messages());

    // And now one who has really blocked the bot is marked as before.
    chats[0].block_bot(true);
    t.order().create().await;
    t.tick().await;
    t.seconds_of_delivery(3).await;
    assert_eq!(t.unreachable().await, [ANNA]);
    t.seconds_of_delivery(3).await;
    assert!(staff.screen().contains("не доходят"), "{}", staff.screen());
    // Who unblocks it waits anew.
    chats[0].say("/start").await;
    assert_eq!(t.unreachable().await, [0; 0]);
    assert_ne!(t.one::<String>(waits, &[]).await, before);
    t.check().await;
}

/// While everybody is refused one message at a time is tried, and each waits.
#[tokio::test]
async fn a_bot_that_everybody_is_refused_by_makes_few_calls() {
    let t = Dispatch::with_standing_clock(0).await;
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone)
         VALUES (1, 'PLUMBING', 'CANCELED', 'x', 'x', '+7')",
        &[],
    )
    .await;
    t.execute(
        "INSERT INTO masters (telegram_user_id, full_name, city_id) SELECT 3000 + n, 'Мастер', 1 FROM generate_series(1, 200) AS n",
        &[],
    )
    .await;
    t.execute(
        "INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at)
         SELECT 'MASTER', 3000 + n, 'CANCELED', 1, $1, $1 FROM generate_series(1, 200) AS n",
        &[&t.clock.now()],
    )
    .await;
    // Nobody has opened this bot: «chat not found».
    t.seconds_of_delivery(30).await;
    let calls = t.telegram.calls().len();
    assert!((24..=24 + 30).contains(&calls), "{calls}");
    assert_eq!(t.unreachable().await, [0; 0]);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox WHERE finished_at IS NOT NULL", &[]).await, 0);
}

/// Those who are known not to be reachable say nothing about the bot, however many they are.
#[tokio::test]
async fn people_who_were_unreachable_before_are_no_streak() {
    let t = Dispatch::with_standing_clock(0).await;
    let chats = t.masters_chats();
    for chat in &chats {
        chat.block_bot(true);
    }
    t.execute("UPDATE masters SET unreachable_since = $1", &[&t.clock.now()]).await;
    t.let_pass(10);
    for (user, _) in [ANNA, BORIS, VERA].into_iter().zip(&chats) {
        let order = t.order().of_master(user).in_status("ASSIGNED").create().await;
        t.execute(
            "INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at) VALUES ('MASTER', $1, 'ASSIGNED', $2, $3, $3)",
            &[&user, &order.0, &t.clock.now()],
        )
        .await;
    }
    t.seconds_of_delivery(3).await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox WHERE dropped_because = 'UNREACHABLE'", &[]).await, 3);
    assert_eq!(t.unreachable().await, [ANNA, BORIS, VERA]);
}

/// Telegram has several words for it; this one is for somebody who never wrote to the bot.
#[tokio::test]
async fn a_person_who_is_not_there_is_marked_like_one_who_blocked_the_bot() {
    let t = Dispatch::with_standing_clock(0).await;
    let staff = t.add_staff(STAFF).await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.order().create().await;
    t.tick().await;
    t.tell().await;
    assert_eq!(t.unreachable().await, [ANNA]);
    assert!(staff.screen().contains("Анна"), "{}", staff.screen());
    let order = t.order().create().await;
    t.tick().await;
    assert_eq!(t.asked(order).await, [0; 0]);
}
