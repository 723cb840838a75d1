//! Embeddings, which 1min.ai does not make: passed on to another server, if the operator names one.
//!
//! What goes there is the request's body and the operator's own key. The client's key is 1min.ai's
//! and goes nowhere else.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret as _, SecretString};
use translate::dialect::request::passed_on::PassedOn;
use translate::failure::{Failure, Kind};
use url::Url;

use crate::failure::with_cause;
use crate::http::long_work;
use crate::observe::throttle::warn_throttled;
use crate::outbound_https;
use crate::setting_values::http_url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a whole answer may take.
const TIMEOUT: Duration = Duration::from_mins(3);

/// The largest answer, in bytes: some 5000 embeddings of 1536 numbers.
const MAX_ANSWER: usize = 128 * 1024 * 1024;

/// What of the other server's head a client is told.
const PASSED_ON: [header::HeaderName; 2] = [header::CONTENT_TYPE, header::RETRY_AFTER];

/// Who makes embeddings, as the operator sets it.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct Settings {
    /// Who makes embeddings, since 1min.ai does not: the base URL of an OpenAI-compatible server,
    /// such as `http://localhost:11434/v1`. /v1/embeddings is passed on to it, and 501 without it.
    #[arg(long, env = "EMBEDDINGS_BASE_URL", value_name = "URL", value_parser = http_url)]
    pub embeddings_base_url: Option<Url>,

    /// The API key for that server; clients' keys are never sent there.
    #[arg(
        long,
        env = "EMBEDDINGS_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub embeddings_api_key: Option<SecretString>,

    /// The model that is asked there, whatever a client names.
    #[arg(long, env = "EMBEDDINGS_MODEL", value_name = "ID")]
    pub embeddings_model: Option<String>,
}

/// The other server.
pub struct Embeddings {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: Url,
    key: Option<HeaderValue>,
    model: Option<String>,
}

/// What the other server answered.
#[derive(Debug)]
pub struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// Its type, and when to come again.
    pub headers: HeaderMap,
    /// What it said.
    pub body: Bytes,
}

impl Embeddings {
    /// The server that the settings name; none if they name none.
    ///
    /// # Errors
    /// A key that no header can hold.
    pub fn of(settings: &Settings) -> Result<Option<Self>, String> {
        let Some(base) = &settings.embeddings_base_url else {
            return Ok(None);
        };
        let mut address = base.clone();
        let path = format!("{}/embeddings", base.path().trim_end_matches('/'));
        address.set_path(&path);
        let key = settings.embeddings_api_key.as_ref().map(bearer);
        let key = key.transpose()?;
        Ok(Some(Self {
            client: Client::builder(TokioExecutor::new())
                .build(outbound_https::over(HttpConnector::new(), CONNECT_TIMEOUT)),
            address,
            key,
            model: settings.embeddings_model.clone(),
        }))
    }

    /// Passes a request's body on.
    ///
    /// # Errors
    /// A body that is no JSON object, or a server that does not answer.
    pub async fn make(&self, body: Bytes) -> Result<Answered, Failure> {
        let body = long_work::run(body.len(), || self.with_model(&body)).await?;
        match tokio::time::timeout(TIMEOUT, self.ask(body)).await {
            Ok(answered) => answered,
            Err(_) => Err(Failure::new(
                Kind::UpstreamTimeout,
                "The embeddings server did not answer in time.",
            )),
        }
    }

    /// Whether the server answers at all.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub async fn health_check(&self) -> Result<(), String> {
        let request = Request::get(self.address.as_str()).body(Full::default());
        let request = request.map_err(|error| error.to_string())?;
        let answer = tokio::time::timeout(CONNECT_TIMEOUT, self.client.request(request)).await;
        match answer {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(with_cause(&error)),
            Err(elapsed) => Err(elapsed.to_string()),
        }
    }

    fn with_model(&self, body: &Bytes) -> Result<Bytes, Failure> {
        let fields = PassedOn::read(body)?;
        Ok(match &self.model {
            None => body.clone(),
            Some(model) => fields.with("model", model).into(),
        })
    }

    async fn ask(&self, body: Bytes) -> Result<Answered, Failure> {
        let mut request = Request::post(self.address.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, onemin::USER_AGENT);
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, key);
        }
        let request = request.body(Full::new(body));
        let request = request.map_err(|error| unreachable(&error))?;
        let answer = self.client.request(request).await;
        let (head, body) = answer.map_err(|error| unreachable(&error))?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| unreachable(&*error))?.to_bytes();
        let mut headers = HeaderMap::new();
        for name in PASSED_ON {
            if let Some(value) = head.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        Ok(Answered {
            status: head.status,
            headers,
            body,
        })
    }
}

fn bearer(key: &SecretString) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()));
    let mut value = value.map_err(|_| "EMBEDDINGS_API_KEY cannot be sent in a header")?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where the server is, is the operator's business and stands in the log alone.
fn unreachable(error: &(dyn Error + 'static)) -> Failure {
    let reason = with_cause(error);
    warn_throttled!("the embeddings server (EMBEDDINGS_BASE_URL): {reason}");
    Failure::new(
        Kind::Upstream,
        "The embeddings server that this relay passes requests to cannot be reached or broke off; its operator finds the reason in the log.",
    )
}
