//! `dialogs`: what masters were asked to answer in words.

use jiff::Timestamp;

use super::{Connection, Error, Ready, Statement, Store, statement};
use crate::model::dialog::{Question, Turn};
use crate::model::{MasterId, OrderId, Tap, TelegramUserId};

/// Asks a master a question, instead of the one before; unless this very tap has done so.
pub(crate) const ASK: Statement = statement!(
    "dialogs.ask",
    [INT8, TEXT, INT8, TEXT, TIMESTAMPTZ],
    "WITH fresh AS (
         INSERT INTO taps (id, handled_at) SELECT $4 /* tap */, coalesce($5, now()) /* now */ WHERE $4 IS NOT NULL
         ON CONFLICT DO NOTHING
         RETURNING id
     ), asked AS (
         INSERT INTO dialogs (master_id, kind, order_id, asked_at, asked_after)
         SELECT id, $2 /* kind */, $3 /* order */, coalesce($5, now()), last_message_id
         FROM masters
         WHERE id = $1 /* master */ AND ($4 IS NULL OR EXISTS (SELECT FROM fresh))
         ON CONFLICT (master_id) DO UPDATE
             SET kind = excluded.kind, order_id = excluded.order_id, asked_at = excluded.asked_at,
                 asked_after = excluded.asked_after, answered_by = NULL
         RETURNING master_id
     )
     SELECT master_id FROM asked
     UNION ALL
     SELECT master_id FROM dialogs WHERE master_id = $1 AND kind = $2 AND order_id = $3 AND answered_by IS NULL"
);

/// Ends a master's question, if it is this one: it was answered by a message, or left.
pub(crate) const END: Statement = statement!(
    "dialogs.end",
    [INT8, TEXT, INT8, INT4],
    "UPDATE dialogs SET answered_by = $4 /* message, or 0 */
     WHERE master_id = $1 /* master */ AND kind = $2 /* kind */ AND order_id = $3 /* order */ AND answered_by IS NULL"
);

/// Runs [`ASK`] or [`END`], if something becomes of the dialog.
pub(crate) async fn turn(
    connection: &Connection,
    [ask, end]: [&Ready; 2],
    master: MasterId,
    order: OrderId,
    turn: Option<Turn>,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    let (question, message) = match turn {
        None => return Ok(()),
        Some(Turn::Ask(question)) => {
            // The change of the order remembers the tap.
            let no_tap: Option<&str> = None;
            return connection.query(ask, &[&master.0, &question.as_str(), &order.0, &no_tap, &now]).await.map(drop);
        }
        Some(Turn::Answer(question, message)) => (question, message),
        Some(Turn::Leave(question)) => (question, 0),
    };
    connection.query(end, &[&master.0, &question.as_str(), &order.0, &message]).await.map(drop)
}

/// Asks a master a question about an order, instead of the one before; unless this very tap has done so. Whether it is open
/// then.
///
/// # Errors
/// When the database failed.
pub async fn ask(store: &Store, master: MasterId, question: Question, order: OrderId, by: &Tap) -> Result<bool, Error> {
    store
        .run(async |connection: Connection| {
            let rows =
                connection.fetch(&ASK, &[&master.0, &question.as_str(), &order.0, &by.query, &store.now()]).await?;
            Ok(!rows.is_empty())
        })
        .await
}

/// Leaves a master's open question, if it is this one.
///
/// # Errors
/// When the database failed.
pub async fn leave(store: &Store, user: TelegramUserId, question: Question, order: OrderId) -> Result<(), Error> {
    const LEAVE: Statement = statement!(
        "dialogs.leave",
        [INT8, TEXT, INT8],
        "UPDATE dialogs SET answered_by = 0 FROM masters
         WHERE masters.id = master_id AND telegram_user_id = $1 /* user */ AND kind = $2 /* kind */
           AND order_id = $3 /* order */ AND answered_by IS NULL"
    );
    store
        .run(async |connection: Connection| {
            connection.fetch(&LEAVE, &[&user.0, &question.as_str(), &order.0]).await.map(drop)
        })
        .await
}

/// Notes that a master went elsewhere: the message that was tapped shows no offer's card any more, and a reason for giving
/// an order back is not waited for, unless the tap is delivered again; what was to be shown in the message later would
/// cover what the master sees there now. And who taps can be written to.
///
/// # Errors
/// When the database failed.
pub async fn go_elsewhere(store: &Store, by: &Tap) -> Result<(), Error> {
    const GO: Statement = statement!(
        "dialogs.go_elsewhere",
        [INT8, INT4, TEXT, TIMESTAMPTZ],
        "WITH released AS (
             DELETE FROM cards WHERE chat_id = $1 /* user */ AND message_id = $2 /* message */
         ), superseded AS (
             UPDATE outbox SET finished_at = coalesce($4, now()), dropped_because = 'OVERTAKEN'
             WHERE bot = 'MASTER' AND chat_id = $1 AND message_id = $2 AND kind IN ('LIST', 'OWN_ORDER')
               AND finished_at IS NULL AND lease IS NULL
         ), reached AS (
             UPDATE masters SET unreachable_since = NULL
             WHERE telegram_user_id = $1 AND unreachable_since IS NOT NULL
         ), fresh AS (
             INSERT INTO taps (id, handled_at)
             SELECT 'elsewhere ' || $3 /* tap */, coalesce($4, now()) /* now */ FROM masters
             WHERE telegram_user_id = $1 AND $3 IS NOT NULL
             ON CONFLICT DO NOTHING
             RETURNING id
         )
         UPDATE dialogs SET answered_by = 0 FROM masters
         WHERE masters.id = master_id AND telegram_user_id = $1 AND kind = 'RETURN_REASON' AND answered_by IS NULL
           AND EXISTS (SELECT FROM fresh)"
    );
    store
        .run(async |connection: Connection| {
            connection.fetch(&GO, &[&by.user.0, &by.message, &by.query, &store.now()]).await.map(drop)
        })
        .await
}
