use proptest::prelude::*;
use serde_json::{Value, json};

use super::{KEPT_BYTES_MAX, RecordFilter, RecordTooLarge};

fn condensed(document: &[u8], keep_text: bool, size: usize) -> Result<Vec<u8>, RecordTooLarge> {
    let mut filter = RecordFilter::new(keep_text);
    for piece in document.chunks(size) {
        filter.push(piece)?;
    }
    Ok(filter.into_document())
}

fn read(document: &Value, keep_text: bool) -> Value {
    let whole = condensed(document.to_string().as_bytes(), keep_text, usize::MAX).unwrap();
    serde_json::from_slice(&whole).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&whole)))
}

#[test]
fn a_byte_order_mark_is_passed_over_however_it_is_cut() {
    for size in [1, 2, usize::MAX] {
        let left = condensed(
            "\u{feff} {\"status\":\"\u{feff}S\"}".as_bytes(),
            false,
            size,
        )
        .unwrap();
        assert_eq!(left, "{\"status\":\"\u{feff}S\"}".as_bytes());
    }
}

#[test]
fn only_what_is_needed_is_left() {
    let record = |result: Value| {
        json!({"aiRecord": {"uuid": "u", "teamUser": {"status": "X", "creditLimit": 9, "usedCredit": 2.5, "a": {"usedCredit": 1}}, "status": "SUCCESS",
            "metadata": {"credit": 1, "note": "a\\\"}{"},
            "aiRecordDetail": {"promptObject": {"resultObject": ["no"], "prompt": "]}\""}, "resultObject": result},
            "additionalData": [1, {"a": "]"}], "rating": null}, "other": 12.5e3})
    };
    let left = |result: Value| {
        json!({"aiRecord": {"uuid": "u", "teamUser": {"creditLimit": 9, "usedCredit": 2.5}, "status": "SUCCESS",
            "metadata": {"credit": 1, "note": "a\\\"}{"}, "aiRecordDetail": {"resultObject": result}}})
    };
    let text = json!(["a \"quoted\" text\\", "b"]);
    assert_eq!(read(&record(text.clone()), false), left(Value::Null));
    assert_eq!(read(&record(text.clone()), true), left(text));
    let failure = json!({"code": "X", "message": "no"});
    assert_eq!(read(&record(failure.clone()), false), left(failure));
    assert_eq!(read(&record(json!("bare")), false), left(Value::Null));
    for same in [
        json!({"aiRecord": null}),
        json!({"error": {"message": "m"}, "success": false}),
        json!({}),
        json!(null),
        json!([1, {"a": 2}]),
    ] {
        assert_eq!(read(&same, false), same);
    }
}

#[test]
fn what_is_broken_stays_broken() {
    for document in [
        r#"{"aiRecord":{"uuid":"u""#,
        r#"{"aiRecord":{"uuid":"u"}"#,
        r#"{"aiRecord":{"teamUser":{"a":1}"#,
        r#"{"aiRecord":{}} {}"#,
        r#"{"aiRecord":{"status":tru}}"#,
        "{aiRecord:{}}",
        "",
        "text",
    ] {
        let document = condensed(document.as_bytes(), false, 3).unwrap();
        assert!(
            serde_json::from_slice::<Value>(&document).is_err(),
            "{}",
            String::from_utf8_lossy(&document)
        );
    }
}

#[test]
fn a_value_that_is_too_large_is_given_up_and_the_others_are_kept() {
    let large = "x".repeat(KEPT_BYTES_MAX);
    let document =
        json!({"aiRecord": {"metadata": {"large": large, "more": [large]}, "status": "SUCCESS"}});
    let expected = json!({"aiRecord": {"metadata": null, "status": "SUCCESS"}});
    assert_eq!(read(&document, false), expected);
    let many = format!(
        "{{{}}}",
        vec![format!("\"error\":\"{}\"", "x".repeat(50_000)); 10].join(",")
    );
    assert_eq!(
        condensed(many.as_bytes(), false, 1000),
        Err(RecordTooLarge(KEPT_BYTES_MAX))
    );
}

fn documents() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("\"aiRecord\"".to_owned()),
        Just("\"aiRecordDetail\":".to_owned()),
        Just("\"resultObject\":".to_owned()),
        Just("\"status\":".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("null".to_owned()),
        Just("12".to_owned()),
        Just(" ".to_owned()),
        ".{0,3}",
    ];
    proptest::collection::vec(pieces, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_cut_changes_what_is_left(document in documents(), keep_text in any::<bool>(), size in 1usize..9) {
        let whole = condensed(document.as_bytes(), keep_text, usize::MAX);
        prop_assert_eq!(condensed(document.as_bytes(), keep_text, size), whole.clone());
        prop_assert_eq!(condensed(document.as_bytes(), keep_text, 1), whole);
    }

    #[test]
    fn any_text_survives(text in any::<String>(), prompt in any::<String>()) {
        let document = json!({"aiRecord": {"aiRecordDetail": {"promptObject": {"prompt": prompt}, "resultObject": [text]}}});
        let expected = json!({"aiRecord": {"aiRecordDetail": {"resultObject": [text]}}});
        prop_assert_eq!(read(&document, true), expected);
    }
}
