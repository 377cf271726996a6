//! The Bot API's HTTP face: `/bot<token>/<method>`, JSON in, JSON out.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::DATE;
use hyper::{Request, Response};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::buttons::Button;
use super::faults::Fault;
use super::journal::MadeCall;
use super::keyboard::{Command, Under};
use super::model::{Call, Content, Message, Model, Webhook, bot_id, bot_json};
use super::{Shared, html, model, polling, time};

/// How long after a message was sent it can be deleted.
/// <https://core.telegram.org/bots/api#deletemessage>
const DELETABLE: Duration = Duration::from_hours(48);

/// The status and description of a refusal.
type Refusal = (u16, String);

pub(super) async fn respond(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let mut response = respond_undated(shared, request).await;
    let off = shared.change(|model| model.date_off);
    let date = Timestamp::now().saturating_add(SignedDuration::from_secs(off)).unwrap_or_default();
    if let Some(date) =
        DateTimePrinter::new().timestamp_to_rfc9110_string(&date).ok().and_then(|date| date.parse().ok())
    {
        response.headers_mut().insert(DATE, date);
    }
    response
}

async fn respond_undated(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let (token, method) = path.strip_prefix("/bot").and_then(|path| path.split_once('/')).unwrap_or_default();
    let params: Value = serde_json::from_slice(&body).unwrap_or_default();

    let refused = |refusal: Refusal| {
        note(shared, token, method, &params, refusal.0, Some(&refusal.1));
        refusal
    };
    let (result, retry_after) = match shared.change(|model| model.call_meets(token, method, &params)) {
        Some(Fault::Hang) => {
            refused((0, "no answer".to_owned()));
            let _hanging = Hanging::begin(shared);
            std::future::pending().await
        }
        Some(Fault::BadGateway) => {
            refused((502, "a page of HTML".to_owned()));
            return reply(502, "<html><body><h1>502 Bad Gateway</h1></body></html>".to_owned());
        }
        Some(Fault::TooManyRequests(seconds)) => {
            (Err(refused((429, format!("Too Many Requests: retry after {seconds}")))), Some(seconds))
        }
        Some(Fault::BadRequest) => (Err(refused(refusal("can't parse entities: told to"))), None),
        Some(Fault::Forbidden) => (Err(refused((403, "Forbidden: bot was blocked by the user".to_owned()))), None),
        Some(Fault::ServerError) => (Err(refused((500, "Internal Server Error".to_owned()))), None),
        None if method == "getUpdates" => (get_updates(shared, token, &params).await, None),
        None => (carry_out(shared, token, method, &params), None),
    };
    match result {
        Ok(result) => reply(200, json!({"ok": true, "result": result}).to_string()),
        Err((code, description)) => {
            let mut answer = json!({"ok": false, "error_code": code, "description": description});
            if let Some(seconds) = retry_after {
                answer["parameters"] = json!({"retry_after": seconds});
            }
            reply(code, answer.to_string())
        }
    }
}

/// A call that is not answered, until its caller gives up.
struct Hanging<'a>(&'a Shared);

impl<'a> Hanging<'a> {
    fn begin(shared: &'a Shared) -> Self {
        shared.change(|model| model.hanging += 1);
        Self(shared)
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.change(|model| model.hanging -= 1);
    }
}

/// Carries a call out, and notes it.
pub(super) fn carry_out(shared: &Shared, token: &str, method: &str, params: &Value) -> Result<Value, Refusal> {
    noted(shared, token, method, params, shared.change(|model| call(model, token, method, params)))
}

async fn get_updates(shared: &Shared, token: &str, params: &Value) -> Result<Value, Refusal> {
    noted(shared, token, "getUpdates", params, polling::get_updates(shared, token, params).await)
}

/// Notes a call that was answered.
fn noted(
    shared: &Shared,
    token: &str,
    method: &str,
    params: &Value,
    result: Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let (status, refusal) = match &result {
        Ok(_) => (200, None),
        Err((code, why)) => (*code, Some(why.as_str())),
    };
    note(shared, token, method, params, status, refusal);
    result
}

/// What the real server carries out when it is the answer to a webhook.
pub(super) fn may_be_an_answer(method: &str) -> bool {
    let method = method.to_ascii_lowercase();
    !method.starts_with("get") && !["setwebhook", "deletewebhook", "close", "logout"].contains(&method.as_str())
}

fn note(shared: &Shared, token: &str, method: &str, params: &Value, status: u16, refusal: Option<&str>) {
    shared.change(|model| {
        let bot = bot_id(token);
        let refused = refusal.map(ToOwned::to_owned);
        let (method_of, params_of) = (method.to_owned(), params.clone());
        model.remember(Call {
            bot,
            method: method_of,
            params: params_of,
            status,
            refusal: refused,
            at: Instant::now(),
        });
        if let Some(record) = model.journal.concerned(bot, params) {
            let refusal = refusal.map(ToOwned::to_owned);
            record.calls.push(MadeCall { method: method.to_owned(), status, refusal, at: time::wall_clock() });
        }
    });
}

fn reply(status: u16, body: String) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Full::from(body)).expect("a response from constant parts")
}

fn call(model: &mut Model, token: &str, method: &str, params: &Value) -> Result<Value, Refusal> {
    if !model.bots.contains_key(token) {
        return Err((401, "Unauthorized".to_owned()));
    }
    match method {
        "getMe" => Ok(bot_json(token, &model.bot(token).name)),
        "sendMessage" => send(model, token, params),
        "editMessageText" => edit(model, token, params),
        "deleteMessage" => delete(model, token, params),
        "editMessageReplyMarkup" => edit_buttons(model, token, params),
        "answerCallbackQuery" => answer(model, params),
        "setMyCommands" | "getMyCommands" | "deleteMyCommands" => commands(model, token, method, params),
        "setChatMenuButton" => menu_button(model, token, params),
        "setWebhook" => set_webhook(model, token, params),
        "deleteWebhook" => {
            model.bot(token).webhook = None;
            Ok(json!(true))
        }
        "getWebhookInfo" => Ok(webhook_info(model, token)),
        "getChat" => get_chat(model, token, params),
        _ => Err((404, "Not Found".to_owned())),
    }
}

fn send(model: &mut Model, token: &str, params: &Value) -> Result<Value, Refusal> {
    let content = content(params)?;
    let under = Under::parse(&params["reply_markup"]).map_err(|why| refusal(&why))?;
    let person = chat_id(params)?;
    let chat = model.reachable(token, person).map_err(owned)?;
    match under {
        Under::AsBefore => {}
        Under::Nothing => chat.keyboard = None,
        Under::Keyboard(keyboard) => chat.keyboard = Some(keyboard),
    }
    let mut message = Message::new(chat.next_id(), true, content);
    message.silent = params["disable_notification"].as_bool().unwrap_or(false);
    chat.add(message.clone());
    Ok(sent(model, token, person, &message))
}

fn edit(model: &mut Model, token: &str, params: &Value) -> Result<Value, Refusal> {
    let Content { html, text, spans, buttons } = content(params)?;
    let person = chat_id(params)?;
    let message = to_edit(model, token, person, params)?;
    if message.html == html && message.buttons == buttons {
        return Err(refusal(NOT_MODIFIED));
    }
    (message.html, message.text, message.spans, message.buttons) = (html, text, spans, buttons);
    message.edits += 1;
    let message = message.clone();
    Ok(sent(model, token, person, &message))
}

fn delete(model: &mut Model, token: &str, params: &Value) -> Result<Value, Refusal> {
    let chat = model.reachable(token, chat_id(params)?).map_err(owned)?;
    let place = chat.messages.iter().position(|message| params["message_id"] == message.id);
    let place = place.ok_or_else(|| refusal("message to delete not found"))?;
    if time::wall_clock() - chat.messages[place].sent > DELETABLE.as_secs_f64() * 1000.0 {
        return Err(refusal("message can't be deleted for everyone"));
    }
    chat.messages.remove(place);
    Ok(json!(true))
}

/// Other buttons, or none, under the same text.
fn edit_buttons(model: &mut Model, token: &str, params: &Value) -> Result<Value, Refusal> {
    let buttons = Button::rows(&params["reply_markup"]).map_err(|why| refusal(&why))?;
    let person = chat_id(params)?;
    let message = to_edit(model, token, person, params)?;
    if message.buttons == buttons {
        return Err(refusal(NOT_MODIFIED));
    }
    message.buttons = buttons;
    message.edits += 1;
    let message = message.clone();
    Ok(sent(model, token, person, &message))
}

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the same \
                            as a current content and reply markup of the message";

/// The message that is meant, if the bot may change it.
fn to_edit<'a>(model: &'a mut Model, token: &str, person: i64, params: &Value) -> Result<&'a mut Message, Refusal> {
    let messages = &mut model.reachable(token, person).map_err(owned)?.messages;
    let message = messages.iter_mut().find(|message| params["message_id"] == message.id);
    let message = message.ok_or_else(|| refusal("message to edit not found"))?;
    if !message.from_bot {
        return Err(refusal("message can't be edited"));
    }
    Ok(message)
}

fn answer(model: &mut Model, params: &Value) -> Result<Value, Refusal> {
    let text = params["text"].as_str().map(ToOwned::to_owned);
    if text.as_ref().is_some_and(|text| html::utf16_length(text) > 200) {
        return Err(refusal("MESSAGE_TOO_LONG"));
    }
    let query = params["callback_query_id"].as_str().unwrap_or_default();
    let alert = params["show_alert"].as_bool().unwrap_or(false);
    model.answer(query, text, alert).map_err(owned)?;
    Ok(json!(true))
}

/// The commands of one chat; those of other scopes are nobody's here.
fn commands(model: &mut Model, token: &str, method: &str, params: &Value) -> Result<Value, Refusal> {
    let scope = &params["scope"];
    if scope["type"] != "chat" {
        return Err(refusal("only the scope chat is known here"));
    }
    let chat = model.reachable(token, chat_id(scope)?).map_err(owned)?;
    match method {
        "getMyCommands" => return Ok(json!(chat.commands)),
        "deleteMyCommands" => chat.commands = Vec::new(),
        _ => chat.commands = Command::list(&params["commands"]).map_err(|why| refusal(&why))?,
    }
    Ok(json!(true))
}

/// The button beside the field of one chat.
fn menu_button(model: &mut Model, token: &str, params: &Value) -> Result<Value, Refusal> {
    let chat = model.reachable(token, chat_id(params)?).map_err(owned)?;
    let button = &params["menu_button"];
    chat.menu_button = match button["type"].as_str() {
        None | Some("default" | "commands") => None,
        Some("web_app") => {
            let text = button["text"].as_str().filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| refusal("menu button text must be non-empty"))?.to_owned();
            let url = super::buttons::web_app(&button["web_app"]).map_err(|why| refusal(&why))?;
            Some(Button { text, web_app: Some(url), ..Button::default() })
        }
        Some(_) => return Err(refusal("unsupported MenuButton type")),
    };
    Ok(json!(true))
}

fn set_webhook(model: &mut Model, token: &str, params: &Value) -> Result<Value, Refusal> {
    let secret = params["secret_token"].as_str().map(ToOwned::to_owned);
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if secret.as_ref().is_some_and(|secret| secret.is_empty() || secret.len() > 256 || !secret.chars().all(allowed)) {
        return Err(refusal("secret token contains unallowed characters"));
    }
    if params["max_connections"].as_u64().is_some_and(|connections| !(1..=100).contains(&connections)) {
        return Err(refusal("max_connections must be between 1 and 100"));
    }
    model.allow(token, params);
    let url = params["url"].as_str().unwrap_or_default().to_owned();
    let webhook = Some(Webhook { url, secret }).filter(|webhook| !webhook.url.is_empty());
    if webhook.is_some() {
        model.bot(token).polls.end();
    }
    model.bot(token).webhook = webhook;
    Ok(json!(true))
}

fn webhook_info(model: &mut Model, token: &str) -> Value {
    let waiting = model.waiting(token);
    let bot = model.bot(token);
    let url = bot.webhook.as_ref().map(|webhook| webhook.url.clone()).unwrap_or_default();
    let mut info = json!({"url": url, "has_custom_certificate": false, "pending_update_count": waiting});
    if let Some(kinds) = &bot.allowed_updates {
        info["allowed_updates"] = json!(kinds);
    }
    if let Some((date, message)) = &bot.last_error {
        info["last_error_date"] = json!(date);
        info["last_error_message"] = json!(message);
    }
    let said = bot.info.as_object().cloned().unwrap_or_default();
    for (name, value) in said {
        info[name] = value;
    }
    info
}

/// A chat is known once its person has opened it, whether or not the bot is blocked there.
fn get_chat(model: &mut Model, token: &str, params: &Value) -> Result<Value, Refusal> {
    let person = chat_id(params)?;
    if !model.conversation(token, person).open {
        return Err(refusal("chat not found"));
    }
    Ok(model::private_chat(&model.user(person)))
}

/// What is to be shown, or why it is refused.
fn content(params: &Value) -> Result<Content, Refusal> {
    let html = params["text"].as_str().unwrap_or_default();
    let spans = match params["parse_mode"].as_str() {
        Some("HTML") => html::parse(html).map_err(|why| refusal(&format!("can't parse entities: {why}")))?,
        Some(mode) => return Err(refusal(&format!("unsupported parse_mode {mode}"))),
        None => vec![html::Span::plain(html)],
    };
    let text = html::text_of(&spans);
    if text.trim().is_empty() {
        return Err(refusal("message text is empty"));
    }
    if html::utf16_length(&text) > 4096 {
        return Err(refusal("message is too long"));
    }
    let buttons = Button::rows(&params["reply_markup"]).map_err(|why| refusal(&why))?;
    Ok(Content { html: html.to_owned(), text, spans, buttons })
}

fn sent(model: &mut Model, token: &str, person: i64, message: &Message) -> Value {
    let name = model.people.get(&person).cloned().unwrap_or_default();
    let chat = json!({"id": person, "first_name": name, "type": "private"});
    model::message_json(message, &bot_json(token, &model.bot(token).name), &chat)
}

fn chat_id(params: &Value) -> Result<i64, Refusal> {
    params["chat_id"].as_i64().ok_or_else(|| refusal("chat_id is empty"))
}

fn refusal(why: &str) -> Refusal {
    (400, format!("Bad Request: {why}"))
}

fn owned((code, why): (u16, &'static str)) -> Refusal {
    (code, why.to_owned())
}
