//! Takes steps in the system and in the model, and compares the two.

use std::collections::BTreeMap;

use field_service::bots::delivery;
use field_service::dispatch::{deliver, verify};
use field_service::model::OrderId;
use field_service::sim::telegram::Chat;
use futures_util::future::join_all;

use super::fairness;
use super::model::{Offer, Order, Question};
use super::{LIMIT, MASTERS, Step, Work};
use crate::harness::{Dispatch, MASTER_TOKEN};

/// Their Telegram ids.
const USERS: [i64; MASTERS] = [101, 102, 103, 200];

/// The system, and what the model holds of it.
pub(super) struct Life {
    pub(super) t: Dispatch,
    chats: Vec<Chat>,
    pub(super) orders: Vec<Order>,
    pub(super) blocked: [bool; MASTERS],
    /// What a master was asked last, about which order, and when.
    asked: [Option<(Question, usize, i64)>; MASTERS],
    now: i64,
    once_blocked: [bool; MASTERS],
    /// Whose bot nobody can write by now.
    silent: [bool; MASTERS],
    /// Taps that have changed something, and messages, to be delivered again, each with its master.
    taps: Vec<(usize, serde_json::Value)>,
}

impl Life {
    pub(super) async fn begin() -> Self {
        let t = Dispatch::with_standing_clock(1).await;
        t.add_staff(500).await;
        t.execute("INSERT INTO dispatch_policies (max_active_orders, masters_per_round) VALUES (2, 2)", &[]).await;
        let chats: Vec<Chat> = USERS.map(|user| t.chat(user)).into();
        for chat in &chats {
            chat.say("/start").await;
        }
        let now = t.clock.now().expect("a standing clock").as_second();
        Self {
            t,
            chats,
            orders: Vec::new(),
            blocked: [false; MASTERS],
            asked: [None; MASTERS],
            now,
            once_blocked: [false; MASTERS],
            silent: [false; MASTERS],
            taps: Vec::new(),
        }
    }

    pub(super) fn order(&self, number: usize) -> Option<usize> {
        (!self.orders.is_empty()).then(|| number % self.orders.len())
    }

    pub(super) fn load(&self, master: usize) -> usize {
        self.orders.iter().filter(|order| order.owner == Some(master) && order.active()).count()
    }

    /// What a tap on «✅ Взять заявку» is to be answered, in words that stand in no other answer.
    fn expected(&self, master: usize, order: usize) -> &'static str {
        let order = &self.orders[order];
        let offer = order.offers.get(&master);
        let own = order.owner == Some(master);
        if offer.is_none() && !own {
            return "не найдена";
        }
        if own && order.active() {
            return "уже ваша";
        }
        if self.blocked[master] {
            return "заблокирован";
        }
        if order.active() {
            return "Уже занято";
        }
        match offer {
            _ if !order.open() => "снята",
            Some(Offer::Declined) => "отклонили",
            Some(Offer::Live { until }) if *until > self.now => {
                if self.load(master) >= LIMIT {
                    "лимит"
                } else {
                    "принята"
                }
            }
            Some(Offer::Live { .. } | Offer::Expired) => "Время истекло",
            _ => "снята",
        }
    }

    fn taken(&mut self, master: usize, order: usize) {
        let order = &mut self.orders[order];
        order.offers.insert(master, Offer::Accepted);
        order.recall(Some(master));
        order.assign(master);
    }

    async fn tap(&mut self, master: usize, data: String) -> String {
        let before = self.t.everything().await;
        if data.starts_with("m:new") {
            self.go_elsewhere(master);
        }
        let tap = self.chats[master].tap(&data).await;
        assert_eq!(tap.delivery.status, Some(200), "{data}");
        if self.t.everything().await != before {
            self.taps.push((master, tap.update.clone()));
        }
        tap.notice().to_owned()
    }

    pub(super) async fn take(&mut self, step: &Step) -> Result<(), String> {
        match step.clone() {
            Step::Create { status } => {
                let id = self.t.order().in_status(status).create().await;
                let offers = BTreeMap::new();
                self.orders.push(Order {
                    id,
                    status,
                    owner: None,
                    changes: 0,
                    offers,
                    guarantee: status == "GUARANTEE",
                });
            }
            Step::Tick { at_once } => {
                let waited = fairness::waits(&self.t).await;
                let waves = self.t.waves_now().await;
                let due = fairness::due(&self.t).await;
                join_all((0..at_once).map(|_| self.t.tick())).await;
                // Several passes at once hold masters before each other.
                if at_once == 1 {
                    fairness::check_idle(&self.t, &due).await?;
                    if waves == 0 {
                        fairness::check(&self.t, &waited).await?;
                    }
                }
                return self.adopt().await;
            }
            Step::Tell => drop(delivery::pass(&self.t.app.bots(), None).await.expect("a database")),
            Step::Open { master, order } => {
                if let Some(order) = self.order(order) {
                    let id = self.orders[order].id;
                    self.tap(master, format!("m:new:card:{id}:1")).await;
                }
            }
            Step::Tap { master, order } => return self.tap_accept(master, order).await,
            Step::TapTogether { order } => return self.tap_together(order).await,
            Step::Decline { master, order } => return self.decline(master, order).await,
            Step::Shift { master, on } => {
                self.tap(master, format!("m:sh:{}", if on { "on" } else { "off" })).await;
                self.go_elsewhere(master);
            }
            Step::Block { master, blocked } => {
                // To unblock says something of who is blocked.
                let next = (0..MASTERS).map(|next| (master + next) % MASTERS).find(|next| self.blocked[*next]);
                let master = if blocked { master } else { next.unwrap_or(master) };
                self.blocked[master] = blocked;
                let user = USERS[master];
                self.t
                    .execute("UPDATE masters SET is_blocked = $2 WHERE telegram_user_id = $1", &[&user, &blocked])
                    .await;
            }
            Step::BlockBot { master, blocked } => {
                self.once_blocked[master] |= blocked;
                self.silent[master] = blocked;
                self.chats[master].block_bot(blocked);
            }
            Step::Work { master, order, what } => return self.work(master, order, what).await,
            Step::Say { master, text } => self.say(master, text).await,
            Step::Cancel { order } => return self.cancel(order).await,
            Step::Staff { master, order, what } => return self.staff_does(master, order, what).await,
            Step::ByHand { order } => self.cancel_by_hand(order).await,
            Step::Redeliver { update } => return self.redeliver(update).await,
            Step::SenderDies => drop(deliver::claim(&self.t.app.store, None).await.expect("a database")),
            Step::Restart => self.t = self.t.restarted().await,
            Step::Jump { seconds } => {
                self.t.let_pass(seconds);
                self.now += seconds;
            }
        }
        Ok(())
    }

    async fn tap_accept(&mut self, master: usize, order: usize) -> Result<(), String> {
        let Some(order) = self.order(order) else { return Ok(()) };
        let expected = self.expected(master, order);
        let id = self.orders[order].id;
        let said = self.tap(master, format!("m:new:acc:{id}:1")).await;
        if !said.contains(expected) {
            return Err(format!("«{said}» instead of «{expected}»"));
        }
        if expected == "принята" {
            self.taken(master, order);
        }
        Ok(())
    }

    async fn tap_together(&mut self, order: usize) -> Result<(), String> {
        let Some(order) = self.order(order) else { return Ok(()) };
        let id = self.orders[order].id;
        let may: Vec<usize> = (0..MASTERS).filter(|master| self.expected(*master, order) == "принята").collect();
        let take = format!("m:new:acc:{id}:1");
        (0..MASTERS).for_each(|master| self.go_elsewhere(master));
        let taps = join_all(self.chats.iter().map(|chat| chat.tap(&take))).await;
        let won: Vec<usize> = (0..MASTERS).filter(|master| taps[*master].notice().contains("принята")).collect();
        if won.len() != usize::from(!may.is_empty()) || !won.iter().all(|master| may.contains(master)) {
            return Err(format!("{won:?} won, {may:?} might have"));
        }
        if let [winner] = won[..] {
            self.taps.push((winner, taps[winner].update.clone()));
            self.taken(winner, order);
        }
        Ok(())
    }

    async fn decline(&mut self, master: usize, order: usize) -> Result<(), String> {
        let Some(order) = self.order(order) else { return Ok(()) };
        let id = self.orders[order].id;
        let now = self.now;
        let open = self.orders[order].open();
        let live = matches!(self.orders[order].offers.get(&master), Some(Offer::Live { until }) if *until > now);
        let said = self.tap(master, format!("m:new:dec_yes:{id}:1")).await;
        if (live && open) != said.contains("Заявка отклонена") {
            return Err(format!("declining: «{said}», live: {live}"));
        }
        if live && open {
            self.orders[order].offers.insert(master, Offer::Declined);
        }
        Ok(())
    }

    async fn cancel(&mut self, order: usize) -> Result<(), String> {
        let Some(order) = self.order(order) else { return Ok(()) };
        let outcome = self.t.cancel(self.orders[order].id, "передумали").await;
        let order = &mut self.orders[order];
        let may = order.open() || order.active();
        if (outcome == "SUCCESS") != may {
            return Err("canceled what cannot be, or the other way round".to_owned());
        }
        if may {
            order.recall(None);
            order.set("CANCELED");
        }
        Ok(())
    }

    async fn redeliver(&mut self, update: usize) -> Result<(), String> {
        if let Some((master, update)) = self.taps.iter().rev().nth(update).cloned() {
            let before = self.t.everything().await;
            self.chats[master].deliver(update).await;
            let after = self.t.everything().await;
            // Whoever cannot be shown the screen again is owed it.
            let user = USERS[master].to_string();
            let owed =
                |line: &str| self.silent[master] && line.split(' ').nth(2) == Some(&user) && !before.contains(line);
            let after = after.lines().filter(|line| !owed(line)).collect::<Vec<_>>().join("\n");
            // A card that is opened again is viewed again.
            if without_views(&before) != without_views(&after) {
                return Err(format!("a redelivery changed\n{before}\ninto\n{after}"));
            }
        }
        Ok(())
    }

    async fn cancel_by_hand(&mut self, order: usize) {
        let Some(order) = self.order(order) else { return };
        let order = &mut self.orders[order];
        if order.open() {
            self.t.sql.batch_execute(&by_hand(order.id)).await.expect("a transaction");
            order.recall(None);
            order.set("CANCELED");
        }
    }

    /// Takes over the offers that the tick has made and ended.
    async fn adopt(&mut self) -> Result<(), String> {
        for order in 0..self.orders.len() {
            if self.orders[order].status == "CREATED" {
                self.orders[order].set("SEARCHING");
            }
            self.adopt_offers_of(order).await?;
        }
        Ok(())
    }

    /// Takes over the offers of one order.
    pub(super) async fn adopt_offers_of(&mut self, order: usize) -> Result<(), String> {
        {
            let order = &mut self.orders[order];
            let rows = self
                .t
                .sql
                .query(
                    "SELECT DISTINCT ON (master_id) telegram_user_id, state, floor(extract(epoch FROM expires_at))::bigint,
                            on_shift, sent_at >= $2
                     FROM offers JOIN masters ON masters.id = master_id
                     WHERE order_id = $1 ORDER BY master_id, offers.id DESC",
                    &[&order.id.0, &self.t.clock.now()],
                )
                .await
                .expect("offers");
            for row in rows {
                let master = USERS.iter().position(|user| *user == row.get::<_, i64>(0)).expect("a master");
                let (state, until): (&str, i64) = (row.get(1), row.get(2));
                let known = order.offers.get(&master).copied();
                let now = match state {
                    "SENT" | "VIEWED" => Offer::Live { until },
                    "EXPIRED" => Offer::Expired,
                    // Whoever is blocked is offered nothing any more.
                    "CANCELED" if self.blocked[master] && matches!(known, Some(Offer::Live { .. })) => Offer::Canceled,
                    _ => match known {
                        Some(known) => known,
                        None => return Err(format!("{order:?}: an offer to {master} that is {state}")),
                    },
                };
                match (known, now) {
                    (Some(Offer::Live { until }), Offer::Expired) if until > self.now => {
                        return Err(format!("{order:?}: the offer to {master} expired too soon"));
                    }
                    (known, Offer::Live { .. }) if known != Some(now) => {
                        let fresh: bool = row.get(4);
                        if !order.open()
                            || self.blocked[master]
                            || !row.get::<_, bool>(3)
                            || until <= self.now
                            || !fresh
                        {
                            return Err(format!("{order:?}: must not be offered to {master}"));
                        }
                    }
                    (_, Offer::Live { until }) if until <= self.now => {
                        return Err(format!("{order:?}: the offer to {master} lives past its deadline"));
                    }
                    _ => {}
                }
                order.offers.insert(master, now);
            }
        }
        Ok(())
    }

    async fn work(&mut self, master: usize, order: usize, what: Work) -> Result<(), String> {
        let Some(order) = self.order(order) else { return Ok(()) };
        let (word, from, to) = match what {
            Work::EnRoute => ("enr", "ASSIGNED", "EN_ROUTE"),
            Work::OnSite => ("wrk", "EN_ROUTE", "WORKING"),
            Work::Done => ("cls_yes", "WORKING", "PAYMENT"),
            Work::NotDone => ("cls_no", "PAYMENT", "WORKING"),
            Work::AskReturn => ("ret", "", ""),
        };
        let id = self.orders[order].id;
        let own = self.orders[order].owner == Some(master) && self.orders[order].active();
        let may = own && self.orders[order].status == from;
        self.t.pause().await;
        let said = self.tap(master, format!("m:act:{word}:{id}")).await;
        self.go_elsewhere(master);
        match what {
            Work::AskReturn => {
                if own && self.orders[order].status != "PAYMENT" {
                    self.asked[master] = Some((Question::Reason, order, self.now));
                }
                return Ok(());
            }
            Work::Done if may => self.asked[master] = Some((Question::Amount, order, self.now)),
            _ => {}
        }
        if own == said.contains("не ваша") {
            return Err(format!("«{said}» to {master} about {:?}", self.orders[order]));
        }
        if may {
            self.orders[order].set(to);
        }
        Ok(())
    }

    /// Nothing is waited for any more.
    fn go_elsewhere(&mut self, master: usize) {
        self.asked[master] = None;
    }

    async fn say(&mut self, master: usize, text: &'static str) {
        // Writing opens a chat that was blocked.
        self.silent[master] = false;
        let update = self.chats[master].text_update(text);
        self.t.telegram.deliver(MASTER_TOKEN, &update).await;
        self.taps.push((master, update));
        let shown = self.chats[master].messages().pop();
        let confirm = shown.into_iter().flat_map(|message| message.buttons.concat());
        let confirm = confirm
            .into_iter()
            .find(|button| button.text.contains("Да, закрыть") || button.text.contains("Да, вернуть"));
        if let Some(confirm) = confirm.filter(|_| !text.starts_with('/')) {
            let tap = self.chats[master].tap(&confirm.data).await;
            self.taps.push((master, tap.update));
        }
        let now = self.now;
        let asked = self.asked[master].filter(|asked| asked.0 == Question::Amount || asked.2 > now - 3600);
        let Some((question, order, _)) = asked.filter(|_| !text.starts_with('/')) else {
            return self.go_elsewhere(master);
        };
        let order = &mut self.orders[order];
        let own = order.owner == Some(master) && order.active();
        match question {
            Question::Amount if own && order.status == "PAYMENT" => {
                if text == "не могу" {
                    return;
                }
                order.set("CLOSED");
            }
            Question::Reason if own && order.status != "PAYMENT" => order.search_again(),
            // Nobody asks that any more.
            Question::Amount | Question::Reason => {}
        }
        self.asked[master] = None;
    }

    /// The database holds what the model holds, and breaks no invariant.
    pub(super) async fn check(&self) -> Result<(), String> {
        let violations = field_service::sim::invariants::violations(&self.t.sql).await.expect("queries");
        if !violations.is_empty() {
            return Err(violations.join("\n"));
        }
        let history = verify::verify(&self.t.app.store, |_| ()).await.expect("a database");
        if !history.fits() {
            return Err(format!("the history does not fit: {history:?}"));
        }
        for order in &self.orders {
            let row = self
                .t
                .sql
                .query_one("SELECT status, assigned_master_id, version FROM orders WHERE id = $1", &[&order.id.0])
                .await
                .expect("an order");
            let owner = order.owner.map(|master| i64::try_from(master).expect("a small number") + 1);
            let found: (&str, Option<i64>, i32) = (row.get(0), row.get(1), row.get(2));
            if found != (order.status, owner, 1 + order.changes) {
                return Err(format!("{found:?} in the database, {order:?} in the model"));
            }
        }
        Ok(())
    }

    /// What the outbox has had to say about an order, and where its cards are.
    async fn sent(&self, order: OrderId) -> String {
        self.t
            .one(
                "SELECT concat(
                     (SELECT string_agg(outbox::text, E'\\n' ORDER BY id) FROM outbox WHERE order_id = $1), E'\\n',
                     (SELECT string_agg(concat(cards, ' ', offers), E'\\n') FROM cards JOIN offers ON offers.id = offer_id))",
                &[&order.0],
            )
            .await
    }

    /// When all is over everybody has been told, and nobody's chat offers what cannot be taken.
    pub(super) async fn end(&mut self) -> Result<(), String> {
        for chat in &self.chats {
            chat.block_bot(false);
        }
        for _ in 0..4 {
            self.t.let_pass(40);
            self.now = self.t.clock.now().expect("a standing clock").as_second();
            self.t.tick().await;
            self.adopt().await?;
            self.t.tell().await;
        }
        self.check().await?;
        let waiting: i64 = self.t.one("SELECT count(*) FROM outbox WHERE finished_at IS NULL", &[]).await;
        if waiting > 0 {
            return Err(format!("{waiting} messages wait"));
        }
        for (master, chat) in self.chats.iter().enumerate() {
            // A message in a chat that was blocked could not be edited.
            for message in chat.messages().iter().filter(|_| !self.once_blocked[master]) {
                for button in message.buttons.concat() {
                    let taken =
                        button.data.strip_prefix("m:new:acc:").and_then(|rest| rest.split(':').next()?.parse().ok());
                    let Some(id) = taken.map(OrderId) else { continue };
                    let order = self.orders.iter().find(|order| order.id == id);
                    let live = order.and_then(|order| order.offers.get(&master));
                    if !matches!(live, Some(Offer::Live { .. })) {
                        let sent = self.sent(id).await;
                        let shown = chat.messages();
                        return Err(format!("{master}'s chat offers {order:?}\n{sent}\n{shown:?}"));
                    }
                }
            }
        }
        let stale: i64 = self
            .t
            .one(
                "SELECT count(*) FROM cards JOIN offers ON offers.id = offer_id WHERE state NOT IN ('SENT', 'VIEWED')",
                &[],
            )
            .await;
        if stale > 0 {
            return Err(format!("{stale} cards of ended offers"));
        }
        Ok(())
    }
}

/// A dispatcher at the database's prompt, who knows the rules but writes no messages.
fn by_hand(order: OrderId) -> String {
    format!(
        "BEGIN;
         SELECT FROM orders WHERE id = {order} FOR UPDATE;
         INSERT INTO order_status_history (order_id, from_status, to_status, actor_type)
         SELECT id, status, 'CANCELED', 'ADMIN' FROM orders WHERE id = {order};
         UPDATE orders SET status = 'CANCELED', version = version + 1 WHERE id = {order};
         UPDATE offers SET state = 'CANCELED' WHERE order_id = {order} AND state IN ('SENT', 'VIEWED');
         COMMIT"
    )
}

/// The offers' rows without what looking at a card changes.
fn without_views(contents: &str) -> String {
    contents.replace("VIEWED", "SENT").lines().map(|line| line.split(",\"20").next().unwrap_or(line)).collect()
}
