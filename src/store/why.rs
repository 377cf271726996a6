//! What is known of an order's waves, so that it can be found out later why they asked these masters and not others.
//!
//! First the order, which each reader may ask about or not, then its waves, then the masters of the city in one trip: as they are,
//! and after that what has changed, so that nothing is undone that was not read yet.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use tokio::join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::master_past::{self, CHANGES, MASTERS, by_master, readable, with_known};
use super::rounds::with_unreached;
use super::{Connection, Error, Ready, Statement, Store, column, facts, orders_not_over, statement};
use crate::model::master_past::MasterPast;
use crate::model::moment::Moment;
use crate::model::race::Winner;
use crate::model::selection::Exclusion;
use crate::model::why::{Answer, MasterHistory, Offered, OrderChange, Spell, Story, WAVES, Wave, WhyOrder};
use crate::model::{MasterId, MasterRef, OfferId, OfferState, OrderId, OrderStatus, StaffRef};

macro_rules! of_order {
    () => {
        include_str!("why/order.sql")
    };
}

/// Reads an order for a master of its city, or who was there once.
pub(crate) const OF_MASTER: Statement = statement!(
    "why.of_master",
    [INT8, INT8, INT8, TIMESTAMPTZ],
    "SELECT masters.id AS master_id, found.*,
         NOT masters.is_blocked AND found.is_open AND EXISTS (
             SELECT FROM offers
             WHERE offers.order_id = found.id AND offers.master_id = masters.id AND state IN ('SENT', 'VIEWED')
               AND expires_at > moment.now) AS is_offered
     FROM masters
     CROSS JOIN (SELECT coalesce($4, now()) AS now) AS moment /* now */
     LEFT JOIN LATERAL (
         SELECT orders.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED') AS is_open, ",
    of_order!(),
    " FROM orders
         JOIN cities ON cities.id = orders.city_id
         LEFT JOIN districts ON districts.id = orders.district_id
         WHERE orders.id = $1 /* order */ AND (orders.city_id = masters.city_id OR orders.assigned_master_id = masters.id OR EXISTS (
             SELECT FROM master_changes
             WHERE master_id = masters.id AND what = 'CITY' AND from_value = orders.city_id::text
         ) OR EXISTS (SELECT FROM offers WHERE offers.order_id = orders.id AND offers.master_id = masters.id))
     ) AS found ON true
     WHERE masters.id = coalesce($2 /* master */, (SELECT id FROM masters WHERE telegram_user_id = $3 /* user */))"
);

const OF_STAFF: Statement = statement!(
    "why.of_staff",
    [INT8, INT8, INT8, TIMESTAMPTZ],
    "SELECT ",
    of_order!(),
    " FROM staff_right($2 /* staff */, $3 /* user */) AS who
     CROSS JOIN (SELECT coalesce($4, now()) AS now) AS moment /* now */
     JOIN orders ON orders.id = $1 /* order */ AND orders.city_id = ANY (who.cities)
     JOIN cities ON cities.id = orders.city_id
     LEFT JOIN districts ON districts.id = orders.district_id"
);

const WAVES_OF: Statement = statement!("why.waves", [INT8, INT8], with_unreached!("$1", include_str!("why/waves.sql")));
const ANSWERS: Statement = statement!("why.answers", [INT8, TIMESTAMPTZ], include_str!("why/answers.sql"));
/// The last changes of an order.
pub(crate) const HISTORY: Statement = statement!("why.history", [INT8, INT8], include_str!("why/changes.sql"));
const SPELLS: Statement = statement!(
    "why.spells",
    [INT8, TIMESTAMPTZ, TEXT, INT8, TIMESTAMPTZ],
    with_known!(", orders_not_over AS (\n", orders_not_over!(), "), ", include_str!("why/spells.sql"))
);
const OFFERS: Statement = statement!(
    "why.offers",
    [INT8, TIMESTAMPTZ, TEXT, INT8, TIMESTAMPTZ, TIMESTAMPTZ_ARRAY],
    with_known!(include_str!("why/offers.sql"))
);

/// How many changes of an order are read, the last ones: hardly one has more.
pub(super) const CHANGES_READ: i64 = 200;

/// Who asks about an order.
pub(crate) struct Asker {
    /// Who.
    pub(crate) master: MasterId,
    /// Whether the order is offered to him at this moment.
    pub(crate) is_offered: bool,
    /// The order, if that master may ask about it.
    pub(crate) order: Option<WhyOrder>,
}

/// Runs [`OF_MASTER`]. `None`: there is no such master.
pub(crate) async fn of_master(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    master: MasterRef,
    now: Option<Timestamp>,
) -> Result<Option<Asker>, Error> {
    let params: [&(dyn ToSql + Sync); 4] = [&order.0, &master.id(), &master.telegram_user(), &now];
    let rows = connection.query(statement, &params).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Asker {
        master: MasterId(column(row, "master_id")?),
        is_offered: column::<Option<bool>>(row, "is_offered")?.unwrap_or(false),
        order: column::<Option<i64>>(row, "id")?.map(|_| why_order(row)).transpose()?,
    }))
}

/// Reads an order for somebody of the staff. `None`: there is none of that number in that person's cities.
///
/// # Errors
/// When the database failed.
pub async fn of_staff(store: &Store, order: OrderId, staff: StaffRef) -> Result<Option<WhyOrder>, Error> {
    store
        .run(async |connection: Connection| {
            let params: [&(dyn ToSql + Sync); 4] = [&order.0, &staff.id(), &staff.telegram_user(), &store.now()];
            connection.fetch(&OF_STAFF, &params).await?.first().map(why_order).transpose()
        })
        .await
}

/// Which of these orders somebody of the staff may see.
///
/// # Errors
/// When the database failed.
pub async fn seen(store: &Store, orders: &[OrderId], staff: StaffRef) -> Result<HashSet<OrderId>, Error> {
    const SEEN: Statement = statement!(
        "why.seen",
        [INT8_ARRAY, INT8, INT8],
        "SELECT orders.id
         FROM staff_right($2 /* staff */, $3 /* user */) AS who
         JOIN orders ON orders.id = ANY ($1) /* orders */ AND orders.city_id = ANY (who.cities)"
    );
    let orders: Vec<i64> = orders.iter().map(|order| order.0).collect();
    store
        .run(async |connection: Connection| {
            let params: [&(dyn ToSql + Sync); 3] = [&orders, &staff.id(), &staff.telegram_user()];
            let rows = connection.fetch(&SEEN, &params).await?;
            rows.iter().map(|row| Ok(OrderId(column(row, "id")?))).collect()
        })
        .await
}

fn why_order(row: &Row) -> Result<WhyOrder, Error> {
    let district = column::<Option<i64>>(row, "district_id")?;
    Ok(WhyOrder {
        id: OrderId(column(row, "id")?),
        status: facts::status(row)?,
        category: facts::category(row)?,
        city: column(row, "city_id")?,
        district: district.zip(column(row, "district")?),
        preferred: column::<Option<i64>>(row, "preferred_master_id")?.map(MasterId),
        owner: column::<Option<i64>>(row, "assigned_master_id")?.map(MasterId),
        now: column(row, "now")?,
        local_now: column(row, "local_now")?,
    })
}

/// Reads what is known of an order's waves. Masters are made out for those alone of which that can still be done, and where
/// only one `of` them is asked about, for those alone of which it is not written down what they were to that one.
///
/// # Errors
/// When the database failed.
pub async fn story(store: &Store, order: &WhyOrder, of: Option<MasterId>) -> Result<Story, Error> {
    store
        .run(async |connection: Connection| {
            let connection = &connection;
            let statements =
                connection.ready([&WAVES_OF, &ANSWERS, &HISTORY, &MASTERS, &CHANGES, &SPELLS, &OFFERS]).await?;
            let [waves, answers, history, of_masters @ ..] = statements.each_ref();
            let read = async {
                let (id, most) = (order.id.0, WAVES + 1);
                let of_waves: [&(dyn ToSql + Sync); 2] = [&id, &most];
                let of_answers: [&(dyn ToSql + Sync); 2] = [&id, &order.now];
                let of_history: [&(dyn ToSql + Sync); 2] = [&id, &CHANGES_READ];
                let (waves, answers, changes) = join!(
                    connection.query(waves, &of_waves),
                    connection.query(answers, &of_answers),
                    connection.query(history, &of_history),
                );
                let mut waves = readable(&waves?, wave);
                let (answers, changes) = (readable(&answers?, answer), readable(&changes?, change));
                let earlier = waves.len() > usize::try_from(WAVES).unwrap_or(usize::MAX);
                waves.drain(..usize::from(earlier));
                let is_told = |wave: &Wave| of.is_some_and(|master| wave.has_asked(master));
                let judged = waves.iter().filter(|wave| wave.can_be_judged(order) && !is_told(wave));
                let moments: Vec<Timestamp> = judged.map(|wave| wave.at.at).collect();
                let masters = if moments.is_empty() && waves.iter().any(is_told) {
                    Vec::new()
                } else {
                    masters(connection, of_masters, order, &moments).await?
                };
                Ok(Story { order: order.clone(), waves, earlier, masters, answers, changes })
            };
            Box::pin(connection.alone(read)).await
        })
        .await
}

/// The masters of the order's city, with what has changed since the first of these moments.
async fn masters(
    connection: &Connection,
    [masters, changes, spells, offers]: [&Ready; 4],
    order: &WhyOrder,
    moments: &[Timestamp],
) -> Result<Vec<MasterHistory>, Error> {
    let (first, last) = (moments.iter().min().unwrap_or(&order.now), moments.iter().max().unwrap_or(&order.now));
    let trade = order.category.as_str();
    let preferred = order.preferred.map(|master| master.0);
    let params: [&(dyn ToSql + Sync); 6] = [&order.city, first, &trade, &preferred, last, &moments];
    let only = Some((order.category, order.preferred));
    let (masters, spells, offers) = join!(
        master_past::read(connection, [masters, changes], order.city, [*first, *last], only),
        connection.query(spells, &params[..5]),
        connection.query(offers, &params),
    );
    let mut spells = by_master(&spells?, spell)?;
    let mut offers = by_master(&offers?, offered)?;
    let with_load = |master: MasterPast| MasterHistory {
        spells: spells.remove(&master.today.id).unwrap_or_default(),
        offers: offers.remove(&master.today.id).unwrap_or_default(),
        master,
    };
    Ok(masters?.into_iter().map(with_load).collect())
}

fn wave(row: &Row) -> Result<Wave, Error> {
    let reasons: Vec<&str> = column(row, "reasons")?;
    let counts: Vec<i64> = column(row, "counts")?;
    // A reason of a later release is none of those that this one can say.
    let excluded = reasons.into_iter().map(Exclusion::parse).zip(counts);
    let excluded: BTreeMap<_, _> =
        excluded.filter_map(|(reason, count)| reason.map(|reason| (reason, count))).collect();
    let empty_since: Option<Timestamp> = column(row, "empty_since")?;
    let masters = |name| Ok::<_, Error>(column::<Vec<i64>>(row, name)?.into_iter().map(MasterId));
    Ok(Wave {
        number: column(row, "round_number")?,
        search_started: column(row, "search_started_at")?,
        at: Moment { at: column(row, "at")?, local: column(row, "local")? },
        empty_since: empty_since.zip(column(row, "empty_since_local")?).map(|(at, local)| Moment { at, local }),
        turn: column(row, "turn")?,
        city: column(row, "city_id")?,
        limit: column(row, "max_active_orders")?,
        chosen: masters("chosen")?.collect(),
        excluded,
        asked: masters("asked")?.collect::<HashSet<_>>(),
    })
}

fn answer(row: &Row) -> Result<Answer, Error> {
    let state = column(row, "state")?;
    let responded: Option<Timestamp> = column(row, "responded_at")?;
    Ok(Answer {
        id: OfferId(column(row, "id")?),
        overdue: column(row, "overdue")?,
        master: MasterId(column(row, "master_id")?),
        state: OfferState::parse(state).ok_or_else(|| facts::unknown("offer state", state))?,
        sent: Moment { at: column(row, "sent_at")?, local: column(row, "sent_local")? },
        responded: responded.zip(column(row, "responded_local")?).map(|(at, local)| Moment { at, local }),
    })
}

/// Reads a row of [`HISTORY`].
pub(super) fn change(row: &Row) -> Result<OrderChange, Error> {
    let to = column(row, "to_status")?;
    Ok(OrderChange {
        to: OrderStatus::parse(to).ok_or_else(|| facts::unknown("order status", to))?,
        by: Winner::of(column(row, "actor_type")?),
        master: column::<Option<i64>>(row, "master_id")?.map(MasterId),
        offer: column::<Option<i64>>(row, "offer_id")?.map(OfferId),
        at: Moment { at: column(row, "at")?, local: column(row, "local")? },
    })
}

fn spell(row: &Row) -> Result<Spell, Error> {
    Ok(Spell {
        order: OrderId(column(row, "order_id")?),
        from: column(row, "began_at")?,
        until: column(row, "ended_at")?,
        given: column(row, "given")?,
    })
}

fn offered(row: &Row) -> Result<Offered, Error> {
    Ok(Offered {
        order: OrderId(column(row, "order_id")?),
        sent: column(row, "sent_at")?,
        ended: column(row, "ended_at")?,
        turn: column(row, "turn")?,
    })
}
