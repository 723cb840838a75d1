//! What the forms of calls have in common: what they need to know, and what they give.

use super::callable_tools::CallableTools;
use crate::interpret::scanner::{Cursor, Read, ReadError};
use crate::tags::Tags;

/// What a reading of heads needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) declared: &'a CallableTools,
    pub(super) tags: Tags,
}

/// A call as far as its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallHead {
    /// The name as written; empty if none could be read.
    pub(super) name: String,
    pub(super) args: Args,
    /// Bytes up to where the arguments begin, or behind all of it.
    pub(super) end: usize,
    /// Whether the tag is the one we asked for, which no text of the request holds.
    pub(super) is_prompt_tag: bool,
    /// Whether any marker said that this is a call.
    pub(super) marked: bool,
    /// Braces open around the arguments.
    pub(super) depth: usize,
}

/// How the arguments stand in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Args {
    /// As a JSON object that begins here.
    Json,
    /// As a JSON object inside a string whose content begins here.
    Encoded { mark: char, twice: bool },
    /// One tag for each parameter.
    Tagged,
    /// Read already, with the head.
    Whole(String),
    /// As a JSON object of a call whose envelope is unknown: it counts only if it fits.
    Fitting(String),
    /// A block of text beside calls, in a list of content blocks.
    Said(String),
    /// As plain text, for the tool's only text parameter.
    Plain(String),
    /// Several calls, read already: the name and the arguments of each.
    Several(Vec<(String, String)>),
    /// They could not be read; the call reaches to its closing tag.
    Unreadable,
}

/// What a form of call gives, its markers not counted.
pub(super) struct ParsedCall {
    pub(super) name: String,
    pub(super) args: Args,
    pub(super) depth: usize,
}

impl ParsedCall {
    pub(super) fn new(name: impl Into<String>, args: Args) -> Self {
        Self {
            name: name.into(),
            args,
            depth: 0,
        }
    }
}

/// How a call may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// In running text: only behind a marker.
    Text,
    /// In running text at a line's start: some markers count only there.
    LineStart,
    /// Where nothing but calls stands: as the whole reply, alone in a fence.
    Alone,
    /// At a line's start behind text: an object that says itself that it is a call.
    Behind,
    /// In a fence that says it holds Python calls.
    Code,
    /// Behind a call, in the same wrapper.
    Inside,
}

/// Passes ```` ```json ```` and its line's end.
pub(super) fn fence_line(cursor: &mut Cursor<'_>) -> Read<()> {
    let ticks = cursor.run(|c| c == '`')?;
    if ticks.len() < 3 {
        return Err(ReadError::NoMatch);
    }
    cursor.run(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '))?;
    Ok(())
}
