//! Whose turn it is, by the simplest reckoning: whoever a wave asks has waited at least as long as anybody whom it could have asked
//! and did not, and the wait that it records is the longest of theirs. Nobody waits while he cannot be asked, and nobody waits
//! while an order is due that could be offered to him.

use std::collections::{BTreeMap, HashSet};

use field_service::model::selection::Candidate;
use field_service::model::{MasterId, OrderId};
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

/// What decides since when a master waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    on_shift: bool,
    blocked: bool,
    unreachable: bool,
    withdrawn: Option<Timestamp>,
    since: Option<Timestamp>,
}

/// The same of everybody.
pub(super) async fn everybody(t: &Dispatch) -> BTreeMap<i64, Waiting> {
    let rows = t
        .sql
        .query(
            "SELECT id, on_shift, is_blocked, unreachable_since IS NOT NULL, unreachable_withdrawn_at, on_shift_since
             FROM masters",
            &[],
        )
        .await
        .expect("masters");
    let waiting = |row: &tokio_postgres::Row| Waiting {
        on_shift: row.get(1),
        blocked: row.get(2),
        unreachable: row.get(3),
        withdrawn: row.get(4),
        since: row.get(5),
    };
    rows.iter().map(|row| (row.get(0), waiting(row))).collect()
}

/// Compares everybody before a step and after it: whoever could not be asked and can be again waits anew, whoever did it, and
/// nobody else's wait changes.
pub(super) fn check_waits(before: &BTreeMap<i64, Waiting>, after: &BTreeMap<i64, Waiting>) -> Result<(), String> {
    for (master, is) in after {
        let was = &before[master];
        let reached = was.unreachable && !is.unreachable && was.withdrawn == is.withdrawn;
        let came_back = !was.on_shift || was.blocked && !is.blocked || reached;
        let fits = match is.since {
            None => !is.on_shift,
            since => is.on_shift && (since != was.since) == came_back,
        };
        if !fits {
            return Err(format!("{master} waits since a wrong moment: {was:?} became {is:?}"));
        }
    }
    Ok(())
}

/// The orders that are due for a wave.
pub(super) async fn due(t: &Dispatch) -> Vec<OrderId> {
    let rows = t
        .sql
        .query(
            "SELECT id FROM orders WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE') AND next_round_at <= $1",
            &[&t.clock.now()],
        )
        .await
        .expect("orders");
    rows.iter().map(|row| OrderId(row.get(0))).collect()
}

/// Looks at the orders that were due before a pass and that nobody is being asked for after it: there is nobody to be asked.
pub(super) async fn check_idle(t: &Dispatch, due: &[OrderId]) -> Result<(), String> {
    // Marks as unreachable are being taken back: whom the pass could not ask can be by now.
    if t.one("SELECT EXISTS (SELECT FROM outbox_bots WHERE refusing_since IS NOT NULL)", &[]).await {
        return Ok(());
    }
    let masters = rounds::masters(&t.app.store, &[1]).await.expect("a database");
    for order in due {
        let waits: bool = t
            .one(
                "SELECT EXISTS (SELECT FROM orders WHERE id = $1 AND status IN ('CREATED', 'SEARCHING', 'GUARANTEE'))
                    AND NOT EXISTS (
                        SELECT FROM offers
                        WHERE order_id = $1 AND (state IN ('SENT', 'VIEWED') OR responded_at = $2::timestamptz))",
                &[&order.0, &t.clock.now()],
            )
            .await;
        let asked = rounds::asked_for(&t.app.store, *order, true).await.expect("a database");
        let idle: Vec<MasterId> =
            masters.iter().filter(|master| could_be(master, &asked)).map(|master| master.id).collect();
        if waits && !idle.is_empty() {
            return Err(format!("{idle:?} wait, and nobody is asked for order {order}, which was due"));
        }
    }
    Ok(())
}

fn could_be(master: &Candidate, asked: &HashSet<MasterId>) -> bool {
    master.on_shift
        && !master.blocked
        && !master.unreachable
        && master.load < master.limit
        && !asked.contains(&master.id)
}

impl Dispatch {
    /// How many waves have gone out at this very moment: the clock stands between two steps.
    pub(super) async fn waves_now(&self) -> i64 {
        self.one("SELECT count(*) FROM dispatch_rounds WHERE created_at = $1", &[&self.clock.now()]).await
    }
}

/// Looks at the wave that a pass has just sent out; at none if there were several, as each changes who can be asked by the next.
pub(super) async fn check(t: &Dispatch, before: &Waits) -> Result<(), String> {
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
    let could = masters.iter().filter(|master| could_be(master, &asked) && !chosen.contains(&master.id.0));
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
