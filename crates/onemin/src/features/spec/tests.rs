use serde_json::{Map, Value, json};

use super::{Field, ModelSpec, Param, Rule, find, is_model, markdown};
use crate::features::Kind;

static SPEC: ModelSpec = ModelSpec::new(
    Kind::ImageGenerator,
    &["a", "b*"],
    &[
        Field::new("prompt", Rule::Text(20))
            .param(Param::Prompt)
            .required(),
        Field::new("num", Rule::Whole(1, 4))
            .param(Param::Count)
            .or_whole(1),
        Field::new("quality", Rule::OneOf(&["low", "high"]))
            .param(Param::Quality)
            .also(&[("hd", "high")])
            .or_text("low"),
        Field::new("tile", Rule::Flag),
        Field::new("exact", Rule::Any),
    ],
)
.instead(&[("exact", "num")]);

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn fill(values: &[(Param, Value)], extra: &Value) -> Result<(Value, Vec<String>), String> {
    let payload = SPEC
        .fill("a", values, &map(extra))
        .map_err(|e| e.to_string())?;
    Ok((Value::Object(payload.prompt_object), payload.ignored))
}

#[test]
fn knobs_extras_and_defaults_make_the_fields() {
    let prompt = (Param::Prompt, json!("cat"));
    let rows = [
        (
            vec![prompt.clone()],
            json!({}),
            json!({"prompt": "cat", "num": 1, "quality": "low"}),
        ),
        (
            vec![
                prompt.clone(),
                (Param::Quality, json!("HD")),
                (Param::Count, json!(2)),
            ],
            json!({"tile": true, "num": 3, "quality": null}),
            json!({"prompt": "cat", "num": 3, "quality": "high", "tile": true}),
        ),
        (
            vec![prompt.clone(), (Param::Quality, json!("auto"))],
            json!({"exact": [1]}),
            json!({"prompt": "cat", "quality": "low", "exact": [1]}),
        ),
    ];
    for (values, extra, expected) in rows {
        assert_eq!(fill(&values, &extra).unwrap(), (expected, vec![]));
    }
}

#[test]
fn what_cannot_be_met_is_refused_or_named() {
    let prompt = (Param::Prompt, json!("cat"));
    let refused = |values: &[(Param, Value)], extra| fill(values, &extra).unwrap_err();
    assert_eq!(
        refused(&[prompt.clone(), (Param::Count, json!(5))], json!({})),
        "n: a takes a whole number from 1 to 4 as n"
    );
    assert_eq!(
        refused(std::slice::from_ref(&prompt), json!({"tile": "maybe"})),
        "tile: a takes true or false as tile"
    );
    assert!(refused(&[], json!({})).contains("a needs prompt"));
    let (fields, ignored) = fill(
        &[prompt, (Param::Seed, json!(1))],
        &json!({"unheard_of": 1}),
    )
    .unwrap();
    assert_eq!(ignored, ["seed", "unheard_of"]);
    let leaves_it = [
        (Param::Prompt, json!("cat")),
        (Param::Moderation, json!("auto")),
    ];
    assert!(fill(&leaves_it, &json!({})).unwrap().1.is_empty());
    assert!(fields.get("unheard_of").is_none());
    let open = SPEC.open().fill(
        "a",
        &[(Param::Prompt, json!("x"))],
        &map(&json!({"new": 1})),
    );
    assert_eq!(open.unwrap().prompt_object["new"], 1);
}

#[test]
fn a_spec_is_found_by_model_and_field() {
    static SPECIAL: ModelSpec =
        ModelSpec::new(Kind::ImageGenerator, &["a"], &[]).only_for("kind", &["x"]);
    let specs = [&SPECIAL, &SPEC];
    let found = |model, extra: Value| {
        find(specs, Kind::ImageGenerator, model, &map(&extra)).map(|spec| spec.fields.len())
    };
    assert_eq!(found("a", json!({"kind": "X"})), Some(0));
    assert_eq!(found("a", json!({"kind": "y"})), Some(5));
    assert_eq!(found("bcd", json!({})), Some(5));
    assert_eq!(found("c", json!({})), None);
    assert!(is_model("<uuid>", "6b645e3a-d64f-4341-a6d8-7a3690fbf042"));
    assert!(!is_model("<uuid>", "6b645e3a-d64f-4341-a6d8"));
}

#[test]
fn a_spec_can_be_printed_as_a_page() {
    let page = markdown::page([&SPEC]);
    assert!(
        page.starts_with("### IMAGE_GENERATOR: `a`, `b*`\n"),
        "{page}"
    );
    assert!(
        page.contains("| `num` | `n` | a whole number from 1 to 4 | `1` |"),
        "{page}"
    );
    assert!(
        page.contains("| `prompt` | `prompt` | a text of at most 20 characters, required |  |")
    );
}
