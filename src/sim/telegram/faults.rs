//! What can be made to go wrong between Telegram and a bot.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A failure that a call of a bot is to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 429 with `retry_after` in seconds.
    TooManyRequests(u16),
    /// 403: the person blocked the bot.
    Forbidden,
    /// 400: there is something wrong with the message.
    BadRequest,
    /// 500 in the Bot API's own JSON.
    ServerError,
    /// 502 with a page of HTML from something in between.
    BadGateway,
    /// No answer until the caller gives up; the call has no effect.
    Hang,
}

/// For how long a fault is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// It is not.
    #[default]
    Off,
    /// For the first attempt to deliver the next update.
    Next,
    /// For every attempt, until switched off.
    Standing,
}

impl Force {
    /// Whether an attempt meets the fault; the first attempt for an update uses a [`Force::Next`] up.
    fn meets(&mut self, first: bool) -> bool {
        match *self {
            Self::Next if first => {
                *self = Self::Off;
                true
            }
            Self::Off | Self::Next => false,
            Self::Standing => true,
        }
    }
}

/// Which faults deliveries meet. A bot that asks for its updates has none of them but [`calls`](Self::calls).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// After a success the update is delivered once more, as if the answer had been lost.
    pub twice: Force,
    /// A second delivery while the first is under way, as after a minute without an answer.
    pub overlapping: Force,
    /// It is held back for [`late_seconds`](Self::late_seconds).
    pub late: Force,
    /// How late.
    pub late_seconds: u16,
    /// It comes with a wrong secret, as from somebody else.
    pub wrong_secret: Force,
    /// What the handler calls meanwhile meets [`answer`](Self::answer); while it stands, so does every other call.
    pub calls: Force,
    /// What calls are answered with.
    pub answer: Fault,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            twice: Force::Off,
            overlapping: Force::Off,
            late: Force::Off,
            late_seconds: 20,
            wrong_secret: Force::Off,
            calls: Force::Off,
            answer: Fault::ServerError,
        }
    }
}

/// What one attempt meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Met {
    /// See [`Faults::twice`].
    pub twice: bool,
    /// See [`Faults::overlapping`].
    pub overlapping: bool,
    /// See [`Faults::late`].
    pub late: Option<Duration>,
    /// See [`Faults::wrong_secret`].
    pub wrong_secret: bool,
    /// See [`Faults::calls`].
    pub calls: Option<Fault>,
}

impl Faults {
    /// What the next attempt meets, the first one for its update or a later one.
    pub(super) fn meet(&mut self, first: bool) -> Met {
        let late = Duration::from_secs(self.late_seconds.into());
        Met {
            twice: self.twice.meets(first),
            overlapping: self.overlapping.meets(first),
            // Held back once: what is to be delivered again is late enough.
            late: (first && self.late.meets(first)).then_some(late),
            wrong_secret: self.wrong_secret.meets(first),
            calls: self.calls.meets(first).then_some(self.answer),
        }
    }
}

/// Faults that coming calls meet, whoever makes them: a number of calls of a method, or every so many of all.
#[derive(Debug, Default)]
pub(super) struct NextCalls {
    by_method: HashMap<String, VecDeque<Fault>>,
    every: usize,
    in_turn: VecDeque<Fault>,
    calls: usize,
}

impl NextCalls {
    pub(super) fn fail(&mut self, method: &str, times: usize, fault: Fault) {
        self.by_method.entry(method.to_owned()).or_default().extend(std::iter::repeat_n(fault, times));
    }

    pub(super) fn fail_every(&mut self, every: usize, in_turn: impl Into<VecDeque<Fault>>) {
        (self.every, self.in_turn, self.calls) = (every, in_turn.into(), 0);
    }

    pub(super) fn take(&mut self, method: &str) -> Option<Fault> {
        self.calls += 1;
        let meant = self.by_method.get_mut(method).and_then(VecDeque::pop_front);
        meant.or_else(|| {
            let fault = *self.in_turn.front().filter(|_| self.calls.is_multiple_of(self.every))?;
            self.in_turn.rotate_left(1);
            Some(fault)
        })
    }
}
