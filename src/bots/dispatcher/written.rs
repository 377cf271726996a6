//! What staff write: the answer to a question, a command, or a new order in free words.

use super::super::render;
use super::super::render::texts::staff::{ONLY_OWN_WORDS, search};
use super::super::update::{Command, Message};
use super::By;
use super::new_order::says_several_things;
use super::reply::{Reply, noted};
use crate::dispatch::{staff_dialog, staff_view};
use crate::model::staff::Place;
use crate::model::update::Action;
use crate::model::{Leaves, StaffDialog, StaffIncoming, StaffQuestion};
use crate::store;

/// Which open question a message leaves: a command any, and nothing else one.
pub(super) fn leaves(message: &Message) -> Leaves {
    if message.command().is_some() { Leaves::All } else { Leaves::None }
}

/// Whether words that come after a search has found something are looked for too: what says as much as an order does is one.
fn is_sought_next(message: &Message) -> bool {
    !message.is_forwarded() && message.text.is_some() && !says_several_things(message.words())
}

impl By<'_> {
    /// The reply to a message.
    pub(super) async fn written(self, incoming: &StaffIncoming, message: &Message) -> Result<Reply, store::Error> {
        if let Some(processed) = &incoming.processed {
            // It changes nothing more: what it came to is shown as it is now.
            if processed.outcome == staff_view::SOUGHT {
                return self.found(1).await;
            }
            return match (processed.order, &incoming.dialog) {
                (Some(order), _) => self.show(Place::Card(order)).await,
                // It was handled, and the question that it answered was to be closed next.
                (None, Some(answered @ StaffDialog { question: StaffQuestion::Limit, master: Some(master), .. }))
                    if incoming.answers && processed.action == Some(Action::ChangeMaster) =>
                {
                    staff_dialog::end(&self.bots.store, self.staff, answered).await?;
                    self.master_card(*master).await
                }
                (None, Some(_)) => self.show(Place::Question).await,
                (None, None) => self.menu().await,
            };
        }
        if let Some(command) = message.command() {
            return self.command(&command).await;
        }
        let mut dialog = incoming.dialog.filter(|_| incoming.answers);
        if let Some(open) = dialog.filter(|dialog| dialog.question == StaffQuestion::Search)
            && staff_dialog::kept(&self.bots.store, self.staff, &open).await?.is_some()
            && !is_sought_next(message)
        {
            dialog = None;
        }
        match dialog {
            Some(dialog) => self.answered(&dialog, message).await,
            // Digits alone are no order: somebody looks for one.
            None if search::is_number(message.words()) => self.look_up(message).await,
            None => self.pasted(message).await,
        }
    }

    /// The reply to a command; of one that nobody knows the menu.
    async fn command(self, command: &Command<'_>) -> Result<Reply, store::Error> {
        match command.name.as_str() {
            "new" => self.start_order().await,
            "queue" => self.show(Place::Queue).await,
            "masters" => self.masters().await,
            "figures" => self.first_figures().await,
            "why" => self.why_written(command.order()).await,
            _ => self.menu().await,
        }
    }

    /// The reply to words that answer a question.
    async fn answered(self, dialog: &StaffDialog, message: &Message) -> Result<Reply, store::Error> {
        let question = dialog.question;
        if question != StaffQuestion::NewOrder && (message.is_forwarded() || message.text.is_none()) {
            return Ok(noted(self.asked_now().await?, ONLY_OWN_WORDS));
        }
        match question {
            StaffQuestion::NewOrder => self.new_order_written(message, dialog.day).await,
            StaffQuestion::Search => self.look_up(message).await,
            StaffQuestion::BlockReason | StaffQuestion::Limit => self.master_written(dialog, message).await,
            StaffQuestion::CancelReason
            | StaffQuestion::ReturnReason
            | StaffQuestion::Address
            | StaffQuestion::ClientName
            | StaffQuestion::Phone
            | StaffQuestion::Description
            | StaffQuestion::Slot
            | StaffQuestion::Comment
            | StaffQuestion::Amount => self.order_written(dialog, message).await,
        }
    }

    /// What the person is asked at this moment; the menu if that is nothing.
    pub(super) async fn asked_now(self) -> Result<Reply, store::Error> {
        match staff_dialog::open(&self.bots.store, self.staff).await? {
            Some((_, Some(dialog))) if dialog.question == StaffQuestion::NewOrder => self.draft_asked_now().await,
            Some((_, Some(dialog))) if dialog.question == StaffQuestion::Search => {
                match staff_dialog::kept(&self.bots.store, self.staff, &dialog).await? {
                    Some(_) => self.found(1).await,
                    None => Ok(Reply::question(render::staff::ask_search())),
                }
            }
            Some((_, Some(dialog))) => {
                let written = staff_dialog::kept(&self.bots.store, self.staff, &dialog).await?;
                let asked = if dialog.master.is_some() {
                    self.master_asked_now(&dialog, written.as_ref()).await?
                } else {
                    self.order_asked_now(&dialog, written.as_ref()).await?
                };
                match asked {
                    Some(screen) => Ok(Reply::question(screen)),
                    None => self.menu().await,
                }
            }
            _ => self.menu().await,
        }
    }
}
