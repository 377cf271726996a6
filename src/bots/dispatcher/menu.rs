//! The menu.

use super::super::render;
use super::By;
use super::reply::Reply;
use crate::model::staff::Place;
use crate::store;

impl By<'_> {
    /// The menu, with what the person may do.
    #[expect(clippy::unused_async, reason = "it will count what needs somebody")]
    pub(super) async fn menu(self) -> Result<Reply, store::Error> {
        Ok(Reply::screen(render::staff::menu(self.profile), Place::Menu))
    }
}
