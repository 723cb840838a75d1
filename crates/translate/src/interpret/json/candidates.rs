//! The JSON value that an answer means: found in fences and prose, checked, made to fit.

use serde_json::Value;

use super::{Grade, Repaired, repair, repair_whole};
use crate::chat_request::OutputFormat;
use crate::interpret::refusal;
use crate::interpret::slice::from;
use crate::schema::Definition;

/// The most places in prose where a value is looked for.
const MAX_PLACES: usize = 32;

/// What an answer comes to under the form it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// One JSON value that fits, compact, in the schema's order.
    Fits(String),
    /// The model refused in words.
    Refused,
    /// Nothing fits; what is wrong with the best of it, with paths.
    Unfit(Vec<String>),
}

/// A value found in an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The value.
    pub value: Value,
    /// How far its text had to be repaired.
    pub grade: Grade,
}

/// Checks answers against one form, compiled once.
#[derive(Debug)]
pub struct Form {
    /// One that compiles.
    schema: Option<Definition>,
}

impl Form {
    /// The form that a turn asks for; none if any text will do.
    pub fn new(output: &OutputFormat) -> Result<Option<Self>, String> {
        match output {
            OutputFormat::Text => Ok(None),
            OutputFormat::Json => Ok(Some(Self { schema: None })),
            OutputFormat::Schema { schema, .. } => match schema.compiled() {
                Ok(_) => Ok(Some(Self {
                    schema: Some(schema.clone()),
                })),
                Err(why) => Err(why.to_owned()),
            },
        }
    }

    /// What the answer comes to. `cut` says that upstream did not end it, so that nothing
    /// unfinished may be completed.
    #[must_use]
    pub fn judge(&self, answer: &str, cut: bool) -> Verdict {
        let mut unfit = None;
        let mut best: Option<(Grade, String)> = None;
        for candidate in extract(answer, cut) {
            match self.fitted(&candidate.value) {
                // Of several that fit, the last of the best read.
                Some(json)
                    if best
                        .as_ref()
                        .is_none_or(|(grade, _)| candidate.grade <= *grade) =>
                {
                    best = Some((candidate.grade, json));
                }
                Some(_) => {}
                None => unfit = Some(candidate.value),
            }
        }
        match best {
            Some((_, json)) => Verdict::Fits(json),
            None if refusal::refuses(answer) => Verdict::Refused,
            None => Verdict::Unfit(self.misfits(unfit.as_ref())),
        }
    }

    fn fitted(&self, value: &Value) -> Option<String> {
        match &self.schema {
            Some(schema) => {
                let fitted = schema.compiled().ok()?.fitted(value)?;
                Some(fitted.to_string())
            }
            None => (value.is_object() || value.is_array()).then(|| value.to_string()),
        }
    }

    /// What is wrong with the last value that was found.
    fn misfits(&self, value: Option<&Value>) -> Vec<String> {
        match (value, &self.schema) {
            (None, _) => vec!["the answer holds no JSON value".to_owned()],
            (Some(_), None) => vec!["the answer is not a JSON object".to_owned()],
            (Some(value), Some(schema)) => match schema.compiled() {
                Ok(schema) => schema.misfits(value),
                Err(why) => vec![why.to_owned()],
            },
        }
    }
}

/// The values that an answer may mean: the whole of it; else what each fence holds; else what
/// stands in prose. Outer values only.
#[must_use]
pub fn extract(answer: &str, cut: bool) -> Vec<Candidate> {
    let answer = trimmed(answer);
    let mut found: Vec<Candidate> = whole(answer, cut).into_iter().collect();
    if found.is_empty() {
        found = fences(answer)
            .into_iter()
            .filter_map(|body| whole(body.trim(), false))
            .collect();
    }
    if found.is_empty() {
        found = in_prose(answer, cut);
    }
    found
}

/// The value that an answer is, or that the only fence in it holds with nothing behind. What stands
/// in prose or is shown on the way may be an example.
#[must_use]
pub fn conclusion(answer: &str) -> Option<Candidate> {
    let answer = trimmed(answer);
    whole(answer, false).or_else(|| {
        let fences = fences(answer);
        let [body] = fences.as_slice() else {
            return None;
        };
        let (_, behind) = answer.rsplit_once(body)?;
        let ends = behind.trim_matches('`').is_empty();
        whole(body.trim(), false).filter(|_| ends)
    })
}

fn trimmed(answer: &str) -> &str {
    answer.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

fn whole(text: &str, cut: bool) -> Option<Candidate> {
    if !text.starts_with(['{', '[']) {
        return serde_json::from_str(text)
            .ok()
            .map(|value| decoded(value, Grade::Exact));
    }
    let repaired = repair_whole(text).ok().filter(|r| surely(r, cut))?;
    let value = serde_json::from_str(&repaired.json).ok()?;
    Some(decoded(value, repaired.grade))
}

/// Whether a value was read for certain: each key once, and nothing added to a text that was cut.
fn surely(repaired: &Repaired, cut: bool) -> bool {
    !repaired.repeated_key && (!cut || repaired.grade == Grade::Exact)
}

/// A string that holds an object was encoded once too often.
fn decoded(value: Value, grade: Grade) -> Candidate {
    let inner = value
        .as_str()
        .filter(|s| s.trim_start().starts_with('{'))
        .and_then(|s| serde_json::from_str::<Value>(s).ok());
    match inner {
        Some(value) => Candidate {
            value,
            grade: grade.max(Grade::Lossless),
        },
        None => Candidate { value, grade },
    }
}

/// What the fences of a text hold. One that is not closed reaches to the end.
fn fences(text: &str) -> Vec<&str> {
    let mut bodies = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find("```") {
        let ticks = from(rest, open).bytes().take_while(|b| *b == b'`').count();
        let Some(line) = from(rest, open + ticks).find('\n') else {
            break;
        };
        let body = from(rest, open + ticks + line + 1);
        let mark = "`".repeat(ticks);
        let end = body.match_indices(mark.as_str()).find(|(at, _)| {
            body.get(..*at).is_some_and(|b| {
                b.is_empty()
                    || b.trim_end_matches([' ', '\t']).ends_with('\n')
                    || b.trim_end().ends_with(['}', ']'])
            })
        });
        let Some((end, _)) = end else {
            bodies.push(body);
            break;
        };
        bodies.push(body.get(..end).unwrap_or_default());
        rest = from(body, end + ticks);
    }
    bodies
}

/// Objects and arrays that stand in prose, in order.
fn in_prose(text: &str, cut: bool) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut rest = text;
    for _ in 0..MAX_PLACES {
        let Some(at) = rest.find(['{', '[']) else {
            break;
        };
        rest = from(rest, at);
        match repair(rest) {
            Ok(repaired) if surely(&repaired, cut) => {
                if let Ok(value) = serde_json::from_str(&repaired.json) {
                    found.push(Candidate {
                        value,
                        grade: repaired.grade,
                    });
                }
                rest = from(rest, repaired.end.max(1));
            }
            _ => rest = from(rest, 1),
        }
    }
    found
}

/// What to tell the model so that it tries again.
#[must_use]
pub fn reask_message(errors: &[String]) -> String {
    format!(
        "Your last answer does not have the form that was asked for:\n- {}\nAnswer again with the corrected JSON value only.",
        errors.join("\n- ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judge(answer: &str) -> Verdict {
        let schema = json!({"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "integer"}}, "required": ["b", "a"], "additionalProperties": false});
        Form::new(&OutputFormat::Schema {
            name: "x".to_owned(),
            schema: schema.into(),
            strict: true,
        })
        .unwrap()
        .unwrap()
        .judge(answer, false)
    }

    #[test]
    fn a_value_is_found_wherever_it_stands() {
        for answer in [
            r#"{"a": 1, "b": "x"}"#,
            "Here it is:\n```json\n{\"a\": 1, \"b\": \"x\"}\n```\nAnything else?",
            "Sure: {'a': 1, 'b': 'x',} done.",
            r#"{"result": {"a": "1", "b": "x"}}"#,
            r#""{\"a\": 1, \"b\": \"x\"}""#,
            "[1] says so: {\"a\": 1.0, \"b\": \"x\", \"c\": null}",
        ] {
            assert_eq!(
                judge(answer),
                Verdict::Fits(r#"{"b":"x","a":1}"#.to_owned()),
                "{answer}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_path() {
        let Verdict::Unfit(errors) = judge(r#"{"a": "many", "b": "x"}"#) else {
            panic!()
        };
        assert!(reask_message(&errors).contains("/a: "), "{errors:?}");
        assert_eq!(judge("I'm sorry, I can't do that."), Verdict::Refused);
        assert!(matches!(judge("The answer is forty."), Verdict::Unfit(_)));
    }
}
