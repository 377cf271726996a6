//! What is logged, taken out of an event: plain values, which [`line`](super::line) writes down.

use std::fmt::{self, Write};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::span::Attributes;
use tracing::{Event, Level, Metadata};

/// A value is cut after so many bytes: a line is short, whatever somebody has managed to get into it.
const LIMIT: usize = 4096;

/// A value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A text that is quoted between other fields.
    Text(String),
    /// What stands for itself, such as an error.
    Words(String),
    Integer(i128),
    Float(f64),
    Flag(bool),
}

/// The fields of an event or a span, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(pub Vec<(&'static str, Value)>);

/// A span around an event, such as the update that is being handled.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub name: &'static str,
    pub fields: Fields,
    pub begun: Instant,
}

/// A line to be.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub level: Level,
    pub target: &'static str,
    pub message: String,
    pub fields: Fields,
    /// From the outermost to the innermost.
    pub spans: Vec<Span>,
    /// For how many lines of its kind this one stands.
    pub repeated: u64,
}

impl Record {
    pub(super) fn of(event: &Event<'_>, spans: Vec<Span>) -> Self {
        let metadata = event.metadata();
        let mut reader = Reader::default();
        event.record(&mut reader);
        let mut record = Self { spans, ..Self::new(*metadata.level(), metadata.target(), reader.message) };
        if is_ours(metadata) {
            record.fields = reader.fields;
        } else {
            record.message = beginning(&record.message).to_owned();
        }
        record
    }

    pub(super) fn new(level: Level, target: &'static str, message: String) -> Self {
        Self { level, target, message, fields: Fields::default(), spans: Vec::new(), repeated: 1 }
    }
}

/// Whether this crate logs it.
pub(super) fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
}

/// What a library says, up to where it may quote what came from outside, such as a header's value.
fn beginning(message: &str) -> &str {
    let end = message.find([':', '"', '\'', '`', '«', '{', '(', '[', '=']).unwrap_or(message.len());
    message[..end].trim_end()
}

impl Span {
    pub(super) fn new(attributes: &Attributes<'_>) -> Self {
        let mut reader = Reader::default();
        attributes.record(&mut reader);
        Self { name: attributes.metadata().name(), fields: reader.fields, begun: Instant::now() }
    }
}

#[derive(Default)]
struct Reader {
    message: String,
    fields: Fields,
}

impl Reader {
    fn add(&mut self, field: &Field, value: Value) {
        self.fields.0.push((field.name(), value));
    }
}

impl Visit for Reader {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Cut::default();
        // It ends early when there is enough of it.
        let _ = write!(text, "{value:?}");
        if field.name() == "message" { self.message = text.0 } else { self.add(field, Value::Words(text.0)) }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let mut text = Cut::default();
        let _ = text.write_str(value);
        if field.name() == "message" { self.message = text.0 } else { self.add(field, Value::Text(text.0)) }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Value::Integer(value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, Value::Integer(value.into()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Value::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::Flag(value));
    }
}

/// A text of at most [`LIMIT`] bytes, and a sign that it was longer.
#[derive(Default)]
struct Cut(String);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LIMIT.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        self.0.push('…');
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_libraries_say_the_beginning_is_kept() {
        assert_eq!(beginning("illegal Content-Length value: \"+79990001122\""), "illegal Content-Length value");
        assert_eq!(beginning("read header from client timeout"), "read header from client timeout");
    }

    #[test]
    fn a_value_is_cut() {
        let mut text = Cut::default();
        assert!(write!(text, "{}", "ж".repeat(LIMIT)).is_err());
        assert!(text.0.len() <= LIMIT + 4 && text.0.ends_with("ж…"));
    }
}
