//! `/v1/videos`: asked for, looked at, listed, fetched and deleted.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use futures_util::stream;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request, StatusCode, Uri};
use onemin::{Download, Error};
use translate::chat_request::{Attachment, Source};
use translate::dialect::openai::chat;
use translate::dialect::openai::media::videos::{
    self as wire, DeletedVideo, Status, Video, VideoError, unknown,
};
use translate::dialect::openai::page::Page;
use translate::failure::{Failure, Kind};
use translate::media::VideoRequest;
use translate::quote::quote;

use super::files::{page_query, query};
use crate::access::Access;
use crate::failure::{of_download, of_upstream};
use crate::http::admit::{self, AdmittedRequest};
use crate::http::context::RequestContext;
use crate::http::logged_body::BodyError;
use crate::http::{multipart, reply};
use crate::jobs::Jobs;
use crate::jobs::job::{Job, State as JobState};
use crate::ledger::Payer;
use crate::media::Media;
use crate::media::video::{ID_PREFIX, is_video};

/// The entries of a page if the client does not say, and the most.
const PAGE: (usize, usize) = (20, 100);

/// Tells OpenAI's SDKs how long to wait before they ask again, in milliseconds.
const POLL_AFTER: (HeaderName, HeaderValue) = (
    HeaderName::from_static("openai-poll-after-ms"),
    HeaderValue::from_static("5000"),
);

/// Asks for a video.
pub async fn create(
    State(access): State<Arc<Access>>,
    State(media): State<Media>,
    State(jobs): State<Jobs>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "videos.create",
        request,
        async |asked: AdmittedRequest| {
            let (payer, strict) = (asked.payer.clone(), asked.strict);
            let request = Arc::new(read(asked).await?);
            let prepare = media.video_preparation(request, strict);
            let order = media.first_order(&payer, &prepare).await?;
            let ignored = order.payload.ignored.clone();
            let job = jobs.submit(&payer, order, prepare).await?;
            let mut response = video_response(job);
            reply::ignored_header(response.headers_mut(), &ignored);
            Ok(response)
        },
    )
    .await
}

/// A page of the caller's videos.
pub async fn list(
    State(access): State<Arc<Access>>,
    State(jobs): State<Jobs>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "videos.list",
        request,
        async |asked: AdmittedRequest| {
            let query = query(&asked.head.uri, PAGE.0, PAGE.1)?;
            let query = page_query(&query);
            let listing = jobs.list(asked.caller.id, ID_PREFIX, &query);
            let (found, has_more) = listing.await?;
            let videos = found.into_iter().map(|job| (job.id.clone(), video(job)));
            Ok(admit::json(&Page::new(videos.collect(), has_more)))
        },
    )
    .await
}

/// How far a video is.
pub async fn entry(
    State(access): State<Arc<Access>>,
    State(jobs): State<Jobs>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "videos.get",
        request,
        async |asked: AdmittedRequest| Ok(video_response(find(&jobs, &asked.payer, &id).await?)),
    )
    .await
}

/// Forgets a video.
pub async fn delete(
    State(access): State<Arc<Access>>,
    State(jobs): State<Jobs>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "videos.delete",
        request,
        async |asked: AdmittedRequest| {
            let job = find(&jobs, &asked.payer, &id).await?;
            if !job.state.is_final() {
                let message = "The video is being made: 1min.ai cannot stop it. Delete it when it is completed or has failed.";
                return Err(Failure::new(Kind::Conflict, message).with_param("video_id"));
            }
            if !jobs.delete(asked.caller.id, &id).await? {
                return Err(unknown(&id));
            }
            Ok(admit::json(&DeletedVideo::new(id.clone())))
        },
    )
    .await
}

/// A video's bytes, or those of a range.
pub async fn content(
    State(access): State<Arc<Access>>,
    State(media): State<Media>,
    State(jobs): State<Jobs>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "videos.content",
        request,
        async |asked: AdmittedRequest| {
            check_variant(&asked.head.uri)?;
            let mut job = find(&jobs, &asked.payer, &id).await?;
            check_ready(&job)?;
            let range = asked.head.headers.get(header::RANGE);
            let download = match fetch(&media, &job, range).await {
                // Signed addresses expire; asking for the job again gives new ones.
                Err(Error::Refused(refusal)) if refusal.status != Some(416) => {
                    let refreshed = jobs.refresh(&asked.payer, &mut job).await;
                    match refreshed {
                        Ok(()) => fetch(&media, &job, range).await,
                        Err(_) => Err(Error::Refused(refusal)),
                    }
                }
                fetched => fetched,
            };
            match download {
                Ok(download) => Ok(sent(download)),
                Err(Error::Refused(refusal)) if refusal.status == Some(416) => {
                    let failure = Failure::invalid("range", "The range lies outside of the video.");
                    let document = (chat::DIALECT.failure)(&failure, None);
                    Ok(reply::json(416, document.body))
                }
                Err(error) => {
                    let address = job.assets.first().map(|asset| media.url(asset));
                    Err(match address {
                        Some(address) => of_download(&error, &address),
                        None => of_upstream(&error),
                    })
                }
            }
        },
    )
    .await
}

/// What OpenAI's API does with videos and 1min.ai does not.
pub async fn not_offered(Extension(context): Extension<RequestContext>) -> Response {
    let message = "1min.ai does not edit, extend or remix videos, and keeps no characters: POST /v1/videos makes one from text and an image.";
    let failure = Failure::new(Kind::NotImplemented, message);
    reply::failure(&chat::DIALECT, &failure, context.id)
}

async fn fetch(media: &Media, job: &Job, range: Option<&HeaderValue>) -> Result<Download, Error> {
    let none = Error::Invalid("the video has no file");
    let asset = job.assets.first().ok_or(none)?;
    media.fetch_video(asset, range).await
}

/// The bytes as they come from upstream.
fn sent(download: Download) -> Response {
    let status = StatusCode::from_u16(download.status).unwrap_or(StatusCode::OK);
    let kind = download.content_type.as_deref();
    let kind = kind.filter(|kind| kind.starts_with("video/"));
    let kind = kind.unwrap_or("video/mp4").to_owned();
    let (length, range) = (download.length, download.content_range.clone());
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
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, kind);
    set(header::ACCEPT_RANGES, "bytes".to_owned());
    if let Some(length) = length {
        set(header::CONTENT_LENGTH, length.to_string());
    }
    if let Some(range) = range {
        set(header::CONTENT_RANGE, range);
    }
    response
}

/// Upstream makes the video alone.
fn check_variant(uri: &Uri) -> Result<(), Failure> {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut variants = pairs.filter(|(name, _)| name == "variant");
    match variants.next() {
        Some((_, variant)) if !variant.is_empty() && variant != "video" => {
            let message =
                "1min.ai makes no thumbnails and spritesheets: `variant` can be `video` only.";
            Err(Failure::invalid("variant", message))
        }
        _ => Ok(()),
    }
}

fn check_ready(job: &Job) -> Result<(), Failure> {
    let message = match job.state {
        JobState::Completed => return Ok(()),
        JobState::Failed => {
            let reason = job.error.as_ref().map(|error| error.message.as_str());
            format!("There is no video: {}", reason.unwrap_or("it failed."))
        }
        JobState::Submitting | JobState::Working => {
            let message =
                "The video is not ready: ask for it again when its `status` is `completed`.";
            return Err(Failure::new(Kind::Conflict, message)
                .with_param("video_id")
                .with_code("video_not_ready")
                .with_retry(false));
        }
    };
    Err(Failure::new(Kind::Conflict, message)
        .with_param("video_id")
        .with_code("video_failed")
        .with_retry(false))
}

async fn find(jobs: &Jobs, payer: &Payer, id: &str) -> Result<Job, Failure> {
    let job = jobs.get(payer, id).await?;
    job.filter(|job| is_video(job.kind))
        .ok_or_else(|| unknown(id))
}

/// The fields of a form that are files.
const FILE_FIELDS: [&str; 2] = ["input_reference", "input_references"];

/// A form, or JSON.
async fn read(mut asked: AdmittedRequest) -> Result<VideoRequest, Failure> {
    if !is_form(&asked.head.headers) {
        return asked.decode_body(wire::decode).await;
    }
    let form = multipart::read(asked.head, asked.body, asked.max_body, &FILE_FIELDS).await?;
    let mut request = wire::of_fields(form.fields)?;
    for file in form.files {
        let image = Attachment {
            source: Source::Inline(file.bytes),
            name: file.file_name,
            mime: file.mime,
        };
        match file.field.as_str() {
            "input_reference" if request.first_frame.is_none() => request.first_frame = Some(image),
            "input_reference" => {
                let message = "`input_reference` is given more than once.";
                return Err(Failure::invalid("input_reference", message));
            }
            "input_references" => request.references.push(image),
            other => {
                let other = quote(other);
                let message =
                    format!("Unexpected file `{other}`: send an image as `input_reference`.");
                return Err(Failure::invalid(other, message));
            }
        }
    }
    Ok(request)
}

fn is_form(headers: &HeaderMap) -> bool {
    const FORM: &[u8] = b"multipart/form-data";
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let beginning = kind.and_then(|kind| kind.get(..FORM.len()));
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(FORM))
}

fn video_response(job: Job) -> Response {
    let credits = job.credits.map(onemin::prices::to_credits);
    let mut response = admit::json(&video(job));
    let (name, value) = POLL_AFTER;
    response.headers_mut().insert(name, value);
    reply::credits_header(response.headers_mut(), credits);
    response
}

/// A job as a client sees it.
fn video(job: Job) -> Video {
    let status = match job.state {
        JobState::Submitting => Status::Queued,
        JobState::Working => Status::InProgress,
        JobState::Completed => Status::Completed,
        JobState::Failed => Status::Failed,
    };
    let seconds = |milliseconds: u64| milliseconds / 1000;
    let completed = job.finished.filter(|_| job.state == JobState::Completed);
    let created = seconds(job.created);
    let mut video = Video::new(job.id, status, job.model, job.prompt, created);
    video.completed_at = completed.map(seconds);
    video.expires_at = job.expires.map(seconds);
    video.seconds = job.seconds.map(|n| n.to_string()).unwrap_or_default();
    video.size = job.size.unwrap_or_default();
    video.error = job.error.map(|error| VideoError {
        code: error.code,
        message: error.message,
    });
    video
}
