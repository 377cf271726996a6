//! From two tokens to a system that can be served: what `init` asks, checks, writes down and leaves alone.

use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use field_service::cluster::Kept;
use field_service::config::Database;
use field_service::init::{self, Console, EnvFile, Error, Given};
use field_service::sim::telegram::{Fault, Telegram, Webhook};
use field_service::store::migrate;
use field_service::telegram::http_client;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, SpecialCodeIndex, tcgetattr};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::harness::{ADMIN_TOKEN, MASTER_TOKEN, eventually, postgres};

const OLGA: i64 = 5001;

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fs-init-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).expect("a new folder");
        // As root, the server runs as somebody else, who has to get there.
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).expect("permissions");
        Self(path)
    }

    fn env(&self) -> PathBuf {
        self.0.join(".env")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.env()).expect("the file")
    }

    fn mode(&self) -> u32 {
        std::fs::metadata(self.env()).expect("the file").permissions().mode() & 0o777
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Somebody who answers in this order, each question by what it contains.
struct Script {
    answers: Vec<(&'static str, String)>,
    said: String,
    /// The answers that nobody saw.
    hidden: Vec<String>,
}

impl Script {
    fn new(answers: &[(&'static str, &str)]) -> Self {
        let answers = answers.iter().rev().map(|(question, answer)| (*question, (*answer).to_owned())).collect();
        Self { answers, said: String::new(), hidden: Vec::new() }
    }
}

impl Console for Script {
    fn say(&mut self, text: &str) -> io::Result<()> {
        self.said = format!("{}{text}\n", self.said);
        Ok(())
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let answer = self.answers.pop();
        if let Some((about, _)) = &answer {
            assert!(question.contains(about), "asked «{question}» rather than about «{about}»:\n{}", self.said);
        }
        self.said = format!("{}{question}\n", self.said);
        Ok(answer.map(|(_, answer)| answer))
    }

    fn ask_hidden(&mut self, question: &str) -> io::Result<Option<String>> {
        let answer = self.ask(question)?;
        self.hidden.extend(answer.clone());
        Ok(answer)
    }
}

/// Both bots, without a webhook.
async fn bots() -> Telegram {
    let telegram = Telegram::start().await.expect("a port");
    telegram.add_bot(MASTER_TOKEN, "Заявки", None);
    telegram.add_bot(ADMIN_TOKEN, "Диспетчерская", None);
    telegram
}

/// Leads somebody through; how it ended, and what was said.
async fn lead(
    telegram: &Telegram,
    folder: &Folder,
    given: &Given,
    answers: &[(&'static str, &str)],
) -> (Result<(), Error>, String) {
    let mut script = Script::new(answers);
    let api = telegram.api_url().to_owned();
    let lookup = |name: &str| (name == "TELEGRAM_API_URL").then(|| api.clone());
    let ended = init::run(given, &folder.env(), &lookup, Some(&mut script)).await.map(drop);
    assert!(ended.is_err() || script.answers.is_empty(), "not asked about {:?}:\n{}", script.answers, script.said);
    let of_tokens = answers.iter().filter(|(question, _)| question.ends_with("' bot")).map(|(_, answer)| *answer);
    assert!(ended.is_err() || script.hidden.iter().map(String::as_str).eq(of_tokens), "{:?}", script.hidden);
    (ended, script.said)
}

async fn waiting(telegram: &Telegram) -> Value {
    let url = format!("{}/bot{ADMIN_TOKEN}/getWebhookInfo", telegram.api_url());
    let answer = http_client(&url).post(&url).body("{}").send().await.expect("an answer");
    let answer: Value = serde_json::from_str(&answer.text().await.expect("a text")).expect("JSON");
    answer["result"]["pending_update_count"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tokens_a_database_and_a_start_make_a_system() {
    let (telegram, folder) = (bots().await, Folder::new("conversation"));
    let url = postgres::empty_database("init").await;
    for (user, name, text) in [(7001, "Прохожий", "/start"), (OLGA, "Ольга", "привет"), (OLGA, "Ольга", "/start")]
    {
        let chat = telegram.chat(ADMIN_TOKEN, user, name);
        telegram.enqueue(ADMIN_TOKEN, chat.text_update(text));
    }
    let answers = [
        ("technicians' bot", "no token"),
        ("technicians' bot", "1009:unknown"),
        ("technicians' bot", MASTER_TOKEN),
        ("dispatchers' bot", MASTER_TOKEN),
        ("dispatchers' bot", "1001:another-key"),
        ("dispatchers' bot", ADMIN_TOKEN),
        ("Database", "postgresql://nobody@127.0.0.1:1/x"),
        ("Database", "postgresql://nobody@127.0.0.1"),
        ("Database", "localhost"),
        ("Database", "./another-folder"),
        ("Database", &url),
        ("City", "  "),
        ("City", "Тверь"),
        ("Time zone", "Mars/Olympus"),
        ("Time zone", "2"),
        ("Прохожий (Telegram id 7001)", "maybe"),
        ("Прохожий", "Нет"),
        ("Ольга", "ДА"),
    ];
    let (ended, said) = lead(&telegram, &folder, &Given::default(), &answers).await;
    ended.expect("a system");
    for words in [
        "BotFather gives digits",
        "knows no such token",
        "need a bot of their own",
        "@orders_1001_bot",
        "DATABASE_URL is malformed",
        "that is no URL: expected one such as postgresql://",
        "Mars/Olympus is no time zone",
        "Тверь is in Europe/Moscow",
        "https://t.me/orders_1002_bot",
        "Ольга is the admin",
        "field-service serve --poll",
    ] {
        assert!(said.contains(words), "«{words}» was not said:\n{said}");
    }
    assert!(!said.contains("master-token") && !said.contains("admin-token"), "{said}");
    assert_eq!(folder.mode(), 0o600);
    let file = EnvFile::read(&folder.env()).expect("the file");
    let says = |name: &str| file.get(name).unwrap_or_default();
    assert_eq!([says("MASTER_BOT_TOKEN"), says("ADMIN_BOT_TOKEN")], [MASTER_TOKEN, ADMIN_TOKEN]);
    assert_eq!(says("DATABASE_URL"), url);
    let secrets = [says("MASTER_WEBHOOK_SECRET"), says("ADMIN_WEBHOOK_SECRET")];
    assert!(secrets.iter().all(|secret| secret.len() == 64) && secrets[0] != secrets[1]);
    let sql = postgres::connect(&url).await;
    let row = sql
        .query_one("SELECT full_name, role, telegram_user_id, (SELECT name FROM cities) FROM staff", &[])
        .await
        .expect("one admin and one city");
    let saved: (String, String, i64, String) = (row.get(0), row.get(1), row.get(2), row.get(3));
    assert_eq!(saved, ("Ольга".to_owned(), "ADMIN".to_owned(), OLGA, "Тверь".to_owned()));
    assert_eq!(waiting(&telegram).await, 3, "her /start waits for whoever serves, and so does what others said");

    // Again: what is there is offered, and nothing is asked twice.
    let before = folder.text();
    std::fs::set_permissions(folder.env(), PermissionsExt::from_mode(0o644)).expect("permissions");
    let again = [("technicians' bot", ""), ("dispatchers' bot", ""), ("Database", "")];
    let (ended, said) = lead(&telegram, &folder, &Given::default(), &again).await;
    ended.expect("the same system");
    assert!(said.contains("Тверь (Europe/Moscow)") && said.contains("An admin is there: Ольга"), "{said}");
    assert_eq!((folder.text(), folder.mode()), (before.clone(), 0o600), "the same, and for its owner alone");

    // What is there is written over by whoever says so, and by nobody else; other lines stay.
    std::fs::write(folder.env(), format!("# Mine.\nMETRICS_TOKEN='x'\n{before}")).expect("a file");
    telegram.add_bot("1003:other", "Другая", None);
    let other = [("technicians' bot", "1003:other"), ("dispatchers' bot", ""), ("Database", ""), ("Write this", "н")];
    let (ended, _) = lead(&telegram, &folder, &Given::default(), &other).await;
    assert!(matches!(ended, Err(Error::IsThere(..))), "{ended:?}");
    assert!(folder.text().contains(MASTER_TOKEN));
    let other = [("technicians' bot", "1003:other"), ("dispatchers' bot", ""), ("Database", ""), ("Write this", "д")];
    lead(&telegram, &folder, &Given::default(), &other).await.0.expect("a system");
    assert!(folder.text().starts_with("# Mine.\nMETRICS_TOKEN='x'\n") && !folder.text().contains(MASTER_TOKEN));
    assert!(folder.text().contains(&secrets[0]), "secrets stay");
    assert_eq!(folder.mode(), 0o600);
}

/// Everything is said that `init` needs, but for the database.
fn tokens_and_city(timezone: &str) -> Given {
    Given {
        master_token: Some(MASTER_TOKEN.to_owned()),
        admin_token: Some(ADMIN_TOKEN.to_owned()),
        city: Some("Тверь".to_owned()),
        timezone: Some(timezone.to_owned()),
        no_admin: true,
        ..Given::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_before_everything_is_checked() {
    let (telegram, folder) = (bots().await, Folder::new("checked"));
    let url = postgres::empty_database("checked").await;
    let data = folder.0.join("data-of-ours");
    let own = |given: Given| Given { data_folder: Some(data.clone()), ..given };
    let theirs = |given: Given| Given { database_url: Some(url.clone()), ..given };
    let (mars, moscow) = (|| tokens_and_city("Mars/Olympus"), || tokens_and_city("Europe/Moscow"));
    let nameless = || Given { no_admin: false, admin_id: Some(OLGA), admin_name: Some("  ".to_owned()), ..moscow() };
    for (given, flag) in [
        (own(mars()), "--timezone: Mars/Olympus is no time zone"),
        (theirs(mars()), "--timezone: Mars/Olympus is no time zone"),
        (own(nameless()), "--admin-name: expected"),
        (own(Given { city: Some("а\nб".to_owned()), ..moscow() }), "--city: expected"),
        (Given { database_url: Some("localhost".to_owned()), ..moscow() }, "that is no URL"),
        (Given { data_folder: Some(folder.0.join("none/data")), ..moscow() }, "none/data: No such file or directory"),
    ] {
        let (ended, _) = lead(&telegram, &folder, &given, &[]).await;
        let why = ended.expect_err(flag).to_string();
        assert!(why.contains(flag), "{flag}: {why}");
        assert_eq!(std::fs::read_dir(&folder.0).expect("a folder").count(), 0, "{flag}");
    }
    // Nor where the file cannot be written.
    let in_the_way = folder.0.join(format!(".env.{}.new", std::process::id()));
    std::fs::create_dir(&in_the_way).expect("a folder in the way");
    let (ended, _) = lead(&telegram, &folder, &own(moscow()), &[]).await;
    let why = ended.expect_err("in the way").to_string();
    assert!(why.starts_with("removing ") && why.contains("/.env.") && why.contains(".new: "), "{why}");
    assert!(!data.exists());
    let prospect = migrate::look(&Database::from_url(&url).expect("a URL")).await.expect("a database");
    assert_eq!(prospect.tables, 0);
    std::fs::remove_dir(&in_the_way).expect("nothing in the way");
    std::fs::write(folder.0.join(".env.new"), "somebody's").expect("a file");
    lead(&telegram, &folder, &own(moscow()), &[]).await.0.expect("a system");
    assert!(data.join("data/PG_VERSION").exists() && folder.text().contains("data-of-ours"));
    let theirs = std::fs::read_to_string(folder.0.join(".env.new")).expect("the file");
    assert_eq!(theirs, "somebody's", "it is left alone");

    // Where nothing is to be written, nobody minds that it cannot be; where something is, nobody is asked before that is known.
    std::fs::create_dir(&in_the_way).expect("a folder in the way");
    lead(&telegram, &folder, &own(moscow()), &[]).await.0.expect("the same system");
    telegram.add_bot("1003:other", "Другая", None);
    let other = Given { master_token: Some("1003:other".to_owned()), ..own(moscow()) };
    let (ended, said) = lead(&telegram, &folder, &other, &[("Write this", "yes")]).await;
    assert!(
        ended.expect_err("in the way").to_string().starts_with("removing ") && !said.contains("Write this"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_stays_a_link_and_the_file_that_it_leads_to_is_written() {
    let (telegram, folder) = (bots().await, Folder::new("link"));
    let url = postgres::empty_database("link").await;
    let given = Given { database_url: Some(url), ..tokens_and_city("Europe/Moscow") };
    let (elsewhere, file) = (folder.0.join("etc"), folder.0.join("etc/settings"));
    std::fs::create_dir(&elsewhere).expect("a folder");
    std::os::unix::fs::symlink("etc/settings", folder.env()).expect("a link");
    let (ended, _) = lead(&telegram, &folder, &given, &[]).await;
    let why = ended.expect_err("it leads nowhere").to_string();
    assert!(why.starts_with("following the link ") && why.contains("/.env: "), "{why}");
    std::fs::write(&file, "# Mine.\n").expect("a file");
    let (ended, said) = lead(&telegram, &folder, &given, &[("Write this into", "yes")]).await;
    ended.expect("a system");
    assert!(said.contains("/.env leads to ") && said.contains("etc/settings, which is read and written"), "{said}");
    assert!(std::fs::symlink_metadata(folder.env()).expect("a link").is_symlink());
    let metadata = std::fs::symlink_metadata(&file).expect("a file");
    assert!(metadata.is_file() && metadata.permissions().mode() & 0o777 == 0o600);
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.starts_with("# Mine.\n") && text.contains(MASTER_TOKEN), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_regular_file_is_neither_waited_for_nor_replaced() {
    let folder = Folder::new("pipe");
    let pipe = folder.0.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let args = ["init", "--overwrite", "--city", "Тверь", "--timezone", "Europe/Moscow", "--no-admin"];
    for is_link in [false, true] {
        if is_link {
            std::os::unix::fs::symlink("pipe", folder.env()).expect("a link");
        } else {
            std::fs::hard_link(&pipe, folder.env()).expect("the same pipe");
        }
        for args in [&args[..], &["staff", "list"], &["health"]] {
            let mut command = program(&folder, args, &[]);
            let output = tokio::time::timeout(Duration::from_secs(30), command.output());
            let output = output.await.expect("it is not waited for").expect("the program runs");
            let said = said(&output);
            assert!(!output.status.success() && said.contains("it is no regular file"), "{args:?} {is_link}: {said}");
        }
        // As a library, too: a setting that names the file may be anything.
        let why = EnvFile::read(&folder.env()).expect_err("no file").to_string();
        assert!(why.ends_with("it is no regular file"), "{why}");
        std::fs::remove_file(folder.env()).expect("no .env");
    }
    assert!(!std::fs::metadata(&pipe).expect("the pipe").is_file(), "it is one still");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_anew_stays_its_owners() {
    use std::os::unix::fs::{MetadataExt, chown};
    let (telegram, folder) = (bots().await, Folder::new("owners"));
    let given = Given {
        database_url: Some(postgres::empty_database("owners").await),
        no_admin: true,
        overwrite: true,
        ..tokens_and_city("Europe/Moscow")
    };
    std::fs::write(folder.env(), "# Mine.\n").expect("a file");
    let of = || std::fs::metadata(folder.env()).map(|there| (there.uid(), there.gid())).expect("a file");
    if of().0 == 0 {
        chown(folder.env(), Some(65_534), Some(65_533)).expect("a file of somebody's");
    }
    let before = of();
    lead(&telegram, &folder, &given, &[]).await.0.expect("a system");
    assert!(folder.text().contains(MASTER_TOKEN));
    assert_eq!((of(), folder.mode()), (before, 0o600));
}

/// A terminal, and all that is shown on it.
struct Pty {
    controller: std::fs::File,
    shown: Arc<Mutex<String>>,
}

impl Pty {
    /// A terminal, and what a program has as its own.
    fn new() -> (Self, std::fs::File) {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("a terminal");
        let name = ptsname(&controller, Vec::new()).expect("a name").into_string().expect("a path");
        let terminal = std::fs::File::options().read(true).write(true).open(name).expect("a terminal");
        let controller = std::fs::File::from(controller);
        let (mut read, shown) = (controller.try_clone().expect("a terminal"), Arc::<Mutex<String>>::default());
        let all = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(length @ 1..) = read.read(&mut some) {
                all.lock().expect("what is shown").push_str(&String::from_utf8_lossy(&some[..length]));
            }
        });
        (Self { controller, shown }, terminal)
    }

    fn shown(&self) -> String {
        self.shown.lock().expect("what is shown").clone()
    }

    /// Types a line when the question is there, and what is typed is shown, or not.
    async fn answer(&mut self, question: &str, is_shown: bool, line: &str) {
        eventually(|| self.shown().contains(question) && self.echoes() == is_shown).await;
        writeln!(self.controller, "{line}").expect("a terminal");
    }

    fn echoes(&self) -> bool {
        tcgetattr(&self.controller).expect("a terminal").local_modes.contains(LocalModes::ECHO)
    }

    /// The key that stops a program until it is told to go on.
    fn suspends(&self) -> u8 {
        tcgetattr(&self.controller).expect("a terminal").special_codes[SpecialCodeIndex::VSUSP]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_not_shown_as_they_are_typed() {
    let (telegram, folder) = (bots().await, Folder::new("terminal"));
    let (mut pty, terminal) = Pty::new();
    let mut command = program(&folder, &["init"], &[("TELEGRAM_API_URL", telegram.api_url())]);
    command.stdin(terminal.try_clone().expect("a terminal")).stdout(terminal);
    let mut child = command.spawn().expect("the program");
    drop(command);
    pty.answer("technicians' bot, from", false, MASTER_TOKEN).await;
    pty.answer("dispatchers' bot, from", false, "1002:wrong-key").await;
    pty.answer("knows no such token", false, ADMIN_TOKEN).await;
    pty.answer("Database: ", true, "somewhere").await;
    eventually(|| pty.shown().contains("that is no URL")).await;
    let shown = pty.shown();
    assert!(shown.contains("is @orders_1002_bot") && shown.contains("somewhere"), "{shown}");
    assert!(["master-token", "wrong-key", "admin-token"].iter().all(|key| !shown.contains(key)), "{shown}");
    signal(&child, "-INT").await;
    assert_eq!(child.wait().await.expect("an end").code(), Some(130));

    // Whoever gives up at a token has a terminal as before, in whichever way. Nobody gets out of it for a while by Ctrl-Z.
    for (name, code) in [("-INT", 130), ("-QUIT", 131), ("-TERM", 143)] {
        let (pty, terminal) = Pty::new();
        let suspends = pty.suspends();
        let mut command = program(&folder, &["init"], &[("TELEGRAM_API_URL", telegram.api_url())]);
        command.stdin(terminal.try_clone().expect("a terminal")).stdout(terminal.try_clone().expect("a terminal"));
        let mut child = command.spawn().expect("the program");
        eventually(|| pty.shown().contains("technicians' bot, from") && !pty.echoes()).await;
        assert_ne!(pty.suspends(), suspends);
        signal(&child, name).await;
        assert_eq!(child.wait().await.expect("an end").code(), Some(code), "{name}");
        assert!(pty.echoes() && pty.suspends() == suspends, "{name}");
    }
    assert_eq!(std::fs::read_dir(&folder.0).expect("a folder").count(), 0, "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_shown_that_is_typed_before_it_is_asked_for() {
    let (telegram, folder) = (bots().await, Folder::new("ahead"));
    telegram.fail_next("getMe", 1, Fault::Hang);
    let (mut pty, terminal) = Pty::new();
    let mut command = program(&folder, &["init"], &[("TELEGRAM_API_URL", telegram.api_url())]);
    command.stdin(terminal.try_clone().expect("a terminal")).stdout(terminal);
    let mut child = command.spawn().expect("the program");
    drop(command);
    pty.answer("technicians' bot, from", false, MASTER_TOKEN).await;
    eventually(|| telegram.calls().iter().any(|call| call.method == "getMe")).await;
    assert!(!pty.echoes(), "while the first is being checked");
    signal(&child, "-INT").await;
    assert_eq!(child.wait().await.expect("an end").code(), Some(130));
    assert!(pty.echoes());
}

#[tokio::test]
async fn what_cannot_be_read_or_written_is_named_with_what_was_being_done() {
    let (telegram, folder) = (bots().await, Folder::new("named"));
    let data = folder.0.join("data-of-ours");
    init_with_own_database(&telegram, &folder, data.to_str().expect("a path")).await;
    std::fs::create_dir(folder.0.join("there.dump.part")).expect("a folder in the way");
    for (args, words) in [
        (["backup", "none/all.dump"], "making none/all.dump.part: No such file or directory"),
        (["backup", "there.dump"], "removing there.dump.part: "),
        (["restore", "none.dump"], "reading none.dump: No such file or directory"),
    ] {
        let output = program(&folder, &args, &[]).output().await.expect("the program runs");
        assert!(!output.status.success() && said(&output).contains(&format!("error: {words}")), "{}", said(&output));
    }
    // Nor is a database made for what is not there.
    std::fs::rename(&data, folder.0.join("moved")).expect("moved away");
    let output = program(&folder, &["restore", "none.dump"], &[]).output().await.expect("the program runs");
    assert!(said(&output).contains("error: reading none.dump: ") && !data.exists(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_is_left_alone() {
    let (telegram, folder) = (bots().await, Folder::new("in-use"));
    let url = postgres::empty_database("in_use").await;
    let sql = postgres::connect(&url).await;
    sql.batch_execute("CREATE TABLE accounts (id bigint)").await.expect("a table");
    let tokens = Given {
        master_token: Some(MASTER_TOKEN.to_owned()),
        admin_token: Some(ADMIN_TOKEN.to_owned()),
        ..Given::default()
    };
    let given = Given { database_url: Some(url.clone()), ..tokens.clone() };
    let (ended, _) = lead(&telegram, &folder, &given, &[]).await;
    let why = ended.expect_err("somebody else's").to_string();
    assert!(why.starts_with("--database-url") && why.contains("1 table of something else"), "{why}");
    std::fs::write(folder.0.join("letter"), "x").expect("a file");
    let given = Given { data_folder: Some(folder.0.clone()), ..tokens.clone() };
    let (ended, _) = lead(&telegram, &folder, &given, &[]).await;
    let why = ended.expect_err("somebody's folder").to_string();
    assert!(why.contains("is not empty"), "{why}");
    assert!(!folder.env().exists(), "nothing was written");

    // A webhook that somebody has set.
    sql.batch_execute("DROP TABLE accounts").await.expect("no table");
    let webhook = Webhook { url: "http://127.0.0.1:1/telegram/admin".to_owned(), secret: None };
    telegram.set_webhook(ADMIN_TOKEN, webhook);
    let given = Given {
        database_url: Some(url),
        city: Some("Тверь".to_owned()),
        timezone: Some("Europe/Moscow".to_owned()),
        ..tokens
    };
    let (ended, said) = lead(&telegram, &folder, &given, &[("http://127.0.0.1:1/telegram/admin", "no")]).await;
    assert!(matches!(ended, Err(Error::HasWebhook)), "{ended:?} {said}");
    assert!(telegram.webhook(ADMIN_TOKEN).is_some());
    // What was done stays done.
    let chat = telegram.chat(ADMIN_TOKEN, OLGA, "Ольга");
    telegram.enqueue(ADMIN_TOKEN, chat.text_update("/start"));
    let answers = [("Stop that", "yes"), ("Ольга", "yes")];
    lead(&telegram, &folder, &given, &answers).await.0.expect("a system");
    assert!(telegram.webhook(ADMIN_TOKEN).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_server_that_fetches_updates_none_is_taken() {
    let (telegram, folder) = (bots().await, Folder::new("served"));
    let url = postgres::empty_database("served").await;
    let given = Given {
        master_token: Some(MASTER_TOKEN.to_owned()),
        admin_token: Some(ADMIN_TOKEN.to_owned()),
        database_url: Some(url.clone()),
        city: Some("Тверь".to_owned()),
        timezone: Some("Europe/Moscow".to_owned()),
        ..Given::default()
    };
    let chat = telegram.chat(ADMIN_TOKEN, OLGA, "Ольга");
    telegram.enqueue(ADMIN_TOKEN, chat.tap_update("d:menu"));
    telegram.enqueue(ADMIN_TOKEN, chat.text_update("/start"));
    // As `serve --poll` does.
    let server = postgres::connect(&url).await;
    server.batch_execute("SELECT pg_advisory_lock(hashtextextended('poll 1002', 0))").await.expect("a lock");
    let (ended, said) = lead(&telegram, &folder, &given, &[]).await;
    let why = ended.expect_err("somebody else's turn").to_string();
    assert!(why.contains("`serve --poll` is running") && why.contains("stop it"), "{why}: {said}");
    assert_eq!(waiting(&telegram).await, 2);
    let asked = telegram.calls().iter().filter(|call| call.method == "getUpdates").count();
    assert_eq!(asked, 0, "whoever serves is not disturbed");

    server.batch_execute("SELECT pg_advisory_unlock_all()").await.expect("no lock");
    lead(&telegram, &folder, &given, &[("Ольга", "yes")]).await.0.expect("a system");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_an_older_release_is_brought_up_to_date_by_whoever_says_so() {
    let (telegram, folder) = (bots().await, Folder::new("older"));
    let url = postgres::empty_database("older").await;
    let database = Database::from_url(&url).expect("a URL");
    migrate::run_to(&database, Some(10), migrate::WAIT).await.expect("an older schema");
    let behind = migrate::look(&database).await.expect("a database").behind;
    assert_eq!(behind, migrate::known().len() - 10);
    let mut given = Given {
        master_token: Some(MASTER_TOKEN.to_owned()),
        admin_token: Some(ADMIN_TOKEN.to_owned()),
        database_url: Some(url),
        city: Some("Тверь".to_owned()),
        timezone: Some("Europe/Moscow".to_owned()),
        no_admin: true,
        ..Given::default()
    };
    let question = format!("{behind} migrations behind");
    let (ended, _) = lead(&telegram, &folder, &given, &[("migrations behind", "no")]).await;
    let why = ended.expect_err("not without a yes").to_string();
    assert!(why.contains(&question) && why.contains("--migrate"), "{why}");
    let lookup = |name: &str| (name == "TELEGRAM_API_URL").then(|| telegram.api_url().to_owned());
    let ended = init::run(&given, &folder.env(), &lookup, None).await.map(drop);
    assert!(matches!(ended, Err(Error::Behind(count)) if count == behind), "nobody can be asked: {ended:?}");
    assert_eq!(migrate::look(&database).await.expect("a database").behind, behind, "nothing was changed");
    assert!(!folder.env().exists(), "and nothing written");
    given.migrate = true;
    init::run(&given, &folder.env(), &lookup, None).await.map(drop).expect("a system");
    assert_eq!(migrate::look(&database).await.expect("a database").behind, 0);
}

fn program(folder: &Folder, args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command.args(args).current_dir(&folder.0).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(variables.iter().copied()).stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn without_a_terminal_what_is_missing_is_named() {
    let (telegram, folder) = (bots().await, Folder::new("flags"));
    let url = postgres::empty_database("flags").await;
    let api = [("TELEGRAM_API_URL", telegram.api_url())];
    let flags = [
        ("--master-bot-token", MASTER_TOKEN),
        ("--admin-bot-token", ADMIN_TOKEN),
        ("--database-url", &url),
        ("--city", "Тверь"),
        ("--timezone", "Europe/Moscow"),
        ("--admin-id", "5001"),
        ("--admin-name", "Ольга"),
    ];
    let with = |left_out: &[&str]| {
        let flags = flags.iter().filter(|(flag, _)| !left_out.contains(flag));
        ["init"].into_iter().chain(flags.flat_map(|(flag, value)| [*flag, *value])).collect::<Vec<_>>()
    };
    for missing in [
        &["--master-bot-token"][..],
        &["--admin-bot-token"],
        &["--database-url"],
        &["--city", "--timezone"],
        &["--timezone"],
        &["--admin-id", "--admin-name"],
    ] {
        let output = program(&folder, &with(missing), &api).output().await.expect("the program runs");
        assert!(!output.status.success() && said(&output).contains(missing[0]), "{missing:?}: {}", said(&output));
        assert!(!folder.env().exists(), "{missing:?}");
    }
    let output = program(&folder, &with(&[]), &api).output().await.expect("the program runs");
    assert!(output.status.success() && said(&output).contains("serve --poll"), "{}", said(&output));
    assert_eq!(folder.mode(), 0o600);
    // In the place of what was given, what is written down.
    let output = program(&folder, &with(&["--master-bot-token", "--admin-bot-token", "--database-url"]), &api)
        .output()
        .await
        .expect("the program runs");
    assert!(output.status.success(), "{}", said(&output));
    telegram.add_bot("1003:other", "Другая", None);
    let other = ["--master-bot-token", "1003:other"];
    let args = [with(&["--master-bot-token"]), other.to_vec()].concat();
    let output = program(&folder, &args, &api).output().await.expect("the program runs");
    assert!(!output.status.success() && said(&output).contains("--overwrite"), "{}", said(&output));
    assert!(folder.text().contains(MASTER_TOKEN));
    let output =
        program(&folder, &[&args[..], &["--overwrite"]].concat(), &api).output().await.expect("the program runs");
    assert!(output.status.success() && folder.text().contains("1003:other"), "{}", said(&output));
}

/// What a program has logged so far.
type Log = Arc<Mutex<Vec<String>>>;

/// Starts `serve`, and waits until it says where it listens.
async fn serve(folder: &Folder) -> (Child, String) {
    let (child, address, _) = serve_with_log(folder, &["--poll"]).await;
    (child, address)
}

async fn serve_with_log(folder: &Folder, args: &[&str]) -> (Child, String, Log) {
    let mut command = program(folder, &[&["serve", "--listen", "127.0.0.1:0"], args].concat(), &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let log = Log::default();
    while let Some(line) = lines.next_line().await.expect("a line") {
        log.lock().expect("a log").push(line.clone());
        if let Some((_, address)) = line.split_once("listening on ") {
            let address = address.split_whitespace().next().expect("an address").to_owned();
            let rest = Arc::clone(&log);
            tokio::spawn(async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    rest.lock().expect("a log").push(line);
                }
            });
            return (child, address, log);
        }
    }
    panic!("it never listened: {log:#?}");
}

/// Makes a system on a database of its own in a folder, with the program.
async fn init_with_own_database(telegram: &Telegram, folder: &Folder, data: &str) {
    let args = ["init", "--data-folder", data, "--city", "Тверь", "--timezone", "Europe/Moscow", "--no-admin"];
    let api = telegram.api_url();
    let tokens = [("TELEGRAM_API_URL", api), ("MASTER_BOT_TOKEN", MASTER_TOKEN), ("ADMIN_BOT_TOKEN", ADMIN_TOKEN)];
    let output = program(folder, &args, &tokens).output().await.expect("the program runs");
    assert!(output.status.success(), "{}", said(&output));
}

fn is_alive(pid: &str) -> bool {
    std::process::Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().expect("kill runs").success()
}

async fn kill(pid: &str) {
    assert!(Command::new("kill").args(["-KILL", pid]).status().await.expect("kill runs").success());
    eventually(|| !is_alive(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_ones_own_that_is_killed_is_started_again() {
    let (telegram, folder) = (bots().await, Folder::new("killed"));
    let data = folder.0.join("data-of-ours");
    init_with_own_database(&telegram, &folder, data.to_str().expect("a path")).await;
    // Two processes that need it, both of which see it go.
    let (mut first, address, log) = serve_with_log(&folder, &["--poll"]).await;
    let (mut second, other, other_log) = serve_with_log(&folder, &[]).await;
    assert!(is_healthy(&address).await && is_healthy(&other).await);
    for time in 1..=2 {
        let killed = server(&data).expect("a server");
        kill(&killed).await;
        eventually(|| server(&data).is_some_and(|pid| pid != killed && is_alive(&pid))).await;
        for address in [&address, &other] {
            assert!(is_healthy(address).await, "{time}: {log:#?} {other_log:#?}");
        }
    }
    let lines = || [&log, &other_log].map(|log| log.lock().expect("a log").clone()).concat();
    let count = |words: &str| lines().iter().filter(|line| line.contains(words)).count();
    // Health may be there before the line.
    eventually(|| count("is started again") >= 2).await;
    assert_eq!(count("is started again"), 2, "once each time: {:#?}", lines());
    assert!(count("has stopped: starting it again in") >= 2, "{:#?}", lines());
    let server = server(&data).expect("a server");
    for child in [&mut second, &mut first] {
        assert!(is_alive(&server), "whoever is left needs it");
        signal(child, "-TERM").await;
        assert!(child.wait().await.expect("an end").success());
    }
    assert!(!runs(&data), "it is stopped with the last of them: {log:#?} {other_log:#?}");
    eventually(|| !is_alive(&server)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_serves_ends_when_the_database_is_moved_away() {
    let (telegram, folder) = (bots().await, Folder::new("away"));
    let data = folder.0.join("data-of-ours");
    init_with_own_database(&telegram, &folder, data.to_str().expect("a path")).await;
    let (mut child, address, log) = serve_with_log(&folder, &["--poll"]).await;
    assert!(is_healthy(&address).await);
    let before = server(&data).expect("a server");
    std::fs::rename(&data, folder.0.join("data-of-old")).expect("moved away");
    let ended = tokio::time::timeout(Duration::from_mins(1), child.wait()).await.expect("an end");
    assert_eq!(ended.expect("an end").code(), Some(1), "{log:#?}");
    let said = || log.lock().expect("a log").join("\n");
    eventually(|| said().contains("was moved away while this ran")).await;
    assert!(said().contains("ERROR") && said().contains("this process stops"), "{}", said());
    eventually(|| !is_alive(&before)).await;
    assert!(!data.exists() && !runs(&folder.0.join("data-of-old")), "nothing is made, and nothing left running");
}

async fn is_healthy(address: &str) -> bool {
    let url = format!("{address}/health");
    for _ in 0..100 {
        if http_client(&url).get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

fn runs(folder: &Path) -> bool {
    server(folder).is_some()
}

/// The process of the server that runs there.
fn server(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("data/postmaster.pid")).ok()?;
    text.lines().next().map(ToOwned::to_owned)
}

async fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("a process").to_string();
    assert!(Command::new("kill").args([name, &pid]).status().await.expect("kill runs").success());
}

/// The whole life of a small office: begun, served, backed up and restored, and begun again.
#[tokio::test]
async fn a_database_of_ones_own_is_there_whenever_it_is_needed() {
    let (telegram, folder) = (bots().await, Folder::new("own"));
    let data = folder.0.join("data-of-ours");
    let data = data.to_str().expect("a path");
    let api = telegram.api_url();
    let args = ["init", "--data-folder", data, "--city", "Тверь", "--timezone", "Europe/Moscow"];
    let admin = ["--admin-id", "5001", "--admin-name", "Ольга"];
    let tokens = [("TELEGRAM_API_URL", api), ("MASTER_BOT_TOKEN", MASTER_TOKEN), ("ADMIN_BOT_TOKEN", ADMIN_TOKEN)];
    let output = program(&folder, &[&args[..], &admin].concat(), &tokens).output().await.expect("the program runs");
    assert!(output.status.success(), "{}", said(&output));
    assert!(!runs(Path::new(data)), "it is stopped with whoever has started it");

    let run = async |args: &[&str]| {
        let output = program(&folder, args, &[]).output().await.expect("the program runs");
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        said(&output)
    };
    assert!(run(&["staff", "list"]).await.contains("Ольга"), "a command starts it for itself");
    assert!(!runs(Path::new(data)));

    // Whoever has started it goes, and whoever serves keeps it.
    let first = Kept::start(Path::new(data)).expect("a server");
    let (mut child, address) = serve(&folder).await;
    assert!(is_healthy(&address).await && first.has_started());
    let before = server(Path::new(data));
    drop(first);
    assert!(run(&["staff", "list"]).await.contains("Ольга"), "beside whoever serves");
    assert!(is_healthy(&address).await, "and does not stop it");
    assert_eq!(server(Path::new(data)), before);
    for name in ["all.dump", "all.sql"] {
        // What leads PostgreSQL's programs elsewhere leads ours nowhere.
        let elsewhere =
            [("PGPORT", "1"), ("PGOPTIONS", "-c search_path=none"), ("PGSERVICE", "none"), ("PGDATA", "/none")];
        let output = program(&folder, &["backup", name], &elsewhere).output().await.expect("the program runs");
        assert!(output.status.success() && said(&output).contains("restore"), "{}", said(&output));
        let mode = std::fs::metadata(folder.0.join(name)).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let again = program(&folder, &["backup", name], &[]).output().await.expect("the program runs");
        assert!(!again.status.success() && said(&again).contains("--overwrite"), "{}", said(&again));
    }
    // Killed and begun again at once, while the server may be stopping.
    signal(&child, "-KILL").await;
    child.wait().await.expect("an end");
    let (mut child, address) = serve(&folder).await;
    assert!(is_healthy(&address).await, "it has a server that runs");
    signal(&child, "-TERM").await;
    assert!(child.wait().await.expect("an end").success());
    assert!(!runs(Path::new(data)), "it is stopped with the server");

    for name in ["all.dump", "all.sql"] {
        let output = program(&folder, &["restore", name], &[]).output().await.expect("the program runs");
        assert!(!output.status.success() && said(&output).contains("nothing was changed"), "{}", said(&output));
        std::fs::rename(data, format!("{data}.before.{name}")).expect("moved away");
        let lost = program(&folder, &["staff", "list"], &[("PGPORT", "1")]).output().await.expect("the program runs");
        assert!(!lost.status.success() && said(&lost).contains("there is no database in"), "{}", said(&lost));
        assert!(!Path::new(data).exists(), "only who brings it back makes it anew");
        run(&["restore", name]).await;
        assert!(run(&["staff", "list"]).await.contains("Ольга"), "{name}");
        assert!(run(&["migrate"]).await.contains("up to date"));

        let url = postgres::empty_database(&format!("restored_{}", &name[4..])).await;
        let there = [("DATABASE_URL", url.as_str())];
        let output = program(&folder, &["restore", name], &there).output().await.expect("the program runs");
        assert!(output.status.success(), "{name}: {}", said(&output));
        let sql = postgres::connect(&url).await;
        let row =
            sql.query_one("SELECT full_name, (SELECT name FROM cities) FROM staff", &[]).await.expect("what was saved");
        assert_eq!((row.get(0), row.get(1)), ("Ольга", "Тверь"), "{name}");
        let again = program(&folder, &["restore", name], &there).output().await.expect("the program runs");
        assert!(!again.status.success() && said(&again).contains("createdb"), "{}", said(&again));
    }

    let output = program(&folder, &args, &tokens).output().await.expect("the program runs");
    assert!(said(&output).contains("--admin-id"), "{}", said(&output));
    let output =
        program(&folder, &[&args[..], &["--no-admin"]].concat(), &tokens).output().await.expect("the program runs");
    assert!(output.status.success(), "what is there is kept: {}", said(&output));
    assert!(run(&["staff", "list"]).await.contains("Ольга"));
}
