//! The floors of the house and its arrows, which go down only; and where words, SQL and secrets live.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which modules each module may use: an arrow that is not here is forbidden, whichever way it goes. `model` uses nothing.
/// What every floor may stand on is [`GROUND`]; the programs may use everything.
const ARROWS: [(&str, &[&str]); 19] = [
    ("app", &["http", "jobs", "poll", "api", "bots", "bots::render", "store", "telegram", "model"]),
    ("http", &["api", "bots", "bots::update", "store", "model"]),
    ("api", &["dispatch", "store", "model"]),
    ("poll", &["store", "telegram", "model"]),
    ("jobs", &["bots", "dispatch", "store", "telegram", "model"]),
    ("bots", &["dispatch", "store", "telegram", "model"]),
    ("bots::render", &["bots::callback", "dispatch", "model"]),
    ("bots::callback", &["model"]),
    ("bots::update", &["model"]),
    ("dispatch", &["store", "simulate", "model"]),
    ("doctor", &["store", "telegram", "model"]),
    ("simulate", &["model"]),
    ("store", &["model"]),
    ("telegram", &["model"]),
    ("model", &[]),
    ("config", &["model"]),
    ("liveness", &[]),
    ("metrics", &[]),
    ("tls", &[]),
];
/// Configuration, counters, log lines: neither the business nor a door.
const GROUND: [&str; 5] = ["config", "liveness", "metrics", "logging", "tls"];
/// Outside the product: these may use everything, and only programs may use them.
const PROGRAMS: [&str; 9] = ["main", "cli", "bin", "lib", "cluster", "files", "init", "sim", "torture"];
/// What doors may take from the store by name: anything else is a statement, which a verb of `dispatch` calls.
const STORE_FOR_DOORS: [&str; 3] = ["Store", "Error", "self"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file below `src`, by its path there.
fn sources() -> Vec<(PathBuf, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&root).expect("below src").to_owned();
                found.push((relative, std::fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    found.sort();
    found
}

/// The source without comments and what only tests need.
fn product(source: &str) -> String {
    let begins_tests =
        |(at, mark): &(usize, &str)| source[at + mark.len()..].lines().next().is_some_and(|item| item.contains("mod "));
    let tests = source.match_indices("#[cfg(test)]\n").find(begins_tests);
    let source = tests.map_or(source, |(at, _)| &source[..at]);
    source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// `store/outbox.rs` is `store::outbox`.
fn module(path: &Path) -> Vec<String> {
    path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect()
}

/// The names that a file takes from this crate, each as a path from its root.
fn names(module: &[String], source: &str) -> BTreeSet<Vec<String>> {
    let mut names = BTreeSet::new();
    for (start, _) in source.match_indices("use ") {
        let whole = start == 0 || !source[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if let Some(end) = source[start..].find(';').filter(|_| whole) {
            expand(&mut Vec::new(), &source[start + 4..start + end], &mut names);
        }
    }
    for word in source.split(|c: char| !(c.is_alphanumeric() || "_:".contains(c))) {
        if ["crate::", "super::", "field_service::"].iter().any(|prefix| word.starts_with(prefix)) {
            names.insert(word.split("::").map(ToOwned::to_owned).collect());
        }
    }
    names.into_iter().filter_map(|name| absolute(module, &name)).collect()
}

/// A `use` tree as the paths it names.
fn expand(prefix: &mut Vec<String>, tree: &str, names: &mut BTreeSet<Vec<String>>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        names.insert(prefix.iter().cloned().chain(path.split("::").map(|part| part.trim().to_owned())).collect());
        return;
    };
    let depth = prefix.len();
    prefix.extend(tree[..open].trim().trim_end_matches("::").split("::").map(|part| part.trim().to_owned()));
    let inner = tree[open + 1..].trim_end().trim_end_matches('}');
    let (mut nested, mut from) = (0, 0);
    for (at, character) in inner.char_indices().chain([(inner.len(), ',')]) {
        match character {
            '{' => nested += 1,
            '}' => nested -= 1,
            ',' if nested == 0 => {
                if !inner[from..at].trim().is_empty() {
                    expand(prefix, &inner[from..at], names);
                }
                from = at + 1;
            }
            _ => {}
        }
    }
    prefix.truncate(depth);
}

fn absolute(module: &[String], name: &[String]) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    let mut rest = name;
    match rest.first()?.as_str() {
        "crate" | "field_service" => {
            base.clear();
            rest = &rest[1..];
        }
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        "self" => rest = &rest[1..],
        _ => return None,
    }
    Some(base.into_iter().chain(rest.iter().cloned()).filter(|part| !part.is_empty()).collect())
}

/// The floor that a path stands on: the longest one that [`ARROWS`] names, else its first part.
fn floor(path: &[String]) -> String {
    let longest = (1..=path.len()).rev().map(|length| path[..length].join("::"));
    let known = longest.into_iter().find(|name| ARROWS.iter().any(|(floor, _)| floor == name));
    known.unwrap_or_else(|| path.first().cloned().unwrap_or_default())
}

/// What is wrong with a file's arrows.
fn forbidden(path: &Path, source: &str) -> Vec<String> {
    let module = module(path);
    let from = floor(&module);
    if PROGRAMS.contains(&from.as_str()) {
        return Vec::new();
    }
    let (_, allowed) = ARROWS.iter().find(|(floor, _)| *floor == from).copied().unwrap_or(("", &[]));
    let mut wrong = Vec::new();
    for name in names(&module, &product(source)) {
        let to = floor(&name);
        let known = ARROWS.iter().any(|(floor, _)| *floor == to);
        if !known && !PROGRAMS.contains(&to.as_str()) && !GROUND.contains(&to.as_str()) {
            continue;
        }
        let within = to == from || to.starts_with(&format!("{from}::"));
        // A part of a floor may use what the whole of it is made of, unless it has arrows of its own.
        if !within && !allowed.contains(&to.as_str()) && !GROUND.contains(&to.as_str()) {
            wrong.push(format!("{}: {from} uses {}", path.display(), name.join("::")));
        }
        let door = ["api", "bots", "bots::render", "http"].contains(&from.as_str());
        if door && to == "store" && name.get(1).is_some_and(|name| !STORE_FOR_DOORS.contains(&name.as_str())) {
            wrong.push(format!("{}: a door calls {}", path.display(), name.join("::")));
        }
    }
    wrong
}

#[test]
fn arrows_go_down_only() {
    let wrong: Vec<_> = sources().iter().flat_map(|(path, source)| forbidden(path, source)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_forbidden_arrow_would_be_found() {
    for (from, allowed) in ARROWS {
        let path = PathBuf::from(from.replace("::", "/")).join("new.rs");
        let targets = ARROWS.iter().map(|(floor, _)| *floor).chain(PROGRAMS);
        for to in targets.filter(|to| *to != from && !to.starts_with(&format!("{from}::"))) {
            let may = allowed.contains(&to) || GROUND.contains(&to) || to == "lib";
            for arrow in [format!("use crate::{to}::New;"), format!("fn new() {{ crate::{to}::new() }}")] {
                assert!(may || !forbidden(&path, &arrow).is_empty(), "{from} → {to} would not be found: {arrow}");
            }
        }
    }
    for statement in ["use crate::store::{self, offers};", "use crate::store::outbox;"] {
        assert!(!forbidden(Path::new("bots/master/new.rs"), statement).is_empty(), "{statement}");
    }
    assert!(forbidden(Path::new("store/new.rs"), "// crate::bots\nuse super::{Store, facts};").is_empty());
}

/// Between the parts of any module, each with all that is below it, names are taken one way: the parts that stand in a circle.
fn circles(files: &[(PathBuf, String)]) -> Vec<String> {
    let modules: BTreeSet<Vec<String>> = files.iter().map(|(path, _)| module(path)).collect();
    let mut arrows: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
    for (path, source) in files {
        let from = module(path);
        for name in names(&from, &product(source)) {
            let target = (1..=name.len()).rev().find_map(|length| modules.get(&name[..length]));
            let Some(to) = target.filter(|to| !to.starts_with(&from) && !from.starts_with(to)) else { continue };
            let shared = from.iter().zip(to).take_while(|(from, to)| from == to).count();
            arrows.entry(from[..=shared].to_vec()).or_default().insert(to[..=shared].to_vec());
        }
    }
    let reaches = |from: &Vec<String>, to: &Vec<String>| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(part) = next.pop() {
            next.extend(arrows.get(part).into_iter().flatten().filter(|target| seen.insert(*target)));
        }
        seen.contains(to)
    };
    let each = arrows.iter().flat_map(|(from, targets)| targets.iter().map(move |to| (from, to)));
    each.filter(|(from, to)| reaches(to, from))
        .map(|(from, to)| format!("{} ↔ {}", from.join("::"), to.join("::")))
        .collect()
}

#[test]
fn no_files_stand_in_a_circle() {
    let circles = circles(&sources());
    assert!(circles.is_empty(), "{circles:#?}");
    let file = |path: &str, source: &str| (PathBuf::from(path), source.to_owned());
    let round = [
        file("a/one.rs", "use super::two::Two;"),
        file("a/two.rs", "use crate::b::Three;"),
        file("b.rs", "fn three() { crate::a::one::one() }"),
    ];
    assert_eq!(self::circles(&round).len(), 2);
    let through_a_part = [
        file("a/one.rs", "use super::two::Two;"),
        file("a/two/below.rs", "use crate::a::one::One;"),
        file("a/two.rs", ""),
    ];
    assert_eq!(self::circles(&through_a_part).len(), 2);
}

#[test]
fn sql_lives_with_the_store() {
    for (path, source) in sources() {
        let may = path.starts_with("store") || path == Path::new("store.rs");
        let may = may || path.starts_with("sim") || path.starts_with("torture");
        for word in ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "WITH "] {
            let found =
                product(&source).lines().find(|line| line.contains(&format!("\"{word}"))).map(ToOwned::to_owned);
            assert!(may || found.is_none(), "{}: {found:?}", path.display());
        }
    }
}

#[test]
fn only_the_doors_know_telegram_s_types() {
    for (path, source) in sources() {
        let may = ["bots", "bots.rs", "telegram.rs", "sim", "sim.rs"].iter().any(|place| path.starts_with(place));
        assert!(may || !product(&source).contains("frankenstein"), "{}", path.display());
    }
}

#[test]
fn russian_words_are_in_one_place() {
    let cyrillic = |text: &str| text.chars().any(|c| ('\u{400}'..='\u{4ff}').contains(&c));
    for (path, source) in sources() {
        if path.starts_with("sim") || path.starts_with("bots/render/texts") || path == Path::new("bots/render/texts.rs")
        {
            continue;
        }
        let product = product(&source);
        let found = product.lines().find(|line| cyrillic(line));
        assert!(found.is_none() || path == Path::new("cli.rs"), "{}: {found:?}", path.display());
    }
}

/// Nothing that looks like a bot's token, as the source of an older system had.
#[test]
fn no_secret_is_in_the_sources() {
    for (path, source) in sources() {
        let token = source.split(|c: char| !(c.is_ascii_alphanumeric() || ":_-".contains(c))).find(|word| {
            word.split_once(':').is_some_and(|(id, key)| {
                id.len() >= 8 && id.bytes().all(|byte| byte.is_ascii_digit()) && key.len() >= 30
            })
        });
        assert_eq!(token, None, "{}", path.display());
    }
}

/// What a screen shows must not depend on which of the functions shows it.
#[test]
fn the_tick_is_given_all_settings_of_the_webhook_but_its_secrets() {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml")).expect("a template");
    let settings = |of: &str| -> BTreeSet<String> {
        let function = template.split_once(&format!("\n  {of}:\n")).expect("a function").1;
        let variables = function.split_once("        Variables:\n").expect("variables").1;
        let lines = variables.lines().take_while(|line| line.starts_with("          "));
        lines.filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name.to_owned()).collect()
    };
    let (webhook, tick) = (settings("WebhookFunction"), settings("TickFunction"));
    let missing: Vec<_> = webhook.difference(&tick).filter(|name| !name.contains("_SECRET")).collect();
    assert_eq!(missing, ["METRICS_TOKEN"], "of the tick");
    assert!(tick.is_subset(&webhook), "{tick:?}");
}
