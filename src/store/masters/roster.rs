//! Who there is, and who of them would never be offered anything.

use tokio_postgres::Row;

use crate::model::{MasterId, TelegramUserId};
use crate::store::{Connection, Error, Statement, Store, column, statement};

/// A master, as an operator sees one.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number.
    pub id: MasterId,
    /// The Telegram user.
    pub user: TelegramUserId,
    /// The full name.
    pub full_name: String,
    /// The phone.
    pub phone: Option<String>,
    /// The city's name.
    pub city: String,
    /// The names of the city's districts in which the master works.
    pub districts: Vec<String>,
    /// The trades, as words.
    pub categories: Vec<String>,
    /// Whether on shift.
    pub on_shift: bool,
    /// How many orders at once.
    pub limit: i32,
    /// How many orders there are.
    pub active_orders: i64,
    /// The reason for which the master is blocked.
    pub blocked: Option<String>,
    /// Telegram says that the bot cannot write to the master.
    pub unreachable: bool,
    /// Whether the city has districts.
    pub city_has_districts: bool,
}

/// Why a master is offered nothing now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// No trade: no order is for this master.
    NoCategory,
    /// No district, in a city that has some: only orders of a district that nobody works in.
    NoDistrict,
    /// Blocked.
    Blocked,
    /// No order at once.
    NoLimit,
    /// Off shift.
    OffShift,
    /// The bot cannot write to the master.
    Unreachable,
}

impl Entry {
    /// Everything for which the master is offered nothing, until somebody changes it.
    #[must_use]
    pub fn obstacles(&self) -> Vec<Obstacle> {
        let all = [
            (self.categories.is_empty(), Obstacle::NoCategory),
            (self.city_has_districts && self.districts.is_empty(), Obstacle::NoDistrict),
            (self.blocked.is_some(), Obstacle::Blocked),
            (self.limit == 0, Obstacle::NoLimit),
            (!self.on_shift, Obstacle::OffShift),
            (self.unreachable, Obstacle::Unreachable),
        ];
        all.into_iter().filter_map(|(there, obstacle)| there.then_some(obstacle)).collect()
    }
}

/// The masters of a city, or all; or one. In the order in which they came.
///
/// # Errors
/// When the database failed.
pub async fn list(store: &Store, city: Option<&str>, master: Option<MasterId>) -> Result<Vec<Entry>, Error> {
    const LIST: Statement = statement!(
        "masters.roster",
        [TEXT, INT8],
        "SELECT masters.id, telegram_user_id, full_name, phone, cities.name AS city, on_shift, is_blocked, blocked_reason,
                unreachable_since IS NOT NULL AS unreachable,
                coalesce(masters.max_active_orders, policy.max_active_orders, 5) AS max_active_orders,
                (SELECT count(*) FROM orders
                 WHERE assigned_master_id = masters.id
                   AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')) AS active_orders,
                ARRAY (SELECT category FROM master_categories WHERE master_id = masters.id ORDER BY category) AS categories,
                ARRAY (SELECT districts.name FROM master_districts JOIN districts ON districts.id = district_id
                       WHERE master_id = masters.id AND districts.city_id = masters.city_id
                       ORDER BY districts.name) AS districts,
                EXISTS (SELECT FROM districts WHERE city_id = masters.city_id) AS city_has_districts
         FROM masters
         JOIN cities ON cities.id = masters.city_id
         LEFT JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
         WHERE cities.name = coalesce($1 /* city */, cities.name) AND masters.id = coalesce($2 /* master */, masters.id)
         ORDER BY masters.id"
    );
    let master = master.map(|master| master.0);
    store
        .run(async |connection: Connection| {
            connection.fetch(&LIST, &[&city, &master]).await?.iter().map(entry).collect()
        })
        .await
}

fn entry(row: &Row) -> Result<Entry, Error> {
    let reason: Option<String> = column(row, "blocked_reason")?;
    let blocked: bool = column(row, "is_blocked")?;
    Ok(Entry {
        id: MasterId(column(row, "id")?),
        user: TelegramUserId(column(row, "telegram_user_id")?),
        full_name: column(row, "full_name")?,
        phone: column(row, "phone")?,
        city: column(row, "city")?,
        districts: column(row, "districts")?,
        categories: column(row, "categories")?,
        on_shift: column(row, "on_shift")?,
        limit: column(row, "max_active_orders")?,
        active_orders: column(row, "active_orders")?,
        blocked: blocked.then(|| reason.unwrap_or_default()),
        unreachable: column(row, "unreachable")?,
        city_has_districts: column(row, "city_has_districts")?,
    })
}
