//! Input items become messages.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::content::parts as content_parts;
use super::fields::read;
use super::tools::Offer;
use crate::bounds::note_ignored;
use crate::chat_request::{Call, CallResult, Message, Part, Role};
use crate::dialect::openai::responses::calls::{Form, arguments_of, offered_name};
use crate::dialect::openai::responses::wire;
use crate::dialect::result_text;
use crate::failure::{Failure, FieldPath, echo};

/// Items of tools that OpenAI runs itself. They cannot be told to the model; what it said about
/// them stands in its messages.
const PASSED_OVER: [&str; 9] = [
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "mcp_list_tools",
    "mcp_call",
    "mcp_approval_request",
    "mcp_approval_response",
    "program",
    "program_output",
];

/// Reads items in order: messages, calls and their outputs, and the tools that some items bring.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) messages: Vec<Message>,
    pub(super) offer: Offer,
    /// How much the model should think, where an item says it.
    pub(super) effort: Option<String>,
    /// `text`, where an item says it.
    pub(super) text: Option<Map<String, Value>>,
    pub(super) ignored: Vec<String>,
}

impl Reader {
    /// Reads one item, which stands at a path of the request.
    pub(super) fn item(&mut self, value: &Value, path: FieldPath<'_>) -> Result<(), Failure> {
        let kind = value.get("type").and_then(Value::as_str);
        if let Some("reasoning" | "web_search_call") = kind {
            return Ok(());
        }
        if let Some("compaction" | "compaction_summary" | "context_compaction") = kind {
            self.compaction(value);
            return Ok(());
        }
        if kind == Some("compaction_trigger") {
            let message = "Compaction is not supported: let the client summarise the conversation, or begin a new one.";
            return Err(Failure::invalid(path.to_string(), message));
        }
        if let Some(kind) = kind.filter(|kind| PASSED_OVER.contains(kind)) {
            note_ignored(&mut self.ignored, format!("input.{kind}"));
            return Ok(());
        }
        if kind == Some("configuration_update") {
            let update: wire::ConfigurationUpdate = read(value, path)?;
            let effort = update.reasoning.and_then(|reasoning| reasoning.effort);
            self.effort = effort.or(self.effort.take());
            self.text = update.text.or(self.text.take());
            return Ok(());
        }
        let item: wire::Item = read(value, path)?;
        match item.kind.as_deref() {
            None | Some("message") => self.message(item, path),
            Some("function_call_output" | "custom_tool_call_output") => self.output(item, path),
            Some("local_shell_call_output") => self.output(
                wire::Item {
                    call_id: item.call_id.or(item.id),
                    id: None,
                    ..item
                },
                path,
            ),
            Some("shell_call_output") => self.shell_output(item, path),
            Some("apply_patch_call_output") => self.patch_output(item, path),
            Some("tool_search_output") => self.found_tools(item, path),
            Some("additional_tools") => {
                let tools = item.tools.unwrap_or_default();
                self.offer.add(&tools, &format_args!("{path}.tools"))
            }
            Some("item_reference") => {
                let id = item.id.unwrap_or_default();
                Err(missing_item(&id, path))
            }
            Some(kind) => match Form::of_item(kind) {
                Some(form) => self.call(form, item, path),
                None => Err(Failure::invalid(
                    format!("{path}.type"),
                    format!("Items of type `{}` cannot be taken here.", echo(kind)),
                )),
            },
        }
    }

    fn message(&mut self, item: wire::Item, path: FieldPath<'_>) -> Result<(), Failure> {
        let role = match item.role.as_deref() {
            Some("system" | "developer") => Role::System,
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some(other) => {
                return Err(Failure::invalid(
                    format!("{path}.role"),
                    format!(
                        "Invalid role `{}`: use user, assistant, system or developer.",
                        echo(other)
                    ),
                ));
            }
            None => {
                let message = format!("`{path}` needs a `role`, or a `type` other than message.");
                return Err(Failure::invalid(format!("{path}.role"), message));
            }
        };
        let parts = match item.content {
            None => Vec::new(),
            Some(wire::Content::Text(text)) => vec![Part::Text(text)],
            Some(wire::Content::Parts(parts)) => {
                content_parts(parts, &format_args!("{path}.content"))?
            }
        };
        self.messages.push(Message {
            role,
            name: None,
            parts,
        });
        Ok(())
    }

    /// What a compaction left of earlier turns. Of OpenAI's own only OpenAI can read the text.
    fn compaction(&mut self, value: &Value) {
        let text = compacted_text(value);
        if text.trim().is_empty() {
            self.ignored.push("input.compaction".to_owned());
            return;
        }
        self.messages.push(Message {
            role: Role::User,
            name: None,
            parts: vec![Part::Text(format!(
                "Summary of the conversation so far:\n{text}"
            ))],
        });
    }

    /// A call belongs to what the assistant said just before: one turn of the model is several
    /// items here, but one message.
    fn call(&mut self, form: Form, item: wire::Item, path: FieldPath<'_>) -> Result<(), Failure> {
        let name = match form {
            Form::Function | Form::Custom => {
                item.name.filter(|name| !name.is_empty()).ok_or_else(|| {
                    let field = format!("{path}.name");
                    Failure::invalid(
                        &field,
                        format!("`{field}` is missing: which tool was called?"),
                    )
                })?
            }
            _ => form.name().to_owned(),
        };
        let arguments = match form {
            Form::Function => match item.arguments {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text,
                Some(value) => value.to_string(),
            },
            Form::Custom => json!({ "input": item.input.unwrap_or_default() }).to_string(),
            Form::ToolSearch => arguments_of(form, &item.arguments.unwrap_or_default()),
            Form::ApplyPatch => arguments_of(form, &item.operation.unwrap_or_default()),
            Form::LocalShell | Form::Shell => arguments_of(form, &item.action.unwrap_or_default()),
        };
        let call = Part::Call(Call {
            id: item.call_id.or(item.id).unwrap_or_default(),
            name: offered_name(item.namespace.as_deref(), &name),
            arguments,
        });
        match self.messages.last_mut() {
            Some(last) if last.role == Role::Assistant => last.parts.push(call),
            _ => self.messages.push(Message {
                role: Role::Assistant,
                name: None,
                parts: vec![call],
            }),
        }
        Ok(())
    }

    fn output(&mut self, item: wire::Item, path: FieldPath<'_>) -> Result<(), Failure> {
        let path = format!("{path}.output");
        let parts = match item.output {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => result_text::parts(text),
            Some(Value::Array(list)) => {
                let numbered = list.iter().enumerate();
                let list: Result<_, _> = numbered
                    .map(|(at, part)| read(part, &format_args!("{path}[{at}]")))
                    .collect();
                content_parts(list?, &path)?
            }
            Some(_) => {
                let message = format!("`{path}` must be a string or an array of content parts.");
                return Err(Failure::invalid(path, message));
            }
        };
        let name = item
            .name
            .map(|name| offered_name(item.namespace.as_deref(), &name));
        self.result(item.call_id, name, parts, false);
        Ok(())
    }

    fn shell_output(&mut self, item: wire::Item, path: FieldPath<'_>) -> Result<(), Failure> {
        let Some(Value::Array(results)) = &item.output else {
            return self.output(item, path);
        };
        let numbered = results.iter().enumerate();
        let results: Result<Vec<wire::ShellResult>, _> = numbered
            .map(|(at, result)| read(result, &format_args!("{path}.output[{at}]")))
            .collect();
        let texts = results?
            .into_iter()
            .map(|result| Part::Text(shell_text(&result)));
        self.result(item.call_id, None, texts.collect(), false);
        Ok(())
    }

    fn patch_output(&mut self, item: wire::Item, path: FieldPath<'_>) -> Result<(), Failure> {
        let failed = item.status.as_deref() == Some("failed");
        let word = if failed {
            "The patch failed."
        } else {
            "The patch is applied."
        };
        let said = item
            .output
            .as_ref()
            .is_some_and(|output| output.as_str() != Some("") && !output.is_null());
        if !said {
            self.result(
                item.call_id,
                None,
                vec![Part::Text(word.to_owned())],
                failed,
            );
            return Ok(());
        }
        self.output(item, path)?;
        if let Some(Part::Result(result)) =
            self.messages.last_mut().and_then(|m| m.parts.last_mut())
        {
            result.is_error = failed;
        }
        Ok(())
    }

    /// Tools that the client found. They can be called from here on.
    fn found_tools(&mut self, item: wire::Item, path: FieldPath<'_>) -> Result<(), Failure> {
        let tools = item.tools.unwrap_or_default();
        let mut found = Offer::default();
        found.add(&tools, &format_args!("{path}.tools"))?;
        let names: Vec<&str> = found.tools.iter().map(|tool| tool.name.as_str()).collect();
        let words = match names.as_slice() {
            [] => "No tools were found.".to_owned(),
            names => format!("Found, and listed among the tools: {}", names.join(", ")),
        };
        self.offer.add(&tools, &format_args!("{path}.tools"))?;
        // A search that OpenAI made has no call to answer.
        if item.call_id.is_some() {
            self.result(item.call_id, None, vec![Part::Text(words)], false);
        }
        Ok(())
    }

    fn result(
        &mut self,
        call_id: Option<String>,
        name: Option<String>,
        parts: Vec<Part>,
        is_error: bool,
    ) {
        let result = CallResult {
            call_id: call_id.unwrap_or_default(),
            name,
            parts,
            is_error,
        };
        self.messages.push(Message {
            role: Role::Tool,
            name: None,
            parts: vec![Part::Result(result)],
        });
    }
}

/// The text of a compaction: a string, or a list of parts with text.
fn compacted_text(value: &Value) -> String {
    let mut texts = Vec::new();
    for field in ["summary", "content", "text"] {
        match value.get(field) {
            Some(Value::String(text)) => texts.push(text.as_str()),
            Some(Value::Array(parts)) => {
                let parts = parts.iter().filter_map(|part| part.get("text")?.as_str());
                texts.extend(parts);
            }
            _ => {}
        }
    }
    texts.join("\n")
}

fn shell_text(result: &wire::ShellResult) -> String {
    let mut text = result.stdout.clone();
    if !result.stderr.is_empty() {
        text.push_str("\n[stderr]\n");
        text.push_str(&result.stderr);
    }
    match &result.outcome {
        Some(outcome) if outcome.kind == "timeout" => text.push_str("\n[timed out]"),
        Some(wire::Outcome {
            exit_code: Some(code),
            ..
        }) if *code != 0 => {
            let _ = write!(text, "\n[exit code {code}]");
        }
        _ => {}
    }
    text
}

pub(super) fn missing_item(id: &str, path: FieldPath<'_>) -> Failure {
    Failure::invalid(
        path.to_string(),
        format!(
            "There is no stored item `{}`: send the item itself, or store the response it came with.",
            echo(id)
        ),
    )
}
