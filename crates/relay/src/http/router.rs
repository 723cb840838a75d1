//! Which URL goes where, and what is done to every request on its way in and out.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use hyper::body::Incoming;
use tower::Service as _;
use translate::dialect::ollama::embed::EmbedRequest;
use translate::failure::{Failure, Kind};

use crate::access::Access;
use crate::access::rate_limit::RateLimitSlot;
use crate::access::supplied_key::{InUrl, SuppliedKeys};
use crate::embeddings::Embeddings;
use crate::http::admit;
use crate::http::context::RequestContext;
use crate::http::cors;
use crate::http::deployment::Deployment;
use crate::http::drain_body::DrainOnDropBody;
use crate::http::reply;
use crate::http::shutdown;
use crate::ledger::payer::CostSlot;
use crate::native::Native;
use crate::observe::RequestId;
use crate::routes::admin::{self, session, status};
use crate::routes::{
    assistants, audio, chat, completions, conversations, embeddings, files, health, images,
    lm_studio, management, messages, metrics, missing, model_info, models, native, ollama,
    responses, root, usage, videos, web,
};
use crate::state::AppState;

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

/// Who a route answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admission {
    /// Callers with a key: counted against the rate limit and logged.
    Key,
    /// Everybody; a key that is sent is checked, counted and logged.
    OptionalKey,
    /// The owner, by `ADMIN_KEY`.
    Owner,
    /// Holders of access keys, and the owner.
    Holder,
    /// Sessions of the page, and keys that the handler checks.
    Session,
    /// Everybody, uncounted: what says nothing that needs a caller.
    Public,
}

/// A row of the route table.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the method is for the test that walks the table")
)]
struct Route {
    method: Method,
    path: &'static str,
    admission: Admission,
    handler: MethodRouter<AppState>,
}

impl Route {
    fn new<H, T>(method: Method, filter: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        Self {
            method,
            path,
            admission: Admission::Key,
            handler: on(filter, handler),
        }
    }

    fn get<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        Self::new(Method::GET, MethodFilter::GET, path, handler)
    }

    fn post<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        Self::new(Method::POST, MethodFilter::POST, path, handler)
    }

    fn patch<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        Self::new(Method::PATCH, MethodFilter::PATCH, path, handler)
    }

    fn delete<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        Self::new(Method::DELETE, MethodFilter::DELETE, path, handler)
    }

    /// All methods.
    fn any<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        Self {
            method: Method::POST,
            path,
            admission: Admission::Key,
            handler: any(handler),
        }
    }

    fn open_to(self, admission: Admission) -> Self {
        Self { admission, ..self }
    }
}

/// Every route there is. Paths of the API stand below `/v1`, however clients write it: see
/// [`canonical`].
fn table(state: &AppState) -> Vec<Route> {
    use Admission::{Holder, OptionalKey, Owner, Public};
    let mut table = vec![
        Route::get("/", root::page).open_to(Public),
        Route::post("/", root::wrong_endpoint).open_to(Public),
        Route::get("/page/{name}", web::file).open_to(Public),
        Route::get("/health", health::health).open_to(Public),
        Route::get("/v1/models", models::list).open_to(OptionalKey),
        Route::get("/v1/model/info", model_info::list).open_to(OptionalKey),
        Route::get("/v1/models/{*id}", models::entry).open_to(OptionalKey),
        Route::get("/v1/assistants", assistants::list),
        Route::post("/v1/assistants", assistants::create),
        Route::get("/v1/assistants/{id}", assistants::entry),
        Route::post("/v1/assistants/{id}", assistants::modify),
        Route::delete("/v1/assistants/{id}", assistants::delete),
        Route::any("/v1/threads", assistants::threads).open_to(Public),
        Route::any("/v1/threads/{*rest}", assistants::threads).open_to(Public),
        Route::post("/v1/chat/completions", chat::completions),
        Route::get("/v1/files", files::list),
        Route::post("/v1/files", files::create),
        Route::get("/v1/files/{id}", files::entry),
        Route::delete("/v1/files/{id}", files::delete),
        Route::get("/v1/files/{id}/content", files::content),
        Route::post("/v1/completions", completions::create),
        Route::post("/v1/responses", responses::create),
        Route::post("/v1/responses/input_tokens", responses::input_tokens),
        Route::get("/v1/responses/{id}", responses::get),
        Route::delete("/v1/responses/{id}", responses::delete),
        Route::post("/v1/responses/{id}/cancel", responses::cancel),
        Route::get("/v1/responses/{id}/input_items", responses::input_items),
        Route::post("/v1/conversations", conversations::create),
        Route::get("/v1/conversations/{id}", conversations::get),
        Route::post("/v1/conversations/{id}", conversations::update),
        Route::delete("/v1/conversations/{id}", conversations::delete),
        Route::get("/v1/conversations/{id}/items", conversations::list_items),
        Route::post("/v1/conversations/{id}/items", conversations::add_items),
        Route::get(
            "/v1/conversations/{id}/items/{item}",
            conversations::get_item,
        ),
        Route::delete(
            "/v1/conversations/{id}/items/{item}",
            conversations::delete_item,
        ),
        Route::post("/v1/audio/transcriptions", audio::transcriptions),
        Route::post("/v1/audio/translations", audio::translations),
        Route::post("/v1/audio/speech", audio::speech),
        Route::get("/v1/audio/voices", audio::list_voices).open_to(OptionalKey),
        Route::get("/v1/audio/models", audio::list_models).open_to(OptionalKey),
        Route::post("/v1/images/generations", images::generations),
        Route::post("/v1/images/edits", images::edits),
        Route::post("/v1/images/variations", images::variations),
        Route::get("/v1/videos", videos::list),
        Route::post("/v1/videos", videos::create),
        Route::any("/v1/videos/edits", videos::not_offered).open_to(Public),
        Route::any("/v1/videos/extensions", videos::not_offered).open_to(Public),
        Route::any("/v1/videos/characters", videos::not_offered).open_to(Public),
        Route::any("/v1/videos/characters/{*rest}", videos::not_offered).open_to(Public),
        Route::get("/v1/videos/{id}", videos::entry),
        Route::delete("/v1/videos/{id}", videos::delete),
        Route::get("/v1/videos/{id}/content", videos::content),
        Route::any("/v1/videos/{id}/remix", videos::not_offered).open_to(Public),
        Route::get("/v1/keys", management::list).open_to(Owner),
        Route::post("/v1/keys", management::create).open_to(Owner),
        Route::get("/v1/keys/{id}", management::entry).open_to(Owner),
        Route::patch("/v1/keys/{id}", management::update).open_to(Owner),
        Route::delete("/v1/keys/{id}", management::delete).open_to(Owner),
        Route::post("/v1/keys/{id}/rotate", management::rotate).open_to(Owner),
        Route::post("/v1/keys/{id}/reset", management::reset).open_to(Owner),
        Route::get("/v1/usage", usage::usage).open_to(Holder),
        Route::get("/v1/usage/requests", usage::requests).open_to(Holder),
        Route::get("/v1/key", usage::key).open_to(Holder),
        Route::get("/v1/credits", usage::credits_left).open_to(Holder),
        Route::get("/v1/dashboard/billing/subscription", usage::subscription).open_to(Holder),
        Route::get("/v1/dashboard/billing/usage", usage::billing_usage).open_to(Holder),
        Route::get("/v1/dashboard/billing/credit_grants", usage::credit_grants).open_to(Holder),
        Route::post("/v1/messages", messages::create),
        Route::post("/v1/messages/count_tokens", messages::count_tokens),
    ];
    table.extend(below_api());
    table.extend(page_routes());
    let services = state.services();
    if let Some(counted) = services.access.metrics() {
        let (counted, access) = (counted.clone(), services.access.clone());
        let show = async move || metrics::metrics(&counted, &access).await;
        table.push(Route::get("/metrics", show).open_to(Public));
    }
    if let Some(elsewhere) = &services.embeddings {
        let passed_on = elsewhere.clone();
        let create = async move |State(access): State<Arc<Access>>, request| {
            embeddings::create(&access, &passed_on, request).await
        };
        table.push(Route::post("/v1/embeddings", create));
        table.extend(ollama_embeddings(elsewhere));
    }
    table.extend(services.native.clone().map(native_route));
    table
}

/// 1min.ai's own API.
fn native_route(passed_on: Native) -> Route {
    let forward = async move |State(access): State<Arc<Access>>, request| {
        native::forward(access, passed_on, request).await
    };
    Route::any("/1min/{*path}", forward)
}

/// What the page asks. Most of it is answered to programs below `/v1`, too: below `try` a holder's
/// session stands for the key.
fn page_routes() -> Vec<Route> {
    use Admission::{Public, Session};
    vec![
        Route::get("/admin/session", session::show).open_to(Public),
        Route::post("/admin/session", session::begin).open_to(Public),
        Route::delete("/admin/session", session::end).open_to(Public),
        Route::get("/admin/api/accounts", management::list_accounts).open_to(Session),
        Route::post("/admin/api/accounts/{name}/wake", management::wake_account).open_to(Session),
        Route::get("/admin/api/keys", management::list).open_to(Session),
        Route::post("/admin/api/keys", management::create).open_to(Session),
        Route::patch("/admin/api/keys/{id}", management::update).open_to(Session),
        Route::delete("/admin/api/keys/{id}", management::delete).open_to(Session),
        Route::post("/admin/api/keys/{id}/rotate", management::rotate).open_to(Session),
        Route::post("/admin/api/keys/{id}/reset", management::reset).open_to(Session),
        Route::get("/admin/api/usage", usage::usage).open_to(Session),
        Route::get("/admin/api/usage/requests", usage::requests).open_to(Session),
        Route::get("/admin/api/key", usage::key).open_to(Session),
        Route::get("/admin/api/budgets", status::budgets).open_to(Session),
        Route::get("/admin/api/settings", status::settings).open_to(Session),
        Route::get("/admin/api/health", status::health).open_to(Session),
        Route::get("/admin/api/try/models", models::list).open_to(Session),
        Route::post("/admin/api/try/chat/completions", chat::completions).open_to(Session),
        Route::post("/admin/api/try/images/generations", images::generations).open_to(Session),
        Route::post("/admin/api/try/audio/speech", audio::speech).open_to(Session),
    ]
}

/// Ollama's API, and LM Studio's lists of models.
fn below_api() -> [Route; 9] {
    use Admission::{OptionalKey, Public};
    [
        Route::get("/api/version", ollama::models::version).open_to(Public),
        Route::get("/api/tags", ollama::models::list).open_to(OptionalKey),
        Route::post("/api/show", ollama::models::show).open_to(Public),
        Route::get("/api/ps", ollama::models::running).open_to(Public),
        Route::post("/api/pull", ollama::models::pull),
        Route::post("/api/chat", ollama::chat::chat),
        Route::post("/api/generate", ollama::chat::generate),
        Route::get("/api/v0/models", lm_studio::list).open_to(OptionalKey),
        Route::get("/api/v0/models/{*id}", lm_studio::entry).open_to(Public),
    ]
}

/// Ollama's two endpoints for embeddings, passed on to another server.
fn ollama_embeddings(elsewhere: &Arc<Embeddings>) -> [Route; 2] {
    let of = |path: &'static str, decode: ollama::embed::Decode| {
        let elsewhere = elsewhere.clone();
        let create = async move |State(access): State<Arc<Access>>, request| {
            ollama::embed::create(&access, &elsewhere, decode, request).await
        };
        Route::post(path, create)
    };
    [
        of("/api/embed", EmbedRequest::of),
        of("/api/embeddings", EmbedRequest::of_older),
    ]
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
                "The relay has as many connections as it can have; try again.",
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
        let uri = without_empty_segments(request.uri()).unwrap_or_else(|| request.uri().clone());
        let (uri, has_refused_key) = match self
            .supplied_keys
            .take_from_url(&uri, request.headers_mut())
        {
            InUrl::No => (uri, false),
            InUrl::Taken(uri) => (uri, false),
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
            .or_else(|| canonical(&context.uri))
            .unwrap_or_else(|| context.uri.clone());
        let is_closed = cors::is_closed(target.path());
        if !is_closed {
            // The page and what manages the relay ask for nobody's key but the visitor's own.
            self.supplied_keys.give(peer, request.headers_mut());
        }
        let mut response = if request.method() == Method::OPTIONS {
            preflight(request.headers(), is_closed)
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
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_ORIGIN,
                HeaderValue::from_static("*"),
            );
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("*"),
            );
        }
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

/// Whether a path is not below `/v1`: Ollama's API is below `/api`.
fn is_of_root(path: &str) -> bool {
    let trees = ["/page/", "/admin/", "/api/", "/1min/"];
    ["/", "/health", "/metrics"].contains(&path) || trees.iter().any(|tree| path.starts_with(tree))
}

/// The URL below `/v1`. Clients build URLs in three ways: on a base with `/v1`, on one without, and
/// (those that add `/v1` themselves to a base that has it) with both. All mean the same. None if
/// the URL is canonical.
fn canonical(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let canonical = match path.strip_prefix("/v1/") {
        Some(rest) if rest.starts_with("v1/") || rest.starts_with("api/") => format!("/{rest}"),
        Some(_) => return None,
        None if path.starts_with("/api/v1/") => path.replacen("/api", "", 1),
        // LM Studio's own API beside OpenAI's differs in its list of models alone.
        None if path.starts_with("/api/v0/") && !path.starts_with("/api/v0/models") => {
            path.replacen("/api/v0", "/v1", 1)
        }
        // Azure's newer paths.
        None if path.starts_with("/openai/v1/") => path.replacen("/openai", "", 1),
        None if path.starts_with("/openai/") => path.replacen("/openai", "/v1", 1),
        None if path == "/v1" || is_of_root(path) => return None,
        None => format!("/v1{path}"),
    };
    let query = uri.query().map(|query| format!("?{query}"));
    format!("{canonical}{}", query.unwrap_or_default())
        .parse()
        .ok()
}

/// What a browser asks before it sends another origin's request; nothing is granted where it may not
/// read the answer.
fn preflight(asked: &HeaderMap, is_closed: bool) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if is_closed {
        return response;
    }
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
mod paid_routes;

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::app::App;
    use crate::config::Settings;

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

    #[test]
    fn bases_with_and_without_a_version_mean_the_same() {
        let table = [
            ("/v1/models", None),
            ("/models", Some("/v1/models")),
            ("/models?limit=3", Some("/v1/models?limit=3")),
            ("/v1/v1/models", Some("/v1/models")),
            ("/v1/v1/v1/models", Some("/v1/v1/models")),
            ("/v1", None),
            ("/", None),
            ("/health", None),
            ("/metrics", None),
            ("/page/page.js", None),
            ("/admin/api/keys", None),
            ("/pages", Some("/v1/pages")),
            ("/v1/health", None),
            ("/api/chat", None),
            ("/v1/api/chat", Some("/api/chat")),
            ("/api/v1/models", Some("/v1/models")),
            ("/api/v0/models", None),
            ("/api/v0/chat/completions", Some("/v1/chat/completions")),
            ("/openai/v1/responses", Some("/v1/responses")),
            (
                "/openai/responses?api-version=preview",
                Some("/v1/responses?api-version=preview"),
            ),
        ];
        for (given, expected) in table {
            let expected: Option<Uri> = expected.map(|uri| uri.parse().unwrap());
            let given = Uri::builder().path_and_query(given).build().unwrap();
            assert_eq!(canonical(&given), expected, "{given}");
        }
    }

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
