//! The directions in which data goes, and where words and SQL live.

use std::path::{Path, PathBuf};

fn sources(below: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&root).expect("below src").to_owned();
                if relative.starts_with(below) || relative == Path::new(&format!("{below}.rs")) || below.is_empty() {
                    found.push((relative, std::fs::read_to_string(&path).expect("a source")));
                }
            }
        }
    }
    assert!(!found.is_empty(), "{below} has moved");
    found
}

/// Lines of code, without comments.
fn code(source: &str) -> impl Iterator<Item = &str> {
    source.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

fn none_of(below: &str, forbidden: &[&str]) {
    for (path, source) in sources(below) {
        for line in code(&source) {
            for word in forbidden {
                assert!(!line.contains(word), "{}: {word} in `{line}`", path.display());
            }
        }
    }
}

#[test]
fn dispatch_knows_no_telegram_and_no_screens() {
    none_of(
        "dispatch",
        &["frankenstein", "crate::telegram", "crate::bots::render", "crate::http::webhook", "crate::app", "reqwest"],
    );
}

#[test]
fn render_knows_no_database() {
    none_of("bots/render", &["crate::store", "tokio_postgres", "crate::app", "async fn"]);
}

#[test]
fn the_database_knows_nothing_above_dispatch() {
    none_of("store", &["crate::http::webhook", "crate::bots::render", "crate::telegram", "crate::app", "frankenstein"]);
}

#[test]
fn nothing_but_the_programs_knows_the_simulation() {
    for (path, source) in sources("") {
        let may = path.starts_with("sim") || matches!(path.to_str(), Some("sim.rs" | "lib.rs" | "cli.rs"));
        assert!(may || !code(&source).any(|line| line.contains("sim::")), "{}", path.display());
    }
}

#[test]
fn sql_lives_with_the_database() {
    for (path, source) in sources("") {
        let may = path.starts_with("store") || path.starts_with("sim");
        for word in ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"] {
            let found = code(&source).find(|line| line.contains(&format!("\"{word}")));
            assert!(may || path == Path::new("store.rs") || found.is_none(), "{}: {found:?}", path.display());
        }
    }
}

#[test]
fn russian_words_are_in_one_place() {
    let cyrillic = |text: &str| text.chars().any(|c| ('\u{400}'..='\u{4ff}').contains(&c));
    for (path, source) in sources("") {
        if path.starts_with("sim") || path == Path::new("bots/render/texts.rs") || path.starts_with("bots/render/texts")
        {
            continue;
        }
        let product = source.split("#[cfg(test)]").next().unwrap_or_default();
        let found = code(product).find(|line| cyrillic(line.split("//").next().unwrap_or_default()));
        assert!(found.is_none() || path == Path::new("cli.rs"), "{}: {found:?}", path.display());
    }
}

/// Failure 23 of the older system.
#[test]
fn no_secret_is_in_the_sources() {
    for (path, source) in sources("") {
        let token = source.split(|c: char| !(c.is_ascii_alphanumeric() || ":_-".contains(c))).find(|word| {
            word.split_once(':').is_some_and(|(id, key)| {
                id.len() >= 8 && id.bytes().all(|byte| byte.is_ascii_digit()) && key.len() >= 30
            })
        });
        assert_eq!(token, None, "{}", path.display());
    }
}
