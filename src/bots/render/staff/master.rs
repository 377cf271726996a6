//! The masters, and invitations.
//!
//! What changes something at once changes places with «Обновить», so that a second tap undoes nothing.

use frankenstein::types::InlineKeyboardButton;

use super::super::Screen;
use super::super::buttons::{Row, bad, button, copy, good, markup, pager, row};
use super::super::texts;
use super::super::texts::staff::{BUTTON_MENU, master as words};
use crate::bots::callback::staff::{MasterTap, QueueTap, StaffCallback};
use crate::model::dialog::Written;
use crate::model::invitation::{Invitation, Invited};
use crate::model::managed::{MasterCard, MasterFilter, MasterList, MasterState};
use crate::model::order::Category;
use crate::model::{CityId, Role, StaffProfile};

/// How many districts a page has.
const DISTRICTS_A_PAGE: usize = 20;
/// The limits that have a button.
const LIMITS: [i32; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12];

fn tap(text: impl Into<String>, tap: MasterTap) -> InlineKeyboardButton {
    button(text, StaffCallback::Master(tap))
}

fn alone(text: impl Into<String>, tap: MasterTap) -> Row {
    row(text, StaffCallback::Master(tap))
}

fn to_menu() -> InlineKeyboardButton {
    button(BUTTON_MENU, StaffCallback::Menu)
}

/// A page of masters.
#[must_use]
pub fn list(list: &MasterList, profile: &StaffProfile) -> Screen {
    let filter = |place: usize, filter: MasterFilter| {
        let text = words::button_filter(filter, list.counts[place], filter == list.filter);
        tap(text, MasterTap::List { filter, page: 1 })
    };
    let mut rows = vec![MasterFilter::ALL.into_iter().enumerate().map(|(place, kind)| filter(place, kind)).collect()];
    let with_city = profile.cities.len() > 1;
    rows.extend(list.lines.iter().map(|line| alone(words::button_master(line, with_city), MasterTap::Card(line.id))));
    let to = |page| StaffCallback::Master(MasterTap::List { filter: list.filter, page });
    rows.extend(pager(list.page, list.pages(), to));
    let invitations = profile.role.acts().then(|| tap(words::BUTTON_INVITATIONS, MasterTap::Invitations));
    rows.push(invitations.into_iter().chain([to_menu()]).collect());
    Screen { text: words::list(list, profile.role.acts()), keyboard: markup(rows) }
}

/// A master's card, below a note if there is something to say.
#[must_use]
pub fn card(card: &MasterCard, profile: &StaffProfile, note: Option<&str>) -> Screen {
    let mut rows: Vec<Row> = Vec::new();
    if profile.role.acts() {
        rows.extend(actions(card));
    } else {
        rows.push(alone(words::BUTTON_REFRESH, MasterTap::Card(card.id)));
    }
    let order = |(order, _): &(crate::model::OrderId, _)| {
        button(format!("№{order}"), StaffCallback::Queue(QueueTap::Card { order: *order, page: 1 }))
    };
    let orders: Row = card.orders.iter().take(4).map(order).collect();
    rows.extend((!orders.is_empty()).then_some(orders));
    rows.extend(card.phone.as_deref().and_then(|phone| copy(words::BUTTON_COPY_PHONE, phone)).map(|copy| vec![copy]));
    rows.push(vec![tap(words::BUTTON_TO_MASTERS, MasterTap::Start), to_menu()]);
    let text = words::card(card);
    let text = note.map_or_else(|| text.clone(), |note| format!("{}\n\n{text}", texts::escaped(note)));
    Screen { text, keyboard: markup(rows) }
}

fn actions(card: &MasterCard) -> Vec<Row> {
    let (id, seen) = (card.id, card.seen);
    let refresh = alone(words::BUTTON_REFRESH, MasterTap::Card(id));
    let choices = vec![
        tap(words::BUTTON_LIMIT_OF, MasterTap::Limits(id)),
        tap(words::BUTTON_TRADES, MasterTap::Trades(id)),
        tap(words::BUTTON_DISTRICTS, MasterTap::Districts(id, 1)),
    ];
    if card.state == MasterState::Waiting {
        let reject = vec![bad(words::BUTTON_REJECT, StaffCallback::Master(MasterTap::AskBlock(id)))];
        let approve = vec![good(words::BUTTON_APPROVE, StaffCallback::Master(MasterTap::Approve(id, seen)))];
        return vec![refresh, choices, approve, reject];
    }
    let shift = if card.on_shift {
        [alone(words::BUTTON_OFF_SHIFT, MasterTap::Shift(id, false, seen)), refresh]
    } else {
        [refresh, alone(words::BUTTON_ON_SHIFT, MasterTap::Shift(id, true, seen))]
    };
    let block = if card.blocked.is_some() {
        alone(words::BUTTON_UNBLOCK, MasterTap::Unblock(id, seen))
    } else {
        vec![bad(words::BUTTON_BLOCK, StaffCallback::Master(MasterTap::AskBlock(id)))]
    };
    shift.into_iter().chain([choices, block]).collect()
}

fn to_card(card: &MasterCard) -> Row {
    alone(words::BUTTON_TO_CARD, MasterTap::Card(card.id))
}

/// Asks why a master is blocked, or refused.
#[must_use]
pub fn ask_block(card: &MasterCard) -> Screen {
    let keyboard = markup(vec![alone(words::BUTTON_TO_CARD, MasterTap::Card(card.id))]);
    Screen { text: words::ask_block(card), keyboard }
}

/// Whether a master is to be blocked, or refused, for that reason; as the last change left the master.
#[must_use]
pub fn confirm_block(card: &MasterCard, written: &Written, seen: i64) -> Screen {
    let yes = StaffCallback::Master(MasterTap::Block(card.id, written.message, seen));
    let no = tap(words::BUTTON_NO, MasterTap::Card(card.id));
    let keyboard = markup(vec![vec![no, bad(words::button_block_yes(card), yes)]]);
    Screen { text: words::confirm_block(card, &written.text), keyboard }
}

/// Which limit.
#[must_use]
pub fn limits(card: &MasterCard) -> Screen {
    let limit = |limit: Option<i32>| {
        tap(words::button_limit(limit, card.own_limit == limit), MasterTap::Limit(card.id, limit, card.seen))
    };
    let mut rows = vec![to_card(card)];
    rows.extend(LIMITS.chunks(5).map(|five| five.iter().map(|one| limit(Some(*one))).collect::<Row>()));
    rows.push(vec![limit(None), tap(words::BUTTON_ANOTHER_LIMIT, MasterTap::AskLimit(card.id))]);
    Screen { text: words::limits(card), keyboard: markup(rows) }
}

/// Asks for a limit in words.
#[must_use]
pub fn ask_limit(card: &MasterCard) -> Screen {
    Screen { text: words::ask_limit(card), keyboard: markup(vec![to_card(card)]) }
}

/// Which trades.
#[must_use]
pub fn trades(card: &MasterCard) -> Screen {
    let trade = |category: Category| {
        let own = card.categories.contains(&category);
        let text = texts::onboarding::choice_of_trade(category, own);
        tap(text, MasterTap::Trade(card.id, category, !own, card.seen))
    };
    let mut rows: Vec<Row> = Category::ALL.chunks(2).map(|pair| pair.iter().copied().map(trade).collect()).collect();
    rows.push(to_card(card));
    Screen { text: words::trades(card), keyboard: markup(rows) }
}

/// Which districts, that page of them.
#[must_use]
pub fn districts(card: &MasterCard, page: i64) -> Screen {
    let pages = card.districts.len().div_ceil(DISTRICTS_A_PAGE).max(1);
    let page = usize::try_from(page).unwrap_or(1).clamp(1, pages);
    let number = |page: usize| i64::try_from(page).unwrap_or(1);
    let here = card.districts.iter().skip((page - 1) * DISTRICTS_A_PAGE).take(DISTRICTS_A_PAGE);
    let buttons: Vec<_> = here
        .map(|(district, name, own)| {
            let (district, on, page) = (*district, !own, number(page));
            let change = MasterTap::District { master: card.id, district, on, page, seen: card.seen };
            tap(texts::onboarding::choice(name, *own), change)
        })
        .collect();
    let mut rows: Vec<Row> = buttons.chunks(2).map(<[_]>::to_vec).collect();
    let to = |page| StaffCallback::Master(MasterTap::Districts(card.id, page));
    rows.extend(pager(number(page), number(pages), to));
    rows.push(to_card(card));
    Screen { text: words::districts(card), keyboard: markup(rows) }
}

/// The invitations that can let somebody in.
#[must_use]
pub fn invitations(open: &[Invitation], profile: &StaffProfile) -> Screen {
    let mut rows = vec![alone(words::BUTTON_INVITE_MASTER, MasterTap::AskMaster)];
    if profile.role == Role::Admin {
        rows.push(alone(words::BUTTON_INVITE_STAFF, MasterTap::AskStaff));
    }
    let revoke = |invitation: &Invitation| tap(words::button_revoke(invitation.id), MasterTap::Revoke(invitation.id));
    let buttons: Vec<_> = open.iter().map(revoke).collect();
    rows.push(vec![tap(words::BUTTON_TO_MASTERS, MasterTap::Start), to_menu()]);
    rows.extend(buttons.chunks(2).map(<[_]>::to_vec));
    Screen { text: words::invitations(open), keyboard: markup(rows) }
}

/// Where the master is to work, and whether staff have to agree.
#[must_use]
pub fn ask_master(cities: &[(CityId, String)]) -> Screen {
    let mut rows = vec![alone(words::BUTTON_TO_INVITATIONS, MasterTap::Invitations)];
    // Each alone: in half a row the end would be cut off, which says who is let in unseen.
    rows.extend(cities.iter().take(40).flat_map(|(city, name)| {
        let invite = |needs_approval: bool| {
            let invite = MasterTap::InviteMaster { city: *city, needs_approval };
            tap(words::button_city(name, needs_approval), invite)
        };
        [vec![invite(true)], vec![invite(false)]]
    }));
    Screen { text: words::ASK_MASTER.to_owned(), keyboard: markup(rows) }
}

/// Who is to be of the staff, and where.
#[must_use]
pub fn ask_staff(cities: &[(CityId, String)]) -> Screen {
    let invite = |role: Role, city: Option<&(CityId, String)>| {
        let text = words::button_role(role, city.map(|(_, name)| name.as_str()));
        tap(text, MasterTap::InviteStaff { role, city: city.map(|(city, _)| *city) })
    };
    let mut rows = vec![alone(words::BUTTON_TO_INVITATIONS, MasterTap::Invitations)];
    rows.push(vec![invite(Role::Dispatcher, None)]);
    rows.push(vec![invite(Role::Viewer, None)]);
    if cities.len() > 1 {
        rows.extend(
            cities
                .iter()
                .take(40)
                .map(|city| vec![invite(Role::Dispatcher, Some(city)), invite(Role::Viewer, Some(city))]),
        );
    }
    rows.push(vec![invite(Role::Admin, None)]);
    Screen { text: words::ASK_STAFF.to_owned(), keyboard: markup(rows) }
}

/// A link that was made, which is not shown again.
#[must_use]
pub fn invitation_made(number: i64, link: &str, invited: &Invited, cities: &str) -> Screen {
    let mut rows: Vec<Row> = copy(words::BUTTON_COPY_LINK, link).into_iter().map(|copy| vec![copy]).collect();
    rows.push(alone(words::BUTTON_TO_INVITATIONS, MasterTap::Invitations));
    Screen { text: words::invitation_made(number, link, invited, cities), keyboard: markup(rows) }
}
