//! How masters are searched for, as an admin reads it in the bot, word for word.

use field_service::bots::render::Screen;
use field_service::bots::render::staff::policy as screens;
use field_service::bots::render::texts::staff::policy as texts;
use field_service::dispatch::policy::SetPolicyOutcome;
use field_service::model::StaffId;
use field_service::model::policy_draft::{PolicyDraft, PolicyField, PolicyInForce, PolicyRecord, PolicyValues};
use field_service::model::policy_preview::{Compared, Preview};
use field_service::sim::telegram;
use insta::assert_snapshot;
use jiff::Timestamp;

const USUAL: PolicyValues = PolicyValues([120, 60, 3, 30, 1, 6, 3, 3, 600, 5, 600, 1200]);

/// A screen as a person sees it, after it was checked as Telegram would.
fn show(screen: &Screen) -> String {
    let text = telegram::html(&screen.text).expect("Telegram takes it");
    assert!(text.chars().count() <= 4096, "{}", text.chars().count());
    let rows = screen.keyboard.inline_keyboard.iter().map(|row| {
        let buttons = row.iter().map(|button| {
            assert!(button.callback_data.as_ref().is_some_and(|data| data.len() <= 64), "{button:?}");
            format!("[{}]", button.text)
        });
        buttons.collect::<Vec<_>>().join(" ")
    });
    format!("{text}\n{}", rows.collect::<Vec<_>>().join("\n"))
}

fn all(screens: &[Screen]) -> String {
    screens.iter().map(show).collect::<Vec<_>>().join("\n\n———\n\n")
}

fn record(id: i64, by: Option<&str>, values: PolicyValues) -> PolicyRecord {
    let created_at = "2026-11-29T09:02:00Z".parse::<Timestamp>().expect("a time");
    PolicyRecord { id, values, created_at, by: by.map(ToOwned::to_owned) }
}

fn in_rounds() -> PolicyValues {
    USUAL.with(PolicyField::WidenEvery, 0).with(PolicyField::MaxRounds, 1)
}

#[test]
fn the_rules_in_force_and_others_beside_them() {
    let in_force =
        |values| PolicyInForce {
            record: record(2, Some("Ольга <А>"), values), asked_by: StaffId(1), may_change: true
        };
    let now = record(2, None, USUAL);
    let odd = USUAL.with(PolicyField::MaxLiveOffers, 2).with(PolicyField::WorkdayEnd, 600);
    let bounds = PolicyValues(PolicyField::ALL.map(|field| *field.range().end()));
    assert_snapshot!(
        "policy",
        all(&[
            screens::in_force(&in_force(USUAL)),
            screens::in_force(&in_force(in_rounds())),
            screens::edit(&now, USUAL.with(PolicyField::OfferTtl, 90).with(PolicyField::WidenBy, 2)),
            screens::edit(&now, in_rounds()),
            screens::edit(&now, odd),
            screens::edit(&now, bounds),
            // Of a row that was written by hand.
            screens::edit(&now, USUAL.with(PolicyField::OfferTtl, 5).with(PolicyField::MaxRounds, 0)),
        ])
    );
}

#[test]
fn what_yesterday_would_have_been_like_is_said_honestly() {
    let now = record(2, None, USUAL);
    let draft = PolicyDraft::check(USUAL.with(PolicyField::WidenEvery, 15)).expect("a policy");
    let compared = Compared {
        orders: 181,
        median_seconds: [40.4, 30.6],
        ninety_seconds: [94.4, 60.6],
        accepted_percent: [97.2, 98.6],
        messages: [7.11, 7.86],
        drawn_percent: 31.4,
    };
    let few = Compared { accepted_percent: [91.0, 88.0], ..compared };
    // Nobody took any under one of them.
    let none = Compared { accepted_percent: [91.0, 0.0], ..compared };
    let hours = Compared { ninety_seconds: [33_678.0, 59.9], ..compared };
    let previews = [
        Preview::Compared(compared),
        Preview::Compared(few),
        Preview::Compared(none),
        Preview::Compared(hours),
        Preview::TooFew { orders: 19 },
        Preview::NotReplayed,
        Preview::NotComputed,
    ];
    assert_snapshot!("policy_preview", all(&previews.map(|preview| screens::confirm(&now, &draft, &preview))));
}

/// A button between two others has a third of the narrowest screen: about nine characters.
#[test]
fn every_rule_s_button_is_short_and_keeps_its_place() {
    let bounds = |bound: fn(PolicyField) -> i32| PolicyValues(PolicyField::ALL.map(bound));
    let many = [USUAL, in_rounds(), bounds(|field| *field.range().start()), bounds(|field| *field.range().end())];
    let stepped = PolicyField::ALL.into_iter().flat_map(|field| {
        let up = std::iter::successors(Some(USUAL), move |values| values.stepped(field, true));
        let down = std::iter::successors(Some(USUAL), move |values| values.stepped(field, false));
        up.chain(down)
    });
    let now = record(2, None, USUAL);
    for values in many.into_iter().chain(stepped) {
        let screen = screens::edit(&now, values);
        let rules = screen.keyboard.inline_keyboard.iter().filter(|row| row.len() > 1);
        let mut count = 0;
        for row in rules {
            assert_eq!(row.len(), 3, "{row:?}");
            let said = row[1].text.split_once(' ').map_or("", |(_, said)| said);
            assert!(said.chars().count() <= 8, "{said}");
            count += 1;
        }
        assert_eq!(count, if values.widens() { 11 } else { 8 });
    }
}

#[test]
fn why_there_is_no_step_further_is_said() {
    let said: Vec<_> = PolicyField::ALL
        .iter()
        .flat_map(|field| [false, true].map(|up| format!("{} {}", field.name(), texts::bound(*field, up))))
        .collect();
    assert_snapshot!("policy_bounds", said.join("\n"));
}

#[test]
fn who_changed_what_fits_into_a_message() {
    let latest = [
        record(4, Some("Ольга <А>"), USUAL.with(PolicyField::OfferTtl, 90)),
        record(3, None, USUAL),
        record(2, None, USUAL),
        record(1, None, in_rounds()),
    ];
    assert_snapshot!("policy_log", all(&[screens::log(&latest), screens::log(&latest[..3])]));
    let (least, most) = (
        PolicyValues(PolicyField::ALL.map(|field| *field.range().start())),
        PolicyValues(PolicyField::ALL.map(|field| *field.range().end())),
    );
    let name = "<&>".repeat(40);
    let many: Vec<_> =
        (1..=9).rev().map(|id| record(id, Some(&name), if id % 2 == 0 { least } else { most })).collect();
    assert!(show(&screens::log(&many)).contains("Более ранние изменения"), "all of it is too much");
}

#[test]
fn every_answer_to_a_save_fits_over_the_chat() {
    let now = record(5, Some(&"Ж".repeat(100)), USUAL);
    let outcomes = [
        SetPolicyOutcome::Done(now.clone()),
        SetPolicyOutcome::AlreadySo(now.clone()),
        SetPolicyOutcome::Repeated(now.clone()),
        SetPolicyOutcome::Stale(now),
        SetPolicyOutcome::NotAllowed,
        SetPolicyOutcome::Busy,
    ];
    let said: Vec<_> =
        outcomes.iter().map(|outcome| format!("{}: {}", outcome.name(), texts::saved(outcome))).collect();
    assert_eq!(outcomes.len(), SetPolicyOutcome::NAMES.len());
    let meanwhile = texts::changed_meanwhile(&record(5, Some(&"Ж".repeat(100)), USUAL));
    assert!(meanwhile.chars().count() <= 200 && !meanwhile.contains("Не сохранено"), "{meanwhile}");
    for outcome in &outcomes {
        assert!(texts::saved(outcome).chars().count() <= 200, "{outcome:?}");
    }
    assert_snapshot!("policy_answers", said.join("\n"));
}
