//! Offers: the list, a card, taking and declining.

use super::super::render::{self, texts};
use super::By;
use super::reply::{Fallback, Reply};
use crate::dispatch::Answered;
use crate::dispatch::accept::{self, AcceptOutcome};
use crate::dispatch::decline::{self, DeclineOutcome};
use crate::dispatch::view::{self, ViewOutcome};
use crate::model::{OfferList, OrderId};
use crate::store;

impl By<'_> {
    pub(super) async fn list(self, page: i64, alert: Option<&str>) -> Result<Option<Reply>, store::Error> {
        let list = view::offers(&self.bots.store, self.master, Some(self.origin), page).await?;
        Ok(list.map(|list| {
            let screen = render::offer_list(&list);
            let reply = match alert {
                Some(alert) => Reply::alert(alert, Some(screen)),
                None => Reply::screen(screen),
            };
            Reply { fallback: Some(Fallback::List), ..reply }
        }))
    }

    pub(super) async fn card(self, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
        let viewed = view::card(&self.bots.store, order, self.master, Some(self.origin), page).await?;
        Ok(viewed.map(|viewed| match viewed.outcome {
            ViewOutcome::Offered { card, expires } => Reply::screen(render::offer_card(&card, expires, page)),
            outcome => not_offered(&outcome, viewed.fresh.as_ref()),
        }))
    }

    pub(super) async fn ask_decline(self, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
        let viewed = view::card(&self.bots.store, order, self.master, Some(self.origin), page).await?;
        Ok(viewed.map(|viewed| match viewed.outcome {
            ViewOutcome::Offered { .. } => Reply::screen(render::confirm_decline(order, page)),
            outcome => not_offered(&outcome, viewed.fresh.as_ref()),
        }))
    }

    pub(super) async fn accept(self, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
        let answered = accept::accept(&self.bots.store, order, self.master, Some(self.origin), page).await?;
        let Some(Answered { outcome, fresh, enqueued, .. }) = answered else { return Ok(None) };
        self.bots.metrics.count("offer_accept", outcome.name());
        let list = fresh.as_ref();
        let (screen, fallback) = match &outcome {
            AcceptOutcome::Assigned(own) | AcceptOutcome::AlreadyYours(own) => {
                (Some(render::own_order(own, list)), Fallback::Own(order))
            }
            _ => (list.map(render::offer_list), Fallback::List),
        };
        Ok(Some(Reply {
            fallback: Some(fallback),
            enqueued: enqueued.then_some(order),
            ..Reply::alert(texts::accept(&outcome), screen)
        }))
    }

    pub(super) async fn decline(self, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
        let answered = decline::decline(&self.bots.store, order, self.master, Some(self.origin), page).await?;
        let Some(Answered { outcome, fresh, enqueued, .. }) = answered else { return Ok(None) };
        self.bots.metrics.count("offer_decline", outcome.name());
        let list = fresh.as_ref();
        let (screen, fallback) = match &outcome {
            DeclineOutcome::AlreadyYours(own) => (Some(render::own_order(own, list)), Fallback::Own(order)),
            _ => (list.map(render::offer_list), Fallback::List),
        };
        Ok(Some(Reply {
            fallback: Some(fallback),
            enqueued: enqueued.then_some(order),
            ..Reply::alert(texts::decline(&outcome), screen)
        }))
    }
}

/// The own order, or why there is no card, above the list.
fn not_offered(outcome: &ViewOutcome, list: Option<&OfferList>) -> Reply {
    let (screen, fallback) = match outcome {
        ViewOutcome::Yours(own) => (Some(render::own_order(own, list)), Fallback::Own(own.card.id)),
        _ => (list.map(render::offer_list), Fallback::List),
    };
    let reply = match texts::view(outcome) {
        Some(alert) => Reply::alert(alert, screen),
        None => Reply { screen, ..Reply::default() },
    };
    Reply { fallback: Some(fallback), ..reply }
}
