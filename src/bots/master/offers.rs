//! Offers: the list, a card, taking and declining.

use std::time::Instant;

use super::super::render::{self, Screen, texts};
use super::By;
use super::reply::{Fallback, Reply};
use crate::dispatch::Answered;
use crate::dispatch::accept::{self, AcceptOutcome};
use crate::dispatch::decline::{self, DeclineOutcome};
use crate::dispatch::view::{self, ViewOutcome};
use crate::model::order::OwnOrder;
use crate::model::{OfferList, OrderId};
use crate::store;

impl By<'_> {
    pub(super) async fn list(self, page: i64) -> Result<Option<Reply>, store::Error> {
        let list = view::offers(&self.bots.store, self.master, Some(self.origin), page).await?;
        Ok(list.map(|list| Reply::screen(render::offer_list(&list), Fallback::List)))
    }

    pub(super) async fn card(self, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
        let viewed = view::card(&self.bots.store, order, self.master, Some(self.origin), page).await?;
        Ok(viewed.map(|viewed| match viewed.outcome {
            ViewOutcome::Offered { offer, card, expires } => {
                Reply::offered(render::offer_card(&card, expires, page), order, offer)
            }
            outcome => not_offered(order, &outcome, viewed.fresh.as_ref()),
        }))
    }

    pub(super) async fn ask_decline(self, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
        let viewed = view::card(&self.bots.store, order, self.master, Some(self.origin), page).await?;
        Ok(viewed.map(|viewed| match viewed.outcome {
            ViewOutcome::Offered { offer, .. } => Reply::offered(render::confirm_decline(order, page), order, offer),
            outcome => not_offered(order, &outcome, viewed.fresh.as_ref()),
        }))
    }

    pub(super) async fn accept(self, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
        let begun = Instant::now();
        let answered = accept::accept(&self.bots.store, order, self.master, Some(self.origin), page).await?;
        let Some(Answered { outcome, fresh, enqueued, .. }) = answered else { return Ok(None) };
        self.bots.metrics.count("offer_accept", outcome.name());
        self.bots.metrics.time_accept(outcome.name(), begun.elapsed());
        let own = match &outcome {
            AcceptOutcome::Assigned(own) | AcceptOutcome::AlreadyYours(own) => Some(own),
            _ => None,
        };
        let missed = matches!(outcome, AcceptOutcome::Taken(_) | AcceptOutcome::Expired | AcceptOutcome::Withdrawn);
        let reply = above_the_list(own, fresh.as_ref()).with_alert(texts::accept(&outcome));
        let reply = if missed { explaining(reply, order) } else { reply };
        Ok(Some(Reply { enqueued: enqueued.then_some(order), ..reply }))
    }

    pub(super) async fn decline(self, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
        let answered = decline::decline(&self.bots.store, order, self.master, Some(self.origin), page).await?;
        let Some(Answered { outcome, fresh, enqueued, .. }) = answered else { return Ok(None) };
        self.bots.metrics.count("offer_decline", outcome.name());
        let own = if let DeclineOutcome::AlreadyYours(own) = &outcome { Some(own) } else { None };
        let reply = above_the_list(own, fresh.as_ref()).with_alert(texts::decline(&outcome));
        Ok(Some(Reply { enqueued: enqueued.then_some(order), ..reply }))
    }
}

/// The own order above the list, or the list alone.
fn above_the_list(own: Option<&OwnOrder>, list: Option<&OfferList>) -> Reply {
    let (screen, fallback): (Option<Screen>, _) = match own {
        Some(own) => (Some(render::own_order(own, list)), Fallback::Own(own.card.id)),
        None => (list.map(render::offer_list), Fallback::List),
    };
    Reply { screen, fallback: Some(fallback), ..Reply::default() }
}

/// The same with a way to learn why somebody else got the order.
fn explaining(reply: Reply, order: OrderId) -> Reply {
    Reply { screen: reply.screen.map(|screen| screen.explaining(order)), ..reply }
}

/// The own order, or why there is no card, above the list.
fn not_offered(order: OrderId, outcome: &ViewOutcome, list: Option<&OfferList>) -> Reply {
    let own = if let ViewOutcome::Yours(own) = outcome { Some(own) } else { None };
    let missed = matches!(outcome, ViewOutcome::Taken | ViewOutcome::Expired | ViewOutcome::Withdrawn);
    let reply = above_the_list(own, list);
    let reply = if missed { explaining(reply, order) } else { reply };
    match texts::view(outcome) {
        Some(alert) => reply.with_alert(alert),
        None => reply,
    }
}
