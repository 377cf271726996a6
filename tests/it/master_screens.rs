//! What dispatchers read about masters, and newcomers about themselves, word for word.

use field_service::bots::render::staff::master as screens;
use field_service::bots::render::texts::onboarding as words;
use field_service::bots::render::texts::staff::master as texts;
use field_service::bots::render::{Screen, onboarding};
use field_service::dispatch::invite::DeadLink;
use field_service::dispatch::manage::ManageOutcome;
use field_service::model::invitation::{Invitation, Invited};
use field_service::model::managed::{Manage, MasterCard, MasterFilter, MasterLine, MasterList, MasterState};
use field_service::model::master_change::{ChangedBy, MasterChange, What};
use field_service::model::onboarding::{Complaint, District, Onboarding, Step};
use field_service::model::{
    Category, CityId, MasterId, OrderId, OrderStatus, Role, StaffId, StaffProfile, TelegramUserId,
};
use field_service::sim::telegram;
use insta::assert_snapshot;
use jiff::Timestamp;
use jiff::civil::date;

/// A screen as a person sees it, after it was checked as Telegram would.
fn show(screen: &Screen) -> String {
    let text = telegram::html(&screen.text).expect("Telegram takes it");
    assert!(text.chars().count() <= 4096);
    let rows = screen.keyboard.inline_keyboard.iter().map(|row| {
        let buttons = row.iter().map(|button| {
            assert!(button.callback_data.as_ref().is_none_or(|data| data.len() <= 64), "{button:?}");
            format!("[{}]", button.text)
        });
        buttons.collect::<Vec<_>>().join(" ")
    });
    format!("{text}\n{}", rows.collect::<Vec<_>>().join("\n"))
}

fn all(screens: &[Screen]) -> String {
    screens.iter().map(show).collect::<Vec<_>>().join("\n\n———\n\n")
}

fn profile(role: Role) -> StaffProfile {
    let cities = vec![CityId(1), CityId(2)];
    StaffProfile { id: StaffId(1), full_name: "Ольга".to_owned(), role, cities, sees_all: true }
}

fn change(what: What, from: Option<&str>, to: Option<&str>, by: ChangedBy) -> MasterChange {
    let at = date(2026, 11, 29).at(14, 2, 0, 0);
    MasterChange { what, from: from.map(ToOwned::to_owned), to: to.map(ToOwned::to_owned), by, at }
}

fn olga() -> ChangedBy {
    ChangedBy::Staff(StaffId(1), "Ольга <А>".to_owned())
}

fn card() -> MasterCard {
    MasterCard {
        id: MasterId(5),
        user: TelegramUserId(101),
        full_name: "Анна <Иванова>".to_owned(),
        phone: Some("89120000001".to_owned()),
        city: CityId(1),
        city_name: "Екатеринбург".to_owned(),
        state: MasterState::OnShift,
        on_shift: true,
        blocked: None,
        unreachable: false,
        categories: vec![Category::Electrics, Category::Plumbing],
        districts: vec![(1, "Центр".to_owned(), true), (2, "Север".to_owned(), false)],
        orders: vec![(OrderId(12), OrderStatus::EnRoute), (OrderId(14), OrderStatus::Assigned)],
        live_offers: 1,
        own_limit: None,
        limit: 5,
        changes: vec![
            change(What::Shift, Some("off"), Some("on"), ChangedBy::Master),
            change(What::Limit, Some("2"), None, olga()),
            change(What::Trade, None, Some("PLUMBING"), olga()),
            change(What::District, Some("Юг"), None, ChangedBy::Operator),
            change(What::Reachable, Some("no"), Some("yes"), ChangedBy::System),
            change(What::Blocked, Some("долг"), None, olga()),
            change(What::Added, None, None, ChangedBy::Operator),
        ],
        seen: 77,
    }
}

#[test]
fn masters_as_dispatchers_see_them() {
    let line = |id, state| MasterLine {
        id: MasterId(id),
        full_name: "Анна Иванова".to_owned(),
        city: "Омск".to_owned(),
        state,
        active_orders: 2,
        limit: 5,
    };
    let states = [
        MasterState::Waiting,
        MasterState::OnShift,
        MasterState::OffShift,
        MasterState::Unreachable,
        MasterState::Blocked,
    ];
    let lines: Vec<_> = states.into_iter().zip(1..).map(|(state, id)| line(id, state)).collect();
    let full = MasterList { filter: MasterFilter::All, counts: [12, 7, 1, 1], page: 1, lines };
    let empty = |filter| MasterList { filter, counts: [0; 4], page: 1, lines: Vec::new() };
    let acts = profile(Role::Dispatcher);
    let mut screens_of = vec![screens::list(&full, &acts), screens::list(&full, &profile(Role::Viewer))];
    screens_of.extend(MasterFilter::ALL.map(|filter| screens::list(&empty(filter), &acts)));
    let waiting = MasterCard {
        state: MasterState::Waiting,
        on_shift: false,
        blocked: Some("x".to_owned()),
        orders: Vec::new(),
        live_offers: 0,
        changes: Vec::new(),
        ..card()
    };
    let blocked = MasterCard {
        state: MasterState::Blocked,
        blocked: Some("Долг <300>".to_owned()),
        unreachable: true,
        phone: None,
        categories: Vec::new(),
        districts: vec![(1, "Центр".to_owned(), false)],
        ..waiting.clone()
    };
    screens_of.extend([
        screens::card(&card(), &acts, Some("⛔ Мастер заблокирован.")),
        screens::card(&card(), &profile(Role::Viewer), None),
        screens::card(&waiting, &acts, None),
        screens::card(&blocked, &acts, None),
        screens::ask_block(&card()),
        screens::ask_block(&waiting),
        screens::limits(&card()),
        screens::ask_limit(&card()),
        screens::trades(&card()),
        screens::districts(&card(), 1),
    ]);
    assert_snapshot!("masters", all(&screens_of));
}

#[test]
fn answers_about_masters() {
    let to = [
        Manage::Shift(true),
        Manage::Shift(false),
        Manage::Block("x".to_owned()),
        Manage::Unblock,
        Manage::Approve,
        Manage::Limit(None),
        Manage::Trade(Category::Windows, true),
        Manage::District(1, true),
    ];
    let mut said: Vec<_> = to.iter().map(|to| texts::managed(to, &ManageOutcome::Done)).collect();
    let changed = change(What::Blocked, None, Some("Долг <300>"), olga());
    for outcome in [
        ManageOutcome::AlreadySo(None),
        ManageOutcome::AlreadySo(Some(changed.clone())),
        ManageOutcome::Stale(changed),
        ManageOutcome::NotAllowed,
        ManageOutcome::NotFound,
        ManageOutcome::Busy,
    ] {
        said.push(texts::managed(&Manage::Unblock, &outcome));
    }
    assert!(said.iter().all(|text| text.chars().count() <= 200), "{said:#?}");
    assert_snapshot!("masters_answers", said.join("\n"));
}

#[test]
fn invitations_as_staff_see_them() {
    let staff = Invited::Staff { role: Role::Viewer, cities: Vec::new(), full_name: Some("Пётр <П>".to_owned()) };
    let invitation = |id, invited: Invited, by: Option<&str>, on_the_way| Invitation {
        id,
        cities: (invited != staff).then(|| "Омск".to_owned()),
        invited,
        by: None,
        by_name: by.map(ToOwned::to_owned),
        expires_at: Timestamp::from_second(1_796_000_000).expect("a time"),
        on_the_way,
    };
    let master = |needs_approval| Invited::Master { city: CityId(1), needs_approval };
    let open = [
        invitation(4, Invited::Staff { role: Role::Dispatcher, cities: vec![CityId(1)], full_name: None }, None, false),
        invitation(3, master(true), Some("Ольга"), false),
        invitation(2, master(false), None, true),
        invitation(1, staff.clone(), None, false),
    ];
    let cities = [(CityId(1), "Омск".to_owned()), (CityId(2), "Пермь".to_owned())];
    let link = "https://t.me/orders_bot?start=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    assert_snapshot!(
        "invitations",
        all(&[
            screens::invitations(&open, &profile(Role::Admin)),
            screens::invitations(&[], &profile(Role::Dispatcher)),
            screens::ask_master(&cities),
            screens::ask_staff(&cities),
            screens::invitation_made(7, link, &master(true), "Омск"),
            screens::invitation_made(8, link, &staff, ""),
        ])
    );
}

#[test]
fn the_way_in_as_a_newcomer_sees_it() {
    let known = |step| Onboarding {
        user: TelegramUserId(7),
        city: CityId(1),
        city_name: "Омск".to_owned(),
        city_districts: (1..=23).map(|id| District { id, name: format!("Район {id}") }).collect(),
        step,
        full_name: Some("Пётр <П>".to_owned()),
        phone: Some("+79990000007".to_owned()),
        categories: vec![Category::Plumbing],
        districts: vec![2, 21],
        needs_approval: true,
    };
    let mut screens_of: Vec<_> = Step::ALL.map(|step| onboarding::question(&known(step), None, 1)).to_vec();
    screens_of.push(onboarding::question(&known(Step::Districts), Some(Complaint::ButtonsOnly), 2));
    let small = Onboarding { city_districts: Vec::new(), ..known(Step::Trades) };
    screens_of.push(onboarding::question(&small, Some(Complaint::NoTrade), 1));
    assert_snapshot!("onboarding", all(&screens_of));
    let complaints = [
        Complaint::NoName,
        Complaint::OddName,
        Complaint::NotOwnContact,
        Complaint::OddPhone,
        Complaint::KeyOnly,
        Complaint::ButtonsOnly,
        Complaint::NoTrade,
        Complaint::NoDistrict,
    ];
    let mut said: Vec<_> = complaints.into_iter().map(words::complaint).collect();
    let dead = [DeadLink::Unknown, DeadLink::Used, DeadLink::Revoked, DeadLink::Expired];
    said.extend(dead.map(|why| words::dead_link(why).to_owned()));
    said.extend([words::COMPLETE, words::COMPLETE_WAITS, words::CONTACT_TAKEN].map(ToOwned::to_owned));
    assert_snapshot!("onboarding_answers", said.join("\n"));
}
