//! `/v1/audio/transcriptions`, `/translations` and `/speech`, and what there is to speak with.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Request};
use onemin::models::Feature;
use serde::Serialize;
use serde_json::json;
use translate::dialect::openai::media::audio;
use translate::failure::Failure;
use translate::media::SpeechRequest;

use crate::access::Access;
use crate::http::admit::{self, AdmittedRequest, Answer};
use crate::http::event_stream::deferred::{DeferredEvents, MadeEvents};
use crate::http::reply;
use crate::jobs::LongJobs;
use crate::ledger::Payer;
use crate::media::Media;
use crate::media::speech::{self, Speech};
use crate::media::transcription::{Task, Transcription};
use crate::models::Models;

/// Audio transcribed.
pub async fn transcriptions(
    State(access): State<Arc<Access>>,
    State(media): State<Media>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "audio.transcriptions",
        request,
        async |asked: AdmittedRequest| transcribe(media, asked, Task::Transcribe).await,
    )
    .await
}

/// Audio transcribed in English.
pub async fn translations(
    State(access): State<Arc<Access>>,
    State(media): State<Media>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "audio.translations",
        request,
        async |asked: AdmittedRequest| transcribe(media, asked, Task::Translate).await,
    )
    .await
}

async fn transcribe(media: Media, asked: AdmittedRequest, task: Task) -> Result<Answer, Failure> {
    let payer = asked.payer;
    let mut request = media
        .read_transcription(&payer, asked.head, asked.body)
        .await?;
    request.strict = asked.strict;
    if request.streamed {
        let making = async move {
            let made = media.transcribe(&payer, &request, task).await?;
            let events = audio::transcript_events(&made.transcript.text);
            Ok(MadeEvents::whole(transcription_headers(&made), events))
        };
        return Ok(DeferredEvents::new(making).into());
    }
    let made = media.transcribe(&payer, &request, task).await?;
    let body = request.format.written(&made.transcript, task.name())?;
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static(request.format.content_type());
    headers.insert(header::CONTENT_TYPE, kind);
    headers.extend(transcription_headers(&made));
    Ok(response.into())
}

fn transcription_headers(made: &Transcription) -> HeaderMap {
    let mut headers = HeaderMap::new();
    reply::ignored_header(&mut headers, &made.ignored);
    reply::credits_header(&mut headers, made.credits);
    reply::model_header(&mut headers, &made.model);
    headers
}

/// Speech from text.
pub async fn speech(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    State(media): State<Media>,
    State(long): State<LongJobs>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "audio.speech",
        request,
        async |mut asked: AdmittedRequest| {
            let mut request = asked.decode_body(audio::speech).await?;
            request.model = models.permitted(&request.model)?;
            request.strict = asked.strict;
            let payer = asked.payer;
            if request.events {
                let making = async move {
                    let (speech, headers) = synthesize(&media, &long, &payer, &request).await?;
                    media.speech_events(speech, headers).await
                };
                return Ok(DeferredEvents::new(making).into());
            }
            let (speech, headers) = synthesize(&media, &long, &payer, &request).await?;
            let mut response = media.speech_response(speech).await?;
            response.headers_mut().extend(headers);
            Ok(Answer::from(response))
        },
    )
    .await
}

async fn synthesize(
    media: &Media,
    long: &LongJobs,
    payer: &Payer,
    request: &SpeechRequest,
) -> Result<(Speech, HeaderMap), Failure> {
    let prepared = speech::prepare(request)?;
    let made = media.synthesize(payer, long, prepared).await?;
    let mut headers = HeaderMap::new();
    reply::ignored_header(&mut headers, &made.ignored);
    reply::credits_header(&mut headers, made.credits);
    Ok((made, headers))
}

/// The voices that speech can be asked for in, as Open WebUI and its like list them. No key is
/// needed, as for the list of models.
pub async fn list_voices(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    let (head, _) = request.into_parts();
    admit::answer_anyone(&access, "audio.voices", &head, async |_| Ok(voices())).await
}

fn voices() -> Response {
    let voices = onemin::speech::voices::named().map(|voice| Listed {
        id: voice.name.to_owned(),
        name: match voice.provider {
            Some(provider) => format!("{} ({provider})", voice.name),
            None => voice.name.to_owned(),
        },
    });
    let voices: Vec<Listed> = voices.collect();
    admit::json(&json!({"voices": voices}))
}

/// The models that speak or make music, for the same clients.
pub async fn list_models(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    request: Request<Body>,
) -> Response {
    let (head, _) = request.into_parts();
    admit::answer_anyone(&access, "audio.models", &head, async |_| {
        Ok(speech_models(&models).await)
    })
    .await
}

async fn speech_models(models: &Models) -> Response {
    let (models, _) = models.list().await;
    let speaking = models.into_iter().filter(|model| {
        model.serves(Feature::TextToSpeech) || model.serves(Feature::MusicGenerator)
    });
    let models: Vec<Listed> = speaking
        .map(|model| Listed {
            id: model.id,
            name: model.name,
        })
        .collect();
    admit::json(&json!({"models": models}))
}

#[derive(Serialize)]
struct Listed {
    id: String,
    name: String,
}
