//! What an operator is told of a bot whose updates cannot be asked for.

use std::time::Duration;

use crate::model::BotName;
use crate::telegram::{Error, Refusal};

/// Says why Telegram tells nothing, and what is to be done about it.
pub(super) fn complain(bot: BotName, error: &Error, pause: Duration) {
    let (bot, seconds) = (bot.as_str(), pause.as_secs());
    match error {
        Error::Refused { why: Refusal::AskedElsewhere, .. } => tracing::error!(
            bot,
            "somebody else asks for the {bot} bot's updates, and each gets some of them: a `serve --poll` with another \
             database, or another program with this token. Stop it, or revoke the token at BotFather; asking again in \
             {seconds} s"
        ),
        Error::Refused { why: Refusal::HasWebhook, .. } => tracing::error!(
            bot,
            "the {bot} bot has got a webhook, and Telegram tells its updates to nobody else. Remove it with \
             `field-service webhook delete --bot {bot}`; asking again in {seconds} s"
        ),
        Error::Refused { .. } => {
            tracing::error!(bot, %error, "Telegram does not tell the {bot} bot's updates; asking again in {seconds} s");
        }
        _ => tracing::warn!(bot, %error, "Telegram does not tell the {bot} bot's updates; asking again in {seconds} s"),
    }
}
