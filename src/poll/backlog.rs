//! What is known of a bot's updates from the first unanswered one on.
//!
//! Telegram forgets all updates before the offset that it is asked with, and tells all from it on. So the offset is the first
//! update that is not answered, and what is answered behind it is remembered, as it will be told again. Whatever this process
//! forgets when it dies, Telegram tells the next one.
//!
//! Updates queue as in Telegram's own deliveries: a person's taps one after another, a chat's messages too, and queues do not
//! wait for each other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use axum::body::Bytes;
use serde::Deserialize;
use tokio::time::Instant;

use crate::telegram::AT_ONCE;

/// For how long Telegram keeps an update that was not taken: what is younger is not given up because one answer leaves it out.
/// <https://core.telegram.org/bots/api#getting-updates>
const KEPT: Duration = Duration::from_hours(24);

/// A queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// Of a person's taps.
    Taps(i64),
    /// Of a chat's messages, and their edits.
    Chat(i64),
    /// Of one update of another kind.
    Alone(i64),
}

/// An update as Telegram told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) id: i64,
    pub(super) lane: Lane,
    pub(super) body: Bytes,
}

impl Fetched {
    /// Finds what matters for the order; `None`: it has no id. Whether the rest can be understood is the handler's to judge.
    pub(super) fn read(json: &str) -> Option<Self> {
        let (id, lane) =
            if let Ok(Head { update_id, callback_query, message, edited_message }) = serde_json::from_str(json) {
                let taps = callback_query.map(|tap| Lane::Taps(tap.from.id));
                let chat = message.or(edited_message).map(|message| Lane::Chat(message.chat.id));
                (update_id, taps.or(chat).unwrap_or(Lane::Alone(update_id)))
            } else {
                let OnlyId { update_id } = serde_json::from_str(json).ok()?;
                (update_id, Lane::Alone(update_id))
            };
        Some(Self { id, lane, body: Bytes::copy_from_slice(json.as_bytes()) })
    }
}

#[derive(Deserialize)]
struct Head {
    update_id: i64,
    callback_query: Option<Tap>,
    message: Option<InChat>,
    edited_message: Option<InChat>,
}

#[derive(Deserialize)]
struct Tap {
    from: Id,
}

#[derive(Deserialize)]
struct InChat {
    chat: Id,
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

#[derive(Deserialize)]
struct OnlyId {
    update_id: i64,
}

/// Whether an update was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    Done,
}

/// An update that Telegram may tell again.
#[derive(Clone, Copy, Debug)]
struct Known {
    stage: Stage,
    lane: Lane,
    /// When it was told first.
    since: Instant,
}

/// An answer of Telegram's.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// What could be read of it, in the order of the ids.
    pub(super) told: Vec<Fetched>,
    /// How many updates have no id that can be read: each may be any of those that seem to be left out.
    pub(super) unread: usize,
}

/// What an answer of Telegram's has brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Queues that somebody is to begin to work on.
    pub(super) begin: Vec<Lane>,
    /// Unanswered updates that Telegram does not have any more: too old, or taken by somebody else. They are not tried again.
    pub(super) given_up: usize,
}

/// A bot's updates.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Whatever Telegram may tell again.
    known: BTreeMap<i64, Known>,
    /// Each has one who works on it, until that one finds it empty.
    lanes: HashMap<Lane, VecDeque<Fetched>>,
    /// Behind the last one that was answered when nothing before it was left.
    next: Option<i64>,
    /// How many updates were answered in all.
    answers: u64,
}

impl Backlog {
    /// The offset to ask with: what is before it will not be told again, and is forgotten here.
    pub(super) fn offset(&mut self) -> Option<i64> {
        while let Some(first) = self.known.first_entry()
            && first.get().stage == Stage::Done
        {
            self.next = Some(first.key() + 1);
            first.remove();
        }
        self.known.keys().next().copied().or(self.next)
    }

    /// Whether there is something unanswered, and nothing that would move the offset.
    pub(super) fn is_stuck(&self) -> bool {
        self.known.values().next().is_some_and(|known| known.stage == Stage::Open)
    }

    /// Takes in what Telegram told from the last [`offset`](Self::offset) on.
    pub(super) fn take(&mut self, answer: Answer, now: Instant) -> Taken {
        let mut taken = Taken { given_up: self.give_up(&answer, now), ..Taken::default() };
        for update in answer.told {
            if self.known.contains_key(&update.id) {
                continue;
            }
            self.known.insert(update.id, Known { stage: Stage::Open, lane: update.lane, since: now });
            // An empty one is not left yet: whoever works on it looks once more.
            if !self.lanes.contains_key(&update.lane) {
                taken.begin.push(update.lane);
            }
            self.lanes.entry(update.lane).or_default().push_back(update);
        }
        taken
    }

    /// Gives up what Telegram does not have any more: it would have told that first, or keeps nothing for so long. That an answer
    /// is empty says nothing by itself: a server that has just been started may not have read its updates yet.
    fn give_up(&mut self, Answer { told, unread }: &Answer, now: Instant) -> usize {
        if *unread > 0 {
            return 0;
        }
        let ids: BTreeSet<i64> = told.iter().map(|update| update.id).collect();
        let is_gone = |id: &i64, known: &Known| {
            let is_old = now.saturating_duration_since(known.since) > KEPT;
            !ids.contains(id) && (is_old || ids.first().is_some_and(|first| id < first))
        };
        let before = self.known.len();
        self.known.retain(|id, known| known.stage == Stage::Done || !is_gone(id, known));
        before - self.known.len()
    }

    /// The first update of a queue; `None`: there is none, and whoever works on the queue leaves it.
    pub(super) fn first(&mut self, lane: Lane) -> Option<Fetched> {
        let queue = self.lanes.get_mut(&lane)?;
        while queue.front().is_some_and(|update| !self.known.contains_key(&update.id)) {
            queue.pop_front();
        }
        let first = queue.front().cloned();
        if first.is_none() {
            self.lanes.remove(&lane);
        }
        first
    }

    /// Whether the update is still to be answered.
    pub(super) fn is_open(&self, id: i64) -> bool {
        self.known.get(&id).is_some_and(|known| known.stage == Stage::Open)
    }

    /// How many updates were answered so far: for [`holds_everybody_up`](Self::holds_everybody_up).
    pub(super) fn answers(&self) -> u64 {
        self.answers
    }

    /// Whether everybody waits for this update alone: Telegram tells nothing of what comes so far behind the first unanswered
    /// update, others were answered since this one was begun with, and at least as many queues have been answered as others are
    /// not. Queues are counted, not updates: what waits behind this one in its own is its fault too. While nothing can be done,
    /// as without a database, nobody is answered, and it is not this one's fault. `answers`: as it was in the beginning.
    pub(super) fn holds_everybody_up(&self, update: &Fetched, answers: u64) -> bool {
        let is_first = self.known.keys().next() == Some(&update.id);
        if !is_first || self.known.len() < usize::from(AT_ONCE) || self.answers == answers {
            return false;
        }
        let lanes = |stage| -> HashSet<Lane> {
            let others = self.known.values().filter(|known| known.stage == stage && known.lane != update.lane);
            others.map(|known| known.lane).collect()
        };
        let open = lanes(Stage::Open);
        lanes(Stage::Done).difference(&open).count() >= open.len()
    }

    /// The first update of its queue was answered.
    pub(super) fn answered(&mut self, update: &Fetched) {
        if let Some(known) = self.known.get_mut(&update.id) {
            known.stage = Stage::Done;
            self.answers += 1;
        }
        if let Some(queue) = self.lanes.get_mut(&update.lane) {
            queue.retain(|queued| queued.id != update.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tap(id: i64, person: i64) -> Fetched {
        let json = format!(r#"{{"update_id":{id},"callback_query":{{"id":"1","from":{{"id":{person}}},"data":"x"}}}}"#);
        Fetched::read(&json).expect("an update")
    }

    fn answered_with(told: Vec<Fetched>) -> Answer {
        Answer { told, unread: 0 }
    }

    fn take(backlog: &mut Backlog, told: Vec<Fetched>) -> Taken {
        backlog.take(answered_with(told), Instant::now())
    }

    /// Answers the first of a person's taps.
    fn answer(backlog: &mut Backlog, person: i64) -> i64 {
        let update = backlog.first(Lane::Taps(person)).expect("an update");
        backlog.answered(&update);
        update.id
    }

    #[test]
    fn the_offset_is_the_first_unanswered_update_and_what_is_done_behind_it_is_not_done_again() {
        let mut backlog = Backlog::default();
        assert_eq!((backlog.offset(), backlog.is_stuck()), (None, false));
        let told = || vec![tap(10, 1), tap(11, 2), tap(12, 1)];
        assert_eq!(take(&mut backlog, told()).begin, [Lane::Taps(1), Lane::Taps(2)]);
        assert_eq!(answer(&mut backlog, 2), 11);
        assert_eq!((backlog.offset(), backlog.is_stuck()), (Some(10), true));
        assert_eq!(take(&mut backlog, told()), Taken::default(), "nothing is begun twice");
        assert_eq!(backlog.first(Lane::Taps(2)), None);
        assert_eq!(answer(&mut backlog, 1), 10);
        assert!(!backlog.is_stuck() && backlog.is_open(12));
        assert_eq!(backlog.offset(), Some(12));
        assert_eq!(answer(&mut backlog, 1), 12);
        // It is told again by an answer that was asked for before.
        assert_eq!(take(&mut backlog, vec![tap(12, 1)]).begin, []);
        assert_eq!((backlog.offset(), backlog.known.len()), (Some(13), 0));
    }

    #[test]
    fn a_person_s_next_update_waits_for_the_one_before() {
        let mut backlog = Backlog::default();
        drop(take(&mut backlog, vec![tap(1, 1), tap(2, 1)]));
        let first = |backlog: &mut Backlog| backlog.first(Lane::Taps(1)).map(|update| update.id);
        assert_eq!((first(&mut backlog), first(&mut backlog)), (Some(1), Some(1)), "until it is answered");
        answer(&mut backlog, 1);
        assert_eq!(take(&mut backlog, vec![tap(2, 1), tap(3, 1)]).begin, [], "somebody is at work on the queue");
        assert_eq!((answer(&mut backlog, 1), answer(&mut backlog, 1)), (2, 3));
        assert_eq!(take(&mut backlog, vec![tap(4, 1)]).begin, [], "nor has anybody left it yet");
        assert_eq!(answer(&mut backlog, 1), 4);
        assert_eq!(first(&mut backlog), None);
        assert_eq!(take(&mut backlog, vec![tap(5, 1)]).begin, [Lane::Taps(1)]);
    }

    #[test]
    fn what_telegram_has_given_up_is_given_up() {
        let mut backlog = Backlog::default();
        drop(take(&mut backlog, vec![tap(1, 1), tap(2, 2), tap(3, 1)]));
        assert_eq!(
            take(&mut backlog, vec![tap(1, 1)]),
            Taken::default(),
            "an answer says nothing of what comes after it"
        );
        assert_eq!(take(&mut backlog, vec![tap(2, 2), tap(3, 1)]).given_up, 1);
        assert!(!backlog.is_open(1));
        assert_eq!((backlog.first(Lane::Taps(1)).map(|update| update.id), backlog.offset()), (Some(3), Some(2)));
        answer(&mut backlog, 2);
        assert_eq!(take(&mut backlog, vec![tap(4, 4)]).given_up, 1, "what is done is not given up");
        assert_eq!((backlog.first(Lane::Taps(1)), backlog.offset()), (None, Some(4)));
    }

    #[test]
    fn an_answer_that_says_nothing_of_an_update_gives_nothing_up_while_telegram_keeps_it() {
        let (mut backlog, begun) = (Backlog::default(), Instant::now());
        drop(backlog.take(answered_with(vec![tap(1, 1), tap(2, 2)]), begun));
        assert_eq!(backlog.take(Answer::default(), begun + KEPT), Taken::default(), "an empty one");
        let unread = Answer { told: vec![tap(2, 2)], unread: 1 };
        assert_eq!(backlog.take(unread, begun + KEPT * 2), Taken::default(), "what was not read may be the first one");
        assert!(backlog.is_open(1) && backlog.is_open(2));
        assert_eq!(backlog.offset(), Some(1), "it moves with what is answered");
        let late = backlog.take(answered_with(vec![tap(1, 1)]), begun + KEPT + Duration::from_secs(1));
        assert_eq!((late.given_up, backlog.is_open(1), backlog.is_open(2)), (1, true, false), "kept by nobody");
        answer(&mut backlog, 1);
        assert_eq!((backlog.first(Lane::Taps(1)), backlog.offset()), (None, Some(2)));
    }

    #[test]
    fn one_update_holds_everybody_up_when_telegram_tells_no_more_and_the_others_are_done() {
        let mut backlog = Backlog::default();
        drop(take(&mut backlog, (1..=99).map(|id| tap(id, id)).collect()));
        let done: Vec<i64> = (3..=99).map(|person| answer(&mut backlog, person)).collect();
        assert_eq!(done.len(), 97);
        assert!(!backlog.holds_everybody_up(&tap(1, 1), 0), "there is room for one more");
        drop(take(&mut backlog, (1..=100).map(|id| tap(id, id)).collect()));
        assert!(backlog.holds_everybody_up(&tap(1, 1), 0) && !backlog.holds_everybody_up(&tap(2, 2), 0));
        assert!(!backlog.holds_everybody_up(&tap(1, 1), backlog.answers()), "nobody was answered since");

        let mut nothing_done = Backlog::default();
        drop(take(&mut nothing_done, (1..=100).map(|id| tap(id, id)).collect()));
        assert!(!nothing_done.holds_everybody_up(&tap(1, 1), 0));
    }

    #[test]
    fn what_waits_behind_an_update_in_its_own_queue_is_held_up_by_it_too() {
        let mut backlog = Backlog::default();
        // The first one's person has sixty more behind it.
        let person = |id: i64| if id <= 61 { 1 } else { id };
        drop(take(&mut backlog, (1..=100).map(|id| tap(id, person(id))).collect()));
        for id in 62..=80 {
            answer(&mut backlog, id);
        }
        assert!(!backlog.holds_everybody_up(&tap(1, 1), 0), "more people wait than were answered");
        for id in 81..=100 {
            answer(&mut backlog, id);
        }
        assert!(backlog.holds_everybody_up(&tap(1, 1), 0));

        // Nobody else is in sight at last; somebody was answered, so it is not the database.
        let mut alone = Backlog::default();
        drop(take(&mut alone, vec![tap(1, 2)]));
        let before = alone.answers();
        answer(&mut alone, 2);
        assert_eq!(alone.offset(), Some(2));
        drop(take(&mut alone, (2..=101).map(|id| tap(id, 1)).collect()));
        assert!(alone.holds_everybody_up(&tap(2, 1), before));
        assert!(!alone.holds_everybody_up(&tap(2, 1), alone.answers()));
    }

    #[test]
    fn ids_may_begin_anew() {
        let mut backlog = Backlog::default();
        drop(take(&mut backlog, vec![tap(900, 1)]));
        answer(&mut backlog, 1);
        assert_eq!((backlog.first(Lane::Taps(1)), backlog.offset()), (None, Some(901)));
        assert_eq!(take(&mut backlog, vec![tap(5, 1)]).begin, [Lane::Taps(1)]);
        assert_eq!(backlog.offset(), Some(5));
        answer(&mut backlog, 1);
        assert_eq!(backlog.offset(), Some(6));
    }

    #[test]
    fn every_update_has_its_queue() {
        let lane = |json: &str| Fetched::read(json).map(|update| update.lane);
        assert_eq!(lane(r#"{"update_id":1,"message":{"chat":{"id":-5},"from":{"id":5}}}"#), Some(Lane::Chat(-5)));
        assert_eq!(lane(r#"{"update_id":1,"edited_message":{"chat":{"id":5}}}"#), Some(Lane::Chat(5)));
        assert_eq!(lane(r#"{"update_id":1,"poll":{"id":"5"}}"#), Some(Lane::Alone(1)));
        assert_eq!(lane(r#"{"update_id":1,"message":"\ud83d"}"#), Some(Lane::Alone(1)), "not understood, not lost");
        assert_eq!(lane(r#"{"message":{"chat":{"id":5}}}"#), None);
        let json = r#"{ "update_id":1, "message":{"chat":{"id":5},"text":"a\ud83d"}}"#;
        assert_eq!(Fetched::read(json).map(|update| update.body), Some(Bytes::from(json)), "byte by byte");
    }
}
