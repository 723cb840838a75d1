//! A small instance of a JSON Schema: what a model might answer that is asked to fit one.
//!
//! Objects get the properties that are required, lists one item. Patterns, `not` and conditions
//! are not heeded: nobody asks a simulator for them.

use std::cell::Cell;

use serde_json::{Map, Value, json};

/// Deepest nesting; what recurs further down is null.
const DEPTH: usize = 24;

/// Nesting from which on lists get no more items than they must.
const DEEP: usize = 8;

/// Values in one instance; what would come behind them is null. A schema that refers to itself in
/// several places must not be able to exhaust the memory.
const VALUES: usize = 10_000;

/// An instance of the schema.
pub(super) fn minimal(schema: &Value) -> Value {
    let generator = Generator {
        root: schema,
        left: Cell::new(VALUES),
    };
    generator.value(schema, 0, 0)
}

struct Generator<'s> {
    root: &'s Value,
    left: Cell<usize>,
}

impl Generator<'_> {
    /// The instance with a number, which tells the items of a list apart.
    fn value(&self, schema: &Value, number: usize, depth: usize) -> Value {
        let left = self.left.replace(self.left.get().saturating_sub(1));
        let Some(map) = schema.as_object().filter(|_| depth < DEPTH && left > 0) else {
            return Value::Null;
        };
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            let target = reference
                .strip_prefix('#')
                .and_then(|at| self.root.pointer(at));
            return target.map_or(Value::Null, |target| self.value(target, number, depth + 1));
        }
        if let Some(constant) = map.get("const") {
            return constant.clone();
        }
        if let Some(options) = list(map, "enum").filter(|options| !options.is_empty()) {
            return options
                .get(number % options.len())
                .cloned()
                .unwrap_or_default();
        }
        if let Some(option) = ["anyOf", "oneOf"]
            .iter()
            .find_map(|key| alternative(list(map, key)?, depth))
        {
            return self.value(option, number, depth + 1);
        }
        self.typed(map, number, depth)
    }

    fn typed(&self, map: &Map<String, Value>, number: usize, depth: usize) -> Value {
        match kind(map) {
            "object" => Value::Object(self.object(map, depth)),
            "array" => self.array(map, depth),
            "integer" => number_of(map, number, true),
            "number" => number_of(map, number, false),
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => json!(string(map, number)),
        }
    }

    fn object(&self, map: &Map<String, Value>, depth: usize) -> Map<String, Value> {
        let mut object = Map::new();
        let properties = map.get("properties").and_then(Value::as_object);
        let required = list(map, "required").unwrap_or_default();
        for (name, schema) in properties.into_iter().flatten() {
            if required.iter().any(|wanted| wanted == name) {
                object.insert(name.clone(), self.value(schema, 0, depth + 1));
            }
        }
        for part in list(map, "allOf").unwrap_or_default() {
            if let Value::Object(part) = self.value(part, 0, depth + 1) {
                object.extend(part);
            }
        }
        for name in required.iter().filter_map(Value::as_str) {
            let further = map.get("additionalProperties").unwrap_or(&Value::Null);
            if !object.contains_key(name) {
                let value = match further {
                    Value::Object(_) => self.value(further, 0, depth + 1),
                    _ => json!("text"),
                };
                object.insert(name.to_owned(), value);
            }
        }
        object
    }

    fn array(&self, map: &Map<String, Value>, depth: usize) -> Value {
        let bound = |key: &str| {
            map.get(key)
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
        };
        let wanted = usize::from(depth <= DEEP);
        let least = bound("minItems").unwrap_or(0).min(100);
        let count = wanted
            .min(bound("maxItems").unwrap_or(usize::MAX))
            .max(least);
        let heads = list(map, "prefixItems").unwrap_or_default();
        let count = if heads.is_empty() {
            count
        } else {
            heads.len().max(least)
        };
        let any = json!({});
        let items = map
            .get("items")
            .filter(|items| items.is_object())
            .unwrap_or(&any);
        (0..count)
            .map(|number| self.value(heads.get(number).unwrap_or(items), number, depth + 1))
            .collect()
    }
}

/// The first alternative; null, where it is one, when the nesting is deep.
fn alternative(options: &[Value], depth: usize) -> Option<&Value> {
    let null = |option: &&Value| option.get("type").is_some_and(|kind| kind == "null");
    let deep = options.iter().find(|option| depth > DEEP && null(option));
    deep.or_else(|| options.iter().find(|option| !null(option)))
        .or_else(|| options.first())
}

fn list<'m>(map: &'m Map<String, Value>, key: &str) -> Option<&'m [Value]> {
    map.get(key).and_then(Value::as_array).map(Vec::as_slice)
}

/// The type, or the one that other keywords betray.
fn kind(map: &Map<String, Value>) -> &str {
    let named = match map.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            kinds
                .clone()
                .find(|kind| *kind != "null")
                .or_else(|| kinds.next())
        }
        _ => None,
    };
    let has = |key: &str| map.contains_key(key);
    named.unwrap_or(if has("properties") || has("required") || has("allOf") {
        "object"
    } else if has("items") || has("prefixItems") {
        "array"
    } else if has("minimum") || has("maximum") {
        "number"
    } else {
        "string"
    })
}

/// 1 and the item's number, moved into the bounds and onto a multiple.
fn number_of(map: &Map<String, Value>, number: usize, whole: bool) -> Value {
    let bound = |key: &str| map.get(key).and_then(Value::as_f64);
    let step = bound("multipleOf")
        .filter(|step| *step > 0.0)
        .unwrap_or(1.0);
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|least| least + step));
    let most = bound("maximum").or(bound("exclusiveMaximum").map(|most| most - step));
    let offset = u32::try_from(number).map_or(0.0, f64::from) * step;
    let mut value = (1.0_f64.max(least.unwrap_or(f64::MIN)) / step).ceil() * step + offset;
    if let Some(most) = most.filter(|most| value > *most) {
        value = (most / step).floor() * step;
        if let Some(least) = least.filter(|least| value < *least) {
            value = f64::midpoint(least, most);
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast saturates, and any integer will do"
    )]
    if whole || value.fract() == 0.0 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

fn string(map: &Map<String, Value>, number: usize) -> String {
    let bound = |key: &str| {
        map.get(key)
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
    };
    let usual = match map.get("format").and_then(Value::as_str) {
        Some("date") => "2026-10-10",
        Some("time") => "12:00:00Z",
        Some("date-time") => "2026-10-10T12:00:00Z",
        Some("duration") => "PT1H",
        Some("email") => "ann@example.org",
        Some("hostname") => "example.org",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("uri") => "https://example.org/",
        Some("uuid") => "5100c0de-0000-4000-8000-000000000000",
        _ => "text",
    };
    let mut text = usual.to_owned();
    if number > 0 && usual == "text" {
        text += &(number + 1).to_string();
    }
    let least = bound("minLength").unwrap_or(0).min(10_000);
    while text.len() < least {
        text.push('x');
    }
    text.truncate(bound("maxLength").unwrap_or(usize::MAX));
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::minimal;

    #[test]
    fn each_keyword_is_heeded() {
        let cases = [
            (
                json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["b", "c"]}),
                json!({"b": 1, "c": "text"}),
            ),
            (json!({"enum": ["x", "y"]}), json!("x")),
            (json!({"const": {"k": [1]}}), json!({"k": [1]})),
            (json!({"type": ["null", "boolean"]}), json!(true)),
            (
                json!({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 5}]}),
                json!(5),
            ),
            (
                json!({"type": "array", "items": {"type": "string"}, "minItems": 2}),
                json!(["text", "text2"]),
            ),
            (json!({"type": "array", "maxItems": 0}), json!([])),
            (
                json!({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}]}),
                json!([1, true]),
            ),
            (
                json!({"type": "number", "exclusiveMinimum": 2, "multipleOf": 5}),
                json!(10),
            ),
            (
                json!({"type": "number", "minimum": 0.2, "maximum": 0.4}),
                json!(0.300_000_000_000_000_04),
            ),
            (json!({"type": "integer", "maximum": -3}), json!(-3)),
            (json!({"type": "string", "minLength": 6}), json!("textxx")),
            (json!({"type": "string", "maxLength": 2}), json!("te")),
            (
                json!({"type": "string", "format": "date"}),
                json!("2026-10-10"),
            ),
            (
                json!({"allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"$ref": "#/$defs/b"}], "$defs": {"b": {"properties": {"b": {"const": 2}}, "required": ["b"]}}}),
                json!({"a": 1, "b": 2}),
            ),
            (
                json!({"properties": {"x": {"$ref": "#/definitions/n~1m"}}, "required": ["x"], "definitions": {"n/m": {"const": 3}}}),
                json!({"x": 3}),
            ),
            (json!(true), json!(null)),
        ];
        for (schema, expected) in cases {
            assert_eq!(minimal(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn a_schema_that_recurs_comes_to_an_end() {
        let tree = json!({"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}, "children": {"type": "array", "items": {"$ref": "#"}}}, "required": ["next"]});
        assert_eq!(
            minimal(&tree),
            json!({"next": {"next": {"next": {"next": null}}}})
        );
        let list = json!({"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}, "required": ["children"]});
        assert!(minimal(&list).to_string().contains("[]"));
        assert_eq!(minimal(&json!({"$ref": "#"})), json!(null));
        let wide = json!({"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}, "c": {"$ref": "#"}}, "required": ["a", "b", "c"]});
        assert!(minimal(&wide).to_string().len() < 200_000);
    }
}
