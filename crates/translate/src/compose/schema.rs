//! The form that an answer must have: asked for in the prompt, and checked before anything is spent.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

use crate::bounds::LONG_PATTERN_WORK;
use crate::chat_request::{OutputFormat, ToolInput, Tools};
use crate::failure::{Failure, echo};
use crate::schema::{Definition, PatternBudget};

/// The most that a strict schema may hold, by OpenAI's guide to structured outputs.
const MAX_PROPERTIES: usize = 5000;
const MAX_DEPTH: usize = 10;
const MAX_ENUM: usize = 1000;
/// Keywords that a strict schema may not use, by the same guide.
const UNSUPPORTED: [&str; 10] = [
    "allOf",
    "not",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "if",
    "then",
    "else",
    "patternProperties",
    "unevaluatedProperties",
];

/// The vendor whose rules a strict schema must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrictRules {
    /// OpenAI's: every property required, no further ones, no `allOf`, `not` and their like.
    OpenAi,
    /// Anthropic's: no further properties in any object; properties may be optional.
    Anthropic,
    /// None: any schema that JSON Schema knows.
    None,
}

/// What the prompt says last of the answer's form; none if any text will do.
#[must_use]
pub fn instruction(output: &OutputFormat) -> Option<String> {
    match output {
        OutputFormat::Text => None,
        OutputFormat::Json => {
            Some("Answer with one JSON object; nothing before or after it.".to_owned())
        }
        OutputFormat::Schema { schema, .. } => Some(format!(
            "Answer with one JSON value that matches this JSON Schema, its keys in this order; nothing before or after it.\n{schema}"
        )),
    }
}

/// Has all schemas of a request share one budget for their patterns. To be called before any of them
/// is compiled.
pub fn share_patterns(output: &OutputFormat, tools: &Tools) {
    let budget = PatternBudget::default();
    schemas(output, tools).for_each(|schema| schema.share(&budget));
}

/// Whether checking the schemas of a request would keep others waiting, however small it is.
#[must_use]
pub fn take_long(output: &OutputFormat, tools: &Tools) -> bool {
    let work = schemas(output, tools).map(Definition::pattern_work);
    work.fold(0, u64::saturating_add) >= LONG_PATTERN_WORK
}

fn schemas<'c>(output: &'c OutputFormat, tools: &'c Tools) -> impl Iterator<Item = &'c Definition> {
    let of_output = match output {
        OutputFormat::Schema { schema, .. } => Some(schema),
        OutputFormat::Text | OutputFormat::Json => None,
    };
    let of_tools = tools.offered.iter().filter_map(|tool| match &tool.input {
        ToolInput::Json(schema) => Some(schema),
        ToolInput::Text => None,
    });
    of_output.into_iter().chain(of_tools)
}

/// Refuses a schema that cannot be held, before anything is spent. `field` is where it stands. Gives
/// whether a pattern of it will not be checked.
pub fn check(output: &OutputFormat, rules: StrictRules, field: &str) -> Result<bool, Failure> {
    let OutputFormat::Schema { schema, strict, .. } = output else {
        return Ok(false);
    };
    checked(schema, strict.then_some(rules), field)
}

/// Refuses a tool whose schema cannot be held, before anything is spent. `field` is where a tool has
/// it. Gives whether a pattern will not be checked.
pub fn check_tools(tools: &Tools, rules: StrictRules, field: &str) -> Result<bool, Failure> {
    let mut unchecked = false;
    for (at, tool) in tools.offered.iter().enumerate() {
        let ToolInput::Json(schema) = &tool.input else {
            continue;
        };
        if tool.strict {
            unchecked |= checked(schema, Some(rules), &format!("tools[{at}].{field}"))?;
        } else if schema.pattern_work() >= LONG_PATTERN_WORK {
            // It is compiled when it is called: in the midst of an answer, where others would wait.
            let _ = schema.compiled();
        }
    }
    Ok(unchecked)
}

fn checked(schema: &Definition, strict: Option<StrictRules>, param: &str) -> Result<bool, Failure> {
    let invalid = |why: String| {
        Failure::invalid(param, format!("Invalid schema: {why}")).with_code("invalid_json_schema")
    };
    match strict {
        Some(StrictRules::OpenAi) => checked_strictly(schema).map_err(invalid)?,
        Some(StrictRules::Anthropic) => closed(schema, &Place::Root).map_err(invalid)?,
        Some(StrictRules::None) | None => {}
    }
    let schema = schema.compiled().map_err(|why| invalid(why.to_owned()))?;
    Ok(schema.leaves_out_patterns())
}

/// Where in a schema something stands; written out only if it is at fault.
enum Place<'p> {
    Root,
    Keyword(&'p Self, &'p str),
    Named(&'p Self, &'p str),
    Numbered(&'p Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("#"),
            Self::Keyword(within, keyword) => write!(f, "{within}/{keyword}"),
            Self::Named(within, name) => write!(f, "{within}/{}", echo(name)),
            Self::Numbered(within, number) => write!(f, "{within}/{number}"),
        }
    }
}

/// Refuses an object, at any depth, that may have further properties.
fn closed(schema: &Value, place: &Place<'_>) -> Result<(), String> {
    let is_object = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|kind| kind == "object"),
        kind => kind.is_some_and(|kind| kind == "object"),
    };
    if is_object && schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(format!(
            "for type \"object\", \"additionalProperties\" must be explicitly set to false (at {place})"
        ));
    }
    for keyword in ["properties", "$defs", "definitions"] {
        let parts = schema.get(keyword).and_then(Value::as_object);
        let place = Place::Keyword(place, keyword);
        for (name, part) in parts.into_iter().flatten() {
            closed(part, &Place::Named(&place, name))?;
        }
    }
    for keyword in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        let parts = schema.get(keyword).and_then(Value::as_array);
        let place = Place::Keyword(place, keyword);
        for (at, part) in parts.into_iter().flatten().enumerate() {
            closed(part, &Place::Numbered(&place, at))?;
        }
    }
    let items = schema
        .get("items")
        .map(|items| closed(items, &Place::Keyword(place, "items")));
    items.unwrap_or(Ok(()))
}

fn checked_strictly(schema: &Value) -> Result<(), String> {
    if schema.get("type").is_none_or(|t| t != "object") {
        return Err("the root of a strict schema must have \"type\": \"object\"".to_owned());
    }
    let mut totals = Totals::default();
    strict_part(schema, &Place::Root, 0, &mut totals)?;
    Ok(())
}

#[derive(Default)]
struct Totals {
    properties: usize,
    options: usize,
}

impl Totals {
    fn check(&self) -> Result<(), String> {
        if self.properties > MAX_PROPERTIES {
            return Err(format!("more than {MAX_PROPERTIES} properties"));
        }
        if self.options > MAX_ENUM {
            return Err(format!("more than {MAX_ENUM} enum values"));
        }
        Ok(())
    }
}

fn strict_part(
    schema: &Value,
    place: &Place<'_>,
    depth: usize,
    totals: &mut Totals,
) -> Result<(), String> {
    let Some(map) = schema.as_object() else {
        return Ok(());
    };
    if let Some(keyword) = UNSUPPORTED.iter().find(|k| map.contains_key(**k)) {
        return Err(format!(
            "\"{keyword}\" at {place} is not supported in a strict schema"
        ));
    }
    if depth > MAX_DEPTH {
        return Err(format!("{place} is nested deeper than {MAX_DEPTH} levels"));
    }
    totals.options += map
        .get("enum")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let properties = map.get("properties").and_then(Value::as_object);
    totals.properties += properties.map_or(0, Map::len);
    totals.check()?;
    if let Some(properties) = properties {
        strict_object(schema, properties, place)?;
        let place = Place::Keyword(place, "properties");
        for (name, property) in properties {
            strict_part(property, &Place::Named(&place, name), depth + 1, totals)?;
        }
    }
    if let Some(items) = map.get("items") {
        strict_part(items, &Place::Keyword(place, "items"), depth + 1, totals)?;
    }
    for keyword in ["anyOf", "oneOf"] {
        let options = map.get(keyword).and_then(Value::as_array);
        let place = Place::Keyword(place, keyword);
        for (at, option) in options.into_iter().flatten().enumerate() {
            strict_part(option, &Place::Numbered(&place, at), depth, totals)?;
        }
    }
    for keyword in ["$defs", "definitions"] {
        let parts = map.get(keyword).and_then(Value::as_object);
        let place = Place::Keyword(place, keyword);
        for (name, part) in parts.into_iter().flatten() {
            strict_part(part, &Place::Named(&place, name), depth, totals)?;
        }
    }
    Ok(())
}

fn strict_object(
    schema: &Value,
    properties: &Map<String, Value>,
    place: &Place<'_>,
) -> Result<(), String> {
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(format!(
            "\"additionalProperties\" at {place} must be false in a strict schema"
        ));
    }
    let required: HashSet<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match properties
        .keys()
        .find(|name| !required.contains(name.as_str()))
    {
        Some(name) => Err(format!(
            "\"required\" at {place} must name every property of a strict schema: \"{}\" is missing",
            echo(name)
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat_request::Tool;
    use serde_json::json;

    fn strict(schema: Value) -> Result<bool, Failure> {
        let output = OutputFormat::Schema {
            name: "x".to_owned(),
            schema: schema.into(),
            strict: true,
        };
        check(&output, StrictRules::OpenAi, "text.format.schema")
    }

    #[test]
    fn anthropics_strict_schemas_are_held_to_anthropics_rules() {
        let checked = |schema: Value| {
            let output = OutputFormat::Schema {
                name: "x".to_owned(),
                schema: schema.into(),
                strict: true,
            };
            check(&output, StrictRules::Anthropic, "output_format.schema")
        };
        let part = json!({"type": "object", "properties": {"when": {"type": "string", "format": "date-time", "default": "now"}, "n": {"type": ["integer", "null"]}}, "required": ["n"], "additionalProperties": false});
        for schema in [
            part.clone(),
            json!({"type": "array", "items": part}),
            json!({"allOf": [{"$ref": "#/$defs/part"}], "$defs": {"part": part}}),
        ] {
            assert_eq!(checked(schema.clone()), Ok(false), "{schema}");
        }
        let open = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        for schema in [
            open.clone(),
            json!({"type": "array", "items": open}),
            json!({"anyOf": [{"type": "null"}, open]}),
            json!({"$ref": "#/$defs/part", "$defs": {"part": open}}),
        ] {
            let failure = checked(schema.clone()).unwrap_err();
            assert!(
                failure.message.contains("additionalProperties"),
                "{schema}: {}",
                failure.message
            );
            assert_eq!(failure.param.as_deref(), Some("output_format.schema"));
        }
    }

    #[test]
    fn a_schema_that_cannot_be_held_is_refused_with_the_keyword() {
        for (schema, keyword) in [
            (
                json!({"type": "object", "properties": {"a": {"allOf": []}}, "required": ["a"], "additionalProperties": false}),
                "allOf",
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
                "additionalProperties",
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false}),
                "required",
            ),
            (json!({"type": "array"}), "type"),
            (
                json!({"type": "object", "properties": {"a": {"type": "strin"}}, "required": ["a"], "additionalProperties": false}),
                "strin",
            ),
        ] {
            let failure = strict(schema).unwrap_err();
            assert!(failure.message.contains(keyword), "{}", failure.message);
            assert_eq!(failure.param.as_deref(), Some("text.format.schema"));
        }
    }

    #[test]
    fn a_schema_that_can_be_held_is_asked_for_as_it_is() {
        let schema = json!({"type": "object", "properties": {"b": {"type": "string"}, "a": {"$ref": "#/$defs/x"}}, "required": ["b", "a"], "additionalProperties": false, "$defs": {"x": {"type": "integer"}}});
        assert_eq!(strict(schema.clone()), Ok(false));
        let output = OutputFormat::Schema {
            name: "x".to_owned(),
            schema: schema.into(),
            strict: true,
        };
        assert!(
            instruction(&output)
                .unwrap()
                .contains(r#""b":{"type":"string"},"a""#)
        );
        assert_eq!(instruction(&OutputFormat::Text), None);
    }

    #[test]
    fn only_strict_tools_are_held_to_the_strict_rules() {
        let tool = |strict| Tool {
            name: "f".to_owned(),
            description: None,
            input: ToolInput::Json(json!({"type": "object", "properties": {"a": {}}}).into()),
            strict,
        };
        let check = |offered| {
            let tools = Tools {
                offered,
                ..Tools::default()
            };
            check_tools(&tools, StrictRules::OpenAi, "parameters")
        };
        assert!(check(vec![tool(false)]).is_ok());
        let failure = check(vec![tool(false), tool(true)]).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some("tools[1].parameters"));
    }
}
