//! `/v1/assistants`: made, listed, looked at, changed and deleted. `/v1/threads` is no more.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Request;
use translate::dialect::openai::assistants::Assistant;
use translate::dialect::openai::chat;
use translate::dialect::openai::media::files::Deleted;
use translate::dialect::openai::page::Page;
use translate::failure::{Failure, Kind};
use translate::quote::quote;

use super::files::{page_query, query};
use crate::access::Access;
use crate::access::account_id::AccountId;
use crate::http::admit::{self, AdmittedRequest};
use crate::http::context::RequestContext;
use crate::http::reply;
use crate::models::Models;
use crate::objects::Objects;
use crate::objects::assistants::{AssistantRecord, Settings};
use crate::objects::files::Files;

/// Entries of a page if the client does not say, and the most.
const PAGE: (usize, usize) = (20, 100);

/// Makes an assistant.
pub async fn create(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    State(models): State<Arc<Models>>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "assistants.create",
        request,
        async |mut asked: AdmittedRequest| {
            let owner = asked.caller.id;
            access.require_known(&asked.payer).await?;
            let settings = asked.decode_body(Assistant::create).await?;
            check(&models, &objects.files, owner, &settings).await?;
            let (id, kept) = objects.assistants.create(owner, record(settings)).await?;
            Ok(admit::json(&object(&id, kept)))
        },
    )
    .await
}

/// A page of the caller's assistants.
pub async fn list(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "assistants.list",
        request,
        async |asked: AdmittedRequest| {
            let query = query(&asked.head.uri, PAGE.0, PAGE.1)?;
            let (found, has_more) = objects
                .assistants
                .list(asked.caller.id, &page_query(&query))
                .await?;
            let objects = found.into_iter().map(|(id, kept)| {
                let object = object(&id, kept);
                (id, object)
            });
            Ok(admit::json(&Page::new(objects.collect(), has_more)))
        },
    )
    .await
}

/// One assistant.
pub async fn entry(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "assistants.get",
        request,
        async |asked: AdmittedRequest| {
            let kept = objects.assistants.get(asked.caller.id, &id).await?;
            Ok(admit::json(&object(&id, kept)))
        },
    )
    .await
}

/// Changes an assistant.
pub async fn modify(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    State(models): State<Arc<Models>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "assistants.modify",
        request,
        async |mut asked: AdmittedRequest| {
            let owner = asked.caller.id;
            let kept = objects.assistants.get(owner, &id).await?;
            let mut settings = assistant(kept.settings);
            asked.decode_body(|body| settings.modify(body)).await?;
            check(&models, &objects.files, owner, &settings).await?;
            let kept = objects
                .assistants
                .change(owner, &id, &record(settings))
                .await?;
            Ok(admit::json(&object(&id, kept)))
        },
    )
    .await
}

/// Deletes an assistant.
pub async fn delete(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "assistants.delete",
        request,
        async |asked: AdmittedRequest| {
            objects.assistants.delete(asked.caller.id, &id).await?;
            Ok(admit::json(&Deleted::new(id, "assistant.deleted")))
        },
    )
    .await
}

/// Threads and their runs.
pub async fn threads(Extension(context): Extension<RequestContext>) -> Response {
    let message = "Threads and runs are not offered: OpenAI shut them down on 2026-08-26. Keep the conversation in the client, and give the assistant's id as `model` to /v1/chat/completions or /v1/responses.";
    let failure = Failure::new(Kind::NotImplemented, message);
    reply::failure(&chat::DIALECT, &failure, context.id)
}

/// An assistant as it is stored.
fn record(assistant: Assistant) -> Settings {
    Settings {
        all_files: assistant.files(),
        name: assistant.name,
        description: assistant.description,
        model: assistant.model,
        instructions: assistant.instructions,
        file_ids: assistant.file_ids,
        tools: assistant.tools,
        tool_resources: assistant.tool_resources,
        metadata: assistant.metadata,
        temperature: assistant.temperature,
        top_p: assistant.top_p,
        response_format: assistant.response_format,
        reasoning_effort: assistant.reasoning_effort,
    }
}

/// A stored assistant as its client set it.
fn assistant(settings: Settings) -> Assistant {
    Assistant {
        name: settings.name,
        description: settings.description,
        model: settings.model,
        instructions: settings.instructions,
        file_ids: settings.file_ids,
        tools: settings.tools,
        tool_resources: settings.tool_resources,
        metadata: settings.metadata,
        temperature: settings.temperature,
        top_p: settings.top_p,
        response_format: settings.response_format,
        reasoning_effort: settings.reasoning_effort,
    }
}

/// The object that its client gets.
fn object(id: &str, stored: AssistantRecord) -> serde_json::Value {
    assistant(stored.settings).object(id, stored.created)
}

/// A model and files that are not there would only be missed when the assistant is used.
async fn check(
    models: &Models,
    files: &Files,
    owner: AccountId,
    settings: &Assistant,
) -> Result<(), Failure> {
    let (model, _) = settings
        .model
        .split_once(':')
        .unwrap_or((&settings.model, ""));
    models
        .admit(model)
        .await
        .map_err(|failure| failure.with_param("model"))?;
    for id in settings.files() {
        if files.get(owner, &id).await?.is_none() {
            let id = quote(&id);
            let failure = Failure::new(Kind::NotFound, format!("There is no file `{id}`."));
            return Err(failure.with_param("file_ids").with_code("file_not_found"));
        }
    }
    Ok(())
}
