//! A completions request becomes a [`ChatRequest`] of one user message, and the shape its answer must have.
//!
//! The prompt goes upstream as it is: today's models answer a text that asks and continue one that
//! is broken off, as the last instruct models behind this API did.

use serde_json::Value;

use super::encode::EncodeOptions;
use super::wire;
use crate::bounds;
use crate::chat_request::{ChatRequest, Delivery, Message, Part, Role, WebSearch};
use crate::dialect::DecodedRequest;
use crate::dialect::openai::limits;
use crate::dialect::request::{self, model};
use crate::failure::Failure;

/// Decodes the body of a request.
///
/// # Errors
/// A [`Kind::Invalid`](crate::failure::Kind::Invalid) failure that names the field at fault.
pub fn decode(body: &[u8]) -> Result<DecodedRequest, Failure> {
    let mut request: wire::Request = request::parse(body)?;
    let (model, online) = model::required(request.model.take(), model::MODEL_IDS)?;
    let search = online.then(WebSearch::default);
    let prompts = prompts(request.prompt.take())
        .map_err(|failure| request::with_endpoint_of(failure, &request.ignored))?;
    if request
        .suffix
        .as_ref()
        .is_some_and(|suffix| !suffix.is_empty())
    {
        return Err(Failure::invalid(
            "suffix",
            "`suffix` is not available here: the models only continue a text, they do not fill a gap.",
        ));
    }
    without_effect(&mut request);
    let options = EncodeOptions {
        model: model.clone(),
        usage: request
            .stream_options
            .as_ref()
            .and_then(|options| options.include_usage)
            == Some(true),
        echo: if request.echo == Some(true) {
            prompts.clone()
        } else {
            Vec::new()
        },
    };
    let blank = ChatRequest {
        limits: limits::limits(request.max_tokens, "max_tokens", request.stop.take())?,
        choices: limits::choices(request.n)?,
        delivery: if request.stream == Some(true) {
            Delivery::Streamed
        } else {
            Delivery::Whole
        },
        ignored: request.ignored,
        search,
        model,
        ..ChatRequest::default()
    };
    let mut chats = prompts.into_iter().map(|prompt| ChatRequest {
        messages: vec![Message {
            role: Role::User,
            name: None,
            parts: vec![Part::Text(prompt)],
        }],
        ..blank.clone()
    });
    Ok(DecodedRequest {
        chat: chats.next().unwrap_or_default(),
        further: chats.collect(),
        encoder: Box::new(options),
    })
}

/// The prompts; at least one, none of them empty.
fn prompts(prompt: Option<Value>) -> Result<Vec<String>, Failure> {
    let entries = match prompt {
        None => {
            let message = "`prompt` is missing: give it text (1412).";
            return Err(Failure::invalid("prompt", message));
        }
        Some(Value::Array(entries)) if entries.is_empty() => vec![Value::from("")],
        Some(Value::Array(entries)) => entries,
        Some(entry) => vec![entry],
    };
    // Each becomes a request with all that stands beside it.
    bounds::at_most(entries.len(), bounds::PROMPTS_MAX, "prompt", "texts")?;
    entries.into_iter().map(text).collect()
}

fn text(entry: Value) -> Result<String, Failure> {
    let message = match entry {
        Value::String(text) if !text.trim().is_empty() => return Ok(text),
        Value::String(_) => "`prompt` is empty: give it text (1423).",
        Value::Number(_) | Value::Array(_) => {
            "A prompt of tokens cannot be read here: send it as text."
        }
        _ => "`prompt` must be a string or an array of strings.",
    };
    Err(Failure::invalid("prompt", message))
}

/// `logprobs: 0` still asks for those of the answer's own tokens; one of `best_of` is the only one.
fn without_effect(request: &mut wire::Request) {
    if request.logprobs.is_some() {
        request.ignored.push("logprobs".to_owned());
    }
    if request.best_of.is_some_and(|count| count.0 > 1) {
        request.ignored.push("best_of".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn very_many_prompts_are_refused_before_each_becomes_a_request() {
        let prompts = |count: usize| json!({"prompt": vec!["a"; count]});
        assert!(decoded(&prompts(bounds::PROMPTS_MAX)).is_ok());
        let failure = decoded(&prompts(bounds::PROMPTS_MAX + 1)).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some("prompt"));
    }
    use crate::chat_request::OutputLimits;

    fn decoded(fields: &Value) -> Result<ChatRequest, Failure> {
        let mut body = json!({"model": "m", "prompt": "Once"});
        let fields = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        decode(body.to_string().as_bytes()).map(|request| request.chat)
    }

    fn plain() -> ChatRequest {
        ChatRequest {
            model: "m".to_owned(),
            messages: vec![Message {
                role: Role::User,
                name: None,
                parts: vec![Part::Text("Once".to_owned())],
            }],
            choices: 1,
            ..ChatRequest::default()
        }
    }

    #[test]
    fn a_prompt_is_a_message_of_the_user() {
        for prompt in [json!("Once"), json!(["Once"])] {
            assert_eq!(decoded(&json!({ "prompt": prompt })).unwrap(), plain());
        }
    }

    #[test]
    fn every_prompt_of_a_list_is_a_turn_of_its_own() {
        let body = br#"{"model": "m", "prompt": ["Once", "Twice"], "n": 2, "stop": "END"}"#;
        let DecodedRequest { chat, further, .. } = decode(body).unwrap();
        assert_eq!(further.len(), 1);
        let second = ChatRequest {
            messages: further[0].messages.clone(),
            ..chat.clone()
        };
        assert_eq!((further[0].clone(), chat.choices), (second, 2));
        assert_eq!(
            further[0].messages[0].parts,
            [Part::Text("Twice".to_owned())]
        );
    }

    #[test]
    fn what_has_an_effect_is_in_the_turn_and_what_has_none_is_named() {
        let chat = decoded(&json!({
            "model": "m:online", "max_tokens": 5, "stop": ["END", ""], "n": 2, "stream": true,
            "best_of": 3, "logprobs": 2, "temperature": 0, "user": "ann", "seed": null, "suffix": "",
        }));
        let expected = ChatRequest {
            limits: OutputLimits {
                max_tokens: Some(5),
                stop: vec!["END".to_owned()],
            },
            choices: 2,
            delivery: Delivery::Streamed,
            search: Some(WebSearch::default()),
            ignored: ["temperature", "logprobs", "best_of"]
                .map(str::to_owned)
                .to_vec(),
            ..plain()
        };
        assert_eq!(chat.unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_completed_is_refused_with_its_field() {
        let table = [
            (json!({"model": " "}), "model", "`model` is missing"),
            (
                json!({"temperature": "hot"}),
                "temperature",
                "must be a number, not a string",
            ),
            (json!({"prompt": null}), "prompt", "(1412)"),
            (json!({"prompt": " "}), "prompt", "(1423)"),
            (json!({"prompt": []}), "prompt", "(1423)"),
            (json!({"prompt": ["a", " "]}), "prompt", "(1423)"),
            (json!({"prompt": [1, 2]}), "prompt", "as text"),
            (json!({"prompt": [[1, 2], [3]]}), "prompt", "as text"),
            (json!({"prompt": ["a", 1]}), "prompt", "as text"),
            (json!({"prompt": 1}), "prompt", "as text"),
            (
                json!({"prompt": {"a": 1}}),
                "prompt",
                "must be a string or an array of strings",
            ),
            (
                json!({"prompt": [{"a": 1}]}),
                "prompt",
                "must be a string or an array of strings",
            ),
            (json!({"suffix": "end"}), "suffix", "not available"),
            (json!({"n": 0}), "n", "at least 1"),
            (json!({"max_tokens": 0}), "max_tokens", "at least 1"),
            (
                json!({"max_tokens": "9"}),
                "max_tokens",
                "must be a number, not a string",
            ),
            (
                json!({"stop": ["a", "b", "c", "d", "e"]}),
                "stop",
                "at most 4",
            ),
            (
                json!({"stream_options": [true]}),
                "stream_options",
                "must be an object, not an array",
            ),
        ];
        for (fields, param, words) in table {
            let failure = decoded(&fields).unwrap_err();
            assert_eq!(
                failure.param.as_deref(),
                Some(param),
                "{fields}: {}",
                failure.message
            );
            assert!(
                failure.message.contains(words),
                "{fields}: {}",
                failure.message
            );
        }
    }
}
