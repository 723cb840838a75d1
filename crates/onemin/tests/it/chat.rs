//! Chat without streaming.

use onemin::chat::{Usage, WebSearch};
use onemin::{Accepted, Charged, Error, Refusal, RefusalKind};
use serde_json::Value;

use super::server::{Server, Step, json, response};
use super::{ask, client, fixture, key};

async fn refused(reply: Step) -> Refusal {
    let server = Server::with(vec![vec![reply]]).await;
    match client(&server).chat(&key(), &ask("hi")).await {
        Err(Error::Refused(refusal)) => *refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_captured_request_is_sent_and_the_captured_answer_read() {
    let server = Server::with(vec![vec![json(
        200,
        &fixture("chat-minimal.response.json"),
    )]])
    .await;
    let answer = client(&server)
        .chat(&key(), &ask("Name the largest planet in one word."))
        .await
        .unwrap();
    assert_eq!(answer.text, "Jupiter");
    assert_eq!(
        answer.accounting.usage,
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
            .starts_with("POST /api/chat-with-ai HTTP/1.1\r\n"),
        "{}",
        asked.head
    );
    assert_eq!(asked.header("api-key"), Some("test-key-1234"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.header("user-agent"), Some(onemin::USER_AGENT));
    let sent: Value = serde_json::from_slice(&asked.body).unwrap();
    let captured: Value = serde_json::from_slice(&fixture("chat-minimal.request.json")).unwrap();
    assert_eq!(sent, captured);
}

#[test]
fn captured_requests_are_written_as_they_were_captured() {
    let image = "images/2026_10_10_12_00_00_101_cat.png".to_owned();
    let file = "a4d2c6e8-1357-4bdf-8ace-02468ace1344".to_owned();
    let search = WebSearch {
        num_of_site: Some(2),
        max_word: Some(500),
    };
    for (name, request) in [
        (
            "chat-minimal.request.json",
            ask("Name the largest planet in one word."),
        ),
        (
            "chat-stream.request.json",
            ask("Name the largest planet in one word."),
        ),
        (
            "chat-image.request.json",
            onemin::chat::Request {
                images: vec![image],
                ..ask("What is in this picture?")
            },
        ),
        (
            "chat-file.request.json",
            onemin::chat::Request {
                files: vec![file],
                ..ask("Summarise the attached document.")
            },
        ),
        (
            "chat-websearch.request.json",
            onemin::chat::Request {
                web_search: Some(search),
                ..ask("What changed in the example project this week?")
            },
        ),
    ] {
        let sent: Value = serde_json::from_slice(&request.to_bytes()).unwrap();
        let captured: Value = serde_json::from_slice(&fixture(name)).unwrap();
        assert_eq!(sent, captured, "{name}");
    }
}

#[tokio::test]
async fn every_captured_answer_gives_its_text() {
    for (name, text) in [
        ("chat-minimal.response.json", "Jupiter"),
        ("chat-provider-finish-reason.response.json", "Jupiter"),
        ("chat-no-finish-reason.response.json", "Jupiter"),
        ("chat-zero-usage.response.json", "Jupiter"),
        (
            "code-generator.response.json",
            "```sh\nfind . -type f | wc -l\n```",
        ),
    ] {
        let server = Server::with(vec![vec![json(200, &fixture(name))]]).await;
        let answer = client(&server).chat(&key(), &ask("hi")).await.unwrap();
        assert_eq!(answer.text, text, "{name}");
    }
}

#[tokio::test]
async fn answers_in_unexpected_forms_are_read_all_the_same() {
    for (content_type, body, expected) in [
        ("text/plain", b"Bare words.".to_vec(), "Bare words."),
        ("application/octet-stream", b"Bare words.".to_vec(), "Bare words."),
        ("text/event-stream", fixture("chat-stream.sse"), "Jupiter"),
        ("application/json", fixture("chat-stream.sse"), "Jupiter"),
        ("text/html", fixture("chat-stream.sse"), "Jupiter"),
        ("text/html", fixture("chat-minimal.response.json"), "Jupiter"),
        ("text/plain", fixture("chat-minimal.response.json"), "Jupiter"),
        ("text/plain", br#"{"planet":"Jupiter"}"#.to_vec(), r#"{"planet":"Jupiter"}"#),
        ("application/json", br#"{"aiRecord":{"aiRecordDetail":{"resultObject":"bare"}}}"#.to_vec(), "bare"),
        (
            "application/json",
            "{\"aiRecord\":{\"aiRecordDetail\":{\"resultObject\":[\"🌐 Crawling site a\\nfound\"]}}}".as_bytes().to_vec(),
            "found",
        ),
    ] {
        let reply = response(200, &format!("content-type: {content_type}\r\n"), &body);
        let server = Server::with(vec![vec![reply]]).await;
        let answer = client(&server).chat(&key(), &ask("hi")).await.unwrap();
        assert_eq!(answer.text, expected, "{content_type}");
    }
}

#[tokio::test]
async fn a_refusal_is_read_from_status_body_and_header() {
    let limited = refused(response(
        429,
        "retry-after: 7\r\n",
        &fixture("err-429-documented.json"),
    ))
    .await;
    assert_eq!(limited.kind, RefusalKind::RateLimited);
    assert_eq!(limited.retry_after.unwrap().as_secs(), 7);
    let credits = refused(json(406, &fixture("err-406-insufficient-credits.json"))).await;
    assert_eq!(
        (credits.kind, credits.status, credits.charged),
        (RefusalKind::InsufficientCredits, Some(406), Charged::No)
    );
    let edge = refused(response(
        522,
        "content-type: text/html\r\n",
        &fixture("err-522-cloudflare.html"),
    ))
    .await;
    assert_eq!(edge.kind, RefusalKind::Unavailable);
    let blocked = refused(response(403, "", &fixture("err-403-cloudflare-1010.txt"))).await;
    assert_eq!(blocked.kind, RefusalKind::ClientBlocked);
    let moved = refused(response(
        302,
        "location: https://elsewhere.example/\r\n",
        b"",
    ))
    .await;
    assert_eq!(
        (moved.kind, moved.status),
        (RefusalKind::Unknown, Some(302))
    );
}

#[tokio::test]
async fn a_failure_within_status_200_is_a_refusal() {
    for (body, kind) in [
        (
            fixture("err-200-insufficient-credits-in-result.json"),
            RefusalKind::InsufficientCredits,
        ),
        (
            fixture("err-200-moderation-in-result.json"),
            RefusalKind::Moderated,
        ),
        (
            fixture("err-400-invalid-request.json"),
            RefusalKind::InvalidRequest,
        ),
        (fixture("async-submit.response.json"), RefusalKind::Unknown),
        (
            br#"{"aiRecord":{"status":"SUCCESS","aiRecordDetail":{"resultObject":[""]}}}"#.to_vec(),
            RefusalKind::Unknown,
        ),
    ] {
        assert_eq!(
            refused(json(200, &body)).await.kind,
            kind,
            "{}",
            String::from_utf8_lossy(&body)
        );
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_may_have_been_charged() {
    for (content_type, body) in [
        ("application/json", "not json"),
        ("application/json", r#"{"aiRecord":null}"#),
        ("text/html", "<html>hello</html>"),
        ("text/plain\r\ncontent-encoding: gzip", "\u{1f}..."),
        ("text/event-stream", "even"),
    ] {
        let reply = response(
            200,
            &format!("content-type: {content_type}\r\n"),
            body.as_bytes(),
        );
        let server = Server::with(vec![vec![reply]]).await;
        let error = client(&server).chat(&key(), &ask("hi")).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)), "{body}: {error}");
        assert_eq!(error.was_accepted(), Accepted::Maybe);
    }
}

#[tokio::test]
async fn a_redirection_is_refused_with_the_host_it_leads_to() {
    let refusal = refused(response(
        307,
        "location: https://elsewhere.example/api?key=secret\r\n",
        b"",
    ));
    let message = refusal.await.message;
    assert!(message.contains("elsewhere.example"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[tokio::test]
async fn the_body_of_a_refusal_is_read_up_to_a_bound() {
    let mut body = fixture("err-500.json");
    body.extend(std::iter::repeat_n(b' ', 10_000_000));
    let refusal = refused(json(500, &body)).await;
    assert_eq!(
        (refusal.kind, refusal.status),
        (RefusalKind::Unavailable, Some(500))
    );
}

#[tokio::test]
async fn an_error_never_shows_the_key() {
    let server = Server::with(vec![vec![Step::Close]]).await;
    let error = client(&server).chat(&key(), &ask("hi")).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("test-key"));
}
