use std::collections::{BTreeMap, HashSet};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::outcome::OrderChange;
use super::*;
use crate::model::master_past::{Change, Changed, MasterPast};
use crate::model::moment::Moment;
use crate::model::race::Winner;
use crate::model::selection::{Exclusion, plumber};
use crate::model::{Category, MasterId, OfferId, OfferState, OrderId, OrderStatus};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn moment(second: i64) -> Moment {
    Moment { at: at(second), local: DateTime::default() }
}

fn past(id: i64) -> MasterHistory {
    let master = MasterPast {
        today: plumber(id),
        name: format!("Master {id}"),
        own_limit: None,
        known_since: at(0),
        asked_before: None,
        came_before: Some(at(10)),
        changes: Vec::new(),
    };
    MasterHistory { master, spells: Vec::new(), offers: Vec::new() }
}

fn wave(second: i64) -> Wave {
    Wave {
        number: 1,
        search_started: at(second),
        at: moment(second),
        empty_since: None,
        turn: Some(1),
        city: Some(1),
        limit: 5,
        chosen: Vec::new(),
        excluded: BTreeMap::new(),
        asked: HashSet::new(),
    }
}

/// A story of one wave and nothing else.
fn story(wave: Wave, masters: Vec<MasterHistory>) -> Story {
    Story { order: order(), waves: vec![wave], earlier: false, masters, answers: Vec::new(), changes: Vec::new() }
}

fn order() -> WhyOrder {
    WhyOrder {
        id: OrderId(1),
        status: OrderStatus::Searching,
        category: Category::Plumbing,
        city: 1,
        district: None,
        preferred: None,
        owner: None,
        now: at(1_000),
        local_now: DateTime::default(),
    }
}

#[test]
fn what_has_changed_since_is_undone_and_what_was_before_stays() {
    let change = |second, what| Change { at: at(second), what };
    let mut changed = past(1);
    changed.master.own_limit = Some(9);
    changed.master.today.on_shift = false;
    changed.master.changes = vec![
        change(90, Changed::Blocked([true, false])),
        change(80, Changed::Trade(Category::Plumbing, true)),
        change(75, Changed::District(7, false)),
        change(70, Changed::City(2)),
        change(65, Changed::Unreachable(false)),
        change(60, Changed::Limit([Some(2), Some(9)])),
        change(50, Changed::Shift(false)),
        change(40, Changed::Shift(true)),
        change(30, Changed::Limit([None, Some(2)])),
    ];
    let then = changed.at(&wave(45)).expect("a master");
    assert!(then.blocked && then.on_shift && then.unreachable);
    assert_eq!((then.city, then.limit, then.categories, then.districts), (2, 2, Vec::new(), vec![7]));
    assert_eq!(then.on_shift_since, Some(at(40)));
    let now = changed.at(&wave(95)).expect("a master");
    assert!(!now.blocked && !now.on_shift && !now.unreachable);
    assert_eq!((now.city, now.limit, now.on_shift_since), (1, 9, None));
    let early = changed.at(&wave(20)).expect("a master");
    assert_eq!((early.limit, early.on_shift), (5, false), "the policy's limit");
    let mut later = past(1);
    later.master.known_since = at(46);
    assert!(later.at(&wave(45)).is_none());
}

#[test]
fn orders_and_offers_count_while_they_last() {
    let spell = |order, from, until: Option<i64>, given| Spell {
        order: OrderId(order),
        from: at(from),
        until: until.map(at),
        given,
    };
    let offer = |order, sent, ended: Option<i64>, turn| Offered {
        order: OrderId(order),
        sent: at(sent),
        ended: ended.map(at),
        turn,
    };
    let busy = MasterHistory {
        spells: vec![spell(1, 10, Some(50), false), spell(2, 20, None, true), spell(3, 60, None, true)],
        offers: vec![
            offer(4, 15, Some(50), None),
            offer(5, 30, None, None),
            offer(6, 50, None, Some(0)),
            offer(7, 50, None, Some(1)),
            offer(8, 51, None, None),
        ],
        ..past(1)
    };
    let (orders, offers) = busy.load(&wave(50));
    assert_eq!((orders, offers), (vec![OrderId(2)], vec![OrderId(5), OrderId(6)]));
    let then = busy.at(&wave(50)).expect("a master");
    assert_eq!((then.load, then.last_asked, then.turns), (3, Some(at(50)), 1));
    assert_eq!(busy.at(&wave(25)).expect("a master").last_asked, Some(at(20)), "given by staff");
}

#[test]
fn what_the_wave_has_counted_shows_whether_all_was_written_down() {
    let mut masters = [past(1), past(2), past(3)];
    masters[2].master.came_before = Some(at(5));
    let told = |excluded: &[(Exclusion, i64)], chosen: &[i64]| {
        let wave = Wave {
            chosen: chosen.iter().copied().map(MasterId).collect(),
            excluded: excluded.iter().copied().collect(),
            ..wave(100)
        };
        let story = story(wave, masters.to_vec());
        let told = story.tell(MasterId(1)).remove(0);
        (told.verdict, told.certain)
    };
    let others = vec![(MasterId(3), Some(95))];
    let waited = Verdict::Waited { own: Some(90), others, tied: false, preferred_asked: false };
    let or_held = Verdict::WaitedOrHeld { preferred_asked: false };
    assert_eq!(told(&[(Exclusion::Rank, 2)], &[3]), (waited.clone(), true));
    assert_eq!(told(&[(Exclusion::Rank, 1), (Exclusion::OffShift, 1)], &[3]), (waited, false));
    assert_eq!(told(&[(Exclusion::Rank, 1), (Exclusion::Held, 1)], &[3]), (or_held.clone(), true));
    assert_eq!(told(&[(Exclusion::Held, 3)], &[]), (Verdict::Excluded(Exclusion::Held), true));
    assert_eq!(told(&[(Exclusion::Rank, 2)], &[1]), (Verdict::Asked(None), true));
    // The third had waited longest.
    let others = vec![(MasterId(2), Some(90))];
    let tied = Verdict::Waited { own: Some(90), others, tied: true, preferred_asked: false };
    assert_eq!(told(&[(Exclusion::Rank, 2)], &[2]), (tied, false), "who was asked was not first");
    assert_eq!(
        told(&[(Exclusion::Rank, 1), (Exclusion::Held, 1)], &[2]),
        (or_held, true),
        "the third may have been held"
    );
    assert!(!told(&[(Exclusion::Rank, 1)], &[2, 3]).1, "in another order");
    assert!(told(&[(Exclusion::Rank, 1)], &[3, 2]).1, "chance has decided between equal waits");
}

#[test]
fn who_is_preferred_was_asked_first_for_that_and_not_for_a_wait() {
    // He has waited least of all.
    let mut masters = [past(1), past(2), past(3)];
    masters[1].master.came_before = Some(at(99));
    masters[2].master.came_before = Some(at(5));
    let told = |preferred: i64, excluded: &[(Exclusion, i64)], chosen: &[i64]| {
        let wave = Wave {
            chosen: chosen.iter().copied().map(MasterId).collect(),
            excluded: excluded.iter().copied().collect(),
            ..wave(100)
        };
        let order = WhyOrder { preferred: Some(MasterId(preferred)), ..order() };
        let story = Story { order, ..story(wave, masters.to_vec()) };
        let told = story.tell(MasterId(1)).remove(0);
        (told.verdict, told.certain)
    };
    let others = vec![(MasterId(3), Some(95))];
    let waited =
        |preferred_asked| Verdict::Waited { own: Some(90), others: others.clone(), tied: false, preferred_asked };
    assert_eq!(told(2, &[(Exclusion::Rank, 1)], &[2, 3]), (waited(true), true));
    assert_eq!(told(2, &[(Exclusion::Rank, 2)], &[2]), (Verdict::ClientsChoice, true));
    assert_eq!(told(2, &[(Exclusion::Rank, 1), (Exclusion::Held, 1)], &[2]), (Verdict::ClientsChoice, true));
    let or_held = Verdict::WaitedOrHeld { preferred_asked: true };
    assert_eq!(told(2, &[(Exclusion::Held, 1)], &[2, 3]), (or_held, true));
    assert_eq!(told(2, &[(Exclusion::Rank, 2)], &[3]), (waited(false), false), "he could have been asked");
}

#[test]
fn of_orders_that_the_reader_may_not_see_there_is_a_count() {
    let all = |numbers: &[i64]| numbers.iter().copied().map(OrderId).collect::<Vec<_>>();
    let mut full = Verdict::Full { limit: 4, orders: all(&[1, 2]), offers: all(&[3, 4]), elsewhere: 0 };
    assert_eq!(full.named(), all(&[1, 2, 3, 4]));
    full.name_only(&HashSet::from([OrderId(2)]));
    assert_eq!(full, Verdict::Full { limit: 4, orders: all(&[2]), offers: Vec::new(), elsewhere: 3 });
    let mut other = Verdict::Excluded(Exclusion::OffShift);
    other.name_only(&HashSet::new());
    assert_eq!(other, Verdict::Excluded(Exclusion::OffShift));
}

#[test]
fn of_an_order_that_was_moved_only_what_was_written_down_is_told() {
    let moved = Wave { city: Some(2), chosen: vec![MasterId(2)], asked: HashSet::from([MasterId(3)]), ..wave(100) };
    let masters = vec![past(1), past(2), past(3)];
    let story = story(moved, masters);
    let verdict = |master| story.tell(MasterId(master)).remove(0).verdict;
    assert_eq!(
        [verdict(1), verdict(2), verdict(3)],
        [Verdict::OrderElsewhere, Verdict::Asked(None), Verdict::AskedBefore(None)]
    );
}

#[test]
fn after_a_week_only_what_was_written_down_is_told() {
    let old = Wave { chosen: vec![MasterId(2)], asked: HashSet::from([MasterId(3)]), ..wave(100) };
    let order = WhyOrder { now: at(100) + KNOWN_FOR + SignedDuration::from_secs(1), ..order() };
    let story = Story { order, ..story(old, Vec::new()) };
    let verdict = |master| story.tell(MasterId(master)).remove(0).verdict;
    assert_eq!(
        [verdict(1), verdict(2), verdict(3)],
        [Verdict::Unknown, Verdict::Asked(None), Verdict::AskedBefore(None)]
    );
    assert!(story.concerns(MasterId(2)) && story.concerns(MasterId(3)) && !story.concerns(MasterId(1)));
}

fn change(second: i64, to: OrderStatus, by: Option<Winner>, master: Option<i64>) -> OrderChange {
    OrderChange { to, by, master: master.map(MasterId), offer: None, at: moment(second) }
}

/// The first master's offer, made in second 100.
fn answer(state: OfferState, responded: Option<i64>) -> Answer {
    Answer {
        id: OfferId(7),
        master: MasterId(1),
        state,
        sent: moment(100),
        responded: responded.map(moment),
        overdue: false,
    }
}

fn outcome_of(answer: Answer, changes: &[OrderChange]) -> OfferOutcome {
    super::outcome::of_offer(&answer, changes)
}

#[test]
fn an_offer_was_recalled_for_what_happened_in_that_moment() {
    let (master, staff) = (Some(Winner::Master), Some(Winner::GivenByStaff));
    let recalled = |changes: &[OrderChange]| match outcome_of(answer(OfferState::Canceled, Some(112)), changes) {
        OfferOutcome::Recalled { because, .. } => because,
        other => panic!("{other:?}"),
    };
    let taken = |by, other: i64| RecallReason::Taken { master: Some(MasterId(other)), by, after_seconds: 12 };
    let begun = change(100, OrderStatus::Searching, None, None);
    let later = change(120, OrderStatus::Canceled, staff, Some(2));
    for (to, by, whose, because) in [
        (OrderStatus::Assigned, master, Some(2), taken(master, 2)),
        (OrderStatus::Assigned, staff, Some(2), taken(staff, 2)),
        (OrderStatus::Assigned, None, Some(2), taken(None, 2)),
        (OrderStatus::Canceled, staff, None, RecallReason::Canceled),
        (OrderStatus::Closed, staff, None, RecallReason::Closed),
        (OrderStatus::Searching, staff, None, RecallReason::SearchedAnew),
    ] {
        assert_eq!(recalled(&[begun, change(112, to, by, whose), later]), because, "{to:?}");
    }
    // Of what happened before it was made, or has not ended it, nothing is known.
    assert_eq!(recalled(&[begun, later]), RecallReason::Unknown);
    assert_eq!(recalled(&[change(90, OrderStatus::Canceled, staff, None)]), RecallReason::Unknown);
    assert_eq!(recalled(&[]), RecallReason::Unknown);
    // Somebody has ended it by hand, when another was at work already.
    let at_work = [
        begun,
        change(105, OrderStatus::Assigned, master, Some(2)),
        change(108, OrderStatus::EnRoute, master, Some(2)),
    ];
    assert_eq!(recalled(&at_work), RecallReason::Taken { master: Some(MasterId(2)), by: master, after_seconds: 5 });
    let no_end = outcome_of(answer(OfferState::Canceled, None), &at_work);
    assert_eq!(no_end, OfferOutcome::Recalled { at: None, because: RecallReason::Unknown });
}

#[test]
fn how_an_order_ceased_to_be_a_masters_is_known_by_what_came_next() {
    let (master, staff) = (Some(Winner::Master), Some(Winner::GivenByStaff));
    let taken = OrderChange { offer: Some(OfferId(7)), ..change(110, OrderStatus::Assigned, master, Some(1)) };
    let last_assignment = |next: &[OrderChange]| {
        let changes: Vec<OrderChange> = [taken].into_iter().chain(next.iter().copied()).collect();
        // Its end keeps the moment of the acceptance.
        match outcome_of(answer(OfferState::Canceled, Some(110)), &changes) {
            OfferOutcome::Assigned(Assignment { took: true, left, .. }) => left.map(|(left, at)| (left, at.at)),
            other => panic!("{other:?}"),
        }
    };
    let on_the_way = change(115, OrderStatus::EnRoute, master, Some(1));
    let searching = |by| change(120, OrderStatus::Searching, by, Some(1));
    let other_s = |second| change(second, OrderStatus::Assigned, staff, Some(2));
    assert_eq!(
        last_assignment(&[on_the_way, searching(master), other_s(120)]),
        Some((AssignmentEnd::Returned, at(120)))
    );
    assert_eq!(
        last_assignment(&[on_the_way, searching(staff), other_s(130)]),
        Some((AssignmentEnd::TakenAway, at(120)))
    );
    assert_eq!(last_assignment(&[searching(None)]), Some((AssignmentEnd::TakenAway, at(120))));
    assert_eq!(last_assignment(&[searching(staff), other_s(120)]), Some((AssignmentEnd::PassedOn, at(120))));
    assert_eq!(
        last_assignment(&[change(120, OrderStatus::Canceled, staff, Some(1))]),
        Some((AssignmentEnd::Canceled, at(120)))
    );
    let closed = change(120, OrderStatus::Closed, master, Some(1));
    let reopened = change(125, OrderStatus::Payment, staff, None);
    assert_eq!(last_assignment(&[closed]), None);
    assert_eq!(
        last_assignment(&[closed, reopened, change(130, OrderStatus::Searching, staff, Some(1))]),
        Some((AssignmentEnd::TakenAway, at(130)))
    );
    // Given by hand, while it was offered to him.
    let given = [change(112, OrderStatus::Assigned, staff, Some(1)), searching(staff)];
    let outcome = outcome_of(answer(OfferState::Canceled, Some(112)), &given);
    let left = Some((AssignmentEnd::TakenAway, moment(120)));
    assert_eq!(outcome, OfferOutcome::Assigned(Assignment { took: false, since: Some(moment(112)), left }));
}

#[test]
fn an_offer_without_a_wave_is_told_of_among_the_waves() {
    let waves = vec![Wave { chosen: vec![MasterId(2)], ..wave(90) }, Wave { chosen: vec![MasterId(1)], ..wave(200) }];
    let by_wave = Answer { sent: moment(200), ..answer(OfferState::Sent, None) };
    let overdue = Answer { overdue: true, ..answer(OfferState::Viewed, None) };
    let story = Story {
        order: order(),
        waves,
        earlier: true,
        masters: vec![past(1), past(2)],
        answers: vec![Answer { sent: moment(80), ..overdue }, overdue, by_wave],
        changes: Vec::new(),
    };
    let told: Vec<_> = story.tell(MasterId(1)).into_iter().map(|told| (told.number, told.verdict)).collect();
    let asked = |sent, outcome| Verdict::Asked(Some(Answered { sent: moment(sent), outcome }));
    // That of a wave which is not told of any more is not one without a wave.
    assert_eq!(told.len(), 3);
    assert_eq!(told[1], (None, asked(100, OfferOutcome::Expired(None))));
    assert_eq!(told[2], (Some(1), asked(200, OfferOutcome::Live)));
}

#[test]
fn equal_waits_are_told_from_those_that_only_look_equal() {
    let mut masters = [past(1), past(2)];
    let told = |masters: &[MasterHistory]| {
        let wave = Wave { chosen: vec![MasterId(2)], excluded: BTreeMap::from([(Exclusion::Rank, 1)]), ..wave(100) };
        let story = story(wave, masters.to_vec());
        story.tell(MasterId(1)).remove(0).verdict
    };
    let waited =
        |tied| Verdict::Waited { own: Some(90), others: vec![(MasterId(2), Some(90))], tied, preferred_asked: false };
    assert_eq!(told(&masters), waited(true));
    masters[1].master.came_before = Some(at(10) - SignedDuration::from_millis(3));
    assert_eq!(told(&masters), waited(false));
}
