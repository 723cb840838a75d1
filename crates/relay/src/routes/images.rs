//! `/v1/images/generations`, `/edits` and `/variations`.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Request};
use onemin::ApiKey;
use translate::chat_request::{Attachment, Delivery, Source};
use translate::dialect::openai::media::images::{self as wire, ImageRequest};
use translate::failure::Failure;

use crate::access::account_id::AccountId;
use crate::app::Relay;
use crate::clock;
use crate::http::admit::{self, AdmittedRequest};
use crate::http::body;
use crate::http::event_stream;
use crate::http::multipart::{self, Form};
use crate::http::reply;
use crate::media::images::{self, Images};
use crate::uploads::Uploads;

/// Images from text.
pub async fn generations(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    admit::answer(
        relay,
        "images.generations",
        request,
        async |relay, asked: AdmittedRequest| {
            let body = body::read(asked.body, &asked.head.headers, relay.max_body).await?;
            let mut request = wire::decode(&body)?;
            request.strict = asked.strict;
            check_text_only(&request)?;
            permit(&relay, &mut request)?;
            let (key, account) = (asked.caller.key, asked.owner);
            respond(&relay, request.delivery, {
                let media = relay.media.clone();
                async move {
                    let prepared = media.prepare_generation(&key, request.clone()).await?;
                    let made = media.run_images(&key, account, prepared).await?;
                    Ok(response("image_generation", &request, &made))
                }
            })
            .await
        },
    )
    .await
}

/// An image edited by text.
pub async fn edits(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    admit::answer(
        relay,
        "images.edits",
        request,
        async |relay, asked: AdmittedRequest| {
            let (key, account) = (asked.caller.key.clone(), asked.owner);
            let ImageInput {
                request,
                images,
                mask,
            } = read(&relay, asked).await?;
            let uploads = relay.media.uploads();
            let sources = upload_all(uploads, &key, account, &images, "image").await?;
            let mask = upload_all(uploads, &key, account, &mask, "mask")
                .await?
                .pop();
            respond(&relay, request.delivery, {
                let media = relay.media.clone();
                async move {
                    let prepared = media.prepare_edit(&request, sources, mask)?;
                    let made = media.run_images(&key, account, prepared).await?;
                    Ok(response("image_edit", &request, &made))
                }
            })
            .await
        },
    )
    .await
}

/// An image varied.
pub async fn variations(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    admit::answer(
        relay,
        "images.variations",
        request,
        async |relay, asked: AdmittedRequest| {
            let (key, account) = (asked.caller.key.clone(), asked.owner);
            let ImageInput {
                request,
                images,
                mask,
            } = read(&relay, asked).await?;
            if images.len() > 1 {
                let message = "A variation is made of one image: send one `image`.";
                return Err(Failure::invalid("image", message));
            }
            if !mask.is_empty() {
                let message = "A variation takes no `mask`: POST /v1/images/edits does.";
                return Err(Failure::invalid("mask", message));
            }
            let known_as = images.first().and_then(known_as);
            let uploads = relay.media.uploads();
            let sources = upload_all(uploads, &key, account, &images, "image").await?;
            let source = sources
                .into_iter()
                .next()
                .ok_or_else(images::missing_image)?;
            respond(&relay, request.delivery, {
                let media = relay.media.clone();
                async move {
                    let known_as = known_as.as_deref().unwrap_or(&source);
                    let varying = media.vary_image(&key, account, &request, &source, known_as);
                    let made = Box::pin(varying).await?;
                    Ok(response("image_variation", &request, &made))
                }
            })
            .await
        },
    )
    .await
}

/// The response as it is made; a stream has heartbeats until then.
async fn respond(
    relay: &Relay,
    delivery: Delivery,
    making: impl Future<Output = Result<Response, Failure>> + Send + 'static,
) -> Result<Response, Failure> {
    match delivery {
        Delivery::Streamed => event_stream::events(relay.heartbeat, making).await,
        Delivery::Whole => making.await,
    }
}

/// The name under which an image may have been generated here.
fn known_as(image: &Attachment) -> Option<String> {
    match &image.source {
        Source::Url(url) => Some(url.clone()),
        _ => image.name.clone(),
    }
}

/// The model that is meant, if the operator permits it.
fn permit(relay: &Relay, request: &mut ImageRequest) -> Result<(), Failure> {
    if let Some(model) = &mut request.model {
        *model = relay.catalogue.permitted(model)?;
    }
    Ok(())
}

/// Who sends an image along wants it edited, and would pay for one that has nothing of it.
fn check_text_only(request: &ImageRequest) -> Result<(), Failure> {
    let given = [
        ("image", !request.images.is_empty()),
        ("mask", request.mask.is_some()),
    ];
    let Some((name, _)) = given.into_iter().find(|(_, is_given)| *is_given) else {
        return Ok(());
    };
    let message = format!(
        "`{name}` is not accepted here: images are generated from text. POST /v1/images/edits edits an image, /v1/images/variations varies one."
    );
    Err(Failure::invalid(name, message))
}

/// A request that begins with images.
struct ImageInput {
    request: ImageRequest,
    images: Vec<Attachment>,
    mask: Vec<Attachment>,
}

/// A form, or JSON with addresses in the place of files.
async fn read(relay: &Relay, asked: AdmittedRequest) -> Result<ImageInput, Failure> {
    let strict = asked.strict;
    let mut input = if is_json(&asked.head.headers) {
        let body = body::read(asked.body, &asked.head.headers, relay.max_body).await?;
        named(wire::decode(&body)?)
    } else {
        of_form(multipart::read(asked.head, asked.body, relay.max_body).await?)?
    };
    input.request.strict = strict;
    permit(relay, &mut input.request)?;
    if input.images.is_empty() {
        return Err(images::missing_image());
    }
    if input.mask.len() > 1 {
        return Err(Failure::invalid("mask", "There can be one `mask` only."));
    }
    Ok(input)
}

fn is_json(headers: &HeaderMap) -> bool {
    const JSON: &[u8] = b"application/json";
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let beginning = kind.and_then(|kind| kind.get(..JSON.len()));
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(JSON))
}

fn named(mut request: ImageRequest) -> ImageInput {
    ImageInput {
        images: std::mem::take(&mut request.images),
        mask: request.mask.take().into_iter().collect(),
        request,
    }
}

fn of_form(form: Form) -> Result<ImageInput, Failure> {
    let mut input = named(wire::of_fields(form.fields)?);
    for file in form.files {
        let media = Attachment {
            source: Source::Inline(file.bytes),
            name: file.file_name,
            mime: file.mime,
        };
        match file.field.as_str() {
            "image" | "images" => input.images.push(media),
            "mask" => input.mask.push(media),
            other => {
                let other: String = other.chars().take(60).collect();
                let message = format!(
                    "Unexpected file `{other}`: send the image as `image`, and for an edit a `mask`."
                );
                return Err(Failure::invalid(other, message));
            }
        }
    }
    Ok(input)
}

/// The paths of attachments at upstream, once they are uploaded.
async fn upload_all(
    uploads: &Uploads,
    key: &ApiKey,
    account: AccountId,
    images: &[Attachment],
    field: &str,
) -> Result<Vec<String>, Failure> {
    let mut paths = Vec::with_capacity(images.len());
    for image in images {
        let path = uploads.upload_image(key, account, image).await;
        paths.push(path.map_err(|failure| failure.with_param(field))?);
    }
    Ok(paths)
}

fn response(kind: &str, request: &ImageRequest, made: &Images) -> Response {
    let now = clock::now();
    let mut response = match request.delivery {
        Delivery::Whole => reply::json(200, wire::document(now, &made.prompt, &made.images)),
        Delivery::Streamed => {
            let images = made.images.iter();
            let events = images.map(|image| wire::completed(kind, now, request, image));
            reply::events(Body::from(events.collect::<Vec<_>>().concat()))
        }
    };
    let headers = response.headers_mut();
    reply::ignored(headers, &made.ignored);
    reply::charged(headers, made.credits);
    reply::made_by(headers, &made.model);
    response
}
