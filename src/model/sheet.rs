//! Sheets of orders: which columns they have, and what stands in a cell.

use jiff::Timestamp;
use jiff::civil::DateTime;

/// A column of a sheet that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// The trade.
    Category,
    /// The city's name.
    City,
    /// The district's name.
    District,
    /// Street, house, flat.
    Address,
    /// The client's phone.
    Phone,
    /// The client's name.
    Name,
    /// What is wrong.
    Description,
    /// From when the client expects the master, on the city's clocks.
    Start,
    /// Until when.
    End,
    /// As soon as possible.
    Soon,
    /// The day, in words, where no column says from when and until when.
    Day,
    /// The time, in words, with its day or beside it.
    When,
}

impl Column {
    /// Every column that is read.
    pub const ALL: [Self; 12] = [
        Self::Category,
        Self::City,
        Self::District,
        Self::Address,
        Self::Phone,
        Self::Name,
        Self::Description,
        Self::Start,
        Self::End,
        Self::Soon,
        Self::Day,
        Self::When,
    ];

    /// Those that are written, in their order.
    pub const WRITTEN: [Self; 10] = [
        Self::Category,
        Self::City,
        Self::District,
        Self::Address,
        Self::Phone,
        Self::Name,
        Self::Description,
        Self::Start,
        Self::End,
        Self::Soon,
    ];

    /// Its English name, which is the API's field.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::City => "city",
            Self::District => "district",
            Self::Address => "address",
            Self::Phone => "client_phone",
            Self::Name => "client_name",
            Self::Description => "description",
            Self::Start => "slot_start",
            Self::End => "slot_end",
            Self::Soon => "soon",
            Self::Day => "date",
            Self::When => "time",
        }
    }

    /// The column of that English name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.as_str() == name)
    }
}

/// A time in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// On the clocks of the city.
    Local(DateTime),
    /// A moment.
    At(Timestamp),
}

impl Time {
    /// Reads a time: RFC 3339, `2026-12-01 14:00` or `01.12.2026 14:00`.
    #[must_use]
    pub fn parse(cell: &str) -> Option<Self> {
        if let Ok(moment) = cell.parse() {
            return Some(Self::At(moment));
        }
        let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"];
        let cell = cell.replacen('T', " ", 1);
        formats.into_iter().find_map(|format| DateTime::strptime(format, &cell).ok()).map(Self::Local)
    }
}

/// A sheet without the rows in which a quote is opened and not closed, so that none of them takes the next ones with it; and the lines
/// at which these rows begin, from 1. Every other line stays where it is.
///
/// What stands behind a closing quote is read as part of the cell as long as the cell has one line; where a cell goes on over lines, it
/// shows that it was not closed there, but by the next row that has a quote.
#[must_use]
pub fn without_unclosed(text: &str, delimiter: u8) -> (String, Vec<u64>) {
    let bytes = text.as_bytes();
    let (mut kept, mut unclosed) = (String::with_capacity(text.len()), Vec::new());
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let end = match row_end(bytes, at, delimiter) {
            Ok(end) => {
                kept.push_str(&text[at..end]);
                end
            }
            Err(quote) => {
                let end = next_line(bytes, quote);
                unclosed.push(line);
                kept.extend(text[at..end].chars().filter(|c| *c == '\n'));
                end
            }
        };
        line += text[at..end].matches('\n').count() as u64;
        at = end;
    }
    (kept, unclosed)
}

/// Where the row ends that begins there. Err: where the quote stands that is not closed.
fn row_end(bytes: &[u8], begins: usize, delimiter: u8) -> Result<usize, usize> {
    let mut at = begins;
    loop {
        if bytes.get(at) == Some(&b'"') {
            at = quoted_end(bytes, at, delimiter).ok_or(at)?;
        }
        match bytes[at..].iter().position(|byte| *byte == delimiter || *byte == b'\n') {
            None => return Ok(bytes.len()),
            Some(end) if bytes[at + end] == b'\n' => return Ok(at + end + 1),
            Some(end) => at += end + 1,
        }
    }
}

/// Where the quotes are closed that are opened there, unless they are not.
fn quoted_end(bytes: &[u8], opened: usize, delimiter: u8) -> Option<usize> {
    let (mut at, mut lines) = (opened + 1, 1);
    loop {
        match (*bytes.get(at)?, bytes.get(at + 1).copied()) {
            (b'"', Some(b'"')) => at += 2,
            (b'"', next) => {
                let ends_cell = next.is_none_or(|next| next == delimiter || next == b'\n');
                return (ends_cell || lines == 1).then_some(at + 1);
            }
            (byte, _) => {
                lines += usize::from(byte == b'\n');
                at += 1;
            }
        }
    }
}

fn next_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1)
}

/// A spreadsheet reads these at the beginning of a cell as a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text as it is written in a cell, so that no spreadsheet calculates with it.
#[must_use]
pub fn guarded(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell, as it was before [`guarded`].
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_sheets_write_it() {
        let local = Some(Time::Local(jiff::civil::date(2026, 12, 1).at(14, 0, 0, 0)));
        for cell in
            ["2026-12-01 14:00", "2026-12-01T14:00", "2026-12-01 14:00:00", "01.12.2026 14:00", "1.12.2026 14:00"]
        {
            assert_eq!(Time::parse(cell), local, "{cell}");
        }
        let at = "2026-12-01T09:00:00Z".parse().map(Time::At).ok();
        assert_eq!(Time::parse("2026-12-01T14:00:00+05:00"), at);
        for cell in ["", "14:00", "01.12.2026", "31.02.2026 14:00", "2026-12-01 25:00", "12/01/2026 14:00"] {
            assert_eq!(Time::parse(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_its_own_row_and_no_other() {
        let whole = [
            "a;b\n\"x;\n\"\"y\";2\n",
            "a\nООО \"Ромашка\";1\n",
            "a;b\n\"Ромашка\" ООО;1\n\"\";\"\"\n",
            "",
            "\n\n",
            "a;\"\"",
        ];
        for text in whole {
            assert_eq!(without_unclosed(text, b';'), (text.to_owned(), Vec::new()), "{text}");
        }
        for (text, kept, lines) in [
            ("a;b\n\"x;1\ny;2\n", "a;b\n\ny;2\n", vec![2]),
            ("a;b\n\"x;1\n\"y;z\";2\n", "a;b\n\n\"y;z\";2\n", vec![2]),
            ("a;b\n1;\"x\n2;\"y\n3;4", "a;b\n\n\n3;4", vec![2, 3]),
            ("a\n\"1\n2\";\"x\n3\n", "a\n\n\n3\n", vec![2]),
            ("\"a;b\n1;2\n", "\n1;2\n", vec![1]),
            ("a\n\"", "a\n", vec![2]),
        ] {
            assert_eq!(without_unclosed(text, b';'), (kept.to_owned(), lines), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_formula_is_written_as_text_and_read_as_it_was() {
        for text in ["=1+1", "+7", "-5", "@a", "\tx", "ул. Мира", "'так", "", "='"] {
            assert_eq!(unguarded(&guarded(text)), text);
            assert!(!guarded(text).starts_with(FORMULA));
        }
    }
}
