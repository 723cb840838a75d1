//! Parts of a text, by bytes that may lie outside it.

/// The text from a byte on; empty past the end.
#[must_use]
pub fn from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The text up to a byte; all of it if that byte is no border.
#[must_use]
pub fn to(text: &str, end: usize) -> &str {
    text.get(..end).unwrap_or(text)
}

/// The longest beginning of at most `limit` bytes.
#[must_use]
pub fn at_most(text: &str, limit: usize) -> &str {
    to(text, text.floor_char_boundary(limit))
}
