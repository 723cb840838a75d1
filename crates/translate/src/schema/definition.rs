//! A schema as a client wrote it, compiled at most once for a request.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::{PatternBudget, Schema, patterns};

/// A JSON Schema of a tool or an answer. Compiling one costs much more than a check against it; so it
/// is compiled when it is first needed, and all attempts of a request, and all clones, share that.
#[derive(Clone)]
pub struct Definition(Arc<Inner>);

struct Inner {
    value: Value,
    compiled: OnceLock<Result<Schema, String>>,
    patterns: OnceLock<PatternBudget>,
}

impl Definition {
    /// The schema, compiled.
    ///
    /// # Errors
    /// Why it cannot be compiled, in words for the client.
    pub fn compiled(&self) -> Result<&Schema, &str> {
        let patterns = || self.0.patterns.get_or_init(PatternBudget::default);
        let compile = || Schema::compile(&self.0.value, patterns());
        let compiled = self.0.compiled.get_or_init(compile);
        compiled.as_ref().map_err(String::as_str)
    }

    /// Has its patterns draw on a request's budget, unless it was compiled or has one already.
    pub fn share(&self, patterns: &PatternBudget) {
        let _ = self.0.patterns.set(patterns.clone());
    }

    /// What compiling its patterns takes at most, as [`LONG_PATTERN_WORK`](crate::bounds::LONG_PATTERN_WORK)
    /// counts.
    #[must_use]
    pub fn pattern_work(&self) -> u64 {
        patterns::work(&self.0.value)
    }
}

impl From<Value> for Definition {
    fn from(value: Value) -> Self {
        Self(Arc::new(Inner {
            value,
            compiled: OnceLock::new(),
            patterns: OnceLock::new(),
        }))
    }
}

impl Deref for Definition {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0.value
    }
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.0.value == other.0.value
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_is_compiled_once_for_all_its_clones() {
        let definition = Definition::from(json!({"type": "object"}));
        let clone = definition.clone();
        let compiled = definition.compiled().unwrap();
        assert!(std::ptr::eq(compiled, clone.compiled().unwrap()));
        assert_eq!(clone, Definition::from(json!({"type": "object"})));
        assert!(Definition::from(json!({"type": 7})).compiled().is_err());
    }
}
