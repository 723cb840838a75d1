//! One HTTP/1.1 connection. It has no task: who waits for its answer moves its bytes, which saves
//! a wake-up of another task for every event of a stream, and that task's memory.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http1;

use super::connect::Socket;
use super::outgoing::Outgoing;

/// The most memory that reading and writing one connection takes, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Connection {
    sender: http1::SendRequest<Outgoing>,
    /// What moves the bytes. None once the connection has ended: gone, it has closed the socket and
    /// handed back a request that it had not begun.
    wire: Option<Wire>,
}

type Wire = http1::Connection<Socket, Outgoing>;

/// Why there is no response.
pub(super) enum NoResponse {
    /// The connection ended before any of the request was written; here it is again.
    Unsent(Box<Request<Outgoing>>, hyper::Error),
    Failed(hyper::Error),
}

impl Connection {
    pub(super) async fn over(socket: Socket) -> Result<Self, hyper::Error> {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(BUFFER_BYTES);
        let (sender, wire) = builder.handshake(socket).await?;
        let wire = Some(wire);
        Ok(Self { sender, wire })
    }

    /// Sends a request and waits for the head of the response.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, NoResponse> {
        let mut response = pin!(self.sender.try_send_request(request));
        let response = poll_fn(|cx| poll(&mut self.wire, cx, |cx| response.as_mut().poll(cx)));
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
        poll(&mut self.wire, cx, |cx| Pin::new(&mut *body).poll_frame(cx))
    }

    /// Whether another request can be sent: the exchange before is over, both sides are there.
    pub(super) fn is_ready(&mut self) -> bool {
        turn(&mut self.wire, &mut Context::from_waker(Waker::noop()));
        self.wire.is_some() && self.sender.is_ready()
    }
}

/// Moves what can be moved, and asks for what came of it.
///
/// The two ends within a connection wake each other whenever one has taken what the other gave;
/// polled by one task, they would make it run again in vain after every event. So they have nobody
/// to wake while there is something to move; only when nothing is left does the task wait.
fn poll<T>(
    wire: &mut Option<Wire>,
    cx: &mut Context<'_>,
    mut outcome: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    let mut nobody = Context::from_waker(Waker::noop());
    let mut come = outcome(&mut nobody);
    if come.is_pending() {
        turn(wire, &mut nobody);
        come = outcome(&mut nobody);
    }
    if come.is_pending() {
        turn(wire, cx);
        come = outcome(cx);
    }
    come
}

/// How a connection ends does not matter here: the response, or the next part of its body, says it.
fn turn(wire: &mut Option<Wire>, cx: &mut Context<'_>) {
    let moving = wire.as_mut().map(|wire| Pin::new(wire).poll(cx));
    if moving.is_some_and(|ended| ended.is_ready()) {
        *wire = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{Request, StatusCode};
    use hyper_rustls::MaybeHttpsStream;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn connected() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        let socket = MaybeHttpsStream::Http(TokioIo::new(near.unwrap()));
        (Connection::over(socket).await.unwrap(), far.unwrap().0)
    }

    async fn ask(connection: &mut Connection) -> Result<StatusCode, NoResponse> {
        let exchange = connection.exchange(Request::new(Outgoing::Empty));
        let response = tokio::time::timeout(Duration::from_secs(1), exchange).await;
        response.unwrap().map(|response| response.status())
    }

    #[tokio::test]
    async fn a_request_on_a_connection_that_was_closed_meanwhile_comes_back_unsent() {
        for used in [false, true] {
            let (mut connection, mut server) = connected().await;
            if used {
                let answer = b"HTTP/1.1 204 No\r\n\r\n";
                let answering = async { server.write_all(answer).await.unwrap() };
                let (status, ()) = tokio::join!(ask(&mut connection), answering);
                assert_eq!(status.ok(), Some(StatusCode::NO_CONTENT));
                assert!(connection.is_ready());
                let _ = server.read(&mut [0; 1024]).await;
            }
            drop(server);
            tokio::time::sleep(Duration::from_millis(20)).await;
            let answer = ask(&mut connection).await;
            assert!(
                matches!(answer, Err(NoResponse::Unsent(..))),
                "used: {used}"
            );
        }
    }
}
