//! The dispatchers' page in a real browser: opened by a link, it shows what needs somebody first, and what is done there is done.

use std::io::Write;

use field_service::dispatch::session;
use field_service::model::{OrderId, StaffRef, TelegramUserId};

use field_service::model::access::TokenScope;
use field_service::sim::demo::{Demo, SHOWN};
use serde_json::json;
use tokio::net::TcpListener;

use crate::harness::browser::Browser;
use crate::harness::{ANNA, BORIS, Dispatch, Settings};

const WIDE: (u32, u32) = (1400, 900);
const OLGA: i64 = 501;
const PETR: i64 = 502;

impl Dispatch {
    /// A link that opens the page for somebody, once.
    async fn page_link(&self, user: i64) -> String {
        let staff = StaffRef::Telegram(TelegramUserId(user));
        let link = session::link(&self.app.store, staff, session::LINK).await.expect("a database").expect("staff");
        format!("{}/app#link={}", self.url, link.text())
    }
}

fn row(order: OrderId) -> String {
    format!(".row[data-order='{order}']")
}

fn there(css: &str) -> String {
    format!("document.querySelector(\"{css}\") !== null")
}

fn says(css: &str, words: &str) -> String {
    format!("(document.querySelector(\"{css}\")?.innerText ?? '').includes('{words}')")
}

/// Does what an order's card offers.
async fn act(browser: &Browser, order: OrderId, action: &str) {
    // Whatever is drawn anew at this moment.
    for css in [row(order), format!("#card [data-action='{action}']")] {
        browser.until(&there(&css)).await;
        browser.value(&format!("document.querySelector(\"{css}\").click()")).await;
    }
}

#[tokio::test]
async fn an_order_is_found_and_given_by_hand_to_whom_the_search_would_not_ask() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id <> $1", &[&BORIS]).await;
    let (order, other) = (t.order().offered_to([ANNA]).await, t.order().offered_to([ANNA]).await);
    t.execute(
        "UPDATE orders SET client_phone = '+79123456789', description = 'Капает <b>кран</b>' WHERE id = $1",
        &[&order.0],
    )
    .await;
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.until(&there(&row(order))).await;
        assert_eq!(browser.value("location.hash").await, "", "the link is not left in the address");
        browser.fill("input[type=search]", "912345\n").await;
        browser.until(&format!("!({})", there(&row(other)))).await;
        browser.until(&says(&row(order), "8 (912) 345-67-89")).await;
        act(browser, order, "ASSIGN").await;
        browser.until(&says("#card .words", "Капает <b>кран</b>")).await;
        browser.until(&says(".candidates", "не на смене")).await;
        browser.click(".candidates li:last-child button").await;
        assert_eq!(t.status(order).await, "SEARCHING", "it is asked once more");
        browser.until(&says(".candidates li:last-child button.danger", "Всё равно назначить")).await;
        browser.click(".candidates li:last-child button.danger").await;
        browser.until(&says("#toasts", &format!("№{order}: мастер назначен"))).await;
        browser.until(&says("#card .status", "ждёт выезда")).await;
        assert_eq!(t.owner(order).await, Some(BORIS));
        browser.until(&says("#card .changes", "Борис")).await;
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn of_two_who_act_on_one_order_the_second_is_shown_the_truth() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    t.add_staff(PETR).await;
    let order = t.order().offered_to([ANNA]).await;
    let (first, second) = (t.page_link(OLGA).await, t.page_link(PETR).await);
    Browser::visit(&first, WIDE, async |one| {
        Browser::visit(&second, WIDE, async |other| {
            act(one, order, "CANCEL").await;
            one.until("[...document.querySelectorAll('#action .buttons button')].map(({innerText}) => innerText).join() === 'Отменить заявку,Не отменять'").await;
            one.fill("#action input", "Заявка заведена дважды").await;
            act(other, order, "COMMENT").await;
            other.fill("#action textarea", "Позвонить").await;
            // The other one sees nothing of it before the click.
            other
                .run(
                    "window.real = window.fetch; window.held = true; window.fetch = (...asked) => { \
                         if (asked[1].method !== 'GET') window.held = false; \
                         return window.held ? Promise.reject(new TypeError()) : window.real(...asked); }",
                )
                .await;
            one.click("#action button.primary").await;
            one.until(&says("#card .status", "отменена")).await;
            other.click("#action button.primary").await;
            other.until(&says("#toasts", "успела измениться")).await;
            other.until(&says("#card .status", "отменена")).await;
            other.until(&says("#card .changes", "Диспетчер")).await;
        })
        .await;
        assert_eq!(t.one::<Option<String>>("SELECT comment FROM orders", &[]).await, None);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_changes_under_an_open_form_is_shown_as_it_is_and_the_form_says_so() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let field =
        |name: &str, value: &str| format!("document.querySelector('#action [name={name}]').value === '{value}'");
    // What has been in sight for a moment is what is acted on.
    let seen = async |browser: &Browser| {
        let version = "SELECT version || '.' || revision FROM orders WHERE id = $1";
        let version = t.one::<String>(version, &[&order.0]).await;
        browser.until(&format!("document.querySelector('#action').dataset.version === '{version}'")).await;
    };
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        act(browser, order, "EDIT").await;
        browser.fill("#action [name=client_name]", "Фёдор").await;
        t.execute("UPDATE orders SET address = 'ул. Новая, 7', client_name = 'Олег' WHERE id = $1", &[&order.0]).await;
        browser.until(&says("#action .bad", "Пока вы здесь, заявка изменилась")).await;
        assert_eq!(browser.value(&field("address", "ул. Новая, 7")).await, true, "nobody has touched it");
        assert_eq!(browser.value(&field("client_name", "Фёдор")).await, true, "what is written stays");
        seen(browser).await;
        browser.click("#action button.primary").await;
        browser.until(&says("#toasts", "изменения сохранены")).await;
        let said = "SELECT address || ' ' || client_name FROM orders WHERE id = $1";
        assert_eq!(t.one::<String>(said, &[&order.0]).await, "ул. Новая, 7 Фёдор");

        act(browser, order, "ASSIGN").await;
        browser.until(&there(".candidates button")).await;
        t.tap_accept(ANNA, order).await;
        browser.until(&says("#action .bad", "мастер теперь Анна")).await;
        assert_eq!(browser.value(&says("#card .status", "ждёт выезда")).await, true, "the card above it is no older");
        seen(browser).await;
        act(browser, order, "RETURN").await;
        browser.fill("#action input", "Мастер заболел").await;
        let refused = json!({"reason": "Дубль"});
        let cancelled = program.post(&format!("/api/orders/{order}/cancel"), &[("If-Match", "*")], &refused).await;
        assert_eq!(cancelled.status, 200, "{}", cancelled.text);
        browser.until(&says("#action .bad", "теперь она отменена. Этого с ней больше не сделать")).await;
        assert_eq!(browser.value("document.querySelector('#action .primary').disabled").await, true);
        browser.click("#action .leave").await;
        assert_eq!(browser.value("document.querySelector('#action').childElementCount").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_one_for_all_tabs_of_a_browser_and_ends_in_all_of_them_and_at_the_server() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    t.add_staff(PETR).await;
    let order = t.order().offered_to([ANNA]).await;
    let open = "SELECT count(*) FROM access_tokens WHERE kind = 'SESSION' AND revoked_at IS NULL";
    let page = format!("{}/app", t.url);
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.until(&there(&row(order))).await;
        browser
            .in_another_tab(&page, async |tab| {
                tab.until(&there(&row(order))).await;
                tab.click("#who button").await;
                tab.until(&says("main", "Сеанс закончился")).await;
            })
            .await;
        browser.until(&says("main", "Сеанс закончился")).await;
        assert_eq!(t.one::<i64>(open, &[]).await, 0);
        // Whoever opens one, opens it for all tabs.
        browser.in_another_tab(&t.page_link(PETR).await, async |tab| tab.until(&there(&row(order))).await).await;
        browser.until(&there(&row(order))).await;
        assert_eq!(t.one::<i64>(open, &[]).await, 1);
        // The same person once more: what is being written is not disturbed. Somebody else: it is shown for whom.
        act(browser, order, "COMMENT").await;
        browser.fill("#action textarea", "Позвонить").await;
        for (who, stays) in [(PETR, true), (OLGA, false)] {
            let before = browser.value("localStorage.getItem('token')").await;
            browser.in_another_tab(&t.page_link(who).await, async |tab| tab.until(&there(&row(order))).await).await;
            browser.until(&format!("localStorage.getItem('token') !== {before}")).await;
            browser.until(&format!("(document.querySelector('#action textarea') !== null) === {stays}")).await;
            browser.until(&there(&row(order))).await;
        }
    })
    .await;
}

#[tokio::test]
async fn that_there_is_no_connection_is_in_sight_however_far_the_list_is_scrolled() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let mut order = t.order().offered_to([ANNA]).await;
    for _ in 0..8 {
        order = t.order().offered_to([ANNA]).await;
    }
    let in_sight = "(() => { const place = document.querySelector('#note').getBoundingClientRect(); \
                     const seen = document.elementFromPoint(place.left + 20, (place.top + place.bottom) / 2); \
                     return seen?.id === 'note' && document.querySelector('main').getBoundingClientRect().top >= place.bottom })()";
    for width in [360, 768] {
        Browser::visit(&t.page_link(OLGA).await, (width, 500), async |browser| {
            browser.until(&there(&row(order))).await;
            browser.run("document.querySelector('main').scrollTop = 9999").await;
            browser.run("window.real = window.fetch; window.fetch = () => Promise.reject(new TypeError())").await;
            browser.until(&says("#note", "Нет связи")).await;
            assert!(browser.value("document.querySelector('main').scrollTop").await.as_f64() > Some(100.0));
            assert_eq!(browser.value(in_sight).await, true, "at {width}");
            // Above an order's card too.
            browser.run("window.fetch = window.real").await;
            act(browser, order, "COMMENT").await;
            browser.run("window.fetch = () => Promise.reject(new TypeError())").await;
            browser.until(&says("#note", "Нет связи")).await;
            assert_eq!(browser.value(in_sight).await, true, "at {width}, over a card");
        })
        .await;
    }
}

#[tokio::test]
async fn beside_a_card_the_street_stays_in_sight_and_the_sections_within_reach() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Нижний Новгород', 'Europe/Moscow')", &[]).await;
    t.execute("INSERT INTO districts (city_id, name) VALUES (1, 'Железнодорожный')", &[]).await;
    let order = t.order().offered_to([ANNA]).await;
    t.execute("UPDATE orders SET address = 'ул. Красноармейская, 184', district_id = (SELECT max(id) FROM districts) WHERE id = $1", &[&order.0]).await;
    let place = format!("document.querySelector(\"{} .what small\")", row(order));
    let street = format!(
        "(() => {{ const text = {place}.firstChild, range = document.createRange(); range.setStart(text, 0); \
             range.setEnd(text, 'ул. Красноармейская, 184'.length); const box = {place}.getBoundingClientRect(); \
             return [...range.getClientRects()].every((part) => part.bottom <= box.bottom + 1 && part.right <= box.right + 1) }})()"
    );
    for width in [360, 768, 1024, 1280, 1400] {
        Browser::visit(&t.page_link(OLGA).await, (width, 800), async |browser| {
            act(browser, order, "COMMENT").await;
            assert_eq!(browser.value(&street).await, true, "at {width}");
            // A click where something else lies above is refused.
            browser.click("nav [data-view=masters]").await;
            browser.until(&there("nav [data-view=masters][aria-current=page]")).await;
            browser.until("document.querySelectorAll('.row.master').length === 3").await;
            let covers = "!document.querySelector('#card').hidden && document.querySelector('#card').getBoundingClientRect().left \
                          < document.querySelector('main').getBoundingClientRect().right - 1";
            assert_eq!(browser.value(covers).await, false, "at {width}: nothing lies above what was wanted");
        })
        .await;
    }
}

/// As it is on a phone, where the card covers the list.
#[tokio::test]
async fn back_closes_the_card_and_leads_nowhere_else() {
    let t = Dispatch::start().await;
    t.add_staff_as(OLGA, "ADMIN", &[]).await;
    let (order, other) = (t.order().offered_to([ANNA]).await, t.order().offered_to([BORIS]).await);
    let card = |open: bool| format!("document.querySelector('#card').hidden === {}", !open);
    for width in [360, 1400] {
        Browser::visit(&t.page_link(OLGA).await, (width, 800), async |browser| {
            browser.click(&row(order)).await;
            browser.until(&there("#card [data-action='ASSIGN']")).await;
            browser.run("history.back()").await;
            browser.until(&card(false)).await;
            browser.until(&there(&row(order))).await;
            for view in ["policy", "now"] {
                browser.click(&format!("nav [data-view={view}]")).await;
                browser.until(&there(&format!("nav [data-view={view}][aria-current=page]"))).await;
            }
            // Opened, closed by its cross, opened again: there is one step back.
            browser.click(&row(order)).await;
            browser.click("#card [data-key=close]").await;
            browser.until(&card(false)).await;
            browser.click(&row(other)).await;
            browser.until(&says("#card h2", &format!("№{other}"))).await;
            browser.run("history.back()").await;
            browser.until(&card(false)).await;
            assert_eq!(browser.value("location.hash").await, "", "it is not the view before");
            browser.run("history.back()").await;
            browser.until("location.hash === '#policy'").await;
            browser.until(&there("nav [data-view=policy][aria-current=page]")).await;
            // Forward twice is where it was, with its card; which is there when it is loaded anew.
            browser.run("history.go(2)").await;
            browser.until(&says("#card h2", &format!("№{other}"))).await;
            browser.run("location.reload()").await;
            browser.until(&says("#card h2", &format!("№{other}"))).await;
            browser.keys("\u{e00c}").await;
            browser.until(&card(false)).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_page_whose_right_has_ended_says_so_and_without_a_server_it_keeps_what_was_seen() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let order = t.order().offered_to([ANNA]).await;
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.until(&there(&row(order))).await;
        // Without a connection for a while.
        browser
            .value("void (window.realFetch = window.fetch, window.fetch = () => Promise.reject(new TypeError()))")
            .await;
        browser.until(&says("#note", "Нет связи")).await;
        browser.until(&there(&row(order))).await;
        browser.value("void (window.fetch = window.realFetch)").await;
        let another = t.order().offered_to([ANNA]).await;
        browser.until(&there(&row(another))).await;
        browser.until(&format!("!({})", says("#note", "Нет связи"))).await;
        t.execute("UPDATE staff SET is_active = false", &[]).await;
        browser.until(&says("main", "Сеанс закончился")).await;
        assert_eq!(browser.value("localStorage.getItem('token')").await, serde_json::Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_sheet_with_bad_rows_is_reported_on_and_what_is_good_is_loaded() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let file = std::env::temp_dir().join(format!("fs-sheet-{}.csv", std::process::id()));
    let sheet = "Вид работ;Адрес;Телефон\nСантехника;ул. Мира, 1;89123456789\nМагия;ул. Мира, 2;89123456789\nОкна;;89123456789\nОкна;ул. Мира, 4;912\n";
    std::fs::write(&file, sheet).expect("a file");
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.click("nav [data-view=load]").await;
        browser.choose("input[type=file]", &file).await;
        browser.until("document.querySelectorAll('tbody tr').length === 3").await;
        assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 0, "it was only looked at");
        browser.click("section button.primary").await;
        browser.until(&says("#toasts", "Создано: 1 заявка")).await;
        assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 1);
        // The same file once more.
        browser.choose("input[type=file]", &file).await;
        browser.until(&there("section button.primary")).await;
        browser.click("section button.primary").await;
        browser.until(&says("main p.bad", "уже загружали, и второй раз заявки не созданы")).await;
        assert_eq!(browser.value(&says("main", "Создано")).await, false, "nothing was made now");
        assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 1);
    })
    .await;
    std::fs::remove_file(file).expect("the file");
}

#[tokio::test]
async fn a_sheet_whose_time_would_be_lost_is_loaded_by_a_second_click_and_once() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let file = std::env::temp_dir().join(format!("fs-times-{}.csv", std::process::id()));
    let sheet = "Работа;Адрес;Телефон;Желаемая дата\nСантехника;ул. Мира, 1;89123456789;завтра 10-12\n";
    let count = async || t.one::<i64>("SELECT count(*) FROM orders", &[]).await;
    std::fs::write(&file, sheet).expect("a file");
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.click("nav [data-view=load]").await;
        browser.choose("input[type=file]", &file).await;
        browser.until(&says("main .bad", "Время не загрузится: столбец «Желаемая дата»")).await;
        browser.click("section button.primary").await;
        browser.until(&says("section button.danger", "без времени")).await;
        assert_eq!(count().await, 0, "it is asked once more");
        browser.click("section button.danger").await;
        browser.until(&says("#toasts", "1 заявка")).await;
        assert_eq!(count().await, 1);
        // What is read loses nothing, and is asked for nothing.
        std::fs::write(&file, sheet.replace("Желаемая дата", "Когда")).expect("a file");
        browser.choose("input[type=file]", &file).await;
        browser.until(&format!("{} && !({})", there("section button.primary"), there("main p.bad"))).await;
        browser.click("section button.primary").await;
        browser.until(&says("main", "1 заявка")).await;
        assert_eq!(count().await, 2);
        let hours = "SELECT count(*) FROM orders WHERE timeslot_end - timeslot_start = interval '2 hours'";
        assert_eq!(t.one::<i64>(hours, &[]).await, 1);
    })
    .await;
    std::fs::remove_file(file).expect("the file");
}

#[tokio::test]
async fn a_new_order_is_pasted_put_right_kept_when_left_and_goes_out_to_masters() {
    let t = Dispatch::start().await;
    t.chat(ANNA).open();
    t.add_staff(OLGA).await;
    let client = t.order().offered_to([BORIS]).await;
    t.execute("UPDATE orders SET client_phone = '+79123456789' WHERE id = $1", &[&client.0]).await;
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.until(&there(&row(client))).await;
        browser.keys("n").await;
        browser.until("document.activeElement.name === 'message'").await;
        browser.fill("textarea[name=message]", "Малышева 84, 8 912 345 67 89, течёт кран").await;
        browser.click(".whole button").await;
        browser.until(&says(".whole .hint", "телефон — «8 912 345 67 89»")).await;
        browser.until(&says(".twin", &format!("№{client}"))).await;
        browser.until(&says(".around", "Подходят 3 мастера")).await;
        // Half a phone is not saved, and is not lost either.
        browser.value("document.querySelector('[name=client_phone]').value = ''").await;
        browser.fill("[name=client_phone]", "8 912\t").await;
        browser.until(&says("#fault-client_phone", "здесь 4 цифры,")).await;
        browser.fill("[name=client_name]", "Ольга\t").await;
        browser.until(&says(".saved", "Сохранено")).await;
        browser.value("location.reload()").await;
        browser.until(&there("nav [data-view=new]")).await;
        browser.click("nav [data-view=new]").await;
        browser.until("document.querySelector('[name=client_name]')?.value === 'Ольга'").await;
        browser.until(&says("#fault-client_phone", "здесь 4 цифры,")).await;
        assert_eq!(browser.value("document.querySelector('[name=client_phone]').value").await, "8 912");
        browser.click("[data-key=create]").await;
        browser.until("document.activeElement.name === 'client_phone'").await;
        browser.value("document.querySelector('[name=client_phone]').value = ''").await;
        browser.fill("[name=client_phone]", "8 912 345 67 80\t").await;
        browser.click("[data-key=create]").await;
        browser.until(&says("#toasts", "создана")).await;
        browser.until(&says("#card", "Малышева 84")).await;
        browser.until(&says("#card", "8 (912) 345-67-80")).await;
        assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 2);
        let card = t.chat(ANNA).messages().pop().expect("an offer, sent at once").text;
        assert!(card.contains("Малышева"), "{card}");
    })
    .await;
}

#[tokio::test]
async fn nothing_that_is_written_is_lost_or_changed_while_it_is_saved_or_cannot_be() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let saved = "SELECT concat_ws('|', address, client_phone, category) FROM order_drafts";
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.until(&there("nav [data-view=new]")).await;
        browser.click("nav [data-view=new]").await;
        browser.until("document.activeElement.name === 'message'").await;
        // Somebody wanted too much too early, and is shown what is missing.
        browser.click("[data-key=create]").await;
        browser.until(&says("#fault-address", "Заполните")).await;
        browser.fill("[name=address]", "ул. Ленина ").await;
        browser.until(&says(".saved", "Сохранено")).await;
        assert_eq!(
            browser.value("document.querySelector('[name=address]').value").await,
            "ул. Ленина ",
            "it goes on there"
        );
        assert_eq!(browser.value("document.querySelector('#fault-address').innerText").await, "");
        browser.keys("5").await;
        // There is no way to the server for a while.
        browser.run("window.real = window.fetch; window.fetch = () => Promise.reject(new TypeError())").await;
        browser.fill("[name=client_phone]", "8 912 345 67 89").await;
        browser.click("[data-key=create]").await;
        browser.until(&says(".saved", "Нет связи")).await;
        browser.until(&says("#fault-category", "Заполните")).await;
        assert_eq!(browser.value("document.querySelector('#fault-client_phone').innerText").await, "", "it is there");
        browser.run("window.fetch = window.real").await;
        browser.until(&says(".saved", "Сохранено")).await;
        assert_eq!(t.one::<String>(saved, &[]).await, "ул. Ленина 5|+79123456789");
        // The answer is lost, and what was asked for is done.
        browser.run("window.fetch = async (...asked) => { await window.real(...asked); throw new TypeError(); }").await;
        browser.value("void (document.querySelector('[name=category]').value = 'PLUMBING')").await;
        browser.value("void document.querySelector('[name=category]').dispatchEvent(new Event('change'))").await;
        browser.until(&says(".saved", "Нет связи")).await;
        browser.run("window.fetch = window.real").await;
        browser.until(&says(".saved", "Сохранено")).await;
        assert_eq!(
            browser.value("document.querySelector('#toasts').innerText").await,
            "",
            "nobody else has changed it"
        );
        // So with the order itself: the second click makes no second one.
        browser
            .run(
                "window.fetch = async (...asked) => { const answer = await window.real(...asked); \
                     if (asked[0].endsWith('draft/order')) throw new TypeError(); return answer; }",
            )
            .await;
        browser.click("[data-key=create]").await;
        browser.until(&says(".saved", "Нет связи")).await;
        browser.run("window.fetch = window.real").await;
        browser.click("[data-key=create]").await;
        browser.until(&says("#toasts", "создана")).await;
        browser.until(&says("#card", "ул. Ленина 5")).await;
        assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 1);
    })
    .await;
}

#[tokio::test]
async fn whoever_opens_it_next_in_the_same_tab_sees_nothing_of_what_was_written_before() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    t.add_staff(PETR).await;
    let order = t.order().offered_to([ANNA]).await;
    let next = t.page_link(PETR).await;
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.until(&there(&row(order))).await;
        browser.click("nav [data-view=new]").await;
        browser.until("document.activeElement.name === 'message'").await;
        // Left before it is saved by itself.
        browser.fill("[name=client_name]", "Ольга").await;
        browser.click("#who button").await;
        browser.until(&says("main", "Сеанс закончился")).await;
        assert_eq!(browser.value("Object.keys(sessionStorage).join()").await, "ended", "nothing of what was written");
        assert_eq!(browser.value("localStorage.length").await, 0, "nor of who it was");
        assert_eq!(
            t.one::<Option<String>>("SELECT client_name FROM order_drafts", &[]).await.as_deref(),
            Some("Ольга")
        );
        // A link that is pasted into the same tab.
        browser.value(&format!("void (location.hash = '{}')", next.split('#').nth(1).expect("a link"))).await;
        browser.until(&there("nav [data-view=new]")).await;
        assert_eq!(browser.value("location.hash").await, "");
        browser.click("nav [data-view=new]").await;
        browser.until("document.activeElement.name === 'message'").await;
        assert_eq!(browser.value("document.querySelector('[name=client_name]').value").await, "");
        assert_eq!(t.one::<i64>("SELECT count(*) FROM order_drafts", &[]).await, 1);
    })
    .await;
}

#[tokio::test]
async fn another_time_is_the_one_on_the_screen_or_none() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let slot = "SELECT to_char(timeslot_start AT TIME ZONE cities.timezone, 'HH24:MI') || '-' ||
                       to_char(timeslot_end AT TIME ZONE cities.timezone, 'HH24:MI')
                FROM orders JOIN cities ON cities.id = city_id";
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        // As whoever uses it does: the value is another, and the element says that it has changed.
        let choose = async |css: &str, value: &str| {
            browser
                .run(&format!(
                    "const field = document.querySelector('{css}'); field.value = '{value}'; \
                     for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, {{ bubbles: true }}))"
                ))
                .await;
        };
        browser.until(&there("nav [data-view=new]")).await;
        browser.click("nav [data-view=new]").await;
        browser.until("document.activeElement.name === 'message'").await;
        for (name, value) in [
            ("category", "PLUMBING"),
            ("address", "ул. Мира, 4"),
            ("client_phone", "89123456789"),
            ("client_name", "Олег"),
        ] {
            choose(&format!(".fields [name={name}]"), value).await;
        }
        choose("[name=description]", "Течёт").await;
        choose("[name=slot]", "other").await;
        choose("[aria-label=\"С какого времени\"]", "14:00").await;
        browser.until(&says(".other", "Конец не позже начала")).await;
        browser.click("[data-key=create]").await;
        browser.until(&says("#fault-slot", "Время указано не до конца")).await;
        assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 0, "not for another time");
        // A night is one.
        choose("[aria-label=\"С какого времени\"]", "22:00").await;
        choose("[aria-label=\"До какого времени\"]", "02:00").await;
        browser.until(&says(".other", "до 02:00 следующего дня")).await;
        browser.click("[data-key=create]").await;
        browser.until(&says("#toasts", "создана")).await;
        assert_eq!(t.one::<String>(slot, &[]).await, "22:00-02:00");
        // It is corrected without a word about its time.
        let order = OrderId(t.one("SELECT id FROM orders", &[]).await);
        t.execute("UPDATE orders SET address = E'ул. Мира, 4\nкв. 12'", &[]).await;
        // Its first wave is a change, under which an open form would have to be looked at once more.
        browser.until(&says("#card .changes", "ищет мастера")).await;
        browser.until(&says("#card", "кв. 12")).await;
        act(browser, order, "EDIT").await;
        browser.until("document.querySelector('#action [name=address]')?.value === 'ул. Мира, 4, кв. 12'").await;
        choose("#action [name=client_name]", "Фёдор").await;
        browser.click("#action button.primary").await;
        browser.until(&says("#toasts", "изменения сохранены")).await;
        assert_eq!(t.one::<String>(slot, &[]).await, "22:00-02:00");
        assert_eq!(
            t.one::<String>("SELECT address || ' ' || client_name FROM orders", &[]).await,
            "ул. Мира, 4\nкв. 12 Фёдор"
        );
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn who_cannot_be_given_an_order_has_no_button_for_it_and_a_filter_leaves_what_was_found() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let order = t.order().create().await;
    t.execute("UPDATE masters SET is_blocked = true, blocked_reason = 'Долг' WHERE id = 1", &[]).await;
    t.execute(
        "UPDATE masters SET is_blocked = true, blocked_reason = 'ждите', awaiting_approval_since = now() WHERE id = 2",
        &[],
    )
    .await;
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        act(browser, order, "ASSIGN").await;
        browser.until(&says(".candidates", "заблокирован: Долг")).await;
        browser.until(&says(".candidates", "ещё не одобрен")).await;
        assert_eq!(browser.value(&says(".candidates", "ждите")).await, false, "that is said to the newcomer");
        assert_eq!(browser.value("document.querySelectorAll('.candidates button').length").await, 1);
        browser.fill("input[type=search]", "00000000\n").await;
        browser.until(&says(".rows", "Ничего не нашлось")).await;
        browser.click("[data-state=SEARCHING]").await;
        browser.until(&there(&row(order))).await;
        assert_eq!(browser.value("document.querySelector('input[type=search]').value").await, "");
        browser.click("nav [data-view=masters]").await;
        browser.click("[data-key=refuse2]").await;
        // There is no way to the server for a while: it is said where it is looked at.
        browser.run("window.real = window.fetch; window.fetch = () => Promise.reject(new TypeError())").await;
        browser.fill("dialog input", "Нет допуска").await;
        browser.click("dialog button.primary").await;
        browser.until(&says("dialog .bad", "Нет связи")).await;
        browser.run("window.fetch = window.real").await;
        browser.click("dialog button.primary").await;
        browser.until("document.querySelector('dialog') === null").await;
        let refused = "SELECT is_blocked AND awaiting_approval_since IS NULL AND blocked_reason = 'Нет допуска' FROM masters WHERE id = 2";
        assert!(t.one::<bool>(refused, &[]).await);
    })
    .await;
}

#[tokio::test]
async fn masters_are_changed_by_a_click_and_figures_are_drawn() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let order = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.click("nav [data-view=masters]").await;
        browser.until("document.querySelectorAll('.row.master').length === 3").await;
        browser.click("[data-key=shift2]").await;
        browser.until(&says("#toasts", "Борис: сохранено")).await;
        assert!(!t.one::<bool>("SELECT on_shift FROM masters WHERE id = 2", &[]).await);
        browser.click("[data-key=limit2]").await;
        browser.fill("dialog input", "3").await;
        browser.click("dialog button.primary").await;
        browser.until("document.querySelector('dialog') === null").await;
        assert_eq!(t.one::<Option<i32>>("SELECT max_active_orders FROM masters WHERE id = 2", &[]).await, Some(3));
        browser.click("[data-key=skills2]").await;
        browser.click("dialog input[value=WINDOWS]").await;
        browser.click("dialog button.primary").await;
        browser.until("document.querySelector('dialog') === null").await;
        let trades = "SELECT string_agg(category, ' ' ORDER BY category) FROM master_categories WHERE master_id = 2";
        assert!(!t.one::<String>(trades, &[]).await.contains("WINDOWS"), "he had it");
        browser.click("nav [data-view=figures]").await;
        browser.until(&says("main .facts", "1 принято")).await;
        browser.until(&says("main .facts", "Мастер находится обычно за ")).await;
        browser.until("document.querySelectorAll('figure svg rect').length > 3").await;
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn an_admin_changes_the_rules_and_nothing_that_was_typed_is_lost_to_a_colleague() {
    let t = Dispatch::start().await;
    t.add_staff_as(OLGA, "ADMIN", &[]).await;
    t.add_staff(PETR).await;
    let newest = "SELECT concat_ws('|', offer_ttl_seconds, widen_every_seconds, max_active_orders, created_by_staff_id)
                  FROM dispatch_policies ORDER BY id DESC LIMIT 1";
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.click("nav [data-view=policy]").await;
        browser.until("document.querySelector('[name=offer_ttl_seconds]')?.value === '120'").await;
        browser.until(&says("table", "Кто и когда менял")).await;
        browser.until(&says("main", "Действуют правила №")).await;
        browser
            .until(&says(
                "label[for=rule-preferred_ttl_seconds]",
                "Сколько секунд ждём мастера, которого просит клиент",
            ))
            .await;
        // What is wrong is said at its field.
        browser.fill("[name=max_live_offers]", "2").await;
        browser.click("[data-key=check]").await;
        browser.until(&says("#rule-fault-max_live_offers", "не меньше, чем")).await;
        assert_eq!(browser.value("document.activeElement.name").await, "max_live_offers");
        browser.fill("[name=max_live_offers]", "6").await;
        for (typed, said) in [("9999999999", "от 10 до 3600"), ("12.5", "нужно целое число")] {
            browser.fill("[name=offer_ttl_seconds]", typed).await;
            browser.click("[data-key=check]").await;
            browser.until(&says("#rule-fault-offer_ttl_seconds", said)).await;
        }
        assert_eq!(browser.value("document.querySelector('[name=masters_per_round]').checkVisibility()").await, false);
        browser.fill("[name=offer_ttl_seconds]", "90").await;
        browser.until(&says("#rule-now-offer_ttl_seconds", "120 (2 мин)")).await;
        browser.click("[data-key=check]").await;
        browser
            .until(&format!("{} || {}", says("form [role=status]", "вчера"), says("form [role=status]", "Вчера")))
            .await;
        // Somebody was quicker.
        t.execute("INSERT INTO dispatch_policies (max_active_orders, created_by_staff_id) VALUES (8, 2)", &[]).await;
        browser.click("[data-key=save]:not([hidden])").await;
        browser.until(&says("#toasts", "изменили (Диспетчер)")).await;
        // What was not touched is as it is now, so that saving does not take it back.
        browser.until("document.querySelector('[name=max_active_orders]').value === '8'").await;
        assert_eq!(browser.value("document.querySelector('[name=offer_ttl_seconds]').value").await, "90");
        assert_eq!(t.one::<String>(newest, &[]).await, "120|30|8|2");
        // Somebody was quicker while another view was looked at.
        browser.click("nav [data-view=masters]").await;
        t.execute("INSERT INTO dispatch_policies (max_active_orders, created_by_staff_id) VALUES (9, 2)", &[]).await;
        browser.value("void document.querySelector('#toasts').replaceChildren()").await;
        browser.click("nav [data-view=policy]").await;
        browser.until(&says("#toasts", "изменили (Диспетчер)")).await;
        browser.until("document.querySelector('[name=max_active_orders]').value === '9'").await;
        assert_eq!(browser.value("document.querySelector('[name=offer_ttl_seconds]').value").await, "90");
        browser.fill("[name=first_masters]", "9").await;
        browser.value("void (document.querySelector('[name=way]').value = 'rounds')").await;
        browser.value("void document.querySelector('[name=way]').dispatchEvent(new Event('change'))").await;
        browser.until("document.querySelector('[name=widen_by]').closest('label').hidden").await;
        // What does not count in rounds stands in nobody's way; whoever saves hears it where he is.
        browser.click("[data-key=check]").await;
        browser.until("document.activeElement.dataset.key === 'save'").await;
        // Somebody else saves at this very moment.
        let colleague = t.colleague().await;
        let held = "BEGIN; SELECT FROM dispatch_policies WHERE id = 1 FOR NO KEY UPDATE";
        colleague.batch_execute(held).await.expect("a lock");
        browser.keys("\u{e007}").await;
        browser.until(&says("#toasts", "Правила сейчас сохраняет кто-то ещё")).await;
        colleague.batch_execute("COMMIT").await.expect("an end");
        browser.until("document.activeElement.dataset.key === 'save'").await;
        browser.keys("\u{e007}").await;
        browser.until(&says("#toasts", "Сохранено")).await;
        browser.until("document.activeElement.textContent.startsWith('Сохранено')").await;
        let room = "SELECT first_masters || '|' || max_live_offers FROM dispatch_policies ORDER BY id DESC LIMIT 1";
        assert_eq!(t.one::<String>(room, &[]).await, "9|9");
        assert_eq!(t.one::<String>(newest, &[]).await, "90|0|9|1");
        browser.until(&says("tbody tr", "время на ответ: 2 мин → 1 мин 30 с")).await;
        browser.until(&says("tbody tr", "добавляем каждые: 30 с → нет, ищем кругами")).await;
        // Refused requests are in the console, and nothing else is.
        let console = browser.console().await;
        assert!(
            console.iter().all(|line| line.contains("status of 4") || line.contains("status of 503")),
            "{console:?}"
        );
    })
    .await;
    Browser::visit(&t.page_link(PETR).await, WIDE, async |browser| {
        browser.until(&there("nav [data-view=masters]")).await;
        assert_eq!(browser.value(&there("nav [data-view=policy]")).await, false, "it is an admin's");
        browser.value("void (location.hash = 'policy')").await;
        browser.until("location.hash === ''").await;
    })
    .await;
}

#[tokio::test]
async fn it_is_worked_by_keys_alone() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let (first, second) = (t.order().offered_to([ANNA]).await, t.order().offered_to([BORIS]).await);
    let focused = "document.activeElement.dataset.order ?? document.activeElement.type ?? ''";
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.until(&there(&row(second))).await;
        for (key, order) in [("j", first), ("j", second), ("k", first), ("k", first)] {
            browser.keys(key).await;
            assert_eq!(browser.value(focused).await, order.to_string(), "after {key}");
        }
        browser.keys("\u{e007}").await;
        browser.until(&there("#card [data-action='ASSIGN']")).await;
        browser.keys("a").await;
        browser.until(&there(".candidates button")).await;
        browser.until("document.activeElement.closest('.candidates') !== null").await;
        browser.keys("\u{e007}").await;
        browser.until(&says("#card .status", "ждёт выезда")).await;
        browser.keys("\u{e00c}").await;
        browser.until("document.querySelector('#card').hidden").await;
        browser.keys("/").await;
        assert_eq!(browser.value(focused).await, "search");
        browser.keys("n/").await;
        assert_eq!(
            browser.value("document.querySelector('input[type=search]').value").await,
            "n/",
            "keys are words there"
        );
        browser.keys("\u{e00c}").await;
        // With Russian letters on them the keys are the same.
        browser.value("void document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'т', code: 'KeyN', bubbles: true}))").await;
        browser.until("document.activeElement.name === 'message'").await;
        assert_eq!(t.status(first).await, "ASSIGNED");
    })
    .await;
}

#[tokio::test]
async fn each_screen_says_when_there_is_nothing_when_it_is_slow_and_when_it_failed() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    t.execute("TRUNCATE masters CASCADE", &[]).await;
    let show = |view: &str| format!("void document.querySelector('nav [data-view={view}]').click()");
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        for (view, nothing) in
            [("now", "Все заявки разобраны"), ("masters", "Таких мастеров нет"), ("figures", "Пока ничего"), ("new", "Создать и искать")]
        {
            browser.until(&there("nav button")).await;
            browser.value(&show(view)).await;
            browser.until(&says("main", nothing)).await;
        }
        browser.run("window.real = window.fetch; window.fetch = () => new Promise(() => {})").await;
        for view in ["masters", "figures"] {
            browser.value(&show(view)).await;
            browser.until(&there("main [aria-busy]")).await;
        }
        let broken = "window.fetch = () => Promise.resolve(new Response('{\"type\":\"urn:field-service:problem:unavailable\"}', \
                      {status: 503, headers: {'Content-Type': 'application/problem+json'}}))";
        browser.run(broken).await;
        for (view, place) in [("now", "#note"), ("masters", "main"), ("figures", "main"), ("new", "main")] {
            browser.value(&show(view)).await;
            browser.until(&says(place, "Сервер сейчас не отвечает")).await;
        }
        browser.run("window.fetch = window.real").await;
        for view in ["masters", "figures", "new", "now"] {
            browser.value(&show(view)).await;
            browser.until(&format!("!({}) && !({})", says("main", "не отвечает"), says("#note", "не отвечает"))).await;
        }
    })
    .await;
}

#[tokio::test]
async fn of_many_orders_a_page_is_shown_and_the_next_one_is_a_click_away() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone)
         SELECT 1, 'PLUMBING', 'SEARCHING', 'ул. Мира, ' || number, 'Клиент', '+79123456789' FROM generate_series(1, 230) AS number",
        &[],
    )
    .await;
    let shown = |count: u32| format!("document.querySelectorAll('.row').length === {count}");
    Browser::visit(&t.page_link(OLGA).await, WIDE, async |browser| {
        browser.until(&shown(100)).await;
        browser.until(&says(".pages", "230 заявок")).await;
        browser.click(".pages button:last-child").await;
        browser.until(&says(".pages", "2 из 3")).await;
        browser.click(".pages button:last-child").await;
        browser.until(&shown(30)).await;
        // What was looked at is there no more: the last page that there is.
        t.execute("DELETE FROM orders WHERE id > 150", &[]).await;
        browser.until(&says(".pages", "2 из 2")).await;
        browser.until(&shown(50)).await;
    })
    .await;
}

/// The demonstration's dispatcher opens it from the phone, and by the link that the program prints. Its pictures are in
/// `tests/pictures`.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_demonstration_it_shows_the_world_of_the_phones() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut demo = Demo::start(None).await.expect("the demonstration");
    demo.race(Some(SHOWN)).await.expect("three races");
    let phones = demo.page(TcpListener::bind("127.0.0.1:0").await.expect("a port")).await.expect("the page");
    let printed = demo.dispatcher_page().await.expect("a link");
    let narrow = demo.dispatcher_page().await.expect("a link");
    let many = "document.querySelectorAll('.row').length > 8";
    Browser::visit(&printed, (1400, 860), async |browser| {
        browser.until(many).await;
        browser.click(".row:nth-child(2)").await;
        browser.until(&there("#card .offers")).await;
        browser.picture(&folder.join("app-light.png")).await;
        browser.prefer("dark").await;
        browser.picture(&folder.join("app-dark.png")).await;
    })
    .await;
    Browser::visit(&narrow, (390, 844), async |browser| {
        browser.until(many).await;
        browser.picture(&folder.join("app-narrow.png")).await;
    })
    .await;
    Browser::visit(phones.url(), WIDE, async |browser| {
        let link = "[data-person='5901'] .beside a";
        browser.until(&there(link)).await;
        browser.value(&format!("void (location = document.querySelector(\"{link}\").href)")).await;
        browser.until(many).await;
        assert_eq!(browser.value("location.hash").await, "");
    })
    .await;
}

/// Whatever stands in the way of somebody who cannot see, or uses no mouse, as axe-core finds it.
#[tokio::test]
async fn nothing_stands_in_the_way_of_who_cannot_see_it() {
    let Some(axe) = std::env::var_os("AXE_CORE") else {
        let said =
            "NOT RUN: accessibility; say in AXE_CORE where axe.min.js is: npm pack axe-core, tar xzf axe-core-*.tgz";
        writeln!(std::io::stderr(), "{said}").expect("standard error");
        return;
    };
    let axe = std::fs::read_to_string(axe).expect("axe-core");
    let t = Dispatch::start().await;
    t.add_staff_as(OLGA, "ADMIN", &[]).await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;
    // What is moderate is what is good practice; of it, that every page has a heading.
    let serious = "axe.run().then(({violations}) => violations
                       .filter(({id, impact}) => impact === 'serious' || impact === 'critical' || id === 'page-has-heading-one')
                       .map(({id, nodes}) => id + ': ' + nodes.map(({target}) => target).join(' ')))";
    for (width, scheme) in [(360, "light"), (1400, "dark"), (1400, "light")] {
        Browser::visit(&t.page_link(OLGA).await, (width, 800), async |browser| {
            browser.prefer(scheme).await;
            browser.click(&row(order)).await;
            browser.until(&there("#card [data-action='COMMENT']")).await;
            browser.run(&axe).await;
            for view in ["now", "new", "masters", "figures", "load", "policy"] {
                browser.value(&format!("document.querySelector('nav [data-view={view}]').click()")).await;
                browser.until("document.querySelector('[aria-busy]') === null").await;
                assert_eq!(browser.value(serious).await, serde_json::json!([]), "{view} at {width}, {scheme}");
                // In front of the others on a narrow screen.
                browser.value("void document.querySelector('#card [data-key=close]')?.click()").await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn the_bot_leads_to_it_inside_telegram_and_in_any_browser() {
    let t = Dispatch::start_with(Settings { leads_to_page: true, ..Settings::default() }).await;
    let chat = t.add_staff(OLGA).await;
    let order = t.order().offered_to([ANNA]).await;
    let page = format!("{}/app", t.url);
    chat.say("/start").await;
    let inside = chat.open_page(&page).expect("the button beside the field");
    chat.press("Страница").await;
    let buttons = chat.buttons();
    assert_eq!(buttons[0].web_app.as_deref(), Some(page.as_str()));
    let outside = buttons[1].url.clone().expect("a link");
    for address in [&inside, &outside] {
        Browser::visit(address, WIDE, async |browser| {
            browser.until(&there(&row(order))).await;
            assert_eq!(browser.value("location.hash").await, "", "the proof is not left in the address");
        })
        .await;
    }
    // The link was good once; what Telegram says is good for some minutes.
    Browser::visit(&outside, WIDE, async |browser| browser.until(&says("main", "Ссылка не подошла")).await).await;
    chat.press("Меню").await;
    assert!(chat.screen().contains("Диспетчер"), "{}", chat.screen());
}

#[tokio::test]
async fn it_fits_whatever_the_screen_and_loads_nothing_from_elsewhere() {
    let t = Dispatch::start().await;
    t.add_staff_as(OLGA, "ADMIN", &[]).await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    for (width, scheme) in [(360, "light"), (800, "dark"), (1400, "light"), (1400, "dark"), (2560, "light")] {
        Browser::visit(&t.page_link(OLGA).await, (width, 800), async |browser| {
            browser.prefer(scheme).await;
            browser.click(&row(order)).await;
            browser.until(&there("#card [data-action='ASSIGN']")).await;
            for view in ["now", "new", "masters", "figures", "load", "policy"] {
                browser.value(&format!("document.querySelector('nav [data-view={view}]').click()")).await;
                browser.until("document.querySelector('[aria-busy]') === null").await;
                let wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
                assert_eq!(browser.value(wide).await, false, "{view} at {width}");
                if view == "figures" && width == 360 {
                    browser.until(&there(".numbers td")).await;
                    let cut = "[...document.querySelectorAll('.numbers, .numbers caption, .numbers th, .numbers td')] \
                               .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1).length";
                    assert_eq!(browser.value(cut).await, 0, "nothing is cut");
                    let named = "getComputedStyle(document.querySelector('.numbers td'), '::before').content.length > 3";
                    assert_eq!(browser.value(named).await, true, "its column's name stands before it");
                }
                if let Ok(folder) = std::env::var("PICTURES") {
                    browser.picture(&std::path::Path::new(&folder).join(format!("app-{view}-{width}-{scheme}.png"))).await;
                    if view == "now" {
                        browser.value("document.querySelector('#card [data-key=close]').click()").await;
                        let file = format!("app-board-{width}-{scheme}.png");
                        browser.picture(&std::path::Path::new(&folder).join(file)).await;
                    }
                }
            }
            let hosts = "[...new Set(performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin))].join()";
            assert_eq!(browser.value(hosts).await, t.url);
        })
        .await;
    }
    let page = t.holding("").get("/app").await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'; script-src 'self';"), "{policy}");
    let file = page.text.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a script");
    assert!(t.holding("").get(&format!("/{file}")).await.header("cache-control").contains("immutable"));
    assert_eq!(t.holding("").get("/prod/app").await.status, 200, "the path counts from its end");
    assert_eq!(t.holding("").get("/app/older/main.js").await.status, 404);
}
