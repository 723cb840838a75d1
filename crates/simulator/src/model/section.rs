//! The section of a prompt that offers tools.

use serde_json::Value;

use crate::model::{instance, signature};

/// A tool that is offered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tool<'a> {
    pub(super) name: String,
    parameters: Parameters<'a>,
}

#[derive(Clone, Debug, PartialEq)]
enum Parameters<'a> {
    /// What stands between the parentheses of a signature.
    Signature(&'a str),
    Schema(Value),
}

impl Tool<'_> {
    /// The fewest arguments that fit.
    pub(super) fn arguments(&self) -> Value {
        match &self.parameters {
            Parameters::Signature(text) => signature::arguments(text),
            Parameters::Schema(schema) => instance::minimal(schema),
        }
    }
}

/// The section within a text, up to its end.
pub(super) fn find(text: &str) -> Option<&str> {
    let start = if text.starts_with("# Tools\n") {
        0
    } else {
        text.find("\n# Tools\n")? + 1
    };
    text.get(start..)
}

/// The tools that the section lists.
pub(super) fn tools(section: &str) -> Vec<Tool<'_>> {
    let list = section.split_once("\n\n").map_or("", |(_, list)| list);
    list.lines().filter_map(tool).collect()
}

/// The tool that a line of the section describes: a signature, or an object with a JSON Schema.
fn tool(line: &str) -> Option<Tool<'_>> {
    if line.starts_with('{') {
        let described: Value = serde_json::from_str(line).ok()?;
        let schema = described.get("parameters").cloned().unwrap_or_default();
        return Some(Tool {
            name: described.get("name")?.as_str()?.to_owned(),
            parameters: Parameters::Schema(schema),
        });
    }
    let (name, rest) = line.split_once('(')?;
    let blank = name.is_empty() || name.contains(|c: char| c.is_whitespace() || "<>\"".contains(c));
    (!blank).then(|| Tool {
        name: name.to_owned(),
        parameters: Parameters::Signature(signature::enclosed(rest)),
    })
}
