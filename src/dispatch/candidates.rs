//! Who could be given an order by hand: the same masters, in the same order and with the same reasons as the rounds see them.

use crate::model::candidates::{CandidateLine, Candidates};
use crate::model::selection::{Candidate, Exclusion, Pool, Search};
use crate::model::staff_order::StaffOrder;
use crate::model::{MasterId, OrderId, PAGE_SIZE, StaffRef};
use crate::store::{self, Store, rounds, staff_orders};

/// A page of an order's candidates; the last one if `page` is past the end. `None`: there is no such order in the cities of that
/// person.
///
/// # Errors
/// When the database failed.
pub async fn candidates(
    store: &Store,
    order: OrderId,
    staff: StaffRef,
    page: i64,
) -> Result<Option<Candidates>, store::Error> {
    let Some(found) = staff_orders::of(store, order, staff).await? else { return Ok(None) };
    let (pool, search) = read(store, &found).await?;
    let ranked = others(&pool, &search, &found);
    let size = usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
    let pages = ranked.len().div_ceil(size).max(1);
    let at = usize::try_from(page).unwrap_or(usize::MAX).clamp(1, pages);
    let fit = ranked.iter().filter(|(_, why_not)| why_not.is_none()).count();
    let total = ranked.len();
    let shown = ranked.into_iter().skip((at - 1) * size).take(size);
    let lines = lines(store, order, staff, shown).await?;
    Ok(Some(Candidates { order: found, total, fit, page: i64::try_from(at).unwrap_or(i64::MAX), lines }))
}

/// All of an order's candidates. `None`: there is no such order in the cities of that person.
///
/// # Errors
/// When the database failed.
pub async fn every(store: &Store, order: OrderId, staff: StaffRef) -> Result<Option<Vec<CandidateLine>>, store::Error> {
    let Some(found) = staff_orders::of(store, order, staff).await? else { return Ok(None) };
    let (pool, search) = read(store, &found).await?;
    lines(store, order, staff, others(&pool, &search, &found).into_iter()).await.map(Some)
}

/// One of an order's candidates, with the order. `None`: there is no such order in the cities of that person, or no such master
/// in its city.
///
/// # Errors
/// When the database failed.
pub async fn candidate(
    store: &Store,
    order: OrderId,
    staff: StaffRef,
    master: MasterId,
) -> Result<Option<(StaffOrder, CandidateLine)>, store::Error> {
    let Some(found) = staff_orders::of(store, order, staff).await? else { return Ok(None) };
    let (pool, search) = read(store, &found).await?;
    let only = pool.ranked(&search).into_iter().filter(|(candidate, _)| candidate.id == master);
    let line = lines(store, order, staff, only).await?.pop();
    Ok(line.map(|line| (found, line)))
}

async fn read(store: &Store, order: &StaffOrder) -> Result<(Pool, Search), store::Error> {
    let (sought, city) = (order.sought, [order.sought.city]);
    let (masters, asked) =
        tokio::try_join!(rounds::masters(store, &city), rounds::asked_for(store, order.id(), sought.goes_on))?;
    let search = Search {
        order: order.id(),
        city: sought.city,
        district: sought.district,
        category: sought.category,
        preferred: sought.preferred,
        preferred_first: true,
        asked,
    };
    Ok((Pool::new(masters), search))
}

/// All but the master who has the order.
fn others<'a>(pool: &'a Pool, search: &Search, order: &StaffOrder) -> Vec<(&'a Candidate, Option<Exclusion>)> {
    let owner = order.owner().map(|(owner, _)| owner);
    pool.ranked(search).into_iter().filter(|(candidate, _)| Some(candidate.id) != owner).collect()
}

async fn lines<'a>(
    store: &Store,
    order: OrderId,
    staff: StaffRef,
    shown: impl Iterator<Item = (&'a Candidate, Option<Exclusion>)>,
) -> Result<Vec<CandidateLine>, store::Error> {
    let shown: Vec<_> = shown.collect();
    let ids: Vec<MasterId> = shown.iter().map(|(candidate, _)| candidate.id).collect();
    let mut named = staff_orders::names(store, order, staff, &ids).await?;
    // Who has gone since is left out.
    let line = |(candidate, why_not): (&Candidate, Option<Exclusion>)| {
        let named = named.remove(&candidate.id)?;
        Some(CandidateLine {
            id: candidate.id,
            name: named.name,
            load: candidate.load,
            limit: candidate.limit,
            why_not,
            offer: named.offer,
            blocked_reason: named.blocked_reason,
        })
    };
    Ok(shown.into_iter().filter_map(line).collect())
}
