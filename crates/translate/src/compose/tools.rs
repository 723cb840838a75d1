//! Tools in the prompt: the section that offers them, the reminder that ends it, and calls in the
//! form asked for.

mod signature;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::chat_request::{Demand, Tool, ToolInput, Tools};
use crate::tags::Tags;

/// How tools are described to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// One signature a tool, as in TypeScript: about half the tokens of its schema.
    #[default]
    Signatures,
    /// One line of minified JSON a tool, with its JSON Schema.
    JsonSchema,
}

/// Families that are described otherwise, by the beginning of the model's name. Both were trained
/// on lists of JSON Schemas, and their smaller members lose most when a format is unfamiliar.
const FAMILIES: &[(&str, Style)] = &[("command", Style::JsonSchema), ("llama", Style::JsonSchema)];

impl Style {
    /// The style for a model. The rows of the configuration come before ours; the longest
    /// beginning of the model's name, less its publisher, decides.
    #[must_use]
    pub fn for_model(model: &str, configured: &[(String, Style)]) -> Self {
        let model = model.rsplit('/').next().unwrap_or(model);
        let own = configured
            .iter()
            .map(|(family, style)| (family.as_str(), *style));
        let best = |rows: &mut dyn Iterator<Item = (&str, Style)>| {
            let fitting = rows.filter(|(family, _)| model.starts_with(family));
            fitting
                .max_by_key(|(family, _)| family.len())
                .map(|(_, style)| style)
        };
        best(&mut own.into_iter())
            .or_else(|| best(&mut FAMILIES.iter().copied()))
            .unwrap_or_default()
    }
}

/// The section that offers the tools; empty if none may be called.
#[must_use]
pub fn section(tools: &Tools, tags: Tags, style: Style) -> String {
    if !tools.callable() {
        return String::new();
    }
    let (open, close) = (tags.open("tool_call"), tags.close("tool_call"));
    let several = if tools.one_at_a_time {
        "One block only."
    } else {
        "Independent calls: several blocks."
    };
    let mut text = format!(
        "# Tools\n\
        Call tools only by text blocks, outside code fences; they replace native or function calling:\n\
        {open}\n{{\"name\": \"TOOL\", \"arguments\": {{…}}}}\n{close}\n\
        Arguments: one valid JSON object, strings escaped. {several} Then stop: results come as {}; never write one.\n\n",
        tags.open("tool_result")
    );
    for tool in tools.allowed() {
        match style {
            Style::Signatures => signature::write(tool, &mut text),
            Style::JsonSchema => write_schema(tool, &mut text),
        }
    }
    text
}

fn write_schema(tool: &Tool, text: &mut String) {
    let parameters = match &tool.input {
        ToolInput::Json(schema) => Value::clone(schema),
        ToolInput::Text => {
            json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]})
        }
    };
    let mut line = json!({ "name": tool.name });
    if let Some(line) = line.as_object_mut() {
        if let Some(description) = &tool.description {
            line.insert("description".to_owned(), Value::from(description.as_str()));
        }
        line.insert("parameters".to_owned(), parameters);
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// The last lines of the prompt: what the model must do now. Empty if nothing may be called.
#[must_use]
pub fn reminder(tools: &Tools, tags: Tags) -> String {
    if !tools.callable() {
        return String::new();
    }
    let open = tags.open("tool_call");
    let one = if tools.one_at_a_time {
        " Exactly one block."
    } else {
        ""
    };
    match tools.demand() {
        Demand::Named(name) => format!("Call {name} now: write only its {open} block."),
        Demand::Any => {
            format!("You must call at least one tool now: write its {open} block.{one}")
        }
        Demand::Nothing => {
            format!("If a tool is needed, write its {open} block now; otherwise answer.{one}")
        }
    }
}

/// A call of the history in exactly the form the model is asked to use.
#[must_use]
pub fn render_call(name: &str, arguments: &str, tags: Tags) -> String {
    let name = Value::from(name);
    let arguments = if arguments.trim().is_empty() {
        "{}"
    } else {
        arguments
    };
    format!(
        "{}\n{{\"name\": {name}, \"arguments\": {arguments}}}\n{}",
        tags.open("tool_call"),
        tags.close("tool_call")
    )
}

/// The same with an id, where several calls of one tool must be told apart.
#[must_use]
pub fn render_call_with_id(name: &str, arguments: &str, id: &str, tags: Tags) -> String {
    let (name, id) = (Value::from(name), Value::from(id));
    let arguments = if arguments.trim().is_empty() {
        "{}"
    } else {
        arguments
    };
    format!(
        "{}\n{{\"name\": {name}, \"arguments\": {arguments}, \"id\": {id}}}\n{}",
        tags.open("tool_call"),
        tags.close("tool_call")
    )
}

#[cfg(test)]
mod tests;
