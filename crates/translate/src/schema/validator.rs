//! How schemas are compiled: within bounds, and without a request to anybody.

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::bounds::PATTERN_BYTES_MAX;

/// Compiles a schema.
pub(super) fn build(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    let patterns = PatternOptions::fancy_regex().size_limit(PATTERN_BYTES_MAX);
    let options = jsonschema::options().with_pattern_options(patterns);
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
