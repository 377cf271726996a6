//! HTTP: routes for the webhook, health, metrics and the API, run by the Lambda function and by a plain server alike.
//!
//! The path counts from its end: a stage or a `/lambda-url/webhook` before it changes nothing.

mod admission;
mod connections;
pub mod event;
mod health;
mod load;
mod metrics;
pub mod server;
pub mod webhook;

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::http::{Request, Response, Uri};
use axum::routing::{get, post};
use lambda_http::Service;
use tokio::sync::mpsc::WeakSender;

use crate::api;
use crate::bots::{Bots, delivery};
use crate::config::SharedSecret;
use crate::liveness::Liveness;
use crate::model::{BotName, OrderId};
use admission::Admission;

/// The ends of paths by which requests are routed; whatever stands before them is ignored.
const ROOTS: [&str; 5] = ["/telegram/master", "/telegram/admin", "/health", "/metrics", PAGE];
/// Where the dispatchers' page is.
const PAGE: &str = "/app";
/// Below it is the API.
const API: &str = "/api/";
/// Below these any path is the API's, or its page's.
const FOLDERS: [&str; 2] = [API, "/app/"];
/// What sending messages that the API has caused may take, in the same request: the delivery job sends the rest.
const SEND: Duration = Duration::from_secs(7);

/// What Telegram, and Prometheus, repeat to us.
#[derive(Debug)]
pub struct Secrets {
    /// For the technicians' bot and the dispatchers'; `None`: updates are asked for, and nobody may deliver any.
    pub webhook: Option<[SharedSecret; 2]>,
    /// Prometheus'; `None`: nobody reads the metrics.
    pub metrics: Option<SharedSecret>,
}

/// What requests are answered with. Cheap to clone.
#[derive(Clone)]
pub struct State {
    bots: Bots,
    api: api::State,
    /// `None` in a program that serves no webhook.
    secrets: Option<Arc<Secrets>>,
    liveness: Arc<Liveness>,
    admission: Arc<Admission>,
    working: Working,
}

/// What each piece of work holds until it is done, in a server that waits for them when it stops.
#[derive(Clone, Default)]
struct Working(Option<WeakSender<Infallible>>);

impl Working {
    /// To be dropped when the work is done. `None`: the server has stopped.
    fn begin(&self) -> Option<impl Send + use<>> {
        match &self.0 {
            None => Some(None),
            Some(working) => working.upgrade().map(Some),
        }
    }
}

impl State {
    pub(crate) fn new(bots: Bots, api: api::State, secrets: Option<Arc<Secrets>>, liveness: Arc<Liveness>) -> Self {
        let admission = Arc::new(Admission::new(bots.store.connections()));
        Self { bots, api, secrets, liveness, admission, working: Working::default() }
    }

    /// Whether this is the secret that Telegram repeats to us for this bot.
    fn is_secret(&self, bot: BotName, presented: &[u8]) -> bool {
        let secrets = self.secrets.as_ref().and_then(|secrets| secrets.webhook.as_ref());
        secrets.is_some_and(|[master, admin]| match bot {
            BotName::Master => master.matches(presented),
            BotName::Admin => admin.matches(presented),
        })
    }
}

/// Answers requests. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    router: Router,
    /// Its many routes are made when the first of them is asked for: most starts of the function are for a tap.
    api: Arc<OnceLock<Router>>,
    api_state: api::State,
    bots: Bots,
    working: Working,
}

impl Http {
    /// The routes.
    #[must_use]
    pub fn new(state: State) -> Self {
        let (bots, api_state, working) = (state.bots.clone(), state.api.clone(), state.working.clone());
        let router = Router::new()
            .route("/telegram/master", post(webhook::master))
            .route("/telegram/admin", post(webhook::admin))
            .route("/health", get(health::health))
            .route("/metrics", get(metrics::metrics))
            .with_state(state);
        Self { router, api: Arc::default(), api_state, bots, working }
    }

    fn router_of(&self, path: &str) -> Router {
        if path.starts_with(API) || path.starts_with(PAGE) {
            self.api.get_or_init(|| api::routes(self.api_state.clone())).clone()
        } else {
            self.router.clone()
        }
    }

    /// Answers a request, to the end: nothing goes on after the response, but for messages that Telegram is slow to take.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: axum::body::HttpBody<Data = axum::body::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let (mut head, body) = request.into_parts();
        head.uri = from_its_end(head.uri);
        let answered = self.router_of(head.uri.path()).call(Request::from_parts(head, Body::new(body))).await;
        let response = answered.unwrap_or_else(|never: Infallible| match never {});
        if let Some(api::Enqueued(order)) = response.extensions().get() {
            // Nothing is left for later in a process that is frozen after its answer.
            if let Some(order) = order {
                self.deliver(*order).await;
            }
            self.bots.enqueued.notify_one();
        }
        response
    }

    /// Sends messages about an order. In a task of its own: a caller that hangs up does not stop it between a message and its record.
    async fn deliver(&self, order: OrderId) {
        let Some(working) = self.working.begin() else { return };
        let bots = self.bots.clone();
        let delivering = tokio::spawn(async move {
            delivery::deliver_order(&bots, order).await;
            drop(working);
        });
        match tokio::time::timeout(SEND, delivering).await {
            Ok(Ok(())) => {}
            // Not the error's own text: it has the panic's words, which may quote somebody.
            Ok(Err(error)) => tracing::error!(panic = error.is_panic(), "messages about order={order} were not sent"),
            Err(_) => tracing::warn!("messages about order={order} take longer than their request"),
        }
    }
}

/// The address without what stands before the path's root.
fn from_its_end(uri: Uri) -> Uri {
    let path = uri.path();
    if let Some(root) = ROOTS.into_iter().find(|root| path.ends_with(root)) {
        return if path.len() > root.len() { Uri::from_static(root) } else { uri };
    }
    let whole = uri.path_and_query().map_or(path, PathAndQuery::as_str);
    let start = FOLDERS.into_iter().filter_map(|folder| path.rfind(folder)).max();
    let rest = start.filter(|start| *start > 0).and_then(|start| whole[start..].parse().ok());
    rest.unwrap_or(uri)
}
