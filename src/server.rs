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
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket};

use crate::app::App;
use crate::webhook::{self, Refusal};

/// Connections that the system may queue before they are accepted; it cuts this to its own limit.
const BACKLOG: u32 = 4096;
/// A head or a body that takes longer than this to arrive is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a shutdown waits for requests under way: as long as one may take.
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

/// Serves the webhook until `stop` is ready, then finishes what has begun.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) {
    let handler = Arc::clone(&app);
    run(listener, stop, move |request| respond(Arc::clone(&handler), request)).await;
    app.db.close();
    tracing::info!("stopped; counted {}", app.metrics.summary());
}

/// Answers every request with `handler` until `stop` is ready, then finishes what has begun.
pub async fn run<H, F>(listener: TcpListener, stop: impl Future<Output = ()>, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
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
            .header_read_timeout(PATIENCE)
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
        tracing::warn!("stopped with requests under way; Telegram will send their updates again");
    }
}

async fn respond(app: Arc<App>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let route = match webhook::admit(&app, &head.method, head.uri.path(), &head.headers) {
        Ok(route) => route,
        Err(refusal) => return webhook::respond(Err(refusal)),
    };
    let body = match tokio::time::timeout(PATIENCE, Limited::new(body, webhook::BODY_LIMIT).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return webhook::respond(Err(Refusal::TooLarge)),
        Ok(Err(_)) => return webhook::respond(Ok(StatusCode::BAD_REQUEST)),
        Err(_) => return webhook::respond(Ok(StatusCode::REQUEST_TIMEOUT)),
    };
    // A task of its own: a caller that hangs up does not stop work that has begun.
    let answer = tokio::spawn(async move { webhook::answer(&app, route, &body).await }).await;
    webhook::respond(Ok(answer.unwrap_or_else(|error| {
        tracing::error!(%error, "a handler did not end");
        StatusCode::SERVICE_UNAVAILABLE
    })))
}
