//! `init`: from two tokens to a system that can be served.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use field_service::config::environment;
use field_service::init::{self, Console, Given};
use tokio::task::block_in_place;

use super::Result;
use super::terminal::Terminal;

#[derive(Args)]
pub struct Init {
    /// The token of the technicians' bot; better in the environment, as MASTER_BOT_TOKEN: a command line can be seen by everybody on
    /// the machine
    #[arg(long, value_name = "TOKEN")]
    master_bot_token: Option<String>,
    /// The token of the dispatchers' bot; better in the environment, as ADMIN_BOT_TOKEN
    #[arg(long, value_name = "TOKEN")]
    admin_bot_token: Option<String>,
    /// A PostgreSQL that is there; better in the environment, as DATABASE_URL, if a password is in it
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// A folder for a PostgreSQL of its own, for trying and for one small office: made unless it is there, and kept
    #[arg(long, value_name = "FOLDER", conflicts_with = "database_url")]
    data_folder: Option<PathBuf>,
    /// The first city
    #[arg(long, value_name = "NAME")]
    city: Option<String>,
    /// Its time zone, such as Europe/Moscow
    #[arg(long, value_name = "ZONE", requires = "city")]
    timezone: Option<String>,
    /// The first admin's Telegram id, rather than to wait for `/start`
    #[arg(long, value_name = "ID", requires = "admin_name", value_parser = clap::value_parser!(i64).range(1..))]
    admin_id: Option<i64>,
    /// The first admin's full name
    #[arg(long, value_name = "NAME", requires = "admin_id")]
    admin_name: Option<String>,
    /// No admin yet: `staff add` lets one in later
    #[arg(long, conflicts_with = "admin_id")]
    no_admin: bool,
    /// Change lines of a .env that is there without asking
    #[arg(long)]
    overwrite: bool,
    /// Bring a database that is there to this release's schema without asking
    #[arg(long)]
    migrate: bool,
}

pub async fn run(init: Init) -> Result {
    let given = Given {
        master_token: init.master_bot_token,
        admin_token: init.admin_bot_token,
        database_url: init.database_url,
        data_folder: init.data_folder,
        city: init.city,
        timezone: init.timezone,
        admin_id: init.admin_id,
        admin_name: init.admin_name,
        no_admin: init.no_admin,
        overwrite: init.overwrite,
        migrate: init.migrate,
    };
    let mut terminal = Terminal::default();
    let console =
        (io::stdin().is_terminal() && io::stdout().is_terminal()).then_some(&mut terminal as &mut dyn Console);
    let is_silent = console.is_none();
    let kept = init::run(&given, Path::new(".env"), &environment, console).await?;
    if is_silent {
        super::say("Everything is there: `field-service serve --poll`.")?;
    }
    block_in_place(|| drop(kept));
    Ok(())
}
