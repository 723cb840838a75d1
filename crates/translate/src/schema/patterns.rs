//! The patterns of a schema: each is written anew for the engine, and what the engine cannot do at all
//! is left out: a pattern is a further bound on a text, and no reason to refuse a request.

use serde_json::{Map, Value};

use super::pattern_budget::PatternBudget;
use super::{pattern, pattern_work};

/// Keywords whose values are data, not schemas.
const DATA: [&str; 5] = ["const", "enum", "default", "examples", "example"];

/// The schema with patterns that the engine reads, and whether one was left out. None if the schema
/// is good as it is.
pub(super) fn readable(schema: &Value, budget: &PatternBudget) -> Option<(Value, bool)> {
    has_patterns(schema).then(|| {
        let mut readable = schema.clone();
        let left_out = rewrite(&mut readable, budget);
        (readable, left_out)
    })
}

fn has_patterns(schema: &Value) -> bool {
    let mut has_any = false;
    each(schema, &mut |_| has_any = true);
    has_any
}

/// What compiling the patterns of a schema takes at most, in units of [`pattern_work`].
pub(super) fn work(schema: &Value) -> u64 {
    let mut sum = 0_u64;
    each(schema, &mut |pattern| {
        sum = sum.saturating_add(pattern_work::of(&pattern::rewritten(pattern)));
    });
    sum
}

/// Every pattern of a schema, as often as it stands there.
fn each(schema: &Value, found: &mut dyn FnMut(&str)) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, value) in keywords {
                match (keyword.as_str(), value) {
                    ("pattern", Value::String(pattern)) => found(pattern),
                    ("patternProperties", Value::Object(properties)) => {
                        properties.keys().for_each(|pattern| found(pattern));
                        properties.values().for_each(|part| each(part, found));
                    }
                    (keyword, _) if DATA.contains(&keyword) => {}
                    (_, value) => each(value, found),
                }
            }
        }
        Value::Array(schemas) => schemas.iter().for_each(|part| each(part, found)),
        _ => {}
    }
}

/// Whether a pattern was left out.
fn rewrite(schema: &mut Value, budget: &PatternBudget) -> bool {
    match schema {
        Value::Object(keywords) => rewrite_keywords(keywords, budget),
        Value::Array(schemas) => schemas
            .iter_mut()
            .fold(false, |out, part| rewrite(part, budget) | out),
        _ => false,
    }
}

fn rewrite_keywords(keywords: &mut Map<String, Value>, budget: &PatternBudget) -> bool {
    let mut left_out = false;
    let pattern = keywords.get("pattern").and_then(Value::as_str);
    if let Some(pattern) = pattern {
        if let Some(pattern) = budget.engine_pattern(pattern) {
            keywords.insert("pattern".to_owned(), pattern.into());
        } else {
            keywords.shift_remove("pattern");
            left_out = true;
        }
    }
    if let Some(Value::Object(properties)) = keywords.get_mut("patternProperties") {
        let before = properties.len();
        let read = std::mem::take(properties).into_iter();
        let read =
            read.filter_map(|(pattern, part)| Some((budget.engine_pattern(&pattern)?, part)));
        *properties = read.collect();
        if properties.len() < before {
            // What it would have allowed must not be refused by its neighbours.
            keywords.shift_remove("additionalProperties");
            keywords.shift_remove("unevaluatedProperties");
            left_out = true;
        }
    }
    for (keyword, value) in keywords.iter_mut() {
        if !DATA.contains(&keyword.as_str()) {
            left_out |= rewrite(value, budget);
        }
    }
    left_out
}
