//! A streamed answer's bytes → its text, and its end. No I/O.

use serde_json::{Map, Value};

use crate::drift;
use crate::error::{Error, ProtocolError};
use crate::facts::Fact;
use crate::refusal::{Refusal, Report};
use crate::repaired_json::{lossy, repaired};

use super::answer::Accounting;
use super::dedup::Text;
use super::json_text::{self, Fragments};
use super::record;
use super::record_filter::RecordTooLarge;
use super::record_passthrough::{self, RecordPassthrough};
use super::sse::{Event, Parser, TooLarge};

/// The largest event that is held. The last one, which repeats the prompt and the answer, is not.
const EVENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A record of more bytes than this whose end has not come is not held but passes through.
const PASSTHROUGH_FROM_BYTES: usize = 8 * 1024;

/// Reads the events of one streamed answer.
#[derive(Debug)]
pub struct Decoder {
    frames: Parser,
    /// The record, while it comes.
    passing: Option<RecordPassthrough>,
    answer: Answering,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the beginning of an answer.
    #[must_use]
    pub fn new() -> Self {
        Self {
            frames: Parser::new(EVENT_BYTES_MAX),
            passing: None,
            answer: Answering::default(),
        }
    }

    /// Takes the next bytes and gives the text that is complete with them. Says what the answer
    /// cost once it is complete; what comes after is ignored.
    ///
    /// # Errors
    /// What the stream reports as an error, or that it cannot be read.
    pub fn push(
        &mut self,
        bytes: &[u8],
        on_text: &mut dyn FnMut(&str),
    ) -> Result<Option<Accounting>, Error> {
        let left = self.pass(bytes, on_text)?;
        let Self {
            frames,
            answer,
            passing,
        } = self;
        frames.push_to(
            left,
            &mut (&mut *answer, on_text),
            |(answer, on_text), bytes| answer.plain_contents(bytes, on_text),
            |(answer, on_text), event| answer.event(&event, on_text),
        )?;
        if let Some(begun) = frames.give_up(PASSTHROUGH_FROM_BYTES, record_passthrough::is_record) {
            let mut record = RecordPassthrough::new(answer.text.needs_record());
            record.push(&begun)?;
            *passing = Some(record);
        }
        Ok(answer
            .complete
            .then(|| answer.accounting.take().unwrap_or_default()))
    }

    /// Lets the bytes of a record pass that is coming. Gives what is behind it.
    fn pass<'b>(
        &mut self,
        bytes: &'b [u8],
        on_text: &mut dyn FnMut(&str),
    ) -> Result<&'b [u8], Error> {
        let Some(record) = &mut self.passing else {
            return Ok(bytes);
        };
        let Some(used) = record.push(bytes)? else {
            return Ok(&[]);
        };
        if let Some(record) = self.passing.take() {
            self.frames.resume(record.ended_in_cr());
            self.answer.passed(record, on_text)?;
        }
        Ok(bytes.get(used..).unwrap_or_default())
    }

    /// The bytes have ended.
    ///
    /// # Errors
    /// [`ProtocolError::Interrupted`] if the answer had not.
    pub fn end(&mut self, on_text: &mut dyn FnMut(&str)) -> Result<Accounting, Error> {
        let Self {
            frames,
            answer,
            passing,
        } = self;
        let ended = match passing.take() {
            Some(record) => answer.passed(record, on_text),
            None => frames.end(|event| answer.event(&event, on_text)),
        };
        match ended {
            // The last event was cut.
            Err(Error::Protocol(ProtocolError::Malformed(_))) => {}
            ended => ended?,
        }
        answer.text.release(on_text);
        let accounting = answer.accounting.take();
        accounting.ok_or(ProtocolError::Interrupted.into())
    }

    /// Bytes held at the moment.
    #[cfg(test)]
    fn held(&self) -> usize {
        self.frames.held() + self.passing.as_ref().map_or(0, RecordPassthrough::held)
    }

    /// Whether the record has come, after which only the mark of the end is missing.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.answer.accounting.is_some()
    }
}

impl From<TooLarge> for Error {
    fn from(TooLarge(limit): TooLarge) -> Self {
        ProtocolError::EventTooLarge(limit).into()
    }
}

impl From<RecordTooLarge> for Error {
    fn from(RecordTooLarge(limit): RecordTooLarge) -> Self {
        ProtocolError::EventTooLarge(limit).into()
    }
}

#[derive(Debug, Default)]
struct Answering {
    fragments: Fragments,
    text: Text,
    /// What the record says, or nothing where the end came without a record.
    accounting: Option<Accounting>,
    complete: bool,
}

impl Answering {
    fn event(&mut self, event: &Event<'_>, out: &mut dyn FnMut(&str)) -> Result<(), Error> {
        if self.complete {
            return Ok(());
        }
        let data = event.data.as_ref();
        match event.name {
            b"content" => self.content(data, out),
            b"result" => self.result(data, out),
            b"done" => self.done(out),
            // The record has told of success, and nothing is missing.
            b"error" if self.accounting.is_some() => {
                self.complete = true;
                Ok(())
            }
            b"error" => {
                if !is_documented_error(data) {
                    drift::count(Fact::StreamErrorShape);
                }
                Err(self.error(data, out))
            }
            b"" | b"message" => {
                drift::count(Fact::StreamEvents);
                self.unnamed(data, out)
            }
            _ => {
                drift::count(Fact::StreamEvents);
                Ok(())
            }
        }
    }

    /// Takes the pieces of text that stand at the beginning of the bytes, as far as each is a whole event
    /// as 1min.ai writes it and its text has no escapes. Tells how many bytes they have.
    fn plain_contents(&mut self, bytes: &[u8], out: &mut dyn FnMut(&str)) -> usize {
        if self.complete || self.accounting.is_some() || self.fragments.is_within_pair() {
            return 0;
        }
        let mut used = 0;
        while let Some((text, length)) = bytes.get(used..).and_then(json_text::plain_content) {
            self.text.delta(text, out);
            used += length;
        }
        used
    }

    fn content(&mut self, data: &[u8], out: &mut dyn FnMut(&str)) -> Result<(), Error> {
        if self.accounting.is_some() {
            return Ok(());
        }
        let Self {
            fragments, text, ..
        } = self;
        let delta = fragments
            .content(data)
            .ok_or(ProtocolError::Malformed("a piece of text was expected"))?;
        text.delta(delta, out);
        Ok(())
    }

    fn result(&mut self, data: &[u8], out: &mut dyn FnMut(&str)) -> Result<(), Error> {
        if self.accounting.is_some() {
            return Ok(());
        }
        self.record(data, out)
    }

    /// A record that has passed through.
    fn passed(
        &mut self,
        record: RecordPassthrough,
        out: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let is_named = record.is_named();
        let document = record.into_document();
        let is_late = self.complete || self.accounting.is_some();
        if is_late || !is_named && !record::is_envelope(&repaired(&document)) {
            return Ok(());
        }
        self.record(&document, out)
    }

    fn record(&mut self, document: &[u8], out: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let document = repaired(document);
        let record = record::read(&document)?;
        let accounting = record.accounting();
        if !record.has_metadata() {
            drift::count(Fact::StreamUsage);
        }
        let own = self.text.needs_record().then(|| record.text());
        self.end_text(own.as_deref(), accounting, out)
    }

    /// Upstream does not end without a record, but some streams may.
    fn done(&mut self, out: &mut dyn FnMut(&str)) -> Result<(), Error> {
        if self.accounting.is_none() {
            self.end_text(None, Accounting::default(), out)?;
        }
        self.complete = true;
        Ok(())
    }

    fn end_text(
        &mut self,
        record: Option<&str>,
        accounting: Accounting,
        out: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        if !self.text.end(record, out) {
            return Err(Refusal::no_text().into());
        }
        self.accounting = Some(accounting);
        Ok(())
    }

    fn error(&mut self, data: &[u8], out: &mut dyn FnMut(&str)) -> Error {
        self.text.release(out);
        Report::of_body(data)
            .or(Report::of_text("the answer failed, no reason was given"))
            .judge(None)
            .into()
    }

    /// An event without a name says by its data what it is.
    fn unnamed(&mut self, data: &[u8], out: &mut dyn FnMut(&str)) -> Result<(), Error> {
        if data.trim_ascii() == b"[DONE]" {
            return self.done(out);
        }
        let sound = lossy(data);
        if record::is_envelope(&sound) {
            self.result(data, out)
        } else if Fragments::is_content(&sound) {
            self.content(data, out)
        } else {
            Ok(())
        }
    }
}

/// Whether the data of an `error` event are `{"error": text}`.
fn is_documented_error(data: &[u8]) -> bool {
    let object: Option<Map<String, Value>> = serde_json::from_slice(data).ok();
    object.is_some_and(|object| object.get("error").is_some_and(Value::is_string))
}

#[cfg(test)]
mod tests;
