//! What masters type: a question is open while it is the last thing shown, an answer counts once it is confirmed, and can be
//! corrected for a quarter of an hour; every message is answered, once.

use field_service::model::OrderId;
use field_service::sim::telegram::Chat;
use field_service::sim::telegram::Fault;
use serde_json::{Value, json};

use crate::harness::{ADMIN_TOKEN, ANNA, Dispatch, MASTER_TOKEN, STRANGER};

impl Dispatch {
    /// Two orders of Anna's that wait for their sums, and her chat.
    async fn two_to_be_paid(&self) -> ([OrderId; 2], Chat) {
        let chat = self.chat(ANNA);
        chat.say("/start").await;
        let mut orders = Vec::new();
        for _ in 0..2 {
            let order = self.order().offered_to([ANNA]).await;
            self.tap_accept(ANNA, order).await;
            self.steps(&chat, order, &["enr", "wrk", "cls_yes"]).await;
            orders.push(order);
        }
        (orders.try_into().expect("two"), chat)
    }

    async fn amount(&self, order: OrderId) -> Option<String> {
        self.one("SELECT final_amount::text FROM orders WHERE id = $1", &[&order.0]).await
    }

    async fn deliver_message(&self, update: &Value) {
        self.telegram.deliver(MASTER_TOKEN, update).await;
    }
}

#[tokio::test]
async fn a_sum_is_taken_for_the_order_whose_question_is_the_last_thing_shown() {
    let t = Dispatch::start().await;
    let ([first, second], chat) = t.two_to_be_paid().await;
    chat.press("Мои заявки").await;
    chat.press(&format!("№{first}")).await;
    chat.say("1500").await;
    assert_eq!((t.status(first).await.as_str(), t.status(second).await.as_str()), ("PAYMENT", "PAYMENT"));
    assert!(chat.screen().contains("Не понял"), "no question is the last thing shown: {}", chat.screen());

    chat.press("Мои заявки").await;
    chat.press(&format!("№{first}")).await;
    chat.press("Указать сумму").await;
    t.answer(&chat, "1500").await;
    assert!(chat.screen().contains(&format!("Заявка №{first} закрыта")), "{}", chat.screen());
    assert_eq!((t.status(first).await.as_str(), t.status(second).await.as_str()), ("CLOSED", "PAYMENT"));
    t.check().await;
}

#[tokio::test]
async fn any_screen_leaves_a_question_and_another_order_s_question_moves_it() {
    let t = Dispatch::start().await;
    let ([first, second], chat) = t.two_to_be_paid().await;
    let card = format!("m:act:card:{second}");
    for screen in
        ["m:menu", "m:act", "m:new", "m:sh:on", &card, "m:new:card:1", "m:new:acc:1", "m:new:dec:1", "nonsense"]
    {
        chat.tap(&format!("m:act:cls:{first}")).await;
        chat.tap(screen).await;
        chat.say("1500").await;
        assert!(chat.screen().contains("Не понял"), "{screen}: {}", chat.screen());
        assert_eq!(t.status(first).await, "PAYMENT", "{screen}");
    }
    chat.tap(&format!("m:act:cls:{first}")).await;
    chat.tap(&format!("m:act:cls:{second}")).await;
    chat.say("700").await;
    assert!(chat.screen().contains(&format!("Закрыть заявку №{second} за 700")), "{}", chat.screen());
    chat.press("Да, закрыть").await;
    assert_eq!((t.status(first).await.as_str(), t.status(second).await.as_str()), ("PAYMENT", "CLOSED"));
}

#[tokio::test]
async fn a_typed_sum_is_confirmed_changed_and_corrected() {
    let t = Dispatch::with_standing_clock(0).await;
    let ([order, _], chat) = t.two_to_be_paid().await;
    chat.tap(&format!("m:act:cls:{order}")).await;
    chat.say("100 200").await;
    assert!(chat.screen().contains(&format!("Закрыть заявку №{order} за 100\u{a0}200\u{a0}₽?")), "{}", chat.screen());
    assert_eq!(t.status(order).await, "PAYMENT", "it only asks");
    let first = chat.messages().pop().expect("a question");
    let question =
        chat.messages().into_iter().rfind(|message| message.text.contains("сколько заплатил")).expect("asked");
    assert!(question.buttons.is_empty(), "what has been answered has no buttons: {question:?}");
    chat.press("Изменить сумму").await;
    chat.say("2500").await;
    let confirm = first.buttons[0][0].data.clone();
    chat.press("Да, закрыть").await;
    assert_eq!(t.amount(order).await.as_deref(), Some("2500.00"));
    // What was asked first says what it would have done, and is over.
    chat.tap(&confirm).await;
    assert!(chat.screen().contains("уже закрыта") && chat.screen().contains("2\u{a0}500"), "{}", chat.screen());
    assert_eq!(t.amount(order).await.as_deref(), Some("2500.00"));

    t.let_pass(14 * 60);
    chat.press("Исправить сумму").await;
    assert!(chat.screen().contains(&format!("№{order}: какая сумма правильная")), "{}", chat.screen());
    chat.say("3000").await;
    assert!(chat.screen().contains("Сейчас записано 2\u{a0}500"), "{}", chat.screen());
    assert_eq!(t.amount(order).await.as_deref(), Some("2500.00"), "it only asks");
    let corrected = chat.press("Да, исправить").await;
    assert!(
        chat.screen().contains("исправлена: 3\u{a0}000") && chat.screen().contains("было 2\u{a0}500"),
        "{}",
        chat.screen()
    );
    assert_eq!(t.amount(order).await.as_deref(), Some("3000.00"));
    chat.press("Исправить сумму").await;
    t.answer(&chat, "3100").await;
    let before = t.everything().await;
    chat.deliver(corrected.update).await;
    assert_eq!(t.everything().await, before, "a correction that comes again corrects nothing");
    let edits: Vec<String> =
        t.one("SELECT array_agg(old_value || ' → ' || new_value ORDER BY id) FROM order_edits", &[]).await;
    assert_eq!(edits, ["2500.00 → 3000.00", "3000.00 → 3100.00"]);

    let late = chat.messages().pop().expect("a screen").buttons.concat();
    let late = late.into_iter().find(|button| button.text.contains("Исправить")).expect("for a while");
    t.let_pass(2 * 60);
    assert!(chat.tap(&late.data).await.notice().contains("15 минут"));
    assert!(chat.tap(&format!("m:act:fix_yes:{order}:100")).await.delivery.status == Some(200));
    assert_eq!(t.amount(order).await.as_deref(), Some("3100.00"));
    // Nobody corrects what is another's.
    t.chat(102).tap(&format!("m:act:fix_yes:{order}:100")).await;
    assert_eq!(t.amount(order).await.as_deref(), Some("3100.00"));
    t.check().await;
}

#[tokio::test]
async fn an_edit_of_the_answer_corrects_it() {
    let t = Dispatch::with_standing_clock(0).await;
    let ([order, other], chat) = t.two_to_be_paid().await;
    chat.tap(&format!("m:act:cls:{order}")).await;
    let sum = chat.text_update("2500");
    let id = sum["message"]["message_id"].as_i64().and_then(|id| id.try_into().ok()).expect("an id");
    t.deliver_message(&sum).await;
    t.deliver_message(&chat.edit_update(id, "2600")).await;
    assert!(chat.screen().contains(&format!("Закрыть заявку №{order} за 2\u{a0}600")), "{}", chat.screen());
    chat.press("Да, закрыть").await;
    t.deliver_message(&chat.edit_update(id, "две тысячи")).await;
    assert!(chat.screen().contains("уже закрыта"), "{}", chat.screen());
    // Telegram dates edits in whole seconds.
    t.let_pass(1);
    let edit = chat.edit_update(id, "2700");
    t.deliver_message(&edit).await;
    assert!(chat.screen().contains("исправлена: 2\u{a0}700"), "{}", chat.screen());
    assert_eq!(t.amount(order).await.as_deref(), Some("2700.00"));
    let before = t.everything().await;
    t.deliver_message(&edit).await;
    assert_eq!(t.everything().await, before);
    t.let_pass(15 * 60);
    t.deliver_message(&chat.edit_update(id, "2800")).await;
    assert_eq!(t.amount(order).await.as_deref(), Some("2700.00"), "too late");

    // A reason likewise; staff are told again.
    let staff = t.add_staff(500).await;
    t.steps(&chat, other, &["cls_no", "ret"]).await;
    let reason = chat.text_update("Заболела");
    let id = reason["message"]["message_id"].as_i64().and_then(|id| id.try_into().ok()).expect("an id");
    t.deliver_message(&reason).await;
    t.deliver_message(&chat.edit_update(id, "Сломалась машина")).await;
    chat.press("Да, вернуть").await;
    t.let_pass(1);
    t.deliver_message(&chat.edit_update(id, "Сломалась машина, чиню")).await;
    assert!(chat.screen().contains("Причина возврата"), "{}", chat.screen());
    t.tell().await;
    assert!(staff.screen().contains("Сломалась машина, чиню"), "{}", staff.screen());
    let reason: String = t
        .one("SELECT reason FROM order_status_history WHERE to_status = 'SEARCHING' ORDER BY id DESC LIMIT 1", &[])
        .await;
    assert_eq!(reason, "Сломалась машина, чиню");
    t.check().await;
}

#[tokio::test]
async fn only_own_words_answer_and_each_message_is_answered_once() {
    let t = Dispatch::start().await;
    let ([order, _], chat) = t.two_to_be_paid().await;
    chat.tap(&format!("m:act:cls:{order}")).await;
    let messages = || chat.messages().iter().filter(|message| message.from_bot).count();

    t.deliver_message(&chat.forwarded_update("2500")).await;
    assert_eq!(t.status(order).await, "PAYMENT");
    assert!(chat.screen().contains("Пересланное") && chat.screen().contains(&format!("№{order}")), "{}", chat.screen());

    let before = messages();
    let pinned = json!({"pinned_message": {"message_id": 1, "date": 0, "chat": {"id": ANNA, "type": "private"}}});
    for service in [pinned, json!({"message_auto_delete_timer_changed": {"message_auto_delete_time": 86400}})] {
        t.deliver_message(&chat.service_update(service)).await;
    }
    assert_eq!(messages(), before, "Telegram's own words are nobody's");

    let album = chat.album_update("album", 10);
    for photo in &album {
        t.deliver_message(photo).await;
    }
    assert_eq!(messages(), before + 1, "an album is one message");
    assert!(chat.screen().contains("не похоже на сумму"), "{}", chat.screen());
    t.deliver_message(&album[0]).await;
    assert_eq!(messages(), before + 2, "its first photo that comes again is answered again");

    t.answer(&chat, "2500").await;
    assert_eq!(t.status(order).await, "CLOSED", "the question was open all the time");
    t.check().await;
}

/// The reply is owed, whatever Telegram does at the moment.
#[tokio::test]
async fn what_telegram_does_not_take_at_once_is_shown_later() {
    let t = Dispatch::with_standing_clock(0).await;
    let ([order, other], chat) = t.two_to_be_paid().await;
    let refuse = |method: &str| t.telegram.fail_next(method, 1, Fault::ServerError);
    chat.tap(&format!("m:act:cls:{order}")).await;
    for (text, says) in [
        ("две", "сколько заплатил"),
        ("1500", "Закрыть заявку"),
        ("/start", "Здравствуйте"),
        ("как дела", "Здравствуйте"),
    ] {
        if text == "1500" {
            chat.tap(&format!("m:act:cls:{order}")).await;
        }
        refuse("sendMessage");
        let before = chat.screen();
        chat.say(text).await;
        assert_eq!(chat.screen(), before, "{text}: not shown yet");
        t.let_pass(5);
        t.tell().await;
        assert!(chat.screen().contains(says), "{text}: {}", chat.screen());
    }
    // Taps, each to a screen that has to be shown.
    for (data, says) in [
        ("m:act".to_owned(), "Мои заявки"),
        (format!("m:act:card:{order}"), "Статус"),
        (format!("m:act:sum:{order}:150000"), "закрыта"),
        (format!("m:act:cls_no:{other}"), "Статус"),
        (format!("m:act:ret:{other}"), "Почему возвращаете"),
        ("m:menu".to_owned(), "Здравствуйте"),
    ] {
        t.pause().await;
        refuse("editMessageText");
        chat.tap(&data).await;
        t.let_pass(5);
        t.tell().await;
        assert!(chat.screen().contains(says), "{data}: {}", chat.screen());
    }
    t.check().await;
}

/// A statement that fails for good is said, too.
#[tokio::test]
async fn an_answer_that_fails_for_good_is_answered() {
    let t = Dispatch::start().await;
    let ([order, _], chat) = t.two_to_be_paid().await;
    chat.tap(&format!("m:act:cls:{order}")).await;
    t.execute("ALTER TABLE dialogs ADD CONSTRAINT never CHECK (written IS NULL) NOT VALID", &[]).await;
    assert_eq!(chat.say("2500").await.status, Some(200));
    assert!(chat.screen().contains("Не получилось"), "{}", chat.screen());
}

#[tokio::test]
async fn a_stranger_is_answered_once_in_a_while() {
    let t = Dispatch::start().await;
    let chat = t.chat(STRANGER);
    for _ in 0..20 {
        chat.say("Здравствуйте").await;
    }
    let replies: Vec<_> = chat.messages().into_iter().filter(|message| message.from_bot).collect();
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert!(replies[0].text.contains("999"), "{}", replies[0].text);
    assert!(chat.tap("m:menu").await.notice().contains("999"), "a tap costs no message");
}

/// Nothing in the outbox would tell them later.
#[tokio::test]
async fn a_stranger_whose_answer_telegram_did_not_take_is_answered_when_the_message_comes_again() {
    let t = Dispatch::start().await;
    for token in [MASTER_TOKEN, ADMIN_TOKEN] {
        let chat = t.telegram.chat(token, STRANGER, "Прохожий");
        for text in ["Здравствуйте", "/start 0123456789012345678901234567890123456789012"] {
            let stranger = if text.starts_with('/') { STRANGER + 1 } else { STRANGER };
            let chat =
                if stranger == STRANGER { chat.clone() } else { t.telegram.chat(token, stranger, "Другой") };
            let update = chat.text_update(text);
            t.telegram.fail_next("sendMessage", 1, Fault::BadGateway);
            assert_eq!(chat.deliver(update.clone()).await.delivery.status, Some(503), "{text}");
            assert_eq!(chat.deliver(update).await.delivery.status, Some(200), "{text}");
            assert!(!chat.screen().is_empty(), "{text}");
        }
    }
}

/// A master who was unreachable and does anything is reachable again.
#[tokio::test]
async fn whoever_taps_or_writes_is_reachable() {
    let t = Dispatch::start().await;
    let offered = t.order().offered_to([ANNA]).await;
    let declined = t.order().offered_to([ANNA]).await;
    let own = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    for data in [
        "m:menu".to_owned(),
        "m:new".to_owned(),
        "m:act".to_owned(),
        "m:sh:on".to_owned(),
        format!("m:new:card:{offered}"),
        format!("m:new:acc:{offered}"),
        format!("m:new:acc:{offered}"),
        format!("m:new:dec:{declined}"),
        format!("m:new:dec_yes:{declined}"),
        format!("m:act:card:{own}"),
        format!("m:act:enr:{own}"),
        format!("m:act:ret:{own}"),
        "nonsense".to_owned(),
        "~Добрый день".to_owned(),
    ] {
        t.execute("UPDATE masters SET unreachable_since = now() WHERE telegram_user_id = $1", &[&ANNA]).await;
        match data.strip_prefix('~') {
            Some(text) => drop(chat.say(text).await),
            None => drop(chat.tap(&data).await),
        }
        let reached: bool =
            t.one("SELECT unreachable_since IS NULL FROM masters WHERE telegram_user_id = $1", &[&ANNA]).await;
        assert!(reached, "{data}");
    }
}

/// Invariant 11: who is blocked reads no address of an order that is not the own one.
#[tokio::test]
async fn who_is_blocked_sees_no_address_of_offered_orders() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    t.execute("UPDATE masters SET is_blocked = true, blocked_reason = 'долг'", &[]).await;
    for data in
        ["m:new".to_owned(), format!("m:new:card:{order}"), format!("m:new:dec:{order}"), format!("m:new:acc:{order}")]
    {
        let tap = chat.tap(&data).await;
        assert!(!chat.screen().contains("Ленина"), "{data}: {}", chat.screen());
        assert!(tap.notice().contains("долг") || chat.screen().contains("долг"), "{data}: {}", chat.screen());
    }
}

/// Whoever changes where an assigned order is tells its master.
#[tokio::test]
async fn the_master_is_told_when_the_own_order_changes() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    // This release delivers: the one before it does not know the kind.
    t.execute("UPDATE outbox_bots SET slots = 1", &[]).await;
    t.execute("UPDATE orders SET address = 'ул. Мира, 1'", &[]).await;
    t.tap_accept(ANNA, order).await;
    t.execute("UPDATE orders SET updated_at = now()", &[]).await;
    let enqueued = async || t.one::<i64>("SELECT count(*) FROM outbox WHERE kind = 'CHANGED'", &[]).await;
    assert_eq!(enqueued().await, 0, "nothing that she sees has changed");
    t.execute("UPDATE orders SET address = 'ул. Новая, 2'", &[]).await;
    t.execute("UPDATE orders SET timeslot_start = '2030-01-01 10:00+05', timeslot_end = '2030-01-01 12:00+05'", &[])
        .await;
    assert_eq!(enqueued().await, 2);
    t.let_pass(70);
    t.tell().await;
    let shown = chat.messages().iter().filter(|message| message.text.contains("изменили")).count();
    assert_eq!(shown, 1, "both are told at once");
    let shown = chat.screen();
    assert!(shown.contains("изменили") && shown.contains("ул. Новая, 2") && shown.contains("10:00"), "{shown}");
    t.check().await;
}
