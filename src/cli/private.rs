//! The PostgreSQL of one's own that `init` has made: whatever needs the database starts it, unless it runs already, and the last to
//! need it stops it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use field_service::cluster::{self, End, Kept, SharedServer};
use field_service::config::{self, Database, environment};
use tokio::task::{JoinHandle, block_in_place};
use tokio_postgres::config::Host;

use super::Result;
use crate::Command;

/// Starts the server in the folder that `DATABASE_FOLDER` names, if a command needs a database and `DATABASE_URL` leads there. The
/// server runs until the result is dropped.
pub fn start(command: &Command) -> Result<Option<Private>> {
    if !needs_database(command) {
        return Ok(None);
    }
    // What is wrong with the settings is the command's to say.
    let Ok(database) = Database::from_env(&environment) else { return Ok(None) };
    let Some(folder) = folder_of(&database) else { return Ok(None) };
    // A database that was lost is made anew by whoever brings it back, and by nobody else: what looks lost may be on a disk that is
    // not there yet.
    if let Command::Restore(restore) = command {
        restore.check(&database)?;
    }
    let kept = block_in_place(|| match command {
        Command::Restore(_) => Kept::make(&folder),
        _ => Kept::start(&folder),
    })?;
    // Whoever asks for a list does not ask for this.
    if matches!(command, Command::Serve(_)) {
        let how = if kept.has_started() { "started" } else { "running already" };
        tracing::info!("the database in {} is {how}", kept.folder().display());
    }
    Ok(Some(Private(Arc::new(Mutex::new(Some(kept))))))
}

/// The folder that `DATABASE_FOLDER` names, from the root on, if the database is the one in it.
pub fn folder_of(database: &Database) -> Option<PathBuf> {
    let folder = std::path::absolute(config::database_folder(&environment)?).ok()?;
    let is_there = |host: &Host| matches!(host, Host::Unix(socket) if *socket == folder);
    database.connection.get_hosts().iter().any(is_there).then_some(folder)
}

/// A server that is stopped when this is dropped, unless somebody else uses it.
pub struct Private(SharedServer);

impl Private {
    /// Starts the server again whenever it has died alone and was not told to stop, until `stop` is ready or its folder is moved away.
    pub fn keep_alive(&self, stop: impl Future<Output = ()> + Send + 'static) -> JoinHandle<End> {
        tokio::spawn(cluster::keep_alive(Arc::clone(&self.0), stop))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        block_in_place(|| drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }
}

fn needs_database(command: &Command) -> bool {
    match command {
        Command::Demo(_)
        | Command::Sim(_)
        | Command::Init(_)
        | Command::Health(_)
        | Command::Webhook(_)
        | Command::Simulate(_)
        | Command::Torture(_) => false,
        Command::Serve(_)
        | Command::Doctor(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Migrate(_)
        | Command::Staff(_)
        | Command::Master(_)
        | Command::Token(_)
        | Command::Verify(_)
        | Command::Replay(_) => true,
    }
}
