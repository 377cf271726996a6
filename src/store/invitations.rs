//! `invitations`: links by which people get in, each for one person.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, Store, column, facts, statement};
use crate::model::invitation::{Code, Invitation, Invited};
use crate::model::{BotName, CityId, StaffId, StaffRef, TelegramUserId};

/// Makes an invitation. No row: the person may not let that one in.
///
/// Staff invite masters to their cities, and an admin invites staff; without staff it is an operator's, who may.
pub(crate) const CREATE: Statement = statement!(
    "invitations.create",
    [INT8, INT8, BYTEA, TEXT, INT8, TEXT, INT8_ARRAY, BOOL, TEXT, FLOAT8, TIMESTAMPTZ, BOOL],
    "INSERT INTO invitations (
         code_hash, bot, city_id, role, cities, needs_approval, full_name, created_by_staff_id, created_at, expires_at)
     SELECT $3 /* hash */, $4 /* bot */, $5 /* city */, $6 /* role */, $7 /* cities */, $8 /* needs approval */,
            $9 /* name */, who.staff_id, moment.now, moment.now + make_interval(secs => $10 /* seconds */)
     FROM (SELECT coalesce($11, now()) /* now */ AS now) AS moment
     LEFT JOIN staff_right($1 /* staff */, $2 /* user */) AS who ON true
     WHERE $12 /* an operator's */
        OR who.acts AND CASE WHEN $4 = 'MASTER' THEN $5 = ANY (who.cities) ELSE who.role = 'ADMIN' END
     RETURNING id"
);

/// Runs [`CREATE`] in the open transaction; `None`: the person may not let that one in. `by`: staff, or an operator.
pub(crate) async fn create(
    connection: &Connection,
    statement: &Ready,
    by: Option<StaffRef>,
    code: &Code,
    invited: &Invited,
    expires_in: Duration,
    now: Option<Timestamp>,
) -> Result<Option<i64>, Error> {
    let (city, needs_approval) = match invited {
        Invited::Master { city, needs_approval } => (Some(city.0), *needs_approval),
        Invited::Staff { .. } => (None, false),
    };
    let (role, cities, name) = match invited {
        Invited::Master { .. } => (None, Vec::new(), None),
        Invited::Staff { role, cities, full_name } => {
            (Some(role.as_str()), cities.iter().map(|city| city.0).collect(), full_name.clone())
        }
    };
    let params = &[
        &by.and_then(StaffRef::id) as &(dyn ToSql + Sync),
        &by.and_then(StaffRef::telegram_user),
        &code.hash(),
        &invited.bot().as_word(),
        &city,
        &role,
        &cities,
        &needs_approval,
        &name,
        &expires_in.as_secs_f64(),
        &now,
        &by.is_none(),
    ];
    let rows = connection.query(statement, params).await?;
    rows.first().map(|row| column(row, "id")).transpose()
}

/// Finds the invitation of a code.
pub(crate) const FIND: Statement =
    statement!("invitations.find", [BYTEA], "SELECT id FROM invitations WHERE code_hash = $1 /* hash */");

/// Runs [`FIND`]: its number.
pub(crate) async fn find(connection: &Connection, statement: &Ready, code: &Code) -> Result<Option<i64>, Error> {
    let rows = connection.query(statement, &[&code.hash()]).await?;
    rows.first().map(|row| column(row, "id")).transpose()
}

/// Whether an invitation's maker may still let that one in: whoever has lost the right lets nobody in by links made before. An
/// operator's always may.
macro_rules! stands {
    () => {
        "(created_by_staff_id IS NULL OR EXISTS (
             SELECT FROM staff_right(created_by_staff_id, NULL) AS inviter
             WHERE inviter.acts AND CASE WHEN bot = 'MASTER' THEN invitations.city_id = ANY (inviter.cities)
                                         ELSE inviter.role = 'ADMIN' END))"
    };
}
pub(in crate::store) use stands;

/// Takes an invitation for the first person who follows it. A master who is on the way by it may follow it again; who has been
/// let in may not: access that was taken away would come back. Somebody else who follows it at the same moment is waited for.
pub(crate) const CLAIM: Statement = statement!(
    "invitations.claim",
    [BYTEA, TEXT, INT8, TIMESTAMPTZ],
    "UPDATE invitations SET used_by = $3 /* user */, used_at = coalesce(used_at, $4, now()) /* now */
     WHERE code_hash = $1 /* hash */ AND bot = $2 /* bot */ AND revoked_at IS NULL AND ",
    stands!(),
    "
       AND (used_by IS NULL AND expires_at > coalesce($4, now())
            OR used_by = $3 AND EXISTS (
                SELECT FROM onboardings WHERE telegram_user_id = $3 AND invitation_id = invitations.id))
     RETURNING id, city_id, needs_approval, role, cities, full_name"
);

/// An invitation that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// `invitations.id`.
    pub(crate) id: i64,
    /// Whom it lets in.
    pub(crate) invited: Invited,
}

/// Runs [`CLAIM`]; `None`: it lets nobody in, or somebody else.
pub(crate) async fn claim(
    connection: &Connection,
    statement: &Ready,
    code: &Code,
    bot: BotName,
    user: TelegramUserId,
    now: Option<Timestamp>,
) -> Result<Option<Taken>, Error> {
    let rows = connection.query(statement, &[&code.hash(), &bot.as_word(), &user.0, &now]).await?;
    rows.first().map(|row| Ok(Taken { id: column(row, "id")?, invited: invited(row)? })).transpose()
}

fn invited(row: &Row) -> Result<Invited, Error> {
    if let Some(city) = column::<Option<i64>>(row, "city_id")? {
        return Ok(Invited::Master { city: CityId(city), needs_approval: column(row, "needs_approval")? });
    }
    Ok(Invited::Staff {
        role: facts::role(row)?,
        cities: column::<Vec<i64>>(row, "cities")?.into_iter().map(CityId).collect(),
        full_name: column(row, "full_name")?,
    })
}

/// Why a code lets nobody in: whether it is known, used by somebody else, revoked, or too old.
pub(crate) const WHY_NOT: Statement = statement!(
    "invitations.why_not",
    [BYTEA, TEXT],
    "SELECT used_by IS NOT NULL AS used, revoked_at IS NOT NULL OR NOT ",
    stands!(),
    " AS revoked
     FROM invitations WHERE code_hash = $1 /* hash */ AND bot = $2 /* bot */"
);

/// Runs [`WHY_NOT`]: whether it is used, and whether it is revoked; `None`: there is no such invitation.
pub(crate) async fn why_not(
    connection: &Connection,
    statement: &Ready,
    code: &Code,
    bot: BotName,
) -> Result<Option<(bool, bool)>, Error> {
    let rows = connection.query(statement, &[&code.hash(), &bot.as_word()]).await?;
    rows.first().map(|row| Ok((column(row, "used")?, column(row, "revoked")?))).transpose()
}

/// Locks an invitation, after whoever follows it in this moment.
pub(crate) const LOCK: Statement =
    statement!("invitations.lock", [INT8], "SELECT FROM invitations WHERE id = $1 /* invitation */ FOR UPDATE");

/// Waits for whoever is on the way by a locked invitation: who is let in at this moment has been let in.
pub(crate) const WAIT_FOR: Statement = statement!(
    "invitations.wait_for",
    [INT8],
    "SELECT FROM onboardings WHERE invitation_id = $1 /* invitation */ FOR UPDATE"
);

/// Revokes an invitation that has let nobody in yet; whoever is on the way by it is stopped. No row: there is no such one, or
/// not for this person. In a statement that begins after [`WAIT_FOR`].
pub(crate) const REVOKE: Statement = statement!(
    "invitations.revoke",
    [INT8, INT8, INT8, TIMESTAMPTZ, BOOL],
    "WITH revoked AS (
         UPDATE invitations SET revoked_at = coalesce($4, now()) /* now */, revoked_by_staff_id = who.staff_id
         FROM (SELECT) AS one
         LEFT JOIN staff_right($1 /* staff */, $2 /* user */) AS who ON true
         WHERE invitations.id = $3 /* invitation */ AND revoked_at IS NULL
           AND ($5 /* an operator's */
                OR who.acts AND CASE WHEN bot = 'MASTER' THEN city_id = ANY (who.cities) ELSE who.role = 'ADMIN' END)
           AND (used_at IS NULL OR EXISTS (SELECT FROM onboardings WHERE invitation_id = invitations.id))
         RETURNING invitations.id
     ), stopped AS (
         DELETE FROM onboardings USING revoked WHERE invitation_id = revoked.id
     )
     SELECT id FROM revoked"
);

/// Runs [`LOCK`], [`WAIT_FOR`] and [`REVOKE`] in the open transaction; whether it was revoked.
pub(crate) async fn revoke(
    connection: &Connection,
    [lock, wait_for, revoke]: [&Ready; 3],
    by: Option<StaffRef>,
    invitation: i64,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    let (staff, user) = (by.and_then(StaffRef::id), by.and_then(StaffRef::telegram_user));
    connection.query(lock, &[&invitation]).await?;
    connection.query(wait_for, &[&invitation]).await?;
    Ok(!connection.query(revoke, &[&staff, &user, &invitation, &now, &by.is_none()]).await?.is_empty())
}

/// The invitations that can still let somebody in, or on which somebody is on the way, newest first: those of the person's cities,
/// and for an admin of staff too.
///
/// # Errors
/// When the database failed.
pub async fn open(store: &Store, by: Option<StaffRef>) -> Result<Vec<Invitation>, Error> {
    const OPEN: Statement = statement!(
        "invitations.open",
        [INT8, INT8, TIMESTAMPTZ, BOOL],
        "SELECT invitations.id, invitations.city_id, needs_approval, invitations.role, invitations.cities,
                invitations.full_name, (
                    SELECT string_agg(name, ', ' ORDER BY name) FROM cities
                    WHERE cities.id = invitations.city_id OR cities.id = ANY (invitations.cities)
                ) AS city_names, invitations.created_by_staff_id AS inviter,
                inviter.full_name AS inviter_name, expires_at, used_at IS NOT NULL AS used
         FROM invitations
         LEFT JOIN staff_right($1 /* staff */, $2 /* user */) AS who ON true
         LEFT JOIN staff AS inviter ON inviter.id = invitations.created_by_staff_id
         LEFT JOIN onboardings ON onboardings.invitation_id = invitations.id
         WHERE revoked_at IS NULL AND ",
        stands!(),
        "
           AND (used_at IS NULL AND expires_at > coalesce($3, now()) /* now */ OR onboardings.invitation_id IS NOT NULL)
           AND ($4 /* an operator's */
                OR CASE WHEN bot = 'MASTER' THEN invitations.city_id = ANY (who.cities) ELSE who.role = 'ADMIN' END)
         ORDER BY invitations.id DESC
         LIMIT 50"
    );
    store
        .run(async |connection: Connection| {
            let (staff, user) = (by.and_then(StaffRef::id), by.and_then(StaffRef::telegram_user));
            connection
                .fetch(&OPEN, &[&staff, &user, &store.now(), &by.is_none()])
                .await?
                .iter()
                .map(invitation)
                .collect()
        })
        .await
}

fn invitation(row: &Row) -> Result<Invitation, Error> {
    Ok(Invitation {
        id: column(row, "id")?,
        invited: invited(row)?,
        cities: column(row, "city_names")?,
        by: column::<Option<i64>>(row, "inviter")?.map(StaffId),
        by_name: column(row, "inviter_name")?,
        expires_at: column(row, "expires_at")?,
        on_the_way: column(row, "used")?,
    })
}

/// The cities of somebody of the staff, by name.
///
/// # Errors
/// When the database failed.
pub async fn cities(store: &Store, staff: StaffRef) -> Result<Vec<(CityId, String)>, Error> {
    const CITIES: Statement = statement!(
        "invitations.cities",
        [INT8, INT8],
        "SELECT cities.id, cities.name
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN cities ON cities.id = ANY (who.cities)
         ORDER BY cities.name, cities.id"
    );
    let city = |row: &Row| Ok((CityId(column(row, "id")?), column(row, "name")?));
    store
        .run(async |connection: Connection| {
            connection.fetch(&CITIES, &[&staff.id(), &staff.telegram_user()]).await?.iter().map(city).collect()
        })
        .await
}
