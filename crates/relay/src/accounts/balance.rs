//! What an account has, as 1min.ai's records say it. Credits in thousandths.

use onemin::chat::Accounting;
use serde::{Deserialize, Serialize};

/// What a record says of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What may be used in all; none if it is not said.
    pub limit: Option<i64>,
    /// What was used when the record's request came.
    pub used: i64,
    /// When that was said, in milliseconds since 1970.
    pub at: i64,
}

impl Balance {
    /// Reads what an answer says.
    #[must_use]
    pub fn of(accounting: &Accounting, at: i64) -> Option<Self> {
        let limit = accounting.credit_limit.filter(|limit| *limit > 0.0);
        Some(Self {
            limit: limit.map(milli),
            used: milli(accounting.used_credit?),
            at,
        })
    }

    /// What is left; none if there is no limit.
    #[must_use]
    pub fn left(&self) -> Option<i64> {
        self.limit
            .map(|limit| limit.saturating_sub(self.used).max(0))
    }
}

/// More credits than any account has, in thousandths: sums of so much are far from the largest number.
pub const CREDITS_MAX: i64 = 1_000_000_000_000_000;

/// Credits in thousandths, at most [`CREDITS_MAX`].
#[must_use]
pub fn milli(credits: f64) -> i64 {
    let thousandths = i64::try_from(onemin::prices::from_credits(credits));
    thousandths.map_or(CREDITS_MAX, |thousandths| thousandths.min(CREDITS_MAX))
}
