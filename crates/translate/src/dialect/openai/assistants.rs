//! `/v1/assistants`: what a client may set, and the object it gets.
//!
//! OpenAI has shut its own assistants down; clients that still make them find here what they set,
//! and the model, instructions and files of an assistant are used when it is the model of a chat.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::metadata;
use crate::dialect::request;
use crate::failure::Failure;

/// The model of an assistant that names none, as in the original relay.
const STANDARD_MODEL: &str = "gpt-4o-mini";

/// OpenAI's bounds, in characters and in entries.
const LONGEST_NAME: usize = 256;
const LONGEST_DESCRIPTION: usize = 512;
const LONGEST_INSTRUCTIONS: usize = 256_000;
const LONGEST_MODEL: usize = 256;
const MOST_TOOLS: usize = 128;
const MOST_FILES: usize = 20;

/// What is set of an assistant.
#[derive(Debug, Clone, PartialEq)]
pub struct Assistant {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The model that answers.
    pub model: String,
    /// What the model is told first.
    pub instructions: Option<String>,
    /// Files that belong to every conversation with it, as older clients and the original relay
    /// name them.
    pub file_ids: Vec<String>,
    /// The tools that it was given, as the client sent them.
    pub tools: Vec<Value>,
    /// Files and stores by tool.
    pub tool_resources: Map<String, Value>,
    /// The client's labels.
    pub metadata: BTreeMap<String, String>,
    /// A number from 0 to 2.
    pub temperature: Value,
    /// A number from 0 to 1.
    pub top_p: Value,
    /// The form of its answers.
    pub response_format: Value,
    /// A string, or null.
    pub reasoning_effort: Value,
}

impl Default for Assistant {
    fn default() -> Self {
        Self {
            name: None,
            description: None,
            model: STANDARD_MODEL.to_owned(),
            instructions: None,
            file_ids: Vec::new(),
            tools: Vec::new(),
            tool_resources: Map::new(),
            metadata: BTreeMap::new(),
            temperature: json!(1.0),
            top_p: json!(1.0),
            response_format: json!("auto"),
            reasoning_effort: Value::Null,
        }
    }
}

impl Assistant {
    /// Reads the body of a request that makes one.
    ///
    /// # Errors
    /// Which field is wrong.
    pub fn create(body: &[u8]) -> Result<Self, Failure> {
        let mut assistant = Self::default();
        assistant.modify(body)?;
        Ok(assistant)
    }

    /// Reads the body of a request that changes it: what is not named stays, null takes back.
    ///
    /// # Errors
    /// Which field is wrong; then the assistant is changed in part and must not be kept.
    pub fn modify(&mut self, body: &[u8]) -> Result<(), Failure> {
        let body = if body.trim_ascii().is_empty() {
            b"{}"
        } else {
            body
        };
        let fields: Map<String, Value> = request::parse(body)?;
        fields
            .into_iter()
            .try_for_each(|(name, value)| self.set(&name, value))
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), Failure> {
        let standard = Self::default();
        match name {
            "name" => self.name = text(name, value, LONGEST_NAME)?,
            "description" => self.description = text(name, value, LONGEST_DESCRIPTION)?,
            "instructions" => self.instructions = text(name, value, LONGEST_INSTRUCTIONS)?,
            "model" => {
                let model = text(name, value, LONGEST_MODEL)?.filter(|m| !m.trim().is_empty());
                self.model = model.unwrap_or(standard.model);
            }
            "file_ids" => self.file_ids = ids(name, value)?,
            "tools" => self.tools = tools(value)?,
            "tool_resources" => self.tool_resources = resources(value)?,
            "metadata" => self.metadata = metadata(value)?,
            "temperature" => self.temperature = number(name, value, 2.0)?,
            "top_p" => self.top_p = number(name, value, 1.0)?,
            "response_format" if value.is_null() => self.response_format = standard.response_format,
            "response_format" => self.response_format = value,
            "reasoning_effort" => {
                self.reasoning_effort =
                    text(name, value, LONGEST_NAME)?.map_or(Value::Null, Value::String);
            }
            _ => {}
        }
        Ok(())
    }

    /// All its files, wherever the client named them.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let resources = self
            .tool_resources
            .values()
            .filter_map(|r| r.get("file_ids"));
        let of_tools = resources.filter_map(Value::as_array).flatten();
        let of_tools = of_tools.filter_map(Value::as_str).map(str::to_owned);
        let mut seen = HashSet::new();
        let all = self.file_ids.iter().cloned().chain(of_tools);
        all.filter(|id| seen.insert(id.clone())).collect()
    }

    /// As a client sees it. `created` is in seconds since 1970.
    #[must_use]
    pub fn object(&self, id: &str, created: u64) -> Value {
        json!({
            "id": id,
            "object": "assistant",
            "created_at": created,
            "name": self.name,
            "description": self.description,
            "model": self.model,
            "instructions": self.instructions,
            "tools": self.tools,
            "tool_resources": self.tool_resources,
            "file_ids": self.file_ids,
            "metadata": self.metadata,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "response_format": self.response_format,
            "reasoning_effort": self.reasoning_effort,
        })
    }
}

fn text(name: &str, value: Value, longest: usize) -> Result<Option<String>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.chars().count() <= longest => Ok(Some(text)),
        Value::String(_) => Err(wrong(
            name,
            &format!("must have at most {longest} characters"),
        )),
        _ => Err(wrong(name, "must be a string")),
    }
}

fn number(name: &str, value: Value, most: f64) -> Result<Value, Failure> {
    match value {
        Value::Null => Ok(json!(1.0)),
        value if value.as_f64().is_some_and(|n| (0.0..=most).contains(&n)) => Ok(value),
        _ => Err(wrong(name, &format!("must be a number from 0 to {most}"))),
    }
}

fn ids(name: &str, value: Value) -> Result<Vec<String>, Failure> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> =
        serde_json::from_value(value).map_err(|_| wrong(name, "must be a list of ids of files"))?;
    if ids.len() > MOST_FILES {
        return Err(wrong(
            name,
            &format!("must name at most {MOST_FILES} files"),
        ));
    }
    Ok(ids)
}

fn tools(value: Value) -> Result<Vec<Value>, Failure> {
    let tools = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(tools) => tools,
        _ => return Err(wrong("tools", "must be a list")),
    };
    if tools.len() > MOST_TOOLS {
        return Err(wrong(
            "tools",
            &format!("must name at most {MOST_TOOLS} tools"),
        ));
    }
    match tools
        .iter()
        .position(|tool| !tool.get("type").is_some_and(Value::is_string))
    {
        None => Ok(tools),
        Some(at) => Err(wrong(&format!("tools[{at}].type"), "must be a string")),
    }
}

fn resources(value: Value) -> Result<Map<String, Value>, Failure> {
    let resources = match value {
        Value::Null => return Ok(Map::new()),
        Value::Object(resources) => resources,
        _ => return Err(wrong("tool_resources", "must be an object")),
    };
    for (tool, resource) in &resources {
        if let Some(files) = resource.get("file_ids") {
            ids(&format!("tool_resources.{tool}.file_ids"), files.clone())?;
        }
    }
    Ok(resources)
}

fn metadata(value: Value) -> Result<BTreeMap<String, String>, Failure> {
    let labels: Result<Option<BTreeMap<String, String>>, _> = serde_json::from_value(value);
    let labels = labels.map_err(|_| wrong("metadata", "must be an object of strings"))?;
    let labels = labels.unwrap_or_default();
    metadata::check(&labels)?;
    Ok(labels)
}

fn wrong(name: &str, must: &str) -> Failure {
    Failure::invalid(name, format!("`{name}` {must}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_as_the_original_had_it() {
        let object = Assistant::create(b" ").unwrap().object("asst_1", 7);
        assert_eq!(
            object,
            json!({"id": "asst_1", "object": "assistant", "created_at": 7, "name": null,
                "description": null, "model": "gpt-4o-mini", "instructions": null, "tools": [],
                "tool_resources": {}, "file_ids": [], "metadata": {}, "temperature": 1.0,
                "top_p": 1.0, "response_format": "auto", "reasoning_effort": null})
        );
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name_and_null_takes_back() {
        let mut assistant = Assistant::create(
            br#"{"name":"n","model":"m","instructions":"i","metadata":{"a":"b"},"unknown":1}"#,
        )
        .unwrap();
        assistant
            .modify(br#"{"instructions":null,"name":"o"}"#)
            .unwrap();
        assert_eq!(
            (assistant.name.as_deref(), assistant.instructions.as_deref()),
            (Some("o"), None)
        );
        assert_eq!(
            (assistant.model.as_str(), assistant.metadata.len()),
            ("m", 1)
        );
    }

    #[test]
    fn files_are_found_wherever_they_are_named_and_once() {
        let assistant = Assistant::create(
            br#"{"file_ids":["a","b"],"tool_resources":{"code_interpreter":{"file_ids":["b","c"]},"file_search":{"vector_store_ids":["v"]}}}"#,
        );
        assert_eq!(assistant.unwrap().files(), ["a", "b", "c"]);
    }

    #[test]
    fn a_wrong_field_is_named() {
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(257));
        let many =
            json!({"metadata": (0..17).map(|n| (n.to_string(), json!(""))).collect::<Map<_, _>>()});
        for (body, param) in [
            (r#"{"name":1}"#, Some("name")),
            (&long, Some("name")),
            (r#"{"model":["m"]}"#, Some("model")),
            (r#"{"file_ids":"file-1"}"#, Some("file_ids")),
            (r#"{"tools":{}}"#, Some("tools")),
            (
                r#"{"tools":[{"type":"function"},{}]}"#,
                Some("tools[1].type"),
            ),
            (
                r#"{"tool_resources":{"x":{"file_ids":[1]}}}"#,
                Some("tool_resources.x.file_ids"),
            ),
            (r#"{"metadata":{"a":1}}"#, Some("metadata")),
            (&many.to_string(), Some("metadata")),
            (r#"{"temperature":2.5}"#, Some("temperature")),
            (r#"{"top_p":"high"}"#, Some("top_p")),
            ("[]", None),
            ("{", None),
        ] {
            let failure = Assistant::create(body.as_bytes()).unwrap_err();
            assert_eq!(failure.param.as_deref(), param, "{body}");
        }
    }
}
