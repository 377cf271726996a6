//! A master takes an order: lock, decide, act, in two round trips (a third if a question is open, or the master was
//! unreachable); see [`super::transaction`].

use std::time::Instant;

use tokio::join;

use super::transaction::{self, Answered, Attempt, Decision, Request};
use crate::model::facts::{Blocked, Facts, Standing};
use crate::model::order::{OrderStatus, OwnOrder};
use crate::model::race::LostRace;
use crate::model::update::Action;
use crate::model::{Actor, MasterRef, OfferId, OfferList, OrderId, Origin};
use crate::store::orders::Assignment;
use crate::store::{self, Connection, Store};

/// Every answer to a tap on «✅ Взять заявку», in order of precedence; each has its text, its log line, its counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// No offer of this order to this master, and not this master's order.
    NotFound,
    /// The order is this master's already: by an earlier tap, a redelivery of it, or by staff.
    AlreadyYours(OwnOrder),
    /// The master is blocked.
    Blocked(Blocked),
    /// The order was canceled or closed, or the offer recalled.
    Withdrawn,
    /// Another master really has it; and how that one came first, if it was a race.
    Taken(Option<LostRace>),
    /// This master declined it before.
    Declined,
    /// The offer's deadline has passed.
    Expired,
    /// The master has as many active orders as allowed, or more.
    LimitReached {
        /// How many there are.
        active: i64,
        /// How many there may be.
        limit: i64,
    },
    /// Committed: the order is this master's.
    Assigned(OwnOrder),
    /// Somebody held the order or the master for longer than a tap waits; nothing was changed.
    Busy,
}

impl AcceptOutcome {
    /// The answer to a redelivery that would otherwise accept a newer offer: the first outcome, as far as it is true.
    fn repeated(word: &str, facts: &Facts) -> Self {
        match (word, &facts.master.blocked) {
            (transaction::BUSY, _) => Self::Busy,
            ("BLOCKED", Some(blocked)) => Self::Blocked(blocked.clone()),
            ("DECLINED", _) => Self::Declined,
            ("EXPIRED", _) => Self::Expired,
            ("LIMIT_REACHED", _) => Self::limit_reached(facts),
            // Another master's or this one's then, and taken back since; or not offered yet.
            _ => Self::Withdrawn,
        }
    }

    fn limit_reached(facts: &Facts) -> Self {
        let limit = facts.master.max_active_orders;
        // Of a repeated answer there may be fewer by now.
        Self::LimitReached { active: facts.master.active_orders.max(limit), limit }
    }

    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyYours(_) => "ALREADY_YOURS",
            Self::Blocked(_) => "BLOCKED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Taken(_) => "TAKEN",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
            Self::LimitReached { .. } => "LIMIT_REACHED",
            Self::Assigned(_) => "SUCCESS",
            Self::Busy => "BUSY",
        }
    }
}

/// Gives `order` to `master`, if the facts allow it; with that page of the master's list. `None`: there is no such master.
///
/// Repeating an update, at any time and concurrently, changes nothing more; what is answered is true then.
///
/// # Errors
/// When the database failed; unless the connection was lost during `COMMIT`, nothing was changed.
pub async fn accept(
    store: &Store,
    order: OrderId,
    master: MasterRef,
    origin: Option<&Origin>,
    page: i64,
) -> Result<Option<Answered<AcceptOutcome>>, store::Error> {
    let begun = Instant::now();
    let request = Request { action: Action::Accept, order, master, origin };
    let look = async || {
        let list = super::view::offers_in(store, master, request.message(), page).await?;
        Ok(list.map(|list| (list.master, list)))
    };
    let attempt = |connection| attempt(store, connection, request, page);
    let answered = transaction::settle(store, request, AcceptOutcome::Busy, look, attempt).await?;
    let duration_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let user = master.telegram_user().unwrap_or_default();
    match &answered {
        None => {
            tracing::warn!(
                order = order.0,
                outcome = "STRANGER",
                duration_ms,
                "offer_accept STRANGER: order={order} telegram_user={user}"
            );
        }
        Some(Answered { outcome, master, .. }) => {
            let (word, assigned) = (outcome.name(), matches!(outcome, AcceptOutcome::Assigned(_)));
            let verb = if assigned { " assigned to" } else { "" };
            tracing::info!(
                order = order.0,
                master = master.0,
                outcome = word,
                duration_ms,
                "offer_accept {word}: order={order}{verb} master={master}"
            );
        }
    }
    Ok(answered)
}

async fn attempt(
    store: &Store,
    connection: Connection,
    request: Request<'_>,
    page: i64,
) -> Result<Option<Attempt<AcceptOutcome, OfferList>>, store::Error> {
    let Request { action, order, origin, .. } = request;
    let now = store.now();
    let [lock, facts, assign, record, list] = connection
        .ready([
            &store::orders::LOCK,
            &store::facts::READ,
            &store::orders::RECORD_ASSIGNMENT,
            &store::updates::RECORD,
            &store::offers::PAGE,
        ])
        .await?;

    let Some((locked, facts)) = request.look(&connection, &lock, &facts, now).await? else { return Ok(None) };
    let (master, processed) = (facts.master.id, facts.processed.is_some());

    let fresh_list = store::offers::read_page(&connection, &list, MasterRef::Id(master), page, request.message(), now);
    let (outcome, fresh, enqueued) = match decide(locked, &facts) {
        Decision::Change(Taking { offer, version, from_status }, outcome) => {
            let assignment = Assignment {
                order,
                version,
                from_status,
                master,
                offer: Some(offer),
                actor: Actor::Master(master),
                origin: origin.cloned(),
                action,
            };
            if facts.master.has_loose_ends {
                // Rarely: so the statement that has to be fast does not do it.
                request.record(&connection, &record, Some(master), outcome.name(), true, now).await?;
            }
            let (recorded, (committed, fresh)) = join!(
                store::orders::record_assignment(&connection, &assign, &assignment, now),
                connection.commit_then(fresh_list),
            );
            let enqueued = recorded? > 0;
            committed?;
            (Some(outcome), transaction::if_read(fresh), enqueued)
        }
        Decision::Answer(outcome) => {
            let fresh = request
                .leave(&connection, &record, Some(master), (!processed).then_some(outcome.name()), now, fresh_list)
                .await?;
            (Some(outcome), fresh, false)
        }
        Decision::Retry => {
            (None, request.leave(&connection, &record, Some(master), None, now, fresh_list).await?, false)
        }
    };
    let taken = i64::from(matches!(outcome, Some(AcceptOutcome::Assigned(_))));
    let fresh = fresh.map(|list| list.of_load(facts.master.active_orders + taken, facts.master.max_active_orders));
    Ok(Some(Attempt { master, outcome, fresh, enqueued }))
}

/// How an order is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taking {
    /// The offer to accept.
    pub offer: OfferId,
    /// The order's version, which the update must still find.
    pub version: i32,
    /// The order's status until now.
    pub from_status: OrderStatus,
}

/// Decides about a tap: facts in, decision out. `locked`: the facts were read under the locks of the order and the
/// master. Without them whatever the facts forbid is forbidden, but nothing is allowed.
#[must_use]
pub fn decide(locked: bool, facts: &Facts) -> Decision<Taking, AcceptOutcome> {
    let answer = Decision::Answer;
    let Some(order) = &facts.order else { return answer(AcceptOutcome::NotFound) };
    let offer = match (facts.standing(), &facts.master.blocked) {
        (Standing::Unknown, _) => return answer(AcceptOutcome::NotFound),
        (Standing::Yours, _) => return answer(AcceptOutcome::AlreadyYours(order.order.clone())),
        (_, Some(blocked)) => return answer(AcceptOutcome::Blocked(blocked.clone())),
        (Standing::Withdrawn, None) => return answer(AcceptOutcome::Withdrawn),
        (Standing::Taken, None) => return answer(AcceptOutcome::Taken(facts.lost)),
        (Standing::Declined, None) => return answer(AcceptOutcome::Declined),
        (Standing::Expired, None) => return answer(AcceptOutcome::Expired),
        (Standing::Offered(offer), None) => offer.id,
    };
    if let Some(word) = &facts.processed {
        return answer(AcceptOutcome::repeated(word, facts));
    }
    if facts.master.active_orders >= facts.master.max_active_orders {
        return answer(AcceptOutcome::limit_reached(facts));
    }
    if !locked {
        return Decision::Retry;
    }
    let taking = Taking { offer, version: order.version, from_status: order.status };
    let own = OwnOrder { status: OrderStatus::Assigned, ..order.order.clone() };
    Decision::Change(taking, AcceptOutcome::Assigned(own))
}
