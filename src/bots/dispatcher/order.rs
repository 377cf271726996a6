//! What is done about an order.

use super::super::callback::staff::OrderTap;
use super::super::update::Message;
use super::By;
use super::reply::Reply;
use crate::model::StaffDialog;
use crate::store;

impl By<'_> {
    /// The reply to a button about an order.
    pub(super) async fn order(self, _tap: OrderTap) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// The reply to a reason, a new address and the like.
    pub(super) async fn order_written(self, _dialog: &StaffDialog, _message: &Message) -> Result<Reply, store::Error> {
        self.menu().await
    }
}
