//! «Почему не мне»: the button, and the command with an order's number.

use super::super::render;
use super::By;
use super::reply::{Fallback, Reply};
use crate::dispatch::why;
use crate::model::OrderId;
use crate::store;

/// What a command asks: `None` if it is another one, and of which order, if a number stands there.
#[expect(clippy::option_option, reason = "the command without a number is a question too")]
pub(super) fn asked(words: &str) -> Option<Option<OrderId>> {
    let mut parts = words.split_whitespace();
    let command = parts.next()?.split('@').next()?;
    let number = || parts.next()?.trim_start_matches(['№', '#']).parse().ok().filter(|number| *number > 0);
    (command == "/why").then(number).map(|number| number.map(OrderId))
}

impl By<'_> {
    /// Why an order was offered to others, or went to somebody else.
    pub(super) async fn why(self, order: OrderId) -> Result<Option<Reply>, store::Error> {
        let outcome = why::of_master(&self.bots.store, order, self.master, Some(self.origin)).await?;
        Ok(outcome.map(|outcome| {
            self.bots.metrics.count("why", outcome.name());
            Reply::screen(render::why_not_me(&outcome), Fallback::Menu)
        }))
    }

    /// The reply to the command.
    pub(super) async fn why_written(self, order: Option<OrderId>) -> Result<Option<Reply>, store::Error> {
        match order {
            Some(order) => self.why(order).await,
            None => Ok(Some(Reply::screen(render::ask_why(), Fallback::Menu))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_understood_however_the_number_is_written() {
        for words in ["/why 123", "/why №123", "/why@dispatch_bot  #123", "/why 123 пожалуйста"] {
            assert_eq!(asked(words), Some(Some(OrderId(123))), "{words}");
        }
        for words in ["/why", "/why что", "/why 0", "/why -5", "/why 99999999999999999999"] {
            assert_eq!(asked(words), Some(None), "{words}");
        }
        for words in ["/start", "/whynot 5", "why 5", ""] {
            assert_eq!(asked(words), None, "{words}");
        }
    }
}
