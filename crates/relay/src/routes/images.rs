//! `/v1/images/generations`, `/edits` and `/variations`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Request};
use translate::chat_request::{Attachment, Delivery, Source};
use translate::dialect::openai::media::images as wire;
use translate::failure::Failure;
use translate::media::ImageRequest;
use translate::quote::quote;

use crate::access::Access;
use crate::clock;
use crate::http::admit::{self, AdmittedRequest, Answer};
use crate::http::event_stream::deferred::{DeferredEvents, MadeEvents};
use crate::http::multipart::{self, Form};
use crate::http::reply;
use crate::jobs::LongJobs;
use crate::ledger::Payer;
use crate::media::Media;
use crate::media::images::{self, Images};
use crate::models::Models;
use crate::uploads::{OtherAccounts, Uploads};

/// Images from text.
pub async fn generations(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    State(media): State<Media>,
    State(long): State<LongJobs>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "images.generations",
        request,
        async |mut asked: AdmittedRequest| {
            let mut request = asked.decode_body(wire::decode).await?;
            request.strict = asked.strict;
            check_text_only(&request)?;
            permit(&models, &mut request)?;
            let payer = asked.payer;
            let wanted = request.clone();
            let making = async move {
                let prepared = media.prepare_generation(&payer, wanted).await?;
                media.run_images(&payer, &long, prepared).await
            };
            respond("image_generation", request, Box::pin(making)).await
        },
    )
    .await
}

/// An image edited by text.
pub async fn edits(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    State(media): State<Media>,
    State(long): State<LongJobs>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "images.edits",
        request,
        async |asked: AdmittedRequest| {
            let payer = asked.payer.clone();
            let ImageInput {
                request,
                images,
                mask,
            } = read(&models, asked).await?;
            let uploads = media.uploads();
            let named = [(images.as_slice(), "image"), (mask.as_slice(), "mask")];
            let [sources, mut mask] = upload_all(uploads, &payer, named).await?;
            let mask = mask.pop();
            let wanted = request.clone();
            let making = async move {
                let prepared = media.prepare_edit(&wanted, sources, mask)?;
                media.run_images(&payer, &long, prepared).await
            };
            respond("image_edit", request, Box::pin(making)).await
        },
    )
    .await
}

/// An image varied.
pub async fn variations(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    State(media): State<Media>,
    State(long): State<LongJobs>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "images.variations",
        request,
        async |asked: AdmittedRequest| {
            let payer = asked.payer.clone();
            let ImageInput {
                request,
                images,
                mask,
            } = read(&models, asked).await?;
            if images.len() > 1 {
                let message = "A variation is made of one image: send one `image`.";
                return Err(Failure::invalid("image", message));
            }
            if !mask.is_empty() {
                let message = "A variation takes no `mask`: POST /v1/images/edits does.";
                return Err(Failure::invalid("mask", message));
            }
            let known_as = images.first().and_then(known_as);
            let uploads = media.uploads();
            let named = [(images.as_slice(), "image")];
            let [sources] = upload_all(uploads, &payer, named).await?;
            let source = sources
                .into_iter()
                .next()
                .ok_or_else(images::missing_image)?;
            let wanted = request.clone();
            let making = async move {
                let known_as = known_as.as_deref().unwrap_or(&source);
                let varying = media.vary_image(&payer, &long, &wanted, &source, known_as);
                varying.await
            };
            respond("image_variation", request, Box::pin(making)).await
        },
    )
    .await
}

/// The answer with what is made; a stream has heartbeats until then.
async fn respond(
    kind: &'static str,
    request: ImageRequest,
    making: BoxFuture<'static, Result<Images, Failure>>,
) -> Result<Answer, Failure> {
    if request.delivery == Delivery::Streamed {
        let making = async move {
            let made = making.await?;
            let now = clock::now();
            let images = made.images.iter();
            let events = images.map(|image| wire::completed(kind, now, &request, image));
            let events = events.collect::<Vec<_>>().concat();
            Ok(MadeEvents::whole(image_headers(&made), events))
        };
        return Ok(DeferredEvents::new(making).into());
    }
    let made = making.await?;
    let body = wire::document(clock::now(), &made.prompt, &made.images);
    let mut response = reply::json(200, body);
    response.headers_mut().extend(image_headers(&made));
    Ok(response.into())
}

fn image_headers(made: &Images) -> HeaderMap {
    let mut headers = HeaderMap::new();
    reply::ignored_header(&mut headers, &made.ignored);
    reply::credits_header(&mut headers, made.credits);
    reply::model_header(&mut headers, &made.model);
    headers
}

/// The name under which an image may have been generated here.
fn known_as(image: &Attachment) -> Option<String> {
    match &image.source {
        Source::Url(url) => Some(url.clone()),
        _ => image.name.clone(),
    }
}

/// The model that is meant, if the operator permits it.
fn permit(models: &Models, request: &mut ImageRequest) -> Result<(), Failure> {
    if let Some(model) = &mut request.model {
        *model = models.permitted(model)?;
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

/// The fields of a form that are files.
const FILE_FIELDS: [&str; 3] = ["image", "images", "mask"];

/// A form, or JSON with addresses in the place of files.
async fn read(models: &Models, mut asked: AdmittedRequest) -> Result<ImageInput, Failure> {
    let strict = asked.strict;
    let mut input = if is_json(&asked.head.headers) {
        named(asked.decode_body(wire::decode).await?)
    } else {
        of_form(multipart::read(asked.head, asked.body, asked.max_body, &FILE_FIELDS).await?)?
    };
    input.request.strict = strict;
    permit(models, &mut input.request)?;
    if input.images.is_empty() {
        return Err(images::missing_image());
    }
    if input.mask.len() > 1 {
        return Err(Failure::invalid("mask", "Only one `mask` is allowed."));
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
                let other = quote(other);
                let message = format!(
                    "Unexpected file `{other}`: send the image as `image`, and for an edit a `mask`."
                );
                return Err(Failure::invalid(other, message));
            }
        }
    }
    Ok(input)
}

/// The paths of the images of each field at upstream, once all are uploaded to one account.
async fn upload_all<const N: usize>(
    uploads: &Uploads,
    payer: &Payer,
    fields: [(&[Attachment], &str); N],
) -> Result<[Vec<String>; N], Failure> {
    let mut others = OtherAccounts::default();
    'account: loop {
        let mut paths = [const { Vec::new() }; N];
        for (paths, (images, field)) in paths.iter_mut().zip(fields) {
            match upload_field(uploads, payer, images, field).await {
                Ok(uploaded) => *paths = uploaded,
                Err(failure) => {
                    others.change(payer, failure)?;
                    continue 'account;
                }
            }
        }
        return Ok(paths);
    }
}

async fn upload_field(
    uploads: &Uploads,
    payer: &Payer,
    images: &[Attachment],
    field: &str,
) -> Result<Vec<String>, Failure> {
    let mut paths = Vec::with_capacity(images.len());
    for image in images {
        let path = uploads.upload_image(payer, image).await;
        paths.push(path.map_err(|failure| failure.with_param(field))?);
    }
    Ok(paths)
}
