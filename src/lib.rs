//! Dispatch for field-service companies: several technicians («masters») are offered an order over Telegram, and the
//! first to tap «✅ Взять заявку» gets it, exactly once, under any concurrency, fault or redelivery.
//!
//! # One tap, end to end
//!
//! A program ([`server`], or the Lambda function in `bin/webhook.rs`) takes a request in. [`webhook`] checks the
//! secret and the size, reads the update and calls the bot's module. [`webhook::callback`] parses the button.
//! [`dispatch::accept`] locks, decides and acts through the statements of [`db`]. [`render`] turns the outcome and the
//! fresh list into a screen, and [`telegram`] answers the callback and shows the screen at the same time.
//!
//! What needs nobody's tap is [`dispatch::tick`]: offers expire, rounds begin, staff are called. It runs in
//! [`server`]'s program and in the Lambda function `bin/tick.rs`.
//!
//! Data goes one way: programs → [`app`] → [`webhook`] → [`dispatch`] → [`db`]. [`render`] and [`telegram`] stand
//! beside. Nothing is kept between two requests but pooled connections. [`sim`] is everything outside the handler,
//! for tests, `field-service demo` and `field-service sim`.
//!
//! # An order
//!
//! ```text
//!  CREATED   SEARCHING   GUARANTEE   DEFERRED          open: can be offered and taken
//!      └─────────┴─────┬─────┴───────────┘
//!                      │ accepted by a master, or given by staff or the system
//!                      ▼
//!                  ASSIGNED ─▶ EN_ROUTE ─▶ WORKING ─▶ PAYMENT      active: has exactly one master
//!                      │                                 │
//!       back to the    │                                 ▼
//!       search, or     ▼                              CLOSED       final
//!       CANCELED (from anywhere that is not final)
//! ```
//!
//! # An offer
//!
//! ```text
//!  SENT ─▶ VIEWED          live: in the master's list until expires_at
//!    └──┬─────┘
//!       ├─▶ ACCEPTED       at most one per order; CANCELED if the order goes back or is canceled
//!       ├─▶ DECLINED       by the master
//!       ├─▶ EXPIRED        past its deadline
//!       └─▶ CANCELED       withdrawn, or another master took the order
//! ```
//!
//! Every change but SENT → VIEWED is made under the order's row lock; [`dispatch::accept`] says why.

pub mod app;
pub mod config;
pub mod db;
pub mod dispatch;
pub mod logging;
pub mod metrics;
pub mod render;
pub mod server;
pub mod sim;
pub mod telegram;
mod tls;
pub mod webhook;
