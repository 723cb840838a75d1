//! Words of a client inside the tags of a transcript.

/// A client's word as the value of an attribute: nothing in it can end the value or the tag.
pub(super) fn attribute(word: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || "_-.: ".contains(c);
    word.chars().take(128).filter(|c| safe(*c)).collect()
}
