//! Dispatch for field-service companies.

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
