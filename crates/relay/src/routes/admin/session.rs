//! `/admin/session`: signing in to the page and out of it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use translate::dialect::openai::chat;
use translate::dialect::request;
use translate::failure::Failure;

use crate::access::Access;
use crate::access::sign_in::SignIn;
use crate::access::visitor::Visitor;
use crate::http::context::RequestContext;
use crate::http::same_origin::is_https;
use crate::http::{admit, reply};

#[derive(Deserialize)]
struct Given {
    key: String,
}

/// Who is signed in, for the page.
#[derive(Serialize)]
struct SessionInfo<'v> {
    /// `admin`, `key`, or null for nobody.
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'v str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'v str>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<i64>,
    /// The time zone of budgets' days.
    time_zone: &'v str,
}

impl<'v> SessionInfo<'v> {
    fn of(visitor: Option<&'v Visitor>, ends_at: Option<i64>, time_zone: &'v str) -> Self {
        let (role, name, hash) = match visitor {
            None => (None, None, None),
            Some(Visitor::Admin) => (Some("admin"), None, None),
            Some(Visitor::Holder(known)) => {
                let key = &known.key;
                (Some("key"), Some(key.name.as_str()), Some(key.id.as_str()))
            }
        };
        Self {
            role,
            name,
            hash,
            ends_at,
            time_zone,
        }
    }
}

/// `GET`: who is signed in. Nobody is no failure: browsers write those into their console.
pub async fn show(
    State(access): State<Arc<Access>>,
    State(sign_in): State<Arc<SignIn>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    if let Err(failure) = sign_in.require_on() {
        return reply::failure(&chat::DIALECT, &failure, context.id);
    }
    let found = sign_in.session(&headers);
    let (visitor, session) = found.unzip();
    let zone = zone(&access);
    let ends = session.map(|session| session.ends);
    admit::json(&SessionInfo::of(visitor.as_ref(), ends, zone))
}

/// `POST {"key": …}`: a session for who has a good key.
pub async fn begin(
    State(access): State<Arc<Access>>,
    State(sign_in): State<Arc<SignIn>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let begun = match given(&body) {
        Ok(key) => {
            let address = access.address(context.peer, &headers);
            sign_in.begin(&key, address, &headers).await
        }
        Err(failure) => Err(failure),
    };
    match begun {
        Ok((visitor, session, sessions)) => {
            let jar = sessions.begin(&session, is_https(&headers));
            let zone = zone(&access);
            let info = SessionInfo::of(Some(&visitor), Some(session.ends), zone);
            (jar, admit::json(&info)).into_response()
        }
        Err(failure) => reply::failure(&chat::DIALECT, &failure, context.id),
    }
}

/// `DELETE`: the browser forgets its session.
pub async fn end(
    State(sign_in): State<Arc<SignIn>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    match sign_in.end(&headers) {
        Ok(jar) => (jar, StatusCode::NO_CONTENT).into_response(),
        Err(failure) => reply::failure(&chat::DIALECT, &failure, context.id),
    }
}

/// The time zone in which budgets' days begin.
fn zone(access: &Access) -> &str {
    access.key_access().gate.ledger.calendar().zone()
}

fn given(body: &[u8]) -> Result<String, Failure> {
    request::parse::<Given>(body).map(|given| given.key)
}
