//! What is tortured: a private PostgreSQL and a local Telegram, each behind a proxy, and who works there.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};

use super::Error;
use super::marks::{ADMIN_TOKEN, DATABASE, MASTER_TOKEN, ROLE, SECRET};
use super::pooler::Pooler;
use super::record::{Ms, SLACK, now};
use crate::cluster::{Cluster, Durability};
use crate::config;
use crate::dispatch::secret;
use crate::model::access::TokenScope;
use crate::sim::proxy::Proxy;
use crate::sim::telegram::Telegram;
use crate::store::{Clock, Store, access, migrate};

/// How long the outbox may take to be empty after the last fault.
const SETTLES: Duration = Duration::from_mins(3);

/// How long PostgreSQL may take no connection.
const ANSWERS: Duration = Duration::from_secs(30);

/// How many programs there are.
const PROGRAMS: usize = 12;

/// The world.
pub(super) struct World {
    pub(super) telegram: Telegram,
    pub(super) database: Proxy,
    /// Before the database's proxy, if the programs go through one.
    pub(super) pooler: Option<Pooler>,
    pub(super) bot_api: Proxy,
    /// The API's tokens of programs that work in both cities: each may do only so much in a minute.
    pub(super) tokens: Vec<String>,
    /// Last, so that the server outlives its clients.
    pub(super) cluster: Cluster,
}

impl World {
    /// Starts it, with so many masters; `by_pooler`: the programs reach the database through a [`Pooler`].
    pub(super) async fn start(masters: usize, by_pooler: bool) -> Result<Self, Error> {
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
        let pooler = if by_pooler { Some(Pooler::start(cluster.folder(), database.address()).await?) } else { None };
        Ok(Self { telegram, database, pooler, bot_api, tokens, cluster })
    }

    /// What the programs read.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let address = self.database.address();
        let (host, port) = (address.ip(), address.port());
        let database = match &self.pooler {
            Some(pooler) => pooler.variables(),
            None => {
                vec![("DATABASE_URL", format!("host={host} port={port} user={ROLE} dbname={DATABASE} sslmode=disable"))]
            }
        };
        let others = [
            ("MASTER_BOT_TOKEN", MASTER_TOKEN.to_owned()),
            ("ADMIN_BOT_TOKEN", ADMIN_TOKEN.to_owned()),
            ("MASTER_WEBHOOK_SECRET", SECRET.to_owned()),
            ("ADMIN_WEBHOOK_SECRET", SECRET.to_owned()),
            ("TELEGRAM_API_URL", format!("http://{}", self.bot_api.address())),
        ];
        database.into_iter().chain(others).collect()
    }

    /// What no log may show.
    pub(super) fn secrets(&self) -> Arc<[String]> {
        let known = [MASTER_TOKEN, ADMIN_TOKEN, SECRET].map(ToOwned::to_owned);
        known.into_iter().chain(self.tokens.iter().cloned()).collect()
    }

    /// The server, and the way to it.
    pub(super) async fn described(&self) -> Result<String, Error> {
        let version: String = self.owner().await?.query_one("SHOW server_version", &[]).await?.get(0);
        let number = version.split(' ').next().unwrap_or_default();
        let way = if self.pooler.is_some() { " through PgBouncer and TLS" } else { "" };
        Ok(format!("PostgreSQL {number}{way}"))
    }

    /// A connection of the database's owner past the proxy, when the server takes one.
    ///
    /// # Errors
    /// When it takes none for longer than any fault lasts.
    pub(super) async fn owner(&self) -> Result<Client, Error> {
        let begun = Instant::now();
        loop {
            match connect(&self.cluster.database_url(DATABASE)).await {
                Ok(client) => return Ok(client),
                Err(error) if begun.elapsed() > ANSWERS => return Err(error.into()),
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
        let value = if on { "on" } else { "off" };
        let alter = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
        let done = async {
            let owner = self.owner().await?;
            owner.batch_execute(&alter).await?;
            owner.batch_execute("SELECT pg_reload_conf()").await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = done.await {
            tracing::warn!(%error, "{alter}");
        }
    }

    /// Ends every session of the programs.
    pub(super) async fn end_sessions(&self) {
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'");
        if let Ok(owner) = self.owner().await {
            // It ends itself, too, if it is one of them.
            drop(owner.batch_execute(&sql).await);
        }
    }

    /// Vacuums, as a server does by itself that does not crash every few seconds. Whatever fault is in force: there will be another
    /// time.
    pub(super) async fn vacuum(&self) {
        let Ok(owner) = self.owner().await else { return };
        if owner.batch_execute("SET statement_timeout = 0").await.is_ok() {
            drop(owner.batch_execute("VACUUM (ANALYZE)").await);
        }
    }

    /// How many orders are open.
    pub(super) async fn open_orders(&self) -> i64 {
        let sql = "SELECT count(*) FROM orders WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')";
        let Ok(owner) = self.owner().await else { return i64::MAX };
        owner.query_one(sql, &[]).await.map_or(i64::MAX, |row| row.get(0))
    }

    /// Waits until nothing is owed to anybody; when that was, unless it was never.
    pub(super) async fn settle(&self) -> Option<Ms> {
        let begun = Instant::now();
        while begun.elapsed() < SETTLES {
            let sql = "SELECT count(*) FROM outbox WHERE finished_at IS NULL";
            // What is committed in this moment may not be counted yet.
            let at = now() - SLACK;
            let owner = self.owner().await.ok()?;
            let owed: i64 = owner.query_one(sql, &[]).await.map_or(1, |row| row.get(0));
            if owed == 0 {
                return Some(at);
            }
            sleep(Duration::from_millis(100)).await;
        }
        None
    }
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // What becomes of the connection shows in the client's calls.
    tokio::spawn(connection);
    Ok(client)
}
