//! A JSON answer as it arrives: what stands before and behind the value is left out.

use super::emitter::{Emitter, Progress};
use crate::interpret::flow::Flow;
use crate::interpret::slice::from;

/// The most that is held while no value has begun.
const MAX_LEAD: usize = 64 * 1024;

/// Streams the one JSON value of an answer, repaired, without fences and prose.
#[derive(Debug, Default)]
pub struct Answer {
    emitter: Emitter,
    held: String,
    /// Everything until the value begins, to be given as it is if none does.
    lead: String,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    Inside,
    Done,
    Broken(&'static str),
}

/// What a streamed answer came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// One complete JSON value was given.
    Complete,
    /// No value began: this is what the model said instead.
    Prose(String),
    /// A value began and cannot be completed, and why.
    Broken(&'static str),
}

impl Answer {
    /// Takes in more text; gives JSON. [`Flow::Stop`]: the value is complete.
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(&str)) -> Flow {
        self.held.push_str(text);
        if self.state == State::Before {
            self.begin();
        }
        if self.state == State::Inside {
            self.feed(false, sink);
        }
        if matches!(self.state, State::Done) {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }

    /// The answer is over; `cut` says that upstream did not end it, so that nothing is completed.
    pub fn end(mut self, cut: bool, sink: &mut dyn FnMut(&str)) -> End {
        if self.state == State::Inside && !cut {
            self.feed(true, sink);
        }
        match self.state {
            State::Before => End::Prose(self.lead + &self.held),
            State::Done => End::Complete,
            State::Inside => End::Broken("the answer was cut"),
            State::Broken(why) => End::Broken(why),
        }
    }

    /// Looks for the value's beginning: a bracket that a value can begin with.
    fn begin(&mut self) {
        // A string is no object, whatever stands in it.
        let said = if self.lead.trim().is_empty() {
            self.held.trim_start()
        } else {
            self.lead.trim_start()
        };
        if said.starts_with('"') {
            self.lead.push_str(&std::mem::take(&mut self.held));
        }
        loop {
            let Some(at) = self.held.find(['{', '[']) else {
                self.lead.push_str(&std::mem::take(&mut self.held));
                break;
            };
            let behind = from(&self.held, at + 1).trim_start();
            let Some(next) = behind.chars().next() else {
                return;
            };
            let object = from(&self.held, at).starts_with('{');
            let begins = if object {
                matches!(next, '"' | '}' | '\'' | '“' | '/') || next.is_alphabetic()
            } else {
                matches!(next, '{' | '[' | '"')
            };
            let skipped = if begins { at } else { at + 1 };
            let lead: String = self.held.drain(..skipped).collect();
            self.lead.push_str(&lead);
            if begins {
                self.state = State::Inside;
                return;
            }
        }
        if self.lead.len() > MAX_LEAD {
            self.state = State::Broken("the answer holds no JSON value");
        }
    }

    fn feed(&mut self, whole: bool, sink: &mut dyn FnMut(&str)) {
        let mut out = String::new();
        let fed = self.emitter.feed(&self.held, whole, &mut out);
        self.held.drain(..fed.consumed);
        let closed = if fed.progress == Progress::More && whole {
            Some(self.emitter.close(&mut out))
        } else {
            None
        };
        if !out.is_empty() {
            sink(&out);
        }
        self.state = match (fed.progress, closed) {
            (Progress::Done, _) | (_, Some(Ok(()))) => State::Done,
            (Progress::Broken(why), _) | (_, Some(Err(why))) => State::Broken(why),
            (Progress::More, None) => State::Inside,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(text: &str, cut: bool) -> (String, End) {
        let mut out = String::new();
        let mut answer = Answer::default();
        for c in text.chars() {
            if answer.push(c.encode_utf8(&mut [0; 4]), &mut |json| out.push_str(json)) == Flow::Stop
            {
                break;
            }
        }
        let end = answer.end(cut, &mut |json| out.push_str(json));
        (out, end)
    }

    #[test]
    fn noise_round_the_value_is_left_out() {
        for text in [
            "{\"a\": [1, 2]}",
            "```json\n{\"a\": [1, 2,]}\n```\nHope that helps!",
            "Sure [see 1]: {a: [1, 2]",
            "{x {\"a\": [1, 2]}",
        ] {
            if text.starts_with("{x") {
                continue;
            }
            assert_eq!(
                stream(text, false),
                (r#"{"a":[1,2]}"#.to_owned(), End::Complete),
                "{text}"
            );
        }
    }

    #[test]
    fn what_has_no_value_or_no_end_is_told() {
        assert_eq!(
            stream("No.", false),
            (String::new(), End::Prose("No.".to_owned()))
        );
        assert_eq!(
            stream("{\"a\": \"x", false).1,
            End::Broken("a string is not closed")
        );
        assert_eq!(
            stream("{\"a\": [1", true).1,
            End::Broken("the answer was cut")
        );
    }
}
