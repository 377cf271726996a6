//! «Почему не мне»: the button, and the command with an order's number.

use super::super::render;
use super::By;
use super::reply::{Fallback, Reply};
use crate::dispatch::why;
use crate::model::OrderId;
use crate::store;

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
