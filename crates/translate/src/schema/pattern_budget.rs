//! What the patterns of one request may cost together. A few bytes of a pattern can ask for
//! milliseconds of work, and a request can hold thousands; those that go beyond are left out like
//! those that the engine cannot do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::PatternCache;
use serde_json::json;

use super::{pattern, pattern_work, validator};
use crate::bounds::{PATTERN_WORK_MAX, REQUEST_PATTERN_WORK_MAX};

const DRAFT_7: &str = "http://json-schema.org/draft-07/schema#";

/// What is left to the patterns of a request, and what was compiled of them: each once, in however
/// many schemas it stands. All clones share it.
#[derive(Debug, Clone, Default)]
pub struct PatternBudget(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    compiled: PatternCache,
    looked_at: Mutex<LookedAt>,
}

#[derive(Debug, Default)]
struct LookedAt {
    spent: u64,
    /// Patterns as clients wrote them, and as the engine reads them.
    known: HashMap<String, Option<String>>,
}

impl PatternBudget {
    /// What was compiled, for builds of whole schemas.
    pub(super) fn compiled(&self) -> &PatternCache {
        &self.0.compiled
    }

    /// A pattern as the engine reads it; none if it cannot, or nothing is left.
    pub(super) fn engine_pattern(&self, pattern: &str) -> Option<String> {
        let looked_at = self.0.looked_at.lock();
        let mut looked_at = looked_at.unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = looked_at.known.get(pattern) {
            return known.clone();
        }
        let engines = pattern::rewritten(pattern);
        let work = pattern_work::of(&engines);
        let spent = looked_at.spent.saturating_add(work);
        let mut read = None;
        if work <= PATTERN_WORK_MAX && spent <= REQUEST_PATTERN_WORK_MAX {
            looked_at.spent = spent;
            // An older draft's schema of schemas looks at patterns, too.
            let schema = json!({"$schema": DRAFT_7, "pattern": engines.as_ref()});
            let compiled = validator::build(&schema, &self.0.compiled);
            read = compiled.is_ok().then(|| engines.into_owned());
        }
        looked_at.known.insert(pattern.to_owned(), read.clone());
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_beyond_the_budget_are_left_out_and_known_ones_cost_nothing_more() {
        let budget = PatternBudget::default();
        let costly = |n: usize| format!(r"^(?=.*\p{{L}})(?!.*\p{{N}}).{{1,{}}}$", n + 1);
        let read = (0..1000).filter(|n| budget.engine_pattern(&costly(*n)).is_some());
        let read = read.count();
        assert!((20..100).contains(&read), "{read}");
        assert!(budget.clone().engine_pattern(&costly(0)).is_some());
        let other = PatternBudget::default();
        assert!(other.engine_pattern(&costly(1)).is_some());
    }

    #[test]
    fn ordinary_patterns_of_a_hundred_tools_are_all_read() {
        let budget = PatternBudget::default();
        for n in 0..100 {
            for pattern in [
                format!("^[a-z0-9-]{{1,{}}}$", n + 1),
                format!("^tool{n}_[A-Za-z]+$"),
                r"^\d{4}-\d{2}-\d{2}$".to_owned(),
                format!(r"^(GET|POST|PUT) /v{n}/\w+$"),
                r"^[0-9a-fA-F]{8}\b-[0-9a-fA-F]{4}\b-[0-9a-fA-F]{4}\b-[0-9a-fA-F]{4}\b-[0-9a-fA-F]{12}$"
                    .to_owned(),
                r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$"
                    .to_owned(),
                format!("^https://example{n}\\.org/.*$"),
            ] {
                assert!(budget.engine_pattern(&pattern).is_some(), "{n} {pattern}");
            }
        }
    }

    #[test]
    fn a_pattern_that_asks_for_too_much_by_itself_is_left_out() {
        for pattern in [
            r"^(?=.*(\p{L}{1,99}){1,99})x".to_owned(),
            r"(?i)(\p{Lu}[^\p{N}]){200}".to_owned(),
            "a".repeat(100_000),
        ] {
            assert_eq!(PatternBudget::default().engine_pattern(&pattern), None);
        }
    }
}
