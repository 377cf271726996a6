//! The two doors of Telegram: what an update asks for, and what is shown.

pub mod callback;
pub mod delivery;
pub mod dispatcher;
pub mod master;
pub mod render;
pub mod update;

use crate::app::App;
use crate::telegram;

/// A call that failed after the commit costs the person a look at the screen, not the order: the next tap shows it.
fn log_failure<T>(app: &App, method: &str, result: &Result<T, telegram::Error>) {
    match result {
        Ok(_) => {}
        Err(telegram::Error::StaleQuery) => {
            tracing::info!(method, "the callback was too old to be answered");
            app.metrics.count("telegram", "STALE");
        }
        Err(error) => {
            tracing::warn!(method, %error, "a call to Telegram failed");
            app.metrics.count("telegram", "FAILED");
        }
    }
}
