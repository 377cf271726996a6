//! A day that was, read to be played again: nothing is written. Each statement is about one city and has an index, so that it ends
//! within the server's time for a statement; what it may return is bounded.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Row;

use super::master_past::{self, CHANGES, MASTERS};
use super::{Connection, Error, LARGE_WORK, Statement, Store, column, facts, statement, with_orders_not_over};
use crate::model::past::{
    Answered, Ended, Past, PastAnswer, PastChange, PastEnd, PastOffer, PastOrder, PastPolicy, Policies,
    at_the_beginning, had_no_limit,
};
use crate::model::selection::Candidate;
use crate::model::{CityId, MasterId, OfferState, OrderId};

/// Orders of a city that are read at most: some days of the largest one.
pub const MOST_ORDERS: usize = 20_000;
/// How far back masters' answers are read.
const ANSWERS_SINCE: SignedDuration = SignedDuration::from_hours(28 * 24);
/// How many of each master.
const ANSWERS_OF_A_MASTER: i64 = 200;
/// Orders whose offers are read at once.
const OFFERS_AT_ONCE: usize = 1000;

const POLICIES: Statement = statement!(
    "past.policies",
    [TIMESTAMPTZ, TIMESTAMPTZ],
    "SELECT id, created_at, offer_ttl_seconds, preferred_ttl_seconds, masters_per_round, max_rounds, first_masters,
            widen_every_seconds, widen_by, max_live_offers, escalate_after_seconds, max_active_orders
     FROM dispatch_policies
     -- From the newest of the beginning on; if there was none then, from the one that there was first.
     WHERE id >= coalesce((SELECT max(id) FROM dispatch_policies WHERE created_at <= $1 /* from */),
                          (SELECT min(id) FROM dispatch_policies))
       AND (created_at < $2 /* until */ OR id = (SELECT min(id) FROM dispatch_policies))
     ORDER BY id"
);
const ORDERS: Statement =
    statement!("past.orders", [INT8, TIMESTAMPTZ, TIMESTAMPTZ, INT8], include_str!("past/orders.sql"));
// By itself and not order by order: no index leads from an order to its lost taps.
const LOST_TAPS: Statement = statement!(
    "past.lost_taps",
    [INT8, TIMESTAMPTZ, TIMESTAMPTZ],
    "SELECT order_id, count(*) AS taps
     FROM lost_taps
     WHERE city_id = $1 /* city */ AND tapped_at >= $2 /* from */ AND tapped_at < $3 /* until */ + interval '1 hour'
     GROUP BY order_id"
);
const OFFERS: Statement = statement!(
    "past.offers",
    [INT8_ARRAY, TIMESTAMPTZ_ARRAY, TIMESTAMPTZ_ARRAY, TIMESTAMPTZ],
    include_str!("past/offers.sql")
);
const ANSWERS: Statement =
    statement!("past.answers", [INT8, TIMESTAMPTZ, TIMESTAMPTZ, INT8], include_str!("past/answers.sql"));
const CARRIED: Statement =
    statement!("past.carried", [INT8, TIMESTAMPTZ], with_orders_not_over!(include_str!("past/carried.sql")));
/// Every city, by name.
///
/// # Errors
/// When the database failed.
pub async fn cities(store: &Store) -> Result<Vec<(CityId, String)>, Error> {
    const CITIES: Statement = statement!("past.cities", [], "SELECT id, name FROM cities ORDER BY name, id");
    let rows = store.run(async |connection: Connection| connection.fetch(&CITIES, &[]).await).await?;
    each(&rows, |row| Ok((CityId(column(row, "id")?), column(row, "name")?)))
}

/// Reads what happened in a city between two moments. Who has moved to another city since is not among its masters.
///
/// # Errors
/// When the database failed.
pub async fn read(store: &Store, city: CityId, from: Timestamp, until: Timestamp) -> Result<Past, Error> {
    store
        .run_within(LARGE_WORK, async |connection: Connection| {
            let connection = &connection;
            let policies = policies(connection, from, until).await?;
            let most = i64::try_from(MOST_ORDERS).unwrap_or(i64::MAX);
            let orders = connection.fetch(&ORDERS, &[&city.0, &from, &until, &most]).await?;
            let lost = lost_taps(&connection.fetch(&LOST_TAPS, &[&city.0, &from, &until]).await?)?;
            let orders = each(&orders, |row| order(row, city, &lost))?;
            let limit = policies.of_most(orders.iter().map(|order| order.began_at)).0.max_active_orders;
            let mut offers = Vec::new();
            for some in orders.chunks(OFFERS_AT_ONCE) {
                offers.extend(read_offers(connection, some, until).await?);
            }
            let since = from.saturating_sub(ANSWERS_SINCE).unwrap_or(from);
            let answers = connection.fetch(&ANSWERS, &[&city.0, &since, &until, &ANSWERS_OF_A_MASTER]).await?;
            let [masters, changes] = connection.ready([&MASTERS, &CHANGES]).await?;
            let read = master_past::read(connection, [&masters, &changes], city.0, [from, until], None);
            let mut known = connection.alone(read).await?;
            known.retain(|master| master.today.city == city.0);
            let mut masters = known.iter().map(|master| at_the_beginning(master, limit)).collect::<Vec<_>>();
            let without_limit = known.iter().filter(|master| had_no_limit(master)).map(|master| master.today.id);
            let without_limit = without_limit.collect();
            let mut changes = known.iter().flat_map(PastChange::of).collect::<Vec<_>>();
            changes.retain(|change| change.at < until);
            changes.sort_by_key(|change| change.at);
            let carried = connection.fetch(&CARRIED, &[&city.0, &from]).await?;
            let finished = carry(&carried, &mut masters)?;
            Ok(Past {
                from,
                until,
                policies,
                masters,
                without_limit,
                changes,
                orders,
                offers,
                answers: each(&answers, answer)?,
                finished,
            })
        })
        .await
}

fn each<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    rows.iter().map(read).collect()
}

async fn policies(connection: &Connection, from: Timestamp, until: Timestamp) -> Result<Policies, Error> {
    let rows = connection.fetch(&POLICIES, &[&from, &until]).await?;
    let mut policies = each(&rows, policy)?.into_iter();
    let first = policies.next().ok_or_else(|| Error::Unknown { what: "policy", value: "none".to_owned() })?;
    Ok(Policies { first, later: policies.collect() })
}

fn policy(row: &Row) -> Result<PastPolicy, Error> {
    Ok(PastPolicy {
        made_at: column(row, "created_at")?,
        policy: super::rounds::policy(row, "id")?,
        escalate_after_seconds: column(row, "escalate_after_seconds")?,
        max_active_orders: column::<i32>(row, "max_active_orders")?.into(),
    })
}

/// How many taps came too late, by orders.
fn lost_taps(rows: &[Row]) -> Result<HashMap<i64, u32>, Error> {
    let count = |row: &Row| {
        let taps: i64 = column(row, "taps")?;
        Ok((column(row, "order_id")?, u32::try_from(taps).unwrap_or(u32::MAX)))
    };
    rows.iter().map(count).collect()
}

fn order(row: &Row, city: CityId, lost_taps: &HashMap<i64, u32>) -> Result<PastOrder, Error> {
    let id: i64 = column(row, "id")?;
    let found: Option<i64> = column(row, "found_master_id")?;
    let how = match (found, column(row, "by_hand")?) {
        (None, _) => Ended::Otherwise,
        (Some(master), true) => Ended::Given(MasterId(master)),
        (Some(master), false) => Ended::Accepted(MasterId(master)),
    };
    let ended: Option<Timestamp> = column(row, "ended_at")?;
    Ok(PastOrder {
        id: OrderId(id),
        city: city.0,
        district: column(row, "district_id")?,
        category: facts::category(row)?,
        preferred: column::<Option<i64>>(row, "preferred_master_id")?.map(MasterId),
        began_at: column(row, "began_at")?,
        ended: ended.map(|at| PastEnd { at, how }),
        work: column::<Option<f64>>(row, "work_seconds")?.map(seconds),
        escalated: column(row, "was_escalated")?,
        lost_taps: lost_taps.get(&id).copied().unwrap_or_default(),
    })
}

fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(seconds).unwrap_or_default()
}

async fn read_offers(connection: &Connection, orders: &[PastOrder], until: Timestamp) -> Result<Vec<PastOffer>, Error> {
    let ids: Vec<i64> = orders.iter().map(|order| order.id.0).collect();
    let began: Vec<Timestamp> = orders.iter().map(|order| order.began_at).collect();
    let ended: Vec<Timestamp> = orders.iter().map(|order| order.ended.map_or(until, |ended| ended.at)).collect();
    let rows = connection.fetch(&OFFERS, &[&ids, &began, &ended, &until]).await?;
    each(&rows, |row| Ok(PastOffer { order: OrderId(column(row, "order_id")?), answer: answer(row)? }))
}

fn answer(row: &Row) -> Result<PastAnswer, Error> {
    // What a later release calls otherwise says nothing of its master.
    let state = OfferState::parse(column(row, "state")?).unwrap_or(OfferState::Canceled);
    Ok(PastAnswer {
        master: MasterId(column(row, "master_id")?),
        after: seconds(column(row, "seconds")?),
        answered: Answered::of(state, column(row, "took")?),
    })
}

/// Enters the orders that masters had; when each was over.
fn carry(rows: &[Row], masters: &mut [Candidate]) -> Result<Vec<(MasterId, Timestamp)>, Error> {
    let mut finished = Vec::new();
    for row in rows {
        let id = MasterId(column(row, "master_id")?);
        if let Some(master) = masters.iter_mut().find(|master| master.id == id) {
            master.load += 1;
            finished.extend(column::<Option<Timestamp>>(row, "released_at")?.map(|at| (id, at)));
        }
    }
    Ok(finished)
}
