//! The tags of the transcript, where a model imitates them.
//!
//! Asked to go on with a transcript, a model may open its message with `<assistant>` or close it
//! with `</assistant>` and write the next turns itself. The opening tag is dropped; at a closing
//! tag that closes nothing of the answer's own, the answer is complete, and what upstream still
//! invents is not worth its credits.

use super::flow::Flow;
use crate::tags::Tags;

/// Drops the opening tag that an answer begins with.
#[derive(Debug)]
pub struct Opening {
    tag: String,
    /// The answer's beginning, while it may yet be the tag.
    held: Option<String>,
}

impl Opening {
    /// For an answer to a transcript with these tags.
    #[must_use]
    pub fn new(tags: Tags) -> Self {
        Self {
            tag: tags.open("assistant"),
            held: Some(String::new()),
        }
    }

    /// Passes text on, without the tag.
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(&str)) {
        let Some(held) = &mut self.held else {
            return sink(text);
        };
        held.push_str(text);
        let begun = held.trim_start();
        // One character more than the tag is waited for: the line break after it goes with it.
        if self.tag.starts_with(begun) && held.len() < self.tag.len() + 64 {
            return;
        }
        match begun.strip_prefix(self.tag.as_str()) {
            Some(body) => sink(body.strip_prefix('\n').unwrap_or(body)),
            None => sink(held),
        }
        self.held = None;
    }

    /// The answer is over: what was held back is text.
    pub fn end(&mut self, sink: &mut dyn FnMut(&str)) {
        if let Some(held) = self.held.take()
            && held.trim_start() != self.tag
        {
            sink(&held);
        }
    }
}

/// Ends an answer where the model closes its message and would invent the next.
#[derive(Debug)]
pub struct Frame {
    open: String,
    close: String,
    /// Text that may yet turn out to be one of the tags; shorter than a tag.
    held: String,
    /// How many opening tags the answer itself holds unclosed.
    depth: usize,
}

impl Frame {
    /// For an answer to a transcript with these tags.
    #[must_use]
    pub fn new(tags: Tags) -> Self {
        Self {
            open: tags.open("assistant"),
            close: tags.close("assistant"),
            held: String::new(),
            depth: 0,
        }
    }

    /// Passes text on, up to the closing tag.
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(&str) -> Flow) -> Flow {
        let plain = memchr::memchr(b'<', text.as_bytes()).is_none() && !text.ends_with('\n');
        if self.held.is_empty() && plain {
            return give(text, sink);
        }
        let mut buffer = std::mem::take(&mut self.held);
        buffer.push_str(text);
        self.body(&buffer, sink)
    }

    /// Gives what is held back, because something else than text follows or nothing does.
    pub fn release(&mut self, sink: &mut dyn FnMut(&str) -> Flow) {
        give(&std::mem::take(&mut self.held), sink);
    }

    fn body(&mut self, text: &str, sink: &mut dyn FnMut(&str) -> Flow) -> Flow {
        for at in memchr::memchr_iter(b'<', text.as_bytes()) {
            let tag = text.get(at..).unwrap_or_default();
            if tag.starts_with(&self.open) {
                self.depth += 1;
            } else if tag.starts_with(&self.close) {
                if self.depth == 0 {
                    give(before_break(text, at), sink);
                    return Flow::Stop;
                }
                self.depth -= 1;
            } else if self.open.starts_with(tag) || self.close.starts_with(tag) {
                return self.hold(text, at, sink);
            }
        }
        self.hold(text, text.len(), sink)
    }

    /// Gives the text before a place and holds the rest, with the line break in front of it: it
    /// belongs to the closing tag, if one comes.
    fn hold(&mut self, text: &str, at: usize, sink: &mut dyn FnMut(&str) -> Flow) -> Flow {
        let given = before_break(text, at);
        let flow = give(given, sink);
        text.get(given.len()..)
            .unwrap_or_default()
            .clone_into(&mut self.held);
        flow
    }
}

/// The text before a place, less one line break.
fn before_break(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    before.strip_suffix('\n').unwrap_or(before)
}

fn give(text: &str, sink: &mut dyn FnMut(&str) -> Flow) -> Flow {
    if text.is_empty() {
        Flow::Continue
    } else {
        sink(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unframed(pieces: &[&str]) -> (String, Flow) {
        let mut opening = Opening::new(Tags::default());
        let mut frame = Frame::new(Tags::default());
        let mut text = String::new();
        let mut flow = Flow::Continue;
        let mut sink = |t: &str| {
            text.push_str(t);
            Flow::Continue
        };
        for piece in pieces {
            opening.push(piece, &mut |t| flow = frame.push(t, &mut sink));
            if flow == Flow::Stop {
                return (text, flow);
            }
        }
        opening.end(&mut |t| flow = frame.push(t, &mut sink));
        frame.release(&mut sink);
        (text, flow)
    }

    #[test]
    fn imitated_tags_never_reach_the_client_however_the_text_is_cut() {
        let table = [
            ("Hello.", "Hello.", Flow::Continue),
            ("<assistant>\nHello.\n</assistant>", "Hello.", Flow::Stop),
            ("Hello.\n\n", "Hello.\n\n", Flow::Continue),
            ("\n <assistant>Hi", "Hi", Flow::Continue),
            ("Hello.</assistant>\n<user>\nMore?", "Hello.", Flow::Stop),
            ("a < b and <assist", "a < b and <assist", Flow::Continue),
            ("<b>bold</b>", "<b>bold</b>", Flow::Continue),
            (
                "x <assistant>y</assistant> z",
                "x <assistant>y</assistant> z",
                Flow::Continue,
            ),
            ("  indented", "  indented", Flow::Continue),
            ("   ", "   ", Flow::Continue),
            ("<assistant>", "", Flow::Continue),
            ("", "", Flow::Continue),
        ];
        for (text, expected, flow) in table {
            assert_eq!(
                unframed(&[text]),
                (expected.to_owned(), flow),
                "{text:?} whole"
            );
            let chars: Vec<String> = text.chars().map(String::from).collect();
            let pieces: Vec<&str> = chars.iter().map(String::as_str).collect();
            assert_eq!(
                unframed(&pieces),
                (expected.to_owned(), flow),
                "{text:?} by character"
            );
        }
    }
}
