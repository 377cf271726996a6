//! Sweeps: what time alone changes. Each finds rows that are due by an index, and changes them a batch at a time.
//!
//! A row that cannot be changed stops no other: a batch that fails is halved until the row is found, which is set aside
//! with its error. Rows that somebody is at work on are passed over, see [`super::patience`]. Two sweeps at once do no harm.

mod call;
mod call_changes;
mod cards;
mod escalate;
mod expire;
mod forget;
mod overtaken;
mod purge;
mod recall;
mod reschedule;
mod seal;
mod untold;
mod wake;

use tokio_postgres::Row;

pub use call::{CALL, LATE};
pub use call_changes::CALL_CHANGES;
pub use cards::CARDS;
pub use escalate::ESCALATE;
pub use expire::EXPIRE;
pub use forget::{
    FORGET_CHATS, FORGET_DRAFTS, FORGET_LOST_TAPS, FORGET_MESSAGES, FORGET_ONBOARDINGS, FORGET_SEARCHES,
    FORGET_SESSIONS, FORGET_SHOWN, FORGET_UPDATES,
};
pub use overtaken::OVERTAKEN;
pub use purge::PURGE;
pub use recall::RECALL;
pub use reschedule::RESCHEDULE;
pub use seal::SEAL;
pub use untold::{NEWCOMERS, RETURNED, UNREACHABLE};
pub use wake::WAKE;

use super::patience::{self, PATIENCE, Patience};
use super::{Connection, Error, Statement, Store, column, statement};

/// A sweep.
#[derive(Debug)]
pub struct Sweep {
    /// In log lines and metrics.
    pub name: &'static str,
    /// Finds ids: $1 now or null, $2 at most, $3 ids to pass over.
    find: Statement,
    /// Locks those of the rows $1 that nobody else is at work on, and returns their ids. The change is then made by a
    /// statement that begins after that. `None`: the change itself passes over what is locked.
    lock: Option<&'static Statement>,
    /// Changes the rows $2, if they are still due: $1 now or null. Returns a row for each change, with the row's id.
    change: Statement,
    /// Rows per transaction: few enough that a tap that meets one need not wait.
    batch: i32,
}

/// What a sweep did.
#[derive(Debug, Default)]
pub struct Swept {
    /// How many changes it made.
    pub changed: usize,
    /// Rows that could not be changed.
    pub set_aside: Vec<i64>,
}

/// Batches per pass: what is left then is the next pass's, so that a long backlog does not look like a job that hangs.
const BATCHES: usize = 50;

/// Orders, with whose lock their offers are guarded.
const LOCK_ORDERS: Statement = statement!(
    "sweeps.lock_orders",
    [INT8_ARRAY],
    "SELECT id FROM orders WHERE id = ANY ($1) /* orders */ ORDER BY id FOR UPDATE SKIP LOCKED"
);

impl Sweep {
    /// Changes all that is due but `except` those rows, and notes in `swept` what it has done.
    ///
    /// # Errors
    /// When the database failed; what was changed before stays.
    pub async fn run(&'static self, store: &Store, except: &[i64], swept: &mut Swept) -> Result<(), Error> {
        let mut pass_over = except.to_vec();
        let mut patience = Patience::default();
        for _ in 0..BATCHES {
            let found = store.run(|connection| self.find(store, connection, &pass_over)).await?;
            let was_full = found.len() >= self.batch.unsigned_abs() as usize;
            pass_over.extend(&found);
            if !found.is_empty() {
                self.change_each(store, found, swept, &mut patience).await?;
            }
            if !was_full {
                break;
            }
        }
        Ok(())
    }

    async fn find(&'static self, store: &Store, connection: Connection, except: &[i64]) -> Result<Vec<i64>, Error> {
        ids(&connection.fetch(&self.find, &[&store.now(), &self.batch, &except]).await?)
    }

    /// Changes rows, in halves where together they fail.
    async fn change_each(
        &'static self,
        store: &Store,
        found: Vec<i64>,
        swept: &mut Swept,
        patience: &mut Patience,
    ) -> Result<(), Error> {
        let mut halves = vec![found];
        while let Some(mut rows) = halves.pop() {
            match store.run(|connection| self.change(store, connection, &rows)).await {
                Ok(changed) => swept.changed += changed,
                Err(error) if !patience.is_of_single_rows(&error) => return Err(error),
                Err(error) if rows.len() == 1 => {
                    tracing::error!(%error, sweep = self.name, row = rows[0], "a row is set aside by a sweep");
                    swept.set_aside.append(&mut rows);
                }
                Err(_) => {
                    let half = rows.split_off(rows.len() / 2);
                    halves.extend([half, rows]);
                }
            }
        }
        Ok(())
    }

    async fn change(&'static self, store: &Store, connection: Connection, rows: &[i64]) -> Result<usize, Error> {
        let now = store.now();
        let [patience, change] = connection.ready([&PATIENCE, &self.change]).await?;
        let lock = match self.lock {
            Some(lock) => Some(connection.ready([lock]).await?),
            None => None,
        };
        let changed = async {
            patience::begin(&connection, &patience).await?;
            let locked = match &lock {
                Some([lock]) => ids(&connection.query(lock, &[&rows]).await?)?,
                None => rows.to_vec(),
            };
            connection.query(&change, &[&now, &locked]).await
        };
        let changed = patience::undo(&connection, changed.await).await?;
        connection.commit().await?;
        Ok(changed.len())
    }
}

fn ids(rows: &[Row]) -> Result<Vec<i64>, Error> {
    rows.iter().map(|row| column(row, "id")).collect()
}
