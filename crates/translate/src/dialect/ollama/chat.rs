//! `POST /api/chat`.

pub mod decode;
mod wire;

use super::{error, rules};
use crate::dialect::Dialect;

/// Chats, for the relay.
pub const DIALECT: Dialect = Dialect {
    decode: decode::decode,
    failure: |failure, _| error::document(failure),
    fields: rules("messages"),
};
