//! The text of an answer that is not yet given to the client.

use crate::interpret::scanner::Cursor;
use crate::interpret::slice::{from, to};

/// A buffer between what was given and what has come. Places are counted in bytes from the
/// answer's beginning, so they stay right when what is given leaves the buffer; going back to one
/// is [`Source::go`].
#[derive(Debug, Default)]
pub(super) struct Source {
    text: String,
    /// The place of the buffer's first byte.
    base: usize,
    /// What lies before is given or dropped.
    given: usize,
    /// What lies before is read.
    at: usize,
    is_final: bool,
}

impl Source {
    /// More text has come.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// No more text will come.
    pub(super) fn finish(&mut self) {
        self.is_final = true;
    }

    pub(super) fn is_final(&self) -> bool {
        self.is_final
    }

    /// The place that reading has come to.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The place behind all that has come.
    pub(super) fn end(&self) -> usize {
        self.base + self.text.len()
    }

    /// Goes on to a place, or back to one of which nothing was given yet.
    pub(super) fn go(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// What is not read.
    pub(super) fn rest(&self) -> &str {
        from(&self.text, self.at - self.base)
    }

    /// Reads what is not read, without going on.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self.rest(), self.is_final)
    }

    /// What was read since a place.
    pub(super) fn since(&self, place: usize) -> &str {
        to(self.after(place), self.at.saturating_sub(place))
    }

    /// What has come behind a place.
    pub(super) fn after(&self, place: usize) -> &str {
        from(&self.text, place.saturating_sub(self.base))
    }

    /// What was read and is not given.
    pub(super) fn held(&self) -> &str {
        self.since(self.given)
    }

    /// The text up to a place that was not given before; from now on it is.
    pub(super) fn give(&mut self, place: usize) -> &str {
        let start = self.given;
        self.given = place.max(start);
        self.text
            .get(start - self.base..self.given - self.base)
            .unwrap_or_default()
    }

    /// What was read will not be given.
    pub(super) fn drop_read(&mut self) {
        self.given = self.at;
    }

    /// Nothing of what has come will be given.
    pub(super) fn drop_all(&mut self) {
        self.at = self.end();
        self.given = self.at;
    }

    /// Frees what was given.
    pub(super) fn forget(&mut self) {
        if self.given == self.end() {
            self.text.clear();
        } else if self.given > self.base {
            self.text.drain(..self.given - self.base);
        }
        self.base = self.given;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_when_what_is_given_is_forgotten() {
        let mut source = Source::default();
        source.push("one two ");
        source.skip(4);
        assert_eq!(source.give(4), "one ");
        let place = source.at();
        source.skip(4);
        source.forget();
        source.push("three");
        assert_eq!((source.since(place), source.rest()), ("two ", "three"));
        assert_eq!(source.held(), "two ");
        source.go(place);
        assert_eq!(source.rest(), "two three");
        assert_eq!(source.end(), 13);
    }

    #[test]
    fn nothing_is_given_twice() {
        let mut source = Source::default();
        source.push("ab");
        source.skip(2);
        assert_eq!(source.give(1), "a");
        assert_eq!(source.give(1), "");
        source.drop_read();
        assert_eq!(source.give(2), "");
        source.forget();
        source.push("c");
        source.drop_all();
        assert_eq!((source.rest(), source.held()), ("", ""));
    }
}
