//! Days of a city under several policies, without a database: what the policies promise, and that it is the product's own choice.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::process::Command;

use field_service::dispatch::begin_rounds::begin_round_of;
use field_service::model::policy::Widening;
use field_service::model::selection::Search;
use field_service::model::{Category, OrderId};
use field_service::simulate::batch::{Compared, compare};
use field_service::simulate::city::{City, SHIPPED};
use field_service::simulate::day::{Answer, Arrival, Day, Ending, Reaction, Reactions};
use field_service::simulate::event_loop;
use field_service::simulate::rule::Rule;
use field_service::store::rounds;

use crate::harness::{BARE_FOLDER, Dispatch};

fn city(name: &str) -> City {
    City::parse(City::shipped(name).expect("a city of ours")).expect("a city")
}

fn rules(names: &[&str]) -> Vec<Rule> {
    names.iter().map(|name| name.parse().expect("a policy")).collect()
}

/// The default policy and the rounds of before on so many days.
fn both(name: &str, days: u64) -> [Compared; 2] {
    let both = compare(&city(name), &rules(&["default", "rounds-of-3"]), 1..1 + days, 2, &|| ());
    both.try_into().expect("two policies")
}

/// The 90th percentiles and the messages of one to those of the other.
fn ratios([widening, rounds]: &[Compared; 2]) -> (f64, f64) {
    let ratio = |figure| widening.estimate(figure).mean / rounds.estimate(figure).mean;
    (ratio(|figures| figures.ninety), ratio(|figures| figures.messages))
}

#[test]
fn to_widen_halves_the_wait_of_the_slowest_for_hardly_more_messages() {
    let both = both("default", 20);
    let (wait, messages) = ratios(&both);
    assert!(wait <= 0.55 && messages <= 1.15, "wait {wait}, messages {messages}");
    let [widening, rounds] = &both;
    for (seed, (widening, rounds)) in widening.seeds.iter().zip(&rounds.seeds).enumerate() {
        assert!(widening.over_ten_minutes <= rounds.over_ten_minutes, "day {seed}: {widening:?} {rounds:?}");
    }
}

#[test]
fn so_it_is_in_other_cities() {
    let all: HashSet<&str> = SHIPPED.map(|(name, _)| name).into();
    assert_eq!(all, HashSet::from(["default", "sparse", "dense", "night"]));
    for (name, days) in [("sparse", 20), ("dense", 2), ("night", 20)] {
        let both = both(name, days);
        let (wait, messages) = ratios(&both);
        assert!(wait <= 0.75 && messages <= 1.2, "{name}: wait {wait}, messages {messages}");
        let over = both.each_ref().map(|compared| compared.estimate(|figures| figures.over_ten_minutes).mean);
        assert!(over[0] <= over[1], "{name}: {over:?}");
    }
}

#[test]
fn the_same_seeds_give_the_same_result_on_any_number_of_threads() {
    let on =
        |threads| compare(&city("sparse"), &rules(&["default", "broadcast", "one-by-one"]), 5..12, threads, &|| ());
    let alone = on(1);
    assert_eq!(alone, on(3));
    assert_eq!(alone, on(8));
    assert_eq!(alone[0].seeds.len(), 7);
    let other = compare(&city("sparse"), &rules(&["default"]), 12..19, 2, &|| ());
    assert_ne!(alone[0].seeds, other[0].seeds, "another seed is another day");
}

#[tokio::test]
async fn the_default_policy_is_the_one_of_a_new_database() {
    let t = Dispatch::start().await;
    let row = t
        .sql
        .query_one(
            "SELECT offer_ttl_seconds, preferred_ttl_seconds, masters_per_round, max_rounds, escalate_after_seconds,
                    first_masters, widen_every_seconds, widen_by, max_live_offers
             FROM dispatch_policies ORDER BY id DESC LIMIT 1",
            &[],
        )
        .await
        .expect("a policy");
    let Rule { policy, escalate_after_seconds, .. } = Rule::default();
    let Widening { first_masters, every_seconds, by, max_live } = policy.widening.expect("it widens");
    let ours = [
        policy.offer_ttl_seconds,
        policy.preferred_ttl_seconds,
        policy.masters_per_round,
        policy.max_rounds,
        escalate_after_seconds,
        first_masters,
        every_seconds,
        by,
        max_live,
    ];
    assert_eq!(ours.to_vec(), (0..ours.len()).map(|column| row.get::<_, i32>(column)).collect::<Vec<_>>());
}

impl Dispatch {
    /// A tick, as if every message had reached its master in that very moment: whom none reaches was not asked.
    pub async fn tick_and_tell(&self) {
        self.tick().await;
        self.execute("UPDATE outbox SET finished_at = $1 WHERE finished_at IS NULL", &[&self.clock.now()]).await;
    }
}

/// Nobody answers, but for the first who is asked: declines after ten seconds. Notes who is asked for what.
#[derive(Default)]
struct Silent(RefCell<Vec<(usize, usize)>>);

impl Reactions for Silent {
    fn of(&self, order: usize, master: usize) -> Reaction {
        let mut asked = self.0.borrow_mut();
        asked.push((order, master));
        Reaction { after: 10_000, answer: if asked.len() == 1 { Answer::Decline } else { Answer::Nothing } }
    }
}

/// The same orders in the product and in the simulation: the same masters are asked, one after another.
#[tokio::test]
async fn a_simulated_search_asks_whom_the_product_asks() {
    let t = Dispatch::with_standing_clock(12).await;
    t.execute("UPDATE masters SET rating = 3 + (id * 5 % 7) / 4.0, max_active_orders = 2 + id % 4", &[]).await;
    t.execute("UPDATE masters SET on_shift = false WHERE id % 6 = 0", &[]).await;
    let begun = t.clock.now().expect("a standing clock");
    let city: i64 = t.one("SELECT min(id) FROM cities", &[]).await;
    let masters = rounds::masters(&t.app.store, &[city]).await.expect("masters");
    let mut orders = Vec::new();
    for _ in 0..4 {
        let order = t.order().in_status("CREATED").create().await;
        t.execute("UPDATE orders SET next_round_at = $2 WHERE id = $1", &[&order.0, &t.clock.now()]).await;
        begin_round_of(&t.app.store, order).await.expect("a database");
        orders.push(order);
    }
    t.tick_and_tell().await;
    let first: i64 = t
        .one(
            "SELECT telegram_user_id FROM offers JOIN masters ON masters.id = master_id ORDER BY offers.id LIMIT 1",
            &[],
        )
        .await;
    for second in (10..=200).step_by(10) {
        t.let_pass(10);
        if second == 10 {
            t.chat(first).tap(&format!("m:new:dec_yes:{}", orders[0])).await;
        }
        t.tick_and_tell().await;
    }
    let rows = t.sql.query("SELECT order_id, master_id FROM offers ORDER BY id", &[]).await.expect("offers");
    let mut really: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in &rows {
        really.entry(row.get(0)).or_default().push(row.get(1));
    }

    let arrival = |order: &OrderId| Arrival {
        at: 0,
        search: Search {
            order: *order,
            city,
            district: None,
            category: Category::Plumbing,
            preferred: None,
            preferred_first: true,
            asked: HashSet::new(),
        },
        work: 0,
        ending: Ending { at: 200_001, given_to: None },
    };
    let day = Day { begins: begun, masters, orders: orders.iter().map(arrival).collect(), ..Day::default() };
    let silent = Silent::default();
    let played = event_loop::play(&day, &Rule::default(), &silent);
    let mut simulated: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (order, master) in silent.0.into_inner() {
        simulated.entry(orders[order].0).or_default().push(day.masters[master].id.0);
    }
    assert_eq!(simulated, really);
    assert!(played.outcomes.iter().all(|outcome| outcome.offers > 5), "{played:?}");
}

fn simulate(args: &[&str]) -> (bool, String, String) {
    let program = env!("CARGO_BIN_EXE_field-service");
    let mut command = Command::new(program);
    command.arg("simulate").args(args).current_dir(BARE_FOLDER).env_clear();
    let output = command.output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_program_prints_a_table_and_draws_a_picture() {
    let folder = std::env::temp_dir().join(format!("simulate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (picture, own) = (folder.join("wait.svg"), folder.join("own.toml"));
    let (fine, shown, _) = simulate(&["--show-city", "sparse"]);
    assert!(fine);
    std::fs::write(&own, shown).expect("a file");
    let (picture_path, own_path) = (picture.to_str().expect("a path"), own.to_str().expect("a path"));
    let policies = ["--policy", "default", "--policy", "first=2,every=20"];
    let of_city = |city| {
        let args = ["--city", city, "--seeds", "2", "--svg", picture_path].into_iter().chain(policies);
        simulate(&args.collect::<Vec<_>>())
    };
    let (fine, table, errors) = of_city("sparse");
    assert!(fine && errors.is_empty(), "no bar where nobody looks: {errors}");
    assert!(table.contains("first=2,every=20  ") && table.contains("90 %") && table.contains('±'), "{table}");
    let svg = std::fs::read_to_string(&picture).expect("a picture");
    assert!(svg.starts_with("<svg") && svg.matches("<circle").count() == 2, "{svg}");
    let (_, of_file, _) = of_city(own_path);
    let figures = |table: &str| table.lines().skip(1).map(ToOwned::to_owned).collect::<Vec<_>>();
    assert_eq!(figures(&table), figures(&of_file), "the same city from a file");
    let (_, once, _) = simulate(&["--city", "sparse", "--seeds", "1", "--policy", "default", "--policy", "every=30"]);
    assert!(
        once.contains("; 1 day with ") && once.lines().filter(|line| line.contains("every=30")).count() == 0,
        "{once}"
    );
    // A picture of before stays as long as there is no other.
    let before = std::fs::read(&picture).expect("a picture");
    std::fs::write(&own, "masters = [").expect("a file");
    let (fine, _, errors) = of_city(own_path);
    assert!(!fine && errors.contains("\n1 | masters = [\n") && !errors.contains("\\n"), "as it is: {errors}");
    assert_eq!(std::fs::read(&picture).expect("a picture"), before);
    // No order comes.
    let (_, quiet, _) = simulate(&["--show-city", "sparse"]);
    let per_hour = quiet.lines().find(|line| line.starts_with("per_hour")).expect("how many").to_owned();
    std::fs::write(&own, quiet.replace(&per_hour, "per_hour = 0")).expect("a file");
    let (fine, none, _) = of_city(own_path);
    assert!(fine && none.contains("No order comes") && !none.contains("policy  "), "{none}");
    assert!(none.contains(&format!("{picture_path} is not written")), "{none}");
    assert_eq!(std::fs::read(&picture).expect("a picture"), before, "that of before stays");
    std::fs::remove_file(&picture).expect("a file");
    let (fine, _, _) = of_city(own_path);
    assert!(fine && !picture.exists(), "an empty one is left");
    std::fs::remove_dir_all(folder).expect("a folder");
}

#[test]
fn what_it_cannot_play_is_said() {
    for (args, why) in [
        (["--city", "/nowhere.toml"], "expected default, sparse, dense, night, or a TOML file"),
        (["--policy", "fast"], "«fast»: expected default, rounds-of-3"),
        (["--policy", ""], "expected default, rounds-of-3"),
        (["--policy", "every=1"], "every=1: expected 0 (in rounds), or 5 to 3600"),
        (["--policy", "first=2,first=3"], "first= is there twice"),
        (["--svg", "/nowhere/wait.svg"], "--svg /nowhere/wait.svg: "),
        (["--policy", "first=9,max=3"], "first=9 is more than max=3"),
        (["--seeds", "0"], "0 is not in 1.."),
        (["--show-city", "nowhere"], "there is no city nowhere"),
    ] {
        let (fine, _, errors) = simulate(&args);
        assert!(!fine && errors.contains(why), "{args:?}: {errors}");
    }
}
