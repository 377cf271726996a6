//! The webhook handler as a plain HTTP server, for a VPS or a container behind a TLS proxy.
//!
//! Takes in bursts and queues them: the backlog and the file limit are as large as the system allows, and a request
//! waits for a database connection rather than being refused.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc::{self, WeakSender};

use crate::app::App;
use crate::http::webhook::{self, Refusal, Route};

/// Connections that the system may queue before they are accepted; it cuts this to its own limit.
const BACKLOG: u32 = 4096;
/// A connection that sends no head for this long is closed: longer than the usual proxy keeps an idle one.
const IDLE: Duration = Duration::from_secs(75);
/// A body that takes longer than this to arrive is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a body that is too large is taken in before it is refused: a caller that is still sending would see
/// the connection reset, and not the answer.
const DISCARD: usize = 8 * webhook::BODY_LIMIT;
/// How long a shutdown waits for connections to end, and then for updates under way: as long as one may take.
const DRAIN: Duration = Duration::from_secs(26);

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

/// Serves the webhook until `stop` is ready, then finishes what has begun, also for callers that have hung up.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) {
    // Held by each update under way.
    let (working, mut all_done) = mpsc::channel::<Infallible>(1);
    let begin = working.downgrade();
    run(listener, stop, move |request| respond(Arc::clone(&app), begin.clone(), request)).await;
    drop(working);
    if tokio::time::timeout(DRAIN, all_done.recv()).await.is_err() {
        tracing::warn!("stopped with updates under way; Telegram will send them again");
    }
}

/// Answers every request with `handler` until `stop` is ready, then finishes what has begun.
pub async fn run<H, F, B>(listener: TcpListener, stop: impl Future<Output = ()>, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
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
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped with connections open");
    }
}

async fn respond(app: Arc<App>, begin: WeakSender<Infallible>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, mut body) = request.into_parts();
    let route = match webhook::admit(&app, &head.method, head.uri.path(), &head.headers) {
        // Anybody may ask, and has nothing to say.
        Ok(Route::Health) => return webhook::respond(Ok(webhook::answer(&app, Route::Health, b"").await)),
        Ok(route) => route,
        Err(Refusal::TooLarge) => return too_large(&mut body).await,
        Err(refusal) => return webhook::respond(Err(refusal)),
    };
    let read = Limited::new(&mut body, webhook::BODY_LIMIT).collect();
    let bytes = match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(bytes)) => bytes.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return too_large(&mut body).await,
        Ok(Err(_)) => return webhook::respond(Ok(StatusCode::BAD_REQUEST)),
        Err(_) => return webhook::respond(Ok(StatusCode::REQUEST_TIMEOUT)),
    };
    let Some(working) = begin.upgrade() else { return webhook::respond(Ok(StatusCode::SERVICE_UNAVAILABLE)) };
    // A task of its own: a caller that hangs up does not stop work that has begun.
    let work = async move {
        let status = webhook::answer(&app, route, &bytes).await;
        drop(working);
        status
    };
    webhook::respond(Ok(tokio::spawn(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a handler did not end");
        StatusCode::SERVICE_UNAVAILABLE
    })))
}

async fn too_large(body: &mut Incoming) -> Response<Full<Bytes>> {
    let discard = async {
        let mut discarded = 0;
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > DISCARD {
                break;
            }
        }
    };
    // Answered either way.
    drop(tokio::time::timeout(PATIENCE, discard).await);
    webhook::respond(Err(Refusal::TooLarge))
}
