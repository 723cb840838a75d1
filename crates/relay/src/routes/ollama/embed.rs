//! `POST /api/embed` and `POST /api/embeddings`, passed on in OpenAI's words to the server that the
//! operator names. Without one there are no such routes.

use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode, header};
use translate::dialect::ollama;
use translate::dialect::ollama::embed::{self, EmbedRequest};
use translate::failure::{Failure, Kind};

use crate::access::Access;
use crate::embeddings::{Answered, Embeddings};
use crate::http::admit::{self, AdmittedRequest, Entrance};
use crate::http::reply;

/// How one of the two endpoints reads its body.
pub type Decode = fn(&[u8]) -> Result<EmbedRequest, Failure>;

/// Embeddings by another server. They may cost its owner something, so only accounts of 1min.ai
/// are served.
pub async fn create(
    access: &Access,
    embeddings: &Embeddings,
    decode: Decode,
    request: Request<Body>,
) -> Response {
    let entrance = Entrance {
        api: "ollama.embed",
        dialect: &ollama::chat::DIALECT,
    };
    let work = async |mut asked: AdmittedRequest| {
        let began = Instant::now();
        access.require_known(&asked.payer).await?;
        let wanted = asked.decode_body(decode).await?;
        let given = match wanted.asked() {
            Some(body) => Some(embeddings.make(body.into()).await?),
            None => None,
        };
        if let Some(given) = given
            .as_ref()
            .filter(|given| given.status != StatusCode::OK)
        {
            return Err(refused(given));
        }
        let given = given.as_ref().map(|given| given.body.as_ref());
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Ok(reply::json(200, wanted.answer(given, took)?))
    };
    admit::answer_in(access, entrance, request, work).await
}

/// What the other server refused. A key that it does not know is the operator's, not the client's.
fn refused(given: &Answered) -> Failure {
    let kind = match given.status.as_u16() {
        400 | 404 | 413 | 415 | 422 => Kind::Invalid,
        429 => Kind::RateLimited,
        _ => Kind::Upstream,
    };
    let reason = embed::reason(&given.body).unwrap_or_else(|| given.status.to_string());
    let message = format!("The embeddings server refused the request: {reason}");
    let wait = given.headers.get(header::RETRY_AFTER);
    let wait = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
    Failure::new(kind, message).with_retry_after(wait)
}
