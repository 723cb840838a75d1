//! What a chat request says. As lenient as upstream: only the prompt is looked at closely, fields
//! of a wrong type count as absent, unknown ones are ignored.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A chat request.
#[derive(Debug, Deserialize)]
pub(crate) struct ChatRequest {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    /// The model's id.
    #[serde(default)]
    pub(crate) model: Option<String>,
    #[serde(rename = "promptObject", default)]
    raw: Option<Box<RawValue>>,
    #[serde(skip)]
    prompt_object: PromptObject,
}

/// The fields of `promptObject` that make a difference.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PromptObject {
    prompt: Value,
    conversation_id: Value,
    settings: Value,
    attachments: Value,
    image_list: Value,
}

impl ChatRequest {
    /// Reads a body; `None` when it is not a JSON object of that kind.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        // A list would be taken for the fields in their order.
        body.trim_ascii_start().strip_prefix(b"{")?;
        let mut request: Self = serde_json::from_slice(body).ok()?;
        let raw = request.raw.as_ref().map_or("null", |raw| raw.get());
        request.prompt_object = serde_json::from_str(raw).unwrap_or_default();
        Some(request)
    }

    /// The type, when it names no kind of chat. Upstream takes `CHAT` and `CHAT_WITH_IMAGE` too.
    pub(crate) fn foreign_type(&self) -> Option<&str> {
        self.kind.as_deref().filter(|kind| !kind.contains("CHAT"))
    }

    /// The type to name in the record.
    pub(crate) fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("UNIFY_CHAT_WITH_AI")
    }

    /// Whether there is a prompt that is a string; it may be empty.
    pub(crate) fn has_prompt(&self) -> bool {
        self.prompt_object.prompt.is_string()
    }

    pub(crate) fn prompt(&self) -> &str {
        self.prompt_object.prompt.as_str().unwrap_or_default()
    }

    /// The prompt object as it came.
    pub(crate) fn prompt_object(&self) -> &str {
        self.raw.as_ref().map_or("{}", |raw| raw.get())
    }

    pub(crate) fn conversation_id(&self) -> Option<&str> {
        self.prompt_object.conversation_id.as_str()
    }

    /// Number of sites to search, when web search is on.
    pub(crate) fn web_search(&self) -> Option<u64> {
        let settings = self.prompt_object.settings.get("webSearchSettings")?;
        let sites = || {
            settings
                .get("numOfSite")
                .and_then(Value::as_f64)
                .map_or(3, whole)
        };
        (settings.get("webSearch") == Some(&Value::Bool(true))).then(sites)
    }

    /// Paths or URLs of images.
    pub(crate) fn images(&self) -> Vec<&str> {
        strings(self.prompt_object.attachments.get("images"))
    }

    /// UUIDs of documents, or what stands in their place.
    pub(crate) fn files(&self) -> Vec<&str> {
        strings(self.prompt_object.attachments.get("files"))
    }

    /// Whether images came in the old field that is echoed and ignored.
    pub(crate) fn has_image_list(&self) -> bool {
        !strings(Some(&self.prompt_object.image_list)).is_empty()
    }
}

/// A count of sites, between none and ten.
fn whole(count: f64) -> u64 {
    (0..10).filter(|&n| f64::from(n) < count).count() as u64
}

fn strings(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::ChatRequest;

    fn read(json: &str) -> ChatRequest {
        ChatRequest::read(json.as_bytes()).expect("a request")
    }

    #[test]
    fn fields_of_a_wrong_type_are_absent() {
        let request = read(
            r#"{"model":"m","promptObject":{"prompt":"p","settings":7,"attachments":{"images":"x","files":[1,"f"]}}}"#,
        );
        assert_eq!((request.prompt(), request.web_search()), ("p", None));
        assert_eq!((request.images(), request.files()), (vec![], vec!["f"]));
        assert!(!request.has_image_list());
    }

    #[test]
    fn a_prompt_must_be_a_string() {
        for (json, has) in [
            (r#"{"promptObject":{"prompt":""}}"#, true),
            (r#"{"promptObject":{"prompt":7}}"#, false),
            (r#"{"promptObject":{"messages":[]}}"#, false),
            (r#"{"promptObject":null}"#, false),
            (r#"{"promptObject":"text"}"#, false),
            (r#"{"messages":[]}"#, false),
        ] {
            assert_eq!(read(json).has_prompt(), has, "{json}");
        }
    }

    #[test]
    fn web_search_is_read_from_the_settings_only() {
        let on = r#"{"promptObject":{"prompt":"","settings":{"webSearchSettings":{"webSearch":true,"numOfSite":2}}}}"#;
        assert_eq!(read(on).web_search(), Some(2));
        assert_eq!(
            read(r#"{"promptObject":{"prompt":"","webSearch":true,"numOfSite":2}}"#).web_search(),
            None
        );
    }

    #[test]
    fn what_is_no_object_is_no_request() {
        for body in ["", "{", "[]", "7", "{\"model\":7}", "\u{fffd}"] {
            assert!(ChatRequest::read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(ChatRequest::read(b"{\"model\":\"\xff\"}").is_none());
    }

    #[test]
    fn types_without_chat_in_them_are_foreign() {
        assert_eq!(read(r#"{"type":"CHAT"}"#).foreign_type(), None);
        assert_eq!(
            read(r#"{"type":"IMAGE_GENERATOR"}"#).foreign_type(),
            Some("IMAGE_GENERATOR")
        );
        assert_eq!(read("{}").kind(), "UNIFY_CHAT_WITH_AI");
    }
}
