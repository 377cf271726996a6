//! What a log says that is asked for everything: what was done, statement by statement and call by call; and nobody's secret.

use std::io::Read;
use std::thread::JoinHandle;
use std::time::Duration;

use field_service::sim::telegram::{Fault, Webhook};
use field_service::telegram::http_client;
use serde_json::json;
use tokio::process::{Child, Command};

use crate::harness::serve::Serve;
use crate::harness::{
    ADMIN_SECRET, ADMIN_TOKEN, ANNA, BARE_FOLDER, BORIS, Dispatch, MASTER_SECRET, MASTER_TOKEN, METRICS_TOKEN,
    STRANGER, eventually,
};

/// The password in the connection string, which this server does not ask for.
const PASSWORD: &str = "database-password";

/// `serve`, and all that it logs.
struct Server {
    process: Child,
    url: String,
    log: JoinHandle<String>,
}

impl Dispatch {
    /// The settings of every program: everything is logged, and there is a password that must not be.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let logged = "trace,tokio_postgres=trace,hyper=trace,reqwest=trace,rustls=trace".to_owned();
        let own = [("DATABASE_URL", format!("{} password={PASSWORD}", self.database_url)), ("RUST_LOG", logged)];
        self.environment().into_iter().chain(own).collect()
    }

    /// Starts `serve` with everything in its log, and lets both bots' updates go there.
    async fn serve_with_traces(&self, more: &[(&str, &str)]) -> Server {
        let (mut read, pipe) = std::io::pipe().expect("a pipe");
        let log = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            read.read_to_end(&mut bytes).expect("a log");
            String::from_utf8(bytes).expect("UTF-8")
        });
        let set = |command: &mut Command| _ = command.envs(self.variables()).envs(more.iter().copied()).stderr(pipe);
        let Serve { process, url } = self.serve(set).await;
        let server = Server { process, url, log };
        for (token, path, secret) in [(MASTER_TOKEN, "master", MASTER_SECRET), (ADMIN_TOKEN, "admin", ADMIN_SECRET)] {
            let webhook = Webhook { url: format!("{}/telegram/{path}", server.url), secret: Some(secret.to_owned()) };
            self.telegram.set_webhook(token, webhook);
        }
        server
    }

    /// What a subcommand says to whoever runs it, and what it logs.
    async fn subcommand(&self, args: &[&str]) -> [String; 2] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
        let output = command
            .args(args)
            .env_clear()
            .current_dir(BARE_FOLDER)
            .envs(self.variables())
            .output()
            .await
            .expect("the program runs");
        assert!(output.status.success(), "{args:?}: {output:?}");
        [output.stdout, output.stderr].map(|said| String::from_utf8(said).expect("UTF-8"))
    }
}

impl Server {
    /// Stops it; all that it has logged.
    async fn stop(mut self) -> String {
        let process = self.process.id().expect("a running process").to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().await.expect("kill").success());
        let ended = tokio::time::timeout(Duration::from_secs(30), self.process.wait()).await;
        assert!(ended.expect("it ends").expect("an end").success());
        self.log.join().expect("a reader")
    }
}

/// Whatever people have said or are called, and what only one program or person may know.
const SECRET: [&str; 23] = [
    MASTER_TOKEN,
    ADMIN_TOKEN,
    // The part that is secret.
    "master-token",
    "admin-token",
    MASTER_SECRET,
    ADMIN_SECRET,
    METRICS_TOKEN,
    PASSWORD,
    "Анна",
    "Борис",
    "Диспетчер",
    "Пётр",
    "Мария",
    "Клиентова",
    "Ленина",
    "Малышева",
    "Malysheva",
    "бойлер",
    "9990001122",
    "9123456789",
    "9990000777",
    "не успеваю",
    "Site of Olga",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_with_everything_logged_shows_what_was_done_and_nobody_s_secret() {
    let t = Dispatch::start().await;
    let desk = t.add_staff_as(500, "ADMIN", &[]).await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let [said, mut log] = t.subcommand(&["master", "invite", "--city", "Екатеринбург", "--no-approval"]).await;
    let link = said.lines().find(|line| line.starts_with("https://t.me/")).expect("a link").to_owned();
    let [said, of_token] = t.subcommand(&["token", "create", "--name", "Site of Olga", "--scope", "orders"]).await;
    let token = said.split_whitespace().find(|word| word.starts_with("fs_")).expect("a token").to_owned();
    log += &of_token;
    log += &t.subcommand(&["doctor"]).await[1];
    let server = t.serve_with_traces(&[]).await;

    // An offer, taken; the other one hears of it. The work is done, and the bill said.
    let (anna, boris) = (t.chat(ANNA), t.chat(BORIS));
    anna.say("/start").await;
    anna.press("Новые заявки").await;
    anna.press(&format!("№{order}")).await;
    anna.press("Взять заявку").await;
    boris.tap(&format!("m:new:acc:{order}")).await;
    t.steps(&anna, order, &["enr", "wrk"]).await;
    anna.press("Вернуть").await;
    t.answer(&anna, "не успеваю: Мария, +79990001122").await;
    // A dispatcher's new order, and a question of somebody whom nobody knows.
    desk.say("Малышева 84, 8 912 345 67 89, не греет бойлер, завтра после обеда, Мария").await;
    desk.press("Создать").await;
    desk.tap("adm:q:1").await;
    desk.say("Мария").await;
    t.chat(STRANGER).say("+79990001122, Мария").await;
    // A newcomer.
    let newcomer = t.chat(777);
    newcomer.follow(&link).await;
    newcomer.say("Пётр").await;
    newcomer.share_contact().await;
    newcomer.press("Сантехника").await;
    newcomer.press("Дальше").await;
    // A program.
    let mut program = t.holding(&token);
    program.url.clone_from(&server.url);
    let made = json!({"category": "PLUMBING", "city_id": 1, "address": "Malysheva 84", "client_phone": "+79123456789",
                      "client_name": "Мария", "soon": true});
    let made = program.post("/api/orders", &[("Idempotency-Key", "site-9990001122")], &made).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(program.get("/api/orders?client_phone=%2B79123456789&q=Мария").await.status, 200);
    assert_eq!(program.get("/api/board").await.status, 200);
    // What goes wrong: Telegram quotes what it refuses, and somebody guesses.
    for fault in [Fault::BadRequest, Fault::BadGateway, Fault::TooManyRequests(1)] {
        t.telegram.fail_next("editMessageText", 1, fault);
        anna.tap("m:menu").await;
    }
    for body in ["{\"update_id\": 1, \"Мария\": \"+79990001122\"}", "Мария", "{}"] {
        let request = http_client(&server.url).post(format!("{}/telegram/master?Мария=9990001122", server.url));
        let request = request.header("x-telegram-bot-api-secret-token", MASTER_SECRET);
        assert_eq!(request.body(body).send().await.expect("an answer").status(), 200);
    }
    // Somebody hears of what others have done, by a job.
    eventually(|| t.telegram.calls().iter().filter(|call| call.method == "sendMessage").count() > 3).await;
    log += &server.stop().await;

    for part in [
        "offer_accept SUCCESS",
        "update{bot=\"master\" update_id=",
        "statement{name=\"facts.read\"}: took ",
        "telegram{method=\"answerCallbackQuery\"}: took ",
    ] {
        assert!(log.contains(part), "{part} is not in the log");
    }
    let inside =
        log.lines().find(|line| line.contains("update{") && line.contains("}: statement{name=\"orders.lock\"}"));
    assert!(inside.is_some(), "a statement is part of its update");
    let code = link.split_once("?start=").expect("a code").1;
    for secret in SECRET.into_iter().chain([token.as_str(), code]) {
        let shown = log.lines().find(|line| line.contains(secret));
        assert_eq!(shown, None, "{secret}");
    }
    t.check().await;
}

#[cfg(feature = "otel")]
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_the_spans_of_an_update_and_nobody_s_secret() {
    use std::sync::{Arc, Mutex};

    use field_service::http::server;
    use http_body_util::{BodyExt, Full};
    use hyper::body::{Bytes, Incoming};
    use hyper::{Request, Response};

    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let collected = Arc::<Mutex<Vec<u8>>>::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let collector = format!("http://{}/", listener.local_addr().expect("an address"));
    let kept = Arc::clone(&collected);
    tokio::spawn(server::run(listener, std::future::pending(), move |request: Request<Incoming>| {
        let kept = Arc::clone(&kept);
        async move {
            assert_eq!(request.uri().path(), "/v1/traces");
            let body = request.into_body().collect().await.expect("spans").to_bytes();
            kept.lock().expect("spans").extend_from_slice(&body);
            Response::new(Full::new(Bytes::new()))
        }
    }));

    let server = t.serve_with_traces(&[(ENDPOINT, &collector)]).await;
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
    let log = server.stop().await;
    let spans = String::from_utf8_lossy(&collected.lock().expect("spans")).into_owned();
    assert!(!log.contains("were not sent"), "{log}");
    let parts = ["field-service", "update", "update_id", "statement", "orders.lock", "telegram", "answerCallbackQuery"];
    assert!(parts.iter().all(|part| spans.contains(part)), "{spans}");
    let shown = SECRET.into_iter().find(|secret| spans.contains(secret));
    assert_eq!(shown, None);

    // Without a collector, and with an address that is none.
    let server = t.serve_with_traces(&[(ENDPOINT, "http://127.0.0.1:1")]).await;
    t.tap_accept(BORIS, order).await;
    let log = server.stop().await;
    assert!(log.contains("traces were not sent: Connection refused"), "{log}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    let output = command
        .args(["serve"])
        .env_clear()
        .current_dir(BARE_FOLDER)
        .envs(t.variables())
        .env(ENDPOINT, "hush")
        .output()
        .await;
    let said = String::from_utf8(output.expect("the program runs").stderr).expect("UTF-8");
    assert!(said.contains("OTEL_EXPORTER_OTLP_ENDPOINT is malformed") && !said.contains("hush"), "{said}");
}
