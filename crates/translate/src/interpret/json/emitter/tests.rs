use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::interpret::json::repair;

/// Feeds the text in pieces cut at these bytes.
fn fed(text: &str, cuts: &[usize]) -> (String, Result<(), &'static str>) {
    let mut emitter = Emitter::default();
    let mut out = String::new();
    let mut held = String::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([text.len()]) {
        held.push_str(&text[start..end]);
        start = end;
        let fed = emitter.feed(&held, end == text.len(), &mut out);
        held.drain(..fed.consumed);
        match fed.progress {
            Progress::More => {}
            Progress::Done => return (out, Ok(())),
            Progress::Broken(why) => return (out, Err(why)),
        }
    }
    let closed = emitter.close(&mut out);
    (out, closed)
}

fn borders(text: &str) -> Vec<usize> {
    text.char_indices().skip(1).map(|(at, _)| at).collect()
}

/// What models write, what it is read as, and how surely.
const REPAIRS: &[(&str, &str, Grade)] = &[
    (r#"{"a": 1}"#, r#"{"a":1}"#, Grade::Exact),
    (
        r#"{"a": [1, -2.5e3, true, null, "x"]}"#,
        r#"{"a":[1,-2.5e3,true,null,"x"]}"#,
        Grade::Exact,
    ),
    (
        r#"{"a": 1, "b": [1, 2,],}"#,
        r#"{"a":1,"b":[1,2]}"#,
        Grade::Exact,
    ),
    ("{a: 1, b_c: 'x'}", r#"{"a":1,"b_c":"x"}"#, Grade::Lossless),
    (
        "{'a': 'it\\'s', 'b': True, 'c': None}",
        r#"{"a":"it's","b":true,"c":null}"#,
        Grade::Lossless,
    ),
    (
        "{\"a\": \"x\ny\tz\"}",
        r#"{"a":"x\ny\tz"}"#,
        Grade::Lossless,
    ),
    (
        r#"{"re": "\d+\.\w", "p": "\$HOME"}"#,
        r#"{"re":"\\d+\\.\\w","p":"\\$HOME"}"#,
        Grade::Lossless,
    ),
    (
        "{\"a\": 1 // one\n, /* two */ \"b\": 2 # three\n}",
        r#"{"a":1,"b":2}"#,
        Grade::Lossless,
    ),
    (
        "{\u{201c}a\u{201d}: \u{201c}x\u{201d}}",
        r#"{"a":"x"}"#,
        Grade::Lossless,
    ),
    (
        r#"{"a": {"b": [1, 2"#,
        r#"{"a":{"b":[1,2]}}"#,
        Grade::Lossless,
    ),
    (
        r#"{"a": +3, "b": .5, "c": 5., "d": 0x1F, "e": 1_000}"#,
        r#"{"a":3,"b":0.5,"c":5,"d":31,"e":1000}"#,
        Grade::Lossless,
    ),
    (
        r#"{"a" = 1, "b" => 2}"#,
        r#"{"a":1,"b":2}"#,
        Grade::Lossless,
    ),
    (
        r#"{"a": """x "y" z"""}"#,
        r#"{"a":"x \"y\" z"}"#,
        Grade::Lossless,
    ),
    (
        r#"{"a": "He said "hi", then left", "b": 1}"#,
        r#"{"a":"He said \"hi\", then left","b":1}"#,
        Grade::Guess,
    ),
    (
        r#"{"a": "x" "b": "y"}"#,
        r#"{"a":"x","b":"y"}"#,
        Grade::Guess,
    ),
    (
        r#"{"a": celsius, "b": New York}"#,
        r#"{"a":"celsius","b":"New York"}"#,
        Grade::Guess,
    ),
    (
        r#"{"p": "C:\Users\new\temp"}"#,
        r#"{"p":"C:\\Users\\new\\temp"}"#,
        Grade::Guess,
    ),
    (r#"{"a": [1, }"#, r#"{"a":[1]}"#, Grade::Guess),
    (r#"{"a": [1, 2}"#, r#"{"a":[1,2]}"#, Grade::Guess),
    (
        r#"{"a": "\ud83d\ude00 \u00e9"}"#,
        r#"{"a":"\ud83d\ude00 \u00e9"}"#,
        Grade::Exact,
    ),
    (
        r#"{"n": 9007199254740993}"#,
        r#"{"n":9007199254740993}"#,
        Grade::Exact,
    ),
];

#[test]
fn repairs_have_one_value_and_a_grade() {
    for (text, json, grade) in REPAIRS.iter().copied() {
        let repaired = repair(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(
            (repaired.json.as_str(), repaired.grade),
            (json, grade),
            "{text}"
        );
        assert!(serde_json::from_str::<Value>(json).is_ok(), "{json}");
        assert_eq!(fed(text, &borders(text)).0, json, "{text} by characters");
    }
}

#[test]
fn what_is_cut_or_has_no_reading_is_an_error() {
    for text in [
        r#"{"a": "x"#,
        r#"{"a": "#,
        r#"{"a"#,
        "{\"a\": 1, \"b\"",
        "",
        "{\"a\": @!}",
        "[1, (2)]",
    ] {
        assert!(repair(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_that_comes_twice_is_noticed() {
    assert!(repair(r#"{"a": 1, "a": 2}"#).unwrap().repeated_key);
    assert!(
        !repair(r#"{"a": {"a": 1}, "b": {"a": 2}}"#)
            .unwrap()
            .repeated_key
    );
}

#[test]
fn nesting_is_bounded() {
    assert!(repair(&"[".repeat(100_000)).is_err());
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        r#"[\\"'{},: \n\ta/-]{0,12}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(r#"[a-z"\\, :]{0,6}|.{0,4}"#, inner, 0..6)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn valid_json_passes_unchanged(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let repaired = repair(&text).unwrap();
        prop_assert_eq!(repaired.json, value.to_string());
        prop_assert_eq!(repaired.grade, Grade::Exact);
    }

    #[test]
    fn cuts_do_not_matter(text in r#"\{?("a"|"|'|b|:|,|\{|\}|\[|\]|\\|n|u00|\n| |1|-|true|//|“|”|é){0,24}"#, cut in any::<prop::sample::Index>()) {
        let whole = fed(&text, &[]);
        prop_assert_eq!(&fed(&text, &borders(&text)), &whole);
        let borders = borders(&text);
        if !borders.is_empty() {
            prop_assert_eq!(&fed(&text, &[borders[cut.index(borders.len())]]), &whole);
        }
    }

    #[test]
    fn what_is_read_is_valid_json(text in r#"\{("a"|"|'|b|:|,|\{|\}|\[|\]|\\|n|u00|\n| |1|-|true|//|é){0,24}"#) {
        if let Ok(repaired) = repair(&text) {
            prop_assert!(serde_json::from_str::<Value>(&repaired.json).is_ok(), "{} -> {}", text, repaired.json);
        }
    }
}
