//! `migrate`: brings the database to this release's schema.

use std::time::Duration;

use clap::Args;
use field_service::config::{self, environment};
use field_service::store::migrate;

use super::{Result, say};

#[derive(Args)]
pub struct Migrate {
    /// For how many seconds to go on trying while somebody is in the way
    #[arg(long, value_name = "SECONDS", default_value_t = migrate::WAIT.as_secs())]
    wait: u64,
}

pub async fn run(Migrate { wait }: Migrate) -> Result {
    let database = config::Database::from_env(&environment)?;
    let report = migrate::run_to(&database, None, Duration::from_secs(wait)).await?;
    if report.applied.is_empty() {
        say("The database is up to date.")?;
    }
    for name in report.applied {
        say(&format!("Applied {name}."))?;
    }
    if let Some(statements) = report.for_the_owner {
        eprintln!("warning: this role does not own the database; its owner must run:\n{statements}");
    }
    Ok(())
}
