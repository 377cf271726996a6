//! Real orders under another policy: a day made by hand, and one that the product has lived.

use field_service::config::{self, StatementMode};
use field_service::dispatch::begin_rounds::begin_round_of;
use field_service::model::past::Past;
use field_service::model::{CityId, OrderId};
use field_service::simulate::figures::Figures;
use field_service::simulate::replay::{Drawn, compare};
use field_service::simulate::rule::Rule;
use field_service::simulate::statistics::whole;
use field_service::store::{Clock, Store, past};
use jiff::{SignedDuration, Timestamp, Unit};
use tokio::process::Command;

use crate::harness::{ANNA, BARE_FOLDER, BORIS, Dispatch, VERA};

const TEN: &str = "2026-01-10T10:00:00Z";

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

fn rule(text: &str) -> Rule {
    text.parse().expect("a policy")
}

impl Dispatch {
    /// The day of which everything is known: five masters, of whom one came on shift at noon and one is not quite as good. At ten
    /// came an order that the first three let pass, and that the fourth took half a minute after he was asked; at eleven
    /// one that Anna took after twenty seconds, and that nobody else was offered. Both were done in an hour.
    async fn day_by_hand() -> (Self, [OrderId; 2]) {
        let t = Self::start().await;
        t.add_master(104, "Глеб").await;
        t.add_master(105, "Дина").await;
        t.execute("UPDATE masters SET rating = 4 WHERE telegram_user_id = 104", &[]).await;
        t.execute("DELETE FROM master_changes", &[]).await;
        t.execute(
            "INSERT INTO master_changes (master_id, what, from_value, to_value, changed_by, created_at)
             SELECT id, 'SHIFT', 'off', 'on', 'MASTER', '2026-01-10 12:00Z' FROM masters WHERE telegram_user_id = 105",
            &[],
        )
        .await;
        let orders = [t.order().create().await, t.order().create().await];
        for ((order, hour), (master, seconds, round)) in orders.iter().zip([10, 11]).zip([(104, 150, 2), (ANNA, 20, 1)])
        {
            t.found(*order, hour, master, seconds, round).await;
        }
        for (order, hour, user, sent, ended, state) in [
            (orders[0], 10, ANNA, 0, 120, "EXPIRED"),
            (orders[0], 10, BORIS, 0, 120, "EXPIRED"),
            (orders[0], 10, VERA, 0, 120, "EXPIRED"),
            (orders[0], 10, 104, 120, 150, "ACCEPTED"),
            (orders[1], 11, ANNA, 0, 20, "ACCEPTED"),
        ] {
            t.answered(order, hour, user, [sent, ended], state).await;
        }
        (t, orders)
    }

    /// An order of that hour was found a master, who was done with it an hour later.
    async fn found(&self, order: OrderId, hour: i32, user: i64, seconds: i32, round: i32) {
        self.execute(
            "WITH moment AS (
                 SELECT '2026-01-10Z'::timestamptz + make_interval(hours => $2) AS began
             ), changed AS (
                 UPDATE orders SET status = 'CLOSED', created_at = began, assigned_master_id = masters.id
                 FROM moment, masters WHERE orders.id = $1 AND telegram_user_id = $3
                 RETURNING orders.id, masters.id AS master_id, orders.city_id
             ), history AS (
                 INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, changed_by_master_id, created_at)
                 SELECT id, step.was, step.became, 'MASTER', master_id, began + make_interval(secs => $4::integer + step.after)
                 FROM changed, moment,
                      (VALUES ('SEARCHING', 'ASSIGNED', 0), ('ASSIGNED', 'CLOSED', 3600)) AS step (was, became, after)
             )
             INSERT INTO distribution_metrics (
                 order_id, master_id, assigned_at, round_number, candidates_count, time_to_assign_seconds, city_id)
             SELECT id, master_id, began + make_interval(secs => $4::integer), $5, 3, $4::integer, city_id
             FROM changed, moment",
            &[&order.0, &hour, &user, &seconds, &round],
        )
        .await;
    }

    /// An offer of an order of that hour, sent and over so many seconds after it.
    async fn answered(&self, order: OrderId, hour: i32, user: i64, [sent, ended]: [i32; 2], state: &str) {
        self.execute(
            "INSERT INTO offers (order_id, master_id, round_number, state, sent_at, responded_at, expires_at)
             SELECT $1, id, 1, $6, began + make_interval(secs => $4), began + make_interval(secs => $5), began + interval '1 hour'
             FROM masters, (SELECT '2026-01-10Z'::timestamptz + make_interval(hours => $2) AS began) AS moment
             WHERE telegram_user_id = $3",
            &[&order.0, &hour, &user, &f64::from(sent), &f64::from(ended), &state],
        )
        .await;
    }

    /// Whoever has had an offer for as long as is the habit answers it.
    async fn tap_as_usual(&self, orders: &[OrderId]) {
        let live = self
            .sql
            .query(
                "SELECT order_id, telegram_user_id, extract(epoch FROM $1 - sent_at)::bigint
                 FROM offers JOIN masters ON masters.id = master_id
                 WHERE state IN ('SENT', 'VIEWED') ORDER BY order_id, offers.id",
                &[&self.clock.now()],
            )
            .await
            .expect("offers");
        for row in &live {
            let (order, user, seconds): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
            let place = orders.iter().position(|known| known.0 == order).expect("one of ours");
            let (after, does) = habit(place, user);
            if !does.is_empty() && seconds == after {
                self.chat(user).tap(&format!("m:new:{does}:{order}")).await;
            }
        }
    }

    async fn past(&self, from: Timestamp, until: Timestamp) -> Past {
        let city: i64 = self.one("SELECT min(id) FROM cities", &[]).await;
        past::read(&self.app.store, CityId(city), from, until).await.expect("a database")
    }
}

#[tokio::test]
async fn a_day_by_hand_has_the_outcome_that_was_computed_by_hand() {
    let (t, _) = Dispatch::day_by_hand().await;
    // The first order alone.
    let past = t.past(at("2026-01-10T09:00:00Z"), at("2026-01-10T10:30:00Z")).await;
    assert_eq!((past.orders.len(), past.masters.len(), past.offers.len()), (1, 5, 4));
    let rules = ["default", "first=4,every=0", "first=1,every=0"].map(rule);
    let replay = compare(&past, &rules, 0..3);

    let recorded = replay.recorded;
    // Two minutes and a half; four offers, and three that were not answered.
    assert_eq!([recorded.median, recorded.messages, recorded.offers].map(whole), [150, 7, 4]);
    let in_force = &replay.in_force;
    assert_eq!(in_force.compared.rule.policy.widening, None, "that of the day, and not of today");
    let all = std::iter::once(in_force).chain(&replay.proposed);
    let waits: Vec<_> = all
        .map(|replayed| {
            assert_eq!(replayed.drawn, Drawn { measured: 4 * 3, ..Drawn::default() }, "all was measured");
            assert!(replayed.compared.seeds.iter().all(|figures| *figures == replayed.compared.seeds[0]));
            let figures = replayed.compared.seeds[0];
            assert_eq!([figures.messages, figures.offers].map(whole), [7, 4]);
            whole(figures.median)
        })
        .collect();
    // As it was; asked after half a minute, and half a minute more; asked at once; and after three who let it pass.
    assert_eq!(waits, [150, 60, 30, 390]);
}

#[tokio::test]
async fn what_was_not_measured_is_drawn_and_counted() {
    let (t, _) = Dispatch::day_by_hand().await;
    let past = t.past(at("2026-01-10T10:30:00Z"), at("2026-01-10T11:30:00Z")).await;
    assert_eq!(past.orders.len(), 1);
    let four = || [rule("first=4,every=0")];
    let replay = compare(&past, &four(), 0..10);
    let drawn = replay.proposed[0].drawn;
    // Nobody has twenty answers of his own.
    assert_eq!(drawn, Drawn { measured: 10, of_city: 30, ..Drawn::default() });
    assert_eq!((drawn.total(), replay.orders), (30, 1));
    assert_eq!(replay, compare(&past, &four(), 0..10), "the same seeds, the same result");

    // One who had been asked, and was not waited for.
    t.execute("UPDATE offers SET state = 'CANCELED' WHERE state = 'EXPIRED' AND master_id = 2", &[]).await;
    for number in 0..20 {
        t.answered(OrderId(1), 3, BORIS, [number, number + 9], "DECLINED").await;
    }
    let past = t.past(at("2026-01-10T09:00:00Z"), at("2026-01-10T10:30:00Z")).await;
    let drawn = compare(&past, &four(), 0..10).proposed[0].drawn;
    assert_eq!(drawn, Drawn { measured: 30, continued: 10, ..Drawn::default() });
}

#[tokio::test]
async fn what_masters_had_on_their_hands_counts_of_whatever_city_and_age_it_is() {
    let (t, orders) = Dispatch::day_by_hand().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    t.execute(
        "UPDATE orders SET city_id = (SELECT max(id) FROM cities), created_at = created_at - interval '30 days' WHERE id = $1",
        &[&orders[0].0],
    )
    .await;
    let past = t.past(at("2026-01-10T10:30:00Z"), at("2026-01-10T11:30:00Z")).await;
    assert_eq!(past.masters.iter().map(|master| master.load).collect::<Vec<_>>(), [0, 0, 0, 1, 0]);
}

#[tokio::test]
async fn what_masters_had_on_their_hands_is_counted_with() {
    let (t, orders) = Dispatch::day_by_hand().await;
    // Between both: Gleb has the first one until two and a half minutes past eleven.
    let past = t.past(at("2026-01-10T10:30:00Z"), at("2026-01-10T11:30:00Z")).await;
    let loads: Vec<_> = past.masters.iter().map(|master| (master.load, master.on_shift)).collect();
    assert_eq!(loads, [(0, true), (0, true), (0, true), (1, true), (0, false)]);
    assert_eq!(past.finished.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [at("2026-01-10T11:02:30Z")]);
    assert_eq!(past.masters[3].last_asked, Some(at("2026-01-10T10:02:00Z")));
    let noon = t.past(at("2026-01-10T11:30:00Z"), at("2026-01-10T13:00:00Z")).await;
    assert_eq!((noon.changes.len(), noon.orders.len()), (1, 0));
    // A deferred order is searched for from when it wakes.
    t.execute(
        "INSERT INTO order_status_history (id, order_id, from_status, to_status, actor_type, created_at)
         OVERRIDING SYSTEM VALUE VALUES (0, $1, 'DEFERRED', 'SEARCHING', 'SYSTEM', '2026-01-10 10:01Z')",
        &[&orders[0].0],
    )
    .await;
    let past = t.past(at("2026-01-10T09:00:00Z"), at("2026-01-10T10:30:00Z")).await;
    assert_eq!(past.orders[0].began_at, at("2026-01-10T10:01:00Z"));
}

/// Cities are played together, under one policy: masters without a limit of their own have its limit wherever they are.
#[tokio::test]
async fn the_usual_limit_is_that_of_the_policy_that_all_cities_are_played_under() {
    let (t, orders) = Dispatch::day_by_hand().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    t.execute(
        "INSERT INTO masters (telegram_user_id, full_name, city_id) VALUES (106, 'Ева', 2), (107, 'Жанна', 2)",
        &[],
    )
    .await;
    t.execute("DELETE FROM master_changes WHERE what = 'ADDED'", &[]).await;
    t.execute("UPDATE masters SET max_active_orders = 4 WHERE telegram_user_id IN ($1, 107)", &[&VERA]).await;
    t.execute("DELETE FROM master_changes WHERE what = 'LIMIT'", &[]).await;
    let add = "INSERT INTO dispatch_policies (max_active_orders, created_at) VALUES (2, '2026-01-01Z'), (7, '2026-01-10 10:30Z')";
    t.execute(add, &[]).await;
    // One order came under the first policy, in the first city; two under the second, in the other.
    t.execute("UPDATE orders SET city_id = 2 WHERE id = $1", &[&orders[1].0]).await;
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone, created_at, updated_at)
         VALUES (2, 'PLUMBING', 'CREATED', 'x', 'x', '+79990001122', '2026-01-10 11:10Z', '2026-01-10 11:10Z')",
        &[],
    )
    .await;
    let of = async |city| {
        let (from, until) = (at("2026-01-10T09:00:00Z"), at("2026-01-10T13:00:00Z"));
        past::read(&t.app.store, CityId(city), from, until).await.expect("a database")
    };
    let limits = |past: &Past| past.masters.iter().map(|master| master.limit).collect::<Vec<_>>();
    let (first, other) = (of(1).await, of(2).await);
    assert_eq!((limits(&first), limits(&other)), (vec![2, 2, 4, 2, 2], vec![7, 4]));
    let both = first.and(other);
    assert_eq!(both.policy().0.max_active_orders, 7);
    assert_eq!(limits(&both), [7, 7, 4, 7, 7, 7, 4]);
}

/// So many taps that looking through all of them for each of the orders would take longer than a statement may.
#[tokio::test]
async fn lost_taps_are_counted_however_many_there_are() {
    let (t, orders) = Dispatch::day_by_hand().await;
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone, created_at, updated_at)
         SELECT 1, 'PLUMBING', 'CREATED', 'x', 'x', '+79990001122', at, at
         FROM generate_series(1, 4000) AS number,
              LATERAL (SELECT '2026-01-10 10:00:01Z'::timestamptz + number * interval '0.1 seconds' AS at) AS moment",
        &[],
    )
    .await;
    t.execute(
        "INSERT INTO lost_taps (order_id, city_id, tapped_at, behind_ms)
         SELECT CASE WHEN number <= 3 THEN $1::bigint ELSE 1000000 + number END, 1, '2026-01-10 10:02:31Z', 900
         FROM generate_series(1, 40000) AS number
         UNION ALL SELECT $1::bigint, city, at, 900
         FROM (VALUES (2, '2026-01-10 10:02:31Z'::timestamptz), (1, '2026-01-10 09:59Z'), (1, '2026-01-10 12:00Z')) AS other (city, at)",
        &[&orders[0].0],
    )
    .await;
    let past = t.past(at(TEN), at("2026-01-10T11:00:00Z")).await;
    assert_eq!(past.orders.len(), 4001);
    let lost: Vec<_> = past.orders.iter().filter(|order| order.lost_taps > 0).collect();
    assert_eq!(lost.iter().map(|order| (order.id, order.lost_taps)).collect::<Vec<_>>(), [(orders[0], 3)]);
}

#[tokio::test]
async fn it_reads_without_prepared_statements_too() {
    let (t, _) = Dispatch::day_by_hand().await;
    let (from, until) = (at(TEN), at(TEN) + SignedDuration::from_hours(2));
    let mut config = config::Database::from_url(&t.database_url).expect("a URL");
    config.statements = StatementMode::Unnamed;
    let store = Store::new(&config, 1, Clock::default()).expect("a pool");
    let cities = past::cities(&store).await.expect("a database");
    let unnamed = past::read(&store, cities[0].0, from, until).await.expect("a database");
    let prepared = t.past(from, until).await;
    assert_eq!(format!("{unnamed:?}"), format!("{prepared:?}"));
    assert_eq!(unnamed.orders.len(), 2);
}

/// The policy that is named is the one in force when most of the orders came, whatever there was at the beginning.
#[tokio::test]
async fn the_policy_in_force_is_that_of_most_orders() {
    let (t, _) = Dispatch::day_by_hand().await;
    let newest: i64 = t.one("SELECT max(id) FROM dispatch_policies", &[]).await;
    let add = "INSERT INTO dispatch_policies (offer_ttl_seconds, created_at)
               VALUES (100, '2026-01-01Z'), (90, '2026-01-10 10:30Z'), (80, '2026-01-10 12:00Z')";
    t.execute(add, &[]).await;
    let of = async |from: &str, until: &str| {
        let past = t.past(at(from), at(until)).await;
        let (policy, orders) = past.policy();
        let others: Vec<_> = past.policies.all().map(|policy| policy.policy.id - newest).collect();
        (policy.policy.id - newest, orders, others)
    };
    assert_eq!(of("2026-01-10T09:00:00Z", "2026-01-10T10:30:00Z").await, (1, 1, vec![1]));
    assert_eq!(of("2026-01-10T10:15:00Z", "2026-01-10T13:00:00Z").await, (2, 1, vec![1, 2, 3]));
    assert_eq!(
        of("2026-01-10T09:00:00Z", "2026-01-10T13:00:00Z").await,
        (2, 1, vec![1, 2, 3]),
        "of as many the latest"
    );
    assert_eq!(of("2026-01-10T12:30:00Z", "2026-01-10T13:00:00Z").await, (3, 0, vec![3]), "there are none");
    assert_eq!(of("2025-01-10T12:30:00Z", "2026-01-10T10:15:00Z").await.0, 1);
}

/// What was recorded and what was played is the same kind of wait: that of orders that were taken.
#[tokio::test]
async fn an_order_that_nobody_took_is_no_wait_in_either() {
    let (t, orders) = Dispatch::day_by_hand().await;
    // The first is canceled after two and a half minutes, and nobody would take it: the play searches for an hour.
    t.execute("DELETE FROM distribution_metrics WHERE order_id = $1", &[&orders[0].0]).await;
    t.execute(
        "UPDATE order_status_history SET to_status = 'CANCELED' WHERE order_id = $1 AND to_status = 'ASSIGNED'",
        &[&orders[0].0],
    )
    .await;
    t.execute("UPDATE offers SET state = 'EXPIRED' WHERE order_id = $1", &[&orders[0].0]).await;
    let past = t.past(at("2026-01-10T09:00:00Z"), at("2026-01-10T11:30:00Z")).await;
    let replay = compare(&past, &[], 0..2);
    let waits = |figures: &Figures| [figures.taken_median, figures.taken_ninety, figures.accepted].map(whole);
    assert_eq!(waits(&replay.recorded), [20, 20, 50]);
    assert_eq!(waits(&replay.in_force.compared.seeds[0]), [20, 20, 50]);
}

/// How somebody answers an order, and after how many seconds: not the same for any two.
fn habit(order: usize, user: i64) -> (i64, &'static str) {
    let mixed = (i64::try_from(order).expect("a small number") * 31 + user * 17) % 101;
    let does = match mixed % 20 {
        0..8 => "acc",
        8..12 => "dec_yes",
        _ => "",
    };
    (10 + mixed / 5 * 10, does)
}

/// A morning that the product has lived: replayed under its own policy it is much the same again.
#[tokio::test]
async fn the_same_policy_comes_close_to_what_was_recorded() {
    let t = Dispatch::with_standing_clock(9).await;
    // As exact as the database's.
    let begun = t.clock.now().expect("a standing clock").round(Unit::Second).expect("a second");
    t.clock.set(begun);
    let mut orders = Vec::new();
    for step in 0..120 {
        t.tap_as_usual(&orders).await;
        t.tick_and_tell().await;
        if step % 3 == 0 && orders.len() < 20 {
            let order = t.order().in_status("CREATED").create().await;
            let now = t.clock.now();
            t.execute("UPDATE orders SET created_at = $2, next_round_at = $2 WHERE id = $1", &[&order.0, &now]).await;
            begin_round_of(&t.app.store, order).await.expect("a database");
            orders.push(order);
        }
        t.let_pass(10);
    }
    let past = t.past(begun, t.clock.now().expect("a standing clock")).await;
    let replay = compare(&past, &[rule("rounds-of-3")], 0..5);
    assert_eq!(replay.orders, 20);
    let same = |figure: fn(&Figures) -> f64| (figure(&replay.recorded), replay.in_force.compared.estimate(figure).mean);
    let drawn = replay.in_force.drawn;
    // Whoever was not waited for had not taken it by then, and does not now: the same master gets it.
    assert!((drawn.own + drawn.of_city) * 10 < drawn.measured + drawn.continued, "{drawn:?} {replay:#?}");
    for (what, (was, is), tolerance) in [
        ("median", same(|figures| figures.taken_median), 0.1),
        ("90 %", same(|figures| figures.taken_ninety), 0.2),
        ("messages", same(|figures| figures.messages), 0.1),
    ] {
        assert!((was - is).abs() <= was * tolerance, "{what}: {was} and {is}: {replay:#?}");
    }
    let proposed = replay.proposed[0].drawn;
    assert!(proposed.own + proposed.of_city > drawn.own + drawn.of_city, "others are asked in rounds: {proposed:?}");
}

#[tokio::test]
async fn the_program_says_what_would_have_been() {
    let (t, _) = Dispatch::day_by_hand().await;
    let run = async |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_field-service");
        let mut command = Command::new(program);
        command.arg("replay").args(args).current_dir(BARE_FOLDER).env_clear().env("DATABASE_URL", &t.database_url);
        let output = command.output().await.expect("the program runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let replay = async |args: &[&str]| {
        let (code, said) = run(args).await;
        (code == Some(0), said)
    };
    let (fine, said) = replay(&["--since", "2026-01-10", "--policy", "every=30", "--policy", "broadcast"]).await;
    assert!(fine, "{said}");
    assert!(said.contains("2 orders from 2026-01-10T00:00:00Z to 2026-01-11T00:00:00Z"), "{said}");
    // Named, with what it says.
    assert!(
        said.contains("In force: policy 1, the oldest, although it was made at 2")
            && said.contains(": first=3,every=0,ttl=120,"),
        "{said}"
    );
    let one = replay(&["--since", "2026-01-10", "--until", "2026-01-10T10:30:00Z", "--policy", "every=30"]).await;
    assert!(one.0 && one.1.contains("1 order from 2026-01-10T00:00:00Z"), "{}", one.1);
    let (fine, none) = replay(&["--since", "2020-01-01", "--policy", "broadcast"]).await;
    assert!(fine && none.contains("No order's search began") && !none.contains("recorded"), "{none}");
    let (fine, twice) = replay(&["--since", "2026-01-10", "--policy", "every=30", "--policy", "every=30"]).await;
    assert!(
        fine && twice.lines().filter(|line| line.starts_with("every=30")).count() == 2,
        "a line in each table: {twice}"
    );
    // What is typed wrongly is one kind of failure, whenever it is found.
    for policy in ["fast", "ttl=0", "every=30,first=9,max=3", ""] {
        let (code, said) = run(&["--since", "2026-01-10", "--policy", policy]).await;
        assert_eq!(code, Some(2), "{policy}: {said}");
    }
    let figures = |row: &str| {
        let line = said.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("{row}: {said}"));
        line.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(figures("recorded")[1..5], ["20", "150", "150", "4.00"]);
    assert!(figures("in force").len() > 5 && figures("every=30").len() > 5);
    for (args, why) in [
        (["--since", "yesterday"], "expected a date"),
        (["--since", "2099-01-01"], "is not before"),
        (["--city", "Нигде"], "there is no city «Нигде»"),
        (["--policy", "ttl=0"], "ttl=0: expected 10 to 3600"),
        (["--policy", "every=30,first=9,max=3"], "first=9 is more than max=3; in force is first=3,every=0"),
        (["--since", "-5h"], "expected how long ago"),
        (["--since", "99999999999h"], "--since: expected a moment from 2000-01-01"),
        (["--since", "2026-01-10T09:00:00"], "expected a moment with its offset"),
    ] {
        let (fine, said) = replay(&[&args[..], &["--policy", "default"]].concat()).await;
        assert!(!fine && said.contains(why), "{args:?}: {said}");
    }
}
