//! `verify`: whether anybody has tampered with the history of orders.

use std::io::{IsTerminal, Write, stderr};

use clap::Args;
use field_service::dispatch::verify::{self, Progress, Report};
use field_service::model::MasterId;
use field_service::model::history::{Covered, Finding, RootWrong, Wrong, hex};
use jiff::civil::Date;

use super::{Result, in_words, say, store};

#[derive(Args)]
pub struct Verify {
    /// A day's root as an admin was told, to be compared; may be repeated
    #[arg(long = "root", value_name = "DAY=ROOT", value_parser = told)]
    told: Vec<Told>,
    /// Show the roots of so many days, the newest last
    #[arg(long, value_name = "N", default_value_t = 7)]
    days: usize,
    /// Name each reason and each sum that was corrected by its master: whoever can change one can write such a correction too
    #[arg(long)]
    corrected: bool,
}

/// A root in somebody's chat.
#[derive(Clone)]
pub struct Told {
    day: Date,
    root: String,
}

fn told(text: &str) -> std::result::Result<Told, &'static str> {
    let root = text
        .split_once('=')
        .and_then(|(day, root)| Some(Told { day: day.parse().ok()?, root: root.to_ascii_lowercase() }));
    let is_whole = |told: &Told| told.root.len() == 64 && told.root.bytes().all(|byte| byte.is_ascii_hexdigit());
    root.filter(is_whole).ok_or("expected a day and its root as they were told, such as 2026-11-29=5f0c…")
}

pub async fn run(Verify { told, days, corrected }: Verify) -> Result {
    let shown = stderr().is_terminal();
    let store = store()?;
    let mut named = Vec::new();
    let report = verify::verify(&store, |progress| match progress {
        Progress::Corrected { order, row } if corrected => named.push((order, row)),
        progress if shown => show(progress),
        _ => {}
    });
    let report = report.await.map_err(in_words)?;
    if shown {
        // What is printed next begins where the progress was.
        eprint!("\r{:40}\r", "");
    }
    say(&summary(&report))?;
    named
        .iter()
        .try_for_each(|(order, row)| say(&format!("order {order}, row {row}: its reason or sum was corrected")))?;
    report.findings.iter().try_for_each(|finding| say(&found(finding)))?;
    if report.wrong > report.findings.len() as u64 {
        say(&format!("… and {} more orders", report.wrong - report.findings.len() as u64))?;
    }
    roots(&report, days)?;
    let mut fits = report.fits();
    for told in &told {
        fits &= compare(&report, told)?;
    }
    if fits { Ok(()) } else { Err("the history does not fit: see above".into()) }
}

fn show(progress: Progress) {
    let line = match progress {
        Progress::Orders(orders) => format!("orders: {orders}"),
        Progress::Seals(seals) => format!("seals under roots: {seals}"),
        Progress::Corrected { .. } => return,
    };
    let mut to = stderr();
    // Nobody misses a line of progress.
    drop(write!(to, "\r{line:40}").and_then(|()| to.flush()));
}

fn summary(report: &Report) -> String {
    let Report { orders, changes, unsealed, corrected, wrong, .. } = report;
    let mut lines = vec![format!("{orders} orders with {changes} changes: {wrong} do not fit")];
    if *unsealed > 0 {
        lines.push(format!("{unsealed} changes from before seals are yet to be sealed, which the jobs do"));
    }
    if *corrected > 0 {
        let reasons = if *corrected == 1 { "reason or sum was" } else { "reasons or sums were" };
        lines.push(format!(
            "{corrected} {reasons} corrected by their masters, as order_edits says, which is not sealed: --corrected names \
             them; what was said first is sealed"
        ));
    }
    lines.join("\n")
}

fn found(Finding { order, row, wrong }: &Finding) -> String {
    let place = row.map_or_else(|| format!("order {order}"), |row| format!("order {order}, row {row}"));
    let what = match wrong {
        Wrong::Changed => "was changed: its seal does not fit what it says".to_owned(),
        Wrong::MissingBefore => "a row before it is missing: its seal was made after another one".to_owned(),
        Wrong::NotSealed => "has no seal".to_owned(),
        Wrong::NotGivenOut => "has a number that was never given out: no day's root covers it".to_owned(),
        Wrong::DoesNotFollow { previous } => format!("does not follow the row before it, which ends in {previous}"),
        Wrong::OtherStatus { status, last } => format!(
            "is the last one and ends in {last}, but the order is {status}: rows after it are missing, or the order was \
             changed by itself"
        ),
        Wrong::OtherMaster { master, last } => {
            let who =
                |master: &Option<MasterId>| master.map_or_else(|| "nobody".to_owned(), |id| format!("master {id}"));
            format!(
                "is the last one, and by the history the order is with {}, but it is with {}: it was changed by itself",
                who(last),
                who(master)
            )
        }
        Wrong::OtherAmount { amount, last } => format!(
            "closes the order for {last}, but its sum is {}, which no correction says: it was changed by itself",
            amount.as_deref().unwrap_or("unknown")
        ),
        Wrong::Counted { changes, rows } if rows < changes => {
            format!("rows are missing: the order has changed {changes} times, and there are {rows}")
        }
        Wrong::Counted { changes, rows } => {
            format!("rows were added: the order has changed {changes} times, and there are {rows}")
        }
    };
    format!("{place}: {what}")
}

/// Every root that does not fit or cannot be verified, and the newest ones.
fn roots(report: &Report, newest: usize) -> Result {
    let from = report.roots.len().saturating_sub(newest);
    for (number, (root, judged)) in report.roots.iter().enumerate() {
        let what = match judged {
            Ok(Covered::Whole) => "fits".to_owned(),
            Ok(Covered::Purged(rows)) => {
                format!("fits; of {rows} the seal alone is left, as orders are deleted that were over for long")
            }
            Ok(Covered::Unknown(rows)) => format!(
                "CANNOT BE VERIFIED: {rows} are deleted, as policies say or by somebody, from before their seals were kept"
            ),
            Err(RootWrong::NotChained) => "DOES NOT FIT the root before it, or itself: roots were changed".to_owned(),
            Err(RootWrong::Beyond) => {
                "DOES NOT FIT: it reaches beyond the numbers given out, and takes the rows of later days from their roots"
                    .to_owned()
            }
            Err(RootWrong::Missing(rows)) => format!("DOES NOT FIT: {rows} changes are missing"),
            Err(RootWrong::Added(rows)) => format!("DOES NOT FIT: {rows} changes were added"),
            Err(RootWrong::Changed) => "DOES NOT FIT: changes were sealed anew".to_owned(),
        };
        if number >= from || !matches!(judged, Ok(Covered::Whole | Covered::Purged(_))) {
            say(&format!("root of {}  {}  {} changes  {what}", root.day, hex(&root.root), root.changes))?;
        }
    }
    if report.roots_are_gone {
        say(
            "DOES NOT FIT: roots are gone. Every database begins with one, and only by hand are they deleted: compare what is there \
             with those in the admins' chats, by --root.",
        )
    } else if report.roots.is_empty() {
        say("There is no root yet: the jobs make the first one when everything is sealed.")
    } else {
        say("Whoever changes everything can make roots fit: compare them with those in the admins' chats, by --root.")
    }
}

/// Whether a day's root is the one that was told.
fn compare(report: &Report, Told { day, root: told }: &Told) -> Result<bool> {
    let known = report.roots.iter().find(|(root, _)| root.day == *day);
    let fits = known.is_some_and(|(root, _)| hex(&root.root) == *told);
    let what = match known {
        None => "there is none: it was taken away, or told of another day: DOES NOT FIT",
        Some((_, Ok(_))) if fits => "is the one that was told",
        Some((_, Err(_))) if fits => "is the one that was told, and what it covers DOES NOT FIT any more: see above",
        Some(_) => "is not the one that was told: DOES NOT FIT",
    };
    say(&format!("root of {day}: {what}"))?;
    Ok(fits)
}
