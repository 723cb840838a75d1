//! Interpreting: upstream's text deltas become [`Event`](crate::reply::Event)s.
//!
//! Every stage is a state machine fed with text, in pieces cut anywhere; the events do not depend
//! on the cuts.

pub mod limits;

/// Whether an answer needs more of upstream's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// More text is wanted.
    Continue,
    /// The answer is complete, whatever upstream still has to say: its request can be dropped.
    Stop,
}
