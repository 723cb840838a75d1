//! The part of S3's protocol that the relay needs, on loopback, with what it is sent remembered.
//! `S3_TEST_ENDPOINT` names a real service to use instead; its bucket `relay` must exist.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;

/// The service.
pub(crate) struct Service {
    pub(crate) endpoint: String,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    objects: HashMap<String, Bytes>,
    uploads: HashMap<String, BTreeMap<u32, Bytes>>,
    largest: usize,
    unsigned: usize,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        if let Ok(endpoint) = std::env::var("S3_TEST_ENDPOINT") {
            return Self { endpoint, kept };
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable());
        let serving = axum_serve(listener, router.with_state(kept.clone()));
        tokio::spawn(serving);
        Self { endpoint, kept }
    }

    /// Objects and unfinished uploads that are there.
    pub(crate) fn left(&self) -> (usize, usize) {
        let kept = self.kept.lock().unwrap();
        (kept.objects.len(), kept.uploads.len())
    }

    /// The largest piece that was sent at once, and the requests that were not signed.
    pub(crate) fn seen(&self) -> (usize, usize) {
        let kept = self.kept.lock().unwrap();
        (kept.largest, kept.unsigned)
    }
}

async fn axum_serve(listener: tokio::net::TcpListener, router: Router) {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto::Builder;
    use hyper_util::service::TowerToHyperService;
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    State(kept): State<Arc<Mutex<Kept>>>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut kept = kept.lock().unwrap();
    kept.largest = kept.largest.max(body.len());
    let signed = head.headers.get("authorization");
    if !signed.is_some_and(|a| a.to_str().unwrap().contains("Credential=id/")) {
        kept.unsigned += 1;
    }
    let path = head.uri.path().to_owned();
    let upload = query.get("uploadId").cloned();
    match (head.method, upload) {
        (Method::POST, None) => {
            let id = format!("upload-{}", uuid::Uuid::new_v4());
            kept.uploads.insert(id.clone(), BTreeMap::new());
            xml(&format!(
                "<InitiateMultipartUploadResult><Bucket>relay</Bucket><Key>k</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        (Method::PUT, Some(id)) => {
            let part = query["partNumber"].parse().unwrap();
            kept.uploads.get_mut(&id).unwrap().insert(part, body);
            ([("etag", format!("\"{part}\""))], "").into_response()
        }
        (Method::POST, Some(id)) => {
            let parts = kept.uploads.remove(&id).unwrap();
            let whole: Vec<u8> = parts.into_values().flatten().collect();
            kept.objects.insert(path, whole.into());
            xml("<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>")
        }
        (Method::DELETE, Some(id)) => {
            kept.uploads.remove(&id);
            StatusCode::NO_CONTENT.into_response()
        }
        (Method::PUT, None) => {
            kept.objects.insert(path, body);
            ([("etag", "\"x\"")], "").into_response()
        }
        (Method::DELETE, None) => {
            kept.objects.remove(&path);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => match kept.objects.get(&path) {
            Some(bytes) => {
                let headers = [
                    ("etag", "\"x\""),
                    ("last-modified", "Mon, 23 Nov 2026 00:00:00 GMT"),
                ];
                (headers, bytes.clone()).into_response()
            }
            None => (
                StatusCode::NOT_FOUND,
                "<Error><Code>NoSuchKey</Code></Error>",
            )
                .into_response(),
        },
    }
}

fn xml(text: &str) -> Response {
    ([("content-type", "application/xml")], text.to_owned()).into_response()
}
