//! Which URL goes where, and whom it answers.

use std::sync::Arc;

use axum::extract::State;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use http::Method;
use translate::dialect::ollama::embed::EmbedRequest;

use crate::access::Access;
use crate::embeddings::Embeddings;
use crate::native::Native;
use crate::routes::admin::{session, status};
use crate::routes::{
    assistants, audio, chat, completions, conversations, embeddings, files, health, images,
    lm_studio, management, messages, metrics, model_info, models, native, ollama, responses, root,
    usage, videos, web,
};
use crate::state::AppState;

/// Who a route answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Callers with a key: counted against the rate limit and logged.
    Key,
    /// Everybody; a key that is sent is checked, counted and logged.
    OptionalKey,
    /// The operator, by `ADMIN_KEY`.
    Owner,
    /// Holders of access keys, and the operator.
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
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) admission: Admission,
    pub(super) handler: MethodRouter<AppState>,
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
/// [`canonical`](super::base_path::canonical).
pub(super) fn table(state: &AppState) -> Vec<Route> {
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
        Route::get("/v1/auth/key", usage::key).open_to(Holder),
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
