//! The record of an answer: its text, its cost, or that it failed in spite of HTTP 200.
//!
//! A record repeats the prompt and the whole answer. Only what is asked for is read; the rest is
//! skipped where it lies.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::answer::{Accounting, Usage};
use super::json_text;
use crate::drift;
use crate::error::{Error, ProtocolError};
use crate::facts::Fact;
use crate::refusal::{Refusal, Report};

/// A body or an event that should hold a record.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'d> {
    #[serde(rename = "aiRecord", borrow, default)]
    record: Option<Record<'d>>,
    #[serde(rename = "aiRecordDetail", default)]
    bare: Option<IgnoredAny>,
    #[serde(borrow, default)]
    success: Option<&'d RawValue>,
    #[serde(borrow, default)]
    error: Option<&'d RawValue>,
    #[serde(rename = "errorCode", borrow, default)]
    error_code: Option<&'d RawValue>,
}

/// What is read of a record.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Record<'d> {
    #[serde(borrow, default)]
    uuid: Option<&'d RawValue>,
    #[serde(borrow, default)]
    status: Option<&'d RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'d RawValue>,
    #[serde(rename = "teamUser", borrow, default)]
    team_user: Option<&'d RawValue>,
    #[serde(rename = "aiRecordDetail", borrow, default)]
    detail: Option<Detail<'d>>,
}

#[derive(Debug, Default, Deserialize)]
struct Detail<'d> {
    #[serde(rename = "resultObject", borrow, default)]
    result: Option<&'d RawValue>,
    #[serde(rename = "errorMessage", borrow, default)]
    error_message: Option<&'d RawValue>,
    #[serde(rename = "responseObject", borrow, default)]
    response: Option<&'d RawValue>,
}

/// Reads a record that reports success.
///
/// # Errors
/// The refusal that the body or the record reports, or that there is no record.
pub(crate) fn read(data: &[u8]) -> Result<Record<'_>, Error> {
    read_where(data, |object| text_of(object).is_some())
}

/// As [`read`], where a result that is an object may be a success.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_where(
    data: &[u8],
    is_result: fn(&Map<String, Value>) -> bool,
) -> Result<Record<'_>, Error> {
    let malformed = ProtocolError::Malformed("a record of the answer was expected");
    let envelope: Envelope<'_> = serde_json::from_slice(data).map_err(|_| malformed.clone())?;
    if envelope.is_failure() {
        return Err(Refusal::from_body(None, data).into());
    }
    let record = match envelope {
        Envelope {
            record: Some(record),
            ..
        } => record,
        Envelope { bare: Some(_), .. } => serde_json::from_slice(data).map_err(|_| malformed)?,
        _ => return Err(malformed.into()),
    };
    match record.failure(is_result) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(record),
    }
}

/// Whether a JSON body speaks of a record or of an error at all.
pub(crate) fn is_envelope(data: &[u8]) -> bool {
    serde_json::from_slice::<Envelope<'_>>(data).is_ok_and(|envelope| {
        envelope.record.is_some() || envelope.bare.is_some() || envelope.is_failure()
    })
}

impl Envelope<'_> {
    fn is_failure(&self) -> bool {
        let says =
            |field: Option<&RawValue>| field.is_some_and(|value| !NOTHING.contains(&value.get()));
        self.success.is_some_and(|success| success.get() == "false")
            || says(self.error)
            || says(self.error_code)
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
        let reason = detail
            .error_message
            .and_then(|message| json_text::string(message.get()));
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
            let status = status.get().trim_matches('"');
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
        if result.is_some_and(|result| !result.get().starts_with('[')) {
            drift::count(Fact::ChatTextPlace);
        }
        result
            .map(|result| text_of_result(result.get()))
            .unwrap_or_default()
    }

    /// What the record says besides the text.
    pub(crate) fn accounting(&self) -> Accounting {
        let metadata: Metadata<'_> = self.metadata.and_then(fields).unwrap_or_default();
        let team: TeamUser<'_> = self.team_user.and_then(fields).unwrap_or_default();
        let usage = metadata.usage();
        let is_number = |raw: &RawValue| raw.get().starts_with(|c: char| c.is_ascii_digit());
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
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'d> {
    #[serde(borrow, default)]
    total_token: Option<&'d RawValue>,
    #[serde(borrow, default)]
    input_token: Option<&'d RawValue>,
    #[serde(borrow, default)]
    output_token: Option<&'d RawValue>,
    #[serde(borrow, default)]
    prompt_token: Option<&'d RawValue>,
    #[serde(borrow, default)]
    credit: Option<&'d RawValue>,
    #[serde(borrow, default)]
    input_credit: Option<&'d RawValue>,
    #[serde(borrow, default)]
    output_credit: Option<&'d RawValue>,
    #[serde(borrow, default)]
    finish_reason: Option<&'d RawValue>,
    #[serde(borrow, default)]
    execution_time: Option<&'d RawValue>,
}

/// What is read of `teamUser`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TeamUser<'d> {
    #[serde(borrow, default)]
    credit_limit: Option<&'d RawValue>,
    #[serde(borrow, default)]
    used_credit: Option<&'d RawValue>,
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

/// The fields of an object; None if it is none (a list would be read by position).
fn fields<'d, T: Deserialize<'d>>(raw: &'d RawValue) -> Option<T> {
    let raw = raw.get();
    raw.starts_with('{')
        .then(|| serde_json::from_str(raw).ok())
        .flatten()
}

/// A text that is not empty.
fn text(raw: &RawValue) -> Option<String> {
    json_text::string(raw.get()).filter(|text| !text.is_empty())
}

fn object(raw: &RawValue) -> Option<Map<String, Value>> {
    fields(raw)
}

/// A list of texts, a bare text, or an object with a text. More than one text was never seen for
/// chat.
fn text_of_result(raw: &str) -> String {
    if let Some(text) = json_text::string(raw) {
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
fn number(value: Option<&RawValue>) -> Option<f64> {
    let raw = value?.get();
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
