//! Messages that have been overtaken before they could be sent are dropped, lest they use up the chat's and the bot's pace:
//! offers that have ended, and ends of offers whose card is nowhere.

use super::{Sweep, statement};

/// That a waiting row has been overtaken, by what its offer is now.
macro_rules! overtaken {
    () => {
        // What is leased may have been sent: whoever holds the lease, or takes it over, says what became of it.
        "finished_at IS NULL AND outbox.lease IS NULL AND due_at <= coalesce($1, now()) /* now */
           AND (kind = 'OFFER'
                AND (offers.state NOT IN ('SENT', 'VIEWED') OR offers.expires_at <= coalesce($1, now()))
             OR kind = 'OFFER_ENDED'
                AND NOT EXISTS (SELECT FROM cards WHERE cards.offer_id = outbox.offer_id)
                -- Its card is not being sent right now.
                AND NOT EXISTS (
                    SELECT FROM outbox AS offer
                    WHERE offer.offer_id = outbox.offer_id AND offer.kind = 'OFFER' AND offer.lease IS NOT NULL))"
    };
}

/// By row of the outbox.
pub static OVERTAKEN: Sweep = Sweep {
    name: "overtaken",
    find: statement!(
        "overtaken.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT outbox.id
         FROM outbox
         JOIN offers ON offers.id = outbox.offer_id
         WHERE outbox.id <> ALL ($3) /* except */ AND ",
        overtaken!(),
        " LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "overtaken.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "UPDATE outbox
         SET finished_at = coalesce($1, now()) /* now */, dropped_because = 'OVERTAKEN'
         WHERE id IN (
             SELECT outbox.id
             FROM outbox
             JOIN offers ON offers.id = outbox.offer_id
             WHERE outbox.id = ANY ($2) /* rows */ AND ",
        overtaken!(),
        " FOR UPDATE OF outbox SKIP LOCKED)
         RETURNING id"
    ),
    batch: 2000,
};
