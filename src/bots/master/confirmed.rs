//! Answers that count: confirmed by a tap, or corrected by an edit of the message.

use super::super::render::{self, texts};
use super::super::update::Message;
use super::By;
use super::reply::{Fallback, Reply};
use super::written::{is_about_another, stands, understood};
use crate::dispatch::close::{self, CloseOutcome};
use crate::dispatch::correct::{self, CorrectOutcome};
use crate::dispatch::give_back::{self, GiveBackOutcome};
use crate::dispatch::{Answered, dialog, view};
use crate::model::dialog::{Dialog, Question, Written};
use crate::model::facts::{Facts, Standing, SumOf};
use crate::model::text::cut;
use crate::model::update::{Action, Processed};
use crate::model::{Amount, BotName, OrderId, UpdateKey};
use crate::store;

impl By<'_> {
    /// «✅ Да, закрыть»
    pub(super) async fn close(self, order: OrderId, amount: Amount) -> Result<Option<Reply>, store::Error> {
        let closed = close::close(&self.bots.store, order, amount, self.master, Some(self.origin)).await?;
        let Some(Answered { outcome, master, fresh, .. }) = closed else { return Ok(None) };
        self.bots.metrics.count("order_close", outcome.name());
        let sum = fresh.as_ref().map_or(SumOf::Visit, Facts::sum);
        if outcome == CloseOutcome::Busy {
            return Ok(Some(try_again(Question::Amount, order, &amount.to_string(), 0, sum)));
        }
        let correctable = fresh.is_some_and(|facts| facts.can_correct_amount());
        let freed = matches!(outcome, CloseOutcome::Closed(_));
        let screen = render::closed(order, outcome, correctable);
        Ok(Some(Reply { can_be_asked: freed.then_some(master), ..Reply::screen(screen, Fallback::Card(order)) }))
    }

    /// «✅ Да, исправить»
    pub(super) async fn correct(self, order: OrderId, amount: Amount) -> Result<Option<Reply>, store::Error> {
        let corrected = correct::amount(&self.bots.store, order, amount, self.master, Some(self.origin)).await?;
        let Some(Answered { outcome, fresh, .. }) = corrected else { return Ok(None) };
        self.bots.metrics.count("order_correct", outcome.name());
        if let (CorrectOutcome::NotClosed | CorrectOutcome::NotYours, Some(facts)) = (outcome, &fresh) {
            return Ok(Some(stands(order, facts)));
        }
        if outcome == CorrectOutcome::Busy {
            return Ok(Some(try_again(Question::Amount, order, &amount.to_string(), 0, SumOf::Correction)));
        }
        let correctable = fresh.is_some_and(|facts| facts.can_correct_amount());
        Ok(Some(Reply::screen(render::corrected(order, outcome, correctable), Fallback::Card(order))))
    }

    /// «↩️ Да, вернуть»: for the reason in that message.
    pub(super) async fn give_back(self, order: OrderId, message: i32) -> Result<Option<Reply>, store::Error> {
        let store = &self.bots.store;
        let reason = dialog::kept(store, Question::ReturnReason, order, self.master, message).await?;
        let given = give_back::give_back(store, order, reason.as_deref(), self.master, Some(self.origin)).await?;
        let Some(Answered { outcome, master, fresh, enqueued }) = given else { return Ok(None) };
        self.bots.metrics.count("order_give_back", outcome.name());
        let reply = match (fresh, reason) {
            (Some(facts), _) if outcome == GiveBackOutcome::NotAsked => {
                self.shown(facts).await?.with_alert(texts::NOT_ASKED)
            }
            (_, Some(reason)) if outcome == GiveBackOutcome::Busy => {
                try_again(Question::ReturnReason, order, &reason, message, SumOf::Visit)
            }
            _ => Reply::screen(render::given_back(order, outcome), Fallback::Card(order)),
        };
        Ok(Some(Reply {
            enqueued: enqueued.then_some(order),
            can_be_asked: (outcome == GiveBackOutcome::GivenBack).then_some(master),
            ..reply
        }))
    }

    /// The reply to an edit: it corrects the answer that the message was. `None`: no master edited it.
    pub(super) async fn on_edit(self, message: &Message) -> Result<Option<Reply>, store::Error> {
        let original = UpdateKey::message(BotName::Master, message.chat.id, message.message_id);
        let answered = match dialog::processed(&self.bots.store, &original).await? {
            Some(Processed { action: Some(action), order: Some(order), .. }) => Some((action, order)),
            // What comes by itself as it is now.
            _ => None,
        };
        match answered.filter(|(_, order)| !is_about_another(message, *order)) {
            Some((Action::Close, order)) => self.on_edited_amount(order, message).await,
            Some((Action::GiveBack, order)) => self.on_edited_reason(order, message).await,
            // Small talk.
            _ => Ok(Some(Reply::default())),
        }
    }

    async fn on_edited_amount(self, order: OrderId, message: &Message) -> Result<Option<Reply>, store::Error> {
        let (store, question) = (&self.bots.store, Question::Amount);
        let Some(facts) = view::own(store, order, self.master, None).await? else { return Ok(None) };
        let correction = facts.can_correct_amount();
        match Amount::parse(texts::without_currency(message.words())) {
            Some(amount)
                if correction
                    && dialog::is_last_answer(store, question, order, self.master, message.message_id).await? =>
            {
                self.correct(order, amount).await
            }
            // Something else was closed with, or is asked by now: whether this is meant is asked, too.
            Some(_) if question.makes_sense(&facts) => self.keep(question, order, message, None).await,
            None if facts.standing() == Standing::Yours => {
                let screen = render::not_an_amount(order, message.words(), facts.sum());
                Ok(Some(Reply::screen(screen, Fallback::Card(order))))
            }
            _ => Ok(Some(stands(order, &facts))),
        }
    }

    async fn on_edited_reason(self, order: OrderId, message: &Message) -> Result<Option<Reply>, store::Error> {
        let (store, question) = (&self.bots.store, Question::ReturnReason);
        if !understood(question, message.words()) {
            return Ok(Some(Reply::default()));
        }
        if dialog::kept(store, question, order, self.master, message.message_id).await?.is_some() {
            return self.keep(question, order, message, None).await;
        }
        let reason = cut(message.words(), texts::REASON_LIMIT);
        let confirmed = dialog::is_last_answer(store, question, order, self.master, message.message_id).await?;
        if confirmed && correct::reason(store, order, &reason, self.master, self.origin).await? {
            let reply = Reply::screen(render::reason_corrected(order), Fallback::Menu);
            return Ok(Some(Reply { enqueued: Some(order), ..reply }));
        }
        let facts = view::own(store, order, self.master, None).await?;
        Ok(facts.map(|facts| stands(order, &facts)))
    }
}

/// That somebody is at work on the order, above what was confirmed, which can be confirmed again.
fn try_again(question: Question, order: OrderId, text: &str, message: i32, sum: SumOf) -> Reply {
    let written = Some(Written { text: text.to_owned(), message });
    let dialog = Dialog { question, order, written, shown_in: None };
    let screen = render::confirm_answer(&dialog, sum, None);
    Reply::screen(screen, Fallback::Question(order)).with_alert(texts::BUSY)
}
