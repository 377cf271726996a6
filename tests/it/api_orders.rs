//! Orders over the API: made once for each key, found, changed as they were seen.

use field_service::model::access::TokenScope;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::program::{Answer, Program};
use crate::harness::{ANNA, BORIS, Dispatch};

fn said() -> Value {
    json!({
        "category": "PLUMBING", "city_id": 1, "address": "ул. Малышева, 84, кв. 3", "client_phone": "8 (912) 345-67-89",
        "client_name": "Ольга", "description": "Капает <кран> & труба",
    })
}

fn changed(changes: &Value) -> Value {
    let mut order = said();
    for (field, value) in changes.as_object().expect("fields") {
        order[field] = value.clone();
    }
    order
}

async fn make(program: &Program, key: &str, order: &Value) -> Answer {
    program.post("/api/orders", &[("Idempotency-Key", key)], order).await
}

async fn edit(program: &Program, id: i64, tag: &str, changes: &Value) -> Answer {
    let headers: &[(&str, &str)] = if tag.is_empty() { &[] } else { &[("If-Match", tag)] };
    program.ask(Method::PATCH, &format!("/api/orders/{id}"), headers, Some(changes)).await
}

#[tokio::test]
async fn an_order_is_made_goes_out_at_once_and_is_read_as_it_was_said() {
    let t = Dispatch::start().await;
    t.chat(ANNA).open();
    let program = t.program(TokenScope::Orders, &[]).await;
    let made = make(&program, "crm-1", &said()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_i64().expect("a number");
    assert_eq!(made.header("location"), format!("/api/orders/{id}"));
    // The first round has begun, and its offers were sent, before the answer.
    let card = t.chat(ANNA).messages().pop().expect("an offer").text;
    assert!(card.contains("Малышева"), "{card}");

    let read = program.get(made.header("location")).await;
    let order = read.json();
    assert_eq!(read.header("etag"), format!("\"{}\"", order["version"].as_str().expect("a version")));
    assert_eq!(order["status"], "SEARCHING");
    assert_eq!(order["client_phone"], "+79123456789");
    assert_eq!(order["address"], said()["address"]);
    assert_eq!(order["description"], said()["description"]);
    assert_eq!(order["created_by"]["name"], "Сайт");
    assert_eq!((&order["slot"], &order["soon"], &order["amount"]), (&Value::Null, &json!(false), &Value::Null));
    t.check().await;
}

#[tokio::test]
async fn an_order_is_made_once_for_each_key_however_often_it_is_asked_for() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let key = "a key with spaces";
    let order = said();
    let answers = join_all((0..12).map(|_| make(&program, key, &order))).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty());
    for answer in &answers {
        // At the same moment: it was under way, or it is answered as the first was.
        assert!(answer.status == 201 || answer.problem() == "under-way", "{answer:?}");
    }
    assert_eq!(made.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count(), 1);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 1);

    let again = make(&program, key, &said()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!((again.text.as_str(), again.header("location")), (made[0].text.as_str(), made[0].header("location")));
    let other = make(&program, key, &changed(&json!({"address": "ул. Мира, 7"}))).await;
    assert_eq!((other.status, other.problem().as_str()), (422, "key-of-another"));
    // Written in another way, it is the same.
    let spaced = program
        .request(Method::POST, "/api/orders")
        .header("Idempotency-Key", key)
        .header("Content-Type", "application/json; charset=utf-8")
        .body(serde_json::to_string_pretty(&said()).expect("JSON"));
    assert_eq!(Program::send(spaced).await.status, 201);
    // Whose key it is matters.
    let another = t.program(TokenScope::Orders, &[]).await;
    assert!(make(&another, key, &said()).await.header("idempotency-replayed").is_empty());
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 2);
}

#[tokio::test]
async fn a_key_is_needed_and_what_was_refused_can_be_sent_again_by_it() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let without = program.post("/api/orders", &[], &said()).await;
    assert_eq!((without.status, without.problem().as_str()), (400, "key-missing"));
    for bad in ["", &"k".repeat(256)] {
        assert_eq!(make(&program, bad, &said()).await.problem(), "malformed");
    }
    assert_eq!(make(&program, "k", &changed(&json!({"city_id": 99}))).await.problem(), "invalid");
    assert_eq!(make(&program, "k", &said()).await.status, 201);
}

#[tokio::test]
async fn everything_that_is_wrong_with_an_order_is_said_at_once_at_its_field() {
    let t = Dispatch::start().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Томск', 'Asia/Tomsk')", &[]).await;
    t.execute("INSERT INTO districts (city_id, name) VALUES (2, 'Кировский')", &[]).await;
    t.execute("UPDATE masters SET is_blocked = true WHERE telegram_user_id = $1", &[&BORIS]).await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let before = t.everything().await;
    let long = "я".repeat(301);
    let slot = |start: &str, end: &str| json!({"slot": {"start": start, "end": end}});
    for (changes, pointers) in [
        (json!({"category": "MAGIC", "client_phone": "912", "address": " "}), "/category /address /client_phone"),
        (json!({"address": long}), "/address"),
        (json!({"address": "ул.\u{0}"}), "/address"),
        (json!({"client_name": "\u{7}"}), "/client_name"),
        (json!({"description": "я".repeat(2001)}), "/description"),
        (json!({"client_phone": "8912345678"}), "/client_phone"),
        (json!({"city_id": 99}), "/city_id"),
        (json!({"city_id": "1"}), "/city_id"),
        (json!({"city_id": null}), "/city_id"),
        (json!({"district_id": 1}), "/district_id"),
        (json!({"preferred_master_id": 2}), "/preferred_master_id"),
        (json!({"preferred_master_id": 77}), "/preferred_master_id"),
        (json!({"guarantee_of": 5}), "/guarantee_of"),
        (json!({"colour": "red"}), "/colour"),
        (slot("2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z"), "/slot/end"),
        (slot("2998-01-01T10:00:00Z", "2998-01-01T12:00:00Z"), "/slot/start"),
        (slot("2998-01-01T12:00:00Z", "2998-01-01T10:00:00Z"), "/slot/end"),
        (slot("-004000-01-01T12:00:00Z", "2999-01-01T10:00:00Z"), "/slot/start"),
        (slot("0000-06-01T10:00:00Z", "0000-06-01T11:00:00Z"), "/slot/start"),
        (slot("-009000-01-01T00:00:00Z", "-009000-01-01T01:00:00Z"), "/slot/start"),
        (slot("3500-01-01T10:00:00Z", "3500-01-01T11:00:00Z"), "/slot/start"),
        (slot("9999-12-30T21:00:00Z", "9999-12-30T22:00:00Z"), "/slot/start"),
        (json!({"address": "\u{200b}\u{202a}"}), "/address"),
        (slot("завтра", "2999-01-01T10:00:00Z"), "/slot/start"),
    ] {
        let answer = make(&program, "k", &changed(&changes)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"), "{changes}: {}", answer.text);
        assert_eq!(answer.pointers().join(" "), pointers, "{}", answer.text);
    }
    let send = async |content_type: &str, body: String| {
        let request = program.request(Method::POST, "/api/orders").header("Idempotency-Key", "k");
        Program::send(request.header("Content-Type", content_type).body(body)).await.problem()
    };
    assert_eq!(send("application/json", "{".to_owned()).await, "malformed");
    assert_eq!(send("text/plain", said().to_string()).await, "media-type");
    assert_eq!(send("application/json", format!("\"{}\"", "я".repeat(600_000))).await, "too-large");
    assert_eq!(t.everything().await, before, "nothing was made");
}

#[tokio::test]
async fn an_order_says_when_and_who_is_preferred() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let now = jiff::Timestamp::now();
    let start = jiff::Timestamp::from_second(now.as_second() / 3600 * 3600 + 7200).expect("a time");
    let slot =
        json!({"slot": {"start": start.to_string(), "end": (start + jiff::SignedDuration::from_hours(2)).to_string()}});
    let read = async |key: &str, changes: Value| {
        let made = make(&program, key, &changed(&changes)).await;
        program.get(made.header("location")).await.json()
    };
    let order = read("slot", slot.clone()).await;
    assert_eq!(order["slot"], slot["slot"]);
    assert_eq!(read("soon", json!({"soon": true})).await["soon"], true);
    let mut both = slot;
    both["soon"] = json!(true);
    assert_eq!(make(&program, "both", &changed(&both)).await.pointers(), ["/soon"]);
    let order = read("deferred", json!({"defer": true, "preferred_master_id": 1})).await;
    assert_eq!((&order["status"], &order["preferred_master_id"]), (&json!("DEFERRED"), &json!(1)));
}

/// The numbers on all pages of a list.
async fn listed(program: &Program, query: &str) -> Vec<i64> {
    let mut path = format!("/api/orders?limit=2{query}");
    let mut found = Vec::new();
    loop {
        let page = program.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        let said = page.json();
        let orders = said["orders"].as_array().expect("orders").clone();
        assert!(orders.len() <= 2);
        found.extend(orders.iter().map(|order| order["id"].as_i64().expect("a number")));
        let link = page.header("link");
        let Some(next) = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) else {
            assert_eq!(link, "");
            return found;
        };
        next.clone_into(&mut path);
    }
}

#[tokio::test]
async fn orders_are_listed_page_by_page_and_found_by_what_is_known_of_them() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Read, &[]).await;
    let mut numbers = Vec::new();
    for index in 0..7 {
        let order = t.order().offered_to([ANNA]).await;
        let (status, phone) = (if index % 2 == 0 { "SEARCHING" } else { "CLOSED" }, format!("+7912000000{index}"));
        t.execute(
            "UPDATE orders SET status = $2, client_phone = $3, assigned_master_id = CASE WHEN $2 = 'CLOSED' THEN 1 END WHERE id = $1",
            &[&order.0, &status, &phone],
        )
        .await;
        numbers.push(order.0);
    }
    numbers.reverse();
    let pages = async |query: &str| listed(&program, query).await;
    let every = |keep: &dyn Fn(usize) -> bool| -> Vec<i64> {
        numbers.iter().enumerate().filter(|(index, _)| keep(*index)).map(|(_, id)| *id).collect()
    };
    assert_eq!(pages("").await, numbers);
    assert_eq!(pages("&status=SEARCHING").await, every(&|index| index % 2 == 0));
    assert_eq!(pages("&status=SEARCHING,CLOSED").await, numbers);
    assert_eq!(pages("&master=1").await, every(&|index| index % 2 == 1));
    assert_eq!(pages("&master=1&status=SEARCHING").await, Vec::<i64>::new());
    assert_eq!(pages("&city=1").await, numbers);
    assert_eq!(pages("&city=2").await, Vec::<i64>::new());
    assert_eq!(pages("&q=20000003").await, every(&|index| index == 3));
    assert_eq!(pages("&q=79120000").await, numbers, "by a part of the phone that all have");
    assert_eq!(pages("&q=79120000&status=CLOSED").await, every(&|index| index % 2 == 1));
    assert_eq!(pages("&q=%D0%B0").await, Vec::<i64>::new(), "a letter finds nothing");
    for bad in ["limit=0", "limit=101", "limit=x", "status=OPEN", "city=x", "after=-x"] {
        let answer = program.get(&format!("/api/orders?{bad}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed"), "{bad}");
    }
    // Of a search that no order could answer nothing is asked of the database.
    let letters = |count| "я".repeat(count);
    let words = |count| vec!["дом1"; count].join(" ");
    for (bad, detail) in
        [(letters(201), "q: expected at most 200 characters"), (words(21), "q: expected at most 20 words")]
    {
        for path in ["/api/orders", "/api/orders.csv"] {
            let answer = program.get(&format!("{path}?q={bad}")).await;
            assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed"), "{bad}");
            assert_eq!(answer.json()["detail"], detail);
        }
    }
    for long in [letters(200), words(20)] {
        assert_eq!(pages(&format!("&q={long}")).await, Vec::<i64>::new(), "{long}");
    }
}

#[tokio::test]
async fn a_list_has_what_is_over_and_what_is_not_of_all_cities_in_their_order() {
    let t = Dispatch::start().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Томск', 'Asia/Tomsk')", &[]).await;
    let all = t.program(TokenScope::Read, &[]).await;
    let of_tomsk = t.program(TokenScope::Read, &["Томск"]).await;
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone, assigned_master_id)
         SELECT 1 + (n / 3 % 2), 'PLUMBING', statuses[1 + n * 7 % 10], 'ул. Мира', 'Клиент', '+79123456789',
                CASE WHEN statuses[1 + n * 7 % 10] IN ('ASSIGNED', 'WORKING', 'PAYMENT', 'EN_ROUTE', 'CLOSED') THEN 1 + n % 2 END
         FROM generate_series(1, 60) AS n,
              (SELECT ARRAY['CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED', 'ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT', 'CLOSED',
                            'CANCELED'] AS statuses) AS known",
        &[],
    )
    .await;
    for (query, condition) in [
        ("", "true"),
        ("&city=1", "city_id = 1"),
        ("&city=2", "city_id = 2"),
        ("&status=CANCELED", "status = 'CANCELED'"),
        ("&status=CLOSED,DEFERRED", "status IN ('CLOSED', 'DEFERRED')"),
        ("&status=CLOSED,CANCELED&city=2", "status IN ('CLOSED', 'CANCELED') AND city_id = 2"),
        ("&status=WORKING&city=1", "status = 'WORKING' AND city_id = 1"),
        ("&master=2", "assigned_master_id = 2"),
        ("&master=1&status=CLOSED&city=2", "assigned_master_id = 1 AND status = 'CLOSED' AND city_id = 2"),
        ("&after=30", "id < 30"),
        ("&city=99", "false"),
    ] {
        for (program, cities) in [(&all, "1, 2"), (&of_tomsk, "2")] {
            let sql = format!(
                "SELECT coalesce(array_agg(id ORDER BY id DESC), '{{}}') FROM orders WHERE {condition} AND city_id IN ({cities})"
            );
            assert_eq!(listed(program, query).await, t.one::<Vec<i64>>(&sql, &[]).await, "{query}, of {cities}");
        }
    }
}

#[tokio::test]
async fn what_is_changed_is_what_was_seen() {
    let t = Dispatch::start().await;
    let (program, another) = (t.program(TokenScope::Orders, &[]).await, t.program(TokenScope::Orders, &[]).await);
    let made = make(&program, "k", &changed(&json!({"defer": true}))).await;
    let (id, tag) = (made.json()["id"].as_i64().expect("a number"), program.get(made.header("location")).await);
    let tag = tag.header("etag").to_owned();
    let changes = json!({"address": "ул. Мира, 7", "client_name": "Иван", "client_phone": "+79990001122",
                         "description": "Течёт", "comment": "Домофон 15"});
    assert_eq!(edit(&program, id, "", &changes).await.problem(), "match-missing");
    for stale in ["\"9.9\"", "W/\"9.9\"", "1.1", "\"x\"", "\"1.1-x\""] {
        assert_eq!(edit(&program, id, stale, &changes).await.status, 412, "{stale}");
    }
    let done = edit(&program, id, &tag, &changes).await;
    assert_eq!(done.status, 200, "{}", done.text);
    for field in ["address", "client_name", "client_phone", "description", "comment"] {
        assert_eq!(done.json()[field], changes[field], "{field}");
    }
    assert_ne!(done.header("etag"), tag);
    let late = edit(&another, id, &tag, &json!({"address": "ул. Чужая, 1"})).await;
    assert_eq!((late.status, late.problem().as_str()), (412, "stale"));
    assert_eq!(late.json()["current"]["address"], "ул. Мира, 7");
    assert_eq!(late.header("etag"), done.header("etag"));
    // Also the same program's, unless it asks for the very same again.
    let again = edit(&program, id, &tag, &changes).await;
    assert_eq!((again.status, again.header("etag")), (200, done.header("etag")));
    let mut others = changes.clone();
    others["client_phone"] = json!("+79990003344");
    assert_eq!(edit(&program, id, &tag, &others).await.problem(), "stale");
    assert_eq!(program.get(made.header("location")).await.json()["client_phone"], changes["client_phone"]);
    // All of it or nothing.
    let before = t.everything().await;
    let half = json!({"address": "ул. Новая, 1", "client_phone": "12"});
    assert_eq!(edit(&program, id, done.header("etag"), &half).await.pointers(), ["/client_phone"]);
    let past =
        json!({"address": "ул. Новая, 1", "slot": {"start": "2020-01-01T10:00:00Z", "end": "2020-01-01T12:00:00Z"}});
    assert_eq!(edit(&program, id, done.header("etag"), &past).await.problem(), "past-slot");
    assert_eq!(edit(&program, id, done.header("etag"), &json!({})).await.problem(), "invalid");
    let null = json!({"address": "ул. Новая, 1", "description": null});
    assert_eq!(edit(&program, id, done.header("etag"), &null).await.pointers(), ["/description"]);
    assert_eq!(edit(&program, id, done.header("etag"), &json!({"status": "CLOSED"})).await.pointers(), ["/status"]);
    assert_eq!(t.everything().await, before);
    // Proxies that compress answers mark their tags.
    let mut tag = done.header("etag").to_owned();
    for (number, marked) in [("W/", ""), ("", "-gzip"), ("", "-zstd")].into_iter().enumerate() {
        let seen = format!("{}\"{}{}\"", marked.0, tag.trim_matches('"'), marked.1);
        let again = edit(&program, id, &seen, &json!({"comment": format!("{number}")})).await;
        assert_eq!(again.status, 200, "{seen}: {}", again.text);
        tag = again.header("etag").to_owned();
    }
    let far = json!({"slot": {"start": "3500-01-01T10:00:00Z", "end": "3500-01-01T11:00:00Z"}});
    assert_eq!(edit(&program, id, "*", &far).await.pointers(), ["/slot/start"]);
    let cleared = edit(&program, id, "*", &json!({"comment": null, "slot": null})).await.json();
    assert_eq!((&cleared["comment"], &cleared["soon"]), (&Value::Null, &json!(true)));
    t.check().await;
}

#[tokio::test]
async fn of_two_programs_that_change_one_order_at_once_one_does() {
    let t = Dispatch::start().await;
    let (first, second) = (t.program(TokenScope::Orders, &[]).await, t.program(TokenScope::Orders, &[]).await);
    for round in 0..10 {
        let order = t.order().offered_to([ANNA]).await.0;
        let tag = first.get(&format!("/api/orders/{order}")).await.header("etag").to_owned();
        let cancel = json!({"reason": "Дубль"});
        let path = format!("/api/orders/{order}/cancel");
        let changes = json!({"address": format!("ул. Мира, {round}"), "comment": "Позвонить"});
        let headers = [("If-Match", tag.as_str())];
        let (canceled, edited) =
            tokio::join!(first.post(&path, &headers, &cancel), edit(&second, order, &tag, &changes));
        let done = [&canceled, &edited].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, 1, "{canceled:?} {edited:?}");
        let refused = if canceled.status == 200 { &edited } else { &canceled };
        assert_eq!(refused.problem(), "stale", "{refused:?}");
    }
    t.check().await;
}

#[tokio::test]
async fn an_order_is_given_searched_for_taken_back_and_closed() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id <> $1", &[&BORIS]).await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let made = make(&program, "k", &changed(&json!({"defer": true}))).await;
    let path = made.header("location").to_owned();
    let act =
        async |action: &str, body: Value| program.post(&format!("{path}/{action}"), &[("If-Match", "*")], &body).await;
    let card = async || program.get(&format!("{path}/card")).await.json();
    assert_eq!(card().await["actions"], json!(["CLAIM", "SEARCH", "ASSIGN", "EDIT", "COMMENT", "CANCEL"]));
    let candidates = program.get(&format!("{path}/candidates")).await.json();
    let (name, why_not) = (&candidates["candidates"][2]["id"], &candidates["candidates"][2]["why_not"]);
    assert_eq!((name, why_not), (&json!(2), &json!("OFF_SHIFT")), "{candidates}");
    assert_eq!(candidates["candidates"][0]["why_not"], Value::Null);

    assert_eq!(act("close", json!({"amount": "100"})).await.problem(), "not-now");
    assert_eq!(act("assign", json!({"master_id": 77})).await.problem(), "no-such-master");
    let refused = act("assign", json!({"master_id": 2})).await;
    assert_eq!((refused.status, refused.problem().as_str()), (409, "not-eligible"));
    let given = act("assign", json!({"master_id": 2, "anyway": true})).await.json();
    assert_eq!(act("assign", json!({"master_id": 2})).await.status, 200, "whoever asks again is told that it is so");
    assert_eq!((&given["status"], &given["master"]["id"]), (&json!("ASSIGNED"), &json!(2)));
    let taken_back = act("return", json!({"reason": "Мастер не успевает"})).await.json();
    assert_eq!(taken_back["status"], "SEARCHING");
    assert_eq!(act("search", json!({})).await.problem(), "already-offered");
    let said = card().await;
    let (offer, back, given) = (&said["offers"][0], &said["changes"][0], &said["changes"][1]);
    assert_eq!((&offer["state"], &offer["round"]), (&json!("SENT"), &json!(1)), "{said}");
    assert_eq!(
        (&back["to_status"], &back["reason"], &back["by"]),
        (&json!("SEARCHING"), &json!("Мастер не успевает"), &json!("STAFF"))
    );
    assert_eq!((&given["to_status"], &given["given_to"]), (&json!("ASSIGNED"), &json!("Борис")));
    assert_eq!(said["why"][0]["number"], 1);
    assert_eq!(act("assign", json!({"master_id": 1, "anyway": true})).await.status, 200);
    t.execute("UPDATE orders SET status = 'PAYMENT'", &[]).await;
    for bad in ["", "-1", "1e9", "2500.001", "много", "99999999999"] {
        assert_eq!(act("close", json!({"amount": bad})).await.pointers(), ["/amount"], "{bad}");
    }
    let closed = act("close", json!({"amount": "2500,5"})).await.json();
    assert_eq!((&closed["status"], &closed["amount"]), (&json!("CLOSED"), &json!("2500.50")));
    assert_eq!(act("cancel", json!({"reason": "Дубль"})).await.problem(), "not-now");
    assert_eq!(act("reopen", json!({})).await.json()["status"], "PAYMENT");
    assert_eq!(act("cancel", json!({"reason": "  "})).await.pointers(), ["/reason"]);
    assert_eq!(act("cancel", json!({"reason": "Дубль"})).await.json()["status"], "CANCELED");
}

#[tokio::test]
async fn what_is_not_there_says_so_and_names_no_other_order() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::All, &[]).await;
    for path in
        ["/api/orders/1", "/api/orders/0", "/api/orders/-1", "/api/orders/x", "/api/orders/99999999999999999999"]
    {
        assert_eq!(program.get(path).await.problem(), "not-found", "{path}");
    }
    assert_eq!(program.get("/api/nothing").await.problem(), "not-found");
    let other = program.ask(Method::PUT, "/api/orders", &[], None).await;
    assert_eq!(
        (other.status, other.problem().as_str(), other.header("allow")),
        (405, "method-not-allowed", "GET,HEAD,POST")
    );
    assert_eq!(
        program.get("/prod/lambda-url/webhook/api/orders?limit=1").await.status,
        200,
        "the path counts from its end"
    );
}

#[tokio::test]
async fn nobody_gets_above_the_limit_by_two_programs_at_once() {
    let t = Dispatch::start().await;
    t.chat(BORIS).open();
    t.execute("UPDATE masters SET max_active_orders = 1 WHERE telegram_user_id = $1", &[&BORIS]).await;
    let program = t.program(TokenScope::Orders, &[]).await;
    for _ in 0..5 {
        t.execute("UPDATE orders SET status = 'CANCELED', version = version + 1 WHERE status <> 'CANCELED'", &[]).await;
        let orders = [t.order().in_status("CREATED").create().await, t.order().in_status("CREATED").create().await];
        let paths = orders.map(|order| format!("/api/orders/{order}/assign"));
        let to_boris = json!({"master_id": 2});
        let (one, other) = tokio::join!(
            program.post(&paths[0], &[("If-Match", "*")], &to_boris),
            program.post(&paths[1], &[("If-Match", "*")], &to_boris),
        );
        let done = [&one, &other].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, 1, "{one:?} {other:?}");
        let refused = if one.status == 200 { &other } else { &one };
        assert!(["not-eligible", "busy"].contains(&refused.problem().as_str()), "{refused:?}");
    }
}

/// The same request again, which is all that a program can send: it is not the answer to itself.
#[tokio::test]
async fn what_was_busy_is_done_when_it_is_asked_for_again() {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let made = make(&program, "k", &changed(&json!({"defer": true}))).await;
    let id = made.json()["id"].as_i64().expect("a number");
    let tag = program.get(made.header("location")).await.header("etag").to_owned();
    let changes = json!({"address": "ул. Мира, 7"});
    let colleague = t.colleague().await;
    colleague.batch_execute("BEGIN; SELECT FROM orders FOR UPDATE").await.expect("a lock");
    let busy = edit(&program, id, &tag, &changes).await;
    assert_eq!((busy.status, busy.problem().as_str()), (503, "busy"), "{}", busy.text);
    colleague.batch_execute("ROLLBACK").await.expect("released");
    let done = edit(&program, id, &tag, &changes).await;
    assert_eq!((done.status, &done.json()["address"]), (200, &changes["address"]), "{}", done.text);
}
