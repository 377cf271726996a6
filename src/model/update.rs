//! Updates: what makes a redelivery recognisable, and what is known of one that was handled before.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::{BotName, OrderId};

/// Through which door something is asked for, as in `processed_updates.bot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// One of the bots.
    Bot(BotName),
    /// HTTP.
    Api,
}

impl Door {
    /// The word in the database.
    #[must_use]
    pub fn as_word(self) -> &'static str {
        match self {
            Self::Bot(bot) => bot.as_word(),
            Self::Api => "API",
        }
    }
}

/// An update's idempotency key: the same whenever Telegram delivers it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateKey {
    /// The door it came through.
    pub door: Door,
    /// Unique for the door.
    pub key: String,
}

impl UpdateKey {
    /// The key of a tap, by the callback query's id. Telegram's are numbers of at most 20 digits; of anything else as much
    /// is kept as the database can hold.
    #[must_use]
    pub fn callback(bot: BotName, id: &str) -> Self {
        let id: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
        Self { door: Door::Bot(bot), key: format!("callback {id}") }
    }

    /// The key of a message, whose id is unique in its chat.
    #[must_use]
    pub fn message(bot: BotName, chat: i64, id: i32) -> Self {
        Self { door: Door::Bot(bot), key: format!("message {chat} {id}") }
    }

    /// The key of an edit of a message, by when it was edited: in seconds since 1970.
    #[must_use]
    pub fn edit(bot: BotName, chat: i64, id: i32, edited: i64) -> Self {
        Self { door: Door::Bot(bot), key: format!("edit {chat} {id} {edited}") }
    }

    /// The key of an album, whose photos come as messages of their own.
    #[must_use]
    pub fn album(bot: BotName, chat: i64, group: &str) -> Self {
        let group: String = group.chars().filter(|c| !c.is_control()).take(64).collect();
        Self { door: Door::Bot(bot), key: format!("album {chat} {group}") }
    }

    /// The key of a request over HTTP, by a digest of what makes it the same request.
    #[must_use]
    pub fn request(digest: &[u8]) -> Self {
        // No person's or program's own key, which begins with a number, is like that.
        Self { door: Door::Api, key: format!("request {}", URL_SAFE_NO_PAD.encode(digest)) }
    }
}

/// Where something was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Recorded in the transaction that answers it, so that a redelivery changes nothing more.
    pub update: UpdateKey,
    /// The message of the person's own chat that will show the answer, and no offer's card any more; `None`: a new one.
    pub message: Option<i32>,
    /// When it was written, by Telegram's clock in whole seconds, if it is a message.
    pub written: Option<Timestamp>,
}

/// What an update asked for, as in `processed_updates.action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take an order.
    Accept,
    /// Decline an offer.
    Decline,
    /// Report how far an order is.
    Progress,
    /// Close an order with a sum of money; or say the sum, which is yet to be confirmed.
    Close,
    /// Correct the sum of an order that is closed.
    Correct,
    /// Give an order back with a reason; or say the reason, which is yet to be confirmed.
    GiveBack,
    /// Be asked a question.
    Ask,
    /// Come on shift, or leave.
    Shift,
    /// See a screen; or words that answer nothing.
    Show,
    /// Give an order to a master.
    Assign,
    /// Cancel an order.
    Cancel,
    /// Take an order away from its master.
    TakeBack,
    /// Change a master: shift, block, limit, trades, districts.
    ChangeMaster,
    /// Say who sees to an order.
    Claim,
    /// Ask masters about an order now.
    Hasten,
    /// Close an order on its master's behalf.
    CloseFor,
    /// Open an order again.
    Reopen,
    /// Change what an order says.
    Edit,
    /// Say something of a new order.
    Draft,
    /// Make a new order.
    Create,
    /// Change how masters are searched for.
    SetPolicy,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 21] = [
        Self::Accept,
        Self::Decline,
        Self::Progress,
        Self::Close,
        Self::Correct,
        Self::GiveBack,
        Self::Ask,
        Self::Shift,
        Self::Show,
        Self::Assign,
        Self::Cancel,
        Self::TakeBack,
        Self::ChangeMaster,
        Self::Claim,
        Self::Hasten,
        Self::CloseFor,
        Self::Reopen,
        Self::Edit,
        Self::Draft,
        Self::Create,
        Self::SetPolicy,
    ];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Decline => "DECLINE",
            Self::Progress => "PROGRESS",
            Self::Close => "CLOSE",
            Self::Correct => "CORRECT",
            Self::GiveBack => "GIVE_BACK",
            Self::Ask => "ASK",
            Self::Shift => "SHIFT",
            Self::Show => "SHOW",
            Self::Assign => "ASSIGN",
            Self::Cancel => "CANCEL",
            Self::TakeBack => "TAKE_BACK",
            Self::ChangeMaster => "CHANGE_MASTER",
            Self::Claim => "CLAIM",
            Self::Hasten => "HASTEN",
            Self::CloseFor => "CLOSE_FOR",
            Self::Reopen => "REOPEN",
            Self::Edit => "EDIT",
            Self::Draft => "DRAFT",
            Self::Create => "CREATE",
            Self::SetPolicy => "SET_POLICY",
        }
    }

    /// The action of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// An update that was handled before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processed {
    /// What it asked for; `None`: what only a later release knows.
    pub action: Option<Action>,
    /// About which order.
    pub order: Option<OrderId>,
    /// The word of its outcome.
    pub outcome: String,
}
