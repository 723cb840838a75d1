//! JSON Schemas in requests.

use serde_json::Value;

use crate::failure::{Failure, FieldPath};

/// Checks that a value can be a JSON Schema: an object, or one of the two booleans.
///
/// # Errors
/// It cannot; `path` is at fault.
pub(super) fn check(schema: &Value, path: FieldPath<'_>) -> Result<(), Failure> {
    if schema.is_object() || schema.is_boolean() {
        return Ok(());
    }
    Err(Failure::invalid(
        path.to_string(),
        format!("`{path}` must be a JSON Schema: an object."),
    ))
}
