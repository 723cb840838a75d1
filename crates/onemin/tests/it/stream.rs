//! Streamed answers.

use onemin::chat::Usage;
use onemin::{Accepted, Error, ProtocolError, RefusalKind, TransportKind};

use super::server::{Server, Step, chunk, events, json, last_chunk, response};
use super::{ask, client, fixture, key, millis, read_all};

#[tokio::test]
async fn text_is_given_as_it_comes() {
    let whole = fixture("chat-stream.sse");
    let mut reply = vec![events()];
    for piece in whole.chunks(50) {
        reply.extend([chunk(piece), Step::Wait(millis(1))]);
    }
    reply.push(last_chunk());
    let server = Server::with(vec![reply]).await;
    let stream = client(&server)
        .chat_stream(&key(), &ask("hi"))
        .await
        .unwrap();
    let (text, ended) = read_all(stream).await;
    assert_eq!(text, "Jupiter");
    assert_eq!(
        ended.unwrap().usage,
        Some(Usage {
            input: 98,
            output: 3,
            total: 101
        })
    );
    let asked = &server.asked()[0];
    assert!(
        asked
            .head
            .starts_with("POST /api/chat-with-ai?isStreaming=true HTTP/1.1\r\n"),
        "{}",
        asked.head
    );
    assert_eq!(asked.header("accept"), Some("text/event-stream"));
}

#[tokio::test]
async fn what_one_read_brought_is_given_in_one_read() {
    let content = "event: content\ndata: {\"content\":\"x\"}\n\n".repeat(100);
    let server = Server::with(vec![vec![events(), chunk(content), Step::Hang]]).await;
    let mut stream = client(&server)
        .chat_stream(&key(), &ask("hi"))
        .await
        .unwrap();
    let mut pieces = Vec::new();
    let mut on_text = |text: &str| pieces.push(text.to_owned());
    stream.read(&mut on_text).await.unwrap();
    assert_eq!(pieces.concat(), "x".repeat(100));
    // Those that come with very many others are one.
    let apart = pieces.iter().take_while(|piece| *piece == "x").count();
    assert_eq!((apart, pieces.len()), (32, 33));
}

#[tokio::test]
async fn a_connection_is_used_again_even_if_the_end_of_its_body_comes_late() {
    let reply = vec![
        events(),
        chunk(fixture("chat-stream.sse")),
        Step::Wait(millis(30)),
        last_chunk(),
    ];
    let server = Server::with(vec![reply]).await;
    let client = client(&server);
    for _ in 0..3 {
        let stream = client.chat_stream(&key(), &ask("hi")).await.unwrap();
        read_all(stream).await.1.unwrap();
        tokio::time::sleep(millis(80)).await;
    }
    let connections: Vec<usize> = server
        .asked()
        .iter()
        .map(|asked| asked.connection)
        .collect();
    assert_eq!(connections, [0, 0, 0]);
}

#[tokio::test]
async fn a_streamed_request_may_be_answered_without_events() {
    for (content_type, body, expected) in [
        (
            "application/json",
            fixture("chat-minimal.response.json"),
            "Jupiter",
        ),
        (
            "text/plain",
            "Grüße, 東京 🚀".as_bytes().to_vec(),
            "Grüße, 東京 🚀",
        ),
        (
            "text/event-stream",
            fixture("chat-minimal.response.json"),
            "Jupiter",
        ),
        (
            "text/event-stream",
            fixture("legacy-chat-features.stream.txt"),
            "Hello! How can I help you today?",
        ),
    ] {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let mut reply = vec![Step::Send(head.into_bytes())];
        reply.extend(body.chunks(3).map(chunk));
        reply.push(last_chunk());
        let server = Server::with(vec![reply]).await;
        let stream = client(&server)
            .chat_stream(&key(), &ask("hi"))
            .await
            .unwrap();
        let (text, ended) = read_all(stream).await;
        assert!(ended.is_ok(), "{content_type}: {ended:?}");
        assert_eq!(text, expected, "{content_type}");
    }
}

#[tokio::test]
async fn a_body_without_length_or_type_ends_with_its_connection() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let reply = vec![
        Step::Send(head),
        Step::Send(fixture("legacy-chat-features.stream.txt")),
        Step::Close,
    ];
    let server = Server::with(vec![reply]).await;
    let stream = client(&server)
        .chat_stream(&key(), &ask("hi"))
        .await
        .unwrap();
    let (text, ended) = read_all(stream).await;
    assert_eq!(text, "Hello! How can I help you today?");
    assert_eq!(ended.unwrap().usage, None);
}

#[tokio::test]
async fn a_refusal_before_the_first_event_is_an_error_at_once() {
    let server = Server::with(vec![vec![json(401, &fixture("err-401-key-deleted.json"))]]).await;
    let error = client(&server)
        .chat_stream(&key(), &ask("hi"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Refused(refusal) if refusal.kind == RefusalKind::Unauthenticated)
    );
    assert_eq!(error.was_accepted(), Accepted::No);
}

#[tokio::test]
async fn a_refusal_within_a_stream_is_an_error_of_reading() {
    for (reply, kind) in [
        (
            response(
                200,
                "content-type: text/event-stream\r\n",
                &fixture("chat-stream-error-model.sse"),
            ),
            RefusalKind::UnknownModel,
        ),
        (
            json(200, &fixture("err-200-insufficient-credits-in-result.json")),
            RefusalKind::InsufficientCredits,
        ),
    ] {
        let server = Server::with(vec![vec![reply]]).await;
        let stream = client(&server)
            .chat_stream(&key(), &ask("hi"))
            .await
            .unwrap();
        match read_all(stream).await.1 {
            Err(Error::Refused(refusal)) => assert_eq!(refusal.kind, kind),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_after_its_text() {
    let begun = || [events(), chunk(fixture("chat-stream-truncated.sse"))];
    for (end, cut) in [(last_chunk(), false), (Step::Close, true)] {
        let server = Server::with(vec![[begun().to_vec(), vec![end]].concat()]).await;
        let stream = client(&server)
            .chat_stream(&key(), &ask("hi"))
            .await
            .unwrap();
        let (text, ended) = read_all(stream).await;
        assert_eq!(text, "The answer");
        match ended {
            Err(Error::Protocol(ProtocolError::Interrupted)) => assert!(!cut),
            Err(Error::Transport(error)) => assert!(cut && error.kind == TransportKind::Broken),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn once_the_record_has_come_nothing_is_missing() {
    let whole = String::from_utf8(fixture("chat-stream.sse")).unwrap();
    let without_done = whole.split("event: done").next().unwrap();
    for end in [last_chunk(), Step::Close, Step::Hang] {
        let server = Server::with(vec![vec![events(), chunk(without_done), end]]).await;
        let stream = client(&server)
            .chat_stream(&key(), &ask("hi"))
            .await
            .unwrap();
        let (text, ended) = read_all(stream).await;
        assert_eq!(
            (text.as_str(), ended.unwrap().credits),
            ("Jupiter", Some(45.0))
        );
    }
}

#[tokio::test]
async fn reading_on_after_the_end_is_an_error() {
    let server = Server::with(vec![vec![
        events(),
        chunk(fixture("chat-stream.sse")),
        last_chunk(),
    ]])
    .await;
    let mut stream = client(&server)
        .chat_stream(&key(), &ask("hi"))
        .await
        .unwrap();
    while stream.read(&mut |_| {}).await.unwrap() == onemin::chat::Progress::More {}
    assert!(stream.read(&mut |_| {}).await.is_err());
}
