//! A database full of orders, each offered to three masters, with so many masters that each has five live offers: as
//! many as the limit lets a master take.

use std::sync::atomic::{AtomicU32, Ordering};

use field_service::cluster::Cluster;
use field_service::config;
use tokio_postgres::NoTls;

use crate::migrate;

/// A filled database. Orders are numbered from 0 here and from 1 there.
#[derive(Clone)]
pub struct Data {
    pub name: String,
    pub url: String,
    pub orders: usize,
    masters: usize,
}

impl Data {
    /// Makes and fills one.
    pub async fn fresh(cluster: &Cluster, orders: usize) -> Self {
        Self::filled(cluster, orders, orders * 3 / 5, 3).await
    }

    /// Makes and fills one in which every order is offered to `offers` of `masters`.
    pub async fn filled(cluster: &Cluster, orders: usize, masters: usize, offers: usize) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bench_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        execute(&cluster.database_url("postgres"), &format!("CREATE DATABASE {name}")).await;
        let url = cluster.database_url(&name);
        migrate::run(&config::Database::from_url(&url).expect("a URL")).await.expect("migrations");
        execute(
            &url,
            &format!(
                "INSERT INTO cities (name, timezone) VALUES ('Екатеринбург', 'Asia/Yekaterinburg');
                 INSERT INTO masters (telegram_user_id, full_name, city_id)
                 SELECT 1000 + n, 'Мастер ' || n, 1 FROM generate_series(0, {masters} - 1) AS n;
                 INSERT INTO orders (city_id, category, status, address, description, client_name, client_phone,
                                     next_round_at)
                 SELECT 1, 'PLUMBING', 'SEARCHING', 'ул. Ленина, ' || n, 'Течёт кран на кухне', 'Клиент ' || n,
                        '+7999' || n, now() + interval '1 day'
                 FROM generate_series(1, {orders}) AS n;
                 INSERT INTO offers (order_id, master_id, state, round_number, expires_at)
                 SELECT n + 1, (n + k) % {masters} + 1, 'SENT', 1, now() + interval '1 day'
                 FROM generate_series(0, {orders} - 1) AS n, generate_series(0, {offers} - 1) AS k
                 ORDER BY n, k;
                 -- A day's updates: of an empty table that was analysed the planner thinks that it stays empty.
                 INSERT INTO processed_updates (bot, update_key, action, outcome)
                 SELECT 'MASTER', 'callback earlier ' || n, 'SHOW', 'SHOWN' FROM generate_series(1, 20000) AS n;
                 VACUUM ANALYZE;
                 CHECKPOINT;"
            ),
        )
        .await;
        Self { name, url, orders, masters }
    }

    /// The Telegram id of the first of the masters who were offered it.
    pub fn taker(&self, order: usize) -> i64 {
        1000 + i64::try_from(order % self.masters).expect("a small number")
    }

    /// A count, by query.
    pub async fn count(&self, sql: &str) -> i64 {
        query(&self.url, sql).await[0]
    }

    /// The Telegram ids of those who got the orders, in the orders' order.
    pub async fn winners(&self) -> Vec<i64> {
        query(
            &self.url,
            "SELECT telegram_user_id FROM orders JOIN masters ON masters.id = assigned_master_id ORDER BY orders.id",
        )
        .await
    }

    /// How many masters there are.
    pub fn masters(&self) -> usize {
        self.masters
    }
}

/// The id of an order.
pub fn order_id(order: usize) -> i64 {
    i64::try_from(order).expect("a small number") + 1
}

async fn query(url: &str, sql: &str) -> Vec<i64> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the private cluster");
    tokio::spawn(connection);
    client.query(sql, &[]).await.expect("a query").iter().map(|row| row.get(0)).collect()
}

async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the private cluster");
    let driver = tokio::spawn(connection);
    // One at a time: VACUUM refuses to be part of a longer message.
    for statement in sql.split_inclusive(';') {
        client.batch_execute(statement).await.expect("the benchmark's data");
    }
    drop(client);
    drop(driver.await);
}
