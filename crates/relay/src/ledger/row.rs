//! What the ledger keeps: rows of requests, holds of calls under way. Credits are thousandths,
//! times milliseconds since 1970.

use serde::{Deserialize, Serialize};

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowKind {
    /// A request.
    #[default]
    Request,
    /// Spent at 1min.ai, but not through this relay.
    Outside,
}

impl RowKind {
    /// Its word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Outside => "outside",
        }
    }
}

/// How the cost of a row is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CostSource {
    /// There was surely no cost.
    #[default]
    None,
    /// 1min.ai said it.
    Reported,
    /// The movement of the account's used credits tells it.
    Inferred,
    /// It is the listed price, or the estimate.
    Estimated,
    /// The process died before it was known; it is the estimate.
    Unknown,
}

impl CostSource {
    /// Its word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Reported => "reported",
            Self::Inferred => "inferred",
            Self::Estimated => "estimated",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the real cost may still become known.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Estimated | Self::Unknown)
    }
}

/// A row of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Unique; for requests, that of the request.
    pub id: String,
    /// When the request began.
    pub at: i64,
    /// What it is about.
    pub kind: RowKind,
    /// The access key; empty without one.
    pub key_id: String,
    /// The account that paid; empty if the caller's own.
    pub account: String,
    /// The endpoint's name in the log.
    pub api: String,
    /// The model.
    pub model: String,
    /// Whether the answer was streamed.
    pub streamed: bool,
    /// `answered`, `left`, `refused:<kind>`, `failed:<kind>`, `lost`.
    pub outcome: String,
    /// The status of the answer.
    pub status: u16,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Who counted them: `reported` or `estimated`; empty if there are none.
    pub tokens_by: String,
    /// What it cost.
    pub credits: i64,
    /// How that is known.
    pub source: CostSource,
    /// Paid calls of 1min.ai.
    pub calls: u32,
    /// From the request's arrival to its end, in milliseconds.
    pub ms: i64,
    /// To the first byte of the answer.
    pub first_byte_ms: Option<i64>,
    /// For the operator.
    pub note: String,
    /// The holds that it settles.
    pub settles: Vec<SettledHold>,
}

impl LedgerRow {
    /// Whether the request was not answered.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.kind == RowKind::Request && self.outcome != "answered"
    }
}

/// A hold that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledHold {
    /// Its id.
    pub id: String,
    /// What was held.
    pub credits: i64,
    /// Whether it is part of the shared counters.
    pub counted: bool,
}

/// A paid call under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRow {
    /// Unique.
    pub id: String,
    /// The request.
    pub request: String,
    /// The access key; empty without one.
    pub key_id: String,
    /// The account that pays; empty if the caller's own, or not known yet.
    pub account: String,
    /// The endpoint's name in the log.
    pub api: String,
    /// The model.
    pub model: String,
    /// The estimate.
    pub credits: i64,
    /// When the request began.
    pub at: i64,
    /// When it is given up.
    pub expires: i64,
    /// Whether it is part of the shared counters.
    pub counted: bool,
    /// Whether it outlives the process.
    pub job: bool,
}
