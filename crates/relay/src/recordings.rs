//! Recordings: brought to upstream as they come, and written down by the model asked for or, where
//! it cannot, by another.

use axum::body::Body;
use axum::extract::multipart::Field;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::request::Parts;
use http_body::Frame;
use http_body_util::StreamBody;
use onemin::assets::Upload;
use onemin::transcription::{self, Transcript as Given, Wanted};
use onemin::{ApiKey, Mode};
use serde_json::Value;
use tokio::sync::mpsc;
use translate::dialect::openai::media::audio::{Segment, Transcript, TranscriptForm};
use translate::failure::{Failure, Kind};

use crate::app::Relay;
use crate::attach::kind;
use crate::failure::of_upstream;
use crate::form::{self, Form};
use crate::pictures::invalid;

/// Parts of one form.
const MAX_PARTS: usize = 64;

/// Pieces of a recording that wait between the client and upstream.
const PIECES: usize = 4;

/// Bytes that tell what a recording is.
const BEGINNING: usize = 512;

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
    /// Words to expect.
    pub prompt: Option<String>,
    /// How freely.
    pub temperature: Option<f64>,
    /// Parameters that have no effect.
    pub ignored: Vec<String>,
}

/// A transcript.
#[derive(Debug)]
pub struct Made {
    /// What was said.
    pub transcript: Transcript,
    /// Parameters without effect.
    pub ignored: Vec<String>,
    /// What it cost, if upstream says so.
    pub credits: Option<f64>,
}

/// Reads the form of a request. The file goes to upstream while it comes, whatever its place among
/// the fields: uploading is free, and nothing is held here.
///
/// # Errors
/// What is wrong with the form, or with the recording.
pub async fn read(relay: &Relay, key: &ApiKey, head: Parts, body: Body) -> Result<Order, Failure> {
    let mut multipart = form::multipart(head, body).await?;
    let mut fields = Form::default();
    let mut audio = None;
    for _ in 0..MAX_PARTS {
        let Some(mut field) = multipart.next_field().await.map_err(form::broken)? else {
            let audio = audio.ok_or_else(|| {
                Failure::invalid(
                    "file",
                    "`file` is missing: send the recording as a part of the form named `file`.",
                )
            })?;
            return order(relay, &fields, audio);
        };
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" if audio.is_some() => {
                return Err(Failure::invalid(
                    "file",
                    "The form has two parts named `file`.",
                ));
            }
            "file" => audio = Some(forward(relay, key, field).await?),
            _ => fields.text(&name, form::text(&mut field).await?),
        }
    }
    Err(Failure::new(
        Kind::Invalid,
        format!("The form has more than {MAX_PARTS} parts."),
    ))
}

fn order(relay: &Relay, form: &Form, audio: String) -> Result<Order, Failure> {
    let text = |name: &str| {
        let value = form.fields.get(name).and_then(Value::as_str);
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let temperature = text("temperature").map(|t| {
        t.parse::<f64>()
            .ok()
            .filter(|t| (0.0..=1.0).contains(t))
            .ok_or(())
    });
    let temperature = temperature.transpose();
    let temperature = temperature
        .map_err(|()| Failure::invalid("temperature", "`temperature` is a number from 0 to 1."))?;
    let model = text("model").unwrap_or_else(|| "whisper-1".to_owned());
    let model = relay.catalogue.permitted(&model)?;
    let form_name = text("response_format");
    let transcript_form = TranscriptForm::of(form_name.as_deref())?;
    let subtitles = matches!(transcript_form, TranscriptForm::Srt | TranscriptForm::Vtt);
    if subtitles && !transcription::recogniser(&model).may_tell_times {
        let message = format!(
            "`{model}` gives no times, so subtitles cannot be made: use whisper-1, or json or text."
        );
        return Err(Failure::invalid("response_format", message));
    }
    let silent = [
        "file",
        "model",
        "response_format",
        "stream",
        "language",
        "prompt",
        "temperature",
        "user",
    ];
    Ok(Order {
        audio,
        model,
        form: transcript_form,
        streamed: text("stream").as_deref() == Some("true"),
        language: text("language"),
        prompt: text("prompt"),
        temperature,
        ignored: form
            .fields
            .keys()
            .filter(|name| !silent.contains(&name.as_str()))
            .cloned()
            .collect(),
    })
}

/// Sends a part of a form on to upstream, piece by piece; gives the recording's path there.
async fn forward(relay: &Relay, key: &ApiKey, mut field: Field<'_>) -> Result<String, Failure> {
    let file_name = field.file_name().map(str::to_owned);
    let mut beginning = Vec::new();
    while beginning.len() < BEGINNING {
        match field.chunk().await.map_err(form::broken)? {
            Some(piece) => beginning.extend_from_slice(&piece),
            None => break,
        }
    }
    let kind = kind::of_recording(&beginning, file_name.as_deref())?;
    let (pieces, mut received) = mpsc::channel::<Result<Frame<Bytes>, std::io::Error>>(PIECES);
    let received = stream::poll_fn(move |cx| received.poll_recv(cx));
    let first = stream::iter([Ok(Frame::data(Bytes::from(beginning)))]);
    let upload = Upload::from_body(
        kind.file_name(file_name.as_deref()),
        kind.mime.to_owned(),
        None,
        StreamBody::new(first.chain(received)),
    );
    let max = relay.files.max();
    let pumping = async move {
        let mut sent = 0_u64;
        while let Some(piece) = field.chunk().await.map_err(form::broken)? {
            sent += piece.len() as u64;
            if sent > max {
                // The upload must not look complete.
                let _ = pieces.send(Err(std::io::Error::other("too large"))).await;
                return Err(crate::files::too_large(max));
            }
            if pieces.send(Ok(Frame::data(piece))).await.is_err() {
                break;
            }
        }
        drop(pieces);
        Ok(())
    };
    let (uploaded, pumped) =
        futures_util::future::join(relay.client.upload(key, upload), pumping).await;
    pumped?;
    let asset = uploaded.map_err(|error| of_upstream(&error))?;
    Ok(asset.image_reference().to_owned())
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
    let wanted = Wanted {
        audio: order.audio.clone(),
        language: order.language.clone(),
        prompt: order.prompt.clone(),
        temperature: order.temperature,
        format: Some(order.form.as_str().to_owned()),
        ..Wanted::default()
    };
    let candidates = match task {
        Task::Transcribe => transcription::transcription_candidates(&order.model),
        Task::Translate => transcription::translation_candidates(&order.model),
    };
    let mut first: Option<Failure> = None;
    for model in candidates {
        let payload = match task {
            Task::Transcribe => transcription::transcription(model, &wanted),
            Task::Translate => transcription::translation(model, &wanted),
        };
        let failure = match payload {
            Err(error) => invalid(error),
            Ok(payload) => match relay.client.feature(key, &payload, Mode::Held).await {
                Ok(outcome) => {
                    let mut ignored = order.ignored.clone();
                    ignored.extend(payload.ignored);
                    return Ok(Made {
                        transcript: neutral(Given::of(&outcome)),
                        ignored,
                        credits: outcome.accounting.credits,
                    });
                }
                Err(error) => of_upstream(&error),
            },
        };
        let hopeless = !matches!(failure.kind, Kind::ModelNotFound | Kind::Unsupported);
        // What is said is what was wrong with the model that was asked for.
        let failure = first.get_or_insert(failure);
        if hopeless {
            return Err(failure.clone());
        }
    }
    Err(first.unwrap_or_else(|| {
        Failure::new(
            Kind::ModelNotFound,
            "No model writes recordings down at the moment.",
        )
    }))
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
