//! Masters as staff see and change them, each statement within the right of whoever asks.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::model::managed::{
    MASTERS_A_PAGE, Manage, Managed, MasterCard, MasterFilter, MasterLine, MasterList, MasterState,
};
use crate::model::master_change::{ChangedBy, MasterChange, What};
use crate::model::{Category, CityId, MasterId, OrderId, OrderStatus, StaffId, StaffRef, TelegramUserId};
use crate::store::{Connection, Error, Ready, Statement, Store, column, facts, statement};

/// How many of the last changes a card shows.
const CHANGES: i64 = 8;

/// Reads a page of the masters of somebody's cities; the last page if `page` is past the end. `None`: nobody of the staff.
///
/// # Errors
/// When the database failed.
pub async fn page(
    store: &Store,
    staff: StaffRef,
    filter: MasterFilter,
    page: i64,
) -> Result<Option<MasterList>, Error> {
    const PAGE: Statement =
        statement!("managed.page", [INT8, INT8, TEXT, INT8, INT8], include_str!("managed_page.sql"));
    store
        .run(async |connection: Connection| {
            let params = &[
                &staff.id() as &(dyn ToSql + Sync),
                &staff.telegram_user(),
                &filter.as_str(),
                &page.max(1),
                &MASTERS_A_PAGE,
            ];
            let rows = connection.fetch(&PAGE, params).await?;
            let Some(first) = rows.first() else { return Ok(None) };
            let counts = [
                column(first, "all_of_them")?,
                column(first, "on_shift_now")?,
                column(first, "waiting")?,
                column(first, "blocked")?,
            ];
            let lines = rows.iter().filter_map(|row| line(row).transpose()).collect::<Result<Vec<_>, Error>>()?;
            Ok(Some(MasterList { filter, counts, page: column(first, "page")?, lines }))
        })
        .await
}

fn line(row: &Row) -> Result<Option<MasterLine>, Error> {
    let Some(id) = column::<Option<i64>>(row, "id")? else { return Ok(None) };
    Ok(Some(MasterLine {
        id: MasterId(id),
        full_name: column(row, "full_name")?,
        city: column(row, "city")?,
        state: state(row)?,
        active_orders: column(row, "active_orders")?,
        limit: column(row, "order_limit")?,
    }))
}

pub(super) fn state(row: &Row) -> Result<MasterState, Error> {
    Ok(if column(row, "is_waiting")? {
        MasterState::Waiting
    } else if column(row, "is_blocked")? {
        MasterState::Blocked
    } else if column(row, "unreachable")? {
        MasterState::Unreachable
    } else if column(row, "on_shift")? {
        MasterState::OnShift
    } else {
        MasterState::OffShift
    })
}

/// Reads all of a master; `None`: no master of the person's cities.
///
/// # Errors
/// When the database failed.
pub async fn card(store: &Store, staff: StaffRef, master: MasterId) -> Result<Option<MasterCard>, Error> {
    const CARD: Statement = statement!("managed.card", [INT8, INT8, INT8], include_str!("managed_card.sql"));
    const LAST_CHANGES: Statement = statement!(
        "managed.changes",
        [INT8, INT8, INT8, INT8],
        "SELECT what, changed_by, changed_by_staff_id, staff.full_name AS staff_name,
                CASE WHEN what = 'DISTRICT' THEN was.name ELSE from_value END AS from_value,
                CASE WHEN what = 'DISTRICT' THEN is_now.name ELSE to_value END AS to_value,
                master_changes.created_at AT TIME ZONE cities.shown_timezone AS changed_at
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN masters ON masters.city_id = ANY (who.cities)
         JOIN cities ON cities.id = masters.city_id
         JOIN master_changes ON master_changes.master_id = masters.id
         LEFT JOIN staff ON staff.id = changed_by_staff_id
         LEFT JOIN districts AS was ON what = 'DISTRICT' AND was.id::text = from_value
         LEFT JOIN districts AS is_now ON what = 'DISTRICT' AND is_now.id::text = to_value
         WHERE masters.id = $3 /* master */
         ORDER BY master_changes.id DESC
         LIMIT $4 /* at most */"
    );
    store
        .run(async |connection: Connection| {
            let (id, user) = (staff.id(), staff.telegram_user());
            let rows = connection.fetch(&CARD, &[&id, &user, &master.0]).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            let changes = connection.fetch(&LAST_CHANGES, &[&id, &user, &master.0, &CHANGES]).await?;
            let changes = changes.iter().map(change).collect::<Result<Vec<_>, Error>>()?;
            read_card(row, changes).map(Some)
        })
        .await
}

fn read_card(row: &Row, changes: Vec<MasterChange>) -> Result<MasterCard, Error> {
    let (ids, names): (Vec<i64>, Vec<String>) = (column(row, "district_ids")?, column(row, "district_names")?);
    let own: Vec<i64> = column(row, "own_districts")?;
    let (orders, statuses): (Vec<i64>, Vec<String>) = (column(row, "orders")?, column(row, "statuses")?);
    let status = |word: &String| OrderStatus::parse(word).ok_or_else(|| facts::unknown("status", word));
    let orders = orders.into_iter().zip(&statuses).map(|(order, word)| Ok((OrderId(order), status(word)?)));
    let reason: Option<String> = column(row, "blocked_reason")?;
    Ok(MasterCard {
        id: MasterId(column(row, "id")?),
        user: TelegramUserId(column(row, "telegram_user_id")?),
        full_name: column(row, "full_name")?,
        phone: column(row, "phone")?,
        city: CityId(column(row, "city_id")?),
        city_name: column(row, "city")?,
        state: state(row)?,
        on_shift: column(row, "on_shift")?,
        blocked: column::<bool>(row, "is_blocked")?.then(|| reason.unwrap_or_default()),
        unreachable: column(row, "unreachable")?,
        categories: categories(row)?,
        districts: ids.into_iter().zip(names).map(|(id, name)| (id, name, own.contains(&id))).collect(),
        orders: orders.collect::<Result<Vec<_>, Error>>()?,
        live_offers: column(row, "live_offers")?,
        own_limit: column(row, "own_limit")?,
        limit: column(row, "order_limit")?,
        changes,
        seen: column(row, "seen")?,
    })
}

pub(super) fn categories(row: &Row) -> Result<Vec<Category>, Error> {
    Ok(column::<Vec<String>>(row, "categories")?.iter().filter_map(|word| Category::parse(word)).collect())
}

fn change(row: &Row) -> Result<MasterChange, Error> {
    let what = column(row, "what")?;
    let staff = column::<Option<i64>>(row, "changed_by_staff_id")?;
    Ok(MasterChange {
        what: What::parse(what).ok_or_else(|| facts::unknown("change of a master", what))?,
        from: column(row, "from_value")?,
        to: column(row, "to_value")?,
        by: match (column::<&str>(row, "changed_by")?, staff) {
            (_, Some(staff)) => {
                ChangedBy::Staff(StaffId(staff), column::<Option<String>>(row, "staff_name")?.unwrap_or_default())
            }
            ("MASTER", None) => ChangedBy::Master,
            ("OPERATOR", None) => ChangedBy::Operator,
            _ => ChangedBy::System,
        },
        at: column(row, "changed_at")?,
    })
}

/// Locks a master of the person's cities, waiting for it.
pub(crate) const LOCK: Statement = statement!(
    "managed.lock",
    [INT8, INT8, INT8],
    "SELECT masters.id
     FROM staff_right($1 /* staff */, $2 /* user */) AS who
     JOIN masters ON masters.city_id = ANY (who.cities)
     WHERE masters.id = $3 /* master */
     FOR NO KEY UPDATE OF masters"
);

/// Reads what is decided by, in a statement that begins after the lock. $4: what is to be changed, $5: of which trade or district.
pub(crate) const READ: Statement =
    statement!("managed.read", [INT8, INT8, INT8, TEXT, TEXT], include_str!("managed_read.sql"));

/// Runs [`LOCK`]; whether there is such a master.
pub(crate) async fn lock(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    master: MasterId,
) -> Result<bool, Error> {
    Ok(!connection.query(statement, &[&staff.id(), &staff.telegram_user(), &master.0]).await?.is_empty())
}

/// The number of a master's last change, in a statement that begins after the lock; 0: there is none.
pub(crate) async fn last_change(connection: &Connection, master: MasterId) -> Result<i64, Error> {
    const LAST: Statement = statement!(
        "managed.last_change",
        [INT8],
        "SELECT coalesce(max(id), 0) AS last FROM master_changes WHERE master_id = $1 /* master */"
    );
    column(&connection.fetch(&LAST, &[&master.0]).await?[0], "last")
}

/// Runs [`READ`]; `None`: no master of the person's cities.
pub(crate) async fn read(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    master: MasterId,
    to: &Manage,
) -> Result<Option<Managed>, Error> {
    let params =
        &[&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &master.0, &to.what().as_str(), &to.element()];
    let rows = connection.query(statement, params).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let last = column::<Option<i64>>(row, "change")?;
    Ok(Some(Managed {
        acts: column(row, "acts")?,
        on_shift: column(row, "on_shift")?,
        blocked: column(row, "is_blocked")?,
        reason: column(row, "blocked_reason")?,
        waiting: column(row, "is_waiting")?,
        limit: column(row, "own_limit")?,
        categories: categories(row)?,
        districts: column(row, "own_districts")?,
        city_districts: column(row, "district_ids")?,
        last: last.map(|id| Ok::<_, Error>((id, change(row)?))).transpose()?,
    }))
}

/// Changes what stands in a master's row; a row, if the person may. Whoever may now get orders, or none, is shown the menu,
/// which says so.
pub(crate) const SET: Statement = statement!(
    "managed.set",
    [INT8, INT8, INT8, BOOL, BOOL, TEXT, BOOL, INT4, BOOL, TIMESTAMPTZ],
    "WITH who AS MATERIALIZED (
         SELECT cities, set_config('field_service.staff', staff_id::text, true) AS by
         FROM staff_right($1 /* staff */, $2 /* user */) WHERE acts
     ), changed AS (
         UPDATE masters
         SET on_shift = coalesce($4 /* on shift */, on_shift),
             on_shift_since = CASE WHEN on_shift AND NOT (is_blocked AND $5 /* blocked */ IS FALSE) THEN on_shift_since
                                   ELSE coalesce($10, now()) /* now */ END,
             is_blocked = coalesce($5 /* blocked */, is_blocked),
             blocked_reason = CASE WHEN $5 IS NULL THEN blocked_reason ELSE $6 /* reason */ END,
             awaiting_approval_since = CASE WHEN $5 IS NULL THEN awaiting_approval_since END,
             max_active_orders = CASE WHEN $7 /* whether the limit */ THEN $8 /* limit */ ELSE max_active_orders END
         FROM who
         WHERE masters.id = $3 /* master */ AND masters.city_id = ANY (who.cities) AND who.by IS NOT NULL
         RETURNING masters.id, telegram_user_id
     ), told AS (
         INSERT INTO outbox (bot, chat_id, kind, created_at, due_at)
         SELECT 'MASTER', telegram_user_id, 'MENU', coalesce($10, now()) /* now */, coalesce($10, now())
         FROM changed WHERE $9 /* tells the master */
     )
     SELECT id FROM changed"
);

/// Adds a trade to a master, or a district of the master's city, or takes it away; a row, if the person may.
pub(crate) const CHOOSE: Statement = statement!(
    "managed.choose",
    [INT8, INT8, INT8, TEXT, INT8, BOOL],
    "WITH who AS MATERIALIZED (
         SELECT cities, set_config('field_service.staff', staff_id::text, true) AS by
         FROM staff_right($1 /* staff */, $2 /* user */) WHERE acts
     ), chosen AS MATERIALIZED (
         SELECT masters.id, masters.city_id FROM who JOIN masters ON masters.city_id = ANY (who.cities)
         WHERE masters.id = $3 /* master */ AND who.by IS NOT NULL
     ), trade_gone AS (
         DELETE FROM master_categories USING chosen
         WHERE master_id = chosen.id AND category = $4 /* trade */ AND NOT $6 /* on */
     ), trade AS (
         INSERT INTO master_categories (master_id, category)
         SELECT chosen.id, $4 FROM chosen WHERE $6 AND $4 IS NOT NULL ON CONFLICT DO NOTHING
     ), district_gone AS (
         DELETE FROM master_districts USING chosen
         WHERE master_id = chosen.id AND district_id = $5 /* district */ AND NOT $6
     ), district AS (
         INSERT INTO master_districts (master_id, district_id)
         SELECT chosen.id, districts.id FROM chosen JOIN districts ON districts.city_id = chosen.city_id AND districts.id = $5
         WHERE $6
         ON CONFLICT DO NOTHING
     )
     SELECT id FROM chosen"
);

/// Runs [`SET`] or [`CHOOSE`]; whether the person may.
pub(crate) async fn act(
    connection: &Connection,
    [set, choose]: [&Ready; 2],
    staff: StaffRef,
    master: MasterId,
    to: &Manage,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    let (id, user) = (staff.id(), staff.telegram_user());
    let choice = |category: Option<Category>, district: Option<i64>, on: bool| async move {
        let category = category.map(Category::as_str);
        connection.query(choose, &[&id, &user, &master.0, &category, &district, &on]).await
    };
    let rows = match to {
        Manage::Trade(category, on) => choice(Some(*category), None, *on).await?,
        Manage::District(district, on) => choice(None, Some(*district), *on).await?,
        _ => {
            let shift = if let Manage::Shift(on) = to { Some(*on) } else { None };
            let (blocked, reason) = match to {
                Manage::Block(reason) => (Some(true), Some(reason)),
                Manage::Unblock | Manage::Approve => (Some(false), None),
                _ => (None, None),
            };
            let limit = if let Manage::Limit(limit) = to { *limit } else { None };
            let params = &[
                &id as &(dyn ToSql + Sync),
                &user,
                &master.0,
                &shift,
                &blocked,
                &reason,
                &matches!(to, Manage::Limit(_)),
                &limit,
                &matches!(to, Manage::Approve | Manage::Block(_) | Manage::Unblock | Manage::Shift(_)),
                &now,
            ];
            connection.query(set, params).await?
        }
    };
    Ok(!rows.is_empty())
}
