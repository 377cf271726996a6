//! The way to the dispatchers' page: inside Telegram, and in any browser by a link that opens it once.

use super::super::render;
use super::By;
use super::reply::Reply;
use crate::dispatch::session;
use crate::model::staff::Place;
use crate::store;

impl By<'_> {
    /// The ways to the page; the menu, if this server is reached by nobody but Telegram.
    pub(super) async fn page(self) -> Result<Reply, store::Error> {
        let Some(here) = &self.bots.public_url else { return self.menu().await };
        let Some(link) = session::link(&self.bots.store, self.staff, session::LINK).await? else {
            return self.menu().await;
        };
        let screen = render::staff::page(here.mini_app(), here.page_by(&link.text()));
        // What is shown later has no link in it: that is good for some minutes.
        Ok(Reply::screen(screen, Place::Menu))
    }
}
