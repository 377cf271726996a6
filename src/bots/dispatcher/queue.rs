//! The queue, what it is narrowed to, the search, and an order's card.

use super::super::callback::staff::QueueTap;
use super::super::render::staff::{self, From};
use super::super::render::texts::staff::{queue as texts, search};
use super::super::update::Message;
use super::By;
use super::reply::Reply;
use crate::dispatch::{staff_dialog, staff_view};
use crate::model::dialog::Written;
use crate::model::queue::{Found, Narrow, Queue};
use crate::model::staff::Place;
use crate::model::{OrderId, StaffDialog, StaffQuestion};
use crate::store;

/// How much of what somebody searches for is kept.
const SOUGHT: usize = 200;

impl By<'_> {
    /// The reply to a button of the queue.
    pub(super) async fn queue(self, tap: QueueTap) -> Result<Reply, store::Error> {
        let store = &self.bots.store;
        match tap {
            QueueTap::Page(page) => self.page_of_queue(page).await,
            QueueTap::Card { order, page } => self.card(order, From::Queue(page)).await,
            QueueTap::FoundCard { order, page } => self.card(order, From::Found(page)).await,
            QueueTap::Filters => {
                let queue = staff_view::queue(store, self.staff, 1).await?;
                self.show_queue(queue.as_ref(), staff::filters).await
            }
            QueueTap::Cities(page) => match staff_view::cities(store, self.staff, page).await? {
                Some(choices) => Ok(Reply::screen(staff::cities(&choices), Place::Queue)),
                None => self.menu().await,
            },
            QueueTap::Masters(page) => match staff_view::masters(store, self.staff, page).await? {
                Some(choices) => Ok(Reply::screen(staff::masters(&choices), Place::Queue)),
                None => self.menu().await,
            },
            QueueTap::Trades => Ok(Reply::screen(staff::trades(), Place::Queue)),
            QueueTap::Days => {
                let queue = staff_view::queue(store, self.staff, 1).await?;
                self.show_queue(queue.as_ref(), |queue| staff::days(queue.now.date())).await
            }
            QueueTap::Narrow(narrow) => self.narrow(narrow).await,
            QueueTap::AskSearch => {
                let dialog = StaffDialog::new(StaffQuestion::Search);
                if !staff_dialog::ask(store, self.staff, dialog, self.origin).await? {
                    return self.first_page_of_queue().await;
                }
                Ok(Reply::question(staff::ask_search()))
            }
            QueueTap::Found(page) => self.found(page).await,
        }
    }

    /// The queue from its beginning, with the person's filters.
    pub(super) async fn first_page_of_queue(self) -> Result<Reply, store::Error> {
        self.page_of_queue(1).await
    }

    async fn page_of_queue(self, page: i64) -> Result<Reply, store::Error> {
        let queue = staff_view::queue(&self.bots.store, self.staff, page).await?;
        self.show_queue(queue.as_ref(), staff::queue).await
    }

    /// `None`: the person is nobody of the staff any more, and sees the menu, which knows.
    async fn show_queue(
        self,
        queue: Option<&Queue>,
        screen: impl Fn(&Queue) -> super::Screen,
    ) -> Result<Reply, store::Error> {
        match queue {
            Some(queue) => Ok(Reply::screen(screen(queue), Place::Queue)),
            None => self.menu().await,
        }
    }

    /// The filters stay on the screen while they are set one by one; a state shows its orders.
    async fn narrow(self, narrow: Narrow) -> Result<Reply, store::Error> {
        let queue = staff_view::narrow(&self.bots.store, self.staff, narrow, self.origin).await?;
        match narrow {
            Narrow::State(_) | Narrow::Nothing => self.show_queue(queue.as_ref(), staff::queue).await,
            _ => self.show_queue(queue.as_ref(), staff::filters).await,
        }
    }

    /// An order's card, as it is now.
    pub(super) async fn order_card(self, order: OrderId) -> Result<Reply, store::Error> {
        self.card(order, From::Queue(1)).await
    }

    async fn card(self, order: OrderId, from: From) -> Result<Reply, store::Error> {
        match staff_view::card(&self.bots.store, self.staff, order).await? {
            Some(card) => Ok(Reply::screen(staff::card(&card, from), Place::Card(order))),
            None => Ok(self.first_page_of_queue().await?.with_alert(texts::NOT_FOUND)),
        }
    }

    /// A page of what was searched for last.
    pub(super) async fn found(self, page: i64) -> Result<Reply, store::Error> {
        let store = &self.bots.store;
        let sought = staff_view::sought(store, self.staff).await?;
        let asks = search::sought(sought.as_deref().unwrap_or_default());
        match staff_view::found(store, self.staff, &asks, page).await? {
            Some(found) => Ok(Reply::screen(staff::found(&Found { sought, ..found }), Place::Queue)),
            None => self.menu().await,
        }
    }

    /// What these words find. As long as nothing else is done, others can be written that are looked for next.
    pub(super) async fn look_up(self, message: &Message) -> Result<Reply, store::Error> {
        let store = &self.bots.store;
        let words: String = message.words().chars().filter(|c| !c.is_control()).take(SOUGHT).collect();
        let asks = search::sought(&words);
        if asks.is_empty() {
            return Ok(Reply::question(staff::too_short()));
        }
        staff_view::keep_sought(store, self.staff, &words, self.origin).await?;
        let Some(found) = staff_view::found(store, self.staff, &asks, 1).await? else { return self.menu().await };
        if found.lines.is_empty() {
            return Ok(Reply::question(staff::found(&Found { sought: Some(words), ..found })));
        }
        let written = Written { text: words.clone(), message: message.message_id };
        staff_dialog::keep(store, self.staff, &StaffDialog::new(StaffQuestion::Search), &written).await?;
        Ok(Reply::screen(staff::found(&Found { sought: Some(words), ..found }), Place::Queue))
    }
}
