//! PostgreSQL servers of our own: [`Cluster`] in a temporary folder, gone with the process that started it, and [`Kept`] in a folder
//! of the user's, whose data stay.
//!
//! A small shell script keeps the server: it waits for its standard input to end, which happens when this process
//! does, however it dies, and then stops the server, unless others use it. The server listens on a socket in its folder only, so there is no port to
//! collide with and nobody else to keep out.

mod keeper;
mod kept;
mod programs;
mod revival;
mod temporary;

use std::fmt;

pub use kept::Kept;
pub use programs::{program, variables};
pub use revival::{End, SharedServer, keep_alive};
pub use temporary::{Cluster, Durability, Stop};

/// The server could not be started; nothing was left behind.
#[derive(Debug)]
pub enum Error {
    /// No PostgreSQL server programs were found.
    NotFound,
    /// They were found but did not work.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str(
                "PostgreSQL's server programs (initdb, pg_ctl, postgres) were not found on PATH, by pg_config or in \
                 the usual folders. Install them:\n  \
                 Debian, Ubuntu:  apt install postgresql\n  \
                 Fedora, RHEL:    dnf install postgresql-server\n  \
                 Arch:            pacman -S postgresql\n  \
                 Alpine:          apk add postgresql\n  \
                 macOS:           brew install postgresql@17\n\
                 Nothing needs to be running or configured. Or use an existing empty database: \
                 --database-url postgresql://…",
            ),
            Self::Failed(why) => write!(f, "a private PostgreSQL could not be started: {why}"),
        }
    }
}

impl std::error::Error for Error {}
