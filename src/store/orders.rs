//! `orders`: its lock, and the two statements by which an order changes: into an assigned one, or into any other.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::{Connection, Error, Ready, Statement, Store, column, facts, statement};
use crate::model::Amount;
use crate::model::order::{ActiveLine, ActiveList, OrderStatus};
use crate::model::update::Action;
use crate::model::{Actor, MasterId, MasterRef, OfferId, OrderId, Origin, PAGE_SIZE};

/// Locks an order and then a master, waiting for neither. A row: both are locked. None: somebody else holds one of
/// them (the master was not touched if it is the order), or one of them does not exist.
pub const LOCK: Statement = statement!(
    "orders.lock",
    [INT8, INT8, INT8],
    "WITH locked AS MATERIALIZED (
         SELECT id FROM orders WHERE id = $1 /* order */ FOR UPDATE SKIP LOCKED
     )
     SELECT true
     FROM masters
     WHERE id = coalesce($2 /* master */, (SELECT id FROM masters WHERE telegram_user_id = $3 /* user */))
       AND EXISTS (SELECT FROM locked)
     FOR NO KEY UPDATE OF masters SKIP LOCKED"
);

/// Runs [`LOCK`]; whether both are locked.
pub(crate) async fn lock(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    master: MasterRef,
) -> Result<bool, Error> {
    Ok(!connection.query(statement, &[&order.0, &master.id(), &master.telegram_user()]).await?.is_empty())
}

/// See [`record_assignment`].
pub const RECORD_ASSIGNMENT: Statement = statement!(
    "orders.record_assignment",
    [INT8, INT4, TEXT, INT8, INT8, TEXT, INT8, TIMESTAMPTZ, TEXT, TEXT, TEXT, INT4],
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
    /// Where it was asked for, which is recorded with it, and as what.
    pub origin: Option<Origin>,
    /// What the update asked for.
    pub action: Action,
}

/// Gives an order to a master, in the caller's transaction, which holds the order's lock: sets the order, accepts the
/// offer, cancels the other live ones, and writes the history, the metrics row, the update and the outbox, all or nothing.
/// How many messages it enqueued.
///
/// # Errors
/// When the order has another version or the offer is not live, which the lock rules out (SQLSTATE 23502), and when
/// the statement fails. The transaction can then only be rolled back.
pub async fn record_assignment(
    connection: &Connection,
    statement: &Ready,
    assignment: &Assignment,
    now: Option<Timestamp>,
) -> Result<i64, Error> {
    let origin = assignment.origin.as_ref();
    let update = origin.map(|origin| &origin.update);
    let rows = connection
        .query(
            statement,
            &[
                &assignment.order.0,
                &assignment.version,
                &assignment.from_status.as_str(),
                &assignment.master.0,
                &assignment.offer.map(|offer| offer.0),
                &assignment.actor.as_str(),
                &assignment.actor.staff().map(|staff| staff.0),
                &now,
                &update.map(|update| update.door.as_word()),
                &update.map(|update| &update.key),
                &assignment.action.as_str(),
                &origin.and_then(|origin| origin.message),
            ],
        )
        .await?;
    enqueued(&rows)
}

/// See [`record_change`].
pub(crate) const RECORD_CHANGE: Statement = statement!(
    "orders.record_change",
    [INT8, INT4, TEXT, TEXT, TEXT, INT8, INT8, TEXT, TIMESTAMPTZ, TEXT],
    include_str!("record_change.sql")
);

/// An order's change into anything but an assigned one.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Which order.
    pub(crate) order: OrderId,
    /// Its version, as read under its lock.
    pub(crate) version: i32,
    /// Its status, as read under its lock.
    pub(crate) from: OrderStatus,
    /// Its status then. SEARCHING takes it from its master, and is GUARANTEE if it was that before.
    pub(crate) to: OrderStatus,
    /// Who does it.
    pub(crate) actor: Actor,
    /// Why, for the history.
    pub(crate) reason: Option<String>,
    /// What the client paid.
    pub(crate) amount: Option<Amount>,
}

/// Changes an order, in the caller's transaction, which holds its lock: sets it, cancels its offers if it is nobody's
/// then, and writes the history and the outbox, all or nothing. How many messages it enqueued.
pub(crate) async fn record_change(
    connection: &Connection,
    statement: &Ready,
    change: &Change,
    now: Option<Timestamp>,
) -> Result<i64, Error> {
    enqueued(&changed(connection, statement, change, now).await?)
}

/// The same into the search; the order's status then, SEARCHING or GUARANTEE.
pub(crate) async fn record_return(
    connection: &Connection,
    statement: &Ready,
    change: &Change,
    now: Option<Timestamp>,
) -> Result<OrderStatus, Error> {
    let rows = changed(connection, statement, change, now).await?;
    rows.first().map_or(Ok(change.to), facts::status)
}

async fn changed(
    connection: &Connection,
    statement: &Ready,
    change: &Change,
    now: Option<Timestamp>,
) -> Result<Vec<Row>, Error> {
    let Change { order, version, from, to, actor, reason, amount } = change;
    let amount = amount.map(|amount| amount.to_string());
    connection
        .query(
            statement,
            &[
                &order.0,
                version,
                &from.as_str(),
                &to.as_str(),
                &actor.as_str(),
                &actor.master().map(|master| master.0),
                &actor.staff().map(|staff| staff.0),
                reason,
                &now,
                &amount,
            ],
        )
        .await
}

fn enqueued(rows: &[Row]) -> Result<i64, Error> {
    rows.first().map_or(Ok(0), |row| column(row, "enqueued"))
}

/// Locks an order, waiting for it; its status and version.
pub(crate) const WAIT_FOR: Statement =
    statement!("orders.wait_for", [INT8], "SELECT status, version FROM orders WHERE id = $1 /* order */ FOR UPDATE");

/// Runs [`WAIT_FOR`]; `None` if there is no such order.
pub(crate) async fn wait_for(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
) -> Result<Option<(OrderStatus, i32)>, Error> {
    let rows = connection.query(statement, &[&order.0]).await?;
    rows.first().map(|row| Ok((facts::status(row)?, column(row, "version")?))).transpose()
}

/// Lets orders that nobody could be asked about look again at once, because this master may be asked now. Those that
/// somebody is at work on look again by themselves.
///
/// # Errors
/// When the database failed.
pub async fn recheck_orders_for(store: &Store, master: MasterId) -> Result<(), Error> {
    const RECHECK_FOR: Statement = statement!(
        "orders.recheck_orders_for",
        [INT8, TIMESTAMPTZ, INT4],
        "UPDATE orders SET next_round_at = coalesce($2, now()) /* now */
         WHERE id IN (
             SELECT orders.id
             FROM masters
             JOIN master_categories ON master_categories.master_id = masters.id
             JOIN orders ON orders.city_id = masters.city_id AND orders.category = master_categories.category
             WHERE masters.id = $1 /* master */
               AND orders.status IN ('SEARCHING', 'GUARANTEE') AND orders.next_round_at > coalesce($2, now())
               AND NOT EXISTS (
                   SELECT FROM offers WHERE offers.order_id = orders.id AND state IN ('SENT', 'VIEWED'))
             ORDER BY orders.next_round_at
             LIMIT $3 /* at most */
             FOR UPDATE OF orders SKIP LOCKED)"
    );
    const AT_MOST: i32 = 50;
    store
        .run(async |connection: Connection| {
            connection.fetch(&RECHECK_FOR, &[&master.0, &store.now(), &AT_MOST]).await.map(drop)
        })
        .await
}

/// Run by [`read_active_page`].
pub(crate) const ACTIVE_PAGE: Statement =
    statement!("orders.active_page", [INT8, INT8, INT8, INT8, TIMESTAMPTZ], include_str!("active_page.sql"));

/// Reads a page of a master's active orders, the next visit first; the last page if `page` is past the end. `None`: there
/// is no such master.
pub(crate) async fn read_active_page(
    connection: &Connection,
    statement: &Ready,
    master: MasterRef,
    page: i64,
    now: Option<Timestamp>,
) -> Result<Option<ActiveList>, Error> {
    let (id, user) = (master.id(), master.telegram_user());
    let rows = connection.query(statement, &[&id, &user, &page.max(1), &PAGE_SIZE, &now]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let Some(total) = column(first, "total")? else {
        return Ok(Some(ActiveList { total: 0, page: 1, lines: Vec::new() }));
    };
    let line = |row| Ok::<_, Error>(ActiveLine { card: facts::card(row)?, status: facts::status(row)? });
    let lines = rows.iter().filter_map(|row| {
        line(row).inspect_err(|error| tracing::error!(%error, "an order is left out of a list")).ok()
    });
    Ok(Some(ActiveList { total, page: column(first, "page")?, lines: lines.collect() }))
}
