//! Reads and writes sheets of orders: CSV in UTF-8 or Windows-1251, with commas, semicolons or tabs.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use encoding_rs::WINDOWS_1251;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use serde::Serialize;
use utoipa::ToSchema;

use super::Words;
use super::new_order::{obstacle, phone, slot_is_sane, words};
use super::problem::{FieldError, note};
use crate::model::Category;
use crate::model::city::City;
use crate::model::new_order::{ADDRESS, DESCRIPTION, NAME, NewOrder, Obstacle, Search, Visit};
use crate::model::order_record::OrderRecord;
use crate::model::sheet::{Column, Time, guarded, unguarded, without_unclosed};
use crate::model::slot::{NoTime, WINDOW, When};

/// The most rows of a sheet.
pub const ROWS: usize = 10_000;

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowError {
    /// The line of the file at which the row begins; the header is line 1.
    #[schema(example = 7)]
    pub line: u64,
    /// The column's name in English; empty: the row as a whole.
    #[schema(example = "client_phone")]
    pub field: String,
    /// What is wrong, and what would not be.
    pub detail: String,
}

/// A sheet that was read.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The orders, each with its line.
    pub orders: Vec<(u64, NewOrder)>,
    /// What is wrong.
    pub errors: Vec<RowError>,
    /// How many rows there are.
    pub rows: usize,
    /// The names of columns that are not read.
    pub ignored: Vec<String>,
}

/// Reads a sheet.
///
/// # Errors
/// That it is no sheet of orders at all, in words.
pub fn read(bytes: &[u8], cities: &[City], language: &Words) -> Result<Sheet, String> {
    let text = decoded(bytes);
    let header = text.lines().next().unwrap_or_default();
    let count = |delimiter: char| header.chars().filter(|c| *c == delimiter).count();
    let delimiter = [b';', b',', b'\t'].into_iter().max_by_key(|delimiter| count((*delimiter).into())).unwrap_or(b',');
    let (text, unclosed) = without_unclosed(&text, delimiter);
    if unclosed.first() == Some(&1) {
        return Err("the first line has a quote that is not closed".to_owned());
    }
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let mut columns = HashMap::new();
    let mut sheet = Sheet::default();
    for (index, title) in reader.headers().map_err(|error| error.to_string())?.iter().enumerate() {
        match column(title, language) {
            Some(column) if columns.insert(column, index).is_some() => {
                return Err(format!("there are two columns {}", column.as_str()));
            }
            Some(_) => {}
            None if title.trim().is_empty() => {}
            None => sheet.ignored.push(title.trim().to_owned()),
        }
    }
    let city_is_known = cities.len() == 1;
    let needed = [Column::Category, Column::City, Column::Address, Column::Phone];
    let missing = needed.into_iter().filter(|column| !columns.contains_key(column));
    let missing: Vec<_> =
        missing.filter(|column| *column != Column::City || !city_is_known).map(Column::as_str).collect();
    if !missing.is_empty() {
        return Err(format!("the first line lacks the columns {}", missing.join(", ")));
    }
    sheet.rows = unclosed.len();
    let open = |line| RowError { line, field: String::new(), detail: "a quote is not closed".to_owned() };
    sheet.errors.extend(unclosed.into_iter().map(open));
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(sheet),
            Ok(true) => {}
            Err(error) => return Err(error.to_string()),
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        sheet.rows += 1;
        if sheet.rows > ROWS {
            return Err(format!("expected at most {ROWS} rows"));
        }
        let line = record.position().map_or(0, |begins| line(&text, begins));
        let row = Row { record: &record, columns: &columns, cities, language };
        match row.read() {
            Ok(order) => sheet.orders.push((line, order)),
            Err(errors) => sheet.errors.extend(errors.into_iter().map(|error| at(line, error))),
        }
    }
}

/// The line of a row that begins there, or after empty lines that follow.
fn line(text: &str, begins: &csv::Position) -> u64 {
    let rest = usize::try_from(begins.byte()).ok().and_then(|byte| text.get(byte..)).unwrap_or_default();
    let empty = rest.bytes().take_while(|byte| *byte == b'\n');
    begins.line() + empty.count() as u64
}

/// What is wrong with a field of a row.
pub fn at(line: u64, error: FieldError) -> RowError {
    let pointer = error.pointer.trim_start_matches('/');
    let field = match pointer {
        "slot/start" => Column::Start.as_str(),
        "slot/end" => Column::End.as_str(),
        "city_id" => Column::City.as_str(),
        "district_id" => Column::District.as_str(),
        other => other,
    };
    RowError { line, field: field.to_owned(), detail: error.detail }
}

fn decoded(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1251.decode_without_bom_handling(bytes).0.into_owned(),
    };
    // Lines may end in a carriage return alone, as older spreadsheets write them; lines are counted by what ends them.
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

fn column(title: &str, language: &Words) -> Option<Column> {
    let title = title.trim().to_lowercase();
    let called_so = |column: &Column| (language.column_names)(*column).contains(&title.as_str());
    Column::parse(&title).or_else(|| Column::ALL.into_iter().find(called_so))
}

struct Row<'a> {
    record: &'a StringRecord,
    columns: &'a HashMap<Column, usize>,
    cities: &'a [City],
    language: &'a Words,
}

impl Row<'_> {
    fn cell(&self, column: Column) -> &str {
        let cell = self.columns.get(&column).and_then(|index| self.record.get(*index)).unwrap_or_default();
        unguarded(cell.trim())
    }

    fn read(&self) -> Result<NewOrder, Vec<FieldError>> {
        let mut errors = Vec::new();
        let category = note(self.category(), &mut errors);
        let city = note(self.city(), &mut errors);
        let district = city.map(|city| self.district(city)).transpose();
        let district = note(district, &mut errors);
        let address = note(words("address", self.cell(Column::Address), ADDRESS), &mut errors);
        let phone = note(phone(self.cell(Column::Phone)), &mut errors);
        let name = note(self.optional(Column::Name, NAME), &mut errors);
        let description = note(self.optional(Column::Description, DESCRIPTION), &mut errors);
        let visit = note(self.visit(city), &mut errors);
        match (city, district, category, address, phone, name, description, visit) {
            (
                Some(city),
                Some(district),
                Some(category),
                Some(address),
                Some(phone),
                Some(name),
                Some(description),
                Some(visit),
            ) => Ok(NewOrder {
                category,
                city: city.id,
                district: district.flatten(),
                address,
                phone,
                name,
                description,
                visit,
                preferred: None,
                guarantee_of: None,
                search: Search::Now,
            }),
            _ => Err(errors),
        }
    }

    fn optional(&self, column: Column, limit: usize) -> Result<Option<String>, FieldError> {
        match self.cell(column) {
            "" => Ok(None),
            text => words(column.as_str(), text, limit).map(Some),
        }
    }

    fn city(&self) -> Result<&City, FieldError> {
        let name = self.cell(Column::City).to_lowercase();
        match self.cities {
            [only] if name.is_empty() => Ok(only),
            cities => cities
                .iter()
                .find(|city| city.name.to_lowercase() == name)
                .ok_or_else(|| FieldError::new(Column::City.as_str(), "no city that the token may work in")),
        }
    }

    fn district(&self, city: &City) -> Result<Option<i64>, FieldError> {
        let name = self.cell(Column::District).to_lowercase();
        if name.is_empty() {
            return Ok(None);
        }
        let found = city.districts.iter().find(|district| district.name.to_lowercase() == name);
        let unknown = || FieldError::new(Column::District.as_str(), format!("no district of {}", city.name));
        found.map(|district| Some(district.id)).ok_or_else(unknown)
    }

    fn category(&self) -> Result<Category, FieldError> {
        let cell = self.cell(Column::Category);
        let called_so = |category: &Category| {
            category.as_str().eq_ignore_ascii_case(cell)
                || (self.language.trade)(*category).to_lowercase() == cell.to_lowercase()
        };
        Category::ALL.into_iter().find(called_so).ok_or_else(|| {
            let all = Category::ALL.map(|category| (self.language.trade)(category)).join(", ");
            FieldError::new(Column::Category.as_str(), format!("expected one of: {all}"))
        })
    }

    fn visit(&self, city: Option<&City>) -> Result<Visit, FieldError> {
        let soon = self.cell(Column::Soon).to_lowercase();
        let is_soon = (self.language.is_yes)(&soon);
        if !is_soon && !(self.language.is_no)(&soon) {
            return Err(FieldError::new(Column::Soon.as_str(), "expected yes or no"));
        }
        let (start, end) = (self.time(Column::Start)?, self.time(Column::End)?);
        if let Some((column, words)) = self.words_of_time() {
            if is_soon || start.is_some() || end.is_some() {
                return Err(FieldError::new(column.as_str(), "expected the time in one way only"));
            }
            // Where it is not known which clocks are meant, the row is an error anyway.
            return city.map_or(Ok(Visit::Unsaid), |city| self.in_words(&words, column, city));
        }
        let visit = match (start, end) {
            (None, None) if is_soon => return Ok(Visit::Soon),
            (None, None) => return Ok(Visit::Unsaid),
            (None, Some(_)) => {
                return Err(FieldError::new(Column::Start.as_str(), "expected a time, as there is an end"));
            }
            (Some(Time::Local(start)), Some(Time::Local(end))) => Visit::Local(start, end),
            (Some(Time::Local(start)), None) => Visit::Local(start, start.saturating_add(i64::from(WINDOW).hours())),
            (Some(Time::At(start)), Some(Time::At(end))) => Visit::Between(start, end),
            (Some(Time::At(start)), None) => match start.checked_add(i64::from(WINDOW).hours()) {
                Ok(end) => Visit::Between(start, end),
                Err(_) => return Err(FieldError::new(Column::Start.as_str(), "expected a time of this century")),
            },
            _ => return Err(FieldError::new(Column::End.as_str(), "expected it written as the start is")),
        };
        if is_soon {
            return Err(FieldError::new(Column::Soon.as_str(), "expected either a time or as soon as possible"));
        }
        slot_is_sane(visit).map(|()| visit)
    }

    /// What is said of the time in words: the day and the hours, and the column of the last of them.
    fn words_of_time(&self) -> Option<(Column, String)> {
        let said = [Column::Day, Column::When].map(|column| (column, self.cell(column)));
        let said = said.into_iter().filter(|(_, cell)| !(self.language.is_no)(&cell.to_lowercase()));
        said.fold(None, |before: Option<(Column, String)>, (column, cell)| {
            let words = before.map_or_else(|| cell.to_owned(), |(_, before)| format!("{before} {cell}"));
            Some((column, words))
        })
    }

    /// A time in words, as a client says it, by the clocks of the city.
    fn in_words(&self, words: &str, column: Column, city: &City) -> Result<Visit, FieldError> {
        let why = match (self.language.read_when)(&plain(words), city.now, city.workday) {
            Ok(When::Soon) => return Ok(Visit::Soon),
            Ok(When::Slot { start, end }) => {
                return slot_is_sane(Visit::Local(start, end)).map(|()| Visit::Local(start, end));
            }
            Err(NoTime::NotUnderstood) => "expected a day and hours, such as 01.12.2026 10:00-12:00".to_owned(),
            Err(NoTime::Past) => obstacle(Obstacle::PastSlot).detail,
            Err(NoTime::TooFar) => obstacle(Obstacle::FarSlot).detail,
        };
        Err(FieldError::new(column.as_str(), why))
    }

    fn time(&self, column: Column) -> Result<Option<Time>, FieldError> {
        match self.cell(column) {
            "" => Ok(None),
            cell => Time::parse(cell).map(Some).ok_or_else(|| {
                FieldError::new(column.as_str(), "expected a time such as 01.12.2026 14:00 or 2026-12-01 14:00")
            }),
        }
    }
}

/// Words of a time as people write them, where a spreadsheet or a program has written a time or a day its own way.
fn plain(words: &str) -> String {
    if let Some(Time::Local(at)) = Time::parse(words) {
        return at.strftime("%d.%m.%Y %H:%M").to_string();
    }
    let day = words.get(..10).and_then(|day| Date::strptime("%Y-%m-%d", day).ok());
    day.map_or_else(|| words.to_owned(), |day| format!("{}{}", day.strftime("%d.%m.%Y"), &words[10..]))
}

/// Whether it is a phone and nothing else: a spreadsheet makes a number of it at worst.
fn is_dialled(phone: &str) -> bool {
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Writes orders as a sheet that spreadsheets open by a double click: UTF-8 with its mark, semicolons, times on the city's clocks.
pub fn write(orders: &[OrderRecord], language: &Words) -> Vec<u8> {
    let mut writer = WriterBuilder::new().delimiter(b';').from_writer(b"\xef\xbb\xbf".to_vec());
    let titles =
        language.exported.iter().copied().chain(Column::WRITTEN.map(|column| (language.column_names)(column)[0]));
    // A Vec takes everything.
    let _ = writer.write_record(titles);
    for order in orders {
        let time = |at: DateTime| at.strftime("%Y-%m-%d %H:%M").to_string();
        let row = [
            order.id.to_string(),
            (language.status)(order.status).to_owned(),
            order.master.as_ref().map(|(_, name)| guarded(name)).unwrap_or_default(),
            order.amount.map(|amount| amount.to_string()).unwrap_or_default(),
            time(order.local_created),
            (language.trade)(order.category).to_owned(),
            guarded(&order.city.1),
            order.district.as_ref().map(|(_, name)| guarded(name)).unwrap_or_default(),
            guarded(&order.address),
            if is_dialled(&order.client.phone) { order.client.phone.clone() } else { guarded(&order.client.phone) },
            guarded(&order.client.name),
            guarded(order.description.as_deref().unwrap_or_default()),
            order.local_slot.0.map(time).unwrap_or_default(),
            order.local_slot.1.map(time).unwrap_or_default(),
            if order.soon { language.yes.to_owned() } else { String::new() },
        ];
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}
