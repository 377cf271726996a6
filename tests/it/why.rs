//! «Почему не мне»: what is found out later is what the wave really decided, and everybody is told what is theirs to know.

use std::collections::{BTreeMap, HashMap, HashSet};

use field_service::dispatch::act::{self, Asked, StaffCommand};
use field_service::dispatch::why as verbs;
use field_service::model::selection::{Exclusion, Pool, Search};
use field_service::model::why::{Story, Verdict, judge};
use field_service::model::{Amount, Category, MasterId, OrderId, StaffId, StaffRef, TelegramUserId};
use field_service::sim::invariants;
use field_service::sim::telegram::Chat;
use field_service::store::{rounds, why};
use insta::assert_snapshot;
use jiff::Timestamp;

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, STRANGER, VERA, master};

const OLGA: i64 = 500;
const TRADES: [&str; 3] = ["PLUMBING", "ELECTRICS", "WINDOWS"];

/// SplitMix64: the same lives for the same seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
            bits = (bits ^ (bits >> 30)).wrapping_mul(factor);
        }
        bits ^ (bits >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).expect("a number")).expect("a number")
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn number(&mut self, limit: i64) -> i64 {
        i64::try_from(self.below(usize::try_from(limit).expect("a number"))).expect("a number")
    }
}

/// A wave as it was when it went out.
#[derive(Clone, Debug)]
struct Decided {
    order: OrderId,
    chosen: Vec<MasterId>,
    excluded: BTreeMap<Exclusion, i64>,
    passed_over: (Option<i64>, Option<i32>),
    /// Why each of the others was not asked, if it went out alone, so that this could be seen right after it.
    others: Option<HashMap<MasterId, Option<Exclusion>>>,
}

struct Lives {
    t: Dispatch,
    chance: Chance,
    users: Vec<i64>,
    orders: Vec<OrderId>,
    begun: Timestamp,
    decided: BTreeMap<(Timestamp, OrderId), Decided>,
}

impl Lives {
    async fn begin(seed: u64) -> Self {
        let t = Dispatch::with_standing_clock(7).await;
        t.add_staff(OLGA).await;
        // A bot that is refused by many takes its refusals back later, and then nobody knows any more whom an offer had reached.
        let users: Vec<i64> = [ANNA, BORIS, VERA].into_iter().chain(200..207).collect();
        for user in &users {
            t.chat(*user).say("/start").await;
        }
        // Whatever bears the database's own time is from before.
        t.let_pass(3600);
        let begun = t.clock.now().expect("a standing clock");
        t.execute("INSERT INTO districts (city_id, name) VALUES (1, 'Север'), (1, 'Юг')", &[]).await;
        t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
        t.execute(
            "INSERT INTO dispatch_policies (max_active_orders, first_masters, widen_every_seconds) VALUES (3, 2, 30)",
            &[],
        )
        .await;
        t.execute("INSERT INTO master_districts SELECT masters.id, districts.id FROM masters, districts", &[]).await;
        t.execute("UPDATE masters SET rating = 3 + (id % 3) * 0.5", &[]).await;
        t.execute("UPDATE masters SET created_at = $1, on_shift_since = $1", &[&begun]).await;
        t.execute("UPDATE master_changes SET created_at = $1", &[&begun]).await;
        Self { t, chance: Chance(seed), users, orders: Vec::new(), begun, decided: BTreeMap::new() }
    }

    fn now(&self) -> Timestamp {
        self.t.clock.now().expect("a standing clock")
    }

    async fn id(&self, user: i64) -> MasterId {
        MasterId(self.t.one("SELECT id FROM masters WHERE telegram_user_id = $1", &[&user]).await)
    }

    /// What triggers have dated by the database's clock is dated by the test's.
    async fn date(&self) {
        let (now, begun) = (self.now(), self.begun);
        self.t.execute("UPDATE master_changes SET created_at = $1 WHERE created_at < $2", &[&now, &begun]).await;
        self.t.execute("UPDATE masters SET on_shift_since = $1 WHERE on_shift_since < $2", &[&now, &begun]).await;
    }

    /// Lets what a tap has caused be delivered: whether a message that is being sent has reached its master is known only then.
    async fn settle(&self) {
        let under_way = "SELECT count(*) FROM outbox WHERE lease IS NOT NULL AND finished_at IS NULL";
        for _ in 0..500 {
            if self.t.one::<i64>(under_way, &[]).await == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn step(&mut self) {
        self.settle().await;
        let at_most = if self.chance.below(6) == 0 { 200 } else { 12 };
        let jump = 1 + self.chance.number(at_most);
        self.t.let_pass(jump);
        let user = self.chance.of(&self.users);
        match self.chance.below(23) {
            0..3 => self.create().await,
            3..9 => drop(self.t.tick().await),
            9 | 10 => self.answer("acc").await,
            11 | 12 => self.answer("dec_yes").await,
            13 => drop(self.t.chat(user).tap(&format!("m:sh:{}", self.chance.of(&["on", "off"]))).await),
            14 => {
                let sql = "UPDATE masters SET on_shift = NOT on_shift WHERE telegram_user_id = $1";
                self.t.execute(sql, &[&user]).await;
            }
            15 => {
                let sql = "UPDATE masters SET is_blocked = NOT is_blocked WHERE telegram_user_id = $1";
                self.t.execute(sql, &[&user]).await;
            }
            16 => {
                let limit = self.chance.of(&[None, Some(0), Some(1), Some(2), Some(4)]);
                let sql = "UPDATE masters SET max_active_orders = $2 WHERE telegram_user_id = $1";
                self.t.execute(sql, &[&user, &limit]).await;
            }
            17 => {
                let sql = "UPDATE masters SET unreachable_since = CASE WHEN unreachable_since IS NULL THEN $2::timestamptz END
                           WHERE telegram_user_id = $1";
                self.t.execute(sql, &[&user, &self.now()]).await;
            }
            18 => self.change_work(user).await,
            19 => {
                let limit: i32 = self.chance.of(&[1, 2, 3, 5]);
                let sql =
                    "INSERT INTO dispatch_policies (max_active_orders, first_masters, created_at) VALUES ($1, 2, $2)";
                self.t.execute(sql, &[&limit, &self.now()]).await;
            }
            20 => {
                let sql = "UPDATE masters SET city_id = 3 - city_id WHERE telegram_user_id = $1";
                self.t.execute(sql, &[&user]).await;
            }
            _ => self.staff_do(user).await,
        }
        self.date().await;
        self.keep_what_was_decided().await;
    }

    async fn create(&mut self) {
        let order = self.t.order().in_status("CREATED").create().await;
        let trade = self.chance.of(&TRADES);
        // Whoever has moved there has orders of the first city on his hands, and the other way round.
        let city = if self.chance.below(3) == 0 { 2_i64 } else { 1 };
        let district = if city == 1 { self.chance.of(&[None, Some(1_i64), Some(2)]) } else { None };
        let preferred = if self.chance.below(4) == 0 { Some(1 + self.chance.number(10)) } else { None };
        self.t
            .execute(
                "UPDATE orders SET category = $2, district_id = $3, preferred_master_id = $4, city_id = $5 WHERE id = $1",
                &[&order.0, &trade, &district, &preferred, &city],
            )
            .await;
        self.orders.push(order);
    }

    /// Somebody answers an offer, if there is one.
    async fn answer(&mut self, how: &str) {
        let rows = self.t.sql.query(
            "SELECT order_id, telegram_user_id FROM offers JOIN masters ON masters.id = master_id
             WHERE state IN ('SENT', 'VIEWED') ORDER BY offers.id",
            &[],
        );
        let live: Vec<(i64, i64)> = rows.await.expect("offers").iter().map(|row| (row.get(0), row.get(1))).collect();
        if !live.is_empty() {
            let (order, user) = self.chance.of(&live);
            self.t.chat(user).tap(&format!("m:new:{how}:{order}")).await;
        }
    }

    async fn change_work(&mut self, user: i64) {
        let id = self.id(user).await.0;
        if self.chance.below(2) == 0 {
            let trade = self.chance.of(&TRADES);
            let sql = "DELETE FROM master_categories WHERE master_id = $1 AND category = $2";
            if self.t.sql.execute(sql, &[&id, &trade]).await.expect("a deletion") == 0 {
                let sql = "INSERT INTO master_categories (master_id, category) VALUES ($1, $2)";
                self.t.execute(sql, &[&id, &trade]).await;
            }
        } else {
            let district = 1 + self.chance.number(2);
            let sql = "DELETE FROM master_districts WHERE master_id = $1 AND district_id = $2";
            if self.t.sql.execute(sql, &[&id, &district]).await.expect("a deletion") == 0 {
                let sql = "INSERT INTO master_districts (master_id, district_id) VALUES ($1, $2)";
                self.t.execute(sql, &[&id, &district]).await;
            }
        }
    }

    async fn staff_do(&mut self, user: i64) {
        if self.orders.is_empty() {
            return;
        }
        let order = self.chance.of(&self.orders);
        let command = match self.chance.below(6) {
            0 | 1 => StaffCommand::Assign(self.id(user).await),
            2 => StaffCommand::SearchAgain("поздно".to_owned()),
            3 => StaffCommand::Close(Amount::from_kopecks(100_000).expect("a sum")),
            4 => StaffCommand::Reopen,
            _ => StaffCommand::Cancel("передумали".to_owned()),
        };
        let asked = Asked { staff: StaffRef::Id(StaffId(1)), order, seen: None, origin: None, answers: None };
        act::act(&self.t.app.store, asked, &command).await.expect("a database");
    }

    async fn keep_what_was_decided(&mut self) {
        let rows = self
            .t
            .sql
            .query(
                "SELECT order_id, ARRAY (SELECT jsonb_array_elements_text(chosen)::bigint), excluded::text,
                        passed_over_master_id, passed_over_seconds, created_at
                 FROM dispatch_rounds WHERE created_at = $1",
                &[&self.now()],
            )
            .await
            .expect("waves");
        for row in &rows {
            let counts: BTreeMap<String, i64> = serde_json::from_str(row.get(2)).expect("counts");
            let excluded =
                counts.into_iter().map(|(word, count)| (Exclusion::parse(&word).expect("a reason"), count)).collect();
            let chosen: Vec<MasterId> = row.get::<_, Vec<i64>>(1).into_iter().map(MasterId).collect();
            let order = OrderId(row.get(0));
            let others = if rows.len() == 1 { Some(self.others(order, &chosen).await) } else { None };
            let decided = Decided { order, chosen, excluded, passed_over: (row.get(3), row.get(4)), others };
            // As the database has it, to the microsecond.
            self.decided.insert((row.get(5), order), decided);
        }
    }

    /// Why the others were not asked, by what the pass itself reads: nothing of theirs has changed since it went out.
    async fn others(&self, order: OrderId, chosen: &[MasterId]) -> HashMap<MasterId, Option<Exclusion>> {
        let store = &self.t.app.store;
        let sql = "SELECT district_id, category, preferred_master_id, city_id FROM orders WHERE id = $1";
        let row = self.t.sql.query_one(sql, &[&order.0]).await.expect("an order");
        let asked = rounds::asked_for(store, order, true).await.expect("a database");
        let search = Search {
            order,
            city: row.get(3),
            district: row.get(0),
            category: Category::parse(row.get(1)).expect("a trade"),
            preferred: row.get::<_, Option<i64>>(2).map(MasterId),
            preferred_first: true,
            asked: asked.into_iter().filter(|master| !chosen.contains(master)).collect(),
        };
        let pool = Pool::new(rounds::masters(store, &[search.city]).await.expect("a database"));
        let ranked = pool.ranked(&search).into_iter().map(|(master, why_not)| (master.id, why_not));
        ranked.filter(|(master, _)| !chosen.contains(master)).collect()
    }

    async fn story(&self, order: OrderId) -> Story {
        let staff = StaffRef::Id(StaffId(1));
        let found = why::of_staff(&self.t.app.store, order, staff).await.expect("a database").expect("an order");
        why::story(&self.t.app.store, &found, None).await.expect("a database")
    }

    /// Compares what is found out of each order's waves with what they decided; how many were compared, and how many of them one
    /// master after the other.
    async fn compare(&self, seed: u64) -> (usize, usize) {
        let (mut compared, mut singly) = (0, 0);
        for order in &self.orders {
            let story = self.story(*order).await;
            for wave in &story.waves {
                let decided = self.decided.get(&(wave.at.at, *order)).expect("a wave that was seen when it went out");
                assert_eq!(decided.order, *order);
                let judged = judge(&story.order, wave, &story.masters);
                let what = format!(
                    "seed {seed}, order {order}, wave {} at {}: {decided:#?}\n{judged:#?}",
                    wave.number, wave.at.at
                );
                let mut counts: BTreeMap<Exclusion, i64> = BTreeMap::new();
                for (_, why_not) in &judged.ranked {
                    *counts.entry(why_not.unwrap_or(Exclusion::Rank)).or_default() += 1;
                }
                let chosen = i64::try_from(decided.chosen.len()).expect("a number");
                *counts.entry(Exclusion::Rank).or_default() -= chosen;
                counts.retain(|_, count| *count != 0);
                assert_eq!(counts, decided.excluded, "{what}");
                let eligible: Vec<_> =
                    judged.ranked.iter().filter(|(_, why_not)| why_not.is_none()).map(|(master, _)| master).collect();
                let first: Vec<MasterId> = eligible.iter().take(decided.chosen.len()).map(|master| master.id).collect();
                assert_eq!(first, decided.chosen, "{what}");
                assert!(judged.agrees, "{what}");
                let passed = eligible.iter().skip(first.len()).min_by_key(|master| (master.waits_since(), master.id));
                let seconds = passed
                    .and_then(|master| master.waits_since())
                    .map(|since| wave.at.at.duration_since(since))
                    // A second that has begun counts.
                    .map(|waited| waited.as_secs() + i64::from(waited.subsec_nanos() > 0))
                    .map(|seconds| i32::try_from(seconds).expect("a wait"));
                assert_eq!((passed.map(|master| master.id.0), seconds), decided.passed_over, "{what}");
                compared += 1;
                let Some(others) = &decided.others else { continue };
                singly += 1;
                let found: HashMap<_, _> = judged
                    .ranked
                    .iter()
                    .map(|(master, why_not)| (master.id, *why_not))
                    .filter(|(master, _)| !decided.chosen.contains(master))
                    .collect();
                assert_eq!(&found, others, "{what}");
            }
            Self::assert_told(&story);
        }
        (compared, singly)
    }

    /// What masters are told is of the same waves, and certain.
    fn assert_told(story: &Story) {
        for past in &story.masters {
            for (told, wave) in story.tell(past.id()).iter().zip(&story.waves) {
                assert!(told.certain && told.verdict != Verdict::Unknown, "{told:?}");
                let asked = matches!(told.verdict, Verdict::Asked(Some(_)));
                assert_eq!(asked, wave.chosen.contains(&past.id()), "{told:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_out_is_what_the_wave_decided() {
    let seeds: u64 = std::env::var("WHY_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3);
    let lives = usize::try_from(seeds).expect("a number");
    let (mut compared, mut singly, mut reasons) = (0, 0, HashSet::new());
    for seed in 0..seeds {
        let mut lives = Lives::begin(seed).await;
        for step in 0..90 {
            lives.step().await;
            if step % 30 == 29 {
                let (waves, alone) = lives.compare(seed).await;
                compared += waves;
                singly += alone;
            }
        }
        let mut violations = invariants::violations(&lives.t.sql).await.expect("the invariants' queries");
        // Whose limit was lowered keeps what there is.
        violations.retain(|violation| !violation.contains("more orders than the limit"));
        assert!(violations.is_empty(), "{violations:#?}");
        reasons.extend(lives.decided.values().flat_map(|decided| decided.excluded.keys().copied()));
    }
    assert!(compared > 20 * lives && singly > 5 * lives, "{compared} {singly}");
    for reason in Exclusion::ALL {
        // Of two at work at once; and of newcomers, of whom there is a test of their own.
        let elsewhere = [Exclusion::Held, Exclusion::Failed, Exclusion::Waiting].contains(&reason);
        assert!(elsewhere || reasons.contains(&reason), "{reason:?} has kept nobody away: {reasons:?}");
    }
}

impl Dispatch {
    /// What a master is told by the command.
    async fn why_told(&self, chat: &Chat, order: OrderId) -> String {
        chat.say(&format!("/why {order}")).await;
        chat.screen()
    }
}

fn screen(chat: &Chat) -> String {
    let buttons: Vec<String> = chat.buttons().iter().map(|button| format!("[{}]", button.text)).collect();
    format!("{}\n{}", chat.screen(), buttons.join(" "))
}

/// A day on which Anna, Boris and Vera are asked, and four others are not, each for a reason of his own.
async fn a_day() -> (Dispatch, OrderId) {
    let t = Dispatch::with_standing_clock(5).await;
    t.add_staff(OLGA).await;
    for user in [ANNA, BORIS, VERA].into_iter().chain(200..205) {
        t.chat(user).say("/start").await;
    }
    t.let_pass(3600);
    let hour_ago = t.clock.now().expect("a standing clock");
    t.execute("INSERT INTO districts (city_id, name) VALUES (1, 'Уралмаш')", &[]).await;
    t.execute("UPDATE masters SET on_shift_since = $1", &[&hour_ago]).await;
    t.execute("UPDATE masters SET full_name = 'Мастер ' || telegram_user_id WHERE telegram_user_id >= 200", &[]).await;
    // Boris' only place is taken.
    let taken = t.order().offered_to([BORIS]).await;
    t.tap_accept(BORIS, taken).await;
    t.execute("UPDATE masters SET max_active_orders = 1 WHERE telegram_user_id = $1", &[&BORIS]).await;
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = 200", &[]).await;
    t.execute("UPDATE masters SET is_blocked = true, blocked_reason = 'долг' WHERE telegram_user_id = 201", &[]).await;
    t.execute("DELETE FROM master_categories WHERE master_id = 6", &[]).await;
    t.execute(
        "UPDATE masters SET on_shift_since = $1 WHERE telegram_user_id IN (203, 204)",
        &[&(hour_ago + jiff::SignedDuration::from_mins(20))],
    )
    .await;
    t.execute("INSERT INTO dispatch_policies (first_masters, max_live_offers) VALUES (2, 3)", &[]).await;
    t.execute("UPDATE master_changes SET created_at = $1", &[&hour_ago]).await;
    t.let_pass(3600);
    let order = t.order().in_status("CREATED").create().await;
    t.tick().await;
    (t, order)
}

#[tokio::test]
async fn a_master_is_told_what_kept_him_from_each_wave() {
    let (t, order) = a_day().await;
    assert_eq!(t.asked(order).await, [ANNA, VERA]);
    t.let_pass(31);
    t.tick().await;
    t.let_pass(5);
    t.chat(ANNA).tap(&format!("m:new:dec_yes:{order}")).await;
    assert!(t.tap_accept(VERA, order).await.notice().contains("принята"));
    let users = [ANNA, BORIS, 200, 201, 202, 203, 204];
    let mut told = Vec::new();
    for user in users {
        let chat = t.chat(user);
        let text = t.why_told(&chat, order).await;
        for secret in ["Анна", "Вера", "Мария", "Ленина", "9990001122"] {
            assert!(!text.contains(secret), "{user} is told of {secret}: {text}");
        }
        told.push(format!("{user}: {text}"));
    }
    assert!(t.why_told(&t.chat(VERA), order).await.contains("ваша"));
    let fixed = told.join("\n\n———\n\n");
    let fixed = regex_times(&fixed);
    assert_snapshot!("why_not_me", fixed);
}

/// Times of day stand for any: the clock is ahead of the real one.
fn regex_times(text: &str) -> String {
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(':') {
        let is_time = at >= 2
            && rest.is_char_boundary(at - 2)
            && rest[at - 2..at].bytes().all(|byte| byte.is_ascii_digit())
            && rest[at + 1..].bytes().take(2).filter(u8::is_ascii_digit).count() == 2;
        if is_time {
            fixed.push_str(&rest[..at - 2]);
            fixed.push_str("ЧЧ:ММ");
            rest = &rest[at + 3..];
            let seconds =
                rest.strip_prefix(':').filter(|rest| rest.bytes().take(2).filter(u8::is_ascii_digit).count() == 2);
            if let Some(behind) = seconds {
                fixed.push_str(":СС");
                rest = &behind[2..];
            }
        } else {
            fixed.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
        }
    }
    // Around midnight a day stands before the time.
    (fixed + rest).replace("вчера ЧЧ:ММ", "ЧЧ:ММ")
}

#[tokio::test]
async fn staff_see_the_waves_and_what_kept_any_master_from_them() {
    let (t, order) = a_day().await;
    t.let_pass(31);
    t.tick().await;
    let desk = t.telegram.chat(ADMIN_TOKEN, OLGA, "Диспетчер");
    desk.tap(&format!("adm:q:card:{order}:1")).await;
    desk.press("Почему эти мастера").await;
    let mut seen = vec![screen(&desk)];
    desk.press("Борис").await;
    seen.push(screen(&desk));
    desk.press("К волнам").await;
    desk.press("▶").await;
    seen.push(screen(&desk));
    desk.press("не на смене").await;
    seen.push(screen(&desk));
    desk.press("К волнам").await;
    assert!(desk.screen().contains("Страница 2"), "{}", desk.screen());
    desk.tap(&format!("adm:o:whym:{order}:203")).await;
    assert_snapshot!("why_these", regex_times(&seen.join("\n\n———\n\n")));
    let tap = desk.tap(&format!("adm:o:whym:{order}:999")).await;
    assert!(tap.notice().contains("Такого мастера"), "{}", tap.notice());
}

#[tokio::test]
async fn an_order_of_another_city_is_not_found() {
    let (t, order) = a_day().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    t.execute("INSERT INTO masters (telegram_user_id, full_name, city_id) VALUES (300, 'Чужой', 2)", &[]).await;
    t.execute("UPDATE masters SET city_id = 2 WHERE telegram_user_id = 203", &[]).await;
    let now = t.clock.now().expect("a standing clock") + jiff::SignedDuration::from_secs(1);
    t.execute("UPDATE master_changes SET created_at = $1 WHERE what = 'CITY'", &[&now]).await;
    let not_found = async |user| {
        let outcome = verbs::of_master(&t.app.store, order, master(user), None).await.expect("a database");
        outcome.expect("a master").name() == "NOT_FOUND"
    };
    assert!(not_found(300).await, "of another city");
    assert!(!not_found(203).await, "who was there when it was searched for");
    t.execute("INSERT INTO masters (telegram_user_id, full_name, city_id) VALUES (301, 'Новый', 1)", &[]).await;
    t.execute(
        "UPDATE masters SET created_at = $1 WHERE telegram_user_id = 301",
        &[&(t.clock.now().expect("a clock") + jiff::SignedDuration::from_secs(1))],
    )
    .await;
    t.let_pass(60);
    assert!(not_found(301).await, "who came later");
    assert!(t.why_told(&t.chat(BORIS), OrderId(999_999)).await.contains("не найдена"));
    t.chat(BORIS).say("/why").await;
    assert!(t.chat(BORIS).screen().contains("/why 123"), "{}", t.chat(BORIS).screen());
    let stranger = verbs::of_master(&t.app.store, order, master(STRANGER), None).await.expect("a database");
    assert!(stranger.is_none());
    t.add_staff_as(502, "DISPATCHER", &[2]).await;
    let other = StaffRef::Telegram(TelegramUserId(502));
    assert!(verbs::waves(&t.app.store, order, other, 1).await.expect("a database").is_none());
    assert!(verbs::of_staff(&t.app.store, order, other, MasterId(1)).await.expect("a database").is_none());
}

#[tokio::test]
async fn staff_are_told_the_numbers_of_their_own_citys_orders_alone() {
    let (t, order) = a_day().await;
    // The order on Boris' hands is of a city that the dispatcher of the first one does not see.
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    let taken: i64 = t.one("SELECT id FROM orders WHERE id <> $1", &[&order.0]).await;
    let of_boris = async |user: i64| {
        let staff = StaffRef::Telegram(TelegramUserId(user));
        let id = MasterId(t.one("SELECT id FROM masters WHERE telegram_user_id = $1", &[&BORIS]).await);
        let why = verbs::of_staff(&t.app.store, order, staff, id).await.expect("a database").expect("a master");
        why.told[0].clone()
    };
    t.add_staff_as(502, "DISPATCHER", &[1]).await;
    let full = |orders: Vec<OrderId>, elsewhere| Verdict::Full { limit: 1, orders, offers: Vec::new(), elsewhere };
    assert_eq!(of_boris(502).await.verdict, full(vec![OrderId(taken)], 0));
    t.execute("UPDATE orders SET city_id = 2 WHERE id = $1", &[&taken]).await;
    let told = of_boris(502).await;
    assert_eq!((told.verdict, told.certain), (full(Vec::new(), 1), true), "what is on his hands counts in any city");
    assert_eq!(of_boris(OLGA).await.verdict, full(vec![OrderId(taken)], 0), "who sees all cities");
    let desk = t.telegram.chat(ADMIN_TOKEN, 502, "Диспетчер");
    desk.tap(&format!("adm:o:whym:{order}:2")).await;
    assert!(desk.screen().contains("Лимит 1 был занят: в других городах — 1"), "{}", desk.screen());
    assert!(t.why_told(&t.chat(BORIS), order).await.contains(&format!("№{taken}")), "his own");
}

#[tokio::test]
async fn what_a_wave_of_another_city_chose_among_is_not_guessed() {
    let (t, order) = a_day().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    t.execute("UPDATE orders SET city_id = 2 WHERE id = $1", &[&order.0]).await;
    t.execute("UPDATE masters SET city_id = 2 WHERE telegram_user_id = 203", &[]).await;
    let text = t.why_told(&t.chat(203), order).await;
    assert!(text.contains("Заявка тогда была в другом городе, точно уже не узнать"), "{text}");
}

#[tokio::test]
async fn one_master_at_a_time_is_answered_and_the_others_are_asked_to_come_back() {
    let (t, order) = a_day().await;
    let held = t.app.store.explanations().acquire().await.expect("a turn");
    let text = t.why_told(&t.chat(203), order).await;
    assert!(text.contains("через минуту"), "{text}");
    drop(held);
    let text = t.why_told(&t.chat(203), order).await;
    assert!(text.contains("Работа подходила"), "{text}");
}

/// An offer that has run out unseen has reached its master or not by what became of its message, for the waves and for whoever
/// asks about them later.
#[tokio::test]
async fn whom_an_offer_has_not_reached_was_not_asked_by_one_rule() {
    const SENT: &str = "message_id = NULL, finished_at = created_at, lease = NULL, dropped_because = NULL";
    for (message, also_overtaken, was_asked) in [
        ("message_id = NULL, finished_at = NULL, lease = NULL, dropped_because = NULL", false, false),
        ("message_id = NULL, finished_at = NULL, lease = gen_random_uuid(), dropped_because = NULL", false, true),
        ("message_id = NULL, finished_at = created_at, lease = NULL, dropped_because = 'OVERTAKEN'", false, false),
        (SENT, false, true),
        // A change of the order came while its card was on its way, and was not shown any more.
        (SENT, true, true),
    ] {
        let (t, order) = a_day().await;
        let anna = MasterId(t.one("SELECT id FROM masters WHERE telegram_user_id = $1", &[&ANNA]).await);
        let later = t.clock.now().expect("a standing clock") + jiff::SignedDuration::from_secs(60);
        t.let_pass(61);
        t.execute(
            "UPDATE offers SET state = 'EXPIRED', viewed_at = NULL, responded_at = sent_at, responded_tap = NULL
             WHERE order_id = $1 AND master_id = $2",
            &[&order.0, &anna.0],
        )
        .await;
        let offer = "(SELECT id FROM offers WHERE order_id = $1 AND master_id = $2)";
        t.execute(
            &format!("UPDATE outbox SET {message} WHERE kind = 'OFFER' AND offer_id = {offer}"),
            &[&order.0, &anna.0],
        )
        .await;
        if also_overtaken {
            t.execute(
                &format!(
                    "INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at, finished_at, dropped_because)
                     SELECT bot, chat_id, kind, order_id, offer_id, created_at, due_at, finished_at, 'OVERTAKEN'
                     FROM outbox WHERE kind = 'OFFER' AND offer_id = {offer}"
                ),
                &[&order.0, &anna.0],
            )
            .await;
        }
        t.execute(
            "INSERT INTO dispatch_rounds (order_id, search_started_at, round_number, policy_id, created_at, chosen, excluded, city_id)
             SELECT order_id, search_started_at, 9, policy_id, $2, '[]', '{}', city_id FROM dispatch_rounds WHERE order_id = $1",
            &[&order.0, &later],
        )
        .await;
        let asked = rounds::asked_for(&t.app.store, order, true).await.expect("a database");
        assert_eq!(asked.contains(&anna), was_asked, "a wave, {message}");
        let found = why::of_staff(&t.app.store, order, StaffRef::Id(StaffId(1))).await.expect("a database");
        let story = why::story(&t.app.store, &found.expect("an order"), None).await.expect("a database");
        let last = story.waves.last().expect("a wave");
        assert_eq!((last.number, last.asked.contains(&anna)), (9, was_asked), "its explanation, {message}");
    }
}

#[tokio::test]
async fn whoever_lost_an_order_finds_the_question_below_it() {
    let t = Dispatch::start().await;
    let order = t.order().in_status("CREATED").create().await;
    t.tick().await;
    assert!(t.tap_accept(ANNA, order).await.notice().contains("принята"));
    let boris = t.chat(BORIS);
    boris.say("/start").await;
    boris.tap(&format!("m:new:acc:{order}")).await;
    boris.press("Почему не мне").await;
    assert!(boris.screen().contains("Вам предложили; другой мастер взял её"), "{}", boris.screen());
    assert!(boris.buttons().iter().any(|button| button.text.contains("Новые заявки")));
    t.check().await;
}

#[tokio::test]
async fn what_was_longer_ago_than_a_week_is_not_guessed() {
    let (t, order) = a_day().await;
    t.let_pass(8 * 86_400);
    let text = t.why_told(&t.chat(203), order).await;
    assert!(text.contains("точно уже не узнать"), "{text}");
    let text = t.why_told(&t.chat(ANNA), order).await;
    assert!(text.contains("Вам предложили"), "what was written down is known: {text}");
}

#[tokio::test]
async fn what_does_not_fit_what_the_wave_has_counted_is_said_to_be_uncertain() {
    let (t, order) = a_day().await;
    t.execute("UPDATE dispatch_rounds SET excluded = '{\"OFF_SHIFT\": 5}'", &[]).await;
    let text = t.why_told(&t.chat(200), order).await;
    assert!(text.contains("не на смене") && text.contains("точно уже не узнать"), "{text}");
    t.execute("UPDATE dispatch_rounds SET excluded = '{\"HELD\": 1}'", &[]).await;
    let text = t.why_told(&t.chat(203), order).await;
    assert!(text.contains("в ту же секунду"), "{text}");
}

/// Who waits to be let in is said to wait for that, and not to be blocked: to the staff and to himself, also once he was let in.
#[tokio::test]
async fn who_waits_to_be_let_in_is_not_said_to_be_blocked() {
    let (t, _) = a_day().await;
    let now = t.clock.now().expect("a standing clock");
    t.execute(
        "INSERT INTO masters (telegram_user_id, full_name, city_id, is_blocked, blocked_reason, awaiting_approval_since)
         VALUES (299, 'Новый', 1, true, 'диспетчер ещё не посмотрел вашу анкету', $1)",
        &[&now],
    )
    .await;
    t.execute(
        "INSERT INTO master_categories (master_id, category) SELECT id, 'PLUMBING' FROM masters WHERE telegram_user_id = 299",
        &[],
    )
    .await;
    t.execute("UPDATE masters SET created_at = $1 WHERE telegram_user_id = 299", &[&now]).await;
    t.execute("UPDATE master_changes SET created_at = least(created_at, $1)", &[&now]).await;
    t.let_pass(5);
    let order = t.order().in_status("CREATED").create().await;
    t.tick().await;
    let desk = t.telegram.chat(ADMIN_TOKEN, OLGA, "Диспетчер");
    desk.tap(&format!("adm:q:card:{order}:1")).await;
    assert!(desk.screen().contains("ещё не одобрены: 1"), "{}", desk.screen());
    desk.tap(&format!("adm:q:as:man:{order}:1")).await;
    desk.tap(&format!("adm:q:as:man:{order}:2")).await;
    assert!(desk.buttons().iter().any(|button| button.text == "⚠️ ещё не одобрен · Новый"), "{:?}", desk.buttons());
    let newcomer: i64 = t.one("SELECT id FROM masters WHERE telegram_user_id = 299", &[]).await;
    let refused = desk.tap(&format!("adm:q:as:pick:{order}:{newcomer}")).await;
    assert!(refused.notice().contains("ещё не одобрен"), "{}", refused.notice());
    let told = async || {
        desk.tap(&format!("adm:o:whym:{order}:{newcomer}")).await;
        desk.screen()
    };
    let said = "Анкету мастера тогда ещё не одобрили.";
    let text = told().await;
    assert!(text.contains(said) && !text.contains("записано не всё"), "{text}");
    let chat = t.chat(299);
    chat.say("/start").await;
    chat.tap("m:new").await;
    assert!(chat.screen().contains("Анкета у диспетчера"), "{}", chat.screen());
    t.let_pass(5);
    let now = t.clock.now().expect("a standing clock");
    let last: i64 = t.one("SELECT max(id) FROM master_changes", &[]).await;
    t.execute("UPDATE masters SET is_blocked = false, blocked_reason = NULL WHERE telegram_user_id = 299", &[]).await;
    t.execute("UPDATE master_changes SET created_at = $1 WHERE id > $2", &[&now, &last]).await;
    let text = told().await;
    assert!(text.contains(said) && !text.contains("записано не всё"), "{text}");
}

/// A preferred master who could not be asked in his time alone goes before those who have waited longer, and not for a wait.
#[tokio::test]
async fn who_is_preferred_was_asked_first_for_that_and_everybody_is_told_so() {
    let (t, _) = a_day().await;
    let set = async |on: bool| {
        let now = t.clock.now();
        let sql =
            "UPDATE masters SET on_shift = $2, on_shift_since = CASE WHEN $2 THEN $1::timestamptz END WHERE id = 7";
        t.execute(sql, &[&now, &on]).await;
        let sql = "UPDATE master_changes SET created_at = $1 WHERE id = (SELECT max(id) FROM master_changes)";
        t.execute(sql, &[&now]).await;
    };
    t.execute("INSERT INTO dispatch_policies (first_masters, widen_by) VALUES (1, 2)", &[]).await;
    t.let_pass(1);
    set(false).await;
    let order = t.order().in_status("CREATED").create().await;
    t.execute("UPDATE orders SET preferred_master_id = 7 WHERE id = $1", &[&order.0]).await;
    t.tick().await;
    assert_eq!(t.asked(order).await, [204]);
    set(true).await;
    t.let_pass(61);
    t.tick().await;
    let asked = t.asked(order).await;
    assert!(asked.len() == 3 && asked.contains(&203), "{asked:?}");
    let passed_over = if asked.contains(&ANNA) { VERA } else { ANNA };
    let text = t.why_told(&t.chat(passed_over), order).await;
    let wave = text.split("Волна 2").nth(1).expect("a wave");
    assert!(
        wave.contains("первым спросили мастера, которого просил клиент; друг")
            && wave.contains(" столько же (")
            && !wave.contains("записано не всё"),
        "{text}"
    );
    let desk = t.telegram.chat(ADMIN_TOKEN, OLGA, "Диспетчер");
    desk.tap(&format!("adm:q:card:{order}:1")).await;
    let said = "(первый указан в заявке, второй по очереди: ожидание не меньше, чем у других)";
    assert!(desk.screen().contains(said), "{}", desk.screen());
    desk.press("Почему эти мастера").await;
    assert!(desk.screen().contains(said) && desk.screen().contains("спросили: Мастер 203, "), "{}", desk.screen());
    assert!(desk.buttons().iter().any(|button| button.text.contains(" · очередь не дошла")), "{:?}", desk.buttons());
}

/// «спросить было некого с …» is since when nobody could be asked, and not since when the reasons are these.
#[tokio::test]
async fn nobody_could_be_asked_since_the_first_moment_of_that() {
    let (t, _) = a_day().await;
    t.execute("UPDATE masters SET on_shift = false", &[]).await;
    let order = t.order().in_status("CREATED").create().await;
    let wave = async || {
        let found = why::of_staff(&t.app.store, order, StaffRef::Id(StaffId(1))).await.expect("a database");
        let story = why::story(&t.app.store, &found.expect("an order"), None).await.expect("a database");
        let [wave] = &story.waves[..] else { panic!("{:?}", story.waves) };
        wave.clone()
    };
    t.tick().await;
    let first = wave().await;
    assert_eq!(first.since(), first.at);
    for user in [ANNA, VERA] {
        t.let_pass(100);
        t.execute("UPDATE masters SET is_blocked = true WHERE telegram_user_id = $1", &[&user]).await;
        t.tick().await;
        let later = wave().await;
        assert!(later.at.at > first.at.at && later.chosen.is_empty(), "for other reasons: {later:?}");
        assert_eq!(later.since(), first.at);
    }
    let text = t.why_told(&t.chat(BORIS), order).await;
    assert!(text.contains("спросить было некого; как было в "), "{text}");
    let desk = t.telegram.chat(ADMIN_TOKEN, OLGA, "Диспетчер");
    desk.tap(&format!("adm:q:card:{order}:1")).await;
    let since = first.at.local.strftime("%H:%M:%S").to_string();
    assert!(desk.screen().contains(&format!("с {since} — спросить было некого")), "{since}: {}", desk.screen());
    t.let_pass(100);
    let now = t.clock.now();
    t.execute("UPDATE masters SET is_blocked = false, on_shift = true WHERE telegram_user_id = $1", &[&ANNA]).await;
    t.tick().await;
    let asked = wave().await;
    assert!(asked.chosen.len() == 1 && asked.since() == asked.at, "{now:?}: {asked:?}");
}
