//! Figures for people: each number is what the database holds, on the city's own clock, of the reader's cities alone.

use field_service::bots::callback::staff::{FiguresTap, StaffCallback};
use field_service::bots::render::Screen;
use field_service::bots::render::staff::figures as screens;
use field_service::dispatch::figures::{self, Figures, MasterFigures, Scope};
use field_service::model::figures::{Closed, Found, LostTaps, Period};
use field_service::model::order::Stage;
use field_service::model::{CityId, OrderId, OrderStatus, StaffRef, TelegramUserId};
use field_service::sim::telegram;
use field_service::store::Clock;
use jiff::Timestamp;

use crate::harness::{ANNA, BORIS, Dispatch, Settings, VERA};

const OLGA: i64 = 501;
const EKATERINBURG: CityId = CityId(1);
/// Five hours behind the other.
const KALININGRAD: CityId = CityId(2);

/// It is 01:00 in Yekaterinburg, where the day has just begun, and 22:00 of the day before in Kaliningrad.
async fn at_night() -> Dispatch {
    let clock = Clock::standing_at("2026-11-29T20:00:00Z".parse::<Timestamp>().expect("a time"));
    let t = Dispatch::start_with(Settings { clock, ..Settings::default() }).await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Калининград', 'Europe/Kaliningrad')", &[]).await;
    t
}

async fn read(t: &Dispatch, user: i64, period: Period, city: Option<CityId>) -> Option<Figures> {
    let staff = StaffRef::Telegram(TelegramUserId(user));
    figures::figures(&t.app.store, staff, Scope { period, city }).await.expect("a database")
}

async fn read_masters(t: &Dispatch, scope: Scope, page: i64) -> MasterFigures {
    let staff = StaffRef::Telegram(TelegramUserId(OLGA));
    figures::masters(&t.app.store, staff, scope, (page, MasterFigures::PAGE))
        .await
        .expect("a database")
        .expect("a reader")
}

/// An order that came then, in that city and status.
async fn order(t: &Dispatch, city: CityId, status: &str, at: &str) -> OrderId {
    let master = ["ASSIGNED", "EN_ROUTE", "WORKING", "PAYMENT", "CLOSED"].contains(&status);
    OrderId(
        t.one(
            "INSERT INTO orders (city_id, category, status, address, client_name, client_phone, created_at, updated_at,
                                 next_round_at, assigned_master_id)
             SELECT $1, 'PLUMBING', $2, 'x', 'x', '+7', at, at, at, CASE WHEN $4 THEN (SELECT min(id) FROM masters) END
             FROM (SELECT $3::text::timestamptz AS at) AS moment
             RETURNING id",
            &[&city.0, &status, &at, &master],
        )
        .await,
    )
}

/// That it had a master so many seconds later: in that round, or by hand.
async fn found(t: &Dispatch, order: OrderId, seconds: i32, round: Option<i32>) {
    t.execute(
        "INSERT INTO distribution_metrics (order_id, master_id, assigned_at, round_number, candidates_count,
                                           time_to_assign_seconds, city_id, is_first)
         SELECT id, (SELECT min(id) FROM masters), created_at + $2::integer * interval '1 second', $3, 1, $2, city_id,
                NOT EXISTS (SELECT FROM distribution_metrics WHERE order_id = $1)
         FROM orders WHERE id = $1",
        &[&order.0, &seconds, &round],
    )
    .await;
}

#[tokio::test]
async fn today_begins_at_midnight_in_each_city() {
    let t = at_night().await;
    t.add_staff(OLGA).await;
    for (city, at) in [
        (EKATERINBURG, "2026-11-29T18:59:59Z"),
        (EKATERINBURG, "2026-11-29T19:00:01Z"),
        (KALININGRAD, "2026-11-28T21:59:59Z"),
        (KALININGRAD, "2026-11-28T22:00:01Z"),
        (KALININGRAD, "2026-11-29T18:00:00Z"),
    ] {
        order(&t, city, "SEARCHING", at).await;
    }
    let came = async |period, city| read(&t, OLGA, period, city).await.expect("a reader").came.total();
    assert_eq!(came(Period::Today, Some(EKATERINBURG)).await, 1);
    assert_eq!(came(Period::Today, Some(KALININGRAD)).await, 2);
    assert_eq!(came(Period::Today, None).await, 3);
    assert_eq!(came(Period::Week, None).await, 5);
    let days = async |period, city| {
        let (first, last) = read(&t, OLGA, period, city).await.expect("a reader").place.days;
        format!("{first} {last}")
    };
    assert_eq!(days(Period::Today, Some(EKATERINBURG)).await, "2026-11-30 2026-11-30");
    assert_eq!(days(Period::Week, Some(KALININGRAD)).await, "2026-11-23 2026-11-29");
    assert_eq!(days(Period::Month, Some(KALININGRAD)).await, "2026-10-31 2026-11-29");
}

/// Orders of a week whose figures are known.
async fn a_known_week() -> Dispatch {
    let t = at_night().await;
    t.add_staff(OLGA).await;
    // Before the week: nothing of it counts but that it was closed within.
    let old = order(&t, EKATERINBURG, "CLOSED", "2026-11-20T09:00:00Z").await;
    found(&t, old, 5, Some(1)).await;
    t.execute("UPDATE orders SET final_amount = 1000.40, updated_at = '2026-11-25T09:00:00Z' WHERE id = $1", &[&old.0])
        .await;
    for (status, seconds, round) in [
        ("CLOSED", 10, Some(1)),
        ("CLOSED", 20, Some(1)),
        ("WORKING", 30, Some(1)),
        ("ASSIGNED", 40, Some(2)),
        ("PAYMENT", 50, Some(2)),
        ("EN_ROUTE", 60, Some(3)),
        ("ASSIGNED", 70, Some(7)),
        ("ASSIGNED", 80, None),
        ("ASSIGNED", 90, None),
        ("SEARCHING", 600, Some(1)),
    ] {
        let order = order(&t, EKATERINBURG, status, "2026-11-26T09:00:00Z").await;
        found(&t, order, seconds, round).await;
        // A master after the first one changes nothing.
        if status == "ASSIGNED" {
            found(&t, order, 5000, None).await;
        }
    }
    for status in ["CREATED", "GUARANTEE", "CANCELED", "DEFERRED"] {
        order(&t, EKATERINBURG, status, "2026-11-27T09:00:00Z").await;
    }
    t.execute("UPDATE orders SET final_amount = 2500.20 WHERE status = 'CLOSED' AND final_amount IS NULL", &[]).await;
    t.execute(
        "UPDATE orders SET escalated_at = created_at, escalation_reason = 'TIME' WHERE status IN ('CREATED', 'CANCELED')",
        &[],
    )
    .await;
    // What needed staff once, and does not any more, did so.
    t.execute("UPDATE orders SET escalated_at = NULL, escalation_reason = NULL WHERE status = 'CREATED'", &[]).await;
    t
}

#[tokio::test]
async fn every_number_of_a_week_is_what_the_database_holds() {
    let t = a_known_week().await;
    let week = read(&t, OLGA, Period::Week, Some(EKATERINBURG)).await.expect("a reader");
    assert_eq!(week.came.total(), 14);
    assert_eq!([Stage::Open, Stage::Active].map(|stage| week.came.at(stage)), [4, 7]);
    assert_eq!([OrderStatus::Closed, OrderStatus::Canceled].map(|status| week.came.of(status)), [2, 1]);
    assert_eq!(week.came.escalated, 2);
    assert_eq!(week.found, Found { rounds: [4, 2, 2], by_hand: 2, seconds: Some((50, 90)) });
    assert_eq!(week.closed, Closed { orders: 3, rubles: 6001 });
    assert_eq!(week.lost, LostTaps::default());
    let today = read(&t, OLGA, Period::Today, None).await.expect("a reader");
    assert_eq!((today.came.total(), today.found, today.closed), (0, Found::default(), Closed::default()));
}

#[tokio::test]
async fn what_people_do_is_counted_as_they_did_it() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let taken = t.order().offered_to([ANNA, BORIS]).await;
    let declined = t.order().offered_to([VERA]).await;
    t.tap_accept(ANNA, taken).await;
    assert!(t.tap_accept(BORIS, taken).await.notice().contains("Уже занято"));
    t.chat(VERA).tap(&format!("m:new:dec_yes:{declined}")).await;
    t.steps(&t.chat(ANNA), taken, &["enr", "wrk", "cls_yes"]).await;
    t.chat(ANNA).tap(&format!("m:act:cls:{taken}")).await;
    t.answer(&t.chat(ANNA), "2500").await;
    assert_eq!(t.status(taken).await, "CLOSED");

    let today = read(&t, OLGA, Period::Today, None).await.expect("a reader");
    assert_eq!((today.came.total(), today.found.rounds, today.found.by_hand), (2, [1, 0, 0], 0));
    assert_eq!(today.closed, Closed { orders: 1, rubles: 2500 });
    assert_eq!(today.lost.taps, 1);
    let (median, closest) = today.lost.behind.expect("a tap");
    assert!(median == closest && median < 60_000, "{median} {closest}");

    let masters = read_masters(&t, Scope::default(), 1).await;
    let lines: Vec<_> = masters
        .lines
        .iter()
        .map(|line| (line.name.as_str(), line.asked, line.took, line.declined, line.let_pass, line.closed.rubles))
        .collect();
    assert_eq!(lines, [("Анна", 1, 1, 0, 0, 2500), ("Борис", 1, 0, 0, 0, 0), ("Вера", 1, 0, 1, 0, 0)]);
    assert!(masters.lines[0].answer_seconds.is_some() && masters.lines[1].answer_seconds.is_none());
    t.check().await;
}

#[tokio::test]
async fn a_tap_that_loses_much_later_lost_no_race() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.tap_accept(ANNA, order).await;
    t.execute("UPDATE distribution_metrics SET assigned_at = assigned_at - interval '1 hour'", &[]).await;
    assert!(t.tap_accept(BORIS, order).await.notice().contains("Уже занято"));
    assert_eq!(read(&t, OLGA, Period::Today, None).await.expect("a reader").lost, LostTaps::default());
}

#[tokio::test]
async fn whoever_waits_longest_could_be_asked_at_once() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    t.execute(
        "UPDATE master_activity SET last_asked_at = now() - make_interval(hours => 10 - master_id::integer)",
        &[],
    )
    .await;
    let longest = async || read(&t, OLGA, Period::Today, None).await.expect("a reader").longest.map(|who| who.name);
    assert_eq!(longest().await.as_deref(), Some("Анна"));
    // Where there are districts, nobody is asked who has none.
    t.execute("INSERT INTO districts (city_id, name) VALUES (1, 'Север')", &[]).await;
    assert_eq!(longest().await, None);
    t.execute("INSERT INTO master_districts SELECT id, (SELECT max(id) FROM districts) FROM masters", &[]).await;
    assert_eq!(longest().await.as_deref(), Some("Анна"));
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = $1", &[&ANNA]).await;
    assert_eq!(longest().await.as_deref(), Some("Борис"));
    t.order().offered_to([BORIS]).await;
    assert_eq!(longest().await.as_deref(), Some("Вера"), "who has an offer is asked");
    t.execute("UPDATE masters SET is_blocked = true WHERE telegram_user_id = $1", &[&VERA]).await;
    assert_eq!(longest().await, None);
}

/// A wave of that city and moment, which passed a master over who had waited so long.
async fn passed_over(t: &Dispatch, city: CityId, at: &str, user: i64, seconds: i32) {
    let order = order(t, city, "CLOSED", at).await;
    t.execute(
        "INSERT INTO dispatch_rounds (order_id, search_started_at, round_number, policy_id, created_at, chosen, excluded, city_id,
                                      passed_over_master_id, passed_over_seconds)
         SELECT $1, at, 1, 1, at, '[]', '{\"RANK\": 1}', $2, (SELECT id FROM masters WHERE telegram_user_id = $4), $5
         FROM (SELECT $3::text::timestamptz AS at) AS moment",
        &[&order.0, &city.0, &at, &user, &seconds],
    )
    .await;
}

#[tokio::test]
async fn nobody_waited_longer_than_is_said_for_each_city_and_week() {
    let t = at_night().await;
    t.add_staff(OLGA).await;
    // In Yekaterinburg it is Monday already.
    for (city, at, user, seconds) in [
        (EKATERINBURG, "2026-11-29T19:30:00Z", ANNA, 90),
        (EKATERINBURG, "2026-11-29T18:30:00Z", BORIS, 3_000),
        (EKATERINBURG, "2026-11-24T09:00:00Z", ANNA, 4_000),
        (EKATERINBURG, "2026-11-24T09:05:00Z", BORIS, 3_999),
        (EKATERINBURG, "2026-11-20T09:00:00Z", VERA, 9_999),
        // Before the month's first day, and in its first week.
        (EKATERINBURG, "2026-10-28T09:00:00Z", BORIS, 20_000),
        (EKATERINBURG, "2026-10-25T09:00:00Z", BORIS, 30_000),
        (KALININGRAD, "2026-11-29T19:30:00Z", VERA, 5_000),
    ] {
        passed_over(&t, city, at, user, seconds).await;
    }
    let said = async |period, city| {
        let figures = read(&t, OLGA, period, city).await.expect("a reader");
        let bounds = figures.bounds.iter().map(|bound| {
            format!("{} {} {} {}", bound.city, bound.week, bound.seconds, bound.name.as_deref().unwrap_or("—"))
        });
        (bounds.collect::<Vec<_>>(), figures.bound().map(|bound| bound.seconds))
    };
    assert_eq!(
        said(Period::Week, None).await,
        (
            vec![
                "Екатеринбург 2026-11-30 90 Анна".to_owned(),
                "Екатеринбург 2026-11-23 4000 Анна".to_owned(),
                "Калининград 2026-11-23 5000 Вера".to_owned(),
            ],
            Some(5_000)
        )
    );
    assert_eq!(said(Period::Today, Some(EKATERINBURG)).await.1, Some(90));
    let (weeks, longest) = said(Period::Month, Some(EKATERINBURG)).await;
    assert_eq!(
        (weeks.last().map(String::as_str), longest),
        (Some("Екатеринбург 2026-10-26 20000 Борис"), Some(20_000))
    );
    let screen = screens::figures(&read(&t, OLGA, Period::Week, Some(EKATERINBURG)).await.expect("a reader"));
    assert!(
        screen.text.contains("никто не ждал дольше 1 ч 7 мин (Анна)\nс 30.11: 1 мин 30 с (Анна)"),
        "{}",
        screen.text
    );
    let masters = read_masters(&t, Scope { period: Period::Week, city: Some(EKATERINBURG) }, 1).await;
    let longest: Vec<_> =
        masters.lines.iter().map(|line| (line.name.as_str(), line.asked, line.passed_over_seconds)).collect();
    assert_eq!(longest, [("Анна", 0, Some(4_000)), ("Борис", 0, Some(3_999)), ("Вера", 0, None)]);
}

#[tokio::test]
async fn hours_on_shift_are_those_of_the_period() {
    let t = at_night().await;
    t.add_staff(OLGA).await;
    t.execute("UPDATE masters SET created_at = '2026-11-01T00:00:00Z'", &[]).await;
    for (user, on) in [(BORIS, false), (BORIS, true), (BORIS, false), (VERA, false)] {
        t.execute("UPDATE masters SET on_shift = $2 WHERE telegram_user_id = $1", &[&user, &on]).await;
    }
    // Boris left at midnight, came at 00:10 and left at 00:50; Vera left before the week began.
    t.execute(
        "UPDATE master_changes SET created_at = at::timestamptz
         FROM (SELECT id AS change, master_id AS of, row_number() OVER (PARTITION BY master_id ORDER BY id) AS number
               FROM master_changes WHERE what = 'SHIFT') AS each
         JOIN (VALUES (2, 1, '2026-11-29T19:00:00Z'), (2, 2, '2026-11-29T19:10:00Z'), (2, 3, '2026-11-29T19:50:00Z'),
                      (3, 1, '2026-11-10T00:00:00Z')) AS times (of, number, at) USING (of, number)
         WHERE master_changes.id = each.change",
        &[],
    )
    .await;
    let hours = async |period| {
        let lines = read_masters(&t, Scope { period, city: Some(EKATERINBURG) }, 1).await.lines;
        lines.into_iter().map(|line| (line.name, line.on_shift_seconds)).collect::<Vec<_>>()
    };
    let named = |all: &[(&str, i64)]| all.iter().map(|(name, of)| ((*name).to_owned(), *of)).collect::<Vec<_>>();
    // It is 01:00: whoever was not on shift today is not listed.
    assert_eq!(hours(Period::Today).await, named(&[("Анна", 3_600), ("Борис", 2_400)]));
    let (day, month) = (24 * 3_600, 29 * 24 * 3_600);
    assert_eq!(
        hours(Period::Month).await,
        // Since the 1st of November, 05:00 there.
        named(&[("Анна", month - 4 * 3_600), ("Борис", month - 5 * 3_600 + 2_400), ("Вера", 9 * day),])
    );
}

#[tokio::test]
async fn nobody_sees_the_figures_of_another_city() {
    let t = a_known_week().await;
    let of_kaliningrad = t.add_staff_as(502, "DISPATCHER", &[KALININGRAD.0]).await;
    t.add_staff_as(503, "VIEWER", &[EKATERINBURG.0]).await;
    assert_eq!(read(&t, 502, Period::Month, Some(EKATERINBURG)).await, None);
    let own = read(&t, 502, Period::Month, None).await.expect("a reader");
    assert_eq!((own.came.total(), own.closed, own.place.name.as_deref()), (0, Closed::default(), Some("Калининград")));
    assert_eq!(read(&t, 503, Period::Week, None).await.expect("a reader").came.total(), 14, "viewers look");
    assert_eq!(read(&t, 999, Period::Week, None).await, None, "a stranger");

    let tap = of_kaliningrad.tap("adm:fig:30:1").await;
    assert!(tap.notice().contains("не открыт"), "{}", tap.notice());
    assert!(of_kaliningrad.screen().contains("Калининград"), "{}", of_kaliningrad.screen());
    for data in ["adm:fig:m:30:1:1", "adm:fig:m:30:1", "adm:fig:30:1"] {
        of_kaliningrad.tap(data).await;
        assert!(!of_kaliningrad.screen().contains("Екатеринбург"), "{}", of_kaliningrad.screen());
    }
    of_kaliningrad.tap("adm:fig:c:1").await;
    assert!(of_kaliningrad.buttons().iter().all(|button| !button.text.contains("Екатеринбург")));
}

#[tokio::test]
async fn the_figures_are_walked_through_with_their_buttons() {
    let t = a_known_week().await;
    let olga = t.telegram.chat(crate::harness::ADMIN_TOKEN, OLGA, "Ольга");
    olga.say("/figures").await;
    assert!(olga.screen().contains("Сегодня · 2 города"), "{}", olga.screen());
    olga.press("7 дней").await;
    assert!(olga.screen().contains("Поступило: 14 заявок"), "{}", olga.screen());
    olga.press("По мастерам").await;
    assert!(olga.screen().contains("Мастера какого города?"));
    olga.press("Екатеринбург").await;
    assert!(olga.screen().contains("7 дней · Екатеринбург"), "{}", olga.screen());
    olga.press("По заявкам").await;
    assert!(olga.screen().contains("Поступило: 14 заявок"));
    olga.press("Город").await;
    olga.press("Калининград").await;
    assert!(olga.screen().contains("новых заявок не было"), "{}", olga.screen());
    olga.press("Город").await;
    olga.press("Все города").await;
    assert!(olga.screen().contains("2 города"));
}

#[tokio::test]
async fn a_page_past_the_end_is_the_last_one() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    for number in 0..8 {
        t.add_master(300 + number, &format!("Мастер {number}")).await;
        t.order().offered_to([300 + number]).await;
    }
    let [first, last, beyond] = [1, 2, 99].map(|page| read_masters(&t, Scope::default(), page));
    let (first, last, beyond) = tokio::join!(first, last, beyond);
    // With the three whom nobody has asked: they are on shift.
    assert_eq!((first.total, first.pages(), first.lines.len(), last.lines.len()), (11, 2, 6, 5));
    assert_eq!(beyond, last);
    let none = read_masters(&t, Scope { period: Period::Today, city: Some(EKATERINBURG) }, 1).await;
    assert_eq!(none.lines.len(), 6, "a chosen city is the same as the only one");
}

#[test]
fn every_button_of_the_figures_is_understood_as_it_was_meant() {
    for city in [None, Some(CityId(1)), Some(CityId(1_000_000_000_000))] {
        for period in Period::ALL {
            let scope = Scope { period, city };
            for tap in [
                FiguresTap::Orders(scope),
                FiguresTap::Masters { scope, page: 1 },
                FiguresTap::Masters { scope, page: 1_000_000_000_000 },
                FiguresTap::Cities { period, masters: false },
                FiguresTap::Cities { period, masters: true },
            ] {
                let data = StaffCallback::Figures(tap).to_string();
                assert!(data.len() <= 64, "{data}");
                assert_eq!(StaffCallback::parse(&data), Some(StaffCallback::Figures(tap)), "{data}");
            }
        }
    }
    assert_eq!(StaffCallback::parse("adm:fig"), Some(StaffCallback::Figures(FiguresTap::Orders(Scope::default()))));
    for data in
        ["adm:fig:", "adm:fig:2", "adm:fig:1:-1", "adm:fig:m:1", "adm:fig:m:1:1:0", "adm:fig:c", "adm:fig:c:1:1"]
    {
        assert_eq!(StaffCallback::parse(data), None, "{data}");
    }
}

/// What a person reads, with its buttons.
fn shown(screen: &Screen) -> String {
    let text = telegram::html(&screen.text).expect("Telegram takes it");
    let rows: Vec<_> = screen
        .keyboard
        .inline_keyboard
        .iter()
        .map(|row| row.iter().map(|button| format!("[{}]", button.text)).collect::<Vec<_>>().concat())
        .collect();
    format!("{text}\n{}", rows.join("\n"))
}

#[tokio::test]
async fn figures_are_aligned_for_a_phone() {
    let t = a_known_week().await;
    t.execute("UPDATE masters SET full_name = 'Константин <Преображенский>' WHERE telegram_user_id = $1", &[&ANNA])
        .await;
    t.execute(
        "INSERT INTO lost_taps (order_id, city_id, tapped_at, behind_ms)
         SELECT 1, 1, '2026-11-29T19:30:00Z', ms FROM unnest(ARRAY[12, 340, 5200]) AS ms",
        &[],
    )
    .await;
    t.execute("UPDATE master_activity SET last_asked_at = '2026-11-27T20:00:00Z'", &[]).await;
    t.execute("UPDATE masters SET on_shift_since = '2026-11-25T04:00:00Z'", &[]).await;
    let week = read(&t, OLGA, Period::Week, Some(EKATERINBURG)).await.expect("a reader");
    let today = read(&t, OLGA, Period::Today, None).await.expect("a reader");
    let masters = read_masters(&t, week.place.scope, 1).await;
    let screens = [screens::figures(&week), screens::figures(&today), screens::masters(&masters)];
    insta::assert_snapshot!(screens.each_ref().map(shown).join("\n\n———\n\n"));
    for screen in &screens {
        for block in screen.text.split("<pre>").skip(1).filter_map(|rest| rest.split("</pre>").next()) {
            for line in block.lines() {
                assert!(line.chars().count() <= 30, "too wide for a phone: {line:?}");
            }
        }
    }
}
