use std::path::Path;

use serde_json::{Value, json};

use super::super::{Accounting, Usage};
use super::{Metadata, Record, Spans, text_of_result};
use crate::{Charged, Error, Refusal, RefusalKind};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/onemin")
            .join(name),
    )
    .unwrap()
}

fn read(body: &[u8]) -> Result<Record<'_>, Error> {
    super::read(str::from_utf8(body).unwrap())
}

fn refused(body: &[u8]) -> Refusal {
    match read(body) {
        Err(Error::Refused(refusal)) => *refusal,
        other => panic!("{other:?}"),
    }
}

fn record(detail: &Value) -> Vec<u8> {
    json!({"aiRecord": {"uuid": "u", "status": "SUCCESS", "aiRecordDetail": detail}})
        .to_string()
        .into_bytes()
}

#[test]
fn what_an_answer_cost_is_read_from_its_record() {
    let body = fixture("chat-minimal.response.json");
    let record = read(&body).unwrap();
    assert_eq!(record.text(), "Jupiter");
    let expected = Accounting {
        usage: Some(Usage {
            input: 98,
            output: 3,
            total: 101,
        }),
        credits: Some(45.0),
        finish_reason: Some("stop".into()),
        record_id: Some("7f3c1d52-0b6e-4a86-9d0e-2a51c4e7b901".into()),
        execution_seconds: Some(0.365),
        credit_limit: Some(100_000_000.0),
        used_credit: Some(125_034.0),
    };
    assert_eq!(record.accounting(), expected);
}

#[test]
fn the_word_for_the_end_is_the_providers_or_missing() {
    for (file, word) in [
        (
            "chat-provider-finish-reason.response.json",
            Some("complete"),
        ),
        ("chat-no-finish-reason.response.json", None),
    ] {
        assert_eq!(
            read(&fixture(file))
                .unwrap()
                .accounting()
                .finish_reason
                .as_deref(),
            word,
            "{file}"
        );
    }
}

#[test]
fn counts_that_are_all_zero_are_no_counts() {
    let accounting = read(&fixture("chat-zero-usage.response.json"))
        .unwrap()
        .accounting();
    assert_eq!((accounting.usage, accounting.credits), (None, None));
    assert_eq!(accounting.finish_reason.as_deref(), Some("stop"));
}

#[test]
fn a_missing_count_is_derived_where_it_can_be() {
    let known = |input, output, total| {
        Some(Usage {
            input,
            output,
            total,
        })
    };
    for (metadata, expected) in [
        (json!({"inputToken": 5, "outputToken": 2}), known(5, 2, 7)),
        (
            json!({"inputToken": 5, "outputToken": 2, "totalToken": 9}),
            known(5, 2, 9),
        ),
        (json!({"inputToken": 5, "totalToken": 7}), known(5, 2, 7)),
        (json!({"outputToken": 2, "totalToken": 7}), known(5, 2, 7)),
        (json!({"promptToken": 4, "outputToken": 2}), known(4, 2, 6)),
        (
            json!({"inputToken": "5", "outputToken": 2.0}),
            known(5, 2, 7),
        ),
        (json!({"inputToken": 5}), None),
        (json!({"totalToken": 7}), None),
        (
            json!({"inputToken": 0, "outputToken": 0, "totalToken": 0}),
            None,
        ),
        (json!({"inputToken": -1, "outputToken": 2}), None),
        (
            json!({"inputToken": null, "outputToken": [], "totalToken": {}}),
            None,
        ),
        (json!({}), None),
    ] {
        let text = metadata.to_string();
        let mut read = Metadata::default();
        Spans::whole_object(&text, &mut |spans, key| read.member(spans, key)).unwrap();
        assert_eq!(read.usage(), expected, "{metadata}");
    }
}

#[test]
fn credits_may_be_fractions_and_parts() {
    for (metadata, credits) in [
        (
            json!({"credit": 1.5, "inputToken": 1, "outputToken": 1}),
            Some(1.5),
        ),
        (
            json!({"inputCredit": 1.25, "outputCredit": 0.5}),
            Some(1.75),
        ),
        (
            json!({"credit": 0, "inputToken": 1, "outputToken": 1}),
            Some(0.0),
        ),
        (json!({"credit": 0}), None),
        (Value::Null, None),
        (json!("x"), None),
    ] {
        let body =
            json!({"aiRecord": {"metadata": metadata, "aiRecordDetail": {"resultObject": ["a"]}}})
                .to_string();
        assert_eq!(
            read(body.as_bytes()).unwrap().accounting().credits,
            credits,
            "{metadata}"
        );
    }
}

#[test]
fn the_text_stands_in_a_list_or_bare() {
    for (result, text) in [
        (json!(["a"]), "a"),
        (json!("a\n🚀"), "a\n🚀"),
        (json!(["a", "b"]), "a\nb"),
        (json!([]), ""),
        (json!([""]), ""),
        (json!(null), ""),
        (json!([{"text": "a"}]), "a"),
        (json!({"text": "a"}), "a"),
    ] {
        assert_eq!(text_of_result(&result.to_string()), text, "{result}");
        assert_eq!(
            read(&record(&json!({"resultObject": result})))
                .unwrap()
                .text(),
            text,
            "{result}"
        );
    }
}

#[test]
fn a_result_that_is_an_object_is_a_refusal() {
    let credits = refused(&fixture("err-200-insufficient-credits-in-result.json"));
    assert_eq!(credits.kind, RefusalKind::InsufficientCredits);
    assert_eq!((credits.status, credits.charged), (None, Charged::No));
    assert_eq!(credits.code.as_deref(), Some("INSUFFICIENT_CREDITS"));
    let moderated = refused(&fixture("err-200-moderation-in-result.json"));
    assert_eq!(moderated.kind, RefusalKind::Moderated);
    assert_eq!(
        moderated.message,
        "The request was rejected by content moderation"
    );
    let success = record(&json!({"resultObject": {"code": "X", "message": "no"}}));
    assert_eq!(refused(&success).message, "no");
}

#[test]
fn a_record_that_failed_gives_its_reason_from_where_it_stands() {
    assert_eq!(
        refused(&fixture("result-failure.response.json")).message,
        "The provider rejected the request."
    );
    for (status, detail, message) in [
        (
            "FAILURE",
            json!({"resultObject": []}),
            "the answer failed, no reason was given",
        ),
        (
            "FAILED",
            json!({"resultObject": ["part"]}),
            "the answer failed, no reason was given",
        ),
        ("failed", json!({"errorMessage": "why"}), "why"),
        (
            "FAILED",
            json!({"responseObject": {"error": {"message": "why"}}}),
            "why",
        ),
        (
            "FAILED",
            json!({"responseObject": {}}),
            "the answer failed, no reason was given",
        ),
        (
            "FAILED",
            json!(null),
            "the answer failed, no reason was given",
        ),
    ] {
        let body = json!({"aiRecord": {"status": status, "aiRecordDetail": detail}}).to_string();
        assert_eq!(refused(body.as_bytes()).message, message, "{body}");
    }
}

#[test]
fn an_error_body_with_status_200_is_a_refusal() {
    for body in [
        r#"{"success":false}"#,
        r#"{"success":false,"error":{"code":"X","message":"no"}}"#,
        r#"{"errorCode":"X","message":"no"}"#,
        r#"{"error":"no"}"#,
    ] {
        assert_eq!(refused(body.as_bytes()).status, None, "{body}");
    }
}

#[test]
fn what_is_no_record_is_not_taken_for_one() {
    for body in [
        r#"{"aiRecord":null}"#,
        "{}",
        "[]",
        "null",
        "",
        "text",
        r#"{"aiRecord":{}"#,
    ] {
        assert!(
            matches!(read(body.as_bytes()), Err(Error::Protocol(_))),
            "{body}"
        );
    }
    assert_eq!(
        read(br#"{"uuid":"u","aiRecordDetail":{"resultObject":["bare"]}}"#)
            .unwrap()
            .text(),
        "bare"
    );
}
