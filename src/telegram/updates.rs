//! A bot's updates, asked for rather than delivered.
//! <https://core.telegram.org/bots/api#getupdates>

use std::time::Duration;

use serde_json::json;
use serde_json::value::RawValue;

use super::{Bot, CALL, Error, HANDLED, read};

/// The most updates of one answer: Telegram's own limit.
pub const AT_ONCE: u8 = 100;

/// How much of an answer is read, in bytes: the real server makes no update larger than 64 KiB.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

impl Bot {
    /// What waits at Telegram from `offset` on, the oldest first and at most [`AT_ONCE`], each as it is; what comes before it is
    /// taken by this, and not told again. Without an offset: everything. With nothing to tell, Telegram waits for so long, in
    /// whole seconds and 50 at most.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer. Nothing is lost by that.
    pub async fn updates(&self, offset: Option<i64>, wait: Duration) -> Result<Vec<Box<RawValue>>, Error> {
        let params = json!({
            "offset": offset.unwrap_or(0), "limit": AT_ONCE, "timeout": wait.as_secs(), "allowed_updates": HANDLED,
        });
        let answer = self.post("getUpdates", params.to_string().into_bytes(), wait + CALL, ANSWER_LIMIT).await;
        let result = answer
            .map_err(|error| Error::NoAnswer(super::no_answer::why(&error)))
            .and_then(|(status, body)| read(status, &body));
        self.metrics.count_call("getUpdates", result.as_ref().map_or_else(Error::counted, |_| "OK"));
        result
    }
}
