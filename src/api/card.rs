//! `/api/orders/{id}/card`: how an order's search goes, why, what has become of it, and what can be done with it.

use axum::Json as Answer;
use axum::extract::State as Extract;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use super::body::OrderNumber;
use super::caller::{Caller, Looks};
use super::problem::{Kind, Problem};
use crate::dispatch::actions::{OrderAction, allowed};
use crate::dispatch::staff_view::{self, situation};
use crate::model::OrderStatus;
use crate::model::staff_card::{CardOffer, CardRound, Change, Delivery, StaffCard, What, Who};

/// What is known of an order beside what it says.
#[derive(Serialize, ToSchema)]
pub struct Card {
    /// What can be done with it as it is, by whoever looks: `CLAIM`, `UNCLAIM`, `SEARCH`, `ASSIGN`, `RETURN`, `CLOSE`, `EDIT`, `COMMENT`,
    /// `REOPEN`, `CANCEL`.
    #[schema(example = json!(["CLAIM", "ASSIGN", "EDIT"]))]
    actions: Vec<&'static str>,
    /// The phone of the master who has it.
    master_phone: Option<String>,
    /// Whether the bot cannot write to that master.
    master_is_unreachable: bool,
    /// Since when it is searched for.
    #[schema(value_type = Option<String>, format = DateTime)]
    search_started_at: Option<Timestamp>,
    /// When the search begins, if it is deferred.
    #[schema(value_type = Option<String>, format = DateTime)]
    deferred_until: Option<Timestamp>,
    /// How many rounds the search has had, with one for which there is nobody yet.
    rounds: i32,
    /// The last offers.
    offers: Vec<Offer>,
    /// How many there were before those.
    earlier_offers: i64,
    /// The last changes, the newest first.
    changes: Vec<Changed>,
    /// Why these masters were asked, in the last rounds, the newest first.
    why: Vec<Round>,
}

/// An offer.
#[derive(Serialize, ToSchema)]
pub struct Offer {
    /// The master's name.
    master: String,
    /// In which round, from 1.
    round: i32,
    /// `SENT`, `VIEWED`, `ACCEPTED`, `DECLINED`, `EXPIRED` or `CANCELED`.
    #[schema(example = "VIEWED")]
    state: &'static str,
    /// What became of its message: `WAITING`, `DELIVERED`, `FAILED` or `UNKNOWN`.
    #[schema(example = "DELIVERED")]
    delivery: &'static str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// When the master opened it.
    #[schema(value_type = Option<String>, format = DateTime)]
    viewed_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    responded_at: Option<Timestamp>,
    /// Until when the master may answer; null: for as long as it is out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A change of the order.
#[derive(Serialize, ToSchema)]
pub struct Changed {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Its status before, if that has changed.
    from_status: Option<&'static str>,
    /// Its status after.
    to_status: Option<&'static str>,
    /// The field, if what it says has changed.
    field: Option<String>,
    /// What the field held before.
    was: Option<String>,
    /// `SYSTEM`, `MASTER` or `STAFF`.
    #[schema(example = "STAFF")]
    by: &'static str,
    /// Whose name.
    name: Option<String>,
    /// Why, in somebody's words.
    reason: Option<String>,
    /// The master that it was given to, by somebody else.
    given_to: Option<String>,
    /// What the client paid, if it was closed.
    amount: Option<String>,
}

/// A round.
#[derive(Serialize, ToSchema)]
pub struct Round {
    /// Its number, from 1.
    number: i32,
    /// When it began; of one for which there is nobody, since when that is so.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who was asked.
    chosen: Vec<String>,
    /// How many were not, and why.
    excluded: Vec<Excluded>,
}

/// How many masters were not asked for a reason.
#[derive(Serialize, ToSchema)]
pub struct Excluded {
    /// As in `candidates`.
    #[schema(example = "OFF_SHIFT")]
    reason: &'static str,
    /// How many.
    masters: i64,
}

pub fn word(action: OrderAction) -> &'static str {
    match action {
        OrderAction::Claim => "CLAIM",
        OrderAction::Unclaim => "UNCLAIM",
        OrderAction::AssignNow => "SEARCH",
        OrderAction::AssignByHand => "ASSIGN",
        OrderAction::SearchAgain => "RETURN",
        OrderAction::Close => "CLOSE",
        OrderAction::Edit => "EDIT",
        OrderAction::Comment => "COMMENT",
        OrderAction::Reopen => "REOPEN",
        OrderAction::Cancel => "CANCEL",
    }
}

impl From<CardOffer> for Offer {
    fn from(offer: CardOffer) -> Self {
        let delivery = match offer.delivery {
            Delivery::Waiting => "WAITING",
            Delivery::Delivered => "DELIVERED",
            Delivery::Failed => "FAILED",
            Delivery::Unknown => "UNKNOWN",
        };
        Self {
            master: offer.master,
            round: offer.round,
            state: offer.state.as_str(),
            delivery,
            sent_at: offer.sent.at,
            viewed_at: offer.viewed.map(|moment| moment.at),
            responded_at: offer.responded.map(|moment| moment.at),
            expires_at: (!offer.expires.is_never()).then_some(offer.expires.at),
        }
    }
}

impl From<Change> for Changed {
    fn from(change: Change) -> Self {
        let (from_status, to_status, field) = match change.what {
            What::Status { from, to } => (from.map(OrderStatus::as_str), Some(to.as_str()), None),
            What::Field(field) | What::Emptied(field) => (None, None, Some(field)),
        };
        let (by, name) = match change.who {
            Who::System => ("SYSTEM", None),
            Who::Master(name) => ("MASTER", Some(name)),
            Who::Staff(name) => ("STAFF", Some(name)),
        };
        Self {
            at: change.at.at,
            from_status,
            to_status,
            field,
            was: change.was,
            by,
            name,
            reason: change.reason,
            given_to: change.given_to,
            amount: change.amount.map(|amount| amount.to_string()),
        }
    }
}

impl From<CardRound> for Round {
    fn from(round: CardRound) -> Self {
        let excluded =
            round.excluded.into_iter().map(|(reason, masters)| Excluded { reason: reason.as_str(), masters });
        Self { number: round.number, at: round.at.at, chosen: round.chosen, excluded: excluded.collect() }
    }
}

impl From<StaffCard> for Card {
    fn from(card: StaffCard) -> Self {
        let actions = allowed(&situation(&card)).into_iter().map(word).collect();
        let (master_phone, unreachable) = card.master.map(|master| (master.phone, master.unreachable)).unzip();
        Self {
            actions,
            master_phone: master_phone.flatten(),
            master_is_unreachable: unreachable.unwrap_or(false),
            search_started_at: card.search_started.map(|moment| moment.at),
            deferred_until: card.deferred_until.map(|moment| moment.at),
            rounds: card.rounds,
            offers: card.offers.into_iter().map(Offer::from).collect(),
            earlier_offers: card.earlier_offers,
            changes: card.changes.into_iter().map(Changed::from).collect(),
            why: card.why.into_iter().map(Round::from).collect(),
        }
    }
}

/// How an order's search goes, why these masters were asked and others not, what has become of it, and what can be done with it.
#[utoipa::path(
    get, path = "/api/orders/{id}/card", tag = "orders", operation_id = "getCard",
    params(OrderNumber),
    responses((status = 200, description = "As it is now", body = Card)),
)]
pub async fn card(
    Extract(state): Extract<State>,
    caller: Caller<Looks>,
    OrderNumber(order): OrderNumber,
) -> Result<Answer<Card>, Problem> {
    let found = staff_view::card(&state.store, caller.staff(), order).await?;
    found.map(|card| Answer(card.into())).ok_or_else(|| Problem::new(Kind::NotFound))
}
