//! The router as a plain HTTP server, for a VPS or a container behind a TLS proxy.
//!
//! Takes in bursts and queues them: the backlog and the file limit are as large as the system allows, and a request
//! waits for a database connection rather than being refused.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::{Http, State};

/// Connections that the system may queue before they are accepted; it cuts this to its own limit.
const BACKLOG: u32 = 4096;
/// A connection that sends no head for this long is closed: longer than the usual proxy keeps an idle one.
const IDLE: Duration = Duration::from_secs(75);
/// How long a shutdown waits, in all, for connections to end and updates under way: a little longer than one may take.
pub const DRAIN: Duration = Duration::from_secs(26);

/// Listens on `address`, which may have port 0.
///
/// # Errors
/// When the address cannot be bound.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves the webhook until `stop` is ready, then finishes what has begun, also for callers that have hung up: for
/// [`DRAIN`] at most.
pub async fn serve(listener: TcpListener, state: State, stop: impl Future<Output = ()>) {
    // Held by each update under way.
    let (working, mut all_done) = mpsc::channel::<Infallible>(1);
    let http = Http::new(State { working: Some(working.downgrade()), ..state });
    let deadline = run(listener, stop, move |request| {
        let http = http.clone();
        async move { http.answer(request).await }
    })
    .await;
    drop(working);
    if timeout_at(deadline, all_done.recv()).await.is_err() {
        tracing::warn!("stopped with updates under way; Telegram will send them again");
    }
}

/// Answers every request with `handler` until `stop` is ready, then finishes what has begun; until when that may take.
pub async fn run<H, F, B>(listener: TcpListener, stop: impl Future<Output = ()>, handler: H) -> Instant
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "could not raise the limit of open files");
    }
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of files, usually: those in use are closed in a moment, and the backlog holds the rest.
                    tracing::error!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
        let handler = handler.clone();
        let service = service_fn(move |request| {
            let response = handler(request);
            async { Ok::<_, Infallible>(response.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP connection failed");
            }
        });
    }
    drop(listener);
    let deadline = Instant::now() + DRAIN;
    if timeout_at(deadline, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped with connections open");
    }
    deadline
}
