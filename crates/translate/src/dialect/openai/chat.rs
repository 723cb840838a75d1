//! `POST /v1/chat/completions`.

pub mod decode;
mod either;
pub mod encode;
pub mod wire;

use crate::dialect::Dialect;
use crate::dialect::openai::error;
use crate::plan::{DialectRules, StrictRules};

/// Chat completions, for the relay.
pub const DIALECT: Dialect = Dialect {
    decode: either::decode,
    failure: |failure, _| error::document(failure),
    fields: DialectRules {
        conversation: "messages",
        output_schema: "response_format.json_schema.schema",
        tool_schema: "function.parameters",
        strict_schemas: StrictRules::OpenAi,
    },
};

/// Parameters that tell how a text is drawn from a model's odds: they mean nothing to an image or
/// a recording.
pub const SAMPLING: [&str; 9] = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "top_logprobs",
];
