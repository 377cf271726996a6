//! A record as a line: JSON in Lambda, for people elsewhere.
//!
//! One record is one line, whatever is in it: every character that moves the cursor, begins an escape sequence, ends a line
//! or turns the direction of writing is written as its code. Only this module writes lines.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Map, json};
use tracing::Level;

use super::record::{Fields, Record, Value};

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// For programs.
    Json,
    /// For people.
    Text {
        /// Whether a terminal shows them.
        colours: bool,
    },
}

/// What the message says too: fields for programs that read the JSON.
const IN_MESSAGE: [&str; 8] = ["order", "master", "staff", "outcome", "row", "job", "changed", "duration_ms"];

impl Style {
    /// The line, with its end.
    pub(super) fn line(self, record: &Record, now: Timestamp) -> String {
        let time = now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        match self {
            Self::Json => json_line(record, &time),
            Self::Text { colours } => text_line(record, &time, colours),
        }
    }
}

fn text_line(record: &Record, time: &str, colours: bool) -> String {
    let mut line = format!("{time} {:>5} ", record.level);
    for span in &record.spans {
        line.push_str(span.name);
        let mut fields = String::new();
        text_fields(&span.fields, &[], "", &mut fields);
        let _ = write!(line, "{{{}}}: ", fields.trim_start());
    }
    let message = printable(&record.message);
    line.push_str(&message);
    text_fields(&record.fields, &IN_MESSAGE, &message, &mut line);
    if record.repeated > 1 {
        let _ = write!(line, " repeated={}", record.repeated);
    }
    let colour = match record.level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        _ => "",
    };
    if colours && !colour.is_empty() {
        line = format!("{colour}{line}\x1b[0m");
    }
    line.push('\n');
    line
}

/// Adds fields to a line, but for those of these names, and those that are a word of what was said before them.
fn text_fields(fields: &Fields, but: &[&str], said: &str, line: &mut String) {
    for (name, value) in fields.0.iter().filter(|(name, _)| !but.contains(name)) {
        let (plain, shown) = match value {
            Value::Text(text) => (text.clone(), printable(&format!("{text:?}")).into_owned()),
            Value::Words(words) => (words.clone(), printable(words).into_owned()),
            Value::Integer(number) => (number.to_string(), number.to_string()),
            Value::Float(number) => (number.to_string(), number.to_string()),
            Value::Flag(flag) => (flag.to_string(), flag.to_string()),
        };
        let is_said = said.split_whitespace().any(|word| word.split_once('=') == Some((name, plain.as_str())));
        if !is_said {
            let _ = write!(line, " {name}={shown}");
        }
    }
}

fn json_line(record: &Record, time: &str) -> String {
    let mut object = Map::new();
    object.insert("timestamp".to_owned(), json!(time));
    object.insert("level".to_owned(), json!(record.level.as_str()));
    object.insert("message".to_owned(), json!(record.message));
    json_fields(&record.fields, &mut object);
    if record.repeated > 1 {
        object.insert("repeated".to_owned(), json!(record.repeated));
    }
    object.insert("target".to_owned(), json!(record.target));
    if let Some(span) = record.spans.last() {
        let mut inner = Map::new();
        json_fields(&span.fields, &mut inner);
        inner.insert("name".to_owned(), json!(span.name));
        object.insert("span".to_owned(), inner.into());
    }
    let line = serde_json::Value::from(object).to_string();
    // In JSON such a character can only stand in a text; those below U+0020 are escaped already.
    escaped(&line, |c, out| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
    .into_owned()
        + "\n"
}

fn json_fields(fields: &Fields, object: &mut Map<String, serde_json::Value>) {
    for (name, value) in &fields.0 {
        let value = match value {
            Value::Text(text) | Value::Words(text) => json!(text),
            // Larger ones are not logged; JSON has none.
            Value::Integer(number) => i64::try_from(*number).map_or_else(|_| json!(number.to_string()), |n| json!(n)),
            Value::Float(number) => json!(number),
            Value::Flag(flag) => json!(flag),
        };
        object.insert((*name).to_owned(), value);
    }
}

/// A text that people read in a terminal, on one line and without effect on the terminal: `\n`, `\u{1b}`.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c, out| {
        let _ = write!(out, "{}", c.escape_default());
    })
}

fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.chars().any(is_active) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_active(c) { escape(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Whether a character does something where it is shown: control characters, ends of line and of paragraph, changes of
/// direction, and what nobody sees.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::logging::record::Span;

    /// What somebody would write who wants a log line of his own.
    const FORGED: &str = "x\n2026-11-25T00:00:00.000000Z  INFO offer_accept SUCCESS: order=999\r\u{1b}[2J\u{9b}31m\u{85}\u{2028}\u{202e}\u{0}\u{7f}";

    fn record() -> Record {
        let fields = Fields(vec![
            ("order", Value::Integer(7)),
            ("text", Value::Text(FORGED.to_owned())),
            ("error", Value::Words(FORGED.to_owned())),
        ]);
        let fields_of_span = Fields(vec![("bot", Value::Text(FORGED.to_owned()))]);
        let span = Span { name: "update", fields: fields_of_span, begun: Instant::now() };
        let mut record = Record::new(Level::WARN, "field_service::test", format!("order=7 {FORGED}"));
        (record.fields, record.spans) = (fields, vec![span]);
        record
    }

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        for style in [Style::Json, Style::Text { colours: false }] {
            let line = style.line(&record(), Timestamp::UNIX_EPOCH);
            let line = line.strip_suffix('\n').expect("an end");
            assert!(!line.chars().any(is_active), "{style:?}: {line:?}");
            assert!(line.contains("order=999"), "nothing is swallowed");
        }
    }

    #[test]
    fn programs_read_what_was_said() {
        let line = Style::Json.line(&record(), Timestamp::UNIX_EPOCH);
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(line["error"], FORGED);
        assert_eq!(line["span"]["name"], "update");
        assert_eq!((&line["order"], &line["level"]), (&json!(7), &json!("WARN")));
        assert_eq!(line["timestamp"], "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn people_read_one_thing_once() {
        let mut record = Record::new(Level::INFO, "x", "offer_accept SUCCESS: order=7".to_owned());
        record.fields = Fields(vec![("order", Value::Integer(7)), ("attempt", Value::Integer(2))]);
        record.repeated = 3;
        let line = Style::Text { colours: true }.line(&record, Timestamp::UNIX_EPOCH);
        assert_eq!(line, "1970-01-01T00:00:00.000000Z  INFO offer_accept SUCCESS: order=7 attempt=2 repeated=3\n");

        let mut record = Record::new(Level::INFO, "x", "invite SUCCESS: invitation=4 bot=admin".to_owned());
        let number = |name, number| (name, Value::Integer(number));
        record.fields =
            Fields(vec![number("invitation", 4), ("bot", Value::Text("admin".to_owned())), number("of", 4)]);
        let line = Style::Text { colours: false }.line(&record, Timestamp::UNIX_EPOCH);
        assert_eq!(line, "1970-01-01T00:00:00.000000Z  INFO invite SUCCESS: invitation=4 bot=admin of=4\n");
    }
}
