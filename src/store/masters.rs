//! `masters`: who is behind a Telegram user, how they get in and are changed, and who there is.

pub mod change;
pub mod enrol;
pub mod managed;
pub mod place;
pub(crate) mod records;
pub mod roster;

use jiff::Timestamp;
use tokio_postgres::Row;

use super::{Connection, Error, Ready, Statement, Store, column, statement};
use crate::model::blocked::Blocked;
use crate::model::dialog::{Barred, Profile};
use crate::model::{MasterId, MasterRef};

/// Run by [`read_profile`].
pub(crate) const PROFILE: Statement = statement!(
    "masters.profile",
    [INT8, INT8],
    "SELECT masters.id AS master_id, masters.full_name, masters.on_shift, masters.is_blocked, masters.blocked_reason,
            masters.awaiting_approval_since IS NOT NULL AS is_waiting,
            masters.is_blocked AND was_never_let_in(masters.id) AS is_refused,
            (SELECT count(*) FROM orders
             WHERE assigned_master_id = masters.id
               AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')) AS active_orders
     FROM masters
     WHERE masters.id = coalesce($1 /* master */, (SELECT id FROM masters WHERE telegram_user_id = $2 /* user */))"
);

/// Reads what a master's menu shows; `None`: there is no such master.
pub(crate) async fn read_profile(
    connection: &Connection,
    statement: &Ready,
    master: MasterRef,
) -> Result<Option<Profile>, Error> {
    let rows = connection.query(statement, &[&master.id(), &master.telegram_user()]).await?;
    rows.first().map(profile_of).transpose()
}

/// Reads why a master gets no orders.
pub(super) fn barred(row: &Row) -> Result<Option<Barred>, Error> {
    let blocked = || Ok::<_, Error>(Blocked { reason: column(row, "blocked_reason")? });
    Ok(match (column(row, "is_waiting")?, column(row, "is_blocked")?) {
        (true, true) => Some(Barred::Waits),
        (false, true) if column(row, "is_refused")? => Some(Barred::Refused(blocked()?)),
        (false, true) => Some(Barred::Blocked(blocked()?)),
        (_, false) => None,
    })
}

/// Reads the columns of a profile.
pub(super) fn profile_of(row: &Row) -> Result<Profile, Error> {
    let barred = barred(row)?;
    Ok(Profile {
        id: MasterId(column(row, "master_id")?),
        full_name: column(row, "full_name")?,
        on_shift: column(row, "on_shift")?,
        barred,
        active_orders: column(row, "active_orders")?,
    })
}

/// Reads how many active orders a master has, and how many there may be.
///
/// # Errors
/// When the database failed.
pub async fn load(store: &Store, master: MasterId) -> Result<Option<(i64, i64)>, Error> {
    store.run(async |connection: Connection| read_load(&connection, master).await).await
}

/// The same, on a connection that is there.
pub(super) async fn read_load(connection: &Connection, master: MasterId) -> Result<Option<(i64, i64)>, Error> {
    const LOAD: Statement = statement!(
        "masters.load",
        [INT8],
        "SELECT (SELECT count(*) FROM orders
                 WHERE assigned_master_id = masters.id
                   AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')) AS active_orders,
                coalesce(masters.max_active_orders, policy.max_active_orders, 5)::bigint AS max_active_orders
         FROM masters
         LEFT JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
         WHERE masters.id = $1 /* master */"
    );
    let rows = connection.fetch(&LOAD, &[&master.0]).await?;
    let load = |row| Ok::<_, Error>((column(row, "active_orders")?, column(row, "max_active_orders")?));
    rows.first().map(load).transpose()
}

/// Sets whether a master is on shift.
pub(crate) const SET_SHIFT: Statement = statement!(
    "masters.set_shift",
    [INT8, INT8, BOOL, TIMESTAMPTZ],
    "UPDATE masters
     SET on_shift = $3 /* on shift */,
         on_shift_since = CASE WHEN on_shift THEN on_shift_since ELSE coalesce($4, now()) /* now */ END
     FROM (SELECT set_config('field_service.changed_by', 'MASTER', true) AS changed) AS by
     WHERE by.changed IS NOT NULL
       AND id = coalesce($1 /* master */, (SELECT id FROM masters WHERE telegram_user_id = $2 /* user */))"
);

/// Runs [`SET_SHIFT`].
pub(crate) async fn set_shift(
    connection: &Connection,
    statement: &Ready,
    master: MasterRef,
    on_shift: bool,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    connection.query(statement, &[&master.id(), &master.telegram_user(), &on_shift, &now]).await.map(drop)
}
