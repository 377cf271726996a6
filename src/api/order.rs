//! An order, as it is answered.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::order_record::OrderRecord;

/// An order.
#[derive(Serialize, ToSchema)]
pub struct Order {
    /// Its number.
    id: i64,
    /// What `If-Match` names: `version.revision`, of which the first grows with status and master, the second with everything else.
    #[schema(example = "3.1")]
    version: String,
    /// `CREATED`, `SEARCHING`, `GUARANTEE`, `DEFERRED`: open; `ASSIGNED`, `EN_ROUTE`, `WORKING`, `PAYMENT`: active;
    /// `CLOSED`, `CANCELED`: final.
    #[schema(example = "SEARCHING")]
    status: &'static str,
    /// `ELECTRICS`, `PLUMBING`, `APPLIANCES`, `WINDOWS`, `HANDYMAN` or `ROADSIDE`.
    #[schema(example = "PLUMBING")]
    category: &'static str,
    /// Where it is.
    city: City,
    /// The district.
    district: Option<Named>,
    /// Street, house, flat.
    address: String,
    /// What is wrong.
    description: Option<String>,
    /// What the client is called.
    client_name: String,
    /// The client's phone, in E.164 if it was made by this release.
    #[schema(example = "+79123456789")]
    client_phone: String,
    /// When the client expects the master; null: nothing was said, or as soon as possible.
    slot: Option<Slot>,
    /// Whether the client wants the master as soon as possible.
    soon: bool,
    /// Whether the client pays nothing: a visit under guarantee.
    is_free: bool,
    /// What staff want the master to know.
    comment: Option<String>,
    /// What the client paid, in rubles with two decimals, once it is closed.
    #[schema(example = "2500.00")]
    amount: Option<String>,
    /// The master who has it, or had it last.
    master: Option<Named>,
    /// Who is asked first.
    preferred_master_id: Option<i64>,
    /// The closed order whose work it repeats for free.
    guarantee_of: Option<i64>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Who of the staff, or which program, made it.
    created_by: Option<Named>,
    /// Who of the staff sees to it.
    claimed_by: Option<Named>,
    /// Since when staff are called to it, and why.
    escalated: Option<Escalated>,
}

/// Something with a number and a name.
#[derive(Serialize, ToSchema)]
pub struct Named {
    /// The number.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// A city.
#[derive(Serialize, ToSchema)]
pub struct City {
    /// The number.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The IANA name of the zone in which its clocks are shown.
    #[schema(example = "Asia/Yekaterinburg")]
    pub timezone: String,
}

/// A time to come.
#[derive(Serialize, ToSchema)]
pub struct Slot {
    /// From then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start: Option<Timestamp>,
    /// Until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end: Option<Timestamp>,
}

/// A call for staff.
#[derive(Serialize, ToSchema)]
pub struct Escalated {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// `NOBODY_LEFT`: there is nobody to ask; `ROUNDS`: nobody took it in all rounds; `TIME`: it takes too long.
    #[schema(example = "NOBODY_LEFT")]
    pub reason: &'static str,
}

impl From<OrderRecord> for Order {
    fn from(record: OrderRecord) -> Self {
        let (city, name, timezone) = record.city;
        let slot = match record.slot {
            (None, None) => None,
            (start, end) => Some(Slot { start, end }),
        };
        let staff = |(id, name): (crate::model::StaffId, String)| Named { id: id.0, name };
        Self {
            id: record.id.0,
            version: record.version.to_string(),
            status: record.status.as_str(),
            category: record.category.as_str(),
            city: City { id: city.0, name, timezone },
            district: record.district.map(|(id, name)| Named { id, name }),
            address: record.address,
            description: record.description,
            client_name: record.client.name,
            client_phone: record.client.phone,
            slot,
            soon: record.soon,
            is_free: record.is_free,
            comment: record.comment,
            amount: record.amount.map(|amount| amount.to_string()),
            master: record.master.map(|(id, name)| Named { id: id.0, name }),
            preferred_master_id: record.preferred.map(|master| master.0),
            guarantee_of: record.guarantee_of.map(|order| order.0),
            created_at: record.created_at,
            updated_at: record.updated_at,
            created_by: record.created_by.map(staff),
            claimed_by: record.claimed_by.map(staff),
            escalated: record.escalated.map(|(since, reason)| Escalated { since, reason: reason.as_str() }),
        }
    }
}
