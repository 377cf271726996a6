//! States stand in SQL as words. Every list of them is one that the Rust types make, so that a state that is added or taken
//! away is not forgotten in a statement.

use std::collections::BTreeSet;
use std::path::Path;

use field_service::model::access::{TokenKind, TokenScope};
use field_service::model::draft::Field;
use field_service::model::master_change::{ChangedBy, What};
use field_service::model::notification::Kind;
use field_service::model::onboarding::Step;
use field_service::model::order::Stage;
use field_service::model::queue::QueueState;
use field_service::model::staff::Screen;
use field_service::model::update::Action;
use field_service::model::{BotName, Category, OfferState, OrderStatus, Role, StaffQuestion};

type Words = BTreeSet<String>;

fn words<T>(of: impl IntoIterator<Item = T>, word: impl Fn(T) -> &'static str) -> Words {
    of.into_iter().map(|value| word(value).to_owned()).collect()
}

fn statuses(which: impl Fn(OrderStatus) -> bool) -> Words {
    words(OrderStatus::ALL.into_iter().filter(|status| which(*status)), OrderStatus::as_str)
}

/// The lists that statements and constraints may have, each with its name.
fn known() -> Vec<(&'static str, Words)> {
    let stage = |stage| statuses(|status| status.stage() == stage);
    let offers = |which: fn(OfferState) -> bool| {
        words(OfferState::ALL.into_iter().filter(|state| which(*state)), OfferState::as_str)
    };
    let some = |all: &[&'static str]| words(all.iter().copied(), |word| word);
    vec![
        ("open", stage(Stage::Open)),
        ("active", stage(Stage::Active)),
        ("final", stage(Stage::Final)),
        ("every status", statuses(|_| true)),
        // A deferred order is woken first; one that was just made begins its search with its first round.
        ("due for rounds", statuses(|status| status.stage() == Stage::Open && status != OrderStatus::Deferred)),
        ("searched for", statuses(|status| matches!(status, OrderStatus::Searching | OrderStatus::Guarantee))),
        ("taken from the master", statuses(|status| matches!(status, OrderStatus::Searching | OrderStatus::Canceled))),
        ("live", offers(|state| matches!(state, OfferState::Sent | OfferState::Viewed))),
        (
            "one per master",
            offers(|state| matches!(state, OfferState::Sent | OfferState::Viewed | OfferState::Accepted)),
        ),
        ("every offer state", words(OfferState::ALL, OfferState::as_str)),
        // Their places are free before their time was over.
        ("ended early", offers(|state| matches!(state, OfferState::Declined | OfferState::Canceled))),
        ("every trade", words(Category::ALL, Category::as_str)),
        ("every kind of token", words(TokenKind::ALL, TokenKind::as_str)),
        ("every scope", words(TokenScope::ALL, TokenScope::as_str)),
        ("whoever is answered", some(&["MASTER", "ADMIN", "API"])),
        ("every kind of message", words(Kind::ALL, Kind::as_str)),
        ("about an offer", words([Kind::Offer, Kind::OfferEnded], Kind::as_str)),
        ("screens that are shown later", words(Kind::SCREENS, Kind::as_str)),
        ("answers to questions", words([Action::Close, Action::Correct, Action::GiveBack], Action::as_str)),
        (
            "after a step",
            statuses(|status| {
                status == OrderStatus::Closed || status.stage() == Stage::Active && status != OrderStatus::Assigned
            }),
        ),
        (
            "what a master reports",
            statuses(|status| status.stage() == Stage::Active && status != OrderStatus::Assigned),
        ),
        ("about an own order", words([Kind::Assigned, Kind::Changed, Kind::Canceled], Kind::as_str)),
        ("both bots", words([BotName::Master, BotName::Admin], BotName::as_word)),
        ("nothing was sent", some(&["OVERTAKEN", "UNREADABLE"])),
        ("nobody was reached", some(&["UNREACHABLE", "ABANDONED", "OVERTAKEN"])),
        ("told to staff together", words(Kind::CALLS, Kind::as_str)),
        ("to staff about a master", words([Kind::Returned, Kind::Unreachable], Kind::as_str)),
        ("roles", words(Role::ALL, Role::as_str)),
        ("screens of the dispatchers' bot", words(Screen::ALL, Screen::as_str)),
        ("steps of a new order", words(Field::ALL, Field::as_str)),
        ("questions to staff", words(StaffQuestion::ALL, StaffQuestion::as_str)),
        (
            "nobody is there yet",
            statuses(|status| {
                status.stage() == Stage::Open || matches!(status, OrderStatus::Assigned | OrderStatus::EnRoute)
            }),
        ),
        ("what is changed of masters", words(What::ALL, What::as_str)),
        ("what a master is told of", words([What::Shift, What::Blocked, What::Approved], What::as_str)),
        ("changes of one of several", words([What::Trade, What::District], What::as_str)),
        (
            "what keeps masters away whatever their trade",
            words([What::City, What::Blocked, What::Approved], What::as_str),
        ),
        ("who changes masters", some(&ChangedBy::WORDS)),
        ("what a new master is asked", words(Step::ALL, Step::as_str)),
        ("actors", some(&["SYSTEM", "ADMIN", "MASTER", "AUTO_DISTRIBUTION"])),
        ("reasons of an escalation", some(&["NOBODY_LEFT", "ROUNDS", "TIME"])),
        ("what a queue shows", words(QueueState::ALL, QueueState::as_str)),
        ("questions", some(&["AMOUNT", "RETURN_REASON"])),
    ]
}

/// The lists of constraints that later ones have replaced.
fn of_earlier_releases() -> Vec<(&'static str, Words)> {
    let some = |all: &[&'static str]| words(all.iter().copied(), |word| word);
    vec![
        (
            "every kind of message before the history was sealed",
            words(Kind::ALL.into_iter().filter(|kind| *kind != Kind::HistoryRoot), Kind::as_str),
        ),
        (
            "every kind of message of the first releases",
            some(&[
                "OFFER",
                "OFFER_ENDED",
                "LIST",
                "ASSIGNED",
                "OWN_ORDER",
                "CANCELED",
                "RETURNED",
                "ESCALATED",
                "UNREACHABLE",
            ]),
        ),
        ("roles of the first releases", some(&["DISPATCHER", "ADMIN"])),
        (
            "questions to staff before names were corrected",
            words(
                StaffQuestion::ALL.into_iter().filter(|question| *question != StaffQuestion::ClientName),
                StaffQuestion::as_str,
            ),
        ),
        (
            "every kind of message before the dispatchers' bot",
            words(
                Kind::ALL
                    .into_iter()
                    .filter(|kind| !matches!(kind, Kind::StaffScreen | Kind::Late | Kind::Call | Kind::HistoryRoot)),
                Kind::as_str,
            ),
        ),
        (
            "every kind of message before calls were answered",
            words(
                Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Late | Kind::Call | Kind::HistoryRoot)),
                Kind::as_str,
            ),
        ),
    ]
}

/// The lists `IN ('A', 'B')` in a text.
fn lists(text: &str) -> Vec<Words> {
    let lists = text.split("IN (").skip(1).filter_map(|rest| {
        let inner = rest.trim_start();
        inner.starts_with('\'').then(|| inner.split(')').next().unwrap_or_default())
    });
    lists.map(|list| list.split(',').map(|word| word.trim().trim_matches('\'').to_owned()).collect()).collect()
}

#[test]
fn every_list_of_states_in_sql_is_one_of_ours() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known = [known(), of_earlier_releases()].concat();
    let (mut folders, mut found) = (vec![root.join("src/store"), root.join("migrations")], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            for list in lists(&std::fs::read_to_string(&path).expect("a text")) {
                found += 1;
                assert!(known.iter().any(|(_, known)| *known == list), "{}: {list:?}", path.display());
            }
        }
    }
    assert!(found > 60, "only {found} lists were found");
    assert_eq!(lists("x IN ('A', 'B') AND y IN (SELECT 1)"), [words(["A", "B"], |word| word)]);
}
