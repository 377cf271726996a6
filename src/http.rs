//! HTTP: the webhook's policy, and the handler as a plain server.

pub mod server;
pub mod webhook;
