//! Telegram's HTML subset, judged as strictly as the Bot API does.
//! <https://core.telegram.org/bots/api#html-style>

use serde::Serialize;

/// A run of text with the same formatting throughout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// What a person reads.
    pub text: String,
    /// The tags around it, outermost first, each by its shortest name: `b`, not `strong`; `expandable` is a quotation
    /// that is folded.
    pub tags: Vec<&'static str>,
    /// Where it leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The time that is shown instead of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// A time, shown in the reader's language and time zone.
/// <https://core.telegram.org/bots/api#date-time-entity-formatting>
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Time {
    /// Seconds since 1970.
    pub unix: i32,
    /// `r`: relative to now. Else any of `w` (day of the week), `d` or `D` (short or long date), `t` or `T` (short or
    /// long time); none: the text itself.
    pub format: String,
}

impl Span {
    /// Text without formatting.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), tags: Vec::new(), link: None, time: None }
    }
}

/// What a person sees of `html`.
///
/// # Errors
/// What the Bot API says after "can't parse entities: "; or what is wrong with formatting that the Bot API takes, and
/// drops without a word: a time that is none, entities where they cannot be.
pub fn parse(html: &str) -> Result<Vec<Span>, String> {
    let mut spans: Vec<Span> = Vec::new();
    let mut open: Vec<Tag> = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let offset = html.len() - rest.len();
        let at = |why: String| format!("{why} at byte offset {offset}");
        if let Some(tag) = rest.strip_prefix('<') {
            if let Some(end) = tag.strip_prefix('/') {
                let (name, after) = end.split_once('>').ok_or_else(|| at("Unclosed end tag".to_owned()))?;
                rest = after;
                close(&mut open, name.trim_end(), &spans).map_err(at)?;
            } else {
                let (tag, after) = Tag::parse(tag, text_length(&spans)).map_err(at)?;
                rest = after;
                may_be_inside(tag.kind, &open).map_err(at)?;
                open.push(tag);
            }
        } else if rest.starts_with('&') {
            let (character, length) = entity(rest);
            append(&mut spans, &open, character.encode_utf8(&mut [0; 4]));
            rest = &rest[length..];
        } else {
            let end = rest.find(['<', '&']).unwrap_or(rest.len());
            append(&mut spans, &open, &rest[..end]);
            rest = &rest[end..];
        }
    }
    match open.pop() {
        Some(tag) => Err(format!("Can't find end tag corresponding to start tag \"{}\"", tag.name)),
        None => Ok(spans),
    }
}

/// The text of spans, without formatting.
#[must_use]
pub fn text_of(spans: &[Span]) -> String {
    spans.iter().map(|span| span.text.as_str()).collect()
}

/// Characters as Telegram counts them.
pub(super) fn utf16_length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn text_length(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.text.len()).sum()
}

struct Tag {
    name: String,
    kind: &'static str,
    link: Option<String>,
    time: Option<Time>,
    /// How much text there was before it.
    from: usize,
}

impl Tag {
    /// A start tag from behind its `<`, and what comes after it.
    fn parse(tag: &str, from: usize) -> Result<(Self, &str), String> {
        let end = tag.find(|c: char| c.is_ascii_whitespace() || c == '>').ok_or("Unclosed start tag")?;
        let name = tag[..end].to_ascii_lowercase();
        let mut kind = match name.as_str() {
            "b" | "strong" => "b",
            "i" | "em" => "i",
            "u" | "ins" => "u",
            "s" | "strike" | "del" => "s",
            "a" => "a",
            "code" => "code",
            "pre" => "pre",
            "blockquote" => "blockquote",
            "tg-emoji" => "emoji",
            "tg-spoiler" | "span" => "spoiler",
            "tg-time" => "time",
            _ => return Err(format!("Unsupported start tag \"{name}\"")),
        };
        let (attributes, after) = attributes(&tag[end..], &name)?;
        let value = |wanted: &str| attributes.iter().rfind(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
        if name == "span" && value("class").as_deref() != Some("tg-spoiler") {
            return Err("Tag \"span\" must have class \"tg-spoiler\"".to_owned());
        }
        if kind == "blockquote" && value("expandable").is_some() {
            kind = "expandable";
        }
        let time = match kind {
            "time" => Some(Time::parse(value("unix"), value("format"))?),
            _ => None,
        };
        let link = value("href").filter(|_| kind == "a");
        Ok((Self { name, kind, link, time, from }, after))
    }
}

impl Time {
    /// The Bot API refuses a wrong format, and shows a tag with a wrong time as if there were none.
    fn parse(unix: Option<String>, format: Option<String>) -> Result<Self, String> {
        let unix = unix.ok_or("Tag \"tg-time\" must have attribute \"unix\"")?;
        let digits = unix.bytes().all(|byte| byte.is_ascii_digit());
        let unix = unix.parse().ok().filter(|unix: &i32| digits && *unix > 0);
        let unix = unix.ok_or("Attribute \"unix\" of tag \"tg-time\" must be seconds since 1970")?;
        let format = format.unwrap_or_default();
        if !["r", "R"].contains(&format.as_str()) && !format.chars().all(|c| "tTdDwW".contains(c)) {
            return Err("Invalid date format used".to_owned());
        }
        Ok(Self { unix, format })
    }
}

/// Entities that contain none and are part of none, but of a quotation.
const PLAIN_INSIDE: [&str; 3] = ["code", "pre", "time"];
const QUOTATIONS: [&str; 2] = ["blockquote", "expandable"];

/// The Bot API takes what is nested otherwise, and shows only a part of its formatting.
/// <https://core.telegram.org/bots/api#formatting-options>
fn may_be_inside(kind: &str, open: &[Tag]) -> Result<(), String> {
    let program = |around: &str| ["code", "pre"].contains(&kind) && ["code", "pre"].contains(&around) && kind != around;
    let allowed = |around: &str| match kind {
        _ if program(around) => true,
        _ if PLAIN_INSIDE.contains(&around) => false,
        _ if PLAIN_INSIDE.contains(&kind) => QUOTATIONS.contains(&around),
        _ if QUOTATIONS.contains(&kind) => !QUOTATIONS.contains(&around) && around != "a",
        _ => true,
    };
    match open.iter().find(|tag| !allowed(tag.kind)) {
        Some(around) => Err(format!("Entity \"{kind}\" can't be part of entity \"{}\"", around.kind)),
        None => Ok(()),
    }
}

fn close(open: &mut Vec<Tag>, name: &str, spans: &[Span]) -> Result<(), String> {
    let Some(expected) = open.pop() else { return Err("Unexpected end tag".to_owned()) };
    let name = name.to_ascii_lowercase();
    if !name.is_empty() && name != expected.name {
        return Err(format!("Unmatched end tag, expected \"</{}>\", found \"</{name}>\"", expected.name));
    }
    if expected.kind == "time" && text_length(spans) == expected.from {
        return Err("Tag \"tg-time\" must have a text for those who cannot see times".to_owned());
    }
    Ok(())
}

fn append(spans: &mut Vec<Span>, open: &[Tag], text: &str) {
    let tags: Vec<_> = open.iter().map(|tag| tag.kind).collect();
    let link = open.iter().rev().find_map(|tag| tag.link.clone());
    let time = open.iter().rev().find_map(|tag| tag.time.clone());
    match spans.last_mut() {
        Some(last) if last.tags == tags && last.link == link && last.time == time => last.text.push_str(text),
        _ => spans.push(Span { text: text.to_owned(), tags, link, time }),
    }
}

/// Attributes of a tag by their names; one without a value has an empty one.
type Attributes<'a> = Vec<(&'a str, String)>;

/// The attributes at the start of `rest`, up to the tag's `>`, and what comes after it. `tag` is its name.
fn attributes<'a>(mut rest: &'a str, tag: &str) -> Result<(Attributes<'a>, &'a str), String> {
    let unclosed = || format!("Unclosed start tag \"{tag}\"");
    let mut found = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if let Some(after) = rest.strip_prefix('>') {
            return Ok((found, after));
        }
        let end = |c: char| c.is_ascii_whitespace() || "=>/\"'".contains(c);
        let (name, after) = rest.split_at(rest.find(end).ok_or_else(unclosed)?);
        if name.is_empty() {
            return Err(format!("Empty attribute name in the tag \"{tag}\""));
        }
        rest = after.trim_ascii_start();
        let Some(value) = rest.strip_prefix('=') else {
            found.push((name, String::new()));
            continue;
        };
        let value = value.trim_ascii_start();
        if let Some(quote) = value.chars().next().filter(|first| "\"'".contains(*first)) {
            let (value, after) = value[1..].split_once(quote).ok_or_else(unclosed)?;
            found.push((name, decoded(value)));
            rest = after;
        } else {
            let end = |c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-';
            let (value, after) = value.split_at(value.find(end).ok_or_else(unclosed)?);
            if !after.starts_with(|c: char| c.is_ascii_whitespace() || c == '>') {
                return Err("Unexpected end of name token".to_owned());
            }
            found.push((name, value.to_ascii_lowercase()));
            rest = after;
        }
    }
}

/// An attribute's value, with its entities decoded.
fn decoded(mut value: &str) -> String {
    let mut decoded = String::new();
    while let Some(at) = value.find('&') {
        decoded.push_str(&value[..at]);
        let (character, length) = entity(&value[at..]);
        decoded.push(character);
        value = &value[at + length..];
    }
    decoded + value
}

/// The character that an entity at the start of `text` stands for, and its length; `&` itself if it is none.
fn entity(text: &str) -> (char, usize) {
    let named = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')];
    if let Some((name, character)) = named.into_iter().find(|(name, _)| text.starts_with(name)) {
        return (character, name.len());
    }
    let numeric = text.strip_prefix("&#").and_then(|digits| {
        let end = digits.find(';')?;
        let code = match digits[..end].strip_prefix('x') {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
            None => digits[..end].parse().ok()?,
        };
        Some((char::from_u32(code)?, end + 3))
    });
    numeric.unwrap_or(('&', 1))
}

#[cfg(test)]
mod tests {
    use super::{Span, Time, parse, text_of};

    #[test]
    fn what_the_bot_api_refuses_is_refused() {
        for (bad, why) in [
            ("<b>жирный", "Can't find end tag corresponding to start tag \"b\""),
            ("a <b", "Unclosed start tag"),
            ("a < b", "Unsupported start tag \"\" at byte offset 2"),
            ("<script>x</script>", "Unsupported start tag \"script\" at byte offset 0"),
            ("</b>", "Unexpected end tag at byte offset 0"),
            ("<b>x</b", "Unclosed end tag at byte offset 4"),
            ("<b><i>x</b></i>", "Unmatched end tag"),
            ("<span>x</span>", "must have class"),
            ("<a href=\"https://example.org>x</a>", "Unclosed start tag \"a\""),
            ("<a href=x_y>x</a>", "Unexpected end of name token"),
            ("<b ='x'>x</b>", "Empty attribute name in the tag \"b\""),
            ("<tg-time unix=\"1\" format=\"x\">x</tg-time>", "Invalid date format used"),
            ("<tg-time unix=\"1\" format=\"rt\">x</tg-time>", "Invalid date format used"),
        ] {
            let refused = parse(bad).expect_err(bad);
            assert!(refused.contains(why), "{bad}: {refused}");
        }
    }

    /// The Bot API takes these, and shows something else than was meant.
    #[test]
    fn formatting_that_would_be_lost_without_a_word_is_refused() {
        for (bad, why) in [
            ("<tg-time>x</tg-time>", "must have attribute \"unix\""),
            ("<tg-time format=\"r\">x</tg-time>", "must have attribute \"unix\""),
            ("<tg-time unix=\"\">x</tg-time>", "seconds since 1970"),
            ("<tg-time unix=\"0\">x</tg-time>", "seconds since 1970"),
            ("<tg-time unix=\"+5\">x</tg-time>", "seconds since 1970"),
            ("<tg-time unix=\"-5\">x</tg-time>", "seconds since 1970"),
            ("<tg-time unix=\"1.5\">x</tg-time>", "seconds since 1970"),
            ("<tg-time unix=\"1647531900000\">x</tg-time>", "seconds since 1970"),
            ("<tg-time unix=\"5\"></tg-time>", "must have a text"),
            ("<b><tg-time unix=\"5\">x</tg-time></b>", "Entity \"time\" can't be part of entity \"b\""),
            ("<tg-time unix=\"5\"><b>x</b></tg-time>", "Entity \"b\" can't be part of entity \"time\""),
            ("<b><code>x</code></b>", "can't be part of"),
            ("<blockquote>a<blockquote expandable>b</blockquote></blockquote>", "can't be part of"),
            ("<blockquote expandable><b><blockquote>b</blockquote></b></blockquote>", "can't be part of"),
        ] {
            let refused = parse(bad).expect_err(bad);
            assert!(refused.contains(why), "{bad}: {refused}");
        }
    }

    #[test]
    fn formatting_is_not_part_of_the_text() {
        let spans = parse("<b>№5</b> &lt;щиток&gt; &amp; R&D &#1046;<a href=\"tel:+7\">x</a>").expect("correct HTML");
        assert_eq!(text_of(&spans), "№5 <щиток> & R&D Жx");
    }

    fn span(text: &str, tags: &[&'static str]) -> Span {
        Span { tags: tags.to_vec(), ..Span::plain(text) }
    }

    #[test]
    fn formatting_is_kept_beside_the_text() {
        let spans =
            parse("<strong>a<em>b</EM></><a href='https://example.org/?a=1&amp;b=2'>c</a>d").expect("correct HTML");
        let link = Some("https://example.org/?a=1&b=2".to_owned());
        assert_eq!(
            spans,
            [span("a", &["b"]), span("b", &["b", "i"]), Span { link, ..span("c", &["a"]) }, Span::plain("d")]
        );
        let spans = parse("<pre><code class=\"language-rust\">x</code></pre>").expect("a program");
        assert_eq!(spans, [span("x", &["pre", "code"])]);
    }

    #[test]
    fn times_and_quotations_are_known() {
        let time = |unix, format: &str| Some(Time { unix, format: format.to_owned() });
        let spans = parse(
            "<blockquote>до <tg-time unix=\"1647531900\" format='r'>18:45</tg-time></blockquote>\
             <blockquote expandable><b>долго</b></blockquote><tg-time format=\"wDT\" unix=7>x</tg-time>\
             <tg-time unix=\"7\">y</tg-time>",
        );
        assert_eq!(
            spans.expect("correct HTML"),
            [
                span("до ", &["blockquote"]),
                Span { time: time(1_647_531_900, "r"), ..span("18:45", &["blockquote", "time"]) },
                span("долго", &["expandable", "b"]),
                Span { time: time(7, "wDT"), ..span("x", &["time"]) },
                Span { time: time(7, ""), ..span("y", &["time"]) },
            ]
        );
    }
}
