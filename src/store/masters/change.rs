//! Changes what is known of a master, all at once or not at all.

use super::place::{self, Districts, Refusal};
use crate::model::order::Category;
use crate::model::{MasterId, MasterRef, TelegramUserId};
use crate::store::{Connection, Error, Statement, Store, column, statement};

/// What is to be changed; `None` and empty leave it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Another Telegram user.
    pub user: Option<TelegramUserId>,
    /// The full name.
    pub full_name: Option<String>,
    /// The phone; `Some(None)`: none.
    pub phone: Option<Option<String>>,
    /// The city's name; a city that is not there yet is added.
    pub city: Option<String>,
    /// The city's time zone, needed if the city is to be added.
    pub timezone: Option<String>,
    /// Instead of the districts there are. Needed with another city that has districts.
    pub districts: Districts,
    /// Instead of the trades there are.
    pub categories: Vec<Category>,
    /// Whether on shift.
    pub on_shift: Option<bool>,
    /// How many orders at once; `Some(None)`: as many as the policy says.
    pub limit: Option<Option<i32>>,
    /// Whether blocked, and the reason that the master is shown; `Some(None)`: not blocked.
    pub blocked: Option<Option<String>>,
}

/// The outcome of [`change`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done.
    Changed(MasterId),
    /// There is no such master.
    NotFound,
    /// Nothing was changed.
    Refused(Refusal),
}

/// Makes the changes, or none of them.
///
/// # Errors
/// When the database failed.
pub async fn change(store: &Store, master: MasterRef, changes: &Changes) -> Result<Changed, Error> {
    store
        .run(async |connection: Connection| {
            connection.begin().await?;
            let outcome = change_in(&connection, master, changes).await?;
            match outcome {
                Changed::Changed(_) => connection.commit().await?,
                _ => connection.rollback().await?,
            }
            Ok(outcome)
        })
        .await
}

async fn change_in(connection: &Connection, master: MasterRef, changes: &Changes) -> Result<Changed, Error> {
    const LOCK: Statement = statement!(
        "masters.lock_to_change",
        [INT8, INT8],
        "SELECT id, city_id, telegram_user_id FROM masters
         WHERE id = coalesce($1 /* master */, (SELECT id FROM masters WHERE telegram_user_id = $2 /* user */))
         FOR UPDATE"
    );
    const CHANGE: Statement = statement!(
        "masters.change",
        [INT8, TEXT, BOOL, TEXT, INT8, BOOL, BOOL, INT4, BOOL, TEXT],
        "UPDATE masters
         SET full_name = coalesce($2 /* full name */, full_name),
             phone = CASE WHEN $3 /* whether the phone */ THEN $4 /* phone */ ELSE phone END,
             city_id = $5 /* city */,
             on_shift = coalesce($6 /* on shift */, on_shift),
             max_active_orders = CASE WHEN $7 /* whether the limit */ THEN $8 /* limit */ ELSE max_active_orders END,
             is_blocked = coalesce($9 /* blocked */, is_blocked),
             blocked_reason = CASE WHEN $9 IS NULL THEN blocked_reason ELSE $10 /* reason */ END
         WHERE id = $1 /* master */"
    );
    place::lock_places(connection).await?;
    let rows = connection.fetch(&LOCK, &[&master.id(), &master.telegram_user()]).await?;
    let Some(row) = rows.first() else { return Ok(Changed::NotFound) };
    let (id, mut city): (i64, i64) = (column(row, "id")?, column(row, "city_id")?);
    let user: i64 = column(row, "telegram_user_id")?;
    let mut moves = false;
    if let Some(name) = &changes.city {
        match place::city(connection, name, changes.timezone.as_deref()).await? {
            Err(refusal) => return Ok(Changed::Refused(refusal)),
            Ok(found) => moves = std::mem::replace(&mut city, found) != found,
        }
    }
    if moves || !changes.districts.is_empty() {
        match place::districts(connection, city, &changes.districts).await? {
            Err(refusal) => return Ok(Changed::Refused(refusal)),
            Ok(districts) => replace_districts(connection, id, &districts).await?,
        }
    }
    if let Some(new) = changes.user
        && new.0 != user
        && let Some(refusal) = change_user(connection, id, user, new.0).await?
    {
        return Ok(Changed::Refused(refusal));
    }
    if !changes.categories.is_empty() {
        replace_categories(connection, id, &changes.categories).await?;
    }
    let (phone, limit) = (changes.phone.clone().flatten(), changes.limit.flatten());
    let (blocked, reason) = (changes.blocked.as_ref().map(Option::is_some), changes.blocked.clone().flatten());
    connection
        .fetch(
            &CHANGE,
            &[
                &id,
                &changes.full_name,
                &changes.phone.is_some(),
                &phone,
                &city,
                &changes.on_shift,
                &changes.limit.is_some(),
                &limit,
                &blocked,
                &reason,
            ],
        )
        .await?;
    Ok(Changed::Changed(MasterId(id)))
}

async fn replace_districts(connection: &Connection, master: i64, districts: &[i64]) -> Result<(), Error> {
    const REPLACE: Statement = statement!(
        "masters.replace_districts",
        [INT8, INT8_ARRAY],
        "WITH gone AS (
             DELETE FROM master_districts WHERE master_id = $1 /* master */ AND NOT district_id = ANY ($2 /* districts */)
         )
         INSERT INTO master_districts (master_id, district_id)
         SELECT DISTINCT $1::bigint, district FROM unnest($2) AS district ON CONFLICT DO NOTHING"
    );
    connection.fetch(&REPLACE, &[&master, &districts]).await.map(drop)
}

async fn replace_categories(connection: &Connection, master: i64, categories: &[Category]) -> Result<(), Error> {
    const REPLACE: Statement = statement!(
        "masters.replace_categories",
        [INT8, TEXT_ARRAY],
        "WITH gone AS (
             DELETE FROM master_categories WHERE master_id = $1 /* master */ AND NOT category = ANY ($2 /* categories */)
         )
         INSERT INTO master_categories (master_id, category)
         SELECT DISTINCT $1::bigint, category FROM unnest($2) AS category ON CONFLICT DO NOTHING"
    );
    let categories: Vec<_> = categories.iter().map(|category| category.as_str()).collect();
    connection.fetch(&REPLACE, &[&master, &categories]).await.map(drop)
}

/// Another person or another account: what waits goes there, and nothing more to the old one's chat, where it would show a
/// client's data to somebody who may be no master any more.
async fn change_user(connection: &Connection, master: i64, old: i64, new: i64) -> Result<Option<Refusal>, Error> {
    const TAKEN: Statement =
        statement!("masters.find_other", [INT8], "SELECT id FROM masters WHERE telegram_user_id = $1 /* user */");
    const CHANGE: Statement = statement!(
        "masters.change_user",
        [INT8, INT8, INT8],
        "WITH shown_there AS (
             UPDATE outbox SET finished_at = now(), dropped_because = 'OVERTAKEN', lease = NULL
             WHERE bot = 'MASTER' AND chat_id = $2 /* old */ AND finished_at IS NULL AND message_id IS NOT NULL
         ), waiting AS (
             UPDATE outbox SET chat_id = $3 /* new */, scheduled = false, lease = NULL
             WHERE bot = 'MASTER' AND chat_id = $2 AND finished_at IS NULL AND message_id IS NULL
         )
         UPDATE masters SET telegram_user_id = $3, unreachable_since = NULL, last_message_id = 0
         WHERE id = $1 /* master */"
    );
    if let Some(row) = connection.fetch(&TAKEN, &[&new]).await?.first() {
        return Ok(Some(Refusal::TelegramIdTaken(column(row, "id")?)));
    }
    connection.fetch(&CHANGE, &[&master, &old, &new]).await?;
    Ok(None)
}
