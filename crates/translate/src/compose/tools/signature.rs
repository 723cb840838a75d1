//! A tool as a signature: `get_weather(location: string, unit?: "celsius"|"fahrenheit") // …`.
//!
//! What TypeScript has no word for (a pattern, a range, a default) follows the parameter in
//! brackets. A part of a schema that cannot be said so stands as the JSON it is.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::chat_request::{Tool, ToolInput};

/// The deepest nesting that is written out; deeper parts stand as JSON.
const MAX_DEPTH: usize = 12;
/// How much longer than its schema a signature may become, in bytes. Definitions that refer to each
/// other a few times over would make it longer without end.
const MAX_GROWTH: usize = 1024;
/// Keys that a type and its notes say in full.
const SAID: [&str; 15] = [
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "description",
    "title",
    "additionalProperties",
    "$ref",
    "$defs",
    "definitions",
    "$schema",
];
/// Keys that become notes.
const NOTES: [(&str, &str); 16] = [
    ("format", ""),
    ("pattern", "pattern "),
    ("minimum", "min "),
    ("maximum", "max "),
    ("exclusiveMinimum", "above "),
    ("exclusiveMaximum", "below "),
    ("multipleOf", "multiple of "),
    ("minLength", "min length "),
    ("maxLength", "max length "),
    ("minItems", "min items "),
    ("maxItems", "max items "),
    ("minProperties", "min keys "),
    ("maxProperties", "max keys "),
    ("uniqueItems", "unique "),
    ("default", "default "),
    ("examples", "e.g. "),
];

/// Writes a tool's signature and description, with the line's end.
pub(super) fn write(tool: &Tool, text: &mut String) {
    match &tool.input {
        ToolInput::Text => write_head(&tool.name, "input: string", text),
        ToolInput::Json(schema) => {
            let json = schema.to_string();
            let writer = Writer {
                root: schema,
                left: Cell::new(2 * json.len() + MAX_GROWTH),
                targets: RefCell::default(),
            };
            let members = writer.members(schema, 0);
            match members.filter(|_| writer.left.get() > 0) {
                Some(members) => write_head(&tool.name, &members, text),
                None if schema.as_object().is_none_or(Map::is_empty) => {
                    write_head(&tool.name, "", text);
                }
                None => write_head(&tool.name, &json, text),
            }
        }
    }
    if let Some(description) = tool
        .description
        .as_deref()
        .map(str::trim)
        .filter(|d| !d.is_empty())
    {
        // Writing to a string cannot fail.
        let _ = write!(text, " // {description}");
    }
    text.push('\n');
}

fn write_head(name: &str, parameters: &str, text: &mut String) {
    let _ = write!(text, "{name}({parameters})");
}

struct Writer<'s> {
    root: &'s Value,
    /// Bytes that may still be written. With none left the signature is given up.
    left: Cell<usize>,
    /// What references mean, as far as it was looked for.
    targets: RefCell<HashMap<&'s str, Option<(&'s Value, bool)>>>,
}

impl<'s> Writer<'s> {
    /// The members of an object, as parameters or fields; none if it is not a plain object.
    fn members(&self, schema: &'s Value, depth: usize) -> Option<String> {
        let map = schema.as_object()?;
        if depth > MAX_DEPTH || !sayable(map) {
            return None;
        }
        let Some(properties) = map.get("properties").and_then(Value::as_object) else {
            return (map.get("type")? == "object"
                && map
                    .get("additionalProperties")
                    .is_none_or(Value::is_boolean))
            .then(String::new);
        };
        let required: HashSet<&str> = map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        self.spend(required.len());
        let members = properties.iter().map(|(name, property)| {
            let optional = if required.contains(name.as_str()) {
                ""
            } else {
                "?"
            };
            if self.left.get() == 0 {
                return String::new();
            }
            let (key, notes) = (key(name), notes(property));
            self.spend(key.len() + notes.len());
            let kind = self.kind(property, depth + 1);
            format!("{key}{optional}: {kind}{notes}")
        });
        let mut members: Vec<String> = members.collect();
        if let Some(extra) = map.get("additionalProperties").filter(|a| a.is_object()) {
            members.push(format!("[key: string]: {}", self.kind(extra, depth + 1)));
        }
        Some(members.join(", "))
    }

    fn spend(&self, bytes: usize) {
        self.left.set(self.left.get().saturating_sub(bytes));
    }

    /// Text that stands as it is.
    fn leaf(&self, text: String) -> String {
        self.spend(text.len());
        text
    }

    /// The type of a value.
    fn kind(&self, schema: &'s Value, depth: usize) -> String {
        if self.left.get() == 0 {
            return String::new();
        }
        self.spend(1);
        let Some(map) = schema.as_object() else {
            return "any".to_owned();
        };
        if depth > MAX_DEPTH || !sayable(map) {
            return self.leaf(schema.to_string());
        }
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            return self.referred(reference, depth);
        }
        if let Some(constant) = map.get("const") {
            return self.leaf(constant.to_string());
        }
        if let Some(options) = map.get("enum").and_then(Value::as_array) {
            let options: Vec<String> = options.iter().map(Value::to_string).collect();
            return self.leaf(options.join("|"));
        }
        if let Some(union) = ["anyOf", "oneOf"]
            .iter()
            .find_map(|k| map.get(*k)?.as_array())
        {
            return union
                .iter()
                .map(|s| self.kind(s, depth + 1))
                .collect::<Vec<_>>()
                .join("|");
        }
        match map.get("type") {
            Some(Value::String(kind)) => self.named(kind, schema, depth),
            Some(Value::Array(kinds)) => kinds
                .iter()
                .filter_map(Value::as_str)
                .map(|k| self.named(k, schema, depth))
                .collect::<Vec<_>>()
                .join("|"),
            _ if map.contains_key("properties") => self.named("object", schema, depth),
            _ => "any".to_owned(),
        }
    }

    fn named(&self, kind: &str, schema: &'s Value, depth: usize) -> String {
        match kind {
            "array" => {
                let item = schema
                    .get("items")
                    .map_or_else(|| "any".to_owned(), |items| self.kind(items, depth + 1));
                let note = schema.get("items").map(notes).unwrap_or_default();
                self.spend(note.len());
                if item.contains('|') || !note.is_empty() {
                    format!("({item}{note})[]")
                } else {
                    format!("{item}[]")
                }
            }
            "object" => match self.members(schema, depth) {
                Some(members) if members.is_empty() => "object".to_owned(),
                Some(members) => format!("{{{members}}}"),
                None => schema
                    .get("additionalProperties")
                    .filter(|a| a.is_object())
                    .map_or_else(
                        || "object".to_owned(),
                        |extra| format!("{{[key: string]: {}}}", self.kind(extra, depth + 1)),
                    ),
            },
            other => other.to_owned(),
        }
    }

    /// What a reference means. One that leads back to itself stands by its name.
    fn referred(&self, reference: &'s str, depth: usize) -> String {
        match self.target(reference) {
            Some((target, false)) if reference != "#" => self.kind(target, depth + 1),
            Some((target, _)) if depth <= 3 && reference != "#" => self.kind(target, MAX_DEPTH - 2),
            _ => reference.rsplit('/').next().unwrap_or("any").to_owned(),
        }
    }

    /// The definition that a reference means, and whether it refers to itself. Looked for once.
    fn target(&self, reference: &'s str) -> Option<(&'s Value, bool)> {
        let known = self.targets.borrow().get(reference).copied();
        known.unwrap_or_else(|| {
            let target = reference
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer))
                .map(|target| (target, holds_reference(target, reference, 8)));
            self.targets.borrow_mut().insert(reference, target);
            target
        })
    }
}

/// Whether a part of a schema refers to this definition.
fn holds_reference(schema: &Value, reference: &str, depth: usize) -> bool {
    match schema {
        _ if depth == 0 => true,
        Value::Object(map) => map.iter().any(|(k, v)| {
            (k == "$ref" && v == reference) || holds_reference(v, reference, depth - 1)
        }),
        Value::Array(items) => items
            .iter()
            .any(|v| holds_reference(v, reference, depth - 1)),
        _ => false,
    }
}

/// Whether all that this part says can be said as a type and notes.
fn sayable(map: &Map<String, Value>) -> bool {
    map.keys().all(|k| {
        SAID.contains(&k.as_str())
            || NOTES.iter().any(|(n, _)| n == k)
            || matches!(
                k.as_str(),
                "strict" | "deprecated" | "nullable" | "readOnly" | "$id" | "$comment" | "example"
            )
    })
}

fn key(name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
    if plain {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

/// What stands behind a type: limits, default, description.
fn notes(schema: &Value) -> String {
    let mut notes: Vec<String> = Vec::new();
    for (key, word) in NOTES {
        let Some(value) = schema.get(key) else {
            continue;
        };
        match (key, value) {
            ("uniqueItems", value) => notes.extend((value == true).then(|| "unique".to_owned())),
            ("format", Value::String(format)) => notes.push(format.clone()),
            _ => notes.push(format!("{word}{value}")),
        }
    }
    let description = schema
        .get("description")
        .and_then(Value::as_str)
        .map(str::trim)
        .filter(|d| !d.is_empty());
    match (notes.is_empty(), description) {
        (true, None) => String::new(),
        (true, Some(description)) => format!(" /* {description} */"),
        (false, None) => format!(" /* {} */", notes.join(", ")),
        (false, Some(description)) => format!(" /* {}; {description} */", notes.join(", ")),
    }
}
