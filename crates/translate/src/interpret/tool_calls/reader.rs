//! The reader: text in, events out, the same for any cut of the text.
//!
//! It is in one of three states. *Scanning*, text is passed on and markers are looked for. *In a
//! call*, arguments are written as they come. *Between calls*, only calls, their markers and white
//! space may stand; anything else returns to scanning. Text that could yet be part of a call is
//! kept in the buffer, so going back is setting a cursor back; how often that may happen is bounded.

use super::Options;
use super::args::Writer;
use super::context::Context;
use super::declared::Declared;
use super::envelope;
use super::head::{self, Args, Head, Known, Place};
use super::outcome::{Outcome, Problem};
use super::quoted::Quoted;
use super::tag::{self, Sense};
use crate::compose::tags::Tags;
use crate::interpret::Flow;
use crate::interpret::json::Grade;
use crate::interpret::json::emitter::Progress;
use crate::interpret::scanner::{Cursor, Halt, at_most, from};
use crate::interpret::schema::Schema;
use crate::reply::Event;
use crate::turn::Tools;

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
pub struct Reader {
    tools: Tools,
    declared: Declared,
    tags: Tags,
    quoted: Quoted,
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
    /// Whether what follows stands in the same wrapper as the last call.
    inside: bool,
    /// Braces of the envelope that are still open.
    depth: usize,
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
    /// texts that could hold a call ([`Quoted::of`]).
    #[must_use]
    pub fn new(tools: &Tools, tags: Tags, quoted: Quoted, options: Options) -> Self {
        Self {
            declared: Declared::new(tools),
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
            inside: false,
            depth: 0,
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
                self.cut(sink);
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
    fn cut(&mut self, sink: Sink<'_>) {
        let unread = from(&self.buf, self.pos).trim();
        let drafts = self.region.as_ref().is_some_and(|r| !r.drafts.is_empty());
        match &self.state {
            State::Call(open) => {
                self.outcome.cut_in_call = true;
                if open.started.is_some() || self.suspect || drafts {
                    self.sent = self.buf.len();
                }
                if !drafts {
                    self.sent = self.buf.len();
                }
            }
            State::Garbage => {
                self.outcome.cut_in_call = true;
                self.sent = self.buf.len();
            }
            _ if unread.len() > 2 && self.begins_call() => {
                self.outcome.cut_in_call = self.retry > 0 || unread.len() > 12;
                self.sent = self.buf.len();
            }
            _ => {}
        }
        let _ = sink;
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
        if let Some(region) = &mut self.region {
            region.resume = region.resume.saturating_sub(self.sent);
        }
        if let State::Call(open) = &mut self.state {
            open.from = open.from.saturating_sub(self.sent);
        }
        self.sent = 0;
    }

    // Scanning.

    fn scan(&mut self, whole: bool, sink: Sink<'_>) -> Next {
        while self.pos < self.buf.len() {
            if self.context.fence.is_some() {
                if self.fenced(whole) == Next::Wait {
                    break;
                }
                continue;
            }
            if !self.context.fresh {
                let run = plain_run(from(&self.buf, self.pos));
                if run > 0 {
                    self.context
                        .pass_plain(self.buf.get(self.pos..self.pos + run).unwrap_or_default());
                    self.pos += run;
                    continue;
                }
            }
            match self.special(whole, sink) {
                Scanned::Passed => {}
                Scanned::Wait => break,
                Scanned::Entered => return Next::Go,
            }
        }
        self.release(self.blank_start(), sink);
        self.state = State::Scan;
        Next::Wait
    }

    /// Where the white space before the cursor begins.
    fn blank_start(&self) -> usize {
        let text = self.buf.get(self.sent..self.pos).unwrap_or_default();
        let blank = text.len() - text.trim_end().len();
        self.pos
            - blank.min(text.len() - text.ceil_char_boundary(text.len().saturating_sub(MAX_BLANK)))
    }

    /// Passes text in a fence that is shown, up to its closing line.
    fn fenced(&mut self, whole: bool) -> Next {
        let Some((mark, length)) = self.context.fence else {
            return Next::Go;
        };
        let rest = from(&self.buf, self.pos);
        let end = rest.find('\n').map(|at| at + 1);
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let ticks = line.trim();
        let only_marks = ticks.chars().all(|c| c == mark);
        if self.context.fresh && end.is_none() && only_marks && !whole {
            return Next::Wait;
        }
        if self.context.fresh && only_marks && ticks.chars().count() >= length {
            self.context.fence = None;
        }
        let taken = line.len();
        let line = line.to_owned();
        self.context.pass(&line);
        self.pos += taken;
        Next::Go
    }

    /// Looks at a character at which something may begin.
    fn special(&mut self, whole: bool, sink: Sink<'_>) -> Scanned {
        let rest = from(&self.buf, self.pos);
        let Some(c) = rest.chars().next() else {
            return Scanned::Wait;
        };
        if c == '`' || (c == '~' && self.context.may_fence()) {
            return self.ticks(c, whole, sink);
        }
        let starts = self.context.fresh && !c.is_whitespace();
        let marker = matches!(c, '<' | '[')
            || (starts && matches!(c, '{' | 'A' | 'T' | 't' | 'F' | 'f' | 'a' | 'c' | '✿' | '>'));
        if !marker {
            return self.pass(c.len_utf8());
        }
        if self.context.masked() {
            return self.shown(whole, c);
        }
        if c == '{' && self.context.started {
            return self.pass(1);
        }
        if self.invented(whole) {
            self.stop(sink);
            return Scanned::Entered;
        }
        let bare = !self.context.started && matches!(c, '{' | '[');
        let place = if bare {
            Place::Alone
        } else if starts {
            Place::LineStart
        } else {
            Place::Text
        };
        match self.head(place, whole) {
            Err(Halt::More) => Scanned::Wait,
            Err(Halt::No) => self.pass(c.len_utf8()),
            Ok(head) => {
                self.release(self.blank_start(), sink);
                if !head.marked || self.context.set_off() {
                    let kind = if head.marked { Kind::Line } else { Kind::Bare };
                    self.region = Some(Region {
                        kind,
                        resume: self.pos,
                        closed: false,
                        fences: 1,
                        drafts: Vec::new(),
                    });
                }
                self.begin(head, sink);
                Scanned::Entered
            }
        }
    }

    fn pass(&mut self, bytes: usize) -> Scanned {
        let text = self.buf.get(self.pos..self.pos + bytes).unwrap_or_default();
        self.context.pass(text);
        self.pos += bytes;
        Scanned::Passed
    }

    /// A character in a place where calls are shown, not made. A marker there shows that the whole
    /// paragraph is about calls.
    fn shown(&mut self, whole: bool, c: char) -> Scanned {
        let rest = from(&self.buf, self.pos);
        if c == '<' && !self.context.shown {
            let mut cursor = Cursor::new(rest, whole);
            match tag::lex(&mut cursor, &tag::known) {
                Err(Halt::More) => return Scanned::Wait,
                Ok(tag) if tag::sense(&tag, self.tags).is_some() => self.context.shown = true,
                _ => {}
            }
        }
        if c == '[' && rest.starts_with("[TOOL_CALLS]") {
            self.context.shown = true;
        }
        self.pass(c.len_utf8())
    }

    /// Backticks: a fence or inline code, which may hold nothing but calls.
    fn ticks(&mut self, mark: char, whole: bool, sink: Sink<'_>) -> Scanned {
        let rest = from(&self.buf, self.pos);
        let body = rest.trim_start_matches(mark);
        let run = rest.len() - body.len();
        if body.is_empty() && !whole && run < 64 {
            return Scanned::Wait;
        }
        if run >= 3
            && self.context.may_fence()
            && !self.context.shown
            && self.context.span.is_none()
        {
            return self.fence(mark, run, whole, sink);
        }
        if mark == '~' || self.context.shown && self.context.span.is_none() {
            return self.pass(run);
        }
        match self.context.span {
            Some(open) if open == run => {
                self.context.span = None;
                self.pass(run)
            }
            Some(_) => self.pass(run),
            None => self.span(run, whole, sink),
        }
    }

    fn fence(&mut self, mark: char, length: usize, whole: bool, sink: Sink<'_>) -> Scanned {
        let rest = from(&self.buf, self.pos);
        let Some(line) = rest.find('\n') else {
            if !whole && rest.len() < 200 {
                return Scanned::Wait;
            }
            self.context.fence = Some((mark, length));
            return self.pass(rest.len());
        };
        let info = rest.get(length..line).unwrap_or_default().trim();
        let code = matches!(
            info,
            "tool_code" | "python" | "py" | "tool_call" | "tool_calls" | "yaml" | "yml"
        );
        let body = from(rest, line + 1);
        let first = body.trim_start().chars().next();
        let could = match first {
            None if !whole && body.len() < MAX_BLANK => return Scanned::Wait,
            Some('<' | '{' | '[') => true,
            Some(c) => code || matches!(c, 'T' | 't' | 'A' | '✿' | '>'),
            None => false,
        };
        let resume = self.pos + line + 1;
        if !could {
            self.context.fence = Some((mark, length));
            return self.pass(line + 1);
        }
        self.release(self.blank_start(), sink);
        self.region = Some(Region {
            kind: Kind::Fence { mark, length, code },
            resume,
            closed: false,
            fences: 1,
            drafts: Vec::new(),
        });
        self.pos = resume;
        self.state = State::Between;
        Scanned::Entered
    }

    fn span(&mut self, run: usize, whole: bool, sink: Sink<'_>) -> Scanned {
        let body = from(&self.buf, self.pos + run);
        match body.chars().next() {
            None if !whole => return Scanned::Wait,
            Some('<' | '{' | '[') => {}
            _ => {
                self.context.span = Some(run);
                return self.pass(run);
            }
        }
        let resume = self.pos + run;
        self.release(self.blank_start(), sink);
        self.region = Some(Region {
            kind: Kind::Span(run),
            resume,
            closed: false,
            fences: 1,
            drafts: Vec::new(),
        });
        self.pos = resume;
        self.state = State::Between;
        Scanned::Entered
    }

    /// Reads a head at the cursor.
    fn head(&mut self, place: Place, whole: bool) -> Result<Head, Halt> {
        if !whole && self.buf.len() < self.retry {
            return Err(Halt::More);
        }
        let rest = from(&self.buf, self.pos);
        let limit = if self.spare == 0 { SMALL } else { MAX_HOLD };
        let known = Known {
            declared: &self.declared,
            tags: self.tags,
        };
        let (mut read, cost) = head::read(at_most(rest, limit), whole, place, known);
        self.retry = 0;
        if read == Err(Halt::More) {
            if rest.len() >= limit || whole {
                read = Err(Halt::No);
            } else if rest.len() > SMALL {
                self.retry = self.buf.len() + rest.len() / 4;
            }
        }
        if read == Err(Halt::No) {
            self.spare = self.spare.saturating_sub(cost);
        }
        read
    }

    // Calls.

    /// A head was read at the cursor: begins its call.
    fn begin(&mut self, head: Head, sink: Sink<'_>) {
        let start = self.pos;
        self.pos += head.end;
        self.inside = true;
        self.state = State::Between;
        self.depth = head.depth;
        let tool = self.declared.resolve(&head.name);
        if self.region.is_some() && tool.is_none() && !matches!(head.args, Args::Several(_)) {
            return self.reject(sink);
        }
        let writer = match head.args {
            Args::Several(calls) => return self.several(calls, start, head.ours, sink),
            Args::Whole(json) => {
                return self.made(
                    tool,
                    &head.name,
                    &json,
                    start,
                    head.ours,
                    Grade::Lossless,
                    sink,
                );
            }
            Args::Plain(text) => {
                return self.plain(tool, &head.name, &text, start, head.ours, sink);
            }
            Args::Unreadable => {
                return self.broken(&head.name, None, "its arguments are no JSON object", sink);
            }
            Args::Json => Writer::json(&self.close),
            Args::Quoted { mark } => Writer::quoted(mark, &self.close),
            Args::Tagged => Writer::tagged(false, 0),
        };
        let mut open = Open {
            tool,
            name: head.name,
            writer,
            started: None,
            held: String::new(),
            written: 0,
            from: start,
            ours: head.ours,
            depth: head.depth,
            complete: false,
        };
        if self.flows(&open)
            && let Some(name) = tool
                .and_then(|t| self.declared.get(t))
                .map(|t| t.name.clone())
        {
            open.started = Some(self.index);
            self.drop_held(self.pos);
            sink(Event::CallStarted {
                index: self.index,
                name: &name,
            });
        }
        self.state = State::Call(Box::new(open));
    }

    /// Whether a call is given as it comes, rather than held until it is whole.
    fn flows(&self, open: &Open) -> bool {
        let strict = open
            .tool
            .and_then(|t| self.declared.get(t))
            .is_none_or(|t| t.strict);
        self.region.is_none()
            && !self.options.hold
            && !strict
            && (open.ours || self.quoted.is_empty())
    }

    /// A call is made: what was held before it is no text.
    fn drop_held(&mut self, end: usize) {
        self.discard = true;
        self.sent = end;
        self.suspect = false;
    }

    fn call(&mut self, mut open: Box<Open>, whole: bool, sink: Sink<'_>) -> Next {
        if open.complete {
            return self.complete(open, whole, sink);
        }
        let tool = open.tool.and_then(|t| self.declared.get(t));
        let mut out = String::new();
        let mut fed = open
            .writer
            .feed(from(&self.buf, self.pos), whole, tool, &mut out);
        self.pos += fed.consumed;
        if fed.progress == Progress::More && whole {
            fed.progress = match open.writer.close(&mut out) {
                Ok(()) => Progress::Done,
                Err(why) => Progress::Broken(why),
            };
        }
        let done = fed.progress == Progress::Done;
        if done && matches!(open.writer, Writer::Json(_)) && out.pop().is_some_and(|c| c != '}') {
            fed.progress = Progress::Broken("its arguments are no JSON object");
        }
        open.write(&out, sink);
        if open.started.is_some() {
            self.sent = self.pos;
        } else if self.pos - self.sent > MAX_HOLD {
            fed.progress = Progress::Broken("its arguments are too long");
        }
        match fed.progress {
            Progress::More => {
                self.state = State::Call(open);
                Next::Wait
            }
            Progress::Done if matches!(open.writer, Writer::Json(_)) => {
                self.complete(open, whole, sink)
            }
            Progress::Done => {
                self.finish(*open, sink);
                Next::Go
            }
            Progress::Broken(why) => {
                self.gave_up(&open, why, sink);
                Next::Go
            }
        }
    }

    /// The object is complete but for its brace. Blocks of raw text may follow as more members.
    fn complete(&mut self, mut open: Box<Open>, whole: bool, sink: Sink<'_>) -> Next {
        const RAW: &str = "<arg name=";
        let rest = from(&self.buf, self.pos);
        let mut ahead = rest.trim_start();
        for _ in 0..open.depth {
            ahead = ahead.strip_prefix('}').unwrap_or(ahead).trim_start();
        }
        if ahead.starts_with(RAW) {
            self.pos += rest.len() - ahead.len();
            open.writer = Writer::tagged(true, open.written.saturating_sub(1));
            open.complete = false;
            open.depth = 0;
            self.depth = 0;
            self.state = State::Call(open);
            return Next::Go;
        }
        if RAW.starts_with(ahead) && !whole && rest.len() < MAX_BLANK {
            open.complete = true;
            self.state = State::Call(open);
            return Next::Wait;
        }
        open.write("}", sink);
        self.finish(*open, sink);
        Next::Go
    }

    /// The arguments are complete.
    fn finish(&mut self, open: Open, sink: Sink<'_>) {
        self.state = State::Between;
        self.depth = open.depth;
        let guessed = open.writer.grade() == Grade::Guess;
        if let Some(index) = open.started {
            sink(Event::CallEnded { index });
            self.sent = self.pos;
            return self.counted();
        }
        let raw = self.buf.get(open.from..self.pos).unwrap_or_default();
        if guessed && open.ours && raw.contains(&self.close) {
            return self.gave_up(&open, "a string is not closed", sink);
        }
        if open.writer.repeated_key() {
            return self.broken(
                &open.name,
                None,
                "a key stands twice in its arguments",
                sink,
            );
        }
        self.made(
            open.tool,
            &open.name,
            &open.held,
            open.from,
            open.ours,
            open.writer.grade(),
            sink,
        );
    }

    fn counted(&mut self) {
        self.index += 1;
        self.outcome.calls += 1;
        if self.tools.one_at_a_time {
            self.stopped = true;
        }
    }

    /// A call was read whole.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one fact about the call that was read"
    )]
    fn made(
        &mut self,
        tool: Option<usize>,
        name: &str,
        json: &str,
        start: usize,
        ours: bool,
        grade: Grade,
        sink: Sink<'_>,
    ) {
        self.state = State::Between;
        let Some(tool) = tool else {
            self.outcome.problems.push(Problem::Unknown {
                name: name.to_owned(),
            });
            return self.suspected(sink);
        };
        let raw = self.buf.get(start..self.pos).unwrap_or_default();
        if !ours && !self.quoted.is_empty() && self.quoted.holds(raw) {
            return if self.region.is_some() {
                self.reject(sink)
            } else {
                self.suspected(sink)
            };
        }
        let json = match self.checked(tool, json, grade) {
            Ok(json) => json,
            Err(_) if self.region.is_some() && !self.options.hold => return self.reject(sink),
            Err(problem) => {
                self.outcome.problems.push(problem);
                return self.suspected(sink);
            }
        };
        if let Some(region) = &mut self.region {
            region.drafts.push((tool, json));
            return;
        }
        self.emit_call(tool, &json, sink);
    }

    fn emit_call(&mut self, tool: usize, json: &str, sink: Sink<'_>) {
        let Some(name) = self.declared.get(tool).map(|t| t.name.clone()) else {
            return;
        };
        let index = self.index;
        self.drop_held(self.pos);
        sink(Event::CallStarted { index, name: &name });
        sink(Event::CallArguments { index, json });
        sink(Event::CallEnded { index });
        self.counted();
    }

    /// Checks the arguments of a held call against the tool's schema, where that matters.
    fn checked(&self, tool: usize, json: &str, grade: Grade) -> Result<String, Problem> {
        let Some(tool) = self.declared.get(tool) else {
            return Ok(json.to_owned());
        };
        let broken = |why: String| Problem::Broken {
            name: tool.name.clone(),
            index: None,
            why,
        };
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|e| broken(e.to_string()))?;
        let definition = value.get("type").is_some_and(|t| t == "object")
            && value
                .get("properties")
                .is_some_and(serde_json::Value::is_object);
        if self.region.is_some() && definition && !tool.has("properties") {
            return Err(broken("it is the tool's definition".to_owned()));
        }
        if !tool.strict && !self.options.hold && grade < Grade::Guess {
            return Ok(json.to_owned());
        }
        let Ok(schema) = Schema::compile(&tool.schema) else {
            return Ok(json.to_owned());
        };
        match schema.fit(value) {
            Ok(fitted) => Ok(fitted.to_string()),
            Err(_) if self.options.last && !tool.strict => Ok(json.to_owned()),
            Err(errors) => Err(Problem::Mismatch {
                name: tool.name.clone(),
                errors,
            }),
        }
    }

    fn several(&mut self, calls: Vec<(String, String)>, start: usize, ours: bool, sink: Sink<'_>) {
        for (name, json) in calls {
            let tool = self.declared.resolve(&name);
            if tool.is_none() && self.region.is_some() {
                return self.reject(sink);
            }
            self.made(tool, &name, &json, start, ours, Grade::Lossless, sink);
            if self.stopped {
                return;
            }
        }
    }

    /// Plain text where arguments should be: those of a tool that takes one text.
    fn plain(
        &mut self,
        tool: Option<usize>,
        name: &str,
        text: &str,
        start: usize,
        ours: bool,
        sink: Sink<'_>,
    ) {
        let sole = tool
            .and_then(|t| self.declared.get(t))
            .and_then(|t| t.sole_text());
        let Some(json) = sole.map(|key| serde_json::json!({ key: text }).to_string()) else {
            return self.broken(name, None, "its arguments are no JSON object", sink);
        };
        self.made(tool, name, &json, start, ours, Grade::Lossless, sink);
    }

    /// The arguments turned out unreadable on the way.
    fn gave_up(&mut self, open: &Open, why: &str, sink: Sink<'_>) {
        if let Some(index) = open.started {
            self.index += 1;
            self.sent = self.pos;
            self.broken(&open.name, Some(index), why, sink);
            return;
        }
        // The calls behind a broken one: only where our own tag, which no text of the request
        // holds, says that the broken one had ended.
        let raw = self.buf.get(open.from..).unwrap_or_default();
        let behind = raw
            .find(&self.close)
            .map(|at| open.from + at + self.close.len());
        if let Some(behind) = behind.filter(|b| {
            open.ours && *b < self.pos && self.region.is_none() && self.returns < MAX_RETURNS
        }) {
            self.returns += 1;
            self.pos = behind;
            self.broken(&open.name, None, why, sink);
            self.state = State::Between;
            return;
        }
        self.broken(&open.name, None, why, sink);
    }

    fn broken(&mut self, name: &str, index: Option<usize>, why: &str, sink: Sink<'_>) {
        if self.region.is_some() {
            return self.reject(sink);
        }
        self.outcome.problems.push(Problem::Broken {
            name: name.to_owned(),
            index,
            why: why.to_owned(),
        });
        self.suspected(sink);
        self.state = State::Garbage;
    }

    /// A call that is not made is held, to be text if only text follows. Behind a call it is dropped.
    fn suspected(&mut self, sink: Sink<'_>) {
        if self.region.is_some() {
            return self.reject(sink);
        }
        if self.outcome.calls > 0 || self.discard {
            self.sent = self.pos;
        } else {
            self.suspect = true;
        }
    }

    /// Passes an unreadable call up to its closing tag.
    fn garbage(&mut self, whole: bool, _sink: Sink<'_>) -> Next {
        let mut at = self.pos;
        while let Some(found) = from(&self.buf, at).find('<') {
            at += found;
            let mut cursor = Cursor::new(from(&self.buf, at), whole);
            match tag::lex(&mut cursor, &tag::known) {
                Err(Halt::More) => {
                    self.pos = at;
                    self.state = State::Garbage;
                    return Next::Wait;
                }
                Ok(tag) if tag::sense(&tag, self.tags).is_some() => {
                    self.pos = at;
                    self.state = State::Between;
                    return Next::Go;
                }
                _ => at += 1,
            }
        }
        self.pos = self.buf.len();
        if self.discard {
            self.sent = self.pos;
        }
        self.state = State::Garbage;
        Next::Wait
    }

    // Between calls.

    fn between(&mut self, whole: bool, sink: Sink<'_>) -> Next {
        let rest = from(&self.buf, self.pos);
        let text = rest.trim_start();
        self.pos += rest.len() - text.len();
        let broke_line = rest.len() > text.len();
        if self.region.is_none() && !self.suspect {
            self.sent = self.pos;
        }
        let Some(c) = text.chars().next() else {
            self.state = State::Between;
            return Next::Wait;
        };
        if self.region.is_some() && self.pos - self.sent > MAX_HOLD {
            self.reject(sink);
            return Next::Go;
        }
        let begun = self.begun();
        match c {
            '}' | ']' | ')' | ';' if begun => self.skip(1),
            ',' if begun => return self.comma(whole, sink),
            '"' | '\'' if begun && self.inside => self.skip(1),
            '`' | '~' => return self.closing_ticks(c, whole, sink),
            '<' => return self.tag_between(whole, sink),
            _ => return self.next_call(c, broke_line, whole, sink),
        }
        Next::Go
    }

    /// Whether a call stands before here.
    fn begun(&self) -> bool {
        self.region.as_ref().is_none_or(|r| !r.drafts.is_empty())
    }

    fn skip(&mut self, bytes: usize) {
        if from(&self.buf, self.pos).starts_with('}') {
            self.depth = self.depth.saturating_sub(1);
        }
        self.pos += bytes;
        self.state = State::Between;
    }

    /// A comma: before the next call, or before what is left of the envelope.
    fn comma(&mut self, whole: bool, sink: Sink<'_>) -> Next {
        let mut cursor = Cursor::new(from(&self.buf, self.pos), whole);
        let left = leftover(&mut cursor, self.depth);
        match left {
            Err(Halt::More) => {
                self.state = State::Between;
                return Next::Wait;
            }
            Ok(key) if self.region.is_some() && !envelope::is_idle(&key) => {
                self.reject(sink);
                return Next::Go;
            }
            Ok(_) => self.pos += cursor.at(),
            Err(Halt::No) => self.pos += 1,
        }
        self.state = State::Between;
        Next::Go
    }

    /// Backticks: the end of the region's code, or of a fence inside a call's tags.
    fn closing_ticks(&mut self, mark: char, whole: bool, sink: Sink<'_>) -> Next {
        let rest = from(&self.buf, self.pos);
        let body = rest.trim_start_matches(mark);
        let run = rest.len() - body.len();
        let line = body.find('\n').or(whole.then_some(body.len()));
        if body.is_empty() && !whole {
            self.state = State::Between;
            return Next::Wait;
        }
        if let Some(region) = &mut self.region {
            let closes = match region.kind {
                Kind::Fence {
                    mark: m, length, ..
                } => m == mark && run >= length,
                Kind::Span(length) => mark == '`' && run == length,
                Kind::Line | Kind::Bare => false,
            };
            if closes && !region.closed && !region.drafts.is_empty() {
                region.closed = true;
                self.skip(run);
                return Next::Go;
            }
            let reopens = region.closed
                && matches!(region.kind, Kind::Fence { .. })
                && run >= 3
                && region.fences < MAX_FENCES;
            return match line {
                None if reopens => {
                    self.state = State::Between;
                    Next::Wait
                }
                Some(line) if reopens => {
                    region.closed = false;
                    region.fences += 1;
                    self.skip(run + line);
                    Next::Go
                }
                _ => {
                    self.reject(sink);
                    Next::Go
                }
            };
        }
        if self.inside && run >= 3 && body.starts_with(|c: char| c.is_whitespace() || c == '<') {
            self.skip(run);
            return Next::Go;
        }
        self.over(sink);
        Next::Go
    }

    fn tag_between(&mut self, whole: bool, sink: Sink<'_>) -> Next {
        let mut cursor = Cursor::new(from(&self.buf, self.pos), whole);
        let names = |part: &str, complete: bool| {
            tag::known(part, complete) || self.declared.begins_name(part, complete) || self.inside
        };
        match tag::lex(&mut cursor, &names) {
            Err(Halt::More) if !whole => {
                self.state = State::Between;
                return Next::Wait;
            }
            Ok(tag) if self.begun() => {
                let sense = tag::sense(&tag, self.tags);
                if sense == Some(Sense::Invented) && self.region.is_none() {
                    self.stop(sink);
                    return Next::Go;
                }
                let own = self.declared.names().any(|n| n == tag.raw);
                if (tag.closing && (sense.is_some() || self.inside || own))
                    || sense == Some(Sense::Closer)
                {
                    self.inside &= sense != Some(Sense::Wrapper);
                    self.pos += cursor.at();
                    self.state = State::Between;
                    return Next::Go;
                }
            }
            _ => {}
        }
        self.next_call('<', true, whole, sink)
    }

    /// Something that must be the next call, or calls are over.
    fn next_call(&mut self, c: char, line_start: bool, whole: bool, sink: Sink<'_>) -> Next {
        if self.region.is_none() && self.invented(whole) {
            self.stop(sink);
            return Next::Go;
        }
        let place = match &self.region {
            Some(region) if region.closed => Place::Text,
            Some(Region {
                kind: Kind::Fence { code: true, .. },
                ..
            }) => Place::Code,
            Some(_) => Place::Alone,
            None if self.inside && (matches!(c, '{' | '[') || c.is_alphabetic()) => Place::Inside,
            None if line_start => Place::LineStart,
            None => Place::Text,
        };
        let closed = self.region.as_ref().is_some_and(|r| r.closed);
        if closed && c != '<' {
            self.reject(sink);
            return Next::Go;
        }
        match self.head(place, whole) {
            Err(Halt::More) => {
                self.state = State::Between;
                Next::Wait
            }
            Err(Halt::No) => {
                self.over(sink);
                Next::Go
            }
            Ok(head) => {
                self.begin(head, sink);
                Next::Go
            }
        }
    }

    /// Text follows the calls: back to scanning.
    fn over(&mut self, sink: Sink<'_>) {
        if self.region.is_some() {
            return self.reject(sink);
        }
        self.state = State::Scan;
        self.inside = false;
        if self.suspect && self.outcome.calls == 0 {
            self.suspect = false;
            self.release(self.pos, sink);
        }
        self.context.started = true;
    }

    /// A result or another turn that the model invented: nothing behind it counts.
    fn stop(&mut self, sink: Sink<'_>) {
        if self.suspect {
            self.release(self.pos, sink);
        }
        self.pos = self.buf.len();
        self.sent = self.pos;
        self.stopped = true;
        self.state = State::Between;
    }

    /// Whether an invented result begins here, behind a call.
    fn invented(&self, whole: bool) -> bool {
        const WORDS: [&str; 7] = [
            "Observation:",
            "[TOOL_RESULTS]",
            "[Tool result",
            "Tool result:",
            "\nUser:",
            "\nHuman:",
            "✿RESULT✿",
        ];
        if self.outcome.calls == 0 && !self.suspect {
            return false;
        }
        let rest = from(&self.buf, self.pos);
        if WORDS.iter().any(|w| rest.starts_with(w)) {
            return true;
        }
        let mut cursor = Cursor::new(rest, whole);
        let tag = tag::lex(&mut cursor, &tag::known);
        tag.is_ok_and(|tag| tag::sense(&tag, self.tags) == Some(Sense::Invented))
    }

    /// The region holds something else than calls: all of it is text.
    fn reject(&mut self, sink: Sink<'_>) {
        let Some(region) = self.region.take() else {
            return;
        };
        self.state = State::Scan;
        self.retry = 0;
        self.inside = false;
        self.depth = 0;
        let start = region.resume;
        match region.kind {
            Kind::Fence { mark, length, .. } => {
                self.context.fence = Some((mark, length));
                self.context.pass("```\n");
            }
            Kind::Span(length) => {
                self.context.span = Some(length);
                self.context.shown = true;
            }
            Kind::Line => self.context.shown = true,
            Kind::Bare => {}
        }
        self.pos = start;
        if region.kind == Kind::Bare || region.kind == Kind::Line {
            let first = from(&self.buf, self.pos)
                .chars()
                .next()
                .map_or(0, char::len_utf8);
            self.pass(first);
        }
        self.release(self.blank_start(), sink);
    }
}

enum Scanned {
    Passed,
    Wait,
    Entered,
}

impl Open {
    /// Gives arguments, or keeps them if the call is held.
    fn write(&mut self, json: &str, sink: Sink<'_>) {
        self.written += json.len();
        match self.started {
            Some(index) if !json.is_empty() => sink(Event::CallArguments { index, json }),
            Some(_) => {}
            None => self.held.push_str(json),
        }
    }
}

/// Bytes at the beginning that can begin nothing.
fn plain_run(text: &str) -> usize {
    text.bytes()
        .position(|b| matches!(b, b'\n' | b'`' | b'<' | b'['))
        .unwrap_or(text.len())
}

/// `, "key": value` behind the arguments, in an envelope that is open.
fn leftover(cursor: &mut Cursor<'_>, depth: usize) -> Result<String, Halt> {
    cursor.take(',')?;
    cursor.blank();
    if depth == 0 || !matches!(cursor.peek()?, Some('"' | '\'')) {
        return Err(Halt::No);
    }
    let key = cursor.string()?;
    cursor.blank();
    if !cursor.take(':')? {
        return Err(Halt::No);
    }
    cursor.blank();
    cursor.skip_value()?;
    Ok(key)
}
