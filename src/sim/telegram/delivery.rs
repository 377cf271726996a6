//! How updates reach a bot's webhook.
//!
//! A person's messages one after another, and so a person's taps; people in parallel. Anything but a 2xx is tried again:
//! at once, then after 2, 4, 8 s and so on up to one or two minutes, while what comes after it in its queue waits. An update that could not be delivered
//! in its lifetime is dropped. The rules are the real server's:
//! <https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/WebhookActor.cpp>

use std::time::{Duration, Instant};

use serde_json::Value;

use super::faults::Met;
use super::journal::{Attempt, Record, State};
use super::model::{Lane, bot_id};
use super::updates::life;
use super::{Telegram, api, time};

/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_mins(1);

/// What became of one attempt to deliver an update.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// The webhook's status; `None` if it hung up or did not answer.
    pub status: Option<u16>,
    /// From the first byte sent to the answer.
    pub took: Duration,
    /// The answer's `Retry-After`, in seconds.
    retry_after: Option<u64>,
}

impl Delivery {
    fn succeeded(self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// The wait after the attempt that made `failures`, or what the webhook asks for, an hour at most. `up_to` is where the
/// waits stop growing; the real server rolls dice between one and two minutes for it.
fn wait_after(failures: u32, asked: Option<u64>, up_to: Duration) -> Duration {
    match (asked.unwrap_or(0), failures) {
        (0, ..=1) => Duration::ZERO,
        (0, _) => Duration::from_secs(1 << (failures - 1).min(20)).min(up_to),
        (seconds, _) => Duration::from_secs(seconds.min(3600)),
    }
}

impl Telegram {
    /// Puts an update at the end of its person's queue, to be delivered by the rules above, with the faults that
    /// [`set_faults`](Self::set_faults) has put in force. One of a kind that the bot has not asked for is not delivered.
    ///
    /// # Panics
    /// When there is no such bot.
    pub fn enqueue(&self, token: &str, update: Value) {
        let callbacks = update["callback_query"].is_object();
        let from = ["callback_query", "message", "edited_message"].map(|kind| update[kind]["from"]["id"].as_i64());
        let person = from.into_iter().flatten().next().unwrap_or_default();
        let lane = Lane { token: token.to_owned(), person, callbacks };
        let unattended = self.change(|model| {
            if !model.wants(token, &update) {
                if let Some(record) = record(model, token, &update) {
                    record.state = State::Unwanted;
                }
                return false;
            }
            model.queues.entry(lane.clone()).or_default().push_back(update);
            model.attended.insert(lane.clone())
        });
        if unattended {
            let telegram = self.clone();
            tokio::spawn(async move { telegram.empty(&lane).await });
        }
    }

    /// Ready when nothing of a person waits to be delivered to a bot.
    ///
    /// # Panics
    /// Never: the model lives as long as this.
    pub async fn idle(&self, bot: i64, person: i64) {
        let mut changes = self.changes();
        let waits = |lane: &Lane| lane.person == person && bot_id(&lane.token) == bot;
        while self.read(|model| model.queues.iter().any(|(lane, queue)| waits(lane) && !queue.is_empty())) {
            changes.changed().await.expect("the sender is in self");
        }
    }

    /// Delivers what is in a queue until there is nothing left.
    async fn empty(&self, lane: &Lane) {
        let mut next = self.read(|model| model.queues.get(lane)?.front().cloned());
        while let Some(update) = next {
            self.deliver_until_done(lane, &update).await;
            // In one step, so that a queue is either empty or has somebody at work on it.
            next = self.change(|model| {
                model.remove_queued(&lane.token, update["update_id"].as_i64().unwrap_or_default());
                let next = model.queues.get(lane).and_then(|queue| queue.front().cloned());
                if next.is_none() {
                    model.attended.remove(lane);
                }
                next
            });
        }
    }

    /// Waits while the bot has no webhook; false: the update is not there any more, as the bot asks for its updates itself.
    async fn is_to_be_delivered(&self, lane: &Lane, update: &Value) -> bool {
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            let (is_queued, has_webhook) = self.read(|model| {
                let queue = model.queues.get(lane);
                let is_queued =
                    queue.is_some_and(|queue| queue.iter().any(|queued| queued["update_id"] == update["update_id"]));
                (is_queued, model.bots.get(&lane.token).is_some_and(|bot| bot.webhook.is_some()))
            });
            if has_webhook || !is_queued {
                return is_queued;
            }
            if changes.changed().await.is_err() {
                return false;
            }
        }
    }

    async fn deliver_until_done(&self, lane: &Lane, update: &Value) {
        let (clock, born) = self.change(|model| {
            let born = record(model, &lane.token, update).map(|record| record.born);
            (model.time.clone(), born.unwrap_or_else(|| model.time.now()))
        });
        let dies = born + life(update);
        let up_to = Duration::from_secs(60 + update["update_id"].as_u64().unwrap_or_default() % 60);
        let mut failures = 0;
        let state = loop {
            if !self.is_to_be_delivered(lane, update).await {
                return;
            }
            if clock.now() > dies {
                break State::Dropped;
            }
            let met = self.change(|model| model.faults.meet(failures == 0));
            if let Some(late) = met.late {
                self.wait(lane, update, late).await;
                if clock.now() > dies {
                    break State::Dropped;
                }
            }
            let mut delivery = self.attempt(&lane.token, update, met, failures == 0 && met.overlapping).await;
            if met.twice && delivery.succeeded() {
                delivery = self.attempt(&lane.token, update, Met { late: None, ..met }, false).await;
            }
            if delivery.succeeded() {
                break State::Delivered;
            }
            failures += 1;
            let wait = wait_after(failures, delivery.retry_after, up_to);
            if clock.now() + wait > dies {
                break State::Dropped;
            }
            self.wait(lane, update, wait).await;
        };
        self.change(|model| record(model, &lane.token, update).map(|record| record.state = state));
    }

    async fn wait(&self, lane: &Lane, update: &Value, wait: Duration) {
        let (clock, due) = self.change(|model| {
            let due = model.time.now() + wait;
            if let Some(record) = record(model, &lane.token, update) {
                record.state = State::Waiting;
                (record.due, record.next) = (Some(due), Some(time::wall_clock() + wait.as_secs_f64() * 1000.0));
            }
            (model.time.clone(), due)
        });
        clock.until(due).await;
        self.change(|model| {
            if let Some(record) = record(model, &lane.token, update) {
                (record.due, record.next) = (None, None);
            }
        });
    }

    /// Delivers an update to the bot's webhook now, once, whatever waits in its queue. Of a bot without a webhook: puts it into the
    /// queue, and waits until the bot has asked for it and taken it.
    ///
    /// # Panics
    /// When there is no such bot.
    pub async fn deliver(&self, token: &str, update: &Value) -> Delivery {
        if self.webhook(token).is_none() {
            return self.until_taken(token, update).await;
        }
        let delivery = self.attempt(token, update, Met::default(), false).await;
        let state = if delivery.succeeded() { State::Delivered } else { State::Failed };
        self.change(|model| record(model, token, update).map(|record| record.state = state));
        delivery
    }

    async fn until_taken(&self, token: &str, update: &Value) -> Delivery {
        let begun = Instant::now();
        let mut changes = self.changes();
        self.enqueue(token, update.clone());
        let update_id = update["update_id"].as_i64().unwrap_or_default();
        let status = loop {
            changes.borrow_and_update();
            match self.update(bot_id(token), update_id).map(|record| record.state) {
                Some(State::Delivered) => break Some(200),
                None | Some(State::Dropped | State::Unwanted) => break None,
                Some(_) => {}
            }
            if changes.changed().await.is_err() {
                break None;
            }
        };
        Delivery { status, took: begun.elapsed(), retry_after: None }
    }

    /// One attempt, or two of which the second begins while the first is under way; the better of them then.
    async fn attempt(&self, token: &str, update: &Value, met: Met, overlapping: bool) -> Delivery {
        if !overlapping {
            return self.post(token, update, met).await;
        }
        let (first, second) = tokio::join!(self.post(token, update, met), self.post(token, update, met));
        if first.succeeded() { first } else { second }
    }

    async fn post(&self, token: &str, update: &Value, met: Met) -> Delivery {
        let (webhook, number) = self.change(|model| {
            let webhook = model.bot(token).webhook.clone();
            let number = record(model, token, update).map(|record| {
                record.state = State::UnderWay;
                record.calls_meet = met.calls;
                record.attempts.push(Attempt { at: time::wall_clock(), status: None, took: None, met });
                record.attempts.len() - 1
            });
            (webhook, number)
        });
        let begun = Instant::now();
        let answer = match webhook {
            Some(webhook) => self.ask(token, &webhook, update, met.wrong_secret).await,
            None => Err("no webhook is set".to_owned()),
        };
        let took = begun.elapsed();
        self.change(|model| {
            let failure = match &answer {
                Ok((200..300, _)) => None,
                Ok((status, _)) => Some(format!("Wrong response from the webhook: {status}")),
                Err(why) => Some(why.clone()),
            };
            if let Some(why) = failure {
                let now = time::seconds(time::wall_clock());
                model.bot(token).last_error = Some((now, why));
            }
            if let Some((record, number)) = record(model, token, update).zip(number) {
                let attempt = &mut record.attempts[number];
                attempt.status = answer.as_ref().ok().map(|(status, _)| *status);
                attempt.took = Some(took.as_secs_f64() * 1000.0);
                if record.attempts.iter().all(|attempt| attempt.took.is_some()) {
                    record.calls_meet = None;
                }
            }
        });
        let retry_after = answer.as_ref().ok().and_then(|(_, retry_after)| *retry_after);
        Delivery { status: answer.ok().map(|(status, _)| status), took, retry_after }
    }

    /// The webhook's status and `Retry-After`. A call in the body of its answer is carried out.
    async fn ask(
        &self,
        token: &str,
        webhook: &super::Webhook,
        update: &Value,
        wrong_secret: bool,
    ) -> Result<(u16, Option<u64>), String> {
        let secret = webhook.secret.clone().unwrap_or_default() + if wrong_secret { "-wrong" } else { "" };
        let answer = self
            .client
            .post(&webhook.url)
            .timeout(ANSWER)
            .header("X-Telegram-Bot-Api-Secret-Token", secret)
            .header("Content-Type", "application/json")
            .body(update.to_string())
            .send()
            .await;
        let describe = |error: &reqwest::Error| {
            if error.is_timeout() {
                "Read timeout expired"
            } else if error.is_connect() {
                "Connection refused"
            } else {
                "Webhook connection closed"
            }
        };
        let answer = answer.map_err(|error| describe(&error).to_owned())?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.bytes().await.map_err(|error| describe(&error).to_owned())?;
        if let Ok(call) = serde_json::from_slice::<Value>(&body)
            && (200..300).contains(&status)
            && let Some(method) = call["method"].as_str()
            && api::may_be_an_answer(method)
        {
            // Its result is told to nobody.
            drop(api::carry_out(&self.shared, token, method, &call));
        }
        Ok((status, retry_after))
    }
}

fn record<'a>(model: &'a mut super::model::Model, token: &str, update: &Value) -> Option<&'a mut Record> {
    model.journal.update(bot_id(token), update["update_id"].as_i64()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::wait_after;

    #[test]
    fn the_first_retry_is_immediate_and_the_waits_grow_to_a_limit() {
        let waits: Vec<_> =
            (1..=9).map(|failures| wait_after(failures, None, Duration::from_secs(90)).as_secs()).collect();
        assert_eq!(waits, [0, 2, 4, 8, 16, 32, 64, 90, 90]);
        assert_eq!(wait_after(1, Some(7), Duration::from_mins(1)).as_secs(), 7);
        assert_eq!(wait_after(5, Some(100_000), Duration::from_mins(1)).as_secs(), 3600);
    }
}
