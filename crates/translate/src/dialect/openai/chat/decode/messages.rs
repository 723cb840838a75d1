//! `messages`: roles, content parts, calls and results of the history.

use serde_json::Value;

use crate::chat_request::{Attachment, Call, CallResult, Message, Part, Role, Source};
use crate::dialect::openai::chat::wire;
use crate::dialect::openai::parts::{self, Common};
use crate::dialect::{request, result_text};
use crate::failure::{Failure, FieldPath, Kind, echo};

/// The messages, and what the original relay's fields add: `new_input` a further one, `file_ids`
/// files to the last of the user's.
pub(super) fn messages(request: &mut wire::Request) -> Result<Vec<Message>, Failure> {
    let messages = request.messages.take().unwrap_or_default();
    let mut decoded = Vec::with_capacity(messages.len() + 1);
    for (at, message) in messages.into_iter().enumerate() {
        decoded.push(self::message(message, &format_args!("messages[{at}]"))?);
    }
    if let Some(input) = request.new_input.take().filter(|input| !input.is_empty()) {
        decoded.push(Message {
            role: Role::User,
            name: None,
            parts: vec![Part::Text(input)],
        });
    }
    let files = request.file_ids.take().unwrap_or_default();
    if let Some(last) = decoded.iter_mut().rfind(|m| m.role == Role::User) {
        last.parts.extend(files.into_iter().map(Part::uploaded));
    }
    request::check_messages(&decoded, "messages")
        .map_err(|failure| request::with_endpoint_of(failure, &request.ignored))?;
    Ok(decoded)
}

fn message(message: wire::Message, path: FieldPath<'_>) -> Result<Message, Failure> {
    let role = match message.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        other => {
            return Err(Failure::invalid(
                format!("{path}.role"),
                format!(
                    "Invalid role `{}`: use system, developer, user, assistant or tool.",
                    echo(other)
                ),
            ));
        }
    };
    let mut parts = match message.content {
        content if role == Role::Tool => result_parts(content, path)?,
        None => Vec::new(),
        Some(wire::Content::Text(text)) => vec![Part::Text(text)],
        Some(wire::Content::Parts(parts)) => self::parts(parts, path)?,
    };
    parts.extend(message.refusal.filter(|r| !r.is_empty()).map(Part::Refusal));
    let held = |part: &Part| match part {
        Part::Call(_) => role != Role::Assistant,
        Part::Result(_) => role != Role::User,
        _ => false,
    };
    if parts.iter().any(held) {
        let message = "`tool_use` is allowed in assistant messages only, `tool_result` in user messages only.";
        return Err(Failure::invalid(format!("{path}.content"), message));
    }
    if role == Role::Assistant {
        parts.extend(calls(message.tool_calls, message.function_call, path)?);
    } else if message.function_call.is_some()
        || message.tool_calls.is_some_and(|calls| !calls.is_empty())
    {
        return Err(Failure::invalid(
            format!("{path}.tool_calls"),
            "`tool_calls` is allowed in assistant messages only.",
        ));
    }
    if role == Role::Tool {
        let result = CallResult {
            call_id: message.tool_call_id.unwrap_or_default(),
            name: message.name,
            parts,
            is_error: false,
        };
        return Ok(Message {
            role,
            name: None,
            parts: vec![Part::Result(result)],
        });
    }
    Ok(Message {
        role,
        name: message.name.filter(|name| !name.is_empty()),
        parts,
    })
}

fn result_parts(content: Option<wire::Content>, path: FieldPath<'_>) -> Result<Vec<Part>, Failure> {
    match content {
        None => Ok(Vec::new()),
        Some(wire::Content::Text(text)) => Ok(result_text::parts(text)),
        Some(wire::Content::Parts(parts)) => {
            let parts = self::parts(parts, path)?;
            let is_nested = |part: &Part| matches!(part, Part::Call(_) | Part::Result(_));
            if parts.iter().any(is_nested) {
                let message = "A tool result may contain text, images and files only.";
                return Err(Failure::invalid(format!("{path}.content"), message));
            }
            Ok(parts)
        }
    }
}

fn calls(
    calls: Option<Vec<wire::ToolCall>>,
    legacy: Option<wire::CalledFunction>,
    path: FieldPath<'_>,
) -> Result<Vec<Part>, Failure> {
    let numbered = calls.unwrap_or_default().into_iter().enumerate();
    let calls = numbered.map(|(at, call)| {
        self::call(call, &format_args!("{path}.tool_calls[{at}]")).map(Part::Call)
    });
    let legacy = legacy.map(|called| Ok(Part::Call(called_function(String::new(), called))));
    calls.chain(legacy).collect()
}

fn call(call: wire::ToolCall, path: FieldPath<'_>) -> Result<Call, Failure> {
    let id = call.id.unwrap_or_default();
    match (call.function, call.custom) {
        (Some(function), _) => Ok(called_function(id, function)),
        (None, Some(custom)) => Ok(Call {
            id,
            name: custom.name,
            arguments: serde_json::json!({ "input": custom.input }).to_string(),
        }),
        (None, None) => Err(Failure::invalid(
            path.to_string(),
            "A call needs a `function` object with `name` and `arguments`.",
        )),
    }
}

fn called_function(id: String, called: wire::CalledFunction) -> Call {
    let arguments = match called.arguments {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
    };
    Call {
        id,
        name: called.name,
        arguments,
    }
}

fn parts(parts: Vec<wire::Part>, path: FieldPath<'_>) -> Result<Vec<Part>, Failure> {
    let numbered = parts.into_iter().enumerate();
    numbered
        .map(|(at, part)| self::part(part, &format_args!("{path}.content[{at}]")))
        .collect()
}

fn part(part: wire::Part, path: FieldPath<'_>) -> Result<Part, Failure> {
    let common = match part.kind.as_str() {
        // Cursor sends conversations with Claude in the form of the Messages API.
        "tool_use" | "tool_result" => return call_or_result(part, path),
        "image" | "document" if part.source.is_some() => return of_source(part, path),
        "thinking" | "reasoning" | "redacted_thinking" => {
            let text = part.thinking.or(part.text);
            return Ok(Part::Reasoning(text.unwrap_or_default()));
        }
        "text" | "input_text" | "output_text" => Common::Text(part.text),
        "refusal" => Common::Refusal(part.refusal),
        "image_url" | "input_image" => Common::Image {
            url: part.image_url,
            file_id: None,
            field: "image_url.url",
        },
        "input_audio" => Common::Audio(part.input_audio),
        "file" | "input_file" => {
            let file = part.file.ok_or_else(|| {
                Failure::invalid(
                    format!("{path}.file"),
                    format!("A part of type `{}` needs `file`.", part.kind),
                )
            })?;
            return self::file(file, path).map(Part::File);
        }
        other => {
            return Err(Failure::invalid(
                format!("{path}.type"),
                format!(
                    "Invalid content part type `{}`: use text, image_url, file, input_audio or refusal.",
                    echo(other)
                ),
            ));
        }
    };
    parts::read(common, &part.kind, path)
}

fn call_or_result(part: wire::Part, path: FieldPath<'_>) -> Result<Part, Failure> {
    let kind = part.kind;
    let missing = |field: &str| {
        let message = format!("A part of type `{kind}` needs `{field}`.");
        Failure::invalid(format!("{path}.{field}"), message)
    };
    if kind == "tool_result" {
        return Ok(Part::Result(CallResult {
            call_id: part.tool_use_id.ok_or_else(|| missing("tool_use_id"))?,
            name: None,
            parts: result_parts(part.content, path)?,
            is_error: part.is_error == Some(true),
        }));
    }
    let called = wire::CalledFunction {
        name: part.name.ok_or_else(|| missing("name"))?,
        arguments: part.input,
    };
    let id = part.id.unwrap_or_default();
    Ok(Part::Call(called_function(id, called)))
}

/// An image or a document in the form of the Messages API.
fn of_source(part: wire::Part, path: FieldPath<'_>) -> Result<Part, Failure> {
    let source = part.source.unwrap_or_default();
    let missing = |field: &str| {
        let message = format!("A source of type `{}` needs `{field}`.", echo(&source.kind));
        Failure::invalid(format!("{path}.source.{field}"), message)
    };
    let of_bytes = |bytes| Attachment {
        source: Source::Inline(bytes),
        name: part.title.clone(),
        mime: source.media_type.clone(),
    };
    let attachment = match source.kind.as_str() {
        "base64" => {
            let data = source.data.as_deref().and_then(request::inline);
            of_bytes(data.ok_or_else(|| missing("data"))?.bytes)
        }
        "text" => of_bytes(source.data.clone().ok_or_else(|| missing("data"))?.into()),
        "url" => {
            let url = source.url.clone().ok_or_else(|| missing("url"))?;
            request::picture(url, &format_args!("{path}.source.url"))?
        }
        "file" => {
            let id = source.file_id.clone();
            parts::uploaded(id.ok_or_else(|| missing("file_id"))?, part.title)
        }
        other => {
            let message = format!(
                "Invalid source type `{}`: use base64, text, url or file.",
                echo(other)
            );
            return Err(Failure::invalid(format!("{path}.source.type"), message));
        }
    };
    Ok(match part.kind.as_str() {
        "image" => Part::Image(attachment),
        _ => Part::File(attachment),
    })
}

fn file(file: wire::File, path: FieldPath<'_>) -> Result<Attachment, Failure> {
    let (source, mime) = match (file.file_data, file.file_id) {
        (Some(data), _) => {
            let data = request::inline(&data);
            let data = data.ok_or_else(|| {
                Failure::invalid(
                    format!("{path}.file.file_data"),
                    "The file is empty, or neither a data URI nor valid base64.",
                )
            })?;
            (Source::Inline(data.bytes), data.mime)
        }
        (None, Some(id)) => (Source::FileId(id), None),
        (None, None) => {
            let message = "A file part needs `file_data` or `file_id`.";
            return Err(Failure::new(Kind::Invalid, message).with_param(format!("{path}.file")));
        }
    };
    Ok(Attachment {
        source,
        name: file.filename,
        mime,
    })
}
