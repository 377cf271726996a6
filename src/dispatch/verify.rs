//! Verifies the history of all orders: every seal is computed anew, every chain followed, every day's root compared.
//!
//! Orders are read in batches, each as of one moment, so that work goes on meanwhile and memory does not grow.

use crate::model::OrderId;
use crate::model::history::{Covered, Digest, Finding, Judged, Root, RootWrong};
use crate::store::{self, Store, history};

/// How many findings are named one by one.
pub const NAMED: usize = 20;

/// How far it is, and what it came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many orders have been read.
    Orders(u64),
    /// So many rows of the days' roots have been read.
    Seals(u64),
    /// A reason or a sum was corrected; who asks may look at it.
    Corrected {
        /// Of this order.
        order: OrderId,
        /// In this row.
        row: i64,
    },
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// How many orders there are.
    pub orders: u64,
    /// How many changes they have had.
    pub changes: u64,
    /// How many of them are yet to be sealed, as they are from before changes were.
    pub unsealed: u64,
    /// How many reasons and sums their masters have corrected.
    pub corrected: u64,
    /// How many orders do not fit.
    pub wrong: u64,
    /// The first thing that does not fit in each of the first of them.
    pub findings: Vec<Finding>,
    /// Whether the roots are gone, or have begun anew since: every database begins with one that is to be made.
    pub roots_are_gone: bool,
    /// The roots, oldest first, each with what was found.
    pub roots: Vec<(Root, Result<Covered, RootWrong>)>,
}

impl Report {
    /// Whether everything fits.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.wrong == 0 && !self.roots_are_gone && self.roots.iter().all(|(_, judged)| judged.is_ok())
    }
}

/// Verifies everything; `progress` is told how far it is.
///
/// # Errors
/// When the database failed.
pub async fn verify(store: &Store, mut progress: impl FnMut(Progress)) -> Result<Report, store::Error> {
    let roots = history::roots(store).await?;
    let mut report = Report { roots_are_gone: roots.gone, ..Report::default() };
    let mut last = OrderId(i64::MIN);
    loop {
        let orders = history::after(store, last).await?;
        let Some(end) = orders.last() else { break };
        last = end.order;
        for order in &orders {
            let Judged { finding, unsealed, corrected } = order.judge(roots.sealing);
            report.orders += 1;
            report.changes += order.changes.len() as u64;
            report.unsealed += unsealed;
            report.corrected += corrected.len() as u64;
            for row in corrected {
                progress(Progress::Corrected { order: order.order, row });
            }
            report.wrong += u64::from(finding.is_some());
            report.findings.extend(finding.filter(|_| report.findings.len() < NAMED));
        }
        progress(Progress::Orders(report.orders));
    }
    verify_roots(store, roots.made, &mut report, &mut progress).await?;
    Ok(report)
}

async fn verify_roots(
    store: &Store,
    roots: Vec<Root>,
    report: &mut Report,
    progress: &mut impl FnMut(Progress),
) -> Result<(), store::Error> {
    let (mut after, mut read) = (0, 0);
    for root in roots {
        let (mut digest, mut purged) = (Digest::default(), 0);
        loop {
            let seals = history::seals(store, after, root.up_to).await?;
            let Some(end) = seals.last() else { break };
            after = end.row;
            read += seals.len() as u64;
            for sealed in &seals {
                digest.add(sealed.row, sealed.seal.as_deref());
                purged += i64::from(sealed.is_purged);
            }
            progress(Progress::Seals(read));
        }
        after = after.max(root.up_to);
        let judged = root.judge(report.roots.last().map(|(previous, _)| previous), digest.finish(), purged);
        report.roots.push((root, judged));
    }
    Ok(())
}
