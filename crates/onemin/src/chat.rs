//! Chat: what is asked, what is answered, and reading the answer as it comes.
//!
//! `POST /api/chat-with-ai` takes one prompt text and gives one text, whole or streamed.

mod condense;
mod crawl;
mod fragment;
mod open;
mod passing;
mod reader;
pub(crate) mod record;
mod repeat;
mod request;
mod sniff;
pub mod sse;
mod stream;

pub(crate) use crawl::strip as strip_progress;
pub use open::Stream;
pub(crate) use reader::Reader;
pub use request::{Request, WebSearch};
pub use stream::Decoder;

/// An answer that came whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The text, never empty, without upstream's progress lines.
    pub text: String,
    /// What upstream says about it.
    pub accounting: Accounting,
}

/// What upstream says about an answer besides its text. Any of it may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accounting {
    /// Tokens, if upstream counted them (all zero means that it did not).
    pub usage: Option<Usage>,
    /// Credits charged; fractions occur.
    pub credits: Option<f64>,
    /// Why the answer ended, in the word of the provider behind 1min.ai.
    pub finish_reason: Option<String>,
    /// The id of upstream's record of this answer.
    pub record_id: Option<String>,
    /// How long the provider worked, in seconds.
    pub execution_seconds: Option<f64>,
}

/// Tokens as upstream billed them; its own overhead is in `input`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Tokens in.
    pub input: u64,
    /// Tokens out.
    pub output: u64,
    /// Their sum, as upstream gave it, else computed.
    pub total: u64,
}

/// How far a streamed answer is.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Something came, more will.
    More,
    /// The answer is complete.
    Done(Accounting),
}
