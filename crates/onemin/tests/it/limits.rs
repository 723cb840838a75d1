//! Time limits, dead connections, and whether a request may be sent again.

use onemin::{
    Accepted, Client, ConnectFailure, Error, Options, Timeouts, TransportError, TransportKind,
};
use url::Url;

use super::server::{Server, Step, chunk, events, json};
use super::{ask, client, client_within, fixture, key, millis, read_all};

fn transport(error: Error) -> TransportError {
    assert!(!error.to_string().is_empty());
    match error {
        Error::Transport(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_handshake_that_hangs_is_ended_and_was_not_accepted() {
    let server = Server::with(vec![vec![Step::Hang]]).await;
    let mut base_url = server.url();
    base_url.set_scheme("https").unwrap();
    let timeouts = Timeouts {
        connect: millis(100),
        ..Timeouts::default()
    };
    let client = Client::new(Options {
        base_url,
        timeouts,
        ..Options::default()
    })
    .unwrap();
    let error = client.chat(&key(), &ask("hi")).await.unwrap_err();
    assert!(error.is_timeout());
    let error = transport(error);
    assert_eq!(
        (error.kind, error.accepted),
        (TransportKind::ConnectTimeout, Accepted::No)
    );
}

#[tokio::test]
async fn an_answer_that_does_not_begin_is_given_up() {
    let server = Server::with(vec![vec![Step::Hang]]).await;
    let timeouts = Timeouts {
        first_byte: millis(80),
        ..Timeouts::default()
    };
    let client = client_within(&server, timeouts);
    for streamed in [false, true] {
        let error = if streamed {
            client.chat_stream(&key(), &ask("hi")).await.unwrap_err()
        } else {
            client.chat(&key(), &ask("hi")).await.unwrap_err()
        };
        assert!(error.is_timeout());
        let error = transport(error);
        assert_eq!(
            (error.kind, error.accepted),
            (TransportKind::FirstByteTimeout, Accepted::Maybe)
        );
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up_but_a_slow_one_is_not() {
    let content = || chunk("event: content\ndata: {\"content\":\"x\"}\n\n");
    let mut reply = vec![events()];
    for _ in 0..6 {
        reply.extend([content(), Step::Wait(millis(60))]);
    }
    reply.push(Step::Hang);
    let server = Server::with(vec![reply]).await;
    let timeouts = Timeouts {
        idle: millis(150),
        ..Timeouts::default()
    };
    let stream = client_within(&server, timeouts)
        .chat_stream(&key(), &ask("hi"))
        .await
        .unwrap();
    let (text, ended) = read_all(stream).await;
    assert_eq!(text, "xxxxxx");
    let error = ended.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(transport(error).kind, TransportKind::IdleTimeout);
    server.client_has_left().await;
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_given_up_however_lively_it_is() {
    let content = || {
        [
            chunk("event: content\ndata: {\"content\":\"x\"}\n\n"),
            Step::Wait(millis(20)),
        ]
    };
    let reply = [vec![events()], (0..100).flat_map(|_| content()).collect()].concat();
    let server = Server::with(vec![reply]).await;
    let timeouts = Timeouts {
        whole: millis(150),
        ..Timeouts::default()
    };
    let client = client_within(&server, timeouts);
    let stream = client.chat_stream(&key(), &ask("hi")).await.unwrap();
    let (text, ended) = read_all(stream).await;
    assert!(!text.is_empty());
    assert_eq!(
        transport(ended.unwrap_err()).kind,
        TransportKind::WholeTimeout
    );
    let error = client.chat(&key(), &ask("hi")).await.unwrap_err();
    assert_eq!(transport(error).kind, TransportKind::WholeTimeout);
}

#[tokio::test]
async fn a_connection_that_is_refused_took_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let base_url = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let client = Client::new(Options {
        base_url,
        ..Options::default()
    })
    .unwrap();
    let error = client.chat(&key(), &ask("hi")).await.unwrap_err();
    assert_eq!(error.was_accepted(), Accepted::No);
    let refused = TransportKind::Connect(ConnectFailure::Refused);
    assert_eq!(transport(error).kind, refused);
}

#[tokio::test]
async fn a_host_without_an_address_is_named_as_the_cause() {
    let client = Client::new(Options {
        base_url: Url::parse("http://no-such-host.invalid").unwrap(),
        ..Options::default()
    })
    .unwrap();
    let error = client.chat(&key(), &ask("hi")).await.unwrap_err();
    let no_name = TransportKind::Connect(ConnectFailure::Name);
    assert_eq!(transport(error).kind, no_name);
}

#[tokio::test]
async fn a_connection_that_closes_after_the_request_may_have_taken_it_and_is_not_asked_again() {
    let server = Server::with(vec![vec![Step::Close]]).await;
    let error = client(&server).chat(&key(), &ask("hi")).await.unwrap_err();
    assert_eq!(error.was_accepted(), Accepted::Maybe);
    assert_eq!(transport(error).kind, TransportKind::Broken);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_pooled_connection_that_has_died_costs_no_request() {
    let answer = || json(200, &fixture("chat-minimal.response.json"));
    let server = Server::with(vec![vec![answer(), Step::Close], vec![answer()]]).await;
    let client = client(&server);
    client.chat(&key(), &ask("first")).await.unwrap();
    tokio::time::sleep(millis(30)).await;
    client.chat(&key(), &ask("second")).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0].connection, asked[1].connection);
}

#[tokio::test]
async fn a_pooled_connection_that_closes_after_the_request_is_not_asked_again() {
    let answer = json(200, &fixture("chat-minimal.response.json"));
    let server = Server::with(vec![vec![answer], vec![Step::Close]]).await;
    let client = client(&server);
    client.chat(&key(), &ask("first")).await.unwrap();
    let error = client.chat(&key(), &ask("second")).await.unwrap_err();
    assert_eq!(error.was_accepted(), Accepted::Maybe);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn requests_one_after_another_share_a_connection() {
    let server = Server::with(vec![vec![json(
        200,
        &fixture("chat-minimal.response.json"),
    )]])
    .await;
    let client = client(&server);
    for _ in 0..3 {
        client.chat(&key(), &ask("hi")).await.unwrap();
    }
    assert!(server.asked().iter().all(|asked| asked.connection == 0));
}
