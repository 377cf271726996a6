//! The webhook's policy: who may call, what is read, and what each failure is answered with.
//!
//! A status tells Telegram whether to send the update again. 2xx: never again. Anything else: again and again, while
//! that person's later updates wait behind it. So what will not get better is logged and answered with 200, and only
//! what sending again can mend is answered with 503: that nothing was committed, or that something was and neither Telegram
//! nor the outbox took the answer to it. An update that comes again changes nothing more, and is answered with what is true by
//! then. Who cannot be served soon is told 503 at once, and when to come again.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State as Extract;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::join;
use tracing::Instrument;

use super::State;
use super::admission::{Refused, UnderWay};
use crate::bots::update::{self, Update};
use crate::bots::{Failed, Handled};
use crate::model::BotName;

/// The largest body that is read. Telegram's updates are far smaller.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// What waiting for a connection and the database's work may take, together, until the commit, once an update has its permit.
/// With [`SEND`] inside the function's own timeout and a server's drain.
const COMMIT: Duration = Duration::from_secs(19);
/// What sending the answer may take, after the commit: the calls to Telegram have a budget of their own in it, and what they
/// did not take is enqueued in the rest.
const SEND: Duration = Duration::from_secs(7);

/// A body that takes longer than this to arrive is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a body that is too large is taken in before it is refused: a caller that is still sending would see
/// the connection reset, and not the answer.
const DISCARD: usize = 8 * BODY_LIMIT;

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

pub(super) async fn master(Extract(state): Extract<State>, request: Request<Body>) -> Response {
    receive(state, BotName::Master, request).await
}

pub(super) async fn admin(Extract(state): Extract<State>, request: Request<Body>) -> Response {
    receive(state, BotName::Admin, request).await
}

/// Takes an update in. Nothing of the body is read before the head is found good.
async fn receive(state: State, bot: BotName, request: Request<Body>) -> Response {
    let body = match read(&state, bot, request).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    handle(state, bot, body).await
}

/// Handles an update of whose sender there is no doubt, whichever way it came: 200, it is done with; 503, it is to come again.
async fn handle(state: State, bot: BotName, body: Bytes) -> Response {
    let Some(working) = state.working.begin() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let under_way = match state.admission.come() {
        Ok(under_way) => under_way,
        Err(refused) => return refuse(&state, refused),
    };
    // A task of its own: a caller that hangs up does not stop work that has begun.
    let work = async move {
        let answer = on_update(&state, bot, &body, under_way).await;
        drop(working);
        answer
    };
    tokio::spawn(work).await.unwrap_or_else(|error| {
        // Not the error's own text: it has the panic's words, which may quote the update.
        tracing::error!(panic = error.is_panic(), "a handler did not end");
        // Sent again, it would panic again.
        if error.is_panic() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }.into_response()
    })
}

impl State {
    /// Handles an update that was asked for, as one that was delivered is handled once its sender is known. `Ok`: it is done
    /// with. `Err`: it is to come again, not before so long.
    ///
    /// # Errors
    /// When the update is to come again.
    pub async fn handle_fetched(&self, bot: BotName, body: Bytes) -> Result<(), Duration> {
        let answer = handle(self.clone(), bot, body).await;
        if answer.status().is_success() {
            return Ok(());
        }
        let asked = answer.headers().get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
        Err(Duration::from_secs(asked.unwrap_or(0)))
    }
}

/// Reads a request that is good, or what it is answered with otherwise.
async fn read(state: &State, bot: BotName, request: Request<Body>) -> Result<Bytes, StatusCode> {
    let (head, mut body) = request.into_parts();
    match admit(state, bot, &head.headers) {
        StatusCode::OK => {}
        StatusCode::PAYLOAD_TOO_LARGE => return Err(too_large(&mut body).await),
        refusal => return Err(refusal),
    }
    let read = Limited::new(&mut body, BODY_LIMIT).collect();
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(bytes)) => Ok(bytes.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(&mut body).await),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn refuse(state: &State, Refused { retry_after }: Refused) -> Response {
    state.bots.metrics.count("webhook", "OVERLOADED");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, HeaderValue::from(retry_after))]).into_response()
}

/// Judges a request by its head alone; 200: it may go on.
fn admit(state: &State, bot: BotName, headers: &HeaderMap) -> StatusCode {
    let presented = headers.get(SECRET_HEADER).map_or(&b""[..], HeaderValue::as_bytes);
    if !state.is_secret(bot, presented) {
        tracing::warn!(bot = bot.as_str(), "a request without the webhook's secret");
        state.bots.metrics.count("webhook", "UNAUTHORIZED");
        return StatusCode::UNAUTHORIZED;
    }
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > BODY_LIMIT) {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    StatusCode::OK
}

async fn too_large(body: &mut Body) -> StatusCode {
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
    StatusCode::PAYLOAD_TOO_LARGE
}

/// Handles an update to the end.
async fn on_update(state: &State, bot: BotName, body: &[u8], under_way: UnderWay) -> Response {
    let update: Update = match serde_json::from_slice(body) {
        Ok(update) => update,
        Err(error) => {
            // Not the error's own text: it quotes what it stumbled over.
            let (kind, line, column) = (error.classify(), error.line(), error.column());
            let update_id = update::update_id(body);
            tracing::warn!(bot = bot.as_str(), update_id, ?kind, line, column, "an update that is not understood");
            state.bots.metrics.count("webhook", "NOT_UNDERSTOOD");
            return StatusCode::OK.into_response();
        }
    };
    let span = tracing::info_span!("update", bot = bot.as_str(), update_id = update.update_id);
    async {
        let (status, handled) = match decide(state, bot, update, under_way).await {
            Ok(decided) => decided,
            Err(refused) => return refuse(state, refused),
        };
        let status = if send(state, handled).await { status } else { StatusCode::SERVICE_UNAVAILABLE };
        status.into_response()
    }
    .instrument(span)
    .await
}

/// Answers the person, and delivers what others are owed. False: the answer is owed still, and the update has to come again for it.
async fn send(state: &State, handled: Handled) -> bool {
    let (answer, others) = handled.send(&state.bots);
    // In boxes: they are large, and are moved several times.
    let (answered, delivered) = join!(in_time(Box::pin(answer)), in_time(Box::pin(others)));
    if let Err(failure) = delivered {
        // They are in the outbox.
        count_failure(state, failure.word(), "what others are owed was not all sent: the outbox does it");
    }
    match answered {
        Ok(Ok(())) => true,
        Ok(Err(error)) if error.is_transient() => {
            tracing::warn!(%error, "neither Telegram nor the outbox took an answer; Telegram will send the update again");
            state.bots.metrics.count("webhook", "UNANSWERED");
            false
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "an answer could not be left to the outbox: the next tap shows what is true");
            state.bots.metrics.count("webhook", "FAILED");
            true
        }
        Err(failure @ Failure::Panic) => {
            // Sent again, the update would panic again, for ever.
            count_failure(state, failure.word(), "a panic while answering an update");
            true
        }
        Err(failure @ Failure::Deadline) => {
            count_failure(state, failure.word(), "an update was not answered in time; Telegram will send it again");
            false
        }
    }
}

/// Why something did not end by itself.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Panic,
    Deadline,
}

impl Failure {
    /// The word in counters.
    fn word(self) -> &'static str {
        match self {
            Self::Panic => "PANIC",
            Self::Deadline => "DEADLINE",
        }
    }
}

/// What is sent, until it is time to end.
async fn in_time<T>(sending: impl Future<Output = T>) -> Result<T, Failure> {
    match tokio::time::timeout(SEND, AssertUnwindSafe(sending).catch_unwind()).await {
        Ok(sent) => sent.map_err(|_| Failure::Panic),
        Err(_) => Err(Failure::Deadline),
    }
}

/// Decides about an update once it has a permit, and commits: what Telegram is answered, and what is then sent.
async fn decide(
    state: &State,
    bot: BotName,
    update: Update,
    mut under_way: UnderWay,
) -> Result<(StatusCode, Handled), Refused> {
    let _permit = under_way.acquire().await?;
    let decided = AssertUnwindSafe(state.bots.handle(bot, update)).catch_unwind();
    Ok(match tokio::time::timeout(COMMIT, decided).await.ok() {
        Some(Ok(Ok(handled))) => (StatusCode::OK, handled),
        Some(Ok(Err(Failed { error, handled }))) if error.is_transient() => {
            tracing::warn!(%error, "the database is not available; Telegram will send this again");
            state.bots.metrics.count("webhook", "UNAVAILABLE");
            (StatusCode::SERVICE_UNAVAILABLE, handled)
        }
        Some(Ok(Err(Failed { error, handled }))) => {
            tracing::error!(%error, "an update failed in a way that will not pass");
            state.bots.metrics.count("webhook", "FAILED");
            (StatusCode::OK, handled)
        }
        Some(Err(_)) => {
            // The panic hook has said where. Sent again, the update would panic again, for ever.
            count_failure(state, "PANIC", "a panic while handling an update");
            (StatusCode::OK, Handled::default())
        }
        None => {
            count_failure(state, "DEADLINE", "an update was not decided in time; Telegram will send it again");
            (StatusCode::SERVICE_UNAVAILABLE, Handled::default())
        }
    })
}

fn count_failure(state: &State, word: &'static str, what: &str) {
    tracing::error!(outcome = word, "{what}");
    state.bots.metrics.count("webhook", word);
}
