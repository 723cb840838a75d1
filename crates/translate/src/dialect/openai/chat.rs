//! `POST /v1/chat/completions`.

pub mod decode;
pub mod encode;
pub mod wire;

use crate::dialect::Dialect;
use crate::dialect::openai::error;
use crate::plan::Fields;

/// Chat completions, for the relay.
pub const DIALECT: Dialect = Dialect {
    decode: decode::decode,
    failure: |failure, _| error::document(failure),
    fields: Fields {
        conversation: "messages",
        output_schema: "response_format.json_schema.schema",
        tool_schema: "function.parameters",
    },
};
