//! Why Telegram refused a call, in our own words.
//!
//! Telegram's description quotes what it was given: «can't parse entities … "+7999… name"». It is compared with what is
//! known here and dropped: no part of it gets into an error, and so into a log line.

use std::fmt;

use serde::Deserialize;

use super::Error;

/// Why Telegram refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The person blocked the bot.
    Blocked,
    /// The person deleted the account.
    Deactivated,
    /// The person never opened the bot.
    NeverOpened,
    /// There is no such chat, or the bot was never in it.
    ChatNotFound,
    /// The message says so already.
    NotModified,
    /// The message to change is gone.
    MessageNotFound,
    /// The message is too old to be changed, or somebody else's.
    NotEditable,
    /// The callback was answered too late, or is not known.
    QueryTooOld,
    /// The text is not Telegram's HTML.
    BadHtml,
    /// There is no text.
    EmptyText,
    /// The text is too long.
    LongText,
    /// A button cannot be shown.
    BadButton,
    /// The webhook's address is not one that Telegram delivers to.
    BadWebhook,
    /// The token is not a bot's.
    BadToken,
    /// Updates are not told to who asks for them, as there is a webhook.
    HasWebhook,
    /// Somebody else asks for this bot's updates.
    AskedElsewhere,
    /// Anything else.
    Other,
}

/// How the descriptions begin that are known, behind «Bad Request: » and the like. Not what they contain: the rest may
/// quote a person, who can write «chat not found».
const KNOWN: [(&str, Refusal); 35] = [
    ("bot was blocked by the user", Refusal::Blocked),
    ("user is deactivated", Refusal::Deactivated),
    ("bot can't initiate conversation with a user", Refusal::NeverOpened),
    ("bot can't send messages to", Refusal::NeverOpened),
    ("chat not found", Refusal::ChatNotFound),
    ("user not found", Refusal::ChatNotFound),
    // The server behind the Bot API. <https://core.telegram.org/method/messages.sendMessage#possible-errors>
    ("PEER_ID_INVALID", Refusal::ChatNotFound),
    ("USER_ID_INVALID", Refusal::ChatNotFound),
    ("CHAT_WRITE_FORBIDDEN", Refusal::Blocked),
    ("USER_IS_BLOCKED", Refusal::Blocked),
    ("INPUT_USER_DEACTIVATED", Refusal::Deactivated),
    ("USER_DEACTIVATED", Refusal::Deactivated),
    ("message is not modified", Refusal::NotModified),
    ("message to edit not found", Refusal::MessageNotFound),
    ("MESSAGE_ID_INVALID", Refusal::MessageNotFound),
    ("message to delete not found", Refusal::MessageNotFound),
    ("message can't be edited", Refusal::NotEditable),
    ("message can't be deleted", Refusal::NotEditable),
    ("query is too old", Refusal::QueryTooOld),
    ("query ID is invalid", Refusal::QueryTooOld),
    ("QUERY_ID_INVALID", Refusal::QueryTooOld),
    ("can't parse entities", Refusal::BadHtml),
    ("message text is empty", Refusal::EmptyText),
    ("text must be non-empty", Refusal::EmptyText),
    ("message is too long", Refusal::LongText),
    ("MESSAGE_TOO_LONG", Refusal::LongText),
    ("BUTTON_", Refusal::BadButton),
    ("can't parse reply keyboard markup", Refusal::BadButton),
    ("bad webhook", Refusal::BadWebhook),
    ("invalid webhook", Refusal::BadWebhook),
    ("Unauthorized", Refusal::BadToken),
    ("Not Found", Refusal::BadToken),
    ("can't use getUpdates method while webhook is active", Refusal::HasWebhook),
    ("terminated by setWebhook request", Refusal::HasWebhook),
    ("terminated by other getUpdates request", Refusal::AskedElsewhere),
];

impl Refusal {
    /// The refusal that a description means.
    fn of(description: &str) -> Self {
        let reason =
            ["Bad Request: ", "Forbidden: ", "Conflict: "].into_iter().find_map(|kind| description.strip_prefix(kind));
        let reason = reason.unwrap_or(description);
        let begins =
            |beginning: &str| reason.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning));
        let known = KNOWN.iter().find(|(beginning, _)| begins(beginning));
        known.map_or(Self::Other, |(_, refusal)| *refusal)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocked => "the person has blocked the bot",
            Self::Deactivated => "the person's account is deleted",
            Self::NeverOpened => "the person has never opened the bot",
            Self::ChatNotFound => "chat not found",
            Self::NotModified => "message is not modified",
            Self::MessageNotFound => "message not found",
            Self::NotEditable => "message can't be changed",
            Self::QueryTooOld => "the callback is too old",
            Self::BadHtml => "can't parse entities",
            Self::EmptyText => "the text is empty",
            Self::LongText => "the text is too long",
            Self::BadButton => "a button is not valid",
            Self::BadWebhook => {
                "bad webhook: the address must be https with a valid certificate, on port 443, 80, 88 or 8443, and its \
                 host must be found"
            }
            Self::BadToken => "no bot has this token",
            Self::HasWebhook => "the bot has a webhook",
            Self::AskedElsewhere => "something else fetches this bot's updates with getUpdates",
            Self::Other => "other",
        })
    }
}

/// What the Bot API says when it refuses. Not frankenstein's type: its `retry_after` ends at 65,535 s, and then the whole
/// answer would not be understood.
#[derive(Deserialize)]
struct Answer {
    error_code: u64,
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
}

/// What an answer means that is not a success.
pub(super) fn read(status: u16, body: &[u8]) -> Error {
    let Ok(Answer { error_code, description, parameters }) = serde_json::from_slice(body) else {
        return Error::NoAnswer(format!("HTTP {status}"));
    };
    let why = Refusal::of(&description);
    match (error_code, why) {
        (429, _) => Error::RetryAfter(parameters.retry_after.unwrap_or(1)),
        // What is not among these is no person's fault: something in between says «Forbidden» too.
        (400 | 403, Refusal::Blocked | Refusal::Deactivated | Refusal::NeverOpened | Refusal::ChatNotFound) => {
            Error::Unreachable(why)
        }
        (400, Refusal::QueryTooOld) => Error::StaleQuery,
        (400, Refusal::MessageNotFound | Refusal::NotEditable) => Error::MessageGone(why),
        (code @ 500.., _) => Error::NoAnswer(format!("HTTP {code}")),
        (code, _) => Error::Refused { code, why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: u16, description: &str) -> Error {
        let answer = serde_json::json!({"ok": false, "error_code": code, "description": description});
        read(code, answer.to_string().as_bytes())
    }

    #[test]
    fn refusals_are_sorted_by_what_they_mean() {
        let flood =
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":100000}}"#;
        assert_eq!(read(429, flood.as_bytes()), Error::RetryAfter(100_000));
        assert_eq!(refusal(429, "Too Many Requests"), Error::RetryAfter(1));
        assert_eq!(refusal(403, "Forbidden: bot was blocked by the user"), Error::Unreachable(Refusal::Blocked));
        for code in [400, 403] {
            for nobody in [
                "Forbidden: user is deactivated",
                "Forbidden: bot can't initiate conversation with a user",
                "Forbidden: bot can't send messages to bots",
                "Bad Request: chat not found",
                "Bad Request: user not found",
                "Bad Request: PEER_ID_INVALID",
                "USER_IS_BLOCKED",
                "Bad Request: INPUT_USER_DEACTIVATED",
            ] {
                assert!(matches!(refusal(code, nobody), Error::Unreachable(_)), "{code} {nobody}");
            }
        }
        // Something in between says so, or something else is not allowed: no person is to blame.
        for other in ["Forbidden", "Forbidden: by the administrator's rules", "Forbidden: not enough rights"] {
            assert!(matches!(refusal(403, other), Error::Refused { code: 403, .. }), "{other}");
        }
        assert_eq!(refusal(400, "Bad Request: query is too old and response timeout expired"), Error::StaleQuery);
        for gone in [
            "message to edit not found",
            "message can't be edited",
            "MESSAGE_ID_INVALID",
            "message to delete not found",
            "message can't be deleted for everyone",
        ] {
            assert!(matches!(refusal(400, &format!("Bad Request: {gone}")), Error::MessageGone(_)), "{gone}");
        }
        for (conflict, why) in [
            ("can't use getUpdates method while webhook is active; use deleteWebhook first", Refusal::HasWebhook),
            ("terminated by other getUpdates request; make sure that only one is running", Refusal::AskedElsewhere),
        ] {
            assert_eq!(refusal(409, &format!("Conflict: {conflict}")), Error::Refused { code: 409, why });
        }
        assert_eq!(refusal(401, "Unauthorized"), Error::Refused { code: 401, why: Refusal::BadToken });
        assert_eq!(refusal(500, "Internal Server Error"), Error::NoAnswer("HTTP 500".to_owned()));
        assert_eq!(read(502, b"<html>+79990001122</html>"), Error::NoAnswer("HTTP 502".to_owned()));
    }

    #[test]
    fn what_telegram_quotes_is_neither_repeated_nor_believed() {
        for quoted in ["+79990001122 Maria", "chat not found", "message is not modified", "line\noffer_accept SUCCESS"]
        {
            let error = refusal(400, &format!("Bad Request: can't parse entities: Unsupported start tag \"{quoted}\""));
            assert_eq!(error, Error::Refused { code: 400, why: Refusal::BadHtml });
            assert_eq!(error.to_string(), "Telegram refused (400): can't parse entities");
            let error = refusal(400, &format!("Bad Request: {quoted} is new"));
            assert!(!format!("{error} {error:?}").contains("+7999") && !error.to_string().contains('\n'), "{error}");
        }
    }
}
