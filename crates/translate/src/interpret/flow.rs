//! Whether to read on.

/// Whether an answer needs more of upstream's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// More text is wanted.
    Continue,
    /// The answer is complete, whatever upstream still has to say: its request can be dropped.
    Stop,
}
