//! What people read, word for word.

use std::time::Duration;

use field_service::bots::render::{self, Screen, texts};
use field_service::dispatch::accept::AcceptOutcome;
use field_service::dispatch::close::CloseOutcome;
use field_service::dispatch::correct::CorrectOutcome;
use field_service::dispatch::decline::DeclineOutcome;
use field_service::dispatch::give_back::GiveBackOutcome;
use field_service::dispatch::progress::{ProgressOutcome, Step};
use field_service::model::Amount;
use field_service::model::dialog::{Barred, Dialog, Profile, Question, Written};
use field_service::model::facts::{Blocked, OfferFacts, Standing, SumOf};
use field_service::model::notification::{DayRoot, Notification};
use field_service::model::order::{
    ActiveLine, ActiveList, Category, Client, OrderCard, OrderStatus, OwnOrder, TimeSlot,
};
use field_service::model::race::{LostRace, Taken, Winner};
use field_service::model::staff_order::Detail;
use field_service::model::{
    Deadline, Hindrance, MasterId, OfferId, OfferLine, OfferList, OfferState, OrderId, TelegramUserId,
};
use field_service::sim::telegram;
use frankenstein::types::InlineKeyboardButton;
use insta::assert_snapshot;
use jiff::civil::{DateTime, date};
use jiff::tz::{self, TimeZone};

fn now() -> DateTime {
    date(2026, 11, 20).at(9, 30, 0, 0)
}

/// A deadline on clocks that are five hours ahead.
fn at(local: DateTime) -> Deadline {
    let at = local.to_zoned(TimeZone::fixed(tz::offset(5))).expect("a time").timestamp();
    Deadline { at, local }
}

fn card(id: i64) -> OrderCard {
    OrderCard {
        is_free: false,
        id: OrderId(id),
        category: Category::ALL[usize::try_from(id).expect("a small number") % 6],
        city: "Екатеринбург".to_owned(),
        district: (id % 2 == 0).then(|| "Уралмаш".to_owned()),
        address: "ул. Победы, 14, кв. 3".to_owned(),
        description: Some("Течёт <кран> & капает".to_owned()),
        slot: TimeSlot {
            soon: false,
            start: Some(date(2026, 11, 20).at(14, 0, 0, 0)),
            end: Some(date(2026, 11, 20).at(16, 0, 0, 0)),
            now: now(),
            in_utc: false,
        },
    }
}

fn own() -> OwnOrder {
    OwnOrder {
        card: card(7),
        client: Client { name: "Нина <Петровна>".to_owned(), phone: "+79991234567".to_owned() },
        status: OrderStatus::Assigned,
        comment: None,
    }
}

fn list(total: i64, page: i64) -> OfferList {
    let lines =
        (1..=total.min(2)).map(|id| OfferLine { card: card(id), expires: at(date(2026, 11, 20).at(9, 45, 0, 0)) });
    OfferList { master: MasterId(1), total, page, lines: lines.collect(), hindrance: None }
}

/// What a button does.
fn sends(button: &InlineKeyboardButton) -> String {
    match (&button.callback_data, &button.copy_text) {
        (Some(data), None) => data.clone(),
        (None, Some(copied)) => format!("copies {}", copied.text),
        _ => panic!("neither or both"),
    }
}

fn show(screen: &Screen) -> String {
    let rows: Vec<_> = screen
        .keyboard
        .inline_keyboard
        .iter()
        .map(|row| {
            let buttons: Vec<_> = row.iter().map(|button| format!("[{} → {}]", button.text, sends(button))).collect();
            buttons.join(" ")
        })
        .collect();
    format!("{}\n---\n{}", screen.text, rows.join("\n"))
}

#[test]
fn screens() {
    let profile =
        Profile {
            full_name: "Анна & Ко".to_owned(), on_shift: true, active_orders: 2, id: MasterId(1), barred: None
        };
    assert_snapshot!("menu", show(&render::menu(&profile)));
    let off = Profile { on_shift: false, ..profile.clone() };
    assert_snapshot!("menu_off_shift", show(&render::menu(&off)));
    let blocked = |reason: &str| Blocked { reason: Some(reason.to_owned()) };
    let barred =
        [Barred::Waits, Barred::Refused(blocked("нет <допуска>")), Barred::Blocked(blocked("долг <по материалам>"))];
    let barred = barred.map(|barred| show(&render::menu(&Profile { barred: Some(barred), ..profile.clone() })));
    assert_snapshot!("menus_barred", barred.join("\n\n"));
    assert_snapshot!("not_understood", show(&render::not_understood(&profile)));
    assert_snapshot!("empty_list", show(&render::offer_list(&list(0, 1))));
    let reason = Some("долг <по материалам>".to_owned());
    let hindrances = [
        Hindrance::Barred(Barred::Blocked(Blocked { reason })),
        Hindrance::Barred(Barred::Waits),
        Hindrance::Barred(Barred::Refused(blocked("нет <допуска>"))),
        Hindrance::OffShift,
        Hindrance::Limit { active: 5, limit: 5 },
        Hindrance::Limit { active: 4, limit: 2 },
    ];
    let empty = hindrances.map(|hindrance| OfferList { hindrance: Some(hindrance), ..list(0, 1) });
    assert_snapshot!("empty_lists", empty.map(|list| render::offer_list(&list).text).join("\n\n"));
    assert_snapshot!("list_first_page", show(&render::offer_list(&list(12, 1))));
    assert_snapshot!("list_middle_page", show(&render::offer_list(&list(12, 2))));
    assert_snapshot!("list_last_page", show(&render::offer_list(&list(12, 3))));
    assert_snapshot!("card", show(&render::offer_card(&card(4), at(date(2026, 11, 21).at(0, 5, 0, 0)), 2)));
    assert_snapshot!("own_order_above_the_list", show(&render::own_order(&own(), Some(&list(1, 1)))));
    assert_snapshot!("confirm_decline", show(&render::confirm_decline(OrderId(4), 2)));
    assert_snapshot!("stranger", show(&render::plain(texts::stranger(TelegramUserId(999)))));
}

#[test]
fn screens_of_masters_at_work() {
    let line = |id, status| ActiveLine { card: card(id), status };
    let list =
        ActiveList { total: 7, page: 1, lines: vec![line(4, OrderStatus::EnRoute), line(5, OrderStatus::Assigned)] };
    assert_snapshot!("active_list", show(&render::active_list(&list)));
    let empty = ActiveList { total: 0, page: 1, lines: Vec::new() };
    assert_snapshot!("active_list_empty", show(&render::active_list(&empty)));
    let cards = [OrderStatus::Assigned, OrderStatus::EnRoute, OrderStatus::Working, OrderStatus::Payment]
        .map(|status| show(&render::active_card(&own(), status)));
    assert_snapshot!("active_cards", cards.join("\n\n========\n\n"));
    let order = OrderId(7);
    let amount = Amount::parse("12500,5").expect("a sum");
    let questions = [
        render::confirm_done(order),
        render::question(Question::Amount, order, SumOf::Visit),
        render::question(Question::Amount, order, SumOf::FreeVisit),
        render::question(Question::Amount, order, SumOf::Correction),
        render::not_an_amount(order, "<много>", SumOf::Visit),
        render::not_an_amount(order, "<много>", SumOf::FreeVisit),
        render::not_an_amount(order, "99 999 999 999 руб", SumOf::Visit),
        render::not_an_amount(order, " ", SumOf::Correction),
        render::question(Question::ReturnReason, order, SumOf::Visit),
        render::forwarded(Question::ReturnReason, order, SumOf::Visit),
    ];
    assert_snapshot!("questions", questions.map(|screen| show(&screen)).join("\n\n========\n\n"));
    let said = |question, text: &str| {
        let written = Some(Written { text: text.to_owned(), message: 12 });
        Dialog { question, order, written, shown_in: None }
    };
    let confirms = [
        render::confirm_answer(&said(Question::Amount, "2500 руб."), SumOf::Visit, None),
        render::confirm_answer(&said(Question::Amount, "2500 руб."), SumOf::FreeVisit, None),
        render::confirm_answer(&said(Question::Amount, "0"), SumOf::FreeVisit, None),
        render::confirm_answer(&said(Question::Amount, "3000"), SumOf::Correction, Some(amount)),
        render::confirm_answer(&said(Question::ReturnReason, "Сломалась <машина>"), SumOf::Visit, None),
        render::closed(order, CloseOutcome::Closed(amount), true),
        render::corrected(order, CorrectOutcome::Corrected { amount, was: Amount::parse("100") }, true),
        render::corrected(order, CorrectOutcome::Same(amount), true),
        render::corrected(order, CorrectOutcome::TooLate(Some(amount)), false),
        render::reason_corrected(order),
        render::card_after_step(&own(), OrderStatus::EnRoute),
    ];
    assert_snapshot!("answers_to_confirm", confirms.map(|screen| show(&screen)).join("\n\n========\n\n"));
    let closed = [
        CloseOutcome::Closed(amount),
        CloseOutcome::AlreadyClosed(Some(amount)),
        CloseOutcome::AlreadyClosed(None),
        CloseOutcome::NotDone,
        CloseOutcome::NotYours,
        CloseOutcome::Busy,
    ]
    .map(|outcome| format!("{}: {}", outcome.name(), render::closed(order, outcome, true).text));
    let given_back = [
        GiveBackOutcome::GivenBack,
        GiveBackOutcome::AlreadyGivenBack,
        GiveBackOutcome::NotAsked,
        GiveBackOutcome::TooLate,
        GiveBackOutcome::NotYours,
        GiveBackOutcome::Busy,
    ]
    .map(|outcome| format!("{}: {}", outcome.name(), render::given_back(order, outcome).text));
    let steps = [Step::EnRoute, Step::OnSite, Step::Done, Step::NotDone].map(ProgressOutcome::Recorded);
    let progress = steps
        .into_iter()
        .chain([
            ProgressOutcome::AlreadyThere,
            ProgressOutcome::OutOfTurn,
            ProgressOutcome::TooSoon,
            ProgressOutcome::NotYours,
            ProgressOutcome::Busy,
        ])
        .map(|outcome| format!("{}: {}", outcome.name(), texts::progress(outcome)));
    let all: Vec<_> = closed.into_iter().chain(given_back).chain(progress).collect();
    assert_snapshot!("answers_at_work", all.join("\n"));
}

#[test]
fn messages_that_nobody_asked_for() {
    let order = OrderId(7);
    let offer = OfferFacts {
        id: OfferId(1),
        state: OfferState::Sent,
        expires: at(date(2026, 11, 20).at(9, 32, 0, 0)),
        overdue: false,
    };
    let ended = |standing, taken| Notification::OfferEnded { order, standing, taken };
    let taken = |winner, after_seconds| Some(Taken { winner, after_seconds });
    let reason = || Some("Клиент <передумал>".to_owned());
    let changed = |reopened, edited: &[Detail]| {
        let status = if reopened { OrderStatus::Payment } else { OrderStatus::EnRoute };
        Notification::Changed { order: own(), status, reopened, edited: edited.to_vec() }
    };
    let messages = [
        Notification::Offer { card: card(4), offer },
        ended(Standing::Taken, taken(Winner::Master, 75)),
        ended(Standing::Taken, taken(Winner::Master, 0)),
        ended(Standing::Taken, taken(Winner::GivenByStaff, 14)),
        ended(Standing::Taken, None),
        ended(Standing::Expired, None),
        ended(Standing::Declined, None),
        ended(Standing::Withdrawn, None),
        ended(Standing::Yours, None),
        Notification::Assigned(own()),
        Notification::OwnOrder(own()),
        changed(false, &[]),
        changed(false, &[Detail::Address, Detail::Slot]),
        changed(false, &[Detail::Comment]),
        changed(true, &[]),
        Notification::Closed { order, amount: Amount::parse("2500"), correctable: true, by_staff: true },
        Notification::NotYours(order),
        Notification::Canceled { order, for_good: true, reason: reason() },
        Notification::Canceled { order, for_good: false, reason: None },
        Notification::HistoryRoot(DayRoot { day: date(2026, 11, 29), changes: 12_345, root: vec![0xab; 32] }),
    ];
    let shown: Vec<_> = messages.iter().map(|message| show(&render::notification(message))).collect();
    assert_snapshot!("messages", shown.join("\n\n========\n\n"));
}

#[test]
fn no_screen_is_too_long_for_telegram() {
    let long = "<&щ🔧".repeat(3000);
    let card = OrderCard {
        is_free: false,
        city: long.clone(),
        district: Some(long.clone()),
        address: long.clone(),
        description: Some(long.clone()),
        ..card(4)
    };
    let own = OwnOrder {
        card: card.clone(),
        client: Client { name: long.clone(), phone: long.clone() },
        status: OrderStatus::Assigned,
        comment: Some(long.clone()),
    };
    let lines = vec![ActiveLine { card: card.clone(), status: OrderStatus::Assigned }; 5];
    let offers = vec![OfferLine { card: card.clone(), expires: at(now()) }; 5];
    let offers = OfferList { master: MasterId(1), total: 5, page: 1, lines: offers, hindrance: None };
    for screen in [
        render::own_order(&own, Some(&offers)),
        render::active_card(&own, OrderStatus::Payment),
        render::active_list(&ActiveList { total: 5, page: 1, lines }),
        render::not_an_amount(OrderId(1), &long, SumOf::Visit),
        render::notification(&Notification::Assigned(own)),
    ] {
        let shown = telegram::html(&screen.text).expect("Telegram takes it");
        assert!(shown.encode_utf16().count() <= 4096, "{} characters", shown.encode_utf16().count());
    }
}

#[test]
fn alerts() {
    let blocked = |reason: Option<&str>| AcceptOutcome::Blocked(Blocked { reason: reason.map(ToOwned::to_owned) });
    let lost = |winner, taken, tapped| {
        let (taken_after, tapped_after) = (Duration::from_millis(taken), Duration::from_millis(tapped));
        AcceptOutcome::Taken(Some(LostRace { winner, taken_after, tapped_after }))
    };
    let accept = [
        AcceptOutcome::NotFound,
        AcceptOutcome::AlreadyYours(own()),
        blocked(Some("долг по материалам")),
        blocked(None),
        AcceptOutcome::Withdrawn,
        AcceptOutcome::Taken(None),
        lost(Winner::Master, 14_000, 16_000),
        lost(Winner::Master, 300, 2_500),
        lost(Winner::Master, 75_100, 75_900),
        lost(Winner::Master, 3_600_000, 3_605_000),
        lost(Winner::GivenByStaff, 75_000, 100_000),
        AcceptOutcome::Declined,
        AcceptOutcome::Expired,
        AcceptOutcome::LimitReached { active: 5, limit: 5 },
        AcceptOutcome::LimitReached { active: 1, limit: 1 },
        AcceptOutcome::LimitReached { active: 4, limit: 2 },
        AcceptOutcome::LimitReached { active: 3, limit: 1 },
        AcceptOutcome::LimitReached { active: 0, limit: 0 },
        AcceptOutcome::Assigned(own()),
        AcceptOutcome::Busy,
    ];
    let lines: Vec<_> =
        accept.iter().map(|outcome| format!("{}: {}", outcome.name(), texts::accept(outcome))).collect();
    assert_snapshot!("accept_alerts", lines.join("\n"));
    for line in &lines {
        let taken = line.to_lowercase().contains("занят");
        assert_eq!(taken, line.starts_with("TAKEN"), "«занято» stands in no alert but the lost race's: {line}");
        assert!(line.chars().count() <= 200, "{line}");
    }

    let decline = [
        DeclineOutcome::NotFound,
        DeclineOutcome::AlreadyYours(own()),
        DeclineOutcome::Withdrawn,
        DeclineOutcome::Taken,
        DeclineOutcome::AlreadyDeclined,
        DeclineOutcome::Expired,
        DeclineOutcome::Declined,
        DeclineOutcome::Busy,
    ];
    let lines: Vec<_> =
        decline.iter().map(|outcome| format!("{}: {}", outcome.name(), texts::decline(outcome))).collect();
    assert_snapshot!("decline_alerts", lines.join("\n"));
}

#[test]
fn days_and_time_slots() {
    let at = |day: i8, hour: i8| Some(date(2026, 11, day).at(hour, 0, 0, 0));
    let slots = [
        (at(20, 14), at(20, 16)),
        (at(21, 8), at(21, 9)),
        (at(27, 10), at(27, 12)),
        (at(20, 23), at(21, 1)),
        (at(22, 10), None),
        (None, at(20, 18)),
        (None, None),
    ];
    let lines: Vec<_> = slots
        .into_iter()
        .map(|(start, end)| {
            let mut card = card(1);
            card.slot = TimeSlot { soon: false, start, end, now: now(), in_utc: false };
            let screen = render::offer_card(&card, self::at(now()), 1).text;
            screen.lines().find(|line| line.contains('🕒')).expect("a time slot").to_owned()
        })
        .collect();
    assert_snapshot!("time_slots", lines.join("\n"));
}
