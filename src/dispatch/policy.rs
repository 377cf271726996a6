//! An admin changes how masters are searched for: the policy.
//!
//! A policy is never changed: another one is added, which orders go by that begin their search from then on. Those who add one do it
//! one after the other, and each to the policy that he saw: of two at once the second is told what it is now, and adds nothing.

use tokio::join;

use super::yesterday;
use crate::model::policy_draft::{PolicyDraft, PolicyInForce, PolicyRecord};
use crate::model::policy_preview::Preview;
use crate::model::update::{Action, Processed};
use crate::model::{Origin, StaffRef};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Severity, Store, policies};

/// Every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetPolicyOutcome {
    /// Committed: it is in force.
    Done(PolicyRecord),
    /// The policy in force says just that already.
    AlreadySo(PolicyRecord),
    /// This very update has added it before; the policy in force, which may be another one since.
    Repeated(PolicyRecord),
    /// Somebody has added one since it was seen, which is in force; nothing was added.
    Stale(PolicyRecord),
    /// The person is no admin, or not any more.
    NotAllowed,
    /// Somebody held it for too long; nothing was added.
    Busy,
}

impl SetPolicyOutcome {
    /// Every outcome's word.
    pub const NAMES: [&'static str; 6] = ["SUCCESS", "ALREADY_SO", "REPEATED", "STALE", "NOT_ALLOWED", "BUSY"];

    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "SUCCESS",
            Self::AlreadySo(_) => "ALREADY_SO",
            Self::Repeated(_) => "REPEATED",
            Self::Stale(_) => "STALE",
            Self::NotAllowed => NOT_ALLOWED,
            Self::Busy => "BUSY",
        }
    }
}

const NOT_ALLOWED: &str = "NOT_ALLOWED";

/// The policy in force. `None`: nobody of the staff.
///
/// # Errors
/// When the database failed.
pub async fn in_force(store: &Store, staff: StaffRef) -> Result<Option<PolicyInForce>, store::Error> {
    policies::in_force(store, staff).await
}

/// A policy by its number, in force or not; none for whoever is not of the staff.
///
/// # Errors
/// When the database failed.
pub async fn numbered(store: &Store, staff: StaffRef, id: i64) -> Result<Option<PolicyRecord>, store::Error> {
    policies::numbered(store, staff, id).await
}

/// So many of the newest policies, the one in force first; none for whoever is not of the staff.
///
/// # Errors
/// When the database failed.
pub async fn latest(store: &Store, staff: StaffRef, limit: i64) -> Result<Vec<PolicyRecord>, store::Error> {
    policies::latest(store, staff, limit).await
}

/// What yesterday's orders would have been like under a draft, beside what they would have been under the policy in force. Takes some
/// seconds at most. Of each person one draft is tried at a time.
///
/// # Errors
/// When the database is away. What else fails is said as [`Preview::NotComputed`].
pub async fn preview(store: &Store, now: &PolicyInForce, draft: &PolicyDraft) -> Result<Preview, store::Error> {
    yesterday::compare(store, now.asked_by, now.record.values, draft.values()).await
}

/// Adds a policy, once for each update. `seen`: the number of the policy that the person saw; `None`: whichever is in force.
///
/// # Errors
/// When the database failed.
pub async fn set(
    store: &Store,
    staff: StaffRef,
    draft: &PolicyDraft,
    seen: Option<i64>,
    origin: Option<&Origin>,
) -> Result<SetPolicyOutcome, store::Error> {
    let result = store.run(async |connection| attempt(store, connection, staff, draft, seen, origin).await).await;
    let outcome = match result {
        Err(error) if error.severity() == Severity::TimedOut => SetPolicyOutcome::Busy,
        outcome => outcome?,
    };
    let word = outcome.name();
    let policy = match &outcome {
        SetPolicyOutcome::Done(record)
        | SetPolicyOutcome::AlreadySo(record)
        | SetPolicyOutcome::Repeated(record)
        | SetPolicyOutcome::Stale(record) => Some(record.id),
        SetPolicyOutcome::NotAllowed | SetPolicyOutcome::Busy => None,
    };
    tracing::info!(policy, outcome = word, "set_policy {word}: policy={}", policy.unwrap_or_default());
    Ok(outcome)
}

async fn attempt(
    store: &Store,
    connection: Connection,
    staff: StaffRef,
    draft: &PolicyDraft,
    seen: Option<i64>,
    origin: Option<&Origin>,
) -> Result<SetPolicyOutcome, store::Error> {
    let now = store.now();
    let [lock, newest, add, find, record] = connection
        .ready([&policies::LOCK, &policies::NEWEST, &policies::ADD, &updates::FIND, &updates::RECORD])
        .await?;
    // What is newest and what this update did are read in statements that begin after the lock.
    let (begun, may, before, processed) = join!(
        connection.begin(),
        policies::lock(&connection, &lock, staff),
        policies::newest(&connection, &newest),
        updates::find(&connection, &find, origin),
    );
    begun?;
    let (may, processed) = (may?, processed?);
    let outcome = match before?.map(|before| decide(may, before, processed.as_ref(), draft, seen)) {
        None => SetPolicyOutcome::NotAllowed,
        Some(SetPolicyOutcome::Done(before)) => {
            let added = policies::add(&connection, &add, staff, before.id, draft, now).await?;
            let after = policies::newest(&connection, &newest).await?;
            after_adding(added, &before, after)
        }
        Some(refused) => refused,
    };
    let durable = matches!(outcome, SetPolicyOutcome::Done(_));
    let answer = Answer { action: Action::SetPolicy, order: None, outcome: outcome.name(), durable };
    updates::record(&connection, &record, origin, None, answer, now).await?;
    connection.commit().await?;
    Ok(outcome)
}

/// Decides under the lock. `Done`: it is to be added to that one.
fn decide(
    may: bool,
    newest: PolicyRecord,
    processed: Option<&Processed>,
    draft: &PolicyDraft,
    seen: Option<i64>,
) -> SetPolicyOutcome {
    let did = |word: &str| processed.is_some_and(|before| before.outcome == word);
    if did("SUCCESS") {
        SetPolicyOutcome::Repeated(newest)
    } else if !may || did(NOT_ALLOWED) {
        SetPolicyOutcome::NotAllowed
    } else if newest.values == draft.values() {
        SetPolicyOutcome::AlreadySo(newest)
    } else if processed.is_some() || seen.is_some_and(|seen| seen != newest.id) {
        // What this very update came to before stands, whatever has been done since.
        SetPolicyOutcome::Stale(newest)
    } else {
        SetPolicyOutcome::Done(newest)
    }
}

/// What adding came to: the statement judges the right and the newest policy once more.
fn after_adding(added: Option<i64>, before: &PolicyRecord, after: Option<PolicyRecord>) -> SetPolicyOutcome {
    let after = after.unwrap_or_else(|| before.clone());
    match added {
        Some(_) => SetPolicyOutcome::Done(after),
        // Somebody who takes no part in the lock: an operator at the database's prompt.
        None if after.id != before.id => SetPolicyOutcome::Stale(after),
        // The right was taken away in this very moment.
        None => SetPolicyOutcome::NotAllowed,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::policy_draft::{PolicyField, PolicyValues};

    const USUAL: PolicyValues = PolicyValues([120, 60, 3, 30, 1, 6, 3, 3, 600, 5, 600, 1200]);

    fn record(id: i64, values: PolicyValues) -> PolicyRecord {
        PolicyRecord { id, values, created_at: Timestamp::UNIX_EPOCH, by: None }
    }

    fn draft() -> PolicyDraft {
        PolicyDraft::check(USUAL.with(PolicyField::OfferTtl, 60)).expect("a policy")
    }

    fn processed(outcome: &str) -> Processed {
        Processed { action: Some(Action::SetPolicy), order: None, outcome: outcome.to_owned() }
    }

    #[test]
    fn an_admin_adds_to_what_he_saw_and_nobody_else_does() {
        let newest = record(5, USUAL);
        let decide = |may, seen| decide(may, newest.clone(), None, &draft(), seen);
        assert_eq!(decide(true, Some(5)), SetPolicyOutcome::Done(newest.clone()));
        assert_eq!(decide(true, None), SetPolicyOutcome::Done(newest.clone()));
        assert_eq!(decide(true, Some(4)), SetPolicyOutcome::Stale(newest.clone()));
        for seen in [Some(5), Some(4), None] {
            assert_eq!(decide(false, seen), SetPolicyOutcome::NotAllowed);
        }
        let same = record(6, draft().values());
        let again = super::decide(true, same.clone(), None, &draft(), Some(5));
        assert_eq!(again, SetPolicyOutcome::AlreadySo(same), "also by the first of two impatient taps");
    }

    #[test]
    fn an_update_that_comes_again_adds_nothing_and_says_what_it_did() {
        let newest = record(5, USUAL);
        let again = |may, outcome| decide(may, newest.clone(), Some(&processed(outcome)), &draft(), Some(5));
        // Whatever has become of the right since.
        for may in [true, false] {
            assert_eq!(again(may, "SUCCESS"), SetPolicyOutcome::Repeated(newest.clone()));
            assert_eq!(again(may, "NOT_ALLOWED"), SetPolicyOutcome::NotAllowed);
        }
        assert_eq!(again(true, "STALE"), SetPolicyOutcome::Stale(newest.clone()));
        assert_eq!(again(true, "ALREADY_SO"), SetPolicyOutcome::Stale(newest.clone()));
    }

    #[test]
    fn what_happens_beside_the_lock_is_told_as_it_is() {
        let (before, after) = (record(5, USUAL), record(6, draft().values()));
        let judged = |added, after| after_adding(added, &before, after);
        assert_eq!(judged(Some(6), Some(after.clone())), SetPolicyOutcome::Done(after.clone()));
        assert_eq!(judged(None, Some(after.clone())), SetPolicyOutcome::Stale(after));
        assert_eq!(judged(None, Some(before.clone())), SetPolicyOutcome::NotAllowed);
    }
}
