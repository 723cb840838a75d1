//! `metadata`, the client's own labels of what is kept, within OpenAI's bounds.

use std::collections::BTreeMap;

use crate::failure::Failure;

/// The most labels.
const LABELS_MAX: usize = 16;
/// The most characters of a label's name, and of the label.
const LONGEST: (usize, usize) = (64, 512);

/// Refuses labels that OpenAI would not keep.
///
/// # Errors
/// Too many labels, or one that is too long.
pub fn check(labels: &BTreeMap<String, String>) -> Result<(), Failure> {
    let (name, text) = LONGEST;
    let fits = |(key, value): (&String, &String)| {
        key.chars().count() <= name && value.chars().count() <= text
    };
    if labels.len() <= LABELS_MAX && labels.iter().all(fits) {
        return Ok(());
    }
    let message = format!(
        "`metadata` must hold at most {LABELS_MAX} strings of at most {text} characters under names of at most {name}."
    );
    Err(Failure::invalid("metadata", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_few_and_short() {
        let one = |key: String, value: String| BTreeMap::from([(key, value)]);
        let many = |count: usize| {
            (0..count)
                .map(|n| (n.to_string(), "é".repeat(512)))
                .collect()
        };
        let table = [
            (many(0), true),
            (many(16), true),
            (many(17), false),
            (one("k".repeat(64), String::new()), true),
            (one("k".repeat(65), String::new()), false),
            (one("k".to_owned(), "é".repeat(513)), false),
        ];
        for (labels, fit) in table {
            assert_eq!(check(&labels).is_ok(), fit, "{labels:?}");
        }
    }
}
