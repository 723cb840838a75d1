//! `POST /v1/responses`, and the shapes of what hangs on it: stored responses, their input items,
//! conversations.
//!
//! This crate keeps nothing. [`decode::read`] says what of the past a request refers to;
//! [`decode::ResponsesRequest::continued`] takes it as JSON values. What there is to store is
//! [`decode::Decoded::input`] and the answer's JSON: the whole document, or
//! [`encode::Events::response`] at the end of a stream.

pub mod calls;
pub mod conversations;
pub mod decode;
pub mod encode;
pub mod items;
pub mod stored;
pub mod wire;

use crate::dialect::Dialect;
use crate::dialect::openai::error;
use crate::plan::{DialectRules, StrictRules};

/// Responses without a store, for the relay.
pub const DIALECT: Dialect = Dialect {
    decode: decode::decode,
    failure: |failure, _| error::document(failure),
    fields: DialectRules {
        conversation: "input",
        output_schema: "text.format.schema",
        tool_schema: "parameters",
        strict_schemas: StrictRules::OpenAi,
    },
};
