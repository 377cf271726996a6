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

/// When strangers were last answered, as far as this process knows.
#[derive(Debug, Default)]
pub struct Strangers(Mutex<HashMap<(&'static str, i64), Instant>>);

impl Strangers {
    /// Whether a stranger may be answered now, who then is.
    #[must_use]
    pub fn may_be_answered(&self, bot: BotName, user: TelegramUserId) -> bool {
        self.may_be_answered_at(bot, user, Instant::now())
    }

    fn may_be_answered_at(&self, bot: BotName, user: TelegramUserId, now: Instant) -> bool {
        let mut answered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (bot.as_word(), user.0);
        let lately = |at: &Instant| now.saturating_duration_since(*at) < AGAIN;
        if answered.get(&key).is_some_and(lately) {
            return false;
        }
        if answered.len() >= REMEMBERED {
            answered.retain(|_, at| lately(at));
        }
        if answered.len() >= REMEMBERED {
            return false;
        }
        answered.insert(key, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_answered_once_in_ten_minutes_and_a_flood_of_them_is_not_remembered() {
        let (strangers, begun) = (Strangers::default(), Instant::now());
        let ask = |user, seconds| {
            let at = begun + Duration::from_secs(seconds);
            strangers.may_be_answered_at(BotName::Master, TelegramUserId(user), at)
        };
        assert_eq!([ask(1, 0), ask(1, 1), ask(1, 599), ask(2, 2), ask(1, 600)], [true, false, false, true, true]);
        assert!(strangers.may_be_answered_at(BotName::Admin, TelegramUserId(1), begun), "another bot");
        let answered = (10..20_000).filter(|user| ask(*user, 601)).count();
        assert!(answered < REMEMBERED, "{answered}");
        assert!(ask(30_000, 1300), "the old ones are forgotten");
    }
}
