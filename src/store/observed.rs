//! What the database holds, for whoever watches the system: true with any number of processes.

use jiff::Timestamp;

use super::{Connection, Error, Statement, Store, column, outbox, statement, with_orders_not_over};
use crate::metrics::Fact;

const FACTS: Statement =
    statement!("observed.facts", [TIMESTAMPTZ], with_orders_not_over!(include_str!("observed/facts.sql")));

/// Reads what the database holds, each as it is named in [`crate::metrics::FACTS`].
///
/// # Errors
/// When the database failed.
pub async fn facts(store: &Store) -> Result<Vec<Fact>, Error> {
    let mut facts: Vec<Fact> = store
        .run(async |connection: Connection| {
            let now: Option<Timestamp> = store.now();
            let rows = connection.fetch(&FACTS, &[&now]).await?;
            rows.iter()
                .map(|row| {
                    Ok(Fact { name: column(row, "name")?, label: column(row, "label")?, value: column(row, "value")? })
                })
                .collect::<Result<_, Error>>()
        })
        .await?;
    // Measured in one way, whoever asks.
    let backlog = outbox::backlog(store).await?;
    #[expect(clippy::cast_precision_loss, reason = "there are fewer orders than that")]
    let unanswered = backlog.unanswered_calls as f64;
    let of_backlog = [("outbox_oldest_seconds", backlog.oldest_seconds), ("unanswered_escalations", unanswered)];
    facts.extend(of_backlog.map(|(name, value)| Fact { name: name.to_owned(), label: String::new(), value }));
    Ok(facts)
}
