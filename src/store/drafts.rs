//! `order_drafts`: new orders in the making; and what is shown of the cities, masters and orders around them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, Store, cities as places, column, facts, statement};
use crate::model::city::City;
use crate::model::draft::{Draft, DraftId, Field, Hand, Twin, Usually};
use crate::model::slot::{Hours, When};
use crate::model::{Category, CityId, MasterId, OrderId, Phone, StaffId, StaffRef};

/// How long a draft is kept that nobody touches.
macro_rules! kept {
    () => {
        "interval '1 day'"
    };
}

/// The columns of a draft.
macro_rules! columns {
    () => {
        "draft.id, draft.staff_id, draft.revision, draft.step, draft.answered, draft.category, draft.city_id,
         draft.district_id, draft.address, draft.client_phone, draft.client_name, draft.description, draft.soon,
         draft.slot_start, draft.slot_end, draft.preferred_master_id, draft.guarantee_of, draft.pasted,
         draft.took::text AS took, draft.order_id"
    };
}

/// Reads the cities of somebody of the staff who may make orders, by name. None for anybody else.
///
/// # Errors
/// When the database failed.
pub async fn cities(store: &Store, staff: StaffRef) -> Result<Vec<City>, Error> {
    const CITIES: Statement = statement!(
        "drafts.cities",
        [INT8, INT8, TIMESTAMPTZ],
        "SELECT cities.id, cities.name, coalesce($3, now()) /* now */ AT TIME ZONE cities.shown_timezone AS local_now,
                policy.workday_start, policy.workday_end,
                ARRAY (SELECT districts.id FROM districts WHERE city_id = cities.id ORDER BY name, districts.id) AS district_ids,
                ARRAY (SELECT districts.name FROM districts WHERE city_id = cities.id ORDER BY name, districts.id) AS district_names
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN cities ON cities.id = ANY (who.cities)
         CROSS JOIN (SELECT workday_start, workday_end FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy
         WHERE who.acts
         ORDER BY cities.name, cities.id"
    );
    store
        .run(async |connection: Connection| {
            let params = [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &store.now()];
            connection.fetch(&CITIES, &params).await?.iter().map(city).collect()
        })
        .await
}

fn city(row: &Row) -> Result<City, Error> {
    Ok(City {
        id: CityId(column(row, "id")?),
        name: column(row, "name")?,
        districts: places::districts(row)?,
        now: column(row, "local_now")?,
        workday: Hours { start: column(row, "workday_start")?, end: column(row, "workday_end")? },
    })
}

/// Reads the open draft of somebody who may make orders. `None`: there is none, or nobody has touched it for a day.
///
/// # Errors
/// When the database failed.
pub async fn open(store: &Store, staff: StaffRef) -> Result<Option<Draft>, Error> {
    const OPEN: Statement = statement!(
        "drafts.open",
        [INT8, INT8, TIMESTAMPTZ],
        "SELECT ",
        columns!(),
        "
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN order_drafts AS draft ON draft.staff_id = who.staff_id
         WHERE who.acts AND draft.order_id IS NULL AND draft.touched_at > coalesce($3, now()) /* now */ - ",
        kept!()
    );
    store
        .run(async |connection: Connection| {
            let params = [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &store.now()];
            connection.fetch(&OPEN, &params).await?.first().map(draft).transpose()
        })
        .await
}

/// Locks a draft of somebody's own, waiting for it. A draft that an order was made of is found too.
pub(crate) const LOCK: Statement = statement!(
    "drafts.lock",
    [INT8, INT8, INT8, TIMESTAMPTZ],
    "SELECT ",
    columns!(),
    "
     FROM staff_right($1 /* staff */, $2 /* user */) AS who
     JOIN order_drafts AS draft ON draft.staff_id = who.staff_id
     WHERE who.acts
       AND draft.id = $3 /* draft */
       AND (draft.order_id IS NOT NULL OR draft.touched_at > coalesce($4, now()) /* now */ - ",
    kept!(),
    ")
     FOR UPDATE OF draft"
);

/// Runs [`LOCK`].
pub(crate) async fn lock(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    id: DraftId,
    now: Option<Timestamp>,
) -> Result<Option<Draft>, Error> {
    let params = [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &id.0, &now];
    connection.query(statement, &params).await?.first().map(draft).transpose()
}

/// The values of a draft, from the fourth parameter on.
macro_rules! values {
    () => {
        "$4 /* step */, $5 /* answered */, $6 /* category */, $7 /* city */, $8 /* district */, $9 /* address */,
         $10 /* phone */, $11 /* name */, $12 /* description */, $13 /* soon */, $14 /* from */, $15 /* until */,
         $16 /* master */, $17 /* guarantee of */, $18 /* pasted */, $19::text::jsonb /* took */,
         coalesce($20, now()) /* now */"
    };
}

macro_rules! names {
    () => {
        "step, answered, category, city_id, district_id, address, client_phone, client_name, description, soon,
         slot_start, slot_end, preferred_master_id, guarantee_of, pasted, took, touched_at"
    };
}

macro_rules! types {
    ($name:literal, $($text:tt)+) => {
        statement!(
            $name,
            [
                INT8, INT8, INT8, TEXT, TEXT_ARRAY, TEXT, INT8, INT8, TEXT, TEXT, TEXT, TEXT, BOOL, TIMESTAMP, TIMESTAMP,
                INT8, INT8, TEXT, TEXT, TIMESTAMPTZ, INT4, BOOL, BOOL
            ],
            $($text)+
        )
    };
}

/// What the person writes next answers the draft, unless it is filled in on the page. Of words that come one after the other none
/// is older than the question.
macro_rules! asks {
    ($whom:literal) => {
        concat!(
            "asks AS (
             INSERT INTO staff_dialogs AS dialog (staff_id, question, asked_at)
             SELECT staff_id, 'NEW_ORDER', coalesce($20, now()) FROM ",
            $whom,
            " WHERE $23 /* asks */
             ON CONFLICT (staff_id) DO UPDATE
                 SET question = 'NEW_ORDER', order_id = NULL, master_id = NULL, seen = NULL, written = NULL, written_in = NULL,
                     asked_at = CASE WHEN dialog.question = 'NEW_ORDER' AND $22 /* in words */ THEN dialog.asked_at ELSE excluded.asked_at END
         )
         SELECT "
        )
    };
}

/// Begins a draft instead of the open one, whose buttons do nothing any more: of that number and revision, or one that nobody
/// has touched for a day. No row: there is another one,
/// which is asked about instead.
pub(crate) const BEGIN: Statement = types!(
    "drafts.begin",
    "WITH who AS MATERIALIZED (
         SELECT * FROM staff_right($1 /* staff */, $2 /* user */) WHERE acts
     ), written AS (
         INSERT INTO order_drafts AS draft (staff_id, ",
    names!(),
    ")
         SELECT who.staff_id, ",
    values!(),
    "
         FROM who
         -- PostgreSQL would read ON as a join's.
         WHERE true
         ON CONFLICT (staff_id) WHERE order_id IS NULL DO UPDATE
             SET (id, revision, ",
    names!(),
    ") = (excluded.id, 1, excluded.step, excluded.answered, excluded.category, excluded.city_id, excluded.district_id,
          excluded.address, excluded.client_phone, excluded.client_name, excluded.description, excluded.soon,
          excluded.slot_start, excluded.slot_end, excluded.preferred_master_id, excluded.guarantee_of, excluded.pasted,
          excluded.took, excluded.touched_at)
             WHERE draft.id = $3 /* draft */ AND draft.revision = $21 /* its revision */
                OR draft.touched_at <= excluded.touched_at - ",
    kept!(),
    "
         RETURNING draft.*
     ), ",
    asks!("who"),
    columns!(),
    " FROM written AS draft"
);

/// Changes an open draft of that revision, under its lock.
pub(crate) const CHANGE: Statement = types!(
    "drafts.change",
    "WITH written AS (
         UPDATE order_drafts AS draft
         SET (",
    names!(),
    ") = (",
    values!(),
    "), revision = draft.revision + 1
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         WHERE draft.id = $3 /* draft */ AND draft.revision = $21 /* its revision */ AND draft.staff_id = who.staff_id
           AND who.acts AND draft.order_id IS NULL
         RETURNING draft.*
     ), ",
    asks!("written"),
    columns!(),
    " FROM written AS draft"
);

/// Runs [`BEGIN`], where `before` is what may be replaced, or [`CHANGE`], where it is what is changed; the draft as it is then.
/// `None`: the person may not make orders, or there is another draft.
pub(crate) async fn write(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    before: Option<(DraftId, i32)>,
    said: &Draft,
    by: Hand,
    now: Option<Timestamp>,
) -> Result<Option<Draft>, Error> {
    let answered: Vec<&str> = said.answered.iter().map(|field| field.as_str()).collect();
    let slot = match said.when {
        Some(When::Slot { start, end }) => Some((start, end)),
        Some(When::Soon) | None => None,
    };
    let took: serde_json::Map<String, serde_json::Value> =
        said.took.iter().map(|(field, took)| (field.as_str().to_owned(), took.as_str().into())).collect();
    let rows = connection
        .query(
            statement,
            &[
                &staff.id(),
                &staff.telegram_user(),
                &before.map(|(id, _)| id.0),
                &said.step.map(Field::as_str),
                &answered,
                &said.category.map(Category::as_str),
                &said.city.map(|city| city.0),
                &said.district,
                &said.address,
                &said.phone.as_ref().map(Phone::as_e164),
                &said.name,
                &said.description,
                &(said.when == Some(When::Soon)),
                &slot.map(|(start, _)| start),
                &slot.map(|(_, end)| end),
                &said.preferred.map(|master| master.0),
                &said.guarantee_of.map(|order| order.0),
                &said.pasted,
                &serde_json::Value::Object(took).to_string(),
                &now,
                &before.map(|(_, revision)| revision),
                &(by == Hand::Words),
                &(by != Hand::Page),
            ],
        )
        .await?;
    rows.first().map(draft).transpose()
}

/// Drops somebody's open draft, of that revision if one is given, and the question that asks for more of it.
///
/// # Errors
/// When the database failed.
pub async fn drop(store: &Store, staff: StaffRef, id: DraftId, revision: Option<i32>) -> Result<bool, Error> {
    const DROP: Statement = statement!(
        "drafts.drop",
        [INT8, INT8, INT8, INT4],
        "WITH dropped AS (
             DELETE FROM order_drafts USING staff_right($1 /* staff */, $2 /* user */) AS who
             WHERE order_drafts.id = $3 /* draft */ AND order_drafts.staff_id = who.staff_id AND order_id IS NULL
               AND ($4 /* revision */ IS NULL OR revision = $4)
             RETURNING who.staff_id
         ), answered AS (
             DELETE FROM staff_dialogs USING dropped
             WHERE staff_dialogs.staff_id = dropped.staff_id AND question = 'NEW_ORDER'
         )
         SELECT FROM dropped"
    );
    store
        .run(async |connection: Connection| {
            let params = [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &id.0, &revision];
            Ok(!connection.fetch(&DROP, &params).await?.is_empty())
        })
        .await
}

fn draft(row: &Row) -> Result<Draft, Error> {
    let slot: Option<(DateTime, DateTime)> =
        column::<Option<DateTime>>(row, "slot_start")?.zip(column::<Option<DateTime>>(row, "slot_end")?);
    let when = match slot {
        Some((start, end)) => Some(When::Slot { start, end }),
        None => column::<bool>(row, "soon")?.then_some(When::Soon),
    };
    let took: serde_json::Value = serde_json::from_str(column(row, "took")?).unwrap_or_default();
    let took = took
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(field, took)| Some((Field::parse(field)?, took.as_str()?.to_owned())));
    Ok(Draft {
        id: DraftId(column(row, "id")?),
        revision: column(row, "revision")?,
        staff: StaffId(column(row, "staff_id")?),
        // What only a later release asks is asked by that.
        step: column::<Option<&str>>(row, "step")?.and_then(Field::parse),
        answered: column::<Vec<&str>>(row, "answered")?.into_iter().filter_map(Field::parse).collect(),
        category: column::<Option<&str>>(row, "category")?.and_then(Category::parse),
        city: column::<Option<i64>>(row, "city_id")?.map(CityId),
        district: column(row, "district_id")?,
        address: column(row, "address")?,
        phone: column::<Option<String>>(row, "client_phone")?.map(Phone::stored),
        name: column(row, "client_name")?,
        description: column(row, "description")?,
        when,
        preferred: column::<Option<i64>>(row, "preferred_master_id")?.map(MasterId),
        guarantee_of: column::<Option<i64>>(row, "guarantee_of")?.map(OrderId),
        pasted: column(row, "pasted")?,
        took: took.collect(),
        order: column::<Option<i64>>(row, "order_id")?.map(OrderId),
    })
}

/// Reads the orders of a client that are going on, newest first.
///
/// # Errors
/// When the database failed.
pub async fn twins(store: &Store, staff: StaffRef, phone: &Phone) -> Result<Vec<Twin>, Error> {
    const TWINS: Statement = statement!(
        "drafts.twins",
        [INT8, INT8, TEXT],
        "SELECT orders.id, orders.status
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN orders ON orders.city_id = ANY (who.cities)
         WHERE phone_tail(orders.client_phone) = phone_tail($3 /* phone */) AND status NOT IN ('CLOSED', 'CANCELED')
         ORDER BY orders.id DESC
         LIMIT 3"
    );
    store
        .run(async |connection: Connection| {
            let params = [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &phone.as_e164()];
            let rows = connection.fetch(&TWINS, &params).await?;
            rows.iter()
                .map(|row| Ok(Twin { order: OrderId(column(row, "id")?), status: facts::status(row)? }))
                .collect()
        })
        .await
}

/// Reads how long orders of a city and a trade have looked for a master, those of the last 30 days that were made at this hour of
/// the day, or one before or after.
///
/// # Errors
/// When the database failed.
pub async fn usually(
    store: &Store,
    staff: StaffRef,
    city: CityId,
    category: Category,
) -> Result<Option<Usually>, Error> {
    const USUALLY: Statement = statement!(
        "drafts.usually",
        [INT8, INT8, INT8, TEXT, TIMESTAMPTZ],
        "SELECT count(*) AS orders,
                percentile_disc(0.5) WITHIN GROUP (ORDER BY time_to_assign_seconds)::bigint AS seconds
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         CROSS JOIN (SELECT coalesce($5, now()) AS now) /* now */ AS moment
         JOIN cities ON cities.id = $3 /* city */ AND cities.id = ANY (who.cities)
         JOIN distribution_metrics AS metrics ON metrics.city_id = cities.id AND metrics.category = $4 /* category */
                                             AND metrics.assigned_at > moment.now - interval '30 days'
         WHERE metrics.is_first
           AND (extract(hour FROM (assigned_at - make_interval(secs => time_to_assign_seconds)) AT TIME ZONE shown_timezone)::integer
                - extract(hour FROM moment.now AT TIME ZONE shown_timezone)::integer + 25) % 24 <= 2"
    );
    store
        .run(async |connection: Connection| {
            let params =
                [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &city.0, &category.as_str(), &store.now()];
            let rows = connection.fetch(&USUALLY, &params).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            let seconds: Option<i64> = column(row, "seconds")?;
            let orders = column(row, "orders")?;
            Ok(seconds.map(|seconds| Usually { seconds, orders }))
        })
        .await
}

/// Reads the names of those masters, whoever of them is of the person's cities.
///
/// # Errors
/// When the database failed.
pub async fn names(store: &Store, staff: StaffRef, masters: &[MasterId]) -> Result<Vec<(MasterId, String)>, Error> {
    const NAMES: Statement = statement!(
        "drafts.names",
        [INT8, INT8, INT8_ARRAY],
        "SELECT masters.id, masters.full_name
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN masters ON masters.id = ANY ($3 /* masters */) AND masters.city_id = ANY (who.cities)
         ORDER BY masters.full_name, masters.id"
    );
    let masters: Vec<i64> = masters.iter().map(|master| master.0).collect();
    store
        .run(async |connection: Connection| {
            let params = [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &masters];
            let rows = connection.fetch(&NAMES, &params).await?;
            let name = |row| Ok((MasterId(column(row, "id")?), column(row, "full_name")?));
            rows.iter().map(name).collect()
        })
        .await
}

/// Reads a closed order as the beginning of a free visit that repeats it. `None`: it is none of the person's closed ones.
///
/// # Errors
/// When the database failed.
pub async fn repeated(store: &Store, staff: StaffRef, order: OrderId) -> Result<Option<Draft>, Error> {
    const REPEATED: Statement = statement!(
        "drafts.repeated",
        [INT8, INT8, INT8],
        "SELECT 0::bigint AS id, who.staff_id, 1 AS revision, 'DESCRIPTION' AS step, '{}'::text[] AS answered, orders.category,
                orders.city_id, orders.district_id, orders.address, orders.client_phone, orders.client_name,
                NULL::text AS description, false AS soon, NULL::timestamp AS slot_start, NULL::timestamp AS slot_end,
                orders.assigned_master_id AS preferred_master_id, orders.id AS guarantee_of, NULL::text AS pasted,
                '{}' AS took, NULL::bigint AS order_id
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN orders ON orders.id = $3 /* order */ AND orders.city_id = ANY (who.cities)
         WHERE who.acts AND orders.status = 'CLOSED'"
    );
    store
        .run(async |connection: Connection| {
            let params = [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &order.0];
            connection.fetch(&REPEATED, &params).await?.first().map(draft).transpose()
        })
        .await
}
