//! Rounds: the orders that are due for one, the masters who could be asked, and what was decided.

use std::collections::HashSet;

use jiff::Timestamp;
use tokio_postgres::Row;

use super::{Connection, Error, Ready, Statement, Store, statement};
use crate::model::order::{Category, OrderStatus};
use crate::model::policy::{Due, Escalation, Planned, Policy};
use crate::model::selection::{Candidate, Pool, Search};
use crate::model::{MasterId, OrderId};

/// Locks orders that are due for a round, those that wait longest first, passing over what somebody is at work on.
pub(crate) const CLAIM: Statement = statement!("rounds.claim", [TIMESTAMPTZ, INT4], include_str!("rounds_claim.sql"));

/// Reads who was asked for orders, in a statement that begins after their locks.
pub(crate) const ASKED: Statement =
    statement!("rounds.asked", [INT8_ARRAY, TIMESTAMPTZ], include_str!("rounds_asked.sql"));

/// Whether an order is due.
const ANY_DUE: Statement = statement!(
    "rounds.any_due",
    [TIMESTAMPTZ],
    "SELECT FROM orders
     WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE') AND next_round_at <= coalesce($1, now()) /* now */
     LIMIT 1"
);

/// The masters, if an order is due for a round.
///
/// # Errors
/// When the database failed.
pub async fn pool_if_due(store: &Store) -> Result<Option<Pool>, Error> {
    const POOL: Statement = statement!("rounds.pool", [], include_str!("rounds_pool.sql"));
    store
        .run(async |connection: Connection| {
            if connection.fetch(&ANY_DUE, &[&store.now()]).await?.is_empty() {
                return Ok(None);
            }
            let masters = connection.fetch(&POOL, &[]).await?;
            Ok(Some(Pool::new(masters.iter().map(candidate).collect())))
        })
        .await
}

/// Puts rounds off, under the orders' locks.
pub(crate) const PUT_OFF: Statement = statement!(
    "rounds.put_off",
    [INT8_ARRAY, TIMESTAMPTZ_ARRAY],
    "UPDATE orders SET next_round_at = until
     FROM unnest($1::bigint[], $2::timestamptz[]) AS waits (id, until)
     WHERE orders.id = waits.id"
);

/// Writes what was decided about orders, under their locks.
pub(crate) const RECORD: Statement = statement!(
    "rounds.record",
    [
        TIMESTAMPTZ,
        INT8_ARRAY,
        INT4_ARRAY,
        TEXT_ARRAY,
        BOOL_ARRAY,
        INT8_ARRAY,
        INT4_ARRAY,
        TIMESTAMPTZ_ARRAY,
        TEXT_ARRAY,
        TEXT_ARRAY,
        TEXT_ARRAY,
        INT8_ARRAY,
        INT8_ARRAY,
        TIMESTAMPTZ_ARRAY
    ],
    include_str!("rounds_record.sql")
);

/// Orders that are due, locked.
pub(crate) struct Claimed {
    /// The searches do not know yet who was asked.
    pub(crate) due: Vec<Due>,
    /// What a later release has put there.
    pub(crate) unknown: Vec<OrderId>,
}

/// Runs [`CLAIM`].
pub(crate) async fn claim(
    connection: &Connection,
    statement: &Ready,
    now: Option<Timestamp>,
    at_most: i32,
) -> Result<Claimed, Error> {
    let mut claimed = Claimed { due: Vec::new(), unknown: Vec::new() };
    for row in &connection.query(statement, &[&now, &at_most]).await? {
        match due(row) {
            Ok(due) => claimed.due.push(due),
            Err(error) => {
                let order = OrderId(row.get("id"));
                tracing::error!(%error, "order={order} is not dispatched");
                claimed.unknown.push(order);
            }
        }
    }
    Ok(claimed)
}

fn due(row: &Row) -> Result<Due, Error> {
    let (status, category) = (row.get("status"), row.get("category"));
    Ok(Due {
        search: Search {
            order: OrderId(row.get("id")),
            city: row.get("city_id"),
            district: row.get("district_id"),
            category: parse_category(category)?,
            preferred: row.get::<_, Option<i64>>("preferred_master_id").map(MasterId),
            asked: HashSet::new(),
        },
        status: OrderStatus::parse(status)
            .ok_or_else(|| Error::Unknown { what: "order status", value: String::from(status) })?,
        version: row.get("version"),
        goes_on: row.get("goes_on"),
        round: row.get("last_round"),
        escalated: row.get("escalated"),
        live_until: None,
        policy: Policy {
            id: row.get("policy_id"),
            offer_ttl_seconds: row.get("offer_ttl_seconds"),
            preferred_ttl_seconds: row.get("preferred_ttl_seconds"),
            masters_per_round: row.get("masters_per_round"),
            max_rounds: row.get("max_rounds"),
        },
        now: row.get("now"),
    })
}

fn parse_category(word: &str) -> Result<Category, Error> {
    Category::parse(word).ok_or_else(|| Error::Unknown { what: "category", value: word.to_owned() })
}

/// Runs [`ASKED`], and tells each search whom it has asked.
pub(crate) async fn read_asked(
    connection: &Connection,
    statement: &Ready,
    due: &mut [Due],
    now: Option<Timestamp>,
) -> Result<(), Error> {
    let orders: Vec<i64> = due.iter().map(|due| due.search.order.0).collect();
    for row in connection.query(statement, &[&orders, &now]).await? {
        let order = OrderId(row.get("order_id"));
        let Some(due) = due.iter_mut().find(|due| due.search.order == order) else { continue };
        let masters = |column| row.get::<_, Vec<i64>>(column).into_iter().map(MasterId);
        due.search.asked = masters("never").collect();
        if due.goes_on {
            due.search.asked.extend(masters("asked"));
        }
        due.live_until = row.get("live_until");
    }
    Ok(())
}

/// Runs [`PUT_OFF`].
pub(crate) async fn put_off(
    connection: &Connection,
    statement: &Ready,
    waits: &[(OrderId, Timestamp)],
) -> Result<(), Error> {
    if waits.is_empty() {
        return Ok(());
    }
    let orders: Vec<i64> = waits.iter().map(|(order, _)| order.0).collect();
    let until: Vec<Timestamp> = waits.iter().map(|(_, until)| *until).collect();
    connection.query(statement, &[&orders, &until]).await.map(drop)
}

fn candidate(row: &Row) -> Candidate {
    Candidate {
        id: MasterId(row.get("id")),
        city: row.get("city_id"),
        districts: row.get("districts"),
        // A trade of a later release is none of this one's orders'.
        categories: row.get::<_, Vec<&str>>("categories").into_iter().filter_map(Category::parse).collect(),
        on_shift: row.get("on_shift"),
        blocked: row.get("is_blocked"),
        unreachable: row.get("unreachable"),
        rating: row.get("rating"),
        load: row.get("load"),
        limit: row.get::<_, i32>("max_active_orders").into(),
        last_asked: row.get("last_asked"),
    }
}

/// Runs [`RECORD`]; how many offers were made.
pub(crate) async fn record(
    connection: &Connection,
    statement: &Ready,
    planned: &[Planned],
    now: Option<Timestamp>,
) -> Result<usize, Error> {
    macro_rules! each {
        ($value:expr) => {
            planned.iter().map($value).collect::<Vec<_>>()
        };
    }
    let offers = || planned.iter().flat_map(|plan| plan.round.chosen.iter().map(move |master| (plan, master)));
    let chosen = |plan: &Planned| {
        serde_json::json!(plan.round.chosen.iter().map(|master| master.0).collect::<Vec<_>>()).to_string()
    };
    let excluded = |plan: &Planned| {
        let words = plan.round.excluded.iter().map(|(reason, count)| (reason.as_str(), *count));
        serde_json::json!(words.collect::<std::collections::BTreeMap<_, _>>()).to_string()
    };
    let rows = connection
        .query(
            statement,
            &[
                &now,
                &each!(|plan| plan.due.search.order.0),
                &each!(|plan| plan.due.version),
                &each!(|plan| plan.due.status.as_str()),
                &each!(|plan| plan.due.goes_on),
                &each!(|plan| plan.due.policy.id),
                &each!(|plan| plan.due.round + 1),
                &each!(|plan| plan.next_round),
                &each!(|plan| plan.escalation.map(Escalation::as_str)),
                &each!(chosen),
                &each!(excluded),
                &offers().map(|(plan, _)| plan.due.search.order.0).collect::<Vec<_>>(),
                &offers().map(|(_, master)| master.0).collect::<Vec<_>>(),
                &offers().map(|(plan, _)| plan.next_round).collect::<Vec<_>>(),
            ],
        )
        .await?;
    Ok(rows.len())
}
