//! The way to an S3-compatible service: the HTTP client that the rest of the relay uses.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector as MakesClients, HttpError, HttpErrorKind, HttpRequest,
    HttpRequestBody, HttpResponse, HttpResponseBody, HttpService,
};

use crate::outbound_https;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a service may take to begin its answer; pieces are written within it.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// Makes clients.
#[derive(Debug)]
pub(super) struct Connector;

impl MakesClients for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let connector = outbound_https::over(HttpConnector::new(), CONNECT_TIMEOUT);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(HttpClient::new(Pooled(client)))
    }
}

#[derive(Debug)]
struct Pooled(Client<HttpsConnector<HttpConnector>, HttpRequestBody>);

impl HttpService for Pooled {
    fn call<'a, 'f>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.0.request(request)).await;
            let answer = answer.map_err(|error| HttpError::new(HttpErrorKind::Timeout, error))?;
            let answer = answer.map_err(|error| {
                let kind = if error.is_connect() {
                    HttpErrorKind::Connect
                } else {
                    HttpErrorKind::Request
                };
                HttpError::new(kind, error)
            })?;
            Ok(answer.map(|body| {
                HttpResponseBody::new(
                    body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error)),
                )
            }))
        })
    }
}
