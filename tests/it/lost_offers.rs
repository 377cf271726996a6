//! What became of an order that a master did not get, is told as it was: by the order's history, to him and to staff, in one way
//! everywhere.

use field_service::dispatch::act::StaffCommand;
use field_service::dispatch::give_back;
use field_service::model::{Amount, MasterId, OrderId};
use field_service::sim::telegram::Chat;

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, VERA, master};

const OLGA: i64 = 500;

/// A city of Anna, Boris and Vera, who are on shift and have opened the bot, and Olga.
async fn city(more_masters: i64) -> (Dispatch, Chat) {
    let t = Dispatch::with_standing_clock(more_masters).await;
    t.add_staff(OLGA).await;
    for user in [ANNA, BORIS, VERA].into_iter().chain(200..200 + more_masters) {
        t.chat(user).say("/start").await;
    }
    let desk = t.telegram.chat(ADMIN_TOKEN, OLGA, "Диспетчер");
    (t, desk)
}

impl Dispatch {
    /// A new order, which all three are asked about.
    async fn asked_order(&self) -> OrderId {
        let order = self.order().in_status("CREATED").create().await;
        self.tick().await;
        assert_eq!(self.asked(order).await.len(), 3);
        order
    }

    /// An order that was offered by hand at this moment, without a wave.
    async fn offered_by_hand(&self, masters: &[i64]) -> OrderId {
        let order = self.order().offered_to(masters.to_vec()).await;
        self.execute("UPDATE offers SET sent_at = $1 WHERE order_id = $2", &[&self.clock.now(), &order.0]).await;
        order
    }

    async fn master_id(&self, user: i64) -> MasterId {
        MasterId(self.one("SELECT id FROM masters WHERE telegram_user_id = $1", &[&user]).await)
    }

    /// What a master is told.
    async fn told_why(&self, user: i64, order: OrderId) -> String {
        let chat = self.chat(user);
        chat.say(&format!("/why {order}")).await;
        chat.screen()
    }

    /// What staff are told of a master.
    async fn staff_told_of(&self, desk: &Chat, user: i64, order: OrderId) -> String {
        desk.tap(&format!("adm:o:whym:{order}:{}:1", self.master_id(user).await)).await;
        desk.screen()
    }

    async fn staff_do(&self, order: OrderId, command: StaffCommand) {
        assert_eq!(self.first_of_staff_does(order, &command, None).await, "SUCCESS", "{command:?}");
    }
}

fn says(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "«{words}» is missing: {text}");
    }
    // What nobody knows is not said, and what is known is not left open.
    for guess in ["или отменена", "досталась другому"] {
        assert!(!text.contains(guess), "{text}");
    }
}

#[tokio::test]
async fn whoever_gave_an_order_back_is_told_so_and_the_others_who_took_it() {
    let (t, desk) = city(1).await;
    let order = t.asked_order().await;
    t.let_pass(12);
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
    t.let_pass(60);
    let given = give_back::give_back(&t.app.store, order, Some("Сломалась машина"), master(ANNA), None).await;
    assert_eq!(given.expect("a database").expect("a master").outcome.name(), "SUCCESS");
    t.let_pass(1);
    t.tick().await;
    t.let_pass(31);
    t.tick().await;
    let anna = t.told_why(ANNA, order).await;
    says(&anna, &["как её предлагали", "Вам предложили; вы взяли её в ", " и вернули в ", "Вам уже предлагали её в "]);
    assert_eq!(anna.matches("вы взяли её").count(), 1, "once is enough: {anna}");
    says(&t.staff_told_of(&desk, ANNA, order).await, &["· Анна", "Предложили; взял её в ", " и вернул в "]);

    t.let_pass(1);
    assert_eq!(t.cancel(order, "передумали").await, "SUCCESS");
    let boris = t.told_why(BORIS, order).await;
    says(
        &boris,
        &["Вам предложили; другой мастер взял её через 12 с после предложения.", "Вам предложили; заявку отменили в "],
    );
    let boris = t.staff_told_of(&desk, BORIS, order).await;
    says(&boris, &["другой мастер взял её через 12 с после предложения (Анна)", "заявку отменили в "]);
    t.check().await;
}

#[tokio::test]
async fn what_staff_have_done_is_told_as_theirs() {
    let (t, desk) = city(0).await;
    let taken_away = t.asked_order().await;
    t.let_pass(5);
    t.tap_accept(ANNA, taken_away).await;
    t.let_pass(5);
    assert_eq!(t.take_back(taken_away, "не едет").await, "SUCCESS");
    says(&t.told_why(ANNA, taken_away).await, &["вы взяли её в ", ", у вас её забрали в "]);
    says(&t.staff_told_of(&desk, ANNA, taken_away).await, &[", у него её забрали в "]);
    assert_eq!(t.cancel(taken_away, "передумали").await, "SUCCESS");

    let passed_on = t.asked_order().await;
    t.let_pass(5);
    t.tap_accept(BORIS, passed_on).await;
    t.let_pass(5);
    t.staff_do(passed_on, StaffCommand::Assign(t.master_id(VERA).await)).await;
    says(&t.told_why(BORIS, passed_on).await, &["вы взяли её в ", ", её передали другому мастеру в "]);
    says(&t.told_why(ANNA, passed_on).await, &["другой мастер взял её через 5 с после предложения"]);
    says(&t.told_why(VERA, passed_on).await, &["ваша: она в «Мои заявки»"]);

    let given = t.asked_order().await;
    t.let_pass(14);
    t.staff_do(given, StaffCommand::Assign(t.master_id(VERA).await)).await;
    says(
        &t.told_why(ANNA, given).await,
        &["Вам предложили; диспетчер отдал её другому мастеру через 14 с после предложения."],
    );
    t.let_pass(5);
    assert_eq!(t.take_back(given, "не едет").await, "SUCCESS");
    says(&t.told_why(VERA, given).await, &["Вам предложили; её назначили вам в ", ", у вас её забрали в "]);
    assert_eq!(t.cancel(given, "передумали").await, "SUCCESS");

    let anew = t.asked_order().await;
    t.let_pass(5);
    assert_eq!(t.take_back(anew, "поздно").await, "SUCCESS");
    says(&t.staff_told_of(&desk, ANNA, anew).await, &["предложение снято в ", "мастера стали искать заново"]);
    assert_eq!(t.cancel(anew, "передумали").await, "SUCCESS");

    let canceled = t.asked_order().await;
    t.let_pass(5);
    t.chat(BORIS).tap(&format!("m:new:dec_yes:{canceled}")).await;
    assert_eq!(t.cancel(canceled, "передумали").await, "SUCCESS");
    says(&t.told_why(ANNA, canceled).await, &["Вам предложили; заявку отменили в "]);
    says(&t.told_why(BORIS, canceled).await, &["Вам предложили; вы отказались в "]);

    // Whoever it is closed for after it was lost, it was lost to him who took it.
    let closed = t.asked_order().await;
    t.let_pass(7);
    t.tap_accept(BORIS, closed).await;
    for step in ["enr", "wrk", "cls", "cls_yes"] {
        t.let_pass(5);
        t.chat(BORIS).tap(&format!("m:act:{step}:{closed}")).await;
    }
    t.staff_do(closed, StaffCommand::Close(Amount::from_kopecks(100_000).expect("a sum"))).await;
    says(&t.told_why(ANNA, closed).await, &["другой мастер взял её через 7 с после предложения"]);
    says(&t.told_why(BORIS, closed).await, &["была вашей: она закрыта"]);

    // A bar on the way ends an offer and nobody has written down why.
    let barred = t.asked_order().await;
    t.let_pass(5);
    t.execute("UPDATE masters SET is_blocked = true WHERE telegram_user_id = $1", &[&ANNA]).await;
    t.tick().await;
    assert_eq!(t.offer_state(barred, ANNA).await, "CANCELED");
    let anna = t.staff_told_of(&desk, ANNA, barred).await;
    says(&anna, &["Предложили; предложение снято в "]);
    assert!(!anna.contains("заново"), "{anna}");
    t.check().await;
}

#[tokio::test]
async fn an_offer_without_a_wave_is_told_of() {
    let (t, desk) = city(0).await;
    let order = t.offered_by_hand(&[ANNA, BORIS]).await;
    let boris = t.chat(BORIS);
    says(&t.told_why(BORIS, order).await, &["вам сейчас предлагают"]);
    boris.press("Заявка №").await;
    assert!(boris.buttons().iter().any(|button| button.text.contains("Взять заявку")), "{}", boris.screen());
    t.let_pass(12);
    t.tap_accept(ANNA, order).await;
    let text = t.told_why(BORIS, order).await;
    says(&text, &["Вам предложили её в ", "; другой мастер взял её через 12 с после предложения."]);
    assert!(!text.contains("Волна"), "{text}");
    says(&t.told_why(VERA, order).await, &["предлагали без волн", "вас среди них не было"]);

    desk.say(&format!("/why {order}")).await;
    says(&desk.screen(), &["Без волны, ", " — предложили: Анна, Борис."]);
    says(
        &t.staff_told_of(&desk, BORIS, order).await,
        &["Предложили её в ", "другой мастер взял её через 12 с после предложения (Анна)"],
    );
    says(&t.staff_told_of(&desk, VERA, order).await, &["этого среди них не было"]);
    // Of another city's master it is his offer all the same.
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    t.execute("INSERT INTO masters (telegram_user_id, full_name, city_id) VALUES (300, 'Гость', 2)", &[]).await;
    t.offer(order, 300, "DECLINED").await;
    says(&t.told_why(300, order).await, &["Вам предложили её в ", "вы отказались"]);
}

#[tokio::test]
async fn an_order_that_is_over_is_not_said_to_be_offered_yet() {
    let (t, desk) = city(0).await;
    for (status, words) in [
        ("SEARCHING", "ещё никому не предлагалась"),
        ("DEFERRED", "отложена"),
        ("CANCELED", "никому не предлагали: её отменили"),
        ("CLOSED", "никому не предлагали: она закрыта"),
        ("ASSIGNED", "никому не предлагали: её сразу отдали другому мастеру"),
    ] {
        let new = t.order().in_status(status);
        let new = if ["CLOSED", "ASSIGNED"].contains(&status) { new.of_master(BORIS) } else { new };
        let order = new.create().await;
        says(&t.told_why(ANNA, order).await, &[words]);
        desk.tap(&format!("adm:o:why:{order}:1")).await;
        assert_eq!(desk.screen().contains("Ещё никого"), status == "SEARCHING", "{}", desk.screen());
    }
    let given = t.order().in_status("SEARCHING").create().await;
    t.staff_do(given, StaffCommand::Assign(t.master_id(ANNA).await)).await;
    says(&t.told_why(BORIS, given).await, &["диспетчер сразу отдал её другому мастеру"]);
    let anna = t.chat(ANNA);
    says(&t.told_why(ANNA, given).await, &["ваша: она в «Мои заявки»"]);
    anna.press(&format!("Ваша заявка №{given}")).await;
    assert!(anna.screen().contains("Мария Клиентова"), "{}", anna.screen());
    t.let_pass(5);
    assert_eq!(t.take_back(given, "не едет").await, "SUCCESS");
    says(&t.told_why(ANNA, given).await, &["её назначили вам в ", ", у вас её забрали в "]);

    let canceled = t.order().in_status("SEARCHING").create().await;
    t.staff_do(canceled, StaffCommand::Assign(t.master_id(ANNA).await)).await;
    assert_eq!(t.cancel(canceled, "передумали").await, "SUCCESS");
    says(&t.told_why(ANNA, canceled).await, &["была вашей: её отменили"]);
}

/// Of one loss the alert, the card and the answer to «почему не мне» tell one time: whole seconds that have passed.
#[tokio::test]
async fn one_loss_has_one_time() {
    let (t, _) = city(0).await;
    for (by_staff, words) in [(false, "другой мастер взял её"), (true, "диспетчер отдал её другому мастеру")]
    {
        let order = t.asked_order().await;
        t.tell().await;
        t.let_pass(12);
        // The wave and its offers, 12.85 seconds ago.
        for sql in [
            "UPDATE offers SET sent_at = $2::timestamptz - interval '12.85 seconds' WHERE order_id = $1",
            "UPDATE dispatch_rounds SET created_at = $2::timestamptz - interval '12.85 seconds' WHERE order_id = $1",
        ] {
            t.execute(sql, &[&order.0, &t.clock.now()]).await;
        }
        if by_staff {
            t.staff_do(order, StaffCommand::Assign(t.master_id(ANNA).await)).await;
        } else {
            t.tap_accept(ANNA, order).await;
        }
        let alert = t.tap_accept(BORIS, order).await;
        let expected = format!("Уже занято: {words} через 12 с после предложения, вы нажали на долю секунды позже");
        assert_eq!(alert.notice(), expected);
        t.tell().await;
        let card = t.chat(VERA).screen();
        assert!(card.contains(&format!("Уже занято: {words} через 12 с после предложения.")), "{card}");
        says(&t.told_why(VERA, order).await, &[&format!("{words} через 12 с после предложения.")]);
    }
}

#[tokio::test]
async fn the_command_is_understood_in_both_bots() {
    let (t, desk) = city(0).await;
    let order = t.asked_order().await;
    assert_eq!(t.chat(ANNA).commands(), ["start", "why"]);
    let anna = t.chat(ANNA);
    for words in ["/WHY", "/Why@dispatch_bot"] {
        anna.say(&format!("{words} {order}")).await;
        says(&anna.screen(), &["вам сейчас предлагают"]);
    }
    for words in ["/why", "/WHY №"] {
        desk.say(&format!("{words} {order}").replace("№ ", "№")).await;
        says(&desk.screen(), &["кого спрашивали и почему", "Волна 1, "]);
    }
    desk.say("/why").await;
    assert!(desk.screen().contains("/why 123"), "{}", desk.screen());
    desk.say("/why 999999").await;
    assert!(desk.screen().contains("в ваших городах нет"), "{}", desk.screen());
    desk.say("/QUEUE").await;
    assert!(desk.screen().contains("Очередь"), "{}", desk.screen());
}

/// A wave for which there is nobody is tried again and again: it tells since when there is nobody, and is counted wherever it is
/// listed.
#[tokio::test]
async fn a_wave_without_anybody_tells_since_when() {
    let (t, desk) = city(0).await;
    let order = t.asked_order().await;
    let is_new = "SELECT count(*) FROM dispatch_rounds WHERE order_id = $1 AND round_number = 2 AND created_at = $2";
    let is_new = async || t.one::<i64>(is_new, &[&order.0, &t.clock.now()]).await == 1;
    t.let_pass(31);
    t.tick().await;
    assert!(is_new().await, "it is tried");
    t.let_pass(31);
    t.tick().await;
    assert!(!is_new().await, "it says since when");
    desk.tap(&format!("adm:q:card:{order}:1")).await;
    let card = desk.screen();
    says(&card, &["волна 2", "Волна 1, ", "Волна 2, с", " — спросить было некого"]);
    assert!(card.find("Волна 1,") < card.find("Волна 2,"), "as they went out: {card}");
    says(&t.staff_told_of(&desk, ANNA, order).await, &["Волна 2, с", "спросить было некого"]);
    t.add_master(300, "Новый").await;
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = 300", &[]).await;
    t.let_pass(31);
    t.tick().await;
    assert!(is_new().await, "another reason is another fact");
}
