//! Why Telegram did not answer, without the URL, which has the token in it, and without what it sent.

use crate::logging::cause;

pub(super) fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    cause::of(error).unwrap_or_else(|| "the request failed".to_owned())
}
