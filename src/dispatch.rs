//! The business: one module for each thing that people do.
//!
//! Knows no Telegram type and no SQL. What the business can answer is in outcome enums; what broke is in
//! [`store::Error`](crate::store::Error).

pub mod accept;
pub mod act;
pub mod actions;
pub mod authorize;
pub mod begin_rounds;
pub mod board;
pub mod candidates;
pub mod close;
pub mod close_day;
pub mod correct;
pub mod create;
pub mod decline;
pub mod deliver;
pub mod dialog;
pub mod draft;
pub mod figures;
pub mod give_back;
pub mod intake;
pub mod invite;
pub mod look_up;
pub mod manage;
pub mod onboard;
mod own_change;
pub mod policy;
pub mod progress;
pub mod secret;
pub mod session;
pub mod shift;
pub mod staff_dialog;
pub mod staff_view;
pub mod transaction;
pub mod verify;
pub mod view;
pub mod why;
mod yesterday;

pub use transaction::{Answered, Decision};
