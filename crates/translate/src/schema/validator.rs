//! How schemas are compiled: within bounds, and without a request to anybody.

use jsonschema::{PatternCache, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::bounds::{PATTERN_BACKTRACKS_MAX, PATTERN_BYTES_MAX};

/// Compiles a schema. Patterns that were compiled before are not compiled again.
pub(super) fn build(
    schema: &Value,
    compiled: &PatternCache,
) -> Result<Validator, ValidationError<'static>> {
    let patterns = PatternOptions::fancy_regex()
        .size_limit(PATTERN_BYTES_MAX)
        .backtrack_limit(PATTERN_BACKTRACKS_MAX);
    let options = jsonschema::options()
        .with_pattern_options(patterns)
        .with_pattern_cache(compiled.clone());
    options.build(schema)
}

/// How many values a schema is made of.
pub(super) fn size(schema: &Value) -> usize {
    match schema {
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        _ => 1,
    }
}
