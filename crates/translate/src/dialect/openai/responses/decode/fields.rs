//! Parts of a request that are kept as JSON values, read so that an error names the place.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::dialect::request;
use crate::dialect::request::forms::Object;
use crate::failure::{Failure, FieldPath};

/// Reads an object that stands at a path of the request.
pub(super) fn read<T: DeserializeOwned>(value: &Value, path: FieldPath<'_>) -> Result<T, Failure> {
    match Object::<T>::deserialize(value) {
        Ok(object) => Ok(object.0),
        Err(error) => Err(explain::<T>(value, path, &error.to_string())),
    }
}

/// Only a value that failed is written out and read once more, to learn which field it was.
fn explain<T: DeserializeOwned>(value: &Value, path: FieldPath<'_>, words: &str) -> Failure {
    let body = value.to_string();
    let Err(failure) = request::parse::<Object<T>>(body.as_bytes()) else {
        return Failure::invalid(
            path.to_string(),
            format!("`{path}` cannot be read: {words}."),
        );
    };
    let Some(field) = failure.param else {
        let message = failure
            .message
            .replace("The request body", &format!("`{path}`"));
        return Failure::invalid(path.to_string(), message);
    };
    let full = format!("{path}.{field}");
    let message = failure.message.replacen(&field, &full, 1);
    Failure::invalid(full, message)
}
