//! JSON Schemas in requests.

use serde_json::Value;

use crate::failure::Failure;

/// Checks that a value can be a JSON Schema: an object, or one of the two booleans.
///
/// # Errors
/// It cannot; `path` is at fault.
pub(super) fn check(schema: &Value, path: &str) -> Result<(), Failure> {
    if schema.is_object() || schema.is_boolean() {
        return Ok(());
    }
    Err(Failure::invalid(
        path,
        format!("`{path}` must be a JSON Schema: an object."),
    ))
}
