//! Calls for a dispatcher.

use super::super::callback::staff::CallTap;
use super::By;
use super::reply::Reply;
use crate::store;

impl By<'_> {
    /// The reply to a button of a call.
    pub(super) async fn call(self, _tap: CallTap) -> Result<Reply, store::Error> {
        self.menu().await
    }
}
