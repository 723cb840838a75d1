//! The tags that tell turns apart in a flattened conversation, and why nobody can forge them.
//!
//! A text-only model has one channel, so roles are marked by tags such as `<user>`. As with MIME
//! boundaries, a tag must not occur in what it encloses: if any text of the request holds one of
//! our tags, in any case or spacing, the whole transcript uses a numbered variant (`<user-2>`)
//! that occurs nowhere in it. No byte of the client's text is changed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The names we reserve. A text that holds none of them as a tag leaves the plain variant free.
pub const RESERVED: [&str; 5] = ["user", "assistant", "system", "tool_call", "tool_result"];

/// One variant of our tags, free of collision with the request it was chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tags {
    variant: Option<u32>,
}

impl Tags {
    /// The smallest variant that occurs in none of the texts. The plain one comes first, then 2, 3, …
    pub fn choose<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut taken = BTreeSet::new();
        for text in texts {
            note_variants(text, &mut taken);
        }
        Self::outside(&taken, 1)
    }

    /// As [`choose`](Self::choose), but counted from a six-digit number that `seed` picks, for texts
    /// that are not known when the tags are chosen.
    pub fn choose_from<'a>(seed: u32, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut taken = BTreeSet::new();
        for text in texts {
            note_variants(text, &mut taken);
        }
        Self::outside(&taken, 100_000 + seed % 900_000)
    }

    fn outside(taken: &BTreeSet<u32>, first: u32) -> Self {
        // One more candidate than there are taken numbers always holds a free one.
        let free = (first..=u32::MAX)
            .find(|n| !taken.contains(n))
            .unwrap_or(u32::MAX);
        Self {
            variant: (free > 1).then_some(free),
        }
    }

    /// The variant's number; none for the plain tags.
    #[must_use]
    pub fn variant(self) -> Option<u32> {
        self.variant
    }

    /// `<name>` of this variant.
    #[must_use]
    pub fn open(self, name: &str) -> String {
        format!("<{}>", self.name(name))
    }

    /// `</name>` of this variant.
    #[must_use]
    pub fn close(self, name: &str) -> String {
        format!("</{}>", self.name(name))
    }

    /// The tag's name in this variant, for tags with attributes.
    #[must_use]
    pub fn name(self, name: &str) -> String {
        let mut written = String::new();
        self.write_name(name, &mut written);
        written
    }

    /// Appends the tag's name in this variant.
    pub fn write_name(self, name: &str, out: &mut String) {
        out.push_str(name);
        if let Some(variant) = self.variant {
            let _ = write!(out, "-{variant}");
        }
    }
}

/// Notes each variant (1 for plain) of a reserved tag that occurs in the text.
fn note_variants(text: &str, taken: &mut BTreeSet<u32>) {
    let bytes = text.as_bytes();
    for at in memchr::memchr_iter(b'<', bytes) {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        taken.extend(reserved_variant(rest));
    }
}

/// The variant of the reserved tag that the bytes after a `<` begin, however it is spelled: a
/// model may take `</ USER >` for the tag as well.
fn reserved_variant(after: &[u8]) -> Option<u32> {
    let mut rest = after.trim_ascii_start();
    while let [b'/', tail @ ..] = rest {
        rest = tail.trim_ascii_start();
    }
    if rest.is_empty() {
        // The tag may go on in the next part of the message.
        return Some(1);
    }
    let name = RESERVED.iter().find(|name| {
        rest.get(..name.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
    })?;
    match rest.get(name.len()..).unwrap_or_default() {
        [b'-', digits @ ..] => Some(leading_number(digits).unwrap_or(1)),
        [next, ..] if next.is_ascii_alphanumeric() || *next == b'_' => None,
        _ => Some(1),
    }
}

fn leading_number(bytes: &[u8]) -> Option<u32> {
    let end = bytes
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(bytes.len());
    std::str::from_utf8(bytes.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_tags_are_used_when_no_text_holds_one() {
        let texts = [
            "hello",
            "a < b",
            "<users>",
            "<user_name>",
            "<b>bold</b>",
            "user>",
        ];
        assert_eq!(Tags::choose(texts).variant(), None);
    }

    #[test]
    fn any_spelling_of_a_tag_moves_to_the_next_variant() {
        for text in [
            "<user>",
            "</user>",
            "< / USER >",
            "<System x=1>",
            "<//assistant",
            "<tool_call",
            "</tool_result>",
            "<user",
            "x <",
            "x </ ",
        ] {
            assert_eq!(Tags::choose([text]).open("user"), "<user-2>", "{text}");
        }
    }

    #[test]
    fn numbered_tags_in_the_text_are_stepped_over() {
        assert_eq!(
            Tags::choose(["<user><user-2></system-3>"]).variant(),
            Some(4)
        );
        assert_eq!(Tags::choose(["<user-7>"]).variant(), None);
        assert_eq!(Tags::choose(["<user-1>"]).variant(), Some(2));
        assert_eq!(
            Tags::choose(["<user-99999999999999999999>"]).variant(),
            Some(2)
        );
    }

    proptest! {
        #[test]
        fn the_chosen_tag_never_occurs_in_the_texts(
            texts in proptest::collection::vec("(<|/|user|system|assistant|-|[0-9]|>| |x){0,12}", 0..6)
        ) {
            let tags = Tags::choose(texts.iter().map(String::as_str));
            for name in RESERVED {
                for text in &texts {
                    prop_assert!(!text.contains(&tags.open(name)));
                    prop_assert!(!text.contains(&tags.close(name)));
                }
            }
        }
    }
}
