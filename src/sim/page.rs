//! The page: phones, the truth beside them, and switches for what can go wrong, in a browser tab.
//!
//! Everything it needs is in this binary, and it asks nobody else for anything. The server sends what changed as
//! server-sent events (`feed`) and takes in what people do (`actions`); the page itself remembers only which phones
//! it shows. The Bot API answers at the same address, so that a handler started elsewhere needs to know only one.

mod actions;
mod feed;
mod input;
mod truth;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::proxy::Proxy;
use super::telegram::{Telegram, wall_clock};
use crate::store::Store;

/// What the page shows and acts on.
pub struct World {
    /// The local Telegram.
    pub telegram: Telegram,
    /// The masters' bot, by the public part of its token.
    pub master_bot: i64,
    /// Where the handler is, for people to read.
    pub handler: String,
    /// A way to the database beside the handler's, if it is known.
    pub database: Option<Store>,
    /// The handler's way to the database, if it can be cut.
    pub proxy: Option<Proxy>,
}

/// A served page. It stops when this is dropped, for those too who have it open.
pub struct Page {
    url: String,
    _stop: watch::Sender<()>,
}

impl Page {
    /// Serves the page and the Bot API.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(listener: TcpListener, world: World) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, mut stopped) = watch::channel(());
        let shown = Arc::new(Shown {
            run: wall_clock(),
            world,
            only_here: address.ip().is_loopback(),
            races: Mutex::default(),
            cut_until: Mutex::default(),
            truth: watch::Sender::default(),
            reading: tokio::sync::Mutex::default(),
            changed: watch::Sender::default(),
            stopped: stopped.clone(),
        });
        tokio::spawn(truth::keep_reading(Arc::downgrade(&shown)));
        let stop_serving = async move { drop(stopped.changed().await) };
        tokio::spawn(crate::http::server::run(listener, stop_serving, move |request| {
            let shown = Arc::clone(&shown);
            async move { respond(shown, request).await }
        }));
        Ok(Self { url: format!("http://{}", reachable(address)), _stop: stop })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// An address that a browser on this machine can open.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    address
}

/// The world, and what the page adds to it.
struct Shown {
    /// Tells this run of the program from the one before.
    run: f64,
    world: World,
    /// It listens on this machine's own address, and answers nobody who calls it by another name.
    only_here: bool,
    races: Mutex<Vec<Race>>,
    /// In milliseconds since 1970.
    cut_until: Mutex<Option<f64>>,
    truth: watch::Sender<truth::Topics>,
    /// Held by whoever reads the truth: an older one is not to come after a newer one.
    reading: tokio::sync::Mutex<()>,
    /// Word of changes that the local Telegram does not tell of.
    changed: watch::Sender<()>,
    /// Its sender is gone when the page is.
    stopped: watch::Receiver<()>,
}

/// Masters who tapped the same button at once. What came of it is in the updates.
#[derive(Clone, Debug, Serialize)]
struct Race {
    number: usize,
    order: i64,
    bot: i64,
    updates: Vec<i64>,
}

type Answer = Response<UnsyncBoxBody<Bytes, std::convert::Infallible>>;

/// The largest request that the page makes, in bytes.
const ACTION_LIMIT: usize = 64 * 1024;

/// What a browser may do with the page: show it, and talk to where it came from.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'self'; frame-ancestors 'none'; base-uri 'none'");

async fn respond(shown: Arc<Shown>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    // A page from elsewhere is not to reach a developer's own machine: not by a name that leads here …
    if shown.only_here && !request.headers().get(HOST).is_some_and(names_this_machine) {
        return text(StatusCode::FORBIDDEN, "open the page by the address that the program printed");
    }
    let is_file = path != "/events" && path != "/open" && !path.starts_with("/bot");
    if request.method() == Method::GET && is_file {
        return file(&path);
    }
    // … nor by a script or a form, which may show the page and no more.
    if !is_from_here(request.headers()) {
        return text(StatusCode::FORBIDDEN, "not for other sites");
    }
    if path.starts_with("/bot") {
        return shown.world.telegram.respond(request).await.map(BodyExt::boxed_unsync);
    }
    match (request.method().clone(), path.as_str()) {
        (Method::GET, "/events") => feed::stream(&shown),
        (Method::GET, "/open") => open(&shown, request.uri().query().unwrap_or_default()),
        (Method::POST, path) if path.starts_with("/do/") => {
            // No form of another site can send this, and no script without asking first.
            if request.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
                return text(StatusCode::FORBIDDEN, "expected JSON from the page itself");
            }
            let Ok(body) = Limited::new(request.into_body(), ACTION_LIMIT).collect().await else {
                return text(StatusCode::BAD_REQUEST, "the request is too large, or ended early");
            };
            // A task of its own: a tab that is closed does not stop what it has begun.
            let name = path["/do/".len()..].to_owned();
            let action = tokio::spawn(async move { actions::act(&shown, &name, &body.to_bytes()).await });
            match action.await.unwrap_or_else(|error| Err(error.to_string())) {
                Ok(made) => content(StatusCode::OK, "application/json", made.to_string()),
                Err(why) => content(StatusCode::BAD_REQUEST, "application/json", json!({"error": why}).to_string()),
            }
        }
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "only GET, and POST to /do/…"),
    }
}

/// Opens a page from a button of somebody's chat, as Telegram does: the page is told who opens it.
fn open(shown: &Shown, query: &str) -> Answer {
    let asked =
        |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value);
    let number = |name: &str| asked(name)?.parse::<i64>().ok();
    let telegram = &shown.world.telegram;
    let chat = number("bot")
        .zip(number("person"))
        .and_then(|(bot, person)| telegram.token(bot).and_then(|token| telegram.known_chat(&token, person)));
    let address = chat.zip(asked("page")).and_then(|(chat, page)| chat.open_page(&page));
    let Some(address) = address.and_then(|address| HeaderValue::try_from(address).ok()) else {
        return text(StatusCode::NOT_FOUND, "no button opens that page");
    };
    let mut answer = text(StatusCode::SEE_OTHER, "");
    answer.headers_mut().insert(LOCATION, address);
    answer
}

fn names_this_machine(host: &HeaderValue) -> bool {
    let host = host.to_str().unwrap_or_default();
    let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = port.map_or(host, |(name, _)| name).trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Browsers say who asks; whoever opens the page by its address is nobody's site. Others than browsers say nothing.
fn is_from_here(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none")
}

fn file(path: &str) -> Answer {
    const JAVASCRIPT: &str = "text/javascript";
    let (kind, body) = match path {
        "/" => ("text/html", include_str!("page/index.html")),
        "/style.css" => ("text/css", include_str!("page/style.css")),
        "/icon.svg" => ("image/svg+xml", include_str!("page/icon.svg")),
        "/main.js" => (JAVASCRIPT, include_str!("page/main.js")),
        "/dom.js" => (JAVASCRIPT, include_str!("page/dom.js")),
        "/message.js" => (JAVASCRIPT, include_str!("page/message.js")),
        "/phone.js" => (JAVASCRIPT, include_str!("page/phone.js")),
        "/truth.js" => (JAVASCRIPT, include_str!("page/truth.js")),
        "/updates.js" => (JAVASCRIPT, include_str!("page/updates.js")),
        "/race.js" => (JAVASCRIPT, include_str!("page/race.js")),
        "/faults.js" => (JAVASCRIPT, include_str!("page/faults.js")),
        "/forms.js" => (JAVASCRIPT, include_str!("page/forms.js")),
        _ => return text(StatusCode::NOT_FOUND, "no such page"),
    };
    let mut answer = content(StatusCode::OK, kind, body);
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    answer
}

fn text(status: StatusCode, words: &'static str) -> Answer {
    content(status, "text/plain; charset=utf-8", words)
}

fn content(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()).boxed_unsync());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // Another version of the program may listen here next.
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

impl Shown {
    fn set_cut_until(&self, until: Option<f64>) {
        *self.cut_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        self.changed.send_replace(());
    }
}
