//! The masters, and invitations.

use super::super::callback::staff::MasterTap;
use super::super::render::Screen;
use super::super::render::staff::master as screens;
use super::super::render::texts::staff::master as texts;
use super::super::render::texts::staff::new_order::NO_CITIES;
use super::super::render::texts::staff::order::REASON_GONE;
use super::super::update::Message;
use super::By;
use super::new_order::is_an_order;
use super::reply::{Reply, noted};
use crate::dispatch::invite::{self, EXPIRES_IN, InviteOutcome};
use crate::dispatch::manage::{self, ManageOutcome};
use crate::dispatch::staff_dialog;
use crate::model::dialog::Written;
use crate::model::invitation::Invited;
use crate::model::managed::{HIGHEST_LIMIT, Manage, MasterCard, MasterFilter, MasterState};
use crate::model::{CityId, MasterId, Place, StaffDialog, StaffQuestion};
use crate::store;

/// What is shown after a change.
#[derive(Clone, Copy)]
enum Then {
    Card,
    Limits,
    Trades,
    Districts(i64),
}

impl By<'_> {
    /// The reply to a button about a master.
    pub(super) async fn master(self, tap: MasterTap) -> Result<Reply, store::Error> {
        match tap {
            MasterTap::Start => self.masters().await,
            MasterTap::List { filter, page } => self.page_of_masters(filter, page).await,
            MasterTap::Card(master) => self.master_card(master).await,
            MasterTap::Shift(master, on, seen) => self.manage(master, Manage::Shift(on), seen, Then::Card).await,
            MasterTap::Block(master, message, seen) => self.block(master, message, seen).await,
            MasterTap::Unblock(master, seen) => self.manage(master, Manage::Unblock, seen, Then::Card).await,
            MasterTap::Approve(master, seen) => self.manage(master, Manage::Approve, seen, Then::Card).await,
            MasterTap::Limit(master, limit, seen) => {
                self.manage(master, Manage::Limit(limit), seen, Then::Limits).await
            }
            MasterTap::Trade(master, category, on, seen) => {
                self.manage(master, Manage::Trade(category, on), seen, Then::Trades).await
            }
            MasterTap::District { master, district, on, page, seen } => {
                self.manage(master, Manage::District(district, on), seen, Then::Districts(page)).await
            }
            MasterTap::Limits(master) => self.about(master, screens::limits).await,
            MasterTap::Trades(master) => self.about(master, screens::trades).await,
            MasterTap::Districts(master, page) => self.about(master, |card| screens::districts(card, page)).await,
            MasterTap::AskBlock(master) => self.ask_about(master, StaffQuestion::BlockReason, screens::ask_block).await,
            MasterTap::AskLimit(master) => self.ask_about(master, StaffQuestion::Limit, screens::ask_limit).await,
            MasterTap::Invitations => self.invitations().await,
            MasterTap::AskMaster => {
                let cities = invite::cities(&self.bots.store, self.staff).await?;
                if cities.is_empty() {
                    return Ok(noted(self.invitations().await?, NO_CITIES));
                }
                Ok(Reply::screen(screens::ask_master(&cities), Place::Menu))
            }
            MasterTap::AskStaff => {
                let cities = invite::cities(&self.bots.store, self.staff).await?;
                Ok(Reply::screen(screens::ask_staff(&cities), Place::Menu))
            }
            MasterTap::InviteMaster { city, needs_approval } => {
                self.invite(Invited::Master { city, needs_approval }).await
            }
            MasterTap::InviteStaff { role, city } => {
                self.invite(Invited::Staff { role, cities: city.into_iter().collect(), full_name: None }).await
            }
            MasterTap::Revoke(invitation) => {
                let revoked = invite::revoke(&self.bots.store, Some(self.staff), invitation).await?;
                let said = if revoked { texts::REVOKED } else { texts::NOTHING_TO_REVOKE };
                Ok(self.invitations().await?.with_alert(said))
            }
        }
    }

    /// The list of masters: those who wait for a decision first.
    pub(super) async fn masters(self) -> Result<Reply, store::Error> {
        self.page_of_masters(MasterFilter::All, 1).await
    }

    async fn page_of_masters(self, filter: MasterFilter, page: i64) -> Result<Reply, store::Error> {
        match manage::list(&self.bots.store, self.staff, filter, page).await? {
            Some(list) => Ok(Reply::screen(screens::list(&list, self.profile), Place::Menu)),
            None => self.menu().await,
        }
    }

    /// A master's card, as it is now.
    pub(super) async fn master_card(self, master: MasterId) -> Result<Reply, store::Error> {
        self.about(master, |card| screens::card(card, self.profile, None)).await
    }

    /// A screen about a master; the list if there is no such master.
    async fn about(self, master: MasterId, screen: impl FnOnce(&MasterCard) -> Screen) -> Result<Reply, store::Error> {
        match manage::card(&self.bots.store, self.staff, master).await? {
            Some(card) => Ok(Reply::screen(screen(&card), Place::Master(master))),
            None => Ok(self.masters().await?.with_alert(texts::NOT_FOUND)),
        }
    }

    /// Changes a master, and shows what is true then with what came of it.
    async fn manage(self, master: MasterId, to: Manage, seen: i64, then: Then) -> Result<Reply, store::Error> {
        let outcome = self.managed(master, &to, Some(seen)).await?;
        let reply = match then {
            _ if outcome == ManageOutcome::NotFound => self.masters().await?,
            Then::Card => self.master_card(master).await?,
            Then::Limits => self.about(master, screens::limits).await?,
            Then::Trades => self.about(master, screens::trades).await?,
            Then::Districts(page) => self.about(master, |card| screens::districts(card, page)).await?,
        };
        let said = texts::managed(&to, &outcome);
        Ok(if outcome == ManageOutcome::Done { reply.with_toast(said) } else { reply.with_alert(said) })
    }

    async fn managed(self, master: MasterId, to: &Manage, seen: Option<i64>) -> Result<ManageOutcome, store::Error> {
        let outcome = manage::change(&self.bots.store, self.staff, master, to, seen, Some(self.origin)).await?;
        self.bots.metrics.count("change_master", outcome.name());
        // Whoever was offered something, or is let in, is told.
        self.bots.enqueued.notify_one();
        Ok(outcome)
    }

    /// Asks something about a master in words.
    async fn ask_about(
        self,
        master: MasterId,
        question: StaffQuestion,
        screen: impl FnOnce(&MasterCard) -> Screen,
    ) -> Result<Reply, store::Error> {
        let Some(card) = manage::card(&self.bots.store, self.staff, master).await? else {
            return Ok(self.masters().await?.with_alert(texts::NOT_FOUND));
        };
        if !self.profile.role.acts() {
            return Ok(self.master_card(master).await?.with_alert(texts::READ_ONLY));
        }
        let dialog = StaffDialog::about_master(question, master, card.seen);
        if !staff_dialog::ask(&self.bots.store, self.staff, dialog, self.origin).await? {
            return self.master_card(master).await;
        }
        Ok(Reply::question(screen(&card)))
    }

    /// The reply to a reason or a number.
    pub(super) async fn master_written(self, dialog: &StaffDialog, message: &Message) -> Result<Reply, store::Error> {
        let Some(master) = dialog.master else { return self.menu().await };
        let words = message.words();
        let to = match dialog.question {
            StaffQuestion::Limit => {
                let limit = words.parse().ok().filter(|limit| (1..=HIGHEST_LIMIT).contains(limit));
                limit.map(|limit| Manage::Limit(Some(limit))).ok_or_else(texts::odd_limit)
            }
            _ if is_an_order(words) => Err(texts::AN_ORDER.to_owned()),
            _ => reason(words).map(Manage::Block).ok_or_else(texts::odd_reason),
        };
        let to = match to {
            Ok(to) => to,
            Err(why) => return self.ask_again(master, dialog, &why).await,
        };
        if let Manage::Block(text) = to {
            let Some(card) = manage::card(&self.bots.store, self.staff, master).await? else {
                return Ok(self.masters().await?.with_alert(texts::NOT_FOUND));
            };
            let written = Written { text, message: message.message_id };
            if !staff_dialog::keep(&self.bots.store, self.staff, dialog, &written).await? {
                return self.master_card(master).await;
            }
            return Ok(Reply::question(screens::confirm_block(
                &card,
                &written,
                dialog.seen_change.unwrap_or(card.seen),
            )));
        }
        let outcome = self.managed(master, &to, dialog.seen_change).await?;
        if outcome == ManageOutcome::Busy {
            return self.ask_again(master, dialog, &texts::managed(&to, &outcome)).await;
        }
        staff_dialog::end(&self.bots.store, self.staff, dialog).await?;
        let note = texts::managed(&to, &outcome);
        match manage::card(&self.bots.store, self.staff, master).await? {
            Some(card) => Ok(Reply::screen(screens::card(&card, self.profile, Some(&note)), Place::Master(master))),
            None => Ok(self.masters().await?.with_alert(note)),
        }
    }

    /// Blocks a master for a reason that was confirmed, if it is still that one.
    async fn block(self, master: MasterId, message: i32, seen: i64) -> Result<Reply, store::Error> {
        let dialog = StaffDialog::about_master(StaffQuestion::BlockReason, master, seen);
        let written = staff_dialog::kept(&self.bots.store, self.staff, &dialog).await?;
        let Some(Written { text, .. }) = written.filter(|written| written.message == message) else {
            if self.was_handled().await? {
                return self.master_card(master).await;
            }
            let card = manage::card(&self.bots.store, self.staff, master).await?;
            if card.is_some_and(|card| card.state == MasterState::Blocked) {
                // By the first of two impatient taps, or by a colleague.
                let already = texts::managed(&Manage::Block(String::new()), &ManageOutcome::AlreadySo(None));
                return Ok(self.master_card(master).await?.with_alert(already));
            }
            let reply = self.ask_about(master, StaffQuestion::BlockReason, screens::ask_block).await?;
            return Ok(if reply.notice.is_some() { reply } else { reply.with_alert(REASON_GONE) });
        };
        let before = manage::card(&self.bots.store, self.staff, master).await?;
        let waited = before.is_some_and(|card| card.state == MasterState::Waiting);
        let outcome = self.managed(master, &Manage::Block(text.clone()), Some(seen)).await?;
        if outcome != ManageOutcome::Busy {
            staff_dialog::end(&self.bots.store, self.staff, &dialog).await?;
        }
        let said = if waited && outcome == ManageOutcome::Done {
            texts::REFUSED.to_owned()
        } else {
            texts::managed(&Manage::Block(text), &outcome)
        };
        let reply =
            if outcome == ManageOutcome::NotFound { self.masters().await? } else { self.master_card(master).await? };
        Ok(reply.with_alert(said))
    }

    /// The open question about a master again, or what is to be confirmed of its answer. `None`: there is no such master.
    pub(super) async fn master_asked_now(
        self,
        dialog: &StaffDialog,
        written: Option<&Written>,
    ) -> Result<Option<Screen>, store::Error> {
        let Some(master) = dialog.master else { return Ok(None) };
        let card = manage::card(&self.bots.store, self.staff, master).await?;
        Ok(card.map(|card| match written {
            Some(written) => screens::confirm_block(&card, written, dialog.seen_change.unwrap_or(card.seen)),
            None => question(dialog, &card),
        }))
    }

    /// The same question, below why the words do not answer it.
    async fn ask_again(self, master: MasterId, dialog: &StaffDialog, why: &str) -> Result<Reply, store::Error> {
        let Some(card) = manage::card(&self.bots.store, self.staff, master).await? else {
            staff_dialog::end(&self.bots.store, self.staff, dialog).await?;
            return self.masters().await;
        };
        Ok(Reply::question(question(dialog, &card).with_note(why)))
    }

    async fn invitations(self) -> Result<Reply, store::Error> {
        let open = invite::open(&self.bots.store, Some(self.staff)).await?;
        Ok(Reply::screen(screens::invitations(&open, self.profile), Place::Menu))
    }

    /// Makes a link, which is shown once.
    async fn invite(self, invited: Invited) -> Result<Reply, store::Error> {
        let bot = self.bots.telegram.of(invited.bot());
        let username = match bot.username().await {
            Ok(username) => username,
            Err(error) => {
                // Before anything is made that nobody could follow.
                self.bots.log_failure("getMe", &Err::<(), _>(error));
                return Ok(self.invitations().await?.with_alert(texts::NO_LINK));
            }
        };
        let (store, by) = (&self.bots.store, Some(self.staff));
        match invite::create(store, by, &invited, EXPIRES_IN, Some(self.origin)).await? {
            InviteOutcome::Created(number, code) => {
                let cities = invite::cities(store, self.staff).await?;
                let of = |city: &CityId| match &invited {
                    Invited::Master { city: only, .. } => only == city,
                    Invited::Staff { cities, .. } => cities.contains(city),
                };
                let names: Vec<_> = cities.iter().filter(|(city, _)| of(city)).map(|(_, name)| name.as_str()).collect();
                let screen = screens::invitation_made(number, &code.link(&username), &invited, &names.join(", "));
                // In a message of its own: nothing that comes after it takes its place.
                Ok(Reply { apart: true, ..Reply::screen(screen, Place::Menu) })
            }
            InviteOutcome::NotAllowed => Ok(self.invitations().await?.with_alert(texts::MAY_NOT_INVITE)),
            InviteOutcome::AlreadyCreated => Ok(self.invitations().await?.with_alert(texts::LINK_WAS_SHOWN)),
        }
    }
}

/// The open question about a master.
fn question(dialog: &StaffDialog, card: &MasterCard) -> Screen {
    if dialog.question == StaffQuestion::Limit { screens::ask_limit(card) } else { screens::ask_block(card) }
}

/// A reason as it can be kept and shown. PostgreSQL's text cannot hold U+0000.
fn reason(words: &str) -> Option<String> {
    let fits = words.chars().any(char::is_alphanumeric)
        && words.chars().count() <= super::super::render::texts::REASON_LIMIT
        && !words.contains('\0');
    fits.then(|| words.to_owned())
}
