//! Warnings that may come in masses: told at most once in a while, with how many were left out.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two warnings of one kind.
const PAUSE: Duration = Duration::from_secs(10);

/// When one kind of warning may be told.
#[derive(Debug)]
pub struct Throttle(Mutex<Last>);

#[derive(Debug)]
struct Last {
    last: Option<Instant>,
    left_out: u64,
}

impl Throttle {
    /// A kind of warning that was never told.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Last {
            last: None,
            left_out: 0,
        }))
    }

    /// How many were left out before this one, if it may be told now.
    pub fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = state.last.is_none_or(|last| now >= last + PAUSE);
        if is_due {
            state.last = Some(now);
            return Some(std::mem::take(&mut state.left_out));
        }
        state.left_out += 1;
        None
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new()
    }
}

/// As [`tracing::warn`], but told at most once in a while: for what may come with each request, or in
/// each round of a loop. The field `left_out` says how many were not told before.
macro_rules! warn_throttled {
    ($($fields:tt)+) => {{
        static THROTTLE: $crate::observe::throttle::Throttle =
            $crate::observe::throttle::Throttle::new();
        if let Some(left_out) = THROTTLE.due() {
            tracing::warn!(left_out, $($fields)+);
        }
    }};
}
pub(crate) use warn_throttled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_many_is_told_and_then_one_in_a_while() {
        let throttle = Throttle::new();
        let begun = Instant::now();
        let at = |milliseconds| throttle.due_at(begun + Duration::from_millis(milliseconds));
        assert_eq!(at(0), Some(0));
        assert_eq!((at(1), at(9_999)), (None, None));
        assert_eq!(at(10_000), Some(2));
        assert_eq!(at(10_001), None);
        assert_eq!(at(60_000), Some(1));
    }
}
