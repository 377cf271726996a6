//! A sheet of orders is taken in, and what goes on meanwhile.

use std::fmt::Write;
use std::pin::pin;
use std::time::Duration;

use tokio::select;
use tokio::time::sleep;

use crate::api::look;
use crate::history::History;
use crate::program::Program;
use crate::{FINISHED, Line, median, print_lines};

/// As many as a sheet may have.
const ROWS: usize = 10_000;
/// What taking one in may take in all, in milliseconds.
const IMPORT_MS: f64 = 10_000.0;
/// What one statement of it may take, of several runs their mean: half of what the server lets any statement take.
const STATEMENT_MS: f64 = 2_500.0;
/// What a tap may take meanwhile, and the slowest of them: sheets are read and reported on by the same thread.
const TAP_MS: f64 = 100.0;
const SLOWEST_TAP_MS: f64 = 1_000.0;
/// What the board may take when all those orders wait for a master.
const AFTERWARDS_MS: f64 = 1_000.0;
/// Between two taps.
const PAUSE: Duration = Duration::from_millis(40);

/// Sheets of three kinds, one after another; then the board.
pub async fn print(history: &mut History) {
    let program = Program::start(history, &history.url, &[]).await;
    let mut lines = Vec::new();
    for sheet in [
        Sheet { what: "all rows or none", query: "", invalid: 0, said: usual },
        Sheet { what: "all but a hundredth", query: "?partial=1", invalid: ROWS / 100, said: usual },
        Sheet { what: "rows as long as they may be", query: "?partial=0", invalid: 0, said: long },
    ] {
        lines.extend(import(history, &program, &sheet).await);
    }
    lines.push(look(&program, "the board after that", "/api/board", AFTERWARDS_MS).await);
    println!("\na sheet of {ROWS} rows is taken in, with {} finished orders\n", FINISHED[2]);
    print_lines(&lines);
}

/// A kind of sheet.
struct Sheet {
    what: &'static str,
    query: &'static str,
    /// How many of its rows ask for a time that has passed.
    invalid: usize,
    /// The address and the name.
    said: fn(usize) -> String,
}

/// It is taken in while masters go on tapping.
async fn import(history: &mut History, program: &Program, sheet: &Sheet) -> [Line; 4] {
    let path = format!("/api/orders/import{}", sheet.query);
    let before = program.statements();
    let mut taps = Vec::new();
    let answer = {
        let mut import = pin!(program.import(&path, sheet.written()));
        let tap_after_tap = async {
            loop {
                taps.push(history.tap().await);
                sleep(PAUSE).await;
            }
        };
        select! {
            answer = &mut import => answer,
            () = tap_after_tap => unreachable!("it ends with the import"),
        }
    };
    assert_eq!(answer.status, 201, "{}", answer.text);
    let made = answer.text.split("\"orders\":[").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
    assert_eq!(made.split(',').count(), ROWS - sheet.invalid, "{}", answer.text);
    let took = |(name, (seconds, runs)): (String, (f64, f64))| {
        let (earlier, earlier_runs) = before.get(&name).copied().unwrap_or_default();
        // Getting it ready is counted as a run, and takes none of the time.
        (seconds - earlier) / (runs - earlier_runs - 1.0).max(1.0)
    };
    let slowest_statement = program.statements().into_iter().map(took).fold(0.0, f64::max) * 1000.0;
    let tap = median(&mut taps);
    // The median has sorted them.
    let slowest = taps[taps.len() - 1].as_secs_f64() * 1000.0;
    [
        (sheet.what, answer.took.as_secs_f64() * 1000.0, IMPORT_MS),
        ("its slowest statement", slowest_statement, STATEMENT_MS),
        ("a tap meanwhile", tap, TAP_MS),
        ("the slowest tap meanwhile", slowest, SLOWEST_TAP_MS),
    ]
}

impl Sheet {
    fn written(&self) -> String {
        let mut sheet = "category;city;district;client_phone;address;client_name;description;slot_start\n".to_owned();
        for row in 0..ROWS {
            let (city, district) = (row % 10 + 1, row / 10 % 10 + 1);
            let slot = if row < self.invalid { "2020-01-01 10:00" } else { "" };
            let said = (self.said)(row);
            writeln!(sheet, "PLUMBING;Город {city};Район {district};+7912{row:07};{said};Течёт кран;{slot}")
                .expect("a String takes everything");
        }
        sheet
    }
}

/// What people write.
fn usual(row: usize) -> String {
    format!("ул. Малышева, {row}, кв. {};Ольга Петровна {row}", row % 90 + 1)
}

/// As much as a sheet of that size may say, in words of three syllables.
fn long(row: usize) -> String {
    let mut state = u32::try_from(row).expect("few").wrapping_mul(2_654_435_761) | 1;
    let mut syllable = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let pick = |letters: &str, number: u32| {
            let letters: Vec<char> = letters.chars().collect();
            letters[number as usize % letters.len()]
        };
        [pick("бвгджзклмнпрстфхцчшщ", state >> 8), pick("аеиоуыэюя", state >> 16)]
    };
    let mut text = |words: usize| {
        let word = |_| [syllable(), syllable(), syllable()].into_iter().flatten().chain([' ']).collect::<String>();
        (0..words).map(word).collect::<String>()
    };
    format!("{};{}", text(36), text(12))
}
