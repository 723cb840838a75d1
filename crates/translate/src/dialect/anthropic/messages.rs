//! `POST /v1/messages` and `POST /v1/messages/count_tokens`, in both API versions (2023-06-01 and
//! 2026-10-21): their bodies differ only in fields that have no effect here.

pub mod count;
pub mod decode;
pub mod encode;
pub mod wire;

use crate::dialect::Dialect;
use crate::dialect::anthropic::error;
use crate::plan::{DialectRules, StrictRules};

/// Messages, for the relay.
pub const DIALECT: Dialect = Dialect {
    decode: decode::decode,
    failure: error::document,
    fields: DialectRules {
        conversation: "messages",
        output_schema: "output_config.format.schema",
        tool_schema: "input_schema",
        strict_schemas: StrictRules::Anthropic,
    },
};
