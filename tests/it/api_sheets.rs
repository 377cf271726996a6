//! Sheets of orders: taken in whole or not at all, with what is wrong at its line, and written so that they can be read again.

use field_service::model::access::TokenScope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Dispatch;
use crate::harness::program::{Answer, Program};

const GOOD: &str = "\
Вид работ;Город;Адрес;Телефон;Клиент;Описание;Приехать с;Срочно;Заметки
Сантехника;ГОРОД;ул. Малышева, 84;8 912 345-67-89;Ольга;\"Капает; течёт\";;да;x
electrics;ГОРОД;\"ул. Мира, 7
подъезд 2\";+79123456780;;;01.12.2999 14:00;;
Окна;ГОРОД;ул. Победы, 1;89123456781;Иван;;;нет;
";

async fn import(program: &Program, query: &str, key: &str, sheet: impl Into<reqwest::Body>) -> Answer {
    let mut request = program.request(Method::POST, &format!("/api/orders/import{query}"));
    request = request.header("Content-Type", "text/csv").timeout(std::time::Duration::from_mins(1));
    if !key.is_empty() {
        request = request.header("Idempotency-Key", key);
    }
    Program::send(request.body(sheet)).await
}

async fn begin() -> (Dispatch, Program, String) {
    let t = Dispatch::start().await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let city: String = t.one("SELECT name FROM cities WHERE id = 1", &[]).await;
    (t, program, city)
}

#[tokio::test]
async fn a_sheet_is_reported_on_first_and_taken_in_once() {
    let (t, program, city) = begin().await;
    // Without the time that is too far away and the line break in an address.
    let good = GOOD.replace("ГОРОД", &city).replace("01.12.2999 14:00", "").replace("\nподъезд 2", "");
    let dry = import(&program, "?dry_run=1", "", good.clone()).await;
    let mut report = dry.json();
    assert_eq!(dry.status, 200, "{report}");
    // Whatever the time is.
    report.as_object_mut().expect("a report").remove("work_begins");
    assert_eq!(report, json!({"rows": 3, "valid": 3, "orders": [], "errors": [], "ignored": ["Заметки"]}));
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 0);

    assert_eq!(import(&program, "", "", good.clone()).await.problem(), "key-missing");
    let made = import(&program, "", "k", good.clone()).await;
    assert_eq!((made.status, made.json()["orders"].as_array().map(Vec::len)), (201, Some(3)), "{}", made.text);
    let again = import(&program, "", "k", good.clone()).await;
    assert_eq!((again.status, again.header("idempotency-replayed"), &again.text), (201, "true", &made.text));
    assert_eq!(import(&program, "", "k", format!("{good}\n")).await.problem(), "key-of-another");
    assert_eq!(import(&program, "?partial=1", "k", good.clone()).await.problem(), "key-of-another");
    // Whatever the cities are called by now.
    t.execute("UPDATE cities SET name = 'Свердловск'", &[]).await;
    assert_eq!(import(&program, "", "k", good).await.text, made.text);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 3);

    let order = |index: usize| made.json()["orders"][index].as_i64().expect("a number");
    let first = program.get(&format!("/api/orders/{}", order(0))).await.json();
    assert_eq!(
        (&first["category"], &first["client_name"], &first["soon"]),
        (&json!("PLUMBING"), &json!("Ольга"), &json!(true))
    );
    assert_eq!((&first["description"], &first["client_phone"]), (&json!("Капает; течёт"), &json!("+79123456789")));
    assert_eq!(program.get(&format!("/api/orders/{}", order(2))).await.json()["category"], "WINDOWS");
    // Masters are asked by the next pass.
    t.tick().await;
    assert_eq!(t.one::<i64>("SELECT count(DISTINCT order_id) FROM offers", &[]).await, 3);
}

#[tokio::test]
async fn what_is_wrong_is_said_by_line_and_field_and_then_nothing_is_made() {
    let (t, program, city) = begin().await;
    let bad = format!(
        "category,city,district,address,client_phone,slot_start,slot_end,soon
PLUMBING,{city},,ул. Мира 1,89123456789,,,
MAGIC,{city},Марс,,912,,,
PLUMBING,Атлантида,,ул. Мира 2,89123456789,вчера,,может

PLUMBING,{city},,ул. Мира 3,89123456789,2020-01-01 10:00,2020-01-01 12:00,
PLUMBING,{city},,ул. Мира 4,89123456789,2998-01-01 10:00,2998-01-01 09:00,
"
    );
    for query in ["?dry_run=1", ""] {
        let answer = import(&program, query, "k", bad.clone()).await;
        let report = answer.json();
        let report = if query.is_empty() { &report["report"] } else { &report };
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            if query.is_empty() { (422, "invalid") } else { (200, "") }
        );
        assert_eq!((&report["rows"], &report["valid"], &report["orders"]), (&json!(5), &json!(1), &json!([])));
        let errors: Vec<_> = report["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|error| format!("{} {}", error["line"], error["field"].as_str().expect("a field")))
            .collect();
        assert_eq!(
            errors,
            ["3 category", "3 district", "3 address", "3 client_phone", "4 city", "4 soon", "6 slot_end", "7 slot_end"],
            "{report}"
        );
    }
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 0);
    // Whatever a cell says, it is a mistake of its line.
    let odd = "category,address,client_phone,slot_start\n".to_owned()
        + &["0000-01-01 10:00", "9999-12-30T22:00:00Z", "-000001-01-01T10:00:00Z"]
            .map(|cell| format!("PLUMBING,ул. Мира,89123456789,{cell}\n"))
            .concat();
    let report = import(&program, "?dry_run=1", "", odd).await.json();
    assert_eq!(report["errors"].as_array().map(Vec::len), Some(3), "{report}");
    // By the same key, as nothing was made.
    let part = import(&program, "?partial=1", "k", bad).await;
    assert_eq!((part.status, part.json()["orders"].as_array().map(Vec::len)), (201, Some(1)), "{}", part.text);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 1);
}

#[tokio::test]
async fn a_time_in_words_is_read_by_the_clocks_of_the_city_and_what_is_not_understood_is_an_error_of_its_row() {
    let t = Dispatch::with_standing_clock(0).await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let rows = [
        "завтра 10-12;",
        "как можно скорее;",
        ";",
        ";-",
        "2999-12-01;10:00-12:00",
        "когда-нибудь потом;",
        "вчера;",
        "завтра;с 10 до 12",
        "завтра;;01.12.2998 14:00",
    ];
    let sheet = format!(
        "Работа;Адрес;Телефон;Дата;Когда;Приехать с\n{}",
        rows.map(|row| format!("Сантехника;ул. Мира, 1;89123456789;{row}\n")).concat()
    );
    let report = import(&program, "?dry_run=1", "", sheet.clone()).await.json();
    assert_eq!((&report["rows"], &report["valid"], &report["ignored"]), (&json!(9), &json!(5), &json!([])), "{report}");
    let errors: Vec<_> = report["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| {
            [&error["line"], &error["field"], &error["detail"]].map(|part| part.to_string().replace('"', "")).join(" ")
        })
        .collect();
    assert_eq!(
        errors,
        [
            "6 time expected at most 90 days ahead",
            "7 date expected a day and hours, such as 01.12.2026 10:00-12:00",
            "8 date that time has passed",
            "10 date expected the time in one way only",
        ],
        "{report}"
    );
    let made = import(&program, "?partial=1", "k", sheet).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let when = "SELECT string_agg(concat_ws(' ', soon, to_char(timeslot_start AT TIME ZONE timezone, 'HH24:MI'),
                       to_char(timeslot_end AT TIME ZONE timezone, 'HH24:MI'), (timeslot_start AT TIME ZONE timezone)::date - ($1::timestamptz AT TIME ZONE timezone)::date), ', ' ORDER BY orders.id)
                FROM orders JOIN cities ON cities.id = city_id";
    let now = t.clock.now().expect("a standing clock");
    assert_eq!(t.one::<String>(when, &[&now]).await, "f 10:00 12:00 1, t, f, f, f 10:00 12:00 1");
}

#[tokio::test]
async fn out_of_working_hours_the_search_may_wait_until_they_begin() {
    let (t, program, _) = begin().await;
    let hours = async |from: &str, until: &str| {
        let change =
            "INSERT INTO dispatch_policies (workday_start, workday_end) VALUES ($1::text::time, $2::text::time)";
        t.execute(change, &[&from, &until]).await;
    };
    let sheet = "Работа;Адрес;Телефон\nСантехника;ул. Мира, 1;89123456789\nОкна;ул. Мира, 2;89123456789\n";
    hours("00:00", "23:59:59").await;
    assert_eq!(import(&program, "?dry_run=1", "", sheet).await.json()["work_begins"], Value::Null);
    hours("23:59:58", "23:59:59").await;
    let begins = import(&program, "?dry_run=1", "", sheet).await.json()["work_begins"].to_string();
    assert!(begins.contains("T23:59:58"), "{begins}");
    let made = import(&program, "?defer=1", "k", sheet).await;
    assert_eq!((made.status, made.json()["orders"].as_array().map(Vec::len)), (201, Some(2)), "{}", made.text);
    assert_eq!(import(&program, "", "k", sheet).await.problem(), "key-of-another");
    let waits = "SELECT count(*) FROM orders WHERE status = 'DEFERRED'";
    assert_eq!(t.one::<i64>(waits, &[]).await, 2);
    assert_eq!(import(&program, "?defer=2", "k", sheet).await.problem(), "malformed");
}

#[tokio::test]
async fn a_quote_that_is_not_closed_is_an_error_of_its_own_row() {
    let (_t, program, _) = begin().await;
    let good = "Сантехника;\"ул. Мира, 1\";89123456789\n";
    for (broken, after) in
        [("\"сломанная;кавычка", good), ("Окна;\"ул. Мира;89123456789", "Окна;ул. Мира;89123456789\n")]
    {
        let sheet = format!("Работа;Адрес;Телефон\n{good}{broken}\n{after}");
        let report = import(&program, "?dry_run=1", "", sheet).await.json();
        let errors = json!([{"line": 3, "field": "", "detail": "a quote is not closed"}]);
        assert_eq!((&report["rows"], &report["valid"], &report["errors"]), (&json!(3), &json!(2), &errors), "{report}");
    }
}

#[tokio::test]
async fn what_is_no_sheet_of_orders_says_why() {
    let (t, program, city) = begin().await;
    for (sheet, why) in [
        (String::new(), "lacks the columns category"),
        ("a,b\n1,2\n".to_owned(), "lacks the columns category"),
        ("category,category,city,address,client_phone\n".to_owned(), "two columns category"),
        ("category,\"city,address,client_phone\n".to_owned(), "first line has a quote that is not closed"),
        (
            format!("category,address,client_phone\n{}", format!("PLUMBING,{city},89123456789\n").repeat(10_001)),
            "10000 rows",
        ),
    ] {
        let answer = import(&program, "?dry_run=1", "", sheet).await;
        assert_eq!(answer.problem(), "malformed");
        assert!(answer.text.contains(why), "{}", answer.text);
    }
    let request = program.request(Method::POST, "/api/orders/import").header("Idempotency-Key", "k").body("{}");
    assert_eq!(Program::send(request).await.problem(), "media-type");
    assert_eq!(import(&program, "?dry_run=2", "", "").await.problem(), "malformed");
    assert_eq!(import(&program, "?dry_run=1", "", vec![b'a'; 8 * 1024 * 1024 + 1]).await.problem(), "too-large");
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 0);
}

#[tokio::test]
async fn a_sheet_of_an_old_spreadsheet_is_read() {
    let (_t, program, _) = begin().await;
    // The only city need not be named.
    let sheet = "Категория;Адрес;Телефон\r\nСантехника;ул. Мира, 1;89123456789\r\n";
    let (cp1251, _, lossy) = encoding_rs::WINDOWS_1251.encode(sheet);
    assert!(!lossy);
    for bytes in
        [cp1251.to_vec(), sheet.as_bytes().to_vec(), format!("\u{feff}{}", sheet.replace(';', "\t")).into_bytes()]
    {
        let report = import(&program, "?dry_run=1", "", bytes).await.json();
        assert_eq!((&report["valid"], &report["errors"]), (&json!(1), &json!([])), "{report}");
    }
    // Lines that end in a carriage return alone are lines too, and are counted.
    let wrong = format!("{sheet}Сантехника;ул. Мира, 2;1\r\n").replace("\r\n", "\r");
    let report = import(&program, "?dry_run=1", "", wrong).await.json();
    assert_eq!((&report["valid"], &report["errors"][0]["line"]), (&json!(1), &json!(3)), "{report}");
}

#[tokio::test]
async fn what_is_written_opens_in_a_spreadsheet_and_is_read_again() {
    let (t, program, city) = begin().await;
    let sheet = format!(
        "category;city;address;client_phone;client_name;description
PLUMBING;{city};'=1+1;89123456789;'@имя;\"две
строки; и \"\"кавычки\"\"\"
"
    );
    let made = import(&program, "", "k", sheet).await;
    assert_eq!(made.status, 201, "{}", made.text);
    t.execute("UPDATE orders SET timeslot_start = '2998-12-01 09:00Z', timeslot_end = '2998-12-01 11:00Z'", &[]).await;
    let written = program.get("/api/orders.csv").await;
    assert_eq!(written.header("content-type"), "text/csv; charset=utf-8");
    assert!(written.header("content-disposition").contains("orders.csv"));
    assert!(written.text.starts_with("\u{feff}номер;состояние;мастер;сумма;принята;вид работ;"), "{}", written.text);
    assert!(written.text.contains(";'=1+1;+79123456789;'@имя;"), "{}", written.text);
    assert!(written.text.contains("2998-12-01 14:00;2998-12-01 16:00"), "on the city's clocks: {}", written.text);
    let read = import(&program, "?dry_run=1", "", written.text.replace("2998-", "2020-")).await.json();
    assert_eq!(read["rows"], 1);
    let errors: Vec<_> =
        read["errors"].as_array().expect("errors").iter().map(|error| error["field"].clone()).collect();
    assert_eq!(errors, [Value::from("slot_end")], "but for the time, which has passed: {read}");
}

#[tokio::test]
async fn ten_thousand_rows_are_taken_in_by_one_request() {
    let (t, program, city) = begin().await;
    let row = |index: usize| format!("PLUMBING,{city},\"ул. Мира, {index}\",8912{index:07},Клиент {index},Капает\n");
    let rows: String = (1..=10_000).map(row).collect();
    let sheet = format!("category,city,address,client_phone,client_name,description\n{rows}");
    // They are made by several statements: whichever fails, there is none of them.
    t.execute("ALTER TABLE orders ADD CONSTRAINT odd CHECK (address <> 'ул. Мира, 9999')", &[]).await;
    assert_eq!(import(&program, "", "k", sheet.clone()).await.status, 500);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 0);
    t.execute("ALTER TABLE orders DROP CONSTRAINT odd", &[]).await;

    let made = import(&program, "", "k", sheet).await;
    assert_eq!(made.status, 201, "{}", &made.text[..made.text.len().min(500)]);
    let orders: Vec<i64> = serde_json::from_value(made.json()["orders"].clone()).expect("numbers");
    let in_their_order = "SELECT array_agg(id ORDER BY client_phone) FROM orders";
    assert_eq!((orders.len(), orders), (10_000, t.one::<Vec<i64>>(in_their_order, &[]).await));
}

#[tokio::test]
async fn a_sheet_of_which_nothing_can_be_made_is_answered_the_same_each_time() {
    let (t, program, _) = begin().await;
    let bad = "Работа;Адрес;Телефон\nКолдовство;ул. Мира, 1;89123456789\n";
    let first = import(&program, "?partial=1", "k", bad).await;
    assert_eq!((first.status, first.json()["errors"].as_array().map(Vec::len)), (201, Some(1)), "{}", first.text);
    let again = import(&program, "?partial=1", "k", bad).await;
    assert_eq!((again.status, again.text), (201, first.text));
    assert_eq!(t.one::<i64>("SELECT count(*) FROM orders", &[]).await, 0);
}

/// A city whose clocks go forward and back, at that moment, and a program.
async fn in_berlin(now: &str) -> (Dispatch, Program) {
    let t = Dispatch::with_standing_clock(0).await;
    t.clock.set(now.parse().expect("a time"));
    t.execute("UPDATE cities SET timezone = 'Europe/Berlin'", &[]).await;
    let program = t.program(TokenScope::Orders, &[]).await;
    (t, program)
}

/// From 2 to 3 o'clock there is no time on that night.
#[tokio::test]
async fn a_visit_within_which_the_clocks_go_forward_is_made_and_changed() {
    let (t, program) = in_berlin("2027-03-20T10:00:00Z").await;
    let sheet = "Работа;Адрес;Телефон;Дата\nСантехника;ул. Мира, 1;89123456789;28.03.2027 02:30-03:00\n";
    let made = import(&program, "", "k", sheet).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let visit = async || {
        t.one::<String>(
            "SELECT concat_ws(' ', timeslot_start AT TIME ZONE 'UTC', timeslot_end AT TIME ZONE 'UTC') FROM orders",
            &[],
        )
        .await
    };
    assert_eq!(visit().await, "2027-03-28 01:30:00 2027-03-28 01:30:00");
    let slot = json!({"slot": {"start": "2027-03-28T00:30:00Z", "end": "2027-03-28T02:30:00Z"}});
    let changed = program.ask(Method::PATCH, "/api/orders/1", &[("If-Match", "*")], Some(&slot)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(visit().await, "2027-03-28 00:30:00 2027-03-28 02:30:00");
    t.execute("UPDATE orders SET created_at = '2027-03-20 12:00Z'", &[]).await;
    let written = program.get("/api/orders.csv").await.text;
    for time in [";2027-03-20 13:00;", ";2027-03-28 01:30;2027-03-28 04:30;"] {
        assert!(written.contains(time), "each as the clocks are then: {written}");
    }
}

/// From 2 to 3 o'clock each time is twice on that night.
#[tokio::test]
async fn a_time_that_the_clocks_show_twice_is_changed_to_none_but_itself() {
    let (t, program) = in_berlin("2027-10-20T10:00:00Z").await;
    t.order().create().await;
    let change = async |start: &str, end: &str| {
        let slot = json!({"slot": {"start": start, "end": end}});
        program.ask(Method::PATCH, "/api/orders/1", &[("If-Match", "*")], Some(&slot)).await
    };
    let visit = "SELECT concat_ws(' ', timeslot_start AT TIME ZONE 'UTC', timeslot_end AT TIME ZONE 'UTC') FROM orders";
    for (start, end) in
        [("2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"), ("2027-10-31T00:15:00Z", "2027-10-31T00:45:00Z")]
    {
        let refused = change(start, end).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["/slot/start".to_owned()]), "{}", refused.text);
        assert_eq!(t.one::<String>(visit, &[]).await, "");
    }
    assert_eq!(change("2027-10-31T01:30:00Z", "2027-10-31T03:00:00Z").await.status, 200);
    assert_eq!(t.one::<String>(visit, &[]).await, "2027-10-31 01:30:00 2027-10-31 03:00:00");
    let far = change("2028-02-20T10:00:00Z", "2028-02-20T12:00:00Z").await;
    assert_eq!((far.status, far.pointers()), (422, vec!["/slot/start".to_owned()]), "{}", far.text);
}
