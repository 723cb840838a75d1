//! `/admin`: what the page asks on behalf of whoever is signed in. What the management API and the
//! reports of use answer to keys stands below `/admin/api` for sessions, too.

pub mod session;
pub mod status;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::Response;
use http::Request;

use crate::access::sign_in::SignIn;
use crate::access::{Access, credentials};
use crate::http::context::RequestContext;
use crate::http::{admit, reply};
use crate::observe::RequestLog;

/// Looks for the session of a request to `/admin/api`, and leaves whose it is to the handler. A key
/// that a program sends is the handler's to check.
pub async fn recognise(
    State(access): State<Arc<Access>>,
    State(sign_in): State<Arc<SignIn>>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let headers = request.headers();
    let recognised = if credentials::text_of(headers).is_some() {
        sign_in.require_on().map(|()| None)
    } else {
        sign_in.visitor(request.method(), headers).map(Some)
    };
    match recognised {
        Ok(None) => next.run(request).await,
        Ok(Some(visitor)) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(failure) => {
            let context = RequestContext::of(request.extensions());
            let metrics = access.metrics().cloned();
            RequestLog::begin(metrics, context.id, "admin").failed(&failure);
            reply::failure(admit::dialect(headers), &failure, context.id)
        }
    }
}
