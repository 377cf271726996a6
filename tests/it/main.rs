//! The promises of the system, one file per behaviour, on a real PostgreSQL and a real HTTP Telegram stand-in.

mod harness;

mod accept;
mod decline;
mod http;
mod list;
mod races;
mod telegram_faults;
