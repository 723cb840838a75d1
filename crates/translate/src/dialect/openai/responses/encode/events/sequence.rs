//! The events of a stream as they are written: numbered, each with its own fields.

use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::dialect::json;
use crate::dialect::openai::responses::encode::body::Response;

/// Numbers the events and writes them.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    next: u64,
}

impl Sequence {
    /// Whether nothing is written yet.
    pub(super) fn is_new(&self) -> bool {
        self.next == 0
    }

    /// One event: its type and number, and the members of `fields`, which is a JSON object that is
    /// not empty.
    pub(super) fn event(&mut self, kind: &str, fields: &impl Serialize, out: &mut Vec<u8>) {
        let number = self.next;
        self.next += 1;
        let _ = write!(
            out,
            "event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{number}"
        );
        let brace = out.len();
        json::write(fields, out);
        if let Some(brace) = out.get_mut(brace) {
            *brace = b',';
        }
        out.extend_from_slice(b"\n\n");
    }
}

#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Place<'a> {
    pub(super) item_id: &'a str,
    pub(super) output_index: usize,
}

#[derive(Serialize)]
pub(super) struct ItemFields<'a> {
    pub(super) output_index: usize,
    pub(super) item: &'a Value,
}

#[derive(Serialize)]
pub(super) struct Whole<'a> {
    pub(super) response: &'a Response<'a>,
}

#[derive(Serialize)]
pub(super) struct ErrorFields<'a> {
    pub(super) code: &'a Value,
    pub(super) message: &'a str,
    pub(super) param: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct ContentPart<'a> {
    #[serde(flatten)]
    pub(super) place: Place<'a>,
    pub(super) content_index: usize,
    pub(super) part: &'a Value,
}

#[derive(Serialize)]
pub(super) struct SummaryPart<'a> {
    #[serde(flatten)]
    pub(super) place: Place<'a>,
    pub(super) summary_index: usize,
    pub(super) part: &'a Value,
}

#[derive(Default, Serialize)]
pub(super) struct ContentText<'a> {
    #[serde(flatten)]
    pub(super) place: Place<'a>,
    pub(super) content_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<[(); 0]>,
}

#[derive(Serialize)]
pub(super) struct SummaryText<'a> {
    #[serde(flatten)]
    pub(super) place: Place<'a>,
    pub(super) summary_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
}

#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct CallText<'a> {
    #[serde(flatten)]
    pub(super) place: Place<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<&'a str>,
}
