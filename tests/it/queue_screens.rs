//! What dispatchers read of the queue and of an order, word for word.

use field_service::bots::render::{Screen, staff};
use field_service::model::moment::Moment;
use field_service::model::order::{Category, Client, OrderCard, OrderStatus, TimeSlot};
use field_service::model::policy::Escalation;
use field_service::model::queue::{Choice, Choices, Filters, Found, Queue, QueueLine, QueueState, Trouble};
use field_service::model::selection::Exclusion;
use field_service::model::staff_card::{
    CardMaster, CardOffer, CardPreferred, CardRound, Change, Claim, Delivery, StaffCard, What, Who,
};
use field_service::model::why::{Assignment, AssignmentEnd};
use field_service::model::{Amount, Deadline, MasterId, OfferState, OrderId, Role, StaffId, StaffProfile, Version};
use insta::assert_snapshot;
use jiff::civil::{DateTime, date};
use jiff::tz::{self, TimeZone};

fn now() -> DateTime {
    date(2026, 11, 20).at(14, 30, 0, 0)
}

/// A moment on clocks that are five hours ahead.
fn moment(local: DateTime) -> Moment {
    Moment { at: local.to_zoned(TimeZone::fixed(tz::offset(5))).expect("a time").timestamp(), local }
}

fn at(hour: i8, minute: i8) -> Moment {
    moment(date(2026, 11, 20).at(hour, minute, 0, 0))
}

fn order(id: i64) -> OrderCard {
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

fn client() -> Client {
    Client { name: "Нина <Петровна>".to_owned(), phone: "+79991234567".to_owned() }
}

fn line(id: i64, status: OrderStatus) -> QueueLine {
    QueueLine {
        card: order(id),
        status,
        created: at(13, 20),
        master: None,
        offered: 0,
        seen: 0,
        claimed_by: None,
        client: None,
        troubles: Vec::new(),
    }
}

fn lines() -> Vec<QueueLine> {
    let escalated = Trouble::Escalated { why: Escalation::Rounds, since: at(14, 5) };
    vec![
        QueueLine {
            troubles: vec![escalated, Trouble::Late, Trouble::Waiting { since: at(13, 21) }],
            claimed_by: Some("Ольга Б.".to_owned()),
            offered: 3,
            seen: 1,
            ..line(118, OrderStatus::Searching)
        },
        QueueLine {
            troubles: vec![Trouble::Waiting { since: moment(date(2026, 11, 19).at(19, 40, 0, 0)) }, Trouble::Unseen],
            offered: 2,
            created: moment(date(2026, 11, 19).at(19, 40, 0, 0)),
            ..line(97, OrderStatus::Searching)
        },
        QueueLine {
            troubles: vec![Trouble::Unreachable],
            master: Some("Анна К.".to_owned()),
            ..line(120, OrderStatus::EnRoute)
        },
        QueueLine { master: Some("Борис".to_owned()), ..line(121, OrderStatus::Working) },
    ]
}

fn queue() -> Queue {
    Queue {
        filters: Filters::default(),
        several_cities: true,
        counts: vec![
            (QueueState::Urgent, 3),
            (QueueState::Searching, 9),
            (QueueState::EnRoute, 1),
            (QueueState::Working, 3),
            (QueueState::Closed, 12),
        ],
        total: 13,
        page: 1,
        lines: lines(),
        now: now(),
    }
}

fn show(screen: &Screen) -> String {
    let rows: Vec<_> = screen
        .keyboard
        .inline_keyboard
        .iter()
        .map(|row| {
            let sends =
                |button: &frankenstein::types::InlineKeyboardButton| match (&button.callback_data, &button.copy_text) {
                    (Some(data), None) => data.clone(),
                    (None, Some(copied)) => format!("copies {}", copied.text),
                    _ => panic!("neither or both"),
                };
            let buttons: Vec<_> = row.iter().map(|button| format!("[{} → {}]", button.text, sends(button))).collect();
            buttons.join(" ")
        })
        .collect();
    format!("{}\n---\n{}", screen.text, rows.join("\n"))
}

#[test]
fn screens_of_the_queue() {
    assert_snapshot!("queue", show(&staff::queue(&queue())));
    let filters = Filters {
        city: Some("Пермь <1>".to_owned()),
        category: Some(Category::Plumbing),
        state: Some(QueueState::Searching),
        master: Some("Анна К.".to_owned()),
        day: Some(date(2026, 11, 21)),
    };
    let narrowed = Queue { filters, total: 4, ..queue() };
    assert_snapshot!("queue_narrowed", show(&staff::queue(&narrowed)));
    assert_snapshot!("queue_filters", show(&staff::filters(&narrowed)));
    assert_snapshot!("queue_no_filters", show(&staff::filters(&queue())));
    let nothing = |state| {
        let filters = Filters { state, ..Filters::default() };
        Queue { filters, counts: Vec::new(), total: 0, lines: Vec::new(), ..queue() }
    };
    let empty =
        [None, Some(QueueState::Urgent), Some(QueueState::Closed)].map(|state| staff::queue(&nothing(state)).text);
    assert_snapshot!("queue_empty", empty.join("\n\n"));
    let choice = |id, name: &str| Choice { id, name: name.to_owned(), orders: 3 };
    let choices = Choices { total: 20, page: 2, lines: vec![choice(1, "Анна К."), choice(2, "Борис")] };
    let screens = [staff::masters(&choices), staff::cities(&choices), staff::trades(), staff::days(now().date())];
    assert_snapshot!("queue_choices", screens.map(|screen| show(&screen)).join("\n\n"));
    let profile = StaffProfile {
        id: StaffId(1),
        full_name: "Ольга".to_owned(),
        role: Role::Dispatcher,
        cities: Vec::new(),
        sees_all: true,
    };
    assert_snapshot!("staff_menu", show(&staff::menu(&profile, Some(&queue()), false, true)));
}

/// A phone 360 points wide divides a row evenly, and cuts off what has no room.
#[test]
fn no_button_of_the_queue_is_cut_off_on_a_small_phone() {
    for number in [7, 45, 118, 9_999, 123_456, 12_345_678] {
        let lines = vec![QueueLine { troubles: vec![Trouble::Late], ..line(number, OrderStatus::Searching) }; 9];
        let counts = QueueState::ALL.map(|state| (state, 25)).to_vec();
        let filters = Filters { state: Some(QueueState::Deferred), ..Filters::default() };
        let screen = staff::queue(&Queue { lines, counts, filters, ..queue() });
        for row in screen.keyboard.inline_keyboard {
            let longest = row.iter().map(|button| button.text.chars().count() + 1).max().unwrap_or_default();
            assert!(row.len() * (longest * 8 + 16) <= 360, "{row:?}");
        }
    }
}

#[test]
fn screens_of_the_search() {
    let lines =
        lines().into_iter().map(|line| QueueLine { client: Some(client()), troubles: Vec::new(), ..line }).collect();
    let found = Found { sought: Some("победы <14>".to_owned()), total: 4, more: false, page: 1, lines };
    assert_snapshot!("found", show(&staff::found(&found)));
    let many = Found { total: 101, more: true, page: 2, ..found.clone() };
    assert_snapshot!("found_many", show(&staff::found(&many)).lines().take(3).collect::<Vec<_>>().join("\n"));
    let none = Found { total: 0, lines: Vec::new(), ..found };
    let screens = [staff::ask_search(), staff::found(&none), staff::too_short()];
    assert_snapshot!("search", screens.map(|screen| show(&screen)).join("\n\n"));
}

fn offer(master: &str, state: OfferState) -> CardOffer {
    let ended = !matches!(state, OfferState::Sent | OfferState::Viewed);
    CardOffer {
        master: master.to_owned(),
        round: 2,
        state,
        delivery: Delivery::Delivered,
        sent: at(14, 1),
        viewed: matches!(state, OfferState::Viewed | OfferState::Declined | OfferState::Accepted).then(|| at(14, 2)),
        responded: ended.then(|| at(14, 3)),
        expires: Deadline { at: at(14, 35).at, local: at(14, 35).local },
        overdue: false,
        had: None,
    }
}

fn change(hour: i8, minute: i8, to: OrderStatus, who: Who, reason: Option<&str>) -> Change {
    let what = What::Status { from: Some(OrderStatus::Searching), to };
    Change {
        at: at(hour, minute),
        what,
        who,
        reason: reason.map(ToOwned::to_owned),
        given_to: None,
        amount: None,
        was: None,
    }
}

fn searching() -> StaffCard {
    StaffCard {
        order: order(118),
        guarantee_of: Some(OrderId(45)),
        client: client(),
        status: OrderStatus::Searching,
        seen: Version { version: 3, revision: 2 },
        created: at(13, 20),
        created_by: Some("Ольга Б.".to_owned()),
        comment: Some("Домофон 12".to_owned()),
        amount: None,
        master: None,
        preferred: Some(CardPreferred { id: MasterId(2), name: "Борис".to_owned(), not_asked: None }),
        escalated: Some((Escalation::Rounds, at(14, 5))),
        search_started: Some(at(13, 21)),
        rounds: 2,
        deferred_until: None,
        claimed: Some(Claim { id: StaffId(2), by: "Пётр".to_owned(), yours: false, since: at(14, 10) }),
        is_offered: true,
        was_offered: true,
        ended_lately: false,
        acts: true,
        offers: vec![
            offer("Анна К.", OfferState::Viewed),
            offer("Вера", OfferState::Sent),
            CardOffer { delivery: Delivery::Failed, ..offer("Глеб", OfferState::Expired) },
            offer("Борис <Б>", OfferState::Declined),
            CardOffer { delivery: Delivery::Waiting, ..offer("Денис", OfferState::Sent) },
            CardOffer {
                had: Some(Assignment {
                    took: true,
                    since: Some(at(14, 2)),
                    left: Some((AssignmentEnd::Returned, at(14, 3))),
                }),
                ..offer("Егор", OfferState::Canceled)
            },
        ],
        earlier_offers: 3,
        earlier_changes: true,
        changes: vec![
            change(13, 50, OrderStatus::Searching, Who::Master("Егор".to_owned()), Some("Сломалась машина")),
            Change {
                at: at(13, 45),
                what: What::Field("address".to_owned()),
                who: Who::Staff("Ольга Б.".to_owned()),
                reason: None,
                given_to: None,
                amount: None,
                was: Some("ул. <Мира>, 7".to_owned()),
            },
            Change {
                given_to: Some("Борис".to_owned()),
                ..change(13, 43, OrderStatus::Assigned, Who::Staff("Ольга Б.".to_owned()), None)
            },
            Change {
                amount: Amount::parse("2500"),
                ..change(13, 42, OrderStatus::Closed, Who::Master("Борис".to_owned()), None)
            },
            change(13, 40, OrderStatus::Assigned, Who::Master("Егор".to_owned()), None),
            change(13, 21, OrderStatus::Searching, Who::System, None),
        ],
        why: vec![
            CardRound {
                number: 2,
                at: at(14, 1),
                chosen: vec!["Анна К.".to_owned(), "Вера".to_owned()],
                preferred_first: false,
                excluded: vec![(Exclusion::OffShift, 3), (Exclusion::Limit, 2), (Exclusion::Category, 11)],
            },
            CardRound {
                number: 1,
                at: at(13, 21),
                chosen: Vec::new(),
                preferred_first: false,
                excluded: vec![(Exclusion::OffShift, 16)],
            },
        ],
    }
}

#[test]
fn an_order_s_card() {
    let card = searching();
    assert_snapshot!("staff_card", show(&staff::card(&card, staff::From::Queue(2))));
    let master = CardMaster {
        id: MasterId(7),
        name: "Анна К.".to_owned(),
        phone: Some("89120000007".to_owned()),
        unreachable: true,
    };
    let assigned = StaffCard {
        status: OrderStatus::Assigned,
        master: Some(master.clone()),
        claimed: Some(Claim { id: StaffId(2), by: "Ольга Б.".to_owned(), yours: true, since: at(14, 10) }),
        offers: vec![offer("Анна К.", OfferState::Accepted), offer("Вера", OfferState::Canceled)],
        earlier_offers: 0,
        is_offered: false,
        ..card.clone()
    };
    assert_snapshot!("staff_card_assigned", show(&staff::card(&assigned, staff::From::Found(1))));
    let read_only = StaffCard { acts: false, ..card.clone() };
    assert_snapshot!("staff_card_of_a_viewer", keyboard(&staff::card(&read_only, staff::From::Queue(1))));
    let payment = StaffCard { status: OrderStatus::Payment, ..assigned.clone() };
    let closed =
        StaffCard { status: OrderStatus::Closed, amount: Amount::parse("2500"), ended_lately: true, ..assigned };
    let fresh =
        StaffCard { status: OrderStatus::Created, is_offered: false, was_offered: false, claimed: None, ..card };
    let keyboards = [payment, closed.clone(), fresh].map(|card| keyboard(&staff::card(&card, staff::From::Queue(1))));
    assert_snapshot!("staff_card_keyboards", keyboards.join("\n\n"));
    assert_snapshot!("staff_card_closed", staff::card(&closed, staff::From::Queue(1)).text);
}

fn keyboard(screen: &Screen) -> String {
    show(screen).split("\n---\n").nth(1).unwrap_or_default().to_owned()
}

/// An impatient finger hits the same place twice.
#[test]
fn what_a_card_does_at_one_tap_is_not_where_something_else_was_done_a_moment_ago() {
    let acting = |screen: &Screen| {
        let rows = &screen.keyboard.inline_keyboard;
        let mut places = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            for (column, button) in row.iter().enumerate() {
                let data = button.callback_data.as_deref().unwrap_or_default();
                if ["adm:q:as:auto", "adm:o:clm", "adm:o:unc"].iter().any(|verb| data.starts_with(verb)) {
                    places.push((data.to_owned(), [(0, index, column), (1, rows.len() - index, column)]));
                }
            }
        }
        places
    };
    let claim = |yours| Some(Claim { id: StaffId(2), by: "Ольга Б.".to_owned(), yours, since: at(14, 10) });
    for status in OrderStatus::ALL {
        for offered in [true, false] {
            let card =
                StaffCard { status, is_offered: offered, was_offered: offered, claimed: claim(false), ..searching() };
            let claimed = StaffCard { claimed: claim(true), ..card.clone() };
            let asked = StaffCard { is_offered: true, was_offered: true, ..card.clone() };
            let screens = [card, claimed, asked].map(|card| acting(&staff::card(&card, staff::From::Queue(1))));
            let [before, claimed, asked] = &screens;
            for (first, then, pressed) in
                [(before, claimed, "adm:o:clm"), (claimed, before, "adm:o:unc"), (before, asked, "adm:q:as")]
            {
                let Some((_, places)) = first.iter().find(|(data, _)| data.starts_with(pressed)) else { continue };
                let below = then
                    .iter()
                    .find(|(data, then)| then.iter().any(|place| places.contains(place)) && !data.starts_with(pressed));
                assert_eq!(below, None, "{status:?}, after {pressed}");
            }
        }
    }
}
