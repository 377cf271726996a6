//! What is really in the database: read beside the handler, however the handler is.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use serde_json::{Value, json};

use super::Shown;
use super::input::Typed;
use crate::store::{Connection, Error, Statement, Store, statement};

/// Values by their names, such as `phone/1001/5001`.
pub(super) type Topics = BTreeMap<String, Value>;

/// How often it is read while somebody looks, when nothing tells of a change.
const AGAIN: Duration = Duration::from_secs(1);
/// After a change of the local Telegram's, the database is read when the taps under way have probably ended.
const SETTLED: Duration = Duration::from_millis(80);

/// Reads while somebody looks, until the page is gone.
pub(super) async fn keep_reading(shown: Weak<Shown>) {
    let Some(mut changes) = shown.upgrade().map(|shown| shown.world.telegram.changes()) else { return };
    while let Some(shown) = shown.upgrade() {
        if shown.truth.receiver_count() > 0 {
            refresh(&shown).await;
        }
        drop(shown);
        // Either is a reason to look again.
        let _ = tokio::time::timeout(AGAIN, changes.changed()).await;
        tokio::time::sleep(SETTLED).await;
    }
}

/// Reads now, so that whatever is told next is not older.
pub(super) async fn refresh(shown: &Shown) {
    let Some(store) = &shown.world.database else { return };
    let _reading = shown.reading.lock().await;
    let read = read(store).await;
    shown.truth.send_if_modified(|known| {
        let truth = read.unwrap_or_else(|error| {
            let mut truth = known.clone();
            truth.insert("database_error".to_owned(), json!(error.to_string()));
            truth
        });
        let news = *known != truth;
        *known = truth;
        news
    });
}

async fn read(store: &Store) -> Result<Topics, Error> {
    const READ: Statement = statement!("sim.truth", [], include_str!("truth.sql"));
    let rows = store.run(async |connection: Connection| connection.fetch(&READ, &[]).await).await?;
    let topic = |row: &tokio_postgres::Row| {
        let value: String = row.get("value");
        (row.get("topic"), serde_json::from_str(&value).unwrap_or(Value::Null))
    };
    Ok(rows.iter().map(topic).collect())
}

/// An order that somebody makes on the page, to be offered to masters at once, or by the system.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrder {
    pub(super) category: String,
    pub(super) address: String,
    pub(super) description: String,
    pub(super) client_name: String,
    pub(super) client_phone: String,
    /// Its city, if the system is to choose the masters; else "".
    pub(super) city: String,
    /// `masters.id`, all of one city, which becomes the order's.
    pub(super) masters: Vec<i64>,
    /// How long the offers can be accepted.
    pub(super) minutes: Typed,
}

/// Makes an order, with offers that live so many minutes if masters were chosen; its number. `None`: these are not masters of one city, and there
/// is no such city.
pub(super) async fn add_order(store: &Store, new: &NewOrder, minutes: i32) -> Result<Option<i64>, Error> {
    const ADD: Statement = statement!(
        "sim.add_order",
        [TEXT, TEXT, TEXT, TEXT, TEXT, INT8_ARRAY, INT4, INT8, TEXT],
        "WITH place AS (
             SELECT city_id, 'SEARCHING' AS status
             FROM masters WHERE id = ANY ($6)
             GROUP BY city_id HAVING count(*) = cardinality($6)
             UNION ALL
             SELECT id, 'CREATED' FROM cities WHERE name = $9 AND cardinality($6) = 0
             LIMIT 1
         ), made AS (
             INSERT INTO orders (id, city_id, category, status, address, description, client_name, client_phone)
             SELECT $8, city_id, $1, status, $2, nullif($3, ''), $4, $5 FROM place
             ON CONFLICT (id) DO NOTHING
             RETURNING id
         ), offered AS (
             INSERT INTO offers (order_id, master_id, state, round_number, expires_at)
             SELECT made.id, masters.id, 'SENT', 1, now() + make_interval(mins => $7)
             FROM made, masters WHERE masters.id = ANY ($6)
             RETURNING id, order_id, master_id
         ), told AS (
             INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id)
             SELECT 'MASTER', telegram_user_id, 'OFFER', order_id, offered.id
             FROM offered JOIN masters ON masters.id = master_id
         )
         SELECT id FROM made UNION SELECT id FROM orders WHERE id = $8"
    );
    const NUMBER: Statement =
        statement!("sim.order_number", [], "SELECT nextval(pg_get_serial_sequence('orders', 'id')) AS id");
    let NewOrder { category, address, description, client_name, client_phone, city, masters, .. } = new;
    // The number first, so that the rest can be repeated if nobody hears of its commit.
    let number: i64 =
        store.run(async |connection: Connection| Ok(connection.fetch(&NUMBER, &[]).await?[0].get("id"))).await?;
    store
        .run(async |connection: Connection| {
            let rows = connection
                .fetch(
                    &ADD,
                    &[category, address, description, client_name, client_phone, masters, &minutes, &number, city],
                )
                .await?;
            Ok(rows.first().map(|row| row.get("id")))
        })
        .await
}
