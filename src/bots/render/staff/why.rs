//! Why an order's waves asked whom they asked.

use super::super::buttons::{Row, markup, pager, row};
use super::order::back_to;
use crate::bots::callback::staff::{OrderTap, QueueTap, StaffCallback};
use crate::bots::render::Screen;
use crate::bots::render::texts::staff::order::BUTTON_BACK;
use crate::bots::render::texts::staff::queue::BUTTON_TO_QUEUE;
use crate::bots::render::texts::why as texts;
use crate::dispatch::why::{WhyMaster, WhyWaves};
use crate::model::OrderId;

fn tap(tap: OrderTap) -> StaffCallback {
    StaffCallback::Order(tap)
}

/// The waves, and the masters who can be asked about.
#[must_use]
pub fn waves(waves: &WhyWaves) -> Screen {
    let order = waves.order.id;
    let mut rows: Vec<Row> = back_to(order).inline_keyboard;
    rows.extend(waves.masters.iter().map(|(master, name, why_not)| {
        let about = OrderTap::WhyMaster { order, master: *master, page: waves.page };
        row(texts::button_master(name, *why_not), tap(about))
    }));
    rows.extend(pager(waves.page, waves.pages, |page| tap(OrderTap::Why { order, page })));
    Screen { text: texts::waves(waves), keyboard: markup(rows) }
}

/// Asks for the number of an order to be explained.
#[must_use]
pub fn ask_number() -> Screen {
    let to_queue = row(BUTTON_TO_QUEUE, StaffCallback::Queue(QueueTap::Page(1)));
    Screen { text: texts::ASK_NUMBER_OF_STAFF.to_owned(), keyboard: markup(vec![to_queue]) }
}

/// What the waves were to a master.
#[must_use]
pub fn master(why: &WhyMaster, page: i64) -> Screen {
    let order: OrderId = why.order.id;
    let rows = vec![
        row(texts::BUTTON_TO_WAVES, tap(OrderTap::Why { order, page })),
        row(BUTTON_BACK, super::order::card(order)),
    ];
    Screen { text: texts::why_not_him(why), keyboard: markup(rows) }
}
