//! JSON as models write it: found in prose, repaired, checked against a schema.
//!
//! One repairing re-emitter ([`emitter`]) reads all of it, arriving or whole, so a streamed answer
//! and a collected one are repaired alike.

pub mod answer;
pub mod candidates;
pub mod emitter;
mod grade;
mod lookahead;
pub(crate) mod tokens;

pub use grade::Grade;

use emitter::{Emitter, Progress};

use super::slice::from;

/// JSON text that was repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// One valid JSON value, compact.
    pub json: String,
    /// How far it had to be repaired.
    pub grade: Grade,
    /// Whether an object had the same key twice, so that readers may differ about its value.
    pub repeated_key: bool,
    /// The bytes of the text that were read; what follows them is not part of the value.
    pub end: usize,
}

/// Reads the JSON value that begins the text. A text that is cut inside a value is an error, not
/// completed: only closing brackets are ever added.
pub fn repair(text: &str) -> Result<Repaired, &'static str> {
    let mut emitter = Emitter::default();
    let mut json = String::with_capacity(text.len());
    let fed = emitter.feed(text, true, &mut json);
    match fed.progress {
        Progress::Done => {}
        Progress::More => emitter.close(&mut json)?,
        Progress::Broken(why) => return Err(why),
    }
    Ok(Repaired {
        json,
        grade: emitter.grade(),
        repeated_key: emitter.repeated_key(),
        end: fed.consumed,
    })
}

/// Reads a text that is one JSON value and nothing else.
pub fn repair_whole(text: &str) -> Result<Repaired, &'static str> {
    let repaired = repair(text)?;
    if from(text, repaired.end)
        .trim_matches([' ', '\n', '\r', '\t', ';', '}', ']', ','])
        .is_empty()
    {
        Ok(repaired)
    } else {
        Err("text follows the JSON value")
    }
}
