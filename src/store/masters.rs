//! `masters`: who is behind a Telegram user, and how the first ones get in.

use tokio_postgres::Row;

use super::{Connection, Error, Ready, Statement, Store, column, statement};
use crate::model::dialog::Profile;
use crate::model::order::Category;
use crate::model::{MasterId, MasterRef, TelegramUserId};

/// Run by [`read_profile`].
pub(crate) const PROFILE: Statement = statement!(
    "masters.profile",
    [INT8, INT8],
    "SELECT masters.id AS master_id, masters.full_name, masters.on_shift,
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

/// Reads the columns of a profile.
pub(super) fn profile_of(row: &Row) -> Result<Profile, Error> {
    Ok(Profile {
        id: MasterId(column(row, "master_id")?),
        full_name: column(row, "full_name")?,
        on_shift: column(row, "on_shift")?,
        active_orders: column(row, "active_orders")?,
    })
}

/// Sets whether a master is on shift.
pub(crate) const SET_SHIFT: Statement = statement!(
    "masters.set_shift",
    [INT8, INT8, BOOL],
    "UPDATE masters SET on_shift = $3 /* on shift */
     WHERE id = coalesce($1 /* master */, (SELECT id FROM masters WHERE telegram_user_id = $2 /* user */))"
);

/// Runs [`SET_SHIFT`].
pub(crate) async fn set_shift(
    connection: &Connection,
    statement: &Ready,
    master: MasterRef,
    on_shift: bool,
) -> Result<(), Error> {
    connection.query(statement, &[&master.id(), &master.telegram_user(), &on_shift]).await.map(drop)
}

/// A master to be let in.
#[derive(Clone, Debug)]
pub struct NewMaster {
    /// The Telegram user.
    pub user: TelegramUserId,
    /// The full name.
    pub full_name: String,
    /// The phone.
    pub phone: Option<String>,
    /// The city's name; a city that is not there yet is added.
    pub city: String,
    /// The city's time zone, needed if the city is to be added.
    pub timezone: Option<String>,
    /// The trades.
    pub categories: Vec<Category>,
}

/// The outcome of [`add`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// A new master.
    Added(MasterId),
    /// The Telegram user is a master already; nothing was changed.
    AlreadyThere(MasterId),
    /// There is no such city, and no time zone that PostgreSQL knows to add it with.
    UnknownCity,
    /// The city is there, in this other time zone; nothing was changed.
    OtherTimezone(String),
}

/// Adds a master, with the city if need be and the trades, or nothing.
///
/// # Errors
/// When the database failed.
pub async fn add(store: &Store, new: &NewMaster) -> Result<Added, Error> {
    const ADD: Statement =
        statement!("masters.add", [INT8, TEXT, TEXT, TEXT, TEXT, TEXT], include_str!("masters_add.sql"));
    let categories = new.categories.iter().map(|category| category.as_str()).collect::<Vec<_>>().join(",");
    store
        .run(async |connection: Connection| {
            let rows = connection
                .fetch(&ADD, &[&new.user.0, &new.full_name, &new.phone, &new.city, &new.timezone, &categories])
                .await?;
            let Some(row) = rows.first() else { return Ok(Added::UnknownCity) };
            if let Some(timezone) = column(row, "other_timezone")? {
                return Ok(Added::OtherTimezone(timezone));
            }
            let id = MasterId(column(row, "id")?);
            Ok(if column(row, "added")? { Added::Added(id) } else { Added::AlreadyThere(id) })
        })
        .await
}
