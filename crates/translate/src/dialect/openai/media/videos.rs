//! `/v1/videos`: what is asked for, and a video as clients see it.
//!
//! The shape is that of OpenAI's SDKs. Fields of `OpenRouter`'s API of the same path are read too.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::chat_request::{Attachment, Source};
use crate::dialect::request;
use crate::failure::{Failure, Kind, echo};
use crate::media::VideoRequest;

/// Parameters that mean nothing here.
const IGNORED: [&str; 4] = ["provider", "callback_url", "n", "characters"];

/// Parameters that never had an effect anyone sees.
const SILENT: [&str; 3] = ["user", "safety_identifier", "metadata"];

/// The most reference images of one request; each is an upload.
const REFERENCES_MAX: usize = 16;

/// Reads the body of a request.
///
/// # Errors
/// Malformed JSON, or a parameter of the wrong type.
pub fn decode(body: &[u8]) -> Result<VideoRequest, Failure> {
    of_fields(request::parse(body)?)
}

/// Reads the fields of a form, or of a JSON object. The model may be missing: only whoever knows
/// the models can say which there are.
///
/// # Errors
/// A parameter of the wrong type, or parameters that contradict each other.
pub fn of_fields(mut fields: Map<String, Value>) -> Result<VideoRequest, Failure> {
    fields.retain(|_, value| !value.is_null());
    let seconds = seconds(&mut fields, "seconds")?;
    let duration = seconds_of(&mut fields, "duration", seconds)?;
    let mut request = VideoRequest {
        model: text(&mut fields, "model")?,
        prompt: text(&mut fields, "prompt")?.unwrap_or_default(),
        seconds: duration,
        size: text(&mut fields, "size")?,
        aspect_ratio: text(&mut fields, "aspect_ratio")?,
        resolution: text(&mut fields, "resolution")?,
        generate_audio: flag(&mut fields, "generate_audio")?,
        negative_prompt: text(&mut fields, "negative_prompt")?,
        seed: whole(&mut fields, "seed")?,
        first_frame: input_reference(&mut fields)?,
        ..VideoRequest::default()
    };
    frames(&mut fields, &mut request)?;
    references(&mut fields, &mut request)?;
    for (name, value) in fields {
        if IGNORED.contains(&name.as_str()) {
            request.ignored.push(name);
        } else if !SILENT.contains(&name.as_str()) {
            request.extra.insert(name, value);
        }
    }
    Ok(request)
}

/// `duration`, which is another name of `seconds`.
fn seconds_of(
    fields: &mut Map<String, Value>,
    name: &str,
    given: Option<u32>,
) -> Result<Option<u32>, Failure> {
    match (seconds(fields, name)?, given) {
        (Some(one), Some(other)) if one != other => Err(Failure::invalid(
            name,
            format!("`seconds` is {other} and `{name}` is {one}: give one of them."),
        )),
        (one, other) => Ok(one.or(other)),
    }
}

/// A length, also as a text that may end in `s`.
fn seconds(fields: &mut Map<String, Value>, name: &str) -> Result<Option<u32>, Failure> {
    let written = match fields.remove(name) {
        None => return Ok(None),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => String::new(),
    };
    let plain = written.trim().trim_end_matches('s');
    let plain = plain.strip_suffix(".0").unwrap_or(plain);
    let seconds = plain.parse().ok().filter(|seconds| *seconds > 0);
    let wrong = || {
        Failure::invalid(
            name,
            format!("`{name}` must be a whole number of seconds, such as \"8\"."),
        )
    };
    seconds.map(Some).ok_or_else(wrong)
}

fn whole(fields: &mut Map<String, Value>, name: &str) -> Result<Option<i64>, Failure> {
    let number = match fields.remove(name) {
        None => return Ok(None),
        Some(Value::Number(number)) => number.to_string().parse().ok(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    let wrong = || Failure::invalid(name, format!("`{name}` must be a whole number."));
    number.map(Some).ok_or_else(wrong)
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Failure> {
    match fields.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Some(_) => Err(Failure::invalid(
            name,
            format!("`{name}` must be one string."),
        )),
    }
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

const REFERENCE: &str = "input_reference";

/// `input_reference` where it is no file: an object with either `image_url` or `file_id`, in forms
/// by the names `input_reference[image_url]` and `input_reference[file_id]`.
fn input_reference(fields: &mut Map<String, Value>) -> Result<Option<Attachment>, Failure> {
    let mut given = fields.remove(REFERENCE);
    for name in ["image_url", "file_id"] {
        if let Some(value) = fields.remove(&format!("{REFERENCE}[{name}]")) {
            let object = given.get_or_insert_with(|| Value::Object(Map::new()));
            if let Some(object) = object.as_object_mut() {
                object.insert(name.to_owned(), value);
            }
        }
    }
    given.map(|given| image(REFERENCE, &given)).transpose()
}

/// An image by its address or by the id of an uploaded file.
fn image(name: &str, given: &Value) -> Result<Attachment, Failure> {
    let field = |name: &str| given.get(name).filter(|value| !value.is_null());
    let url = given.as_str().or_else(|| {
        let url = field("image_url")?;
        url.as_str().or_else(|| url.get("url")?.as_str())
    });
    let id = field("file_id").and_then(Value::as_str);
    match (url, id) {
        (Some(_), Some(_)) => Err(Failure::invalid(
            name,
            format!("`{name}` takes either `image_url` or `file_id`, not both."),
        )),
        (Some(url), None) => request::picture(url.to_owned(), &name),
        (None, Some(id)) => Ok(Attachment {
            source: Source::FileId(id.to_owned()),
            name: None,
            mime: None,
        }),
        (None, None) => Err(Failure::invalid(
            name,
            format!(
                "`{name}` must be a file of a form, or an object with `image_url` (an http(s) URL or a data URI) or `file_id`."
            ),
        )),
    }
}

fn list(fields: &mut Map<String, Value>, name: &str) -> Result<Vec<Value>, Failure> {
    match fields.remove(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= REFERENCES_MAX => Ok(list),
        Some(Value::Array(_)) => Err(Failure::invalid(
            name,
            format!("`{name}` may have at most {REFERENCES_MAX} entries."),
        )),
        Some(_) => Err(Failure::invalid(name, format!("`{name}` must be a list."))),
    }
}

/// `OpenRouter`'s `frame_images`: the first and the last frame.
fn frames(fields: &mut Map<String, Value>, request: &mut VideoRequest) -> Result<(), Failure> {
    for (number, frame) in list(fields, "frame_images")?.iter().enumerate() {
        let name = format!("frame_images[{number}]");
        let attachment = image(&name, frame)?;
        let kind = frame.get("frame_type").and_then(Value::as_str);
        let place = match kind {
            None | Some("first_frame") => &mut request.first_frame,
            Some("last_frame") => &mut request.last_frame,
            Some(other) => {
                let message = format!(
                    "Invalid frame_type `{}`: use first_frame or last_frame.",
                    echo(other)
                );
                return Err(Failure::invalid(format!("{name}.frame_type"), message));
            }
        };
        if place.replace(attachment).is_some() {
            return Err(Failure::invalid(
                name,
                "This frame is given more than once.",
            ));
        }
    }
    Ok(())
}

/// `OpenRouter`'s `input_references`.
fn references(fields: &mut Map<String, Value>, request: &mut VideoRequest) -> Result<(), Failure> {
    let given = list(fields, "input_references")?;
    for (number, reference) in given.iter().enumerate() {
        let reference = image(&format!("input_references[{number}]"), reference)?;
        request.references.push(reference);
    }
    Ok(())
}

/// How far a video is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is about to be submitted.
    Queued,
    /// It is being made.
    InProgress,
    /// It is there.
    Completed,
    /// There will be none.
    Failed,
}

/// Why there is no video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VideoError {
    /// A word for programs.
    pub code: String,
    /// The reason.
    pub message: String,
}

/// A video, as a client sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Video {
    /// Its id.
    pub id: String,
    object: &'static str,
    /// How far it is.
    pub status: Status,
    /// In percent. Upstream does not say, so it is 0 until it is 100.
    pub progress: u8,
    /// When it was asked for, in seconds since 1970.
    pub created_at: u64,
    /// When it was there.
    pub completed_at: Option<u64>,
    /// When its file may be gone.
    pub expires_at: Option<u64>,
    /// The model.
    pub model: String,
    /// Its length; empty if nobody said.
    pub seconds: String,
    /// Its size; empty if nobody said.
    pub size: String,
    /// What it shows.
    pub prompt: String,
    /// Why there is none.
    pub error: Option<VideoError>,
    remixed_from_video_id: Option<String>,
}

impl Video {
    /// A video that was asked for and is not there.
    #[must_use]
    pub fn new(id: String, status: Status, model: String, prompt: String, created_at: u64) -> Self {
        Self {
            id,
            object: "video",
            status,
            progress: if status == Status::Completed { 100 } else { 0 },
            created_at,
            completed_at: None,
            expires_at: None,
            model,
            seconds: String::new(),
            size: String::new(),
            prompt,
            error: None,
            remixed_from_video_id: None,
        }
    }
}

/// What is said of a video that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeletedVideo {
    id: String,
    object: &'static str,
    deleted: bool,
}

impl DeletedVideo {
    /// This one is gone.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self {
            id,
            object: "video.deleted",
            deleted: true,
        }
    }
}

/// There is no video of this id, as far as this caller is told.
#[must_use]
pub fn unknown(id: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("There is no video `{}`.", echo(id)))
        .with_param("video_id")
}

/// A conversation's link to a video.
#[must_use]
pub fn link(url: &str) -> String {
    format!("[Watch the video]({url})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(fields: &Value) -> Result<VideoRequest, Failure> {
        decode(fields.to_string().as_bytes())
    }

    #[test]
    fn a_form_and_json_say_the_same() {
        let form = [
            ("model", "veo3"),
            ("prompt", "a cat"),
            ("seconds", "8"),
            ("size", "1280x720"),
            ("generate_audio", "true"),
            ("seed", "7"),
            ("input_reference[image_url]", "https://example.com/a.png"),
        ];
        let form = form
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)));
        let request = read(&json!({
            "model": "veo3", "prompt": "a cat", "seconds": 8, "size": "1280x720",
            "generate_audio": true, "seed": 7, "metadata": {"a": "b"}, "n": null,
            "input_reference": {"image_url": "https://example.com/a.png"},
        }));
        let request = request.unwrap();
        assert_eq!(of_fields(form.collect()).unwrap(), request);
        assert_eq!((request.seconds, request.seed), (Some(8), Some(7)));
        assert!(request.first_frame.is_some() && request.extra.is_empty());
    }

    #[test]
    fn openrouters_fields_are_read() {
        let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
        let mut last = image("https://example.com/z.png");
        last["frame_type"] = "last_frame".into();
        let request = read(&json!({
            "model": "kling", "prompt": "a cat", "duration": 5, "resolution": "720p",
            "aspect_ratio": "16:9", "frame_images": [image("https://example.com/a.png"), last],
            "input_references": [image("data:image/png;base64,aGk=")],
            "provider": {"options": {}}, "mode": "pro",
        }));
        let request = request.unwrap();
        assert_eq!(request.seconds, Some(5));
        assert!(request.first_frame.is_some() && request.last_frame.is_some());
        assert_eq!(request.references.len(), 1);
        assert_eq!(request.ignored, ["provider"]);
        assert_eq!(request.extra["mode"], "pro");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let both = json!({"image_url": "https://example.com/a.png", "file_id": "file-1"});
        let table = [
            (json!({"seconds": "long"}), "seconds"),
            (json!({"seconds": 0}), "seconds"),
            (json!({"seconds": 4, "duration": 8}), "duration"),
            (json!({"prompt": 7}), "prompt"),
            (json!({"generate_audio": "loud"}), "generate_audio"),
            (json!({"input_reference": both}), "input_reference"),
            (json!({"input_reference": {}}), "input_reference"),
            (json!({"input_references": "x"}), "input_references"),
            (
                json!({"frame_images": [{"image_url": "https://a/b", "frame_type": "middle"}]}),
                "frame_images[0].frame_type",
            ),
        ];
        for (fields, param) in table {
            let failure = read(&fields).unwrap_err();
            assert_eq!(failure.param.as_deref(), Some(param), "{fields}");
        }
    }
}
