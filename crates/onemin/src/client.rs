//! The client: the only place that sends.

mod conversations;
mod download;
mod features;
mod native;

pub use features::{JobPoll, Submitted};
pub use native::{NativeBody, NativeRequest, NativeResponse};

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER,
    USER_AGENT as USER_AGENT_HEADER,
};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use tokio::time::Instant;
use url::Url;

use crate::api_key::ApiKey;
use crate::assets::{self, Asset, Upload};
use crate::chat::{self, Answer, Reader, Stream};
use crate::clock;
use crate::drift;
use crate::error::{Error, ProtocolError, TransportError, TransportKind};
use crate::facts::Fact;
use crate::models::{self, Feature, Model};
use crate::refusal::{self, Refusal};
use crate::repaired_json::repaired;
use crate::transport::{self, Authorities, Body, Outgoing, Settings, Transport};

/// Where the API is.
pub const DEFAULT_BASE_URL: &str = "https://api.1min.ai";

/// Where stored files are.
pub const DEFAULT_ASSET_URL: &str = "https://asset.1min.ai";

/// How this client names itself. Upstream's edge refuses the names of some libraries.
pub const USER_AGENT: &str = concat!(
    "1min-relay/",
    env!("CARGO_PKG_VERSION"),
    " (+",
    env!("CARGO_PKG_REPOSITORY"),
    ")"
);

const API_KEY: HeaderName = HeaderName::from_static("api-key");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const UNCOMPRESSED: HeaderValue = HeaderValue::from_static("identity");

/// The largest body of a refusal that is read, in bytes.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// The largest answer to an upload, in bytes: it may hold the text of the document.
const UPLOAD_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The largest list of models, in bytes.
const MODELS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a client is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the API is, https or http.
    pub base_url: Url,
    /// Where stored files are.
    pub asset_url: Url,
    /// The `user-agent` header.
    pub user_agent: String,
    /// The time limits.
    pub timeouts: Timeouts,
    /// Send small packets at once.
    pub tcp_nodelay: bool,
    /// Trusted besides the authorities that browsers trust.
    pub authorities: Authorities,
}

impl Default for Options {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "constants, and a test parses them")]
        let url = |text| Url::parse(text).expect("a URL");
        Self {
            base_url: url(DEFAULT_BASE_URL),
            asset_url: url(DEFAULT_ASSET_URL),
            user_agent: USER_AGENT.to_owned(),
            timeouts: Timeouts::default(),
            tcp_nodelay: true,
            authorities: Authorities::default(),
        }
    }
}

/// Time limits; each is told apart in the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// From sending a chat request to the head of the response. Without streaming the head comes
    /// when the answer is complete.
    pub first_byte: Duration,
    /// Between two reads of a streamed answer.
    pub idle: Duration,
    /// For a whole chat call, streamed or not.
    pub whole: Duration,
    /// For a list of models.
    pub models: Duration,
    /// For an upload.
    pub upload: Duration,
    /// For a feature (images, speech, transcripts, code) until its result is there, held or
    /// polled.
    pub feature: Duration,
    /// Before a job is polled for the first time. Later polls come more rarely, at most five times
    /// as rarely.
    pub poll: Duration,
    /// For a small request that costs nothing: one poll of a job, a conversation, a deletion.
    pub small: Duration,
    /// From asking for a stored file to the head of the response. Its bytes may then take as long
    /// as they keep coming, see `idle`.
    pub download: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_mins(3),
            idle: Duration::from_mins(2),
            whole: Duration::from_mins(15),
            models: Duration::from_secs(5),
            upload: Duration::from_mins(3),
            feature: Duration::from_mins(15),
            poll: Duration::from_secs(2),
            small: Duration::from_secs(30),
            download: Duration::from_secs(30),
        }
    }
}

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
        let reading = whole(response, timeouts.idle);
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
    ) -> Result<Request<Outgoing>, Error> {
        self.request(Method::POST, uri.clone(), accept, |headers| {
            headers.extend(self.inner.host.clone().map(|host| (HOST, host)));
            headers.insert(API_KEY, key.header()?);
            headers.insert(CONTENT_TYPE, JSON);
            Ok(Outgoing::Bytes(Bytes::from(body)))
        })
    }

    fn request(
        &self,
        method: Method,
        uri: Uri,
        accept: HeaderValue,
        rest: impl FnOnce(&mut http::HeaderMap) -> Result<Outgoing, Error>,
    ) -> Result<Request<Outgoing>, Error> {
        let mut request = Request::new(Outgoing::Empty);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, accept);
        headers.insert(ACCEPT_ENCODING, UNCOMPRESSED);
        headers.insert(USER_AGENT_HEADER, self.inner.user_agent.clone());
        *request.body_mut() = rest(headers)?;
        Ok(request)
    }

    /// Sends a chat request and waits for a head that reports success.
    async fn head(
        &self,
        request: Request<Outgoing>,
        deadline: Instant,
    ) -> Result<Response<Body>, Error> {
        let first_byte = Instant::now() + self.inner.timeouts.first_byte;
        let (limit, kind) = if deadline < first_byte {
            (deadline, TransportKind::WholeTimeout)
        } else {
            (first_byte, TransportKind::FirstByteTimeout)
        };
        let sending = async { accepted(self.inner.transport.send(request).await?).await };
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

/// Lets a response pass that reports success, and reads any other as a refusal.
async fn accepted(response: Response<Body>) -> Result<Response<Body>, Error> {
    let status = response.status();
    if status.is_success() {
        return readable(response);
    }
    let led = status.is_redirection().then(|| led_to(&response)).flatten();
    let wait = response.headers().get(RETRY_AFTER);
    let wait = wait.and_then(|value| refusal::retry_after(value.as_bytes(), clock::now()));
    if status == StatusCode::TOO_MANY_REQUESTS && wait.is_none() {
        drift::count(Fact::RateLimited);
    }
    let body = beginning(response.into_body(), REFUSAL_BYTES_MAX).await;
    let mut refusal = Refusal::from_body(Some(status.as_u16()), &body);
    refusal.retry_after = wait;
    if let Some(host) = led {
        refusal.message = format!("the request was sent on to {host}, which is not followed");
    }
    Err(refusal.into())
}

/// Lets a response pass whose bytes are what they say.
fn readable(response: Response<Body>) -> Result<Response<Body>, Error> {
    let encoding = response.headers().get(CONTENT_ENCODING);
    let encoding = encoding.map(|value| value.as_bytes().to_ascii_lowercase());
    match encoding.as_deref().map(<[u8]>::trim_ascii) {
        Some(b"gzip" | b"x-gzip" | b"deflate" | b"br" | b"zstd" | b"compress") => Err(
            ProtocolError::Malformed("it is compressed, although that was not asked for").into(),
        ),
        _ => Ok(response),
    }
}

/// The host that a redirection leads to.
fn led_to(response: &Response<Body>) -> Option<String> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    Some(Url::parse(location).ok()?.host_str()?.to_owned())
}

/// As much of a body as comes, up to a bound: the status has already said what matters.
async fn beginning(mut body: Body, bound: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < bound {
        let Some(Ok(next)) = body.next().await else {
            break;
        };
        bytes.extend_from_slice(&next);
    }
    bytes.truncate(bound);
    bytes
}

/// A whole JSON document.
async fn document(body: Body, bound: usize, idle: Duration) -> Result<Vec<u8>, Error> {
    let bytes = collect(body, bound, idle).await?;
    Ok(match repaired(&bytes) {
        Cow::Borrowed(_) => bytes,
        Cow::Owned(repaired) => repaired.into_bytes(),
    })
}

/// The next bytes of a body that is read whole, within the limit between two reads.
async fn next(body: &mut Body, idle: Duration) -> Result<Option<Bytes>, Error> {
    match tokio::time::timeout(idle, body.next()).await {
        Ok(next) => Ok(next.transpose()?),
        Err(_) => Err(TransportError::new(TransportKind::IdleTimeout).into()),
    }
}

async fn collect(mut body: Body, bound: usize, idle: Duration) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(next) = next(&mut body, idle).await? {
        bytes.extend_from_slice(&next);
        if bytes.len() > bound {
            return Err(ProtocolError::BodyTooLarge(bound).into());
        }
    }
    Ok(bytes)
}

async fn whole(response: Response<Body>, idle: Duration) -> Result<Answer, Error> {
    let mut reader = reader(&response);
    let mut body = response.into_body();
    let mut text = String::new();
    while let Some(bytes) = next(&mut body, idle).await? {
        if let Some(accounting) = reader.push(&bytes, &mut |piece| text.push_str(piece))? {
            body.finish();
            return Ok(Answer { text, accounting });
        }
    }
    let accounting = reader.end(&mut |piece| text.push_str(piece))?;
    Ok(Answer { text, accounting })
}

fn reader(response: &Response<Body>) -> Reader {
    let content_type = response.headers().get(CONTENT_TYPE);
    let length = response.body().length();
    Reader::new(content_type.map(HeaderValue::as_bytes), length)
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
