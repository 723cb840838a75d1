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

use crate::app::Relay;
use crate::clock;
use crate::http::admit::{self, Asked};
use crate::http::event_stream;
use crate::http::multipart::{self, Form};
use crate::http::reply;
use crate::media::images::{self, Made};

/// Pictures from text.
pub async fn generations(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    admit::answer(
        relay,
        "images.generations",
        request,
        async |relay, asked: Asked| {
            let body = reply::read(asked.body, &asked.head.headers, relay.max_body).await?;
            let mut request = wire::decode(&body)?;
            request.strict = asked.strict;
            from_words_alone(&request)?;
            permit(&relay, &mut request)?;
            let key = asked.caller.key;
            in_time(&relay, request.delivery, {
                let relay = relay.clone();
                async move {
                    let made = images::draw(&relay, &key, &request).await?;
                    Ok(answer("image_generation", &request, &made))
                }
            })
            .await
        },
    )
    .await
}

/// A picture changed by words.
pub async fn edits(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    admit::answer(
        relay,
        "images.edits",
        request,
        async |relay, asked: Asked| {
            let key = asked.caller.key.clone();
            let order = read(&relay, asked).await?;
            let request = order.request;
            let sources = brought(&relay, &key, order.images, "image").await?;
            let mask = brought(&relay, &key, order.mask, "mask").await?.pop();
            in_time(&relay, request.delivery, {
                let relay = relay.clone();
                async move {
                    let made = images::edit(&relay, &key, &request, sources, mask).await?;
                    Ok(answer("image_edit", &request, &made))
                }
            })
            .await
        },
    )
    .await
}

/// A picture varied.
pub async fn variations(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    admit::answer(
        relay,
        "images.variations",
        request,
        async |relay, asked: Asked| {
            let key = asked.caller.key.clone();
            let order = read(&relay, asked).await?;
            let request = order.request;
            if order.images.len() > 1 {
                let message = "A variation is made of one picture: send one `image`.";
                return Err(Failure::invalid("image", message));
            }
            if !order.mask.is_empty() {
                let message = "A variation takes no `mask`: POST /v1/images/edits does.";
                return Err(Failure::invalid("mask", message));
            }
            let known_as = order.images.first().and_then(known_as);
            let sources = brought(&relay, &key, order.images, "image").await?;
            let source = sources.into_iter().next().ok_or_else(images::no_source)?;
            in_time(&relay, request.delivery, {
                let relay = relay.clone();
                async move {
                    let known_as = known_as.as_deref().unwrap_or(&source);
                    let varying = images::vary(&relay, &key, &request, &source, known_as);
                    let made = Box::pin(varying).await?;
                    Ok(answer("image_variation", &request, &made))
                }
            })
            .await
        },
    )
    .await
}

/// A stream shows that it lives while its pictures are made.
async fn in_time(
    relay: &Relay,
    delivery: Delivery,
    making: impl Future<Output = Result<Response, Failure>> + Send + 'static,
) -> Result<Response, Failure> {
    match delivery {
        Delivery::Streamed => event_stream::events(relay.heartbeat, making).await,
        Delivery::Whole => making.await,
    }
}

/// The name under which a picture may have been drawn here.
fn known_as(picture: &Attachment) -> Option<String> {
    match &picture.source {
        Source::Url(url) => Some(url.clone()),
        _ => picture.name.clone(),
    }
}

/// The model that is meant, if the operator permits it.
fn permit(relay: &Relay, request: &mut ImageRequest) -> Result<(), Failure> {
    if let Some(model) = &mut request.model {
        *model = relay.catalogue.permitted(model)?;
    }
    Ok(())
}

/// Who sends a picture along wants it changed, and would pay for one that has nothing of it.
fn from_words_alone(request: &ImageRequest) -> Result<(), Failure> {
    let given = [
        ("image", !request.images.is_empty()),
        ("mask", request.mask.is_some()),
    ];
    let Some((name, _)) = given.into_iter().find(|(_, is_given)| *is_given) else {
        return Ok(());
    };
    let message = format!(
        "`{name}` has no place here: pictures are drawn from words alone. POST /v1/images/edits changes a picture, /v1/images/variations varies one."
    );
    Err(Failure::invalid(name, message))
}

/// A request that begins with pictures.
struct Order {
    request: ImageRequest,
    images: Vec<Attachment>,
    mask: Vec<Attachment>,
}

/// A form, or JSON with addresses in the place of files.
async fn read(relay: &Relay, asked: Asked) -> Result<Order, Failure> {
    let strict = asked.strict;
    let mut order = if is_json(&asked.head.headers) {
        let body = reply::read(asked.body, &asked.head.headers, relay.max_body).await?;
        named(wire::decode(&body)?)
    } else {
        of_form(multipart::read(asked.head, asked.body, relay.max_body).await?)?
    };
    order.request.strict = strict;
    permit(relay, &mut order.request)?;
    if order.images.is_empty() {
        return Err(images::no_source());
    }
    if order.mask.len() > 1 {
        return Err(Failure::invalid("mask", "There can be one `mask` only."));
    }
    Ok(order)
}

fn is_json(headers: &HeaderMap) -> bool {
    const JSON: &[u8] = b"application/json";
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let beginning = kind.and_then(|kind| kind.get(..JSON.len()));
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(JSON))
}

fn named(mut request: ImageRequest) -> Order {
    Order {
        images: std::mem::take(&mut request.images),
        mask: request.mask.take().into_iter().collect(),
        request,
    }
}

fn of_form(form: Form) -> Result<Order, Failure> {
    let mut order = named(wire::of_fields(form.fields)?);
    for file in form.files {
        let media = Attachment {
            source: Source::Inline(file.bytes),
            name: file.file_name,
            mime: file.mime,
        };
        match file.field.as_str() {
            "image" | "images" => order.images.push(media),
            "mask" => order.mask.push(media),
            other => {
                let other: String = other.chars().take(60).collect();
                let message = format!(
                    "`{other}` is no file of this form: send the picture as `image`, and for an edit a `mask`."
                );
                return Err(Failure::invalid(other, message));
            }
        }
    }
    Ok(order)
}

/// The pictures of a request, brought to upstream.
async fn brought(
    relay: &Relay,
    key: &ApiKey,
    media: Vec<Attachment>,
    field: &str,
) -> Result<Vec<String>, Failure> {
    let mut paths = Vec::with_capacity(media.len());
    for media in media {
        let brought = relay.attacher.picture(key, &media).await;
        paths.push(brought.map_err(|failure| failure.with_param(field))?);
    }
    Ok(paths)
}

fn answer(kind: &str, request: &ImageRequest, made: &Made) -> Response {
    let now = clock::now();
    let mut response = match request.delivery {
        Delivery::Whole => reply::json(200, wire::document(now, &made.prompt, &made.pictures)),
        Delivery::Streamed => {
            let events = made
                .pictures
                .iter()
                .map(|picture| wire::completed(kind, now, request, picture));
            reply::events(Body::from(events.collect::<Vec<_>>().concat()))
        }
    };
    let headers = response.headers_mut();
    reply::ignored(headers, &made.ignored);
    reply::charged(headers, made.credits);
    reply::made_by(headers, &made.model);
    response
}
