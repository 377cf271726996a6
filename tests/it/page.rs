//! The page, as a person sees it in a browser, and as somebody else's page would like to use it.

use std::path::Path;

use field_service::bots::render::plain;
use field_service::http::server;
use field_service::model::OrderId;
use field_service::sim::demo::{Demo, SHOWN};
use field_service::sim::telegram::{Faults, Force, State};
use field_service::telegram::{Notice, http_client};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::browser::Browser;
use crate::harness::page::{act, action, told, told_eventually};
use crate::harness::{
    ANNA, BORIS, Dispatch, MASTER_TOKEN, Settings, VERA, database_name, eventually, proxied_database,
};

const WIDE: (u32, u32) = (1440, 900);
const NARROW: (u32, u32) = (390, 844);

/// A phone on the page.
fn phone(person: i64) -> String {
    format!(".phone[data-person='{person}']")
}

/// A button under the last message on a phone.
fn button(person: i64, data: &str) -> String {
    format!("{} .bubble:last-child [data-callback='{data}']", phone(person))
}

/// What the last message of the bot says on a phone.
fn screen(person: i64) -> String {
    format!("([...document.querySelectorAll(\"{} .bubble.in .text\")].at(-1)?.innerText ?? '')", phone(person))
}

/// The way to an order's card, by the buttons.
async fn open_card(browser: &Browser, person: i64, order: OrderId) {
    browser.click(&format!("{} .composer button.quiet", phone(person))).await;
    browser.until(&format!("{}.includes('Здравствуйте')", screen(person))).await;
    browser.click(&button(person, "m:new:1")).await;
    browser.click(&button(person, &format!("m:new:card:{order}:1"))).await;
    browser.until(&format!("{}.includes('Заявка №{order}')", screen(person))).await;
}

#[tokio::test]
async fn of_two_phones_that_take_one_order_at_once_one_gets_it() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let page = t.page().await;
    Browser::visit(page.url(), WIDE, async |browser| {
        open_card(browser, ANNA, order).await;
        open_card(browser, BORIS, order).await;
        let take =
            |person| format!("document.querySelector(\"{}\").click()", button(person, &format!("m:new:acc:{order}:1")));
        browser.value(&format!("({}, {})", take(ANNA), take(BORIS))).await;

        browser.until("document.querySelectorAll('.alert').length === 2").await;
        let alerts = browser.value("[...document.querySelectorAll('.alert p')].map(p => p.textContent).sort()").await;
        assert_eq!(alerts, json!(["Уже занято", "✅ Заявка принята. Удачи в работе!"]));
        for person in [ANNA, BORIS] {
            browser.until(&format!("{}.includes('новых заявок нет')", screen(person))).await;
            browser
                .until(&format!("!document.querySelector(\"{} [data-callback^='m:new:acc']\")", phone(person)))
                .await;
            browser.click(&format!("{} .alert button", phone(person))).await;
        }
        // The truth beside the phones.
        browser.until("document.querySelector('#orders .order').innerText.includes('версия 2')").await;
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
    t.check().await;
}

#[tokio::test]
async fn a_race_ends_in_a_table_and_a_timeline() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS, VERA]).await;
    let page = t.page().await;
    Browser::visit(page.url(), WIDE, async |browser| {
        browser.click("#tab-race").await;
        browser.click("#race button.primary:enabled").await;

        browser.until("document.querySelectorAll('#race td .won').length === 1").await;
        browser.until("document.querySelectorAll('#race td .lost').length === 2").await;
        let milliseconds =
            "[...document.querySelectorAll('#race tbody tr')].every(row => /^[\\d\\s,]+$/.test(row.cells[2].textContent))";
        browser.until(milliseconds).await;
        browser.until("document.querySelectorAll('#race .timeline .said').length === 3").await;
        browser.until("document.querySelectorAll('#race .timeline .commit').length === 1").await;
        browser.until(&format!("document.querySelector('#race h2').textContent.includes('№{order}')")).await;

        // Nobody is told, and the table says so; who has it, the database knows.
        t.order().offered_to([ANNA, BORIS]).await;
        t.telegram.set_faults(Faults { calls: Force::Standing, ..Faults::default() });
        browser.click("#race button.primary:enabled").await;
        browser.until("document.querySelector('#race h2').textContent.startsWith('Гонка 2')").await;
        browser.until("document.querySelectorAll('#race td .won, #race td .lost').length === 2").await;
        browser.until("[...document.querySelectorAll('#race td span')].every(said => said.textContent === 'Telegram отказал боту: 500')").await;
        browser.until("document.querySelectorAll('#race td .won').length === 1").await;
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
    t.check().await;
}

#[tokio::test]
async fn what_a_bot_does_looks_as_in_telegram() {
    let t = Dispatch::start().await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    let page = t.page().await;
    let anna = phone(ANNA);
    Browser::visit(page.url(), WIDE, async |browser| {
        browser.until(&format!("{}.includes('Здравствуйте')", screen(ANNA))).await;
        let badge = format!("document.querySelector(\"{anna} .badge\")");
        assert_eq!(browser.value(&format!("{badge}.hidden")).await, true, "nothing new since the page was opened");

        // A push, with formatting; a link that is not one.
        let text = "<b>Новая</b> заявка &lt;№7&gt;, <a href=\"javascript:alert(1)\">тут</a> <a href=\"https://example.org\">там</a>";
        let keyboard = plain(String::new()).keyboard;
        t.app.telegram.master.send(ANNA, text, &keyboard).await.expect("a message");
        browser.until(&format!("{badge}.textContent === '1' && !{badge}.hidden")).await;
        browser.until("document.title.startsWith('(1)')").await;
        browser.until(&format!("{}.startsWith('Новая заявка <№7>, тут там')", screen(ANNA))).await;
        let links = format!("[...document.querySelectorAll(\"{anna} .text a\")].map(a => a.href)");
        assert_eq!(browser.value(&links).await, json!(["https://example.org/"]));
        assert_eq!(browser.value(&format!("document.querySelector(\"{anna} .text b\").innerText")).await, "Анна");
        browser.click(&format!("{anna} .chat")).await;
        browser.until(&format!("{badge}.hidden && !document.title.startsWith('(')")).await;

        // A tap whose answer is on its way, then a short notice.
        let message = chat.messages().iter().find(|message| !message.buttons.is_empty()).expect("the menu").id;
        let update = chat.tap_update_on(message, "m:new:1");
        let spinning = format!("document.querySelectorAll(\"{anna} [aria-busy='true']\").length");
        browser.until(&format!("{spinning} === 1")).await;
        let query = update["callback_query"]["id"].as_str().expect("an id");
        let notice = Notice { text: "Готово".to_owned(), alert: false };
        t.app.telegram.master.answer(query, Some(&notice)).await.expect("an answer");
        browser.until(&format!("{spinning} === 0")).await;
        browser.until(&format!("document.querySelector(\"{anna} .toast\")?.textContent === 'Готово'")).await;
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn everything_can_be_done_with_the_keyboard() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.chat(ANNA).say("/start").await;
    t.chat(ANNA).tap(&format!("m:new:card:{order}:1")).await;
    let page = t.page().await;
    let visited = Browser::visit(page.url(), WIDE, async |browser| {
        let take = button(ANNA, &format!("m:new:acc:{order}:1"));
        browser.until(&format!("document.querySelector(\"{take}\") !== null")).await;
        browser.value(&format!("document.querySelector(\"{} .chat\").focus()", phone(ANNA))).await;
        browser.keys("\u{e004}").await;
        browser.until(&format!("document.activeElement === document.querySelector(\"{take}\")")).await;
        browser.keys("\u{e007}").await;
        // The answer has the focus, and gives it back.
        browser.until("document.activeElement.textContent === 'OK'").await;
        browser.keys("\u{e00c}").await;
        browser.until("!document.querySelector('.alert')").await;
        browser.until(&format!("document.querySelector(\"{}\").contains(document.activeElement)", phone(ANNA))).await;
        // Tabs go by arrows.
        browser.click("#tab-orders").await;
        for shown in ["race", "updates", "faults", "orders"] {
            browser.keys("\u{e014}").await;
            browser.until(&format!("document.body.dataset.view === '{shown}'")).await;
        }
        // Faults are radio buttons.
        browser.click("#tab-faults").await;
        browser.value("document.querySelector('[data-key=twice-off]').focus()").await;
        browser.keys("\u{e014}").await;
        browser.until("document.querySelector('[data-key=twice-next]').checked").await;
        eventually(|| t.telegram.faults().twice == Force::Next).await;
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
    if visited {
        assert_eq!(t.owner(order).await, Some(ANNA));
    }
}

#[tokio::test]
async fn an_open_page_begins_anew_with_another_run_of_the_program() {
    let (before, after) = (Dispatch::start().await, Dispatch::start().await);
    let page = before.page().await;
    let url = page.url().to_owned();
    let address = url.trim_start_matches("http://").parse().expect("an address");
    Browser::visit(&url, WIDE, async |browser| {
        let start = format!("{} .composer button.quiet", phone(ANNA));
        let unknown = format!("{}.includes('Здравствуйте')", screen(ANNA));
        browser.click(&start).await;
        browser.until(&unknown).await;
        // The first answer of this run; the next run counts its updates from the same number.
        browser.click(&button(ANNA, "m:new:1")).await;
        browser.until(&format!("{}.includes('новых заявок нет')", screen(ANNA))).await;
        drop(page);
        browser.until("document.querySelector('#connection').textContent.includes('нет связи')").await;

        let order = after.order().offered_to([ANNA]).await;
        // Until the one before has let go.
        let mut listener = server::listen(address);
        eventually(|| {
            if listener.is_err() {
                listener = server::listen(address);
            }
            listener.is_ok()
        })
        .await;
        let listener = listener.expect("the same address");
        let _page = after.page_on(listener, None);
        browser.until(&format!("document.querySelector(\"{} .empty\") !== null", phone(ANNA))).await;
        browser.click(&start).await;
        browser.until(&unknown).await;
        after.chat(ANNA).tap(&format!("m:new:acc:{order}")).await;
        browser
            .until(&format!("document.querySelector(\"{} .alert\")?.innerText.includes('принята')", phone(ANNA)))
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_is_made_on_the_page_is_there() {
    let t = Dispatch::start().await;
    let page = t.page().await;
    let visited = Browser::visit(page.url(), WIDE, async |browser| {
        browser.click("[data-form=master]:enabled").await;
        browser.fill("dialog [name=name]", "Глеб Новый").await;
        browser.fill("dialog [name=city]", "Омск").await;
        browser.click("dialog button.primary").await;
        browser.until("document.querySelector('dialog .problem').textContent.includes('часовой пояс')").await;
        browser.fill("dialog [name=timezone]", "Asia/Omsk").await;
        browser.click("dialog button.primary").await;
        browser.until("!document.querySelector('dialog')").await;
        browser.until(&format!("document.querySelector(\"{}\") !== null", phone(5001))).await;

        browser.click("[data-form=order]:enabled").await;
        browser.until("document.querySelectorAll('dialog [name=masters]').length === 4").await;
        browser.fill("dialog [name=address]", "ул. Новая, 1").await;
        browser.click("dialog [name=city] option[value='']").await;
        browser.click("dialog button.primary").await;
        browser.until("document.querySelector('#orders .order')?.innerText.includes('ул. Новая, 1')").await;
        browser.until("document.querySelectorAll('#orders .order table')[0].rows.length === 4").await;
        browser.until("/^\\d+:\\d\\d$/.test(document.querySelector('#orders .countdown').textContent)").await;

        browser.click("[data-form=phone]").await;
        browser.click("dialog button.primary").await;
        browser.click(&format!("{} .composer button.quiet", phone(5002))).await;
        browser.until(&format!("{}.includes('Telegram ID: 5002')", screen(5002))).await;
        assert_eq!(browser.console().await.len(), 1, "the refused form");
    })
    .await;
    if visited {
        let offers: i64 = t.one("SELECT count(*) FROM offers WHERE state = 'SENT'", &[]).await;
        assert_eq!(offers, 3, "those of one city");
    }
}

/// The pictures in tests/pictures are these, taken by tests/pictures/take.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_fits_wide_and_narrow_screens_in_light_and_dark() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut demo = Demo::start(None).await.expect("the demonstration");
    demo.race(Some(SHOWN)).await.expect("three races");
    let page = demo.page(TcpListener::bind("127.0.0.1:0").await.expect("a port")).await.expect("the page");
    let fits =
        "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight";
    Browser::visit(page.url(), WIDE, async |browser| {
        browser.click("#tab-race").await;
        // Until the winner and a loser are among those whose phones are to be seen, with luck.
        let answers = "[...document.querySelectorAll('.alert p')].map(p => p.textContent).join()";
        for race in 1..=3 {
            browser.value("document.querySelectorAll('.alert button').forEach(ok => ok.click())").await;
            browser.click("#race button.primary:enabled").await;
            browser
                .until(&format!("document.querySelector('#race h2')?.textContent.startsWith('Гонка {race}:')"))
                .await;
            browser.until("document.querySelectorAll('#race .timeline .commit').length === 1").await;
            browser.until("document.querySelectorAll('#race tbody tr').length === document.querySelectorAll('#race tbody tr td:nth-child(3):not(:empty)').length").await;
            let both = format!("{answers}.includes('принята') && {answers}.includes('занято')");
            if browser.value(&both).await == json!(true) {
                break;
            }
        }
        browser.until(fits).await;
        browser.picture(&folder.join("page-light.png")).await;
        browser.prefer("dark").await;
        browser.until("getComputedStyle(document.body).backgroundColor === 'rgb(16, 22, 29)'").await;
        browser.picture(&folder.join("page-dark.png")).await;
    })
    .await;
    Browser::visit(page.url(), NARROW, async |browser| {
        browser.click(&format!("{} .composer button.quiet", phone(5001))).await;
        // A new offer may have come meanwhile.
        let shows = |text: &str| {
            let bubbles = format!("[...document.querySelectorAll(\"{} .bubble.in\")]", phone(5001));
            format!("{bubbles}.some((bubble) => bubble.innerText.includes('{text}'))")
        };
        browser.until(&shows("Здравствуйте")).await;
        browser.click(&button(5001, "m:new:1")).await;
        browser.until(&shows("📋 Новые заявки")).await;
        browser.until(fits).await;
        browser.picture(&folder.join("page-narrow.png")).await;
        for tab in ["orders", "race", "updates", "faults"] {
            browser.click(&format!("#tab-{tab}")).await;
            browser.until(fits).await;
            browser.until(&format!("document.querySelector('#{tab}').scrollWidth <= innerWidth")).await;
        }
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
    Browser::visit(page.url(), (320, 568), async |browser| {
        browser.until(fits).await;
        browser.click("#tab-faults").await;
        browser.until("document.querySelector('#faults').scrollWidth <= innerWidth").await;
        browser.until("document.querySelector('#tab-faults').getBoundingClientRect().right <= innerWidth").await;
    })
    .await;
}

#[tokio::test]
async fn nobody_elses_page_can_use_it() {
    let t = Dispatch::start().await;
    let page = t.page().await;
    let client = http_client(page.url());
    let say = json!({"bot": 1001, "person": ANNA, "text": "/start"});
    let status = async |request: reqwest::RequestBuilder| request.send().await.expect("an answer").status().as_u16();

    let elsewhere = "attacker.example:8090";
    assert_eq!(status(client.get(page.url()).header("host", elsewhere)).await, 403);
    assert_eq!(status(client.get(page.url()).header("host", "127.0.0.2:8090")).await, 200);
    assert_eq!(status(client.get(format!("{}/events", page.url())).header("host", elsewhere)).await, 403);
    assert_eq!(status(action(page.url(), "say", &say).header("host", elsewhere)).await, 403);
    assert_eq!(status(action(page.url(), "say", &say).header("sec-fetch-site", "cross-site")).await, 403);
    let form = client.post(format!("{}/do/say", page.url())).header("content-type", "text/plain").body(say.to_string());
    assert_eq!(status(form).await, 403);
    assert!(t.telegram.journal(10).is_empty());
    assert_eq!(status(action(page.url(), "say", &say)).await, 200);
    assert_eq!(t.telegram.journal(10).len(), 1);
    assert!(client.get(page.url()).send().await.expect("the page").headers().contains_key("content-security-policy"));
    assert_eq!(status(client.get(format!("{}/Cargo.toml", page.url()))).await, 404);
    // Nor the Bot API behind it; other programs than browsers say nothing of sites.
    let call = client.post(format!("{}/bot{MASTER_TOKEN}/getMe", page.url()));
    let call_again = || call.try_clone().expect("no body");
    assert_eq!(status(call_again().header("sec-fetch-site", "cross-site")).await, 403);
    assert_eq!(status(call_again().header("host", elsewhere)).await, 403);
    // A link to the page is nothing bad.
    assert_eq!(status(client.get(page.url()).header("sec-fetch-site", "cross-site")).await, 200);
    assert_eq!(status(call).await, 200);
    assert_eq!(status(client.put(page.url())).await, 405);
}

#[tokio::test]
async fn what_cannot_be_done_is_said_and_nothing_is_changed() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let page = t.page().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Псков', 'Europe/Moscow')", &[]).await;
    t.execute("INSERT INTO masters (telegram_user_id, full_name, city_id) SELECT 9, 'Ия', max(id) FROM cities", &[])
        .await;
    let elsewhere: i64 = t.one("SELECT max(id) FROM masters", &[]).await;
    let before = t.everything().await;
    let new_order = |change: Value| {
        let mut form = json!({"category": "PLUMBING", "address": "ул. Новая, 1", "description": "", "client_name": "Мария",
                              "client_phone": "+79990001122", "city": "", "masters": [1], "minutes": 10});
        form.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        form
    };
    for (name, body, words) in [
        ("nothing", json!({}), "нет"),
        ("tap", json!({"bot": 1001}), "Обновите страницу"),
        ("tap", json!({"bot": 7, "person": ANNA, "message": 1, "data": "m:menu"}), "бота нет"),
        ("say", json!({"bot": 1001, "person": 4242, "text": "x"}), "телефона нет"),
        ("say", json!({"bot": 1001, "person": ANNA, "text": "  "}), "от 1 до 4096"),
        ("phone", json!({"bot": 1001, "person": 0, "name": "x"}), "целое число"),
        ("phone", json!({"bot": 1001, "person": 77, "name": "a\u{0}b"}), "в одну строку"),
        ("phone", json!({"bot": 1001, "person": ANNA, "name": "Другая"}), "уже есть: Анна"),
        ("master", json!({"person": ANNA, "name": "x", "city": "Екатеринбург", "timezone": ""}), "уже у мастера"),
        ("master", json!({"person": 77, "name": "x", "city": "Омск", "timezone": "Mars/Base"}), "Часового пояса"),
        (
            "master",
            json!({"person": 77, "name": "x", "city": "Екатеринбург", "timezone": "Europe/Moscow"}),
            "Asia/Yekaterinburg",
        ),
        ("order", new_order(json!({"masters": []})), "мастеров"),
        ("order", new_order(json!({"masters": [], "city": "Атлантида"})), "город"),
        ("order", new_order(json!({"masters": [1, elsewhere]})), "одного города"),
        ("order", new_order(json!({"category": "MAGIC"})), "вида работ"),
        ("order", new_order(json!({"address": " "})), "адрес"),
        ("order", new_order(json!({"minutes": 0})), "Срок"),
        ("race", json!({"bot": 1001, "order": order.0, "people": [ANNA]}), "хотя бы два"),
        ("race", json!({"bot": 1001, "order": order.0, "people": [ANNA, 4242]}), "телефона нет"),
        ("faults", json!({"twice": "sometimes"}), "Обновите страницу"),
        ("faults", json!({"thrice": "next"}), "Обновите страницу"),
        ("cut", json!({"seconds": 5}), "своей дорогой"),
    ] {
        let answer = action(page.url(), name, &body).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 400, "{name} {body}");
        let said: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
        assert!(said["error"].as_str().expect("words").contains(words), "{name} {body}: {said}");
    }
    assert_eq!(t.everything().await, before);
}

#[tokio::test]
async fn a_tap_while_the_database_is_cut_off_is_delivered_again_when_it_is_back() {
    let (database_url, proxy) = proxied_database().await;
    let proxied = Some(proxy.database_url(database_name(&database_url)));
    let t = Dispatch::start_on(database_url, Settings { database_url: proxied, ..Settings::default() }).await;
    let order = t.order().offered_to([ANNA]).await;
    t.chat(ANNA).say("/start").await;
    let page = t.page_with(Some(proxy)).await;

    act(page.url(), "cut", &json!({"seconds": 60})).await;
    let message = t.chat(ANNA).messages().last().expect("the menu").id;
    let tap = json!({"bot": 1001, "person": ANNA, "message": message, "data": format!("m:new:acc:{order}")});
    act(page.url(), "tap", &tap).await;
    let last = || t.telegram.journal(1).swap_remove(0);
    eventually(|| last().attempts.first().is_some_and(|attempt| attempt.status == Some(503))).await;
    let cut = told_eventually(page.url(), |topics| topics["masters"].is_array()).await;
    assert!(cut["world"]["cut_until"].is_number(), "{}", cut["world"]);
    assert_eq!(cut[format!("order/{order}")]["status"], "SEARCHING", "the truth is read by another way");

    act(page.url(), "cut", &json!({"seconds": 0})).await;
    assert_eq!(told(page.url()).await["world"]["cut_until"], Value::Null);
    eventually(|| last().attempts.len() >= 2 && last().state != State::UnderWay).await;
    act(page.url(), "wait", &json!({})).await;
    eventually(|| last().state == State::Delivered).await;
    assert_eq!(t.owner(order).await, Some(ANNA));
}
