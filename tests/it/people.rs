//! How people get in, and what is changed of masters.

use std::process::Output;

use field_service::sim::telegram::{Chat, Fault};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::{ADMIN_TOKEN, ANNA, BARE_FOLDER, BORIS, Dispatch, MASTER_TOKEN};

/// Somebody whom nobody knows yet.
const NEWCOMER: i64 = 777;

/// Runs the program on a test's database and Telegram; what it said, and whether it succeeded.
async fn program(t: &Dispatch, args: &[&str]) -> (bool, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_field-service"))
        .args(args)
        .current_dir(BARE_FOLDER)
        .env_clear()
        .env("DATABASE_URL", &t.database_url)
        .env("TELEGRAM_API_URL", t.telegram.api_url())
        .env("MASTER_BOT_TOKEN", MASTER_TOKEN)
        .env("ADMIN_BOT_TOKEN", ADMIN_TOKEN)
        .kill_on_drop(true)
        .output()
        .await
        .expect("the program runs");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (output.status.success(), said)
}

async fn done(t: &Dispatch, args: &[&str]) -> String {
    let (succeeded, said) = program(t, args).await;
    assert!(succeeded, "{args:?}: {said}");
    said
}

async fn refused(t: &Dispatch, args: &[&str], why: &str) {
    let (succeeded, said) = program(t, args).await;
    assert!(!succeeded && said.contains(why), "{args:?}: {said}");
}

/// The link that a command has made.
async fn link(t: &Dispatch, args: &[&str]) -> String {
    let said = done(t, args).await;
    said.lines().find(|line| line.starts_with("https://t.me/")).unwrap_or_else(|| panic!("no link: {said}")).to_owned()
}

#[tokio::test]
async fn the_first_admin_is_let_in_from_the_command_line_and_the_last_one_stays() {
    let t = Dispatch::start().await;
    let add: &[&str] = &["staff", "add", "--telegram-id", "500", "--name", "Ольга", "--role", "admin"];
    let said = done(&t, add).await;
    assert!(said.contains("Ольга is staff 1") && said.contains("ADMIN  all cities"), "{said}");
    assert!(done(&t, add).await.contains("is staff 1 already"));
    refused(&t, &["staff", "deactivate", "--id", "1"], "the last admin").await;
    refused(&t, &["staff", "set", "--id", "1", "--role", "viewer"], "the last admin").await;
    refused(&t, &["staff", "set", "--id", "1"], "nothing to change").await;
    refused(&t, &["staff", "set", "--id", "7", "--name", "Никто"], "nobody like that").await;
    let omsk = ["staff", "add", "--telegram-id", "501", "--name", "Пётр", "--role", "DISPATCHER", "--city", "Омск"];
    refused(&t, &omsk, "no city «Омск»").await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    assert!(done(&t, &omsk).await.contains("DISPATCHER  Омск"));
    let said = done(&t, &["staff", "set", "--telegram-id", "501", "--role", "admin", "--all-cities"]).await;
    assert!(said.contains("ADMIN  all cities"), "{said}");
    assert!(done(&t, &["staff", "deactivate", "--id", "1"]).await.contains("deactivated"));
    let list = done(&t, &["staff", "list"]).await;
    assert_eq!(list.lines().count(), 2, "{list}");
    refused(&t, &["staff", "add", "--telegram-id", "502", "--name", "x", "--role", "boss"], "boss").await;
}

#[tokio::test]
async fn a_link_is_shown_once_and_only_its_hash_is_kept() {
    let t = Dispatch::start().await;
    let link = link(&t, &["master", "invite", "--city", "Екатеринбург"]).await;
    let code = link.split_once("?start=").expect("a code").1;
    assert_eq!(code.len(), 43);
    let kept: String = t.one("SELECT t::text FROM invitations AS t", &[]).await;
    assert!(!kept.contains(code), "{kept}");
    let list = done(&t, &["master", "invite", "--list"]).await;
    assert!(list.contains("a master in Екатеринбург, to be approved") && !list.contains(code), "{list}");
    refused(&t, &["master", "invite", "--city", "Омск"], "no city «Омск»").await;
    assert!(done(&t, &["master", "invite", "--revoke", "1"]).await.contains("lets nobody in any more"));
    refused(&t, &["master", "invite", "--revoke", "1"], "none that could").await;
    assert!(done(&t, &["staff", "invite", "--list"]).await.contains("No invitation"));
}

/// A master's changes: what, from, to, by whom.
async fn changes(t: &Dispatch, user: i64) -> String {
    t.one(
        "SELECT string_agg(concat_ws(' ', what, from_value, '→', to_value, changed_by, changed_by_staff_id), ', ' ORDER BY master_changes.id)
         FROM master_changes JOIN masters ON masters.id = master_id
         WHERE telegram_user_id = $1 AND what <> 'TRADE'",
        &[&user],
    )
    .await
}

#[tokio::test]
async fn whatever_changes_a_master_is_written_down_with_who_did_it() {
    let t = Dispatch::start().await;
    let chat: Chat = t.chat(ANNA);
    chat.tap("m:sh:off").await;
    chat.tap("m:sh:off").await;
    done(&t, &["master", "set", "--id", "1", "--limit", "2", "--block", "долг"]).await;
    t.execute("UPDATE masters SET unreachable_since = now() WHERE id = 1", &[]).await;
    chat.say("Я тут").await;
    done(&t, &["master", "set", "--id", "1", "--unblock", "--new-district", "Центр"]).await;
    assert_eq!(
        changes(&t, ANNA).await,
        "ADDED → SYSTEM, SHIFT on → off MASTER, BLOCKED → долг OPERATOR, LIMIT → 2 OPERATOR, REACHABLE yes → no SYSTEM, \
         REACHABLE no → yes SYSTEM, DISTRICT → 1 OPERATOR, BLOCKED долг → OPERATOR"
    );
    let trades: i64 = t.one("SELECT count(*) FROM master_changes WHERE what = 'TRADE' AND master_id = 2", &[]).await;
    assert_eq!(trades, 3);
    t.execute("DELETE FROM master_categories WHERE master_id = 2 AND category = 'WINDOWS'", &[]).await;
    let gone: String = t.one("SELECT from_value FROM master_changes ORDER BY id DESC LIMIT 1", &[]).await;
    assert_eq!((gone.as_str(), changes(&t, BORIS).await.as_str()), ("WINDOWS", "ADDED → SYSTEM"));
}

/// A city with districts, and a link for a master to it.
async fn master_link(t: &Dispatch, more: &[&str]) -> String {
    t.execute(
        "INSERT INTO districts (city_id, name) SELECT min(id), unnest(ARRAY['Центр', 'Север', 'Юг']) FROM cities",
        &[],
    )
    .await;
    link(t, &[&["master", "invite", "--city", "Екатеринбург"], more].concat()).await
}

/// Who there is of that Telegram id, and what of.
async fn known(t: &Dispatch, user: i64) -> Option<String> {
    let rows = t
        .sql
        .query(
            "SELECT concat_ws('|', full_name, phone, is_blocked, awaiting_approval_since IS NOT NULL, on_shift,
                 (SELECT string_agg(category, ',' ORDER BY category) FROM master_categories WHERE master_id = masters.id),
                 (SELECT string_agg(name, ',' ORDER BY name) FROM master_districts JOIN districts ON id = district_id
                  WHERE master_id = masters.id))
             FROM masters WHERE telegram_user_id = $1",
            &[&user],
        )
        .await
        .expect("a query");
    rows.first().map(|row| row.get(0))
}

/// Whoever is on the way.
async fn on_the_way(t: &Dispatch) -> i64 {
    t.one("SELECT count(*) FROM onboardings", &[]).await
}

#[tokio::test]
async fn a_master_gets_in_by_a_link_and_is_offered_what_fits() {
    let t = Dispatch::start().await;
    let link = master_link(&t, &["--no-approval"]).await;
    let chat = t.chat(NEWCOMER);
    chat.follow(&link).await;
    assert!(chat.screen().contains("Екатеринбург") && chat.screen().contains("Как вас зовут"), "{}", chat.screen());
    chat.say("Пётр <Иванов>").await;
    assert!(chat.screen().contains("Пётр <Иванов>, нажмите внизу"), "{}", chat.screen());
    chat.share_contact().await;
    assert!(chat.keyboard().is_empty(), "the key has gone");
    assert!(chat.screen().contains("+79990000777") && chat.screen().contains("Что вы умеете"), "{}", chat.screen());
    assert!(chat.press("Дальше").await.notice().contains("хотя бы одно умение"));
    chat.press("Сантехника").await;
    chat.press("Окна").await;
    chat.press("✅ Окна").await;
    chat.press("Дальше").await;
    assert!(chat.press("Дальше").await.notice().contains("хотя бы один район"));
    chat.press("Все районы").await;
    chat.press("✅ Юг").await;
    assert!(chat.press("Дальше").await.notice().contains("вы в списке мастеров"));
    assert_eq!(known(&t, NEWCOMER).await.as_deref(), Some("Пётр <Иванов>|+79990000777|f|f|t|PLUMBING|Север,Центр"));
    assert_eq!(on_the_way(&t).await, 0);
    assert!(changes(&t, NEWCOMER).await.starts_with("ADDED → MASTER"));
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&NEWCOMER]).await;
    let order = t.order().in_status("CREATED").create().await;
    t.tick().await;
    assert_eq!(t.asked(order).await, [NEWCOMER]);
}

/// Whoever is not let in yet has nothing in the outbox: what Telegram did not take is asked when it brings the update again.
#[tokio::test]
async fn a_question_that_a_newcomer_has_not_seen_is_asked_again() {
    let t = Dispatch::start().await;
    let link = master_link(&t, &[]).await;
    let chat = t.chat(NEWCOMER);
    chat.follow(&link).await;
    let again = async |method: &str, update: Value, asks: &str| {
        t.telegram.fail_next(method, 1, Fault::ServerError);
        let delivered = async || t.telegram.deliver(MASTER_TOKEN, &update).await.status;
        assert_eq!(delivered().await, Some(503), "{asks}");
        assert!(!chat.screen().contains(asks), "{}", chat.screen());
        assert_eq!(delivered().await, Some(200), "{asks}");
        assert!(chat.screen().contains(asks), "{}", chat.screen());
    };
    again("sendMessage", chat.text_update("Пётр"), "нажмите внизу").await;
    chat.share_contact().await;
    chat.press("Окна").await;
    let next = chat.buttons().iter().find(|button| button.text.contains("Дальше")).expect("a button").data.clone();
    again("editMessageText", chat.tap_update(&next), "В каких районах").await;
    // Whoever has blocked the bot is not written to, however often.
    chat.block_bot(true);
    assert_eq!(t.telegram.deliver(MASTER_TOKEN, &chat.text_update("Кто тут?")).await.status, Some(200));
}

#[tokio::test]
async fn only_the_own_contact_is_taken() {
    let t = Dispatch::start().await;
    let link = master_link(&t, &[]).await;
    let chat = t.chat(NEWCOMER);
    chat.follow(&link).await;
    chat.say("Пётр").await;
    let deliver = async |update: Value| {
        t.telegram.deliver(MASTER_TOKEN, &update).await;
        assert!(chat.screen().contains("нажмите внизу"), "{}", chat.screen());
        let phone: Option<String> = t.one("SELECT phone FROM onboardings", &[]).await;
        assert_eq!(phone, None, "{update}");
    };
    deliver(chat.contact_update(Some(ANNA), "79990000101")).await;
    deliver(chat.contact_update(None, "79990000777")).await;
    let mut forwarded = chat.contact_update(Some(NEWCOMER), "79990000777");
    forwarded["message"]["forward_origin"] =
        serde_json::json!({"type": "hidden_user", "sender_user_name": "x", "date": 1});
    deliver(forwarded).await;
    deliver(chat.contact_update(Some(NEWCOMER), "02")).await;
    deliver(chat.text_update("+79990000777")).await;
    deliver(chat.forwarded_update("+79990000777")).await;
    deliver(chat.service_update(serde_json::json!({"sticker": {"emoji": "🙂"}}))).await;
    // Whoever claims to be the sender of another chat's message says nothing here.
    let mut elsewhere = chat.own_contact_update();
    elsewhere["message"]["chat"]["id"] = serde_json::json!(-100);
    t.telegram.deliver(MASTER_TOKEN, &elsewhere).await;
    assert_eq!(t.one::<Option<String>>("SELECT phone FROM onboardings", &[]).await, None);
    chat.say("/start").await;
    chat.share_contact().await;
    assert!(chat.screen().contains("Что вы умеете"), "{}", chat.screen());
}

#[tokio::test]
async fn a_link_lets_in_one_person_until_it_expires_or_is_revoked() {
    let t = Dispatch::start().await;
    let links = [master_link(&t, &[]).await, link(&t, &["master", "invite", "--city", "Екатеринбург"]).await];
    let (first, second) = (t.chat(NEWCOMER), t.chat(NEWCOMER + 1));
    first.follow(&links[0]).await;
    first.say("Пётр").await;
    second.follow(&links[0]).await;
    assert!(second.screen().contains("уже кто-то вошёл"), "{}", second.screen());
    // The first one can come back by it.
    first.follow(&links[0]).await;
    assert!(first.screen().contains("нажмите внизу"), "{}", first.screen());
    // A revoked one stops whoever is on the way.
    done(&t, &["master", "invite", "--revoke", "1"]).await;
    assert_eq!(on_the_way(&t).await, 0);
    first.follow(&links[0]).await;
    assert!(first.screen().contains("отозвали"), "{}", first.screen());
    t.execute("UPDATE invitations SET created_at = now() - interval '4 days', expires_at = now() WHERE id = 2", &[])
        .await;
    second.follow(&links[1]).await;
    assert!(second.screen().contains("Срок этой ссылки истёк"), "{}", second.screen());
    // What is no link of ours, and one of the other bot.
    let third = t.chat(NEWCOMER + 2);
    third.say("/start x").await;
    assert!(third.screen().contains("Такой ссылки нет"), "{}", third.screen());
    let staff = link(&t, &["staff", "invite", "--role", "viewer"]).await;
    let code = staff.split_once("?start=").expect("a code").1.to_owned();
    t.chat(NEWCOMER + 3).say(&format!("/start {code}")).await;
    assert_eq!(on_the_way(&t).await, 0);
    assert_eq!(t.one::<i64>("SELECT count(*) FROM invitations WHERE used_at IS NOT NULL", &[]).await, 1);
    // Who is a master already stays one.
    t.chat(ANNA).follow(&link(&t, &["master", "invite", "--city", "Екатеринбург"]).await).await;
    assert!(t.chat(ANNA).screen().contains("Здравствуйте, Анна"));
    assert_eq!(t.one::<i64>("SELECT count(*) FROM invitations WHERE used_at IS NOT NULL", &[]).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_who_follow_a_link_at_once_one_gets_in() {
    let t = Dispatch::start().await;
    for round in 0..10 {
        let link = link(&t, &["master", "invite", "--city", "Екатеринбург"]).await;
        let (first, second) = (t.chat(1000 + 2 * round), t.chat(1001 + 2 * round));
        tokio::join!(first.follow(&link), second.follow(&link));
        let asked = [&first, &second].into_iter().filter(|chat| chat.screen().contains("Как вас зовут")).count();
        let refused = [&first, &second].into_iter().filter(|chat| chat.screen().contains("уже кто-то вошёл")).count();
        assert_eq!((asked, refused, on_the_way(&t).await), (1, 1, round + 1));
    }
}

#[tokio::test]
async fn every_update_of_the_way_in_may_come_twice_and_once_more_at_the_end() {
    let t = Dispatch::start().await;
    let link = master_link(&t, &[]).await;
    let chat = t.chat(NEWCOMER);
    let mut all: Vec<Value> = Vec::new();
    let mut twice = async |update: Value| {
        for _ in 0..2 {
            t.telegram.deliver(MASTER_TOKEN, &update).await;
        }
        tokio::join!(t.telegram.deliver(MASTER_TOKEN, &update), t.telegram.deliver(MASTER_TOKEN, &update));
        all.push(update);
    };
    twice(chat.follow_update(&link)).await;
    twice(chat.text_update("Пётр")).await;
    twice(chat.own_contact_update()).await;
    let data =
        |label: &str| chat.buttons().iter().find(|button| button.text.contains(label)).expect("a button").data.clone();
    for label in ["Сантехника", "Окна", "✅ Окна", "Дальше", "Юг", "Дальше"] {
        twice(chat.tap_update(&data(label))).await;
    }
    let before = known(&t, NEWCOMER).await;
    assert_eq!(before.as_deref(), Some("Пётр|+79990000777|t|t|f|PLUMBING|Юг"), "{}", chat.screen());
    for update in &all {
        assert!(t.telegram.deliver(MASTER_TOKEN, update).await.status == Some(200));
    }
    assert_eq!((known(&t, NEWCOMER).await, on_the_way(&t).await), (before, 0));
    assert_eq!(t.one::<i64>("SELECT count(*) FROM masters WHERE telegram_user_id = $1", &[&NEWCOMER]).await, 1);
}

#[tokio::test]
async fn who_waits_is_offered_nothing_and_told_why() {
    let t = Dispatch::start().await;
    let link = master_link(&t, &[]).await;
    let chat = t.chat(NEWCOMER);
    chat.follow(&link).await;
    chat.say("Пётр").await;
    chat.share_contact().await;
    for label in ["Сантехника", "Дальше", "Все районы", "Дальше"] {
        chat.press(label).await;
    }
    assert!(chat.screen().contains("анкета у диспетчера"), "{}", chat.screen());
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&NEWCOMER]).await;
    let order = t.order().in_status("CREATED").create().await;
    t.tick().await;
    assert!(t.asked(order).await.is_empty());
    chat.tap("m:new").await;
    assert!(chat.screen().contains("⏳ Анкета у диспетчера"), "{}", chat.screen());
    // Whoever unblocks has agreed, also by hand.
    t.execute("UPDATE masters SET is_blocked = false WHERE telegram_user_id = $1", &[&NEWCOMER]).await;
    assert!(changes(&t, NEWCOMER).await.contains("APPROVED"));
    assert!(known(&t, NEWCOMER).await.is_some_and(|known| known.contains("|f|f|")));
}
