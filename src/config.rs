//! The environment, parsed once into types.
//!
//! Every program reads only the variables it uses, through a lookup function, so that tests need not touch the
//! process environment. An empty variable counts as missing: deployment templates set optional parameters to "".
//! Secrets are kept in types whose `Debug` does not show them.

pub mod dotenv;

use std::fmt;
use std::path::PathBuf;

use subtle::{Choice, ConstantTimeEq};
use tokio_postgres::config::SslMode;

use crate::model::BotName;

/// Where variables are looked up: [`environment`] in programs, a closure in tests.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process environment as a [`Lookup`], and behind it the file that [`dotenv::load`] has read, if any.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    let of_process = std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    of_process.or_else(|| dotenv::variable(name))
}

/// A variable that is missing or malformed. The message names it and says what was expected; it never shows the
/// value, which may be a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}: expected {expected}")]
pub struct Error {
    variable: String,
    problem: String,
    expected: &'static str,
}

const MISSING: &str = "is not set";

impl Error {
    /// Whether nothing says it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.problem == MISSING
    }

    fn missing(variable: &str, expected: &'static str) -> Self {
        Self { variable: variable.to_owned(), problem: MISSING.to_owned(), expected }
    }

    fn malformed(variable: &str, why: impl fmt::Display, expected: &'static str) -> Self {
        Self { variable: variable.to_owned(), problem: format!("is malformed ({why})"), expected }
    }
}

/// How to reach PostgreSQL: `DATABASE_URL`, `PGSSLROOTCERT`, `DATABASE_STATEMENTS`.
#[derive(Clone, Debug)]
pub struct Database {
    /// The connection parameters; `sslmode=verify-full` arrives here as `require`.
    pub connection: tokio_postgres::Config,
    /// Whether the server's certificate and name are checked (`sslmode=verify-full`).
    pub verify_certificate: bool,
    /// A file of CA certificates in PEM, used instead of the public roots.
    pub root_certificates: Option<PathBuf>,
    /// How statements are sent.
    pub statements: StatementMode,
}

/// How statements are sent to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementMode {
    /// Prepared once per connection: half the work per accept. The default.
    Prepared,
    /// Parsed every time, in one round trip; and nothing is sent behind the end of a transaction until its answer is here:
    /// for every pooler in transaction mode, which gives the server's connection to somebody else then. Tried with PgBouncer
    /// 1.18; later ones that track prepared statements are to be used in this mode, too.
    Unnamed,
}

const VERIFY_FULL: &str = "sslmode=verify-full";
const DATABASE_URL: &str = "postgresql://user:password@host:5432/database?sslmode=verify-full \
     (sslmode is disable, prefer, require or verify-full)";

impl Database {
    /// Reads the database's variables.
    ///
    /// # Errors
    /// When `DATABASE_URL` is missing, or one of the variables is malformed.
    pub fn from_env(lookup: Lookup) -> Result<Self, Error> {
        let url = required(lookup, "DATABASE_URL", DATABASE_URL)?;
        let mut database = Self::from_url(&url)?;
        database.root_certificates = optional(lookup, "PGSSLROOTCERT").map(PathBuf::from);
        if let Some(mode) = optional(lookup, "DATABASE_STATEMENTS") {
            database.statements = match mode.as_str() {
                "prepared" => StatementMode::Prepared,
                "unnamed" => StatementMode::Unnamed,
                _ => {
                    return Err(Error::malformed(
                        "DATABASE_STATEMENTS",
                        "unknown mode",
                        "prepared, or unnamed behind a pooler in transaction mode",
                    ));
                }
            };
        }
        Ok(database)
    }

    /// Parses a `DATABASE_URL` alone; everything else is as if unset.
    ///
    /// # Errors
    /// When it is not a connection string that PostgreSQL's own clients would take.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        let malformed = |why: String| Error::malformed("DATABASE_URL", why, DATABASE_URL);
        // tokio-postgres knows disable, prefer and require; the certificate is checked by our own TLS connector.
        let verify_certificate = url.contains(VERIFY_FULL);
        let known = url.replacen(VERIFY_FULL, "sslmode=require", 1);
        let connection: tokio_postgres::Config =
            known.parse().map_err(|error: tokio_postgres::Error| malformed(why_malformed(&error).to_owned()))?;
        if connection.get_hosts().is_empty() {
            return Err(malformed("it names no host".to_owned()));
        }
        if connection.get_dbname().is_none() {
            return Err(malformed("it names no database".to_owned()));
        }
        if verify_certificate && connection.get_ssl_mode() != SslMode::Require {
            return Err(malformed("it names two kinds of sslmode".to_owned()));
        }
        Ok(Self { connection, verify_certificate, root_certificates: None, statements: StatementMode::Prepared })
    }
}

/// What is wrong with a connection string, without the piece that the driver quotes: it may be one of the password.
fn why_malformed(error: &tokio_postgres::Error) -> &'static str {
    let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    if why.contains("unknown option") {
        "it has an option that is not known"
    } else if why.contains("invalid value") {
        "an option has a value that it cannot have"
    } else {
        "it is not a connection string"
    }
}

/// The folder of a PostgreSQL of one's own, which programs that need the database start.
pub const DATABASE_FOLDER: &str = "DATABASE_FOLDER";

/// Reads `DATABASE_FOLDER`; `None`: the database is somebody else's to start.
#[must_use]
pub fn database_folder(lookup: Lookup) -> Option<PathBuf> {
    optional(lookup, DATABASE_FOLDER).map(PathBuf::from)
}

/// A bot's token: digits, a colon, and something non-empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Checks the form of a token.
    ///
    /// # Errors
    /// When it is not digits, a colon and something non-empty; `variable` is where it came from.
    pub fn parse(variable: &str, token: &str) -> Result<Self, Error> {
        let well_formed = token.split_once(':').is_some_and(|(id, key)| {
            !id.is_empty()
                && id.bytes().all(|byte| byte.is_ascii_digit())
                && !key.is_empty()
                && !key.contains(|c: char| c.is_whitespace() || c.is_control() || "/?#".contains(c))
        });
        if well_formed { Ok(Self(token.to_owned())) } else { Err(Error::malformed(variable, "not a token", TOKEN)) }
    }

    /// The bot's Telegram id, which is the part that anybody may know; 0: there is no bot of so large a number.
    #[must_use]
    pub fn bot_id(&self) -> i64 {
        self.0.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(0)
    }

    /// The token itself, to be put into a request's path and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

const TOKEN: &str = "a bot token as BotFather gives it, digits, a colon and a key";

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What another program is to repeat to us: Telegram in `X-Telegram-Bot-Api-Secret-Token`, Prometheus as a bearer token. The current
/// secret, and during a rotation the previous one too.
#[derive(Clone)]
pub struct SharedSecret {
    current: String,
    previous: Option<String>,
}

const SECRET: &str = "1 to 256 of A-Z a-z 0-9 _ -";

impl SharedSecret {
    /// A secret without a predecessor.
    ///
    /// # Errors
    /// When it is not 1–256 of `A-Za-z0-9_-`, Telegram's own rule for it.
    pub fn parse(variable: &str, secret: &str) -> Result<Self, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !(1..=256).contains(&secret.len()) || !secret.bytes().all(allowed) {
            return Err(Error::malformed(variable, "not a secret", SECRET));
        }
        Ok(Self { current: secret.to_owned(), previous: None })
    }

    /// Whether `presented` is one of the secrets, in time that does not depend on where it differs.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        let previous = self.previous.as_ref().map_or(Choice::from(0), |previous| previous.as_bytes().ct_eq(presented));
        (self.current.as_bytes().ct_eq(presented) | previous).into()
    }

    /// The current secret, to be told to Telegram by `webhook set`.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.current
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

/// Reads a bot's token.
///
/// # Errors
/// When it is missing or malformed.
pub fn bot_token(lookup: Lookup, bot: BotName) -> Result<Token, Error> {
    let variable = token_variable(bot);
    Token::parse(variable, &required(lookup, variable, TOKEN)?)
}

/// Reads both bots' tokens, the technicians' first.
///
/// # Errors
/// When one is missing or malformed, or both are of one bot.
pub fn bot_tokens(lookup: Lookup) -> Result<[Token; 2], Error> {
    let tokens = [bot_token(lookup, BotName::Master)?, bot_token(lookup, BotName::Admin)?];
    if tokens[0].bot_id() == tokens[1].bot_id() {
        let why = "it is of the same bot as MASTER_BOT_TOKEN";
        return Err(Error::malformed(
            token_variable(BotName::Admin),
            why,
            "another bot's: BotFather makes one by /newbot",
        ));
    }
    Ok(tokens)
}

/// Reads a bot's webhook secret, and the previous one if `…_PREVIOUS` is set.
///
/// # Errors
/// When it is missing, or either is malformed.
pub fn webhook_secret(lookup: Lookup, bot: BotName) -> Result<SharedSecret, Error> {
    let variable = secret_variable(bot);
    let mut secret = SharedSecret::parse(variable, &required(lookup, variable, SECRET)?)?;
    let previous = format!("{variable}_PREVIOUS");
    if let Some(value) = optional(lookup, &previous) {
        secret.previous = Some(SharedSecret::parse(&previous, &value)?.current);
    }
    Ok(secret)
}

/// Reads `METRICS_TOKEN`, by which Prometheus is known; `None`: unless it is set, there are no metrics over HTTP.
///
/// # Errors
/// When it is malformed.
pub fn metrics_token(lookup: Lookup) -> Result<Option<SharedSecret>, Error> {
    const VARIABLE: &str = "METRICS_TOKEN";
    optional(lookup, VARIABLE).map(|token| SharedSecret::parse(VARIABLE, &token)).transpose()
}

/// Where people reach this server.
#[derive(Clone, Debug)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The dispatchers' page, which opens for whoever follows this link.
    #[must_use]
    pub fn page_by(&self, link: &str) -> String {
        format!("{}/app#link={link}", self.0)
    }

    /// Where the server says how it is.
    #[must_use]
    pub fn health(&self) -> String {
        format!("{}/health", self.0)
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> String {
        reqwest::Url::parse(&self.0).map_or_else(|_| self.0.clone(), |url| url.origin().ascii_serialization())
    }

    /// The dispatchers' page inside Telegram, which opens nothing without TLS, but what is on this machine.
    /// <https://core.telegram.org/bots/webapps#using-bots-in-the-test-environment>
    #[must_use]
    pub fn mini_app(&self) -> Option<String> {
        let known = ["https://", "http://127.0.0.1:", "http://localhost:"];
        known.iter().any(|beginning| self.0.starts_with(beginning)).then(|| format!("{}/app", self.0))
    }
}

/// Reads `PUBLIC_URL`; `None`: it is not set, and nobody is led to the page.
///
/// # Errors
/// When it is not an http or https URL.
pub fn public_url(lookup: Lookup) -> Result<Option<PublicUrl>, Error> {
    optional(lookup, PUBLIC_URL).map(|url| http_url(PUBLIC_URL, &url, REACHED).map(PublicUrl)).transpose()
}

/// The same for a program that can do nothing without it.
///
/// # Errors
/// When it is missing, or not an http or https URL.
pub fn required_public_url(lookup: Lookup) -> Result<PublicUrl, Error> {
    http_url(PUBLIC_URL, &required(lookup, PUBLIC_URL, REACHED)?, REACHED).map(PublicUrl)
}

const PUBLIC_URL: &str = "PUBLIC_URL";
const REACHED: &str = "the address at which people reach this server, such as https://dispatch.example.org";

fn http_url(variable: &str, url: &str, expected: &'static str) -> Result<String, Error> {
    let parsed = reqwest::Url::parse(url).map_err(|error| Error::malformed(variable, error, expected))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(Error::malformed(variable, "not http or https", expected));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// Telegram's own Bot API.
pub const TELEGRAM_API_URL: &str = "https://api.telegram.org";

/// Reads `TELEGRAM_API_URL`: where the Bot API is, without a trailing slash; `https://api.telegram.org` unless set.
///
/// # Errors
/// When it is not an http or https URL.
pub fn telegram_api_url(lookup: Lookup) -> Result<String, Error> {
    const EXPECTED: &str = "an http or https URL such as https://api.telegram.org";
    let Some(url) = optional(lookup, "TELEGRAM_API_URL") else {
        return Ok(TELEGRAM_API_URL.to_owned());
    };
    http_url("TELEGRAM_API_URL", &url, EXPECTED)
}

fn optional(lookup: Lookup, variable: &str) -> Option<String> {
    lookup(variable).filter(|value| !value.is_empty())
}

fn required(lookup: Lookup, variable: &str, expected: &'static str) -> Result<String, Error> {
    optional(lookup, variable).ok_or_else(|| Error::missing(variable, expected))
}

fn token_variable(bot: BotName) -> &'static str {
    match bot {
        BotName::Master => "MASTER_BOT_TOKEN",
        BotName::Admin => "ADMIN_BOT_TOKEN",
    }
}

fn secret_variable(bot: BotName) -> &'static str {
    match bot {
        BotName::Master => "MASTER_WEBHOOK_SECRET",
        BotName::Admin => "ADMIN_WEBHOOK_SECRET",
    }
}
