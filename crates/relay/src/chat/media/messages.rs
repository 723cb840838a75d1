//! What a media request takes from a conversation.

use translate::chat_request::{ChatRequest, Part, Role};
use translate::failure::{Failure, Kind};

/// What is wrong with a part of a message is wrong with the messages.
pub(super) fn of_messages(failure: Failure) -> Failure {
    match failure.kind {
        Kind::Invalid => failure.with_param("messages"),
        _ => failure,
    }
}

/// The text of the last user message.
pub(super) fn last_text(chat: &ChatRequest) -> Result<String, Failure> {
    let last = chat
        .messages
        .iter()
        .rev()
        .find(|message| message.role == Role::User);
    let parts = last
        .map(|message| message.parts.as_slice())
        .unwrap_or_default();
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let text = texts.join("\n");
    if text.trim().is_empty() {
        return Err(Failure::invalid(
            "messages",
            "The last user message has no text (1423).",
        ));
    }
    Ok(text)
}
