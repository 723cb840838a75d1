//! A turn as readable text. Every field is taken apart by name, so that a new one cannot be forgotten.

use std::fmt::Write as _;

use translate::chat_request::{
    Attachment, Call, CallResult, ChatRequest, Message, OutputFormat, OutputLimits, Part, Source,
    Tool, ToolChoice, ToolInput, Tools, WebSearch,
};

/// Writes a turn; what is as it is by default is left out.
pub(crate) fn written(chat: &ChatRequest) -> String {
    let ChatRequest {
        model,
        messages,
        tools,
        output,
        limits,
        search,
        effort,
        choices,
        delivery,
        code,
        extra_params,
        ignored,
    } = chat;
    let mut text = format!("model: {model}\ndelivery: {delivery:?}\n");
    if *choices != 1 {
        line(&mut text, 0, format!("choices: {choices}"));
    }
    self::limits(limits, &mut text);
    if let Some(WebSearch { sites, words }) = search {
        line(
            &mut text,
            0,
            format!("search: sites {sites:?}, words {words:?}"),
        );
    }
    if let Some(effort) = effort {
        line(&mut text, 0, format!("effort: {effort}"));
    }
    if *code {
        line(&mut text, 0, "code: by its generator");
    }
    if !extra_params.is_empty() {
        let extra_params = serde_json::to_string(extra_params).unwrap();
        line(&mut text, 0, format!("extra_params: {extra_params}"));
    }
    if !ignored.is_empty() {
        line(&mut text, 0, format!("ignored: {}", ignored.join(", ")));
    }
    self::output(output, &mut text);
    self::tools(tools, &mut text);
    for message in messages {
        self::message(message, &mut text);
    }
    text
}

fn line(text: &mut String, depth: usize, words: impl std::fmt::Display) {
    writeln!(text, "{}{words}", "  ".repeat(depth)).unwrap();
}

fn limits(OutputLimits { max_tokens, stop }: &OutputLimits, text: &mut String) {
    if let Some(max_tokens) = max_tokens {
        line(text, 0, format!("max tokens: {max_tokens}"));
    }
    for stop in stop {
        line(text, 0, format!("stop: {stop:?}"));
    }
}

fn output(output: &OutputFormat, text: &mut String) {
    match output {
        OutputFormat::Text => {}
        OutputFormat::Json => line(text, 0, "output: JSON"),
        OutputFormat::Schema {
            name,
            schema,
            strict,
        } => {
            line(
                text,
                0,
                format!(
                    "output: JSON by the schema {name}{}",
                    if *strict { ", strict" } else { "" }
                ),
            );
            line(text, 1, schema);
        }
    }
}

fn tools(tools: &Tools, text: &mut String) {
    let Tools {
        offered,
        choice,
        one_at_a_time,
    } = tools;
    if *choice != ToolChoice::Auto || *one_at_a_time {
        line(
            text,
            0,
            format!(
                "choice: {choice:?}{}",
                if *one_at_a_time {
                    ", one at a time"
                } else {
                    ""
                }
            ),
        );
    }
    for tool in offered {
        let Tool {
            name,
            description,
            input,
            strict,
        } = tool;
        line(
            text,
            0,
            format!("tool {name}{}", if *strict { ", strict" } else { "" }),
        );
        if let Some(description) = description {
            line(text, 1, format!("{description:?}"));
        }
        match input {
            ToolInput::Text => line(text, 1, "takes text"),
            ToolInput::Json(schema) => line(text, 1, format!("takes {schema}")),
        }
    }
}

fn message(message: &Message, text: &mut String) {
    let Message { role, name, parts } = message;
    let name = name
        .as_deref()
        .map(|name| format!(" {name:?}"))
        .unwrap_or_default();
    line(text, 0, format!("{role:?}{name}"));
    self::parts(parts, 1, text);
}

fn parts(parts: &[Part], depth: usize, text: &mut String) {
    for part in parts {
        match part {
            Part::Text(words) => line(text, depth, format!("text {words:?}")),
            Part::Refusal(words) => line(text, depth, format!("refusal {words:?}")),
            Part::Reasoning(words) => line(text, depth, format!("reasoning {words:?}")),
            Part::Image(media) => line(text, depth, format!("image {}", self::media(media))),
            Part::File(media) => line(text, depth, format!("file {}", self::media(media))),
            Part::Audio(media) => line(text, depth, format!("audio {}", self::media(media))),
            Part::Call(Call {
                id,
                name,
                arguments,
            }) => line(text, depth, format!("call {id:?} {name} {arguments}")),
            Part::Result(CallResult {
                call_id,
                name,
                parts,
                is_error,
            }) => {
                let error = if *is_error { ", an error" } else { "" };
                line(
                    text,
                    depth,
                    format!(
                        "result of {call_id:?} {}{error}",
                        name.as_deref().unwrap_or_default()
                    ),
                );
                self::parts(parts, depth + 1, text);
            }
        }
    }
}

fn media(media: &Attachment) -> String {
    let Attachment { source, name, mime } = media;
    let source = match source {
        Source::Url(url) => format!("at {url}"),
        Source::Inline(bytes) => format!("of {} bytes", bytes.len()),
        Source::FileId(id) => format!("with the id {id}"),
    };
    let name = name
        .as_deref()
        .map(|name| format!(", named {name:?}"))
        .unwrap_or_default();
    let mime = mime
        .as_deref()
        .map(|mime| format!(", said to be {mime}"))
        .unwrap_or_default();
    format!("{source}{name}{mime}")
}
