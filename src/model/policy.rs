//! What searches for masters go by, as `dispatch_policies` has it.

/// What a search goes by, from `dispatch_policies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `dispatch_policies.id`.
    pub id: i64,
    /// How long an offer lives.
    pub offer_ttl_seconds: i32,
    /// How long the preferred master is asked alone.
    pub preferred_ttl_seconds: i32,
    /// How many a round asks at once.
    pub masters_per_round: i32,
    /// After how many rounds the order is escalated; of a search that widens, after as many masters as those rounds ask.
    pub max_rounds: i32,
    /// How the search widens while offers are out; `None`: it goes in rounds.
    pub widening: Option<Widening>,
}

/// How a search asks more masters while the offers before are out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widening {
    /// How many are asked at once when nobody is being asked.
    pub first_masters: i32,
    /// How long until more are asked.
    pub every_seconds: i32,
    /// How many more.
    pub by: i32,
    /// How many offers of an order may live at once.
    pub max_live: i32,
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
