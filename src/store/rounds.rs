//! Rounds: the orders that are due for one, the masters who could be asked, and what was decided.

use std::collections::HashSet;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, Store, column, facts, statement};
use crate::model::due::{BATCH, Due};
use crate::model::plan::Planned;
use crate::model::policy::{Escalation, Policy, Widening};
use crate::model::selection::{Candidate, Place, Search};
use crate::model::{Category, MasterId, OfferId, OrderId};

/// Locks those of the orders that are due for a round, passing over what somebody is at work on.
pub(crate) const CLAIM: Statement =
    statement!("rounds.claim", [TIMESTAMPTZ, INT8_ARRAY], include_str!("rounds/claim.sql"));

/// The text of a statement that reads `unreached`: the offers of the orders $1 that have never reached their masters, because
/// Telegram was away or others were before them. What is leased may have been sent.
macro_rules! with_unreached {
    ($orders:literal, $($text:tt)+) => {
        concat!(
            "WITH unreached AS (
                 SELECT offers.id FROM offers
                 WHERE offers.order_id = ", $orders, " AND offers.state = 'EXPIRED' AND offers.viewed_at IS NULL AND EXISTS (
                     SELECT FROM outbox
                     WHERE outbox.offer_id = offers.id AND kind = 'OFFER' AND outbox.message_id IS NULL
                       AND (dropped_because = 'OVERTAKEN' OR finished_at IS NULL AND lease IS NULL))
                   -- A change of the order is a second message about the offer.
                   AND NOT EXISTS (
                       SELECT FROM outbox
                       WHERE outbox.offer_id = offers.id AND kind = 'OFFER' AND CASE
                           WHEN finished_at IS NULL THEN lease IS NOT NULL
                           ELSE dropped_because IS NULL
                       END)
             ) ",
            $($text)+
        )
    };
}
pub(in crate::store) use with_unreached;

/// Reads who was asked for orders, in a statement that begins after their locks.
pub(crate) const ASKED: Statement = statement!(
    "rounds.asked",
    [INT8_ARRAY, TIMESTAMPTZ],
    with_unreached!("ANY ($1)", include_str!("rounds/asked.sql"))
);

/// Locks masters' places, passing over those that somebody else is giving away: whoever makes offers in rounds holds the
/// master's row of `master_activity`, and counts in a statement that begins after that.
pub(crate) const HOLD: Statement = statement!("rounds.hold", [INT8_ARRAY], include_str!("rounds/hold.sql"));

/// Reads what room masters have.
pub(crate) const PLACES: Statement = statement!("rounds.places", [INT8_ARRAY], include_str!("rounds/places.sql"));

/// Finds orders that are due for a round, those that wait longest first, with their cities; at most [`BATCH`], and none of
/// `except`.
///
/// # Errors
/// When the database failed.
pub async fn due(store: &Store, except: &[i64]) -> Result<Vec<(OrderId, i64)>, Error> {
    const DUE: Statement = statement!(
        "rounds.due",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT id, city_id FROM orders
         WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE') AND next_round_at <= coalesce($1, now()) /* now */
           AND id <> ALL ($3) /* except */
         ORDER BY next_round_at, id
         LIMIT $2 /* at most */"
    );
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&DUE, &[&store.now(), &BATCH, &except]).await?;
            rows.iter().map(|row| Ok((OrderId(column(row, "id")?), column(row, "city_id")?))).collect()
        })
        .await
}

/// The city of an order that is due for a round; `None`: it is not due.
///
/// # Errors
/// When the database failed.
pub async fn city_if_due(store: &Store, order: OrderId) -> Result<Option<i64>, Error> {
    const CITY: Statement = statement!(
        "rounds.city_if_due",
        [INT8, TIMESTAMPTZ],
        "SELECT city_id FROM orders
         WHERE id = $1 /* order */ AND status IN ('CREATED', 'SEARCHING', 'GUARANTEE')
           AND next_round_at <= coalesce($2, now()) /* now */"
    );
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&CITY, &[&order.0, &store.now()]).await?;
            rows.first().map(|row| column(row, "city_id")).transpose()
        })
        .await
}

/// Reads the masters of cities. One that cannot be read is left out.
///
/// # Errors
/// When the database failed.
pub async fn masters(store: &Store, cities: &[i64]) -> Result<Vec<Candidate>, Error> {
    const POOL: Statement = statement!("rounds.pool", [INT8_ARRAY], include_str!("rounds/pool.sql"));
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&POOL, &[&cities]).await?;
            Ok(readable(&rows, candidate, "a master is left out of the rounds"))
        })
        .await
}

/// What could be read; a row that could not be is logged and left out.
fn readable<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, Error>, what: &'static str) -> Vec<T> {
    rows.iter().filter_map(|row| read(row).inspect_err(|error| tracing::error!(%error, "{what}")).ok()).collect()
}

/// Puts an order's round off that could not be decided; unless somebody is at work on it.
///
/// # Errors
/// When the database failed.
pub async fn set_aside(store: &Store, order: OrderId, until: Timestamp) -> Result<(), Error> {
    const SET_ASIDE: Statement = statement!(
        "rounds.set_aside",
        [INT8, TIMESTAMPTZ],
        "UPDATE orders SET next_round_at = $2 /* until */
         WHERE id = (SELECT id FROM orders WHERE id = $1 /* order */ FOR UPDATE SKIP LOCKED)"
    );
    store.run(async |connection: Connection| connection.fetch(&SET_ASIDE, &[&order.0, &until]).await.map(drop)).await
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
        TIMESTAMPTZ_ARRAY,
        INT8_ARRAY,
        TEXT_ARRAY,
        TEXT_ARRAY,
        TEXT_ARRAY,
        INT8_ARRAY,
        INT8_ARRAY,
        TIMESTAMPTZ_ARRAY,
        INT8_ARRAY,
        INT4_ARRAY
    ],
    include_str!("rounds/record.sql")
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
    orders: &[OrderId],
) -> Result<Claimed, Error> {
    let mut claimed = Claimed { due: Vec::new(), unknown: Vec::new() };
    let orders: Vec<i64> = orders.iter().map(|order| order.0).collect();
    for row in &connection.query(statement, &[&now, &orders]).await? {
        match parse(row) {
            Ok(due) => claimed.due.push(due),
            Err(error) => {
                let order = OrderId(column(row, "id")?);
                tracing::error!(%error, "order={order} is not dispatched");
                claimed.unknown.push(order);
            }
        }
    }
    Ok(claimed)
}

fn parse(row: &Row) -> Result<Due, Error> {
    Ok(Due {
        search: Search {
            order: OrderId(column(row, "id")?),
            city: column(row, "city_id")?,
            district: column(row, "district_id")?,
            category: facts::category(row)?,
            preferred: column::<Option<i64>>(row, "preferred_master_id")?.map(MasterId),
            preferred_first: column(row, "preferred_first")?,
            asked: HashSet::new(),
        },
        status: facts::status(row)?,
        version: column(row, "version")?,
        goes_on: column(row, "goes_on")?,
        round: column(row, "last_round")?,
        escalated: column(row, "escalated")?,
        live_until: None,
        live: 0,
        vacated: Vec::new(),
        widens_at: column(row, "widens_at")?,
        policy: policy(row, "policy_id")?,
        now: column(row, "now")?,
    })
}

/// The policy of a row, whose number is in the column `id`.
pub(super) fn policy(row: &Row, id: &'static str) -> Result<Policy, Error> {
    Ok(Policy {
        id: column(row, id)?,
        offer_ttl_seconds: column(row, "offer_ttl_seconds")?,
        preferred_ttl_seconds: column(row, "preferred_ttl_seconds")?,
        masters_per_round: column(row, "masters_per_round")?,
        max_rounds: column(row, "max_rounds")?,
        widening: widening(row)?,
    })
}

fn widening(row: &Row) -> Result<Option<Widening>, Error> {
    let widening = Widening {
        first_masters: column(row, "first_masters")?,
        every_seconds: column(row, "widen_every_seconds")?,
        by: column(row, "widen_by")?,
        max_live: column(row, "max_live_offers")?,
    };
    Ok((widening.every_seconds > 0).then_some(widening))
}

/// Who was asked for an order.
pub(crate) struct AlreadyAsked {
    pub(crate) order: OrderId,
    /// In this search or one before.
    earlier: Vec<MasterId>,
    /// Not to be asked (again) whatever search it is.
    never: Vec<MasterId>,
    live_until: Option<Timestamp>,
    live: i32,
    vacated: Vec<OfferId>,
}

impl AlreadyAsked {
    /// Enters into the search of the order whom it has asked.
    pub(crate) fn apply_to(self, due: &mut Due) {
        due.search.asked = self.never.into_iter().collect();
        if due.goes_on {
            due.search.asked.extend(self.earlier);
            due.vacated = self.vacated;
        }
        due.live_until = self.live_until;
        due.live = self.live;
    }
}

/// Runs [`ASKED`]; an order that is missing could not be read.
pub(crate) async fn read_asked(
    connection: &Connection,
    statement: &Ready,
    orders: &[OrderId],
    now: Option<Timestamp>,
) -> Result<Vec<AlreadyAsked>, Error> {
    let orders: Vec<i64> = orders.iter().map(|order| order.0).collect();
    let rows = connection.query(statement, &[&orders, &now]).await?;
    let asked = |row: &Row| {
        Ok(AlreadyAsked {
            order: OrderId(column(row, "order_id")?),
            earlier: masters_of(row, "asked")?,
            never: masters_of(row, "never")?,
            live_until: column(row, "live_until")?,
            live: column(row, "live")?,
            vacated: column::<Vec<i64>>(row, "vacated")?.into_iter().map(OfferId).collect(),
        })
    };
    Ok(readable(&rows, asked, "an order is not dispatched"))
}

/// Who was asked for an order and is not asked again; of this search only if it `goes_on`.
///
/// # Errors
/// When the database failed.
pub async fn asked_for(store: &Store, order: OrderId, goes_on: bool) -> Result<HashSet<MasterId>, Error> {
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&ASKED]).await?;
            let orders = [order];
            let read = read_asked(&connection, &statement, &orders, store.now());
            let asked = connection.alone(read).await?.pop();
            Ok(asked.map_or_else(HashSet::new, |AlreadyAsked { earlier, never, .. }| {
                never.into_iter().chain(earlier.into_iter().filter(|_| goes_on)).collect()
            }))
        })
        .await
}

fn masters_of(row: &Row, name: &'static str) -> Result<Vec<MasterId>, Error> {
    Ok(column::<Vec<i64>>(row, name)?.into_iter().map(MasterId).collect())
}

/// Runs [`HOLD`] and [`PLACES`] in one trip: the places of those masters that are held now.
pub(crate) async fn hold(
    connection: &Connection,
    [lock, read]: [&Ready; 2],
    masters: &[MasterId],
) -> Result<Vec<Place>, Error> {
    let masters: Vec<i64> = masters.iter().map(|master| master.0).collect();
    let params: [&(dyn ToSql + Sync); 1] = [&masters];
    let (locked, rows) = tokio::join!(connection.query(lock, &params), connection.query(read, &params));
    let locked =
        locked?.iter().map(|row| Ok(MasterId(column(row, "master_id")?))).collect::<Result<HashSet<_>, Error>>()?;
    let mut places = readable(&rows?, place, "a master is left out of a round");
    places.retain(|place| locked.contains(&place.master));
    Ok(places)
}

fn place(row: &Row) -> Result<Place, Error> {
    Ok(Place {
        master: MasterId(column(row, "id")?),
        on_shift: column(row, "on_shift")?,
        blocked: column(row, "is_blocked")?,
        unreachable: column(row, "unreachable")?,
        load: column(row, "load")?,
        limit: column::<i32>(row, "max_active_orders")?.into(),
        on_shift_since: column(row, "on_shift_since")?,
    })
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

fn candidate(row: &Row) -> Result<Candidate, Error> {
    Ok(Candidate {
        id: MasterId(column(row, "id")?),
        city: column(row, "city_id")?,
        districts: column(row, "districts")?,
        // A trade of a later release is none of this one's orders'.
        categories: column::<Vec<&str>>(row, "categories")?.into_iter().filter_map(Category::parse).collect(),
        on_shift: column(row, "on_shift")?,
        blocked: column(row, "is_blocked")?,
        waiting: column(row, "is_waiting")?,
        unreachable: column(row, "unreachable")?,
        rating: column(row, "rating")?,
        load: column(row, "load")?,
        limit: column::<i32>(row, "max_active_orders")?.into(),
        last_asked: column(row, "last_asked")?,
        on_shift_since: column(row, "on_shift_since")?,
        turns: 0,
        left_out: None,
    })
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
                &each!(|plan| plan.due.round.saturating_add(1)),
                &each!(|plan| plan.next_round),
                &each!(|plan| plan.widens_at),
                &planned.iter().flat_map(|plan| &plan.replaced).map(|offer| offer.0).collect::<Vec<_>>(),
                &each!(|plan| plan.escalation.map(Escalation::as_str)),
                &each!(chosen),
                &each!(excluded),
                &offers().map(|(plan, _)| plan.due.search.order.0).collect::<Vec<_>>(),
                &offers().map(|(_, master)| master.0).collect::<Vec<_>>(),
                &offers().map(|(plan, _)| plan.deadline).collect::<Vec<_>>(),
                &each!(|plan| plan.round.passed_over.map(|passed| passed.master.0)),
                &each!(|plan| plan.round.passed_over.and_then(|passed| passed.seconds)),
            ],
        )
        .await?;
    Ok(rows.len())
}
