//! URLs and methods that do not exist, in the shape that clients understand.

use axum::response::Response;
use http::{Method, Uri};
use translate::dialect::openai::error;
use translate::failure::{Failure, Kind};

use crate::respond;

/// No such URL.
pub async fn route(method: Method, uri: Uri) -> Response {
    let path: String = uri.path().chars().take(120).collect();
    let message = format!(
        "There is no {method} {path} here. The base URL of this API ends in /v1; docs/parity.md lists its endpoints."
    );
    respond::document(error::document(&Failure::new(Kind::NotFound, message)))
}

/// The URL exists, the method does not.
pub async fn method(method: Method, uri: Uri) -> Response {
    let path: String = uri.path().chars().take(120).collect();
    let message = format!("{path} does not take {method}.");
    respond::document(error::document(&Failure::new(
        Kind::MethodNotAllowed,
        message,
    )))
}
