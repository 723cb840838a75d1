//! Whoever stops waiting stops the request.

use std::time::{Duration, Instant};

use super::server::{Server, Step, chunk, events};
use super::{ask, client, key, millis};

const AT_ONCE: Duration = Duration::from_millis(100);

#[tokio::test]
async fn dropping_a_stream_closes_its_connection_at_once() {
    let content = "event: content\ndata: {\"content\":\"x\"}\n\n";
    let server = Server::with(vec![vec![events(), chunk(content), Step::Hang]]).await;
    let mut stream = client(&server)
        .chat_stream(&key(), &ask("hi"))
        .await
        .unwrap();
    stream.read(&mut |_| {}).await.unwrap();
    let dropped = Instant::now();
    drop(stream);
    assert!(server.client_has_left().await - dropped < AT_ONCE);
}

#[tokio::test]
async fn dropping_a_call_closes_its_connection_at_once() {
    for streamed in [false, true] {
        let server = Server::with(vec![vec![Step::Hang]]).await;
        let client = client(&server);
        let call = tokio::spawn(async move {
            if streamed {
                client.chat_stream(&key(), &ask("hi")).await.map(|_| ())
            } else {
                client.chat(&key(), &ask("hi")).await.map(|_| ())
            }
        });
        server.has_been_asked(1).await;
        let dropped = Instant::now();
        call.abort();
        assert!(
            server.client_has_left().await - dropped < AT_ONCE,
            "streamed: {streamed}"
        );
    }
}

#[tokio::test]
async fn an_error_of_a_stream_closes_its_connection() {
    let failed = "event: error\ndata: {\"error\":\"no\"}\n\n";
    let server = Server::with(vec![vec![events(), chunk(failed), Step::Hang]]).await;
    let mut stream = client(&server)
        .chat_stream(&key(), &ask("hi"))
        .await
        .unwrap();
    assert!(stream.read(&mut |_| {}).await.is_err());
    tokio::time::timeout(millis(500), server.client_has_left())
        .await
        .unwrap();
}
