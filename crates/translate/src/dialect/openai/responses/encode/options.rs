//! How an answer was asked for, as far as it is written differently.

use super::body::Echo;
use crate::dialect::openai::responses::calls::Callable;

/// How the answer was asked for.
#[derive(Debug, Clone, Default)]
pub struct EncodeOptions {
    /// What of the request is told back.
    pub echo: Echo,
    /// The tools that may be called.
    pub callables: Vec<Callable>,
    /// What is searched for on the web, if anything.
    pub query: Option<String>,
    /// Whether thoughts are told as a summary, for clients that asked for one; else as they are.
    pub summary: bool,
    /// Whether a stream keeps the final response for `Events::response`.
    pub keep: bool,
}

impl EncodeOptions {
    /// The tool that a name was offered for.
    pub(super) fn callable(&self, name: &str) -> Callable {
        let known = self
            .callables
            .iter()
            .find(|callable| callable.offered == name);
        known.cloned().unwrap_or_else(|| Callable::function(name))
    }
}
