//! Whose turn it is, by the simplest reckoning: whoever a wave asks has waited at least as long as anybody whom it could have asked
//! and did not, and the wait that it records is the longest of theirs.

use std::collections::BTreeMap;

use field_service::model::MasterId;
use field_service::model::OrderId;
use field_service::store::rounds;
use jiff::{SignedDuration, Timestamp};

use crate::harness::Dispatch;

/// Since when each master waits.
pub(super) type Waits = BTreeMap<i64, Timestamp>;

/// Since when everybody waits at this moment: since the last offer or order, or since they could be asked again.
pub(super) async fn waits(t: &Dispatch) -> Waits {
    let rows = t
        .sql
        .query(
            "SELECT id, greatest(last_asked_at, on_shift_since)
             FROM masters JOIN master_activity ON master_id = masters.id WHERE on_shift",
            &[],
        )
        .await
        .expect("masters");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

impl Dispatch {
    /// How many waves have gone out at this very moment: the clock stands between two steps.
    pub(super) async fn waves_now(&self) -> i64 {
        self.one("SELECT count(*) FROM dispatch_rounds WHERE created_at = $1", &[&self.clock.now()]).await
    }
}

/// Looks at the wave that a pass has just sent out; at none if there were several, as each changes who can be asked by the next.
pub(super) async fn check(t: &Dispatch, before: &Waits) -> Result<(), String> {
    // The clock that stands is ahead of the database's, which dates the changes.
    let idle: i64 = t
        .one(
            "SELECT count(*) FROM masters
             WHERE on_shift AND on_shift_since < (
                 SELECT max(created_at) FROM master_changes
                 WHERE master_id = masters.id AND (what = 'SHIFT' OR what = 'BLOCKED' AND to_value IS NULL
                                                   OR what = 'REACHABLE' AND to_value = 'yes'))",
            &[],
        )
        .await;
    if idle > 0 {
        return Err(format!("{idle} masters waited while they could not be asked"));
    }
    // As the database has it, to the microsecond: the clock that stands is finer.
    let now: Timestamp = t.one("SELECT $1::timestamptz", &[&t.clock.now()]).await;
    let rows = t
        .sql
        .query(
            "SELECT order_id, ARRAY (SELECT jsonb_array_elements_text(chosen)::bigint), passed_over_master_id,
                    passed_over_seconds, preferred_master_id, wave.city_id = orders.city_id
             FROM dispatch_rounds AS wave JOIN orders ON orders.id = order_id
             WHERE wave.created_at = $1",
            &[&now],
        )
        .await
        .expect("waves");
    let [row] = &rows[..] else { return Ok(()) };
    let (order, chosen): (OrderId, Vec<i64>) = (OrderId(row.get(0)), row.get(1));
    let asked = rounds::asked_for(&t.app.store, order, true).await.expect("a database");
    let masters = rounds::masters(&t.app.store, &[1]).await.expect("a database");
    // What the wave has not changed of those whom it has not asked.
    let could = masters.iter().filter(|master| {
        master.on_shift
            && !master.blocked
            && !master.unreachable
            && master.load < master.limit
            && !asked.contains(&master.id)
            && !chosen.contains(&master.id.0)
    });
    // A second that has begun counts.
    let whole = |waited: SignedDuration| waited.as_secs() + i64::from(waited.subsec_nanos() > 0);
    let waited = |master: MasterId| before.get(&master.0).map(|since| whole(now.duration_since(*since)));
    let passed: Vec<(i64, MasterId)> =
        could.filter_map(|master| waited(master.id).map(|seconds| (seconds, master.id))).collect();
    let longest = passed.iter().map(|(seconds, _)| *seconds).max();
    let recorded: (Option<i64>, Option<i32>) = (row.get(2), row.get(3));
    let what = format!("{order}: {chosen:?} were asked, {passed:?} were not, {recorded:?} is recorded");
    if recorded.1.map(i64::from) != longest {
        return Err(format!("{what}: the longest wait is {longest:?}"));
    }
    let is_one_of_them = |id: i64| passed.iter().any(|(seconds, master)| master.0 == id && Some(*seconds) == longest);
    if recorded.0.is_some_and(|id| !is_one_of_them(id)) || !row.get::<_, bool>(5) {
        return Err(format!("{what}: somebody else has waited so long"));
    }
    let is_preferred = matches!(chosen[..], [one] if row.get::<_, Option<i64>>(4) == Some(one));
    let least = chosen.iter().filter_map(|master| waited(MasterId(*master))).min();
    match (least, longest) {
        (Some(least), Some(longest)) if least < longest && !is_preferred => {
            Err(format!("{what}: somebody had waited longer"))
        }
        _ => Ok(()),
    }
}
