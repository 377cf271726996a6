//! Cards of ended offers that nobody has edited: the offer was ended by somebody at the database's prompt, or while its card
//! was being sent.

use super::{Sweep, statement};
use crate::model::due::BATCH;

/// By offer.
pub static CARDS: Sweep = Sweep {
    name: "cards",
    find: statement!(
        "cards.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT DISTINCT offers.id
         FROM cards
         JOIN offers ON offers.id = cards.offer_id
         WHERE offers.state NOT IN ('SENT', 'VIEWED')
           -- A tap is being answered in the message itself.
           AND offers.responded_at < coalesce($1, now()) /* now */ - interval '3 seconds'
           AND offers.id <> ALL ($3) /* except */
           AND NOT EXISTS (
               SELECT FROM outbox
               WHERE outbox.offer_id = offers.id AND kind IN ('OFFER', 'OFFER_ENDED')
                 AND (finished_at IS NULL OR dropped_because = 'UNREADABLE'))
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "cards.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
         SELECT DISTINCT 'MASTER', cards.chat_id, 'OFFER_ENDED', offers.order_id, offers.id, moment.now, moment.now
         FROM (SELECT coalesce($1, now()) AS now) AS moment
         CROSS JOIN cards
         JOIN offers ON offers.id = cards.offer_id
         WHERE offers.id = ANY ($2) /* offers */ AND offers.state NOT IN ('SENT', 'VIEWED')
           AND NOT EXISTS (
               SELECT FROM outbox
               WHERE outbox.offer_id = offers.id AND kind IN ('OFFER', 'OFFER_ENDED')
                 AND (finished_at IS NULL OR dropped_because = 'UNREADABLE'))
         RETURNING id"
    ),
    batch: BATCH,
};
