//! Between calls: only calls, their markers and white space; anything else is text again.

use super::budget::MAX_HOLD;
use super::scan::ticks;
use super::state::{Between, Kind, State, Step};
use super::{Driver, Passed};
use crate::interpret::scanner::{Cursor, Read, ReadError};
use crate::interpret::slice::from;
use crate::interpret::tool_calls::keys;
use crate::interpret::tool_calls::markers::{self, Sense};
use crate::interpret::tool_calls::syntax::Position;
use crate::interpret::tool_calls::tag;

/// The most fences of calls in a row.
const MAX_FENCES: usize = 32;

impl Driver<'_> {
    pub(super) fn between(&mut self, mut between: Between) -> Step {
        let rest = self.source.rest();
        let text = rest.trim_start();
        let blank = rest.len() - text.len();
        let next = text.chars().next();
        self.source.skip(blank);
        if blank > 0 {
            between.blank_at = Some(self.source.at());
        }
        let broke_line = between.blank_at == Some(self.source.at());
        let tentative = between.tentative.is_some();
        if !tentative && self.progress.passed != Passed::Suspect {
            self.source.drop_read();
        }
        let Some(c) = next else {
            return Step::Wait(State::Between(between));
        };
        if tentative && self.source.held().len() > MAX_HOLD {
            return Step::Go(self.reject(between));
        }
        let begun = between.begun();
        match c {
            '}' | ']' | ')' | ';' if begun => self.skip(between, 1),
            ',' if begun => self.comma(between),
            '"' | '\'' if begun && between.in_wrapper => self.skip(between, 1),
            '`' | '~' => self.closing_ticks(c, between),
            '<' => self.tag_between(between),
            _ => self.next_call(c, broke_line, between),
        }
    }

    fn skip(&mut self, mut between: Between, bytes: usize) -> Step {
        if self.source.rest().starts_with('}') {
            between.braces = between.braces.saturating_sub(1);
        }
        self.source.skip(bytes);
        Step::Go(State::Between(between))
    }

    /// A comma: before the next call, or before what is left of the envelope.
    fn comma(&mut self, between: Between) -> Step {
        let (end, is_final) = (self.source.end(), self.source.is_final());
        if !is_final && self.budget.waits(end) {
            return Step::Wait(State::Between(between));
        }
        self.budget.retry();
        let mut cursor = self.source.cursor();
        let left = leftover(&mut cursor, between.braces);
        let passed = cursor.at();
        match left {
            Err(ReadError::Incomplete) => {
                self.budget.wait(self.source.rest().len(), end);
                return Step::Wait(State::Between(between));
            }
            Ok(key) if between.tentative.is_some() && !keys::is_idle(&key) => {
                return Step::Go(self.reject(between));
            }
            Ok(_) => self.source.skip(passed),
            Err(ReadError::NoMatch) => self.source.skip(1),
        }
        Step::Go(State::Between(between))
    }

    /// Backticks: the end of the tentative calls' code, or of a fence inside a call's tags.
    fn closing_ticks(&mut self, mark: char, mut between: Between) -> Step {
        let is_final = self.source.is_final();
        let rest = self.source.rest();
        let run = ticks(rest, mark);
        let body = from(rest, run);
        let line = body.find('\n').or(is_final.then_some(body.len()));
        if body.is_empty() && !is_final {
            return Step::Wait(State::Between(between));
        }
        if let Some(tentative) = &mut between.tentative {
            let closes = match tentative.kind {
                Kind::Fence {
                    mark: m, length, ..
                } => m == mark && run >= length,
                Kind::Span(length) => mark == '`' && run == length,
                Kind::Line | Kind::Bare => false,
            };
            if closes && !tentative.closed && !tentative.pending_calls.is_empty() {
                tentative.closed = true;
                return self.skip(between, run);
            }
            let reopens = tentative.closed
                && matches!(tentative.kind, Kind::Fence { .. })
                && run >= 3
                && tentative.fences < MAX_FENCES;
            return match line {
                None if reopens => Step::Wait(State::Between(between)),
                Some(line) if reopens => {
                    tentative.closed = false;
                    tentative.fences += 1;
                    self.skip(between, run + line)
                }
                _ => Step::Go(self.reject(between)),
            };
        }
        if between.in_wrapper
            && run >= 3
            && body.starts_with(|c: char| c.is_whitespace() || c == '<')
        {
            return self.skip(between, run);
        }
        Step::Go(self.over(between))
    }

    fn tag_between(&mut self, mut between: Between) -> Step {
        if between.tentative.is_none() {
            match self.value_goes_on() {
                Err(_) => return Step::Wait(State::Between(between)),
                Ok(true) => self.cut_value(),
                Ok(false) => {}
            }
        }
        let mut cursor = self.source.cursor();
        let declared = &self.rules.declared;
        let names = |part: &str, complete: bool| {
            tag::known(part, complete) || declared.begins_name(part, complete) || between.in_wrapper
        };
        match tag::lex(&mut cursor, &names) {
            Err(ReadError::Incomplete) if !self.source.is_final() => {
                return Step::Wait(State::Between(between));
            }
            Ok(tag) if between.begun() => {
                let sense = tag::sense(&tag, self.rules.tags);
                if sense == Some(Sense::Invented) && between.tentative.is_none() {
                    return Step::Go(self.stop());
                }
                let own = declared.names().any(|n| n == tag.raw);
                if (tag.closing && (sense.is_some() || between.in_wrapper || own))
                    || sense == Some(Sense::Closer)
                {
                    between.in_wrapper &= sense != Some(Sense::Wrapper);
                    let passed = cursor.at();
                    self.source.skip(passed);
                    return Step::Go(State::Between(between));
                }
            }
            _ => {}
        }
        self.next_call('<', true, between)
    }

    /// Something that must be the next call, or calls are over.
    fn next_call(&mut self, c: char, line_start: bool, between: Between) -> Step {
        if between.tentative.is_none() {
            match self.invented(line_start) {
                Err(_) => return Step::Wait(State::Between(between)),
                Ok(true) => return Step::Go(self.stop()),
                Ok(false) => {}
            }
        }
        let place = match &between.tentative {
            Some(tentative) if tentative.closed && c != '<' => {
                return Step::Go(self.reject(between));
            }
            Some(tentative) if tentative.closed => Position::Text,
            Some(tentative) if matches!(tentative.kind, Kind::Fence { code: true, .. }) => {
                Position::Code
            }
            Some(_) => Position::Alone,
            None if between.in_wrapper && (matches!(c, '{' | '[') || c.is_alphabetic()) => {
                Position::Inside
            }
            None if line_start => Position::LineStart,
            None => Position::Text,
        };
        match self.head(place) {
            Err(ReadError::Incomplete) => Step::Wait(State::Between(between)),
            Err(ReadError::NoMatch) => Step::Go(self.over(between)),
            Ok(head) => Step::Go(self.begin(head, between.tentative)),
        }
    }

    /// Text follows the calls: back to scanning.
    fn over(&mut self, between: Between) -> State {
        if between.tentative.is_some() {
            return self.reject(between);
        }
        if self.progress.passed == Passed::Suspect {
            self.progress.passed = Passed::Given;
            self.release(self.source.at());
        }
        self.context.started = true;
        State::Text
    }

    /// A result or another turn that the model invented: nothing behind it counts.
    pub(super) fn stop(&mut self) -> State {
        if self.progress.passed == Passed::Suspect {
            self.release(self.source.at());
        }
        self.source.drop_all();
        State::Finished
    }

    /// Whether an invented result or turn begins here, behind a call.
    pub(super) fn invented(&self, line_start: bool) -> Read<bool> {
        if self.progress.outcome.calls == 0 && self.progress.passed != Passed::Suspect {
            return Ok(false);
        }
        let mut cursor = self.source.cursor();
        if cursor.rest().starts_with('<') {
            return match tag::lex(&mut cursor, &tag::known) {
                Ok(tag) => Ok(tag::sense(&tag, self.rules.tags) == Some(Sense::Invented)),
                Err(ReadError::Incomplete) => Err(ReadError::Incomplete),
                Err(ReadError::NoMatch) => Ok(false),
            };
        }
        markers::invented(&mut cursor, line_start)
    }

    /// What was held for calls holds something else: all of it is text.
    pub(super) fn reject(&mut self, between: Between) -> State {
        let Some(tentative) = between.tentative else {
            return State::Between(between);
        };
        self.budget.retry();
        self.budget
            .charge(self.source.at().saturating_sub(tentative.resume));
        match tentative.kind {
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
        self.source.go(tentative.resume);
        if tentative.kind == Kind::Bare || tentative.kind == Kind::Line {
            let first = self.source.rest().chars().next();
            self.pass(first.map_or(0, char::len_utf8));
        }
        self.release(self.blank_start());
        State::Text
    }
}

/// `, "key": value` behind the arguments, in an envelope that is open.
fn leftover(cursor: &mut Cursor<'_>, braces: usize) -> Result<String, ReadError> {
    cursor.take(',')?;
    cursor.blank();
    if braces == 0 || !matches!(cursor.peek()?, Some('"' | '\'')) {
        return Err(ReadError::NoMatch);
    }
    let key = cursor.string()?;
    cursor.blank();
    if !cursor.take(':')? {
        return Err(ReadError::NoMatch);
    }
    cursor.blank();
    cursor.skip_value()?;
    Ok(key)
}
