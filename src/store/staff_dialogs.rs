//! `staff_dialogs`: what somebody of the staff was asked to answer in words; and whoever comes to the dispatchers' bot.

use tokio_postgres::Row;

use super::{Connection, Error, Statement, Store, column, facts, statement, updates};
use crate::model::dialog::Written;
use crate::model::{
    CityId, Leaves, MasterId, OrderId, Origin, StaffDialog, StaffId, StaffIncoming, StaffProfile, StaffQuestion,
    StaffRef, Version,
};

/// Reads who sends an update, what it did before and what it may answer; notes that the bot can write to the person, and drops
/// the screens that could not be shown before. A new update `leaves` the open question, or not; what is kept of it
/// forgets the day that was tapped before. An update
/// without a date ([`Origin::written`]) is taken as written after the question. `None`: nobody of the staff.
///
/// # Errors
/// When the database failed.
pub async fn arrive(
    store: &Store,
    staff: StaffRef,
    origin: &Origin,
    leaves: Leaves,
) -> Result<Option<StaffIncoming>, Error> {
    const ARRIVE: Statement = statement!(
        "staff_dialogs.arrive",
        [INT8, INT8, TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ, BOOL, INT4, TEXT],
        include_str!("staff_arrive.sql")
    );
    store
        .run(async |connection: Connection| {
            let (id, user, update) = (staff.id(), staff.telegram_user(), &origin.update);
            let kept = if let Leaves::AllBut(question) = leaves { Some(question) } else { None };
            let params = &[
                &id as &(dyn tokio_postgres::types::ToSql + Sync),
                &user,
                &update.door.as_word(),
                &update.key,
                &origin.written,
                &store.now(),
                &(leaves != Leaves::None),
                &origin.message,
                &kept.map(StaffQuestion::as_str),
            ];
            let rows = connection.fetch(&ARRIVE, params).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            let was_processed = column::<Option<&str>>(row, "processed")?.is_some();
            Ok(Some(StaffIncoming {
                profile: profile(row)?,
                processed: was_processed.then(|| updates::processed(row)).transpose()?,
                dialog: dialog(row)?,
                answers: column::<Option<bool>>(row, "answers")?.unwrap_or(false),
            }))
        })
        .await
}

/// Reads somebody of the staff, and the open question. `None`: nobody of the staff.
///
/// # Errors
/// When the database failed.
pub async fn open(store: &Store, staff: StaffRef) -> Result<Option<(StaffProfile, Option<StaffDialog>)>, Error> {
    const OPEN: Statement = statement!(
        "staff_dialogs.open",
        [INT8, INT8],
        "SELECT who.*, question, order_id, master_id, seen, day
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         LEFT JOIN staff_dialogs USING (staff_id)"
    );
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&OPEN, &[&staff.id(), &staff.telegram_user()]).await?;
            rows.first().map(|row| Ok((profile(row)?, dialog(row)?))).transpose()
        })
        .await
}

/// Asks a question instead of the one before, once for each update, which is recorded with it: a delivery of the same update
/// at the same moment does not leave the question that this one asks. False: the person may not be asked that, or this very
/// update was handled before.
///
/// # Errors
/// When the database failed.
pub async fn ask(store: &Store, staff: StaffRef, dialog: StaffDialog, origin: &Origin) -> Result<bool, Error> {
    const ASK: Statement = statement!(
        "staff_dialogs.ask",
        [INT8, INT8, TEXT, INT8, INT8, TEXT, TIMESTAMPTZ, TEXT, TEXT, BOOL, DATE],
        "WITH asked AS (
             SELECT who.staff_id, coalesce($7, now()) /* now */ AS now
             FROM staff_right($1 /* staff */, $2 /* user */) AS who
             WHERE (who.acts OR $10 /* may be asked of readers */)
               AND ($4 IS NULL OR EXISTS (SELECT FROM orders WHERE id = $4 AND city_id = ANY (who.cities)))
               AND ($5 IS NULL OR EXISTS (SELECT FROM masters WHERE id = $5 AND city_id = ANY (who.cities)))
         ), recorded AS (
             INSERT INTO processed_updates (bot, update_key, action, outcome, processed_at)
             SELECT $8 /* bot */, $9 /* update */, 'SHOW', 'ASKED', now FROM asked
             ON CONFLICT DO NOTHING
             RETURNING true
         )
         INSERT INTO staff_dialogs (staff_id, question, order_id, master_id, seen, day, asked_at)
         SELECT staff_id, $3 /* question */, $4 /* order */, $5 /* master */, $6 /* seen */, $11 /* day */, now
         FROM asked, recorded
         ON CONFLICT (staff_id) DO UPDATE
             SET question = excluded.question, order_id = excluded.order_id, master_id = excluded.master_id,
                 seen = excluded.seen, day = excluded.day, asked_at = excluded.asked_at, written = NULL, written_in = NULL
         RETURNING true"
    );
    let StaffDialog { question, order, master, seen, seen_change, day } = dialog;
    let seen = seen.map(|seen| seen.to_string()).or(seen_change.map(|seen| seen.to_string()));
    store
        .run(async |connection: Connection| {
            let params = &[
                &staff.id() as &(dyn tokio_postgres::types::ToSql + Sync),
                &staff.telegram_user(),
                &question.as_str(),
                &order.map(|order| order.0),
                &master.map(|master| master.0),
                &seen,
                &store.now(),
                &origin.update.door.as_word(),
                &origin.update.key,
                &question.is_for_readers(),
                &day,
            ];
            Ok(!connection.fetch(&ASK, params).await?.is_empty())
        })
        .await
}

/// Keeps what was written, which is to be confirmed, if this is the open question; whether it is.
///
/// # Errors
/// When the database failed.
pub async fn keep(store: &Store, staff: StaffRef, dialog: &StaffDialog, written: &Written) -> Result<bool, Error> {
    const KEEP: Statement = statement!(
        "staff_dialogs.keep",
        [INT8, INT8, TEXT, INT8, INT8, TEXT, INT4],
        "UPDATE staff_dialogs SET written = $6 /* written */, written_in = $7 /* message */
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         WHERE staff_dialogs.staff_id = who.staff_id AND question = $3 /* question */
           AND order_id IS NOT DISTINCT FROM $4 /* order */ AND master_id IS NOT DISTINCT FROM $5 /* master */
         RETURNING true"
    );
    let StaffDialog { question, order, master, .. } = dialog;
    store
        .run(async |connection: Connection| {
            let params = &[
                &staff.id() as &(dyn tokio_postgres::types::ToSql + Sync),
                &staff.telegram_user(),
                &question.as_str(),
                &order.map(|order| order.0),
                &master.map(|master| master.0),
                &written.text,
                &written.message,
            ];
            Ok(!connection.fetch(&KEEP, params).await?.is_empty())
        })
        .await
}

/// Reads what was written and is to be confirmed, if this is the open question; `None`: nothing.
///
/// # Errors
/// When the database failed.
pub async fn kept(store: &Store, staff: StaffRef, dialog: &StaffDialog) -> Result<Option<Written>, Error> {
    const KEPT: Statement = statement!(
        "staff_dialogs.kept",
        [INT8, INT8, TEXT, INT8, INT8],
        "SELECT written, written_in FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN staff_dialogs USING (staff_id)
         WHERE question = $3 /* question */ AND order_id IS NOT DISTINCT FROM $4 /* order */
           AND master_id IS NOT DISTINCT FROM $5 /* master */ AND written IS NOT NULL"
    );
    let StaffDialog { question, order, master, .. } = dialog;
    store
        .run(async |connection: Connection| {
            let params = &[
                &staff.id() as &(dyn tokio_postgres::types::ToSql + Sync),
                &staff.telegram_user(),
                &question.as_str(),
                &order.map(|order| order.0),
                &master.map(|master| master.0),
            ];
            let rows = connection.fetch(&KEPT, params).await?;
            let written = |row| Ok(Written { text: column(row, "written")?, message: column(row, "written_in")? });
            rows.first().map(written).transpose()
        })
        .await
}

/// Ends an open question, if it is this one: it was answered, or is to be left.
///
/// # Errors
/// When the database failed.
pub async fn end(store: &Store, staff: StaffRef, dialog: &StaffDialog) -> Result<(), Error> {
    store
        .run(async |connection: Connection| {
            let [end] = connection.ready([&END]).await?;
            connection.alone(end_within(&connection, &end, staff, dialog)).await
        })
        .await
}

/// For transactions that end the question with what answers it.
pub(crate) const END: Statement = statement!(
    "staff_dialogs.end",
    [INT8, INT8, TEXT, INT8, INT8],
    "DELETE FROM staff_dialogs USING staff_right($1 /* staff */, $2 /* user */) AS who
     WHERE staff_dialogs.staff_id = who.staff_id AND question = $3 /* question */
       AND order_id IS NOT DISTINCT FROM $4 /* order */ AND master_id IS NOT DISTINCT FROM $5 /* master */"
);

/// Runs [`END`].
pub(crate) async fn end_within(
    connection: &Connection,
    statement: &super::Ready,
    staff: StaffRef,
    dialog: &StaffDialog,
) -> Result<(), Error> {
    let StaffDialog { question, order, master, .. } = dialog;
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [
        &staff.id(),
        &staff.telegram_user(),
        &question.as_str(),
        &order.map(|order| order.0),
        &master.map(|master| master.0),
    ];
    connection.query(statement, &params).await.map(drop)
}

/// Reads the columns of `staff_right`.
pub(super) fn profile(row: &Row) -> Result<StaffProfile, Error> {
    Ok(StaffProfile {
        id: StaffId(column(row, "staff_id")?),
        full_name: column(row, "full_name")?,
        role: facts::role(row)?,
        cities: column::<Vec<i64>>(row, "cities")?.into_iter().map(CityId).collect(),
        sees_all: column(row, "sees_all")?,
    })
}

/// Reads an open question; `None`: there is none, or one that this release does not know.
fn dialog(row: &Row) -> Result<Option<StaffDialog>, Error> {
    let Some(question) = column::<Option<&str>>(row, "question")?.and_then(StaffQuestion::parse) else {
        return Ok(None);
    };
    let seen = column::<Option<&str>>(row, "seen")?;
    Ok(Some(StaffDialog {
        question,
        order: column::<Option<i64>>(row, "order_id")?.map(OrderId),
        master: column::<Option<i64>>(row, "master_id")?.map(MasterId),
        seen: seen.and_then(Version::parse),
        seen_change: seen.and_then(|seen| seen.parse().ok()),
        day: column(row, "day")?,
    }))
}
