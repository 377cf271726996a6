//! What people get wrong as they set a system up: each mistake is named, with what to do, and leaves nothing behind.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::harness::{BARE_FOLDER, Dispatch, postgres};

/// Runs the program, which has to end by itself.
async fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command.args(args).current_dir(BARE_FOLDER).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_mins(1), command.output()).await;
    output.expect("it ends").expect("the program runs")
}

async fn refused(args: &[&str], variables: &[(&str, &str)], why: &str) {
    let output = run(args, variables).await;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code() == Some(1) && said.contains(why), "{args:?}: {said}");
}

const POLL: [&str; 2] = ["serve", "--poll"];

fn bots<'a>(database_url: &'a str, variables: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("DATABASE_URL", database_url),
        ("MASTER_BOT_TOKEN", "1:key"),
        ("ADMIN_BOT_TOKEN", "2:key"),
        ("TELEGRAM_API_URL", "http://127.0.0.1:1"),
    ];
    usual.into_iter().chain(variables.iter().copied()).collect()
}

#[tokio::test]
async fn one_bot_for_both_is_refused() {
    let url = "postgresql://user@127.0.0.1:1/db";
    let one = bots(url, &[("ADMIN_BOT_TOKEN", "1:key"), ("MASTER_WEBHOOK_SECRET", "x"), ("ADMIN_WEBHOOK_SECRET", "y")]);
    let why = "ADMIN_BOT_TOKEN is malformed (it is of the same bot as MASTER_BOT_TOKEN)";
    refused(&POLL, &one, why).await;
    refused(&["serve", "--listen", "127.0.0.1:0"], &one, why).await;
    refused(&["webhook", "set", "https://example.org"], &one, why).await;
}

#[tokio::test]
async fn a_word_that_is_no_level_does_not_silence_the_log() {
    let url = "postgresql://user@127.0.0.1:1/db";
    for level in ["verbose", "inf", "info,noise"] {
        refused(&["staff", "list"], &bots(url, &[("RUST_LOG", level)]), "is no level): expected a level such as info")
            .await;
    }
}

#[tokio::test]
async fn whoever_is_in_another_folder_is_told_so() {
    let why =
        format!("there is no .env in {BARE_FOLDER}: go to the folder in which `field-service init` has written one");
    refused(&["staff", "list"], &[], &why).await;
    refused(&POLL, &[("DATABASE_URL", "postgresql://user@127.0.0.1:1/db")], &why).await;
}

#[tokio::test]
async fn a_database_that_does_not_fit_is_refused_before_anything_is_made() {
    let full = postgres::empty_database("of_others").await;
    let others = postgres::connect(&full).await;
    others.batch_execute("CREATE TABLE orders (id bigint)").await.expect("a table");
    refused(&["migrate"], &[("DATABASE_URL", &full)], "there is 1 table of something else in it").await;
    let standing = postgres::empty_database("of_a_standby").await;
    let standby = postgres::connect(&standing).await;
    standby
        .batch_execute("ALTER DATABASE of_a_standby SET default_transaction_read_only = on")
        .await
        .expect("a standby");
    refused(&["migrate"], &[("DATABASE_URL", &standing)], "it takes no writes").await;
    let latin = postgres::empty_database("of_letters").await;
    others.batch_execute("DROP DATABASE of_letters").await.expect("no database");
    others
        .batch_execute("CREATE DATABASE of_letters ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        .await
        .expect("another one");
    refused(&["migrate"], &[("DATABASE_URL", &latin)], "its encoding is LATIN1: expected UTF8").await;
    for url in [&full, &latin] {
        let there = postgres::connect(url).await;
        let there = there.query_one("SELECT to_regclass('refinery_schema_history')::text", &[]).await.expect("a row");
        assert_eq!(there.get::<_, Option<String>>(0), None, "nothing is left behind");
    }
}

#[tokio::test]
async fn a_server_that_could_serve_nobody_does_not_begin() {
    let empty = postgres::empty_database("without_tables").await;
    refused(&POLL, &bots(&empty, &[]), "run `field-service migrate` first").await;
    let nowhere = empty.replace("without_tables", "nowhere_at_all");
    assert_ne!(nowhere, empty);
    refused(&POLL, &bots(&nowhere, &[]), "the database does not let this program in: ").await;
}

#[tokio::test]
async fn whoever_is_there_already_with_something_else_is_no_success() {
    let t = Dispatch::start().await;
    let database = [("DATABASE_URL", t.database_url.as_str())];
    let succeeded = async |name: &str, role: &str| {
        let add = ["staff", "add", "--telegram-id", "900", "--name", name, "--role", role];
        run(&add, &database).await.status.success()
    };
    assert!(succeeded("Анна", "admin").await && succeeded("Анна", "admin").await, "it is so");
    assert!(!succeeded("Анна", "viewer").await && !succeeded("Ольга", "admin").await, "it is not");
    let elsewhere =
        ["staff", "add", "--telegram-id", "901", "--name", "Ольга", "--role", "admin", "--city", "Екатеринбург"];
    refused(&elsewhere, &database, "an admin works in all cities").await;
    let somebody = ["staff", "add", "--telegram-id", "@olga", "--name", "Ольга", "--role", "admin"];
    let output = run(&somebody, &database).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("a @name is none"), "{output:?}");
}
