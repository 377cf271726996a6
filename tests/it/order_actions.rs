//! What dispatchers do with orders: each action in each state by each role, as it was seen, once for each update, and with one
//! truth whoever else is at work on the order.

use std::collections::HashMap;

use field_service::dispatch::accept;
use field_service::dispatch::act::{self, Acted, Asked, StaffCommand};
use field_service::dispatch::candidates;
use field_service::model::order::Stage;
use field_service::model::selection::Exclusion;
use field_service::model::staff_order::{Changed, ChangedBy, Detail, Edit, StaffOrder};
use field_service::model::{
    Amount, BotName, MasterId, OrderId, OrderStatus, Origin, StaffRef, TelegramUserId, UpdateKey, Version,
};
use futures_util::future::join_all;
use jiff::ToSpan;

use crate::harness::{ANNA, BORIS, Dispatch, STRANGER, VERA, a_tap, master};

const OLGA: i64 = 501;
const PETR: i64 = 502;
const ANNA_ID: MasterId = MasterId(1);
const BORIS_ID: MasterId = MasterId(2);
const VERA_ID: MasterId = MasterId(3);

fn staff(user: i64) -> StaffRef {
    StaffRef::Telegram(TelegramUserId(user))
}

/// A tap in the dispatchers' bot.
fn tap(id: &str) -> Origin {
    Origin { update: UpdateKey::callback(BotName::Admin, id), message: None, written: None }
}

fn edits() -> [Edit; 6] {
    let start = jiff::civil::date(2099, 11, 29).at(14, 0, 0, 0);
    [
        Edit::Address("ул. Мира, 7".to_owned()),
        Edit::Phone("+79991112233".to_owned()),
        Edit::Description("Капает <кран> & труба".to_owned()),
        Edit::Slot(Some((start, start + 2.hours()))),
        Edit::Comment(Some("Код домофона 15".to_owned())),
        Edit::Comment(None),
    ]
}

fn commands() -> Vec<StaffCommand> {
    let mut commands = vec![
        StaffCommand::Claim(None),
        StaffCommand::Unclaim,
        StaffCommand::AssignNow,
        StaffCommand::Assign(ANNA_ID),
        StaffCommand::SearchAgain("Мастер не успевает".to_owned()),
        StaffCommand::Cancel("Клиент передумал".to_owned()),
        StaffCommand::Close(Amount::parse("2500").expect("a sum")),
        StaffCommand::Reopen,
    ];
    commands.extend(edits().map(StaffCommand::Edit));
    commands
}

impl Dispatch {
    async fn act_as(
        &self,
        user: i64,
        order: OrderId,
        seen: Option<Version>,
        origin: Option<&Origin>,
        command: &StaffCommand,
    ) -> Acted {
        let asked = Asked { staff: staff(user), order, seen, origin, answers: None };
        act::act(&self.app.store, asked, command).await.expect("a database")
    }

    async fn act(&self, user: i64, order: OrderId, command: &StaffCommand) -> &'static str {
        self.act_as(user, order, None, None, command).await.outcome.name()
    }

    async fn seen(&self, order: OrderId) -> StaffOrder {
        act::look(&self.app.store, order, staff(OLGA)).await.expect("a database").expect("an order")
    }

    /// An order that its master has brought to that status; Boris's, if it is anybody's.
    async fn in_status(&self, status: OrderStatus) -> OrderId {
        let order = self.order().in_status(status.as_str());
        if status.stage() == Stage::Active { order.of_master(BORIS).create().await } else { order.create().await }
    }

    /// Olga, who may act everywhere.
    async fn with_olga() -> Self {
        let t = Self::start().await;
        t.add_staff(OLGA).await;
        t
    }
}

/// What becomes of a command in a status, for whoever may act.
fn expected(command: &StaffCommand, status: OrderStatus) -> &'static str {
    let stage = status.stage();
    let allowed = match command {
        StaffCommand::Unclaim | StaffCommand::Edit(Edit::Comment(None)) => return "ALREADY_DONE",
        StaffCommand::Cancel(_) if status == OrderStatus::Canceled => return "ALREADY_DONE",
        // It was not closed by anybody who would have noted when.
        StaffCommand::Reopen if stage == Stage::Final => return "TOO_LATE",
        StaffCommand::Claim(_)
        | StaffCommand::Assign(_)
        | StaffCommand::AssignWithinLimit(_)
        | StaffCommand::Cancel(_)
        | StaffCommand::Edit(_)
        | StaffCommand::EditAll(_) => stage != Stage::Final,
        StaffCommand::AssignNow => stage == Stage::Open,
        StaffCommand::SearchAgain(_) => stage == Stage::Active,
        StaffCommand::Close(_) => status == OrderStatus::Payment,
        StaffCommand::Reopen => false,
    };
    if allowed { "SUCCESS" } else { "NOT_NOW" }
}

#[tokio::test]
async fn each_action_in_each_state_by_each_role_does_what_it_may_or_nothing() {
    let t = Dispatch::start().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Пермь', 'Asia/Yekaterinburg')", &[]).await;
    t.add_staff_as(OLGA, "DISPATCHER", &[1]).await;
    t.add_staff_as(PETR, "ADMIN", &[]).await;
    t.add_staff_as(503, "VIEWER", &[1]).await;
    t.add_staff_as(504, "DISPATCHER", &[2]).await;
    t.add_staff_as(505, "ADMIN", &[]).await;
    t.execute("UPDATE staff SET is_active = false WHERE telegram_user_id = 505", &[]).await;
    for command in commands() {
        for status in OrderStatus::ALL {
            for (user, refusal) in [
                (OLGA, None),
                (PETR, None),
                (503, Some("READ_ONLY")),
                (504, Some("NOT_FOUND")),
                (505, Some("NOT_FOUND")),
                (ANNA, Some("NOT_FOUND")),
                (STRANGER, Some("NOT_FOUND")),
            ] {
                let order = t.in_status(status).await;
                let before = t.everything_about(order).await;
                let outcome = t.act(user, order, &command).await;
                let case = format!("{command:?} of {status:?} by {user}");
                assert_eq!(outcome, refusal.unwrap_or_else(|| expected(&command, status)), "{case}");
                let changed = t.everything_about(order).await != before;
                assert_eq!(changed, outcome == "SUCCESS", "{case}");
                t.execute("DELETE FROM outbox WHERE kind = 'OFFER' AND order_id = $1", &[&order.0]).await;
            }
        }
        t.execute("DELETE FROM offers WHERE state IN ('SENT', 'VIEWED')", &[]).await;
    }
    let kept: i64 = t.one("SELECT count(*) FROM order_edits WHERE changed_by_staff_id IS NULL", &[]).await;
    assert_eq!(kept, 0);
}

/// What each action leaves behind.
#[tokio::test]
async fn every_change_is_told_to_whom_it_concerns_and_keeps_the_invariants() {
    let t = Dispatch::with_olga().await;
    let kinds = async |order: OrderId| -> Vec<String> {
        t.one(
            "SELECT coalesce(array_agg(kind || ' ' || chat_id ORDER BY id), '{}') FROM outbox WHERE order_id = $1",
            &[&order.0],
        )
        .await
    };
    let given = t.in_status(OrderStatus::Working).await;
    assert_eq!(t.act(OLGA, given, &StaffCommand::Assign(ANNA_ID)).await, "SUCCESS");
    assert_eq!((t.owner(given).await, t.status(given).await.as_str()), (Some(ANNA), "ASSIGNED"));
    assert_eq!(kinds(given).await, [format!("CANCELED {BORIS}"), format!("ASSIGNED {ANNA}")]);
    assert_eq!(t.act(OLGA, given, &StaffCommand::Assign(ANNA_ID)).await, "ALREADY_DONE");

    let paid = t.in_status(OrderStatus::Payment).await;
    let close = StaffCommand::Close(Amount::parse("2500").expect("a sum"));
    assert_eq!(t.act(OLGA, paid, &close).await, "SUCCESS");
    assert_eq!(t.act(OLGA, paid, &close).await, "ALREADY_DONE");
    assert_eq!(kinds(paid).await, [format!("CARD {BORIS}")]);
    assert_eq!(t.act(OLGA, paid, &StaffCommand::Reopen).await, "SUCCESS");
    assert_eq!((t.owner(paid).await, t.status(paid).await.as_str()), (Some(BORIS), "PAYMENT"));
    assert_eq!(kinds(paid).await, [format!("CARD {BORIS}"), format!("CHANGED {BORIS}")]);

    let free = t.in_status(OrderStatus::Guarantee).await;
    assert_eq!(t.act(OLGA, free, &StaffCommand::Assign(VERA_ID)).await, "SUCCESS");
    assert_eq!(t.act(OLGA, free, &StaffCommand::Cancel("Ошибка".to_owned())).await, "SUCCESS");
    assert_eq!(t.act(OLGA, free, &StaffCommand::Reopen).await, "SUCCESS");
    assert_eq!(t.status(free).await, "GUARANTEE", "a free visit stays one");
    assert_eq!(t.owner(free).await, None);
    assert!(!t.asked(free).await.is_empty(), "the search has begun");

    let deferred = t.in_status(OrderStatus::Deferred).await;
    assert_eq!(t.act(OLGA, deferred, &StaffCommand::AssignNow).await, "SUCCESS");
    assert_eq!(t.status(deferred).await, "SEARCHING");
    assert_eq!(t.asked(deferred).await.len(), 3, "the round has begun in the same request");
    assert_eq!(t.act(OLGA, deferred, &StaffCommand::AssignNow).await, "ALREADY_OFFERED");
    t.check().await;
}

#[tokio::test]
async fn a_new_search_recalls_what_is_out_and_asks_again_whoever_let_it_pass() {
    let t = Dispatch::with_olga().await;
    for user in [ANNA, BORIS, VERA] {
        t.chat(user).open();
    }
    let order = t.in_status(OrderStatus::Created).await;
    assert_eq!(t.act(OLGA, order, &StaffCommand::AssignNow).await, "SUCCESS");
    t.chat(ANNA).tap(&format!("m:new:dec_yes:{order}")).await;
    let asked = t.asked(order).await;
    assert!(!asked.contains(&ANNA), "{asked:?}");

    let acted = t.act_as(OLGA, order, None, None, &StaffCommand::SearchAgain("Поиск начат заново".to_owned())).await;
    assert_eq!((acted.outcome.name(), acted.offers), ("SUCCESS", Some(3)));
    let mut asked = t.asked(order).await;
    asked.sort_unstable();
    assert_eq!(asked, [ANNA, BORIS, VERA]);
    assert_eq!(acted.fresh.expect("the order").live_offers, 3, "what is shown was read after the round");
    t.check().await;
}

#[tokio::test]
async fn who_acts_on_what_has_changed_is_told_what_it_is_now_and_by_whom() {
    let t = Dispatch::with_olga().await;
    t.add_staff(PETR).await;
    t.execute("UPDATE staff SET full_name = 'Пётр' WHERE telegram_user_id = $1", &[&PETR]).await;
    for command in commands() {
        let status = match command {
            StaffCommand::Close(_) => OrderStatus::Payment,
            StaffCommand::SearchAgain(_) => OrderStatus::Assigned,
            _ => OrderStatus::Searching,
        };
        // Who sees to it is asked by another rule, there is no comment to take away, and what is over has its own case below.
        if matches!(
            command,
            StaffCommand::Reopen
                | StaffCommand::Claim(_)
                | StaffCommand::Unclaim
                | StaffCommand::Edit(Edit::Comment(None))
        ) {
            continue;
        }
        // Its details.
        let order = t.in_status(status).await;
        let seen = Some(t.seen(order).await.version);
        assert_eq!(t.act(PETR, order, &StaffCommand::Edit(Edit::Address("ул. Новая, 1".to_owned()))).await, "SUCCESS");
        let before = t.everything_about(order).await;
        let acted = t.act_as(OLGA, order, seen, None, &command).await;
        let field_service::dispatch::act::ActOutcome::Stale(Some(change)) = acted.outcome else {
            panic!("{command:?}: {:?}", acted.outcome);
        };
        assert_eq!(change.what, Changed::Detail(Some(Detail::Address)), "{command:?}");
        assert_eq!(change.by, ChangedBy::Staff("Пётр".to_owned()));
        assert_eq!(t.everything_about(order).await, before, "{command:?}");
        // And with what it is now it is done.
        let seen = acted.fresh.map(|order| order.version);
        assert_eq!(t.act_as(OLGA, order, seen, None, &command).await.outcome.name(), "SUCCESS", "{command:?}");
    }
    // What was under way when it was seen has been closed meanwhile.
    let order = t.in_status(OrderStatus::Payment).await;
    let seen = Some(t.seen(order).await.version);
    assert_eq!(t.act(PETR, order, &StaffCommand::Close(Amount::parse("10").expect("a sum"))).await, "SUCCESS");
    assert_eq!(t.act_as(OLGA, order, seen, None, &StaffCommand::Reopen).await.outcome.name(), "STALE");
    assert_eq!(t.status(order).await, "CLOSED");
    // Its status, by a master.
    let order = t.order().offered_to([ANNA]).await;
    let seen = Some(t.seen(order).await.version);
    t.tap_accept(ANNA, order).await;
    let acted = t.act_as(OLGA, order, seen, None, &StaffCommand::Cancel("Ошибка".to_owned())).await;
    let field_service::dispatch::act::ActOutcome::Stale(Some(change)) = acted.outcome else { panic!("{acted:?}") };
    assert_eq!(change.what, Changed::Status(OrderStatus::Assigned));
    assert_eq!(change.by, ChangedBy::Master("Анна".to_owned()));
    assert_eq!(t.owner(order).await, Some(ANNA));
    t.check().await;
}

/// One of two who say at once that they see to it does, and the other one is told who.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_claim_an_order_at_once_one_is_told_of_the_other() {
    let t = Dispatch::with_olga().await;
    t.add_staff(PETR).await;
    for _ in 0..10 {
        let order = t.in_status(OrderStatus::Searching).await;
        let claim = StaffCommand::Claim(None);
        let both = tokio::join!(t.act(OLGA, order, &claim), t.act(PETR, order, &claim));
        assert!(matches!(both, ("SUCCESS", "CLAIMED") | ("CLAIMED", "SUCCESS")), "{both:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_comes_again_does_nothing_more() {
    let t = Dispatch::with_olga().await;
    for (number, command) in commands().into_iter().enumerate() {
        for status in OrderStatus::ALL {
            if expected(&command, status) != "SUCCESS" {
                continue;
            }
            let order = t.in_status(status).await;
            let origin = tap(&format!("{number} {status:?}"));
            let at_once = join_all((0..3).map(|_| t.act_as(OLGA, order, None, Some(&origin), &command))).await;
            let words: Vec<_> = at_once.iter().map(|acted| acted.outcome.name()).collect();
            assert_eq!(words.iter().filter(|word| **word == "SUCCESS").count(), 1, "{command:?} {status:?}: {words:?}");
            let rest = words.iter().filter(|word| **word == "REPEATED").count();
            assert_eq!(rest, 2, "{command:?} {status:?}: {words:?}");
            // A week later, after others have done other things.
            t.act(OLGA, order, &StaffCommand::SearchAgain("Иначе".to_owned())).await;
            let before = t.everything_about(order).await;
            let later = t.act_as(OLGA, order, None, Some(&origin), &command).await;
            assert_eq!(later.outcome.name(), "REPEATED", "{command:?} {status:?}");
            assert_eq!(t.everything_about(order).await, before, "{command:?} {status:?}");
            t.execute("DELETE FROM offers WHERE state IN ('SENT', 'VIEWED')", &[]).await;
            t.execute("DELETE FROM outbox WHERE kind = 'OFFER'", &[]).await;
            t.execute("UPDATE dispatch_rounds SET created_at = created_at - interval '1 day'", &[]).await;
        }
    }
    t.check().await;
}

fn tally(words: impl IntoIterator<Item = &'static str>) -> HashMap<&'static str, usize> {
    let mut tally = HashMap::new();
    for word in words {
        *tally.entry(word).or_default() += 1;
    }
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_dispatchers_one_is_first_and_the_other_is_told_which() {
    let t = Dispatch::with_olga().await;
    t.add_staff(PETR).await;
    let cancel = StaffCommand::Cancel("Клиент передумал".to_owned());
    let pairs = [
        (StaffCommand::Assign(ANNA_ID), StaffCommand::Assign(BORIS_ID)),
        (StaffCommand::Assign(ANNA_ID), cancel.clone()),
        (cancel, StaffCommand::Edit(Edit::Address("ул. Мира, 7".to_owned()))),
        (
            StaffCommand::Edit(Edit::Comment(Some("Позвонить".to_owned()))),
            StaffCommand::Edit(Edit::Phone("+79991112233".to_owned())),
        ),
    ];
    for (first, second) in pairs {
        for _ in 0..8 {
            let order = t.in_status(OrderStatus::Searching).await;
            let seen = Some(t.seen(order).await.version);
            let (one, other) =
                tokio::join!(t.act_as(OLGA, order, seen, None, &first), t.act_as(PETR, order, seen, None, &second),);
            let words = tally([one.outcome.name(), other.outcome.name()]);
            assert_eq!(words, HashMap::from([("SUCCESS", 1), ("STALE", 1)]), "{first:?} {second:?}");
        }
    }
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_a_dispatcher_and_a_master_there_is_one_truth() {
    let t = Dispatch::with_olga().await;
    t.execute("UPDATE masters SET max_active_orders = 1000", &[]).await;
    let commands = [
        StaffCommand::Assign(BORIS_ID),
        StaffCommand::Assign(ANNA_ID),
        StaffCommand::Cancel("Клиент передумал".to_owned()),
        StaffCommand::SearchAgain("Поиск начат заново".to_owned()),
        StaffCommand::Edit(Edit::Address("ул. Мира, 7".to_owned())),
    ];
    for command in commands {
        for _ in 0..12 {
            let order = t.order().offered_to([ANNA, VERA]).await;
            let seen = Some(t.seen(order).await.version);
            let origin = a_tap();
            let (acted, accepted) = tokio::join!(
                t.act_as(OLGA, order, seen, None, &command),
                accept::accept(&t.app.store, order, master(ANNA), Some(&origin), 1),
            );
            let accepted = accepted.expect("a database").expect("a master").outcome.name();
            let case = format!("{command:?}: {} and {accepted}", acted.outcome.name());
            let owner = t.owner(order).await;
            match (acted.outcome.name(), accepted) {
                ("STALE", "SUCCESS") => assert_eq!(owner, Some(ANNA), "{case}"),
                ("ALREADY_DONE", "SUCCESS") | ("SUCCESS", "ALREADY_YOURS") => {
                    assert_eq!((owner, &command), (Some(ANNA), &StaffCommand::Assign(ANNA_ID)), "{case}");
                }
                ("SUCCESS", "TAKEN") => assert_eq!(owner, Some(BORIS), "{case}"),
                ("SUCCESS", "WITHDRAWN") => assert_eq!(owner, None, "{case}"),
                // A new search may have asked her again before she tapped; and what it says does not stop anybody.
                ("SUCCESS", "SUCCESS") => {
                    assert_eq!(owner, Some(ANNA), "{case}");
                    assert!(matches!(command, StaffCommand::SearchAgain(_) | StaffCommand::Edit(_)), "{case}");
                }
                _ => panic!("{case}"),
            }
        }
    }
    t.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_dispatchers_at_once_leave_one_master_and_a_whole_history() {
    let t = Dispatch::with_olga().await;
    let order = t.order().offered_to([ANNA, BORIS, VERA]).await;
    let commands: Vec<StaffCommand> = (0..20)
        .map(|number| match number % 5 {
            0 => StaffCommand::Assign(ANNA_ID),
            1 => StaffCommand::Assign(BORIS_ID),
            2 => StaffCommand::SearchAgain("Мастер не успевает".to_owned()),
            3 => StaffCommand::Edit(Edit::Comment(Some(format!("Звонил {number}")))),
            _ => StaffCommand::Assign(VERA_ID),
        })
        .collect();
    let words = join_all(commands.iter().map(|command| t.act(OLGA, order, command))).await;
    let words = tally(words);
    assert!(words.keys().all(|word| ["SUCCESS", "ALREADY_DONE", "NOT_NOW", "BUSY"].contains(word)), "{words:?}");
    assert!(words["SUCCESS"] > 5, "{words:?}");
    t.check().await;
}

/// A right that is taken away while the dispatcher's transaction waits for the order is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_lost_meanwhile_is_none() {
    let t = Dispatch::with_olga().await;
    for command in commands() {
        let status = match command {
            StaffCommand::Close(_) => OrderStatus::Payment,
            StaffCommand::SearchAgain(_) => OrderStatus::Assigned,
            StaffCommand::Reopen | StaffCommand::Unclaim | StaffCommand::Edit(Edit::Comment(None)) => continue,
            _ => OrderStatus::Searching,
        };
        let order = t.in_status(status).await;
        let before = t.everything_about(order).await;
        let colleague = t.colleague().await;
        colleague
            .batch_execute(&format!("BEGIN; SELECT FROM orders WHERE id = {order} FOR UPDATE"))
            .await
            .expect("a lock");
        let (outcome, ()) = tokio::join!(t.act(OLGA, order, &command), async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            t.execute("UPDATE staff SET is_active = false", &[]).await;
            colleague.batch_execute("COMMIT").await.expect("released");
        });
        assert_eq!(outcome, "NOT_FOUND", "{command:?}");
        assert_eq!(t.everything_about(order).await, before, "{command:?}");
        t.execute("UPDATE staff SET is_active = true", &[]).await;
    }
}

#[tokio::test]
async fn somebody_who_holds_the_order_or_the_master_is_not_waited_for_for_ever() {
    let t = Dispatch::with_olga().await;
    let order = t.in_status(OrderStatus::Searching).await;
    let colleague = t.colleague().await;
    for lock in ["orders", "masters"] {
        let sql = format!("BEGIN; SELECT FROM {lock} FOR UPDATE");
        colleague.batch_execute(&sql).await.expect("a lock");
        assert_eq!(t.act(OLGA, order, &StaffCommand::Assign(ANNA_ID)).await, "BUSY", "{lock}");
        colleague.batch_execute("ROLLBACK").await.expect("released");
    }
    assert_eq!(t.act(OLGA, order, &StaffCommand::Assign(ANNA_ID)).await, "SUCCESS");
    t.check().await;
}

#[tokio::test]
async fn who_was_told_to_try_again_is_told_so_again_when_the_tap_comes_again() {
    let t = Dispatch::with_olga().await;
    let order = t.in_status(OrderStatus::Searching).await;
    let colleague = t.colleague().await;
    colleague.batch_execute("BEGIN; SELECT FROM orders FOR UPDATE").await.expect("a lock");
    let (first, next) = (tap("1"), tap("2"));
    let give = StaffCommand::Assign(ANNA_ID);
    assert_eq!(t.first_of_staff_does(order, &give, Some(&first)).await, "BUSY");
    colleague.batch_execute("ROLLBACK").await.expect("released");
    assert_eq!(t.first_of_staff_does(order, &give, Some(&first)).await, "BUSY", "nothing was done");
    assert_eq!(t.first_of_staff_does(order, &give, Some(&next)).await, "SUCCESS");
    assert_eq!(t.first_of_staff_does(order, &StaffCommand::Cancel("x".to_owned()), Some(&next)).await, "REPEATED");
}

#[tokio::test]
async fn candidates_come_in_the_order_of_the_rounds_and_the_others_with_a_reason() {
    let t = Dispatch::with_olga().await;
    for (user, change) in [
        (201, "is_blocked = true, blocked_reason = 'долг'"),
        (202, "on_shift = false"),
        (203, "max_active_orders = 0"),
        (204, "unreachable_since = now()"),
    ] {
        t.add_master(user, "Мастер").await;
        t.execute(&format!("UPDATE masters SET {change} WHERE telegram_user_id = $1"), &[&user]).await;
    }
    t.execute("UPDATE master_activity SET last_asked_at = now() WHERE master_id = 1", &[]).await;
    t.execute("UPDATE master_activity SET last_asked_at = now() - interval '1 hour' WHERE master_id = 3", &[]).await;
    let order = t.order().create().await;
    let page = async |page| {
        candidates::candidates(&t.app.store, order, staff(OLGA), page).await.expect("a database").expect("an order")
    };
    let first = page(1).await;
    let last = page(99).await;
    let seen: Vec<_> = first.lines.iter().chain(&last.lines).map(|line| (line.id.0, line.why_not)).collect();
    assert_eq!(
        seen,
        [
            (2, None),
            (3, None),
            (1, None),
            (6, Some(Exclusion::Limit)),
            (5, Some(Exclusion::OffShift)),
            (7, Some(Exclusion::Unreachable)),
            (4, Some(Exclusion::Blocked)),
        ]
    );
    assert_eq!((first.fit, first.total, first.pages()), (3, 7, 2));
    assert_eq!((last.page, last.lines.len()), (2, 2));
    // Who is asked first is whom the round asks first.
    assert_eq!(t.act(OLGA, order, &StaffCommand::AssignNow).await, "SUCCESS");
    assert_eq!(t.asked(order).await[..2], [BORIS, VERA]);

    assert_eq!(t.act(OLGA, order, &StaffCommand::Assign(MasterId(4))).await, "BLOCKED");
    assert_eq!(t.act(OLGA, order, &StaffCommand::Assign(MasterId(99))).await, "NO_SUCH_MASTER");
    // Staff may go over the limit, knowingly.
    assert_eq!(t.act(OLGA, order, &StaffCommand::Assign(MasterId(6))).await, "SUCCESS");
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Пермь', 'Asia/Yekaterinburg')", &[]).await;
    t.add_staff_as(504, "DISPATCHER", &[2]).await;
    let none = candidates::candidates(&t.app.store, order, staff(504), 1).await.expect("a database");
    assert!(none.is_none(), "another city's");
    t.check().await;
}
