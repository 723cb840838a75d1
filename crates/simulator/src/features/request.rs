//! What a request for a feature says.

use serde_json::{Map, Value};

/// A request for a feature: any JSON object.
#[derive(Debug)]
pub(crate) struct FeatureRequest(Map<String, Value>);

impl FeatureRequest {
    /// `None` if the body is not a JSON object.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().map(Self)
    }

    fn text(&self, field: &str) -> Option<&str> {
        let text = self.0.get(field).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    }

    /// The feature's type.
    pub(super) fn kind(&self) -> Option<&str> {
        self.text("type")
    }

    pub(super) fn model(&self) -> Option<&str> {
        self.text("model")
    }

    pub(super) fn conversation_id(&self) -> Option<&str> {
        self.text("conversationId")
    }

    pub(super) fn is_async(&self) -> bool {
        self.0.get("async") == Some(&Value::Bool(true))
    }

    pub(super) fn prompt_object(&self) -> Option<&Map<String, Value>> {
        self.0.get("promptObject").and_then(Value::as_object)
    }

    /// A field of the prompt object; null counts as absent.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        let field = self.prompt_object()?.get(name);
        field.filter(|value| !value.is_null())
    }

    pub(super) fn string(&self, name: &str) -> Option<&str> {
        self.field(name).and_then(Value::as_str)
    }

    /// A number that is also taken out of a string.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let value = self.field(name)?;
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.or_else(|| value.as_str()?.parse().ok())
    }

    /// The text in which a directive may stand: what is drawn, spoken or explained.
    pub(super) fn prompt(&self) -> &str {
        let mut fields = ["prompt", "text", "voice_description"].iter();
        fields
            .find_map(|name| self.string(name))
            .unwrap_or_default()
    }
}
