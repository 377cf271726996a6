//! The two bots, as Telegram knows them.

use super::finding::{Finding, Read, Unread, or_fine};
use super::rough;
use super::server::Server;
use crate::model::BotName;

/// The kinds of update that are handled: without one of them taps or words do not arrive.
pub const KINDS: [&str; 3] = ["message", "edited_message", "callback_query"];

/// Telegram's default for a webhook's connections.
/// <https://core.telegram.org/bots/api#setwebhook>
const DEFAULT_CONNECTIONS: u64 = 40;
/// For how many seconds an error of the webhook is news while something waits; for how many it is worth a look at all.
const NOW: i64 = 5 * 60;
const LATELY: i64 = 60 * 60;
/// How many updates may wait before somebody should look, and before something is wrong.
const SOME: u64 = 20;
const MANY: u64 = 200;

/// A bot.
#[derive(Clone, Debug)]
pub struct Bot {
    /// Which.
    pub name: BotName,
    /// Whom Telegram knows by the token.
    pub me: Read<Me>,
    /// Where it delivers.
    pub webhook: Read<Webhook>,
    /// Whether a `serve --poll` with this database fetches its updates.
    pub fetched: Read<bool>,
    /// Where people reach this server, if that is known: as in [`Webhook::origin`].
    pub expected_origin: Option<String>,
    /// Whether there is a secret for the webhook.
    pub has_secret: bool,
}

/// Whom Telegram knows by a token.
#[derive(Clone, Debug)]
pub struct Me {
    /// The public part of the token.
    pub id: i64,
    /// The name in links.
    pub username: String,
}

/// A webhook, or that there is none.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Scheme, host and port of its address; `None`: there is no webhook.
    pub origin: Option<String>,
    /// The address's path. It may hold anything, also what nobody should see.
    pub path: String,
    /// How many updates wait.
    pub waiting: u64,
    /// When a delivery last failed, in seconds since 1970, and why in Telegram's words.
    pub last_error: Option<(i64, String)>,
    /// How many deliveries there may be at once, if that was ever said.
    pub max_connections: Option<u64>,
    /// The kinds of update that are delivered, if that was ever said.
    pub kinds: Option<Vec<String>>,
}

impl Bot {
    /// Whether its updates are fetched by a `serve --poll`, as Telegram delivers them nowhere.
    #[must_use]
    pub fn is_fetched(&self) -> bool {
        self.fetched == Ok(true) && self.webhook.as_ref().is_ok_and(|webhook| webhook.origin.is_none())
    }
}

/// Judges a bot. `now`: what Telegram's clock shows; `polled`: whether the server at `PUBLIC_URL` says that it fetches updates;
/// `in_use`: whether there is anybody who would be served.
#[must_use]
pub fn judge(bot: &Bot, now: i64, polled: bool, in_use: bool) -> Vec<Finding> {
    let token = match bot.name {
        BotName::Master => "MASTER_BOT_TOKEN",
        BotName::Admin => "ADMIN_BOT_TOKEN",
    };
    let me = match &bot.me {
        Ok(me) => me,
        Err(unread @ Unread::NotConfigured(_)) => return vec![unread.finding()],
        Err(Unread::Refused(why)) => {
            let remedy = format!("let {token} be what BotFather shows under /token");
            return vec![Finding::wrong("token_refused", why, remedy)];
        }
        Err(unread) => {
            let what = format!("Telegram was not reached: {}", unread.why());
            let remedy = "see that this machine reaches TELEGRAM_API_URL; messages and answers wait until it does";
            return vec![Finding::wrong("telegram_unreached", what, remedy)];
        }
    };
    let webhook = match &bot.webhook {
        Ok(webhook) => webhook,
        Err(unread) => {
            return vec![Finding::unchecked(format!("Telegram does not tell of its webhook: {}", unread.why()))];
        }
    };
    let mut findings = Vec::new();
    match &webhook.origin {
        None if polled || bot.is_fetched() => {}
        None => findings.push(without_webhook(bot, webhook.waiting, in_use)),
        Some(origin) => findings.extend(of_address(bot, origin, &webhook.path)),
    }
    findings.extend(webhook.last_error.as_ref().and_then(|error| of_last_error(bot.name, error, webhook, now)));
    findings.extend(of_waiting(webhook));
    let missing = |kinds: &Vec<String>| {
        KINDS.into_iter().filter(|kind| !kinds.iter().any(|known| known == kind)).collect::<Vec<_>>()
    };
    let missing = webhook.kinds.as_ref().map(missing).unwrap_or_default();
    if !missing.is_empty() {
        let what = format!("Telegram was told not to deliver {}", missing.join(", "));
        findings.push(Finding::wrong("kinds_missing", what, format!("{}, which asks for them", set_webhook(bot.name))));
    }
    or_fine(findings, || {
        let last = webhook.last_error.as_ref().map(|(at, _)| format!(", last error {} ago", rough((now - at).max(0))));
        let waiting = webhook.waiting;
        let last = last.unwrap_or_default();
        match &webhook.origin {
            Some(origin) => format!("@{} delivers to {origin}, waiting updates: {waiting}{last}", me.username),
            None => format!("`serve --poll` fetches the updates of @{}, waiting updates: {waiting}{last}", me.username),
        }
    })
}

fn set_webhook(bot: BotName) -> String {
    format!("run `field-service webhook set URL --bot {}`", bot.as_str())
}

/// There is no webhook, and nobody is known who fetches. Where it is known that nobody does, nobody is served, which is wrong as soon
/// as there is anybody.
fn without_webhook(bot: &Bot, waiting: u64, in_use: bool) -> Finding {
    let known = match &bot.fetched {
        Ok(_) => ", and no `serve --poll` with this database fetches them".to_owned(),
        Err(unread) => format!("; whether a `serve --poll` fetches them was not found out: {}", unread.why()),
    };
    let what = format!("there is no webhook{known} (waiting updates: {waiting})");
    let remedy = format!("start `serve --poll`; or start `serve` behind a TLS proxy, and {}", set_webhook(bot.name));
    if in_use && bot.fetched.is_ok() {
        Finding::wrong("no_webhook", what, remedy)
    } else {
        Finding::warning("no_webhook", what, remedy)
    }
}

/// More updates wait than do while somebody takes them.
fn of_waiting(webhook: &Webhook) -> Option<Finding> {
    if webhook.waiting <= SOME {
        return None;
    }
    let what = format!("{} updates wait at Telegram", webhook.waiting);
    let look = match webhook.origin {
        Some(_) => "see the webhook's last error and the log of the server",
        None => "see that `serve --poll` runs, and its log",
    };
    let remedy = format!("{look}; Telegram keeps a message for 24 h and a tap for 150 s");
    Some(if webhook.waiting > MANY {
        Finding::wrong("updates_wait", what, remedy)
    } else {
        Finding::warning("updates_wait", what, remedy)
    })
}

/// Where Telegram delivers to.
fn of_address(bot: &Bot, origin: &str, path: &str) -> Vec<Finding> {
    let of = |bot: BotName| format!("/telegram/{}", bot.as_str());
    let other = match bot.name {
        BotName::Master => BotName::Admin,
        BotName::Admin => BotName::Master,
    };
    let remedy = set_webhook(bot.name);
    let mut findings = Vec::new();
    if path.ends_with(&of(other)) {
        let what = format!("Telegram delivers its updates to the {} bot's address at {origin}", other.as_str());
        findings.push(Finding::wrong("webhook_of_other_bot", what, remedy.clone()));
    } else if !path.ends_with(&of(bot.name)) {
        // The path is not shown: that of somebody else's program may have the token in it.
        let what = format!("Telegram delivers its updates to {origin}, to a path that is not ours ({})", of(bot.name));
        findings.push(Finding::wrong("webhook_of_others", what, remedy.clone()));
    }
    if !bot.has_secret {
        let what = "Telegram delivers to a webhook, and there is no secret by which a server would know Telegram";
        let variable = format!("{}_WEBHOOK_SECRET", bot.name.as_word());
        findings.push(Finding::wrong("no_secret", what, format!("set {variable}, and {remedy}")));
    }
    if let Some(expected) = bot.expected_origin.as_deref().filter(|expected| *expected != origin) {
        let what = format!("Telegram delivers to {origin}, while people reach the server at {expected}");
        let hint = format!("right if both lead to this installation; else {remedy}");
        findings.push(Finding::warning("webhook_elsewhere", what, hint));
    }
    findings
}

/// Why a delivery failed, if that is news.
fn of_last_error(bot: BotName, (at, message): &(i64, String), webhook: &Webhook, now: i64) -> Option<Finding> {
    // That of a webhook which was removed concerns nobody.
    webhook.origin.as_ref()?;
    let age = (now - at).max(0);
    let what =
        format!("a delivery failed {} ago, updates waiting: {}; Telegram says: {message}", rough(age), webhook.waiting);
    let remedy = remedy_of(message, bot);
    match age {
        ..=NOW if webhook.waiting > 0 => Some(Finding::wrong("delivery_fails", what, remedy)),
        ..=LATELY => Some(Finding::warning("delivery_failed", what, remedy)),
        _ => None,
    }
}

/// What is to be done about the words in which Telegram says why it could not deliver.
fn remedy_of(message: &str, bot: BotName) -> String {
    let says = |word: &str| message.to_ascii_lowercase().contains(word);
    if says("401") {
        return format!(
            "the server has another secret than Telegram was told: {} where its settings are",
            set_webhook(bot)
        );
    }
    let known = [
        ("404", "the address leads to something else than this program: see the proxy before it"),
        ("413", "the proxy before the server refuses what is larger than it likes: let it pass 1 MiB"),
        ("502", "the proxy is there and the server is not: start it"),
        ("503", "the server is there and not well: ask its /health, and see its log"),
        ("504", "the server does not answer the proxy in time: see its log"),
        (
            "ssl",
            "Telegram does not like the certificate: it must be valid for the name, with the whole chain, or be uploaded",
        ),
        ("resolve", "the name of the webhook is not found: see its DNS"),
        ("refused", "nobody listens there: see that the proxy runs and the firewall lets Telegram in"),
        ("timed out", "nobody answers there: see the firewall, and the log of the server"),
        ("reserved", "the address is one of a private network, which Telegram does not reach: use `serve --poll`"),
    ];
    let found = known.into_iter().find(|(word, _)| says(word)).map(|(_, remedy)| remedy);
    found.unwrap_or("see the log of the server and of the proxy before it").to_owned()
}

/// Judges how many deliveries there may be at once.
#[must_use]
pub fn judge_connections(bots: &[Bot], server: Option<&Server>) -> Vec<Finding> {
    let mut sum = 0;
    for bot in bots {
        match &bot.webhook {
            Ok(webhook) if webhook.origin.is_some() => sum += webhook.max_connections.unwrap_or(DEFAULT_CONNECTIONS),
            Ok(_) => {}
            Err(_) => {
                return vec![Finding::unchecked("Telegram does not tell how many deliveries there may be at once")];
            }
        }
    }
    let Some(server) = server else { return vec![Finding::unchecked("the database was not reached")] };
    let allowed = server.max_connections;
    vec![if sum > u64::try_from(allowed).unwrap_or_default() {
        Finding::warning(
            "connections_short",
            format!("Telegram may deliver {sum} updates at once, and PostgreSQL allows {allowed} connections"),
            "with functions, which need one each, lower --max-connections of `webhook set` for both bots; `serve` makes do",
        )
    } else {
        Finding::fine(format!("deliveries at once: {sum} at most; PostgreSQL allows {allowed} connections"))
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::doctor::finding::Level;

    const TIME: i64 = 1_800_000_000;

    fn sound() -> Webhook {
        Webhook {
            origin: Some("https://x.org".to_owned()),
            path: "/prod/telegram/master".to_owned(),
            waiting: 0,
            last_error: None,
            max_connections: Some(8),
            kinds: Some(KINDS.map(ToOwned::to_owned).into()),
        }
    }

    fn bot(webhook: Webhook) -> Bot {
        Bot {
            name: BotName::Master,
            me: Ok(Me { id: 1, username: "orders_bot".to_owned() }),
            webhook: Ok(webhook),
            fetched: Ok(false),
            expected_origin: Some("https://x.org".to_owned()),
            has_secret: true,
        }
    }

    fn codes(bot: &Bot) -> Vec<&'static str> {
        judge(bot, TIME, false, true).iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_webhook_is_judged_by_where_it_leads_and_what_it_asks_for() {
        assert_eq!(codes(&bot(sound())), ["ok"]);
        let to = |path: &str| codes(&bot(Webhook { path: path.to_owned(), ..sound() }));
        assert_eq!(to("/telegram/admin"), ["webhook_of_other_bot"]);
        assert_eq!(to("/hook/1:token"), ["webhook_of_others"]);
        let findings = judge(&bot(Webhook { path: "/hook/1:token".to_owned(), ..sound() }), TIME, false, true);
        assert!(!format!("{findings:?}").contains("1:token"));
        assert_eq!(codes(&Bot { has_secret: false, ..bot(sound()) }), ["no_secret"]);
        assert_eq!(
            codes(&Bot { expected_origin: Some("https://y.org".to_owned()), ..bot(sound()) }),
            ["webhook_elsewhere"]
        );
        assert_eq!(codes(&Bot { expected_origin: None, ..bot(sound()) }), ["ok"]);
        assert_eq!(codes(&bot(Webhook { kinds: Some(vec!["message".to_owned()]), ..sound() })), ["kinds_missing"]);
        assert_eq!(codes(&bot(Webhook { kinds: None, ..sound() })), ["ok"], "all of ours are among those by default");
    }

    #[test]
    fn an_error_counts_while_it_is_news() {
        let failed = |ago, waiting| {
            let last_error = Some((TIME - ago, "Wrong response from the webhook: 401 Unauthorized".to_owned()));
            codes(&bot(Webhook { waiting, last_error, ..sound() }))
        };
        assert_eq!(failed(NOW, 1), ["delivery_fails"]);
        assert_eq!(failed(NOW, 0), ["delivery_failed"]);
        assert_eq!(failed(LATELY, 1), ["delivery_failed"]);
        assert_eq!(failed(LATELY + 1, 1), ["ok"]);
        let waiting = |waiting| codes(&bot(Webhook { waiting, ..sound() }));
        assert_eq!([waiting(SOME), waiting(SOME + 1)], [["ok"], ["updates_wait"]]);
        assert!(remedy_of("Wrong response from the webhook: 401 Unauthorized", BotName::Admin).contains("--bot admin"));
        assert!(remedy_of("Connection timed out", BotName::Admin).contains("firewall"));
    }

    #[test]
    fn without_a_webhook_it_depends_on_who_fetches() {
        let waits = |waiting| bot(Webhook { origin: None, path: String::new(), waiting, ..sound() });
        let fetched = |waiting| Bot { fetched: Ok(true), ..waits(waiting) };
        assert_eq!(codes(&waits(0)), ["no_webhook"]);
        let unknown = Bot { fetched: Err(Unread::Failed("refused".to_owned())), ..waits(0) };
        let level = |bot: &Bot, in_use| judge(bot, TIME, false, in_use)[0].level;
        let levels = [level(&waits(0), true), level(&waits(0), false), level(&unknown, true)];
        assert_eq!(
            levels,
            [Level::Wrong, Level::Warning, Level::Warning],
            "nobody is served; there is nobody; who knows"
        );
        let remedy = judge(&waits(0), TIME, false, true)[0].remedy.clone().unwrap_or_default();
        assert!(remedy.contains("serve --poll") && remedy.contains("webhook set"), "{remedy}");
        let unknown = judge(&Bot { fetched: Err(Unread::Failed("refused".to_owned())), ..waits(0) }, TIME, false, true);
        assert!(unknown[0].code == "no_webhook" && unknown[0].what.contains("refused"), "{unknown:?}");
        for fine in [
            judge(&waits(0), TIME, true, true),
            judge(&fetched(0), TIME, false, true),
            judge(&fetched(SOME), TIME, false, true),
        ] {
            assert!(fine[0].code == "ok" && fine[0].what.contains("`serve --poll` fetches"), "{fine:?}");
        }
        // However it is said to be, what waits is not taken.
        assert_eq!(codes(&waits(MANY + 1)), ["no_webhook", "updates_wait"]);
        let levels = [SOME + 1, MANY + 1].map(|waiting| judge(&fetched(waiting), TIME, false, true)[0].level);
        assert_eq!(levels, [Level::Warning, Level::Wrong]);
        assert!(!Bot { fetched: Ok(true), ..bot(sound()) }.is_fetched(), "there is a webhook");
    }

    #[test]
    fn a_token_that_is_no_bot_s_is_another_thing_than_a_telegram_that_is_away() {
        let me = |unread| codes(&Bot { me: Err(unread), ..bot(sound()) });
        assert_eq!(me(Unread::Refused("no bot has this token".to_owned())), ["token_refused"]);
        assert_eq!(me(Unread::Failed("timed out".to_owned())), ["telegram_unreached"]);
        assert_eq!(me(Unread::NotConfigured("MASTER_BOT_TOKEN")), ["not_checked"]);
    }

    #[test]
    fn deliveries_at_once_are_compared_with_connections() {
        let server = |max_connections| Server {
            version: "15.4".to_owned(),
            number: 150_004,
            read_only: false,
            encoding: "UTF8".to_owned(),
            max_connections,
            unset: Vec::new(),
        };
        let unsaid = bot(Webhook { max_connections: None, ..sound() });
        let bots = [bot(sound()), unsaid];
        assert_eq!(judge_connections(&bots, Some(&server(48)))[0].code, "ok");
        assert_eq!(judge_connections(&bots, Some(&server(47)))[0].code, "connections_short");
    }
}
