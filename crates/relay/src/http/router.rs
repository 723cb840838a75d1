//! What is done to every request on its way to a route and back.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use hyper::body::Incoming;
use tower::Service as _;
use translate::failure::{Failure, Kind};

use crate::access::rate_limit::RateLimitSlot;
use crate::access::supplied_key::{InUrl, SuppliedKeys};
use crate::http::admit;
use crate::http::base_path;
use crate::http::context::RequestContext;
use crate::http::cors;
use crate::http::deployment::Deployment;
use crate::http::drain_body::DrainOnDropBody;
use crate::http::reply;
use crate::http::route_table::{Admission, table};
use crate::http::shutdown;
use crate::ledger::cost_slot::CostSlot;
use crate::observe::RequestId;
use crate::routes::admin;
use crate::routes::missing;
use crate::state::AppState;

/// Anthropic's SDKs read this name.
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// OpenAI's SDKs read this name.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// When a client for whom there is no room may come again, in seconds.
const CROWDED_RETRY_AFTER: u64 = 5;

/// The whole HTTP service; clones share everything.
#[derive(Clone)]
pub struct Service {
    routes: Router,
    supplied_keys: Arc<SuppliedKeys>,
}

/// The service over these parts.
#[must_use]
pub fn service(state: AppState) -> Service {
    Service {
        supplied_keys: state.services().supplied_keys.clone(),
        routes: routes(state).with_state(()),
    }
}

fn routes(state: AppState) -> Router {
    table(&state)
        .into_iter()
        .fold(Router::new(), |router, route| {
            let handler = match route.admission {
                Admission::Session => {
                    let recognise = from_fn_with_state(state.clone(), admin::recognise);
                    route.handler.layer(recognise)
                }
                _ => route.handler,
            };
            router.route(route.path, handler)
        })
        .fallback(missing::route)
        .method_not_allowed_fallback(missing::method)
        .with_state(state)
}

impl Service {
    /// Answers a request. Around the routes stands what every answer gets, failures and streams
    /// included: a request id, the caller's limit, and permission for browsers of any origin.
    pub async fn call(&self, request: Request<Incoming>, peer: SocketAddr) -> Response {
        let (head, body) = request.into_parts();
        let body = Body::new(DrainOnDropBody::new(body, &head.headers));
        self.answer(Request::from_parts(head, body), peer).await
    }

    /// Answers a request of a client for whom there is no room: only the health check is made.
    pub async fn crowded(&self, request: Request<Incoming>, peer: SocketAddr) -> Response {
        let mut response = if request.uri().path() == "/health" {
            self.call(request, peer).await
        } else {
            let context = RequestContext {
                id: RequestId::draw(),
                peer,
                uri: request.uri().clone(),
                rate_limit: RateLimitSlot::default(),
                costs: CostSlot::default(),
            };
            let failure = Failure::new(
                Kind::Overloaded,
                "The relay has reached its limit of open connections; try again.",
            )
            .with_retry_after(Some(CROWDED_RETRY_AFTER));
            let speaks_anthropic = admit::speaks_anthropic(request.headers());
            missing::refuse(&failure, &context, speaks_anthropic)
        };
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        response
    }

    /// As [`Service::call`], for a request that need not come from a socket.
    pub async fn answer(&self, mut request: Request<Body>, peer: SocketAddr) -> Response {
        let (rate_limit, costs) = (RateLimitSlot::default(), CostSlot::default());
        let uri = base_path::without_empty_segments(request.uri())
            .unwrap_or_else(|| request.uri().clone());
        let (uri, has_refused_key) = match self
            .supplied_keys
            .take_from_url(&uri, request.headers_mut())
        {
            InUrl::No => (uri, false),
            InUrl::Moved(uri) => (uri, false),
            // What is said of it must not repeat it.
            InUrl::Refused => (Uri::default(), true),
        };
        let context = RequestContext {
            id: RequestId::draw(),
            peer,
            uri,
            rate_limit: rate_limit.clone(),
            costs: costs.clone(),
        };
        let id = context.id.header();
        let deployed = Deployment::in_url(&context.uri);
        let target = deployed
            .as_ref()
            .and_then(|(_, path)| path.parse().ok())
            .or_else(|| base_path::canonical(&context.uri))
            .unwrap_or_else(|| context.uri.clone());
        let is_closed = cors::is_closed(target.path());
        if !is_closed {
            // The page and what manages the relay ask for nobody's key but the visitor's own.
            self.supplied_keys.give(peer, request.headers_mut());
        }
        let mut response = if request.method() == Method::OPTIONS {
            cors::preflight(request.headers(), is_closed)
        } else if has_refused_key {
            missing::key_in_url(&context, request.headers())
        } else if !missing::is_readable(&context.uri) {
            missing::unreadable(&context, request.headers())
        } else {
            *request.uri_mut() = target;
            let speaks_anthropic = admit::speaks_anthropic(request.headers());
            request.extensions_mut().insert(context.clone());
            if let Some((deployment, _)) = deployed {
                request.extensions_mut().insert(deployment);
            }
            let mut routes = self.routes.clone();
            tokio::select! {
                biased;
                answered = routes.call(request) => match answered {
                    Ok(response) => response,
                    Err(never) => match never {},
                },
                () = shutdown::ending() => {
                    missing::refuse(&shutdown::failure(), &context, speaks_anthropic)
                }
            }
        };
        let headers = response.headers_mut();
        if let Some(status) = rate_limit.status() {
            status.headers(headers);
        }
        reply::costs(headers, &costs);
        if !is_closed {
            cors::open(headers);
        }
        headers.insert(REQUEST_ID, id.clone());
        headers.insert(X_REQUEST_ID, id);
        response
    }
}

#[cfg(test)]
mod paid_routes;

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::app::App;
    use crate::config::Settings;
    use crate::http::route_table::Route;

    /// A relay whose upstream refuses every connection, with one request a minute for a caller.
    fn state() -> AppState {
        let flags = [
            "relay",
            "--onemin-base-url=http://127.0.0.1:9",
            "--onemin-asset-url=http://127.0.0.1:9",
            "--embeddings-base-url=http://127.0.0.1:9",
            "--counters=process",
            "--relay-secret=sixteen characters",
            "--rate-limit-per-minute=1",
            "--metrics",
        ];
        let mut settings = Settings::try_parse_from(flags).unwrap();
        let folder = format!("relay-routes-{}", uuid::Uuid::new_v4().simple());
        settings.store.data_dir = Some(std::env::temp_dir().join(folder));
        App::new(&settings).unwrap().state
    }

    struct Answered {
        status: u16,
        is_counted: bool,
        body: serde_json::Value,
    }

    async fn send(service: &Service, route: &Route, key: Option<&str>) -> Answered {
        let path = route.path.replace(['{', '}', '*'], "");
        let mut request = Request::builder().method(route.method.clone()).uri(path);
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        let request = request.body(Body::empty()).unwrap();
        let peer = SocketAddr::from(([127, 0, 0, 1], 5000));
        let (head, body) = service.answer(request, peer).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert!(head.headers.contains_key("x-request-id"), "{}", route.path);
        Answered {
            status: head.status.as_u16(),
            is_counted: head.headers.contains_key("x-ratelimit-limit-requests"),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    /// Requests that have a log line: metrics count exactly those.
    fn logged(state: &AppState) -> u64 {
        let text = state.services().access.metrics().unwrap().text();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("relay_requests_total{"));
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
            .sum()
    }

    #[tokio::test]
    async fn every_route_goes_through_the_front_door() {
        let state = state();
        let service = service(state.clone());
        for (number, route) in table(&state).iter().enumerate() {
            let name = format!("{} {}", route.method, route.path);
            let before = logged(&state);
            let keyless = send(&service, route, None).await;
            let key = format!("key-{number}");
            let keyed = send(&service, route, Some(&key)).await;
            let again = send(&service, route, Some(&key)).await;
            let lines = logged(&state) - before;
            assert!(!keyless.is_counted, "{name}");
            match route.admission {
                Admission::Key => {
                    assert_eq!(keyless.status, 401, "{name}");
                    let error = &keyless.body["error"];
                    let is_anthropic = route.path.starts_with("/v1/messages");
                    if is_anthropic {
                        assert_eq!(error["type"], "authentication_error", "{name}");
                    } else if route.path.starts_with("/api/") {
                        assert!(error.is_string(), "{name}");
                    } else {
                        assert_eq!(error["type"], "invalid_request_error", "{name}");
                    }
                    assert_eq!(keyless.body["type"] == "error", is_anthropic, "{name}");
                }
                Admission::OptionalKey => assert_ne!(keyless.status, 401, "{name}"),
                // Nothing is managed here, and nothing recorded.
                Admission::Holder => assert_eq!(keyless.status, 404, "{name}"),
                Admission::Owner | Admission::Session => {
                    let statuses = [keyless.status, keyed.status, again.status];
                    assert_eq!((statuses, lines), ([404; 3], 3), "{name}");
                    continue;
                }
                Admission::Public => {
                    assert_eq!((lines, keyed.is_counted), (0, false), "{name}");
                    continue;
                }
            }
            assert_eq!(lines, 3, "{name} has a log line a request");
            assert!(keyed.is_counted, "{name}");
            assert_ne!(keyed.status, 429, "{name}");
            assert_eq!(again.status, 429, "{name}");
        }
    }

    #[test]
    fn public_routes_are_these() {
        let state = state();
        let public = table(&state).into_iter();
        let public = public.filter(|route| route.admission == Admission::Public);
        let public: Vec<_> = public.map(|route| route.path).collect();
        assert_eq!(
            public,
            [
                "/",
                "/",
                "/page/{name}",
                "/health",
                "/v1/threads",
                "/v1/threads/{*rest}",
                "/v1/videos/edits",
                "/v1/videos/extensions",
                "/v1/videos/characters",
                "/v1/videos/characters/{*rest}",
                "/v1/videos/{id}/remix",
                "/api/version",
                "/api/show",
                "/api/ps",
                "/api/v0/models/{*id}",
                "/admin/session",
                "/admin/session",
                "/admin/session",
                "/metrics"
            ]
        );
    }
}
