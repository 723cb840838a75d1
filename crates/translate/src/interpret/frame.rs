//! The tags of the transcript, where a model imitates them.
//!
//! Asked to go on with a transcript, a model may open its message with `<assistant>` or close it
//! with `</assistant>` and write the next turns itself. The opening tag is dropped; at a closing
//! tag that closes nothing of the answer's own, the answer is complete, and what upstream still
//! invents is not worth its credits.

use super::Flow;
use crate::compose::tags::Tags;

/// Takes the transcript's own tags out of an answer.
#[derive(Debug)]
pub struct Frame {
    open: String,
    close: String,
    /// Text that may yet turn out to be one of the tags; shorter than a tag and its white space.
    held: String,
    at_start: bool,
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
            at_start: true,
            depth: 0,
        }
    }

    /// Passes text on, without the tags.
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(&str) -> Flow) -> Flow {
        if !self.at_start && self.held.is_empty() && memchr::memchr(b'<', text.as_bytes()).is_none() {
            return give(text, sink);
        }
        let mut buffer = std::mem::take(&mut self.held);
        buffer.push_str(text);
        let mut rest = buffer.as_str();
        if self.at_start {
            match self.strip_opening(rest) {
                Some(body) => rest = body,
                None => {
                    self.held = buffer;
                    return Flow::Continue;
                }
            }
        }
        self.body(rest, sink)
    }

    /// The answer is over: what was held back is text.
    pub fn end(self, sink: &mut dyn FnMut(&str) -> Flow) {
        if !self.at_start || self.held.trim_start() != self.open {
            give(&self.held, sink);
        }
    }

    /// The text after an opening tag at the start, or all of it; none while that is undecided.
    fn strip_opening<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let begun = text.trim_start();
        // One character more than the tag is waited for: the line break after it goes with it.
        if self.open.starts_with(begun) && text.len() < self.open.len() + 64 {
            return None;
        }
        self.at_start = false;
        match begun.strip_prefix(self.open.as_str()) {
            Some(body) => Some(body.strip_prefix('\n').unwrap_or(body)),
            None => Some(text),
        }
    }

    fn body(&mut self, text: &str, sink: &mut dyn FnMut(&str) -> Flow) -> Flow {
        for at in memchr::memchr_iter(b'<', text.as_bytes()) {
            let tag = text.get(at..).unwrap_or_default();
            if tag.starts_with(&self.open) {
                self.depth += 1;
            } else if tag.starts_with(&self.close) {
                if self.depth == 0 {
                    give(text.get(..at).unwrap_or_default(), sink);
                    return Flow::Stop;
                }
                self.depth -= 1;
            } else if self.open.starts_with(tag) || self.close.starts_with(tag) {
                let flow = give(text.get(..at).unwrap_or_default(), sink);
                tag.clone_into(&mut self.held);
                return flow;
            }
        }
        give(text, sink)
    }
}

fn give(text: &str, sink: &mut dyn FnMut(&str) -> Flow) -> Flow {
    if text.is_empty() { Flow::Continue } else { sink(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unframed(pieces: &[&str]) -> (String, Flow) {
        let mut frame = Frame::new(Tags::default());
        let mut text = String::new();
        let mut flow = Flow::Continue;
        for piece in pieces {
            let mut sink = |t: &str| {
                text.push_str(t);
                Flow::Continue
            };
            flow = frame.push(piece, &mut sink);
            if flow == Flow::Stop {
                return (text, flow);
            }
        }
        frame.end(&mut |t| {
            text.push_str(t);
            Flow::Continue
        });
        (text, flow)
    }

    #[test]
    fn imitated_tags_never_reach_the_client_however_the_text_is_cut() {
        let table = [
            ("Hello.", "Hello.", Flow::Continue),
            ("<assistant>\nHello.\n</assistant>", "Hello.\n", Flow::Stop),
            ("\n <assistant>Hi", "Hi", Flow::Continue),
            ("Hello.</assistant>\n<user>\nMore?", "Hello.", Flow::Stop),
            ("a < b and <assist", "a < b and <assist", Flow::Continue),
            ("<b>bold</b>", "<b>bold</b>", Flow::Continue),
            ("x <assistant>y</assistant> z", "x <assistant>y</assistant> z", Flow::Continue),
            ("  indented", "  indented", Flow::Continue),
            ("   ", "   ", Flow::Continue),
            ("<assistant>", "", Flow::Continue),
            ("", "", Flow::Continue),
        ];
        for (text, expected, flow) in table {
            assert_eq!(unframed(&[text]), (expected.to_owned(), flow), "{text:?} whole");
            let chars: Vec<String> = text.chars().map(String::from).collect();
            let pieces: Vec<&str> = chars.iter().map(String::as_str).collect();
            assert_eq!(unframed(&pieces), (expected.to_owned(), flow), "{text:?} by character");
        }
    }
}
