//! Features: one paid request, and looking after its job.

use std::time::Instant;

use onemin::features::{Kind, Mode};
use onemin::images::{self, ImageParams};
use onemin::{
    Accepted, Error, Payload, ProtocolError, RefusalKind, Timeouts, TransportKind, code, speech,
};
use serde_json::{Value, json};

use super::server::{Server, Step, json as reply, response};
use super::{client, client_within, fixture, key, millis};

fn boat() -> Payload {
    let params = ImageParams {
        prompt: "a paper boat".into(),
        quality: Some("low".into()),
        output_format: Some("png".into()),
        background: Some("opaque".into()),
        ..ImageParams::default()
    };
    images::generation("gpt-image-1-mini", &params).unwrap()
}

fn quick() -> Timeouts {
    Timeouts {
        poll: millis(10),
        feature: millis(5000),
        ..Timeouts::default()
    }
}

fn ok(name: &str) -> Vec<Step> {
    vec![reply(200, &fixture(name))]
}

fn submitted() -> Vec<Step> {
    ok("async-submit.response.json")
}

/// Submits a job on a server with these replies after the submission.
async fn polled(
    looks: Vec<Vec<Step>>,
    timeouts: Timeouts,
) -> (Server, Result<onemin::Outcome, Error>) {
    let replies = std::iter::once(submitted()).chain(looks).collect();
    let server = Server::with(replies).await;
    let client = client_within(&server, timeouts);
    let outcome = client.feature(&key(), &boat(), Mode::Polled).await;
    (server, outcome)
}

#[tokio::test]
async fn a_held_request_is_sent_as_it_was_captured_and_answered_at_once() {
    let server = Server::with(vec![ok("image-gpt-image-1-mini.response.json")]).await;
    let outcome = client(&server)
        .feature(&key(), &boat(), Mode::Held)
        .await
        .unwrap();
    assert_eq!(
        outcome.assets[0].path,
        "images/2026_10_10_12_00_31_947_456329.png"
    );
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].head.starts_with("POST /api/features HTTP/1.1\r\n"));
    assert_eq!(asked[0].header("api-key"), Some("test-key-1234"));
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    let captured: Value =
        serde_json::from_slice(&fixture("image-gpt-image-1-mini.request.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&asked[0].body).unwrap(),
        captured
    );
}

#[tokio::test]
async fn a_job_is_looked_after_until_it_is_done() {
    let looks = vec![
        submitted(),
        ok("result-unknown.response.json"),
        submitted(),
        ok("result-success.response.json"),
    ];
    let (server, outcome) = polled(looks, quick()).await;
    assert_eq!(
        outcome.unwrap().assets[0].path,
        "videos/2026_10_10_12_08_20_003_161803.mp4"
    );
    let asked = server.asked();
    assert_eq!(asked.len(), 5);
    let body: Value = serde_json::from_slice(&asked[0].body).unwrap();
    assert_eq!(body["async"], true);
    for look in &asked[1..] {
        assert!(
            look.head
                .starts_with("GET /api/results/d9b6f3a0-4c1e-4d72-8b55-7e6f5a4d3c99 HTTP/1.1\r\n"),
            "{}",
            look.head
        );
        assert_eq!(look.header("api-key"), Some("test-key-1234"));
    }
}

#[tokio::test]
async fn a_held_request_that_is_still_at_work_is_looked_after_too() {
    let server = Server::with(vec![submitted(), ok("result-success.response.json")]).await;
    let client = client_within(&server, quick());
    assert!(client.feature(&key(), &boat(), Mode::Held).await.is_ok());
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_look_that_fails_is_repeated_and_the_paid_request_never() {
    let looks = vec![
        vec![reply(500, &fixture("err-500.json"))],
        vec![response(
            522,
            "content-type: text/html\r\n",
            &fixture("err-522-cloudflare.html"),
        )],
        vec![Step::Close],
        vec![reply(200, b"<html>")],
        ok("result-success.response.json"),
    ];
    let (server, outcome) = polled(looks, quick()).await;
    outcome.unwrap();
    let posts = server
        .asked()
        .iter()
        .filter(|asked| asked.head.starts_with("POST"))
        .count();
    assert_eq!(posts, 1);
}

#[tokio::test]
async fn once_a_job_is_submitted_every_failure_says_that_it_was_taken() {
    let looks = [
        (vec![reply(401, &fixture("err-401-key-deleted.json"))], 2),
        (vec![Step::Close], 7),
        (vec![reply(429, &fixture("err-429-documented.json"))], 7),
        (ok("result-unknown.response.json"), 7),
        (ok("result-failure.response.json"), 2),
        (
            vec![reply(
                200,
                br#"{"success":false,"error":{"code":"UNAUTHORIZED","message":"no"}}"#,
            )],
            2,
        ),
    ];
    for (look, requests) in looks {
        let (server, outcome) = polled(vec![look], quick()).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.was_accepted(), Accepted::Maybe, "{error}");
        assert_eq!(server.asked().len(), requests, "{error}");
    }
}

#[tokio::test]
async fn a_server_that_dies_after_the_submission_leaves_the_request_taken() {
    let answer = [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n\r\n"
            .as_slice(),
        &fixture("async-submit.response.json"),
    ]
    .concat();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = url::Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"}") {
            socket.read_buf(&mut seen).await.unwrap();
        }
        drop(listener);
        socket.write_all(&answer).await.unwrap();
    });
    let client = onemin::Client::new(onemin::Options {
        base_url,
        timeouts: quick(),
        ..onemin::Options::default()
    })
    .unwrap();
    let error = client
        .feature(&key(), &boat(), Mode::Polled)
        .await
        .unwrap_err();
    assert_eq!(error.was_accepted(), Accepted::Maybe);
    assert!(
        matches!(error, Error::Transport(error) if matches!(error.kind, TransportKind::Connect(_)))
    );
}

#[tokio::test]
async fn a_job_that_takes_too_long_is_given_up() {
    for (reply, mode) in [(submitted(), Mode::Polled), (vec![Step::Hang], Mode::Held)] {
        let server = Server::with(vec![reply]).await;
        let client = client_within(
            &server,
            Timeouts {
                feature: millis(120),
                ..quick()
            },
        );
        let error = client.feature(&key(), &boat(), mode).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(error.was_accepted(), Accepted::Maybe);
        assert!(
            matches!(error, Error::Transport(error) if error.kind == TransportKind::WholeTimeout)
        );
    }
}

#[tokio::test]
async fn a_refusal_before_any_work_costs_nothing_and_is_not_repeated() {
    for (status, name, kind, accepted) in [
        (
            406,
            "err-406-insufficient-credits.json",
            RefusalKind::InsufficientCredits,
            Accepted::No,
        ),
        (
            400,
            "err-400-unsupported-model-feature.json",
            RefusalKind::UnknownModel,
            Accepted::No,
        ),
        (
            400,
            "err-400-missing-required-fields.json",
            RefusalKind::InvalidRequest,
            Accepted::No,
        ),
        (
            409,
            "err-409-message-only.json",
            RefusalKind::Conflict,
            Accepted::No,
        ),
        (
            400,
            "err-400-external-sdxl-size.json",
            RefusalKind::ProviderError,
            Accepted::Maybe,
        ),
        (
            400,
            "err-400-openai-unexpected.json",
            RefusalKind::ProviderError,
            Accepted::Maybe,
        ),
        (
            500,
            "err-500.json",
            RefusalKind::Unavailable,
            Accepted::Maybe,
        ),
        (
            522,
            "err-522-cloudflare.html",
            RefusalKind::Unavailable,
            Accepted::Maybe,
        ),
    ] {
        let server = Server::with(vec![vec![reply(status, &fixture(name))]]).await;
        let error = client(&server)
            .feature(&key(), &boat(), Mode::Held)
            .await
            .unwrap_err();
        assert_eq!(error.was_accepted(), accepted, "{name}");
        assert!(
            matches!(error, Error::Refused(refusal) if refusal.kind == kind),
            "{name}"
        );
        assert_eq!(server.asked().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn whoever_stops_waiting_stops_the_looking() {
    let server = Server::with(vec![submitted()]).await;
    let client = client_within(&server, quick());
    let waiting = tokio::spawn(async move { client.feature(&key(), &boat(), Mode::Polled).await });
    server.has_been_asked(3).await;
    waiting.abort();
    tokio::time::sleep(millis(20)).await;
    let asked = server.asked().len();
    tokio::time::sleep(millis(150)).await;
    assert_eq!(server.asked().len(), asked);
}

#[tokio::test]
async fn a_wait_that_upstream_asks_for_is_kept() {
    let busy = response(
        429,
        "content-type: application/json\r\nretry-after: 1\r\n",
        &fixture("err-429-documented.json"),
    );
    let begun = Instant::now();
    let (_, outcome) = polled(
        vec![vec![busy], ok("result-success.response.json")],
        quick(),
    )
    .await;
    outcome.unwrap();
    assert!(begun.elapsed() >= millis(1000));
}

#[tokio::test]
async fn an_id_that_leads_elsewhere_is_not_followed() {
    let record = json!({"aiRecord": {"uuid": "../assets?x", "status": "PROCESSING"}});
    let server = Server::with(vec![vec![reply(200, record.to_string().as_bytes())]]).await;
    let error = client_within(&server, quick())
        .feature(&key(), &boat(), Mode::Polled)
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        Error::Protocol(ProtocolError::Malformed(_))
    ));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_file_in_place_of_a_record_is_taken() {
    let said = speech::SpeechParams {
        input: "Good morning.".into(),
        ..speech::SpeechParams::default()
    };
    let payload = speech::payload("tts-1", &said).unwrap();
    let server = Server::with(vec![vec![response(
        200,
        "content-type: audio/mpeg\r\n",
        b"ID3 sound",
    )]])
    .await;
    let outcome = client(&server)
        .feature(&key(), &payload, Mode::Held)
        .await
        .unwrap();
    let inline = outcome.inline.unwrap();
    assert_eq!(
        (inline.content_type.as_str(), &inline.bytes[..]),
        ("audio/mpeg", &b"ID3 sound"[..])
    );
    assert_eq!(payload.kind, Kind::TextToSpeech);
}

#[tokio::test]
async fn code_is_asked_for_as_it_was_captured_and_given_as_text() {
    let server = Server::with(vec![ok("code-generator.response.json")]).await;
    let request = code::Request {
        model: "gpt-5.4-mini".into(),
        prompt: "Write a shell one-liner that counts files.".into(),
        web_search: None,
    };
    let answer = client(&server).code(&key(), &request).await.unwrap();
    assert_eq!(answer.text, "```sh\nfind . -type f | wc -l\n```");
    assert_eq!(answer.accounting.usage.unwrap().total, 75);
    let captured: Value = serde_json::from_slice(&fixture("code-generator.request.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&server.asked()[0].body).unwrap(),
        captured
    );
    let searching = code::Request {
        web_search: Some(onemin::chat::WebSearch {
            num_of_site: Some(99),
            max_word: None,
        }),
        ..request
    };
    let fields = Value::Object(searching.payload().prompt_object);
    assert_eq!(
        fields,
        json!({"prompt": searching.prompt, "webSearch": true, "numOfSite": 10})
    );
}

#[tokio::test]
async fn the_lists_of_styles_are_read() {
    let server = Server::with(vec![
        ok("dzine-styles.response.json"),
        ok("recraft-styles.response.json"),
    ])
    .await;
    let client = client(&server);
    let dzine = client.dzine_styles(&key()).await.unwrap();
    assert_eq!(dzine[0].base_model.as_deref(), Some("S"));
    let recraft = client.recraft_styles(&key(), "recraftv3").await.unwrap();
    assert_eq!(recraft[0].style, "digital_illustration");
    assert!(
        server.asked()[1]
            .head
            .starts_with("GET /api/recraft/styles?taskType=recraftv3 HTTP/1.1\r\n")
    );
    assert!(client.recraft_styles(&key(), "a&b").await.is_err());
}
