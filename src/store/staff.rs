//! `staff`: who there is, let in and changed by operators and by invitations. What somebody may do is `staff_right`'s to say.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Statement, Store, column, facts, statement};
use crate::model::{CityId, Role, StaffId, StaffRef, TelegramUserId};

/// Somebody of the staff, as an operator sees one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number.
    pub id: StaffId,
    /// The Telegram user.
    pub user: TelegramUserId,
    /// The full name.
    pub full_name: String,
    /// What the person may do.
    pub role: Role,
    /// The names of the cities; none: all.
    pub cities: Vec<String>,
    /// Whether the person may do anything at all.
    pub is_active: bool,
    /// Telegram says that the bot cannot write to the person.
    pub unreachable: bool,
}

/// What is to be changed; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The full name.
    pub full_name: Option<String>,
    /// What the person may do.
    pub role: Option<Role>,
    /// The names of the cities, instead of those there are; none: all.
    pub cities: Option<Vec<String>>,
    /// Whether the person may do anything at all.
    pub is_active: Option<bool>,
}

/// The outcome of [`add`] and [`change`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is done.
    Saved(StaffId),
    /// The Telegram user is of the staff already; nothing was changed.
    AlreadyThere(StaffId),
    /// There is nobody like that.
    NotFound,
    /// There is no such city; nothing was changed.
    UnknownCity(String),
    /// It is the last admin who is active: nobody could let one in any more but an operator. Nothing was changed.
    LastAdmin,
}

/// Adds somebody; nobody who is there already.
///
/// # Errors
/// When the database failed.
pub async fn add(
    store: &Store,
    user: TelegramUserId,
    full_name: &str,
    role: Role,
    cities: &[String],
) -> Result<Saved, Error> {
    const ADD: Statement = statement!(
        "staff.add",
        [INT8, TEXT, TEXT],
        "INSERT INTO staff (telegram_user_id, full_name, role) VALUES ($1 /* user */, $2 /* name */, $3 /* role */)
         ON CONFLICT (telegram_user_id) DO NOTHING
         RETURNING id"
    );
    const FIND: Statement =
        statement!("staff.find", [INT8], "SELECT id FROM staff WHERE telegram_user_id = $1 /* user */");
    in_transaction(store, async |connection: &Connection| {
        let cities = match find_cities(connection, cities).await? {
            Ok(cities) => cities,
            Err(name) => return Ok(Saved::UnknownCity(name)),
        };
        let added = connection.fetch(&ADD, &[&user.0, &full_name, &role.as_str()]).await?;
        if let Some(row) = added.first() {
            let id = column(row, "id")?;
            replace_cities(connection, id, &cities).await?;
            return Ok(Saved::Saved(StaffId(id)));
        }
        let there = connection.fetch(&FIND, &[&user.0]).await?;
        there.first().map_or(Ok(Saved::NotFound), |row| Ok(Saved::AlreadyThere(StaffId(column(row, "id")?))))
    })
    .await
}

/// Makes the changes, or none of them.
///
/// # Errors
/// When the database failed.
pub async fn change(store: &Store, who: StaffRef, changes: &Changes) -> Result<Saved, Error> {
    const LOCK: Statement = statement!(
        "staff.lock_to_change",
        [INT8, INT8],
        "SELECT id, upper(role) = 'ADMIN' AND is_active AS is_admin,
                EXISTS (SELECT FROM staff AS other WHERE upper(other.role) = 'ADMIN' AND other.is_active
                        AND other.id <> staff.id) AS there_are_others
         FROM staff
         WHERE NOT is_program AND id = coalesce($1 /* staff */, (SELECT id FROM staff WHERE telegram_user_id = $2 /* user */))
         FOR UPDATE"
    );
    const CHANGE: Statement = statement!(
        "staff.change",
        [INT8, TEXT, TEXT, BOOL],
        "UPDATE staff
         SET full_name = coalesce($2 /* name */, full_name), role = coalesce($3 /* role */, role),
             is_active = coalesce($4 /* active */, is_active)
         WHERE id = $1 /* staff */"
    );
    const END_SESSIONS: Statement = statement!(
        "staff.end_sessions",
        [INT8, TIMESTAMPTZ],
        "UPDATE access_tokens SET revoked_at = coalesce($2, now()) /* now */
         WHERE staff_id = $1 /* staff */ AND kind <> 'TOKEN' AND revoked_at IS NULL"
    );
    /// One operator at a time: two who take the last two admins away would each see the other one.
    const LOCK_OPERATORS: Statement = statement!("staff.lock_operators", [], "SELECT pg_advisory_xact_lock(7955997)");
    in_transaction(store, async |connection: &Connection| {
        connection.fetch(&LOCK_OPERATORS, &[]).await?;
        let cities = match find_cities(connection, changes.cities.as_deref().unwrap_or_default()).await? {
            Ok(cities) => cities,
            Err(name) => return Ok(Saved::UnknownCity(name)),
        };
        let rows = connection.fetch(&LOCK, &[&who.id(), &who.telegram_user()]).await?;
        let Some(row) = rows.first() else { return Ok(Saved::NotFound) };
        let (id, is_admin): (i64, bool) = (column(row, "id")?, column(row, "is_admin")?);
        let stays = changes.role.is_none_or(|role| role == Role::Admin) && changes.is_active != Some(false);
        if is_admin && !stays && !column::<bool>(row, "there_are_others")? {
            return Ok(Saved::LastAdmin);
        }
        let role = changes.role.map(Role::as_str);
        connection.fetch(&CHANGE, &[&id, &changes.full_name, &role, &changes.is_active]).await?;
        if changes.cities.is_some() {
            replace_cities(connection, id, &cities).await?;
        }
        if changes.is_active == Some(false) {
            // Who is let in again opens a page again.
            connection.fetch(&END_SESSIONS, &[&id, &store.now()]).await?;
        }
        Ok(Saved::Saved(StaffId(id)))
    })
    .await
}

/// Commits what has saved something, and undoes what has not.
async fn in_transaction(
    store: &Store,
    work: impl AsyncFn(&Connection) -> Result<Saved, Error>,
) -> Result<Saved, Error> {
    store
        .run(async |connection: Connection| {
            connection.begin().await?;
            let saved = work(&connection).await?;
            match saved {
                Saved::Saved(_) => connection.commit().await?,
                _ => connection.rollback().await?,
            }
            Ok(saved)
        })
        .await
}

/// Lets somebody in by an invitation, in the open transaction; whoever was deactivated is let in again, as the invitation says.
pub(crate) async fn let_in(
    connection: &Connection,
    user: TelegramUserId,
    full_name: &str,
    role: Role,
    cities: &[CityId],
) -> Result<(), Error> {
    const LET_IN: Statement = statement!(
        "staff.let_in",
        [INT8, TEXT, TEXT],
        "INSERT INTO staff (telegram_user_id, full_name, role) VALUES ($1 /* user */, $2 /* name */, $3 /* role */)
         ON CONFLICT (telegram_user_id) DO UPDATE
             SET role = excluded.role, is_active = true, unreachable_since = NULL
         RETURNING id"
    );
    let rows = connection.fetch(&LET_IN, &[&user.0, &full_name, &role.as_str()]).await?;
    let cities: Vec<i64> = cities.iter().map(|city| city.0).collect();
    replace_cities(connection, column(&rows[0], "id")?, &cities).await
}

pub(super) async fn replace_cities(connection: &Connection, staff: i64, cities: &[i64]) -> Result<(), Error> {
    const REPLACE: Statement = statement!(
        "staff.replace_cities",
        [INT8, INT8_ARRAY],
        "WITH gone AS (
             DELETE FROM staff_cities WHERE staff_id = $1 /* staff */ AND NOT city_id = ANY ($2 /* cities */)
         )
         INSERT INTO staff_cities (staff_id, city_id)
         SELECT DISTINCT $1::bigint, city FROM unnest($2) AS city ON CONFLICT DO NOTHING"
    );
    connection.fetch(&REPLACE, &[&staff, &cities]).await.map(drop)
}

/// The cities of those names; or the first name that is no city's.
///
/// # Errors
/// When the database failed.
pub async fn cities(store: &Store, names: &[String]) -> Result<Result<Vec<CityId>, String>, Error> {
    let found = store.run(async |connection: Connection| find_cities(&connection, names).await).await?;
    Ok(found.map(|cities| cities.into_iter().map(CityId).collect()))
}

pub(super) async fn find_cities(connection: &Connection, names: &[String]) -> Result<Result<Vec<i64>, String>, Error> {
    const FIND: Statement = statement!(
        "cities.of_names",
        [TEXT_ARRAY],
        "SELECT min(cities.id) AS id, wanted.name
         FROM unnest($1 /* names */) AS wanted (name)
         LEFT JOIN cities USING (name)
         GROUP BY wanted.name"
    );
    let mut found = Vec::with_capacity(names.len());
    for row in connection.fetch(&FIND, &[&names]).await? {
        match column::<Option<i64>>(&row, "id")? {
            Some(id) => found.push(id),
            None => return Ok(Err(column(&row, "name")?)),
        }
    }
    Ok(Ok(found))
}

/// All staff who are people, or one, in the order in which they came.
///
/// # Errors
/// When the database failed.
pub async fn list(store: &Store, one: Option<StaffId>) -> Result<Vec<Entry>, Error> {
    const LIST: Statement = statement!(
        "staff.list",
        [INT8],
        "SELECT staff.id, telegram_user_id, full_name, upper(role) AS role, is_active,
                unreachable_since IS NOT NULL AS unreachable,
                ARRAY (SELECT cities.name FROM staff_cities JOIN cities ON cities.id = city_id
                       WHERE staff_id = staff.id ORDER BY cities.name) AS cities
         FROM staff
         WHERE NOT is_program AND staff.id = coalesce($1 /* staff */, staff.id)
         ORDER BY staff.id"
    );
    let one = one.map(|staff| staff.0);
    store
        .run(async |connection: Connection| {
            connection.fetch(&LIST, &[&one as &(dyn ToSql + Sync)]).await?.iter().map(entry).collect()
        })
        .await
}

fn entry(row: &Row) -> Result<Entry, Error> {
    Ok(Entry {
        id: StaffId(column(row, "id")?),
        user: TelegramUserId(column(row, "telegram_user_id")?),
        full_name: column(row, "full_name")?,
        role: facts::role(row)?,
        cities: column(row, "cities")?,
        is_active: column(row, "is_active")?,
        unreachable: column(row, "unreachable")?,
    })
}
