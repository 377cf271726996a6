//! `onboardings`: people who followed a master's invitation, and what they have told.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::invitations::stands;
use super::{Connection, Error, Ready, Statement, column, facts, statement};
use crate::model::onboarding::{District, Onboarding, Step};
use crate::model::{Category, CityId, MasterId, Origin, TelegramUserId};

/// Begins, unless the person is on the way already.
pub(crate) const BEGIN: Statement = statement!(
    "onboardings.begin",
    [INT8, INT8, INT8, TIMESTAMPTZ],
    "INSERT INTO onboardings (telegram_user_id, invitation_id, city_id, created_at, changed_at)
     SELECT $1 /* user */, $2 /* invitation */, $3 /* city */, coalesce($4, now()) /* now */, coalesce($4, now())
     -- What a master is was asked before.
     WHERE NOT EXISTS (SELECT FROM masters WHERE telegram_user_id = $1)
     ON CONFLICT (telegram_user_id) DO UPDATE
         SET invitation_id = excluded.invitation_id, city_id = excluded.city_id, changed_at = excluded.changed_at,
             districts = CASE WHEN onboardings.city_id = excluded.city_id THEN onboardings.districts ELSE '{}' END"
);

/// Runs [`BEGIN`].
pub(crate) async fn begin(
    connection: &Connection,
    statement: &Ready,
    user: TelegramUserId,
    invitation: i64,
    city: CityId,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    connection.query(statement, &[&user.0, &invitation, &city.0, &now]).await.map(drop)
}

/// Reads how far somebody is, and waits for whoever is at work on that. No row: nobody who is on the way, or by the invitation of
/// somebody who may not let in any more.
pub(crate) const LOCK: Statement = statement!(
    "onboardings.lock",
    [INT8],
    "SELECT telegram_user_id, onboardings.city_id, step, onboardings.full_name, phone, categories, onboardings.districts,
            cities.name AS city, invitations.needs_approval,
            ARRAY (SELECT districts.id FROM districts WHERE districts.city_id = onboardings.city_id
                   ORDER BY districts.name, districts.id) AS district_ids,
            ARRAY (SELECT districts.name FROM districts WHERE districts.city_id = onboardings.city_id
                   ORDER BY districts.name, districts.id) AS district_names
     FROM onboardings
     JOIN cities ON cities.id = onboardings.city_id
     JOIN invitations ON invitations.id = invitation_id
     WHERE telegram_user_id = $1 /* user */ AND ",
    stands!(),
    "
     FOR UPDATE OF onboardings"
);

/// Runs [`LOCK`].
pub(crate) async fn lock(
    connection: &Connection,
    statement: &Ready,
    user: TelegramUserId,
) -> Result<Option<Onboarding>, Error> {
    connection.query(statement, &[&user.0]).await?.first().map(onboarding).transpose()
}

fn onboarding(row: &Row) -> Result<Onboarding, Error> {
    let step = column(row, "step")?;
    let (ids, names): (Vec<i64>, Vec<String>) = (column(row, "district_ids")?, column(row, "district_names")?);
    let categories: Vec<String> = column(row, "categories")?;
    Ok(Onboarding {
        user: TelegramUserId(column(row, "telegram_user_id")?),
        city: CityId(column(row, "city_id")?),
        city_name: column(row, "city")?,
        city_districts: ids.into_iter().zip(names).map(|(id, name)| District { id, name }).collect(),
        step: Step::parse(step).ok_or_else(|| facts::unknown("step", step))?,
        full_name: column(row, "full_name")?,
        phone: column(row, "phone")?,
        categories: categories.iter().filter_map(|word| Category::parse(word)).collect(),
        districts: column(row, "districts")?,
        needs_approval: column(row, "needs_approval")?,
    })
}

/// Whether somebody is on the way.
pub(crate) async fn is_on_the_way(connection: &Connection, user: TelegramUserId) -> Result<bool, Error> {
    const FIND: Statement = statement!(
        "onboardings.is_on_the_way",
        [INT8],
        "SELECT FROM onboardings WHERE telegram_user_id = $1 /* user */"
    );
    Ok(!connection.fetch(&FIND, &[&user.0]).await?.is_empty())
}

/// Notes an update, once. Who is on the way is no master yet, of whom alone other updates are kept a record.
pub(crate) const NOTE_UPDATE: Statement = statement!(
    "onboardings.note_update",
    [TEXT, TEXT, TIMESTAMPTZ],
    "INSERT INTO processed_updates (bot, update_key, action, outcome, processed_at)
     VALUES ($1 /* bot */, $2 /* update */, 'SHOW', 'ONBOARDING', coalesce($3, now()) /* now */)
     ON CONFLICT DO NOTHING
     RETURNING true"
);

/// Runs [`NOTE_UPDATE`]; whether the update is new.
pub(crate) async fn note_update(
    connection: &Connection,
    statement: &Ready,
    origin: &Origin,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    let rows = connection.query(statement, &[&origin.update.door.as_word(), &origin.update.key, &now]).await?;
    Ok(!rows.is_empty())
}

/// Writes down what somebody has told.
pub(crate) const KEEP: Statement = statement!(
    "onboardings.keep",
    [INT8, TEXT, TEXT, TEXT, TEXT_ARRAY, INT8_ARRAY, TIMESTAMPTZ],
    "UPDATE onboardings
     SET step = $2 /* step */, full_name = $3 /* name */, phone = $4 /* phone */, categories = $5 /* trades */,
         districts = $6 /* districts */, changed_at = coalesce($7, now()) /* now */
     WHERE telegram_user_id = $1 /* user */"
);

/// Runs [`KEEP`].
pub(crate) async fn keep(
    connection: &Connection,
    statement: &Ready,
    known: &Onboarding,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    let categories: Vec<_> = known.categories.iter().map(|category| category.as_str()).collect();
    let params = &[
        &known.user.0 as &(dyn ToSql + Sync),
        &known.step.as_str(),
        &known.full_name,
        &known.phone,
        &categories,
        &known.districts,
        &now,
    ];
    connection.query(statement, params).await.map(drop)
}

/// Makes a master of somebody who has told all: at work at once, or blocked until staff agree, who are shown the new card.
pub(crate) const FINISH: Statement = statement!(
    "onboardings.finish",
    [INT8, TEXT, TEXT, INT8, TEXT_ARRAY, INT8_ARRAY, BOOL, TEXT, TIMESTAMPTZ],
    "WITH moment AS (
         SELECT coalesce($9, now()) /* now */ AS now, set_config('field_service.changed_by', 'MASTER', true) AS by
     ), added AS (
         INSERT INTO masters (telegram_user_id, full_name, phone, city_id, on_shift, is_blocked, blocked_reason,
                              awaiting_approval_since)
         SELECT $1 /* user */, $2 /* name */, $3 /* phone */, $4 /* city */, NOT $7 /* needs approval */, $7,
                CASE WHEN $7 THEN $8 /* what a waiting master is told */ END, CASE WHEN $7 THEN moment.now END
         FROM moment WHERE moment.by IS NOT NULL
         ON CONFLICT (telegram_user_id) DO NOTHING
         RETURNING id
     ), trades AS (
         INSERT INTO master_categories (master_id, category)
         SELECT DISTINCT added.id, category FROM added, unnest($5 /* trades */) AS category
     ), places AS (
         INSERT INTO master_districts (master_id, district_id)
         SELECT DISTINCT added.id, district FROM added, unnest($6 /* districts */) AS district
     ), told AS (
         INSERT INTO outbox (bot, chat_id, kind, master_id, place, created_at, due_at)
         SELECT 'ADMIN', called.chat_id, 'STAFF_SCREEN', added.id, 'MASTER', moment.now, moment.now
         FROM moment, added CROSS JOIN LATERAL staff_on_call($4) AS called
         WHERE $7
     ), left_behind AS (
         DELETE FROM onboardings WHERE telegram_user_id = $1
     )
     SELECT id FROM added"
);

/// Runs [`FINISH`]; `None`: the person was a master already.
pub(crate) async fn finish(
    connection: &Connection,
    statement: &Ready,
    known: &Onboarding,
    waiting_reason: &str,
    now: Option<Timestamp>,
) -> Result<Option<MasterId>, Error> {
    let categories: Vec<_> = known.categories.iter().map(|category| category.as_str()).collect();
    let params = &[
        &known.user.0 as &(dyn ToSql + Sync),
        &known.full_name,
        &known.phone,
        &known.city.0,
        &categories,
        &known.districts,
        &known.needs_approval,
        &waiting_reason,
        &now,
    ];
    let rows = connection.query(statement, params).await?;
    rows.first().map(|row| Ok(MasterId(column(row, "id")?))).transpose()
}
