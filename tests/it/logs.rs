//! The log of a running `serve`: nobody waits for whoever reads it, and nobody writes a line of one's own.

use std::io::Read;
use std::time::{Duration, Instant};

use field_service::sim::telegram::Webhook;
use field_service::telegram::http_client;
use tokio::process::Command;

use crate::harness::serve::Serve;
use crate::harness::{ANNA, BORIS, Dispatch, MASTER_SECRET, MASTER_TOKEN};

/// What a pipe holds on Linux.
const PIPE: usize = 65_536;

async fn stop(mut server: Serve) {
    let process = server.process.id().expect("a running process").to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().await.expect("kill").success());
    let ended = tokio::time::timeout(Duration::from_secs(30), server.process.wait()).await;
    assert!(ended.expect("it ends").expect("an end").success());
}

/// Requests of somebody who does not know the secret, all refused.
async fn strangers(server: &Serve, requests: usize) {
    let client = http_client(&server.url);
    for _ in 0..requests {
        let request =
            client.post(format!("{}/telegram/master", server.url)).header("x-telegram-bot-api-secret-token", "guess");
        assert_eq!(request.body("{}").send().await.expect("an answer").status(), 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_stops_nobody() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    let (_nobody_reads, log) = std::io::pipe().expect("a pipe");
    let mut filler = std::process::Command::new("head");
    filler.args(["-c", &PIPE.to_string(), "/dev/zero"]).stdout(log.try_clone().expect("a pipe"));
    assert!(filler.status().expect("head runs").success(), "the pipe is full before anything is logged");
    let server = t.serve(|command| _ = command.stderr(log)).await;
    let webhook = Webhook { url: format!("{}/telegram/master", server.url), secret: Some(MASTER_SECRET.to_owned()) };
    t.telegram.set_webhook(MASTER_TOKEN, webhook);

    strangers(&server, 1000).await;
    let begun = Instant::now();
    let tap = t.tap_accept(ANNA, order).await;

    assert!(tap.notice().contains("принята"), "{}", tap.notice());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(server.health().await, Some(200));
    stop(server).await;
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn complaints_of_one_kind_are_a_line_a_second_that_counts_them() {
    const REQUESTS: usize = 2000;
    let t = Dispatch::start().await;
    let (mut read, log) = std::io::pipe().expect("a pipe");
    let server = t.serve(|command| _ = command.stderr(log)).await;
    let reader = std::thread::spawn(move || {
        let mut lines = String::new();
        read.read_to_string(&mut lines).map(|_| lines)
    });
    let begun = Instant::now();
    strangers(&server, REQUESTS).await;
    let seconds = usize::try_from(begun.elapsed().as_secs()).expect("seconds");
    stop(server).await;

    let log = reader.join().expect("a reader").expect("a log");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("without the webhook's secret")).collect();
    assert!(lines.len() <= seconds + 3, "{} lines in {seconds} s", lines.len());
    let stands_for = |line: &&str| {
        line.split_once("repeated=").map_or(1, |(_, count)| count.trim().parse::<usize>().expect("a number"))
    };
    assert_eq!(lines.iter().map(stands_for).sum::<usize>(), REQUESTS, "{lines:?}");
    assert!(log.contains("webhook.UNAUTHORIZED=2000"), "the last line is not lost: {log}");
    let stopped = log.lines().find(|line| line.contains(" INFO stopped")).expect("a line");
    assert!(stopped.contains("stopped; counted ") && stopped.contains('='), "{stopped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_write_writes_no_log_line() {
    const FORGED: &str =
        "x\n2026-11-25T00:00:00.000000Z  INFO offer_accept SUCCESS: order=999 +79990001122\u{1b}[2J\u{9b}31m";
    let t = Dispatch::start().await;
    // Whatever the database holds, as people or a neighbour have written it.
    t.execute("UPDATE masters SET full_name = $1, phone = $1, blocked_reason = $1", &[&FORGED]).await;
    t.execute("UPDATE cities SET name = $1", &[&FORGED]).await;
    t.execute("ALTER TABLE cities DISABLE TRIGGER USER", &[]).await;
    t.execute("UPDATE cities SET timezone = $1, shown_timezone = 'UTC', timezone_lost_at = now()", &[&FORGED]).await;
    let order = t.order().offered_to([ANNA]).await;
    t.execute("UPDATE orders SET address = $1, client_name = $1, client_phone = $1, description = $1", &[&FORGED])
        .await;
    t.execute("ALTER TABLE offers DROP CONSTRAINT offers_state_check", &[]).await;
    t.execute("ALTER TABLE order_status_history DROP CONSTRAINT order_status_history_actor_type_check", &[]).await;
    let (mut read, log) = std::io::pipe().expect("a pipe");
    let server = t.serve(|command| _ = command.stderr(log)).await;
    let reader = std::thread::spawn(move || {
        let mut lines = String::new();
        read.read_to_string(&mut lines).map(|_| lines)
    });
    let webhook = Webhook { url: format!("{}/telegram/master", server.url), secret: Some(MASTER_SECRET.to_owned()) };
    t.telegram.set_webhook(MASTER_TOKEN, webhook);
    let chat = t.chat(ANNA);
    chat.say(FORGED).await;
    chat.say("/start").await;
    chat.tap(FORGED).await;
    t.tap_accept(ANNA, order).await;
    t.execute("UPDATE offers SET state = $1, responded_at = now()", &[&FORGED]).await;
    t.tap_accept(ANNA, order).await;
    t.execute("UPDATE outbox SET finished_at = NULL, dropped_because = NULL, kind = 'OFFER_ENDED'", &[]).await;
    for body in
        ["", "{", &format!("{{\"update_id\": 1, \"{FORGED}\": 2}}"), &format!("{{\"update_id\": \"{FORGED}\"}}")]
    {
        let request = http_client(&server.url).post(format!("{}/telegram/master", server.url));
        let request = request.header("x-telegram-bot-api-secret-token", MASTER_SECRET);
        assert_eq!(request.body(body.to_owned()).send().await.expect("an answer").status(), 200);
    }
    stop(server).await;

    let log = reader.join().expect("a reader").expect("a log");
    assert!(log.contains("offer_accept SUCCESS"), "{log}");
    assert!(!log.contains("order=999") && !log.contains("7999000"), "{log}");
    assert!(!log.chars().any(|c| c.is_control() && c != '\n'), "{log:?}");
}
