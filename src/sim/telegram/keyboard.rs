//! What a chat has beside its messages: the keyboard under the field that the person writes in, and the bot's commands.
//! <https://core.telegram.org/bots/api#replykeyboardmarkup>, <https://core.telegram.org/bots/api#setmycommands>

use serde::Serialize;
use serde_json::Value;

use super::html::utf16_length;

/// A keyboard under the field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplyKeyboard {
    /// Its rows.
    pub rows: Vec<Vec<ReplyKey>>,
    /// Whether it goes when one of its keys was pressed.
    #[serde(skip)]
    pub once: bool,
}

/// A key of it: it writes its text, or shares the person's own contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplyKey {
    /// What it says.
    pub text: String,
    /// Whether it shares the contact.
    pub contact: bool,
}

/// A command that the bot offers in a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    /// Without the slash.
    pub command: String,
    /// What it does.
    pub description: String,
}

/// What a message does to what is under the field.
pub(super) enum Under {
    AsBefore,
    Nothing,
    Keyboard(ReplyKeyboard),
}

impl Under {
    /// Reads a reply markup; inline buttons change nothing.
    ///
    /// # Errors
    /// What the Bot API says after "Bad Request: ".
    pub(super) fn parse(markup: &Value) -> Result<Self, String> {
        if markup["remove_keyboard"] == true {
            return Ok(Self::Nothing);
        }
        let Some(rows) = markup["keyboard"].as_array() else { return Ok(Self::AsBefore) };
        let row = |row: &Value| {
            let row = row.as_array().ok_or("field \"keyboard\" must be an Array of Arrays")?;
            row.iter().map(ReplyKey::parse).collect::<Result<Vec<_>, String>>()
        };
        let rows = rows.iter().map(row).collect::<Result<Vec<_>, String>>()?;
        if rows.iter().all(Vec::is_empty) {
            return Err("reply keyboard must have at least one button".to_owned());
        }
        Ok(Self::Keyboard(ReplyKeyboard { rows, once: markup["one_time_keyboard"] == true }))
    }
}

impl ReplyKey {
    fn parse(key: &Value) -> Result<Self, String> {
        let text = key.as_str().or_else(|| key["text"].as_str()).filter(|text| !text.is_empty());
        let text = text.ok_or("can't parse keyboard button: Can't find field \"text\"")?.to_owned();
        Ok(Self { text, contact: key["request_contact"] == true })
    }
}

impl Command {
    /// Reads the commands that a chat is to have.
    ///
    /// # Errors
    /// What the Bot API says after "Bad Request: ".
    pub(super) fn list(commands: &Value) -> Result<Vec<Self>, String> {
        let commands = commands.as_array().ok_or("expected an Array of BotCommand")?;
        if commands.len() > 100 {
            return Err("BOT_COMMANDS_TOO_MUCH".to_owned());
        }
        commands.iter().map(Self::parse).collect()
    }

    fn parse(command: &Value) -> Result<Self, String> {
        let field = |name: &str| command[name].as_str().map(ToOwned::to_owned).unwrap_or_default();
        let (command, description) = (field("command"), field("description"));
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=32).contains(&command.len()) || !command.bytes().all(allowed) {
            return Err("BOT_COMMAND_INVALID".to_owned());
        }
        if !(1..=256).contains(&utf16_length(&description)) {
            return Err("BOT_COMMAND_DESCRIPTION_INVALID".to_owned());
        }
        Ok(Self { command, description })
    }
}

/// The name of the bot and the code in a link such as `https://t.me/orders_bot?start=<code>`.
/// <https://core.telegram.org/bots/features#deep-linking>
pub(super) fn deep_link(link: &str) -> Option<(&str, &str)> {
    let rest = link.trim().strip_prefix("https://t.me/")?;
    let (bot, code) = rest.split_once("?start=")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    ((1..=64).contains(&code.len()) && code.chars().all(allowed)).then_some((bot, code))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_link_starts_a_bot_with_at_most_64_characters() {
        let link = |code: &str| format!("https://t.me/orders_1_bot?start={code}");
        assert_eq!(deep_link(&link("a-b_C1")), Some(("orders_1_bot", "a-b_C1")));
        assert!(deep_link(&link(&"x".repeat(64))).is_some());
        for bad in [link(""), link(&"x".repeat(65)), link("a b"), link("а"), "https://t.me/orders_1_bot".to_owned()] {
            assert_eq!(deep_link(&bad), None, "{bad}");
        }
    }

    #[test]
    fn commands_are_lower_case_and_described() {
        let list = |command: &str, description: &str| {
            Command::list(&json!([{"command": command, "description": description}]))
        };
        assert_eq!(list("new_1", "Новая").map(|list| list.len()), Ok(1));
        for (command, description) in [("New", "x"), ("", "x"), ("новая", "x"), ("new", "")] {
            assert!(list(command, description).is_err(), "{command}");
        }
    }
}
