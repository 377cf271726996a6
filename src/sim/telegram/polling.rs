//! How a bot asks for its updates itself, rather than be told of them.
//!
//! `getUpdates` answers with what waits from `offset` on, and forgets what comes before it: only that says that an update was
//! taken. With nothing to tell, the call waits. What it does not do while there is a webhook, and with two who ask at once, is
//! the real server's: <https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp>

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::journal::{Attempt, State};
use super::model::{Model, bot_id};
use super::updates::life;
use super::{Shared, time};

/// The status and description of a refusal.
type Refusal = (u16, String);

const HAS_WEBHOOK: &str =
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
const WEBHOOK_SET: &str = "Conflict: terminated by setWebhook request";
const ASKED_ELSEWHERE: &str =
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";

/// The most updates of one answer.
const LIMIT: u64 = 100;
/// The longest wait.
const WAIT: u64 = 50;
/// The same offset again within so long: one update at most.
const HURRY: Duration = Duration::from_millis(500);
/// The same offset again within so long, without a wait: it waits for as long.
const IMPATIENCE: Duration = Duration::from_secs(3);

/// A call that was taken in.
struct Asked {
    number: u64,
    offset: i64,
    limit: usize,
    /// Until when it waits, by Telegram's clock.
    until: Duration,
}

/// Answers a call.
pub(super) async fn get_updates(shared: &Shared, token: &str, params: &Value) -> Result<Value, Refusal> {
    let (asked, clock) = shared.change(|model| Ok::<_, Refusal>((ask(model, token, params)?, model.time.clone())))?;
    let mut changes = shared.changed.subscribe();
    loop {
        changes.borrow_and_update();
        // Read alone at first: whatever changes the model wakes everybody who waits here.
        let now = clock.now();
        let look = look(&lock(shared), token, &asked, now);
        match look {
            Look::Updates => return Ok(json!(shared.change(|model| hand_out(model, token, &asked)))),
            Look::Ended(why) => return Err((409, why.to_owned())),
            Look::Nothing if now >= asked.until => {
                shared.change(|model| model.bot(token).polls.has_waited(asked.number));
                return Ok(json!([]));
            }
            Look::Nothing => {}
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = clock.until(asked.until) => {}
        }
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Model> {
    shared.model.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ask(model: &mut Model, token: &str, params: &Value) -> Result<Asked, Refusal> {
    if !model.bots.contains_key(token) {
        return Err((401, "Unauthorized".to_owned()));
    }
    if model.bot(token).webhook.is_some() {
        return Err((409, HAS_WEBHOOK.to_owned()));
    }
    model.allow(token, params);
    let offset = params["offset"].as_i64().unwrap_or(0);
    let mut limit = params["limit"].as_u64().unwrap_or(LIMIT).clamp(1, LIMIT);
    let mut wait = Duration::from_secs(params["timeout"].as_u64().unwrap_or(0).min(WAIT));
    let now = model.time.now();
    let polls = &mut model.bot(token).polls;
    if let Some((_, at)) = polls.last.filter(|(last, _)| *last == offset) {
        if wait < IMPATIENCE && now < at + IMPATIENCE {
            wait = IMPATIENCE;
        }
        if now < at + HURRY {
            limit = 1;
        }
    }
    polls.last = Some((offset, now));
    polls.count += 1;
    let number = polls.count;
    forget(model, token, offset);
    let asked = Asked { number, offset, limit: usize::try_from(limit).unwrap_or(1), until: now + wait };
    // Only who has to wait ends the wait of another.
    if !wait.is_zero() && waiting(model, token, &asked, now).is_empty() {
        model.bot(token).polls.waiting = Some(number);
    }
    Ok(asked)
}

/// Forgets what was taken, and what is too old.
fn forget(model: &mut Model, token: &str, offset: i64) {
    let now = model.time.now();
    let mut all: Vec<Value> = model.queues_of(token).flatten().cloned().collect();
    all.sort_by_key(id);
    let last = model.bot(token).last_update();
    let is_before = |position: usize, update: &Value| match offset {
        // All but the last so many.
        ..0 => position + usize::try_from(-offset).unwrap_or(usize::MAX) < all.len(),
        // One that is still to come forgets nothing.
        _ if offset > last + 1 => false,
        _ => id(update) < offset,
    };
    for (position, update) in all.iter().enumerate() {
        let state = if is_before(position, update) {
            State::Delivered
        } else if is_too_old(model, token, update, now) {
            State::Dropped
        } else {
            continue;
        };
        model.remove_queued(token, id(update));
        if let Some(record) = model.journal.update(bot_id(token), id(update)) {
            if let Some(attempt) = record.attempts.last_mut().filter(|_| state == State::Delivered) {
                (attempt.status, attempt.took) = (Some(200), Some(time::wall_clock() - attempt.at));
            }
            record.state = state;
        }
    }
}

/// What comes of a look at the queues.
enum Look {
    /// There is something to tell.
    Updates,
    /// There is not.
    Nothing,
    /// The call is over: why.
    Ended(&'static str),
}

fn look(model: &Model, token: &str, asked: &Asked, now: Duration) -> Look {
    if !waiting(model, token, asked, now).is_empty() {
        return Look::Updates;
    }
    let Some(bot) = model.bots.get(token) else { return Look::Nothing };
    match bot.polls.waiting {
        Some(number) if number > asked.number => Look::Ended(ASKED_ELSEWHERE),
        None if bot.webhook.is_some() => Look::Ended(WEBHOOK_SET),
        _ => Look::Nothing,
    }
}

/// What is to be told.
fn waiting(model: &Model, token: &str, asked: &Asked, now: Duration) -> Vec<Value> {
    let from_the_head = model.bots.get(token).is_none_or(|bot| asked.offset > bot.last_update() + 1);
    let mut updates: Vec<Value> = model
        .queues_of(token)
        .flatten()
        .filter(|update| from_the_head || id(update) >= asked.offset)
        .filter(|update| !is_too_old(model, token, update, now))
        .cloned()
        .collect();
    updates.sort_by_key(id);
    updates.truncate(asked.limit);
    updates
}

/// What is told, which is noted as an attempt of a delivery.
fn hand_out(model: &mut Model, token: &str, asked: &Asked) -> Vec<Value> {
    let updates = waiting(model, token, asked, model.time.now());
    model.bot(token).polls.has_waited(asked.number);
    for update in &updates {
        if let Some(record) = model.journal.update(bot_id(token), id(update)) {
            record.state = State::UnderWay;
            // Told again, it is the same attempt: nobody has said yet what came of it.
            if record.attempts.iter().all(|attempt| attempt.took.is_some()) {
                let attempt =
                    Attempt { at: time::wall_clock(), status: None, took: None, met: super::faults::Met::default() };
                record.attempts.push(attempt);
            }
        }
    }
    updates
}

fn is_too_old(model: &Model, token: &str, update: &Value, now: Duration) -> bool {
    model.journal.get(bot_id(token), id(update)).is_some_and(|record| now > record.born + life(update))
}

fn id(update: &Value) -> i64 {
    update["update_id"].as_i64().unwrap_or_default()
}
