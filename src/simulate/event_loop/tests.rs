use std::collections::HashSet;

use super::super::day::{Arrival, Ending};
use super::*;
use crate::model::order::Category;
use crate::model::selection::plumber;
use crate::model::{MasterId, OrderId};

/// Answers by order and master; whoever is not named lets offers pass.
struct Table(Vec<((usize, usize), Reaction)>);

impl Reactions for Table {
    fn of(&self, order: usize, master: usize) -> Reaction {
        let named = self.0.iter().find(|(pair, _)| *pair == (order, master)).map(|(_, reaction)| *reaction);
        named.unwrap_or(Reaction { after: 0, answer: Answer::Nothing })
    }
}

fn answers(table: &[(usize, usize, Millis, Answer)]) -> Table {
    Table(table.iter().map(|(order, master, after, answer)| ((*order, *master), reaction(*after, *answer))).collect())
}

fn reaction(after: Millis, answer: Answer) -> Reaction {
    Reaction { after, answer }
}

/// A master; of several the first is asked first.
fn master(place: i64) -> Candidate {
    Candidate { rating: 500 - i32::try_from(place).expect("a small number"), ..plumber(place) }
}

/// So many masters, and orders at these moments.
fn day(masters: i64, orders: &[Millis]) -> Day {
    let order = |(id, at): (i64, &Millis)| Arrival {
        at: *at,
        search: Search {
            order: OrderId(id),
            city: 1,
            district: None,
            category: Category::Plumbing,
            preferred: None,
            preferred_first: true,
            asked: HashSet::new(),
        },
        work: 100_000,
        ending: Ending { at: at + 1_800_000, given_to: None },
    };
    Day {
        masters: (0..masters).map(master).collect(),
        orders: (0..).zip(orders).map(order).collect(),
        ..Day::default()
    }
}

fn rule(settings: &str) -> Rule {
    settings.parse().expect("a policy")
}

fn only(played: &Played) -> Outcome {
    assert_eq!(played.outcomes.len(), 1);
    played.outcomes[0]
}

#[test]
fn a_round_ends_before_the_next_begins() {
    let played = play(&day(4, &[1000]), &rule("rounds-of-3"), &answers(&[(0, 3, 10_000, Answer::Take)]));
    // Two minutes, the next tick, and ten seconds; four offers, and three ends.
    let expected = Outcome { wait: 130_200, end: End::Accepted(3), offers: 4, messages: 7, lost: 0, called: false };
    assert_eq!(only(&played), expected);
    assert_eq!((played.waves, played.work), (2, vec![0, 0, 0, 1]));
}

#[test]
fn a_search_widens_while_offers_are_out() {
    let played = play(&day(4, &[1000]), &rule("default"), &answers(&[(0, 3, 5_000, Answer::Take)]));
    let expected = Outcome { wait: 35_200, end: End::Accepted(3), offers: 4, messages: 7, lost: 0, called: false };
    assert_eq!(only(&played), expected);
}

#[test]
fn a_decline_is_replaced_at_once_and_who_comes_too_late_has_lost() {
    let people = answers(&[
        (0, 0, 60_000, Answer::Take),
        (0, 1, 10_000, Answer::Decline),
        (0, 2, 130_000, Answer::Take),
        (0, 3, 5_000, Answer::Take),
    ]);
    let played = play(&day(5, &[1000]), &rule("default"), &people);
    // One of the two others would have taken it in time.
    let expected = Outcome { wait: 15_200, end: End::Accepted(3), offers: 4, messages: 6, lost: 1, called: false };
    assert_eq!(only(&played), expected);
    let in_rounds = play(&day(5, &[1000]), &rule("rounds-of-3"), &people);
    assert_eq!(only(&in_rounds).end, End::Accepted(0), "a round waits for the others");
}

#[test]
fn who_leaves_the_shift_is_replaced_at_once() {
    let mut day = day(4, &[1000]);
    day.changes = vec![
        Change { at: 5000, master: 2, what: What::Shift(false) },
        Change { at: 6000, master: 2, what: What::Shift(false) },
    ];
    let people = answers(&[(0, 3, 5_000, Answer::Take)]);
    assert_eq!(only(&play(&day, &rule("default"), &people)).wait, 9_200);
    assert_eq!(only(&play(&day, &rule("rounds-of-3"), &people)).wait, 125_200);
}

#[test]
fn an_order_is_on_its_master_s_hands_until_it_is_done() {
    let mut day = day(1, &[1000, 4000]);
    day.masters[0].limit = 1;
    let people = answers(&[(0, 0, 2_000, Answer::Take), (1, 0, 2_000, Answer::Take)]);
    let played = play(&day, &rule("default"), &people);
    // Done after 103 seconds; looked again every thirty from the fourth on.
    let waits: Vec<_> = played.outcomes.iter().map(|outcome| (outcome.wait, outcome.called)).collect();
    assert_eq!(waits, [(2_000, false), (122_000, true)]);
}

#[test]
fn what_nobody_accepts_ends() {
    let mut day = day(1, &[1000, 2000]);
    day.orders[1].ending = Ending { at: 62_000, given_to: Some(MasterId(0)) };
    day.masters[0].on_shift = false;
    let played = play(&day, &rule("default"), &answers(&[]));
    let waits: Vec<_> = played.outcomes.iter().map(|outcome| (outcome.wait, outcome.end)).collect();
    assert_eq!(waits, [(1_800_000, End::Otherwise), (60_000, End::Otherwise)]);
    assert!(played.work.is_empty(), "the only master was never on shift");
}

#[test]
fn the_preferred_master_has_time_alone() {
    let mut day = day(4, &[1000]);
    day.orders[0].search.preferred = Some(MasterId(3));
    let people = answers(&[(0, 0, 3_000, Answer::Take)]);
    for policy in ["default", "rounds-of-3"] {
        let outcome = only(&play(&day, &rule(policy), &people));
        // A minute and the next tick.
        assert_eq!((outcome.wait, outcome.offers), (63_200, 4), "{policy}");
    }
}

#[test]
fn whoever_could_not_be_asked_has_not_waited() {
    for (gone, back) in [
        (What::Shift(false), What::Shift(true)),
        (What::Blocked(true), What::Blocked(false)),
        (What::Unreachable(true), What::Unreachable(false)),
    ] {
        let mut day = day(2, &[10_000]);
        let people = answers(&[(0, 1, 3_000, Answer::Take)]);
        assert_eq!(only(&play(&day, &rule("one-by-one"), &people)).offers, 2, "the first is asked first");
        day.changes = vec![Change { at: 1_000, master: 0, what: gone }, Change { at: 2_000, master: 0, what: back }];
        assert_eq!(only(&play(&day, &rule("one-by-one"), &people)).offers, 1, "{back:?}");
    }
}
