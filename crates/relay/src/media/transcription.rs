//! Transcription: audio is uploaded as it comes, and transcribed by the model asked for or, where
//! it cannot, by another.

mod form;

use std::sync::PoisonError;

use onemin::models::Feature;
use onemin::transcription::{self, Transcript as UpstreamTranscript, TranscriptionParams};
use onemin::{Mode, Outcome, Payload};
use sha2::{Digest as _, Sha256};
use translate::chat_request::Attachment;
use translate::failure::{Failure, Kind};
use translate::media::{Segment, Transcript, TranscriptionRequest};
use translate::plan;

use super::{Media, invalid};
use crate::ledger::Payer;
use crate::uploads::OtherAccounts;

/// The field that asks for the times of words or of segments.
const TIMES: &str = "timestamp_granularities";

/// Whether audio is transcribed in its language, or in English.
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

/// What was transcribed.
#[derive(Debug)]
pub struct Transcription {
    /// What was said.
    pub transcript: Transcript,
    /// The model that transcribed it.
    pub model: String,
    /// Parameters without effect.
    pub ignored: Vec<String>,
    /// What it cost, if upstream says so.
    pub credits: Option<f64>,
}

impl Media {
    /// Transcribes audio that upstream has. Another model is tried only where the one before did
    /// no work for sure.
    ///
    /// # Errors
    /// Why no model did.
    pub async fn transcribe(
        &self,
        payer: &Payer,
        request: &TranscriptionRequest,
        task: Task,
    ) -> Result<Transcription, Failure> {
        let params = TranscriptionParams {
            audio: request.audio.clone(),
            language: request.language.clone(),
            target_language: request.target_language.clone(),
            prompt: request.prompt.clone(),
            temperature: request.temperature,
            format: Some(request.format.as_str().to_owned()),
            extra: request.extra.clone(),
        };
        let candidates = match task {
            Task::Transcribe => transcription::transcription_candidates(&request.model),
            Task::Translate => transcription::translation_candidates(&request.model),
        };
        let candidates = candidates.into_iter().filter(|m| self.models.permits(m));
        let mut first: Option<Failure> = None;
        for model in candidates {
            let payload = match task {
                Task::Transcribe => transcription::transcription(model, &params),
                Task::Translate => transcription::translation(model, &params),
            };
            let (failure, did_no_work) = match payload {
                Err(error) => (invalid(error), true),
                Ok(payload) => {
                    let ignored = ignored(request, &payload, task);
                    plan::reject_ignored(request.strict, &ignored)?;
                    match self.feature(payer, &payload, Mode::Held).await {
                        Ok(outcome) => return Ok(result(request, payload, ignored, &outcome)),
                        Err(error) => {
                            let did_no_work = error.did_no_work();
                            (error.into(), did_no_work)
                        }
                    }
                }
            };
            // Another model is paid, too: it is asked only where this one surely was not.
            let is_final =
                !did_no_work || !matches!(failure.kind, Kind::ModelNotFound | Kind::Unsupported);
            // The client is told what was wrong with the model that it asked for.
            let failure = first.get_or_insert(failure);
            if is_final {
                return Err(failure.clone());
            }
        }
        let failure = first.unwrap_or_else(|| {
            Failure::new(
                Kind::ModelNotFound,
                "No permitted model supports transcription.",
            )
        });
        Err(self
            .models
            .with_alternatives(failure, Feature::SpeechToText)
            .await)
    }

    /// The text of audio in a conversation. It is transcribed once for an account, so that a
    /// conversation does not pay for it in every turn.
    ///
    /// # Errors
    /// Bytes that are not audio, or why upstream did not transcribe it.
    pub async fn cached_transcript(
        &self,
        payer: &Payer,
        audio: &Attachment,
    ) -> Result<String, Failure> {
        let bytes = self.uploads.bytes(audio).await?;
        let content = (payer.caller().id, Sha256::digest(&bytes).into());
        let cache = || {
            self.transcripts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = cache().get(&content) {
            return Ok(known.clone());
        }
        let name = audio.name.as_deref();
        let mut others = OtherAccounts::default();
        let path = loop {
            let uploading = self.uploads.upload_audio_bytes(payer, bytes.clone(), name);
            match uploading.await {
                Ok(path) => break path,
                Err(failure) => others.change(payer, failure)?,
            }
        };
        let request = TranscriptionRequest {
            audio: path,
            model: transcription::DEFAULT_MODEL.to_owned(),
            ..TranscriptionRequest::default()
        };
        let made = self.transcribe(payer, &request, Task::Transcribe).await?;
        cache().put(content, made.transcript.text.clone());
        Ok(made.transcript.text)
    }
}

/// Parameters of the request without effect at a model.
fn ignored(request: &TranscriptionRequest, payload: &Payload, task: Task) -> Vec<String> {
    let mut ignored = request.ignored.clone();
    if task == Task::Transcribe && request.target_language.is_some() {
        ignored.push("target_language".to_owned());
    }
    ignored.extend(payload.ignored.iter().cloned());
    ignored
}

fn result(
    request: &TranscriptionRequest,
    payload: Payload,
    mut ignored: Vec<String>,
    outcome: &Outcome,
) -> Transcription {
    let transcript = neutral(UpstreamTranscript::of(outcome));
    if request.wants_segments && transcript.segments.is_empty() {
        ignored.push(TIMES.to_owned());
    }
    Transcription {
        transcript,
        model: payload.model,
        ignored,
        credits: outcome.accounting.credits,
    }
}

fn neutral(given: UpstreamTranscript) -> Transcript {
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
