use std::collections::{BTreeMap, HashSet};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::model::master_past::{Change, Changed, MasterPast};
use crate::model::moment::Moment;
use crate::model::selection::{Exclusion, plumber};
use crate::model::{Category, MasterId, OrderId, OrderStatus};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn moment(second: i64) -> Moment {
    Moment { at: at(second), local: DateTime::default() }
}

fn past(id: i64) -> Past {
    let master = MasterPast {
        today: plumber(id),
        name: format!("Master {id}"),
        own_limit: None,
        known_since: at(0),
        asked_before: None,
        came_before: Some(at(10)),
        changes: Vec::new(),
    };
    Past { master, spells: Vec::new(), offers: Vec::new() }
}

fn wave(second: i64) -> Wave {
    Wave {
        number: 1,
        search_started: at(second),
        at: moment(second),
        turn: Some(1),
        city: Some(1),
        limit: 5,
        chosen: Vec::new(),
        excluded: BTreeMap::new(),
        asked: HashSet::new(),
    }
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
    let busy = Past {
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
        let story = Story {
            order: order(),
            waves: vec![wave],
            earlier: false,
            masters: masters.to_vec(),
            answers: Vec::new(),
            changes: Vec::new(),
        };
        let told = story.tell(MasterId(1)).remove(0);
        (told.verdict, told.certain)
    };
    let others = vec![(MasterId(3), Some(95))];
    let waited = Verdict::Waited { own: Some(90), others, tied: false };
    assert_eq!(told(&[(Exclusion::Rank, 2)], &[3]), (waited.clone(), true));
    assert_eq!(told(&[(Exclusion::Rank, 1), (Exclusion::OffShift, 1)], &[3]), (waited, false));
    assert_eq!(told(&[(Exclusion::Rank, 1), (Exclusion::Held, 1)], &[3]), (Verdict::WaitedOrHeld, true));
    assert_eq!(told(&[(Exclusion::Rank, 2)], &[1]), (Verdict::Asked(None), true));
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
    let story =
        Story { order: order(), waves: vec![moved], earlier: false, masters, answers: Vec::new(), changes: Vec::new() };
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
    let story = Story {
        order,
        waves: vec![old],
        earlier: false,
        masters: Vec::new(),
        answers: Vec::new(),
        changes: Vec::new(),
    };
    let verdict = |master| story.tell(MasterId(master)).remove(0).verdict;
    assert_eq!(
        [verdict(1), verdict(2), verdict(3)],
        [Verdict::Unknown, Verdict::Asked(None), Verdict::AskedBefore(None)]
    );
    assert!(story.concerns(MasterId(2)) && story.concerns(MasterId(3)) && !story.concerns(MasterId(1)));
}
