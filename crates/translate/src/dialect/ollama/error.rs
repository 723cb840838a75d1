//! Ollama's error object: `{"error": "text"}`.

use serde::Serialize;

use crate::dialect::{Document, json};
use crate::failure::{Failure, Kind};

#[derive(Serialize)]
struct Envelope<'a> {
    error: &'a str,
}

/// A failure as an HTTP answer.
#[must_use]
pub fn document(failure: &Failure) -> Document {
    Document {
        status: status(failure.kind),
        body: object(failure),
    }
}

/// A failure as the JSON text of the error object, for bodies and for lines of a stream.
#[must_use]
pub fn object(failure: &Failure) -> Vec<u8> {
    // Clients look for these words to offer a download.
    let lead = match failure.kind {
        Kind::ModelNotFound => "model not found: ",
        _ => "",
    };
    let error = format!("{lead}{}", failure.message);
    json::text(&Envelope { error: &error })
}

fn status(kind: Kind) -> u16 {
    match kind {
        Kind::Invalid | Kind::Unsupported | Kind::ContextTooLong | Kind::ContentRefused => 400,
        Kind::Unauthenticated => 401,
        Kind::OutOfCredits => 402,
        Kind::Forbidden => 403,
        Kind::ModelNotFound | Kind::NotFound => 404,
        Kind::MethodNotAllowed => 405,
        Kind::Conflict => 409,
        Kind::TooLarge => 413,
        Kind::UnsupportedMediaType => 415,
        Kind::UpgradeRefused => 426,
        Kind::RateLimited => 429,
        Kind::Internal => 500,
        Kind::NotImplemented => 501,
        Kind::Upstream | Kind::Unmet => 502,
        Kind::Overloaded => 503,
        Kind::UpstreamTimeout => 504,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_string() {
        let document = document(&Failure::invalid("format", "wrong \"type\""));
        assert_eq!(document.status, 400);
        assert_eq!(
            String::from_utf8(document.body).unwrap(),
            r#"{"error":"wrong \"type\""}"#
        );
    }

    #[test]
    fn an_unknown_model_is_said_in_the_words_that_clients_look_for() {
        let failure = Failure::new(Kind::ModelNotFound, "The model `x` does not exist.");
        let document = document(&failure);
        assert_eq!(document.status, 404);
        let text = String::from_utf8(document.body).unwrap();
        assert!(text.contains("not found"), "{text}");
    }
}
