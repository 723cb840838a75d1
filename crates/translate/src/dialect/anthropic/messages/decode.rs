//! A messages request becomes a [`ChatRequest`], and the shape its answer must have.
//!
//! **Prefill.** Where the last message is the assistant's, Anthropic's models go on from its last
//! character. A transcript cannot put words into a model's mouth, so the message stays what it is,
//! a note after it asks for its continuation, and the encoder drops the given beginning should the
//! model repeat it. What the client gets is, as on Anthropic's service, only what follows.

mod client_tools;
mod content;
mod history;
mod tools;

use super::encode::{EncodeOptions, Thoughts};
use super::wire;
use crate::bounds;
use crate::chat_request::{
    Attachment, ChatRequest, Delivery, Message, OutputFormat, OutputLimits, Part, Role, Source,
};
use crate::dialect::DecodedRequest;
use crate::dialect::anthropic::error;
use crate::dialect::request::{self, model};
use crate::failure::{Failure, FieldPath, Kind, echo};
use crate::tokens;
use history::History;

/// The note after an assistant's message that is to be continued.
const CONTINUE: &str = "Your message above is not finished. Write only what follows its last character: repeat nothing of it, and do not begin anew.";

/// The line with which Claude Code tells Anthropic's service its version and entry point. It is
/// not meant for the model, and its changing numbers would spoil a provider's prompt cache.
const BILLING_LINE: &str = "x-anthropic-billing-header:";

/// Decodes the body of a request for a message.
///
/// # Errors
/// A failure of kind `Invalid` that names the field at fault.
pub fn decode(body: &[u8]) -> Result<DecodedRequest, Failure> {
    let request: wire::Request = request::parse(body)?;
    if request.max_tokens.is_none() {
        let message = "`max_tokens` is missing: say how many tokens the answer may have at most.";
        return Err(Failure::invalid("max_tokens", message));
    }
    let thoughts = thoughts(request.thinking.as_ref());
    let DecodedChat {
        chat,
        prefill,
        search_is_demanded,
    } = chat(request)?;
    let options = EncodeOptions {
        model: chat.model.clone(),
        input_tokens: input_tokens(body.len(), &chat),
        thoughts,
        prefill,
        query: search_is_demanded.then(|| request::question(&chat.messages)),
    };
    Ok(DecodedRequest {
        chat,
        further: Vec::new(),
        encoder: Box::new(options),
    })
}

/// Decodes the body of a request for a count of tokens: the same, less what is about the answer.
///
/// # Errors
/// As for [`decode`], but `max_tokens` may be missing.
pub fn decode_for_count(body: &[u8]) -> Result<ChatRequest, Failure> {
    chat(request::parse(body)?).map(|decoded| decoded.chat)
}

/// A decoded request, and what its encoder needs of it.
struct DecodedChat {
    chat: ChatRequest,
    /// The beginning of the answer that the client gave.
    prefill: String,
    search_is_demanded: bool,
}

fn chat(mut request: wire::Request) -> Result<DecodedChat, Failure> {
    let (model, online) = model::required(request.model.take(), model::MODEL_IDS)?;
    refuse_what_is_kept_elsewhere(&request)?;
    let wire_messages = request.messages.take().unwrap_or_default();
    if wire_messages.is_empty() {
        request::check_messages(&[], "messages")
            .map_err(|failure| request::with_endpoint_of(failure, &request.ignored))?;
    }
    let history = History::of(&wire_messages);
    if history.wants_citations {
        request.ignore("citations");
    }
    let effort = history.effort.clone().or_else(|| effort(&request));
    let mut messages = messages(request.system.take(), wire_messages)?;
    let answering = request::answers_calls(&messages);
    let tools::Decoded {
        tools,
        search,
        search_is_demanded,
    } = tools::decode(&mut request, history, answering)?;
    let prefill = prefill(&mut messages);
    request::check_messages(&messages, "messages")?;
    let streamed = request.stream == Some(true);
    let chat = ChatRequest {
        messages,
        search: search.or_else(|| online.then(crate::chat_request::WebSearch::default)),
        output: output(&mut request)?,
        limits: limits(&mut request)?,
        choices: 1,
        delivery: if streamed {
            Delivery::Streamed
        } else {
            Delivery::Whole
        },
        effort,
        ignored: request.ignored,
        model,
        tools,
        ..ChatRequest::default()
    };
    Ok(DecodedChat {
        chat,
        prefill,
        search_is_demanded,
    })
}

/// Tools and conversations that only Anthropic's service could reach: to answer without them would
/// be an answer to something else. A thread may begin, for its first request is whole; when it goes
/// on, official clients learn that it is lost and send all of it again.
fn refuse_what_is_kept_elsewhere(request: &wire::Request) -> Result<(), Failure> {
    let servers = request.mcp_servers.as_deref().unwrap_or_default();
    if let Some(server) = servers.first() {
        let name = echo(server.name.as_deref().unwrap_or("unnamed"));
        let message = format!(
            "MCP servers (`{name}`) cannot be called from here: let the client connect to them and pass their tools in `tools`."
        );
        return Err(Failure::invalid("mcp_servers", message));
    }
    if request
        .thread
        .as_ref()
        .is_some_and(|thread| thread.kind.as_deref() == Some("continue"))
    {
        let message = "No thread is kept here: send the whole conversation in `messages`.";
        return Err(Failure::new(Kind::NotFound, message)
            .with_param("thread")
            .with_code(error::THREAD_NOT_FOUND)
            .with_retry(false));
    }
    Ok(())
}

/// How much to think: the client's own word, else what its budget of thoughts amounts to. The
/// steps are those between which Claude Code's words for thinking (4k, 10k, 32k tokens) lie.
fn effort(request: &wire::Request) -> Option<String> {
    let thinking = request.thinking.as_ref();
    if thinking.is_some_and(|thinking| thinking.kind == "disabled") {
        return Some("none".to_owned());
    }
    let said = request
        .output_config
        .as_ref()
        .and_then(|config| config.effort.clone());
    said.or_else(|| {
        let word = match thinking?.budget_tokens?.0 {
            0..=4_096 => "low",
            4_097..=16_384 => "medium",
            _ => "high",
        };
        Some(word.to_owned())
    })
}

/// A client that did not ask for thoughts does not expect a block of them before the text.
fn thoughts(thinking: Option<&wire::Thinking>) -> Thoughts {
    match thinking {
        None => Thoughts::Hidden,
        Some(thinking) if thinking.kind == "disabled" => Thoughts::Hidden,
        Some(thinking) if thinking.display.as_deref() == Some("omitted") => Thoughts::Omitted,
        Some(_) => Thoughts::Shown,
    }
}

/// Anthropic promises that a structured answer matches, so one that does not is a failure.
fn output(request: &mut wire::Request) -> Result<OutputFormat, Failure> {
    let config = request.output_config.take().unwrap_or_default();
    if config.task_budget.is_some() {
        request.ignore("output_config.task_budget");
    }
    let (format, path) = match config.format {
        Some(format) => (Some(format), "output_config.format"),
        None => (request.output_format.take(), "output_format"),
    };
    let Some(format) = format else {
        return Ok(OutputFormat::Text);
    };
    if format.kind != "json_schema" {
        let kind = echo(&format.kind);
        let message = format!("Invalid output format `{kind}`: use json_schema.");
        return Err(Failure::invalid(format!("{path}.type"), message));
    }
    let schema = format.schema.ok_or_else(|| {
        Failure::invalid(format!("{path}.schema"), "`json_schema` needs a `schema`.")
    })?;
    Ok(OutputFormat::Schema {
        name: "response".to_owned(),
        schema: schema.into(),
        strict: true,
    })
}

fn limits(request: &mut wire::Request) -> Result<OutputLimits, Failure> {
    let max_tokens = request.max_tokens.map(|count| count.0);
    if max_tokens == Some(0) {
        let message =
            "`max_tokens` must be at least 1: 0, which fills a prompt cache, is not supported.";
        return Err(Failure::invalid("max_tokens", message));
    }
    let stop = request.stop_sequences.take().unwrap_or_default();
    let field = "stop_sequences";
    bounds::at_most(stop.len(), bounds::STOP_STRINGS_MAX, field, "strings")?;
    if let Some(at) = stop.iter().position(|stop| stop.trim().is_empty()) {
        let path = format!("stop_sequences[{at}]");
        return Err(Failure::invalid(
            path,
            "A stop sequence must contain more than white space.",
        ));
    }
    Ok(OutputLimits { max_tokens, stop })
}

fn messages(
    system: Option<wire::Content>,
    messages: Vec<wire::Message>,
) -> Result<Vec<Message>, Failure> {
    let last_user = messages.iter().rposition(|message| message.role == "user");
    let mut decoded = Vec::with_capacity(messages.len() + 2);
    decoded.extend(
        system
            .map(|content| system_message(content, &"system"))
            .transpose()?
            .flatten(),
    );
    for (at, message) in messages.into_iter().enumerate() {
        let cleared = message.clear_at.as_deref() == Some("next_user_message")
            && last_user.is_some_and(|user| user > at);
        if message.role == "system" && cleared {
            continue;
        }
        decoded.extend(self::message(message, &format_args!("messages[{at}]"))?);
    }
    Ok(decoded)
}

fn message(message: wire::Message, path: FieldPath<'_>) -> Result<Option<Message>, Failure> {
    let content_path = &format_args!("{path}.content");
    let role = match message.role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => {
            let content = message.content.unwrap_or(wire::Content::Blocks(Vec::new()));
            return system_message(content, content_path);
        }
        other => {
            let other = echo(other);
            return Err(Failure::invalid(
                format!("{path}.role"),
                format!("Invalid role `{other}`: use user, assistant or system."),
            ));
        }
    };
    let content = message.content.ok_or_else(|| {
        Failure::invalid(
            content_path.to_string(),
            format!("`{content_path}` is missing."),
        )
    })?;
    Ok(Some(Message {
        role,
        name: None,
        parts: content::parts(content, role, content_path)?,
    }))
}

/// A message of instructions; none if nothing is said in it.
fn system_message(content: wire::Content, path: FieldPath<'_>) -> Result<Option<Message>, Failure> {
    let mut parts = content::parts(content, Role::System, path)?;
    parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty() || text.starts_with(BILLING_LINE)));
    Ok((!parts.is_empty()).then_some(Message {
        role: Role::System,
        name: None,
        parts,
    }))
}

/// Takes up the beginning of an answer that ends the conversation, and gives its text.
fn prefill(messages: &mut Vec<Message>) -> String {
    let Some(last) = messages.last().filter(|last| last.role == Role::Assistant) else {
        return String::new();
    };
    if last.parts.iter().any(|part| matches!(part, Part::Call(_))) {
        return String::new();
    }
    let mut text = String::new();
    for part in &last.parts {
        if let Part::Text(more) = part {
            text.push_str(more);
        }
    }
    if text.trim().is_empty() {
        messages.pop();
        return String::new();
    }
    messages.push(Message {
        role: Role::System,
        name: None,
        parts: vec![Part::Text(CONTINUE.to_owned())],
    });
    text
}

/// What `message_start` says of the tokens read, before upstream has counted: the size of the
/// request, less its images and documents. The true count comes with `message_delta`.
fn input_tokens(body: usize, chat: &ChatRequest) -> u64 {
    let inline: usize = chat
        .messages
        .iter()
        .map(|message| inline_bytes(&message.parts))
        .sum();
    let base64 = inline / 3 * 4;
    tokens::from_bytes(body.saturating_sub(base64) as u64)
}

fn inline_bytes(parts: &[Part]) -> usize {
    let sizes = parts.iter().map(|part| match part {
        Part::Image(Attachment {
            source: Source::Inline(bytes),
            ..
        })
        | Part::File(Attachment {
            source: Source::Inline(bytes),
            ..
        }) => bytes.len(),
        Part::Result(result) => inline_bytes(&result.parts),
        _ => 0,
    });
    sizes.sum()
}

#[cfg(test)]
mod tests;
