//! Who the API lets in: by tokens, each within its scope, its cities and its minute.

use std::time::Duration;

use field_service::model::access::{Token, TokenScope, WRITES_A_MINUTE};
use field_service::model::{OrderId, TokenId};
use field_service::store::access;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::program::{Answer, Program};
use crate::harness::{ANNA, Dispatch};

impl Dispatch {
    /// Another city, with an order of its own.
    async fn elsewhere(&self) -> OrderId {
        self.execute("INSERT INTO cities (name, timezone) VALUES ('Томск', 'Asia/Tomsk')", &[]).await;
        OrderId(
            self.one(
                "INSERT INTO orders (city_id, category, status, address, client_name, client_phone)
                 SELECT max(id), 'PLUMBING', 'SEARCHING', 'пр. Ленина, 1', 'Ольга', '+79130000001' FROM cities RETURNING id",
                &[],
            )
            .await,
        )
    }
}

/// Every request that there is about an order, each with all that it needs.
async fn every_request(program: &Program, order: OrderId) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    let reason = json!({"reason": "Клиент передумал"});
    let requests = [
        (Method::GET, "", None),
        (Method::GET, "/candidates", None),
        (Method::GET, "/card", None),
        (Method::PATCH, "", Some(json!({"address": "ул. Мира, 7"}))),
        (Method::POST, "/assign", Some(json!({"master_id": 1, "anyway": true}))),
        (Method::POST, "/search", None),
        (Method::POST, "/return", Some(reason.clone())),
        (Method::POST, "/cancel", Some(reason)),
        (Method::POST, "/close", Some(json!({"amount": "100"}))),
        (Method::POST, "/reopen", None),
        (Method::POST, "/claim", Some(json!({}))),
        (Method::DELETE, "/claim", None),
    ];
    for (method, action, body) in requests {
        let path = format!("/api/orders/{order}{action}");
        let name = format!("{method} {path}");
        answers.push((name, program.ask(method, &path, &[("If-Match", "*")], body.as_ref()).await));
    }
    answers
}

#[tokio::test]
async fn whoever_has_no_good_token_is_told_the_same_whatever_is_wrong_with_it() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let program = t.program(TokenScope::All, &[]).await;
    assert_eq!(program.get("/api/orders").await.status, 200);
    let before = t.everything().await;
    let good = &program.token;
    let last = if good.ends_with('A') { "B" } else { "A" };
    let unknown = Token::new(TokenId(1), [7; 32]).text();
    let mistyped = format!("{}{last}", &good[..good.len() - 1]);
    for token in ["", "x", "fs_1_", &mistyped, &unknown, &good.to_uppercase()] {
        let stranger = t.holding(token);
        let mut answers = every_request(&stranger, order).await;
        answers.push(("list".to_owned(), stranger.get("/api/orders").await));
        let new = stranger.post("/api/orders", &[("Idempotency-Key", "1")], &json!({"category": "PLUMBING"})).await;
        answers.push(("new".to_owned(), new));
        for (name, answer) in answers {
            assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthorized"), "{token}: {name}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            assert_eq!(answer.json().as_object().expect("a problem").len(), 3, "nothing else is said");
        }
    }
    assert_eq!(t.everything().await, before);
}

#[tokio::test]
async fn a_token_that_was_revoked_or_has_ended_is_good_for_nothing() {
    let t = Dispatch::with_standing_clock(0).await;
    let revoked = t.program(TokenScope::All, &[]).await;
    let ended = access::create(
        &t.app.store,
        "CRM",
        TokenScope::All,
        &[],
        Some(Duration::from_hours(1)),
        field_service::dispatch::secret::random(),
    );
    let ended = t.holding(&ended.await.expect("a database").expect("no city").text());
    assert_eq!((revoked.get("/api/orders").await.status, ended.get("/api/orders").await.status), (200, 200));
    let id = Token::parse(&revoked.token).expect("a token").id;
    assert!(access::revoke(&t.app.store, id).await.expect("a database"));
    assert!(!access::revoke(&t.app.store, id).await.expect("a database"), "it is revoked already");
    t.let_pass(3600);
    assert_eq!((revoked.get("/api/orders").await.status, ended.get("/api/orders").await.status), (401, 401));
    let listed = access::list(&t.app.store).await.expect("a database");
    assert!(listed[0].revoked && !listed[1].revoked && listed[1].expires_at.is_some());
}

#[tokio::test]
async fn a_wrong_checksum_costs_no_connection() {
    let t = Dispatch::start().await;
    t.app.store.close();
    let well_made = Token::new(TokenId(1), [7; 32]).text();
    let mistyped = well_made.replace("fs_1_B", "fs_1_C");
    assert_ne!(mistyped, well_made);
    assert_eq!(t.holding(&mistyped).get("/api/orders").await.status, 401);
    assert_eq!(t.holding(&well_made).get("/api/orders").await.status, 503, "that one is looked up");
}

/// What a request is answered of which only the head is sent: that there is a long body to come.
async fn answer_to_a_head(t: &Dispatch, line: &str, token: &str) -> String {
    let address = t.url.strip_prefix("http://").expect("a URL");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head =
        format!("{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("a head");
    let mut answer = [0; 12];
    let read = timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await;
    read.expect("an answer before the body").expect("an answer");
    String::from_utf8_lossy(&answer["HTTP/1.1 ".len()..]).into_owned()
}

#[tokio::test]
async fn what_is_no_route_and_who_has_nothing_like_a_token_is_answered_before_the_body() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::All, &[]).await;
    for (line, token, status) in [
        ("POST /api/nothing", program.token.as_str(), "404"),
        ("POST /api/orders/import/nothing", "", "404"),
        ("PUT /api/orders", &program.token, "405"),
        ("PUT /api/session", "", "405"),
        ("POST /api/orders", "", "401"),
        ("POST /api/orders/import", "x", "401"),
        ("DELETE /api/session", "", "401"),
    ] {
        assert_eq!(answer_to_a_head(&t, line, token).await, status, "{line}");
    }
    let counted = |problem| t.app.metrics.get("api", problem);
    assert_eq!((counted("not-found"), counted("method-not-allowed"), counted("unauthorized")), (2, 2, 3));
    assert_eq!(t.app.metrics.get("api_authorize", "UNKNOWN"), 3);
    assert_eq!(program.get("/api/board").await.status, 200);
    assert_eq!(t.app.metrics.get("api_authorize", "SUCCESS"), 1, "whoever looks at the board is counted too");
}

#[tokio::test]
async fn a_token_does_no_more_than_its_scope() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let before = t.everything().await;
    let reader = t.program(TokenScope::Read, &[]).await;
    for (name, answer) in every_request(&reader, order).await {
        let reads = name.starts_with("GET");
        assert_eq!(answer.status, if reads { 200 } else { 403 }, "{name}: {}", answer.text);
        assert_eq!(answer.problem(), if reads { "" } else { "forbidden" });
    }
    assert_eq!(t.everything().await, before);
    let writer = t.program(TokenScope::Orders, &[]).await;
    assert!(every_request(&writer, order).await.iter().all(|(_, answer)| answer.status != 403));
}

#[tokio::test]
async fn a_token_sees_and_changes_nothing_of_another_city() {
    let t = Dispatch::start().await;
    let order = t.elsewhere().await;
    t.order().offered_to([ANNA]).await;
    let home: String = t.one("SELECT name FROM cities WHERE id = 1", &[]).await;
    let program = t.program(TokenScope::All, &[&home]).await;
    let before = t.everything().await;
    for (name, answer) in every_request(&program, order).await {
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{name}");
    }
    let new = json!({"category": "PLUMBING", "city_id": 2, "address": "x", "client_phone": "+79123456789"});
    let refused = program.post("/api/orders", &[("Idempotency-Key", "1")], &new).await;
    assert_eq!((refused.problem().as_str(), refused.pointers()), ("invalid", vec!["/city_id".to_owned()]));
    for query in ["", "?city=2", "?q=Ленина", &format!("?q={order}")] {
        let listed = program.get(&format!("/api/orders{query}")).await.json();
        assert!(listed["orders"].as_array().expect("orders").iter().all(|order| order["city"]["id"] == 1), "{listed}");
    }
    assert_eq!(program.get("/api/cities").await.json()["cities"].as_array().expect("cities").len(), 1);
    assert_eq!(t.everything().await, before);
}

#[tokio::test]
async fn a_token_changes_something_sixty_times_a_minute_and_looks_as_often_as_it_likes() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = t.order().offered_to([ANNA]).await;
    let (program, another) = (t.program(TokenScope::Orders, &[]).await, t.program(TokenScope::Orders, &[]).await);
    let claim = async |program: &Program| {
        program.post(&format!("/api/orders/{order}/claim"), &[], &json!({"from_staff_id": null})).await
    };
    // At the same moment: the count is taken by the statement that looks the token up.
    let answers = join_all((0..WRITES_A_MINUTE + 5).map(|_| claim(&program))).await;
    let too_many: Vec<_> = answers.iter().filter(|answer| answer.problem() == "too-many").collect();
    assert_eq!(too_many.len(), 5);
    for answer in too_many {
        let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
        assert!(answer.status == 429 && (1..=60).contains(&seconds), "{answer:?}");
    }
    assert_eq!(program.get("/api/orders").await.status, 200, "looking is free");
    assert_ne!(claim(&another).await.status, 429, "each counts for itself");
    t.let_pass(60);
    assert_ne!(claim(&program).await.status, 429);
}

#[tokio::test]
async fn a_program_is_staff_whom_nobody_calls_and_operators_do_not_list() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let order = t.order().offered_to([ANNA]).await;
    let cancel = json!({"reason": "Дубль"});
    let done = program.post(&format!("/api/orders/{order}/cancel"), &[("If-Match", "*")], &cancel).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let by: String = t
        .one(
            "SELECT full_name FROM order_status_history JOIN staff ON staff.id = changed_by_staff_id WHERE order_id = $1",
            &[&order.0],
        )
        .await;
    assert_eq!(by, "Сайт");
    assert_eq!(t.one::<i64>("SELECT count(*) FROM staff_on_call(1)", &[]).await, 0);
    assert_eq!(field_service::store::staff::list(&t.app.store, None).await.expect("a database"), []);
}
