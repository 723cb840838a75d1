//! Filters a record as it arrives: what is needed is kept, the rest is dropped unread.
//!
//! The last event of a stream repeats the prompt and the whole answer. Its bytes pass through here
//! cut anywhere; what comes out is a small JSON document with the same meaning, in which of the
//! record only cost, state and errors are left, and the text only where it is asked for.

use memchr::memchr2;

use crate::repaired_json::BYTE_ORDER_MARK;

/// The most bytes that are kept of the cost, the state and the errors.
const KEPT_BYTES_MAX: usize = 256 * 1024;

/// The most bytes that are kept where the text is asked for.
const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The longest key that can be one of ours.
const KEY_BYTES_MAX: usize = 32;

/// The objects whose fields are examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Top,
    Record,
    Detail,
    Team,
}

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// It is looked into.
    Enter(Scope),
    /// It is kept as it is.
    Keep,
    /// It is kept if it is an object.
    KeepObject,
    /// It is passed over.
    Pass,
}

impl Scope {
    fn action(self, key: &[u8], keep_text: bool) -> Action {
        match (self, key) {
            (Self::Top, b"aiRecord") => Action::Enter(Self::Record),
            (Self::Top | Self::Record, b"teamUser") => Action::Enter(Self::Team),
            (Self::Top | Self::Record, b"aiRecordDetail") => Action::Enter(Self::Detail),
            (Self::Detail, b"resultObject") if keep_text => Action::Keep,
            (Self::Detail, b"resultObject") => Action::KeepObject,
            (Self::Team, b"creditLimit" | b"usedCredit")
            | (Self::Detail, b"errorMessage" | b"responseObject")
            | (Self::Top | Self::Record, b"uuid" | b"status" | b"metadata")
            | (
                Self::Top,
                b"success" | b"error" | b"errorCode" | b"message" | b"code" | b"details"
                | b"statusCode" | b"errorMessage",
            ) => Action::Keep,
            _ => Action::Pass,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a value of which the action is known.
    Value(Action),
    /// Within an object that is looked into, between its members.
    Member,
    Key {
        escaped: bool,
    },
    Colon,
    /// Within a text of a value.
    Text {
        keep: bool,
        escaped: bool,
    },
    /// Within a value, between its parts.
    Inside {
        keep: bool,
    },
    /// Behind the document.
    End,
}

/// Reads one document.
#[derive(Debug)]
pub(crate) struct RecordFilter {
    keep_text: bool,
    state: State,
    open: Vec<Scope>,
    key: Vec<u8>,
    /// How deep the value at hand is nested.
    depth: usize,
    out: Vec<u8>,
    /// Where the value that is being kept begins.
    from: usize,
}

/// More had to be kept than the bound, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordTooLarge(pub(crate) usize);

impl RecordFilter {
    /// A filter that keeps the text too, or not.
    pub(crate) fn new(keep_text: bool) -> Self {
        Self {
            keep_text,
            state: State::Value(Action::Enter(Scope::Top)),
            open: Vec::new(),
            key: Vec::new(),
            depth: 0,
            out: Vec::new(),
            from: 0,
        }
    }

    /// The small document; broken if the large one was.
    pub(crate) fn into_document(self) -> Vec<u8> {
        self.out
    }

    /// Bytes held at the moment.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.out.capacity() + self.key.capacity()
    }

    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), RecordTooLarge> {
        let mut left = bytes;
        while let Some(byte) = left.first() {
            let used = match self.state {
                State::Text { keep, escaped } => self.text(left, keep, escaped),
                State::Inside { keep } => self.plain(left, keep),
                State::Key { escaped: false } => self.plain_key(left),
                _ => 0,
            };
            let used = if used == 0 {
                self.byte(*byte);
                1
            } else {
                used
            };
            left = left.get(used..).unwrap_or_default();
            let most = if self.keep_text {
                TEXT_BYTES_MAX
            } else {
                KEPT_BYTES_MAX
            };
            if self.out.len() > most {
                return Err(RecordTooLarge(most));
            }
        }
        Ok(())
    }

    fn byte(&mut self, byte: u8) {
        match self.state {
            State::Value(action) => self.begin(action, byte),
            State::Member => self.member(byte),
            State::Key { escaped } => self.key(byte, escaped),
            State::Colon => self.colon(byte),
            State::Inside { keep } => self.inside(byte, keep),
            State::End | State::Text { .. } => {
                if !byte.is_ascii_whitespace() {
                    self.out.push(byte);
                }
            }
        }
    }

    fn begin(&mut self, action: Action, byte: u8) {
        let is_marked = action == Action::Enter(Scope::Top) && BYTE_ORDER_MARK.contains(&byte);
        if byte.is_ascii_whitespace() || is_marked {
            return;
        }
        if let (Action::Enter(place), b'{') = (action, byte) {
            self.out.push(b'{');
            self.open.push(place);
            self.state = State::Member;
            return;
        }
        let keep = match action {
            Action::Pass => false,
            Action::KeepObject => byte == b'{',
            // What is no object is judged by the reader of the small document.
            Action::Enter(_) | Action::Keep => true,
        };
        self.from = self.out.len();
        self.depth = 0;
        if action == Action::KeepObject && !keep {
            self.out.extend_from_slice(b"null");
        }
        self.state = State::Inside { keep };
        self.inside(byte, keep);
    }

    fn member(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.key.clear();
                self.state = State::Key { escaped: false };
            }
            b'}' => {
                self.out.push(b'}');
                self.open.pop();
                self.state = if self.open.is_empty() {
                    State::End
                } else {
                    State::Member
                };
            }
            b',' => {}
            byte if byte.is_ascii_whitespace() => {}
            // No JSON: what is kept of it makes the small document broken too.
            byte => self.out.push(byte),
        }
    }

    fn key(&mut self, byte: u8, escaped: bool) {
        match byte {
            b'"' if !escaped => self.state = State::Colon,
            _ => {
                if self.key.len() < KEY_BYTES_MAX {
                    self.key.push(byte);
                }
                let escaped = byte == b'\\' && !escaped;
                self.state = State::Key { escaped };
            }
        }
    }

    fn colon(&mut self, byte: u8) {
        match byte {
            b':' => {
                let place = self.open.last().copied().unwrap_or(Scope::Top);
                let action = place.action(&self.key, self.keep_text);
                if action != Action::Pass {
                    self.write_key();
                }
                self.state = State::Value(action);
            }
            byte if byte.is_ascii_whitespace() => {}
            byte => self.out.push(byte),
        }
    }

    fn write_key(&mut self) {
        if self.out.last().is_some_and(|last| *last != b'{') {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(&self.key);
        self.out.extend_from_slice(b"\":");
    }

    /// As much of a key at once as has neither its end nor an escape in it.
    fn plain_key(&mut self, bytes: &[u8]) -> usize {
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\');
        let used = bytes.iter().position(is_special).unwrap_or(bytes.len());
        let room = KEY_BYTES_MAX.saturating_sub(self.key.len()).min(used);
        self.key
            .extend_from_slice(bytes.get(..room).unwrap_or_default());
        used
    }

    /// As much of a value outside its texts at once as neither opens, parts nor ends anything.
    fn plain(&mut self, bytes: &[u8], keep: bool) -> usize {
        let is_special = |byte: &u8| matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b'"');
        let used = bytes.iter().position(is_special).unwrap_or(bytes.len());
        self.keep(bytes.get(..used).unwrap_or_default(), keep);
        let keep = self.is_keeping(keep);
        self.state = State::Inside { keep };
        used
    }

    /// Within a value, outside its texts.
    fn inside(&mut self, byte: u8, keep: bool) {
        match byte {
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' | b',' if self.depth == 0 => return self.end_scalar(byte),
            b'}' | b']' => self.depth -= 1,
            b'"' => {
                self.keep(&[byte], keep);
                let keep = self.is_keeping(keep);
                self.state = State::Text {
                    keep,
                    escaped: false,
                };
                return;
            }
            _ => {}
        }
        self.keep(&[byte], keep);
        if self.depth == 0 && matches!(byte, b'}' | b']') {
            self.end_value();
        } else {
            let keep = self.is_keeping(keep);
            self.state = State::Inside { keep };
        }
    }

    /// A number or a word has no end of its own: what comes next is.
    fn end_scalar(&mut self, byte: u8) {
        self.end_value();
        self.byte(byte);
    }

    fn end_value(&mut self) {
        self.state = if self.open.is_empty() {
            State::End
        } else {
            State::Member
        };
    }

    /// Within a text of a value: as much at once as has no end in it.
    fn text(&mut self, bytes: &[u8], keep: bool, escaped: bool) -> usize {
        let (used, escaped, ends) = if escaped {
            (1, false, false)
        } else {
            match memchr2(b'"', b'\\', bytes) {
                None => (bytes.len(), false, false),
                Some(at) => {
                    let ends = bytes.get(at) == Some(&b'"');
                    (at + 1, !ends, ends)
                }
            }
        };
        self.keep(bytes.get(..used).unwrap_or_default(), keep);
        let keep = self.is_keeping(keep);
        if !ends {
            self.state = State::Text { keep, escaped };
        } else if self.depth == 0 {
            self.end_value();
        } else {
            self.state = State::Inside { keep };
        }
        used
    }

    /// Keeps bytes of the value at hand; one that is too large is given up.
    fn keep(&mut self, bytes: &[u8], keep: bool) {
        if !keep {
            return;
        }
        self.out.extend_from_slice(bytes);
        if !self.keep_text && self.out.len() - self.from > KEPT_BYTES_MAX / 4 {
            self.out.truncate(self.from);
            self.out.extend_from_slice(b"null");
            self.out.shrink_to(KEPT_BYTES_MAX / 4);
            // Nothing more of it is kept.
            self.from = usize::MAX;
        }
    }

    fn is_keeping(&self, keep: bool) -> bool {
        keep && self.from != usize::MAX
    }
}

#[cfg(test)]
mod tests;
