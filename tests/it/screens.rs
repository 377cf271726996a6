//! What people read, word for word.

use field_service::dispatch::accept::AcceptOutcome;
use field_service::dispatch::decline::DeclineOutcome;
use field_service::dispatch::dialog::Profile;
use field_service::dispatch::facts::Blocked;
use field_service::dispatch::order::{Category, Client, OrderCard, OwnOrder, TimeSlot};
use field_service::dispatch::{MasterId, OfferLine, OfferList, OrderId, TelegramUserId};
use field_service::render::{self, Screen, texts};
use insta::assert_snapshot;
use jiff::civil::{DateTime, date};

fn now() -> DateTime {
    date(2026, 11, 20).at(9, 30, 0, 0)
}

fn card(id: i64) -> OrderCard {
    OrderCard {
        id: OrderId(id),
        category: Category::ALL[usize::try_from(id).expect("a small number") % 6],
        city: "Екатеринбург".to_owned(),
        district: (id % 2 == 0).then(|| "Уралмаш".to_owned()),
        address: "ул. Победы, 14, кв. 3".to_owned(),
        description: Some("Течёт <кран> & капает".to_owned()),
        slot: TimeSlot {
            start: Some(date(2026, 11, 20).at(14, 0, 0, 0)),
            end: Some(date(2026, 11, 20).at(16, 0, 0, 0)),
            now: now(),
        },
    }
}

fn own() -> OwnOrder {
    OwnOrder {
        card: card(7), client: Client { name: "Нина <Петровна>".to_owned(), phone: "+79991234567".to_owned() }
    }
}

fn list(total: i64, page: i64) -> OfferList {
    let lines = (1..=total.min(2)).map(|id| OfferLine { card: card(id), expires: date(2026, 11, 20).at(9, 45, 0, 0) });
    OfferList { master: MasterId(1), total, page, lines: lines.collect() }
}

fn show(screen: &Screen) -> String {
    let rows: Vec<_> = screen
        .keyboard
        .inline_keyboard
        .iter()
        .map(|row| {
            let buttons: Vec<_> = row
                .iter()
                .map(|button| format!("[{} → {}]", button.text, button.callback_data.as_deref().unwrap_or("?")))
                .collect();
            buttons.join(" ")
        })
        .collect();
    format!("{}\n---\n{}", screen.text, rows.join("\n"))
}

#[test]
fn screens() {
    let profile = Profile { full_name: "Анна & Ко".to_owned(), on_shift: true, active_orders: 2, dialog: None };
    assert_snapshot!("menu", show(&render::menu(&profile)));
    assert_snapshot!("empty_list", show(&render::offer_list(&list(0, 1))));
    assert_snapshot!("list_first_page", show(&render::offer_list(&list(12, 1))));
    assert_snapshot!("list_middle_page", show(&render::offer_list(&list(12, 2))));
    assert_snapshot!("list_last_page", show(&render::offer_list(&list(12, 3))));
    assert_snapshot!("card", show(&render::offer_card(&card(4), date(2026, 11, 21).at(0, 5, 0, 0), 2)));
    assert_snapshot!("own_order_above_the_list", show(&render::own_order(&own(), Some(&list(1, 1)))));
    assert_snapshot!("confirm_decline", show(&render::confirm_decline(OrderId(4), 2)));
    assert_snapshot!("stranger", show(&render::plain(texts::stranger(TelegramUserId(999)))));
}

#[test]
fn alerts() {
    let blocked = |reason: Option<&str>| AcceptOutcome::Blocked(Blocked { reason: reason.map(ToOwned::to_owned) });
    let accept = [
        AcceptOutcome::NotFound,
        AcceptOutcome::AlreadyYours(own()),
        blocked(Some("долг по материалам")),
        blocked(None),
        AcceptOutcome::Withdrawn,
        AcceptOutcome::Taken,
        AcceptOutcome::Declined,
        AcceptOutcome::Expired,
        AcceptOutcome::LimitReached { limit: 5 },
        AcceptOutcome::Assigned(own()),
        AcceptOutcome::Busy,
    ];
    let lines: Vec<_> =
        accept.iter().map(|outcome| format!("{}: {}", outcome.name(), texts::accept(outcome))).collect();
    assert_snapshot!("accept_alerts", lines.join("\n"));
    let taken = lines.iter().filter(|line| line.to_lowercase().contains("занят")).count();
    assert_eq!(taken, 1, "«занято» stands in no alert but the lost race's");

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
            card.slot = TimeSlot { start, end, now: now() };
            let screen = render::offer_card(&card, now(), 1).text;
            screen.lines().find(|line| line.contains('🕒')).expect("a time slot").to_owned()
        })
        .collect();
    assert_snapshot!("time_slots", lines.join("\n"));
}
