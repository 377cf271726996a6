//! Staff change a master: shift, block, limit, trades, districts; and let in whoever waits.
//!
//! Under the master's lock, which is waited for. What somebody has changed since it was seen is not changed back unawares: then
//! nothing happens, and who did what is told.

use tokio::join;

use super::shift;
use crate::model::managed::{HIGHEST_LIMIT, Manage, Managed, MasterCard, MasterFilter, MasterList};
use crate::model::master_change::MasterChange;
use crate::model::update::{Action, Processed};
use crate::model::{MasterId, Origin, StaffRef};
use crate::store::masters::managed;
use crate::store::sweeps::{RECALL, Swept};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Severity, Store};

/// Every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManageOutcome {
    /// Committed.
    Done,
    /// It is so already; the last change of it, if one is known.
    AlreadySo(Option<MasterChange>),
    /// Somebody has changed it since it was seen; nothing was done.
    Stale(MasterChange),
    /// Somebody has changed the master in whatever way since the person looked; nothing was done.
    Changed,
    /// The person may only look.
    NotAllowed,
    /// No master of the person's cities, or no district of the master's city.
    NotFound,
    /// Somebody held the master for too long; nothing was done.
    Busy,
}

impl ManageOutcome {
    /// Every outcome's word.
    pub const NAMES: [&'static str; 7] =
        ["SUCCESS", "ALREADY_SO", "STALE", "CHANGED", "NOT_ALLOWED", "NOT_FOUND", "BUSY"];

    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "SUCCESS",
            Self::AlreadySo(_) => "ALREADY_SO",
            Self::Stale(_) => "STALE",
            Self::Changed => "CHANGED",
            Self::NotAllowed => "NOT_ALLOWED",
            Self::NotFound => "NOT_FOUND",
            Self::Busy => "BUSY",
        }
    }
}

/// A page of the masters of somebody's cities. `None`: nobody of the staff.
///
/// # Errors
/// When the database failed.
pub async fn list(
    store: &Store,
    staff: StaffRef,
    filter: MasterFilter,
    page: i64,
) -> Result<Option<MasterList>, store::Error> {
    managed::page(store, staff, filter, page).await
}

/// All of a master; `None`: no master of the person's cities.
///
/// # Errors
/// When the database failed.
pub async fn card(store: &Store, staff: StaffRef, master: MasterId) -> Result<Option<MasterCard>, store::Error> {
    managed::card(store, staff, master).await
}

/// What somebody saw of a master before changing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing that would matter.
    Nothing,
    /// The last change: what was changed since is not changed back unawares.
    Since(i64),
    /// All of it, as of the last change: if anything was changed since, nothing is done.
    All(i64),
}

/// Changes a master, once for each update. `seen`: the number of the last change that the person saw.
///
/// # Errors
/// When the database failed.
pub async fn change(
    store: &Store,
    staff: StaffRef,
    master: MasterId,
    to: &Manage,
    seen: Option<i64>,
    origin: Option<&Origin>,
) -> Result<ManageOutcome, store::Error> {
    let seen = seen.map_or(Seen::Nothing, Seen::Since);
    change_all(store, staff, master, std::slice::from_ref(to), seen, origin).await
}

/// Makes several changes of a master, all of them or none: what stands against the first that cannot be made is the outcome.
/// `origin` as in [`change`].
///
/// # Errors
/// When the database failed.
pub async fn change_all(
    store: &Store,
    staff: StaffRef,
    master: MasterId,
    changes: &[Manage],
    seen: Seen,
    origin: Option<&Origin>,
) -> Result<ManageOutcome, store::Error> {
    let result =
        store.run(async |connection| attempt(store, connection, staff, master, changes, seen, origin).await).await;
    let outcome = match result {
        Err(error) if error.severity() == Severity::TimedOut => ManageOutcome::Busy,
        outcome => outcome?,
    };
    let word = outcome.name();
    for to in changes {
        if outcome == ManageOutcome::Done {
            follow_up(store, master, to).await;
        }
        let what = to.what().as_str();
        tracing::info!(master = master.0, outcome = word, what, "master_change {word}: master={master} what={what}");
    }
    Ok(outcome)
}

async fn attempt(
    store: &Store,
    connection: Connection,
    staff: StaffRef,
    master: MasterId,
    changes: &[Manage],
    seen: Seen,
    origin: Option<&Origin>,
) -> Result<ManageOutcome, store::Error> {
    let now = store.now();
    let [lock, read, find, set, choose, record] = connection
        .ready([&managed::LOCK, &managed::READ, &updates::FIND, &managed::SET, &managed::CHOOSE, &updates::RECORD])
        .await?;
    let (begun, locked, processed) = join!(
        connection.begin(),
        managed::lock(&connection, &lock, staff, master),
        updates::find(&connection, &find, origin),
    );
    begun?;
    let (locked, processed) = (locked?, processed?);
    if let Seen::All(seen) = seen
        && locked
        // What this very request has changed before is no change since.
        && processed.is_none()
        && managed::last_change(&connection, master).await? != seen
    {
        connection.rollback().await?;
        return Ok(ManageOutcome::Changed);
    }
    let since = if let Seen::Since(seen) = seen { Some(seen) } else { None };
    let mut outcome = if locked { ManageOutcome::AlreadySo(None) } else { ManageOutcome::NotFound };
    for to in changes.iter().filter(|_| locked) {
        // In a statement that begins after the lock, and after the change before.
        let facts = managed::read(&connection, &read, staff, master, to).await?;
        match decide(facts.as_ref(), processed.as_ref(), to, since) {
            ManageOutcome::AlreadySo(last) if outcome != ManageOutcome::Done => {
                outcome = ManageOutcome::AlreadySo(last);
            }
            ManageOutcome::AlreadySo(_) => {}
            ManageOutcome::Done if managed::act(&connection, [&set, &choose], staff, master, to, now).await? => {
                outcome = ManageOutcome::Done;
            }
            // The right was taken away in this very moment.
            ManageOutcome::Done => outcome = ManageOutcome::NotAllowed,
            refused => outcome = refused,
        }
        if !matches!(outcome, ManageOutcome::Done | ManageOutcome::AlreadySo(_)) {
            if changes.len() > 1 {
                // What was done before it is undone.
                connection.rollback().await?;
                return Ok(outcome);
            }
            break;
        }
    }
    let durable = outcome == ManageOutcome::Done;
    let answer = Answer { action: Action::ChangeMaster, order: None, outcome: outcome.name(), durable };
    updates::record(&connection, &record, origin, None, answer, now).await?;
    connection.commit().await?;
    Ok(outcome)
}

/// Decides under the master's lock. `Done`: it is to be done.
fn decide(facts: Option<&Managed>, processed: Option<&Processed>, to: &Manage, seen: Option<i64>) -> ManageOutcome {
    let Some(facts) = facts else { return ManageOutcome::NotFound };
    let last = facts.last.as_ref().map(|(_, change)| change.clone());
    let newer = facts.last.as_ref().filter(|(id, _)| seen.is_some_and(|seen| *id > seen));
    match to {
        _ if !facts.acts => ManageOutcome::NotAllowed,
        Manage::District(district, _) if !facts.city_districts.contains(district) => ManageOutcome::NotFound,
        Manage::Limit(Some(limit)) if !(1..=HIGHEST_LIMIT).contains(limit) => ManageOutcome::NotFound,
        _ if facts.is_so(to) => ManageOutcome::AlreadySo(last),
        // What this very update came to before stands, whatever has been done since.
        _ if processed.is_some() => last.map_or(ManageOutcome::AlreadySo(None), ManageOutcome::Stale),
        _ => match newer {
            Some((_, change)) => ManageOutcome::Stale(change.clone()),
            None => ManageOutcome::Done,
        },
    }
}

/// What follows from a change; the tick sees to it as well, so that a failure here only delays it.
async fn follow_up(store: &Store, master: MasterId, to: &Manage) {
    match to {
        Manage::Block(_) => {
            // Offers that cannot be taken hold their orders up.
            if let Err(error) = RECALL.run(store, &[], &mut Swept::default()).await {
                tracing::warn!(%error, "offers of a blocked master are recalled later");
            }
        }
        Manage::Shift(false) | Manage::Trade(_, false) | Manage::District(_, false) => {}
        _ => shift::recheck_orders_for(store, master).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Category;
    use crate::model::master_change::{ChangedBy, What};

    fn master() -> Managed {
        Managed {
            acts: true,
            on_shift: true,
            blocked: false,
            reason: None,
            waiting: false,
            limit: None,
            categories: vec![Category::Plumbing],
            districts: vec![1],
            city_districts: vec![1, 2],
            last: None,
        }
    }

    fn changed(what: What) -> MasterChange {
        let at = jiff::civil::date(2026, 11, 29).at(14, 2, 0, 0);
        MasterChange { what, from: None, to: None, by: ChangedBy::Master, at }
    }

    /// Every change: what the master is like before, and what it is to be.
    fn changes() -> Vec<(Managed, Manage)> {
        let blocked = Managed { blocked: true, ..master() };
        vec![
            (master(), Manage::Shift(false)),
            (master(), Manage::Block("долг".to_owned())),
            (blocked.clone(), Manage::Unblock),
            (Managed { waiting: true, ..blocked.clone() }, Manage::Approve),
            (Managed { waiting: true, ..blocked }, Manage::Block("нет допуска".to_owned())),
            (master(), Manage::Limit(Some(3))),
            (master(), Manage::Trade(Category::Windows, true)),
            (master(), Manage::Trade(Category::Plumbing, false)),
            (master(), Manage::District(2, true)),
            (master(), Manage::District(1, false)),
        ]
    }

    #[test]
    fn whoever_may_act_changes_what_is_not_so_yet_and_nobody_else_does() {
        for (before, to) in changes() {
            assert_eq!(decide(Some(&before), None, &to, Some(5)), ManageOutcome::Done, "{to:?}");
            let reader = Managed { acts: false, ..before };
            assert_eq!(decide(Some(&reader), None, &to, Some(5)), ManageOutcome::NotAllowed, "{to:?}");
            assert_eq!(decide(None, None, &to, Some(5)), ManageOutcome::NotFound, "{to:?}");
        }
    }

    #[test]
    fn what_was_changed_since_it_was_seen_is_told_and_left() {
        for (before, to) in changes() {
            let change = changed(to.what());
            let touched = Managed { last: Some((6, change.clone())), ..before };
            assert_eq!(decide(Some(&touched), None, &to, Some(5)), ManageOutcome::Stale(change), "{to:?}");
            assert_eq!(decide(Some(&touched), None, &to, Some(6)), ManageOutcome::Done, "{to:?}");
            assert_eq!(decide(Some(&touched), None, &to, None), ManageOutcome::Done, "{to:?}");
        }
        let off = Managed { on_shift: false, last: Some((6, changed(What::Shift))), ..master() };
        let already = ManageOutcome::AlreadySo(Some(changed(What::Shift)));
        assert_eq!(decide(Some(&off), None, &Manage::Shift(false), Some(5)), already);
        let elsewhere = decide(Some(&master()), None, &Manage::District(9, true), None);
        assert_eq!(elsewhere, ManageOutcome::NotFound);
        for limit in [0, -1, HIGHEST_LIMIT + 1] {
            assert_eq!(decide(Some(&master()), None, &Manage::Limit(Some(limit)), None), ManageOutcome::NotFound);
        }
    }

    #[test]
    fn an_update_that_was_handled_before_changes_nothing_more() {
        let processed = Processed { action: Some(Action::ChangeMaster), order: None, outcome: "SUCCESS".to_owned() };
        for (before, to) in changes() {
            let again = decide(Some(&before), Some(&processed), &to, Some(5));
            assert_eq!(again, ManageOutcome::AlreadySo(None), "{to:?}");
        }
    }
}
