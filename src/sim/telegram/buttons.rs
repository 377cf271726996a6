//! Buttons under a message.
//! <https://core.telegram.org/bots/api#inlinekeyboardbutton>

use serde::Serialize;
use serde_json::{Value, json};

use super::html::utf16_length;

/// A button: it sends something, copies something or opens something, never two of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What it says.
    pub text: String,
    /// What it sends; nothing if it does something else.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub data: String,
    /// What it copies, without a word to the bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    /// What it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The page that it opens inside Telegram, which tells that page who did so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_app: Option<String>,
    /// Its colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
}

/// A button's colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Green.
    Success,
    /// Red.
    Danger,
    /// Blue.
    Primary,
}

impl Button {
    /// Reads the rows of a reply markup.
    ///
    /// # Errors
    /// What the Bot API says after "Bad Request: ".
    pub(super) fn rows(markup: &Value) -> Result<Vec<Vec<Self>>, String> {
        let rows = match &markup["inline_keyboard"] {
            Value::Null => return Ok(Vec::new()),
            rows => rows.as_array().ok_or("object expected as reply markup")?,
        };
        let row = |row: &Value| {
            let row = row
                .as_array()
                .ok_or("field \"inline_keyboard\" of the InlineKeyboardMarkup must be an Array of Arrays")?;
            row.iter().map(Self::parse).collect::<Result<Vec<_>, String>>()
        };
        let mut rows = rows.iter().map(row).collect::<Result<Vec<_>, String>>()?;
        rows.retain(|row| !row.is_empty());
        Ok(rows)
    }

    fn parse(button: &Value) -> Result<Self, String> {
        let unreadable = |why: &str| format!("can't parse inline keyboard button: {why}");
        let text = button["text"].as_str().ok_or_else(|| unreadable("Can't find field \"text\""))?;
        let style = match button["style"].as_str().map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "default") => None,
            Some("success") => Some(Style::Success),
            Some("danger") => Some(Style::Danger),
            Some("primary") => Some(Style::Primary),
            Some(_) => return Err(unreadable("invalid button style specified")),
        };
        let string = |field: &str| button[field].as_str().filter(|value| !value.is_empty()).map(ToOwned::to_owned);
        let (data, url) = (string("callback_data"), string("url"));
        let copy = match &button["copy_text"] {
            Value::Null => None,
            copy => Some(copy["text"].as_str().ok_or_else(|| unreadable("Can't find field \"text\""))?.to_owned()),
        };
        let web_app = match &button["web_app"] {
            Value::Null => None,
            page => Some(web_app(page).map_err(|why| unreadable(&why))?),
        };
        match [data.is_some(), url.is_some(), copy.is_some(), web_app.is_some()]
            .into_iter()
            .filter(|there| *there)
            .count()
        {
            0 => return Err(unreadable("Text buttons are unallowed in the inline keyboard")),
            1 => {}
            // The Bot API takes the first that it looks for, and the others are lost without a word.
            _ => return Err(unreadable("exactly one of callback_data, url, web_app and copy_text must be used")),
        }
        if text.is_empty() {
            return Err("inline keyboard button text must be non-empty".to_owned());
        }
        if data.as_ref().is_some_and(|data| data.len() > 64) {
            return Err("BUTTON_DATA_INVALID".to_owned());
        }
        if copy.as_ref().is_some_and(|copy| !(1..=256).contains(&utf16_length(copy))) {
            return Err("BUTTON_COPY_TEXT_INVALID".to_owned());
        }
        if url.as_ref().is_some_and(|url| !["http://", "https://", "tg://"].iter().any(|known| url.starts_with(known)))
        {
            return Err("BUTTON_URL_INVALID".to_owned());
        }
        Ok(Self { text: text.to_owned(), data: data.unwrap_or_default(), copy, url, web_app, style })
    }

    /// As the Bot API tells it.
    pub(super) fn json(&self) -> Value {
        let mut json = json!({"text": self.text});
        if let Some(copy) = &self.copy {
            json["copy_text"] = json!({"text": copy});
        } else if let Some(url) = &self.url {
            json["url"] = json!(url);
        } else if let Some(url) = &self.web_app {
            json["web_app"] = json!({"url": url});
        } else {
            json["callback_data"] = json!(self.data);
        }
        if let Some(style) = self.style {
            json["style"] = json!(style);
        }
        json
    }
}

/// The address of a page that opens inside Telegram: with TLS, unless it is on this machine.
///
/// # Errors
/// What the Bot API says after "Bad Request: ".
pub(super) fn web_app(page: &Value) -> Result<String, String> {
    let url = page["url"].as_str().ok_or("Can't find field \"url\"")?;
    if !["https://", "http://127.0.0.1:", "http://localhost:"].iter().any(|known| url.starts_with(known)) {
        return Err(format!("Web App URL '{url}' is invalid: Only HTTPS links are allowed"));
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Button, Style};

    fn one(button: &Value) -> Result<Button, String> {
        Button::rows(&json!({"inline_keyboard": [[button]]})).map(|mut rows| rows.remove(0).remove(0))
    }

    #[test]
    fn a_button_does_exactly_one_thing() {
        for (bad, why) in [
            (
                json!({"text": "x"}),
                "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            ),
            (json!({"text": "x", "callback_data": ""}), "Text buttons are unallowed"),
            (json!({"text": "x", "callback_data": "a", "copy_text": {"text": "b"}}), "exactly one"),
            (json!({"text": "x", "callback_data": "a", "url": "https://example.org"}), "exactly one"),
            (json!({"text": "", "callback_data": "a"}), "must be non-empty"),
            (json!({"callback_data": "a"}), "Can't find field \"text\""),
            (json!({"text": "x", "callback_data": "a".repeat(65)}), "BUTTON_DATA_INVALID"),
            (json!({"text": "x", "copy_text": {}}), "Can't find field \"text\""),
            (json!({"text": "x", "copy_text": {"text": ""}}), "BUTTON_COPY_TEXT_INVALID"),
            (json!({"text": "x", "copy_text": {"text": "я".repeat(257)}}), "BUTTON_COPY_TEXT_INVALID"),
            (json!({"text": "x", "url": "javascript:alert(1)"}), "BUTTON_URL_INVALID"),
            (json!({"text": "x", "web_app": {"url": "http://example.org"}}), "Only HTTPS links are allowed"),
            (json!({"text": "x", "web_app": {}}), "Can't find field \"url\""),
            (json!({"text": "x", "callback_data": "a", "style": "pink"}), "invalid button style specified"),
        ] {
            let refused = one(&bad).expect_err("refused");
            assert!(refused.contains(why), "{bad}: {refused}");
        }
    }

    #[test]
    fn what_a_button_does_is_told_as_it_was_said() {
        for good in [
            json!({"text": "x", "callback_data": "a".repeat(64), "style": "success"}),
            json!({"text": "x", "copy_text": {"text": "я".repeat(256)}, "style": "primary"}),
            json!({"text": "x", "url": "https://example.org"}),
            json!({"text": "x", "web_app": {"url": "https://example.org/app"}}),
        ] {
            assert_eq!(one(&good).expect("a button").json(), good);
        }
        let red = one(&json!({"text": "x", "callback_data": "a", "style": "DANGER"})).expect("a button");
        assert_eq!(red.style, Some(Style::Danger));
        assert_eq!(Button::rows(&Value::Null), Ok(Vec::new()));
    }
}
