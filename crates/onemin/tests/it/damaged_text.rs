//! Characters damaged on the way: the answer around them is kept, in every mode and feature.

use onemin::features::{Kind, Mode, Payload};
use onemin::{Error, Feature};
use serde_json::Map;

use super::server::{Server, chunk, events, json, last_chunk, response};
use super::{ask, client, key};

/// Text as it stands in JSON, and as it is read.
const DAMAGED: [(&[u8], &str); 5] = [
    (b"Gr\xfc\xdfe", "Gr\u{fffd}\u{fffd}e"),
    (b"10 \xe2\x82 net", "10 \u{fffd} net"),
    (b"\xff", "\u{fffd}"),
    (br"so \ud83d it is", "so \u{fffd} it is"),
    (br"\ude80\n", "\u{fffd}\n"),
];

fn around(before: &str, text: &[u8], after: &str) -> Vec<u8> {
    [before.as_bytes(), text, after.as_bytes()].concat()
}

fn record(text: &[u8]) -> Vec<u8> {
    let before = r#"{"aiRecord":{"uuid":"a","status":"SUCCESS","aiRecordDetail":{"resultObject":["#;
    around(&format!("{before}\""), text, "\"]}}}")
}

#[tokio::test]
async fn chat_reads_the_same_text_whole_and_streamed() {
    for (raw, text) in DAMAGED {
        let whole = Server::with(vec![vec![json(200, &record(raw))]]).await;
        let answer = client(&whole).chat(&key(), &ask("hi")).await.unwrap();
        assert_eq!(answer.text, text, "{}", raw.escape_ascii());
        for (before, after) in [
            ("event: content\ndata: {\"content\":\"", "\"}\n\n"),
            (
                "event: content\ndata: { \"content\": \"",
                "\", \"n\": 1 }\n\n",
            ),
            ("data: {\"content\" : \"", "\"}\n\n"),
        ] {
            let result = around("event: result\ndata: ", &record(raw), "\n\n");
            let reply = vec![
                events(),
                chunk(around(before, raw, after)),
                chunk(result),
                chunk("event: done\ndata: {}\n\n"),
                last_chunk(),
            ];
            let streamed = Server::with(vec![reply]).await;
            let mut read = String::new();
            let mut stream = client(&streamed)
                .chat_stream(&key(), &ask("hi"))
                .await
                .unwrap();
            while stream.read(&mut |piece| read += piece).await.unwrap()
                == onemin::chat::Progress::More
            {}
            assert_eq!(read, text, "{before}{}", raw.escape_ascii());
        }
    }
}

#[tokio::test]
async fn text_of_features_is_read_too() {
    for (raw, text) in DAMAGED {
        let server = Server::with(vec![vec![json(200, &record(raw))]]).await;
        let payload = Payload::new(Kind::CodeGenerator, "model", Map::new());
        let outcome = client(&server)
            .feature(&key(), &payload, Mode::Held)
            .await
            .unwrap();
        assert_eq!(outcome.text.as_deref(), Some(text));
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_kind_and_reason() {
    let body = b"{\"errorCode\":\"INSUFFICIENT_CREDITS\",\"message\":\"Too few \xe9 credits\"}";
    let server = Server::with(vec![vec![response(406, "", body)]]).await;
    let Err(Error::Refused(refusal)) = client(&server).chat(&key(), &ask("hi")).await else {
        panic!("it was refused");
    };
    assert_eq!(refusal.kind, onemin::RefusalKind::InsufficientCredits);
    assert_eq!(refusal.message, "Too few \u{fffd} credits");
}

#[tokio::test]
async fn a_list_of_models_is_read() {
    let body = b"{\"models\":[{\"modelId\":\"gpt-4o-mini\",\"name\":\"G\xff\",\"status\":\"ACTIVE\",\"features\":[\"UNIFY_CHAT_WITH_AI\"]}]}";
    let server = Server::with(vec![vec![json(200, body)]]).await;
    let models = client(&server).models(Feature::Chat).await.unwrap();
    assert_eq!(models[0].id, "gpt-4o-mini");
}
