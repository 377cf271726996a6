//! What rows that call for staff say, and what has become of each.

use jiff::civil::DateTime;
use tokio_postgres::Row;

use super::super::{Error, column, facts};
use crate::model::call::{Call, CallFacts, CalledOrder, Cause, Change, Contact};
use crate::model::notification::Kind;
use crate::model::policy::Escalation;
use crate::model::{MasterId, OrderStatus, Version};

/// A call as a message says it, to be remembered with that message.
#[derive(Clone, Debug)]
pub struct Said {
    /// The row of the outbox that is the call.
    pub row: i64,
    /// What it was when it was read.
    pub seen: String,
    /// Whether nothing is left to be done about it.
    pub over: bool,
}

/// Reads a call as it stands; `None`: it is none, or does not concern the recipient any more. `again`: it was made before, and is
/// said also if somebody has acted.
pub(super) fn call(row: &Row, again: bool) -> Result<Option<(Call, Said)>, Error> {
    let word = column(row, "kind")?;
    let kind = Kind::parse(word).ok_or_else(|| facts::unknown("kind of message", word))?;
    let Some(cause) = cause(row, kind)? else { return Ok(None) };
    let facts = call_facts(row)?;
    if !column::<bool>(row, "concerned")? || !again && !facts.still_calls(&cause) {
        return Ok(None);
    }
    // Who sees to it and is called all the same is told no news.
    let answer = if again { facts.answer(&cause) } else { None };
    let master = match cause {
        Cause::Returned(_) | Cause::Unreachable => contact(row, ["about_master", "subject_name", "subject_phone"])?,
        Cause::Escalated(_) | Cause::Late => contact(row, ["holder_id", "holder_name", "holder_phone"])?,
    };
    let call = Call { cause, order: order(row)?, master, answer };
    let said = Said { row: column(row, "outbox_id")?, seen: column(row, "seen")?, over: call.is_over() };
    Ok(Some((call, said)))
}

/// What a row of that kind calls for; `None`: it calls for nobody.
fn cause(row: &Row, kind: Kind) -> Result<Option<Cause>, Error> {
    let order = column::<Option<i64>>(row, "id")?;
    Ok(match kind {
        Kind::Unreachable => Some(Cause::Unreachable),
        _ if order.is_none() => None,
        Kind::Returned => Some(Cause::Returned(column(row, "reason")?)),
        // Somebody has acted if there is no reason any more; then it does not matter which there was.
        Kind::Escalated => {
            let reason = column::<Option<&str>>(row, "escalation_reason")?.and_then(Escalation::parse);
            Some(Cause::Escalated(reason.unwrap_or(Escalation::Time)))
        }
        Kind::Late => Some(Cause::Late),
        _ => None,
    })
}

fn call_facts(row: &Row) -> Result<CallFacts, Error> {
    let status = column::<Option<i64>>(row, "id")?.map(|_| facts::status(row)).transpose()?;
    let now: Option<DateTime> = column(row, "local_now")?;
    let at = |name| Ok::<_, Error>(column::<Option<DateTime>>(row, name)?.zip(now));
    let claimed: Option<String> = column(row, "claimed_by")?;
    let change = match (column::<Option<&str>>(row, "change_status")?, at("change_at")?) {
        (Some(word), Some(at)) => Some(Change {
            status: OrderStatus::parse(word).ok_or_else(|| facts::unknown("order status", word))?,
            staff: column(row, "change_staff")?,
            master: column(row, "change_master")?,
            at,
        }),
        _ => None,
    };
    Ok(CallFacts {
        status,
        is_escalated: column::<Option<bool>>(row, "is_escalated")?.unwrap_or(false),
        is_late: column::<Option<bool>>(row, "is_late")?.unwrap_or(false),
        is_unreachable: column(row, "subject_is_unreachable")?,
        claimed: claimed.map(|by| Ok::<_, Error>((by, at("claimed_local")?))).transpose()?,
        is_in_hands: column(row, "is_in_hands")?,
        change,
    })
}

fn order(row: &Row) -> Result<Option<CalledOrder>, Error> {
    if column::<Option<i64>>(row, "id")?.is_none() {
        return Ok(None);
    }
    Ok(Some(CalledOrder {
        card: facts::card(row)?,
        client: facts::client(row)?,
        status: facts::status(row)?,
        seen: Version { version: column(row, "version")?, revision: column(row, "revision")? },
    }))
}

fn contact(row: &Row, [id, name, phone]: [&'static str; 3]) -> Result<Option<Contact>, Error> {
    let (Some(id), Some(name)) = (column::<Option<i64>>(row, id)?, column::<Option<String>>(row, name)?) else {
        return Ok(None);
    };
    Ok(Some(Contact { id: MasterId(id), name, phone: column(row, phone)? }))
}
