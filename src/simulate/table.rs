//! Figures as a table for a terminal.

use super::batch::Compared;
use super::figures::Figures;
use super::statistics::Estimate;

/// A column: its heading in two lines, digits after the point, and what it shows.
struct Column {
    heading: [&'static str; 2],
    digits: usize,
    figure: fn(&Figures) -> f64,
}

/// Which waits a table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Of all orders: in a simulation, where each is watched for as long under every policy.
    OfAll,
    /// Of the orders that masters took: in a replay, whose record ends elsewhere than what is played.
    OfTaken,
}

impl Waits {
    fn columns(self) -> [Column; 3] {
        let column = |heading, figure| Column { heading, digits: 0, figure };
        match self {
            Self::OfAll => [
                column(["wait: median,", "s"], |figures| figures.median),
                column(["90 %,", "s"], |figures| figures.ninety),
                column(["99 %,", "s"], |figures| figures.ninety_nine),
            ],
            Self::OfTaken => [
                column(["wait of taken:", "median, s"], |figures| figures.taken_median),
                column(["90 %,", "s"], |figures| figures.taken_ninety),
                column(["99 %,", "s"], |figures| figures.taken_ninety_nine),
            ],
        }
    }

    /// What they mean.
    #[must_use]
    pub fn legend(self) -> &'static str {
        match self {
            Self::OfAll => {
                "\
A wait is from the order's creation to its acceptance; of an order that was canceled, or given by staff, only that it was no
shorter (Kaplan-Meier). Where masters accepted too few for a percentile, it is the longest wait there was, and the true one is
no shorter."
            }
            Self::OfTaken => {
                "\
A wait is from the order's creation to its acceptance, of those orders alone that masters took: compare it together with how
many those are (`accepted`). How long the others were searched for says nothing: in what was played that is longer than it was."
            }
        }
    }
}

/// What a table shows after the waits.
const OTHERS: [Column; 7] = [
    Column { heading: ["messages", "per order"], digits: 2, figure: |figures| figures.messages },
    Column { heading: ["offers", "per order"], digits: 2, figure: |figures| figures.offers },
    Column { heading: ["lost taps", "per order"], digits: 2, figure: |figures| figures.lost },
    Column { heading: ["over 10 min,", "orders a day"], digits: 2, figure: |figures| figures.over_ten_minutes },
    Column { heading: ["staff called,", "%"], digits: 1, figure: |figures| figures.called },
    Column { heading: ["accepted,", "%"], digits: 1, figure: |figures| figures.accepted },
    Column { heading: ["Gini", "of work"], digits: 3, figure: |figures| figures.gini },
];

/// What the other figures mean.
pub const LEGEND: &str = "\
± is half of the 95 % confidence interval of the mean over seeds. Messages: offers, and the ends of those that had not been
answered, shown on their cards.
Lost taps: masters who wanted the order, and saw it when somebody else had taken it.";

/// A line for each policy. Where there is one seed only, nothing is said of how far it may be from the mean.
#[must_use]
pub fn table(waits: Waits, compared: &[Compared]) -> String {
    let waits_of = waits.columns();
    let columns = || waits_of.iter().chain(&OTHERS);
    let mut rows: Vec<Vec<String>> = (0..2)
        .map(|line| {
            let first = if line == 0 { "policy" } else { "" };
            std::iter::once(first.to_owned()).chain(columns().map(|column| column.heading[line].to_owned())).collect()
        })
        .collect();
    rows.extend(compared.iter().map(|compared| {
        let wait = |column: &Column| match waits {
            Waits::OfAll => compared.estimate(column.figure),
            Waits::OfTaken => compared.estimate_of_taken(column.figure),
        };
        let waits = waits_of.iter().map(|column| cell(wait(column), column.digits));
        let others = OTHERS.iter().map(|column| cell(compared.estimate(column.figure), column.digits));
        std::iter::once(compared.rule.name.clone()).chain(waits).chain(others).collect()
    }));
    aligned(&rows)
}

fn cell(Estimate { mean, margin }: Estimate, digits: usize) -> String {
    // What is rounded to nothing is nothing from either side.
    let mean = if mean.abs() < 0.5 * 0.1_f64.powi(i32::try_from(digits).unwrap_or_default()) { 0.0 } else { mean };
    if margin.is_finite() { format!("{mean:.digits$} ±{margin:.digits$}") } else { format!("{mean:.digits$}") }
}

/// «1 order», «2 orders».
#[must_use]
pub fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// Rows with their columns one below the other: the first to the left, the others to the right.
#[must_use]
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") }
        });
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::rule::Rule;

    #[test]
    fn a_line_for_each_policy() {
        let seed = |median| Figures { median, messages: 7.125, ..Figures::default() };
        let compared = Compared { rule: Rule::default(), seeds: vec![seed(20.0), seed(30.0)] };
        let table = table(Waits::OfAll, &[compared.clone(), Compared { seeds: vec![seed(20.0)], ..compared }]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[0].starts_with("policy   wait: median,") && lines[2].starts_with("default         25 ±64"),
            "{table}"
        );
        assert!(lines[3].contains(" 7.12 ") && !lines[3].contains('±'), "{table}");
    }

    #[test]
    fn of_orders_that_were_taken_a_day_without_any_says_nothing() {
        let day = |taken_median, accepted| Figures { accepted, taken_median, ..Figures::default() };
        let compared = Compared { rule: Rule::default(), seeds: vec![day(20.0, 50.0), day(30.0, 50.0), day(0.0, 0.0)] };
        let table = table(Waits::OfTaken, &[compared]);
        assert!(table.lines().last().is_some_and(|line| line.contains(" 25 ±64 ")), "{table}");
    }

    #[test]
    fn nothing_has_no_sign() {
        let said = |mean| cell(Estimate { mean, margin: f64::INFINITY }, 2);
        assert_eq!([-0.0, -1e-9, -0.004, -0.006].map(said), ["0.00", "0.00", "0.00", "-0.01"]);
    }
}
