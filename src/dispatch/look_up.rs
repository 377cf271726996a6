//! What programs read of orders and places: as it is recorded, within the right of whoever reads.

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::metrics::Fact;
use crate::model::city::CityRecord;
use crate::model::master_record::{MasterRecord, MasterRecords};
use crate::model::order_record::{OrderFilter, OrderRecord};
use crate::model::queue::{FOUND_AT_MOST, Sought};
use crate::model::slot::LocalTimeRefusal;
use crate::model::{OrderId, StaffRef};
use crate::store::masters::records;
use crate::store::{self, Connection, Store, cities, observed, order_records, queue};

/// The newest orders that are looked for, at most `limit`; with `sought`, of the newest [`FOUND_AT_MOST`] that it finds. `None`:
/// it is nobody of the staff who asks.
///
/// # Errors
/// When the database failed.
pub async fn orders(
    store: &Store,
    staff: StaffRef,
    filter: &OrderFilter,
    sought: Option<&Sought>,
    limit: i64,
) -> Result<Option<Vec<OrderRecord>>, store::Error> {
    let Some(sought) = sought else { return order_records::list(store, staff, filter, limit).await };
    if sought.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let found = store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&queue::SEARCH]).await?;
            let page = (1, FOUND_AT_MOST);
            connection.alone(queue::read_found(&connection, &statement, staff, sought, page, store.now())).await
        })
        .await?;
    let Some(found) = found else { return Ok(None) };
    let among = found.lines.iter().map(|line| line.card.id).collect();
    order_records::list(store, staff, &OrderFilter { among: Some(among), ..filter.clone() }, limit).await
}

/// One order; `None`: there is no such order in the cities of that person.
///
/// # Errors
/// When the database failed.
pub async fn order(store: &Store, staff: StaffRef, order: OrderId) -> Result<Option<OrderRecord>, store::Error> {
    order_records::one(store, staff, order).await
}

/// What the clocks of an order's city show at two moments. `None`: there is no such order in the cities of that person.
///
/// # Errors
/// When the database failed.
pub async fn on_the_clocks_of(
    store: &Store,
    staff: StaffRef,
    order: OrderId,
    moments: (Timestamp, Timestamp),
) -> Result<Option<Result<(DateTime, DateTime), LocalTimeRefusal>>, store::Error> {
    cities::on_the_clocks_of(store, staff, order, moments).await
}

/// The cities of somebody of the staff, by name.
///
/// # Errors
/// When the database failed.
pub async fn cities(store: &Store, staff: StaffRef) -> Result<Vec<CityRecord>, store::Error> {
    cities::of(store, staff).await
}

/// The first masters that are looked for, at most `limit`, by ascending number.
///
/// # Errors
/// When the database failed.
pub async fn masters(
    store: &Store,
    staff: StaffRef,
    which: &MasterRecords,
    limit: i64,
) -> Result<Vec<MasterRecord>, store::Error> {
    records::list(store, staff, which, limit).await
}

/// What the database holds, for whoever watches the system.
///
/// # Errors
/// When the database failed.
pub async fn facts(store: &Store) -> Result<Vec<Fact>, store::Error> {
    observed::facts(store).await
}
