//! What happens to connections: used again, replaced, closed; and no paid request sent twice.

use std::collections::HashSet;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame};
use onemin::assets::Upload;
use onemin::{Accepted, Client, Error, Options, Timeouts, TransportKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::server::{Server, Step, chunk, events, json, last_chunk, response};
use super::{ask, client, client_within, fixture, key, millis, read_all};

const ANSWER: &str = "chat-minimal.response.json";
const STREAM: &str = "chat-stream.sse";
const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
const PIECE: &str = "event: content\ndata: {\"content\":\"x\"}\n\n";

/// A server whose connections are each served by what a test says.
async fn listening<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Client
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket));
        }
    });
    Client::new(Options {
        base_url,
        ..Options::default()
    })
    .unwrap()
}

/// What must not hang.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(millis(3000), work).await.unwrap()
}

fn send(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(bytes.as_ref().to_vec())
}

/// The steps' bytes in one write.
fn at_once(steps: impl IntoIterator<Item = Step>) -> Step {
    let bytes = steps.into_iter().flat_map(|step| match step {
        Step::Send(bytes) => bytes,
        other => panic!("{other:?} has no bytes"),
    });
    Step::Send(bytes.collect())
}

fn connections(server: &Server) -> Vec<usize> {
    let asked = server.asked();
    asked.iter().map(|asked| asked.connection).collect()
}

/// Asks three times, one after another, with a little time for each connection to settle.
async fn ask_three_times(client: &Client, streamed: bool) {
    for _ in 0..3 {
        if streamed {
            let stream = client.chat_stream(&key(), &ask("hi")).await.unwrap();
            read_all(stream).await.1.unwrap();
        } else {
            client.chat(&key(), &ask("hi")).await.unwrap();
        }
        tokio::time::sleep(millis(50)).await;
    }
}

/// A whole answer in chunks, up to its end.
fn framed(end: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let begun = [send(CHUNKED), chunk(fixture(ANSWER))];
    begun.into_iter().chain(end).collect()
}

/// A streamed answer, up to its end.
fn streamed(end: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let begun = [events(), chunk(fixture(STREAM))];
    begun.into_iter().chain(end).collect()
}

#[tokio::test]
async fn a_connection_whose_answer_has_ended_is_used_again() {
    let late = || [Step::Wait(millis(20)), last_chunk()];
    let more = || [chunk(": bye\n\n"), last_chunk()];
    let trailers = || [send("0\r\nx-sum: 1\r\n\r\n")];
    for (what, is_stream, reply) in [
        ("length", false, vec![json(200, &fixture(ANSWER))]),
        ("chunks", false, framed([last_chunk()])),
        ("one write", false, vec![at_once(framed([last_chunk()]))]),
        ("late end", false, framed(late())),
        ("events unasked for", false, streamed(late())),
        ("stream", true, streamed([last_chunk()])),
        ("one write", true, vec![at_once(streamed([last_chunk()]))]),
        ("late end", true, streamed(late())),
        ("more after the end", true, streamed(more())),
        ("the same in one", true, vec![at_once(streamed(more()))]),
        ("trailers", true, streamed(trailers())),
    ] {
        let server = Server::with(vec![reply]).await;
        ask_three_times(&client(&server), is_stream).await;
        assert_eq!(connections(&server), [0, 0, 0], "{what}");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_not_used_again() {
    let closing = response(200, "connection: close\r\n", &fixture(ANSWER));
    let body = String::from_utf8(fixture(ANSWER)).unwrap();
    let length = body.len();
    let older = format!("HTTP/1.0 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
    let unbounded = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    for (what, reply) in [
        ("closed", vec![closing.clone(), Step::Close]),
        ("closing announced", vec![closing]),
        ("no length", vec![send(unbounded), Step::Close]),
        ("HTTP/1.0", vec![send(older)]),
    ] {
        let server = Server::with(vec![reply]).await;
        ask_three_times(&client(&server), false).await;
        assert_eq!(connections(&server), [0, 1, 2], "{what}");
    }
}

#[tokio::test]
async fn a_server_that_closes_what_it_accepts_is_reported_at_once() {
    let client = listening(|socket| async move { drop(socket) }).await;
    for _ in 0..200 {
        let error = in_time(client.chat(&key(), &ask("hi"))).await;
        match error.unwrap_err() {
            Error::Transport(error) => {
                let sent = error.kind == TransportKind::Broken;
                assert!(sent || error.kind == TransportKind::NotSent, "{error:?}");
                assert_eq!(error.accepted == Accepted::Maybe, sent);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The server closes after each answer, a little later each time: before, while and after the next
/// request is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_seen_twice_however_the_server_closes() {
    let answer = json(200, &fixture(ANSWER));
    let replies = (0..2000).map(|n| {
        let pause = Step::Wait(Duration::from_micros(n % 40 * 10));
        vec![answer.clone(), pause, Step::Close]
    });
    let server = Server::with(replies.collect()).await;
    let client = client(&server);
    let mut lost = HashSet::new();
    for n in 0..1000 {
        let asked = in_time(client.chat(&key(), &ask(&format!("number {n}.")))).await;
        match asked {
            Ok(_) => {}
            Err(error) if error.was_accepted() == Accepted::Maybe => drop(lost.insert(n)),
            Err(error) => panic!("{error:?}"),
        }
    }
    let asked = server.asked();
    for n in 0..1000 {
        let number = format!("number {n}.");
        let is_it = |body: &[u8]| String::from_utf8_lossy(body).contains(&number);
        let seen = asked.iter().filter(|asked| is_it(&asked.body)).count();
        assert!(
            seen == 1 || seen == 0 && lost.contains(&n),
            "{n} was seen {seen} times"
        );
    }
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_no_answer() {
    let text = |text: &str| {
        String::from_utf8(fixture(ANSWER))
            .unwrap()
            .replace("Jupiter", text)
    };
    let answer = |said: &str| json(200, text(said).as_bytes());
    for pause in [None, Some(Step::Wait(millis(20)))] {
        let first = match pause {
            None => vec![at_once([answer("Mars"), answer("Venus")])],
            Some(pause) => vec![answer("Mars"), pause, answer("Venus")],
        };
        let server = Server::with(vec![first, vec![answer("Pluto")]]).await;
        let client = client(&server);
        assert_eq!(client.chat(&key(), &ask("a")).await.unwrap().text, "Mars");
        tokio::time::sleep(millis(50)).await;
        assert_eq!(client.chat(&key(), &ask("b")).await.unwrap().text, "Pluto");
        assert_eq!(connections(&server), [0, 1]);
    }
}

#[tokio::test]
async fn a_body_that_is_cut_is_an_error_and_its_connection_is_gone() {
    let answer = json(200, &fixture(ANSWER));
    let half = |steps: Vec<Step>| match at_once(steps) {
        Step::Send(mut bytes) => {
            bytes.truncate(bytes.len() / 2);
            vec![Step::Send(bytes), Step::Close]
        }
        other => vec![other],
    };
    for (cut, streamed) in [
        (half(vec![answer.clone()]), false),
        (half(vec![send(CHUNKED), chunk(fixture(ANSWER))]), false),
        (half(vec![events(), chunk(fixture(STREAM))]), true),
    ] {
        let server = Server::with(vec![cut, vec![answer.clone()]]).await;
        let client = client(&server);
        let error = if streamed {
            let stream = client.chat_stream(&key(), &ask("hi")).await.unwrap();
            read_all(stream).await.1.unwrap_err()
        } else {
            client.chat(&key(), &ask("hi")).await.unwrap_err()
        };
        assert_eq!(error.was_accepted(), Accepted::Maybe, "{error:?}");
        client.chat(&key(), &ask("hi")).await.unwrap();
        assert_eq!(connections(&server), [0, 1]);
    }
}

/// A file without end.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 4096])))))
    }
}

#[tokio::test]
async fn an_answer_before_the_upload_has_ended_is_read() {
    let client = listening(|mut socket| async move {
        let mut head = [0; 1024];
        let _ = socket.read(&mut head).await.unwrap();
        let body = fixture("err-400-unsupported-file-type.json");
        let head = format!("HTTP/1.1 400 No\r\ncontent-length: {}\r\n\r\n", body.len());
        let _ = socket.write_all(&[head.as_bytes(), &body].concat()).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
    })
    .await;
    for _ in 0..3 {
        let upload = Upload::from_body("a.png".into(), "image/png".into(), None, Endless);
        let answered = in_time(client.upload(&key(), upload)).await;
        assert!(matches!(answered, Err(Error::Refused(_))), "{answered:?}");
    }
}

/// Waits until so many connections were closed by the client, and says when the last one was.
async fn closed(left: &AtomicUsize, wanted: usize) -> Instant {
    while left.load(Ordering::SeqCst) < wanted {
        tokio::time::sleep(millis(1)).await;
    }
    Instant::now()
}

/// Says one piece of a stream and then nothing; counts those who leave.
async fn one_piece(mut socket: TcpStream, left: Arc<AtomicUsize>) {
    let mut head = [0; 4096];
    let _ = socket.read(&mut head).await;
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let piece = format!("{head}{:x}\r\n{PIECE}\r\n", PIECE.len());
    socket.write_all(piece.as_bytes()).await.unwrap();
    while socket.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
    left.fetch_add(1, Ordering::SeqCst);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_streams_that_are_dropped_are_closed_at_once() {
    let left = Arc::new(AtomicUsize::new(0));
    let leaving = Arc::clone(&left);
    let client = listening(move |socket| one_piece(socket, Arc::clone(&leaving))).await;
    let opened = (0..200).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            let mut stream = client.chat_stream(&key(), &ask("hi")).await.unwrap();
            stream.read(&mut |_| {}).await.unwrap();
            stream
        })
    });
    let opened: Vec<_> = opened.collect();
    let mut streams = Vec::new();
    for stream in opened {
        streams.push(stream.await.unwrap());
    }
    assert_eq!(left.load(Ordering::SeqCst), 0);
    let dropped = Instant::now();
    drop(streams);
    assert!(in_time(closed(&left, 200)).await - dropped < millis(100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_streams_at_once_are_complete_and_their_connections_serve_again() {
    let server = Server::with(vec![in_pieces(20)]).await;
    let client = client(&server);
    for _ in 0..2 {
        let streams = (0..200).map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let stream = client.chat_stream(&key(), &ask("hi")).await.unwrap();
                read_all(stream).await
            })
        });
        let streams: Vec<_> = streams.collect();
        for stream in streams {
            let (text, ended) = stream.await.unwrap();
            ended.unwrap();
            assert!(text.starts_with(&"x".repeat(20)), "{text}");
        }
        tokio::time::sleep(millis(50)).await;
    }
    assert!(connections(&server).into_iter().max().unwrap() < 200);
}

/// A stream of this many pieces, one by one.
fn in_pieces(count: usize) -> Vec<Step> {
    let pieces = (0..count).flat_map(|_| [chunk(PIECE), Step::Wait(millis(2))]);
    [
        vec![events()],
        pieces.collect(),
        streamed([last_chunk()]).split_off(1),
    ]
    .concat()
}

/// The runtime lets one task do only so much at a time; what that puts off must not be lost.
#[tokio::test]
async fn one_task_can_read_three_hundred_streams() {
    let server = Server::with(vec![in_pieces(10)]).await;
    let client = client(&server);
    let reading = |client: Client| async move {
        let stream = client.chat_stream(&key(), &ask("hi")).await.unwrap();
        read_all(stream).await.1.unwrap();
    };
    let mut left: Vec<_> = (0..300)
        .map(|_| Box::pin(reading(client.clone())))
        .collect();
    let all = std::future::poll_fn(|cx| {
        left.retain_mut(|one| one.as_mut().poll(cx).is_pending());
        if left.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .unwrap();
}

/// Counts how often it is woken, and wakes the one it stands for.
struct Counting {
    woken: AtomicUsize,
    other: Waker,
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::SeqCst);
        self.other.wake_by_ref();
    }
}

#[tokio::test]
async fn one_piece_wakes_its_reader_once_and_silence_does_not() {
    let mut reply = vec![events()];
    for _ in 0..10 {
        reply.extend([Step::Wait(millis(30)), chunk(PIECE)]);
    }
    reply.extend([Step::Wait(millis(200)), Step::Close]);
    let server = Server::with(vec![reply]).await;
    let mut stream = client(&server)
        .chat_stream(&key(), &ask("hi"))
        .await
        .unwrap();
    let mut pieces = 0;
    let mut counting = None;
    let ended = std::future::poll_fn(|cx| {
        let counting = counting.get_or_insert_with(|| {
            let (woken, other) = (AtomicUsize::new(0), cx.waker().clone());
            Arc::new(Counting { woken, other })
        });
        let waker = Waker::from(Arc::clone(counting));
        loop {
            match stream.poll_read(&mut Context::from_waker(&waker), &mut |_| pieces += 1) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(error),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    assert_eq!(ended.await.was_accepted(), Accepted::Maybe);
    let woken = counting.unwrap().woken.load(Ordering::SeqCst);
    assert_eq!(pieces, 10);
    assert!(woken <= 12, "{woken} wakes for {pieces} pieces and an end");
}

#[tokio::test]
async fn whoever_drops_the_client_closes_its_idle_connections() {
    let reply = vec![json(200, &fixture(ANSWER)), Step::Hang];
    let server = Server::with(vec![reply]).await;
    let client = client(&server);
    client.chat(&key(), &ask("hi")).await.unwrap();
    let dropped = Instant::now();
    drop(client);
    assert!(server.client_has_left().await - dropped < millis(100));
}

#[tokio::test]
async fn an_answer_may_come_byte_by_byte() {
    let bytes = match at_once([events(), chunk(fixture(STREAM)), last_chunk()]) {
        Step::Send(bytes) => bytes,
        other => panic!("{other:?}"),
    };
    let pause = || Step::Wait(Duration::from_micros(1));
    let reply = bytes
        .iter()
        .flat_map(|byte| [send([*byte]), pause()])
        .collect();
    let server = Server::with(vec![reply]).await;
    let timeouts = Timeouts {
        idle: millis(500),
        ..Timeouts::default()
    };
    let client = client_within(&server, timeouts);
    let stream = client.chat_stream(&key(), &ask("hi")).await.unwrap();
    let (text, ended) = read_all(stream).await;
    ended.unwrap();
    assert!(!text.is_empty());
}
