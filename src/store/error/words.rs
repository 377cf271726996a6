//! The database's failures in words that quote no value. What PostgreSQL says of its own state, of connections, names and
//! limits is repeated; what it says of values is not: their kind and the SQLSTATE must do.

use std::borrow::Cow;
use std::error::Error;

use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::{WasNull, WrongType};

use crate::logging::cause;

/// Classes of SQLSTATE whose messages name tables, columns, roles, limits, and never a value.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const ABOUT_NO_VALUE: [&str; 15] =
    ["08", "0A", "0L", "0P", "25", "28", "2B", "3D", "3F", "40", "42", "53", "54", "55", "57"];

/// An error and its causes, each said once.
pub(in crate::store) fn explain(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(refusal) = error.downcast_ref::<DbError>() {
            said.push(of_server(refusal));
            return said.join(": ");
        }
        if let Some(driver) = error.downcast_ref::<tokio_postgres::Error>() {
            // The server's answer says more than that there was one.
            said.extend(driver.as_db_error().is_none().then(|| driver.to_string()));
        } else if is_constant(error, &said) || said.is_empty() {
            said.push(error.to_string());
        }
        next = error.source();
    }
    said.extend(cause::of(error));
    said.join(": ")
}

/// Whether the driver made the words of an error up by itself, without a value.
fn is_constant(error: &(dyn Error + 'static), said: &[String]) -> bool {
    let of_setting_up = ["invalid configuration", "authentication error", "error performing TLS handshake"];
    error.is::<WasNull>()
        || error.is::<WrongType>()
        || (said.last().is_some_and(|last| of_setting_up.contains(&last.as_str()))
            && !error.is::<std::io::Error>()
            && !error.is::<rustls::Error>())
}

fn of_server(error: &DbError) -> String {
    let state = error.code();
    let code = state.code();
    let words = if ABOUT_NO_VALUE.contains(&&code[..code.len().min(2)]) {
        Cow::Borrowed(error.message())
    } else if code.starts_with("23") {
        Cow::Owned(broken_rule(error))
    } else {
        Cow::Borrowed(match &code[..code.len().min(2)] {
            "22" => "a value that the database cannot take",
            "P0" => "the database's own code refuses it",
            "58" | "F0" => "the server's system fails",
            "XX" => "an internal error of the server",
            _ => "the server refuses it",
        })
    };
    let routine = error.routine().filter(|name| is_name(name)).map(|name| format!(", {name}")).unwrap_or_default();
    let said = format!("{words} (SQLSTATE {code}{routine})");
    if is_schema_missing(state) {
        return format!("the database has not this release's schema: run `field-service migrate` first; {said}");
    }
    said
}

fn broken_rule(error: &DbError) -> String {
    let part = |what: &str, name: Option<&str>| name.map(|name| format!(" {what} {name}")).unwrap_or_default();
    let rule = part("the constraint", error.constraint()) + &part("the column", error.column());
    let rule = if rule.is_empty() { " a constraint" } else { &rule };
    format!("a row that breaks{rule}{}", part("of the table", error.table()))
}

/// Whether a table, a column or a function is not there: the migration has yet to run.
pub(super) fn is_schema_missing(state: &SqlState) -> bool {
    [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN, SqlState::UNDEFINED_FUNCTION].contains(state)
}

/// A word of the database's that this release does not know, if it looks like one; a text that somebody wrote does not.
pub(super) fn word(value: &str) -> Cow<'_, str> {
    let looks_like_one =
        (1..=32).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if looks_like_one {
        return Cow::Borrowed(value);
    }
    Cow::Owned(format!("not a word, but {} characters", value.chars().count()))
}

fn is_name(name: &str) -> bool {
    name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_shown_and_a_text_is_not() {
        assert_eq!(word("ON_HOLD"), "ON_HOLD");
        for text in ["", "+79990001122", "79990001122", "Maria", "X\nY", "Мария"] {
            assert!(word(text).starts_with("not a word"), "{text}");
        }
    }
}
