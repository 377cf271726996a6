//! HTTP: one router for the webhook and health, run by the Lambda function and by a plain server alike.
//!
//! The path counts from its end: a stage or a `/lambda-url/webhook` before it changes nothing.

mod admission;
mod connections;
pub mod event;
mod health;
mod load;
pub mod server;
pub mod webhook;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, Uri};
use axum::routing::{get, post};
use lambda_http::Service;
use tokio::sync::mpsc::WeakSender;

use crate::bots::Bots;
use crate::config::WebhookSecret;
use crate::liveness::Liveness;
use crate::model::BotName;
use admission::Admission;

/// The ends of paths by which requests are routed; whatever stands before them is ignored.
const ROOTS: [&str; 3] = ["/telegram/master", "/telegram/admin", "/health"];

/// What Telegram repeats to us.
#[derive(Debug)]
pub struct Secrets {
    /// For the technicians' bot.
    pub master: WebhookSecret,
    /// For the dispatchers' bot.
    pub admin: WebhookSecret,
}

/// What requests are answered with. Cheap to clone.
#[derive(Clone)]
pub struct State {
    bots: Bots,
    /// `None` in a program that serves no webhook.
    secrets: Option<Arc<Secrets>>,
    liveness: Arc<Liveness>,
    admission: Arc<Admission>,
    /// Held by each update under way, in a server that waits for them when it stops.
    working: Option<WeakSender<Infallible>>,
}

impl State {
    pub(crate) fn new(bots: Bots, secrets: Option<Arc<Secrets>>, liveness: Arc<Liveness>) -> Self {
        let admission = Arc::new(Admission::new(bots.store.connections()));
        Self { bots, secrets, liveness, admission, working: None }
    }

    /// Whether this is the secret that Telegram repeats to us for this bot.
    fn is_secret(&self, bot: BotName, presented: &[u8]) -> bool {
        self.secrets.as_ref().is_some_and(|secrets| match bot {
            BotName::Master => secrets.master.matches(presented),
            BotName::Admin => secrets.admin.matches(presented),
        })
    }
}

/// Answers requests. Cheap to clone.
#[derive(Clone)]
pub struct Http(Router);

impl Http {
    /// The routes.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self(
            Router::new()
                .route("/telegram/master", post(webhook::master))
                .route("/telegram/admin", post(webhook::admin))
                .route("/health", get(health::health))
                .with_state(state),
        )
    }

    /// Answers a request, to the end: nothing goes on after the response.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: axum::body::HttpBody<Data = axum::body::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let (mut head, body) = request.into_parts();
        head.uri = from_its_end(head.uri);
        let answered = self.0.clone().call(Request::from_parts(head, Body::new(body))).await;
        answered.unwrap_or_else(|never: Infallible| match never {})
    }
}

/// The address without what stands before the path's root.
fn from_its_end(uri: Uri) -> Uri {
    let path = uri.path();
    let Some(root) = ROOTS.into_iter().find(|root| path.ends_with(root) && path.len() > root.len()) else { return uri };
    Uri::from_static(root)
}
