//! The masters, and invitations.

use super::super::callback::staff::MasterTap;
use super::super::update::Message;
use super::By;
use super::reply::Reply;
use crate::model::{MasterId, StaffDialog};
use crate::store;

impl By<'_> {
    /// The reply to a button about a master.
    pub(super) async fn master(self, _tap: MasterTap) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// The list of masters.
    pub(super) async fn masters(self) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// A master's card, as it is now.
    pub(super) async fn master_card(self, _master: MasterId) -> Result<Reply, store::Error> {
        self.menu().await
    }

    /// The reply to a reason or a number.
    pub(super) async fn master_written(self, _dialog: &StaffDialog, _message: &Message) -> Result<Reply, store::Error> {
        self.menu().await
    }
}
