//! `POST /v1/messages/count_tokens`: how many tokens a request's prompt would have, estimated.

use serde::Serialize;

use super::decode::decode_for_count;
use crate::chat_request::{ChatRequest, Part};
use crate::compose::{Wording, compose};
use crate::failure::Failure;
use crate::tokens;

/// An image's tokens: what Anthropic counts for one of about a megapixel, the largest that it does
/// not shrink (its rule is width times height by 750).
const IMAGE_TOKENS: u64 = 1_500;

/// A document's tokens, where its text is not in the request: one page of it.
const FILE_TOKENS: u64 = 2_000;

#[derive(Serialize)]
struct Count {
    input_tokens: u64,
}

/// Answers a request for a count of tokens with its JSON text.
///
/// # Errors
/// What [`decode`](super::decode::decode) refuses, but for a missing `max_tokens`.
pub fn count_tokens(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let chat = decode_for_count(body)?;
    let count = Count {
        input_tokens: input_tokens(&chat, &compose(&chat, &Wording::default(), 0).text),
    };
    // A number always serialises.
    Ok(serde_json::to_vec(&count).unwrap_or_default())
}

/// The tokens of a turn that is written as this prompt, its images and documents included.
#[must_use]
pub fn input_tokens(chat: &ChatRequest, prompt: &str) -> u64 {
    let media: u64 = chat
        .messages
        .iter()
        .map(|message| media(&message.parts))
        .sum();
    tokens::estimate(prompt).saturating_add(media)
}

fn media(parts: &[Part]) -> u64 {
    let tokens = parts.iter().map(|part| match part {
        Part::Image(_) => IMAGE_TOKENS,
        Part::File(_) => FILE_TOKENS,
        Part::Result(result) => media(&result.parts),
        _ => 0,
    });
    tokens.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(body: &str) -> u64 {
        let json = count_tokens(body.as_bytes()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        json["input_tokens"].as_u64().unwrap()
    }

    #[test]
    fn a_request_without_max_tokens_is_counted() {
        let plain =
            count(r#"{"model":"m","messages":[{"role":"user","content":"How are you today?"}]}"#);
        assert_eq!(plain, tokens::estimate("How are you today?"));
        let more = count(
            r#"{"model":"m","system":"Be kind.","messages":[{"role":"user","content":"How are you today?"}]}"#,
        );
        assert!(more > plain);
    }

    #[test]
    fn pictures_count_wherever_they_are() {
        let image = r#"{"type":"image","source":{"type":"url","url":"https://example.org/a.png"}}"#;
        let result = format!(r#"{{"type":"tool_result","tool_use_id":"t","content":[{image}]}}"#);
        for block in [image, &result] {
            let body =
                format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{block}]}}]}}"#);
            assert!(count(&body) >= IMAGE_TOKENS, "{block}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        assert_eq!(
            count_tokens(br#"{"model":"m"}"#)
                .unwrap_err()
                .param
                .as_deref(),
            Some("messages")
        );
    }
}
