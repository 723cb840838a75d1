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
use onemin::models::Feature;
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

/// Bytes of a form beside its recording, about.
const FIELDS: u64 = 64 * 1024;

/// The fields that mean something.
const ONCE: [&str; 7] = [
    "model",
    "response_format",
    "stream",
    "language",
    "prompt",
    "temperature",
    "user",
];

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
    /// The model that wrote it down.
    pub model: String,
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
    let most = relay.files.max();
    let announced = form::announced(&head);
    if announced.is_some_and(|length| length > most + FIELDS) {
        return Err(crate::files::too_large(most));
    }
    let mut multipart = form::multipart(head, body).await?;
    let mut fields = Form::default();
    let mut recording = None;
    for _ in 0..MAX_PARTS {
        let Some(mut field) = multipart.next_field().await.map_err(form::broken)? else {
            let recording = recording.ok_or_else(missing)?;
            return order(relay, &fields, recording);
        };
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" if recording.is_some() => {
                return Err(Failure::invalid(
                    "file",
                    "The form has two parts named `file`: send one recording at a time.",
                ));
            }
            "file" => {
                let limit = limit(relay, &fields, announced)?;
                recording = Some(forward(relay, key, field, &limit).await?);
            }
            other if field.file_name().is_some() => return Err(misnamed(other)),
            _ => fields.text(&name, form::text(&mut field).await?),
        }
    }
    Err(Failure::new(
        Kind::Invalid,
        format!("The form has more than {MAX_PARTS} parts."),
    ))
}

fn missing() -> Failure {
    Failure::invalid(
        "file",
        "`file` is missing: send the recording as a part of the form named `file`.",
    )
}

fn misnamed(name: &str) -> Failure {
    let name: String = name.chars().take(60).collect();
    let message = format!("`{name}` is no file of this form: send the recording as `file`.");
    Failure::invalid(name, message)
}

/// A recording that upstream has.
struct Recording {
    path: String,
    bytes: u64,
}

/// The most bytes of a recording, and whose limit that is.
struct Limit {
    bytes: u64,
    model: Option<String>,
}

impl Limit {
    /// What holds for a model, if there is one.
    fn of(relay: &Relay, model: Option<&str>) -> Self {
        let most = model.and_then(|model| transcription::recogniser(model).most_bytes);
        match most {
            Some(bytes) if bytes < relay.files.max() => Self {
                bytes,
                model: model.map(str::to_owned),
            },
            _ => Self {
                bytes: relay.files.max(),
                model: None,
            },
        }
    }

    fn check(&self, bytes: u64) -> Result<(), Failure> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let Some(model) = &self.model else {
            return Err(crate::files::too_large(self.bytes));
        };
        let mib = self.bytes / (1024 * 1024);
        let message = format!(
            "`{model}` takes recordings of at most {mib} MiB: send it in pieces, or compressed."
        );
        Err(Failure::new(Kind::TooLarge, message).with_param("file"))
    }
}

/// What is known to be wrong before the file is taken, from the fields before it; else how large
/// it may be.
fn limit(relay: &Relay, fields: &Form, announced: Option<u64>) -> Result<Limit, Failure> {
    if !fields.fields.contains_key("model") {
        return Ok(Limit::of(relay, None));
    }
    let nothing = Recording {
        path: String::new(),
        bytes: 0,
    };
    let order = order(relay, fields, nothing)?;
    let limit = Limit::of(relay, Some(&order.model));
    limit.check(announced.unwrap_or_default().saturating_sub(FIELDS))?;
    Ok(limit)
}

fn order(relay: &Relay, form: &Form, recording: Recording) -> Result<Order, Failure> {
    if let Some(name) = ONCE
        .iter()
        .find(|name| form.fields.get(**name).is_some_and(Value::is_array))
    {
        return Err(Failure::invalid(*name, format!("`{name}` is given twice.")));
    }
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
    Limit::of(relay, Some(&model)).check(recording.bytes)?;
    let streamed = match text("stream").as_deref() {
        None | Some("false" | "False" | "0") => false,
        Some("true" | "True" | "1") => true,
        Some(_) => {
            return Err(Failure::invalid(
                "stream",
                "`stream` must be true or false.",
            ));
        }
    };
    let form_name = text("response_format");
    let transcript_form = TranscriptForm::of(form_name.as_deref())?;
    let subtitles = matches!(transcript_form, TranscriptForm::Srt | TranscriptForm::Vtt);
    if subtitles && !transcription::recogniser(&model).may_tell_times {
        let message = format!(
            "`{model}` gives no times, so subtitles cannot be made: use whisper-1, or json or text."
        );
        return Err(Failure::invalid("response_format", message));
    }
    Ok(Order {
        audio: recording.path,
        model,
        form: transcript_form,
        streamed,
        language: text("language"),
        prompt: text("prompt"),
        temperature,
        ignored: form
            .fields
            .keys()
            .filter(|name| !ONCE.contains(&name.as_str()))
            .cloned()
            .collect(),
    })
}

/// Sends a part of a form on to upstream, piece by piece.
async fn forward(
    relay: &Relay,
    key: &ApiKey,
    mut field: Field<'_>,
    limit: &Limit,
) -> Result<Recording, Failure> {
    let file_name = field.file_name().map(str::to_owned);
    let mut beginning = Vec::new();
    while beginning.len() < BEGINNING {
        match field.chunk().await.map_err(form::broken)? {
            Some(piece) => beginning.extend_from_slice(&piece),
            None => break,
        }
    }
    let kind = kind::of_recording(&beginning, file_name.as_deref())?;
    let mut bytes = beginning.len() as u64;
    let (pieces, mut received) = mpsc::channel::<Piece>(PIECES);
    let received = stream::poll_fn(move |cx| received.poll_recv(cx));
    let first = stream::iter([Ok(Frame::data(Bytes::from(beginning)))]);
    let upload = Upload::from_body(
        kind.file_name(file_name.as_deref()),
        kind.mime.to_owned(),
        None,
        StreamBody::new(first.chain(received)),
    );
    let pumping = async {
        let pumped = pump(&mut field, &pieces, &mut bytes, limit).await;
        if pumped.is_err() {
            // The upload must not look complete.
            let _ = pieces.send(Err(std::io::Error::other("broke off"))).await;
        }
        drop(pieces);
        pumped
    };
    let (uploaded, pumped) =
        futures_util::future::join(relay.client.upload(key, upload), pumping).await;
    pumped?;
    let asset = uploaded.map_err(|error| of_upstream(&error))?;
    Ok(Recording {
        path: asset.image_reference().to_owned(),
        bytes,
    })
}

/// A piece of a recording on its way to upstream.
type Piece = Result<Frame<Bytes>, std::io::Error>;

/// Passes pieces on as they come, until the end or until upstream wants no more.
async fn pump(
    field: &mut Field<'_>,
    pieces: &mpsc::Sender<Piece>,
    bytes: &mut u64,
    limit: &Limit,
) -> Result<(), Failure> {
    while let Some(piece) = field.chunk().await.map_err(form::broken)? {
        *bytes += piece.len() as u64;
        limit.check(*bytes)?;
        if pieces.send(Ok(Frame::data(piece))).await.is_err() {
            break;
        }
    }
    Ok(())
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
                        model: payload.model,
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
    let failure = first.unwrap_or_else(|| {
        Failure::new(
            Kind::ModelNotFound,
            "No model writes recordings down at the moment.",
        )
    });
    Err(relay
        .catalogue
        .with_able(failure, Feature::SpeechToText)
        .await)
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
