//! Twins: the same work for every job, once for each of several cities, with masters, orders and messages of their own. A test
//! does something odd to one twin's rows and looks whether the sound twin is served.

use super::{Dispatch, MASTER_TOKEN};

/// The ids of a twin's rows are this one, which is also its master's Telegram id, or follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin(pub i64);

/// The twin to which nothing odd is done.
pub const SOUND: Twin = Twin(900_000);

impl Twin {
    /// The odd twins, numbered from 0.
    pub fn odd(number: usize) -> Self {
        Self(1000 * (i64::try_from(number).expect("a small number") + 1))
    }

    /// Which rows of a table are the twin's.
    pub fn rows(self, table: &str) -> String {
        let Self(base) = self;
        let orders = format!("BETWEEN {base} AND {base} + 99");
        match table {
            "cities" | "districts" | "masters" | "staff" | "dispatch_policies" => format!("id = {base}"),
            "orders" | "outbox" => format!("id {orders}"),
            "master_districts" | "master_categories" | "master_activity" | "dialogs" => format!("master_id = {base}"),
            "offers" | "order_status_history" | "distribution_metrics" | "dispatch_rounds" => {
                format!("order_id {orders}")
            }
            "cards" => format!("chat_id = {base}"),
            "outbox_chats" => format!("chat_id IN ({base}, {base} + 70)"),
            "processed_updates" => format!("update_key = 'old {base}'"),
            _ => panic!("the twins have no rows in {table}"),
        }
    }
}

/// A twin's rows: $base, and the moment at which everything is due. Each order is one job's.
const ROWS: &str = "
    INSERT INTO cities (id, name, timezone) VALUES ($base, 'Город $base', 'Asia/Yekaterinburg');
    INSERT INTO districts (id, city_id, name) VALUES ($base, $base, 'Район $base');
    INSERT INTO masters (id, telegram_user_id, full_name, city_id, max_active_orders)
    VALUES ($base, $base, 'Мастер $base', $base, 100);
    INSERT INTO master_districts VALUES ($base, $base);
    INSERT INTO master_categories VALUES ($base, 'PLUMBING');
    INSERT INTO staff (id, telegram_user_id, full_name) VALUES ($base, $base + 50, 'Диспетчер $base');
    INSERT INTO dispatch_policies (id) VALUES ($base);
    INSERT INTO orders (id, status, city_id, district_id, category, address, client_name, client_phone, created_at,
                        updated_at, next_round_at, policy_id, search_started_at, last_round, escalated_at,
                        escalation_reason, deferred_until, assigned_master_id, version)
    SELECT $base + n, status, $base, $base, 'PLUMBING', 'ул. Ленина, 5', 'Мария', '+79990001122', $now - interval '2 hours',
           CASE WHEN n = 7 THEN '2020-01-01' ELSE $now - interval '2 hours' END,
           CASE WHEN n IN (1, 9) THEN $now - interval '1 minute' ELSE $now + interval '1 day' END,
           CASE WHEN searched IS NOT NULL THEN $base END, $now - searched, CASE WHEN searched IS NULL THEN 0 ELSE 1 END,
           CASE WHEN n = 5 THEN $now - interval '1 hour' END, CASE WHEN n = 5 THEN 'TIME' END,
           CASE WHEN n = 3 THEN timestamptz '2020-01-01' END, CASE WHEN n = 7 THEN $base END, version
    FROM (VALUES (1, 'CREATED', NULL, 1),            -- due for its first round
                 (2, 'SEARCHING', '5 minutes', 1),   -- its offer has expired
                 (3, 'DEFERRED', NULL, 1),           -- wakes
                 (4, 'SEARCHING', '1 hour', 1),      -- its search has taken too long
                 (5, 'SEARCHING', '5 minutes', 1),   -- needs a dispatcher, who has not been called
                 (6, 'CANCELED', NULL, 2),           -- a card of it is still there
                 (7, 'CLOSED', NULL, 1),             -- over for long
                 (8, 'SEARCHING', '5 minutes', 1),   -- to be accepted
                 (9, 'SEARCHING', '5 minutes', 2),   -- has come back from its master, and is due again
                 (10, 'CANCELED', NULL, 2))          -- was about to be offered
        AS made (n, status, searched_for, version)
    CROSS JOIN LATERAL (SELECT searched_for::interval AS searched) AS search;
    INSERT INTO offers (id, order_id, master_id, state, round_number, sent_at, viewed_at, responded_at, expires_at)
    SELECT $base + n, $base + n, $base, state, 1, $now - interval '5 minutes', $now - interval '4 minutes',
           CASE WHEN state <> 'SENT' THEN $now - interval '4 minutes' END,
           CASE WHEN n = 2 THEN $now - interval '1 second' ELSE $now + interval '1 day' END
    FROM (VALUES (2, 'SENT'), (4, 'SENT'), (5, 'SENT'), (6, 'CANCELED'), (7, 'ACCEPTED'), (8, 'SENT'), (10, 'CANCELED'))
        AS made (n, state);
    INSERT INTO order_status_history (id, order_id, from_status, to_status, actor_type, changed_by_staff_id, context, created_at)
    VALUES ($base + 1, $base + 6, 'SEARCHING', 'CANCELED', 'ADMIN', $base, '{}', $now - interval '4 minutes'),
           ($base + 2, $base + 7, 'PAYMENT', 'CLOSED', 'SYSTEM', NULL, '{}', '2020-01-01'),
           ($base + 3, $base + 9, 'ASSIGNED', 'SEARCHING', 'SYSTEM', NULL, '{\"master_id\": 1}', $now - interval '5 minutes'),
           ($base + 4, $base + 10, 'SEARCHING', 'CANCELED', 'ADMIN', $base, '{}', $now - interval '4 minutes');
    INSERT INTO distribution_metrics (id, order_id, master_id, assigned_at, candidates_count, time_to_assign_seconds, city_id,
                                      district_id)
    VALUES ($base + 1, $base + 7, $base, '2020-01-01', 1, 1, $base, $base),
           ($base + 2, $base + 9, $base, $now - interval '10 minutes', 1, 1, $base, $base);
    INSERT INTO dispatch_rounds (id, order_id, search_started_at, round_number, policy_id, created_at, chosen, excluded)
    SELECT $base + n, $base + n, $now - interval '5 minutes', 1, $base, $now - interval '5 minutes', '[]', '{}'
    FROM (VALUES (2), (7), (9)) AS made (n);
    INSERT INTO cards (chat_id, message_id, offer_id) VALUES ($base, 1, $base + 6), ($base, 2, $base + 7);
    INSERT INTO dialogs (master_id, kind, order_id, asked_at, answered_by) VALUES ($base, 'AMOUNT', $base + 7, '2020-01-01', 0);
    INSERT INTO outbox (id, bot, chat_id, kind, order_id, offer_id, created_at, due_at, finished_at, scheduled)
    VALUES ($base + 1, 'MASTER', $base, 'OFFER', $base + 10, $base + 10, $now - interval '5 minutes', $now - interval '5 minutes', NULL, false),
           ($base + 2, 'MASTER', $base, 'LIST', NULL, NULL, $now - interval '5 minutes', $now - interval '5 minutes', NULL, true),
           ($base + 3, 'MASTER', $base + 70, 'LIST', NULL, NULL, '2020-01-01', '2020-01-01', '2020-01-01', true);
    INSERT INTO outbox_chats (bot, chat_id, attempted_at, ready_at)
    VALUES ('MASTER', $base, '2020-01-01', NULL), ('MASTER', $base + 70, '2020-01-01', NULL);
    INSERT INTO processed_updates (bot, update_key, action, outcome, processed_at)
    VALUES ('MASTER', 'old $base', 'SHOW', 'SHOWN', '2020-01-01')";

/// What has not been done for a twin by a pass of all jobs and the delivery after it.
const UNDONE: &str = "
    SELECT coalesce(array_agg(what), '{}')
    FROM (VALUES
        ('its first round', EXISTS (SELECT FROM offers WHERE order_id = $base + 1)),
        ('its next round', EXISTS (SELECT FROM offers WHERE order_id = $base + 9)),
        ('expire', EXISTS (SELECT FROM offers WHERE id = $base + 2 AND state = 'EXPIRED')),
        ('wake', EXISTS (SELECT FROM orders WHERE id = $base + 3 AND status <> 'DEFERRED')),
        ('escalate', EXISTS (SELECT FROM orders WHERE id = $base + 4 AND escalated_at IS NOT NULL)),
        ('call', EXISTS (SELECT FROM outbox WHERE kind = 'ESCALATED' AND order_id = $base + 5 AND chat_id = $base + 50)),
        ('cards', EXISTS (SELECT FROM outbox WHERE kind = 'OFFER_ENDED' AND offer_id = $base + 6)),
        ('overtaken', EXISTS (SELECT FROM outbox WHERE id = $base + 1 AND finished_at IS NOT NULL)),
        ('reschedule', EXISTS (SELECT FROM outbox WHERE id = $base + 2 AND (finished_at IS NOT NULL OR NOT scheduled))),
        ('forget_messages', NOT EXISTS (SELECT FROM outbox WHERE id = $base + 3)),
        ('forget_updates', NOT EXISTS (SELECT FROM processed_updates WHERE update_key = 'old $base')),
        ('forget_chats', NOT EXISTS (SELECT FROM outbox_chats WHERE chat_id = $base + 70)),
        ('purge', NOT EXISTS (SELECT FROM orders WHERE id = $base + 7))
    ) AS tasks (what, is_done)
    WHERE NOT is_done";

fn filled(sql: &str, base: i64, now: &str) -> String {
    sql.replace("$base", &base.to_string()).replace("$now", now)
}

impl Dispatch {
    /// A system with so many odd twins and the sound one, whose clock stands.
    pub async fn with_twins(odd: usize) -> Self {
        let t = Self::with_standing_clock(0).await;
        // The usual masters are elsewhere, and asked by nobody.
        t.execute("UPDATE masters SET on_shift = false", &[]).await;
        let now = format!("timestamptz '{}'", t.clock.now().expect("a standing clock"));
        for twin in (0..odd).map(Twin::odd).chain([SOUND]) {
            let rows = filled(ROWS, twin.0, &now);
            t.sql.batch_execute(&rows).await.unwrap_or_else(|error| panic!("{rows}: {error:?}"));
            t.telegram.chat(MASTER_TOKEN, twin.0, "Мастер").open();
        }
        // The one in force is sound; the twins' searches have begun with their own.
        t.execute("INSERT INTO dispatch_policies (id, keep_finished_days) VALUES (1000000, 30)", &[]).await;
        t
    }

    /// What the jobs have not done for the sound twin.
    pub async fn undone(&self) -> Vec<String> {
        self.one(&filled(UNDONE, SOUND.0, ""), &[]).await
    }
}
