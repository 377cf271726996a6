//! The Bot API's HTTP face: `/bot<token>/<method>`, JSON in, JSON out.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::lock;
use super::model::{self, Answer, Button, Call, Fault, Message, Model, Webhook};
use crate::sim::html;

pub(super) async fn serve(listener: TcpListener, model: Arc<Mutex<Model>>, stop: impl Future<Output = ()>) {
    crate::server::run(listener, stop, move |request| respond(Arc::clone(&model), request)).await;
}

/// The status and description of a refusal.
type Refusal = (u16, String);

async fn respond(model: Arc<Mutex<Model>>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let (token, method) = path.strip_prefix("/bot").and_then(|path| path.split_once('/')).unwrap_or_default();
    let params: Value = serde_json::from_slice(&body).unwrap_or_default();

    let fault = lock(&model).next_fault(method);
    let answer = match fault {
        Some(Fault::Hang) => {
            record(&model, method, &params, 0);
            std::future::pending().await
        }
        Some(Fault::BadGateway) => {
            record(&model, method, &params, 502);
            return reply(502, "<html><body><h1>502 Bad Gateway</h1></body></html>".to_owned());
        }
        Some(Fault::TooManyRequests(seconds)) => {
            Err((429, format!("Too Many Requests: retry after {seconds}"), Some(seconds)))
        }
        Some(Fault::Forbidden) => Err((403, "Forbidden: bot was blocked by the user".to_owned(), None)),
        Some(Fault::ServerError) => Err((500, "Internal Server Error".to_owned(), None)),
        None => call(&mut lock(&model), token, method, &params).map_err(|(code, why)| (code, why, None)),
    };
    let (status, answer) = match answer {
        Ok(result) => (200, json!({"ok": true, "result": result})),
        Err((code, description, retry_after)) => {
            let mut answer = json!({"ok": false, "error_code": code, "description": description});
            if let Some(seconds) = retry_after {
                answer["parameters"] = json!({"retry_after": seconds});
            }
            (code, answer)
        }
    };
    record(&model, method, &params, status);
    reply(status, answer.to_string())
}

fn record(model: &Mutex<Model>, method: &str, params: &Value, status: u16) {
    lock(model).calls.push(Call { method: method.to_owned(), params: params.clone(), status, at: Instant::now() });
}

fn reply(status: u16, body: String) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Full::from(body)).expect("a response from constant parts")
}

fn call(model: &mut Model, token: &str, method: &str, params: &Value) -> Result<Value, Refusal> {
    if !model.knows_bot(token) {
        return Err((401, "Unauthorized".to_owned()));
    }
    match method {
        "sendMessage" => send(model, token, params),
        "editMessageText" => edit(model, token, params),
        "answerCallbackQuery" => answer(model, params),
        "setWebhook" => set_webhook(model, token, params),
        "deleteWebhook" => {
            model.set_webhook(token, None);
            Ok(json!(true))
        }
        "getWebhookInfo" => {
            let url = model.webhook(token).map(|webhook| webhook.url).unwrap_or_default();
            let mut info = json!({
                "url": url, "has_custom_certificate": false, "pending_update_count": model.trouble.waiting_updates,
            });
            if let Some((date, message)) = &model.trouble.last_error {
                info["last_error_date"] = json!(date);
                info["last_error_message"] = json!(message);
            }
            Ok(info)
        }
        _ => Err((404, "Not Found".to_owned())),
    }
}

fn send(model: &mut Model, token: &str, params: &Value) -> Result<Value, Refusal> {
    let (text, html, buttons) = content(params)?;
    let person = chat_id(params)?;
    let messages = model.reachable(token, person).map_err(owned)?;
    let id = model::next_id(messages);
    messages.push(Message { id, from_bot: true, text, html, buttons, edits: 0 });
    Ok(sent(token, person, &messages[messages.len() - 1]))
}

fn edit(model: &mut Model, token: &str, params: &Value) -> Result<Value, Refusal> {
    let (text, html, buttons) = content(params)?;
    let person = chat_id(params)?;
    let messages = model.reachable(token, person).map_err(owned)?;
    let message = messages
        .iter_mut()
        .find(|message| params["message_id"] == message.id)
        .ok_or_else(|| refusal("message to edit not found"))?;
    if !message.from_bot {
        return Err(refusal("message can't be edited"));
    }
    if message.html == html && message.buttons == buttons {
        return Err(refusal(
            "message is not modified: specified new message content and reply markup are exactly the same as a \
             current content and reply markup of the message",
        ));
    }
    (message.text, message.html, message.buttons) = (text, html, buttons);
    message.edits += 1;
    Ok(sent(token, person, message))
}

fn answer(model: &mut Model, params: &Value) -> Result<Value, Refusal> {
    let text = params["text"].as_str().map(ToOwned::to_owned);
    if text.as_ref().is_some_and(|text| length(text) > 200) {
        return Err(refusal("MESSAGE_TOO_LONG"));
    }
    let query = params["callback_query_id"].as_str().unwrap_or_default();
    let alert = params["show_alert"].as_bool().unwrap_or(false);
    model.answer(query, Answer { text, alert }).map_err(owned)?;
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
    let url = params["url"].as_str().unwrap_or_default().to_owned();
    model.set_webhook(token, Some(Webhook { url, secret }).filter(|webhook| !webhook.url.is_empty()));
    Ok(json!(true))
}

/// The visible text, the text as sent, and the buttons, or why they are refused.
fn content(params: &Value) -> Result<(String, String, Vec<Vec<Button>>), Refusal> {
    let html = params["text"].as_str().unwrap_or_default();
    let text = match params["parse_mode"].as_str() {
        Some("HTML") => html::visible_text(html).map_err(|why| refusal(&format!("can't parse entities: {why}")))?,
        Some(mode) => return Err(refusal(&format!("unsupported parse_mode {mode}"))),
        None => html.to_owned(),
    };
    if text.trim().is_empty() {
        return Err(refusal("message text is empty"));
    }
    if length(&text) > 4096 {
        return Err(refusal("message is too long"));
    }
    let rows = params["reply_markup"]["inline_keyboard"].as_array().map(Vec::as_slice).unwrap_or_default();
    let buttons = rows
        .iter()
        .map(|row| row.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(button).collect())
        .collect::<Result<_, _>>()?;
    Ok((text, html.to_owned(), buttons))
}

fn button(button: &Value) -> Result<Button, Refusal> {
    let text = button["text"].as_str().unwrap_or_default();
    let data = button["callback_data"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Err(refusal("inline keyboard button text must be non-empty"));
    }
    if !(1..=64).contains(&data.len()) {
        return Err(refusal("BUTTON_DATA_INVALID"));
    }
    Ok(Button { text: text.to_owned(), data: data.to_owned() })
}

fn sent(token: &str, person: i64, message: &Message) -> Value {
    let bot = json!({"id": model::bot_id(token), "is_bot": true, "first_name": "Заявки"});
    model::message_json(message, &bot, &json!({"id": person, "first_name": "…", "type": "private"}))
}

fn chat_id(params: &Value) -> Result<i64, Refusal> {
    params["chat_id"].as_i64().ok_or_else(|| refusal("chat_id is empty"))
}

/// Characters as Telegram counts them.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn refusal(why: &str) -> Refusal {
    (400, format!("Bad Request: {why}"))
}

fn owned((code, why): (u16, &'static str)) -> Refusal {
    (code, why.to_owned())
}
