//! Figures as a table for a terminal.

use super::batch::Compared;
use super::figures::Figures;
use super::statistics::Estimate;

/// A column: its heading in two lines, digits after the point, and what it shows.
pub struct Column {
    heading: [&'static str; 2],
    digits: usize,
    /// Which figure.
    pub figure: fn(&Figures) -> f64,
}

/// What a table shows.
pub const COLUMNS: [Column; 10] = [
    Column { heading: ["wait: median,", "s"], digits: 0, figure: |figures| figures.median },
    Column { heading: ["90 %,", "s"], digits: 0, figure: |figures| figures.ninety },
    Column { heading: ["99 %,", "s"], digits: 0, figure: |figures| figures.ninety_nine },
    Column { heading: ["messages", "per order"], digits: 2, figure: |figures| figures.messages },
    Column { heading: ["offers", "per order"], digits: 2, figure: |figures| figures.offers },
    Column { heading: ["lost taps", "per order"], digits: 2, figure: |figures| figures.lost },
    Column { heading: ["over 10 min,", "orders a day"], digits: 2, figure: |figures| figures.over_ten_minutes },
    Column { heading: ["staff called,", "%"], digits: 1, figure: |figures| figures.called },
    Column { heading: ["accepted,", "%"], digits: 1, figure: |figures| figures.accepted },
    Column { heading: ["Gini", "of work"], digits: 3, figure: |figures| figures.gini },
];

/// What the figures mean.
pub const LEGEND: &str = "\
± is half of the 95 % confidence interval of the mean over seeds. A wait is from the order's creation to its acceptance; of an
order that was canceled, or given by staff, only that it was no shorter (Kaplan-Meier). Where masters accepted too few for a
percentile, it is the longest wait there was, and the true one is no shorter. Messages: offers, and the ends of those that had not been answered, shown on their cards.
Lost taps: masters who wanted the order, and saw it when somebody else had taken it.";

/// A line for each policy. Where there is one seed only, nothing is said of how far it may be from the mean.
#[must_use]
pub fn table(compared: &[Compared]) -> String {
    let mut rows: Vec<Vec<String>> = (0..2)
        .map(|line| {
            let first = if line == 0 { "policy" } else { "" };
            std::iter::once(first.to_owned())
                .chain(COLUMNS.iter().map(|column| column.heading[line].to_owned()))
                .collect()
        })
        .collect();
    rows.extend(compared.iter().map(|compared| {
        let cells = COLUMNS.iter().map(|column| cell(compared.estimate(column.figure), column.digits));
        std::iter::once(compared.rule.name.clone()).chain(cells).collect()
    }));
    aligned(&rows)
}

fn cell(Estimate { mean, margin }: Estimate, digits: usize) -> String {
    if margin.is_finite() { format!("{mean:.digits$} ±{margin:.digits$}") } else { format!("{mean:.digits$}") }
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
        let table = table(&[compared.clone(), Compared { seeds: vec![seed(20.0)], ..compared }]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[0].starts_with("policy   wait: median,") && lines[2].starts_with("default         25 ±64"),
            "{table}"
        );
        assert!(lines[3].contains(" 7.12 ") && !lines[3].contains('±'), "{table}");
    }
}
