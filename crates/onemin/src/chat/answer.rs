//! What is known of an answer: its text, its cost, and how far a stream is.

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
    /// Credits that the member whose key it is may use in all (`teamUser.creditLimit`).
    pub credit_limit: Option<f64>,
    /// Credits that this member had used when the request came (`teamUser.usedCredit`). It lags by
    /// one request: the cost of this answer shows in the next record only.
    pub used_credit: Option<f64>,
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
