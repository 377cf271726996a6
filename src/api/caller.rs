//! Who asks: a bearer token in `Authorization`.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::State;
use super::problem::Problem;
use crate::dispatch::authorize::{AuthorizeOutcome, authorize};
use crate::model::StaffRef;
use crate::model::access::{Access, TokenScope};

/// The token that a request presents; empty: none.
pub fn presented(headers: &HeaderMap) -> &str {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    }
}

/// Who is let in. Every token that is looked up is counted here.
///
/// # Errors
/// Why nobody is.
pub fn admitted(state: &State, outcome: AuthorizeOutcome) -> Result<Access, Problem> {
    state.metrics.count("api_authorize", outcome.name());
    match outcome {
        AuthorizeOutcome::Welcome(access) => Ok(access),
        refused => Err(Problem::of_authorize(&refused)),
    }
}

/// What a request needs a token for.
pub trait Needs {
    /// The scope.
    const SCOPE: TokenScope;
    /// Whether it changes something: a token may do so a number of times in a minute, and look as often as it likes.
    const WRITES: bool = true;
}

/// To look.
pub struct Looks;
/// To look at what is only there for who makes orders.
pub struct Drafts;
/// To make or change orders.
pub struct Orders;
/// To change masters.
pub struct Masters;
/// To change how masters are searched for; only an admin does, which is judged where it is done.
pub struct Policies;

impl Needs for Looks {
    const SCOPE: TokenScope = TokenScope::Read;
    const WRITES: bool = false;
}
impl Needs for Drafts {
    const SCOPE: TokenScope = TokenScope::Orders;
    const WRITES: bool = false;
}
impl Needs for Orders {
    const SCOPE: TokenScope = TokenScope::Orders;
}
impl Needs for Masters {
    const SCOPE: TokenScope = TokenScope::All;
}
impl Needs for Policies {
    const SCOPE: TokenScope = TokenScope::All;
}

/// Who asks, and may do what the handler needs.
pub struct Caller<N> {
    /// Who.
    pub access: Access,
    needs: PhantomData<N>,
}

impl<N> Caller<N> {
    /// Whose right it is.
    pub fn staff(&self) -> StaffRef {
        StaffRef::Id(self.access.staff)
    }
}

impl<N: Needs> FromRequestParts<State> for Caller<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let outcome = authorize(&state.store, presented(&parts.headers), N::SCOPE, N::WRITES).await?;
        Ok(Self { access: admitted(state, outcome)?, needs: PhantomData })
    }
}
