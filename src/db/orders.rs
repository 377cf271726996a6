//! `orders`: its lock, and the one statement by which an order gets its master.

use jiff::Timestamp;

use super::{Connection, Db, Error, Ready, Statement, statement};
use crate::dispatch::order::OrderStatus;
use crate::dispatch::{Actor, MasterId, OfferId, OrderId, TelegramUserId};

/// Locks an order and then a master, waiting for neither. A row: both are locked. None: somebody else holds one of
/// them (the master was not touched if it is the order), or one of them does not exist.
pub const LOCK: Statement = statement!(
    "orders.lock",
    [INT8, INT8],
    "WITH locked AS MATERIALIZED (
         SELECT id FROM orders WHERE id = $1 /* order */ FOR UPDATE SKIP LOCKED
     )
     SELECT true
     FROM masters
     WHERE telegram_user_id = $2 /* user */ AND EXISTS (SELECT FROM locked)
     FOR NO KEY UPDATE OF masters SKIP LOCKED"
);

/// Runs [`LOCK`]; whether both are locked.
pub(crate) async fn lock(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    user: TelegramUserId,
) -> Result<bool, Error> {
    Ok(!connection.query(statement, &[&order.0, &user.0]).await?.is_empty())
}

/// See [`record_assignment`].
pub const RECORD_ASSIGNMENT: Statement = statement!(
    "orders.record_assignment",
    [INT8, INT4, TEXT, INT8, INT8, TEXT, INT8, TEXT, BOOL, TIMESTAMPTZ, TEXT],
    include_str!("record_assignment.sql")
);

/// An order's change into an assigned one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Which order.
    pub order: OrderId,
    /// Its version, as read under its lock.
    pub version: i32,
    /// Its status, as read under its lock.
    pub from_status: OrderStatus,
    /// Who gets it.
    pub master: MasterId,
    /// The live offer by which the master gets it; `None` when somebody gives it.
    pub offer: Option<OfferId>,
    /// Who does it.
    pub actor: Actor,
    /// The tap by which the master did it, remembered with the offer.
    pub tap: Option<String>,
    /// Why, for the history.
    pub reason: Option<String>,
    /// Whether the order had been escalated to staff.
    pub escalated: bool,
}

/// Gives an order to a master, in the caller's transaction, which holds the order's lock: sets the order, accepts the
/// offer, cancels the other live ones, and writes the history and the metrics row, all or nothing.
///
/// # Errors
/// When the order has another version or the offer is not live, which the lock rules out (SQLSTATE 23502), and when
/// the statement fails. The transaction can then only be rolled back.
pub async fn record_assignment(
    connection: &Connection,
    statement: &Ready,
    assignment: &Assignment,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    let staff = match assignment.actor {
        Actor::Admin(staff) => Some(staff.0),
        Actor::System | Actor::Master(_) | Actor::AutoDistribution => None,
    };
    connection
        .query(
            statement,
            &[
                &assignment.order.0,
                &assignment.version,
                &assignment.from_status.as_str(),
                &assignment.master.0,
                &assignment.offer.map(|offer| offer.0),
                &assignment.actor.as_str(),
                &staff,
                &assignment.reason,
                &assignment.escalated,
                &now,
                &assignment.tap,
            ],
        )
        .await
        .map(drop)
}

/// [`record_assignment`] in a transaction of its own, for a caller that has nothing else to change. Waits for the
/// order's lock and then the master's. True if the order is as the assignment would have it, also by an earlier run
/// whose commit was not heard of. False, and nothing was changed, if the order has another version or status by then.
///
/// # Errors
/// As [`record_assignment`].
pub async fn record_assignment_alone(db: &Db, assignment: &Assignment) -> Result<bool, Error> {
    const WAIT_FOR: Statement = statement!(
        "orders.wait_for",
        [INT8, INT4, TEXT, INT8],
        "SELECT version = $2 AND status = $3 AS unchanged,
                version = $2 + 1 AND status = 'ASSIGNED' AND assigned_master_id = $4 /* master */ AS recorded
         FROM orders WHERE id = $1 /* order */ FOR UPDATE"
    );
    const WAIT_FOR_MASTER: Statement =
        statement!("masters.wait_for", [INT8], "SELECT id FROM masters WHERE id = $1 /* master */ FOR NO KEY UPDATE");
    let Assignment { order, version, from_status, master, .. } = assignment;
    db.run(async |connection: Connection| {
        let [wait_for, wait_for_master, record] =
            connection.ready([&WAIT_FOR, &WAIT_FOR_MASTER, &RECORD_ASSIGNMENT]).await?;
        connection.begin().await?;
        let found = connection.query(&wait_for, &[&order.0, version, &from_status.as_str(), &master.0]).await?;
        if !found.first().is_some_and(|order| order.get("unchanged")) {
            connection.rollback().await?;
            return Ok(found.first().is_some_and(|order| order.get::<_, Option<bool>>("recorded") == Some(true)));
        }
        connection.query(&wait_for_master, &[&master.0]).await?;
        record_assignment(&connection, &record, assignment, db.now()).await?;
        connection.commit().await?;
        Ok(true)
    })
    .await
}
