//! `POST /v1/chat/completions`.

pub mod decode;
pub mod encode;
pub mod wire;

use crate::dialect::Dialect;
use crate::dialect::openai::error;

/// Chat completions, for the relay.
pub const DIALECT: Dialect = Dialect {
    decode: decode::decode,
    failure: error::document,
};
