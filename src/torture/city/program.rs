//! Programs that make orders: each by a key of its own, asked for once to three times at the same moment, until it is told which
//! order that is; and that say more of some, when they are being offered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::torture::deliver::{Post, lock};
use crate::torture::marks::{ADDRESS, CLIENT};
use crate::torture::plan::Chance;
use crate::torture::record::Made;

/// The programs with their tokens: a client is always the same one's.
pub(in crate::torture) struct Program {
    post: Arc<Post>,
    tokens: Vec<String>,
    clients: AtomicI64,
    made: Mutex<BTreeMap<i64, BTreeSet<i64>>>,
}

impl Program {
    pub(in crate::torture) fn new(post: Arc<Post>, tokens: Vec<String>) -> Self {
        Self { post, tokens, clients: AtomicI64::new(1), made: Mutex::default() }
    }

    /// Everything that was asked for.
    pub(in crate::torture) fn made(&self) -> Vec<Made> {
        let made = std::mem::take(&mut *lock(&self.made));
        made.into_iter().map(|(client, told)| Made { client, told }).collect()
    }

    /// Makes an order; its number, unless nobody said it in time.
    pub(in crate::torture) async fn make(&self, trade: &str, city: u64, chance: &mut Chance) -> Option<i64> {
        let client = self.clients.fetch_add(1, Ordering::SeqCst);
        lock(&self.made).entry(client).or_default();
        let order = json!({
            "category": trade, "city_id": city, "address": format!("{ADDRESS}{client:06}"),
            "client_name": format!("{CLIENT}{client:06}"), "client_phone": format!("+7912{client:07}"), "soon": true,
        });
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_mins(2) {
            let servers: Vec<String> = (0..=chance.below(3)).map(|_| self.post.server(chance).to_owned()).collect();
            let told = join_all(servers.iter().map(|server| self.ask(server, client, &order))).await;
            if let Some(order) = told.into_iter().flatten().next() {
                self.look(chance, client, order).await;
                return Some(order);
            }
            sleep(Duration::from_millis(300)).await;
        }
        None
    }

    fn token(&self, client: i64) -> &str {
        let number = usize::try_from(client).unwrap_or_default() % self.tokens.len().max(1);
        self.tokens.get(number).map(String::as_str).unwrap_or_default()
    }

    /// The order that it was told of.
    async fn ask(&self, server: &str, client: i64, order: &Value) -> Option<i64> {
        let request = self.post.client().post(format!("{server}/api/orders")).bearer_auth(self.token(client));
        let request = request.header("Idempotency-Key", format!("client-{client}")).timeout(Duration::from_secs(40));
        let answer = request.header("Content-Type", "application/json").body(order.to_string()).send().await;
        self.post.tally(answer.as_ref().ok().map(|answer| answer.status().as_u16()));
        let answer = answer.ok()?;
        match answer.status().as_u16() {
            200 | 201 => {
                let said: Value = serde_json::from_slice(&answer.bytes().await.ok()?).unwrap_or_default();
                let order = said["id"].as_i64().or_else(|| said["order"]["id"].as_i64());
                match order {
                    Some(order) => drop(lock(&self.made).entry(client).or_default().insert(order)),
                    None => self.post.note_odd(format!("an order without a number for client {client}: {said}")),
                }
                order
            }
            // Another one is at work on the same key; there were too many in this minute; the database is away.
            409 | 429 | 503 => None,
            status => {
                self.post.note_odd(format!("{status} for client {client} of the API"));
                None
            }
        }
    }

    /// Says more of some orders a while after they were made, so that cards that show them are shown anew.
    pub(in crate::torture) async fn change(&self, chance: &mut Chance, order: i64) {
        if !chance.percent(40) {
            return;
        }
        sleep(Duration::from_millis(300 + chance.below_u64(4000))).await;
        let server = self.post.server(chance);
        let request = self.post.client().patch(format!("{server}/api/orders/{order}")).bearer_auth(self.token(order));
        let request = request.header("If-Match", "*").timeout(Duration::from_secs(40));
        let said = json!({"description": format!("Ring {} times", 1 + chance.below(5))});
        let answer = request.header("Content-Type", "application/json").body(said.to_string()).send().await;
        let status = answer.ok().map(|answer| answer.status().as_u16());
        self.post.tally(status);
        // It may have been closed meanwhile, or be in somebody's hands at this moment.
        if !matches!(status, None | Some(200 | 409 | 429 | 503)) {
            self.post.note_odd(format!("{status:?} for a change of order {order} by the API"));
        }
    }

    /// Looks at an order, which has to be there once it was told of.
    async fn look(&self, chance: &mut Chance, client: i64, order: i64) {
        let server = self.post.server(chance);
        let request = self.post.client().get(format!("{server}/api/orders/{order}")).bearer_auth(self.token(client));
        let answer = request.timeout(Duration::from_secs(40)).send().await;
        let status = answer.ok().map(|answer| answer.status().as_u16());
        self.post.tally(status);
        if !matches!(status, None | Some(200 | 429 | 503)) {
            self.post.note_odd(format!("{status:?} for order {order} of the API, which was made"));
        }
    }
}
