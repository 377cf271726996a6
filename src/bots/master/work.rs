//! Masters at work: the menu and the shift, and own orders from the way there to the money.

use super::super::callback::Own;
use super::super::render::{self, texts};
use super::By;
use super::reply::Reply;
use crate::dispatch::progress::{self, ProgressOutcome, Step};
use crate::dispatch::{Answered, dialog, shift, view};
use crate::model::dialog::Question;
use crate::model::facts::{Facts, Standing};
use crate::model::{MasterRef, OrderId, OrderStatus};
use crate::store;

impl By<'_> {
    pub(super) async fn menu(self) -> Result<Option<Reply>, store::Error> {
        let profile = view::menu(&self.bots.store, self.master, Some(self.origin)).await?;
        Ok(profile.map(|profile| Reply::screen(render::menu(&profile))))
    }

    /// Comes on shift or leaves, and shows the menu.
    pub(super) async fn shift(self, on: bool) -> Result<Option<Reply>, store::Error> {
        let profile = shift::set(&self.bots.store, self.master, Some(self.origin), on).await?;
        Ok(profile.map(|profile| {
            self.bots.metrics.count("shift", if on { "ON" } else { "OFF" });
            // What it is now: the tap may be an old one.
            Reply {
                can_be_asked: profile.on_shift.then_some(profile.id),
                ..Reply::toast(texts::shift(profile.on_shift), Some(render::menu(&profile)))
            }
        }))
    }

    /// «Мои заявки».
    pub(super) async fn active(self, page: i64) -> Result<Option<Reply>, store::Error> {
        let list = view::active(&self.bots.store, self.master, Some(self.origin), page).await?;
        Ok(list.map(|list| Reply::screen(render::active_list(&list))))
    }

    /// Whatever is asked about an own order.
    pub(super) async fn own(self, own: Own, order: OrderId) -> Result<Option<Reply>, store::Error> {
        match own {
            Own::EnRoute => self.step(order, Step::EnRoute).await,
            Own::OnSite => self.step(order, Step::OnSite).await,
            Own::Done => self.step(order, Step::Done).await,
            Own::NotDone => self.step(order, Step::NotDone).await,
            Own::AskDone => self.ask_done(order).await,
            Own::AskReturn => self.ask(order, Question::ReturnReason, texts::TOO_LATE_TO_RETURN).await,
            // Whoever looks at something else keeps the order.
            Own::Card | Own::Keep => self.own_card(order).await,
        }
    }

    async fn own_card(self, order: OrderId) -> Result<Option<Reply>, store::Error> {
        match view::own(&self.bots.store, order, self.master, Some(self.origin)).await? {
            Some(facts) => self.shown(facts, None).await.map(Some),
            None => Ok(None),
        }
    }

    /// Asks whether the work is done, or for the money if it is.
    async fn ask_done(self, order: OrderId) -> Result<Option<Reply>, store::Error> {
        let facts = view::own(&self.bots.store, order, self.master, None).await?;
        let Some(facts) = facts else { return Ok(None) };
        let working = facts.order.as_ref().is_some_and(|order| order.status == OrderStatus::Working);
        if working && facts.standing() == Standing::Yours {
            let shown = view::own(&self.bots.store, order, self.master, Some(self.origin)).await?;
            return Ok(shown.map(|_| Reply::screen(render::confirm_done(order))));
        }
        self.ask(order, Question::Amount, texts::OUT_OF_TURN).await
    }

    /// The question. If it cannot be asked, the order and why; if a redelivery asks for a question left since, the order alone.
    async fn ask(self, order: OrderId, question: Question, why_not: &str) -> Result<Option<Reply>, store::Error> {
        let asked = dialog::ask(&self.bots.store, question, order, self.master, Some(self.origin)).await?;
        let Some(dialog::AskOutcome { open, facts }) = asked else { return Ok(None) };
        if open {
            return Ok(Some(Reply::screen(render::question(question, order))));
        }
        let why_not = (!question.makes_sense(&facts)).then_some(why_not);
        self.shown(facts, why_not).await.map(Some)
    }

    async fn step(self, order: OrderId, step: Step) -> Result<Option<Reply>, store::Error> {
        let answered = progress::progress(&self.bots.store, order, step, self.master, Some(self.origin)).await?;
        let Some(Answered { outcome, fresh, .. }) = answered else { return Ok(None) };
        self.bots.metrics.count("order_progress", outcome.name());
        if outcome == ProgressOutcome::Recorded(Step::Done) {
            return Ok(Some(Reply::screen(render::question(Question::Amount, order))));
        }
        let text = texts::progress(outcome);
        let reply = match fresh {
            Some(facts) => self.shown(facts, Some(text)).await?,
            None => Reply::alert(text, None),
        };
        Ok(Some(match outcome {
            ProgressOutcome::Recorded(_) => Reply::toast(text, reply.screen),
            _ => reply,
        }))
    }

    /// The own order's card, and the alert if there is one; or that it is not the master's, and those that are.
    async fn shown(self, facts: Facts, alert: Option<&str>) -> Result<Reply, store::Error> {
        let yours = facts.standing() == Standing::Yours;
        let master = MasterRef::Id(facts.master.id);
        if let Some(order) = facts.order.filter(|_| yours) {
            let screen = render::active_card(&order.order, order.status);
            return Ok(match alert {
                Some(alert) => Reply::alert(alert, Some(screen)),
                None => Reply::screen(screen),
            });
        }
        let list = view::active(&self.bots.store, master, None, 1).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the own orders after a tap could not be read");
            None
        });
        Ok(Reply::alert(texts::NOT_YOURS, list.as_ref().map(render::active_list)))
    }
}
