//! The menu.

use super::super::render;
use super::By;
use super::reply::Reply;
use crate::dispatch::{draft, staff_view};
use crate::model::staff::Place;
use crate::store;

impl By<'_> {
    /// The menu, with what the person may do.
    pub(super) async fn menu(self) -> Result<Reply, store::Error> {
        // The menu is shown whatever there is to count.
        let queue = match staff_view::whole_queue(&self.bots.store, self.staff).await {
            Ok(queue) => queue,
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "the menu is shown without its counts");
                None
            }
        };
        let drafted = self.profile.role.acts()
            && draft::open(&self.bots.store, self.staff).await?.is_some_and(|draft| !draft.is_blank());
        Ok(Reply::screen(
            render::staff::menu(self.profile, queue.as_ref(), drafted, self.bots.public_url.is_some()),
            Place::Menu,
        ))
    }
}
