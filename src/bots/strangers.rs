//! Strangers: whoever writes to a bot and is known to nobody is answered, but not again and again: that would use up the pace at
//! which Telegram lets the bot write to those who work with it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::{BotName, TelegramUserId};

/// How soon a stranger is answered again.
const AGAIN: Duration = Duration::from_mins(10);
/// How many strangers are remembered; beyond that nobody new is answered until one can be forgotten.
const REMEMBERED: usize = 10_000;

/// How often the same message is answered: Telegram sends one again that was not, after 2, 4 and 8 seconds and so on.
const ATTEMPTS: u8 = 5;

/// When strangers were last answered, as far as this process knows.
#[derive(Debug, Default)]
pub struct Strangers(Mutex<HashMap<(&'static str, i64), Answered>>);

#[derive(Debug)]
struct Answered {
    at: Instant,
    message: i32,
    attempts: u8,
}

impl Strangers {
    /// Whether a stranger's message may be answered now, which then is: also when it comes again some times, as Telegram did not
    /// take the answer.
    #[must_use]
    pub fn may_be_answered(&self, bot: BotName, user: TelegramUserId, message: i32) -> bool {
        self.may_be_answered_at(bot, user, message, Instant::now())
    }

    fn may_be_answered_at(&self, bot: BotName, user: TelegramUserId, message: i32, now: Instant) -> bool {
        let mut answered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (bot.as_word(), user.0);
        let lately = |last: &Answered| now.saturating_duration_since(last.at) < AGAIN;
        if let Some(last) = answered.get_mut(&key).filter(|last| lately(last)) {
            let may = last.message == message && last.attempts < ATTEMPTS;
            last.attempts += u8::from(may);
            return may;
        }
        if answered.len() >= REMEMBERED {
            answered.retain(|_, last| lately(last));
        }
        if answered.len() >= REMEMBERED {
            return false;
        }
        answered.insert(key, Answered { at: now, message, attempts: 1 });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_answered_once_in_ten_minutes_and_a_flood_of_them_is_not_remembered() {
        let (strangers, begun) = (Strangers::default(), Instant::now());
        let again = |user, message, seconds| {
            let at = begun + Duration::from_secs(seconds);
            strangers.may_be_answered_at(BotName::Master, TelegramUserId(user), message, at)
        };
        let mut message = 0;
        let mut ask = |user, seconds| {
            message += 1;
            again(user, message, seconds)
        };
        assert_eq!([ask(1, 0), ask(1, 1), ask(1, 599), ask(2, 2), ask(1, 600)], [true, false, false, true, true]);
        assert!(strangers.may_be_answered_at(BotName::Admin, TelegramUserId(1), 1, begun), "another bot");
        let answered = (10..20_000).filter(|user| ask(*user, 601)).count();
        assert!(answered < REMEMBERED, "{answered}");
        assert!(ask(30_000, 1300), "the old ones are forgotten");
        assert_eq!([again(7, 50, 2000), again(7, 50, 2001), again(7, 51, 2002)], [true, true, false], "by message");
        assert_eq!((0..9).filter(|_| again(8, 50, 2000)).count(), usize::from(ATTEMPTS));
    }
}
