//! A dispatcher takes a new order in on the phone, a field at a time or a whole message at once.

use field_service::sim::telegram::{Chat, Fault, Tap};
use jiff::Timestamp;
use serde_json::json;

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, Settings, VERA};
use field_service::model::OrderId;
use field_service::store::Clock;

const OLGA: i64 = 501;
const PETR: i64 = 502;
const PHONE: &str = "8 912 345 67 89";
const PASTE: &str = "Иванова 12-45, 8 912 345 67 89, искрит розетка, завтра после обеда, Мария";

/// A system whose clock stands at noon in Yekaterinburg.
async fn at_noon() -> Dispatch {
    at("2026-11-27T07:00:00Z").await
}

async fn at(time: &str) -> Dispatch {
    let clock = Clock::standing_at(time.parse().expect("a time"));
    Dispatch::start_with(Settings { clock, ..Settings::default() }).await
}

impl Dispatch {
    async fn at_the_desk(&self) -> Chat {
        let chat = self.add_staff(OLGA).await;
        chat.say("/start").await;
        chat
    }

    async fn count_orders(&self) -> i64 {
        self.one("SELECT count(*) FROM orders", &[]).await
    }

    async fn last_order(&self) -> OrderId {
        OrderId(self.one("SELECT max(id) FROM orders", &[]).await)
    }

    async fn of_draft(&self, column: &str) -> Option<String> {
        self.one(&format!("SELECT {column}::text FROM order_drafts ORDER BY id DESC LIMIT 1"), &[]).await
    }

    async fn open_drafts(&self) -> i64 {
        self.one("SELECT count(*) FROM order_drafts WHERE order_id IS NULL", &[]).await
    }
}

/// What stands on the screen, whatever form it has.
fn has(chat: &Chat, words: &str) {
    assert!(chat.screen().contains(words), "{words:?} is not in: {}", chat.screen());
}

fn label(chat: &Chat, begins: &str) -> String {
    let buttons = chat.buttons();
    let found = buttons.iter().find(|button| button.text.contains(begins));
    found.unwrap_or_else(|| panic!("{begins} is not in {buttons:?}")).data.clone()
}

fn may_press(chat: &Chat, begins: &str) -> bool {
    chat.buttons().iter().any(|button| button.text.contains(begins))
}

/// Answers everything up to the phone.
async fn up_to_the_phone(chat: &Chat) {
    chat.press("Новая заявка").await;
    chat.press("Сантехника").await;
    chat.say("Иванова 12, кв. 45").await;
    has(chat, "Какой телефон");
}

#[tokio::test]
async fn whoever_names_no_time_wants_somebody_soon() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say("Иванова 12-45, 8 912 345 67 89, искрит розетка").await;
    olga.press("Создать").await;
    let order = t.last_order().await;
    assert!(t.one::<bool>("SELECT soon AND timeslot_start IS NULL FROM orders WHERE id = $1", &[&order.0]).await);
    has(&olga, "как можно скорее");
}

#[tokio::test]
async fn an_order_is_taken_in_step_by_step_and_its_first_round_begins_at_once() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    t.chat(ANNA).open();
    olga.press("Новая заявка").await;
    has(&olga, "Что за работа?");
    olga.press("Сантехника").await;
    has(&olga, "Какой адрес?");
    olga.say("Иванова 12, кв. 45").await;
    has(&olga, "Какой телефон");
    olga.say(PHONE).await;
    has(&olga, "Как зовут");
    olga.say("Мария Ивановна").await;
    has(&olga, "Что случилось");
    olga.say("Течёт кран & капает <на пол>").await;
    has(&olga, "Когда приехать?");
    olga.press("Завтра").await;
    olga.press("14:00–16:00").await;
    has(&olga, "Кому предложить сначала?");
    olga.press("Любому мастеру").await;
    has(&olga, "Проверьте новую заявку");
    for said in
        ["Сантехника", "Иванова 12, кв. 45", "8 (912) 345-67-89", "Мария Ивановна", "завтра 14:00–16:00", "<на пол>"]
    {
        has(&olga, said);
    }
    has(&olga, "Подходящих: 3, свободных: 3.");

    let tap = olga.press("Создать и искать").await;
    let order = t.last_order().await;
    assert!(tap.notice().contains(&format!("Заявка №{order} создана. Предложена 3 мастерам.")), "{}", tap.notice());
    assert_eq!(t.status(order).await, "SEARCHING");
    let mut asked = t.asked(order).await;
    asked.sort_unstable();
    assert_eq!(asked, [ANNA, BORIS, VERA], "in the same request");
    assert!(t.chat(ANNA).screen().contains(&format!("Новая заявка №{order}")), "{}", t.chat(ANNA).screen());
    let row: String = t
        .one(
            "SELECT concat_ws(' | ', category, address, client_phone, client_name, description, timeslot_start, timeslot_end,
                              created_by_staff_id, version, revision)
             FROM orders WHERE id = $1",
            &[&order.0],
        )
        .await;
    assert_eq!(
        row,
        "PLUMBING | Иванова 12, кв. 45 | +79123456789 | Мария Ивановна | Течёт кран & капает <на пол> | \
         2026-11-28 09:00:00+00 | 2026-11-28 11:00:00+00 | 1 | 2 | 1"
    );
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
    t.check().await;
}

#[tokio::test]
async fn a_message_in_free_words_becomes_a_draft_that_says_what_each_field_took() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say(PASTE).await;
    has(&olga, "Проверьте новую заявку");
    for said in [
        "Электрика ← «искрит … розетка»",
        "Иванова 12-45",
        "8 (912) 345-67-89",
        "Мария",
        "завтра 14:00–18:00 ← «завтра после обеда»",
        "искрит розетка",
    ] {
        has(&olga, said);
    }
    has(&olga, &format!("Как прислали:\n{PASTE}"));
    olga.press("Создать и искать").await;
    let order = t.last_order().await;
    assert_eq!(t.status(order).await, "SEARCHING");
    assert_eq!(t.one::<String>("SELECT description FROM orders", &[]).await, "искрит розетка");
    t.check().await;
}

#[tokio::test]
async fn what_a_message_does_not_say_is_asked_for_and_nothing_else() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.press("Новая заявка").await;
    olga.deliver_forwarded("Ленина 5, течёт кран").await;
    has(&olga, "Какой телефон");
    olga.say(PHONE).await;
    has(&olga, "Проверьте новую заявку");
    has(&olga, "имя не назвали");
    has(&olga, "как можно скорее");
    olga.press("Создать и искать").await;
    assert_eq!(t.one::<String>("SELECT client_name FROM orders", &[]).await, "Клиент");
    t.check().await;
}

trait Sends {
    async fn deliver_forwarded(&self, text: &str) -> Tap;
    async fn deliver_photo(&self) -> Tap;
    async fn deliver_contact(&self, phone: &str) -> Tap;
}

impl Sends for Chat {
    async fn deliver_forwarded(&self, text: &str) -> Tap {
        self.deliver(self.forwarded_update(text)).await
    }

    async fn deliver_photo(&self) -> Tap {
        self.deliver(self.service_update(json!({"photo": [{"file_id": "x"}]}))).await
    }

    async fn deliver_contact(&self, phone: &str) -> Tap {
        self.deliver(self.contact_update(Some(777), phone)).await
    }
}

#[tokio::test]
async fn words_that_are_no_order_begin_none() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    for words in ["привет", "😀", "спасибо, до завтра", "<b>x</b>", "…"] {
        olga.say(words).await;
        assert!(!olga.screen().contains("Проверьте"), "{words}");
        assert_eq!(t.open_drafts().await, 0, "{words}");
    }
}

#[tokio::test]
async fn a_pasted_time_that_has_passed_is_asked_and_never_as_soon_as_possible() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say("Победы 5, кран течёт, сегодня в 9 утра").await;
    has(&olga, "Какой телефон");
    olga.say(PHONE).await;
    has(&olga, "Когда приехать?");
    has(&olga, "«сегодня в 9 утра»");
    olga.say("завтра в 9-30").await;
    has(&olga, "завтра 09:30–11:30");
    olga.press("Создать").await;
    assert_eq!(t.count_orders().await, 1);
    t.check().await;
}

#[tokio::test]
async fn a_few_words_of_a_trade_begin_an_order_that_they_describe() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.press("Новая заявка").await;
    olga.say("надо повесить полку").await;
    has(&olga, "Мелкий ремонт");
    has(&olga, "надо повесить полку");
    has(&olga, "Какой адрес");
    assert_eq!(t.of_draft("description").await.as_deref(), Some("надо повесить полку"));
    t.check().await;
}

#[tokio::test]
async fn a_restart_and_another_instance_go_on_where_it_was_left() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    up_to_the_phone(&olga).await;
    let other = t.restarted().await;
    olga.say(PHONE).await;
    has(&olga, "Как зовут");
    olga.press("Имя не назвали").await;
    drop(t);
    olga.press("Без описания").await;
    olga.press("Как можно скорее").await;
    olga.press("Любому").await;
    olga.press("Создать и искать").await;
    assert_eq!(other.count_orders().await, 1);
    other.check().await;
}

#[tokio::test]
async fn a_draft_can_be_left_at_any_step_and_is_taken_up_again() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    up_to_the_phone(&olga).await;
    olga.press("Меню").await;
    olga.say("/new").await;
    has(&olga, "Продолжаем с того места");
    has(&olga, "Какой телефон");
    has(&olga, "Иванова 12, кв. 45");
    olga.press("Удалить черновик").await;
    has(&olga, "Удалить черновик?");
    olga.press("Нет, оставить").await;
    has(&olga, "Какой телефон");
    olga.say(PHONE).await;
    has(&olga, "Как зовут");
    olga.press("Меню").await;
    olga.say("89991112233, Победы 3").await;
    has(&olga, "незаконченная заявка");
    has(&olga, "Иванова 12");
    let draft = t.of_draft("id").await.expect("a draft");
    assert!(olga.tap(&format!("adm:new:drop_yes:{draft}")).await.notice().contains("удалён"));
    assert_eq!(t.open_drafts().await, 0);
    assert!(olga.tap(&format!("adm:new:soon:{draft}")).await.notice().contains("уже нет"));
}

/// A message that comes while a draft is not finished is not to be sent again: it fills the draft, or begins another one.
#[tokio::test]
async fn a_message_beside_a_draft_fills_it_or_takes_its_place() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    let other = "Мира 7, 8 912 000 11 22, засор, сегодня с 15 до 17";
    let left = async || {
        olga.say(PASTE).await;
        has(&olga, "Проверьте новую заявку");
        olga.press("Меню").await;
        olga.say(other).await;
        has(&olga, "незаконченная заявка");
        has(&olga, other);
    };
    left().await;
    let draft = t.of_draft("id").await;
    let add = label(&olga, "Дополнить");
    olga.tap(&add).await;
    has(&olga, "Проверьте новую заявку");
    assert_eq!((t.of_draft("address").await.as_deref(), t.of_draft("id").await), (Some("Мира 7"), draft.clone()));
    let description = t.of_draft("description").await;
    assert!(olga.tap(&add).await.notice().contains("уже в заявке"), "a second tap adds nothing");
    assert_eq!(t.of_draft("description").await, description);
    olga.press("Удалить").await;
    olga.press("Да, удалить").await;

    left().await;
    let draft = t.of_draft("id").await;
    let instead = label(&olga, "Начать новую");
    olga.tap(&instead).await;
    has(&olga, "Проверьте новую заявку");
    assert_eq!((t.open_drafts().await, t.of_draft("address").await.as_deref()), (1, Some("Мира 7")));
    assert_ne!(t.of_draft("id").await, draft);
    olga.tap(&instead).await;
    assert_eq!(t.of_draft("address").await.as_deref(), Some("Мира 7"), "a second tap begins nothing");
    // Neither is done, and the draft goes on as it was.
    olga.say(PASTE).await;
    has(&olga, "незаконченная заявка");
    olga.press("К заявке целиком").await;
    olga.press("Создать").await;
    assert_eq!(t.count_orders().await, 1);
}

#[tokio::test]
async fn a_draft_is_none_any_more_after_a_day() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    up_to_the_phone(&olga).await;
    let draft = t.of_draft("id").await.expect("a draft");
    t.let_pass(24 * 3600 - 1);
    olga.tap("adm:new").await;
    has(&olga, "Какой телефон");
    t.let_pass(24 * 3600 + 1);
    assert!(olga.tap(&format!("adm:new:skip:{draft}:NAME")).await.notice().contains("больше суток"));
    olga.say(PHONE).await;
    assert_eq!(t.count_orders().await, 0);
    olga.tap("adm:new").await;
    has(&olga, "Что за работа?");
    t.tick().await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM order_drafts WHERE id <= $1::text::bigint", &[&draft]).await, 0);
}

#[tokio::test]
async fn old_drafts_are_deleted_with_the_clients_in_them() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say(PASTE).await;
    olga.press("Создать и искать").await;
    t.tick().await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM order_drafts", &[]).await, 1, "its button may be tapped again");
    t.let_pass(9 * 24 * 3600);
    t.tick().await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM order_drafts", &[]).await, 0);
}

#[tokio::test]
async fn an_update_that_is_delivered_again_changes_nothing_and_makes_no_second_order() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    let mut updates = Vec::new();
    let pasted = olga.text_update("Ленина 5, искрит розетка");
    olga.deliver(pasted.clone()).await;
    updates.push(pasted);
    let phone = olga.text_update(PHONE);
    olga.deliver(phone.clone()).await;
    updates.push(phone);
    for button in ["Имя", "Создать"] {
        if button == "Имя" {
            let edit = olga.tap_update(&label(&olga, "Имя"));
            olga.deliver(edit.clone()).await;
            let name = olga.text_update("Мария");
            olga.deliver(name.clone()).await;
            updates.extend([edit, name]);
        } else {
            let create = olga.tap_update(&label(&olga, "Создать и искать"));
            let (first, second) = tokio::join!(olga.deliver(create.clone()), olga.deliver(create.clone()));
            let said = [first, second].map(|tap| format!("{:?}", tap.answers)).concat();
            assert!(said.contains("Заявка №1 создана") && said.contains("уже создана заявка №1"), "{said:?}");
            updates.push(create);
        }
    }
    assert_eq!(t.count_orders().await, 1);
    let before = t.everything().await;
    for update in updates {
        let again = olga.deliver(update).await;
        assert_eq!(again.delivery.status, Some(200), "{again:?}");
    }
    t.let_pass(6 * 24 * 3600);
    assert_eq!(t.everything().await, before);
    assert_eq!((t.count_orders().await, t.open_drafts().await), (1, 0));
    t.check().await;
}

#[tokio::test]
async fn two_taps_at_once_make_one_order_and_the_other_is_told_which() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say(PASTE).await;
    let create = label(&olga, "Создать и искать");
    let (one, other) = tokio::join!(olga.tap(&create), olga.tap(&create));
    let mut said = [one.notice().to_owned(), other.notice().to_owned()];
    said.sort();
    let order = t.last_order().await;
    assert!(said.iter().any(|said| said.contains(&format!("уже создана заявка №{order}"))), "{said:?}");
    assert!(said.iter().any(|said| said.contains(&format!("Заявка №{order} создана"))), "{said:?}");
    assert_eq!(t.count_orders().await, 1);
    assert!(olga.tap(&create).await.notice().contains("уже создана"));
    t.check().await;
}

#[tokio::test]
async fn what_was_changed_since_it_was_shown_is_shown_again_instead_of_made() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say(PASTE).await;
    let create = label(&olga, "Создать и искать");
    olga.press("Имя").await;
    olga.say("Анна").await;
    has(&olga, "Анна");
    assert!(olga.tap(&create).await.notice().contains("изменился"));
    assert_eq!(t.count_orders().await, 0);
    olga.press("Создать и искать").await;
    assert_eq!(t.one::<String>("SELECT client_name FROM orders", &[]).await, "Анна");
}

#[tokio::test]
async fn each_field_can_be_said_again_from_the_whole() {
    let t = at_noon().await;
    t.execute("INSERT INTO districts (city_id, name) VALUES (1, 'Уралмаш'), (1, 'Центр')", &[]).await;
    let olga = t.at_the_desk().await;
    olga.say(PASTE).await;
    for (button, answer, shown) in [
        ("Работа", "сантехника", "🛠 Сантехника"),
        ("Район", "уралмаш", "Уралмаш"),
        ("Адрес", "Победы 1", "Победы 1"),
        ("Телефон", "8 922 111 22 33", "8 (922) 111-22-33"),
        ("Имя", "Пётр", "👤 Пётр"),
        ("Описание", "Засор", "📝 Засор"),
        ("Время", "сегодня с 15 до 17", "🕒 сегодня 15:00–17:00"),
        ("Мастер", "борис", "Сначала предложить: Борис"),
    ] {
        olga.press(button).await;
        assert!(may_press(&olga, "К заявке целиком"), "{button}: {:?}", olga.buttons());
        olga.say(answer).await;
        has(&olga, "Проверьте новую заявку");
        has(&olga, shown);
    }
    olga.press("Телефон").await;
    olga.press("К заявке целиком").await;
    has(&olga, "8 (922) 111-22-33");
    olga.press("Создать и искать").await;
    let order = t.last_order().await;
    assert_eq!(t.asked(order).await, [BORIS], "the preferred master is asked alone");
    t.check().await;
}

/// A question, what answers it, and what does not, with what is said to it.
type Step = (&'static str, &'static str, Vec<(String, &'static str)>);

#[tokio::test]
async fn bad_answers_are_refused_with_what_to_do_and_the_question_stays() {
    let t = at_noon().await;
    t.execute("INSERT INTO districts (city_id, name) VALUES (1, 'Уралмаш')", &[]).await;
    let olga = t.at_the_desk().await;
    olga.press("Новая заявка").await;
    let long = |count: usize| "я".repeat(count);
    let steps: [Step; 8] = [
        (
            "Что за работа?",
            "Сантехника",
            vec![("огород".into(), "Не понял, что за работа"), (long(4000), "Не понял, что за работа")],
        ),
        (
            "Какой район?",
            "Уралмаш",
            vec![("Химмаш".into(), "Такого варианта нет"), (long(4000), "Такого варианта нет")],
        ),
        ("Какой адрес?", "Иванова 12", vec![(long(301), "Слишком длинно: 301 знак, а помещается 300")]),
        (
            "Какой телефон",
            PHONE,
            vec![
                ("912345678".into(), "В номере 9 цифр"),
                ("8 912 345 67 8".into(), "Такого номера не бывает"),
                ("8 012 345 67 89".into(), "Такого номера не бывает"),
                ("не знаю".into(), "не похоже на телефон"),
                ("8 912 345 67 89 12345 6789".into(), "В номере 20 цифр"),
            ],
        ),
        ("Как зовут", "Мария", vec![(PHONE.into(), "Это телефон"), (long(101), "Слишком длинно")]),
        ("Что случилось", "Течёт", vec![(long(2001), "Слишком длинно: 2001")]),
        (
            "Когда приехать?",
            "завтра",
            vec![
                ("сегодня с 8 до 10".into(), "уже прошло"),
                ("26.11 в 10:00".into(), "уже прошло"),
                ("25.06.2027".into(), "слишком далеко"),
                ("когда-нибудь".into(), "Не понял, когда"),
                ("31.02".into(), "Не понял, когда"),
            ],
        ),
        ("Кому предложить", "Анна", vec![("Григорий".into(), "Такого варианта нет")]),
    ];
    for (question, answer, bad) in steps {
        has(&olga, question);
        let before = t.of_draft("revision").await;
        let everywhere = [("😀😀", "ни слова, ни числа"), ("  …  ", "ни слова, ни числа")];
        let bad = bad.into_iter().chain(everywhere.map(|(written, said)| (written.to_owned(), said)));
        for (written, said) in bad {
            olga.say(&written).await;
            has(&olga, said);
            has(&olga, question);
        }
        olga.deliver_photo().await;
        has(&olga, "Напишите словами");
        has(&olga, question);
        if question != "Что за работа?" {
            olga.deliver_forwarded(answer).await;
            has(&olga, "Пересланное");
            has(&olga, question);
        }
        if question != "Какой телефон" {
            olga.deliver_contact("+79123456789").await;
            has(&olga, "не контакт");
            has(&olga, question);
        }
        assert_eq!(t.of_draft("revision").await, before, "{question}: nothing was changed");
        olga.say(answer).await;
    }
    has(&olga, "Проверьте новую заявку");
    olga.say("ну всё").await;
    has(&olga, "нажмите на это поле");
    assert_eq!(t.count_orders().await, 0);
}

#[tokio::test]
async fn html_is_kept_as_it_was_written_in_every_field() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.press("Новая заявка").await;
    olga.press("Сантехника").await;
    for written in ["<b>Иванова</b> 12", PHONE, "<i>Мария & Ко</i>", "</blockquote><a href=\"x\">течёт"]
    {
        olga.say(written).await;
    }
    has(&olga, "<i>Мария & Ко</i>");
    olga.press("Как можно скорее").await;
    olga.press("Любому").await;
    has(&olga, "</blockquote><a href=\"x\">течёт");
    olga.press("Создать").await;
    assert_eq!(t.one::<String>("SELECT address FROM orders", &[]).await, "<b>Иванова</b> 12");
}

#[tokio::test]
async fn the_client_s_own_contact_answers_the_question_for_the_phone() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    up_to_the_phone(&olga).await;
    olga.deliver_contact("79123456789").await;
    has(&olga, "Как зовут");
    assert_eq!(t.of_draft("client_phone").await.as_deref(), Some("+79123456789"));
}

#[tokio::test]
async fn what_was_chosen_and_is_none_any_more_is_asked_again_and_nothing_is_made() {
    let t = at_noon().await;
    t.execute("INSERT INTO districts (id, city_id, name) VALUES (7, 1, 'Уралмаш')", &[]).await;
    let olga = t.at_the_desk().await;
    olga.say("Уралмаш, Победы 5, кран течёт, 89123456789, сегодня с 13 до 14").await;
    olga.press("Мастер").await;
    olga.press("Борис").await;
    has(&olga, "Сначала предложить: Борис");

    t.execute("UPDATE masters SET is_blocked = true WHERE telegram_user_id = $1", &[&BORIS]).await;
    assert!(olga.press("Создать").await.notice().contains("заблокировали"));
    has(&olga, "Кому предложить сначала?");
    assert!(!may_press(&olga, "Борис"));
    olga.press("Анна").await;
    t.execute("DELETE FROM districts", &[]).await;
    assert!(olga.press("Создать").await.notice().contains("город или район"));
    olga.tap(&label(&olga, "Район не важен")).await;
    t.let_pass(2 * 3600);
    assert!(olga.press("Создать").await.notice().contains("Время клиента уже прошло"));
    has(&olga, "Когда приехать?");
    assert_eq!(t.count_orders().await, 0);
    olga.press("Как можно скорее").await;
    olga.press("Создать").await;
    assert_eq!(t.count_orders().await, 1);
    t.check().await;
}

#[tokio::test]
async fn a_window_that_has_passed_is_not_taken_from_an_old_screen() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say("Победы 5, кран течёт, 89123456789").await;
    olga.press("Время").await;
    olga.press("Сегодня").await;
    assert!(!may_press(&olga, "10:00–12:00"), "it has passed");
    let window = label(&olga, "12:00–14:00");
    t.let_pass(2 * 3600);
    assert!(olga.tap(&window).await.notice().contains("уже прошло"));
    let draft = t.of_draft("id").await.expect("a draft");
    for forged in ["202611270300", "200001011000", "203001011000", "202611281100"] {
        assert!(olga.tap(&format!("adm:new:at:{draft}:{forged}")).await.notice().contains("уже прошло"), "{forged}");
    }
    assert_eq!(t.of_draft("slot_start").await, None);
}

#[tokio::test]
async fn hours_in_words_are_of_the_day_that_was_tapped() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say("Победы 5, кран течёт, 89123456789").await;
    olga.press("Время").await;
    olga.press("Завтра").await;
    has(&olga, "Когда приехать: завтра, во сколько?");
    olga.say("когда-нибудь").await;
    has(&olga, "завтра, во сколько?");
    olga.say("с 15 до 17").await;
    assert_eq!(t.of_draft("slot_start").await.as_deref(), Some("2026-11-28 15:00:00"));
    // Any other button forgets it.
    olga.press("Время").await;
    olga.press("Завтра").await;
    olga.press("Другой день").await;
    olga.say("с 16 до 18").await;
    assert_eq!(t.of_draft("slot_start").await.as_deref(), Some("2026-11-27 16:00:00"));
}

#[tokio::test]
async fn a_client_s_order_that_is_open_is_shown_before_another_is_made() {
    let t = at_noon().await;
    let open = t.order().create().await;
    t.execute("UPDATE orders SET client_phone = '8 (912) 345-67-89'", &[]).await;
    let closed = t.order().in_status("CANCELED").create().await;
    t.execute("UPDATE orders SET client_phone = '+79123456789' WHERE id = $1", &[&closed.0]).await;
    let olga = t.at_the_desk().await;
    olga.say(PASTE).await;
    has(&olga, &format!("По этому телефону открыта №{open} (ищет мастера)"));
    assert_eq!(label(&olga, &format!("Открыть №{open}")), format!("adm:q:card:{open}:1"));
    olga.press("Создать").await;
    assert_eq!(t.count_orders().await, 3, "it is only said");
}

#[tokio::test]
async fn outside_working_hours_the_search_can_begin_with_the_next_day() {
    // 23:30 in Yekaterinburg.
    let t = at("2026-11-27T18:30:00Z").await;
    let olga = t.at_the_desk().await;
    olga.say("Победы 5, кран течёт, 89123456789").await;
    has(&olga, "В городе сейчас 23:30, рабочее время начнётся завтра в 10:00");
    let tap = olga.press("Создать, искать завтра в 10:00").await;
    assert!(tap.notice().contains("Мастера начнём искать завтра в 10:00."), "{}", tap.notice());
    has(&olga, "💤 Отложена до");
    let order = t.last_order().await;
    assert_eq!(t.status(order).await, "DEFERRED");
    t.tick().await;
    assert_eq!(t.asked(order).await, [0_i64; 0]);
    t.let_pass(10 * 3600 + 1800);
    t.tick().await;
    t.tick().await;
    assert_eq!(t.asked(order).await.len(), 3);
    t.check().await;

    olga.say("Победы 6, кран течёт, 89123456780").await;
    assert!(!may_press(&olga, "🌙"), "at noon nothing is put off");
}

#[tokio::test]
async fn an_order_for_which_there_is_nobody_says_so_when_it_is_made() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    olga.say("Победы 5, кран течёт, 89123456789").await;
    let tap = olga.press("Создать").await;
    assert!(tap.notice().contains("Спросить сейчас некого"), "{}", tap.notice());
}

#[tokio::test]
async fn at_night_an_order_may_still_be_made_at_once_and_an_early_visit_is_not_put_off() {
    let t = at("2026-11-27T18:30:00Z").await;
    let olga = t.at_the_desk().await;
    olga.say("Победы 5, кран течёт, 89123456789, завтра с 8 до 10").await;
    assert!(!may_press(&olga, "🌙"), "the client would wait in vain");
    olga.press("Создать и искать").await;
    assert_eq!(t.asked(t.last_order().await).await.len(), 3);
}

#[tokio::test]
async fn a_free_visit_is_made_of_a_closed_order_and_prefers_its_master() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    let order = t.order().in_status("CLOSED").of_master(BORIS).create().await;
    olga.tap(&format!("adm:new:g:{order}")).await;
    has(&olga, &format!("Гарантийный выезд по заявке №{order}"));
    has(&olga, "Что случилось");
    olga.say("Снова течёт").await;
    has(&olga, "Сначала предложить: Борис");
    has(&olga, "Мария Клиентова");
    olga.press("Создать").await;
    let visit = t.last_order().await;
    assert_eq!(t.status(visit).await, "GUARANTEE");
    assert_eq!(t.asked(visit).await, [BORIS]);
    assert_eq!(t.one::<i64>("SELECT guarantee_of FROM orders WHERE id = $1", &[&visit.0]).await, order.0);
    t.check().await;

    let open = t.order().create().await;
    assert!(olga.tap(&format!("adm:new:g:{open}")).await.notice().contains("только по закрытой"));
    olga.tap(&format!("adm:new:g:{order}")).await;
    t.execute("UPDATE orders SET status = 'CANCELED' WHERE id = $1", &[&order.0]).await;
    olga.say("И снова").await;
    assert!(olga.press("Создать").await.notice().contains("не закрыта"));
    assert_eq!(t.count_orders().await, 3);
}

/// Whoever did the job was given it by hand, as it is none of the own trades: who is named as the first is asked all the same, and
/// whatever keeps that master away is said.
#[tokio::test]
async fn who_did_the_job_is_asked_first_whatever_the_trade_or_it_is_said_why_not() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    let order = t.order().in_status("CLOSED").of_master(BORIS).create().await;
    t.execute(
        "DELETE FROM master_categories WHERE master_id = (SELECT id FROM masters WHERE telegram_user_id = $1)",
        &[&BORIS],
    )
    .await;
    t.chat(BORIS).say("/start").await;
    let draft = async |description: &str| {
        olga.tap(&format!("adm:new:g:{order}")).await;
        olga.say(description).await;
    };
    draft("Снова течёт").await;
    has(&olga, "Сначала предложить: Борис");
    olga.press("👷 Мастер").await;
    olga.press("Борис").await;
    has(&olga, "Сначала предложить: Борис");
    olga.press("Создать").await;
    let visit = t.last_order().await;
    has(&olga, "Сначала спросили: Борис");
    assert_eq!(t.asked(visit).await, [BORIS]);
    t.check().await;

    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = $1", &[&BORIS]).await;
    draft("И опять течёт").await;
    has(&olga, "Сначала предложить: Борис (⚠️ сейчас не на смене, пока это так, спросим других)");
    olga.press("Создать").await;
    has(&olga, "Сначала спрашиваем: Борис (⚠️ сейчас не на смене, спрашиваем других)");
    let visit = t.last_order().await;
    assert!(!t.asked(visit).await.contains(&BORIS));
    t.check().await;
}

#[tokio::test]
async fn a_free_visit_that_waited_for_the_morning_is_a_free_visit() {
    let t = at("2026-11-27T18:30:00Z").await;
    let olga = t.at_the_desk().await;
    let order = t.order().in_status("CLOSED").of_master(BORIS).create().await;
    olga.tap(&format!("adm:new:g:{order}")).await;
    olga.press("Без описания").await;
    olga.press("🌙").await;
    let visit = t.last_order().await;
    assert_eq!(t.status(visit).await, "DEFERRED");
    t.let_pass(11 * 3600);
    t.tick().await;
    assert_eq!(t.status(visit).await, "GUARANTEE");
    t.check().await;
    // Also if somebody does not wait for the morning, and when it comes back from a master.
    t.let_pass(12 * 3600);
    olga.tap(&format!("adm:new:g:{order}")).await;
    olga.press("Без описания").await;
    olga.press("🌙").await;
    let visit = t.last_order().await;
    olga.tap(&format!("adm:q:as:auto:{visit}")).await;
    assert_eq!(t.status(visit).await, "GUARANTEE");
    has(&olga, "гарантия, бесплатно");
    olga.tap(&format!("adm:q:as:any:{visit}:1")).await;
    assert_eq!(t.status(visit).await, "ASSIGNED");
    t.chat(ANNA).tap(&format!("m:act:card:{visit}")).await;
    has(&t.chat(ANNA), "гарантия, бесплатно");
    olga.tap(&format!("adm:q:ret:{visit}")).await;
    olga.say("Мастер заболел").await;
    olga.press("Да, искать").await;
    assert_eq!(t.status(visit).await, "GUARANTEE");
    t.check().await;
}

#[tokio::test]
async fn how_long_it_takes_is_said_of_at_least_twenty_orders() {
    let t = at_noon().await;
    let order = t.order().in_status("CLOSED").of_master(ANNA).create().await;
    let now = t.clock.now();
    t.execute(
        "INSERT INTO distribution_metrics (order_id, master_id, assigned_at, candidates_count, time_to_assign_seconds, city_id, category)
         SELECT $1, 1, $2::timestamptz - make_interval(days => n), 1, 40, 1, 'ELECTRICS' FROM generate_series(1, 19) AS n",
        &[&order.0, &now],
    )
    .await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    let olga = t.at_the_desk().await;
    olga.say(PASTE).await;
    has(&olga, "Подходящих: 3, свободных: 1.");
    t.execute(
        "INSERT INTO distribution_metrics (order_id, master_id, assigned_at, candidates_count, time_to_assign_seconds, city_id, category)
         SELECT $1, 1, $2::timestamptz - make_interval(days => 20, hours => h), 1, 40, 1, 'ELECTRICS' FROM unnest(ARRAY[0, 12]) AS h",
        &[&order.0, &now],
    )
    .await;
    olga.tap("adm:new").await;
    has(&olga, "Подходящих: 3, свободных: 1, обычно берут за 40 с (по 20 заявкам).");
    t.execute("DELETE FROM master_categories WHERE category = 'ELECTRICS'", &[]).await;
    olga.tap("adm:new").await;
    has(&olga, "Подходящих мастеров нет");
}

#[tokio::test]
async fn who_may_only_look_or_works_elsewhere_makes_nothing() {
    let t = at_noon().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Уфа', 'Asia/Yekaterinburg')", &[]).await;
    let olga = t.at_the_desk().await;
    olga.say(&format!("Екатеринбург, {PASTE}")).await;
    has(&olga, "Проверьте новую заявку");
    let create = label(&olga, "Создать и искать");
    let draft = t.of_draft("id").await.expect("a draft");

    let viewer = t.add_staff_as(PETR, "VIEWER", &[]).await;
    viewer.say("/start").await;
    assert!(!may_press(&viewer, "Новая заявка"));
    for forged in [
        "adm:new",
        "adm:new:over",
        create.as_str(),
        &format!("adm:new:soon:{draft}"),
        &format!("adm:new:drop_yes:{draft}"),
    ] {
        let before = t.everything().await;
        viewer.tap(forged).await;
        assert_eq!(t.everything().await, before, "{forged}");
    }
    viewer.say(PASTE).await;
    assert_eq!((t.count_orders().await, t.open_drafts().await), (0, 1));

    // The right goes before the tap.
    t.execute("INSERT INTO staff_cities VALUES (1, 2)", &[]).await;
    assert!(olga.tap(&create).await.notice().contains("город или район"));
    t.execute("UPDATE staff SET role = 'VIEWER' WHERE id = 1", &[]).await;
    olga.tap(&create).await;
    t.execute("UPDATE staff SET is_active = false WHERE id = 1", &[]).await;
    assert!(olga.tap(&create).await.notice().contains("вас в нём пока нет"));
    assert_eq!(t.count_orders().await, 0);
    let anna = t.telegram.chat(ADMIN_TOKEN, ANNA, "Анна");
    anna.open();
    anna.tap(&create).await;
    assert_eq!(t.count_orders().await, 0);
}

#[tokio::test]
async fn another_s_draft_is_nobody_s_to_change() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say(PASTE).await;
    let draft = t.of_draft("id").await.expect("a draft");
    let create = label(&olga, "Создать и искать");
    let petr = t.add_staff(PETR).await;
    petr.say("/start").await;
    for forged in [
        create.as_str(),
        &format!("adm:new:soon:{draft}"),
        &format!("adm:new:drop_yes:{draft}"),
        &format!("adm:new:ed:{draft}:NAME"),
    ] {
        assert!(petr.tap(forged).await.notice().contains("уже нет"), "{forged}");
    }
    assert_eq!((t.count_orders().await, t.open_drafts().await), (0, 1));
}

#[tokio::test]
async fn in_several_cities_the_city_is_asked_for_and_its_clock_counts() {
    let t = at("2026-11-27T18:30:00Z").await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Калининград', 'Europe/Kaliningrad')", &[]).await;
    let olga = t.at_the_desk().await;
    olga.say("Победы 5, кран течёт, 89123456789, завтра с 12 до 14").await;
    has(&olga, "В каком городе?");
    olga.press("Калининград").await;
    has(&olga, "Калининград, Победы 5");
    has(&olga, "Подходящих мастеров нет");
    has(&olga, "В городе сейчас 20:30");
    olga.press("Создать и искать").await;
    assert_eq!(t.one::<Timestamp>("SELECT timeslot_start FROM orders", &[]).await.to_string(), "2026-11-28T10:00:00Z");
    // Where the day is another one already, what tomorrow is stays to be said.
    t.let_pass(2 * 3600);
    olga.say("Победы 5, кран течёт, 89123456780, завтра с 12 до 14").await;
    olga.press("Калининград").await;
    assert_eq!(t.of_draft("slot_start").await, None);
}

#[tokio::test]
async fn a_draft_that_telegram_did_not_take_is_shown_later() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    t.telegram.fail_next("sendMessage", 1, Fault::ServerError);
    olga.say(PASTE).await;
    t.let_pass(2);
    t.tell().await;
    has(&olga, "Проверьте новую заявку");
    assert_eq!(t.open_drafts().await, 1);
}

#[tokio::test]
async fn what_makes_an_order_is_where_no_answer_was() {
    let t = at_noon().await;
    t.execute("INSERT INTO districts (city_id, name) SELECT 1, 'Район ' || n FROM generate_series(1, 20) AS n", &[])
        .await;
    let olga = t.at_the_desk().await;
    let rows = |chat: &Chat| {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for row in chat.messages().last().expect("a message").buttons.clone() {
            rows.push(row.into_iter().map(|button| button.data).collect());
        }
        rows
    };
    let mut acting: Vec<(usize, usize)> = Vec::new();
    olga.press("Новая заявка").await;
    for answer in [
        "Сантехника",
        "Район не важен",
        "Победы 5",
        PHONE,
        "Имя не назвали",
        "Без описания",
        "Завтра",
        "10:00",
        "Любому",
    ] {
        let all = rows(&olga);
        for (index, row) in all.iter().enumerate() {
            let acts = |data: &String| {
                ["cat", "dis", "pref", "soon", "at", "skip"]
                    .iter()
                    .any(|word| data.starts_with(&format!("adm:new:{word}:")))
            };
            if row.iter().any(acts) {
                acting.push((index, all.len() - 1 - index));
            }
        }
        if may_press(&olga, answer) {
            olga.press(answer).await;
        } else {
            olga.say(answer).await;
        }
    }
    has(&olga, "Проверьте новую заявку");
    let all = rows(&olga);
    for (index, row) in all.iter().enumerate() {
        if row.iter().any(|data| data.starts_with("adm:new:ok:") || data.starts_with("adm:new:later:")) {
            let (above, below) = (index, all.len() - 1 - index);
            assert!(
                !acting.iter().any(|(a, b)| *a == above || *b == below),
                "{above} from above, {below} from below: {acting:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_order_that_the_database_refuses_leaves_the_draft_as_it_was() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    t.execute("ALTER TABLE orders ADD CONSTRAINT nothing_goes CHECK (address <> 'Иванова 12-45') NOT VALID", &[]).await;
    olga.say(PASTE).await;
    let refused = olga.press("Создать и искать").await;
    assert!(refused.notice().contains("Не получилось"), "{}", refused.notice());
    assert_eq!((t.count_orders().await, t.open_drafts().await), (0, 1), "nothing is half-made");
    t.execute("ALTER TABLE orders DROP CONSTRAINT nothing_goes", &[]).await;
    olga.tap("adm:new").await;
    olga.press("Создать и искать").await;
    assert_eq!(t.count_orders().await, 1);
}

/// What is read, with the buttons below it.
fn seen(chat: &Chat) -> String {
    let last = chat.messages().last().expect("a message").clone();
    let rows: Vec<String> = last
        .buttons
        .iter()
        .map(|row| {
            row.iter().map(|button| format!("[{} → {}]", button.text, button.data)).collect::<Vec<_>>().join(" ")
        })
        .collect();
    format!("{}\n---\n{}", last.html, rows.join("\n"))
}

#[tokio::test]
async fn what_a_dispatcher_reads_word_for_word() {
    let t = at("2026-11-27T18:30:00Z").await;
    t.execute("INSERT INTO districts (city_id, name) VALUES (1, 'Уралмаш'), (1, 'Центр')", &[]).await;
    let open = t.order().create().await;
    t.execute("UPDATE orders SET client_phone = '89123456789' WHERE id = $1", &[&open.0]).await;
    let olga = t.at_the_desk().await;
    let mut screens = Vec::new();
    olga.press("Новая заявка").await;
    for answer in [
        "Сантехника",
        "Центр",
        "Победы 5, кв. 7",
        "912345678",
        PHONE,
        "Мария",
        "Течёт кран",
        "Завтра",
        "14:00",
        "Борис",
    ] {
        screens.push(seen(&olga));
        if may_press(&olga, answer) {
            olga.press(answer).await;
        } else {
            olga.say(answer).await;
        }
    }
    screens.push(seen(&olga));
    olga.press("Удалить черновик").await;
    screens.push(seen(&olga));
    olga.press("Да, удалить").await;
    olga.say(PASTE).await;
    screens.push(seen(&olga));
    insta::assert_snapshot!("new_order", screens.join("\n\n=====\n\n"));
}

/// Two messages in a row, which Telegram may deliver at the same moment: each answers the question that is asked by then.
#[tokio::test(flavor = "multi_thread")]
async fn two_answers_at_once_go_into_two_fields() {
    for _ in 0..5 {
        let t = at_noon().await;
        let olga = t.at_the_desk().await;
        olga.press("Новая заявка").await;
        olga.press("Сантехника").await;
        has(&olga, "Какой адрес?");
        let answers = [olga.text_update("Малышева 84"), olga.text_update(PHONE)];
        tokio::join!(t.telegram.deliver(ADMIN_TOKEN, &answers[0]), t.telegram.deliver(ADMIN_TOKEN, &answers[1]));
        // Whichever comes first: an address is no phone, and a phone no address.
        assert_eq!(t.of_draft("address").await.as_deref(), Some("Малышева 84"));
        if let Some(phone) = t.of_draft("client_phone").await {
            assert_eq!(phone, "+79123456789");
        } else {
            let all: Vec<_> = olga.messages().into_iter().map(|message| message.text).collect();
            has_somewhere(&all, "Это телефон, а нужен адрес.");
        }
    }
}

/// Two orders passed on at the same moment: one begins a draft, the other one waits for it to be finished.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_orders_pasted_at_once_none_is_lost() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    let pasted = [olga.text_update(PASTE), olga.text_update("Мира 7, 8 912 000 11 22, засор, сегодня")];
    tokio::join!(t.telegram.deliver(ADMIN_TOKEN, &pasted[0]), t.telegram.deliver(ADMIN_TOKEN, &pasted[1]));
    assert_eq!(t.open_drafts().await, 1);
    let all: Vec<_> = olga.messages().into_iter().map(|message| message.text).collect();
    assert_eq!(all.iter().filter(|text| text.contains("незаконченная заявка")).count(), 1, "{all:#?}");
    has_somewhere(&all, "Мария");
    // The same message twice at once begins one draft, and is no second order to itself.
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    let pasted = olga.text_update(PASTE);
    tokio::join!(t.telegram.deliver(ADMIN_TOKEN, &pasted), t.telegram.deliver(ADMIN_TOKEN, &pasted));
    assert_eq!((t.open_drafts().await, t.of_draft("revision").await.as_deref()), (1, Some("1")));
    assert!(olga.messages().iter().all(|message| !message.text.contains("незаконченная")));
}

fn has_somewhere(all: &[String], words: &str) {
    assert!(all.iter().any(|text| text.contains(words)), "{words:?} is nowhere in {all:#?}");
}

/// A draft's screen hangs in the chat while something is asked about another order: what is written after a tap there answers the
/// draft.
#[tokio::test]
async fn words_for_a_draft_do_not_answer_what_was_asked_about_another_order() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    let order = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    olga.press("Новая заявка").await;
    olga.press("Сантехника").await;
    olga.say("Иванова 12, кв. 45").await;
    olga.say(PHONE).await;
    olga.press("Имя не назвали").await;
    olga.press("Без описания").await;
    has(&olga, "Когда приехать?");
    let tomorrow = label(&olga, "Завтра");
    for question in ["cnl", "ret"] {
        olga.tap(&format!("adm:q:{question}:{order}")).await;
        olga.tap(&tomorrow).await;
        olga.say("завтра с 14 до 16").await;
        assert_eq!(t.status(order).await, "ASSIGNED");
        let slot = t.of_draft("slot_start").await;
        assert!(slot.as_deref().is_some_and(|slot| slot.ends_with("14:00:00")), "{slot:?}");
        olga.tap("adm:new:ed:1:WHEN").await;
        has(&olga, "Когда приехать?");
    }
    // Nor does what begins another order after one was made.
    olga.tap("adm:new:skip:1:PREFERRED").await;
    has(&olga, "Проверьте новую заявку");
    let create = label(&olga, "Создать");
    olga.tap(&format!("adm:q:cnl:{order}")).await;
    olga.tap(&create).await;
    olga.say(PASTE).await;
    assert_eq!(t.status(order).await, "ASSIGNED");
    assert_eq!(t.open_drafts().await, 1);
}

/// A whole order is no reason, no address and no time of another one.
#[tokio::test]
async fn an_order_that_is_pasted_into_a_question_about_another_is_not_taken_for_the_answer() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    let order = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    let before = t.everything().await;
    for question in ["adm:q:cnl", "adm:q:ret", "adm:o:addr", "adm:o:tel", "adm:o:slot", "adm:o:name"] {
        olga.tap(&format!("{question}:{order}")).await;
        olga.say(PASTE).await;
        has(&olga, "Похоже на новую заявку, а не на ответ.");
    }
    olga.tap("adm:m:bl:1").await;
    olga.say(PASTE).await;
    has(&olga, "Похоже на новую заявку, а не на причину.");
    assert_eq!(t.everything().await, before);
    // In a draft that knows a client it is another order, in one that does not it is this one.
    olga.press("К мастеру").await;
    olga.say("/new").await;
    olga.press("Сантехника").await;
    has(&olga, "Какой адрес?");
    olga.say(PASTE).await;
    has(&olga, "Проверьте новую заявку");
    assert_eq!(t.of_draft("address").await.as_deref(), Some("Иванова 12-45"));
    olga.press("Адрес").await;
    olga.say("Мира 7, 8 912 000 11 22, засор, сегодня").await;
    has(&olga, "незаконченная заявка");
    assert_eq!(t.of_draft("address").await.as_deref(), Some("Иванова 12-45"));
}

#[tokio::test]
async fn a_client_in_a_hurry_is_one_to_everybody() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    t.chat(ANNA).open();
    olga.say("Иванова 12-45, 8 912 345 67 89, прорвало трубу, как можно скорее").await;
    has(&olga, "как можно скорее");
    olga.press("Создать").await;
    let order = t.last_order().await;
    has(&olga, "🕒 как можно скорее");
    t.tell().await;
    has(&t.chat(ANNA), "🕒 как можно скорее");
    // Until somebody says otherwise.
    olga.tap(&format!("adm:o:slot:{order}")).await;
    olga.say("завтра с 14 до 16").await;
    has(&olga, "🕒 завтра 14:00–16:00");
    olga.tap(&format!("adm:o:slot:{order}")).await;
    olga.press("Как можно скорее").await;
    has(&olga, "🕒 как можно скорее");
}

/// What a telephone's screen does not show is not read either.
#[tokio::test]
async fn invisible_marks_around_a_copied_phone_are_dropped() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say("Иванова 12-45, \u{202a}8 912 345-67-89\u{202c}\u{200e}, искрит\u{ad} розетка\u{feff}").await;
    has(&olga, "Проверьте новую заявку");
    assert_eq!(t.of_draft("client_phone").await.as_deref(), Some("+79123456789"));
    assert_eq!(t.of_draft("description").await.as_deref(), Some("искрит розетка"));
    olga.press("Телефон").await;
    olga.say("\u{2066}8 (343) 222-33-44\u{2069}").await;
    assert_eq!(t.of_draft("client_phone").await.as_deref(), Some("+73432223344"));
}

#[tokio::test]
async fn a_further_phone_stays_when_the_name_is_corrected_and_may_be_said_with_the_first() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say("Мира 3, кран, Роман 89122345678 или 8-343-222-33-44").await;
    olga.press("Имя").await;
    olga.say("Роман Петров").await;
    assert_eq!(t.of_draft("client_name").await.as_deref(), Some("Роман Петров, ещё 8 (343) 222-33-44"));
    olga.press("Имя").await;
    olga.press("Имя не назвали").await;
    assert_eq!(t.of_draft("client_name").await.as_deref(), Some("ещё 8 (343) 222-33-44"));
    olga.press("Создать").await;
    let order = t.last_order().await;
    olga.tap(&format!("adm:o:name:{order}")).await;
    olga.say("Роман").await;
    let name: String = t.one("SELECT client_name FROM orders WHERE id = $1", &[&order.0]).await;
    assert_eq!(name, "Роман, ещё 8 (343) 222-33-44");

    olga.tap("adm:menu").await;
    up_to_the_phone(&olga).await;
    olga.say("8 912 345 67 89, 8 343 222 33 44 жена").await;
    has(&olga, "Какой телефон");
    olga.say("8 912 345 67 89, 8 343 222 33 44").await;
    has(&olga, "Как зовут");
    has(&olga, "ещё 8 (343) 222-33-44");
    olga.say("Анна").await;
    has(&olga, "Что случилось");
    assert_eq!(t.of_draft("client_phone").await.as_deref(), Some("+79123456789"));
    assert_eq!(t.of_draft("client_name").await.as_deref(), Some("Анна, ещё 8 (343) 222-33-44"));
}

#[tokio::test]
async fn a_description_that_is_too_long_is_cut_and_said_to_be() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say(&format!("Мира 3, 89122345678, {}", "капает кран на кухне ".repeat(120))).await;
    has(&olga, "Описание длиннее 2000 знаков");
    let description = t.of_draft("description").await.expect("a description");
    assert!(description.chars().count() <= 2000 && description.ends_with('…'), "{description}");
    assert!(t.of_draft("pasted").await.expect("the message").chars().count() > 2400);
}

#[tokio::test]
async fn an_edited_message_is_said_not_to_be_read_again() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say("Мира 3, 89122345678, кран").await;
    let own = olga.messages().into_iter().rfind(|message| !message.from_bot).expect("an own message").id;
    let edit = olga.edit_update(own, "Мира 5, 89122345678, кран");
    for _ in 0..2 {
        t.telegram.deliver(ADMIN_TOKEN, &edit).await;
        has(&olga, "Исправленное сообщение я заново не читаю.");
        has(&olga, "Проверьте новую заявку");
    }
    assert_eq!(t.of_draft("address").await.as_deref(), Some("Мира 3"));
    // Who is nobody of the staff is not answered.
    let stranger = t.telegram.chat(ADMIN_TOKEN, 999, "Чужой");
    stranger.say("привет").await;
    let before = stranger.messages().len();
    let own = stranger.messages().into_iter().rfind(|message| !message.from_bot).expect("an own message").id;
    t.telegram.deliver(ADMIN_TOKEN, &stranger.edit_update(own, "привет!")).await;
    assert_eq!(stranger.messages().len(), before);
}

#[tokio::test]
async fn what_was_understood_is_shown_while_something_else_is_asked_and_the_menu_leads_back() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    assert!(!may_press(&olga, "Черновик"));
    olga.say("89122345678, кран, завтра с 10 до 12").await;
    has(&olga, "Какой адрес?");
    has(&olga, "🕒 завтра 10:00–12:00");
    olga.tap("adm:menu").await;
    olga.press("📝 Черновик заявки").await;
    has(&olga, "Какой адрес?");
}

#[tokio::test]
async fn a_pasted_time_that_has_passed_is_said_to_have_passed() {
    let t = at_noon().await;
    let olga = t.at_the_desk().await;
    olga.say("Мира 3, 89122345678, кран, сегодня с 8 до 10").await;
    has(&olga, "«сегодня с 8 до 10». Это время уже прошло.");
    olga.say("когда-нибудь").await;
    assert_eq!(olga.screen().matches("например").count(), 1, "{}", olga.screen());
}

#[tokio::test]
async fn a_city_is_answered_as_it_is_pasted() {
    let t = at_noon().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Пермь', 'Asia/Yekaterinburg')", &[]).await;
    let olga = t.at_the_desk().await;
    olga.press("Новая заявка").await;
    olga.press("Сантехника").await;
    has(&olga, "В каком городе?");
    olga.say("екб").await;
    has(&olga, "Какой адрес?");
    assert_eq!(t.of_draft("city_id").await.as_deref(), Some("1"));
}
