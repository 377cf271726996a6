//! How masters are searched for is changed by admins: one after the other, each to what he saw, and for the searches that begin then.

use field_service::dispatch::policy::{self, SetPolicyOutcome};
use field_service::dispatch::session::{self, Proof, SessionOutcome};
use field_service::model::access::TokenScope;
use field_service::model::policy_draft::{PolicyDraft, PolicyField, PolicyRecord};
use field_service::model::policy_preview::Preview;
use field_service::model::{BotName, Origin, StaffId, StaffRef, TelegramUserId, UpdateKey};
use field_service::sim::telegram::{Button, Chat};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::join;

use crate::harness::program::{Answer, Program};
use crate::harness::{Dispatch, METRICS_TOKEN, Settings};

const IRINA: i64 = 501;
const OLEG: i64 = 502;
const OLGA: i64 = 503;

fn staff(user: i64) -> StaffRef {
    StaffRef::Telegram(TelegramUserId(user))
}

fn a_tap(id: &str) -> Origin {
    Origin { update: UpdateKey::callback(BotName::Admin, id), message: None, written: None }
}

impl Dispatch {
    async fn named_admin(&self, user: i64, name: &str) -> Chat {
        let chat = self.add_staff_as(user, "ADMIN", &[]).await;
        self.execute("UPDATE staff SET full_name = $2 WHERE telegram_user_id = $1", &[&user, &name]).await;
        chat
    }

    async fn newest_policy(&self, user: i64) -> PolicyRecord {
        policy::in_force(&self.app.store, staff(user)).await.expect("a database").expect("staff").record
    }

    async fn policies(&self) -> i64 {
        self.one("SELECT count(*) FROM dispatch_policies", &[]).await
    }

    async fn save_policy(&self, user: i64, draft: &PolicyDraft, seen: i64) -> SetPolicyOutcome {
        policy::set(&self.app.store, staff(user), draft, Some(seen), None).await.expect("a database")
    }

    /// The API as somebody of the staff uses it on the page.
    async fn page_of_staff(&self, user: i64) -> Program {
        let begun = session::begin(&self.app.store, Some(&Proof::Person(staff(user)))).await.expect("a database");
        let SessionOutcome::Begun(session) = begun else { panic!("{begun:?}") };
        self.holding(&session.token.text())
    }
}

/// What is in force with one thing changed.
fn with(record: &PolicyRecord, field: PolicyField, value: i32) -> PolicyDraft {
    PolicyDraft::check(record.values.with(field, value)).expect("a policy")
}

/// Taps what stands before or after the button that says so.
async fn step(chat: &Chat, label: &str, by: isize) {
    let buttons = chat.buttons();
    let at = buttons.iter().position(|button| button.text.contains(label));
    let at = at.unwrap_or_else(|| panic!("no «{label}» among {:?}", texts(&buttons)));
    let button = &buttons[at.checked_add_signed(by).expect("a button")];
    assert!(["➖", "➕"].contains(&button.text.as_str()), "{button:?}");
    chat.tap(&button.data).await;
}

fn texts(buttons: &[Button]) -> Vec<&str> {
    buttons.iter().map(|button| button.text.as_str()).collect()
}

fn data(chat: &Chat, label: &str) -> String {
    let buttons = chat.buttons();
    let button = buttons.iter().find(|button| button.text.contains(label));
    button.unwrap_or_else(|| panic!("no «{label}» among {:?}", texts(&buttons))).data.clone()
}

#[tokio::test]
async fn an_admin_steps_looks_at_yesterday_and_saves() {
    for unnamed_statements in [false, true] {
        steps_looks_at_yesterday_and_saves(Settings { unnamed_statements, ..Settings::default() }).await;
    }
}

async fn steps_looks_at_yesterday_and_saves(settings: Settings) {
    let t = Dispatch::start_with(settings).await;
    let irina = t.named_admin(IRINA, "Ирина <главная>").await;
    irina.say("/start").await;
    irina.press("Как ищем мастера").await;
    assert!(irina.screen().contains("Время на ответ: 2 мин"), "{}", irina.screen());
    assert!(irina.screen().contains("каждые 30 с добавляем ещё 1"), "{}", irina.screen());
    let before = (t.policies().await, t.newest_policy(IRINA).await);

    step(&irina, "⏱ 2 мин", -1).await;
    step(&irina, "👤 1", 1).await;
    assert!(irina.screen().contains("Время на ответ: 2 мин → 1 мин 30 с"), "{}", irina.screen());
    assert!(irina.screen().contains("Добавляем по: 1 → 2"), "{}", irina.screen());
    irina.press("Проверить и сохранить").await;
    assert!(irina.screen().contains("Сохранить новые правила?"), "{}", irina.screen());
    assert!(irina.screen().contains("Вчера") || irina.screen().contains("вчера"), "{}", irina.screen());
    assert_eq!((t.policies().await, t.newest_policy(IRINA).await), before, "nothing is changed so far");

    assert!(irina.press("Сохранить").await.notice().contains("Сохранено"));
    let after = t.newest_policy(IRINA).await;
    assert_eq!(t.policies().await, before.0 + 1, "it is another row");
    let expected = before.1.values.with(PolicyField::OfferTtl, 90).with(PolicyField::WidenBy, 2);
    assert_eq!((after.values, after.by.as_deref()), (expected, Some("Ирина <главная>")));
    assert!(irina.screen().contains("Время на ответ: 1 мин 30 с"), "{}", irina.screen());
    irina.press("Кто и когда менял").await;
    for said in ["Ирина <главная>", "Время на ответ: 2 мин → 1 мин 30 с", "Добавляем по: 1 → 2", "система"]
    {
        assert!(irina.screen().contains(said), "{said}: {}", irina.screen());
    }
}

#[tokio::test]
async fn the_other_way_of_searching_has_its_own_buttons_and_cancelling_changes_nothing() {
    let t = Dispatch::start().await;
    let irina = t.named_admin(IRINA, "Ирина").await;
    irina.tap("adm:pol").await;
    let before = (t.policies().await, irina.screen());
    assert!(irina.screen().contains("когда спрошено: 9 мастеров"), "as many as three rounds: {}", irina.screen());
    irina.press("Искать кругами").await;
    assert!(irina.screen().contains("Ищем кругами: спрашиваем 3 мастеров"), "{}", irina.screen());
    let buttons = irina.buttons();
    assert!(!texts(&buttons).iter().any(|text| text.contains("⏩")), "{:?}", texts(&buttons));
    step(&irina, "📣 3", 1).await;
    assert!(irina.screen().contains("после кругов: 3 → 4"), "{}", irina.screen());
    irina.press("Отмена").await;
    assert_eq!((t.policies().await, irina.screen()), before);
}

#[tokio::test]
async fn what_contradicts_itself_is_said_and_cannot_be_saved() {
    let t = Dispatch::start().await;
    let irina = t.named_admin(IRINA, "Ирина").await;
    irina.tap("adm:pol").await;
    let policies = t.policies().await;
    for live in ["📨 6", "📨 5", "📨 4", "📨 3"] {
        step(&irina, live, -1).await;
    }
    assert!(irina.screen().contains("⚠️ Одновременно спрошенных должно быть не меньше"), "{}", irina.screen());
    let buttons = irina.buttons();
    assert!(!texts(&buttons).iter().any(|text| text.contains("сохранить")), "{:?}", texts(&buttons));
    // Whoever makes the button by himself.
    for forged in ["try", "set"] {
        let tap = data(&irina, "📨 2").replacen(":v:", &format!(":{forged}:"), 1);
        assert!(irina.tap(&tap).await.notice().contains("Так сохранить нельзя"), "{forged}");
    }
    assert_eq!(t.policies().await, policies);
}

#[tokio::test]
async fn a_save_that_is_delivered_again_or_tapped_twice_adds_nothing() {
    let t = Dispatch::start().await;
    let irina = t.named_admin(IRINA, "Ирина").await;
    irina.tap("adm:pol").await;
    step(&irina, "⏱ 2 мин", -1).await;
    irina.press("Проверить и сохранить").await;
    let save = data(&irina, "Сохранить");
    let update = irina.tap_update(&save);
    // Impatient, before the first was answered.
    let (first, second) = (irina.deliver(update.clone()), irina.tap(&save));
    let notices = [first.await, second.await].map(|tap| tap.notice().to_owned());
    assert!(notices[0].contains("Сохранено") && notices[1].contains("Так уже и есть"), "{notices:?}");
    let policies = t.policies().await;
    // Somebody else has changed it since.
    t.named_admin(OLEG, "Олег").await;
    let now = t.newest_policy(OLEG).await;
    let other = with(&now, PolicyField::MaxActiveOrders, 7);
    assert_eq!(t.save_policy(OLEG, &other, now.id).await.name(), "SUCCESS");
    for _ in 0..2 {
        let again = irina.deliver(update.clone()).await;
        let said = again.answers.last().and_then(|answer| answer.text.clone()).unwrap_or_default();
        assert!(said.contains("уже сохранено"), "{said}");
        assert!(irina.screen().contains("Заявок у мастера не больше: 7"), "what is in force: {}", irina.screen());
    }
    assert_eq!(t.policies().await, policies + 1);
    assert_eq!(t.newest_policy(OLEG).await.values, other.values());
}

#[tokio::test]
async fn of_many_who_save_at_once_one_does_and_the_others_are_told_what_it_is_now() {
    let t = Dispatch::start().await;
    for number in 0..6 {
        t.named_admin(IRINA + number, "Админ").await;
    }
    let policies = t.policies().await;
    for round in 0..4 {
        let seen = t.newest_policy(IRINA).await;
        let drafts: Vec<_> =
            (0..6).map(|number| with(&seen, PolicyField::OfferTtl, 200 + 10 * round + number)).collect();
        let saves = drafts.iter().zip(IRINA..).map(|(draft, user)| t.save_policy(user, draft, seen.id));
        let outcomes = join_all(saves).await;
        let done: Vec<_> = outcomes.iter().filter(|outcome| outcome.name() == "SUCCESS").collect();
        let [SetPolicyOutcome::Done(winner)] = done.as_slice() else { panic!("{outcomes:?}") };
        let told = |outcome: &SetPolicyOutcome| matches!(outcome, SetPolicyOutcome::Stale(now) if now == winner);
        assert_eq!(outcomes.iter().filter(|outcome| told(outcome)).count(), 5, "{outcomes:?}");
        assert_eq!(t.newest_policy(IRINA).await, *winner);
    }
    assert_eq!(t.policies().await, policies + 4);
}

#[tokio::test]
async fn who_saves_second_is_told_by_whom_and_keeps_what_he_chose() {
    let t = Dispatch::start().await;
    let (irina, oleg) = (t.named_admin(IRINA, "Ирина").await, t.named_admin(OLEG, "Олег").await);
    for chat in [&irina, &oleg] {
        chat.tap("adm:pol").await;
    }
    step(&irina, "⏱ 2 мин", -1).await;
    step(&oleg, "📦 5", 1).await;
    for chat in [&irina, &oleg] {
        chat.press("Проверить и сохранить").await;
    }
    irina.press("Сохранить").await;
    let refused = oleg.press("Сохранить").await;
    assert!(refused.notice().contains("изменили (Ирина)"), "{}", refused.notice());
    assert!(refused.notice().chars().count() <= 200);
    // What he chose stays; what he did not touch is as she made it.
    assert!(oleg.screen().contains("Заявок у мастера не больше: 5 → 6"), "{}", oleg.screen());
    assert!(oleg.screen().contains("Время на ответ: 1 мин 30 с\n"), "{}", oleg.screen());
    oleg.press("Проверить и сохранить").await;
    assert!(oleg.press("Сохранить").await.notice().contains("Сохранено"));
    let both = t.newest_policy(OLEG).await.values;
    assert_eq!((both.get(PolicyField::OfferTtl), both.get(PolicyField::MaxActiveOrders)), (90, 6));
    // Buttons of before are shown beside what is in force now.
    let stale = irina.tap("adm:pol:v:1:01o01o0300u10603300go050go0xc").await;
    assert!(stale.notice().contains("изменили (Олег)"), "{}", stale.notice());
}

/// A second admin who has begun with what was in force before takes back nothing of what the first one saved meanwhile.
#[tokio::test]
async fn what_was_not_touched_follows_whoever_was_quicker_at_every_tap() {
    let t = Dispatch::start().await;
    let (irina, oleg) = (t.named_admin(IRINA, "Ирина").await, t.named_admin(OLEG, "Олег").await);
    for looks_only in [false, true] {
        oleg.tap("adm:pol").await;
        step(&oleg, "⏱", 1).await;
        let ttl = t.newest_policy(IRINA).await.values.stepped(PolicyField::OfferTtl, true).expect("a step");
        irina.tap("adm:pol").await;
        step(&irina, "👤", 1).await;
        irina.press("Проверить и сохранить").await;
        irina.press("✅ Сохранить").await;
        let button = if looks_only { "👤" } else { "Проверить и сохранить" };
        let told = oleg.press(button).await;
        let notice = told.notice();
        assert!(notice.starts_with("Правила тем временем изменили"), "who saved nothing is not told so: {notice}");
        assert!(told.notice().contains("(Ирина)"), "{}", told.notice());
        let now = t.newest_policy(IRINA).await.values;
        assert!(
            oleg.screen().contains(&format!("Добавляем по: {}\n", now.get(PolicyField::WidenBy))),
            "{}",
            oleg.screen()
        );
        oleg.press("Проверить и сохранить").await;
        assert!(oleg.press("✅ Сохранить").await.notice().contains("Сохранено"));
        let both = t.newest_policy(OLEG).await.values;
        assert_eq!(both, now.with(PolicyField::OfferTtl, ttl.get(PolicyField::OfferTtl)));
    }
}

#[tokio::test]
async fn a_rule_that_does_not_count_in_rounds_is_no_dead_end_there() {
    let t = Dispatch::start().await;
    let irina = t.named_admin(IRINA, "Ирина").await;
    irina.tap("adm:pol").await;
    for live in ["📨 6", "📨 5", "📨 4", "📨 3"] {
        step(&irina, live, -1).await;
    }
    assert!(irina.screen().contains("⚠️"), "{}", irina.screen());
    irina.press("Искать кругами").await;
    assert!(!irina.screen().contains("⚠️"), "{}", irina.screen());
    irina.press("Проверить и сохранить").await;
    assert!(irina.press("✅ Сохранить").await.notice().contains("Сохранено"));
    let saved = t.newest_policy(IRINA).await.values;
    assert_eq!((saved.widens(), saved.get(PolicyField::MaxLiveOffers)), (false, 3));
}

#[tokio::test]
async fn a_button_at_a_bound_keeps_its_place_and_says_why_it_does_nothing() {
    let t = Dispatch::start().await;
    let irina = t.named_admin(IRINA, "Ирина").await;
    irina.tap("adm:pol").await;
    let before = irina.screen();
    let buttons = irina.buttons();
    let at = buttons.iter().position(|button| button.text == "👤 1").expect("how many are added");
    assert_eq!((buttons[at - 1].text.as_str(), buttons[at + 1].text.as_str()), ("·", "➕"));
    let told = irina.tap(&buttons[at - 1].data).await;
    assert_eq!((told.notice(), irina.screen()), ("Меньше нельзя: 1 — это предел.", before));
}

/// Nothing is changed by it, so that it is not counted as what changes something is.
#[tokio::test]
async fn a_preview_is_given_to_who_has_changed_as_much_as_may_be() {
    let t = Dispatch::start().await;
    t.named_admin(IRINA, "Ирина").await;
    let admin = t.page_of_staff(IRINA).await;
    // A minute may begin between the two, with a limit of its own.
    for seconds in 90..95 {
        let read = admin.get("/api/policy").await;
        let (tag, other) =
            (read.header("etag").to_owned(), changed(&read.json()["rules"], "offer_ttl_seconds", json!(seconds)));
        t.execute("UPDATE access_tokens SET writes = 60, minute = date_trunc('minute', now())", &[]).await;
        if put(&admin, &tag, &other).await.status == 429 {
            let preview = admin.post("/api/policy/preview", &[], &other).await;
            assert_eq!(preview.status, 200, "{}", preview.text);
            assert_eq!(admin.get("/api/draft").await.status, 200, "nor is looking at a draft");
            return;
        }
    }
    panic!("no limit was reached");
}

#[tokio::test]
async fn nobody_but_an_active_admin_adds_a_policy() {
    let t = Dispatch::start().await;
    t.named_admin(IRINA, "Ирина").await;
    let seen = t.newest_policy(IRINA).await;
    let draft = with(&seen, PolicyField::OfferTtl, 90);
    let policies = t.policies().await;
    for (user, role) in [(OLGA, "DISPATCHER"), (OLGA + 1, "VIEWER"), (OLGA + 2, "ADMIN")] {
        let chat = t.add_staff_as(user, role, &[]).await;
        t.execute("UPDATE staff SET is_active = role <> 'ADMIN' WHERE telegram_user_id = $1", &[&user]).await;
        assert_eq!(t.save_policy(user, &draft, seen.id).await, SetPolicyOutcome::NotAllowed, "{role}");
        chat.say("/start").await;
        let buttons = chat.buttons();
        assert!(!texts(&buttons).iter().any(|text| text.contains("Как ищем")), "{role}");
        for tap in ["adm:pol", "adm:pol:log", "adm:pol:set:2:01o01o0300u10603300go050go0xc"] {
            let refused = chat.tap(tap).await;
            assert!(
                refused.notice().contains("администратор") && !chat.screen().contains("Время на ответ"),
                "{role} {tap}: {} {}",
                refused.notice(),
                chat.screen()
            );
        }
    }
    assert_eq!(t.save_policy(999, &draft, seen.id).await, SetPolicyOutcome::NotAllowed, "a stranger");
    assert_eq!(t.policies().await, policies);
    // As it was refused, whatever the person has become since.
    let (origin, store) = (a_tap("77"), &t.app.store);
    let refused = policy::set(store, staff(OLGA), &draft, Some(seen.id), Some(&origin)).await.expect("a database");
    assert_eq!(refused, SetPolicyOutcome::NotAllowed);
    t.execute("UPDATE staff SET role = 'ADMIN' WHERE telegram_user_id = $1", &[&OLGA]).await;
    let again = policy::set(store, staff(OLGA), &draft, Some(seen.id), Some(&origin)).await.expect("a database");
    assert_eq!(again, SetPolicyOutcome::NotAllowed);
    assert_eq!(t.save_policy(OLGA, &draft, seen.id).await.name(), "SUCCESS");
}

/// The right is judged by the statement that adds the row, not by what was read before.
#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_is_deactivated_while_he_waits_adds_nothing() {
    let t = Dispatch::start().await;
    t.named_admin(IRINA, "Ирина").await;
    let seen = t.newest_policy(IRINA).await;
    let draft = with(&seen, PolicyField::OfferTtl, 90);
    let policies = t.policies().await;
    let colleague = t.colleague().await;
    // Whoever adds one at the same moment holds this row.
    colleague
        .batch_execute("BEGIN; SELECT FROM dispatch_policies WHERE id = 1 FOR NO KEY UPDATE")
        .await
        .expect("a lock");
    let waiting = async {
        let blocked = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while t.one::<i64>(blocked, &[]).await == 0 {}
        t.execute("UPDATE staff SET is_active = false", &[]).await;
        colleague.batch_execute("COMMIT").await.expect("an end");
    };
    let (outcome, ()) = join!(t.save_policy(IRINA, &draft, seen.id), waiting);
    assert_eq!(outcome, SetPolicyOutcome::NotAllowed);
    assert_eq!(t.policies().await, policies);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_ever_for_who_is_saving_and_searches_wait_for_nobody() {
    let t = Dispatch::with_standing_clock(0).await;
    t.named_admin(IRINA, "Ирина").await;
    let seen = t.newest_policy(IRINA).await;
    let order = t.order().in_status("CREATED").create().await;
    let colleague = t.colleague().await;
    colleague
        .batch_execute("BEGIN; SELECT FROM dispatch_policies WHERE id = 1 FOR NO KEY UPDATE")
        .await
        .expect("a lock");
    assert_eq!(t.save_policy(IRINA, &with(&seen, PolicyField::OfferTtl, 90), seen.id).await, SetPolicyOutcome::Busy);
    assert_eq!(t.tick().await.dispatched.orders, 1, "{order} is offered meanwhile");
    colleague.batch_execute("COMMIT").await.expect("an end");
    assert_eq!(t.save_policy(IRINA, &with(&seen, PolicyField::OfferTtl, 90), seen.id).await.name(), "SUCCESS");
}

#[tokio::test]
async fn the_next_search_goes_by_the_new_policy_and_one_that_began_by_its_own() {
    let t = Dispatch::with_standing_clock(20).await;
    t.named_admin(IRINA, "Ирина").await;
    let old = t.newest_policy(IRINA).await;
    let began = t.order().in_status("CREATED").create().await;
    t.tick().await;
    assert_eq!(t.asked(began).await.len(), 3);

    let draft = PolicyDraft::check(
        old.values.with(PolicyField::OfferTtl, 600).with(PolicyField::FirstMasters, 5).with(PolicyField::WidenEvery, 0),
    );
    let rounds_of = draft.expect("a policy").values().with(PolicyField::MastersPerRound, 5);
    let outcome = t.save_policy(IRINA, &PolicyDraft::check(rounds_of).expect("a policy"), old.id).await;
    let SetPolicyOutcome::Done(new) = outcome else { panic!("{outcome:?}") };
    let next = t.order().in_status("CREATED").create().await;
    t.tick().await;
    assert_eq!(t.asked(next).await.len(), 5, "a round of the new policy");
    // The first goes on as it began: it widens by one, for two minutes.
    t.let_pass(31);
    t.tick().await;
    assert_eq!((t.asked(began).await.len(), t.asked(next).await.len()), (4, 5));
    for (order, policy, seconds) in [(began, old.id, 120.0), (next, new.id, 600.0)] {
        let went_by: i64 = t.one("SELECT policy_id FROM orders WHERE id = $1", &[&order.0]).await;
        let lives: Vec<f64> = t
            .one(
                "SELECT array_agg(DISTINCT extract(epoch FROM expires_at - sent_at)::float8) FROM offers WHERE order_id = $1",
                &[&order.0],
            )
            .await;
        assert_eq!(went_by, policy, "{order}");
        assert!(lives.iter().all(|life| (life - seconds).abs() < 0.001), "{order}: {lives:?}");
    }
    t.check().await;
}

/// A column that another release adds must not go back to its default with the next policy.
#[tokio::test]
async fn every_column_of_a_policy_is_said_or_kept() {
    let t = Dispatch::start().await;
    t.named_admin(IRINA, "Ирина").await;
    t.execute("INSERT INTO dispatch_policies (keep_finished_days) VALUES (30)", &[]).await;
    let seen = t.newest_policy(IRINA).await;
    assert_eq!(t.save_policy(IRINA, &with(&seen, PolicyField::OfferTtl, 90), seen.id).await.name(), "SUCCESS");
    let kept: Option<i32> =
        t.one("SELECT keep_finished_days FROM dispatch_policies ORDER BY id DESC LIMIT 1", &[]).await;
    assert_eq!(kept, Some(30));
    let columns: Vec<String> = t
        .one(
            "SELECT array_agg(column_name::text) FROM information_schema.columns WHERE table_name = 'dispatch_policies'",
            &[],
        )
        .await;
    let known = PolicyField::ALL.map(PolicyField::name);
    let own = ["id", "created_at", "created_by_staff_id", "keep_finished_days"];
    let forgotten: Vec<_> =
        columns.iter().filter(|column| !known.contains(&column.as_str()) && !own.contains(&column.as_str())).collect();
    assert!(forgotten.is_empty(), "a new policy says nothing of {forgotten:?}");
    assert_eq!(columns.len(), known.len() + own.len());
}

/// So many orders of yesterday, ten minutes apart: each was offered to three, and the second of them took it after so many seconds.
async fn a_yesterday(t: &Dispatch, orders: i32, seconds: i32) {
    t.execute("UPDATE cities SET timezone = 'Asia/Yekaterinburg'", &[]).await;
    // The masters were there by then.
    t.execute("UPDATE master_changes SET created_at = created_at - interval '7 days'", &[]).await;
    t.execute(
        "WITH day AS (
             SELECT (date_trunc('day', $1::timestamptz AT TIME ZONE 'Asia/Yekaterinburg') - interval '16 hours')
                        AT TIME ZONE 'Asia/Yekaterinburg' AS morning
         ), made AS (
             INSERT INTO orders (city_id, category, status, address, client_name, client_phone, created_at, updated_at,
                                 assigned_master_id, version)
             SELECT 1, 'PLUMBING', 'CLOSED', 'x', 'x', '+79990001122', at, at, 2, 4
             FROM day, generate_series(1, $2::integer) AS number,
                  LATERAL (SELECT morning + number * interval '10 minutes' AS at) AS moment
             RETURNING id, created_at AS at, created_at + $3::integer * interval '1 second' AS taken
         ), offered AS (
             INSERT INTO offers (order_id, master_id, state, round_number, sent_at, responded_at, expires_at)
             SELECT id, master, CASE master WHEN 2 THEN 'ACCEPTED' ELSE 'CANCELED' END, 1, at, taken,
                    at + interval '2 minutes'
             FROM made, generate_series(1, 3) AS master
         ), changed AS (
             INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, created_at)
             SELECT id, step.was, step.is_now, 'SYSTEM', step.at
             FROM made, LATERAL (VALUES ('CREATED', 'SEARCHING', at), ('SEARCHING', 'ASSIGNED', taken),
                                        ('ASSIGNED', 'CLOSED', taken + interval '5 minutes')) AS step (was, is_now, at)
             ORDER BY id, step.at
         )
         INSERT INTO distribution_metrics (order_id, master_id, assigned_at, round_number, candidates_count,
                                           time_to_assign_seconds, city_id)
         SELECT id, 2, taken, 1, 3, $3, 1 FROM made",
        &[&t.clock.now(), &orders, &seconds],
    )
    .await;
}

#[tokio::test]
async fn yesterday_is_played_again_under_both_policies() {
    let t = Dispatch::with_standing_clock(0).await;
    let irina = t.named_admin(IRINA, "Ирина").await;
    let now = t.newest_policy(IRINA).await;
    let later = with(&now, PolicyField::FirstMasters, 1);
    let in_force = policy::in_force(&t.app.store, staff(IRINA)).await.expect("a database").expect("an admin");
    let preview =
        async |draft: &PolicyDraft| policy::preview(&t.app.store, &in_force, draft).await.expect("a database");
    assert_eq!(preview(&later).await, Preview::TooFew { orders: 0 });
    a_yesterday(&t, 19, 40).await;
    // One that nobody has accepted says nothing of how long that takes.
    t.execute(
        "INSERT INTO orders (city_id, category, status, address, client_name, client_phone, created_at, updated_at)
         SELECT 1, 'PLUMBING', 'CREATED', 'x', 'x', '+79990001122', min(created_at), min(created_at) FROM orders",
        &[],
    )
    .await;
    assert_eq!(preview(&later).await, Preview::TooFew { orders: 19 });
    a_yesterday(&t, 20, 40).await;
    let Preview::Compared(compared) = preview(&later).await else { panic!("not compared") };
    assert_eq!(compared.orders, 40);
    // As it was: the second answered after 40 seconds. One at a time he is asked later, if he is not the first, and others less often.
    let taken = compared.wait().expect("some were taken");
    let ([wait, waits], [sent, sends]) = (taken.seconds, compared.messages);
    assert!((39.0..42.0).contains(&wait), "{compared:?}");
    assert!(waits > wait && sends < sent, "{compared:?}");
    assert_eq!(preview(&later).await, Preview::Compared(compared), "it is the same each time");
    // Others try theirs, and as many as may wait do: whoever comes besides is told at once.
    let enter = |id| t.app.store.replays().enter(StaffId(id)).expect("a place");
    let mut waiting = vec![enter(7), enter(8), enter(9)];
    assert_eq!(preview(&later).await, Preview::NotComputed);
    waiting.pop();
    let own = t.app.store.replays().enter(in_force.asked_by).expect("a place");
    assert_eq!(preview(&later).await, Preview::NotComputed, "who waits already");
    drop(own);
    assert_eq!(preview(&later).await, Preview::Compared(compared), "one of several has a place");
    drop(waiting);
    for field in [PolicyField::MaxActiveOrders, PolicyField::WorkdayEnd] {
        let value = now.values.get(field) + 1;
        assert_eq!(preview(&with(&now, field, value)).await, Preview::NotReplayed, "{}", field.name());
    }
    irina.tap("adm:pol").await;
    step(&irina, "👥 3", -1).await;
    irina.press("Проверить и сохранить").await;
    assert!(irina.screen().contains("Вчера это дало бы: ожидание 40 с → "), "{}", irina.screen());
    let page = t.page_of_staff(IRINA).await;
    let read = page.get("/api/policy").await.json();
    let said = page.post("/api/policy/preview", &[], &changed(&read["rules"], "first_masters", json!(1))).await.json();
    assert_eq!((&said["result"], &said["orders"]), (&json!("COMPARED"), &json!(40)), "{said}");
    assert_eq!(said["accepted_percent"], json!(compared.accepted_percent));
    assert_eq!((&said["wait_seconds"], &said["wait_percent"]), (&json!(taken.seconds), &json!(taken.percent)));
}

fn put(program: &Program, tag: &str, rules: &Value) -> impl Future<Output = Answer> {
    let headers = if tag.is_empty() { Vec::new() } else { vec![("If-Match", tag.to_owned())] };
    let (program, rules) = (program.clone(), rules.clone());
    async move {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        program.ask(Method::PUT, "/api/policy", &headers, Some(&rules)).await
    }
}

fn changed(rules: &Value, field: &str, value: Value) -> Value {
    let mut rules = rules.clone();
    rules[field] = value;
    rules
}

#[tokio::test]
async fn over_the_api_it_is_read_by_all_and_changed_by_an_admin_as_it_was_seen() {
    let t = Dispatch::start().await;
    t.named_admin(IRINA, "Ирина").await;
    t.add_staff(OLGA).await;
    let (admin, dispatcher) = (t.page_of_staff(IRINA).await, t.page_of_staff(OLGA).await);
    let reader = t.program(TokenScope::Read, &[]).await;
    let program = t.program(TokenScope::All, &[]).await;
    let read = reader.get("/api/policy").await;
    let (tag, said) = (read.header("etag").to_owned(), read.json());
    assert_eq!(
        (said["rules"]["offer_ttl_seconds"].as_i64(), &said["rules"]["workday_start"]),
        (Some(120), &json!("10:00"))
    );
    assert_eq!(dispatcher.get("/api/policy").await.json(), said);
    let policies = t.policies().await;
    let rules = changed(&said["rules"], "offer_ttl_seconds", json!(90));
    for (who, name) in [(&reader, "a reader"), (&program, "a program"), (&dispatcher, "a dispatcher")] {
        assert_eq!(put(who, &tag, &rules).await.problem(), "forbidden", "{name}");
        assert_eq!(who.post("/api/policy/preview", &[], &rules).await.problem(), "forbidden", "{name}");
    }
    assert_eq!(put(&admin, "", &rules).await.problem(), "match-missing");
    assert_eq!(t.policies().await, policies);

    let preview = admin.post("/api/policy/preview", &[], &rules).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    assert!(preview.json()["result"].is_string(), "{}", preview.text);
    assert_eq!(t.policies().await, policies, "it was only looked at");
    let done = put(&admin, &tag, &rules).await;
    assert_eq!((done.status, done.json()["created_by"].as_str()), (200, Some("Ирина")), "{}", done.text);
    assert_eq!(done.json()["rules"], rules);
    assert_ne!(done.header("etag"), tag);
    // The answer was lost, and it is asked for again.
    let again = put(&admin, &tag, &rules).await;
    assert_eq!((again.status, again.json()), (200, done.json()));
    let other = changed(&rules, "max_active_orders", json!(9));
    let stale = put(&admin, &tag, &other).await;
    assert_eq!((stale.status, stale.problem().as_str()), (412, "stale"));
    assert_eq!((&stale.json()["current"], stale.header("etag")), (&done.json(), done.header("etag")));
    for never in ["\"x\"", "W/1", "\"99999\""] {
        assert_eq!(put(&admin, never, &other).await.problem(), "stale", "{never}");
    }
    assert_eq!(t.policies().await, policies + 1);
    assert_eq!(put(&admin, "*", &other).await.status, 200);
    let history = reader.get("/api/policy/history").await.json();
    let makers: Vec<_> = history["policies"].as_array().expect("a list").iter().map(|one| &one["created_by"]).collect();
    assert_eq!(makers[..3], [&json!("Ирина"), &json!("Ирина"), &Value::Null]);
    assert_eq!(history["policies"][0]["rules"], other);
    let metrics = t.holding(METRICS_TOKEN).get("/metrics").await.text;
    for line in [
        "field_service_set_policy_total{outcome=\"SUCCESS\"} 2",
        "field_service_set_policy_total{outcome=\"REPEATED\"} 1",
        "field_service_set_policy_total{outcome=\"STALE\"} 4",
        "field_service_set_policy_total{outcome=\"NOT_ALLOWED\"} 2",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn what_was_refused_over_the_api_is_done_once_it_may_be() {
    let t = Dispatch::start().await;
    t.add_staff(OLGA).await;
    let page = t.page_of_staff(OLGA).await;
    let read = page.get("/api/policy").await;
    let (tag, rules) = (read.header("etag").to_owned(), changed(&read.json()["rules"], "offer_ttl_seconds", json!(90)));
    assert_eq!(put(&page, &tag, &rules).await.problem(), "forbidden");
    t.execute("UPDATE staff SET role = 'ADMIN' WHERE telegram_user_id = $1", &[&OLGA]).await;
    // The very same request.
    let done = put(&page, &tag, &rules).await;
    assert_eq!((done.status, &done.json()["rules"]), (200, &rules), "{}", done.text);
}

#[tokio::test]
async fn each_field_of_the_api_has_its_bounds() {
    let t = Dispatch::start().await;
    t.named_admin(IRINA, "Ирина").await;
    let admin = t.page_of_staff(IRINA).await;
    let read = admin.get("/api/policy").await;
    let (tag, said) = (read.header("etag").to_owned(), read.json());
    let roomy = changed(&changed(&said["rules"], "first_masters", json!(1)), "max_live_offers", json!(50));
    let policies = t.policies().await;
    for field in PolicyField::ALL.into_iter().filter(|field| !field.is_clock()) {
        let (least, most) = field.range().into_inner();
        // A token may change so much in a minute, which is another test's promise.
        t.execute("UPDATE access_tokens SET writes = 0", &[]).await;
        for bound in [least, most] {
            let at_bound = changed(&roomy, field.name(), json!(bound));
            let looked = admin.post("/api/policy/preview", &[], &at_bound).await;
            assert_eq!(looked.status, 200, "{} {bound}: {}", field.name(), looked.text);
        }
        for odd in [json!(least - 1), json!(most + 1), json!("1"), json!(1.5), json!(null), json!(3_000_000_000_i64)] {
            let refused = put(&admin, &tag, &changed(&roomy, field.name(), odd.clone())).await;
            let pointers = vec![format!("/{}", field.name())];
            assert_eq!((refused.status, refused.pointers()), (422, pointers), "{odd}: {}", refused.text);
        }
    }
    t.execute("UPDATE access_tokens SET writes = 0", &[]).await;
    for (field, odd, pointer) in [
        ("workday_start", json!("24:00"), "/workday_start"),
        ("workday_start", json!("10"), "/workday_start"),
        ("workday_end", json!("9:00"), "/workday_end"),
        ("workday_end", json!("10:00"), "/workday_end"),
        ("widen_every_seconds", json!(4), "/widen_every_seconds"),
        ("keep_finished_days", json!(8), "/keep_finished_days"),
    ] {
        let refused = put(&admin, &tag, &changed(&roomy, field, odd.clone())).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec![pointer.to_owned()]), "{odd}: {}", refused.text);
    }
    // A structure is no list of what it consists of.
    let list: Vec<Value> = PolicyField::ALL.iter().map(|field| said["rules"][field.name()].clone()).collect();
    for body in [json!(list), json!([said["rules"]]), json!(1), json!(null)] {
        let refused = put(&admin, &tag, &body).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec![String::new()]), "{body}: {}", refused.text);
        assert_eq!(refused.json()["errors"][0]["detail"], "expected an object", "{body}");
    }
    let mut lacking = said["rules"].clone();
    lacking.as_object_mut().expect("an object").remove("widen_by");
    assert_eq!(put(&admin, &tag, &lacking).await.pointers(), ["/widen_by"]);
    let fewer = changed(&changed(&said["rules"], "first_masters", json!(6)), "max_live_offers", json!(5));
    assert_eq!(put(&admin, &tag, &fewer).await.pointers(), ["/max_live_offers"]);
    let mut several = changed(&fewer, "workday_end", json!("x"));
    several["widen_by"] = json!(0);
    assert_eq!(put(&admin, &tag, &several).await.pointers(), ["/workday_end", "/widen_by", "/max_live_offers"]);
    assert_eq!(t.policies().await, policies);
}
