//! The repairing re-emitter: JSON as models write it goes in, valid JSON comes out as it arrives.
//!
//! Valid JSON is passed through, less the white space between its tokens. What is not valid is
//! repaired where it stands, and each repair is graded: [`Grade::Lossless`] if only one reading
//! exists, [`Grade::Guess`] if a better one is thinkable. What was given out so far is always the
//! beginning of a valid JSON text. Work is linear: a text is read again only over a bounded stretch.

mod state;
mod strings;

use super::grade::Grade;
use super::lookahead::{self, Verdict};
use super::tokens;
use crate::interpret::slice::{at_most, from, to};
pub use state::Emitter;
use state::{Expect, Frame, Hash, Step};

/// What feeding gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The value is still open.
    More,
    /// The value is complete.
    Done,
    /// The text cannot be read, and why.
    Broken(&'static str),
}

/// How far feeding came. The bytes that are not consumed must be given again, with more after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fed {
    /// Bytes that are done with.
    pub consumed: usize,
    /// Where that leaves the value.
    pub progress: Progress,
}

/// The deepest nesting that is read; `serde_json` reads no deeper either.
const MAX_DEPTH: usize = 127;
/// The longest token outside strings.
const MAX_TOKEN: usize = 1024;

impl Default for Emitter {
    fn default() -> Self {
        Self::until(Vec::new())
    }
}

impl Emitter {
    /// An emitter for a value that is known to have ended where one of the marks stands.
    #[must_use]
    pub fn until(marks: Vec<String>) -> Self {
        Self {
            frames: Vec::new(),
            expect: Expect::Value,
            grade: Grade::Exact,
            key: Hash::default(),
            repeated_key: false,
            close: String::new(),
            past_close: false,
            until: marks,
        }
    }

    /// An emitter for a value in a tag that closes so. Where that stands in a string, and then a
    /// quotation mark that does not end it, the string's own end was forgotten: the text is broken.
    #[must_use]
    pub fn within(close: &str, marks: &[&str]) -> Self {
        let all = marks.iter().copied().chain([close]);
        let mut emitter = Self::until(all.map(str::to_owned).collect());
        close.clone_into(&mut emitter.close);
        emitter
    }

    /// How far the text had to be repaired until now.
    #[must_use]
    pub fn grade(&self) -> Grade {
        self.grade
    }

    /// Whether an object had the same key twice.
    #[must_use]
    pub fn repeated_key(&self) -> bool {
        self.repeated_key
    }

    /// Whether a string is open, so that what comes next belongs to it.
    #[must_use]
    pub fn in_string(&self) -> bool {
        matches!(self.expect, Expect::Text(_))
    }

    /// Reads on and writes what is certain. `whole` says that no more text will come.
    pub fn feed(&mut self, text: &str, whole: bool, out: &mut String) -> Fed {
        let mut consumed = 0;
        loop {
            if self.expect == Expect::Nothing {
                return Fed {
                    consumed,
                    progress: Progress::Done,
                };
            }
            match self.step(from(text, consumed), whole, out) {
                Step::Took(n) => consumed += n,
                Step::Wait => {
                    return Fed {
                        consumed,
                        progress: Progress::More,
                    };
                }
                Step::Broken(why) => {
                    return Fed {
                        consumed,
                        progress: Progress::Broken(why),
                    };
                }
            }
        }
    }

    /// Whether the text so far ends in a string, and nothing says that its end was forgotten.
    #[must_use]
    pub fn ends_in_string(&self) -> bool {
        self.in_string() && !self.past_close
    }

    /// Ends a value whose text ended early, by closing what is open. Only brackets are ever added:
    /// a string or a member that is cut stays cut, and that is an error.
    pub fn close(&mut self, out: &mut String) -> Result<(), &'static str> {
        match self.expect {
            Expect::Nothing => return Ok(()),
            Expect::Next => {}
            Expect::Key if !self.frames.is_empty() => {}
            Expect::Value if self.frames.last().is_some_and(|f| !f.object) => {}
            Expect::Text(_) => return Err("a string is not closed"),
            Expect::Value | Expect::Key | Expect::Colon => {
                return Err("the JSON ends in the middle of a member");
            }
        }
        self.repaired(Grade::Lossless);
        while let Some(frame) = self.frames.pop() {
            out.push(if frame.object { '}' } else { ']' });
        }
        self.expect = Expect::Nothing;
        Ok(())
    }

    fn step(&mut self, rest: &str, whole: bool, out: &mut String) -> Step {
        if let Expect::Text(quote) = self.expect {
            return self.text(quote, rest, whole, out);
        }
        let blank = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
                .len();
        if blank > 0 {
            return Step::Took(blank);
        }
        let Some(first) = rest.chars().next() else {
            return Step::Wait;
        };
        if let Some(step) = self.comment(rest, first, whole) {
            return step;
        }
        if let Some(step) = self.mark(rest, whole, out) {
            return step;
        }
        match self.expect {
            Expect::Value => self.value(rest, first, whole, out),
            Expect::Key => self.key(rest, first, whole, out),
            Expect::Colon => self.colon(rest, first, whole, out),
            Expect::Next => self.next(first, out),
            Expect::Text(_) | Expect::Nothing => Step::Wait,
        }
    }

    /// Passes `// …`, `# …` and `/* … */`.
    fn comment(&mut self, rest: &str, first: char, whole: bool) -> Option<Step> {
        let step = match (first, from(rest, 1).chars().next()) {
            ('/', None) if !whole => return Some(Step::Wait),
            ('#', _) | ('/', Some('/')) => tokens::line_comment(rest, whole),
            ('/', Some('*')) => tokens::block_comment(rest),
            _ => return None,
        };
        self.repaired(Grade::Lossless);
        Some(step.map_or(Step::Wait, Step::Took))
    }

    /// Ends the value where a mark stands that no JSON could hold here.
    fn mark(&mut self, rest: &str, whole: bool, out: &mut String) -> Option<Step> {
        if self.frames.is_empty() {
            return None;
        }
        match lookahead::mark(&self.until, rest) {
            Some(Verdict::Yes) => Some(match self.close(out) {
                Ok(()) => Step::Took(0),
                Err(why) => Step::Broken(why),
            }),
            Some(Verdict::More) if !whole => Some(Step::Wait),
            _ => None,
        }
    }

    fn value(&mut self, rest: &str, first: char, whole: bool, out: &mut String) -> Step {
        match first {
            '{' | '[' => {
                if self.frames.len() >= MAX_DEPTH {
                    return Step::Broken("the JSON is nested too deeply");
                }
                self.begin_member(out);
                out.push(first);
                let object = first == '{';
                self.frames.push(Frame {
                    object,
                    ..Frame::default()
                });
                self.expect = if object { Expect::Key } else { Expect::Value };
                Step::Took(1)
            }
            ']' | '}' if self.in_array() => self.end(first, out),
            ',' if self.in_array() => {
                self.repaired(Grade::Guess);
                Step::Took(1)
            }
            // What never began is not made up.
            '}' | ']' | ',' if !self.frames.is_empty() => Step::Broken("a member has no value"),
            _ if tokens::is_quote(first) => self.open_string(rest, first, false, whole, out),
            '<' if strings::begins_escape_tag(rest, whole) => self.open_tagged_string(rest, out),
            _ => self.token(rest, whole, out),
        }
    }

    fn key(&mut self, rest: &str, first: char, whole: bool, out: &mut String) -> Step {
        match first {
            '}' | ']' => self.end(first, out),
            ',' => {
                self.repaired(Grade::Guess);
                Step::Took(1)
            }
            // Braces doubled as in a template.
            '{' if self.frames.last().is_some_and(|f| f.members == 0) => {
                self.repaired(Grade::Guess);
                Step::Took(1)
            }
            _ if tokens::is_quote(first) => self.open_string(rest, first, true, whole, out),
            _ => self.bare_key(rest, whole, out),
        }
    }

    fn bare_key(&mut self, rest: &str, whole: bool, out: &mut String) -> Step {
        let full = rest.len() >= MAX_TOKEN;
        let rest = at_most(rest, MAX_TOKEN);
        let Some(end) = rest.find(|c: char| !tokens::is_key_char(c)) else {
            return if whole || full {
                Step::Broken("a key is not closed")
            } else {
                Step::Wait
            };
        };
        if end == 0 {
            return Step::Broken("something stands where a key should");
        }
        self.repaired(Grade::Lossless);
        self.begin_member(out);
        out.push('"');
        out.push_str(to(rest, end));
        out.push('"');
        self.key.of(to(rest, end));
        self.note_key();
        self.expect = Expect::Colon;
        Step::Took(end)
    }

    fn colon(&mut self, rest: &str, first: char, whole: bool, out: &mut String) -> Step {
        let width = match (first, from(rest, 1).chars().next()) {
            ('=', None) if !whole => return Step::Wait,
            ('=', Some('>')) => 2,
            (':' | '=', _) => 1,
            _ => return Step::Broken("a key has no value"),
        };
        if first == '=' {
            self.repaired(Grade::Lossless);
        }
        out.push(':');
        self.expect = Expect::Value;
        Step::Took(width)
    }

    fn next(&mut self, first: char, out: &mut String) -> Step {
        match first {
            ',' => {
                self.expect = self.member_expected();
                Step::Took(1)
            }
            '}' | ']' => self.end(first, out),
            // A comma is missing.
            _ => {
                self.repaired(Grade::Guess);
                self.expect = self.member_expected();
                Step::Took(0)
            }
        }
    }

    fn member_expected(&self) -> Expect {
        if self.in_array() {
            Expect::Value
        } else {
            Expect::Key
        }
    }

    /// Closes down to the bracket that this one ends.
    fn end(&mut self, closer: char, out: &mut String) -> Step {
        let object = closer == '}';
        if !self.frames.iter().any(|f| f.object == object) {
            self.repaired(Grade::Guess);
            return Step::Took(1);
        }
        while let Some(frame) = self.frames.pop() {
            out.push(if frame.object { '}' } else { ']' });
            if frame.object == object {
                break;
            }
            self.repaired(Grade::Guess);
        }
        self.value_ended();
        Step::Took(1)
    }

    /// A number, a literal or a bare word.
    fn token(&mut self, rest: &str, whole: bool, out: &mut String) -> Step {
        let window = at_most(rest, MAX_TOKEN);
        let end = match tokens::token_end(window, &self.until) {
            Some(end) => end,
            None if rest.len() >= MAX_TOKEN => return Step::Broken("a token is too long"),
            None if whole => window.len(),
            None => return Step::Wait,
        };
        match tokens::scalar(to(window, end)) {
            Ok((json, grade)) => {
                self.repaired(grade);
                self.begin_member(out);
                out.push_str(&json);
                self.value_ended();
                Step::Took(end)
            }
            Err(why) => Step::Broken(why),
        }
    }
}

#[cfg(test)]
mod tests;
