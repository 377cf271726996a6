//! The dispatchers' queue: what needs somebody first, what it is narrowed to, its pages, the search, an order's card; and who may
//! see what.

use field_service::bots::render::texts;
use field_service::model::OrderId;
use field_service::sim::telegram::Chat;

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, STRANGER, Settings, VERA};

const OLGA: i64 = 501;
const PETR: i64 = 502;

/// The numbers of the orders on the screen, each once, as they stand there.
fn numbers(chat: &Chat) -> Vec<i64> {
    let mut numbers = Vec::new();
    for OrderId(order) in texts::orders_in(&chat.screen()) {
        if !numbers.contains(&order) {
            numbers.push(order);
        }
    }
    numbers
}

/// The numbers on the buttons, as they stand there.
fn numbers_on_buttons(chat: &Chat) -> Vec<i64> {
    let labels = chat.buttons().into_iter().map(|button| button.text);
    labels.flat_map(|label| texts::orders_in(&label)).map(|order| order.0).collect()
}

impl Dispatch {
    /// Another city, with its own master.
    async fn another_city(&self, name: &str, zone: &str) -> i64 {
        self.one("INSERT INTO cities (name, timezone) VALUES ($1, $2) RETURNING id", &[&name, &zone]).await
    }

    /// Changes an order by hand; `$1` is the order.
    async fn set(&self, order: OrderId, what: &str) {
        self.execute(&format!("UPDATE orders SET {what} WHERE id = $1"), &[&order.0]).await;
    }
}

/// One order of each kind of trouble, made in the opposite order, and one that is in none.
async fn troubled(t: &Dispatch) -> [OrderId; 6] {
    let calm = t.order().in_status("ASSIGNED").of_master(BORIS).create().await;
    let unseen = t.order().offered_to([BORIS]).await;
    let unreachable = t.order().in_status("ASSIGNED").of_master(VERA).create().await;
    let waiting = t.order().create().await;
    let late = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    let escalated = t.order().create().await;
    t.execute("UPDATE orders SET created_at = $1, updated_at = $1, search_started_at = NULL", &[&t.clock.now()]).await;
    t.execute("UPDATE offers SET sent_at = $1, expires_at = $1::timestamptz + interval '2 minutes'", &[&t.clock.now()])
        .await;
    t.execute("UPDATE masters SET unreachable_since = now() WHERE telegram_user_id = $1", &[&VERA]).await;
    t.set(waiting, "created_at = created_at - interval '11 minutes', updated_at = created_at - interval '11 minutes'")
        .await;
    t.set(late, "timeslot_start = created_at - interval '3 hours', timeslot_end = created_at - interval '1 hour'")
        .await;
    t.set(escalated, "search_started_at = created_at, escalated_at = created_at, escalation_reason = 'ROUNDS'").await;
    t.let_pass(61);
    [escalated, late, waiting, unreachable, unseen, calm]
}

#[tokio::test]
async fn what_needs_somebody_now_comes_first() {
    let t = Dispatch::with_standing_clock(0).await;
    let orders = troubled(&t).await;
    let olga = t.add_staff(OLGA).await;
    olga.tap("adm:q").await;
    assert_eq!(numbers(&olga), orders.map(|order| order.0), "{}", olga.screen());
    for said in ["никто не взял", "время визита прошло", "без мастера ", "не доходят сообщения", "никто не открывает"]
    {
        assert!(olga.screen().contains(said), "{said}: {}", olga.screen());
    }
    assert!(olga.screen().contains("6 заявок, 🔥 горят 5"), "{}", olga.screen());
    olga.press("Горит").await;
    assert_eq!(numbers(&olga), orders[..5].iter().map(|order| order.0).collect::<Vec<_>>());
    assert!(olga.screen().contains("Показываю: 🔥 Горит"), "{}", olga.screen());
}

#[tokio::test]
async fn an_offer_that_somebody_has_opened_is_no_trouble() {
    let t = Dispatch::with_standing_clock(0).await;
    let [.., unseen, _] = troubled(&t).await;
    let olga = t.add_staff(OLGA).await;
    t.chat(BORIS).tap(&format!("m:new:card:{unseen}")).await;
    olga.tap("adm:q:f:s:urgent").await;
    assert!(!numbers(&olga).contains(&unseen.0), "{}", olga.screen());
}

#[tokio::test]
async fn of_two_with_the_same_trouble_the_older_comes_first_and_who_sees_to_one_is_named() {
    let t = Dispatch::with_standing_clock(0).await;
    let [young, old] = [t.order().create().await, t.order().create().await];
    let made = "UPDATE orders SET created_at = $1::timestamptz - interval '20 minutes', updated_at = created_at";
    t.execute(made, &[&t.clock.now()]).await;
    t.set(old, "created_at = created_at - interval '1 hour'").await;
    t.execute("UPDATE orders SET updated_at = created_at", &[]).await;
    let olga = t.add_staff(OLGA).await;
    t.set(young, "claimed_by_staff_id = (SELECT id FROM staff), claimed_at = now()").await;
    t.execute("UPDATE staff SET full_name = 'Ольга <Б>'", &[]).await;
    olga.tap("adm:q").await;
    assert_eq!(numbers(&olga), [old.0, young.0]);
    assert!(olga.screen().contains("🙋 Ольга <Б>"), "{}", olga.screen());
}

#[tokio::test]
async fn each_state_s_count_shows_its_orders() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    let mut orders = Vec::new();
    for (status, word) in [
        ("SEARCHING", "searching"),
        ("DEFERRED", "deferred"),
        ("ASSIGNED", "assigned"),
        ("EN_ROUTE", "en_route"),
        ("WORKING", "working"),
        ("PAYMENT", "payment"),
        ("CLOSED", "closed"),
        ("CANCELED", "canceled"),
    ] {
        let new = t.order().in_status(status);
        let order = if ["SEARCHING", "DEFERRED", "CANCELED"].contains(&status) { new } else { new.of_master(ANNA) };
        orders.push((order.create().await, word));
    }
    t.execute("UPDATE orders SET updated_at = $1, created_at = $1", &[&t.clock.now()]).await;
    for (order, word) in &orders {
        olga.tap(&format!("adm:q:f:s:{word}")).await;
        assert_eq!(numbers(&olga), [order.0], "{word}: {}", olga.screen());
        assert!(
            olga.buttons().iter().any(|button| button.text.starts_with("• ") && button.text.ends_with(" 1")),
            "{word}"
        );
    }
    olga.tap("adm:q:f:s:all").await;
    assert_eq!(numbers(&olga).len(), 6, "what is over is not in hand: {}", olga.screen());
}

#[tokio::test]
async fn what_was_over_on_another_day_is_shown_for_that_day() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    let [today, yesterday] =
        [t.order().in_status("CANCELED").create().await, t.order().in_status("CANCELED").create().await];
    t.execute("UPDATE orders SET updated_at = $1", &[&t.clock.now()]).await;
    t.set(yesterday, "updated_at = updated_at - interval '1 day'").await;
    olga.tap("adm:q:f:s:canceled").await;
    assert_eq!(numbers(&olga), [today.0]);
    assert!(olga.screen().contains("сегодня"), "{}", olga.screen());
    olga.press("Фильтры").await;
    olga.press("День").await;
    olga.press("вчера").await;
    olga.press("К очереди").await;
    assert_eq!(numbers(&olga), [yesterday.0]);
}

#[tokio::test]
async fn each_filter_narrows_the_queue_and_is_kept_per_person() {
    let t = Dispatch::with_standing_clock(0).await;
    let (olga, petr) = (t.add_staff(OLGA).await, t.add_staff(PETR).await);
    let perm = t.another_city("Пермь", "Asia/Yekaterinburg").await;
    let [there, wired, annas, tomorrow, other] = [
        t.order().create().await,
        t.order().create().await,
        t.order().in_status("ASSIGNED").of_master(ANNA).create().await,
        t.order().create().await,
        t.order().create().await,
    ];
    t.execute("UPDATE orders SET created_at = $1", &[&t.clock.now()]).await;
    t.execute("UPDATE orders SET city_id = $2 WHERE id = $1", &[&there.0, &perm]).await;
    t.set(wired, "category = 'ELECTRICS'").await;
    t.set(tomorrow, "timeslot_start = created_at + interval '1 day', timeslot_end = created_at + interval '26 hours'")
        .await;

    olga.tap("adm:q").await;
    assert_eq!(numbers(&olga).len(), 5);
    for (filter, choice, order, lifted) in [
        ("Город", "Пермь", there, "Все города"),
        ("Работы", "Электрика", wired, "Все работы"),
        ("Мастер", "Анна", annas, "Все мастера"),
        ("День", "завтра", tomorrow, "Любой день"),
    ] {
        olga.tap("adm:q:f").await;
        olga.press(filter).await;
        olga.press(choice).await;
        assert!(olga.screen().contains("Фильтры очереди"), "{}", olga.screen());
        olga.press("К очереди").await;
        assert_eq!(numbers(&olga), [order.0], "{filter}: {}", olga.screen());
        assert!(olga.buttons().iter().any(|button| button.text.contains("Фильтры (1)")));
        olga.tap("adm:q:f").await;
        olga.press(filter).await;
        olga.press(lifted).await;
    }
    olga.tap("adm:q:f:ts:electrics").await;
    petr.tap("adm:q").await;
    assert_eq!(numbers(&petr).len(), 5, "another person's queue is as it was");
    // It is kept, by the database.
    let again = t.restarted().await;
    let olga = again.telegram.chat(ADMIN_TOKEN, OLGA, "Диспетчер");
    olga.say("/queue").await;
    assert_eq!(numbers(&olga), [wired.0]);
    olga.tap("adm:q:f").await;
    olga.press("Убрать все").await;
    assert!(numbers(&olga).contains(&other.0) && numbers(&olga).len() == 5);
}

#[tokio::test]
async fn the_pages_can_be_turned_while_the_queue_changes() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    let mut orders = Vec::new();
    for _ in 0..23 {
        orders.push(t.order().create().await);
    }
    t.execute("UPDATE orders SET created_at = $1::timestamptz + id * interval '1 millisecond'", &[&t.clock.now()])
        .await;
    olga.tap("adm:q").await;
    let of = |range: std::ops::Range<usize>| orders[range].iter().map(|order| order.0).collect::<Vec<_>>();
    assert_eq!(numbers(&olga), of(0..10));
    assert_eq!(numbers_on_buttons(&olga), of(0..10));
    assert!(olga.screen().contains("Страница 1 из 3, всего 23"), "{}", olga.screen());
    // Two orders go meanwhile: the next page begins two later, and nothing breaks.
    t.execute("UPDATE orders SET status = 'CANCELED' WHERE id <= $1", &[&orders[1].0]).await;
    olga.press("▶").await;
    assert_eq!(numbers(&olga), of(12..22));
    olga.press("▶").await;
    assert_eq!(numbers(&olga), of(22..23));
    // A page that is not there any more is the last one, however far.
    t.execute("UPDATE orders SET status = 'CANCELED' WHERE id > $1", &[&orders[11].0]).await;
    olga.press("Обновить").await;
    assert_eq!(numbers(&olga), of(2..12));
    assert!(!olga.buttons().iter().any(|button| button.text == "▶" || button.text == "◀"));
    olga.tap("adm:q:9223372036854775807").await;
    assert_eq!(numbers(&olga), of(2..12));
    t.execute("UPDATE orders SET status = 'CANCELED'", &[]).await;
    olga.tap("adm:q:2").await;
    assert!(olga.screen().contains("Сейчас в очереди пусто"), "{}", olga.screen());
}

#[tokio::test]
async fn an_order_is_found_by_number_phone_address_and_name() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    let [first, second, over] =
        [t.order().create().await, t.order().create().await, t.order().in_status("CANCELED").create().await];
    t.set(first, "address = 'Улица Щорса, 14, кв. 3', client_name = 'Семёнова Юлия', client_phone = '+79123456789'")
        .await;
    t.set(second, "address = 'пр. Победы 14', client_name = 'Иванов', client_phone = '8 (343) 212-85-06'").await;
    t.set(over, "address = 'ул. Победы, 7', client_name = 'Петрова', client_phone = '+79990000000'").await;
    for (written, found) in [
        (format!("{}", second.0), vec![second]),
        (format!("№{}", over.0), vec![over]),
        ("456".to_owned(), vec![first]),
        ("8 912 345-67-89".to_owned(), vec![first]),
        ("212-85-06".to_owned(), vec![second]),
        ("щорса".to_owned(), vec![first]),
        ("ШОРСА 14".to_owned(), vec![first]),
        ("ул. победы".to_owned(), vec![second, over]),
        ("Победы 7".to_owned(), vec![over]),
        ("семенова".to_owned(), vec![first]),
        ("юлия щорса".to_owned(), vec![first]),
    ] {
        olga.tap("adm:q:s").await;
        assert!(olga.screen().contains("Что найти?"), "{}", olga.screen());
        olga.say(&written).await;
        let expected: Vec<i64> = found.iter().map(|order| order.0).collect();
        assert_eq!(numbers_on_buttons(&olga), expected, "{written}: {}", olga.screen());
    }
    // From what was found to the card, and back.
    olga.press(&format!("№{first}")).await;
    assert!(olga.screen().contains(&format!("Заявка №{first}")), "{}", olga.screen());
    olga.press("К найденному").await;
    assert_eq!(numbers_on_buttons(&olga), [first.0]);
}

#[tokio::test]
async fn digits_alone_are_searched_for_without_being_asked_and_the_same_again_when_delivered_again() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    let [first, second] = [t.order().create().await, t.order().create().await];
    t.set(first, "client_phone = '+79123456789'").await;
    olga.say(&format!("№{second}")).await;
    assert_eq!(numbers_on_buttons(&olga), [second.0]);
    let update = olga.text_update("345-67");
    olga.deliver(update.clone()).await;
    assert_eq!(numbers_on_buttons(&olga), [first.0], "{}", olga.screen());
    olga.tap("adm:menu").await;
    olga.deliver(update).await;
    assert_eq!(numbers_on_buttons(&olga), [first.0], "{}", olga.screen());
}

/// Words that come right after a search are looked for too, unless they say an order.
#[tokio::test]
async fn a_search_that_has_found_something_goes_on_until_something_else_is_done() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    let first = t.order().in_status("SEARCHING").create().await;
    let second = t.order().in_status("SEARCHING").create().await;
    t.set(first, "address = 'Шейнкмана 45', client_name = 'Анна'").await;
    t.set(second, "address = 'Мира 1', client_name = 'Фёдор'").await;
    olga.tap("adm:q:s").await;
    olga.say("Шейнкмана").await;
    assert_eq!(numbers(&olga), [first.0]);
    olga.say("фёдор").await;
    assert_eq!(numbers(&olga), [second.0]);
    olga.say("Шейнкмана 45").await;
    assert_eq!(numbers(&olga), [first.0]);
    olga.say("Малышева 84, 8 912 345 67 89, не греет бойлер").await;
    assert!(olga.screen().contains("Малышева 84"), "{}", olga.screen());
    assert_eq!(t.one::<i64>("SELECT count(*) FROM order_drafts", &[]).await, 1);
    // What is done meanwhile ends it.
    olga.tap("adm:q:s").await;
    olga.say("Шейнкмана").await;
    olga.tap("adm:menu").await;
    olga.say("фёдор").await;
    assert!(olga.screen().contains("Не понял"), "{}", olga.screen());
}

#[tokio::test]
async fn a_search_that_finds_nothing_goes_on_and_what_people_write_is_no_pattern() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    let order = t.order().create().await;
    t.set(order, "address = 'ул. Мира, 5%'").await;
    olga.tap("adm:q:s").await;
    for nothing in ["%%%", "____", "<b>Ленина</b>", "'; DROP TABLE orders --", "абвгд", "🔧🔧🔧", "а", "ул. д. 5"]
    {
        olga.say(nothing).await;
        let screen = olga.screen();
        assert!(screen.contains("ничего не нашлось") || screen.contains("Слишком коротко"), "{nothing}: {screen}");
    }
    olga.say(&"щ".repeat(4000)).await;
    assert!(olga.screen().contains("ничего не нашлось"), "{}", olga.screen());
    olga.say("мира").await;
    assert_eq!(numbers_on_buttons(&olga), [order.0]);
    // A photo, or somebody else's words, are no search.
    olga.tap("adm:q:s").await;
    olga.deliver(olga.forwarded_update("мира")).await;
    assert!(olga.screen().contains("своими словами"), "{}", olga.screen());
    olga.say("мира").await;
    assert_eq!(numbers_on_buttons(&olga), [order.0]);
}

#[tokio::test]
async fn a_search_follows_what_an_order_says_now_and_forgets_what_is_deleted() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    let order = t.order().create().await;
    t.set(order, "address = 'ул. Садовая, 1'").await;
    let found = async |words: &str| {
        olga.tap("adm:q:s").await;
        olga.say(words).await;
        numbers_on_buttons(&olga)
    };
    assert_eq!(found("садовая").await, [order.0]);
    assert_eq!(found("Ленина").await, Vec::<i64>::new());
    t.execute("DELETE FROM orders", &[]).await;
    assert_eq!(found("садовая").await, Vec::<i64>::new());
    assert_eq!(t.one::<i64>("SELECT count(*) FROM order_search", &[]).await, 0);
}

#[tokio::test]
async fn nobody_sees_what_is_another_city_s() {
    let t = Dispatch::with_standing_clock(0).await;
    let perm = t.another_city("Пермь", "Asia/Yekaterinburg").await;
    let petr = t.add_staff_as(PETR, "DISPATCHER", &[perm]).await;
    let [ours, theirs] = [t.order().create().await, t.order().in_status("ASSIGNED").of_master(ANNA).create().await];
    t.execute("UPDATE orders SET city_id = $2, address = 'ул. Камская, 1' WHERE id = $1", &[&ours.0, &perm]).await;
    petr.say("/start").await;
    assert!(petr.screen().contains("В очереди 1 заявка"), "{}", petr.screen());
    petr.tap("adm:q").await;
    assert_eq!(numbers(&petr), [ours.0]);
    for card in [format!("adm:q:card:{theirs}:1"), format!("adm:q:sc:{theirs}:1"), "adm:q:card:999999".to_owned()] {
        assert!(petr.tap(&card).await.notice().contains("Такой заявки нет"), "{card}");
        assert_eq!(numbers(&petr), [ours.0], "the queue is shown instead");
    }
    for written in [format!("№{theirs}"), "+79990001122".to_owned(), "Ленина".to_owned(), "Клиентова".to_owned()]
    {
        petr.tap("adm:q:s").await;
        petr.say(&written).await;
        assert!(!numbers_on_buttons(&petr).contains(&theirs.0), "{written}: {}", petr.screen());
    }
    // Forged filters narrow nothing, and name nobody.
    let city: i64 = t.one("SELECT min(id) FROM cities", &[]).await;
    let anna: i64 = t.one("SELECT id FROM masters WHERE telegram_user_id = $1", &[&ANNA]).await;
    for forged in [format!("adm:q:f:cs:{city}"), format!("adm:q:f:ms:{anna}")] {
        petr.tap(&forged).await;
        assert!(!petr.screen().contains("Анна"), "{}", petr.screen());
        petr.tap("adm:q").await;
        assert_eq!(numbers(&petr), [ours.0], "{forged}");
    }
    for list in ["adm:q:f:c", "adm:q:f:m"] {
        petr.tap(list).await;
        assert!(
            !petr.buttons().iter().any(|button| button.text.contains("Анна") || button.text.contains("Екатеринбург"))
        );
    }
    // A filter that was set while one had the right narrows nothing afterwards.
    t.execute("DELETE FROM staff_cities", &[]).await;
    petr.tap(&format!("adm:q:f:ms:{anna}")).await;
    petr.tap("adm:q").await;
    assert_eq!(numbers(&petr), [theirs.0]);
    t.execute("INSERT INTO staff_cities SELECT id, $1 FROM staff", &[&perm]).await;
    petr.tap("adm:q").await;
    assert_eq!(numbers(&petr), [ours.0]);
}

#[tokio::test]
async fn a_viewer_reads_and_others_are_strangers() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = t.order().offered_to([ANNA]).await;
    let viewer = t.add_staff_as(OLGA, "VIEWER", &[]).await;
    let gone = t.add_staff(PETR).await;
    t.execute("UPDATE staff SET is_active = false WHERE telegram_user_id = $1", &[&PETR]).await;
    viewer.tap("adm:q").await;
    assert_eq!(numbers(&viewer), [order.0]);
    viewer.tap("adm:q:f:s:searching").await;
    assert_eq!(numbers(&viewer), [order.0], "what one looks at is one's own");
    viewer.press(&format!("№{order}")).await;
    assert!(viewer.screen().contains("Клиентова"), "{}", viewer.screen());
    let offered: Vec<String> = viewer.buttons().into_iter().map(|button| button.data).collect();
    let acting = offered.iter().filter(|data| data.starts_with("adm:o") || data.starts_with("adm:q:as"));
    assert_eq!(acting.count(), 0, "{offered:?}");

    let (master, stranger) =
        (t.telegram.chat(ADMIN_TOKEN, ANNA, "Анна"), t.telegram.chat(ADMIN_TOKEN, STRANGER, "Никто"));
    for chat in [&gone, &master, &stranger] {
        for data in ["adm:q", "adm:q:f", "adm:q:f:m", "adm:q:f:x", "adm:q:s:1", &format!("adm:q:card:{order}:1")] {
            let tap = chat.tap(data).await;
            assert!(tap.notice().contains("вас в нём пока нет"), "{data}: {}", tap.notice());
            assert!(!chat.screen().contains("Клиентова") && !chat.screen().contains("Ленина"), "{}", chat.screen());
        }
    }
    assert_eq!(t.one::<i64>("SELECT count(*) FROM staff_queues", &[]).await, 1);
}

#[tokio::test]
async fn a_card_says_who_was_asked_what_they_did_and_why() {
    let t = Dispatch::with_standing_clock(1).await;
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = 200", &[]).await;
    let olga = t.add_staff(OLGA).await;
    let order = t.order().in_status("CREATED").create().await;
    t.set(order, "description = 'Течёт <кран>', comment = 'Домофон 12'").await;
    for user in [ANNA, BORIS, VERA] {
        t.chat(user).open();
    }
    t.tick().await;
    t.tell().await;
    t.chat(ANNA).tap(&format!("m:new:card:{order}")).await;
    t.chat(BORIS).tap(&format!("m:new:dec_yes:{order}")).await;
    olga.tap(&format!("adm:q:card:{order}")).await;
    let screen = olga.screen();
    for said in [
        "Мария Клиентова",
        "8 (999) 000-11-22",
        "Течёт <кран>",
        "💬 Мастеру: Домофон 12",
        "волна 1",
        "Анна: доставлено · открыл",
        "Борис: доставлено · отклонил",
        "Вера: доставлено · не открыл",
        "Почему эти мастера",
        "не на смене: 1",
        "Что было",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    // It goes on: taken, and the card says by whom.
    t.tap_accept(ANNA, order).await;
    olga.press("Обновить").await;
    let screen = olga.screen();
    assert!(screen.contains("👷 Анна") && screen.contains("взял") && screen.contains("снято"), "{screen}");
    assert!(screen.contains("ждёт выезда — Анна"), "{screen}");
    olga.press("К очереди").await;
    assert_eq!(numbers(&olga), [order.0]);
    // A master who had it and has it no more is not said to have been merely offered it.
    t.let_pass(60);
    olga.tap(&format!("adm:q:as:any:{order}:2")).await;
    let screen = olga.screen();
    assert!(screen.contains("Анна: доставлено") && screen.contains(", передана другому "), "{screen}");
    assert_eq!(screen.matches("➖").count(), screen.matches("снято").count() + 1, "{screen}");
    // What staff do: to whom it was given, what was there before, and for how much it was closed.
    olga.tap(&format!("adm:o:addr:{order}")).await;
    olga.say("ул. Мира, 7").await;
    olga.tap(&format!("adm:q:as:any:{order}:3")).await;
    t.set(order, "status = 'PAYMENT'").await;
    olga.tap(&format!("adm:o:cls:{order}:250000")).await;
    let screen = olga.screen();
    for said in [
        "изменён адрес, было «ул. Ленина, 5» — Диспетчер",
        "ждёт выезда, мастер Вера — Диспетчер",
        "закрыта, 2\u{a0}500\u{a0}₽ — Диспетчер",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
}

#[tokio::test]
async fn the_longest_queue_and_the_longest_card_find_room_in_a_message() {
    let t = Dispatch::with_standing_clock(20).await;
    let olga = t.add_staff(OLGA).await;
    let long = "Ж<&>".repeat(700);
    t.execute("UPDATE cities SET name = left($1, 300)", &[&long]).await;
    t.execute("UPDATE masters SET full_name = $1, phone = left($1, 300), unreachable_since = now()", &[&long]).await;
    t.execute("UPDATE staff SET full_name = $1", &[&long]).await;
    for _ in 0..11 {
        t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    }
    t.execute(
        "UPDATE orders SET id = 900000000000 + id, address = $1, description = $1, client_name = $1, client_phone = $1,
                comment = $1, claimed_by_staff_id = (SELECT min(id) FROM staff), claimed_at = now(),
                created_by_staff_id = (SELECT min(id) FROM staff), preferred_master_id = 1, escalated_at = $2,
                escalation_reason = 'NOBODY_LEFT', created_at = $2::timestamptz - interval '40 days',
                timeslot_start = $2::timestamptz - interval '20 days', timeslot_end = $2::timestamptz - interval '10 days'",
        &[&long, &t.clock.now()],
    )
    .await;
    olga.tap("adm:q:f:ms:1").await;
    olga.tap("adm:q:f:ds:2026-12-01").await;
    olga.tap("adm:q:f:ds:all").await;
    olga.tap("adm:q").await;
    assert_eq!(numbers(&olga).len(), 10, "{}", olga.screen());
    let order = numbers(&olga)[0];
    let [many, kinds] = [
        "INSERT INTO offers (order_id, master_id, state, expires_at, sent_at, viewed_at, responded_at)
         SELECT $1, id, 'DECLINED', now(), now(), now(), now() FROM masters",
        "INSERT INTO dispatch_rounds (order_id, search_started_at, round_number, policy_id, chosen, excluded)
         SELECT $1, now(), n, 1, (SELECT jsonb_agg(id) FROM masters),
                '{\"CATEGORY\": 100, \"DISTRICT\": 100, \"ASKED\": 100, \"BLOCKED\": 100, \"UNREACHABLE\": 100, \"OFF_SHIFT\": 100,
                  \"LIMIT\": 100, \"HELD\": 100, \"FAILED\": 100, \"RANK\": 100, \"LATER\": 1}'
         FROM generate_series(1, 5) AS n",
    ];
    t.execute(many, &[&order]).await;
    t.execute(kinds, &[&order]).await;
    t.execute(
        "INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, changed_by_master_id, reason)
         SELECT $1, 'SEARCHING', 'SEARCHING', 'MASTER', 1, $2 FROM generate_series(1, 12)",
        &[&order, &long],
    )
    .await;
    for status in ["ASSIGNED", "SEARCHING"] {
        t.execute("UPDATE orders SET status = $1", &[&status]).await;
        olga.tap(&format!("adm:q:card:{order}:1")).await;
        assert!(olga.screen().contains(&format!("Заявка №{order}")), "{status}: {}", olga.screen());
    }
    olga.tap("adm:q").await;
    assert_eq!(numbers(&olga).len(), 10);
    olga.tap("adm:q:s").await;
    olga.say("жжж").await;
    olga.say("ж").await;
    olga.tap("adm:q:f").await;
    assert!(olga.screen().contains("Фильтры очереди"));
}

#[tokio::test]
async fn a_filter_that_is_delivered_again_does_not_come_back() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    t.order().create().await;
    olga.say("/start").await;
    let update = olga.tap_update("adm:q:f:s:payment");
    olga.deliver(update.clone()).await;
    assert!(olga.screen().contains("Здесь сейчас пусто"), "{}", olga.screen());
    olga.tap("adm:q:f:s:all").await;
    olga.deliver(update).await;
    assert_eq!(numbers(&olga).len(), 1, "it is shown as it is now: {}", olga.screen());
    let state: Option<String> = t.one("SELECT state FROM staff_queues", &[]).await;
    assert_eq!(state, None);
}

#[tokio::test]
async fn a_button_that_nobody_can_mean_shows_the_menu() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    for data in [
        "adm:q:f:y",
        "adm:q:f:s",
        "adm:q:f:s:",
        "adm:q:f:s:URGENT",
        "adm:q:f:ts:carpets",
        "adm:q:f:cs:0",
        "adm:q:f:ms:-1",
        "adm:q:f:ds:2026-02-30",
        "adm:q:f:ds:9999-01-01",
        "adm:q:f:ds:20260101",
        "adm:q:s:0",
        "adm:q:sc",
        "adm:q:f:c:0",
    ] {
        assert!(olga.tap(data).await.notice().contains("устарела"), "{data}");
    }
}

#[tokio::test]
async fn the_queue_the_search_and_the_card_work_without_prepared_statements() {
    let t = Dispatch::start_with(Settings { unnamed_statements: true, ..Settings::default() }).await;
    let olga = t.add_staff(OLGA).await;
    let order = t.order().offered_to([ANNA]).await;
    olga.say("/start").await;
    olga.press("Очередь").await;
    assert_eq!(numbers(&olga), [order.0]);
    for narrowed in ["adm:q:f:s:searching", "adm:q:f:ts:plumbing", "adm:q:f:cs:1", "adm:q:f:c", "adm:q:f:m"] {
        assert_eq!(olga.tap(narrowed).await.delivery.status, Some(200), "{narrowed}");
    }
    olga.tap("adm:q:f:d").await;
    olga.press("сегодня").await;
    olga.press("К очереди").await;
    assert_eq!(numbers(&olga), [order.0]);
    olga.say("990001122").await;
    assert_eq!(numbers_on_buttons(&olga), [order.0]);
    olga.tap("adm:q:s").await;
    olga.say("Ленина Мария").await;
    assert_eq!(numbers_on_buttons(&olga), [order.0]);
    olga.press(&format!("№{order}")).await;
    assert!(olga.screen().contains("Мария Клиентова"), "{}", olga.screen());
}
