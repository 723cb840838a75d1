//! The JSON of a chat completion, and what its chunks share with it.

use serde::Serialize;

use crate::dialect::json;
use crate::reply::Usage;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ToolCall<'a> {
    Function {
        id: String,
        function: CalledFunction<'a>,
    },
    Custom {
        id: String,
        custom: CalledCustom<'a>,
    },
}

#[derive(Serialize)]
pub(super) struct CalledFunction<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
}

#[derive(Serialize)]
pub(super) struct CalledCustom<'a> {
    pub(super) name: &'a str,
    pub(super) input: String,
}

/// `usage`.
pub(super) struct Counts {
    prompt: u64,
    completion: u64,
    total: u64,
}

impl Counts {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"prompt_tokens\":");
        json::write(&self.prompt, out);
        out.extend_from_slice(b",\"completion_tokens\":");
        json::write(&self.completion, out);
        out.extend_from_slice(b",\"total_tokens\":");
        json::write(&self.total, out);
        out.push(b'}');
    }
}

impl From<Usage> for Counts {
    fn from(usage: Usage) -> Self {
        Self {
            prompt: usage.input_tokens,
            completion: usage.output_tokens,
            total: usage.total_tokens(),
        }
    }
}
