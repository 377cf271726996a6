//! Reads what the database and the chats hold in the end.

use tokio_postgres::Row;

use super::Error;
use super::marks::{ADDRESS, DATABASE, MASTER_TOKEN, numbers_after};
use super::record::{Card, Change, Master, Message, Ms, Offer, Order, Record};
use super::told::is_new_offer;
use super::world::World;
use crate::bots::callback::Callback;
use crate::config;
use crate::dispatch::verify;
use crate::model::OrderStatus;
use crate::sim::invariants::INVARIANTS;
use crate::sim::telegram::bot_id;
use crate::store::{Clock, Store};

/// Queries that find broken invariants. That of the limit is left to the history: staff may go above it, and did.
pub(super) const QUERIES: [(u8, &str, &str); 9] = [
    INVARIANTS[0],
    INVARIANTS[2],
    INVARIANTS[3],
    INVARIANTS[4],
    INVARIANTS[5],
    INVARIANTS[6],
    INVARIANTS[7],
    INVARIANTS[8],
    (
        6,
        "no update took two orders",
        "SELECT format('update %s took %s', responded_tap, string_agg(order_id::text, ', '))
         FROM offers WHERE responded_tap IS NOT NULL GROUP BY responded_tap HAVING count(*) > 1",
    ),
];

impl World {
    /// What the database and the chats hold.
    pub(super) async fn read(&self) -> Result<Record, Error> {
        let owner = self.owner().await?;
        // That many rows take longer than any statement of the programs may.
        owner.batch_execute("SET statement_timeout = 0").await?;
        let mut record = Record::default();
        for row in owner.query(ORDERS, &[]).await? {
            record.orders.push(order(&row)?);
        }
        for row in owner.query(CHANGES, &[]).await? {
            record.changes.push(change(&row)?);
        }
        for row in owner.query(OFFERS, &[]).await? {
            let [order, master, state, sent, ended, expires] = [0, 1, 2, 3, 4, 5];
            record.offers.push(Offer {
                order: row.get(order),
                master: row.get(master),
                state: row.get(state),
                sent: row.get(sent),
                ended: row.get(ended),
                expires: row.get(expires),
            });
        }
        for row in owner.query(MASTERS, &[]).await? {
            let limits = vec![(Ms::MIN / 2, row.get(2))];
            record.masters.push(Master { id: row.get(0), person: row.get(1), limits, blocks: Vec::new() });
        }
        for row in owner.query(MASTER_CHANGES, &[]).await? {
            let (id, at): (i64, Ms) = (row.get(0), row.get(2));
            let Some(master) = record.masters.iter_mut().find(|master| master.id == id) else { continue };
            if row.get::<_, &str>(1) == "LIMIT" {
                // The first tells what it was until then.
                if let [(_, first)] = &mut master.limits[..] {
                    *first = row.get(3);
                }
                master.limits.push((at, row.get(4)));
            } else {
                master.blocks.push((at, row.get(5)));
            }
        }
        for row in owner.query(STAFF_CITIES, &[]).await? {
            record.staff.entry(row.get(0)).or_default().insert(row.get(1));
        }
        for row in owner.query(OUTBOX, &[]).await? {
            record.outbox.push(message(&row));
        }
        for (invariant, name, query) in QUERIES {
            let found = owner.query(query, &[]).await?;
            record.queries.push((invariant, name, found.iter().map(|row| row.get(0)).collect()));
        }
        record.cards = self.cards();
        for row in owner.query(CARDS, &[]).await? {
            record.noted.insert((row.get(0), row.get(1), row.get(2)));
        }
        Ok(record)
    }

    /// The cards in the masters' chats that can be tapped.
    fn cards(&self) -> Vec<Card> {
        let mut cards = Vec::new();
        let phones = self.telegram.phones(500);
        for phone in phones.iter().filter(|phone| phone.bot == bot_id(MASTER_TOKEN)) {
            for message in &phone.messages {
                for button in message.buttons.iter().flatten() {
                    if let Some(Callback::Accept { order, .. }) = Callback::parse(&button.data) {
                        let pushed = is_new_offer(&message.text);
                        let sent = message.edits == 0;
                        cards.push(Card { person: phone.person, order: order.0, message: message.id, pushed, sent });
                    }
                }
            }
        }
        cards
    }

    /// Of the history, what does not verify.
    pub(super) async fn unsealed(&self) -> Result<Vec<String>, Error> {
        let url = self.cluster.database_url(DATABASE);
        let store = Store::new(&config::Database::from_url(&url)?, 1, Clock::default())?;
        let report = verify::verify(&store, |_| ()).await?;
        let mut wrong: Vec<String> = report.findings.iter().map(|finding| format!("{finding:?}")).collect();
        wrong.extend(
            report.roots.iter().filter(|(_, judged)| judged.is_err()).map(|(root, _)| format!("root of {}", root.day)),
        );
        if wrong.is_empty() && !report.fits() {
            wrong.push(format!("{} orders do not fit", report.wrong));
        }
        Ok(wrong)
    }
}

const ORDERS: &str = "SELECT id, city_id, address, status FROM orders ORDER BY id";
/// A row is written again if its reason is corrected, later than it was committed at first.
const CHANGES: &str = "SELECT id, order_id, to_status, actor_type,
            coalesce((context ->> 'master_id')::bigint, changed_by_master_id),
            (extract(epoch FROM created_at) * 1000)::bigint,
            (extract(epoch FROM least(coalesce(pg_xact_commit_timestamp(xmin), created_at), created_at + interval '11 s')) * 1000)::bigint
     FROM order_status_history ORDER BY order_id, id";
const OFFERS: &str = "SELECT order_id, master_id, state, (extract(epoch FROM sent_at) * 1000)::bigint,
            (extract(epoch FROM responded_at) * 1000)::bigint, (extract(epoch FROM expires_at) * 1000)::bigint
     FROM offers ORDER BY id";
const MASTERS: &str =
    "SELECT masters.id, telegram_user_id, coalesce(masters.max_active_orders, policy.max_active_orders)::bigint
     FROM masters CROSS JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy";
/// Each limit and block, with the limit before it and after it, the policy's where it is none of the master's own.
const MASTER_CHANGES: &str = "SELECT master_id, what,
            (extract(epoch FROM coalesce(pg_xact_commit_timestamp(master_changes.xmin), master_changes.created_at)) * 1000)::bigint,
            CASE WHEN what = 'LIMIT' THEN coalesce(from_value::bigint, policy.max_active_orders) END,
            CASE WHEN what = 'LIMIT' THEN coalesce(to_value::bigint, policy.max_active_orders) END,
            to_value IS NOT NULL
     FROM master_changes
     CROSS JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy
     WHERE what IN ('LIMIT', 'BLOCKED') ORDER BY master_changes.id";
const STAFF_CITIES: &str = "SELECT telegram_user_id, cities.id FROM staff CROSS JOIN cities
     WHERE telegram_user_id > 0 AND (
         EXISTS (SELECT FROM staff_cities WHERE staff_id = staff.id AND city_id = cities.id)
         OR NOT EXISTS (SELECT FROM staff_cities WHERE staff_id = staff.id))";
const OUTBOX: &str = "SELECT id, chat_id, kind, order_id, (extract(epoch FROM created_at) * 1000)::bigint, 
            (extract(epoch FROM finished_at) * 1000)::bigint, dropped_because, message_id IS NOT NULL
     FROM outbox ORDER BY id";
const CARDS: &str = "SELECT chat_id, message_id, order_id FROM cards JOIN offers ON offers.id = cards.offer_id";

fn status(row: &Row, column: usize) -> Result<OrderStatus, Error> {
    let word: String = row.get(column);
    OrderStatus::parse(&word).ok_or(Error::Processes(format!("no status: {word}")))
}

fn order(row: &Row) -> Result<Order, Error> {
    let address: String = row.get(2);
    let client = numbers_after(&address, ADDRESS).first().copied().unwrap_or_default();
    Ok(Order { id: row.get(0), city: row.get(1), client, status: status(row, 3)? })
}

fn change(row: &Row) -> Result<Change, Error> {
    Ok(Change {
        id: row.get(0),
        order: row.get(1),
        to: status(row, 2)?,
        actor: row.get(3),
        master: row.get(4),
        begun: row.get(5),
        committed: row.get(6),
    })
}

fn message(row: &Row) -> Message {
    Message {
        id: row.get(0),
        person: row.get(1),
        kind: row.get(2),
        order: row.get(3),
        created: row.get(4),
        finished: row.get(5),
        dropped: row.get(6),
        edits: row.get(7),
    }
}
