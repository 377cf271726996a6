//! A program that asks the API, in the same process.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use field_service::app::App;
use field_service::dispatch::secret;
use field_service::http::Http;
use field_service::model::access::TokenScope;
use field_service::store::access;

use crate::history::History;

/// What `serve` takes on two cores.
const CONNECTIONS: usize = 8;
const METRICS_TOKEN: &str = "metrics";

/// A program, and what answers it.
pub struct Program {
    app: App,
    http: Http,
    token: String,
}

/// What it was answered, and how long that took.
pub struct Answer {
    pub status: u16,
    headers: HeaderMap,
    pub text: String,
    pub took: Duration,
}

impl Answer {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }
}

impl Program {
    /// One that may make orders in those cities; in all, if none is named.
    pub async fn start(history: &History, url: &str, cities: &[&str]) -> Self {
        let lookup = |variable: &str| match variable {
            "DATABASE_URL" => Some(url.to_owned()),
            "MASTER_BOT_TOKEN" => Some("1:token".to_owned()),
            "ADMIN_BOT_TOKEN" => Some("2:token".to_owned()),
            "MASTER_WEBHOOK_SECRET" | "ADMIN_WEBHOOK_SECRET" => Some("secret".to_owned()),
            "METRICS_TOKEN" => Some(METRICS_TOKEN.to_owned()),
            _ => None,
        };
        let app = App::from_env(&lookup, CONNECTIONS, history.clock.clone()).expect("an app");
        let cities: Vec<String> = cities.iter().map(ToString::to_string).collect();
        let made = access::create(&app.store, "Сайт", TokenScope::Orders, &cities, None, secret::random()).await;
        let token = made.expect("a database").expect("cities").text();
        Self { http: Http::new(app.http()), app, token }
    }

    /// `seen`: the tag of what is known already.
    pub async fn get(&self, path: &str, seen: Option<&str>) -> Answer {
        let token = if path == "/metrics" { METRICS_TOKEN } else { &self.token };
        let mut request = Request::get(path).header("Authorization", format!("Bearer {token}"));
        if let Some(tag) = seen {
            request = request.header("If-None-Match", tag);
        }
        self.answer(request.body(Body::empty()).expect("a request")).await
    }

    /// Each address has a key of its own.
    pub async fn import(&self, path: &str, sheet: String) -> Answer {
        let request = Request::post(path)
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "text/csv")
            .header("Idempotency-Key", path);
        self.answer(request.body(Body::from(sheet)).expect("a request")).await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let begun = Instant::now();
        let (head, body) = self.http.answer(request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        let took = begun.elapsed();
        let text = String::from_utf8(body.to_vec()).expect("UTF-8");
        Answer { status: head.status.as_u16(), headers: head.headers, text, took }
    }

    /// How long each statement took, all its runs together, in seconds; and how often it ran.
    pub fn statements(&self) -> HashMap<String, (f64, f64)> {
        let text = self.app.metrics.exposition(&[], &[]);
        let read = |line: &str, counter: &str| {
            let (name, value) = line.strip_prefix(counter)?.rsplit_once("} ")?;
            Some((name.to_owned(), value.parse::<f64>().ok()?))
        };
        let counted = |counter| text.lines().filter_map(move |line| read(line, counter)).collect::<HashMap<_, _>>();
        let (seconds, runs) =
            (counted("field_service_statements_seconds_total{"), counted("field_service_statements_total{"));
        let both = |(name, seconds): (String, f64)| {
            let runs = runs.get(&name).copied().unwrap_or_default();
            (name, (seconds, runs))
        };
        seconds.into_iter().map(both).collect()
    }
}
