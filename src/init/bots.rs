//! The two bots: a token each, which Telegram knows.

use super::Error;
use super::console::{Question, Talk};
use crate::config::Token;
use crate::telegram::{self, Bot};

/// One of the two, in words.
pub(super) struct Which {
    /// Whose it is.
    whose: &'static str,
    variable: &'static str,
    flag: &'static str,
}

pub(super) const MASTER: Which =
    Which { whose: "technicians'", variable: "MASTER_BOT_TOKEN", flag: "--master-bot-token" };
pub(super) const ADMIN: Which = Which { whose: "dispatchers'", variable: "ADMIN_BOT_TOKEN", flag: "--admin-bot-token" };

/// A bot that Telegram knows.
pub(super) struct Known {
    pub(super) token: Token,
    pub(super) bot: Bot,
    /// As in `https://t.me/<name>`.
    pub(super) name: String,
}

/// Settles a bot's token. `other`: the one that it cannot be.
pub(super) async fn token(
    talk: &mut Talk<'_>,
    which: &Which,
    api: &str,
    given: Option<String>,
    known: impl Fn(&str) -> Option<String>,
    other: Option<&Token>,
) -> Result<Known, Error> {
    let text = format!("Token of the {} bot, from https://t.me/BotFather; it is not shown as you type:", which.whose);
    let usual = known(which.variable).map(|token| (token, "the one that is there"));
    let question = Question { text: &text, flag: which.flag, given, usual, hidden: true };
    let known = talk.settle(question, async |token: &str| check(which, api, token, other).await).await?;
    talk.say(&format!("  The {} bot is @{}.", which.whose, known.name))?;
    Ok(known)
}

async fn check(which: &Which, api: &str, token: &str, other: Option<&Token>) -> Result<Known, String> {
    let token = Token::parse(which.variable, token.trim()).map_err(|_| {
        "that is no token: BotFather gives digits, a colon and a key, such as 123456789:AAE…".to_owned()
    })?;
    let id = |token: &Token| token.reveal().split(':').next().map(|id| id.trim_start_matches('0').to_owned());
    if other.is_some_and(|other| id(other) == id(&token)) {
        return Err("that is the technicians' bot: the dispatchers need a bot of their own".to_owned());
    }
    let bot = Bot::new(telegram::http_client(api), api, &token);
    match bot.username().await {
        Ok(name) => Ok(Known { token, bot, name }),
        Err(telegram::Error::Refused { code: 401 | 404, .. }) => {
            Err("Telegram knows no such token: was all of it copied, or was it revoked?".to_owned())
        }
        Err(error) => Err(format!("{error}; is Telegram reachable from here?")),
    }
}
