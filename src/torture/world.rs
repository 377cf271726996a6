//! What is tortured: a private PostgreSQL and a local Telegram, each behind a proxy, and who works there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls, Row};

use super::Error;
use super::record::{Card, Change, Master, Message, Ms, Offer, Order, Record};
use super::told::{now, numbers_after};
use crate::bots::callback::Callback;
use crate::cluster::{Cluster, Durability};
use crate::config;
use crate::dispatch::secret;
use crate::model::OrderStatus;
use crate::model::access::TokenScope;
use crate::sim::invariants::INVARIANTS;
use crate::sim::proxy::Proxy;
use crate::sim::telegram::{Telegram, bot_id};
use crate::store::{Clock, Store, access, migrate};

pub(super) const MASTER_TOKEN: &str = "1001:torture";
pub(super) const ADMIN_TOKEN: &str = "1002:torture";
pub(super) const MASTER_BOT: i64 = 1001;
pub(super) const SECRET: &str = "torture-secret";
/// Before a client's number of six digits, where they live and what they are called; and of seven, their phone.
pub(super) const ADDRESS: &str = "Torture street ";
pub(super) const CLIENT: &str = "Client";
pub(super) const PHONE: &str = "+7912";
/// The trade of the last orders.
pub(super) const LAST_TRADE: &str = "WINDOWS";
/// Telegram ids: masters are counted from the first on.
pub(super) const FIRST_MASTER: i64 = 5001;
pub(super) const STAFF: [i64; 5] = [9001, 9002, 9003, 9004, 9005];

/// How the programs are called by the database: nobody who could use what is kept for its owner.
const ROLE: &str = "field_service";
const DATABASE: &str = "torture";
/// How long the outbox may take to be empty after the last fault.
const SETTLES: Duration = Duration::from_mins(3);

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

/// How many programs there are.
const PROGRAMS: usize = 12;

/// The world.
pub(super) struct World {
    pub(super) telegram: Telegram,
    pub(super) database: Proxy,
    pub(super) bot_api: Proxy,
    /// The API's tokens of programs that work in both cities: each may do only so much in a minute.
    pub(super) tokens: Vec<String>,
    /// Last, so that the server outlives its clients.
    pub(super) cluster: Cluster,
}

impl World {
    /// Starts it, with so many masters.
    pub(super) async fn start(masters: usize) -> Result<Self, Error> {
        let cluster = tokio::task::spawn_blocking(|| Cluster::start(Durability::Server)).await??;
        let owner = connect(&cluster.database_url("postgres")).await?;
        owner.batch_execute(&format!("CREATE ROLE {ROLE} LOGIN")).await?;
        owner.batch_execute(&format!("CREATE DATABASE {DATABASE} OWNER {ROLE}")).await?;
        let url = format!("host={} user={ROLE} dbname={DATABASE}", cluster.folder().display());
        let config = config::Database::from_url(&url)?;
        migrate::run(&config).await?;
        let seed = include_str!("seed.sql").replace("$masters", &masters.to_string());
        connect(&url).await?.batch_execute(&seed).await?;
        let store = Store::new(&config, 1, Clock::default())?;
        let mut tokens = Vec::new();
        for number in 0..PROGRAMS {
            let name = format!("Site {number}");
            let made = access::create(&store, &name, TokenScope::Orders, &[], None, secret::random()).await?;
            tokens.push(made.map(|token| token.text()).map_err(Error::Processes)?);
        }

        let telegram = Telegram::start().await?;
        for token in [MASTER_TOKEN, ADMIN_TOKEN] {
            telegram.add_bot(token, "Bot", None);
        }
        let port = telegram.api_url().trim_start_matches("http://").parse().map_err(std::io::Error::other)?;
        let bot_api = Proxy::in_front_of_port(port).await?;
        let database = Proxy::start(cluster.folder()).await?;
        Ok(Self { telegram, database, bot_api, tokens, cluster })
    }

    /// What the programs read.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let address = self.database.address();
        let (host, port) = (address.ip(), address.port());
        vec![
            ("DATABASE_URL", format!("host={host} port={port} user={ROLE} dbname={DATABASE} sslmode=disable")),
            ("MASTER_BOT_TOKEN", MASTER_TOKEN.to_owned()),
            ("ADMIN_BOT_TOKEN", ADMIN_TOKEN.to_owned()),
            ("MASTER_WEBHOOK_SECRET", SECRET.to_owned()),
            ("ADMIN_WEBHOOK_SECRET", SECRET.to_owned()),
            ("TELEGRAM_API_URL", format!("http://{}", self.bot_api.address())),
        ]
    }

    /// A connection of the database's owner past the proxy, when the server takes one.
    pub(super) async fn owner(&self) -> Client {
        loop {
            match connect(&self.cluster.database_url(DATABASE)).await {
                Ok(client) => return client,
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Connections until there is none left.
    pub(super) async fn every_connection(&self) -> Vec<Client> {
        let mut connections = Vec::new();
        while let Ok(client) = connect(&self.cluster.database_url(DATABASE)).await {
            connections.push(client);
        }
        connections
    }

    /// Makes all transactions read only from now on, or no longer.
    pub(super) async fn read_only(&self, on: bool) {
        let owner = self.owner().await;
        let value = if on { "on" } else { "off" };
        let alter = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
        for sql in [alter.as_str(), "SELECT pg_reload_conf()"] {
            if let Err(error) = owner.batch_execute(sql).await {
                tracing::warn!(%error, "{sql}");
            }
        }
    }

    /// Ends every session of the programs.
    pub(super) async fn end_sessions(&self) {
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'");
        drop(self.owner().await.batch_execute(&sql).await);
    }

    /// How many orders are open.
    pub(super) async fn open_orders(&self) -> i64 {
        let sql = "SELECT count(*) FROM orders WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')";
        let counted = self.owner().await.query_one(sql, &[]).await;
        counted.map_or(i64::MAX, |row| row.get(0))
    }

    /// Waits until nothing is owed to anybody; when that was, unless it was never.
    pub(super) async fn settle(&self) -> Option<Ms> {
        let begun = Instant::now();
        while begun.elapsed() < SETTLES {
            let sql = "SELECT count(*) FROM outbox WHERE finished_at IS NULL";
            let owed: i64 = self.owner().await.query_one(sql, &[]).await.map_or(1, |row| row.get(0));
            if owed == 0 {
                return Some(now());
            }
            sleep(Duration::from_millis(100)).await;
        }
        None
    }

    /// What the database and the chats hold.
    pub(super) async fn read(&self) -> Result<Record, Error> {
        let owner = self.owner().await;
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
            record.masters.push(Master { id: row.get(0), person: row.get(1), limit: row.get(2) });
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
        Ok(record)
    }

    /// The cards in the masters' chats that can be tapped.
    fn cards(&self) -> Vec<Card> {
        let mut cards = BTreeMap::new();
        let phones = self.telegram.phones(500);
        for phone in phones.iter().filter(|phone| phone.bot == bot_id(MASTER_TOKEN)) {
            let buttons = phone.messages.iter().flat_map(|message| message.buttons.iter().flatten());
            for button in buttons {
                if let Some(Callback::Accept { order, .. }) = Callback::parse(&button.data) {
                    cards.insert((phone.person, order.0), Card { person: phone.person, order: order.0 });
                }
            }
        }
        cards.into_values().collect()
    }

    /// Of the history, what does not verify.
    pub(super) async fn unsealed(&self) -> Result<Vec<String>, Error> {
        let url = self.cluster.database_url(DATABASE);
        let store = Store::new(&config::Database::from_url(&url)?, 1, Clock::default())?;
        let report = crate::dispatch::verify::verify(&store, |_| ()).await?;
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
const STAFF_CITIES: &str = "SELECT telegram_user_id, cities.id FROM staff CROSS JOIN cities
     WHERE telegram_user_id > 0 AND (
         EXISTS (SELECT FROM staff_cities WHERE staff_id = staff.id AND city_id = cities.id)
         OR NOT EXISTS (SELECT FROM staff_cities WHERE staff_id = staff.id))";
const OUTBOX: &str =
    "SELECT id, chat_id, kind, order_id, (extract(epoch FROM created_at) * 1000)::bigint, finished_at IS NOT NULL,
            dropped_because, attempts
     FROM outbox ORDER BY id";

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
        attempts: row.get(7),
    }
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // What becomes of the connection shows in the client's calls.
    tokio::spawn(connection);
    Ok(client)
}

/// Who has blocked a bot, by Telegram id.
pub(super) type Blocked = BTreeSet<i64>;
