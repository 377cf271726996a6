//! The page, as a person sees it in a browser, and as somebody else's page would like to use it.

use std::path::Path;
use std::time::Duration;

use field_service::bots::delivery;
use field_service::bots::render::plain;
use field_service::http::server;
use field_service::model::OrderId;
use field_service::sim::demo::{Demo, SHOWN};
use field_service::sim::telegram::{Fault, Faults, Force, State};
use field_service::telegram::{Notice, http_client};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;

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
        let alerts = browser
            .value("[...document.querySelectorAll('.alert p')].map(p => p.textContent.split(':')[0]).sort()")
            .await;
        assert_eq!(alerts, json!(["Уже занято", "✅ Заявка принята. Удачи в работе!"]));
        for person in [ANNA, BORIS] {
            // That the offer has ended may have covered the list in that moment, which is then sent again.
            let shown = async {
                while browser.value(&format!("{}.includes('новых заявок нет')", screen(person))).await != true
                {
                    delivery::pass(&t.app.bots(), None).await.expect("a database");
                }
            };
            timeout(Duration::from_secs(20), shown).await.expect("the list");
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
        let list = format!("document.querySelector(\"{} .bubble [data-callback='m:new:1']\")", phone(5001));
        browser.until(&format!("{list} !== null")).await;
        browser.value(&format!("{list}.click()")).await;
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

/// The widths that people have: a phone upright and on its side, a tablet, a small notebook.
const SIZES: [(u32, u32); 5] = [NARROW, (320, 568), (768, 1024), (1280, 800), (844, 390)];

/// Shows each tab that there is at this width.
async fn each_tab(browser: &Browser, look: impl AsyncFn(&str)) {
    for tab in ["phones", "orders", "race", "updates", "faults"] {
        let css = format!("#tab-{tab}");
        if browser.value(&format!("document.querySelector('{css}').offsetParent !== null")).await == json!(true) {
            browser.click(&css).await;
            look(tab).await;
        }
    }
}

/// An order that has been through much, and others beside it.
async fn a_used_system() -> (Dispatch, OrderId) {
    let t = Dispatch::start().await;
    t.execute(
        "UPDATE masters SET full_name = 'Константин Преображенский-Новгородский' WHERE telegram_user_id = $1",
        &[&ANNA],
    )
    .await;
    let order = t.order().offered_to([ANNA, BORIS, VERA]).await;
    for person in [ANNA, BORIS, VERA] {
        t.chat(person).say("/start").await;
        t.chat(person).tap(&format!("m:new:acc:{order}")).await;
    }
    for _ in 0..12 {
        t.order().offered_to([ANNA, BORIS]).await;
    }
    (t, order)
}

#[tokio::test]
async fn no_word_is_broken_and_no_phone_cut_off_at_any_width() {
    let (t, order) = a_used_system().await;
    let page = t.page().await;
    let broken = "[...document.querySelectorAll('td, th')].filter(cell => cell.offsetParent).flatMap(cell => {
        const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
        while (walk.nextNode()) for (const word of walk.currentNode.data.matchAll(/[^\\s-]+/g)) {
            const range = document.createRange();
            range.setStart(walk.currentNode, word.index);
            range.setEnd(walk.currentNode, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) found.push(word[0]);
        }
        return found;
    })";
    let cut_off = "(() => {
        const shelf = document.getElementById('shelf').getBoundingClientRect();
        return [...document.querySelectorAll('.phone')].map(phone => phone.getBoundingClientRect())
            .filter(({ left, right }) => left < shelf.right - 1 && right > shelf.right + 1).length;
    })()";
    for size in SIZES {
        Browser::visit(page.url(), size, async |browser| {
            browser.until("document.querySelectorAll('.phone').length >= 2").await;
            assert_eq!(browser.value(cut_off).await, 0, "{size:?}");
            each_tab(browser, async |tab| {
                if tab == "orders" {
                    browser.click(&format!("[data-key=order-{order}]")).await;
                    browser.until(&format!("document.querySelector('#orders h2').innerText.startsWith('Заявка №{order} ')")).await;
                    assert_eq!(browser.value("document.querySelectorAll('#orders table').length >= 3").await, true);
                }
                assert_eq!(browser.value(broken).await, json!([]), "{tab} at {size:?}");
                let wide = "document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight";
                assert_eq!(browser.value(wide).await, false, "{tab} at {size:?}");
            })
            .await;
            assert_eq!(browser.console().await, Vec::<String>::new());
        })
        .await;
    }
    Browser::visit(page.url(), (844, 390), async |browser| {
        browser.until("document.querySelectorAll('.phone').length >= 2").await;
        let chat = browser.value("document.querySelector('.phone .chat').clientHeight / innerHeight").await;
        assert!(chat.as_f64().is_some_and(|part| part > 0.5), "a phone on its side shows {chat} of itself as chat");
    })
    .await;
}

/// Texts whose contrast with what is behind them is below 4.5:1, the least for people who see badly.
/// <https://www.w3.org/TR/WCAG22/#contrast-minimum>
const FAINT: &str = "(() => {
    const channels = (color) => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const over = ([r, g, b, a], under) => [r, g, b].map((value, i) => value * a + under[i] * (1 - a));
    const behind = (element) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            const color = channels(getComputedStyle(at).backgroundColor);
            if (color[3] > 0) layers.push(color);
            if (color[3] === 1) break;
        }
        return layers.reduceRight((under, layer) => over(layer, under), [255, 255, 255]);
    };
    const light = (color) => {
        const [r, g, b] = color.map(value => value / 255).map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const faint = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const judge = (element, color, text) => {
        const ground = behind(element), ink = over(channels(color), ground);
        const [a, b] = [light(ground), light(ink)];
        const ratio = Math.max(a, b) / Math.min(a, b);
        if (ratio < 4.5) faint.push(`${text}: ${ratio.toFixed(2)}`);
    };
    while (walk.nextNode()) {
        const element = walk.currentNode.parentElement, text = walk.currentNode.data.trim();
        if (!text || !element.checkVisibility({ opacityProperty: true }) || element.closest(':disabled, option')) continue;
        let seen = 1;
        for (let at = element; at; at = at.parentElement) seen *= Number(getComputedStyle(at).opacity);
        const style = getComputedStyle(element), color = element instanceof SVGElement ? style.fill : style.color;
        const [r, g, b, a] = channels(color);
        judge(element, `rgba(${r}, ${g}, ${b}, ${a * seen})`, text);
    }
    for (const field of document.querySelectorAll('input[placeholder]')) {
        if (field.offsetParent) judge(field, getComputedStyle(field, '::placeholder').color, field.placeholder);
    }
    return faint;
})()";

#[tokio::test]
async fn every_text_can_be_read_in_light_and_dark() {
    let (t, _) = a_used_system().await;
    let text = "<b>a</b> <a href=\"https://example.org\">b</a> <tg-time unix=\"5\" format=\"r\">c</tg-time>\
                <blockquote expandable>1\n2\n3\n4\n5</blockquote>";
    t.chat(BORIS).block_bot(true);
    let page = t.page().await;
    for size in [WIDE, NARROW] {
        send_keyboard(&t, ANNA, text, EVERY_KEY).await;
        Browser::visit(page.url(), size, async |browser| {
            browser.until("document.querySelectorAll('.key.danger').length === 1").await;
            for scheme in ["light", "dark"] {
                browser.prefer(scheme).await;
                browser.until(&format!("matchMedia('(prefers-color-scheme: {scheme})').matches")).await;
                each_tab(browser, async |tab| {
                    if tab == "race" && browser.value("!document.querySelector('#race .timeline')").await == json!(true)
                    {
                        browser.click("#race button.primary:enabled").await;
                        browser.until("document.querySelectorAll('#race td .won').length === 1").await;
                        browser.value("document.querySelectorAll('.alert button').forEach(ok => ok.click())").await;
                    }
                    assert_eq!(browser.value(FAINT).await, json!([]), "{tab}, {scheme}");
                })
                .await;
            }
        })
        .await;
    }
}

const EVERY_KEY: &str = r#"[[{"text": "Да", "callback_data": "a", "style": "success"}, {"text": "Нет", "callback_data": "b", "style": "danger"}],
    [{"text": "Телефон", "copy_text": {"text": "+79990001122"}, "style": "primary"}, {"text": "Карта", "url": "https://example.org/"}]]"#;

/// What a bot may send that this handler does not, or not yet.
async fn send_keyboard(t: &Dispatch, person: i64, text: &str, rows: &str) {
    let rows: Value = serde_json::from_str(rows).expect("rows of keys");
    let url = format!("{}/bot{MASTER_TOKEN}/sendMessage", t.telegram.api_url());
    let message =
        json!({"chat_id": person, "text": text, "parse_mode": "HTML", "reply_markup": {"inline_keyboard": rows}});
    let request = http_client(&url).post(url).header("content-type", "application/json").body(message.to_string());
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn what_is_chosen_is_led_to_and_stays() {
    let (t, taken) = a_used_system().await;
    let page = t.page().await;
    Browser::visit(page.url(), (1280, 600), async |browser| {
        let shown = "document.querySelector('#orders h2')?.innerText ?? ''";
        browser.until(&format!("({shown}).startsWith('Заявка №')")).await;
        let first = browser.value(shown).await;
        // Somebody takes it, and a newer one is offered to more: what is looked at does not change by itself.
        let newest = t.order().offered_to([ANNA, BORIS, VERA]).await;
        browser.until(&format!("document.querySelector('[data-key=order-{newest}]') !== null")).await;
        let number =
            |heading: &Value| heading.as_str().and_then(|text| text.split_whitespace().nth(1)).map(ToOwned::to_owned);
        assert_eq!(number(&browser.value(shown).await), number(&first));

        browser.value(&format!("document.querySelector('[data-key=order-{taken}]').scrollIntoView()")).await;
        browser.until("document.querySelector('#orders').scrollTop > 0").await;
        browser.click(&format!("[data-key=order-{taken}]")).await;
        browser.until(&format!("({shown}).startsWith('Заявка №{taken} ')")).await;
        browser.until("document.querySelector('#orders').scrollTop === 0").await;
        assert_eq!(browser.value("document.activeElement === document.querySelector('#orders h2')").await, true);
        browser.until("getComputedStyle(document.querySelector('#orders .order')).animationName === 'chosen'").await;
    })
    .await;
}

#[tokio::test]
async fn a_chart_is_drawn_when_it_is_seen_and_as_wide_as_its_panel() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let page = t.page().await;
    Browser::visit(page.url(), NARROW, async |browser| {
        browser.until("document.querySelectorAll('.phone').length === 3").await;
        act(page.url(), "race", &json!({"bot": 1001, "order": order.0, "people": [ANNA, BORIS]})).await;
        browser.until(&format!("{}.includes('новых заявок нет')", screen(ANNA))).await;
        assert_eq!(browser.value("document.querySelector('#race .timeline')").await, Value::Null, "nobody sees it");
        browser.value("document.querySelectorAll('.alert button').forEach(ok => ok.click())").await;
        browser.click("#tab-race").await;
        browser.until("document.querySelectorAll('#race .timeline .said').length === 2").await;
        let fits = "(() => { const box = document.querySelector('#race .timeline').viewBox.baseVal;
                      return Math.abs(box.width - document.querySelector('#race .timeline').clientWidth) < 14; })()";
        browser.until(fits).await;
    })
    .await;
}

#[tokio::test]
async fn a_failed_call_of_a_bot_is_not_shown_as_a_success() {
    let t = Dispatch::start().await;
    t.chat(ANNA).say("/start").await;
    t.telegram.fail_next("sendMessage", 1, Fault::Forbidden);
    t.chat(ANNA).say("/start").await;
    let page = t.page().await;
    Browser::visit(page.url(), WIDE, async |browser| {
        browser.click("#tab-updates").await;
        browser.until("document.querySelectorAll('.update').length === 2").await;
        let chips = |row: u8| {
            format!("[...document.querySelectorAll('.update:nth-child({row}) .chip')].map(chip => chip.className)")
        };
        assert_eq!(browser.value(&chips(1)).await, json!(["chip queued", "chip failed"]));
        assert_eq!(browser.value(&chips(2)).await, json!(["chip delivered"]));
        browser.click(".update:nth-child(1) summary").await;
        browser.until("document.querySelector('.update:nth-child(1) li.problem').innerText.includes('403')").await;
    })
    .await;
}

#[tokio::test]
async fn times_run_quotations_fold_and_keys_copy_without_a_word_to_the_bot() {
    let t = Dispatch::start().await;
    t.chat(ANNA).say("/start").await;
    let page = t.page().await;
    let anna = phone(ANNA);
    Browser::visit(page.url(), WIDE, async |browser| {
        browser.until(&format!("{}.includes('Здравствуйте')", screen(ANNA))).await;
        let now: i64 = browser.value("Math.round(Date.now() / 1000)").await.as_i64().expect("seconds");
        let long = "a\n".repeat(9);
        let text = format!(
            "До <tg-time unix=\"{}\" format=\"r\">18:45</tg-time>, с <tg-time unix=\"{}\" format=\"r\">18:00</tg-time>, \
             <tg-time unix=\"86400\" format=\"D\">давно</tg-time><blockquote expandable>{long}<b>конец</b></blockquote>\
             <blockquote expandable>кратко</blockquote>",
            now + 9,
            now - 300,
        );
        send_keyboard(&t, ANNA, &text, EVERY_KEY).await;
        let moments = format!("[...document.querySelectorAll(\"{anna} .moment\")].map(time => [time.innerText.replaceAll('\\u00a0', ' '), time.title])");
        let said = |index: u8| format!("({moments})[{index}]?.[0] ?? ''");
        browser.until(&format!("/^через \\d секунд/.test({})", said(0))).await;
        assert_eq!(browser.value(&format!("({moments})[1]")).await, json!(["5 минут назад", "18:00"]));
        assert_eq!(browser.value(&format!("({moments})[2]")).await, json!(["2 января 1970 г.", "давно"]));
        browser.until(&format!("/назад$/.test({})", said(0))).await;
        assert_eq!(t.chat(ANNA).messages().last().expect("the message").edits, 0, "it counts without edits");

        let height = format!("document.querySelector(\"{anna} .quoted\").clientHeight");
        let folded = browser.value(&height).await.as_i64().expect("pixels");
        browser.click(&format!("{anna} .fold")).await;
        browser.until(&format!("{height} > {}", folded * 2)).await;
        assert_eq!(browser.value(&format!("document.querySelectorAll(\"{anna} .fold\").length")).await, 1, "the long one");
        browser.click(&format!("{anna} .fold")).await;
        browser.until(&format!("{height} === {folded}")).await;

        let before = t.telegram.journal(100).len();
        browser.click(&format!("{anna} [data-copy]")).await;
        browser.until(&format!("document.querySelector(\"{anna} .toast\")?.textContent === 'Скопировано: +79990001122'")).await;
        assert_eq!(t.telegram.journal(100).len(), before, "the bot hears nothing");
        assert_eq!(browser.value(&format!("document.querySelector(\"{anna} a.key\").href")).await, "https://example.org/");
        let colours = format!("new Set([...document.querySelectorAll(\"{anna} .bubble:last-child .key\")].map(key => getComputedStyle(key).backgroundColor)).size");
        assert_eq!(browser.value(&colours).await, 4);
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn an_own_message_can_be_changed() {
    let t = Dispatch::start().await;
    t.chat(ANNA).say("1500").await;
    let page = t.page().await;
    let anna = phone(ANNA);
    Browser::visit(page.url(), WIDE, async |browser| {
        browser.click(&format!("{anna} .out .meta button")).await;
        browser.until(&format!("document.activeElement === document.querySelector(\"{anna} .composer input\")")).await;
        browser.fill(&format!("{anna} .composer input"), "2500").await;
        browser.keys("\u{e007}").await;
        browser.until(&format!("document.querySelector(\"{anna} .out .text\").innerText.startsWith('2500')")).await;
        browser.until(&format!("document.querySelector(\"{anna} .out .meta\").innerText.includes('изм.')")).await;
        browser.until(&format!("document.querySelector(\"{anna} .edited\").hidden")).await;
        // The same by the keyboard, and not after all.
        browser.keys("\u{e013}").await;
        browser.until(&format!("document.querySelector(\"{anna} .composer input\").value === '2500'")).await;
        browser.keys("\u{e00c}").await;
        browser.until(&format!("document.querySelector(\"{anna} .composer input\").value === ''")).await;
        assert_eq!(browser.console().await, Vec::<String>::new());
        assert!(t.telegram.journal(1).remove(0).what.ends_with("2500"));
    })
    .await;
}

/// The newest message stands at the end, where a list is at 0.
#[tokio::test]
async fn whoever_writes_sees_the_answer_wherever_the_list_was() {
    let t = Dispatch::start().await;
    let page = t.page().await;
    Browser::visit(page.url(), WIDE, async |browser| {
        let start = format!("{} .composer button.quiet", phone(ANNA));
        let chat = format!("document.querySelector(\"{} .chat\")", phone(ANNA));
        let count = format!("document.querySelectorAll(\"{} .bubble.in\").length", phone(ANNA));
        for said in 1..=8 {
            browser.click(&start).await;
            browser.until(&format!("{count} === {said}")).await;
        }
        browser.value(&format!("void ({chat}.scrollTop = -10000)")).await;
        browser.until(&format!("{chat}.scrollTop < -100")).await;
        browser.click(&start).await;
        browser.until(&format!("{count} === 9 && {chat}.scrollTop === 0")).await;
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
        ("phone", json!({"bot": 1001, "person": 1e20, "name": "x"}), "Telegram ID — целое число от 1 до"),
        ("phone", json!({"bot": 1001, "person": 1.5, "name": "x"}), "Telegram ID — целое число от 1 до"),
        ("phone", json!({"bot": 1001, "person": "шесть", "name": "x"}), "Telegram ID — целое число от 1 до"),
        ("phone", json!({"bot": 1001, "person": null, "name": "x"}), "Telegram ID — целое число от 1 до"),
        (
            "master",
            json!({"person": 1e20, "name": "x", "city": "Омск", "timezone": "Asia/Omsk"}),
            "Telegram ID — целое",
        ),
        ("master", json!({"person": 77, "name": "x", "city": "О\u{0}мск", "timezone": "Asia/Omsk"}), "Город — от 1 до"),
        ("master", json!({"person": 77, "name": "x", "city": "Омск", "timezone": "Asia\u{0}Omsk"}), "Europe/Moscow"),
        ("edit", json!({"bot": 1001, "person": ANNA, "message": 1, "text": "x"}), "только своё сообщение"),
        ("edit", json!({"bot": 1001, "person": ANNA, "message": 1, "text": ""}), "от 1 до 4096"),
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
        ("order", new_order(json!({"minutes": 1e20})), "целое число от 1 до 10000"),
        ("order", new_order(json!({"address": "x".repeat(201)})), "не длиннее 200"),
        ("order", new_order(json!({"client_name": "a\u{0}b"})), "в одну строку"),
        ("order", new_order(json!({"description": "a\u{0}b"})), "Описание"),
        ("race", json!({"bot": 1001, "order": 1e20, "people": [ANNA, BORIS]}), "Номер заявки — целое число"),
        ("race", json!({"bot": 1001, "order": order.0, "people": [ANNA]}), "хотя бы два"),
        ("race", json!({"bot": 1001, "order": order.0, "people": [ANNA, 4242]}), "телефона нет"),
        ("faults", json!({"twice": "sometimes"}), "Обновите страницу"),
        ("faults", json!({"thrice": "next"}), "Обновите страницу"),
        ("faults", json!({"late_seconds": 1e20}), "целое число от 0 до 300"),
        ("cut", json!({"seconds": 5}), "своей дорогой"),
    ] {
        let answer = action(page.url(), name, &body).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 400, "{name} {body}");
        let said: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
        let said = said["error"].as_str().expect("words");
        assert!(said.contains(words), "{name} {body}: {said}");
        assert!(!said.contains("expected") && !said.contains("column"), "no program's own words: {said}");
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
