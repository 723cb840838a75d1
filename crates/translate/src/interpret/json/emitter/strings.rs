//! The strings of a value: which mark ends one, and which should have been escaped.

use super::state::{Emitter, Expect, Hash, Marks, Quote, Step};
use crate::interpret::json::grade::Grade;
use crate::interpret::json::lookahead::{self, Position, Verdict};
use crate::interpret::json::tokens;
use crate::interpret::slice::{from, to};

/// What opens and closes a string of `FunctionGemma`.
const ESCAPE_TAG: &str = "<escape>";

/// Whether such a string begins here, or may as far as the text goes.
pub(super) fn begins_escape_tag(rest: &str, whole: bool) -> bool {
    rest.starts_with(ESCAPE_TAG) || (!whole && ESCAPE_TAG.starts_with(rest))
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
            marks: if triple { Marks::Triple } else { Marks::Single },
            key,
            raw,
        });
        Step::Took(if triple { 3 * width } else { width })
    }

    /// Begins a string between `<escape>` tags.
    pub(super) fn open_tagged_string(&mut self, rest: &str, out: &mut String) -> Step {
        if !rest.starts_with(ESCAPE_TAG) {
            return Step::Wait;
        }
        self.repaired(Grade::Lossless);
        self.begin_member(out);
        out.push('"');
        self.past_close = false;
        self.expect = Expect::Text(Quote {
            mark: '<',
            marks: Marks::Tags,
            key: false,
            raw: true,
        });
        Step::Took(ESCAPE_TAG.len())
    }

    /// More of a string between `<escape>` tags, in which nothing is escaped.
    fn tagged_text(&mut self, rest: &str, whole: bool, out: &mut String) -> Step {
        if rest.starts_with(ESCAPE_TAG) {
            out.push('"');
            self.value_ended();
            return Step::Took(ESCAPE_TAG.len());
        }
        let plain = match rest.find('<') {
            Some(0) if !whole && ESCAPE_TAG.starts_with(rest) => return Step::Wait,
            Some(0) => 1,
            Some(at) => at,
            None if rest.is_empty() => return Step::Wait,
            None => rest.len(),
        };
        tokens::push_text(to(rest, plain), out);
        Step::Took(plain)
    }

    /// More of the open string.
    pub(super) fn text(&mut self, quote: Quote, rest: &str, whole: bool, out: &mut String) -> Step {
        if quote.marks == Marks::Tags {
            return self.tagged_text(rest, whole, out);
        }
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
        if quote.marks == Marks::Triple {
            return self.maybe_close_triple(quote, mark, rest, whole, out);
        }
        let place = match self.frames.last() {
            _ if quote.key => Position::Key,
            Some(frame) if frame.object => Position::Member,
            Some(_) => Position::Element,
            None => Position::Top,
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
            Verdict::No if !quote.key && mark == quote.mark => {
                if let Some(step) = self.faulty_mark(from(rest, width), whole) {
                    return step;
                }
                self.repaired(Grade::Guess);
                tokens::push_escaped(mark, out);
                Step::Took(width)
            }
            Verdict::No => {
                self.repaired(Grade::Guess);
                tokens::push_escaped(mark, out);
                Step::Took(width)
            }
        }
    }

    /// A mark that neither ends the string nor can be taken for one that was not escaped: a second
    /// string follows the first, or the beginning of another object, which repeats a key.
    fn faulty_mark(&self, behind: &str, whole: bool) -> Option<Step> {
        match lookahead::adjacent(behind, whole) {
            Verdict::Yes => return Some(Step::Broken("two strings stand side by side")),
            Verdict::More => return Some(Step::Wait),
            Verdict::No => {}
        }
        match lookahead::repeats_key(behind, whole) {
            Err(()) => Some(Step::Wait),
            Ok(Some(key)) => {
                let mut hash = Hash::default();
                hash.of(key);
                let frames = self.frames.iter().rev();
                let repeated = frames.take(2).any(|frame| frame.keys.contains(&hash.0));
                repeated.then_some(Step::Broken("another object begins inside a string"))
            }
            Ok(None) => None,
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
