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
    fn what_looks_like_a_formula_is_written_as_text_and_read_as_it_was() {
        for text in ["=1+1", "+7", "-5", "@a", "\tx", "ул. Мира", "'так", "", "='"] {
            assert_eq!(unguarded(&guarded(text)), text);
            assert!(!guarded(text).starts_with(FORMULA));
        }
    }
}
