//! Cost does not grow with what is over: the tap, the list, a pass with one due order and a claim of the outbox, on databases
//! with no, a hundred thousand and a million finished orders, each with five offers. One run, one private cluster; the
//! databases are measured in turns, so that a noisy neighbour hits all of them.
//!
//! What dispatchers and programs look at stays within what people wait for, and a large sheet of orders is taken in whole while
//! masters go on tapping. Figures grow with their month alone.

mod api;
mod history;
mod import;
mod program;
mod screens;

use std::time::{Duration, Instant};

use field_service::cluster::{Cluster, Durability};

use history::{History, MASTERS, WAITING};

const FINISHED: [i32; 3] = [0, 100_000, 1_000_000];
/// The table shows the medians of this many of each.
const ROUNDS: usize = 60;
/// The largest ratio that is bounded cost; noise included.
const BOUND: f64 = 1.3;

fn main() {
    // `cargo test --benches` calls this too, and measures nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let cluster = Cluster::start(Durability::Real).unwrap_or_else(|error| panic!("{error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut histories = Vec::new();
        for finished in FINISHED {
            let begun = Instant::now();
            histories.push(History::load(&cluster, finished).await);
            eprintln!("{finished} finished orders loaded in {:.0} s", begun.elapsed().as_secs_f64());
        }
        print_bounded(&mut histories).await;
        screens::print_looks(&histories[FINISHED.len() - 1]).await;
        screens::print_figures(&histories).await;
        api::print(&cluster, &histories[FINISHED.len() - 1]).await;
        // It leaves thousands of orders behind, and comes last.
        import::print(&mut histories[FINISHED.len() - 1]).await;
    });
}

/// What may not grow with what is over.
async fn print_bounded(histories: &mut [History]) {
    let mut times = vec![[const { Vec::new() }; 4]; FINISHED.len()];
    for round in 0..=ROUNDS {
        for (history, times) in histories.iter_mut().zip(&mut times) {
            let took = history.measure().await;
            // The first one prepares statements and fills caches.
            if round > 0 {
                times.iter_mut().zip(took).for_each(|(times, took)| times.push(took));
            }
        }
    }
    println!("milliseconds with so many finished orders, {MASTERS} masters, {WAITING} messages waiting\n");
    println!("| | {} | {} | {} | ratio of the last to the first |", FINISHED[0], FINISHED[1], FINISHED[2]);
    println!("|---|---|---|---|---|");
    let mut bounded = true;
    for (index, what) in
        ["tap", "list", "pass with one due order", "claim of a second's messages"].into_iter().enumerate()
    {
        let medians: Vec<f64> = times.iter_mut().map(|times| median(&mut times[index])).collect();
        let ratio = medians[2] / medians[0];
        bounded &= ratio <= BOUND;
        println!("| {what} | {:.2} | {:.2} | {:.2} | {ratio:.2} |", medians[0], medians[1], medians[2]);
    }
    println!("\n{}", if bounded { "every ratio is at most 1.3" } else { "NOT every ratio is at most 1.3" });
}

/// What was measured: what it is, its milliseconds, and how many it may take.
type Line = (&'static str, f64, f64);

/// A table of them, and whether each is within its limit.
fn print_lines(lines: &[Line]) {
    println!("| | ms | at most |\n|---|---|---|");
    for (what, took, limit) in lines {
        println!("| {what} | {took:.1} | {limit} |");
    }
    let kept = lines.iter().all(|(_, took, limit)| took <= limit);
    println!("\n{} within its limit", if kept { "each is" } else { "NOT each is" });
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
