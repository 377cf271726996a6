//! `offers`: a master's list of them, and their changes short of acceptance.

use jiff::Timestamp;

use super::{Connection, Error, Ready, Statement, Store, facts, statement};
use crate::model::{MasterId, OfferId, OfferLine, OfferList, OrderId, PAGE_SIZE, Tap};

/// Run by `read_page`.
pub const PAGE: Statement =
    statement!("offers.page", [INT8, INT8, INT8, TIMESTAMPTZ, INT4], include_str!("offers_page.sql"));

/// Reads a page of the live offers of the master who tapped, newest first; the last page if `page` is past the end.
/// From then on the message that was tapped shows the list, and no offer's card. `None` if no master tapped.
pub(crate) async fn read_page(
    connection: &Connection,
    statement: &Ready,
    by: &Tap,
    page: i64,
    now: Option<Timestamp>,
) -> Result<Option<OfferList>, Error> {
    let rows = connection.query(statement, &[&by.user.0, &page.max(1), &PAGE_SIZE, &now, &by.message]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let master = MasterId(first.get("master_id"));
    let reason_is_awaited = first.get("reason_is_awaited");
    let Some(total) = first.get("total") else {
        return Ok(Some(OfferList { master, reason_is_awaited, total: 0, page: 1, lines: Vec::new() }));
    };
    let line = |row| Ok::<_, Error>(OfferLine { card: facts::card(row)?, expires: row.get("expires") });
    // What a later release has put there must not hide the rest.
    let lines = rows.iter().filter_map(|row| {
        line(row).inspect_err(|error| tracing::error!(%error, "an offer is left out of a list")).ok()
    });
    Ok(Some(OfferList { master, reason_is_awaited, total, page: first.get("page"), lines: lines.collect() }))
}

/// Reads a page of the live offers of the master who tapped, newest first; the last page if `page` is past the end.
/// From then on the message that was tapped shows the list, and no offer's card. `None` if no master tapped.
///
/// # Errors
/// When the database failed.
pub async fn page(store: &Store, by: &Tap, page: i64) -> Result<Option<OfferList>, Error> {
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&PAGE]).await?;
            read_page(&connection, &statement, by, page, store.now()).await
        })
        .await
}

/// Marks a master's live offer of an open order as viewed, and notes which message shows its card. Needs no order's
/// lock: SENT and VIEWED are both live. An offer that somebody is at work on stays as it is: nobody waits to look at a
/// card.
pub const MARK_VIEWED: Statement = statement!(
    "offers.mark_viewed",
    [INT8, INT8, TIMESTAMPTZ, INT4],
    "WITH live AS (
         SELECT offers.id
         FROM masters
         JOIN offers ON offers.master_id = masters.id
         JOIN orders ON orders.id = offers.order_id
         WHERE masters.telegram_user_id = $2 /* user */
           AND orders.id = $1 /* order */
           AND orders.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')
           AND offers.state IN ('SENT', 'VIEWED')
           AND offers.expires_at > coalesce($3, now()) /* now */
     ), viewed AS (
         UPDATE offers
         SET state = 'VIEWED', viewed_at = coalesce($3, now())
         WHERE id = (
             SELECT offers.id FROM offers JOIN live USING (id) WHERE state = 'SENT'
             FOR NO KEY UPDATE OF offers SKIP LOCKED)
     ), released AS (
         DELETE FROM cards WHERE chat_id = $2 AND message_id = $4 /* message */ AND NOT EXISTS (SELECT FROM live)
     ), superseded AS (
         UPDATE outbox SET finished_at = coalesce($3, now()), dropped_because = 'OVERTAKEN'
         WHERE bot = 'MASTER' AND chat_id = $2 AND message_id = $4 AND kind IN ('LIST', 'OWN_ORDER')
           AND finished_at IS NULL AND lease IS NULL AND EXISTS (SELECT FROM live)
     )
     INSERT INTO cards (chat_id, message_id, offer_id)
     SELECT $2, $4, id FROM live WHERE $4 IS NOT NULL
     ON CONFLICT (chat_id, message_id) DO UPDATE SET offer_id = excluded.offer_id
         WHERE cards.offer_id <> excluded.offer_id"
);

/// Runs [`MARK_VIEWED`].
pub(crate) async fn mark_viewed(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    by: &Tap,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    connection.query(statement, &[&order.0, &by.user.0, &now, &by.message]).await.map(drop)
}

/// Declines a live offer, under its order's lock. If it was the last one, the order's next round is due.
pub const DECLINE: Statement = statement!(
    "offers.decline",
    [INT8, TIMESTAMPTZ, TEXT, INT4],
    "WITH declined AS (
         UPDATE offers
         SET state = 'DECLINED', responded_at = coalesce($2, now()) /* now */, responded_tap = $3 /* tap */
         WHERE id = $1 /* offer */ AND state IN ('SENT', 'VIEWED')
         RETURNING id, order_id
     ), due AS (
         UPDATE orders SET next_round_at = coalesce($2, now())
         FROM declined
         WHERE orders.id = declined.order_id AND NOT EXISTS (
             SELECT FROM offers
             WHERE order_id = declined.order_id AND id <> declined.id AND state IN ('SENT', 'VIEWED')
               AND expires_at > coalesce($2, now()))
     ), told AS (
         INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
         SELECT DISTINCT 'MASTER', chat_id, 'OFFER_ENDED', order_id, id, coalesce($2, now()), coalesce($2, now())
         FROM declined CROSS JOIN LATERAL offer_on_screens(id)
         -- In the message that was tapped the list is shown.
         WHERE (message_id = $4 /* message */) IS NOT TRUE
         RETURNING id
     )
     SELECT (SELECT count(*) FROM told) AS told FROM declined"
);

/// Runs [`DECLINE`]; whether the master is to be told on other cards. `None`: the offer was not live.
pub(crate) async fn decline(
    connection: &Connection,
    statement: &Ready,
    offer: OfferId,
    by: &Tap,
    now: Option<Timestamp>,
) -> Result<Option<bool>, Error> {
    let rows = connection.query(statement, &[&offer.0, &now, &by.query, &by.message]).await?;
    Ok(rows.first().map(|row| row.get::<_, i64>("told") > 0))
}
