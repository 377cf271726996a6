//! How masters are searched for: the rules in force, others that are being chosen, and those of before.

use super::super::Screen;
use super::super::buttons::{Row, button, good, markup, row};
use super::super::texts::staff::{BUTTON_MENU, policy as words};
use crate::bots::callback::staff::{PolicyTap, StaffCallback};
use crate::model::policy_draft::{PolicyDraft, PolicyField, PolicyInForce, PolicyRecord, PolicyValues};
use crate::model::policy_preview::Preview;

fn to(tap: PolicyTap) -> StaffCallback {
    StaffCallback::Policy(tap)
}

fn to_menu() -> Row {
    row(BUTTON_MENU, StaffCallback::Menu)
}

/// Less, what it is, and more, for each field by which the search goes on; and the other way of searching.
fn steps(seen: i64, values: PolicyValues) -> Vec<Row> {
    let edit = |values| to(PolicyTap::Edit(seen, values));
    let shown = PolicyField::ALL.into_iter().filter(|field| field.counts(values.widens()));
    let line = |field: PolicyField| {
        // Each button keeps its place, so that whoever taps again and again does not hit another one at the end.
        let step = |up: bool, label: &str| match values.stepped(field, up) {
            Some(values) => button(label, edit(values)),
            None => button(words::BUTTON_BOUND, to(PolicyTap::Bound(field, up))),
        };
        let middle = button(words::button_field(field, &values), edit(values));
        vec![step(false, words::BUTTON_LESS), middle, step(true, words::BUTTON_MORE)]
    };
    let mut rows: Vec<Row> = shown.map(line).collect();
    rows.push(row(words::button_way(values.widens()), edit(values.in_the_other_way())));
    rows
}

/// The policy in force, with the buttons that begin another one.
#[must_use]
pub fn in_force(policy: &PolicyInForce) -> Screen {
    let mut rows = steps(policy.record.id, policy.record.values.clamped());
    rows.push(row(words::BUTTON_LOG, to(PolicyTap::Log)));
    rows.push(to_menu());
    Screen { text: words::in_force(policy), keyboard: markup(rows) }
}

/// Other values than those in force, which can be tried if nothing stands against them.
#[must_use]
pub fn edit(now: &PolicyRecord, values: PolicyValues) -> Screen {
    let checked = PolicyDraft::check(values);
    let mut rows = steps(now.id, values);
    if checked.is_ok() {
        rows.push(vec![good(words::BUTTON_TRY, to(PolicyTap::Try(now.id, values)))]);
    }
    rows.push(row(words::BUTTON_CANCEL, to(PolicyTap::Show)));
    let faults = checked.err().unwrap_or_default();
    Screen { text: words::edit(now, &values, &faults), keyboard: markup(rows) }
}

/// Whether to save a draft, with what yesterday would have been like.
#[must_use]
pub fn confirm(now: &PolicyRecord, draft: &PolicyDraft, preview: &Preview) -> Screen {
    let values = draft.values();
    let keyboard = markup(vec![
        vec![good(words::BUTTON_SAVE, to(PolicyTap::Set(now.id, values)))],
        row(words::BUTTON_BACK, to(PolicyTap::Edit(now.id, values))),
        row(words::BUTTON_CANCEL, to(PolicyTap::Show)),
    ]);
    Screen { text: words::confirm(now, &values, preview), keyboard }
}

/// The last policies, the one in force first.
#[must_use]
pub fn log(latest: &[PolicyRecord]) -> Screen {
    let rows = vec![row(words::BUTTON_TO_RULES, to(PolicyTap::Show)), to_menu()];
    Screen { text: words::log(latest), keyboard: markup(rows) }
}
