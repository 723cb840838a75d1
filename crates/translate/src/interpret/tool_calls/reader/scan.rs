//! Scanning: text is passed on, and markers are looked for where they count.

use super::state::{Between, Kind, State, Step, Tentative};
use super::{Driver, MAX_BLANK};
use crate::interpret::scanner::{Read, ReadError};
use crate::interpret::slice::{at_most, from, to};
use crate::interpret::tool_calls::head;
use crate::interpret::tool_calls::markers;
use crate::interpret::tool_calls::outcome::Problem;
use crate::interpret::tool_calls::syntax::{CallHead, Position};
use crate::interpret::tool_calls::tag;

/// What became of a character at which something may begin.
pub(super) enum Scanned {
    Passed,
    Wait,
    Entered(State),
}

/// The longest run of backticks that is one.
const MAX_TICKS: usize = 64;
/// The longest line that opens or closes a fence.
const MAX_INFO: usize = 200;

impl Driver<'_> {
    pub(super) fn scan(&mut self) -> Step {
        while self.source.at() < self.source.end() {
            if self.context.fence.is_some() {
                if !self.fenced() {
                    break;
                }
                continue;
            }
            let rest = self.source.rest();
            if self.context.fresh || rest.starts_with('\n') {
                let blank = rest.len() - rest.trim_ascii_start().len();
                if blank > 0 {
                    self.pass(blank);
                    continue;
                }
            }
            if !self.context.fresh {
                let rest = self.source.rest();
                let run = plain_run(rest);
                if run > 0 {
                    self.context.pass_plain(to(rest, run));
                    self.source.skip(run);
                    continue;
                }
            }
            match self.special() {
                Scanned::Passed => {}
                Scanned::Wait => break,
                Scanned::Entered(state) => return Step::Go(state),
            }
        }
        self.release(self.blank_start());
        Step::Wait(State::Text)
    }

    /// Where the white space before the cursor begins.
    pub(super) fn blank_start(&self) -> usize {
        let text = self.source.held();
        let blank = text.len() - text.trim_end().len();
        let most = text.len() - text.ceil_char_boundary(text.len().saturating_sub(MAX_BLANK));
        self.source.at() - blank.min(most)
    }

    /// Passes text in a fence that is shown, up to its closing line. False: more must come.
    fn fenced(&mut self) -> bool {
        let Some((mark, length)) = self.context.fence else {
            return true;
        };
        let rest = self.source.rest();
        let end = rest.find('\n').map(|at| at + 1);
        let line = to(rest, end.unwrap_or(rest.len()));
        let ticks = at_most(line, MAX_INFO).trim();
        let only_marks = line.len() < MAX_INFO && ticks.chars().all(|c| c == mark);
        if self.context.fresh && end.is_none() && only_marks && !self.source.is_final() {
            return false;
        }
        if self.context.fresh && only_marks && ticks.chars().count() >= length {
            self.context.fence = None;
        }
        self.context.pass(line);
        let taken = line.len();
        self.source.skip(taken);
        true
    }

    /// Looks at a character at which something may begin.
    fn special(&mut self) -> Scanned {
        let Some(c) = self.source.rest().chars().next() else {
            return Scanned::Wait;
        };
        if c == '`' || (c == '~' && self.context.may_fence()) {
            return self.ticks(c);
        }
        let starts = self.context.fresh;
        if !markers::may_begin(self.source.rest(), starts) {
            return self.pass(c.len_utf8());
        }
        if self.context.masked() {
            return self.shown(c);
        }
        if c == '<' {
            match self.value_goes_on() {
                Err(_) => return Scanned::Wait,
                Ok(true) => self.cut_value(),
                Ok(false) => {}
            }
        }
        if c == '{' && self.context.started && !starts {
            return self.pass(1);
        }
        match self.invented(starts) {
            Err(_) => return Scanned::Wait,
            Ok(true) => return Scanned::Entered(self.stop()),
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
        match self.head(place) {
            Err(ReadError::Incomplete) => Scanned::Wait,
            Err(ReadError::NoMatch) if starts && self.opens_own() => {
                self.release(self.blank_start());
                let why = "its tag does not hold a JSON object";
                let state = self.broken("", None, why, Between::default());
                self.source.skip(1);
                Scanned::Entered(state)
            }
            Err(ReadError::NoMatch) if c == '<' && !self.context.started => self.unknown_wrapper(),
            Err(ReadError::NoMatch) => self.pass(c.len_utf8()),
            Ok(head) => {
                self.release(self.blank_start());
                let kind = if head.marked { Kind::Line } else { Kind::Bare };
                let tentative = (!head.marked || self.context.set_off())
                    .then(|| Box::new(Tentative::new(kind, self.source.at())));
                Scanned::Entered(self.begin(head, tentative))
            }
        }
    }

    /// A tag that nobody knows, round JSON, at the reply's beginning: calls if nothing follows it.
    fn unknown_wrapper(&mut self) -> Scanned {
        let mut cursor = self.source.cursor();
        let wraps = match tag::lex(&mut cursor, &|_, _| true) {
            Err(ReadError::Incomplete) => return Scanned::Wait,
            Err(ReadError::NoMatch) => false,
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
        let end = cursor.at();
        if !wraps {
            return self.pass(1);
        }
        self.release(self.blank_start());
        let mut tentative = Tentative::new(Kind::Bare, self.source.at());
        tentative.foreign = true;
        self.source.skip(end);
        Scanned::Entered(State::Between(Between {
            tentative: Some(Box::new(tentative)),
            in_wrapper: true,
            ..Between::default()
        }))
    }

    /// Whether what closed the last call's parameters stands here again: one of them held it, and
    /// was cut off there.
    pub(super) fn value_goes_on(&self) -> Read<bool> {
        match &self.progress.parameter_tag {
            Some(tag) => self.source.cursor().try_literal(tag),
            None => Ok(false),
        }
    }

    /// The last call's value was cut off.
    pub(super) fn cut_value(&mut self) {
        self.progress.parameter_tag = None;
        self.progress.outcome.problems.push(Problem::Broken {
            name: String::new(),
            index: Some(self.progress.index.saturating_sub(1)),
            why: "a value holds the tags that end it".to_owned(),
        });
    }

    /// Whether the tag that we ask for opens here, and something like JSON follows it.
    fn opens_own(&self) -> bool {
        let open = self.rules.tags.open("tool_call");
        let body = self.source.rest().strip_prefix(open.as_str());
        body.is_some_and(|body| body.trim_start().starts_with(['{', '[']))
    }

    pub(super) fn pass(&mut self, bytes: usize) -> Scanned {
        self.context.pass(to(self.source.rest(), bytes));
        self.source.skip(bytes);
        Scanned::Passed
    }

    /// A character in a place where calls are shown, not made. A marker there shows that the whole
    /// paragraph is about calls.
    fn shown(&mut self, c: char) -> Scanned {
        let mut cursor = self.source.cursor();
        if c == '<' && !self.context.shown {
            match tag::lex(&mut cursor, &tag::known) {
                Err(ReadError::Incomplete) => return Scanned::Wait,
                Ok(tag) if tag::sense(&tag, self.rules.tags).is_some() => self.context.shown = true,
                _ => {}
            }
        }
        if c == '[' && !self.context.shown {
            match markers::words(&mut cursor, false) {
                Err(_) => return Scanned::Wait,
                Ok(words) => self.context.shown = words.is_some(),
            }
        }
        self.pass(c.len_utf8())
    }

    /// Backticks: a fence or inline code, which may hold nothing but calls.
    fn ticks(&mut self, mark: char) -> Scanned {
        let rest = self.source.rest();
        let run = ticks(rest, mark);
        if run == rest.len() && !self.source.is_final() && run < MAX_TICKS {
            return Scanned::Wait;
        }
        if run >= 3
            && self.context.may_fence()
            && !self.context.shown
            && self.context.span.is_none()
        {
            return self.fence(mark, run);
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
            None => self.span(run),
        }
    }

    fn fence(&mut self, mark: char, length: usize) -> Scanned {
        let is_final = self.source.is_final();
        let rest = self.source.rest();
        let Some(line) = at_most(rest, MAX_INFO).find('\n') else {
            if !is_final && rest.len() < MAX_INFO {
                return Scanned::Wait;
            }
            self.context.fence = Some((mark, length));
            return self.pass(length);
        };
        let info = rest.get(length..line).unwrap_or_default().trim();
        let code = markers::is_code_fence(info);
        let body = from(rest, line + 1);
        let first = at_most(body, MAX_BLANK).trim_start();
        if first.is_empty() && !is_final && body.len() < MAX_BLANK {
            return Scanned::Wait;
        }
        let could = markers::may_begin(first, true) || (code && !first.is_empty());
        if !could {
            self.context.fence = Some((mark, length));
            return self.pass(line + 1);
        }
        Scanned::Entered(self.enter(Kind::Fence { mark, length, code }, line + 1))
    }

    fn span(&mut self, run: usize) -> Scanned {
        match from(self.source.rest(), run).bytes().next() {
            None if !self.source.is_final() => Scanned::Wait,
            Some(b'<' | b'{' | b'[') => Scanned::Entered(self.enter(Kind::Span(run), run)),
            _ => {
                self.context.span = Some(run);
                self.pass(run)
            }
        }
    }

    /// Begins code that may hold nothing but calls, behind what opens it.
    fn enter(&mut self, kind: Kind, opening: usize) -> State {
        self.release(self.blank_start());
        self.source.skip(opening);
        State::Between(Between {
            tentative: Some(Box::new(Tentative::new(kind, self.source.at()))),
            ..Between::default()
        })
    }

    /// Reads a head at the cursor.
    pub(super) fn head(&mut self, place: Position) -> Result<CallHead, ReadError> {
        let (end, is_final) = (self.source.end(), self.source.is_final());
        if !is_final && self.budget.waits(end) {
            return Err(ReadError::Incomplete);
        }
        let rest = self.source.rest();
        let text = at_most(rest, self.budget.limit());
        let (read, cost) = head::read(text, is_final, place, self.known());
        self.budget.spend(read, cost, rest.len(), end, is_final)
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
        .position(|b| matches!(b, b'\n' | b'`') || markers::begins_anywhere(b))
        .unwrap_or(text.len())
}
