//! A chat completions request becomes a [`Turn`], and the shape its answer must have.

use serde_json::Value;

use super::encode::Shape;
use super::wire;
use crate::dialect::Request;
use crate::dialect::data_uri;
use crate::dialect::openai::choice;
use crate::dialect::request;
use crate::failure::{Failure, Kind};
use crate::turn::{
    Call, CallResult, Delivery, Limits, Media, Message, Output, Part, Role, Search, Source, Takes, Tool, Tools, Turn,
};

/// The most stop strings a request may give, as OpenAI has it.
pub const MAX_STOPS: usize = 4;

/// Decodes the body of a request.
///
/// # Errors
/// A [`Kind::Invalid`] failure that names the field at fault.
pub fn decode(body: &[u8]) -> Result<Request, Failure> {
    let mut request: wire::Request = request::parse(body)?;
    let model = request.model.take().filter(|m| !m.trim().is_empty());
    let model = model.ok_or_else(|| Failure::invalid("model", "`model` is missing: name one of the ids that GET /v1/models lists."))?;
    let (model, online) = match model.strip_suffix(":online") {
        Some(base) => (base.to_owned(), true),
        None => (model, false),
    };
    let legacy_functions = request.tools.is_none() && request.functions.is_some();
    let (tools, searching) = tools(&mut request)?;
    let shape = Shape {
        model: model.clone(),
        usage: request.stream_options.as_ref().and_then(|o| o.include_usage) == Some(true),
        legacy_functions,
        custom_tools: tools.offered.iter().filter(|t| t.takes == Takes::Text).map(|t| t.name.clone()).collect(),
    };
    let streamed = request.stream == Some(true);
    let turn = Turn {
        messages: messages(&mut request)?,
        search: search(&request, online || searching),
        output: output(request.response_format.take())?,
        limits: limits(&mut request)?,
        choices: choices(request.n)?,
        delivery: if streamed { Delivery::Streamed } else { Delivery::Whole },
        effort: request.reasoning_effort,
        ignored: request.ignored,
        model,
        tools,
    };
    Ok(Request {
        turn,
        encoder: Box::new(shape),
    })
}

fn choices(n: Option<u64>) -> Result<u32, Failure> {
    match n {
        None => Ok(1),
        Some(0) => Err(Failure::invalid("n", "`n` must be at least 1.")),
        Some(n) => u32::try_from(n).map_err(|_| Failure::invalid("n", "`n` is too large.")),
    }
}

fn limits(request: &mut wire::Request) -> Result<Limits, Failure> {
    let (max_tokens, field) = match request.max_completion_tokens {
        Some(n) => (Some(n), "max_completion_tokens"),
        None => (request.max_tokens, "max_tokens"),
    };
    if max_tokens == Some(0) {
        return Err(Failure::invalid(field, format!("`{field}` must be at least 1.")));
    }
    let stop = match request.stop.take() {
        None => Vec::new(),
        Some(wire::OneOrMany::One(stop)) => vec![stop],
        Some(wire::OneOrMany::Many(stops)) => stops,
    };
    if stop.len() > MAX_STOPS {
        return Err(Failure::invalid("stop", format!("`stop` takes at most {MAX_STOPS} strings.")));
    }
    Ok(Limits { max_tokens, stop })
}

/// Upstream counts sites and words; OpenAI's client gives a size in a word.
fn search(request: &wire::Request, asked: bool) -> Option<Search> {
    let options = request.web_search_options.as_ref();
    if !(asked || request.web_search == Some(true) || options.is_some()) {
        return None;
    }
    let (sites, words) = match options.and_then(|o| o.search_context_size.as_deref()) {
        Some("low") => (Some(2), Some(500)),
        Some("high") => (Some(6), Some(3000)),
        _ => (None, None),
    };
    Some(Search {
        sites: request.num_of_site.or(sites),
        words: request.max_word.or(words),
    })
}

fn output(format: Option<wire::ResponseFormat>) -> Result<Output, Failure> {
    let Some(format) = format else {
        return Ok(Output::Text);
    };
    match format.kind.as_str() {
        "text" => Ok(Output::Text),
        "json_object" => Ok(Output::Json),
        "json_schema" => {
            let missing = || Failure::invalid("response_format.json_schema.schema", "`json_schema` needs a `schema`.");
            let json = format.json_schema.ok_or_else(missing)?;
            Ok(Output::Schema {
                name: json.name.unwrap_or_else(|| "response".to_owned()),
                schema: json.schema.ok_or_else(missing)?,
                strict: json.strict.unwrap_or(false),
            })
        }
        other => Err(Failure::invalid(
            "response_format.type",
            format!("`{other}` is no response format: use text, json_object or json_schema."),
        )),
    }
}

/// The tools, and whether web search was among them.
fn tools(request: &mut wire::Request) -> Result<(Tools, bool), Failure> {
    let mut offered = Vec::new();
    let mut searching = false;
    for (at, tool) in request.tools.take().unwrap_or_default().into_iter().enumerate() {
        match tool.kind.as_str() {
            "function" => offered.push(function(tool.function, at)?),
            "custom" => offered.push(custom(tool.custom, at)?),
            kind if choice::is_search(kind) => searching = true,
            kind => return Err(choice::unknown_tool(kind, &format!("tools[{at}].type"))),
        }
    }
    for function in request.functions.take().unwrap_or_default() {
        offered.push(declared(function));
    }
    let asked = request.tool_choice.take().or_else(|| request.function_call.take());
    let tools = Tools {
        choice: choice::decode(asked.as_ref(), &offered)?,
        one_at_a_time: request.parallel_tool_calls == Some(false),
        offered,
    };
    Ok((tools, searching))
}

fn function(function: Option<wire::Function>, at: usize) -> Result<Tool, Failure> {
    let path = format!("tools[{at}].function");
    let function = function.ok_or_else(|| Failure::invalid(&path, "A tool of type `function` needs a `function` object."))?;
    choice::check_name(&function.name, &format!("{path}.name"))?;
    Ok(declared(function))
}

fn declared(function: wire::Function) -> Tool {
    let schema = function.parameters.filter(|p| !p.is_null());
    Tool {
        name: function.name,
        description: function.description,
        takes: Takes::Json(schema.unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}}))),
        strict: function.strict.unwrap_or(false),
    }
}

fn custom(custom: Option<wire::Custom>, at: usize) -> Result<Tool, Failure> {
    let path = format!("tools[{at}].custom");
    let custom = custom.ok_or_else(|| Failure::invalid(&path, "A tool of type `custom` needs a `custom` object."))?;
    choice::check_name(&custom.name, &format!("{path}.name"))?;
    Ok(Tool {
        name: custom.name,
        description: custom.description,
        takes: Takes::Text,
        strict: false,
    })
}

fn messages(request: &mut wire::Request) -> Result<Vec<Message>, Failure> {
    let messages = request.messages.take().unwrap_or_default();
    let mut decoded = Vec::with_capacity(messages.len() + 1);
    for (at, message) in messages.into_iter().enumerate() {
        decoded.push(self::message(message, &format!("messages[{at}]"))?);
    }
    if let Some(input) = request.new_input.take().filter(|input| !input.is_empty()) {
        decoded.push(Message {
            role: Role::User,
            name: None,
            parts: vec![Part::Text(input)],
        });
    }
    request::check_messages(&decoded, "messages")?;
    Ok(decoded)
}

fn message(message: wire::Message, path: &str) -> Result<Message, Failure> {
    let role = match message.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        other => {
            return Err(Failure::invalid(
                format!("{path}.role"),
                format!("`{other}` is no role: use system, developer, user, assistant or tool."),
            ));
        }
    };
    let mut parts = match message.content {
        None => Vec::new(),
        Some(wire::Content::Text(text)) => vec![Part::Text(text)],
        Some(wire::Content::Parts(parts)) => self::parts(parts, path)?,
    };
    parts.extend(message.refusal.filter(|r| !r.is_empty()).map(Part::Refusal));
    for (at, call) in message.tool_calls.unwrap_or_default().into_iter().enumerate() {
        parts.push(Part::Call(self::call(call, &format!("{path}.tool_calls[{at}]"))?));
    }
    parts.extend(message.function_call.map(|called| Part::Call(called_function(String::new(), called))));
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

fn call(call: wire::ToolCall, path: &str) -> Result<Call, Failure> {
    let id = call.id.unwrap_or_default();
    match (call.function, call.custom) {
        (Some(function), _) => Ok(called_function(id, function)),
        (None, Some(custom)) => Ok(Call {
            id,
            name: custom.name,
            arguments: serde_json::json!({ "input": custom.input }).to_string(),
        }),
        (None, None) => Err(Failure::invalid(path, "A call needs a `function` object with `name` and `arguments`.")),
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

fn parts(parts: Vec<wire::Part>, path: &str) -> Result<Vec<Part>, Failure> {
    let numbered = parts.into_iter().enumerate();
    numbered.map(|(at, part)| self::part(part, &format!("{path}.content[{at}]"))).collect()
}

fn part(part: wire::Part, path: &str) -> Result<Part, Failure> {
    let missing = |field: &str| Failure::invalid(format!("{path}.{field}"), format!("A part of type `{}` needs `{field}`.", part.kind));
    match part.kind.as_str() {
        "text" | "input_text" | "output_text" => Ok(Part::Text(part.text.ok_or_else(|| missing("text"))?)),
        "refusal" => Ok(Part::Refusal(part.refusal.ok_or_else(|| missing("refusal"))?)),
        "image_url" | "input_image" => {
            let url = part.image_url.ok_or_else(|| missing("image_url"))?.url;
            request::picture(url, &format!("{path}.image_url.url")).map(Part::Image)
        }
        "file" | "input_file" => file(part.file.ok_or_else(|| missing("file"))?, path).map(Part::File),
        "input_audio" => {
            let audio = part.input_audio.ok_or_else(|| missing("input_audio"))?;
            let bytes = data_uri::base64(&audio.data);
            let bytes = bytes.ok_or_else(|| Failure::invalid(format!("{path}.input_audio.data"), "The audio is not valid base64."))?;
            Ok(Part::Audio(Media {
                source: Source::Inline(bytes),
                name: None,
                mime: audio.format.map(|format| format!("audio/{format}")),
            }))
        }
        other => Err(Failure::invalid(
            format!("{path}.type"),
            format!("`{other}` is no content part known here: use text, image_url, file, input_audio or refusal."),
        )),
    }
}

fn file(file: wire::File, path: &str) -> Result<Media, Failure> {
    let (source, mime) = match (file.file_data, file.file_id) {
        (Some(data), _) => {
            let data = request::inline(&data);
            let data = data.ok_or_else(|| Failure::invalid(format!("{path}.file.file_data"), "The file is neither a data URI nor valid base64."))?;
            (Source::Inline(data.bytes), data.mime)
        }
        (None, Some(id)) => (Source::FileId(id), None),
        (None, None) => {
            let message = "A file part needs `file_data` or `file_id`.";
            return Err(Failure::new(Kind::Invalid, message).with_param(format!("{path}.file")));
        }
    };
    Ok(Media {
        source,
        name: file.filename,
        mime,
    })
}

#[cfg(test)]
mod tests;
