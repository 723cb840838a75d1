//! A tool's result that came as text: a list of content parts that was written into a string holds
//! images, and those are no text.

use serde_json::Value;

use super::request;
use crate::chat_request::{Attachment, Part, Source};

/// The parts that a result's text stands for: itself, unless it is a JSON list of content parts, a
/// image among them, in OpenAI's or Anthropic's form.
#[must_use]
pub fn parts(text: String) -> Vec<Part> {
    match list(&text) {
        Some(parts) if parts.iter().any(|part| matches!(part, Part::Image(_))) => parts,
        _ => vec![Part::Text(text)],
    }
}

fn list(text: &str) -> Option<Vec<Part>> {
    let list = text.trim();
    if !list.starts_with('[') || !list.ends_with(']') || !list.contains("image") {
        return None;
    }
    let values: Vec<Value> = serde_json::from_str(list).ok()?;
    values.iter().map(part).collect()
}

/// One content part; none if it is something else, or cannot be read.
fn part(value: &Value) -> Option<Part> {
    match value.get("type")?.as_str()? {
        "text" | "input_text" | "output_text" => {
            Some(Part::Text(value.get("text")?.as_str()?.to_owned()))
        }
        "input_image" | "image_url" => {
            let image = value.get("image_url")?;
            let url = image.as_str().or_else(|| image.get("url")?.as_str())?;
            picture(url)
        }
        "image" => match value.get("source") {
            Some(source) if source.get("type")? == "url" => picture(source.get("url")?.as_str()?),
            source => inline(source.unwrap_or(value)),
        },
        _ => None,
    }
}

fn picture(url: &str) -> Option<Part> {
    request::picture(url.to_owned(), &"output")
        .ok()
        .map(Part::Image)
}

/// Base64 with its type: Anthropic's `source`, or a part of the Model Context Protocol.
fn inline(holder: &Value) -> Option<Part> {
    let data = request::inline(holder.get("data")?.as_str()?)?;
    let mime = holder.get("media_type").or_else(|| holder.get("mimeType"));
    Some(Part::Image(Attachment {
        source: Source::Inline(data.bytes),
        name: None,
        mime: mime
            .and_then(Value::as_str)
            .map(str::to_owned)
            .or(data.mime),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GIF of one pixel.
    const GIF: &str = "R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

    #[test]
    fn pictures_in_a_string_are_pictures() {
        for text in [
            format!(r#"[{{"type":"input_image","image_url":"data:image/gif;base64,{GIF}"}}]"#),
            format!(
                r#" [{{"type":"image_url","image_url":{{"url":"data:image/gif;base64,{GIF}"}}}}] "#
            ),
            format!(
                r#"[{{"type":"image","source":{{"type":"base64","media_type":"image/gif","data":"{GIF}"}}}}]"#
            ),
            format!(r#"[{{"type":"image","mimeType":"image/gif","data":"{GIF}"}}]"#),
        ] {
            let parts = parts(text.clone());
            let [Part::Image(media)] = parts.as_slice() else {
                panic!("{text}: {parts:?}")
            };
            assert_eq!(media.mime.as_deref(), Some("image/gif"), "{text}");
        }
        let mixed = r#"[{"type":"text","text":"see"},{"type":"input_image","image_url":"https://example.org/a.png"}]"#;
        let parts = parts(mixed.to_owned());
        assert!(
            matches!(parts.as_slice(), [Part::Text(text), Part::Image(_)] if text == "see"),
            "{parts:?}"
        );
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in [
            "a picture",
            r#"[{"type":"text","text":"no image"}]"#,
            r#"[{"type":"input_image","image_url":"data:image/gif;base64,!"}]"#,
            r#"[{"type":"input_image","image_url":"https://example.org/a.png"}, 1]"#,
            r#"[{"name":"image","size":3}]"#,
            r#"{"type":"input_image","image_url":"https://example.org/a.png"}"#,
        ] {
            assert_eq!(parts(text.to_owned()), [Part::Text(text.to_owned())]);
        }
    }
}
