//! Telegram's HTML subset, judged as strictly as the Bot API does.
//! <https://core.telegram.org/bots/api#html-style>

/// The text that a person sees.
///
/// # Errors
/// What the Bot API says after "can't parse entities: ".
pub fn visible_text(html: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(next) = rest.find(['<', '&']) {
        text.push_str(&rest[..next]);
        rest = &rest[next..];
        let offset = html.len() - rest.len();
        if rest.starts_with('&') {
            let (character, length) = entity(rest);
            text.push(character);
            rest = &rest[length..];
            continue;
        }
        let end = rest.find('>').ok_or_else(|| format!("Unclosed start tag at byte offset {offset}"))?;
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                None => return Err(format!("Unexpected end tag at byte offset {offset}")),
                Some(expected) if name.trim() != expected => {
                    return Err(format!(
                        "Unmatched end tag at byte offset {offset}, expected \"</{expected}>\", found \"</{name}>\""
                    ));
                }
                Some(_) => {}
            }
        } else {
            let name = tag.split([' ', '\n']).next().unwrap_or_default();
            if !is_supported(name) {
                return Err(format!("Unsupported start tag \"{name}\" at byte offset {offset}"));
            }
            open.push(name);
        }
    }
    text.push_str(rest);
    match open.pop() {
        Some(name) => Err(format!("Can't find end tag corresponding to start tag \"{name}\"")),
        None => Ok(text),
    }
}

fn is_supported(tag: &str) -> bool {
    matches!(
        tag,
        "b" | "strong"
            | "i"
            | "em"
            | "u"
            | "ins"
            | "s"
            | "strike"
            | "del"
            | "a"
            | "code"
            | "pre"
            | "blockquote"
            | "span"
            | "tg-spoiler"
            | "tg-emoji"
    )
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
    use super::visible_text;

    #[test]
    fn what_the_bot_api_refuses_is_refused() {
        for bad in ["<b>жирный", "a < b", "<script>x</script>", "</b>", "<b><i>x</b></i>"] {
            assert!(visible_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn formatting_is_not_part_of_the_text() {
        let text = visible_text("<b>№5</b> &lt;щиток&gt; &amp; R&D &#1046;<a href=\"tel:+7\">x</a>");
        assert_eq!(text.as_deref(), Ok("№5 <щиток> & R&D Жx"));
    }
}
