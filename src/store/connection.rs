//! A connection that cannot leak a transaction, and statements that share a round trip.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use deadpool_postgres::Object;
use tokio::join;
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tracing::Instrument;

use super::{Error, Statement};
use crate::config::StatementMode;
use crate::metrics::Metrics;

/// How long what is read after a commit is waited for.
pub(super) const AFTER_COMMIT: Duration = Duration::from_secs(2);

/// A statement that a connection is ready to run in one trip.
#[derive(Clone, Debug)]
pub struct Ready {
    definition: &'static Statement,
    prepared: Option<tokio_postgres::Statement>,
}

/// A pooled connection, lent to one piece of work.
///
/// Futures of [`query`](Self::query), [`begin`](Self::begin), [`commit`](Self::commit) and
/// [`rollback`](Self::rollback) send at their first poll, so that `join!` of several is one round trip, in order.
pub struct Connection {
    /// Always there until `drop`.
    client: Option<Object>,
    mode: StatementMode,
    /// Statements sent and not answered, and one more for an open transaction.
    unfinished: AtomicU32,
    /// Statements sent and not answered: the first of them begins a round trip.
    under_way: AtomicU32,
    /// Whether a transaction is open.
    open: AtomicBool,
    /// What the work leaves to whoever lent the connection.
    lent: Arc<Lent>,
}

/// What is known of a connection when its work is over.
#[derive(Default)]
pub(super) struct Lent {
    /// Whether a commit has succeeded: from then on the work may not fail as if it could be done again.
    pub(super) committed: AtomicBool,
    /// The connection, if nothing that it was asked is under way: it goes back to the pool once the work's result is known.
    returned: Mutex<Option<Object>>,
    /// Where statements are counted.
    pub(super) metrics: Arc<Metrics>,
}

impl Lent {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..Self::default() }
    }

    /// Gives the connection back to the pool, or closes it.
    pub(super) fn settle(&self, close: bool) {
        let returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(client) = returned.filter(|_| close) {
            drop(Object::take(client));
        }
    }
}

impl Connection {
    pub(super) fn new(client: Object, mode: StatementMode, lent: Arc<Lent>) -> Self {
        Self {
            client: Some(client),
            mode,
            unfinished: AtomicU32::new(0),
            under_way: AtomicU32::new(0),
            open: AtomicBool::new(false),
            lent,
        }
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("taken in drop only")
    }

    /// Counts an update that was recognised as handled before.
    pub(super) fn count_redelivery(&self, is_one: bool) {
        if is_one {
            self.lent.metrics.count("redelivery", "RECOGNISED");
        }
    }

    /// Gets statements ready, so that what follows can be pipelined: a statement that still had to be prepared would
    /// be overtaken by its successors.
    ///
    /// # Errors
    /// When the server refuses one of them.
    pub async fn ready<const N: usize>(&self, statements: [&'static Statement; N]) -> Result<[Ready; N], Error> {
        let mut ready = statements.map(|definition| Ready { definition, prepared: None });
        if self.mode == StatementMode::Prepared {
            for Ready { definition, prepared } in &mut ready {
                let work = self.client().prepare_typed_cached(definition.text, definition.types);
                *prepared = Some(self.watch(definition.name, work).await?);
            }
        }
        Ok(ready)
    }

    /// Runs a statement that is [`ready`](Self::ready).
    ///
    /// # Errors
    /// When it fails.
    pub async fn query(&self, statement: &Ready, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        let definition = statement.definition;
        let client = self.client();
        if let Some(prepared) = &statement.prepared {
            return self.watch(definition.name, client.query(prepared, params)).await;
        }
        let typed: Vec<_> = params.iter().copied().zip(definition.types.iter().cloned()).collect();
        self.watch(definition.name, client.query_typed(definition.text, &typed)).await
    }

    /// Gets a single statement ready and runs it: in the transaction that is open, else [alone](Self::alone).
    ///
    /// # Errors
    /// When either fails.
    pub async fn fetch(
        &self,
        statement: &'static Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let [ready] = self.ready([statement]).await?;
        // A COMMIT of its own would end the other one half-way.
        if self.open.load(Ordering::Relaxed) {
            return self.query(&ready, params).await;
        }
        self.alone(self.query(&ready, params)).await
    }

    /// Runs statements that are [`ready`](Self::ready) in a transaction of their own, in one round trip: READ COMMITTED, to
    /// which the database's or the role's own default may not be set.
    ///
    /// # Errors
    /// When one of them fails; then nothing was changed.
    pub async fn alone<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let (begun, done, committed) = join!(self.begin(), work, self.commit());
        begun?;
        let done = done?;
        committed?;
        Ok(done)
    }

    /// Opens a READ COMMITTED transaction. Until [`commit`](Self::commit) or [`rollback`](Self::rollback) has
    /// succeeded, dropping the connection closes it, and the server rolls back.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn begin(&self) -> Result<(), Error> {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.open.store(true, Ordering::Relaxed);
        self.watch("begin", self.client().batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")).await
    }

    /// Commits; the server rolls back instead if a statement of the transaction had failed, which that statement
    /// has then reported.
    ///
    /// # Errors
    /// When the outcome is not known to be a commit or a rollback.
    pub async fn commit(&self) -> Result<(), Error> {
        self.end("COMMIT").await?;
        self.lent.committed.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Commits, and reads what is to be seen after that: in one round trip, except behind a pooler. There the server's
    /// connection is somebody else's as soon as the transaction has ended, so nothing is sent until its answer is here.
    /// What was committed does not wait long for what is read: that may fail by itself.
    ///
    /// # Errors
    /// As [`commit`](Self::commit); what `read` failed with is its own result.
    pub async fn commit_then<T>(
        &self,
        read: impl Future<Output = Result<T, Error>>,
    ) -> (Result<(), Error>, Result<T, Error>) {
        self.end_then(self.commit(), read).await
    }

    /// Rolls back, and reads what is to be seen after that, as [`commit_then`](Self::commit_then).
    ///
    /// # Errors
    /// As [`rollback`](Self::rollback).
    pub async fn rollback_then<T>(
        &self,
        read: impl Future<Output = Result<T, Error>>,
    ) -> (Result<(), Error>, Result<T, Error>) {
        self.end_then(self.rollback(), read).await
    }

    async fn end_then<T>(
        &self,
        end: impl Future<Output = Result<(), Error>>,
        read: impl Future<Output = Result<T, Error>>,
    ) -> (Result<(), Error>, Result<T, Error>) {
        let (mut end, mut read) = (pin!(end), pin!(read));
        let mut early = None;
        let ended = poll_fn(|context| {
            let ended = end.as_mut().poll(context);
            if self.mode == StatementMode::Prepared && early.is_none() {
                // Sent right behind the end.
                if let Poll::Ready(read) = read.as_mut().poll(context) {
                    early = Some(read);
                }
            }
            ended
        })
        .await;
        if ended.is_err() {
            return (ended, Err(Error::Stalled(Duration::ZERO)));
        }
        let read = match early {
            Some(read) => read,
            None => timeout(AFTER_COMMIT, read).await.unwrap_or(Err(Error::Stalled(AFTER_COMMIT))),
        };
        (ended, read)
    }

    /// Rolls back.
    ///
    /// # Errors
    /// When the connection failed.
    pub async fn rollback(&self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(&self, how: &'static str) -> Result<(), Error> {
        self.watch(how, self.client().batch_execute(how)).await?;
        self.open.store(false, Ordering::Relaxed);
        self.unfinished.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }

    async fn watch<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        let begins_a_trip = self.under_way.fetch_add(1, Ordering::Relaxed) == 0;
        let begun = Instant::now();
        let mut work = pin!(work);
        // What was prepared before is there at once, and asks the server nothing.
        let result = match poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            Poll::Ready(at_once) => at_once,
            Poll::Pending => {
                // By its name: its text says no more, and its parameters are people's. Preparing it for this connection is one too.
                let result = work.instrument(tracing::debug_span!("statement", name)).await;
                self.lent.metrics.time_statement(name, begun.elapsed(), begins_a_trip);
                result
            }
        };
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        // Without an SQLSTATE it was not PostgreSQL's answer to this statement: what comes next may not be either, and the
        // connection is closed.
        if !result.as_ref().is_err_and(|error| error.code().is_none()) {
            self.unfinished.fetch_sub(1, Ordering::Relaxed);
        }
        result.map_err(|source| Error::Statement { name, source })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if *self.unfinished.get_mut() > 0 {
            drop(Object::take(client));
        } else {
            *self.lent.returned.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
        }
    }
}
