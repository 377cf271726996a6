//! What masters write: the answer to a question, or nothing in particular.

use super::super::render::{self, Screen, texts};
use super::super::update::Message;
use super::By;
use super::reply::Reply;
use crate::dispatch::close::{self, CloseOutcome};
use crate::dispatch::dialog::{self, NOT_UNDERSTOOD};
use crate::dispatch::give_back::{self, GiveBackOutcome};
use crate::model::dialog::{Dialog, Incoming, Profile, Question};
use crate::model::text::cut;
use crate::model::update::{Action, Processed};
use crate::model::{Amount, MasterId, OrderId};
use crate::store;

impl By<'_> {
    /// The reply to a message; `None`: no master sent it.
    pub(super) async fn on_text(self, message: &Message) -> Result<Option<Reply>, store::Error> {
        let incoming = dialog::incoming(&self.bots.store, self.master, self.origin).await?;
        let Some(Incoming { profile, processed, dialog, answers }) = incoming else { return Ok(None) };
        let text = message.text.as_deref().unwrap_or_default().trim();
        let master = profile.id;
        let reply = match (processed, dialog.filter(|_| answers)) {
            (Some(processed), _) => return self.repeat(processed, text, &profile, dialog).await.map(Some),
            (None, Some(_)) if text.starts_with('/') => None,
            (None, Some(Dialog { question, order })) if is_about_another(message, order) => {
                self.still_asked(master, question, order, render::question(question, order)).await?
            }
            (None, Some(Dialog { question: Question::Amount, order })) => self.amount(master, order, text).await?,
            (None, Some(Dialog { question: Question::ReturnReason, order })) => {
                self.reason(master, order, text).await?
            }
            (None, None) => None,
        };
        match reply {
            Some(reply) => Ok(Some(reply)),
            None => self.menu().await,
        }
    }

    /// The reply to a message that is delivered again: what it came to, or what is asked now, or the menu. It changes nothing
    /// more.
    async fn repeat(
        self,
        processed: Processed,
        text: &str,
        profile: &Profile,
        dialog: Option<Dialog>,
    ) -> Result<Reply, store::Error> {
        let understood = processed.outcome != NOT_UNDERSTOOD;
        match (processed.action, processed.order) {
            (Some(Action::Close), Some(order)) if understood => {
                // Any sum: the order is not closed again.
                let amount = Amount::parse(texts::without_currency(text)).unwrap_or_default();
                return self.close(order, amount).await;
            }
            (Some(Action::GiveBack), Some(order)) if understood => return self.give_back(order, text).await,
            _ => {}
        }
        let not_a_sum = Amount::parse(texts::without_currency(text)).is_none();
        Ok(Reply::screen(match dialog {
            Some(Dialog { question: Question::Amount, order }) if processed.order == Some(order) && not_a_sum => {
                render::not_an_amount(order, text)
            }
            Some(Dialog { question, order }) => render::question(question, order),
            None => render::menu(profile),
        }))
    }

    /// The screen that says so, if the question still makes sense; else it is left, and `None`.
    async fn still_asked(
        self,
        master: MasterId,
        question: Question,
        order: OrderId,
        screen: Screen,
    ) -> Result<Option<Reply>, store::Error> {
        let asked = dialog::still_asked(&self.bots.store, question, order, master, self.origin).await?;
        Ok(asked.then(|| Reply::screen(screen)))
    }

    /// `None`: nobody asks for this money any more.
    async fn amount(self, master: MasterId, order: OrderId, text: &str) -> Result<Option<Reply>, store::Error> {
        match Amount::parse(texts::without_currency(text)) {
            Some(amount) => self.close(order, amount).await.map(Some),
            None => self.still_asked(master, Question::Amount, order, render::not_an_amount(order, text)).await,
        }
    }

    async fn close(self, order: OrderId, amount: Amount) -> Result<Reply, store::Error> {
        let closed = close::close(&self.bots.store, order, amount, self.master, Some(self.origin)).await?;
        let master = closed.as_ref().map(|closed| closed.master);
        let outcome = closed.map_or(CloseOutcome::NotYours, |closed| closed.outcome);
        self.bots.metrics.count("order_close", outcome.name());
        let freed = matches!(outcome, CloseOutcome::Closed(_));
        Ok(Reply { can_be_asked: master.filter(|_| freed), ..Reply::screen(render::closed(order, outcome)) })
    }

    async fn reason(self, master: MasterId, order: OrderId, text: &str) -> Result<Option<Reply>, store::Error> {
        // A picture, say. And PostgreSQL's text cannot hold U+0000.
        if text.is_empty() || text.contains('\0') {
            let question = Question::ReturnReason;
            return self.still_asked(master, question, order, render::question(question, order)).await;
        }
        self.give_back(order, text).await.map(Some)
    }

    async fn give_back(self, order: OrderId, text: &str) -> Result<Reply, store::Error> {
        let reason = cut(text, texts::REASON_LIMIT);
        let given = give_back::give_back(&self.bots.store, order, &reason, self.master, Some(self.origin)).await?;
        let (master, enqueued) = given.as_ref().map_or((None, false), |given| (Some(given.master), given.enqueued));
        let outcome = given.map_or(GiveBackOutcome::NotYours, |given| given.outcome);
        self.bots.metrics.count("order_give_back", outcome.name());
        Ok(Reply {
            enqueued: enqueued.then_some(order),
            can_be_asked: master.filter(|_| outcome == GiveBackOutcome::GivenBack),
            ..Reply::screen(render::given_back(order, outcome))
        })
    }
}

/// Whether a message is a reply to words about other orders, such as an earlier question.
fn is_about_another(message: &Message, order: OrderId) -> bool {
    let replied_to = message.reply_to_message.as_ref().and_then(|message| message.text.as_deref());
    let orders = texts::orders_in(replied_to.unwrap_or_default());
    !orders.is_empty() && !orders.contains(&order)
}
