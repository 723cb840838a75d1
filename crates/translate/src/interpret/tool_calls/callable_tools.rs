//! The tools that may be called in this turn, and which of them a written name means.

use serde_json::{Map, Value};

use crate::chat_request::{Tool, ToolInput, Tools};
use crate::schema::Definition;

/// The tools that the model may call.
#[derive(Debug, Default)]
pub struct CallableTools {
    tools: Vec<CallableTool>,
}

/// One tool that the model may call.
#[derive(Debug)]
pub struct CallableTool {
    /// The name as the client declared it.
    pub name: String,
    /// The schema of its arguments; an object with the one string `input` for a free-text tool.
    pub schema: Definition,
    /// Whether arguments must match the schema exactly.
    pub strict: bool,
    folded: String,
}

/// What a parameter can hold, as far as its schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Only text.
    Text,
    /// No text: numbers, booleans, arrays, objects.
    Data,
    /// Either, or the schema does not say.
    Any,
}

/// The most parts of a parameter's schema that are looked at to tell what it holds.
const MAX_PARTS: usize = 1000;
/// Name spaces that models put before a name.
const PREFIXES: [&str; 7] = [
    "call:",
    "functions.",
    "function.",
    "default_api.",
    "tools.",
    "tool.",
    "api.",
];

impl CallableTools {
    /// The tools of a turn, less those that its choice forbids.
    #[must_use]
    pub fn new(tools: &Tools) -> Self {
        Self {
            tools: tools.allowed().map(CallableTool::new).collect(),
        }
    }

    /// Whether nothing may be called.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// The names as declared.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().map(|t| t.name.as_str())
    }

    /// One of the tools.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&CallableTool> {
        self.tools.get(index)
    }

    /// The tool that a written name means: exactly, else the only one it can mean when name
    /// spaces, case and separators are not minded.
    #[must_use]
    pub fn resolve(&self, written: &str) -> Option<usize> {
        let written = written.trim().trim_matches(['"', '\'', '`', '*']);
        let bare = PREFIXES
            .iter()
            .find_map(|p| written.strip_prefix(p))
            .unwrap_or(written);
        // Kimi numbers its calls behind the name.
        let bare = match bare.rsplit_once(':') {
            Some((name, number))
                if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
            {
                name
            }
            _ => bare,
        };
        let exact = |wanted: &str| self.tools.iter().position(|t| t.name == wanted);
        if let Some(index) = exact(written).or_else(|| exact(bare)) {
            return Some(index);
        }
        let folded = fold(bare);
        if folded.is_empty() {
            return None;
        }
        self.only(|t| t.folded == folded)
            .or_else(|| self.only(|t| last_segment(&t.name).is_some_and(|s| fold(s) == folded)))
            .or_else(|| last_segment(bare).and_then(|s| self.only(|t| t.folded == fold(s))))
    }

    fn only(&self, fits: impl Fn(&CallableTool) -> bool) -> Option<usize> {
        let mut fitting = (0..self.tools.len()).filter(|i| self.tools.get(*i).is_some_and(&fits));
        let first = fitting.next();
        first.filter(|_| fitting.next().is_none())
    }

    /// Whether this is a declared name, or so far can become one.
    #[must_use]
    pub fn begins_name(&self, part: &str, complete: bool) -> bool {
        self.tools.iter().any(|t| {
            if complete {
                t.name == part
            } else {
                t.name.starts_with(part)
            }
        })
    }
}

/// A name without case and separators.
fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// What stands behind the last name-space separator.
fn last_segment(name: &str) -> Option<&str> {
    ["__", ".", "/", "::", ":"]
        .iter()
        .filter_map(|s| name.rsplit_once(s))
        .map(|(_, last)| last)
        .min_by_key(|s| s.len())
}

impl CallableTool {
    fn new(tool: &Tool) -> Self {
        let schema = match &tool.input {
            ToolInput::Json(schema) => schema.clone(),
            ToolInput::Text => Definition::from(serde_json::json!({
                "type": "object",
                "properties": {"input": {"type": "string"}},
                "required": ["input"],
                "additionalProperties": false
            })),
        };
        Self {
            name: tool.name.clone(),
            schema,
            strict: tool.strict,
            folded: fold(&tool.name),
        }
    }

    fn properties(&self) -> Option<&Map<String, Value>> {
        self.schema.get("properties")?.as_object()
    }

    /// Whether the schema names this parameter.
    #[must_use]
    pub fn has(&self, parameter: &str) -> bool {
        self.properties().is_some_and(|p| p.contains_key(parameter))
    }

    /// Whether the schema names any parameter.
    #[must_use]
    pub fn names_parameters(&self) -> bool {
        self.properties().is_some_and(|p| !p.is_empty())
    }

    /// Whether every key of these arguments is a parameter.
    #[must_use]
    pub fn has_all<'k>(&self, mut keys: impl Iterator<Item = &'k String>) -> bool {
        keys.all(|key| self.has(key))
    }

    /// Whether no parameter must be given.
    #[must_use]
    pub fn needs_nothing(&self) -> bool {
        let required = self.schema.get("required").and_then(Value::as_array);
        required.is_none_or(Vec::is_empty)
    }

    /// The only text parameter, where there is no other.
    #[must_use]
    pub fn sole_text(&self) -> Option<&str> {
        let mut names = self.properties()?.keys();
        let name = names.next()?;
        let sole = names.next().is_none() && self.holds(name) != Holds::Data;
        sole.then_some(name.as_str())
    }

    /// What a parameter can hold.
    #[must_use]
    pub fn holds(&self, parameter: &str) -> Holds {
        let Some(schema) = self.properties().and_then(|p| p.get(parameter)) else {
            return Holds::Any;
        };
        let mut parts = MAX_PARTS;
        holds(schema, &self.schema, 8, &mut parts)
    }
}

/// `parts` is how many parts of the schema may still be looked at: alternatives multiply.
fn holds(schema: &Value, root: &Value, depth: usize, parts: &mut usize) -> Holds {
    if depth == 0 || *parts == 0 {
        return Holds::Any;
    }
    *parts -= 1;
    if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
        let target = path
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer));
        return target.map_or(Holds::Any, |s| holds(s, root, depth - 1, parts));
    }
    match schema.get("type") {
        Some(Value::String(kind)) => return of_types(&[kind.as_str()]),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            return of_types(&kinds);
        }
        _ => {}
    }
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        let texts = options.iter().filter(|v| v.is_string()).count();
        return shared(texts, options.len());
    }
    let unions = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|k| schema.get(*k)?.as_array());
    let kinds: Vec<Holds> = unions
        .flatten()
        .map(|s| holds(s, root, depth - 1, parts))
        .collect();
    match kinds.first() {
        Some(first) if kinds.iter().all(|k| k == first) => *first,
        _ => Holds::Any,
    }
}

fn of_types(kinds: &[&str]) -> Holds {
    let texts = kinds.iter().filter(|k| **k == "string").count();
    shared(texts, kinds.len())
}

fn shared(texts: usize, all: usize) -> Holds {
    match texts {
        0 if all > 0 => Holds::Data,
        n if n == all && n > 0 => Holds::Text,
        _ => Holds::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn declared(names: &[&str]) -> CallableTools {
        let tool = |name: &&str| Tool {
            name: (*name).to_owned(),
            description: None,
            input: ToolInput::Json(json!({"type": "object"}).into()),
            strict: false,
        };
        CallableTools::new(&Tools {
            offered: names.iter().map(tool).collect(),
            ..Tools::default()
        })
    }

    #[test]
    fn a_name_means_the_only_tool_it_can_mean() {
        let tools = declared(&["get_weather", "mcp__files__read_file", "search.web"]);
        for (written, index) in [
            ("get_weather", Some(0)),
            ("functions.get_weather", Some(0)),
            ("functions.get_weather:0", Some(0)),
            ("default_api.get_weather", Some(0)),
            ("GetWeather", Some(0)),
            ("get-weather", Some(0)),
            ("weather_server__get_weather", Some(0)),
            ("read_file", Some(1)),
            ("search_web", Some(2)),
            ("get_weather_now", None),
            ("weather", None),
            ("", None),
        ] {
            assert_eq!(tools.resolve(written), index, "{written}");
        }
    }

    #[test]
    fn a_name_that_could_mean_two_tools_means_none() {
        let tools = declared(&["a__read", "b__read", "get_x", "getX"]);
        assert_eq!(tools.resolve("read"), None);
        assert_eq!(tools.resolve("GETX"), None);
        assert_eq!(tools.resolve("getX"), Some(3));
    }
}
