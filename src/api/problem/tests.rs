use std::collections::BTreeSet;

use super::*;
use crate::dispatch::intake::Made;
use crate::dispatch::session::Session;
use crate::model::access::{Access, Token, TokenScope};
use crate::model::blocked::Blocked;
use crate::model::master_change::{ChangedBy, MasterChange, What};
use crate::model::policy_draft::{PolicyRecord, PolicyValues};
use crate::model::{Role, StaffId, TokenId};

/// Compares each outcome's problem with its status and its type; and that every outcome was there.
fn compare(names: &[&str], problems: Vec<(&'static str, Problem, u16, &str)>) {
    let there: BTreeSet<_> = problems.iter().map(|(name, ..)| *name).collect();
    assert_eq!(there, names.iter().copied().collect());
    for (name, problem, status, uri) in problems {
        assert_eq!((problem.0.status, problem.0.uri.as_str()), (status, uri), "{name}");
        assert_eq!(problem.0.kind.status().as_u16(), status, "{name}");
    }
}

macro_rules! uri {
    ($word:literal) => {
        concat!("urn:field-service:problem:", $word)
    };
}
/// What is a success has no problem: that one is asked for is a mistake of ours.
const MISTAKE: (u16, &str) = (500, uri!("internal"));
const BUSY: (u16, &str) = (503, uri!("busy"));
const FORBIDDEN: (u16, &str) = (403, uri!("forbidden"));
const INVALID: (u16, &str) = (422, uri!("invalid"));
const STALE: (u16, &str) = (412, uri!("stale"));
const UNAUTHORIZED: (u16, &str) = (401, uri!("unauthorized"));

#[test]
fn every_outcome_of_an_action_has_its_problem() {
    use ActOutcome as Act;
    let said = [
        (Act::Done, MISTAKE),
        (Act::AlreadyDone, MISTAKE),
        (Act::Repeated, MISTAKE),
        (Act::Stale(None), STALE),
        (Act::NotNow, (409, uri!("not-now"))),
        (Act::TooLate, (409, uri!("too-late"))),
        (Act::ClaimedBy("Olga".to_owned()), (409, uri!("claimed"))),
        (Act::AlreadyOffered, (409, uri!("already-offered"))),
        (Act::PastSlot, (422, uri!("past-slot"))),
        (Act::Blocked(Blocked { reason: None }), (409, uri!("blocked"))),
        (Act::NotLetIn, (409, uri!("blocked"))),
        (Act::AtLimit, (409, uri!("not-eligible"))),
        (Act::NoSuchMaster, (422, uri!("no-such-master"))),
        (Act::ReadOnly, FORBIDDEN),
        (Act::NotFound, (404, uri!("not-found"))),
        (Act::Busy, BUSY),
    ];
    let problem = |(outcome, (status, uri)): (Act, _)| (outcome.name(), Problem::of_act(&outcome), status, uri);
    compare(&Act::NAMES, said.into_iter().map(problem).collect());
}

#[test]
fn every_outcome_of_a_change_of_a_master_has_its_problem() {
    use ManageOutcome as Change;
    let at = jiff::civil::date(2026, 11, 29).at(14, 2, 0, 0);
    let change = MasterChange { what: What::Shift, from: None, to: None, by: ChangedBy::Master, at };
    let said = [
        (Change::Done, MISTAKE),
        (Change::AlreadySo(None), MISTAKE),
        (Change::Stale(change), STALE),
        (Change::Changed, STALE),
        (Change::NotAllowed, FORBIDDEN),
        (Change::NotFound, INVALID),
        (Change::Busy, BUSY),
    ];
    let problem = |(outcome, (status, uri)): (Change, _)| (outcome.name(), Problem::of_manage(&outcome), status, uri);
    compare(&Change::NAMES, said.into_iter().map(problem).collect());
}

#[test]
fn every_outcome_of_a_policy_has_its_problem() {
    use SetPolicyOutcome as Set;
    let record =
        PolicyRecord { id: 1, values: PolicyValues([0; 12]), created_at: jiff::Timestamp::UNIX_EPOCH, by: None };
    let said = [
        (Set::Done(record.clone()), MISTAKE),
        (Set::AlreadySo(record.clone()), MISTAKE),
        (Set::Repeated(record.clone()), MISTAKE),
        (Set::Stale(record), STALE),
        (Set::NotAllowed, FORBIDDEN),
        (Set::Busy, BUSY),
    ];
    let problem = |(outcome, (status, uri)): (Set, _)| (outcome.name(), Problem::of_set_policy(&outcome), status, uri);
    compare(&Set::NAMES, said.into_iter().map(problem).collect());
}

#[test]
fn every_outcome_of_an_intake_has_its_problem() {
    use IntakeOutcome as Intake;
    let made = Made { orders: Vec::new(), refused: Vec::new(), answer: String::new(), asked: 0 };
    let said = [
        (Intake::Made(made), MISTAKE),
        (Intake::Repeated(String::new()), MISTAKE),
        (Intake::KeyOfAnother, (422, uri!("key-of-another"))),
        (Intake::UnderWay, (409, uri!("under-way"))),
        (Intake::Refused(Vec::new()), INVALID),
        (Intake::NotAllowed, FORBIDDEN),
    ];
    let problem = |(outcome, (status, uri)): (Intake, _)| (outcome.name(), Problem::of_intake(&outcome), status, uri);
    compare(&Intake::NAMES, said.into_iter().map(problem).collect());
}

fn access() -> Access {
    let (token, staff) = (TokenId(1), StaffId(1));
    Access { token, staff, full_name: "Olga".to_owned(), role: Role::Dispatcher, scope: TokenScope::All }
}

#[test]
fn whoever_is_not_let_in_is_told_so() {
    use AuthorizeOutcome as Let;
    let said = [
        (Let::Welcome(access()), UNAUTHORIZED),
        (Let::Unknown, UNAUTHORIZED),
        (Let::OutOfScope(TokenScope::Orders), FORBIDDEN),
        (Let::TooMany(7), (429, uri!("too-many"))),
    ];
    let problem = |(outcome, (status, uri)): (Let, _)| (outcome.name(), Problem::of_authorize(&outcome), status, uri);
    compare(&Let::NAMES, said.into_iter().map(problem).collect());
}

#[test]
fn whoever_opens_no_page_is_told_the_same_in_every_case() {
    use SessionOutcome as Opened;
    let token = Token::new(TokenId(1), [7; 32]);
    let session = Session { token, expires_at: jiff::Timestamp::UNIX_EPOCH, access: access() };
    let said = [
        (Opened::Begun(session), MISTAKE),
        (Opened::NoProof, UNAUTHORIZED),
        (Opened::LinkSpent, UNAUTHORIZED),
        (Opened::NotStaff, UNAUTHORIZED),
    ];
    let problem = |(outcome, (status, uri)): (Opened, _)| (outcome.name(), Problem::of_session(&outcome), status, uri);
    compare(&Opened::NAMES, said.into_iter().map(problem).collect());
}
