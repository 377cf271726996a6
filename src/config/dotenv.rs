//! A file `.env` in the working folder, in the format of `deploy/env.example`: variables for whoever starts a program by hand.
//!
//! What the process environment has goes before it, an empty variable too. The process environment itself stays as it is: only
//! [`environment`](super::environment) looks here, so the file sets our own variables and nothing of the system's.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;

/// What the file of this process says.
static FILE: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// The file cannot be used. Nothing of what it says is shown: it is full of secrets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is there, and cannot be read.
    #[error("reading {file}: {source}")]
    Unreadable {
        /// Where it is.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A line says nothing that is understood.
    #[error(
        "{file}, line {line}: expected NAME='value', or # and a comment; a value that begins with a quote ends with one"
    )]
    Broken {
        /// Where it is.
        file: String,
        /// Which line, from one; of a value over several lines the first.
        line: usize,
    },
}

/// Reads the file for this process. That there is none is as well.
///
/// # Errors
/// When it cannot be read or understood.
pub fn load(file: &Path) -> Result<(), Error> {
    let name = || file.display().to_string();
    let text = match read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::Unreadable { file: name(), source }),
    };
    let variables = parse(&text).map_err(|line| Error::Broken { file: name(), line })?;
    // One file per process: a second one changes nothing.
    let _ = FILE.set(variables);
    Ok(())
}

/// Whether there was one.
#[must_use]
pub fn is_loaded() -> bool {
    FILE.get().is_some()
}

/// What is no regular file, such as a pipe, is not opened: that may wait for ever.
fn read(file: &Path) -> io::Result<String> {
    if !std::fs::metadata(file)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    std::fs::read_to_string(file)
}

/// Whether the file can be read or written by everybody on the machine. Its group may be of those who run the programs.
#[must_use]
pub fn is_open(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|there| there.is_file() && there.permissions().mode() & 0o006 != 0)
}

/// What the file says of a variable.
pub(super) fn variable(name: &str) -> Option<String> {
    FILE.get()?.get(name).cloned()
}

/// The variables, or the number of the line that is not understood. Of a variable that is there twice the last one counts, as
/// for systemd and Docker.
fn parse(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read = Cell::new(0);
    let lines = LineByLine { rest: text.as_bytes(), read: &read };
    let mut variables = BTreeMap::new();
    for variable in dotenvy::from_read_iter(lines) {
        let (name, value) = variable.map_err(|error| match error {
            // It quotes all that it took for one value.
            dotenvy::Error::LineParse(quoted, _) => read.get() - quoted.trim_end_matches('\n').matches('\n').count(),
            _ => read.get(),
        })?;
        variables.insert(name, value);
    }
    Ok(variables)
}

/// Gives one line at a time, so that it is known which one was read last.
struct LineByLine<'a> {
    rest: &'a [u8],
    read: &'a Cell<usize>,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = self.rest.iter().position(|byte| *byte == b'\n').map_or(self.rest.len(), |end| end + 1);
        let (part, rest) = self.rest.split_at(line.min(buffer.len()));
        buffer[..part.len()].copy_from_slice(part);
        if part.ends_with(b"\n") || (rest.is_empty() && !part.is_empty()) {
            self.read.set(self.read.get() + 1);
        }
        self.rest = rest;
        Ok(part.len())
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn values_are_as_they_stand_between_single_quotes() {
        let text = "\u{feff}# Words.\n\nA='a $b \"c\" #d'\r\nexport B=plain\nC=\"x y\"\nD=''\nE=1 # one\nA='again'\nF='on two\nlines'";
        let read = parse(text).expect("variables");
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [("A", "again"), ("B", "plain"), ("C", "x y"), ("D", ""), ("E", "1"), ("F", "on two\nlines")];
        assert_eq!(read, expected);
        assert_eq!(parse("A='a $b \"c\" #d'\n").expect("a variable")["A"], "a $b \"c\" #d");
        assert!(parse("").expect("nothing").is_empty());
    }

    #[test]
    fn a_broken_line_is_named_by_its_number() {
        for (broken, line) in [
            ("hush", 1),
            ("A=1\n\n# more\nhush hush\nB=2\n", 4),
            ("A=1\nB='hush\nC=2\n", 2),
            ("A=1\nB='hush", 2),
            ("A=1\nB=a b\nC=3\n", 2),
            ("'A'=1\n", 1),
        ] {
            assert_eq!(parse(broken), Err(line), "{broken:?}");
        }
        let example = include_str!("../../deploy/env.example");
        assert_eq!(parse(example).expect("the example").get("METRICS_TOKEN").map(String::as_str), Some(""));
    }
}
