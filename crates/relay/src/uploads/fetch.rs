//! Fetching a URL that a client named: over http(s), within a size and a time, following few
//! redirects, and never to an address that is not public (see [`guard`]).

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioExecutor;
use tower::Service;
use translate::failure::Failure;
use url::{Host, Url};

use super::guard;
use crate::outbound_https;

const MAX_REDIRECTS: usize = 5;
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

type Https = hyper_rustls::HttpsConnector<HttpConnector<Guarded>>;

/// Fetches URLs on clients' behalf.
#[derive(Clone)]
pub struct Fetcher {
    client: Client<Https, Empty<Bytes>>,
    max_bytes: usize,
    allow_private: bool,
}

impl Fetcher {
    /// A fetcher that takes at most so many bytes; private addresses only if allowed.
    #[must_use]
    pub fn new(max_bytes: usize, allow_private: bool) -> Self {
        let connector = HttpConnector::new_with_resolver(Guarded {
            resolver: GaiResolver::new(),
            allow_private,
        });
        let https = outbound_https::over(connector, CONNECT_TIMEOUT);
        Self {
            client: Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(1)
                .build(https),
            max_bytes,
            allow_private,
        }
    }

    /// The bytes behind a URL.
    ///
    /// # Errors
    /// What the client can mend: an address that may not be fetched, an answer that is no success,
    /// too large, or too slow.
    pub async fn get(&self, url: &str) -> Result<Bytes, Failure> {
        match tokio::time::timeout(TIMEOUT, self.follow(url)).await {
            Ok(result) => result,
            Err(_) => Err(refuse(format!(
                "it took longer than {} s",
                TIMEOUT.as_secs()
            ))),
        }
    }

    async fn follow(&self, url: &str) -> Result<Bytes, Failure> {
        let mut url = Url::parse(url.trim()).map_err(|_| refuse("the URL is malformed"))?;
        for _ in 0..=MAX_REDIRECTS {
            self.check(&url)?;
            let response = self.send(&url).await?;
            match redirect(&url, &response)? {
                Some(next) => url = next,
                None => return self.body(response).await,
            }
        }
        Err(refuse(format!(
            "it redirects more than {MAX_REDIRECTS} times"
        )))
    }

    /// Addresses written as such never reach the resolver, so they are checked here.
    fn check(&self, url: &Url) -> Result<(), Failure> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("only http and https URLs are fetched"));
        }
        let address = match url.host() {
            None => return Err(refuse("the URL names no host")),
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(v4)) => v4.into(),
            Some(Host::Ipv6(v6)) => v6.into(),
        };
        if self.allow_private || guard::is_public(address) {
            Ok(())
        } else {
            Err(refuse(PRIVATE))
        }
    }

    async fn send(&self, url: &Url) -> Result<Response<Incoming>, Failure> {
        let request = Request::get(url.as_str())
            .header(header::USER_AGENT, onemin::USER_AGENT)
            .header(header::ACCEPT, "*/*")
            .body(Empty::new())
            .map_err(|_| refuse("the URL is malformed"))?;
        self.client
            .request(request)
            .await
            .map_err(|error| refuse(reason(&error)))
    }

    async fn body(&self, response: Response<Incoming>) -> Result<Bytes, Failure> {
        if response.status() != StatusCode::OK {
            return Err(refuse(format!(
                "it answered with status {}",
                response.status().as_u16()
            )));
        }
        let too_large = || {
            refuse(format!(
                "it is larger than {} MiB",
                self.max_bytes / (1024 * 1024)
            ))
        };
        let mut body = response.into_body();
        if hyper::body::Body::size_hint(&body).lower() > self.max_bytes as u64 {
            return Err(too_large());
        }
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| refuse("it broke off"))?;
            if let Ok(data) = frame.into_data() {
                if bytes.len() + data.len() > self.max_bytes {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok(bytes.freeze())
    }
}

const PRIVATE: &str =
    "it points to a private or reserved address (ALLOW_PRIVATE_URLS permits them)";

/// Why a connection failed, for the client. Whether a name exists inside is not told.
fn reason(error: &hyper_util::client::legacy::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<NotPublic>()
            || error
                .downcast_ref::<std::io::Error>()
                .and_then(std::io::Error::get_ref)
                .is_some_and(<dyn std::error::Error + Send + Sync + 'static>::is::<NotPublic>)
        {
            return PRIVATE.to_owned();
        }
        cause = error.source();
    }
    "its host could not be reached".to_owned()
}

fn redirect(url: &Url, response: &Response<Incoming>) -> Result<Option<Url>, Failure> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response
        .headers()
        .get(header::LOCATION)
        .and_then(|l| l.to_str().ok());
    let next = location.and_then(|location| url.join(location).ok());
    next.map(Some)
        .ok_or_else(|| refuse("it redirects without a location"))
}

fn refuse(reason: impl std::fmt::Display) -> Failure {
    Failure::invalid(
        "messages",
        format!("A URL of the request could not be used: {reason}."),
    )
    .with_code("invalid_image_url")
}

/// A resolver that gives public addresses only.
#[derive(Clone)]
struct Guarded {
    resolver: GaiResolver,
    allow_private: bool,
}

/// Every address of the name was refused.
#[derive(Debug, thiserror::Error)]
#[error("the address is not public")]
struct NotPublic;

impl Service<Name> for Guarded {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.resolver.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.resolver.call(name);
        let allow_private = self.allow_private;
        Box::pin(async move {
            let all: Vec<SocketAddr> = resolving.await?.collect();
            let found = !all.is_empty();
            let public: Vec<_> = all
                .into_iter()
                .filter(|a| allow_private || guard::is_public(a.ip()))
                .collect();
            if found && public.is_empty() {
                return Err(std::io::Error::other(NotPublic));
            }
            Ok(public.into_iter())
        })
    }
}
