//! The reader: text in, events out, the same for any cut of the text.
//!
//! It is in one of three states. *Scanning*, text is passed on and markers are looked for. *In a
//! call*, arguments are written as they come. *Between calls*, only calls, their markers and white
//! space may stand; anything else returns to scanning. Text that could yet be part of a call is
//! kept in the buffer, so going back is setting a cursor back; how often that may happen is bounded.

use super::Options;
mod between;
mod calls;
mod scan;

use super::args::Writer;
use super::callable_tools::CallableTools;
use super::context::Context;
use super::outcome::Outcome;
use super::prompt_echo::PromptEcho;
use crate::chat_request::Tools;
use crate::interpret::flow::Flow;
use crate::interpret::slice::from;
use crate::reply::Event;
use crate::tags::Tags;

/// The most text that is held for one head, and for calls that count only if nothing follows.
const MAX_HOLD: usize = 4 << 20;
/// The most white space that is held because a call may follow.
const MAX_BLANK: usize = 256;
/// Below this, a head that needs more is read again with each piece of text; above, as it grows by a quarter.
const SMALL: usize = 256;
/// The most fences of calls in a row.
const MAX_FENCES: usize = 32;
/// How many bytes may be read in vain at first.
const SPARE: usize = 1 << 20;
/// How often an answer's broken call is left for the calls behind it.
const MAX_RETURNS: usize = 8;

/// Reads the calls of one answer.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact about the place in the answer"
)]
pub struct Reader {
    tools: Tools,
    declared: CallableTools,
    tags: Tags,
    quoted: PromptEcho,
    options: Options,
    close: String,
    context: Context,
    state: State,
    buf: String,
    /// Bytes of the buffer that are given or dropped.
    sent: usize,
    /// Bytes that are read.
    pos: usize,
    /// How long the buffer must be for another attempt at a head.
    retry: usize,
    region: Option<Region>,
    /// The place behind the last white space between calls.
    behind_blank: Option<usize>,
    /// Whether what follows stands in the same wrapper as the last call.
    inside: bool,
    /// Braces of the envelope that are still open.
    depth: usize,
    /// What closed the parameters of the last call: where it stands again, a value was cut off.
    parameter_tag: Option<String>,
    /// Whether a call that was none is held, to be text if text follows.
    suspect: bool,
    returns: usize,
    /// Bytes that may still be read in vain: text that only looks like calls must not cost more
    /// than in proportion to its length.
    spare: usize,
    discard: bool,
    stopped: bool,
    index: usize,
    outcome: Outcome,
}

#[derive(Debug)]
enum State {
    Scan,
    Call(Box<Open>),
    /// A call that cannot be read, to its closing tag.
    Garbage,
    Between,
}

/// A call whose arguments are being read.
#[derive(Debug)]
struct Open {
    tool: Option<usize>,
    name: String,
    writer: Writer,
    /// The call's number, if it was started already.
    started: Option<usize>,
    /// The arguments, if the call is held.
    held: String,
    /// Bytes written.
    written: usize,
    /// Where the call's text begins in the buffer, if it is held.
    from: usize,
    ours: bool,
    depth: usize,
    /// Whether the object is complete but for its brace, since `<arg>` blocks may follow.
    complete: bool,
}

/// Text that is calls only if nothing else follows: a fence, inline code, a bare JSON reply.
#[derive(Debug)]
struct Region {
    kind: Kind,
    /// Where scanning goes on if it is not.
    resume: usize,
    closed: bool,
    /// How many fences stand in a row; each would be read again if text follows them.
    fences: usize,
    /// Whether it stands in a tag that is not known: then the call must fit.
    foreign: bool,
    /// What blocks of text beside the calls say.
    said: Option<String>,
    drafts: Vec<(usize, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fence {
        mark: char,
        length: usize,
        code: bool,
    },
    Span(usize),
    Line,
    Bare,
}

type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

/// Whether a state can go on with the text there is.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Wait,
}

impl Reader {
    /// A reader for one answer to a prompt with these tools and tags. `quoted` holds the request's
    /// texts that could hold a call ([`PromptEcho::of`]).
    #[must_use]
    pub fn new(tools: &Tools, tags: Tags, quoted: PromptEcho, options: Options) -> Self {
        Self {
            declared: CallableTools::new(tools),
            tools: Tools {
                offered: Vec::new(),
                ..tools.clone()
            },
            tags,
            quoted,
            options,
            close: tags.close("tool_call"),
            context: Context::default(),
            state: State::Scan,
            buf: String::new(),
            sent: 0,
            pos: 0,
            retry: 0,
            region: None,
            behind_blank: None,
            inside: false,
            depth: 0,
            parameter_tag: None,
            suspect: false,
            returns: 0,
            spare: SPARE,
            discard: false,
            stopped: false,
            index: 0,
            outcome: Outcome::default(),
        }
    }

    /// Takes in more of the answer. [`Flow::Stop`]: the answer is complete, upstream can be left.
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) -> Flow {
        if self.declared.is_empty() {
            if !text.is_empty() {
                sink(Event::Text(text));
            }
            return Flow::Continue;
        }
        if self.stopped {
            return Flow::Stop;
        }
        self.buf.push_str(text);
        if self.spare > 0 {
            self.spare += 4 * text.len();
        }
        self.run(false, sink);
        self.forget();
        if self.stopped {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }

    /// The answer is over. `cut` says that upstream did not end it itself, so that nothing
    /// unfinished may be completed. What was held and is no call is given as text.
    pub fn end(mut self, cut: bool, sink: &mut dyn FnMut(Event<'_>)) -> Outcome {
        if !self.stopped && !self.declared.is_empty() {
            if cut {
                // What waited to be read again with more text is read with what there is.
                self.retry = 0;
                self.run(false, sink);
                self.cut();
            } else {
                self.run(true, sink);
            }
            self.settle(sink);
        }
        self.outcome.demand(&self.tools);
        self.outcome
    }

    fn run(&mut self, whole: bool, sink: Sink<'_>) {
        while !self.stopped {
            let next = match std::mem::replace(&mut self.state, State::Scan) {
                State::Scan => self.scan(whole, sink),
                State::Call(open) => self.call(open, whole, sink),
                State::Garbage => self.garbage(whole, sink),
                State::Between => self.between(whole, sink),
            };
            if next == Next::Wait {
                break;
            }
        }
    }

    /// The text was cut: complete calls stay, a call in the middle ends the answer for its length.
    fn cut(&mut self) {
        let unread = from(&self.buf, self.pos).trim();
        let drafts = self.region.as_ref().is_some_and(|r| !r.drafts.is_empty());
        match &self.state {
            State::Call(_) if drafts => self.outcome.cut_in_call = true,
            State::Call(_) | State::Garbage => {
                self.outcome.cut_in_call = true;
                self.sent = self.buf.len();
            }
            _ if unread.len() > 2 && self.begins_call() => {
                self.outcome.cut_in_call = unread.len() > 12 && !unread.starts_with("</");
                self.sent = self.buf.len();
            }
            _ => {}
        }
    }

    /// Whether what is held is the beginning of a marker.
    fn begins_call(&self) -> bool {
        let unread = from(&self.buf, self.pos).trim_start();
        unread.starts_with(['<', '[']) && self.region.is_none()
    }

    /// Gives what is held when nothing more will come.
    fn settle(&mut self, sink: Sink<'_>) {
        if let Some(region) = self.region.take()
            && !region.drafts.is_empty()
            && (matches!(self.state, State::Between) || self.outcome.cut_in_call)
        {
            self.sent = self.buf.len();
            if let Some(said) = region.said.filter(|said| !said.is_empty()) {
                sink(Event::Text(&said));
            }
            for (tool, json) in region.drafts {
                self.emit_call(tool, &json, sink);
                if self.stopped {
                    break;
                }
            }
        }
        self.pos = self.buf.len();
        self.release(self.pos, sink);
    }

    /// Gives held text up to a byte, or drops it behind a call.
    fn release(&mut self, end: usize, sink: Sink<'_>) {
        if end <= self.sent {
            return;
        }
        if let Some(text) = self
            .buf
            .get(self.sent..end)
            .filter(|t| !t.is_empty() && !self.discard)
        {
            sink(Event::Text(text));
        }
        self.sent = end;
    }

    /// Frees what is given.
    fn forget(&mut self) {
        if self.sent == self.buf.len() {
            self.buf.clear();
        } else if self.sent > 0 {
            self.buf.drain(..self.sent);
        }
        self.pos = self.pos.saturating_sub(self.sent);
        self.retry = self.retry.saturating_sub(self.sent);
        self.behind_blank = self.behind_blank.and_then(|at| at.checked_sub(self.sent));
        if let Some(region) = &mut self.region {
            region.resume = region.resume.saturating_sub(self.sent);
        }
        if let State::Call(open) = &mut self.state {
            open.from = open.from.saturating_sub(self.sent);
        }
        self.sent = 0;
    }
}
