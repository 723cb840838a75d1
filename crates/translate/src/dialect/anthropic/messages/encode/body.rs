//! The answer's JSON as Anthropic's SDKs type it: what they call required is always there, be it
//! `null`.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::dialect::json;
use crate::reply::{Finish, Usage};

/// A message, whole or at its start.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    pub(super) content: Vec<Block<'a>>,
    #[serde(flatten)]
    pub(super) stop: Stop<'a>,
    container: (),
    diagnostics: (),
    usage: Counts,
}

impl<'a> Message<'a> {
    /// A message in which nothing is said yet.
    pub(super) fn new(meta: &str, model: &'a str, usage: Counts) -> Self {
        Self {
            id: format!("msg_{meta}"),
            kind: "message",
            role: "assistant",
            model,
            content: Vec::new(),
            stop: Stop::default(),
            container: (),
            diagnostics: (),
            usage,
        }
    }
}

/// A content block.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
        citations: (),
    },
    Thinking {
        thinking: &'a str,
        signature: &'static str,
    },
    ServerToolUse {
        id: String,
        caller: Caller,
        name: &'static str,
        input: SearchInput<'a>,
    },
    WebSearchToolResult {
        tool_use_id: String,
        caller: Caller,
        content: [(); 0],
    },
    ToolUse {
        id: String,
        caller: Caller,
        name: &'a str,
        input: Input<'a>,
    },
}

/// Who called a tool: the model itself, not code that it runs on Anthropic's machines.
#[derive(Serialize)]
pub(super) struct Caller {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The input of a search; nothing of it is known where a stream begins it.
#[derive(Serialize)]
pub(super) struct SearchInput<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
}

/// The input of a search as JSON text.
pub(super) fn query_json(query: &str) -> String {
    let query = Some(query);
    String::from_utf8(json::text(&SearchInput { query })).unwrap_or_default()
}

/// The model itself.
const DIRECT: Caller = Caller { kind: "direct" };

/// A call's input, byte for byte as the model wrote it.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Input<'a> {
    Given(&'a RawValue),
    Nothing {},
}

impl<'a> Block<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text {
            text,
            citations: (),
        }
    }

    pub(super) fn thinking(thinking: &'a str, signature: &'static str) -> Self {
        Self::Thinking {
            thinking,
            signature,
        }
    }

    pub(super) fn search(id: String, query: Option<&'a str>) -> Self {
        Self::ServerToolUse {
            id,
            caller: DIRECT,
            name: "web_search",
            input: SearchInput { query },
        }
    }

    pub(super) fn search_result(tool_use_id: String) -> Self {
        Self::WebSearchToolResult {
            tool_use_id,
            caller: DIRECT,
            content: [],
        }
    }

    pub(super) fn call(id: String, name: &'a str, arguments: &'a str) -> Self {
        let given: Option<&RawValue> = serde_json::from_str(arguments).ok();
        let given = given.filter(|given| given.get().starts_with('{'));
        Self::ToolUse {
            id,
            caller: DIRECT,
            name,
            input: given.map_or(Input::Nothing {}, Input::Given),
        }
    }
}

/// Why the answer ended; all `null` while it has not.
#[derive(Default, Serialize)]
pub(super) struct Stop<'a> {
    #[serde(rename = "stop_reason")]
    reason: Option<&'static str>,
    #[serde(rename = "stop_sequence")]
    sequence: Option<&'a str>,
    #[serde(rename = "stop_details")]
    details: Option<Details>,
}

/// What there is to say about a refusal: that it is one.
#[derive(Serialize)]
struct Details {
    #[serde(rename = "type")]
    kind: &'static str,
    category: (),
    explanation: (),
}

impl<'a> Stop<'a> {
    pub(super) fn of(finish: &'a Finish, refused: bool) -> Self {
        const REFUSAL: &str = "refusal";
        let reason = match finish {
            Finish::Stop if refused => REFUSAL,
            Finish::Stop => "end_turn",
            Finish::StopSequence(_) => "stop_sequence",
            Finish::Length => "max_tokens",
            Finish::Calls => "tool_use",
            Finish::Filtered => REFUSAL,
        };
        Self {
            reason: Some(reason),
            sequence: match finish {
                Finish::StopSequence(stop) => Some(stop),
                _ => None,
            },
            details: (reason == REFUSAL).then_some(Details {
                kind: REFUSAL,
                category: (),
                explanation: (),
            }),
        }
    }
}

/// `usage` of a message. Nothing is known of a prompt cache, so all input is counted as read afresh.
#[derive(Serialize)]
pub(super) struct Counts {
    input_tokens: u64,
    output_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: (),
    inference_geo: (),
    output_tokens_details: (),
    server_tool_use: Option<ServerToolUse>,
    service_tier: (),
    speed: (),
}

/// What Anthropic's own tools did.
#[derive(Serialize)]
struct ServerToolUse {
    web_search_requests: u64,
    web_fetch_requests: u64,
}

impl ServerToolUse {
    fn of(searches: Option<u64>) -> Option<Self> {
        searches.map(|web_search_requests| Self {
            web_search_requests,
            web_fetch_requests: 0,
        })
    }
}

impl Counts {
    /// With so many searches.
    pub(super) fn with_searches(self, searches: Option<u64>) -> Self {
        Self {
            server_tool_use: ServerToolUse::of(searches),
            ..self
        }
    }

    pub(super) fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Self {
            input_tokens,
            output_tokens,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 0,
            cache_creation: (),
            inference_geo: (),
            output_tokens_details: (),
            server_tool_use: None,
            service_tier: (),
            speed: (),
        }
    }
}

impl From<Usage> for Counts {
    fn from(usage: Usage) -> Self {
        Self::new(usage.input_tokens, usage.output_tokens)
    }
}

/// `usage` of `message_delta`: the true counts, in place of those at the start.
#[derive(Serialize)]
pub(super) struct DeltaCounts {
    input_tokens: u64,
    output_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens_details: (),
    server_tool_use: Option<ServerToolUse>,
}

impl DeltaCounts {
    pub(super) fn new(usage: Usage, searches: Option<u64>) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 0,
            output_tokens_details: (),
            server_tool_use: ServerToolUse::of(searches),
        }
    }
}

/// `message_start`.
#[derive(Serialize)]
pub(super) struct MessageStart<'a> {
    pub(super) message: Message<'a>,
}

/// `content_block_start`.
#[derive(Serialize)]
pub(super) struct BlockStart<'a> {
    pub(super) index: usize,
    pub(super) content_block: Block<'a>,
}

/// The `content_block_delta` with which a block of thoughts is sealed.
#[derive(Serialize)]
pub(super) struct Sealed {
    index: usize,
    delta: Seal,
}

#[derive(Serialize)]
struct Seal {
    #[serde(rename = "type")]
    kind: &'static str,
    signature: &'static str,
}

impl Sealed {
    pub(super) fn new(index: usize, signature: &'static str) -> Self {
        let delta = Seal {
            kind: "signature_delta",
            signature,
        };
        Self { index, delta }
    }
}

/// `content_block_stop`.
#[derive(Serialize)]
pub(super) struct BlockStop {
    pub(super) index: usize,
}

/// `message_delta`.
#[derive(Serialize)]
pub(super) struct MessageDelta<'a> {
    pub(super) delta: End<'a>,
    pub(super) usage: DeltaCounts,
}

/// What `message_delta` changes of the message.
#[derive(Serialize)]
pub(super) struct End<'a> {
    #[serde(flatten)]
    pub(super) stop: Stop<'a>,
    pub(super) container: (),
}

/// `message_stop`.
#[derive(Serialize)]
pub(super) struct MessageStop {}
