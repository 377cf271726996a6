//! What the database holds, for whoever watches the system: true with any number of processes.

use jiff::Timestamp;

use super::{Connection, Error, Statement, Store, column, statement};
use crate::metrics::Fact;

const FACTS: Statement = statement!("observed.facts", [TIMESTAMPTZ], include_str!("observed/facts.sql"));

/// Reads what the database holds, each as it is named in [`crate::metrics::FACTS`].
///
/// # Errors
/// When the database failed.
pub async fn facts(store: &Store) -> Result<Vec<Fact>, Error> {
    store
        .run(async |connection: Connection| {
            let now: Option<Timestamp> = store.now();
            let rows = connection.fetch(&FACTS, &[&now]).await?;
            rows.iter()
                .map(|row| {
                    Ok(Fact { name: column(row, "name")?, label: column(row, "label")?, value: column(row, "value")? })
                })
                .collect()
        })
        .await
}
