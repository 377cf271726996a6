//! Dispatch for field-service companies: several technicians («masters») are offered an order over Telegram, and the
//! first to tap «✅ Взять заявку» gets it, exactly once, under any concurrency, fault or redelivery.
//!
//! # The floors
//!
//! Data goes down only, and a test draws every arrow:
//!
//! ```text
//!  programs   bin/webhook.rs, bin/tick.rs, the command line
//!  app        the composition root: everything a program needs, made once
//!  http  jobs what a request asks for; what happens without a tap         poll: updates that are asked for
//!  bots       the two doors of Telegram: updates, buttons, screens         telegram: a thin sender
//!  api        the third door: orders over HTTP, and the dispatchers' page on top of it
//!  dispatch   the verbs: a file for each thing that people do
//!  store      PostgreSQL: the pool, and every statement
//!  model      what is known and decided, as plain values
//!
//!  everywhere config, liveness, logging, metrics, tls
//! ```
//!
//! [`cluster`] is a PostgreSQL of one's own, and [`init`] leads whoever begins to a system that can be served. [`sim`] is everything
//! outside the handler, for tests, `field-service demo` and `field-service sim`; [`torture`] tries to break it all, on top of that.
//! [`simulate`] plays days of a city under other policies, on top of the model alone. [`doctor`] looks at an installation from
//! beside all that.
//!
//! # One tap, end to end
//!
//! A program takes a request in. [`http::webhook`] checks the secret and the size, reads the update and lets
//! [`bots::Bots::handle`] decide. [`bots::callback`] parses the button. [`dispatch::accept`] locks, decides and acts through
//! the statements of [`store`]. [`bots::render`] turns the outcome and the fresh list into a screen. Then, after the commit,
//! [`bots::Handled::send`] answers the callback, shows the screen and delivers what others are owed, through [`telegram`].
//!
//! # One message, end to end
//!
//! Whatever concerns somebody who is not tapping is written into the table `outbox` by the statement that causes it.
//! [`bots::delivery`] claims rows with a lease, [`store::outbox`] reads what is true by then, [`bots::render`] and
//! [`telegram`] send it, and the row is finished. The webhook does so for what its tap has caused, [`jobs`] for all that is
//! left.
//!
//! # What happened stays known
//!
//! Each row of an order's history is sealed by a hash of the row before it and of itself, and each day's root over all seals goes
//! to the admins' chats: [`model::history`] says how, [`dispatch::verify`] finds what was changed since.
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
//! For a day staff may open again what is over: CLOSED → PAYMENT, CANCELED → the search. What they do goes through
//! [`dispatch::act`], and what an order's card offers them is in [`dispatch::actions`].
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
//! Every change but SENT → VIEWED is made under the order's row lock; [`dispatch::transaction`] says why.

pub mod api;
pub mod app;
pub mod bots;
pub mod cluster;
pub mod config;
pub mod dispatch;
pub mod doctor;
pub mod files;
pub mod http;
pub mod init;
pub mod jobs;
pub mod liveness;
pub mod logging;
pub mod metrics;
pub mod model;
pub mod poll;
pub mod sim;
pub mod simulate;
pub mod store;
pub mod telegram;
mod tls;
pub mod torture;
