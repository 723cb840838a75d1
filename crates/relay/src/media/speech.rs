//! Texts, spoken by 1min.ai; the bytes go to the client as they come.

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::header::{self, HeaderValue};
use onemin::models::Feature;
use onemin::speech::{self, SpeechParams};
use onemin::{ApiKey, Download, Mode, Payload, ResultAsset};
use translate::dialect::openai::media::audio::{self, SpeechRequest};
use translate::failure::{Failure, Kind};
use translate::plan;

use crate::app::Relay;
use crate::failure::{of_download, of_upstream};
use crate::http::logged_body::Broken;
use crate::http::reply;
use crate::media::images::{self, invalid};

/// Speech that upstream has made.
#[derive(Debug)]
pub struct Spoken {
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

/// The paid call that a request comes down to, and what of the request has no effect.
///
/// # Errors
/// What cannot be spoken as asked.
pub fn payload(request: &SpeechRequest) -> Result<Payload, Failure> {
    let params = SpeechParams {
        input: request.input.clone(),
        voice: request.voice.clone(),
        format: request.response_format.clone(),
        speed: request.speed,
        language: request.language.clone(),
        extra: request.extra.clone(),
    };
    let payload = speech::payload(&request.model, &params).map_err(invalid)?;
    let mut ignored = request.ignored.clone();
    ignored.extend(payload.ignored);
    Ok(Payload { ignored, ..payload })
}

/// Has a text spoken.
///
/// # Errors
/// What cannot be spoken as asked, or why upstream did not.
pub async fn speak(
    relay: &Relay,
    key: &ApiKey,
    request: &SpeechRequest,
) -> Result<Spoken, Failure> {
    let payload = payload(request)?;
    plan::reject_ignored(request.strict, &payload.ignored)?;
    let outcome = match relay.client.feature(key, &payload, Mode::Held).await {
        Ok(outcome) => outcome,
        Err(error) => {
            let failure = of_upstream(&error);
            return Err(relay
                .catalogue
                .with_alternatives(failure, Feature::TextToSpeech)
                .await);
        }
    };
    let inline = outcome.inline.as_ref();
    let asset = inline.map(|file| ResultAsset::of_path(images::data_uri(file)));
    let asset = asset.or_else(|| outcome.assets.into_iter().next());
    let asset = asset.ok_or_else(|| {
        Failure::new(
            Kind::Upstream,
            "1min.ai said that the text is spoken, and gave no recording.",
        )
        .with_retry(false)
    })?;
    Ok(Spoken {
        asset,
        bytes: outcome.inline.map(|file| file.bytes),
        content_type: speech::content_type(&payload),
        ignored: payload.ignored,
        credits: outcome.accounting.credits,
    })
}

/// The bytes, or events that carry them, as they come from upstream.
///
/// # Errors
/// The recording cannot be had.
pub async fn answer(relay: &Relay, spoken: Spoken, events: bool) -> Result<Response, Failure> {
    if let Some(bytes) = spoken.bytes {
        if events {
            let mut body = audio::speech_delta(&STANDARD.encode(&bytes));
            body.extend_from_slice(&audio::speech_done());
            return Ok(reply::events(Body::from(body)));
        }
        let kind = HeaderValue::from_static(spoken.content_type);
        let mut response = Response::new(Body::from(bytes));
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        return Ok(response);
    }
    let download = relay.client.download(&spoken.asset).await;
    let download =
        download.map_err(|error| of_download(&error, &images::url(relay, &spoken.asset)))?;
    if events {
        return Ok(reply::events(Body::from_stream(deltas(download))));
    }
    let length = download.length;
    let mut response = Response::new(Body::from_stream(stream::unfold(
        download,
        async |mut download| {
            let next = download.next().await?;
            Some((next.map_err(|error| Broken(of_upstream(&error))), download))
        },
    )));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(spoken.content_type),
    );
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(response)
}

/// Events with pieces of speech; one that broke off ends without `done`.
fn deltas(download: Download) -> impl futures_util::Stream<Item = Result<Bytes, Broken>> {
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
            Some(Err(error)) => Some((Err(Broken(of_upstream(&error))), None)),
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
