//! Reads the body of an answer, whatever it turns out to be: events, one record, or bare text.

use super::answer::Accounting;
use super::body_kind::{self, Declared, Shape};
use super::decoder::Decoder;
use super::progress_lines;
use super::progress_lines::Stripper;
use super::record;
use crate::drift;
use crate::error::{Error, ProtocolError};
use crate::facts::Fact;
use crate::refusal::Refusal;
use crate::repaired_json::{BYTE_ORDER_MARK, repaired};

/// The largest record: it repeats the prompt and the answer.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// So much memory is taken on the word of a header.
const ANNOUNCED_BYTES_MAX: u32 = 1024 * 1024;

/// Reads one body.
#[derive(Debug)]
pub(crate) struct Reader {
    declared: Declared,
    /// The bytes of the body, as far as they are announced and believed.
    announced: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The first bytes, too few to tell.
    Unsure(Vec<u8>),
    Events(Box<Decoder>),
    Document(Vec<u8>),
    Plain(Plain),
}

impl Reader {
    /// A reader for a body of this `content-type`, and of so many bytes if that is known.
    pub(crate) fn new(content_type: Option<&[u8]>, length: Option<u64>) -> Self {
        let announced = length.and_then(|length| u32::try_from(length).ok());
        Self {
            declared: Declared::of(content_type),
            announced: announced.unwrap_or_default().min(ANNOUNCED_BYTES_MAX),
            state: State::Unsure(Vec::new()),
        }
    }

    /// Takes the next bytes. As [`Decoder::push`].
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        on_text: &mut dyn FnMut(&str),
    ) -> Result<Option<Accounting>, Error> {
        match &mut self.state {
            State::Events(decoder) => decoder.push(bytes, on_text),
            State::Document(document) => {
                document.extend_from_slice(bytes);
                if document.len() > DOCUMENT_BYTES_MAX {
                    return Err(ProtocolError::BodyTooLarge(DOCUMENT_BYTES_MAX).into());
                }
                Ok(None)
            }
            State::Plain(plain) => {
                plain.push(bytes, on_text);
                Ok(None)
            }
            State::Unsure(first) if first.is_empty() => self.begin(bytes, false, on_text),
            State::Unsure(first) => {
                let mut first = std::mem::take(first);
                first.extend_from_slice(bytes);
                self.begin(&first, false, on_text)
            }
        }
    }

    /// The body has ended. As [`Decoder::end`].
    pub(crate) fn end(&mut self, on_text: &mut dyn FnMut(&str)) -> Result<Accounting, Error> {
        if let State::Unsure(first) = &mut self.state {
            let first = std::mem::take(first);
            if let Some(accounting) = self.begin(&first, true, on_text)? {
                return Ok(accounting);
            }
        }
        match &mut self.state {
            State::Events(decoder) => decoder.end(on_text),
            State::Document(document) => {
                document_answer(self.declared, &repaired(document), on_text)
            }
            State::Plain(plain) => plain.end(on_text),
            State::Unsure(_) => Err(ProtocolError::Interrupted.into()),
        }
    }

    /// Whether only the mark of the end is missing.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(&self.state, State::Events(decoder) if decoder.is_settled())
    }

    fn begin(
        &mut self,
        bytes: &[u8],
        ended: bool,
        on_text: &mut dyn FnMut(&str),
    ) -> Result<Option<Accounting>, Error> {
        let shape = body_kind::shape(self.declared, bytes, ended);
        let as_declared = matches!(
            (self.declared, shape),
            (Declared::Events, Some(Shape::Events))
                | (Declared::Document, Some(Shape::Document))
                | (_, None)
        );
        if !as_declared {
            drift::count(Fact::BodyTypes);
        }
        self.state = match shape {
            None => {
                self.state = State::Unsure(bytes.to_vec());
                return Ok(None);
            }
            Some(Shape::Events) => State::Events(Box::default()),
            Some(Shape::Document) => State::Document(Vec::with_capacity(self.announced as usize)),
            Some(Shape::Plain) => {
                self.state = State::Plain(Plain::default());
                let text = bytes.strip_prefix(BYTE_ORDER_MARK);
                return self.push(text.unwrap_or(bytes), on_text);
            }
            Some(Shape::Page) => {
                return Err(
                    ProtocolError::Malformed("a web page came instead of an answer").into(),
                );
            }
        };
        self.push(bytes, on_text)
    }
}

fn document_answer(
    declared: Declared,
    document: &str,
    on_text: &mut dyn FnMut(&str),
) -> Result<Accounting, Error> {
    if declared != Declared::Document && !record::is_envelope(document) {
        let mut plain = Plain::default();
        plain.push(document.as_bytes(), on_text);
        return plain.end(on_text);
    }
    let record = record::read(document)?;
    if !record.has_metadata() {
        drift::count(Fact::ChatUsage);
    }
    let text = record.text();
    let text = progress_lines::strip(&text);
    if text.is_empty() {
        return Err(Refusal::no_text().into());
    }
    on_text(&text);
    Ok(record.accounting())
}

/// Bare text: the end of the body is the end of the answer.
#[derive(Debug, Default)]
struct Plain {
    /// The beginning of a character whose end has not come.
    cut: Vec<u8>,
    lines: Stripper,
    any: bool,
}

impl Plain {
    fn push(&mut self, bytes: &[u8], on_text: &mut dyn FnMut(&str)) {
        let mut joined = std::mem::take(&mut self.cut);
        let mut left = if joined.is_empty() {
            bytes
        } else {
            joined.extend_from_slice(bytes);
            joined.as_slice()
        };
        loop {
            match str::from_utf8(left) {
                Ok(text) => return self.give(text, on_text),
                Err(error) => {
                    let (valid, rest) = left.split_at(error.valid_up_to());
                    self.give(str::from_utf8(valid).unwrap_or_default(), on_text);
                    let Some(wrong) = error.error_len() else {
                        self.cut = rest.to_vec();
                        return;
                    };
                    self.give("\u{fffd}", on_text);
                    left = rest.get(wrong..).unwrap_or_default();
                }
            }
        }
    }

    fn give(&mut self, text: &str, on_text: &mut dyn FnMut(&str)) {
        let any = &mut self.any;
        self.lines.push(text, &mut |text| {
            *any |= !text.is_empty();
            on_text(text);
        });
    }

    fn end(&mut self, on_text: &mut dyn FnMut(&str)) -> Result<Accounting, Error> {
        if !std::mem::take(&mut self.cut).is_empty() {
            self.give("\u{fffd}", on_text);
        }
        self.any |= !self.lines.held().is_empty();
        self.lines.end(on_text);
        if self.any {
            Ok(Accounting::default())
        } else {
            Err(Refusal::no_text().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;

    /// The text of a body that comes in pieces of this size.
    fn read(content_type: &str, body: &str, size: usize) -> String {
        let mut reader = Reader::new(Some(content_type.as_bytes()), None);
        let mut text = String::new();
        for piece in body.as_bytes().chunks(size) {
            let read = reader.push(piece, &mut |piece| text.push_str(piece));
            if read.unwrap().is_some() {
                return text;
            }
        }
        reader.end(&mut |piece| text.push_str(piece)).unwrap();
        text
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_an_answer() {
        let record =
            r#"{"aiRecord":{"status":"SUCCESS","aiRecordDetail":{"resultObject":["Jupiter"]}}}"#;
        let events = "event: content\ndata: {\"content\":\"Jupiter\"}\n\nevent: done\ndata: {}\n\n";
        for (content_type, body) in [
            ("application/json", record),
            ("text/event-stream", record),
            ("text/event-stream", events),
            ("application/json", events),
            ("text/plain", "Jupiter"),
            ("", "Jupiter"),
        ] {
            for size in [1, 3, usize::MAX] {
                let marked = format!("\u{feff}{body}");
                assert_eq!(
                    read(content_type, &marked, size),
                    "Jupiter",
                    "{body} {size}"
                );
            }
        }
    }
}
