//! What dispatchers read when they do something with an order, as it stands in their chats.

use field_service::bots::callback::staff::{CancelReason, Field, ReturnReason};
use field_service::bots::render::Screen;
use field_service::bots::render::staff::order as screens;
use field_service::bots::render::texts::staff::order::{self as texts, Misunderstood};
use field_service::dispatch::act::{ActOutcome, Acted, StaffCommand};
use field_service::model::blocked::Blocked;
use field_service::model::candidates::{CandidateLine, Candidates};
use field_service::model::dialog::Written;
use field_service::model::selection::Exclusion;
use field_service::model::slot::{NoTime, WORKDAY};
use field_service::model::staff_order::{Changed, ChangedBy, Detail, Edit, LastChange, Sought, StaffOrder};
use field_service::model::{
    Amount, Category, Client, MasterId, NoPhone, OfferState, OrderCard, OrderId, OrderStatus, OwnOrder, StaffId,
    TimeSlot, Version,
};
use field_service::sim::telegram;
use insta::assert_snapshot;
use jiff::civil::{DateTime, date};

fn now() -> DateTime {
    date(2026, 11, 29).at(8, 5, 0, 0)
}

/// What people may type, and more of it than there is room for.
fn order(status: OrderStatus, typed: impl Fn(&str) -> String) -> StaffOrder {
    let slot = TimeSlot {
        soon: false,
        start: Some(date(2026, 11, 30).at(14, 0, 0, 0)),
        end: Some(date(2026, 11, 30).at(16, 0, 0, 0)),
        now: now(),
        in_utc: false,
    };
    StaffOrder {
        staff: StaffId(1),
        acts: true,
        order: OwnOrder {
            card: OrderCard {
                is_free: false,
                id: OrderId(118),
                category: Category::Plumbing,
                city: "Екатеринбург".to_owned(),
                district: None,
                address: typed("ул. Ленина, 5 <кв. 3>"),
                description: Some(typed("Не греет бойлер & капает")),
                slot,
            },
            client: Client { name: typed("Мария"), phone: "+79123456789".to_owned() },
            status,
            comment: Some(typed("Домофон 15")),
        },
        sought: Sought { city: 1, district: None, category: Category::Plumbing, preferred: None, goes_on: true },
        version: Version { version: 3, revision: 2 },
        master: Some((MasterId(7), typed("Борис"))),
        claimed: None,
        workday: WORKDAY,
        live_offers: 0,
        was_offered: true,
        ended_lately: true,
        amount: None,
        last_change: None,
        processed: None,
        with_master_since: 3,
    }
}

fn as_typed(text: &str) -> String {
    text.to_owned()
}

fn show(screen: &Screen) -> String {
    let rows: Vec<_> = screen
        .keyboard
        .inline_keyboard
        .iter()
        .map(|row| {
            let buttons: Vec<_> = row
                .iter()
                .map(|button| format!("[{} → {}]", button.text, button.callback_data.as_deref().unwrap_or("copies")))
                .collect();
            buttons.join(" ")
        })
        .collect();
    format!("{}\n---\n{}", screen.text, rows.join("\n"))
}

fn line(id: i64, name: &str, why_not: Option<Exclusion>, offer: Option<OfferState>) -> CandidateLine {
    CandidateLine { id: MasterId(id), name: name.to_owned(), load: 2, limit: 5, why_not, offer, blocked_reason: None }
}

fn all(typed: impl Fn(&str) -> String + Copy) -> Vec<(&'static str, Vec<Screen>)> {
    let open = order(OrderStatus::Searching, typed);
    let working = order(OrderStatus::Working, typed);
    let paid = order(OrderStatus::Payment, typed);
    let closed = order(OrderStatus::Closed, typed);
    let canceled = StaffOrder { master: None, ..order(OrderStatus::Canceled, typed) };
    let lines = vec![
        line(1, &typed("Анна"), None, None),
        line(2, &typed("Вера"), Some(Exclusion::Asked), Some(OfferState::Declined)),
        line(3, &typed("Глеб"), Some(Exclusion::OffShift), None),
    ];
    let list = |order: &StaffOrder, lines: Vec<CandidateLine>| Candidates {
        order: order.clone(),
        total: lines.len() * 3,
        fit: usize::from(!lines.is_empty()),
        page: 2,
        lines,
    };
    vec![
        (
            "order_candidates",
            vec![
                screens::candidates(&list(&open, lines.clone())),
                screens::candidates(&list(&working, lines.clone())),
                screens::candidates(&Candidates { fit: 0, ..list(&open, lines.clone()) }),
                screens::candidates(&Candidates { page: 1, ..list(&open, Vec::new()) }),
                screens::confirm_pick(&open, &lines[2]),
                screens::confirm_pick(&working, &lines[0]),
            ],
        ),
        (
            "order_questions",
            vec![
                screens::ask_cancel(&working),
                screens::confirm_cancel(&open, CancelReason::ChangedMind),
                screens::confirm_written(&open, &Written { text: "нет, <не> надо".to_owned(), message: 77 }, false),
                screens::ask_return(&working),
                screens::confirm_return(&working, ReturnReason::TooLate),
                screens::ask_return(&open),
                screens::confirm_reopen(&closed),
                screens::confirm_reopen(&canceled),
                screens::confirm_close(&paid, Amount::parse("2500").expect("a sum")),
            ],
        ),
        (
            "order_edits",
            std::iter::once(screens::edit(&working))
                .chain(Field::ALL.map(|field| screens::ask(field, &working, None)))
                .chain([screens::ask_hour(&working, now().date()), screens::ask_hour(&working, date(2026, 12, 1))])
                .collect(),
        ),
    ]
}

#[test]
fn what_is_asked_about_an_order() {
    for (name, screens) in all(as_typed) {
        let shown: Vec<_> = screens.iter().map(show).collect();
        assert_snapshot!(name, shown.join("\n\n========\n\n"));
    }
}

#[test]
fn no_screen_about_an_order_is_too_long() {
    let long = |text: &str| format!("{text} {}", "<очень длинно> & ".repeat(400));
    for (name, screens) in all(long) {
        for screen in screens {
            let shown = telegram::html(&screen.text).expect("Telegram takes it");
            let length = shown.encode_utf16().count();
            assert!(length <= 4096, "{name}: {length} characters");
        }
    }
}

#[test]
fn every_answer_fits_an_alert_and_says_what_to_do() {
    let fresh = Some(order(OrderStatus::EnRoute, as_typed));
    let long = "Очень длинное имя диспетчера, каких не бывает, но вдруг".repeat(4);
    let change = |what, by| Some(LastChange { what, by, at: date(2026, 11, 29).at(8, 3, 0, 0) });
    let changes = [
        None,
        change(Changed::Status(OrderStatus::Canceled), ChangedBy::Staff(long.clone())),
        change(Changed::Status(OrderStatus::EnRoute), ChangedBy::Master("Борис".to_owned())),
        change(Changed::Status(OrderStatus::Searching), ChangedBy::System),
        change(Changed::Detail(Some(Detail::Slot)), ChangedBy::You),
        change(Changed::Detail(None), ChangedBy::System),
    ];
    let outcomes = changes.into_iter().map(ActOutcome::Stale).chain([
        ActOutcome::AlreadyDone,
        ActOutcome::Repeated,
        ActOutcome::NotNow,
        ActOutcome::TooLate,
        ActOutcome::AlreadyOffered,
        ActOutcome::PastSlot,
        ActOutcome::Blocked(Blocked { reason: Some(long.clone()) }),
        ActOutcome::Blocked(Blocked { reason: None }),
        ActOutcome::NoSuchMaster,
        ActOutcome::ReadOnly,
        ActOutcome::NotFound,
        ActOutcome::Busy,
    ]);
    let mut said: Vec<String> = outcomes
        .map(|outcome| {
            let acted = Acted { outcome, fresh: fresh.clone(), enqueued: false, offers: None };
            format!("{}: {}", acted.outcome.name(), texts::acted(&StaffCommand::Claim(None), &acted))
        })
        .collect();
    let commands = [
        StaffCommand::Claim(None),
        StaffCommand::Unclaim,
        StaffCommand::Assign(MasterId(7)),
        StaffCommand::Cancel(String::new()),
        StaffCommand::Close(Amount::parse("2500").expect("a sum")),
        StaffCommand::Reopen,
        StaffCommand::Edit(Edit::Address(String::new())),
        StaffCommand::Edit(Edit::Phone(String::new())),
        StaffCommand::Edit(Edit::Description(String::new())),
        StaffCommand::Edit(Edit::Slot(None)),
        StaffCommand::Edit(Edit::Comment(None)),
        StaffCommand::Edit(Edit::Comment(Some(String::new()))),
    ];
    let done = |command: &StaffCommand, offers| {
        let acted = Acted { outcome: ActOutcome::Done, fresh: fresh.clone(), enqueued: true, offers };
        format!("SUCCESS of {}: {}", command.name(), texts::acted(command, &acted))
    };
    said.extend(commands.iter().map(|command| done(command, None)));
    for offers in [None, Some(0), Some(1), Some(3)] {
        said.push(done(&StaffCommand::AssignNow, offers));
        said.push(done(&StaffCommand::SearchAgain(String::new()), offers));
        said.push(done(&StaffCommand::Reopen, offers));
    }
    for alert in &said {
        let text = alert.split_once(": ").expect("a word").1;
        // <https://core.telegram.org/bots/api#answercallbackquery>
        assert!(text.encode_utf16().count() <= 200, "{text}");
    }
    let misunderstood = [
        Misunderstood::NoWords,
        Misunderstood::TooLong(300),
        Misunderstood::NoPhone(NoPhone::NotANumber),
        Misunderstood::NoPhone(NoPhone::TooShort(9)),
        Misunderstood::NoTime(NoTime::NotUnderstood),
        Misunderstood::NoTime(NoTime::Past),
        Misunderstood::APhone,
        Misunderstood::NoAmount,
        Misunderstood::TooMuch,
    ];
    said.extend(misunderstood.map(texts::misunderstood));
    assert_snapshot!("order_answers", said.join("\n"));
}
