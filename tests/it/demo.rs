//! `cargo run`: it tells a true story, and leaves nothing behind however it ends.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use field_service::cluster;
use field_service::sim::demo::Demo;
use field_service::sim::invariants;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::harness::{BARE_FOLDER, eventually, page, postgres};

/// A folder of the test's own, for the demonstration to make its own in.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fs-test-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).expect("a new folder");
        // As root, the server runs as somebody else, who has to get there.
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&path, everybody).expect("permissions");
        Self(path)
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.0).expect("the folder").next().is_none()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn demo(args: &[&str], temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command
        .arg("demo")
        .args(args)
        .current_dir(BARE_FOLDER)
        .env("TMPDIR", temporary)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

#[tokio::test]
async fn the_demonstration_tells_who_won_and_proves_it() {
    let folder = Folder::new("story");
    let output = demo(&["--once"], &folder.0).output().await.expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout);

    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("«✅ Заявка принята. Удачи в работе!»").count(), 3, "one winner in each race told: {said}");
    assert_eq!(said.matches("a second time: «Эта заявка уже ваша.»").count(), 3, "{said}");
    assert!(said.contains("«Уже занято") && said.contains("Всего: ") && said.contains("📞 +7999"), "{said}");
    assert!(said.contains("30 races: 30 orders taken") && said.contains("all 9 invariants hold"), "{said}");
    assert!(folder.is_empty());
}

async fn started(folder: &Folder) -> Child {
    let mut process = demo(&["--once"], &folder.0).stdout(Stdio::piped()).spawn().expect("the program runs");
    let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
    let line = lines.next_line().await.expect("stdout").expect("a first line");
    assert!(line.starts_with("Starting"), "{line}");
    eventually(|| !folder.is_empty()).await;
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    process
}

#[tokio::test]
async fn stopped_or_killed_it_leaves_no_server_and_no_folder() {
    for signal in ["INT", "TERM", "KILL"] {
        let folder = Folder::new(signal);
        let mut process = started(&folder).await;
        let id = process.id().expect("a running process").to_string();
        assert!(Command::new("sh").args(["-c", &format!("kill -{signal} {id}")]).status().await.expect("sh").success());
        process.wait().await.expect("an end");
        if signal == "KILL" {
            // Nobody was left to wait for it: the server's keeper notices by itself.
            eventually(|| folder.is_empty()).await;
        }
        assert!(folder.is_empty(), "after SIG{signal}");
    }
}

#[tokio::test]
async fn without_once_it_serves_the_page_until_it_is_stopped() {
    let folder = Folder::new("page");
    let mut process =
        demo(&["--listen", "127.0.0.1:0"], &folder.0).stdout(Stdio::piped()).spawn().expect("the program runs");
    let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
    let url = loop {
        let line = lines.next_line().await.expect("stdout").expect("it says where the page is");
        if let Some((_, address)) = line.split_once("open http://") {
            break format!("http://{}", address.split_whitespace().next().expect("an address"));
        }
    };
    let topics = page::told_eventually(&url, |topics| topics["masters"].is_array()).await;
    let phones: Vec<_> = topics.as_object().expect("topics").keys().filter(|name| name.starts_with("phone/")).collect();
    assert_eq!(phones.len(), 13, "twelve masters and a dispatcher");
    assert_eq!(topics["order/1"]["status"], "ASSIGNED", "the first ones were raced for");
    assert_eq!(topics["order/4"]["status"], "SEARCHING");
    assert_eq!(topics["world"]["can_cut"], true);

    let id = process.id().expect("it still runs").to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.expect("kill").success());
    assert!(process.wait().await.expect("an end").success());
    assert!(folder.is_empty());
}

#[tokio::test]
async fn an_empty_database_is_used_and_a_filled_one_refused() {
    let folder = Folder::new("own-database");
    let url = postgres::empty_database("for_the_demonstration").await;

    let output = demo(&["--once", "--database-url", &url], &folder.0).output().await.expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again = demo(&["--once", "--database-url", &url], &folder.0).output().await.expect("the program runs");
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("44 cities, masters and orders"), "{again:?}");
    assert!(folder.is_empty(), "no server of its own was started");
}

#[test]
fn without_postgresql_it_says_what_to_install() {
    let said = cluster::Error::NotFound.to_string();
    for system in
        ["apt install postgresql", "dnf install postgresql-server", "brew install postgresql", "--database-url"]
    {
        assert!(said.contains(system), "{said}");
    }
}

/// How many orders there are that this is true of.
async fn orders(sql: &tokio_postgres::Client, what: &str) -> i64 {
    let count = format!("SELECT count(*) FROM orders WHERE {what}");
    sql.query_one(&count, &[]).await.expect("a count").get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_lives_for_as_long_as_it_runs_and_leaves_its_visitor_alone() {
    const VISITOR: i64 = 5001;
    let mut demo = Demo::start(None).await.expect("the demonstration");
    demo.hurry();
    let sql = postgres::connect(demo.database_url()).await;
    // As if the orders that it begins with had been used up long ago.
    sql.batch_execute("DELETE FROM orders WHERE status = 'DEFERRED'").await.expect("fewer orders");
    let page = demo.page(TcpListener::bind("127.0.0.1:0").await.expect("a port")).await.expect("the page");
    let topics = page::told_eventually(page.url(), |topics| topics["phone/1001/5001"]["lives"] == true).await;
    assert_eq!(topics["phone/1002/5901"]["name"], "Софья Ларина");
    page::act(page.url(), "touch", &json!({"bot": 1001, "person": VISITOR})).await;

    let live = "status IN ('CREATED', 'SEARCHING', 'GUARANTEE')
                AND (SELECT count(*) FROM offers WHERE order_id = orders.id AND state IN ('SENT', 'VIEWED')) >= 2";
    let called = |topics: &Value| topics["phone/1002/5901"]["messages"].to_string().contains("ждёт диспетчера");
    let begun = Instant::now();
    loop {
        let topics = page::told(page.url()).await;
        let (closed, given) = (
            orders(&sql, "status = 'CLOSED' AND id > 30").await,
            orders(
                &sql,
                "EXISTS (SELECT FROM order_status_history WHERE order_id = orders.id AND actor_type = 'ADMIN')",
            )
            .await,
        );
        if closed > 1 && given > 0 && called(&topics) && orders(&sql, live).await > 0 {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(150),
            "{closed} orders closed that came later, {given} given by the office, {} to race for; called: {}",
            orders(&sql, live).await,
            called(&topics),
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let topics = page::told(page.url()).await;
    assert_eq!(topics["phone/1001/5001"]["lives"], false);
    let acted = |update: &Value| update["person"] == VISITOR && update["data"].is_string();
    let updates = topics.as_object().expect("topics").iter().filter(|(name, _)| name.starts_with("update/"));
    assert_eq!(updates.filter(|(_, update)| acted(update)).count(), 0, "nobody acts for whom somebody plays");
    assert!(orders(&sql, "status IN ('CREATED', 'SEARCHING', 'GUARANTEE')").await <= 20, "open orders do not pile up");
    let violations = invariants::violations(&sql).await.expect("the invariants' queries");
    assert!(violations.is_empty(), "{violations:#?}");
}
