//! What dispatchers look at in their bot: the queue, the search, a card, and the figures of a month.

use std::time::{Duration, Instant};

use field_service::dispatch::staff_view;
use field_service::model::figures::WAITS;
use field_service::model::queue::Sought;
use field_service::model::{OrderId, StaffId, StaffRef};
use field_service::store::{Connection, Statement, figures};
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use crate::history::History;
use crate::{FINISHED, median};

/// What a dispatcher of all cities looks at.
const LOOKS: [&str; 5] =
    ["the queue", "a search for a common word", "for two words", "for a part of a phone", "an order's card"];
/// The table shows the medians of this many of each.
const LOOKED: usize = 20;
/// How many milliseconds each of them may take.
const LOOK_MS: f64 = 200.0;
/// What one query of the figures may take, with thirty days.
const FIGURES_LIMIT: f64 = 200.0;
/// The medians of so many.
const FIGURES_ROUNDS: usize = 15;
/// The queries of the figures, each with whether it is of one city: masters are looked at city by city.
const FIGURES: [(&str, &Statement, bool); 9] = [
    ("where and when", &figures::PLACE, false),
    ("orders that came", &figures::CAME, false),
    ("how they found a master", &figures::FOUND, false),
    ("what was closed", &figures::CLOSED, false),
    ("taps that lost", &figures::LOST, false),
    ("what charts show", &figures::CHARTS, false),
    ("who waits longest", &figures::LONGEST, false),
    ("how long anybody waited at most", &figures::BOUNDS, false),
    ("what each master of a city did", &figures::MASTERS, true),
];

/// What screens take.
pub async fn print_looks(history: &History) {
    println!("\nwhat dispatchers look at, with {} finished orders\n", FINISHED[2]);
    println!("| | median ms |\n|---|---|");
    let mut looks = [const { Vec::new() }; LOOKS.len()];
    for round in 0..=LOOKED {
        let took = look(history).await;
        if round > 0 {
            looks.iter_mut().zip(took).for_each(|(times, took)| times.push(took));
        }
    }
    let medians = looks.map(|mut times| median(&mut times));
    LOOKS.iter().zip(medians).for_each(|(what, median)| println!("| {what} | {median:.1} |"));
    let fast = medians.iter().all(|median| *median <= LOOK_MS);
    println!("\n{} at most {LOOK_MS} ms", if fast { "each takes" } else { "NOT each takes" });
}

/// Each of [`LOOKS`].
async fn look(history: &History) -> [Duration; LOOKS.len()] {
    let (store, staff) = (&history.store, StaffRef::Id(StaffId(1)));
    let words = |words: &[&str]| Sought { words: words.iter().map(ToString::to_string).collect(), ..Sought::default() };
    let begun = Instant::now();
    let queue = staff_view::queue(store, staff, 1).await.expect("a database").expect("staff");
    let of_queue = begun.elapsed();
    assert!(!queue.lines.is_empty());
    let search = async |sought: Sought| {
        let begun = Instant::now();
        let found = staff_view::found(store, staff, &sought, 1).await.expect("a database").expect("staff");
        assert!(!found.lines.is_empty(), "{sought:?}");
        begun.elapsed()
    };
    let common = search(words(&["ленина"])).await;
    let two = search(words(&["мира", "клиент", "777"])).await;
    let phone = search(Sought { phones: vec!["12345".to_owned()], ..Sought::default() }).await;
    let begun = Instant::now();
    let card = staff_view::card(store, staff, OrderId(history.first_open)).await.expect("a database");
    let of_card = begun.elapsed();
    assert!(card.is_some_and(|card| !card.offers.is_empty()));
    [of_queue, common, two, phone, of_card]
}

/// What the figures of a month take.
pub async fn print_figures(histories: &[History]) {
    println!("\nmilliseconds for the figures of thirty days, of all cities but for the last\n");
    println!("| | {} | {} | {} |", FINISHED[0], FINISHED[1], FINISHED[2]);
    println!("|---|---|---|---|");
    let mut quick = true;
    for (what, statement, of_one_city) in FIGURES {
        let mut medians = Vec::new();
        for history in histories {
            let mut times = Vec::new();
            for round in 0..=FIGURES_ROUNDS {
                let took = query(history, statement, of_one_city).await;
                if round > 0 {
                    times.push(took);
                }
            }
            medians.push(median(&mut times));
        }
        quick &= medians.iter().all(|took| *took <= FIGURES_LIMIT);
        println!("| {what} | {:.2} | {:.2} | {:.2} |", medians[0], medians[1], medians[2]);
    }
    println!("\n{}", if quick { "every one takes at most 200 ms" } else { "NOT every one takes at most 200 ms" });
}

/// One query of the figures, for an admin.
async fn query(history: &History, statement: &'static Statement, of_one_city: bool) -> Duration {
    let (nobody, admin, city, days) = (None::<i64>, Some(1_i64), of_one_city.then_some(3_i64), 30_i32);
    let begun = Instant::now();
    let query = async |connection: Connection| {
        let (page, size, waits) = (1_i64, 6_i64, WAITS.as_slice());
        let place: [&(dyn ToSql + Sync); 5] = [&nobody, &admin, &city, &days, &None::<Timestamp>];
        let more: &[&(dyn ToSql + Sync)] = match statement.types.len() {
            5 => &[],
            6 => &[&waits],
            _ => &[&page, &size],
        };
        connection.fetch(statement, &[&place, more].concat()).await
    };
    history.store.run(query).await.expect("a database");
    begun.elapsed()
}
