//! The response object and its output items.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::dialect::openai::error;
use crate::failure::{Failure, Kind};
use crate::reply::{Completion, Finish, ResponseMeta, Usage};

/// What of a request the answer tells back. Fields without effect are among them: a response shows
/// what was asked, the header `x-relay-ignored` what was not done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Echo {
    /// The model.
    pub model: String,
    /// The conversation the request belongs to.
    pub conversation: Option<Value>,
    /// The instructions.
    pub instructions: Option<String>,
    /// The most tokens the answer may have.
    pub max_output_tokens: Option<u64>,
    /// The most calls of OpenAI's own tools.
    pub max_tool_calls: Option<u64>,
    /// The client's labels.
    pub metadata: BTreeMap<String, String>,
    /// Whether several calls may be made in a turn.
    pub parallel_tool_calls: bool,
    /// The response from which the request goes on.
    pub previous_response_id: Option<String>,
    /// A cache hint for OpenAI's own service.
    pub prompt_cache_key: Option<String>,
    /// How much the model should think, and how thoughts are told.
    pub reasoning: Value,
    /// The end user's label.
    pub safety_identifier: Option<String>,
    /// Whether the response is stored.
    pub store: bool,
    /// The temperature.
    pub temperature: Option<Value>,
    /// The form of text.
    pub text: Value,
    /// How the model must choose among the tools.
    pub tool_choice: Value,
    /// The tools.
    pub tools: Vec<Value>,
    /// How many alternatives of each token.
    pub top_logprobs: u64,
    /// The share of likely tokens.
    pub top_p: Option<Value>,
    /// What happens to input that is too long.
    pub truncation: &'static str,
    /// The end user's older label.
    pub user: Option<String>,
}

/// Where a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Completed,
    /// Why the rest is missing.
    Incomplete(&'static str),
    Failed,
}

impl Status {
    pub(super) fn of(finish: &Finish) -> Self {
        match finish {
            Finish::Stop | Finish::StopSequence(_) | Finish::Calls => Self::Completed,
            Finish::Length => Self::Incomplete("max_output_tokens"),
            Finish::Filtered => Self::Incomplete("content_filter"),
        }
    }

    pub(super) fn is_incomplete(self) -> bool {
        matches!(self, Self::Incomplete(_))
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed => "failed",
        }
    }
}

/// The status of an item that is told to its end, or cut.
pub(super) fn status(cut: bool) -> &'static str {
    if cut { "incomplete" } else { "completed" }
}

/// The response object.
#[derive(Debug, Serialize)]
pub(super) struct Response<'a> {
    id: String,
    object: &'static str,
    created_at: u64,
    status: &'static str,
    background: bool,
    completed_at: Option<u64>,
    error: Option<Value>,
    incomplete_details: Option<Value>,
    output: &'a [Value],
    usage: Option<Counts>,
    #[serde(flatten)]
    echo: &'a Echo,
}

impl<'a> Response<'a> {
    pub(super) fn new(
        echo: &'a Echo,
        meta: &ResponseMeta,
        status: Status,
        output: &'a [Value],
    ) -> Self {
        Self {
            id: super::ids::response_id(meta),
            object: "response",
            created_at: meta.created,
            status: status.word(),
            background: false,
            completed_at: None,
            error: None,
            incomplete_details: match status {
                Status::Incomplete(reason) => Some(json!({"reason": reason})),
                _ => None,
            },
            output,
            usage: None,
            echo,
        }
    }

    pub(super) fn ended(self, completion: Completion) -> Self {
        let is_whole = self.status == Status::Completed.word();
        Self {
            completed_at: is_whole.then_some(completion.at),
            usage: Some(Counts::from(completion.usage)),
            ..self
        }
    }

    pub(super) fn with_error(self, failure: &Failure) -> Self {
        let error = json!({"code": failed_code(failure), "message": failure.message});
        Self {
            error: Some(error),
            ..self
        }
    }
}

/// The code of a failed response, of the few that the reference knows. Spent credits have OpenAI's
/// own word besides: clients stop at it, and would repeat the request at any other.
fn failed_code(failure: &Failure) -> &'static str {
    match failure.kind {
        Kind::RateLimited => "rate_limit_exceeded",
        Kind::OutOfCredits => "insufficient_quota",
        Kind::ContextTooLong => "context_length_exceeded",
        Kind::Invalid | Kind::Unsupported | Kind::TooLarge | Kind::ContentRefused => {
            "invalid_prompt"
        }
        _ => "server_error",
    }
}

/// The `error` event's code, as the error object of an HTTP answer has it.
pub(super) fn error_code(failure: &Failure) -> Value {
    let object: Value = serde_json::from_slice(&error::object(failure)).unwrap_or_default();
    object.pointer("/error/code").cloned().unwrap_or_default()
}

/// What an answer took, with the details that the reference requires. Upstream tells of none of
/// them.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
struct InputDetails {
    cache_write_tokens: u64,
    cached_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl From<Usage> for Counts {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            input_tokens_details: InputDetails {
                cache_write_tokens: 0,
                cached_tokens: 0,
            },
            output_tokens: usage.output_tokens,
            output_tokens_details: OutputDetails {
                reasoning_tokens: 0,
            },
            total_tokens: usage.total_tokens(),
        }
    }
}

pub(super) fn text(text: &str) -> Value {
    json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
}

pub(super) fn refusal(refusal: &str) -> Value {
    json!({"type": "refusal", "refusal": refusal})
}

pub(super) fn reasoning_text(text: &str) -> Value {
    json!({"type": "reasoning_text", "text": text})
}

pub(super) fn summary_text(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

pub(super) fn message(id: &str, status: &str, content: &[Value]) -> Value {
    json!({
        "id": id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    })
}

/// Thoughts, as a summary or as they are. Those that are only begun are empty.
pub(super) fn reasoning(id: &str, summary: bool, text: &str) -> Value {
    let told = |part: fn(&str) -> Value| {
        if text.is_empty() {
            json!([])
        } else {
            json!([part(text)])
        }
    };
    if summary {
        json!({"id": id, "type": "reasoning", "summary": told(summary_text)})
    } else {
        json!({"id": id, "type": "reasoning", "summary": [], "content": told(reasoning_text)})
    }
}

pub(super) fn search(id: &str, status: &str, query: &str) -> Value {
    json!({
        "id": id,
        "type": "web_search_call",
        "status": status,
        "action": {"type": "search", "query": query},
    })
}
