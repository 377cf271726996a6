//! `staff add`, `set`, `list`, `deactivate`, `invite`: who works in the dispatchers' bot.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, Subcommand};
use field_service::config::{self, environment};
use field_service::dispatch::session;
use field_service::model::invitation::Invited;
use field_service::model::{BotName, Role, StaffId, StaffRef, TelegramUserId};
use field_service::store::Store;
use field_service::store::staff::{self, Changes, Entry, Saved};

use super::{Result, bot, in_words, invitation, one_line, say, store, telegram_id};

#[derive(Subcommand)]
pub enum Staff {
    /// Add somebody by Telegram id: the first admin, who invites the others
    Add(Add),
    /// Change what somebody may do, and where; what is not given stays as it is
    Set(Set),
    /// Let somebody do nothing any more; what the person did stays known
    Deactivate(Who),
    /// Make a link by which one person gets in, or revoke one
    Invite(Invite),
    /// Make a link by which somebody opens the page once, without Telegram; needs PUBLIC_URL
    Link(Who),
    /// Show who there is
    List,
}

#[derive(Args)]
pub struct Add {
    /// The Telegram id, as the bot tells it to strangers
    #[arg(long, value_name = "ID", value_parser = telegram_id)]
    telegram_id: i64,
    /// Full name
    #[arg(long)]
    name: String,
    /// What the person may do
    #[arg(long, value_parser = role(), ignore_case = true)]
    role: Role,
    /// A city to work in; may be repeated; all, unless given
    #[arg(long = "city", value_name = "NAME")]
    cities: Vec<String>,
}

#[derive(Args)]
#[command(group(ArgGroup::new("who").required(true).args(["telegram_id", "id"])))]
pub struct Who {
    /// Who: the Telegram id
    #[arg(long, value_name = "ID", value_parser = telegram_id)]
    telegram_id: Option<i64>,
    /// Who: the number, as `staff list` shows it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    id: Option<i64>,
}

#[derive(Args)]
pub struct Set {
    #[command(flatten)]
    who: Who,
    /// Full name
    #[arg(long)]
    name: Option<String>,
    /// What the person may do
    #[arg(long, value_parser = role(), ignore_case = true)]
    role: Option<Role>,
    /// A city to work in, instead of those there are; may be repeated
    #[arg(long = "city", value_name = "NAME")]
    cities: Vec<String>,
    /// All cities, also those to come
    #[arg(long, conflicts_with = "cities")]
    all_cities: bool,
    /// Let somebody work again who was deactivated
    #[arg(long)]
    activate: bool,
}

#[derive(Args)]
#[command(group(ArgGroup::new("invite").required(true).args(["role", "revoke", "list"])))]
pub struct Invite {
    /// What the person is to be allowed
    #[arg(long, value_parser = role(), ignore_case = true)]
    role: Option<Role>,
    /// Full name; as in Telegram, unless given
    #[arg(long, requires = "role")]
    name: Option<String>,
    /// A city to work in; may be repeated; all, unless given
    #[arg(long = "city", value_name = "NAME", requires = "role")]
    cities: Vec<String>,
    /// How long the link can be followed, in hours
    #[arg(long, value_name = "HOURS", default_value_t = 72, value_parser = clap::value_parser!(u64).range(1..=24 * 30))]
    hours: u64,
    /// Revoke the invitation of that number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    revoke: Option<i64>,
    /// Show the invitations that can still let somebody in
    #[arg(long)]
    list: bool,
}

/// A role in either case; `--help` and errors list them.
fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str))
        .try_map(|word| Role::parse(&word.to_ascii_uppercase()).ok_or("not a role"))
}

pub async fn run(command: Staff) -> Result {
    match command {
        Staff::Add(add) => self::add(add).await,
        Staff::Set(set) => self::set(set).await,
        Staff::Deactivate(who) => {
            change(&who, &Changes { is_active: Some(false), ..Changes::default() }).await?;
            take_commands_away(&who).await
        }
        Staff::Invite(invite) => self::let_invite(invite).await,
        Staff::Link(who) => link(&who).await,
        Staff::List => list(&store()?, None).await,
    }
}

async fn add(Add { telegram_id, name, role, cities }: Add) -> Result {
    one_line("name", &name)?;
    refuse_an_admins_cities(Some(role), &cities)?;
    let (user, store) = (TelegramUserId(telegram_id), store()?);
    match staff::add(&store, user, &name, role, &cities).await.map_err(in_words)? {
        Saved::Saved(id) => {
            say(&format!("{name} is staff {id}; «/start» in the dispatchers' bot opens the menu."))?;
            list(&store, Some(id)).await
        }
        Saved::AlreadyThere(id) => {
            let there = staff::list(&store, Some(id)).await?;
            let is_so = |entry: &Entry| {
                (&entry.full_name, entry.role, entry.is_active) == (&name, role, true)
                    && is_same(&entry.cities, &cities)
            };
            if there.iter().any(is_so) {
                return say(&format!("Telegram id {user} is staff {id} already, and all of that is so."));
            }
            list(&store, Some(id)).await?;
            Err(format!(
                "Telegram id {user} is staff {id} already; nothing was changed: that is what `staff set` is for"
            )
            .into())
        }
        other => refused(&other),
    }
}

async fn set(Set { who, name, role, cities, all_cities, activate }: Set) -> Result {
    name.as_deref().map_or(Ok(()), |name| one_line("name", name))?;
    refuse_an_admins_cities(role, &cities)?;
    let cities = if all_cities { Some(Vec::new()) } else { Some(cities).filter(|cities| !cities.is_empty()) };
    let changes = Changes { full_name: name, role, cities, is_active: activate.then_some(true) };
    if changes == Changes::default() {
        return Err("nothing to change: say what, as `staff set --help` lists it".into());
    }
    change(&who, &changes).await
}

async fn change(who: &Who, changes: &Changes) -> Result {
    let store = store()?;
    match staff::change(&store, who.named(), changes).await.map_err(in_words)? {
        Saved::Saved(id) => list(&store, Some(id)).await,
        other => refused(&other),
    }
}

fn refuse_an_admins_cities(role: Option<Role>, cities: &[String]) -> Result {
    if role == Some(Role::Admin) && !cities.is_empty() {
        return Err("an admin works in all cities: leave --city out".into());
    }
    Ok(())
}

/// Whether both are the same, in whatever order.
fn is_same(one: &[String], other: &[String]) -> bool {
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    sorted(one) == sorted(other)
}

/// The commands of the bot in the chat of somebody who may not use them any more; best effort, as they do nothing then.
async fn take_commands_away(who: &Who) -> Result {
    let entries = staff::list(&store()?, None).await?;
    let named = |entry: &&Entry| who.id == Some(entry.id.0) || who.telegram_id == Some(entry.user.0);
    if let (Some(entry), Ok(bot)) = (entries.iter().find(named), bot(BotName::Admin))
        && (bot.set_commands(entry.user.0, &[]).await.is_err()
            || bot.set_menu_button(entry.user.0, None).await.is_err())
    {
        say("The bot's commands are still in the menu of that chat; they do nothing.")?;
    }
    Ok(())
}

async fn link(who: &Who) -> Result {
    // Before anything is made that leads nowhere.
    let here = config::required_public_url(&environment)?;
    let Some(link) = session::link(&store()?, who.named(), session::LINK).await.map_err(in_words)? else {
        return Err("there is nobody like that, or not any more: `staff list` shows who there is".into());
    };
    let minutes = session::LINK.as_secs() / 60;
    say(&format!("{}\nIt opens the page once, within {minutes} minutes.", here.page_by(&link.text())))
}

fn refused(why: &Saved) -> Result {
    Err(match why {
        Saved::UnknownCity(city) => {
            format!("there is no city «{city}»: `master add` adds one with its first master; nothing was changed")
        }
        Saved::LastAdmin => "that is the last admin: make another one first; nothing was changed".to_owned(),
        _ => "there is nobody like that: `staff list` shows who there is".to_owned(),
    }
    .into())
}

impl Who {
    fn named(&self) -> StaffRef {
        match (self.id, self.telegram_id) {
            (Some(id), _) => StaffRef::Id(StaffId(id)),
            (None, user) => StaffRef::Telegram(TelegramUserId(user.unwrap_or_default())),
        }
    }
}

async fn list(store: &Store, one: Option<StaffId>) -> Result {
    let entries = staff::list(store, one).await?;
    if entries.is_empty() {
        return say("There is nobody yet: `staff add` lets the first admin in.");
    }
    entries.iter().try_for_each(|entry| say(&described(entry)))
}

fn described(entry: &Entry) -> String {
    let cities = if entry.cities.is_empty() || entry.role == Role::Admin {
        "all cities".to_owned()
    } else {
        entry.cities.join(", ")
    };
    let mut text =
        format!("{:>4}  {}  telegram={}  {}  {cities}", entry.id.0, entry.full_name, entry.user, entry.role.as_str());
    if !entry.is_active {
        text += "  deactivated";
    }
    if entry.unreachable {
        text += "  the bot cannot write to this person";
    }
    text.replace(['\n', '\r'], " ")
}

async fn let_invite(Invite { role, name, cities, hours, revoke, list }: Invite) -> Result {
    name.as_deref().map_or(Ok(()), |name| one_line("name", name))?;
    let store = store()?;
    if let Some(number) = revoke {
        return invitation::revoke(&store, number).await;
    }
    let Some(role) = role.filter(|_| !list) else { return invitation::list(&store).await };
    let cities = invitation::cities(&store, &cities).await?;
    invitation::make(&store, &Invited::Staff { role, cities, full_name: name }, hours).await
}
