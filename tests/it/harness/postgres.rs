//! One private PostgreSQL for the whole run, migrated once; a clone of that database for each test.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use field_service::cluster::{Cluster, Durability};
use field_service::config;
use field_service::store::migrate;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

/// Stopped by its keeper when the test process ends.
static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static TEMPLATE: OnceCell<()> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);

pub fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(|| Cluster::start(Durability::None).unwrap_or_else(|error| panic!("{error}")))
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection to the test's database");
    tokio::spawn(connection);
    client
}

/// A migrated database with one city; its connection string.
pub async fn fresh_database() -> String {
    TEMPLATE
        .get_or_init(async || {
            let template = empty_database("template").await;
            migrate::run(&config::Database::from_url(&template).expect("a URL")).await.expect("migrations");
            let client = connect(&template).await;
            client
                .batch_execute("INSERT INTO cities (name, timezone) VALUES ('Екатеринбург', 'Asia/Yekaterinburg')")
                .await
                .expect("a city");
        })
        .await;
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let url = create(&name, "TEMPLATE template").await;
    // ALTER DATABASE's settings are not cloned with the database.
    migrate::set_settings(&connect(&url).await).await.expect("the database's settings");
    url
}

/// A database with nothing in it; its connection string.
pub async fn empty_database(name: &str) -> String {
    create(name, "").await
}

async fn create(name: &str, options: &str) -> String {
    let server = connect(&cluster().database_url("postgres")).await;
    server.batch_execute(&format!("CREATE DATABASE {name} {options}")).await.expect("a new database");
    cluster().database_url(name)
}
