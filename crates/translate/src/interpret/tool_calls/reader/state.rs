//! The states of the reader, and what each holds.

use crate::interpret::json::Grade;
use crate::interpret::tool_calls::args::Writer;

/// What the reader is at.
#[derive(Debug, Default)]
pub(super) enum State {
    /// Text is passed on, and markers are looked for.
    #[default]
    Text,
    /// The arguments of a call are read.
    Arguments(Box<OpenCall>),
    /// A call that cannot be read is passed, to its closing tag.
    Malformed(Between),
    /// Only calls, their markers and white space may stand; anything else is text again.
    Between(Between),
    /// Nothing that follows counts.
    Finished,
}

/// Whether a state can go on with the text there is.
pub(super) enum Step {
    Go(State),
    Wait(State),
}

/// The place behind a call or before the first.
#[derive(Debug, Default)]
pub(super) struct Between {
    /// What is held until it is known whether it is calls.
    pub(super) tentative: Option<Box<Tentative>>,
    /// Whether what follows stands in the same wrapper as the last call.
    pub(super) in_wrapper: bool,
    /// Braces of the envelope that are still open.
    pub(super) braces: usize,
    /// The place behind the last white space.
    pub(super) blank_at: Option<usize>,
}

/// Text that is calls only if nothing else follows: a fence, inline code, a bare JSON reply.
#[derive(Debug)]
pub(super) struct Tentative {
    pub(super) kind: Kind,
    /// Where reading goes on if it is not.
    pub(super) resume: usize,
    pub(super) closed: bool,
    /// How many fences stand in a row; each would be read again if text follows them.
    pub(super) fences: usize,
    /// Whether it stands in a tag that is not known: then the call must fit.
    pub(super) foreign: bool,
    /// What blocks of text beside the calls say.
    pub(super) said: Option<String>,
    pub(super) pending_calls: Vec<(usize, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fence {
        mark: char,
        length: usize,
        code: bool,
    },
    Span(usize),
    Line,
    Bare,
}

/// A call whose arguments are being read.
#[derive(Debug)]
pub(super) struct OpenCall {
    pub(super) tool: Option<usize>,
    pub(super) name: String,
    pub(super) writer: Writer,
    /// The call's number, if it was started already.
    pub(super) started: Option<usize>,
    /// The arguments, if the call is held.
    pub(super) held: String,
    /// Bytes written.
    pub(super) written: usize,
    /// Where the call's text begins.
    pub(super) start: usize,
    pub(super) is_prompt_tag: bool,
    /// Whether the object is complete but for its brace, since `<arg>` blocks may follow.
    pub(super) complete: bool,
    /// Where reading goes on behind it.
    pub(super) between: Between,
}

/// A call that was read to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadCall<'c> {
    pub(super) tool: Option<usize>,
    /// The name as written.
    pub(super) name: &'c str,
    pub(super) json: &'c str,
    /// Where its text begins.
    pub(super) start: usize,
    pub(super) is_prompt_tag: bool,
    pub(super) grade: Grade,
}

impl State {
    /// What is held until it is known whether it is calls.
    pub(super) fn tentative(&self) -> Option<&Tentative> {
        match self {
            Self::Between(between) | Self::Malformed(between) => between.tentative.as_deref(),
            Self::Arguments(call) => call.between.tentative.as_deref(),
            Self::Text | Self::Finished => None,
        }
    }
}

impl Between {
    /// Whether a call stands before here.
    pub(super) fn begun(&self) -> bool {
        self.tentative
            .as_ref()
            .is_none_or(|t| !t.pending_calls.is_empty() || t.said.is_some())
    }
}

impl Tentative {
    pub(super) fn new(kind: Kind, resume: usize) -> Self {
        Self {
            kind,
            resume,
            closed: false,
            fences: 1,
            foreign: false,
            said: None,
            pending_calls: Vec::new(),
        }
    }
}
