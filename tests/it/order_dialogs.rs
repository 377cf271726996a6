//! What dispatchers tap and write about an order, as they see it: from a button to the card with what came of it.

use std::time::Duration;

use field_service::bots::delivery;
use field_service::model::{OrderId, OrderStatus};
use field_service::sim::telegram::Chat;
use serde_json::json;

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, VERA};

const OLGA: i64 = 501;

impl Dispatch {
    async fn olga(&self) -> Chat {
        for user in [ANNA, BORIS, VERA] {
            self.chat(user).open();
        }
        self.add_staff(OLGA).await
    }

    /// The version and revision of an order.
    async fn version_of(&self, order: OrderId) -> String {
        self.one("SELECT concat(version, '.', revision) FROM orders WHERE id = $1", &[&order.0]).await
    }

    async fn text_of(&self, order: OrderId, column: &str) -> Option<String> {
        self.one(&format!("SELECT {column}::text FROM orders WHERE id = $1"), &[&order.0]).await
    }

    async fn open_question(&self) -> Option<String> {
        let rows = self.sql.query("SELECT question FROM staff_dialogs", &[]).await.expect("a query");
        rows.first().map(|row| row.get(0))
    }

    /// Waits until a master reads that, last of all.
    async fn reads(&self, user: i64, text: &str) {
        let chat = self.chat(user);
        for _ in 0..50 {
            delivery::pass(&self.app.bots(), None).await.expect("a database");
            if chat.screen().contains(text) {
                return;
            }
            // Messages of a chat are a second apart.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{text:?} is not in:\n{}", chat.screen());
    }
}

/// The data of the button that says so.
fn data(chat: &Chat, text: &str) -> String {
    let buttons = chat.buttons();
    let button = buttons.iter().find(|button| button.text.contains(text));
    button.unwrap_or_else(|| panic!("no {text:?} in {buttons:?}")).data.clone()
}

fn shows(chat: &Chat, text: &str) {
    let screen = chat.screen();
    assert!(screen.contains(text), "{text:?} is not in:\n{screen}");
}

#[tokio::test]
async fn an_order_is_canceled_for_a_reason_that_its_master_reads() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let order = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    chat.tap(&format!("adm:q:cnl:{order}:{}", t.version_of(order).await)).await;
    shows(&chat, "Почему отменяем");
    chat.press("Клиент не отвечает").await;
    shows(&chat, "Причина: «Клиент не отвечает»");
    let done = chat.press("Да, отменить").await;
    assert_eq!(done.notice(), "Заявка отменена.");
    shows(&chat, &format!("№{order}"));
    assert_eq!(t.status(order).await, "CANCELED");
    t.reads(ANNA, "Клиент не отвечает").await;

    // In the own words.
    let order = t.order().in_status("WORKING").of_master(BORIS).create().await;
    chat.tap(&format!("adm:q:cnl:{order}")).await;
    for slip in ["нет, не надо", "1"] {
        chat.say(slip).await;
        shows(&chat, &format!("Причина: «{slip}»"));
        assert_eq!(t.status(order).await, "WORKING", "written reasons are confirmed as ready ones are");
    }
    let earlier = data(&chat, "Да, отменить");
    chat.say("Клиент <уехал> & не вернётся").await;
    assert!(chat.tap(&earlier).await.notice().contains("Эта причина уже не та"), "it was confirmed for another one");
    assert_eq!(t.status(order).await, "WORKING");
    chat.say("Клиент <уехал> & не вернётся").await;
    assert_eq!(t.open_question().await.as_deref(), Some("CANCEL_REASON"));
    let yes = data(&chat, "Да, отменить");
    assert_eq!(chat.tap(&yes).await.notice(), "Заявка отменена.");
    assert_eq!(t.status(order).await, "CANCELED");
    assert_eq!(chat.tap(&yes).await.notice(), "Так уже и есть, менять нечего.");
    assert_eq!(t.open_question().await, None, "an impatient second tap asks nothing anew");
    t.reads(BORIS, "Клиент <уехал> & не вернётся").await;
    assert_eq!(t.open_question().await, None);
    t.check().await;
}

#[tokio::test]
async fn an_order_is_taken_from_its_master_and_searched_for_anew() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let order = t.order().in_status("EN_ROUTE").of_master(ANNA).create().await;
    chat.tap(&format!("adm:q:ret:{order}")).await;
    shows(&chat, "Почему ищем другого");
    chat.press("Мастер не отвечает").await;
    shows(&chat, "Забрать заявку");
    let done = chat.press("Да, искать").await;
    assert_eq!(done.notice(), "Ищем заново. Спросили 2 мастеров, ждём ответа.");
    assert_eq!(t.owner(order).await, None);
    let asked = t.asked(order).await;
    assert!(asked.len() == 2 && !asked.contains(&ANNA), "{asked:?}");
    t.reads(ANNA, "Мастер не отвечает").await;
    // In the own words.
    let other = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    chat.tap(&format!("adm:q:ret:{other}")).await;
    chat.say("Мастер заболел").await;
    shows(&chat, "Причина: «Мастер заболел»");
    assert_eq!(t.owner(other).await, Some(ANNA));
    chat.press("Нет").await;
    assert_eq!(t.open_question().await, None);
    chat.tap(&format!("adm:q:ret:{other}")).await;
    chat.say("Мастер заболел").await;
    let yes = data(&chat, "Да, искать");
    assert!(chat.tap(&yes).await.notice().starts_with("Ищем заново."));
    assert_eq!(t.owner(other).await, None);
    assert_eq!(chat.tap(&yes).await.notice(), "Так уже и есть, менять нечего.");
    shows(&chat, &format!("№{other}"));
    // What is nobody's needs no reason.
    chat.tap(&format!("adm:q:ret:{order}")).await;
    shows(&chat, "Начать поиск мастера");
    assert_eq!(t.open_question().await, None);
    assert!(chat.press("Да, искать").await.notice().starts_with("Ищем заново."));
    t.check().await;
}

#[tokio::test]
async fn a_master_is_chosen_by_hand_and_who_speaks_against_it_is_named_first() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = $1", &[&VERA]).await;
    t.execute("UPDATE masters SET is_blocked = true, blocked_reason = 'долг' WHERE telegram_user_id = $1", &[&BORIS])
        .await;
    let order = t.order().create().await;
    chat.tap(&format!("adm:q:as:man:{order}:1")).await;
    shows(&chat, "Кому отдать заявку");
    shows(&chat, "Подходят и свободны: 1");
    let labels: Vec<_> = chat.buttons().iter().map(|button| button.text.clone()).collect();
    assert_eq!(
        labels,
        ["◀ К заявке", "Анна · 0 из 5", "⚠️ не на смене · Вера", "⚠️ заблокирован · Борис", "🔄 Обновить"]
    );
    assert_eq!(chat.press("Борис").await.notice(), "Мастер заблокирован (долг). Сначала разблокируйте его.");
    chat.tap(&format!("adm:q:as:man:{order}:1")).await;
    chat.press("Вера").await;
    shows(&chat, "Вера (не на смене)");
    assert_eq!(t.owner(order).await, None, "that needs a second tap");
    assert_eq!(chat.press("Всё равно").await.notice(), "Заявка отдана: Вера.");
    assert_eq!(t.owner(order).await, Some(VERA));
    // From one master to another, also a fit one.
    chat.tap(&format!("adm:q:as:man:{order}:1")).await;
    chat.press("Анна").await;
    shows(&chat, "Сейчас её ведёт мастер Вера (заявка ждёт выезда)");
    assert_eq!(chat.press("Да, передать").await.notice(), "Заявка отдана: Анна.");
    assert_eq!(t.owner(order).await, Some(ANNA));
    t.reads(VERA, &format!("№{order}")).await;
    t.check().await;
}

#[tokio::test]
async fn what_an_order_says_is_changed_in_words_and_its_master_told() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    // This release has delivered something before.
    t.execute("UPDATE outbox_bots SET slots = 1", &[]).await;
    let order = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    for (field, asks, written, column, kept, says, told) in [
        (
            "addr",
            "Новый адрес",
            "ул. <Мира>, 7 & 9",
            "address",
            "ул. <Мира>, 7 & 9",
            "Адрес изменён.",
            "изменил: адрес",
        ),
        ("name", "Как зовут", "Мария <Петровна>", "client_name", "Мария <Петровна>", "Имя изменено.", "изменил: имя"),
        (
            "tel",
            "Новый телефон",
            "8 912 345-67-89",
            "client_phone",
            "+79123456789",
            "Телефон изменён.",
            "изменил: телефон",
        ),
        (
            "desc",
            "Что сделать",
            "Течёт 🚿 кран",
            "description",
            "Течёт 🚿 кран",
            "Описание изменено.",
            "изменил: описание",
        ),
        (
            "com",
            "Что передать",
            "Домофон 15",
            "comment",
            "Домофон 15",
            "Комментарий записан",
            "💬 Диспетчер: Домофон 15\n",
        ),
    ] {
        chat.tap(&format!("adm:o:edit:{order}:{}", t.version_of(order).await)).await;
        shows(&chat, "Что меняем");
        chat.tap(&format!("adm:o:{field}:{order}:{}", t.version_of(order).await)).await;
        shows(&chat, asks);
        chat.say(written).await;
        shows(&chat, says);
        assert_eq!(t.text_of(order, column).await.as_deref(), Some(kept));
        assert_eq!(t.open_question().await, None);
        t.reads(ANNA, told).await;
        shows(&t.chat(ANNA), kept);
    }
    chat.tap(&format!("adm:o:com:{order}")).await;
    assert_eq!(chat.press("Убрать комментарий").await.notice(), "Комментарий убран.");
    assert_eq!(t.text_of(order, "comment").await, None);
    assert_eq!(t.version_of(order).await, "1.7", "six changes of what it says, none of its status");
    t.check().await;
}

#[tokio::test]
async fn a_phone_is_no_address_and_no_name() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let order = t.order().of_master(ANNA).in_status("ASSIGNED").create().await;
    for (field, column) in [("addr", "address"), ("name", "client_name")] {
        let before = t.text_of(order, column).await;
        chat.tap(&format!("adm:o:{field}:{order}")).await;
        chat.say("8 912 345 67 89").await;
        shows(&chat, "Это телефон");
        assert_eq!(t.text_of(order, column).await, before);
    }
}

#[tokio::test]
async fn an_impatient_second_tap_reads_that_it_is_done() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let deferred = t.order().in_status("DEFERRED").create().await;
    let canceled = t.order().in_status("SEARCHING").create().await;
    chat.tap(&format!("adm:q:cnl:{canceled}")).await;
    chat.press("Клиент не отвечает").await;
    chat.press("Да, отменить").await;
    chat.press("Открыть").await;
    let reopen = data(&chat, "Да, открыть");
    let now = format!("adm:q:as:auto:{deferred}:{}", t.version_of(deferred).await);
    for (order, tap) in [(deferred, now), (canceled, reopen)] {
        assert!(!chat.tap(&tap).await.notice().contains("Ничего не сделано"));
        assert_eq!(t.status(order).await, "SEARCHING");
        assert_eq!(chat.tap(&tap).await.notice(), "Так уже и есть, менять нечего.");
    }
    t.check().await;
}

#[tokio::test]
async fn a_slot_is_chosen_by_day_and_hour_on_the_city_s_clock() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let order = t.order().create().await;
    chat.tap(&format!("adm:o:slot:{order}")).await;
    shows(&chat, "Когда приехать");
    chat.press("Завтра").await;
    shows(&chat, "завтра: во сколько?");
    assert_eq!(chat.press("14:00–16:00").await.notice(), "Время изменено.");
    let slot = async || {
        t.one::<String>(
            "SELECT to_char(timeslot_start AT TIME ZONE timezone, 'HH24:MI') || '-' ||
                    to_char(timeslot_end AT TIME ZONE timezone, 'HH24:MI')
             FROM orders JOIN cities ON cities.id = city_id WHERE orders.id = $1",
            &[&order.0],
        )
        .await
    };
    assert_eq!(slot().await, "14:00-16:00");
    // Hours in words are of the day that was tapped, also where they are said at the second try.
    chat.tap(&format!("adm:o:slot:{order}")).await;
    chat.press("Завтра").await;
    chat.say("когда сможете").await;
    shows(&chat, "Не понял, когда");
    shows(&chat, "завтра: во сколько?");
    chat.say("с 15 до 17").await;
    shows(&chat, "Время изменено.");
    assert_eq!(slot().await, "15:00-17:00");
    let is_tomorrow: bool = t
        .one(
            "SELECT (timeslot_start AT TIME ZONE timezone)::date = (now() AT TIME ZONE timezone)::date + 1
             FROM orders JOIN cities ON cities.id = city_id WHERE orders.id = $1",
            &[&order.0],
        )
        .await;
    assert!(is_tomorrow);
    assert_eq!(
        chat.tap(&format!("adm:o:win:{order}:2020010110")).await.notice(),
        "Это время уже прошло. Выберите другое."
    );
    chat.tap(&format!("adm:o:slot:{order}")).await;
    assert_eq!(chat.press("Как можно скорее").await.notice(), "Время изменено.");
    assert_eq!(t.text_of(order, "timeslot_start").await, None);

    // In words, as in a new order.
    chat.tap(&format!("adm:o:slot:{order}")).await;
    for (written, says) in [("когда сможете", "Не понял, когда"), ("01.01.2020", "Это время уже прошло")]
    {
        chat.say(written).await;
        shows(&chat, says);
        shows(&chat, "Когда приехать");
    }
    chat.say("завтра с 9 до 11").await;
    shows(&chat, "Время изменено.");
    assert_eq!(slot().await, "09:00-11:00");
    chat.tap(&format!("adm:o:slot:{order}")).await;
    chat.say("как можно скорее").await;
    assert_eq!(t.text_of(order, "timeslot_start").await, None);
}

/// Whoever has an offer sees the order as it is now, in the same card.
#[tokio::test]
async fn an_offer_s_card_is_shown_anew_when_the_order_changes() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let order = t.order().in_status("CREATED").create().await;
    assert_eq!(chat.tap(&format!("adm:q:as:auto:{order}")).await.notice(), "Спросили 3 мастеров, ждём ответа.");
    t.reads(ANNA, "ул. Ленина, 5").await;
    let before = t.chat(ANNA).messages().len();
    chat.tap(&format!("adm:o:addr:{order}")).await;
    chat.say("ул. Мира, 7").await;
    t.reads(ANNA, "ул. Мира, 7").await;
    shows(&t.chat(ANNA), "Новая заявка");
    assert_eq!(t.chat(ANNA).messages().len(), before, "in the card that was there");
    t.chat(ANNA).press("Взять заявку").await;
    assert_eq!(t.owner(order).await, Some(ANNA));
    // The others' cards still end.
    t.reads(BORIS, "занято").await;
    t.check().await;
}

#[tokio::test]
async fn money_is_confirmed_before_the_order_is_closed_for_its_master() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let order = t.order().in_status("PAYMENT").of_master(ANNA).create().await;
    chat.tap(&format!("adm:o:sum:{order}")).await;
    shows(&chat, "Сколько заплатил");
    chat.say("тысяча").await;
    shows(&chat, "Это не сумма");
    chat.say("2 500 руб.").await;
    shows(&chat, "Закрыть заявку");
    assert_eq!(t.status(order).await, "PAYMENT");
    chat.say("3000").await;
    assert_eq!(chat.press("Да, закрыть").await.notice(), "Заявка закрыта: 3\u{a0}000\u{a0}₽.");
    assert_eq!(t.text_of(order, "final_amount").await.as_deref(), Some("3000.00"));
    t.reads(ANNA, &format!("Диспетчер закрыл вашу заявку №{order}.")).await;
    shows(&t.chat(ANNA), "3\u{a0}000\u{a0}₽");
    chat.tap(&format!("adm:o:rop:{order}")).await;
    shows(&chat, "Мастер тот же: Анна");
    assert_eq!(chat.press("Да, открыть").await.notice(), "Заявка снова открыта.");
    assert_eq!(t.status(order).await, "PAYMENT");
    t.reads(ANNA, "Диспетчер снова открыл заявку. Укажите сумму ещё раз.").await;
    t.check().await;
}

#[tokio::test]
async fn a_claim_shows_who_sees_to_it_and_can_be_taken_over() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let order = t.order().create().await;
    assert_eq!(chat.tap(&format!("adm:o:clm:{order}")).await.notice(), "Заявка за вами. Коллеги это видят.");
    assert_eq!(chat.tap(&format!("adm:o:clm:{order}")).await.notice(), "Так уже и есть, менять нечего.");
    // Whoever has not seen that says nothing of it, and is told.
    let other = t.add_staff(502).await;
    let told = other.tap(&format!("adm:o:clm:{order}")).await.notice().to_owned();
    assert!(told.starts_with("Этой заявкой уже занимается Диспетчер."), "{told}");
    shows(&other, "Ведёт Диспетчер");
    let by: i64 = t.one("SELECT telegram_user_id FROM orders JOIN staff ON staff.id = claimed_by_staff_id", &[]).await;
    assert_eq!(by, 501);
    assert_eq!(other.press("Беру на себя").await.notice(), "Заявка за вами. Коллеги это видят.");
    let by: i64 = t.one("SELECT telegram_user_id FROM orders JOIN staff ON staff.id = claimed_by_staff_id", &[]).await;
    assert_eq!(by, 502);
    assert_eq!(chat.tap(&format!("adm:o:unc:{order}")).await.notice(), "Сейчас так нельзя. Заявка ищет мастера.");
    assert_eq!(other.tap(&format!("adm:o:unc:{order}")).await.notice(), "Вы сняли с себя заявку.");
}

/// A clear sentence with what to do, the dialog stays where it was, and nothing is half-made.
#[tokio::test]
async fn what_answers_no_question_leaves_it_open_and_changes_nothing() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let open = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    let paid = t.order().in_status("PAYMENT").of_master(ANNA).create().await;
    let questions = [
        (format!("adm:q:cnl:{open}"), "CANCEL_REASON", open),
        (format!("adm:q:ret:{open}"), "RETURN_REASON", open),
        (format!("adm:o:addr:{open}"), "ADDRESS", open),
        (format!("adm:o:tel:{open}"), "PHONE", open),
        (format!("adm:o:desc:{open}"), "DESCRIPTION", open),
        (format!("adm:o:slot:{open}"), "SLOT", open),
        (format!("adm:o:com:{open}"), "COMMENT", open),
        (format!("adm:o:sum:{paid}"), "AMOUNT", paid),
    ];
    for (data, question, order) in questions {
        let before = t.everything_about(order).await;
        chat.tap(&data).await;
        assert_eq!(t.open_question().await.as_deref(), Some(question));
        let mut photo = chat.service_update(json!({"photo": [{"file_id": "x"}]}));
        photo["message"]["caption"] = json!("ул. Мира, 7");
        let contact = chat.contact_update(Some(ANNA), "+79990000000");
        let updates = [
            ("too long", chat.text_update(&"длинно ".repeat(500))),
            ("blank", chat.text_update(" \u{a0}\n ")),
            ("an emoji", chat.text_update("🤷‍♀️")),
            ("a photo", photo),
            ("forwarded", chat.forwarded_update("ул. Мира, 7")),
            ("a contact", contact),
        ];
        for (what, update) in updates {
            let messages = chat.messages().len();
            t.telegram.deliver(ADMIN_TOKEN, &update).await;
            assert_eq!(t.open_question().await.as_deref(), Some(question), "{what} to {question}");
            assert_eq!(t.everything_about(order).await, before, "{what} to {question}");
            assert_eq!(chat.messages().len(), messages + 1, "{what} to {question} is answered");
        }
        if question == "PHONE" {
            chat.say("912345678").await;
            shows(&chat, "В номере 9 цифр");
            assert_eq!(t.open_question().await.as_deref(), Some(question));
        }
        chat.tap("adm:menu").await;
        assert_eq!(t.open_question().await, None, "a tap elsewhere leaves the question");
    }
}

#[tokio::test]
async fn an_order_that_changed_while_the_question_was_open_is_not_changed_by_the_answer() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    for (data, answer, status) in [
        ("q:cnl", "Ошибка", OrderStatus::Searching),
        ("o:addr", "ул. Мира, 7", OrderStatus::Searching),
        ("o:com", "Домофон 15", OrderStatus::Searching),
    ] {
        let order = t.order().in_status(status.as_str()).offered_to([ANNA]).await;
        chat.tap(&format!("adm:{data}:{order}")).await;
        t.tap_accept(ANNA, order).await;
        chat.say(answer).await;
        shows(&chat, "Ничего не сделано: заявка успела измениться.");
        shows(&chat, "«ждёт выезда» — мастер Анна");
        assert_eq!(t.owner(order).await, Some(ANNA));
        assert_eq!(t.version_of(order).await, "2.1");
        assert_eq!(t.open_question().await, None);
    }
    // A question about what is over.
    let order = t.order().in_status("PAYMENT").of_master(ANNA).create().await;
    chat.tap(&format!("adm:o:sum:{order}")).await;
    t.steps(&t.chat(ANNA), order, &["cls"]).await;
    t.answer(&t.chat(ANNA), "1500").await;
    chat.say("2000").await;
    shows(&chat, "Ничего не сделано");
    assert_eq!(t.text_of(order, "final_amount").await.as_deref(), Some("1500.00"));
    t.check().await;
}

/// A note to a master is one however far he is by then; to another master it would be another one.
#[tokio::test]
async fn a_note_to_the_master_is_written_though_he_has_gone_on_meanwhile() {
    let t = Dispatch::start().await;
    let chat = t.olga().await;
    let order = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;
    chat.tap(&format!("adm:q:card:{order}")).await;
    let note = |chat: &Chat| {
        let buttons = chat.buttons();
        buttons.iter().find(|button| button.text.contains("Мастеру")).expect("a note").data.clone()
    };
    let as_seen = note(&chat);
    t.steps(&t.chat(ANNA), order, &["enr"]).await;
    chat.tap(&as_seen).await;
    shows(&chat, "Что передать мастеру");
    t.steps(&t.chat(ANNA), order, &["wrk"]).await;
    chat.say("Домофон 15").await;
    assert_eq!(t.text_of(order, "comment").await.as_deref(), Some("Домофон 15"));

    chat.tap(&format!("adm:q:card:{order}")).await;
    let as_seen = note(&chat);
    t.execute("UPDATE masters SET max_active_orders = 9", &[]).await;
    let boris: i64 = t.one("SELECT id FROM masters WHERE telegram_user_id = $1", &[&BORIS]).await;
    let colleague = t.add_staff(777).await;
    colleague.tap(&format!("adm:q:as:any:{order}:{boris}")).await;
    assert_eq!(t.owner(order).await, Some(BORIS));
    assert!(chat.tap(&as_seen).await.notice().contains("успела измениться"));
    t.check().await;
}

#[tokio::test]
async fn who_only_reads_and_who_is_elsewhere_is_told_so() {
    let t = Dispatch::start().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Пермь', 'Asia/Yekaterinburg')", &[]).await;
    let viewer = t.add_staff_as(503, "VIEWER", &[]).await;
    let elsewhere = t.add_staff_as(504, "DISPATCHER", &[2]).await;
    let order = t.order().in_status("PAYMENT").of_master(ANNA).create().await;
    let before = t.everything_about(order).await;
    for data in [
        "q:as:auto:#",
        "q:as:man:#:1",
        "q:as:pick:#:1",
        "q:as:any:#:1",
        "q:ret:#",
        "q:cnl:#",
        "o:ret:late:#",
        "o:ret_yes:late:#",
        "o:cnl:dup:#",
        "o:cnl_yes:dup:#",
        "o:clm:#",
        "o:unc:#",
        "o:edit:#",
        "o:addr:#",
        "o:tel:#",
        "o:desc:#",
        "o:slot:#",
        "o:com:#",
        "o:sum:#",
        "o:day:#:20991129",
        "o:win:#:2099112914",
        "o:asap:#",
        "o:nocom:#",
        "o:cls:#:100",
        "o:rop:#",
        "o:rop_yes:#",
    ] {
        let data = format!("adm:{}", data.replace('#', &order.to_string()));
        let notice = viewer.tap(&data).await.notice().to_owned();
        assert_eq!(notice, "У вас только просмотр. Менять заявки может диспетчер.", "{data}");
        let notice = elsewhere.tap(&data).await.notice().to_owned();
        assert_eq!(notice, "Такой заявки в ваших городах нет.", "{data}");
        assert!(!elsewhere.screen().contains("Ленина"), "{data}: {}", elsewhere.screen());
    }
    assert_eq!(t.everything_about(order).await, before);
    assert_eq!(t.open_question().await, None);
}

/// Every update of a day's work comes twice at once and once more at the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_life_of_an_order_is_the_same_however_often_its_updates_come() {
    let mut outcomes = Vec::new();
    for again in [false, true] {
        let t = Dispatch::start().await;
        let chat = t.olga().await;
        let order = t.order().in_status("CREATED").create().await;
        let mut updates = Vec::new();
        for step in [
            "adm:o:clm:#",
            "adm:q:as:auto:#",
            "adm:o:addr:#",
            "!ул. Мира, 7",
            "adm:q:as:any:#:1",
            "adm:o:com:#",
            "!Домофон 15",
            "adm:q:ret:#",
            "!Мастер заболел",
            ">Да, искать",
            "adm:q:as:any:#:2",
            "adm:o:win:#:2099112914",
            "adm:q:cnl:#",
            "!Передумали",
            ">Да, отменить",
            "adm:o:rop_yes:#",
            "adm:q:as:any:#:3",
            "adm:o:unc:#",
        ] {
            let step = step.replace('#', &order.to_string());
            let update = match step.strip_prefix('!') {
                Some(text) => chat.text_update(text),
                None => chat.tap_update(&step.strip_prefix('>').map_or_else(|| step.clone(), |text| data(&chat, text))),
            };
            let deliver = async || {
                if update.get("message").is_some() {
                    t.telegram.deliver(ADMIN_TOKEN, &update).await;
                } else {
                    drop(chat.deliver(update.clone()).await);
                }
            };
            if again {
                tokio::join!(deliver(), deliver());
            } else {
                deliver().await;
            }
            updates.push(update.clone());
        }
        if again {
            for update in updates {
                t.telegram.deliver(ADMIN_TOKEN, &update).await;
            }
        }
        t.check().await;
        let all: String = t
            .one(
                "SELECT concat_ws(E'\n',
                     (SELECT concat_ws(' ', status, version, revision, assigned_master_id, address, comment, timeslot_start,
                                       claimed_by_staff_id) FROM orders),
                     (SELECT string_agg(concat_ws(' ', from_status, to_status, reason), E'\n' ORDER BY id) FROM order_status_history),
                     (SELECT string_agg(concat_ws(' ', field, new_value), E'\n' ORDER BY id) FROM order_edits),
                     (SELECT string_agg(line, E'\n' ORDER BY line)
                      FROM (SELECT concat_ws(' ', master_id, state) AS line FROM offers) AS offered),
                     (SELECT string_agg(line, E'\n' ORDER BY line)
                      FROM (SELECT concat_ws(' ', kind, chat_id) AS line FROM outbox WHERE bot = 'MASTER') AS told))",
                &[],
            )
            .await;
        outcomes.push(all);
    }
    assert_eq!(outcomes[0], outcomes[1]);
}
