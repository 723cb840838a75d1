//! What every dialect's decoder does alike: JSON errors that name the field, media, the original
//! relay's checks of a conversation.

use serde::de::DeserializeOwned;

use super::data_uri::{self, Data};
use crate::failure::Failure;
use crate::turn::{Media, Message, Part, Role, Source};

/// Parses a request's body.
///
/// # Errors
/// Malformed JSON with its place, or a field of the wrong type with its path.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| explain::<T>(body, &error))
}

/// Only a request that failed is read a second time, with the path kept.
fn explain<T: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> Failure {
    if !error.is_data() {
        return Failure::new(
            crate::failure::Kind::Invalid,
            format!("The request body is not valid JSON: {error}."),
        );
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let tracked: Result<T, _> = serde_path_to_error::deserialize(&mut deserializer);
    let path = tracked.err().map(|e| e.path().to_string());
    let path = path.filter(|path| path != "." && path != "?");
    let message = error.to_string();
    let reason = message.split(" at line ").next().unwrap_or(&message);
    match path {
        Some(path) => Failure::invalid(&path, format!("`{path}`: {reason}.")),
        None => Failure::new(crate::failure::Kind::Invalid, format!("The request body is wrong: {reason}.")),
    }
}

/// A picture by URL: an http(s) address, or a data URI whose bytes are taken out.
///
/// # Errors
/// A data URI that cannot be decoded, or an address of another scheme.
pub fn picture(url: String, path: &str) -> Result<Media, Failure> {
    if data_uri::is_data_uri(&url) {
        let data = data_uri::parse(&url);
        let data = data.ok_or_else(|| Failure::invalid(path, "The data URI cannot be decoded: write data:<type>;base64,<bytes>."))?;
        return Ok(Media {
            source: Source::Inline(data.bytes),
            name: None,
            mime: data.mime,
        });
    }
    let scheme = url.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(Failure::invalid(path, "An image must be an http(s) URL or a data URI."));
    }
    Ok(Media {
        source: Source::Url(url),
        name: None,
        mime: None,
    })
}

/// Bytes inside the request: a data URI, or bare base64.
#[must_use]
pub fn inline(text: &str) -> Option<Data> {
    if data_uri::is_data_uri(text) {
        return data_uri::parse(text);
    }
    data_uri::base64(text).map(|bytes| Data { mime: None, bytes })
}

/// Refuses a conversation without messages, and one whose last word is empty: upstream answers an
/// empty prompt with a greeting, which would be charged and help nobody.
///
/// # Errors
/// The original relay's errors 1412 (no messages) and 1423 (empty last message).
pub fn check_messages(messages: &[Message], field: &str) -> Result<(), Failure> {
    let Some(last) = messages.last() else {
        return Err(Failure::invalid(field, format!("`{field}` is missing or empty: give at least one message (1412).")));
    };
    let said = messages.iter().any(|m| m.parts.iter().any(says));
    if !said || (last.role == Role::User && !last.parts.iter().any(says)) {
        return Err(Failure::invalid(field, format!("The last of `{field}` is empty: give it text, an image or a file (1423).")));
    }
    Ok(())
}

fn says(part: &Part) -> bool {
    match part {
        Part::Text(text) | Part::Refusal(text) => !text.trim().is_empty(),
        Part::Reasoning(_) => false,
        Part::Image(_) | Part::File(_) | Part::Audio(_) | Part::Call(_) | Part::Result(_) => true,
    }
}
