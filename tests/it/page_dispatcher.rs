//! The dispatcher's phone on the page, from an order to the figures, as a person plays it in a browser.

use serde_json::json;

use crate::harness::browser::Browser;
use crate::harness::{ANNA, Dispatch};

const WIDE: (u32, u32) = (1440, 900);
const OLGA: i64 = 501;

fn phone(person: i64) -> String {
    format!(".phone[data-person='{person}']")
}

/// A button under the last message of a phone whose data begins like this.
fn button(person: i64, data: &str) -> String {
    format!("{} .bubble:last-child [data-callback^='{data}']", phone(person))
}

/// What the last message of the bot says on a phone.
fn screen(person: i64) -> String {
    format!("([...document.querySelectorAll(\"{} .bubble.in .text\")].at(-1)?.innerText ?? '')", phone(person))
}

/// Taps a button once it is there, whatever stands over the chat.
async fn tap(browser: &Browser, person: i64, data: &str) {
    let found = format!("document.querySelector(\"{}\")", button(person, data));
    browser.until(&format!("{found} !== null")).await;
    browser.value(&format!("{found}.click()")).await;
}

/// Writes something and sends it.
async fn say(browser: &Browser, person: i64, text: &str) {
    browser.fill(&format!("{} .composer input", phone(person)), text).await;
    browser.value(&format!("document.querySelector(\"{} .composer .send\").click()", phone(person))).await;
}

/// Point 9 of what the demonstration has to tell: taken in by paste, seen going out, taken, finished, and counted.
#[tokio::test]
async fn an_order_is_pasted_goes_out_is_taken_and_finished_and_stands_in_the_figures() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let page = t.page().await;
    let visited = Browser::visit(page.url(), WIDE, async |browser| {
        for (person, greeting) in [(OLGA, "Вы — диспетчер"), (ANNA, "Здравствуйте")] {
            browser.click(&format!("{} .composer button.quiet", phone(person))).await;
            browser.until(&format!("{}.includes('{greeting}')", screen(person))).await;
        }
        say(browser, OLGA, "Иванова 12-45, 8 912 345 67 89, искрит розетка, завтра после обеда, Мария").await;
        browser.until(&format!("{}.includes('Проверьте новую заявку')", screen(OLGA))).await;
        tap(browser, OLGA, "adm:new:ok").await;
        browser.until(&format!("{}.includes('Новая заявка №')", screen(ANNA))).await;
        tap(browser, ANNA, "m:new:acc").await;
        browser
            .until(&format!("document.querySelector(\"{} .alert\")?.innerText.includes('принята')", phone(ANNA)))
            .await;
        let order: i64 = t.one("SELECT max(id) FROM orders", &[]).await;
        tap(browser, ANNA, &format!("m:act:card:{order}")).await;
        for step in ["enr", "wrk", "cls", "cls_yes"] {
            let data = format!("m:act:{step}:{order}");
            browser.until(&format!("document.querySelector(\"{}\") !== null", button(ANNA, &data))).await;
            // The step before has been taken by now.
            t.pause().await;
            tap(browser, ANNA, &data).await;
        }
        browser.until(&format!("{}.includes('сколько заплатил')", screen(ANNA))).await;
        browser.value("document.querySelectorAll('.alert button').forEach(ok => ok.click())").await;
        say(browser, ANNA, "2500").await;
        tap(browser, ANNA, &format!("m:act:sum:{order}")).await;
        browser.until(&format!("{}.includes('закрыта')", screen(ANNA))).await;

        browser.click(&format!("{} .composer button.quiet", phone(OLGA))).await;
        tap(browser, OLGA, "adm:fig").await;
        browser.until(&format!("{}.includes('Поступило: 1 заявка')", screen(OLGA))).await;
        let figures = browser.value(&screen(OLGA)).await.to_string();
        assert!(figures.contains("1 заявка на 2\u{a0}500\u{a0}₽"), "{figures}");
        // What belongs together stands at the two ends of a line, and no line is wider than the phone.
        let block = format!("document.querySelector(\"{} .bubble:last-child pre\")", phone(OLGA));
        assert_eq!(browser.value(&format!("{block}.scrollWidth <= {block}.clientWidth")).await, json!(true));
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
    if visited {
        assert_eq!(t.one::<String>("SELECT status FROM orders", &[]).await, "CLOSED");
    }
    t.check().await;
}
