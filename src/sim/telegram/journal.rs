//! What became of every update: attempts, answers, and what the bot called meanwhile.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use super::faults::{Fault, Met};

/// How many updates are remembered.
const REMEMBERED: usize = 5000;

/// How a callback was answered.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// What pops up; nothing for a plain end of the spinner.
    pub text: Option<String>,
    /// A dialog rather than a line.
    pub alert: bool,
    /// When, in milliseconds since 1970.
    pub at: f64,
}

/// An update and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Counts a bot's updates.
    pub update_id: i64,
    /// The bot, by the public part of its token.
    pub bot: i64,
    /// Whose update it is.
    pub person: i64,
    /// Nobody plays this person: a program acted for them.
    pub simulated: bool,
    /// What the person did: the text written, or the button's label.
    pub what: String,
    /// The message that the tapped button hangs under.
    pub message: Option<i32>,
    /// The tapped button's `callback_data`.
    pub data: Option<String>,
    /// When, in milliseconds since 1970.
    pub made: f64,
    /// Where its delivery stands.
    pub state: State,
    /// Every delivery so far.
    pub attempts: Vec<Attempt>,
    /// What the bot called while it was being delivered, as far as it has to do with this person.
    pub calls: Vec<MadeCall>,
    /// How the callback was answered, in order.
    pub answers: Vec<Answer>,
    /// When the next attempt is due, in milliseconds since 1970, if nobody puts Telegram's clock forward.
    pub next: Option<f64>,
    /// The same by Telegram's clock.
    #[serde(skip)]
    pub(super) due: Option<Duration>,
    /// The callback's id.
    #[serde(skip)]
    pub(super) query: Option<String>,
    /// When it was made, by Telegram's clock.
    #[serde(skip)]
    pub(super) born: Duration,
    /// What calls meet while it is being delivered.
    #[serde(skip)]
    pub(super) calls_meet: Option<Fault>,
}

/// Where a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not attempted yet: earlier ones come first.
    Queued,
    /// An attempt is under way.
    UnderWay,
    /// Waits before the next attempt.
    Waiting,
    /// Answered with 2xx.
    Delivered,
    /// Delivered once, past the queue, and not answered with 2xx.
    Failed,
    /// Too old to be delivered.
    Dropped,
    /// Of a kind that the bot has not asked for.
    Unwanted,
}

/// One delivery.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// When, in milliseconds since 1970.
    pub at: f64,
    /// The status it was answered with; none if it was not answered, or not yet.
    pub status: Option<u16>,
    /// Milliseconds until the answer; none while it is under way.
    pub took: Option<f64>,
    /// The faults it met.
    pub met: Met,
}

/// A call by the bot.
#[derive(Clone, Debug, Serialize)]
pub struct MadeCall {
    /// The method.
    pub method: String,
    /// The status it was answered with; 0 for none.
    pub status: u16,
    /// Why, if it was refused.
    pub refusal: Option<String>,
    /// When it arrived, in milliseconds since 1970.
    pub at: f64,
}

/// The last updates, in the order in which they were made.
#[derive(Default)]
pub(super) struct Journal(VecDeque<Record>);

impl Journal {
    pub(super) fn add(&mut self, record: Record) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(record);
    }

    /// When the first of the next attempts is due.
    pub(super) fn first_due(&self) -> Option<Duration> {
        self.0.iter().filter_map(|record| record.due).min()
    }

    pub(super) fn latest(&self, count: usize) -> impl Iterator<Item = &Record> {
        self.0.range(self.0.len().saturating_sub(count)..)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.0.iter()
    }

    /// The update, unless it was made by hand or is forgotten.
    pub(super) fn update(&mut self, bot: i64, update_id: i64) -> Option<&mut Record> {
        self.0.iter_mut().rfind(|record| record.bot == bot && record.update_id == update_id)
    }

    pub(super) fn get(&self, bot: i64, update_id: i64) -> Option<&Record> {
        self.0.iter().rfind(|record| record.bot == bot && record.update_id == update_id)
    }

    pub(super) fn callback(&mut self, query: &str) -> Option<&mut Record> {
        self.0.iter_mut().rfind(|record| record.query.as_deref() == Some(query))
    }

    /// The update that a call of the bot has to do with: the callback it answers, or else what is being delivered for
    /// the person it writes to.
    pub(super) fn concerned(&mut self, bot: i64, params: &serde_json::Value) -> Option<&mut Record> {
        if let Some(query) = params["callback_query_id"].as_str() {
            return self.callback(query).filter(|record| record.bot == bot);
        }
        let person = params["chat_id"].as_i64()?;
        self.0
            .iter_mut()
            .rfind(|record| record.bot == bot && record.person == person && record.state == State::UnderWay)
    }
}
