//! Requests in the form of the Responses API that are posted to chat completions: some clients mix
//! the two, and read chunks of a chat completion all the same.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::decode;
use super::encode::EncodeOptions;
use crate::chat_request::ToolInput;
use crate::dialect::openai::responses;
use crate::dialect::{DecodedRequest, request};
use crate::failure::Failure;

/// What tells the two forms apart, and what only chat completions have.
#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    messages: Option<IgnoredAny>,
    #[serde(default)]
    input: Option<IgnoredAny>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

/// Decodes a request of either form; its answer is a chat completion.
pub(super) fn decode(body: &[u8]) -> Result<DecodedRequest, Failure> {
    let failure = match decode::decode(body) {
        Ok(decoded) => return Ok(decoded),
        Err(failure) => failure,
    };
    let form: Option<Form> = request::parse(body).ok();
    let form = form.filter(|form| form.messages.is_none() && form.input.is_some());
    let Some(form) = form else {
        return Err(failure);
    };
    let chat = responses::decode::decode(body)?.chat;
    let is_custom = |tool: &&crate::chat_request::Tool| tool.input == ToolInput::Text;
    let custom = chat.tools.offered.iter().filter(is_custom);
    let options = EncodeOptions {
        model: chat.model.clone(),
        usage: form
            .stream_options
            .is_some_and(|options| options.include_usage == Some(true)),
        legacy_functions: false,
        custom_tools: custom.map(|tool| tool.name.clone()).collect(),
    };
    Ok(DecodedRequest {
        chat,
        further: Vec::new(),
        encoder: Box::new(options),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat_request::{Part, Role};

    #[test]
    fn a_request_in_the_other_form_is_answered_as_a_chat_completion() {
        let body = json!({
            "model": "gpt-5",
            "stream": true,
            "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "1"},
            ],
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
        });
        let decoded = decode(body.to_string().as_bytes()).ok().unwrap();
        let roles: Vec<Role> = decoded.chat.messages.iter().map(|m| m.role).collect();
        let expected = [Role::System, Role::User, Role::Assistant, Role::Tool];
        assert_eq!(roles, expected);
        assert_eq!(decoded.chat.tools.offered.len(), 1);
        let meta = crate::reply::ResponseMeta {
            id: "0".to_owned(),
            created: 0,
        };
        let mut out = Vec::new();
        decoded.encoder.stream(meta, 1).open(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("chat.completion.chunk"), "{text}");
    }

    #[test]
    fn messages_beside_input_and_other_failures_stay_what_they_are() {
        let both =
            json!({"model": "m", "input": "a", "messages": [{"role": "user", "content": "b"}]});
        let chat = decode(both.to_string().as_bytes()).ok().unwrap().chat;
        assert_eq!(chat.messages[0].parts, [Part::Text("b".to_owned())]);
        for body in [
            json!({"model": "m"}),
            json!({"model": "m", "messages": [], "input": "a"}),
        ] {
            let failure = decode(body.to_string().as_bytes()).err().unwrap();
            assert_eq!(failure.param.as_deref(), Some("messages"), "{body}");
        }
        let prompt = json!({"model": "m", "prompt": "a"});
        let failure = decode(prompt.to_string().as_bytes()).err().unwrap();
        assert!(
            failure.message.contains("POST /v1/completions"),
            "{failure:?}"
        );
    }
}
