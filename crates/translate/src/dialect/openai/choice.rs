//! OpenAI's tools and the choice among them, alike in chat completions and responses.

use serde_json::{Map, Value};

use super::search;
use crate::bounds::{self, note_ignored};
use crate::chat_request::{Tool, ToolChoice};
use crate::failure::{Failure, FieldPath, echo};

/// Hosted tools that users choose knowingly: without them the answer would not be what was asked for.
const CHOSEN_KNOWINGLY: [&str; 6] = [
    "code_interpreter",
    "file_search",
    "mcp",
    "computer",
    "computer_use",
    "computer_use_preview",
];

/// Passes over a hosted tool that upstream has not, and names it: to offer one is not to demand it,
/// and agents offer some (`image_generation`) unasked.
///
/// # Errors
/// A tool that users choose knowingly.
pub fn pass_over(
    kind: &str,
    param: FieldPath<'_>,
    ignored: &mut Vec<String>,
) -> Result<(), Failure> {
    if CHOSEN_KNOWINGLY.contains(&kind) {
        return Err(unknown_tool(kind, param));
    }
    note_ignored(ignored, kind);
    Ok(())
}

/// The refusal of a tool type that cannot be used here.
#[must_use]
pub fn unknown_tool(kind: &str, param: FieldPath<'_>) -> Failure {
    Failure::invalid(
        param.to_string(),
        format!(
            "Tools of type `{}` are not available here: use function, custom or web_search.",
            echo(kind)
        ),
    )
}

/// The refusal of a tool that does not say what it is.
#[must_use]
pub fn without_type(param: FieldPath<'_>) -> Failure {
    Failure::invalid(param.to_string(), format!("`{param}` is missing."))
}

/// What a custom tool's grammar demands, in words: nothing can hold the model to it, but it can be
/// told.
#[must_use]
pub fn grammar_in_words(syntax: Option<&str>, definition: Option<&str>) -> Option<String> {
    let (syntax, definition) = (syntax.unwrap_or_default(), definition?);
    Some(format!(
        "The input must match this {syntax} grammar:\n{definition}"
    ))
}

/// Decodes `tool_choice` or the older `function_call`.
///
/// # Errors
/// An unknown word, or a name that was not declared.
pub fn decode(choice: Option<&Value>, offered: &[Tool]) -> Result<ToolChoice, Failure> {
    match choice {
        None | Some(Value::Null) => Ok(ToolChoice::Auto),
        Some(Value::String(word)) => by_word(word),
        Some(Value::Object(object)) => {
            let kind = object
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or("function");
            match kind {
                "allowed_tools" => allowed(
                    object
                        .get("allowed_tools")
                        .and_then(Value::as_object)
                        .unwrap_or(object),
                    offered,
                ),
                "auto" | "none" | "required" | "any" => by_word(kind),
                kind if search::is_named(kind) || kind == "code_interpreter" => {
                    Ok(ToolChoice::Auto)
                }
                _ => {
                    let nested = object.get(kind).unwrap_or(&Value::Null);
                    let flat = object.get("name");
                    let names_none = nested.get("name").or(flat).is_none();
                    if names_none && !matches!(kind, "function" | "custom") {
                        return Err(unknown_tool(kind, &"tool_choice"));
                    }
                    named(nested, flat, offered)
                }
            }
        }
        Some(_) => Err(Failure::invalid(
            "tool_choice",
            "`tool_choice` is a word or an object.",
        )),
    }
}

fn by_word(word: &str) -> Result<ToolChoice, Failure> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" | "any" => Ok(ToolChoice::Required),
        other => Err(Failure::invalid(
            "tool_choice",
            format!(
                "Invalid tool choice `{}`: use auto, none, required or a named tool.",
                echo(other)
            ),
        )),
    }
}

fn named(object: &Value, flat: Option<&Value>, offered: &[Tool]) -> Result<ToolChoice, Failure> {
    let name = object.get("name").or(flat).and_then(Value::as_str);
    let name = name.ok_or_else(|| {
        Failure::invalid(
            "tool_choice",
            "A named tool choice needs the tool's `name`.",
        )
    })?;
    declared(name, offered)?;
    Ok(ToolChoice::Named(name.to_owned()))
}

fn allowed(object: &Map<String, Value>, offered: &[Tool]) -> Result<ToolChoice, Failure> {
    let tools = object.get("tools").and_then(Value::as_array);
    let tools = tools.ok_or_else(|| {
        Failure::invalid("tool_choice", "`allowed_tools` needs a list of `tools`.")
    })?;
    bounds::check_tools(tools.len(), "tool_choice")?;
    let mut names = Vec::with_capacity(tools.len());
    for tool in tools {
        // Chat completions put the name into an object named as the type; responses do not.
        let kind = tool
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("function");
        if let Some(name) = tool
            .get(kind)
            .unwrap_or(tool)
            .get("name")
            .and_then(Value::as_str)
        {
            declared(name, offered)?;
            names.push(name.to_owned());
        }
    }
    let required = object.get("mode").and_then(Value::as_str) == Some("required");
    if required && names.is_empty() && !offered.is_empty() && !tools.iter().any(is_hosted) {
        let message = "`tool_choice` requires a call of an allowed tool, but names none.";
        return Err(Failure::invalid("tool_choice", message));
    }
    Ok(ToolChoice::Allowed { names, required })
}

/// Whether a tool of a choice is one that upstream runs.
fn is_hosted(tool: &Value) -> bool {
    let kind = tool.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| search::is_named(kind) || kind == "code_interpreter")
}

fn declared(name: &str, offered: &[Tool]) -> Result<(), Failure> {
    if offered.iter().any(|tool| tool.name == name) {
        return Ok(());
    }
    Err(Failure::invalid(
        "tool_choice",
        format!("The tool `{}` is chosen but not among `tools`.", echo(name)),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat_request::ToolInput;

    #[test]
    fn allowed_tools_are_read_in_the_forms_of_both_apis() {
        let tool = |name: &str| Tool {
            name: name.to_owned(),
            description: None,
            input: ToolInput::Text,
            strict: false,
        };
        let offered = [tool("f"), tool("c")];
        let allowed = ToolChoice::Allowed {
            names: vec!["f".to_owned(), "c".to_owned()],
            required: true,
        };
        let nested = json!([{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "c"}}]);
        let flat = json!([{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}, {"type": "web_search"}]);
        for choice in [
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": nested}}),
            json!({"type": "allowed_tools", "mode": "required", "tools": flat}),
        ] {
            assert_eq!(
                decode(Some(&choice), &offered),
                Ok(allowed.clone()),
                "{choice}"
            );
        }
        let unknown = json!({"type": "allowed_tools", "allowed_tools": {"tools": [{"type": "function", "function": {"name": "x"}}]}});
        let failure = decode(Some(&unknown), &offered).unwrap_err();
        assert!(failure.message.contains("`x`"), "{}", failure.message);
    }
}
