//! Updates that are asked for are handled as those that are delivered: in each person's order, once, and none is lost.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use field_service::model::BotName;
use field_service::poll::{Error, Handler, Pollers};
use field_service::sim::proxy::Proxy;
use field_service::sim::telegram::Fault;
use field_service::telegram::http_client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::harness::{
    ADMIN_TOKEN, ANNA, BARE_FOLDER, BORIS, Dispatch, MASTER_TOKEN, Settings, database_name, eventually,
    proxied_database,
};

/// What a handler does with updates, by what they say: as often as is written here it refuses, then it takes them.
#[derive(Clone)]
struct Script {
    refuses: Arc<Mutex<HashMap<&'static str, u32>>>,
    seen: Arc<Mutex<Vec<(i64, String)>>>,
    /// What is not answered before that is true.
    holds: Option<(&'static str, watch::Receiver<bool>)>,
}

impl Script {
    fn new(refuses: &[(&'static str, u32)]) -> Self {
        let refuses = Arc::new(Mutex::new(refuses.iter().copied().collect()));
        Self { refuses, seen: Arc::default(), holds: None }
    }

    /// The same, and updates that begin like this are not answered until it is sent.
    fn holding(self, what: &'static str) -> (Self, watch::Sender<bool>) {
        let (release, released) = watch::channel(false);
        (Self { holds: Some((what, released)), ..self }, release)
    }

    fn handler(&self) -> Handler {
        let script = self.clone();
        Arc::new(move |_, body| {
            let script = script.clone();
            Box::pin(async move { script.answer(&serde_json::from_slice(&body).expect("JSON")).await })
        })
    }

    async fn answer(&self, update: &Value) -> Result<(), Duration> {
        let (query, message) = (&update["callback_query"], &update["message"]);
        let person = query["from"]["id"].as_i64().or(message["from"]["id"].as_i64()).expect("a person");
        let what = query["data"].as_str().or(message["text"].as_str()).expect("words");
        self.seen.lock().expect("what was seen").push((person, what.to_owned()));
        if let Some((held, released)) = &self.holds
            && what.starts_with(held)
        {
            released.clone().wait_for(|released| *released).await.expect("it is released");
        }
        match self.refuses.lock().expect("the script").get_mut(what) {
            Some(times) if *times > 0 => {
                *times -= 1;
                Err(Duration::ZERO)
            }
            _ => Ok(()),
        }
    }

    fn seen_of(&self, person: i64) -> Vec<String> {
        let seen = self.seen.lock().expect("what was seen");
        seen.iter().filter(|(who, _)| *who == person).map(|(_, what)| what.clone()).collect()
    }

    fn seen(&self) -> usize {
        self.seen.lock().expect("what was seen").len()
    }
}

/// Who asks for updates.
struct Asking {
    running: JoinHandle<Result<(), Error>>,
    stop: oneshot::Sender<()>,
}

impl Asking {
    async fn stop(self) -> Result<(), Error> {
        self.stop.send(()).expect("somebody who asks");
        self.running.await.expect("no panic")
    }

    /// Dies, as by kill -9: nothing is finished, nobody is told.
    async fn die(self) {
        self.running.abort();
        assert!(self.running.await.expect_err("it was aborted").is_cancelled());
    }
}

impl Dispatch {
    /// A system whose bots have no webhook.
    async fn without_webhooks() -> Self {
        Self::start().await.deprived_of_webhooks()
    }

    fn deprived_of_webhooks(self) -> Self {
        for token in [MASTER_TOKEN, ADMIN_TOKEN] {
            self.telegram.delete_webhook(token);
        }
        self
    }

    fn pollers(&self, handler: Handler) -> Pollers {
        let bots = [(BotName::Master, 1001), (BotName::Admin, 1002)];
        let (liveness, metrics) = (Arc::clone(&self.app.liveness), Arc::clone(&self.app.metrics));
        Pollers::new(self.app.store.clone(), self.app.telegram.clone(), bots, handler, liveness, metrics)
    }

    /// Asks for updates, which are handled by the script.
    fn ask_for(&self, script: &Script) -> Asking {
        begin(self.pollers(script.handler()))
    }

    /// Asks for updates, which are handled as ever.
    fn ask(&self) -> Asking {
        begin(self.app.pollers(self.app.http()))
    }

    fn taps(&self, person: i64, data: &str) {
        self.telegram.enqueue(MASTER_TOKEN, self.chat(person).tap_update(data));
    }

    fn writes(&self, person: i64, text: &str) {
        self.telegram.enqueue(MASTER_TOKEN, self.chat(person).text_update(text));
    }

    /// How many of the masters' updates wait at Telegram.
    fn untaken(&self) -> usize {
        self.telegram.bots()[0].waiting
    }

    /// The offsets of the calls for updates, the last one last.
    fn offsets(&self) -> Vec<i64> {
        let calls = self.telegram.calls();
        let asked = calls.iter().filter(|call| call.method == "getUpdates");
        asked.map(|call| call.params["offset"].as_i64().expect("an offset")).collect()
    }
}

fn begin(pollers: Pollers) -> Asking {
    let (stop, stopped) = oneshot::channel();
    Asking { running: tokio::spawn(pollers.run(false, async move { drop(stopped.await) })), stop }
}

#[tokio::test]
async fn each_person_s_updates_come_in_order_and_people_do_not_wait_for_each_other() {
    let t = Dispatch::without_webhooks().await;
    let (script, release) = Script::new(&[("first", 2)]).holding("first");
    for data in ["first", "second", "third"] {
        t.taps(ANNA, data);
    }
    let first = t.telegram.journal(3)[0].update_id;
    t.taps(BORIS, "other");
    // A person's messages do not wait for the person's taps.
    t.writes(ANNA, "words");
    let asking = t.ask_for(&script);

    eventually(|| script.seen_of(BORIS) == ["other"] && script.seen_of(ANNA).len() == 2).await;
    assert_eq!(script.seen_of(ANNA).iter().filter(|what| *what != "words").collect::<Vec<_>>(), ["first"]);
    // Asked for while the first one is under way, and told beside it.
    t.taps(BORIS, "another");
    eventually(|| script.seen_of(BORIS) == ["other", "another"]).await;
    assert!(t.offsets().iter().all(|offset| *offset <= first), "{:?}: nothing behind it is taken yet", t.offsets());
    assert_eq!(t.untaken(), 6);

    release.send_replace(true);
    eventually(|| t.untaken() == 0).await;
    let taps: Vec<_> = script.seen_of(ANNA).into_iter().filter(|what| what != "words").collect();
    assert_eq!(taps, ["first", "first", "first", "second", "third"], "refused twice, then done; each other one once");
    assert_eq!(script.seen_of(BORIS).len(), 2);
    asking.stop().await.expect("an end");
}

/// Many people, refusals at any time, and two crashes: whatever comes again, nobody's updates overtake each other.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_s_updates_overtake_each_other_whatever_happens() {
    const PEOPLE: i64 = 40;
    const EACH: i64 = 6;
    let t = Dispatch::without_webhooks().await;
    for number in 1..=EACH {
        (1..=PEOPLE).for_each(|person| t.taps(person, &number.to_string()));
    }
    let (calls, done) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
    let handler: Handler = {
        let (calls, done) = (Arc::clone(&calls), Arc::clone(&done));
        Arc::new(move |_, body| {
            let (calls, done) = (Arc::clone(&calls), Arc::clone(&done));
            Box::pin(async move {
                let update: Value = serde_json::from_slice(&body).expect("JSON");
                let query = &update["callback_query"];
                let person = query["from"]["id"].as_i64().expect("a person");
                let number: i64 = query["data"].as_str().and_then(|data| data.parse().ok()).expect("a number");
                tokio::task::yield_now().await;
                // Every seventh call, which is another update's each time.
                if calls.fetch_add(1, Ordering::Relaxed) % 7 == 3 {
                    return Err(Duration::ZERO);
                }
                done.lock().expect("what was done").push((person, number));
                Ok(())
            })
        })
    };
    let count = || done.lock().expect("what was done").len();
    for crash_after in [50, 150] {
        let asking = begin(t.pollers(Arc::clone(&handler)));
        eventually(|| count() > crash_after).await;
        asking.die().await;
    }
    let asking = begin(t.pollers(handler));
    eventually(|| t.untaken() == 0).await;
    asking.stop().await.expect("an end");
    let done = done.lock().expect("what was done").clone();
    for person in 1..=PEOPLE {
        let mut first_times: Vec<i64> = Vec::new();
        for (_, number) in done.iter().filter(|(who, _)| *who == person) {
            if !first_times.contains(number) {
                first_times.push(*number);
            }
        }
        assert_eq!(first_times, (1..=EACH).collect::<Vec<_>>(), "of {person}: {done:?}");
    }
}

#[tokio::test]
async fn there_is_a_bound_to_how_many_are_handled_at_once() {
    let t = Dispatch::without_webhooks().await;
    let (script, release) = Script::new(&[]).holding("tap");
    for person in 1..=50 {
        t.taps(person, "tap");
    }
    let asking = t.ask_for(&script);
    eventually(|| script.seen() == 32).await;
    let asked = t.offsets().len();
    eventually(|| t.offsets().len() > asked).await;
    assert_eq!(script.seen(), 32);
    release.send_replace(true);
    eventually(|| t.untaken() == 0).await;
    assert_eq!(script.seen(), 50);
    asking.stop().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn taps_that_are_asked_for_do_what_taps_do() {
    let t = Dispatch::without_webhooks().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let asking = t.ask();
    t.writes(ANNA, "/start");
    eventually(|| t.chat(ANNA).screen().contains("Анна")).await;
    t.taps(ANNA, &format!("m:new:acc:{order}"));
    t.taps(BORIS, &format!("m:new:acc:{order}"));
    eventually(|| t.untaken() == 0).await;
    let answered = t.telegram.journal(2).iter().map(|record| record.answers.len()).sum::<usize>();
    assert_eq!(answered, 2, "both are told, and once");
    assert!(t.owner(order).await.is_some());
    // The dispatchers' bot, too.
    let desk = t.add_staff(500).await;
    t.telegram.enqueue(ADMIN_TOKEN, desk.text_update("/start"));
    eventually(|| !desk.screen().is_empty()).await;
    assert!(["poll_master", "poll_admin"].iter().all(|job| t.app.liveness.pulses(Instant::now())[job].alive));
    asking.stop().await.expect("an end");
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_before_a_crash_and_not_told_comes_again_and_changes_nothing() {
    let t = Dispatch::without_webhooks().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let done = Arc::new(Mutex::new(0));
    // It is handled to the end, and the process dies before it hears of that.
    let handler: Handler = {
        let (http, done) = (t.app.http(), Arc::clone(&done));
        Arc::new(move |bot, body| {
            let (http, done) = (http.clone(), Arc::clone(&done));
            Box::pin(async move {
                http.handle_fetched(bot, body).await.expect("a database");
                *done.lock().expect("a count") += 1;
                std::future::pending().await
            })
        })
    };
    t.taps(ANNA, &format!("m:new:acc:{order}"));
    t.taps(BORIS, &format!("m:new:acc:{order}"));
    let asking = begin(t.pollers(handler));
    eventually(|| *done.lock().expect("a count") == 2).await;
    asking.die().await;
    let (owner, before) = (t.owner(order).await, t.everything().await);
    assert!(owner.is_some());
    assert_eq!(t.untaken(), 2, "nothing was told");

    let asking = t.ask();
    eventually(|| t.untaken() == 0).await;
    asking.stop().await.expect("an end");
    assert_eq!((t.owner(order).await, t.everything().await), (owner, before));
    for record in t.telegram.journal(2) {
        let said: Vec<_> = record.answers.iter().map(|answer| answer.text.clone()).collect();
        let won = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains("принята"));
        assert!(said.iter().any(won) == (Some(record.person) == owner), "{said:?}");
        assert_eq!(said.len(), 2, "each is answered both times");
    }
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_updates_wait_and_then_all_are_done() {
    let (t, proxy) = behind_a_proxy().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let asking = t.ask();
    eventually(|| t.telegram.is_asked(MASTER_TOKEN)).await;

    proxy.cut();
    t.taps(ANNA, &format!("m:new:acc:{order}"));
    t.taps(ANNA, "m:new");
    eventually(|| t.app.metrics.get("webhook", "UNAVAILABLE") > 1).await;
    assert_eq!(t.untaken(), 2);
    proxy.restore();
    eventually(|| t.untaken() == 0).await;
    assert_eq!(t.owner(order).await, Some(ANNA));
    // Its turn was lost with the connection, and is there again.
    t.writes(BORIS, "/start");
    eventually(|| t.untaken() == 0).await;
    asking.stop().await.expect("an end");
    t.check().await;
}

#[tokio::test]
async fn a_second_one_is_told_that_there_is_one_and_takes_over_when_that_one_is_gone() {
    let t = Dispatch::without_webhooks().await;
    let first = t.ask();
    eventually(|| t.telegram.is_asked(MASTER_TOKEN) && t.telegram.is_asked(ADMIN_TOKEN)).await;
    let (idle, snapshots): (i64, i64) = {
        let sessions = "SELECT count(*), count(backend_xmin) FROM pg_stat_activity
                        WHERE datname = current_database() AND query LIKE '%pollers.%' AND state = 'idle in transaction'";
        let row = t.sql.query_one(sessions, &[]).await.expect("the sessions");
        (row.get(0), row.get(1))
    };
    assert_eq!((idle, snapshots), (1, 0), "its transaction keeps no row from being cleaned up");
    let refused = t.ask().running.await.expect("no panic").expect_err("there is one");
    assert!(matches!(refused, Error::AskedAlready), "{refused}");
    assert!(refused.to_string().contains("another process already fetches these bots' updates"), "{refused}");
    let conflicts = t.telegram.calls().iter().filter(|call| call.status == 409).count();
    assert_eq!(conflicts, 0, "the first one was not disturbed");

    first.die().await;
    let second = t.ask();
    t.writes(ANNA, "/start");
    eventually(|| t.untaken() == 0).await;
    second.stop().await.expect("an end");
}

/// The session of whoever has the turn, which answers nothing until this is dropped.
struct Stalled(String);

impl Stalled {
    async fn new(t: &Dispatch) -> Self {
        let holder = "SELECT DISTINCT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database
                      WHERE locktype = 'advisory' AND datname = current_database()";
        let pid: i32 = t.one(holder, &[]).await;
        let stalled = Self(pid.to_string());
        stalled.signal("-STOP");
        stalled
    }

    fn signal(&self, signal: &str) -> bool {
        std::process::Command::new("kill").args([signal, &self.0]).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Stalled {
    fn drop(&mut self) {
        assert!(self.signal("-CONT") || std::thread::panicking());
    }
}

/// Waits until it is tried again and again to have the turn: whoever has it says so once in five seconds.
async fn tries_to_have_the_turn(proxy: &Proxy) {
    let before = proxy.round_trips();
    eventually(|| proxy.round_trips() > before + 8).await;
}

async fn behind_a_proxy() -> (Dispatch, Proxy) {
    let (database_url, proxy) = proxied_database().await;
    let through_proxy = proxy.database_url(database_name(&database_url));
    let settings = Settings { database_url: Some(through_proxy), ..Settings::default() };
    (Dispatch::start_on(database_url, settings).await.deprived_of_webhooks(), proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_given_up_does_not_stand_in_the_way_of_the_next_one() {
    let (t, proxy) = behind_a_proxy().await;
    let script = Script::new(&[]);
    let asking = t.ask_for(&script);
    eventually(|| t.telegram.is_asked(MASTER_TOKEN)).await;
    let stalled = Stalled::new(&t).await;
    tries_to_have_the_turn(&proxy).await;
    t.taps(ANNA, "tap");
    assert_eq!(script.seen(), 0, "the turn is lost");
    drop(stalled);
    // Sooner than the server would end a session of which it hears nothing.
    eventually(|| t.untaken() == 0).await;
    assert_eq!(script.seen_of(ANNA), ["tap"]);
    asking.stop().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_what_is_under_way_is_finished_also_while_the_turn_is_lost() {
    let (t, proxy) = behind_a_proxy().await;
    let (release, released) = watch::channel(false);
    let (begun, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let handler: Handler = {
        let (begun, done) = (Arc::clone(&begun), Arc::clone(&done));
        Arc::new(move |_, _| {
            let (begun, done, mut released) = (Arc::clone(&begun), Arc::clone(&done), released.clone());
            Box::pin(async move {
                begun.fetch_add(1, Ordering::SeqCst);
                released.wait_for(|released| *released).await.expect("it is released");
                done.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        })
    };
    t.taps(ANNA, "tap");
    let asking = begin(t.pollers(handler));
    eventually(|| begun.load(Ordering::SeqCst) == 1).await;
    // Another process is quicker.
    proxy.hang_up();
    t.execute("SELECT pg_advisory_lock(hashtextextended('poll 1001', 0))", &[]).await;
    tries_to_have_the_turn(&proxy).await;
    let mut ended = std::pin::pin!(asking.stop());
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut ended).await.is_err(), "one is under way");
    release.send_replace(true);
    ended.await.expect("an end");
    assert_eq!((done.load(Ordering::SeqCst), t.untaken()), (1, 1), "finished; the other one is not disturbed");
}

#[tokio::test]
async fn a_webhook_is_named_and_removed_only_if_that_is_asked_for() {
    let t = Dispatch::start().await;
    t.telegram.delete_webhook(ADMIN_TOKEN);
    // Somebody else's, for a kind of update that this release does not know.
    t.telegram.let_webhook_info_say(MASTER_TOKEN, json!({"allowed_updates": ["message", "of_tomorrow"]}));
    let refused = t.ask().running.await.expect("no panic").expect_err("there is a webhook");
    let said = refused.to_string();
    let url = format!("the master bot has the webhook {}/telegram/master", t.url);
    assert!(said.contains("either to a webhook or by getUpdates"), "{said}");
    assert!(said.contains(&url) && said.contains("--replace-webhook") && !said.contains("admin"), "{said}");
    assert!(t.telegram.webhook(MASTER_TOKEN).is_some() && t.offsets().is_empty());

    let (stop, stopped) = oneshot::channel::<()>();
    let asking = tokio::spawn(t.app.pollers(t.app.http()).run(true, async move { drop(stopped.await) }));
    t.writes(ANNA, "/start");
    eventually(|| t.untaken() == 0 && t.telegram.webhook(MASTER_TOKEN).is_none()).await;
    let deleted = t.telegram.calls().iter().filter(|call| call.method == "deleteWebhook").count();
    assert_eq!(deleted, 1, "the other one had none");
    stop.send(()).expect("somebody who asks");
    asking.await.expect("no panic").expect("an end");
}

#[tokio::test]
async fn what_is_not_understood_is_left_behind() {
    let t = Dispatch::without_webhooks().await;
    let odd = |change: &dyn Fn(&mut Value)| {
        let mut update = t.chat(ANNA).text_update("x");
        change(&mut update);
        t.telegram.enqueue(MASTER_TOKEN, update);
    };
    odd(&|update| {
        update.as_object_mut().expect("an object").remove("message");
        update["poll"] = json!({"id": "5", "question": "?"});
    });
    odd(&|update| update["message"] = json!("hush"));
    odd(&|update| update["message"]["chat"] = json!({}));
    t.writes(ANNA, "/start");
    let asking = t.ask();
    eventually(|| t.untaken() == 0).await;
    assert!(t.chat(ANNA).screen().contains("Анна"), "{}", t.chat(ANNA).screen());
    assert_eq!(t.app.metrics.get("webhook", "NOT_UNDERSTOOD"), 2);
    let kinds = &t.telegram.calls().into_iter().find(|call| call.method == "getUpdates").expect("a call").params;
    assert_eq!(kinds["allowed_updates"], json!(["message", "edited_message", "callback_query"]));
    asking.stop().await.expect("an end");
}

#[tokio::test]
async fn at_the_end_what_is_under_way_is_finished_and_nothing_new_is_begun() {
    let t = Dispatch::without_webhooks().await;
    let (script, release) = Script::new(&[("refused", u32::MAX)]).holding("first");
    t.taps(ANNA, "first");
    t.taps(ANNA, "second");
    t.taps(BORIS, "refused");
    let asking = t.ask_for(&script);
    eventually(|| script.seen_of(ANNA) == ["first"] && !script.seen_of(BORIS).is_empty()).await;
    let ended = asking.stop();
    let mut ended = std::pin::pin!(ended);
    assert!(futures_util::poll!(&mut ended).is_pending());
    release.send_replace(true);
    ended.await.expect("an end");
    assert_eq!(script.seen_of(ANNA), ["first"]);
    assert_eq!(t.untaken(), 2, "Telegram knows that the first was taken");
    let tries = script.seen_of(BORIS).len();

    // The next process is told the others.
    let next = Script::new(&[]);
    let asking = t.ask_for(&next);
    eventually(|| t.untaken() == 0).await;
    assert_eq!((next.seen_of(ANNA), next.seen_of(BORIS)), (vec!["second".to_owned()], vec!["refused".to_owned()]));
    assert_eq!(script.seen_of(BORIS).len(), tries);
    asking.stop().await.expect("an end");
}

#[tokio::test]
async fn what_goes_wrong_at_telegram_is_waited_out() {
    let t = Dispatch::without_webhooks().await;
    t.telegram.fail_next("getUpdates", 2, Fault::ServerError);
    t.telegram.fail_next("getUpdates", 1, Fault::TooManyRequests(1));
    t.telegram.fail_next("getUpdates", 1, Fault::BadGateway);
    t.telegram.fail_next("getWebhookInfo", 1, Fault::TooManyRequests(1));
    let script = Script::new(&[]);
    let asking = t.ask_for(&script);
    t.taps(ANNA, "tap");
    eventually(|| t.untaken() == 0).await;
    let failed = ["poll_master", "poll_admin"].map(|job| t.app.metrics.get(job, "FAILED"));
    assert_eq!(failed.iter().sum::<u64>(), 4, "{failed:?}");

    // Somebody else begins to ask with the same token.
    let url = format!("{}/bot{MASTER_TOKEN}/getUpdates", t.telegram.api_url());
    let other = http_client(&url).post(url).header("content-type", "application/json").body(r#"{"timeout":50}"#);
    let other = tokio::spawn(other.timeout(Duration::from_mins(1)).send());
    eventually(|| t.app.metrics.get("poll_master", "FAILED") > failed[0]).await;
    assert_eq!(other.await.expect("no panic").expect("an answer").status(), 409, "the real server ends the elder call");
    t.taps(ANNA, "again");
    eventually(|| t.untaken() == 0).await;
    assert_eq!(script.seen_of(ANNA), ["tap", "again"]);
    asking.stop().await.expect("an end");

    // A bot that is not there is no trouble that passes.
    t.telegram.fail_next("getWebhookInfo", 1, Fault::BadRequest);
    let refused = t.ask().running.await.expect("no panic").expect_err("a refusal");
    assert!(refused.to_string().starts_with("the master bot: Telegram refused (400)"), "{refused}");
}

/// `serve --poll` with these arguments, without a secret for a webhook.
fn serve(t: &Dispatch, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command.args(["serve", "--poll"]).args(args).current_dir(BARE_FOLDER).env_clear().kill_on_drop(true);
    command.envs([
        ("DATABASE_URL", t.database_url.as_str()),
        ("MASTER_BOT_TOKEN", MASTER_TOKEN),
        ("ADMIN_BOT_TOKEN", ADMIN_TOKEN),
        ("TELEGRAM_API_URL", t.telegram.api_url()),
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program runs")
}

/// Reads on until a line says this; that line.
async fn line(process: &mut Child, says: &str) -> String {
    let mut lines = BufReader::new(process.stderr.take().expect("stderr")).lines();
    let found = async {
        while let Some(line) = lines.next_line().await.expect("text") {
            if line.contains(says) {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return line;
            }
        }
        panic!("it does not say {says}")
    };
    tokio::time::timeout(Duration::from_secs(20), found).await.expect("in time")
}

fn terminate(process: &Child) {
    let id = process.id().expect("it runs").to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_asks_and_listens_nowhere_unless_told() {
    let t = Dispatch::without_webhooks().await;
    let order = t.order().offered_to([ANNA]).await;
    let mut process = serve(&t, &[]);
    line(&mut process, "listening nowhere").await;
    t.taps(ANNA, &format!("m:new:acc:{order}"));
    eventually(|| t.untaken() == 0).await;
    assert_eq!(t.owner(order).await, Some(ANNA));
    // The second one ends, and says why; the first one goes on.
    let mut second = serve(&t, &[]);
    line(&mut second, "error: another process already fetches these bots' updates").await;
    assert!(!second.wait().await.expect("an end").success());
    t.writes(ANNA, "/start");
    eventually(|| t.untaken() == 0).await;
    terminate(&process);
    assert!(process.wait().await.expect("an end").success());
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_that_asks_may_listen_too_and_knows_no_secret() {
    let t = Dispatch::start().await;
    let mut process = serve(&t, &[]);
    line(&mut process, "the admin bot has the webhook").await;
    assert!(!process.wait().await.expect("an end").success());

    let mut process = serve(&t, &["--listen", "127.0.0.1:0", "--replace-webhook"]);
    let said = line(&mut process, "listening on http://").await;
    let url = format!(
        "http://{}",
        said.split("http://").nth(1).and_then(|url| url.split_whitespace().next()).expect("a URL")
    );
    t.writes(ANNA, "/start");
    eventually(|| t.untaken() == 0 && t.telegram.webhook(ADMIN_TOKEN).is_none()).await;
    let client = http_client(&url);
    let health = client.get(format!("{url}/health")).send().await.expect("an answer");
    assert_eq!(health.status(), 200);
    let health = health.text().await.expect("a body");
    assert!(health.contains("poll_master") && health.contains("poll_admin"), "{health}");
    for secret in ["", "x"] {
        let request = client.post(format!("{url}/telegram/master")).header("x-telegram-bot-api-secret-token", secret);
        assert_eq!(request.body("{}").send().await.expect("an answer").status(), 401);
    }
    terminate(&process);
    assert!(process.wait().await.expect("an end").success());
}

/// The two-minute path of a developer: a local Telegram that delivers to nobody, and a program that asks it.
#[tokio::test(flavor = "multi_thread")]
async fn sim_without_an_address_lets_a_program_ask() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command.args(["sim", "--listen", "127.0.0.1:0"]).current_dir(BARE_FOLDER).env_clear().kill_on_drop(true);
    command.envs([
        ("DATABASE_URL", t.database_url.as_str()),
        ("MASTER_BOT_TOKEN", MASTER_TOKEN),
        ("ADMIN_BOT_TOKEN", ADMIN_TOKEN),
    ]);
    let mut sim = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program runs");
    let mut lines = BufReader::new(sim.stdout.take().expect("stdout")).lines();
    let said = lines.next_line().await.expect("text").expect("a line");
    assert!(said.contains("updates wait for `serve --poll`"), "{said}");
    let url = format!(
        "http://{}",
        said.split("http://").nth(1).and_then(|url| url.split_whitespace().next()).expect("a URL")
    );

    let mut handler = Command::new(env!("CARGO_BIN_EXE_field-service"));
    handler.args(["serve", "--poll"]).current_dir(BARE_FOLDER).env_clear().kill_on_drop(true);
    handler.envs([
        ("DATABASE_URL", t.database_url.as_str()),
        ("MASTER_BOT_TOKEN", MASTER_TOKEN),
        ("ADMIN_BOT_TOKEN", ADMIN_TOKEN),
        ("TELEGRAM_API_URL", url.as_str()),
    ]);
    let _handler = handler.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs");
    crate::harness::page::act(&url, "race", &json!({"bot": 1001, "order": order.0, "people": [ANNA, BORIS]})).await;
    crate::harness::page::told_eventually(&url, |topics| topics[format!("order/{order}")]["status"] == "ASSIGNED")
        .await;
    assert!(t.owner(order).await.is_some());
}
