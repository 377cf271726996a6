//! An order as staff see it: all of it, its offers, its changes, and why its search asked whom it asked.
//!
//! Each statement finds only what the reader has a right to, but for the history, which is left out if the order was not found.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, column, facts, statement, why};
use crate::model::moment::Moment;
use crate::model::policy::Escalation;
use crate::model::selection::Exclusion;
use crate::model::staff::{StaffRef, Version};
use crate::model::staff_card::{
    CHANGES_SHOWN, CardMaster, CardOffer, CardPreferred, CardRound, Change, Claim, Delivery, OFFERS_SHOWN,
    ROUNDS_SHOWN, StaffCard, What, Who,
};
use crate::model::why::{Answer, OfferOutcome, OrderChange, of_offer};
use crate::model::{Amount, Deadline, MasterId, OfferId, OfferState, OrderId, OrderStatus, StaffId};

/// The order itself.
pub(crate) const ORDER: Statement =
    statement!("staff_card.order", [INT8, INT8, INT8, TIMESTAMPTZ], include_str!("staff_card/order.sql"));

/// Its last offers.
pub(crate) const OFFERS: Statement =
    statement!("staff_card.offers", [INT8, INT8, INT8, TIMESTAMPTZ, INT8], include_str!("staff_card/offers.sql"));

/// Its last changes.
pub(crate) const CHANGES: Statement =
    statement!("staff_card.changes", [INT8, INT8, INT8, INT8], include_str!("staff_card/changes.sql"));

/// Its last rounds.
pub(crate) const ROUNDS: Statement =
    statement!("staff_card.rounds", [INT8, INT8, INT8, INT8], include_str!("staff_card/rounds.sql"));

/// Its changes, as they tell what became of its offers.
pub(crate) use super::why::HISTORY;

/// Reads an order in one trip. `None`: there is none of that number in the reader's cities.
pub(crate) async fn read(
    connection: &Connection,
    [order, offers, changes, rounds, history]: [&Ready; 5],
    staff: StaffRef,
    id: OrderId,
    now: Option<Timestamp>,
) -> Result<Option<StaffCard>, Error> {
    let (reader, user) = (staff.id(), staff.telegram_user());
    let of_order: [&(dyn ToSql + Sync); 4] = [&reader, &user, &id.0, &now];
    let of_offers: [&(dyn ToSql + Sync); 5] = [&reader, &user, &id.0, &now, &OFFERS_SHOWN];
    let of_changes: [&(dyn ToSql + Sync); 4] = [&reader, &user, &id.0, &(CHANGES_SHOWN + 1)];
    let of_rounds: [&(dyn ToSql + Sync); 4] = [&reader, &user, &id.0, &ROUNDS_SHOWN];
    let of_history: [&(dyn ToSql + Sync); 2] = [&id.0, &why::CHANGES_READ];
    let (order, offers, changes, rounds, history) = tokio::join!(
        connection.query(order, &of_order),
        connection.query(offers, &of_offers),
        connection.query(changes, &of_changes),
        connection.query(rounds, &of_rounds),
        connection.query(history, &of_history),
    );
    let (order, offers, changes, rounds, history) = (order?, offers?, changes?, rounds?, history?);
    let Some(row) = order.first() else { return Ok(None) };
    let history = readable(&history, why::change);
    let all: i64 = offers.first().map_or(Ok(0), |row| column(row, "total"))?;
    let shown = i64::try_from(offers.len()).unwrap_or(all);
    let most = usize::try_from(CHANGES_SHOWN).unwrap_or(usize::MAX);
    Ok(Some(StaffCard {
        offers: readable(&offers, |row| offer(row, &history)),
        earlier_offers: all - shown,
        earlier_changes: changes.len() > most,
        changes: readable(&changes[..changes.len().min(most)], change),
        why: readable(&rounds, round),
        ..card(row)?
    }))
}

/// What could be read: what a later release has put there must not hide the rest.
fn readable<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, Error>) -> Vec<T> {
    let read =
        |row| read(row).inspect_err(|error| tracing::error!(%error, "a part of an order is left out of its card"));
    rows.iter().filter_map(|row| read(row).ok()).collect()
}

fn card(row: &Row) -> Result<StaffCard, Error> {
    let escalated = moment(row, "escalated_at", "escalated_local")?;
    let why = column::<Option<&str>>(row, "escalation_reason")?.and_then(Escalation::parse);
    let claimed_by: Option<String> = column(row, "claimed_by")?;
    Ok(StaffCard {
        order: facts::card(row)?,
        guarantee_of: column::<Option<i64>>(row, "guarantee_of")?.map(OrderId),
        client: facts::client(row)?,
        status: facts::status(row)?,
        seen: Version { version: column(row, "version")?, revision: column(row, "revision")? },
        created: Moment { at: column(row, "created_at")?, local: column(row, "created_local")? },
        created_by: column(row, "created_by")?,
        comment: column(row, "comment")?,
        amount: facts::amount(row)?,
        master: master(row)?,
        preferred: column::<Option<i64>>(row, "preferred_id")?
            .map(|id| {
                Ok::<_, Error>(CardPreferred { id: MasterId(id), name: column(row, "preferred")?, not_asked: None })
            })
            .transpose()?,
        escalated: why.zip(escalated),
        search_started: moment(row, "search_started_at", "search_started_local")?,
        rounds: column(row, "last_round")?,
        deferred_until: moment(row, "deferred_until", "deferred_local")?,
        claimed: match (claimed_by, moment(row, "claimed_at", "claimed_local")?) {
            (Some(by), Some(since)) => Some(Claim {
                id: StaffId(column(row, "claimed_by_id")?),
                by,
                yours: column(row, "claimed_by_reader")?,
                since,
            }),
            _ => None,
        },
        is_offered: column(row, "is_offered")?,
        was_offered: column(row, "was_offered")?,
        ended_lately: column(row, "ended_lately")?,
        acts: column(row, "acts")?,
        offers: Vec::new(),
        earlier_offers: 0,
        changes: Vec::new(),
        earlier_changes: false,
        why: Vec::new(),
    })
}

fn master(row: &Row) -> Result<Option<CardMaster>, Error> {
    let Some(id) = column::<Option<i64>>(row, "master_id")?.map(MasterId) else { return Ok(None) };
    Ok(Some(CardMaster {
        id,
        name: column(row, "master")?,
        phone: column(row, "master_phone")?,
        unreachable: column(row, "master_unreachable")?,
    }))
}

/// `history`: the order's last changes, the first one first.
fn offer(row: &Row, history: &[OrderChange]) -> Result<CardOffer, Error> {
    let state = column(row, "state")?;
    let delivery = match (column::<Option<bool>>(row, "delivered")?, column::<Option<bool>>(row, "failed")?) {
        (Some(true), _) => Delivery::Delivered,
        (_, Some(true)) => Delivery::Failed,
        (Some(false), _) => Delivery::Waiting,
        (None, _) => Delivery::Unknown,
    };
    let answer = Answer {
        id: OfferId(column(row, "id")?),
        master: MasterId(column(row, "master_id")?),
        state: OfferState::parse(state).ok_or_else(|| facts::unknown("offer state", state))?,
        sent: Moment { at: column(row, "sent_at")?, local: column(row, "sent_local")? },
        responded: moment(row, "responded_at", "responded_local")?,
        overdue: column(row, "overdue")?,
    };
    let had = match of_offer(&answer, history) {
        OfferOutcome::Assigned(had) if answer.state == OfferState::Canceled => Some(had),
        _ => None,
    };
    let Answer { state, sent, responded, overdue, .. } = answer;
    Ok(CardOffer {
        master: column(row, "master")?,
        round: column(row, "round_number")?,
        state,
        delivery,
        sent,
        viewed: moment(row, "viewed_at", "viewed_local")?,
        responded,
        expires: Deadline { at: column(row, "expires_at")?, local: column(row, "expires")? },
        overdue,
        had,
    })
}

fn change(row: &Row) -> Result<Change, Error> {
    let status = |name| {
        let word: Option<&str> = column(row, name)?;
        word.map(|word| OrderStatus::parse(word).ok_or_else(|| facts::unknown("order status", word))).transpose()
    };
    let (from, to) = (status("from_status")?, status("to_status")?);
    let field: Option<String> = column(row, "field")?;
    let master: Option<String> = column(row, "by_master")?;
    let staff: Option<String> = column(row, "by_staff")?;
    Ok(Change {
        at: Moment { at: column(row, "at")?, local: column(row, "local")? },
        what: match to {
            Some(to) => What::Status { from, to },
            None if column(row, "emptied")? => What::Emptied(field.unwrap_or_default()),
            None => What::Field(field.unwrap_or_default()),
        },
        who: staff.map(Who::Staff).or(master.map(Who::Master)).unwrap_or(Who::System),
        reason: column(row, "reason")?,
        given_to: column(row, "given_to")?,
        amount: column::<Option<&str>>(row, "amount")?.and_then(Amount::parse),
        was: column(row, "old_value")?,
    })
}

fn round(row: &Row) -> Result<CardRound, Error> {
    let reasons: Vec<&str> = column(row, "reasons")?;
    let counts: Vec<i64> = column(row, "counts")?;
    // A reason of a later release is none of those that this one can say.
    let excluded = reasons.into_iter().map(Exclusion::parse).zip(counts);
    Ok(CardRound {
        number: column(row, "round_number")?,
        at: Moment { at: column(row, "at")?, local: column(row, "local")? },
        chosen: column(row, "chosen")?,
        preferred_first: column(row, "preferred_first")?,
        excluded: excluded.filter_map(|(reason, count)| reason.map(|reason| (reason, count))).collect(),
    })
}

fn moment(row: &Row, at: &'static str, local: &'static str) -> Result<Option<Moment>, Error> {
    let at: Option<Timestamp> = column(row, at)?;
    Ok(at.zip(column(row, local)?).map(|(at, local)| Moment { at, local }))
}
