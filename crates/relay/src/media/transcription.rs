//! Recordings: brought to upstream as they come, and written down by the model asked for or, where
//! it cannot, by another.

mod form;

use onemin::models::Feature;
use onemin::transcription::{self, Transcript as Given, TranscriptionParams};
use onemin::{ApiKey, Mode, Outcome, Payload};
use serde_json::{Map, Value};
use translate::dialect::openai::media::audio::{Segment, Transcript, TranscriptForm};
use translate::failure::{Failure, Kind};
use translate::plan;

pub use form::read;

use crate::app::Relay;
use crate::failure::of_upstream;
use crate::media::images::invalid;

/// The field that asks for the times of words or of segments.
const TIMES: &str = "timestamp_granularities";

/// Whether a recording is written down as it is, or in English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// In the language that is spoken.
    Transcribe,
    /// In English.
    Translate,
}

impl Task {
    /// Its name, as OpenAI's verbose form has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transcribe => "transcribe",
            Self::Translate => "translate",
        }
    }
}

/// What is asked of a recording that upstream has.
#[derive(Debug, Default)]
pub struct Order {
    /// The recording's path at upstream.
    pub audio: String,
    /// The model.
    pub model: String,
    /// The form of the transcript.
    pub form: TranscriptForm,
    /// Whether the answer is a stream of events.
    pub streamed: bool,
    /// The language that is spoken.
    pub language: Option<String>,
    /// The language to translate into, where it is not English.
    pub target_language: Option<String>,
    /// Whether the times of segments are asked for by name.
    pub wants_segments: bool,
    /// Words to expect.
    pub prompt: Option<String>,
    /// How freely.
    pub temperature: Option<f64>,
    /// Every other parameter, by the client's name: the model may know it.
    pub extra: Map<String, Value>,
    /// Parameters that have no effect.
    pub ignored: Vec<String>,
    /// Whether a parameter without effect is refused.
    pub strict: bool,
}

/// A transcript.
#[derive(Debug)]
pub struct Made {
    /// What was said.
    pub transcript: Transcript,
    /// The model that wrote it down.
    pub model: String,
    /// Parameters without effect.
    pub ignored: Vec<String>,
    /// What it cost, if upstream says so.
    pub credits: Option<f64>,
}

/// Has a recording written down. Another model is tried only where the one before surely did no
/// work.
///
/// # Errors
/// Why no model did.
pub async fn write_down(
    relay: &Relay,
    key: &ApiKey,
    order: &Order,
    task: Task,
) -> Result<Made, Failure> {
    let params = TranscriptionParams {
        audio: order.audio.clone(),
        language: order.language.clone(),
        target_language: order.target_language.clone(),
        prompt: order.prompt.clone(),
        temperature: order.temperature,
        format: Some(order.form.as_str().to_owned()),
        extra: order.extra.clone(),
    };
    let candidates = match task {
        Task::Transcribe => transcription::transcription_candidates(&order.model),
        Task::Translate => transcription::translation_candidates(&order.model),
    };
    let candidates = candidates
        .into_iter()
        .filter(|model| relay.catalogue.permits(model));
    let mut first: Option<Failure> = None;
    for model in candidates {
        let payload = match task {
            Task::Transcribe => transcription::transcription(model, &params),
            Task::Translate => transcription::translation(model, &params),
        };
        let failure = match payload {
            Err(error) => invalid(error),
            Ok(payload) => {
                let ignored = unmet(order, &payload, task);
                plan::reject_ignored(order.strict, &ignored)?;
                match relay.client.feature(key, &payload, Mode::Held).await {
                    Ok(outcome) => return Ok(made(order, payload, ignored, &outcome)),
                    Err(error) => of_upstream(&error),
                }
            }
        };
        let hopeless = !matches!(failure.kind, Kind::ModelNotFound | Kind::Unsupported);
        // What is said is what was wrong with the model that was asked for.
        let failure = first.get_or_insert(failure);
        if hopeless {
            return Err(failure.clone());
        }
    }
    let failure = first.unwrap_or_else(|| {
        Failure::new(
            Kind::ModelNotFound,
            "No model that may be used here writes recordings down.",
        )
    });
    Err(relay
        .catalogue
        .with_alternatives(failure, Feature::SpeechToText)
        .await)
}

/// What of an order a model does not meet.
fn unmet(order: &Order, payload: &Payload, task: Task) -> Vec<String> {
    let mut ignored = order.ignored.clone();
    if task == Task::Transcribe && order.target_language.is_some() {
        ignored.push("target_language".to_owned());
    }
    ignored.extend(payload.ignored.iter().cloned());
    ignored
}

fn made(order: &Order, payload: Payload, mut ignored: Vec<String>, outcome: &Outcome) -> Made {
    let transcript = neutral(Given::of(outcome));
    if order.wants_segments && transcript.segments.is_empty() {
        ignored.push(TIMES.to_owned());
    }
    Made {
        transcript,
        model: payload.model,
        ignored,
        credits: outcome.accounting.credits,
    }
}

fn neutral(given: Given) -> Transcript {
    let segments = given.segments.into_iter().map(|segment| Segment {
        start: segment.start,
        end: segment.end,
        text: segment.text,
    });
    Transcript {
        segments: segments.collect(),
        text: given.text,
        language: given.language,
        duration: given.duration,
    }
}
