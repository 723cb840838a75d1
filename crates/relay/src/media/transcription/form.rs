//! The form of a request for a transcript. Its recording goes to upstream as it comes.

use axum::body::Body;
use axum::extract::multipart::Field;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::request::Parts;
use http_body::Frame;
use http_body_util::StreamBody;
use onemin::ApiKey;
use onemin::assets::Upload;
use onemin::transcription;
use serde_json::Value;
use tokio::sync::mpsc;
use translate::dialect::openai::media::audio::TranscriptForm;
use translate::failure::{Failure, Kind};

use super::{Order, TIMES};
use crate::app::Relay;
use crate::failure::of_upstream;
use crate::http::multipart::{self, Form};
use crate::http::reply;
use crate::uploads::file_type;

/// Parts of one form.
const MAX_PARTS: usize = 64;

/// Pieces of a recording that wait between the client and upstream.
const PIECES: usize = 4;

/// Bytes of a form beside its recording, about.
const FIELDS: u64 = 64 * 1024;

/// The fields that mean something, each given once.
const ONCE: [&str; 8] = [
    "model",
    "response_format",
    "stream",
    "language",
    "target_language",
    "prompt",
    "temperature",
    "user",
];

/// Parameters of OpenAI's that mean nothing to any model here.
const IGNORED: [&str; 6] = [
    "include",
    "chunking_strategy",
    "known_speaker_names",
    "known_speaker_references",
    "safety_identifier",
    "metadata",
];

/// Bytes that tell what a recording is.
const BEGINNING: usize = 512;

/// Reads the form of a request. The file goes to upstream while it comes, whatever its place among
/// the fields: uploading is free, and nothing is held here.
///
/// # Errors
/// What is wrong with the form, or with the recording.
pub async fn read(relay: &Relay, key: &ApiKey, head: Parts, body: Body) -> Result<Order, Failure> {
    let most = relay.files.max();
    let announced = reply::announced(&head.headers);
    if announced.is_some_and(|length| length > most + FIELDS) {
        return Err(crate::objects::files::too_large(most));
    }
    let mut multipart = multipart::multipart(head, body).await?;
    let mut fields = Form::default();
    let mut recording = None;
    for _ in 0..MAX_PARTS {
        let Some(mut field) = multipart.next_field().await.map_err(multipart::broken)? else {
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
            _ => fields.text(&name, multipart::text(&mut field).await?),
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
        let most = model.and_then(|model| transcription::stt_model(model).most_bytes);
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
            return Err(crate::objects::files::too_large(self.bytes));
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
    let model = text("model").unwrap_or_else(|| transcription::DEFAULT_MODEL.to_owned());
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
    if subtitles && !transcription::stt_model(&model).has_timestamps {
        let message = format!(
            "`{model}` gives no times, so subtitles cannot be made: use whisper-1, or json or text."
        );
        return Err(Failure::invalid("response_format", message));
    }
    let wants_segments = form.fields.get(TIMES).is_some_and(is_segments)
        && transcript_form == TranscriptForm::VerboseJson
        && !streamed;
    let is_ignored = |name: &str| IGNORED.contains(&name) || (name == TIMES && !wants_segments);
    let others = form.fields.iter().filter(|(name, _)| {
        let name = name.as_str();
        !(ONCE.contains(&name) || name == TIMES || IGNORED.contains(&name))
    });
    Ok(Order {
        audio: recording.path,
        model,
        form: transcript_form,
        streamed,
        language: text("language"),
        prompt: text("prompt"),
        temperature,
        target_language: text("target_language"),
        wants_segments,
        extra: others
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        ignored: form
            .fields
            .keys()
            .filter(|name| is_ignored(name))
            .cloned()
            .collect(),
        strict: false,
    })
}

/// Whether the times of segments are asked for, and no others.
fn is_segments(granularities: &Value) -> bool {
    match granularities {
        Value::Array(list) => list.iter().all(|of| of == "segment"),
        one => one == "segment",
    }
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
        match field.chunk().await.map_err(multipart::broken)? {
            Some(piece) => beginning.extend_from_slice(&piece),
            None => break,
        }
    }
    let kind = file_type::of_recording(&beginning, file_name.as_deref())?;
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
    while let Some(piece) = field.chunk().await.map_err(multipart::broken)? {
        *bytes += piece.len() as u64;
        limit.check(*bytes)?;
        if pieces.send(Ok(Frame::data(piece))).await.is_err() {
            break;
        }
    }
    Ok(())
}
