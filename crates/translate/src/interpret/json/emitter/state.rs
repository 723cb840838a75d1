//! Where a value stands that is read: what is open, and what is expected next.

use std::collections::BTreeSet;

use crate::interpret::json::grade::Grade;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// A value: at the start, behind a colon, behind a comma of an array.
    Value,
    /// A key or the object's end.
    Key,
    Colon,
    /// What follows a value: a comma or an end.
    Next,
    /// More of a string.
    Text(Quote),
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) object: bool,
    pub(super) members: usize,
    pub(super) keys: BTreeSet<u64>,
}

/// Reads one JSON value as it arrives and writes it as valid JSON.
#[derive(Debug)]
pub struct Emitter {
    pub(super) frames: Vec<Frame>,
    pub(super) expect: Expect,
    pub(super) grade: Grade,
    pub(super) key: Hash,
    pub(super) repeated_key: bool,
    /// The mark that ends what the value stands in; empty if there is none.
    pub(super) close: String,
    /// Whether it stood in the string that is open.
    pub(super) past_close: bool,
    /// Marks that cannot stand in JSON outside strings: at one of them, open brackets are closed.
    pub(super) until: Vec<String>,
}

pub(super) enum Step {
    Took(usize),
    Wait,
    Broken(&'static str),
}

/// The string that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote {
    pub(super) mark: char,
    pub(super) marks: Marks,
    pub(super) key: bool,
    /// Whether each backslash stands for itself.
    pub(super) raw: bool,
}

/// What stands at both ends of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    /// One quotation mark.
    Single,
    /// Three of them, as in Python.
    Triple,
    /// An `<escape>` tag, as `FunctionGemma` writes strings.
    Tags,
}

impl Emitter {
    pub(super) fn repaired(&mut self, grade: Grade) {
        self.grade = self.grade.max(grade);
    }

    pub(super) fn in_array(&self) -> bool {
        self.frames.last().is_some_and(|f| !f.object)
    }

    /// Writes the comma that a member needs before it. Commas wait for this, so that one before
    /// an end is dropped.
    pub(super) fn begin_member(&mut self, out: &mut String) {
        let behind_colon = self.expect == Expect::Value && !self.in_array();
        if let Some(frame) = self.frames.last_mut().filter(|_| !behind_colon) {
            if frame.members > 0 {
                out.push(',');
            }
            frame.members += 1;
        }
    }

    pub(super) fn value_ended(&mut self) {
        self.expect = if self.frames.is_empty() {
            Expect::Nothing
        } else {
            Expect::Next
        };
    }

    pub(super) fn note_key(&mut self) {
        let key = std::mem::take(&mut self.key);
        if let Some(frame) = self.frames.last_mut() {
            self.repeated_key |= !frame.keys.insert(key.0);
        }
    }
}

/// FNV-1a over a key, to notice a repeated one without keeping the keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hash(pub(super) u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    pub(super) fn of(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
