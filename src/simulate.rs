//! A day of a city under other policies, without a database: discrete-event simulation with the product's own choice.
//!
//! Who is asked, and when the next wave goes out, is decided by [`plan`](crate::model::plan::plan) over a
//! [`Pool`](crate::model::selection::Pool), as in the product; only the clock, the clients and the masters are made up.
//! [`day`] holds what happens whatever the policy is, [`event_loop`] plays it under one, [`figures`] says what came of it.
//! Days come from a [`city`] or, for `replay`, from the past ([`replay`]). [`batch`] plays many days on all cores, [`table`]
//! and [`picture`] show the result.
//!
//! Every draw belongs to an order, a master or a pair of both ([`chance`]), and not to the order of events: under each policy
//! the same clients come, and the same master answers the same order alike (common random numbers).

pub mod batch;
pub mod chance;
pub mod city;
pub mod city_day;
pub mod day;
pub mod event_loop;
pub mod figures;
mod labels;
pub mod picture;
pub mod replay;
pub mod rule;
pub mod statistics;
pub mod table;
