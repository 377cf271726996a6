//! A program that works with the API: real requests, and what they are answered.

use field_service::dispatch::secret;
use field_service::model::access::TokenScope;
use field_service::store::access;
use field_service::telegram;
use reqwest::{Method, header};
use serde_json::Value;

use super::Dispatch;

/// A program with its token.
#[derive(Clone)]
pub struct Program {
    pub url: String,
    pub token: String,
    client: reqwest::Client,
}

/// What a request was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Which problem it is; empty: it is none.
    pub fn problem(&self) -> String {
        if self.header("content-type") != "application/problem+json" {
            return String::new();
        }
        let said = self.json();
        assert_eq!(said["status"].as_u64(), Some(self.status.into()), "{said}");
        assert!(said["title"].is_string(), "{said}");
        let uri = said["type"].as_str().expect("a type");
        uri.strip_prefix("urn:field-service:problem:").expect("one of ours").to_owned()
    }

    /// The fields that are not valid.
    pub fn pointers(&self) -> Vec<String> {
        let said = self.json();
        let pointer = |error: &Value| error["pointer"].as_str().expect("a pointer").to_owned();
        said["errors"].as_array().into_iter().flatten().map(pointer).collect()
    }
}

impl Dispatch {
    /// A program that may do so much in those cities.
    pub async fn program(&self, scope: TokenScope, cities: &[&str]) -> Program {
        let cities: Vec<String> = cities.iter().map(ToString::to_string).collect();
        let made = access::create(&self.app.store, "Сайт", scope, &cities, None, secret::random()).await;
        self.holding(&made.expect("a database").expect("cities").text())
    }

    /// Whoever presents that token.
    pub fn holding(&self, token: &str) -> Program {
        let client = telegram::http_client("http://127.0.0.1");
        Program { url: self.url.clone(), token: token.to_owned(), client }
    }
}

impl Program {
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.ask(Method::POST, path, headers, Some(body)).await
    }

    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        Self::send(request).await
    }

    /// Any request, with the token.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    pub async fn send(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.expect("a body") }
    }
}
