//! The fewest arguments for a signature such as `city: string, unit?: "c"|"f"`.

use serde_json::{Map, Value, json};

/// Deepest nesting that is filled in.
const DEPTH: usize = 16;

/// What stands before the parenthesis that closes the one already read.
pub(super) fn enclosed(text: &str) -> &str {
    let end = scan(text, |c, depth| c == ')' && depth == 0);
    text.get(..end).unwrap_or(text)
}

/// Arguments for the parameters that must be given. A signature that is a JSON Schema is read as
/// one.
pub(super) fn arguments(parameters: &str) -> Value {
    if let Ok(schema @ Value::Object(_)) = serde_json::from_str(parameters) {
        return super::instance::minimal(&schema);
    }
    Value::Object(members(parameters, 0))
}

fn members(text: &str, depth: usize) -> Map<String, Value> {
    let mut members = Map::new();
    for part in split(text, ',') {
        let end = scan(part, |c, depth| c == ':' && depth == 0);
        let name = part.get(..end).unwrap_or_default().trim();
        let kind = part.get(end + 1..).unwrap_or_default();
        if name.is_empty() || name.ends_with('?') || name.starts_with('[') {
            continue;
        }
        let name = serde_json::from_str(name).unwrap_or_else(|_| name.to_owned());
        members.insert(name, value(kind, depth + 1));
    }
    members
}

/// A value of a type. Notes in brackets behind the type are left aside.
fn value(kind: &str, depth: usize) -> Value {
    let first = split(kind, '|').next().unwrap_or_default().trim();
    if depth > DEPTH || first.ends_with("[]") || first.starts_with("Array<") {
        return json!([]);
    }
    if let Some(Ok(literal)) = serde_json::Deserializer::from_str(first)
        .into_iter::<Value>()
        .next()
        .filter(|literal| !matches!(literal, Ok(Value::Object(_))))
    {
        return literal;
    }
    if let Some(inner) = first.strip_prefix('{') {
        let end = scan(inner, |c, depth| c == '}' && depth == 0);
        return Value::Object(members(inner.get(..end).unwrap_or(inner), depth));
    }
    match first.split(|c: char| !c.is_ascii_alphanumeric()).next() {
        Some("number" | "integer" | "int" | "float") => json!(1),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("object") => json!({}),
        _ => json!("text"),
    }
}

/// Cuts at a sign that stands in no bracket and no string.
fn split(text: &str, sign: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = scan(text, |c, depth| c == sign && depth == 0);
        rest = text.get(end + sign.len_utf8()..);
        text.get(..end)
    })
}

/// The place of the first character outside strings for which the predicate holds at its depth of
/// brackets; the end if there is none.
fn scan(text: &str, found: impl Fn(char, usize) -> bool) -> usize {
    let (mut depth, mut string, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        if string {
            string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        if found(c, depth) {
            return at;
        }
        match c {
            '"' => string = true,
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{arguments, enclosed};

    #[test]
    fn what_must_be_given_is_given() {
        let cases = [
            ("", json!({})),
            ("city: string, unit?: \"c\"|\"f\"", json!({"city": "text"})),
            (
                "unit: \"c, d\"|\"f\", n: number (min 1, max 5)",
                json!({"unit": "c, d", "n": 1}),
            ),
            (
                "a: {b: boolean, c?: string}, list: string[]",
                json!({"a": {"b": true}, "list": []}),
            ),
            (
                "\"odd key\": null|string, any: any, [key: string]: number",
                json!({"odd key": null, "any": "text"}),
            ),
            (
                "{\"type\":\"object\",\"properties\":{\"a\":{\"const\":7}},\"required\":[\"a\"]}",
                json!({"a": 7}),
            ),
        ];
        for (parameters, expected) in cases {
            assert_eq!(arguments(parameters), expected, "{parameters}");
        }
    }

    #[test]
    fn a_parenthesis_in_a_note_or_a_string_does_not_close() {
        assert_eq!(
            enclosed("a: string (min 1), b: \")\") // f(x)"),
            "a: string (min 1), b: \")\""
        );
        assert_eq!(enclosed("a: string"), "a: string");
    }

    proptest! {
        #[test]
        fn no_signature_makes_it_panic(text in r#"(a|\?|:|\||,|\(|\)|\[|\]|\{|\}|"|\\| |ü|string|1){0,24}"#) {
            let _ = arguments(enclosed(&text));
        }
    }
}
