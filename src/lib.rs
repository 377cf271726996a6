//! Dispatch for field-service companies: several technicians («masters») are offered an order over Telegram, and the
//! first to tap «✅ Взять заявку» gets it, exactly once, under any concurrency, fault or redelivery.
//!
//! # One tap, end to end
//!
//! A program ([`server`], or the Lambda function in `bin/webhook.rs`) takes a request in. [`webhook`] checks the
//! secret and the size, reads the update and calls the bot's module. [`webhook::callback`] parses the button.
//! [`dispatch::accept`] locks, decides and acts through the statements of [`store`]. [`render`] turns the outcome and the
//! fresh list into a screen, and [`telegram`] answers the callback and shows the screen at the same time.
//!
//! What needs nobody's tap is [`tick`]: [`dispatch::sweep`] lets offers expire, begins rounds and calls staff, and
//! [`telegram::outbox`] tells people. It runs in [`server`]'s program and in the Lambda function `bin/tick.rs`.
//!
//! # One message, end to end
//!
//! Whatever concerns somebody who is not tapping is written into the table `outbox` by the statement that causes it.
//! [`telegram::outbox`] claims rows with a lease, has [`store::outbox`] say what is true by then, [`render`]s and sends it,
//! and finishes the row. The webhook does so for what its tap has caused, the tick for all that is left.
//!
//! Data goes one way: programs → [`app`] → [`webhook`] or [`tick`] → [`dispatch`] → [`store`]. [`render`] and [`telegram`]
//! stand beside. Nothing is kept between two requests but pooled connections. [`sim`] is everything outside the handler,
//! for tests, `field-service demo` and `field-service sim`.
//!
//! # An order
//!
//! ```text
//!  CREATED   SEARCHING   GUARANTEE   DEFERRED          open: can be offered and taken
//!      └─────────┴─────┬─────┴───────────┘
//!                      │ accepted by a master, or given by staff or the system
//!                      ▼
//!                  ASSIGNED ─▶ EN_ROUTE ─▶ WORKING ◀▶ PAYMENT      active: has exactly one master
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
pub mod bots;
pub mod config;
pub mod dispatch;
pub mod http;
pub mod jobs;
pub mod liveness;
pub mod logging;
pub mod metrics;
pub mod model;
pub mod sim;
pub mod store;
pub mod telegram;
mod tls;
