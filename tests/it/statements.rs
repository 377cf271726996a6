//! Statements: their names, and the mode without prepared ones.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use field_service::bots::delivery;
use field_service::config::{self, StatementMode};
use field_service::dispatch::act::StaffCommand;
use field_service::dispatch::{accept, view};
use field_service::model::{MasterId, OrderId};
use field_service::sim::proxy::Proxy;
use field_service::store::{Clock, Store, facts, offers, orders};
use futures_util::future::join_all;

use crate::harness::{
    ADMIN_TOKEN, ANNA, BORIS, Dispatch, Settings, VERA, a_tap, database_name, eventually, master, postgres,
};

#[test]
fn a_statement_starts_with_its_name() {
    for statement in
        [&orders::LOCK, &orders::RECORD_ASSIGNMENT, &facts::READ, &offers::PAGE, &offers::MARK_VIEWED, &offers::DECLINE]
    {
        assert!(statement.text.starts_with(&format!("/* {} */ ", statement.name)), "{}", statement.text);
    }
}

async fn a_whole_conversation(t: &Dispatch) {
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let other = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    chat.press("Новые заявки").await;
    chat.press(&format!("№{order}")).await;
    assert!(chat.press("Взять заявку").await.notice().contains("принята"));
    assert!(t.tap_accept(BORIS, order).await.notice().contains("Уже занято"));
    chat.press(&format!("№{other}")).await;
    chat.press("Отклонить").await;
    assert!(chat.press("Да").await.notice().contains("отклонена"));
    // What happens by itself, and a day's work.
    t.execute("UPDATE orders SET next_round_at = now() + interval '1 day'", &[]).await;
    let third = t.order().in_status("CREATED").create().await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id = $1", &[&ANNA]).await;
    t.tick().await;
    assert_eq!(delivery::pass(&t.app.bots(), None).await.expect("a database"), 1);
    assert!(chat.screen().contains(&format!("Новая заявка №{third}")), "{}", chat.screen());
    chat.press("Взять заявку").await;
    for button in ["Ваша заявка", "В пути", "На месте", "Завершить", "Да, закончена"]
    {
        t.pause().await;
        chat.press(button).await;
    }
    t.answer(&chat, "1500").await;
    assert_eq!(t.status(third).await, "CLOSED");
    chat.press("Мои заявки").await;
    chat.press(&format!("№{order}")).await;
    chat.press("Вернуть").await;
    t.answer(&chat, "Не успеваю").await;
    assert_eq!(t.status(order).await, "SEARCHING");
    chat.tap("m:sh:off").await;
    assert_eq!(t.cancel(order, "").await, "NOT_FOUND", "there is no such staff");
    t.add_staff(500).await;
    assert_eq!(t.first_of_staff_does(order, &StaffCommand::Assign(MasterId(2)), None).await, "SUCCESS");
    let desk = t.telegram.chat(ADMIN_TOKEN, 500, "Диспетчер");
    desk.say("Иванова 12-45, 8 912 345 67 89, искрит розетка, завтра после обеда, Мария").await;
    desk.press("Создать").await;
    assert!(desk.screen().contains("Заявка №") && desk.screen().contains("Мария"), "{}", desk.screen());
    for (tap, shows) in [("adm:q", "Очередь"), ("adm:m:c:1", "мастер №1"), ("adm:fig", "Сегодня")]
    {
        desk.tap(tap).await;
        assert!(desk.screen().contains(shows), "{tap}: {}", desk.screen());
    }
    assert_eq!(t.take_back(order, "").await, "SUCCESS");
    t.check().await;
}

#[tokio::test]
async fn everything_works_without_prepared_statements() {
    let t = Dispatch::start_with(Settings { unnamed_statements: true, ..Settings::default() }).await;
    a_whole_conversation(&t).await;
}

/// PgBouncer in transaction mode gives each transaction any of its two server connections; before 1.21 it knows
/// nothing of prepared statements.
#[tokio::test]
async fn unnamed_statements_work_behind_a_transaction_pooler() {
    let Some(program) = pgbouncer() else { return };
    let database_url = postgres::fresh_database().await;
    let pooler = Pooler::start(program, database_name(&database_url), 6543).await;
    let settings =
        Settings { unnamed_statements: true, database_url: Some(pooler.database_url.clone()), ..Settings::default() };
    let t = Dispatch::start_on(database_url, settings).await;

    a_whole_conversation(&t).await;
    let orders = futures_util::future::join_all((0..10).map(|_| t.order().offered_to([ANNA, BORIS]))).await;
    let taps = orders.iter().flat_map(|order| [t.tap_accept(ANNA, *order), t.tap_accept(BORIS, *order)]);
    let taken =
        futures_util::future::join_all(taps).await.iter().filter(|tap| tap.notice().contains("принята")).count();
    assert_eq!(taken, 10, "five each");
    t.check().await;

    // Whose turn it is to ask for a bot's updates stays known, whatever else the pooler's two connections are used for.
    let store = &t.app.store;
    let held = store.hold_bots(&[1001, 1002]).await.expect("a database").expect("nobody else");
    assert!(store.hold_bots(&[1002]).await.expect("a database").is_none());
    assert!(store.hold_bots(&[1003]).await.expect("a database").is_some(), "another bot");
    let order = t.order().offered_to([VERA]).await;
    assert!(t.tap_accept(VERA, order).await.notice().contains("принята"));
    held.confirm().await.expect("still held");
    assert!(store.hold_bots(&[1001]).await.expect("a database").is_none());
    drop(held);
    let free = async { while store.hold_bots(&[1001]).await.expect("a database").is_none() {} };
    tokio::time::timeout(Duration::from_secs(20), free).await.expect("free at once");
}

/// PgBouncer, if it is installed.
pub fn pgbouncer() -> Option<&'static str> {
    let found = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"]
        .into_iter()
        .find(|program| Path::new(program).is_file());
    if found.is_none() {
        // Straight to standard error: what a test prints is shown only when it fails.
        writeln!(std::io::stderr(), "NOT RUN: unnamed statements behind PgBouncer, which is not installed")
            .expect("standard error");
    }
    found
}

/// Two processes behind a pooler, and the connections of one break off at any moment, above all right after a transaction has
/// ended: then the pooler gives the server's connection to the other one. Nobody reads what is another's.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_nobody_sees_what_is_another_s() {
    const MASTERS: i64 = 24;
    let Some(program) = pgbouncer() else { return };
    let t = Dispatch::start().await;
    for number in 0..MASTERS {
        t.add_master(1000 + number, "Мастер").await;
        let order = t.order().offered_to([1000 + number]).await;
        t.execute("UPDATE orders SET address = $2 WHERE id = $1", &[&order.0, &format!("дом {}", 1000 + number)]).await;
    }
    let name = database_name(&t.database_url);
    let pooler = Pooler::start(program, name, 6544).await;
    let proxy = Proxy::in_front_of(pooler.socket.clone()).await.expect("a proxy");
    let store = |url: &str| {
        let mut config = config::Database::from_url(url).expect("a URL");
        config.statements = StatementMode::Unnamed;
        Store::new(&config, 6, Clock::default()).expect("a pool")
    };
    let [cut, whole] = [store(&proxy.database_url(name)), store(&pooler.database_url)];
    let over = AtomicBool::new(false);
    let seen = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let look = async |store: &Store, number: i64, seen: &AtomicUsize| {
        let user = 1000 + number % MASTERS;
        while !over.load(Ordering::Relaxed) {
            let Ok(list) = view::offers(store, master(user), Some(&a_tap()), 1).await else { continue };
            let list = list.expect("a master is told to be none");
            let addresses: Vec<_> = list.lines.iter().map(|line| line.card.address.clone()).collect();
            assert_eq!(addresses, [format!("дом {user}")]);
            // What is pipelined most: an order that is not there.
            if let Ok(none) = accept::accept(store, OrderId(i64::MAX), master(user), Some(&a_tap()), 1).await {
                let fresh = none.expect("a master is told to be none").fresh;
                let addresses = fresh.iter().flat_map(|list| &list.lines).map(|line| line.card.address.clone());
                assert!(addresses.into_iter().all(|address| address == format!("дом {user}")), "{fresh:?}");
            }
            seen.fetch_add(1, Ordering::Relaxed);
        }
    };
    let cutting = async {
        for moment in 0_u32.. {
            if seen[1].load(Ordering::Relaxed) > 200 {
                break;
            }
            // Now and then let more than one transaction through.
            for _ in 0..=moment % 7 {
                proxy.next_answer().await;
            }
            proxy.hang_up();
        }
        over.store(true, Ordering::Relaxed);
    };
    let broken = join_all((0..6).map(|number| look(&cut, number, &seen[0])));
    let others = join_all((6..12).map(|number| look(&whole, number, &seen[1])));
    tokio::join!(cutting, broken, others);
}

pub struct Pooler {
    process: Child,
    pub database_url: String,
    socket: PathBuf,
}

impl Pooler {
    pub async fn start(program: &str, database: &str, port: u16) -> Self {
        let folder = postgres::cluster().folder();
        let socket = folder.display();
        let ini = folder.join(format!("pgbouncer-{port}.ini"));
        std::fs::write(
            &ini,
            format!(
                "[databases]\n{database} = host={socket} user=postgres\n[pgbouncer]\nlisten_addr =\n\
                 listen_port = {port}\nunix_socket_dir = {socket}\nauth_type = any\npool_mode = transaction\n\
                 default_pool_size = 2\n"
            ),
        )
        .expect("a configuration");
        // As root, the cluster's folder belongs to whom the server runs as; PgBouncer refuses root, too.
        let owner = std::fs::metadata(folder).expect("the cluster's folder");
        let process = Command::new(program)
            .arg(&ini)
            .uid(owner.uid())
            .gid(owner.gid())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("PgBouncer");
        let database_url = format!("host={socket} port={port} user=postgres dbname={database}");
        let socket = folder.join(format!(".s.PGSQL.{port}"));
        eventually(|| std::os::unix::net::UnixStream::connect(&socket).is_ok()).await;
        Self { process, database_url, socket }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
