//! Values against JSON Schemas: what fits, what can be made to fit without losing anything, and
//! what is wrong, with paths.

mod work;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;

use jsonschema::Validator;
use serde_json::{Map, Value};

use work::Parts;

/// The most errors that are told: a model needs a few, not all.
const MAX_ERRORS: usize = 8;
/// The most bytes that are told of one.
const MAX_ERROR: usize = 500;
/// The most steps that a value's check may take; what is wrong is found in full, at a higher price.
const MAX_STEPS: u64 = 4_000_000;
const MAX_STEPS_OF_ERRORS: u64 = 200_000;
/// The deepest nesting that is adapted.
const MAX_DEPTH: usize = 64;

/// One schema, compiled.
#[derive(Debug)]
pub struct Schema {
    root: Value,
    validator: Validator,
}

impl Schema {
    /// Compiles a schema. References outside of it are never fetched.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        Parts::of(schema)?;
        let validator = jsonschema::options()
            .build(schema)
            .map_err(|error| format!("{error} (at {})", error.instance_path()))?;
        Ok(Self {
            root: schema.clone(),
            validator,
        })
    }

    /// Whether the value can be checked at all: a schema may ask for more work than can be done.
    #[must_use]
    pub fn can_check(&self, value: &Value) -> bool {
        self.steps(value, MAX_STEPS).is_some()
    }

    fn steps(&self, value: &Value, most: u64) -> Option<u64> {
        Parts::of(&self.root).ok()?.steps(value, most)
    }

    /// Whether the value fits.
    #[must_use]
    pub fn fits(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// What is wrong with the value, with its paths.
    #[must_use]
    pub fn errors(&self, value: &Value) -> Vec<String> {
        if self.steps(value, MAX_STEPS_OF_ERRORS).is_none() {
            return vec!["the value does not match the schema".to_owned()];
        }
        let errors = self.validator.iter_errors(value).take(MAX_ERRORS);
        errors
            .map(|error| {
                let path = error.instance_path().to_string();
                let path = if path.is_empty() {
                    "the value"
                } else {
                    path.as_str()
                };
                // Without the value: it may be the whole answer, and failures are logged.
                let mut what = error.masked().to_string();
                what.truncate(what.floor_char_boundary(MAX_ERROR));
                format!("{path}: {what}")
            })
            .collect()
    }

    /// The value in the schema's order of keys, made to fit without loss where it does not fit.
    pub fn fit(&self, value: Value) -> Result<Value, Vec<String>> {
        if !self.can_check(&value) {
            return Err(vec![
                "the value is too large to be checked against the schema".to_owned(),
            ]);
        }
        let root = Root::new(&self.root);
        let adapted = adapt(value.clone(), &root, &root, 0);
        if self.fits(&adapted) {
            return Ok(ordered(adapted, &root, &root, 0));
        }
        if self.fits(&value) {
            return Ok(ordered(value, &root, &root, 0));
        }
        let errors = self.errors(&value);
        let unwrapped = unwrap(value).map(|inner| adapt(inner, &root, &root, 0));
        match unwrapped.filter(|inner| self.fits(inner)) {
            Some(inner) => Ok(ordered(inner, &root, &root, 0)),
            None => Err(errors),
        }
    }
}

/// The most members of unions that are compiled to choose among them.
const MAX_COMPILED: usize = 512;

/// A whole schema, with those of its parts that were compiled to choose among them.
struct Root<'s> {
    schema: &'s Value,
    compiled: RefCell<HashMap<*const Value, Option<Validator>>>,
}

impl<'s> Root<'s> {
    fn new(schema: &'s Value) -> Self {
        Self {
            schema,
            compiled: RefCell::default(),
        }
    }

    /// Whether a value fits a part.
    fn fits(&self, part: &Value, value: &Value) -> bool {
        let mut compiled = self.compiled.borrow_mut();
        let this = std::ptr::from_ref(part);
        if compiled.len() >= MAX_COMPILED && !compiled.contains_key(&this) {
            return false;
        }
        let build = || jsonschema::options().build(&embedded(part, self)).ok();
        let validator = compiled.entry(this).or_insert_with(build);
        validator.as_ref().is_some_and(|v| v.is_valid(value))
    }
}

impl Deref for Root<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.schema
    }
}

/// What an object with one member or an array of one holds.
fn unwrap(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.len() == 1 => map.into_iter().next().map(|(_, inner)| inner),
        Value::Array(items) if items.len() == 1 => items.into_iter().next(),
        _ => None,
    }
}

/// Follows references inside the schema.
fn resolved<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    let mut schema = schema;
    for _ in 0..8 {
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|r| r.strip_prefix('#'))
            .and_then(|p| root.pointer(p));
        match target {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// The member of a union that suits the value's kind best, or the schema itself.
fn chosen<'s>(schema: &'s Value, root: &'s Root<'_>, value: &Value) -> &'s Value {
    let schema = resolved(schema, root);
    let options = ["anyOf", "oneOf"]
        .iter()
        .find_map(|k| schema.get(*k)?.as_array());
    let Some(options) = options else {
        return schema;
    };
    let fitting = |s: &&Value| root.fits(s, value);
    let like = |s: &&Value| {
        types(resolved(s, root)).contains(&kind(value)) && shares_keys(resolved(s, root), value)
    };
    let found = options
        .iter()
        .find(fitting)
        .or_else(|| options.iter().find(like))
        .or_else(|| {
            options
                .iter()
                .find(|s| !types(resolved(s, root)).contains(&"null"))
        });
    found.map_or(schema, |s| resolved(s, root))
}

/// A part of a schema with the definitions it may refer to.
fn embedded(part: &Value, root: &Value) -> Value {
    let mut part = part.clone();
    if let (Some(part), Some(root)) = (part.as_object_mut(), root.as_object()) {
        for key in ["$defs", "definitions"] {
            if let Some(definitions) = root.get(key) {
                part.entry(key).or_insert_with(|| definitions.clone());
            }
        }
    }
    part
}

fn shares_keys(schema: &Value, value: &Value) -> bool {
    let (Some(properties), Some(map)) = (
        schema.get("properties").and_then(Value::as_object),
        value.as_object(),
    ) else {
        return true;
    };
    map.keys().any(|k| properties.contains_key(k))
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_i64() || n.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Makes a value fit where nothing is lost by it: another spelling of the same number, boolean or
/// choice, a null that was left out, keys the schema does not allow.
fn adapt(value: Value, schema: &Value, root: &Root<'_>, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return value;
    }
    let schema = chosen(schema, root, &value);
    let wanted = types(schema);
    let wants = |kind: &str| wanted.contains(&kind);
    match value {
        Value::Object(map) => Value::Object(adapt_object(map, schema, root, depth)),
        Value::Array(items) if wants("array") || wanted.is_empty() => {
            let each = schema.get("items");
            let adapted = items.into_iter().map(|item| match each {
                Some(each) => adapt(item, each, root, depth + 1),
                None => item,
            });
            Value::Array(adapted.collect())
        }
        Value::String(text) => adapt_text(text, schema, &wanted),
        Value::Number(number) if wants("integer") && !wants("number") => whole_number(number),
        Value::Null
            if wants("object")
                && !wants("null")
                && schema
                    .get("required")
                    .and_then(Value::as_array)
                    .is_none_or(Vec::is_empty) =>
        {
            Value::Object(Map::new())
        }
        other => other,
    }
}

fn adapt_object(
    map: Map<String, Value>,
    schema: &Value,
    root: &Root<'_>,
    depth: usize,
) -> Map<String, Value> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return map;
    };
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let mut adapted = Map::new();
    for (key, value) in map {
        match properties.get(&key) {
            Some(property) => {
                adapted.insert(key, adapt(value, property, root, depth + 1));
            }
            None if closed => {}
            None => {
                adapted.insert(key, value);
            }
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        let nullable = properties.get(name).is_some_and(|p| allows_null(p, root));
        if nullable && !adapted.contains_key(name) {
            adapted.insert(name.to_owned(), Value::Null);
        }
    }
    adapted
}

fn allows_null(schema: &Value, root: &Value) -> bool {
    let schema = resolved(schema, root);
    let union = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|k| schema.get(*k)?.as_array())
        .flatten();
    types(schema).contains(&"null")
        || union
            .into_iter()
            .any(|s| types(resolved(s, root)).contains(&"null"))
}

/// A number, boolean or choice that was written as text.
fn adapt_text(text: String, schema: &Value, wanted: &[&str]) -> Value {
    let trimmed = text.trim();
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return choice(&text, options);
    }
    if wanted.is_empty() || wanted.contains(&"string") {
        return Value::String(text);
    }
    let read = match trimmed.to_ascii_lowercase().as_str() {
        "true" | "false" if wanted.contains(&"boolean") => {
            Some(Value::Bool(trimmed.eq_ignore_ascii_case("true")))
        }
        "null" | "" if wanted.contains(&"null") => Some(Value::Null),
        _ => serde_json::from_str::<Value>(trimmed).ok().filter(|v| {
            let kind = kind(v);
            wanted.contains(&kind) || (kind == "integer" && wanted.contains(&"number"))
        }),
    };
    match read {
        Some(Value::Number(n)) if !wanted.contains(&"number") => whole_number(n),
        Some(value) => value,
        None => Value::String(text),
    }
}

/// The only option that differs from the text by case and white space.
fn choice(text: &str, options: &[Value]) -> Value {
    let like = |option: &&Value| match option {
        Value::String(o) => o.trim().eq_ignore_ascii_case(text.trim()),
        _ => serde_json::from_str::<Value>(text.trim()).is_ok_and(|read| read == **option),
    };
    let mut fitting = options.iter().filter(like);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => only.clone(),
        _ => Value::String(text.to_owned()),
    }
}

/// 36.0 as 36; any other number unchanged.
fn whole_number(number: serde_json::Number) -> Value {
    let text = number.to_string();
    let whole = text
        .split_once('.')
        .filter(|(_, fraction)| !fraction.is_empty() && fraction.bytes().all(|b| b == b'0'))
        .map(|(whole, _)| whole);
    match whole.and_then(|w| serde_json::from_str(w).ok()) {
        Some(value) => value,
        None => Value::Number(number),
    }
}

/// The value with its keys in the schema's order; keys that the schema does not name come last.
fn ordered(value: Value, schema: &Value, root: &Root<'_>, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return value;
    }
    match value {
        Value::Object(mut map) => {
            let schema = chosen(schema, root, &Value::Object(map.clone()));
            let mut sorted = Map::new();
            for (name, property) in schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if let Some(value) = map.shift_remove(name) {
                    sorted.insert(name.clone(), ordered(value, property, root, depth + 1));
                }
            }
            sorted.extend(map);
            Value::Object(sorted)
        }
        Value::Array(items) => {
            let schema = chosen(schema, root, &Value::Array(items.clone()));
            let each = schema.get("items").unwrap_or(&Value::Null);
            Value::Array(
                items
                    .into_iter()
                    .map(|item| ordered(item, each, root, depth + 1))
                    .collect(),
            )
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fit(schema: &Value, value: Value) -> Result<Value, Vec<String>> {
        Schema::compile(schema).unwrap().fit(value)
    }

    fn object(properties: &Value, required: &Value) -> Value {
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }

    #[test]
    fn other_spellings_of_a_value_are_made_to_fit() {
        let schema = object(
            &json!({"n": {"type": "integer"}, "f": {"type": "number"}, "b": {"type": "boolean"}, "u": {"enum": ["celsius", "fahrenheit"]}, "o": {"type": ["string", "null"]}}),
            &json!(["n", "f", "b", "u", "o"]),
        );
        let value = json!({"x": 1, "u": " Celsius", "b": "true", "f": "2.5", "n": 36.0});
        assert_eq!(
            fit(&schema, value).unwrap().to_string(),
            r#"{"n":36,"f":2.5,"b":true,"u":"celsius","o":null}"#
        );
    }

    #[test]
    fn one_wrapper_is_taken_off() {
        let schema = object(&json!({"a": {"type": "integer"}}), &json!(["a"]));
        assert_eq!(
            fit(&schema, json!({"result": {"a": 1}})),
            Ok(json!({"a": 1}))
        );
        assert_eq!(fit(&schema, json!([{"a": 1}])), Ok(json!({"a": 1})));
    }

    #[test]
    fn what_would_lose_something_is_an_error_with_its_path() {
        let schema = object(&json!({"a": {"type": "integer"}}), &json!(["a"]));
        let errors = fit(&schema, json!({"a": 36.5})).unwrap_err();
        assert!(errors[0].starts_with("/a: "), "{errors:?}");
        assert!(fit(&schema, json!({"a": "many"})).is_err());
    }

    #[test]
    fn numbers_stay_exact() {
        let value: Value = serde_json::from_str(r#"{"a": 9007199254740993}"#).unwrap();
        let schema = object(&json!({"a": {"type": "integer"}}), &json!(["a"]));
        assert_eq!(
            fit(&schema, value).unwrap().to_string(),
            r#"{"a":9007199254740993}"#
        );
    }

    #[test]
    fn an_error_does_not_repeat_the_answer() {
        let schema = json!({"anyOf": [{"type": "integer"}, {"enum": ["a".repeat(5000)]}]});
        let errors = fit(&schema, json!({"words": "of the user"})).unwrap_err();
        assert!(!errors[0].contains("user"), "{errors:?}");
        assert!(errors[0].len() < 600);
    }

    #[test]
    fn a_schema_that_asks_for_endless_work_is_not_checked_against() {
        let mut defs: Map<String, Value> = (0..9)
            .map(|n| {
                let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
                (format!("d{n}"), json!({"anyOf": vec![next; 10]}))
            })
            .collect();
        defs.insert("d9".to_owned(), json!({"type": "string"}));
        let schema =
            json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs});
        let schema = Schema::compile(&schema).unwrap();
        assert!(!schema.can_check(&json!({"a": 1})));
        assert!(schema.fit(json!({"a": 1})).is_err());
        assert_eq!(schema.fit(json!({"b": 1})), Ok(json!({"b": 1})));
    }

    #[test]
    fn a_reference_outside_the_schema_is_not_fetched() {
        assert!(Schema::compile(&json!({"$ref": "http://127.0.0.1:1/schema.json"})).is_err());
        assert!(Schema::compile(&json!({"$ref": "file:///etc/passwd"})).is_err());
    }
}
