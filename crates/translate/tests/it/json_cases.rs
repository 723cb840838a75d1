//! The corpus of JSON answers: what each comes to, whole and streamed.

use serde_json::{Value, json};
use translate::chat_request::OutputFormat;
use translate::interpret::Flow;
use translate::interpret::json::answer::{Answer, End};
use translate::interpret::json::candidates::{Form, Verdict};

use super::cases::{Case, cuts, folder, pieces};

/// The schema that the cases are held against.
fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer"},
            "score": {"type": "number"},
            "member": {"type": "boolean"},
            "level": {"type": "string", "enum": ["low", "high"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "address": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": ["string", "null"]}}, "required": ["city", "zip"], "additionalProperties": false}]}
        },
        "required": ["name", "age", "score", "member", "level", "tags", "address"],
        "additionalProperties": false
    })
}

fn output(case: &Case) -> OutputFormat {
    if case.is("any") {
        OutputFormat::Json
    } else {
        OutputFormat::Schema {
            name: "person".to_owned(),
            schema: schema().into(),
            strict: true,
        }
    }
}

/// What an answer gives as it comes, and how it ends.
pub(crate) fn stream(pieces: &[&str], cut: bool) -> (String, End) {
    let mut out = String::new();
    let mut answer = Answer::default();
    for piece in pieces {
        if answer.push(piece, &mut |json| out.push_str(json)) == Flow::Stop {
            break;
        }
    }
    let end = answer.end(cut, &mut |json| out.push_str(json));
    (out, end)
}

fn judge(case: &Case) -> Result<(), String> {
    let form = Form::new(&output(case)).unwrap().unwrap();
    let verdict = form.judge(&case.text, case.is("cut"));
    let right = match (&verdict, case.get("fits")) {
        (Verdict::Fits(json), Some(wanted)) => json == wanted,
        // A beginning and a whole answer behind it: the whole one, or it is asked for again.
        (Verdict::Fits(json), None) if case.is("either") => case.text.ends_with(json.as_str()),
        (Verdict::Unfit(_), None) if case.is("either") => true,
        (Verdict::Refused, None) => case.is("refused"),
        (Verdict::Unfit(errors), None) => {
            case.is("unfit")
                && case
                    .all("error")
                    .iter()
                    .all(|e| errors.iter().any(|g| g.contains(e)))
        }
        _ => false,
    };
    if !right {
        return Err(format!("{verdict:?}"));
    }
    let whole = stream(&[&case.text], case.is("cut"));
    if let Some(wanted) = case.get("streams")
        && (whole.0 != wanted || whole.1 != End::Complete)
    {
        return Err(format!("streams {whole:?}"));
    }
    if whole.1 == End::Complete && serde_json::from_str::<Value>(&whole.0).is_err() {
        return Err(format!("streamed what is no JSON: {}", whole.0));
    }
    for cuts in cuts(&case.text) {
        let other = stream(&pieces(&case.text, &cuts), case.is("cut"));
        if other != whole {
            return Err(format!(
                "cut at {:?} streams {other:?}, whole {whole:?}",
                cuts.get(..cuts.len().min(3))
            ));
        }
    }
    Ok(())
}

#[test]
fn every_answer_comes_to_what_it_should() {
    let mut failures = Vec::new();
    let mut total = 0;
    for (kind, cases) in folder("json_cases") {
        let mut wrong = 0;
        for case in &cases {
            if let Err(why) = judge(case) {
                wrong += 1;
                failures.push(format!("{kind} / {}: {why}", case.name));
            }
        }
        total += cases.len();
        println!("{kind:24} {:6} right {wrong:6} wrong", cases.len() - wrong);
    }
    println!("{total} JSON cases");
    assert!(
        failures.is_empty(),
        "{} of {total} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(total >= 150, "{total}");
}
