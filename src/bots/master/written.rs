//! What masters write: the answer to a question, which counts once it is confirmed; or nothing in particular.

use super::super::render::{self, Screen, texts};
use super::super::update::Message;
use super::By;
use super::reply::{Fallback, Reply};
use crate::dispatch::dialog::{self, NOT_UNDERSTOOD};
use crate::dispatch::view;
use crate::model::dialog::{Dialog, Incoming, Profile, Question, Written};
use crate::model::facts::{Facts, Standing, SumOf};
use crate::model::text::cut;
use crate::model::update::{Action, Processed};
use crate::model::{Amount, BotName, MasterId, OrderId, OrderStatus, UpdateKey};
use crate::store;

impl By<'_> {
    /// The reply to a message; `None`: no master sent it.
    pub(super) async fn on_text(self, message: &Message) -> Result<Option<Reply>, store::Error> {
        let incoming = dialog::incoming(&self.bots.store, self.master, self.origin).await?;
        let Some(Incoming { profile, processed, dialog, answers }) = incoming else { return Ok(None) };
        if !self.is_answered_alone(message).await? {
            return Ok(Some(Reply::default()));
        }
        if let Some(processed) = processed {
            return self.repeat(processed, message, &profile, dialog).await.map(Some);
        }
        if let Some(command) = message.command() {
            return match command.name.as_str() {
                "why" => self.why_written(command.order()).await,
                // Whoever opens the bot is offered its commands.
                "start" => Ok(self.menu().await?.map(|reply| Reply { commands: true, ..reply })),
                _ => self.menu().await,
            };
        }
        let reply = match dialog.filter(|_| answers) {
            None => None,
            Some(dialog) if message.is_forwarded() => {
                let again = |sum| render::forwarded(dialog.question, dialog.order, sum);
                self.still_asked(profile.id, &dialog, again).await?
            }
            Some(dialog) if is_about_another(message, dialog.order) => {
                let again = |sum| render::question(dialog.question, dialog.order, sum);
                self.still_asked(profile.id, &dialog, again).await?
            }
            Some(dialog) => self.answer(profile.id, &dialog, message).await?,
        };
        match reply {
            Some(reply) => Ok(Some(reply)),
            None => self.not_understood().await,
        }
    }

    /// Of an album, whose photos come one by one, the first is answered.
    async fn is_answered_alone(self, message: &Message) -> Result<bool, store::Error> {
        let Some(group) = &message.media_group_id else { return Ok(true) };
        let album = UpdateKey::album(BotName::Master, message.chat.id, group);
        dialog::is_first_of_album(&self.bots.store, &album, message.message_id).await
    }

    /// The reply to words that answer nothing.
    async fn not_understood(self) -> Result<Option<Reply>, store::Error> {
        let profile = view::menu(&self.bots.store, self.master, Some(self.origin)).await?;
        Ok(profile.map(|profile| Reply::screen(render::not_understood(&profile), Fallback::Menu)))
    }

    /// The reply to a message that is delivered again: what it came to, or what is asked now, or the menu. It changes nothing
    /// more.
    async fn repeat(
        self,
        processed: Processed,
        message: &Message,
        profile: &Profile,
        dialog: Option<Dialog>,
    ) -> Result<Reply, store::Error> {
        let answered = matches!(processed.action, Some(Action::Close | Action::GiveBack));
        if let Some(order) = processed.order.filter(|_| answered && processed.outcome != NOT_UNDERSTOOD) {
            return match view::own(&self.bots.store, order, self.master, None).await? {
                Some(facts) => Ok(answer_to(message.message_id, dialog, &facts)),
                None => Ok(Reply::default()),
            };
        }
        let Some(Dialog { question, order, .. }) = dialog else {
            return Ok(Reply::screen(render::menu(profile), Fallback::Menu));
        };
        let facts = view::own(&self.bots.store, order, self.master, None).await?;
        let sum = facts.as_ref().map_or(SumOf::Visit, Facts::sum);
        let words = message.words();
        let not_a_sum = question == Question::Amount && !understood(question, words);
        let screen = if not_a_sum && processed.order == Some(order) {
            render::not_an_amount(order, words, sum)
        } else {
            render::question(question, order, sum)
        };
        Ok(Reply::screen(screen, Fallback::Question(order)))
    }

    /// The screen that says so, if the question still makes sense; else it is left, and `None`. The screen gets to know what a sum
    /// would be of.
    async fn still_asked(
        self,
        master: MasterId,
        dialog: &Dialog,
        screen: impl FnOnce(SumOf) -> Screen,
    ) -> Result<Option<Reply>, store::Error> {
        let (question, order) = (dialog.question, dialog.order);
        let asked = dialog::still_asked(&self.bots.store, question, order, master, self.origin).await?;
        let asks = Some((order, dialog.shown_in));
        Ok(asked.map(|facts| Reply { asks, ..Reply::screen(screen(facts.sum()), Fallback::Question(order)) }))
    }

    /// `None`: nobody asks this any more.
    async fn answer(self, master: MasterId, dialog: &Dialog, message: &Message) -> Result<Option<Reply>, store::Error> {
        let (question, order, words) = (dialog.question, dialog.order, message.words());
        if understood(question, words) {
            return self.keep(question, order, message, dialog.shown_in).await;
        }
        let again = |sum| match question {
            Question::Amount => render::not_an_amount(order, words, sum),
            Question::ReturnReason => render::question(question, order, sum),
        };
        self.still_asked(master, dialog, again).await
    }

    /// Keeps an answer, and asks to confirm it.
    pub(super) async fn keep(
        self,
        question: Question,
        order: OrderId,
        message: &Message,
        asked_in: Option<i32>,
    ) -> Result<Option<Reply>, store::Error> {
        let written = Written { text: cut(message.words(), texts::REASON_LIMIT), message: message.message_id };
        let facts = dialog::answer(&self.bots.store, question, order, &written, self.master, self.origin).await?;
        Ok(facts.map(|facts| {
            let dialog = Dialog { question, order, written: Some(written), shown_in: None };
            let reply = if question.makes_sense(&facts) { confirm(&dialog, &facts) } else { stands(order, &facts) };
            Reply { asks: Some((order, asked_in)), ..reply }
        }))
    }
}

/// Whether words answer a question.
pub(super) fn understood(question: Question, words: &str) -> bool {
    match question {
        Question::Amount => Amount::parse(texts::without_currency(words)).is_some(),
        // A picture says nothing. And PostgreSQL's text cannot hold U+0000.
        Question::ReturnReason => !words.is_empty() && !words.contains('\0'),
    }
}

/// What a message came to that answered a question: to be confirmed still, or how the order stands.
fn answer_to(message: i32, dialog: Option<Dialog>, facts: &Facts) -> Reply {
    let order = facts.order.as_ref().map(|order| order.order.card.id);
    let open = dialog.filter(|dialog| {
        Some(dialog.order) == order && dialog.written.as_ref().is_some_and(|written| written.message == message)
    });
    match (open, order) {
        (Some(dialog), _) if dialog.question.makes_sense(facts) => confirm(&dialog, facts),
        (_, Some(order)) => stands(order, facts),
        (_, None) => Reply::default(),
    }
}

/// Asks to confirm what was written.
pub(super) fn confirm(dialog: &Dialog, facts: &Facts) -> Reply {
    let was = facts.order.as_ref().and_then(|order| order.amount).filter(|_| facts.can_correct_amount());
    Reply::screen(render::confirm_answer(dialog, facts.sum(), was), Fallback::Question(dialog.order))
}

/// How an order stands, to words about it.
pub(super) fn stands(order: OrderId, facts: &Facts) -> Reply {
    let yours = facts.standing() == Standing::Yours;
    let own = facts.order.as_ref().filter(|order| order.assigned_master == Some(facts.master.id));
    let screen = match own {
        Some(own) if yours => render::active_card(&own.order, own.status),
        Some(own) if own.status == OrderStatus::Closed => {
            render::already_closed(order, own.amount, facts.can_correct_amount())
        }
        _ => render::not_yours(order),
    };
    Reply::screen(screen, Fallback::Card(order))
}

/// Whether a message is a reply to words about other orders, such as an earlier question.
pub(super) fn is_about_another(message: &Message, order: OrderId) -> bool {
    let replied_to = message.reply_to_message.as_ref().and_then(|message| message.text.as_deref());
    let orders = texts::orders_in(replied_to.unwrap_or_default());
    !orders.is_empty() && !orders.contains(&order)
}
