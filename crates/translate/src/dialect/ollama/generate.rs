//! `POST /api/generate`: one prompt, answered by text.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::encode::{EncodeOptions, Shape};
use super::load::{Decoded, Load};
use super::options::{self, Shared};
use super::{error, rules};
use crate::chat_request::{Message, Part, Role};
use crate::dialect::request::forms::Object;
use crate::dialect::{DecodedRequest, Dialect, request};
use crate::failure::Failure;

/// Generations, for the relay.
pub const DIALECT: Dialect = Dialect {
    decode,
    failure: |failure, _| error::document(failure),
    fields: rules("prompt"),
};

#[derive(Debug, Deserialize)]
struct Request {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    format: Option<Value>,
    #[serde(default)]
    think: Option<Value>,
    #[serde(default)]
    options: Option<Map<String, Value>>,
    #[serde(default)]
    keep_alive: Option<Value>,
    #[serde(default)]
    logprobs: Option<bool>,
    #[serde(default)]
    prompt: Option<String>,
    #[serde(default)]
    suffix: Option<String>,
    #[serde(default)]
    system: Option<String>,
    #[serde(default)]
    template: Option<String>,
    #[serde(default)]
    images: Option<Vec<String>>,
    #[serde(default)]
    context: Option<Vec<Value>>,
    /// For `/api/chat`.
    #[serde(default)]
    messages: Option<Value>,
    /// For the Responses API.
    #[serde(default)]
    input: Option<Value>,
}

/// Decodes the body of a request that asks for a text.
///
/// # Errors
/// An invalid request: the failure names the field at fault.
pub fn decode(body: &[u8]) -> Result<DecodedRequest, Failure> {
    match decode_any(body)? {
        Decoded::Chat(request) => Ok(*request),
        Decoded::Load(_) => Err(Failure::invalid("prompt", "`prompt` is missing or empty.")),
    }
}

/// Decodes the body of any request.
///
/// # Errors
/// An invalid request: the failure names the field at fault.
pub fn decode_any(body: &[u8]) -> Result<Decoded, Failure> {
    let Object(request) = request::parse::<Object<Request>>(body)?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    if filled(request.suffix).is_some() {
        return Err(Failure::invalid(
            "suffix",
            "`suffix` is not available here: the models only continue a text, they do not fill a gap.",
        ));
    }
    let images = options::images(request.images, &"images")?;
    let shared = Shared {
        model: request.model,
        stream: request.stream,
        format: request.format,
        think: request.think,
        options: request.options,
        keep_alive: request.keep_alive,
        logprobs: request.logprobs,
    };
    let prompt = filled(request.prompt);
    if prompt.is_none() && images.is_empty() {
        let of_others = [
            ("messages", request.messages, "POST /api/chat"),
            ("input", request.input, "POST /v1/responses"),
        ];
        options::refuse_of_others("prompt", of_others)?;
        return Load::new(Shape::Generate, shared).map(Decoded::Load);
    }
    let name = shared.model.clone().unwrap_or_default();
    let (mut chat, show_thinking) = shared.decode()?;
    if filled(request.template).is_some() {
        chat.ignored.push("template".to_owned());
    }
    if request.context.is_some_and(|tokens| !tokens.is_empty()) {
        chat.ignored.push("context".to_owned());
    }
    let system = filled(request.system).map(|text| Message {
        role: Role::System,
        name: None,
        parts: vec![Part::Text(text)],
    });
    let parts = prompt.map(Part::Text).into_iter().chain(images);
    let user = Message {
        role: Role::User,
        name: None,
        parts: parts.collect(),
    };
    chat.messages = system.into_iter().chain([user]).collect();
    request::check_messages(&chat.messages, "prompt")?;
    Ok(Decoded::Chat(Box::new(DecodedRequest {
        chat,
        further: Vec::new(),
        encoder: Box::new(EncodeOptions {
            model: name,
            shape: Shape::Generate,
            show_thinking,
        }),
    })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decoded(body: &Value) -> Result<Decoded, Failure> {
        decode_any(body.to_string().as_bytes())
    }

    #[test]
    fn a_request_without_a_prompt_loads_the_model() {
        for body in [
            json!({"model": "m"}),
            json!({"model": "m", "prompt": ""}),
            json!({"model": "m", "system": "Be brief."}),
        ] {
            assert!(matches!(decoded(&body), Ok(Decoded::Load(_))), "{body}");
        }
        assert!(decode(br#"{"model": "m"}"#).is_err());
    }

    #[test]
    fn a_gap_is_not_filled() {
        let body = json!({"model": "m", "prompt": "def f(", "suffix": "return 1"});
        let failure = decoded(&body).err().unwrap();
        assert_eq!(failure.param.as_deref(), Some("suffix"));
        let body = json!({"model": "m", "prompt": "x", "suffix": ""});
        assert!(matches!(decoded(&body), Ok(Decoded::Chat(_))));
    }

    #[test]
    fn what_only_a_local_model_knows_is_named() {
        let body = json!({"model": "m", "prompt": "x", "raw": true, "template": "{{ .Prompt }}", "context": [1, 2]});
        let turn = decode(body.to_string().as_bytes()).ok().unwrap();
        assert_eq!(turn.chat.ignored, ["template", "context"]);
    }
}
