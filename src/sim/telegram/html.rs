//! Telegram's HTML subset, judged as strictly as the Bot API does.
//! <https://core.telegram.org/bots/api#html-style>

use serde::Serialize;

/// A run of text with the same formatting throughout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// What a person reads.
    pub text: String,
    /// The tags around it, outermost first, each by its shortest name: `b`, not `strong`.
    pub tags: Vec<&'static str>,
    /// Where it leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Span {
    /// Text without formatting.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), tags: Vec::new(), link: None }
    }
}

/// What a person sees of `html`.
///
/// # Errors
/// What the Bot API says after "can't parse entities: ".
pub fn parse(html: &str) -> Result<Vec<Span>, String> {
    let mut spans: Vec<Span> = Vec::new();
    let mut open: Vec<Tag> = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let offset = html.len() - rest.len();
        if let Some(tag) = rest.strip_prefix('<') {
            let (tag, after) =
                tag.split_once('>').ok_or_else(|| format!("Unclosed start tag at byte offset {offset}"))?;
            rest = after;
            match tag.strip_prefix('/') {
                None => open.push(Tag::parse(tag).map_err(|why| format!("{why} at byte offset {offset}"))?),
                Some(name) => close(&mut open, name.trim(), offset)?,
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

struct Tag {
    name: String,
    kind: &'static str,
    link: Option<String>,
}

impl Tag {
    /// A start tag, without its brackets.
    fn parse(tag: &str) -> Result<Self, String> {
        let (name, attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
        let kind = match name {
            "b" | "strong" => "b",
            "i" | "em" => "i",
            "u" | "ins" => "u",
            "s" | "strike" | "del" => "s",
            "a" => "a",
            "code" => "code",
            "pre" => "pre",
            "blockquote" => "blockquote",
            "tg-emoji" => "emoji",
            "tg-spoiler" => "spoiler",
            "span" if attribute(attributes, "class") == Some("tg-spoiler") => "spoiler",
            "span" => return Err("Tag \"span\" must have class \"tg-spoiler\"".to_owned()),
            _ => return Err(format!("Unsupported start tag \"{name}\"")),
        };
        let link = attribute(attributes, "href").filter(|_| kind == "a").map(ToOwned::to_owned);
        Ok(Self { name: name.to_owned(), kind, link })
    }
}

fn close(open: &mut Vec<Tag>, name: &str, offset: usize) -> Result<(), String> {
    match open.pop() {
        None => Err(format!("Unexpected end tag at byte offset {offset}")),
        Some(expected) if name != expected.name => Err(format!(
            "Unmatched end tag at byte offset {offset}, expected \"</{}>\", found \"</{name}>\"",
            expected.name
        )),
        Some(_) => Ok(()),
    }
}

fn append(spans: &mut Vec<Span>, open: &[Tag], text: &str) {
    let tags: Vec<_> = open.iter().map(|tag| tag.kind).collect();
    let link = open.iter().rev().find_map(|tag| tag.link.clone());
    match spans.last_mut() {
        Some(last) if last.tags == tags && last.link == link => last.text.push_str(text),
        _ => spans.push(Span { text: text.to_owned(), tags, link }),
    }
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let value = attributes.split_once(&format!("{name}="))?.1;
    let quote = value.chars().next().filter(|first| "\"'".contains(*first))?;
    value[1..].split(quote).next()
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
    use super::{Span, parse, text_of};

    #[test]
    fn what_the_bot_api_refuses_is_refused() {
        for bad in ["<b>жирный", "a < b", "<script>x</script>", "</b>", "<b><i>x</b></i>", "<span>x</span>"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn formatting_is_not_part_of_the_text() {
        let spans = parse("<b>№5</b> &lt;щиток&gt; &amp; R&D &#1046;<a href=\"tel:+7\">x</a>").expect("correct HTML");
        assert_eq!(text_of(&spans), "№5 <щиток> & R&D Жx");
    }

    #[test]
    fn formatting_is_kept_beside_the_text() {
        let spans =
            parse("<strong>a<em>b</em></strong><a href='https://example.org/?a=1'>c</a>d").expect("correct HTML");
        let span = |text: &str, tags: &[&'static str], link: Option<&str>| Span {
            text: text.to_owned(),
            tags: tags.to_vec(),
            link: link.map(ToOwned::to_owned),
        };
        let link = Some("https://example.org/?a=1");
        assert_eq!(
            spans,
            [span("a", &["b"], None), span("b", &["b", "i"], None), span("c", &["a"], link), Span::plain("d")]
        );
    }
}
