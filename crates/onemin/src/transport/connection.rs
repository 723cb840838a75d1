//! One HTTP/1.1 connection. It has no task: who waits for its answer moves its bytes, which saves
//! a wake-up of another task for every event of a stream, and that task's memory.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Outgoing;
use super::bell::Bell;

/// The most memory that reading and writing one connection takes, in bytes.
const BUFFER: usize = 64 * 1024;

/// The socket, with TLS or without.
pub(super) type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

#[derive(Debug)]
pub(super) struct Connection {
    sender: http1::SendRequest<Outgoing>,
    wire: Wire,
}

/// What moves the bytes.
#[derive(Debug)]
struct Wire {
    inner: http1::Connection<Socket, Outgoing>,
    bell: Arc<Bell>,
    ended: bool,
}

/// Why there is no response.
pub(super) enum NoResponse {
    /// The connection ended before any of the request was written; here it is again.
    Unsent(Box<Request<Outgoing>>, hyper::Error),
    Failed(hyper::Error),
}

impl Connection {
    pub(super) async fn over(socket: Socket) -> Result<Self, hyper::Error> {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(BUFFER);
        let (sender, inner) = builder.handshake(socket).await?;
        let wire = Wire {
            inner,
            bell: Arc::default(),
            ended: false,
        };
        Ok(Self { sender, wire })
    }

    /// Sends a request and waits for the head of the response.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, NoResponse> {
        let Self { sender, wire } = self;
        let mut response = pin!(sender.try_send_request(request));
        let response = std::future::poll_fn(|cx| wire.poll(cx, |cx| response.as_mut().poll(cx)));
        response
            .await
            .map_err(|mut error| match error.take_message() {
                Some(request) => NoResponse::Unsent(Box::new(request), error.into_error()),
                None => NoResponse::Failed(error.into_error()),
            })
    }

    /// The next part of the response's body.
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.wire.poll(cx, |cx| Pin::new(&mut *body).poll_frame(cx))
    }

    /// Whether another request can be sent: the exchange before is over, both sides are there.
    pub(super) fn is_ready(&mut self) -> bool {
        self.wire
            .turn(&mut Context::from_waker(std::task::Waker::noop()));
        self.wire.bell.forget();
        !self.wire.ended && self.sender.is_ready()
    }
}

impl Wire {
    /// Moves what can be moved, then asks for its outcome.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut outcome: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let bell = self.bell.clone();
        bell.poll(cx, |cx| {
            self.turn(cx);
            outcome(cx)
        })
    }

    /// A failure is not lost: the outcome that is waited for says the same.
    fn turn(&mut self, cx: &mut Context<'_>) {
        if !self.ended {
            self.ended = Pin::new(&mut self.inner).poll(cx).is_ready();
        }
    }
}
