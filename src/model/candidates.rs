//! The masters who could be given an order by hand.

use super::selection::Exclusion;
use super::staff_order::StaffOrder;
use super::{MasterId, OfferState};

/// A page of masters, first those who would be asked next.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// The order.
    pub order: StaffOrder,
    /// How many masters there are on all pages.
    pub total: usize,
    /// How many of them can be asked.
    pub fit: usize,
    /// Which page this is, from 1; the last one if a later one was asked for.
    pub page: i64,
    /// The page's masters.
    pub lines: Vec<CandidateLine>,
}

impl Candidates {
    /// How many pages there are; 1 when there is nobody.
    #[must_use]
    pub fn pages(&self) -> i64 {
        super::offer::pages(i64::try_from(self.total).unwrap_or(i64::MAX))
    }
}

/// A master of that page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateLine {
    /// Who.
    pub id: MasterId,
    /// The full name.
    pub name: String,
    /// Active orders and live offers together.
    pub load: i64,
    /// How many of those there may be.
    pub limit: i64,
    /// Why the rounds would not ask the master; `None`: they would.
    pub why_not: Option<Exclusion>,
    /// The state of the master's last offer of this order.
    pub offer: Option<OfferState>,
    /// Why staff have blocked the master.
    pub blocked_reason: Option<String>,
}
