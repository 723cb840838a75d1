//! The client: the only place that sends.

mod conversations;
mod download;
mod features;
mod native;
mod options;
mod response;

pub use features::{JobPoll, Submitted};
pub use native::{NativeBody, NativeRequest, NativeResponse};
pub use options::{DEFAULT_ASSET_URL, DEFAULT_BASE_URL, Options, Timeouts, USER_AGENT};

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT as USER_AGENT_HEADER};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use tokio::time::Instant;
use url::Url;

use crate::api_key::ApiKey;
use crate::assets::{self, Asset, Upload};
use crate::chat::{self, Answer, Stream};
use crate::error::{Error, TransportError, TransportKind};
use crate::models::{self, Feature, Model};
use crate::transport::{self, Body, Outgoing, Settings, Transport};
use response::{accepted, collect, document, reader, whole};

/// Headers of a request, hyper's among them.
const HEADERS_USUAL: usize = 8;
const API_KEY: HeaderName = HeaderName::from_static("api-key");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const UNCOMPRESSED: HeaderValue = HeaderValue::from_static("identity");

/// The largest answer to an upload, in bytes: it may hold the text of the document.
const UPLOAD_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The largest list of models, in bytes.
const MODELS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A client of 1min.ai. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    transport: Transport,
    chat: Uri,
    chat_streamed: Uri,
    assets: Uri,
    features: Uri,
    /// What every address of the API begins with.
    base: String,
    /// What every address of a stored file begins with.
    asset_base: String,
    user_agent: HeaderValue,
    /// How the API's host is named in requests to it; worked out once.
    host: Option<HeaderValue>,
    timeouts: Timeouts,
}

impl Client {
    /// A client; nothing is connected yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the base URL is not http or https, or the user agent cannot be sent.
    pub fn new(options: Options) -> Result<Self, Error> {
        let asset_base = base(&options.asset_url)?;
        let base = base(&options.base_url)?;
        let user_agent = HeaderValue::from_str(&options.user_agent)
            .map_err(|_| Error::Invalid("the user agent cannot be sent"))?;
        let transport = Transport::new(&Settings {
            authorities: options.authorities,
            connect_timeout: options.timeouts.connect,
            nodelay: options.tcp_nodelay,
        })?;
        let chat = uri(&base, "/api/chat-with-ai")?;
        let inner = Inner {
            transport,
            host: transport::host_header(&chat),
            chat,
            chat_streamed: uri(&base, "/api/chat-with-ai?isStreaming=true")?,
            assets: uri(&base, "/api/assets")?,
            features: uri(&base, "/api/features")?,
            base,
            asset_base,
            user_agent,
            timeouts: options.timeouts,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Asks for an answer and waits until it is complete.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn chat(&self, key: &ApiKey, request: &chat::Request) -> Result<Answer, Error> {
        let timeouts = &self.inner.timeouts;
        let deadline = Instant::now() + timeouts.whole;
        let request = self.post(&self.inner.chat, key, JSON, request.to_bytes())?;
        let response = self.head(request, deadline).await?;
        // Pinned where they are made, futures are not moved on their way down.
        let reading = pin!(whole(response, timeouts.idle));
        within(deadline, TransportKind::WholeTimeout, reading).await
    }

    /// Asks for an answer as it comes; returns when upstream has begun to answer.
    ///
    /// # Errors
    /// Why there is none, as far as it is known before the first event: many refusals of streamed
    /// requests come with status 200, as an event.
    pub async fn chat_stream(
        &self,
        key: &ApiKey,
        request: &chat::Request,
    ) -> Result<Stream, Error> {
        let timeouts = &self.inner.timeouts;
        let deadline = Instant::now() + timeouts.whole;
        let request = self.post(&self.inner.chat_streamed, key, EVENTS, request.to_bytes())?;
        let response = self.head(request, deadline).await?;
        let reader = reader(&response);
        Ok(Stream::new(
            response.into_body(),
            reader,
            timeouts.idle,
            deadline,
        ))
    }

    /// Stores a file with 1min.ai, so that prompts can refer to it.
    ///
    /// # Errors
    /// Why it was not stored.
    pub async fn upload(&self, key: &ApiKey, upload: Upload) -> Result<Asset, Error> {
        let deadline = Instant::now() + self.inner.timeouts.upload;
        let (content_type, body) = upload.into_body()?;
        let request = self.request(Method::POST, self.inner.assets.clone(), JSON, |headers| {
            headers.insert(API_KEY, key.header()?);
            headers.insert(CONTENT_TYPE, content_type);
            Ok(body)
        })?;
        let answer = async {
            let response = accepted(self.inner.transport.send(request).await?).await?;
            document(
                response.into_body(),
                UPLOAD_ANSWER_BYTES_MAX,
                self.inner.timeouts.idle,
            )
            .await
        };
        let answer = within(deadline, TransportKind::WholeTimeout, answer).await?;
        assets::stored(&answer)
    }

    /// The models of a feature that can be used now, as upstream lists them. No key is needed.
    ///
    /// # Errors
    /// Why there is no list. An empty list is an error.
    pub async fn models(&self, feature: Feature) -> Result<Vec<Model>, Error> {
        let deadline = Instant::now() + self.inner.timeouts.models;
        let uri = uri(
            &self.inner.base,
            &format!("/models?feature={}", feature.as_str()),
        )?;
        let request = self.request(Method::GET, uri, JSON, |_| Ok(Outgoing::Empty))?;
        let list = async {
            let response = accepted(self.inner.transport.send(request).await?).await?;
            document(
                response.into_body(),
                MODELS_BYTES_MAX,
                self.inner.timeouts.idle,
            )
            .await
        };
        models::usable(
            &within(deadline, TransportKind::WholeTimeout, list).await?,
            feature,
        )
    }

    fn post(
        &self,
        uri: &Uri,
        key: &ApiKey,
        accept: HeaderValue,
        body: Vec<u8>,
    ) -> Result<Box<Request<Outgoing>>, Error> {
        self.request(Method::POST, uri.clone(), accept, |headers| {
            headers.extend(self.inner.host.clone().map(|host| (HOST, host)));
            headers.insert(API_KEY, key.header()?);
            headers.insert(CONTENT_TYPE, JSON);
            Ok(Outgoing::Bytes(Bytes::from(body)))
        })
    }

    /// In a box: it is handed down through several futures, and each would have room for it.
    fn request(
        &self,
        method: Method,
        uri: Uri,
        accept: HeaderValue,
        rest: impl FnOnce(&mut http::HeaderMap) -> Result<Outgoing, Error>,
    ) -> Result<Box<Request<Outgoing>>, Error> {
        let mut request = Box::new(Request::new(Outgoing::Empty));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        // With hyper's own and some to spare: a map that grows is built anew.
        headers.reserve(HEADERS_USUAL);
        headers.insert(ACCEPT, accept);
        headers.insert(ACCEPT_ENCODING, UNCOMPRESSED);
        headers.insert(USER_AGENT_HEADER, self.inner.user_agent.clone());
        *request.body_mut() = rest(headers)?;
        Ok(request)
    }

    /// Sends a chat request and waits for a head that reports success.
    async fn head(
        &self,
        request: Box<Request<Outgoing>>,
        deadline: Instant,
    ) -> Result<Response<Body>, Error> {
        let first_byte = Instant::now() + self.inner.timeouts.first_byte;
        let (limit, kind) = if deadline < first_byte {
            (deadline, TransportKind::WholeTimeout)
        } else {
            (first_byte, TransportKind::FirstByteTimeout)
        };
        let sending = pin!(async { accepted(self.inner.transport.send(request).await?).await });
        within(limit, kind, sending).await
    }
}

async fn within<T>(
    deadline: Instant,
    kind: TransportKind,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout_at(deadline, work).await {
        Ok(done) => done,
        Err(_) => Err(TransportError::new(kind).into()),
    }
}

/// The base without a slash at its end, and without query and fragment.
fn base(url: &Url) -> Result<String, Error> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Error::Invalid(
            "the base URL must begin with http:// or https://",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Invalid(
            "the base URL must not hold a user or password",
        ));
    }
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn uri(base: &str, path: &str) -> Result<Uri, Error> {
    format!("{base}{path}")
        .parse()
        .map_err(|_| Error::Invalid("the base URL cannot be requested"))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Client, Options};

    fn client(base: &str) -> Result<Client, crate::Error> {
        let base_url = Url::parse(base).unwrap();
        Client::new(Options {
            base_url,
            ..Options::default()
        })
    }

    #[test]
    fn a_base_url_may_have_a_path_and_a_slash() {
        for (base, chat) in [
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/api/chat-with-ai",
            ),
            (
                "https://api.1min.ai/",
                "https://api.1min.ai/api/chat-with-ai",
            ),
            (
                "http://proxy.example/one/min/?x=1#y",
                "http://proxy.example/one/min/api/chat-with-ai",
            ),
        ] {
            assert_eq!(client(base).unwrap().inner.chat, chat);
        }
    }

    #[test]
    fn a_base_url_that_cannot_be_requested_is_refused() {
        for base in [
            "ftp://api.1min.ai",
            "file:///x",
            "data:x",
            "https://user:password@api.1min.ai",
        ] {
            assert!(client(base).is_err(), "{base}");
        }
    }

    #[test]
    fn the_options_are_upstreams_by_default() {
        assert_eq!(
            Client::new(Options::default()).unwrap().inner.chat,
            "https://api.1min.ai/api/chat-with-ai"
        );
    }
}
