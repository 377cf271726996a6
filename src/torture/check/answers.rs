//! Invariant 6: what was answered was true when it was said.

use std::collections::HashMap;

use super::Check;
use super::tapped::order_of_master;
use super::work::Work;
use crate::bots::callback::Callback;
use crate::model::order::Stage;
use crate::model::{BotName, OrderStatus};
use crate::torture::claim::{Claim, Words};
use crate::torture::record::{COMMITTED_BY, Lives, Master, Ms, Offer, Record, SLACK, Span, Tap};

/// What is known when an answer is judged.
struct Facts<'a> {
    lives: &'a Lives<'a>,
    /// By order and master.
    offers: HashMap<(i64, i64), Vec<&'a Offer>>,
    /// The times at which a master had an order, by master.
    loads: HashMap<i64, Vec<&'a Span<'a>>>,
    record: &'a Record,
    work: Work<'a>,
}

/// An answer: to whom, about which order, and between which moments it was to be true.
struct Said<'a> {
    master: &'a Master,
    order: i64,
    from: Ms,
    until: Ms,
    text: &'a str,
    /// Since when the update may have come before, if it had.
    again: Option<Ms>,
    /// Whether words are owed, not only a screen.
    owes_words: bool,
    tap: &'a Tap,
}

/// Whether a tap is to change something.
fn is_to_change(data: &str) -> bool {
    matches!(Callback::parse(data), Some(Callback::Accept { .. } | Callback::Decline { .. }))
}

/// Each answer to a master's tap about an offer, and the master who tapped.
fn said(record: &Record) -> impl Iterator<Item = (&Tap, Said<'_>)> {
    let masters: HashMap<i64, &Master> = record.masters.iter().map(|master| (master.person, master)).collect();
    let taps = record.taps.iter().filter(|tap| tap.bot == Some(BotName::Master));
    taps.filter_map(move |tap| Some((tap, *masters.get(&tap.person)?, order_of_master(&tap.data)?))).flat_map(
        |(tap, master, order)| {
            let owes_words = is_to_change(&tap.data);
            tap.answers.iter().map(move |(at, text)| {
                let from = tap.looked_from(*at);
                let again = tap.came_again(*at).then_some(tap.made);
                (tap, Said { master, order, from, until: *at, text, again, owes_words, tap })
            })
        },
    )
}

pub(super) fn are_true(record: &Record, lives: &Lives) -> Check {
    let mut check = Check::new(6, "every answer to a tap on an offer was true when it was given");
    let words = Words::new();
    let mut offers: HashMap<(i64, i64), Vec<&Offer>> = HashMap::new();
    for offer in &record.offers {
        offers.entry((offer.order, offer.master)).or_default().push(offer);
    }
    let mut loads: HashMap<i64, Vec<&Span>> = HashMap::new();
    for span in lives.all().flat_map(|(_, spans)| spans).filter(|span| span.status.stage() == Stage::Active) {
        loads.entry(span.master.unwrap_or_default()).or_default().push(span);
    }
    let facts = Facts { lives, offers, loads, record, work: Work::of(record) };
    for (_, said) in said(record).filter(|(_, said)| said.owes_words || !said.text.is_empty()) {
        let lie = match words.read(said.text) {
            _ if said.text.is_empty() => Some("which says nothing"),
            Some(claim) => (!facts.bear_out(claim, &said, &words)).then_some("which was not so"),
            None => Some("which is no answer to that"),
        };
        check.look(lie.map(|lie| {
            let Said { master, order, from, until, text, .. } = &said;
            format!(
                "order {order}: master {} (telegram {}) was told «{text}» at {until}, having tapped at {from}: {lie}",
                master.id, master.person
            )
        }));
    }
    check
}

impl Facts<'_> {
    /// Whether what is claimed was so at any moment in which it may have been looked at.
    fn bear_out(&self, claim: Claim, said: &Said, words: &Words) -> bool {
        let Said { master, order, from, until, again, .. } = *said;
        // What was so at first is said again, if a newer offer came meanwhile.
        let since = again.unwrap_or(from);
        let mut spans = self.lives.between(order, from, until);
        let is_active = |span: &&Span| span.status.stage() == Stage::Active;
        let others = |span: &&Span| is_active(span) && span.master.is_some_and(|other| other != master.id);
        match claim {
            Claim::Assigned => self.accepted(master.id, order, from, until),
            Claim::Yours => spans.any(|span| is_active(&span) && span.master == Some(master.id)),
            Claim::Taken => spans.any(|span| others(&span)),
            Claim::TakenByMaster => spans.any(|span| others(&span) && span.by == "MASTER"),
            Claim::TakenByStaff => spans.any(|span| others(&span) && span.by == "ADMIN"),
            Claim::Withdrawn => {
                let mut at_first = self.lives.between(order, since, until);
                spans.any(|span| span.status.stage() == Stage::Final)
                    || self.may_not_be_live(said) && self.ended(said, &["CANCELED"]) && self.was_open(said)
                    || again.is_some()
                        && (at_first.any(|span| is_active(&span)) || self.was_not_offered_before(said, since))
            }
            Claim::Declined | Claim::DeclinedNow => self.may_not_be_live(said) && self.ended(said, &["DECLINED"]),
            Claim::Expired => {
                self.may_not_be_live(said) && self.offers(said).any(|offer| offer.expires <= until + SLACK)
            }
            Claim::NotFound => self.was_not_offered_before(said, from),
            Claim::Limit => words.limit(said.text).is_some_and(|limit| {
                let was_allowed = master.limits_between(since, until).any(|allowed| allowed == limit);
                was_allowed && self.load(master.id, since, until) >= limit
            }),
            Claim::Blocked => master.was_blocked(true, since, until),
            Claim::Broken => false,
            Claim::Busy => self.work.is_near(said.tap, order, Some(master), from, until),
        }
    }

    fn offers(&self, said: &Said) -> impl Iterator<Item = &&Offer> {
        self.offers.get(&(said.order, said.master.id)).into_iter().flatten()
    }

    fn was_not_offered_before(&self, said: &Said, moment: Ms) -> bool {
        !self.offers(said).any(|offer| offer.sent + COMMITTED_BY < moment)
    }

    /// Whether there was a moment without a live offer, or the update came before, when there was one.
    fn may_not_be_live(&self, said: &Said) -> bool {
        let is_live = |offer: &&Offer| {
            let ended = offer.ended.unwrap_or(Ms::MAX / 2).min(offer.expires);
            offer.sent + COMMITTED_BY < said.from && said.until + SLACK < ended
        };
        said.again.is_some() || !self.offers(said).any(is_live)
    }

    /// Whether nobody had it at any moment: who was not offered it any more is told so, unless somebody has it.
    fn was_open(&self, said: &Said) -> bool {
        let mut spans = self.lives.between(said.order, said.from, said.until);
        spans.any(|span| span.status.stage() == Stage::Open)
    }

    /// Whether an offer had come to one of these ends.
    fn ended(&self, said: &Said, ends: &[&str]) -> bool {
        self.offers(said)
            .any(|offer| ends.contains(&&*offer.state) && offer.ended.is_some_and(|ended| ended <= said.until + SLACK))
    }

    fn accepted(&self, master: i64, order: i64, from: Ms, until: Ms) -> bool {
        let changes = self.record.changes.iter();
        changes.filter(|change| change.order == order && is_acceptance(change.to, &change.actor)).any(|change| {
            change.master == Some(master) && change.committed + SLACK >= from && change.committed <= until + SLACK
        })
    }

    /// The most orders that a master had at any moment between the two.
    fn load(&self, master: i64, from: Ms, until: Ms) -> i64 {
        let spans: Vec<_> = self.loads.get(&master).into_iter().flatten().collect();
        let moments = spans.iter().map(|span| span.from).filter(|at| (from - SLACK..=until + SLACK).contains(at));
        let at = |moment: Ms| spans.iter().filter(|span| span.from <= moment && moment <= span.until + SLACK).count();
        let most = moments.chain([from]).map(at).max().unwrap_or_default();
        i64::try_from(most).unwrap_or(i64::MAX)
    }
}

fn is_acceptance(to: OrderStatus, actor: &str) -> bool {
    to == OrderStatus::Assigned && actor == "MASTER"
}

pub(super) fn are_of_committed_acceptances(record: &Record) -> Check {
    let mut check = Check::new(6, "as many taps were told that they won as acceptances were committed, at most");
    let words = Words::new();
    let mut told: HashMap<(i64, i64), usize> = HashMap::new();
    // One tap may be told so again by a delivery that was under way.
    let mut last = None;
    for (tap, said) in said(record).filter(|(_, said)| words.read(said.text) == Some(Claim::Assigned)) {
        if last.replace(std::ptr::from_ref(tap)) != Some(std::ptr::from_ref(tap)) {
            *told.entry((said.order, said.master.id)).or_default() += 1;
        }
    }
    let mut accepted: HashMap<(i64, i64), usize> = HashMap::new();
    for change in record.changes.iter().filter(|change| is_acceptance(change.to, &change.actor)) {
        *accepted.entry((change.order, change.master.unwrap_or_default())).or_default() += 1;
    }
    for ((order, master), times) in told {
        let committed = accepted.get(&(order, master)).copied().unwrap_or_default();
        check.look((times > committed).then(|| {
            format!("order {order}: {times} taps of master {master} were told that they won, {committed} acceptances are committed")
        }));
    }
    check
}

#[cfg(test)]
mod tests {
    use super::super::tests::{a_race, broken, change};
    use crate::bots::render::texts;
    use crate::dispatch::accept::AcceptOutcome;
    use crate::model::OrderStatus;

    const TRUE: &str = "every answer to a tap on an offer was true when it was given";

    #[test]
    fn a_winner_who_has_not_won_is_found() {
        let mut record = a_race();
        record.taps[1].answers[0].1 = texts::ACCEPTED.to_owned();
        assert!(broken(&record).contains(&TRUE), "{:?}", broken(&record));
        assert_eq!(broken(&record).len(), 3, "and two winners, and one too many: {:?}", broken(&record));
    }

    #[test]
    fn every_kind_of_lie_is_found() {
        const NOT_BROKEN: &str = "nobody was told that something broke which trying again will not mend";
        for lie in [
            AcceptOutcome::NotFound,
            AcceptOutcome::Declined,
            AcceptOutcome::Expired,
            AcceptOutcome::LimitReached { active: 2, limit: 2 },
            AcceptOutcome::Busy,
            AcceptOutcome::Withdrawn,
            AcceptOutcome::Blocked(crate::model::facts::Blocked { reason: None }),
        ] {
            let mut record = a_race();
            record.taps[1].answers[0].1 = texts::accept(&lie);
            assert_eq!(broken(&record), [TRUE], "{lie:?}");
        }
        for (lie, named) in [(texts::YOURS, &[TRUE][..]), (texts::BROKEN, &[TRUE, NOT_BROKEN]), ("?", &[TRUE])] {
            let mut record = a_race();
            record.taps[1].answers[0].1 = lie.to_owned();
            assert_eq!(broken(&record), named, "{lie}");
        }
    }

    #[test]
    fn busy_is_borne_out_by_what_is_done_at_that_time() {
        let mut record = a_race();
        record.taps[1].answers[0].1 = texts::BUSY.to_owned();
        assert_eq!(broken(&record), [TRUE]);
        record.troubles.push((109_000, 110_050));
        assert_eq!(broken(&record), [""; 0], "a fault");
        record.troubles.clear();
        (record.taps[0].made, record.taps[0].attempts) = (99_900, vec![(99_900, 110_150)]);
        assert_eq!(broken(&record), [""; 0], "another tap");
    }

    #[test]
    fn a_spinner_that_stops_says_nothing_of_a_tap_that_changes_something() {
        let mut record = a_race();
        record.taps[1].answers[0].1.clear();
        assert!(broken(&record).contains(&TRUE), "{:?}", broken(&record));
    }

    #[test]
    fn withdrawn_is_said_again_of_what_was_taken_at_first() {
        let mut record = a_race();
        record.taps[1].answers[0].1 = texts::accept(&AcceptOutcome::Withdrawn);
        record.offers[1].state = "SENT".to_owned();
        record.offers[1].ended = None;
        assert_eq!(broken(&record), [TRUE]);
        record.taps[1].attempts.push((150_000, 150_100));
        record.taps[1].served = Some(150_100);
        assert_eq!(broken(&record), [TRUE], "the second came after the answer");
        record.taps[1].answers[0].0 = 150_050;
        assert_eq!(broken(&record), [""; 0]);
    }

    #[test]
    fn who_was_blocked_is_told_so() {
        let mut record = a_race();
        let blocked = AcceptOutcome::Blocked(crate::model::facts::Blocked { reason: None });
        record.taps[1].answers[0].1 = texts::accept(&blocked);
        record.masters[1].blocks.push((50_000, true));
        assert_eq!(broken(&record), [""; 0]);
        record.masters[1].blocks.push((60_000, false));
        assert_eq!(broken(&record), [TRUE]);
    }

    #[test]
    fn taken_is_a_lie_before_anybody_has_it_and_after_it_was_given_back() {
        let mut record = a_race();
        let tap = &mut record.taps[1];
        (tap.made, tap.attempts, tap.answers[0].0) = (50_000, vec![(50_000, 50_200)], 50_100);
        assert_eq!(broken(&record), [TRUE]);
        let mut record = a_race();
        record.orders[0].status = OrderStatus::Searching;
        record.changes.push(change(2, OrderStatus::Searching, "ADMIN", Some(1), 105_000));
        assert_eq!(broken(&record), [TRUE]);
    }

    #[test]
    fn who_gave_it_is_told_apart() {
        let mut record = a_race();
        record.changes[0].actor = "ADMIN".to_owned();
        record.taps.remove(0);
        let lost = crate::model::race::LostRace {
            winner: crate::model::race::Winner::GivenByStaff,
            taken_after: std::time::Duration::from_secs(1),
            tapped_after: std::time::Duration::from_secs(2),
        };
        record.taps[0].answers[0].1 = texts::accept(&AcceptOutcome::Taken(Some(lost)));
        assert_eq!(broken(&record), [""; 0]);
        record.changes[0].actor = "MASTER".to_owned();
        assert_eq!(broken(&record), [TRUE]);
    }
}
