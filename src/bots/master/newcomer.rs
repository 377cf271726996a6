//! Whoever is no master: somebody who follows an invitation and tells what a master is, or a stranger.

use super::super::callback::{Callback, OnboardTap};
use super::super::render::{self, texts};
use super::super::update::Message;
use super::By;
use super::reply::{Fallback, Reply, UnderTheField};
use crate::dispatch::dialog;
use crate::dispatch::invite::{self, DeadLink};
use crate::dispatch::onboard::{self, Onboarded};
use crate::model::onboarding::{Step, Told};
use crate::model::{BotName, TelegramUserId, UpdateKey};
use crate::store;

impl By<'_> {
    /// The reply to a tap of somebody who is no master; `None`: a stranger's.
    pub(super) async fn newcomer_tapped(
        self,
        user: TelegramUserId,
        callback: Option<Callback>,
    ) -> Result<Option<Reply>, store::Error> {
        let (told, page) = match callback {
            Some(Callback::Onboard(tap)) => told(tap),
            _ => (Told::Nothing, 1),
        };
        match self.tell(user, &told, page, true).await? {
            // Somebody was faster, maybe this very tap: a master by now.
            None if matches!(callback, Some(Callback::Onboard(_))) => self.menu().await,
            reply => Ok(reply),
        }
    }

    /// The reply to a message of somebody who is no master; `None`: a stranger's.
    pub(super) async fn newcomer_written(
        self,
        user: TelegramUserId,
        message: &Message,
    ) -> Result<Option<Reply>, store::Error> {
        if let Some(code) = message.start_code() {
            return match invite::follow_to_masters(&self.bots.store, code, user).await? {
                Ok(()) => self.tell(user, &Told::Nothing, 1, false).await,
                // Maybe by this very person, a moment ago; and who is on the way by another one goes on.
                Err(dead @ DeadLink::Used) => match self.tell(user, &Told::Nothing, 1, false).await? {
                    None => Ok(Some(Reply::to_stranger(texts::onboarding::dead_link(dead).to_owned()))),
                    asked => Ok(asked),
                },
                // What is no link of ours is a stranger's, who is not answered again and again.
                Err(DeadLink::Unknown)
                    if !self.bots.strangers.may_be_answered(BotName::Master, user, message.message_id) =>
                {
                    Ok(Some(Reply::default()))
                }
                Err(dead) => Ok(Some(Reply::to_stranger(texts::onboarding::dead_link(dead).to_owned()))),
            };
        }
        if !onboard::is_on_the_way(&self.bots.store, user).await? {
            return Ok(None);
        }
        if let Some(group) = &message.media_group_id {
            let album = UpdateKey::album(BotName::Master, message.chat.id, group);
            if !dialog::is_first_of_album(&self.bots.store, &album, message.message_id).await? {
                return Ok(Some(Reply::default()));
            }
        }
        let own = |message: &Message| !message.is_forwarded();
        let told = match &message.contact {
            Some(contact) => {
                let is_own = own(message) && contact.is_of(user);
                Told::Contact(is_own.then(|| contact.phone_number.clone()))
            }
            None if message.words().is_empty() || !own(message) => Told::SomethingElse,
            None if message.words().starts_with('/') => Told::Nothing,
            None => Told::Words(message.words().to_owned()),
        };
        self.tell(user, &told, 1, false).await
    }

    async fn tell(
        self,
        user: TelegramUserId,
        told: &Told,
        page: i64,
        tapped: bool,
    ) -> Result<Option<Reply>, store::Error> {
        let onboarded = onboard::tell(&self.bots.store, user, told, self.origin, texts::onboarding::WAITS).await?;
        let reply = match onboarded {
            None => return Ok(None),
            Some(Onboarded::Complete { master: Some(_), waits: true }) => {
                self.bots.enqueued.notify_one();
                Reply::screen(render::plain(texts::onboarding::COMPLETE_WAITS.to_owned()), Fallback::Menu)
            }
            Some(Onboarded::Complete { master: Some(_), .. }) => {
                return Ok(self.menu().await?.map(|reply| reply.with_alert(texts::onboarding::COMPLETE)));
            }
            Some(Onboarded::Complete { master: None, .. }) => return self.menu().await,
            Some(Onboarded::Asked { known, complaint, answered }) => {
                let screen = render::onboarding::question(&known, complaint, page);
                if known.step == Step::Contact {
                    // The key is under the field, and not under the message.
                    let key = Some(texts::onboarding::BUTTON_CONTACT);
                    let reply = Reply { under: Some(UnderTheField { text: screen.text, key }), ..Reply::default() };
                    return Ok(Some(reply));
                }
                let taken = UnderTheField { text: texts::onboarding::CONTACT_TAKEN.to_owned(), key: None };
                let under = (answered == Some(Step::Contact)).then_some(taken);
                let reply = Reply { screen: Some(screen), under, ..Reply::default() };
                match complaint.filter(|_| tapped) {
                    Some(complaint) => reply.with_alert(texts::onboarding::complaint(complaint)),
                    None => reply,
                }
            }
        };
        Ok(Some(reply))
    }
}

/// What a tap tells, and which page of districts is shown then.
fn told(tap: OnboardTap) -> (Told, i64) {
    match tap {
        OnboardTap::Show { page } => (Told::Nothing, page),
        OnboardTap::Trade { category, on } => (Told::Trade(category, on), 1),
        OnboardTap::District { district, on, page } => (Told::District(district, on), page),
        OnboardTap::AllDistricts { on } => (Told::AllDistricts(on), 1),
        OnboardTap::Next => (Told::Next, 1),
        OnboardTap::Back => (Told::Back, 1),
    }
}
