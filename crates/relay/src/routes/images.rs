//! `/v1/images/generations`, `/edits` and `/variations`.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request};
use onemin::ApiKey;
use translate::dialect::openai::media::images::{self, ImageRequest};
use translate::dialect::request::picture;
use translate::failure::Failure;
use translate::turn::{Delivery, Media, Source};

use crate::app::Relay;
use crate::endpoint::{self, Asked};
use crate::form::{self, Form};
use crate::pictures::{self, Made};
use crate::respond;

/// Pictures from text.
pub async fn generations(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    endpoint::answer(
        relay,
        "images.generations",
        request,
        async |relay, asked: Asked| {
            let body = respond::read(asked.body, &asked.head.headers, relay.max_body).await?;
            let mut request = images::decode(&body)?;
            permit(&relay, &mut request)?;
            let made = pictures::draw(&relay, &asked.caller.key, &request).await?;
            Ok(answer("image_generation", &request, &made))
        },
    )
    .await
}

/// A picture changed by words.
pub async fn edits(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    endpoint::answer(
        relay,
        "images.edits",
        request,
        async |relay, asked: Asked| {
            let key = asked.caller.key.clone();
            let (mut request, form) = read(&relay, asked).await?;
            permit(&relay, &mut request)?;
            let sources = sources(&relay, &key, &request, &form, "image").await?;
            let mask = self::sources(&relay, &key, &ImageRequest::default(), &form, "mask").await?;
            let made =
                pictures::edit(&relay, &key, &request, sources, mask.into_iter().next()).await?;
            Ok(answer("image_edit", &request, &made))
        },
    )
    .await
}

/// A picture varied.
pub async fn variations(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    endpoint::answer(
        relay,
        "images.variations",
        request,
        async |relay, asked: Asked| {
            let key = asked.caller.key.clone();
            let (mut request, form) = read(&relay, asked).await?;
            permit(&relay, &mut request)?;
            let sources = sources(&relay, &key, &request, &form, "image").await?;
            let source = sources.first().ok_or_else(|| {
                Failure::invalid(
                    "image",
                    "`image` is missing: send the picture as a part of the form.",
                )
            })?;
            let known_as = known_as(&request, &form).unwrap_or(source);
            let made = pictures::vary(&relay, &key, &request, source, known_as).await?;
            Ok(answer("image_variation", &request, &made))
        },
    )
    .await
}

/// The name under which a picture may have been drawn here.
fn known_as<'r>(request: &'r ImageRequest, form: &'r Form) -> Option<&'r str> {
    let file = form.files.iter().find(|file| file.field == "image");
    let url = request.images.first().map(String::as_str);
    file.and_then(|file| file.file_name.as_deref()).or(url)
}

/// The model that is meant, if the operator permits it.
fn permit(relay: &Relay, request: &mut ImageRequest) -> Result<(), Failure> {
    if let Some(model) = &mut request.model {
        *model = relay.catalogue.permitted(model)?;
    }
    Ok(())
}

/// A form, or JSON with URLs in the place of files.
async fn read(relay: &Relay, asked: Asked) -> Result<(ImageRequest, Form), Failure> {
    let json = asked.head.headers.get(header::CONTENT_TYPE);
    if json.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        let body = respond::read(asked.body, &asked.head.headers, relay.max_body).await?;
        return Ok((images::decode(&body)?, Form::default()));
    }
    let mut form = form::read(asked.head, asked.body, relay.max_body).await?;
    let request = images::of_fields(std::mem::take(&mut form.fields))?;
    Ok((request, form))
}

/// The pictures of a request, brought to upstream.
async fn sources(
    relay: &Relay,
    key: &ApiKey,
    request: &ImageRequest,
    form: &Form,
    field: &str,
) -> Result<Vec<String>, Failure> {
    let mut media = Vec::new();
    for file in form.files.iter().filter(|file| file.field == field) {
        media.push(Media {
            source: Source::Inline(file.bytes.clone()),
            name: file.file_name.clone(),
            mime: file.mime.clone(),
        });
    }
    for url in &request.images {
        media.push(picture(url.clone(), field)?);
    }
    let mut paths = Vec::with_capacity(media.len());
    for media in media {
        let brought = relay.attacher.picture(key, &media).await;
        paths.push(brought.map_err(|failure| failure.with_param(field))?);
    }
    Ok(paths)
}

fn answer(kind: &str, request: &ImageRequest, made: &Made) -> Response {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let mut response = match request.delivery {
        Delivery::Whole => {
            respond::json(200, images::document(now, &request.prompt, &made.pictures))
        }
        Delivery::Streamed => {
            let events = made
                .pictures
                .iter()
                .map(|picture| images::completed(kind, now, request, picture));
            respond::events(Body::from(events.collect::<Vec<_>>().concat()))
        }
    };
    costs(response.headers_mut(), &made.ignored, made.credits);
    response
}

/// What a client is told beside the answer.
pub(super) fn costs(headers: &mut HeaderMap, ignored: &[String], credits: Option<f64>) {
    if !ignored.is_empty()
        && let Ok(ignored) = HeaderValue::try_from(ignored.join(", "))
    {
        headers.insert(HeaderName::from_static("x-relay-ignored"), ignored);
    }
    if let Some(credits) = credits.and_then(|c| HeaderValue::try_from(c.to_string()).ok()) {
        headers.insert(HeaderName::from_static("x-relay-credits"), credits);
    }
}
