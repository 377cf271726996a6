//! The page, as a person sees it in a browser, and as somebody else's page would like to use it.

use std::path::Path;

use crate::harness::browser::Browser;
use crate::harness::{ANNA, BORIS, Dispatch};

const WIDE: (u32, u32) = (1440, 900);

/// A phone on the page.
fn phone(person: i64) -> String {
    format!(".phone[data-person='{person}']")
}

/// What the last message on a phone says.
fn screen(person: i64) -> String {
    format!("[...document.querySelectorAll(\"{} .bubble.in .text\")].at(-1)?.innerText ?? ''", phone(person))
}

#[tokio::test]
async fn of_two_phones_that_take_one_order_at_once_one_gets_it() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let page = t.page().await;
    Browser::visit(page.url(), WIDE, async |browser| {
        for person in [ANNA, BORIS] {
            browser.click(&format!("{} .composer button.quiet", phone(person))).await;
            browser.click(&format!("{} [data-callback='m:new:1']", phone(person))).await;
            browser.click(&format!("{} [data-callback='m:new:card:{order}:1']", phone(person))).await;
            browser.until(&format!("({}).includes('Заявка №{order}')", screen(person))).await;
        }
        let take = |person| format!("document.querySelector(\"{} [data-callback='m:new:acc:{order}:1']\").click()", phone(person));
        browser.value(&format!("({}, {})", take(ANNA), take(BORIS))).await;

        browser.until("document.querySelectorAll('.alert').length === 2").await;
        let alerts = browser.value("[...document.querySelectorAll('.alert p')].map(p => p.textContent).sort()").await;
        assert_eq!(alerts, serde_json::json!(["Уже занято", "✅ Заявка принята. Удачи в работе!"]));
        for person in [ANNA, BORIS] {
            let buttons = format!("[...document.querySelectorAll(\"{} [data-callback]\")].some(b => b.dataset.callback.startsWith('m:new:acc'))", phone(person));
            browser.until(&format!("!({buttons})")).await;
            browser.until(&format!("({}).includes('новых заявок нет')", screen(person))).await;
        }
        browser.until("document.querySelector('#orders .order').innerText.includes('ASSIGNED')").await;
        assert_eq!(browser.console().await, Vec::<String>::new());
        browser.picture(Path::new("/tmp/page.png")).await;
    })
    .await;
    t.check().await;
}
