//! Why an order's waves asked whom they asked.

use super::super::render::staff::why as screens;
use super::super::render::texts::staff::order as texts;
use super::super::render::texts::why::NO_SUCH_MASTER;
use super::By;
use super::reply::Reply;
use crate::dispatch::why;
use crate::model::{MasterId, OrderId, Place};
use crate::store;

impl By<'_> {
    /// The waves, and a page of the masters who can be asked about.
    pub(super) async fn why(self, order: OrderId, page: i64) -> Result<Reply, store::Error> {
        match why::waves(&self.bots.store, order, self.staff, page).await? {
            Some(waves) => Ok(Reply::screen(screens::waves(&waves), Place::Card(order))),
            None => Ok(self.show(Place::Queue).await?.with_alert(texts::NOT_FOUND)),
        }
    }

    /// The reply to the command.
    pub(super) async fn why_written(self, order: Option<OrderId>) -> Result<Reply, store::Error> {
        match order {
            Some(order) => self.why(order, 1).await,
            None => Ok(Reply::screen(screens::ask_number(), Place::Menu)),
        }
    }

    /// What they were to a master.
    pub(super) async fn why_master(self, order: OrderId, master: MasterId, page: i64) -> Result<Reply, store::Error> {
        if let Some(why) = why::of_staff(&self.bots.store, order, self.staff, master).await? {
            return Ok(Reply::screen(screens::master(&why, page), Place::Card(order)));
        }
        // Of an order that is not theirs this says so.
        let reply = self.why(order, page).await?;
        Ok(if reply.notice.is_some() { reply } else { reply.with_alert(NO_SUCH_MASTER) })
    }
}
