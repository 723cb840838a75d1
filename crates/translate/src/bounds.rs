//! What one request may hold, so that the work it asks for stays in proportion to its size. No
//! client that is known comes near; what goes beyond is refused by name, or left out where it is
//! only told.

use crate::failure::Failure;

/// Values of a request's JSON, at any depth: each takes many times the memory of its text.
pub const JSON_VALUES_MAX: usize = 200_000;
/// Entries of one list of messages, input items or content parts.
pub const ENTRIES_MAX: usize = 20_000;
/// Tools that a request may offer, in all places together.
pub const TOOLS_MAX: usize = 2048;
/// Strings at which an answer may end.
pub const STOP_STRINGS_MAX: usize = 256;
/// Parameters without effect that are noted by name.
pub const IGNORED_NAMES_MAX: usize = 100;
/// Prompts of a completion, each of which is answered for itself.
pub const PROMPTS_MAX: usize = 128;
/// Stored items that one request may refer to.
pub const ITEM_REFERENCES_MAX: usize = 1000;
/// Work that may go into one regular expression of a schema, in about microseconds.
pub const PATTERN_WORK_MAX: u64 = 20_000;
/// The same, for all different ones of a request.
pub const REQUEST_PATTERN_WORK_MAX: u64 = 40_000;
/// The work of a schema from which on it is not left to the moment in which it is needed.
pub const LONG_PATTERN_WORK: u64 = 3000;
/// Steps back that an expression may take in one text.
pub const PATTERN_BACKTRACKS_MAX: usize = 20_000;
/// Memory of one compiled regular expression of a schema, in bytes.
pub const PATTERN_BYTES_MAX: usize = 256 * 1024;
/// Parts of one schema: its objects at any depth.
pub const SCHEMA_PARTS_MAX: usize = 50_000;

/// Notes a parameter without effect, once; of too many only that there are more.
pub fn note_ignored(ignored: &mut Vec<String>, name: impl Into<String>) {
    let name = name.into();
    match ignored.len() {
        IGNORED_NAMES_MAX => ignored.push("...".to_owned()),
        count if count < IGNORED_NAMES_MAX && !ignored.contains(&name) => ignored.push(name),
        _ => {}
    }
}

/// Refuses a request that offers more tools than are looked through.
///
/// # Errors
/// There are more than [`TOOLS_MAX`].
pub fn check_tools(count: usize, field: &str) -> Result<(), Failure> {
    at_most(count, TOOLS_MAX, field, "tools")
}

/// Refuses a list that is too long.
///
/// # Errors
/// There are more entries than `most`.
pub fn at_most(count: usize, most: usize, field: &str, what: &str) -> Result<(), Failure> {
    if count <= most {
        return Ok(());
    }
    Err(Failure::invalid(
        field,
        format!("`{field}` takes at most {most} {what}."),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_names_are_noted_once_and_not_without_end() {
        let mut ignored = Vec::new();
        for n in 0..1000 {
            note_ignored(&mut ignored, format!("p{}", n / 2));
        }
        assert_eq!(ignored.len(), IGNORED_NAMES_MAX + 1);
        assert_eq!(ignored.first().map(String::as_str), Some("p0"));
        assert_eq!(ignored.last().map(String::as_str), Some("..."));
    }

    #[test]
    fn a_list_that_is_too_long_is_refused_by_its_name() {
        assert!(check_tools(TOOLS_MAX, "tools").is_ok());
        let failure = check_tools(TOOLS_MAX + 1, "tools").unwrap_err();
        assert_eq!(failure.param.as_deref(), Some("tools"));
    }
}
