//! `token create`, `list`, `revoke`: by what programs are known to the API.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use field_service::dispatch::secret;
use field_service::model::TokenId;
use field_service::model::access::TokenScope;
use field_service::store::access;

use super::{Result, in_words, one_line, say, store};

#[derive(Subcommand)]
pub enum Token {
    /// Make a program with a token, which is shown once
    Create(Create),
    /// Show the tokens there are
    List,
    /// Let a program do nothing any more; what it did stays known
    Revoke {
        /// The number, as `token list` shows it
        #[arg(value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
}

#[derive(Args)]
pub struct Create {
    /// The program's name, as it is shown beside what it did
    #[arg(long)]
    name: String,
    /// What it may do: look; make and change orders; change masters too. How masters are searched for is changed by admins alone:
    /// no token may do it, whatever its scope
    #[arg(long, value_parser = scope(), ignore_case = true)]
    scope: TokenScope,
    /// A city to work in; may be repeated; all, unless given
    #[arg(long = "city", value_name = "NAME")]
    cities: Vec<String>,
    /// After how many days it ends; never, unless given
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=3650))]
    days: Option<u64>,
}

/// A scope in either case; `--help` and errors list them.
fn scope() -> impl TypedValueParser<Value = TokenScope> {
    PossibleValuesParser::new(["read", "orders", "all"])
        .try_map(|word| TokenScope::parse(&word.to_ascii_uppercase()).ok_or("not a scope"))
}

pub async fn run(command: Token) -> Result {
    match command {
        Token::Create(create) => self::create(create).await,
        Token::List => list().await,
        Token::Revoke { id } => {
            if access::revoke(&store()?, TokenId(id)).await.map_err(in_words)? {
                say(&format!("Token {id} is good for nothing any more."))
            } else {
                Err(format!("token {id} is none that could still be used: `token list` shows those").into())
            }
        }
    }
}

async fn create(Create { name, scope, cities, days }: Create) -> Result {
    one_line("name", &name)?;
    let expires_in = days.map(|days| Duration::from_hours(24 * days));
    let made = access::create(&store()?, &name, scope, &cities, expires_in, secret::random()).await;
    match made.map_err(in_words)? {
        Ok(token) => {
            let ends = days.map_or_else(String::new, |days| format!(", ends in {days} days"));
            say(&format!("{}\nToken {} of {name}{ends}. It is not shown again.", token.text(), token.id))
        }
        Err(city) => {
            Err(format!("there is no city «{city}»: `master add` adds one with its first master; nothing was made")
                .into())
        }
    }
}

async fn list() -> Result {
    let tokens = access::list(&store()?).await?;
    if tokens.is_empty() {
        return say("There are no tokens: `token create` makes one.");
    }
    tokens.iter().try_for_each(|token| {
        let cities = if token.cities.is_empty() { "all cities".to_owned() } else { token.cities.join(", ") };
        let used = token.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
        let ends = match token.expires_at {
            _ if token.revoked => "  revoked".to_owned(),
            Some(at) => format!("  until {at}"),
            None => String::new(),
        };
        let scope = token.scope.as_str().to_ascii_lowercase();
        say(&format!("{:>4}  {}  {scope}  {cities}  {used}{ends}", token.id, token.name))
    })
}
