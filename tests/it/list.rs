//! The menu, «Новые заявки», the card.

use crate::harness::{ANNA, BORIS, Dispatch};

#[tokio::test]
async fn start_opens_the_menu_and_the_menu_the_list() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);

    assert_eq!(chat.say("/start").await.status, Some(200));
    assert!(chat.screen().contains("Анна"), "{}", chat.screen());
    chat.press("Новые заявки").await;

    assert!(chat.screen().contains("Новые заявки") && chat.screen().contains(&format!("№{order}")));
    assert_eq!(chat.messages().iter().filter(|message| message.from_bot).count(), 1, "one message, edited");
}

#[tokio::test]
async fn an_empty_list_says_so_and_can_be_refreshed() {
    let t = Dispatch::start().await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    chat.press("Новые заявки").await;
    assert!(chat.screen().contains("новых заявок нет"));

    let order = t.order().offered_to([ANNA]).await;
    chat.press("Обновить").await;
    assert!(chat.screen().contains(&format!("№{order}")));
}

/// Failure 15 of the older system.
#[tokio::test]
async fn refreshing_what_has_not_changed_leaves_one_message() {
    let t = Dispatch::start().await;
    t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    chat.press("Новые заявки").await;
    let before = chat.messages().len();

    for _ in 0..3 {
        assert_eq!(chat.press("Обновить").await.delivery.status, Some(200));
    }

    assert_eq!(chat.messages().len(), before);
    assert_eq!(t.app.metrics.get("telegram", "FAILED"), 0);
}

#[tokio::test]
async fn five_on_a_page_newest_first_with_turns_where_there_is_a_page() {
    let t = Dispatch::start().await;
    let mut orders = Vec::new();
    for _ in 0..12 {
        orders.push(t.order().offered_to([ANNA]).await);
    }
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    let shown = || -> Vec<String> {
        let cards = chat.buttons().into_iter().filter(|button| button.data.starts_with("m:new:card:"));
        cards.map(|button| button.data.split(':').nth(3).unwrap_or_default().to_owned()).collect()
    };
    let newest: Vec<_> = orders.iter().rev().map(ToString::to_string).collect();
    let turns = || {
        chat.buttons()
            .into_iter()
            .map(|button| button.text)
            .filter(|text| "◀▶".contains(text.as_str()))
            .collect::<String>()
    };

    chat.press("Новые заявки").await;
    assert!(chat.screen().contains("Всего: 12 · страница 1 из 3"), "{}", chat.screen());
    assert_eq!((shown(), turns().as_str()), (newest[..5].to_vec(), "▶"));
    chat.press("▶").await;
    assert_eq!((shown(), turns().as_str()), (newest[5..10].to_vec(), "◀▶"));
    chat.press("▶").await;
    assert_eq!((shown(), turns().as_str()), (newest[10..].to_vec(), "◀"));
    assert!(chat.buttons().iter().any(|button| button.text.contains("Обновить")));

    for past_the_end in ["m:new:4", "m:new:9223372036854775807"] {
        chat.tap(past_the_end).await;
        assert!(chat.screen().contains("страница 3 из 3"), "{past_the_end}: {}", chat.screen());
    }
}

#[tokio::test]
async fn taking_the_only_order_of_the_last_page_shows_the_page_before() {
    let t = Dispatch::start().await;
    for _ in 0..6 {
        t.order().offered_to([ANNA]).await;
    }
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    chat.tap("m:new:2").await;
    chat.press("№1").await;
    chat.press("Взять заявку").await;

    assert!(chat.screen().contains("Всего: 5 · страница 1 из 1"), "{}", chat.screen());
}

#[tokio::test]
async fn the_card_shows_the_order_without_its_client_and_marks_it_viewed() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    chat.press("Новые заявки").await;
    chat.press(&format!("№{order}")).await;

    let screen = chat.screen();
    assert!(screen.contains("ул. Ленина, 5") && screen.contains("Сантехника"), "{screen}");
    assert!(!screen.contains("+7999") && !screen.contains("Мария"), "{screen}");
    let labels: Vec<_> = chat.buttons().into_iter().map(|button| button.text).collect();
    assert!(labels.contains(&"✅ Взять заявку".to_owned()), "{labels:?}");
    assert_eq!(t.offer_state(order, ANNA).await, "VIEWED");
    assert_eq!(t.offer_state(order, BORIS).await, "SENT");
    assert!(t.one::<bool>("SELECT viewed_at IS NOT NULL FROM offers WHERE state = 'VIEWED'", &[]).await);

    chat.press("Взять заявку").await;
    assert_eq!(t.owner(order).await, Some(ANNA));
}

/// Failure 22 of the older system: times are the city's own.
#[tokio::test]
async fn times_are_on_the_clocks_of_the_orders_city() {
    let t = Dispatch::start().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Калининград', 'Europe/Kaliningrad')", &[]).await;
    let east = t.order().offered_to([ANNA]).await;
    let west = t.order().offered_to([ANNA]).await;
    t.execute(
        "UPDATE orders SET city_id = (SELECT id FROM cities WHERE name = 'Калининград') WHERE id = $1",
        &[&west.0],
    )
    .await;
    t.execute("UPDATE orders SET timeslot_start = '2027-03-05 10:00+00', timeslot_end = '2027-03-05 11:30+00'", &[])
        .await;
    let chat = t.chat(ANNA);

    chat.tap(&format!("m:new:card:{east}")).await;
    assert!(chat.screen().contains("пт 05.03 15:00–16:30"), "{}", chat.screen());
    chat.tap(&format!("m:new:card:{west}")).await;
    assert!(chat.screen().contains("пт 05.03 12:00–13:30"), "{}", chat.screen());
}

/// Failure 14 of the older system.
#[tokio::test]
async fn what_people_typed_cannot_break_a_screen() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let hostile = format!("<b>течёт & <script>\u{202e}{}", "кран 🔧 < ".repeat(2000));
    t.execute(
        "UPDATE orders SET description = $1, address = $1, client_name = $1, client_phone = $1 WHERE id = $2",
        &[&hostile, &order.0],
    )
    .await;
    t.execute("UPDATE cities SET name = $1", &[&hostile]).await;
    t.execute("UPDATE masters SET full_name = $1", &[&hostile]).await;
    let chat = t.chat(ANNA);

    chat.say("/start").await;
    chat.press("Новые заявки").await;
    chat.press(&format!("№{order}")).await;
    chat.press("Взять заявку").await;

    assert!(chat.screen().contains("<b>течёт & <script>"), "{}", chat.screen());
    let refused: Vec<_> = t.telegram.calls().into_iter().filter(|call| call.status != 200).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test]
async fn a_button_that_is_not_in_the_grammar_shows_the_list() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    for data in [
        "",
        "m:",
        "m:new:acc:",
        "m:new:acc:1:2:3",
        "m:new:acc:-1",
        "m:new:acc:99999999999999999999",
        "adm:menu",
        "m:new:0",
        "m:new:acc:1 OR 1=1",
        "м:new",
        "m:new:acc:\u{0}",
    ] {
        let tap = chat.tap(data).await;
        assert_eq!(tap.delivery.status, Some(200), "{data:?}");
        assert!(tap.notice().contains("устарела"), "{data:?}: {}", tap.notice());
        assert!(chat.screen().contains(&format!("№{order}")), "{data:?}");
    }
    assert_eq!(t.status(order).await, "SEARCHING");
}

#[tokio::test]
async fn without_a_message_to_edit_a_new_one_is_sent() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    let mut update = chat.tap_update(&format!("m:new:acc:{order}"));
    update["callback_query"]["message"]["message_id"] = 4242.into();

    chat.deliver(update).await;

    assert!(chat.screen().contains("+79990001122"), "{}", chat.screen());
    assert_eq!(chat.messages().len(), 3);
}

#[tokio::test]
async fn a_button_in_a_group_shows_nothing_in_the_group() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    let mut update = chat.tap_update(&format!("m:new:acc:{order}"));
    update["callback_query"]["message"]["chat"] = serde_json::json!({"id": -100, "type": "group", "title": "Мастера"});

    chat.deliver(update).await;

    let chats: Vec<_> = t.telegram.calls().into_iter().filter_map(|call| call.params["chat_id"].as_i64()).collect();
    assert_eq!(chats, [ANNA, ANNA], "the client's phone goes to the master alone");
}

/// The server may stop knowing a city's time zone: its times are UTC then, and say so.
#[tokio::test]
async fn times_of_a_city_whose_zone_is_lost_are_called_utc() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA]).await;
    t.execute("UPDATE orders SET timeslot_start = '2030-06-01 09:00+00', timeslot_end = '2030-06-01 11:00+00'", &[])
        .await;
    t.execute("UPDATE cities SET shown_timezone = 'UTC', timezone_lost_at = now()", &[]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    for data in ["m:new".to_owned(), format!("m:new:card:{order}"), format!("m:new:acc:{order}"), "m:act".to_owned()] {
        chat.tap(&data).await;
        let screen = chat.screen();
        assert!(screen.contains("09:00–11:00 UTC") && !screen.contains("время: Екатеринбург"), "{data}: {screen}");
        let deadlines = screen.lines().filter(|line| line.contains('⏳'));
        assert!(deadlines.into_iter().all(|line| line.ends_with(" UTC")), "{data}: {screen}");
    }
}

/// A sign that means the opposite of what people think is refused whichever way it comes in.
#[tokio::test]
async fn only_names_of_time_zones_are_a_city_s() {
    let t = Dispatch::start().await;
    for timezone in ["UTC+3", "UTC-3", "Etc/GMT+3", "GMT+3", "+03", "MSK-3", "<+03>-3", "MSK", "Mars/Olympus", ""] {
        for change in ["INSERT INTO cities (name, timezone) VALUES ('Город', $1)", "UPDATE cities SET timezone = $1"]
        {
            let error = t.sql.execute(change, &[&timezone]).await.expect_err("a refusal");
            let error = error.as_db_error().expect("of the database");
            assert!(error.message().contains("Asia/Yekaterinburg"), "{timezone}: {}", error.message());
        }
    }
    t.execute("UPDATE cities SET timezone = 'Europe/Moscow'", &[]).await;
}

/// An empty list says why, wherever it is shown.
#[tokio::test]
async fn an_empty_list_says_why_it_is_empty() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET max_active_orders = 1", &[]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    let order = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;
    assert!(chat.screen().contains("у вас в работе 1 из 1"), "after the last one: {}", chat.screen());
    chat.tap("m:new").await;
    assert!(chat.screen().contains("у вас в работе 1 из 1"), "{}", chat.screen());
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    chat.tap("m:new").await;
    assert!(chat.screen().contains("вы не на смене"), "{}", chat.screen());
    t.execute("UPDATE masters SET is_blocked = true, blocked_reason = 'долг'", &[]).await;
    chat.tap("m:new").await;
    assert!(chat.screen().contains("заблокированы: долг"), "{}", chat.screen());
}
