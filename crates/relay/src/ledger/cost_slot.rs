//! What an answer's headers tell of its cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What the headers of every answer tell of its cost: thousandths of a credit.
#[derive(Debug, Clone, Default)]
pub struct CostSlot(Arc<Costs>);

#[derive(Debug)]
struct Costs {
    estimate: AtomicI64,
    left: AtomicI64,
}

/// What is not known.
const UNSET: i64 = -1;

impl Default for Costs {
    fn default() -> Self {
        Self {
            estimate: AtomicI64::new(UNSET),
            left: AtomicI64::new(UNSET),
        }
    }
}

impl CostSlot {
    /// What the request's calls were estimated to cost, once one was asked for.
    #[must_use]
    pub fn estimate(&self) -> Option<i64> {
        Some(self.0.estimate.load(Ordering::Relaxed)).filter(|credits| *credits >= 0)
    }

    /// What is left of the caller's tightest budget, if it has any.
    #[must_use]
    pub fn left(&self) -> Option<i64> {
        Some(self.0.left.load(Ordering::Relaxed)).filter(|credits| *credits >= 0)
    }

    pub(super) fn add(&self, estimate: i64) {
        let before = self.0.estimate.fetch_add(estimate, Ordering::Relaxed);
        if before == UNSET {
            self.0.estimate.fetch_add(-UNSET, Ordering::Relaxed);
        }
    }

    pub(super) fn set_left(&self, left: i64) {
        self.0.left.store(left, Ordering::Relaxed);
    }
}
