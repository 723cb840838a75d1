//! The strings of a value: which mark ends one, and which should have been escaped.

use super::{Emitter, Expect, Grade, Hash, Step};
use crate::interpret::json::lookahead::{self, Place, Verdict};
use crate::interpret::json::tokens;
use crate::interpret::scanner::{from, to};

/// The string that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote {
    mark: char,
    triple: bool,
    key: bool,
    /// Whether each backslash stands for itself.
    raw: bool,
}

impl Emitter {
    /// Begins the string that a mark opens.
    pub(super) fn open_string(
        &mut self,
        rest: &str,
        first: char,
        key: bool,
        whole: bool,
        out: &mut String,
    ) -> Step {
        let width = first.len_utf8();
        let Some(triple) = tokens::is_triple(rest, first, whole) else {
            return Step::Wait;
        };
        let Some(raw) = tokens::is_windows_path(from(rest, width), first, whole) else {
            return Step::Wait;
        };
        if first != '"' || triple {
            self.repaired(Grade::Lossless);
        }
        if raw {
            self.repaired(Grade::Guess);
        }
        self.begin_member(out);
        out.push('"');
        self.key = Hash::default();
        self.past_close = false;
        let mark = tokens::closing(first);
        self.expect = Expect::Text(Quote {
            mark,
            triple,
            key,
            raw,
        });
        Step::Took(if triple { 3 * width } else { width })
    }

    /// More of the open string.
    pub(super) fn text(&mut self, quote: Quote, rest: &str, whole: bool, out: &mut String) -> Step {
        let special = |c: char| {
            c == quote.mark
                || c == '\\'
                || c == '"'
                || c < ' '
                || (c == '<' && !self.close.is_empty())
                || (quote.mark == '”' && c == '“')
        };
        let plain = rest.find(special).unwrap_or(rest.len());
        if plain > 0 {
            self.copy(to(rest, plain), quote, out);
            return Step::Took(plain);
        }
        let Some(c) = rest.chars().next() else {
            return Step::Wait;
        };
        if c == '\\' {
            return self.escape(quote, rest, whole, out);
        }
        if c == '<' {
            return self.maybe_past_close(quote, rest, whole, out);
        }
        if c == quote.mark || (c == '"' && quote.mark == '”') {
            return self.maybe_close(quote, c, rest, whole, out);
        }
        if c < ' ' {
            self.repaired(Grade::Lossless);
            tokens::push_control(c, out);
        } else {
            tokens::push_escaped(c, out);
        }
        Step::Took(c.len_utf8())
    }

    /// A `<` inside a string, perhaps of the mark that closes what the value stands in.
    fn maybe_past_close(
        &mut self,
        quote: Quote,
        rest: &str,
        whole: bool,
        out: &mut String,
    ) -> Step {
        if rest.starts_with(&self.close) {
            self.past_close = true;
        } else if self.close.starts_with(rest) && !whole {
            return Step::Wait;
        }
        self.copy("<", quote, out);
        Step::Took(1)
    }

    fn copy(&mut self, text: &str, quote: Quote, out: &mut String) {
        out.push_str(text);
        if quote.key {
            self.key.of(text);
        }
    }

    fn escape(&mut self, quote: Quote, rest: &str, whole: bool, out: &mut String) -> Step {
        if quote.raw {
            out.push_str("\\\\");
            return Step::Took(1);
        }
        match tokens::escape(rest, whole) {
            None => Step::Wait,
            Some(escape) => {
                self.repaired(escape.grade);
                self.copy(&escape.json, quote, out);
                Step::Took(escape.width)
            }
        }
    }

    /// A quotation mark inside a string: its end, or a mark that should have been escaped.
    fn maybe_close(
        &mut self,
        quote: Quote,
        mark: char,
        rest: &str,
        whole: bool,
        out: &mut String,
    ) -> Step {
        let width = mark.len_utf8();
        if quote.triple {
            return self.maybe_close_triple(quote, mark, rest, whole, out);
        }
        let place = match self.frames.last() {
            _ if quote.key => Place::Key,
            Some(frame) if frame.object => Place::Member,
            Some(_) => Place::Element,
            None => Place::Top,
        };
        match lookahead::closes(from(rest, width), place, &self.until, whole) {
            Verdict::More => Step::Wait,
            Verdict::Yes => {
                out.push('"');
                if quote.key {
                    self.note_key();
                    self.expect = Expect::Colon;
                } else {
                    self.value_ended();
                }
                Step::Took(width)
            }
            Verdict::No if self.past_close => Step::Broken("a string is not closed"),
            Verdict::No => {
                self.repaired(Grade::Guess);
                tokens::push_escaped(mark, out);
                Step::Took(width)
            }
        }
    }

    fn maybe_close_triple(
        &mut self,
        quote: Quote,
        mark: char,
        rest: &str,
        whole: bool,
        out: &mut String,
    ) -> Step {
        let run = rest.len() - rest.trim_start_matches(mark).len();
        if run == rest.len() && run < 6 && !whole {
            return Step::Wait;
        }
        if run < 3 {
            (0..run).for_each(|_| tokens::push_escaped(mark, out));
            return Step::Took(run);
        }
        // Of more than three, the last three close.
        (3..run.min(6)).for_each(|_| tokens::push_escaped(mark, out));
        out.push('"');
        if quote.key {
            self.expect = Expect::Colon;
        } else {
            self.value_ended();
        }
        Step::Took(run.min(6))
    }
}
