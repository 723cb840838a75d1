//! What a paid request of 1min.ai's own API names, and the stored things that requests and answers
//! name: they lie at one account.

use serde_json::{Map, Value};

use super::NativePath;
use crate::conversations;
use crate::features::Invalid;
use crate::repaired_json::repaired;

/// References that are looked for in one request.
const REFERENCES_MAX: usize = 64;

/// The longest id or path, in bytes.
const REFERENCE_BYTES_MAX: usize = 512;

/// The longest name of a feature or a model, in bytes; 1min.ai's have at most some 60.
const NAME_BYTES_MAX: usize = 200;

/// How deep references are looked for.
const DEPTH_MAX: usize = 8;

/// What a paid request names. What else it holds is upstream's business.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The feature, by upstream's name.
    pub feature: String,
    /// The model.
    pub model: String,
    /// The fields of its `promptObject`.
    pub fields: Map<String, Value>,
    /// Whether its result is asked for later.
    pub is_async: bool,
    /// What may be the id of a conversation, or the id or the path of a file.
    pub references: Vec<String>,
}

impl Named {
    /// Reads a body.
    ///
    /// # Errors
    /// It is no JSON object, or does not name its feature and its model.
    pub fn read(body: &[u8]) -> Result<Self, Invalid> {
        let object = serde_json::from_slice::<Map<String, Value>>(body);
        let mut object = object.map_err(|_| Invalid::new("body", "it must be a JSON object"))?;
        let mut text = |name: &str| match object.remove(name) {
            Some(Value::String(text)) if is_name(&text) => Ok(text),
            Some(Value::String(_)) => Err(Invalid::new(name, "it is not a name")),
            _ => Err(Invalid::new(name, "it must be a string")),
        };
        let (feature, model) = (text("type")?, text("model")?);
        let is_async = object.remove("async") == Some(Value::Bool(true));
        let mut references = Vec::new();
        for name in ["conversationId", "promptObject"] {
            collect(object.get(name).unwrap_or(&Value::Null), 0, &mut references);
        }
        let fields = match object.remove("promptObject") {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        Ok(Self {
            feature,
            model,
            fields,
            is_async,
            references,
        })
    }
}

/// Whether a text may be the name of a feature or a model.
fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX && !text.contains(char::is_control)
}

/// Whether a field of a `promptObject` has words, whatever they look like: a prompt that happens to be a
/// path asks for no file.
#[must_use]
pub fn is_words(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    ["prompt", "text", "lyrics", "title"]
        .iter()
        .any(|words| field.ends_with(words))
}

/// The texts in the fields of a `promptObject` that may be paths of files: those lie at one account.
/// What looks like a path may be none.
#[must_use]
pub fn possible_paths(fields: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (_, value) in fields.iter().filter(|(field, _)| !is_words(field)) {
        collect(value, 0, &mut found);
    }
    found.retain(|text| text.contains('/'));
    found.sort_unstable();
    found.dedup();
    found
}

/// Takes every text that may be an id or a path.
fn collect(value: &Value, depth: usize, found: &mut Vec<String>) {
    if depth > DEPTH_MAX || found.len() >= REFERENCES_MAX {
        return;
    }
    match value {
        Value::String(text) => found.extend(is_reference(text).then(|| text.clone())),
        Value::Array(list) => list.iter().for_each(|item| collect(item, depth + 1, found)),
        Value::Object(fields) => fields
            .values()
            .for_each(|item| collect(item, depth + 1, found)),
        _ => {}
    }
}

/// Ids are UUIDs, paths have a folder; words of a prompt are neither.
fn is_reference(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    let is_path = text.contains('/') && !text.contains("://");
    let is_uuid = text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4;
    text.len() <= REFERENCE_BYTES_MAX && text.chars().all(plain) && (is_path || is_uuid)
}

/// The ids and paths of what an answer says is stored or was made: later requests may name them, and
/// must go to the same account.
#[must_use]
pub fn stored(path: NativePath, body: &[u8]) -> Vec<String> {
    let Ok(answer) = serde_json::from_str::<Value>(&repaired(body)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    match path {
        NativePath::Assets => {
            let places = [
                "/asset/key",
                "/asset/path",
                "/asset/uuid",
                "/fileContent/path",
                "/fileContent/uuid",
                "/fileContent/id",
            ];
            for place in places {
                collect(answer.pointer(place).unwrap_or(&Value::Null), 0, &mut found);
            }
        }
        NativePath::Conversations => {
            found.extend(conversations::created(body).map(|made| made.uuid));
        }
        NativePath::Features | NativePath::Result => {
            let result = answer.pointer("/aiRecord/aiRecordDetail/resultObject");
            collect(result.unwrap_or(&Value::Null), 0, &mut found);
        }
        NativePath::Chat | NativePath::List => {}
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/onemin")
            .join(name);
        std::fs::read(path).unwrap()
    }

    #[test]
    fn feature_model_and_what_lies_at_an_account_are_read() {
        let uuid = "3b1f6a0e-1111-4222-8333-444455556666";
        let body = json!({
            "type": "UNIFY_CHAT_WITH_AI", "model": "m", "async": true, "conversationId": "IMAGE_EDITOR",
            "promptObject": {"prompt": "a/b and c", "conversationId": uuid,
                "attachments": {"images": ["images/a.png", "https://example.com/b.png"], "files": [uuid]}},
        });
        let named = Named::read(body.to_string().as_bytes()).unwrap();
        assert_eq!(
            (named.feature.as_str(), named.model.as_str()),
            ("UNIFY_CHAT_WITH_AI", "m")
        );
        assert!(named.is_async && named.fields.contains_key("prompt"));
        let mut references = named.references;
        references.sort_unstable();
        assert_eq!(references, [uuid, uuid, "images/a.png"]);
        for (body, field) in [
            ("[]", "body"),
            ("{}", "type"),
            (r#"{"type":"A","model":7}"#, "model"),
        ] {
            assert_eq!(
                Named::read(body.as_bytes()).unwrap_err().field,
                field,
                "{body}"
            );
        }
        let many = json!({"type": "A", "model": "m", "promptObject": {"a": vec!["x/y"; 1000]}});
        let many = Named::read(many.to_string().as_bytes()).unwrap();
        assert_eq!(many.references.len(), REFERENCES_MAX);
    }

    #[test]
    fn fields_that_may_be_paths_are_told_from_words() {
        let style = "0f0e0d0c-0b0a-0908-0706-050403020100";
        for (fields, expected) in [
            (
                json!({"imageUrl": "images/2026/a.png", "prompt": "a cat"}),
                &["images/2026/a.png"][..],
            ),
            (
                json!({"image": "i/b.png", "imageUrls": ["i/a.png", "i/b.png"]}),
                &["i/a.png", "i/b.png"],
            ),
            (
                json!({"prompt": "a cat and/or a dog", "style_id": style}),
                &[],
            ),
            (
                json!({"prompt": "i/a.png", "negativePrompt": "i/b.png", "text": "i/c.png", "image": "i/d.png"}),
                &["i/d.png"],
            ),
            (json!({"imageUrl": "https://example.com/a.png"}), &[]),
            (json!({}), &[]),
        ] {
            let paths = possible_paths(fields.as_object().unwrap());
            assert_eq!(paths, expected, "{fields}");
        }
    }

    #[test]
    fn what_answers_name_is_found() {
        let asset = stored(
            NativePath::Assets,
            &fixture("asset-upload-image.response.json"),
        );
        assert!(
            asset.iter().any(|id| id.starts_with("images/")),
            "{asset:?}"
        );
        assert!(asset.iter().any(|id| id.len() == 36), "{asset:?}");
        let conversation = fixture("conversation-create.response.json");
        assert_eq!(stored(NativePath::Conversations, &conversation).len(), 1);
        let made = stored(NativePath::Features, &fixture("image-multi.response.json"));
        assert!(
            made.len() > 1 && made.iter().all(|path| path.starts_with("images/")),
            "{made:?}"
        );
        assert!(stored(NativePath::Chat, &fixture("chat-minimal.response.json")).is_empty());
        assert!(stored(NativePath::Result, b"<html>").is_empty());
    }
}
