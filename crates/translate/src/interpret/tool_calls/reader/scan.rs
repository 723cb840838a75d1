//! Scanning: text is passed on, and markers are looked for where they count.

use super::super::head;
use super::super::outcome::Problem;
use super::super::syntax::{CallHead, Known, Position};
use super::super::tag;
use super::{Kind, MAX_BLANK, MAX_HOLD, Next, Reader, Region, SMALL, Sink, State};
use crate::interpret::scanner::{Cursor, Halt, Read};
use crate::interpret::slice::{at_most, from};

/// What became of a character at which something may begin.
pub(super) enum Scanned {
    Passed,
    Wait,
    Entered,
}

/// The longest run of backticks that is one.
const MAX_TICKS: usize = 64;
/// The longest line that opens or closes a fence.
const MAX_INFO: usize = 200;

impl Reader {
    pub(super) fn scan(&mut self, whole: bool, sink: Sink<'_>) -> Next {
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
    pub(super) fn blank_start(&self) -> usize {
        let text = self.buf.get(self.sent..self.pos).unwrap_or_default();
        let blank = text.len() - text.trim_end().len();
        self.pos
            - blank.min(text.len() - text.ceil_char_boundary(text.len().saturating_sub(MAX_BLANK)))
    }

    /// Passes text in a fence that is shown, up to its closing line.
    pub(super) fn fenced(&mut self, whole: bool) -> Next {
        let Some((mark, length)) = self.context.fence else {
            return Next::Go;
        };
        let rest = from(&self.buf, self.pos);
        let end = rest.find('\n').map(|at| at + 1);
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let ticks = at_most(line, MAX_INFO).trim();
        let only_marks = line.len() < MAX_INFO && ticks.chars().all(|c| c == mark);
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
    pub(super) fn special(&mut self, whole: bool, sink: Sink<'_>) -> Scanned {
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
        let invents = starts && self.outcome.calls > 0 && matches!(c, 'O' | 'T' | 'U' | 'H');
        if !marker && !invents {
            return self.pass(c.len_utf8());
        }
        if self.context.masked() {
            return self.shown(whole, c);
        }
        if c == '<' {
            match self.value_goes_on(whole) {
                Err(_) => return Scanned::Wait,
                Ok(true) => self.cut_value(),
                Ok(false) => {}
            }
        }
        if c == '{' && self.context.started && !starts {
            return self.pass(1);
        }
        match self.invented(starts, whole) {
            Err(_) => return Scanned::Wait,
            Ok(true) => {
                self.stop(sink);
                return Scanned::Entered;
            }
            Ok(false) => {}
        }
        let bare = !self.context.started && matches!(c, '{' | '[');
        let place = if c == '{' && self.context.started {
            Position::Behind
        } else if bare {
            Position::Alone
        } else if starts {
            Position::LineStart
        } else {
            Position::Text
        };
        match self.head(place, whole) {
            Err(Halt::Incomplete) => Scanned::Wait,
            Err(Halt::NoMatch) if starts && self.opens_own() => {
                self.release(self.blank_start(), sink);
                self.broken("", None, "what stands in its tag is no JSON object", sink);
                self.pos += 1;
                Scanned::Entered
            }
            Err(Halt::NoMatch) if c == '<' && !self.context.started => {
                self.unknown_wrapper(whole, sink)
            }
            Err(Halt::NoMatch) => self.pass(c.len_utf8()),
            Ok(head) => {
                self.release(self.blank_start(), sink);
                if !head.marked || self.context.set_off() {
                    let kind = if head.marked { Kind::Line } else { Kind::Bare };
                    self.region = Some(Region {
                        kind,
                        resume: self.pos,
                        closed: false,
                        fences: 1,
                        foreign: false,
                        said: None,
                        drafts: Vec::new(),
                    });
                }
                self.begin(head, sink);
                Scanned::Entered
            }
        }
    }

    /// A tag that nobody knows, round JSON, at the reply's beginning: calls if nothing follows it.
    fn unknown_wrapper(&mut self, whole: bool, sink: Sink<'_>) -> Scanned {
        let mut cursor = Cursor::new(from(&self.buf, self.pos), whole);
        let wraps = match tag::lex(&mut cursor, &|_, _| true) {
            Err(Halt::Incomplete) => return Scanned::Wait,
            Err(Halt::NoMatch) => false,
            Ok(tag) => {
                // A number says that it is a tag of ours, of another request.
                let numbered = tag.name.contains('-');
                cursor.blank();
                match cursor.peek() {
                    Err(_) if cursor.at() < MAX_BLANK => return Scanned::Wait,
                    next => {
                        next == Ok(Some('{')) && !numbered && !tag.closing && tag.value.is_none()
                    }
                }
            }
        };
        if !wraps {
            return self.pass(1);
        }
        let end = cursor.at();
        self.release(self.blank_start(), sink);
        self.region = Some(Region {
            kind: Kind::Bare,
            resume: self.pos,
            closed: false,
            fences: 1,
            foreign: true,
            said: None,
            drafts: Vec::new(),
        });
        self.pos += end;
        self.inside = true;
        self.state = State::Between;
        Scanned::Entered
    }

    /// Whether what closed the last call's parameters stands here again: one of them held it, and
    /// was cut off there.
    pub(super) fn value_goes_on(&self, whole: bool) -> Read<bool> {
        match &self.parameter_tag {
            Some(tag) if self.region.is_none() => {
                Cursor::new(from(&self.buf, self.pos), whole).try_literal(tag)
            }
            _ => Ok(false),
        }
    }

    /// The last call's value was cut off.
    pub(super) fn cut_value(&mut self) {
        self.parameter_tag = None;
        self.outcome.problems.push(Problem::Broken {
            name: String::new(),
            index: Some(self.index.saturating_sub(1)),
            why: "a value holds the tags that end it".to_owned(),
        });
    }

    /// Whether the tag that we ask for opens here, and something like JSON follows it.
    fn opens_own(&self) -> bool {
        let rest = from(&self.buf, self.pos);
        let body = rest.strip_prefix(self.tags.open("tool_call").as_str());
        body.is_some_and(|body| body.trim_start().starts_with(['{', '[']))
    }

    pub(super) fn pass(&mut self, bytes: usize) -> Scanned {
        let text = self.buf.get(self.pos..self.pos + bytes).unwrap_or_default();
        self.context.pass(text);
        self.pos += bytes;
        Scanned::Passed
    }

    /// A character in a place where calls are shown, not made. A marker there shows that the whole
    /// paragraph is about calls.
    pub(super) fn shown(&mut self, whole: bool, c: char) -> Scanned {
        let rest = from(&self.buf, self.pos);
        if c == '<' && !self.context.shown {
            let mut cursor = Cursor::new(rest, whole);
            match tag::lex(&mut cursor, &tag::known) {
                Err(Halt::Incomplete) => return Scanned::Wait,
                Ok(tag) if tag::sense(&tag, self.tags).is_some() => self.context.shown = true,
                _ => {}
            }
        }
        if c == '[' && !self.context.shown {
            match Cursor::new(rest, whole).try_literal("[TOOL_CALLS]") {
                Err(_) => return Scanned::Wait,
                Ok(is) => self.context.shown = is,
            }
        }
        self.pass(c.len_utf8())
    }

    /// Backticks: a fence or inline code, which may hold nothing but calls.
    pub(super) fn ticks(&mut self, mark: char, whole: bool, sink: Sink<'_>) -> Scanned {
        let rest = from(&self.buf, self.pos);
        let run = ticks(rest, mark);
        if run == rest.len() && !whole && run < MAX_TICKS {
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

    pub(super) fn fence(
        &mut self,
        mark: char,
        length: usize,
        whole: bool,
        sink: Sink<'_>,
    ) -> Scanned {
        let rest = from(&self.buf, self.pos);
        let Some(line) = at_most(rest, MAX_INFO).find('\n') else {
            if !whole && rest.len() < MAX_INFO {
                return Scanned::Wait;
            }
            self.context.fence = Some((mark, length));
            return self.pass(length);
        };
        let info = rest.get(length..line).unwrap_or_default().trim();
        let code = matches!(
            info,
            "tool_code" | "python" | "py" | "tool_call" | "tool_calls" | "yaml" | "yml"
        );
        let body = from(rest, line + 1);
        let first = at_most(body, MAX_BLANK).trim_start().chars().next();
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
            foreign: false,
            said: None,
            drafts: Vec::new(),
        });
        self.pos = resume;
        self.state = State::Between;
        Scanned::Entered
    }

    pub(super) fn span(&mut self, run: usize, whole: bool, sink: Sink<'_>) -> Scanned {
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
            foreign: false,
            said: None,
            drafts: Vec::new(),
        });
        self.pos = resume;
        self.state = State::Between;
        Scanned::Entered
    }

    /// Reads a head at the cursor.
    pub(super) fn head(&mut self, place: Position, whole: bool) -> Result<CallHead, Halt> {
        if !whole && self.buf.len() < self.retry {
            return Err(Halt::Incomplete);
        }
        let rest = from(&self.buf, self.pos);
        let limit = if self.spare == 0 { SMALL } else { MAX_HOLD };
        let known = Known {
            declared: &self.declared,
            tags: self.tags,
        };
        let (mut read, cost) = head::read(at_most(rest, limit), whole, place, known);
        self.retry = 0;
        if read == Err(Halt::Incomplete) {
            if rest.len() >= limit || whole {
                read = Err(Halt::NoMatch);
            } else if rest.len() > SMALL {
                self.retry = self.buf.len() + rest.len() / 4;
            }
        }
        if read == Err(Halt::NoMatch) {
            self.spare = self.spare.saturating_sub(cost);
        }
        read
    }
}

/// How many of these marks stand at the beginning.
pub(super) fn ticks(text: &str, mark: char) -> usize {
    text.chars()
        .take(MAX_TICKS)
        .take_while(|c| *c == mark)
        .count()
}

/// Bytes at the beginning that can begin nothing.
fn plain_run(text: &str) -> usize {
    text.bytes()
        .position(|b| matches!(b, b'\n' | b'`' | b'<' | b'['))
        .unwrap_or(text.len())
}
