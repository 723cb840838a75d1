//! `POST /v1/completions`, the older API: a text goes in, and what follows it comes out.

pub mod decode;
pub mod encode;
pub mod wire;

use crate::dialect::Dialect;
use crate::dialect::openai::error;
use crate::plan::{DialectRules, StrictRules};

/// Legacy completions, for the relay.
pub const DIALECT: Dialect = Dialect {
    decode: decode::decode,
    failure: |failure, _| error::document(failure),
    fields: DialectRules {
        conversation: "prompt",
        output_schema: "response_format.json_schema.schema",
        tool_schema: "function.parameters",
        strict_schemas: StrictRules::OpenAi,
    },
};
