//! Names of tools, as every dialect takes them.

use crate::failure::{Failure, FieldPath};

/// The longest name a tool may have. OpenAI allows 64; some clients prefix names and go beyond.
const MAX_NAME: usize = 128;

/// Refuses a name that could not be called.
///
/// # Errors
/// An empty or overlong name, or one with spaces, quotes or angle brackets.
pub fn check(name: &str, param: FieldPath<'_>) -> Result<(), Failure> {
    let good = |c: char| c.is_alphanumeric() || "_-.:/".contains(c);
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(good) {
        return Err(Failure::invalid(
            param.to_string(),
            format!("A tool's name has 1 to {MAX_NAME} letters, digits, `_`, `-` or `.`."),
        ));
    }
    Ok(())
}
