//! The new order that somebody is writing: one for each person, on the page and in the bot, and an order is made of it once.

use field_service::dispatch::session::{self, Proof, SessionOutcome};
use field_service::model::access::TokenScope;
use field_service::model::{StaffRef, TelegramUserId};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::program::{Answer, Program};
use crate::harness::{ANNA, BORIS, Dispatch};

const OLGA: i64 = 501;

impl Dispatch {
    /// The page of somebody of the staff.
    async fn session_of(&self, user: i64) -> Program {
        let staff = Proof::Person(StaffRef::Telegram(TelegramUserId(user)));
        let begun = session::begin(&self.app.store, Some(&staff)).await.expect("a database");
        let SessionOutcome::Begun(begun) = begun else { panic!("{begun:?}") };
        self.holding(&begun.token.text())
    }
}

async fn change(page: &Program, seen: &str, changes: &Value) -> Answer {
    page.ask(Method::PATCH, "/api/draft", &[("If-Match", seen)], Some(changes)).await
}

async fn make(page: &Program, seen: &str) -> Answer {
    page.post("/api/draft/order", &[("If-Match", seen)], &json!({})).await
}

#[tokio::test]
async fn it_is_kept_as_it_is_written_and_an_order_is_made_of_it_once() {
    let t = Dispatch::start().await;
    t.chat(ANNA).open();
    t.add_staff(OLGA).await;
    let page = t.session_of(OLGA).await;
    let none = page.get("/api/draft").await;
    assert_eq!(
        (none.header("etag"), &none.json()["missing"]),
        ("\"0.0\"", &json!(["category", "address", "client_phone"]))
    );
    assert_eq!(none.json()["city_id"], 1, "there is one city");
    let begun = change(&page, "\"0.0\"", &json!({"category": "PLUMBING", "address": "ул. Мира, 7"})).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    assert_eq!(begun.json()["supply"]["suitable"], 3);
    let early = make(&page, begun.header("etag")).await;
    assert_eq!((early.status, early.pointers()), (422, vec!["/client_phone".to_owned()]));
    let whole =
        change(&page, begun.header("etag"), &json!({"client_phone": "8 912 345 67 89", "description": "Течёт"})).await;
    assert_eq!((&whole.json()["client_phone"], &whole.json()["missing"]), (&json!("+79123456789"), &json!([])));
    // Nothing of it is asked for in the bot.
    assert_eq!(t.one::<i64>("SELECT count(*) FROM staff_dialogs", &[]).await, 0);

    let tag = whole.header("etag").to_owned();
    let made = join_all((0..6).map(|_| make(&page, &tag))).await;
    assert!(made.iter().all(|answer| answer.status == 201 && answer.text == made[0].text), "{made:?}");
    assert_eq!(made.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count(), 1);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 1);
    let card = t.chat(ANNA).messages().pop().expect("an offer, sent before the answer").text;
    assert!(card.contains("Мира"), "{card}");
    assert_eq!(page.get("/api/draft").await.header("etag"), "\"0.0\"", "the next one is another");
    // The next order of this client.
    let again = change(&page, "\"0.0\"", &json!({"client_phone": "+79123456789"})).await;
    assert_eq!(again.json()["twins"], json!([{"id": made[0].json()["id"], "status": "SEARCHING"}]));
    t.check().await;
}

#[tokio::test]
async fn words_fill_it_and_say_what_they_were_taken_for() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let page = t.session_of(OLGA).await;
    let message = "Малышева 84, 8 912 345 67 89, не греет бойлер, завтра после обеда";
    let filled = change(&page, "\"0.0\"", &json!({ "message": message })).await.json();
    assert_eq!(filled["client_phone"], "+79123456789");
    assert_eq!(filled["category"], "APPLIANCES");
    assert!(filled["slot"]["start"].as_str().is_some_and(|start| start.len() == 19), "{filled}");
    assert_eq!(filled["message"], message);
    let fields: Vec<&str> =
        filled["took"].as_array().expect("a list").iter().filter_map(|took| took["field"].as_str()).collect();
    assert!(fields.contains(&"address") && fields.contains(&"slot"), "{fields:?}");
}

#[tokio::test]
async fn the_bot_and_the_page_write_the_same_one_and_neither_loses_what_the_other_wrote() {
    let t = Dispatch::start().await;
    let chat = t.add_staff(OLGA).await;
    chat.open();
    let page = t.session_of(OLGA).await;
    let begun = change(&page, "\"0.0\"", &json!({"category": "PLUMBING", "address": "ул. Мира, 7"})).await;
    let seen = begun.header("etag").to_owned();
    chat.say("/new").await;
    let shown = chat.messages().pop().expect("the draft").text;
    assert!(shown.contains("Мира"), "{shown}");
    // The bot asks for what is missing, and is answered.
    chat.say("89123456789").await;
    let late = change(&page, &seen, &json!({"address": "ул. Малышева, 84"})).await;
    assert_eq!((late.status, late.problem().as_str()), (412, "stale"));
    assert_eq!(late.json()["current"]["client_phone"], "+79123456789");
    assert_eq!(late.json()["current"]["address"], "ул. Мира, 7");
    for stale in [make(&page, &seen).await, page.ask(Method::DELETE, "/api/draft", &[("If-Match", &seen)], None).await]
    {
        assert_eq!(stale.problem(), "stale");
    }
    let now = late.header("etag").to_owned();
    let emptied = change(&page, &now, &json!({"client_phone": null})).await;
    assert_eq!(emptied.json()["missing"], json!(["client_phone"]));
    let dropped = page.ask(Method::DELETE, "/api/draft", &[("If-Match", emptied.header("etag"))], None).await;
    assert_eq!(dropped.status, 204);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM order_drafts", &[]).await, 0);
}

#[tokio::test]
async fn what_cannot_be_is_said_at_its_field_and_nothing_is_entered() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Томск', 'Asia/Tomsk')", &[]).await;
    t.execute("INSERT INTO districts (city_id, name) VALUES (2, 'Ленинский')", &[]).await;
    let page = t.session_of(OLGA).await;
    let begun = change(&page, "\"0.0\"", &json!({"city_id": 1})).await;
    let tag = begun.header("etag").to_owned();
    let past = json!({"start": "2001-01-01T10:00:00", "end": "2001-01-01T12:00:00"});
    for (changes, pointers) in [
        (json!({"category": "MAGIC", "client_phone": "912"}), vec!["/category", "/client_phone"]),
        (json!({"city_id": 9}), vec!["/city_id"]),
        (json!({"district_id": 1}), vec!["/district_id"]),
        (json!({"address": "a".repeat(301)}), vec!["/address"]),
        (json!({"slot": past}), vec!["/slot/end"]),
        (json!({"slot": {"start": "2026-12-01T10:00:00", "end": "2026-12-01T09:00:00"}}), vec!["/slot/end"]),
        (json!({"slot": {"start": "tomorrow", "end": "2026-12-01T09:00:00"}}), vec!["/slot/start"]),
        (json!({"preferred_master_id": 99, "description": "x"}), vec!["/preferred_master_id"]),
        (json!({"message": "  "}), vec!["/message"]),
        (json!({"sum": 1}), vec!["/sum"]),
        (json!({}), vec![""]),
    ] {
        let refused = change(&page, &tag, &changes).await;
        assert_eq!(
            (refused.status, refused.pointers()),
            (422, pointers.iter().map(ToString::to_string).collect()),
            "{changes}"
        );
    }
    assert_eq!(page.get("/api/draft").await.header("etag"), tag, "nothing was entered");
    assert_eq!(page.ask(Method::PATCH, "/api/draft", &[], Some(&json!({"city_id": 1}))).await.status, 428);
    for odd in ["\"1\"", "\"x.y\"", "W/1.1", "\"\""] {
        assert_eq!(change(&page, odd, &json!({"city_id": 1})).await.status, 412, "{odd}");
    }
    // Another city's district and master are not this one's.
    let of_city = change(&page, &tag, &json!({"preferred_master_id": 1})).await;
    let moved = change(&page, of_city.header("etag"), &json!({"city_id": 2, "district_id": 1})).await.json();
    assert_eq!((&moved["preferred_master_id"], &moved["district_id"]), (&Value::Null, &json!(1)));
}

#[tokio::test]
async fn a_closed_order_is_repeated_for_free_by_its_master_unless_another_draft_is_open() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let order = t.order().in_status("CLOSED").of_master(BORIS).create().await;
    let open = t.order().create().await;
    let page = t.session_of(OLGA).await;
    let refused = page.post("/api/draft", &[], &json!({"guarantee_of": open.0})).await;
    assert_eq!(refused.problem(), "not-now");
    for _ in 0..2 {
        let begun = page.post("/api/draft", &[], &json!({"guarantee_of": order.0})).await;
        assert_eq!((begun.status, &begun.json()["guarantee_of"]), (201, &json!(order.0)), "{}", begun.text);
        assert_eq!(begun.json()["preferred_master_id"], 2);
    }
    let other = t.order().in_status("CLOSED").of_master(ANNA).create().await;
    assert_eq!(page.post("/api/draft", &[], &json!({"guarantee_of": other.0})).await.problem(), "not-now");
    let seen = page.get("/api/draft").await.header("etag").to_owned();
    let made = make(&page, &seen).await;
    let order = page.get(made.header("location")).await.json();
    assert_eq!((&order["is_free"], &order["preferred_master_id"]), (&json!(true), &json!(2)), "{order}");
}

#[tokio::test]
async fn who_may_make_no_orders_writes_none() {
    let t = Dispatch::start().await;
    t.add_staff_as(OLGA, "VIEWER", &[]).await;
    let viewer = t.session_of(OLGA).await;
    let reader = t.program(TokenScope::Read, &[]).await;
    for program in [&viewer, &reader] {
        for answer in [
            program.get("/api/draft").await,
            change(program, "\"0.0\"", &json!({"city_id": 1})).await,
            make(program, "\"1.1\"").await,
            program.post("/api/draft", &[], &json!({"guarantee_of": 1})).await,
        ] {
            assert_eq!(answer.status, 403, "{answer:?}");
        }
    }
    // A draft is whoever's it is.
    t.add_staff(502).await;
    t.add_staff(503).await;
    let (one, other) = (t.session_of(502).await, t.session_of(503).await);
    let begun = change(&one, "\"0.0\"", &json!({"address": "ул. Мира, 7"})).await;
    let tag = begun.header("etag").to_owned();
    assert_eq!(change(&other, &tag, &json!({"address": "x"})).await.json()["current"]["address"], Value::Null);
    assert_eq!(make(&other, &tag).await.problem(), "stale");
    assert_eq!(one.get("/api/draft").await.json()["address"], "ул. Мира, 7");
}
