//! `master add`, `set`, `list`, `invite`: who is offered orders.

use std::fmt::Write;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use field_service::dispatch::shift;
use field_service::model::invitation::Invited;
use field_service::model::order::Category;
use field_service::model::{MasterId, MasterRef, Phone, TelegramUserId};
use field_service::store::Store;
use field_service::store::masters::change::{self, Changed, Changes};
use field_service::store::masters::enrol::{self, Added, NewMaster};
use field_service::store::masters::place::{Districts, Refusal};
use field_service::store::masters::roster::{self, Entry, Obstacle};

use super::{Result, in_words, invitation, one_line, say, store, telegram_id};

#[derive(Subcommand)]
pub enum Master {
    /// Add a master, who can then use the bot and is offered the orders of those trades and districts
    Add(Add),
    /// Change what is known of a master; what is not given stays as it is
    Set(Set),
    /// Make a link by which one master gets in, who then tells name, phone, trades and districts; or revoke one
    Invite(Invite),
    /// Show the masters, and who of them is offered nothing, and why
    List(List),
}

#[derive(Args)]
pub struct Add {
    /// The master's Telegram id, as the bot tells it to strangers
    #[arg(long, value_name = "ID", value_parser = telegram_id)]
    telegram_id: i64,
    /// Full name
    #[arg(long)]
    name: String,
    /// City; a new one needs --timezone
    #[arg(long)]
    city: String,
    /// Phone
    #[arg(long)]
    phone: Option<String>,
    #[command(flatten)]
    work: Work,
}

/// What a master is offered.
#[derive(Args)]
struct Work {
    /// Time zone of a new city, e.g. Asia/Yekaterinburg
    #[arg(long)]
    timezone: Option<String>,
    /// A trade, at least one; may be repeated
    #[arg(long = "category", value_name = "CATEGORY", value_parser = category(), ignore_case = true)]
    categories: Vec<Category>,
    /// A district of the city, at least one where it has districts; may be repeated
    #[arg(long = "district", value_name = "NAME")]
    districts: Vec<String>,
    /// A district that is added to the city; may be repeated
    #[arg(long = "new-district", value_name = "NAME")]
    new_districts: Vec<String>,
    /// Every district that the city has now
    #[arg(long, conflicts_with = "districts")]
    all_districts: bool,
}

#[derive(Args)]
#[command(group(ArgGroup::new("who").required(true).args(["telegram_id", "id"])))]
pub struct Set {
    /// Who: the Telegram id
    #[arg(long, value_name = "ID", value_parser = telegram_id)]
    telegram_id: Option<i64>,
    /// Who: the number, as `master list` shows it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    id: Option<i64>,
    /// Another Telegram account
    #[arg(long, value_name = "ID", value_parser = telegram_id)]
    new_telegram_id: Option<i64>,
    /// Full name
    #[arg(long)]
    name: Option<String>,
    /// Phone; empty for none
    #[arg(long)]
    phone: Option<String>,
    /// City; a new one needs --timezone, and another one --district if it has districts
    #[arg(long)]
    city: Option<String>,
    #[command(flatten)]
    work: Work,
    /// On shift or not; the master can change it in the bot
    #[arg(long)]
    shift: Option<Shift>,
    /// How many orders at once, or `default`: as many as dispatch_policies says
    #[arg(long, value_name = "N|default", value_parser = limit)]
    limit: Option<Limit>,
    /// Block the master: no offers, no acceptance; the reason is shown to the master
    #[arg(long, value_name = "REASON", conflicts_with = "unblock")]
    block: Option<String>,
    /// Let a blocked master work again
    #[arg(long)]
    unblock: bool,
}

#[derive(Args)]
#[command(group(ArgGroup::new("invite").required(true).args(["city", "revoke", "list"])))]
pub struct Invite {
    /// Where the master is to work: a city that is there already
    #[arg(long)]
    city: Option<String>,
    /// Nobody has to agree once the master has told all; else a dispatcher has to
    #[arg(long, requires = "city")]
    no_approval: bool,
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

#[derive(Args)]
pub struct List {
    /// Of this city alone
    #[arg(long)]
    city: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shift {
    On,
    Off,
}

#[derive(Clone, Copy)]
struct Limit(Option<i32>);

/// A trade in either case; `--help` and errors list them.
fn category() -> impl TypedValueParser<Value = Category> {
    PossibleValuesParser::new(Category::ALL.map(Category::as_str))
        .try_map(|word| Category::parse(&word.to_ascii_uppercase()).ok_or("not a trade"))
}

fn limit(word: &str) -> std::result::Result<Limit, &'static str> {
    match word.parse() {
        _ if word == "default" => Ok(Limit(None)),
        Ok(0) => Err("with 0 the master would be offered nothing: use --shift off, or --block"),
        Ok(limit @ 1..) => Ok(Limit(Some(limit))),
        _ => Err("expected a number from 1, or default"),
    }
}

pub async fn run(command: Master) -> Result {
    match command {
        Master::Add(add) => self::add(add).await,
        Master::Set(set) => self::set(set).await,
        Master::List(List { city }) => list(city).await,
        Master::Invite(invite) => self::invite(invite).await,
    }
}

async fn add(Add { telegram_id, name, city, phone, work }: Add) -> Result {
    one_line("name", &name)?;
    one_line("city", &city)?;
    let phone = phone.as_deref().map(e164).transpose()?;
    let districts = work.districts()?;
    let user = TelegramUserId(telegram_id);
    let new = NewMaster {
        user,
        full_name: name,
        phone,
        city,
        timezone: work.timezone,
        districts,
        categories: work.categories,
    };
    let store = store()?;
    match enrol::add(&store, &new).await.map_err(in_words)? {
        Added::Added(id) => {
            shift::recheck_orders_for(&store, id).await;
            say(&format!("{} is master {id}; «/start» opens the bot's menu.", new.full_name))?;
            show(&store, id).await
        }
        Added::AlreadyThere(id) => {
            let there = roster::list(&store, None, Some(id)).await?;
            let is_so = |entry: &Entry| {
                let has = |category: &Category| entry.categories.iter().any(|known| known == category.as_str());
                (&entry.full_name, &entry.city) == (&new.full_name, &new.city)
                    && (new.phone.is_none() || entry.phone == new.phone)
                    && new.categories.iter().all(has)
            };
            if there.iter().any(is_so) {
                return say(&format!("Telegram id {user} is master {id} already."));
            }
            show(&store, id).await?;
            Err(format!(
                "Telegram id {user} is master {id} already; nothing was changed: that is what `master set` is for"
            )
            .into())
        }
        Added::Refused(refusals) => {
            let city = Some(new.city.as_str());
            let why: Vec<_> = refusals.iter().map(|refusal| words(refusal, city, new.timezone.as_deref())).collect();
            Err(format!("{}; nothing was changed", why.join("; ")).into())
        }
    }
}

async fn set(set: Set) -> Result {
    for (what, text) in [("name", &set.name), ("city", &set.city), ("block", &set.block)] {
        text.as_deref().map_or(Ok(()), |text| one_line(what, text))?;
    }
    if set.work.timezone.is_some() && set.city.is_none() {
        return Err("--timezone is that of a new city: it needs --city".into());
    }
    let changes = Changes {
        user: set.new_telegram_id.map(TelegramUserId),
        full_name: set.name,
        phone: set.phone.map(|phone| if phone.is_empty() { Ok(None) } else { e164(&phone).map(Some) }).transpose()?,
        city: set.city,
        districts: set.work.districts()?,
        timezone: set.work.timezone,
        categories: set.work.categories,
        on_shift: set.shift.map(|shift| matches!(shift, Shift::On)),
        limit: set.limit.map(|Limit(limit)| limit),
        blocked: if set.unblock { Some(None) } else { set.block.map(Some) },
    };
    if changes == Changes::default() {
        return Err("nothing to change: say what, as `master set --help` lists it".into());
    }
    let master = match (set.id, set.telegram_id) {
        (Some(id), _) => MasterRef::Id(MasterId(id)),
        (None, user) => MasterRef::Telegram(TelegramUserId(user.unwrap_or_default())),
    };
    let store = store()?;
    match change::change(&store, master, &changes).await.map_err(in_words)? {
        Changed::Changed(id) => {
            shift::recheck_orders_for(&store, id).await;
            show(&store, id).await
        }
        Changed::NotFound => Err("there is no such master: `master list` shows who there is".into()),
        Changed::Refused(refusal) => {
            let why = words(&refusal, changes.city.as_deref(), changes.timezone.as_deref());
            Err(format!("{why}; nothing was changed").into())
        }
    }
}

async fn list(city: Option<String>) -> Result {
    let entries = roster::list(&store()?, city.as_deref(), None).await?;
    if entries.is_empty() {
        return say("There are no masters here yet: `master add` lets one in.");
    }
    entries.iter().try_for_each(|entry| say(&described(entry)))
}

async fn invite(Invite { city, no_approval, hours, revoke, list }: Invite) -> Result {
    let store = store()?;
    if let Some(number) = revoke {
        return invitation::revoke(&store, number).await;
    }
    let Some(city) = city.filter(|_| !list) else { return invitation::list(&store).await };
    let city = invitation::cities(&store, &[city]).await?[0];
    invitation::make(&store, &Invited::Master { city, needs_approval: !no_approval }, hours).await
}

async fn show(store: &Store, master: MasterId) -> Result {
    roster::list(store, None, Some(master)).await?.iter().try_for_each(|entry| say(&described(entry)))
}

/// A line, and one for each thing for which the master is offered nothing.
fn described(entry: &Entry) -> String {
    let or = |list: &[String], none: &str| if list.is_empty() { none.to_owned() } else { list.join(", ") };
    let mut text = format!(
        "{:>4}  {}  telegram={}  {}  {}",
        entry.id.0,
        entry.full_name,
        entry.user,
        entry.phone.as_deref().unwrap_or("no phone"),
        entry.city
    );
    if entry.city_has_districts {
        let _ = write!(text, " ({})", or(&entry.districts, "no district"));
    }
    let shift = if entry.on_shift { "on shift" } else { "off shift" };
    let orders = format!("{} of {} orders", entry.active_orders, entry.limit);
    let _ = write!(text, "  {}  {shift}  {orders}", or(&entry.categories, "no category"));
    let mut lines = vec![text.replace(['\n', '\r'], " ")];
    let set = format!("field-service master set --id {}", entry.id);
    for obstacle in entry.obstacles() {
        let (why, how) = match obstacle {
            Obstacle::NoCategory => ("no category".to_owned(), format!("{set} --category …")),
            Obstacle::NoDistrict => (
                "no district, so only orders where nobody else works".to_owned(),
                format!("{set} --district … or --all-districts"),
            ),
            Obstacle::Blocked => {
                let reason = entry.blocked.as_deref().unwrap_or_default().replace(['\n', '\r'], " ");
                (format!("blocked ({reason})"), format!("{set} --unblock"))
            }
            Obstacle::NoLimit => ("a limit of 0 orders".to_owned(), format!("{set} --limit …")),
            Obstacle::OffShift => ("off shift".to_owned(), format!("in the bot, or {set} --shift on")),
            Obstacle::Unreachable => (
                "the bot cannot write to this person".to_owned(),
                "whoever taps or writes in the bot is reachable".to_owned(),
            ),
        };
        lines.push(format!("      is offered nothing: {why}; {how}"));
    }
    lines.join("\n")
}

impl Work {
    fn districts(&self) -> Result<Districts> {
        for district in &self.districts {
            one_line("district", district)?;
        }
        for district in &self.new_districts {
            one_line("new-district", district)?;
        }
        Ok(Districts { named: self.districts.clone(), new: self.new_districts.clone(), all: self.all_districts })
    }
}

/// A phone as it is stored and as the API shows it, of one as people write it.
fn e164(phone: &str) -> Result<String> {
    let parsed = Phone::parse(phone).map_err(|_| "--phone is no whole number: expected one such as +79120000001")?;
    Ok(parsed.as_e164().to_owned())
}

fn words(refusal: &Refusal, city: Option<&str>, timezone: Option<&str>) -> String {
    let (city, timezone) = (city.unwrap_or("the city"), timezone.unwrap_or_default());
    let listed = |names: &[String]| if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
    match refusal {
        Refusal::UnknownCity(known) => format!(
            "there is no city «{city}» yet (there are: {}): to add it, say --timezone Europe/Moscow, or what it is there",
            listed(known)
        ),
        Refusal::UnknownTimezone => {
            format!("«{timezone}» is not a time zone: expected an IANA name such as Europe/Moscow")
        }
        Refusal::OtherTimezone(known) => format!("«{city}» is in {known} already, not in {timezone}"),
        Refusal::DistrictNeeded(known) => format!(
            "--district is needed, once for each in which the master works (there are: {}), or --all-districts",
            listed(known)
        ),
        Refusal::UnknownDistrict(name, known) => format!(
            "there is no district «{name}» (there are: {}): choose one, or add it with --new-district",
            listed(known)
        ),
        Refusal::CategoryNeeded => {
            let known = Category::ALL.map(Category::as_str).join(", ");
            format!("--category is needed, once for each of the master's trades: {known}")
        }
        Refusal::TelegramIdTaken(master) => format!("that Telegram id is master {master}'s"),
    }
}
