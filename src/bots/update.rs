//! The part of an Update that is read.
//!
//! Not frankenstein's `Update`: that one takes all or nothing, and an emoji or a sticker of a kind that it does not
//! know yet, in the message that a button hangs on, would lose the tap. What is not named here is skipped unread.
//! <https://core.telegram.org/bots/api#update>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::model::TelegramUserId;
use crate::model::text;

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
