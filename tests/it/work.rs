//! Masters at work, from coming on shift to the client's money; and orders that staff give and take away.

use field_service::dispatch::act::StaffCommand;
use field_service::model::{MasterId, OrderId};
use field_service::sim::telegram::{Chat, Tap};

use crate::harness::{ANNA, BORIS, Dispatch, STRANGER, VERA};

const ANNA_ID: MasterId = MasterId(1);

impl Dispatch {
    /// Anna's order at this stage, and her chat.
    async fn order_of_anna(&self, status: &'static str) -> (OrderId, Chat) {
        let order = self.order().offered_to([ANNA]).await;
        let chat = self.chat(ANNA);
        chat.say("/start").await;
        self.tap_accept(ANNA, order).await;
        for (step, data) in [("EN_ROUTE", "enr"), ("WORKING", "wrk"), ("PAYMENT", "cls_yes")] {
            if self.status(order).await == status {
                break;
            }
            self.steps(&chat, order, &[data]).await;
            assert_eq!(self.status(order).await, step);
        }
        assert_eq!(self.status(order).await, status);
        (order, chat)
    }

    async fn history(&self, order: OrderId) -> Vec<String> {
        self.one("SELECT array_agg(to_status ORDER BY id) FROM order_status_history WHERE order_id = $1", &[&order.0])
            .await
    }
}

/// What the last delivery of a tap was answered.
fn last(tap: &Tap) -> &str {
    tap.answers.last().and_then(|answer| answer.text.as_deref()).unwrap_or_default()
}

#[tokio::test]
async fn a_master_takes_an_order_from_the_way_there_to_the_money() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    t.tap_accept(ANNA, order).await;

    chat.press(&format!("Ваша заявка №{order}")).await;
    for (button, status) in [("В пути", "EN_ROUTE"), ("На месте", "WORKING")] {
        t.pause().await;
        let tap = chat.press(button).await;
        assert!(tap.notice().contains("Отмечено"), "{}", tap.notice());
        assert_eq!(t.status(order).await, status);
        assert!(chat.screen().contains("+79990001122"), "the client is on the card: {}", chat.screen());
    }
    chat.press("Завершить").await;
    assert!(chat.screen().contains("закончена?"), "{}", chat.screen());
    assert_eq!(t.status(order).await, "WORKING", "it only asks");
    t.pause().await;
    chat.press("Да, закончена").await;
    assert!(chat.screen().contains("сколько заплатил клиент"), "{}", chat.screen());
    chat.say("1 499,50 руб.").await;
    assert!(chat.screen().contains(&format!("Закрыть заявку №{order} за 1\u{a0}499,50")), "{}", chat.screen());
    assert_eq!(t.status(order).await, "PAYMENT", "it only asks");
    chat.press("Да, закрыть").await;

    assert!(chat.screen().contains(&format!("Заявка №{order} закрыта")), "{}", chat.screen());
    assert!(chat.screen().contains("1\u{a0}499,50\u{a0}₽"), "{}", chat.screen());
    assert_eq!(t.history(order).await, ["ASSIGNED", "EN_ROUTE", "WORKING", "PAYMENT", "CLOSED"]);
    assert_eq!(t.one::<String>("SELECT final_amount::text FROM orders", &[]).await, "1499.50");
    assert_eq!(t.offer_state(order, ANNA).await, "ACCEPTED");
    t.check().await;
}

#[tokio::test]
async fn a_visit_may_cost_nothing_and_closing_frees_the_slot_at_once() {
    let t = Dispatch::with_standing_clock(0).await;
    t.execute("UPDATE masters SET max_active_orders = 1, on_shift = telegram_user_id = $1", &[&ANNA]).await;
    let (order, chat) = t.order_of_anna("PAYMENT").await;
    let next = t.order().create().await;
    t.tick().await;
    assert_eq!(t.asked(next).await, [0_i64; 0], "she has as many as she may");

    t.answer(&chat, "0").await;

    assert_eq!(t.status(order).await, "CLOSED");
    t.tick().await;
    assert_eq!(t.asked(next).await, [ANNA], "without waiting for the next look");
    assert!(t.tap_accept(ANNA, next).await.notice().contains("принята"));
    t.check().await;
}

#[tokio::test]
async fn what_is_not_a_sum_is_refused_with_an_example_and_the_question_stays() {
    let t = Dispatch::start().await;
    let (order, chat) = t.order_of_anna("PAYMENT").await;
    for written in ["две тысячи", "-5", "1e9", "99999999999", "<b>1500</b>", "1500 2500"] {
        chat.say(written).await;
        let why = if written == "99999999999" {
            "слишком большая сумма"
        } else {
            "не похоже на сумму"
        };
        assert!(chat.screen().contains(why) && chat.screen().contains("2500"), "{}", chat.screen());
        assert!(chat.screen().contains(written), "{}", chat.screen());
        assert_eq!(t.status(order).await, "PAYMENT");
    }
    t.answer(&chat, "700").await;
    assert_eq!(t.status(order).await, "CLOSED");
}

/// Failure 21 of the older system.
#[tokio::test]
async fn a_restart_forgets_no_question() {
    let t = Dispatch::start().await;
    let (order, _) = t.order_of_anna("PAYMENT").await;
    let restarted = Dispatch::restarted(&t).await;
    let chat = restarted.chat(ANNA);
    restarted.answer(&chat, "2500").await;
    assert_eq!(restarted.status(order).await, "CLOSED");
    assert!(chat.screen().contains("закрыта"), "{}", chat.screen());
}

#[tokio::test]
async fn the_question_for_the_sum_can_be_left_and_asked_again() {
    let t = Dispatch::start().await;
    let (order, chat) = t.order_of_anna("PAYMENT").await;
    t.pause().await;
    chat.press("Работа ещё не закончена").await;
    assert_eq!(t.status(order).await, "WORKING");
    chat.say("1500").await;
    assert_eq!(t.status(order).await, "WORKING", "nobody asks any more");
    assert!(chat.screen().contains("Не понял"), "{}", chat.screen());

    chat.press("Мои заявки").await;
    chat.press(&format!("№{order}")).await;
    chat.press("Завершить").await;
    t.pause().await;
    chat.press("Да, закончена").await;
    chat.press("Мои заявки").await;
    chat.press(&format!("№{order}")).await;
    chat.press("Указать сумму").await;
    t.answer(&chat, "1500").await;
    assert_eq!(t.status(order).await, "CLOSED");
    t.check().await;
}

#[tokio::test]
async fn every_step_is_repeated_truthfully_and_changes_nothing_more() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    t.tap_accept(ANNA, order).await;
    let mut taps = Vec::new();
    for data in ["enr", "wrk", "cls_yes", "cls_no", "cls_yes"] {
        t.pause().await;
        taps.push(chat.tap(&format!("m:act:{data}:{order}")).await.update);
    }
    let amount = chat.text_update("1500");
    t.telegram.deliver(crate::harness::MASTER_TOKEN, &amount).await;
    chat.press("Да, закрыть").await;
    let before = t.everything().await;
    for tap in taps.iter().chain(&taps) {
        let again = chat.deliver(tap.clone()).await;
        assert_eq!(again.delivery.status, Some(200));
        assert!(last(&again).contains("не ваша"), "it is closed: {}", last(&again));
    }
    t.telegram.deliver(crate::harness::MASTER_TOKEN, &amount).await;
    assert!(chat.screen().contains(&format!("Заявка №{order} уже закрыта")), "{}", chat.screen());
    assert_eq!(t.everything().await, before);
    t.check().await;
}

#[tokio::test]
async fn a_redelivered_step_is_not_taken_again_when_the_order_has_gone_back_a_step() {
    let t = Dispatch::start().await;
    let (order, chat) = t.order_of_anna("WORKING").await;
    t.pause().await;
    let done = chat.tap(&format!("m:act:cls_yes:{order}")).await;
    t.steps(&chat, order, &["cls_no"]).await;
    let before = t.everything().await;
    assert!(last(&chat.deliver(done.update).await).contains("уже отмечено"));
    assert_eq!((t.status(order).await.as_str(), t.everything().await), ("WORKING", before));
}

#[tokio::test]
async fn steps_are_taken_in_turn_and_by_the_order_s_master_only() {
    let t = Dispatch::start().await;
    let (order, anna) = t.order_of_anna("ASSIGNED").await;
    let before = t.everything().await;
    for data in ["wrk", "cls", "cls_yes", "cls_no"] {
        assert!(anna.tap(&format!("m:act:{data}:{order}")).await.notice().contains("не подходит"), "{data}");
        assert!(anna.screen().contains("+79990001122"), "the order as it is: {}", anna.screen());
    }
    let boris = t.chat(BORIS);
    boris.say("/start").await;
    for data in ["card", "enr", "wrk", "cls", "cls_yes", "cls_no", "ret", "ret_no"] {
        assert!(boris.tap(&format!("m:act:{data}:{order}")).await.notice().contains("не ваша"), "{data}");
        assert!(!boris.screen().contains("+7999"), "{}", boris.screen());
        let stranger = t.chat(STRANGER).tap(&format!("m:act:{data}:{order}")).await;
        assert!(stranger.notice().contains("Telegram ID: 999"), "{data}: {}", stranger.notice());
        assert!(boris.tap(&format!("m:act:{data}:{}", i64::MAX)).await.notice().contains("не ваша"));
    }
    assert_eq!(t.everything().await, before);
}

#[tokio::test]
async fn an_order_is_given_back_with_a_reason_and_goes_to_somebody_else() {
    let t = Dispatch::with_standing_clock(0).await;
    let staff = t.add_staff(500).await;
    let (order, chat) = t.order_of_anna("EN_ROUTE").await;
    t.chat(BORIS).open();
    t.chat(VERA).open();
    chat.press("Вернуть").await;
    assert!(chat.screen().contains("Почему возвращаете"), "{}", chat.screen());
    chat.press("Не возвращать").await;
    assert!(chat.screen().contains("+79990001122"), "{}", chat.screen());
    chat.say("сломалась машина").await;
    assert_eq!(t.status(order).await, "EN_ROUTE", "nobody asks any more");

    chat.tap(&format!("m:act:ret:{order}")).await;
    let reason = chat.text_update("Сломалась <машина> & колесо");
    t.telegram.deliver(crate::harness::MASTER_TOKEN, &reason).await;
    assert!(chat.screen().contains(&format!("Вернуть заявку №{order}?")), "{}", chat.screen());
    assert_eq!(t.status(order).await, "EN_ROUTE", "it only asks");
    chat.press("Да, вернуть").await;

    assert_eq!((t.status(order).await.as_str(), t.owner(order).await), ("SEARCHING", None));
    assert_eq!(t.offer_state(order, ANNA).await, "CANCELED");
    assert!(chat.screen().contains("возвращена"), "{}", chat.screen());
    let told = staff.screen();
    assert!(
        told.contains("вернули") && told.contains("Анна") && told.contains("Сломалась <машина> & колесо"),
        "{told}"
    );
    t.tick().await;
    let mut asked = t.asked(order).await;
    asked.sort_unstable();
    assert_eq!(asked, [BORIS, VERA], "at once, and not her again");

    assert!(t.tap_accept(BORIS, order).await.notice().contains("принята"));
    let before = t.everything().await;
    t.telegram.deliver(crate::harness::MASTER_TOKEN, &reason).await;
    assert_eq!(t.everything().await, before, "a redelivery takes it from nobody");
    t.check().await;
}

#[tokio::test]
async fn a_redelivered_reason_does_not_give_back_what_was_given_anew() {
    let t = Dispatch::start().await;
    t.add_staff(500).await;
    let (order, chat) = t.order_of_anna("ASSIGNED").await;
    chat.tap(&format!("m:act:ret:{order}")).await;
    let reason = chat.text_update("Не успеваю");
    t.telegram.deliver(crate::harness::MASTER_TOKEN, &reason).await;
    let given = chat.press("Да, вернуть").await;
    assert_eq!(t.first_of_staff_does(order, &StaffCommand::Assign(ANNA_ID), None).await, "SUCCESS");
    let before = t.everything().await;
    t.telegram.deliver(crate::harness::MASTER_TOKEN, &reason).await;
    chat.deliver(given.update).await;
    assert_eq!(t.everything().await, before);
    t.check().await;
}

/// Callbacks and messages queue apart, so a message may come again after another question was asked.
#[tokio::test]
async fn a_redelivered_answer_does_not_answer_a_later_question() {
    let t = Dispatch::start().await;
    let (first, chat) = t.order_of_anna("PAYMENT").await;
    let answer = chat.text_update("1500");
    let token = crate::harness::MASTER_TOKEN;
    t.telegram.deliver(token, &answer).await;
    chat.press("Да, закрыть").await;
    assert_eq!(t.status(first).await, "CLOSED");
    let (second, chat) = t.order_of_anna("PAYMENT").await;
    let before = t.everything().await;
    t.telegram.deliver(token, &answer).await;
    assert_eq!((t.status(second).await.as_str(), t.everything().await), ("PAYMENT", before));

    let mut early = chat.text_update("700");
    early["message"]["date"] = (early["message"]["date"].as_i64().expect("a date") - 5).into();
    chat.say("просто текст").await;
    t.steps(&chat, second, &["cls_no", "cls_yes"]).await;
    t.telegram.deliver(token, &early).await;
    assert_eq!(t.status(second).await, "PAYMENT", "what was written before the question does not answer it");
    t.answer(&chat, "900").await;
    assert_eq!(t.status(second).await, "CLOSED");
}

/// A free visit is closed for nothing by a button; who says a sum all the same is told that it is free.
#[tokio::test]
async fn a_free_visit_is_closed_for_nothing_by_a_button_and_for_a_sum_only_knowingly() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET max_active_orders = 9", &[]).await;
    let repeated = t.order().in_status("CLOSED").of_master(ANNA).create().await;
    let free = async || {
        let (order, chat) = t.order_of_anna("WORKING").await;
        t.execute("UPDATE orders SET guarantee_of = $2 WHERE id = $1", &[&order.0, &repeated.0]).await;
        chat.tap(&format!("m:act:card:{order}")).await;
        chat.press("Завершить").await;
        t.pause().await;
        chat.press("Да, закончена").await;
        (order, chat)
    };
    let (order, chat) = free().await;
    assert!(chat.screen().contains(&format!("Заявка №{order} бесплатная")), "{}", chat.screen());
    chat.press("Бесплатно: 0").await;
    assert_eq!(t.status(order).await, "CLOSED");
    assert_eq!(t.one::<String>("SELECT final_amount::text FROM orders WHERE id = $1", &[&order.0]).await, "0.00");
    // The way back from the correction leads to the order, which still can be corrected.
    chat.press("Исправить сумму").await;
    chat.press(&format!("К заявке №{order}")).await;
    assert!(chat.screen().contains("уже закрыта"), "{}", chat.screen());
    chat.press("Исправить сумму").await;

    let (order, chat) = free().await;
    chat.say("много").await;
    assert!(chat.buttons().iter().any(|button| button.text.contains("Бесплатно: 0")), "{:?}", chat.buttons());
    chat.say("1500").await;
    assert!(chat.screen().contains("бесплатная") && chat.screen().contains("Всё равно закрыть"), "{}", chat.screen());
    assert_eq!(t.status(order).await, "PAYMENT", "it only asks");
    chat.press("Да, закрыть").await;
    assert_eq!(t.status(order).await, "CLOSED");
    t.check().await;
}

#[tokio::test]
async fn a_reply_to_a_question_about_another_order_is_not_taken_for_an_answer() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET max_active_orders = 9", &[]).await;
    let (first, chat) = t.order_of_anna("PAYMENT").await;
    let question = chat.screen();
    let (second, _) = t.order_of_anna("PAYMENT").await;
    let reply_to = async |to: &str, text: &str| {
        let mut reply = chat.text_update(text);
        reply["message"]["reply_to_message"] = serde_json::json!({"message_id": 1, "text": to});
        t.telegram.deliver(crate::harness::MASTER_TOKEN, &reply).await;
    };
    reply_to(&question, "111").await;
    assert_eq!((t.status(first).await.as_str(), t.status(second).await.as_str()), ("PAYMENT", "PAYMENT"));
    assert!(chat.screen().contains(&format!("Заявка №{second}: сколько заплатил")), "{}", chat.screen());
    reply_to(&chat.screen(), "двести").await;
    assert!(chat.screen().contains("не похоже на сумму"), "{}", chat.screen());
    // To the bot's last words, whichever message they stand in.
    reply_to(&chat.screen(), "222").await;
    chat.press("Да, закрыть").await;
    assert_eq!(t.status(second).await, "CLOSED");
}

#[tokio::test]
async fn a_redelivered_tap_asks_nothing_again_and_moves_no_shift() {
    let t = Dispatch::start().await;
    let (order, chat) = t.order_of_anna("ASSIGNED").await;
    let taps = [chat.tap("m:sh:on").await, chat.tap(&format!("m:act:ret:{order}")).await];
    chat.tap(&format!("m:act:ret_no:{order}")).await;
    chat.tap("m:sh:off").await;
    let before = t.everything().await;
    for tap in taps {
        let again = chat.deliver(tap.update).await;
        assert!(!last(&again).contains("закончена"), "{}", last(&again));
        assert!(!chat.screen().contains("Почему"), "{}", chat.screen());
    }
    assert_eq!(t.everything().await, before);
    chat.say("Добрый день").await;
    assert_eq!(t.status(order).await, "ASSIGNED");
}

#[tokio::test]
async fn a_question_is_not_waited_for_when_the_master_went_elsewhere_or_it_makes_no_sense_any_more() {
    let t = Dispatch::with_standing_clock(0).await;
    t.add_staff(500).await;
    for elsewhere in ["m:menu", "m:act", "m:sh:on", "m:new", "m:new:acc:1", "m:new:card:1", "command", "an hour"] {
        let (order, chat) = t.order_of_anna("ASSIGNED").await;
        chat.tap(&format!("m:act:ret:{order}")).await;
        match elsewhere {
            "command" => drop(chat.say("/start").await),
            "an hour" => t.let_pass(3600),
            data => drop(chat.tap(data).await),
        }
        chat.say("Клиент не открывает").await;
        assert_eq!(t.status(order).await, "ASSIGNED", "{elsewhere}");
        assert!(chat.screen().contains("Не понял"), "{elsewhere}: {}", chat.screen());
        t.cancel(order, "").await;
    }
    for text in ["1500", "не понял"] {
        let (order, chat) = t.order_of_anna("PAYMENT").await;
        t.cancel(order, "").await;
        chat.say(text).await;
        chat.say("ещё что-то").await;
        assert!(chat.screen().contains("Не понял"), "{text}: {}", chat.screen());
    }
}

#[tokio::test]
async fn whom_staff_take_an_order_from_is_not_asked_again() {
    let t = Dispatch::with_standing_clock(0).await;
    t.add_staff(500).await;
    let (order, _) = t.order_of_anna("ASSIGNED").await;
    t.take_back(order, "").await;
    t.tick().await;
    let mut asked = t.asked(order).await;
    asked.sort_unstable();
    assert_eq!(asked, [BORIS, VERA]);
}

#[tokio::test]
async fn a_free_visit_that_is_given_back_stays_free() {
    let t = Dispatch::start().await;
    let order = t.order().in_status("GUARANTEE").offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    t.tap_accept(ANNA, order).await;
    chat.tap(&format!("m:act:ret:{order}")).await;
    t.answer(&chat, "Заболела").await;
    assert_eq!(t.history(order).await, ["ASSIGNED", "GUARANTEE"]);
    t.check().await;
}

#[tokio::test]
async fn what_is_done_cannot_be_given_back() {
    let t = Dispatch::start().await;
    let (order, chat) = t.order_of_anna("WORKING").await;
    chat.tap(&format!("m:act:ret:{order}")).await;
    t.steps(&chat, order, &["cls_yes"]).await;
    assert!(chat.tap(&format!("m:act:ret:{order}")).await.notice().contains("уже закончена"));
    assert_eq!(t.status(order).await, "PAYMENT");
    chat.press("Указать сумму").await;
    t.answer(&chat, "100").await;
    assert_eq!(t.status(order).await, "CLOSED");
}

#[tokio::test]
async fn own_orders_are_listed_a_page_at_a_time_the_next_visit_first() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET max_active_orders = 20", &[]).await;
    let mut orders = Vec::new();
    for _ in 0..7 {
        orders.push(t.order().in_status("ASSIGNED").of_master(ANNA).create().await);
    }
    t.order().in_status("CLOSED").of_master(ANNA).create().await;
    t.order().in_status("ASSIGNED").of_master(BORIS).create().await;
    t.execute(
        "UPDATE orders SET timeslot_start = '2027-01-01 10:00+00'::timestamptz - id * interval '1 hour' WHERE id > 3",
        &[],
    )
    .await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    chat.press("Мои заявки (7)").await;
    let page = chat.screen();
    assert!(page.contains("Всего: 7 · страница 1 из 2"), "{page}");
    assert!(page.find(&format!("№{} ", orders[6])) < page.find(&format!("№{} ", orders[3])), "{page}");
    chat.press("▶").await;
    assert!(chat.screen().contains("страница 2 из 2"), "{}", chat.screen());
    assert_eq!(chat.buttons().iter().filter(|button| button.data.starts_with("m:act:card:")).count(), 2);
    chat.tap("m:act:99").await;
    assert!(chat.screen().contains("страница 2 из 2"), "the last one is shown for one past the end");
    let boris = t.chat(VERA);
    boris.tap("m:act").await;
    assert!(boris.screen().contains("нет заявок в работе"), "{}", boris.screen());
}

#[tokio::test]
async fn the_card_has_a_telephone_to_tap_and_a_map() {
    let t = Dispatch::start().await;
    let (order, chat) = t.order_of_anna("ASSIGNED").await;
    t.execute("UPDATE orders SET client_phone = '8 (999) 000-11-22', client_name = 'О''Хара <i>'", &[]).await;
    chat.tap(&format!("m:act:card:{order}")).await;
    let message = chat.messages().pop().expect("a card");
    assert!(message.text.contains("+79990001122") && message.text.contains("О'Хара <i>"), "{}", message.text);
    let link = message.spans.iter().find_map(|span| span.link.clone()).expect("a link to a map");
    assert!(link.starts_with("https://yandex.ru/maps/?text="), "{link}");
}

#[tokio::test]
async fn off_shift_stops_new_offers_and_coming_back_starts_them_at_once() {
    let t = Dispatch::with_standing_clock(0).await;
    let chat = t.chat(ANNA);
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id <> $1", &[&ANNA]).await;
    chat.say("/start").await;
    let offered = t.order().offered_to([ANNA]).await;
    assert!(chat.press("Уйти со смены").await.notice().contains("ушли со смены"));
    assert!(chat.screen().contains("не на смене"), "{}", chat.screen());
    assert!(t.tap_accept(ANNA, offered).await.notice().contains("принята"), "what is there can still be taken");
    let order = t.order().create().await;
    t.tick().await;
    assert!(t.asked(order).await.is_empty());

    chat.tap("m:sh:on").await;
    chat.tap("m:sh:on").await;
    assert!(chat.screen().contains("Вы на смене"), "{}", chat.screen());
    t.tick().await;
    assert_eq!(t.asked(order).await, [ANNA]);
    assert!(t.chat(STRANGER).tap("m:sh:on").await.notice().contains("Telegram ID: 999"));
}

#[tokio::test]
async fn what_staff_give_is_told_to_its_master_and_to_whoever_was_asked() {
    let t = Dispatch::with_standing_clock(0).await;
    t.add_staff(500).await;
    let [anna, boris] = [ANNA, BORIS].map(|user| t.chat(user));
    anna.open();
    boris.open();
    t.execute("UPDATE masters SET max_active_orders = 1, on_shift = telegram_user_id = $1", &[&BORIS]).await;
    let order = t.order().create().await;
    t.tick().await;
    t.tell().await;
    assert_eq!(t.first_of_staff_does(order, &StaffCommand::Assign(ANNA_ID), None).await, "SUCCESS");
    assert_eq!((t.owner(order).await, t.offer_state(order, BORIS).await.as_str()), (Some(ANNA), "CANCELED"));
    let by: String = t
        .one(
            "SELECT concat_ws(' ', actor_type, changed_by_staff_id) FROM order_status_history
             WHERE order_id = $1 AND to_status = 'ASSIGNED'",
            &[&order.0],
        )
        .await;
    assert_eq!(by, "ADMIN 1");
    t.tell().await;
    assert!(anna.screen().contains("Вам назначена заявка") && anna.screen().contains("+79990001122"));
    assert!(boris.screen().contains("Уже занято"), "{}", boris.screen());
    let before = t.everything().await;
    assert_eq!(t.first_of_staff_does(order, &StaffCommand::Assign(ANNA_ID), None).await, "ALREADY_DONE");
    assert_eq!(t.everything().await, before);
    // She has as many as she may accept; staff may give her more.
    let more = t.order().create().await;
    assert_eq!(t.first_of_staff_does(more, &StaffCommand::Assign(ANNA_ID), None).await, "SUCCESS");
    t.check().await;
}

/// Failure 17 of the older system.
#[tokio::test]
async fn a_master_is_told_that_an_order_was_canceled_or_taken_away() {
    let t = Dispatch::with_standing_clock(0).await;
    t.add_staff(500).await;
    let (order, chat) = t.order_of_anna("EN_ROUTE").await;
    t.let_pass(2);
    assert_eq!(t.cancel(order, "Клиент <передумал>").await, "SUCCESS");
    t.tell().await;
    let told = chat.screen();
    assert!(told.contains("отменена") && told.contains("Клиент <передумал>"), "{told}");
    assert_eq!(t.offer_state(order, ANNA).await, "CANCELED");
    assert!(chat.tap(&format!("m:act:wrk:{order}")).await.notice().contains("не ваша"));
    assert_eq!(t.cancel(order, "").await, "ALREADY_DONE");
    assert_eq!(t.take_back(order, "").await, "NOT_NOW");
    assert_eq!(t.cancel(OrderId(999), "").await, "NOT_FOUND");

    let (order, chat) = t.order_of_anna("ASSIGNED").await;
    t.let_pass(2);
    assert_eq!(t.take_back(order, "Дальше ехать").await, "SUCCESS");
    t.tell().await;
    assert!(chat.screen().contains("больше не ваша") && chat.screen().contains("Дальше ехать"), "{}", chat.screen());
    assert_eq!(t.status(order).await, "SEARCHING");

    // Whoever was only offered it has nothing of it left in the chat.
    let offered = t.order().create().await;
    let boris = t.chat(BORIS);
    boris.open();
    t.tick().await;
    t.tell().await;
    assert_eq!(t.cancel(offered, "").await, "SUCCESS");
    t.tell().await;
    let card = boris.messages().into_iter().find(|message| message.text.contains(&format!("№{offered}")));
    assert!(card.is_none(), "{card:?}");
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_step_by_many_taps_at_once_is_taken_once() {
    let t = Dispatch::start().await;
    t.add_staff(500).await;
    for data in ["enr", "ret"] {
        let (order, chat) = t.order_of_anna("ASSIGNED").await;
        if data == "ret" {
            chat.tap(&format!("m:act:ret:{order}")).await;
            chat.say("Не успеваю").await;
            let confirm =
                chat.buttons().into_iter().find(|button| button.text.contains("Да, вернуть")).expect("it asks");
            let taps: Vec<_> = (0..8).map(|_| chat.tap_update(&confirm.data)).collect();
            futures_util::future::join_all(taps.into_iter().map(|tap| chat.deliver(tap))).await;
            assert_eq!(t.history(order).await, ["ASSIGNED", "SEARCHING"]);
        } else {
            let taps: Vec<_> = (0..8).map(|_| chat.tap_update(&format!("m:act:enr:{order}"))).collect();
            let taps = futures_util::future::join_all(taps.into_iter().map(|tap| chat.deliver(tap))).await;
            assert!(taps.iter().all(|tap| tap.notice().contains("тмечено")), "{taps:?}");
            assert_eq!(t.history(order).await, ["ASSIGNED", "EN_ROUTE"]);
        }
        t.check().await;
    }
}
