//! The settings: each is read alone, and what is missing or malformed is a finding.

use crate::config::{self, Lookup, PublicUrl, SharedSecret, StatementMode, Token};
use crate::model::BotName;
use crate::model::doctor::finding::{Finding, SECRET_MISSING};
use crate::telegram::{self, Bot};

/// What the environment says; the name of the variable where it says nothing of use.
pub(super) struct Settings {
    /// What is wrong with them.
    pub(super) findings: Vec<Finding>,
    /// How to reach the database, with statements that are not prepared.
    pub(super) database: Option<config::Database>,
    /// Whether programs prepare statements.
    pub(super) prepared: bool,
    /// The masters' bot and the dispatchers'.
    pub(super) bots: [Result<Bot, &'static str>; 2],
    /// Where people reach the server, if anybody is to.
    pub(super) public_url: Result<Option<PublicUrl>, &'static str>,
    secrets: [Option<SharedSecret>; 2],
}

/// Both bots, each with the variables of its token and of its secret.
const BOTS: [(BotName, &str, &str); 2] = [
    (BotName::Master, "MASTER_BOT_TOKEN", "MASTER_WEBHOOK_SECRET"),
    (BotName::Admin, "ADMIN_BOT_TOKEN", "ADMIN_WEBHOOK_SECRET"),
];

/// That a variable is malformed, in words that name it and do not show its value.
pub(super) fn malformed(complaint: String) -> Finding {
    Finding::wrong("setting", complaint, "set it as said; the README has a table of all of them")
}

/// That the file of settings says nothing.
pub(super) fn unread_file(complaint: String) -> Finding {
    let remedy = "mend the file, or move it away: without it no other command that needs settings runs here; what follows is what \
                  the environment says";
    Finding::wrong("env_file", complaint, remedy)
}

/// That the file of settings is not its owner's alone.
pub(super) fn open_file() -> Finding {
    let what =
        "everybody on this machine can read .env, or write it, in which the tokens and the database's password are";
    Finding::warning("env_file_open", what, "chmod 600 .env")
}

/// That the database of one's own does not start.
pub(super) fn not_started(complaint: String) -> Finding {
    let remedy = "see the log in the folder that DATABASE_FOLDER names, that nobody else's server is there, and that the disk has room";
    Finding::wrong("database_not_started", complaint, remedy)
}

impl Settings {
    pub(super) fn read(lookup: Lookup) -> Self {
        let mut findings = Vec::new();
        let mut wrong = |error: config::Error| findings.push(malformed(error.to_string()));
        let database = config::Database::from_env(lookup).or_else(|error| {
            wrong(error);
            // How statements are to be sent is of no account here; if it is something else, that has been said.
            config::Database::from_env(&|name| lookup(name).filter(|_| name != "DATABASE_STATEMENTS"))
        });
        let database = database.ok();
        let prepared = database.as_ref().is_none_or(|database| database.statements == StatementMode::Prepared);
        let database = database.map(|database| config::Database { statements: StatementMode::Unnamed, ..database });
        let api_url = config::telegram_api_url(lookup).map_err(&mut wrong);
        let tokens = BOTS.map(|(bot, ..)| config::bot_token(lookup, bot).map_err(&mut wrong).ok());
        let bots = std::array::from_fn(|place| {
            let api_url = api_url.as_ref().map_err(|()| "TELEGRAM_API_URL")?;
            let token = tokens[place].as_ref().ok_or(BOTS[place].1)?;
            Ok(Bot::new(telegram::http_client(api_url), api_url, token))
        });
        let public_url = config::public_url(lookup).map_err(|error| {
            wrong(error);
            "PUBLIC_URL"
        });
        if let Err(error) = config::metrics_token(lookup) {
            wrong(error);
        }
        let secrets = BOTS.map(|(bot, _, variable)| match config::webhook_secret(lookup, bot) {
            Ok(secret) => Some(secret),
            Err(error) => {
                findings.push(without_secret(lookup, variable, &error));
                None
            }
        });
        findings.extend(of_both(&tokens, &secrets));
        findings.extend(rotating(lookup));
        Self { findings, database, prepared, bots, public_url, secrets }
    }

    /// Whether there is a secret for the bot's webhook.
    pub(super) fn has_secret(&self, bot: BotName) -> bool {
        BOTS.iter().zip(&self.secrets).any(|((name, ..), secret)| *name == bot && secret.is_some())
    }
}

/// A secret is missing, which only a server without a webhook can do without; or malformed.
fn without_secret(lookup: Lookup, variable: &str, error: &config::Error) -> Finding {
    let is_set = |name: &str| lookup(name).is_some_and(|value| !value.is_empty());
    if is_set(variable) || is_set(&format!("{variable}_PREVIOUS")) {
        return malformed(error.to_string());
    }
    let remedy = "make one with `openssl rand -hex 32`; only `serve --poll` can do without";
    Finding::warning(SECRET_MISSING, error.to_string(), remedy)
}

/// What both bots must not have in common.
fn of_both(tokens: &[Option<Token>; 2], secrets: &[Option<SharedSecret>; 2]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let [Some(master), Some(admin)] = tokens
        && master == admin
    {
        let what = "MASTER_BOT_TOKEN and ADMIN_BOT_TOKEN are the same: masters and dispatchers need a bot each";
        findings.push(Finding::wrong("same_token", what, "get a second bot from BotFather with /newbot"));
    }
    if let [Some(master), Some(admin)] = secrets
        && master.reveal() == admin.reveal()
    {
        let what = "MASTER_WEBHOOK_SECRET and ADMIN_WEBHOOK_SECRET are the same: who learns one can pretend to be Telegram to both bots";
        let remedy = "make another with `openssl rand -hex 32`, and run `field-service webhook set` for that bot";
        findings.push(Finding::warning("same_secret", what, remedy));
    }
    findings
}

/// Secrets of before that are still accepted.
fn rotating(lookup: Lookup) -> Vec<Finding> {
    let variables = BOTS.map(|(_, _, variable)| format!("{variable}_PREVIOUS"));
    let set = variables.iter().filter(|variable| lookup(variable).is_some_and(|value| !value.is_empty()));
    set.map(|variable| {
        let what = format!("{variable} is set: the secret of before is still accepted");
        Finding::warning(
            "secret_rotating",
            what,
            "empty it a minute after `field-service webhook set` has told Telegram the new one",
        )
    })
    .collect()
}
