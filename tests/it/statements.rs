//! Statements: their names, and the mode without prepared ones.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use field_service::bots::delivery;
use field_service::dispatch::assign::{self, AssignOutcome, Assigner};
use field_service::dispatch::cancel;
use field_service::model::{MasterId, StaffId};
use field_service::store::{facts, offers, orders};

use crate::harness::{ANNA, BORIS, Dispatch, Settings, database_name, eventually, postgres};

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
        chat.press(button).await;
    }
    chat.say("1500").await;
    assert_eq!(t.status(third).await, "CLOSED");
    chat.press("Мои заявки").await;
    chat.press(&format!("№{order}")).await;
    chat.press("Вернуть").await;
    chat.say("Не успеваю").await;
    assert_eq!(t.status(order).await, "SEARCHING");
    chat.tap("m:sh:off").await;
    let assigned = assign::assign(&t.app.store, order, MasterId(2), Assigner::System, None, None).await;
    assert!(assigned.expect("a database").expect("a master").outcome == AssignOutcome::Assigned);
    cancel::cancel(&t.app.store, order, StaffId(1), "", None).await.expect_err("there is no such staff");
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
    let Some(program) = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"]
        .into_iter()
        .find(|program| std::path::Path::new(program).is_file())
    else {
        // Straight to standard error: what a test prints is shown only when it fails.
        writeln!(std::io::stderr(), "NOT RUN: unnamed statements behind PgBouncer, which is not installed")
            .expect("standard error");
        return;
    };
    let database_url = postgres::fresh_database().await;
    let pooler = Pooler::start(program, database_name(&database_url)).await;
    let settings =
        Settings { unnamed_statements: true, database_url: Some(pooler.database_url.clone()), ..Settings::default() };
    let t = Dispatch::start_on(database_url, settings).await;

    a_whole_conversation(&t).await;
    let orders = futures_util::future::join_all((0..10).map(|_| t.order().offered_to([ANNA, BORIS]))).await;
    let taps = orders.iter().flat_map(|order| [t.tap_accept(ANNA, *order), t.tap_accept(BORIS, *order)]);
    let taken =
        futures_util::future::join_all(taps).await.iter().filter(|tap| tap.notice().contains("принята")).count();
    assert_eq!(taken, 9, "five each, and one was taken before");
    t.check().await;
}

struct Pooler {
    process: Child,
    database_url: String,
}

impl Pooler {
    async fn start(program: &str, database: &str) -> Self {
        let folder = postgres::cluster().folder();
        let socket = folder.display();
        let ini = folder.join("pgbouncer.ini");
        std::fs::write(
            &ini,
            format!(
                "[databases]\n{database} = host={socket} user=postgres\n[pgbouncer]\nlisten_addr =\n\
                 listen_port = 6543\nunix_socket_dir = {socket}\nauth_type = any\npool_mode = transaction\n\
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
        let database_url = format!("host={socket} port=6543 user=postgres dbname={database}");
        let socket = folder.join(".s.PGSQL.6543");
        eventually(|| std::os::unix::net::UnixStream::connect(&socket).is_ok()).await;
        Self { process, database_url }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
