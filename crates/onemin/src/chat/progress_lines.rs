//! Upstream's progress lines (`🌐 Crawling site <url>`), which with web search are mixed into the
//! text, and are taken out again.

use std::borrow::Cow;

const MARKER: &str = "🌐 Crawling site ";

/// Takes the lines out of a text that comes in pieces. Text is held back only while it can still
/// be the beginning of the marker.
#[derive(Debug)]
pub(crate) struct Stripper {
    place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    /// At the beginning of a line, so many bytes of the marker seen and held back.
    Matching(usize),
    /// Within a line that is text.
    Text,
    /// Within a progress line.
    Dropping,
}

impl Default for Stripper {
    fn default() -> Self {
        Self {
            place: Place::Matching(0),
        }
    }
}

impl Stripper {
    /// Takes the next piece, and gives what is text.
    pub(crate) fn push(&mut self, piece: &str, out: &mut dyn FnMut(&str)) {
        let mut left = piece;
        while !left.is_empty() {
            left = match self.place {
                Place::Matching(held) => self.compare(held, left, out),
                Place::Dropping => self.pass(left),
                Place::Text => self.give(left, out),
            };
        }
    }

    /// There is no more: what was held back is text.
    pub(crate) fn end(&mut self, out: &mut dyn FnMut(&str)) {
        let held = self.held();
        if !held.is_empty() {
            out(held);
        }
        self.place = Place::Text;
    }

    /// What is held back.
    pub(crate) fn held(&self) -> &'static str {
        match self.place {
            Place::Matching(held) => MARKER.get(..held).unwrap_or_default(),
            _ => "",
        }
    }

    fn compare<'p>(&mut self, held: usize, piece: &'p str, out: &mut dyn FnMut(&str)) -> &'p str {
        let wanted = MARKER.get(held..).unwrap_or_default();
        if let Some(left) = piece.strip_prefix(wanted) {
            self.place = Place::Dropping;
            return left;
        }
        if wanted.starts_with(piece) {
            self.place = Place::Matching(held + piece.len());
            return "";
        }
        self.end(out);
        piece
    }

    fn pass<'p>(&mut self, piece: &'p str) -> &'p str {
        let Some(end) = line_end(piece) else {
            return "";
        };
        self.place = Place::Matching(0);
        piece.get(end..).unwrap_or_default()
    }

    /// Gives text up to where a progress line may begin.
    fn give<'p>(&mut self, piece: &'p str, out: &mut dyn FnMut(&str)) -> &'p str {
        let mut until = 0;
        while let Some(left) = piece.get(until..)
            && let Some(end) = line_end(left)
        {
            until += end;
            let next = piece.get(until..).unwrap_or_default();
            if next.starts_with(MARKER) || MARKER.starts_with(next) {
                self.place = Place::Matching(0);
                out(piece.get(..until).unwrap_or_default());
                return next;
            }
        }
        out(piece);
        ""
    }
}

/// Where the line after the first one begins.
fn line_end(text: &str) -> Option<usize> {
    memchr::memchr(b'\n', text.as_bytes()).map(|end| end + 1)
}

/// A whole text without the lines.
pub(crate) fn strip(text: &str) -> Cow<'_, str> {
    if !text.contains(MARKER) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut stripper = Stripper::default();
    stripper.push(text, &mut |text| clean.push_str(text));
    stripper.end(&mut |text| clean.push_str(text));
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Stripper, strip};

    fn streamed<'p>(pieces: impl IntoIterator<Item = &'p str>) -> String {
        let mut stripper = Stripper::default();
        let mut clean = String::new();
        for piece in pieces {
            stripper.push(piece, &mut |text| clean.push_str(text));
        }
        stripper.end(&mut |text| clean.push_str(text));
        clean
    }

    fn characters(text: &str) -> impl Iterator<Item = &str> {
        text.split_inclusive(|_: char| true)
    }

    #[test]
    fn progress_lines_go_and_everything_else_stays() {
        for (text, clean) in [
            ("", ""),
            ("plain", "plain"),
            ("🌐 Crawling site https://a.example\nfound", "found"),
            (
                "🌐 Crawling site a\n🌐 Crawling site b\r\nfound\n",
                "found\n",
            ),
            ("before\n🌐 Crawling site a\nafter", "before\nafter"),
            ("before\n🌐 Crawling site a", "before\n"),
            ("🌐 Crawling site ", ""),
            ("🌐 Crawling", "🌐 Crawling"),
            ("a\n🌐", "a\n🌐"),
            (
                "in a line 🌐 Crawling site a\nb",
                "in a line 🌐 Crawling site a\nb",
            ),
            ("🌐 Crawling sites\n", "🌐 Crawling sites\n"),
            ("🌐 🌐 Crawling site a\n", "🌐 🌐 Crawling site a\n"),
            ("\n\n🌐 Crawling site a\n\n", "\n\n\n"),
        ] {
            assert_eq!(strip(text), clean, "{text:?}");
            assert_eq!(streamed([text]), clean, "{text:?} streamed");
            assert_eq!(streamed(characters(text)), clean, "{text:?} by characters");
        }
    }

    #[test]
    fn nothing_is_held_back_that_cannot_be_the_marker() {
        let mut stripper = Stripper::default();
        let mut given = String::new();
        stripper.push("text\n", &mut |text| given.push_str(text));
        assert_eq!(given, "text\n");
        stripper.push("🌐 Cra", &mut |text| given.push_str(text));
        assert_eq!((given.as_str(), stripper.held()), ("text\n", "🌐 Cra"));
        stripper.push("te", &mut |text| given.push_str(text));
        assert_eq!((given.as_str(), stripper.held()), ("text\n🌐 Crate", ""));
    }

    proptest! {
        #[test]
        fn where_the_text_is_cut_changes_nothing(pieces in proptest::collection::vec(
            prop_oneof![Just("🌐 Crawling site "), Just("🌐"), Just(" Crawl"), Just("ing site "), Just("\n"), Just("a"), Just("")], 0..12,
        )) {
            let text = pieces.concat();
            let expected = streamed([text.as_str()]);
            prop_assert_eq!(streamed(pieces), expected.clone());
            prop_assert_eq!(streamed(characters(&text)), expected.clone());
            prop_assert_eq!(strip(&text), expected);
        }
    }
}
