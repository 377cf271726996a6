//! How a search for a master goes on: its policy, the order that is due, and the pure decision about its next round.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::MasterId;
use super::order::OrderStatus;
use super::selection::{Pool, Round, Search};

/// Orders per transaction: few enough that it commits within about 100 ms, since a tap on one of them has to look
/// again meanwhile.
pub const BATCH: i32 = 200;

/// When to look again for somebody to ask, if there is nobody.
pub const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// When to choose again, if all who could be asked are held by somebody else: another tick, which is done within a second.
pub const CHOOSE_AGAIN: SignedDuration = SignedDuration::from_millis(500);

/// What a search goes by, from `dispatch_policies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `dispatch_policies.id`.
    pub id: i64,
    /// How long an offer lives.
    pub offer_ttl_seconds: i32,
    /// How long the preferred master is asked alone.
    pub preferred_ttl_seconds: i32,
    /// How many are asked at once.
    pub masters_per_round: i32,
    /// After how many rounds the order is escalated.
    pub max_rounds: i32,
}

/// An order that is due, locked.
#[derive(Clone, Debug)]
pub struct Due {
    /// What is looked for.
    pub search: Search,
    /// Its status.
    pub status: OrderStatus,
    /// Its version.
    pub version: i32,
    /// Whether the search has begun; else it begins now.
    pub goes_on: bool,
    /// The last round.
    pub round: i32,
    /// Whether it was escalated.
    pub escalated: bool,
    /// The last deadline of offers that still live.
    pub live_until: Option<Timestamp>,
    /// The policy.
    pub policy: Policy,
    /// The moment of the look.
    pub now: Timestamp,
}

/// Why an order needs a dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escalation {
    /// There is nobody whom it was not offered to.
    NobodyLeft,
    /// As many rounds as the policy allows have ended.
    Rounds,
    /// The search has taken as long as the policy allows.
    Time,
}

impl Escalation {
    /// The word in `orders.escalation_reason`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NobodyLeft => "NOBODY_LEFT",
            Self::Rounds => "ROUNDS",
            Self::Time => "TIME",
        }
    }

    /// The reason of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::NobodyLeft, Self::Rounds, Self::Time].into_iter().find(|reason| reason.as_str() == word)
    }
}

/// What happens to an order that is due.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The order.
    pub due: Due,
    /// Who is asked.
    pub round: Round,
    /// The deadline of the offers, or when to look again.
    pub next_round: Timestamp,
    /// Whether the order is escalated, and why.
    pub escalation: Option<Escalation>,
}

/// A moment after that one, or the last that there is.
#[must_use]
pub fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Decides about an order without live offers: who is asked next, and whether the order is escalated.
#[must_use]
pub fn plan(due: Due, pool: &mut Pool) -> Planned {
    let policy = due.policy;
    let count = usize::try_from(policy.masters_per_round).unwrap_or_default();
    let round = pool.choose(&due.search, count, due.now);
    let wait = if round.awaits {
        CHOOSE_AGAIN
    } else if round.chosen.is_empty() {
        LOOK_AGAIN
    } else if round.preferred {
        SignedDuration::from_secs(policy.preferred_ttl_seconds.into())
    } else {
        SignedDuration::from_secs(policy.offer_ttl_seconds.into())
    };
    let escalation = if due.escalated {
        None
    } else if due.round >= policy.max_rounds {
        Some(Escalation::Rounds)
    } else {
        (round.chosen.is_empty() && !round.awaits).then_some(Escalation::NobodyLeft)
    };
    let next_round = later(due.now, wait);
    Planned { due, round, next_round, escalation }
}

/// How often each master is asked by these rounds.
#[must_use]
pub fn asked(planned: &[Planned]) -> HashMap<MasterId, i64> {
    let mut asked = HashMap::new();
    for master in planned.iter().flat_map(|plan| &plan.round.chosen) {
        *asked.entry(*master).or_default() += 1;
    }
    asked
}
