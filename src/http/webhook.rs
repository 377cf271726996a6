//! HTTP: who may call, what is read, and what each failure is answered with.
//!
//! A status tells Telegram whether to send the update again. 2xx: never again. Anything else: again and again, while
//! that person's later updates wait behind it. So what will not get better is logged and answered with 200, and only
//! what sending again can mend is answered with 503.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use lambda_http::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};

use crate::app::App;
use crate::bots::update::{self, Update};
use crate::bots::{dispatcher, master};
use crate::model::BotName;

/// The largest body that is read. Telegram's updates are far smaller.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Everything a request may take, inside the about 60 seconds that Telegram waits and the function's own timeout.
const DEADLINE: Duration = Duration::from_secs(25);

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// A request that may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// An update that Telegram sent to this bot.
    Update(BotName),
    /// `GET /health`.
    Health,
}

/// Why a request may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 404: no such path.
    NotFound,
    /// 405: only this method is allowed there.
    MethodNotAllowed(&'static str),
    /// 401: the webhook's secret is missing or wrong.
    Unauthorized,
    /// 413: the body is over [`BODY_LIMIT`].
    TooLarge,
}

/// Judges a request by its head alone, so that no body of an unauthorised one need be read. The path counts from its end:
/// a stage or a `/lambda-url/webhook` before it changes nothing.
///
/// # Errors
/// Why the request may not go on.
pub fn admit(app: &App, method: &Method, path: &str, headers: &HeaderMap) -> Result<Route, Refusal> {
    let (route, allowed) = if path.ends_with("/telegram/master") {
        (Route::Update(BotName::Master), "POST")
    } else if path.ends_with("/telegram/admin") {
        (Route::Update(BotName::Admin), "POST")
    } else if path.ends_with("/health") {
        (Route::Health, "GET")
    } else {
        return Err(Refusal::NotFound);
    };
    if method.as_str() != allowed {
        return Err(Refusal::MethodNotAllowed(allowed));
    }
    if let Route::Update(bot) = route {
        let presented = headers.get(SECRET_HEADER).map_or(&b""[..], HeaderValue::as_bytes);
        if !app.is_secret(bot, presented) {
            tracing::warn!(bot = bot.as_str(), "a request without the webhook's secret");
            app.metrics.count("webhook", "UNAUTHORIZED");
            return Err(Refusal::Unauthorized);
        }
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: usize| length > BODY_LIMIT) {
            return Err(Refusal::TooLarge);
        }
    }
    Ok(route)
}

/// Does what an admitted request asks for, to the end: nothing goes on after the response.
pub async fn answer(app: &App, route: Route, body: &[u8]) -> StatusCode {
    let work = AssertUnwindSafe(async {
        match route {
            Route::Health => health(app).await,
            Route::Update(bot) => on_update(app, bot, body).await,
        }
    });
    match tokio::time::timeout(DEADLINE, work.catch_unwind()).await {
        Ok(Ok(status)) => status,
        Ok(Err(_)) => {
            // The panic hook has said where. Sent again, the update would panic again, for ever.
            tracing::error!(update_id = update::update_id(body), "a panic while handling an update");
            app.metrics.count("webhook", "PANIC");
            StatusCode::OK
        }
        Err(_) => {
            tracing::error!(update_id = update::update_id(body), "not done in {DEADLINE:?}");
            app.metrics.count("webhook", "DEADLINE");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// [`admit`] and [`answer`] for a request that is already in memory, as it is in Lambda.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let judged = match admit(app, request.method(), request.uri().path(), request.headers()) {
        Ok(_) if request.body().len() > BODY_LIMIT => Err(Refusal::TooLarge),
        Ok(route) => Ok(answer(app, route, request.body()).await),
        Err(refusal) => Err(refusal),
    };
    respond(judged)
}

/// The response: a status, and for a method that is not allowed the one that is. Never a body.
pub fn respond<B: Default>(judged: Result<StatusCode, Refusal>) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = match judged {
        Ok(status) => status,
        Err(Refusal::NotFound) => StatusCode::NOT_FOUND,
        Err(Refusal::Unauthorized) => StatusCode::UNAUTHORIZED,
        Err(Refusal::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        Err(Refusal::MethodNotAllowed(allowed)) => {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
            StatusCode::METHOD_NOT_ALLOWED
        }
    };
    response
}

async fn health(app: &App) -> StatusCode {
    match app.store.ping().await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::error!(%error, "the database is not reachable");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn on_update(app: &App, bot: BotName, body: &[u8]) -> StatusCode {
    let update: Update = match serde_json::from_slice(body) {
        Ok(update) => update,
        Err(error) => {
            // Not the error's own text: it quotes what it stumbled over.
            let (kind, line, column) = (error.classify(), error.line(), error.column());
            let update_id = update::update_id(body);
            tracing::warn!(bot = bot.as_str(), update_id, ?kind, line, column, "an update that is not understood");
            app.metrics.count("webhook", "NOT_UNDERSTOOD");
            return StatusCode::OK;
        }
    };
    let update_id = update.update_id;
    let handled = match bot {
        BotName::Master => master::on_update(app, update).await,
        BotName::Admin => dispatcher::on_update(app, update).await,
    };
    match handled {
        Ok(()) => StatusCode::OK,
        Err(error) if error.is_transient() => {
            tracing::warn!(update_id, %error, "the database is not available; Telegram will send this again");
            app.metrics.count("webhook", "UNAVAILABLE");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(error) => {
            tracing::error!(update_id, %error, "an update failed in a way that will not pass");
            app.metrics.count("webhook", "FAILED");
            StatusCode::OK
        }
    }
}
