//! What is done about an order: the taps, and the answers in words.
//!
//! Whatever comes of it, the order's card is shown as it is then, with what there is to say about it.

use jiff::ToSpan;
use jiff::civil::DateTime;

use super::super::callback::staff::{Field, OrderTap};
use super::super::render::Screen;
use super::super::render::staff::order as screens;
use super::super::render::texts::VOCABULARY;
use super::super::render::texts::staff::order as texts;
use super::super::render::texts::staff::order::Misunderstood;
use super::super::render::texts::without_currency;
use super::super::update::Message;
use super::By;
use super::new_order::is_an_order;
use super::reply::{Reply, noted};
use crate::dispatch::act::{self, ActOutcome, Acted, Asked, StaffCommand};
use crate::dispatch::actions::{OrderAction, is_allowed};
use crate::dispatch::{candidates, dialog, staff_dialog};
use crate::model::dialog::Written;
use crate::model::paste::{self, when};
use crate::model::selection::Exclusion;
use crate::model::slot::{self, When};
use crate::model::staff_order::{Edit, StaffOrder};
use crate::model::text::{cut, one_line};
use crate::model::{Amount, MasterId, OrderId, Phone, Place, StaffDialog, StaffQuestion, Version};
use crate::store;

impl By<'_> {
    /// The reply to a button about an order.
    pub(super) async fn order(self, tap: OrderTap) -> Result<Reply, store::Error> {
        match tap {
            OrderTap::AssignAutomatically(order, seen) => self.tapped_to(order, seen, StaffCommand::AssignNow).await,
            OrderTap::Candidates { order, page } => self.candidates(order, page).await,
            OrderTap::Pick { order, master, seen } => self.pick(order, master, seen).await,
            OrderTap::PickAnyway { order, master, seen } => {
                self.tapped_to(order, seen, StaffCommand::Assign(master)).await
            }
            OrderTap::AskReturn(order, seen) => self.ask_return(order, seen).await,
            OrderTap::AskCancel(order, seen) => {
                let question = Some(StaffQuestion::CancelReason);
                self.before(order, seen, OrderAction::Cancel, question, screens::ask_cancel).await
            }
            OrderTap::ConfirmReturn(reason, order, seen) => {
                let screen = |order: &StaffOrder| screens::confirm_return(order, reason);
                self.before(order, seen, OrderAction::SearchAgain, None, screen).await
            }
            OrderTap::Return(reason, order, seen) => {
                self.tapped_to(order, seen, StaffCommand::SearchAgain(texts::return_reason(reason).to_owned())).await
            }
            OrderTap::ConfirmCancel(reason, order, seen) => {
                let screen = |order: &StaffOrder| screens::confirm_cancel(order, reason);
                self.before(order, seen, OrderAction::Cancel, None, screen).await
            }
            OrderTap::Cancel(reason, order, seen) => {
                self.tapped_to(order, seen, StaffCommand::Cancel(texts::cancel_reason(reason).to_owned())).await
            }
            OrderTap::ReturnWritten(order, message, seen) => {
                self.tapped_for_written(StaffQuestion::ReturnReason, order, message, seen).await
            }
            OrderTap::CancelWritten(order, message, seen) => {
                self.tapped_for_written(StaffQuestion::CancelReason, order, message, seen).await
            }
            OrderTap::Claim(order, from) => self.tapped_to(order, None, StaffCommand::Claim(from)).await,
            OrderTap::Unclaim(order) => self.tapped_to(order, None, StaffCommand::Unclaim).await,
            OrderTap::Edit(order, seen) => self.before(order, seen, OrderAction::Edit, None, screens::edit).await,
            OrderTap::Ask(field, order, seen) => self.ask(field, order, seen).await,
            OrderTap::Day { order, day, seen } => {
                let found = match self.ready_for(order, seen, OrderAction::Edit).await? {
                    Ok(found) => found,
                    Err(reply) => return Ok(reply),
                };
                let dialog = StaffDialog::about_order(StaffQuestion::Slot, order, Some(found.version));
                self.asked(dialog.of_day(Some(day)), screens::ask_hour(&found, day)).await
            }
            OrderTap::Window { order, from, seen } => self.choose_window(order, from, seen).await,
            OrderTap::AsSoonAsPossible(order, seen) => {
                self.tapped_to(order, seen, StaffCommand::Edit(Edit::Slot(None))).await
            }
            OrderTap::NoComment(order, seen) => {
                self.tapped_to(order, seen, StaffCommand::Edit(Edit::Comment(None))).await
            }
            OrderTap::Close { order, amount, seen } => self.tapped_to(order, seen, StaffCommand::Close(amount)).await,
            OrderTap::Why { order, page } => self.why(order, page).await,
            OrderTap::WhyMaster { order, master, page } => self.why_master(order, master, page).await,
            OrderTap::AskReopen(order, seen) => {
                self.before(order, seen, OrderAction::Reopen, None, screens::confirm_reopen).await
            }
            OrderTap::Reopen(order, seen) => self.tapped_to(order, seen, StaffCommand::Reopen).await,
        }
    }

    /// The reply to a reason, a new address and the like.
    pub(super) async fn order_written(self, dialog: &StaffDialog, message: &Message) -> Result<Reply, store::Error> {
        let Some(order) = dialog.order else { return self.menu().await };
        let Some(found) = act::look(&self.bots.store, order, self.staff).await? else {
            return self.nothing_of(dialog).await;
        };
        match understood(dialog, message.words(), &found) {
            Ok(Answer::StaffCommand(command)) => {
                let acted = self.act(order, dialog.seen, Some(dialog.question), &command).await?;
                Ok(noted(self.shown(order, &acted).await?, &texts::acted(&command, &acted)))
            }
            // What cannot be confirmed as it was seen.
            Ok(Answer::Amount(_) | Answer::Reason(_)) if dialog.seen.is_some_and(|seen| seen != found.version) => {
                staff_dialog::end(&self.bots.store, self.staff, dialog).await?;
                let reply = self.show(Place::Card(order)).await?;
                Ok(noted(reply, &texts::stale(found.last_change.as_ref(), Some(&found))))
            }
            Ok(Answer::Amount(amount)) => Ok(Reply::question(screens::confirm_close(&found, amount))),
            Ok(Answer::Reason(text)) => {
                let written = Written { text, message: message.message_id };
                if !staff_dialog::keep(&self.bots.store, self.staff, dialog, &written).await? {
                    return self.show(Place::Card(order)).await;
                }
                let returns = dialog.question == StaffQuestion::ReturnReason;
                Ok(Reply::question(screens::confirm_written(&found, &written, returns)))
            }
            Err(why) => Ok(Reply::question(question(dialog, &found, Some(&texts::misunderstood(why))))),
        }
    }

    /// Does what a written reason was confirmed for, if it is still that one.
    async fn tapped_for_written(
        self,
        question: StaffQuestion,
        order: OrderId,
        message: i32,
        seen: Option<Version>,
    ) -> Result<Reply, store::Error> {
        let returns = question == StaffQuestion::ReturnReason;
        let dialog = StaffDialog::about_order(question, order, seen);
        let written = staff_dialog::kept(&self.bots.store, self.staff, &dialog).await?;
        if let Some(Written { text, .. }) = written.filter(|written| written.message == message) {
            let command = if returns { StaffCommand::SearchAgain(text) } else { StaffCommand::Cancel(text) };
            return self.tapped_answering(order, seen, Some(question), command).await;
        }
        if self.was_handled().await? {
            return Ok(self.show(Place::Card(order)).await?.with_alert(texts::REPEATED));
        }
        let action = if returns { OrderAction::SearchAgain } else { OrderAction::Cancel };
        let found = act::look(&self.bots.store, order, self.staff).await?;
        if found.is_some_and(|found| act::has_done(action, &found)) {
            return Ok(self.show(Place::Card(order)).await?.with_alert(texts::ALREADY_DONE));
        }
        let reply = if returns {
            self.ask_return(order, seen).await?
        } else {
            self.before(order, seen, action, Some(question), screens::ask_cancel).await?
        };
        Ok(if reply.notice.is_some() { reply } else { reply.with_alert(texts::REASON_GONE) })
    }

    /// Whether this very update was handled before.
    pub(super) async fn was_handled(self) -> Result<bool, store::Error> {
        Ok(dialog::processed(&self.bots.store, &self.origin.update).await?.is_some())
    }

    /// The open question about an order again, or what is to be confirmed of its answer. `None`: there is no such order.
    pub(super) async fn order_asked_now(
        self,
        dialog: &StaffDialog,
        written: Option<&Written>,
    ) -> Result<Option<Screen>, store::Error> {
        let Some(order) = dialog.order else { return Ok(None) };
        let found = act::look(&self.bots.store, order, self.staff).await?;
        Ok(found.map(|found| match written {
            Some(written) => screens::confirm_written(&found, written, dialog.question == StaffQuestion::ReturnReason),
            None => question(dialog, &found, None),
        }))
    }

    /// That there is no such order any more, to whoever was asked about it.
    async fn nothing_of(self, dialog: &StaffDialog) -> Result<Reply, store::Error> {
        staff_dialog::end(&self.bots.store, self.staff, dialog).await?;
        Ok(noted(self.show(Place::Queue).await?, texts::NOT_FOUND))
    }

    /// Does something, and shows the card with what came of it.
    async fn tapped_to(
        self,
        order: OrderId,
        seen: Option<Version>,
        command: StaffCommand,
    ) -> Result<Reply, store::Error> {
        self.tapped_answering(order, seen, None, command).await
    }

    /// The same, which answers an open question.
    async fn tapped_answering(
        self,
        order: OrderId,
        seen: Option<Version>,
        answers: Option<StaffQuestion>,
        command: StaffCommand,
    ) -> Result<Reply, store::Error> {
        let acted = self.act(order, seen, answers, &command).await?;
        let reply = self.shown(order, &acted).await?;
        let said = texts::acted(&command, &acted);
        Ok(if acted.outcome == ActOutcome::Done { reply.with_toast(said) } else { reply.with_alert(said) })
    }

    async fn act(
        self,
        order: OrderId,
        seen: Option<Version>,
        answers: Option<StaffQuestion>,
        command: &StaffCommand,
    ) -> Result<Acted, store::Error> {
        let asked = Asked { staff: self.staff, order, seen, origin: Some(self.origin), answers };
        let acted = act::act(&self.bots.store, asked, command).await?;
        self.bots.metrics.count(command.name(), acted.outcome.name());
        Ok(acted)
    }

    /// The order's card, read after what was done; the queue if there is no such order.
    async fn shown(self, order: OrderId, acted: &Acted) -> Result<Reply, store::Error> {
        let reply = match acted.outcome {
            ActOutcome::NotFound => self.show(Place::Queue).await?,
            _ => self.show(Place::Card(order)).await?,
        };
        Ok(if acted.enqueued { reply.with_enqueued(order) } else { reply })
    }

    /// A screen before something is done, if that can be done with the order as it was seen; `question`: what the next words
    /// answer.
    async fn before(
        self,
        order: OrderId,
        seen: Option<Version>,
        action: OrderAction,
        question: Option<StaffQuestion>,
        screen: impl FnOnce(&StaffOrder) -> Screen,
    ) -> Result<Reply, store::Error> {
        match self.ready_for(order, seen, action).await? {
            Ok(found) => self.asked_or_shown(&found, question, screen).await,
            Err(reply) => Ok(reply),
        }
    }

    /// See [`Self::before`].
    async fn asked_or_shown(
        self,
        found: &StaffOrder,
        question: Option<StaffQuestion>,
        screen: impl FnOnce(&StaffOrder) -> Screen,
    ) -> Result<Reply, store::Error> {
        let order = found.id();
        let Some(question) = question else { return Ok(Reply::screen(screen(found), Place::Card(order))) };
        self.asked(StaffDialog::about_order(question, order, Some(found.version)), screen(found)).await
    }

    /// The screen of a question about an order, whose answer is written next; the order's card if it may not be asked.
    async fn asked(self, dialog: StaffDialog, screen: Screen) -> Result<Reply, store::Error> {
        if staff_dialog::ask(&self.bots.store, self.staff, dialog, self.origin).await? {
            return Ok(Reply::question(screen));
        }
        match dialog.order {
            Some(order) => self.show(Place::Card(order)).await,
            None => self.menu().await,
        }
    }

    /// The order, if that can be done with it as it was seen; else the reply that says why not.
    async fn ready_for(
        self,
        order: OrderId,
        seen: Option<Version>,
        action: OrderAction,
    ) -> Result<Result<StaffOrder, Reply>, store::Error> {
        let Some(found) = act::look(&self.bots.store, order, self.staff).await? else {
            return Ok(Err(self.show(Place::Queue).await?.with_alert(texts::NOT_FOUND)));
        };
        let refused = if !found.acts {
            texts::READ_ONLY.to_owned()
        } else if seen.is_some_and(|seen| !act::is_as_seen(action, &found, seen)) && !found.was_changed_last_by_reader()
        {
            texts::stale(found.last_change.as_ref(), Some(&found))
        } else if !is_allowed(action, &act::situation(&found)) {
            texts::not_now(Some(&found))
        } else {
            return Ok(Ok(found));
        };
        Ok(Err(self.show(Place::Card(order)).await?.with_alert(refused)))
    }

    async fn ask_return(self, order: OrderId, seen: Option<Version>) -> Result<Reply, store::Error> {
        let found = match self.ready_for(order, seen, OrderAction::SearchAgain).await? {
            Ok(found) => found,
            Err(reply) => return Ok(reply),
        };
        // An order that is nobody's needs no reason.
        let question = found.owner().map(|_| StaffQuestion::ReturnReason);
        self.asked_or_shown(&found, question, screens::ask_return).await
    }

    /// The window that begins then: as its button was made, if the hours of work are still the same.
    async fn choose_window(self, order: OrderId, from: DateTime, seen: Option<Version>) -> Result<Reply, store::Error> {
        let found = act::look(&self.bots.store, order, self.staff).await?;
        let offered = found.map(|order| slot::windows(from.date(), order.workday, from)).unwrap_or_default();
        let to = offered.into_iter().find_map(|(start, end)| (start == from).then_some(end));
        let to = to.or_else(|| from.checked_add(i64::from(slot::WINDOW).hours()).ok());
        self.tapped_to(order, seen, StaffCommand::Edit(Edit::Slot(to.map(|to| (from, to))))).await
    }

    async fn ask(self, field: Field, order: OrderId, seen: Option<Version>) -> Result<Reply, store::Error> {
        let (question, action) = match field {
            Field::Address => (StaffQuestion::Address, OrderAction::Edit),
            Field::Name => (StaffQuestion::ClientName, OrderAction::Edit),
            Field::Phone => (StaffQuestion::Phone, OrderAction::Edit),
            Field::Description => (StaffQuestion::Description, OrderAction::Edit),
            Field::Slot => (StaffQuestion::Slot, OrderAction::Edit),
            Field::Comment => (StaffQuestion::Comment, OrderAction::Comment),
            Field::Amount => (StaffQuestion::Amount, OrderAction::Close),
        };
        self.before(order, seen, action, Some(question), |order| screens::ask(field, order, None)).await
    }

    /// The masters who may be given the order.
    async fn candidates(self, order: OrderId, page: i64) -> Result<Reply, store::Error> {
        if let Err(reply) = self.ready_for(order, None, OrderAction::AssignByHand).await? {
            return Ok(reply);
        }
        match candidates::candidates(&self.bots.store, order, self.staff, page).await? {
            Some(list) => Ok(Reply::screen(screens::candidates(&list), Place::Card(order))),
            None => Ok(self.show(Place::Queue).await?.with_alert(texts::NOT_FOUND)),
        }
    }

    /// Gives the order to a master; asks first if something speaks against that.
    async fn pick(self, order: OrderId, master: MasterId, seen: Option<Version>) -> Result<Reply, store::Error> {
        let found = candidates::candidate(&self.bots.store, order, self.staff, master).await?;
        let speaks_against = |order: &StaffOrder, why_not: Option<Exclusion>| {
            let another_s = order.owner().is_some_and(|(owner, _)| owner != master);
            let as_seen = seen.is_none_or(|seen| seen == order.version);
            let can_be_given = is_allowed(OrderAction::AssignByHand, &act::situation(order));
            // What is refused anyway is refused at once.
            as_seen
                && can_be_given
                && (another_s
                    || why_not.is_some_and(|why_not| !matches!(why_not, Exclusion::Blocked | Exclusion::Waiting)))
        };
        match found {
            Some((order, line)) if speaks_against(&order, line.why_not) => {
                Ok(Reply::screen(screens::confirm_pick(&order, &line), Place::Card(order.id())))
            }
            _ => self.tapped_to(order, seen, StaffCommand::AssignWithinLimit(master)).await,
        }
    }
}

/// The open question about an order, below what was wrong with an answer.
fn question(dialog: &StaffDialog, order: &StaffOrder, wrong: Option<&str>) -> Screen {
    let screen = match (dialog.day, field(dialog.question)) {
        (Some(day), _) => screens::ask_hour(order, day),
        (None, Some(field)) => return screens::ask(field, order, wrong),
        (None, None) if dialog.question == StaffQuestion::ReturnReason => screens::ask_return(order),
        (None, None) => screens::ask_cancel(order),
    };
    match wrong {
        Some(wrong) => screen.with_note(wrong),
        None => screen,
    }
}

/// What an answer in words comes to.
enum Answer {
    StaffCommand(StaffCommand),
    /// To be confirmed.
    Amount(Amount),
    /// To be confirmed too.
    Reason(String),
}

fn field(question: StaffQuestion) -> Option<Field> {
    Some(match question {
        StaffQuestion::Address => Field::Address,
        StaffQuestion::ClientName => Field::Name,
        StaffQuestion::Phone => Field::Phone,
        StaffQuestion::Description => Field::Description,
        StaffQuestion::Slot => Field::Slot,
        StaffQuestion::Comment => Field::Comment,
        StaffQuestion::Amount => Field::Amount,
        _ => return None,
    })
}

fn understood(dialog: &StaffDialog, written: &str, order: &StaffOrder) -> Result<Answer, Misunderstood> {
    let question = dialog.question;
    let command = |command| Ok(Answer::StaffCommand(command));
    // What is to be done, or told to the master, may well be about another address and phone.
    let may_be_long = matches!(question, StaffQuestion::Description | StaffQuestion::Comment);
    if !may_be_long && is_an_order(written) {
        return Err(Misunderstood::AnOrder);
    }
    match question {
        StaffQuestion::Amount => {
            let number = without_currency(written);
            let why = if Amount::is_too_much(number) { Misunderstood::TooMuch } else { Misunderstood::NoAmount };
            Amount::parse(number).map(Answer::Amount).ok_or(why)
        }
        StaffQuestion::Phone => {
            let phone = Phone::parse(written).map_err(Misunderstood::NoPhone)?;
            command(StaffCommand::Edit(Edit::Phone(phone.as_e164().to_owned())))
        }
        StaffQuestion::Slot => {
            let now = order.order.card.slot.now;
            let when =
                when::read(written, dialog.day, now, order.workday, &VOCABULARY).map_err(Misunderstood::NoTime)?;
            command(StaffCommand::Edit(Edit::Slot(match when {
                When::Soon => None,
                When::Slot { start, end } => Some((start, end)),
            })))
        }
        StaffQuestion::ClientName | StaffQuestion::Address if Phone::parse(written).is_ok() => {
            Err(Misunderstood::APhone)
        }
        StaffQuestion::ClientName => {
            let name = words(question, &one_line(written))?;
            command(StaffCommand::Edit(Edit::Name(paste::renamed(&name, Some(&order.order.client.name), &VOCABULARY))))
        }
        StaffQuestion::Address => command(StaffCommand::Edit(Edit::Address(words(question, &one_line(written))?))),
        StaffQuestion::Description => command(StaffCommand::Edit(Edit::Description(words(question, written)?))),
        StaffQuestion::Comment => command(StaffCommand::Edit(Edit::Comment(Some(words(question, written)?)))),
        _ => Ok(Answer::Reason(words(question, written)?)),
    }
}

/// Words of a length that every screen has room for.
fn words(question: StaffQuestion, written: &str) -> Result<String, Misunderstood> {
    // The database takes no U+0000, and nobody means it.
    let text: String = written.chars().filter(|c| *c != '\0').collect();
    let text = text.trim();
    if !text.chars().any(char::is_alphanumeric) {
        return Err(Misunderstood::NoWords);
    }
    let limit = texts::limit(question);
    if cut(text, limit) != text {
        return Err(Misunderstood::TooLong(limit));
    }
    Ok(text.to_owned())
}
