//! `dispatch_policies`: the one in force, those before it, and a new one of an admin's. Rows are only ever added.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, Store, column, statement};
use crate::model::policy_draft::{PolicyDraft, PolicyField, PolicyInForce, PolicyRecord, PolicyValues, minutes};
use crate::model::{StaffId, StaffRef};

/// A policy's columns, in the order of [`PolicyField::ALL`], and who made it.
macro_rules! columns {
    () => {
        "policy.id, policy.created_at, maker.full_name AS maker, offer_ttl_seconds, preferred_ttl_seconds, first_masters,
         widen_every_seconds, widen_by, max_live_offers, masters_per_round, max_rounds, escalate_after_seconds,
         policy.max_active_orders, workday_start, workday_end"
    };
}

/// Reads the policy in force. `None`: nobody of the staff.
///
/// # Errors
/// When the database failed.
pub async fn in_force(store: &Store, staff: StaffRef) -> Result<Option<PolicyInForce>, Error> {
    const IN_FORCE: Statement = statement!(
        "policies.in_force",
        [INT8, INT8],
        "SELECT who.staff_id, who.role = 'ADMIN' AS may_change, ",
        columns!(),
        "
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         CROSS JOIN (SELECT * FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy
         LEFT JOIN staff AS maker ON maker.id = policy.created_by_staff_id"
    );
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&IN_FORCE, &[&staff.id(), &staff.telegram_user()]).await?;
            let read = |row| {
                let (asked_by, may_change) = (StaffId(column(row, "staff_id")?), column(row, "may_change")?);
                Ok(PolicyInForce { record: record(row)?, asked_by, may_change })
            };
            rows.first().map(read).transpose()
        })
        .await
}

/// Reads a policy by its number. `None`: there is none, or it is nobody of the staff.
///
/// # Errors
/// When the database failed.
pub async fn numbered(store: &Store, staff: StaffRef, id: i64) -> Result<Option<PolicyRecord>, Error> {
    const NUMBERED: Statement = statement!(
        "policies.numbered",
        [INT8, INT8, INT8],
        "SELECT ",
        columns!(),
        "
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN dispatch_policies AS policy ON policy.id = $3 /* number */
         LEFT JOIN staff AS maker ON maker.id = policy.created_by_staff_id"
    );
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&NUMBERED, &[&staff.id(), &staff.telegram_user(), &id]).await?;
            rows.first().map(record).transpose()
        })
        .await
}

/// Reads the newest policies, the one in force first; none for whoever is not of the staff.
///
/// # Errors
/// When the database failed.
pub async fn latest(store: &Store, staff: StaffRef, limit: i64) -> Result<Vec<PolicyRecord>, Error> {
    const LATEST: Statement = statement!(
        "policies.latest",
        [INT8, INT8, INT8],
        "SELECT ",
        columns!(),
        "
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         CROSS JOIN (SELECT * FROM dispatch_policies ORDER BY id DESC LIMIT $3 /* how many */) AS policy
         LEFT JOIN staff AS maker ON maker.id = policy.created_by_staff_id
         ORDER BY policy.id DESC"
    );
    store
        .run(async |connection: Connection| {
            let params = &[&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &limit];
            connection.fetch(&LATEST, params).await?.iter().map(record).collect()
        })
        .await
}

/// When yesterday began and ended, on the clocks of the first city; `None`: there is none.
///
/// # Errors
/// When the database failed.
pub(crate) async fn yesterday(store: &Store) -> Result<Option<(Timestamp, Timestamp)>, Error> {
    const YESTERDAY: Statement = statement!(
        "policies.yesterday",
        [TIMESTAMPTZ],
        "SELECT (today.begins - interval '1 day') AT TIME ZONE today.zone AS since, today.begins AT TIME ZONE today.zone AS until
         FROM (SELECT shown_timezone AS zone,
                      date_trunc('day', coalesce($1, now()) /* now */ AT TIME ZONE shown_timezone) AS begins
               FROM cities ORDER BY id LIMIT 1) AS today"
    );
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&YESTERDAY, &[&store.now()]).await?;
            rows.first().map(|row| Ok((column(row, "since")?, column(row, "until")?))).transpose()
        })
        .await
}

fn record(row: &Row) -> Result<PolicyRecord, Error> {
    let mut values = PolicyValues([0; 12]);
    for field in PolicyField::ALL {
        let value = if field.is_clock() { minutes(column(row, field.name())?) } else { column(row, field.name())? };
        values = values.with(field, value);
    }
    Ok(PolicyRecord {
        id: column(row, "id")?,
        values,
        created_at: column(row, "created_at")?,
        by: column(row, "maker")?,
    })
}

/// Locks what makes policies one after the other, and says whether the person may make one. It is the first policy's row, which
/// is always there; rows that refer to policies do not wait for it.
pub(crate) const LOCK: Statement = statement!(
    "policies.lock",
    [INT8, INT8],
    "SELECT EXISTS (SELECT FROM staff_right($1 /* staff */, $2 /* user */) AS who WHERE who.role = 'ADMIN') AS may_change
     FROM dispatch_policies
     WHERE id = (SELECT min(id) FROM dispatch_policies)
     FOR NO KEY UPDATE"
);

/// Runs [`LOCK`], which waits for whoever is making one.
pub(crate) async fn lock(connection: &Connection, statement: &Ready, staff: StaffRef) -> Result<bool, Error> {
    let rows = connection.query(statement, &[&staff.id(), &staff.telegram_user()]).await?;
    rows.first().map_or(Ok(false), |row| column(row, "may_change"))
}

/// Reads the newest policy, in a statement that begins after the lock.
pub(crate) const NEWEST: Statement = statement!(
    "policies.newest",
    [],
    "SELECT ",
    columns!(),
    "
     FROM (SELECT * FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy
     LEFT JOIN staff AS maker ON maker.id = policy.created_by_staff_id"
);

/// Runs [`NEWEST`]; `None`: there is no policy at all.
pub(crate) async fn newest(connection: &Connection, statement: &Ready) -> Result<Option<PolicyRecord>, Error> {
    connection.query(statement, &[]).await?.first().map(record).transpose()
}

/// Adds a policy; a row, if the person is an admin at this moment and the policy that was seen is the newest. What no draft says
/// stays as it is.
pub(crate) const ADD: Statement = statement!(
    "policies.add",
    [INT8, INT8, INT8, INT4_ARRAY, TIMESTAMPTZ],
    "INSERT INTO dispatch_policies (
         created_at, created_by_staff_id, keep_finished_days, offer_ttl_seconds, preferred_ttl_seconds, first_masters,
         widen_every_seconds, widen_by, max_live_offers, masters_per_round, max_rounds, escalate_after_seconds,
         max_active_orders, workday_start, workday_end)
     SELECT coalesce($5, now()) /* now */, who.staff_id, newest.keep_finished_days,
            said[1], said[2], said[3], said[4], said[5], said[6], said[7], said[8], said[9], said[10],
            time '00:00' + make_interval(mins => said[11]), time '00:00' + make_interval(mins => said[12])
     FROM staff_right($1 /* staff */, $2 /* user */) AS who
     CROSS JOIN (SELECT id, keep_finished_days FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS newest
     CROSS JOIN (SELECT $4::integer[] /* values */ AS said) AS draft
     WHERE who.role = 'ADMIN' AND newest.id = $3 /* seen */
     RETURNING id"
);

/// Runs [`ADD`]; the number of the new policy. `None`: the person may not, or it is not as it was seen.
pub(crate) async fn add(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    seen: i64,
    draft: &PolicyDraft,
    now: Option<Timestamp>,
) -> Result<Option<i64>, Error> {
    let values = draft.values().0.to_vec();
    let params = &[&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &seen, &values, &now];
    let rows = connection.query(statement, params).await?;
    rows.first().map(|row| column(row, "id")).transpose()
}
