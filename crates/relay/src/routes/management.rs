//! The management API: access keys in `OpenRouter`'s shape, accounts. `Authorization: Bearer` is
//! `ADMIN_KEY`; without one in the settings there is no such API.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Request;
use http::request::Parts;
use serde_json::{Map, Value, json};
use translate::dialect::request;
use translate::failure::{Failure, Kind};

use crate::access::visitor::Visitor;
use crate::access::{Access, KeyAccess};
use crate::http::admit;
use crate::http::body;
use crate::http::context::RequestContext;
use crate::http::reply;
use crate::management::accounts;
use crate::management::keys::Keys;
use crate::observe::RequestLog;

/// The largest body.
const BODY_MAX: usize = 256 * 1024;

/// `GET /v1/keys`.
pub async fn list(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    managed(&access, "keys.list", request, async |keys, _| {
        Ok(json!({"data": keys.list().await?}))
    })
    .await
}

/// `POST /v1/keys`.
pub async fn create(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    managed(&access, "keys.create", request, async |keys, fields| {
        Ok(keys.create(&fields).await?.document())
    })
    .await
}

/// `GET /v1/keys/{hash}`.
pub async fn entry(
    State(access): State<Arc<Access>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    managed(&access, "keys.get", request, async |keys, _| {
        let key = keys.find(&id).await?;
        Ok(json!({"data": keys.entry(key).await?}))
    })
    .await
}

/// `PATCH /v1/keys/{hash}`.
pub async fn update(
    State(access): State<Arc<Access>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    managed(&access, "keys.update", request, async |keys, fields| {
        Ok(json!({"data": keys.update(&id, &fields).await?}))
    })
    .await
}

/// `DELETE /v1/keys/{hash}`.
pub async fn delete(
    State(access): State<Arc<Access>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    managed(&access, "keys.delete", request, async |keys, _| {
        keys.remove(&id).await?;
        Ok(json!({"deleted": true, "data": {"success": true}}))
    })
    .await
}

/// `POST /v1/keys/{hash}/rotate`.
pub async fn rotate(
    State(access): State<Arc<Access>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    managed(&access, "keys.rotate", request, async |keys, fields| {
        let grace = fields.get("grace_seconds").unwrap_or(&Value::Null);
        let grace = match grace {
            Value::Null => 0,
            grace => grace.as_u64().ok_or_else(|| {
                let message = "`grace_seconds` must be a whole number of seconds.";
                Failure::invalid("grace_seconds", message)
            })?,
        };
        Ok(keys.rotate(&id, grace).await?.document())
    })
    .await
}

/// `POST /v1/keys/{hash}/reset`.
pub async fn reset(
    State(access): State<Arc<Access>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    managed(&access, "keys.reset", request, async |keys, fields| {
        let per = fields
            .get("per")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Ok(json!({"data": keys.reset(&id, per).await?}))
    })
    .await
}

/// `GET /admin/api/accounts`.
pub async fn list_accounts(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    managed(&access, "accounts.list", request, async |_, _| {
        let gate = &access.key_access().gate;
        Ok(json!({"data": accounts::list(&gate.pool, &gate.ledger).await?}))
    })
    .await
}

/// `POST /admin/api/accounts/{name}/wake`.
pub async fn wake_account(
    State(access): State<Arc<Access>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Response {
    managed(&access, "accounts.wake", request, async |_, _| {
        accounts::wake(&access.key_access().gate.pool, &name)?;
        Ok(json!({"data": {"name": name}}))
    })
    .await
}

/// Lets the operator in.
///
/// # Errors
/// There is no `ADMIN_KEY`, or the request does not carry it.
fn require_owner(access: &KeyAccess, head: &Parts) -> Result<(), Failure> {
    let Some(admin) = &access.admin else {
        let message = "The management API is off: set ADMIN_KEY to enable it.";
        return Err(Failure::new(Kind::NotFound, message).with_retry(false));
    };
    if let Some(visitor) = head.extensions.get::<Visitor>() {
        return visitor.require_admin();
    }
    if admin.is_in(&head.headers) {
        return Ok(());
    }
    let message = "This needs the relay's ADMIN_KEY as `Authorization: Bearer …`.";
    Err(Failure::new(Kind::Unauthenticated, message).with_retry(false))
}

/// Answers the operator with a JSON document; `work` is given the keys and the body's fields.
///
/// The operator is whoever sends `ADMIN_KEY` or has a session by it.
pub async fn managed<W>(
    access: &Access,
    api: &'static str,
    request: Request<Body>,
    work: W,
) -> Response
where
    W: AsyncFnOnce(Keys<'_>, Map<String, Value>) -> Result<Value, Failure>,
{
    let (head, body) = request.into_parts();
    let context = RequestContext::of(&head.extensions);
    let mut log = RequestLog::begin(access.metrics().cloned(), context.id, api);
    let key_access = access.key_access();
    let outcome = async {
        require_owner(key_access, &head)?;
        let body = body::read(body, &head.headers, BODY_MAX).await?;
        let keys = Keys {
            keys: &key_access.keys,
            ledger: &key_access.gate.ledger,
        };
        work(keys, fields(&body)?).await
    };
    match outcome.await {
        Ok(document) => {
            log.done();
            admit::json(&document)
        }
        Err(failure) => {
            log.failed(&failure);
            reply::failure(admit::dialect(&head.headers), &failure, context.id)
        }
    }
}

/// The fields of a body; none of an empty one.
///
/// # Errors
/// It is no JSON object.
pub fn fields(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    request::parse(body)
}
