//! Counts of what answers of 1min.ai showed to be otherwise than [`crate::facts`] have it. The client
//! takes such answers all the same; whoever runs it can see that something has changed. Counts are
//! of the whole process, and hold nothing of any answer.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::facts::Fact;

static COUNTS: [AtomicU64; Fact::ALL.len()] = [const { AtomicU64::new(0) }; Fact::ALL.len()];

/// Counts an answer that shows a fact to be otherwise.
pub fn count(fact: Fact) {
    if let Some(count) = COUNTS.get(fact as usize) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The facts that were seen to be otherwise since the process began, and how often.
#[must_use]
pub fn counts() -> Vec<(Fact, u64)> {
    let counts = COUNTS.iter().map(|count| count.load(Ordering::Relaxed));
    let counts = Fact::ALL.iter().copied().zip(counts);
    counts.filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_counted_by_its_fact() {
        let before = |fact| {
            counts()
                .iter()
                .find(|(of, _)| *of == fact)
                .map_or(0, |c| c.1)
        };
        let (one, other) = (before(Fact::RateLimited), before(Fact::ContextTooLong));
        count(Fact::RateLimited);
        count(Fact::RateLimited);
        assert_eq!(before(Fact::RateLimited), one + 2);
        assert_eq!(before(Fact::ContextTooLong), other);
    }
}
