//! Calls for staff: to those of the city, with the phones and the buttons to act; and what the others read when somebody has.

use field_service::bots::render::{self, Screen};
use field_service::model::access::TokenScope;
use field_service::model::call::{Answer, Call, CalledOrder, Cause, Contact, Resolution};
use field_service::model::notification::Notification;
use field_service::model::policy::Escalation;
use field_service::model::{Category, Client, MasterId, OrderCard, OrderId, OrderStatus, TimeSlot, Version};
use field_service::sim::telegram::{self, Chat};
use insta::assert_snapshot;
use jiff::civil::{DateTime, date};
use serde_json::json;

use crate::harness::{ANNA, BORIS, Dispatch, MASTER_TOKEN};

const OLGA: i64 = 501;
const PAVEL: i64 = 502;
const CLIENT: &str = "8 (999) 000-11-22";

impl Dispatch {
    /// Two dispatchers on duty.
    async fn on_duty() -> (Self, Chat, Chat) {
        let t = Self::with_standing_clock(0).await;
        let (olga, pavel) = (t.add_staff(OLGA).await, t.add_staff(PAVEL).await);
        t.execute("UPDATE staff SET full_name = CASE telegram_user_id WHEN $1 THEN 'Ольга' ELSE 'Павел' END", &[&OLGA])
            .await;
        t.execute("UPDATE masters SET phone = '+7912000' || telegram_user_id, on_shift = false", &[]).await;
        for master in [ANNA, BORIS] {
            t.chat(master).open();
        }
        (t, olga, pavel)
    }

    /// An order that does not find a master by itself.
    async fn escalated(&self) -> OrderId {
        let order = self.order().create().await;
        self.execute(
            "UPDATE orders SET escalated_at = $2, escalation_reason = 'ROUNDS', search_started_at = $2,
                               next_round_at = $2::timestamptz + interval '1 day'
             WHERE id = $1",
            &[&order.0, &self.clock.now().expect("a standing clock")],
        )
        .await;
        order
    }

    /// What happens by itself, and what everybody is told.
    async fn call(&self) {
        self.tick().await;
        self.tell().await;
        self.let_pass(2);
    }

    async fn calls(&self) -> i64 {
        self.one("SELECT count(*) FROM calls", &[]).await
    }
}

fn buttons(chat: &Chat) -> String {
    chat.buttons().iter().map(|button| format!("[{}]", button.text)).collect::<Vec<_>>().concat()
}

/// How many messages came that were not there before an edit.
fn messages(chat: &Chat) -> usize {
    chat.messages().len()
}

#[tokio::test]
async fn a_call_goes_to_those_who_may_act_in_the_city_with_the_client_s_phone_and_buttons() {
    let t = Dispatch::with_standing_clock(0).await;
    let other: i64 = t.one("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk') RETURNING id", &[]).await;
    let [olga, admin, of_omsk, viewer] = [
        t.add_staff_as(OLGA, "DISPATCHER", &[1]).await,
        t.add_staff_as(510, "ADMIN", &[other]).await,
        t.add_staff_as(511, "DISPATCHER", &[other]).await,
        t.add_staff_as(512, "VIEWER", &[1]).await,
    ];
    let order = t.escalated().await;
    t.call().await;
    for chat in [&olga, &admin] {
        let screen = chat.screen();
        assert!(screen.contains(&format!("Заявка №{order} ждёт диспетчера")) && screen.contains(CLIENT), "{screen}");
        assert_eq!(buttons(chat), "[🙋 Беру на себя][🔁 Искать заново][👷 Назначить][📄 Открыть заявку][📞 Клиент]");
    }
    assert_eq!([&of_omsk, &viewer].map(messages), [0, 0]);
    t.call().await;
    assert_eq!([&olga, &admin].map(messages), [1, 1], "nothing is called twice");
}

#[tokio::test]
async fn who_is_moved_to_another_city_before_the_call_is_sent_does_not_read_it() {
    let (t, olga, pavel) = Dispatch::on_duty().await;
    t.escalated().await;
    t.tick().await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    t.execute(
        "INSERT INTO staff_cities (staff_id, city_id) SELECT id, 2 FROM staff WHERE telegram_user_id = $1",
        &[&PAVEL],
    )
    .await;
    t.call().await;
    assert_eq!([&olga, &pavel].map(messages), [1, 0]);
}

#[tokio::test]
async fn whoever_sees_to_it_is_named_to_the_others_until_it_is_left_to_them_again() {
    let (t, olga, pavel) = Dispatch::on_duty().await;
    let order = t.escalated().await;
    t.call().await;
    olga.press("Беру на себя").await;
    t.call().await;
    let screen = pavel.screen();
    assert!(screen.contains("🙋 Занимается Ольга") && screen.contains(CLIENT), "{screen}");
    assert_eq!(buttons(&pavel), "[📄 Открыть заявку][📞 Клиент]");
    assert_eq!(messages(&pavel), 1, "the message was edited");

    olga.tap(&format!("adm:o:unc:{order}")).await;
    t.call().await;
    assert!(!pavel.screen().contains("Занимается"), "{}", pavel.screen());
    assert!(buttons(&pavel).contains("Беру на себя"));
    t.check().await;
}

#[tokio::test]
async fn the_others_read_who_has_given_it_to_whom() {
    let (t, olga, pavel) = Dispatch::on_duty().await;
    let order = t.escalated().await;
    t.call().await;
    olga.tap(&format!("adm:q:as:any:{order}:1")).await;
    assert_eq!(t.owner(order).await, Some(ANNA));
    t.call().await;
    let screen = pavel.screen();
    assert!(screen.contains("ждала диспетчера") && screen.contains("✅ Назначен мастер Анна (Ольга, "), "{screen}");
    assert!(!screen.contains(CLIENT), "nobody needs it there any more: {screen}");
    assert_eq!(buttons(&pavel), "[📄 Открыть заявку]");
    assert_eq!(t.calls().await, 0, "there is nothing left to say");
}

#[tokio::test]
async fn the_others_read_what_became_of_it_by_itself_or_was_canceled() {
    let (t, _, pavel) = Dispatch::on_duty().await;
    let taken = t.escalated().await;
    t.offer(taken, ANNA, "SENT").await;
    t.call().await;
    t.tap_accept(ANNA, taken).await;
    t.call().await;
    assert!(pavel.screen().contains("✅ Взял мастер Анна"), "{}", pavel.screen());

    let canceled = t.escalated().await;
    t.call().await;
    assert!(pavel.screen().contains(&format!("№{canceled}")));
    t.telegram.chat(crate::harness::ADMIN_TOKEN, OLGA, "Ольга").tap(&format!("adm:o:cnl_yes:dup:{canceled}")).await;
    assert_eq!(t.status(canceled).await, "CANCELED");
    t.call().await;
    assert!(pavel.screen().contains("🚫 Отменена (Ольга, "), "{}", pavel.screen());
    assert_eq!(t.calls().await, 0);
}

#[tokio::test]
async fn a_call_that_has_become_a_card_is_not_written_over() {
    let (t, olga, pavel) = Dispatch::on_duty().await;
    let order = t.escalated().await;
    t.offer(order, ANNA, "SENT").await;
    t.call().await;
    pavel.press("Открыть заявку").await;
    let card = pavel.screen();
    t.tap_accept(ANNA, order).await;
    t.call().await;
    assert_eq!(pavel.screen(), card);
    assert!(olga.screen().contains("Взял мастер"), "{}", olga.screen());
}

#[tokio::test]
async fn a_tap_while_the_call_is_being_sent_releases_it_too() {
    let (t, _, pavel) = Dispatch::on_duty().await;
    let order = t.escalated().await;
    t.tick().await;
    // As if a sender had just sent it, and not recorded that yet.
    t.tell().await;
    let message = pavel.messages().last().expect("a call").id;
    t.execute("DELETE FROM calls WHERE chat_id = $1", &[&PAVEL]).await;
    t.execute(
        "UPDATE outbox SET finished_at = NULL, lease = gen_random_uuid(), due_at = now() + interval '1 hour'
         WHERE chat_id = $1",
        &[&PAVEL],
    )
    .await;
    pavel.tap(&format!("adm:q:card:{order}:1")).await;
    let touched: Vec<i32> = t.one("SELECT touched FROM outbox WHERE chat_id = $1", &[&PAVEL]).await;
    assert_eq!(touched, [message]);
}

#[tokio::test]
async fn several_calls_in_one_message_are_answered_line_by_line() {
    let (t, _, pavel) = Dispatch::on_duty().await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        let order = t.escalated().await;
        t.offer(order, ANNA, "SENT").await;
        orders.push(order);
    }
    t.call().await;
    assert!(pavel.screen().contains("3 заявки ждут диспетчера"), "{}", pavel.screen());
    assert_eq!(pavel.buttons().len(), 3);
    t.tap_accept(ANNA, orders[1]).await;
    t.call().await;
    let screen = pavel.screen();
    assert!(screen.contains("2 заявки ждут диспетчера") && screen.contains("✅ Взял мастер Анна"), "{screen}");
    assert_eq!((messages(&pavel), pavel.buttons().len()), (1, 2));
    for order in [orders[0], orders[2]] {
        t.tap_accept(ANNA, order).await;
    }
    t.call().await;
    assert!(pavel.screen().contains("Всё разобрано"), "{}", pavel.screen());
    assert_eq!(t.calls().await, 0);
}

#[tokio::test]
async fn while_somebody_sees_to_it_nobody_else_is_called_for_an_hour() {
    let (t, olga, pavel) = Dispatch::on_duty().await;
    let order = t.order().create().await;
    t.execute("UPDATE orders SET next_round_at = now() + interval '1 day' WHERE id = $1", &[&order.0]).await;
    olga.tap(&format!("adm:o:clm:{order}")).await;
    let seen = messages(&olga);
    t.execute(
        "UPDATE orders SET escalated_at = $2, escalation_reason = 'TIME', search_started_at = $2 WHERE id = $1",
        &[&order.0, &t.clock.now().expect("a standing clock")],
    )
    .await;
    t.call().await;
    assert_eq!((messages(&olga), messages(&pavel)), (seen + 1, 0));
    t.let_pass(3600);
    t.call().await;
    assert_eq!((messages(&olga), messages(&pavel)), (seen + 1, 1));
}

#[tokio::test]
async fn an_order_past_its_time_is_called_for_once_and_again_when_it_gets_another() {
    let (t, _, pavel) = Dispatch::on_duty().await;
    let order = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    let slot = "UPDATE orders SET timeslot_start = $2::timestamptz - interval '2 hours', timeslot_end = $2 + interval '10 minutes'
                WHERE id = $1";
    t.execute(slot, &[&order.0, &t.clock.now().expect("a standing clock")]).await;
    t.call().await;
    assert_eq!(messages(&pavel), 0, "not yet");
    t.let_pass(600);
    t.call().await;
    let screen = pavel.screen();
    assert!(screen.contains("время клиента прошло") && screen.contains("Анна, +7912000101"), "{screen}");
    assert!(screen.contains(CLIENT) && screen.contains("ждёт выезда"), "{screen}");
    assert!(buttons(&pavel).contains("[📞 Клиент][📞 Мастер]"), "{}", buttons(&pavel));
    t.call().await;
    assert_eq!(messages(&pavel), 1);

    t.let_pass(60);
    t.execute(slot, &[&order.0, &t.clock.now().expect("a standing clock")]).await;
    t.call().await;
    assert!(pavel.screen().contains("к клиенту опаздывали") && pavel.screen().contains("Уже не требуется"));
    t.let_pass(700);
    t.call().await;
    assert_eq!(messages(&pavel), 2);
    t.chat(ANNA).tap(&format!("m:act:enr:{order}")).await;
    t.call().await;
    assert!(pavel.screen().contains("в пути"), "on the way is not there yet: {}", pavel.screen());
    t.let_pass(5);
    t.chat(ANNA).tap(&format!("m:act:wrk:{order}")).await;
    t.call().await;
    assert!(pavel.screen().contains("к клиенту опаздывали"), "{}", pavel.screen());
}

#[tokio::test]
async fn what_is_long_past_is_not_called_for() {
    let (t, _, pavel) = Dispatch::on_duty().await;
    let order = t.order().in_status("ASSIGNED").of_master(ANNA).create().await;
    t.execute("UPDATE orders SET timeslot_end = now() - interval '7 days' WHERE id = $1", &[&order.0]).await;
    t.call().await;
    assert_eq!(messages(&pavel), 0);
}

#[tokio::test]
async fn an_order_that_was_given_back_shows_both_phones_and_then_who_took_it() {
    let (t, _, pavel) = Dispatch::on_duty().await;
    let order = t.order().offered_to([ANNA]).await;
    t.tap_accept(ANNA, order).await;
    t.chat(ANNA).tap(&format!("m:act:ret:{order}")).await;
    t.answer(&t.chat(ANNA), "Не успеваю").await;
    t.execute("UPDATE orders SET next_round_at = now() + interval '1 day'", &[]).await;
    t.call().await;
    let screen = pavel.screen();
    assert!(screen.contains("вернули") && screen.contains("Не успеваю"), "{screen}");
    assert!(screen.contains(CLIENT) && screen.contains("Анна, +7912000101"), "{screen}");
    assert!(buttons(&pavel).contains("[📞 Клиент][📞 Мастер]"), "{}", buttons(&pavel));
    t.offer(order, BORIS, "SENT").await;
    t.tap_accept(BORIS, order).await;
    t.call().await;
    assert!(pavel.screen().contains("✅ Взял мастер Борис"), "{}", pavel.screen());
}

#[tokio::test]
async fn a_master_who_cannot_be_reached_is_called_for_until_he_writes() {
    let (t, olga, pavel) = Dispatch::on_duty().await;
    let anna = t.chat(ANNA);
    anna.open();
    anna.block_bot(true);
    let order = t.order().create().await;
    t.execute("UPDATE orders SET next_round_at = now() + interval '1 day'", &[]).await;
    olga.tap(&format!("adm:q:as:any:{order}:1")).await;
    t.call().await;
    t.call().await;
    let screen = pavel.screen();
    assert!(screen.contains("не доходят сообщения") && screen.contains("Анна, +7912000101"), "{screen}");
    assert!(screen.contains(CLIENT) && screen.contains("позвоните"), "{screen}");
    anna.block_bot(false);
    t.telegram.chat(MASTER_TOKEN, ANNA, "Анна").say("/start").await;
    t.call().await;
    assert!(pavel.screen().contains("снова на связи"), "{}", pavel.screen());
    assert_eq!(t.calls().await, 0);
}

#[tokio::test]
async fn a_call_that_was_deleted_in_the_chat_is_not_edited_for_ever() {
    let (t, _, _) = Dispatch::on_duty().await;
    let order = t.escalated().await;
    t.offer(order, ANNA, "SENT").await;
    t.call().await;
    t.telegram.fail_next("editMessageText", 2, telegram::Fault::BadRequest);
    t.tap_accept(ANNA, order).await;
    t.call().await;
    assert_eq!(t.calls().await, 0);
    t.call().await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox WHERE finished_at IS NULL", &[]).await, 0);
}

#[tokio::test]
async fn what_was_changed_while_the_call_was_being_sent_is_said_by_the_next_pass() {
    let (t, _, pavel) = Dispatch::on_duty().await;
    let order = t.escalated().await;
    t.call().await;
    t.execute("UPDATE calls SET seen = 'another'", &[]).await;
    t.execute("UPDATE orders SET address = 'ул. Новая, 1' WHERE id = $1", &[&order.0]).await;
    t.execute("DELETE FROM outbox WHERE kind = 'CALL'", &[]).await;
    t.call().await;
    assert!(pavel.screen().contains("ул. Новая, 1"), "{}", pavel.screen());
    assert_eq!(messages(&pavel), 1);
}

fn now() -> DateTime {
    date(2026, 11, 20).at(17, 30, 0, 0)
}

fn order(id: i64) -> CalledOrder {
    CalledOrder {
        card: OrderCard {
            is_free: false,
            id: OrderId(id),
            category: Category::Plumbing,
            city: "Екатеринбург".to_owned(),
            district: Some("Уралмаш".to_owned()),
            address: "ул. Победы, 14, кв. 3".to_owned(),
            description: Some("Течёт <кран> & капает".to_owned()),
            slot: TimeSlot {
                soon: false,
                start: Some(date(2026, 11, 20).at(14, 0, 0, 0)),
                end: Some(date(2026, 11, 20).at(16, 0, 0, 0)),
                now: now(),
                in_utc: false,
            },
        },
        client: Client { name: "Нина <Петровна>".to_owned(), phone: "+79991234567".to_owned() },
        status: OrderStatus::Searching,
        seen: Version { version: 2, revision: 1 },
    }
}

fn pyotr() -> Contact {
    Contact { id: MasterId(5), name: "Пётр & Ко".to_owned(), phone: Some("8 912 000 00 01".to_owned()) }
}

fn made(cause: Cause) -> Call {
    Call { cause, order: Some(order(4)), master: None, answer: None }
}

fn show(screen: &Screen) -> String {
    let rows: Vec<String> = screen
        .keyboard
        .inline_keyboard
        .iter()
        .map(|row| row.iter().map(|button| format!("[{}]", button.text)).collect::<Vec<_>>().concat())
        .collect();
    format!("{}\n---\n{}", screen.text, rows.join("\n"))
}

#[test]
fn calls_are_read_by_a_dispatcher_at_eight_in_the_morning() {
    let returned = Cause::Returned(Some("Клиент <передумал>".to_owned()));
    let at = Some((date(2026, 11, 20).at(17, 5, 0, 0), now()));
    let answered =
        |resolution| Call { answer: Some(Answer { resolution, at }), ..made(Cause::Escalated(Escalation::Rounds)) };
    let olga = || "Ольга".to_owned();
    let calls = [
        made(Cause::Escalated(Escalation::NobodyLeft)),
        made(Cause::Escalated(Escalation::Rounds)),
        made(Cause::Escalated(Escalation::Time)),
        Call { master: Some(pyotr()), ..made(returned.clone()) },
        Call {
            master: Some(pyotr()),
            order: Some(CalledOrder { status: OrderStatus::Assigned, ..order(4) }),
            ..made(Cause::Late)
        },
        Call { master: Some(pyotr()), ..made(Cause::Unreachable) },
        Call { master: Some(pyotr()), order: None, ..made(Cause::Unreachable) },
        answered(Resolution::Claimed(olga())),
        answered(Resolution::Given { by: olga(), master: Some("Анна".to_owned()) }),
        answered(Resolution::Taken(Some("Анна".to_owned()))),
        answered(Resolution::SearchedAnew(Some(olga()))),
        answered(Resolution::Canceled(Some(olga()))),
        answered(Resolution::WentOn(None)),
        Call {
            master: Some(pyotr()),
            order: None,
            answer: Some(Answer { resolution: Resolution::Reachable, at: None }),
            ..made(Cause::Unreachable)
        },
    ];
    let mut shown: Vec<_> =
        calls.iter().map(|call| show(&render::notification(&Notification::Call(call.clone())))).collect();
    let many = vec![made(Cause::Escalated(Escalation::Rounds)); 12];
    let late =
        vec![calls[4].clone(), Call { answer: answered(Resolution::Claimed(olga())).answer, ..calls[4].clone() }];
    let mixed = vec![calls[3].clone(), Call { answer: answered(Resolution::Taken(None)).answer, ..calls[3].clone() }];
    let over = vec![answered(Resolution::Canceled(None)), answered(Resolution::WentOn(None))];
    for together in [many, late, mixed, vec![calls[5].clone(), calls[6].clone()], over] {
        shown.push(show(&render::notification(&Notification::Together(together))));
    }
    assert_snapshot!(shown.join("\n\n========\n\n"));
}

#[test]
fn no_call_is_too_long_for_telegram() {
    let long = "<&щ🔧".repeat(3000);
    let contact = Some(Contact { id: MasterId(5), name: long.clone(), phone: Some(long.clone()) });
    let client = Client { name: long.clone(), phone: long.clone() };
    let card = OrderCard {
        is_free: false,
        city: long.clone(),
        district: Some(long.clone()),
        address: long.clone(),
        description: Some(long.clone()),
        ..order(4).card
    };
    for cause in
        [Cause::Escalated(Escalation::NobodyLeft), Cause::Returned(Some(long.clone())), Cause::Late, Cause::Unreachable]
    {
        for resolution in [
            None,
            Some(Resolution::Claimed(long.clone())),
            Some(Resolution::Given { by: long.clone(), master: Some(long.clone()) }),
        ] {
            let call = Call {
                cause: cause.clone(),
                order: Some(CalledOrder { card: card.clone(), client: client.clone(), ..order(4) }),
                master: contact.clone(),
                answer: resolution.map(|resolution| Answer { resolution, at: Some((now(), now())) }),
            };
            for notification in [Notification::Call(call.clone()), Notification::Together(vec![call; 30])] {
                let shown = telegram::html(&render::notification(&notification).text).expect("Telegram takes it");
                assert!(shown.encode_utf16().count() <= 4096, "{} characters", shown.encode_utf16().count());
            }
        }
    }
}

/// Nobody is called for an hour while somebody sees to it; a program has said so, and is told nothing.
#[tokio::test]
async fn that_a_program_sees_to_it_keeps_nobody_from_being_called() {
    let (t, olga, _) = Dispatch::on_duty().await;
    let program = t.program(TokenScope::Orders, &[]).await;
    let order = t.order().create().await;
    t.execute("UPDATE orders SET next_round_at = now() + interval '1 day'", &[]).await;
    assert_eq!(program.post(&format!("/api/orders/{order}/claim"), &[("If-Match", "*")], &json!({})).await.status, 200);
    t.execute(
        "UPDATE orders SET escalated_at = $1, escalation_reason = 'ROUNDS', search_started_at = $1",
        &[&t.clock.now().expect("a standing clock")],
    )
    .await;
    t.call().await;
    assert!(olga.screen().contains(&format!("Заявка №{order} ждёт диспетчера")), "{}", olga.screen());
}

#[tokio::test]
async fn a_call_of_somebody_who_may_not_act_any_more_is_forgotten() {
    let (t, olga, pavel) = Dispatch::on_duty().await;
    let order = t.escalated().await;
    t.call().await;
    t.execute("UPDATE staff SET role = 'VIEWER' WHERE telegram_user_id = $1", &[&PAVEL]).await;
    olga.press("Беру на себя").await;
    for _ in 0..3 {
        t.call().await;
    }
    let edits: Vec<i64> = t.one("SELECT array_agg(chat_id) FROM outbox WHERE kind = 'CALL'", &[]).await;
    assert_eq!(edits, [PAVEL], "once, and not again and again");
    assert_eq!(t.calls().await, 0);
    assert!(!pavel.screen().contains("Ольга") && olga.screen().contains(&format!("№{order}")), "{}", olga.screen());
}
