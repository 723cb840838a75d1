//! The text of an answer as it is handed on: progress lines taken out, and the whole text not said
//! twice.
//!
//! Some models end with a delta that repeats everything said before. But an answer may also be
//! "ha" and "haha". So a delta that begins with all the text so far waits for the next event: more
//! text proves it to be text, the record at the end says how long the text is.

use super::progress_lines::{self, Stripper};
use crate::drift;
use crate::facts::Fact;

/// A repetition that the record does not settle is taken for a mistake from this length, in
/// characters.
const SHORT_DELTA_BYTES: usize = 8;

/// The text so far: in constant memory, only its length and a hash are kept.
#[derive(Debug, Default)]
pub(crate) struct Text {
    lines: Stripper,
    given: Tally,
    held: Option<String>,
}

impl Text {
    /// Takes the next delta and gives what is text.
    pub(crate) fn delta(&mut self, delta: &str, out: &mut dyn FnMut(&str)) {
        if delta.is_empty() {
            return;
        }
        self.release(out);
        if self.is_repetition(delta) {
            self.held = Some(delta.to_owned());
        } else {
            self.give(delta, out);
        }
    }

    /// Whether the record's own text is needed to end this text.
    pub(crate) fn needs_record(&self) -> bool {
        self.held.is_some() || self.so_far().length == 0
    }

    /// Gives what was held back, because more text or a failure follows.
    pub(crate) fn release(&mut self, out: &mut dyn FnMut(&str)) {
        if let Some(held) = self.held.take() {
            self.give(&held, out);
        }
    }

    /// Ends the text; the record's own text decides what a repetition was. Says whether there was
    /// any text.
    pub(crate) fn end(&mut self, record: Option<&str>, out: &mut dyn FnMut(&str)) -> bool {
        let record = record.filter(|text| !text.is_empty());
        if let Some(held) = self.held.take() {
            self.settle(&held, record, out);
        } else if let (0, Some(record)) = (self.so_far().length, record) {
            self.give(record, out);
        }
        let Self { lines, given, .. } = self;
        lines.end(&mut |text| given.count(text, out));
        self.given.length > 0
    }

    fn give(&mut self, text: &str, out: &mut dyn FnMut(&str)) {
        let Self { lines, given, .. } = self;
        lines.push(text, &mut |text| given.count(text, out));
    }

    fn so_far(&self) -> Tally {
        self.given.followed_by(self.lines.held())
    }

    fn is_repetition(&self, delta: &str) -> bool {
        let so_far = self.so_far();
        so_far.length > 0
            && delta.len() >= so_far.length
            && so_far.begins(&progress_lines::strip(delta))
    }

    /// Decides what a delta that begins with all the text so far was.
    fn settle(&mut self, held: &str, record: Option<&str>, out: &mut dyn FnMut(&str)) {
        let clean = progress_lines::strip(held);
        let before = self.so_far().length;
        let meaning = match record
            .map(progress_lines::strip)
            .filter(|record| !record.is_empty())
        {
            Some(record) => Meaning::by_length(before, clean.len(), record.len()),
            None if clean.chars().count() < SHORT_DELTA_BYTES => Meaning::Text,
            None => Meaning::Whole,
        };
        match meaning {
            Meaning::Text => self.give(held, out),
            Meaning::Nothing => drift::count(Fact::NoRepeatedText),
            Meaning::Whole => {
                drift::count(Fact::NoRepeatedText);
                let remainder = clean.get(before..).unwrap_or_default();
                self.give(remainder, out);
            }
        }
    }
}

/// What a delta that begins with all the text so far may be.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    /// It goes on: text that happens to be a repetition.
    Text,
    /// It is the whole text: only what was not said before is new.
    Whole,
    /// It is nothing: the text was complete without it.
    Nothing,
}

impl Meaning {
    /// The reading whose length is nearest to the record's text, which may have been trimmed.
    fn by_length(before: usize, delta: usize, record: usize) -> Self {
        let text = (before + delta).abs_diff(record);
        let whole = delta.abs_diff(record);
        let nothing = before.abs_diff(record);
        if text < whole && text < nothing {
            Self::Text
        } else if whole <= nothing {
            Self::Whole
        } else {
            Self::Nothing
        }
    }
}

/// Length and hash (FNV-1a) of a text that is not kept.
#[derive(Debug, Clone, Copy)]
struct Tally {
    length: usize,
    hash: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            length: 0,
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl Tally {
    fn followed_by(self, text: &str) -> Self {
        let hash = text.bytes().fold(self.hash, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            length: self.length + text.len(),
            hash,
        }
    }

    fn begins(self, text: &str) -> bool {
        let begin = text.get(..self.length);
        begin.is_some_and(|begin| Self::default().followed_by(begin).hash == self.hash)
    }

    fn count(&mut self, text: &str, out: &mut dyn FnMut(&str)) {
        *self = self.followed_by(text);
        out(text);
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    fn text(deltas: &[&str], record: Option<&str>) -> String {
        let mut text = Text::default();
        let mut given = String::new();
        for delta in deltas {
            text.delta(delta, &mut |text| given.push_str(text));
        }
        let any = text.end(record, &mut |text| given.push_str(text));
        assert_eq!(any, !given.is_empty());
        given
    }

    #[test]
    fn only_a_repetition_that_is_a_mistake_is_left_out() {
        let long = "a text of some length";
        for (deltas, record, expected) in [
            (
                &["One, ", "two.", "One, two."][..],
                Some("One, two."),
                "One, two.",
            ),
            (&["ok", "ok"], Some("okok"), "okok"),
            (&["ok", "ok"], Some("ok"), "ok"),
            (&["ok", "ok", ""], Some("okok"), "okok"),
            (&["ok", "", "ok"], Some("ok"), "ok"),
            (&["ok", "ok", "ok"], Some("okokok"), "okokok"),
            (&["ok", "ok", "okok"], Some("okok"), "okok"),
            (&["ok", "ok", "okok"], Some("okokokok"), "okokokok"),
            (&["ha", "haha"], Some("hahaha"), "hahaha"),
            (&["ha", "haha"], Some("haha"), "haha"),
            (&["ha", "haha"], Some("ha"), "ha"),
            (&["Hel", "lo", "Hello wor"], Some("Hello wor"), "Hello wor"),
            (
                &["Hel", "lo", "Hello wor", "ld"],
                Some("HelloHello world"),
                "HelloHello world",
            ),
            (&["ok", "ok"], None, "okok"),
            (&["ok", "ok"], Some(""), "okok"),
            (&[long, long], None, long),
            (
                &[long, "a text of some length and more"],
                None,
                "a text of some length and more",
            ),
            (
                &[" trimmed by the record \n", " trimmed by the record \n"],
                Some("trimmed by the record"),
                " trimmed by the record \n",
            ),
            (&["é", "éa"], Some("ééa"), "ééa"),
            (&["a", "é"], Some("aé"), "aé"),
            (
                &[],
                Some("only the record has it"),
                "only the record has it",
            ),
            (&["", ""], None, ""),
            (&["", "x"], Some("x"), "x"),
        ] {
            assert_eq!(text(deltas, record), expected, "{deltas:?} {record:?}");
        }
    }

    #[test]
    fn progress_lines_do_not_hide_a_repetition() {
        let line = "🌐 Crawling site a\n";
        let both = format!("{line}found it");
        for (last, record) in [
            ("found it", "found it"),
            (&both, &both),
            ("found it", &both),
            (&both, "found it"),
        ] {
            assert_eq!(
                text(&[line, "found ", "it", last], Some(record)),
                "found it"
            );
        }
        assert_eq!(
            text(&[line, "ha", "haha"], Some(&format!("{line}hahaha"))),
            "hahaha"
        );
    }

    #[test]
    fn what_may_be_a_progress_line_is_not_said_twice() {
        assert_eq!(text(&["a\n", "🌐", "a\n🌐"], Some("a\n🌐")), "a\n🌐");
        assert_eq!(text(&["a\n", "🌐", "a\n🌐 x"], Some("a\n🌐 x")), "a\n🌐 x");
    }
}
