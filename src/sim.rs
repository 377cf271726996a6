//! Everything outside the handler, on this machine: a private PostgreSQL, a Telegram to talk to, and people.
//!
//! Shared by the tests, `field-service demo` and `field-service sim`; nothing of it is in the Lambda binaries.

pub mod alone;
mod city;
pub mod demo;
pub mod invariants;
pub mod page;
pub mod proxy;
pub mod telegram;
