//! Lets a master in, all at once or not at all.

use super::place::{self, Districts, Refusal};
use crate::model::order::Category;
use crate::model::{MasterId, TelegramUserId};
use crate::store::{Connection, Error, Statement, Store, column, statement};

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
    /// Where in the city; at least one where the city has districts.
    pub districts: Districts,
    /// The trades, at least one.
    pub categories: Vec<Category>,
}

/// The outcome of [`add`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// A new master.
    Added(MasterId),
    /// The Telegram user is a master already; nothing was changed.
    AlreadyThere(MasterId),
    /// All that is missing or wrong; nothing was changed.
    Refused(Vec<Refusal>),
}

/// Adds a master, with the city and districts if need be and the trades, or nothing.
///
/// # Errors
/// When the database failed.
pub async fn add(store: &Store, new: &NewMaster) -> Result<Added, Error> {
    store
        .run(async |connection: Connection| {
            connection.begin().await?;
            let added = add_in(&connection, new).await?;
            match added {
                Added::Added(_) => connection.commit().await?,
                _ => connection.rollback().await?,
            }
            Ok(added)
        })
        .await
}

async fn add_in(connection: &Connection, new: &NewMaster) -> Result<Added, Error> {
    const FIND: Statement =
        statement!("masters.find", [INT8], "SELECT id FROM masters WHERE telegram_user_id = $1 /* user */");
    const ADD: Statement = statement!(
        "masters.add",
        [INT8, TEXT, TEXT, INT8, TEXT_ARRAY, INT8_ARRAY],
        "WITH added AS (
             INSERT INTO masters (telegram_user_id, full_name, phone, city_id)
             VALUES ($1 /* user */, $2 /* full name */, $3 /* phone */, $4 /* city */)
             RETURNING id
         ), trades AS (
             INSERT INTO master_categories (master_id, category)
             SELECT DISTINCT added.id, category FROM added, unnest($5 /* categories */) AS category
         ), places AS (
             INSERT INTO master_districts (master_id, district_id)
             SELECT DISTINCT added.id, district FROM added, unnest($6 /* districts */) AS district
         )
         SELECT id FROM added"
    );
    place::lock_places(connection).await?;
    if let Some(row) = connection.fetch(&FIND, &[&new.user.0]).await?.first() {
        return Ok(Added::AlreadyThere(MasterId(column(row, "id")?)));
    }
    let mut refusals = Vec::new();
    if new.categories.is_empty() {
        refusals.push(Refusal::CategoryNeeded);
    }
    let place = match place::city(connection, &new.city, new.timezone.as_deref()).await? {
        Err(refusal) => Err(refusal),
        Ok(city) => place::districts(connection, city, &new.districts).await?.map(|districts| (city, districts)),
    };
    let (city, districts) = match place {
        Ok(place) if refusals.is_empty() => place,
        Ok(_) => return Ok(Added::Refused(refusals)),
        Err(refusal) => {
            refusals.push(refusal);
            return Ok(Added::Refused(refusals));
        }
    };
    let categories: Vec<_> = new.categories.iter().map(|category| category.as_str()).collect();
    let added =
        connection.fetch(&ADD, &[&new.user.0, &new.full_name, &new.phone, &city, &categories, &districts]).await?;
    Ok(Added::Added(MasterId(column(&added[0], "id")?)))
}
