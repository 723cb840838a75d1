//! The event of a record while it comes: its lines are read, its data condensed, nothing is held.

use super::record_filter::{RecordFilter, RecordTooLarge};
use super::sse::field;

/// So much of an event's beginning must say what it is.
const SNIFF_BYTES_MAX: usize = 512;

/// How the data of a record begin in an event without a name.
const RECORD: &[u8] = b"{\"aiRecord\"";

/// Whether an event that is still coming is the one that repeats everything.
pub(super) fn is_record(begun: &[u8]) -> bool {
    let begun = begun.get(..SNIFF_BYTES_MAX).unwrap_or(begun);
    let mut name: &[u8] = b"";
    for line in begun.split(|byte| matches!(byte, b'\n' | b'\r')) {
        match field(line) {
            (b"event", value) => name = value,
            (b"data", value) => {
                let is_bare = matches!(name, b"" | b"message");
                return name == b"result" || is_bare && value.starts_with(RECORD);
            }
            _ => {}
        }
    }
    false
}

/// Where in a line the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its beginning, so many bytes of `data:` read.
    Name(usize),
    /// Behind the colon, where one space does not count.
    Space,
    Data,
    /// Within a line that is not data.
    Other,
}

/// One such event.
#[derive(Debug)]
pub(super) struct RecordPassthrough {
    filter: RecordFilter,
    place: Place,
    after_cr: bool,
    /// The beginning of the event as far as it is being read, to tell its name.
    named: Option<bool>,
}

const NAME: &[u8] = b"data:";

impl RecordPassthrough {
    pub(super) fn new(keep_text: bool) -> Self {
        Self {
            filter: RecordFilter::new(keep_text),
            place: Place::Name(0),
            after_cr: false,
            named: None,
        }
    }

    /// Takes the next bytes, the event's first ones included. Says how many belong to the event if
    /// it ends within them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Option<usize>, RecordTooLarge> {
        let named = |line: &[u8]| matches!(field(line), (b"event", b"result"));
        self.named.get_or_insert_with(|| {
            let begun = bytes.get(..SNIFF_BYTES_MAX).unwrap_or(bytes);
            begun.split(|byte| matches!(byte, b'\n' | b'\r')).any(named)
        });
        let mut at = 0;
        while let Some(left) = bytes.get(at..).filter(|left| !left.is_empty()) {
            let end = memchr::memchr2(b'\n', b'\r', left);
            let line = left.get(..end.unwrap_or(left.len())).unwrap_or_default();
            if line.is_empty() && std::mem::take(&mut self.after_cr) && left.starts_with(b"\n") {
                at += 1;
                continue;
            }
            self.after_cr = false;
            self.line(line)?;
            at += line.len();
            if end.is_some() {
                self.after_cr = bytes.get(at) == Some(&b'\r');
                at += 1;
                if self.place == Place::Name(0) {
                    return Ok(Some(at));
                }
                // Several lines of data are one text with line ends, which JSON passes over.
                self.filter.push(b"\n")?;
                self.place = Place::Name(0);
            }
        }
        Ok(None)
    }

    /// Takes a part of a line.
    fn line(&mut self, mut part: &[u8]) -> Result<(), RecordTooLarge> {
        while let Some(byte) = part.first() {
            match self.place {
                Place::Name(read) if NAME.get(read) == Some(byte) => {
                    self.place = match read + 1 {
                        read if read == NAME.len() => Place::Space,
                        read => Place::Name(read),
                    };
                    part = part.get(1..).unwrap_or_default();
                }
                Place::Name(_) => self.place = Place::Other,
                Place::Space => {
                    self.place = Place::Data;
                    part = part.strip_prefix(b" ").unwrap_or(part);
                }
                Place::Data => return self.filter.push(part),
                Place::Other => return Ok(()),
            }
        }
        Ok(())
    }

    /// Whether the event says its name.
    pub(super) fn is_named(&self) -> bool {
        self.named.unwrap_or_default()
    }

    /// Whether a carriage return was the last byte of it.
    pub(super) fn ended_in_cr(&self) -> bool {
        self.after_cr
    }

    /// What is needed of the record.
    pub(super) fn into_document(self) -> Vec<u8> {
        self.filter.into_document()
    }

    /// Bytes held at the moment.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.filter.held()
    }
}
