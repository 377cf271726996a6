//! The database's answer to a COMMIT is lost: what was done is said to be done, and is done once.

use std::time::Duration;

use field_service::dispatch::session;
use field_service::model::access::TokenScope;
use field_service::model::{OrderId, StaffRef, TelegramUserId};
use field_service::sim::proxy::Proxy;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::program::{Answer, Program};
use crate::harness::{ANNA, BORIS, Dispatch, Settings, database_name, proxied_database};

/// A system whose connections can be hung up, in which the next transaction that writes to `table` commits slowly.
async fn with_a_slow_commit(table: &str) -> (Dispatch, Proxy) {
    let (database_url, proxy) = proxied_database().await;
    let through_proxy = proxy.database_url(database_name(&database_url));
    let settings = Settings { database_url: Some(through_proxy), ..Settings::default() };
    let t = Dispatch::start_on(database_url, settings).await;
    t.sql
        .batch_execute(&format!(
            "CREATE SEQUENCE slow_commits;
             CREATE FUNCTION commit_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF current_setting('application_name') = 'field-service' AND nextval('slow_commits') = 1 THEN
                     PERFORM pg_sleep(0.5);
                 END IF;
                 RETURN NULL;
             END $$;
             CREATE CONSTRAINT TRIGGER commit_slowly AFTER INSERT OR UPDATE ON {table}
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION commit_slowly();"
        ))
        .await
        .expect("a trigger");
    (t, proxy)
}

/// What is answered although every connection hung up while the first COMMIT was under way.
async fn answered_after_a_loss(t: &Dispatch, proxy: &Proxy, asks: impl Future<Output = Answer>) -> Answer {
    let hang_up = async {
        while !t.one::<bool>("SELECT is_called FROM slow_commits", &[]).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.hang_up();
    };
    tokio::join!(asks, hang_up).0
}

/// An order in that status, given to Anna if it is anybody's.
async fn order(t: &Dispatch, status: &'static str) -> OrderId {
    let order = t.order().in_status(status);
    if ["CREATED", "DEFERRED"].contains(&status) { order.create().await } else { order.of_master(ANNA).create().await }
}

async fn changes_of(t: &Dispatch, order: OrderId) -> i64 {
    t.one(
        "SELECT (SELECT count(*) FROM order_status_history WHERE order_id = $1 AND changed_by_staff_id IS NOT NULL)
             + (SELECT count(*) FROM order_edits WHERE order_id = $1)",
        &[&order.0],
    )
    .await
}

#[tokio::test]
async fn what_is_done_with_an_order_is_done_once_and_said_to_be_done() {
    let reason = json!({"reason": "Не успевает"});
    let given = json!({"master_id": 2, "anyway": true});
    for (status, method, action, body, becomes) in [
        ("ASSIGNED", Method::POST, "/return", reason.clone(), "SEARCHING"),
        ("ASSIGNED", Method::POST, "/cancel", reason, "CANCELED"),
        ("CREATED", Method::POST, "/assign", given.clone(), "ASSIGNED"),
        ("PAYMENT", Method::POST, "/close", json!({"amount": "100"}), "CLOSED"),
        ("DEFERRED", Method::POST, "/search", json!({}), "SEARCHING"),
        ("CREATED", Method::PATCH, "", json!({"address": "ул. Мира, 7"}), "CREATED"),
    ] {
        let table = if method == Method::PATCH { "order_edits" } else { "order_status_history" };
        let (t, proxy) = with_a_slow_commit(table).await;
        let program = t.program(TokenScope::Orders, &[]).await;
        let order = order(&t, status).await;
        let path = format!("/api/orders/{order}");
        let tag = program.get(&path).await.header("etag").to_owned();
        let asks =
            async || program.ask(method.clone(), &format!("{path}{action}"), &[("If-Match", &tag)], Some(&body)).await;
        let before = changes_of(&t, order).await;
        let answer = answered_after_a_loss(&t, &proxy, asks()).await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!(becomes)), "{action}: {}", answer.text);
        let repeated = t.app.metrics.get("redelivery", "RECOGNISED");
        assert_eq!(repeated, 1, "{action}: the commit whose answer was lost is found");
        // Whoever has lost the answer asks again, having seen what there was.
        let again = asks().await;
        assert_eq!((again.status, &again.json()["status"]), (200, &json!(becomes)), "{action}: {}", again.text);
        assert_eq!(changes_of(&t, order).await - before, 1, "{action}");
        t.check().await;
    }
}

#[tokio::test]
async fn an_order_is_opened_again_once_and_another_reopening_is_another_one() {
    let (t, proxy) = with_a_slow_commit("order_status_history").await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let order = t.order().in_status("CREATED").create().await;
    let path = format!("/api/orders/{order}");
    t.execute("ALTER TABLE order_status_history DISABLE TRIGGER commit_slowly", &[]).await;
    let act = async |action: &str, tag: &str, body: Value| {
        program.post(&format!("{path}/{action}"), &[("If-Match", tag)], &body).await
    };
    let canceled = act("cancel", "*", json!({"reason": "Дубль"})).await;
    let tag = canceled.header("etag");
    t.execute("ALTER TABLE order_status_history ENABLE TRIGGER commit_slowly", &[]).await;
    let opened = answered_after_a_loss(&t, &proxy, act("reopen", tag, json!({}))).await;
    assert_eq!((opened.status, &opened.json()["status"]), (200, &json!("SEARCHING")), "{}", opened.text);
    assert_eq!(act("reopen", tag, json!({})).await.status, 200, "it was that very request that has opened it");
    // What does not say what was seen is another request each time.
    assert_eq!(act("reopen", "*", json!({})).await.problem(), "not-now");
    assert_eq!(act("cancel", "*", json!({"reason": "Дубль"})).await.status, 200);
    assert_eq!(act("reopen", "*", json!({})).await.status, 200);
    t.check().await;
}

#[tokio::test]
async fn what_was_refused_can_be_asked_for_again_as_it_was_seen() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let order = order(&t, "CREATED").await;
    let path = format!("/api/orders/{order}");
    let tag = program.get(&path).await.header("etag").to_owned();
    t.execute("UPDATE masters SET is_blocked = true WHERE telegram_user_id = $1", &[&BORIS]).await;
    let give = async || {
        let to = json!({"master_id": 2, "anyway": true});
        program.post(&format!("{path}/assign"), &[("If-Match", &tag)], &to).await
    };
    assert_eq!(give().await.problem(), "blocked");
    t.execute("UPDATE masters SET is_blocked = false WHERE telegram_user_id = $1", &[&BORIS]).await;
    assert_eq!(give().await.json()["master"]["id"], 2);
}

#[tokio::test]
async fn a_master_is_changed_once_and_said_to_be_so() {
    let (t, proxy) = with_a_slow_commit("master_changes").await;
    let program = t.program(TokenScope::All, &[]).await;
    let tag = program.get("/api/masters/2").await.header("etag").to_owned();
    let changes = json!({"on_shift": false, "own_limit": 7});
    let asks = async || program.ask(Method::PATCH, "/api/masters/2", &[("If-Match", &tag)], Some(&changes)).await;
    let changes_made = async || t.one::<i64>("SELECT count(*) FROM master_changes WHERE master_id = 2", &[]).await;
    let before = changes_made().await;
    let done = answered_after_a_loss(&t, &proxy, asks()).await;
    assert_eq!((done.status, &done.json()["own_limit"]), (200, &json!(7)), "{}", done.text);
    assert_eq!(asks().await.status, 200);
    assert_eq!(changes_made().await - before, 2);
    let other = json!({"own_limit": 8});
    let stale = program.ask(Method::PATCH, "/api/masters/2", &[("If-Match", &tag)], Some(&other)).await;
    assert_eq!(stale.problem(), "stale");
}

#[tokio::test]
async fn a_link_opens_the_page_although_the_answer_to_its_commit_was_lost() {
    let (t, proxy) = with_a_slow_commit("access_tokens").await;
    t.execute("ALTER TABLE access_tokens DISABLE TRIGGER commit_slowly", &[]).await;
    t.add_staff(501).await;
    let olga = StaffRef::Telegram(TelegramUserId(501));
    let link = session::link(&t.app.store, olga, session::LINK).await.expect("a database").expect("staff").text();
    t.execute("ALTER TABLE access_tokens ENABLE TRIGGER commit_slowly", &[]).await;
    let stranger: Program = t.holding("");
    let proof = json!({"link": link});
    let opened = answered_after_a_loss(&t, &proxy, stranger.post("/api/session", &[], &proof)).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let page = t.holding(opened.json()["token"].as_str().expect("a token"));
    assert_eq!(page.get("/api/session").await.json()["staff_id"], opened.json()["staff_id"]);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM access_tokens WHERE kind = 'SESSION'", &[]).await, 1);
    assert_eq!(stranger.post("/api/session", &[], &proof).await.problem(), "unauthorized", "it is good for once");
}
