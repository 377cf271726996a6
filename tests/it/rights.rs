//! Whoever may not: every button of the dispatchers' bot, forged, by staff of another city, by who only reads, by who was let go,
//! by a master and by a stranger. Nothing is changed, and nothing of another city is shown.

use std::collections::BTreeSet;
use std::path::Path;

use field_service::bots::callback::staff::StaffCallback;
use field_service::model::OrderId;
use field_service::sim::telegram::Chat;

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, STRANGER};

const OLGA: i64 = 501;
/// What stands only in orders, masters and names of the city that is not theirs.
const SECRETS: [&str; 5] = ["Тайногорск", "Секретная", "Тайная", "9990001122", "Неведомский"];
/// What is written of any update, and what a person has of their own.
const BOOKKEEPING: [&str; 3] = ["processed_updates", "staff_dialogs", "staff_queues"];

/// Buttons that their documentation does not spell out.
const MORE: [&str; 7] =
    ["adm:menu", "adm:q:f:s:all", "adm:q:f:cs:1", "adm:q:f:ts:all", "adm:q:f:ms:1", "adm:q:f:ds:all", "adm:q:f:x"];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bots/callback/staff"))
}

fn sources() -> Vec<String> {
    let files = std::fs::read_dir(folder()).expect("the callbacks").map(|entry| entry.expect("a file").path());
    let read = |path| std::fs::read_to_string(path).expect("a source");
    files.map(read).collect()
}

/// The grammar, as each variant is documented: `adm:q:card:<order>[:<page>]`.
fn grammar() -> BTreeSet<String> {
    let sources = sources();
    let documented = sources
        .iter()
        .flat_map(|source| source.lines())
        .filter(|line| line.trim().starts_with("///") && !line.contains("Parses"));
    let quoted = documented.flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|data| data.starts_with("adm:"));
    quoted.filter(|data| !data.contains('…')).map(ToOwned::to_owned).collect()
}

/// Every enum of buttons with its variants, as `QueueTap::Page`.
fn variants() -> BTreeSet<String> {
    let mut variants = BTreeSet::new();
    for source in sources() {
        for body in source.split("pub enum ").skip(1) {
            let (name, body) = body.split_once(" {").expect("a body");
            if !name.ends_with("Tap") {
                continue;
            }
            let body = body.split("\n}").next().unwrap_or_default();
            let declared = body.lines().filter_map(|line| line.strip_prefix("    "));
            let names = declared.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
            variants.extend(names.map(|line| format!("{name}::{}", word(line))));
        }
    }
    variants
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
}

fn variant(callback: StaffCallback) -> Option<String> {
    Some(match callback {
        StaffCallback::Menu | StaffCallback::Page => return None,
        StaffCallback::Queue(tap) => format!("QueueTap::{}", word(&format!("{tap:?}"))),
        StaffCallback::Order(tap) => format!("OrderTap::{}", word(&format!("{tap:?}"))),
        StaffCallback::New(tap) => format!("NewTap::{}", word(&format!("{tap:?}"))),
        StaffCallback::Master(tap) => format!("MasterTap::{}", word(&format!("{tap:?}"))),
        StaffCallback::Policy(tap) => format!("PolicyTap::{}", word(&format!("{tap:?}"))),
        StaffCallback::Figures(tap) => format!("FiguresTap::{}", word(&format!("{tap:?}"))),
    })
}

/// What may stand in a place of the grammar; what is not understood there is left out.
fn candidates(place: &str, order: OrderId, seen: &str) -> Vec<String> {
    let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match place {
        "order" => vec![order.to_string()],
        "seen" => vec![seen.to_owned(), "1".to_owned()],
        "reason" => of(&["mind", "call", "dup", "late", "lost", "other", "anew"]),
        "field" => of(&[
            "addr", "tel", "desc", "slot", "com", "sum", "cat", "city", "dis", "address", "phone", "name", "when",
            "pref", "ADDRESS",
        ]),
        "trade" => of(&["PLUMBING", "plumbing", "plu", "pl"]),
        "days" => of(&["30"]),
        "yyyymmdd" => of(&["20301201"]),
        "yyyymmddhh" => of(&["2030120112"]),
        "yyyymmddhhmm" => of(&["203012011200"]),
        "kopecks" => of(&["150000"]),
        "role" => of(&["ADMIN", "admin", "adm", "a"]),
        "policy" => of(&["2", "1"]),
        // The usual policy with a shorter time to answer.
        "values" => of(&["01o01o0300u10603300go050go0xc"]),
        "which" => of(&["all", "a", "ALL", "waiting", "wait", "w", "blocked", "shift", "1"]),
        _ => of(&["1", "all", "0"]),
    }
}

/// A line of the grammar as buttons about that order, as far as they are understood.
fn expanded(line: &str, order: OrderId, seen: &str) -> Vec<String> {
    if let Some((before, rest)) = line.split_once('[') {
        let (optional, after) = rest.split_once(']').expect("an end");
        let [with, without] = [format!("{before}{optional}{after}"), format!("{before}{after}")];
        return [with, without].iter().flat_map(|line| expanded(line, order, seen)).collect();
    }
    let mut all = vec![String::new()];
    for (index, part) in line.split(':').enumerate() {
        let choices: Vec<String> = part
            .split('|')
            .flat_map(|choice| match choice.strip_prefix('<').and_then(|place| place.strip_suffix('>')) {
                Some(place) => candidates(place, order, seen),
                None => vec![choice.to_owned()],
            })
            .collect();
        let colon = if index == 0 { "" } else { ":" };
        all = all.iter().flat_map(|data| choices.iter().map(move |choice| format!("{data}{colon}{choice}"))).collect();
    }
    all.retain(|data| StaffCallback::parse(data).is_some());
    all
}

/// Every button about an order, by the line of the grammar that it is of.
fn every_button(order: OrderId, seen: &str) -> Vec<(String, Vec<String>)> {
    let mut lines: Vec<_> = grammar().into_iter().map(|line| (line.clone(), expanded(&line, order, seen))).collect();
    lines.extend(MORE.map(|data| (data.to_owned(), vec![data.to_owned()])));
    lines
}

#[test]
fn every_button_is_walked() {
    let lines = every_button(OrderId(1), "1.1");
    for (line, buttons) in &lines {
        assert!(
            !buttons.is_empty(),
            "nothing of the documented {line} is understood: teach the walk what stands there"
        );
    }
    let parsed = lines.iter().flat_map(|(_, buttons)| buttons).filter_map(|data| StaffCallback::parse(data));
    let walked: BTreeSet<String> = parsed.filter_map(variant).collect();
    let missing: Vec<_> = variants().difference(&walked).cloned().collect();
    assert!(missing.is_empty(), "document what {missing:?} say, or add them to MORE");
}

/// A city with orders at every stage, and colleagues who may see to them.
async fn a_city() -> (Dispatch, Vec<OrderId>) {
    let t = Dispatch::start().await;
    t.execute("UPDATE cities SET name = 'Тайногорск'", &[]).await;
    t.execute("UPDATE masters SET full_name = full_name || ' Неведомский', phone = '+79990001122'", &[]).await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    t.execute("INSERT INTO districts (city_id, name) VALUES (1, 'Тайногорский')", &[]).await;
    t.add_staff_as(OLGA, "DISPATCHER", &[1]).await;
    let offered = t.order().offered_to([ANNA, BORIS]).await;
    let assigned = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, assigned).await;
    let paid = t.order().offered_to([BORIS]).await;
    t.tap_accept(BORIS, paid).await;
    t.steps(&t.chat(BORIS), paid, &["enr", "wrk", "cls_yes"]).await;
    let closed = t.order().in_status("CLOSED").of_master(ANNA).create().await;
    t.execute("UPDATE orders SET address = 'ул. Секретная, 7', client_name = 'Мария Тайная'", &[]).await;
    // What a colleague has begun.
    if t.one::<bool>("SELECT to_regclass('order_drafts') IS NOT NULL", &[]).await {
        t.execute(
            "INSERT INTO order_drafts (staff_id, city_id, address, client_phone, client_name)
             SELECT id, 1, 'ул. Секретная, 7', '+79990001122', 'Мария Тайная' FROM staff",
            &[],
        )
        .await;
    }
    (t, vec![offered, assigned, paid, closed])
}

/// All that is in the database but what is written of any update, and what is the person's own.
async fn everything_but_bookkeeping(t: &Dispatch, person: i64) -> String {
    let tables: Vec<String> = t
        .one("SELECT array_agg(tablename::text ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'", &[])
        .await;
    assert!(tables.len() > 20, "{tables:?}");
    let mut all = String::new();
    for table in tables.iter().filter(|table| !BOOKKEEPING.contains(&table.as_str())) {
        let own = if table == "order_drafts" {
            format!(
                "WHERE staff_id NOT IN (SELECT id FROM staff WHERE telegram_user_id = {person} AND role <> 'VIEWER')"
            )
        } else {
            String::new()
        };
        let rows = format!("SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM {table} AS t {own}");
        all.extend([table.as_str(), "\n", t.one::<String>(&rows, &[]).await.as_str(), "\n"]);
    }
    all
}

/// What was said on a phone, with its buttons, and every digit of it together.
fn said(chat: &Chat) -> String {
    let messages = chat.messages();
    let texts = messages.iter().map(|message| message.text.clone());
    let buttons = messages.iter().flat_map(|message| &message.buttons).flatten().map(|button| button.text.clone());
    let all: String = texts.chain(buttons).collect::<Vec<_>>().join("\n");
    let digits: String = all.chars().filter(char::is_ascii_digit).collect();
    format!("{all}\n{digits}")
}

async fn seen(t: &Dispatch, order: OrderId) -> String {
    t.one("SELECT concat_ws('.', version, revision) FROM orders WHERE id = $1", &[&order.0]).await
}

/// Taps everything as somebody, and writes; nothing is changed by it. What was shown, and said over the chat.
async fn walk(t: &Dispatch, chat: &Chat, person: i64, orders: &[OrderId]) -> String {
    let mut shown = String::new();
    chat.say("/start").await;
    let before = everything_but_bookkeeping(t, person).await;
    for order in orders {
        for (line, buttons) in every_button(*order, &seen(t, *order).await) {
            for data in &buttons {
                let tap = chat.tap(data).await;
                shown.push_str(tap.notice());
                shown.push_str(&said(chat));
            }
            let after = everything_but_bookkeeping(t, person).await;
            assert!(before == after, "{line} has changed something:\n{}", difference(&before, &after));
        }
        // Whatever was asked meanwhile.
        for words in ["ул. Новая, 1", "1500", "/start"] {
            chat.say(words).await;
            shown.push_str(&said(chat));
        }
        let after = everything_but_bookkeeping(t, person).await;
        assert!(before == after, "words have changed something:\n{}", difference(&before, &after));
    }
    shown
}

fn difference(before: &str, after: &str) -> String {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (before.lines().collect(), after.lines().collect());
    let gone = old.difference(&new).map(|line| format!("- {line}"));
    gone.chain(new.difference(&old).map(|line| format!("+ {line}"))).collect::<Vec<_>>().join("\n")
}

fn assert_says_nothing_of_the_city(shown: &str) {
    for secret in SECRETS {
        let at = shown.find(secret).map(|at| shown[..at + secret.len()].chars().rev().take(400).collect::<String>());
        let around: Option<String> = at.map(|reversed| reversed.chars().rev().collect());
        assert!(around.is_none(), "{secret} was shown: …{}", around.unwrap_or_default());
    }
}

#[tokio::test]
async fn staff_of_another_city_change_nothing_and_see_nothing_of_it() {
    let (t, orders) = a_city().await;
    let chat = t.add_staff_as(502, "DISPATCHER", &[2]).await;
    let shown = walk(&t, &chat, 502, &orders).await;
    assert_says_nothing_of_the_city(&shown);
    t.check().await;
}

#[tokio::test]
async fn who_only_reads_changes_nothing() {
    let (t, orders) = a_city().await;
    let chat = t.add_staff_as(503, "VIEWER", &[1]).await;
    let shown = walk(&t, &chat, 503, &orders).await;
    assert!(shown.contains("Секретная"), "but is shown what there is");
    let asked: i64 = t.one("SELECT count(*) FROM staff_dialogs WHERE question <> 'SEARCH'", &[]).await;
    assert_eq!(asked, 0, "nothing is asked that cannot be answered");
}

#[tokio::test]
async fn who_is_nobody_of_the_staff_changes_nothing_and_sees_nothing() {
    let (t, orders) = a_city().await;
    let gone = t.add_staff_as(504, "ADMIN", &[]).await;
    t.execute("UPDATE staff SET is_active = false WHERE telegram_user_id = 504", &[]).await;
    let master = t.telegram.chat(ADMIN_TOKEN, ANNA, "Анна");
    let stranger = t.telegram.chat(ADMIN_TOKEN, STRANGER, "Прохожий");
    for (chat, person) in [(gone, 504), (master, ANNA), (stranger, STRANGER)] {
        let shown = walk(&t, &chat, person, &orders[..1]).await;
        assert_says_nothing_of_the_city(&shown);
        let known: i64 = t.one("SELECT count(*) FROM processed_updates WHERE bot = 'ADMIN'", &[]).await;
        assert_eq!(known, 0, "nor is a record kept of them");
    }
}

/// Else the walk would prove nothing.
#[tokio::test]
async fn the_same_buttons_do_something_for_who_may() {
    let (t, orders) = a_city().await;
    let admin = t.add_staff_as(505, "ADMIN", &[]).await;
    admin.say("/start").await;
    let mut did = BTreeSet::new();
    for order in orders {
        for (line, _) in every_button(order, "1.1") {
            // As it is by then.
            for data in expanded(&line, order, &seen(&t, order).await) {
                let before = everything_but_bookkeeping(&t, 505).await;
                admin.tap(&data).await;
                if everything_but_bookkeeping(&t, 505).await != before {
                    did.insert(line.clone());
                }
            }
        }
    }
    // Every verb that stands on its own; what a question comes before is walked in the tests of dialogs.
    for verb in [
        "adm:m:d:",
        "adm:m:im:",
        "adm:m:is:",
        "adm:m:li:",
        "adm:m:rv:",
        "adm:m:sh:",
        "adm:pol:set:",
        "adm:o:asap:",
        "adm:o:clm:",
        "adm:o:cls:",
        "adm:o:cnl_yes:",
        "adm:o:rop_yes:",
        "adm:o:unc:",
        "adm:o:win:",
        "adm:q:as:any:",
    ] {
        assert!(did.iter().any(|line| line.starts_with(verb)), "{verb} did nothing: {did:#?}");
    }
    t.check().await;
}
