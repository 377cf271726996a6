//! `offers`: a master's list of them, and their changes short of acceptance.

use jiff::Timestamp;

use tokio_postgres::Row;

use super::{Connection, Error, Ready, Statement, column, facts, statement};
use crate::model::{Deadline, Hindrance, MasterId, MasterRef, OfferId, OfferLine, OfferList, OrderId, PAGE_SIZE};

/// Run by `read_page`.
pub const PAGE: Statement =
    statement!("offers.page", [INT8, INT8, INT8, INT8, TIMESTAMPTZ, INT4], include_str!("offers_page.sql"));

/// Reads a page of a master's live offers, newest first; the last page if `page` is past the end. From then on `message`
/// shows the list, and no offer's card. `None`: there is no such master.
pub(crate) async fn read_page(
    connection: &Connection,
    statement: &Ready,
    master: MasterRef,
    page: i64,
    message: Option<i32>,
    now: Option<Timestamp>,
) -> Result<Option<OfferList>, Error> {
    let (id, user) = (master.id(), master.telegram_user());
    let rows = connection.query(statement, &[&id, &user, &page.max(1), &PAGE_SIZE, &now, &message]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let master = MasterId(column(first, "master_id")?);
    let Some(total) = column(first, "total")? else {
        return Ok(Some(OfferList { master, total: 0, page: 1, lines: Vec::new(), hindrance: hindrance(first)? }));
    };
    let line = |row| {
        let expires = Deadline { at: column(row, "expires_at")?, local: column(row, "expires")? };
        Ok::<_, Error>(OfferLine { card: facts::card(row)?, expires })
    };
    // What a later release has put there, or somebody wrote oddly, must not hide the rest.
    let lines = rows.iter().filter_map(|row| {
        line(row).inspect_err(|error| tracing::error!(%error, "an offer is left out of a list")).ok()
    });
    Ok(Some(OfferList { master, total, page: column(first, "page")?, lines: lines.collect(), hindrance: None }))
}

/// Reads what keeps new offers away, but for the limit: to count a master's orders would make every list dearer.
fn hindrance(row: &Row) -> Result<Option<Hindrance>, Error> {
    if let Some(barred) = super::masters::barred(row)? {
        return Ok(Some(Hindrance::Barred(barred)));
    }
    let on_shift: bool = column(row, "on_shift")?;
    Ok((!on_shift).then_some(Hindrance::OffShift))
}

/// Marks a master's live offer of an open order as viewed, and notes which message shows its card. Needs no order's
/// lock: SENT and VIEWED are both live. An offer that somebody is at work on stays as it is: nobody waits to look at a
/// card.
pub const MARK_VIEWED: Statement = statement!(
    "offers.mark_viewed",
    [INT8, INT8, INT8, TIMESTAMPTZ, INT4],
    "WITH live AS (
         SELECT offers.id, telegram_user_id
         FROM masters
         JOIN offers ON offers.master_id = masters.id
         JOIN orders ON orders.id = offers.order_id
         WHERE masters.id = coalesce($2 /* master */, (SELECT id FROM masters WHERE telegram_user_id = $3 /* user */))
           AND NOT masters.is_blocked AND orders.id = $1 /* order */
           AND orders.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')
           AND offers.state IN ('SENT', 'VIEWED')
           AND offers.expires_at > coalesce($4, now()) /* now */
     ), viewed AS (
         UPDATE offers
         SET state = 'VIEWED', viewed_at = coalesce($4, now())
         WHERE id = (
             SELECT offers.id FROM offers JOIN live USING (id) WHERE state = 'SENT'
             FOR NO KEY UPDATE OF offers SKIP LOCKED)
     )
     INSERT INTO cards (chat_id, message_id, offer_id)
     SELECT telegram_user_id, $5 /* message */, id FROM live WHERE $5 IS NOT NULL
     ON CONFLICT (chat_id, message_id) DO UPDATE SET offer_id = excluded.offer_id
         WHERE cards.offer_id <> excluded.offer_id"
);

/// Runs [`MARK_VIEWED`].
pub(crate) async fn mark_viewed(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    master: MasterRef,
    message: Option<i32>,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    let (id, user) = (master.id(), master.telegram_user());
    connection.query(statement, &[&order.0, &id, &user, &now, &message]).await.map(drop)
}

/// Declines a live offer, under its order's lock. If the search widens, or that was the last one, its next wave is due.
pub const DECLINE: Statement = statement!(
    "offers.decline",
    [INT8, TIMESTAMPTZ, INT4],
    "WITH declined AS (
         UPDATE offers
         SET state = 'DECLINED', responded_at = coalesce($2, now()) /* now */
         WHERE id = $1 /* offer */ AND state IN ('SENT', 'VIEWED')
         RETURNING id, order_id
     ), due AS (
         UPDATE orders SET next_round_at = coalesce($2, now())
         FROM declined
         WHERE orders.id = declined.order_id AND (orders.widens_at IS NOT NULL OR NOT EXISTS (
             SELECT FROM offers
             WHERE order_id = declined.order_id AND id <> declined.id AND state IN ('SENT', 'VIEWED')
               AND expires_at > coalesce($2, now())))
     ), enqueued AS (
         INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
         SELECT DISTINCT 'MASTER', chat_id, 'OFFER_ENDED', order_id, id, coalesce($2, now()), coalesce($2, now())
         FROM declined CROSS JOIN LATERAL offer_on_screens(id)
         -- In the message that was tapped the list is shown.
         WHERE (message_id = $3 /* message */) IS NOT TRUE
         RETURNING id
     )
     SELECT (SELECT count(*) FROM enqueued) AS enqueued FROM declined"
);

/// Runs [`DECLINE`]; how many messages it enqueued. `None`: the offer was not live.
pub(crate) async fn decline(
    connection: &Connection,
    statement: &Ready,
    offer: OfferId,
    message: Option<i32>,
    now: Option<Timestamp>,
) -> Result<Option<i64>, Error> {
    let rows = connection.query(statement, &[&offer.0, &now, &message]).await?;
    rows.first().map(|row| column(row, "enqueued")).transpose()
}
