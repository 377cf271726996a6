//! The part of an Update that is read.
//!
//! Not frankenstein's `Update`: that one takes all or nothing, and an emoji or a sticker of a kind that it does not
//! know yet, in the message that a button hangs on, would lose the tap. What is not named here is skipped unread.
//! <https://core.telegram.org/bots/api#update>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::model::text;
use crate::model::{OrderId, TelegramUserId};

/// An update: exactly one of its optional parts, or none that concerns us.
#[derive(Debug, Deserialize)]
pub struct Update {
    /// Unique per bot; repeated when Telegram sends it again.
    pub update_id: i64,
    /// A tap on a button.
    pub callback_query: Option<CallbackQuery>,
    /// A message to the bot.
    pub message: Option<Message>,
    /// A message to the bot, as it is after an edit.
    pub edited_message: Option<Message>,
}

/// A tap.
#[derive(Debug, Deserialize)]
pub struct CallbackQuery {
    /// To be answered with.
    pub id: String,
    /// Who tapped: the one thing that Telegram vouches for.
    pub from: User,
    /// The message the button hangs on.
    pub message: Option<ButtonMessage>,
    /// What the button says, or whatever a client made up.
    pub data: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    id: i64,
    first_name: Option<String>,
    last_name: Option<String>,
}

impl User {
    /// The user's id.
    #[must_use]
    pub fn id(&self) -> TelegramUserId {
        TelegramUserId(self.id)
    }

    /// What the user is called in Telegram, which anybody chooses freely.
    #[must_use]
    pub fn name(&self) -> String {
        let names = [&self.first_name, &self.last_name].into_iter().flatten();
        names.map(|name| name.trim()).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// A contact that was shared.
#[derive(Clone, Debug, Deserialize)]
pub struct Contact {
    /// The phone, with or without a plus.
    pub phone_number: String,
    /// Whose it is, if that is a Telegram user.
    user_id: Option<i64>,
}

impl Contact {
    /// Whether it is this user's own.
    #[must_use]
    pub fn is_of(&self, user: TelegramUserId) -> bool {
        self.user_id == Some(user.0)
    }
}

/// A message that a button hangs on, which may have become inaccessible.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ButtonMessage {
    /// Unique in its chat.
    pub message_id: i32,
    /// Where.
    pub chat: Chat,
}

/// A message to the bot.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Unique in its chat.
    pub message_id: i32,
    /// Where.
    pub chat: Chat,
    /// By whom; nobody in a channel.
    pub from: Option<User>,
    /// When it was written, in seconds since 1970, UTC, by Telegram's clock.
    pub date: Option<i64>,
    /// What it says, if it is words, as far as that can be seen.
    #[serde(default, deserialize_with = "visible")]
    pub text: Option<String>,
    /// The message it replies to.
    pub reply_to_message: Option<RepliedTo>,
    /// When it was edited last, in seconds since 1970.
    pub edit_date: Option<i64>,
    /// The album it is part of.
    pub media_group_id: Option<String>,
    /// The contact that is shared with it.
    pub contact: Option<Contact>,
    /// Whatever else it has, of which only the names matter.
    #[serde(flatten)]
    #[expect(
        clippy::zero_sized_map_values,
        reason = "what is flattened is a map, and a set cannot leave values unread"
    )]
    parts: BTreeMap<String, IgnoredAny>,
}

/// What a person sends that is not text. Whatever has neither is said by Telegram itself: that something was pinned, say.
/// <https://core.telegram.org/bots/api#message>
const CONTENT: [&str; 17] = [
    "animation",
    "audio",
    "checklist",
    "dice",
    "document",
    "game",
    "live_photo",
    "location",
    "paid_media",
    "photo",
    "poll",
    "sticker",
    "story",
    "venue",
    "video",
    "video_note",
    "voice",
];

impl Message {
    /// Whether Telegram says it, rather than its sender.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.text.is_none() && self.contact.is_none() && !CONTENT.iter().any(|part| self.parts.contains_key(*part))
    }

    /// Whether it is somebody else's, passed on.
    #[must_use]
    pub fn is_forwarded(&self) -> bool {
        ["forward_origin", "forward_date"].iter().any(|part| self.parts.contains_key(*part))
    }

    /// The sender's own words; none in a picture.
    #[must_use]
    pub fn words(&self) -> &str {
        self.text.as_deref().unwrap_or_default().trim()
    }

    /// The command that it is; `None`: none, or somebody else's.
    #[must_use]
    pub fn command(&self) -> Option<Command<'_>> {
        Command::of(self.words()).filter(|_| !self.is_forwarded())
    }

    /// The code of a link that was followed: `/start <code>`. None in what somebody else wrote.
    #[must_use]
    pub fn start_code(&self) -> Option<&str> {
        let code = self.words().strip_prefix("/start ")?.trim();
        (!code.is_empty() && !self.is_forwarded()).then_some(code)
    }

    /// When it was written as it is, by Telegram's clock; `None`: it does not say.
    #[must_use]
    pub fn written(&self) -> Option<Timestamp> {
        self.edit_date.or(self.date).filter(|date| *date > 0).and_then(|date| Timestamp::from_second(date).ok())
    }
}

/// A command to a bot.
#[derive(Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// Its name in small letters, as phones begin a message with a capital one, without the slash and the bot's name.
    pub name: String,
    /// What stands behind it.
    pub rest: &'a str,
}

impl<'a> Command<'a> {
    fn of(words: &'a str) -> Option<Self> {
        let words = words.strip_prefix('/')?;
        let (name, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        let name = name.split('@').next().unwrap_or_default().to_lowercase();
        Some(Self { name, rest: rest.trim() })
    }

    /// The order whose number stands behind it.
    #[must_use]
    pub fn order(&self) -> Option<OrderId> {
        let number = self.rest.split_whitespace().next()?.trim_start_matches(['№', '#']);
        number.parse().ok().filter(|number| *number > 0).map(OrderId)
    }
}

/// Words without marks that nobody sees.
fn visible<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.as_deref().map(text::visible))
}

/// A message that was replied to.
#[derive(Debug, Deserialize)]
pub struct RepliedTo {
    /// What it says, if it is words.
    pub text: Option<String>,
}

/// A chat.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Chat {
    /// The chat's id: the user's own in a private chat, negative in a group.
    pub id: i64,
}

impl Chat {
    /// Whether this is the user's own chat with the bot; nothing is shown in any other.
    #[must_use]
    pub fn is_private_to(self, user: TelegramUserId) -> bool {
        self.id == user.0
    }
}

/// Finds the `update_id` of an update that could not be read otherwise.
#[must_use]
pub fn update_id(body: &[u8]) -> Option<i64> {
    #[derive(Deserialize)]
    struct OnlyId {
        update_id: i64,
    }
    serde_json::from_slice::<OnlyId>(body).ok().map(|update| update.update_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_understood_however_it_is_written() {
        for words in ["/why 123", "/why №123", "/WHY@dispatch_bot  #123", "/Why 123 пожалуйста"] {
            let command = Command::of(words).expect("a command");
            assert_eq!((command.name.as_str(), command.order()), ("why", Some(OrderId(123))), "{words}");
        }
        for words in ["/why", "/why что", "/why 0", "/why -5", "/why 99999999999999999999"] {
            let command = Command::of(words).expect("a command");
            assert_eq!((command.name.as_str(), command.order()), ("why", None), "{words}");
        }
        for words in ["why 5", ""] {
            assert_eq!(Command::of(words), None, "{words}");
        }
        assert_ne!(Command::of("/whynot 5").map(|command| command.name).as_deref(), Some("why"));
    }
}
