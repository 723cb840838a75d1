//! `/v1/images/…`: what is asked for, in JSON or as the fields of a form, and the answers.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::chat_request::{Attachment, Delivery, Source};
use crate::dialect::json;
use crate::dialect::request;
use crate::failure::{Failure, echo};
use crate::media::{Image, ImageRequest};

/// How many images one request may ask for, as OpenAI has it; many models make fewer.
const IMAGES_MAX: u32 = 10;

/// Parameters that mean nothing here.
const IGNORED: [&str; 3] = ["partial_images", "input_fidelity", "n_variants"];

/// Parameters that never had an effect anyone sees.
const SILENT: [&str; 3] = ["user", "safety_identifier", "metadata"];

/// Reads the body of a request.
///
/// # Errors
/// Malformed JSON, or a parameter of the wrong type.
pub fn decode(body: &[u8]) -> Result<ImageRequest, Failure> {
    of_fields(request::parse(body)?)
}

/// Reads the fields of a form, or of a JSON object.
///
/// # Errors
/// A parameter of the wrong type.
pub fn of_fields(mut fields: Map<String, Value>) -> Result<ImageRequest, Failure> {
    fields.retain(|_, value| !value.is_null());
    let messages = fields.remove("messages");
    let prompt = text(&mut fields, "prompt")?.or_else(|| messages.as_ref().and_then(last_text));
    let format = text(&mut fields, "response_format")?;
    let stream = flag(&mut fields, "stream")? == Some(true);
    let mut request = ImageRequest {
        model: text(&mut fields, "model")?,
        prompt: prompt.unwrap_or_default(),
        n: count(&mut fields)?,
        size: text(&mut fields, "size")?,
        aspect_ratio: text(&mut fields, "aspect_ratio")?,
        quality: text(&mut fields, "quality")?,
        style: text(&mut fields, "style")?,
        background: text(&mut fields, "background")?,
        output_format: text(&mut fields, "output_format")?,
        output_compression: number(
            &mut fields,
            "output_compression",
            "a whole number from 0 to 100",
        )?,
        moderation: text(&mut fields, "moderation")?,
        negative_prompt: text(&mut fields, "negative_prompt")?,
        mode: text(&mut fields, "mode")?,
        seed: number(&mut fields, "seed", "a whole number")?,
        steps: number(&mut fields, "steps", "a whole number")?,
        guidance: number(&mut fields, "guidance", "a number")?,
        niji: flag(&mut fields, "niji")?,
        images: images(&mut fields)?,
        mask: mask(&mut fields)?,
        inline: inline(format.as_deref())?,
        delivery: if stream {
            Delivery::Streamed
        } else {
            Delivery::Whole
        },
        ..ImageRequest::default()
    };
    for (name, value) in fields {
        if IGNORED.contains(&name.as_str()) {
            request.ignored.push(name);
        } else if !SILENT.contains(&name.as_str()) {
            request.extra.insert(name, value);
        }
    }
    Ok(request)
}

fn inline(format: Option<&str>) -> Result<Option<bool>, Failure> {
    match format {
        None => Ok(None),
        Some("url") => Ok(Some(false)),
        Some("b64_json") => Ok(Some(true)),
        Some(other) => Err(Failure::invalid(
            "response_format",
            format!(
                "Invalid response_format `{}`: use url or b64_json.",
                echo(other)
            ),
        )),
    }
}

/// `image` or `images`: addresses, or objects that hold one or name a file.
fn images(fields: &mut Map<String, Value>) -> Result<Vec<Attachment>, Failure> {
    let mut images = Vec::new();
    for name in ["image", "images", "image_url"] {
        let given = match fields.remove(name) {
            None => continue,
            Some(Value::Array(list)) => list,
            Some(one) => vec![one],
        };
        for image in &given {
            images.push(reference(name, image)?);
        }
    }
    Ok(images)
}

fn mask(fields: &mut Map<String, Value>) -> Result<Option<Attachment>, Failure> {
    let mask = fields.remove("mask");
    mask.map(|mask| reference("mask", &mask)).transpose()
}

fn reference(name: &str, given: &Value) -> Result<Attachment, Failure> {
    if let Some(id) = given.get("file_id").and_then(Value::as_str) {
        return Ok(Attachment {
            source: Source::FileId(id.to_owned()),
            name: None,
            mime: None,
        });
    }
    let url = given
        .as_str()
        .or_else(|| given.get("image_url")?.as_str())
        .or_else(|| given.get("image_url")?.get("url")?.as_str());
    let url = url.ok_or_else(|| {
        Failure::invalid(
            name,
            format!(
                "`{name}` must be a part of a form with a file name, or in JSON an http(s) URL, a data URI, or an object with `image_url` or `file_id`."
            ),
        )
    })?;
    request::picture(url.to_owned(), &name)
}

fn count(fields: &mut Map<String, Value>) -> Result<Option<u32>, Failure> {
    let allowed = format!("a whole number from 1 to {IMAGES_MAX}");
    let count = number::<u32>(fields, "n", &allowed)?;
    if count.is_some_and(|count| !(1..=IMAGES_MAX).contains(&count)) {
        return Err(Failure::invalid("n", format!("`n` must be {allowed}.")));
    }
    Ok(count)
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Failure> {
    match fields.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(_) => Err(Failure::invalid(
            name,
            format!("`{name}` must be one string."),
        )),
    }
}

/// A number, or a string that holds one, as forms have it.
fn number<N: std::str::FromStr>(
    fields: &mut Map<String, Value>,
    name: &str,
    allowed: &str,
) -> Result<Option<N>, Failure> {
    let written = match fields.remove(name) {
        None => return Ok(None),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text,
        Some(_) => String::new(),
    };
    let plain = written.trim();
    let plain = plain.strip_suffix(".0").unwrap_or(plain);
    let number = plain
        .parse()
        .map_err(|_| Failure::invalid(name, format!("`{name}` must be {allowed}.")))?;
    Ok(Some(number))
}

fn flag(fields: &mut Map<String, Value>, name: &str) -> Result<Option<bool>, Failure> {
    match fields.remove(name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(flag)),
        Some(Value::String(word)) if matches!(word.as_str(), "true" | "1") => Ok(Some(true)),
        Some(Value::String(word)) if matches!(word.as_str(), "false" | "0") => Ok(Some(false)),
        Some(_) => Err(Failure::invalid(
            name,
            format!("`{name}` must be true or false."),
        )),
    }
}

/// The text of the last message, as the original relay took it for a prompt.
fn last_text(messages: &Value) -> Option<String> {
    let content = messages.as_array()?.last()?.get("content")?;
    let parts = content.as_array().into_iter().flatten();
    let part = parts
        .filter_map(|part| part.get("text")?.as_str())
        .next_back();
    content.as_str().or(part).map(str::to_owned)
}

#[derive(Serialize)]
struct Datum<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64_json: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revised_prompt: Option<&'p str>,
}

/// The answer: OpenAI's fields, and beside them the chat message that the original relay gave.
#[must_use]
pub fn document(created: u64, prompt: &str, images: &[Image]) -> Vec<u8> {
    let data: Vec<Datum<'_>> = images
        .iter()
        .map(|picture| Datum {
            url: picture.b64_json.is_none().then_some(&picture.url),
            b64_json: picture.b64_json.as_deref(),
            revised_prompt: Some(prompt).filter(|prompt| !prompt.is_empty()),
        })
        .collect();
    let message = json!({"role": "assistant", "content": markdown(images)});
    json::text(&json!({
        "created": created,
        "data": data,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }))
}

/// The final event of a stream of images; there are no earlier ones.
#[must_use]
pub fn completed(kind: &str, created: u64, request: &ImageRequest, picture: &Image) -> Vec<u8> {
    let word = |given: &Option<String>| given.clone().unwrap_or_else(|| "auto".to_owned());
    let mut event = json!({
        "type": format!("{kind}.completed"),
        "b64_json": picture.b64_json,
        "created_at": created,
        "size": word(&request.size),
        "quality": word(&request.quality),
        "background": word(&request.background),
        "output_format": request.output_format.as_deref().unwrap_or("png"),
        "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 0}},
    });
    // Of an image whose bytes are lost, where they were.
    if let (None, Some(fields)) = (&picture.b64_json, event.as_object_mut()) {
        fields.insert("url".to_owned(), picture.url.as_str().into());
    }
    let mut out = format!("event: {kind}.completed\ndata: ").into_bytes();
    json::write(&event, &mut out);
    out.extend_from_slice(b"\n\n");
    out
}

/// Whether a model's images are given as bytes where a request does not say how: OpenAI's own models
/// of today know no addresses.
#[must_use]
pub fn is_inline(model: &str) -> bool {
    model.starts_with("gpt-image")
}

/// Images as a chat message: Markdown, each with the code by which a variation of it is asked for.
#[must_use]
pub fn markdown(images: &[Image]) -> String {
    let lines = images
        .iter()
        .zip(1..)
        .map(|(picture, number)| format!("![Variation {number}]({}) `[_V{number}_]`", picture.url));
    let hint = "To vary an image, send its code.";
    let mut lines: Vec<String> = lines.collect();
    lines.push(hint.to_owned());
    lines.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_forms_say_the_same() {
        let json = br#"{"model": "dall-e-3", "prompt": "a cat", "n": 2, "size": "1024x1024", "response_format": "b64_json",
            "stream": false, "user": "u", "seed": 7, "partial_images": 1, "lora": "x"}"#;
        let form = [
            ("model", "dall-e-3"),
            ("prompt", "a cat"),
            ("n", "2"),
            ("size", "1024x1024"),
            ("response_format", "b64_json"),
            ("stream", "false"),
            ("user", "u"),
            ("seed", "7"),
            ("partial_images", "1"),
            ("lora", "x"),
        ];
        let form = form
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)));
        let request = decode(json).unwrap();
        assert_eq!(of_fields(form.collect()).unwrap(), request);
        assert_eq!(
            (request.n, request.seed, request.inline),
            (Some(2), Some(7), Some(true))
        );
        assert_eq!(
            (request.ignored.as_slice(), request.extra.len()),
            (["partial_images".to_owned()].as_slice(), 1)
        );
    }

    #[test]
    fn the_last_message_may_be_the_prompt() {
        let body = br#"{"messages": [{"role": "user", "content": "one"}, {"role": "user", "content": [{"type": "text", "text": "two"}]}]}"#;
        assert_eq!(decode(body).unwrap().prompt, "two");
    }

    #[test]
    fn wrong_types_name_the_field() {
        for (body, param) in [
            (r#"{"n": "many"}"#, "n"),
            (r#"{"n": -1}"#, "n"),
            (r#"{"n": 0}"#, "n"),
            (r#"{"n": 1000}"#, "n"),
            (r#"{"n": ["1", "2"]}"#, "n"),
            (r#"{"model": ["a", "b"]}"#, "model"),
            (r#"{"mask": "a.png"}"#, "mask"),
            (r#"{"images": [{"url": "https://a/1.png"}]}"#, "images"),
            (r#"{"prompt": 7}"#, "prompt"),
            (r#"{"stream": "perhaps"}"#, "stream"),
            (r#"{"response_format": "gif"}"#, "response_format"),
            (r#"{"image": 7}"#, "image"),
        ] {
            assert_eq!(
                decode(body.as_bytes()).unwrap_err().param.as_deref(),
                Some(param),
                "{body}"
            );
        }
    }

    #[test]
    fn pictures_are_named_by_address_or_by_file() {
        let body = br#"{"images": [{"image_url": "https://a/1.png"}, {"file_id": "file-1"}, "data:image/png;base64,aGk="],
            "mask": {"image_url": {"url": "https://a/m.png"}}}"#;
        let request = decode(body).unwrap();
        let sources: Vec<&Source> = request.images.iter().map(|media| &media.source).collect();
        assert_eq!(
            sources,
            [
                &Source::Url("https://a/1.png".to_owned()),
                &Source::FileId("file-1".to_owned()),
                &Source::Inline("hi".into()),
            ]
        );
        assert_eq!(
            request.mask.unwrap().source,
            Source::Url("https://a/m.png".to_owned())
        );
    }

    #[test]
    fn answers_have_urls_or_bytes_and_the_originals_message() {
        let url = Image {
            url: "https://a/1.png".to_owned(),
            b64_json: None,
        };
        let bytes = Image {
            url: "https://a/2.png".to_owned(),
            b64_json: Some("aGk=".to_owned()),
        };
        let document: Value = serde_json::from_slice(&document(7, "a cat", &[url, bytes])).unwrap();
        assert_eq!(
            document["data"][0],
            json!({"url": "https://a/1.png", "revised_prompt": "a cat"})
        );
        assert_eq!(
            document["data"][1],
            json!({"b64_json": "aGk=", "revised_prompt": "a cat"})
        );
        let content = document["choices"][0]["message"]["content"]
            .as_str()
            .unwrap();
        assert!(
            content.contains("![Variation 2](https://a/2.png) `[_V2_]`"),
            "{content}"
        );
    }
}
