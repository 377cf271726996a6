//! The board: what needs somebody first; and nothing is sent again that has not changed.

use field_service::model::access::TokenScope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::program::{Answer, Program};
use crate::harness::{ANNA, BORIS, Dispatch, Settings, database_name, proxied_database};

async fn look(program: &Program, query: &str, tag: &str) -> Answer {
    program.ask(Method::GET, &format!("/api/board{query}"), &[("If-None-Match", tag)], None).await
}

fn numbers(board: &Value) -> Vec<i64> {
    let orders = board["orders"].as_array().unwrap_or_else(|| panic!("{board}"));
    orders.iter().map(|order| order["id"].as_i64().expect("a number")).collect()
}

#[tokio::test]
async fn what_needs_somebody_stands_first_and_can_be_narrowed_to() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Read, &[]).await;
    let (calm, escalated, taken) = (
        t.order().offered_to([ANNA]).await.0,
        t.order().offered_to([ANNA]).await.0,
        t.order().offered_to([ANNA, BORIS]).await,
    );
    t.execute("UPDATE orders SET escalated_at = now(), escalation_reason = 'ROUNDS' WHERE id = $1", &[&escalated])
        .await;
    t.tap_accept(BORIS, taken).await;
    let board = look(&program, "", "").await.json();
    assert_eq!(numbers(&board), [escalated, calm, taken.0]);
    assert_eq!((&board["total"], &board["page"]), (&json!(3), &json!(1)));
    let line = &board["orders"][0];
    assert_eq!(line["troubles"][0]["kind"], "ESCALATED");
    assert!(line["troubles"][0]["since"].is_string());
    assert_eq!((&line["offered"], &line["seen"], &line["status"]), (&json!(1), &json!(0), &json!("SEARCHING")));
    assert_eq!(board["orders"][2]["master"]["name"], "Борис");
    let count =
        |state: &str| board["counts"].as_array().expect("counts").iter().find(|count| count["state"] == state).cloned();
    assert_eq!(count("URGENT").expect("a count")["orders"], 1);
    assert_eq!(count("SEARCHING").expect("a count")["orders"], 2);

    assert_eq!(numbers(&look(&program, "?state=URGENT", "").await.json()), [escalated]);
    assert_eq!(numbers(&look(&program, "?state=ASSIGNED&master=2", "").await.json()), [taken.0]);
    assert_eq!(numbers(&look(&program, "?master=1", "").await.json()), Vec::<i64>::new());
    assert_eq!(numbers(&look(&program, "?category=ROADSIDE", "").await.json()), Vec::<i64>::new());
    assert_eq!(numbers(&look(&program, "?limit=2&page=2", "").await.json()), [taken.0]);
    assert_eq!(numbers(&look(&program, "?limit=2&page=9", "").await.json()), [taken.0], "the last page");
    for none in ["?city=2", "?city=99", "?master=77"] {
        assert_eq!(numbers(&look(&program, none, "").await.json()), Vec::<i64>::new(), "{none}");
    }
    for bad in
        ["page=0", "day=-005000-01-01", "state=x", "category=x", "limit=0", "limit=101", "day=yesterday", "city=x"]
    {
        assert_eq!(look(&program, &format!("?{bad}"), "").await.problem(), "malformed", "{bad}");
    }
    assert_eq!(t.holding("").get("/api/board").await.problem(), "unauthorized");
}

#[tokio::test]
async fn nothing_is_sent_again_until_something_has_changed() {
    let t = Dispatch::with_standing_clock(0).await;
    let program = t.program(TokenScope::Read, &[]).await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let mut tag = String::new();
    let mut changed = async |what: &str| {
        let fresh = look(&program, "", &tag).await;
        assert_eq!(fresh.status, 200, "{what}");
        tag = fresh.header("etag").to_owned();
        let again = look(&program, "", &tag).await;
        assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag.as_str()), "{what}");
    };
    changed("at first").await;
    t.chat(ANNA).tap(&format!("m:new:card:{order}")).await;
    changed("an offer was seen").await;
    t.tap_accept(ANNA, order).await;
    changed("it was taken").await;
    t.execute("UPDATE orders SET comment = 'Позвонить'", &[]).await;
    changed("it says something else").await;
    t.execute("UPDATE masters SET unreachable_since = now() WHERE telegram_user_id = $1", &[&ANNA]).await;
    changed("its master cannot be reached").await;
    t.execute("UPDATE orders SET status = 'CANCELED', version = version + 1, updated_at = $1", &[&t.clock.now()]).await;
    changed("it is over").await;
    t.order().offered_to([ANNA]).await;
    changed("another was made").await;
    t.let_pass(60);
    changed("time has passed").await;
    // A proxy that compresses makes it weak.
    let whole = look(&program, "", "").await.header("etag").to_owned();
    assert_eq!(look(&program, "", &format!("\"x\", W/{whole}")).await.status, 304);
    // Another page is another one.
    let (whole, narrowed) = (look(&program, "", "").await, look(&program, "?state=URGENT", "").await);
    assert_ne!(whole.header("etag"), narrowed.header("etag"));
    assert_eq!(look(&program, "?state=URGENT", whole.header("etag")).await.status, 200);
}

#[tokio::test]
async fn that_nothing_has_changed_is_found_out_in_one_round_trip() {
    let (database_url, proxy) = proxied_database().await;
    let through_proxy = proxy.database_url(database_name(&database_url));
    let clock = field_service::store::Clock::standing_at(jiff::Timestamp::now());
    let settings = Settings { connections: 1, database_url: Some(through_proxy), clock, ..Settings::default() };
    let t = Dispatch::start_on(database_url, settings).await;
    let program = t.program(TokenScope::Read, &[]).await;
    let tag = look(&program, "", "").await.header("etag").to_owned();
    assert_eq!(look(&program, "", &tag).await.status, 304);
    let before = proxy.round_trips();
    assert_eq!(look(&program, "", &tag).await.status, 304);
    assert_eq!(proxy.round_trips() - before, 1);
}
