//! What is known about one order and one master, in one statement.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, Store, statement};
use crate::model::facts::{Blocked, Facts, MasterFacts, OfferFacts, OrderFacts};
use crate::model::order::{Category, Client, OrderCard, OrderStatus, OwnOrder, TimeSlot};
use crate::model::{MasterId, OfferId, OfferState, OrderId, Tap};

/// Run by `read`.
pub const READ: Statement = statement!("facts.read", [INT8, INT8, TIMESTAMPTZ, TEXT], include_str!("facts.sql"));

/// Reads an order as the master who tapped stands to it; `None` if no master did.
pub(crate) async fn read(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    by: &Tap,
    now: Option<Timestamp>,
) -> Result<Option<Facts>, Error> {
    let params: [&(dyn ToSql + Sync); 4] = [&order.0, &by.user.0, &now, &by.query];
    connection.query(statement, &params).await?.first().map(facts).transpose()
}

/// Reads an order as the master who tapped stands to it; `None` if no master did.
///
/// # Errors
/// When the database failed.
pub async fn of(store: &Store, order: OrderId, by: &Tap) -> Result<Option<Facts>, Error> {
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&READ]).await?;
            read(&connection, &statement, order, by, store.now()).await
        })
        .await
}

fn facts(row: &Row) -> Result<Facts, Error> {
    let order = row.get::<_, Option<i64>>("id").map(|_| order(row)).transpose()?;
    let blocked = row.get::<_, bool>("is_blocked").then(|| Blocked { reason: row.get("blocked_reason") });
    let master = MasterFacts {
        id: MasterId(row.get("master_id")),
        blocked,
        active_orders: row.get("active_orders"),
        max_active_orders: row.get::<_, i32>("max_active_orders").into(),
    };
    Ok(Facts { master, order, offer: offer(row)?, tap_was_handled: row.get("tap_was_handled") })
}

fn order(row: &Row) -> Result<OrderFacts, Error> {
    Ok(OrderFacts {
        status: status(row)?,
        version: row.get("version"),
        assigned_master: row.get::<_, Option<i64>>("assigned_master_id").map(MasterId),
        order: OwnOrder { card: card(row)?, client: client(row) },
    })
}

/// Reads the order's status.
pub(super) fn status(row: &Row) -> Result<OrderStatus, Error> {
    let status = row.get("status");
    OrderStatus::parse(status).ok_or_else(|| unknown("order status", status))
}

/// Reads the order's client.
pub(super) fn client(row: &Row) -> Client {
    Client { name: row.get("client_name"), phone: row.get("client_phone") }
}

/// Reads the master's offer of the order, if there is one.
pub(super) fn offer(row: &Row) -> Result<Option<OfferFacts>, Error> {
    let Some(id) = row.get::<_, Option<i64>>("offer_id").map(OfferId) else { return Ok(None) };
    let state = row.get("offer_state");
    let state = OfferState::parse(state).ok_or_else(|| unknown("offer state", state))?;
    Ok(Some(OfferFacts { id, state, expires: row.get("offer_expires"), overdue: row.get("offer_overdue") }))
}

/// Reads the columns that every statement with an order's card gives the same names.
pub(super) fn card(row: &Row) -> Result<OrderCard, Error> {
    let category = row.get("category");
    Ok(OrderCard {
        id: OrderId(row.get("id")),
        category: Category::parse(category).ok_or_else(|| unknown("category", category))?,
        city: row.get("city"),
        district: row.get("district"),
        address: row.get("address"),
        description: row.get("description"),
        slot: TimeSlot { start: row.get("slot_start"), end: row.get("slot_end"), now: row.get("local_now") },
    })
}

fn unknown(what: &'static str, value: &str) -> Error {
    Error::Unknown { what, value: value.to_owned() }
}
