//! Arguments as they arrive, written as one JSON object.
//!
//! Three ways of writing them are read as a stream: JSON, JSON inside a string, and a tag for each
//! parameter. What was written so far is always the beginning of a valid JSON object.

mod encoded;
mod tagged;

use super::callable_tools::CallableTool;
use super::markers::ENDS_OF_JSON;
use crate::interpret::json::Grade;
use crate::interpret::json::emitter::{Emitter, Fed};
use encoded::Encoded;
use tagged::Tagged;

/// Writes the arguments of one call.
#[derive(Debug)]
pub(super) enum Writer {
    Json(Box<Emitter>),
    Encoded(Box<Encoded>),
    Tagged(Tagged),
}

impl Writer {
    /// For a JSON object that begins here; `close` is the tag that would end the call.
    pub(super) fn json(close: &str) -> Self {
        Self::Json(Box::new(emitter(close)))
    }

    /// For a JSON object inside a string whose mark was passed.
    /// `twice`: it was escaped twice.
    pub(super) fn encoded(mark: char, twice: bool, close: &str) -> Self {
        Self::Encoded(Box::new(Encoded::new(mark, twice, emitter(close))))
    }

    /// For parameter tags, written behind members that stand already.
    pub(super) fn tagged(begun: bool, members: usize) -> Self {
        Self::Tagged(Tagged::new(begun, members))
    }

    /// How far the arguments had to be repaired.
    pub(super) fn grade(&self) -> Grade {
        match self {
            Self::Json(emitter) => emitter.grade(),
            Self::Encoded(encoded) => encoded.grade(),
            Self::Tagged(_) => Grade::Exact,
        }
    }

    /// Whether a key came twice.
    pub(super) fn repeated_key(&self) -> bool {
        match self {
            Self::Json(emitter) => emitter.repeated_key(),
            Self::Encoded(encoded) => encoded.repeated_key(),
            Self::Tagged(_) => false,
        }
    }

    /// Reads on and writes what is certain.
    pub(super) fn feed(
        &mut self,
        text: &str,
        whole: bool,
        tool: Option<&CallableTool>,
        out: &mut String,
    ) -> Fed {
        match self {
            Self::Json(emitter) => emitter.feed(text, whole, out),
            Self::Encoded(encoded) => encoded.feed(text, whole, out),
            Self::Tagged(tagged) => tagged.feed(text, whole, tool, out),
        }
    }

    /// The tag that closes a parameter's value, where each has its own.
    pub(super) fn parameter_tag(&self) -> Option<&str> {
        match self {
            Self::Json(_) | Self::Encoded(_) => None,
            Self::Tagged(tagged) => tagged.parameter_tag(),
        }
    }

    /// Whether text behind what was consumed was looked through: for the end of an open value.
    pub(super) fn looks_ahead(&self) -> bool {
        match self {
            Self::Json(_) | Self::Encoded(_) => false,
            Self::Tagged(tagged) => tagged.is_open(),
        }
    }

    /// Whether the text so far ends in the middle of a string.
    pub(super) fn ends_in_string(&self) -> bool {
        match self {
            Self::Json(emitter) => emitter.ends_in_string(),
            Self::Encoded(encoded) => encoded.ends_in_string(),
            Self::Tagged(_) => false,
        }
    }

    /// The text ended without the arguments' end.
    pub(super) fn close(&mut self, out: &mut String) -> Result<(), &'static str> {
        match self {
            Self::Json(emitter) => emitter.close(out),
            Self::Encoded(_) => Err("the string with the arguments is not closed"),
            Self::Tagged(tagged) => tagged.close(out),
        }
    }
}

fn emitter(close: &str) -> Emitter {
    Emitter::within(close, &ENDS_OF_JSON)
}
