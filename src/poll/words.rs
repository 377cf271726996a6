//! What an operator is told of a bot whose updates cannot be fetched.

use std::time::Duration;

use crate::model::BotName;
use crate::telegram::{Error, Refusal};

/// Says why Telegram delivers nothing, and what is to be done about it.
pub(super) fn complain(bot: BotName, method: &str, error: &Error, pause: Duration) {
    let (bot, seconds) = (bot.as_str(), pause.as_secs());
    match error {
        Error::Refused { why: Refusal::AskedElsewhere, .. } => tracing::error!(
            bot,
            "something else fetches the {bot} bot's updates with getUpdates, and each gets some of them: a `serve --poll` \
             with another database, or another program with this token. Stop it, or revoke the token at BotFather; trying \
             again in {seconds} s"
        ),
        Error::Refused { why: Refusal::HasWebhook, .. } => tracing::error!(
            bot,
            "a webhook was set for the {bot} bot, and Telegram refuses getUpdates while there is one. Remove it with \
             `field-service webhook delete --bot {bot}`; trying again in {seconds} s"
        ),
        Error::Refused { .. } => {
            tracing::error!(bot, %error, "{method} failed for the {bot} bot; trying again in {seconds} s");
        }
        _ => tracing::warn!(bot, %error, "{method} failed for the {bot} bot; trying again in {seconds} s"),
    }
}
