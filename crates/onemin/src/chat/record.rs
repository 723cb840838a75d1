//! The record of an answer: its text, its cost, or that it failed in spite of HTTP 200.
//!
//! A record repeats the prompt and the whole answer. Only what is asked for is read; the rest is
//! skipped where it lies.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::answer::{Accounting, Usage};
use super::json_spans::Spans;
use super::json_text;
use crate::drift;
use crate::error::{Error, ProtocolError};
use crate::facts::Fact;
use crate::refusal::{Refusal, Report};

/// A body or an event that should hold a record. Values are JSON as it is written; none where it is
/// `null`.
#[derive(Debug, Default)]
struct Envelope<'d> {
    record: Option<Record<'d>>,
    /// The fields of a record that stands without an envelope.
    bare: Record<'d>,
    is_bare: bool,
    success: Option<&'d str>,
    error: Option<&'d str>,
    error_code: Option<&'d str>,
}

/// What is read of a record.
#[derive(Debug, Default)]
pub(crate) struct Record<'d> {
    uuid: Option<&'d str>,
    status: Option<&'d str>,
    metadata: Metadata<'d>,
    has_metadata: bool,
    team_user: TeamUser<'d>,
    detail: Option<Detail<'d>>,
}

#[derive(Debug, Default)]
struct Detail<'d> {
    result: Option<&'d str>,
    error_message: Option<&'d str>,
    response: Option<&'d str>,
}

impl<'d> Envelope<'d> {
    /// None if it is no JSON object, or what should be a record is none.
    fn read(text: &'d str) -> Option<Self> {
        let mut read = Self::default();
        Spans::whole_object(text, &mut |spans, key| read.member(spans, key))?;
        Some(read)
    }

    fn member(&mut self, spans: &mut Spans<'d>, key: &str) -> Option<()> {
        match key {
            "aiRecord" => {
                if spans.peek()? == b'n' {
                    spans.value()?;
                } else {
                    let record = self.record.insert(Record::default());
                    spans.object(&mut |spans, key| record.member(spans, key))?;
                }
            }
            "success" => return spans.value_into(&mut self.success),
            "error" => return spans.value_into(&mut self.error),
            "errorCode" => return spans.value_into(&mut self.error_code),
            _ => {
                self.bare.member(spans, key)?;
                self.is_bare |= key == "aiRecordDetail" && self.bare.detail.is_some();
            }
        }
        Some(())
    }
}

impl<'d> Record<'d> {
    fn member(&mut self, spans: &mut Spans<'d>, key: &str) -> Option<()> {
        match key {
            "uuid" => return spans.value_into(&mut self.uuid),
            "status" => return spans.value_into(&mut self.status),
            // A list would be read by position, if at all.
            "metadata" if spans.peek()? == b'{' => {
                self.has_metadata = true;
                let metadata = &mut self.metadata;
                spans.object(&mut |spans, key| metadata.member(spans, key))?;
            }
            "teamUser" if spans.peek()? == b'{' => {
                let team = &mut self.team_user;
                spans.object(&mut |spans, key| team.member(spans, key))?;
            }
            "aiRecordDetail" => {
                if spans.peek()? == b'n' {
                    spans.value()?;
                } else {
                    let detail = self.detail.insert(Detail::default());
                    spans.object(&mut |spans, key| detail.member(spans, key))?;
                }
            }
            _ => {
                spans.value()?;
            }
        }
        Some(())
    }
}

impl<'d> Detail<'d> {
    fn member(&mut self, spans: &mut Spans<'d>, key: &str) -> Option<()> {
        match key {
            "resultObject" => return spans.value_into(&mut self.result),
            "errorMessage" => return spans.value_into(&mut self.error_message),
            "responseObject" => return spans.value_into(&mut self.response),
            _ => {
                spans.value()?;
            }
        }
        Some(())
    }
}

/// Reads a record that reports success.
///
/// # Errors
/// The refusal that the body or the record reports, or that there is no record.
pub(crate) fn read(data: &str) -> Result<Record<'_>, Error> {
    read_where(data, |object| text_of(object).is_some())
}

/// As [`read`], where a result that is an object may be a success.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_where(
    data: &str,
    is_result: fn(&Map<String, Value>) -> bool,
) -> Result<Record<'_>, Error> {
    let malformed = ProtocolError::Malformed("a record of the answer was expected");
    let envelope = Envelope::read(data).ok_or_else(|| malformed.clone())?;
    if envelope.is_failure() {
        return Err(Refusal::from_body(None, data.as_bytes()).into());
    }
    let record = match envelope {
        Envelope {
            record: Some(record),
            ..
        } => record,
        Envelope {
            is_bare: true,
            bare,
            ..
        } => bare,
        _ => return Err(malformed.into()),
    };
    match record.failure(is_result) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(record),
    }
}

/// Whether a JSON body speaks of a record or of an error at all.
pub(crate) fn is_envelope(data: &str) -> bool {
    Envelope::read(data).is_some_and(|envelope| {
        envelope.record.is_some() || envelope.is_bare || envelope.is_failure()
    })
}

impl Envelope<'_> {
    fn is_failure(&self) -> bool {
        let says = |field: Option<&str>| field.is_some_and(|value| !NOTHING.contains(&value));
        self.success == Some("false") || says(self.error) || says(self.error_code)
    }
}

/// The words for the state of a record that failed.
const FAILED_STATES: [&str; 5] = ["FAILURE", "FAILED", "ERROR", "CANCELLED", "CANCELED"];

/// How an error is written where there is none.
const NOTHING: [&str; 4] = ["null", "false", "\"\"", "{}"];

/// The words of a state that are documented, and how its absence is written.
const KNOWN_STATES: [&str; 5] = ["SUCCESS", "PROCESSING", "FAILURE", "FAILED", "NULL"];

impl Record<'_> {
    fn failure(&self, is_result: fn(&Map<String, Value>) -> bool) -> Option<Refusal> {
        let nothing = Detail::default();
        let detail = self.detail.as_ref().unwrap_or(&nothing);
        let failed_object = detail
            .result
            .and_then(object)
            .filter(|object| !object.is_empty() && !is_result(object));
        if failed_object.is_none() && !self.has_failed() {
            return None;
        }
        let report = [failed_object, detail.response.and_then(object)]
            .into_iter()
            .flatten()
            .map(Report::of_object);
        let reason = detail.error_message.and_then(json_text::string);
        let report = report
            .reduce(Report::or)
            .unwrap_or_default()
            .or(Report::of_text(reason.as_deref().unwrap_or_default()));
        Some(
            report
                .or(Report::of_text("the answer failed, no reason was given"))
                .judge(None),
        )
    }

    /// Upstream's documents say FAILURE on one page and FAILED on another.
    fn has_failed(&self) -> bool {
        self.status.is_some_and(|status| {
            let quoted = status.strip_prefix('"').and_then(|s| s.strip_suffix('"'));
            let status = quoted.unwrap_or(status);
            let is = |states: &[&str]| states.iter().any(|of| of.eq_ignore_ascii_case(status));
            if !is(&KNOWN_STATES) {
                drift::count(Fact::RecordState);
            }
            is(&FAILED_STATES)
        })
    }

    /// The text of the answer as upstream wrote it; empty if there is none.
    pub(crate) fn text(&self) -> String {
        let result = self.detail.as_ref().and_then(|detail| detail.result);
        if result.is_some_and(|result| !result.starts_with('[')) {
            drift::count(Fact::ChatTextPlace);
        }
        result.map(text_of_result).unwrap_or_default()
    }

    /// Whether there is an object of counts.
    pub(crate) fn has_metadata(&self) -> bool {
        self.has_metadata
    }

    /// What the record says besides the text.
    pub(crate) fn accounting(&self) -> Accounting {
        let (metadata, team) = (&self.metadata, &self.team_user);
        let usage = metadata.usage();
        let is_number = |raw: &str| raw.starts_with(|c: char| c.is_ascii_digit());
        if usage.is_some() && !metadata.input_token.is_some_and(is_number) {
            drift::count(Fact::ChatUsage);
        }
        Accounting {
            usage,
            credits: metadata
                .credits()
                .filter(|credits| usage.is_some() || *credits > 0.0),
            finish_reason: metadata.finish_reason.and_then(text),
            record_id: self.uuid.and_then(text),
            execution_seconds: number(metadata.execution_time),
            credit_limit: number(team.credit_limit),
            used_credit: number(team.used_credit),
        }
    }
}

/// What is read of `metadata`. Each field may be missing, and may be of any type.
#[derive(Debug, Default)]
struct Metadata<'d> {
    total_token: Option<&'d str>,
    input_token: Option<&'d str>,
    output_token: Option<&'d str>,
    prompt_token: Option<&'d str>,
    credit: Option<&'d str>,
    input_credit: Option<&'d str>,
    output_credit: Option<&'d str>,
    finish_reason: Option<&'d str>,
    execution_time: Option<&'d str>,
}

/// What is read of `teamUser`.
#[derive(Debug, Default)]
struct TeamUser<'d> {
    credit_limit: Option<&'d str>,
    used_credit: Option<&'d str>,
}

impl<'d> Metadata<'d> {
    fn member(&mut self, spans: &mut Spans<'d>, key: &str) -> Option<()> {
        let mut other = None;
        spans.value_into(match key {
            "totalToken" => &mut self.total_token,
            "inputToken" => &mut self.input_token,
            "outputToken" => &mut self.output_token,
            "promptToken" => &mut self.prompt_token,
            "credit" => &mut self.credit,
            "inputCredit" => &mut self.input_credit,
            "outputCredit" => &mut self.output_credit,
            "finishReason" => &mut self.finish_reason,
            "executionTime" => &mut self.execution_time,
            _ => &mut other,
        })
    }
}

impl<'d> TeamUser<'d> {
    fn member(&mut self, spans: &mut Spans<'d>, key: &str) -> Option<()> {
        let mut other = None;
        spans.value_into(match key {
            "creditLimit" => &mut self.credit_limit,
            "usedCredit" => &mut self.used_credit,
            _ => &mut other,
        })
    }
}

impl Metadata<'_> {
    /// Any of the three may be missing; if all that is there is zero, upstream did not count.
    fn usage(&self) -> Option<Usage> {
        let count = |value| number(value).map(whole);
        let total = count(self.total_token).filter(|total| *total > 0);
        let (given_in, given_out) = (count(self.input_token), count(self.output_token));
        let input = given_in
            .or_else(|| total?.checked_sub(given_out?))
            .or_else(|| count(self.prompt_token))?;
        let output = given_out.or_else(|| total?.checked_sub(input))?;
        let total = total.unwrap_or_else(|| input.saturating_add(output));
        (total > 0).then_some(Usage {
            input,
            output,
            total,
        })
    }

    fn credits(&self) -> Option<f64> {
        number(self.credit).or_else(|| {
            match (number(self.input_credit), number(self.output_credit)) {
                (None, None) => None,
                (input, output) => Some(input.unwrap_or(0.0) + output.unwrap_or(0.0)),
            }
        })
    }
}

/// A text that is not empty.
fn text(raw: &str) -> Option<String> {
    json_text::string(raw).filter(|text| !text.is_empty())
}

/// The fields of an object; None if it is none.
fn object(raw: &str) -> Option<Map<String, Value>> {
    let is_object = raw.starts_with('{');
    is_object.then(|| serde_json::from_str(raw).ok()).flatten()
}

/// A list of texts, a bare text, or an object with a text. More than one text was never seen for
/// chat.
fn text_of_result(raw: &str) -> String {
    if let Some(text) = json_text::string(raw) {
        return text;
    }
    // The usual list has one text.
    let only = raw.strip_prefix('[').and_then(|raw| raw.strip_suffix(']'));
    if let Some(text) = only.and_then(json_text::string) {
        return text;
    }
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(raw) {
        let texts: Vec<String> = list
            .iter()
            .map(|element| text_of_result(element.get()))
            .collect();
        return texts.join("\n");
    }
    let object = serde_json::from_str::<Map<String, Value>>(raw).ok();
    object
        .and_then(|object| text_of(&object).map(str::to_owned))
        .unwrap_or_default()
}

fn text_of(object: &Map<String, Value>) -> Option<&str> {
    ["text", "content"]
        .into_iter()
        .find_map(|name| object.get(name)?.as_str())
}

/// A number that is finite and not negative, also if it is written as a text.
fn number(value: Option<&str>) -> Option<f64> {
    let raw = value?;
    if let Ok(whole) = raw.parse::<u32>() {
        return Some(whole.into());
    }
    let value: f64 = if raw.starts_with('"') {
        json_text::string(raw)?.trim().parse().ok()?
    } else {
        raw.parse().ok()?
    };
    (value.is_finite() && value >= 0.0).then_some(value)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is finite and not negative, and the cast saturates"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests;
