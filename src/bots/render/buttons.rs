//! Buttons, as the screens of both bots have them.

use std::fmt::Display;

use frankenstein::types::{ButtonStyle, CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup};

use crate::model::text::cut;

/// How many characters a button copies at most. <https://core.telegram.org/bots/api#copytextbutton>
const COPIED: usize = 256;

/// A row of buttons.
pub(super) type Row = Vec<InlineKeyboardButton>;

/// Rows of buttons as a keyboard.
pub(super) fn markup(inline_keyboard: Vec<Row>) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup { inline_keyboard, force_reply: None }
}

/// A button, and the callback of a tap on it.
pub(super) fn button(text: impl Into<String>, callback: impl Display) -> InlineKeyboardButton {
    InlineKeyboardButton::builder().text(text).callback_data(callback.to_string()).build()
}

/// A button in a row of its own.
pub(super) fn row(text: impl Into<String>, callback: impl Display) -> Row {
    vec![button(text, callback)]
}

/// The button that a screen is for.
pub(super) fn good(text: impl Into<String>, callback: impl Display) -> InlineKeyboardButton {
    InlineKeyboardButton { style: Some(ButtonStyle::Success), ..button(text, callback) }
}

/// A button that cannot be taken back.
pub(super) fn bad(text: impl Into<String>, callback: impl Display) -> InlineKeyboardButton {
    InlineKeyboardButton { style: Some(ButtonStyle::Danger), ..button(text, callback) }
}

/// A button that copies a text, if there is any.
pub(super) fn copy(label: &str, text: &str) -> Option<InlineKeyboardButton> {
    let text = cut(text.trim(), COPIED);
    (!text.is_empty()).then(|| InlineKeyboardButton::builder().text(label).copy_text(CopyTextButton { text }).build())
}

/// ◀ ▶, each where there is such a page; `None`: there is only one.
pub(super) fn pager<C: Display>(page: i64, pages: i64, to: impl Fn(i64) -> C) -> Option<Row> {
    let [back, on] = beside(page, pages, to);
    let row: Row = back.into_iter().chain(on).collect();
    (!row.is_empty()).then_some(row)
}

/// ◀ and ▶, each if there is such a page.
pub(super) fn beside<C: Display>(page: i64, pages: i64, to: impl Fn(i64) -> C) -> [Option<InlineKeyboardButton>; 2] {
    [(page > 1).then(|| button("◀", to(page - 1))), (page < pages).then(|| button("▶", to(page + 1)))]
}
