//! A price in `creditMetadata` of any shape: a number, `ALL`, or keys that are values of the
//! request's parameters (`1K`, `1024x1024`, `FAST`, `HIGH_IMAGE`), nested or not.

use serde_json::{Map, Value};

/// Keys that are not prices.
const NOT_PRICES: [&str; 3] = ["CONTEXT", "MAX_OUTPUT_TOKEN", "COST_HINT"];

/// Words of keys that name the thing and not a value.
const NOUNS: [&str; 4] = ["image", "images", "video", "price"];

/// A price, and whether it is for these parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) credits: f64,
    pub(super) is_exact: bool,
}

/// The price for a request. Where no key fits, the dearest is taken, and said to be inexact.
pub(super) fn price(metadata: &Value, fields: &Map<String, Value>) -> Option<Found> {
    let words = words(fields);
    fitting(metadata, &words)
        .map(|credits| Found {
            credits,
            is_exact: true,
        })
        .or_else(|| {
            let dearest = leaves(metadata)
                .into_iter()
                .map(|leaf| leaf.1)
                .reduce(f64::max)?;
            Some(Found {
                credits: dearest,
                is_exact: false,
            })
        })
}

/// Every price with the keys that lead to it.
pub(super) fn leaves(metadata: &Value) -> Vec<(String, f64)> {
    let Value::Object(fields) = metadata else {
        return number(metadata)
            .map(|credits| (String::new(), credits))
            .into_iter()
            .collect();
    };
    let prices = fields
        .iter()
        .filter(|(key, _)| !NOT_PRICES.contains(&key.as_str()));
    let named = prices.flat_map(|(key, value)| {
        let key = if key == "ALL" { "" } else { key.as_str() };
        let inner = leaves(value).into_iter();
        inner.map(move |(label, credits)| (format!("{key} {label}").trim().to_owned(), credits))
    });
    named.collect()
}

/// A number, also if it is written as a text.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

fn fitting(metadata: &Value, words: &[String]) -> Option<f64> {
    let Value::Object(fields) = metadata else {
        return number(metadata);
    };
    let prices = || {
        fields
            .iter()
            .filter(|(key, _)| !NOT_PRICES.contains(&key.as_str()))
    };
    let scored = prices().filter_map(|(key, value)| {
        let score = score(key, words)?;
        Some((score, fitting(value, words)?))
    });
    // Of keys that fit alike the dearer counts: an estimate should not be too low.
    let best = scored.max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    best.map(|(_, credits)| credits)
        .or_else(|| fitting(fields.get("ALL")?, words))
}

/// How much of a request a key names, in bytes; None if a word of it is no value of the request.
fn score(key: &str, words: &[String]) -> Option<usize> {
    let key = key.to_lowercase();
    let is_value = |word: &str| words.iter().any(|value| value == word);
    if is_value(&key) {
        return Some(key.len());
    }
    let parts = key
        .split(['_', ' '])
        .filter(|part| !part.is_empty() && !NOUNS.contains(part));
    let parts: Vec<&str> = parts.collect();
    let fits = !parts.is_empty() && parts.iter().all(|part| is_value(part));
    fits.then_some(key.len())
}

/// What the request says, in small letters: texts and numbers, and the last word of the name of
/// each field that is true (`generate_audio` is `audio`). Of a voice such as `en-US-Wavenet-D` the
/// parts count too.
fn words(fields: &Map<String, Value>) -> Vec<String> {
    const LONGEST: usize = 80;
    let mut words = Vec::new();
    for (name, value) in fields {
        match value {
            Value::String(text) if text.len() <= LONGEST => {
                let small = text.to_lowercase();
                let parts = small.split(['-', '_', ' ']).map(str::to_owned);
                words.extend(parts.filter(|part| *part != small));
                words.push(small);
            }
            Value::Number(number) => words.push(number.to_string()),
            Value::Bool(true) => words.extend(name.rsplit('_').next().map(str::to_lowercase)),
            _ => {}
        }
    }
    words
}
