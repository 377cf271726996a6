//! The API's own description, in OpenAPI 3.1, made of what stands beside the handlers.

use axum::Json as Answer;
use utoipa::openapi::path::{Operation, Parameter, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::problem::{Kind, Said};
use super::{actions, board, card, draft, figures, masters, orders, places, policy, session, sheets};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "field-service",
        description = "Orders, masters and figures of a field-service company. Times are in RFC 3339, phones in E.164, money in rubles. \
                       Each token sees and changes what its cities and its scope allow, and may change something 60 times a minute.",
    ),
    paths(
        session::open,
        session::show,
        session::end,
        board::board,
        figures::figures,
        places::cities,
        policy::show,
        policy::history,
        policy::set,
        policy::preview,
        masters::list,
        masters::show,
        masters::edit,
        orders::list,
        sheets::import,
        sheets::export,
        orders::create,
        orders::show,
        card::card,
        orders::edit,
        actions::candidates,
        actions::assign,
        actions::search,
        actions::take_back,
        actions::cancel,
        actions::close,
        actions::reopen,
        actions::claim,
        actions::unclaim,
        draft::show,
        draft::begin,
        draft::change,
        draft::drop,
        draft::create,
    ),
    components(schemas(Said)),
    modifiers(&Token, &Problems),
    security(("token" = [])),
)]
struct Api;

/// How a caller is known.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("fs_<id>_<secret>").build();
        if let Some(components) = &mut document.components {
            components.add_security_scheme("token", SecurityScheme::Http(scheme));
        }
    }
}

/// The problems that each operation may answer with.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            for operation in operations(item) {
                for kind in kinds(path, operation) {
                    let status = kind.status().as_str().to_owned();
                    operation.responses.responses.entry(status).or_insert_with(|| RefOr::T(problem(kind)));
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    [get, put, post, patch, delete].into_iter().flatten()
}

/// What may come of an operation beside its success: by what it takes.
fn kinds(path: &str, operation: &Operation) -> Vec<Kind> {
    let takes = |header: &str| {
        let named = |parameter: &RefOr<_>| matches!(parameter, RefOr::T(Parameter { name, .. }) if name == header);
        operation.parameters.iter().flatten().any(named)
    };
    let mut kinds = vec![Kind::Malformed, Kind::Unauthorized, Kind::Forbidden, Kind::TooMany, Kind::Unavailable];
    if path.contains("{id}") {
        kinds.push(Kind::NotFound);
    }
    if operation.request_body.is_some() {
        kinds.extend([Kind::TooLarge, Kind::MediaType, Kind::Invalid]);
    }
    if takes("Idempotency-Key") {
        kinds.extend([Kind::KeyMissing, Kind::KeyOfAnother, Kind::UnderWay]);
    }
    if takes("If-Match") {
        kinds.extend([Kind::MatchMissing, Kind::Stale]);
    }
    if path.contains("{id}/") || takes("If-Match") {
        kinds.extend([Kind::NotNow, Kind::Invalid]);
    }
    kinds
}

fn problem(kind: Kind) -> Response {
    let of_status = Kind::ALL.into_iter().filter(|other| other.status() == kind.status());
    let types: Vec<String> = of_status.map(|kind| format!("`{}`", kind.counted())).collect();
    ResponseBuilder::new()
        .description(format!("A problem: {}", types.join(", ")))
        .content("application/problem+json", Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem")))))
        .build()
}

/// The description.
#[must_use]
pub fn document() -> Document {
    Api::openapi()
}

pub(super) async fn openapi() -> Answer<Document> {
    Answer(document())
}
