//! The command line: parse, call, print.

mod cli;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use cli::backup::Backup;
use cli::doctor::Doctor;
use cli::health::Health;
use cli::init::Init;
use cli::master::Master;
use cli::migrate::Migrate;
use cli::replay::Replaying;
use cli::restore::Restore;
use cli::serve::Serve;
use cli::simulate::Simulate;
use cli::staff::Staff;
use cli::token::Token;
use cli::torture::Torture;
use cli::verify::Verify;
use field_service::logging;
use field_service::model::BotName;

/// Dispatch for field-service companies: orders offered to technicians over Telegram, each taken by exactly one.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Everything on this machine, nothing to configure: masters race for orders, then a page to play with (the default)
    Demo(Demo),
    /// The local Telegram and its page alone, for a handler started elsewhere;
    /// needs both bots' tokens, with --webhook-url their secrets; with DATABASE_URL it shows what is there, and masters and orders made on the
    /// page are written there
    Sim(Sim),
    /// Lead through everything that is needed, from two tokens of BotFather to the first admin: writes .env, checks all of it, and can
    /// keep a PostgreSQL of its own in a folder
    Init(Init),
    /// Serve the webhook as a plain HTTP server, or ask Telegram for updates, and run the jobs; needs DATABASE_URL, both bots'
    /// tokens and, for the webhook, their secrets
    Serve(Serve),
    /// Ask the server of this machine whether it is well: database and jobs; the exit code says so
    Health(Health),
    /// Write all that the database has into a file, while people work; needs DATABASE_URL and PostgreSQL's pg_dump
    Backup(Backup),
    /// Bring back what `backup` has written, into an empty database; needs DATABASE_URL and, unless it is SQL, PostgreSQL's pg_restore
    Restore(Restore),
    /// Look at everything that an installation is made of, and say what is wrong and what to do: database, schema, bots, clocks,
    /// server, jobs, staff, masters; changes nothing; exits with 0 (fine), 1 (something is wrong) or 2 (something could not be
    /// checked)
    Doctor(Doctor),
    /// Bring the database to this release's schema, while people work; needs DATABASE_URL
    Migrate(Migrate),
    /// Register a bot's webhook with Telegram, ask about it, remove it
    #[command(subcommand)]
    Webhook(Webhook),
    /// Let dispatchers and admins in, change and list them; needs DATABASE_URL
    #[command(subcommand)]
    Staff(Staff),
    /// Let masters in, change and list them; needs DATABASE_URL
    #[command(subcommand)]
    Master(Master),
    /// Let programs in by the API, list and revoke their tokens; needs DATABASE_URL
    #[command(subcommand)]
    Token(Token),
    /// Find out whether anybody has tampered with the history of orders, while people work; needs DATABASE_URL
    Verify(Verify),
    /// Play days of a city under several dispatch policies and compare them: no database, nothing to configure
    Simulate(Simulate),
    /// Play real orders again under other dispatch policies and compare them with what happened; reads, and changes nothing; needs
    /// DATABASE_URL
    Replay(Replaying),
    /// Try to break it all, on this machine alone: the program several times, everybody tapping at once, everything failing
    /// meanwhile; then check every promise; nothing to configure
    Torture(Torture),
}

#[derive(Args, Default)]
struct Demo {
    /// An existing empty database to use instead of a private PostgreSQL
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Race for every order, tell what happened, and end: no page
    #[arg(long, conflicts_with = "listen")]
    once: bool,
    /// Where the page is [default: 127.0.0.1:8090, or a free port if that is taken]
    #[arg(long, value_name = "ADDR", value_parser = cli::address)]
    listen: Option<SocketAddr>,
}

#[derive(Args)]
struct Sim {
    /// The handler's address, e.g. http://localhost:9000/lambda-url/webhook; /telegram/<BOT> is added. Unless given, the handler
    /// asks for its updates: `serve --poll`
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Where the page is, and the Bot API: what the handler's TELEGRAM_API_URL is to be
    #[arg(long, value_name = "ADDR", value_parser = cli::address, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
}

#[derive(Subcommand)]
enum Webhook {
    /// Tell Telegram where to deliver, with the secret, the kinds of update and the connection limit
    Set {
        /// The https address of the handler, e.g. the function's URL; /telegram/<BOT> is added if it is not there
        url: String,
        #[command(flatten)]
        bot: Bot,
        /// How many updates Telegram may deliver at once: for both bots together below the function's reserved
        /// concurrency
        #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
        max_connections: u32,
    },
    /// Show what Telegram knows: address, waiting updates, last error
    Info(Bot),
    /// Stop delivery; Telegram keeps waiting updates for 24 hours
    Delete(Bot),
}

#[derive(Args)]
struct Bot {
    /// Which bot
    #[arg(long, value_enum, default_value = "master")]
    bot: WhichBot,
}

#[derive(Clone, Copy, ValueEnum)]
enum WhichBot {
    Master,
    Admin,
}

impl From<WhichBot> for BotName {
    fn from(bot: WhichBot) -> Self {
        match bot {
            WhichBot::Master => Self::Master,
            WhichBot::Admin => Self::Admin,
        }
    }
}

fn main() -> ExitCode {
    let command = Cli::parse().command.unwrap_or_else(|| Command::Demo(Demo::default()));
    let _flush = logging::FlushAtTheEnd;
    match cli::run(command) {
        Ok(code) => code,
        Err(error) => {
            logging::complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
