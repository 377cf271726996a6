//! `If-Match`: what the caller has seen of that which is to be changed.

use std::fmt::Debug;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use ring::digest::{SHA256, digest};
use utoipa::IntoParams;

use super::State;
use super::problem::{Kind, Problem};
use crate::dispatch::secret;
use crate::model::draft::DraftId;
use crate::model::{Origin, StaffRef, UpdateKey, Version};

/// An order as it was seen; `None`: whatever it is.
#[derive(Clone, Copy, IntoParams)]
#[into_params(parameter_in = Header, names("If-Match"))]
pub struct SeenOrder(
    /// The order's `ETag` as it was seen; `*`: whatever it is
    #[param(value_type = String, required = true)]
    pub Option<Version>,
);

/// A master as last changed by the change of that number; `None`: whatever the master is.
#[derive(Clone, Copy, IntoParams)]
#[into_params(parameter_in = Header, names("If-Match"))]
pub struct SeenMaster(
    /// The master's `ETag` as it was seen; `*`: whatever it is
    #[param(value_type = String, required = true)]
    pub Option<i64>,
);

/// The policy in force as it was seen, by its number; `None`: whichever it is.
#[derive(Clone, Copy, IntoParams)]
#[into_params(parameter_in = Header, names("If-Match"))]
pub struct SeenPolicy(
    /// The policy's `ETag` as it was seen; `*`: whichever is in force
    #[param(value_type = String, required = true)]
    pub Option<i64>,
);

/// A draft as it was seen; `None`: there was none.
#[derive(Clone, Copy, IntoParams)]
#[into_params(parameter_in = Header, names("If-Match"))]
pub struct SeenDraft(
    /// The draft's `ETag` as it was seen
    #[param(value_type = String, required = true)]
    pub Option<(DraftId, i32)>,
);

/// The version of a draft that there is not.
pub const NO_DRAFT: &str = "0.0";

impl FromRequestParts<State> for SeenDraft {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        let Some(tag) = tag(&parts.headers)? else {
            return Err(Problem::malformed("If-Match: expected the ETag as it was seen".to_owned()));
        };
        // A tag that no draft ever had matches none.
        let (id, revision) = tag.split_once('.').unwrap_or_default();
        let seen = (DraftId(id.parse().unwrap_or_default()), revision.parse().unwrap_or_default());
        Ok(Self((tag != NO_DRAFT).then_some(seen)))
    }
}

impl FromRequestParts<State> for SeenOrder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        // A tag that no order ever had matches none.
        let never = Version { version: 0, revision: 0 };
        Ok(Self(tag(&parts.headers)?.map(|tag| Version::parse(tag).unwrap_or(never))))
    }
}

impl FromRequestParts<State> for SeenMaster {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        // A tag that no master ever had matches none.
        let read = |tag: &str| tag.parse().ok().filter(|seen| *seen >= 0).unwrap_or(-1);
        Ok(Self(tag(&parts.headers)?.map(read)))
    }
}

impl FromRequestParts<State> for SeenPolicy {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        // A tag that no policy ever had matches none.
        let read = |tag: &str| tag.parse().ok().filter(|seen| *seen > 0).unwrap_or(-1);
        Ok(Self(tag(&parts.headers)?.map(read)))
    }
}

/// By what a request is recognised that is tried or sent again, whatever became of the first answer: `what` is done, as `seen`, and its
/// `Debug` is all that it says. What is changed can be seen so only once; of a request that does not say what was seen, only further
/// tries of itself are the same.
pub fn origin(staff: StaffRef, seen: Option<&impl Debug>, what: &impl Debug) -> Origin {
    let update = match seen {
        Some(seen) => {
            let said = format!("{staff:?} {seen:?} {what:?}");
            UpdateKey::request(digest(&SHA256, said.as_bytes()).as_ref())
        }
        None => UpdateKey::request(&secret::random()),
    };
    Origin { update, message: None, written: None }
}

/// What stands between the quotes of `If-Match`; `None`: `*`, whatever it is. Proxies that compress an answer mark its tag: nginx as
/// weak, Caddy by a suffix. It is the same order all the same.
fn tag(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(tag) = headers.get(IF_MATCH) else {
        return Err(Problem::new(Kind::MatchMissing).with_detail("If-Match: expected the ETag as it was seen"));
    };
    let tag = tag.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or_default();
    Ok(Some(["-gzip", "-zstd", "-br"].iter().find_map(|mark| tag.strip_suffix(mark)).unwrap_or(tag)))
}
