//! What the screens of the dispatchers' bot have in common.

use frankenstein::types::{ButtonStyle, InlineKeyboardButton, InlineKeyboardMarkup};

use crate::bots::callback::staff::StaffCallback;

/// A row of buttons.
pub(super) type Row = Vec<InlineKeyboardButton>;

/// Rows of buttons as a keyboard.
pub(super) fn markup(inline_keyboard: Vec<Row>) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup { inline_keyboard, force_reply: None }
}

/// A button.
pub(super) fn button(text: impl Into<String>, callback: StaffCallback) -> InlineKeyboardButton {
    InlineKeyboardButton::builder().text(text).callback_data(callback.to_string()).build()
}

/// A button in a row of its own.
pub(super) fn row(text: impl Into<String>, callback: StaffCallback) -> Row {
    vec![button(text, callback)]
}

/// The button that a screen is for.
pub(super) fn good(text: impl Into<String>, callback: StaffCallback) -> InlineKeyboardButton {
    InlineKeyboardButton { style: Some(ButtonStyle::Success), ..button(text, callback) }
}

/// A button that cannot be taken back.
pub(super) fn bad(text: impl Into<String>, callback: StaffCallback) -> InlineKeyboardButton {
    InlineKeyboardButton { style: Some(ButtonStyle::Danger), ..button(text, callback) }
}
