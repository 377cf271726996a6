//! What each subcommand does.

pub mod backup;
pub mod doctor;
pub mod health;
pub mod init;
mod invitation;
pub mod master;
pub mod migrate;
mod private;
mod programs;
pub mod replay;
pub mod restore;
pub mod serve;
pub mod simulate;
pub mod staff;
mod terminal;
pub mod token;
pub mod torture;
pub mod verify;

use std::error::Error;
use std::io::{self, Write, stdout as out};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use field_service::app;
use field_service::config::{self, environment};
use field_service::doctor::Before;
use field_service::http::server;
use field_service::logging::{self, LevelFilter, printable};
use field_service::model::BotName;
use field_service::sim::{alone, demo};
use field_service::store::{self, Clock, Severity, Store};
use field_service::telegram;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::{Command, Demo, Sim, Webhook};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
pub async fn run(command: Command) -> Result<ExitCode> {
    let unread = config::dotenv::load(Path::new(".env")).err();
    if let Some(error) = unread.as_ref().filter(|_| needs_settings(&command)) {
        return Err(error.to_string().into());
    }
    // What they print is what is to be read.
    let level = match command {
        Command::Demo(_) | Command::Sim(_) | Command::Init(_) | Command::Torture(_) => LevelFilter::WARN,
        Command::Doctor(_) => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    let before = Before {
        file: unread.map(|error| error.to_string()),
        is_open: config::dotenv::is_open(Path::new(".env")),
        setting: logging::init(&environment, level).err(),
        database: None,
    };
    if let Some(file) = before.file.as_ref().filter(|_| !matches!(command, Command::Doctor(_))) {
        tracing::warn!("{file}; this command goes on without it");
    }
    // On the heap, as it is large.
    let done = Box::pin(execute(command, before)).await;
    logging::end_traces();
    done.map_err(naming_the_file)
}

/// Says of a setting that is missing where it was looked for.
fn naming_the_file(error: Box<dyn Error>) -> Box<dyn Error> {
    let setting = match error.downcast_ref() {
        Some(app::Error::Config(setting)) => Some(setting),
        _ => error.downcast_ref(),
    };
    if !setting.is_some_and(config::Error::is_missing) {
        return error;
    }
    let here = std::env::current_dir().map(|here| here.display().to_string()).unwrap_or_default();
    if config::dotenv::is_loaded() {
        return format!("{error}\nNeither the environment says it, nor .env in {here}.").into();
    }
    format!(
        "{error}\nThe environment does not say it, and there is no .env in {here}: go to the folder in which `field-service init` \
         has written one, or let it write one here."
    )
    .into()
}

/// Whether a command is nothing without settings. Not `doctor`, which says what is wrong with them.
fn needs_settings(command: &Command) -> bool {
    !matches!(command, Command::Doctor(_) | Command::Demo(_) | Command::Simulate(_) | Command::Torture(_))
}

async fn execute(command: Command, mut before: Before) -> Result<ExitCode> {
    let database = private::start(&command);
    before.database = database.as_ref().err().map(ToString::to_string);
    let database = match command {
        Command::Doctor(_) => database.ok().flatten(),
        _ => database?,
    };
    let done = match command {
        Command::Doctor(doctor) => return doctor::run(&doctor, before).await,
        _ if before.setting.is_some() => Err(before.setting.unwrap_or_default().into()),
        Command::Demo(demo) => self::demo(demo).await,
        Command::Sim(sim) => self::sim(sim).await,
        Command::Init(init) => init::run(init).await,
        Command::Serve(serve) => serve::run(serve, database.as_ref()).await,
        Command::Backup(backup) => backup::run(backup),
        Command::Restore(restore) => restore::run(restore).await,
        Command::Health(health) => health::run(health).await,
        Command::Migrate(migrate) => migrate::run(migrate).await,
        Command::Webhook(webhook) => self::webhook(webhook).await,
        Command::Staff(command) => staff::run(command).await,
        Command::Master(command) => master::run(command).await,
        Command::Token(command) => token::run(command).await,
        Command::Verify(verify) => verify::run(verify).await,
        Command::Simulate(simulate) => simulate::run(simulate),
        Command::Replay(replay) => return replay::run(replay).await,
        Command::Torture(torture) => torture::run(torture).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

async fn demo(options: Demo) -> Result {
    let stop = shutdown_signal()?;
    let show = async {
        // Not println!: whoever reads may have seen enough, which is no reason to panic.
        writeln!(out(), "Starting a PostgreSQL, a local Telegram and the webhook handler on this machine…")?;
        let demo = demo::Demo::start(options.database_url).await?;
        let races = (!options.once).then_some(demo::SHOWN);
        writeln!(out(), "{}", demo.race(races).await?)?;
        Ok::<_, demo::Error>(demo)
    };
    let mut stop = std::pin::pin!(stop);
    let mut demo = tokio::select! {
        demo = show => demo?,
        () = &mut stop => return Ok(()),
    };
    if options.once {
        return Ok(());
    }
    let listener = match options.listen {
        Some(address) => listen(address)?,
        None => listen(PAGE).or_else(|_| listen(SocketAddr::new(PAGE.ip(), 0)))?,
    };
    let page = demo.page(listener).await?;
    writeln!(
        out(),
        "\nNow you: open {} and play; orders keep coming, and masters whom you leave alone live by themselves. Ctrl-C ends it.",
        page.url()
    )?;
    writeln!(
        out(),
        "As its dispatcher, with the orders on one page (the link opens it once):\n  {}",
        demo.dispatcher_page().await?
    )?;
    writeln!(out(), "  handler   {}\n  database  psql '{}'", demo.url(), demo.database_url())?;
    stop.await;
    Ok(())
}

/// An address to listen at, as people write it; without a host it is this machine's own.
pub fn address(word: &str) -> std::result::Result<SocketAddr, &'static str> {
    let port = word.strip_prefix("localhost:").or(word.strip_prefix(':')).unwrap_or(word);
    let local = || port.parse().ok().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    word.parse().ok().or_else(local).ok_or("expected an address and a port, such as 127.0.0.1:8080")
}

/// A person's Telegram id.
fn telegram_id(word: &str) -> std::result::Result<i64, &'static str> {
    let id = word.parse().ok().filter(|id| *id > 0);
    id.ok_or("expected a number, as the bot tells it to strangers; a @name is none")
}

const PAGE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);

fn listen(address: SocketAddr) -> Result<TcpListener> {
    Ok(server::listen(address).map_err(|error| format!("listening on {address}: {error}"))?)
}

async fn sim(options: Sim) -> Result {
    let base = options.webhook_url.as_deref().map(handler_url).transpose()?;
    let stop = shutdown_signal()?;
    let listener = listen(options.listen)?;
    let webhook = |bot: BotName| Some(format!("{}/telegram/{}", base?, bot.as_str()));
    let page = alone::start(&environment, listener, base.unwrap_or("serve --poll"), webhook).await?;
    match base {
        Some(base) => writeln!(out(), "Open {} and play; updates go to {base}. Ctrl-C ends it.", page.url())?,
        None => writeln!(out(), "Open {} and play; updates wait for `serve --poll`. Ctrl-C ends it.", page.url())?,
    }
    writeln!(out(), "The handler needs TELEGRAM_API_URL={}", page.url())?;
    if environment("DATABASE_URL").is_some_and(|url| !url.is_empty()) {
        writeln!(out(), "Masters and orders that you make on the page are written to DATABASE_URL.")?;
    }
    stop.await;
    Ok(())
}

/// The handler's address, without the masters' bot's path if that is there.
fn handler_url(given: &str) -> Result<&str> {
    let base = given.trim_end_matches('/');
    let base = base.strip_suffix("/telegram/master").unwrap_or(base);
    if !reqwest::Url::parse(base).is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.query().is_none()) {
        let expected = "expected the handler's address, such as http://localhost:9000/lambda-url/webhook";
        return Err(format!("{given} is not an http or https URL: {expected}").into());
    }
    Ok(base)
}

/// Ready when the process is asked to stop: Ctrl-C, or SIGTERM from a service manager.
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

async fn webhook(command: Webhook) -> Result {
    match command {
        Webhook::Set { url, bot: which, max_connections } => {
            let name = which.bot.into();
            let secret = config::webhook_secret(&environment, name)?;
            let url = webhook_url(&url, name)?;
            // Whoever registers one bot may not know the other's token.
            if [BotName::Master, BotName::Admin].iter().all(|bot| config::bot_token(&environment, *bot).is_ok()) {
                config::bot_tokens(&environment)?;
            }
            bot(name)?.set_webhook(&url, &secret, max_connections).await?;
            say(&format!("Telegram delivers the {} bot's updates to {url}.", name.as_str()))?;
        }
        Webhook::Info(which) => {
            let info = bot(which.bot.into())?.webhook_info().await?;
            let url = if info.url.is_empty() { "none".into() } else { printable(&info.url) };
            say(&format!("url: {url}\nwaiting updates: {}", info.pending_update_count))?;
            if let Some(connections) = info.max_connections {
                say(&format!("connections at most: {connections}"))?;
            }
            match (info.last_error_date, info.last_error_message) {
                (Some(date), Some(message)) => say(&format!("last error: {} ({})", printable(&message), utc(date)?))?,
                _ => say("last error: none")?,
            }
        }
        Webhook::Delete(which) => {
            let name = which.bot.into();
            bot(name)?.delete_webhook().await?;
            say(&format!(
                "Telegram delivers no more updates of the {} bot; it keeps waiting ones for 24 hours.",
                name.as_str()
            ))?;
        }
    }
    Ok(())
}

/// The sender of a bot, whose token the environment has.
fn bot(name: BotName) -> Result<telegram::Bot> {
    let api_url = config::telegram_api_url(&environment)?;
    let token = config::bot_token(&environment, name)?;
    Ok(telegram::Bot::new(telegram::http_client(&api_url), &api_url, &token))
}

/// The address that Telegram is told, from the handler's or the webhook's own.
fn webhook_url(given: &str, bot: BotName) -> Result<String> {
    let refuse = |why: &str| -> Result<String> {
        Err(format!("{given} {why}: expected the handler's address, such as https://example.org").into())
    };
    let Ok(mut url) = reqwest::Url::parse(given) else { return refuse("is not a URL") };
    // A Bot API server of one's own delivers to http as well.
    let own_server = config::telegram_api_url(&environment)? != config::TELEGRAM_API_URL;
    if url.scheme() != "https" && !(own_server && url.scheme() == "http") {
        return refuse("is not https, which Telegram demands");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has more than a path");
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let of = |bot: BotName| format!("/telegram/{}", bot.as_str());
    let own = of(bot);
    if [BotName::Master, BotName::Admin].into_iter().any(|other| other != bot && path.ends_with(&of(other))) {
        return refuse("is the other bot's");
    }
    let path = if path.ends_with(&own) { path } else { path + &own };
    url.set_path(&path);
    Ok(url.into())
}

/// Telegram's dates are seconds since 1970, UTC.
fn utc(seconds: i64) -> Result<jiff::Timestamp> {
    Ok(jiff::Timestamp::from_second(seconds)?)
}

/// Prints what is asked for, each line on its own and without effect on the terminal. Whoever reads may have seen enough,
/// which is no failure.
fn say(text: &str) -> Result {
    for line in text.lines() {
        match writeln!(out(), "{}", printable(line)) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
    }
    Ok(())
}

fn in_words(error: store::Error) -> Box<dyn Error> {
    match error.severity() {
        Severity::TimedOut => "somebody is at work on this just now; nothing was changed: try again".into(),
        _ => error.into(),
    }
}

fn store() -> Result<Store> {
    Ok(Store::new(&config::Database::from_env(&environment)?, 1, Clock::default())?)
}

fn one_line(what: &str, text: &str) -> Result {
    let wrong = if text.trim().is_empty() {
        "is empty"
    } else if text.trim() != text {
        "begins or ends with a space"
    } else if text.chars().any(char::is_control) {
        "has a line break or another character that nobody sees"
    } else if text.chars().count() > 200 {
        "is too long"
    } else {
        return Ok(());
    };
    Err(format!("--{what} {wrong}: expected up to 200 characters on one line").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_people_write() {
        let here = |port| Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        for word in ["127.0.0.1:8080", "localhost:8080", ":8080", "8080"] {
            assert_eq!(address(word), here(8080), "{word}");
        }
        assert!(address("0.0.0.0:80").is_ok() && address("[::1]:80").is_ok());
        for word in ["", "http://127.0.0.1:80", "127.0.0.1:99999", "example.org:80", "-1"] {
            assert!(address(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_telegram_id_is_a_number() {
        assert_eq!(telegram_id("77"), Ok(77));
        assert!(["@petr", "0", "-5", ""].into_iter().all(|word| telegram_id(word).is_err()));
    }
}
