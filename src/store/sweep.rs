//! What time alone changes: offers that expire, orders that wake, searches that have taken too long.

use jiff::Timestamp;

use super::{Connection, Error, Statement, Store, statement};
use crate::dispatch::begin_rounds::BATCH;

/// Messages per statement: no tap waits for one.
const MESSAGES: i32 = 2000;

/// Ends offers that are past their deadline; how many. An order that nobody is asked about any more is due at once.
///
/// # Errors
/// When the database failed; what was done before stays.
pub async fn expire(store: &Store) -> Result<usize, Error> {
    const LOCK: Statement = statement!(
        "sweep.lock_expired",
        [TIMESTAMPTZ, INT4],
        "SELECT id FROM orders
         WHERE id IN (SELECT order_id FROM offers
                      WHERE state IN ('SENT', 'VIEWED') AND expires_at <= coalesce($1, now()) /* now */)
         LIMIT $2 /* at most */
         FOR UPDATE SKIP LOCKED"
    );
    const EXPIRE: Statement = statement!(
        "sweep.expire",
        [TIMESTAMPTZ, INT8_ARRAY],
        "WITH expired AS (
             UPDATE offers SET state = 'EXPIRED', responded_at = coalesce($1, now()) /* now */
             WHERE order_id = ANY ($2) /* orders */ AND state IN ('SENT', 'VIEWED')
               AND expires_at <= coalesce($1, now())
             RETURNING id, order_id
         ), told AS (
             INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
             SELECT DISTINCT 'MASTER', chat_id, 'OFFER_ENDED', order_id, id, coalesce($1, now()), coalesce($1, now())
             FROM expired CROSS JOIN LATERAL offer_on_screens(id)
         ), due AS (
             UPDATE orders SET next_round_at = coalesce($1, now())
             WHERE id = ANY ($2) AND next_round_at > coalesce($1, now()) AND NOT EXISTS (
                 SELECT FROM offers
                 WHERE order_id = orders.id AND state IN ('SENT', 'VIEWED') AND expires_at > coalesce($1, now()))
         )
         SELECT count(*) FROM expired"
    );
    let mut total = 0;
    loop {
        let (orders, expired) = store
            .run(async |connection: Connection| {
                let now = store.now();
                let [lock, expire] = connection.ready([&LOCK, &EXPIRE]).await?;
                connection.begin().await?;
                let orders: Vec<i64> =
                    connection.query(&lock, &[&now, &BATCH]).await?.iter().map(|row| row.get("id")).collect();
                let expired: i64 = connection.query(&expire, &[&now, &orders]).await?[0].get(0);
                connection.commit().await?;
                Ok((orders.len(), expired))
            })
            .await?;
        total += usize::try_from(expired).unwrap_or_default();
        if orders < BATCH.unsigned_abs() as usize {
            return Ok(total);
        }
    }
}

/// Begins the search of deferred orders whose time has come; how many.
///
/// # Errors
/// When the database failed; what was done before stays.
pub async fn wake(store: &Store) -> Result<usize, Error> {
    const WAKE: Statement = statement!("sweep.wake", [TIMESTAMPTZ, INT4], include_str!("sweep_wake.sql"));
    in_batches(store, &WAKE, BATCH).await
}

/// Notes that staff are needed for orders that have been looked after for too long; how many.
///
/// # Errors
/// When the database failed; what was done before stays.
pub async fn escalate(store: &Store) -> Result<usize, Error> {
    // Only the locked rows themselves are looked at and changed, so one statement is enough.
    const ESCALATE: Statement = statement!(
        "sweep.escalate",
        [TIMESTAMPTZ, INT4],
        "WITH overdue AS MATERIALIZED (
             SELECT orders.id
             FROM orders
             JOIN dispatch_policies AS policy ON policy.id = orders.policy_id
             WHERE status IN ('SEARCHING', 'GUARANTEE') AND escalated_at IS NULL
               AND search_started_at <= coalesce($1, now()) - make_interval(secs => policy.escalate_after_seconds)
             LIMIT $2 /* at most */
             FOR UPDATE OF orders SKIP LOCKED
         ), escalated AS (
             UPDATE orders SET escalated_at = coalesce($1, now()) /* now */, escalation_reason = 'TIME'
             FROM overdue
             WHERE orders.id = overdue.id AND escalated_at IS NULL
             RETURNING orders.id
         ), told AS (
             INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at)
             SELECT 'ADMIN', telegram_user_id, 'ESCALATED', escalated.id, coalesce($1, now()), coalesce($1, now())
             FROM escalated, staff
             WHERE is_active
         )
         SELECT id FROM escalated"
    );
    in_batches(store, &ESCALATE, BATCH).await
}

/// Notes that cards of offers that have ended are to be edited, if whoever ended them did not; how many. It may have
/// been somebody at the database's prompt, or the card may have been sent at that very moment.
///
/// # Errors
/// When the database failed; what was done before stays.
pub async fn cards(store: &Store) -> Result<usize, Error> {
    const CARDS: Statement = statement!(
        "sweep.cards",
        [TIMESTAMPTZ, INT4],
        "INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
         SELECT DISTINCT 'MASTER', cards.chat_id, 'OFFER_ENDED', offers.order_id, offers.id, moment.now, moment.now
         FROM (SELECT coalesce($1, now()) AS now) AS moment
         CROSS JOIN cards
         JOIN offers ON offers.id = cards.offer_id
         WHERE offers.state NOT IN ('SENT', 'VIEWED')
           -- A tap is being answered in the message itself.
           AND coalesce(offers.responded_at, '-infinity') < moment.now - interval '3 seconds'
           AND NOT EXISTS (
               SELECT FROM outbox
               WHERE outbox.offer_id = offers.id AND kind IN ('OFFER', 'OFFER_ENDED') AND finished_at IS NULL)
         LIMIT $2 /* at most */
         RETURNING id"
    );
    in_batches(store, &CARDS, BATCH).await
}

/// Drops messages that have been overtaken before their turn: offers that have ended, and what became of offers whose card
/// is nowhere; how many. They would only take turns from those that have something to say.
///
/// # Errors
/// When the database failed; what was done before stays.
pub async fn overtaken(store: &Store) -> Result<usize, Error> {
    const OVERTAKEN: Statement = statement!(
        "sweep.overtaken",
        [TIMESTAMPTZ, INT4],
        "UPDATE outbox SET finished_at = coalesce($1, now()) /* now */, dropped_because = 'OVERTAKEN', lease = NULL
         WHERE id IN (
             SELECT outbox.id
             FROM outbox
             JOIN offers ON offers.id = outbox.offer_id
             WHERE finished_at IS NULL AND due_at <= coalesce($1, now())
               AND (kind = 'OFFER'
                    AND (offers.state NOT IN ('SENT', 'VIEWED') OR offers.expires_at <= coalesce($1, now()))
                 OR kind = 'OFFER_ENDED'
                    AND NOT EXISTS (SELECT FROM cards WHERE cards.offer_id = outbox.offer_id)
                    -- Its card is not being sent right now.
                    AND NOT EXISTS (
                        SELECT FROM outbox AS offer
                        WHERE offer.offer_id = outbox.offer_id AND offer.kind = 'OFFER' AND offer.finished_at IS NULL
                          AND offer.due_at > coalesce($1, now())))
             LIMIT $2 /* at most */
             FOR UPDATE OF outbox SKIP LOCKED)
         RETURNING id"
    );
    in_batches(store, &OVERTAKEN, MESSAGES).await
}

/// Forgets what was told, and which taps were handled, more than a week ago.
///
/// # Errors
/// When the database failed; what was done before stays.
pub async fn forget(store: &Store) -> Result<usize, Error> {
    const FORGET: Statement = statement!(
        "sweep.forget",
        [TIMESTAMPTZ, INT4],
        "WITH taps AS (
             DELETE FROM taps
             WHERE id IN (
                 SELECT id FROM taps WHERE handled_at < coalesce($1, now()) /* now */ - interval '7 days'
                 LIMIT $2 /* at most */)
         )
         DELETE FROM outbox
         WHERE id IN (
             SELECT id FROM outbox WHERE finished_at < coalesce($1, now()) - interval '7 days'
             LIMIT $2
             FOR UPDATE SKIP LOCKED)
         RETURNING id"
    );
    in_batches(store, &FORGET, MESSAGES).await
}

/// Whether there is a dispatcher who can be told of an order.
///
/// # Errors
/// When the database failed.
pub async fn anybody_to_call(store: &Store) -> Result<bool, Error> {
    const ANYBODY: Statement = statement!("sweep.anybody_to_call", [], "SELECT FROM staff WHERE is_active LIMIT 1");
    store.run(async |connection: Connection| Ok(!connection.fetch(&ANYBODY, &[]).await?.is_empty())).await
}

async fn in_batches(store: &Store, statement: &'static Statement, batch: i32) -> Result<usize, Error> {
    let mut total = 0;
    loop {
        let now: Option<Timestamp> = store.now();
        let changed =
            store.run(async |connection: Connection| connection.fetch(statement, &[&now, &batch]).await).await?.len();
        total += changed;
        if changed < batch.unsigned_abs() as usize {
            return Ok(total);
        }
    }
}
