//! What is known about one order and one master, in one statement.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, Store, column, statement};
use crate::model::facts::{Blocked, Facts, MasterFacts, OfferFacts, OrderFacts};
use crate::model::order::{Category, Client, OrderCard, OrderStatus, OwnOrder, TimeSlot};
use crate::model::race::LostRace;
use crate::model::{Amount, Deadline, MasterId, MasterRef, OfferId, OfferState, OrderId, Role, UpdateKey};

/// Run by `read`.
pub const READ: Statement =
    statement!("facts.read", [INT8, INT8, INT8, TIMESTAMPTZ, TEXT, TEXT], include_str!("facts.sql"));

/// Reads an order as a master stands to it, and whether `update` was processed before; `None`: there is no such master.
pub(crate) async fn read(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    master: MasterRef,
    update: Option<&UpdateKey>,
    now: Option<Timestamp>,
) -> Result<Option<Facts>, Error> {
    let (id, user) = (master.id(), master.telegram_user());
    let (bot, key) = (update.map(|update| update.door.as_word()), update.map(|update| &update.key));
    let params: [&(dyn ToSql + Sync); 6] = [&order.0, &id, &user, &now, &bot, &key];
    let facts = connection.query(statement, &params).await?.first().map(facts).transpose()?;
    connection.count_redelivery(facts.as_ref().is_some_and(|facts| facts.processed.is_some()));
    Ok(facts)
}

/// Reads an order as a master stands to it; `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn of(store: &Store, order: OrderId, master: MasterRef) -> Result<Option<Facts>, Error> {
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&READ]).await?;
            connection.alone(read(&connection, &statement, order, master, None, store.now())).await
        })
        .await
}

fn facts(row: &Row) -> Result<Facts, Error> {
    let order = column::<Option<i64>>(row, "id")?.map(|_| order(row)).transpose()?;
    let is_blocked = column::<bool>(row, "is_blocked")?;
    let reason = column(row, "blocked_reason")?;
    let master = MasterFacts {
        id: MasterId(column(row, "master_id")?),
        blocked: is_blocked.then_some(Blocked { reason }),
        active_orders: column(row, "active_orders")?,
        max_active_orders: column::<i32>(row, "max_active_orders")?.into(),
        has_loose_ends: column(row, "has_loose_ends")?,
    };
    Ok(Facts { master, order, offer: offer(row)?, lost: lost(row)?, processed: column(row, "processed")? })
}

fn lost(row: &Row) -> Result<Option<LostRace>, Error> {
    let (taken, tapped) =
        (column::<Option<i64>>(row, "taken_after_ms")?, column::<Option<i64>>(row, "tapped_after_ms")?);
    let Some((taken, tapped)) = taken.zip(tapped) else { return Ok(None) };
    Ok(LostRace::of(column(row, "taken_by")?, taken, tapped))
}

fn order(row: &Row) -> Result<OrderFacts, Error> {
    Ok(OrderFacts {
        status: status(row)?,
        version: column(row, "version")?,
        assigned_master: column::<Option<i64>>(row, "assigned_master_id")?.map(MasterId),
        order: OwnOrder {
            card: card(row)?,
            client: client(row)?,
            status: status(row)?,
            comment: column(row, "comment")?,
        },
        amount: amount(row)?,
        closed_lately: column(row, "closed_lately")?,
        stepped_just_now: column(row, "stepped_just_now")?,
    })
}

/// Reads what the client paid.
pub(super) fn amount(row: &Row) -> Result<Option<Amount>, Error> {
    // More than anybody can say is nobody's bill.
    Ok(column::<Option<&str>>(row, "final_amount")?.and_then(Amount::parse))
}

/// Reads the order's status.
pub(super) fn status(row: &Row) -> Result<OrderStatus, Error> {
    let status = column(row, "status")?;
    OrderStatus::parse(status).ok_or_else(|| unknown("order status", status))
}

/// Reads the order's client.
pub(super) fn client(row: &Row) -> Result<Client, Error> {
    Ok(Client { name: column(row, "client_name")?, phone: column(row, "client_phone")? })
}

/// Reads the master's offer of the order, if there is one.
pub(super) fn offer(row: &Row) -> Result<Option<OfferFacts>, Error> {
    let Some(id) = column::<Option<i64>>(row, "offer_id")?.map(OfferId) else { return Ok(None) };
    let state = column(row, "offer_state")?;
    let state = OfferState::parse(state).ok_or_else(|| unknown("offer state", state))?;
    let expires = Deadline { at: column(row, "offer_expires_at")?, local: column(row, "offer_expires")? };
    Ok(Some(OfferFacts { id, state, expires, overdue: column(row, "offer_overdue")? }))
}

/// Reads what somebody of the staff may do.
pub(super) fn role(row: &Row) -> Result<Role, Error> {
    let word = column(row, "role")?;
    Role::parse(word).ok_or_else(|| unknown("role", word))
}

/// Reads the order's trade.
pub(super) fn category(row: &Row) -> Result<Category, Error> {
    let word = column(row, "category")?;
    Category::parse(word).ok_or_else(|| unknown("category", word))
}

/// Reads the columns that every statement with an order's card gives the same names.
pub(super) fn card(row: &Row) -> Result<OrderCard, Error> {
    Ok(OrderCard {
        id: OrderId(column(row, "id")?),
        category: category(row)?,
        city: column(row, "city")?,
        district: column(row, "district")?,
        address: column(row, "address")?,
        description: column(row, "description")?,
        slot: TimeSlot {
            start: column(row, "slot_start")?,
            end: column(row, "slot_end")?,
            now: column(row, "local_now")?,
            soon: column(row, "soon")?,
            in_utc: column(row, "in_utc")?,
        },
        is_free: column(row, "is_free")?,
    })
}

/// An error about a word that this release does not know.
pub(super) fn unknown(what: &'static str, value: &str) -> Error {
    Error::Unknown { what, value: value.to_owned() }
}
