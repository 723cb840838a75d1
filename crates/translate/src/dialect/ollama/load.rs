//! Requests that ask nothing: that a model be loaded or unloaded. Here all are always loaded.

use super::encode::{self, Shape};
use super::options::Shared;
use crate::dialect::DecodedRequest;
use crate::failure::Failure;
use crate::reply::ResponseMeta;

/// What a request to either API asks for.
pub enum Decoded {
    /// An answer.
    Chat(Box<DecodedRequest>),
    /// That the model be loaded or unloaded: there is nothing to answer.
    Load(Load),
}

/// A request that a model be loaded or unloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The model as the client named it, less the suffix that asks for web search.
    pub model: String,
    /// Whether the answer is wanted line by line.
    pub streamed: bool,
    name: String,
    shape: Shape,
    unloads: bool,
}

impl Load {
    pub(super) fn new(shape: Shape, shared: Shared) -> Result<Self, Failure> {
        let (unloads, streamed) = (shared.unloads(), shared.is_streamed());
        let name = shared.model.clone().unwrap_or_default();
        let (chat, _) = shared.decode()?;
        Ok(Self {
            model: chat.model,
            streamed,
            name,
            shape,
            unloads,
        })
    }

    /// The answer: one object, on a line of its own.
    #[must_use]
    pub fn answer(&self, meta: &ResponseMeta) -> Vec<u8> {
        let reason = if self.unloads { "unload" } else { "load" };
        encode::without_turn(self.shape, &self.name, meta, reason)
    }
}
