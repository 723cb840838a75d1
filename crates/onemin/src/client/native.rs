//! 1min.ai's own requests, passed on as they are.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::{API_KEY, Client, JSON, uri, within};
use crate::api_key::ApiKey;
use crate::assets::Download;
use crate::error::{Error, TransportKind};
use crate::native::NativePath;
use crate::transport::Outgoing;

/// A request of 1min.ai's own API.
#[derive(Debug)]
pub struct NativeRequest {
    /// Its method.
    pub method: Method,
    /// Which path it is.
    pub path: NativePath,
    /// The path and the query, beginning with a slash.
    pub target: String,
    /// The type of its body.
    pub content_type: Option<HeaderValue>,
    /// The types that the client takes.
    pub accept: Option<HeaderValue>,
    /// Its body.
    pub body: NativeBody,
}

/// The body of a native request.
#[derive(Debug)]
pub enum NativeBody {
    /// None.
    Empty,
    /// Bytes that are all here.
    Bytes(Bytes),
    /// Bytes as they come.
    Stream(
        http_body_util::combinators::UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>,
    ),
}

impl NativeBody {
    /// A body that is passed on as it comes.
    pub fn streamed<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::Stream(body.map_err(Into::into).boxed_unsync())
    }
}

/// What 1min.ai answered, whatever it is.
#[derive(Debug)]
pub struct NativeResponse {
    /// The headers.
    pub headers: HeaderMap,
    /// The status, and the body as it comes.
    pub body: Download,
}

impl Client {
    /// Sends a native request once, and gives the response with any status.
    ///
    /// # Errors
    /// There is no response.
    pub async fn native(
        &self,
        key: &ApiKey,
        request: NativeRequest,
    ) -> Result<NativeResponse, Error> {
        let timeouts = &self.inner.timeouts;
        let limit = match request.path {
            NativePath::Chat => timeouts.whole,
            NativePath::Features => timeouts.feature,
            NativePath::Assets => timeouts.upload,
            NativePath::Result | NativePath::Conversations | NativePath::List => timeouts.small,
        };
        let address = uri(&self.inner.base, &request.target)?;
        let accept = request.accept.unwrap_or(JSON);
        let sent = self.request(request.method, address, accept.clone(), |headers| {
            headers.insert(API_KEY, key.header()?);
            headers.insert(ACCEPT, accept);
            if let Some(kind) = request.content_type {
                headers.insert(CONTENT_TYPE, kind);
            }
            Ok(match request.body {
                NativeBody::Empty => Outgoing::Empty,
                NativeBody::Bytes(bytes) => Outgoing::Bytes(bytes),
                NativeBody::Stream(stream) => Outgoing::Stream(stream),
            })
        })?;
        let deadline = Instant::now() + limit;
        let sending = async { Ok(self.inner.transport.send(sent).await?) };
        let response = within(deadline, TransportKind::FirstByteTimeout, sending).await?;
        Ok(NativeResponse {
            headers: response.headers().clone(),
            body: Download::new(response, timeouts.idle, timeouts.whole.max(limit)),
        })
    }
}
