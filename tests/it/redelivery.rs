//! Telegram sends an update again whenever our answer was lost: it changes nothing more, whatever has happened since, and is
//! answered truthfully.

use field_service::dispatch::act::StaffCommand;
use field_service::model::{BotName, MasterId, OrderId, Origin, UpdateKey};
use field_service::sim::telegram::{Chat, Fault, Tap};
use futures_util::future::join_all;
use serde_json::Value;

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, MASTER_TOKEN};

const OLGA: i64 = 501;

impl Dispatch {
    /// Two orders of Anna's that can be given back.
    async fn two_of_anna(&self) -> ([OrderId; 2], Chat) {
        let chat = self.chat(ANNA);
        chat.say("/start").await;
        let mut orders = Vec::new();
        for _ in 0..2 {
            let order = self.order().offered_to([ANNA]).await;
            self.tap_accept(ANNA, order).await;
            orders.push(order);
        }
        (orders.try_into().expect("two"), chat)
    }

    /// Delivers what somebody wrote.
    async fn deliver(&self, update: &Value) {
        self.telegram.deliver(MASTER_TOKEN, update).await;
    }
}

fn last(tap: &Tap) -> &str {
    tap.answers.last().and_then(|answer| answer.text.as_deref()).unwrap_or_default()
}

/// The first hole: an answer that comes again counts as turning away from a question asked since.
#[tokio::test]
async fn an_answer_that_comes_again_leaves_the_next_question_open() {
    let t = Dispatch::start().await;
    let ([first, second], chat) = t.two_of_anna().await;
    t.steps(&chat, first, &["enr", "wrk", "cls_yes"]).await;
    let sum = chat.text_update("1500");
    t.deliver(&sum).await;
    chat.press("Да, закрыть").await;
    assert_eq!(t.status(first).await, "CLOSED");
    chat.tap(&format!("m:act:ret:{second}")).await;

    t.deliver(&sum).await;
    assert!(chat.screen().contains(&format!("№{first} уже закрыта")), "{}", chat.screen());

    t.answer(&chat, "Не успеваю").await;
    assert!(chat.screen().contains(&format!("№{second} возвращена")), "{}", chat.screen());
    assert_eq!(t.status(second).await, "SEARCHING");
}

/// The same for every update that could count as turning away.
#[tokio::test]
async fn whatever_comes_again_leaves_a_question_open_that_was_asked_since() {
    let t = Dispatch::start().await;
    let ([first, second], chat) = t.two_of_anna().await;
    let mut updates = Vec::new();
    for data in
        ["m:menu", "m:new", "m:act", "m:sh:on", "m:new:card:1", "m:new:acc:1", "m:new:dec:1", "m:new:dec_yes:1", "x"]
    {
        updates.push(chat.tap(data).await.update);
    }
    for data in ["card", "enr", "wrk", "cls", "ret_no"] {
        t.pause().await;
        updates.push(chat.tap(&format!("m:act:{data}:{first}")).await.update);
    }
    for text in ["/start", "Добрый день"] {
        let update = chat.text_update(text);
        t.deliver(&update).await;
        updates.push(update);
    }
    chat.tap(&format!("m:act:ret:{second}")).await;
    for update in updates {
        chat.deliver(update).await;
    }
    t.answer(&chat, "Не успеваю").await;
    assert_eq!(t.status(second).await, "SEARCHING");
    t.check().await;
}

/// The second hole: words from before the question, which come after it.
#[tokio::test]
async fn what_was_written_before_a_question_does_not_answer_it() {
    let t = Dispatch::start().await;
    let ([order, _], chat) = t.two_of_anna().await;
    let mut early = chat.text_update("Скоро буду");
    early["message"]["date"] = (early["message"]["date"].as_i64().expect("a date") - 2).into();
    chat.tap(&format!("m:act:ret:{order}")).await;
    t.deliver(&early).await;
    assert_eq!(t.status(order).await, "ASSIGNED");
    t.answer(&chat, "Не успеваю").await;
    assert_eq!(t.status(order).await, "SEARCHING", "the question is still open");
}

/// The third hole: a tap that changed nothing acts on an offer made since.
#[tokio::test]
async fn a_tap_that_changed_nothing_does_nothing_when_it_comes_again_after_a_new_offer() {
    let t = Dispatch::start().await;
    let chat = t.chat(ANNA);
    for verb in ["acc", "dec_yes"] {
        // Expired, recalled, never offered, declined.
        for (state, says) in
            [("EXPIRED", "Время истекло"), ("CANCELED", "снята"), ("", "не найдена"), ("DECLINED", "отклонили")]
        {
            let order = t.order().create().await;
            if !state.is_empty() {
                t.offer(order, ANNA, state).await;
            }
            let tap = chat.tap(&format!("m:new:{verb}:{order}")).await;
            assert!(tap.notice().contains(says), "{state}: {}", tap.notice());
            t.offer(order, ANNA, "SENT").await;
            let before = t.everything().await;
            for _ in 0..2 {
                let again = chat.deliver(tap.update.clone()).await;
                // Of an offer that is there by now nobody says that it is not found.
                let says = if state.is_empty() { "снята" } else { says };
                assert!(last(&again).contains(says), "{state}: {}", last(&again));
            }
            assert_eq!(t.everything().await, before, "{verb} {state}");
        }
    }
    // At the limit, and a place is free since.
    t.execute("UPDATE masters SET max_active_orders = 0", &[]).await;
    let order = t.order().offered_to([ANNA]).await;
    let tap = t.tap_accept(ANNA, order).await;
    t.execute("UPDATE masters SET max_active_orders = 1", &[]).await;
    let again = chat.deliver(tap.update).await;
    assert!(last(&again).contains("лимит") && t.owner(order).await.is_none(), "{}", last(&again));
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"), "a tap of its own does");
}

#[tokio::test]
async fn what_is_not_a_sum_answers_no_other_question_when_it_comes_again() {
    let t = Dispatch::start().await;
    let ([first, second], chat) = t.two_of_anna().await;
    t.steps(&chat, first, &["enr", "wrk", "cls_yes"]).await;
    let words = chat.text_update("две тысячи");
    t.deliver(&words).await;
    chat.tap(&format!("m:act:ret:{second}")).await;
    t.deliver(&words).await;
    assert!(chat.screen().contains(&format!("возвращаете заявку №{second}")), "what is asked now: {}", chat.screen());
    assert_eq!(t.status(second).await, "ASSIGNED");
    t.answer(&chat, "Не успеваю").await;
    assert_eq!(t.status(second).await, "SEARCHING");
}

/// Staff's own updates have a key too.
#[tokio::test]
async fn what_staff_did_is_not_done_again() {
    let t = Dispatch::start().await;
    t.add_staff(500).await;
    let origin = |id: &str| Origin { update: UpdateKey::callback(BotName::Admin, id), message: Some(7), written: None };
    let order = t.order().create().await;
    let assign = async |id: &str, master: i64| {
        t.first_of_staff_does(order, &StaffCommand::Assign(MasterId(master)), Some(&origin(id))).await
    };
    let again = StaffCommand::SearchAgain(String::new());
    let take_back = async |id: &str| t.first_of_staff_does(order, &again, Some(&origin(id))).await;
    assert_eq!(assign("1", 1).await, "SUCCESS");
    assert_eq!(assign("1", 1).await, "REPEATED");
    assert_eq!(take_back("2").await, "SUCCESS");
    assert_eq!(assign("1", 1).await, "REPEATED", "it was taken back since");
    assert_eq!(assign("3", 2).await, "SUCCESS");
    assert_eq!(take_back("2").await, "REPEATED", "it was given to somebody else since");
    assert_eq!(t.owner(order).await, Some(BORIS));
    t.check().await;
}

/// Several at once: what one of them does, the others find done.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_comes_many_times_at_once_is_handled_once() {
    let t = Dispatch::start().await;
    let ([order, _], chat) = t.two_of_anna().await;
    t.steps(&chat, order, &["enr"]).await;
    t.pause().await;
    let step = chat.tap_update(&format!("m:act:wrk:{order}"));
    join_all((0..8).map(|_| chat.deliver(step.clone()))).await;
    assert_eq!(t.status(order).await, "WORKING");
    chat.tap(&format!("m:act:ret:{order}")).await;
    let reason = chat.text_update("Не успеваю");
    join_all((0..8).map(|_| t.deliver(&reason))).await;
    assert_eq!(t.status(order).await, "WORKING", "it only asks");
    let confirm =
        chat.buttons().iter().find(|button| button.text.contains("Да, вернуть")).expect("it asks").data.clone();
    let confirm = chat.tap_update(&confirm);
    join_all((0..8).map(|_| chat.deliver(confirm.clone()))).await;
    assert_eq!(t.status(order).await, "SEARCHING");
    let rows: i64 = t.one("SELECT count(*) FROM processed_updates WHERE order_id = $1", &[&order.0]).await;
    assert_eq!(rows, 5, "two steps, asked, answered, confirmed");
    t.check().await;
}

/// The outbox keeps what Telegram did not take. When the database fails in that moment too, nobody but Telegram knows that the
/// person is owed an answer: it is to send the update again.
#[tokio::test]
async fn an_answer_that_neither_telegram_nor_the_database_took_comes_again() {
    let t = Dispatch::start().await;
    let (anna, olga) = (t.chat(ANNA), t.add_staff(OLGA).await);
    anna.say("/start").await;
    let order = t.order().offered_to([ANNA]).await;
    // What an accept commits goes through; the screens that are left to the outbox do not.
    let fails = "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE 'on its way down' USING ERRCODE = '57P01'; END $$;
                 CREATE TRIGGER fails BEFORE INSERT ON outbox FOR EACH ROW
                 WHEN (NEW.kind IN ('OWN_ORDER', 'STAFF_SCREEN')) EXECUTE FUNCTION fails()";
    t.sql.batch_execute(fails).await.expect("a database that fails");
    t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
    let take = t.tap_accept(ANNA, order).await;
    assert_eq!((take.delivery.status, t.owner(order).await), (Some(503), Some(ANNA)));
    t.telegram.fail_next("sendMessage", 1, Fault::ServerError);
    let start = olga.text_update("/start");
    assert_eq!(t.telegram.deliver(ADMIN_TOKEN, &start).await.status, Some(503));
    assert_eq!(olga.screen(), "");

    t.sql.batch_execute("DROP TRIGGER fails ON outbox").await.expect("a database that is well");
    let again = anna.deliver(take.update).await;
    assert_eq!(again.delivery.status, Some(200));
    assert!(last(&again).contains("уже ваша") && anna.screen().contains(&format!("№{order}")), "{}", anna.screen());
    assert_eq!(t.telegram.deliver(ADMIN_TOKEN, &start).await.status, Some(200));
    assert!(olga.screen().contains("Здравствуйте"), "{}", olga.screen());
    t.check().await;
}

/// What will never go into the outbox must not come again for ever, or the person is blocked behind it.
#[tokio::test]
async fn an_answer_that_the_outbox_will_never_take_does_not_come_again() {
    let t = Dispatch::start().await;
    let anna = t.chat(ANNA);
    anna.say("/start").await;
    let order = t.order().offered_to([ANNA]).await;
    t.execute("ALTER TABLE outbox ADD CHECK (kind <> 'OWN_ORDER')", &[]).await;
    t.telegram.fail_next("editMessageText", 1, Fault::ServerError);
    let take = t.tap_accept(ANNA, order).await;
    assert_eq!((take.delivery.status, t.owner(order).await), (Some(200), Some(ANNA)));
    assert_eq!(t.app.metrics.get("webhook", "FAILED"), 1);
}
