//! The router as a plain HTTP server, for a VPS or a container behind a TLS proxy.
//!
//! Takes in bursts and queues them: the backlog and the file limit are as large as the system allows, and a request
//! waits for a database connection rather than being refused. What strangers can make it hold is bounded: heads are small and
//! come soon, bodies are read only by who knows their sender, and there are only so many connections.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{self, Duration};

use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

use super::connections::{Answer, Connections, Watched, bound};
use super::{Http, State, Working};

/// Connections that the system may queue before they are accepted; it cuts this to its own limit.
const BACKLOG: u32 = 4096;
/// The largest head, in bytes; a larger one is answered with 431.
const HEAD: usize = 16 * 1024;
/// What is read ahead of a connection, at most.
const BUFFER: usize = 32 * 1024;
/// How often connections that have been silent for too long are looked for.
const SWEEP: Duration = Duration::from_millis(250);
/// How long an idle connection that is to end may take for it.
const GRACE: Duration = Duration::from_secs(1);
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
/// [`DRAIN`] at most. Updates that still wait for a permit are answered with 503.
pub async fn serve(listener: TcpListener, state: State, stop: impl Future<Output = ()>) {
    // Held by each update under way.
    let (working, mut all_done) = mpsc::channel::<Infallible>(1);
    let admission = Arc::clone(&state.admission);
    let stop = async {
        stop.await;
        admission.close();
    };
    let http = Http::new(State { working: Working(Some(working.downgrade())), ..state });
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
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "could not raise the limit of open files");
        FILES
    });
    let connections = Arc::new(Connections::new(bound(files)));
    let (stopping, stopped) = watch::channel(false);
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = pin!(stop);
    for number in 0.. {
        let stream = loop {
            let has_room = connections.has_room(time::Instant::now());
            tokio::select! {
                accepted = listener.accept(), if has_room => match accepted {
                    Ok((stream, _)) => break Some(stream),
                    Err(error) => {
                        // Out of files, usually: those in use are closed in a moment, and the backlog holds the rest.
                        tracing::error!(%error, "could not accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                () = connections.one_has_ended(), if !has_room => {}
                _ = sweep.tick() => connections.sweep(time::Instant::now()),
                () = &mut stop => break None,
            }
        };
        let Some(stream) = stream else { break };
        let watched = connections.add(number, time::Instant::now());
        tokio::spawn(attend(stream, watched, stopped.clone(), handler.clone()));
    }
    drop(listener);
    stopping.send_replace(true);
    let deadline = Instant::now() + DRAIN;
    let all_ended = async {
        while connections.count() > 0 {
            tokio::select! {
                () = connections.one_has_ended() => {}
                _ = sweep.tick() => connections.sweep(time::Instant::now()),
            }
        }
    };
    if timeout_at(deadline, all_ended).await.is_err() {
        tracing::warn!("stopped with connections open");
    }
    deadline
}

/// The limit of open files where the system does not tell: the usual one.
const FILES: u64 = 1024;

/// Answers a connection's requests until it ends, or is to end.
async fn attend<H, F, B>(stream: TcpStream, watched: Watched, mut stopped: watch::Receiver<bool>, handler: H)
where
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<B>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let requests = watched.requests();
    let service = service_fn(move |request| {
        let answering = requests.begin();
        let response = handler(request);
        async { Ok::<_, Infallible>(response.await.map(|body| Answer { body: Box::pin(body), _answering: answering })) }
    });
    let io = TokioIo::new(watched.stream(stream));
    let mut connection =
        pin!(http1::Builder::new().max_header_size(HEAD).max_buf_size(BUFFER).serve_connection(io, service));
    let log = |ended: hyper::Result<()>| {
        if let Err(error) = ended {
            tracing::debug!(%error, "an HTTP connection failed");
        }
    };
    tokio::select! {
        ended = connection.as_mut() => return log(ended),
        at_once = watched.told_to_end() => {
            if !at_once {
                connection.as_mut().graceful_shutdown();
                drop(timeout(GRACE, connection).await);
            }
            return;
        }
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => log(ended),
        _ = watched.told_to_end() => {}
    }
}
