//! Thoughts that a model shows, told apart from its answer.
//!
//! A block counts only where one really starts: as the first thing of the answer. Later in the
//! text the same tag is a word among others, and never confuses what reads tool calls behind this.

use crate::reply::Event;

/// What becomes of thoughts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thoughts {
    /// They are given as [`Event::Reasoning`].
    #[default]
    Separate,
    /// They stay in the answer's text, with their tags.
    Inline,
    /// They are left out.
    Drop,
}

/// Openings of thoughts and what closes them. A new one is a row.
const BLOCKS: &[(&str, &[&str])] = &[
    ("<think>", &["</think>"]),
    ("<thinking>", &["</thinking>"]),
    ("<thought>", &["</thought>"]),
    ("<thoughts>", &["</thoughts>"]),
    ("<reasoning>", &["</reasoning>"]),
    ("<reason>", &["</reason>"]),
    ("<reflection>", &["</reflection>"]),
    ("<analysis>", &["</analysis>"]),
    ("<seed:think>", &["</seed:think>"]),
    ("<|START_THINKING|>", &["<|END_THINKING|>"]),
    ("<|begin_of_thought|>", &["<|end_of_thought|>"]),
    ("[THINK]", &["[/THINK]"]),
    ("◁think▷", &["◁/think▷"]),
    ("<|channel|>analysis<|message|>", HARMONY_ENDS),
    (
        "<|start|>assistant<|channel|>analysis<|message|>",
        HARMONY_ENDS,
    ),
];

/// What ends a message of Harmony's analysis channel. A recipient's header stays for the reader of
/// tool calls.
const HARMONY_ENDS: &[&str] = &["<|end|>", "<|return|>"];
/// Markers before the answer proper that say nothing themselves.
const FINAL: &[&str] = &[
    "<|start|>assistant<|channel|>final<|message|>",
    "<|channel|>final<|message|>",
    "<|START_RESPONSE|>",
    "<|begin_of_solution|>",
];
/// The first bytes of blocks and of these markers.
const OPENINGS: [u8; 3] = [b'<', b'[', 0xe2];
/// Markers behind the answer proper.
const TRAILERS: &[&str] = &["<|return|>", "<|END_RESPONSE|>", "<|end_of_solution|>"];
/// The most white space looked through for a block.
const MAX_BLANK: usize = 256;

/// Splits an answer into thoughts and text.
#[derive(Debug)]
pub struct Thinking {
    thoughts: Thoughts,
    state: State,
    held: String,
    /// Whether the answer came in a marked channel, so that a marker may end it.
    framed: bool,
    /// Whether thoughts came first: then blank lines part them from the answer.
    thought: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// At the beginning, where a block may start.
    Start,
    /// In a block with these ends; none of its text was given yet while `fresh`.
    Block {
        ends: &'static [&'static str],
        fresh: bool,
    },
    /// Behind the last block.
    Text,
}

impl Thinking {
    /// For one answer.
    #[must_use]
    pub fn new(thoughts: Thoughts) -> Self {
        Self {
            thoughts,
            state: State::Start,
            held: String::new(),
            framed: false,
            thought: false,
        }
    }

    /// Takes in more of the answer: gives [`Event::Reasoning`] and [`Event::Text`].
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) {
        if text.is_empty() {
            return;
        }
        if self.is_over() {
            return sink(Event::Text(text));
        }
        self.held.push_str(text);
        while self.step(false, sink) {}
    }

    /// Whether whatever comes now is text.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Text) && self.held.is_empty() && !self.framed
    }

    /// The answer is over. A block that was not closed is still thought.
    pub fn end(mut self, sink: &mut dyn FnMut(Event<'_>)) {
        while self.step(true, sink) {}
    }

    fn step(&mut self, whole: bool, sink: &mut dyn FnMut(Event<'_>)) -> bool {
        match self.state {
            State::Start => self.start(whole, sink),
            State::Block { ends, fresh } => self.block(ends, fresh, whole, sink),
            State::Text => self.text(whole, sink),
        }
    }

    /// At the beginning: white space, a block, a channel's marker, or text.
    fn start(&mut self, whole: bool, sink: &mut dyn FnMut(Event<'_>)) -> bool {
        let body = self.held.trim_start();
        let blank = self.held.len() - body.len();
        let openings = BLOCKS
            .iter()
            .map(|(open, _)| *open)
            .chain(FINAL.iter().copied());
        let mut can_grow = body.is_empty();
        let mut best: Option<&str> = None;
        let is_text = body.bytes().next().is_some_and(|b| !OPENINGS.contains(&b));
        for open in openings.take_while(|_| !is_text) {
            if starts_with(body, open) {
                best = best.filter(|b| b.len() > open.len()).or(Some(open));
            } else if starts_with(open, body) {
                can_grow = true;
            }
        }
        if can_grow && !whole && blank < MAX_BLANK {
            return false;
        }
        let Some(open) = best else {
            if self.thought && self.thoughts != Thoughts::Inline {
                self.held.drain(..blank);
            }
            self.state = State::Text;
            return true;
        };
        let marker = self
            .held
            .get(..blank + open.len())
            .unwrap_or_default()
            .to_owned();
        self.held.drain(..marker.len());
        if self.thoughts == Thoughts::Inline {
            sink(Event::Text(&marker));
        }
        self.framed |= open.starts_with("<|");
        self.state = match BLOCKS.iter().find(|(known, _)| *known == open) {
            Some((_, ends)) => State::Block { ends, fresh: true },
            None => State::Text,
        };
        true
    }

    /// In a block: its text up to its end.
    fn block(
        &mut self,
        ends: &'static [&'static str],
        fresh: bool,
        whole: bool,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> bool {
        let found = ends
            .iter()
            .filter_map(|end| find(&self.held, end).map(|at| (at, end.len())))
            .min();
        let hold = if whole || found.is_some() {
            0
        } else {
            partial(&self.held, ends)
        };
        let until = found.map_or(self.held.len() - hold, |(at, _)| at);
        let inline = self.thoughts == Thoughts::Inline;
        let thought = self.held.get(..until).unwrap_or_default();
        // Line breaks that frame the thought are not part of it.
        let lead = if fresh && !inline {
            thought.len() - thought.trim_start_matches(['\n', '\r']).len()
        } else {
            0
        };
        let tail = if inline || whole {
            0
        } else {
            thought.len() - thought.trim_end_matches(['\n', '\r']).len()
        };
        let text = thought
            .get(lead..thought.len().saturating_sub(tail).max(lead))
            .unwrap_or_default()
            .to_owned();
        self.give(&text, sink);
        let fresh = fresh && text.is_empty();
        let Some((at, length)) = found else {
            let kept = if whole {
                self.held.len()
            } else {
                until - tail.min(until)
            };
            let kept = if lead > kept { lead.min(until) } else { kept };
            self.held.drain(..kept.min(self.held.len()));
            self.state = State::Block { ends, fresh };
            return false;
        };
        if inline {
            let end = self.held.get(at..at + length).unwrap_or_default();
            sink(Event::Text(end));
        }
        self.held.drain(..at + length);
        self.thought = true;
        // Another block may follow.
        self.state = State::Start;
        true
    }

    fn give(&self, thought: &str, sink: &mut dyn FnMut(Event<'_>)) {
        if thought.is_empty() {
            return;
        }
        match self.thoughts {
            Thoughts::Separate => sink(Event::Reasoning(thought)),
            Thoughts::Inline => sink(Event::Text(thought)),
            Thoughts::Drop => {}
        }
    }

    /// The answer proper: everything, less the marker that ends a channel.
    fn text(&mut self, whole: bool, sink: &mut dyn FnMut(Event<'_>)) -> bool {
        if !self.framed {
            let text = std::mem::take(&mut self.held);
            if !text.is_empty() {
                sink(Event::Text(&text));
            }
            return false;
        }
        let found = TRAILERS
            .iter()
            .filter_map(|end| find(&self.held, end).map(|at| (at, end.len())))
            .min();
        let hold = if whole || found.is_some() {
            0
        } else {
            partial(&self.held, TRAILERS)
        };
        let until = found.map_or(self.held.len() - hold, |(at, _)| at);
        let text: String = self.held.drain(..until).collect();
        if !text.is_empty() {
            sink(Event::Text(&text));
        }
        if let Some((_, length)) = found {
            self.held.drain(..length);
            return true;
        }
        false
    }
}

fn starts_with(text: &str, head: &str) -> bool {
    text.as_bytes()
        .get(..head.len())
        .is_some_and(|t| t.eq_ignore_ascii_case(head.as_bytes()))
}

fn find(text: &str, mark: &str) -> Option<usize> {
    let first = mark.as_bytes().first().copied()?;
    memchr::memchr_iter(first, text.as_bytes())
        .find(|at| text.get(*at..).is_some_and(|rest| starts_with(rest, mark)))
}

/// The longest end of the text that can begin one of the marks.
fn partial(text: &str, marks: &[&str]) -> usize {
    let longest = marks
        .iter()
        .map(|m| m.len() - 1)
        .max()
        .unwrap_or(0)
        .min(text.len());
    let from = text.ceil_char_boundary(text.len() - longest);
    let ends = (from..text.len()).find(|at| {
        text.get(*at..)
            .is_some_and(|rest| marks.iter().any(|m| starts_with(m, rest)))
    });
    ends.map_or(0, |at| text.len() - at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Reply;
    use proptest::prelude::*;

    fn split(pieces: &[&str], thoughts: Thoughts) -> (String, String) {
        let mut reply = Reply::default();
        let mut thinking = Thinking::new(thoughts);
        for piece in pieces {
            thinking.push(piece, &mut |event| reply.collect(event));
        }
        thinking.end(&mut |event| reply.collect(event));
        (reply.reasoning, reply.text)
    }

    fn chars(text: &str) -> Vec<&str> {
        text.split("").filter(|c| !c.is_empty()).collect()
    }

    #[test]
    fn every_opening_begins_with_a_known_byte() {
        let blocks = BLOCKS.iter().map(|(open, _)| *open);
        for open in blocks.chain(FINAL.iter().copied()) {
            assert!(OPENINGS.contains(&open.as_bytes()[0]), "{open}");
        }
    }

    #[test]
    fn blocks_at_the_beginning_are_thoughts() {
        for (text, thought, answer) in [
            (
                "<think>\nHm.\nYes.\n</think>\n\nHello",
                "Hm.\nYes.",
                "\n\nHello",
            ),
            ("\n<THINKING>a</thinking>b", "a", "b"),
            ("<think>a</think>\n<thought>b</thought>c", "ab", "c"),
            ("<think>never closed", "never closed", ""),
            ("<think></think>x", "", "x"),
            (
                "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Hi<|return|>",
                "Hm",
                "Hi",
            ),
            ("[THINK]a < b[/THINK]c", "a < b", "c"),
            ("<think>a </thin b</think>c", "a </thin b", "c"),
        ] {
            let answer = answer.trim_start();
            let (thoughts, text_) = split(&[text], Thoughts::Separate);
            assert_eq!(
                (thoughts.as_str(), text_.trim_start()),
                (thought, answer),
                "{text}"
            );
            let (thoughts, text_) = split(&chars(text), Thoughts::Separate);
            assert_eq!(
                (thoughts.as_str(), text_.trim_start()),
                (thought, answer),
                "{text} by characters"
            );
        }
    }

    #[test]
    fn a_tag_later_in_the_text_is_text() {
        for text in [
            "Use <think> tags.",
            "<thinker>",
            "<",
            "a<think>b</think>",
            "<thin",
            "  x",
        ] {
            assert_eq!(
                split(&[text], Thoughts::Separate),
                (String::new(), text.to_owned())
            );
        }
    }

    #[test]
    fn thoughts_can_stay_or_go() {
        let text = "<think>\na\n</think>\nb";
        assert_eq!(
            split(&chars(text), Thoughts::Inline),
            (String::new(), text.to_owned())
        );
        assert_eq!(split(&chars(text), Thoughts::Drop).0, "");
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(text in "(<think>|</think>|<|>|think|\n| |a|<thought>|</thought>|é|<\\|channel\\|>|analysis|<\\|message\\|>|<\\|end\\|>){0,12}") {
            for thoughts in [Thoughts::Separate, Thoughts::Inline, Thoughts::Drop] {
                prop_assert_eq!(split(&chars(&text), thoughts), split(&[&text], thoughts));
            }
        }

        #[test]
        fn inline_changes_nothing_but_channels(text in "(<think>|</think>|<|>|think|\n| |a|é){0,12}") {
            prop_assert_eq!(split(&chars(&text), Thoughts::Inline).1, text);
        }
    }
}
