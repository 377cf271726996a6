//! `cards`: which message of a master's chat shows which offer. When the offer ends, those messages are edited or deleted: a card
//! that is not in here could be tapped for ever.

use super::{Error, Statement, Store, column, statement};
use crate::model::{OfferId, OrderId, TelegramUserId};

/// Notes that a new message shows an offer, because the one that was to show it is gone. An offer that somebody has locked is not
/// waited for, and its message stays unknown.
///
/// # Errors
/// When the database failed.
pub async fn note(
    store: &Store,
    user: TelegramUserId,
    offer: OfferId,
    message: i32,
    gone: Option<i32>,
) -> Result<(), Error> {
    const NOTE: Statement = statement!(
        "cards.note",
        [INT8, INT4, INT8, INT4],
        "WITH released AS (
             DELETE FROM cards WHERE chat_id = $1 AND message_id = $4 /* gone */
         )
         INSERT INTO cards (chat_id, message_id, offer_id)
         SELECT $1 /* user */, $2 /* message */, id FROM offers WHERE id = $3 /* offer */
         FOR KEY SHARE SKIP LOCKED
         -- Another card was opened in it already.
         ON CONFLICT DO NOTHING"
    );
    store.run(async |connection| connection.fetch(&NOTE, &[&user.0, &message, &offer.0, &gone]).await.map(drop)).await
}

/// What a message is to show after an edit has come to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// What it was edited to: the card of an offer, which is live, and nobody has tapped there since.
    Card,
    /// An order: another offer that was opened there, or the one that has become the master's own.
    Order(OrderId),
    /// Neither: the list.
    List,
}

/// What a message is to show, into which something about an order came: the card of `offer`, or that its offer has ended. A later
/// tap in the message may have been answered before, which the edit has covered then; or the offer has ended while its card was on
/// its way.
///
/// # Errors
/// When the database failed.
pub async fn shows(
    store: &Store,
    user: TelegramUserId,
    message: i32,
    order: OrderId,
    offer: Option<OfferId>,
) -> Result<Shows, Error> {
    const SHOWS: Statement = statement!(
        "cards.shows",
        [INT8, INT4, INT8, INT8],
        "SELECT coalesce(noted.offer_id = $4 /* offer */, false) AS card, coalesce(noted.order_id, own.id) AS instead
         FROM (SELECT) AS one
         LEFT JOIN LATERAL (
             SELECT offers.id AS offer_id, offers.order_id
             FROM cards JOIN offers ON offers.id = cards.offer_id
             WHERE cards.chat_id = $1 /* user */ AND cards.message_id = $2 /* message */ AND offers.state IN ('SENT', 'VIEWED')
         ) AS noted ON true
         LEFT JOIN LATERAL (
             SELECT orders.id
             FROM orders JOIN masters ON masters.id = orders.assigned_master_id
             WHERE orders.id = $3 /* order */ AND masters.telegram_user_id = $1
               AND orders.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
         ) AS own ON true"
    );
    let offer = offer.map(|offer| offer.0);
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&user.0, &message, &order.0, &offer];
    store
        .run(async |connection| {
            let row = &connection.fetch(&SHOWS, &params).await?[0];
            Ok(match (column(row, "card")?, column::<Option<i64>>(row, "instead")?) {
                (true, _) => Shows::Card,
                (false, Some(order)) => Shows::Order(OrderId(order)),
                (false, None) => Shows::List,
            })
        })
        .await
}
