//! `masters`: who is behind a Telegram user, and how the first ones get in.

use super::{Connection, Db, Error, Statement, statement};
use crate::dispatch::order::Category;
use crate::dispatch::{MasterId, TelegramUserId};

/// The full name of the master behind `user`, if there is one.
///
/// # Errors
/// When the database failed.
pub async fn name(db: &Db, user: TelegramUserId) -> Result<Option<String>, Error> {
    const NAME: Statement =
        statement!("masters.name", [INT8], "SELECT full_name FROM masters WHERE telegram_user_id = $1 /* user */");
    db.run(async |connection: Connection| {
        Ok(connection.fetch(&NAME, &[&user.0]).await?.first().map(|row| row.get("full_name")))
    })
    .await
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

/// What became of a [`NewMaster`].
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
pub async fn add(db: &Db, new: &NewMaster) -> Result<Added, Error> {
    const ADD: Statement =
        statement!("masters.add", [INT8, TEXT, TEXT, TEXT, TEXT, TEXT], include_str!("masters_add.sql"));
    let categories = new.categories.iter().map(|category| category.as_str()).collect::<Vec<_>>().join(",");
    db.run(async |connection: Connection| {
        let rows = connection
            .fetch(&ADD, &[&new.user.0, &new.full_name, &new.phone, &new.city, &new.timezone, &categories])
            .await?;
        let Some(row) = rows.first() else { return Ok(Added::UnknownCity) };
        if let Some(timezone) = row.get("other_timezone") {
            return Ok(Added::OtherTimezone(timezone));
        }
        let id = MasterId(row.get("id"));
        Ok(if row.get("added") { Added::Added(id) } else { Added::AlreadyThere(id) })
    })
    .await
}
