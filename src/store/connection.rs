//! A connection that cannot leak a transaction, and statements that share a round trip.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::Object;
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Error, Statement};
use crate::config::StatementMode;

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
    /// Whether a commit has succeeded: from then on the work may not fail as if it could be done again.
    committed: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn new(client: Object, mode: StatementMode, committed: Arc<AtomicBool>) -> Self {
        Self { client: Some(client), mode, unfinished: AtomicU32::new(0), committed }
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("taken in drop only")
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

    /// Gets a single statement ready and runs it.
    ///
    /// # Errors
    /// When either fails.
    pub async fn fetch(
        &self,
        statement: &'static Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let [ready] = self.ready([statement]).await?;
        self.query(&ready, params).await
    }

    /// Opens a READ COMMITTED transaction. Until [`commit`](Self::commit) or [`rollback`](Self::rollback) has
    /// succeeded, dropping the connection closes it, and the server rolls back.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn begin(&self) -> Result<(), Error> {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.watch("begin", self.client().batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")).await
    }

    /// Commits; the server rolls back instead if a statement of the transaction had failed, which that statement
    /// has then reported.
    ///
    /// # Errors
    /// When the outcome is not known to be a commit or a rollback.
    pub async fn commit(&self) -> Result<(), Error> {
        self.end("COMMIT").await?;
        self.committed.store(true, Ordering::Relaxed);
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
        self.unfinished.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }

    async fn watch<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        let result = work.await;
        self.unfinished.fetch_sub(1, Ordering::Relaxed);
        result.map_err(|source| Error::Statement { name, source })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if *self.unfinished.get_mut() > 0
            && let Some(client) = self.client.take()
        {
            drop(Object::take(client));
        }
    }
}
