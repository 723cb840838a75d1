//! Between calls: only calls, their markers and white space; anything else is text again.

use super::super::envelope;
use super::super::syntax::Position;
use super::super::tag::{self, Sense};
use super::scan::ticks;
use super::{Kind, MAX_FENCES, MAX_HOLD, Next, Reader, Region, Sink, State};
use crate::interpret::scanner::{Cursor, Halt, Read};
use crate::interpret::slice::from;

/// How results and other turns begin that the model writes itself.
const INVENTED: [&str; 8] = [
    "Observation:",
    "[TOOL_RESULTS]",
    "[Tool result",
    "Tool result:",
    "Tool Result:",
    "User:",
    "Human:",
    "✿RESULT✿",
];

impl Reader {
    pub(super) fn between(&mut self, whole: bool, sink: Sink<'_>) -> Next {
        let rest = from(&self.buf, self.pos);
        let text = rest.trim_start();
        self.pos += rest.len() - text.len();
        if rest.len() > text.len() {
            self.behind_blank = Some(self.pos);
        }
        let broke_line = self.behind_blank == Some(self.pos);
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
    pub(super) fn begun(&self) -> bool {
        self.region
            .as_ref()
            .is_none_or(|r| !r.drafts.is_empty() || r.said.is_some())
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        if from(&self.buf, self.pos).starts_with('}') {
            self.depth = self.depth.saturating_sub(1);
        }
        self.pos += bytes;
        self.state = State::Between;
    }

    /// A comma: before the next call, or before what is left of the envelope.
    pub(super) fn comma(&mut self, whole: bool, sink: Sink<'_>) -> Next {
        let mut cursor = Cursor::new(from(&self.buf, self.pos), whole);
        let left = leftover(&mut cursor, self.depth);
        match left {
            Err(Halt::Incomplete) => {
                self.state = State::Between;
                return Next::Wait;
            }
            Ok(key) if self.region.is_some() && !envelope::is_idle(&key) => {
                self.reject(sink);
                return Next::Go;
            }
            Ok(_) => self.pos += cursor.at(),
            Err(Halt::NoMatch) => self.pos += 1,
        }
        self.state = State::Between;
        Next::Go
    }

    /// Backticks: the end of the region's code, or of a fence inside a call's tags.
    pub(super) fn closing_ticks(&mut self, mark: char, whole: bool, sink: Sink<'_>) -> Next {
        let rest = from(&self.buf, self.pos);
        let run = ticks(rest, mark);
        let body = from(rest, run);
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

    pub(super) fn tag_between(&mut self, whole: bool, sink: Sink<'_>) -> Next {
        match self.value_goes_on(whole) {
            Err(_) => {
                self.state = State::Between;
                return Next::Wait;
            }
            Ok(true) => self.cut_value(),
            Ok(false) => {}
        }
        let mut cursor = Cursor::new(from(&self.buf, self.pos), whole);
        let names = |part: &str, complete: bool| {
            tag::known(part, complete) || self.declared.begins_name(part, complete) || self.inside
        };
        match tag::lex(&mut cursor, &names) {
            Err(Halt::Incomplete) if !whole => {
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
    pub(super) fn next_call(
        &mut self,
        c: char,
        line_start: bool,
        whole: bool,
        sink: Sink<'_>,
    ) -> Next {
        if self.region.is_none() {
            match self.invented(line_start, whole) {
                Err(_) => {
                    self.state = State::Between;
                    return Next::Wait;
                }
                Ok(true) => {
                    self.stop(sink);
                    return Next::Go;
                }
                Ok(false) => {}
            }
        }
        let place = match &self.region {
            Some(region) if region.closed => Position::Text,
            Some(Region {
                kind: Kind::Fence { code: true, .. },
                ..
            }) => Position::Code,
            Some(_) => Position::Alone,
            None if self.inside && (matches!(c, '{' | '[') || c.is_alphabetic()) => {
                Position::Inside
            }
            None if line_start => Position::LineStart,
            None => Position::Text,
        };
        let closed = self.region.as_ref().is_some_and(|r| r.closed);
        if closed && c != '<' {
            self.reject(sink);
            return Next::Go;
        }
        match self.head(place, whole) {
            Err(Halt::Incomplete) => {
                self.state = State::Between;
                Next::Wait
            }
            Err(Halt::NoMatch) => {
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
    pub(super) fn over(&mut self, sink: Sink<'_>) {
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
    pub(super) fn stop(&mut self, sink: Sink<'_>) {
        if self.suspect {
            self.release(self.pos, sink);
        }
        self.pos = self.buf.len();
        self.sent = self.pos;
        self.stopped = true;
        self.state = State::Between;
    }

    /// Whether an invented result or turn begins here, behind a call.
    pub(super) fn invented(&self, line_start: bool, whole: bool) -> Read<bool> {
        if self.outcome.calls == 0 && !self.suspect {
            return Ok(false);
        }
        let rest = from(&self.buf, self.pos);
        let mut cursor = Cursor::new(rest, whole);
        if rest.starts_with('<') {
            return match tag::lex(&mut cursor, &tag::known) {
                Ok(tag) => Ok(tag::sense(&tag, self.tags) == Some(Sense::Invented)),
                Err(Halt::Incomplete) => Err(Halt::Incomplete),
                Err(Halt::NoMatch) => Ok(false),
            };
        }
        for word in INVENTED {
            if (line_start || word.starts_with('[')) && cursor.try_literal(word)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The region holds something else than calls: all of it is text.
    pub(super) fn reject(&mut self, sink: Sink<'_>) {
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

/// `, "key": value` behind the arguments, in an envelope that is open.
fn leftover(cursor: &mut Cursor<'_>, depth: usize) -> Result<String, Halt> {
    cursor.take(',')?;
    cursor.blank();
    if depth == 0 || !matches!(cursor.peek()?, Some('"' | '\'')) {
        return Err(Halt::NoMatch);
    }
    let key = cursor.string()?;
    cursor.blank();
    if !cursor.take(':')? {
        return Err(Halt::NoMatch);
    }
    cursor.blank();
    cursor.skip_value()?;
    Ok(key)
}
