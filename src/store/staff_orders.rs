//! An order as staff stand to it, and what they do with it beside its status and master. Each statement asks for the right of
//! whoever acts.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, Store, column, facts, statement};
use crate::model::blocked::Blocked;
use crate::model::order::{OrderStatus, OwnOrder};
use crate::model::slot::{Hours, WORKDAY};
use crate::model::staff_order::{Changed, ChangedBy, Detail, Edit, LastChange, Sought, StaffOrder};
use crate::model::{MasterId, OfferState, OrderId, StaffId, StaffRef, UpdateKey, Version};

/// Run by [`read`].
pub(crate) const READ: Statement =
    statement!("staff_orders.read", [INT8, INT8, INT8, TIMESTAMPTZ, TEXT, TEXT], include_str!("staff_orders_read.sql"));

/// Reads an order, and whether `update` was processed before; `None`: there is no such order in the cities of that person.
pub(crate) async fn read(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    staff: StaffRef,
    update: Option<&UpdateKey>,
    now: Option<Timestamp>,
) -> Result<Option<StaffOrder>, Error> {
    let (bot, key) = (update.map(|update| update.door.as_word()), update.map(|update| &update.key));
    let params: [&(dyn ToSql + Sync); 6] = [&order.0, &staff.id(), &staff.telegram_user(), &now, &bot, &key];
    let order = connection.query(statement, &params).await?.first().map(staff_order).transpose()?;
    connection.count_redelivery(order.as_ref().is_some_and(|order| order.processed.is_some()));
    Ok(order)
}

/// Reads an order; `None`: there is no such order in the cities of that person.
///
/// # Errors
/// When the database failed.
pub async fn of(store: &Store, order: OrderId, staff: StaffRef) -> Result<Option<StaffOrder>, Error> {
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&READ]).await?;
            connection.alone(read(&connection, &statement, order, staff, None, store.now())).await
        })
        .await
}

fn staff_order(row: &Row) -> Result<StaffOrder, Error> {
    let id = |name| column::<Option<i64>>(row, name);
    let name = |name| Ok::<_, Error>(column::<Option<String>>(row, name)?.unwrap_or_default());
    let staff = StaffId(column(row, "staff_id")?);
    let master = id("assigned_master_id")?.map(MasterId);
    let claimed = id("claimed_by_staff_id")?.map(StaffId);
    Ok(StaffOrder {
        staff,
        acts: column(row, "acts")?,
        order: OwnOrder {
            card: facts::card(row)?,
            client: facts::client(row)?,
            status: facts::status(row)?,
            comment: column(row, "comment")?,
        },
        sought: Sought {
            city: column(row, "city_id")?,
            district: column(row, "district_id")?,
            category: facts::category(row)?,
            preferred: id("preferred_master_id")?.map(MasterId),
            goes_on: column(row, "goes_on")?,
        },
        version: Version { version: column(row, "version")?, revision: column(row, "revision")? },
        master: master.map(|master| Ok::<_, Error>((master, name("master_name")?))).transpose()?,
        claimed: claimed.map(|staff| Ok::<_, Error>((staff, name("claimant_name")?))).transpose()?,
        live_offers: column(row, "live_offers")?,
        workday: match (column(row, "workday_start")?, column(row, "workday_end")?) {
            (Some(start), Some(end)) => Hours { start, end },
            _ => WORKDAY,
        },
        was_offered: column(row, "was_offered")?,
        ended_lately: column(row, "ended_lately")?,
        amount: facts::amount(row)?,
        last_change: last_change(row, staff)?,
        processed: column(row, "processed")?,
        with_master_since: column(row, "with_master_since")?,
    })
}

fn last_change(row: &Row, reader: StaffId) -> Result<Option<LastChange>, Error> {
    let Some(at) = column(row, "last_at")? else { return Ok(None) };
    let by_staff = column::<Option<i64>>(row, "last_by_staff")?.map(StaffId);
    let (staff, master) = (column(row, "last_staff_name")?, column(row, "last_master_name")?);
    let what = match column::<Option<&str>>(row, "last_status")? {
        // What a later release has put there.
        Some(status) => OrderStatus::parse(status).map_or(Changed::Detail(None), Changed::Status),
        None => Changed::Detail(column::<Option<&str>>(row, "last_field")?.and_then(Detail::parse)),
    };
    let by = match (staff, master) {
        _ if by_staff == Some(reader) => ChangedBy::You,
        (Some(name), _) => ChangedBy::Staff(name),
        (None, Some(name)) => ChangedBy::Master(name),
        (None, None) => ChangedBy::System,
    };
    Ok(Some(LastChange { what, by, at }))
}

/// Tries to lock a master, without waiting; a row: it is locked.
pub(crate) const LOCK_MASTER: Statement = statement!(
    "staff_orders.lock_master",
    [INT8],
    "SELECT true FROM masters WHERE id = $1 /* master */ FOR NO KEY UPDATE SKIP LOCKED"
);

/// Reads a master of an order's city.
pub(crate) const MASTER: Statement = statement!(
    "staff_orders.master",
    [INT8, INT8],
    "SELECT is_blocked, blocked_reason, awaiting_approval_since IS NOT NULL AS is_waiting,
            (SELECT count(*) FROM orders AS own
             WHERE own.assigned_master_id = masters.id AND own.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT'))
                >= coalesce(masters.max_active_orders,
                            (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1), 5) AS at_limit
     FROM masters JOIN orders ON orders.city_id = masters.city_id
     WHERE orders.id = $1 /* order */ AND masters.id = $2 /* master */"
);

/// A master who is to get an order.
pub(crate) struct Receiver {
    /// Whether the row is locked: otherwise somebody else is at work on the master.
    pub(crate) locked: bool,
    /// Whether staff have blocked the master.
    pub(crate) blocked: Option<Blocked>,
    /// Whether that is only because they have yet to let the master in.
    pub(crate) waiting: bool,
    /// Whether the master has as many orders as allowed.
    pub(crate) at_limit: bool,
}

/// Runs [`LOCK_MASTER`] and then [`MASTER`]; `None`: there is no such master in the order's city.
pub(crate) async fn receiver(
    connection: &Connection,
    [lock, read]: [&Ready; 2],
    order: OrderId,
    master: Option<MasterId>,
) -> Result<Option<Receiver>, Error> {
    let Some(master) = master else { return Ok(None) };
    let lock_params: [&(dyn ToSql + Sync); 1] = [&master.0];
    let params: [&(dyn ToSql + Sync); 2] = [&order.0, &master.0];
    let (locked, rows) = tokio::join!(connection.query(lock, &lock_params), connection.query(read, &params));
    let (locked, rows) = (!locked?.is_empty(), rows?);
    let Some(row) = rows.first() else { return Ok(None) };
    let is_blocked = column::<bool>(row, "is_blocked")?;
    let reason = column(row, "blocked_reason")?;
    let blocked = is_blocked.then_some(Blocked { reason });
    Ok(Some(Receiver { locked, blocked, waiting: column(row, "is_waiting")?, at_limit: column(row, "at_limit")? }))
}

/// Changes what an order says, under its lock; a row, if the person may and the order is not over.
pub(crate) const EDIT: Statement = statement!(
    "staff_orders.edit",
    [INT8, INT4, INT8, INT8, TEXT, TEXT, TIMESTAMP, TIMESTAMP, TIMESTAMPTZ],
    include_str!("edit_order.sql")
);

/// Runs [`EDIT`]; whether it was done.
pub(crate) async fn edit(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    version: i32,
    staff: StaffRef,
    edit: &Edit,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    let (text, slot) = match edit {
        Edit::Address(text) | Edit::Name(text) | Edit::Phone(text) | Edit::Description(text) => (Some(text), None),
        Edit::Comment(text) => (text.as_ref(), None),
        Edit::Slot(slot) => (None, *slot),
    };
    let (start, end) = (slot.map(|(start, _)| start), slot.map(|(_, end)| end));
    let detail = edit.detail().as_str();
    let params: [&(dyn ToSql + Sync); 9] =
        [&order.0, &version, &staff.id(), &staff.telegram_user(), &detail, &text, &start, &end, &now];
    Ok(!connection.query(statement, &params).await?.is_empty())
}

/// Notes who sees to an order that is not over, or that nobody does any more, under its lock; a row, if the person may.
pub(crate) const CLAIM: Statement = statement!(
    "staff_orders.claim",
    [INT8, INT8, INT8, BOOL, TIMESTAMPTZ],
    "UPDATE orders
     SET claimed_by_staff_id = CASE WHEN $4 /* claims */ THEN who.staff_id END,
         claimed_at = CASE WHEN $4 THEN coalesce($5, now()) /* now */ END
     FROM staff_right($2 /* staff */, $3 /* user */) AS who
     WHERE orders.id = $1 /* order */ AND city_id = ANY (who.cities) AND who.acts
       AND status NOT IN ('CLOSED', 'CANCELED')
     RETURNING orders.id"
);

/// Runs [`CLAIM`]; whether it was done.
pub(crate) async fn claim(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    staff: StaffRef,
    claims: bool,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    let params: [&(dyn ToSql + Sync); 5] = [&order.0, &staff.id(), &staff.telegram_user(), &claims, &now];
    Ok(!connection.query(statement, &params).await?.is_empty())
}

/// Lets an order's next round begin now, under its lock; a row, if the person may.
pub(crate) const HASTEN: Statement = statement!(
    "staff_orders.hasten",
    [INT8, INT4, INT8, INT8, TIMESTAMPTZ],
    "UPDATE orders SET next_round_at = coalesce($5, now()) /* now */
     FROM staff_right($3 /* staff */, $4 /* user */) AS who
     WHERE orders.id = $1 /* order */ AND version = $2 /* version */ AND city_id = ANY (who.cities) AND who.acts
       AND status IN ('CREATED', 'SEARCHING', 'GUARANTEE')
     RETURNING orders.id"
);

/// Runs [`HASTEN`]; whether it was done.
pub(crate) async fn hasten(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    version: i32,
    staff: StaffRef,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    let params: [&(dyn ToSql + Sync); 5] = [&order.0, &version, &staff.id(), &staff.telegram_user(), &now];
    Ok(!connection.query(statement, &params).await?.is_empty())
}

/// A master, for whoever gives an order away.
pub struct Named {
    /// The full name.
    pub name: String,
    /// The state of the last offer of the order to the master.
    pub offer: Option<OfferState>,
    /// Why staff have blocked the master.
    pub blocked_reason: Option<String>,
}

/// Reads masters of the cities of somebody of the staff, and what became of an order that they were offered.
///
/// # Errors
/// When the database failed.
pub async fn names(
    store: &Store,
    order: OrderId,
    staff: StaffRef,
    masters: &[MasterId],
) -> Result<HashMap<MasterId, Named>, Error> {
    const NAMES: Statement = statement!(
        "staff_orders.names",
        [INT8, INT8, INT8, INT8_ARRAY],
        "SELECT masters.id, masters.full_name, masters.blocked_reason, (
             SELECT state FROM offers
             WHERE offers.order_id = $1 /* order */ AND offers.master_id = masters.id
             ORDER BY offers.id DESC LIMIT 1
         ) AS offer_state
         FROM staff_right($2 /* staff */, $3 /* user */) AS who
         JOIN masters ON masters.city_id = ANY (who.cities)
         WHERE masters.id = ANY ($4) /* masters */"
    );
    let masters: Vec<i64> = masters.iter().map(|master| master.0).collect();
    store
        .run(async |connection: Connection| {
            let params: [&(dyn ToSql + Sync); 4] = [&order.0, &staff.id(), &staff.telegram_user(), &masters];
            let rows = connection.fetch(&NAMES, &params).await?;
            rows.iter()
                .map(|row| {
                    let named = Named {
                        name: column(row, "full_name")?,
                        offer: column::<Option<&str>>(row, "offer_state")?.and_then(OfferState::parse),
                        blocked_reason: column(row, "blocked_reason")?,
                    };
                    Ok((MasterId(column(row, "id")?), named))
                })
                .collect()
        })
        .await
}
