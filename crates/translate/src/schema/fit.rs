//! Values made to fit a schema where nothing is lost by it, and put in its order of keys.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;

use jsonschema::{PatternCache, Validator};
use serde_json::{Map, Value};

use super::validator;

/// The deepest nesting that is adapted.
const MAX_DEPTH: usize = 64;
/// The most members of unions that are compiled to choose among them.
const MAX_COMPILED: usize = 512;
/// The most values that they are made of together, each with the whole schema's definitions.
const MAX_COMPILED_SIZE: usize = 400_000;

/// A whole schema, with those of its parts that were compiled to choose among them.
pub(super) struct Root<'s> {
    schema: &'s Value,
    /// The patterns of the whole, each of which a part may bring along.
    patterns: &'s PatternCache,
    compiled: RefCell<HashMap<*const Value, Option<Validator>>>,
    /// How many parts may be compiled.
    most: usize,
}

impl<'s> Root<'s> {
    pub(super) fn new(schema: &'s Value, patterns: &'s PatternCache) -> Self {
        Self {
            schema,
            patterns,
            compiled: RefCell::default(),
            most: (MAX_COMPILED_SIZE / validator::size(schema)).min(MAX_COMPILED),
        }
    }

    /// Whether a value fits a part.
    fn fits(&self, part: &Value, value: &Value) -> bool {
        let mut compiled = self.compiled.borrow_mut();
        let this = std::ptr::from_ref(part);
        if compiled.len() >= self.most && !compiled.contains_key(&this) {
            return false;
        }
        let build = || validator::build(&embedded(part, self), self.patterns).ok();
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
pub(super) fn unwrap(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(map) if map.len() == 1 => map.values().next(),
        Value::Array(items) if items.len() == 1 => items.first(),
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
pub(super) fn adapt(value: Value, schema: &Value, root: &Root<'_>, depth: usize) -> Value {
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
    let required = required.filter(|_| !properties.is_empty());
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        let nullable = |p| allows_null(p, root);
        if !adapted.contains_key(name) && properties.get(name).is_some_and(nullable) {
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
    has_type(schema, "null")
        || union
            .into_iter()
            .any(|s| has_type(resolved(s, root), "null"))
}

fn has_type(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
        one => one.is_some_and(|one| one == kind),
    }
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
pub(super) fn ordered(value: Value, schema: &Value, root: &Root<'_>, depth: usize) -> Value {
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
                if let Some(value) = map.get_mut(name) {
                    let value = value.take();
                    sorted.insert(name.clone(), ordered(value, property, root, depth + 1));
                }
            }
            // What is left: no entry is moved up for another, of which there may be many.
            for (name, value) in map {
                sorted.entry(name).or_insert(value);
            }
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
