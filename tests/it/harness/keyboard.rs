//! What comes up under a finger where one screen takes the place of another.

use field_service::sim::telegram::{Button, Chat};

/// The rows of the last message.
pub fn rows(chat: &Chat) -> Vec<Vec<Button>> {
    chat.messages().pop().expect("a message").buttons
}

/// The buttons in the place of that row and column of the screen before, counted from the top and from the bottom.
pub fn under<'a>(
    before: &[Vec<Button>],
    (row, column): (usize, usize),
    after: &'a [Vec<Button>],
) -> impl Iterator<Item = Vec<&'a Button>> {
    let (width, below) = (before[row].len(), before.len() - 1 - row);
    let from_below = after.len().checked_sub(1 + below).and_then(|row| after.get(row));
    [after.get(row), from_below].into_iter().flatten().map(move |under| {
        // A row of one button is as wide as a row of two.
        if under.len() == width { under.iter().skip(column).take(1).collect() } else { under.iter().collect() }
    })
}
