//! `field-service init`: from two tokens to a system that can be served, in one conversation.
//!
//! Everything is asked and checked before anything is made or written down, but for the first admin, who is waited for; and what has
//! been done stays done: whoever stops half-way and begins again is offered what is there already. Nothing that is in use is changed without a yes.

mod admin;
mod bots;
mod city;
mod console;
mod database;
mod env_file;

use std::io;
use std::path::{Path, PathBuf};

use crate::cluster::{self, Kept};
use crate::config::{self, Lookup};
use crate::dispatch::secret;
use crate::model::Role;
use crate::store::migrate;
use crate::store::{self, Clock, Store, staff};
use crate::telegram;
pub use console::Console;
use console::Talk;
pub use env_file::EnvFile;

/// What was said on the command line; the rest is asked for.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The token of the technicians' bot.
    pub master_token: Option<String>,
    /// The token of the dispatchers' bot.
    pub admin_token: Option<String>,
    /// A database that is there.
    pub database_url: Option<String>,
    /// A folder for a database of its own.
    pub data_folder: Option<PathBuf>,
    /// The first city.
    pub city: Option<String>,
    /// Its time zone.
    pub timezone: Option<String>,
    /// The first admin's Telegram id.
    pub admin_id: Option<i64>,
    /// The first admin's name.
    pub admin_name: Option<String>,
    /// Whether there is to be no admin yet.
    pub no_admin: bool,
    /// Whether a file that is there may be written anew without a question.
    pub overwrite: bool,
    /// Whether a database that is there may be brought to this release's schema without a question.
    pub migrate: bool,
}

/// The conversation ended before everything was there. What was done until then stays.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody can be asked, and it was not said.
    #[error("{0} is missing: without a terminal nobody can be asked")]
    NotSaid(&'static str),
    /// What was said does not do.
    #[error("{0}: {1}")]
    Wrong(&'static str, String),
    /// Whoever was asked is gone.
    #[error("the input has ended; what was done stays, and `field-service init` goes on from there")]
    Ended,
    /// A file that is there was to stay.
    #[error("{file} is there and says something else{of}: `--overwrite` lets it be changed; nothing was",
            file = .0.display(), of = if .1.is_empty() { String::new() } else { format!(" of {}", .1) })]
    IsThere(PathBuf, String),
    /// The database is an older release's, and is to stay so.
    #[error(
        "the database is {0} migrations behind this release: make a backup, then `--migrate`, or `field-service migrate`; \
         nothing was changed"
    )]
    Behind(usize),
    /// The bot has a webhook, which is to stay.
    #[error("the dispatchers' bot has a webhook: the first admin can be added by `field-service staff add`")]
    HasWebhook,
    /// A server fetches the bot's updates.
    #[error(
        "`serve --poll` is running with this database and fetches the dispatchers' bot's updates: stop it, run `init` again, \
         then start it again"
    )]
    IsServed,
    /// The console or a file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No database of its own.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// A setting.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The schema.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Telegram.
    #[error("the dispatchers' bot: {0}")]
    Telegram(#[from] telegram::Error),
}

/// Leads through everything, and writes `file`. `lookup` is the environment, for what is not asked about, such as
/// `TELEGRAM_API_URL`. The database of its own, if there is one, runs until the result is dropped.
///
/// # Errors
/// See [`Error`].
pub async fn run(
    given: &Given,
    file: &Path,
    lookup: Lookup<'_>,
    console: Option<&mut dyn Console>,
) -> Result<Option<Kept>, Error> {
    let mut talk = Talk::new(console);
    refuse_what_nobody_said(given, &talk)?;
    admin::check(given)?;
    let file = EnvFile::read(file)?;
    if !file.exists() {
        file.check()?;
    }
    if let Some(link) = file.link() {
        talk.say(&format!("{} leads to {}, which is read and written.", link.display(), file.path().display()))?;
    }
    if file.exists() {
        talk.say(&format!("{} is there: what it says is offered, and its other lines stay.", file.path().display()))?;
    }
    let api = config::telegram_api_url(lookup)?;
    let known = |name: &str| lookup(name).filter(|value| !value.is_empty()).or_else(|| file.get(name));
    let master = bots::token(&mut talk, &bots::MASTER, &api, given.master_token.clone(), &known, None).await?;
    let admin =
        bots::token(&mut talk, &bots::ADMIN, &api, given.admin_token.clone(), &known, Some(&master.token)).await?;
    let database = database::choose(&mut talk, given, &known, lookup).await?;
    let city = {
        let store = database.ask()?;
        let city = city::choose(&mut talk, given, &store, database.is_migrated).await;
        store.close();
        city?
    };

    let secret = |name: &str| known(name).unwrap_or_else(random_secret);
    let (master_secret, admin_secret) = (secret("MASTER_WEBHOOK_SECRET"), secret("ADMIN_WEBHOOK_SECRET"));
    let folder = database.folder().map(|folder| folder.display().to_string()).unwrap_or_default();
    let mut values = vec![
        ("MASTER_BOT_TOKEN", master.token.reveal()),
        ("ADMIN_BOT_TOKEN", admin.token.reveal()),
        ("DATABASE_URL", &database.url),
        ("MASTER_WEBHOOK_SECRET", &master_secret),
        ("ADMIN_WEBHOOK_SECRET", &admin_secret),
    ];
    if api != config::TELEGRAM_API_URL {
        values.push(("TELEGRAM_API_URL", &api));
    }
    if !folder.is_empty() || file.get(config::DATABASE_FOLDER).is_some() {
        values.push((config::DATABASE_FOLDER, &folder));
    }
    // All questions first, and the file last: an installation that works goes on working when the tables cannot be made.
    let text = file.with(&values);
    if !file.says(&text) {
        file.check()?;
    }
    let changed = values.iter().filter(|(name, value)| file.get(name).is_some_and(|there| there != *value));
    let changed: Vec<_> = changed.map(|(name, _)| *name).collect();
    if !file.says(&text) {
        agree_to_write(&mut talk, &file, &changed, given.overwrite)?;
    }
    agree_to_migrate(&mut talk, database.behind, given.migrate)?;
    talk.say("Making the tables…")?;
    let config = database.config.clone();
    let kept = database.make()?;
    let report = migrate::run(&config).await?;
    write(&mut talk, &file, &text)?;
    if let Some(statements) = report.for_the_owner {
        talk.say(&format!("This role does not own the database; its owner must run:\n{statements}"))?;
    }
    let store = Store::new(&config, 1, Clock::default()).map_err(migrate::Error::from)?;
    if let Some(city) = &city {
        city::add(&mut talk, &store, city).await?;
    }
    admin::settle(&mut talk, given, &store, &admin).await?;
    talk.say("\nEverything is there. Next, in this folder:\n\n  field-service serve --poll\n")?;
    let has_admin = staff::list(&store, None).await?.iter().any(|entry| entry.role == Role::Admin && entry.is_active);
    if has_admin {
        let bot = &admin.name;
        talk.say(&format!("Then the dispatchers' bot @{bot} answers you, and you invite technicians from its menu."))?;
    } else {
        talk.say("There is no admin yet: `field-service staff add --role admin` lets the first one in.")?;
    }
    store.close();
    Ok(kept)
}

/// Before anything is begun.
fn refuse_what_nobody_said(given: &Given, talk: &Talk) -> Result<(), Error> {
    if talk.can_ask() {
        return Ok(());
    }
    match given {
        Given { city: None, .. } => Err(Error::NotSaid("--city")),
        Given { timezone: None, .. } => Err(Error::NotSaid("--timezone")),
        Given { admin_id: None, no_admin: false, .. } => Err(Error::NotSaid("--admin-id, or --no-admin,")),
        Given { admin_id: Some(_), admin_name: None, .. } => Err(Error::NotSaid("--admin-name")),
        _ => Ok(()),
    }
}

fn random_secret() -> String {
    secret::random().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// `changed`: the variables of which the file says something else; others are added to it.
fn agree_to_write(talk: &mut Talk, file: &EnvFile, changed: &[&str], overwrite: bool) -> Result<(), Error> {
    if overwrite || !file.exists() {
        return Ok(());
    }
    let (path, changed) = (file.path(), changed.join(", "));
    let question = match changed.as_str() {
        "" => format!("Write this into {}, beside what it says?", path.display()),
        changed => format!("Write this into {}, in place of what it says of {changed}?", path.display()),
    };
    if talk.can_ask() && talk.yes(&question)? { Ok(()) } else { Err(Error::IsThere(path.to_owned(), changed)) }
}

fn agree_to_migrate(talk: &mut Talk, behind: usize, migrate: bool) -> Result<(), Error> {
    if behind == 0 || migrate {
        return Ok(());
    }
    let question = format!(
        "The database is in use, and {behind} migrations behind this release. Apply them? `field-service backup` comes before that."
    );
    if talk.can_ask() && talk.yes(&question)? { Ok(()) } else { Err(Error::Behind(behind)) }
}

fn write(talk: &mut Talk, file: &EnvFile, text: &str) -> Result<(), Error> {
    if file.says(text) {
        // It may be on a disk that cannot be written, and need not be.
        if let Err(error) = file.close_to_others() {
            talk.say(&format!("Others may read it: {error}."))?;
        }
        return Ok(());
    }
    file.write(text)?;
    talk.say(&format!("{} is written, for you alone to read.", file.path().display()))?;
    Ok(())
}
