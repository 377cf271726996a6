//! `orders`: its lock, and the two statements by which an order changes: into an assigned one, or into any other.

use jiff::Timestamp;

use super::{Connection, Error, Ready, Statement, Store, facts, statement};
use crate::model::Amount;
use crate::model::order::{ActiveLine, ActiveList, OrderStatus};
use crate::model::{Actor, MasterId, OfferId, OrderId, PAGE_SIZE, Tap, TelegramUserId};

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
    [INT8, INT4, TEXT, INT8, INT8, TEXT, INT8, TEXT, TIMESTAMPTZ, TEXT, INT4],
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
    pub tap: Option<Tap>,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// Gives an order to a master, in the caller's transaction, which holds the order's lock: sets the order, accepts the
/// offer, cancels the other live ones, and writes the history, the metrics row and the outbox, all or nothing. Whether
/// somebody is to be told.
///
/// # Errors
/// When the order has another version or the offer is not live, which the lock rules out (SQLSTATE 23502), and when
/// the statement fails. The transaction can then only be rolled back.
pub async fn record_assignment(
    connection: &Connection,
    statement: &Ready,
    assignment: &Assignment,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    let tap = assignment.tap.as_ref();
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
                &assignment.reason,
                &now,
                &tap.and_then(|tap| tap.query.as_ref()),
                &tap.and_then(|tap| tap.message),
            ],
        )
        .await?;
    Ok(rows.first().is_some_and(|row| row.get::<_, i64>("told") > 0))
}

/// See [`record_change`].
pub(crate) const RECORD_CHANGE: Statement = statement!(
    "orders.record_change",
    [INT8, INT4, TEXT, TEXT, TEXT, INT8, INT8, TEXT, TIMESTAMPTZ, TEXT, TEXT],
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
    /// The tap that did it, remembered in the history.
    pub(crate) tap: Option<String>,
}

/// Changes an order, in the caller's transaction, which holds its lock: sets it, cancels its offers if it is nobody's
/// then, and writes the history and the outbox, all or nothing. Whether somebody is to be told.
pub(crate) async fn record_change(
    connection: &Connection,
    statement: &Ready,
    change: &Change,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    let Change { order, version, from, to, actor, reason, amount, tap } = change;
    let amount = amount.map(|amount| amount.to_string());
    let rows = connection
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
                tap,
            ],
        )
        .await?;
    Ok(rows.first().is_some_and(|row| row.get::<_, i64>("told") > 0))
}

/// Whether a tap has changed an order before: then it is a redelivery.
pub(crate) const WAS_HANDLED: Statement = statement!(
    "orders.was_handled",
    [INT8, TEXT],
    "SELECT FROM order_status_history WHERE order_id = $1 /* order */ AND context ->> 'tap' = $2 /* tap */ LIMIT 1"
);

/// Runs [`WAS_HANDLED`].
pub(crate) async fn was_handled(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    by: &Tap,
) -> Result<bool, Error> {
    Ok(!connection.query(statement, &[&order.0, &by.query]).await?.is_empty())
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
    rows.first().map(|row| Ok((facts::status(row)?, row.get("version")))).transpose()
}

/// Lets orders that nobody could be asked about look again at once, because this master may be asked now. Those that
/// somebody is at work on look again by themselves.
///
/// # Errors
/// When the database failed.
pub async fn look_again_for(store: &Store, user: TelegramUserId) -> Result<(), Error> {
    const LOOK_AGAIN: Statement = statement!(
        "orders.look_again",
        [INT8, TIMESTAMPTZ, INT4],
        "UPDATE orders SET next_round_at = coalesce($2, now()) /* now */
         WHERE id IN (
             SELECT orders.id
             FROM masters
             JOIN master_categories ON master_categories.master_id = masters.id
             JOIN orders ON orders.city_id = masters.city_id AND orders.category = master_categories.category
             WHERE telegram_user_id = $1 /* user */
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
            connection.fetch(&LOOK_AGAIN, &[&user.0, &store.now(), &AT_MOST]).await.map(drop)
        })
        .await
}

/// Reads a page of the active orders of the master who tapped, the next visit first; the last page if `page` is past
/// the end. `None` if no master tapped.
///
/// # Errors
/// When the database failed.
pub async fn active_page(store: &Store, user: TelegramUserId, page: i64) -> Result<Option<ActiveList>, Error> {
    const PAGE: Statement =
        statement!("orders.active_page", [INT8, INT8, INT8, TIMESTAMPTZ], include_str!("active_page.sql"));
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&PAGE, &[&user.0, &page.max(1), &PAGE_SIZE, &store.now()]).await?;
            let Some(first) = rows.first() else { return Ok(None) };
            let Some(total) = first.get("total") else {
                return Ok(Some(ActiveList { total: 0, page: 1, lines: Vec::new() }));
            };
            let line = |row| Ok::<_, Error>(ActiveLine { card: facts::card(row)?, status: facts::status(row)? });
            let lines = rows.iter().filter_map(|row| {
                line(row).inspect_err(|error| tracing::error!(%error, "an order is left out of a list")).ok()
            });
            Ok(Some(ActiveList { total, page: first.get("page"), lines: lines.collect() }))
        })
        .await
}
