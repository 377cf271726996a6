//! The screens of the dispatchers' bot.

pub mod call;
mod card;
pub mod figures;
pub mod master;
pub mod new_order;
pub mod order;
pub mod policy;
mod queue;
pub mod why;

use frankenstein::types::{InlineKeyboardButton, WebAppInfo};

use super::buttons::{markup, row};
use super::{Screen, texts};
use crate::bots::callback::staff::{FiguresTap, MasterTap, NewTap, PolicyTap, QueueTap, StaffCallback};
use crate::model::figures::Scope;
use crate::model::queue::Queue;
use crate::model::{Role, StaffProfile};
pub use card::{From, card};
pub use queue::{ask_search, cities, days, filters, found, masters, queue, too_short, trades};

/// The menu, with what the person may do, and what there is in the queue. `drafted`: a new order was begun and is not finished. `paged`: there is
/// a way to the page.
#[must_use]
pub fn menu(profile: &StaffProfile, queue: Option<&Queue>, drafted: bool, paged: bool) -> Screen {
    let mut rows = vec![row(texts::staff::queue::button_queue(queue), StaffCallback::Queue(QueueTap::Page(1)))];
    if profile.role.acts() {
        let label = if drafted { texts::staff::BUTTON_DRAFT } else { texts::staff::BUTTON_NEW_ORDER };
        rows.push(row(label, StaffCallback::New(NewTap::Start)));
    }
    rows.push(row(texts::staff::BUTTON_MASTERS, StaffCallback::Master(MasterTap::Start)));
    rows.push(row(texts::staff::BUTTON_FIGURES, StaffCallback::Figures(FiguresTap::Orders(Scope::default()))));
    if profile.role == Role::Admin {
        rows.push(row(texts::staff::policy::BUTTON, StaffCallback::Policy(PolicyTap::Show)));
    }
    if paged {
        rows.push(row(texts::staff::page::BUTTON, StaffCallback::Page));
    }
    let counts = queue.map(|queue| format!("\n\n{}", texts::staff::queue::counts(queue))).unwrap_or_default();
    Screen { text: format!("{}{counts}", texts::staff::menu(profile)), keyboard: markup(rows) }
}

/// The ways to the page: inside Telegram, if it opens there, and by a link.
#[must_use]
pub fn page(mini_app: Option<String>, link: String) -> Screen {
    use texts::staff::page as words;
    let text = if mini_app.is_some() { words::BOTH } else { words::LINK };
    let inside = mini_app
        .map(|url| vec![InlineKeyboardButton::builder().text(words::OPEN_INSIDE).web_app(WebAppInfo { url }).build()]);
    let outside = vec![InlineKeyboardButton::builder().text(words::OPEN_OUTSIDE).url(link).build()];
    let menu = row(texts::staff::BUTTON_MENU, StaffCallback::Menu);
    Screen { text: text.to_owned(), keyboard: markup(inside.into_iter().chain([outside, menu]).collect()) }
}

/// That words were no order and no answer, above the menu's buttons.
#[must_use]
pub fn not_understood(menu: Screen, role: Role) -> Screen {
    Screen { text: texts::staff::not_understood(role).to_owned(), ..menu }
}
