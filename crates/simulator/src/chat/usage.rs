//! `metadata` of a text record: tokens and credits. Counts are estimates of ours, proportions
//! those of the fixtures.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::fault::{FaultKind, Faults};
use crate::prices;
use crate::script::Script;

/// Input tokens that the service adds of its own, as captured once (98 billed, 11 in the prompt).
const OVERHEAD: u64 = 87;

/// Input tokens that an image adds, as in `chat-image.response.json`.
const PER_IMAGE: u64 = 2491;

/// Four bytes a token, rounded up.
pub(crate) fn tokens(text: &str) -> u64 {
    u64::try_from(text.len().div_ceil(4)).unwrap_or(u64::MAX)
}

/// Tokens of one answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) prompt: u64,
    pub(crate) attached: u64,
    pub(crate) output: u64,
    /// Seconds that the answer takes.
    pub(crate) seconds: f64,
}

impl Counts {
    /// Tokens in that are billed.
    pub(crate) fn input(self) -> u64 {
        self.prompt + self.attached + OVERHEAD
    }

    pub(crate) fn of_images(images: usize) -> u64 {
        PER_IMAGE * u64::try_from(images).unwrap_or(0)
    }
}

/// `metadata` as it is written; the order of fields is the fixtures'.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    credit: u64,
    input_token: u64,
    total_token: u64,
    input_credit: u64,
    output_token: u64,
    prompt_token: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<String>,
    output_credit: u64,
    execution_time: f64,
}

impl Usage {
    pub(crate) fn new(model: &str, counts: Counts, script: &Script, faults: &Faults) -> Self {
        let finish_reason = finish_reason(script, faults);
        if faults.has(FaultKind::ZeroUsage) {
            return Self {
                finish_reason,
                execution_time: counts.seconds,
                ..Self::default()
            };
        }
        let input = counts.input();
        let (input_credit, output_credit) = prices::tokens(model, input, counts.output);
        Self {
            credit: input_credit + output_credit,
            input_token: input,
            total_token: input + counts.output,
            input_credit,
            output_token: counts.output,
            prompt_token: counts.prompt,
            finish_reason,
            output_credit,
            execution_time: counts.seconds,
        }
    }
}

fn finish_reason(script: &Script, faults: &Faults) -> Option<String> {
    if faults.has(FaultKind::NoFinishReason) {
        return None;
    }
    let usual = if faults.has(FaultKind::ForeignFinishReason) {
        "complete"
    } else {
        "stop"
    };
    Some(
        script
            .finish_reason
            .clone()
            .unwrap_or_else(|| usual.to_owned()),
    )
}

/// The field `metadata` of a record.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Metadata {
    Usage(Usage),
    Fields(Map<String, Value>),
    Null,
}

impl Metadata {
    /// `None` when the field is absent.
    pub(crate) fn new(usage: Usage, script: &Script, faults: &Faults) -> Option<Self> {
        if faults.has(FaultKind::NoMetadata) {
            None
        } else if faults.has(FaultKind::NullMetadata) {
            Some(Self::Null)
        } else if let Some(wanted) = &script.usage {
            Some(Self::Fields(overlaid(&usage, wanted)))
        } else {
            Some(Self::Usage(usage))
        }
    }
}

fn overlaid(usage: &Usage, wanted: &Map<String, Value>) -> Map<String, Value> {
    let fields = serde_json::to_value(usage).ok();
    let mut fields = fields
        .and_then(|fields| fields.as_object().cloned())
        .unwrap_or_default();
    for (name, value) in wanted {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Counts, Metadata, Usage};
    use crate::fault::Faults;
    use crate::script::Script;

    #[test]
    fn the_captured_answer_costs_what_it_cost() {
        let counts = Counts {
            prompt: 11,
            attached: 0,
            output: 3,
            seconds: 0.365,
        };
        let usage = Usage::new(
            "open-mistral-nemo",
            counts,
            &Script::default(),
            &Faults::default(),
        );
        let expected = json!({
            "credit": 45, "inputToken": 98, "totalToken": 101, "inputCredit": 44, "outputToken": 3,
            "promptToken": 11, "finishReason": "stop", "outputCredit": 1, "executionTime": 0.365
        });
        assert_eq!(json!(usage), expected);
    }

    #[test]
    fn a_script_sets_fields_and_takes_them_away() {
        let usage = json!({"inputToken": 7, "credit": null, "extra": true})
            .as_object()
            .cloned();
        let script = Script {
            usage,
            ..Script::default()
        };
        let usage = Usage::new(
            "gpt-4o-mini",
            Counts::default(),
            &script,
            &Faults::default(),
        );
        let metadata = json!(Metadata::new(usage, &script, &Faults::default()));
        assert_eq!(
            (&metadata["inputToken"], &metadata["extra"]),
            (&json!(7), &json!(true))
        );
        assert!(metadata.get("credit").is_none());
    }
}
