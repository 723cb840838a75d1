//! Stored files: fetched, and not held.

use http_body_util::BodyExt as _;
use onemin::{
    Accepted, Client, Error, Options, ProtocolError, RefusalKind, ResultAsset, Timeouts,
    TransportKind,
};
use url::Url;

use super::millis;
use super::server::{Server, Step, chunk, events, response};

const PATH: &str = "images/2026_10_10 cat.png";

fn client(server: &Server, timeouts: Timeouts) -> Client {
    Client::new(Options {
        base_url: Url::parse("http://127.0.0.1:1").unwrap(),
        asset_url: server.url(),
        timeouts,
        ..Options::default()
    })
    .unwrap()
}

fn signed(server: &Server) -> ResultAsset {
    ResultAsset {
        path: PATH.into(),
        temporary_url: Some(format!(
            "{}signed?X-Amz-Date=29990101T000000Z&X-Amz-Expires=60",
            server.url()
        )),
    }
}

fn image() -> Vec<Step> {
    vec![response(200, "content-type: image/png\r\n", b"picture")]
}

fn forbidden() -> Vec<Step> {
    let xml = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    vec![response(403, "content-type: application/xml\r\n", xml)]
}

#[tokio::test]
async fn a_file_comes_by_its_signed_url_without_the_key() {
    let server = Server::with(vec![image()]).await;
    let download = client(&server, Timeouts::default())
        .download(&signed(&server))
        .await
        .unwrap();
    assert_eq!(
        (
            download.status,
            download.content_type.as_deref(),
            download.length
        ),
        (200, Some("image/png"), Some(7))
    );
    assert_eq!(download.bytes(7).await.unwrap(), "picture");
    let asked = &server.asked()[0];
    assert!(
        asked.head.starts_with("GET /signed?X-Amz-Date="),
        "{}",
        asked.head
    );
    assert_eq!(asked.header("api-key"), None);
    assert!(
        asked
            .header("user-agent")
            .unwrap()
            .starts_with("1min-relay/")
    );
}

#[tokio::test]
async fn a_file_that_drips_is_waited_for_no_longer_than_a_feature() {
    let mut steps = vec![Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec(),
    )];
    for _ in 0..1000 {
        steps.extend([Step::Send(b"x".to_vec()), Step::Wait(millis(20))]);
    }
    let server = Server::with(vec![steps]).await;
    let timeouts = Timeouts {
        idle: millis(5000),
        feature: millis(300),
        ..Timeouts::default()
    };
    let asset = ResultAsset::of_path(PATH);
    let download = client(&server, timeouts).download(&asset).await.unwrap();
    let error = download.bytes(1000).await.unwrap_err();
    assert!(
        matches!(&error, Error::Transport(error) if error.kind == TransportKind::WholeTimeout),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_empty_file_is_none() {
    let empty = vec![response(200, "content-type: image/png\r\n", b"")];
    let server = Server::with(vec![empty]).await;
    let asset = ResultAsset::of_path(PATH);
    let error = client(&server, Timeouts::default()).download(&asset).await;
    assert!(matches!(error, Err(Error::Protocol(_))), "{error:?}");
}

#[tokio::test]
async fn where_one_address_refuses_the_other_is_asked() {
    for asset in [true, false] {
        let server = Server::with(vec![forbidden(), image()]).await;
        let mut wanted = signed(&server);
        if asset {
            wanted.temporary_url = wanted.temporary_url.map(|url| url.replace("2999", "1999"));
        }
        let download = client(&server, Timeouts::default())
            .download(&wanted)
            .await
            .unwrap();
        assert_eq!(download.bytes(100).await.unwrap(), "picture");
        let path = "GET /images/2026_10_10%20cat.png HTTP/1.1";
        let first_is_public = server.asked()[0].head.starts_with(path);
        assert_eq!(first_is_public, asset, "expired URLs come last");
        assert!(server.asked()[usize::from(!asset)].head.starts_with(path));
    }
}

#[tokio::test]
async fn a_file_that_nobody_gives_says_why_and_that_the_work_was_done() {
    let server = Server::with(vec![forbidden()]).await;
    let error = client(&server, Timeouts::default())
        .download(&signed(&server))
        .await
        .unwrap_err();
    assert_eq!(error.was_accepted(), Accepted::Maybe);
    match error {
        Error::Refused(refusal) => {
            assert_eq!(
                (refusal.kind, refusal.status),
                (RefusalKind::Forbidden, Some(403))
            );
            assert!(refusal.message.contains("Request has expired"), "{refusal}");
        }
        other => panic!("{other:?}"),
    }
    let outside = ResultAsset::of_path("../../etc/passwd");
    let error = client(&server, Timeouts::default())
        .download(&outside)
        .await
        .unwrap_err();
    assert_eq!(error.was_accepted(), Accepted::Maybe);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_redirection_is_followed_a_few_times() {
    let to = |place: &str| vec![response(302, &format!("location: {place}\r\n"), b"")];
    let server = Server::with(vec![to("/b"), to("c"), image()]).await;
    let asset = ResultAsset::of_path(PATH);
    let download = client(&server, Timeouts::default())
        .download(&asset)
        .await
        .unwrap();
    assert_eq!(download.bytes(100).await.unwrap(), "picture");
    assert!(server.asked()[2].head.starts_with("GET /c "));
    let circle = Server::with(vec![to("/a")]).await;
    assert!(
        client(&circle, Timeouts::default())
            .download(&asset)
            .await
            .is_err()
    );
    assert_eq!(circle.asked().len(), 4);
}

#[tokio::test]
async fn no_more_is_taken_than_the_caller_wants() {
    let announced = Server::with(vec![image()]).await;
    let endless = {
        let mut reply = vec![events()];
        reply.extend((0..100).map(|_| chunk(vec![b'x'; 1000])));
        Server::with(vec![reply]).await
    };
    for server in [announced, endless] {
        let client = client(&server, Timeouts::default());
        let download = client.download(&ResultAsset::of_path(PATH)).await.unwrap();
        let error = download.bytes(6).await.unwrap_err();
        assert!(matches!(
            error,
            Error::Protocol(ProtocolError::BodyTooLarge(6))
        ));
    }
}

#[tokio::test]
async fn a_file_is_a_body_that_can_be_handed_on() {
    let server = Server::with(vec![image()]).await;
    let client = client(&server, Timeouts::default());
    let download = client.download(&ResultAsset::of_path(PATH)).await.unwrap();
    assert_eq!(http_body::Body::size_hint(&download).exact(), Some(7));
    assert_eq!(download.collect().await.unwrap().to_bytes(), "picture");
}

#[tokio::test]
async fn a_file_that_stops_coming_is_given_up() {
    let server = Server::with(vec![
        vec![events(), chunk("x"), Step::Hang],
        vec![Step::Hang],
    ])
    .await;
    let timeouts = Timeouts {
        idle: millis(60),
        download: millis(60),
        ..Timeouts::default()
    };
    let client = client(&server, timeouts);
    let asset = ResultAsset::of_path(PATH);
    let mut download = client.download(&asset).await.unwrap();
    assert_eq!(download.next().await.unwrap().unwrap(), "x");
    let error = download.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Transport(error) if error.kind == TransportKind::IdleTimeout));
    assert!(download.next().await.is_none());
    let error = client.download(&asset).await.unwrap_err();
    assert!(
        matches!(error, Error::Transport(error) if error.kind == TransportKind::FirstByteTimeout)
    );
}
