//! Masters and figures over the API.

use field_service::model::access::TokenScope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::program::{Answer, Program};
use crate::harness::{ANNA, BORIS, Dispatch};

async fn change(program: &Program, id: i64, tag: &str, changes: Value) -> Answer {
    let headers: &[(&str, &str)] = if tag.is_empty() { &[] } else { &[("If-Match", tag)] };
    program.ask(Method::PATCH, &format!("/api/masters/{id}"), headers, Some(&changes)).await
}

#[tokio::test]
async fn masters_are_listed_page_by_page_by_what_is_known_of_them() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Read, &[]).await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id <> $1", &[&BORIS]).await;
    let order = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;
    let ids = async |query: &str| -> Vec<i64> {
        let listed = program.get(&format!("/api/masters{query}")).await.json();
        let masters = listed["masters"].as_array().unwrap_or_else(|| panic!("{listed}"));
        masters.iter().map(|master| master["id"].as_i64().expect("a number")).collect()
    };
    assert_eq!(ids("").await, [1, 2, 3]);
    let first = program.get("/api/masters?limit=2").await;
    assert_eq!(first.header("link"), "</api/masters?after=2&limit=2>; rel=\"next\"");
    assert_eq!(ids("?after=2&limit=2").await, [3]);
    assert_eq!(program.get("/api/masters?after=2&limit=1").await.header("link"), "");
    assert_eq!(ids("?state=OFF_SHIFT").await, [2]);
    assert_eq!(ids("?state=ON_SHIFT").await, [1, 3]);
    assert_eq!(ids("?category=PLUMBING&city=1").await, [1, 2, 3]);
    assert_eq!(ids("?category=ROADSIDE").await, Vec::<i64>::new());
    assert_eq!(ids("?city=2").await, Vec::<i64>::new());
    for bad in ["state=x", "category=x", "limit=101", "city=x"] {
        assert_eq!(program.get(&format!("/api/masters?{bad}")).await.problem(), "malformed", "{bad}");
    }
    let anna = program.get("/api/masters/1").await.json();
    assert_eq!((&anna["full_name"], &anna["state"]), (&json!("Анна"), &json!("ON_SHIFT")));
    assert_eq!((&anna["active_orders"], &anna["limit"], &anna["own_limit"]), (&json!(1), &json!(5), &Value::Null));
    assert_eq!(anna["categories"], json!(["ELECTRICS", "PLUMBING", "WINDOWS"]));
    assert_eq!(program.get("/api/masters/77").await.problem(), "not-found");
}

#[tokio::test]
async fn a_master_is_changed_as_seen_all_of_it_or_nothing_and_is_told() {
    let t = Dispatch::with_standing_clock(0).await;
    t.chat(ANNA).open();
    t.execute("INSERT INTO districts (city_id, name) VALUES (1, 'Центр'), (1, 'Уралмаш')", &[]).await;
    let program = t.program(TokenScope::All, &[]).await;
    let tag = program.get("/api/masters/1").await.header("etag").to_owned();
    assert_eq!(change(&program, 1, "", json!({"on_shift": false})).await.problem(), "match-missing");
    let orders_only = t.program(TokenScope::Orders, &[]).await;
    assert_eq!(change(&orders_only, 1, "*", json!({"on_shift": false})).await.problem(), "forbidden");

    let changes =
        json!({"on_shift": false, "own_limit": 3, "categories": ["PLUMBING", "ROADSIDE"], "district_ids": [2]});
    let done = change(&program, 1, &tag, changes.clone()).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let anna = done.json();
    assert_eq!(
        (&anna["on_shift"], &anna["own_limit"], &anna["state"]),
        (&json!(false), &json!(3), &json!("OFF_SHIFT"))
    );
    assert_eq!(anna["categories"], json!(["PLUMBING", "ROADSIDE"]));
    assert_eq!(anna["districts"], json!([{"id": 2, "name": "Уралмаш"}]));
    assert_ne!(done.header("etag"), tag);
    let by: Vec<String> = t
        .one(
            "SELECT array_agg(DISTINCT staff.full_name) FROM master_changes JOIN staff ON staff.id = changed_by_staff_id",
            &[],
        )
        .await;
    assert_eq!(by, ["Сайт"], "who changed it is known");

    // What somebody else has changed since it was seen is not changed back.
    let stale = change(&program, 1, &tag, json!({"on_shift": true})).await;
    assert_eq!((stale.status, stale.problem().as_str()), (412, "stale"));
    assert_eq!(stale.json()["current"]["on_shift"], false);
    assert_eq!(change(&program, 1, "\"x\"", json!({"on_shift": true})).await.problem(), "stale");
    for untouched in ["\"x\"", "W/0", "\"99999\""] {
        assert_eq!(change(&program, 3, untouched, json!({"on_shift": false})).await.problem(), "stale", "{untouched}");
    }

    let before = t.everything().await;
    for (bad, pointer) in [
        (json!({"on_shift": true, "own_limit": 0}), "/own_limit"),
        (json!({"on_shift": true, "own_limit": 100}), "/own_limit"),
        (json!({"on_shift": true, "categories": ["PLUMBING", "MAGIC"]}), "/categories/1"),
        (json!({"on_shift": true, "district_ids": [77]}), "/district_ids"),
        (json!({"on_shift": true, "blocked_reason": " "}), "/blocked_reason"),
        (json!({"full_name": "x"}), "/full_name"),
        (json!({}), ""),
    ] {
        let refused = change(&program, 1, "*", bad.clone()).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec![pointer.to_owned()]), "{bad}: {}", refused.text);
    }
    assert_eq!(t.everything().await, before, "nothing is half-done");

    let blocked = change(&program, 1, "*", json!({"blocked_reason": "Долг за запчасти"})).await.json();
    assert_eq!((&blocked["state"], &blocked["blocked_reason"]), (&json!("BLOCKED"), &json!("Долг за запчасти")));
    t.tell().await;
    assert!(t.chat(ANNA).messages().iter().any(|message| message.text.contains("Долг за запчасти")));
    let again = change(&program, 1, "*", json!({"blocked_reason": "Нет допуска"})).await.json();
    assert_eq!((&again["state"], &again["blocked_reason"]), (&json!("BLOCKED"), &json!("Нет допуска")));
    let unblocked = change(&program, 1, "*", json!({"blocked_reason": null, "own_limit": null})).await.json();
    assert_eq!((&unblocked["blocked_reason"], &unblocked["own_limit"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn figures_count_what_happened() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Read, &[]).await;
    let (taken, _left) = (t.order().offered_to([ANNA, BORIS]).await, t.order().offered_to([ANNA]).await);
    t.tap_accept(ANNA, taken).await;
    t.tap_accept(BORIS, taken).await;
    let read = program.get("/api/figures?days=7&city=1").await;
    let figures = read.json();
    assert_eq!(read.status, 200, "{figures}");
    assert_eq!((&figures["orders"]["total"], &figures["found"]["rounds"]), (&json!(2), &json!([1, 0, 0])));
    assert_eq!(figures["lost_taps"]["taps"], 1);
    let sum = |of: &serde_json::Value, number: fn(&serde_json::Value) -> i64| {
        of.as_array().expect("a list").iter().map(number).sum::<i64>()
    };
    let hours = &figures["hours"];
    assert_eq!((hours.as_array().map(Vec::len), sum(hours, |hour| hour.as_i64().expect("a number"))), (Some(24), 2));
    assert_eq!(figures["waits"][0], json!({"below_seconds": 15, "orders": 1}));
    assert_eq!(figures["waits"][6], json!({"below_seconds": null, "orders": 0}));
    assert_eq!(figures["masters"][0]["name"], "Анна");
    assert_eq!((&figures["masters"][0]["asked"], &figures["masters"][0]["took"]), (&json!(2), &json!(1)));
    for bad in ["days=2", "days=x"] {
        assert_eq!(program.get(&format!("/api/figures?{bad}")).await.problem(), "malformed");
    }
    assert_eq!(program.get("/api/figures?city=77").await.problem(), "forbidden");
}
