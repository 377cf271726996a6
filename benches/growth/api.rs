//! What the API answers: requests as they come from the router, but for the network.

use field_service::cluster::Cluster;
use field_service::sim::proxy::Proxy;
use form_urlencoded::byte_serialize;

use crate::history::{History, SMALL_CITY};
use crate::program::Program;
use crate::{FINISHED, Line, median, print_lines};

/// The table shows the medians of this many of each.
const ROUNDS: usize = 20;
/// What the board may take, in milliseconds, and finding that it has not changed.
const BOARD_MS: f64 = 50.0;
const UNCHANGED_MS: f64 = 5.0;
/// What the metrics may take.
const METRICS_MS: f64 = 100.0;
/// What a page of a list may take, and of the orders of a small city.
const LIST_MS: f64 = 200.0;
const SMALL_CITY_MS: f64 = 20.0;
/// What a sheet of as many orders as there may be may take.
const SHEET_MS: f64 = 2_000.0;

/// What is looked at over HTTP.
pub async fn print(cluster: &Cluster, history: &History) {
    let program = Program::start(history, &history.url, &[]).await;
    let mut lines = looks(history, &program).await;
    lines.insert(1, unchanged_board(&program).await);
    lines.push(metrics(&program).await);
    println!("\nwhat the API answers, with {} finished orders: medians\n", FINISHED[2]);
    print_lines(&lines);
    println!("that the board is as it was seen takes {:.2} round trips", round_trips(cluster, history).await);
}

/// What dispatchers of all cities look at, and one of a small city.
async fn looks(history: &History, program: &Program) -> Vec<Line> {
    let of_small_city = Program::start(history, &history.url, &["Малый город"]).await;
    let small_city = format!("/api/orders?city={SMALL_CITY}");
    let words = |words: &str| format!("/api/orders?q={}", byte_serialize(words.as_bytes()).collect::<String>());
    let mut lines = Vec::new();
    for (what, program, path, limit) in [
        ("the board", program, "/api/board", BOARD_MS),
        ("orders", program, "/api/orders", LIST_MS),
        ("of a large city", program, "/api/orders?city=3", LIST_MS),
        ("of a small city", program, &small_city, SMALL_CITY_MS),
        ("of a small city, for who sees no other", &of_small_city, "/api/orders", SMALL_CITY_MS),
        ("in a status that most have", program, "/api/orders?status=CLOSED", LIST_MS),
        ("in one that few have, long ago", program, "/api/orders?status=CANCELED", LIST_MS),
        ("in one that passes", program, "/api/orders?status=ASSIGNED", LIST_MS),
        ("of a master", program, "/api/orders?master=7", LIST_MS),
        ("with a common word", program, &words("ленина"), LIST_MS),
        ("with three words", program, &words("мира клиент 777"), LIST_MS),
        ("with a part of a phone", program, &words("12345"), LIST_MS),
        ("a sheet of the newest ten thousand", program, "/api/orders.csv", SHEET_MS),
    ] {
        lines.push(look(program, what, path, limit).await);
    }
    lines
}

/// The median of how long it takes.
pub async fn look(program: &Program, what: &'static str, path: &str, limit: f64) -> Line {
    let mut times = Vec::new();
    for round in 0..=ROUNDS {
        let answer = program.get(path, None).await;
        assert!(answer.status == 200 && answer.text.len() > 1000, "{path}: {} {}", answer.status, answer.text);
        if round > 0 {
            times.push(answer.took);
        }
    }
    (what, median(&mut times), limit)
}

async fn unchanged_board(program: &Program) -> Line {
    let tag = program.get("/api/board", None).await.header("etag");
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let answer = program.get("/api/board", Some(&tag)).await;
        assert_eq!((answer.status, answer.text.as_str()), (304, ""));
        times.push(answer.took);
    }
    ("the board, as it was seen", median(&mut times), UNCHANGED_MS)
}

/// How many of them it takes to find that the board has not changed.
async fn round_trips(cluster: &Cluster, history: &History) -> f64 {
    let proxy = Proxy::start(cluster.folder()).await.expect("a proxy");
    let program = Program::start(history, &proxy.database_url(&history.name), &[]).await;
    // The first one prepares statements.
    unchanged_board(&program).await;
    let tag = program.get("/api/board", None).await.header("etag");
    let before = proxy.round_trips();
    for _ in 0..ROUNDS {
        program.get("/api/board", Some(&tag)).await;
    }
    let trips = u32::try_from(proxy.round_trips() - before).expect("not that many");
    f64::from(trips) / f64::from(u32::try_from(ROUNDS).expect("few"))
}

async fn metrics(program: &Program) -> Line {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let answer = program.get("/metrics", None).await;
        assert!(answer.text.contains("field_service_orders{status=\"SEARCHING\"}"), "{}", answer.text);
        times.push(answer.took);
    }
    ("the metrics", median(&mut times), METRICS_MS)
}
