//! Reading a text that is still growing: a cursor whose every answer is yes, no, or "more is needed".
//!
//! A reader built on [`Cursor`] decides by what it has passed, never by where the text happens to
//! end. So a text read again after it has grown gives the same decision, however it was cut.

use super::json::tokens;
use super::slice::{from, to};

/// Why a reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadError {
    /// The text so far can still become what is looked for.
    Incomplete,
    /// It cannot.
    NoMatch,
}

/// What a reading gives.
pub type Read<T> = Result<T, ReadError>;

/// Whether a string may begin with this: a quotation mark, or what typography makes of it.
#[must_use]
pub fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '“' | '”' | '„')
}

/// A place in a text that may still grow.
#[derive(Debug, Clone)]
pub struct Cursor<'t> {
    text: &'t str,
    at: usize,
    /// How far it has been when it was set back.
    far: usize,
    /// Whether the text is all there is.
    whole: bool,
}

impl<'t> Cursor<'t> {
    /// Begins at the text's beginning; `whole` says that no more will come.
    #[must_use]
    pub fn new(text: &'t str, whole: bool) -> Self {
        Self {
            text,
            at: 0,
            far: 0,
            whole,
        }
    }

    /// Bytes passed so far.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes to a place.
    pub fn go(&mut self, at: usize) {
        self.far = self.far.max(self.at);
        self.at = at;
    }

    /// The furthest place it has come to.
    #[must_use]
    pub fn reached(&self) -> usize {
        self.far.max(self.at)
    }

    /// What lies ahead.
    #[must_use]
    pub fn rest(&self) -> &'t str {
        from(self.text, self.at)
    }

    /// The text between two places.
    #[must_use]
    pub fn between(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Whether no more text will come.
    #[must_use]
    pub fn whole(&self) -> bool {
        self.whole
    }

    /// What running out of text means here.
    #[must_use]
    pub fn end(&self) -> ReadError {
        if self.whole {
            ReadError::NoMatch
        } else {
            ReadError::Incomplete
        }
    }

    /// The next character; none at the end of a whole text.
    pub fn peek(&self) -> Read<Option<char>> {
        match self.rest().chars().next() {
            None if !self.whole => Err(ReadError::Incomplete),
            next => Ok(next),
        }
    }

    /// Passes this character if it is next.
    pub fn take(&mut self, wanted: char) -> Read<bool> {
        let taken = self.peek()? == Some(wanted);
        if taken {
            self.at += wanted.len_utf8();
        }
        Ok(taken)
    }

    /// Passes white space, as far as there is any yet.
    pub fn blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Passes spaces and tabs.
    pub fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    /// Passes these characters if they are next.
    pub fn try_literal(&mut self, wanted: &str) -> Read<bool> {
        self.try_match(wanted, |a, b| a == b)
    }

    /// Passes these ASCII characters in any case if they are next.
    pub fn try_word(&mut self, wanted: &str) -> Read<bool> {
        self.try_match(wanted, |a, b| a.eq_ignore_ascii_case(&b))
    }

    fn try_match(&mut self, wanted: &str, same: impl Fn(u8, u8) -> bool) -> Read<bool> {
        let rest = self.rest().as_bytes();
        let shared = rest
            .iter()
            .zip(wanted.as_bytes())
            .take_while(|(a, b)| same(**a, **b))
            .count();
        if shared == wanted.len() {
            self.at += shared;
            return Ok(true);
        }
        if shared == rest.len() && !self.whole {
            return Err(ReadError::Incomplete);
        }
        Ok(false)
    }

    /// Passes text up to a mark and the mark itself; gives the text before it.
    pub fn until(&mut self, mark: &str) -> Read<&'t str> {
        let rest = self.rest();
        let found = rest.find(mark).ok_or(self.end())?;
        self.at += found + mark.len();
        Ok(to(rest, found))
    }

    /// Passes characters as long as they are wanted. What ends them must be in sight.
    pub fn run(&mut self, wanted: impl Fn(char) -> bool) -> Read<&'t str> {
        let rest = self.rest();
        match rest.find(|c| !wanted(c)) {
            Some(end) => {
                self.at += end;
                Ok(to(rest, end))
            }
            None if self.whole => {
                self.at += rest.len();
                Ok(rest)
            }
            None => Err(ReadError::Incomplete),
        }
    }

    /// Passes a quoted string, in any quotation marks, and gives what it says.
    pub fn string(&mut self) -> Read<String> {
        let quote = self
            .peek()?
            .filter(|c| is_quote(*c))
            .ok_or(ReadError::NoMatch)?;
        self.at += quote.len_utf8();
        let (end, other_end) = match quote {
            '"' | '\'' => (quote, quote),
            _ => ('”', '“'),
        };
        let mut said = String::new();
        loop {
            let rest = self.rest();
            let found = rest.find([end, other_end, '\\']).ok_or(self.end())?;
            said.push_str(to(rest, found));
            self.at += found;
            if self.take(end)? || self.take(other_end)? {
                return Ok(said);
            }
            let escape = tokens::escape(self.rest(), self.whole).ok_or(self.end())?;
            said.push_str(&escape.text());
            self.at += escape.width;
        }
    }

    /// Passes one JSON-like value, strings and nesting minded, without building it.
    pub fn skip_value(&mut self) -> Read<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()?.ok_or(ReadError::NoMatch)? {
                '"' | '\'' => self.skip_string()?,
                '{' | '[' => {
                    depth += 1;
                    self.at += 1;
                }
                '}' | ']' | ',' if depth == 0 => return Ok(()),
                '}' | ']' => {
                    depth -= 1;
                    self.at += 1;
                }
                other => {
                    self.at += other.len_utf8();
                    continue;
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Passes a quoted string without building it.
    fn skip_string(&mut self) -> Read<()> {
        let quote = self.peek()?.ok_or(ReadError::NoMatch)?;
        self.at += 1;
        loop {
            let rest = self.rest();
            let end = rest.find([quote, '\\']).ok_or(self.end())?;
            self.at += end;
            if self.take(quote)? {
                return Ok(());
            }
            self.at += 1;
            let escaped = self.peek()?.ok_or(ReadError::NoMatch)?;
            self.at += escaped.len_utf8();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_in_every_other_string() {
        for (text, said) in [
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\u+123""#, "\\u+123"),
            (r#""\ud83d x""#, "\u{fffd} x"),
            (r#""C:\data""#, "C:\\data"),
        ] {
            assert_eq!(
                Cursor::new(text, true).string(),
                Ok(said.to_owned()),
                "{text}"
            );
        }
        assert_eq!(
            Cursor::new(r#""\ud83d\ude"#, false).string(),
            Err(ReadError::Incomplete)
        );
    }

    #[test]
    fn a_literal_that_may_still_come_needs_more() {
        assert_eq!(
            Cursor::new("<too", false).try_literal("<tool>"),
            Err(ReadError::Incomplete)
        );
        assert_eq!(Cursor::new("<tox", false).try_literal("<tool>"), Ok(false));
        assert_eq!(Cursor::new("<too", true).try_literal("<tool>"), Ok(false));
        assert_eq!(Cursor::new("<TOOL>", false).try_word("<tool>"), Ok(true));
    }

    #[test]
    fn strings_mean_what_they_escape() {
        let mut cursor = Cursor::new(r#""a\n\u0041\"b" c"#, false);
        assert_eq!(cursor.string(), Ok("a\nA\"b".to_owned()));
        assert_eq!(cursor.rest(), " c");
        assert_eq!(
            Cursor::new(r#""a\u00"#, false).string(),
            Err(ReadError::Incomplete)
        );
    }

    #[test]
    fn values_are_skipped_with_their_strings() {
        let mut cursor = Cursor::new(r#"{"a": ["}", 1]}, x"#, false);
        assert_eq!(cursor.skip_value(), Ok(()));
        assert_eq!(cursor.rest(), ", x");
        assert_eq!(
            Cursor::new(r#"{"a": "}"#, false).skip_value(),
            Err(ReadError::Incomplete)
        );
    }
}
