//! Taking a new order in.

use super::super::callback::staff::NewTap;
use super::super::render;
use super::super::update::Message;
use super::By;
use super::reply::Reply;
use crate::model::StaffDialog;
use crate::model::staff::Place;
use crate::store;

impl By<'_> {
    /// The reply to a button of the new order.
    pub(super) async fn new_order(self, _tap: NewTap) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// Begins a new order, or goes on with the one that was left.
    pub(super) async fn start_order(self) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// The new order as far as it is.
    pub(super) async fn draft(self) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// The reply to the next field of the new order.
    pub(super) async fn new_order_written(
        self,
        _dialog: &StaffDialog,
        _message: &Message,
    ) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// The reply to words that answer no question: they may be an order, as somebody has written it down.
    #[expect(clippy::unused_async, reason = "it will read an order from them")]
    pub(super) async fn pasted(self, _message: &Message) -> Result<Reply, store::Error> {
        Ok(Reply::screen(render::staff::not_understood(self.profile), Place::Menu))
    }
}
