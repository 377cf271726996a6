//! An order as staff see it: all of it, how its search goes, and why.

use super::moment::Moment;
use super::order::{Client, OrderCard, OrderStatus};
use super::policy::Escalation;
use super::selection::Exclusion;
use super::staff::Version;
use super::why::Assignment;
use super::{Amount, Deadline, MasterId, OfferState, OrderId, StaffId};

/// How many offers, changes and rounds a card shows: the last ones.
pub const OFFERS_SHOWN: i64 = 8;
/// See [`OFFERS_SHOWN`].
pub const CHANGES_SHOWN: i64 = 8;
/// See [`OFFERS_SHOWN`].
pub const ROUNDS_SHOWN: i64 = 3;

/// All of an order.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffCard {
    /// What it says.
    pub order: OrderCard,
    /// The closed order whose work it repeats for free.
    pub guarantee_of: Option<OrderId>,
    /// Its client.
    pub client: Client,
    /// How far it is.
    pub status: OrderStatus,
    /// What actions on it must still find.
    pub seen: Version,
    /// When it was made.
    pub created: Moment,
    /// Who of the staff made it.
    pub created_by: Option<String>,
    /// What staff wrote for the master.
    pub comment: Option<String>,
    /// What the client paid, if it is closed.
    pub amount: Option<Amount>,
    /// Whose it is or was.
    pub master: Option<CardMaster>,
    /// Who is asked first.
    pub preferred: Option<CardPreferred>,
    /// Why staff were called, and when.
    pub escalated: Option<(Escalation, Moment)>,
    /// When its search began.
    pub search_started: Option<Moment>,
    /// How many rounds its search has had.
    pub rounds: i32,
    /// When it begins to look for a master, if it is deferred.
    pub deferred_until: Option<Moment>,
    /// Who of the staff sees to it.
    pub claimed: Option<Claim>,
    /// Whether an offer of it is live.
    pub is_offered: bool,
    /// Whether anybody was asked in the search that goes on.
    pub was_offered: bool,
    /// Whether it was closed or canceled less than a day ago.
    pub ended_lately: bool,
    /// Whether the reader may change anything.
    pub acts: bool,
    /// Its last offers, the newest first.
    pub offers: Vec<CardOffer>,
    /// How many offers there were before those.
    pub earlier_offers: i64,
    /// Its last changes, the newest first.
    pub changes: Vec<Change>,
    /// Whether there are earlier ones.
    pub earlier_changes: bool,
    /// The last rounds, the newest first.
    pub why: Vec<CardRound>,
}

/// A master named on a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardMaster {
    /// Which.
    pub id: MasterId,
    /// The name.
    pub name: String,
    /// The phone.
    pub phone: Option<String>,
    /// Whether the bot cannot write to the master.
    pub unreachable: bool,
}

/// The master who is asked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardPreferred {
    /// Which.
    pub id: MasterId,
    /// The name.
    pub name: String,
    /// Why the next wave would not ask this master; `None`: it would, or the order looks for nobody.
    pub not_asked: Option<NotFirst>,
}

/// Why who is to be asked first is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFirst {
    /// Was asked in this search.
    Asked,
    /// Had the order, without having been asked.
    Had,
    /// Works in another city.
    Elsewhere,
    /// Something that may pass.
    Kept(Exclusion),
}

/// Who of the staff sees to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub id: StaffId,
    /// The name.
    pub by: String,
    /// Whether that is the reader.
    pub yours: bool,
    /// Since when.
    pub since: Moment,
}

/// Whether an offer's card has reached its master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is on its way.
    Waiting,
    /// Telegram has taken it.
    Delivered,
    /// It never went out, and never will.
    Failed,
    /// It is not known any more.
    Unknown,
}

/// An offer on a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardOffer {
    /// To whom.
    pub master: String,
    /// In which round.
    pub round: i32,
    /// Its state.
    pub state: OfferState,
    /// Whether its card has reached the master.
    pub delivery: Delivery,
    /// When it was made.
    pub sent: Moment,
    /// When the master first opened it.
    pub viewed: Option<Moment>,
    /// When it ended.
    pub responded: Option<Moment>,
    /// Until when it can be accepted.
    pub expires: Deadline,
    /// Whether that has passed.
    pub overdue: bool,
    /// How the master had the order since, if the offer was not only recalled.
    pub had: Option<Assignment>,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Its status, or its master.
    Status {
        /// From; `None`: it was made.
        from: Option<OrderStatus>,
        /// To.
        to: OrderStatus,
    },
    /// Something else: the column.
    Field(String),
    /// The same, which holds nothing now.
    Emptied(String),
}

/// Who changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The system.
    System,
    /// A master.
    Master(String),
    /// Somebody of the staff.
    Staff(String),
}

/// A change of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Moment,
    /// What.
    pub what: What,
    /// By whom.
    pub who: Who,
    /// Why, in somebody's words.
    pub reason: Option<String>,
    /// The master that it was given to, by somebody else.
    pub given_to: Option<String>,
    /// What the client paid, if it was closed.
    pub amount: Option<Amount>,
    /// What a changed column held before.
    pub was: Option<String>,
}

/// Why these masters were asked, and others not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRound {
    /// Which round of its search.
    pub number: i32,
    /// When; of one that has asked nobody, since when nobody could be.
    pub at: Moment,
    /// Who was asked, best first.
    pub chosen: Vec<String>,
    /// Whether the first of them is the order's preferred master.
    pub preferred_first: bool,
    /// How many of the city's masters were not, by reason.
    pub excluded: Vec<(Exclusion, i64)>,
}
