//! The queue, and an order's card.

use super::super::callback::staff::QueueTap;
use super::super::update::Message;
use super::By;
use super::reply::Reply;
use crate::model::{OrderId, StaffDialog};
use crate::store;

impl By<'_> {
    /// The reply to a button of the queue.
    pub(super) async fn queue(self, _tap: QueueTap) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// The queue from its beginning, with the person's filters.
    pub(super) async fn first_page_of_queue(self) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// An order's card, as it is now.
    pub(super) async fn order_card(self, _order: OrderId) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// The reply to what is to be looked for.
    pub(super) async fn queue_written(self, _dialog: &StaffDialog, _message: &Message) -> Result<Reply, store::Error> {
        self.menu().await
    }
}
