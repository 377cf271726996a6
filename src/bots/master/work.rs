//! Masters at work: the menu and the shift, and own orders from the way there to the money.

use super::super::callback::Own;
use super::super::render::{self, texts};
use super::By;
use super::reply::{Fallback, Reply};
use crate::dispatch::progress::{self, ProgressOutcome, Step};
use crate::dispatch::{Answered, dialog, shift, view};
use crate::model::dialog::Question;
use crate::model::facts::{Facts, Standing, SumOf};
use crate::model::{MasterRef, OrderId, OrderStatus};
use crate::store;

impl By<'_> {
    pub(super) async fn menu(self) -> Result<Option<Reply>, store::Error> {
        let profile = view::menu(&self.bots.store, self.master, Some(self.origin)).await?;
        Ok(profile.map(|profile| Reply::screen(render::menu(&profile), Fallback::Menu)))
    }

    /// Comes on shift or leaves, and shows the menu.
    pub(super) async fn shift(self, on: bool) -> Result<Option<Reply>, store::Error> {
        let profile = shift::set(&self.bots.store, self.master, Some(self.origin), on).await?;
        Ok(profile.map(|profile| {
            self.bots.metrics.count("shift", if on { "ON" } else { "OFF" });
            // What it is now: the tap may be an old one.
            let reply =
                Reply::screen(render::menu(&profile), Fallback::Menu).with_toast(texts::shift(profile.on_shift));
            Reply { can_be_asked: profile.on_shift.then_some(profile.id), ..reply }
        }))
    }

    /// «Мои заявки».
    pub(super) async fn active(self, page: i64) -> Result<Option<Reply>, store::Error> {
        let list = view::active(&self.bots.store, self.master, Some(self.origin), page).await?;
        Ok(list.map(|list| Reply::screen(render::active_list(&list), Fallback::Active)))
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
            Own::AskCorrection => self.ask(order, Question::Amount, texts::TOO_LATE_TO_CORRECT).await,
            // Whoever looks at something else keeps the order.
            Own::Card | Own::Keep => self.own_card(order).await,
        }
    }

    async fn own_card(self, order: OrderId) -> Result<Option<Reply>, store::Error> {
        match view::own(&self.bots.store, order, self.master, Some(self.origin)).await? {
            Some(facts) => self.shown(facts).await.map(Some),
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
            return Ok(shown.map(|_| Reply::screen(render::confirm_done(order), Fallback::Card(order))));
        }
        self.ask(order, Question::Amount, texts::OUT_OF_TURN).await
    }

    /// The question. If it cannot be asked, the order and why; if a redelivery asks for a question left since, the order alone.
    async fn ask(self, order: OrderId, question: Question, why_not: &str) -> Result<Option<Reply>, store::Error> {
        let asked = dialog::ask(&self.bots.store, question, order, self.master, Some(self.origin)).await?;
        let Some(dialog::AskOutcome { open, facts }) = asked else { return Ok(None) };
        if open {
            let screen = render::question(question, order, facts.sum());
            return Ok(Some(Reply::screen(screen, Fallback::Question(order))));
        }
        let makes_sense = question.makes_sense(&facts);
        let reply = self.shown(facts).await?;
        // That it is not the master's is said already.
        Ok(Some(if makes_sense || reply.notice.is_some() { reply } else { reply.with_alert(why_not) }))
    }

    async fn step(self, order: OrderId, step: Step) -> Result<Option<Reply>, store::Error> {
        let answered = progress::progress(&self.bots.store, order, step, self.master, Some(self.origin)).await?;
        let Some(Answered { outcome, fresh, .. }) = answered else { return Ok(None) };
        self.bots.metrics.count("order_progress", outcome.name());
        let waits = fresh
            .as_ref()
            .and_then(|facts| facts.order.as_ref())
            .is_some_and(|order| order.status == OrderStatus::Payment);
        // A second tap leaves what the first one asked.
        let again = step == Step::Done && outcome == ProgressOutcome::AlreadyThere && waits;
        if again || outcome == ProgressOutcome::Recorded(Step::Done) {
            let screen = render::question(Question::Amount, order, fresh.as_ref().map_or(SumOf::Visit, Facts::sum));
            return Ok(Some(Reply::screen(screen, Fallback::Question(order))));
        }
        let text = texts::progress(outcome);
        let Some(facts) = fresh else {
            return Ok(Some(Reply { fallback: Some(Fallback::Card(order)), ..Reply::alert(text) }));
        };
        let yours = facts.standing() == Standing::Yours;
        let reply = match facts.order.as_ref().filter(|_| yours) {
            Some(found) => {
                // Nothing that acts is where the button was that was tapped.
                Reply::screen(render::card_after_step(&found.order, found.status), Fallback::Card(order))
            }
            None => self.shown(facts).await?,
        };
        Ok(Some(match outcome {
            ProgressOutcome::Recorded(_) | ProgressOutcome::TooSoon => reply.with_toast(text),
            _ if reply.notice.is_some() => reply,
            _ => reply.with_alert(text),
        }))
    }

    /// The own order's card; or what became of it; or that it is not the master's, and those that are.
    pub(super) async fn shown(self, facts: Facts) -> Result<Reply, store::Error> {
        let yours = facts.standing() == Standing::Yours;
        let (own, correctable) = (facts.master.id, facts.can_correct_amount());
        let Some(found) = facts.order else { return self.not_yours(MasterRef::Id(own)).await };
        let order = found.order.card.id;
        if yours {
            let screen = render::active_card(&found.order, found.status);
            return Ok(Reply::screen(screen, Fallback::Card(order)));
        }
        if found.assigned_master == Some(own) && found.status == OrderStatus::Closed {
            let screen = render::already_closed(order, found.amount, correctable);
            return Ok(Reply::screen(screen, Fallback::Card(order)));
        }
        self.not_yours(MasterRef::Id(own)).await
    }

    async fn not_yours(self, master: MasterRef) -> Result<Reply, store::Error> {
        let list = view::active(&self.bots.store, master, None, 1).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the own orders after a tap could not be read");
            None
        });
        let screen = list.as_ref().map(render::active_list);
        Ok(Reply { screen, fallback: Some(Fallback::Active), ..Reply::alert(texts::NOT_YOURS) })
    }
}
