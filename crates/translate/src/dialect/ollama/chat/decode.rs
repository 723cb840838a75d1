//! A chat becomes a [`ChatRequest`](crate::chat_request::ChatRequest), and the shape its answer must
//! have.
//!
//! Neither calls nor results need an id in this API, so they are matched by name and by order.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};

use super::wire;
use crate::bounds::{self, note_ignored};
use crate::chat_request::{Call, CallResult, Message, Part, Role, Tool, ToolInput, Tools};
use crate::dialect::ollama::encode::{EncodeOptions, Shape};
use crate::dialect::ollama::load::{Decoded, Load};
use crate::dialect::ollama::options;
use crate::dialect::request::forms::Object;
use crate::dialect::{DecodedRequest, request, result_text, tool_name, tool_schema};
use crate::failure::{Failure, FieldPath, echo};

/// Decodes the body of a request that asks for an answer.
///
/// # Errors
/// An invalid request: the failure names the field at fault.
pub fn decode(body: &[u8]) -> Result<DecodedRequest, Failure> {
    match decode_any(body)? {
        Decoded::Chat(request) => Ok(*request),
        Decoded::Load(_) => Err(no_messages()),
    }
}

fn no_messages() -> Failure {
    request::check_messages(&[], "messages")
        .err()
        .unwrap_or_else(|| Failure::invalid("messages", "`messages` is missing."))
}

/// Decodes the body of any request.
///
/// # Errors
/// An invalid request: the failure names the field at fault.
pub fn decode_any(body: &[u8]) -> Result<Decoded, Failure> {
    let Object(mut request) = request::parse::<Object<wire::Request>>(body)?;
    let shared = request.shared();
    let messages = request.messages.unwrap_or_default();
    if messages.is_empty() {
        let of_others = [
            ("prompt", request.prompt, "POST /api/generate"),
            ("input", request.input, "POST /v1/responses"),
        ];
        options::refuse_of_others("messages", of_others)?;
        return Load::new(Shape::Chat, shared).map(Decoded::Load);
    }
    let name = shared.model.clone().unwrap_or_default();
    let (mut chat, show_thinking) = shared.decode()?;
    chat.messages = self::messages(messages)?;
    chat.tools = tools(request.tools.unwrap_or_default(), &mut chat.ignored)?;
    Ok(Decoded::Chat(Box::new(DecodedRequest {
        chat,
        further: Vec::new(),
        encoder: Box::new(EncodeOptions {
            model: name,
            shape: Shape::Chat,
            show_thinking,
        }),
    })))
}

fn messages(messages: Vec<wire::Message>) -> Result<Vec<Message>, Failure> {
    let mut calls = OpenCalls::default();
    let mut decoded = Vec::with_capacity(messages.len());
    for (at, message) in messages.into_iter().enumerate() {
        decoded.push(self::message(
            message,
            &format_args!("messages[{at}]"),
            &mut calls,
        )?);
    }
    request::check_messages(&decoded, "messages")?;
    Ok(decoded)
}

fn message(
    message: wire::Message,
    path: FieldPath<'_>,
    open: &mut OpenCalls,
) -> Result<Message, Failure> {
    let role = match message.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => {
            return Err(Failure::invalid(
                format!("{path}.role"),
                format!(
                    "Invalid role `{}`: use system, user, assistant or tool.",
                    echo(other)
                ),
            ));
        }
    };
    let images = options::images(message.images, &format_args!("{path}.images"))?;
    let text = message.content.filter(|text| !text.is_empty());
    if role == Role::Tool {
        let name = message.tool_name.filter(|name| !name.is_empty());
        let mut parts = result_text::parts(text.unwrap_or_default());
        parts.extend(images);
        let result = CallResult {
            call_id: open.answered_by(message.tool_call_id, name.as_deref()),
            name,
            parts,
            is_error: false,
        };
        return Ok(Message {
            role,
            name: None,
            parts: vec![Part::Result(result)],
        });
    }
    let mut parts: Vec<Part> = Vec::new();
    parts.extend(
        message
            .thinking
            .filter(|t| !t.is_empty())
            .map(Part::Reasoning),
    );
    parts.extend(text.map(Part::Text));
    parts.extend(images);
    if role == Role::Assistant {
        let calls = message.tool_calls.unwrap_or_default();
        parts.extend(open.made(calls).map(Part::Call));
    }
    Ok(Message {
        role,
        name: None,
        parts,
    })
}

/// The calls of the assistant's last turn that have no result yet. A turn may have very many.
#[derive(Debug, Default)]
struct OpenCalls {
    /// Their ids, in order; none where the result came.
    calls: Vec<Option<String>>,
    by_id: HashMap<String, VecDeque<usize>>,
    by_tool: HashMap<String, VecDeque<usize>>,
    /// Before this one all have their results.
    first: usize,
    count: usize,
}

impl OpenCalls {
    /// Takes in the calls of a message of the assistant; those without an id are given one.
    fn made(&mut self, calls: Vec<wire::ToolCall>) -> impl Iterator<Item = Call> {
        if !calls.is_empty() {
            *self = Self {
                count: self.count,
                ..Self::default()
            };
        }
        calls.into_iter().map(|call| {
            self.count += 1;
            let id = call.id.filter(|id| !id.is_empty());
            let id = id.unwrap_or_else(|| format!("call_{}", self.count));
            let name = call.function.name;
            let at = self.calls.len();
            self.calls.push(Some(id.clone()));
            self.by_id.entry(id.clone()).or_default().push_back(at);
            self.by_tool.entry(name.clone()).or_default().push_back(at);
            Call {
                id,
                name,
                arguments: arguments(call.function.arguments),
            }
        })
    }

    /// The id of the call that the next result answers: the one it names, else the first of its
    /// tool, else the first.
    fn answered_by(&mut self, id: Option<String>, tool: Option<&str>) -> String {
        let calls = &mut self.calls;
        let mut take_of = |of: Option<&mut VecDeque<usize>>| {
            let of = of?;
            while let Some(at) = of.pop_front() {
                // One that was answered by its other name has been taken.
                if let Some(id) = calls.get_mut(at).and_then(Option::take) {
                    return Some(id);
                }
            }
            None
        };
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            return take_of(self.by_id.get_mut(&id)).unwrap_or(id);
        }
        if let Some(tool) = tool {
            return take_of(self.by_tool.get_mut(tool)).unwrap_or_default();
        }
        while let Some(call) = self.calls.get_mut(self.first) {
            self.first += 1;
            if let Some(id) = call.take() {
                return id;
            }
        }
        String::new()
    }
}

fn arguments(given: Option<Value>) -> String {
    match given {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
    }
}

/// Whether a tool that is declared flat is the client's own, by its type and by whether it has a schema.
fn is_own(kind: Option<&str>, has_schema: bool) -> bool {
    match kind {
        None | Some("function") => true,
        Some(kind) => kind == "custom" && has_schema,
    }
}

fn tools(declared: Vec<wire::Tool>, ignored: &mut Vec<String>) -> Result<Tools, Failure> {
    bounds::check_tools(declared.len(), "tools")?;
    let mut offered = Vec::with_capacity(declared.len());
    for (at, tool) in declared.into_iter().enumerate() {
        let (function, path) = match (tool.function, tool.name) {
            (Some(function), _) => (Some(function), format!("tools[{at}].function")),
            (None, Some(name)) if is_own(tool.kind.as_deref(), tool.parameters.is_some()) => {
                let function = wire::Function {
                    name,
                    description: tool.description,
                    parameters: tool.parameters,
                };
                (Some(function), format!("tools[{at}]"))
            }
            (None, _) => (None, format!("tools[{at}].function")),
        };
        let Some(function) = function else {
            match tool.kind {
                // To offer a hosted tool is not to demand it.
                Some(kind) if kind != "function" => note_ignored(ignored, kind),
                _ => {
                    let message = "A tool needs a `function` object with `name` and `parameters`.";
                    return Err(Failure::invalid(path, message));
                }
            }
            continue;
        };
        tool_name::check(&function.name, &format_args!("{path}.name"))?;
        let parameters = match function.parameters {
            None | Some(Value::Null) => Value::Object(Map::new()),
            Some(parameters) => parameters,
        };
        tool_schema::check(&parameters, &format_args!("{path}.parameters"))?;
        offered.push(Tool {
            name: function.name,
            description: function.description,
            input: ToolInput::Json(parameters.into()),
            strict: false,
        });
    }
    Ok(Tools {
        offered,
        ..Tools::default()
    })
}

#[cfg(test)]
mod tests;
