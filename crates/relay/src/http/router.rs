//! Which URL goes where, and what is done to every request on its way in and out.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{any, get, post};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use hyper::body::Incoming;
use tower::Service as _;

use crate::access::rate_limit::RateLimitSlot;
use crate::app::Relay;
use crate::http::context::RequestContext;
use crate::http::drain_body::Arriving;
use crate::http::reply;
use crate::observe::RequestId;
use crate::routes::{
    assistants, audio, chat, completions, conversations, embeddings, files, health, images,
    messages, metrics, missing, models, responses, root,
};

/// The whole HTTP service; clones share everything.
#[derive(Clone)]
pub struct Service {
    routes: Router,
}

/// The service over these parts.
#[must_use]
pub fn service(relay: Arc<Relay>) -> Service {
    Service {
        routes: routes(relay).with_state(()),
    }
}

/// Clients build URLs in three ways: on a base with `/v1`, on one without, and (those that add
/// `/v1` themselves to a base that has it) with both. All mean the same.
const BASES: [&str; 3] = ["/v1", "", "/v1/v1"];

fn routes(relay: Arc<Relay>) -> Router {
    let mut router = Router::new()
        .route("/", get(root::page).post(root::wrong_endpoint))
        .route("/health", get(health::health));
    if let Some(counted) = &relay.metrics {
        let counted = counted.clone();
        router = router.route("/metrics", get(async move || metrics::metrics(&counted)));
    }
    for base in BASES {
        let at = |path: &str| format!("{base}{path}");
        router = router
            .route(&at("/models"), get(models::list))
            .route(&at("/models/{*id}"), get(models::entry))
            .route(
                &at("/assistants"),
                get(assistants::list).post(assistants::create),
            )
            .route(
                &at("/assistants/{id}"),
                get(assistants::entry)
                    .post(assistants::modify)
                    .delete(assistants::delete),
            )
            .route(&at("/threads"), any(assistants::threads))
            .route(&at("/threads/{*rest}"), any(assistants::threads))
            .route(&at("/chat/completions"), post(chat::completions))
            .route(&at("/files"), get(files::list).post(files::create))
            .route(&at("/files/{id}"), get(files::entry).delete(files::delete))
            .route(&at("/files/{id}/content"), get(files::content))
            .route(&at("/completions"), post(completions::create))
            .route(&at("/responses"), post(responses::create))
            .route(
                &at("/responses/input_tokens"),
                post(responses::input_tokens),
            )
            .route(
                &at("/responses/{id}"),
                get(responses::get).delete(responses::delete),
            )
            .route(&at("/responses/{id}/cancel"), post(responses::cancel))
            .route(
                &at("/responses/{id}/input_items"),
                get(responses::input_items),
            )
            .route(&at("/conversations"), post(conversations::create))
            .route(
                &at("/conversations/{id}"),
                get(conversations::get)
                    .post(conversations::update)
                    .delete(conversations::delete),
            )
            .route(
                &at("/conversations/{id}/items"),
                get(conversations::list_items).post(conversations::add_items),
            )
            .route(
                &at("/conversations/{id}/items/{item}"),
                get(conversations::get_item).delete(conversations::delete_item),
            )
            .route(&at("/audio/transcriptions"), post(audio::transcriptions))
            .route(&at("/audio/translations"), post(audio::translations))
            .route(&at("/audio/speech"), post(audio::speech))
            .route(&at("/audio/voices"), get(audio::list_voices))
            .route(&at("/audio/models"), get(audio::list_models))
            .route(&at("/images/generations"), post(images::generations))
            .route(&at("/images/edits"), post(images::edits))
            .route(&at("/images/variations"), post(images::variations))
            .route(&at("/messages"), post(messages::create))
            .route(&at("/messages/count_tokens"), post(messages::count_tokens));
        if let Some(elsewhere) = &relay.embeddings {
            let elsewhere = elsewhere.clone();
            let create = |State(relay), request| embeddings::create(relay, elsewhere, request);
            router = router.route(&at("/embeddings"), post(create));
        }
    }
    router
        .fallback(missing::route)
        .method_not_allowed_fallback(missing::method)
        .with_state(relay)
}

impl Service {
    /// Answers a request. Around the routes stands what every answer gets, failures and streams
    /// included: a request id, the caller's limit, and permission for browsers of any origin.
    pub async fn call(&self, request: Request<Incoming>, peer: SocketAddr) -> Response {
        let (head, body) = request.into_parts();
        let body = Body::new(Arriving::new(body, &head.headers));
        self.answer(Request::from_parts(head, body), peer).await
    }

    /// As [`Service::call`], for a request that need not come from a socket.
    pub async fn answer(&self, mut request: Request<Body>, peer: SocketAddr) -> Response {
        let id = RequestId::draw();
        let rate_limit = RateLimitSlot::default();
        let mut response = if request.method() == Method::OPTIONS {
            preflight(request.headers())
        } else if !missing::is_readable(request.uri()) {
            missing::unreadable(request.uri(), request.headers())
        } else {
            let rate_limit = rate_limit.clone();
            let context = RequestContext {
                id,
                peer,
                rate_limit,
            };
            request.extensions_mut().insert(context);
            if let Some(uri) = without_empty_segments(request.uri()) {
                *request.uri_mut() = uri;
            }
            match self.routes.clone().call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        };
        let id = id.header();
        response = reply::said(response, &id);
        let headers = response.headers_mut();
        if let Some(status) = rate_limit.status() {
            status.headers(headers);
        }
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("*"),
        );
        // OpenAI's SDKs read the first name, Anthropic's the second.
        headers.insert(HeaderName::from_static("request-id"), id.clone());
        headers.insert(HeaderName::from_static("x-request-id"), id);
        response
    }
}

/// The URL without the slashes too many that come from a base URL that ends in one. None if there
/// are none.
fn without_empty_segments(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let is_bare = path == "/" || !(path.contains("//") || path.ends_with('/'));
    if is_bare {
        return None;
    }
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut bare: String = segments.flat_map(|segment| ["/", segment]).collect();
    if bare.is_empty() {
        bare.push('/');
    }
    if let Some(query) = uri.query() {
        bare.extend(["?", query]);
    }
    bare.parse().ok()
}

/// What a browser asks before it sends another origin's request.
fn preflight(asked: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    // A wildcard does not cover `Authorization`, so what is asked for is granted by name.
    let granted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let granted = granted.unwrap_or(HeaderValue::from_static(
        "Authorization, Content-Type, Accept, X-Api-Key",
    ));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, granted);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, DELETE, OPTIONS"),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    );
    // Pages on the web may reach a relay in the local network only if it says so.
    if asked.contains_key("access-control-request-private-network") {
        headers.insert(
            HeaderName::from_static("access-control-allow-private-network"),
            HeaderValue::from_static("true"),
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_are_taken_out() {
        let table = [
            ("/v1/models", None),
            ("/v1/models?after_id=a//b/", None),
            ("/", None),
            ("/v1//chat/completions", Some("/v1/chat/completions")),
            ("//v1/models/", Some("/v1/models")),
            ("/v1/models/?limit=3", Some("/v1/models?limit=3")),
            ("//", Some("/")),
        ];
        for (given, bare) in table {
            let bare: Option<Uri> = bare.map(|bare| bare.parse().unwrap());
            let given = Uri::builder().path_and_query(given).build().unwrap();
            assert_eq!(without_empty_segments(&given), bare, "{given}");
        }
    }
}
