//! `/app`: the dispatchers' page, a client of the API like any other.
//!
//! Its files are in this program and named by what is in them, so that they are loaded once. It takes nothing from any other host.

use std::sync::OnceLock;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

const HTML: &str = include_str!("page/index.html");
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The other files, each with its media type.
const FILES: [(&str, &str, &str); 15] = [
    ("api.js", JAVASCRIPT, include_str!("page/api.js")),
    ("board.js", JAVASCRIPT, include_str!("page/board.js")),
    ("card.js", JAVASCRIPT, include_str!("page/card.js")),
    ("dom.js", JAVASCRIPT, include_str!("page/dom.js")),
    ("draft.js", JAVASCRIPT, include_str!("page/draft.js")),
    ("figures.js", JAVASCRIPT, include_str!("page/figures.js")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("load.js", JAVASCRIPT, include_str!("page/load.js")),
    ("main.js", JAVASCRIPT, include_str!("page/main.js")),
    ("masters.js", JAVASCRIPT, include_str!("page/masters.js")),
    ("new.js", JAVASCRIPT, include_str!("page/new.js")),
    ("policy.js", JAVASCRIPT, include_str!("page/policy.js")),
    ("style.css", "text/css; charset=utf-8", include_str!("page/style.css")),
    ("texts.js", JAVASCRIPT, include_str!("page/texts.js")),
    ("when.js", JAVASCRIPT, include_str!("page/when.js")),
];

/// Its own files and the API, and nothing else; in a frame of nobody's but Telegram's.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'self' https://web.telegram.org";

/// Another one as soon as any file is.
fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let all: Vec<&str> = FILES.iter().flat_map(|(name, _, text)| [*name, *text]).chain([HTML]).collect();
        URL_SAFE_NO_PAD.encode(&digest(&SHA256, all.join("\n").as_bytes()).as_ref()[..9])
    })
}

/// The page and its files.
pub fn routes() -> Router {
    Router::new()
        .route("/app", get(page))
        .route("/app/", get(async || Redirect::permanent("../app")))
        .route("/app/{version}/{file}", get(file))
}

async fn page(headers: HeaderMap) -> Response {
    let tag = format!("\"{}\"", version());
    let seen = headers.get(IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes());
    let mut response = if seen {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        kept("text/html; charset=utf-8", HTML.replace("{version}", version()), "no-cache")
    };
    response.headers_mut().extend(HeaderValue::try_from(tag).ok().map(|tag| (ETAG, tag)));
    response
}

async fn file(Path((wanted, name)): Path<(String, String)>) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, media_type, text)) if wanted == version() => {
            kept(media_type, (*text).to_owned(), "public, max-age=31536000, immutable")
        }
        // A page that was opened before a release is loaded anew by whoever uses it.
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn kept(media_type: &'static str, text: String, kept: &'static str) -> Response {
    let headers: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, kept),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::{card, draft};
    use super::*;
    use crate::dispatch::actions::OrderAction;
    use crate::model::draft::Field;
    use crate::model::managed::MasterState;
    use crate::model::policy_draft::PolicyField;
    use crate::model::queue::QueueState;
    use crate::model::selection::Exclusion;
    use crate::model::{Category, OfferState, OrderStatus};

    fn file_of(name: &str) -> &'static str {
        FILES.iter().find(|(known, ..)| *known == name).map(|(.., text)| *text).expect("a file")
    }

    /// The files that a module takes names from.
    fn taken<'a>(text: &'a str, how: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(how).skip(1).filter_map(|rest| rest.split('"').next()?.strip_prefix("./"))
    }

    /// What the API says in a word is said in words by the page.
    #[test]
    fn every_word_of_the_api_has_its_words() {
        let texts = include_str!("page/texts.js");
        let words: [(&str, Vec<&str>); 9] = [
            ("STATUS", OrderStatus::ALL.map(OrderStatus::as_str).to_vec()),
            ("STATE", QueueState::ALL.map(QueueState::as_str).to_vec()),
            ("CATEGORY", Category::ALL.map(Category::as_str).to_vec()),
            ("OFFER", OfferState::ALL.map(OfferState::as_str).to_vec()),
            ("WHY_NOT", Exclusion::ALL.map(Exclusion::as_str).to_vec()),
            ("MASTER", MasterState::ALL.map(MasterState::as_str).to_vec()),
            ("ACTION", OrderAction::ALL.map(card::word).to_vec()),
            ("FIELD", Field::ALL.map(draft::name).to_vec()),
            ("FIELD", PolicyField::ALL.map(PolicyField::name).to_vec()),
        ];
        for (of, words) in words {
            let (_, rest) = texts.split_once(&format!("export const {of} = {{")).expect(of);
            let list = rest.split("};").next().unwrap_or_default();
            for word in words {
                assert!(list.contains(&format!(" {word}: \"")), "{of} has no {word}");
            }
        }
    }

    #[test]
    fn the_page_asks_for_its_own_files_and_for_nothing_else() {
        for (name, _, text) in FILES {
            for wanted in taken(text, "from \"").chain(taken(text, "import(\"")) {
                assert!(FILES.iter().any(|(known, ..)| *known == wanted), "{name}: {wanted}");
            }
            let elsewhere = text.replace("http://www.w3.org/2000/svg", "").contains("http");
            assert!(!elsewhere, "{name}");
        }
        for attribute in ["href=\"", "src=\""] {
            for wanted in HTML.split(attribute).skip(1) {
                let name = wanted.split('"').next().and_then(|path| path.strip_prefix("app/{version}/"));
                assert!(FILES.iter().any(|(known, ..)| Some(*known) == name), "{wanted}");
            }
        }
        // What the first section needs; the others are loaded when they are wanted.
        let mut first = vec!["style.css", "icon.svg", "main.js"];
        while let Some(more) =
            first.iter().flat_map(|name| taken(file_of(name), "from \"")).find(|name| !first.contains(name))
        {
            first.push(more);
        }
        let bytes = HTML.len() + first.iter().map(|name| file_of(name).len()).sum::<usize>();
        assert!(first.contains(&"board.js") && !first.contains(&"figures.js"), "{first:?}");
        assert!(bytes < 100_000, "{bytes} bytes are loaded before anything is seen");
    }
}
