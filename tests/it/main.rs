//! The promises of the system, one file per behaviour, on a real PostgreSQL and a real HTTP Telegram stand-in.

mod harness;

mod accept;
mod database_faults;
mod decline;
mod delivery;
mod demo;
mod http;
mod jobs;
mod life;
mod list;
mod literals;
mod migrations;
mod noise;
mod outbox;
mod page;
mod programs;
mod races;
mod redelivery;
mod rounds;
mod screens;
mod statements;
mod states;
mod structure;
mod telegram_faults;
mod tls;
mod work;
