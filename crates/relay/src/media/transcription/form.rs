//! The form of a transcription request. Its audio goes to upstream as it comes.

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::request::Parts;
use http_body::Frame;
use http_body_util::StreamBody;
use onemin::assets::Upload;
use onemin::transcription;
use serde_json::Value;
use tokio::sync::mpsc;
use translate::failure::{Failure, Kind};
use translate::media::{TranscriptForm, TranscriptionRequest};
use translate::quote::quote;

use super::TIMES;
use crate::failure::file_too_large;
use crate::http::deployment::Deployment;
use crate::http::multipart::{Form, FormPart, FormReader, SMALL_FIELDS_BYTES};
use crate::http::reply;
use crate::ledger::Payer;
use crate::media::Media;
use crate::uploads::file_type;

/// Pieces of an audio file that wait between the client and upstream.
const PIECES: usize = 4;

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
const IGNORED: [&str; 7] = [
    "include",
    "keywords",
    "chunking_strategy",
    "known_speaker_names",
    "known_speaker_references",
    "safety_identifier",
    "metadata",
];

/// Bytes that tell what an audio file is.
const SNIFF_BYTES: usize = 512;

impl Media {
    /// Reads the form of a request. The file goes to upstream while it comes, whatever its place
    /// among the fields: uploading is free, and nothing is held here.
    ///
    /// # Errors
    /// What is wrong with the form, or with the audio.
    pub async fn read_transcription(
        &self,
        payer: &Payer,
        head: Parts,
        body: Body,
    ) -> Result<TranscriptionRequest, Failure> {
        let max_file = self.settings.max_file;
        let announced = reply::announced(&head.headers);
        if announced.is_some_and(|length| length > max_file + SMALL_FIELDS_BYTES) {
            return Err(file_too_large(max_file));
        }
        let deployment = head.extensions.get::<Deployment>().cloned();
        let mut reader = FormReader::new(head, body).await?;
        let mut form = Form::default();
        let mut uploaded = None;
        while let Some(mut part) = reader.next().await? {
            match part.name() {
                "file" if uploaded.is_some() => {
                    return Err(Failure::invalid(
                        "file",
                        "The form has two parts named `file`: send one file at a time.",
                    ));
                }
                "file" => {
                    let limit = self.file_limit(&form, announced)?;
                    uploaded = Some(self.forward(payer, part, &limit).await?);
                }
                other if part.is_file() => return Err(misnamed(other)),
                _ => {
                    let text = part.text().await?;
                    form.insert(part.name(), text);
                }
            }
        }
        form.use_model_of(deployment);
        self.transcription_request(&form, uploaded.ok_or_else(missing)?)
    }

    /// What is known to be wrong before the file is taken, from the fields before it; else how
    /// large it may be.
    fn file_limit(&self, fields: &Form, announced: Option<u64>) -> Result<FileLimit, Failure> {
        let max_file = self.settings.max_file;
        if !fields.fields.contains_key("model") {
            return Ok(FileLimit::of(max_file, None));
        }
        let request = self.transcription_request(fields, UploadedAudio::default())?;
        let limit = FileLimit::of(max_file, Some(&request.model));
        limit.check(
            announced
                .unwrap_or_default()
                .saturating_sub(SMALL_FIELDS_BYTES),
        )?;
        Ok(limit)
    }

    fn transcription_request(
        &self,
        form: &Form,
        uploaded: UploadedAudio,
    ) -> Result<TranscriptionRequest, Failure> {
        let mut request = request(form)?;
        request.model = self.models.permitted(&request.model)?;
        let limit = FileLimit::of(self.settings.max_file, Some(&request.model));
        limit.check(uploaded.bytes)?;
        check_subtitles(&request)?;
        request.audio = uploaded.path;
        Ok(request)
    }

    /// Sends a part of a form on to upstream, piece by piece.
    async fn forward(
        &self,
        payer: &Payer,
        mut part: FormPart<'_>,
        limit: &FileLimit,
    ) -> Result<UploadedAudio, Failure> {
        let file_name = part.file_name();
        let mut beginning = Vec::new();
        while beginning.len() < SNIFF_BYTES {
            match part.chunk().await? {
                Some(piece) => beginning.extend_from_slice(&piece),
                None => break,
            }
        }
        let kind = file_type::of_audio(&beginning, file_name.as_deref())?;
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
            let pumped = pump(&mut part, &pieces, &mut bytes, limit).await;
            if pumped.is_err() {
                // The upload must not look complete.
                let _ = pieces.send(Err(std::io::Error::other("broke off"))).await;
            }
            drop(pieces);
            pumped
        };
        payer.check_room().await?;
        let lease = payer.lease()?;
        let uploading = self.client.upload(&lease.key, upload);
        let (uploaded, pumped) = futures_util::future::join(uploading, pumping).await;
        pumped?;
        let asset = uploaded.map_err(|error| lease.failed(&error))?;
        Ok(UploadedAudio {
            path: asset.image_reference().to_owned(),
            bytes,
        })
    }
}

fn missing() -> Failure {
    Failure::invalid(
        "file",
        "`file` is missing: send the audio file as a part of the form named `file`.",
    )
}

fn misnamed(name: &str) -> Failure {
    let name = quote(name);
    let message = format!("Unexpected file `{name}`: send the audio file as `file`.");
    Failure::invalid(name, message)
}

/// Audio that upstream has.
#[derive(Debug, Default)]
struct UploadedAudio {
    path: String,
    bytes: u64,
}

/// The most bytes of an audio file, and whose limit that is.
struct FileLimit {
    bytes: u64,
    model: Option<String>,
}

impl FileLimit {
    /// What holds for a model, if there is one.
    fn of(max_file: u64, model: Option<&str>) -> Self {
        let most = model.and_then(|model| transcription::stt_model(model).most_bytes);
        match most {
            Some(bytes) if bytes < max_file => Self {
                bytes,
                model: model.map(str::to_owned),
            },
            _ => Self {
                bytes: max_file,
                model: None,
            },
        }
    }

    fn check(&self, bytes: u64) -> Result<(), Failure> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let Some(model) = &self.model else {
            return Err(file_too_large(self.bytes));
        };
        let mib = self.bytes / (1024 * 1024);
        let message = format!(
            "`{model}` takes audio files of at most {mib} MiB: send it in pieces, or compressed."
        );
        Err(Failure::new(Kind::TooLarge, message).with_param("file"))
    }
}

/// The request that the fields of a form ask for, still without its audio.
fn request(form: &Form) -> Result<TranscriptionRequest, Failure> {
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
    let format = TranscriptForm::of(text("response_format").as_deref())?;
    let wants_segments = form.fields.get(TIMES).is_some_and(is_segments)
        && format == TranscriptForm::VerboseJson
        && !streamed;
    let is_ignored = |name: &str| IGNORED.contains(&name) || (name == TIMES && !wants_segments);
    let others = form.fields.iter().filter(|(name, _)| {
        let name = name.as_str();
        !(ONCE.contains(&name) || name == TIMES || IGNORED.contains(&name))
    });
    Ok(TranscriptionRequest {
        audio: String::new(),
        model,
        format,
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

/// Subtitles need the times of what is said.
fn check_subtitles(request: &TranscriptionRequest) -> Result<(), Failure> {
    let subtitles = matches!(request.format, TranscriptForm::Srt | TranscriptForm::Vtt);
    let model = &request.model;
    if subtitles && !transcription::stt_model(model).has_timestamps {
        let message = format!(
            "`{model}` returns no timestamps, so subtitles cannot be made: use whisper-1, or json or text."
        );
        return Err(Failure::invalid("response_format", message));
    }
    Ok(())
}

/// Whether the times of segments are asked for, and no others.
fn is_segments(granularities: &Value) -> bool {
    match granularities {
        Value::Array(list) => list.iter().all(|of| of == "segment"),
        one => one == "segment",
    }
}

/// A piece of an audio file on its way to upstream.
type Piece = Result<Frame<Bytes>, std::io::Error>;

/// Passes pieces on as they come, until the end or until upstream wants no more.
async fn pump(
    part: &mut FormPart<'_>,
    pieces: &mpsc::Sender<Piece>,
    bytes: &mut u64,
    limit: &FileLimit,
) -> Result<(), Failure> {
    while let Some(piece) = part.chunk().await? {
        *bytes += piece.len() as u64;
        limit.check(*bytes)?;
        if pieces.send(Ok(Frame::data(piece))).await.is_err() {
            break;
        }
    }
    Ok(())
}
