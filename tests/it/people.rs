//! How people get in, and what is changed of masters.

use std::process::Output;

use field_service::sim::telegram::Chat;
use tokio::process::Command;

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, MASTER_TOKEN};

/// Runs the program on a test's database and Telegram; what it said, and whether it succeeded.
async fn program(t: &Dispatch, args: &[&str]) -> (bool, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_field-service"))
        .args(args)
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
