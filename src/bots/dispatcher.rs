//! The dispatchers' bot: from an update to an answer and a screen.

mod figures;
mod master;
mod menu;
mod new_order;
mod order;
mod page;
mod policy;
mod queue;
mod reply;
mod why;
mod written;

pub(super) use reply::Answer;

use super::callback::staff::StaffCallback;
use super::render::Screen;
use super::render::texts;
use super::update::{CallbackQuery, Message, Update};
use super::{Bots, Failed, Handled, Response};
use crate::dispatch::invite::{self, DeadLink};
use crate::dispatch::{dialog, staff_dialog};
use crate::model::staff::Place;
use crate::model::{BotName, Door, Leaves, Origin, StaffIncoming, StaffProfile, StaffRef, TelegramUserId, UpdateKey};
use crate::store;
use reply::Reply;

/// Handles an update; `None`: it is of a kind that is not handled, or a stranger's who was answered before.
///
/// # Errors
/// When the database failed, before anything was answered.
pub(super) async fn handle(bots: &Bots, update: Update) -> Result<Option<Answer>, Failed> {
    match update {
        Update { callback_query: Some(query), .. } => on_callback(bots, query).await.map(Some),
        Update { message: Some(message), .. } if !message.is_service() => on_message(bots, message).await,
        // A place that moves is edited all the time, and says nothing.
        Update { edited_message: Some(message), .. } if message.text.is_some() => on_edit(bots, message).await,
        Update { update_id, .. } => {
            tracing::info!(update_id, "an update of a kind that is not handled");
            bots.metrics.count("update", "IGNORED");
            Ok(None)
        }
    }
}

async fn on_callback(bots: &Bots, query: CallbackQuery) -> Result<Answer, Failed> {
    let CallbackQuery { id, from, message, data } = query;
    let user = from.id();
    // Nothing is shown in any chat but the user's own.
    let message = message.filter(|message| message.chat.is_private_to(user)).map(|message| message.message_id);
    let origin = Origin { update: UpdateKey::callback(BotName::Admin, &id), message, written: None };
    let callback = data.as_deref().and_then(StaffCallback::parse);
    let answer = |reply| Answer { user, query: Some(id), message, reply };
    match tapped(bots, user, &origin, callback).await {
        Ok(reply) => Ok(answer(reply.unwrap_or_else(|| Reply::alert(texts::staff::stranger(user))))),
        // Somebody holds what the tap needs, be it a whole table.
        Err(error) if error.is_timed_out() => {
            tracing::warn!(%error, "a lock or a statement took too long");
            bots.metrics.count("dispatcher", "BUSY");
            Ok(answer(Reply { place: Some(Place::Menu), ..Reply::alert(texts::BUSY) }))
        }
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            let reply = Reply { place: Some(Place::Menu), ..Reply::alert(texts::staff::BROKEN) };
            Err(Failed { error, handled: Handled(Some(Response::Dispatcher(answer(reply)))) })
        }
    }
}

/// `None`: nobody of the staff tapped.
async fn tapped(
    bots: &Bots,
    user: TelegramUserId,
    origin: &Origin,
    callback: Option<StaffCallback>,
) -> Result<Option<Reply>, store::Error> {
    let staff = StaffRef::Telegram(user);
    let leaves = callback.map_or(Leaves::All, StaffCallback::leaves);
    let Some(StaffIncoming { profile, .. }) = staff_dialog::arrive(&bots.store, staff, origin, leaves).await? else {
        return Ok(None);
    };
    let by = By { bots, staff, profile: &profile, origin };
    let reply = by.tapped(callback).await?;
    staff_dialog::record(&bots.store, origin).await?;
    Ok(Some(reply))
}

async fn on_message(bots: &Bots, message: Message) -> Result<Option<Answer>, Failed> {
    let from = message.from.as_ref().map(super::update::User::id).filter(|user| message.chat.is_private_to(*user));
    let Some(user) = from else { return Ok(None) };
    let update = UpdateKey::message(BotName::Admin, message.chat.id, message.message_id);
    let origin = Origin { update, message: None, written: message.written() };
    let answer = |reply| Answer { user, query: None, message: None, reply };
    let replied = match written(bots, user, &origin, &message).await {
        Ok(None) => follow(bots, user, &origin, &message).await,
        replied => replied,
    };
    match replied {
        Ok(Some(reply)) => Ok(Some(answer(reply))),
        Ok(None) if !bots.strangers.may_be_answered(BotName::Admin, user, message.message_id) => Ok(None),
        Ok(None) => Ok(Some(answer(Reply::to_stranger(texts::staff::stranger(user))))),
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            let screen = super::render::plain(texts::staff::BROKEN.to_owned());
            let reply = Reply::screen(screen, Place::Menu);
            Err(Failed { error, handled: Handled(Some(Response::Dispatcher(answer(reply)))) })
        }
    }
}

/// To an edit: that it is not read, beside what the person is asked at this moment. Strangers are not answered.
async fn on_edit(bots: &Bots, message: Message) -> Result<Option<Answer>, Failed> {
    let from = message.from.as_ref().map(super::update::User::id).filter(|user| message.chat.is_private_to(*user));
    let (Some(user), Some(at)) = (from, message.edit_date) else { return Ok(None) };
    let update = UpdateKey::edit(BotName::Admin, message.chat.id, message.message_id, at);
    let origin = Origin { update, message: None, written: message.written() };
    let staff = StaffRef::Telegram(user);
    let Some(incoming) = staff_dialog::arrive(&bots.store, staff, &origin, Leaves::None).await? else {
        return Ok(None);
    };
    let by = By { bots, staff, profile: &incoming.profile, origin: &origin };
    let reply = by.asked_now().await?.with_alert(texts::staff::EDITED);
    staff_dialog::record(&bots.store, &origin).await?;
    Ok(Some(Answer { user, query: None, message: None, reply }))
}

/// Lets somebody in who follows an invitation; `None`: a stranger, who is not answered again and again.
async fn follow(
    bots: &Bots,
    user: TelegramUserId,
    origin: &Origin,
    message: &Message,
) -> Result<Option<Reply>, store::Error> {
    let (Some(code), Some(from)) = (message.start_code(), &message.from) else { return Ok(None) };
    let name = Some(from.name()).filter(|name| !name.is_empty()).unwrap_or_else(|| user.to_string());
    match invite::follow_to_staff(&bots.store, code, user, &name).await? {
        Ok(()) => written(bots, user, origin, message).await,
        Err(DeadLink::Unknown) => Ok(None),
        // It may be by this very message, delivered twice, that the person was let in.
        Err(dead) if dead == DeadLink::Used => match written(bots, user, origin, message).await? {
            None => Ok(Some(Reply::to_stranger(texts::onboarding::dead_link(dead).to_owned()))),
            reply => Ok(reply),
        },
        Err(dead) => Ok(Some(Reply::to_stranger(texts::onboarding::dead_link(dead).to_owned()))),
    }
}

/// `None`: nobody of the staff wrote it.
async fn written(
    bots: &Bots,
    user: TelegramUserId,
    origin: &Origin,
    message: &Message,
) -> Result<Option<Reply>, store::Error> {
    let staff = StaffRef::Telegram(user);
    let leaves = written::leaves(message);
    let Some(incoming) = staff_dialog::arrive(&bots.store, staff, origin, leaves).await? else { return Ok(None) };
    // Of an album, whose photos come one by one, the first is answered.
    if let Some(group) = &message.media_group_id {
        let album = UpdateKey::album(BotName::Admin, message.chat.id, group);
        if !dialog::is_first_of_album(&bots.store, &album, message.message_id).await? {
            return Ok(Some(Reply::default()));
        }
    }
    let by = By { bots, staff, profile: &incoming.profile, origin };
    let reply = by.written(&incoming, message).await?;
    staff_dialog::record(&bots.store, origin).await?;
    // Whoever opens the bot is offered the commands that go with the role, which may be another one by now.
    let opens = message.command().is_some_and(|command| command.name == "start");
    Ok(Some(Reply { commands: opens.then(|| incoming.profile.role.acts()), ..reply }))
}

/// Who asks, and where.
#[derive(Clone, Copy)]
struct By<'a> {
    bots: &'a Bots,
    staff: StaffRef,
    /// What the person may do, to choose what is offered: whatever changes something judges it again.
    profile: &'a StaffProfile,
    origin: &'a Origin,
}

impl By<'_> {
    /// The reply to a tap.
    async fn tapped(self, callback: Option<StaffCallback>) -> Result<Reply, store::Error> {
        match callback {
            Some(StaffCallback::Menu) => self.menu().await,
            Some(StaffCallback::Queue(tap)) => self.queue(tap).await,
            Some(StaffCallback::Order(tap)) => self.order(tap).await,
            Some(StaffCallback::New(tap)) => self.new_order(tap).await,
            Some(StaffCallback::Master(tap)) => self.master(tap).await,
            Some(StaffCallback::Figures(tap)) => self.figures(tap).await,
            Some(StaffCallback::Policy(tap)) => self.policy(tap).await,
            Some(StaffCallback::Page) => self.page().await,
            None => Ok(self.menu().await?.with_alert(texts::staff::UNKNOWN_BUTTON)),
        }
    }

    /// A screen as it is now, in a new message or in that of the tap.
    async fn show(self, place: Place) -> Result<Reply, store::Error> {
        match place {
            Place::Menu => self.menu().await,
            Place::Queue => self.first_page_of_queue().await,
            Place::Card(order) => self.order_card(order).await,
            Place::Draft => self.draft().await,
            Place::Master(master) => self.master_card(master).await,
            Place::Question => self.asked_now().await,
        }
    }
}

/// A screen that could not be shown at once, as it is now. `None`: the person is nobody of the staff any more.
///
/// # Errors
/// When the database failed.
pub(super) async fn shown_later(
    bots: &Bots,
    user: TelegramUserId,
    place: Place,
) -> Result<Option<Screen>, store::Error> {
    let staff = StaffRef::Telegram(user);
    let Some((profile, _)) = staff_dialog::open(&bots.store, staff).await? else { return Ok(None) };
    let update = UpdateKey { door: Door::Bot(BotName::Admin), key: "shown later".to_owned() };
    let origin = Origin { update, message: None, written: None };
    let by = By { bots, staff, profile: &profile, origin: &origin };
    Ok(by.show(place).await?.screen)
}
