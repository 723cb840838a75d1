//! Server-sent events: bytes in, events out, cut anywhere.
//!
//! An event that lies whole in one read is parsed where it lies; only an incomplete one is kept,
//! and only until it is complete.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::repaired_json::BYTE_ORDER_MARK;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// What the `event` field says; empty if there was none.
    pub name: &'a [u8],
    /// The `data` fields, joined by line feeds.
    pub data: Cow<'a, [u8]>,
}

/// An event is larger than the parser's limit, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge(pub usize);

/// Memory that is kept for the next incomplete event, in bytes.
const BUFFER_BYTES_KEPT: usize = 2048;

/// An incremental parser.
#[derive(Debug)]
pub struct Parser {
    /// The beginning of an event whose end has not come.
    rest: Vec<u8>,
    scan: Scan,
    begun: bool,
    limit: usize,
}

impl Parser {
    /// A parser that takes events of at most so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            rest: Vec::new(),
            scan: Scan::default(),
            begun: false,
            limit,
        }
    }

    /// Takes the next bytes and gives every event that is complete with them. Stops at the first
    /// error that the receiver returns.
    ///
    /// # Errors
    /// The receiver's own, or [`TooLarge`].
    pub fn push<E: From<TooLarge>>(
        &mut self,
        bytes: &[u8],
        mut on_event: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.push_to(
            bytes,
            &mut on_event,
            |_, _| 0,
            |on_event, event| on_event(event),
        )
    }

    /// As [`Parser::push`], for a receiver that knows most events by their bytes: `known` takes as many
    /// whole events as it knows from the beginning of the bytes, and tells how many bytes they have.
    pub(crate) fn push_to<R, E: From<TooLarge>>(
        &mut self,
        bytes: &[u8],
        receiver: &mut R,
        known: impl Fn(&mut R, &[u8]) -> usize,
        on_event: impl Fn(&mut R, Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.rest.is_empty() {
            let used = self.blocks(bytes, receiver, &known, &on_event)?;
            self.rest
                .extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            let mut rest = std::mem::take(&mut self.rest);
            rest.extend_from_slice(bytes);
            let used = self.blocks(&rest, receiver, &known, &on_event)?;
            rest.drain(..used);
            self.rest = rest;
        }
        if self.rest.is_empty() && self.rest.capacity() > BUFFER_BYTES_KEPT {
            self.rest = Vec::new();
        }
        if self.rest.len() > self.limit {
            Err(TooLarge(self.limit).into())
        } else {
            Ok(())
        }
    }

    /// The bytes have ended: gives the last event, if its blank line is missing.
    ///
    /// # Errors
    /// The receiver's own.
    pub fn end<E>(&mut self, on_event: impl FnOnce(Event<'_>) -> Result<(), E>) -> Result<(), E> {
        let rest = std::mem::take(&mut self.rest);
        self.scan = Scan::default();
        event(self.without_mark(&rest)).map_or(Ok(()), on_event)
    }

    /// Gives up the event whose end has not come, if it is already longer than this and its
    /// beginning is as wanted. Its further bytes are somebody else's, until [`Parser::resume`].
    pub(crate) fn give_up(
        &mut self,
        longer_than: usize,
        is_wanted: impl FnOnce(&[u8]) -> bool,
    ) -> Option<Vec<u8>> {
        if self.rest.len() <= longer_than || !is_wanted(&self.rest) {
            return None;
        }
        self.scan = Scan::default();
        Some(std::mem::take(&mut self.rest))
    }

    /// Goes on behind an event that was given up. A carriage return that ended it may have its
    /// line feed still to come.
    pub(crate) fn resume(&mut self, after_cr: bool) {
        self.begun = true;
        self.scan = Scan {
            after_cr,
            ..Scan::default()
        };
    }

    /// Bytes held at the moment.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.rest.capacity()
    }

    /// Gives the complete events at the beginning of the bytes, and says how long they are.
    fn blocks<R, E>(
        &mut self,
        bytes: &[u8],
        receiver: &mut R,
        known: &impl Fn(&mut R, &[u8]) -> usize,
        on_event: &impl Fn(&mut R, Event<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut used = 0;
        while let Some(mut left) = bytes.get(used..) {
            if self.scan.is_at_start() {
                let length = known(receiver, left);
                self.begun |= length > 0;
                used += length;
                left = left.get(length..).unwrap_or_default();
            }
            let Some(length) = self.scan.block(left) else {
                break;
            };
            let block = left.get(..length).unwrap_or_default();
            if let Some(event) = event(self.without_mark(block)) {
                on_event(receiver, event)?;
            }
            self.begun = true;
            used += length;
        }
        Ok(used)
    }

    fn without_mark<'b>(&self, block: &'b [u8]) -> &'b [u8] {
        match block.strip_prefix(BYTE_ORDER_MARK) {
            Some(block) if !self.begun => block,
            _ => block,
        }
    }
}

/// How far the search for an event's end has come, counted from the event's first byte.
#[derive(Debug, Default)]
struct Scan {
    line: usize,
    at: usize,
    /// The line before ended in CR: a line feed that follows belongs to it.
    after_cr: bool,
}

impl Scan {
    /// Whether the next byte begins an event.
    fn is_at_start(&self) -> bool {
        self.at == 0 && !self.after_cr
    }

    /// The length of the event at the beginning of the bytes, its blank line included.
    fn block(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            self.pass_line_feed(bytes)?;
            let left = bytes.get(self.at..)?;
            let Some(offset) = memchr2(b'\n', b'\r', left) else {
                self.at = bytes.len();
                return None;
            };
            let end = self.at + offset;
            let blank = end == self.line;
            let after_cr = bytes.get(end) == Some(&b'\r');
            if blank {
                *self = Self {
                    after_cr,
                    ..Self::default()
                };
                return Some(end + 1);
            }
            *self = Self {
                line: end + 1,
                at: end + 1,
                after_cr,
            };
        }
    }

    fn pass_line_feed(&mut self, bytes: &[u8]) -> Option<()> {
        if self.after_cr {
            let next = bytes.get(self.line)?;
            self.after_cr = false;
            if *next == b'\n' {
                self.line += 1;
            }
            self.at = self.line;
        }
        Some(())
    }
}

/// The event that a block of lines makes, if it makes one.
fn event(block: &[u8]) -> Option<Event<'_>> {
    let mut name: &[u8] = b"";
    let mut data: Option<Cow<'_, [u8]>> = None;
    let mut left = block;
    while !left.is_empty() {
        let end = memchr2(b'\n', b'\r', left).unwrap_or(left.len());
        let (line, rest) = left.split_at(end);
        left = rest.get(1..).unwrap_or_default();
        match field(line) {
            (b"event", value) => name = value,
            (b"data", value) => {
                data = Some(match data {
                    None => Cow::Borrowed(value),
                    Some(before) => {
                        let mut joined = before.into_owned();
                        joined.push(b'\n');
                        joined.extend_from_slice(value);
                        Cow::Owned(joined)
                    }
                });
            }
            _ => {}
        }
    }
    if name.is_empty() && data.is_none() {
        return None;
    }
    let data = data.unwrap_or_default();
    Some(Event { name, data })
}

/// A comment is a field without a name.
pub(crate) fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = memchr(b':', line) else {
        return (line, b"");
    };
    let (name, value) = line.split_at(colon);
    let value = value.get(1..).unwrap_or_default();
    (name, value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests;
