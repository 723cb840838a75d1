//! Speech, music and sound effects made by 1min.ai from texts; the bytes go to the client as they come.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http::header::{self, HeaderValue};
use onemin::models::Feature;
use onemin::music::{self, MusicParams};
use onemin::speech::{self, SpeechParams};
use onemin::{Download, Mode, Payload, ResultAsset, features};
use serde_json::Value;
use translate::dialect::openai::media::audio;
use translate::failure::{Failure, Kind};
use translate::media::SpeechRequest;
use translate::plan;

use super::result_url::data_uri;
use super::{Media, invalid};
use crate::failure::{of_download, of_upstream};
use crate::http::event_stream::deferred::MadeEvents;
use crate::http::logged_body::BodyError;
use crate::jobs::{LongJobs, Order, Prepare};
use crate::ledger::Payer;

/// A request for speech that is ready to be run: the paid call that it comes down to.
#[derive(Debug)]
pub struct PreparedSpeech {
    payload: Payload,
}

impl PreparedSpeech {
    /// Parameters of the request without effect.
    pub fn ignored(&self) -> impl Iterator<Item = &String> {
        self.payload.ignored.iter()
    }
}

/// Speech that upstream has made.
#[derive(Debug)]
pub struct Speech {
    /// Where it is.
    pub asset: ResultAsset,
    /// Its bytes, where upstream gave them instead of saying where they are.
    pub bytes: Option<Bytes>,
    /// Its type.
    pub content_type: &'static str,
    /// Parameters without effect.
    pub ignored: Vec<String>,
    /// What it cost, if upstream says so.
    pub credits: Option<f64>,
}

/// Prepares speech. Nothing is paid for.
///
/// # Errors
/// What the model does not accept.
pub fn prepare(request: &SpeechRequest) -> Result<PreparedSpeech, Failure> {
    let mut payload = match music::kind_of(&request.model) {
        Some(kind) => of_music(kind, request)?,
        None => of_speech(request)?,
    };
    let mut ignored = request.ignored.clone();
    ignored.append(&mut payload.ignored);
    payload.ignored = ignored;
    plan::reject_ignored(request.strict, &payload.ignored)?;
    Ok(PreparedSpeech { payload })
}

/// The request for music or a sound effect: of the parameters of speech it has the text alone.
fn of_music(kind: features::Kind, request: &SpeechRequest) -> Result<Payload, Failure> {
    let mut extra = request.extra.clone();
    let mut text = |name: &str| match extra.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (title, tags) = (text("title"), text("tags"));
    let instrumental = extra
        .remove("instrumental")
        .and_then(|value| value.as_bool());
    let params = MusicParams {
        prompt: request.input.clone(),
        title,
        tags,
        instrumental,
        seconds: None,
        extra,
    };
    let payload = match kind {
        features::Kind::TextToSound => music::sound(&request.model, &params),
        _ => music::generation(&request.model, &params),
    };
    let mut payload = payload.map_err(|error| match error.field.as_str() {
        "prompt" => Failure::invalid("input", "`input` must not be empty."),
        _ => invalid(error),
    })?;
    let without_effect = [
        ("voice", request.voice.is_some()),
        ("response_format", request.response_format.is_some()),
        ("speed", request.speed.is_some()),
        ("language", request.language.is_some()),
    ];
    let names = without_effect.into_iter().filter(|(_, is_given)| *is_given);
    payload
        .ignored
        .extend(names.map(|(name, _)| name.to_owned()));
    Ok(payload)
}

fn of_speech(request: &SpeechRequest) -> Result<Payload, Failure> {
    let params = SpeechParams {
        input: request.input.clone(),
        voice: request.voice.clone(),
        format: request.response_format.clone(),
        speed: request.speed,
        language: request.language.clone(),
        extra: request.extra.clone(),
    };
    speech::payload(&request.model, &params).map_err(invalid)
}

impl Media {
    /// Has the text of a prepared request spoken. This is what is paid for.
    ///
    /// # Errors
    /// Why upstream made no speech.
    pub async fn synthesize(
        &self,
        payer: &Payer,
        long: &LongJobs,
        prepared: PreparedSpeech,
    ) -> Result<Speech, Failure> {
        let PreparedSpeech { payload } = prepared;
        if payload.kind != features::Kind::TextToSpeech {
            return made_by_job(payer, long, payload).await;
        }
        let outcome = match self.feature(payer, &payload, Mode::Held).await {
            Ok(outcome) => outcome,
            Err(error) => {
                return Err(self
                    .models
                    .with_alternatives(error.into(), Feature::TextToSpeech)
                    .await);
            }
        };
        let inline = outcome.inline.as_ref();
        let asset = inline.map(|file| ResultAsset::of_path(data_uri(file)));
        let asset = asset.or_else(|| outcome.assets.into_iter().next());
        let asset = asset.ok_or_else(|| {
            let message = "1min.ai reported success, but sent no audio.";
            Failure::new(Kind::Upstream, message).with_retry(false)
        })?;
        Ok(Speech {
            asset,
            bytes: outcome.inline.map(|file| file.bytes),
            content_type: speech::content_type(&payload),
            ignored: payload.ignored,
            credits: outcome.accounting.credits,
        })
    }

    /// Events that carry the bytes as they come from upstream.
    ///
    /// # Errors
    /// The audio cannot be fetched.
    pub async fn speech_events(
        &self,
        speech: Speech,
        headers: HeaderMap,
    ) -> Result<MadeEvents, Failure> {
        if let Some(bytes) = speech.bytes {
            let mut events = audio::speech_delta(&STANDARD.encode(&bytes));
            events.extend_from_slice(&audio::speech_done());
            return Ok(MadeEvents::whole(headers, events));
        }
        let download = self.download_speech(&speech.asset).await?;
        Ok(MadeEvents::stream(headers, deltas(download)))
    }

    async fn download_speech(&self, asset: &ResultAsset) -> Result<Download, Failure> {
        let download = self.client.download(asset).await;
        download.map_err(|error| of_download(&error, &self.url(asset)))
    }

    /// The bytes as they come from upstream.
    ///
    /// # Errors
    /// The audio cannot be fetched.
    pub async fn speech_response(&self, speech: Speech) -> Result<Response, Failure> {
        if let Some(bytes) = speech.bytes {
            let kind = HeaderValue::from_static(speech.content_type);
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            return Ok(response);
        }
        let download = self.download_speech(&speech.asset).await?;
        let length = download.length;
        let mut response = Response::new(Body::from_stream(stream::unfold(
            download,
            async |mut download| {
                let next = download.next().await?;
                Some((
                    next.map_err(|error| BodyError(of_upstream(&error))),
                    download,
                ))
            },
        )));
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(speech.content_type),
        );
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        Ok(response)
    }
}

/// Music and sound effects take minutes: they are a job.
async fn made_by_job(payer: &Payer, long: &LongJobs, payload: Payload) -> Result<Speech, Failure> {
    let text = ["prompt", "text"].iter();
    let text = text.filter_map(|name| payload.prompt_object.get(*name)?.as_str());
    let order = Order {
        prefix: "audio_",
        prompt: text.take(1).collect(),
        seconds: None,
        size: None,
        payload: payload.clone(),
        moves: true,
    };
    let again = order.clone();
    let prepare: Prepare = Arc::new(move |_| {
        let order = again.clone();
        Box::pin(async move { Ok(order) })
    });
    let job = long.make(payer, order, prepare).await?;
    let none = || Failure::new(Kind::Upstream, "1min.ai returned no audio.").with_retry(false);
    let asset = job.assets.into_iter().next().ok_or_else(none)?;
    let extension = asset.extension();
    Ok(Speech {
        content_type: speech::type_of(extension.as_deref().unwrap_or("mp3")),
        asset,
        bytes: None,
        ignored: payload.ignored,
        credits: job.credits.map(onemin::prices::to_credits),
    })
}

/// Events with pieces of speech; one that broke off ends without `done`.
fn deltas(download: Download) -> impl futures_util::Stream<Item = Result<Bytes, Failure>> {
    stream::unfold(Some((download, Vec::new())), async |state| {
        let (mut download, mut rest): (Download, Vec<u8>) = state?;
        match download.next().await {
            Some(Ok(bytes)) => {
                rest.extend_from_slice(&bytes);
                let whole = rest.len() / 3 * 3;
                let piece = STANDARD.encode(rest.get(..whole).unwrap_or_default());
                rest.drain(..whole);
                let delta = Bytes::from(audio::speech_delta(&piece));
                Some((Ok(delta), Some((download, rest))))
            }
            Some(Err(error)) => Some((Err(of_upstream(&error)), None)),
            None => {
                let mut last = if rest.is_empty() {
                    Vec::new()
                } else {
                    audio::speech_delta(&STANDARD.encode(&rest))
                };
                last.extend_from_slice(&audio::speech_done());
                Some((Ok(Bytes::from(last)), None))
            }
        }
    })
}
